//! A writer died, and another one was elected: the new writer opens first, then the others stop receiving from the
//! dead one, one after the other, and only then is the dead one started.

use super::{Scene, basis, cluster, elect, former, name, setting};
use crate::db::Thread;
use crate::db::failover::PATIENCE;
use crate::decision::Decision;
use crate::desired::{Membership, Saved};
use crate::ids::{ProcessId, ServerName};
use crate::step::{HostStep, SqlStep, Step};

/// db1 died, and db2 was elected; there are two more standbys, and each tries to connect to db1.
fn elected() -> Scene {
    let mut scene = cluster(3).dead(60);
    let to_db2 = elect(&scene.desired, "db2", Some(10));
    scene.desired = scene.desired.apply(&to_db2).expect("db2 is a member");
    scene
}

fn opened(scene: Scene) -> Scene {
    scene.database("db2", |d| d.read_only = false)
}

fn read(mut scene: Scene) -> Scene {
    let saved = Saved { count: 0, file: "lost/x.sql".to_owned() };
    let read = Decision::Saved { of: basis(&scene.desired, "db1"), saved };
    scene.desired = scene.desired.apply(&read).expect("saved");
    scene
}

fn all(scene: &Scene, later: u64) -> Vec<Step> {
    let mut scene = scene.clone();
    scene.now += later;
    for seen in scene.seen.databases.values_mut() {
        if let crate::seen::Seen::At(at, _) = seen {
            *at += later;
        }
    }
    crate::plan::plan(scene.scene(), &setting()).steps
}

/// Returns which databases stop receiving from db1.
fn stop(steps: &[Step]) -> Vec<&str> {
    let on = |step| match step {
        &Step::Sql(SqlStep::StopChannel { ref on, ref from, whole: false }) if from.as_str() == "db1" => {
            Some(on.as_str())
        }
        _ => None,
    };
    steps.iter().filter_map(on).collect()
}

fn reads(steps: &[Step]) -> bool {
    steps.iter().any(|s| matches!(s, Step::Host(HostStep::SaveOwn { name, .. }) if name.as_str() == "db1"))
}

fn starts(steps: &[Step]) -> bool {
    let db1 = ProcessId::Database(name("db1"));
    steps.iter().any(|s| matches!(s, Step::Host(HostStep::StartProcess { id, .. }) if *id == db1))
}

fn opens(steps: &[Step]) -> bool {
    steps.iter().any(|s| matches!(s, Step::Sql(SqlStep::OpenDatabase { name, .. }) if name.as_str() == "db2"))
}

#[test]
fn nothing_comes_before_the_opening_and_that_is_not_waited_for_for_ever() {
    let scene = elected();
    let steps = all(&scene, 0);
    assert!(opens(&steps) && stop(&steps).is_empty() && !reads(&steps) && !starts(&steps), "{steps:#?}");
    let late = all(&scene, PATIENCE);
    assert_eq!((stop(&late), reads(&late)), (vec!["db2", "db3", "db4"], true), "db2 is not opened");
    let frozen = scene.standby_frozen("db2").unanswered("db2");
    assert!(stop(&all(&frozen, 0)).is_empty());
    assert_eq!(stop(&all(&frozen, PATIENCE)), ["db3", "db4"], "nor does it answer");
}

#[test]
fn one_after_the_other_stops_receiving_and_the_start_waits_for_the_last() {
    let mut scene = opened(elected());
    assert!(reads(&all(&scene, 0)) && !starts(&all(&scene, 0)));
    scene = read(scene);
    for next in ["db3", "db4", "db2"] {
        let steps = all(&scene, 0);
        assert_eq!((stop(&steps), starts(&steps)), (vec![next], false), "{next}");
        scene.seen.deaf.insert(name(next), true);
        scene = scene.channel(next, |l| l.receiving = Thread::Stopped);
        assert_eq!(stop(&all(&scene, 0)), [] as [&str; 0], "it was not seen to receive from db2 again");
        scene.seen.deaf.clear();
    }
    let steps = all(&scene, 0);
    assert!(stop(&steps).is_empty() && starts(&steps) && !reads(&steps), "{steps:#?}");
}

/// A database that does not answer, was stopped, or never had a channel from the former writer keeps it from
/// nothing.
#[test]
fn the_start_waits_for_those_that_answer() {
    let stopped = |s: Scene, on: &str| s.channel(on, |l| l.receiving = Thread::Stopped);
    let two = stopped(stopped(read(opened(elected())), "db2"), "db3");
    assert!(!starts(&all(&two, 0)));
    assert!(!starts(&all(&two.clone().unanswered("db4"), 0)), "not known, for a while");
    assert!(starts(&all(&two.clone().unanswered("db4"), PATIENCE)));
    assert!(!starts(&all(&two.clone().never_seen("db4"), 0)), "Cordée has just been started");
    assert!(starts(&all(&two.clone().never_seen("db4").standby_frozen("db4"), 0)), "nor can it be asked");
    assert!(starts(&all(&two.clone().gone("db4"), 0)));
    assert!(starts(&all(&two.clone().off("db4"), 0)));
    assert!(starts(&all(&two.clone().unlinked("db4"), 0)));
    let running = two.channel("db4", |l| l.receiving = Thread::Running);
    assert!(!starts(&all(&running, 0)), "a look of before");
}

/// Its process runs, whoever started it: its transactions must reach no other database, so all stop receiving at
/// once.
#[test]
fn from_one_that_runs_all_stop_receiving_at_once() {
    let two = former(0).channel("db2", |l| l.receiving = Thread::Running);
    assert_eq!(stop(&all(&two, 0)), ["db2"]);
    let mut scene = read(elected());
    let alive = cluster(3).writer_process().clone();
    *scene.writer_process() = alive;
    assert_eq!(stop(&all(&scene, 0)), ["db2", "db3", "db4"]);
    let server = |n: &ServerName| scene.desired.database(n).map(|d| d.membership.clone());
    assert!(matches!(server(&name("db1")), Some(Membership::Returning { .. })));
}
