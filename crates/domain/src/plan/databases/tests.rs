//! What is planned for the databases after somebody was elected, and in every other circumstance.

use std::collections::BTreeSet;

use crate::change::Change;
use crate::db::Thread;
use crate::db::failover::tests::invariants::every;
use crate::db::failover::tests::scene::{Scene, Turn, cluster, name};
use crate::desired::{Routing, Standing};
use crate::ids::ServerName;
use crate::observed::{Leader, ProcessId, Seen};
use crate::plan::Plan;
use crate::step::{Step, Target};

use super::plan;

fn steps(scene: &Scene) -> Vec<Step> {
    let mut all = Plan::default();
    plan(&mut all, &scene.desired, &scene.seen, scene.now);
    all.steps
}

fn is_open(scene: &Scene, name: &ServerName) -> bool {
    scene.seen.databases.get(name).and_then(|d| d.value()).is_some_and(|d| !d.read_only)
}

/// What no plan may contain; `Err` says which step it is.
fn judge(scene: &Scene) -> Result<(), String> {
    let member = |n: &ServerName| scene.desired.db.server(n).is_some_and(|s| s.standing == Standing::Member);
    let steps = steps(scene);
    for step in &steps {
        let well = match step {
            Step::SetLink { on, from } | Step::StartLink { on, from } => member(on) && member(from),
            Step::OpenDatabase { name, epoch } => {
                scene.desired.db.server(name).is_some_and(|s| scene.desired.takes_writes(s))
                    && *epoch == scene.desired.epoch
                    && scene.desired.handover.is_none()
            }
            Step::CloseDatabase { name } => is_open(scene, name),
            Step::SetSemiSync { name, on } => !on || scene.desired.is_writer(name),
            Step::StopLink { whole, on, .. } => *whole != member(on),
            // The wish may change who writes, and nothing else by itself.
            Step::Commit(change) => matches!(
                change,
                Change::Elect { .. } | Change::Readmit { .. } | Change::AbandonHandover { .. }
            ),
            _ => true,
        };
        if !well {
            return Err(format!("{step:?}"));
        }
    }
    // Whoever is open and must not be is closed before anything else happens to it.
    for server in &scene.desired.db.servers {
        let target = Target::Database(server.name.clone());
        let first = steps.iter().find(|s| s.target() == target);
        let asked = scene.seen.databases.get(&server.name).and_then(|d| d.fresh(scene.now, 2_000)).is_some();
        let wrong = asked
            && is_open(scene, &server.name)
            && server.power == crate::desired::Power::On
            && !scene.desired.takes_writes(server);
        if wrong && first != Some(&Step::CloseDatabase { name: server.name.clone() }) {
            return Err(format!("{} stays open: {first:?}", server.name));
        }
    }
    Ok(())
}

#[test]
fn no_plan_links_or_opens_what_it_must_not() {
    for routing in [Routing::OneWriter, Routing::AllWriters] {
        every(2, |scene, title| {
            let mut scene = scene.clone();
            scene.desired.routing = routing;
            if let Err(step) = judge(&scene) {
                panic!("{}: {step}", title());
            }
        });
    }
}

/// The old writer after its election, as it may be found.
const OLD: [Turn; 6] = [
    ("gone", |s| s),
    ("back and closed", |s| back(s, true, 10)),
    ("back and open", |s| back(s, false, 10)),
    ("back with more", |s| back(s, true, 13)),
    ("back, open, with more", |s| back(s, false, 13)),
    ("back and silent", |s| back(s, true, 10).unanswered("db1")),
];

fn back(mut scene: Scene, read_only: bool, written: u64) -> Scene {
    let leader = Leader { pid: 900, server: 1, generation: 0, frozen: false };
    scene.seen.processes.entry(ProcessId::Server(name("db1"))).or_default().leader = Some(leader);
    let look = cluster(2).seen.databases[&name("db1")].clone();
    scene.seen.databases.insert(name("db1"), look);
    scene.holding("db1", written).database("db1", |d| d.read_only = read_only).looked("db1", 10)
}

#[test]
fn after_an_election_nothing_links_to_the_old_writer_and_only_the_new_one_opens() {
    let mut number = 0;
    let links = [Thread::Running, Thread::Connecting, Thread::Stopped];
    for (written, holds) in [(10, 10), (12, 12)] {
        for limit in [Some(10), Some(12), None] {
            for (word, old) in OLD {
                for own in links {
                    for (db2_open, db3_open) in [(false, false), (true, false), (false, true)] {
                        for routing in [Routing::OneWriter, Routing::AllWriters] {
                            let scene = cluster(2).dead(200).answered("db2", written, holds);
                            let mut scene = old(scene.answered("db3", 10, 10))
                                .database("db2", |d| d.read_only = !db2_open)
                                .database("db3", |d| d.read_only = !db3_open);
                            scene = scene.database("db1", |d| {
                                d.links.values_mut().for_each(|l| l.receiving = own);
                            });
                            let elect = Change::Elect { to: name("db2"), epoch: 2, limit };
                            scene.desired = scene.desired.apply(&elect).expect("elected");
                            scene.desired.routing = routing;
                            let come = judge(&scene);
                            assert_eq!(come, Ok(()), "db1 {word}, {limit:?}, {own:?}, {db2_open} {db3_open}");
                            returning(&scene, word);
                            number += 1;
                        }
                    }
                }
            }
        }
    }
    assert_eq!(number, 2 * 3 * 6 * 3 * 3 * 2);
}

/// A former writer is readmitted or kept out only once it is closed and copies nobody.
fn returning(scene: &Scene, word: &str) {
    let Some(Seen::At(_, seen)) = scene.seen.databases.get(&name("db1")) else { return };
    let Standing::Returning { limit, .. } = scene.desired.db.servers[0].standing else { return };
    let still = seen.read_only && seen.links.values().all(|l| l.receiving == Thread::Stopped);
    let steps = steps(scene);
    let readmit = steps.contains(&Step::Commit(Change::Readmit { name: name("db1") }));
    let save = steps.iter().any(|s| matches!(s, Step::SaveOwn { .. }));
    let more = seen.written.last(1) > limit;
    assert_eq!((readmit, save), (still && !more, still && more), "{word}: {steps:?}");
}

/// The new writer's links are set where they lack, and only between members.
#[test]
fn the_members_left_go_on_copying_each_other() {
    let mut scene = cluster(2).dead(200).answered("db2", 10, 10).answered("db3", 10, 10);
    let elect = Change::Elect { to: name("db2"), epoch: 2, limit: Some(10) };
    scene.desired = scene.desired.apply(&elect).expect("elected");
    let scene = scene.database("db3", |d| {
        d.links.remove(&name("db2"));
    });
    let linked: BTreeSet<(String, String)> = steps(&scene)
        .iter()
        .filter_map(|s| match s {
            Step::SetLink { on, from } | Step::StartLink { on, from } => Some((on, from)),
            _ => None,
        })
        .map(|(on, from)| (on.to_string(), from.to_string()))
        .collect();
    assert_eq!(linked, BTreeSet::from([("db3".to_owned(), "db2".to_owned())]));
    assert!(steps(&scene).contains(&Step::OpenDatabase { name: name("db2"), epoch: 2 }));
}

/// db3 was opened by hand; db1, the writer, was just started and is closed. Both steps are in one plan, on two
/// targets, so they run at the same time.
#[test]

fn nobody_is_opened_while_another_one_is_open() {
    let scene = cluster(2).closed(10).database("db3", |d| d.read_only = false);
    let steps = steps(&scene);
    assert!(steps.contains(&Step::CloseDatabase { name: name("db3") }));
    assert!(!steps.contains(&Step::OpenDatabase { name: name("db1"), epoch: 1 }));
}
