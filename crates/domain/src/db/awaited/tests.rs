use crate::db::failover::tests::scene::{NOW, Scene, cluster, name};
use crate::db::{DatabaseSeen, Thread};
use crate::desired::Handover;

use super::*;

fn asked(scene: &Scene, of: &str, noticed: Option<Millis>) -> bool {
    awaited(&scene.desired, &scene.seen, &name(of), noticed)
}

fn see(scene: &mut Scene, of: &str, at: Millis, alter: impl Fn(&mut DatabaseSeen)) {
    let mut seen = scene.seen.databases[&name(of)].value().expect("seen").clone();
    alter(&mut seen);
    scene.seen.see_database(&name(of), at, Ok(seen));
}

#[test]
fn who_was_looked_at_since_and_has_nothing_to_apply_is_not_waited_for() {
    let mut scene = cluster(8);
    assert!(asked(&scene, "db5", Some(NOW - 50)), "not looked at since");
    see(&mut scene, "db5", NOW - 40, |_| {});
    assert!(!asked(&scene, "db5", Some(NOW - 50)));
    see(&mut scene, "db5", NOW - 30, |seen| {
        seen.channels.get_mut(&name("db1")).expect("a link").received.0.insert(1, 12);
    });
    assert!(asked(&scene, "db5", Some(NOW - 50)), "it applies what it received");
    see(&mut scene, "db5", NOW - 20, |seen| {
        seen.channels.get_mut(&name("db1")).expect("a link").applying = false;
    });
    assert!(!asked(&scene, "db5", Some(NOW - 50)), "it does not, and a look alters nothing in that");
}

#[test]
fn the_one_that_is_to_write_is_waited_for_and_in_a_planned_change_everybody() {
    let mut scene = cluster(2);
    assert!(asked(&scene, "db1", Some(NOW - 200)));
    assert!(!asked(&scene, "db3", Some(NOW - 200)));
    scene.seen.databases.remove(&name("db3"));
    assert!(asked(&scene, "db3", Some(NOW - 200)), "it was never seen");
    let mut scene = cluster(2);
    scene.desired.handover = Some(Handover { to: name("db2"), at: NOW - 200, accept_loss: false });
    assert!(asked(&scene, "db3", Some(NOW - 200)));
}

#[test]
fn of_a_link_that_was_stopped_what_it_received_is_taken_over_and_the_others_stay_as_they_were() {
    let scene = cluster(3);
    let before = scene.seen.databases[&name("db2")].value().expect("seen").clone();
    let mut younger = before.clone();
    younger.applied.0.insert(1, 12);
    for channel in younger.channels.values_mut() {
        channel.receiving = Thread::Stopped;
        channel.received.0.insert(1, 12);
    }
    let mut known = before.clone();
    known.take_stopped(&name("db1"), &younger);
    assert_eq!(known.channels[&name("db1")], younger.channels[&name("db1")]);
    let (other, was) = (&known.channels[&name("db3")], &before.channels[&name("db3")]);
    assert_eq!(other.receiving, was.receiving, "that one is about to go on");
    assert_eq!(other.received.last(1), 12, "it stood still, too: a look of that time knows all that it has");
    assert_eq!(known.applied, younger.applied);
}

#[test]
fn a_short_look_that_tells_another_promise_is_not_the_same() {
    let seen = cluster(1).seen.databases[&name("db1")].value().expect("seen").clone();
    let further = DatabaseSeen { written: seen.applied.clone(), ..seen.clone() };
    assert!(seen.promises_like(&further), "it only wrote");
    let others: [fn(&mut DatabaseSeen); 4] = [
        |s| s.read_only = !s.read_only,
        |s| s.semi_sync = !s.semi_sync,
        |s| s.in_force = !s.in_force,
        |s| s.acknowledging += 1,
    ];
    for alter in others {
        let mut other = seen.clone();
        alter(&mut other);
        assert!(!seen.promises_like(&other));
    }
}
