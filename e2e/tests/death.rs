//! Whatever is killed comes back, visitors do not notice, and the page tells what happened. What is frozen is
//! shown as frozen and left alone.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed expectation is how a test ends")]

use std::collections::BTreeSet;
use std::io::Read as _;
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use cordee_e2e::api::{Event, Reply};
use cordee_e2e::case;
use cordee_e2e::cluster::Cluster;
use cordee_e2e::db::Db;
use cordee_e2e::http::{self, Client};
use cordee_e2e::load::{Ask, Load, Running};
use cordee_e2e::person::Person;
use cordee_e2e::procs::{Frozen, Process};
use cordee_e2e::suite::File;
use cordee_e2e::wait;
use rustix::process::Signal;
use serde_json::json;

/// Acceptance 4: how soon the page or its history tells of a death.
const TOLD: Duration = Duration::from_secs(2);
/// Acceptance 7 and 8: how soon what was killed is back.
const BACK: Duration = Duration::from_secs(1);
/// Acceptance 7 and 9: how soon the page is right again.
const TRUE_AGAIN: Duration = Duration::from_secs(3);
/// Acceptance 9: "within 3 polls". The product polls every 500 ms and calls data stale after 2 s.
const STALE: Duration = Duration::from_secs(2);

/// Between two deaths of the same server: it is back by then, its back-off of up to 1 s included.
const REVIVED: Duration = Duration::from_secs(10);

/// Its cases.
pub fn file() -> File {
    // Read by `cordee serve` only: it dies right after it has forked web3, before it could note the child.
    File::new(
        "death",
        &[("CORDEE_FAILPOINT", "after-spawn:web3")],
        &[
            case!(four_deaths_of_web1_are_seen_by_no_reader),
            case!(four_deaths_of_web2_execute_no_form_twice),
            case!(the_death_of_cordee_is_seen_by_nobody_but_itself),
            case!(the_death_of_the_keeper_changes_nothing),
            case!(a_child_forked_and_not_yet_noted_is_found_again),
            case!(the_worker_of_haproxy_web_is_back_within_a_second),
            case!(the_master_of_haproxy_web_is_back_within_a_second),
            case!(the_worker_of_haproxy_db_is_back_within_a_second),
            case!(the_master_of_haproxy_db_is_back_within_a_second),
            case!(a_dead_standby_comes_back_and_catches_up),
            case!(a_frozen_haproxy_is_shown_as_unknown_and_left_alone),
        ],
    )
}

// ---- web servers

/// Kills all of a web server and waits until the journal has told of the death and of the restart.
fn kill(cluster: &Cluster, name: &str) {
    let api = cluster.api();
    let before = api.last_event();
    let old = api.snapshot().server(name).pid.expect("it runs");
    cluster.signal_group(old, Signal::KILL);
    let (events, took) =
        wait::until(&format!("the journal tells of {name}'s death and restart"), TOLD, || {
            let events: Vec<Event> =
                api.events_after(before).into_iter().filter(|e| e.subject == name).collect();
            let died = events.iter().position(|e| e.severity.as_deref() == Some("critical"));
            let restarted =
                died.is_some_and(|at| events[at..].iter().any(|e| e.severity.as_deref() != Some("critical")));
            if restarted { Ok(events) } else { Err(events) }
        });
    let texts: Vec<&str> = events.iter().map(|e| e.text.as_str()).collect();
    println!("#   told after {} ms: {texts:?}", took.as_millis());
    let back = || api.try_snapshot().is_ok_and(|s| s.server(name).pid.is_some_and(|p| p != old));
    wait::until_true(&format!("{name} runs again"), REVIVED, back);
    api.wait_for_severity(name, "good", REVIVED);
}

fn wait_for_load(load: &Running) {
    let sent = load.sent();
    wait::until_true("visitors are served", Duration::from_secs(5), || load.sent() > sent + 100);
}

fn four_deaths_of_web1_are_seen_by_no_reader(cluster: &Cluster) {
    cluster.settle();
    let page = http::get(cluster.site(), "/").unwrap();
    assert!(page.body.len() <= 8_192, "the page must fit one buffer: {}", page.body.len());
    let readers = Load::new(cluster.site(), 16, Ask::Get("/")).start();
    for _ in 0..4 {
        wait_for_load(&readers);
        kill(cluster, "web1");
    }
    let report = readers.stop();
    println!("#   {} requests, slowest {:?}, {:?}", report.hits.len(), report.slowest(), report.shares());
    report.assert_no_failure(1_000);
    assert!(report.slowest() <= Duration::from_secs(2), "slowest {:?}", report.slowest());
}

fn four_deaths_of_web2_execute_no_form_twice(cluster: &Cluster) {
    cluster.settle();
    let senders = Load::new(cluster.site(), 16, Ask::Note("numbered form")).start();
    for _ in 0..4 {
        wait_for_load(&senders);
        // Not web1: its restarts would wait longer and longer after the four deaths of the case before.
        kill(cluster, "web2");
    }
    let report = senders.stop();
    println!("#   {} forms, {} failed", report.hits.len(), report.failed().len());
    let database = Db::new(cluster, &[]);
    let stored = "FROM note WHERE message LIKE 'numbered form %'";
    let twice =
        database.query(&format!("SELECT message, COUNT(*) AS n {stored} GROUP BY message HAVING n > 1"));
    assert!(twice.is_empty(), "executed more than once: {twice:?}");
    let kept: BTreeSet<String> =
        database.query(&format!("SELECT message {stored}")).into_iter().map(|row| row[0].clone()).collect();
    for hit in report.hits.iter().filter(|h| !h.failed()) {
        assert!(
            kept.contains(&format!("numbered form {}", hit.number)),
            "acknowledged and not kept: {hit:?}"
        );
    }
    cluster.settle();
}

// ---- Cordée itself

fn the_death_of_cordee_is_seen_by_nobody_but_itself(cluster: &Cluster) {
    cluster.settle();
    let before = cluster.servers();
    let last = cluster.api().last_event();
    let serve = cluster.serve().expect("cordee serve listens for the page");
    let visitors = Load::new(cluster.site(), 16, Ask::Get("/")).start();
    wait_for_load(&visitors);

    cluster.signal(serve.pid, Signal::KILL);
    let (_, back) = wait::until("the page answers again", BACK, || {
        Client::new(cluster.page()).timeout(BACK).header("Connection", "close").get("/login")
    });
    let api = cluster.api();
    let (snapshot, right) =
        wait::until("the page is right again", TRUE_AGAIN.checked_sub(back).unwrap(), || {
            let snapshot = api.try_snapshot()?;
            snapshot.settled().map(|()| snapshot)
        });
    println!("#   back after {} ms, right after {} ms", back.as_millis(), (back + right).as_millis());
    assert!(
        snapshot.servers.iter().all(|s| s.last_check.age_ms.is_some_and(|age| age < 2_000)),
        "{snapshot:#?}"
    );

    visitors.stop().assert_no_failure(300);
    let after: BTreeSet<u32> = leaders(&cluster.servers());
    assert_eq!(leaders(&before), after, "a HAProxy, Apache or MariaDB was started or stopped");
    assert!(before.iter().filter(|p| leads(p)).all(Process::lives), "a pid was used again");
    assert_ne!(cluster.serve().map(|p| p.pid), Some(serve.pid));
    let told: Vec<String> = api.events_after(last).into_iter().map(|e| e.text).collect();
    let said = "Cordée ended (signal 9): its keeper started it anew";
    assert!(told.iter().any(|text| text.contains(said)), "{told:?}");
}

/// Group leaders and HAProxy's workers: Apache's own children come and go as they like.
fn leads(process: &Process) -> bool {
    process.pid == process.group || process.program == "haproxy"
}

fn leaders(processes: &[Process]) -> BTreeSet<u32> {
    processes.iter().filter(|p| leads(p)).map(|p| p.pid).collect()
}

fn the_death_of_the_keeper_changes_nothing(cluster: &Cluster) {
    let serve = cluster.serve().expect("cordee serve");
    let keeper =
        cluster.processes().into_iter().find(|p| p.pid == serve.parent).expect("serve's parent keeps it");
    let before = leaders(&cluster.servers());
    cluster.signal(keeper.pid, Signal::KILL);
    wait::always("serve goes on without its keeper", Duration::from_secs(1), || {
        if serve.lives() { Ok(()) } else { Err("serve died with it") }
    });
    assert_eq!(before, leaders(&cluster.servers()));
    cluster.cli_ok(&["up", "--detach"]);
    cluster.settle();
    assert_eq!(before, leaders(&cluster.servers()), "`up` again leaves what runs as it is");
}

fn a_child_forked_and_not_yet_noted_is_found_again(cluster: &Cluster) {
    let api = cluster.api();
    let serve = cluster.serve().expect("cordee serve");
    let answer = api.call("POST", "/v1/pools/web/servers", Some(&json!({ "name": "web3", "start": true })));
    // The process that should answer may be the one that dies.
    assert!(answer.as_ref().map_or(true, Reply::ok), "{answer:?}");
    let mut ever = BTreeSet::new();
    wait::until("web3 serves", Duration::from_secs(15), || {
        ever.extend(web3(cluster));
        let snapshot = api.try_snapshot()?;
        let found = snapshot.find("web3").ok_or("not there yet")?;
        if found.status.severity == "good" { Ok(()) } else { Err(format!("{found:?}")) }
    });
    assert!(!serve.lives(), "CORDEE_FAILPOINT=after-spawn:web3 did not end serve: this case proves nothing");
    wait::always("web3 stays the one it is", Duration::from_secs(2), || {
        ever.extend(web3(cluster));
        if ever.len() == 1 { Ok(()) } else { Err(format!("started more than once: {ever:?}")) }
    });
    assert_eq!(api.snapshot().server("web3").pid, ever.first().copied());
    api.delete("/v1/pools/web/servers/web3");
    wait::until_true("web3 is gone", Duration::from_secs(10), || web3(cluster).is_empty());
    cluster.settle();
}

/// The leaders of groups that run for web3.
fn web3(cluster: &Cluster) -> Vec<u32> {
    let mark = format!("{}/servers/web3", cluster.home().display());
    cluster.servers().iter().filter(|p| p.pid == p.group && p.mentions(&mark)).map(|p| p.pid).collect()
}

// ---- the proxies

fn the_worker_of_haproxy_web_is_back_within_a_second(cluster: &Cluster) {
    let proxy = cluster.api().snapshot().proxy("web").clone();
    proxy_dies(cluster, "web", proxy.worker_pid.expect("worker"));
}

fn the_master_of_haproxy_web_is_back_within_a_second(cluster: &Cluster) {
    let proxy = cluster.api().snapshot().proxy("web").clone();
    proxy_dies(cluster, "web", proxy.pid.expect("master"));
}

fn the_worker_of_haproxy_db_is_back_within_a_second(cluster: &Cluster) {
    let proxy = cluster.api().snapshot().proxy("db").clone();
    proxy_dies(cluster, "db", proxy.worker_pid.expect("worker"));
}

fn the_master_of_haproxy_db_is_back_within_a_second(cluster: &Cluster) {
    let proxy = cluster.api().snapshot().proxy("db").clone();
    proxy_dies(cluster, "db", proxy.pid.expect("master"));
}

fn proxy_dies(cluster: &Cluster, proxy: &str, pid: u32) {
    cluster.settle();
    let api = cluster.api();
    let before = api.last_event();
    cluster.signal(pid, Signal::KILL);
    let dead = Instant::now();
    // A signal is delivered in its own time; what the dying process still answers proves nothing.
    let target = || Process::read(pid).is_none_or(|p| p.state == 'Z');
    wait::until_true("it is dead", BACK, target);
    let ((), back) =
        wait::until("it serves again", BACK.checked_sub(dead.elapsed()).unwrap(), || match proxy {
            "web" => serves(cluster.site()),
            _ => greets(cluster.db()),
        });
    let subject = format!("haproxy-{proxy}");
    let (events, _) = wait::until("the journal tells of it", TOLD, || {
        let events = api.events_after(before);
        let told = events.iter().any(|e| e.subject == subject && e.severity.as_deref() == Some("critical"));
        if told { Ok(events) } else { Err(events) }
    });
    println!("#   serves again after {} ms: {}", back.as_millis(), events[0].text);
    cluster.settle();
}

fn serves(site: SocketAddr) -> Result<(), String> {
    let answer =
        Client::new(site).timeout(BACK).header("Connection", "close").get("/").map_err(|e| e.to_string())?;
    if answer.status == 200 { Ok(()) } else { Err(format!("status {}", answer.status)) }
}

/// A MariaDB speaks first: a greeting of protocol version 10.
fn greets(address: SocketAddr) -> Result<(), String> {
    let text = |e: std::io::Error| e.to_string();
    let mut stream = TcpStream::connect_timeout(&address, BACK).map_err(text)?;
    stream.set_read_timeout(Some(BACK)).map_err(text)?;
    let mut greeting = [0; 5];
    stream.read_exact(&mut greeting).map_err(text)?;
    if greeting[4] == 10 { Ok(()) } else { Err(format!("{greeting:?}")) }
}

fn a_dead_standby_comes_back_and_catches_up(cluster: &Cluster) {
    let api = cluster.api();
    let old = api.snapshot().server("db2").pid.expect("db2 runs");
    let writer = Db::new(cluster, &[]);
    cluster.signal_group(old, Signal::KILL);
    writer.query("INSERT INTO note (server, message) VALUES ('e2e', 'while db2 was dead')");
    cluster.settle();
    assert_ne!(api.snapshot().server("db2").pid, Some(old));
    let standby = Db::new(cluster, &["--server", "db2"]);
    let rows = standby.number("SELECT COUNT(*) FROM note WHERE message = 'while db2 was dead'");
    assert_eq!(rows, 1);
}

// ---- what is frozen

fn a_frozen_haproxy_is_shown_as_unknown_and_left_alone(cluster: &Cluster) {
    cluster.settle();
    let api = cluster.api();
    let person = Person::sign_in(cluster);
    person.wait_for_look("web1", "good", TRUE_AGAIN);
    let frozen = Frozen::one(cluster.home(), api.snapshot().proxy("web").worker_pid.expect("worker"));

    let (snapshot, took) = wait::until("the API shows nothing of it as fine", STALE, || {
        let snapshot = api.snapshot();
        let web = snapshot.servers.iter().filter(|s| s.pool == "web").map(|s| &s.status);
        let shown: Vec<String> = web
            .chain([&snapshot.verdict, &snapshot.proxy("web").status])
            .filter(|s| s.severity == "good")
            .map(|s| format!("{s:?}"))
            .collect();
        if shown.is_empty() { Ok(snapshot) } else { Err(shown) }
    });
    println!("#   no longer shown as fine after {} ms: {:?}", took.as_millis(), snapshot.verdict);
    // The one that stands still, not its master.
    let command = format!("kill -CONT {}", frozen.process().pid);
    wait::until("what to do is said", STALE, || {
        let said = cluster.cli(&["status"]).out;
        if said.lines().any(|line| line.ends_with(&command)) { Ok(()) } else { Err(said) }
    });
    let rest = STALE.checked_sub(took).unwrap_or_default();
    wait::until("the page shows nothing of it as fine", rest, || {
        let fine: Vec<_> =
            ["web1", "web2"].iter().filter_map(|n| person.row(n)).filter(|r| r.look == "good").collect();
        if fine.is_empty() { Ok(()) } else { Err(fine) }
    });
    the_age_grows(cluster, &person);
    wait::always("nobody kills it", Duration::from_secs(4), || {
        if frozen.process().lives() { Ok(()) } else { Err("it was killed") }
    });
    let worker = frozen.process().clone();
    drop(frozen);
    wait::until("the API is right again", TRUE_AGAIN, || api.snapshot().settled());
    for server in ["web1", "web2"] {
        person.wait_for_look(server, "good", TRUE_AGAIN);
    }
    assert_eq!(api.snapshot().proxy("web").worker_pid, Some(worker.pid), "the same worker as before");
    assert!(worker.lives());
}

fn the_age_grows(cluster: &Cluster, person: &Person) {
    let api = cluster.api();
    let first = api.snapshot().proxy("web").age_ms.expect("an age");
    let (second, _) = wait::until("the age grows", Duration::from_secs(3), || {
        let age = api.snapshot().proxy("web").age_ms.expect("an age");
        if age > first + 1_000 { Ok(age) } else { Err(age) }
    });
    let (words, _) = wait::until("the page shows an age of at least 2 s", Duration::from_secs(2), || {
        let row = person.row("web1").ok_or("no row")?;
        let mut seconds =
            row.words.split(|c: char| !c.is_ascii_digit()).filter_map(|n| n.parse::<u64>().ok());
        if seconds.any(|n| n >= 2) { Ok(row.words) } else { Err("no age") }
    });
    println!("#   the API says {second} ms, the page: {words}");
}
