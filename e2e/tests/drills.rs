//! Failover drills: each that makes sense is run on the local cluster, and its report is what HAProxy counted and
//! logged, what the site said of itself and what a client outside saw. What falls is put right.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed expectation is how a test ends")]

use cordee_e2e::case;
use cordee_e2e::cluster::Cluster;
use cordee_e2e::db::Db;
use cordee_e2e::drill::{self, Seen, count, order, ready};
use cordee_e2e::pair::{Pair, server_id};
use cordee_e2e::suite::File;
use cordee_e2e::tables::Tables;
use cordee_e2e::writers::Writers;

/// Seconds for which a drill goes on asking after it was put right: all is well 0.1 to 1.1 s after that.
const AFTER: u64 = 3;
/// The first acknowledged write after the writer's death: the acceptance's own bound.
const FIRST_WRITE: u64 = 2_000;
/// The same after it froze, the time to be sure of it included.
const AFTER_FREEZE: u64 = 4_000;

/// Its cases.
pub fn file() -> File {
    File::new(
        "drills",
        &[],
        &[
            case!(a_web_server_falls_in_each_way),
            case!(with_sessions_in_the_database_none_is_lost),
            case!(each_haproxy_is_killed_and_frozen),
            case!(the_writer_is_killed_and_frozen),
            case!(the_link_is_held_down),
        ],
    )
}

fn run(cluster: &Cluster, target: &str, how: &str, held: u64, after: u64) -> Seen {
    run_at(cluster, 40, target, how, held, after)
}

/// The same with another number of requests a second.
fn run_at(cluster: &Cluster, rate: u64, target: &str, how: &str, held: u64, after: u64) -> Seen {
    ready(cluster);
    println!("# {target}: {how}");
    let mut order = order(target, how, held, after);
    order["rate"] = rate.into();
    let seen = drill::run(cluster, &order);
    seen.assert_agrees();
    for said in seen.report["said"].as_array().unwrap() {
        println!("#   {} ms {}: {} ({})", said["ms"], said["about"], said["word"], said["light"]);
    }
    seen
}

/// What the page said of somebody after the fault, in order.
fn said(seen: &Seen, about: &str) -> Vec<String> {
    let all = seen.report["said"].as_array().unwrap().iter();
    all.filter(|s| s["about"] == about && !s["ms"].is_null())
        .map(|s| s["light"].as_str().unwrap().to_owned())
        .collect()
}

fn a_web_server_falls_in_each_way(cluster: &Cluster) {
    let killed = run(cluster, "web1", "kill", 1, AFTER);
    assert!(killed.report["undone_ms"].is_null(), "there is nothing to put right");
    assert!(said(&killed, "web1").last().is_some_and(|l| l == "good"), "{:#}", killed.report);
    let frozen = run(cluster, "web1", "freeze", 4, AFTER);
    assert!(said(&frozen, "web1").contains(&"critical".to_owned()), "{:#}", frozen.report);
    let stopped = run(cluster, "web1", "stop", 3, AFTER);
    assert_eq!(count(&stopped.report["requests"], "lost"), 0, "a stop loses nobody's request");
    assert!(count(&stopped.report["sessions"], "lost") > 0, "files die with their server's turn");
    let drained = run(cluster, "web1", "drain", 3, AFTER);
    assert_eq!(count(&drained.report["requests"], "lost"), 0);
    assert_eq!(count(&drained.report["sessions"], "lost"), 0, "who holds its cookie still reaches it");
    assert!(said(&drained, "web1").contains(&"progress".to_owned()), "{:#}", drained.report);
    for seen in [&frozen, &stopped, &drained] {
        let (undone, held) =
            (count(&seen.report, "undone_ms"), seen.report["traffic"]["held"].as_u64().unwrap());
        assert!(undone >= held * 1_000, "{undone} ms");
    }
    ready(cluster);
}

fn with_sessions_in_the_database_none_is_lost(cluster: &Cluster) {
    cluster.cli_ok(&["session", "database"]);
    ready(cluster);
    for how in ["kill", "stop"] {
        let seen = run(cluster, "web1", how, 3, AFTER);
        assert_eq!(count(&seen.report["sessions"], "lost"), 0, "{how}");
        assert_eq!(count(&seen.report["sessions"], "begun"), 12);
    }
    let seen = run(cluster, "writer", "kill", 1, 2 * AFTER);
    assert_eq!(count(&seen.report["sessions"], "lost"), 0, "the rows are on the new writer");
    cluster.cli_ok(&["session", "proxy"]);
    ready(cluster);
}

fn each_haproxy_is_killed_and_frozen(cluster: &Cluster) {
    // A HAProxy is back within a twentieth of a second: only who asks more often than that notices.
    let killed = run_at(cluster, 100, "haproxy-web", "kill", 1, AFTER);
    assert!(count(&killed.report["requests"], "unanswered") > 0, "nobody listened for a while");
    assert!(killed.outside_recovery().is_some(), "the client outside noticed it too");
    assert_eq!(count(&killed.report["sessions"], "lost"), 0);
    let frozen = run(cluster, "haproxy-web", "freeze", 2, AFTER);
    assert_eq!(count(&frozen.report["requests"], "lost"), 0, "who waits is answered afterwards");
    assert!(count(&frozen.report["requests"], "longest_ms") >= 1_900, "{:#}", frozen.report);
    let database = run(cluster, "haproxy-db", "kill", 1, AFTER);
    assert_eq!(count(&database.report["requests"], "lost"), 0, "sessions are files now");
    let writes = &database.report["writes"];
    // It may be back between two writes, 50 ms apart: then none was lost, and the report says so.
    let nothing = writes["recovery"] == "nothing-lost" && writes["recovered_ms"].is_null();
    assert_eq!(count(writes, "lost") == 0, nothing, "{writes}");
    assert_eq!(count(writes, "vanished"), 0, "{writes}");
    assert!(said(&database, "haproxy-db").contains(&"critical".to_owned()), "{:#}", database.report);
    let frozen = run(cluster, "haproxy-db", "freeze", 2, AFTER);
    assert_eq!(count(&frozen.report["writes"], "vanished"), 0);
    ready(cluster);
}

fn the_writer_is_killed_and_frozen(cluster: &Cluster) {
    let application = Db::new(cluster, &["--account", "app"]);
    for (how, bound) in [("kill", FIRST_WRITE), ("freeze", AFTER_FREEZE)] {
        let before = ready(cluster);
        let tables = Tables::make(cluster, how, 2);
        let old = server_id(cluster, &before.writer.name);
        let outside = Writers::new(cluster.db_writer(), application.dsn(), &tables).pace(20, 20).start();
        let seen = run(cluster, "writer", how, 3, 2 * AFTER);
        let outside = outside.stop();
        tables.verify(cluster, &outside);
        let gap = outside.gap_after(seen.struck(), old).expect("another database acknowledged");
        println!("#   outside: first acknowledged write after {gap:?}; {outside}");
        seen.assert_first_write(gap);
        assert_eq!(seen.report["victim"], before.writer.name.as_str());
        assert_eq!(count(&seen.report["requests"], "lost"), 0, "the site's sessions are files");
        let writes = &seen.report["writes"];
        assert_eq!(count(writes, "vanished"), 0, "no acknowledged write is lost");
        assert!(count(writes, "first_ms") <= bound, "{writes}");
        let after = Pair::wait_switched(cluster, &before);
        assert_eq!(after.epoch, before.epoch + 1, "one change of writer");
    }
}

fn the_link_is_held_down(cluster: &Cluster) {
    let before = ready(cluster);
    let seen = run(cluster, "link", "stop", 4, AFTER);
    assert_eq!(seen.report["victim"], before.standby.name.as_str());
    let writes = &seen.report["writes"];
    assert_eq!(
        (count(writes, "lost"), count(writes, "vanished")),
        (0, 0),
        "the writer goes on alone: {writes}"
    );
    let channel = format!("{} ← {}", before.standby.name, before.writer.name);
    let severities = said(&seen, &channel);
    assert_eq!(severities.first().map(String::as_str), Some("critical"), "{severities:?}");
    assert_eq!(severities.last().map(String::as_str), Some("good"), "{severities:?}");
    assert_eq!(ready(cluster).epoch, before.epoch, "nobody took over");
}
