//! Whether the writer is lost, and how.

use crate::db::Thread;

use super::scene::{Row, cluster, judge, name};

/// One standby, which has not been asked yet.
const ONE: &[Row] = &[
    ("all is well", |s| s, "keep"),
    ("it died just now", |s| s.dead(0), "stop []: failover-asking"),
    ("it died 200 ms ago", |s| s.dead(200), "elect db2 at 10"),
    (
        "it died 49 ms ago, and db2 has not heard of it",
        |s| s.dead(49).receiving("db2", Thread::Running).looked("db2", 0),
        "stop []: failover-asking",
    ),
    (
        "it died 50 ms ago, and db2 has not heard of it",
        |s| s.dead(50).receiving("db2", Thread::Running).looked("db2", 0),
        "stop [db2]: failover-asking",
    ),
    (
        "it died 20 ms ago, and db2 was asked right then",
        |s| s.dead(20).looked("db2", 20),
        "stop []: failover-asking",
    ),
    ("it died 20 ms ago, and db2 was asked after", |s| s.dead(20).looked("db2", 19), "elect db2 at 10"),
    ("it died 5,000 ms ago", |s| s.dead(5_000).looked("db2", 20), "elect db2 at 10"),
    ("it died 5,001 ms ago", |s| s.dead(5_001).receiving("db2", Thread::Running), "restart: failover-asking"),
    (
        "it died a minute ago",
        |s| s.dead(60_000).receiving("db2", Thread::Running),
        "restart: failover-asking",
    ),
    ("it died a minute ago, db2 is ready", |s| s.dead(60_000).answered("db2", 10, 10), "elect db2 at 10"),
    (
        "it died 4 s ago, db2 was asked 3,001 ms ago",
        |s| s.dead(4_000).answered("db2", 10, 10).looked("db2", 3_001),
        "stop []: failover-asking",
    ),
    (
        "it died 10 s ago, db2 was asked 3,000 ms ago",
        |s| s.dead(10_000).answered("db2", 10, 10).looked("db2", 3_000),
        "elect db2 at 10",
    ),
    (
        "it died 10 s ago, db2 was asked 3,001 ms ago",
        |s| s.dead(10_000).answered("db2", 10, 10).looked("db2", 3_001),
        "restart: failover-asking",
    ),
    ("it was found dead", |s| s.found_dead(), "restart: failover-no-promise"),
    ("found dead, and nothing promised", |s| s.found_dead().unpromised(), "restart: failover-no-promise"),
    ("frozen for 0 ms", |s| s.frozen(0), "keep"),
    ("frozen for 999 ms", |s| s.frozen(999), "keep"),
    ("frozen for 1,000 ms", |s| s.frozen(1_000), "fence 101"),
    ("frozen for a minute, db2 asked", |s| s.frozen(60_000).answered("db2", 10, 10), "fence 101"),
    (
        "frozen, since when is not known",
        |mut s| {
            s = s.frozen(5_000);
            s.writer_process().frozen_since = None;
            s
        },
        "keep",
    ),
    (
        "it was frozen and goes on again",
        |mut s| {
            s = s.frozen(5_000);
            s.writer_process().leader.iter_mut().for_each(|l| l.frozen = false);
            s
        },
        "keep",
    ),
    ("frozen for 1,500 ms without a promise", |s| s.frozen(1_500).unpromised(), "fence 101"),
    (
        "ended while frozen, without a promise",
        |s| s.frozen(1_500).unpromised().ended(),
        "restart: failover-no-promise",
    ),
    (
        "ended while frozen: lost since it froze",
        |mut s| {
            s = s.frozen(2_000).answered("db2", 10, 10).looked("db2", 1_900);
            let seen = s.writer_process();
            (seen.leader, seen.ended_at) = (None, Some(super::scene::NOW - 10));
            s
        },
        "elect db2 at 10",
    ),
    ("silent for 2,999 ms", |s| s.silent(2_999), "keep"),
    ("silent for 3,000 ms", |s| s.silent(3_000), "fence 101"),
    ("silent for an hour", |s| s.silent(900_000), "fence 101"),
    ("silent to Cordée, db2 heard it 100 ms ago", |s| s.silent(9_000).heard("db2", 100), "keep"),
    ("silent to Cordée, db2 heard it 2,999 ms ago", |s| s.silent(9_000).heard("db2", 2_999), "keep"),
    ("silent to Cordée, db2 heard it 3,000 ms ago", |s| s.silent(9_000).heard("db2", 3_000), "fence 101"),
    ("silent, and db2 never heard it", |s| s.silent(9_000).never_heard("db2"), "fence 101"),
    (
        "silent, db2 heard it 100 ms ago and has lost the connection since",
        |s| s.silent(9_000).heard("db2", 100).receiving("db2", Thread::Connecting),
        "fence 101",
    ),
    (
        "silent, and db2 does not try to receive",
        |s| s.silent(9_000).receiving("db2", Thread::Stopped),
        "keep",
    ),
    (
        "silent, db2 did not hear it for long and does not try any more",
        |s| s.silent(9_000).heard("db2", 9_000).receiving("db2", Thread::Stopped),
        "keep",
    ),
    ("silent, db2 is there and does not apply", |s| s.silent(9_000).idle("db2"), "fence 101"),
    ("ended while silent", |s| s.silent(3_500).ended(), "restart: failover-no-promise"),
    ("silent, and db2 does not answer", |s| s.silent(9_000).unanswered("db2"), "keep"),
    ("silent, and db2 has too many connections", |s| s.silent(9_000).standby_full("db2"), "keep"),
    ("silent, and db2 was never looked at", |s| s.silent(9_000).never_seen("db2"), "keep"),
    ("silent, and db2 is dead", |s| s.silent(9_000).gone("db2"), "keep"),
    ("silent, and db2 was looked at 3,000 ms ago", |s| s.silent(9_000).looked("db2", 3_000), "fence 101"),
    ("silent, and db2 was looked at 3,001 ms ago", |s| s.silent(9_000).looked("db2", 3_001), "keep"),
    ("silent, and db2 has no link from it", |s| s.silent(9_000).unlinked("db2"), "keep"),
    ("silent, and db2 does not follow", |s| s.silent(9_000).returning("db2"), "keep"),
    ("silent, and db2 has diverged", |s| s.silent(9_000).diverged("db2"), "keep"),
    ("silent without a promise", |s| s.silent(9_000).unpromised(), "fence 101"),
    ("too many connections for 3 s", |s| s.overloaded(3_000), "keep"),
    ("too many connections for an hour", |s| s.overloaded(900_000), "keep"),
    ("too many connections, and frozen", |s| s.frozen(5_000).overloaded(5_000), "fence 101"),
    ("it never answered", |s| s.never_answered(), "keep"),
    ("it was never looked at", |s| s.not_looked_at(), "keep"),
    ("it died before it was ever looked at", |s| s.not_looked_at().dead(100), "stop []: failover-asking"),
    (
        "silent, but a look of 10 s ago is its last",
        |mut s| {
            s = s.looked("db1", 10_000).heard("db2", 10_000);
            s
        },
        "keep",
    ),
    (
        "dead, its data folder is not made yet",
        |mut s| {
            s = s.dead(100);
            s.seen.initialised.remove(&name("db1"));
            s
        },
        "keep",
    ),
    (
        "dead, a person had stopped it",
        |s| s.dead(100).off("db1").unpromised(),
        "restart: failover-no-promise",
    ),
    (
        "no writer is chosen",
        |mut s| {
            s = s.dead(100);
            s.desired.writer = None;
            s
        },
        "keep",
    ),
    (
        "no writer is chosen, a promotion is asked for",
        |mut s| {
            s = s.promoting("db2", 100);
            s.desired.writer = None;
            s
        },
        "keep",
    ),
    (
        "the writer chosen is not in the pool",
        |mut s| {
            s = s.dead(100);
            s.desired.writer = Some(name("db9"));
            s
        },
        "keep",
    ),
    (
        "the writer is written in capitals, and well",
        |mut s| {
            s.desired.writer = Some(name("DB1"));
            s
        },
        "keep",
    ),
    (
        "the writer is written in capitals, and dead",
        |mut s| {
            s = s.dead(100).answered("db2", 10, 10);
            s.desired.writer = Some(name("DB1"));
            s
        },
        "elect db2 at 10",
    ),
    ("external and well", |s| s.external(), "keep"),
    ("external and silent for 2,999 ms", |s| s.external().silent(2_999), "keep"),
    ("external and silent for 3,000 ms", |s| s.external().silent(3_000), "wait: failover-cut-off"),
    ("external, silent, heard by db2", |s| s.external().silent(9_000).heard("db2", 10), "keep"),
    ("external and overloaded", |s| s.external().overloaded(9_000), "keep"),
    ("external, without a promise", |s| s.external().silent(9_000).unpromised(), "wait: failover-cut-off"),
    (
        "external, silent, db2 holds all that it received",
        |s| s.external().silent(9_000).holding("db2", 10),
        "wait: failover-cut-off",
    ),
    (
        "external, silent, db2 does not try to receive",
        |s| s.external().silent(9_000).answered("db2", 10, 10),
        "keep",
    ),
    ("external and never seen", |s| s.external().never_answered(), "keep"),
    ("all write, and db1 died", |s| s.dead(100).all_writers().looked("db2", 20), "elect db2 at 10"),
];

/// Two standbys, which have not been asked yet.
const TWO: &[Row] = &[
    ("all is well with two", |s| s, "keep"),
    ("db1 died", |s| s.dead(100), "stop []: failover-asking"),
    ("silent to both", |s| s.silent(3_500), "fence 101"),
    ("silent, db2 heard it", |s| s.silent(3_500).heard("db2", 900), "keep"),
    ("silent, db3 heard it", |s| s.silent(3_500).heard("db3", 900), "keep"),
    ("silent, both heard it", |s| s.silent(3_500).heard("db2", 900).heard("db3", 900), "keep"),
    (
        "silent, db2 heard it, db3 does not answer",
        |s| s.silent(3_500).heard("db2", 900).unanswered("db3"),
        "keep",
    ),
    ("silent to db2, and db3 does not answer", |s| s.silent(3_500).unanswered("db3"), "fence 101"),
    ("silent to db2, db3 has no link", |s| s.silent(3_500).unlinked("db3"), "fence 101"),
    (
        "silent to db2, db3 does not try to receive",
        |s| s.silent(3_500).receiving("db3", Thread::Stopped),
        "fence 101",
    ),
    (
        "heard by db2, db3 tries to connect",
        |s| s.silent(3_500).heard("db2", 900).receiving("db3", Thread::Connecting),
        "keep",
    ),
    (
        "neither tries to receive",
        |s| s.silent(3_500).receiving("db2", Thread::Stopped).receiving("db3", Thread::Stopped),
        "keep",
    ),
    ("silent, neither answers", |s| s.silent(3_500).unanswered("db2").unanswered("db3"), "keep"),
    (
        "silent, both were looked at long ago",
        |s| s.silent(3_500).looked("db2", 4_000).looked("db3", 4_000),
        "keep",
    ),
    ("silent to db2, db3 was looked at long ago", |s| s.silent(3_500).looked("db3", 4_000), "fence 101"),
    (
        "silent to db2, heard by db3 that does not follow",
        |s| s.silent(3_500).heard("db3", 100).returning("db3").promised_by(&["db2"]),
        "fence 101",
    ),
];

#[test]
fn the_writer_is_lost_or_not() {
    let one = ONE.iter().map(|(title, make, wanted)| (*title, make(cluster(1)), *wanted));
    let two = TWO.iter().map(|(title, make, wanted)| (*title, make(cluster(2)), *wanted));
    judge(one.chain(two).map(|(title, scene, wanted)| (title.to_owned(), scene, wanted.to_owned())));
}
