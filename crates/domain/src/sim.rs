//! A simulated world for the property tests: two HAProxy instances that read the rendered files, processes that die,
//! databases that open and close. It knows nothing of the planner; [`crate::check`] judges the results.

// A new step must be handled wherever steps are told apart.
#![warn(clippy::wildcard_enum_match_arm)]

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

use crate::db::failover::promise;
use crate::db::verify::Report;
use crate::db::{DatabaseSeen, Thread};
use crate::desired::{Desired, Server};
use crate::fault::Fault;
use crate::haproxy::stats::{Check, CheckState, Running, RunningServer};
use crate::ids::{Host, Millis, PoolId, ProcessId, ServerName};
use crate::observed::{Comparison, Leader, Meddling, Observed, Port};
use crate::scene::Scene;
use crate::seen::Seen;
use crate::sessions::Mode;
use crate::step::{HostStep, Outcome, ProxyStep, RowsStep, SqlStep, Step};

mod channels;
mod guests;
mod homes;
mod hosts;
mod numbers;
mod proxies;

use homes::Homes;
pub use proxies::Hand;
use proxies::{Worker, running};

/// The simulated world, whatever Cordée knows of it.
#[derive(Debug, Default)]
pub struct World {
    /// The present time.
    pub now: Millis,
    /// The files of the HAProxy instances.
    files: BTreeMap<PoolId, String>,
    /// The file of the session mode, and the mode that the running HAProxy `web` reports.
    map: Option<Mode>,
    mode: Option<Mode>,
    /// The servers of the running HAProxy instances, with the shape that they were started from.
    tables: BTreeMap<PoolId, (String, BTreeMap<ServerName, RunningServer>)>,
    /// The other state of each running worker.
    workers: BTreeMap<PoolId, Worker>,
    /// The last step on each HAProxy instance, until it was looked at again.
    stepped: RefCell<BTreeMap<PoolId, (ProxyStep, Outcome)>>,
    /// What the looks revealed about somebody else's changes.
    told: RefCell<Vec<Meddling>>,
    /// The processes that are alive.
    processes: BTreeMap<ProcessId, Leader>,
    /// Processes that ignore TERM.
    pub stubborn: BTreeSet<ProcessId>,
    /// Addresses that accept and never answer.
    pub silent: BTreeSet<SocketAddr>,
    /// Milliseconds until HAProxy `web` checks a server that was added, put back in service, or found in its file.
    pub check_after: u64,
    /// When that check is due.
    due: BTreeMap<ServerName, Millis>,
    /// What every host name resolves to, if not to 10.0.0.9.
    pub name: Option<IpAddr>,
    /// Ports on which another program listens.
    pub taken: BTreeSet<u16>,
    /// Whether Cordée cannot see who listens.
    pub blind: bool,
    /// Whether HAProxy refuses `add server`.
    pub refuses_add: bool,
    /// Processes that are stopped by a signal.
    pub frozen: BTreeSet<ProcessId>,
    databases: BTreeMap<ServerName, DatabaseSeen>,
    /// Databases on which an application has a connection that numbers rows outside that database's slot.
    loose: BTreeSet<ServerName>,
    /// The last write of each domain whose row number may be in any database's slot.
    dense: BTreeMap<u32, u64>,
    /// The last write of each domain that was acknowledged to an application.
    pub acknowledged: BTreeMap<u32, u64>,
    /// External databases, which run whatever Cordée does.
    guests: BTreeSet<ServerName>,
    initialised: BTreeMap<ServerName, u32>,
    unseeded: BTreeSet<ServerName>,
    homes: Homes,
    next_pid: u32,
}

impl World {
    /// Creates an empty world at that time.
    pub fn at(now: Millis) -> Self {
        Self { now, ..Self::default() }
    }

    /// Updates `memory` with everything that can be seen; `memory`'s own part (pauses and failures) is kept.
    pub fn look(&self, memory: &mut Observed, desired: &Desired) {
        for pool in PoolId::ALL {
            let seen = memory.proxies.entry(pool).or_default();
            seen.file = self.files.get(&pool).cloned();
            seen.map = self.map.filter(|_| pool == PoolId::Web).map(Mode::map);
            let mode = self.mode.filter(|_| pool == PoolId::Web);
            let step = self.stepped.borrow_mut().remove(&pool);
            let (Some((shape, servers)), Some(worker)) = (self.tables.get(&pool), self.workers.get(&pool))
            else {
                seen.ended();
                continue;
            };
            let running = Running { mode, ..running(shape, servers, worker) };
            let frozen = self.frozen.contains(&ProcessId::Proxy(pool));
            let answer = if frozen { Err(Fault::NoSocket(None)) } else { Ok(running) };
            let told = seen.see(pool, self.now, answer, step.as_ref().map(|(step, outcome)| (step, outcome)));
            self.told.borrow_mut().extend(told);
        }
        let servers = desired.servers().map(Server::process);
        let ids: BTreeSet<ProcessId> =
            memory.processes.keys().chain(self.processes.keys()).cloned().chain(servers).collect();
        for id in ids {
            let seen = memory.processes.entry(id.clone()).or_default();
            seen.port = self.port(&id, desired);
            let before = seen.leader.take();
            seen.leader = self.processes.get(&id).cloned();
            if let Some(leader) = &mut seen.leader {
                leader.frozen = self.frozen.contains(&id);
                seen.frozen_since = leader.frozen.then(|| seen.frozen_since.unwrap_or(self.now));
                seen.ended_at = None;
                continue;
            }
            seen.stopping_since = None;
            if before.is_some() {
                seen.ended_at = Some(self.now);
            }
        }
        let before = std::mem::take(&mut memory.databases);
        for name in self.databases.keys() {
            let id = ProcessId::Database(name.clone());
            if self.frozen.contains(&id) {
                let last = before.get(name).and_then(Seen::last);
                memory.databases.insert(name.clone(), Seen::Failed { last, why: Fault::Silent });
            } else if self.runs(name) {
                memory.see_database(name, self.now, Ok(self.database_look(name)));
            } else {
                memory.open.remove(name);
            }
        }
        memory.promise = promise(Scene::new(desired, memory, self.now));
        memory.initialised.clone_from(&self.initialised);
        memory.unseeded.clone_from(&self.unseeded);
        memory.homes.clone_from(&self.homes.made);
        for server in desired.servers() {
            if let Host::Name(name) = &server.host {
                memory
                    .names
                    .insert(name.clone(), Seen::At(self.now, self.name.unwrap_or([10, 0, 0, 9].into())));
            }
        }
    }

    /// Returns who listens on a server's port.
    fn port(&self, id: &ProcessId, desired: &Desired) -> Port {
        if id.server().is_none() {
            return Port::Unknown;
        }
        let wished = desired.servers().find(|s| s.runs_as(id));
        match wished {
            _ if self.blind => Port::Unknown,
            Some(s) if self.taken.contains(&s.port) => Port::Foreign("nobody".to_owned()),
            Some(_) if self.processes.contains_key(id) => Port::Ours,
            Some(_) => Port::Free,
            None => Port::Unknown,
        }
    }

    /// Returns the answer of one database.
    fn database_look(&self, name: &ServerName) -> DatabaseSeen {
        let mut seen = self.databases.get(name).cloned().unwrap_or_default();
        for (from, channel) in &mut seen.channels {
            if channel.receiving == Thread::Running && !self.lives(from) {
                channel.receiving = Thread::Connecting;
            }
            channel.heard_at = Some(self.now);
        }
        seen.acknowledging =
            if seen.semi_sync { u32::try_from(self.followers(name)).unwrap_or(0) } else { 0 };
        seen.in_force = seen.semi_sync && seen.acknowledging > 0;
        seen
    }

    fn lives(&self, name: &ServerName) -> bool {
        self.runs(name) && !self.frozen.contains(&ProcessId::Database(name.clone()))
    }

    /// Returns how many databases receive from that one now.
    fn followers(&self, name: &ServerName) -> usize {
        let follows = |d: &DatabaseSeen| d.channels.get(name).is_some_and(|l| l.receiving == Thread::Running);
        self.databases.iter().filter(|(on, d)| self.lives(on) && follows(d)).count()
    }

    /// Moves rows along the channels; then applications write and get their acknowledgement: at once without
    /// semi-sync, else after an ACK.
    fn replicate(&mut self) {
        let names: Vec<ServerName> = self.databases.keys().cloned().collect();
        let travel = |world: &mut Self| {
            for on in names.iter().filter(|n| world.lives(n)).cloned().collect::<Vec<_>>() {
                for from in &names {
                    let source = world.databases.get(from).filter(|_| world.lives(from)).cloned();
                    let Some(target) = world.databases.get_mut(&on) else { continue };
                    let Some(channel) = target.channels.get_mut(from) else { continue };
                    if let Some(source) = source.filter(|_| channel.receiving == Thread::Running) {
                        for domain in source.written.0.keys() {
                            channel.received.0.insert(*domain, source.written.last(*domain));
                        }
                    }
                    if channel.applying {
                        for (domain, last) in channel.received.0.clone() {
                            for position in [&mut target.applied, &mut target.written] {
                                let known = position.0.entry(domain).or_insert(0);
                                *known = last.max(*known);
                            }
                        }
                    }
                }
            }
        };
        travel(self);
        for name in &names {
            if !self.lives(name) || self.databases.get(name).is_none_or(|d| d.read_only) {
                continue;
            }
            let received = self.followers(name) > 0;
            let Some(database) = self.databases.get_mut(name) else { continue };
            let id = database.server_id;
            let last = database.written.0.entry(id).or_insert(0);
            *last += 1;
            self.acknowledged.insert(id, *last);
            if self.loose.contains(name) || numbers::dense(&database.variables) {
                self.dense.insert(id, *last);
            }
            if database.semi_sync && received {
                for follower in self.databases.values_mut() {
                    if let Some(channel) = follower.channels.get_mut(name)
                        && channel.receiving == Thread::Running
                    {
                        channel.received.0.insert(id, self.acknowledged[&id]);
                    }
                }
            }
        }
    }

    /// Returns the databases that would accept a write, whether Cordée can see it or not.
    pub fn open(&self) -> Vec<ServerName> {
        self.databases.iter().filter(|(n, d)| self.runs(n) && !d.read_only).map(|(n, _)| n.clone()).collect()
    }

    /// Returns how many acknowledged writes a database does not hold.
    pub fn missing(&self, name: &ServerName) -> u64 {
        let Some(database) = self.databases.get(name) else { return 0 };
        self.acknowledged.iter().map(|(d, last)| last.saturating_sub(database.holds(*d))).sum()
    }

    /// Lets time pass: checks run, and processes that were asked to end do so.
    pub fn pass(&mut self, memory: &Observed, milliseconds: u64) {
        self.now += milliseconds;
        self.replicate();
        for (id, seen) in &memory.processes {
            if seen.stopping_since.is_some() && !self.stubborn.contains(id) {
                self.die(id);
            }
        }
        let answering: BTreeSet<ProcessId> = self.alive().into_iter().collect();
        let known = self.homes.made.clone();
        let (due, now) = (&self.due, self.now);
        for (pool, (_, servers)) in &mut self.tables {
            let checked =
                |name: &ServerName| *pool == PoolId::Db || due.get(name).is_none_or(|at| now >= *at);
            for (name, server) in servers.iter_mut().filter(|(n, s)| !s.maintenance && checked(n)) {
                let address = server.ip.map(|ip| SocketAddr::new(ip, server.port));
                let silent = address.is_some_and(|a| self.silent.contains(&a));
                // A server with a folder here is Cordée's own and answers while its process is alive; any other
                // server is external, even if a removed server left a folder of that name.
                let here = address.is_none_or(|a| a.ip().is_loopback()) && known.contains_key(name);
                let well = !silent && (answering.contains(&ProcessId::of(*pool, name.clone())) || !here);
                server.verdict = if well { CheckState::Up } else { CheckState::Down };
                let code = if well { "L7OK" } else { "L4CON" };
                server.check = Check { code: code.to_owned(), ..Check::default() };
            }
        }
    }

    /// Ends a process, whatever the reason.
    pub fn die(&mut self, id: &ProcessId) {
        self.processes.remove(id);
        self.frozen.remove(id);
        match id {
            ProcessId::Proxy(pool) => {
                self.tables.remove(pool);
                self.workers.remove(pool);
            }
            ProcessId::Web(_) => {}
            ProcessId::Database(name) => self.comes_up(name),
        }
    }

    /// Returns the processes that are alive, including those of external databases.
    pub fn alive(&self) -> Vec<ProcessId> {
        let guests = self.guests().iter().map(|name| ProcessId::Database(name.clone()));
        // Sorted by name: a recorded history that once failed and acts on the fourth process must always act on the
        // same one.
        let mut ours: Vec<ProcessId> = self.processes.keys().cloned().collect();
        ours.sort_by_key(ProcessId::name);
        ours.into_iter().chain(guests).collect()
    }

    /// Carries out a step.
    pub fn act(&mut self, step: &Step, desired: &Desired) -> Outcome {
        let outcome = self.carry_out(step, desired);
        if let Step::Proxy(step) = step {
            self.stepped.borrow_mut().insert(step.proxy(), (step.clone(), outcome.clone()));
        }
        outcome
    }

    fn carry_out(&mut self, step: &Step, desired: &Desired) -> Outcome {
        self.connect(desired);
        match step {
            Step::Proxy(step) => self.proxy(step),
            Step::Host(step) => self.host(step, desired),
            Step::Sql(step) => {
                self.database(step);
                Outcome::Done
            }
            // The test that carries out the plan does these itself (see `after`).
            Step::Rows(_) | Step::Wish(_) => Outcome::Done,
        }
    }

    fn database(&mut self, step: &SqlStep) {
        let name = step.on();
        let Some(database) = self.databases.get_mut(name) else { return };
        match step {
            SqlStep::SeedPosition { name } => {
                self.unseeded.remove(name);
            }
            SqlStep::SetBack { id, .. } => {
                let log = database.written.last(*id);
                database.applied.0.insert(*id, log);
            }
            SqlStep::SetAcks { on, .. } => database.acks = *on,
            SqlStep::OpenDatabase { .. } => database.read_only = false,
            SqlStep::CloseDatabase { .. } => database.read_only = true,
            SqlStep::CreateSchema { .. } => database.schema = true,
            SqlStep::SetSemiSync { on, .. } => database.semi_sync = *on,
            SqlStep::NumberIds { to, .. } => {
                numbers::set(database, *to);
                self.loose.remove(name);
            }
            SqlStep::EndSenders { ids, .. } => database.senders.retain(|id, _| !ids.contains(id)),
            SqlStep::SetChannel { from, .. } | SqlStep::StartChannel { from, .. } => {
                channels::run(database, from);
            }
            SqlStep::StopChannel { from, whole, .. } => channels::stop(database, from, *whole),
            SqlStep::DropChannel { from, .. } => drop(database.channels.remove(from)),
            SqlStep::FreeChannels { .. } => (database.waits, database.stalled_at) = (false, None),
            SqlStep::ReleaseDatabase { .. } => database.channels.clear(),
            // Not simulated: what these steps restore is never wrong here.
            SqlStep::SetVariable { .. }
            | SqlStep::FollowEvents { .. }
            | SqlStep::LoadZones { .. }
            | SqlStep::ResetChannel { .. }
            | SqlStep::Renumber { .. }
            | SqlStep::MakeAccounts { .. }
            | SqlStep::SetStrict { .. } => {}
        }
    }
}

/// Records the end of a step in the engine's memory, as the engine does.
pub fn remember(memory: &mut Observed, step: &Step, outcome: &Outcome, now: Millis) {
    match (step, outcome) {
        (_, Outcome::Failed(why)) => {
            memory.failed(step, why, now);
            if let Step::Proxy(ProxyStep::AddServer { proxy, name, .. }) = step {
                memory.proxies.entry(*proxy).or_default().needs_reload.insert(name.clone());
            }
            return;
        }
        (Step::Host(HostStep::StartProcess { id, .. }), Outcome::Done) => {
            memory.processes.entry(id.clone()).or_default().started_at = Some(now);
        }
        (Step::Host(HostStep::StopProcess { id, .. }), Outcome::Done) => {
            memory.processes.entry(id.clone()).or_default().stopping_since = Some(now);
        }
        (Step::Rows(RowsStep::Compare { name, id, with }), Outcome::Done) => {
            let report = Report {
                at_start: now,
                at_end: now,
                reference: with.clone(),
                others: vec![name.clone()],
                tables: Vec::new(),
                rows: 0,
                chunks: 0,
                bytes: 0,
            };
            let comparison = Comparison { id: *id, last: Some((*id, report)), ..Comparison::default() };
            memory.comparisons.insert(name.clone(), comparison);
        }
        (Step::Proxy(ProxyStep::Reload { proxy, .. }), Outcome::Done) => {
            memory.proxies.entry(*proxy).or_default().needs_reload.clear();
        }
        _ => {}
    }
    memory.succeeded(step);
}
