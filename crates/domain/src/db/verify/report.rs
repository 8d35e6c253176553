//! The result of a comparison, table by table.

use serde::{Deserialize, Serialize};

use super::{Difference, NAMED, TableName};
use crate::ids::{Millis, ServerName};
use crate::text;
use crate::text::Text;

/// The result for one table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "lowercase")]
pub enum TableResult {
    /// The rows are the same everywhere.
    Equal {
        /// The number of rows.
        rows: u64,
    },
    /// The rows were proven to differ.
    Differs {
        /// Rows that differ, at most [`SHOWN`](super::SHOWN).
        rows: Vec<Difference>,
        /// Whether there may be more: the table was not read to its end.
        more: bool,
    },
    /// Neither proven equal nor different, and no comparison could tell, because of the table itself.
    Unverifiable {
        /// Why.
        why: Text,
    },
    /// Neither proven equal nor different this time; the next comparison may tell.
    Unsettled {
        /// Why.
        why: Text,
    },
    /// Some databases do not have the table.
    Missing {
        /// Which.
        on: Vec<ServerName>,
    },
    /// The columns or the primary key differ from the reference's.
    Structure {
        /// Where.
        on: Vec<ServerName>,
    },
}

/// One table and its result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checked {
    /// The table.
    pub table: TableName,
    /// The result.
    pub verdict: TableResult,
}

/// One whole verification.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// When it began.
    pub at_start: Millis,
    /// When it ended. It says nothing about later writes.
    pub at_end: Millis,
    /// The database that the others were compared with: the writer.
    pub reference: ServerName,
    /// The others.
    pub others: Vec<ServerName>,
    /// Every user table, by name.
    pub tables: Vec<Checked>,
    /// Rows read on the reference.
    pub rows: u64,
    /// The number of chunks compared.
    pub chunks: u64,
    /// Octets read on the reference; an estimate from the tables' mean row length.
    pub bytes: u64,
}

impl Report {
    /// Reports whether every table was proven equal on at least two databases.
    pub fn equal(&self) -> bool {
        !self.others.is_empty() && self.tables.iter().all(|t| matches!(t.verdict, TableResult::Equal { .. }))
    }

    /// Returns how many tables were proven to differ, in rows, in columns or in existence.
    pub fn different(&self) -> usize {
        self.tables.len() - self.unproven() - self.tables.iter().filter(|t| is_equal(&t.verdict)).count()
    }

    /// Returns the first table that was proven to differ.
    pub fn first_difference(&self) -> Option<&Checked> {
        self.tables.iter().find(|t| !is_equal(&t.verdict) && t.verdict.unproven().is_none())
    }

    /// Returns of how many tables nothing could be proven.
    pub fn unproven(&self) -> usize {
        self.left_out().count()
    }

    /// Returns how many of the unproven tables the next comparison may settle.
    pub fn unsettled(&self) -> usize {
        self.tables.iter().filter(|t| matches!(t.verdict, TableResult::Unsettled { .. })).count()
    }

    /// Returns the tables of which nothing could be proven, each with the reason.
    pub fn left_out(&self) -> impl Iterator<Item = (&TableName, &Text)> {
        self.tables.iter().filter_map(|t| Some((&t.table, t.verdict.unproven()?)))
    }

    /// Names some of the tables of which nothing could be proven, with the reason for the first; `None` when there
    /// is none.
    pub fn left_out_words(&self) -> Option<Text> {
        let (first, why) = self.left_out().next()?;
        let names: Vec<String> = self.left_out().take(NAMED).map(|(table, _)| table.to_string()).collect();
        let (count, more) = (self.unproven(), self.unproven() - names.len());
        let (names, first) = (names.join(", "), first.to_string());
        Some(text!(
            "rows-left-out",
            count = count,
            names = names,
            more = more,
            first = first,
            why = why.clone()
        ))
    }
}

impl TableResult {
    /// Returns why nothing was proven, or `None` if something was.
    pub const fn unproven(&self) -> Option<&Text> {
        match self {
            Self::Unverifiable { why } | Self::Unsettled { why } => Some(why),
            Self::Equal { .. } | Self::Differs { .. } | Self::Missing { .. } | Self::Structure { .. } => None,
        }
    }
}

const fn is_equal(verdict: &TableResult) -> bool {
    matches!(verdict, TableResult::Equal { .. })
}
