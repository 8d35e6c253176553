//! What the writer promises, and which databases write a heartbeat.

use crate::db::Thread;
use crate::db::failover::{beating, promise};
use crate::db::promise::Promise;

use super::scene::{NOW, Scene, cluster};

fn words(promise: Option<&Promise>) -> String {
    promise.map_or_else(
        || "none".to_owned(),
        |p| {
            let standbys: Vec<&str> = p.standbys.iter().map(crate::ids::ServerName::as_str).collect();
            format!("{} by {} from {}, {} ms old", p.epoch, standbys.join(" "), p.min_seqno, NOW - p.at)
        },
    )
}

type Row = (&'static str, fn(Scene) -> Scene, &'static str);

/// With db2 and db3. The previous promise is of the first epoch, by db2, from 4, 777 ms old.
const PROMISES: &[Row] = &[
    ("all is well", |s| s, "1 by db2 db3 from 10, 100 ms old"),
    ("nothing was promised before", |s| s.unpromised(), "1 by db2 db3 from 10, 100 ms old"),
    ("it wrote more", |s| s.holding("db1", 15), "1 by db2 db3 from 15, 100 ms old"),
    ("its numbers went back: its log was reset", |s| s.holding("db1", 0), "none"),
    (
        "more came back to it than its log has",
        |s| {
            s.database("db1", |d| {
                d.applied.0.insert(1, 50);
            })
        },
        "none",
    ),
    (
        "one confirms, two receive",
        |s| s.database("db1", |d| d.acknowledging = 1),
        "1 by db2 db3 from 10, 100 ms old",
    ),
    (
        "one confirms, db2 receives",
        |s| s.database("db1", |d| d.acknowledging = 1).receiving("db3", Thread::Connecting),
        "1 by db2 from 10, 100 ms old",
    ),
    ("two confirm, db2 receives", |s| s.receiving("db3", Thread::Stopped), "none"),
    ("three confirm", |s| s.database("db1", |d| d.acknowledging = 3), "none"),
    (
        "one confirms, none receives",
        |s| {
            s.database("db1", |d| d.acknowledging = 1)
                .receiving("db2", Thread::Connecting)
                .receiving("db3", Thread::Stopped)
        },
        "none",
    ),
    ("nobody confirms", |s| s.database("db1", |d| d.acknowledging = 0), "none"),
    ("it does not wait for receipts", |s| s.database("db1", |d| d.semi_sync = false), "none"),
    ("waiting for receipts fell off", |s| s.database("db1", |d| d.in_force = false), "none"),
    (
        "it fell off, and nothing was promised before",
        |s| s.unpromised().database("db1", |d| d.in_force = false),
        "none",
    ),
    ("db3 does not answer, two confirm", |s| s.unanswered("db3"), "none"),
    (
        "db3 does not answer, one confirms",
        |s| s.unanswered("db3").database("db1", |d| d.acknowledging = 1),
        "1 by db2 from 10, 100 ms old",
    ),
    ("db3 does not follow, two confirm", |s| s.returning("db3"), "none"),
    (
        "db3 has diverged, one confirms",
        |s| s.diverged("db3").database("db1", |d| d.acknowledging = 1),
        "1 by db2 from 10, 100 ms old",
    ),
    ("db3 does not apply", |s| s.broken("db3"), "1 by db2 db3 from 10, 100 ms old"),
    (
        "db2 lost its connection, and was not looked at since the promise before",
        |s| s.database("db1", |d| d.acknowledging = 1).connecting("db2", 777),
        "1 by db2 db3 from 10, 100 ms old",
    ),
    (
        "db2 lost its connection, and was looked at since the promise before",
        |s| s.database("db1", |d| d.acknowledging = 1).connecting("db2", 776),
        "1 by db3 from 10, 100 ms old",
    ),
    (
        "db3 lost its connection, was not looked at since, and was not in the promise before",
        |s| s.database("db1", |d| d.acknowledging = 1).connecting("db3", 777),
        "1 by db2 from 10, 100 ms old",
    ),
    (
        "db2 lost its connection, and the promise before is of another epoch",
        |s| s.promised_in(0).database("db1", |d| d.acknowledging = 1).connecting("db2", 777),
        "1 by db3 from 10, 100 ms old",
    ),
    ("that look of it was judged already", |s| s.looked("db1", 777), "1 by db2 from 4, 777 ms old"),
    ("that look of it is older than the promise", |s| s.looked("db1", 800), "1 by db2 from 4, 777 ms old"),
    ("it was looked at just after", |s| s.looked("db1", 776), "1 by db2 db3 from 10, 776 ms old"),
    (
        "that look of it was judged already, and waiting for receipts fell off",
        |s| s.looked("db1", 777).database("db1", |d| d.in_force = false),
        "1 by db2 from 4, 777 ms old",
    ),
    ("it is closed", |s| s.closed(15), "1 by db2 from 4, 777 ms old"),
    ("it is closed, and nothing was promised before", |s| s.unpromised().closed(15), "none"),
    (
        "it is closed, without receipts",
        |s| s.closed(15).database("db1", |d| d.in_force = false),
        "1 by db2 from 4, 777 ms old",
    ),
    ("it does not answer", |s| s.unanswered("db1"), "1 by db2 from 4, 777 ms old"),
    ("it has too many connections", |s| s.standby_full("db1"), "1 by db2 from 4, 777 ms old"),
    ("it was not looked at", |s| s.never_seen("db1"), "1 by db2 from 4, 777 ms old"),
    ("it does not answer, nothing before", |s| s.unpromised().unanswered("db1"), "none"),
    ("it died", |s| old(s.dead(100)), "1 by db2 from 4, 777 ms old"),
    ("it died, nothing before", |s| s.dead(100).unpromised(), "none"),
    (
        "it died, its last look is still there",
        |mut s| {
            s.writer_process().leader = None;
            s
        },
        "1 by db2 from 4, 777 ms old",
    ),
    (
        "it died, its last look shows that it fell off",
        |mut s| {
            s.writer_process().leader = None;
            s.database("db1", |d| d.in_force = false)
        },
        "1 by db2 from 4, 777 ms old",
    ),
    ("it froze a moment ago", |s| old(s.frozen(1)), "1 by db2 from 4, 777 ms old"),
    ("it froze long ago", |s| old(s.frozen(9_000)), "1 by db2 from 4, 777 ms old"),
    ("it is silent", |s| old(s.silent(9_000)), "1 by db2 from 4, 777 ms old"),
    ("the one before is of another epoch", |s| s.promised_in(0), "1 by db2 db3 from 10, 100 ms old"),
    ("closed, and the one before is of another epoch", |s| s.promised_in(0).closed(15), "none"),
    ("dead, and the one before is of another epoch", |s| s.dead(100).promised_in(0), "none"),
    ("silent, and the one before is of another epoch", |s| s.silent(9_000).promised_in(2), "none"),
    (
        "no writer is chosen",
        |mut s| {
            s.desired.writer = None;
            s
        },
        "none",
    ),
    ("external and well", |s| s.external(), "1 by db2 db3 from 10, 100 ms old"),
    ("external and silent", |s| old(s.external().silent(9_000)), "1 by db2 from 4, 777 ms old"),
    ("all write", |s| s.all_writers(), "1 by db2 db3 from 10, 100 ms old"),
    ("a promotion is under way", |s| s.promoting("db2", 100), "1 by db2 db3 from 10, 100 ms old"),
];

fn old(mut scene: Scene) -> Scene {
    if let Some(promise) = &mut scene.seen.promise {
        (promise.at, promise.min_seqno) = (NOW - 777, 4);
        promise.standbys.retain(|s| s.as_str() == "db2");
    }
    scene
}

#[test]
fn the_promise() {
    let mut wrong = Vec::new();
    for (title, make, wanted) in PROMISES {
        let scene = make(old(cluster(2)));
        let came = words(promise(scene.scene()).as_ref());
        if came != *wanted {
            wrong.push(format!("{title}\n    wanted {wanted}\n    came   {came}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// With db2 and db3, which have written nothing of their own.
const BEATS: &[Row] = &[
    ("all is well", |s| s, "db1 db2 db3"),
    ("db1 is closed", |s| s.closed(10), ""),
    ("a promotion is under way", |s| s.promoting("db2", 100), ""),
    ("a promotion that accepts loss is under way", |s| s.promoting_at_any_price("db2", 100), ""),
    ("db1 died", |s| s.dead(100), ""),
    ("db1 does not answer", |s| s.unanswered("db1"), ""),
    ("db1 was not looked at", |s| s.never_seen("db1"), ""),
    ("db1 was looked at 3,000 ms ago", |s| s.looked("db1", 3_000), "db1 db2 db3"),
    ("db1 was looked at 3,001 ms ago", |s| s.looked("db1", 3_001), ""),
    (
        "no writer is chosen",
        |mut s| {
            s.desired.writer = None;
            s
        },
        "",
    ),
    ("db2 does not answer", |s| s.unanswered("db2"), "db1 db3"),
    ("db2 was looked at 3,001 ms ago", |s| s.looked("db2", 3_001), "db1 db3"),
    ("db2 is stopped", |s| s.off("db2"), "db1 db3"),
    ("db2 is returning", |s| s.returning("db2"), "db1 db3"),
    ("db2 has diverged", |s| s.diverged("db2"), "db1 db3"),
    (
        "db2 lacks one of its own that db1 holds",
        |s| {
            s.database("db1", |d| d.applied.0.extend([(2, 8)]))
                .database("db2", |d| d.written.0.extend([(2, 7)]))
        },
        "db1 db3",
    ),
    (
        "db2 holds all of its own",
        |s| {
            s.database("db1", |d| d.applied.0.extend([(2, 8)]))
                .database("db2", |d| d.written.0.extend([(2, 8)]))
        },
        "db1 db2 db3",
    ),
    (
        "db2 holds its own only as applied again, in no binary log",
        |s| {
            s.database("db2", |d| {
                d.written.0.extend([(2, 7)]);
                d.applied.0.extend([(2, 8)]);
            })
        },
        "db1 db3",
    ),
    // db3 is open: it was compared before it was opened, and has written since the look at it.
    ("db3 was looked at later and holds more of db1's own", |s| s.holding("db3", 11), "db1 db2 db3"),
    (
        "db3 holds one of db1's own, but was not asked for long",
        |s| s.holding("db3", 11).looked("db3", 3_001),
        "db1 db2",
    ),
    ("db2 is behind with db1's transactions", |s| s.holding("db2", 2), "db1 db2 db3"),
    ("db2 is broken", |s| s.broken("db2"), "db1 db2 db3"),
    ("all write", |s| s.all_writers(), "db1 db2 db3"),
];

#[test]
fn who_beats() {
    let mut wrong = Vec::new();
    for (title, make, wanted) in BEATS {
        let scene = make(cluster(2));
        let all = beating(scene.scene());
        let came: Vec<&str> = all.iter().map(crate::ids::ServerName::as_str).collect();
        if came.join(" ") != *wanted {
            wrong.push(format!("{title}\n    wanted {wanted}\n    came   {}", came.join(" ")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
