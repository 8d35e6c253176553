//! What is planned for the databases after an election, and in every other circumstance.

use std::collections::BTreeSet;

use crate::db::failover::tests::invariants::every;
use crate::db::failover::tests::scene::{Scene, Turn, cluster, name};
use crate::db::{DatabaseSeen, Thread};
use crate::decision::Decision;
use crate::desired::{Handover, Membership, Power, Routing, Saved};
use crate::fault::Fault;
use crate::ids::{ProcessId, ServerName};
use crate::observed::{HeldChannel, Leader};
use crate::plan::Plan;
use crate::plan::tests::{basis, elect, setting};
use crate::seen::Seen;
use crate::step::{HostStep, SqlStep, Step, Subject};

use super::plan;

mod external;
mod former;
mod numbers;
mod returning;
mod rows;
mod watched;

fn steps(scene: &Scene) -> Vec<Step> {
    let mut all = Plan::default();
    plan(&mut all, scene.scene());
    all.steps
}

fn is_open(scene: &Scene, name: &ServerName) -> bool {
    scene.seen.databases.get(name).and_then(|d| d.value()).is_some_and(|d| !d.read_only)
}

/// Checks what no plan may contain; `Err` names the step.
fn judge(scene: &Scene) -> Result<(), String> {
    let stands = |n: &ServerName| scene.desired.database(n).map(|s| s.membership);
    let has_readers = |n: &ServerName| matches!(stands(n), Some(Membership::Member | Membership::Leaving));
    let copies = |n: &ServerName| match stands(n) {
        Some(Membership::Member | Membership::Joining) => true,
        // It may lack what it wrote itself.
        Some(Membership::Returning { saved: Some(_), .. }) => {
            let own = |n: &ServerName| Some(scene.seen.databases.get(n)?.value()?.written.last(1));
            own(n) < scene.desired.members().filter_map(|m| own(&m.name)).max()
        }
        _ => false,
    };
    let saved = |n: &ServerName| matches!(stands(n), Some(Membership::Returning { saved: Some(_), .. }));
    let steps = steps(scene);
    for step in &steps {
        let well = match step {
            Step::Sql(SqlStep::SetChannel { on, from } | SqlStep::StartChannel { on, from }) => {
                copies(on) && has_readers(from)
            }
            Step::Sql(SqlStep::OpenDatabase { name, epoch }) => {
                scene.desired.database(name).is_some_and(|s| scene.desired.takes_writes(s))
                    && *epoch == scene.desired.epoch
                    && scene.desired.handover.is_none()
                    && (scene.desired.routing == Routing::AllWriters
                        || scene.seen.open.iter().all(|n| n == name))
            }
            Step::Sql(SqlStep::CloseDatabase { name }) => is_open(scene, name),
            Step::Sql(SqlStep::FreeChannels { .. }) => {
                let writer = scene.desired.writer.as_ref();
                writer.is_some_and(|w| super::fresh(&scene.seen, w, scene.now).is_some())
            }
            Step::Sql(SqlStep::EndSenders { name, .. }) => scene.desired.is_writer(name),
            Step::Sql(SqlStep::SetSemiSync { name, on }) => !on || scene.desired.is_writer(name),
            Step::Sql(SqlStep::StopChannel { whole, on, .. }) => {
                *whole != matches!(stands(on), Some(Membership::Member | Membership::Joining))
            }
            Step::Sql(SqlStep::DropChannel { from, .. }) => {
                matches!(
                    stands(from),
                    None | Some(Membership::Joining | Membership::Diverged(_) | Membership::Released)
                )
            }
            // A decision may change which database writes, and nothing else by itself.
            Step::Wish(Decision::Readmit { of, .. } | Decision::Expel { of, .. }) => saved(&of.name),
            Step::Wish(Decision::Recopy(of)) => matches!(stands(&of.name), Some(Membership::Diverged(_))),
            Step::Wish(change) => {
                matches!(change, Decision::Elect { .. } | Decision::AbandonHandover { .. })
            }
            _ => true,
        };
        if !well {
            return Err(format!("{step:?}"));
        }
    }
    // A database that is open and must not be is closed before any other step on it.
    for server in &scene.desired.db.servers {
        let target = Subject::Database(server.name.clone());
        let first = steps.iter().find(|s| s.subject() == target);
        let asked = scene.seen.databases.get(&server.name).and_then(|d| d.fresh(scene.now, 2_000)).is_some();
        let wrong = asked
            && is_open(scene, &server.name)
            && !server.stopped()
            && !scene.desired.takes_writes(server.base());
        if wrong && first != Some(&Step::Sql(SqlStep::CloseDatabase { name: server.name.clone() })) {
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

#[test]
fn a_connection_that_a_standby_has_given_up_is_ended() {
    let scene = cluster(1).database("db1", |d| d.senders = [(7, 20)].into());
    assert!(!steps(&scene).iter().any(|s| matches!(s, Step::Sql(SqlStep::EndSenders { .. }))));
    let away = scene.database("db2", |d| {
        if let Some(channel) = d.channels.get_mut(&name("db1")) {
            channel.receiving = Thread::Connecting;
        }
    });
    assert!(steps(&away).contains(&Step::Sql(SqlStep::EndSenders { name: name("db1"), ids: vec![7] })));
}

/// The states in which the old writer may be found after the election.
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
    scene.seen.processes.entry(ProcessId::Database(name("db1"))).or_default().leader = Some(leader);
    let look = cluster(2).seen.databases[&name("db1")].clone();
    scene.seen.databases.insert(name("db1"), look);
    scene.holding("db1", written).database("db1", |d| d.read_only = read_only).looked("db1", 10)
}

#[test]
fn after_an_election_nothing_links_to_the_old_writer_and_only_the_new_one_opens() {
    let mut number = 0;
    let channels = [Thread::Running, Thread::Connecting, Thread::Stopped];
    for (written, holds) in [(10, 10), (12, 12)] {
        for limit in [Some(10), Some(12), None] {
            for (word, old) in OLD {
                for own in channels {
                    for (db2_open, db3_open) in [(false, false), (true, false), (false, true)] {
                        for routing in [Routing::OneWriter, Routing::AllWriters] {
                            let scene = cluster(2).dead(200).answered("db2", written, holds);
                            let mut scene = old(scene.answered("db3", 10, 10))
                                .database("db2", |d| d.read_only = !db2_open)
                                .database("db3", |d| d.read_only = !db3_open);
                            scene = scene.database("db1", |d| {
                                d.channels.values_mut().for_each(|l| l.receiving = own);
                            });
                            let elect = elect(&scene.desired, "db2", limit);
                            scene.desired = scene.desired.apply(&elect).expect("elected");
                            scene.desired.routing = routing;
                            for log in [None, Some(saved(3))] {
                                let first = scene.desired.db.servers[0].database_mut();
                                let membership = &mut first.expect("a database").membership;
                                if let Membership::Returning { saved, .. } = membership {
                                    *saved = log;
                                }
                                let come = judge(&scene);
                                let title = format!("{limit:?}, {own:?}, {db2_open} {db3_open}");
                                assert_eq!(come, Ok(()), "db1 {word}, {title}");
                                returning(&scene, word);
                                number += 1;
                            }
                        }
                    }
                }
            }
        }
    }
    assert_eq!(number, 2 * 3 * 6 * 3 * 3 * 2 * 2);
}

fn saved(count: u64) -> Saved {
    Saved { count, file: "lost/x".to_owned() }
}

/// A former writer is readmitted or expelled only once what only it had is saved and it is closed: expelled only
/// when it also copies no other database, readmitted only when it lacks nothing.
fn returning(scene: &Scene, word: &str) {
    let Some(Seen::At(_, seen)) = scene.seen.databases.get(&name("db1")) else { return };
    let Membership::Returning { limit, saved } = scene.desired.db.servers[0].base().membership else {
        return;
    };
    let closed = saved.is_some() && seen.read_only;
    let still = closed && seen.channels.values().all(|l| l.receiving == Thread::Stopped);
    let steps = steps(scene);
    let readmit =
        steps.contains(&Step::Wish(Decision::Readmit { of: basis(&scene.desired, "db1"), at: scene.now }));
    let expel = steps.contains(&Step::Wish(Decision::Expel { of: basis(&scene.desired, "db1"), lacks: 0 }));
    let others = ["db2", "db3"].map(|n| scene.seen.databases.get(&name(n)).and_then(|d| d.value()));
    let most = others.iter().flatten().map(|d| d.written.last(1)).max().unwrap_or(0).max(*limit);
    let (more, whole) = (seen.written.last(1) > *limit, seen.written.last(1) >= most);
    assert_eq!((readmit, expel), (closed && !more && whole, still && more), "{word}: {steps:?}");
}

/// The new writer's channels are set up where they are missing, and only between members.
#[test]
fn the_members_left_go_on_copying_each_other() {
    let mut scene = cluster(2).dead(200).answered("db2", 10, 10).answered("db3", 10, 10);
    let elect = elect(&scene.desired, "db2", Some(10));
    scene.desired = scene.desired.apply(&elect).expect("elected");
    let scene = scene.database("db3", |d| {
        d.channels.remove(&name("db2"));
    });
    let linked: BTreeSet<(String, String)> = steps(&scene)
        .iter()
        .filter_map(|s| match s {
            Step::Sql(SqlStep::SetChannel { on, from } | SqlStep::StartChannel { on, from }) => {
                Some((on, from))
            }
            _ => None,
        })
        .map(|(on, from)| (on.to_string(), from.to_string()))
        .collect();
    assert_eq!(linked, BTreeSet::from([("db3".to_owned(), "db2".to_owned())]));
    assert!(steps(&scene).contains(&Step::Sql(SqlStep::OpenDatabase { name: name("db2"), epoch: 2 })));
}

/// db3 was opened by hand; db1, the writer, was just started and is closed. Both steps are in one plan, on two
/// targets, so they run at the same time.
#[test]
fn nobody_is_opened_while_another_one_is_open() {
    let scene = cluster(2).closed(10).database("db3", |d| d.read_only = false);
    let steps = steps(&scene);
    assert!(steps.contains(&Step::Sql(SqlStep::CloseDatabase { name: name("db3") })));
    assert!(!steps.contains(&Step::Sql(SqlStep::OpenDatabase { name: name("db1"), epoch: 1 })));
}

/// Cordée has just been started, and has not asked db3 yet, which may be open: until a moment ago all databases
/// wrote.
#[test]
fn nobody_is_opened_while_another_one_that_runs_was_never_asked() {
    let scene = cluster(2).closed(10);
    let opens = |scene: &Scene| {
        let open = Step::Sql(SqlStep::OpenDatabase { name: name("db1"), epoch: 1 });
        steps(scene).contains(&open)
    };
    assert!(opens(&scene));
    assert!(!opens(&scene.clone().never_seen("db3")));
    let mut removed = scene.clone();
    removed.seen.databases.remove(&name("db3"));
    assert!(!opens(&removed));
    assert!(opens(&scene.clone().unanswered("db3")), "it was asked, and does not answer");
    assert!(opens(&scene.clone().never_seen("db3").standby_frozen("db3")), "a frozen one cannot be asked");
    assert!(opens(&removed.clone().gone("db3")), "it does not run");
    assert!(opens(&scene.external().never_seen("db3")), "it is somebody else's");
}

/// db3 joins: it copies the members, and none copies it.
#[test]
fn one_that_joins_copies_the_members_and_nobody_copies_it() {
    let scene =
        cluster(3).wished("db3", |s| s.stands(Membership::Joining)).database("db3", |d| d.channels.clear());
    assert_eq!(judge(&scene), Ok(()));
    let all = steps(&scene);
    for from in ["db1", "db2", "db4"] {
        assert!(
            all.contains(&Step::Sql(SqlStep::SetChannel { on: name("db3"), from: name(from) })),
            "{from}: {all:?}"
        );
        assert!(
            all.contains(&Step::Sql(SqlStep::DropChannel { on: name(from), from: name("db3") })),
            "{from}: {all:?}"
        );
    }
}

/// Its own writes can still be copied, until all members have them.
#[test]
fn one_that_leaves_is_copied_until_everybody_has_what_it_wrote() {
    let scene = cluster(2).wished("db3", |s| s.stands(Membership::Leaving));
    let scene = scene.database("db3", |d| d.written.0.extend([(5, 9)])).unlinked_from("db1", "db3");
    let forget = Step::Wish(Decision::Forget(basis(&scene.desired, "db3")));
    assert!(steps(&scene).contains(&Step::Sql(SqlStep::SetChannel { on: name("db1"), from: name("db3") })));
    assert!(!steps(&scene).contains(&forget));
    let one = scene.database("db1", |d| d.applied.0.extend([(5, 9)]));
    assert!(!steps(&one).contains(&forget), "db2 lacks it");
    let all = one.clone().database("db2", |d| d.applied.0.extend([(5, 9)]));
    assert!(steps(&all).contains(&forget));
    assert!(steps(&one.off("db2")).contains(&forget), "db2 is stopped, and db1 has it");
}

/// db3 was told to stop, and then to leave, while it was open. It was forgotten at once: what it had just
/// acknowledged was gone, and the next database took its slot among the row numbers while db3 was still there.
#[test]
fn one_that_is_to_stop_and_to_leave_is_asked_as_any_other() {
    let scene = cluster(2).all_writers().wished("db3", |s| s.stands(Membership::Leaving)).off("db3");
    let scene = scene.database("db3", |d| {
        d.written.0.extend([(5, 9)]);
        d.read_only = false;
    });
    let forget = Step::Wish(Decision::Forget(basis(&scene.desired, "db3")));
    let stop = |scene: &Scene| {
        let mut all = Plan::default();
        crate::plan::hosts::plan(&mut all, scene.scene(), &setting());
        let stops =
            |s: &Step| matches!(s, Step::Host(HostStep::StopProcess { id, .. }) if id.to_string() == "db3");
        all.steps.iter().any(stops)
    };
    let has = |scene: &Scene, step: &Step| steps(scene).contains(step);
    assert!(has(&scene, &Step::Sql(SqlStep::CloseDatabase { name: name("db3") })));
    assert!(!has(&scene, &forget) && !stop(&scene), "it is open");
    let closed = scene.database("db3", |d| d.read_only = true);
    assert!(!has(&closed, &forget) && !stop(&closed), "nobody has what it wrote");
    let had = |d: &mut DatabaseSeen| d.applied.0.extend([(5, 9)]);
    let fetched = closed.clone().database("db1", had).database("db2", had);
    assert!(has(&fetched, &forget));
    // If it does not answer, or no member can receive its writes, it ends as it was told to.
    let mut silent = closed.clone().unanswered("db3");
    // One look that failed is no silence, and neither is a database with too many connections: its end could not be
    // undone.
    for late in [silent.clone(), closed.clone().standby_full("db3"), closed.clone().unanswered("db2")] {
        assert!(!has(&late, &forget) && !stop(&late));
    }
    let last = Some(silent.now - crate::db::failover::SILENT);
    silent.seen.databases.insert(name("db3"), Seen::Failed { last, why: Fault::Silent });
    let nobody = closed.clone().unanswered("db1").unanswered("db2");
    for alone in [silent, nobody, closed.clone().off("db1").off("db2")] {
        assert!(!has(&alone, &forget) && stop(&alone));
    }
    // Stopping it is the way out if it waits for another database that does not answer.
    let waits = closed.clone().database("db1", had).unanswered("db2");
    assert!(!has(&waits, &forget) && stop(&waits));
    assert!(!stop(&waits.clone().wished("db3", |s| s.powered(Power::On))), "it was not told to stop");
    assert!(has(&closed.gone("db3"), &forget));
}

/// db3 wrote while all databases did; the others are stopped before they have its writes.
#[test]
fn one_that_leaves_stays_while_all_the_others_are_stopped() {
    let scene = cluster(2).wished("db3", |s| s.stands(Membership::Leaving)).off("db1").off("db2");
    let scene = scene.database("db3", |d| d.written.0.extend([(5, 9)]));
    assert!(!steps(&scene).contains(&Step::Wish(Decision::Forget(basis(&scene.desired, "db3")))));
}

/// Channels from a database that is copied anew are dropped: it will be another database of the same name.
#[test]
fn nobody_keeps_a_link_to_one_that_diverged() {
    let all = steps(&cluster(2).diverged("db3"));
    for on in ["db1", "db2"] {
        assert!(
            all.contains(&Step::Sql(SqlStep::DropChannel { on: name(on), from: name("db3") })),
            "{on}: {all:?}"
        );
    }
}

/// db1 was started as the writer just when db2 was elected: it is ended, and its log is read first.
#[test]
fn a_former_writer_whose_log_was_not_read_is_neither_readmitted_nor_kept_out() {
    for written in [10, 13] {
        let scene = cluster(2).dead(200).answered("db2", 10, 10).answered("db3", 10, 10);
        let mut scene = back(scene, true, written).database("db1", |d| {
            d.channels.values_mut().for_each(|l| l.receiving = Thread::Stopped);
        });
        let elect = elect(&scene.desired, "db2", Some(10));
        scene.desired = scene.desired.apply(&elect).expect("elected");
        let of_db1 = |s: &Step| {
            matches!(s, Step::Wish(Decision::Readmit { of, .. } | Decision::Expel { of, .. })
            if of.name.as_str() == "db1")
        };
        assert!(!steps(&scene).iter().any(of_db1), "{written}");
        let log = Decision::Saved { of: basis(&scene.desired, "db1"), saved: saved(3) };
        scene.desired = scene.desired.apply(&log).expect("saved");
        assert!(steps(&scene).iter().any(of_db1), "{written}");
    }
}

/// db1 was the writer until a moment ago; `count` transactions of its log were saved.
fn former(count: u64) -> Scene {
    let saved = Some(Saved { count, file: "lost/x.sql".to_owned() });
    let mut scene = cluster(1).wished("db1", |s| s.stands(Membership::Returning { limit: 10, saved }));
    scene.desired.writer = Some(name("db2"));
    scene.desired.epoch += 1;
    scene
}

#[test]
fn a_former_writer_that_does_not_start_with_its_data_is_expelled() {
    let ends = |failures, ended: u64| {
        let mut scene = former(2).gone("db1");
        let process = scene.seen.processes.entry(ProcessId::Database(name("db1"))).or_default();
        (process.failures, process.started_at, process.ended_at) =
            (failures, Some(scene.now - 1_000), Some(ended));
        steps(&scene).contains(&Step::Wish(Decision::Expel { of: basis(&scene.desired, "db1"), lacks: 0 }))
    };
    let now = cluster(1).now;
    assert!(ends(3, now - 500) && ends(9, now - 500));
    assert!(!ends(2, now - 500), "it is tried again");
    assert!(!ends(3, now - 2_000), "its port was taken: it did not even begin");
}

#[test]
fn only_a_former_writer_with_writes_of_its_own_takes_back_what_it_logged() {
    let keeps = |scene: Scene, server: &str| {
        let scene = scene.gone(server);
        let setting = crate::plan::tests::setting();
        let plan = crate::plan::plan(
            crate::scene::Scene::new(&scene.desired, &scene.seen, scene.now + 60_000),
            &setting,
        );
        plan.steps.iter().find_map(|step| match step {
            Step::Host(HostStep::StartProcess { id, keeps, .. })
                if *id == ProcessId::Database(name(server)) =>
            {
                Some(*keeps)
            }
            _ => None,
        })
    };
    assert_eq!(keeps(cluster(1), "db2"), Some(true), "a standby");
    assert_eq!(keeps(cluster(1).unpromised(), "db1"), Some(true), "the writer, in place");
    assert_eq!(keeps(former(0), "db1"), Some(true), "its log holds what the others have");
    assert_eq!(keeps(former(3), "db1"), Some(false));
    assert_eq!(keeps(cluster(1).diverged("db2"), "db2"), Some(true), "it is looked at, and copied again");
}

/// Returns the steps that are planned for db2's channel from db1.
fn on_the_link(scene: &Scene) -> Vec<Step> {
    let ours = |step: &Step| match step {
        Step::Sql(SqlStep::StartChannel { on, from } | SqlStep::StopChannel { on, from, .. }) => {
            (on, from) == (&name("db2"), &name("db1"))
        }
        _ => false,
    };
    steps(scene).into_iter().filter(ours).collect()
}

#[test]
fn a_held_link_is_stopped_once_left_alone_and_started_when_its_time_is_over() {
    let (on, from) = (name("db2"), name("db1"));
    let mut scene = cluster(2);
    assert_eq!(on_the_link(&scene), []);
    let until = scene.now + 5_000;
    scene.seen.held = Some(HeldChannel { on: on.clone(), from: from.clone(), until });
    let stop = Step::Sql(SqlStep::StopChannel { on: on.clone(), from: from.clone(), whole: false });
    assert_eq!(on_the_link(&scene), [stop]);
    assert_eq!(judge(&scene), Ok(()));
    let mut stands =
        scene.database("db2", |d| d.channels.get_mut(&name("db1")).unwrap().receiving = Thread::Stopped);
    assert_eq!(on_the_link(&stands), []);
    let mut over = stands.clone();
    over.seen.held = Some(HeldChannel { on: on.clone(), from: from.clone(), until: over.now });
    assert_eq!(on_the_link(&over), [Step::Sql(SqlStep::StartChannel { on: on.clone(), from: from.clone() })]);
    // A change of writer needs the channel: it is let go at once.
    stands.desired.handover = Some(Handover { to: on.clone(), at: stands.now, accept_loss: false });
    assert_eq!(on_the_link(&stands), [Step::Sql(SqlStep::StartChannel { on, from })]);
}

#[test]
fn a_log_that_ended_with_a_full_disk_is_asked_for_once_more() {
    let scene = |code| {
        cluster(1).database("db2", |d| {
            let channel = d.channels.entry(name("db1")).or_default();
            (channel.error, channel.receiving, channel.applying) = (code, Thread::Stopped, true);
        })
    };
    let asks =
        |scene: &Scene| steps(scene).iter().any(|s| matches!(s, Step::Sql(SqlStep::StartChannel { .. })));
    let ago = |scene: Scene, ms| {
        let at = scene.now - ms;
        scene.started("db1", at)
    };
    assert!(asks(&ago(scene(1236), 5_000)));
    assert!(!asks(&ago(scene(1236), 120_000)), "it is no death that left this");
    assert!(!asks(&scene(1236)), "nor is it known when it was started");
    assert!(!asks(&ago(scene(1032), 5_000)), "another error waits for a person");
    // Between two tries a person sees what is wrong.
    let mut tried = ago(scene(1236), 5_000);
    let step = Step::Sql(SqlStep::StartChannel { on: name("db2"), from: name("db1") });
    tried.seen.note_rest(&step, tried.now - 9_000);
    assert!(!asks(&tried));
    tried.now += 1_000;
    assert!(asks(&tried));
}
