//! A copy through statements is not the files. What it carries otherwise than the rest, and what it cannot carry: all
//! of it is seen on the donor beforehand, and named.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::problem::Problem;
use crate::text;
use crate::text::Text;

use super::mariadb::PACKET;
use super::verify::TableName;
use super::verify::sql::Lossy;

/// What is seen on the donor of a table that is no view.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kind {
    /// `TABLE_TYPE`.
    pub kind: String,
    /// `ENGINE`.
    pub engine: String,
}

/// What is seen on the donor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// Every table that is no view.
    pub tables: BTreeMap<TableName, Kind>,
    /// Views that the donor itself finds broken.
    pub unsound: Vec<TableName>,
    /// Tables that the donor cannot open.
    pub unreadable: Vec<TableName>,
    /// Columns with values that a dump alters; those that are computed do not count.
    pub lossy: Vec<(TableName, Lossy)>,
    /// Columns of all unique keys, the primary ones too: the key's name, the column, whether only its beginning counts.
    pub keys: Vec<(TableName, String, String, bool)>,
    /// Tables with a trigger on `UPDATE`.
    pub triggers: BTreeSet<TableName>,
    /// Tables whose rows are versioned by transactions.
    pub by_transaction: Vec<TableName>,
    /// Scheduled events.
    pub events: Vec<TableName>,
    /// Whether Cordée's account may read these.
    pub reads_events: bool,
}

impl Load {
    /// The columns of each table with values that a dump alters.
    pub fn lossy_columns(&self) -> BTreeMap<TableName, Vec<Lossy>> {
        let mut all: BTreeMap<TableName, Vec<Lossy>> = BTreeMap::new();
        for (table, column) in &self.lossy {
            all.entry(table.clone()).or_default().push(column.clone());
        }
        all
    }
}

/// What a copy through statements meets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Freight {
    /// Broken views: carried by their texts, as broken as they are.
    pub unsound: Vec<TableName>,
    /// Tables of another engine than `InnoDB`: read at another moment than the rest.
    pub apart: Vec<TableName>,
    /// Scheduled events: carried, and kept from running.
    pub events: Vec<TableName>,
    /// The longest statement that the new one takes, in octets, where that is too short.
    pub packet: Option<u64>,
    /// Tables with values that a dump alters and that cannot be written again.
    pub inexact: Vec<TableName>,
    /// Tables whose history cannot be carried.
    pub by_transaction: Vec<TableName>,
    /// Tables that the donor cannot open.
    pub unreadable: Vec<TableName>,
    /// There are events that Cordée's account may not read.
    pub unread_events: bool,
}

impl Freight {
    /// What follows from what was seen. `packet` is the new one's `max_allowed_packet`.
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

    /// What is carried otherwise than the rest, one sentence for each kind.
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

    /// What the copy cannot carry: each is a reason against it.
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

/// What a dump alters is written again afterwards, exactly, row by row: that needs a key in which there is no
/// such value, and nothing that acts when a row is written.
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

/// Tables of one kind, and what is said of them.
type Sentence<'a> = (&'a [TableName], fn(Named) -> Text);

/// Names of some, how many more, how many in all.
type Named = (String, usize, usize);

/// Tables that one sentence names.
const SHOWN: usize = 5;

fn named(all: &[TableName]) -> Named {
    let some: Vec<String> = all.iter().take(SHOWN).map(ToString::to_string).collect();
    (some.join(", "), all.len() - some.len(), all.len())
}

/// The longest piece of a program's words that is shown, in characters.
const SAID: usize = 200;

/// What a program that failed said last, of the end of its log: an error before anything else, as plain text of one
/// line.
pub fn last_words(lines: &[String]) -> Option<String> {
    let plain = |line: &String| line.chars().filter(|c| !c.is_control()).collect::<String>();
    let lines: Vec<String> = lines.iter().map(plain).filter(|l| !l.trim().is_empty()).collect();
    // The one that reads complains too when the one that writes has gone: that one knows why.
    let with = |part: &str| lines.iter().rev().find(|l| l.contains(part));
    let first = lines.iter().rev().find(|l| l.starts_with("ERROR "));
    let found = first.or_else(|| with("[ERROR]")).or_else(|| with("rror")).or_else(|| lines.last())?;
    let said = undated(found.trim());
    let short: String = said.chars().take(SAID).collect();
    Some(if short.len() < said.len() { format!("{short}…") } else { short })
}

/// A line without numbers of threads, dates and times: the same words twice are one reason.
fn undated(line: &str) -> String {
    let of = |c: char| c.is_ascii_digit() || "[]:-".contains(c);
    let marks = |w: &str| w.matches(['[', ']', ':', '-']).count();
    let stamp = |w: &&str| w.chars().all(of) && marks(w) > 1;
    line.split_whitespace().filter(|word| !stamp(word)).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
