//! Puts rows right that differ: one side's literal values are written on the other, row by row, while the reference's
//! rows are held still. Both versions are in a file first.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use cordee_domain::db::conflict::Conflict;
use cordee_domain::db::verify::sql::Reader;
use cordee_domain::db::verify::{Chunk, Pace, Report, RowSeen, Side, TableName};
use cordee_domain::text;
use cordee_domain::text::Text;
use mysql_async::Value;
use tokio::time::timeout;

use super::session::{Fault, Session};
use super::{HOLD, HOLD_LOCK, Node, Run, WAIT, Watch, held};

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

/// Saves the row that stands in the way of what a link received, before it is overwritten. Fails with one sentence
/// when it cannot be told which row that is: then nothing may be overwritten.
pub async fn rescue(other: &Node, conflict: &Conflict, file: &Path) -> Result<(), Text> {
    let unknown = || text!("repair-unknown-row", table = conflict.table.to_string());
    let mut session = Session::open(other).await?;
    let tables = session.tables().await.map_err(|fault| session.sentence(fault))?;
    let table = tables.get(&conflict.table).ok_or_else(unknown)?;
    let reader = Reader::new(&conflict.table, table)?;
    let found = session.in_the_way(&reader, &conflict.key, &conflict.entry).await;
    let rows = found.map_err(|fault| session.sentence(fault))?.unwrap_or_default();
    if rows.is_empty() {
        return Err(unknown());
    }
    for row in rows {
        save(file, &reader, std::slice::from_ref(&conflict.entry), None, Some(&row))
            .map_err(|_| text!("repair-not-saved"))?;
    }
    Ok(())
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

    /// Puts the rows of a small chunk right. `false`: they could not be held still long enough.
    pub(super) async fn heal_chunk(
        &mut self,
        reader: &Reader,
        chunk: &Chunk,
        other: usize,
    ) -> Result<bool, Fault> {
        self.may_heal(reader.name()).await?;
        let (Some(other), Some(healing)) = (self.others.get_mut(other), self.healing.as_mut()) else {
            return Ok(false);
        };
        let reference = &mut self.reference;
        let theirs = other.position().await?;
        if !reference.reaches(&theirs, WAIT).await? {
            return Ok(false);
        }
        reference.begin(HOLD_LOCK).await?;
        let work = async {
            let Some((ours, theirs)) = held(reference, other, reader, chunk).await? else { return Ok(None) };
            let mut count = 0;
            for key in differing(&ours, &theirs) {
                one(reference, other, reader, &key, healing).await?;
                count += 1;
            }
            Ok::<_, Fault>(Some(count))
        };
        let Ok(done) = timeout(HOLD * 2, work).await else {
            reference.reopen().await?;
            other.reopen().await?;
            other.write_quietly().await?;
            return Ok(false);
        };
        match done {
            Ok(Some(count)) => {
                reference.commit().await?;
                if let Some(healing) = self.healing.as_mut() {
                    healing.rows += count;
                }
                Ok(true)
            }
            Ok(None) | Err(Fault::Slow) => {
                reference.end().await?;
                Ok(false)
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

/// One row. To take the other side's version the row is made equal on both first, so that what the reference then
/// writes, and logs, finds what it expects everywhere.
async fn one(
    reference: &mut Session,
    other: &mut Session,
    reader: &Reader,
    key: &[String],
    healing: &Healing<'_>,
) -> Result<(), Fault> {
    let ours = reference.whole(reader, key).await?;
    let theirs = other.whole(reader, key).await?;
    save(healing.file, reader, key, ours.as_deref(), theirs.as_deref())
        .map_err(|_| Fault::Gone(text!("repair-not-saved")))?;
    other.put(reader, key, ours).await?;
    if healing.side == Side::Other {
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
        crate::paths::folder(folder, 0o700, None)?;
    }
    let mut options = std::fs::OpenOptions::new();
    let mut out = options.append(true).create(true).mode(0o600).open(file)?;
    writeln!(out, "{line}")?;
    out.sync_data()
}
