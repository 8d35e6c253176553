//! An external database: when it joins, when it leaves, and when it comes back as another one.

use crate::change::Request;
use crate::db::failover::beating;
use crate::db::failover::tests::scene::{Scene, cluster, name};
use crate::decision::Decision;
use crate::desired::{Membership, Run};
use crate::fault::Fault;
use crate::ids::ProcessId;
use crate::observed::CopySeen;
use crate::plan::tests::basis;
use crate::seen::Seen;
use crate::step::{HostStep, SqlStep, Step, Subject};

use super::steps;

/// db3 is external.
fn guest(membership: &Membership) -> Scene {
    let mut scene = cluster(2).wished("db3", |s| {
        s.runtime = Run::External;
        s.stands(membership.clone());
    });
    scene.seen.processes.remove(&ProcessId::Database(name("db3")));
    scene
}

/// Returns what is planned on db3 and about it.
fn about(scene: &Scene) -> Vec<Step> {
    let own = |step: &Step| match step.subject() {
        Subject::Database(n) | Subject::Rows(n) => n == name("db3"),
        Subject::Process(id) => id == crate::ids::ProcessName::Server(name("db3")),
        Subject::Wish => true,
        Subject::Proxy(_) => false,
    };
    steps(scene).into_iter().filter(own).collect()
}

fn id(scene: &Scene) -> u32 {
    scene.desired.db.server(&name("db3")).map_or(0, |s| s.id)
}

#[test]
fn a_new_one_gets_the_tables_and_nothing_before_them() {
    let mut scene = guest(&Membership::Joining).database("db3", |d| d.channels.clear());
    scene.seen.initialised.remove(&name("db3"));
    let import =
        Step::Host(HostStep::ImportDatabase { name: name("db3"), id: id(&scene), donor: name("db2") });
    assert_eq!(about(&scene), [import]);
    // A copy that was made for another id does not count.
    scene.seen.initialised.insert(name("db3"), 2);
    assert!(matches!(about(&scene).as_slice(), [Step::Host(HostStep::ImportDatabase { .. })]));
    scene.seen.initialised.insert(name("db3"), id(&scene));
    scene.seen.unseeded.insert(name("db3"));
    assert_eq!(about(&scene), [Step::Sql(SqlStep::SeedPosition { name: name("db3") })]);
    scene.seen.unseeded.clear();
    assert!(about(&scene).iter().any(|s| matches!(s, Step::Sql(SqlStep::SetChannel { .. }))));
}

#[test]
fn one_that_came_back_as_another_is_only_kept_closed() {
    for membership in [Membership::Member, Membership::Joining, Membership::Leaving] {
        let astray = guest(&membership).database("db3", |d| d.server_id = 1);
        assert_eq!(about(&astray), [], "{membership:?}");
        assert!(!beating(astray.scene()).contains(&name("db3")));
        let open = astray.database("db3", |d| d.read_only = false);
        assert_eq!(about(&open), [Step::Sql(SqlStep::CloseDatabase { name: name("db3") })], "{membership:?}");
    }
}

#[test]
fn one_that_leaves_is_released_before_it_is_forgotten() {
    let scene = guest(&Membership::Leaving);
    let release = Step::Wish(Decision::Release(basis(&scene.desired, "db3")));
    assert!(about(&scene).contains(&release));
    let released = guest(&Membership::Released);
    assert_eq!(
        about(&released),
        [Step::Sql(SqlStep::ReleaseDatabase { name: name("db3"), id: basis(&released.desired, "db3").id })]
    );
    for peer in ["db1", "db2"] {
        let drop = Step::Sql(SqlStep::DropChannel { on: name(peer), from: name("db3") });
        assert!(steps(&released).contains(&drop), "{peer} keeps its link");
    }
    let mut copied = released;
    let copy = CopySeen { donor: name("db2"), since: 1, done: 1, total: 2 };
    copied.seen.copies.insert(name("db3"), copy);
    assert_eq!(about(&copied), [], "its copy is broken off first");
}

#[test]
fn one_that_does_not_answer_is_let_go_after_a_while() {
    let gone = |membership: &Membership, ago: u64| {
        let mut scene = guest(membership);
        let seen = Seen::Failed { last: Some(scene.now - ago), why: Fault::Unreachable(None) };
        scene.seen.databases.insert(name("db3"), seen);
        scene
    };
    let let_go = Step::Wish(Decision::LetGo(basis(&guest(&Membership::Leaving).desired, "db3")));
    for membership in [Membership::Leaving, Membership::Released] {
        assert_eq!(about(&gone(&membership, 9_999)), [], "{membership:?}");
        assert_eq!(about(&gone(&membership, 10_000)), std::slice::from_ref(&let_go), "{membership:?}");
    }
    assert_eq!(about(&gone(&Membership::Member, 60_000)), []);
    // This Cordée was started a moment ago, and its first look failed.
    let unanswered = |ago: u64| {
        let mut scene = gone(&Membership::Leaving, 0);
        let id = scene.desired.database(&name("db3")).expect("db3").id;
        scene.seen.whose.insert(name("db3"), (id, scene.now - ago));
        scene.seen.databases.insert(name("db3"), Seen::Failed { last: None, why: Fault::Unreachable(None) });
        scene
    };
    assert_eq!(about(&unanswered(9_999)), [], "it may only be slow to start");
    assert_eq!(about(&unanswered(10_000)), [let_go]);
}

/// Whatever its state when it leaves, it leaves in the end: each decision leads to the next.
#[test]
fn its_removal_comes_to_an_end() {
    let remove = Request::RemoveServer { pool: crate::ids::PoolId::Db, name: name("db3"), force: false };
    let membership = |d: &crate::desired::Desired| d.database(&name("db3")).map(|s| s.membership.clone());
    let member = guest(&Membership::Member).desired.apply(&remove).expect("removed");
    assert_eq!(membership(&member), Some(Membership::Leaving));
    let of = || basis(&member, "db3");
    let released = member.apply(&Decision::Release(of())).expect("released");
    assert_eq!(membership(&released), Some(Membership::Released));
    assert!(released.apply(&remove).is_err(), "it is leaving already");
    assert_eq!(membership(&released.apply(&Decision::Forget(of())).expect("gone")), None);
    assert_eq!(membership(&member.apply(&Decision::LetGo(of())).expect("gone")), None);
    let joining = guest(&Membership::Joining).desired.apply(&remove).expect("removed");
    assert_eq!(membership(&joining), Some(Membership::Released));
}
