//! What was done and has to be done again although nothing else happened rests like what failed.

use super::*;
use crate::db::ids::DENSE;
use crate::fault::Fault;
use crate::haproxy::runtime::State;
use crate::observed::Comparison;
use crate::step::{Mend, RowsStep, SqlStep};

/// Ten seconds in which a step has no effect: how often it is done, and how often that is told.
fn ten_seconds(observed: &mut Observed, step: &Step) -> (u32, u32) {
    let (mut done, mut told) = (0, 0);
    for now in (0..10_000).step_by(10) {
        let mut plan = Plan { steps: vec![step.clone()], ..Plan::default() };
        hold_back(&mut plan, observed, now);
        observed.planned(&plan);
        for step in plan.steps {
            done += 1;
            if let Some(why) = observed.succeeded(&step) {
                told += u32::from(observed.failed(&step, &why, now));
            }
        }
    }
    (done, told)
}

#[test]
fn what_has_no_effect_rests_and_is_told_once() {
    let write = Step::Proxy(ProxyStep::WriteSession { mode: Mode::Proxy });
    let trash = Step::Host(HostStep::TrashHome { name: name("web9") });
    let zones = Step::Sql(SqlStep::LoadZones { name: name("db2") });
    for step in [write, trash, zones] {
        let mut observed = Observed::default();
        // At once, at once again, then after 0.25, 0.5, 1, 2 and 5 s.
        assert_eq!(ten_seconds(&mut observed, &step), (7, 1), "{step:?}");
        let setback = observed.setback(&step).expect("a setback");
        assert_eq!(setback.why, Fault::InVain(step.name()));
        // A plan without it: it had its effect, and nothing rests for it.
        observed.planned(&Plan::default());
        assert_eq!(observed.setback(&step), None, "{step:?}");
        assert_eq!(observed.succeeded(&step), None, "the first time again");
    }
}

#[test]
fn another_failure_outlives_what_was_done_in_vain_before() {
    let step = Step::Sql(SqlStep::CreateSchema { name: name("db1") });
    let mut observed = Observed::default();
    assert_eq!(observed.succeeded(&step), None);
    assert!(observed.failed(&step, &Fault::Deadline, 0));
    observed.planned(&Plan::default());
    assert_eq!(observed.setback(&step).map(|s| s.why.clone()), Some(Fault::Deadline));
}

#[test]
fn closing_fencing_ending_and_starting_are_never_kept_waiting() {
    let out = |state, writer| ProxyStep::SetState { proxy: PoolId::Db, name: name("db1"), state, writer };
    let insisting = [
        Step::Proxy(out(State::Maintenance, State::Maintenance)),
        Step::Host(HostStep::StartProcess {
            id: ProcessId::Proxy(PoolId::Web),
            server: 0,
            generation: 0,
            keeps: false,
        }),
        Step::Host(HostStep::StopProcess { id: ProcessId::Server(name("web1")), pid: 7 }),
        Step::Host(HostStep::KillProcess { id: ProcessId::Server(name("web1")), pids: vec![7] }),
        Step::Sql(SqlStep::CloseDatabase { name: name("db1") }),
        Step::Sql(SqlStep::StartLink { on: name("db1"), from: name("db2") }),
        Step::Sql(SqlStep::EndSenders { name: name("db1"), ids: vec![3] }),
    ];
    for step in insisting {
        assert_eq!(ten_seconds(&mut Observed::default(), &step), (1_000, 0), "{step:?}");
    }
    let leads = Step::Proxy(out(State::Ready, State::Maintenance));
    assert_eq!(ten_seconds(&mut Observed::default(), &leads), (7, 1));
}

#[test]
fn a_comparison_begins_anew_while_rows_are_written() {
    let step = Step::Rows(RowsStep::Compare { name: name("db2"), with: name("db1") });
    let mut observed = Observed::default();
    observed.comparisons.insert(name("db2"), Comparison { unsettled: 1, ..Comparison::default() });
    assert_eq!(ten_seconds(&mut observed, &step), (1_000, 0));
    observed.comparisons.clear();
    assert_eq!(ten_seconds(&mut observed, &step).1, 1);
}

/// The last step counts, whatever it was: what was done meanwhile may have made it necessary again.
#[test]
fn two_steps_in_turn_are_no_repetition() {
    let step = |weight| Step::Proxy(ProxyStep::SetWeight { proxy: PoolId::Web, name: name("web1"), weight });
    let mut observed = Observed::default();
    for weight in [0, 256, 0, 256] {
        assert_eq!(observed.succeeded(&step(weight)), None);
    }
    // And what only mends keeps no other from its turn.
    let number = Step::Sql(SqlStep::NumberIds { name: name("db2"), to: DENSE, was: DENSE });
    let schema = Step::Sql(SqlStep::CreateSchema { name: name("db2") });
    assert_eq!(observed.succeeded(&number), None);
    let why = observed.succeeded(&number).expect("in vain");
    observed.failed(&number, &why, 0);
    assert!(observed.vain.contains_key(&(number.target(), Mend::Numbers)));
    assert_eq!(observed.setback(&schema), None);
}

/// A HAProxy that says "done" and does nothing, behind the whole plan.
#[test]
fn a_proxy_that_only_says_done_is_asked_seldom() {
    let mut desired = first();
    let mut world = World::at(1_000_000);
    let mut memory = Observed::default();
    settle(&mut desired, &mut world, &mut memory);
    let change =
        Change::SetAdmin { pool: PoolId::Web, name: name("web1"), admin: Admin::Drain, force: false };
    desired = desired.apply(&change).expect("a wish");
    let (mut asked, mut told) = (0, 0);
    for _ in 0..1_000 {
        world.look(&mut memory, &desired);
        let plan = plan(&desired, &memory, &setting(), world.now);
        memory.planned(&plan);
        let proxy = |step: &&Step| matches!(step, Step::Proxy(ProxyStep::SetState { .. }));
        if let Some(step) = plan.steps.iter().find(proxy) {
            asked += 1;
            if let Some(why) = memory.succeeded(step) {
                told += u32::from(memory.failed(step, &why, world.now));
            }
        }
        world.now += 10;
    }
    assert_eq!((asked, told), (7, 1));
}
