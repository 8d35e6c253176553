//! Cordée dies before each step of a join, of a removal and of a planned change of writer: once it is back, what was
//! asked for is done or cleanly not done, and there never were two writers.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed expectation is how a test ends")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use cordee_e2e::case;
use cordee_e2e::cluster::Cluster;
use cordee_e2e::db::Db;
use cordee_e2e::mesh::{
    SETTLED, brief, databases, join, kept_out, listed, members, remove, shown, wait_for_members,
    wait_for_mesh, wait_for_no_copy, wait_until_left,
};
use cordee_e2e::mortal::Mortal;
use cordee_e2e::pair::{Pair, READY, server_id};
use cordee_e2e::prober::Probers;
use cordee_e2e::suite::File;
use cordee_e2e::tables::{Tables, wait_for_equal_on};
use cordee_e2e::turns::{servers, turns};
use cordee_e2e::wait;
use cordee_e2e::writers::{Running, Writers};
use serde_json::{Value, json};

const TWO: [&str; 2] = ["db1", "db2"];
const THREE: [&str; 3] = ["db1", "db2", "db3"];
/// Cordée, alone and mortal, comes to the step within this time, or never.
const COMES: Duration = Duration::from_secs(60);

/// In the order in which a join takes them.
const JOIN: [&str; 10] = [
    "CopyDatabase",
    "StartProcess",
    "SeedPosition",
    "SetAcks",
    "SetChannel",
    "Compare",
    "Admit",
    "WriteConfig",
    "AddServer",
    "SetState",
];
/// In the order in which the removal of a standby takes them.
const REMOVAL: [&str; 6] =
    ["Forget", "DropChannel", "DeleteServer", "WriteConfig", "StopProcess", "TrashHome"];
/// Of a planned change of writer. No channel stops or starts: the standby goes on receiving until it has everything,
/// and the former writer receives from it all the time.
const PROMOTE: [&str; 6] =
    ["CloseDatabase", "SetState", "Elect", "OpenDatabase", "SetSemiSync", "WriteConfig"];

/// Its cases.
pub fn file() -> File {
    File::new(
        "join_killed",
        &[],
        &[
            case!(before_each_step_of_a_join_or_removal),
            case!(before_each_step_of_a_promote),
            case!(a_position_is_not_set_while_somebody_waits_for_one),
        ],
    )
}

/// Asks a serve that may die before it has answered, and that may not have looked at the databases yet.
#[track_caller]
fn ask(cluster: &Cluster, method: &str, path: &str, body: Option<&Value>) {
    wait::until(&format!("{method} {path} is taken"), READY, || {
        match cluster.api().call(method, path, body) {
            Ok(reply) if !reply.ok() => Err(reply),
            Ok(_) => Ok(()),
            Err(why) => {
                println!("#     died before it answered: {why}");
                Ok(())
            }
        }
    });
}

/// Brings Cordée back after a case that failed.
#[track_caller]
fn cordee_lives(cluster: &Cluster) {
    if cluster.serve().is_none() {
        revive(cluster);
    }
    if shown(cluster, "db3").expect("snapshot").is_some_and(|s| s.membership.as_deref() != Some("leaving")) {
        remove(cluster, "db3");
        wait_until_left(cluster, "db3", &TWO);
    }
}

fn revive(cluster: &Cluster) -> Duration {
    let at = Instant::now();
    cluster.cli_ok(&["up", "--detach"]);
    at.elapsed()
}

/// Light load, with a prober on each of the two that were there first.
struct Watched {
    tables: Tables,
    load: Running,
    probers: Probers,
    writer: u32,
}

impl Watched {
    #[track_caller]
    fn start(cluster: &Cluster, case: &str) -> Self {
        let all = databases(cluster).expect("snapshot");
        let writer = all.into_iter().find(|s| s.role.as_deref() == Some("writer")).expect("a writer");
        let tables = Tables::make(cluster, case, 4);
        let application = Db::new(cluster, &["--account", "app"]);
        let load = Writers::new(cluster.db_writer(), application.dsn(), &tables).pace(20, 20).start();
        let probers = Probers::start(cluster, &tables);
        load.wait_for_more(10, Duration::from_secs(10));
        Self { tables, load, probers, writer: server_id(cluster, &writer.name) }
    }

    /// Nobody noticed anything, one wrote, and these hold the same.
    #[track_caller]
    fn end(self, cluster: &Cluster, names: &[&str]) {
        self.load.wait_for_more(10, Duration::from_secs(10));
        let report = self.load.stop();
        let tries = self.probers.stop();
        println!("#     {report}");
        assert!(report.errors.is_empty(), "clients noticed: {:?}", report.errors);
        assert_eq!(servers(&turns(report.writes.iter().chain(&tries))), [self.writer], "who wrote");
        self.tables.verify_all(cluster, names, &report);
        self.tables.verify_probes(cluster, &tries);
    }
}

/// Does one thing after another; what fails is told, and does not keep the others from being tried.
#[track_caller]
fn each(cluster: &Cluster, rounds: Vec<(String, Round<'_>)>) {
    cordee_lives(cluster);
    let (mut never, mut failed) = (Vec::new(), Vec::new());
    for (what, round) in rounds {
        println!("#   {what}");
        match catch_unwind(AssertUnwindSafe(|| round(cluster))) {
            Ok(true) => {}
            Ok(false) => never.push(what),
            Err(_) => {
                failed.push(what);
                cordee_lives(cluster);
            }
        }
    }
    assert!(failed.is_empty(), "failed: {failed:?}");
    assert!(never.is_empty(), "these steps never came, so nothing was proven of them: {never:?}");
}

/// Says whether the step came.
type Round<'a> = Box<dyn Fn(&Cluster) -> bool + 'a>;

fn before_each_step_of_a_join_or_removal(cluster: &Cluster) {
    let before = Pair::wait(cluster);
    let mut rounds = Vec::<(String, Round<'_>)>::new();
    for (number, join_step) in JOIN.iter().enumerate() {
        rounds.push((format!("join, before {join_step}"), Box::new(move |c| one_join(c, join_step, number))));
        match REMOVAL.get(number) {
            Some(step) => rounds
                .push((format!("removal, before {step}"), Box::new(move |c| one_removal(c, step, number)))),
            None => rounds.push((format!("removal {number}"), Box::new(removed))),
        }
    }
    each(cluster, rounds);
    let now = Pair::wait(cluster);
    assert_eq!((now.epoch, now.writer.name), (before.epoch, before.writer.name));
}

fn one_join(cluster: &Cluster, step: &str, number: usize) -> bool {
    let watched = Watched::start(cluster, &format!("join_{number}"));
    let mut serve = Mortal::start(cluster, &format!("before:{step}"));
    ask(cluster, "POST", "/v1/pools/db/servers", Some(&json!({ "name": "db3", "start": true })));
    // Its last steps are HAProxy's, after it has become a member.
    let died = serve.wait_for_death(COMES, || {
        members(cluster, &THREE).is_ok() && kept_out(cluster, "db3").is_ok_and(|out| out)
    });
    serve.end(cluster);
    let up = revive(cluster);
    let (there, took) = wait::until("joined, or cleanly gone", SETTLED, || match shown(cluster, "db3")? {
        None => members(cluster, &TWO).map(|()| false),
        Some(server) => {
            members(cluster, &THREE).map(|()| true).map_err(|e| format!("{e}; {}", brief(&server)))
        }
    });
    println!(
        "#     died {died}, up again {:.1} s, then {:.1} s until joined: {there}",
        up.as_secs_f64(),
        took.as_secs_f64()
    );
    wait_for_no_copy(cluster, Duration::from_secs(5));
    if there {
        wait_for_mesh(cluster, &THREE);
        watched.end(cluster, &THREE);
    } else {
        wait_until_left(cluster, "db3", &TWO);
        watched.end(cluster, &TWO);
    }
    died
}

/// MariaDB 10.11 hangs for ever when its position is set while somebody waits for one.
fn a_position_is_not_set_while_somebody_waits_for_one(cluster: &Cluster) {
    cordee_lives(cluster);
    Pair::wait(cluster);
    let mut serve = Mortal::start(cluster, "before:SeedPosition");
    ask(cluster, "POST", "/v1/pools/db/servers", Some(&json!({ "name": "db3", "start": true })));
    assert!(serve.wait_for_death(COMES, || members(cluster, &THREE).is_ok()), "its position was to be set");
    serve.end(cluster);
    let root = Db::root(cluster, "db3");
    wait::until("db3 answers", SETTLED, || root.try_query("SELECT 1"));
    let place = root.value("SELECT @@gtid_slave_pos");
    // A domain that it has, as Cordée's own waits, and one that it does not have.
    let domain = place.split('-').next().filter(|domain| !domain.is_empty()).unwrap_or("1").to_owned();
    std::thread::scope(|all| {
        // Some end by themselves before a position is set, and one would wait for ever.
        let waits: Vec<_> = [domain, "77".to_owned()]
            .map(|domain| format!("SELECT MASTER_GTID_WAIT('{domain}-1-99999999', 4)"))
            .into_iter()
            .cycle()
            .take(7)
            .map(|wait| {
                let root = &root;
                all.spawn(move || root.try_query(&wait))
            })
            .collect();
        let endless = all.spawn(|| root.try_query("SELECT MASTER_GTID_WAIT('77-1-99999999')"));
        let waiting = "SELECT COUNT(*) FROM PROCESSLIST WHERE STATE LIKE 'Waiting in MASTER%'";
        wait::until_true("eight wait for a position", READY, || root.number(waiting) == 8);
        revive(cluster);
        let both = format!(
            "SELECT ({waiting}), COUNT(*) FROM PROCESSLIST WHERE INFO LIKE 'SET GLOBAL gtid_slave_pos%'"
        );
        wait::until_true("nobody waits any more", SETTLED, || {
            let now = root.query(&both).concat();
            assert!(now[0] == "0" || now[1] == "0", "it is set, and {} wait", now[0]);
            now[0] == "0"
        });
        for wait in waits {
            let said = wait.join().expect("a wait");
            let ended =
                said == Ok(vec![vec!["-1".to_owned()]]) || said.is_err_and(|why| why.contains("1317"));
            assert!(ended, "it waited to its end, or was broken off");
        }
        let endless = endless.join().expect("a wait");
        assert!(endless.clone().is_err_and(|why| why.contains("1317")), "it was broken off: {endless:?}");
    });
    wait_for_members(cluster, &THREE);
    remove(cluster, "db3");
    wait_until_left(cluster, "db3", &TWO);
}

/// Takes away what a join left, with Cordée alive.
fn removed(cluster: &Cluster) -> bool {
    if shown(cluster, "db3").expect("snapshot").is_some() {
        remove(cluster, "db3");
    }
    wait_until_left(cluster, "db3", &TWO);
    true
}

fn one_removal(cluster: &Cluster, step: &str, number: usize) -> bool {
    if shown(cluster, "db3").expect("snapshot").is_none() {
        join(cluster, "db3");
    }
    wait_for_members(cluster, &THREE);
    let watched = Watched::start(cluster, &format!("removal_{number}"));
    let mut serve = Mortal::start(cluster, &format!("before:{step}"));
    ask(cluster, "DELETE", "/v1/pools/db/servers/db3", None);
    let gone = || {
        members(cluster, &TWO).is_ok()
            && !cluster.home().join("servers/db3").exists()
            && listed(cluster, "db3").is_ok_and(|l| !l)
    };
    let died = serve.wait_for_death(COMES, gone);
    serve.end(cluster);
    let up = revive(cluster);
    if shown(cluster, "db3").expect("snapshot").is_some_and(|s| s.membership.as_deref() == Some("member")) {
        println!("#     the removal was not noted, and is asked for again");
        remove(cluster, "db3");
    }
    let took = wait_until_left(cluster, "db3", &TWO);
    println!(
        "#     died {died}, up again {:.1} s, then {:.1} s until gone",
        up.as_secs_f64(),
        took.as_secs_f64()
    );
    watched.end(cluster, &TWO);
    died
}

fn before_each_step_of_a_promote(cluster: &Cluster) {
    let rounds = PROMOTE.iter().map(|step| {
        let round: Round<'_> = Box::new(move |c| one_promote(c, step));
        (format!("promote, before {step}"), round)
    });
    each(cluster, rounds.collect());
}

fn one_promote(cluster: &Cluster, step: &str) -> bool {
    let before = Pair::wait(cluster);
    let tables = Tables::make(cluster, &format!("promote_{}", step.to_lowercase()), 4);
    let application = Db::new(cluster, &["--account", "app"]);
    let (old, new) = (before.writer.name.clone(), before.standby.name.clone());
    let ids = [server_id(cluster, &old), server_id(cluster, &new)];
    let load = Writers::new(cluster.db_writer(), application.dsn(), &tables).pace(20, 20).start();
    let probers = Probers::start(cluster, &tables);
    load.wait_for_more(20, Duration::from_secs(10));
    let mut serve = Mortal::start(cluster, &format!("before:{step}"));
    let at = Instant::now();
    ask(cluster, "POST", &format!("/v1/pools/db/servers/{new}/promote"), None);
    // It is opened, and waits for ACKs, after it was shown as the writer.
    let died = serve.wait_for_death(COMES, || Pair::try_ready(cluster).is_ok_and(|p| p.writer.name == new));
    serve.end(cluster);
    let up = revive(cluster);
    wait_for_members(cluster, &TWO);
    let now = Pair::wait(cluster);
    load.wait_for_more(20, Duration::from_secs(10));
    let report = load.stop();
    let tries = probers.stop();
    let found = servers(&turns(report.writes.iter().chain(&tries)));
    let end = report.acknowledged().map(|w| w.ended).max().expect("some writes");
    println!(
        "#     died {died}, up again {:.1} s; epoch {} to {}, writer {}; longest pause {} ms; {report}",
        up.as_secs_f64(),
        before.epoch,
        now.epoch,
        now.writer.name,
        report.longest_pause(at, end).as_millis()
    );
    if now.writer.name == new {
        assert_eq!((now.epoch, found.as_slice()), (before.epoch + 1, &ids[..]), "who wrote");
    } else {
        assert_eq!((now.epoch, found.as_slice()), (before.epoch, &ids[..1]), "who wrote");
    }
    tables.verify(cluster, &report);
    tables.verify_probes(cluster, &tries);
    wait_for_mesh(cluster, &TWO);
    wait_for_equal_on(cluster, &TWO);
    died
}
