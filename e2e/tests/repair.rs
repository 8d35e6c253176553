//! What happens to a database behind Cordée's back, while it joins and after: it is seen, told, and repaired.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed expectation is how a test ends")]

use std::time::{Duration, Instant};

use cordee_e2e::api::Event;
use cordee_e2e::case;
use cordee_e2e::cluster::Cluster;
use cordee_e2e::db::Db;
use cordee_e2e::mesh::{
    SETTLED, brief, copiers, fill, join, kill, members, remove, shown, trashed, wait_for_copy,
    wait_for_members, wait_for_mesh, wait_for_no_copy, wait_until_left,
};
use cordee_e2e::pair::{Pair, server_id};
use cordee_e2e::procs;
use cordee_e2e::suite::File;
use cordee_e2e::tables::{Tables, wait_for_equal, wait_for_equal_on};
use cordee_e2e::wait;
use cordee_e2e::writers::Writers;
use rustix::process::Signal;

/// A comparison of some small tables has ended by then, the product's own pace included.
const COMPARED: Duration = Duration::from_secs(60);
const TWO: [&str; 2] = ["db1", "db2"];
const THREE: [&str; 3] = ["db1", "db2", "db3"];

/// Its cases.
pub fn file() -> File {
    File::new(
        "repair",
        &[],
        &[
            case!(rows_changed_behind_our_back_are_found_and_repaired),
            case!(the_donor_dies_during_the_copy),
            case!(the_copying_programs_die),
            case!(the_newcomer_dies_while_it_joins),
        ],
    )
}

// ---- h

fn rows_changed_behind_our_back_are_found_and_repaired(cluster: &Cluster) {
    let pair = Pair::wait(cluster);
    let tables = Tables::make(cluster, "behind", 4);
    let application = Db::new(cluster, &["--account", "app"]);
    let schema = application.dsn().schema.clone();
    let writer = application.through(cluster, cluster.db_writer().port());
    writer.query("INSERT INTO e2e_behind_row VALUES (99, 1, 0), (99, 2, 0), (99, 3, 0)");
    wait_for_equal(cluster);
    let standby = pair.standby.name.as_str();
    for (server, value) in [(pair.writer.name.as_str(), 11), (standby, 22)] {
        Db::root(cluster, server).query(&format!(
            "SET SESSION sql_log_bin = 0; UPDATE {schema}.e2e_behind_row SET server = {value} \
             WHERE client = 99 AND number = 2"
        ));
    }
    let before = cluster.api().last_event();
    let at = Instant::now();
    verify(cluster, standby);
    let (server, _) = wait::until("the standby is shown to differ", COMPARED, || {
        let server = shown(cluster, standby)?.ok_or("not there")?;
        if server.status.word.contains("differ") { Ok(server) } else { Err(brief(&server)) }
    });
    println!("#   after {:.1} s: {}", at.elapsed().as_secs_f64(), brief(&server));
    let told = |event: &Event| event.subject == standby && event.severity.as_deref() == Some("critical");
    let event = wait::until("the journal tells it", COMPARED, || {
        let events = cluster.api().events_after(before);
        events.iter().find(|e| told(e)).cloned().ok_or(events)
    });
    println!("#   journal: {}", event.0.text);
    assert_ne!(server.status.severity, "good");
    let reason = server.status.reason.clone().unwrap_or_default();
    assert!(
        reason.contains("e2e_behind_row") || event.0.text.contains("e2e_behind_row"),
        "{reason}; {}",
        event.0.text
    );
    wait::always("it is not good again by itself", Duration::from_secs(5), || {
        let server = shown(cluster, standby)?.ok_or("not there")?;
        if server.status.severity == "good" { Err(brief(&server)) } else { Ok(()) }
    });

    let (id, kept) = (server_id(cluster, standby), trashed(cluster, standby).len());
    let load = Writers::new(cluster.db_writer(), application.dsn(), &tables).pace(50, 50).start();
    let at = Instant::now();
    cluster.api().act(&format!("/v1/pools/db/servers/{standby}/recopy?force=true"));
    wait::until("it is another one", SETTLED, || {
        let now = Db::root(cluster, standby).try_query("SELECT @@server_id")?;
        if now[0][0] == id.to_string() { Err("still the former".to_owned()) } else { Ok(()) }
    });
    wait_for_members(cluster, &TWO);
    println!("#   copied again and good after {:.1} s", at.elapsed().as_secs_f64());
    wait_for_mesh(cluster, &TWO);
    let report = load.stop();
    println!("#   {report}");
    assert!(report.errors.is_empty(), "{:?}", report.errors);
    assert_eq!(trashed(cluster, standby).len(), kept + 1, "its former folder is in the trash");
    assert!(server_id(cluster, standby) > id, "its former id is not used again");
    wait_for_equal(cluster);
    for server in TWO {
        let value = Db::root(cluster, server)
            .value(&format!("SELECT server FROM {schema}.e2e_behind_row WHERE client = 99 AND number = 2"));
        assert_eq!(value, "11", "{server}: the writer's value stands");
    }
    let before = cluster.api().last_event();
    verify(cluster, standby);
    let (event, _) = wait::until("compared again without a difference", COMPARED, || {
        let events = cluster.api().events_after(before);
        let told = events.iter().find(|e| e.subject == standby && e.severity.is_some()).cloned();
        told.ok_or(events)
    });
    println!("#   journal: {}", event.text);
    assert_eq!(event.severity.as_deref(), Some("good"), "{event:?}");
}

#[track_caller]
fn verify(cluster: &Cluster, server: &str) {
    let path = format!("/v1/pools/db/servers/{server}/verify");
    let reply = cluster.api().call("POST", &path, None).expect("verify");
    assert_eq!(reply.status, 202, "{reply:?}");
}

// ---- g

/// Something dies while db3 joins: it becomes a member after all, or says why not; nobody else is the worse for it.
fn dies(cluster: &Cluster, case: &str, harm: impl FnOnce(&Pair)) {
    if Db::new(cluster, &[])
        .through(cluster, cluster.db_writer().port())
        .try_query("SELECT 1 FROM e2e_big LIMIT 1")
        .is_err()
    {
        fill(cluster, "e2e_big");
    }
    let before = Pair::wait(cluster);
    let tables = Tables::make(cluster, case, 4);
    let application = Db::new(cluster, &["--account", "app"]);
    let load = Writers::new(cluster.db_writer(), application.dsn(), &tables).pace(50, 50).start();
    let events = cluster.api().last_event();
    join(cluster, "db3");
    harm(&before);
    let at = Instant::now();
    let (member, took) = wait::until("db3 is a member, or says why not", SETTLED, || {
        if members(cluster, &THREE).is_ok() {
            return Ok(true);
        }
        let server = shown(cluster, "db3")?.ok_or("not there")?;
        let clear = server.status.severity == "critical" && server.status.reason.is_some();
        // A try that failed is no end: it is what comes after the tries that counts.
        if clear && at.elapsed() > SETTLED / 2 { Ok(false) } else { Err(brief(&server)) }
    });
    let shown_now = shown(cluster, "db3").expect("snapshot").map(|s| brief(&s));
    println!("#   after {:.1} s: member {member}: {shown_now:?}", took.as_secs_f64());
    for event in cluster.api().events_after(events) {
        println!("#     {} {:?}: {}", event.subject, event.severity, event.text);
    }
    let report = load.stop();
    println!("#   {report}");
    assert!(report.errors.is_empty(), "{:?}", report.errors);
    let all: &[&str] = if member { &THREE } else { &TWO };
    tables.verify_all(cluster, all, &report);
    wait_for_equal_on(cluster, all);
    remove(cluster, "db3");
    wait_until_left(cluster, "db3", &TWO);
    wait_for_no_copy(cluster, Duration::from_secs(5));
    let now = Pair::wait(cluster);
    assert_eq!((now.epoch, now.writer.name), (before.epoch, before.writer.name));
    assert!(member, "db3 did not become a member by itself");
}

fn the_donor_dies_during_the_copy(cluster: &Cluster) {
    dies(cluster, "donor", |before| {
        wait_for_copy(cluster);
        kill(cluster, &before.standby.name);
        println!("#   {} died", before.standby.name);
    });
}

fn the_copying_programs_die(cluster: &Cluster) {
    dies(cluster, "copiers", |_| {
        wait_for_copy(cluster);
        for process in copiers(cluster) {
            println!("#   {} died", process.title());
            procs::end(&process, Signal::KILL);
        }
    });
}

fn the_newcomer_dies_while_it_joins(cluster: &Cluster) {
    dies(cluster, "newcomer", |_| {
        let (pid, _) = wait::until("db3 runs and is no member yet", SETTLED, || {
            let server = shown(cluster, "db3")?.ok_or("not there")?;
            assert_eq!(server.membership.as_deref(), Some("joining"), "too late: {}", brief(&server));
            server.pid.ok_or_else(|| brief(&server))
        });
        cluster.signal_group(pid, Signal::KILL);
        println!("#   db3 died as pid {pid}");
    });
}
