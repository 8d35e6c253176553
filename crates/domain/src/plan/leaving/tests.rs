//! The relations that are computed at once for all web servers equal those found by a search for each of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use proptest::prelude::*;

use super::{Leave, Now, Peers, address, leave};
use crate::change::{RawServer, Request};
use crate::desired::{Admin, Desired, Web};
use crate::haproxy::stats::{Check, CheckState, Running, RunningServer};
use crate::ids::{Host, PoolId, ProcessId, ServerName, plain};
use crate::observed::{Leader, Observed};
use crate::plan::tests::{first, settle};
use crate::seen::Seen;
use crate::sim::World;

/// Returns which servers wait for which, by a search.
pub(in crate::plan) fn waiting(
    desired: &Desired,
    observed: &Observed,
) -> BTreeMap<ServerName, Vec<ServerName>> {
    let now = Now::of(desired, observed);
    let servers = || desired.web_servers();
    let mut held: Vec<(Web<'_>, Leave)> = servers()
        .filter(|s| !s.anyway && now.takes.contains(&s.id))
        .filter_map(|s| Some((s, leave(s, observed)?)))
        .collect();
    let others_serve = |held: &[(Web<'_>, Leave)], but: Web<'_>| {
        let stays = |s: Web<'_>| leave(s, observed).is_none() || held.iter().any(|(h, _)| h.id == s.id);
        servers().any(|s| s.id != but.id && stays(s) && now.serves.contains(&s.id))
    };
    for comes_back in [true, false] {
        for (server, how) in held.clone() {
            let turn = (how == Leave::Restart) == comes_back;
            let before = !comes_back && held.iter().any(|(_, how)| *how == Leave::Restart);
            let stay = servers().any(|s| leave(s, observed).is_none() && now.serves.contains(&s.id));
            if turn && (!before || stay) && others_serve(&held, server) {
                held.retain(|(h, _)| h.id != server.id);
            }
        }
    }
    let comes = |s: &Web<'_>| s.wanted() && !now.serves.contains(&s.id);
    held.into_iter()
        .map(|(server, _)| {
            let on_their_way = servers().filter(comes).filter(|s| s.id != server.id);
            (server.name.clone(), on_their_way.map(|s| s.name.clone()).collect())
        })
        .collect()
}

/// Returns the server whose double that one is, by a search.
fn double_of<'a>(desired: &'a Desired, observed: &Observed, server: Web<'_>) -> Option<&'a ServerName> {
    let Host::Name(_) = server.host else { return None };
    let ip = plain(address(&server, observed)?);
    let first = |other: &Web<'_>| match other.host {
        Host::Ip(_) => true,
        Host::Name(_) => other.id < server.id,
    };
    let same = |other: &Web<'_>| address(other, observed).is_some_and(|at| plain(at) == ip);
    let visited = |other: &Web<'_>| Now::of(desired, observed).serves.contains(&other.id);
    desired
        .web_servers()
        .find(|o| {
            o.id != server.id && o.port == server.port && first(o) && same(o) && o.wanted() && visited(o)
        })
        .map(|other| &other.server.name)
}

/// Reports whether a server whose name resolves to another address than HAProxy uses may move there now, by a
/// search.
fn lets_move(desired: &Desired, observed: &Observed, server: Web<'_>) -> bool {
    let now = Now::of(desired, observed);
    let stays = |s: &Web<'_>| {
        s.id != server.id
            && leave(*s, observed).is_none()
            && now.serves.contains(&s.id)
            && !(s.id < server.id && moves(observed, *s))
    };
    desired.web_servers().any(|s| stays(&s))
}

fn moves(observed: &Observed, server: Web<'_>) -> bool {
    let running = observed.proxies.get(&PoolId::Web).and_then(|p| p.running.value());
    let there = running.and_then(|r| r.servers.get(&server.name)).filter(|r| r.id == server.id);
    there.is_some_and(|r| address(&server, observed).is_some_and(|a| r.ip != Some(a)))
}

/// Compares both results for each web server.
pub(in crate::plan) fn agree(desired: &Desired, observed: &Observed) {
    let peers = Peers::of(desired, observed);
    let waits = waiting(desired, observed);
    for server in desired.web_servers() {
        assert_eq!(peers.awaited(server).as_ref(), waits.get(&server.name), "{}", server.name);
        assert_eq!(peers.holds(server), waits.contains_key(&server.name), "{}", server.name);
        assert_eq!(peers.double_of(server), double_of(desired, observed, server), "{}", server.name);
        if moves(observed, server) {
            assert_eq!(peers.lets_move(server), lets_move(desired, observed, server), "{}", server.name);
        }
        let others = desired.web_servers().any(|s| s.id != server.id && s.wanted());
        assert_eq!(peers.others_wanted(server), others, "{}", server.name);
    }
}

/// One web server of a world that the tests of whole histories do not produce often enough.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is one thing that may be so or not")]
struct One {
    /// Its host is a name that resolves to an address with this last part; without one it has an address of its own.
    named: Option<u8>,
    /// The name cannot be resolved.
    lost: bool,
    admin: Admin,
    leaving: bool,
    anyway: bool,
    /// It is one of Cordée's own, of an older generation than wanted.
    outdated: bool,
    /// What HAProxy reports about it, if HAProxy has it. With `other`, HAProxy has it under another id.
    there: Option<(CheckState, bool, bool)>,
    other: bool,
    /// HAProxy has it at the address that its name resolved to before.
    elsewhere: bool,
}

fn one() -> impl Strategy<Value = One> {
    let verdicts = vec![CheckState::Up, CheckState::Up, CheckState::Failing, CheckState::Down];
    let admins = vec![Admin::Ready, Admin::Ready, Admin::Drain, Admin::Maintenance];
    let named = prop::option::of(0..3_u8);
    let rare = || prop::bool::weighted(0.15);
    let there = prop::option::weighted(0.9, (prop::sample::select(verdicts), rare(), rare()));
    let wish = (prop::sample::select(admins), rare(), rare(), rare());
    (named, rare(), wish, there, rare(), any::<bool>()).prop_map(
        |(named, lost, (admin, leaving, anyway, outdated), there, other, elsewhere)| One {
            named,
            lost,
            admin,
            leaving,
            anyway,
            outdated,
            there,
            other,
            elsewhere,
        },
    )
}

/// What an HAProxy instance reports once all is well.
static SETTLED: LazyLock<Running> = LazyLock::new(|| {
    let (mut desired, mut world, mut memory) = (first(), World::at(1_000_000), Observed::default());
    settle(&mut desired, &mut world, &mut memory);
    memory.proxy(PoolId::Web).running.value().expect("it runs").clone()
});

fn world(all: &[One], answers: bool) -> (Desired, Observed) {
    let mut desired = first();
    desired.web.servers.clear();
    let mut observed = Observed::default();
    let settled = &*SETTLED;
    let sample = settled.servers.values().next().expect("one");
    let mut running = Running { servers: BTreeMap::new(), ..settled.clone() };
    for (n, one) in all.iter().enumerate() {
        let host = one.named.map_or_else(|| format!("10.0.0.{}", n % 3), |_| format!("host{n}.lan"));
        let raw = RawServer { name: format!("w{n}"), address: Some(host), ..RawServer::default() };
        let server = raw.parse(|| Ok(Vec::new())).expect("a server");
        let Ok(next) = desired.apply(&Request::AddServer { pool: PoolId::Web, server }) else { continue };
        desired = next;
        let server = desired.web.servers.last_mut().expect("it was added");
        let web = server.web_mut().expect("a web server");
        (web.admin, web.leaving, web.anyway) = (one.admin, one.leaving, one.anyway);
        let (id, name) = (server.id, server.name.clone());
        if one.outdated && one.named.is_none() {
            server.runtime = crate::desired::Run::STARTED;
            let leader = Leader { pid: 7, server: id + 1_000, generation: 0, frozen: false };
            let process = observed.processes.entry(ProcessId::Web(name.clone())).or_default();
            process.leader = Some(leader);
        }
        let to = one.named.map(|last| [10, 0, 0, last].into());
        if let (Host::Name(host), Some(to), false) = (&server.host, to, one.lost) {
            observed.names.insert(host.clone(), Seen::At(1, to));
        }
        if let Some((verdict, maintenance, unchecked)) = one.there {
            let code = if unchecked { "" } else { "L7OK" };
            let ip = if one.elsewhere { Some([10, 9, 9, 9].into()) } else { address(server, &observed) };
            let there = RunningServer {
                id: if one.other { id + 1_000 } else { id },
                ip,
                port: server.port,
                maintenance,
                weight: 100,
                verdict,
                check: Check { code: code.to_owned(), ..Check::default() },
                ..sample.clone()
            };
            running.servers.insert(name, there);
        }
    }
    if answers {
        observed.proxies.entry(PoolId::Web).or_default().running = Seen::At(1, running);
    }
    (desired, observed)
}

proptest! {
    #[test]
    fn what_is_found_for_all_at_once_is_what_a_search_for_each_finds(
        all in prop::collection::vec(one(), 0..9),
        answers in prop::bool::weighted(0.9),
    ) {
        let (desired, observed) = world(&all, answers);
        agree(&desired, &observed);
    }
}

/// The property above is meaningful only if its worlds contain what it compares.
#[test]
fn those_worlds_have_some_that_wait_are_doubles_or_move() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut met: BTreeSet<&str> = BTreeSet::new();
    for _ in 0..400 {
        let tree = prop::collection::vec(one(), 0..9).new_tree(&mut runner).expect("a world");
        let (desired, observed) = world(&proptest::strategy::ValueTree::current(&tree), true);
        let peers = Peers::of(&desired, &observed);
        for server in desired.web_servers() {
            met.extend(peers.holds(server).then_some("waits"));
            met.extend(peers.awaited(server).is_some_and(|others| !others.is_empty()).then_some("awaits"));
            met.extend(peers.double_of(server).map(|_| "double"));
            let moves = moves(&observed, server);
            met.extend(moves.then(|| if peers.lets_move(server) { "moves" } else { "stays" }));
        }
    }
    assert_eq!(met.into_iter().collect::<Vec<_>>(), ["awaits", "double", "moves", "stays", "waits"]);
}
