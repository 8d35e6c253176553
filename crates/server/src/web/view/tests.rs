use super::fixture::{snapshot, web};
use super::*;

fn row(server: ServerView, lang: Lang) -> ServerRow {
    let mut all = snapshot();
    all.servers = vec![server];
    picture(&all, lang, now()).servers.remove(0)
}

fn now() -> Millis {
    crate::clock::now()
}

#[test]
fn a_row_has_the_words_of_both_languages() {
    let mut server = web("web1");
    server.status = Status::new(Light::Critical, text!("status-down"), text!("reason-refused"));
    server.sessions = 0;
    let (fr, en) = (row(server.clone(), Lang::Fr), row(server, Lang::En));
    assert_eq!(
        (fr.status.st, fr.status.word.as_str(), fr.status.reason.as_str()),
        ("crit", "Hors ligne", "connexion refusée")
    );
    assert_eq!((en.status.word.as_str(), en.status.reason.as_str()), ("Down", "connection refused"));
    assert!(fr.todo);
    assert_eq!(
        (fr.kind.as_str(), fr.cookie.as_str(), fr.took.as_str()),
        ("Apache · PHP 8.2", "S1", "2\u{a0}ms")
    );
}

#[test]
fn french_and_english_count_alike_but_for_zero() {
    let small = |sessions, lang| row(ServerView { sessions, ..web("web1") }, lang).small;
    assert_eq!([0, 1, 2].map(|n| small(n, Lang::Fr)), ["0 session", "1 session", "2 sessions"]);
    assert_eq!([0, 1, 2].map(|n| small(n, Lang::En)), ["0 sessions", "1 session", "2 sessions"]);
}

#[test]
fn a_database_shows_its_role_and_both_delays() {
    let picture = picture(&snapshot(), Lang::Fr, now());
    let db = &picture.servers[2];
    assert_eq!((db.kind.as_str(), db.role.as_str()), ("MariaDB 10.11.14", "Reçoit les écritures"));
    assert_eq!((db.links[0].from.as_str(), db.links[0].text.as_str()), ("db2", "3\u{a0}ms"));
    assert_eq!(picture.rope.both.len(), 2);
}

#[test]
fn an_old_picture_shows_nothing_as_fine() {
    let snapshot = snapshot();
    let later = picture(&snapshot, Lang::En, snapshot.at + OLD_MS + 1);
    assert_eq!((later.verdict.st, later.verdict.word.as_str()), ("unknown", "State unknown"));
    assert!(later.servers.iter().all(|s| s.status.st == "unknown"));
    assert!(later.proxies.iter().all(|p| p.status.st == "unknown"));
}

#[test]
fn time_alone_changes_no_row() {
    let snapshot = snapshot();
    let (a, b) = (picture(&snapshot, Lang::En, snapshot.at), picture(&snapshot, Lang::En, snapshot.at + 900));
    assert_eq!(a, b);
    assert_ne!(ages(&snapshot, snapshot.at + 10), ages(&snapshot, snapshot.at + 900));
}

#[test]
fn the_rope_is_cut_where_a_server_is_down() {
    let mut all = snapshot();
    all.servers[0].status.light = Light::Critical;
    all.servers[1].status.light = Light::Progress;
    let rope = picture(&all, Lang::En, now()).rope;
    let classes: Vec<_> = rope.web.iter().map(|c| c.class).collect();
    assert_eq!(classes, ["cut", "cut", "thin"]);
    let standby: Vec<_> = rope.db.iter().map(|c| c.class).collect();
    assert_eq!(standby, ["thin", "", "lay"]);
}

#[test]
fn what_a_person_took_out_is_no_trouble() {
    let mut server = web("web1");
    server.status =
        Status::new(Light::Maintenance, text!("status-stopped"), text!("reason-stopped-by-person"));
    assert!(!row(server, Lang::Fr).todo);
}

#[test]
fn stopping_says_who_takes_the_visitors() {
    let all = snapshot();
    let q = question(&all, &all.servers[0], Risk::Stop, Lang::En);
    assert_eq!(q.title, "Stop web1");
    assert!(q.lead.contains("1 session on web1") && q.lead.contains("move to web2"), "{}", q.lead);
    assert_eq!(q.type_name, None);
}

#[test]
fn the_last_web_server_asks_for_its_name() {
    let mut all = snapshot();
    all.servers[1].status.light = Light::Critical;
    let ask = |server: usize, risk| question(&all, &all.servers[server], risk, Lang::Fr).type_name;
    assert_eq!(ask(0, Risk::Stop), Some("web1".to_owned()));
    assert_eq!(ask(0, Risk::Remove), Some("web1".to_owned()));
    assert_eq!(ask(0, Risk::Restart), None);
    assert_eq!(ask(1, Risk::Remove), None);
}

#[test]
fn stopping_the_writer_says_that_the_site_has_no_database() {
    let all = snapshot();
    let lead = question(&all, &all.servers[2], Risk::Stop, Lang::En).lead;
    assert!(lead.contains("the site has no database"), "{lead}");
}

#[test]
fn ages_are_said_as_people_say_them() {
    assert_eq!(age(420, Lang::Fr), "0,4\u{a0}s");
    assert_eq!(age(420, Lang::En), "0.4\u{a0}s");
    assert_eq!(age(14_900, Lang::En), "14\u{a0}s");
    assert_eq!(age(180_000, Lang::En), "3\u{a0}min");
}
