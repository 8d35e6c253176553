//! Invariants of every decision, over all combinations of a few dozen circumstances.

use std::collections::BTreeSet;

use crate::db::failover::{Decision, FROZEN, Lost, PATIENCE, SILENT, beating, lost, promise};
use crate::db::promise::{ACK_LIMIT, Promise};
use crate::db::{Channel, DatabaseSeen, Thread};
use crate::desired::Server;
use crate::ids::{Millis, ProcessId, ServerName};
use crate::seen::Seen;

use super::scene::{NOW, Scene, Turn, cluster, name, said, sentence, speaks};

pub(crate) const WRITERS: [Turn; 9] = [
    ("well", |s| s),
    ("well and closed", |s| s.closed(10)),
    ("dead", |s| s.dead(400)),
    ("frozen a moment", |s| s.frozen(500)),
    ("frozen", |s| s.frozen(1_500)),
    ("silent", |s| s.silent(3_500)),
    ("external and silent", |s| s.external().silent(3_500)),
    ("overloaded", |s| s.overloaded(9_000)),
    ("found dead", Scene::found_dead),
];

pub(crate) const PROMISES: [Turn; 6] = [
    ("promised by all", |s| s),
    ("promised by db2", |s| s.promised_by(&["db2"])),
    ("nothing promised", Scene::unpromised),
    ("promised too long ago", |s| s.promised_before(ACK_LIMIT + 1)),
    ("promised in another epoch", |s| s.promised_in(0)),
    ("promised from 12 on", |s| s.min_seqno(12)),
];

type StandbyTurn = (&'static str, fn(Scene, &str) -> Scene);

pub(crate) const STANDBYS: [StandbyTurn; 15] = [
    ("receiving", |s, n| s.receiving(n, Thread::Running)),
    ("asked, 10 of 10", |s, n| s.answered(n, 10, 10)),
    ("asked, 12 of 12", |s, n| s.answered(n, 12, 12)),
    ("asked, 10 of 12", |s, n| s.answered(n, 12, 10)),
    ("asked, 10 of 12 and broken", |s, n| s.answered(n, 12, 10).broken(n)),
    ("asked, 9 of 9", |s, n| s.answered(n, 9, 9)),
    ("stopped, asked before the loss", |s, n| s.answered(n, 10, 10).looked_before_the_loss(n, 1)),
    ("stopped, asked long ago", |s, n| s.answered(n, 10, 10).looked(n, 60_000)),
    ("started anew", |s, n| s.answered(n, 12, 12).started(n, NOW - 10)),
    ("unanswered", |s, n| s.unanswered(n)),
    ("gone", |s, n| s.gone(n)),
    ("frozen", |s, n| s.answered(n, 12, 12).standby_frozen(n)),
    ("without a link", |s, n| s.unlinked(n)),
    ("off", |s, n| s.answered(n, 12, 12).off(n)),
    ("returning", |s, n| s.answered(n, 12, 12).returning(n)),
];

pub(crate) const WISHES: [Turn; 5] = [
    ("nothing asked", |s| s),
    ("db2 asked for", |s| s.promoting("db2", 500)),
    ("db2 asked for, out of service", |s| s.promoting("db2", 500).out_of_service()),
    ("db2 asked for at any price", |s| s.promoting_at_any_price("db2", 500)),
    ("db2 asked for at any price, late", |s| s.promoting_at_any_price("db2", 10_001)),
];

/// Judges every combination with that many standbys; returns how many there were.
pub(crate) fn every(standbys: u32, judge: impl Fn(&Scene, &dyn Fn() -> String)) -> usize {
    let base = cluster(standbys);
    let second: &[StandbyTurn] = if standbys > 1 { &STANDBYS } else { &[("", |s, _| s)] };
    let mut number = 0;
    for (writer, lose) in WRITERS {
        for (word, give) in PROMISES {
            let lost = give(lose(base.clone()));
            for (two, make) in STANDBYS {
                for (three, make_third) in second {
                    for (wish, ask) in WISHES {
                        let scene = ask(make_third(make(lost.clone(), "db2"), "db3"));
                        judge(&scene, &|| format!("db1 {writer}; {word}; db2 {two}; db3 {three}; {wish}"));
                        number += 1;
                    }
                }
            }
        }
    }
    number
}

fn server<'a>(scene: &'a Scene, name: &ServerName) -> &'a Server {
    scene.desired.db.server(name).expect("a server")
}

fn look<'a>(scene: &'a Scene, name: &ServerName) -> Option<(Millis, &'a DatabaseSeen)> {
    match scene.seen.databases.get(name) {
        Some(Seen::At(at, seen)) => Some((*at, seen)),
        _ => None,
    }
}

fn alive(scene: &Scene) -> bool {
    let process = scene.seen.process(&ProcessId::Database(name("db1")));
    server(scene, &name("db1")).is_ours() && process.leader.is_some()
}

fn elected(scene: &Scene, to: &ServerName, limit: Option<u64>) {
    let candidate = server(scene, to);
    assert!(scene.desired.members().any(|s| s.name == candidate.name));
    assert!(!candidate.stopped());
    assert!(acts(scene, candidate), "it does not run");
    let (at, seen) = look(scene, to).expect("it was asked");
    assert!(NOW - at <= SILENT, "asked long ago");
    let accepted = scene.desired.handover.as_ref().filter(|h| h.accept_loss || limit.is_none());
    if let Some(handover) = accepted {
        assert!(*to == handover.to && at >= handover.at, "asked before the person asked");
    }
    let Some(limit) = limit else {
        let (old_at, old) = look(scene, &name("db1")).expect("the old one was asked");
        let handover = accepted.expect("a planned change");
        assert!(old_at >= handover.at && old.read_only);
        assert_eq!(lost(scene.scene()), None);
        assert!(old.written.0.iter().all(|(domain, last)| seen.holds(*domain) >= *last));
        return;
    };
    assert!(!alive(scene), "the old writer lives");
    assert_eq!(limit, seen.holds(1));
    assert!(brings_nothing(scene, at, &seen.channels[&name("db1")]));
    if accepted.is_some() {
        return;
    }
    assert!(server(scene, &name("db1")).is_ours(), "it may live out of reach");
    let lost_at = scene.lost_at;
    assert!(at >= lost_at, "asked before the loss");
    let promise = scene.seen.promise.as_ref().expect("a promise");
    assert_eq!(promise.epoch, scene.desired.epoch);
    assert!(promise.at + ACK_LIMIT >= lost_at);
    assert!(limit >= promise.min_seqno, "below the floor");
    for standby in &promise.standbys {
        assert!(scene.desired.members().any(|s| s.name == *standby), "{standby} is none of them any more");
    }
    for standby in scene.desired.members().filter(|s| s.name != name("db1")) {
        let process = scene.seen.process(&standby.process());
        let kept = acts(scene, &standby) && process.started_at.is_none_or(|at| at <= promise.at);
        let linked = look(scene, &standby.name)
            .and_then(|(at, seen)| Some((at, seen, seen.channels.get(&name("db1"))?)))
            .filter(|_| kept);
        let Some((at, seen, channel)) = linked else {
            // Every standby that may have given an ACK must be asked; of the others, those that can be.
            assert!(!promise.standbys.contains(&standby.name), "{} is away", standby.name);
            assert_ne!(standby.name, *to);
            continue;
        };
        assert!(at >= lost_at && NOW - at <= SILENT, "{} was asked at another time", standby.name);
        assert!(brings_nothing(scene, at, channel), "{} receives", standby.name);
        assert!(limit >= channel.received.last(1).max(seen.holds(1)), "{} received more", standby.name);
        if standby.name == *to {
            let applied = channel.received.0.iter().all(|(domain, last)| seen.holds(*domain) >= *last);
            assert!(applied, "it has some to apply");
        }
    }
}

/// Reports whether the channel was stopped, or was seen to find no server after the end of the writer's process was
/// known.
fn brings_nothing(scene: &Scene, at: Millis, channel: &Channel) -> bool {
    let ended = scene.seen.process(&ProcessId::Database(name("db1"))).ended_at;
    let found_nobody = || channel.receiving == Thread::Connecting && ended.is_some_and(|ended| ended < at);
    channel.receiving == Thread::Stopped || found_nobody()
}

/// Reports whether the server's process runs, or the server is external.
fn acts(scene: &Scene, server: &Server) -> bool {
    let process = scene.seen.process(&server.process());
    !server.stopped() && (!server.is_ours() || process.leader.as_ref().is_some_and(|l| !l.frozen))
}

/// Checks what each kind of loss may lead to.
fn answers(scene: &Scene, decision: &Decision) {
    let lost = lost(scene.scene());
    let accepted = scene.desired.handover.as_ref().is_some_and(|h| h.accept_loss);
    let waiting = matches!(decision, Decision::Restart(_) | Decision::Wait(_));
    match lost {
        None => {
            let idle = *decision == Decision::Keep;
            assert_eq!(idle, scene.desired.handover.is_none(), "decided although nobody is lost");
            let cuts = |d: &Decision| matches!(d, Decision::Fence { .. } | Decision::Restart(_));
            assert!(!cuts(decision) && !matches!(decision, Decision::Prepare { .. }));
        }
        Some(_) if accepted => {}
        Some(Lost::Stuck { pid: Some(pid), since }) => {
            assert!(scene.now - since >= FROZEN);
            assert_eq!(*decision, Decision::Fence { pid });
        }
        Some(Lost::Stuck { pid: None, .. }) => {
            let key = sentence(decision).map(|t| t.key.as_ref());
            assert_eq!(key, Some("failover-cut-off"));
            assert!(matches!(decision, Decision::Wait(_) | Decision::Abandon(_)));
        }
        Some(Lost::Dead { .. }) => {
            let which = matches!(decision, Decision::Elect { .. } | Decision::Prepare { .. });
            let gives_up = if scene.desired.handover.is_some() {
                matches!(decision, Decision::Abandon(_))
            } else {
                matches!(decision, Decision::Restart(_))
            };
            assert!(which || gives_up);
        }
    }
    assert!(!waiting || accepted || scene.desired.handover.is_none() || lost.is_none(), "nobody decides");
}

fn truths(scene: &Scene) {
    let decision = scene.decide();
    speaks(&decision);
    assert_eq!(scene.decide(), decision, "another answer to the same question");
    for turn in [|s: &mut Vec<Server>| s.reverse(), |s: &mut Vec<Server>| s.rotate_left(1)] {
        let mut turned = scene.clone();
        turn(&mut turned.desired.db.servers);
        assert_eq!(turned.decide(), decision, "another answer in another order");
    }
    match &decision {
        Decision::Elect { to, limit } => elected(scene, to, *limit),
        Decision::Fence { pid } => assert!(alive(scene) && *pid == 101),
        Decision::Restart(_) => {
            assert!(!alive(scene) && server(scene, &name("db1")).is_ours());
        }
        Decision::Prepare { stop, .. } => {
            assert!(!alive(scene), "links are cut while it lives");
            for name in stop {
                let (_, seen) = look(scene, name).expect("it was asked");
                assert_ne!(seen.channels[&self::name("db1")].receiving, Thread::Stopped);
            }
        }
        Decision::Close | Decision::Abandon(_) => assert!(scene.desired.handover.is_some()),
        Decision::Keep | Decision::Wait(_) => {}
    }
    answers(scene, &decision);
    beats(scene);
}

fn beats(scene: &Scene) {
    let beating = beating(scene.scene());
    let fresh = |n: &ServerName| scene.seen.databases.get(n).and_then(|d| d.fresh(scene.now, SILENT));
    let open = fresh(&name("db1")).is_some_and(|d| !d.read_only);
    assert!(beating.is_empty() || (open && scene.desired.handover.is_none()), "{beating:?} beat");
    for name in &beating {
        let server = scene.desired.members().find(|s| s.name == *name).expect("a member");
        let seen = fresh(name).expect("asked");
        if !seen.read_only {
            continue;
        }
        let written = seen.written.last(server.id);
        for peer in scene.desired.members().filter_map(|p| fresh(&p.name)) {
            assert!(peer.holds(server.id) <= written, "{name} lacks transactions of its own");
        }
    }
}

fn hold(scene: &Scene, title: &dyn Fn() -> String) {
    let judged = std::panic::catch_unwind(|| truths(scene));
    assert!(judged.is_ok(), "{}: {}", title(), said(&scene.decide()));
}

#[test]
fn every_decision_with_one_standby() {
    assert_eq!(every(1, hold), 9 * 6 * 15 * 5);
}

#[test]
fn every_decision_with_two_standbys() {
    assert_eq!(every(2, hold), 9 * 6 * 15 * 15 * 5);
}

/// An old look leads to no election unless a person accepts loss.
#[test]
fn a_stale_look_elects_nobody() {
    every(2, |scene, title| {
        if scene.desired.handover.is_some() {
            return;
        }
        let mut scene = scene.clone();
        for seen in scene.seen.databases.values_mut() {
            if let Seen::At(at, _) = seen {
                *at = (*at).min(scene.lost_at - 1);
            }
        }
        assert!(!matches!(scene.decide(), Decision::Elect { .. }), "{}", title());
        let later = Scene { now: scene.now + SILENT + 21, ..scene };
        assert!(!matches!(later.decide(), Decision::Elect { .. }), "{}, later", title());
    });
}

/// After a while a database takes over at once, or the lost writer comes back: nobody waits for a standby.
#[test]
fn nobody_waits_for_long() {
    every(2, |scene, title| {
        let mut scene = scene.clone();
        let dead = scene.writer_process();
        let ours = dead.leader.is_none() && dead.ended_at.is_some();
        if ours && scene.desired.handover.is_none() {
            scene.now += PATIENCE + 1;
            for seen in scene.seen.databases.values_mut() {
                if let Seen::At(at, _) = seen {
                    *at += PATIENCE + 1;
                }
            }
            let came = scene.decide();
            assert!(matches!(came, Decision::Elect { .. } | Decision::Restart(_)), "{}: {came:?}", title());
        }
    });
}

/// Positions, small numbers of all kinds: the candidate is never behind a standby in the promise.
#[test]
fn every_small_position() {
    let numbers = [(10, 10), (10, 11), (11, 10), (11, 11), (11, 9), (12, 12), (12, 10)];
    for (received, holds) in numbers {
        for (other, other_holds) in numbers {
            for min_seqno in 9..=13 {
                for broken in [(false, false), (true, false), (false, true), (true, true)] {
                    let mut scene = cluster(2).min_seqno(min_seqno).dead(200);
                    scene = scene.answered("db2", received, holds).answered("db3", other, other_holds);
                    scene = if broken.0 { scene.broken("db2") } else { scene };
                    scene = if broken.1 { scene.broken("db3") } else { scene };
                    hold(&scene, &|| {
                        format!("{received} {holds} {other} {other_holds} {min_seqno} {broken:?}")
                    });
                    // A decision is always found: a database takes over, or applies first, or the old writer comes
                    // back.
                    let most = received.max(holds).max(other).max(other_holds);
                    let came = scene.said();
                    assert_eq!(came == "restart: failover-behind", most < min_seqno, "{came}");
                    let ready = |r: u64, h: u64| r.max(h) == most && h == most;
                    let elects = most >= min_seqno && (ready(received, holds) || ready(other, other_holds));
                    assert_eq!(came.starts_with("elect"), elects, "{came}");
                }
            }
        }
    }
}

/// Heartbeats never take the place of transactions that were taken back, whichever databases were asked, and when.
#[test]
fn every_beat() {
    for own in [7, 8] {
        for on_db1 in [0, 7, 8, 9] {
            for on_db3 in [0, 7, 8, 9] {
                for ages in [(100, 100), (100, 4_000), (4_000, 100)] {
                    for (writer, make) in WRITERS {
                        let scene = make(cluster(2))
                            .database("db2", |d| d.written.0.extend([(2, own)]))
                            .database("db1", |d| d.applied.0.extend([(2, on_db1)]))
                            .database("db3", |d| d.applied.0.extend([(2, on_db3)]))
                            .looked("db2", ages.0)
                            .looked("db3", ages.1);
                        hold(&scene, &|| format!("{writer} {own} {on_db1} {on_db3} {ages:?}"));
                    }
                }
            }
        }
    }
}

fn promises(scene: &Scene) {
    let came = promise(scene.scene());
    let before = scene.seen.promise.clone().filter(|p| p.epoch == scene.desired.epoch);
    let process = scene.seen.process(&ProcessId::Database(name("db1")));
    let acts = process.leader.as_ref().is_some_and(|l| !l.frozen);
    let looked = look(scene, &name("db1"));
    let running = |l: &Channel| l.receiving == Thread::Running;
    let younger = |at: Millis| before.as_ref().is_none_or(|b| b.at < at);
    if let Some((at, seen)) = looked.filter(|(at, seen)| acts && !seen.read_only && younger(*at)) {
        let in_force = seen.semi_sync && seen.in_force && seen.acknowledging > 0;
        let standbys: BTreeSet<ServerName> = scene
            .desired
            .members()
            .filter(|s| {
                look(scene, &s.name).is_some_and(|(looked, d)| {
                    let since = |b: &Promise| b.at < looked || !b.standbys.contains(&s.name);
                    let counted = !before.as_ref().is_none_or(since);
                    counted || d.channels.get(&name("db1")).is_some_and(running)
                })
            })
            .map(|s| s.name.clone())
            .collect();
        let holds = in_force && standbys.len() >= seen.acknowledging as usize;
        assert_eq!(came.is_some(), holds);
        if let Some(came) = came {
            assert_eq!(
                (came.epoch, came.at, came.min_seqno),
                (scene.desired.epoch, at, seen.written.last(1))
            );
            assert_eq!(came.standbys, standbys);
        }
    } else {
        assert_eq!(came, before, "nothing new can be known");
    }
}

#[test]
fn every_promise() {
    let befores: [Turn; 6] = [
        ("before", |s| s.promised_before(400)),
        ("before, of 4 on", |s| s.promised_before(400).min_seqno(4)),
        ("before, db2 not looked at since", |s| s.promised_before(400).looked("db2", 400).looked("db3", 399)),
        ("of this look", |s| s.promised_before(100).min_seqno(4)),
        ("none", Scene::unpromised),
        ("old", |s| s.promised_in(0)),
    ];
    let looks: [Turn; 3] =
        [("asked", |s| s), ("unanswered", |s| s.unanswered("db1")), ("never", |s| s.never_seen("db1"))];
    let processes: [Turn; 3] = [
        ("lives", |s| s),
        ("frozen", |s| s.frozen(5)),
        ("dead", |mut s| {
            s.writer_process().leader = None;
            s
        }),
    ];
    let threads = [Thread::Running, Thread::Connecting, Thread::Stopped];
    let bits = [false, true];
    let mut number = 0;
    for flags in bits.iter().flat_map(|a| bits.iter().flat_map(move |b| bits.map(|c| (*a, *b, c)))) {
        for acknowledging in 0..=3 {
            for (db2, db3) in threads.iter().flat_map(|a| threads.map(|b| (*a, b))) {
                for ((_, before), (_, look)) in befores.iter().flat_map(|a| looks.iter().map(move |b| (a, b)))
                {
                    for (_, process) in &processes {
                        let scene = cluster(2).receiving("db2", db2).receiving("db3", db3);
                        let scene = scene.database("db1", |d| {
                            (d.semi_sync, d.in_force, d.read_only) = flags;
                            d.acknowledging = acknowledging;
                        });
                        promises(&process(look(before(scene))));
                        number += 1;
                    }
                }
            }
        }
    }
    assert_eq!(number, 15_552);
}
