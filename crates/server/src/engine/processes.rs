//! The engine's processes: adopted at its start, watched by pidfd, checked for being frozen.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::process::Child;
use std::time::Duration;

use cordee_domain::db::failover;
use cordee_domain::db::switch::Stop;
use cordee_domain::desired::{Run, Server};
use cordee_domain::fault::Fault;
use cordee_domain::haproxy::stats::CheckState;
use cordee_domain::ids::{PoolId, ProcessId, ProcessName, ServerName};
use cordee_domain::observed::{Leader, Port};
use cordee_domain::state::{Severity, State};
use cordee_domain::step::{HostStep, Outcome};
use cordee_domain::text;
use cordee_node::clock::now;
use cordee_node::ended::{reason, saying};
use cordee_node::process;
use cordee_node::roster::Roster;
use cordee_node::still::{orphans, standing_still};
use cordee_node::worker;
use cordee_node::{data, import};
use cordee_node::{files, trouble};

use super::{Engine, Sight};

/// A process that ended sooner than this after its start has failed to start.
const SHORT_LIFE: u64 = cordee_domain::figures::SHORT_LIFE;
/// Pause before an end is waited for again, after the wait failed.
const AGAIN: Duration = Duration::from_secs(1);

impl Engine {
    /// Reports whether a server behind that HAProxy instance is about to pass its first check.
    pub(super) fn hurried(&self, proxy: PoolId) -> bool {
        let seen = &self.observed.proxy(proxy).running;
        proxy == PoolId::Web
            && seen.value().is_some_and(|running| {
                running.servers.iter().any(|(name, s)| {
                    let down = s.verdict == CheckState::Down;
                    let young = || {
                        let process = self.observed.process(&ProcessId::Web(name.clone()));
                        process.started_at.is_some_and(|at| now().saturating_sub(at) < 5_000)
                    };
                    !s.maintenance && !s.drain && (s.weight == 0 || down) && (!down || young())
                })
            })
    }

    /// Finds the processes that an earlier Cordée started, and takes them over. Fails when they cannot be looked
    /// for: a process that would be started then might run already.
    pub(super) fn adopt(&mut self) -> io::Result<()> {
        let found = Roster::of(&self.parts.machine.home).find()?;
        for (id, members) in process::by_id(&found) {
            let leader = members.iter().find(|p| p.pid == p.group);
            let seen = self.observed.processes.entry(id.clone()).or_default();
            match leader {
                Some(leader) => {
                    seen.leader = Some(Leader {
                        pid: leader.pid,
                        server: leader.serial.server,
                        generation: leader.serial.generation,
                        frozen: leader.frozen,
                    });
                    let pid = leader.pid;
                    self.watch(id, pid);
                }
                None => seen.orphans = members.iter().map(|p| p.pid).collect(),
            }
        }
        self.look_at_folders();
        for proxy in PoolId::ALL {
            let file = files::text(&self.parts.machine.home.proxy_config(proxy))?;
            let recorded = worker::recorded(&self.parts.machine.home, proxy);
            let adopted = self.observed.process(&ProcessId::Proxy(proxy)).leader.is_some();
            let seen = self.observed.proxies.entry(proxy).or_default();
            (seen.file, seen.adopted, seen.recorded) = (file, adopted, recorded);
        }
        let map = files::text(&self.parts.machine.home.session_map())?;
        self.look_at_ports_first();
        self.observed.proxies.entry(PoolId::Web).or_default().map = map;
        Ok(())
    }

    fn watch(&mut self, id: ProcessId, pid: u32) {
        let out = self.out.clone();
        self.work.spawn(async move {
            // While no file descriptor is left, the regular looks at the process's state notice its end, later.
            while let Err(error) = process::ended(pid).await {
                tracing::error!(%pid, error = &error as &dyn std::error::Error, "pidfd");
                tokio::time::sleep(AGAIN).await;
            }
            let _ = out.send(Sight::Ended { id, pid }).await;
        });
    }

    /// Looks at the content of the servers' folders. A folder that cannot be read is marked as such, and what was
    /// seen last stays.
    fn look_at_folders(&mut self) {
        let desired = self.parts.board.desired();
        let names: BTreeSet<&ServerName> = desired.db.servers.iter().map(|s| &s.name).collect();
        self.observed.initialised.retain(|name, _| names.contains(name));
        self.observed.unseeded.retain(|name| names.contains(name));
        self.observed.own.unread.clear();
        let mut looked = Ok(());
        for server in &desired.db.servers {
            if let Err(error) = self.look_at_folder(server) {
                self.observed.own.unread.insert(server.name.clone());
                looked = Err(error);
            }
        }
        let homes = self.look_at_homes();
        self.looked_with("folders", looked.and(homes));
    }

    fn look_at_folder(&mut self, server: &Server) -> io::Result<()> {
        let home = self.parts.machine.home.server(&server.name);
        let made = match server.runtime {
            Run::Process { .. } => data::made_for(&home, server.id)?,
            Run::External => import::complete_for(&home)?,
        };
        let unseeded = data::unseeded(&home)?;
        let name = server.name.clone();
        match made {
            Some(id) => drop(self.observed.initialised.insert(name.clone(), id)),
            None => drop(self.observed.initialised.remove(&name)),
        }
        if unseeded {
            self.observed.unseeded.insert(name);
        } else {
            self.observed.unseeded.remove(&name);
        }
        Ok(())
    }

    /// Looks at all servers' folders. A folder that cannot be read is marked as such.
    fn look_at_homes(&mut self) -> io::Result<()> {
        let mut looked = Ok(());
        let mut homes = BTreeMap::new();
        for (name, path) in self.parts.machine.home.server_folders()? {
            let made = match data::made(&path) {
                Ok(made) => made,
                // The folder went to the trash since the listing.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => {
                    self.observed.own.unread.insert(name.clone());
                    looked = Err(error);
                    self.observed.homes.get(&name).copied().unwrap_or_default()
                }
            };
            homes.insert(name, made);
        }
        self.observed.homes = homes;
        looked
    }

    /// Notes how a look at processes or files ended. After a look that failed, what was seen before stays, and the
    /// page says why it may be out of date.
    pub(super) fn looked_with(&mut self, at: &'static str, looked: io::Result<()>) {
        match looked {
            Ok(()) => drop(self.unseeing.remove(at)),
            Err(error) => {
                let why = trouble::fault(&error);
                if self.unseeing.insert(at, why.clone()) != Some(why) {
                    tracing::error!(error = &error as &dyn std::error::Error, "looking at {at}");
                }
            }
        }
        self.observed.own.blind = self.unseeing.values().next().cloned();
    }

    /// Looks at which of our processes are frozen, and whether an end went unnoticed. Returns whether anything
    /// changed.
    pub(super) fn look_at_processes(&mut self) -> bool {
        let (mut gone, mut moved) = (Vec::new(), !self.unseeing.is_empty());
        let mut all = Ok(());
        for (id, seen) in &mut self.observed.processes {
            let Some(leader) = &mut seen.leader else { continue };
            let looked = process::state(leader.pid).and_then(|state| {
                let state = state.filter(|s| !s.dead);
                let frozen = state.is_some_and(|s| s.frozen);
                Ok((state, standing_still(id, leader.pid, frozen, &self.observed.proxies)?))
            });
            match looked {
                Ok((Some(state), still)) => {
                    moved |= leader.frozen || state.frozen || seen.still != still;
                    (leader.frozen, seen.still) = (state.frozen, still);
                    seen.frozen_since = if leader.frozen { seen.frozen_since.or(Some(now())) } else { None };
                }
                Ok((None, _)) => gone.push((id.clone(), leader.pid)),
                Err(error) => all = Err(error),
            }
        }
        moved |= !gone.is_empty();
        for (id, pid) in gone {
            self.process_ended(&id, pid);
        }
        let left: Vec<ProcessId> =
            self.observed.processes.iter().filter(|(_, p)| p.unlooked).map(|(id, _)| id.clone()).collect();
        moved |= !left.is_empty();
        for id in left {
            self.look_for_orphans(&id);
        }
        if self.unseeing.contains_key("folders") {
            self.look_at_folders();
        }
        moved |= all.is_err();
        self.looked_with("processes", all);
        moved
    }

    /// Finds the processes that a dead leader left of its group.
    fn look_for_orphans(&mut self, id: &ProcessId) {
        let found = Roster::of(&self.parts.machine.home).find();
        let seen = self.observed.processes.entry(id.clone()).or_default();
        seen.unlooked = found.is_err();
        let looked = found.map(|found| seen.orphans = orphans(&found, id));
        self.looked_with("groups", looked);
    }

    /// Takes in the end of a leader: notes the reason, and finds the processes that it left.
    pub(super) fn process_ended(&mut self, id: &ProcessId, pid: u32) {
        let seen = self.observed.processes.entry(id.clone()).or_default();
        if seen.leader.as_ref().is_none_or(|l| l.pid != pid) {
            return;
        }
        let status = self.children.remove(id).and_then(|mut child| child.try_wait().ok().flatten());
        let why = reason(status);
        let asked = seen.stopping_since.take().is_some();
        let short = seen.started_at.is_some_and(|at| now().saturating_sub(at) < SHORT_LIFE);
        (seen.leader, seen.port) = (None, Port::Unknown);
        seen.still.clear();
        seen.ended_at = Some(now());
        seen.failures = match (asked, short) {
            (true, _) => 0,
            (false, true) => seen.failures + 1,
            (false, false) => 1,
        };
        let again = seen.failures > 1;
        seen.trouble = (!asked).then(|| match (&why, id.server()) {
            (Fault::Exit(code), Some(name)) if again => {
                saying(*code, &self.parts.machine.home.server(name).join("log"))
                    .unwrap_or_else(|| why.clone())
            }
            _ => why.clone(),
        });
        self.cut_off_at_once();
        self.look_for_orphans(id);
        let seen = self.observed.processes.entry(id.clone()).or_default();
        let since = failover::silent_since(seen);
        if let (ProcessId::Database(name), Some(since)) = (id, since)
            && self.parts.board.desired().is_writer(name)
        {
            self.switch_begins(since, Stop::Lost);
        }
        if let ProcessId::Database(name) = id {
            // What was seen of the database before says nothing about its next process.
            self.observed.databases.remove(name);
            self.observed.open.remove(name);
        }
        if let ProcessId::Proxy(proxy) = id
            && let Some(seen) = self.observed.proxies.get_mut(proxy)
        {
            seen.ended();
        }
        if !asked {
            let text = text!("event-process-ended", name = id, why = why);
            self.note_unless(State::Down, &id.to_string(), Severity::Critical, text);
        }
    }

    /// Takes in the outcome of a step on a process.
    pub(super) fn process_stepped(&mut self, step: &HostStep, outcome: &Outcome, child: Option<Child>) {
        self.look_at_folders();
        if let ProcessName::Server(name) = step.whose() {
            self.observed.copies.remove(&name);
        }
        let done = *outcome == Outcome::Done;
        match step {
            HostStep::StartProcess { id, server, generation, .. } => match (outcome, child) {
                (Outcome::Done, Some(child)) => {
                    let pid = child.id();
                    let leader = Leader { pid, server: *server, generation: *generation, frozen: false };
                    self.process_started(id, leader, child);
                }
                (Outcome::Done, None) => {}
                (Outcome::Failed(why), _) => {
                    let seen = self.observed.processes.entry(id.clone()).or_default();
                    seen.started_at = Some(now());
                    seen.failures += 1;
                    seen.trouble = Some(why.clone());
                }
            },
            HostStep::InitDatabase { name, .. } | HostStep::CopyDatabase { name, .. } => {
                if done {
                    // How the previous process ended says nothing about one that starts on new data.
                    let id = ProcessId::Database(name.clone());
                    let seen = self.observed.processes.entry(id).or_default();
                    (seen.failures, seen.trouble) = (0, None);
                }
            }
            HostStep::StopProcess { id, .. } => {
                if done {
                    self.observed.processes.entry(id.clone()).or_default().stopping_since = Some(now());
                }
            }
            HostStep::KillProcess { id, .. } => {
                if done {
                    self.look_for_orphans(id);
                }
            }
            HostStep::TrashHome { name } => {
                if done {
                    // Another server may be added under the name.
                    self.observed.comparisons.remove(name);
                    self.observed.beats.remove(name);
                }
                let desired = self.parts.board.desired();
                // How the last server of that name ended says nothing about the next one, of whichever kind.
                self.observed.processes.retain(|id, seen| {
                    id.server() != Some(name) || !seen.is_over() || desired.servers().any(|s| s.runs_as(id))
                });
            }
            HostStep::ImportDatabase { .. } | HostStep::SaveOwn { .. } => {}
        }
    }

    /// Takes in a process that was started, with its leader.
    fn process_started(&mut self, id: &ProcessId, leader: Leader, child: Child) {
        let pid = leader.pid;
        let seen = self.observed.processes.entry(id.clone()).or_default();
        seen.leader = Some(leader);
        seen.port = Port::Unknown;
        seen.started_at = Some(now());
        (seen.ended_at, seen.frozen_since) = (None, None);
        let again = seen.trouble.is_some();
        if let ProcessId::Database(name) = id
            && self.parts.board.desired().is_writer(name)
        {
            // What the writer promised before says nothing about what it acknowledges from now on.
            self.observed.promise = None;
        }
        self.children.insert(id.clone(), child);
        self.watch(id.clone(), pid);
        let text = if again {
            text!("event-process-restarted", name = id, pid = pid)
        } else {
            text!("event-process-started", name = id, pid = pid)
        };
        self.note(&id.to_string(), None, &text);
    }
}
