//! Databases of somebody else: they run whatever Cordée does, and are run through SQL.

use std::collections::BTreeSet;

use super::World;
use super::numbers::set;
use crate::db::ids::DENSE;
use crate::db::{DatabaseSeen, Thread};
use crate::desired::Desired;
use crate::ids::{ProcessId, ServerName};

impl World {
    /// Somebody prepares each external database that is wished: empty, closed, under the id that it is to have.
    pub fn prepare(&mut self, desired: &Desired) {
        for server in desired.db.servers.iter().filter(|s| !s.is_ours()) {
            let there = self.databases.get(&server.name).is_some_and(|d| d.server_id == server.id);
            if there && self.guests.contains(&server.name) {
                continue;
            }
            let mut fresh = DatabaseSeen { read_only: true, server_id: server.id, ..DatabaseSeen::default() };
            set(&mut fresh, DENSE);
            self.databases.insert(server.name.clone(), fresh);
            self.guests.insert(server.name.clone());
        }
    }

    /// Whether a database runs, whether it answers or not.
    pub(super) fn runs(&self, name: &ServerName) -> bool {
        self.guests.contains(name) || self.processes.contains_key(&ProcessId::Database(name.clone()))
    }

    /// All databases of somebody else, wished or not any more.
    pub(super) fn guests(&self) -> &BTreeSet<ServerName> {
        &self.guests
    }

    /// A database starts: closed, without semi-sync. What was received and not applied is fetched again (MariaDB with
    /// GTID), and channels wait for Cordée.
    pub(super) fn comes_up(&mut self, name: &ServerName) {
        self.loose.remove(name);
        let Some(database) = self.databases.get_mut(name) else { return };
        database.read_only = true;
        database.semi_sync = false;
        for channel in database.channels.values_mut() {
            channel.receiving = Thread::Stopped;
            channel.applying = false;
            channel.received = database.applied.clone();
        }
    }
}
