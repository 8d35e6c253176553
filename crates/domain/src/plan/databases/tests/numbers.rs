//! How rows are numbered, which databases know time zones, and where scheduled events run.

use super::{Scene, cluster, name, steps};
use crate::db::events::{Event, Events, SCHEDULER, State, Turn};
use crate::db::ids::{DENSE, ENDING, Numbering, PLACE, STEP};
use crate::db::verify::TableName;
use crate::db::{DatabaseSeen, Position};
use crate::decision::Decision;
use crate::desired::{Handover, Membership, Routing, Run};
use crate::fault::Fault;
use crate::ids::ProcessId;
use crate::seen::Seen;
use crate::step::{SqlStep, Step};

fn number(seen: &mut DatabaseSeen, step: u64, place: u64) {
    seen.variables.insert(STEP.to_owned(), step.to_string());
    seen.variables.insert(PLACE.to_owned(), place.to_string());
}

/// db1 and db2, each with its step and offset.
fn numbered(routing: Routing, db1: (u64, u64), db2: (u64, u64)) -> Scene {
    let mut scene = cluster(1);
    scene.desired.routing = routing;
    let scene = scene.database("db1", |d| number(d, db1.0, db1.1));
    scene.database("db2", |d| number(d, db2.0, db2.1))
}

/// Returns what is planned about numbering, and which databases are opened.
fn planned(scene: &Scene) -> (Vec<(String, Numbering)>, Vec<String>) {
    let (mut numbers, mut opened) = (Vec::new(), Vec::new());
    for step in steps(scene) {
        match step {
            Step::Sql(SqlStep::NumberIds { name, to, .. }) => numbers.push((name.to_string(), to)),
            Step::Sql(SqlStep::OpenDatabase { name, .. }) => opened.push(name.to_string()),
            _ => {}
        }
    }
    (numbers, opened)
}

const ONE: (u64, u64) = (1, 1);
const FIRST: (u64, u64) = (10, 1);
const SECOND: (u64, u64) = (10, 2);
const END: u64 = ENDING as u64;

#[test]
fn nobody_is_opened_beside_another_before_both_number_in_their_own_places() {
    let place = |place| Numbering { step: 10, place };
    let (db1, db2) = (("db1".to_owned(), place(1)), ("db2".to_owned(), place(2)));
    for (first, second, numbers, opened) in [
        (ONE, ONE, vec![db1.clone(), db2.clone()], false),
        (ONE, SECOND, vec![db1.clone()], false),
        (FIRST, ONE, vec![db2.clone()], false),
        // Earlier connections may be left, whichever Cordée began to end them.
        ((END, 1), SECOND, vec![db1.clone()], false),
        (FIRST, (END, 2), vec![db2.clone()], false),
        // Somebody altered it.
        ((10, 2), SECOND, vec![db1], false),
        (FIRST, SECOND, vec![], true),
    ] {
        let scene = numbered(Routing::AllWriters, first, second);
        let opened = if opened { vec!["db2".to_owned()] } else { vec![] };
        assert_eq!(planned(&scene), (numbers, opened), "{first:?} {second:?}");
    }
}

#[test]
fn nobody_is_opened_before_it_has_what_was_numbered_one_after_the_other() {
    let at = |number| Position([(1, number)].into());
    // Connections that have ended wrote up to 15; later rows are in db1's slot.
    let apart = |d: &mut DatabaseSeen| {
        number(d, FIRST.0, FIRST.1);
        d.written = at(15);
    };
    let scene = numbered(Routing::AllWriters, ONE, SECOND).database("db1", apart);
    let mut scene = scene.database("db1", |d| d.written = at(17));
    let opened = |scene: &Scene, holds| planned(&scene.clone().holding("db2", holds)).1;
    assert_eq!(opened(&scene, 14), [] as [&str; 0], "its next number is one of those that are to come");
    assert_eq!(opened(&scene, 15), ["db2"]);
    // A database that does not answer or is gone is not waited for; the rows that it numbered consecutively are.
    let silent = scene.clone().unanswered("db1");
    assert_eq!((opened(&silent, 14).len(), opened(&silent, 15).len()), (0, 1));
    let gone = scene.clone().gone("db1");
    assert_eq!((opened(&gone, 14).len(), opened(&gone, 15).len()), (0, 1));
    // A restarted Cordée assumes that all rows so far were numbered consecutively.
    scene.seen.numbered.clear();
    let scene = scene.database("db1", |_| {});
    assert_eq!((opened(&scene, 16).len(), opened(&scene, 17).len()), (0, 1));
}

#[test]
fn a_lost_writer_comes_back_with_its_own_only_when_nobody_else_gives_these_numbers() {
    let limit = |scene: Scene| {
        let lost = scene.dead(200).answered("db2", 10, 10);
        steps(&lost).into_iter().find_map(|step| match step {
            Step::Wish(Decision::Elect { limit, .. }) => Some(limit),
            _ => None,
        })
    };
    let all = |first| numbered(Routing::AllWriters, first, SECOND);
    assert_eq!(limit(all(FIRST)), Some(None));
    assert_eq!(limit(all(ONE)), Some(Some(10)), "it was never seen to number apart");
    assert_eq!(limit(all((END, 1))), Some(Some(10)), "nor here: connections were being ended");
    let late = all(ONE).database("db1", |d| {
        number(d, FIRST.0, FIRST.1);
        d.written = Position([(1, 12)].into());
    });
    assert_eq!(limit(late), Some(Some(10)), "nobody has the last two that were numbered as before");
    let mut unknown = all(FIRST);
    unknown.seen.numbered.clear();
    assert_eq!(limit(unknown), Some(Some(10)));
    assert_eq!(limit(numbered(Routing::OneWriter, FIRST, SECOND)), Some(Some(10)));
}

#[test]
fn connections_are_not_ended_while_the_writer_changes() {
    let mut scene = numbered(Routing::AllWriters, ONE, ONE);
    assert_eq!(planned(&scene).0.len(), 2);
    scene.desired.handover = Some(Handover { to: name("db2"), at: scene.now, accept_loss: false });
    assert_eq!(planned(&scene).0, []);
    assert_eq!(planned(&numbered(Routing::AllWriters, ONE, ONE).dead(200)).0, []);
}

#[test]
fn one_that_is_silent_may_number_as_it_did_when_it_was_last_heard() {
    let silent = |first| {
        let mut scene = numbered(Routing::AllWriters, first, SECOND);
        let why = Fault::Silent;
        scene.seen.databases.insert(name("db1"), Seen::Failed { last: Some(scene.now - 10), why });
        scene
    };
    assert_eq!(planned(&silent(FIRST)).1, ["db2"], "it has all that was numbered otherwise");
    assert_eq!(planned(&silent(FIRST).holding("db2", 9)).1, [] as [&str; 0], "it has not");
    let received = silent(FIRST).channel("db2", |l| l.received = Position([(1, 12)].into()));
    assert_eq!(planned(&received).1, [] as [&str; 0], "and first it applies what came");
    assert_eq!(planned(&silent(ONE)).1, [] as [&str; 0]);
    let mut never = silent(FIRST);
    never.seen.numbered.clear();
    assert_eq!(planned(&never).1, [] as [&str; 0], "a Cordée that began anew knows nothing of it");
    never.writer_process().leader = None;
    assert_eq!(planned(&never).1, [] as [&str; 0], "nobody replaced it: it has all that it wrote");
    // Any other database comes back closed, with the numbering in its file.
    never.desired.writer = Some(name("db2"));
    assert_eq!(planned(&never).1, ["db2"]);
}

#[test]
fn rows_are_numbered_one_after_the_other_once_nobody_else_gives_numbers() {
    let mut scene = numbered(Routing::OneWriter, FIRST, SECOND).database("db2", |d| d.read_only = false);
    assert_eq!(planned(&scene).0, [], "db2 is open");
    scene = scene.database("db2", |d| d.read_only = true);
    assert_eq!(planned(&scene).0, [("db1".to_owned(), DENSE), ("db2".to_owned(), DENSE)]);
    let why = Fault::Silent;
    scene.seen.databases.insert(name("db2"), Seen::Failed { last: Some(scene.now - 10), why });
    assert_eq!(planned(&scene).0, [], "it may be open");
    scene.seen.processes.entry(ProcessId::Database(name("db2"))).or_default().leader = None;
    assert_eq!(planned(&scene).0, [("db1".to_owned(), DENSE)]);
}

#[test]
fn what_is_about_to_change_is_not_known_from_before() {
    let mut scene = numbered(Routing::OneWriter, FIRST, SECOND);
    let to = DENSE;
    let was = Numbering { step: 10, place: 1 };
    scene.seen.unsettle(&Step::Sql(SqlStep::NumberIds { name: name("db1"), to, was }));
    scene.desired.routing = Routing::AllWriters;
    assert_eq!(planned(&scene).1, [] as [&str; 0]);
}

fn loads(scene: &Scene) -> Vec<String> {
    let load = |step| match step {
        Step::Sql(SqlStep::LoadZones { name }) => Some(name.to_string()),
        _ => None,
    };
    steps(scene).into_iter().filter_map(load).collect()
}

#[test]
fn the_writer_knows_time_zones_once_the_others_do() {
    let zoneless = |scene: Scene, on: &str| scene.database(on, |d| d.zoneless = true);
    assert_eq!(loads(&cluster(1)), [] as [&str; 0]);
    let both = zoneless(zoneless(cluster(1), "db1"), "db2");
    assert_eq!(loads(&both), ["db2"]);
    let writer = zoneless(cluster(1), "db1");
    assert_eq!(loads(&writer), ["db1"]);
    assert_eq!(loads(&writer.clone().unanswered("db2")), [] as [&str; 0], "it may not know them");
    assert_eq!(loads(&writer.database("db1", |d| d.read_only = true)), [] as [&str; 0]);
    // Not while the writer changes; and not on an external database before its copy is complete.
    let mut handed = zoneless(cluster(1), "db2");
    handed.desired.handover = Some(Handover { to: name("db2"), at: handed.now, accept_loss: false });
    assert_eq!(loads(&handed), [] as [&str; 0]);
    let guest = zoneless(cluster(2), "db3");
    let mut guest = guest.wished("db3", |s| {
        s.runtime = Run::External;
        s.stands(Membership::Joining);
    });
    assert_eq!(loads(&guest), ["db3"]);
    guest.seen.initialised.remove(&name("db3"));
    assert_eq!(loads(&guest), [] as [&str; 0]);
}

fn event(state: State) -> Events {
    let name = TableName { schema: "site".to_owned(), table: "tick".to_owned() };
    let words = ("latin1".to_owned(), "latin1_swedish_ci".to_owned());
    let event = Event { state, definer: "site_owner@127.0.0.1".to_owned(), words };
    Events { all: [(name, event)].into(), ..Events::default() }
}

/// Returns what is planned about events: the database, the scheduler, and the states.
fn followed(scene: &Scene) -> Vec<(String, Option<bool>, Vec<State>)> {
    let state = |turn: &Turn| match turn {
        Turn::Set(_, event) => event.state,
        Turn::Note(_) | Turn::Strike(_) => State::Off,
    };
    let one = |step| match step {
        Step::Sql(SqlStep::FollowEvents { name, scheduler, turns }) => {
            Some((name.to_string(), scheduler, turns.iter().map(state).collect()))
        }
        _ => None,
    };
    steps(scene).into_iter().filter_map(one).collect()
}

fn scheduler(scene: Scene, on: &str, value: &str) -> Scene {
    scene.database(on, |d| _ = d.variables.insert(SCHEDULER.to_owned(), value.to_owned()))
}

#[test]
fn events_run_where_the_writer_is_open() {
    let scene = scheduler(scheduler(cluster(1), "db1", "OFF"), "db2", "ON");
    let scene = scene.database("db1", |d| d.events = event(State::Elsewhere));
    let scene = scene.database("db2", |d| d.events = event(State::On));
    let (db1, db2) = ("db1".to_owned(), "db2".to_owned());
    let away = (db2, Some(false), vec![State::Elsewhere]);
    assert_eq!(followed(&scene), [(db1, Some(true), vec![State::On]), away.clone()]);
    let closed = scene.clone().database("db1", |d| d.read_only = true);
    assert_eq!(followed(&closed), std::slice::from_ref(&away), "not before it is open");
    let mut handed = scene.clone();
    handed.desired.handover = Some(Handover { to: name("db2"), at: handed.now, accept_loss: false });
    assert_eq!(followed(&handed), [away], "not when it is about to close");
    // A database that was started without a scheduler has none to switch.
    let none = scheduler(scheduler(cluster(1), "db1", "DISABLED"), "db2", "OFF");
    assert_eq!(followed(&none), []);
}
