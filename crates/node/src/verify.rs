//! Compares the rows of the databases while they are being written. What is compared and concluded is described in
//! the domain's `db::verify`; this module runs the queries, one after the other and at a limited pace.
//!
//! Equal digests prove that a chunk is equal. Different digests lead to smaller and smaller chunks, and in the end
//! to a few rows that the reference locks for some milliseconds, at most a second, while the other database catches
//! up. Only rows that differ twice in this way count as different; rows that cannot be settled count as unproven.

mod exact;
mod heal;
mod session;
mod settle;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use cordee_domain::db::verify::sql::Reader;
use cordee_domain::db::verify::{
    Checked, Chunk, Difference, LEAF, PIECES, Pace, Progress, Report, SHOWN, Table, TableName, TableResult,
    Tables, altered, disagreements,
};
use cordee_domain::ids::{Millis, ServerName};
use cordee_domain::text;
use cordee_domain::text::Text;
use futures_util::future::join_all;
use tokio::time::sleep;

use crate::mysql::Database;
pub use exact::exact;
use heal::Healing;
pub use heal::{Healed, columns, heal, make_way, versions};
use session::{Session, Snag};
use settle::Settled;

/// A replica that has not caught up within this time ends the verification.
const CATCH_UP: Duration = Duration::from_secs(20);
/// The length of one wait for a replica in seconds. Cancellation is checked between two waits.
const WAIT: f32 = 2.0;
/// How often the same few rows are compared before they count as unproven.
const TRIES: u32 = 10;
/// After so many chunks of a table that could not be settled, the remaining chunks get only two tries.
const PATIENCE: u32 = 3;
/// After so many, the rest of the table is skipped.
const HOPELESS: u32 = 20;
/// How many surveys of the tables are made before a disagreement counts.
const SURVEYS: u32 = 3;
/// The pause before the next try; it grows with each try.
const PAUSE: Duration = Duration::from_millis(50);

/// A database with its name.
#[derive(Clone, Debug)]
pub struct Node {
    /// The database's name.
    pub name: ServerName,
    /// The connections to it.
    pub database: Database,
}

/// What the caller provides: a clock, a callback for progress, and a way to cancel.
pub struct Watch<'a> {
    /// Returns the current time.
    pub now: &'a (dyn Fn() -> Millis + Send + Sync),
    /// Is called after each chunk.
    pub progress: &'a (dyn Fn(Progress) + Send + Sync),
    /// Is called between any two statements. `true` ends the verification.
    pub cancelled: &'a (dyn Fn() -> bool + Send + Sync),
}

impl std::fmt::Debug for Watch<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Watch(…)")
    }
}

/// Compares every user table of `others` with `reference`, which must be the writer. May take hours; uses at most
/// the share of the databases' time that `pace` allows. Fails with one sentence if a node is lost, does not catch
/// up or lacks a privilege, or if it was cancelled: then there is no result.
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
    /// The number of chunks that could not be settled, and the reason for the last one.
    unsettled: u32,
    why: Option<Text>,
    more: bool,
}

impl Found {
    /// Reports whether reading on would not change the verdict any more.
    fn enough(&self) -> bool {
        self.differences.len() >= SHOWN || self.unsettled >= HOPELESS
    }

    fn unsettled(&mut self, why: Text) {
        self.unsettled += 1;
        self.why = Some(why);
    }

    fn verdict(self) -> TableResult {
        if !self.differences.is_empty() {
            TableResult::Differs { rows: self.differences, more: self.more || self.unsettled > 0 }
        } else if self.unsettled > 0 {
            TableResult::Unsettled { why: self.why.unwrap_or_else(|| text!("verify-unsettled")) }
        } else {
            TableResult::Equal { rows: self.rows }
        }
    }
}

/// One chunk, compared once.
struct Compared {
    /// Rows on the reference.
    rows: u64,
    /// The databases with a different digest, by their places in `others`.
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
    /// The repair, if differences are to be repaired.
    healing: Option<Healing<'a>>,
    /// The tables to compare; `None` means all.
    only: Option<BTreeSet<TableName>>,
}

impl<'a> Run<'a> {
    const fn new(reference: Session, others: Vec<Session>, pace: Pace, watch: &'a Watch<'a>) -> Self {
        Self { reference, others, pace, watch, chunks: 0, rows: 0, bytes: 0, healing: None, only: None }
    }

    /// Returns the report on the tables that were looked at from `at_start` until now.
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
                Err(why) => TableResult::Unverifiable { why },
                Ok(reader) => {
                    let place = TableNumber { name, table, done, all, estimated };
                    match self.table(&reader, &place).await {
                        Ok(found) => found.verdict(),
                        Err(Snag::Altered) => altered(),
                        Err(Snag::Slow) => TableResult::Unsettled { why: text!("verify-slow") },
                        Err(fault) => return Err(fault),
                    }
                }
            };
            verdicts.insert(name.clone(), verdict);
        }
        Ok(verdicts.into_iter().map(|(table, verdict)| Checked { table, verdict }).collect())
    }

    /// Returns the tables, and the verdicts on those that differ between the databases. A table may be created,
    /// altered or dropped between two surveys: only a disagreement that two surveys in a row found counts.
    async fn survey(&mut self) -> Result<(Tables, std::collections::BTreeMap<TableName, TableResult>), Snag> {
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

    async fn table(&mut self, reader: &Reader, place: &TableNumber<'_>) -> Result<Found, Snag> {
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

    /// Returns the beginning of `rest` with at most `size` rows on the reference, and not many more on the others:
    /// another database may hold a million rows where the reference has none.
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

    /// Compares the digests of a chunk: first of the reference, then of the others, once they have caught up with
    /// that.
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
            // The list is used as a stack: the rows are found in the order of their keys.
            suspects.extend(parts.into_iter().rev());
        }
        Ok(())
    }

    /// Pauses as long as the pace requires.
    async fn pause(&self, busy: Duration, waited: Duration) {
        sleep(Duration::from_millis(self.pace.rest_ms(millis(busy), millis(waited)))).await;
    }

    fn asked(&self) -> Result<(), Snag> {
        asked(self.watch)
    }

    fn tell(&mut self, place: &TableNumber<'_>, rows: u64) {
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

/// The table that is being read, and how many tables there are.
struct TableNumber<'a> {
    name: &'a TableName,
    table: &'a Table,
    done: usize,
    all: usize,
    estimated: u64,
}

/// Waits until `other` has applied `position`, and returns how long that took.
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
