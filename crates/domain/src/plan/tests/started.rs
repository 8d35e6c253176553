//! What `cordee up` waits for, and what it does not wait for.

use super::*;
use crate::db::verify::{OddTables, TableName};
use crate::desired::Membership;
use crate::snapshot::{Snapshot, snapshot};
use crate::started::{Started, started};
use crate::state::{Severity, State, Status};

struct Scene {
    desired: Desired,
    world: World,
    memory: Observed,
}

/// A cluster that is well.
fn scene() -> Scene {
    let (mut desired, mut world, mut memory) = (first(), World::at(1_000_000), Observed::default());
    settle(&mut desired, &mut world, &mut memory);
    Scene { desired, world, memory }
}

impl Scene {
    fn picture(&self) -> Snapshot {
        snapshot(crate::scene::Scene::new(&self.desired, &self.memory, self.world.now), &setting())
    }

    fn started(&self) -> Started {
        started(&self.picture())
    }
}

/// Returns the result for a snapshot in which the view of one server is altered.
fn with(server: &str, alter: impl Fn(&mut crate::snapshot::ServerView)) -> Started {
    let mut seen = scene().picture();
    let view = seen.servers.iter_mut().find(|s| s.name.as_str() == server).expect("a server");
    alter(view);
    started(&seen)
}

fn bare(severity: Severity, state: State) -> Status {
    Status::bare(severity, state)
}

#[test]
fn a_start_is_over_once_all_is_well_and_not_before() {
    let (mut desired, mut world, mut memory) = (first(), World::at(1_000_000), Observed::default());
    for _ in 0..400 {
        let seen = snapshot(crate::scene::Scene::new(&desired, &memory, world.now), &setting());
        if seen.verdict.severity == Severity::Good
            && seen.servers.iter().all(|s| s.status.severity == Severity::Good)
        {
            break;
        }
        assert_ne!(started(&seen), Started::Well, "{:?}", seen.verdict);
        round(&mut desired, &mut world, &mut memory, usize::MAX);
        world.pass(&memory, 250);
        world.look(&mut memory, &desired);
    }
    assert_eq!(scene().started(), Started::Well);
}

#[test]
fn a_warning_that_lasts_keeps_nobody_waiting() {
    let mut keyless = scene();
    let table = TableName { schema: "site".to_owned(), table: "log".to_owned() };
    let odd = OddTables { all: 9, keyless: vec![table], ..OddTables::default() };
    keyless.memory.tables = Seen::At(keyless.world.now, odd);
    let seen = keyless.picture();
    assert!(seen.servers.iter().any(|s| s.status.state == State::Keyless), "{:?}", seen.servers);
    assert_eq!(keyless.started(), Started::Serves);
    // A file that HAProxy refuses, rows that differ, a channel that stopped, a comparison that takes hours.
    let mut refused = scene().picture();
    refused.proxies[0].status = bare(Severity::Warning, State::Drift);
    refused.proxies[0].settled = false;
    refused.verdict.severity = Severity::Warning;
    assert_eq!(started(&refused), Started::Serves);
    for (severity, word) in [
        (Severity::Warning, State::RowsUnproven),
        (Severity::Critical, State::RowsDiffer),
        (Severity::Critical, State::ReplicationStopped),
        (Severity::Progress, State::Comparing),
    ] {
        assert_ne!(with("db2", |s| s.status = bare(severity, word)), Started::Waits, "{word:?}");
    }
}

#[test]
fn what_does_not_run_or_is_on_its_way_is_waited_for() {
    for (server, severity, word) in [
        ("web1", Severity::Critical, State::Down),
        ("web1", Severity::Progress, State::Joining),
        ("web2", Severity::Unknown, State::Unknown),
        ("db1", Severity::Progress, State::Opening),
        ("db2", Severity::Critical, State::Unreachable),
        ("db2", Severity::Progress, State::Linking),
    ] {
        assert_eq!(with(server, |s| s.status = bare(severity, word)), Started::Waits, "{server} {word:?}");
    }
    let back = Membership::Returning { limit: 3, saved: None };
    let returns = with("db2", |s| {
        (s.membership, s.wanted) = (Some(back.clone()), false);
        s.status = bare(Severity::Progress, State::Returning);
    });
    assert_eq!(returns, Started::Waits);
    // It is unknown whether visitors are served; or HAProxy does not have its file yet.
    for severity in [Severity::Progress, Severity::Unknown] {
        let mut seen = scene().picture();
        seen.verdict.severity = severity;
        assert_eq!(started(&seen), Started::Waits, "{severity:?}");
    }
    let mut seen = scene().picture();
    seen.proxies[1].settled = false;
    assert_eq!(started(&seen), Started::Waits);
}

#[test]
fn what_a_person_took_out_or_somebody_else_runs_or_is_copied_keeps_nobody_waiting() {
    let down = || bare(Severity::Critical, State::Down);
    let leaves = Saved { count: 1, file: "lost/x".to_owned() };
    for membership in [Membership::Joining, Membership::Leaving, Membership::Diverged(leaves)] {
        let set = with("db2", |s| {
            (s.membership, s.wanted, s.status) = (Some(membership.clone()), false, down());
        });
        assert_eq!(set, Started::Well, "{membership:?}: the verdict was left as it was");
    }
    let elsewhere = with("web2", |s| (s.runtime, s.status) = (Runtime::External, down()));
    let drained = with("web2", |s| (s.wanted, s.status) = (false, bare(Severity::Progress, State::Draining)));
    let stopped = with("db2", |s| {
        (s.wanted, s.power, s.status) = (false, Power::Off, bare(Severity::Maintenance, State::Stopped));
    });
    assert_eq!([elsewhere, drained, stopped], [Started::Well; 3]);
}
