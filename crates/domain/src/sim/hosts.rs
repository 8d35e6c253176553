//! What a step does to a process or a folder.

use super::{World, numbers};
use crate::db::{DatabaseSeen, Position};
use crate::desired::{Desired, Membership};
use crate::fault::Fault;
use crate::ids::{PoolId, ProcessId};
use crate::observed::Leader;
use crate::step::{HostStep, Outcome};

impl World {
    pub(super) fn host(&mut self, step: &HostStep, desired: &Desired) -> Outcome {
        match step {
            HostStep::StartProcess { id, server, generation, .. } => {
                let pid = self.next_pid + 1;
                let leader = Leader { pid, server: *server, generation: *generation, frozen: false };
                return self.start(id, leader, desired);
            }
            HostStep::KillProcess { id, .. } => self.die(id),
            HostStep::TrashHome { name } => {
                self.homes.made.remove(name);
                self.initialised.remove(name);
                if !self.guests.contains(name) {
                    self.databases.remove(name);
                }
            }
            HostStep::CopyDatabase { name, id, donor } => {
                let Some(mut copy) = self.databases.get(donor).filter(|_| self.lives(donor)).cloned() else {
                    return Outcome::Failed(Fault::Strange(None));
                };
                copy.server_id = *id;
                copy.read_only = true;
                copy.semi_sync = false;
                copy.channels.clear();
                copy.applied = copy.written.clone();
                copy.written = Position::default();
                // Somebody else's that had the name, and its applications, are none of this one's.
                self.guests.remove(name);
                self.loose.remove(name);
                self.databases.insert(name.clone(), copy);
                self.initialised.insert(name.clone(), *id);
                self.unseeded.insert(name.clone());
                self.homes.enter(name, PoolId::Db, *id);
            }
            HostStep::InitDatabase { name, id } => {
                self.initialised.insert(name.clone(), *id);
                self.homes.enter(name, PoolId::Db, *id);
                let server_id = desired.db.server(name).map_or(0, |s| s.id);
                let fresh = DatabaseSeen { read_only: true, server_id, ..DatabaseSeen::default() };
                self.databases.insert(name.clone(), fresh);
            }
            HostStep::ImportDatabase { name, id, donor } => {
                let donated = self.databases.get(donor).filter(|_| self.lives(donor)).cloned();
                let (Some(donor), true) = (donated, self.lives(name)) else {
                    return Outcome::Failed(Fault::Strange(None));
                };
                let Some(guest) = self.databases.get_mut(name) else {
                    return Outcome::Failed(Fault::Strange(None));
                };
                (guest.applied, guest.schema) = (donor.written, donor.schema);
                self.initialised.insert(name.clone(), *id);
                self.unseeded.insert(name.clone());
                self.homes.enter(name, PoolId::Db, *id);
            }
            // It ends when time passes; what is saved is of no account here.
            HostStep::StopProcess { .. } | HostStep::SaveOwn { .. } => {}
        }
        Outcome::Done
    }

    fn start(&mut self, id: &ProcessId, leader: Leader, desired: &Desired) -> Outcome {
        if self.processes.contains_key(id) {
            return Outcome::Failed(Fault::Strange(None));
        }
        if let ProcessId::Proxy(proxy) = id
            && self.reload(*proxy, None) != Outcome::Done
        {
            return Outcome::Failed(Fault::Strange(None));
        }
        if let ProcessId::Server(name) = id
            && desired.servers().any(|s| s.name == *name && self.taken.contains(&s.port))
        {
            return Outcome::Failed(Fault::Strange(None));
        }
        if let ProcessId::Server(name) = &id
            && let Some(database) = self.databases.get_mut(name)
        {
            numbers::from_file(database, name, desired);
            database.acks = desired.database(name).is_some_and(|s| *s.membership != Membership::Joining);
        }
        if let ProcessId::Server(name) = id {
            let pool = if desired.web.server(name).is_some() { PoolId::Web } else { PoolId::Db };
            self.homes.enter(name, pool, leader.server);
        }
        self.next_pid += 1;
        self.processes.insert(id.clone(), leader);
        Outcome::Done
    }
}
