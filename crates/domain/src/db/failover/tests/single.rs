//! One standby is in the promise: what happens to the lost writer, however it was lost.

use crate::db::Thread;
use crate::db::failover::{Decision, SILENT};
use crate::ids::ProcessId;

use super::scene::{NOW, Row, Scene, Turn, cluster, judge, name};

/// The state of db2 and of the promise, and the decision when the writer's process is dead.
const ROWS: &[Row] = &[
    ("db2 still receives", |s| s.receiving("db2", Thread::Running), "stop [db2]: failover-asking"),
    ("db2 tries to connect", |s| s.receiving("db2", Thread::Connecting), "elect db2 at 10"),
    (
        "db2 tries to connect, and was asked before the loss",
        |s| s.receiving("db2", Thread::Connecting).looked_before_the_loss("db2", 1),
        "stop []: failover-asking",
    ),
    (
        "db2 tries to connect, and has two to apply",
        |s| s.answered("db2", 12, 10).receiving("db2", Thread::Connecting),
        "stop []: failover-applying",
    ),
    (
        "db2 tries to connect, and lacks what was promised",
        |s| s.answered("db2", 9, 9).receiving("db2", Thread::Connecting),
        "restart: failover-behind",
    ),
    (
        "db2 tries to connect, and cannot apply what it has",
        |s| s.answered("db2", 12, 11).receiving("db2", Thread::Connecting).broken("db2"),
        "restart: failover-cannot-apply",
    ),
    (
        "db2 receives, and was asked before",
        |s| s.receiving("db2", Thread::Running).looked_before_the_loss("db2", 1),
        "stop []: failover-asking",
    ),
    ("db2 stopped receiving and holds all", |s| s.answered("db2", 10, 10), "elect db2 at 10"),
    (
        "db2 was asked at the moment of the loss",
        |s| s.answered("db2", 10, 10).looked_before_the_loss("db2", 0),
        "elect db2 at 10",
    ),
    (
        "db2 was asked 1 ms before the loss",
        |s| s.answered("db2", 10, 10).looked_before_the_loss("db2", 1),
        "stop []: failover-asking",
    ),
    (
        "db2 was stopped by somebody a while before the loss, and not asked since",
        |s| s.answered("db2", 10, 10).looked_before_the_loss("db2", 900),
        "stop []: failover-asking",
    ),
    (
        "db2 was stopped by somebody before the loss, and asked since",
        |s| s.answered("db2", 10, 10).idle("db2"),
        "elect db2 at 10",
    ),
    (
        "db2 was stopped by somebody early, and lacks what was promised",
        |s| s.answered("db2", 7, 7).idle("db2"),
        "restart: failover-behind",
    ),
    ("db2 received more than the floor", |s| s.answered("db2", 12, 12), "elect db2 at 12"),
    ("db2 has two to apply", |s| s.answered("db2", 12, 10), "stop []: failover-applying"),
    ("db2 has one to apply", |s| s.answered("db2", 10, 9), "stop []: failover-applying"),
    ("db2 has ten to apply", |s| s.answered("db2", 10, 0), "stop []: failover-applying"),
    (
        "db2's applying stopped with an error",
        |s| s.answered("db2", 12, 11).broken("db2"),
        "restart: failover-cannot-apply",
    ),
    (
        "db2's applying was stopped by hand",
        |s| s.answered("db2", 12, 11).idle("db2"),
        "restart: failover-cannot-apply",
    ),
    (
        "db2's applying stands with an error and nothing is left to apply",
        |s| s.answered("db2", 10, 10).broken("db2"),
        "elect db2 at 10",
    ),
    (
        "db2's applying stands with an error and it still receives",
        |s| s.receiving("db2", Thread::Running).broken("db2"),
        "stop [db2]: failover-asking",
    ),
    (
        "db2 applies again although an error is on show",
        |s| s.answered("db2", 12, 10).channel("db2", |l| l.error = 2003),
        "stop []: failover-applying",
    ),
    ("db2 received one less than the floor", |s| s.answered("db2", 9, 9), "restart: failover-behind"),
    ("db2 received and holds nothing", |s| s.answered("db2", 0, 0), "restart: failover-behind"),
    ("db2 lacks one over its link and holds it otherwise", |s| s.answered("db2", 9, 10), "elect db2 at 10"),
    ("db2's link forgot what it received", |s| s.answered("db2", 0, 10), "elect db2 at 10"),
    ("db2 is behind and applies", |s| s.answered("db2", 9, 5), "restart: failover-behind"),
    ("db2 is behind and broken", |s| s.answered("db2", 9, 5).broken("db2"), "restart: failover-behind"),
    (
        "the floor is above what db2 received",
        |s| s.min_seqno(11).answered("db2", 10, 10),
        "restart: failover-behind",
    ),
    ("the floor is just what db2 received", |s| s.min_seqno(12).answered("db2", 12, 12), "elect db2 at 12"),
    ("nothing was ever written", |s| s.min_seqno(0).answered("db2", 0, 0), "elect db2 at 0"),
    ("nothing was written before the promise", |s| s.min_seqno(0).answered("db2", 3, 3), "elect db2 at 3"),
    (
        "db2's own binary log is ahead of its applied position",
        |s| s.answered("db2", 12, 12).database("db2", |d| d.applied.0.clear()),
        "elect db2 at 12",
    ),
    (
        "db2's applied position is ahead of its binary log",
        |s| s.answered("db2", 12, 12).database("db2", |d| d.written.0.clear()),
        "elect db2 at 12",
    ),
    (
        "db2 holds many transactions of another domain",
        |s| s.answered("db2", 9, 9).database("db2", |d| d.written.0.extend([(2, 500)])),
        "restart: failover-behind",
    ),
    (
        "db2 holds all, and some of its own",
        |s| s.answered("db2", 10, 10).database("db2", |d| d.written.0.extend([(2, 500)])),
        "elect db2 at 10",
    ),
    (
        "db2 was opened by somebody",
        |s| s.answered("db2", 10, 10).database("db2", |d| d.read_only = false),
        "elect db2 at 10",
    ),
    ("db2 is dead too", |s| s.gone("db2"), "restart: failover-standby-away"),
    ("db2 is frozen", |s| s.answered("db2", 10, 10).standby_frozen("db2"), "restart: failover-standby-away"),
    ("db2 does not answer", |s| s.unanswered("db2"), "restart: failover-standby-away"),
    ("db2 has too many connections", |s| s.standby_full("db2"), "restart: failover-standby-away"),
    ("db2 was never looked at", |s| s.never_seen("db2"), "restart: failover-standby-away"),
    (
        "db2 has no link from db1",
        |s| s.answered("db2", 10, 10).unlinked("db2"),
        "restart: failover-standby-away",
    ),
    (
        "db2 was stopped by a person",
        |s| s.answered("db2", 10, 10).off("db2"),
        "restart: failover-standby-away",
    ),
    (
        "db2 is a former writer on its way back",
        |s| s.answered("db2", 10, 10).returning("db2"),
        "restart: failover-standby-away",
    ),
    ("db2 has diverged", |s| s.answered("db2", 10, 10).diverged("db2"), "restart: failover-standby-away"),
    (
        "nothing was promised, db2 holds all",
        |s| s.unpromised().answered("db2", 10, 10),
        "restart: failover-no-promise",
    ),
    (
        "nothing was promised, db2 still receives",
        |s| s.unpromised().receiving("db2", Thread::Running),
        "restart: failover-no-promise",
    ),
    ("nothing was promised, db2 is dead", |s| s.unpromised().gone("db2"), "restart: failover-no-promise"),
    (
        "the promise is of the epoch before",
        |s| s.promised_in(0).answered("db2", 10, 10),
        "restart: failover-no-promise",
    ),
    (
        "the promise is of a later epoch",
        |s| s.promised_in(2).answered("db2", 10, 10),
        "restart: failover-no-promise",
    ),
    (
        "the promise was seen at the moment of the loss",
        |s| s.promised_before(0).answered("db2", 10, 10),
        "elect db2 at 10",
    ),
    (
        "the promise was seen 800 ms before the loss",
        |s| s.promised_before(800).answered("db2", 10, 10),
        "elect db2 at 10",
    ),
    (
        "the promise was seen 801 ms before the loss",
        |s| s.promised_before(801).answered("db2", 10, 10),
        "restart: failover-no-promise",
    ),
    (
        "the promise was seen a minute before the loss",
        |s| s.promised_before(60_000).answered("db2", 10, 10),
        "restart: failover-no-promise",
    ),
    (
        "it was promised by one that is unknown",
        |s| s.promised_by(&["db9"]).answered("db2", 10, 10),
        "restart: failover-standby-away",
    ),
    (
        "it was promised by db2 and by one that is unknown",
        |s| s.promised_by(&["db2", "db9"]).answered("db2", 10, 10),
        "restart: failover-standby-away",
    ),
    ("it was promised by nobody", |s| s.promised_by(&[]).answered("db2", 10, 10), "elect db2 at 10"),
    (
        "it was promised by nobody, and db2 is behind",
        |s| s.promised_by(&[]).answered("db2", 9, 9),
        "restart: failover-behind",
    ),
    (
        "db2 was started when the promise was seen",
        |s| s.answered("db2", 10, 10).started_after_the_promise("db2", 0),
        "elect db2 at 10",
    ),
    (
        "db2 was started just after the promise was seen",
        |s| s.answered("db2", 10, 10).started_after_the_promise("db2", 1),
        "restart: failover-standby-away",
    ),
    (
        "db2 has some to apply of a domain of old",
        |s| s.answered("db2", 10, 10).channel("db2", |l| l.received.0.extend([(7, 2)])),
        "stop []: failover-applying",
    ),
    (
        "it was promised by nobody, and nothing was written",
        |s| s.promised_by(&[]).min_seqno(0).answered("db2", 0, 0),
        "elect db2 at 0",
    ),
    (
        "two epochs later everything is as in the first",
        |mut s| {
            s = s.promised_in(3).answered("db2", 10, 10);
            s.desired.epoch = 3;
            s
        },
        "elect db2 at 10",
    ),
];

/// Each kind of loss, in a cluster in which db3 is not in the promise: it is a witness to silence, and holds
/// nothing.
const LOSSES: [(Turn, Lost); 11] = [
    (("dead", |s| asked(s.dead(200))), Lost::Dead),
    (("dead for 2,900 ms", |s| asked(s.dead(2_900))), Lost::Dead),
    (("dead for 5,000 ms", |s| asked(s.dead(5_000))), Lost::Dead),
    (("dead for 5,001 ms", |s| asked(s.dead(5_001))), Lost::Late),
    (("frozen and ended", |s| asked(s.frozen(1_500).ended())), Lost::Dead),
    (("silent and ended", |s| asked(s.silent(3_500).ended())), Lost::Silent),
    (("frozen", |s| s.frozen(1_500)), Lost::Alive),
    (("frozen for long", |s| s.frozen(20_000)), Lost::Alive),
    (("silent", |s| s.silent(3_500)), Lost::Alive),
    (("external and silent", |s| s.external().silent(3_500)), Lost::Beyond),
    (("external and silent for long", |s| s.external().silent(20_000)), Lost::Beyond),
];

fn asked(scene: Scene) -> Scene {
    scene.answered("db3", 0, 0)
}

/// How the writer was lost, as far as the decision depends on it.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Lost {
    /// Its process is gone.
    Dead,
    /// Its process has been gone for so long that starting it again with its own data is quicker.
    Late,
    /// Its process was ended after a silence: nobody knows what it acknowledged meanwhile.
    Silent,
    /// Its process is alive and can be ended.
    Alive,
    /// Its process, if there is one, cannot be reached.
    Beyond,
}

/// Returns the decision for that loss, given the decision for a dead process: a process of Cordée's that is alive is
/// ended before anything else, a writer that cannot be ended is waited for, and nobody waits long for a standby.
pub(super) fn told(lost: Lost, dead: &str) -> String {
    match (lost, dead.strip_prefix("stop ").and_then(|d| d.split_once(": "))) {
        (Lost::Alive, _) => "fence 101".to_owned(),
        (Lost::Beyond, _) => "wait: failover-cut-off".to_owned(),
        (Lost::Silent, _) => "restart: failover-no-promise".to_owned(),
        (Lost::Late, Some((_, why))) => format!("restart: {why}"),
        (Lost::Dead | Lost::Late, _) => dead.to_owned(),
    }
}

fn cases() -> Vec<(String, Scene, String)> {
    let mut all = Vec::new();
    for ((loss, lose), lost) in &LOSSES {
        for (title, make, wanted) in ROWS {
            let scene = make(lose(cluster(2).promised_by(&["db2"])));
            // By then a look at the moment of the loss does not count any more.
            let old = scene.now - scene.lost_at > SILENT && *lost != Lost::Alive;
            if old && *title == "db2 was asked at the moment of the loss" {
                continue;
            }
            all.push((format!("db1 is {loss}; {title}"), scene, told(*lost, wanted)));
        }
    }
    all
}

#[test]
fn a_lost_writer_with_one_promised_standby() {
    assert!(judge(cases()) > 550);
}

#[test]
fn one_that_promised_nothing_and_cannot_be_asked_is_ignored() {
    // A standby that ended, or was restarted, after the promise was seen may have given the last ACK before that.
    let lately: [Turn; 2] =
        [("gone", |s| s.gone("db3")), ("started anew", |s| s.answered("db3", 99, 99).started("db3", NOW))];
    for (title, go) in lately {
        for (case, scene, _) in cases() {
            let decision = go(scene).decide();
            assert!(!matches!(decision, Decision::Elect { .. }), "{case}, db3 {title}: {decision:?}");
        }
    }
    let away: [Turn; 4] = [
        ("unanswered", |s| s.unanswered("db3")),
        ("off", |s| s.answered("db3", 99, 99).off("db3")),
        ("returning", |s| s.answered("db3", 99, 99).returning("db3")),
        ("without a link", |s| s.unlinked("db3")),
    ];
    for (_, go) in away {
        let dead = cases().into_iter().filter(|(_, s, _)| {
            s.seen.process(&ProcessId::Database(name("db1"))).leader.is_none() && s.lost_at >= NOW - SILENT
        });
        assert!(judge(dead.map(|(title, scene, wanted)| (title, go(scene), wanted))) > 150);
    }
}

/// The promotion was asked for while the writer was alive. It goes on only if a database can take over.
#[test]
fn a_promotion_under_way_that_accepts_no_loss_does_not_decide() {
    let wanted = |wanted: String| match wanted.split_once(": ") {
        Some(("restart" | "wait", why)) => format!("abandon: {why}"),
        _ => wanted,
    };
    for ago in [0, 9_999, 60_000] {
        for to in ["db2", "db3"] {
            let all = cases().into_iter();
            judge(all.map(|(title, scene, told)| (title, scene.promoting(to, ago), wanted(told))));
        }
    }
}

#[test]
fn neither_does_the_routing_nor_what_haproxy_says() {
    judge(cases().into_iter().map(|(title, scene, wanted)| (title, scene.all_writers(), wanted)));
    judge(cases().into_iter().map(|(title, scene, wanted)| (title, scene.proxy_gone(), wanted)));
    judge(cases().into_iter().map(|(title, scene, wanted)| (title, scene.out_of_service(), wanted)));
}

#[test]
fn the_sentence_names_the_right_server_and_number() {
    use super::scene::{count, named};
    let dead = || asked(cluster(2).promised_by(&["db2"]).dead(200));
    let cases = [
        (dead().answered("db2", 7, 7), "db1", Some(3)),
        (dead().answered("db2", 12, 9), "db2", Some(3)),
        (dead().answered("db2", 12, 9).broken("db2"), "db1", None),
        (dead().unanswered("db2"), "db2", None),
        (dead().unpromised(), "db1", None),
        (dead().receiving("db2", Thread::Running), "db1", None),
    ];
    for (scene, who, number) in cases {
        let decision = scene.decide();
        assert_eq!((named(&decision).as_deref(), count(&decision)), (Some(who), number), "{decision:?}");
    }
    assert_eq!(dead().desired.writer, Some(name("db1")));
}
