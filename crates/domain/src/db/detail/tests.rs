use super::accounts::{Account, Fence};
use super::*;
use crate::db::verify::{Checked, Report, TableName, TableResult};
use crate::db::{Channel, Position};
use crate::desired::{DatabaseFacts, Kind, Membership, Pool, Routing, Run, Server};
use crate::ids::Host;
use crate::sessions::Mode;

fn name(text: &str) -> ServerName {
    ServerName::parse(text).expect("a name")
}

fn server(id: u32, called: &str) -> Server {
    Server {
        id,
        name: name(called),
        host: Host::parse("127.0.0.1").expect("a host"),
        port: 3306,
        kind: Kind::Database(DatabaseFacts {
            slot: u8::try_from(id).expect("a slot"),
            membership: Membership::Member,
        }),
        runtime: Run::STARTED,
    }
}

fn desired() -> Desired {
    let local = |port| std::net::SocketAddr::from(([127, 0, 0, 1], port));
    let pool = |servers| Pool { listen: local(1), generation: 0, servers };
    Desired {
        revision: 1,
        page: local(2),
        names: Vec::new(),
        web: pool(Vec::new()),
        db: pool(vec![server(1, "db1"), server(2, "db2")]),
        writer_listen: local(3),
        writer: Some(name("db1")),
        epoch: 1,
        routing: Routing::OneWriter,
        session: Mode::Proxy,
        handover: None,
        next_id: 3,
        ports: (10, 20),
        visitors: crate::visitors::Keeping::default(),
        doubts: std::collections::BTreeMap::new(),
        asked: std::collections::BTreeMap::new(),
    }
}

fn seen(gtids: &str, from: &str, runs: bool) -> DatabaseSeen {
    let receiving = if runs { Thread::Running } else { Thread::Stopped };
    DatabaseSeen {
        written: Position::parse(gtids).expect("a position"),
        channels: BTreeMap::from([(name(from), Channel { receiving, applying: runs, ..Channel::default() })]),
        ..DatabaseSeen::default()
    }
}

/// A look at db2.
fn look(before: &str, peer: &str, after: &str) -> Detail {
    Detail {
        at: 1_000,
        own: Ok(Answers {
            before: seen(before, "db1", true),
            after: seen(after, "db1", true),
            ..Answers::default()
        }),
        peers: BTreeMap::from([(name("db1"), Ok(seen(peer, "db2", true)))]),
        comparisons: BTreeMap::new(),
        conflicts: std::collections::BTreeMap::new(),
        starts_closed: Some(true),
    }
}

fn word(truth: &Truth) -> &str {
    truth.status.word.key.as_ref()
}

#[test]
fn what_is_missing_is_counted_over_all_domains() {
    let (ahead, behind) = (seen("1-1-50,2-2-7,3-3-4", "db1", true), seen("1-1-42,2-2-9", "db1", true));
    assert_eq!(missing(&behind, &ahead), 8 + 4);
    assert_eq!(missing(&ahead, &behind), 2);
    assert_eq!(missing(&ahead, &ahead), 0);
}

#[test]
fn a_write_between_the_looks_is_not_counted_as_missing() {
    let (all, db2) = (desired(), server(2, "db2"));
    // The peer wrote number 11 after the first look at db2, and it had arrived by the second look.
    let fine = look("1-1-10,2-2-5", "1-1-11,2-2-5", "1-1-11,2-2-6");
    assert_eq!(word(&positions(&all, db2.base(), &fine, Some(3))), "truth-caught-up");
    let behind = look("1-1-10,2-2-5", "1-1-20,2-2-5", "1-1-11,2-2-5");
    assert_eq!(word(&positions(&all, db2.base(), &behind, Some(3))), "truth-behind");
    let other = look("1-1-10,2-2-5", "1-1-10,2-2-4", "1-1-10,2-2-6");
    assert_eq!(word(&positions(&all, db2.base(), &other, Some(3))), "truth-others-behind");
    let late = positions(&all, db2.base(), &fine, Some(LAG_LIMIT + 1));
    assert_eq!((word(&late), late.status.severity), ("truth-late", Severity::Warning));
}

#[test]
fn links_are_looked_at_in_both_directions() {
    let (all, db2) = (desired(), server(2, "db2"));
    let fine = look("", "", "");
    assert_eq!(word(&channels(&all, db2.base(), &fine)), "truth-links-run");
    let mut broken = fine.clone();
    broken.peers.insert(name("db1"), Ok(seen("", "db2", false)));
    let truth = channels(&all, db2.base(), &broken);
    assert_eq!((word(&truth), truth.status.severity), ("truth-links-broken", Severity::Critical));
    let mut silent = fine.clone();
    silent.peers.insert(name("db1"), Err(Fault::Silent));
    assert_eq!(channels(&all, db2.base(), &silent).status.severity, Severity::Unknown);
    let mut mute = fine;
    mute.own = Err(Fault::Silent);
    assert_eq!(channels(&all, db2.base(), &mute).status.severity, Severity::Unknown);
    assert_eq!(positions(&all, db2.base(), &mute, Some(1)).status.severity, Severity::Unknown);
}

fn report(verdict: TableResult) -> Report {
    let table = TableName { schema: "site".to_owned(), table: "note".to_owned() };
    Report {
        at_start: 1,
        at_end: 2,
        reference: name("db1"),
        others: vec![name("db2")],
        tables: vec![Checked { table, verdict }],
        rows: 5,
        chunks: 1,
        bytes: 100,
    }
}

#[test]
fn equal_rows_are_said_only_after_a_comparison() {
    let db2 = server(2, "db2");
    let done = |id, verdict| Comparison { id, last: Some((id, report(verdict))), ..Comparison::default() };
    let says = |comparison: &Comparison| word(&rows(db2.base(), Some(comparison))).to_owned();
    assert_eq!(word(&rows(db2.base(), None)), "truth-never");
    assert_eq!(says(&done(2, TableResult::Equal { rows: 5 })), "truth-equal");
    assert_eq!(says(&done(9, TableResult::Equal { rows: 5 })), "truth-never", "of a database that is gone");
    assert_eq!(says(&done(2, TableResult::Differs { rows: Vec::new(), more: false })), "truth-differs");
    assert_eq!(says(&done(2, TableResult::Unverifiable { why: text!("verify-slow") })), "truth-unproven");
    let again = Comparison { running: Some(7), ..done(2, TableResult::Equal { rows: 5 }) };
    assert_eq!(says(&again), "truth-comparing");
    let all = BTreeMap::from([(name("db2"), done(2, TableResult::Missing { on: vec![name("db2")] }))]);
    let writer = rows_of_others(&desired(), server(1, "db1").base(), &all);
    assert_eq!((word(&writer), writer.at), ("truth-differs", Some(2)));
}

#[test]
fn a_password_in_a_statement_is_not_shown() {
    assert_eq!(shown("SET PASSWORD = PASSWORD('x')"), None);
    assert_eq!(shown("create user a identified by 'x'"), None);
    assert_eq!(shown("SELECT\n  1"), Some("SELECT 1".to_owned()));
    let long = shown(&format!("SELECT '{}'", "é".repeat(300))).expect("shown");
    assert_eq!(long.chars().count(), STATEMENT_SHOWN + 1);
}

#[test]
fn who_walks_through_the_fence_is_named() {
    let account = |user: &str, rights: &[&str]| Account {
        user: user.to_owned(),
        everywhere: rights.iter().map(|r| (*r).to_owned()).collect(),
        ..Account::default()
    };
    assert_eq!(account("shop", &["SELECT"]).fence(), Fence::Held);
    assert_eq!(account("shop", &["SUPER"]).fence(), Fence::Super);
    assert_eq!(account("shop", &["SUPER", "READ_ONLY ADMIN"]).fence(), Fence::Passes);
    for keeper in ["root", "cordee", "mariadb.sys"] {
        assert_eq!(account(keeper, &["READ_ONLY ADMIN"]).fence(), Fence::Keeper);
    }
}

#[test]
fn a_differing_setting_comes_first_with_its_remedy() {
    let (all, db2) = (desired(), server(2, "db2"));
    let mut detail = look("", "", "");
    let values = [
        ("read_only", "ON"),
        ("server_id", "2"),
        ("sync_binlog", "0"),
        ("binlog_format", "MIXED"),
        ("binlog_expire_logs_seconds", "0"),
        ("auto_increment_offset", "1"),
    ];
    if let Ok(own) = &mut detail.own {
        own.variables = values.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
    }
    let found = settings::compare(&all, db2.base(), &detail);
    let fine = |name: &str| found.iter().find(|s| s.name == name).is_some_and(|s| s.fine);
    for name in [
        "read_only",
        "server_id",
        "binlog_expire_logs_seconds",
        "auto_increment_offset",
        "read_only (my.cnf)",
    ] {
        assert!(fine(name), "{name}");
    }
    for name in ["sync_binlog", "binlog_format", "gtid_strict_mode"] {
        assert!(!fine(name), "{name}");
    }
    assert!(!found[0].fine && found.last().is_some_and(|s| s.fine));
}

#[test]
fn the_writer_promises_only_what_is_in_force() {
    let (all, db1) = (desired(), server(1, "db1"));
    let mut detail = look("", "", "");
    let says = |detail: &Detail| promise(&all, db1.base(), detail).map(|s| s.word.key.into_owned());
    assert_eq!(says(&detail).as_deref(), Some("promise-none"));
    if let Ok(own) = &mut detail.own {
        own.after = DatabaseSeen { semi_sync: true, in_force: true, acknowledging: 1, ..own.after.clone() };
    }
    assert_eq!(says(&detail).as_deref(), Some("promise-kept"));
    detail.own = Err(Fault::Silent);
    assert_eq!(says(&detail), None);
}
