//! A look that failed does not mean that nothing is there: what could not be looked at is neither present nor
//! missing.

use crate::db::failover::tests::scene::{NOW, Scene, cluster, name};
use crate::fault::Fault;
use crate::ids::ProcessId;
use crate::plan::plan;
use crate::seen::Seen;
use crate::step::{HostStep, Step};

use super::setting;

fn steps(scene: &Scene) -> Vec<Step> {
    plan(scene.scene(), &setting()).steps
}

fn waits(scene: &Scene, key: &str) -> bool {
    plan(scene.scene(), &setting()).waiting.iter().any(|(_, why)| why.key == key)
}

fn about_folders(step: &Step) -> bool {
    matches!(
        step,
        Step::Host(
            HostStep::InitDatabase { .. } | HostStep::CopyDatabase { .. } | HostStep::TrashHome { .. }
        )
    )
}

#[test]
fn a_folder_that_cannot_be_read_is_not_made_anew() {
    let mut scene = cluster(1).gone("db2");
    scene.seen.initialised.remove(&name("db2"));
    assert!(steps(&scene).iter().any(about_folders), "one that is missing is made");
    scene.seen.own.unread.insert(name("db2"));
    assert!(!steps(&scene).iter().any(about_folders), "{:?}", steps(&scene));
    assert!(waits(&scene, "wait-unread"));
}

#[test]
fn nothing_starts_before_what_a_dead_leader_left_is_known() {
    let db2 = ProcessId::Database(name("db2"));
    let starts = |scene: &Scene| {
        steps(scene).iter().any(|s| matches!(s, Step::Host(HostStep::StartProcess { id, .. }) if *id == db2))
    };
    let mut scene = cluster(1).gone("db2");
    assert!(starts(&scene));
    scene.seen.processes.entry(db2.clone()).or_default().unlooked = true;
    assert!(!starts(&scene));
    assert!(waits(&scene, "wait-unlooked"));
}

/// There has been space again for `ago` milliseconds, and these databases cannot write yet.
fn again(ago: u64, stuck: &[&str]) -> Scene {
    let mut scene = cluster(1);
    scene.seen.own.again = Some(scene.now - ago);
    for on in stuck {
        let why = Fault::Silent;
        scene.seen.beats.insert(name(on), Seen::Failed { last: Some(NOW - 60_000), why });
    }
    scene
}

fn killed(scene: &Scene) -> Vec<String> {
    let kills = steps(scene).into_iter().filter_map(|step| match step {
        Step::Host(HostStep::KillProcess { id, .. }) => Some(id.to_string()),
        _ => None,
    });
    kills.collect()
}

#[test]
fn a_standby_that_still_waits_for_room_is_started_anew_and_the_writer_never_is() {
    assert_eq!(
        killed(&again(6_000, &["db1", "db2"])),
        ["db2"],
        "the writer alone may hold what it acknowledged"
    );
    assert!(killed(&again(1_000, &["db2"])).is_empty(), "it may go on by itself");
    assert!(killed(&again(600_000, &["db2"])).is_empty(), "that is something else by now");
    assert!(killed(&again(6_000, &[])).is_empty(), "it writes");
    let all_write = again(6_000, &["db2"]).all_writers();
    assert!(killed(&all_write).is_empty(), "it takes writes of its own");
    let alone = again(6_000, &["db2"]).database("db1", |d| d.read_only = true);
    assert!(killed(&alone).is_empty(), "no writer is open: it may be the one that is needed");
    let mut anew = again(6_000, &["db2"]);
    anew.seen.processes.entry(ProcessId::Database(name("db2"))).or_default().started_at =
        Some(anew.now - 1_000);
    assert!(killed(&anew).is_empty(), "once is enough");
}
