//! How a database numbers new rows (`AUTO_INCREMENT`): one after the other while one database writes; where all write,
//! each in steps of [`SLOTS`] from a place of its own.
//!
//! MariaDB keeps both variables for each connection: what is set counts for connections that begin later. So each other
//! connection ends before a second database opens. Meanwhile the step is twice as wide, which the place of this
//! database has room for: whoever looks sees that connections may be left, also after Cordée died in between.

use std::collections::BTreeMap;

use super::DatabaseSeen;
use crate::desired::{Database, Desired, Routing};

/// How many masters the auto-increment sequence leaves room for. An offset above it would be ignored by
/// MariaDB and write into the first server's slots.
pub const SLOTS: u8 = 10;

/// The step between two numbers.
pub const STEP: &str = "auto_increment_increment";
/// The first number.
pub const PLACE: &str = "auto_increment_offset";

/// The step while connections are ended that may number otherwise.
pub const ENDING: u8 = 2 * SLOTS;

/// Step and place for connections that begin now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Numbering {
    /// The step.
    pub step: u64,
    /// The place.
    pub place: u64,
}

/// One after the other.
pub const DENSE: Numbering = Numbering { step: 1, place: 1 };

impl Numbering {
    /// What a database's variables say; nothing while they are not known.
    pub fn of(variables: &BTreeMap<String, String>) -> Option<Self> {
        let number = |name: &str| variables.get(name)?.parse().ok();
        Some(Self { step: number(STEP)?, place: number(PLACE)? })
    }

    /// Where all write: in the place of that database.
    pub fn apart(server: Database<'_>) -> Self {
        Self { step: SLOTS.into(), place: server.slot.into() }
    }

    /// As the routing says.
    pub fn wished(desired: &Desired, server: Database<'_>) -> Self {
        match desired.routing {
            Routing::OneWriter => DENSE,
            Routing::AllWriters => Self::apart(server),
        }
    }

    /// For people.
    pub fn shown(self) -> String {
        format!("{STEP}={}, {PLACE}={}", self.step, self.place)
    }
}

/// How a database was last seen to number new rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Numbered {
    /// The database's id.
    pub id: u32,
    /// So.
    pub numbering: Numbering,
    /// The last number of its own domain in its log when it was first seen to do so: what comes after it is numbered
    /// so, and what came before may not be.
    pub since: u64,
}

impl Numbered {
    /// It was seen to number so, with that number as the last one of its own in its log.
    pub fn seen(before: Option<Self>, id: u32, numbering: Numbering, last: u64) -> Self {
        let same = before.filter(|was| (was.id, was.numbering) == (id, numbering));
        same.unwrap_or(Self { id, numbering, since: last })
    }

    /// The same, if it numbers in the place of that database.
    pub fn apart(self, server: Database<'_>) -> Option<Self> {
        (self.id == server.id && self.numbering == Numbering::apart(server)).then_some(self)
    }
}

/// Whether no connection of that database gives a number that another one's place has room for.
pub fn apart(seen: &DatabaseSeen, server: Database<'_>) -> bool {
    Numbering::of(&seen.variables) == Some(Numbering::apart(server))
}
