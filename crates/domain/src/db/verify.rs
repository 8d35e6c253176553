//! Are the rows of the databases really equal? Positions and running channels do not prove it: two databases can
//! agree on every GTID and differ in a row.
//!
//! Every table is walked by its primary key in chunks. A chunk has one digest on each database; equal digests
//! prove equal rows. Different ones prove nothing yet, because writes go on meanwhile: such a chunk is narrowed
//! until few rows are left, and these are compared while the writer holds them still. Here is what is compared,
//! what is concluded, and at which pace; the texts of the queries are in [`sql`]; `node` runs them.

pub mod sql;

mod report;
mod tables;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::db::Position;
use crate::ids::ServerName;
use crate::problem::Problem;
use crate::text;

pub use report::{Checked, Report, TableResult};
pub use tables::{Column, Key, LEFT_OUT, OWN_SCHEMAS, OddTables, Table, TableName, Tables};

/// A chunk of at most so many rows is compared row by row, while the writer holds these rows still.
pub const LEAF: u64 = 32;
/// A suspected chunk is cut into this many.
pub const PIECES: u64 = 8;
/// Differing keys reported of one table. After them the table is not read any further.
pub const SHOWN: usize = 10;
/// Rows that one row-by-row comparison reads at most on one database. Well above what a leaf can hold.
pub const LISTED: u64 = 1_000;
/// The longest value of a key that is shown, in characters.
const VALUE_SHOWN: usize = 120;
/// Tables that one sentence names.
const NAMED: usize = 3;

/// Part of a table: the rows whose key is above `after` and at most `up_to`. `None` is an open end.
/// The values are the literals that the query of [`sql::Reader::boundary`] reads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chunk {
    /// Rows after this key.
    pub after: Option<Vec<String>>,
    /// Up to and with this key.
    pub up_to: Option<Vec<String>>,
}

/// What stands for the rows of a chunk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest {
    /// How many rows.
    pub rows: u64,
    /// The hashes of all rows, combined by XOR, in any order.
    pub hash: u64,
}

/// One row, for the comparison row by row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowSeen {
    /// Its key as literals.
    pub key: Vec<String>,
    /// Its key as a person reads it.
    pub shown: Vec<String>,
    /// Hash over the whole row.
    pub hash: String,
}

/// One value of a key, as a person reads it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyPart {
    /// The column.
    pub column: String,
    /// The value, at most 120 characters of it.
    pub value: String,
}

/// How a row differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// In both databases, with different values.
    Changed,
    /// The reference has it; the other one lacks it.
    Lacking,
    /// The other one has it; the reference does not.
    Extra,
}

/// One row that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// The database that differs from the reference.
    pub on: ServerName,
    /// How.
    pub kind: Kind,
    /// Which row.
    pub key: Vec<KeyPart>,
}

/// How far a verification is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// The table being read.
    pub table: TableName,
    /// Tables finished.
    pub tables_done: usize,
    /// All tables.
    pub tables: usize,
    /// Chunks compared.
    pub chunks: u64,
    /// Rows read on the reference.
    pub rows: u64,
    /// Rows of all tables, as the reference estimates them: may be wrong by half.
    pub rows_estimated: u64,
    /// Octets read on the reference; an estimate.
    pub bytes: u64,
}

/// Whose rows are right, where two databases differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// The reference's: the writer's.
    Reference,
    /// The other one's.
    Other,
}

impl Side {
    /// Reads the word of a person: `writer` or `this`.
    pub fn parse(input: &str) -> Result<Self, Problem> {
        match input {
            "writer" => Ok(Self::Reference),
            "this" => Ok(Self::Other),
            _ => Err(Problem::invalid("take", text!("problem-side"))),
        }
    }
}

/// How gently to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pace {
    /// What the digest of one chunk should take, in milliseconds.
    pub target_ms: u64,
    /// Share of the time in which the databases work for the verification, 1 to 100 percent.
    pub duty: u8,
    /// Rows of a chunk at most.
    pub rows_max: u64,
}

impl Default for Pace {
    fn default() -> Self {
        Self { target_ms: 100, duty: 25, rows_max: 50_000 }
    }
}

impl Pace {
    /// Rows of a table's first chunk: a quarter of a megabyte, so that wide rows do not begin with a long query.
    pub fn first_rows(&self, row_bytes: u64) -> u64 {
        (262_144 / row_bytes.max(1)).clamp(1, self.rows_max.clamp(1, 1_000))
    }

    /// Rows of the next chunk, after one of `rows` took `took_ms`. At most twice as many and at least a
    /// quarter, so that one odd measurement does little; never 0, never above `rows_max`.
    pub fn next_rows(&self, rows: u64, took_ms: u64) -> u64 {
        let rows = rows.max(1);
        let fitting = rows.saturating_mul(self.target_ms) / took_ms.max(1);
        fitting.clamp((rows / 4).max(1), rows.saturating_mul(2)).min(self.rows_max.max(1))
    }

    /// Rows of the next try, after one of `rows` took too long to be finished. `None`: not even one row goes.
    pub const fn fewer_rows(rows: u64) -> Option<u64> {
        match rows {
            0 | 1 => None,
            2..=8 => Some(1),
            more => Some(more / 8),
        }
    }

    /// How long to rest, in milliseconds, after the databases worked `busy_ms` and a replica took `waited_ms`
    /// to catch up: a slow one has work of its own to do, and gets as long again.
    pub fn rest_ms(&self, busy_ms: u64, waited_ms: u64) -> u64 {
        let duty = u64::from(self.duty.clamp(1, 100));
        (busy_ms.saturating_mul(100 - duty) / duty).max(waited_ms)
    }
}

/// The tables on which the databases do not agree even in structure, with the verdict on each.
pub fn disagreements(
    reference: (&ServerName, &Tables),
    others: &[(&ServerName, &Tables)],
) -> BTreeMap<TableName, TableResult> {
    let all: BTreeSet<&TableName> =
        reference.1.keys().chain(others.iter().flat_map(|(_, tables)| tables.keys())).collect();
    let mut found = BTreeMap::new();
    for name in all {
        let lacking = |(_, tables): &&(&ServerName, &Tables)| !tables.contains_key(name);
        let absent: Vec<ServerName> = std::iter::once(&reference)
            .chain(others)
            .filter(lacking)
            .map(|(server, _)| (*server).clone())
            .collect();
        if !absent.is_empty() {
            found.insert(name.clone(), TableResult::Missing { on: absent });
            continue;
        }
        let Some(ours) = reference.1.get(name) else { continue };
        let on: Vec<ServerName> = others
            .iter()
            .filter(|(_, tables)| tables.get(name).is_some_and(|theirs| !same_structure(ours, theirs)))
            .map(|(server, _)| (*server).clone())
            .collect();
        if !on.is_empty() {
            found.insert(name.clone(), TableResult::Structure { on });
        }
    }
    found
}

/// Estimates do not count.
fn same_structure(a: &Table, b: &Table) -> bool {
    a.kind == b.kind && a.engine == b.engine && a.columns == b.columns && a.key == b.key
}

/// Compares the same few rows of two databases, in the order of their keys. Keys are compared as octets: a key
/// that differs in case only is a row that the one lacks and one that the other has too much.
pub fn compare(
    on: &ServerName,
    columns: &[String],
    reference: &[RowSeen],
    other: &[RowSeen],
) -> Vec<Difference> {
    let by_key = |rows: &[RowSeen]| -> BTreeMap<Vec<String>, RowSeen> {
        rows.iter().map(|row| (row.key.clone(), row.clone())).collect()
    };
    let (ours, theirs) = (by_key(reference), by_key(other));
    let difference = |row: &RowSeen, kind| Difference {
        on: on.clone(),
        kind,
        key: columns
            .iter()
            .zip(&row.shown)
            .map(|(column, value)| KeyPart {
                column: column.clone(),
                value: value.chars().take(VALUE_SHOWN).collect(),
            })
            .collect(),
    };
    let mut all: Vec<Difference> = Vec::new();
    for row in reference {
        match theirs.get(&row.key) {
            None => all.push(difference(row, Kind::Lacking)),
            Some(their) if their.hash != row.hash => all.push(difference(row, Kind::Changed)),
            Some(_) => {}
        }
    }
    all.extend(other.iter().filter(|r| !ours.contains_key(&r.key)).map(|row| difference(row, Kind::Extra)));
    all
}

/// A position without one domain, for `MASTER_GTID_WAIT` on the database that this domain belongs to: what it
/// wrote itself it never receives, and would wait for in vain.
pub fn without_domain(position: &str, domain: u32) -> String {
    let own = format!("{domain}-");
    let others: Vec<&str> = position
        .split(',')
        .map(str::trim)
        .filter(|gtid| !gtid.is_empty() && !gtid.starts_with(&own))
        .collect();
    others.join(",")
}

/// The writes that `other` holds and `reference` had not got, apart from those of the reference's own domain: in which
/// domain, and how many there. While there are any, a difference between the two may be such a write on its way, and
/// proves nothing.
///
/// Both positions are all that a database holds, logged or applied: the log alone of one that was copied lacks what its
/// copy held, and it would be behind for ever.
pub fn ahead(other: &Position, reference: &Position, own: u32) -> Option<(u32, u64)> {
    let more = |(domain, number): (&u32, &u64)| (*domain, number.saturating_sub(reference.last(*domain)));
    other.0.iter().map(more).find(|(domain, more)| *domain != own && *more > 0)
}

/// All tables that are tied to these by pairs, these included.
pub fn tied(touched: &BTreeSet<TableName>, pairs: &[(TableName, TableName)]) -> BTreeSet<TableName> {
    let mut all = touched.clone();
    loop {
        let known = all.len();
        for (one, other) in pairs {
            if all.contains(one) || all.contains(other) {
                all.extend([one.clone(), other.clone()]);
            }
        }
        if all.len() == known {
            return all;
        }
    }
}

/// What is said of a table that was altered, made or dropped meanwhile.
pub fn altered() -> TableResult {
    TableResult::Unsettled { why: text!("verify-altered") }
}

#[cfg(test)]
mod tests;
