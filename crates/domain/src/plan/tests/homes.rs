//! A name is taken again before what its last bearer left is gone: neither serves nor throws away what is the other's.

use super::*;
use crate::desired::Run;
use crate::observed::{Made, ProcessSeen};

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

    /// A person removes it, and it is no more among the wishes; its process and its folder are still there.
    fn forget(&mut self, pool: PoolId, server: &str) {
        self.world.stubborn.insert(ProcessId::Server(name(server)));
        self.wish(&Request::RemoveServer { pool, name: name(server), force: true });
        for _ in 0..200 {
            if self.desired.pool(pool).server(&name(server)).is_none() {
                break;
            }
            round(&mut self.desired, &mut self.world, &mut self.memory, 1);
            self.world.pass(&self.memory, 50);
        }
        assert!(self.desired.servers().all(|s| s.name.as_str() != server), "it is still wished");
        assert!(self.world.alive().contains(&ProcessId::Server(name(server))), "it has ended already");
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
    assert!(tale.world.alive().contains(&ProcessId::Server(name("db2"))));
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

/// A database by that name is ending, and a web server wants the name: it has a database's time to end well.
#[test]
fn a_database_has_its_time_to_end_although_a_web_server_waits_for_its_name() {
    let mut tale = settled();
    tale.forget(PoolId::Db, "db2");
    tale.wish(&Request::AddServer { pool: PoolId::Web, server: new("db2", Runtime::Process) });
    let begun = tale.world.now;
    let db2 = ProcessId::Server(name("db2"));
    let old = tale.memory.process(&db2).leader.as_ref().map(|l| l.pid);
    while tale.world.now < begun + 20_000 {
        round(&mut tale.desired, &mut tale.world, &mut tale.memory, usize::MAX);
        tale.world.pass(&tale.memory, 500);
        tale.world.look(&mut tale.memory, &tale.desired);
        assert_eq!(tale.memory.process(&db2).leader.as_ref().map(|l| l.pid), old, "killed too early");
    }
    tale.settle();
    assert_ne!(tale.memory.process(&db2).leader.as_ref().map(|l| l.pid), old);
}

/// What the next plan does about web2, whose folder was made for another server.
fn steps_on_web2(seen: &ProcessSeen) -> Vec<Step> {
    let mut tale = settled();
    let web2 = ProcessId::Server(name("web2"));
    tale.memory.homes.insert(name("web2"), Made { pool: Some(PoolId::Db), id: None });
    tale.memory.processes.insert(web2.clone(), seen.clone());
    let all = plan(crate::scene::Scene::new(&tale.desired, &tale.memory, tale.world.now), &setting()).steps;
    all.into_iter().filter(|s| s.subject() == Subject::Process(web2.clone())).collect()
}

#[test]
fn what_runs_of_the_last_bearer_ends_before_its_folder_goes_and_what_is_unknown_stays() {
    let gone = ProcessSeen::default();
    assert_eq!(steps_on_web2(&gone), [Step::Host(HostStep::TrashHome { name: name("web2") })]);
    let left = ProcessSeen { orphans: vec![7], ..gone.clone() };
    let id = ProcessId::Server(name("web2"));
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
