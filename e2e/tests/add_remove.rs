//! A web server is added and taken away by page, API and command line: it serves at once, HAProxy keeps its
//! worker, nothing is left of it afterwards; and one that never answers harms nobody.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed expectation is how a test ends")]

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use cordee_e2e::api::Api;
use cordee_e2e::case;
use cordee_e2e::cluster::Cluster;
use cordee_e2e::http::{Client, get};
use cordee_e2e::load::{Ask, Load};
use cordee_e2e::person::Person;
use cordee_e2e::suite::File;
use cordee_e2e::visitors::{Manner, Stranger, closed_port};
use cordee_e2e::{ports, wait};
use serde_json::json;

/// Acceptance 5: from the click to serving.
const SERVING: Duration = Duration::from_secs(3);
/// For a server to be gone, a graceful stop of Apache (5 s at most) included.
const GONE: Duration = Duration::from_secs(10);

/// Its cases.
pub fn file() -> File {
    File::new(
        "add_remove",
        &[],
        &[
            case!(by_the_page_with_an_automatic_cookie),
            case!(by_the_page_with_a_chosen_cookie),
            case!(by_the_api_with_an_automatic_cookie),
            case!(by_the_api_with_a_chosen_cookie),
            case!(by_the_command_line_with_an_automatic_cookie),
            case!(by_the_command_line_with_a_chosen_cookie),
            case!(without_script_the_same_form_does_it),
            case!(a_silent_server_a_closed_port_and_a_good_one_harm_nobody),
            case!(a_name_that_does_not_resolve_is_shown_and_not_rendered),
            case!(drain_and_maintenance_do_what_they_say),
            case!(one_added_in_maintenance_gets_nobody_before_it_is_put_in_service),
            case!(an_address_in_brackets_is_taken_and_shown_before_its_port),
            case!(a_server_that_does_not_obey_the_session_mode_is_shown_as_such),
        ],
    )
}

// ---- the same story three times

/// A way to add and take away web3.
trait Way {
    /// Adds it, and says when: the moment of the click, not that of opening the form.
    fn add(&self, cookie: &str) -> Instant;
    fn remove(&self);
}

impl Way for Person {
    fn add(&self, cookie: &str) -> Instant {
        self.fill_in_new_web("web3", cookie);
        self.mark();
        let clicked = Instant::now();
        self.submit();
        clicked
    }

    fn remove(&self) {
        self.act("web", "web3", "remove");
        self.wait_until_gone("web3", GONE);
    }
}

impl Way for Api {
    fn add(&self, cookie: &str) -> Instant {
        let mut body = json!({ "name": "web3", "start": true });
        if !cookie.is_empty() {
            body["cookie"] = json!(cookie);
        }
        let asked = Instant::now();
        let reply = self.post("/v1/pools/web/servers", &body);
        assert!(reply.ok() && reply.body["revision"].is_u64(), "{reply:?}");
        asked
    }

    fn remove(&self) {
        self.delete("/v1/pools/web/servers/web3");
    }
}

impl Way for Cluster {
    fn add(&self, cookie: &str) -> Instant {
        let arguments = ["add", "web", "web3", "--start", "--cookie", cookie];
        let asked = Instant::now();
        self.cli_ok(if cookie.is_empty() { &arguments[..4] } else { &arguments });
        asked
    }

    fn remove(&self) {
        self.cli_ok(&["remove", "web", "web3"]);
    }
}

fn by_the_page_with_an_automatic_cookie(cluster: &Cluster) {
    let person = Person::sign_in(cluster);
    with_automatic_cookie(cluster, &person, |added| {
        person.wait_for_look("web3", "good", SERVING.checked_sub(added.elapsed()).unwrap_or_default());
        person.assert_not_reloaded();
    });
    person.assert_not_reloaded();
}

fn by_the_page_with_a_chosen_cookie(cluster: &Cluster) {
    let person = Person::sign_in(cluster);
    with_chosen_cookie(cluster, &person);
}

fn by_the_api_with_an_automatic_cookie(cluster: &Cluster) {
    with_automatic_cookie(cluster, &cluster.api(), |_| {});
}

fn by_the_api_with_a_chosen_cookie(cluster: &Cluster) {
    with_chosen_cookie(cluster, &cluster.api());
}

fn by_the_command_line_with_an_automatic_cookie(cluster: &Cluster) {
    with_automatic_cookie(cluster, cluster, |_| {});
}

fn by_the_command_line_with_a_chosen_cookie(cluster: &Cluster) {
    with_chosen_cookie(cluster, cluster);
}

fn with_automatic_cookie(cluster: &Cluster, way: &dyn Way, shown: impl FnOnce(Instant)) {
    let workers = Workers::watch(cluster);
    let added = way.add("");
    serves(cluster, added);
    shown(added);
    shared_by_three(cluster);
    let seen = workers.end();
    assert_eq!(seen.len(), 1, "an automatic cookie needs no reload; workers seen: {seen:?}");
    settled(cluster);
    gone_without_a_trace(cluster, way);
}

fn with_chosen_cookie(cluster: &Cluster, way: &dyn Way) {
    let workers = Workers::watch(cluster);
    let visitors = Load::new(cluster.site(), 16, Ask::Get("/")).think(10..40).start();
    let added = way.add("S3");
    serves(cluster, added);
    settled(cluster);
    let seen = workers.end();
    assert!(seen.len() <= 2, "at most one reload; workers seen: {seen:?}");
    for _ in 0..10 {
        let answer = Client::new(cluster.site()).cookie("SERVEUR", "S3").get("/couleur").unwrap();
        assert_eq!((answer.status, answer.server()), (200, "web3"));
    }
    let web3 = cluster.api().snapshot().server("web3").clone();
    assert_eq!((web3.cookie.as_deref(), web3.cookie_chosen), (Some("S3"), true));
    gone_without_a_trace(cluster, way);
    visitors.stop().assert_no_failure(300);
}

fn serves(cluster: &Cluster, added: Instant) {
    wait::until("web3 serves visitors", SERVING.checked_sub(added.elapsed()).unwrap_or_default(), || {
        let answer = get(cluster.site(), "/").map_err(|e| e.to_string())?;
        if answer.server() == "web3" { Ok(()) } else { Err(answer.server().to_owned()) }
    });
    println!("#   web3 serves {} ms after the click", added.elapsed().as_millis());
}

/// After it is shown up, 300 requests without a cookie: 90 to 110 each.
fn shared_by_three(cluster: &Cluster) {
    cluster.api().wait_for_severity("web3", "good", SERVING);
    let report = Load::new(cluster.site(), 4, Ask::Get("/")).most(300).run();
    report.assert_no_failure(300);
    let shares = report.shares();
    assert!(shares.len() == 3 && shares.values().all(|n| (90..=110).contains(n)), "{shares:?}");
}

/// File, process and wish are the same.
fn settled(cluster: &Cluster) {
    let api = cluster.api();
    let (snapshot, _) = wait::until("file = process = wish", SERVING, || {
        let snapshot = api.snapshot();
        snapshot.settled().map(|()| snapshot)
    });
    let file = cluster.conf("web");
    for server in snapshot.servers.iter().filter(|s| s.pool == "web") {
        assert!(
            file.contains(&format!("server {} ", server.name)),
            "{} is not in the file:\n{file}",
            server.name
        );
    }
}

fn gone_without_a_trace(cluster: &Cluster, way: &dyn Way) {
    let api = cluster.api();
    let port = api.snapshot().server("web3").port;
    let home = cluster.home().join("servers/web3");
    assert!(home.is_dir(), "{}", home.display());
    way.remove();
    api.wait_until_gone("web3", GONE);
    wait::until_true("web3's processes are gone", GONE, || {
        let mark = home.to_str().unwrap();
        !cluster.processes().iter().any(|p| p.mentions(mark))
    });
    wait::until_true("web3 is in no configuration", GONE, || !cluster.conf("web").contains("server web3 "));
    wait::until_true("web3's port is free", GONE, || ports::free(port));
    wait::until_true("web3's folder is out of the way", GONE, || !home.exists());
    let report = Load::new(cluster.site(), 2, Ask::Get("/")).most(60).run();
    assert!(!report.shares().contains_key("web3"), "{:?}", report.shares());
    settled(cluster);
}

/// Notes every worker of HAProxy `web` that is seen while something happens.
struct Workers {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<BTreeSet<u32>>,
}

impl Workers {
    fn watch(cluster: &Cluster) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let api = cluster.api();
        let first = api.snapshot().proxy("web").worker_pid.expect("worker");
        let thread = std::thread::spawn({
            let stop = Arc::clone(&stop);
            move || {
                let mut seen = BTreeSet::from([first]);
                while !stop.load(Ordering::Relaxed) {
                    seen.extend(api.try_snapshot().ok().and_then(|s| s.proxy("web").worker_pid));
                    std::thread::sleep(Duration::from_millis(50));
                }
                seen
            }
        });
        Self { stop, thread }
    }

    fn end(self) -> BTreeSet<u32> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("watcher")
    }
}

// ---- other ways and other servers

fn without_script_the_same_form_does_it(cluster: &Cluster) {
    let person = Person::sign_in(cluster);
    person.browser.allow_scripts(false);
    person.go("/pools/web/servers/new");
    person.browser.click("main form [name=\"start\"][value=\"on\"]");
    person.fill_in(&[("name", "web3")]);
    let added = Instant::now();
    person.submit_with_password();
    serves(cluster, added);
    person.go("/pools/web/servers/web3/remove");
    person.submit_with_password();
    cluster.api().wait_until_gone("web3", GONE);
    cluster.settle();
}

fn a_silent_server_a_closed_port_and_a_good_one_harm_nobody(cluster: &Cluster) {
    let (silent, good) = (Stranger::new(Manner::Silent), Stranger::new(Manner::Good("good")));
    let visitors = Load::new(cluster.site(), 8, Ask::Get("/")).start();
    let api = cluster.api();
    for (name, port) in [("silent", silent.port()), ("closed", closed_port()), ("good", good.port())] {
        let body = json!({ "name": name, "address": "127.0.0.1", "port": port });
        let reply = api.post("/v1/pools/web/servers", &body);
        assert!(reply.ok(), "{name}: {reply:?}");
    }
    for (name, severity) in [("silent", "critical"), ("closed", "critical"), ("good", "good")] {
        let server = api.wait_for_severity(name, severity, Duration::from_secs(5));
        println!("#   {name}: {} {:?}", server.status.word, server.status.reason);
        assert!(server.status.reason.is_some(), "{server:?}");
    }
    wait::until_true("the good one has visitors", SERVING, || good.visitors() > 100);
    visitors.stop().assert_no_failure(500);
    assert_eq!(silent.visitors(), 0, "a server that never answered got visitors");
    for name in ["silent", "closed", "good"] {
        api.delete(&format!("/v1/pools/web/servers/{name}"));
    }
    cluster.settle();
}

fn a_name_that_does_not_resolve_is_shown_and_not_rendered(cluster: &Cluster) {
    let api = cluster.api();
    let reply =
        api.post("/v1/pools/web/servers", &json!({ "name": "lost", "address": "no-such-host.invalid" }));
    assert!(reply.ok(), "{reply:?}");
    let lost = api.wait_for_severity("lost", "critical", Duration::from_secs(10));
    assert_eq!((lost.port, lost.runtime.as_str()), (80, "external"));
    let reason = lost.status.reason.unwrap_or_default();
    assert!(reason.contains("no-such-host.invalid"), "{reason}");
    assert!(!cluster.conf("web").contains("lost") && !cluster.conf("web").contains("invalid"));
    api.delete("/v1/pools/web/servers/lost");
    cluster.settle();
}

fn drain_and_maintenance_do_what_they_say(cluster: &Cluster) {
    let api = cluster.api();
    let ask = |cookie: &str| Client::new(cluster.site()).cookie("SERVEUR", cookie).get("/couleur").unwrap();
    let new_visitors = || Load::new(cluster.site(), 2, Ask::Get("/")).most(40).run().shares();
    api.act("/v1/pools/web/servers/web1/drain");
    wait::until_true("web1 drains", SERVING, || api.snapshot().server("web1").status.word == "Draining");
    assert!(!new_visitors().contains_key("web1"), "a draining server takes no new visitors");
    assert_eq!(ask("S1").server(), "web1", "a draining server keeps those it has");
    cluster.cli_ok(&["maintenance", "web1"]);
    api.wait_for_severity("web1", "maintenance", SERVING);
    assert_eq!(ask("S1").server(), "web2", "in maintenance it serves nobody");
    cluster.cli_ok(&["ready", "web1"]);
    api.wait_for_severity("web1", "good", SERVING);
    assert!(new_visitors().contains_key("web1"));
    assert_eq!(ask("S1").server(), "web1");
    cluster.settle();
}

/// By the API, the form and the command line; a server that exists, and one that Cordée starts.
fn one_added_in_maintenance_gets_nobody_before_it_is_put_in_service(cluster: &Cluster) {
    let api = cluster.api();
    let guests = ["calm-api", "calm-form", "calm-cli"].map(|name| (name, Stranger::new(Manner::Good(name))));
    let port = |n: usize| guests[n].1.port().to_string();
    let body = json!({ "name": "calm-api", "address": "127.0.0.1", "port": port(0), "maintenance": true });
    let reply = api.post("/v1/pools/web/servers?wait=10s", &body);
    assert_eq!((reply.status, reply.body["state"].as_str()), (201, Some("real")), "{reply:?}");
    let (typed, at) = (port(1), "127.0.0.1");
    let fields =
        [("start", "off"), ("name", "calm-form"), ("address", at), ("port", &typed), ("maintenance", "on")];
    let answer = cluster.signed_in().post_form("/pools/web/servers", &fields).unwrap();
    assert!(answer.status < 400, "{}", answer.text());
    let said =
        cluster.cli_ok(&["add", "web", "calm-cli", "--address", at, "--port", &port(2), "--maintenance"]);
    assert!(said.contains("in maintenance"), "{said}");
    cluster.cli_ok(&["add", "web", "calm-own", "--start", "--maintenance"]);
    for (name, _) in &guests {
        api.wait_for_severity(name, "maintenance", SERVING);
    }
    api.wait_for_severity("calm-own", "maintenance", SERVING);
    let load = Load::new(cluster.site(), 4, Ask::Get("/")).most(200).run();
    load.assert_no_failure(200);
    let shares = load.shares();
    assert!(shares.keys().all(|name| !name.starts_with("calm")), "{shares:?}");
    for (name, guest) in &guests {
        assert_eq!(guest.visitors(), 0, "{name} had visitors");
    }
    let refused =
        api.post("/v1/pools/db/servers", &json!({ "name": "db9", "start": true, "maintenance": true }));
    let fields: Vec<String> = refused.errors().iter().map(|e| e.field.clone()).collect();
    assert_eq!((refused.status, fields), (409, vec!["maintenance".to_owned()]), "{refused:?}");
    for name in ["calm-api", "calm-form", "calm-cli", "calm-own"] {
        cluster.cli_ok(&["ready", name]);
        api.wait_for_severity(name, "good", SERVING);
    }
    let shares = Load::new(cluster.site(), 4, Ask::Get("/")).most(200).run().shares();
    assert_eq!(shares.keys().filter(|name| name.starts_with("calm")).count(), 4, "{shares:?}");
    for name in ["calm-api", "calm-form", "calm-cli", "calm-own"] {
        api.delete(&format!("/v1/pools/web/servers/{name}"));
        api.wait_until_gone(name, GONE);
    }
    cluster.settle();
}

fn an_address_in_brackets_is_taken_and_shown_before_its_port(cluster: &Cluster) {
    let (guest, api) = (Stranger::at("[::1]:0", Manner::Good("six")), cluster.api());
    let port = guest.port();
    let ways: [&dyn Fn(); 3] = [
        &|| {
            cluster.cli_ok(&["add", "web", "six", "--address", "[::1]", "--port", &port.to_string()]);
        },
        &|| {
            let body = json!({ "name": "six", "address": "[::1]", "port": port });
            assert_eq!(api.post("/v1/pools/web/servers", &body).status, 201);
        },
        &|| {
            let port = port.to_string();
            let fields = [("start", "off"), ("name", "six"), ("address", "[::1]"), ("port", port.as_str())];
            let answer = cluster.signed_in().post_form("/pools/web/servers", &fields).unwrap();
            assert!(answer.status < 400, "{}", answer.text());
        },
    ];
    for add in ways {
        let before = guest.visitors();
        add();
        let shown = api.wait_for_severity("six", "good", SERVING);
        assert_eq!((shown.address.as_str(), shown.port), ("::1", port));
        assert!(cluster.conf("web").contains(&format!("[::1]:{port}")), "{}", cluster.conf("web"));
        let status = cluster.cli(&["status"]).out;
        assert!(status.contains(&format!("[::1]:{port}")), "{status}");
        Load::new(cluster.site(), 2, Ask::Get("/")).most(60).run().assert_no_failure(60);
        assert!(guest.visitors() > before, "it serves nobody");
        cluster.cli_ok(&["remove", "six"]);
        api.wait_until_gone("six", GONE);
    }
    cluster.settle();
}

fn a_server_that_does_not_obey_the_session_mode_is_shown_as_such(cluster: &Cluster) {
    let (stranger, api) = (Stranger::new(Manner::Good("guest")), cluster.api());
    let port = stranger.port().to_string();
    cluster.cli_ok(&["add", "web", "guest", "--address", "127.0.0.1", "--port", &port]);
    api.wait_for_severity("guest", "good", SERVING);
    let test = |code: i32, words: &str| {
        let said = cluster.cli(&["test", "guest"]);
        assert!(said.code == code && said.out.contains(words), "{said:?}");
    };
    test(0, "does not say where it keeps sessions");
    cluster.cli_ok(&["session", "database"]);
    let shown = api.wait_for_severity("guest", "warning", GONE);
    assert!(shown.status.reason.as_deref().is_some_and(|r| r.contains("does not say")), "{shown:?}");
    test(1, "does not say where it keeps sessions");
    for ours in ["web1", "web2"] {
        assert_eq!(api.snapshot().server(ours).status.severity, "good", "{ours} obeys");
        assert!(cluster.cli_ok(&["test", ours]).contains("where it is told to"));
    }
    cluster.cli_ok(&["session", "proxy"]);
    api.wait_for_severity("guest", "good", GONE);
    cluster.cli_ok(&["remove", "guest"]);
    api.wait_until_gone("guest", GONE);
}
