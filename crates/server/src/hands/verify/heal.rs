//! Puts rows right that differ: one side's literal values are written on the other, row by row, while the reference's
//! rows are held still. Both versions are in a file first.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use cordee_domain::db::conflict::{self, Conflict, Versions};
use cordee_domain::db::verify::sql::Reader;
use cordee_domain::db::verify::{Chunk, Pace, Report, RowSeen, Side, TableName};
use cordee_domain::text;
use cordee_domain::text::Text;
use mysql_async::Value;
use tokio::time::timeout;

use super::session::{Fault, Session};
use super::{HOLD, HOLD_LOCK, Held, Node, Run, Watch, behind, held};
use crate::hands::process::failpoint;

/// A repair under way.
pub(super) struct Healing<'a> {
    side: Side,
    file: &'a Path,
    rows: u64,
}

/// How a repair ended.
#[derive(Debug)]
pub struct Healed {
    /// What was found afterwards, table by table.
    pub report: Report,
    /// Rows put right.
    pub rows: u64,
}

/// Compares every user table of `other` with the `reference`, which must be the writer, and puts right what differs.
/// What both had goes into `file` first, which only its owner reads; without a difference there is no file. Fails
/// with one sentence; what was put right until then stays so.
pub async fn heal(
    reference: &Node,
    other: &Node,
    side: Side,
    file: &Path,
    watch: &Watch<'_>,
) -> Result<Healed, Text> {
    let at_start = (watch.now)();
    let mut quiet = Session::open(other).await?;
    quiet.write_quietly().await.map_err(|fault| quiet.sentence(fault))?;
    let mut run = Run {
        reference: Session::open(reference).await?,
        others: vec![quiet],
        // A person waits for it.
        pace: Pace { duty: 75, ..Pace::default() },
        watch,
        chunks: 0,
        rows: 0,
        bytes: 0,
        healing: Some(Healing { side, file, rows: 0 }),
    };
    let tables = run.all_tables().await.map_err(|fault| run.reference.sentence(fault))?;
    let report = Report {
        at_start,
        at_end: (watch.now)(),
        reference: reference.name.clone(),
        others: vec![other.name.clone()],
        tables,
        rows: run.rows,
        chunks: run.chunks,
        bytes: run.bytes,
    };
    Ok(Healed { report, rows: run.healing.map_or(0, |h| h.rows) })
}

/// Takes away the row that stands in the way of what a link received, so that the link goes on by itself; both versions
/// are saved first. Nothing of it is logged. `false`: no such row is there, because it was taken away already, or because
/// the words do not say which it is. Fails with one sentence when they fit more than one: then nothing is changed.
pub async fn make_way(
    reference: &Node,
    other: &Node,
    conflict: &Conflict,
    file: &Path,
) -> Result<bool, Text> {
    let unknown = || text!("repair-unknown-row", table = conflict.table.to_string());
    let (mut theirs, mut ours) = (Session::open(other).await?, Session::open(reference).await?);
    let reader = reader_of(&mut theirs, &conflict.table).await?.ok_or_else(unknown)?;
    let work = async {
        if theirs.has_triggers(&conflict.table).await? {
            return Err(Fault::Gone(text!("repair-triggers", table = conflict.table.to_string())));
        }
        theirs.write_quietly().await?;
        let found = theirs.in_the_way(&reader, &conflict.key, &conflict.entry).await?;
        let key = match found.as_slice() {
            [] => return Ok(false),
            [one] => one,
            _ => return Err(Fault::Gone(unknown())),
        };
        let before = theirs.whole(&reader, key).await?.ok_or_else(|| Fault::Gone(unknown()))?;
        let at = ours.in_the_way(&reader, &conflict.key, &conflict.entry).await?;
        let wanted = match at.as_slice() {
            [one] => ours.whole(&reader, one).await?,
            _ => None,
        };
        failpoint("before", "Save");
        save(file, &reader, key, wanted.as_deref(), Some(&before))
            .map_err(|_| Fault::Gone(text!("repair-not-saved")))?;
        failpoint("before", "Remove");
        theirs.put(&reader, key, None).await?;
        Ok(true)
    };
    let done = work.await;
    done.map_err(|fault| theirs.sentence(fault))
}

/// The row at which a link stopped, as it stands on both databases.
pub async fn versions(reference: &Node, other: &Node, conflict: &Conflict) -> Result<Versions, Text> {
    let unknown = || text!("conflict-unknown", table = conflict.table.to_string());
    let (mut theirs, mut ours) = (Session::open(other).await?, Session::open(reference).await?);
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
    let mut session = Session::open(node).await?;
    let tables = session.tables().await.map_err(|fault| session.sentence(fault))?;
    Ok(tables.get(table).map(|t| t.columns.iter().map(|c| c.name.clone()).collect()))
}

async fn reader_of(session: &mut Session, table: &TableName) -> Result<Option<Reader>, Text> {
    let tables = session.tables().await.map_err(|fault| session.sentence(fault))?;
    tables.get(table).map(|found| Reader::new(table, found)).transpose()
}

impl Run<'_> {
    /// Refuses a table whose triggers would act on what is put right.
    async fn may_heal(&mut self, name: &TableName) -> Result<(), Fault> {
        for session in std::iter::once(&mut self.reference).chain(&mut self.others) {
            if session.has_triggers(name).await? {
                return Err(Fault::Gone(text!("repair-triggers", table = name.to_string())));
            }
        }
        Ok(())
    }

    /// Puts the rows of a small chunk right. Or says why they could not be held still long enough.
    pub(super) async fn heal_chunk(
        &mut self,
        reader: &Reader,
        chunk: &Chunk,
        other: usize,
    ) -> Result<Held<()>, Fault> {
        let busy = || Ok(Err(text!("verify-unsettled")));
        self.may_heal(reader.name()).await?;
        let (Some(other), Some(healing)) = (self.others.get_mut(other), self.healing.as_mut()) else {
            return busy();
        };
        let reference = &mut self.reference;
        if let Some(why) = behind(reference, other).await? {
            return Ok(Err(why));
        }
        reference.begin(HOLD_LOCK).await?;
        let work = async {
            let (ours, theirs) = match held(reference, other, reader, chunk).await? {
                Ok(rows) => rows,
                Err(why) => return Ok(Err(why)),
            };
            let mut count = 0;
            for key in differing(&ours, &theirs) {
                one(reference, other, reader, &key, healing).await?;
                count += 1;
            }
            Ok::<_, Fault>(Ok(count))
        };
        let Ok(done) = timeout(HOLD * 2, work).await else {
            reference.reopen().await?;
            other.reopen().await?;
            other.write_quietly().await?;
            return busy();
        };
        match done {
            Ok(Ok(count)) => {
                failpoint("before", "Release");
                reference.commit().await?;
                if let Some(healing) = self.healing.as_mut() {
                    healing.rows += count;
                }
                Ok(Ok(()))
            }
            Ok(Err(why)) => {
                reference.end().await?;
                Ok(Err(why))
            }
            Err(Fault::Slow) => {
                reference.end().await?;
                busy()
            }
            Err(fault) => {
                reference.end().await?;
                Err(fault)
            }
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

/// One row. What the reference writes it logs, and the other one will apply it: a row that only one of them has is made
/// equal on both first, or the log would find a row where there must be none, or none where there must be one. A row
/// that both have needs no such thing, and whoever dies in between leaves it as it was.
async fn one(
    reference: &mut Session,
    other: &mut Session,
    reader: &Reader,
    key: &[String],
    healing: &Healing<'_>,
) -> Result<(), Fault> {
    let ours = reference.whole(reader, key).await?;
    let theirs = other.whole(reader, key).await?;
    failpoint("before", "Save");
    save(healing.file, reader, key, ours.as_deref(), theirs.as_deref())
        .map_err(|_| Fault::Gone(text!("repair-not-saved")))?;
    let both = ours.is_some() && theirs.is_some();
    if healing.side == Side::Reference || !both {
        failpoint("before", "Put");
        other.put(reader, key, ours).await?;
    }
    if healing.side == Side::Other {
        failpoint("before", "PutBack");
        reference.put(reader, key, theirs).await?;
    }
    Ok(())
}

/// Adds both versions of a row to the file, and sees them on the disk.
fn save(
    file: &Path,
    reader: &Reader,
    key: &[String],
    ours: Option<&[Value]>,
    theirs: Option<&[Value]>,
) -> std::io::Result<()> {
    let values = |row: Option<&[Value]>| {
        row.map(|row| row.iter().map(|value| value.as_sql(false)).collect::<Vec<String>>())
    };
    let line = serde_json::json!({
        "statement": reader.replacement(), "key": key, "reference": values(ours), "other": values(theirs),
    });
    if let Some(folder) = file.parent() {
        crate::hands::files::folder(folder, 0o700, None)?;
    }
    let mut options = std::fs::OpenOptions::new();
    let mut out = options.append(true).create(true).mode(0o600).open(file)?;
    writeln!(out, "{line}")?;
    out.sync_data()
}
