//! Make before break: a web server that was asked to leave goes on serving until another one serves.
//!
//! What serves is what HAProxy says. Not knowing is neither serving nor absent: while HAProxy cannot be asked, what its
//! file has in service stays there.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::desired::{Admin, Desired, Server, Web};
use crate::haproxy::config;
use crate::haproxy::stats::{CheckState, Running, RunningServer};
use crate::ids::{Host, Millis, PoolId, ProcessId, ServerName, plain};
use crate::observed::{Observed, ProcessSeen, STALE};

/// How a web server leaves, as wished.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Leave {
    /// It is taken away.
    Remove,
    /// Its process is stopped.
    Stop,
    /// No visitors at all.
    Maintenance,
    /// No new visitors.
    Drain,
    /// Its process is stopped and started again: it comes back.
    Restart,
}

/// How that web server is to leave, if it is.
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

/// A running process of an older generation: it is about to be stopped and started again.
pub(super) fn restarting(server: &Server, observed: &Observed) -> bool {
    server.is_ours()
        && observed
            .processes
            .get(&server.process())
            .and_then(|p| p.leader.as_ref())
            .is_some_and(|l| server.outdates(l.server, l.generation))
}

/// Whether HAProxy sends new visitors to it, be it well or not.
pub(super) const fn takes(now: &RunningServer) -> bool {
    !now.maintenance
        && !now.drain
        && now.weight > 0
        && matches!(now.verdict, CheckState::Up | CheckState::Failing)
}

/// Whether it serves: HAProxy sends visitors there, and found it well since. One that has just been put back in
/// service is `UP 1/2` with the result of its last check before, until the next one.
pub fn serves(now: &RunningServer) -> bool {
    takes(now) && now.verdict == CheckState::Up && now.check.passed()
}

/// What the web servers are to each other: who serves, who waits for whom, which of them are one and the same. Found in
/// one go for all of them, for each plan and each picture: each of these is a question about all the others.
#[derive(Debug)]
pub struct Peers<'a> {
    /// Which take visitors now, by their ids: see [`takes`].
    takes: BTreeSet<u32>,
    /// Which serve them: see [`serves`].
    serves: BTreeSet<u32>,
    /// Those that were asked to leave and stay for now, because nobody else serves yet.
    held: BTreeSet<u32>,
    /// Those that are to serve and do not yet, in their order.
    coming: Vec<(u32, &'a ServerName)>,
    /// Those whose name has come to mean the address of another one, and of which.
    doubles: BTreeMap<u32, &'a ServerName>,
    /// One serves, is to stay, and stays where it is.
    settled: bool,
    /// The last of those that serve, are to stay, and whose names have begun to mean another address.
    last_mover: Option<u32>,
    /// How many are to serve.
    wanted: usize,
}

impl<'a> Peers<'a> {
    /// As wished and seen now.
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

    /// Finds who of those that were asked to leave stays for now. One that a person insists on does not wait. It goes
    /// once another one serves that stays, or is held itself: of two that were asked to leave the first one goes.
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
        // Those that come back go first, one after the other; whoever leaves for good waits for them.
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

    /// Whether that web server was asked to leave and stays for now.
    pub fn holds(&self, server: Web<'_>) -> bool {
        self.held.contains(&server.id)
    }

    /// If it does: those that are on their way, for which it stays.
    pub fn awaited(&self, server: Web<'_>) -> Option<Vec<ServerName>> {
        let others = || self.coming.iter().filter(|(id, _)| *id != server.id);
        self.holds(server).then(|| others().map(|(_, name)| (*name).clone()).collect())
    }

    /// The server whose address and port that web server's name has come to mean too. It is one server, not two: one of
    /// them would get twice its share, and be counted twice where only one may fall.
    pub fn double_of(&self, server: Web<'_>) -> Option<&'a ServerName> {
        self.doubles.get(&server.id).copied()
    }

    /// Whether one that moves may go now: another one serves meanwhile, and stays. Of two whose names move at once the
    /// first goes, and the other one after it.
    pub(super) fn lets_move(&self, server: Web<'_>) -> bool {
        self.settled || self.last_mover > Some(server.id)
    }

    /// Whether another one is to serve.
    pub(super) fn others_wanted(&self, server: Web<'_>) -> bool {
        self.wanted > usize::from(server.wanted())
    }
}

/// The web servers whose names have come to mean the address and port of another one.
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
    // One that does not serve there takes nobody's visitors: then the other one is the server.
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

/// The address of a server, when it has one or its name resolves.
pub(super) fn address(server: &Server, observed: &Observed) -> Option<IpAddr> {
    match &server.host {
        Host::Ip(ip) => Some(*ip),
        Host::Name(name) => observed.names.get(name)?.value().copied(),
    }
}

/// What HAProxy `web` has in service: asked of every server that leaves.
#[derive(Debug)]
pub(super) enum Service<'a> {
    /// It says so.
    Told(&'a Running),
    /// It does not answer.
    Silent,
    /// It does not run, and will do what its file says.
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

    /// Whether nobody is sent to that server any more. Of one that does not answer that is not known, unless a person
    /// insists.
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

/// Whether a process of ours answers nobody any more, or is about to: HAProxy finds that out at its next check only.
fn ended(process: &ProcessSeen) -> bool {
    match &process.leader {
        Some(leader) => leader.frozen || process.stopping_since.is_some(),
        None => !process.unlooked && process.ended_at.is_some(),
    }
}

/// Which web servers take visitors now, and which serve them.
struct Now {
    takes: BTreeSet<u32>,
    serves: BTreeSet<u32>,
}

impl Now {
    fn of(desired: &Desired, observed: &Observed) -> Self {
        let seen = observed.proxies.get(&PoolId::Web);
        let Some(running) = seen.and_then(|s| s.running.value()) else {
            // What its file has in service it has, or will have as soon as it is back.
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
