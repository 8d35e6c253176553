//! Two or three standbys are in the promise.

use crate::db::Thread;

use super::scene::{Row, Scene, Turn, cluster, judge};
use super::single::{Lost, told};

fn both(scene: Scene) -> Scene {
    scene.answered("db2", 10, 10).answered("db3", 10, 10)
}

/// With db2 and db3.
const TWO: &[Row] = &[
    ("both hold all", both, "elect db2 at 10"),
    ("db3 received more", |s| both(s).answered("db3", 12, 12), "elect db3 at 12"),
    ("db2 received more", |s| both(s).answered("db2", 12, 12), "elect db2 at 12"),
    (
        "db2 has one to apply, db3 none",
        |s| s.answered("db2", 12, 11).answered("db3", 12, 12),
        "elect db3 at 12",
    ),
    (
        "db3 has one to apply, db2 none",
        |s| s.answered("db2", 12, 12).answered("db3", 12, 11),
        "elect db2 at 12",
    ),
    (
        "db2 received more and has one to apply",
        |s| both(s).answered("db2", 12, 11),
        "stop []: failover-applying",
    ),
    (
        "db3 received more and has one to apply",
        |s| both(s).answered("db3", 12, 11),
        "stop []: failover-applying",
    ),
    (
        "both have one to apply",
        |s| s.answered("db2", 12, 11).answered("db3", 12, 11),
        "stop []: failover-applying",
    ),
    (
        "both have one to apply, db2 cannot",
        |s| s.answered("db2", 12, 11).broken("db2").answered("db3", 12, 11),
        "stop []: failover-applying",
    ),
    (
        "both have one to apply, db3 cannot",
        |s| s.answered("db2", 12, 11).answered("db3", 12, 11).broken("db3"),
        "stop []: failover-applying",
    ),
    (
        "both have one to apply and neither can",
        |s| s.answered("db2", 12, 11).broken("db2").answered("db3", 12, 11).broken("db3"),
        "restart: failover-cannot-apply",
    ),
    (
        "db2 received more and cannot apply it, db3 is well",
        |s| both(s).answered("db2", 12, 11).broken("db2"),
        "restart: failover-cannot-apply",
    ),
    (
        "db2 is behind and broken, db3 is well",
        |s| both(s).answered("db2", 8, 4).broken("db2"),
        "elect db3 at 10",
    ),
    ("db2 is behind and still applies, db3 is well", |s| both(s).answered("db2", 8, 4), "elect db3 at 10"),
    (
        "db2 received all over its link, db3 by another way",
        |s| s.answered("db2", 12, 11).answered("db3", 9, 12),
        "elect db3 at 12",
    ),
    (
        "neither is asked yet",
        |s| s.looked_before_the_loss("db2", 1).looked_before_the_loss("db3", 1),
        "stop []: failover-asking",
    ),
    (
        "neither heard of the loss",
        |s| both(s).receiving("db2", Thread::Running).receiving("db3", Thread::Running),
        "stop [db2 db3]: failover-asking",
    ),
    (
        "both try to connect, db3 received more",
        |s| {
            let s = both(s).answered("db3", 12, 12);
            s.receiving("db2", Thread::Connecting).receiving("db3", Thread::Connecting)
        },
        "elect db3 at 12",
    ),
    ("db2 still receives", |s| both(s).receiving("db2", Thread::Running), "stop [db2]: failover-asking"),
    ("db3 still receives", |s| both(s).receiving("db3", Thread::Running), "stop [db3]: failover-asking"),
    ("db3 tries to connect", |s| both(s).receiving("db3", Thread::Connecting), "elect db2 at 10"),
    (
        "db3 was asked before the loss",
        |s| both(s).looked_before_the_loss("db3", 1),
        "stop []: failover-asking",
    ),
    (
        "db2 was asked before the loss",
        |s| both(s).looked_before_the_loss("db2", 1),
        "stop []: failover-asking",
    ),
    (
        "db2 was asked before the loss, db3 still receives",
        |s| both(s).looked_before_the_loss("db2", 1).receiving("db3", Thread::Running),
        "stop [db3]: failover-asking",
    ),
    (
        "db3 still receives, db2 has to apply",
        |s| s.answered("db2", 12, 10).receiving("db3", Thread::Running),
        "stop [db3]: failover-asking",
    ),
    ("db3 does not answer", |s| both(s).unanswered("db3"), "restart: failover-standby-away"),
    ("db2 does not answer", |s| both(s).unanswered("db2"), "restart: failover-standby-away"),
    ("db3 is dead", |s| both(s).gone("db3"), "restart: failover-standby-away"),
    ("db3 was never looked at", |s| both(s).never_seen("db3"), "restart: failover-standby-away"),
    ("db3 has no link", |s| both(s).unlinked("db3"), "restart: failover-standby-away"),
    ("db3 is stopped", |s| both(s).off("db3"), "restart: failover-standby-away"),
    ("db3 has diverged", |s| both(s).diverged("db3"), "restart: failover-standby-away"),
    ("db3 is returning", |s| both(s).returning("db3"), "restart: failover-standby-away"),
    (
        "db2 still receives and db3 does not answer",
        |s| s.receiving("db2", Thread::Running).unanswered("db3"),
        "restart: failover-standby-away",
    ),
    ("both are below the floor", |s| both(s).min_seqno(11), "restart: failover-behind"),
    ("one is below the floor", |s| both(s).min_seqno(11).answered("db3", 11, 11), "elect db3 at 11"),
    (
        "one is below the floor, the other has it to apply",
        |s| both(s).min_seqno(11).answered("db3", 11, 10),
        "stop []: failover-applying",
    ),
    ("only db2 promised, both hold all", |s| both(s).promised_by(&["db2"]), "elect db2 at 10"),
    ("only db3 promised, both hold all", |s| both(s).promised_by(&["db3"]), "elect db2 at 10"),
    (
        "only db3 promised, db2 has one to apply",
        |s| both(s).promised_by(&["db3"]).answered("db2", 10, 9),
        "elect db3 at 10",
    ),
    (
        "only db2 promised, db3 received more",
        |s| both(s).promised_by(&["db2"]).answered("db3", 12, 12),
        "elect db3 at 12",
    ),
    (
        "only db2 promised, db3 received more and has it to apply",
        |s| both(s).promised_by(&["db2"]).answered("db3", 12, 10),
        "stop []: failover-applying",
    ),
    (
        "only db2 promised, db3 received more and cannot apply it",
        |s| both(s).promised_by(&["db2"]).answered("db3", 12, 10).broken("db3"),
        "restart: failover-cannot-apply",
    ),
    (
        "only db2 promised, db3 still receives",
        |s| both(s).promised_by(&["db2"]).receiving("db3", Thread::Running),
        "stop [db3]: failover-asking",
    ),
    (
        "only db2 promised, db3 was asked before the loss",
        |s| both(s).promised_by(&["db2"]).looked_before_the_loss("db3", 1),
        "stop []: failover-asking",
    ),
    (
        "only db2 promised, db3 received more and is frozen",
        |s| both(s).promised_by(&["db2"]).answered("db3", 12, 12).standby_frozen("db3"),
        "elect db2 at 10",
    ),
    (
        "only db2 promised, db3 received more and was started anew",
        |s| both(s).promised_by(&["db2"]).answered("db3", 12, 12).started_after_the_promise("db3", 1),
        "restart: failover-standby-away",
    ),
    (
        "only db2 promised, db3 is stopped",
        |s| both(s).promised_by(&["db2"]).answered("db3", 12, 12).off("db3"),
        "elect db2 at 10",
    ),
    (
        "only db2 promised, db3 has no link",
        |s| both(s).promised_by(&["db2"]).unlinked("db3"),
        "elect db2 at 10",
    ),
    (
        "only db2 promised and is away, db3 holds all",
        |s| both(s).promised_by(&["db2"]).unanswered("db2"),
        "restart: failover-standby-away",
    ),
    ("db3 is frozen", |s| both(s).standby_frozen("db3"), "restart: failover-standby-away"),
    (
        "db3 was started when the promise was seen",
        |s| both(s).started_after_the_promise("db3", 0),
        "elect db2 at 10",
    ),
    (
        "db3 was started just after the promise was seen",
        |s| both(s).started_after_the_promise("db3", 1),
        "restart: failover-standby-away",
    ),
    (
        "db2 has all of db1's and lacks some of a domain of old",
        |s| both(s).channel("db2", |l| l.received.0.extend([(7, 3)])),
        "elect db3 at 10",
    ),
    (
        "both lack some of a domain of old",
        |s| {
            both(s)
                .channel("db2", |l| l.received.0.extend([(7, 3)]))
                .channel("db3", |l| l.received.0.extend([(7, 3)]))
        },
        "stop []: failover-applying",
    ),
    (
        "only db2 promised, db3 does not answer",
        |s| both(s).promised_by(&["db2"]).unanswered("db3"),
        "elect db2 at 10",
    ),
    (
        "only db2 promised, db3 died since",
        |s| both(s).promised_by(&["db2"]).gone("db3"),
        "restart: failover-standby-away",
    ),
    (
        "only db2 promised, db3 is behind",
        |s| both(s).promised_by(&["db2"]).answered("db3", 4, 4),
        "elect db2 at 10",
    ),
    (
        "only db2 promised and is behind, db3 holds all",
        |s| both(s).promised_by(&["db2"]).answered("db2", 9, 9),
        "elect db3 at 10",
    ),
    ("nothing was promised, both hold all", |s| both(s).unpromised(), "restart: failover-no-promise"),
    ("the promise is just young enough", |s| both(s).promised_before(800), "elect db2 at 10"),
    ("the promise is too old", |s| both(s).promised_before(801), "restart: failover-no-promise"),
];

fn three(scene: Scene) -> Scene {
    both(scene).answered("db4", 10, 10)
}

/// With db2, db3 and db4.
const THREE: &[Row] = &[
    ("all three hold all", three, "elect db2 at 10"),
    ("db4 received most", |s| three(s).answered("db3", 11, 11).answered("db4", 12, 12), "elect db4 at 12"),
    ("db3 received most", |s| three(s).answered("db3", 14, 14).answered("db4", 12, 12), "elect db3 at 14"),
    (
        "db3 and db4 received most, db3 has to apply",
        |s| three(s).answered("db3", 14, 13).answered("db4", 14, 14),
        "elect db4 at 14",
    ),
    (
        "db3 and db4 received most, both have to apply",
        |s| three(s).answered("db3", 14, 13).answered("db4", 14, 11),
        "stop []: failover-applying",
    ),
    (
        "db3 and db4 received most, only db4 can apply",
        |s| three(s).answered("db3", 14, 13).broken("db3").answered("db4", 14, 11),
        "stop []: failover-applying",
    ),
    (
        "db4 received most and cannot apply",
        |s| three(s).answered("db4", 14, 11).broken("db4"),
        "restart: failover-cannot-apply",
    ),
    (
        "none heard of the loss",
        |s| {
            let s = three(s).receiving("db2", Thread::Running);
            s.receiving("db3", Thread::Running).receiving("db4", Thread::Running)
        },
        "stop [db2 db3 db4]: failover-asking",
    ),
    ("db4 still receives", |s| three(s).receiving("db4", Thread::Running), "stop [db4]: failover-asking"),
    (
        "db2 and db4 still receive",
        |s| three(s).receiving("db2", Thread::Running).receiving("db4", Thread::Running),
        "stop [db2 db4]: failover-asking",
    ),
    (
        "db3 was asked before the loss",
        |s| three(s).looked_before_the_loss("db3", 1),
        "stop []: failover-asking",
    ),
    ("db3 does not answer", |s| three(s).unanswered("db3"), "restart: failover-standby-away"),
    (
        "db2 and db4 do not answer",
        |s| three(s).unanswered("db2").unanswered("db4"),
        "restart: failover-standby-away",
    ),
    (
        "db2 and db3 promised, db4 does not answer",
        |s| three(s).promised_by(&["db2", "db3"]).unanswered("db4"),
        "elect db2 at 10",
    ),
    (
        "db3 and db4 promised, db2 is dead",
        |s| three(s).promised_by(&["db3", "db4"]).gone("db2"),
        "restart: failover-standby-away",
    ),
    ("only db4 promised", |s| three(s).promised_by(&["db4"]), "elect db2 at 10"),
    (
        "only db4 promised, and received most",
        |s| three(s).promised_by(&["db4"]).answered("db4", 11, 11),
        "elect db4 at 11",
    ),
    (
        "only db4 promised, db3 received most",
        |s| three(s).promised_by(&["db4"]).answered("db3", 11, 11),
        "elect db3 at 11",
    ),
    ("all are below the floor", |s| three(s).min_seqno(20), "restart: failover-behind"),
    (
        "only db4 has what the floor asks",
        |s| three(s).min_seqno(20).answered("db4", 20, 20),
        "elect db4 at 20",
    ),
];

const LOSSES: [(Turn, Lost); 4] = [
    (("dead", |s| s.dead(200)), Lost::Dead),
    (("frozen and ended", |s| s.frozen(1_500).ended()), Lost::Dead),
    (("dead for long", |s| s.dead(5_001)), Lost::Late),
    (("alive", |s| s.frozen(1_500)), Lost::Alive),
];

#[test]
fn a_lost_writer_with_several_promised_standbys() {
    let tables = [(2, TWO), (3, THREE)];
    let mut all = Vec::new();
    for (standbys, table) in tables {
        for (title, make, wanted) in table {
            for ((kind, lose), lost) in &LOSSES {
                let title = format!("{standbys} standbys, db1 {kind}; {title}");
                all.push((title, make(lose(cluster(standbys))), told(*lost, wanted)));
            }
        }
    }
    assert!(judge(all) > 300);
}
