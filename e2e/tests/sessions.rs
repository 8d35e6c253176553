//! Where a visitor's session is: on the server to which HAProxy brings them back, or in the database, where every
//! server finds it. What each mode keeps when a server dies, what the switch between them costs, and which ids are
//! believed.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed expectation is how a test ends")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use cordee_e2e::absence::around_a_kill;
use cordee_e2e::api::Snapshot;
use cordee_e2e::axe;
use cordee_e2e::browser::Browser;
use cordee_e2e::case;
use cordee_e2e::cluster::Cluster;
use cordee_e2e::db::Db;
use cordee_e2e::guests::{Guest, Visit, arrive_on, each};
use cordee_e2e::http::Client;
use cordee_e2e::load::{Ask, Load};
use cordee_e2e::outage::Obstacle;
use cordee_e2e::pair::{Pair, open, wait_for_no_ack};
use cordee_e2e::procs::{Frozen, Process};
use cordee_e2e::suite::File;
use cordee_e2e::wait;
use rustix::process::Signal;
use serde_json::json;

/// A switch needs no reload: it is in force as soon as HAProxy was told.
const IN_FORCE: Duration = Duration::from_secs(3);
/// A killed web server is back by then, its back-off included.
const BACK: Duration = Duration::from_secs(20);
/// Acceptance: how long visitors are sent away when the writer dies while commits wait for an ACK.
const AWAY: Duration = Duration::from_secs(2);
/// Acceptance: a request that opens its session is told by then that it cannot (`lock_wait` of 4 s, and 4 s), and
/// has a second for everything else.
const TOLD: Duration = Duration::from_secs(9);
const VISITORS: usize = 200;
const MODES: [&str; 2] = ["proxy", "database"];

/// Its cases.
pub fn file() -> File {
    File::new(
        "sessions",
        &[],
        &[
            case!(an_id_from_outside_is_never_adopted),
            case!(a_sign_in_changes_the_id_and_a_log_out_is_final),
            case!(a_form_of_another_site_is_refused),
            case!(kept_by_haproxy_two_hundred_visitors_move_once_when_their_server_dies),
            case!(twenty_switches_lose_no_request_and_no_header_is_believed),
            case!(kept_in_the_database_every_server_answers_and_none_is_missed),
            case!(a_person_finds_the_colour_on_the_other_server),
            case!(without_a_database_the_page_says_so_and_the_session_waits),
            case!(behind_a_frozen_proxy_a_request_ends_and_does_nothing_later),
            case!(the_writer_dies_and_no_session_is_lost),
            case!(the_writer_dies_without_a_standby_and_what_is_lost_is_counted),
        ],
    )
}

/// Switches, and gives the time between asking and its being in force.
#[track_caller]
fn switch(cluster: &Cluster, mode: &str) -> (Instant, Instant) {
    let api = cluster.api();
    let begun = Instant::now();
    let reply = api.call("PUT", "/v1/pools/web/session", Some(&json!({ "mode": mode }))).expect("the switch");
    assert!(reply.ok(), "{reply:?}");
    wait::until(&format!("sessions are kept by {mode}"), IN_FORCE, || in_force(&api.try_snapshot()?, mode));
    (begun, Instant::now())
}

/// File, process and wish agree.
fn in_force(seen: &Snapshot, mode: &str) -> Result<(), String> {
    let proxy = seen.proxy("web");
    if seen.session.as_deref() == Some(mode) && proxy.settled { Ok(()) } else { Err(format!("{proxy:?}")) }
}

/// The mode that an answer says was used.
fn mode_of(answer: &cordee_e2e::http::Answer) -> String {
    answer.header("x-cordee-session").unwrap_or("none").to_owned()
}

/// The id of a visitor's session.
fn id_of(client: &Client, mode: &str) -> Option<String> {
    client.cookies.get(name_of(mode)).cloned()
}

/// The name of its cookie.
fn name_of(mode: &str) -> &'static str {
    if mode == "proxy" { "couleur_sid" } else { "couleur_dbid" }
}

// ---- ids

fn an_id_from_outside_is_never_adopted(cluster: &Cluster) {
    let long = "a".repeat(257);
    let strange = ["", "short", "../../../../../etc/passwd", "a b c d e f g h i j k l m n", &long];
    let plausible = "0123456789abcdef0123456789abcdef";
    for mode in MODES {
        switch(cluster, mode);
        for planted in strange.into_iter().chain([plausible]) {
            let mut visitor = Client::with_jar(cluster.site()).cookie(name_of(mode), planted);
            let answer = visitor.get("/couleur").unwrap();
            assert_eq!((answer.status, mode_of(&answer).as_str()), (200, mode), "{planted:?}");
            let id = id_of(&visitor, mode).expect("a session's cookie");
            assert_ne!(id, planted, "adopted in mode {mode}");
            assert!(id.len() >= 32 && id.bytes().all(|b| b.is_ascii_alphanumeric()), "{id}");
            let set = answer.headers.iter().find(|(n, v)| n == "set-cookie" && v.starts_with(name_of(mode)));
            let set = set.expect("a new id is set").1.to_lowercase();
            assert!(set.contains("httponly") && set.contains("samesite=lax"), "{set}");
            assert!(!answer.text().contains(&id), "the page shows the whole id");
        }
        // What a mode keeps is nothing to the other: its cookie has another name.
        let other = Client::with_jar(cluster.site()).cookie(name_of(other(mode)), plausible).get("/couleur");
        assert_eq!(other.unwrap().status, 200);
    }
    switch(cluster, "proxy");
}

fn other(mode: &str) -> &'static str {
    if mode == "proxy" { "database" } else { "proxy" }
}

fn a_sign_in_changes_the_id_and_a_log_out_is_final(cluster: &Cluster) {
    for mode in MODES {
        switch(cluster, mode);
        let mut guest = Guest::new(cluster.site(), 3);
        guest.settle();
        let before = guest.client.cookies.clone();
        assert_eq!(guest.client.post_form("/compte", &[("name", " \u{1}")]).unwrap().status, 422);
        assert_eq!(guest.client.post_form("/compte", &[("name", "Ana <b>")]).unwrap().status, 303);
        let signed = guest.client.cookies.clone();
        assert_ne!(before.get(name_of(mode)), signed.get(name_of(mode)), "{mode}: the id is the same");
        let page = guest.client.get("/compte").unwrap().text();
        assert!(page.contains("Ana &lt;b&gt;") && page.contains("value=\"out\""), "{mode}: {page}");
        let found = guest.look();
        guest.assert_found(&found);
        assert_nobody(cluster, &before, mode, "the id from before the sign-in");
        assert_eq!(guest.client.post_form("/compte", &[("act", "out")]).unwrap().status, 303);
        assert_nobody(cluster, &signed, mode, "the id of the session that was ended");
    }
    switch(cluster, "proxy");
}

/// Whoever comes with these cookies is nobody, holds no colour, and gets another id.
#[track_caller]
fn assert_nobody(cluster: &Cluster, cookies: &BTreeMap<String, String>, mode: &str, what: &str) {
    let mut guest = Guest::new(cluster.site(), 0);
    guest.client.cookies.clone_from(cookies);
    let page = guest.client.get("/compte").unwrap().text();
    assert!(page.contains("name=\"name\"") && !page.contains("Ana"), "{mode}: {what} opens it: {page}");
    assert_eq!(guest.look().colour(), None, "{mode}: {what} opens it");
    assert_ne!(
        guest.client.cookies.get(name_of(mode)),
        cookies.get(name_of(mode)),
        "{mode}: {what} lives on"
    );
}

fn a_form_of_another_site_is_refused(cluster: &Cluster) {
    let mut guest = Guest::new(cluster.site(), 5);
    guest.settle();
    let here = format!("http://{}", cluster.site());
    for (header, value, status) in [
        ("Origin", "http://evil.example", 403),
        ("Origin", "null", 403),
        ("Sec-Fetch-Site", "cross-site", 403),
        ("Sec-Fetch-Site", "same-site", 403),
        ("Origin", here.as_str(), 422),
    ] {
        for path in ["/couleur", "/compte", "/connexion"] {
            let answer = guest.client.request("POST", path, &[(header, value)], b"").unwrap();
            assert_eq!(answer.status, status, "{path} with {header}: {value}");
        }
    }
    let found = guest.look();
    guest.assert_found(&found);
    let noir = guest.client.post_form("/couleur", &[("couleur", "noir")]).unwrap();
    assert_eq!(
        (noir.status, noir.header("x-cordee-change")),
        (422, None),
        "a colour that is not in the list"
    );
    assert!(noir.text().contains("Nothing was changed."), "{}", noir.text());
}

// ---- kept by HAProxy

fn kept_by_haproxy_two_hundred_visitors_move_once_when_their_server_dies(cluster: &Cluster) {
    cluster.settle();
    let (mut guests, mut witnesses) = arrive_on(cluster, "web1", VISITORS);
    witnesses.truncate(20);
    each(&mut witnesses, cluster.site(), Guest::settle);
    // One choice and 49 looks: fifty requests each.
    let visits = each(&mut guests, cluster.site(), |guest| {
        let first = guest.settle();
        let page = first.answer.as_ref().unwrap().text();
        assert!(
            page.contains("data-mode=\"proxy\"") && page.contains("Your session is a file on web1"),
            "{page}"
        );
        let mut visits: Vec<Visit> = (0..48).map(|_| guest.look()).collect();
        for visit in &visits {
            guest.assert_found(visit);
        }
        visits.push(first);
        visits
    });
    let visits: Vec<Visit> = visits.into_iter().flatten().collect();
    println!(
        "#   {} requests of {VISITORS} visitors, all by {:?}",
        visits.len() + VISITORS,
        servers(&visits)
    );
    assert_eq!(servers(&visits), BTreeSet::from(["web1".to_owned()]), "their server was kept");

    let web1 = cluster.api().snapshot().server("web1").clone();
    let readers =
        Load::new(cluster.site(), 8, Ask::Get("/couleur")).cookie("SERVEUR", "S1").think(1..10).start();
    wait::until_true("visitors are served", Duration::from_secs(5), || readers.sent() > 100);
    let held = Obstacle::lurk(web1.port);
    cluster.signal_group(web1.pid.expect("it runs"), Signal::KILL);
    held.wait_until_held();
    let moved = each(&mut guests, cluster.site(), Guest::look);
    let brief: Vec<String> = moved.iter().filter(|v| v.status() != 200).map(Visit::brief).collect();
    assert!(brief.is_empty(), "{} of {VISITORS} failed: {brief:?}", brief.len());
    assert_eq!(servers(&moved), BTreeSet::from(["web2".to_owned()]), "all of them moved");
    assert!(moved.iter().all(|v| v.colour().is_none()), "a session of web1 was found on web2");
    each(&mut guests, cluster.site(), Guest::settle);
    held.release();
    cluster.api().wait_for_severity("web1", "good", BACK);
    let report = readers.stop();
    println!("#   {} requests around the death, {:?}", report.hits.len(), report.shares());
    report.assert_no_failure(200);

    let after =
        each(&mut guests, cluster.site(), |guest| (0..5).map(|_| guest.look()).collect::<Vec<Visit>>());
    let after: Vec<Visit> = after.into_iter().flatten().collect();
    assert_eq!(servers(&after), BTreeSet::from(["web2".to_owned()]), "nobody is moved again");
    for visit in &after {
        assert_kept(visit);
    }
    for visit in each(&mut witnesses, cluster.site(), Guest::look) {
        assert_eq!(visit.server(), "web2", "those of the other server stayed");
        assert_kept(&visit);
    }
}

#[track_caller]
fn assert_kept(visit: &Visit) {
    assert!(visit.status() == 200 && visit.colour().is_some(), "{}", visit.brief());
}

fn servers(visits: &[Visit]) -> BTreeSet<String> {
    visits.iter().map(|v| v.server().to_owned()).collect()
}

// ---- the switch

/// What one visitor saw of the mode.
struct Seen {
    sent: Instant,
    ended: Instant,
    said: Result<(u16, String), String>,
}

fn twenty_switches_lose_no_request_and_no_header_is_believed(cluster: &Cluster) {
    cluster.settle();
    switch(cluster, "proxy");
    let worker = cluster.api().snapshot().proxy("web").worker_pid;
    let (stop, mut switches) = (AtomicBool::new(false), vec![(Instant::now(), Instant::now(), "proxy")]);
    let seen: Vec<Seen> = std::thread::scope(|scope| {
        let visitors: Vec<_> = (0..8)
            .map(|n| {
                scope.spawn({
                    let stop = &stop;
                    move || ask_for_the_mode(cluster, stop, n)
                })
            })
            .collect();
        for n in 0..20 {
            let mode = MODES[(n + 1) % 2];
            let (begun, ended) = switch(cluster, mode);
            switches.push((begun, ended, mode));
            // Long enough for answers that can only be in this mode.
            let clear = Instant::now();
            wait::until_true("visitors are served in this mode", IN_FORCE, || {
                clear.elapsed() > Duration::from_millis(150)
            });
        }
        stop.store(true, Ordering::Relaxed);
        visitors.into_iter().flat_map(|v| v.join().expect("a visitor's thread")).collect()
    });
    let failed: Vec<&Result<(u16, String), String>> =
        seen.iter().map(|s| &s.said).filter(|s| !matches!(s, Ok((200, _)))).collect();
    assert!(
        failed.is_empty(),
        "{} of {} failed: {:?}",
        failed.len(),
        seen.len(),
        failed.iter().take(5).collect::<Vec<_>>()
    );
    let certain = seen.iter().filter_map(|s| Some((s, certain(s, &switches)?))).collect::<Vec<_>>();
    for (visit, mode) in &certain {
        assert_eq!(visit.said.as_ref().unwrap().1, *mode, "a request that arrived while {mode} was in force");
    }
    let longest = switches.iter().map(|(begun, ended, _)| ended.duration_since(*begun)).max().unwrap();
    println!(
        "#   20 switches, the longest in force after {} ms; {} requests, {} of them outside the switches, 0 failed",
        longest.as_millis(),
        seen.len(),
        certain.len()
    );
    assert!(certain.len() > 500, "too few to prove anything: {}", certain.len());
    assert_eq!(cluster.api().snapshot().proxy("web").worker_pid, worker, "HAProxy was reloaded");
    switch(cluster, "proxy");
}

/// The mode in which a request must have been served, if it met no switch.
fn certain(seen: &Seen, switches: &[(Instant, Instant, &'static str)]) -> Option<&'static str> {
    let last = switches.iter().rposition(|(begun, ..)| *begun <= seen.ended)?;
    let (_, ended, mode) = switches[last];
    (seen.sent > ended).then_some(mode)
}

/// Every second visitor says that the mode is another one, in more than one way.
fn ask_for_the_mode(cluster: &Cluster, stop: &AtomicBool, number: usize) -> Vec<Seen> {
    let mut visitor = Client::with_jar(cluster.site());
    let forged: &[(&str, &str)] = match number % 4 {
        1 => &[("X-Cordee-Session", "database")],
        3 => &[("x-cordee-session", "proxy"), ("X-Cordee-Session", "proxy")],
        _ => &[],
    };
    let path = if number < 4 { "/couleur" } else { "/" };
    let mut seen = Vec::new();
    while !stop.load(Ordering::Relaxed) && seen.len() < 100_000 {
        let sent = Instant::now();
        let answer = visitor.request("GET", path, forged, b"");
        let said = answer.map(|a| (a.status, mode_of(&a))).map_err(|e| e.to_string());
        seen.push(Seen { sent, ended: Instant::now(), said });
        std::thread::sleep(Duration::from_millis(5));
    }
    seen
}

// ---- kept in the database

fn kept_in_the_database_every_server_answers_and_none_is_missed(cluster: &Cluster) {
    cluster.settle();
    switch(cluster, "database");
    let mut guests: Vec<Guest> = (0..VISITORS).map(|n| Guest::new(cluster.site(), n)).collect();
    let requests = each(&mut guests, cluster.site(), |guest| {
        let first = guest.settle();
        assert!(first.answer.as_ref().unwrap().text().contains("data-mode=\"database\""));
        let mut by = BTreeSet::from([first.server().to_owned()]);
        let mut requests = 2;
        while by.len() < 2 && requests < 50 {
            let visit = guest.look();
            guest.assert_found(&visit);
            by.insert(visit.server().to_owned());
            requests += 1;
        }
        assert_eq!(
            by,
            BTreeSet::from(["web1".to_owned(), "web2".to_owned()]),
            "every server answers each visitor"
        );
        requests
    });
    println!(
        "#   both servers answered each of {VISITORS} visitors, within {:?} requests",
        requests.iter().max()
    );

    for web in ["web1", "web2"] {
        let pid = cluster.api().snapshot().server(web).pid.expect("it runs");
        let back = || {
            let now = cluster.api().try_snapshot();
            now.is_ok_and(|s| {
                s.server(web).pid.is_some_and(|p| p != pid) && s.server(web).status.severity == "good"
            })
        };
        println!("#   {web} is killed");
        let seen = around_a_kill(cluster, &mut guests, pid, |guest| vec![guest.look()], back);
        assert_eq!((seen.away, seen.lost), (0, Vec::new()));
    }
}

fn a_person_finds_the_colour_on_the_other_server(cluster: &Cluster) {
    cluster.settle();
    switch(cluster, "database");
    let browser = Browser::start();
    let site = format!("http://{}", cluster.site());
    for (language, colour, word, kept) in [
        ("fr", "turquoise", "turquoise", "une ligne de la base"),
        ("en", "violet", "purple", "a row of the database"),
    ] {
        browser.open(&format!("{site}/couleur?lang={language}"));
        browser.click(&format!("input[value={colour}]"));
        browser.click("form button.main");
        let first = wait::until("the colour is kept", BACK, || {
            let shown = browser.text(".chosen").unwrap_or_default();
            if shown.trim() == word { Ok(answered(&browser)) } else { Err(shown) }
        })
        .0;
        let second = wait::until("the other server answers", BACK, || {
            browser.open(&format!("{site}/couleur"));
            let by = answered(&browser);
            if by == first { Err(by) } else { Ok(by) }
        })
        .0;
        assert_eq!(
            browser.text(".chosen").unwrap_or_default().trim(),
            word,
            "{language}: on {second}, after {first}"
        );
        let shown = browser.text("main").unwrap_or_default();
        assert!(shown.contains(kept), "{language}: {shown}");
        for path in ["/", "/couleur", "/compte", "/connexion", "/no-such-page"] {
            browser.open(&format!("{site}{path}"));
            assert_eq!(axe::violations(&browser), Vec::<String>::new(), "{language}: {path}");
            for width in [360, 1280] {
                browser.width(width);
                let wide = browser.script("return document.documentElement.scrollWidth - innerWidth", &[]);
                assert!(wide.as_i64().unwrap() <= 0, "{language}: {path} is wider than {width}");
            }
        }
    }
}

/// The server that made the page, as the footer says it.
fn answered(browser: &Browser) -> String {
    let foot = browser.text("footer").unwrap_or_default();
    foot.split([' ', '.']).find(|w| w.starts_with("web")).unwrap_or("").to_owned()
}

/// The way to every database is cut for a moment: HAProxy `db` has no worker, and its master is held still.
fn without_a_database_the_page_says_so_and_the_session_waits(cluster: &Cluster) {
    Pair::wait(cluster);
    switch(cluster, "database");
    let mut guest = Guest::new(cluster.site(), 6);
    guest.settle();
    let id = id_of(&guest.client, "database");
    let db = cluster.api().snapshot().proxy("db").clone();
    let frozen = Frozen::one(cluster.home(), db.pid.expect("its master"));
    let worker = db.worker_pid.expect("its worker");
    cluster.signal(worker, Signal::KILL);
    wait::until_true("it is dead", BACK, || Process::read(worker).is_none_or(|p| p.state == 'Z'));
    for (language, words) in
        [("fr", "Votre session est hors d’atteinte"), ("en", "Your session is out of reach")]
    {
        let mut visitor = Guest::new(cluster.site(), 6).client;
        visitor.cookies.clone_from(&guest.client.cookies);
        for path in ["/couleur", "/compte"] {
            let answer = visitor.get(&format!("{path}?lang={language}")).unwrap();
            assert_eq!((answer.status, answer.header("retry-after")), (503, Some("2")), "{language}: {path}");
            assert!(answer.text().contains(words), "{language}: {path}: {}", answer.text());
            assert_eq!(id_of(&visitor, "database"), id, "another id was given in place of the session's");
        }
        let refused = visitor.post_form("/couleur", &[("couleur", "noir")]).unwrap();
        assert_eq!(refused.status, 503);
        assert_eq!(visitor.get("/").unwrap().status, 200, "a page without a session is served");
    }
    drop(frozen);
    wait::until("HAProxy db is back", BACK, || {
        let now = cluster.api().try_snapshot()?;
        let found = now.proxy("db").worker_pid;
        // With the old one it is a picture from before.
        if found.is_some_and(|pid| pid != worker) { now.settled() } else { Err(format!("{found:?}")) }
    });
    let found = guest.look();
    guest.assert_found(&found);
}

/// Wherever the freeze meets a request: before its first word, between the change and its commit, or in between.
fn behind_a_frozen_proxy_a_request_ends_and_does_nothing_later(cluster: &Cluster) {
    let pair = Pair::wait(cluster);
    switch(cluster, "database");
    let mut guests: Vec<Guest> = (0..6).map(|n| Guest::new(cluster.site(), n)).collect();
    for guest in &mut guests {
        guest.settle();
        let client = std::mem::replace(&mut guest.client, Client::with_jar(cluster.site()));
        guest.client = client.timeout(2 * TOLD);
    }
    let master = cluster.api().snapshot().proxy("db").pid.expect("its master");
    let chosen = AtomicUsize::new(0);
    let (frozen, ends) = std::thread::scope(|scope| {
        let choosing: Vec<_> = guests
            .iter_mut()
            .map(|guest| {
                let chosen = &chosen;
                scope.spawn(move || {
                    loop {
                        let begun = Instant::now();
                        let visit = guest.choose();
                        if visit.status() != 303 {
                            return (visit, begun.elapsed());
                        }
                        chosen.fetch_add(1, Ordering::Relaxed);
                    }
                })
            })
            .collect();
        wait::until_true("they choose colours", BACK, || chosen.load(Ordering::Relaxed) >= 60);
        let frozen = Frozen::group(cluster.home(), master);
        let ends: Vec<(Visit, Duration)> =
            choosing.into_iter().map(|one| one.join().expect("a visitor")).collect();
        (frozen, ends)
    });
    for (visit, took) in &ends {
        println!("#   {} after {:.1} s", visit.brief(), took.as_secs_f64());
        assert!(visit.status() == 503 && *took <= TOLD, "{} after {took:?}", visit.brief());
    }
    let writer = Db::root(cluster, &pair.writer.name);
    let rows = || writer.query("SELECT HEX(id), ver, SHA2(data, 256) FROM site.php_sessions ORDER BY id");
    let before = rows();
    drop(frozen);
    let application = Db::new(cluster, &["--account", "app"]);
    let through = application.through(cluster, cluster.db_writer().port());
    wait::until("HAProxy db goes on", BACK, || through.try_query("SELECT 1"));
    let user = &application.dsn().user;
    let connected = format!("SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER = '{user}'");
    wait::until("what it held has ended", BACK, || match writer.try_query(&connected) {
        Ok(rows) if rows == [["0"]] => Ok(()),
        other => Err(other),
    });
    assert_eq!(rows(), before, "what was told as failed was done later");
    for guest in &mut guests {
        let found = guest.look();
        guest.assert_found(&found);
    }
    cluster.settle();
}

/// Visitors with a colour each, in mode `database`.
fn in_the_database(cluster: &Cluster) -> Vec<Guest> {
    switch(cluster, "database");
    let mut guests: Vec<Guest> = (0..VISITORS).map(|n| Guest::new(cluster.site(), n)).collect();
    each(&mut guests, cluster.site(), Guest::settle);
    guests
}

fn choose_and_look(guest: &mut Guest) -> Vec<Visit> {
    vec![guest.choose(), guest.look()]
}

fn the_writer_dies_and_no_session_is_lost(cluster: &Cluster) {
    let before = Pair::wait(cluster);
    let mut guests = in_the_database(cluster);
    assert_eq!(Pair::wait(cluster).epoch, before.epoch);
    let seen =
        around_a_kill(cluster, &mut guests, before.writer.pid.expect("it runs"), choose_and_look, || {
            Pair::try_read(cluster).is_ok_and(|now| now.epoch > before.epoch && now.handover.is_none())
        });
    assert_eq!(seen.lost, Vec::<String>::new(), "sessions lost although commits waited for a receipt");
    assert!(seen.last <= AWAY, "visitors were sent away for {:?}", seen.last);
    Pair::wait_switched(cluster, &before);
}

fn the_writer_dies_without_a_standby_and_what_is_lost_is_counted(cluster: &Cluster) {
    let before = Pair::wait(cluster);
    let mut guests = in_the_database(cluster);
    cluster.api().act(&format!("/v1/pools/db/servers/{}/stop", before.standby.name));
    wait_for_no_ack(cluster, BACK);
    let old = before.writer.pid;
    let seen = around_a_kill(cluster, &mut guests, old.expect("it runs"), choose_and_look, || {
        let now = Pair::try_read(cluster).map(|p| p.writer);
        now.is_ok_and(|w| w.pid.is_some() && w.pid != old && open(cluster, &w.name) == Ok(true))
    });
    println!(
        "#   without a receipt: {} lost {:?}",
        seen.lost.len(),
        seen.lost.iter().take(5).collect::<Vec<_>>()
    );
    cluster.api().act(&format!("/v1/pools/db/servers/{}/start", before.standby.name));
}
