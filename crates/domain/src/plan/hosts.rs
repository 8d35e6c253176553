//! Processes on this machine: starts what should run, ends what should not.

use std::collections::BTreeMap;

use crate::db::failover::{self, decide};
use crate::decision::Decision;
use crate::desired::{Database, Either, Membership, Power, Run, Server};
use crate::haproxy::config::{self};
use crate::haproxy::setting::Setting;
use crate::ids::{Millis, PoolId, ProcessId, ProcessName, ServerName};
use crate::observed::{Observed, ProcessSeen, STALE};
use crate::scene::Scene;
use crate::seen::Seen;
use crate::step::{HostStep, Step, Subject};
use crate::text;

use super::databases::{opens_first, received};
use super::donor::donor;
use super::draining::{drains, stays};
use super::leaving::Service;
use super::{Plan, backoff_ms, places};

/// Milliseconds that a web server's process group has to end by itself.
const WEB_PATIENCE: u64 = crate::figures::WEB_PATIENCE;
/// The same for a database, which first writes its pages to disk.
const DB_PATIENCE: u64 = crate::figures::DATABASE_PATIENCE;

pub(super) fn plan(plan: &mut Plan, scene: Scene<'_>, setting: &Setting) {
    let Scene { desired, observed, now } = scene;
    for proxy in PoolId::ALL {
        proxy_process(plan, scene, setting, proxy);
    }
    let service = Service::of(observed, now);
    for server in desired.servers() {
        match server.runtime {
            Run::External => {}
            Run::Process { power, generation } => {
                let wished = Wished { power, generation };
                server_process(plan, scene, &service, server, wished);
            }
        }
    }
    for server in desired.web_servers().filter(|s| s.leaving) {
        if service.is_over(server) {
            plan.steps.push(Step::Wish(Decision::Depart { name: server.name.clone(), id: server.id }));
        }
    }
    // Only servers that may have something on this machine, which are few of many.
    let here = desired.servers().filter(|s| s.is_ours() || s.pool() == PoolId::Db);
    let here: BTreeMap<&ServerName, &Server> = here.map(|s| (&s.name, s)).collect();
    for (id, seen) in &observed.processes {
        let (pool, name) = match id {
            ProcessId::Proxy(_) => continue,
            ProcessId::Web(name) => (PoolId::Web, name),
            ProcessId::Database(name) => (PoolId::Db, name),
        };
        if !here.get(name).is_some_and(|s| s.is_ours() && s.pool() == pool) {
            removed(plan, scene, (pool, name), seen);
        }
    }
    for (name, made) in &observed.homes {
        // Another server may have taken the name already: the contents of the folder are not its own.
        let own = here.get(name).is_some_and(|s| made.is_of(s));
        if !own && observed.bearers(name).next().is_none() {
            plan.steps.push(Step::Host(HostStep::TrashHome { name: name.clone() }));
        }
    }
}

fn proxy_process(plan: &mut Plan, scene: Scene<'_>, setting: &Setting, proxy: PoolId) {
    let Scene { desired, observed, now } = scene;
    let id = ProcessId::Proxy(proxy);
    let process = observed.process(&id);
    if process.leader.is_some() {
        return;
    }
    let want = config::render(desired, proxy, setting, &places(scene, proxy));
    if observed.proxy(proxy).file.as_deref() == Some(want.text.as_str()) {
        start(plan, Start { id, server: 0, generation: 0, keeps: false }, process, now);
    }
}

/// What to start.
struct Start {
    id: ProcessId,
    server: u32,
    generation: u32,
    keeps: bool,
}

/// Reports whether nothing is left of an earlier process. What is left is ended first.
fn quiet(plan: &mut Plan, id: &ProcessId, process: &ProcessSeen) -> bool {
    if process.unlooked {
        let text = text!("wait-unlooked", name = id);
        plan.waiting.push((Subject::Process(id.name()), text));
    } else if !process.orphans.is_empty() {
        plan.steps.push(Step::Host(HostStep::KillProcess { id: id.clone(), pids: process.orphans.clone() }));
    } else {
        return true;
    }
    false
}

/// Starts a process, once nothing is left of an earlier one and its pause is over.
fn start(plan: &mut Plan, wanted: Start, process: &ProcessSeen, now: Millis) {
    let Start { id, server, generation, keeps } = wanted;
    if !quiet(plan, &id, process) {
        return;
    }
    let next = process.started_at.map_or(0, |at| at + backoff_ms(process.failures));
    if now >= next {
        plan.steps.push(Step::Host(HostStep::StartProcess { id, server, generation, keeps }));
    } else {
        let text = text!("wait-restart", seconds = (next - now).div_ceil(1_000), count = process.failures);
        plan.waiting.push((Subject::Process(id.name()), text));
    }
}

/// The desired state of a server's process.
#[derive(Clone, Copy)]
struct Wished {
    power: Power,
    generation: u32,
}

fn server_process(plan: &mut Plan, scene: Scene<'_>, service: &Service<'_>, server: &Server, wished: Wished) {
    let Scene { observed, now, .. } = scene;
    let id = server.process();
    let process = observed.process(&id);
    let Some(leader) = &process.leader else {
        match wished.power {
            Power::On if !at_home(plan, observed, server, process) => {
                // What another server left under its name goes first.
            }
            Power::On => absent(plan, scene, server, wished.generation),
            Power::Off => {
                if !process.orphans.is_empty() {
                    plan.steps.push(Step::Host(HostStep::KillProcess { id, pids: process.orphans.clone() }));
                }
            }
        }
        return;
    };
    let ended_at_once = match server.either() {
        Either::Web(_) => false,
        // It was started as the writer just when another one was elected: its log is saved first.
        Either::Database(database) => {
            matches!(database.membership, Membership::Returning { saved: None, .. })
                || waits_for_room(scene, database, process)
        }
    };
    if ended_at_once {
        plan.steps.push(Step::Host(HostStep::KillProcess { id, pids: vec![leader.pid] }));
        return;
    }
    // A process that was asked to end gets no new connections. If it is wanted again meanwhile, it ends first, by
    // force if necessary, and is started anew: otherwise it would be neither usable nor gone for as long as it does
    // not end.
    let asked = process.stopping_since.is_some();
    if wished.power == Power::On && !server.outdates(leader.server, leader.generation) && !asked {
        return;
    }
    // Visitors first: HAProxy sends nothing more before the process is asked to end.
    let in_use = || match server.either() {
        Either::Web(web) => !service.is_over(web),
        Either::Database(database) => drains(scene, database) || stays(scene, database),
    };
    if asked || !in_use() {
        end(plan, id, process, leader.pid, patience(server.pool()), now);
    }
}

/// Plans the start of a process that should run and does not, unless something else comes first.
fn absent(plan: &mut Plan, scene: Scene<'_>, server: &Server, generation: u32) {
    let Scene { desired, observed, now } = scene;
    let keeps = match server.either() {
        Either::Web(_) => true,
        // Its data come first.
        Either::Database(database) if !made_for(plan, scene, database) => return,
        // Another database may take over: which one writes is decided first.
        Either::Database(database) if desired.is_writer(&database.name) && !restarts(scene) => {
            return;
        }
        Either::Database(database) if !may_return(plan, scene, database) => return,
        Either::Database(database) => keeps(database.membership),
    };
    let id = server.process();
    let process = observed.process(&id);
    start(plan, Start { id, server: server.id, generation, keeps }, process, now);
}

/// Reports whether a database can be started with regard to being a former writer: the transactions that only its
/// log has were saved, before crash recovery takes back those not yet committed in its tables; and no database
/// receives from it any more.
fn may_return(plan: &mut Plan, scene: Scene<'_>, former: Database<'_>) -> bool {
    let Membership::Returning { limit, saved } = former.membership else { return true };
    if opens_first(scene, former) {
        return false;
    }
    let name = former.name.clone();
    if saved.is_none() {
        plan.steps.push(Step::Host(HostStep::SaveOwn { name, id: former.id, after: *limit }));
        return false;
    }
    let Some(peer) = received(scene, former) else { return true };
    let text = text!("wait-received", name = &former.name, peer = peer);
    plan.waiting.push((Subject::Process(former.process().name()), text));
    false
}

/// Returns how long a process of a server of that pool has to end by itself.
const fn patience(pool: PoolId) -> u64 {
    match pool {
        PoolId::Db => DB_PATIENCE,
        PoolId::Web => WEB_PATIENCE,
    }
}

/// Reports whether the folder of that name is the server's own, or still to be created. A process that is left of an
/// earlier server is ended here; the folder goes to the trash with everything that is not in the desired state, and
/// the new server waits until then. It also waits while a server of the other kind is still ending under this name,
/// even if the folder is gone: that server may hold the port.
pub(super) fn at_home(plan: &mut Plan, observed: &Observed, server: &Server, process: &ProcessSeen) -> bool {
    let id = server.process();
    if observed.own.unread.contains(&server.name) {
        let text = text!("wait-unread", name = &server.name);
        plan.waiting.push((Subject::Process(id.name()), text));
        return false;
    }
    let home = observed.homes.get(&server.name);
    let own = home.is_none_or(|made| made.is_of(server));
    if !own {
        quiet(plan, &id, process);
    }
    own && observed.former_bearer(server).is_none()
}

/// Milliseconds that a standby has to continue by itself once there is space again.
const GOES_ON: u64 = 4_000;
/// Milliseconds after which MariaDB has looked for space again by itself.
const LOOKS_AGAIN: u64 = 90_000;

/// Reports whether a database still waits for space although there is space again: MariaDB looks once a minute, and
/// cannot be told in between. Only a database that takes no writes is ended for that, and only under a writer that
/// answers: it holds nothing that the writer lacks.
fn waits_for_room(scene: Scene<'_>, server: Database<'_>, process: &ProcessSeen) -> bool {
    let Scene { desired, observed, now } = scene;
    let Some(again) = observed.own.again else { return false };
    let stuck = matches!(observed.beats.get(&server.name), Some(Seen::Failed { .. }));
    let standby = *server.membership == Membership::Member && !desired.takes_writes(server);
    let writer = desired.writer.as_ref().and_then(|w| observed.databases.get(w));
    let answers = writer.and_then(|w| w.fresh(now, STALE)).is_some_and(|w| !w.read_only);
    let older = process.started_at.is_none_or(|at| at < again);
    let waited = (GOES_ON..LOOKS_AGAIN).contains(&now.saturating_sub(again));
    stuck && standby && !desired.is_writer(&server.name) && answers && older && waited
}

/// Reports whether a database keeps at its start what it had logged and not yet committed in its tables. Only a
/// former writer whose log holds what no other database has takes that back. The log of any other database holds
/// nothing that the others do not have, and MariaDB would refuse to take back a part of it (10.11, "Cannot truncate
/// the binary log": a statement about accounts, or a table of Aria's or `MyISAM`'s, came after it).
const fn keeps(membership: &Membership) -> bool {
    !matches!(membership, Membership::Returning { saved: Some(saved), .. } if saved.count > 0)
}

/// Reports whether the database's data folder is complete and its own; otherwise plans the step that makes it so.
fn made_for(plan: &mut Plan, scene: Scene<'_>, server: Database<'_>) -> bool {
    let Scene { observed, .. } = scene;
    let name = || server.name.clone();
    match observed.initialised.get(&server.name) {
        Some(id) if *id == server.id => return true,
        // The data of the server that had this name before are being removed.
        Some(_) => {}
        None if *server.membership != Membership::Joining => {
            plan.steps.push(Step::Host(HostStep::InitDatabase { name: name(), id: server.id }));
        }
        None => {
            if let Some(donor) = donor(scene) {
                plan.steps.push(Step::Host(HostStep::CopyDatabase { name: name(), id: server.id, donor }));
            } else {
                let target = Subject::Process(ProcessName::Server(name()));
                plan.waiting.push((target, text!("wait-donor", name = &server.name)));
            }
        }
    }
    false
}

/// Reports whether a lost writer is to be started again where its data are.
fn restarts(scene: Scene<'_>) -> bool {
    matches!(decide(scene), failover::Decision::Restart(_) | failover::Decision::Keep)
}

fn end(plan: &mut Plan, id: ProcessId, process: &ProcessSeen, pid: u32, patience: u64, now: Millis) {
    match process.stopping_since {
        None => plan.steps.push(Step::Host(HostStep::StopProcess { id, pid })),
        Some(since) if now >= since + patience => {
            plan.steps.push(Step::Host(HostStep::KillProcess { id, pids: vec![pid] }));
        }
        Some(_) => {
            let text = text!("wait-stop", name = &id);
            plan.waiting.push((Subject::Process(id.name()), text));
        }
    }
}

/// Ends a server that is no longer in the desired state: first it leaves HAProxy, then its process ends.
fn removed(plan: &mut Plan, scene: Scene<'_>, (pool, name): (PoolId, &ServerName), seen: &ProcessSeen) {
    let Scene { desired, observed, now } = scene;
    let still_listed = observed
        .proxies
        .get(&pool)
        .and_then(|p| p.running.fresh(now, STALE))
        .and_then(|r| r.servers.get(name))
        // Another server may have taken the name already.
        .is_some_and(|s| desired.pool(pool).server(name).is_none_or(|w| w.id != s.id));
    if still_listed {
        return;
    }
    let id = ProcessId::of(pool, name.clone());
    if let Some(leader) = &seen.leader {
        end(plan, id, seen, leader.pid, patience(pool), now);
    } else if !seen.orphans.is_empty() {
        plan.steps.push(Step::Host(HostStep::KillProcess { id, pids: seen.orphans.clone() }));
    }
}
