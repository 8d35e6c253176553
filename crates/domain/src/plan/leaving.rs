//! Make before break: a web server that was asked to leave keeps serving until another one serves.
//!
//! HAProxy says which servers serve. A server of unknown state counts neither as serving nor as absent: while
//! HAProxy cannot be asked, what its file has in service stays in service.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::desired::{Admin, Desired, Server, Web};
use crate::haproxy::config;
use crate::haproxy::stats::{CheckState, Running, RunningServer};
use crate::ids::{Host, Millis, PoolId, ProcessId, ServerName, plain};
use crate::observed::{Observed, ProcessSeen, STALE};

/// How a web server leaves, according to the desired state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Leave {
    /// It is removed.
    Remove,
    /// Its process is stopped.
    Stop,
    /// It gets no visitors.
    Maintenance,
    /// It gets no new visitors.
    Drain,
    /// Its process is stopped and started again, so it comes back.
    Restart,
}

/// Returns how that web server is to leave; `None` if it stays.
pub fn leave(server: Web<'_>, observed: &Observed) -> Option<Leave> {
    if server.leaving {
        Some(Leave::Remove)
    } else if server.stopped() {
        Some(Leave::Stop)
    } else {
        match server.admin {
            Admin::Maintenance => Some(Leave::Maintenance),
            Admin::Drain => Some(Leave::Drain),
            Admin::Ready => restarting(&server, observed).then_some(Leave::Restart),
        }
    }
}

/// Reports whether a running process is of an older generation: it is about to be stopped and started again.
pub(super) fn restarting(server: &Server, observed: &Observed) -> bool {
    server.is_ours()
        && observed
            .processes
            .get(&server.process())
            .and_then(|p| p.leader.as_ref())
            .is_some_and(|l| server.outdates(l.server, l.generation))
}

/// Reports whether HAProxy sends new visitors to the server, be it well or not.
pub(super) const fn takes(now: &RunningServer) -> bool {
    !now.maintenance
        && !now.drain
        && now.weight > 0
        && matches!(now.verdict, CheckState::Up | CheckState::Failing)
}

/// Reports whether the server serves: HAProxy sends visitors to it, and has found it well since. A server that has
/// just been put back in service is `UP 1/2` with the result of its last check before, until the next check.
pub fn serves(now: &RunningServer) -> bool {
    takes(now) && now.verdict == CheckState::Up && now.check.passed()
}

/// The relations between the web servers: which serve, which wait for which, which are the same server under two
/// names. Computed once for all of them, for each plan and each snapshot: each of these questions concerns all the
/// others.
#[derive(Debug)]
pub struct Peers<'a> {
    /// The ids of the servers that get visitors now: see [`takes`].
    takes: BTreeSet<u32>,
    /// The ids of the servers that serve: see [`serves`].
    serves: BTreeSet<u32>,
    /// Servers that were asked to leave and stay for now, because no other one serves yet.
    held: BTreeSet<u32>,
    /// Servers that are to serve and do not serve yet, in their order.
    coming: Vec<(u32, &'a ServerName)>,
    /// Servers whose name now resolves to the address of another one, with the name of that one.
    doubles: BTreeMap<u32, &'a ServerName>,
    /// Whether a server serves, is to stay, and keeps its address.
    settled: bool,
    /// The greatest id among the servers that serve, are to stay, and whose names now resolve to another address.
    last_mover: Option<u32>,
    /// The number of servers that are to serve.
    wanted: usize,
}

impl<'a> Peers<'a> {
    /// Computes the relations from the desired state and what was observed.
    pub fn of(desired: &'a Desired, observed: &Observed) -> Self {
        let Now { takes, serves } = Now::of(desired, observed);
        let mut peers = Self {
            doubles: doubles(desired, observed, &serves),
            takes,
            serves,
            held: BTreeSet::new(),
            coming: Vec::new(),
            settled: false,
            last_mover: None,
            wanted: 0,
        };
        peers.hold(desired, observed);
        let running = observed.proxies.get(&PoolId::Web).and_then(|p| p.running.value());
        for server in desired.web_servers() {
            let (wanted, serves) = (server.wanted(), peers.serves.contains(&server.id));
            peers.wanted += usize::from(wanted);
            if wanted && !serves {
                peers.coming.push((server.id, &server.server.name));
            }
            if !serves || leave(server, observed).is_some() {
                continue;
            }
            let there = running.and_then(|r| r.servers.get(&server.name)).filter(|r| r.id == server.id);
            let to = address(&server, observed);
            if there.is_some_and(|there| to.is_some_and(|to| there.ip != Some(to))) {
                peers.last_mover = peers.last_mover.max(Some(server.id));
            } else {
                peers.settled = true;
            }
        }
        peers
    }

    /// Determines which of the servers that were asked to leave stay for now. A server that a person insists on does
    /// not wait. A server leaves once another server serves that stays, or that is held itself: if two servers were
    /// asked to leave, the first one goes.
    fn hold(&mut self, desired: &Desired, observed: &Observed) {
        let (mut held, mut staying) = (Vec::new(), 0_usize);
        for server in desired.web_servers() {
            let serves = self.serves.contains(&server.id);
            match leave(server, observed) {
                None => staying += usize::from(serves),
                Some(how) if !server.anyway && self.takes.contains(&server.id) => {
                    held.push((server.id, how, serves));
                }
                Some(_) => {}
            }
        }
        let mut serving = held.iter().filter(|(_, _, serves)| *serves).count();
        let mut restarts = held.iter().filter(|(_, how, _)| *how == Leave::Restart).count();
        // Servers that come back go first, one after the other; servers that leave for good wait for them.
        for comes_back in [true, false] {
            held.retain(|(_, how, serves)| {
                let turn = (*how == Leave::Restart) == comes_back;
                let free = comes_back || restarts == 0 || staying > 0;
                let others_serve = staying + serving > usize::from(*serves);
                let goes = turn && free && others_serve;
                if goes {
                    serving -= usize::from(*serves);
                    restarts -= usize::from(*how == Leave::Restart);
                }
                !goes
            });
        }
        self.held = held.into_iter().map(|(id, ..)| id).collect();
    }

    /// Reports whether that web server was asked to leave and stays for now.
    pub fn holds(&self, server: Web<'_>) -> bool {
        self.held.contains(&server.id)
    }

    /// Returns the servers that are expected to serve, for which that web server stays; `None` if it does not stay.
    pub fn awaited(&self, server: Web<'_>) -> Option<Vec<ServerName>> {
        let others = || self.coming.iter().filter(|(id, _)| *id != server.id);
        self.holds(server).then(|| others().map(|(_, name)| (*name).clone()).collect())
    }

    /// Returns the server whose address and port that web server's name resolves to as well. Both names mean one
    /// server: otherwise it would get twice its share, and count twice where only one server may fail.
    pub fn double_of(&self, server: Web<'_>) -> Option<&'a ServerName> {
        self.doubles.get(&server.id).copied()
    }

    /// Reports whether a server that moves may go now: another server serves meanwhile, and stays. If the names of
    /// two servers change at once, the first moves, and then the other.
    pub(super) fn lets_move(&self, server: Web<'_>) -> bool {
        self.settled || self.last_mover > Some(server.id)
    }

    /// Reports whether another server is to serve.
    pub(super) fn others_wanted(&self, server: Web<'_>) -> bool {
        self.wanted > usize::from(server.wanted())
    }
}

/// Returns the web servers whose names now resolve to the address and port of another one.
fn doubles<'a>(
    desired: &'a Desired,
    observed: &Observed,
    serves: &BTreeSet<u32>,
) -> BTreeMap<u32, &'a ServerName> {
    let named = |s: &Web<'_>| matches!(s.host, Host::Name(_));
    if !desired.web_servers().any(|s| named(&s)) {
        return BTreeMap::new();
    }
    let place = |s: &Web<'_>| Some((plain(address(s, observed)?), s.port));
    // A server that does not serve there takes nobody's visitors: then the other one counts as the server.
    let takes_them = |s: &Web<'_>| s.wanted() && serves.contains(&s.id);
    let mut there: BTreeMap<(IpAddr, u16), Vec<Web<'a>>> = BTreeMap::new();
    for server in desired.web_servers().filter(takes_them) {
        if let Some(at) = place(&server) {
            there.entry(at).or_default().push(server);
        }
    }
    let double = |server: Web<'a>| {
        let first = |other: &&Web<'a>| !named(other) || other.id < server.id;
        let mut others = there.get(&place(&server)?)?.iter().filter(|other| other.id != server.id);
        Some((server.id, &others.find(first)?.server.name))
    };
    desired.web_servers().filter(named).filter_map(double).collect()
}

/// Returns the address of a server, if it has one or its name resolves.
pub(super) fn address(server: &Server, observed: &Observed) -> Option<IpAddr> {
    match &server.host {
        Host::Ip(ip) => Some(*ip),
        Host::Name(name) => observed.names.get(name)?.value().copied(),
    }
}

/// What HAProxy `web` has in service; asked for every server that leaves.
#[derive(Debug)]
pub(super) enum Service<'a> {
    /// HAProxy reports it.
    Told(&'a Running),
    /// HAProxy does not answer.
    Silent,
    /// HAProxy does not run, and will do what its file says.
    Filed(BTreeSet<&'a str>),
}

impl<'a> Service<'a> {
    pub(super) fn of(observed: &'a Observed, now: Millis) -> Self {
        let seen = observed.proxies.get(&PoolId::Web);
        let web = observed.processes.get(&ProcessId::Proxy(PoolId::Web));
        if web.is_none_or(|p| p.leader.is_none()) {
            return Self::Filed(config::enabled_in(seen.and_then(|s| s.file.as_deref()).unwrap_or_default()));
        }
        seen.and_then(|s| s.running.fresh(now, STALE)).map_or(Self::Silent, Self::Told)
    }

    /// Reports whether HAProxy sends nobody to that server any more. While HAProxy does not answer that is unknown,
    /// and counts as `true` only if a person insists.
    pub(super) fn is_over(&self, server: Web<'_>) -> bool {
        match self {
            Self::Told(running) => {
                running.servers.get(&server.name).is_none_or(|s| s.id != server.id || s.maintenance)
            }
            Self::Silent => server.anyway,
            Self::Filed(enabled) => !enabled.contains(server.name.as_str()),
        }
    }
}

/// Reports whether a process of Cordée's no longer answers, or is about to end: HAProxy notices that only at its
/// next check.
fn ended(process: &ProcessSeen) -> bool {
    match &process.leader {
        Some(leader) => leader.frozen || process.stopping_since.is_some(),
        None => !process.unlooked && process.ended_at.is_some(),
    }
}

/// Which web servers get visitors now, and which serve them.
struct Now {
    takes: BTreeSet<u32>,
    serves: BTreeSet<u32>,
}

impl Now {
    fn of(desired: &Desired, observed: &Observed) -> Self {
        let seen = observed.proxies.get(&PoolId::Web);
        let Some(running) = seen.and_then(|s| s.running.value()) else {
            // What HAProxy's file has in service is in service, or will be as soon as HAProxy is back.
            let file = seen.and_then(|s| s.file.as_deref()).unwrap_or_default();
            let (enabled, proven) = (config::enabled_in(file), config::proven_in(file));
            let there = |s: &Web<'_>| {
                let name = s.name.as_str();
                enabled.contains(name) && proven.contains(name)
            };
            let takes = desired.web_servers().filter(there).map(|s| s.id).collect();
            return Self { takes, serves: BTreeSet::new() };
        };
        let (mut all, mut serving) = (Vec::new(), Vec::new());
        for server in desired.web_servers() {
            let there = running.servers.get(&server.name).filter(|there| there.id == server.id);
            let Some(there) = there.filter(|there| takes(there)) else { continue };
            all.push(server.id);
            let ends = || {
                let process = observed.processes.get(&server.process());
                process.is_some_and(ended)
            };
            if serves(there) && !(server.is_ours() && ends()) {
                serving.push(server.id);
            }
        }
        Self { takes: all.into_iter().collect(), serves: serving.into_iter().collect() }
    }
}

#[cfg(test)]
pub(super) mod tests;
