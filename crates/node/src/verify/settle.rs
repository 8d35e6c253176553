//! A few rows, compared until there is no doubt: the reference holds its own still meanwhile, for at most a second.

use std::time::{Duration, Instant};

use cordee_domain::db::Position;
use cordee_domain::db::verify::sql::Reader;
use cordee_domain::db::verify::{Chunk, Difference, LISTED, RowSeen, ahead, compare};
use cordee_domain::text;
use cordee_domain::text::Text;
use tokio::time::{sleep, timeout};

use super::session::{Session, Snag};
use super::{PAUSE, Run, WAIT};

/// How long the reference holds a few rows at most.
pub(super) const HOLD: Duration = Duration::from_secs(1);
/// Seconds within that for getting hold of them.
pub(super) const HOLD_LOCK: f32 = 0.3;
/// Seconds within that for the other one to catch up.
pub(super) const HOLD_WAIT: f32 = 0.5;
/// Seconds within that for the reference to take in what the other one has; a statement of its has no more than
/// `HOLD_LOCK`.
const HOLD_TAKE: f32 = 0.2;

/// How a few rows ended.
pub(super) enum Settled {
    Equal,
    Different(Vec<Difference>),
    Unsettled(Text),
}

/// A few rows of both databases, read while the reference held its own still.
pub(super) type Rows = (Vec<RowSeen>, Vec<RowSeen>);

/// What came of a short act on held rows, or why nothing can be said.
pub(super) type Held<T> = Result<T, Text>;

impl Run<'_> {
    /// Compares a few rows until there is no doubt. Equal once is equal; different counts when it was so twice,
    /// each time with the reference's rows held still.
    pub(super) async fn settle(
        &mut self,
        reader: &Reader,
        chunk: &Chunk,
        other: usize,
        tries: u32,
    ) -> Result<Settled, Snag> {
        let mut before: Option<Vec<Difference>> = None;
        let mut last = text!("verify-unsettled");
        for attempt in 0..tries {
            self.asked()?;
            let started = Instant::now();
            if self.compare(reader, chunk, &[other]).await?.differing.is_empty() {
                return Ok(Settled::Equal);
            }
            match self.hold(reader, chunk, other).await? {
                Ok(now) if now.is_empty() => return Ok(Settled::Equal),
                Ok(now) => {
                    let twice: Vec<Difference> = now
                        .iter()
                        .filter(|d| before.as_ref().is_some_and(|b| b.contains(d)))
                        .cloned()
                        .collect();
                    if !twice.is_empty() {
                        return Ok(Settled::Different(twice));
                    }
                    before = Some(now);
                }
                Err(why) => last = why,
            }
            self.pause(started.elapsed(), Duration::ZERO).await;
            sleep(PAUSE * (attempt + 1)).await;
        }
        Ok(Settled::Unsettled(last))
    }

    /// Holds a few rows of the reference still, and compares; or says why nothing can be said: the rows could not be
    /// held, the other one did not catch up in time, or it holds writes that the reference has not got yet.
    async fn hold(
        &mut self,
        reader: &Reader,
        chunk: &Chunk,
        other: usize,
    ) -> Result<Held<Vec<Difference>>, Snag> {
        let busy = || Ok(Err(text!("verify-unsettled")));
        let Some(other) = self.others.get_mut(other) else { return busy() };
        let reference = &mut self.reference;
        if let Some(why) = behind(reference, other).await? {
            return Ok(Err(why));
        }
        reference.begin(HOLD_LOCK).await?;
        let Ok(held) = timeout(HOLD, held(reference, other, reader, chunk, true)).await else {
            // Whoever waits for these rows waits no longer.
            reference.reopen().await?;
            other.reopen().await?;
            return busy();
        };
        reference.end().await?;
        let (ours, theirs) = match held {
            Ok(Ok(rows)) => rows,
            Ok(Err(why)) => return Ok(Err(why)),
            Err(Snag::Slow) => return busy(),
            Err(fault) => return Err(fault),
        };
        Ok(Ok(compare(&other.name, &reader.key(), &ours, &theirs)))
    }
}

/// Why the reference cannot judge yet: what the other one wrote itself must arrive before rows are held, for it might
/// be about them.
pub(super) async fn behind(reference: &mut Session, other: &mut Session) -> Result<Option<Text>, Snag> {
    let theirs = other.position().await?;
    if reference.reaches(&theirs, WAIT).await? {
        return Ok(None);
    }
    let ours = reference.position().await?;
    Ok(Some(ahead_of(reference, other, &ours, &theirs).unwrap_or_else(|| text!("verify-unsettled"))))
}

/// That the other one holds what the reference has not got, in words.
fn ahead_of(reference: &Session, other: &Session, ours: &str, theirs: &str) -> Option<Text> {
    let read = |text: &str| Position::parse(text).unwrap_or_default();
    let (domain, count) = ahead(&read(theirs), &read(ours), reference.domain)?;
    let (name, writer) = (&other.name, &reference.name);
    Some(text!("verify-ahead", name = name, writer = writer, domain = domain, count = count))
}

/// Rows of both databases while the reference's are held. In a transaction of the reference. `waits`: the reference may
/// take in meanwhile what the other one holds beyond it. Enough to judge by, not to write by: the other's rows are not
/// held.
pub(super) async fn held(
    reference: &mut Session,
    other: &mut Session,
    reader: &Reader,
    chunk: &Chunk,
    waits: bool,
) -> Result<Held<Rows>, Snag> {
    let ours = reference.list(reader, chunk, true).await?;
    // Read after the rows were got: whoever changed one of them before has committed, and is in it.
    let position = reference.position().await?;
    if !other.reaches(&position, HOLD_WAIT).await? {
        return Ok(Err(text!("verify-lags", name = &other.name)));
    }
    let theirs = other.list(reader, chunk, false).await?;
    let after = other.position().await?;
    let cut = |rows: &[RowSeen]| rows.len() as u64 >= LISTED;
    if cut(&ours) || cut(&theirs) {
        return Ok(Err(text!("verify-unsettled")));
    }
    // What the reference applies while its rows are held altered none of them: it would have had to wait for them.
    if let Some(why) = ahead_of(reference, other, &position, &after)
        && !(waits && reference.reaches(&after, HOLD_TAKE).await?)
    {
        return Ok(Err(why));
    }
    Ok(Ok((ours, theirs)))
}
