//! Passwords, sessions and browsers, in a store of the test's own.

use argon2::password_hash::phc::PasswordHash;

use super::*;
use crate::store::{NewToken, TokenName};
use crate::web::fixture::Folder;
use crate::web::{App, fixture};

#[test]
fn nobodys_hash_costs_what_everybodys_does() {
    let ours = hash_password("anything").unwrap();
    let (ours, nobodys) = (PasswordHash::new(&ours).unwrap(), PasswordHash::new(NOBODYS).unwrap());
    assert_eq!(ours.algorithm, nobodys.algorithm);
    assert_eq!(ours.params.to_string(), nobodys.params.to_string());
    let length = |hash: &PasswordHash| hash.hash.as_ref().unwrap().as_ref().len();
    assert_eq!(length(&ours), length(&nobodys));
    assert!(!matches("anything", NOBODYS).unwrap());
}

fn ana() -> (App, Account, Folder) {
    let (app, _asks, folder) = fixture::app();
    app.store.create_first_account("ana", "long enough").unwrap();
    (app, Account("ana".to_owned()), folder)
}

fn mark(n: u32) -> BrowserMark {
    BrowserMark::parse(&format!("{n:064x}")).unwrap()
}

fn arrival(n: u32) -> Arrival {
    Arrival { device: Device::default(), mark: Some(mark(n)) }
}

fn known(store: &Store, n: u32) -> bool {
    store.browser(&mark(n), &Account("ANA".to_owned())).unwrap().is_some()
}

fn count(store: &Store, table: &str) -> u32 {
    store.lock().query_row(&format!("SELECT count(*) FROM {table}"), [], |r| r.get(0)).unwrap()
}

#[test]
fn what_was_proven_is_worth_nothing_once_the_password_is_another_one() {
    let (app, ana, _folder) = ana();
    let store = &app.store;
    let proven = store.password_matches("ANA", "long enough").unwrap().expect("right");
    assert!(store.password_matches("ana", "wrong").unwrap().is_none());
    assert!(store.password_matches("eve", "long enough").unwrap().is_none());
    let here = arrival(1);
    assert!(store.enter(&proven, &here).unwrap().is_some());

    // The password changes between the comparison and its use.
    store.change_password(&ana, "another one", None, None, "cli").unwrap();
    let sums = ["session", "browser", "token"].map(|table| count(store, table));
    assert_eq!(sums, [0, 0, 0]);
    assert!(store.enter(&proven, &here).unwrap().is_none());
    let token = store.make_token(&TokenName("backup".to_owned()), None, Some(&proven), "ana").unwrap();
    assert_eq!(token, NewToken::Stale);
    let changed = store.change_password(&ana, "a third one", Some(&proven), Some(&here), "ana").unwrap();
    assert!(matches!(changed, Changed::Stale), "{changed:?}");
    assert!(store.password_matches("ana", "another one").unwrap().is_some());
    assert_eq!(["session", "browser", "token"].map(|table| count(store, table)), sums);
    // The same password, set again, counts as a new one: whoever set it meant to end all sessions.
    let again = store.password_matches("ana", "another one").unwrap().expect("right");
    store.change_password(&ana, "another one", Some(&again), None, "ana").unwrap();
    assert!(store.enter(&again, &here).unwrap().is_none());
}

#[test]
fn what_cannot_be_noted_is_not_done() {
    let (app, ana, _folder) = ana();
    let (store, here, name) = (&app.store, arrival(1), TokenName("backup".to_owned()));
    let own = store.sign_in(&ana, &here.device).unwrap();
    let other = store.sign_in(&ana, &here.device).unwrap();
    store.create_token(&name, None).unwrap().expect("a token");
    let full = "CREATE TRIGGER disk_full BEFORE INSERT ON event BEGIN SELECT RAISE(ABORT, 'full'); END";
    store.lock().execute_batch(full).unwrap();
    assert!(store.change_password(&ana, "another one", None, Some(&here), "ana").is_err());
    assert!(store.end_sessions(&ana, None, &own.0, "ana").is_err());
    assert!(store.revoke_token("backup", "ana").is_err());
    assert!(store.make_token(&TokenName("x".to_owned()), None, None, "ana").is_err());
    assert!(store.password_matches("ana", "long enough").unwrap().is_some());
    assert!(store.session_lasts(&other.0).unwrap());
    assert_eq!(["session", "browser", "token"].map(|table| count(store, table)), [2, 0, 1]);
    store.lock().execute_batch("DROP TRIGGER disk_full").unwrap();

    let done = store.change_password(&ana, "another one", None, Some(&here), "ana").unwrap();
    let Changed::Done(Some(entered)) = &done else { panic!("{done:?}") };
    assert!(store.session_lasts(&entered.0).unwrap() && known(store, 1));
    assert!(!store.session_lasts(&other.0).unwrap());
    assert_eq!(store.revoke_token("BACKUP", "ana").unwrap(), Some("backup".to_owned()));
    let told: Vec<_> = store.events_after(0, 9).unwrap().into_iter().map(|e| e.text.key).collect();
    assert_eq!(told, ["event-password", "event-token-revoked"]);
}

#[test]
fn an_account_is_made_whole_or_not_at_all() {
    let (app, _asks, _folder) = fixture::app();
    let (store, here) = (&app.store, arrival(1));
    let full = "CREATE TRIGGER disk_full BEFORE INSERT ON event BEGIN SELECT RAISE(ABORT, 'full'); END";
    store.lock().execute_batch(full).unwrap();
    assert!(store.set_up("ana", "long enough", &here).is_err());
    assert!(!store.has_account().unwrap());
    store.lock().execute_batch("DROP TRIGGER disk_full").unwrap();
    let entered = store.set_up("ana", "long enough", &here).unwrap().expect("the first one");
    assert!(store.session_lasts(&entered.0).unwrap() && known(store, 1));
    assert!(store.set_up("eve", "long enough", &here).unwrap().is_none());
    assert_eq!(["account", "session", "browser", "event"].map(|table| count(store, table)), [1, 1, 1, 1]);
}

#[test]
fn a_browser_is_known_by_what_it_brought_with_the_password() {
    let (app, ana, _folder) = ana();
    let store = &app.store;
    let proven = store.password_matches("ana", "long enough").unwrap().expect("right");
    let enter = |n| store.enter(&proven, &arrival(n)).unwrap().expect("let in");
    assert!(!known(store, 1));
    enter(1);
    assert!(known(store, 1) && !known(store, 2));
    assert!(store.browser(&mark(1), &Account("eve".to_owned())).unwrap().is_none(), "another account's");
    // Without the page's script no browser is remembered, and no mark is made up.
    store.enter(&proven, &Arrival::default()).unwrap().expect("let in");
    assert_eq!(count(store, "browser"), 1);
    // Each sign-in extends the time for which the browser is recognised, and makes no second row.
    let age = |ms: u64| store.lock().execute("UPDATE browser SET seen = seen - ?1", params![ms]).unwrap();
    age(BROWSER_KEPT_MS - 60_000);
    enter(1);
    age(120_000);
    assert!(known(store, 1) && count(store, "browser") == 1);
    age(BROWSER_KEPT_MS);
    assert!(!known(store, 1));
    enter(1);
    assert!(known(store, 1));
    // Of very many browsers the one that was not used for the longest time is forgotten, also when the clock was
    // set back.
    store.lock().execute("UPDATE browser SET seen = seen + 9000000", []).unwrap();
    for n in 2..=BROWSERS + 1 {
        enter(n);
        assert!(known(store, n), "{n}");
    }
    assert_eq!(count(store, "browser"), BROWSERS);
    assert!(known(store, 1), "it was used last, by its time");
    store.change_password(&ana, "another one", None, Some(&arrival(7)), "ana").unwrap();
    assert!(known(store, 7) && count(store, "browser") == 1);
}

#[test]
fn whoever_only_looks_keeps_no_session_and_no_token_in_use() {
    let (app, ana, _folder) = ana();
    let store = &app.store;
    let session = store.sign_in(&ana, &Device::default()).unwrap().0;
    let token = store.create_token(&TokenName("backup".to_owned()), None).unwrap().expect("a token");
    let before = now() - 20 * 60_000;
    let seen = |table: &str| -> u64 {
        store.lock().query_row(&format!("SELECT seen FROM {table}"), [], |r| r.get(0)).unwrap()
    };
    for table in ["session", "token"] {
        store.lock().execute(&format!("UPDATE {table} SET seen = ?1"), params![before]).unwrap();
    }
    assert!(store.session_lasts(&session).unwrap() && store.token_lasts(&token).unwrap());
    assert_eq!((seen("session"), seen("token")), (before, before));
    assert!(store.session(&session).unwrap().is_some() && store.token(&token).unwrap().is_some());
    assert!(seen("session") > before && seen("token") > before, "a request is written down");
    // No request for half an hour.
    store.lock().execute("UPDATE session SET seen = ?1", params![now() - IDLE_MS - 1]).unwrap();
    assert!(!store.session_lasts(&session).unwrap());
    assert!(!store.token_lasts("cordee_nothing").unwrap());
}
