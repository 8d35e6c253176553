//! Puts rows right that differ: one side's literal values are written on the other, row by row and by no more than what
//! differs, while the reference's rows are held still. Both versions are in a file first, and afterwards everything
//! that could have been touched is compared from nothing.

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

/// So often the same few rows may take longer than they may be held.
const LATE: u32 = 2;

/// A repair under way.
pub(super) struct Healing<'a> {
    side: Side,
    file: &'a Path,
    rows: u64,
    /// Tables in which something differed.
    touched: BTreeSet<TableName>,
    /// Why the rows of a table could not be put right.
    refused: BTreeMap<TableName, Text>,
    /// The other databases that copy the reference, while the other one's rows are taken: what the reference logs comes
    /// to them too.
    peers: Vec<Session>,
}

/// How a repair ended.
#[derive(Debug)]
pub struct Healed {
    /// What was found afterwards, table by table.
    pub report: Report,
    /// Rows put right.
    pub rows: u64,
    /// Tables in which rows could not be put right, and why.
    pub refused: BTreeMap<TableName, Text>,
}

/// Compares every user table of `other` with the `reference`, which must be the writer, and puts right what differs.
/// What both had goes into `file` first, which only its owner reads; without a difference there is no file. Fails
/// with one sentence; what was put right until then stays so.
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
    // A person waits for it.
    let pace = Pace { duty: 75, ..Pace::default() };
    let mut run = Run::new(judge, vec![quiet], pace, watch);
    run.healing = Some(healing);
    let mut tables = run.all_tables().await.map_err(|fault| run.reference.sentence(fault))?;
    let Some(healing) = run.healing.take() else { return Err(text!("db-no-answer")) };
    if !healing.touched.is_empty() {
        let again = run.tied_to(&healing.touched).await;
        // From nothing, by sessions that wrote nothing: what a statement did besides would be found.
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

/// Takes away the row that stands in the way of what a channel received, so that the channel goes on by itself; both
/// versions are saved first. Nothing of it is logged. `false`: no such row is there, because it was taken away already,
/// or because the words do not say which it is. Fails with one sentence when they fit more than one: then nothing is
/// changed.
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

/// The row at which a channel stopped, as it stands on both databases.
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

/// Names of a table's columns; `None`: there is no such table.
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
    /// The tables that foreign keys tie to these, directly or over others, and these themselves. `None`: it cannot be
    /// told, so all may be.
    async fn tied_to(&mut self, touched: &BTreeSet<TableName>) -> Option<BTreeSet<TableName>> {
        let pairs = self.reference.foreign_keys().await.ok()?;
        Some(tied(touched, &pairs))
    }

    /// Why rows of a table cannot be put right: its triggers would act on it.
    async fn hindered(&mut self, name: &TableName) -> Result<Option<Text>, Snag> {
        for session in std::iter::once(&mut self.reference).chain(&mut self.others) {
            if session.has_triggers(name).await? {
                return Ok(Some(text!("repair-triggers", table = name.to_string())));
            }
        }
        Ok(None)
    }

    /// Puts the rows of a small chunk right. Or says why it could not.
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

    /// The same, and says how many rows were put right. A beat of the other one's on its way is enough to begin again.
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
            // The database itself frees rows that are held for so long: that it ended a session then says nothing of
            // it.
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

    /// New sessions everywhere: what the old ones held is free.
    async fn reopen(&mut self) -> Result<(), Snag> {
        let peers = self.healing.iter_mut().flat_map(|healing| &mut healing.peers);
        for session in std::iter::once(&mut self.reference).chain(&mut self.others).chain(peers) {
            session.reopen().await?;
        }
        Ok(())
    }

    /// One try, and how many rows were put right: both in a transaction that ends with it, or has done nothing.
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
            // In this order: what the reference logs waits on the others for the rows that are written there. Who dies
            // in between leaves the wished rows, at the worst with a channel that stops at them; never neither.
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

/// Keys of the rows that one side lacks or has otherwise.
fn differing(ours: &[RowSeen], theirs: &[RowSeen]) -> Vec<Vec<String>> {
    let same = |row: &RowSeen, side: &[RowSeen]| side.iter().any(|r| r.key == row.key && r.hash == row.hash);
    let mut keys: Vec<Vec<String>> =
        ours.iter().filter(|r| !same(r, theirs)).map(|r| r.key.clone()).collect();
    keys.extend(theirs.iter().filter(|r| !ours.iter().any(|o| o.key == r.key)).map(|r| r.key.clone()));
    keys
}

/// One row that differs, as both have it.
struct Pair {
    key: Vec<String>,
    ours: Option<Vec<Value>>,
    theirs: Option<Vec<Value>>,
    /// It has a unique entry that another row must have, or the other way round: both go away before either comes.
    moves: bool,
}

/// Rows that one act puts right at most: so many may stand in each other's way.
const KNOT: usize = 200;

/// Writes one side's rows on the other, by no more than what differs. In a transaction of both.
///
/// What the reference writes it logs, and the other one will apply it. An event finds a row that both have whatever its
/// values; but a row that only one of them has, or that goes away to come back, is first made on the other one as it is
/// on the reference, or the log would find a row where there must be none, or none where there must be one.
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

/// Of these rows, those that a further database does not have as what the reference logs expects them there: it has one
/// that the reference lacks, or lacks one that it has; with what it has. In a transaction of it.
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

/// The rows with these keys, and those that have to go out of their way: where two rows have exchanged a unique value,
/// neither can be changed before the other one.
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
        // Two keys may be one to the table's collation.
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

/// Makes of each row that the database has the one that it must have: first goes what has to go, then comes what comes.
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
