//! A decision is made on a snapshot that is some time old, and stored later, whatever people asked for in between.

use super::*;
use crate::desired::{Membership, Run};

/// A server is removed, and another one is added under its name at once.
fn again() -> impl Strategy<Value = Vec<Request>> {
    (server_name(), any::<bool>(), any::<bool>()).prop_map(|(server, ours, leaves)| {
        let pool = pool_of(&server);
        let port = if pool == PoolId::Db { 8_680 } else { 8_640 };
        let new = NewServer {
            name: server.clone(),
            host: Host::parse("127.0.0.1").expect("a host"),
            port: PortChoice::Given(port),
            cookie: CookieChoice::Automatic,
            runtime: if ours { Runtime::Process } else { Runtime::External },
            admin: Admin::Ready,
        };
        // A forced removal of a web server is decided elsewhere.
        let force = pool == PoolId::Db;
        let remove = Request::RemoveServer { pool, name: server.clone(), force };
        let mut all = vec![remove.clone(), Request::AddServer { pool, server: new }];
        all.extend(Some(remove).filter(|_| leaves));
        all
    })
}

/// What people ask for while a decision is under way.
pub(super) fn meanwhile() -> impl Strategy<Value = Vec<Request>> {
    let one = prop_oneof![3 => change().prop_map(|change| vec![change]), 2 => again()];
    proptest::collection::vec(one, 0..5).prop_map(|all| all.concat())
}

/// Returns the decisions of a plan, and those that its steps end with.
fn decided(desired: &Desired, memory: &Observed, now: u64) -> Vec<Decision> {
    let decision = |step: &Step| match step {
        Step::Wish(decision) => Some(decision.clone()),
        Step::Sql(SqlStep::ReleaseDatabase { name, id }) => {
            Some(Decision::Forget(Basis { name: name.clone(), id: *id, epoch: desired.epoch }))
        }
        Step::Host(HostStep::SaveOwn { name, id, .. }) => {
            let of = Basis { name: name.clone(), id: *id, epoch: desired.epoch };
            Some(Decision::Saved { of, saved: Saved { count: 1, file: "lost/x".to_owned() } })
        }
        _ => None,
    };
    plan(crate::scene::Scene::new(desired, memory, now), &setting())
        .steps
        .iter()
        .filter_map(decision)
        .collect()
}

/// Returns the servers that a decision about another server must not touch.
fn others(desired: &Desired, about: Option<u32>) -> Vec<Server> {
    let all = desired.servers().cloned();
    all.filter(|s| about != Some(s.id)).collect()
}

/// Judges what a decision did that was made on `before` and stored on `now`, if it was not refused.
fn judge(decision: &Decision, before: &Desired, now: &Desired) -> Result<bool, TestCaseError> {
    let Ok(next) = now.apply(decision) else { return Ok(false) };
    let (name, id) = decision.about().map_or((None, None), |(name, id)| (Some(name), Some(id)));
    if let Some(epoch) = decision.epoch() {
        prop_assert_eq!((epoch, epoch), (before.epoch, now.epoch), "another epoch: {:?}", decision);
    }
    // The server that the decision was made on still exists, under that name; a promotion may be given up without
    // it.
    let there = |d: &Desired| d.servers().any(|s| Some(&s.name) == name && Some(s.id) == id);
    let gives_up = matches!(decision, Decision::AbandonHandover { .. });
    prop_assert!(gives_up || (there(before) && there(now)), "{:?} of another one", decision);
    // No other server is touched, except the writer that was lost.
    let lost = matches!(decision, Decision::Elect { limit: Some(_), .. }).then(|| now.writer_server());
    let was_writer = |s: &&Server| lost.flatten().is_some_and(|w| w.id == s.id);
    let untouched = |d: &Desired| -> Vec<Server> {
        let copied = matches!(decision, Decision::Recopy(_)).then(|| now.next_id);
        let all = others(d, id);
        all.into_iter().filter(|s| !was_writer(&s) && copied != Some(s.id)).collect()
    };
    prop_assert_eq!(untouched(&next), untouched(now), "{:?}", decision);
    prop_assert!(next.next_id >= now.next_id);
    // Applied twice, it has no second effect.
    if let Ok(twice) = next.apply(decision) {
        prop_assert_eq!(Desired { revision: next.revision, ..twice }, next, "twice: {:?}", decision);
    }
    Ok(true)
}

proptest! {
    #![proptest_config(ProptestConfig::default())]

    /// A decision that was made on an old snapshot never touches a server with another id, nor an epoch other than
    /// the one that it was made in.
    #[test]
    fn a_decision_in_flight_touches_only_what_it_was_made_on(
        turns in proptest::collection::vec(
            (proptest::option::of(change()), 0_usize..5, 0_usize..9, any::<bool>(), meanwhile()), 1..14),
    ) {
        let mut desired = first();
        let mut world = World::at(1_000_000);
        let mut memory = Observed::default();
        settle(&mut desired, &mut world, &mut memory);
        for (change, steps, n, dies, meanwhile) in turns {
            if let Some(next) = change.and_then(|c| desired.apply(&asked(c, &desired, world.now)).ok()) {
                desired = next;
            }
            if dies && let Some(id) = world.alive().get(n) {
                world.die(id);
            }
            round(&mut desired, &mut world, &mut memory, steps);
            world.pass(&memory, 300);
            world.prepare(&desired);
            world.look(&mut memory, &desired);
            // Here Cordée looked and decided; then people were quicker.
            let (before, decisions) = (desired.clone(), decided(&desired, &memory, world.now));
            let mut late = desired.clone();
            for request in meanwhile {
                if let Ok(next) = late.apply(&asked(request, &late, world.now)) {
                    late = next;
                }
            }
            for decision in &decisions {
                judge(decision, &before, &before)?;
                judge(decision, &before, &late)?;
            }
            // And one after the other, in their order.
            for decision in &decisions {
                judge(decision, &before, &late)?;
                if let Ok(next) = late.apply(decision) {
                    late = next;
                }
            }
        }
    }

    /// A server is replaced by another one of its name while a decision about it is under way, for every kind of
    /// decision: on desired states that no plan needs to reach.
    #[test]
    fn no_kind_of_decision_touches_a_server_that_took_the_name(
        membership in 0_usize..7, external in any::<bool>(), handing in any::<bool>(), meanwhile in meanwhile(),
    ) {
        let saved = Saved { count: 1, file: "lost/x".to_owned() };
        let memberships = [
            Membership::Member, Membership::Joining, Membership::Leaving, Membership::Released,
            Membership::Returning { limit: 3, saved: None },
            Membership::Returning { limit: 3, saved: Some(saved.clone()) },
            Membership::Diverged(saved.clone()),
        ];
        let mut before = first();
        let db2 = &mut before.db.servers[1];
        db2.stands(memberships[membership].clone());
        db2.runtime = Run::new(if external { Runtime::External } else { Runtime::Process });
        before.web.servers[1].web_mut().expect("a web server").leaving = true;
        if handing {
            before.handover = Some(crate::desired::Handover { to: name("db2"), at: 5, accept_loss: false });
        }
        let of = || basis(&before, "db2");
        let decisions = [
            Decision::Depart { name: name("web2"), id: before.web.servers[1].id },
            Decision::AbandonHandover { of: of(), at: 5, why: text!("handover-proxy") },
            elect(&before, "db2", None), elect(&before, "db2", Some(3)),
            Decision::Admit(of()), Decision::Forget(of()), Decision::Release(of()), Decision::LetGo(of()),
            Decision::Recopy(of()), Decision::Readmit { of: of(), at: 7 }, Decision::Saved { of: of(), saved },
            Decision::Doubt { of: of(), at: 7, by: name("db1") }, Decision::Expel { of: of(), lacks: 0 },
        ];
        let mut late = before.clone();
        for request in meanwhile {
            if let Ok(next) = late.apply(&asked(request, &late, 9)) {
                late = next;
            }
        }
        for decision in &decisions {
            judge(decision, &before, &late)?;
            let mut later = late.clone();
            later.epoch += 1;
            judge(decision, &before, &later)?;
        }
    }
}

/// The engine looks again at once; only a decision that would be refused forever rests.
#[test]
fn a_decision_that_was_overtaken_is_no_failure_and_rests_only_when_it_comes_again_and_again() {
    let step = Step::Wish(elect(&first(), "db2", Some(3)));
    let mut observed = Observed::default();
    observed.overtaken(&step);
    let again = |observed: &mut Observed, steps: &[Step]| {
        observed.planned(&mut Plan { steps: steps.to_vec(), ..Plan::default() }, 0, |_| true)
    };
    let held = |observed: &Observed| {
        let mut plan = Plan { steps: vec![step.clone()], ..Plan::default() };
        hold_back(&mut plan, observed, 0);
        plan.steps.is_empty()
    };
    assert_eq!(again(&mut observed, std::slice::from_ref(&step)), []);
    assert!(!held(&observed) && observed.backoffs.is_empty(), "it is decided anew at once");
    // It is refused once more on a newer snapshot: the state contradicts itself, and that is reported.
    observed.overtaken(&step);
    assert_eq!(again(&mut observed, std::slice::from_ref(&step)), std::slice::from_ref(&step));
    assert!(held(&observed) && observed.backoffs.is_empty(), "no status says that anything failed");
    assert_eq!(again(&mut observed, &[]), []);
    assert!(!held(&observed));
}
