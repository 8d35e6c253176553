//! Wrong decisions that were once made, each as the smallest state that showed it.

use crate::change::Request;
use crate::db::failover::{Decision, promise};
use crate::db::{Position, Thread};
use crate::desired::{HANDOVER_LIMIT, Membership, Power};
use crate::plan::tests::elect;

use super::scene::{NOW, Scene, cluster, name, sentence};

fn elects(scene: &Scene) -> bool {
    matches!(scene.decide(), Decision::Elect { .. })
}

/// Only db2's channel was seen to run when the promise was seen; then db2's channel broke and db3's ran, whose ACKs
/// the writer accepted from then on. Both answer, and db3 has more.
#[test]
fn a_member_that_received_more_than_the_promised_ones_is_not_passed_over() {
    let scene = cluster(2).dead(200).promised_by(&["db2"]);
    let scene = scene.answered("db2", 10, 10).answered("db3", 15, 15);
    assert_ne!(scene.said(), "elect db2 at 10");
}

/// One ACK is given, by db2; db2's channel breaks and db3's runs before db1 is looked at again.
#[test]
fn a_promise_seen_again_forgets_nobody_who_may_have_sent_an_ack() {
    let one = cluster(2).database("db1", |d| d.acknowledging = 1);
    let mut scene = one.receiving("db3", Thread::Connecting).looked("db1", 400);
    scene.seen.promise = promise(scene.scene());
    assert!(scene.seen.promise.as_ref().is_some_and(|p| p.standbys.contains(&name("db2"))));
    scene = scene.receiving("db2", Thread::Connecting).receiving("db3", Thread::Running);
    let after = promise(scene.scene());
    assert!(after.is_none_or(|p| p.standbys.contains(&name("db2"))));
}

/// MariaDB gives up waiting for ACKs after 800 ms (`rpl_semi_sync_master_timeout`), and acknowledges without one.
#[test]
fn a_promise_counts_no_longer_than_the_writer_surely_kept_it() {
    let scene = cluster(1).dead(200).answered("db2", 10, 10).promised_before(800);
    assert!(elects(&scene));
    assert!(!elects(&scene.promised_before(801)));
}

/// db2 sent an ACK and was restarted before it applied the transaction: MariaDB with GTID discards the relay log and
/// asks the writer again, which is gone (and rests after several failures, or was stopped by a person).
#[test]
fn a_standby_started_after_the_promise_keeps_it_no_more() {
    let mut scene = cluster(1).dead(200).answered("db2", 10, 10);
    let id = crate::ids::ProcessId::Database(name("db2"));
    scene.seen.processes.entry(id).or_default().started_at = Some(NOW - 150);
    assert!(!elects(&scene));
}

/// For 3 s before it was given up it may have acknowledged without an ACK; and it may still be alive.
#[test]
fn a_silent_writer_that_cannot_be_ended_is_not_replaced() {
    let scene = cluster(1).external().silent(3_500).answered("db2", 10, 10);
    assert!(!elects(&scene));
}

/// No standby heard the writer because the channel was stopped by hand, an hour ago: that says nothing about it.
#[test]
fn a_link_that_does_not_receive_is_no_witness() {
    let scene = cluster(1).silent(3_500).heard("db2", 900_000).idle("db2").answered("db2", 10, 10);
    assert_eq!(scene.said(), "keep");
    let asked = scene.promoting_at_any_price("db2", 100).decide();
    assert!(!matches!(asked, Decision::Fence { .. } | Decision::Elect { .. }), "{asked:?}");
}

/// The look is a minute old: db1 was opened since, or db2 is another database now.
#[test]
fn a_promotion_is_not_decided_on_an_old_look() {
    let scene = cluster(1).promoting("db2", 9_000).out_of_service().closed(10);
    assert!(elects(&scene));
    assert!(!elects(&scene.clone().looked("db1", 9_001)), "the old one, before");
    assert!(!elects(&scene.clone().looked("db2", 9_001)), "the new one, before");
    assert!(!elects(&scene.clone().looked("db2", 3_001)), "the new one, since, and long ago");
    assert!(!elects(&scene.clone().looked("db1", 60_000)), "the old one");
    assert!(!elects(&scene.looked("db2", 60_000)), "the new one");
}

/// `OpenDatabase` is still under way when the promotion is asked for: db1 was last seen closed, before that.
#[test]
fn a_promotion_asks_the_old_writer_after_it_began() {
    let scene = cluster(1).closed(10).looked("db1", 300).promoting("db2", 100).out_of_service();
    assert!(!elects(&scene));
}

#[test]
fn a_promotion_does_not_elect_a_frozen_one() {
    let planned = cluster(1).promoting("db2", 100).out_of_service().closed(10);
    let forced = cluster(1).dead(200).answered("db2", 10, 10).promoting_at_any_price("db2", 100);
    assert!(elects(&planned) && elects(&forced));
    assert!(!elects(&planned.standby_frozen("db2")), "the writer is well");
    assert!(!elects(&forced.standby_frozen("db2")), "the writer is lost");
}

/// db1 ended while Cordée was not running; db2 was looked at a minute ago.
#[test]
fn a_loss_at_an_unknown_time_is_not_decided_on_an_old_look() {
    let scene = cluster(1).found_dead().answered("db2", 10, 10).looked("db2", 60_000);
    assert!(!elects(&scene.promoting_at_any_price("db2", 10)));
    let asked = cluster(1).found_dead().answered("db2", 10, 10).promoting_at_any_price("db2", 100);
    assert!(elects(&asked));
    assert!(!elects(&asked.looked("db2", 101)), "before the person asked");
}

/// Its applying thread runs and waits for a lock; the writer's data are complete where they are.
#[test]
fn a_standby_that_applies_nothing_does_not_keep_everybody_waiting() {
    let scene = cluster(1).dead(600_000).answered("db2", 12, 10);
    assert!(scene.said().starts_with("restart"), "{}", scene.said());
}

/// The step that stops its channel is refused every time.
#[test]
fn a_link_that_cannot_be_stopped_does_not_keep_everybody_waiting() {
    let scene = cluster(1).dead(600_000).receiving("db2", Thread::Running);
    assert!(scene.said().starts_with("restart"), "{}", scene.said());
}

#[test]
fn one_that_is_being_asked_is_not_said_to_apply() {
    let scene = cluster(1).dead(200).answered("db2", 10, 10).looked_before_the_loss("db2", 1);
    let decision = scene.promoting_at_any_price("db2", 500).decide();
    assert_eq!(sentence(&decision).map(|t| t.key.as_ref()), Some("failover-asking"));
}

#[test]
fn a_promotion_may_be_typed_in_capitals() {
    let mut scene = cluster(1);
    let change = Request::Promote { name: name("DB2"), at: NOW, accept_loss: false };
    scene.desired = scene.desired.apply(&change).expect("db2 is known");
    assert_eq!(scene.desired.handover.as_ref().map(|h| h.to.clone()), Some(name("db2")));
    assert_eq!(scene.looked("db2", 0).said(), "wait: handover-proxy");
}

/// A person stopped db2, or it was found to have diverged, between the decision and its storage.
#[test]
fn only_a_member_that_is_to_run_can_be_elected() {
    let elect = elect(&cluster(1).desired, "db2", Some(10));
    let membership = Membership::Diverged(crate::desired::Saved { count: 1, file: "lost/x".to_owned() });
    assert!(cluster(1).off("db2").desired.apply(&elect).is_err(), "stopped");
    assert!(cluster(1).wished("db2", |s| s.stands(membership)).desired.apply(&elect).is_err(), "diverged");
    assert!(cluster(1).wished("db2", |s| s.powered(Power::On)).desired.apply(&elect).is_ok());
}

/// Its relay log holds transactions of an earlier writer, which arrived over db1 and are not applied yet.
#[test]
fn what_was_received_of_other_domains_is_applied_first() {
    let scene = cluster(1).dead(200).answered("db2", 10, 10).promised_by(&["db2"]);
    let scene = scene.channel("db2", |l| l.received = Position([(1, 10), (5, 7)].into()));
    let scene = scene.database("db2", |d| d.applied.0.extend([(5, 6)]));
    assert!(!elects(&scene));
}

/// A promotion that accepts a loss replaces one that does not, and nothing else replaces it.
#[test]
fn only_a_promotion_that_accepts_loss_replaces_one_that_does_not() {
    let desired = |s: Scene| s.desired;
    let pending = |price: bool| {
        let scene = cluster(2);
        if price { scene.promoting_at_any_price("db2", 10) } else { scene.promoting("db2", 10) }
    };
    for (before, after, allowed) in
        [(false, false, false), (false, true, true), (true, true, false), (true, false, false)]
    {
        let change = Request::Promote { name: name("db3"), at: NOW, accept_loss: after };
        let came = desired(pending(before)).apply(&change);
        assert_eq!(came.is_ok(), allowed, "{before} {after}");
        if let Ok(next) = came {
            let handover = next.handover.expect("one is under way");
            assert_eq!((handover.to, handover.at, handover.accept_loss), (name("db3"), NOW, true));
        }
    }
}

/// The plan relies on it: a promotion that is late is over.
#[test]
fn the_limit_is_what_the_sentence_says() {
    assert_eq!(HANDOVER_LIMIT, 10_000);
}

/// db1 was looked at while only db2 gave ACKs; then db2's channel broke and db3's ran, whose ACK was the only one
/// for an acknowledged 11. db1 and db3 end together, 100 ms after that look: db3 is not in the promise, and cannot
/// be asked.
#[test]
fn one_that_connected_since_the_promise_and_is_away_is_not_ignored() {
    let mut scene = cluster(2).dead(200).promised_by(&["db2"]).promised_before(100);
    scene = scene.answered("db2", 10, 10).gone("db3");
    let db3 = crate::ids::ProcessId::Database(name("db3"));
    scene.seen.processes.entry(db3).or_default().ended_at = Some(NOW - 200);
    assert!(!elects(&scene));
}

/// After the thaw the writer finds the 800 ms over, acknowledges without an ACK, and is killed before the next look
/// at its process. If it counted as lost since it froze, the promise from before would still count.
#[test]
fn a_writer_that_may_have_gone_on_after_it_froze_is_not_lost_since_it_froze() {
    let mut scene = cluster(1).frozen(950).ended().answered("db2", 10, 10);
    // Cordée did not end it: it does that after a second at the earliest.
    scene.writer_process().ended_at = Some(NOW - 20);
    assert!(!elects(&scene));
}
