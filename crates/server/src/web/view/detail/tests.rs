use std::collections::BTreeMap;

use cordee_domain::db::DatabaseSeen;
use cordee_domain::db::conflict::{Shown, Versions};
use cordee_domain::db::detail::{Answers, Crowd, Threads};
use cordee_domain::db::verify::TableName;
use cordee_domain::snapshot::Snapshot;
use cordee_domain::state::Status;

use super::super::facts;
use super::super::fixture::{name, snapshot};
use super::super::rows::token;
use super::*;
use crate::web::fixture::desired;

fn detail() -> Detail {
    let own =
        Answers { before: DatabaseSeen::default(), after: DatabaseSeen::default(), ..Answers::default() };
    Detail {
        at: 1_000,
        own: Ok(own),
        peers: BTreeMap::from([(name("db1"), Ok(DatabaseSeen::default()))]),
        comparisons: BTreeMap::new(),
        conflicts: std::collections::BTreeMap::new(),
        starts_closed: None,
    }
}

fn of<'a>(all: &'a Snapshot, called: &str) -> &'a ServerView {
    all.servers.iter().find(|s| s.name.as_str() == called).expect("a server")
}

#[test]
fn the_token_stays_while_only_figures_change() {
    let mut all = snapshot();
    let before = token(of(&all, "db2"), &all.servers);
    for server in &mut all.servers {
        for channel in server.channels.values_mut() {
            channel.delay_ms = Some(900);
        }
    }
    assert_eq!(token(of(&all, "db2"), &all.servers), before);
    for server in &mut all.servers {
        for channel in server.channels.values_mut() {
            channel.error = 1062;
        }
    }
    assert_ne!(token(of(&all, "db2"), &all.servers), before);
}

#[test]
fn both_directions_have_their_arrow() {
    let all = snapshot();
    let picture = crate::web::view::picture(&all, Lang::En, all.at);
    let own = picture.servers.iter().find(|s| s.name == "db2").expect("a row");
    let pairs = pairs(&picture, own, Some(&detail()), Lang::En);
    assert_eq!(pairs.len(), 1);
    assert_eq!((pairs[0].comes.from.as_str(), pairs[0].comes.to.as_str()), ("db1", "db2"));
    assert_eq!(pairs[0].goes.text, "3\u{a0}ms");
    assert_eq!(pairs[0].goes.missing, "nothing missing");
}

#[test]
fn three_truths_in_both_languages() {
    let (wish, all) = (desired(), snapshot());
    let db2 = wish.database(&name("db2")).expect("a server");
    for lang in Lang::ALL {
        let rows = truths(&wish, db2, Some(of(&all, "db2")), &detail(), lang, all.at);
        assert_eq!(rows.len(), 3);
        assert!(rows.iter().all(|t| !t.asks.is_empty() && !t.says.word.contains("truth-")), "{rows:?}");
        assert_eq!(rows[2].says.st, "unknown", "not compared yet");
    }
}

#[test]
fn trouble_comes_with_what_to_do() {
    let mut all = snapshot();
    assert_eq!(advice(of(&all, "db2"), Lang::En), None);
    all.servers[3].status = Status::bare(Severity::Critical, State::RowsDiffer);
    assert!(advice(&all.servers[3], Lang::En).is_some_and(|t| t.contains("Take one side’s rows")));
}

#[test]
fn an_error_is_explained_in_both_languages() {
    for (code, fr, en) in [(1062, "même clé", "same key"), (1236, "journal binaire", "binary log")] {
        let channel =
            Threads { apply_error: code, apply_words: "<b>words</b>".to_owned(), ..Threads::default() };
        let own = Answers { threads: BTreeMap::from([(name("db1"), channel)]), ..Answers::default() };
        let (french, english) = (facts::threads(&own, Lang::Fr), facts::threads(&own, Lang::En));
        assert!(french[0].errors[0].means.contains(fr) && english[0].errors[0].means.contains(en));
        assert_eq!((english[0].errors[0].code, english[0].errors[0].st), (code, "crit"));
    }
}

#[test]
fn a_conflict_shows_both_versions_in_both_languages() {
    let (wish, mut detail) = (desired(), detail());
    let db2 = wish.db.server(&name("db2")).expect("a server");
    let table = TableName { schema: "site".to_owned(), table: "note".to_owned() };
    let row = |word: &str| Some(vec!["7".to_owned(), word.to_owned()]);
    let versions = Versions {
        columns: vec!["id".to_owned(), "word".to_owned()],
        there: row("<b>theirs</b>"),
        here: row("ours"),
    };
    let at = Some((table, "PRIMARY = 7".to_owned()));
    let shown = Shown { at: at.clone(), versions: Ok(versions), statement: "INSERT INTO".to_owned() };
    detail.conflicts.insert(name("db1"), shown);
    let rows = facts::conflicts(db2, &detail, Lang::En);
    assert_eq!(rows[0].title, "db1 is not copied any further: site.note, PRIMARY = 7");
    let differs: Vec<bool> = rows[0].values.iter().map(|v| v.differs).collect();
    assert_eq!(differs, [false, true]);
    assert_eq!(
        (rows[0].values[1].there.as_str(), rows[0].values[1].here.as_str()),
        ("<b>theirs</b>", "ours")
    );
    // A row that is to be changed and does not exist has no versions.
    let none = Shown { at: None, versions: Err(text!("conflict-no-row")), statement: String::new() };
    detail.conflicts.insert(name("db1"), none);
    for lang in Lang::ALL {
        let rows = facts::conflicts(db2, &detail, lang);
        assert!(!rows[0].why.is_empty() && !rows[0].why.contains("conflict-") && rows[0].values.is_empty());
    }
}

#[test]
fn a_statement_with_a_password_is_only_mentioned() {
    let crowd = |statement: &str| Crowd {
        account: "shop".to_owned(),
        count: 1,
        busy: 1,
        longest: Some((61_000, statement.to_owned())),
    };
    let own =
        Answers { crowds: vec![crowd("SELECT SLEEP(99)"), crowd("SET PASSWORD='x'")], ..Answers::default() };
    let rows = facts::crowds(&own, Lang::En);
    assert_eq!((rows[0].time.as_str(), rows[0].statement.as_str()), ("61\u{a0}s", "SELECT SLEEP(99)"));
    assert!(rows[1].statement.starts_with('(') && !rows[1].statement.contains('x'));
}

/// The page once showed "2 of 200" over a list of seven.
#[test]
fn threads_of_mariadb_s_own_are_told_apart_from_connections() {
    let crowd = |account: &str, count| Crowd { account: account.to_owned(), count, ..Crowd::default() };
    let own = Answers {
        crowds: vec![crowd("event_scheduler", 1), crowd("system user", 6), crowd("cordee_repl", 1)],
        ..Answers::default()
    };
    let rows = facts::crowds(&own, Lang::En);
    let said: Vec<_> = rows.iter().map(|row| (row.account.as_str(), row.open.as_str())).collect();
    assert_eq!(
        said,
        [
            ("cordee_repl", "1 open"),
            ("replication", "6 threads of MariaDB’s own, not counted"),
            ("event_scheduler", "1 thread of MariaDB’s own, not counted"),
        ]
    );
}
