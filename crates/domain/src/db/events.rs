//! Scheduled events: they run on the one writer, and nowhere else.
//!
//! A channel brings each event as one that runs elsewhere (`SLAVESIDE_DISABLED`), whether it was switched on or off
//! where it came from. So what is switched off on the writer is noted in a table that is copied like all others;
//! whoever becomes the writer switches on what came over a channel, but what is noted. Nothing of that is logged: the
//! log holds what people ask for.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::DatabaseSeen;
use super::verify::TableName;
use super::verify::sql::identifier;

/// The variable that lets events run.
pub const SCHEDULER: &str = "event_scheduler";

/// The table of those that are switched off.
pub const NOTES: &str = "event_off";

/// Whether an event runs here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    /// While the scheduler does.
    On,
    /// A person switched it off, or it was to run once and has.
    Off,
    /// It runs elsewhere.
    Elsewhere,
}

impl State {
    /// As MariaDB writes it.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "ENABLED" => Some(Self::On),
            "DISABLED" => Some(Self::Off),
            "SLAVESIDE_DISABLED" => Some(Self::Elsewhere),
            _ => None,
        }
    }

    /// As a statement says it.
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
    /// Whether it runs here.
    pub state: State,
    /// With whose rights: `user@host`.
    pub definer: String,
    /// Character set and collation of the connection that made it: its text is read in these.
    pub words: (String, String),
}

impl Event {
    /// The same in another state.
    fn to(&self, state: State) -> Self {
        Self { state, ..self.clone() }
    }
}

/// The events of one database.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Events {
    /// All.
    pub all: BTreeMap<TableName, Event>,
    /// Those that are noted as switched off.
    pub off: BTreeSet<TableName>,
}

/// What is to be done about one event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Its state, on this database alone.
    Set(TableName, Event),
    /// Note that it is switched off.
    Note(TableName),
    /// It is not any more.
    Strike(TableName),
}

/// Where a database stands, as far as events go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// They run there.
    Runs,
    /// It takes writes, and events with them: what somebody switched on or off there last shows in its states.
    Writes,
    /// It follows.
    Follows,
}

/// What is to be done on a database. `others`: the states on the other databases that take writes;
/// for one that takes writes and does not run them, on the one that does.
pub fn turns(seen: &Events, role: Role, others: &BTreeMap<&TableName, State>) -> Vec<Turn> {
    let mut all = Vec::new();
    let runs = role == Role::Runs;
    for (name, event) in &seen.all {
        let noted = seen.off.contains(name);
        let to = |state| Turn::Set(name.clone(), event.to(state));
        match event.state {
            State::On if role == Role::Follows => all.push(to(State::Elsewhere)),
            // The writer has taken it over: had it been altered here since, the channel would have put the writer's
            // aside.
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

/// The states on databases that take writes. Where one says off and another on, it was to run once, and has.
pub fn states<'a>(all: impl Iterator<Item = &'a Events>) -> BTreeMap<&'a TableName, State> {
    let mut states = BTreeMap::new();
    for (name, event) in all.flat_map(|events| &events.all) {
        if event.state == State::Off || (event.state == State::On && !states.contains_key(name)) {
            states.insert(name, event.state);
        }
    }
    states
}

/// Whether events run there, as far as the scheduler goes; nothing while it is not known, or never can.
pub fn scheduled(seen: &DatabaseSeen) -> Option<bool> {
    match seen.variables.get(SCHEDULER)?.as_str() {
        "ON" => Some(true),
        "OFF" => Some(false),
        _ => None,
    }
}

/// What is said before [`statement`] is carried out, and after it was read: an event would take over these too.
pub fn before(event: &Event) -> Option<String> {
    let plain = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let (set, collation) = (&event.words.0, &event.words.1);
    (plain(set) && plain(collation))
        .then(|| format!("SET SESSION character_set_client={set}, collation_connection={collation}"))
}

/// The statement that sets an event's state. Without its definer it would get the one who says it.
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
