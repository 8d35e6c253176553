//! What is reported while processes are frozen, come back or fail in numbers: tests on the snapshot of a cluster that
//! was healthy.

use crate::db::failover::tests::scene::{NOW, Scene, cluster, name};
use crate::desired::{Doubt, Handover, Membership, Power, Run};
use crate::door::tests::well;
use crate::door::{Door, DoorSeen};
use crate::fault::Fault;
use crate::haproxy::stats::{CheckState, RunningServer};
use crate::ids::ProcessId;
use crate::observed::ProcessSeen;
use crate::plan::tests::elect;
use crate::plan::tests::setting;
use crate::seen::Seen;
use crate::snapshot::{Snapshot, snapshot};

use super::*;
use crate::text::Arg;

const WEB: ProcessId = ProcessId::Proxy(PoolId::Web);

fn process(server: &str) -> ProcessId {
    ProcessId::of(if server.starts_with("db") { PoolId::Db } else { PoolId::Web }, name(server))
}

fn shown(scene: &Scene) -> Snapshot {
    snapshot(scene.scene(), &setting())
}

/// Alters what is observed of that process.
fn with(mut scene: Scene, id: &ProcessId, alter: impl FnOnce(&mut ProcessSeen)) -> Scene {
    alter(scene.seen.processes.entry(id.clone()).or_default());
    scene
}

/// Freezes these other processes, and the leader if `leader` is set.
fn still(scene: Scene, id: &ProcessId, leader: bool, others: &[u32]) -> Scene {
    with(scene, id, |seen| {
        seen.leader.as_mut().expect("it runs").frozen = leader;
        seen.still = others.to_vec();
    })
}

/// Alters what HAProxy `web` reports about a web server.
fn behind(mut scene: Scene, server: &str, alter: impl FnOnce(&mut RunningServer)) -> Scene {
    let seen = scene.seen.proxies.get_mut(&PoolId::Web).expect("HAProxy web");
    let Seen::At(_, running) = &mut seen.running else { panic!("not looked at") };
    alter(running.servers.get_mut(&name(server)).expect("listed"));
    scene
}

fn down(scene: Scene, server: &str) -> Scene {
    behind(scene, server, |s| (s.verdict, s.check.code) = (CheckState::Down, "L7TOUT".to_owned()))
}

/// Returns severity and words of the only cause, and every `kill` command in it.
fn said(scene: &Scene) -> (Severity, String, Vec<String>) {
    let mut all = shown(scene).causes;
    assert_eq!(all.len(), 1, "{all:#?}");
    let cause = all.remove(0);
    let commands = cause.remedies.iter().filter_map(|remedy| match remedy {
        Remedy::Hand { says } if says.key == "remedy-thaw" => match says.args.get("pids") {
            Some(Arg::Text(pids)) => Some(pids.clone()),
            other => panic!("{other:?}"),
        },
        _ => None,
    });
    (cause.status.severity, cause.status.word.key.to_string(), commands.collect())
}

/// The frozen processes are listed by their own ids. Cordée once listed HAProxy's master, whichever of master and
/// worker was frozen.
#[test]
fn what_stands_still_is_named_by_its_own_number() {
    let frozen = |pids: &str| (Severity::Critical, "status-frozen".to_owned(), vec![pids.to_owned()]);
    assert_eq!(said(&still(well(), &WEB, false, &[62])), frozen("62"), "HAProxy's worker");
    assert_eq!(said(&still(well(), &WEB, true, &[62])), frozen("51 62"), "and its master");
    assert_eq!(said(&still(well(), &process("db2"), true, &[])), frozen("102"), "a database");
    let web = |leader, others: &[u32]| still(down(well(), "web1"), &process("web1"), leader, others);
    assert_eq!(said(&web(false, &[70, 71])), frozen("70 71"), "Apache's children");
    assert_eq!(said(&web(true, &[])), frozen("60"), "Apache's parent, and its checks fail");
    assert_eq!(said(&web(true, &[70, 71, 72])), frozen("-- -60"), "all of them: the group");
}

#[test]
fn a_parent_that_stands_still_alone_is_no_outage() {
    let half = |pid: &str| (Severity::Warning, "status-half-frozen".to_owned(), vec![pid.to_owned()]);
    for (id, pid) in [(WEB, "51"), (ProcessId::Proxy(PoolId::Db), "50"), (process("web1"), "60")] {
        let scene = still(well(), &id, true, &[]);
        assert_eq!(said(&scene), half(pid), "{id:?}");
        let shown = shown(&scene);
        assert_eq!(
            (shown.verdict.severity, &shown.verdict.word),
            (Severity::Warning, &text!("verdict-risk"))
        );
        let unknown = shown.servers.iter().filter(|s| !s.status.serves()).count();
        assert_eq!(unknown, 0, "{id:?}");
    }
    // If one of several children is frozen and the check passes, the others serve.
    assert_eq!(shown(&still(well(), &process("web1"), false, &[70])).verdict.severity, Severity::Good);
    // What HAProxy reported before its worker was frozen says nothing about now.
    let mut silent = still(well(), &WEB, true, &[]);
    silent.seen.proxies.get_mut(&PoolId::Web).expect("it").running =
        Seen::Failed { last: Some(NOW - 100), why: Fault::NoAnswer };
    assert_eq!(said(&silent).1, "status-frozen");
    // If it serves nobody, the probe of the address shows that.
    let mut shut = still(well(), &WEB, true, &[]);
    let refused = Ok(crate::door::Answer::Refused);
    let desired = shut.desired.clone();
    let door = shut.seen.doors.entry(Door::Site).or_default();
    door.take(&desired, Door::Site, (NOW - 2_000, NOW - 50), refused);
    shut.seen.expect_doors(&desired, NOW);
    assert_eq!(shown(&shut).verdict.severity, Severity::Critical);
}

/// The process ended, and nobody had asked for that.
fn fell(scene: Scene, id: &ProcessId) -> Scene {
    with(scene, id, |seen| seen.trouble = Some(Fault::Ended))
}

/// The process ended, and was started again `ago` milliseconds before now.
fn anew(scene: Scene, id: &ProcessId, ago: u64) -> Scene {
    let mut scene = with(fell(scene, id), id, |seen| seen.started_at = Some(NOW - ago));
    match id {
        ProcessId::Web(_) => {}
        ProcessId::Database(server) => drop(scene.seen.databases.insert(server.clone(), Seen::Never)),
        ProcessId::Proxy(pool) => {
            scene.seen.proxies.get_mut(pool).expect("a HAProxy").running = Seen::Never;
        }
    }
    scene
}

#[test]
fn what_served_and_fell_is_down_until_it_serves_again() {
    let verdict = |scene: &Scene| {
        let shown = shown(scene).verdict;
        (shown.severity, shown.word.key.to_string())
    };
    let starting = || (Severity::Progress, "verdict-starting".to_owned());
    let no_database = || (Severity::Critical, "verdict-no-database".to_owned());
    let no_site = || (Severity::Critical, "verdict-critical".to_owned());
    let dead = |scene: Scene, at: Option<u64>| {
        ["db1", "db2"].into_iter().fold(scene, |scene, db| match at {
            None => fell(scene.gone(db), &process(db)),
            Some(ago) => anew(scene, &process(db), ago),
        })
    };
    assert_eq!(verdict(&dead(well(), None)), no_database(), "all are dead");
    assert_eq!(verdict(&dead(well(), Some(50))), no_database(), "all are started again");
    assert_eq!(verdict(&dead(well(), Some(600))).1, "verdict-starting", "served since");
    let fresh = |mut scene: Scene| {
        scene.seen.doors.values_mut().for_each(|door| *door = DoorSeen::default());
        scene
    };
    assert_eq!(verdict(&fresh(dead(well(), Some(50)))), starting(), "a first start");
    // The writer died; its successor has been elected and is not open yet.
    let mut chosen = fell(well().gone("db1"), &process("db1")).database("db2", |d| d.read_only = true);
    chosen.desired = chosen.desired.apply(&elect(&chosen.desired, "db2", Some(10))).expect("an heir");
    assert_eq!(verdict(&chosen), no_database(), "an heir that is not open yet");
    // A change of writer that an operator asked for does not count as an end.
    let mut handing = well().database("db1", |d| d.read_only = true);
    handing.desired.handover = Some(Handover { to: name("db2"), at: NOW - 200, accept_loss: false });
    assert_eq!(verdict(&handing), (Severity::Progress, "verdict-handover".to_owned()), "a planned change");
    // The elected writer is not open yet.
    let mut opens = well().database("db2", |d| d.read_only = true).database("db1", |d| d.read_only = true);
    opens.desired = opens.desired.apply(&elect(&opens.desired, "db2", None)).expect("a change");
    assert_eq!(verdict(&opens), (Severity::Progress, "verdict-handover".to_owned()), "its end");
    assert_eq!(verdict(&anew(well(), &WEB, 50)), no_site(), "HAProxy web is started again");
    let db = ProcessId::Proxy(PoolId::Db);
    assert_eq!(verdict(&anew(well(), &db, 50)), no_database(), "HAProxy db is started again");
    assert_eq!(verdict(&fresh(anew(well(), &db, 50))), starting(), "HAProxy db starts");
    let gone = with(fell(well(), &db), &db, |seen| (seen.leader, seen.ended_at) = (None, Some(NOW - 50)));
    assert_eq!(verdict(&gone), no_database(), "HAProxy db is gone: visitors get pages");
    // Everything is up again, and no probe has been served since.
    let wrong = |mut scene: Scene, door: Door| {
        let seen = scene.seen.doors.get_mut(&door).expect("a door");
        seen.expected_since = Some(NOW - 100);
        seen.take(&scene.desired, door, (NOW - 60, NOW - 50), Ok(crate::door::Answer::Refused));
        scene
    };
    let back = |id: &ProcessId| with(fell(well(), id), id, |seen| seen.started_at = Some(NOW - 400));
    assert_eq!(verdict(&wrong(back(&process("db1")), Door::Writer)), no_database(), "the writer is back");
    assert_eq!(verdict(&wrong(back(&process("web1")), Door::Site)), no_site(), "a web server is back");
    assert_eq!(verdict(&wrong(fresh(well()), Door::Writer)), starting(), "a first start");
    // Nothing was started: one answer is wrong, or another database was opened as the writer.
    assert_eq!(verdict(&wrong(well(), Door::Writer)).1, "verdict-checking");
    let mut opened = well();
    opened.seen.doors.get_mut(&Door::Writer).expect("a door").epoch += 1;
    assert_eq!(verdict(&wrong(opened, Door::Writer)).1, "verdict-handover");
    // Both web servers died; they run again, and have not been checked yet.
    let webs = ["web1", "web2"].into_iter().fold(well(), |scene, web| {
        let scene = with(fell(scene, &process(web)), &process(web), |seen| seen.started_at = Some(NOW - 50));
        behind(scene, web, |s| s.maintenance = true)
    });
    assert_eq!(verdict(&webs), no_site(), "all web servers are started again");
    assert_eq!(verdict(&fresh(webs.clone())), starting(), "they are started");
    let asked = ["web1", "web2"]
        .into_iter()
        .fold(webs, |scene, web| with(scene, &process(web), |seen| seen.trouble = None));
    assert_eq!(verdict(&asked), starting(), "a person had stopped them");
}

/// Cordée once reported "All good" while the writer was alone and no database could take over from it.
#[test]
fn a_writer_whose_only_standby_is_on_its_way_back_is_at_risk() {
    let risk = |scene: &Scene| {
        let shown = shown(scene);
        let names = shown.causes.iter().flat_map(|cause| match &cause.about {
            About::Servers(_, names) => names.clone(),
            _ => Vec::new(),
        });
        (shown.verdict.severity, names.map(|n| n.as_str().to_owned()).collect::<Vec<_>>())
    };
    let back = || {
        let mut scene = anew(well(), &process("db2"), 600);
        scene.seen.databases.insert(name("db2"), Seen::Never);
        scene
    };
    assert_eq!(risk(&back()), (Severity::Warning, vec!["db2".to_owned()]));
    // A database that joins for the first time took nothing away from the writer.
    let mut joins = back();
    joins.desired.db.servers[1].stands(Membership::Joining);
    assert_eq!(risk(&joins), (Severity::Good, vec![]));
    // A database whose rows are in doubt follows well, but must not be relied on.
    let mut doubted = well();
    let doubt = Doubt { since: NOW - 100, lacks: false };
    let id = doubted.desired.db.servers[1].id;
    doubted.desired.doubts.insert(id, doubt);
    assert_eq!(risk(&doubted), (Severity::Warning, vec!["db2".to_owned()]));
}

#[test]
fn what_was_measured_makes_no_entry_of_its_own() {
    let entries = |scene: &Scene| shown(scene).causes.len();
    let checks = |code: &str, first: (u64, u16), second: (u64, u16)| {
        [("web1", first), ("web2", second)].into_iter().fold(well(), |scene, (web, (ms, status))| {
            behind(scene, web, |s| {
                (s.verdict, s.check.code) = (CheckState::Down, code.to_owned());
                (s.check.duration_ms, s.check.status) = (Some(ms), Some(status));
            })
        })
    };
    assert_eq!(entries(&checks("L7TOUT", (1_001, 0), (1_002, 0))), 1, "milliseconds");
    assert_eq!(entries(&checks("L7STS", (1, 500), (2, 500))), 1, "one and the same answer");
    assert_eq!(entries(&checks("L7STS", (1, 500), (1, 503))), 2, "two answers");
    // Both have the same trouble; one of them waits for its next attempt.
    let ended = ["web1", "web2"].into_iter().fold(well(), |scene, web| {
        with(scene, &process(web), |seen| {
            (seen.leader, seen.trouble) = (None, Some(Fault::Exit(1)));
            (seen.failures, seen.started_at) = (if web == "web1" { 9 } else { 0 }, Some(NOW - 1_000));
        })
    });
    assert_eq!(entries(&ended), 1, "seconds until the next try");
    let other = with(ended, &process("web2"), |seen| {
        seen.trouble = Some(Fault::Exit(2));
    });
    assert_eq!(entries(&other), 2, "another exit code");
}

/// Cordée once reported "There is no copy any more" about three databases, each of which had two.
#[test]
fn copies_are_counted() {
    let told = |standbys: u32, fall: fn(Scene) -> Scene| {
        let last = format!("db{}", standbys + 1);
        let mut scene = fall(cluster(standbys));
        scene
            .desired
            .db
            .servers
            .iter_mut()
            .filter(|s| s.name == name(&last))
            .for_each(|s| s.powered(Power::Off));
        scene = scene.gone(&last);
        let others: Vec<String> = (1..=standbys).map(|n| format!("db{n}")).collect();
        for on in &others {
            scene = scene.database(on, |d| {
                d.channels.get_mut(&name(&last)).expect("a link").receiving = crate::db::Thread::Connecting;
            });
        }
        let of = |db: &String| {
            let view = shown(&scene).servers.into_iter().find(|s| s.name == name(db)).expect("it");
            assert_eq!(view.status.state, State::Alone, "{db}");
            view.status.reason.and_then(|r| r.sentence().args.get("count").cloned())
        };
        others.iter().map(of).collect::<Vec<_>>()
    };
    let counts = |all: &[i64]| all.iter().map(|n| Some(Arg::Number(*n))).collect::<Vec<_>>();
    assert_eq!(told(3, |s| s), counts(&[2, 2, 2]), "two others copy");
    assert_eq!(told(2, |s| s), counts(&[1, 1]));
    assert_eq!(told(1, |s| s), counts(&[0]), "no copy any more");
    // A channel that is stopped does not replicate.
    assert_eq!(told(3, |s| s.idle("db2").channel("db3", |_| ()))[0], Some(Arg::Number(1)));
}

/// One server runs while another program holds its port, and one cannot be started for that reason: the operator has
/// to free the port.
#[test]
fn a_port_that_somebody_else_took_is_freed_by_a_person() {
    let taken = || Fault::PortTaken { port: 8081, holder: "nc (pid 7)".to_owned() };
    let refused = with(well(), &process("web1"), |seen| {
        (seen.leader, seen.trouble, seen.failures) = (None, Some(taken()), 3);
        seen.started_at = Some(NOW);
    });
    let lives = with(well(), &process("web1"), |seen| {
        seen.port = crate::observed::Port::Foreign("nc (pid 7)".to_owned());
    });
    let fallen = |id: &ProcessId| {
        with(well(), id, |seen| {
            (seen.leader, seen.trouble, seen.failures) = (None, Some(taken()), 3);
            seen.started_at = Some(NOW);
        })
    };
    let proxies = PoolId::ALL.map(|pool| fallen(&ProcessId::Proxy(pool)));
    let writer = fallen(&process("db1"));
    for scene in [refused, lives, writer].into_iter().chain(proxies) {
        let all = shown(&scene).causes;
        let says = |remedy: &Remedy| matches!(remedy, Remedy::Hand { says } if says.key == "remedy-port");
        assert!(all.iter().any(|cause| says(&cause.remedies[0])), "{all:#?}");
        assert!(!all.iter().any(|cause| cause.remedies.contains(&Remedy::Itself)), "{all:#?}");
    }
    for pool in PoolId::ALL {
        let verdict = shown(&fallen(&ProcessId::Proxy(pool))).verdict;
        let reason = verdict.reason.expect("a reason").sentence();
        assert_eq!(reason.key, "verdict-port", "nobody is restarting anything");
    }
}

/// A promotion may lose transactions that only the lost writer holds; whoever runs that database can start it.
#[test]
fn an_external_writer_is_first_to_be_started_where_it_runs() {
    let mut scene = well();
    scene.desired.db.servers[0].runtime = Run::External;
    scene.seen.processes.remove(&process("db1"));
    let silent = Seen::Failed { last: Some(NOW - 9_000), why: Fault::Unreachable(None) };
    scene.seen.databases.insert(name("db1"), silent);
    let all = shown(&scene).causes;
    let first = &all[0].remedies[0];
    assert!(matches!(first, Remedy::Hand { says } if says.key == "remedy-external"), "{all:#?}");
}

/// Cordée once reported "All good" while nothing would have started Cordée again.
#[test]
fn a_cordee_without_its_keeper_is_at_risk() {
    let mut scene = well();
    scene.seen.own.unkept = true;
    let seen = shown(&scene);
    assert_eq!((seen.verdict.severity, seen.causes.len()), (Severity::Warning, 1), "{:#?}", seen.causes);
    assert_eq!(seen.causes[0].about, About::Cordee);
    assert!(matches!(&seen.causes[0].remedies[..], [Remedy::Hand { says }] if says.key == "remedy-unkept"));
    // A worse fault is reported first, and this one together with it.
    let seen = shown(&fell(scene.gone("db1"), &process("db1")));
    assert_eq!(seen.verdict.severity, Severity::Critical);
    assert!(seen.causes.iter().any(|cause| cause.about == About::Cordee), "{:#?}", seen.causes);
}

/// A standby that answers again gets its channels and ACKs a moment later. The writer was once blamed for that.
#[test]
fn a_standby_that_came_back_a_moment_ago_leaves_the_writer_alone() {
    let behind = |scene: Scene| {
        scene.database("db1", |d| {
            d.channels.get_mut(&name("db2")).expect("a link").receiving = crate::db::Thread::Connecting;
            d.acknowledging = 0;
            d.in_force = false;
        })
    };
    let back = |ago: u64| {
        let mut scene = behind(well());
        scene.seen.back.insert(name("db2"), NOW - ago);
        shown(&scene).servers.into_iter().find(|s| s.name == name("db1")).expect("it").status
    };
    assert_eq!((back(100).severity, back(100).state), (Severity::Progress, State::Linking));
    assert_eq!(back(6_000).severity, Severity::Warning, "it lasts");
    let first =
        shown(&behind(well())).servers.into_iter().find(|s| s.name == name("db1")).expect("it").status;
    assert_eq!(first.severity, Severity::Warning, "nothing came back");
    // The return of a database is noted when it answers: after a silence, or for the first time since Cordée started
    // it.
    let mut seen = well().seen;
    let look =
        |seen: &crate::observed::Observed| seen.databases[&name("db2")].value().cloned().expect("seen");
    let answer = look(&seen);
    seen.see_database(&name("db2"), NOW, Ok(answer.clone()));
    assert_eq!(seen.back.get(&name("db2")), None, "it answered before");
    seen.see_database(&name("db2"), NOW, Err(Fault::Silent));
    seen.see_database(&name("db2"), NOW + 9, Ok(answer.clone()));
    assert_eq!(seen.back.get(&name("db2")), None, "a late answer is no absence");
    seen.see_database(&name("db2"), NOW + 10, Err(Fault::Silent));
    seen.see_database(&name("db2"), NOW + 4_000, Ok(answer));
    assert_eq!(seen.back.get(&name("db2")), Some(&(NOW + 4_000)));
}

/// Both directions once stayed green beside the word "Frozen", with a delay of 18 ms that was measured before.
#[test]
fn a_delay_whose_end_does_not_answer_is_unknown() {
    let delays = |scene: &Scene| {
        let shown = shown(scene);
        let of = |on: &str, from: &str| {
            let view = shown.servers.iter().find(|s| s.name == name(on)).expect("a database");
            view.channels.get(&name(from)).map(|channel| (channel.severity, channel.delay_ms))
        };
        [of("db1", "db2"), of("db2", "db1")]
    };
    let measured = |scene: Scene| {
        [("db1", "db2"), ("db2", "db1")].into_iter().fold(scene, |scene, (on, from)| {
            scene.database(on, |d| d.channels.get_mut(&name(from)).expect("a link").delay_ms = Some(18))
        })
    };
    let well = || measured(well());
    assert_eq!(delays(&well()), [Some((Severity::Good, Some(18))); 2]);
    let unknown = Some((Severity::Unknown, None));
    assert_eq!(delays(&still(well(), &process("db2"), true, &[])), [unknown; 2], "frozen");
    let mut silent = well();
    let failed = Seen::Failed { last: Some(NOW - 100), why: Fault::Silent };
    silent.seen.databases.insert(name("db2"), failed);
    assert_eq!(delays(&silent), [unknown, None], "it is asked in vain");
    // The writer does not show that old delay as its own either.
    let view =
        shown(&still(well(), &process("db2"), true, &[])).servers.into_iter().find(|s| s.name == name("db1"));
    let why = view.expect("db1").status.why();
    assert_ne!(why.key, "reason-delay", "{why:?}");
}

/// Cordée once reported "Down (connection refused)" about a server that had been added a second before.
#[test]
fn a_new_web_server_that_does_not_listen_yet_is_on_its_way() {
    let state = |scene: &Scene| {
        let view = shown(scene).servers.into_iter().find(|s| s.name == name("web1")).expect("web1");
        (view.status.severity, view.status.state)
    };
    let refused = |ago: u64| {
        let scene = behind(well(), "web1", |s| {
            (s.verdict, s.check.code) = (CheckState::Down, "L4CON".to_owned());
            (s.check.status, s.check.detail) = (None, "Connection refused".to_owned());
        });
        with(scene, &process("web1"), |seen| seen.started_at = Some(NOW - ago))
    };
    assert_eq!(state(&refused(500)), (Severity::Progress, State::Joining));
    assert_eq!(state(&refused(20_000)), (Severity::Critical, State::Down), "it should listen by now");
}
