//! External databases: they run whatever Cordée does, and Cordée controls them through SQL only.

use std::collections::BTreeSet;

use super::World;
use super::numbers::set;
use crate::db::ids::DENSE;
use crate::db::{DatabaseSeen, Thread};
use crate::desired::Desired;
use crate::ids::{ProcessId, ServerName};

impl World {
    /// Prepares each external database of the desired state: empty, closed, with its final id.
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

    /// Reports whether a database runs, even if it does not answer.
    pub(super) fn runs(&self, name: &ServerName) -> bool {
        self.guests.contains(name) || self.processes.contains_key(&ProcessId::Database(name.clone()))
    }

    /// Returns all external databases, even those that are no longer in the desired state.
    pub(super) fn guests(&self) -> &BTreeSet<ServerName> {
        &self.guests
    }

    /// A database starts: closed, without semi-sync. What was received and not applied is fetched again (MariaDB
    /// with GTID), and channels wait for Cordée.
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
