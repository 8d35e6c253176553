//! A copy made through statements is not the files. This module lists what such a copy carries differently, and what
//! it cannot carry; all of it is looked up on the donor beforehand and named.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::problem::Problem;
use crate::text;
use crate::text::Text;

use super::mariadb::PACKET;
use super::verify::TableName;
use super::verify::sql::Lossy;

/// What the donor says about a table that is not a view.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kind {
    /// `TABLE_TYPE`.
    pub kind: String,
    /// `ENGINE`.
    pub engine: String,
}

/// What the donor says about its contents.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// Every table that is not a view.
    pub tables: BTreeMap<TableName, Kind>,
    /// Views that the donor itself finds broken.
    pub unsound: Vec<TableName>,
    /// Tables that the donor cannot open.
    pub unreadable: Vec<TableName>,
    /// Columns with values that a dump alters, without generated columns.
    pub lossy: Vec<(TableName, Lossy)>,
    /// Columns of all unique keys, the primary keys included: the key's name, the column, whether only a prefix of
    /// it counts.
    pub keys: Vec<(TableName, String, String, bool)>,
    /// Tables with a trigger on `UPDATE`.
    pub triggers: BTreeSet<TableName>,
    /// Tables that are versioned by transaction ids.
    pub by_transaction: Vec<TableName>,
    /// Scheduled events.
    pub events: Vec<TableName>,
    /// Whether Cordée's account may read the events.
    pub reads_events: bool,
}

impl Load {
    /// Returns, for each table, the columns with values that a dump alters.
    pub fn lossy_columns(&self) -> BTreeMap<TableName, Vec<Lossy>> {
        let mut all: BTreeMap<TableName, Vec<Lossy>> = BTreeMap::new();
        for (table, column) in &self.lossy {
            all.entry(table.clone()).or_default().push(column.clone());
        }
        all
    }
}

/// The peculiarities of a copy made through statements.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Freight {
    /// Broken views: copied as text, still broken.
    pub unsound: Vec<TableName>,
    /// Tables of another engine than `InnoDB`: read at another moment than the rest.
    pub apart: Vec<TableName>,
    /// Scheduled events: copied, and kept from running.
    pub events: Vec<TableName>,
    /// The longest statement that the new database accepts, in octets, if that is too short.
    pub packet: Option<u64>,
    /// Tables with values that a dump alters and that cannot be corrected afterwards.
    pub inexact: Vec<TableName>,
    /// Tables whose history cannot be copied.
    pub by_transaction: Vec<TableName>,
    /// Tables that the donor cannot open.
    pub unreadable: Vec<TableName>,
    /// Whether there are events that Cordée's account may not read.
    pub unread_events: bool,
}

impl Freight {
    /// Derives the peculiarities from what was read. `packet` is the new database's `max_allowed_packet`.
    pub fn of(mut load: Load, packet: Option<u64>) -> Self {
        load.unsound.sort();
        load.by_transaction.sort();
        let inexact: BTreeSet<&TableName> =
            load.lossy.iter().map(|(table, _)| table).filter(|table| !exact(&load, table)).collect();
        let inexact = inexact.into_iter().cloned().collect();
        let apart = |(name, kind): (&TableName, &Kind)| (kind.engine != "InnoDB").then(|| name.clone());
        Self {
            apart: load.tables.iter().filter_map(apart).collect(),
            inexact,
            unsound: load.unsound,
            unread_events: !load.events.is_empty() && !load.reads_events,
            events: load.events,
            packet: packet.filter(|octets| *octets < PACKET),
            by_transaction: load.by_transaction,
            unreadable: load.unreadable,
        }
    }

    /// Returns what is copied differently, one sentence for each kind.
    pub fn words(&self) -> Vec<Text> {
        let mut all = Vec::new();
        let kinds: [Sentence<'_>; 3] = [
            (&self.unsound, |(names, more, count)| {
                text!("freight-views", count = count, names = names, more = more)
            }),
            (&self.apart, |(names, more, count)| {
                text!("freight-apart", count = count, names = names, more = more)
            }),
            (&self.events, |(names, more, count)| {
                text!("freight-events", count = count, names = names, more = more)
            }),
        ];
        all.extend(kinds.into_iter().filter(|(names, _)| !names.is_empty()).map(|(n, say)| say(named(n))));
        if let Some(packet) = self.packet {
            all.push(text!("freight-packet", own = packet.to_string(), wanted = PACKET.to_string()));
        }
        all
    }

    /// Returns what the copy cannot carry: each item is a reason against the copy.
    pub fn problems(&self, donor: &str) -> Vec<Problem> {
        let mut all = Vec::new();
        let kinds: [Sentence<'_>; 3] = [
            (&self.inexact, |(names, more, count)| {
                text!("problem-freight-float", count = count, names = names, more = more)
            }),
            (&self.by_transaction, |(names, more, count)| {
                text!("problem-freight-history", count = count, names = names, more = more)
            }),
            (&self.unreadable, |(names, more, count)| {
                text!("problem-freight-unreadable", count = count, names = names, more = more)
            }),
        ];
        all.extend(kinds.into_iter().filter(|(names, _)| !names.is_empty()).map(|(n, say)| say(named(n))));
        if self.unread_events {
            all.push(text!("problem-freight-events", donor = donor));
        }
        all.into_iter().map(|text| Problem::conflict("", text)).collect()
    }
}

/// Reports whether values that a dump alters can be corrected afterwards, exactly, row by row. That needs a primary
/// key, no such value in any unique key, and no trigger that acts when a row is written.
fn exact(load: &Load, table: &TableName) -> bool {
    let Some(kind) = load.tables.get(table) else { return false };
    let keys = || load.keys.iter().filter(|(of, ..)| of == table);
    let primary = || keys().filter(|(_, key, ..)| key == "PRIMARY");
    let altered = |column: &str| load.lossy.iter().any(|(of, lossy)| of == table && lossy.column == column);
    kind.kind == "BASE TABLE"
        && kind.engine == "InnoDB"
        && primary().next().is_some()
        && !primary().any(|(.., beginning)| *beginning)
        && !keys().any(|(_, _, column, _)| altered(column))
        && !load.triggers.contains(table)
}

/// Tables of one kind, and the sentence about them.
type Sentence<'a> = (&'a [TableName], fn(Named) -> Text);

/// The names of some, how many more, how many in all.
type Named = (String, usize, usize);

/// The number of tables that one sentence names.
const SHOWN: usize = 5;

fn named(all: &[TableName]) -> Named {
    let some: Vec<String> = all.iter().take(SHOWN).map(ToString::to_string).collect();
    (some.join(", "), all.len() - some.len(), all.len())
}

/// The longest excerpt of a program's output that is shown, in characters.
const SAID: usize = 200;

/// Returns what a failed program said last, from the end of its log: preferably an error, as plain text on one line.
pub fn last_words(lines: &[String]) -> Option<String> {
    let plain = |line: &String| line.chars().filter(|c| !c.is_control()).collect::<String>();
    let lines: Vec<String> = lines.iter().map(plain).filter(|l| !l.trim().is_empty()).collect();
    // When the client that writes into the new database has gone, the program that reads the donor complains too;
    // only the client knows why.
    let with = |part: &str| lines.iter().rev().find(|l| l.contains(part));
    let first = lines.iter().rev().find(|l| l.starts_with("ERROR "));
    let found = first.or_else(|| with("[ERROR]")).or_else(|| with("rror")).or_else(|| lines.last())?;
    let said = undated(found.trim());
    let short: String = said.chars().take(SAID).collect();
    Some(if short.len() < said.len() { format!("{short}…") } else { short })
}

/// Removes thread numbers, dates and times from a line, so that the same words twice are one reason.
fn undated(line: &str) -> String {
    let of = |c: char| c.is_ascii_digit() || "[]:-".contains(c);
    let marks = |w: &str| w.matches(['[', ']', ':', '-']).count();
    let stamp = |w: &&str| w.chars().all(of) && marks(w) > 1;
    line.split_whitespace().filter(|word| !stamp(word)).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
