//! A database leaves, alive or dead, or before it ever came: those that stay are as they were.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed expectation is how a test ends")]

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use cordee_e2e::case;
use cordee_e2e::cluster::Cluster;
use cordee_e2e::db::Db;
use cordee_e2e::mesh::{
    SETTLED, ask_removal, brief, fill, join, kill, of_server, refused, remove, shown, trashed, wait_for_copy,
    wait_for_members, wait_for_mesh, wait_for_no_copy, wait_until_left,
};
use cordee_e2e::pair::{Pair, server_id};
use cordee_e2e::procs::Frozen;
use cordee_e2e::suite::File;
use cordee_e2e::tables::Tables;
use cordee_e2e::wait;
use cordee_e2e::writers::{Report, Writers};
use serde_json::json;

/// A copy that nobody wants any more has ended by then.
const CANCELLED: Duration = Duration::from_secs(5);

/// Its cases.
pub fn file() -> File {
    File::new(
        "members",
        &[],
        &[
            case!(the_writer_does_not_leave),
            case!(the_last_standby_leaves_only_when_that_is_said),
            case!(a_killed_database_leaves),
            case!(a_frozen_database_leaves),
            case!(a_join_is_cancelled_while_it_copies),
            case!(a_join_is_cancelled_while_its_copy_stands_still),
            case!(a_name_taken_again_at_once_gets_a_folder_of_its_own),
        ],
    )
}

#[track_caller]
fn no_errors(report: &Report) {
    println!("#   {report}");
    assert!(report.errors.is_empty(), "clients noticed: {:?}", report.errors);
}

fn the_writer_does_not_leave(cluster: &Cluster) {
    let pair = Pair::wait(cluster);
    let before = cluster.api().snapshot().wish();
    let reply = ask_removal(cluster, &pair.writer.name);
    let said = refused(&reply);
    println!("#   {} {said}", reply.status);
    assert_eq!(reply.status, 409, "{reply:?}");
    assert!(said.contains(&pair.standby.name), "it does not say whom to promote: {said}");
    assert_eq!(cluster.api().snapshot().wish(), before);
    let pair_now = Pair::wait(cluster);
    assert_eq!((pair_now.epoch, pair_now.writer.name), (pair.epoch, pair.writer.name));
}

/// Its data are what a lost writer's are taken from: whoever gives them up says so, as on the page.
fn the_last_standby_leaves_only_when_that_is_said(cluster: &Cluster) {
    let api = cluster.api();
    let standby = Pair::wait(cluster).standby.name;
    let id = server_id(cluster, &standby);
    let before = api.snapshot().wish();
    let again = api.call("POST", &format!("/v1/pools/db/servers/{standby}/recopy"), None).unwrap();
    for reply in [ask_removal(cluster, &standby), again] {
        let fields: Vec<String> = reply.errors().iter().map(|e| e.field.clone()).collect();
        assert_eq!((reply.status, fields), (409, vec!["force".to_owned()]), "{reply:?}");
    }
    for act in ["remove", "recopy"] {
        let said = cluster.cli(&[act, &standby]);
        assert!(said.code == 1 && said.err.contains("--force"), "{act}: {said:?}");
        let mut person = cluster.signed_in();
        let asked = person.post_form(&format!("/pools/db/servers/{standby}/{act}"), &[]).unwrap();
        assert!(
            asked.status == 422 && asked.text().contains("name=\"confirm\""),
            "the page asks: {}",
            asked.text()
        );
    }
    assert_eq!(api.snapshot().wish(), before);
    // Said in so many words, it is done; and one that is not the last is not asked about.
    cluster.cli_ok(&["recopy", &standby, "--force", "--wait", "2m"]);
    Pair::wait(cluster);
    assert_ne!(server_id(cluster, &standby), id, "it was not copied again");
    join(cluster, "db3");
    wait_for_members(cluster, &THREE);
    let reply = ask_removal(cluster, "db3");
    assert_eq!(reply.status, 202, "{reply:?}");
    wait_until_left(cluster, "db3", &TWO);
}

const THREE: [&str; 3] = ["db1", "db2", "db3"];
const TWO: [&str; 2] = ["db1", "db2"];

/// Removes db3 under load after something was done to it.
fn leaves(cluster: &Cluster, case: &str, harm: impl FnOnce()) {
    if shown(cluster, "db3").expect("snapshot").is_none() {
        join(cluster, "db3");
    }
    wait_for_members(cluster, &THREE);
    let tables = Tables::make(cluster, case, 4);
    let application = Db::new(cluster, &["--account", "app"]);
    let load = Writers::new(cluster.db_writer(), application.dsn(), &tables).pace(50, 50).start();
    load.wait_for_more(50, Duration::from_secs(10));
    let kept = trashed(cluster, "db3").len();
    harm();
    remove(cluster, "db3");
    let took = wait_until_left(cluster, "db3", &TWO);
    println!("#   gone after {:.1} s", took.as_secs_f64());
    load.wait_for_more(50, Duration::from_secs(10));
    let report = load.stop();
    no_errors(&report);
    assert_eq!(trashed(cluster, "db3").len(), kept + 1, "its folder is in the trash");
    tables.verify(cluster, &report);
    wait_for_mesh(cluster, &TWO);
}

fn a_killed_database_leaves(cluster: &Cluster) {
    leaves(cluster, "killed", || kill(cluster, "db3"));
}

fn a_frozen_database_leaves(cluster: &Cluster) {
    let mut frozen = None;
    leaves(cluster, "frozen", || {
        let pid = shown(cluster, "db3").expect("snapshot").and_then(|s| s.pid).expect("it runs");
        frozen = Some(Frozen::group(cluster.home(), pid));
    });
    let lives = frozen.as_ref().is_some_and(|f| f.process().lives());
    assert!(!lives, "the frozen one is still there");
}

/// Takes the join back, and looks at what is left of it.
fn cancel(cluster: &Cluster, before: &Pair, id_before: u64) {
    let at = Instant::now();
    remove(cluster, "db3");
    let took = wait_for_no_copy(cluster, CANCELLED);
    println!("#   no copying program is left {} ms after the request", took.as_millis());
    let left = wait_until_left(cluster, "db3", &TWO);
    println!("#   nothing is left after {:.1} s", left.as_secs_f64());
    assert!(of_server(cluster, "db3").is_empty());
    wait_for_mesh(cluster, &TWO);
    let now = Pair::wait(cluster);
    assert_eq!((now.epoch, &now.writer.name), (before.epoch, &before.writer.name));
    assert_eq!(
        (now.writer.pid, now.standby.pid),
        (before.writer.pid, before.standby.pid),
        "the same processes"
    );
    let plan = cluster.api().get("/v1/pools/db/join");
    assert_eq!(plan["id"].as_u64(), Some(id_before + 1), "only the id is used up");
    assert_eq!(plan["slot"].as_u64(), Some(3));
    println!("#   all as before after {:.1} s", at.elapsed().as_secs_f64());
}

fn a_join_is_cancelled_while_it_copies(cluster: &Cluster) {
    Pair::wait(cluster);
    let at = Instant::now();
    fill(cluster, "e2e_big");
    println!("#   200 MiB on both after {:.1} s", at.elapsed().as_secs_f64());
    let before = Pair::wait(cluster);
    let tables = Tables::make(cluster, "cancel", 4);
    let application = Db::new(cluster, &["--account", "app"]);
    let load = Writers::new(cluster.db_writer(), application.dsn(), &tables).pace(50, 50).start();
    let id = cluster.api().get("/v1/pools/db/join")["id"].as_u64().expect("id");
    join(cluster, "db3");
    wait_for_copy(cluster);
    let server = shown(cluster, "db3").expect("snapshot").expect("it joins");
    println!("#   {}", brief(&server));
    assert_eq!(server.membership.as_deref(), Some("joining"));
    cancel(cluster, &before, id);
    let report = load.stop();
    no_errors(&report);
    tables.verify(cluster, &report);
    // What was given up stands in nobody's way.
    join(cluster, "db3");
    let took = wait_for_members(cluster, &THREE);
    println!("#   the next db3, of 200 MiB, is a member after {:.1} s", took.as_secs_f64());
    assert_eq!(u64::from(server_id(cluster, "db3")), id + 1);
    tables.verify_all(cluster, &THREE, &report);
    remove(cluster, "db3");
    wait_until_left(cluster, "db3", &TWO);
}

fn a_join_is_cancelled_while_its_copy_stands_still(cluster: &Cluster) {
    let before = Pair::wait(cluster);
    let id = cluster.api().get("/v1/pools/db/join")["id"].as_u64().expect("id");
    join(cluster, "db3");
    let reader = wait_for_copy(cluster).into_iter().find(|p| p.mentions("--backup")).expect("mariabackup");
    // As it stands when the donor's disk or a long statement keeps it waiting.
    let frozen = Frozen::one(cluster.home(), reader.pid);
    let server = wait::until("db3 is shown to copy", Duration::from_secs(5), || {
        shown(cluster, "db3")?.ok_or_else(|| "not shown".to_owned())
    });
    println!("#   {}", brief(&server.0));
    cancel(cluster, &before, id);
    drop(frozen);
}

/// What lies in db3's folder that tells whose it is.
fn in_folder_of_db3(cluster: &Cluster) -> Vec<&'static str> {
    let home = cluster.home().join("servers/db3");
    ["data", "my.cnf", "site", "apache.conf"].into_iter().filter(|name| home.join(name).exists()).collect()
}

/// The folder that came into the trash since then.
#[track_caller]
fn trashed_since(cluster: &Cluster, before: &BTreeSet<PathBuf>) -> PathBuf {
    let now = trashed(cluster, "db3");
    let new: Vec<_> = now.difference(before).collect();
    let [one] = new.as_slice() else { panic!("one folder more, not {new:?}") };
    (*one).clone()
}

/// The name is free as soon as nobody wishes its bearer any more; whose process is held here, so that it is there
/// still.
fn a_name_taken_again_at_once_gets_a_folder_of_its_own(cluster: &Cluster) {
    Pair::wait(cluster);
    let api = cluster.api();
    let process = |name: &str| api.snapshot().servers.into_iter().find(|s| s.name == name)?.pid;
    let gone = |pool: &str| {
        wait::until(&format!("db3 is not in {pool} any more"), SETTLED, || {
            let left = api.try_snapshot()?.servers.into_iter().find(|s| s.name == "db3" && s.pool == pool);
            left.map_or(Ok(()), |server| Err(brief(&server)))
        });
    };
    join(cluster, "db3");
    wait_for_members(cluster, &THREE);

    let before = trashed(cluster, "db3");
    let frozen = Frozen::group(cluster.home(), process("db3").expect("it runs"));
    remove(cluster, "db3");
    gone("db");
    let reply = api.post("/v1/pools/web/servers", &json!({ "name": "db3", "start": true }));
    assert_eq!(reply.status, 201, "{reply:?}");
    assert!(frozen.process().lives(), "it has ended already");
    drop(frozen);
    api.wait_for_severity("db3", "good", SETTLED);
    assert_eq!(in_folder_of_db3(cluster), ["site", "apache.conf"]);
    let data = trashed_since(cluster, &before);
    assert!(data.join("data").exists() && !data.join("site").exists(), "{}", data.display());

    let before = trashed(cluster, "db3");
    let frozen = Frozen::group(cluster.home(), process("db3").expect("it runs"));
    api.delete("/v1/pools/web/servers/db3");
    gone("web");
    join(cluster, "db3");
    assert!(frozen.process().lives(), "it has ended already");
    drop(frozen);
    wait_for_members(cluster, &THREE);
    assert_eq!(in_folder_of_db3(cluster), ["data", "my.cnf"]);
    let site = trashed_since(cluster, &before);
    assert!(site.join("site").exists() && !site.join("data").exists(), "{}", site.display());

    remove(cluster, "db3");
    wait_until_left(cluster, "db3", &TWO);
}
