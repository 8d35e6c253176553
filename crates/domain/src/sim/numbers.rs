//! How the databases of the simulated world number new rows, and the connections that applications keep.

use super::World;
use crate::db::DatabaseSeen;
use crate::db::ids::{DENSE, Numbering, PLACE, STEP, apart};
use crate::desired::Desired;
use crate::ids::ServerName;

impl World {
    /// Databases that could give a number which another open one gives too.
    pub fn clashing(&self, desired: &Desired) -> Vec<ServerName> {
        let open = self.open();
        let own = |n: &ServerName| {
            let server = desired.db.server(n);
            server.zip(self.databases.get(n)).is_some_and(|(s, d)| apart(d, s)) && !self.loose.contains(n)
        };
        if open.len() > 1 { open.into_iter().filter(|n| !own(n)).collect() } else { Vec::new() }
    }

    /// Applications connect, and keep their connections.
    pub(super) fn connect(&mut self, desired: &Desired) {
        for (name, database) in &self.databases {
            let own = desired.db.server(name).is_some_and(|s| apart(database, s));
            if !own && self.lives(name) {
                self.loose.insert(name.clone());
            }
        }
    }
}

pub(super) fn set(database: &mut DatabaseSeen, to: Numbering) {
    database.variables.insert(STEP.to_owned(), to.step.to_string());
    database.variables.insert(PLACE.to_owned(), to.place.to_string());
}

/// As the file says that Cordée writes before each start.
pub(super) fn from_file(database: &mut DatabaseSeen, name: &ServerName, desired: &Desired) {
    set(database, desired.db.server(name).map_or(DENSE, |server| Numbering::wished(desired, server)));
}
