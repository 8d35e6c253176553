//! Scheduled events: they run on the one writer, and nowhere else.
//!
//! A channel delivers each event as one that runs elsewhere (`SLAVESIDE_DISABLED`), whether it was switched on or
//! off at its origin. So the events that are switched off on the writer are noted in a table that is replicated like
//! any other; a new writer switches on the events that came over a channel, except those in the table. None of these
//! changes is logged: the log holds what people ask for.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::DatabaseSeen;
use super::verify::TableName;
use super::verify::sql::identifier;

/// The variable that lets events run.
pub const SCHEDULER: &str = "event_scheduler";

/// The table of the events that are switched off.
pub const NOTES: &str = "event_off";

/// Whether an event runs on a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    /// It runs while the scheduler runs.
    On,
    /// A person switched it off, or it was due once and has run.
    Off,
    /// It runs elsewhere.
    Elsewhere,
}

impl State {
    /// Parses the state as MariaDB writes it.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "ENABLED" => Some(Self::On),
            "DISABLED" => Some(Self::Off),
            "SLAVESIDE_DISABLED" => Some(Self::Elsewhere),
            _ => None,
        }
    }

    /// Returns the state as a statement writes it.
    const fn words(self) -> &'static str {
        match self {
            Self::On => "ENABLE",
            Self::Off => "DISABLE",
            Self::Elsewhere => "DISABLE ON SLAVE",
        }
    }
}

/// One event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Whether the event runs on this database.
    pub state: State,
    /// The account with whose rights it runs: `user@host`.
    pub definer: String,
    /// Character set and collation of the connection that created it: its text is read in these.
    pub words: (String, String),
}

impl Event {
    /// Returns the same event in another state.
    fn to(&self, state: State) -> Self {
        Self { state, ..self.clone() }
    }
}

/// The events of one database.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Events {
    /// All events.
    pub all: BTreeMap<TableName, Event>,
    /// The events that are noted as switched off.
    pub off: BTreeSet<TableName>,
}

/// A change to make for one event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Set its state, on this database only.
    Set(TableName, Event),
    /// Note that the event is switched off.
    Note(TableName),
    /// Remove that note.
    Strike(TableName),
}

/// The role of a database with regard to events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Events run there.
    Runs,
    /// The database accepts writes, also those to events: its states show what somebody last switched on or off
    /// there.
    Writes,
    /// The database only replicates.
    Follows,
}

/// Returns the changes to make on a database. `others` holds the states on the other databases that take writes; for
/// a database that takes writes and does not run the events, the states on the one that runs them.
pub fn turns(seen: &Events, role: Role, others: &BTreeMap<&TableName, State>) -> Vec<Turn> {
    let mut all = Vec::new();
    let runs = role == Role::Runs;
    for (name, event) in &seen.all {
        let noted = seen.off.contains(name);
        let to = |state| Turn::Set(name.clone(), event.to(state));
        match event.state {
            State::On if role == Role::Follows => all.push(to(State::Elsewhere)),
            // The writer has taken over this state: if the event had been altered here since, the channel would have
            // set the writer's event to `SLAVESIDE_DISABLED`, and `others` would not have it.
            State::On if role == Role::Writes && others.contains_key(name) => all.push(to(State::Elsewhere)),
            State::Elsewhere if runs => {
                let here = if noted { State::Off } else { State::On };
                all.push(to(others.get(name).copied().unwrap_or(here)));
            }
            State::Off if runs && !noted => all.push(Turn::Note(name.clone())),
            State::On if runs && noted => all.push(Turn::Strike(name.clone())),
            _ => {}
        }
    }
    let gone = seen.off.iter().filter(|name| runs && !seen.all.contains_key(name));
    all.extend(gone.map(|name| Turn::Strike(name.clone())));
    all
}

/// Combines the states on databases that take writes. If one says off and another on, the event was due once and has
/// run.
pub fn states<'a>(all: impl Iterator<Item = &'a Events>) -> BTreeMap<&'a TableName, State> {
    let mut states = BTreeMap::new();
    for (name, event) in all.flat_map(|events| &events.all) {
        if event.state == State::Off || (event.state == State::On && !states.contains_key(name)) {
            states.insert(name, event.state);
        }
    }
    states
}

/// Reports whether the scheduler is on; `None` while that is unknown, or if the scheduler is disabled for good.
pub fn scheduled(seen: &DatabaseSeen) -> Option<bool> {
    match seen.variables.get(SCHEDULER)?.as_str() {
        "ON" => Some(true),
        "OFF" => Some(false),
        _ => None,
    }
}

/// Returns the statement to run before [`statement`], and after the event's state was read: an `ALTER EVENT` would
/// also take over the session's character set and collation.
pub fn before(event: &Event) -> Option<String> {
    let plain = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let (set, collation) = (&event.words.0, &event.words.1);
    (plain(set) && plain(collation))
        .then(|| format!("SET SESSION character_set_client={set}, collation_connection={collation}"))
}

/// Returns the statement that sets an event's state. Without its definer the event would get the account that runs
/// it.
pub fn statement(name: &TableName, event: &Event) -> String {
    let (user, host) = event.definer.rsplit_once('@').unwrap_or((&event.definer, ""));
    format!(
        "ALTER DEFINER={}@{} EVENT {}.{} {}",
        identifier(user),
        identifier(host),
        identifier(&name.schema),
        identifier(&name.table),
        event.state.words()
    )
}

#[cfg(test)]
mod tests;
