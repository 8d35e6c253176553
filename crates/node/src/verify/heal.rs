//! Repairs rows that differ: the literal values of one side are written on the other, row by row, and only the
//! columns that differ, while the rows of the reference are locked. Both versions are saved in a file first.
//! Afterwards every table that could have been touched is compared again from the beginning.

mod saved;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Instant;

use cordee_domain::db::conflict::{self, Conflict, Versions};
use cordee_domain::db::verify::sql::{Lock, Reader, UniqueColumn};
use cordee_domain::db::verify::{Chunk, Pace, Report, RowSeen, Side, TableName, tied};
use cordee_domain::text;
use cordee_domain::text::Text;
use mysql_async::Value;
use tokio::time::{sleep, timeout};

use super::session::{Session, Snag};
use super::settle::{HOLD, HOLD_LOCK, HOLD_WAIT, Held, behind, held};
use super::{Node, PAUSE, Run, TRIES, Watch};
use crate::process::failpoint;

use saved::keep;

/// How many tries on the same few rows may exceed the time for which rows may be locked.
const LATE: u32 = 2;

/// A repair under way.
pub(super) struct Healing<'a> {
    side: Side,
    file: &'a Path,
    rows: u64,
    /// The tables in which something differed.
    touched: BTreeSet<TableName>,
    /// Why the rows of a table could not be repaired.
    refused: BTreeMap<TableName, Text>,
    /// The other replicas of the reference, if the other side's rows are taken: what the reference logs reaches
    /// them too.
    peers: Vec<Session>,
}

/// The result of a repair.
#[derive(Debug)]
pub struct Healed {
    /// What was found afterwards, table by table.
    pub report: Report,
    /// How many rows were repaired.
    pub rows: u64,
    /// The tables in which rows could not be repaired, and why.
    pub refused: BTreeMap<TableName, Text>,
}

/// Compares every user table of `other` with the `reference`, which must be the writer, and repairs what differs.
/// Both versions are written to `file` first, which only its owner may read; without a difference there is no file.
/// Fails with one sentence; what was repaired until then stays.
pub async fn heal(
    reference: &Node,
    (other, peers): (&Node, &[Node]),
    side: Side,
    file: &Path,
    watch: &Watch<'_>,
) -> Result<Healed, Text> {
    let at_start = (watch.now)();
    let mut quiet = Session::quiet(other).await?;
    quiet.write_quietly().await.map_err(|fault| quiet.sentence(fault))?;
    let mut judge = Session::open(reference).await?;
    judge.write_literally().await.map_err(|fault| judge.sentence(fault))?;
    let mut listening = Vec::new();
    for peer in peers.iter().filter(|_| side == Side::Other) {
        let mut session = Session::quiet(peer).await?;
        session.write_quietly().await.map_err(|fault| session.sentence(fault))?;
        listening.push(session);
    }
    let (touched, refused) = (BTreeSet::new(), BTreeMap::new());
    let healing = Healing { side, file, rows: 0, touched, refused, peers: listening };
    // The operator waits for the result.
    let pace = Pace { duty: 75, ..Pace::default() };
    let mut run = Run::new(judge, vec![quiet], pace, watch);
    run.healing = Some(healing);
    let mut tables = run.all_tables().await.map_err(|fault| run.reference.sentence(fault))?;
    let Some(healing) = run.healing.take() else { return Err(text!("db-no-answer")) };
    if !healing.touched.is_empty() {
        let again = run.tied_to(&healing.touched).await;
        // The comparison starts again, with sessions that wrote nothing: so side effects of a statement would be
        // found.
        let mut fresh =
            Run::new(Session::open(reference).await?, vec![Session::quiet(other).await?], pace, watch);
        fresh.only = again;
        let found = fresh.all_tables().await.map_err(|fault| fresh.reference.sentence(fault))?;
        tables.retain(|t| !found.iter().any(|f| f.table == t.table));
        tables.extend(found);
        tables.sort_by(|a, b| a.table.cmp(&b.table));
    }
    let report = run.report(at_start, vec![other.name.clone()], tables);
    Ok(Healed { report, rows: healing.rows, refused: healing.refused })
}

/// Removes the row that conflicts with what a channel received, so that the channel can go on; both versions are
/// saved first. Nothing of it is logged. Returns `false` if there is no such row, because it was removed already or
/// because MariaDB's error message does not identify it. Fails with one sentence if the message fits more than one
/// row: then nothing is changed.
pub async fn make_way(
    reference: &Node,
    other: &Node,
    conflict: &Conflict,
    file: &Path,
) -> Result<bool, Text> {
    let unknown = || text!("repair-unknown-row", table = conflict.table.to_string());
    let (mut theirs, mut ours) = (Session::quiet(other).await?, Session::open(reference).await?);
    let reader = reader_of(&mut theirs, &conflict.table).await?.ok_or_else(unknown)?;
    let work = async {
        if theirs.has_triggers(&conflict.table).await? {
            return Err(Snag::Gone(text!("repair-triggers", table = conflict.table.to_string())));
        }
        theirs.write_quietly().await?;
        let found = theirs.in_the_way(&reader, &conflict.key, &conflict.entry).await?;
        let key = match found.as_slice() {
            [] => return Ok(false),
            [one] => one,
            _ => return Err(Snag::Gone(unknown())),
        };
        let before = theirs.whole(&reader, key, Lock::None).await?.ok_or_else(|| Snag::Gone(unknown()))?;
        let at = ours.in_the_way(&reader, &conflict.key, &conflict.entry).await?;
        let wanted = match at.as_slice() {
            [one] => ours.whole(&reader, one, Lock::None).await?,
            _ => None,
        };
        failpoint("before", "Save");
        let pair = Pair { key: key.clone(), ours: wanted, theirs: Some(before), moves: false };
        keep(file, &reader, &other.name, &[pair])?;
        failpoint("before", "Remove");
        theirs.remove(&reader, key).await?;
        Ok(true)
    };
    let done = work.await;
    done.map_err(|fault| theirs.sentence(fault))
}

/// Returns the row at which a channel stopped, as it is on both databases.
pub async fn versions(reference: &Node, other: &Node, conflict: &Conflict) -> Result<Versions, Text> {
    let unknown = || text!("conflict-unknown", table = conflict.table.to_string());
    let (mut theirs, mut ours) = (Session::quiet(other).await?, Session::open(reference).await?);
    let reader = reader_of(&mut theirs, &conflict.table).await?.ok_or_else(unknown)?;
    let mut found = Vec::new();
    for session in [&mut ours, &mut theirs] {
        let key = session.in_the_way(&reader, &conflict.key, &conflict.entry).await;
        let row = match key.as_deref() {
            Ok([one]) => session.shown(&reader, one).await,
            Ok(_) => Ok(None),
            Err(_) => key.map(|_| None),
        };
        let row = row.map_err(|fault| session.sentence(fault))?;
        found.push(row.map(|values| values.iter().map(|v| conflict::value(v)).collect()));
    }
    let here: Option<Vec<String>> = found.pop().flatten();
    let there = found.pop().flatten();
    if here.is_none() && there.is_none() {
        return Err(unknown());
    }
    Ok(Versions { columns: reader.columns().to_vec(), there, here })
}

/// Returns the names of a table's columns; `None` if there is no such table.
pub async fn columns(node: &Node, table: &TableName) -> Result<Option<Vec<String>>, Text> {
    let mut session = Session::quiet(node).await?;
    let tables = session.tables().await.map_err(|fault| session.sentence(fault))?;
    Ok(tables.get(table).map(|t| t.columns.iter().map(|c| c.name.clone()).collect()))
}

async fn reader_of(session: &mut Session, table: &TableName) -> Result<Option<Reader>, Text> {
    let tables = session.tables().await.map_err(|fault| session.sentence(fault))?;
    tables.get(table).map(|found| Reader::new(table, found)).transpose()
}

impl Run<'_> {
    /// Returns these tables and all that foreign keys tie to them, directly or indirectly. `None` means that this
    /// cannot be told, so that every table may be tied.
    async fn tied_to(&mut self, touched: &BTreeSet<TableName>) -> Option<BTreeSet<TableName>> {
        let pairs = self.reference.foreign_keys().await.ok()?;
        Some(tied(touched, &pairs))
    }

    /// Returns why rows of a table cannot be repaired: its triggers would fire.
    async fn hindered(&mut self, name: &TableName) -> Result<Option<Text>, Snag> {
        for session in std::iter::once(&mut self.reference).chain(&mut self.others) {
            if session.has_triggers(name).await? {
                return Ok(Some(text!("repair-triggers", table = name.to_string())));
            }
        }
        Ok(None)
    }

    /// Repairs the rows of a small chunk, or returns why it could not.
    pub(super) async fn heal_chunk(
        &mut self,
        reader: &Reader,
        chunk: &Chunk,
        other: usize,
    ) -> Result<Held<()>, Snag> {
        let hindered = self.hindered(reader.name()).await?;
        let Some(healing) = self.healing.as_mut() else { return Ok(Err(text!("verify-unsettled"))) };
        healing.touched.insert(reader.name().clone());
        let done = match hindered {
            Some(why) => Err(why),
            None => self.heal_patiently(reader, chunk, other).await?,
        };
        let Some(healing) = self.healing.as_mut() else { return Ok(Err(text!("verify-unsettled"))) };
        Ok(match done {
            Ok(count) => {
                healing.rows += count;
                Ok(())
            }
            Err(why) => {
                healing.refused.insert(reader.name().clone(), why.clone());
                Err(why)
            }
        })
    }

    /// Does the same, and returns how many rows were repaired. Even a heartbeat of the other database on its way
    /// makes a new try necessary.
    async fn heal_patiently(
        &mut self,
        reader: &Reader,
        chunk: &Chunk,
        other: usize,
    ) -> Result<Held<u64>, Snag> {
        let mut last = text!("verify-unsettled");
        let table = || reader.name().to_string();
        let mut late = 0;
        for attempt in 1..=TRIES {
            let started = Instant::now();
            let done = self.heal_held(reader, chunk, other).await;
            // The database itself ends a session that locks rows for so long: then its error does not mean that the
            // database is gone.
            let done = match done {
                Err(Snag::Gone(_)) if started.elapsed() > HOLD * 2 => {
                    self.reopen().await?;
                    Ok(Err(text!("verify-unsettled")))
                }
                done => done,
            };
            late += u32::from(!matches!(done, Ok(Ok(_))) && started.elapsed() > HOLD * 2);
            if late > LATE {
                return Ok(Err(text!("repair-slow", table = table())));
            }
            match done {
                Ok(Err(why)) => last = why,
                Err(Snag::Refused(1062)) => return Ok(Err(text!("repair-unique", table = table()))),
                Err(Snag::Refused(code)) => {
                    return Ok(Err(text!("repair-refused", table = table(), code = code)));
                }
                done => return done,
            }
            sleep(PAUSE * attempt).await;
        }
        Ok(Err(last))
    }

    /// Opens new sessions everywhere, which releases what the old ones locked.
    async fn reopen(&mut self) -> Result<(), Snag> {
        let peers = self.healing.iter_mut().flat_map(|healing| &mut healing.peers);
        for session in std::iter::once(&mut self.reference).chain(&mut self.others).chain(peers) {
            session.reopen().await?;
        }
        Ok(())
    }

    /// Makes one try and returns how many rows were repaired. The transactions on both sides are committed, or have
    /// changed nothing.
    async fn heal_held(&mut self, reader: &Reader, chunk: &Chunk, other: usize) -> Result<Held<u64>, Snag> {
        let busy = || Ok(Err(text!("verify-unsettled")));
        let (Some(other), Some(healing)) = (self.others.get_mut(other), self.healing.as_mut()) else {
            return busy();
        };
        let reference = &mut self.reference;
        if let Some(why) = behind(reference, other).await? {
            return Ok(Err(why));
        }
        let unique = reference.unique_keys(reader.name()).await?;
        reference.begin(HOLD_LOCK).await?;
        let work = async {
            let (ours, theirs) = match held(reference, other, reader, chunk, false).await? {
                Ok(rows) => rows,
                Err(why) => return Ok(Err(why)),
            };
            other.begin(HOLD_LOCK).await?;
            put_right(reference, other, reader, (differing(&ours, &theirs), &unique), healing).await
        };
        let Ok(done) = timeout(HOLD * 2, work).await else {
            for session in [reference, other].into_iter().chain(&mut healing.peers) {
                session.reopen().await?;
            }
            return busy();
        };
        if let Ok(Ok(count)) = done {
            failpoint("before", "Release");
            // The reference commits first: on the other databases, applying what it logs waits for the locks on the
            // rows that are written there. If Cordée dies in between, the wished rows are there, at worst with a
            // channel that stops at them; never neither.
            for session in [reference, other].into_iter().chain(&mut healing.peers) {
                session.commit().await?;
            }
            return Ok(Ok(count));
        }
        for session in [reference, other].into_iter().chain(&mut healing.peers) {
            session.end().await?;
        }
        match done {
            Err(Snag::Slow) => busy(),
            done => done,
        }
    }
}

/// Returns the keys of the rows that one side lacks or has with other values.
fn differing(ours: &[RowSeen], theirs: &[RowSeen]) -> Vec<Vec<String>> {
    let same = |row: &RowSeen, side: &[RowSeen]| side.iter().any(|r| r.key == row.key && r.hash == row.hash);
    let mut keys: Vec<Vec<String>> =
        ours.iter().filter(|r| !same(r, theirs)).map(|r| r.key.clone()).collect();
    keys.extend(theirs.iter().filter(|r| !ours.iter().any(|o| o.key == r.key)).map(|r| r.key.clone()));
    keys
}

/// One row that differs, in both versions.
struct Pair {
    key: Vec<String>,
    ours: Option<Vec<Value>>,
    theirs: Option<Vec<Value>>,
    /// The row has a unique value that another row must get, or the reverse: both rows are removed before either is
    /// added.
    moves: bool,
}

/// How many rows one try repairs at most: so many rows may block each other.
const KNOT: usize = 200;

/// Writes the rows of one side on the other, and only the columns that differ. Runs in a transaction on each side.
///
/// What the reference writes is logged, and the other database will apply it. A replicated event finds a row that
/// exists on both, whatever its values. But a row that exists on only one of them, or that is removed and added
/// again, is first made on the other database as it is on the reference. Otherwise the event would find a row where
/// there must be none, or none where there must be one.
async fn put_right(
    reference: &mut Session,
    other: &mut Session,
    reader: &Reader,
    (keys, unique): (Vec<Vec<String>>, &[Vec<UniqueColumn>]),
    healing: &mut Healing<'_>,
) -> Result<Held<u64>, Snag> {
    let pairs = gathered(reference, other, reader, (keys, unique), healing.side).await?;
    if pairs.len() > KNOT {
        return Err(Snag::Refused(1062));
    }
    failpoint("before", "Save");
    keep(healing.file, reader, &other.name, &pairs)?;
    let apart = pairs.iter().any(|p| p.moves || p.ours.is_none() || p.theirs.is_none());
    if healing.side == Side::Reference || apart {
        failpoint("before", "Put");
        write(other, reader, &pairs, |p| (p.theirs.as_deref(), p.ours.as_deref())).await?;
    }
    let position = if healing.peers.is_empty() { String::new() } else { reference.position().await? };
    for peer in &mut healing.peers {
        if !peer.reaches(&position, HOLD_WAIT).await? {
            return Ok(Err(text!("verify-lags", name = &peer.name)));
        }
        let theirs = misplaced(peer, reader, &pairs).await?;
        keep(healing.file, reader, &peer.name, &theirs)?;
        write(peer, reader, &theirs, |p| (p.theirs.as_deref(), p.ours.as_deref())).await?;
    }
    if healing.side == Side::Other {
        failpoint("before", "PutBack");
        write(reference, reader, &pairs, |p| (p.ours.as_deref(), p.theirs.as_deref())).await?;
    }
    Ok(Ok(u64::try_from(pairs.len()).unwrap_or(u64::MAX)))
}

/// Returns those of these rows that a further database has in another state than the events of the reference
/// expect: it has a row that the reference lacks, or lacks one that the reference has. Runs in a transaction on
/// that database.
async fn misplaced(peer: &mut Session, reader: &Reader, pairs: &[Pair]) -> Result<Vec<Pair>, Snag> {
    peer.begin(HOLD_LOCK).await?;
    let mut found = Vec::new();
    for pair in pairs {
        let theirs = peer.whole(reader, &pair.key, Lock::Write).await?;
        if theirs.is_some() != pair.ours.is_some() || (pair.moves && theirs != pair.ours) {
            let (key, ours, moves) = (pair.key.clone(), pair.ours.clone(), pair.moves);
            found.push(Pair { key, ours, theirs, moves });
        }
    }
    Ok(found)
}

/// Returns the rows with these keys, and the rows that must make room for them: if two rows have exchanged a unique
/// value, neither can be changed before the other.
async fn gathered(
    reference: &mut Session,
    other: &mut Session,
    reader: &Reader,
    (keys, unique): (Vec<Vec<String>>, &[Vec<UniqueColumn>]),
    side: Side,
) -> Result<Vec<Pair>, Snag> {
    let lock = if side == Side::Other { Lock::Write } else { Lock::Share };
    let (mut pairs, mut moving) = (Vec::<Pair>::new(), BTreeSet::new());
    let mut rest = keys;
    while let Some(key) = rest.pop() {
        let ours = reference.whole(reader, &key, lock).await?;
        let theirs = other.whole(reader, &key, Lock::Write).await?;
        // Two keys may be equal under the table's collation.
        if ours == theirs || pairs.iter().any(|p| p.key == key || (p.ours == ours && p.theirs == theirs)) {
            continue;
        }
        let mut ways = Vec::new();
        if let Some(row) = &ours {
            ways.extend(other.with_same(reader, unique, row).await?);
        }
        if let Some(row) = theirs.as_ref().filter(|_| side == Side::Other) {
            ways.extend(reference.with_same(reader, unique, row).await?);
        }
        for way in ways.into_iter().filter(|way| *way != key) {
            moving.extend([key.clone(), way.clone()]);
            rest.push(way);
        }
        pairs.push(Pair { key, ours, theirs, moves: false });
        if pairs.len() > KNOT {
            break;
        }
    }
    for pair in &mut pairs {
        pair.moves = moving.contains(&pair.key);
    }
    Ok(pairs)
}

/// Turns each row that the database has into the row that it must have: removals come first, additions after them.
async fn write(
    on: &mut Session,
    reader: &Reader,
    pairs: &[Pair],
    sides: impl Fn(&Pair) -> (Option<&[Value]>, Option<&[Value]>),
) -> Result<(), Snag> {
    for pair in pairs {
        let (from, to) = sides(pair);
        if from.is_some() && (to.is_none() || pair.moves) {
            on.remove(reader, &pair.key).await?;
        }
    }
    for pair in pairs {
        match sides(pair) {
            (Some(from), Some(to)) if !pair.moves => on.alter(reader, &pair.key, from, to).await?,
            (_, Some(to)) => on.add(reader, to).await?,
            (_, None) => {}
        }
    }
    Ok(())
}
