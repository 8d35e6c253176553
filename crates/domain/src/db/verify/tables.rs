//! The tables of a database, as `information_schema` describes them, and which of them are compared.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::NAMED;
use crate::text;
use crate::text::Text;

/// A table by its full name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TableName {
    /// Its schema.
    pub schema: String,
    /// Its own name.
    pub table: String,
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.schema, self.table)
    }
}

/// One column, as `information_schema.COLUMNS` has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Column {
    /// `COLUMN_NAME`.
    pub name: String,
    /// `DATA_TYPE`: the type's bare name, in lower case.
    pub data_type: String,
    /// `COLUMN_TYPE`: the whole type, with length, sign and members.
    pub column_type: String,
    /// `IS_NULLABLE`.
    pub nullable: bool,
    /// `COLUMN_DEFAULT`.
    pub default: Option<String>,
    /// `CHARACTER_SET_NAME`.
    pub charset: Option<String>,
    /// `COLLATION_NAME`.
    pub collation: Option<String>,
    /// `CHARACTER_OCTET_LENGTH`: the most octets that a value can have.
    pub octets: Option<u64>,
    /// `NUMERIC_PRECISION`.
    pub precision: Option<u32>,
    /// `NUMERIC_SCALE`.
    pub scale: Option<u32>,
    /// `EXTRA`: says, among others, whether a generated column is stored.
    pub extra: String,
    /// `GENERATION_EXPRESSION`.
    pub expression: Option<String>,
}

impl Column {
    /// Reports whether the column is computed when it is read. Nothing of it is stored, so only its sources could
    /// differ.
    pub fn is_virtual(&self) -> bool {
        self.extra.to_ascii_uppercase().contains("VIRTUAL GENERATED")
    }
}

/// One column of a primary key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Its name.
    pub column: String,
    /// Whether only a prefix of it is in the key (`SUB_PART`).
    pub prefix: bool,
}

/// A table as `information_schema` describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// `TABLE_TYPE`: `BASE TABLE`, `SEQUENCE`, `SYSTEM VERSIONED`.
    pub kind: String,
    /// `ENGINE`; absent when the database cannot open the table.
    pub engine: Option<String>,
    /// The columns in their order, by which row-based replication identifies them.
    pub columns: Vec<Column>,
    /// The primary key in its order; empty when there is none.
    pub key: Vec<Key>,
    /// `TABLE_ROWS`, an estimate.
    pub rows: u64,
    /// `AVG_ROW_LENGTH`, an estimate.
    pub row_bytes: u64,
}

/// All tables of one database.
pub type Tables = BTreeMap<TableName, Table>;

/// The tables of applications that need a mention: their peculiarities can be seen in advance.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OddTables {
    /// The number of tables in all.
    pub all: u64,
    /// Tables without a primary key: their rows cannot be told apart, so they are neither compared nor repaired.
    pub keyless: Vec<TableName>,
    /// Tables in memory: a database loses their rows when it restarts.
    pub memory: Vec<TableName>,
    /// The number of tables with a unique key besides the primary key.
    #[serde(default)]
    pub unique: u64,
    /// Sequences that produce the same numbers on each database: those with a step of their own.
    #[serde(default)]
    pub sequences: Vec<TableName>,
}

impl OddTables {
    /// Returns the names of a few, and how many more there are.
    fn some(names: &[TableName]) -> (String, usize) {
        let some: Vec<String> = names.iter().take(NAMED).map(ToString::to_string).collect();
        (some.join(", "), names.len().saturating_sub(NAMED))
    }

    /// Returns the sentence about tables without a primary key, if there are any.
    pub fn keyless_words(&self) -> Option<Text> {
        let (names, more) = Self::some(&self.keyless);
        let count = self.keyless.len();
        (count > 0).then(|| text!("tables-keyless", count = count, names = names, more = more))
    }

    /// Returns the sentence about sequences while all databases write, if there are any.
    pub fn sequence_words(&self) -> Option<Text> {
        let (names, more) = Self::some(&self.sequences);
        let count = self.sequences.len();
        (count > 0).then(|| text!("tables-sequences", count = count, names = names, more = more))
    }

    /// Returns the sentence about tables in memory, if there are any.
    pub fn memory_words(&self) -> Option<Text> {
        let (names, more) = Self::some(&self.memory);
        let count = self.memory.len();
        (count > 0).then(|| text!("tables-memory", count = count, names = names, more = more))
    }
}

/// MariaDB's own schemas: each database has its own, and they are not copied as rows.
pub const OWN_SCHEMAS: [&str; 4] = ["information_schema", "mysql", "performance_schema", "sys"];

/// The one user table that is left out. Each database writes its own row of it every second, so any two looks find
/// different heartbeats; the table says nothing about the site's data.
pub const LEFT_OUT: (&str, &str) = ("cordee", "heartbeat");
