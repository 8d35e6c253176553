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
        self.note_shared(step);
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
                // The external database that had the name, and its applications, do not belong to this one.
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
            // The process ends when time passes; saved transactions are not simulated.
            HostStep::StopProcess { .. } | HostStep::SaveOwn { .. } => {}
        }
        Outcome::Done
    }

    /// Records a step that starts something under a name, or fills or removes its folder, while a process of that
    /// name is alive. That process, of either kind, uses the folder, and perhaps the port.
    fn note_shared(&mut self, step: &HostStep) {
        let name = match step {
            HostStep::StartProcess { id, .. } => id.server(),
            HostStep::TrashHome { name }
            | HostStep::InitDatabase { name, .. }
            | HostStep::CopyDatabase { name, .. }
            | HostStep::ImportDatabase { name, .. } => Some(name),
            HostStep::StopProcess { .. } | HostStep::KillProcess { .. } | HostStep::SaveOwn { .. } => None,
        };
        let Some(name) = name else { return };
        let lives = |pool| self.processes.contains_key(&ProcessId::of(pool, name.clone()));
        if PoolId::ALL.into_iter().any(lives) {
            self.homes.share(format!("{step:?} while a process of that name lives"));
        }
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
        if desired.servers().any(|s| s.runs_as(id) && self.taken.contains(&s.port)) {
            return Outcome::Failed(Fault::Strange(None));
        }
        if let ProcessId::Database(name) = id
            && let Some(database) = self.databases.get_mut(name)
        {
            numbers::from_file(database, name, desired);
            database.acks = desired.database(name).is_some_and(|s| *s.membership != Membership::Joining);
        }
        match id {
            ProcessId::Proxy(_) => {}
            ProcessId::Web(name) => self.homes.enter(name, PoolId::Web, leader.server),
            ProcessId::Database(name) => self.homes.enter(name, PoolId::Db, leader.server),
        }
        self.next_pid += 1;
        self.processes.insert(id.clone(), leader);
        Outcome::Done
    }
}
