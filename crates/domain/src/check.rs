//! Invariants that no plan may violate, after whichever step it stops. They judge the planner in property tests, and
//! do not use its code.

use crate::db::ids::Numbering;
use crate::desired::{Admin, Desired, Either, FULL_WEIGHT, Membership, Routing, Server};
use crate::haproxy::stats::{CheckState, Frontend, Listens};
use crate::ids::{Host, PoolId, ProcessId, ServerName};
use crate::observed::{Observed, Port};

/// A violated invariant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// Two databases take application writes.
    TwoWriters,
    /// A database other than the chosen one takes application writes.
    WrongWriter(String),
    /// A server that never passed a check gets visitors.
    Unproven(String),
    /// The process has a server that the wish does not contain.
    Extra(String),
    /// The process lacks a server, or has it with another address or other parameters than wished.
    Missing(String),
    /// A server that is out of service gets visitors.
    OutOfService(String),
    /// A proxy accepts fewer connections than its file allows, or none.
    Closed(PoolId),
    /// A process that should run does not, or the reverse.
    Process(String),
    /// The visitors' sessions are not kept where the wish says.
    Session,
    /// The file lists other servers than the wish.
    File(PoolId),
    /// A database that runs is not one of the members.
    Membership(String),
    /// A database numbers new rows in another way than wished.
    Numbers(String),
    /// A channel between two databases is missing.
    Channel(String, String),
    /// A step that no operator forced left the visitors without a web server; the last one that served.
    Deserted(String),
    /// If HAProxy `web` were started from its file, it would serve nobody.
    Unservable,
}

/// Returns the web servers that serve: HAProxy sends visitors there, the last check since then passed, and, if Cordée
/// started the server, its process runs and was not asked to end. After a reload HAProxy has not checked any server
/// yet, and sends visitors to those with a weight.
fn serving(desired: &Desired, observed: &Observed) -> Vec<ServerName> {
    let seen = observed.proxy(PoolId::Web);
    let lives = |name: &ServerName| {
        let process = observed.process(&ProcessId::Web(name.clone()));
        let ours = desired.web_server(name).is_some_and(|s| s.is_ours());
        !ours || (process.leader.is_some() && process.stopping_since.is_none())
    };
    let all = seen.running.value().into_iter().flat_map(|r| &r.servers);
    all.filter(|(_, s)| !s.maintenance && !s.drain && s.weight > 0 && s.verdict == CheckState::Up)
        .filter(|(_, s)| s.check.passed() || s.check.code.is_empty())
        .filter(|(name, _)| lives(name))
        .map(|(name, _)| name.clone())
        .collect()
}

/// Returns the faults that a step caused for visitors. `desired` is the wish before the step.
pub fn deserted(desired: &Desired, before: &Observed, after: &Observed) -> Vec<Fault> {
    let (served, serve) = (serving(desired, before), serving(desired, after));
    let insisted = |name: &ServerName| desired.web_server(name).is_none_or(|s| s.anyway);
    let mut faults = Vec::new();
    if serve.is_empty()
        && let Some(name) = served.iter().find(|name| !insisted(name))
    {
        faults.push(Fault::Deserted(name.to_string()));
    }
    let comes_up = |observed: &Observed| {
        let file = observed.proxy(PoolId::Web).file.as_deref().unwrap_or_default();
        let line = |name: &ServerName| {
            let begin = format!("server {name} ");
            file.lines().find(|l| l.trim().starts_with(&begin)).map(|l| l.to_owned() + " ")
        };
        let there = |name: &&ServerName| {
            line(name).is_some_and(|l| !l.contains(" weight 0 ") && !l.contains(" disabled "))
        };
        served.iter().chain(&serve).any(|name| there(&name))
    };
    if !served.iter().all(insisted) && comes_up(before) && !comes_up(after) {
        faults.push(Fault::Unservable);
    }
    faults
}

/// Returns the faults that must never occur, not even between two steps.
pub fn never(desired: &Desired, observed: &Observed) -> Vec<Fault> {
    let mut faults = Vec::new();
    let open: Vec<_> = observed
        .databases
        .iter()
        .filter(|(_, seen)| seen.value().is_some_and(|d| !d.read_only))
        .map(|(name, _)| name)
        .collect();
    if open.len() > 1 && desired.routing == Routing::OneWriter {
        faults.push(Fault::TwoWriters);
    }
    for name in open {
        if !desired.database(name).is_some_and(|s| desired.takes_writes(s) || desired.is_writer(name)) {
            faults.push(Fault::WrongWriter(name.to_string()));
        }
    }
    faults
}

/// Returns the servers started by Cordée to which HAProxy sends traffic although they do not listen: whichever program
/// listens there would get that traffic.
pub fn exposed(desired: &Desired, observed: &Observed) -> Vec<Fault> {
    let mut faults = Vec::new();
    for server in desired.servers().filter(|s| s.is_ours()) {
        let process = observed.process(&server.process());
        let seen = observed.proxy(server.pool());
        let there = seen.running.value().and_then(|r| r.servers.get(&server.name));
        let led = there.is_some_and(|s| !s.maintenance || !s.writer_maintenance);
        // A server that has never served has not been started yet: its weight is 0.
        let new = there.is_some_and(|s| s.weight == 0) && !drained(server);
        let foreign = matches!(process.port, Port::Foreign(_));
        if led && (foreign || (process.leader.is_none() && !new)) {
            faults.push(Fault::OutOfService(server.name.to_string()));
        }
    }
    faults
}

/// Returns everything that differs from the wish; empty if the cluster is as wished.
pub fn check(desired: &Desired, observed: &Observed) -> Vec<Fault> {
    let mut faults = never(desired, observed);
    for pool in PoolId::ALL {
        proxy(&mut faults, desired, observed, pool);
    }
    for server in desired.servers() {
        let id = server.process();
        let seen = observed.process(&id);
        let should = server.is_ours() && !server.stopped();
        let does = seen.leader.as_ref().is_some_and(|l| !server.outdates(l.server, l.generation));
        if should != does || (!should && seen.leader.is_some()) || !seen.orphans.is_empty() {
            faults.push(Fault::Process(server.name.to_string()));
        }
    }
    for (id, seen) in &observed.processes {
        if let Some(name) = id.server()
            && seen.leader.is_some()
            && !desired.servers().any(|s| s.runs_as(id))
        {
            faults.push(Fault::Process(name.to_string()));
        }
    }
    for server in desired.servers().filter(|s| !s.stopped()) {
        let there = match server.either() {
            Either::Web(web) => !web.leaving,
            Either::Database(database) => *database.membership == Membership::Member,
        };
        if !there {
            faults.push(Fault::Membership(server.name.to_string()));
        }
    }
    for server in desired.members().filter(|s| !s.stopped()) {
        let to = Numbering::wished(desired, server);
        let seen = observed.databases.get(&server.name).and_then(|d| d.value());
        if seen.and_then(|d| Numbering::of(&d.variables)).is_some_and(|is| is != to) {
            faults.push(Fault::Numbers(server.name.to_string()));
        }
    }
    for on in desired.members().filter(|s| !s.stopped()) {
        for from in desired.members().filter(|s| s.name != on.name) {
            let linked = observed
                .databases
                .get(&on.name)
                .and_then(|d| d.value())
                .is_some_and(|d| d.channels.contains_key(&from.name));
            if !linked {
                faults.push(Fault::Channel(on.name.to_string(), from.name.to_string()));
            }
        }
    }
    faults.sort();
    faults.dedup();
    faults
}

fn drained(server: &Server) -> bool {
    server.as_web().is_some_and(|web| web.admin == Admin::Drain)
}

fn proxy(faults: &mut Vec<Fault>, desired: &Desired, observed: &Observed, pool: PoolId) {
    let seen = observed.proxy(pool);
    let Some(running) = seen.running.value() else {
        faults.push(Fault::Process(format!("haproxy-{pool}")));
        return;
    };
    if pool == PoolId::Web
        && (running.mode != Some(desired.session) || seen.map.as_deref() != Some(&desired.session.map()))
    {
        faults.push(Fault::Session);
    }
    let limits = running.limits;
    let open = |f: &Frontend| f.listens == Listens::Open && f.most == limits.most_at_start;
    if limits.most != limits.most_at_start || limits.rates != 0 || !running.frontends.values().all(open) {
        faults.push(Fault::Closed(pool));
    }
    for (name, server) in &running.servers {
        if desired.pool(pool).server(name).is_none_or(|s| s.id != server.id) {
            faults.push(Fault::Extra(name.to_string()));
        }
    }
    let file = seen.file.as_deref().unwrap_or_default();
    for server in desired.pool(pool).servers.iter().filter(|s| s.listed()) {
        let ip = match &server.host {
            Host::Ip(ip) => Some(*ip),
            Host::Name(name) => observed.names.get(name).and_then(|n| n.value()).copied(),
        };
        let Some(ip) = ip else { continue };
        let name = server.name.to_string();
        if !file.contains(&format!("    server {name} ")) {
            faults.push(Fault::File(pool));
        }
        let Some(now) = running.servers.get(&server.name) else {
            faults.push(Fault::Missing(name));
            continue;
        };
        let bound = if pool == PoolId::Web { 48 } else { 0 };
        let elsewhere = now.checked_elsewhere || !(now.checked || now.maintenance);
        if now.ip != Some(ip) || now.port != server.port || now.most != bound || elsewhere {
            faults.push(Fault::Missing(name.clone()));
        }
        let wished_out = match server.either() {
            Either::Web(web) => web.admin == Admin::Maintenance || web.stopped() || web.leaving,
            Either::Database(database) => !desired.takes_writes(database) && !desired.is_writer(&server.name),
        };
        let process = observed.process(&server.process());
        let out = wished_out || (server.is_ours() && process.leader.is_none());
        if out != now.maintenance {
            faults.push(Fault::OutOfService(name.clone()));
        }
        let drain = drained(server) && !out;
        if drain != now.drain && !out {
            faults.push(Fault::OutOfService(name.clone()));
        }
        if server.as_web().is_some() && !out && !drain {
            let passed = now.check.passed();
            if now.weight > 0 && now.check.code.is_empty() {
                faults.push(Fault::Unproven(name.clone()));
            }
            if passed && now.weight != FULL_WEIGHT {
                faults.push(Fault::Missing(name));
            }
        }
    }
    if !running.waits {
        faults.push(Fault::Missing("no.database".to_owned()));
    }
    if !lists_all(desired, observed, pool, file) {
        faults.push(Fault::File(pool));
    }
}

/// Whether the file has as many server lines as there are wished servers.
fn lists_all(desired: &Desired, observed: &Observed, pool: PoolId, file: &str) -> bool {
    let listed = file.lines().filter(|l| l.starts_with("    server ")).count();
    let per = crate::haproxy::config::backends(pool).len();
    let wished = desired
        .pool(pool)
        .servers
        .iter()
        .filter(|s| s.listed())
        .filter(|s| match &s.host {
            Host::Ip(_) => true,
            Host::Name(n) => observed.names.get(n).and_then(|n| n.value()).is_some(),
        })
        .count();
    // The line of the server at which connections wait while no database is in service.
    let waiting = usize::from(pool == PoolId::Db);
    listed == (wished + waiting) * per
}
