//! What somebody altered without Cordée.

use std::collections::BTreeMap;

use super::{Scene, cluster, name, steps};
use crate::db::credentials::Credentials;
use crate::db::detail::settings::{NAMES, wrong};
use crate::db::stalled::STALLED;
use crate::db::verify::{Checked, Report, TableName, TableResult};
use crate::db::{DatabaseSeen, Position, Thread};
use crate::decision::Decision;
use crate::desired::{Run, Server};
use crate::fault::Fault;
use crate::observed::{Backoff, Comparison, Observed};
use crate::plan::tests::basis;
use crate::plan::{Plan, hold_back};
use crate::seen::Seen;
use crate::state::{Severity, State};
use crate::status::database;
use crate::step::{Mend, SqlStep, Step, Subject};
use crate::text;

/// Returns what the file of one of Cordée's databases sets, as MariaDB shows it.
fn file(server: &Server) -> BTreeMap<String, String> {
    let path = std::path::Path::new("/x");
    let text = crate::db::mariadb::render(&crate::db::mariadb::Instance {
        name: server.name.as_str(),
        id: server.id,
        numbering: crate::db::ids::DENSE,
        port: server.port,
        home: path,
        run: path,
        keeps: true,
        acks: true,
        rights: path,
    });
    let lines = text.lines().filter_map(|line| line.split_once('='));
    let lines = lines.map(|(name, value)| (name.replace('-', "_"), value.to_owned()));
    let mut all: BTreeMap<String, String> = lines.filter(|(n, _)| NAMES.contains(&n.as_str())).collect();
    for (name, value) in text.lines().filter_map(|line| line.split_once('=')) {
        match name {
            "default_time_zone" => all.insert("time_zone".to_owned(), value.to_owned()),
            "log_bin" => all.insert("log_bin".to_owned(), "ON".to_owned()),
            _ => None,
        };
    }
    all
}

#[test]
fn what_the_file_sets_is_what_is_watched() {
    let scene = cluster(1);
    let server = &scene.desired.db.servers[1];
    assert_eq!(wrong(&scene.desired, server.base(), &file(server)), []);
    // MariaDB's own defaults, which the file leaves unchanged.
    let left = [
        "slave_exec_mode",
        "slave_skip_errors",
        "rpl_semi_sync_master_enabled",
        "foreign_key_checks",
        "unique_checks",
    ];
    let file = file(server);
    let unset: Vec<&str> = NAMES.into_iter().filter(|n| !file.contains_key(*n)).collect();
    assert!(unset.iter().all(|n| left.contains(n)), "watched, and not in the file: {unset:?}");
}

fn with(scene: Scene, on: &str, variable: &str, value: &str) -> Scene {
    scene.database(on, |d| d.variables = BTreeMap::from([(variable.to_owned(), value.to_owned())]))
}

fn set(scene: &Scene) -> Vec<(String, &'static str, String, String)> {
    let one = |step| match step {
        Step::Sql(SqlStep::SetVariable { name, variable, value, was, .. }) => {
            Some((name.to_string(), variable, value, was))
        }
        _ => None,
    };
    steps(scene).into_iter().filter_map(one).collect()
}

#[test]
fn a_setting_is_put_right_at_once_and_what_it_was_is_said() {
    for (variable, was, value) in [
        ("log_bin_trust_function_creators", "OFF", "ON"),
        ("binlog_format", "STATEMENT", "ROW"),
        ("sync_binlog", "0", "1"),
        ("rpl_semi_sync_master_timeout", "100", "800"),
        ("rpl_semi_sync_master_timeout", "10000", "800"),
        ("slave_net_timeout", "60", "10"),
    ] {
        let found = set(&with(cluster(1), "db2", variable, was));
        assert_eq!(found, [("db2".to_owned(), variable, value.to_owned(), was.to_owned())]);
        assert_eq!(set(&with(cluster(1), "db2", variable, value)), []);
    }
    assert_eq!(set(&cluster(1)), [], "what is not known is not altered");
    assert_eq!(set(&with(cluster(1), "db2", "max_connections", "50")), [], "a person's choice");
    // Only while no channel runs, so not while the writer is lost.
    let duplicates = |scene| set(&with(scene, "db2", "gtid_ignore_duplicates", "OFF")).len();
    assert_eq!((duplicates(cluster(1)), duplicates(cluster(1).dead(200))), (1, 0));
}

#[test]
fn what_is_put_right_in_vain_keeps_nothing_else_waiting() {
    let db2 = || name("db2");
    let set = Step::Sql(SqlStep::SetVariable {
        name: db2(),
        variable: "sync_binlog",
        value: "1".to_owned(),
        was: "0".to_owned(),
        still: false,
    });
    let open = Step::Sql(SqlStep::OpenDatabase { name: db2(), epoch: 1 });
    let zones = Step::Sql(SqlStep::LoadZones { name: db2() });
    let mut observed = Observed::default();
    let backoff = || Backoff { count: 9, at: 1_000, why: Fault::Broken };
    let kept = |observed: &Observed| {
        let mut plan = Plan { steps: vec![zones.clone(), set.clone(), open.clone()], ..Plan::default() };
        hold_back(&mut plan, observed, 1_100);
        plan.steps
    };
    let target = || Subject::Database(db2());
    observed.vain.insert((target(), Mend::Zones), backoff());
    assert_eq!(kept(&observed), [set.clone(), open.clone()], "another kind has its turn");
    observed.vain.insert((target(), Mend::Setting("sync_binlog".to_owned())), backoff());
    assert_eq!(kept(&observed), std::slice::from_ref(&open));
    observed.vain.clear();
    observed.vain.insert((target(), Mend::Setting("binlog_format".to_owned())), backoff());
    assert_eq!(kept(&observed), [zones.clone(), set.clone(), open.clone()], "and another setting");
    observed.vain.clear();
    observed.backoffs.insert(target(), backoff());
    assert_eq!(kept(&observed), [zones.clone(), set.clone()]);
    // The backoff is stored where it is looked up.
    observed = Observed::default();
    observed.failed(&set, &Fault::Broken, 1_000);
    assert!(observed.backoff(&set).is_some() && observed.backoff(&zones).is_none());
    assert!(observed.in_vain(&target(), 1_100) && !observed.in_vain(&target(), 61_000));
    observed.succeeded(&zones);
    assert!(observed.backoff(&set).is_some());
    observed.succeeded(&set);
    assert_eq!(observed.backoff(&set), None);
}

#[test]
fn somebody_elses_is_named_with_what_to_run() {
    let mut scene = with(cluster(1), "db2", "sync_binlog", "0");
    scene.desired.db.servers[1].runtime = Run::External;
    assert_eq!(set(&scene), []);
    let server = scene.desired.db.servers[1].clone();
    let status = database(scene.scene(), server.base());
    assert_eq!((status.severity, status.state), (Severity::Warning, State::Altered));
    let local = with(scene, "db2", "local_infile", "ON");
    assert_ne!(database(local.scene(), server.base()).state, State::Altered);
}

/// Cordée's account on a database that an older Cordée started may not set everything; a restart gives it the right.
#[test]
fn one_of_ours_that_refuses_a_setting_is_to_be_restarted() {
    let mut scene = with(cluster(1), "db2", "max_allowed_packet", "16777216");
    let server = scene.desired.db.servers[1].clone();
    assert_eq!(set(&scene).len(), 1, "it is tried first");
    let why = Fault::Broken;
    let mend = Mend::Setting("max_allowed_packet".to_owned());
    let vain = (Subject::Database(name("db2")), mend);
    scene.seen.vain.insert(vain, Backoff { count: 3, at: scene.now, why });
    let status = database(scene.scene(), server.base());
    let Some(reason) = status.reason.filter(|_| status.state == State::Altered) else { panic!() };
    assert!(format!("{reason:?}").contains("set-do-restart"), "{reason:?}");
}

#[test]
fn an_altered_link_is_set_up_anew() {
    let peer = cluster(1).desired.db.servers[0].clone();
    let terms = |delay: &str| {
        let fixed = [("Master_Port", peer.port.to_string()), ("SQL_Delay", delay.to_owned())];
        fixed.map(|(n, v)| (n.to_owned(), v)).into()
    };
    let anew = |delay: &str| {
        let scene = cluster(1).channel("db2", |l| l.terms = terms(delay));
        steps(&scene).into_iter().find(|s| matches!(s, Step::Sql(SqlStep::ResetChannel { .. })))
    };
    assert_eq!(anew("0"), None);
    let was = "SQL_Delay=3600".to_owned();
    assert_eq!(
        anew("3600"),
        Some(Step::Sql(SqlStep::ResetChannel { on: name("db2"), from: name("db1"), was }))
    );
}

#[test]
fn an_account_that_is_gone_is_made_again() {
    let mut scene = cluster(1);
    scene.seen.accounts.insert(name("db2"), Seen::At(scene.now, BTreeMap::<String, Credentials>::new()));
    let what = "cordee_repl".to_owned();
    assert!(steps(&scene).contains(&Step::Sql(SqlStep::MakeAccounts { name: name("db2"), what })));
    scene.seen.accounts.insert(name("db2"), Seen::Failed { last: None, why: Fault::Silent });
    assert!(
        !steps(&scene).iter().any(|s| matches!(s, Step::Sql(SqlStep::MakeAccounts { .. }))),
        "unknown is not absent"
    );
}

/// db1 writes, and its log was reset: it has written three transactions since.
fn reset(scene: Scene) -> Scene {
    let at = |number| Position([(1, number)].into());
    scene.database("db1", |d| (d.written, d.applied) = (at(3), at(10)))
}

#[test]
fn a_writer_whose_log_was_reset_goes_on_once_the_others_are_in_doubt() {
    let mut scene = reset(cluster(1));
    let doubt = Decision::Doubt { of: basis(&scene.desired, "db2"), at: scene.now, by: name("db1") };
    let renumber =
        Step::Sql(SqlStep::Renumber { name: name("db1"), id: scene.desired.db.servers[0].id, after: 10 });
    let planned = steps(&scene);
    assert!(planned.contains(&Step::Wish(doubt.clone())) && !planned.contains(&renumber), "{planned:?}");
    scene.desired = scene.desired.apply(&doubt).expect("a decision");
    let planned = steps(&scene);
    assert!(planned.contains(&renumber) && !planned.contains(&Step::Wish(doubt)), "{planned:?}");
    // Meanwhile the other database does not take over: it skipped what was written.
    let desired = scene.desired.clone();
    let mut lost = cluster(1).dead(200).answered("db2", 10, 10);
    lost.desired = desired;
    assert!(!steps(&lost).iter().any(|s| matches!(s, Step::Wish(Decision::Elect { .. }))));
}

#[test]
fn a_standby_whose_log_was_reset_is_named_and_not_written_to() {
    let scene = cluster(1).database("db2", |d| {
        d.applied.0.insert(d.server_id, 7);
    });
    let server = scene.desired.db.servers[1].clone();
    let status = database(scene.scene(), server.base());
    assert_eq!((status.severity, status.state), (Severity::Critical, State::LogReset));
    assert!(
        !steps(&scene)
            .iter()
            .any(|s| matches!(s, Step::Sql(SqlStep::Renumber { .. } | SqlStep::SetBack { .. })))
    );
}

/// Unproven is not equal: a database that may lack rows is not in sync before all of its tables were proven equal.
#[test]
fn a_doubt_about_lacking_rows_stays_while_a_table_is_unproven() {
    let mut scene = cluster(1);
    let doubt = Decision::Doubt { of: basis(&scene.desired, "db2"), at: scene.now, by: name("db1") };
    scene.desired = scene.desired.apply(&doubt).expect("a decision");
    let server = scene.desired.db.servers[1].clone();
    let mut shown = |verdict: TableResult| {
        let table = TableName { schema: "site".to_owned(), table: "note".to_owned() };
        let report = Report {
            at_start: scene.now,
            at_end: scene.now,
            reference: name("db1"),
            others: vec![name("db2")],
            tables: vec![Checked { table, verdict }],
            rows: 1,
            chunks: 1,
            bytes: 1,
        };
        let (id, last) = (server.id, Some((server.id, report)));
        scene.seen.comparisons.insert(name("db2"), Comparison { id, last, ..Comparison::default() });
        database(scene.scene(), server.base()).state
    };
    assert_eq!(shown(TableResult::Unverifiable { why: text!("verify-slow") }), State::MayLack);
    assert_eq!(shown(TableResult::Missing { on: vec![name("db2")] }), State::RowsDiffer);
    assert_eq!(shown(TableResult::Equal { rows: 1 }), State::InSync);
}

/// A short look that began after a whole one may have been answered before it: it neither hides a log that was reset
/// nor makes one up.
#[test]
fn a_short_look_says_nothing_of_what_the_position_claims() {
    let at = |number| Position([(1, number)].into());
    for (logged, short, claims) in [(12, 11, 0), (3, 12, 9)] {
        let mut scene = cluster(1).database("db1", |d| {
            (d.written, d.applied, d.logged) = (at(logged), at(12), Some(logged));
        });
        let now = scene.now;
        if let Some(Seen::At(_, seen)) = scene.seen.databases.get_mut(&name("db1")) {
            let younger = DatabaseSeen { written: at(short), ..seen.clone() };
            seen.take_promise(&younger, now);
            assert_eq!((seen.claims(), seen.written.last(1)), (claims, short));
        }
    }
}

#[test]
fn links_that_wait_for_one_that_is_gone_are_freed_and_nothing_else_is_done_there() {
    let stalled = |since: u64| {
        let mut scene = cluster(1);
        let (db2, first) = (name("db2"), scene.now - since);
        let mut look = scene.seen.databases[&db2].value().cloned().expect("a look");
        look.waits = true;
        // Otherwise the channels would be started.
        look.channels.values_mut().for_each(|l| l.receiving = Thread::Stopped);
        scene.seen.databases.remove(&db2);
        scene.seen.see_database(&db2, first, Ok(look.clone()));
        scene.seen.see_database(&db2, scene.now - 100, Ok(look));
        scene
    };
    let at_db2 = |scene: &Scene| {
        let steps = steps(scene).into_iter();
        steps.filter(|s| s.subject() == Subject::Database(name("db2"))).collect::<Vec<_>>()
    };
    let free = Step::Sql(SqlStep::FreeChannels { on: name("db2") });
    assert_eq!(at_db2(&stalled(STALLED)), std::slice::from_ref(&free));
    assert!(!at_db2(&stalled(STALLED - 1)).contains(&free));
    // What is discarded could not be received again.
    for alone in [stalled(STALLED).dead(10), stalled(STALLED).silent(9_000), stalled(STALLED).frozen(9_000)] {
        assert!(!at_db2(&alone).contains(&free), "{:?}", at_db2(&alone));
    }
    // The channels wait for one that stopped with an error, and would wait for it again.
    let failed = |code, applying| {
        stalled(STALLED).database("db2", |d| {
            let channel = d.channels.get_mut(&name("db1")).unwrap();
            (channel.error, channel.applying) = (code, applying);
        })
    };
    assert!(!at_db2(&failed(1062, false)).contains(&free), "{:?}", at_db2(&failed(1062, false)));
    // No channel waits for one that only receives nothing.
    assert!(at_db2(&failed(1236, true)).contains(&free), "{:?}", at_db2(&failed(1236, true)));
}

#[test]
fn links_wait_since_they_were_first_seen_to_at_the_same_position() {
    let mut seen = Observed::default();
    let mut look = |at: u64, waits: bool, applied: &str| {
        let applied = Position::parse(applied).expect("a position");
        let look = DatabaseSeen { applied, waits, ..DatabaseSeen::default() };
        seen.see_database(&name("db2"), at, Ok(look));
        seen.databases[&name("db2")].value().and_then(|d| d.stalled_at)
    };
    assert_eq!(look(1_000, false, "1-1-5"), None);
    assert_eq!(look(2_000, true, "1-1-5"), Some(2_000));
    assert_eq!(look(3_000, true, "1-1-5"), Some(2_000));
    assert_eq!(look(4_000, true, "1-1-6"), Some(4_000), "it has applied something");
    assert_eq!(look(5_000, false, "1-1-6"), None);
    assert_eq!(look(6_000, true, "1-1-6"), Some(6_000));
}
