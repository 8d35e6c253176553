//! The simulated HAProxy instances: what a worker reads from its file, and what somebody else does to it.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use super::World;
use crate::fault::Fault;
use crate::haproxy::config;
use crate::haproxy::runtime::State;
use crate::haproxy::stats::{Check, CheckState, Frontend, Limits, Listens, Running, RunningServer};
use crate::ids::{PoolId, ServerName};
use crate::observed::Meddling;
use crate::step::{Outcome, ProxyStep};

/// The state of a worker besides its servers.
#[derive(Clone, Debug)]
pub(super) struct Worker {
    pub(super) pid: u32,
    /// The lines of the file that it was started from, without servers.
    pub(super) lines: Vec<String>,
    pub(super) frontends: BTreeMap<String, Frontend>,
    pub(super) limits: Limits,
    pub(super) waits: bool,
}

/// What somebody does at an HAProxy instance's runtime socket or master.
#[derive(Clone, Copy, Debug)]
pub enum Hand {
    /// Pauses a listener.
    Pause,
    /// Shuts a listener for good.
    Shut,
    /// Limits the connections of a listener.
    Frontend,
    /// Limits the connections of the process.
    Bound,
    /// Limits the connections per second.
    Rate,
    /// Changes a server's weight.
    Weight,
    /// Puts a server into maintenance, or back in service.
    State,
    /// Limits the connections to a server.
    Most,
    /// Changes a server's port.
    Address,
    /// Switches a server's checks off.
    Uncheck,
    /// Directs a server's checks to another port.
    Elsewhere,
    /// Makes connections fail at once while no database is in service.
    Wait,
    /// Edits a line of the file, makes the master reload, and puts the line back.
    Reload,
}

impl World {
    /// Reports whether each running HAProxy instance was started from what its file says, apart from the servers.
    pub fn runs_its_file(&self) -> bool {
        self.workers
            .iter()
            .all(|(pool, worker)| self.files.get(pool).is_some_and(|f| worker.lines == lines(f)))
    }

    /// Returns what the looks revealed about somebody else's changes since the last call.
    pub fn told(&self) -> Vec<Meddling> {
        std::mem::take(&mut *self.told.borrow_mut())
    }

    /// Somebody does that to the `n`th listener or server. Returns `false` if there is none, or nothing changed.
    pub fn meddle(&mut self, pool: PoolId, hand: Hand, n: usize) -> bool {
        let Some(worker) = self.workers.get_mut(&pool) else { return false };
        let Some((_, servers)) = self.tables.get_mut(&pool) else { return false };
        let count = worker.frontends.len().max(1);
        let frontend = worker.frontends.values_mut().nth(n % count);
        let count = servers.len().max(1);
        let server = servers.values_mut().nth(n % count);
        match (hand, frontend, server) {
            (Hand::Pause, Some(f), _) if f.listens == Listens::Open => f.listens = Listens::Paused,
            (Hand::Shut, Some(f), _) if f.listens != Listens::Shut => f.listens = Listens::Shut,
            (Hand::Frontend, Some(f), _) if f.most != 1 => f.most = 1,
            (Hand::Bound, ..) if worker.limits.most != 5 => worker.limits.most = 5,
            (Hand::Rate, ..) if worker.limits.rates != 3 => worker.limits.rates = 3,
            (Hand::Weight, _, Some(s)) if s.weight != 7 => s.weight = 7,
            (Hand::State, _, Some(s)) => {
                s.maintenance = !s.maintenance;
                s.writer_maintenance = s.maintenance;
            }
            (Hand::Most, _, Some(s)) if s.most != 2 => s.most = 2,
            (Hand::Address, _, Some(s)) if s.port != 9 => s.port = 9,
            (Hand::Uncheck, _, Some(s)) if s.checked && !s.maintenance && !s.checked_elsewhere => {
                s.checked = false;
            }
            (Hand::Elsewhere, _, Some(s)) if !s.checked_elsewhere => s.checked_elsewhere = true,
            (Hand::Wait, ..) if pool == PoolId::Db && worker.waits => worker.waits = false,
            (Hand::Reload, ..) => {
                let Some(file) = self.files.get(&pool).cloned() else { return false };
                self.files.insert(pool, file.replace("timeout connect", "timeout connect 9s #"));
                let done = self.reload(pool, None) == Outcome::Done;
                self.files.insert(pool, file);
                return done;
            }
            _ => return false,
        }
        true
    }

    pub(super) fn proxy(&mut self, step: &ProxyStep) -> Outcome {
        match step {
            ProxyStep::WriteConfig { proxy, text, .. } => {
                self.files.insert(*proxy, text.0.clone());
            }
            ProxyStep::WriteSession { mode } => self.map = Some(*mode),
            ProxyStep::SetSession { mode } => self.mode = Some(*mode),
            ProxyStep::Reload { proxy, shape } => return self.reload(*proxy, Some(shape)),
            ProxyStep::AddServer { proxy, name, id, to, out } => {
                return self.add(*proxy, name, *id, *to, *out);
            }
            ProxyStep::SetAddress { proxy, name, to } => {
                self.change(*proxy, name, |s| {
                    s.ip = Some(to.ip());
                    s.port = to.port();
                });
            }
            ProxyStep::SetState { proxy, name, state, writer } => {
                self.set_state(*proxy, name, *state, *writer);
            }
            ProxyStep::SetWeight { proxy, name, weight } => {
                self.change(*proxy, name, |s| s.weight = *weight);
            }
            ProxyStep::SetMost { proxy, name, most } => self.change(*proxy, name, |s| s.most = *most),
            ProxyStep::OpenFrontend { proxy, name, most, .. } => {
                let worker = self.workers.get_mut(proxy);
                let Some(frontend) = worker.and_then(|w| w.frontends.get_mut(*name)) else {
                    return Outcome::Failed(Fault::Strange(None));
                };
                if frontend.listens == Listens::Shut {
                    return Outcome::Failed(Fault::Strange(None));
                }
                *frontend = Frontend { listens: Listens::Open, most: *most };
            }
            ProxyStep::LiftLimits { proxy } => {
                if let Some(worker) = self.workers.get_mut(proxy) {
                    worker.limits = LIMITS;
                }
            }
            ProxyStep::DeleteServer { proxy, name } => return self.delete(*proxy, name),
        }
        Outcome::Done
    }

    fn change(&mut self, proxy: PoolId, name: &ServerName, alter: impl FnOnce(&mut RunningServer)) {
        if let Some(server) = self.tables.get_mut(&proxy).and_then(|(_, s)| s.get_mut(name)) {
            alter(server);
        }
    }

    fn set_state(&mut self, proxy: PoolId, name: &ServerName, state: State, writer: State) {
        let due = self.now + self.check_after;
        let mut back = false;
        self.change(proxy, name, |s| {
            back = s.maintenance && state != State::Maintenance;
            s.maintenance = state == State::Maintenance;
            s.writer_maintenance =
                if proxy == PoolId::Db { writer == State::Maintenance } else { s.maintenance };
            s.drain = state == State::Drain;
            s.checked |= state != State::Maintenance;
            // The server gets visitors at once, and still reports the result of the last check before.
            if back && proxy == PoolId::Web {
                s.verdict = CheckState::Failing;
            }
        });
        if back {
            self.due.insert(name.clone(), due);
        }
    }

    fn add(&mut self, proxy: PoolId, name: &ServerName, id: u32, to: SocketAddr, out: bool) -> Outcome {
        self.due.insert(name.clone(), self.now + self.check_after);
        let Some((_, servers)) = self.tables.get_mut(&proxy) else {
            return Outcome::Failed(Fault::NoSocket(None));
        };
        if self.refuses_add || servers.contains_key(name) {
            return Outcome::Failed(Fault::Strange(None));
        }
        servers.insert(name.clone(), RunningServer { most: config::most(proxy), ..server(id, to, 0, out) });
        Outcome::Done
    }

    fn delete(&mut self, proxy: PoolId, name: &ServerName) -> Outcome {
        let Some((_, servers)) = self.tables.get_mut(&proxy) else {
            return Outcome::Failed(Fault::NoSocket(None));
        };
        match servers.get(name) {
            Some(s) if s.maintenance && s.sessions == 0 => {
                servers.remove(name);
                Outcome::Done
            }
            _ => Outcome::Failed(Fault::Strange(None)),
        }
    }

    /// Starts a worker from the file, and from nothing else.
    pub(super) fn reload(&mut self, proxy: PoolId, shape: Option<&String>) -> Outcome {
        let Some(text) = self.files.get(&proxy) else {
            return Outcome::Failed(Fault::Strange(None));
        };
        let found = text
            .lines()
            .find_map(|l| l.trim().strip_prefix(format!("description cordee {proxy} ").as_str()))
            .unwrap_or_default()
            .to_owned();
        if shape.is_some_and(|s| *s != found) {
            return Outcome::Failed(Fault::Strange(None));
        }
        if proxy == PoolId::Web {
            // HAProxy does not start without the map file that its configuration names.
            if self.map.is_none() {
                return Outcome::Failed(Fault::Strange(None));
            }
            self.mode = self.map;
        }
        // A database is in two backends; the writer's backend comes last.
        let mut servers: BTreeMap<ServerName, RunningServer> = BTreeMap::new();
        for (name, server) in text.lines().filter_map(|l| read_server(l.trim())) {
            match servers.get_mut(&name) {
                Some(first) => first.writer_maintenance = server.maintenance,
                None => {
                    servers.insert(name, server);
                }
            }
        }
        let frontends = text
            .lines()
            .filter_map(|l| l.strip_prefix("frontend "))
            .map(|name| (name.to_owned(), Frontend { listens: Listens::Open, most: LIMITS.most }));
        let (lines, frontends) = (lines(text), frontends.collect());
        self.next_pid += 1;
        let worker = Worker { pid: self.next_pid, lines, frontends, limits: LIMITS, waits: true };
        self.workers.insert(proxy, worker);
        let due = self.now + self.check_after;
        self.due.extend(servers.keys().map(|name| (name.clone(), due)));
        self.tables.insert(proxy, (found, servers));
        Outcome::Done
    }
}

/// The limits of a worker that nobody changed.
pub(super) const LIMITS: Limits = Limits { most: 1_000, most_at_start: 1_000, rates: 0 };

/// Returns the lines that a worker is started from, without servers and comments.
pub(super) fn lines(text: &str) -> Vec<String> {
    let setting = |line: &&str| !line.starts_with("    server ") && !line.starts_with('#');
    text.lines().filter(setting).map(str::to_owned).collect()
}

/// Parses a `server` line as HAProxy would. A new server is UP before its first check.
pub(super) fn read_server(line: &str) -> Option<(ServerName, RunningServer)> {
    let words: Vec<&str> = line.strip_prefix("server ")?.split(' ').collect();
    let after = |key: &str| words.iter().position(|w| *w == key).and_then(|i| words.get(i + 1));
    let name = ServerName::parse(words.first()?).ok()?;
    let address = words.get(1)?.parse().ok()?;
    let weight = after("weight")?.parse().ok()?;
    let most = after("maxconn").and_then(|n| n.parse().ok()).unwrap_or(0);
    let read = server(after("id")?.parse().ok()?, address, weight, words.contains(&"disabled"));
    Some((name, RunningServer { most, ..read }))
}

pub(super) fn server(id: u32, to: SocketAddr, weight: u32, maintenance: bool) -> RunningServer {
    RunningServer {
        id,
        ip: Some(to.ip()),
        port: to.port(),
        maintenance,
        writer_maintenance: maintenance,
        drain: false,
        weight,
        most: 0,
        checked: true,
        checked_elsewhere: false,
        verdict: CheckState::Up,
        sessions: 0,
        total: 0,
        cookie: String::new(),
        since_s: 0,
        check: Check::default(),
        uniform: true,
    }
}

pub(super) fn running(
    shape: &str,
    servers: &BTreeMap<ServerName, RunningServer>,
    worker: &Worker,
) -> Running {
    Running {
        pid: worker.pid,
        shape: Some(shape.to_owned()),
        version: String::new(),
        uptime_s: 1,
        rate: 0,
        sessions: 0,
        mode: None,
        requests: 0,
        unsent: 0,
        frontends: worker.frontends.clone(),
        limits: worker.limits,
        waits: worker.waits,
        servers: servers.clone(),
    }
}
