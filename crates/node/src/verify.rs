//! Compares the rows of the databases, while they are being written. What is compared and concluded is said in
//! the domain's `db::verify`; here the queries are run, in turn and gently.
//!
//! Equal digests prove a chunk equal. Different ones lead to smaller and smaller chunks, and at the end to a few
//! rows that the reference holds still for some milliseconds, at most a second, while the other one catches up:
//! what differs then, twice, differs. Nothing else is called a difference; what cannot be settled is called unproven.

mod exact;
mod heal;
mod session;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use cordee_domain::db::Position;
use cordee_domain::db::verify::sql::Reader;
use cordee_domain::db::verify::{
    Checked, Chunk, Difference, LEAF, LISTED, PIECES, Pace, Progress, Report, RowSeen, SHOWN, Table,
    TableName, Tables, Verdict, ahead, altered, compare, disagreements,
};
use cordee_domain::ids::{Millis, ServerName};
use cordee_domain::text;
use cordee_domain::text::Text;
use futures_util::future::join_all;
use tokio::time::{sleep, timeout};

use crate::mysql::Database;
pub use exact::exact;
use heal::Healing;
pub use heal::{Healed, columns, heal, make_way, versions};
use session::{Session, Snag};

/// A replica that has not caught up after this time ends the verification.
const CATCH_UP: Duration = Duration::from_secs(20);
/// Seconds of one wait for it. Between two of them it is asked whether to go on.
const WAIT: f32 = 2.0;
/// How long the reference holds a few rows at most.
const HOLD: Duration = Duration::from_secs(1);
/// Seconds within that for getting hold of them.
const HOLD_LOCK: f32 = 0.3;
/// Seconds within that for the other one to catch up.
const HOLD_WAIT: f32 = 0.5;
/// Seconds within that for the reference to take in what the other one has; a statement of its has no more than
/// `HOLD_LOCK`.
const HOLD_TAKE: f32 = 0.2;
/// How often the same few rows are compared before they count as unproven.
const TRIES: u32 = 10;
/// After so many chunks of a table that could not be settled, the others get two tries only.
const PATIENCE: u32 = 3;
/// And after so many the table is left.
const HOPELESS: u32 = 20;
/// Looks at what tables there are, before a disagreement counts.
const SURVEYS: u32 = 3;
/// Pause before the next try, growing with each.
const PAUSE: Duration = Duration::from_millis(50);

/// A database by its name.
#[derive(Clone, Debug)]
pub struct Node {
    /// Its name.
    pub name: ServerName,
    /// Itself.
    pub database: Database,
}

/// What the caller lends: a clock, ears, and a way to stop.
pub struct Watch<'a> {
    /// The time.
    pub now: &'a (dyn Fn() -> Millis + Send + Sync),
    /// Is told after each chunk.
    pub progress: &'a (dyn Fn(Progress) + Send + Sync),
    /// Asked between any two statements. `true` ends the verification.
    pub cancelled: &'a (dyn Fn() -> bool + Send + Sync),
}

impl std::fmt::Debug for Watch<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Watch(…)")
    }
}

/// Compares every user table of `others` with `reference`, which must be the writer. May take hours; takes at most
/// the share of the databases' time that `pace` says. Fails with one sentence when a node goes away, does not catch
/// up or lacks a right, or when it was cancelled: then nothing was found out.
pub async fn verify(
    reference: &Node,
    others: &[Node],
    pace: Pace,
    watch: &Watch<'_>,
) -> Result<Report, Text> {
    let at_start = (watch.now)();
    let mut sessions = Vec::new();
    for node in others {
        sessions.push(Session::quiet(node).await?);
    }
    let mut run = Run::new(Session::open(reference).await?, sessions, pace, watch);
    let tables = run.all_tables().await.map_err(|fault| run.reference.sentence(fault))?;
    Ok(run.report(at_start, others.iter().map(|n| n.name.clone()).collect(), tables))
}

/// What is known of one table so far.
#[derive(Default)]
struct Found {
    rows: u64,
    differences: Vec<Difference>,
    /// Chunks of which nothing could be said, and why of the last one.
    unsettled: u32,
    why: Option<Text>,
    more: bool,
}

impl Found {
    /// What is known will not change any more by reading on.
    fn enough(&self) -> bool {
        self.differences.len() >= SHOWN || self.unsettled >= HOPELESS
    }

    fn unsettled(&mut self, why: Text) {
        self.unsettled += 1;
        self.why = Some(why);
    }

    fn verdict(self) -> Verdict {
        if !self.differences.is_empty() {
            Verdict::Differs { rows: self.differences, more: self.more || self.unsettled > 0 }
        } else if self.unsettled > 0 {
            Verdict::Unsettled { why: self.why.unwrap_or_else(|| text!("verify-unsettled")) }
        } else {
            Verdict::Equal { rows: self.rows }
        }
    }
}

/// How a few rows ended.
enum Settled {
    Equal,
    Different(Vec<Difference>),
    Unsettled(Text),
}

/// A few rows of both databases, read while the reference held its own still.
type Rows = (Vec<RowSeen>, Vec<RowSeen>);

/// What came of a short act on held rows, or why nothing can be said.
type Held<T> = Result<T, Text>;

/// One chunk, compared once.
struct Compared {
    /// Rows on the reference.
    rows: u64,
    /// The others that have a different digest, by their places.
    differing: Vec<usize>,
    /// How long the slowest digest took.
    took: Duration,
    /// How long the slowest replica took to catch up.
    waited: Duration,
}

struct Run<'a> {
    reference: Session,
    others: Vec<Session>,
    pace: Pace,
    watch: &'a Watch<'a>,
    chunks: u64,
    rows: u64,
    bytes: u64,
    /// What differs is put right.
    healing: Option<Healing<'a>>,
    /// The tables to compare; absent: all.
    only: Option<BTreeSet<TableName>>,
}

impl<'a> Run<'a> {
    const fn new(reference: Session, others: Vec<Session>, pace: Pace, watch: &'a Watch<'a>) -> Self {
        Self { reference, others, pace, watch, chunks: 0, rows: 0, bytes: 0, healing: None, only: None }
    }

    /// What was found, of tables that were looked at from `at_start` until now.
    fn report(&self, at_start: Millis, others: Vec<ServerName>, tables: Vec<Checked>) -> Report {
        let (at_end, reference) = ((self.watch.now)(), self.reference.name.clone());
        let (rows, chunks, bytes) = (self.rows, self.chunks, self.bytes);
        Report { at_start, at_end, reference, others, tables, rows, chunks, bytes }
    }

    fn wanted(&self, name: &TableName) -> bool {
        self.only.as_ref().is_none_or(|only| only.contains(name))
    }
}

impl Run<'_> {
    async fn all_tables(&mut self) -> Result<Vec<Checked>, Snag> {
        let (mut tables, mut verdicts) = self.survey().await?;
        tables.retain(|name, _| self.wanted(name));
        verdicts.retain(|name, _| self.wanted(name));
        let estimated = tables.values().map(|t| t.rows).sum();
        let all = tables.len();
        for (done, (name, table)) in tables.iter().enumerate() {
            if verdicts.contains_key(name) {
                continue;
            }
            let verdict = match Reader::new(name, table) {
                Err(why) => Verdict::Unverifiable { why },
                Ok(reader) => {
                    let place = Place { name, table, done, all, estimated };
                    match self.table(&reader, &place).await {
                        Ok(found) => found.verdict(),
                        Err(Snag::Altered) => altered(),
                        Err(Snag::Slow) => Verdict::Unsettled { why: text!("verify-slow") },
                        Err(fault) => return Err(fault),
                    }
                }
            };
            verdicts.insert(name.clone(), verdict);
        }
        Ok(verdicts.into_iter().map(|(table, verdict)| Checked { table, verdict }).collect())
    }

    /// Which tables there are, and the verdicts on those that are not the same everywhere. A table may be made,
    /// altered or dropped between two looks: only what was seen twice in a row counts.
    async fn survey(&mut self) -> Result<(Tables, std::collections::BTreeMap<TableName, Verdict>), Snag> {
        let mut before = std::collections::BTreeMap::new();
        for look in 1..=SURVEYS {
            self.asked()?;
            let tables = self.reference.tables().await?;
            let position = self.reference.position().await?;
            let mut theirs = Vec::new();
            for other in &mut self.others {
                catch_up(other, &position, self.watch).await?;
                theirs.push((other.name.clone(), other.tables().await?));
            }
            let theirs: Vec<(&ServerName, &Tables)> = theirs.iter().map(|(n, t)| (n, t)).collect();
            let mut found = disagreements((&self.reference.name, &tables), &theirs);
            if found.is_empty() || look == SURVEYS {
                for (name, verdict) in &mut found {
                    if before.get(name) != Some(verdict) {
                        *verdict = altered();
                    }
                }
                return Ok((tables, found));
            }
            before = found;
            sleep(PAUSE * 10).await;
        }
        Ok((Tables::new(), before))
    }

    async fn table(&mut self, reader: &Reader, place: &Place<'_>) -> Result<Found, Snag> {
        let every: Vec<usize> = (0..self.others.len()).collect();
        let mut found = Found::default();
        let mut size = self.pace.first_rows(place.table.row_bytes);
        let mut rest = Chunk::default();
        loop {
            self.asked()?;
            let started = Instant::now();
            let step = async {
                let chunk = self.piece(reader, &rest, size, &every).await?;
                let compared = self.compare(reader, &chunk, &every).await?;
                Ok::<_, Snag>((chunk, compared))
            };
            let (chunk, compared) = match step.await {
                Ok(step) => step,
                Err(Snag::Slow) => {
                    size = Pace::fewer_rows(size).ok_or(Snag::Slow)?;
                    self.pause(started.elapsed(), Duration::ZERO).await;
                    continue;
                }
                Err(fault) => return Err(fault),
            };
            self.pause(started.elapsed().saturating_sub(compared.waited), compared.waited).await;
            for other in &compared.differing {
                match self.narrow(reader, &chunk, size, *other, &mut found).await {
                    Err(Snag::Slow) => found.unsettled(text!("verify-unsettled")),
                    done => done?,
                }
            }
            self.tell(place, compared.rows);
            found.rows += compared.rows;
            if found.enough() {
                found.more = true;
                return Ok(found);
            }
            if chunk.up_to.is_none() {
                return Ok(found);
            }
            rest.after = chunk.up_to;
            size = self.pace.next_rows(size, millis(compared.took));
        }
    }

    /// The beginning of `rest` with at most `size` rows on the reference, and not many more on the others: one of
    /// them may hold a million rows where the reference has none.
    async fn piece(
        &mut self,
        reader: &Reader,
        rest: &Chunk,
        size: u64,
        others: &[usize],
    ) -> Result<Chunk, Snag> {
        let mut piece = rest.clone();
        if let Some(end) = self.reference.boundary(reader, &piece, size.saturating_sub(1)).await? {
            piece.up_to = Some(end);
        }
        for place in others {
            if let Some(other) = self.others.get_mut(*place)
                && let Some(end) = other.boundary(reader, &piece, size.saturating_mul(2)).await?
            {
                piece.up_to = Some(end);
            }
        }
        Ok(piece)
    }

    /// Digests of a chunk: of the reference, then of the others, once they have caught up with what was read.
    async fn compare(&mut self, reader: &Reader, chunk: &Chunk, others: &[usize]) -> Result<Compared, Snag> {
        let started = Instant::now();
        let ours = self.reference.digest(reader, chunk).await?;
        let mut took = started.elapsed();
        let position = self.reference.position().await?;
        let watch = self.watch;
        let asked = self.others.iter_mut().enumerate().filter(|(place, _)| others.contains(place)).map(
            |(place, other)| {
                let position = &position;
                async move {
                    let waited = catch_up(other, position, watch).await?;
                    let started = Instant::now();
                    let theirs = other.digest(reader, chunk).await?;
                    Ok::<_, Snag>((place, theirs, started.elapsed(), waited))
                }
            },
        );
        let (mut differing, mut longest) = (Vec::new(), Duration::ZERO);
        for answer in join_all(asked).await {
            let (place, theirs, theirs_took, waited) = answer?;
            took = took.max(theirs_took);
            longest = longest.max(waited);
            if theirs != ours {
                differing.push(place);
            }
        }
        self.chunks += 1;
        Ok(Compared { rows: ours.rows, differing, took, waited: longest })
    }

    /// Finds the rows in which a chunk differs, if it does.
    async fn narrow(
        &mut self,
        reader: &Reader,
        chunk: &Chunk,
        size: u64,
        other: usize,
        found: &mut Found,
    ) -> Result<(), Snag> {
        let mut suspects = vec![(chunk.clone(), size)];
        while let Some((chunk, size)) = suspects.pop() {
            if found.enough() {
                return Ok(());
            }
            if size <= LEAF {
                let tries = if found.unsettled < PATIENCE { TRIES } else { 2 };
                match self.settle(reader, &chunk, other, tries).await? {
                    Settled::Equal => {}
                    Settled::Different(_) if self.healing.is_some() => {
                        if let Err(why) = self.heal_chunk(reader, &chunk, other).await? {
                            found.unsettled(why);
                        }
                    }
                    Settled::Different(rows) => found.differences.extend(rows),
                    Settled::Unsettled(why) => found.unsettled(why),
                }
                found.differences.truncate(SHOWN);
                continue;
            }
            let size = (size / PIECES).max(LEAF);
            let mut parts = Vec::new();
            let mut rest = chunk.clone();
            loop {
                self.asked()?;
                let started = Instant::now();
                let part = self.piece(reader, &rest, size, &[other]).await?;
                let compared = self.compare(reader, &part, &[other]).await?;
                self.pause(started.elapsed().saturating_sub(compared.waited), compared.waited).await;
                rest.after.clone_from(&part.up_to);
                let last = part.up_to == chunk.up_to;
                if !compared.differing.is_empty() {
                    parts.push((part, size));
                }
                if last {
                    break;
                }
            }
            // The last one in is the next one out: the rows are found in the order of their keys.
            suspects.extend(parts.into_iter().rev());
        }
        Ok(())
    }

    /// Compares a few rows until there is no doubt. Equal once is equal; different counts when it was so twice,
    /// each time with the reference's rows held still.
    async fn settle(
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

    /// Rests as long as the pace asks.
    async fn pause(&self, busy: Duration, waited: Duration) {
        sleep(Duration::from_millis(self.pace.rest_ms(millis(busy), millis(waited)))).await;
    }

    fn asked(&self) -> Result<(), Snag> {
        asked(self.watch)
    }

    fn tell(&mut self, place: &Place<'_>, rows: u64) {
        self.rows += rows;
        self.bytes += rows.saturating_mul(place.table.row_bytes);
        (self.watch.progress)(Progress {
            table: place.name.clone(),
            tables_done: place.done,
            tables: place.all,
            chunks: self.chunks,
            rows: self.rows,
            rows_estimated: place.estimated,
            bytes: self.bytes,
        });
    }
}

/// The table being read, and how many there are.
struct Place<'a> {
    name: &'a TableName,
    table: &'a Table,
    done: usize,
    all: usize,
    estimated: u64,
}

/// Why the reference cannot judge yet: what the other one wrote itself must arrive before rows are held, for it might
/// be about them.
async fn behind(reference: &mut Session, other: &mut Session) -> Result<Option<Text>, Snag> {
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
async fn held(
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

/// Waits until `other` has applied `position`, and says how long it took.
async fn catch_up(other: &mut Session, position: &str, watch: &Watch<'_>) -> Result<Duration, Snag> {
    let started = Instant::now();
    while !other.reaches(position, WAIT).await? {
        asked(watch)?;
        if started.elapsed() > CATCH_UP {
            let seconds = started.elapsed().as_secs();
            return Err(Snag::Gone(text!("verify-behind", name = &other.name, seconds = seconds)));
        }
    }
    Ok(started.elapsed())
}

fn asked(watch: &Watch<'_>) -> Result<(), Snag> {
    if (watch.cancelled)() { Err(Snag::Gone(text!("verify-cancelled"))) } else { Ok(()) }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
