//! The simulated HAProxys: what a worker reads from its file, and what somebody else does to it.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use super::World;
use crate::haproxy::stats::{Check, Frontend, Limits, Listens, Running, RunningServer, Verdict};
use crate::ids::{PoolId, ServerName};
use crate::observed::Meddling;
use crate::step::Outcome;

/// What a worker holds besides its servers.
#[derive(Clone, Debug)]
pub(super) struct Worker {
    pub(super) pid: u32,
    /// The lines that it was started from, without servers.
    pub(super) lines: Vec<String>,
    pub(super) frontends: BTreeMap<String, Frontend>,
    pub(super) limits: Limits,
    pub(super) waits: bool,
}

/// What somebody does at a HAProxy's runtime socket or master.
#[derive(Clone, Copy, Debug)]
pub enum Hand {
    /// Has a listener take nothing.
    Pause,
    /// The same, for good.
    Shut,
    /// Bounds a listener.
    Frontend,
    /// Bounds the process.
    Bound,
    /// Bounds how many come in a second.
    Rate,
    /// Changes a server's weight.
    Weight,
    /// Takes a server out, or puts it in.
    State,
    /// Bounds what goes to a server.
    Most,
    /// Sends a server's share elsewhere.
    Address,
    /// Switches a server's checks off.
    Uncheck,
    /// Has another port checked.
    Elsewhere,
    /// Has connections fail at once while no database is in service.
    Wait,
    /// Edits a line of the file, has the master reload, and puts the line back.
    Reload,
}

impl World {
    /// Whether what each running proxy was started from is what its file says, but for the servers.
    pub fn runs_its_file(&self) -> bool {
        self.workers
            .iter()
            .all(|(pool, worker)| self.files.get(pool).is_some_and(|f| worker.lines == lines(f)))
    }

    /// What the looks told of somebody else's doing, since last asked.
    pub fn told(&self) -> Vec<Meddling> {
        std::mem::take(&mut *self.told.borrow_mut())
    }

    /// Somebody does that to the `n`th listener or server. `false` when there is none, or nothing changed.
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
}

/// The bounds of a worker that nobody touched.
pub(super) const LIMITS: Limits = Limits { most: 1_000, most_at_start: 1_000, rates: 0 };

/// What a worker is started from, but for its servers, and for what is no setting.
pub(super) fn lines(text: &str) -> Vec<String> {
    let setting = |line: &&str| !line.starts_with("    server ") && !line.starts_with('#');
    text.lines().filter(setting).map(str::to_owned).collect()
}

/// Reads a `server` line as HAProxy would. A fresh server is UP before its first check.
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
        verdict: Verdict::Up,
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
