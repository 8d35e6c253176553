//! Compares a few rows until there is no doubt: the reference locks its own rows meanwhile, for at most a second.

use std::time::{Duration, Instant};

use cordee_domain::db::Position;
use cordee_domain::db::verify::sql::Reader;
use cordee_domain::db::verify::{Chunk, Difference, LISTED, RowSeen, ahead, compare};
use cordee_domain::text;
use cordee_domain::text::Text;
use tokio::time::{sleep, timeout};

use super::session::{Session, Snag};
use super::{PAUSE, Run, WAIT};

/// How long the reference locks a few rows at most.
pub(super) const HOLD: Duration = Duration::from_secs(1);
/// The part of that, in seconds, for getting the locks.
pub(super) const HOLD_LOCK: f32 = 0.3;
/// The part of that, in seconds, for the other database to catch up.
pub(super) const HOLD_WAIT: f32 = 0.5;
/// The part of that, in seconds, for the reference to apply what the other database holds. One of its statements
/// has no more than `HOLD_LOCK`.
const HOLD_TAKE: f32 = 0.2;

/// The result for a few rows.
pub(super) enum Settled {
    Equal,
    Different(Vec<Difference>),
    Unsettled(Text),
}

/// A few rows of both databases, read while the reference locked its own.
pub(super) type Rows = (Vec<RowSeen>, Vec<RowSeen>);

/// The result of short work on locked rows, or why nothing can be said.
pub(super) type Held<T> = Result<T, Text>;

impl Run<'_> {
    /// Compares a few rows until there is no doubt. Being equal once counts as equal; being different counts if it
    /// was found twice, each time with the reference's rows locked.
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

    /// Locks a few rows of the reference, and compares. Or returns why nothing can be said: the rows could not be
    /// locked, the other database did not catch up in time, or it holds writes that the reference does not have
    /// yet.
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
            // A session that waits for these rows can go on.
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

/// Returns why the reference cannot judge yet: what the other database wrote itself must arrive before rows are
/// locked, because it might concern them.
pub(super) async fn behind(reference: &mut Session, other: &mut Session) -> Result<Option<Text>, Snag> {
    let theirs = other.position().await?;
    if reference.reaches(&theirs, WAIT).await? {
        return Ok(None);
    }
    let ours = reference.position().await?;
    Ok(Some(ahead_of(reference, other, &ours, &theirs).unwrap_or_else(|| text!("verify-unsettled"))))
}

/// Returns a sentence saying that the other database holds what the reference does not have.
fn ahead_of(reference: &Session, other: &Session, ours: &str, theirs: &str) -> Option<Text> {
    let read = |text: &str| Position::parse(text).unwrap_or_default();
    let (domain, count) = ahead(&read(theirs), &read(ours), reference.domain)?;
    let (name, writer) = (&other.name, &reference.name);
    Some(text!("verify-ahead", name = name, writer = writer, domain = domain, count = count))
}

/// Reads the rows of both databases while the reference's are locked, in a transaction of the reference. With
/// `waits`, the reference may meanwhile apply what the other database holds beyond it. That is enough for a
/// verdict, but not for writing: the rows of the other database are not locked.
pub(super) async fn held(
    reference: &mut Session,
    other: &mut Session,
    reader: &Reader,
    chunk: &Chunk,
    waits: bool,
) -> Result<Held<Rows>, Snag> {
    let ours = reference.list(reader, chunk, true).await?;
    // The position is read after the rows were locked: a session that changed one of them before has committed, and
    // its transaction is part of the position.
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
    // What the reference applies while its rows are locked changed none of them: it would have had to wait for the
    // locks.
    if let Some(why) = ahead_of(reference, other, &position, &after)
        && !(waits && reference.reaches(&after, HOLD_TAKE).await?)
    {
        return Ok(Err(why));
    }
    Ok(Ok((ours, theirs)))
}
