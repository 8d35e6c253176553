//! Make before break: a server that leaves waits until another one serves, and says so.

use super::*;
use crate::fault::Fault;
use crate::haproxy::runtime::State;
use crate::haproxy::stats::CheckState;
use crate::plan::leaving;
use crate::state::State as Is;
use crate::{status, text};

struct Scene {
    desired: Desired,
    world: World,
    memory: Observed,
}

/// web1 and web2 (and web3 with three) serve; HAProxy takes 900 ms until it checks a server that came back.
fn scene(count: usize) -> Scene {
    let mut desired = first();
    if count == 3 {
        let server = NewServer {
            name: name("web3"),
            host: Host::parse("10.0.0.3").expect("an address"),
            port: PortChoice::Given(80),
            cookie: CookieChoice::Automatic,
            runtime: Runtime::External,
            admin: Admin::Ready,
        };
        desired = desired.apply(&Request::AddServer { pool: PoolId::Web, server }).expect("added");
    }
    let mut scene = Scene { desired, world: World::at(1_000_000), memory: Observed::default() };
    scene.settle();
    scene.world.check_after = 900;
    scene
}

impl Scene {
    fn wish(&mut self, change: &Request) {
        self.desired = self.desired.apply(change).expect("a change");
    }

    fn settle(&mut self) {
        settle(&mut self.desired, &mut self.world, &mut self.memory);
    }

    /// Runs one round of 100 ms; no step may leave visitors without a server (`round` asks the judge).
    fn go(&mut self) {
        round(&mut self.desired, &mut self.world, &mut self.memory, usize::MAX);
        self.world.pass(&self.memory, 100);
        self.world.look(&mut self.memory, &self.desired);
    }

    fn serves(&self, server: &str) -> bool {
        let seen = self.memory.proxy(PoolId::Web);
        // After a reload HAProxy has checked no server yet, and goes on sending visitors to those that were well.
        let well = |s: &RunningServer| {
            leaving::serves(s)
                || (leaving::takes(s) && s.check.code.is_empty() && s.verdict == CheckState::Up)
        };
        seen.running.value().and_then(|r| r.servers.get(&name(server))).is_some_and(well)
    }

    fn waits(&self, server: &str) -> Option<Vec<String>> {
        let server = self.desired.web.server(&name(server))?;
        let others = status::waits_for(
            crate::scene::Scene::new(&self.desired, &self.memory, self.world.now),
            &super::super::Peers::of(&self.desired, &self.memory),
            server.site(),
        )?;
        Some(others.iter().map(ToString::to_string).collect())
    }

    fn is(&self, server: &str) -> Is {
        let server = self.desired.web.server(&name(server)).expect("it is there");
        let scene = crate::scene::Scene::new(&self.desired, &self.memory, self.world.now);
        status::web(scene, &super::super::Peers::of(&self.desired, &self.memory), server.site()).state
    }
}

fn admin(server: &str, admin: Admin) -> Request {
    Request::SetAdmin { pool: PoolId::Web, name: name(server), admin, force: false }
}

fn power(server: &str, power: Power) -> Request {
    Request::SetPower { pool: PoolId::Web, name: name(server), power, force: false }
}

fn restart(server: &str) -> Request {
    Request::Restart { pool: PoolId::Web, name: name(server), force: false }
}

fn remove(server: &str) -> Request {
    Request::RemoveServer { pool: PoolId::Web, name: name(server), force: false }
}

/// Returns every way to leave.
fn ways(server: &str) -> Vec<Request> {
    vec![
        admin(server, Admin::Drain),
        admin(server, Admin::Maintenance),
        power(server, Power::Off),
        restart(server),
        remove(server),
    ]
}

#[test]
fn whoever_leaves_right_after_another_came_back_waits_until_that_one_serves() {
    for out in [admin("web1", Admin::Maintenance), power("web1", Power::Off), restart("web1")] {
        for leave in ways("web2") {
            let mut scene = scene(2);
            scene.wish(&out);
            for _ in 0..4 {
                scene.go();
            }
            scene.wish(&power("web1", Power::On));
            scene.wish(&admin("web1", Admin::Ready));
            scene.wish(&leave);
            let mut waited = 0;
            for _ in 0..60 {
                scene.go();
                assert!(scene.serves("web1") || scene.serves("web2"), "{out:?}, {leave:?}");
                if scene.waits("web2") == Some(vec!["web1".to_owned()]) {
                    waited += 1;
                    assert_eq!(scene.is("web2"), Is::Waits);
                }
            }
            assert!(waited > 3, "{out:?}, {leave:?}: {waited}");
            assert_eq!(scene.waits("web2"), None);
            scene.settle();
            assert!(scene.serves("web1"));
        }
    }
}

#[test]
fn two_that_restart_go_one_after_the_other() {
    let mut scene = scene(2);
    scene.wish(&restart("web1"));
    scene.wish(&restart("web2"));
    for _ in 0..80 {
        scene.go();
        assert!(scene.serves("web1") || scene.serves("web2"));
    }
    scene.settle();
}

#[test]
fn one_that_restarts_goes_before_one_that_leaves_for_good() {
    for leave in [admin("web1", Admin::Maintenance), remove("web1"), power("web1", Power::Off)] {
        let mut scene = scene(2);
        scene.wish(&restart("web2"));
        scene.wish(&leave);
        scene.settle();
        assert!(scene.serves("web2") && !scene.serves("web1"));
    }
}

#[test]
fn a_third_one_on_its_way_holds_one_of_two_that_leave() {
    let mut scene = scene(3);
    scene.wish(&admin("web3", Admin::Maintenance));
    scene.settle();
    scene.wish(&admin("web3", Admin::Ready));
    scene.wish(&admin("web1", Admin::Maintenance));
    scene.wish(&remove("web2"));
    for _ in 0..40 {
        scene.go();
        assert!(["web1", "web2", "web3"].iter().any(|s| scene.serves(s)));
    }
    scene.settle();
    assert!(scene.serves("web3"));
}

#[test]
fn the_last_one_takes_an_explicit_yes() {
    for last in ways("web2") {
        let mut scene = scene(2);
        scene.wish(&admin("web1", Admin::Maintenance));
        scene.settle();
        let refused = scene.desired.apply(&last).expect_err("it is the last one");
        assert_eq!((refused[0].field.as_str(), refused[0].kind), ("force", crate::problem::Kind::Conflict));
        let mut forced = last.clone();
        let (Request::RemoveServer { force, .. }
        | Request::SetAdmin { force, .. }
        | Request::SetPower { force, .. }
        | Request::Restart { force, .. }) = &mut forced
        else {
            panic!("{forced:?}")
        };
        *force = true;
        scene.wish(&forced);
        for _ in 0..5 {
            scene.go();
        }
        assert!(!scene.serves("web2"), "{forced:?}");
        scene.settle();
    }
}

#[test]
fn one_that_waits_leaves_when_a_person_insists_and_stays_when_it_is_withdrawn() {
    for leave in ways("web2") {
        let waiting = || {
            let mut scene = scene(2);
            scene.wish(&admin("web1", Admin::Maintenance));
            scene.settle();
            // web1 never passes its first check.
            scene.world.check_after = 1_000_000;
            scene.wish(&admin("web1", Admin::Ready));
            scene.wish(&leave);
            for _ in 0..600 {
                scene.go();
            }
            let seen = (scene.serves("web1"), scene.serves("web2"), scene.waits("web2").is_some());
            assert_eq!(seen, (false, true, true), "{leave:?}: no time breaks it");
            scene
        };
        let mut scene = waiting();
        scene.wish(&Request::Insist { name: name("web2") });
        for _ in 0..5 {
            scene.go();
        }
        assert!(!scene.serves("web2"), "{leave:?}");
        let mut scene = waiting();
        let process = scene.memory.process(&ProcessId::Web(name("web2"))).leader.clone();
        scene.wish(&Request::Withdraw { name: name("web2") });
        scene.world.check_after = 0;
        scene.world.pass(&scene.memory, 1_000_000);
        scene.settle();
        assert!(scene.serves("web2") && scene.serves("web1"), "{leave:?}");
        assert_eq!(scene.memory.process(&ProcessId::Web(name("web2"))).leader, process, "{leave:?}");
        // A restart that is asked for later is carried out again.
        scene.wish(&restart("web2"));
        scene.settle();
        assert_ne!(scene.memory.process(&ProcessId::Web(name("web2"))).leader, process, "{leave:?}");
    }
}

#[test]
fn an_haproxy_that_starts_anew_meanwhile_comes_up_with_the_one_that_waits() {
    for leave in ways("web2") {
        for rounds in 0..30 {
            let mut scene = scene(2);
            scene.wish(&admin("web1", Admin::Maintenance));
            scene.settle();
            scene.wish(&admin("web1", Admin::Ready));
            scene.wish(&leave);
            for _ in 0..rounds {
                scene.go();
            }
            scene.world.die(&ProcessId::Proxy(PoolId::Web));
            for _ in 0..3 {
                round(&mut scene.desired, &mut scene.world, &mut scene.memory, usize::MAX);
            }
            scene.world.look(&mut scene.memory, &scene.desired);
            let seen = scene.memory.proxy(PoolId::Web);
            let running = seen.running.value().expect("it is back");
            assert!(running.servers.values().any(leaving::takes), "{leave:?} after {rounds}: {running:#?}");
            scene.settle();
        }
    }
}

#[test]
fn while_haproxy_cannot_be_asked_nothing_is_taken_out() {
    for leave in ways("web2") {
        let mut scene = scene(2);
        scene.wish(&leave);
        let now = scene.world.now;
        let seen = scene.memory.proxies.get_mut(&PoolId::Web).expect("HAProxy web");
        for running in [
            Seen::Failed { last: Some(now), why: Fault::NoSocket(None) },
            Seen::At(now - 10_000, seen.running.value().expect("seen").clone()),
        ] {
            let mut memory = scene.memory.clone();
            memory.proxies.get_mut(&PoolId::Web).expect("HAProxy web").running = running;
            let steps = plan(crate::scene::Scene::new(&scene.desired, &memory, now), &setting()).steps;
            let touches = |s: &Step| match s {
                Step::Host(HostStep::StopProcess { id, .. } | HostStep::KillProcess { id, .. }) => {
                    *id == ProcessId::Web(name("web2"))
                }
                Step::Wish(_) => true,
                other => other.subject() == Subject::Proxy(PoolId::Web),
            };
            assert!(!steps.iter().any(touches), "{leave:?}: {steps:?}");
        }
    }
}

#[test]
fn where_nobody_serves_there_is_nothing_to_protect() {
    let mut scene = scene(2);
    for port in scene.desired.web.servers.iter().map(|s| s.port) {
        scene.world.silent.insert(([127, 0, 0, 1], port).into());
    }
    scene.world.pass(&scene.memory, 100);
    scene.wish(&admin("web1", Admin::Maintenance));
    let refused = scene.desired.apply(&admin("web2", Admin::Maintenance));
    assert!(refused.is_err(), "the wish would leave nobody");
    scene.wish(&Request::SetAdmin {
        pool: PoolId::Web,
        name: name("web2"),
        admin: Admin::Maintenance,
        force: true,
    });
    for _ in 0..4 {
        scene.go();
    }
    for server in ["web1", "web2"] {
        assert_eq!(scene.is(server), Is::Maintenance);
    }
}

#[test]
fn a_name_that_means_another_address_is_checked_there_before_visitors_come() {
    let mut scene = scene(2);
    let server = NewServer {
        name: name("far"),
        host: Host::parse("host.lan").expect("a name"),
        port: PortChoice::Given(80),
        cookie: CookieChoice::Automatic,
        runtime: Runtime::External,
        admin: Admin::Ready,
    };
    scene.wish(&Request::AddServer { pool: PoolId::Web, server });
    scene.settle();
    let here = |scene: &Scene| {
        let seen = scene.memory.proxy(PoolId::Web);
        let all = &seen.running.value().expect("seen").servers;
        all[&name("far")].clone()
    };
    let was = here(&scene).ip;
    scene.world.name = Some([10, 0, 0, 8].into());
    scene.world.silent.insert("10.0.0.8:80".parse().expect("an address"));
    for _ in 0..40 {
        scene.go();
        let far = here(&scene);
        assert!(far.ip == was || !leaving::serves(&far), "{far:?}");
    }
    assert_ne!(here(&scene).ip, was);
    // The only server that serves stays where it is while another is on its way.
    scene.world.silent.clear();
    scene.settle();
    scene.wish(&admin("web1", Admin::Maintenance));
    scene.wish(&power("web2", Power::Off));
    scene.settle();
    scene.world.check_after = 5_000;
    scene.wish(&power("web2", Power::On));
    let was = here(&scene).ip;
    scene.world.name = Some([10, 0, 0, 7].into());
    for _ in 0..200 {
        scene.go();
        assert!(scene.serves("far") || scene.serves("web2"));
    }
    assert_ne!(here(&scene).ip, was);
    scene.settle();
}

fn external(server: &str, host: &str) -> NewServer {
    NewServer {
        name: name(server),
        host: Host::parse(host).expect("a host"),
        port: PortChoice::Given(80),
        cookie: CookieChoice::Automatic,
        runtime: Runtime::External,
        admin: Admin::Ready,
    }
}

#[test]
fn a_name_that_comes_to_mean_a_taken_address_is_shown_and_not_doubled() {
    let mut scene = scene(2);
    scene.wish(&Request::AddServer { pool: PoolId::Web, server: external("near", "10.0.0.9") });
    scene.world.name = Some([10, 0, 0, 4].into());
    scene.wish(&Request::AddServer { pool: PoolId::Web, server: external("far", "host.lan") });
    scene.settle();
    assert!(scene.serves("near") && scene.serves("far"));
    scene.world.name = Some("::ffff:10.0.0.9".parse().expect("an address"));
    for _ in 0..10 {
        scene.go();
    }
    let seen = scene.memory.proxy(PoolId::Web);
    assert!(!seen.running.value().expect("seen").servers.contains_key(&name("far")));
    assert!(!seen.file.as_deref().unwrap_or_default().contains("server far "));
    assert_eq!(scene.is("far"), Is::Double);
    assert!(scene.serves("near"));
    scene.world.name = None;
    scene.wish(&remove("near"));
    scene.settle();
    assert!(scene.serves("far"), "it is the only one there now");
}

#[test]
fn of_two_names_that_move_at_once_one_serves_all_the_time() {
    let mut scene = scene(2);
    for (server, port) in [("far", 80), ("further", 81)] {
        let server =
            NewServer { port: PortChoice::Given(port), ..external(server, &format!("{server}.lan")) };
        scene.wish(&Request::AddServer { pool: PoolId::Web, server });
    }
    scene.settle();
    for server in ["web1", "web2"] {
        scene.wish(&admin(server, Admin::Maintenance));
    }
    scene.settle();
    scene.world.name = Some([10, 0, 0, 7].into());
    for _ in 0..100 {
        scene.go();
        assert!(scene.serves("far") || scene.serves("further"));
    }
    let seen = scene.memory.proxy(PoolId::Web);
    let there = |server: &str| seen.running.value().expect("seen").servers[&name(server)].ip;
    assert_eq!([there("far"), there("further")], [scene.world.name; 2]);
}

#[test]
fn a_name_that_moves_onto_a_server_out_of_service_serves_there_until_that_one_is_back() {
    let mut scene = scene(2);
    scene.wish(&Request::AddServer { pool: PoolId::Web, server: external("near", "10.0.0.9") });
    scene.world.name = Some([10, 0, 0, 4].into());
    scene.wish(&Request::AddServer { pool: PoolId::Web, server: external("far", "host.lan") });
    scene.settle();
    for server in ["near", "web1", "web2"] {
        scene.wish(&admin(server, Admin::Maintenance));
        scene.settle();
    }
    scene.world.name = Some([10, 0, 0, 9].into());
    for _ in 0..100 {
        scene.go();
    }
    assert!(scene.serves("far"), "nobody else takes visitors there");
    scene.wish(&admin("near", Admin::Ready));
    for _ in 0..100 {
        scene.go();
        assert!(scene.serves("far") || scene.serves("near"));
    }
    assert_eq!([scene.serves("far"), scene.serves("near")], [false, true], "one server, once");
    assert_eq!(scene.is("far"), Is::Double);
}

#[test]
fn a_name_that_cannot_be_looked_up_any_more_stays_where_it_is() {
    let mut scene = scene(2);
    scene.wish(&Request::AddServer { pool: PoolId::Web, server: external("far", "host.lan") });
    scene.settle();
    let before = super::super::places(
        crate::scene::Scene::new(&scene.desired, &scene.memory, scene.world.now),
        PoolId::Web,
    );
    for lost in [Seen::Never, Seen::Failed { last: None, why: text!("reason-never").into() }] {
        scene.memory.names.insert("host.lan".to_owned(), lost);
        assert_eq!(
            super::super::places(
                crate::scene::Scene::new(&scene.desired, &scene.memory, scene.world.now),
                PoolId::Web
            ),
            before
        );
    }
}

/// Trying a port means holding it for a moment: a server that is started right then would not get its own port.
#[test]
fn ports_of_the_cluster_s_own_servers_are_not_tried() {
    let mut desired = first();
    let own: Vec<u16> = desired.servers().map(|s| s.port).collect();
    desired.page.set_port(desired.ports.1);
    let free = desired.free_ports(|port| {
        assert!(!own.contains(&port) && port != desired.page.port(), "{port} was tried");
        true
    });
    assert_eq!(free.len() + own.len() + 1, usize::from(desired.ports.1 - desired.ports.0) + 1);
}

#[test]
fn ten_that_are_added_at_once_get_ten_ports() {
    let mut desired = first();
    let free = desired.free_ports(|port| port >= 8650);
    for n in 0..10 {
        let server = NewServer {
            port: PortChoice::AnyOf(free.clone()),
            runtime: Runtime::Process,
            ..external(&format!("new{n}"), "127.0.0.1")
        };
        let change = desired.chosen(&Request::AddServer { pool: PoolId::Web, server }).expect("a port");
        let Request::AddServer { server, .. } = &change else { panic!("{change:?}") };
        assert_eq!(server.port, PortChoice::Given(8650 + n));
        desired = desired.apply(&change).expect("added");
    }
    let few = PortChoice::AnyOf(vec![8650, 8651]);
    let server = NewServer { port: few, runtime: Runtime::Process, ..external("late", "127.0.0.1") };
    let refused = desired.apply(&Request::AddServer { pool: PoolId::Web, server }).expect_err("none is left");
    assert_eq!((refused[0].field.as_str(), refused[0].text.key.as_ref()), ("port", "problem-ports-full"));
}

/// Returns that database as HAProxy `db` was last seen to have it.
fn in_db<'a>(scene: &'a mut Scene, server: &str) -> &'a mut RunningServer {
    match scene.memory.proxies.get_mut(&PoolId::Db).map(|p| &mut p.running) {
        Some(Seen::At(_, running)) => running.servers.get_mut(&name(server)).expect("it is in HAProxy"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_database_that_is_to_stop_where_all_write_finishes_what_it_has_begun() {
    let mut scene = scene(2);
    scene.wish(&Request::SetRouting { routing: Routing::AllWriters });
    scene.settle();
    let stop = Request::SetPower { pool: PoolId::Db, name: name("db2"), power: Power::Off, force: false };
    scene.wish(&stop);
    // What HAProxy reports about db2: in service or draining, with that many connections, for that many seconds.
    let told = |scene: &mut Scene, drain, sessions, since_s| {
        let db2 = in_db(scene, "db2");
        (db2.drain, db2.sessions, db2.since_s) = (drain, sessions, since_s);
        let mut plan = Plan::default();
        let now = crate::scene::Scene::new(&scene.desired, &scene.memory, scene.world.now);
        let peers = super::super::Peers::of(&scene.desired, &scene.memory);
        crate::plan::proxy::plan(&mut plan, now, &peers, &setting());
        crate::plan::hosts::plan(&mut plan, now, &setting());
        let state = plan.steps.iter().find_map(|step| match step {
            Step::Proxy(ProxyStep::SetState { name: n, state, .. }) if *n == name("db2") => Some(*state),
            _ => None,
        });
        let ends = plan.steps.iter().any(|step| matches!(step, Step::Host(HostStep::StopProcess { .. })));
        (state, ends)
    };
    assert_eq!(told(&mut scene, false, 0, 60), (Some(State::Drain), false), "one may just be coming");
    assert_eq!(told(&mut scene, true, 4, 1), (None, false), "those that it has go on");
    assert_eq!(told(&mut scene, true, 0, 1), (Some(State::Maintenance), true));
    assert_eq!(told(&mut scene, true, 4, 3), (Some(State::Maintenance), true), "but not for ever");
    // If no database takes the new connections, waiting gains nothing.
    in_db(&mut scene, "db1").maintenance = true;
    assert!(told(&mut scene, true, 4, 1).1);
    // While one database writes, nobody is connected to the other.
    let mut scene = self::scene(2);
    scene.wish(&stop);
    assert!(told(&mut scene, false, 0, 60).1);
}
