use cordee_domain::attached::Held;
use cordee_domain::db::freight::Freight;
use cordee_domain::db::verify::{OddTables, TableName};
use cordee_domain::desired::{Admin, Handover, Membership, Power, Routing, Runtime, Saved};
use cordee_domain::observed::Gap;
use cordee_domain::sessions::Mode;
use cordee_domain::snapshot::Role;

use super::fixture::{database, name, snapshot, web};
use super::*;
use crate::control::act::Risk;
use crate::control::guard::{insists, ticks};

fn row(server: ServerView, lang: Lang) -> ServerRow {
    let mut all = snapshot();
    all.servers = vec![server];
    picture(&all, lang, now()).servers.remove(0)
}

fn now() -> Millis {
    cordee_node::clock::now()
}

#[test]
fn a_row_has_the_words_of_both_languages() {
    let mut server = web("web1");
    server.status = Status::new(Severity::Critical, State::Down, text!("reason-refused"));
    server.sessions = 0;
    let (fr, en) = (row(server.clone(), Lang::Fr), row(server, Lang::En));
    assert_eq!(
        (fr.status.st, fr.status.word.as_str(), fr.status.reason.as_str()),
        ("crit", "Hors ligne", "connexion refusée")
    );
    assert_eq!((en.status.word.as_str(), en.status.reason.as_str()), ("Down", "connection refused"));
    assert_eq!(
        (fr.kind.as_str(), fr.cookie.as_str(), fr.took.as_str()),
        ("Apache · PHP 8.2", "S1", "2\u{a0}ms")
    );
}

#[test]
fn french_and_english_count_alike_but_for_zero() {
    let small = |sessions, lang| row(ServerView { sessions, ..web("web1") }, lang).small;
    assert_eq!([0, 1, 2].map(|n| small(n, Lang::Fr)), ["0 en cours", "1 en cours", "2 en cours"]);
    assert_eq!([0, 1, 2].map(|n| small(n, Lang::En)), ["0 under way", "1 under way", "2 under way"]);
    let held = |visitors| ServerView { attached: Some(Held { visitors, minutes: 30 }), ..web("web1") };
    assert_eq!(
        [1, 4].map(|n| row(held(n), Lang::Fr).small),
        ["1 attaché", "4 attachés"],
        "who holds its cookie"
    );
}

#[test]
fn a_database_shows_its_role_and_both_delays() {
    let picture = picture(&snapshot(), Lang::Fr, now());
    let db = &picture.servers[2];
    assert_eq!((db.kind.as_str(), db.role.as_str()), ("MariaDB 10.11.14", "Reçoit les écritures"));
    assert_eq!((db.channels[0].from.as_str(), db.channels[0].text.as_str()), ("db2", "3\u{a0}ms"));
    assert_eq!(picture.rope.both.len(), 2);
}

#[test]
fn an_old_picture_shows_nothing_as_fine() {
    let snapshot = snapshot();
    let later = picture(&snapshot, Lang::En, snapshot.at + OLD_MS + 1);
    assert_eq!((later.verdict.st, later.verdict.word.as_str()), ("unknown", "State unknown"));
    assert_eq!((later.causes.len(), later.causes[0].st, later.causes[0].remedies.len()), (1, "unknown", 1));
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
    all.servers[0].status.severity = Severity::Critical;
    all.servers[1].status.severity = Severity::Progress;
    let rope = picture(&all, Lang::En, now()).rope;
    let classes: Vec<_> = rope.web.iter().map(|c| c.class).collect();
    assert_eq!(classes, ["cut", "cut", "thin"]);
    let standby: Vec<_> = rope.db.iter().map(|c| c.class).collect();
    assert_eq!(standby, ["thin", "", "lay"]);
}

#[test]
fn many_servers_are_one_bead_that_counts_them() {
    let crowd = |severities: &[Severity], lang| {
        let mut all = snapshot();
        all.servers = (severities.iter().enumerate())
            .map(|(n, severity)| ServerView {
                status: Status::bare(*severity, State::Up),
                ..web(&format!("w{n}"))
            })
            .collect();
        picture(&all, lang, now()).rope
    };
    let (good, down, aside) = (Severity::Good, Severity::Critical, Severity::Maintenance);
    assert_eq!(crowd(&[good; 6], Lang::En).web_crowd, None);
    let rope = crowd(&[good, good, good, good, good, down, aside], Lang::En);
    let one = rope.web_crowd.expect("one bead");
    assert_eq!((one.st, one.title.as_str()), ("warn", "7 web servers"));
    assert_eq!(one.says, "5 up · 1 needs attention · 1 set aside");
    assert_eq!((rope.web[0].class, rope.web.len()), ("", 2), "one whole stroke and its lay");
    let french = crowd(&[good, down, down, good, good, good, good], Lang::Fr).web_crowd.expect("one bead");
    assert_eq!((french.title.as_str(), french.says.as_str()), ("7 serveurs web", "5 en ligne · 2 à traiter"));
    let none = crowd(&[down; 7], Lang::En);
    assert_eq!(none.web_crowd.map(|one| one.st), Some("crit"));
    assert_eq!(none.web[0].class, "cut");
    assert_eq!(
        crowd(&[Severity::Unknown; 9], Lang::En).web_crowd.map(|one| one.says),
        Some("9 unknown".to_owned())
    );
}

/// The bead once counted two servers that need attention, while the list named one.
#[test]
fn a_bead_counts_as_needing_attention_what_the_list_names() {
    let mut all = snapshot();
    let warns = |n: u8| {
        let name = format!("db{n}");
        let status = Status::bare(Severity::Warning, State::Alone);
        ServerView { status, ..database(&name, Role::Standby, "db1") }
    };
    all.servers = (1..=7).map(warns).collect();
    all.causes = vec![Cause {
        about: About::Servers(PoolId::Db, vec![name("db1")]),
        status: Remark::bare(Severity::Warning, State::Alone.sentence()),
        asked: None,
        explains: (2..=7).map(|n| name(&format!("db{n}"))).collect(),
        remedies: vec![Remedy::Itself],
    }];
    let bead = picture(&all, Lang::En, now()).rope.db_crowd.expect("one bead");
    assert_eq!((bead.st, bead.says.as_str()), ("warn", "6 up · 1 needs attention"));
}

#[test]
fn stopping_says_who_takes_the_visitors() {
    let mut all = snapshot();
    let ask = |all: &Snapshot| question(all, &all.servers[0], Risk::Stop, Lang::En);
    assert!(ask(&all).lead.contains("not known how many visitors"), "{}", ask(&all).lead);
    all.servers[0].attached = Some(Held { visitors: 4, minutes: 30 });
    let q = ask(&all);
    assert_eq!(q.title, "Stop web1");
    assert!(
        q.lead.contains("4 visitors are attached to web1") && q.lead.contains("move to web2"),
        "{}",
        q.lead
    );
    assert!(q.more.contains("lose what their PHP session keeps in a file of web1"), "{}", q.more);
    all.session = Mode::Database;
    let q = ask(&all);
    assert!(q.lead.contains("No visitor is tied") && q.more.contains("nobody loses"), "{q:?}");
    assert_eq!(q.type_name, None);
}

/// The one act that cannot be undone once warned least: it did not mention sessions, nor that files are removed.
#[test]
fn removing_says_what_is_lost_and_where_the_folder_goes() {
    let mut all = snapshot();
    let ask = |all: &Snapshot, risk| question(all, &all.servers[0], risk, Lang::En);
    let lost = "lose what their PHP session keeps";
    let q = ask(&all, Risk::Remove);
    assert!(q.more.contains(lost) && q.more.contains("its folder goes to the trash"), "{q:?}");
    assert!(!q.lead.contains("without an error"), "{}", q.lead);
    all.servers[0].runtime = Runtime::External;
    let q = ask(&all, Risk::Remove);
    assert!(q.more.contains(lost) && q.more.contains("is not touched") && !q.more.contains("trash"), "{q:?}");
    assert!(q.facts.iter().all(|(_, says)| !says.contains("trash")), "{q:?}");
    all.servers[0].in_proxy = Some(Admin::Maintenance);
    assert!(!ask(&all, Risk::Remove).more.contains(lost), "nobody is sent to it");
    // A visitor with the cookie of a draining server loses nothing, even if that is the last server.
    all.servers[1].status.severity = Severity::Critical;
    let q = ask(&all, Risk::Drain);
    assert!(q.lead.contains("new visitors get no page") && !q.more.contains(lost), "{q:?}");
    all.session = Mode::Database;
    assert!(ask(&all, Risk::Drain).lead.contains("does not answer any more"), "there is no cookie then");
}

#[test]
fn the_last_web_server_asks_for_its_name() {
    let mut all = snapshot();
    all.servers[1].status.severity = Severity::Critical;
    let ask = |server: usize, risk| question(&all, &all.servers[server], risk, Lang::Fr).type_name;
    assert_eq!(ask(0, Risk::Stop), Some("web1".to_owned()));
    assert_eq!(ask(0, Risk::Remove), Some("web1".to_owned()));
    for leaves in [Risk::Restart, Risk::Drain, Risk::Maintenance, Risk::Anyway] {
        assert_eq!(ask(0, leaves), Some("web1".to_owned()), "{leaves:?}");
    }
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

/// A snapshot with a measured change of writer.
fn measured() -> Snapshot {
    let mut all = snapshot();
    all.gap = Some(Gap { epoch: 2, at: all.at - 120_000, ms: 51 });
    all
}

#[test]
fn promoting_says_what_visitors_meet_first_and_how_long() {
    let mut all = measured();
    let q = question(&all, &all.servers[3], Risk::Promote, Lang::En);
    assert_eq!((q.title.as_str(), q.action.as_str()), ("Promote db2", "/pools/db/servers/db2/promote"));
    assert!(q.lead.contains("51\u{a0}ms") && q.lead.contains("So do reads"), "{}", q.lead);
    assert!(q.more.contains("db1 is closed") && q.facts[2].1.contains("row of db1"), "{q:?}");
    assert!(q.type_name.is_none() && !q.danger);
    all.gap = None;
    assert!(question(&all, &all.servers[3], Risk::Promote, Lang::Fr).lead.contains("pas encore été mesurée"));
}

#[test]
fn a_writer_out_of_reach_makes_promoting_a_matter_of_loss() {
    let mut all = measured();
    let ask = |all: &Snapshot, lang| question(all, &all.servers[3], Risk::Promote, lang);
    for word in [State::Down, State::Unknown, State::Unreachable] {
        all.servers[2].status = Status::bare(Severity::Critical, word);
        let q = ask(&all, Lang::En);
        assert_eq!(q.type_name.as_deref(), Some("db2"));
        assert!(q.danger && q.know.contains("only db1 holds") && q.know.contains("kept in a file"), "{q:?}");
    }
    all.routing = Routing::AllWriters;
    assert!(!ask(&all, Lang::Fr).know.contains("fichier"));
    assert!(ask(&all, Lang::En).lead.contains("the other databases that are open go on"));
    // A writer that answers hands over, whatever else is wrong with it.
    all.servers[2].status = Status::bare(Severity::Critical, State::Blocked);
    assert_eq!(ask(&all, Lang::En).type_name, None);
    all.servers[2].power = Power::Off;
    assert_eq!(ask(&all, Lang::En).type_name.as_deref(), Some("db2"));
    all.routing = Routing::OneWriter;
    assert!(ask(&all, Lang::En).more.contains("starting it again loses nothing"));
}

fn diverged() -> Membership {
    Membership::Diverged(Saved { count: 1, file: "lost/x".to_owned() })
}

#[test]
fn a_database_goes_by_its_name_and_visitors_come_first() {
    let mut all = snapshot();
    let ask = |all: &Snapshot, risk| question(all, &all.servers[3], risk, Lang::En);
    for risk in [Risk::Remove, Risk::Recopy] {
        let q = ask(&all, risk);
        assert!(q.lead.starts_with("The site stays up with db1 alone"), "{}", q.lead);
        assert_eq!((q.type_name.as_deref(), q.know.as_str()), (Some("db2"), ""));
        assert!(insists(&all, &all.servers[3], risk) && !ticks(&all, &all.servers[3], risk));
    }
    all.routing = Routing::AllWriters;
    assert!(ask(&all, Risk::Remove).lead.contains("connection is cut"));
    all.servers[3].membership = Some(Membership::Joining);
    let cancel = ask(&all, Risk::Remove);
    assert_eq!((cancel.title.as_str(), cancel.type_name), ("Stop adding db2", None));
    assert!(cancel.more.contains("goes to the trash") && cancel.action.ends_with("/db2/remove"));
}

#[test]
fn a_database_that_joins_shows_how_far_it_is_and_can_be_cancelled() {
    let mut all = snapshot();
    let seen = &mut all.servers[3];
    seen.membership = Some(Membership::Joining);
    seen.progress = Some(42);
    seen.actions = vec![cordee_domain::actions::Action::Test, cordee_domain::actions::Action::Remove];
    let row = picture(&all, Lang::En, now()).servers.remove(3);
    assert_eq!((row.progress, row.role.as_str()), (Some(42), "New"));
    assert!(row.has("cancel") && row.has("cancel-first") && !row.has("remove") && !row.has("test-first"));
}

#[test]
fn a_join_is_foretold_or_refused_with_every_reason() {
    let donor = fixture::name("db2");
    let tables = OddTables { all: 3, ..OddTables::default() };
    let freight = Freight::default();
    let mut plan = crate::board::JoinPlan {
        donor,
        from_writer: false,
        bytes: 1,
        tables,
        freight,
        slot: 3,
        id: 5,
        at: None,
    };
    let told = joining(&Ok(plan.clone()), &snapshot(), Lang::En);
    assert!(told.may() && told.name == "db3" && told.steps.len() == 5, "{told:?}");
    assert_eq!(told.facts[1].1, "1 MiB, 3 tables of the site");
    assert_eq!(told.facts.len(), 3);
    plan.tables.keyless.push(TableName { schema: "wiki".to_owned(), table: "querycache".to_owned() });
    let told = joining(&Ok(plan), &snapshot(), Lang::En);
    assert!(told.may() && told.facts[3].1.contains("wiki.querycache"), "a warning, no refusal: {told:?}");
    let why = [text!("problem-join-donor"), text!("problem-join-program")];
    let problems = why.map(|t| cordee_domain::problem::Problem::conflict("name", t)).into();
    let refused = joining(&Err(problems), &snapshot(), Lang::En);
    assert!(!refused.may() && !refused.waits() && refused.reasons.len() == 2);
}

#[test]
fn no_question_leaves_an_argument_open() {
    let at = std::net::SocketAddr::from(([127, 0, 0, 1], 3308));
    let down = Status::bare(Severity::Critical, State::Down);
    let mut all = Vec::new();
    for lang in Lang::ALL {
        for routing in [Routing::OneWriter, Routing::AllWriters] {
            for (lost, power) in [(false, Power::On), (true, Power::On), (true, Power::Off)] {
                for measured in [measured(), snapshot()] {
                    let mut seen = Snapshot { routing, ..measured };
                    seen.servers[2].power = power;
                    if lost {
                        seen.servers[2].status = down.clone();
                    }
                    for risk in [Risk::Promote, Risk::Restart, Risk::Stop, Risk::Remove, Risk::Recopy] {
                        for membership in
                            [Membership::Member, Membership::Joining, Membership::Leaving, diverged()]
                        {
                            seen.servers[3].membership = Some(membership);
                            all.push(question(&seen, &seen.servers[3], risk, lang));
                        }
                    }
                    all.push(sharing(&seen, Routing::AllWriters, at, lang));
                    all.push(sharing(&seen, Routing::OneWriter, at, lang));
                }
            }
        }
    }
    for q in all {
        assert!(!format!("{q:?}").contains("{$"), "{q:?}");
    }
}

#[test]
fn promote_stands_beside_the_menu_when_the_writer_is_lost() {
    let mut all = snapshot();
    let shown = |all: &Snapshot| picture(all, Lang::En, now()).servers.remove(3);
    let row = shown(&all);
    assert!(row.has("promote") && row.has("test-first") && !row.has("promote-first") && !row.has("test-too"));
    all.servers[2].status = Status::bare(Severity::Critical, State::Down);
    let row = shown(&all);
    assert!(row.has("promote") && row.has("promote-first") && row.has("test-too") && !row.has("test-first"));
}

#[test]
fn the_writer_says_why_it_is_not_stopped() {
    let mut all = snapshot();
    let shown = |all: &Snapshot| picture(all, Lang::En, now()).servers.remove(2);
    let row = shown(&all);
    assert!(row.has("held") && !row.has("stop") && row.held.contains("make db2 the writer first"), "{row:?}");
    all.servers[3].power = Power::Off;
    let row = shown(&all);
    assert!(row.held.contains("then remove db1"), "{}", row.held);
    all.servers.remove(3);
    assert!(shown(&all).held.contains("db1 is the only database"));
}

#[test]
fn where_all_write_the_question_says_what_is_lost_and_the_rows_say_who() {
    let mut all = snapshot();
    let at = std::net::SocketAddr::from(([127, 0, 0, 1], 3308));
    all.servers[2].channels.values_mut().for_each(|l| l.delay_ms = Some(17));
    let q = sharing(&all, Routing::AllWriters, at, Lang::En);
    assert!(q.lead.contains("17\u{a0}ms") && q.lead.contains("without an error"), "{}", q.lead);
    assert!(q.facts.iter().any(|f| f.1.contains("127.0.0.1:3308") && f.1.contains("db1")), "{q:?}");
    for server in &mut all.servers {
        server.channels.clear();
    }
    assert!(sharing(&all, Routing::AllWriters, at, Lang::Fr).lead.contains("non mesuré"));
    all.routing = Routing::AllWriters;
    let shown = picture(&all, Lang::En, now());
    assert_eq!(shown.writing.routing, "all-writers");
    assert_eq!(
        (shown.servers[2].role.as_str(), shown.servers[3].role.as_str()),
        ("Takes writes", "Also writes")
    );
    assert!(shown.servers[2].writer && !shown.servers[3].writer);
    let strokes: Vec<_> = shown.rope.db.iter().map(|c| c.class).collect();
    assert_eq!(strokes, ["", "lay", "", "lay"]);
    let back = sharing(&all, Routing::OneWriter, at, Lang::En);
    assert!(back.lead.contains("Connections to db2 are cut"), "{}", back.lead);
    all.servers[3].membership = Some(Membership::Diverged(Saved { count: 1, file: "lost/x.sql".to_owned() }));
    assert_eq!(picture(&all, Lang::En, now()).servers[3].role, "Set aside");
}

#[test]
fn the_last_change_of_writer_is_shown_and_its_age_is_apart() {
    let all = measured();
    let shown = picture(&all, Lang::En, all.at);
    assert_eq!(shown.writing.gap, "Last change of writer: at most 51\u{a0}ms without writes");
    assert_eq!(ages(&all, all.at)[GAP_AGE], 120_000);
    assert!(picture(&snapshot(), Lang::En, now()).writing.gap.is_empty());
}

#[test]
fn a_handover_is_not_called_good_or_starting() {
    let mut all = snapshot();
    all.handover = Some(Handover { to: super::fixture::name("db2"), at: all.at, accept_loss: false });
    let shown = picture(&all, Lang::En, now()).verdict;
    assert_eq!((shown.st, shown.word.as_str()), ("busy", "The writer is changing"));
    all.verdict.severity = Severity::Critical;
    assert_eq!(picture(&all, Lang::En, now()).verdict.st, "crit");
}
