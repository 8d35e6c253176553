use super::passage::GRACE;
use super::*;
use crate::db::failover::tests::scene::{NOW, Scene, cluster, name};
use crate::db::{DatabaseSeen, Thread};
use crate::desired::{Membership, Power};
use crate::fault::{Fault, Lack};
use crate::observed::{Backoff, HeldChannel, ProcessSeen};
use crate::step::{SqlStep, Step, Subject};

fn word(scene: &Scene, server: &str) -> (Severity, State) {
    let server = scene.desired.db.server(&name(server)).expect("a server");
    let status = database(scene.scene(), server.base());
    (status.severity, status.state)
}

#[test]
fn one_whose_writes_are_not_copied_is_not_shown_as_well() {
    let scene = cluster(1);
    assert_eq!(word(&scene, "db1"), (Severity::Good, State::InSync));
    let scene = scene.broken("db2");
    assert_eq!(word(&scene, "db2"), (Severity::Critical, State::ReplicationStopped));
    assert_eq!(word(&scene, "db1"), (Severity::Warning, State::NotCopied));
    let scene = cluster(1).idle("db2");
    assert_eq!(word(&scene, "db1").0, Severity::Good, "it is about to be started again");
}

/// `cordee up` once called a cluster well while its application still got "unknown database" for another moment.
#[test]
fn a_writer_is_well_once_applications_find_their_schema() {
    let bare = |on: &str| cluster(1).database(on, |d| d.schema = false);
    says(&bare("db1"), "db1", (Severity::Progress, State::Opening));
    assert_eq!(word(&bare("db2"), "db2").0, Severity::Good, "it gets the writer's");
    // A writer that lacks a table and cannot create it still serves: the warning must not hide anything worse.
    let mut denied = bare("db1");
    let step = Step::Sql(SqlStep::CreateSchema { name: name("db1") });
    denied.seen.failed(&step, &Fault::Broken, denied.now);
    says(&denied, "db1", (Severity::Warning, State::Schemaless));
}

/// The database `on` was opened `ago` milliseconds before now.
fn opened(mut scene: Scene, on: &str, ago: u64) -> Scene {
    let at = scene.now - ago;
    if let Some(Seen::At(_, seen)) = scene.seen.databases.get_mut(&name(on)) {
        seen.opened_at = Some(at);
    }
    scene
}

/// Cordée stopped the channels of `on` for a step `ago` milliseconds before now.
fn rested(mut scene: Scene, on: &str, ago: u64) -> Scene {
    let step = Step::Sql(SqlStep::SetAcks { name: name(on), on: true });
    scene.seen.note_rest(&step, scene.now - ago);
    scene
}

fn unconfirmed() -> Scene {
    cluster(1).database("db1", |d| (d.acknowledging, d.in_force) = (0, false))
}

fn stopped_channel(scene: Scene, on: &str, thread: Thread) -> Scene {
    let from = if on == "db1" { "db2" } else { "db1" };
    scene.database(on, |d| d.channels.entry(name(from)).or_default().receiving = thread)
}

const UNPROTECTED: (Severity, State) = (Severity::Warning, State::Unprotected);
const ALONE: (Severity, State) = (Severity::Warning, State::Alone);
const LINKING: (Severity, State) = (Severity::Progress, State::Linking);

#[track_caller]
fn says(scene: &Scene, server: &str, shown: (Severity, State)) {
    assert_eq!(word(scene, server), shown);
}

#[test]
fn a_writer_that_nobody_confirms_is_unprotected_at_once_unless_it_has_just_changed() {
    says(&unconfirmed(), "db1", UNPROTECTED);
    for (ago, shown) in [(0, LINKING), (GRACE - 1, LINKING), (GRACE, UNPROTECTED)] {
        says(&opened(unconfirmed(), "db1", ago), "db1", shown);
        says(&rested(unconfirmed(), "db2", ago), "db1", shown);
        let at = NOW - ago;
        says(&unconfirmed().started("db2", at), "db1", shown);
        // The former writer is coming back.
        let mut failover = opened(unconfirmed(), "db1", ago);
        failover.desired.db.servers[1].stands(Membership::Returning { limit: 10, saved: None });
        says(&failover, "db1", shown);
    }
    says(&rested(unconfirmed(), "db1", 0), "db1", UNPROTECTED);
}

#[test]
fn a_fallen_standby_is_told_at_once() {
    let fallen: [fn(Scene) -> Scene; 3] = [
        |s| s.gone("db2"),
        |s| s.standby_frozen("db2"),
        |mut s| {
            let last = Some(s.now - 500);
            s.seen.databases.insert(name("db2"), Seen::Failed { last, why: Fault::Silent });
            s
        },
    ];
    for fall in fallen {
        says(&fall(unconfirmed()), "db1", UNPROTECTED);
        let connecting = stopped_channel(unconfirmed(), "db1", Thread::Connecting);
        says(&fall(connecting.clone()), "db1", ALONE);
        // A fault that occurs in the midst of a change is reported too: it is not transitional.
        let busy = |scene| rested(rested(opened(scene, "db1", 1_000), "db1", 500), "db2", 500);
        says(&fall(busy(unconfirmed())), "db1", UNPROTECTED);
        says(&fall(busy(connecting)), "db1", ALONE);
    }
    // The standby is back and its channel is not: replication was interrupted and still is.
    let back = stopped_channel(unconfirmed(), "db1", Thread::Connecting).started("db2", NOW - 500);
    says(&back, "db1", ALONE);
}

#[test]
fn one_that_waits_for_a_person_or_a_copy_does_not_confirm_soon() {
    let mut scene = opened(unconfirmed(), "db1", 0);
    scene.desired.db.servers[1].powered(Power::Off);
    says(&scene, "db1", UNPROTECTED);
    let mut scene = opened(unconfirmed(), "db1", 0);
    scene.desired.db.servers[1].stands(Membership::Joining);
    says(&scene, "db1", UNPROTECTED);
}

#[test]
fn links_that_rest_for_a_step_are_not_interrupted() {
    for (on, thread) in [("db1", Thread::Stopped), ("db2", Thread::Stopped), ("db2", Thread::Connecting)] {
        let scene = stopped_channel(cluster(1), on, thread);
        says(&scene, on, ALONE);
        for (ago, shown) in [(0, LINKING), (GRACE - 1, LINKING), (GRACE, ALONE)] {
            says(&rested(scene.clone(), on, ago), on, shown);
            says(&scene.clone().started(on, NOW - ago), on, shown);
        }
        let mut failed = rested(scene, on, 0);
        let backoff = Backoff { count: 1, at: NOW, why: Fault::Said(Text::of("no")) };
        failed.seen.backoffs.insert(Subject::Database(name(on)), backoff);
        says(&failed, on, ALONE);
    }
}

#[test]
fn a_link_that_a_drill_holds_down_is_interrupted_at_once() {
    let mut scene = rested(stopped_channel(cluster(1), "db2", Thread::Stopped), "db2", 0);
    scene.seen.held = Some(HeldChannel { on: name("db2"), from: name("db1"), until: NOW + 1 });
    says(&scene, "db2", ALONE);
    scene.now += 1;
    says(&scene, "db2", LINKING);
}

#[test]
fn a_link_over_which_nothing_comes_is_interrupted_while_its_peer_answers() {
    let heard = |ago: u64| {
        cluster(1).database("db2", |d| {
            d.channels.entry(name("db1")).or_default().heard_at = Some(NOW - ago);
        })
    };
    assert_eq!(word(&heard(8_000), "db2").0, Severity::Good, "a heartbeat or two may be late");
    says(&heard(8_001), "db2", ALONE);
    // A peer that does not answer may send nothing: that is reported as the peer's fault.
    let mut dead = heard(60_000);
    dead.seen.databases.remove(&name("db1"));
    assert_ne!(word(&dead, "db2").1, State::Alone);
}

#[test]
fn a_link_that_is_started_again_and_again_is_interrupted() {
    let mut scene = stopped_channel(cluster(1), "db2", Thread::Stopped);
    for ago in [GRACE, GRACE - 1_900, GRACE - 3_800, 0] {
        scene = rested(scene, "db2", ago);
    }
    says(&scene, "db2", ALONE);
    // After a pause it counts as a new interruption by Cordée.
    let scene = rested(rested(stopped_channel(cluster(1), "db2", Thread::Stopped), "db2", 60_000), "db2", 0);
    says(&scene, "db2", LINKING);
}

#[test]
fn a_database_knows_when_it_was_opened() {
    let mut seen = Observed::default();
    let db = name("db1");
    let mut look = |at, read_only| {
        seen.see_database(&db, at, Ok(DatabaseSeen { read_only, ..DatabaseSeen::default() }));
        seen.databases.get(&db).and_then(Seen::value).and_then(|d| d.opened_at)
    };
    assert_eq!(look(10, false), None, "it was open already");
    assert_eq!(look(20, true), None);
    assert_eq!(look(30, false), Some(30));
    assert_eq!(look(40, false), Some(30));
    assert_eq!(look(35, true), Some(30), "a younger look counts");
    assert_eq!(look(50, true), None);
    let mut pulsed = DatabaseSeen { read_only: true, ..DatabaseSeen::default() };
    let open = DatabaseSeen::default();
    pulsed.take_promise(&open, 60);
    pulsed.take_promise(&open, 70);
    assert_eq!(pulsed.opened_at, Some(60));
}

#[test]
fn the_fact_and_the_verdict_stay_true_in_a_passage() {
    let scene = opened(unconfirmed(), "db1", 1_000);
    let shown = crate::snapshot::snapshot(scene.scene(), &crate::plan::tests::setting());
    let db1 = shown.servers.iter().find(|s| s.name == name("db1")).expect("db1");
    assert_eq!((db1.semi_sync, db1.status.serves()), (Some(false), true));
}

/// Cordée has just started, and starts all servers for the first time, the standby before the writer.
#[test]
fn a_standby_that_waits_for_the_first_start_of_the_writer_is_not_interrupted() {
    let alone = || stopped_channel(cluster(1), "db2", Thread::Connecting);
    let first = |mut scene: Scene| {
        scene.seen.databases.remove(&name("db1"));
        *scene.writer_process() = ProcessSeen::default();
        scene
    };
    for (ago, shown) in [(0, LINKING), (GRACE - 1, LINKING), (GRACE, ALONE)] {
        says(&first(alone()).started("db2", NOW - ago), "db2", shown);
        // The writer already answers short queries.
        let mut starting = alone().started("db1", NOW - 300).started("db2", NOW - ago);
        let failed = Seen::Failed { last: Some(NOW - 100), why: Fault::Silent };
        starting.seen.databases.insert(name("db1"), failed);
        says(&starting, "db2", shown);
    }
    // The writer's files are still being created, which may take any time.
    let mut unborn = first(alone());
    unborn.seen.initialised.remove(&name("db1"));
    says(&unborn, "db2", LINKING);
    let backoff = Backoff { count: 1, at: NOW, why: Fault::Said(Text::of("no")) };
    unborn.seen.backoffs.insert(Subject::Process(crate::ids::ProcessName::Server(name("db1"))), backoff);
    says(&unborn, "db2", ALONE);
    // The writer could not be started.
    let mut failed = first(alone()).started("db2", NOW);
    failed.writer_process().trouble = Some(Fault::Ended);
    says(&failed, "db2", ALONE);
}

#[test]
fn that_cordee_could_not_ask_says_nothing_of_a_database() {
    let fails = |why: Fault| {
        let mut scene = cluster(1);
        scene.seen.databases.insert(name("db2"), Seen::Failed { last: Some(NOW - 9_000), why });
        scene
    };
    says(&fails(Fault::Unreachable(None)), "db2", (Severity::Critical, State::Unreachable));
    says(&fails(Fault::Own(Lack::Descriptors, None)), "db2", (Severity::Unknown, State::Unknown));
    let mut scene = cluster(1);
    scene.seen.initialised.remove(&name("db2"));
    scene.seen.own.unread.insert(name("db2"));
    says(&scene, "db2", (Severity::Unknown, State::Unknown));
}
