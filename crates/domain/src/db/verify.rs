//! Verifies that the rows of the databases are equal. Positions and running channels do not prove it: two databases
//! can agree on every GTID and differ in a row.
//!
//! Every table is read by its primary key, in chunks. Each database computes one digest per chunk; equal digests
//! prove equal rows. Different digests prove nothing yet, because writes go on meanwhile: such a chunk is split
//! until few rows are left, and these are compared while the writer locks them. This module defines what is
//! compared, what is concluded, and at which pace; the queries are in [`sql`]; `node` runs them.

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

/// A chunk of at most this many rows is compared row by row, while the writer locks these rows.
pub const LEAF: u64 = 32;
/// The number of pieces into which a suspected chunk is split.
pub const PIECES: u64 = 8;
/// The number of differing keys that are reported per table. After that the table is not read any further.
pub const SHOWN: usize = 10;
/// The most rows that one row-by-row comparison reads on one database. Well above what a leaf can hold.
pub const LISTED: u64 = 1_000;
/// The longest value of a key that is shown, in characters.
const VALUE_SHOWN: usize = 120;
/// The number of tables that one sentence names.
const NAMED: usize = 3;

/// Part of a table: the rows whose key is above `after` and at most `up_to`. `None` is an open end.
/// The values are the literals that the query of [`sql::Reader::boundary`] reads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chunk {
    /// Rows after this key.
    pub after: Option<Vec<String>>,
    /// Rows up to and including this key.
    pub up_to: Option<Vec<String>>,
}

/// A digest over the rows of a chunk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest {
    /// The number of rows.
    pub rows: u64,
    /// The hashes of all rows, combined by XOR, in any order.
    pub hash: u64,
}

/// One row, for the row-by-row comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowSeen {
    /// Its key as literals.
    pub key: Vec<String>,
    /// Its key as a person reads it.
    pub shown: Vec<String>,
    /// A hash over the whole row.
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
    /// How the row differs.
    pub kind: Kind,
    /// The key of the row.
    pub key: Vec<KeyPart>,
}

/// The progress of a verification.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// The table being read.
    pub table: TableName,
    /// The number of tables that are finished.
    pub tables_done: usize,
    /// The number of tables in all.
    pub tables: usize,
    /// The number of chunks compared.
    pub chunks: u64,
    /// The number of rows read on the reference.
    pub rows: u64,
    /// The number of rows in all tables, as the reference estimates it: may be wrong by half.
    pub rows_estimated: u64,
    /// Octets read on the reference; an estimate.
    pub bytes: u64,
}

/// Whose rows are right where two databases differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// The reference's: the writer's.
    Reference,
    /// The other one's.
    Other,
}

impl Side {
    /// Parses a person's choice: `writer` or `this`.
    pub fn parse(input: &str) -> Result<Self, Problem> {
        match input {
            "writer" => Ok(Self::Reference),
            "this" => Ok(Self::Other),
            _ => Err(Problem::invalid("take", text!("problem-side"))),
        }
    }
}

/// How much load a verification may cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pace {
    /// What the digest of one chunk should take, in milliseconds.
    pub target_ms: u64,
    /// The share of time in which the databases work for the verification, 1 to 100 percent.
    pub duty: u8,
    /// The most rows of a chunk.
    pub rows_max: u64,
}

impl Default for Pace {
    fn default() -> Self {
        Self { target_ms: 100, duty: 25, rows_max: 50_000 }
    }
}

impl Pace {
    /// Returns the number of rows in a table's first chunk: a quarter of a megabyte, so that a table with wide rows
    /// does not begin with a long query.
    pub fn first_rows(&self, row_bytes: u64) -> u64 {
        (262_144 / row_bytes.max(1)).clamp(1, self.rows_max.clamp(1, 1_000))
    }

    /// Returns the number of rows in the next chunk, after a chunk of `rows` took `took_ms`: at most twice as many
    /// and at least a quarter, so that one odd measurement has little effect; never 0, never above `rows_max`.
    pub fn next_rows(&self, rows: u64, took_ms: u64) -> u64 {
        let rows = rows.max(1);
        let fitting = rows.saturating_mul(self.target_ms) / took_ms.max(1);
        fitting.clamp((rows / 4).max(1), rows.saturating_mul(2)).min(self.rows_max.max(1))
    }

    /// Returns the number of rows of the next attempt, after a chunk of `rows` took too long. `None`: not even one
    /// row succeeds.
    pub const fn fewer_rows(rows: u64) -> Option<u64> {
        match rows {
            0 | 1 => None,
            2..=8 => Some(1),
            more => Some(more / 8),
        }
    }

    /// Returns how long to pause, in milliseconds, after the databases worked for `busy_ms` and a replica took
    /// `waited_ms` to catch up. A slow replica has other work to do, so the pause is at least that long.
    pub fn rest_ms(&self, busy_ms: u64, waited_ms: u64) -> u64 {
        let duty = u64::from(self.duty.clamp(1, 100));
        (busy_ms.saturating_mul(100 - duty) / duty).max(waited_ms)
    }
}

/// Returns the tables whose structure differs between the databases, or that some of them lack, with the verdict on
/// each.
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

/// Reports whether two tables have the same structure; estimates do not count.
fn same_structure(a: &Table, b: &Table) -> bool {
    a.kind == b.kind && a.engine == b.engine && a.columns == b.columns && a.key == b.key
}

/// Compares the same few rows of two databases, in the order of their keys. Keys are compared as octets: keys that
/// differ only in case are a row that one database lacks and another row that the other has in addition.
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

/// Returns a position without one domain, for `MASTER_GTID_WAIT` on the database that the domain belongs to: it
/// never receives what it wrote itself, and would wait in vain.
pub fn without_domain(position: &str, domain: u32) -> String {
    let own = format!("{domain}-");
    let others: Vec<&str> = position
        .split(',')
        .map(str::trim)
        .filter(|gtid| !gtid.is_empty() && !gtid.starts_with(&own))
        .collect();
    others.join(",")
}

/// Returns a domain in which `other` holds writes that `reference` did not have yet, and how many; the domain `own`
/// of the reference does not count. While there are any, a difference between the two may be such a write on its
/// way, and proves nothing.
///
/// Both positions must contain all that a database holds, logged or applied: the log of a database made from a copy
/// lacks what the copy held, so by its log alone it would be behind for ever.
pub fn ahead(other: &Position, reference: &Position, own: u32) -> Option<(u32, u64)> {
    let more = |(domain, number): (&u32, &u64)| (*domain, number.saturating_sub(reference.last(*domain)));
    other.0.iter().map(more).find(|(domain, more)| *domain != own && *more > 0)
}

/// Returns all tables that these pairs connect to `touched`, directly or through others, including `touched`.
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

/// Returns the result for a table that was altered, created or dropped during the comparison.
pub fn altered() -> TableResult {
    TableResult::Unsettled { why: text!("verify-altered") }
}

#[cfg(test)]
mod tests;
