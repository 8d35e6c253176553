//! Make before break: a web server that was asked to leave goes on serving until another one serves.
//!
//! What serves is what HAProxy says. Not knowing is neither serving nor absent: while HAProxy cannot be asked, what its
//! file has in service stays there.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::desired::{Admin, Desired, Server, Web};
use crate::haproxy::config;
use crate::haproxy::stats::{CheckState, RunningServer};
use crate::ids::{Millis, PoolId, ProcessId, ServerName};
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

/// Web servers that were asked to leave and stay for now, because nobody else serves yet; each with those that are on
/// their way. One that a person insists on does not wait.
pub fn waiting(desired: &Desired, observed: &Observed) -> BTreeMap<ServerName, Vec<ServerName>> {
    let now = Now::of(desired, observed);
    let servers = || desired.web_servers();
    let mut held: Vec<(Web<'_>, Leave)> = servers()
        .filter(|s| !s.anyway && now.takes.contains(&s.name))
        .filter_map(|s| Some((s, leave(s, observed)?)))
        .collect();
    let others_serve = |held: &[(Web<'_>, Leave)], but: Web<'_>| {
        let stays = |s: Web<'_>| leave(s, observed).is_none() || held.iter().any(|(h, _)| h.id == s.id);
        servers().any(|s| s.id != but.id && stays(s) && now.serves.contains(&s.name))
    };
    // Those that come back go first, one after the other; whoever leaves for good waits for them.
    for comes_back in [true, false] {
        for (server, how) in held.clone() {
            let turn = (how == Leave::Restart) == comes_back;
            let before = !comes_back && held.iter().any(|(_, how)| *how == Leave::Restart);
            let stay = servers().any(|s| leave(s, observed).is_none() && now.serves.contains(&s.name));
            if turn && (!before || stay) && others_serve(&held, server) {
                held.retain(|(h, _)| h.id != server.id);
            }
        }
    }
    let comes = |s: &Web<'_>| s.wanted() && !now.serves.contains(&s.name);
    held.into_iter()
        .map(|(server, _)| {
            let on_their_way = servers().filter(comes).filter(|s| s.id != server.id);
            (server.name.clone(), on_their_way.map(|s| s.name.clone()).collect())
        })
        .collect()
}

/// Whether that web server serves now.
pub(super) fn serves_now(desired: &Desired, observed: &Observed, server: Web<'_>) -> bool {
    Now::of(desired, observed).serves.contains(&server.name)
}

/// Whether another web server serves and is to stay, of those that `count`.
pub(super) fn others_serve(
    desired: &Desired,
    observed: &Observed,
    but: Web<'_>,
    count: impl Fn(Web<'_>) -> bool,
) -> bool {
    let now = Now::of(desired, observed);
    let stays = |s: &Web<'_>| s.id != but.id && leave(*s, observed).is_none() && count(*s);
    desired.web_servers().filter(stays).any(|s| now.serves.contains(&s.name))
}

/// Whether HAProxy `web` sends nobody to that server any more. One that does not answer may, unless a person insists;
/// one that has ended will do what its file says.
pub(super) fn out_of_service(server: Web<'_>, observed: &Observed, now: Millis) -> bool {
    let seen = observed.proxies.get(&PoolId::Web);
    let runs = observed.processes.get(&ProcessId::Proxy(PoolId::Web)).is_some_and(|p| p.leader.is_some());
    if !runs {
        let file = seen.and_then(|s| s.file.as_deref());
        return file.is_none_or(|file| !config::enabled_in(file).contains(server.name.as_str()));
    }
    match seen.and_then(|s| s.running.fresh(now, STALE)) {
        Some(running) => running.servers.get(&server.name).is_none_or(|s| s.id != server.id || s.maintenance),
        None => server.anyway,
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
    takes: BTreeSet<ServerName>,
    serves: BTreeSet<ServerName>,
}

impl Now {
    fn of(desired: &Desired, observed: &Observed) -> Self {
        let seen = observed.proxies.get(&PoolId::Web);
        let servers = desired.web_servers();
        let Some(running) = seen.and_then(|s| s.running.value()) else {
            // What its file has in service it has, or will have as soon as it is back.
            let file = seen.and_then(|s| s.file.as_deref()).unwrap_or_default();
            let (enabled, proven) = (config::enabled_in(file), config::proven_in(file));
            let there = |s: &Web<'_>| {
                let name = s.name.as_str();
                enabled.contains(name) && proven.contains(name)
            };
            let takes = servers.filter(there).map(|s| s.name.clone()).collect();
            return Self { takes, serves: BTreeSet::new() };
        };
        let of = |which: fn(&RunningServer) -> bool| {
            let there = move |s: &Web<'_>| {
                running.servers.get(&s.name).is_some_and(|now| now.id == s.id && which(now))
            };
            desired.web_servers().filter(there)
        };
        let names = |servers: &mut dyn Iterator<Item = Web<'_>>| servers.map(|s| s.name.clone()).collect();
        let ends = |s: &Web<'_>| {
            let process = observed.processes.get(&s.process());
            s.is_ours() && process.is_some_and(ended)
        };
        Self { takes: names(&mut of(takes)), serves: names(&mut of(serves).filter(|s| !ends(s))) }
    }
}
