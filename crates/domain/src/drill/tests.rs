use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::order::{AFTER, BEFORE, HELD};
use super::*;
use crate::db::failover::tests::scene::{Scene, cluster, name};
use crate::desired::{CookieChoice, Handover, Kind, Membership, Pool, Power, Run, Runtime, Server, WebFacts};
use crate::ids::Host;
use crate::snapshot::{ChannelView, LastCheck, ProxyView, Role, ServerView, Snapshot};
use crate::state::{Remark, Severity, State, Status};

fn raw(target: &str, how: &str, confirm: &str) -> RawOrder {
    let [target, how, confirm] = [target, how, confirm].map(str::to_owned);
    RawOrder { target, how, confirm, ..RawOrder::usual() }
}

fn order(target: &str, how: &str) -> Order {
    let pool = Selector::parse(target).unwrap().pool();
    raw(target, how, pool.as_str()).parse().unwrap()
}

fn fields(raw: &RawOrder) -> Vec<String> {
    raw.parse().unwrap_err().into_iter().map(|p| p.field).collect()
}

#[test]
fn every_pair_that_makes_sense_is_taken_and_no_other() {
    let targets =
        [("web1", "web"), ("haproxy-web", "web"), ("haproxy-db", "db"), ("writer", "db"), ("link", "db")];
    let mut taken = BTreeSet::new();
    for (target, pool) in targets {
        for how in FaultKind::ALL {
            match raw(target, how.as_str(), pool).parse() {
                Ok(order) => {
                    assert_eq!((order.target.word().as_str(), order.how), (target, how));
                    taken.insert(format!("{target} {}", how.as_str()));
                }
                Err(problems) => {
                    assert_eq!(problems.iter().map(|p| p.field.as_str()).collect::<Vec<_>>(), ["how"]);
                }
            }
        }
    }
    let right = [
        "haproxy-db freeze",
        "haproxy-db kill",
        "haproxy-web freeze",
        "haproxy-web kill",
        "link stop",
        "web1 drain",
        "web1 freeze",
        "web1 kill",
        "web1 stop",
        "writer freeze",
        "writer kill",
    ];
    assert_eq!(taken.iter().map(String::as_str).collect::<Vec<_>>(), right);
}

#[test]
fn every_wrong_field_is_named_at_once() {
    assert_eq!(fields(&RawOrder::default()), ["target", "how"]);
    let mut wrong = raw("web 1", "burn", "web");
    for (field, typed) in [
        (&mut wrong.rate, "0"),
        (&mut wrong.visitors, "51"),
        (&mut wrong.before, "-1"),
        (&mut wrong.held, "31"),
        (&mut wrong.after, "5.5"),
        (&mut wrong.url, "https://elsewhere.example/"),
        (&mut wrong.status, "99"),
    ] {
        typed.clone_into(field);
    }
    assert_eq!(
        fields(&wrong),
        ["target", "how", "rate", "visitors", "before", "held", "after", "url", "status"]
    );
    assert_eq!(fields(&raw("web1", "kill", "db")), ["confirm"]);
    assert_eq!(fields(&raw("writer", "kill", "")), ["confirm"]);
}

#[test]
fn what_is_not_typed_is_the_usual_and_no_drill_is_longer_than_two_minutes() {
    let bare = RawOrder {
        target: "web1".to_owned(),
        how: "kill".to_owned(),
        confirm: "web".to_owned(),
        ..RawOrder::default()
    };
    assert_eq!(bare.parse().unwrap(), order("web1", "kill"));
    let most = [&BEFORE, &HELD, &AFTER].map(|f| u32::from(*f.bounds.end()));
    assert!(most.iter().sum::<u32>() <= 120);
}

fn view(pool: PoolId, server: &str) -> ServerView {
    let severity = |severity| Status::bare(severity, State::Up);
    ServerView {
        pool,
        name: name(server),
        address: "127.0.0.1".to_owned(),
        port: 1,
        cookie: None,
        cookie_chosen: false,
        role: (pool == PoolId::Db).then_some(if server == "db1" { Role::Writer } else { Role::Standby }),
        runtime: Runtime::Process,
        power: Power::On,
        status: severity(Severity::Good),
        sessions: 0,
        total: 0,
        last_check: LastCheck { at: None, result: None, duration_ms: None },
        pid: None,
        version: None,
        channels: if server == "db2" {
            BTreeMap::from([(
                name("db1"),
                ChannelView { severity: Severity::Good, delay_ms: Some(1), error: 0 },
            )])
        } else {
            BTreeMap::new()
        },
        membership: (pool == PoolId::Db).then_some(Membership::Member),
        semi_sync: (server == "db1").then_some(true),
        progress: None,
        comparison: None,
        in_proxy: None,
        outdated: false,
        waits: None,
        leave: None,
        wanted: true,
        asked: None,
        attached: None,
        actions: Vec::new(),
    }
}

/// web1, web2, db1 (the writer) and db2, all of them healthy.
fn scene() -> (Desired, Snapshot) {
    let Scene { mut desired, .. } = cluster(2);
    desired.web = Pool { servers: vec![wished("web1"), wished("web2")], ..desired.web };
    let proxy = |name: PoolId| ProxyView {
        name,
        listen: String::new(),
        status: Status::bare(Severity::Good, State::Up),
        rate: 0,
        sessions: 0,
        requests: 0,
        unsent: 0,
        pid: Some(1),
        worker_pid: Some(2),
        version: None,
        seen_at: None,
        settled: true,
    };
    let snapshot = Snapshot {
        revision: 1,
        at: 0,
        verdict: Remark::bare(Severity::Good, text!("verdict-good")),
        causes: Vec::new(),
        routing: desired.routing,
        session: desired.session,
        epoch: 1,
        handover: None,
        gap: None,
        sequences: None,
        unique: None,
        proxies: PoolId::ALL.map(proxy).into(),
        servers: vec![
            view(PoolId::Web, "web1"),
            view(PoolId::Web, "web2"),
            view(PoolId::Db, "db1"),
            view(PoolId::Db, "db2"),
        ],
    };
    (desired, snapshot)
}

fn wished(server: &str) -> Server {
    Server {
        id: 9,
        name: name(server),
        host: Host::parse("127.0.0.1").unwrap(),
        port: 1,
        kind: Kind::Web(WebFacts::ready(CookieChoice::Automatic)),
        runtime: Run::STARTED,
    }
}

fn process(server: &str) -> Target {
    Target::Process(ProcessName::Server(name(server)))
}

/// Returns the key of the refusal.
fn refused(order: &Order, desired: &Desired, snapshot: &Snapshot) -> String {
    order.target(desired, snapshot).unwrap_err().text.key.into_owned()
}

#[test]
fn in_good_health_each_target_is_somebody() {
    let (desired, snapshot) = scene();
    let target = |target, how| order(target, how).target(&desired, &snapshot);
    assert_eq!(target("WEB2", "freeze"), Ok(process("web2")));
    assert_eq!(target("writer", "kill"), Ok(process("db1")));
    assert_eq!(target("haproxy-db", "kill"), Ok(Target::Process(ProcessName::Proxy(PoolId::Db))));
    assert_eq!(target("link", "stop"), Ok(Target::Channel { on: name("db2"), from: name("db1") }));
}

#[test]
fn nobody_falls_where_nobody_else_would_be_left() {
    let (desired, mut snapshot) = scene();
    snapshot.servers[1].status.severity = Severity::Critical;
    assert_eq!(refused(&order("web1", "drain"), &desired, &snapshot), "problem-drill-alone");
    assert_eq!(refused(&order("web2", "kill"), &desired, &snapshot), "problem-drill-unwell");
    for spoil in [
        |s: &mut Snapshot| s.servers[3].status.severity = Severity::Critical,
        |s: &mut Snapshot| s.servers[3].power = Power::Off,
        |s: &mut Snapshot| s.servers[3].channels.clear(),
        |s: &mut Snapshot| s.servers[2].semi_sync = Some(false),
    ] {
        let (desired, mut snapshot) = scene();
        spoil(&mut snapshot);
        for target in [order("writer", "kill"), order("link", "stop")] {
            assert_eq!(refused(&target, &desired, &snapshot), "problem-drill-no-standby");
        }
    }
}

#[test]
fn what_is_not_ours_is_only_drained() {
    let (desired, mut snapshot) = scene();
    snapshot.servers[0].runtime = Runtime::External;
    snapshot.servers[2].runtime = Runtime::External;
    assert_eq!(refused(&order("web1", "kill"), &desired, &snapshot), "problem-drill-not-ours");
    assert_eq!(refused(&order("writer", "freeze"), &desired, &snapshot), "problem-drill-not-ours");
    assert_eq!(order("web1", "drain").target(&desired, &snapshot), Ok(process("web1")));
    assert!(order("link", "stop").target(&desired, &snapshot).is_ok());
    assert_eq!(refused(&order("web9", "kill"), &desired, &snapshot), "problem-server-unknown");
}

#[test]
fn no_drill_begins_while_a_database_joins_changes_or_is_repaired() {
    let kill = order("web1", "kill");
    let (mut desired, snapshot) = scene();
    desired.handover = Some(Handover { to: name("db2"), at: 0, accept_loss: false });
    assert_eq!(refused(&kill, &desired, &snapshot), "problem-drill-busy");
    let (desired, mut snapshot) = scene();
    snapshot.servers[3].membership = Some(Membership::Joining);
    assert_eq!(refused(&kill, &desired, &snapshot), "problem-drill-busy");
    let (desired, mut snapshot) = scene();
    snapshot.servers[3].comparison =
        Some(crate::snapshot::ComparisonView { repair: true, ..crate::snapshot::ComparisonView::default() });
    assert_eq!(refused(&kill, &desired, &snapshot), "problem-drill-busy");
}

fn drill(target: &str, how: &str) -> Drill {
    let (desired, snapshot) = scene();
    let order = order(target, how);
    let target = order.target(&desired, &snapshot).unwrap();
    let (actor, report) = ("ada".to_owned(), Report::default());
    Drill { id: 1, actor, begun: 0, ended: None, end: End::Running, order, target, report }
}

#[test]
fn each_fault_is_undone_and_only_what_is_still_down() {
    let (desired, _) = scene();
    let web1 = || ProcessId::Web(name("web1"));
    let kill = drill("web1", "kill");
    assert_eq!((kill.fault(), kill.undo(&desired)), (Act::Kill(web1()), None));
    let freeze = drill("web1", "freeze");
    assert_eq!((freeze.fault(), freeze.undo(&desired)), (Act::Freeze(web1()), Some(Act::Thaw(web1()))));
    let channel = drill("link", "stop");
    assert_eq!(channel.fault(), Act::Hold { on: name("db2"), from: name("db1") });
    assert_eq!(channel.undo(&desired), Some(Act::Release));
    for how in ["stop", "drain"] {
        let drill = drill("web1", how);
        let Act::Commit(down) = drill.fault() else { panic!("{how}") };
        assert_eq!(drill.undo(&desired), None, "a person has put it right already");
        let fallen = desired.apply(&down).unwrap();
        let Some(Act::Commit(up)) = drill.undo(&fallen) else { panic!("{how}") };
        let right = fallen.apply(&up).unwrap();
        assert_eq!(right.web, desired.web);
        assert_eq!(drill.undo(&right), None, "undone once");
    }
}

/// A drill as version 0.1.0 stored it: the process has a name there, but no kind.
fn stored(target: &str, how: &str, process: &str) -> Drill {
    let text = include_str!("drill-0.1.json");
    let text = text.replace("TARGET", target).replace("HOW", how).replace("PROCESS", process);
    let drill: Drill = serde_json::from_str(&text).unwrap();
    let again = serde_json::to_value(&drill).unwrap();
    assert_eq!(again, serde_json::from_str::<serde_json::Value>(&text).unwrap(), "and is stored as it was");
    drill
}

/// A drill that an earlier Cordée left unfinished is undone on the kind of server on which the fault was caused,
/// whatever server has that name by now.
#[test]
fn a_stored_drill_is_of_the_kind_that_was_ordered() {
    let (desired, _) = scene();
    let x = || name("db1");
    let web = stored(r#"{"web":"db1"}"#, "freeze", r#"{"Server":"db1"}"#);
    assert_eq!(web.undo(&desired), Some(Act::Thaw(ProcessId::Web(x()))), "db1 is a database by now");
    let writer = stored(r#""writer""#, "freeze", r#"{"Server":"db1"}"#);
    assert_eq!(writer.undo(&desired), Some(Act::Thaw(ProcessId::Database(x()))));
    assert_eq!(
        stored(r#""writer""#, "kill", r#"{"Server":"db1"}"#).fault(),
        Act::Kill(ProcessId::Database(x()))
    );
    let proxy = stored(r#"{"proxy":"db"}"#, "freeze", r#"{"Proxy":"db"}"#);
    assert_eq!(proxy.fault(), Act::Freeze(ProcessId::Proxy(PoolId::Db)));
    let Act::Commit(stop) = stored(r#"{"web":"web1"}"#, "stop", r#"{"Server":"web1"}"#).fault() else {
        panic!()
    };
    assert_eq!(stop, power(name("web1"), Power::Off));
}

#[test]
fn a_death_is_not_held() {
    assert_eq!(drill("web1", "kill").length(), 13_000);
    assert_eq!(drill("web1", "freeze").length(), 18_000);
}

#[test]
fn the_page_s_words_are_kept_once_each_time_they_change() {
    let (_, mut snapshot) = scene();
    let mut report = Report::default();
    report.listen(&snapshot, &process("db1"), None);
    report.listen(&snapshot, &process("db1"), Some(10));
    let about: Vec<_> = report.said.iter().map(|s| (s.ms, s.about.as_str())).collect();
    assert_eq!(about, [(None, ""), (None, "db1"), (None, "db2"), (None, "haproxy-db →")]);
    snapshot.servers[2].status = Status::bare(Severity::Critical, State::Down);
    report.listen(&snapshot, &process("db1"), Some(20));
    let news: Vec<_> = report.said[4..].iter().map(|s| (s.ms, s.about.as_str(), s.severity)).collect();
    assert_eq!(news, [(Some(20), "db1", Severity::Critical), (Some(20), "haproxy-db →", Severity::Critical)]);
    let mut other = Report::default();
    other.listen(&snapshot, &process("web1"), None);
    assert_eq!(other.said.iter().map(|s| s.about.as_str()).collect::<Vec<_>>(), ["", "web1"]);
    let mut channel = Report::default();
    channel.listen(&snapshot, &Target::Channel { on: name("db2"), from: name("db1") }, None);
    assert_eq!(channel.said.last().map(|s| s.about.as_str()), Some("db2 ← db1"));
}

#[test]
fn all_is_well_again_when_requests_and_writes_are() {
    let lost = |ended| Try { fate: Fate::Unanswered, ended: Some(ended), took: 1 };
    let well = |ended| Try { fate: Fate::Answered, ended: Some(ended), took: 1 };
    let mut report = Report::default();
    assert_eq!(report.recovery(), Recovery::NothingLost);
    report.requests.note(lost(20));
    report.requests.note(well(30));
    assert_eq!(report.recovery(), Recovery::After(20));
    let mut writes = Writes::default();
    writes.tally.note(lost(90));
    report.writes = Some(writes);
    assert_eq!(report.recovery(), Recovery::NotYet);
    writes.tally.note(well(95));
    report.writes = Some(writes);
    assert_eq!(report.recovery(), Recovery::After(90));
}

fn a_try() -> impl Strategy<Value = Try> {
    let fate = prop_oneof![Just(Fate::Answered), Just(Fate::Refused), Just(Fate::Unanswered)];
    (fate, prop::option::of(0_u64..2_000), 0_u64..500).prop_map(|(fate, ended, took)| Try {
        fate,
        ended,
        took,
    })
}

proptest! {
    #[test]
    fn a_tally_says_what_its_list_says_in_any_order(
        tries in prop::collection::vec(a_try(), 0..40),
        turn in 0_usize..40,
    ) {
        let sum = |tries: &[Try]| {
            let mut tally = Tally::default();
            for t in tries {
                tally.note(*t);
            }
            tally
        };
        let tally = sum(&tries);
        let mut other = tries.clone();
        other.rotate_left(turn.min(tries.len()));
        prop_assert_eq!(tally, sum(&other));
        let count = |f: fn(&Try) -> bool| u32::try_from(tries.iter().filter(|t| f(t)).count()).unwrap();
        prop_assert_eq!(tally.asked, count(|_| true));
        prop_assert_eq!(tally.lost(), count(|t| t.fate != Fate::Answered));
        prop_assert_eq!(tally.lost_before, count(|t| t.fate != Fate::Answered && t.ended.is_none()));
        let last = |lost: bool| {
            tries.iter().filter(|t| (t.fate != Fate::Answered) == lost).filter_map(|t| t.ended).max()
        };
        let recovery = match (last(true), last(false)) {
            (None, _) => Recovery::NothingLost,
            (Some(lost), Some(good)) if good >= lost => Recovery::After(lost),
            _ => Recovery::NotYet,
        };
        prop_assert_eq!(tally.recovery(), recovery);
    }

    #[test]
    fn whatever_is_typed_is_read_or_refused_at_a_field(
        words in prop::array::uniform8("[a-z0-9 -]{0,6}|writer|link|web1|kill|stop|web|db|haproxy-db|999999")
    ) {
        let [target, how, rate, visitors, before, held, after, confirm] = words;
        let raw = RawOrder { target, how, rate, visitors, before, held, after, confirm, ..RawOrder::default() };
        match raw.parse() {
            Ok(order) => {
                let t = order.traffic;
                prop_assert!((1..=200).contains(&t.rate) && (1..=50).contains(&t.visitors));
                prop_assert!(t.before + t.held + t.after <= 120);
                prop_assert!(order.how.fits(&order.target).is_ok());
            }
            Err(problems) => {
                prop_assert!(!problems.is_empty());
                for p in problems {
                    let known = ["target", "how", "rate", "visitors", "before", "held", "after", "confirm"];
                    prop_assert!(known.contains(&p.field.as_str()), "{}", p.field);
                }
            }
        }
    }
}
