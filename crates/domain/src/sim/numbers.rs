//! How the databases of the simulated world number new rows, and the connections that applications keep.

use std::collections::BTreeMap;

use super::World;
use crate::db::DatabaseSeen;
use crate::db::ids::{DENSE, Numbering, PLACE, STEP, apart};
use crate::desired::{Desired, Membership, Routing};
use crate::ids::ServerName;

impl World {
    /// Returns the databases that could assign a number which another open database assigns too, or which belongs to
    /// a row that has not arrived yet from a member.
    pub fn clashing(&self, desired: &Desired) -> Vec<ServerName> {
        let open = self.open();
        let own = |n: &ServerName| {
            let server = desired.database(n);
            server.zip(self.databases.get(n)).is_some_and(|(s, d)| apart(d, s)) && !self.loose.contains(n)
        };
        let to_come = |n: &ServerName| {
            let there = |id| self.databases.get(n).map_or(0, |d| d.holds(id));
            let mut others = desired.databases().filter(|s| s.name != *n);
            others.any(|s| {
                matches!(s.membership, Membership::Member | Membership::Leaving)
                    && self.dense.get(&s.id).is_some_and(|last| *last > there(s.id))
            })
        };
        let several = open.len() > 1;
        let beside = |n: &ServerName| desired.routing == Routing::AllWriters && !desired.is_writer(n);
        let clashes = |n: &ServerName| (several && !own(n)) || ((several || beside(n)) && to_come(n));
        open.into_iter().filter(clashes).collect()
    }

    /// Applications connect, and keep their connections.
    pub(super) fn connect(&mut self, desired: &Desired) {
        for (name, database) in &self.databases {
            let own = desired.database(name).is_some_and(|s| apart(database, s));
            if !own && self.lives(name) {
                self.loose.insert(name.clone());
            }
        }
    }
}

/// Reports whether rows are numbered consecutively, so that another database's next number is among them.
pub(super) fn dense(variables: &BTreeMap<String, String>) -> bool {
    Numbering::of(variables).is_none_or(|is| is.step == DENSE.step)
}

pub(super) fn set(database: &mut DatabaseSeen, to: Numbering) {
    database.variables.insert(STEP.to_owned(), to.step.to_string());
    database.variables.insert(PLACE.to_owned(), to.place.to_string());
}

/// Sets the numbering from the file that Cordée writes before each start.
pub(super) fn from_file(database: &mut DatabaseSeen, name: &ServerName, desired: &Desired) {
    set(database, desired.database(name).map_or(DENSE, |server| Numbering::wished(desired, server)));
}
