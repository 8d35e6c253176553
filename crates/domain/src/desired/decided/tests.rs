use super::*;
use crate::change::{NewServer, PortChoice};
use crate::desired::{Admin, CookieChoice, Handover, Run, Runtime};
use crate::ids::Host;
use crate::plan::tests::first;
use crate::text;

fn name(text: &str) -> ServerName {
    ServerName::parse(text).expect("a name")
}

fn new(server: &str, port: u16, runtime: Runtime) -> NewServer {
    NewServer {
        name: name(server),
        host: Host::parse("127.0.0.1").expect("a host"),
        port: PortChoice::Given(port),
        cookie: CookieChoice::Automatic,
        runtime,
        admin: Admin::Ready,
    }
}

/// A cluster in which db1 is the writer, db2 has the given membership and runtime, and web2 is leaving.
fn with(membership: &Membership, runtime: Runtime) -> Desired {
    let mut desired = first();
    let db2 = &mut desired.db.servers[1];
    db2.stands(membership.clone());
    db2.runtime = Run::new(runtime);
    desired.web.servers[1].web_mut().expect("a web server").leaving = true;
    desired
}

fn saved() -> Saved {
    Saved { count: 2, file: "lost/x".to_owned() }
}

/// Every kind of decision, each with a wish in which it is due.
fn due() -> Vec<(Desired, Decision)> {
    let returning = |saved| Membership::Returning { limit: 3, saved };
    let ours = |membership: &Membership| with(membership, Runtime::Process);
    let theirs = |membership: &Membership| with(membership, Runtime::External);
    let of = || Basis { name: name("db2"), id: 2, epoch: 1 };
    let mut handing = ours(&Membership::Member);
    handing.handover = Some(Handover { to: name("db2"), at: 5, accept_loss: false });
    let elect = |limit, asked| Decision::Elect { to: name("db2"), id: 2, epoch: 2, limit, asked };
    vec![
        (first(), Decision::SetLogPort { port: 8_699, was: None }),
        (ours(&Membership::Member), Decision::Depart { name: name("web2"), id: 4 }),
        (handing.clone(), Decision::AbandonHandover { of: of(), at: 5, why: text!("handover-proxy") }),
        (handing, elect(None, Some(5))),
        (ours(&Membership::Member), elect(Some(3), None)),
        (ours(&Membership::Joining), Decision::Admit(of())),
        (ours(&Membership::Leaving), Decision::Forget(of())),
        (theirs(&Membership::Released), Decision::Forget(of())),
        (theirs(&Membership::Leaving), Decision::Release(of())),
        (theirs(&Membership::Leaving), Decision::LetGo(of())),
        (theirs(&Membership::Released), Decision::LetGo(of())),
        (ours(&Membership::Diverged(saved())), Decision::Recopy(of())),
        (ours(&returning(Some(saved()))), Decision::Readmit { of: of(), at: 7 }),
        (theirs(&returning(None)), Decision::Readmit { of: of(), at: 7 }),
        (ours(&returning(None)), Decision::Saved { of: of(), saved: saved() }),
        (ours(&Membership::Member), Decision::Doubt { of: of(), at: 7, by: name("db1") }),
        (ours(&returning(Some(saved()))), Decision::Expel { of: of(), lacks: 0 }),
        (theirs(&returning(None)), Decision::Expel { of: of(), lacks: 4 }),
    ]
}

/// The same wish with other ids under the same names, as after a removal and an addition.
fn replaced(mut desired: Desired) -> Desired {
    for server in desired.db.servers.iter_mut().chain(&mut desired.web.servers).filter(|s| s.id != 1) {
        server.id += 100;
    }
    desired
}

#[test]
fn a_decision_that_is_due_is_applied_once() {
    for (desired, decision) in due() {
        let next = desired.apply(&decision).unwrap_or_else(|why| panic!("{decision:?}: {why}"));
        assert_eq!(next.revision, desired.revision + 1);
        // When the decision is applied a second time, it is refused because it is already in effect.
        next.apply(&decision).expect_err(decision.name());
    }
}

#[test]
fn a_decision_is_about_the_one_it_was_made_on_and_no_other_by_its_name() {
    for (desired, decision) in due() {
        let Some((name, id)) = decision.about() else { continue };
        assert!(desired.servers().any(|s| s.name == *name && s.id == id), "{decision:?}");
        let other = replaced(desired.clone()).apply(&decision);
        // A promotion is given up whatever became of its target.
        if matches!(decision, Decision::AbandonHandover { .. }) {
            assert_eq!(other.expect("given up").servers().count(), 4);
            continue;
        }
        assert_eq!(other.expect_err("another one"), Overtaken::Server, "{decision:?}");
        let mut gone = desired;
        gone.db.servers.truncate(1);
        gone.web.servers.truncate(1);
        assert_eq!(gone.apply(&decision).expect_err("it is gone"), Overtaken::Server, "{decision:?}");
    }
}

#[test]
fn a_decision_belongs_to_its_epoch() {
    for (mut desired, decision) in due() {
        desired.epoch += 1;
        let Some(epoch) = decision.epoch() else {
            desired.apply(&decision).expect("no epoch has a part in it");
            continue;
        };
        assert_eq!(epoch, 1, "{decision:?}");
        assert_eq!(desired.apply(&decision).expect_err("another epoch"), Overtaken::Epoch, "{decision:?}");
    }
}

/// Every decision is tried with the membership that it needs, and with every other one.
#[test]
fn a_decision_is_refused_where_the_membership_is_another_one() {
    let all = [
        Membership::Member,
        Membership::Joining,
        Membership::Leaving,
        Membership::Released,
        Membership::Returning { limit: 3, saved: None },
        Membership::Returning { limit: 3, saved: Some(saved()) },
        Membership::Diverged(saved()),
    ];
    let kinds = due();
    let (mut taken, mut refused) = (0, 0);
    for (from, decision) in &kinds {
        let Some((server, _)) = decision.about().filter(|(n, _)| n.as_str() == "db2") else { continue };
        if matches!(decision, Decision::AbandonHandover { .. }) {
            continue;
        }
        for membership in &all {
            let mut desired = from.clone();
            desired.db.servers[1].stands(membership.clone());
            let runtime = desired.db.servers[1].runtime;
            // A decision is due in the cases of the list, and in no others.
            let due = kinds.iter().any(|(wish, other)| {
                let db2 = &wish.db.servers[1];
                other.name() == decision.name()
                    && db2.base().membership == membership
                    && db2.runtime == runtime
            });
            let done = desired.apply(decision);
            match (due, done) {
                (true, Ok(_)) => taken += 1,
                (false, Err(Overtaken::Membership | Overtaken::Already)) => refused += 1,
                // An external database may return with or without a saved file: Cordée saves none for it, but one may
                // remain from before it was external.
                (false, Ok(_)) if matches!(membership, Membership::Returning { saved: Some(_), .. }) => {
                    assert_eq!(runtime, Run::External, "{decision:?} of {server}");
                }
                (_, done) => panic!("{decision:?} of {membership:?}, {runtime:?}: {done:?}"),
            }
        }
    }
    assert!(taken >= 15 && refused > 60, "{taken} {refused}");
}

/// An operator asked for another promotion in the meantime: the one that was decided on is over already.
#[test]
fn only_the_very_promotion_is_given_up_or_ended() {
    let of = Basis { name: name("db2"), id: 2, epoch: 1 };
    let at = |at| Some(Handover { to: name("db2"), at, accept_loss: true });
    let mut desired = first();
    for (under_way, decided, expected) in
        [(at(5), 5, None), (at(6), 5, Some(Overtaken::Handover)), (None, 5, Some(Overtaken::Handover))]
    {
        desired.handover = under_way;
        let abandon = Decision::AbandonHandover { of: of.clone(), at: decided, why: text!("handover-proxy") };
        let asked = Some(decided);
        let elect = Decision::Elect { to: name("db2"), id: 2, epoch: 2, limit: None, asked };
        assert_eq!(desired.apply(&abandon).err(), expected);
        assert_eq!(desired.apply(&elect).err(), expected);
    }
    // This was decided because the writer was lost, before the promotion was asked for: Cordée has to decide again.
    desired.handover = at(5);
    let elect = Decision::Elect { to: name("db2"), id: 2, epoch: 2, limit: Some(3), asked: None };
    assert_eq!(desired.apply(&elect).err(), Some(Overtaken::Handover));
}

#[test]
fn an_older_doubt_does_not_take_the_place_of_a_newer_one() {
    let of = || Basis { name: name("db2"), id: 2, epoch: 1 };
    let doubt = |at| Decision::Doubt { of: of(), at, by: name("db1") };
    let desired = first().apply(&doubt(9)).expect("doubted");
    for at in [9, 5] {
        assert_eq!(desired.apply(&doubt(at)).err(), Some(Overtaken::Already));
    }
    let later = desired.apply(&doubt(12)).expect("a newer one");
    assert_eq!((later.doubts[&2].since, later.doubts[&2].lacks), (12, true));
    let mut returning = desired;
    returning.db.servers[1].stands(Membership::Returning { limit: 3, saved: Some(saved()) });
    let back = returning.apply(&Decision::Readmit { of: of(), at: 7 }).expect("readmitted");
    assert_eq!((back.doubts[&2].since, back.doubts[&2].lacks), (9, true), "what is known stays");
}

/// The request comes from a page that was open for a while, or from a button that was pressed twice.
#[test]
fn a_fresh_copy_is_made_of_the_one_that_was_meant() {
    let recopy = |id| Request::Recopy { name: name("DB2"), id };
    let once = first().apply(&recopy(2)).expect("a fresh copy");
    let server = once.db.server(&name("db2")).expect("there");
    assert_eq!((server.id, server.base().membership.clone()), (5, Membership::Joining));
    for id in [0, 1, 2, 4] {
        let refused = once.apply(&recopy(id)).expect_err("another one was meant");
        assert_eq!(refused[0].text.key, "problem-server-other", "{id}");
    }
}

#[test]
fn an_id_is_never_given_twice() {
    let mut desired = first();
    let mut known: std::collections::BTreeSet<u32> = desired.servers().map(|s| s.id).collect();
    for round in 0..6 {
        let add = |pool, server| Request::AddServer { pool, server };
        let remove = |pool, server| Request::RemoveServer { pool, name: name(server), force: true };
        desired =
            desired.apply(&add(PoolId::Web, new("web3", 8_698, Runtime::Process))).expect("a web server");
        desired = desired.apply(&add(PoolId::Db, new("db3", 8_697, Runtime::Process))).expect("a database");
        let recopy = Request::Recopy { name: name("db3"), id: desired.next_id - 1 };
        let before: Vec<u32> = desired.servers().map(|s| s.id).filter(|id| *id > 4).collect();
        desired = desired.apply(&recopy).expect("a fresh copy");
        let after = desired.db.server(&name("db3")).expect("there").id;
        for id in before.into_iter().chain([after]) {
            assert!(known.insert(id), "{id} again, in round {round}");
        }
        desired = desired.apply(&remove(PoolId::Web, "web3")).expect("gone");
        desired = desired.apply(&remove(PoolId::Db, "db3")).expect("gone");
    }
}
