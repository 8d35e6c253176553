//! A change of writer that a person asked for.

use crate::db::Thread;
use crate::fault::Fault;
use crate::seen::Seen;

use super::scene::{NOW, Row, Scene, Turn, cluster, count, judge};

/// db1 writes and is well; the promotion of db2 was asked for 500 ms ago.
const ROWS: &[Row] = &[
    ("HAProxy still sends to db1", |s| s, "wait: handover-proxy"),
    (
        "HAProxy still sends the writer's address to db1",
        |s| s.maintenance(true, false),
        "wait: handover-proxy",
    ),
    ("HAProxy still sends the shared address to db1", |s| s.maintenance(false, true), "wait: handover-proxy"),
    ("HAProxy sends nobody to db1", |s| s.out_of_service(), "close"),
    ("HAProxy does not run", |s| s.proxy_gone(), "close"),
    (
        "HAProxy does not answer",
        |s| {
            s.proxy(|p| {
                let why = Fault::Silent;
                p.running = Seen::Failed { last: Some(NOW - 100), why };
            })
        },
        "wait: handover-proxy",
    ),
    ("HAProxy was not looked at", |s| s.proxy(|p| p.running = Seen::Never), "wait: handover-proxy"),
    ("HAProxy was looked at 2,000 ms ago", |s| s.out_of_service().proxy_looked(2_000), "close"),
    (
        "HAProxy was looked at 2,001 ms ago",
        |s| s.out_of_service().proxy_looked(2_001),
        "wait: handover-proxy",
    ),
    (
        "HAProxy does not know db1",
        |s| {
            s.proxy(|p| {
                if let Seen::At(_, running) = &mut p.running {
                    running.servers.clear();
                }
            })
        },
        "wait: handover-proxy",
    ),
    ("db1 is closed although HAProxy sends to it", |s| s.closed(10), "wait: handover-proxy"),
    ("db1 is closed, db2 holds all", |s| s.out_of_service().closed(10), "elect db2"),
    ("db1 is closed, HAProxy does not run, db2 holds all", |s| s.proxy_gone().closed(10), "elect db2"),
    ("db1 is closed and has nothing", |s| s.out_of_service().closed(0), "elect db2"),
    ("db1 is closed, db2 lacks one", |s| s.out_of_service().closed(11), "wait: handover-catching-up"),
    ("db1 is closed, db2 lacks many", |s| s.out_of_service().closed(9_999), "wait: handover-catching-up"),
    (
        "db1 is closed, db2 received all and has one to apply",
        |s| s.out_of_service().closed(11).channel("db2", |l| l.received.0.extend([(1, 11)])),
        "wait: handover-catching-up",
    ),
    (
        "db1 is closed, db2 lacks some of a domain of old",
        |s| s.out_of_service().closed(10).database("db1", |d| d.written.0.extend([(7, 3)])),
        "wait: handover-catching-up",
    ),
    (
        "db1 is closed, db2 holds what db1 has of a domain of old",
        |s| {
            s.out_of_service()
                .closed(10)
                .database("db1", |d| d.written.0.extend([(7, 3)]))
                .database("db2", |d| d.applied.0.extend([(7, 3)]))
        },
        "elect db2",
    ),
    (
        "db1 is closed, db2 holds more of its own domain than db1",
        |s| s.out_of_service().closed(10).database("db2", |d| d.written.0.extend([(2, 9)])),
        "elect db2",
    ),
    (
        "db1 is closed and holds more of db2's domain than db2",
        |s| s.out_of_service().closed(10).database("db1", |d| d.written.0.extend([(2, 9)])),
        "wait: handover-catching-up",
    ),
    ("db1 does not answer for a moment", |s| s.out_of_service().unanswered("db1"), "wait: handover-away"),
    ("db1 has too many connections", |s| s.out_of_service().standby_full("db1"), "wait: handover-away"),
    ("db1 was not looked at", |s| s.out_of_service().never_seen("db1"), "wait: handover-away"),
    ("db1 froze a moment ago", |s| s.out_of_service().frozen(500), "close"),
    (
        "db1 was last looked at when the person asked",
        |s| s.out_of_service().closed(10).looked_at_the_wish("db1", 0),
        "elect db2",
    ),
    (
        "db1 was last seen closed before the person asked",
        |s| s.out_of_service().closed(10).looked_at_the_wish("db1", 1),
        "close",
    ),
    (
        "db2 was last looked at before the person asked",
        |s| s.out_of_service().closed(10).looked_at_the_wish("db2", 1),
        "wait: failover-asking",
    ),
    ("db2 is dead", |s| s.gone("db2"), "abandon: handover-away"),
    ("db2 does not answer", |s| s.unanswered("db2"), "abandon: handover-away"),
    ("db2 has too many connections", |s| s.standby_full("db2"), "abandon: handover-away"),
    ("db2 was never looked at", |s| s.never_seen("db2"), "wait: failover-asking"),
    ("db2 was stopped meanwhile", |s| s.off("db2"), "abandon: handover-away"),
    ("db2 is returning", |s| s.returning("db2"), "abandon: handover-away"),
    ("db2 has diverged", |s| s.diverged("db2"), "abandon: handover-away"),
    ("db2 has no link from db1", |s| s.unlinked("db2"), "abandon: handover-away"),
    ("db2 tries to connect", |s| s.receiving("db2", Thread::Connecting), "abandon: handover-link"),
    ("db2 does not receive", |s| s.receiving("db2", Thread::Stopped), "abandon: handover-link"),
    ("db2 does not apply", |s| s.idle("db2"), "abandon: handover-link"),
    ("db2 stands with an error", |s| s.broken("db2"), "abandon: handover-link"),
    (
        "db1 is closed, db2 stopped with an error",
        |s| s.out_of_service().closed(10).broken("db2"),
        "abandon: handover-link",
    ),
    ("db1 is closed, db2 died", |s| s.out_of_service().closed(10).gone("db2"), "abandon: handover-away"),
    (
        "db1 is closed, db2 has lost its link",
        |s| s.out_of_service().closed(10).receiving("db2", Thread::Connecting),
        "abandon: handover-link",
    ),
    ("nothing was promised, db1 closed", |s| s.unpromised().out_of_service().closed(10), "elect db2"),
    ("external, HAProxy still sends to db1", |s| s.external(), "wait: handover-proxy"),
    ("external, HAProxy sends nobody to db1", |s| s.external().out_of_service(), "close"),
    ("external, db1 closed, db2 holds all", |s| s.external().out_of_service().closed(10), "elect db2"),
    (
        "db1 is overloaded for long",
        |s| s.out_of_service().overloaded(9_000).receiving("db2", Thread::Running),
        "wait: handover-away",
    ),
];

fn asked(ago: u64, at_any_price: bool) -> Scene {
    let scene = cluster(2);
    if at_any_price { scene.promoting_at_any_price("db2", ago) } else { scene.promoting("db2", ago) }
}

#[test]
fn a_promotion_while_the_writer_is_well() {
    let mut all = Vec::new();
    for (title, make, wanted) in ROWS {
        // While the writer is well there is no loss to accept.
        for (price, words) in [(false, "no loss accepted"), (true, "loss accepted")] {
            for ago in [500, 10_000] {
                all.push((format!("{title}; {words}, {ago}"), make(asked(ago, price)), (*wanted).to_owned()));
            }
            let late = "abandon: handover-late".to_owned();
            all.push((format!("{title}; {words}, late"), make(asked(10_001, price)), late));
            let title = format!("{title}; {words}, all write");
            all.push((title, make(asked(500, price)).all_writers(), (*wanted).to_owned()));
        }
    }
    assert!(judge(all) > 350);
}

#[test]
fn what_is_missing_is_counted_over_all_domains() {
    let scene = asked(500, false).out_of_service().closed(13);
    let scene = scene.database("db1", |d| d.written.0.extend([(2, 4), (7, 1)]));
    assert_eq!(count(&scene.decide()), Some(8));
}

#[test]
fn a_promotion_of_one_that_is_no_server_is_abandoned() {
    for to in ["db9", "db1x", "web1"] {
        assert_eq!(cluster(1).promoting(to, 10).said(), "abandon: handover-away");
        assert_eq!(cluster(1).promoting_at_any_price(to, 10).said(), "abandon: handover-away");
    }
}

/// db1 is lost, and db2 is to take over whatever is missing.
const LOSSY: &[Row] = &[
    ("db2 still receives", |s| s.receiving("db2", Thread::Running), "stop [db2]: failover-asking"),
    ("db2 tries to connect", |s| s.receiving("db2", Thread::Connecting), "stop [db2]: failover-asking"),
    ("db2 holds all that it received", |s| s.answered("db2", 10, 10), "elect db2 at 10"),
    ("db2 is below the floor", |s| s.answered("db2", 5, 5), "elect db2 at 5"),
    ("db2 has nothing", |s| s.answered("db2", 0, 0), "elect db2 at 0"),
    ("db2 has two to apply", |s| s.answered("db2", 12, 10), "wait: failover-applying"),
    ("db2 has two to apply and cannot", |s| s.answered("db2", 12, 10).broken("db2"), "elect db2 at 10"),
    (
        "db2 has two to apply and was stopped by hand",
        |s| s.answered("db2", 12, 10).idle("db2"),
        "elect db2 at 10",
    ),
    (
        "db2 was asked before the loss",
        |s| s.answered("db2", 10, 10).looked_before_the_loss("db2", 1),
        "wait: failover-asking",
    ),
    (
        "db2 was asked 1 ms before the person asked",
        |s| s.answered("db2", 10, 10).looked("db2", 501),
        "wait: failover-asking",
    ),
    ("db2 is below what db1 wrote of old", |s| s.answered("db2", 9, 9).min_seqno(10), "elect db2 at 9"),
    (
        "db2 has two to apply of a domain of old",
        |s| s.answered("db2", 10, 10).channel("db2", |l| l.received.0.extend([(7, 2)])),
        "wait: failover-applying",
    ),
    (
        "db2 was started anew",
        |s| s.answered("db2", 10, 10).started_after_the_promise("db2", 1),
        "elect db2 at 10",
    ),
    ("db2 holds more than its link received", |s| s.answered("db2", 3, 10), "elect db2 at 10"),
    ("db3 has more", |s| s.answered("db2", 5, 5).holding("db3", 12), "elect db2 at 5"),
    (
        "db3 does not answer but db2 does",
        |s| s.answered("db2", 10, 10).gone("db3").answered("db2", 10, 10),
        "elect db2 at 10",
    ),
    ("db2 is dead", |s| s.gone("db2"), "abandon: handover-away"),
    ("db2 does not answer", |s| s.unanswered("db2"), "abandon: handover-away"),
    ("db2 has too many connections", |s| s.standby_full("db2"), "abandon: handover-away"),
    ("db2 was never looked at", |s| s.never_seen("db2"), "wait: failover-asking"),
    ("db2 was stopped", |s| s.off("db2"), "abandon: handover-away"),
    ("db2 is returning", |s| s.returning("db2"), "abandon: handover-away"),
    ("db2 has diverged", |s| s.diverged("db2"), "abandon: handover-away"),
    ("db2 has no link from db1", |s| s.unlinked("db2"), "abandon: handover-away"),
];

/// How the writer was lost, and whether its process can be ended.
const LOSSES: [(Turn, bool); 4] = [
    (("dead", |s| s.dead(200)), false),
    (("frozen", |s| s.frozen(1_500)), true),
    (("silent", |s| s.silent(3_500).looked("db3", 10)), true),
    (("external", |s| s.external().silent(3_500).looked("db3", 10)), false),
];

/// In these cases it does not matter whether the promise holds.
const PROMISES: [Turn; 4] = [
    ("promised", |s| s),
    ("nothing promised", |s| s.unpromised()),
    ("promised long ago", |s| s.promised_before(60_000)),
    ("promised by db3", |s| s.promised_by(&["db3"])),
];

#[test]
fn a_promotion_that_accepts_loss_while_the_writer_is_lost() {
    let mut all = Vec::new();
    for ((loss, lose), alive) in &LOSSES {
        for (promise, change) in &PROMISES {
            for (title, make, wanted) in LOSSY {
                // In some cases db3 is the only witness of silence.
                if title.starts_with("db3 does not") && (*loss == "silent" || *loss == "external") {
                    continue;
                }
                // An external database cannot be stopped here: the desired state has no power setting for it.
                if *title == "db2 was stopped" && *loss == "external" {
                    continue;
                }
                let scene = change(lose(cluster(2)));
                let refused = wanted.starts_with("abandon");
                let asking = title.starts_with("db2 was asked");
                let wanted = if *alive && !refused && !asking { "fence 101" } else { wanted };
                let title = format!("{loss}, {promise}; {title}");
                let late = make(scene.clone().promoting_at_any_price("db2", 10_001));
                all.push((format!("{title}; late"), late, "abandon: handover-late".to_owned()));
                all.push((title, make(scene.promoting_at_any_price("db2", 500)), wanted.to_owned()));
            }
        }
    }
    assert!(judge(all) > 550);
}

#[test]
fn after_a_promotion_was_abandoned_the_lost_writer_is_decided_on_as_ever() {
    use crate::plan::tests::basis;
    let mut scene = cluster(1).dead(200).answered("db2", 10, 10).promoting_at_any_price("db2", 10_001);
    let why = crate::text::Text::of("handover-late");
    let at = scene.desired.handover.as_ref().expect("one is under way").at;
    let given_up = crate::decision::Decision::AbandonHandover { of: basis(&scene.desired, "db2"), at, why };
    scene.desired = scene.desired.apply(&given_up).expect("abandoned");
    assert_eq!(scene.said(), "elect db2 at 10");
}
