//! What happens when each decision is carried out: a database writes, or one sentence says why none does.

use std::collections::BTreeMap;

use crate::db::failover::Decision;
use crate::db::{Position, Thread};
use crate::ids::PoolId;
use crate::seen::Seen;

use super::invariants::every;
use super::scene::{Scene, cluster, name, said};

/// Carries out a decision, as the plan and the engine do.
fn act(mut scene: Scene, decision: &Decision) -> Scene {
    match decision {
        Decision::Prepare { stop, .. } => {
            for on in stop {
                scene = scene.channel(on.as_str(), |l| l.receiving = Thread::Stopped);
            }
        }
        Decision::Fence { .. } => {
            let now = scene.now;
            let seen = scene.writer_process();
            (seen.leader, seen.ended_at) = (None, Some(now));
            scene.seen.databases.remove(&name("db1"));
        }
        Decision::Close => scene = scene.closed(10),
        Decision::Abandon(_) => scene.desired.handover = None,
        _ => {}
    }
    scene
}

/// Lets time pass: databases that answer are asked again, received transactions are applied, HAProxy does as it is
/// told.
fn pass(mut scene: Scene, ms: u64) -> Scene {
    scene.now += ms;
    let now = scene.now;
    let process = scene.writer_process().leader.clone();
    let ours = scene.desired.writer_server().is_some_and(|w| w.is_ours());
    let heard = scene.seen.databases.get(&name("db1")).is_some_and(|d| d.value().is_some())
        && (!ours || process.is_some_and(|l| !l.frozen));
    for (on, seen) in &mut scene.seen.databases {
        let Seen::At(at, seen) = seen else { continue };
        if *on != name("db1") || heard {
            *at = now;
        }
        let Some(channel) = seen.channels.get_mut(&name("db1")) else { continue };
        if heard && channel.receiving == Thread::Running {
            channel.heard_at = Some(now);
        } else if !heard && channel.receiving == Thread::Running {
            channel.receiving = Thread::Connecting;
        }
        if channel.applying && channel.received.last(1) > seen.applied.last(1) {
            let next = Position(BTreeMap::from([(1, seen.applied.last(1) + 1)]));
            (seen.written, seen.applied) = (next.clone(), next);
        }
    }
    if let Some(proxy) = scene.seen.proxies.get_mut(&PoolId::Db)
        && let Seen::At(at, _) = &mut proxy.running
    {
        *at = now;
    }
    let out = scene.desired.handover.is_some();
    if out { scene.out_of_service() } else { scene }
}

/// Returns all consecutive decisions, until the decision stays the same for 15 s.
fn history(mut scene: Scene) -> Vec<Decision> {
    let mut all: Vec<Decision> = Vec::new();
    let mut same = 0;
    while same < 15_000 {
        let decision = scene.decide();
        same = if all.last().map(said) == Some(said(&decision)) { same } else { 0 };
        scene = act(scene, &decision);
        let over = matches!(decision, Decision::Elect { .. } | Decision::Restart(_));
        if same == 0 {
            all.push(decision.clone());
        }
        assert!(all.len() < 12, "no end: {all:?}");
        if over {
            break;
        }
        let ms = if matches!(decision, Decision::Keep | Decision::Wait(_)) { 500 } else { 50 };
        same += ms;
        scene = pass(scene, ms);
    }
    all
}

fn ends(scene: &Scene, title: &dyn Fn() -> String) {
    let all = history(scene.clone());
    let words: Vec<String> = all.iter().map(said).collect();
    let last = all.last().expect("a decision");
    let well =
        matches!(last, Decision::Elect { .. } | Decision::Restart(_) | Decision::Wait(_) | Decision::Keep);
    assert!(well, "{}: {words:?}", title());
    let fences = all.iter().filter(|d| matches!(d, Decision::Fence { .. })).count();
    assert!(fences <= 1, "{}: ended twice {words:?}", title());
    // A writer that was ended is replaced or comes back: nobody waits without end.
    let waits = matches!(last, Decision::Wait(_) | Decision::Keep);
    assert!(fences == 0 || !waits, "{}: {words:?}", title());
    // In the end a promotion is done or given up.
    let handover = scene.desired.handover.is_some();
    let ended =
        all.iter().any(|d| matches!(d, Decision::Elect { .. } | Decision::Abandon(_) | Decision::Restart(_)));
    let stuck = matches!(last, Decision::Wait(text) if text.key.starts_with("failover"));
    assert!(!handover || ended || stuck, "{}: {words:?}", title());
}

#[test]
fn every_history_with_one_standby_ends() {
    every(1, ends);
}

#[test]
fn every_history_with_two_standbys_ends() {
    every(2, |scene, title| {
        if scene.desired.handover.is_none() {
            ends(scene, title);
        }
    });
}

fn words(scene: Scene) -> Vec<String> {
    history(scene).iter().map(said).collect()
}

#[test]
#[expect(
    clippy::large_stack_arrays,
    reason = "a scene is a whole picture, and a test's stack has room for sixteen"
)]
fn from_the_loss_to_the_end() {
    let asking = "stop []: failover-asking";
    let stopping = "stop [db2]: failover-asking";
    let applying = "stop []: failover-applying";
    let more = |s: Scene| s.channel("db2", |l| l.received = Position(BTreeMap::from([(1, 15)])));
    let cases: [(&str, Scene, &[&str]); 16] = [
        ("db1 dies", cluster(1).dead(0), &[asking, "elect db2 at 10"]),
        ("db1 dies, db2 has to apply", more(cluster(1).dead(0)), &[asking, applying, "elect db2 at 15"]),
        (
            "db1 dies, db2 breaks",
            more(cluster(1).dead(0)).broken("db2"),
            &[asking, "restart: failover-cannot-apply"],
        ),
        ("db1 freezes", cluster(1).frozen(0), &["keep", "fence 101", "elect db2 at 10"]),
        (
            "db1 freezes, db2 is away",
            cluster(1).frozen(0).gone("db2"),
            &["keep", "fence 101", "restart: failover-standby-away"],
        ),
        // What a silent writer acknowledged after its last answer is unknown: it is ended, and its data are kept.
        ("db1 is silent", cluster(1).silent(0), &["keep", "fence 101", "restart: failover-no-promise"]),
        ("db1 dies without a promise", cluster(1).dead(0).unpromised(), &["restart: failover-no-promise"]),
        (
            "db1 freezes unpromised",
            cluster(1).frozen(0).unpromised(),
            &["keep", "fence 101", "restart: failover-no-promise"],
        ),
        (
            "db1 dies, db2 applies nothing for long",
            cluster(1).dead(0).channel("db2", |l| l.received = Position(BTreeMap::from([(1, 900)]))),
            &[asking, applying, "restart: failover-applying"],
        ),
        ("db1 is external and silent", cluster(1).external().silent(0), &["keep", "wait: failover-cut-off"]),
        (
            "db2 is asked for",
            cluster(1).promoting("db2", 0),
            &["wait: failover-asking", "close", "elect db2"],
        ),
        (
            "db2 is asked for and was just looked at",
            cluster(1).looked("db1", 0).looked("db2", 0).promoting("db2", 0),
            &["wait: handover-proxy", "close", "elect db2"],
        ),
        (
            "db2 is asked for and dies",
            cluster(1).promoting("db2", 0).gone("db2"),
            &["abandon: handover-away", "keep"],
        ),
        ("db2 is asked for, db1 dies", cluster(1).promoting("db2", 0).dead(0), &[asking, "elect db2 at 10"]),
        (
            "db1 froze unpromised, a person accepts",
            cluster(1).frozen(5_000).unpromised().promoting_at_any_price("db2", 0),
            &["wait: failover-asking", "fence 101", stopping, "elect db2 at 10"],
        ),
        (
            "db1 is silent, a person accepts",
            cluster(1).silent(5_000).unpromised().promoting_at_any_price("db2", 0),
            &["wait: failover-asking", "fence 101", stopping, "elect db2 at 10"],
        ),
    ];
    let mut wrong = Vec::new();
    for (title, scene, wanted) in cases {
        let came = words(scene);
        if came != wanted {
            wrong.push(format!("{title}\n    wanted {wanted:?}\n    came   {came:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
