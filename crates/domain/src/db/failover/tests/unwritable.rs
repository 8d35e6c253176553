//! The state file cannot be written: no epoch can be stored, so no database is elected.

use crate::db::Thread;
use crate::db::failover::{Decision, lost};
use crate::fault::{Fault, Lack};
use crate::seen::Seen;

use super::invariants::every;
use super::scene::{Scene, cluster, name};

fn unwritable(scene: &Scene) -> Scene {
    let mut scene = scene.clone();
    scene.seen.own.unwritable = Some(Fault::DiskFull(None));
    scene
}

#[test]
fn nobody_is_chosen_whatever_became_of_the_writer() {
    let number = every(2, |scene, title| {
        let decision = unwritable(scene).decide();
        let chooses = matches!(
            decision,
            Decision::Elect { .. } | Decision::Prepare { .. } | Decision::Close | Decision::Abandon(_)
        );
        assert!(!chooses, "{}: {decision:?}", title());
        let before = scene.decide();
        if matches!(
            before,
            Decision::Keep | Decision::Fence { .. } | Decision::Restart(_) | Decision::Wait(_)
        ) {
            assert_eq!(decision, before, "{}: it asks for nothing to be stored", title());
        }
    });
    assert!(number > 10_000, "{number}");
}

#[test]
fn the_lost_writer_starts_where_its_data_are_and_the_others_are_not_even_stopped() {
    let scene = cluster(1).dead(400).receiving("db2", Thread::Running);
    assert_eq!(scene.said(), "stop [db2]: failover-asking");
    assert_eq!(unwritable(&scene).said(), "restart: failover-unwritable");
    let scene = scene.answered("db2", 10, 10);
    assert_eq!(scene.said(), "elect db2 at 10");
    assert_eq!(unwritable(&scene).said(), "restart: failover-unwritable");
    let asked = cluster(1).promoting("db2", 500).out_of_service();
    assert_eq!(
        (asked.said(), unwritable(&asked).said().as_str()),
        ("close".to_owned(), "wait: failover-unwritable")
    );
}

#[test]
fn a_writer_that_cordee_itself_could_not_ask_is_not_lost() {
    let mut scene = cluster(1).silent(3_500);
    let is_lost = |scene: &Scene| lost(scene.scene()).is_some();
    assert!(is_lost(&scene));
    let Some(Seen::Failed { why, .. }) = scene.seen.databases.get_mut(&name("db1")) else { panic!() };
    *why = Fault::Own(Lack::Descriptors, None);
    assert!(!is_lost(&scene), "the silence is Cordée's own");
}
