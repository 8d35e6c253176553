//! A step that was done and has to be done again although nothing else happened rests like a failed step.

use super::*;
use crate::fault::Fault;
use crate::haproxy::runtime::State;
use crate::observed::Comparison;
use crate::step::{RowsStep, SqlStep};

/// Ten seconds in which a step has no effect: returns how often it is done, and how often that is reported.
fn ten_seconds(observed: &mut Observed, steps: &[Step]) -> (u32, usize) {
    let (mut done, mut told) = (0, 0);
    for now in (0..10_000).step_by(10) {
        let mut plan = Plan { steps: steps.to_vec(), ..Plan::default() };
        hold_back(&mut plan, observed, now);
        told += observed.planned(&mut plan, now, |_| true).len();
        let mut targets = BTreeSet::new();
        for step in plan.steps.iter().filter(|step| targets.insert(step.subject())) {
            done += 1;
            observed.succeeded(step);
        }
    }
    (done, told)
}

fn once(step: &Step) -> (u32, usize) {
    ten_seconds(&mut Observed::default(), std::slice::from_ref(step))
}

/// Judges the done steps by a plan for all targets that contains these steps.
fn planned(observed: &mut Observed, steps: &[Step]) -> Vec<Step> {
    observed.planned(&mut Plan { steps: steps.to_vec(), ..Plan::default() }, 0, |_| true)
}

fn in_vain() -> [Step; 3] {
    [
        Step::Proxy(ProxyStep::WriteSession { mode: Mode::Proxy }),
        Step::Host(HostStep::TrashHome { name: name("web9") }),
        Step::Sql(SqlStep::LoadZones { name: name("db2") }),
    ]
}

#[test]
fn what_has_no_effect_rests_and_is_told_once() {
    for step in in_vain() {
        let mut observed = Observed::default();
        // At once, at once again, then after 0.25, 0.5, 1, 2 and 5 s.
        assert_eq!(ten_seconds(&mut observed, std::slice::from_ref(&step)), (7, 1), "{step:?}");
        assert!(observed.rests_in_vain(&step, 10_000).is_some());
        // Nothing else is affected: no other step rests, and no status says that one failed.
        assert!(observed.backoffs.is_empty() && observed.vain.is_empty());
        // A plan without the step: the step had its effect, and no longer rests.
        assert_eq!(planned(&mut observed, &[]), []);
        assert_eq!((observed.rests_in_vain(&step, 10_000), observed.done.len()), (None, 0), "{step:?}");
        assert!(observed.succeeded(&step), "the first time again");
    }
}

/// Somebody undoes a step before the next look; done once more it has its effect.
#[test]
fn one_repetition_that_had_its_effect_is_nobody_s_fault() {
    for step in in_vain() {
        let mut observed = Observed::default();
        assert!(observed.succeeded(&step));
        assert_eq!(planned(&mut observed, std::slice::from_ref(&step)), []);
        assert!(!observed.succeeded(&step));
        assert_eq!(planned(&mut observed, &[]), []);
        // Nor does a repetition count if the step failed in between.
        observed.succeeded(&step);
        observed.failed(&step, &Fault::Deadline, 0);
        assert!(observed.succeeded(&step));
        assert_eq!(planned(&mut observed, std::slice::from_ref(&step)), []);
    }
}

/// While a step is under way, or nothing newer was seen on its target, a plan without the step says nothing.
#[test]
fn what_is_not_known_is_not_judged() {
    let [step, ..] = in_vain();
    let mut observed = Observed::default();
    for _ in 0..2 {
        observed.succeeded(&step);
        assert_eq!(observed.planned(&mut Plan::default(), 0, |_| false), []);
        let mut plan = Plan { steps: vec![step.clone()], ..Plan::default() };
        assert_eq!(observed.planned(&mut plan, 0, |_| false), []);
    }
    assert_eq!(planned(&mut observed, std::slice::from_ref(&step)), [step]);
}

/// A step that is done in vain keeps no other step of its target waiting, and is not forgotten because of another
/// one.
#[test]
fn several_in_vain_on_one_target_all_rest() {
    let set = |variable| {
        let (value, was) = ("1".to_owned(), "0".to_owned());
        Step::Sql(SqlStep::SetVariable { name: name("db2"), variable, value, was, still: false })
    };
    let acks = Step::Sql(SqlStep::SetAcks { name: name("db2"), on: true });
    let all = [set("sync_binlog"), set("binlog_format"), acks];
    assert_eq!(ten_seconds(&mut Observed::default(), &all), (21, 3));
    let close = Step::Sql(SqlStep::CloseDatabase { name: name("db2") });
    let mut observed = Observed::default();
    ten_seconds(&mut observed, &all);
    let mut plan = Plan { steps: [std::slice::from_ref(&close), &all[..]].concat(), ..Plan::default() };
    hold_back(&mut plan, &observed, 9_999);
    assert_eq!(plan.steps[0], close, "a database is closed at once");
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
        Step::Host(HostStep::StopProcess { id: ProcessId::Web(name("web1")), pid: 7 }),
        Step::Host(HostStep::KillProcess { id: ProcessId::Web(name("web1")), pids: vec![7] }),
        Step::Sql(SqlStep::CloseDatabase { name: name("db1") }),
        Step::Sql(SqlStep::StartChannel { on: name("db1"), from: name("db2") }),
        Step::Sql(SqlStep::EndSenders { name: name("db1"), ids: vec![3] }),
    ];
    for step in insisting {
        assert_eq!(once(&step), (1_000, 0), "{step:?}");
    }
    let leads = Step::Proxy(out(State::Ready, State::Maintenance));
    assert_eq!(once(&leads), (7, 1));
}

#[test]
fn a_comparison_begins_anew_while_rows_are_written() {
    let step = Step::Rows(RowsStep::Compare { name: name("db2"), id: 2, with: name("db1") });
    let mut observed = Observed::default();
    observed.comparisons.insert(name("db2"), Comparison { id: 2, unsettled: 1, ..Comparison::default() });
    assert_eq!(ten_seconds(&mut observed, std::slice::from_ref(&step)), (1_000, 0));
    assert_eq!(once(&step).1, 1);
}

/// An HAProxy instance that says "done" and does nothing, with the whole plan.
#[test]
fn a_proxy_that_only_says_done_is_asked_seldom() {
    let mut desired = first();
    let mut world = World::at(1_000_000);
    let mut memory = Observed::default();
    settle(&mut desired, &mut world, &mut memory);
    let change =
        Request::SetAdmin { pool: PoolId::Web, name: name("web1"), admin: Admin::Drain, force: false };
    desired = desired.apply(&change).expect("a wish");
    let (mut asked, mut told) = (0, 0);
    for _ in 0..1_000 {
        world.look(&mut memory, &desired);
        let mut plan = plan(crate::scene::Scene::new(&desired, &memory, world.now), &setting());
        told += memory.planned(&mut plan, world.now, |_| true).len();
        let proxy = |step: &&Step| matches!(step, Step::Proxy(ProxyStep::SetState { .. }));
        if let Some(step) = plan.steps.iter().find(proxy) {
            asked += 1;
            memory.succeeded(step);
        }
        world.now += 10;
    }
    assert_eq!((asked, told), (7, 1));
}
