//! The two HAProxy instances: keeps file and process equal, without a reload wherever the runtime API suffices.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use crate::desired::{Admin, Database, Desired, Either, FULL_WEIGHT, Routing, Server, Web};
use crate::figures;
use crate::haproxy::config::{self, Rendered, ServerLine};
use crate::haproxy::runtime::State;
use crate::haproxy::setting::Setting;
use crate::haproxy::stats::{CheckState, Listens, Running, RunningServer};
use crate::ids::{PoolId, ProcessId, ServerName};
use crate::observed::{Observed, Port, ProxySeen, STALE};
use crate::scene::Scene;
use crate::seen::Seen;
use crate::step::{ConfigText, ProxyStep, Step, Subject};
use crate::text;
use crate::text::Thing;

use super::leaving::{Peers, address};
use super::{Opening, Plan, draining, leaving, opening};

/// Returns the place of each server of a pool, as far as it is known. A server whose name does not resolve has no
/// place, unless HAProxy has it already.
pub fn places(scene: Scene<'_>, proxy: PoolId) -> BTreeMap<ServerName, ServerLine> {
    places_among(scene, &Peers::of(scene.desired, scene.observed), proxy)
}

/// Returns the same, using relations between the web servers that were computed before.
pub(crate) fn places_among(
    scene: Scene<'_>,
    peers: &Peers<'_>,
    proxy: PoolId,
) -> BTreeMap<ServerName, ServerLine> {
    let Scene { desired, observed, .. } = scene;
    let seen = observed.proxy(proxy);
    let running = seen.running.value();
    // HAProxy does not run: the file says which servers were proven before.
    let file = seen.file.as_deref().filter(|_| running.is_none());
    let in_file = file.map(config::proven_in).unwrap_or_default();
    desired
        .pool(proxy)
        .servers
        .iter()
        // A new database has no place before it is a member.
        .filter(|server| server.listed())
        .filter_map(|server| {
            let named = running.and_then(|r| r.servers.get(&server.name));
            let there = named.filter(|s| s.id == server.id);
            // A server whose name cannot be resolved now stays where HAProxy has it.
            let ip = address(server, observed).or_else(|| there.and_then(|s| s.ip))?;
            let (ip, moves) = match (server.either(), there) {
                (Either::Web(web), _) if peers.double_of(web).is_some() => return None,
                (Either::Web(web), Some(now)) => moving(peers, web, now, ip),
                (Either::Web(_), None) | (Either::Database(_), _) => (ip, false),
            };
            let proven = there.map_or_else(|| in_file.contains(server.name.as_str()), |s| s.weight > 0);
            let restarting = leaving::restarting(server, observed);
            let (held, stays) = match server.either() {
                Either::Web(web) => (moves || restarting, peers.holds(web)),
                Either::Database(database) => {
                    let restarts = restarting && !desired.is_writer(&server.name);
                    let held = restarts || closed(desired, database, observed);
                    (held, draining::drains(scene, database))
                }
            };
            let gone = gone(server, observed, there, proven);
            Some((server.name.clone(), ServerLine { ip, proven, held, stays, gone }))
        })
        .collect()
}

/// Reports whether a database gets no connections while all databases write, because it was not seen open. While it
/// cannot be asked nothing changes: HAProxy checks it by itself, and a Cordée that has just been started must not
/// cut anybody off.
fn closed(desired: &Desired, server: Database<'_>, observed: &Observed) -> bool {
    if desired.routing == Routing::OneWriter {
        return false;
    }
    let process = observed.process(&server.process());
    match observed.databases.get(&server.name).and_then(|d| d.value()) {
        Some(seen) => seen.read_only,
        // A database that ended, or that Cordée started and has not asked yet, is not open.
        None if server.is_ours() && (process.leader.is_none() || process.started_at.is_some()) => true,
        None => observed
            .proxy(PoolId::Db)
            .running
            .value()
            .and_then(|r| r.servers.get(&server.name))
            .is_none_or(|s| s.maintenance),
    }
}

/// Milliseconds after its start in which a writer that is not open yet is expected to open.
const YOUNG: u64 = figures::ELECTION_PATIENCE;

/// Reports whether the writer is closed and about to be opened. Until then HAProxy sends no connection to it:
/// clients wait, and never meet a database that refuses writes. A writer that stays closed serves reads.
fn opens_soon(scene: Scene<'_>, server: Database<'_>) -> bool {
    let Scene { desired, observed, now } = scene;
    if !desired.is_writer(&server.name) || desired.handover.is_some() {
        return false;
    }
    let process = observed.process(&server.process());
    let young = process.started_at.is_some_and(|at| now.saturating_sub(at) < YOUNG);
    match observed.databases.get(&server.name) {
        Some(Seen::At(_, seen)) if !seen.read_only => false,
        Some(Seen::At(..)) => match opening(scene, server) {
            Opening::Open => true,
            Opening::Later(_) => young,
            Opening::Refused(_) | Opening::Unknown => false,
        },
        // Its first answer is waited for, however long crash recovery takes: the database is closed until Cordée
        // opens it. For an external database that is not known.
        None | Some(Seen::Never) => server.is_ours(),
        Some(Seen::Failed { last, .. }) => server.is_ours() && (young || *last < process.started_at),
    }
}

/// Returns the address that a web server is to have after its name began to resolve to another address, and whether
/// it is out of service on its way there: what answers at the new address has not passed a check. While no other
/// server serves and another is expected to, it stays where it is.
fn moving(peers: &Peers<'_>, server: Web<'_>, now: &RunningServer, to: IpAddr) -> (IpAddr, bool) {
    let Some(from) = now.ip.filter(|ip| *ip != to && leaving::takes(now)) else {
        return (to, false);
    };
    if peers.lets_move(server) {
        (to, true)
    } else if peers.others_wanted(server) {
        (from, false)
    } else {
        (to, false)
    }
}

/// Reports whether a server of Cordée's is proven not to listen on its port, so that whatever listens there is
/// another program. An unknown state changes nothing: the server stays as it is in HAProxy. A server that has never
/// served has no weight and no visitor to lose, and is to be checked as soon as it listens.
fn gone(server: &Server, observed: &Observed, there: Option<&RunningServer>, proven: bool) -> bool {
    if !server.is_ours() {
        return false;
    }
    let process = observed.process(&server.process());
    let drained = server.as_web().is_some_and(|web| web.admin == Admin::Drain);
    match (&process.leader, &process.port) {
        (Some(_), Port::Ours) => false,
        (None, Port::Free)
            if !proven && !drained && process.started_at.is_none() && process.ended_at.is_none() =>
        {
            false
        }
        (_, Port::Foreign(_)) | (None, Port::Free | Port::Ours) => true,
        // Its end was seen, and no other process was started.
        (None, Port::Unknown) if process.ended_at.is_some() => true,
        // This also covers the time between its start and its first listening on its port.
        (Some(_), Port::Free | Port::Unknown) | (None, Port::Unknown) => {
            there.is_some_and(|s| s.maintenance && s.writer_maintenance)
        }
    }
}

pub(super) fn plan(plan: &mut Plan, scene: Scene<'_>, peers: &Peers<'_>, setting: &Setting) {
    let Scene { desired, observed, .. } = scene;
    let wished = PoolId::ALL.map(|proxy| (proxy, desired.pool(proxy).by_name()));
    for (proxy, wished) in &wished {
        cut_off_of(&mut plan.steps, scene, *proxy, wished);
    }
    for (proxy, wished) in &wished {
        let proxy = *proxy;
        let seen = observed.proxy(proxy);
        let places = places_among(scene, peers, proxy);
        let process = observed.process(&ProcessId::Proxy(proxy));
        // The map comes before HAProxy's own file, which names it: HAProxy does not start without it.
        if proxy == PoolId::Web && seen.map.as_deref() != Some(desired.session.map().as_str()) {
            plan.steps.push(Step::Proxy(ProxyStep::WriteSession { mode: desired.session }));
        }
        if process.leader.is_none() {
            let want = config::render(desired, proxy, setting, &places);
            write(plan, seen, proxy, &want, true);
            continue;
        }
        running_proxy(plan, scene, setting, (proxy, wished), places);
    }
}

/// Adds the step that writes the file, unless the file is written already.
fn write(plan: &mut Plan, seen: &ProxySeen, proxy: PoolId, want: &Rendered, check: bool) {
    if seen.file.as_deref() != Some(want.text.as_str()) {
        let text = ConfigText(want.text.clone());
        plan.steps.push(Step::Proxy(ProxyStep::WriteConfig { proxy, text, check }));
    }
}

fn running_proxy(
    plan: &mut Plan,
    scene: Scene<'_>,
    setting: &Setting,
    (proxy, wished): (PoolId, &Wished<'_>),
    mut places: BTreeMap<ServerName, ServerLine>,
) {
    let Scene { desired, observed, now: time } = scene;
    let seen = observed.proxy(proxy);
    let Some(running) = seen.running.fresh(time, STALE) else {
        let text = text!("wait-proxy-silent", proxy = Thing::Proxy(proxy));
        plan.waiting.push((Subject::Proxy(proxy), text));
        return;
    };
    let want = config::render(desired, proxy, setting, &places);
    let reload = running.shape.as_ref() != Some(&want.shape)
        || unproven(seen, proxy, running)
        || seen.needs_reload.iter().any(|n| desired.pool(proxy).server(n).is_some());
    if reload {
        // A worker starts every server UP: a server that is down now must first pass a check again.
        for (name, place) in &mut places {
            let down = |s: &RunningServer| matches!(s.verdict, CheckState::Down | CheckState::Recovering);
            if proxy == PoolId::Web && running.servers.get(name).is_some_and(down) {
                place.proven = false;
            }
        }
        let want = config::render(desired, proxy, setting, &places);
        if let Some(refused) = seen.refused.as_ref().filter(|r| r.holds(time) && r.text.0 == want.text) {
            plan.waiting.push((Subject::Proxy(proxy), refused.why.clone()));
            return;
        }
        write(plan, seen, proxy, &want, true);
        plan.steps.push(Step::Proxy(ProxyStep::Reload { proxy, shape: want.shape.clone() }));
        return;
    }
    // The file first: if HAProxy restarted now, it would come up as wanted.
    write(plan, seen, proxy, &want, false);
    if proxy == PoolId::Web && running.mode.is_some_and(|mode| mode != desired.session) {
        plan.steps.push(Step::Proxy(ProxyStep::SetSession { mode: desired.session }));
    }
    unbind(plan, proxy, running);
    for name in places.iter().filter(|(_, place)| place.stays).map(|(name, _)| name) {
        let text = match proxy {
            PoolId::Web => text!("wait-serves", name = name),
            PoolId::Db => text!("wait-drains", name = name),
        };
        plan.waiting.push((Subject::Proxy(proxy), text));
    }
    remove(plan, wished, proxy, running, &places);
    for server in &desired.pool(proxy).servers {
        let Some(place) = places.get(&server.name) else { continue };
        let to = SocketAddr::new(place.ip, server.port);
        match running.servers.get(&server.name) {
            None => {
                let (name, id, out) = (server.name.clone(), server.id, place.gone);
                plan.steps.push(Step::Proxy(ProxyStep::AddServer { proxy, name, id, to, out }));
            }
            Some(now) if now.id == server.id => {
                let mut wish = config::wish(desired, server, *place);
                let opens = |base| opens_soon(scene, base);
                if server.as_database().is_some_and(opens) {
                    let led = (wish.maintenance, wish.writer_maintenance);
                    wish.maintenance |= now.maintenance && desired.routing == Routing::OneWriter;
                    wish.writer_maintenance |= now.writer_maintenance;
                    if led != (wish.maintenance, wish.writer_maintenance) {
                        let text = text!("wait-opens", name = &server.name);
                        plan.waiting.push((Subject::Proxy(proxy), text));
                    }
                }
                adjust(plan, proxy, server, now, to, wish);
            }
            // An older server of that name: `remove` takes it out first.
            Some(_) => {}
        }
    }
}

/// Returns the steps that take servers that are gone out of HAProxy. They come before everything else, even the file:
/// a program that takes the port of such a server must get no visitor.
pub fn cut_off(scene: Scene<'_>) -> Vec<Step> {
    let mut steps = Vec::new();
    for proxy in PoolId::ALL {
        cut_off_of(&mut steps, scene, proxy, &scene.desired.pool(proxy).by_name());
    }
    steps
}

/// The servers of one pool by their names.
type Wished<'a> = BTreeMap<&'a ServerName, &'a Server>;

fn cut_off_of(steps: &mut Vec<Step>, scene: Scene<'_>, proxy: PoolId, wished: &Wished<'_>) {
    let Scene { observed, now, .. } = scene;
    let Some(running) = observed.proxy(proxy).running.fresh(now, STALE) else { return };
    if observed.process(&ProcessId::Proxy(proxy)).leader.is_none() {
        return;
    }
    let leads = |there: &RunningServer| !there.maintenance || !there.writer_maintenance;
    for (name, there) in running.servers.iter().filter(|(_, there)| leads(there)) {
        let wish = wished.get(name).filter(|s| s.id == there.id);
        let gone = wish.map_or_else(
            // The server is being removed, and no process of that name runs. A Cordée that has just been started
            // does not know whether one ran before.
            || observed.process(&ProcessId::of(proxy, name.clone())).leader.is_none(),
            |server| gone(server, observed, Some(there), there.weight > 0),
        );
        if gone {
            let (name, state, writer) = (name.clone(), State::Maintenance, State::Maintenance);
            steps.push(Step::Proxy(ProxyStep::SetState { proxy, name, state, writer }));
        }
    }
}

/// Reports whether the process may run something that no command corrects: a worker that somebody else had started
/// holds values that cannot be read.
pub(crate) fn unproven(seen: &ProxySeen, proxy: PoolId, running: &Running) -> bool {
    seen.doubted == Some(running.pid)
        || config::frontends(proxy)
            .iter()
            .any(|name| running.frontends.get(*name).is_some_and(|f| f.listens == Listens::Shut))
        || running.servers.values().any(|server| server.checked_elsewhere)
        || !running.waits
}

/// Lifts the limits that keep visitors out of the process as a whole.
fn unbind(plan: &mut Plan, proxy: PoolId, running: &Running) {
    if bounded(running) {
        plan.steps.push(Step::Proxy(ProxyStep::LiftLimits { proxy }));
    }
    let most = running.limits.most_at_start;
    for name in config::frontends(proxy).iter().copied() {
        let Some(now) = running.frontends.get(name) else { continue };
        let paused = now.listens == Listens::Paused;
        if paused || now.most != most {
            plan.steps.push(Step::Proxy(ProxyStep::OpenFrontend { proxy, name, most, paused }));
        }
    }
}

/// Reports whether the process accepts fewer connections than its file allows.
pub(crate) const fn bounded(running: &Running) -> bool {
    running.limits.most != running.limits.most_at_start || running.limits.rates > 0
}

/// Removes the servers that the process has and the desired state does not.
fn remove(
    plan: &mut Plan,
    wished: &Wished<'_>,
    proxy: PoolId,
    running: &Running,
    places: &BTreeMap<ServerName, ServerLine>,
) {
    for (name, server) in &running.servers {
        // A database that is not a member yet, or a web server whose address is also another one's.
        let joining = !places.contains_key(name);
        if wished.get(name).is_some_and(|s| s.id == server.id) && !joining {
            continue;
        }
        let name = name.clone();
        if !server.maintenance || !server.writer_maintenance {
            let (state, writer) = (State::Maintenance, State::Maintenance);
            plan.steps.push(Step::Proxy(ProxyStep::SetState { proxy, name, state, writer }));
        } else if server.sessions == 0 {
            plan.steps.push(Step::Proxy(ProxyStep::DeleteServer { proxy, name }));
        } else {
            let text = text!("wait-requests", name = &name, count = server.sessions);
            plan.waiting.push((Subject::Proxy(proxy), text));
        }
    }
}

/// Brings one running server to its desired state.
fn adjust(
    plan: &mut Plan,
    proxy: PoolId,
    server: &Server,
    now: &RunningServer,
    to: SocketAddr,
    wish: config::RuntimeWish,
) {
    let name = || server.name.clone();
    let moves = now.ip != Some(to.ip()) || now.port != to.port();
    if moves && proxy == PoolId::Web && wish.maintenance && !now.maintenance {
        // No visitor is sent to an address that no check has seen.
        let (state, writer) = (State::Maintenance, State::Maintenance);
        plan.steps.push(Step::Proxy(ProxyStep::SetState { proxy, name: name(), state, writer }));
    }
    if moves {
        plan.steps.push(Step::Proxy(ProxyStep::SetAddress { proxy, name: name(), to }));
    }
    let most = config::most(proxy);
    if now.most != most {
        plan.steps.push(Step::Proxy(ProxyStep::SetMost { proxy, name: name(), most }));
    }
    let state = match (wish.maintenance, wish.drain) {
        (true, _) => State::Maintenance,
        (false, true) => State::Drain,
        (false, false) => State::Ready,
    };
    let state_is = match (now.maintenance, now.drain) {
        (true, _) => State::Maintenance,
        (false, true) => State::Drain,
        (false, false) => State::Ready,
    };
    let writer = if wish.writer_maintenance { State::Maintenance } else { state };
    let unchecked = state != State::Maintenance && (now.verdict == CheckState::Unchecked || !now.checked);
    if state != state_is || wish.writer_maintenance != now.writer_maintenance || !now.uniform || unchecked {
        plan.steps.push(Step::Proxy(ProxyStep::SetState { proxy, name: name(), state, writer }));
        return;
    }
    if state != State::Ready {
        return;
    }
    if now.weight != FULL_WEIGHT {
        let good = matches!(now.verdict, CheckState::Up | CheckState::Failing) && now.check.passed();
        if now.weight != 0 || good || proxy == PoolId::Db {
            plan.steps.push(Step::Proxy(ProxyStep::SetWeight { proxy, name: name(), weight: FULL_WEIGHT }));
        } else {
            let text = text!("wait-first-check", name = &server.name);
            plan.waiting.push((Subject::Proxy(proxy), text));
        }
    }
}
