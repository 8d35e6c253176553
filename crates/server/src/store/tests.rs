//! Reads the history that the previous version wrote, and the history that is written now.

use cordee_domain::change::{Change, Request};
use cordee_domain::decision::{Basis, Decision, Overtaken};
use cordee_domain::ids::ServerName;
use rusqlite::params;

use super::{DecideError, Store};
use crate::web::fixture;
use cordee_node::clock::now;

fn name(text: &str) -> ServerName {
    ServerName::parse(text).unwrap()
}

/// A row as it is in a state file, with the current wish.
fn written(store: &Store, change: &str) -> u64 {
    let mut desired = store.desired().unwrap();
    desired.revision += 1;
    let wish = serde_json::to_string(&desired).unwrap();
    store
        .lock()
        .execute(
            "INSERT INTO desired (revision, at, actor, change, wish) VALUES (?1, ?2, 'cordee', ?3, ?4)",
            params![desired.revision, now(), change, wish],
        )
        .unwrap();
    desired.revision
}

/// Decisions went by name alone, and a person's request and Cordée's decision were one type.
#[test]
fn what_was_written_before_decisions_carried_ids_is_read() {
    let (app, _asks, _folder) = fixture::app();
    let store = &app.store;
    let before = [
        (r#"{"change":"recopy","name":"db2"}"#, "event-recopy"),
        (r#"{"change":"set_log_port","port":8699}"#, "event-log-port"),
        (r#"{"change":"depart","name":"web2"}"#, "event-removed"),
        (
            r#"{"change":"abandon_handover","name":"db2","why":{"key":"handover-late","args":{"name":"db2"}}}"#,
            "event-promote-abandoned",
        ),
        (r#"{"change":"elect","to":"db2","epoch":2,"limit":7}"#, "event-elected"),
        (r#"{"change":"elect","to":"db2","epoch":2,"limit":null}"#, "event-handed-over"),
        (r#"{"change":"admit","name":"db3"}"#, "event-admitted"),
        (r#"{"change":"forget","name":"db3"}"#, "event-forgotten"),
        (r#"{"change":"release","name":"db3"}"#, "event-release"),
        (r#"{"change":"let_go","name":"db3"}"#, "event-let-go"),
        (r#"{"change":"readmit","name":"db1","at":12}"#, "event-readmitted"),
        (r#"{"change":"readmit","name":"db1"}"#, "event-readmitted"),
        (r#"{"change":"saved","name":"db1","saved":{"count":3,"file":"lost/x.sql"}}"#, "event-saved"),
        (r#"{"change":"doubt","name":"db2","at":5,"by":"db1"}"#, "event-doubted"),
        (r#"{"change":"expel","name":"db1","lacks":3}"#, "event-expelled-lacks"),
        (r#"{"change":"expel","name":"db1"}"#, "event-expelled"),
        (r#"{"change":"promote","name":"db2","at":9,"accept_loss":true}"#, "event-promote-loss"),
        (r#"{"change":"remove_server","pool":"db","name":"db3"}"#, "event-leaves"),
        (r#"{"change":"set_routing","routing":"all-writers"}"#, "event-all-writers"),
        (r#"{"change":"reload","proxy":"web"}"#, "event-reload"),
    ];
    let first = store.desired().unwrap().revision;
    for (stored, says) in before {
        let revision = written(store, stored);
        let read = store.change(revision).unwrap().unwrap();
        assert_eq!(read.sentence().key, says, "{stored}");
        // No server has id 0, and no epoch is 0: no such decision can be carried out again.
        if let Change::Decision(decision) = &read
            && decision.about().is_some()
        {
            assert!(decision.about().is_some_and(|(_, id)| id == 0), "{stored}");
            let refused = store.decide(decision).unwrap_err();
            let overtaken = |why| matches!(why, Overtaken::Server | Overtaken::Epoch);
            assert!(matches!(refused, DecideError::Refused(why) if overtaken(why)), "{stored}: {refused:?}");
        }
    }
    assert_eq!(store.changes_after(first, 100).unwrap().len(), before.len());
    assert!(matches!(store.change(first + 1).unwrap(), Some(Change::Request(Request::Recopy { id: 0, .. }))));
}

/// A request is never read as a decision, nor the reverse, and the history does not store twice which of them it
/// is.
#[test]
fn what_is_written_now_is_read_back() {
    let (app, _asks, _folder) = fixture::app();
    let store = &app.store;
    let id = store.desired().unwrap().db.server(&name("db2")).unwrap().id;
    let recopy = Request::Recopy { name: name("db2"), id };
    let desired = store.commit(&recopy, "ana").unwrap();
    assert_eq!(store.change(desired.revision).unwrap(), Some(Change::Request(recopy)));
    let of = Basis { name: name("db2"), id: desired.next_id - 1, epoch: desired.epoch };
    let admit = Decision::Admit(of.clone());
    let admitted = store.decide(&admit).unwrap();
    assert_eq!(store.change(admitted.revision).unwrap(), Some(Change::Decision(admit.clone())));
    // Delivered a second time, the decision is overtaken: it makes neither a revision nor a line in the journal.
    let lines = || store.events_before(u64::MAX, 100).unwrap().len();
    let told = lines();
    let again = store.decide(&admit).unwrap_err();
    assert!(matches!(again, DecideError::Refused(Overtaken::Membership)), "{again:?}");
    assert_eq!((store.desired().unwrap(), lines()), (admitted, told));
    for change in [
        Change::Decision(Decision::Recopy(of.clone())),
        Change::Decision(Decision::Readmit { of: of.clone(), at: 7 }),
        Change::Decision(Decision::Doubt { of, at: 7, by: name("db1") }),
        Change::Decision(Decision::Elect { to: name("db2"), id: 2, epoch: 3, limit: None, asked: Some(4) }),
        Change::Decision(Decision::SetLogPort { port: 8_699, was: Some(8_698) }),
        Change::Decision(Decision::Depart { name: name("web2"), id: 4 }),
    ] {
        let revision = written(store, &serde_json::to_string(&change).unwrap());
        assert_eq!(store.change(revision).unwrap(), Some(change));
    }
}
