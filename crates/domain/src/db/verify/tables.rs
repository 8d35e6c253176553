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
    /// Computed when it is read. Nothing of it is stored, so there is nothing that could differ but its sources.
    pub fn is_virtual(&self) -> bool {
        self.extra.to_ascii_uppercase().contains("VIRTUAL GENERATED")
    }
}

/// One column of a primary key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Its name.
    pub column: String,
    /// Only its beginning is in the key (`SUB_PART`).
    pub prefix: bool,
}

/// A table as `information_schema` describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// `TABLE_TYPE`: `BASE TABLE`, `SEQUENCE`, `SYSTEM VERSIONED`.
    pub kind: String,
    /// `ENGINE`; absent when the database cannot open the table.
    pub engine: Option<String>,
    /// The columns in their order: replication by rows goes by it.
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

/// The tables of applications that need a word: what is special about them can be seen beforehand.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OddTables {
    /// How many tables there are in all.
    pub all: u64,
    /// Those without a primary key: their rows cannot be told apart, so they are neither compared nor repaired.
    pub keyless: Vec<TableName>,
    /// Those in memory: a database that restarts has lost their rows.
    pub memory: Vec<TableName>,
    /// How many have a unique key besides the primary one.
    #[serde(default)]
    pub unique: u64,
    /// Sequences that give the same numbers on each database: those with a step of their own.
    #[serde(default)]
    pub sequences: Vec<TableName>,
}

impl OddTables {
    /// The names of a few, and how many more there are.
    fn some(names: &[TableName]) -> (String, usize) {
        let some: Vec<String> = names.iter().take(NAMED).map(ToString::to_string).collect();
        (some.join(", "), names.len().saturating_sub(NAMED))
    }

    /// What is said of those without a primary key, if there are any.
    pub fn keyless_words(&self) -> Option<Text> {
        let (names, more) = Self::some(&self.keyless);
        let count = self.keyless.len();
        (count > 0).then(|| text!("tables-keyless", count = count, names = names, more = more))
    }

    /// What is said of sequences where all write, if there are any.
    pub fn sequence_words(&self) -> Option<Text> {
        let (names, more) = Self::some(&self.sequences);
        let count = self.sequences.len();
        (count > 0).then(|| text!("tables-sequences", count = count, names = names, more = more))
    }

    /// What is said of those in memory, if there are any.
    pub fn memory_words(&self) -> Option<Text> {
        let (names, more) = Self::some(&self.memory);
        let count = self.memory.len();
        (count > 0).then(|| text!("tables-memory", count = count, names = names, more = more))
    }
}

/// Schemas of the database itself: each has its own, and they are not copied as rows.
pub const OWN_SCHEMAS: [&str; 4] = ["information_schema", "mysql", "performance_schema", "sys"];

/// The one user table that is left out. Each database writes its own row of it every second, so any look at two
/// databases finds different beats; it says nothing about the site's data.
pub const LEFT_OUT: (&str, &str) = ("cordee", "heartbeat");
