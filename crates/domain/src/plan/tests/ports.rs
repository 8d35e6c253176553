//! Who listens on a port, and whether HAProxy may send visitors there.

use super::*;
use crate::fault::Fault;
use crate::haproxy::runtime::State;
use crate::observed::{Backoff, Port};
use crate::plan::cut_off;
use crate::state::Severity;

/// The process of one of these tests' servers, by its name.
fn of(server: &str) -> ProcessId {
    ProcessId::of(if server.starts_with("db") { PoolId::Db } else { PoolId::Web }, name(server))
}

/// What is known of a server's process and port, and whether HAProxy may send visitors there.
#[test]
fn what_is_not_known_of_a_port_changes_nothing() {
    let mut desired = first();
    desired = desired
        .apply(&Request::AddServer {
            pool: PoolId::Web,
            server: NewServer {
                name: name("away"),
                host: Host::parse("10.0.0.1").expect("a host"),
                port: PortChoice::Given(80),
                cookie: CookieChoice::Automatic,
                runtime: Runtime::External,
                admin: Admin::Ready,
            },
        })
        .expect("added");
    let (mut world, mut memory) = (World::at(1_000_000), Observed::default());
    settle(&mut desired, &mut world, &mut memory);
    assert_eq!(cut_off(crate::scene::Scene::new(&desired, &memory, world.now)), []);
    let foreign = || Port::Foreign("nc (pid 7)".to_owned());
    // Whether the process is alive, whether its end was seen, who listens, and whether the server is taken out.
    let cases = [
        (true, false, Port::Ours, false),
        (true, false, Port::Unknown, false),
        // The process may be about to end, with requests that it still answers.
        (true, false, Port::Free, false),
        (true, false, foreign(), true),
        (false, true, Port::Unknown, true),
        (false, true, Port::Free, true),
        (false, true, foreign(), true),
        // A Cordée that has just been started saw no end.
        (false, false, Port::Unknown, false),
        (false, false, Port::Free, true),
        (false, false, foreign(), true),
    ];
    for server in ["web1", "db1"] {
        for (alive, ended, port, cut) in &cases {
            let mut memory = memory.clone();
            let seen = memory.processes.get_mut(&of(server)).expect("it runs");
            if !alive {
                seen.leader = None;
            }
            (seen.ended_at, seen.port) = (ended.then_some(world.now), port.clone());
            let steps = cut_off(crate::scene::Scene::new(&desired, &memory, world.now));
            let out = |s: &Step| matches!(s, Step::Proxy(ProxyStep::SetState { name, .. }) if name.as_str() == server);
            assert_eq!(steps.len(), usize::from(*cut), "{server} {alive} {ended} {port:?}: {steps:?}");
            assert!(steps.iter().all(|s| out(s) && s.takes_out()), "{steps:?}");
            // No other step on that HAProxy instance comes before it.
            let all = plan(crate::scene::Scene::new(&desired, &memory, world.now), &setting()).steps;
            let first = all.iter().find(|s| matches!(s.subject(), Subject::Proxy(_)));
            assert_eq!(first, steps.first(), "{server} {alive} {ended} {port:?}");
        }
    }
    // A standby is out of service in HAProxy already; an external server is not Cordée's to judge.
    for server in ["db2", "away"] {
        let mut memory = memory.clone();
        let seen = memory.processes.entry(of(server)).or_default();
        (seen.leader, seen.ended_at, seen.port) = (None, Some(world.now), foreign());
        assert_eq!(cut_off(crate::scene::Scene::new(&desired, &memory, world.now)), [], "{server}");
    }
}

/// However long ago it was started, or at an unknown time, because an earlier Cordée did it.
#[test]
fn a_server_that_listens_late_comes_back_when_it_does() {
    let mut desired = first();
    let (mut world, mut memory) = (World::at(10_000_000), Observed::default());
    settle(&mut desired, &mut world, &mut memory);
    let id = ProcessId::Web(name("web1"));
    let mut wish = desired.clone();
    world.die(&id);
    round(&mut wish, &mut world, &mut memory, usize::MAX);
    world.look(&mut memory, &desired);
    for started in [None, Some(world.now - 60_000), Some(world.now - 3_600_000)] {
        for (port, comes) in [(Port::Free, false), (Port::Unknown, false), (Port::Ours, true)] {
            let seen = memory.processes.get_mut(&id).expect("there");
            assert!(seen.leader.is_some(), "it was started again");
            (seen.started_at, seen.port) = (started, port.clone());
            let steps = plan(crate::scene::Scene::new(&desired, &memory, world.now), &setting()).steps;
            let back = |s: &Step| matches!(s, Step::Proxy(ProxyStep::SetState { state: State::Ready, .. }));
            assert_eq!(steps.iter().any(back), comes, "{started:?} {port:?}: {steps:?}");
        }
    }
}

/// The server comes back when its own process listens, and not before; a step that failed does not keep it in
/// service.
#[test]
fn a_server_that_died_comes_back_when_its_own_process_listens() {
    let mut desired = first();
    let (mut world, mut memory) = (World::at(1_000_000), Observed::default());
    settle(&mut desired, &mut world, &mut memory);
    let id = ProcessId::Web(name("web1"));
    let led = |memory: &Observed| {
        let running = &memory.proxy(PoolId::Web).running;
        !running.value().expect("seen").servers[&name("web1")].maintenance
    };
    let status = |memory: &Observed, now| {
        let server = desired.web.server(&name("web1")).expect("there");
        let peers = super::super::Peers::of(&desired, memory);
        crate::status::web(crate::scene::Scene::new(&desired, memory, now), &peers, server.site())
    };
    world.die(&id);
    world.look(&mut memory, &desired);
    let why = Fault::Strange(None);
    memory.backoffs.insert(Subject::Proxy(PoolId::Web), Backoff { count: 9, at: world.now - 300, why });
    let first = plan(crate::scene::Scene::new(&desired, &memory, world.now), &setting()).steps;
    assert!(first.iter().any(Step::takes_out), "a setback of another step keeps it in service: {first:?}");
    memory.backoffs.clear();
    let mut wish = desired.clone();
    round(&mut wish, &mut world, &mut memory, usize::MAX);
    assert!(!led(&memory), "dead, and started again in the same round");
    // Its process is alive; nobody listens yet, then another program does, then it is unknown.
    for port in [Port::Free, Port::Foreign("nc (pid 7)".to_owned()), Port::Unknown] {
        memory.processes.get_mut(&id).expect("there").port = port.clone();
        let steps = plan(crate::scene::Scene::new(&desired, &memory, world.now), &setting()).steps;
        let back = |s: &Step| matches!(s, Step::Proxy(ProxyStep::SetState { state: State::Ready, .. }));
        assert!(!steps.iter().any(back), "{port:?}: {steps:?}");
        let status = status(&memory, world.now);
        // Nobody took it out of service, and no status says so.
        assert_ne!(status.severity, Severity::Maintenance, "{port:?}");
        if let Port::Foreign(holder) = port {
            let port = desired.web.server(&name("web1")).expect("there").port;
            let reason = crate::reason::Reason::Fault(Fault::PortTaken { port, holder });
            assert_eq!((status.severity, status.reason), (Severity::Critical, Some(reason)));
        }
    }
    round(&mut wish, &mut world, &mut memory, usize::MAX);
    round(&mut wish, &mut world, &mut memory, usize::MAX);
    assert!(led(&memory), "its own process listens");
}

/// A client that connects meanwhile waits in HAProxy, and does not meet a database that refuses writes (1290).
#[test]
fn haproxy_leads_to_a_writer_that_was_started_again_once_it_is_open() {
    let mut desired = first();
    let (mut world, mut memory) = (World::at(1_000_000), Observed::default());
    settle(&mut desired, &mut world, &mut memory);
    // No database can take over.
    let off = Request::SetPower { pool: PoolId::Db, name: name("db2"), power: Power::Off, force: false };
    desired = desired.apply(&off).expect("stopped");
    settle(&mut desired, &mut world, &mut memory);
    let (db1, id) = (name("db1"), ProcessId::Database(name("db1")));
    world.die(&id);
    world.look(&mut memory, &desired);
    let (mut closed, mut led) = (0, false);
    for _ in 0..40 {
        round(&mut desired, &mut world, &mut memory, 1);
        world.look(&mut memory, &desired);
        let lives = memory.process(&id).leader.is_some();
        let open = memory.databases.get(&db1).and_then(Seen::value).is_some_and(|seen| !seen.read_only);
        let there = &memory.proxy(PoolId::Db).running.value().expect("seen").servers[&db1];
        led = !there.maintenance || !there.writer_maintenance;
        closed += usize::from(lives && !open);
        assert!(open || !led, "it leads to one that is closed");
    }
    assert!(closed > 0, "it came back open");
    assert!(led, "it is open");
}
