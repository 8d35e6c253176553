//! A name is used again before the remains of its last server are gone: neither server uses or removes what is the
//! other's.

use super::*;
use crate::desired::Run;
use crate::observed::{Leader, Made, ProcessSeen};

struct Tale {
    desired: Desired,
    world: World,
    memory: Observed,
}

fn settled() -> Tale {
    let mut tale = Tale { desired: first(), world: World::at(1_000_000), memory: Observed::default() };
    tale.settle();
    tale
}

fn new(server: &str, runtime: Runtime) -> NewServer {
    NewServer {
        name: name(server),
        host: Host::parse(if runtime == Runtime::Process { "127.0.0.1" } else { "10.0.0.1" })
            .expect("a host"),
        port: PortChoice::Given(8651),
        cookie: CookieChoice::Automatic,
        runtime,
        admin: Admin::Ready,
    }
}

impl Tale {
    fn settle(&mut self) {
        settle(&mut self.desired, &mut self.world, &mut self.memory);
    }

    fn wish(&mut self, change: &Request) {
        self.desired = self.desired.apply(change).expect("a change");
    }

    /// A person removes the server, and it leaves the desired state; its process and its folder still exist.
    fn forget(&mut self, pool: PoolId, server: &str) {
        let process = ProcessId::of(pool, name(server));
        self.world.stubborn.insert(process.clone());
        self.wish(&Request::RemoveServer { pool, name: name(server), force: true });
        for _ in 0..200 {
            if self.desired.pool(pool).server(&name(server)).is_none() {
                break;
            }
            round(&mut self.desired, &mut self.world, &mut self.memory, 1);
            self.world.pass(&self.memory, 50);
        }
        assert!(self.desired.servers().all(|s| s.name.as_str() != server), "it is still wished");
        assert!(self.world.alive().contains(&process), "it has ended already");
        assert!(self.world.home(&name(server)).is_some(), "its folder is gone already");
    }

    fn id(&self, pool: PoolId, server: &str) -> Option<u32> {
        self.desired.pool(pool).server(&name(server)).map(|s| s.id)
    }
}

#[test]
fn a_web_server_by_the_name_of_a_removed_database_has_a_folder_of_its_own() {
    let mut tale = settled();
    tale.forget(PoolId::Db, "db2");
    tale.wish(&Request::AddServer { pool: PoolId::Web, server: new("db2", Runtime::Process) });
    tale.settle();
    let own = Made { pool: Some(PoolId::Web), id: tale.id(PoolId::Web, "db2") };
    assert_eq!(tale.world.home(&name("db2")), Some(own));
    assert!(tale.world.alive().contains(&ProcessId::Web(name("db2"))));
}

#[test]
fn a_database_by_the_name_of_a_removed_web_server_has_a_folder_of_its_own() {
    let mut tale = settled();
    tale.forget(PoolId::Web, "web2");
    tale.wish(&Request::AddServer { pool: PoolId::Db, server: new("web2", Runtime::Process) });
    tale.settle();
    let own = Made { pool: Some(PoolId::Db), id: tale.id(PoolId::Db, "web2") };
    assert_eq!(tale.world.home(&name("web2")), Some(own));
}

#[test]
fn a_web_server_that_comes_again_under_its_name_begins_with_an_empty_folder() {
    let mut tale = settled();
    let before = tale.world.home(&name("web2")).expect("a folder");
    tale.forget(PoolId::Web, "web2");
    tale.wish(&Request::AddServer { pool: PoolId::Web, server: new("web2", Runtime::Process) });
    tale.settle();
    let now = tale.world.home(&name("web2")).expect("a folder");
    assert!(now.pool == before.pool && now.id != before.id, "{before:?} {now:?}");
}

#[test]
fn nothing_stays_in_place_under_the_name_of_somebody_else_s_web_server() {
    let mut tale = settled();
    tale.forget(PoolId::Db, "db2");
    tale.wish(&Request::AddServer { pool: PoolId::Web, server: new("db2", Runtime::External) });
    tale.settle();
    assert_eq!(tale.world.home(&name("db2")), None);
}

/// A database of that name is ending, and a web server waits for the name: the database has its full time to end.
#[test]
fn a_database_has_its_time_to_end_although_a_web_server_waits_for_its_name() {
    let mut tale = settled();
    tale.forget(PoolId::Db, "db2");
    tale.wish(&Request::AddServer { pool: PoolId::Web, server: new("db2", Runtime::Process) });
    let begun = tale.world.now;
    let (old, next) = (ProcessId::Database(name("db2")), ProcessId::Web(name("db2")));
    let pid = tale.memory.process(&old).leader.as_ref().map(|l| l.pid);
    while tale.world.now < begun + 20_000 {
        round(&mut tale.desired, &mut tale.world, &mut tale.memory, usize::MAX);
        tale.world.pass(&tale.memory, 500);
        tale.world.look(&mut tale.memory, &tale.desired);
        assert_eq!(tale.memory.process(&old).leader.as_ref().map(|l| l.pid), pid, "killed too early");
        assert_eq!(tale.memory.process(&next).leader, None, "started too early");
    }
    tale.settle();
    assert_eq!(tale.memory.process(&old).leader, None);
    assert!(tale.memory.process(&next).leader.is_some());
}

/// A name is used again by a server of the other kind while its last server is still ending: in both directions,
/// with the given state of the old process. `lies` is the owner of the folder; the folder may be gone already,
/// removed by hand.
fn retaken(pool: PoolId, seen: &ProcessSeen, lies: Option<Made>) -> (Tale, ProcessId, ProcessId, Vec<Step>) {
    let (other, server) = match pool {
        PoolId::Web => (PoolId::Db, "web2"),
        PoolId::Db => (PoolId::Web, "db2"),
    };
    let mut tale = settled();
    tale.forget(pool, server);
    tale.wish(&Request::AddServer { pool: other, server: new(server, Runtime::Process) });
    let (old, next) = (ProcessId::of(pool, name(server)), ProcessId::of(other, name(server)));
    tale.memory.processes.insert(old.clone(), seen.clone());
    tale.memory.initialised.remove(&name(server));
    match lies {
        Some(made) => drop(tale.memory.homes.insert(name(server), made)),
        None => drop(tale.memory.homes.remove(&name(server))),
    }
    let all = plan(crate::scene::Scene::new(&tale.desired, &tale.memory, tale.world.now), &setting()).steps;
    let target = Subject::Process(next.name());
    assert_eq!(target, Subject::Process(old.name()), "one after the other");
    let steps = all.into_iter().filter(|s| s.subject() == target).collect();
    (tale, old, next, steps)
}

#[test]
fn a_process_of_the_other_kind_holds_the_name_whatever_became_of_its_folder() {
    let leader = |frozen| Leader { pid: 77, server: 2, generation: 0, frozen };
    let lives = ProcessSeen { leader: Some(leader(false)), ..ProcessSeen::default() };
    let asked = ProcessSeen { stopping_since: Some(u64::MAX / 2), ..lives.clone() };
    let frozen = ProcessSeen { leader: Some(leader(true)), ..asked.clone() };
    let left = ProcessSeen { orphans: vec![7], ..ProcessSeen::default() };
    let unlooked = ProcessSeen { unlooked: true, ..ProcessSeen::default() };
    for pool in PoolId::ALL {
        let theirs = Made { pool: Some(pool), id: Some(2) };
        for lies in [Some(theirs), Some(Made::default()), None] {
            for seen in [&lives, &asked, &frozen, &left, &unlooked] {
                let (tale, old, _, steps) = retaken(pool, seen, lies);
                // The plan only ends the old process, as the kind that it is.
                let ends = |step: &Step| match step {
                    Step::Host(HostStep::StopProcess { id, .. } | HostStep::KillProcess { id, .. }) => {
                        *id == old
                    }
                    _ => false,
                };
                assert!(steps.iter().all(ends), "{pool} {lies:?} {seen:?}: {steps:?}");
                let wished = tale.desired.servers().find(|s| Some(&s.name) == old.server()).expect("wished");
                assert_eq!(tale.memory.former_bearer(wished).map(|(id, _)| id), Some(old), "{seen:?}");
            }
        }
    }
}

#[test]
fn the_next_bearer_is_started_once_nothing_of_the_other_kind_is_left() {
    for pool in PoolId::ALL {
        let gone =
            ProcessSeen { ended_at: Some(1), failures: 9, started_at: Some(1), ..ProcessSeen::default() };
        let (_, _, next, steps) = retaken(pool, &gone, Some(Made { pool: Some(pool), id: Some(2) }));
        let server = || next.server().expect("a server").clone();
        assert_eq!(steps, [Step::Host(HostStep::TrashHome { name: server() })], "its folder goes first");
        let (tale, _, next, steps) = retaken(pool, &gone, None);
        let id = tale.desired.servers().find(|s| s.runs_as(&next)).expect("wished").id;
        let first = match pool {
            PoolId::Db => HostStep::StartProcess { id: next.clone(), server: id, generation: 0, keeps: true },
            PoolId::Web => HostStep::CopyDatabase { name: server(), id, donor: name("db2") },
        };
        assert_eq!(steps, [Step::Host(first)], "and how the last one ended is no reason to pause");
    }
}

/// An external database takes the name of one of Cordée's that is still ending: the copy into it would be recorded
/// in the folder of that name.
#[test]
fn nothing_is_put_down_for_somebody_else_s_server_while_ours_of_that_name_ends() {
    let desired = first();
    let server = desired.db.server(&name("db2")).cloned().expect("there");
    let mut memory = Observed::default();
    let lives = ProcessSeen { orphans: vec![7], ..ProcessSeen::default() };
    memory.processes.insert(server.process(), lives);
    assert_eq!(memory.former_bearer(&server).map(|(id, _)| id), None, "its own");
    let theirs = Server { runtime: Run::External, ..server.clone() };
    assert_eq!(memory.former_bearer(&theirs).map(|(id, _)| id), Some(server.process()));
    memory.processes.insert(server.process(), ProcessSeen::default());
    assert_eq!(memory.former_bearer(&theirs).map(|(id, _)| id), None, "it is over");
    assert_eq!(memory.bearers(&server.name).count(), 0);
}

/// HAProxy `web` still has a removed web server whose process is gone; a database has its name and runs.
#[test]
fn a_running_server_of_the_other_kind_does_not_keep_a_dead_one_in_haproxy() {
    let mut tale = settled();
    tale.forget(PoolId::Web, "web2");
    tale.memory.processes.remove(&ProcessId::Web(name("web2")));
    let leader = Leader { pid: 77, server: 99, generation: 0, frozen: false };
    let runs = ProcessSeen { leader: Some(leader), ..ProcessSeen::default() };
    tale.memory.processes.insert(ProcessId::Database(name("web2")), runs);
    let seen = tale.memory.proxies.get_mut(&PoolId::Web).expect("seen");
    let Seen::At(at, running) = &mut seen.running else { panic!("it answers") };
    *at = tale.world.now;
    let mut there = running.servers.values().next().expect("a server").clone();
    (there.id, there.maintenance, there.writer_maintenance) = (4_000, false, false);
    running.servers.insert(name("web2"), there);
    let steps = crate::plan::cut_off(crate::scene::Scene::new(&tale.desired, &tale.memory, tale.world.now));
    let out =
        |s: &Step| matches!(s, Step::Proxy(ProxyStep::SetState { name, .. }) if name.as_str() == "web2");
    assert!(steps.iter().any(out), "{steps:?}");
}

/// Returns what the next plan does about web2, whose folder was created for another server.
fn steps_on_web2(seen: &ProcessSeen) -> Vec<Step> {
    let mut tale = settled();
    let web2 = ProcessId::Web(name("web2"));
    tale.memory.homes.insert(name("web2"), Made { pool: Some(PoolId::Db), id: None });
    tale.memory.processes.insert(web2.clone(), seen.clone());
    let all = plan(crate::scene::Scene::new(&tale.desired, &tale.memory, tale.world.now), &setting()).steps;
    all.into_iter().filter(|s| s.subject() == Subject::Process(web2.name())).collect()
}

#[test]
fn what_runs_of_the_last_bearer_ends_before_its_folder_goes_and_what_is_unknown_stays() {
    let gone = ProcessSeen::default();
    assert_eq!(steps_on_web2(&gone), [Step::Host(HostStep::TrashHome { name: name("web2") })]);
    let left = ProcessSeen { orphans: vec![7], ..gone.clone() };
    let id = ProcessId::Web(name("web2"));
    assert_eq!(steps_on_web2(&left), [Step::Host(HostStep::KillProcess { id, pids: vec![7] })]);
    assert_eq!(steps_on_web2(&ProcessSeen { unlooked: true, ..gone }), []);
}

#[test]
fn a_folder_of_an_older_cordee_is_its_server_s() {
    let desired = first();
    let server = |pool, server: &str| desired.pool(pool).server(&name(server)).cloned().expect("there");
    let (web1, db1) = (server(PoolId::Web, "web1"), server(PoolId::Db, "db1"));
    let of = |pool: Option<PoolId>, id: Option<u32>| Made { pool, id };
    for made in [of(None, None), of(Some(PoolId::Web), None), of(None, Some(web1.id))] {
        assert!(made.is_of(&web1), "{made:?}");
    }
    for made in [of(Some(PoolId::Db), None), of(Some(PoolId::Web), Some(db1.id)), of(None, Some(99))] {
        assert!(!made.is_of(&web1), "{made:?}");
    }
    assert!(of(Some(PoolId::Db), Some(db1.id)).is_of(&db1));
    let theirs = Server { runtime: Run::External, ..web1 };
    assert!(!of(None, None).is_of(&theirs), "nothing of theirs is here");
    let theirs = Server { runtime: Run::External, ..db1 };
    assert!(of(None, Some(theirs.id)).is_of(&theirs), "what was copied into it is told there");
}
