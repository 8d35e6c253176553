//! How a database numbers new rows (`AUTO_INCREMENT`): consecutively while one database writes; while all write,
//! each database in steps of [`SLOTS`] from an offset of its own.
//!
//! MariaDB keeps both variables per connection: a new value counts only for connections that begin later. So all
//! other connections are ended before a second database opens. Meanwhile the step is twice as wide, which keeps the
//! numbers within this database's slot, and shows that such connections may be left, even after Cordée died in
//! between.

use std::collections::BTreeMap;

use super::DatabaseSeen;
use crate::desired::{Database, Desired, Routing};

/// The number of masters that the auto-increment sequence has room for. MariaDB would ignore a greater offset and
/// write into the first server's slot.
pub const SLOTS: u8 = 10;

/// The variable for the step between two numbers.
pub const STEP: &str = "auto_increment_increment";
/// The variable for the first number.
pub const PLACE: &str = "auto_increment_offset";

/// The step while connections that may number differently are being ended.
pub const ENDING: u8 = 2 * SLOTS;

/// Step and offset for new connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Numbering {
    /// The step.
    pub step: u64,
    /// The offset.
    pub place: u64,
}

/// Consecutive numbers.
pub const DENSE: Numbering = Numbering { step: 1, place: 1 };

impl Numbering {
    /// Reads a database's variables; `None` while they are not known.
    pub fn of(variables: &BTreeMap<String, String>) -> Option<Self> {
        let number = |name: &str| variables.get(name)?.parse().ok();
        Some(Self { step: number(STEP)?, place: number(PLACE)? })
    }

    /// Returns the numbering while all databases write: in that database's own slot.
    pub fn apart(server: Database<'_>) -> Self {
        Self { step: SLOTS.into(), place: server.slot.into() }
    }

    /// Returns the numbering that the routing asks for.
    pub fn wished(desired: &Desired, server: Database<'_>) -> Self {
        match desired.routing {
            Routing::OneWriter => DENSE,
            Routing::AllWriters => Self::apart(server),
        }
    }

    /// Returns a text for people.
    pub fn shown(self) -> String {
        format!("{STEP}={}, {PLACE}={}", self.step, self.place)
    }
}

/// How a database was last seen to number new rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Numbered {
    /// The database's id.
    pub id: u32,
    /// Step and offset.
    pub numbering: Numbering,
    /// The last number of the database's own domain in its log when this numbering was first seen: later rows are
    /// numbered this way, and earlier ones may not be.
    pub since: u64,
}

impl Numbered {
    /// Records that the database was seen with this numbering, with `last` as the last number of its own domain in
    /// its log.
    pub fn seen(before: Option<Self>, id: u32, numbering: Numbering, last: u64) -> Self {
        let same = before.filter(|was| (was.id, was.numbering) == (id, numbering));
        same.unwrap_or(Self { id, numbering, since: last })
    }

    /// Returns the record if the database numbers in its own slot.
    pub fn apart(self, server: Database<'_>) -> Option<Self> {
        (self.id == server.id && self.numbering == Numbering::apart(server)).then_some(self)
    }
}

/// Reports whether no connection of that database assigns a number from another database's slot.
pub fn apart(seen: &DatabaseSeen, server: Database<'_>) -> bool {
    Numbering::of(&seen.variables) == Some(Numbering::apart(server))
}
