//! Make before break: however fast wishes follow each other, visitors are served, and each wish becomes real or says
//! why not. `CORDEE_ROLLING=300` makes the random part longer, `CORDEE_ROLLING_SEED` another one.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed expectation is how a test ends")]

use std::collections::{BTreeMap, BTreeSet};
use std::thread;
use std::time::{Duration, Instant};

use cordee_e2e::api::{Api, Reply};
use cordee_e2e::case;
use cordee_e2e::cluster::Cluster;
use cordee_e2e::http::get;
use cordee_e2e::load::{Ask, Load, Report};
use cordee_e2e::suite::File;
use cordee_e2e::visitors::{Manner, Stranger};
use cordee_e2e::wait;
use serde_json::json;

/// Every wish is real, or has said why not, within this time.
const WISH: Duration = Duration::from_secs(60);
/// A request that needs the database waits no longer than this, a change of writer included.
const DATABASE: Duration = Duration::from_secs(10);
/// For what takes a moment.
const SOON: Duration = Duration::from_secs(10);

/// Its cases.
pub fn file() -> File {
    File::new(
        "rolling",
        &[],
        &[
            case!(two_wishes_in_a_row_cost_no_visitor),
            case!(a_rolling_maintenance_in_a_loop_costs_no_visitor),
            case!(one_that_waits_says_so_everywhere_and_is_told_what_to_do),
            case!(the_last_one_leaves_only_when_that_is_said),
            case!(ten_that_are_added_at_once_are_ten),
            case!(whoever_waits_for_a_wish_is_told_how_it_ended),
            case!(random_changes_cost_no_visitor_and_each_comes_to_an_end),
        ],
    )
}

fn web(server: &str, act: &str) -> String {
    format!("/v1/pools/web/servers/{server}/{act}")
}

/// Asks, and waits until it is real.
#[track_caller]
fn real(api: &Api, path: &str) {
    let said = api.act(&format!("{path}?wait=60s"));
    assert_eq!(said["state"], "real", "{path}: {said}");
}

fn two_wishes_in_a_row_cost_no_visitor(cluster: &Cluster) {
    let api = cluster.api();
    let visitors = Load::new(cluster.site(), 8, Ask::Get("/")).start();
    for (out, leave) in [
        ("maintenance", "maintenance"),
        ("maintenance", "drain"),
        ("stop", "restart"),
        ("maintenance", "stop"),
        ("drain", "restart"),
    ] {
        let back = if out == "stop" { "start" } else { "ready" };
        real(&api, &web("web1", out));
        api.act(&web("web1", back));
        api.act(&web("web2", leave));
        real(&api, &web("web1", back));
        wait::until_true(&format!("web2: {leave}"), SOON, || {
            api.snapshot().server("web2").status.word != "Waiting"
        });
        real(&api, &web("web2", if leave == "stop" { "start" } else { "ready" }));
    }
    visitors.stop().assert_no_failure(500);
    cluster.settle();
}

fn a_rolling_maintenance_in_a_loop_costs_no_visitor(cluster: &Cluster) {
    let api = cluster.api();
    let visitors = Load::new(cluster.site(), 8, Ask::Get("/")).start();
    for turn in 0..8 {
        let (one, other) = if turn % 2 == 0 { ("web1", "web2") } else { ("web2", "web1") };
        api.act(&web(other, "ready"));
        api.act(&web(one, "maintenance"));
        thread::sleep(Duration::from_millis(150 * turn));
    }
    api.act(&web("web1", "ready"));
    api.act(&web("web2", "ready"));
    wait::until("both serve", SOON, || api.snapshot().settled());
    // Two that restart at once do it one after the other.
    api.act(&web("web1", "restart"));
    api.act(&web("web2", "restart"));
    wait::until("both have restarted", SOON, || api.snapshot().settled());
    visitors.stop().assert_no_failure(500);
}

fn one_that_waits_says_so_everywhere_and_is_told_what_to_do(cluster: &Cluster) {
    let (api, slow) = (cluster.api(), Stranger::new(Manner::Silent));
    let visitors = Load::new(cluster.site(), 4, Ask::Get("/")).start();
    real(&api, &web("web1", "maintenance"));
    let body = json!({ "name": "slow", "address": "127.0.0.1", "port": slow.port() });
    let waits = || {
        assert!(api.post("/v1/pools/web/servers", &body).ok());
        api.act(&web("web2", "maintenance"));
        wait::until("web2 waits for slow", SOON, || {
            let shown = api.get("/v1/snapshot");
            let web2 =
                shown["servers"].as_array().unwrap().iter().find(|s| s["name"] == "web2").unwrap().clone();
            if web2["waits_for"] == json!(["slow"]) { Ok(web2) } else { Err(web2.to_string()) }
        })
        .0
    };
    let web2 = waits();
    assert_eq!(web2["status"]["word"], "Waiting");
    let says = "waits for slow, then goes into maintenance";
    assert_eq!(web2["status"]["reason"], says);
    assert!(cluster.cli(&["status"]).out.contains(says), "the command line says so");
    let page = cluster.signed_in().get("/").unwrap().text();
    assert!(page.contains(says) && page.contains("Withdraw"), "the page says so");
    // No time breaks it.
    wait::always("web2 serves", Duration::from_secs(6), || {
        let answer = get(cluster.site(), "/").map_err(|e| e.to_string())?;
        if answer.server() == "web2" { Ok(()) } else { Err(answer.status.to_string()) }
    });
    let said = cluster.cli(&["--wait", "1s", "maintenance", "web2", "--force", "--no-wait"]);
    assert_eq!(said.code, 2, "either a time or none: {said:?}");
    cluster.cli_ok(&["withdraw", "web2"]);
    assert_eq!(api.snapshot().server("web2").status.severity, "good");
    visitors.stop().assert_no_failure(100);
    real(&api, "/v1/pools/web/servers/web1/ready");
    real(&api, &web("web1", "maintenance"));
    api.delete("/v1/pools/web/servers/slow");
    api.wait_until_gone("slow", SOON);
    waits();
    cluster.cli_ok(&["anyway", "web2"]);
    wait::until_true("nobody serves", SOON, || get(cluster.site(), "/").is_ok_and(|a| a.status == 503));
    real(&api, &web("web1", "ready"));
    real(&api, &web("web2", "ready"));
    api.delete("/v1/pools/web/servers/slow");
    api.wait_until_gone("slow", SOON);
    cluster.settle();
}

fn the_last_one_leaves_only_when_that_is_said(cluster: &Cluster) {
    let api = cluster.api();
    let visitors = Load::new(cluster.site(), 4, Ask::Get("/")).start();
    real(&api, &web("web1", "maintenance"));
    for act in ["drain", "maintenance", "restart", "stop"] {
        let reply = api.post(&web("web2", act), &json!({}));
        let fields: Vec<String> = reply.errors().iter().map(|e| e.field.clone()).collect();
        assert_eq!((reply.status, fields), (409, vec!["force".to_owned()]), "{act}: {reply:?}");
        let said = cluster.cli(&[act, "web2"]);
        assert!(said.code == 1 && said.err.contains("--force"), "{act}: {said:?}");
    }
    let gone = api.call("DELETE", "/v1/pools/web/servers/web2", None).unwrap();
    assert_eq!(gone.status, 409, "{gone:?}");
    let mut person = cluster.signed_in();
    let asked = person.post_form("/pools/web/servers/web2/drain", &[]).unwrap();
    assert!(asked.status == 422 && asked.text().contains("name=\"know\""), "the page asks: {}", asked.text());
    visitors.stop().assert_no_failure(100);
    cluster.cli_ok(&["maintenance", "web2", "--force"]);
    assert_eq!(get(cluster.site(), "/").unwrap().status, 503, "and then it is done");
    real(&api, &web("web1", "ready"));
    real(&api, &web("web2", "ready"));
    cluster.settle();
}

fn ten_that_are_added_at_once_are_ten(cluster: &Cluster) {
    let api = cluster.api();
    let names: Vec<String> = (0..10).map(|n| format!("more{n}")).collect();
    let asked: Vec<_> = names
        .iter()
        .map(|name| {
            let (api, body) = (api.clone(), json!({ "name": name, "start": true }));
            thread::spawn(move || api.post("/v1/pools/web/servers", &body))
        })
        .collect();
    let replies: Vec<Reply> = asked.into_iter().map(|t| t.join().unwrap()).collect();
    for reply in &replies {
        assert_eq!(reply.status, 201, "{reply:?}");
    }
    let ports: BTreeSet<u64> = replies.iter().filter_map(|r| r.body["server"]["port"].as_u64()).collect();
    assert_eq!(ports.len(), 10, "{ports:?}");
    let port = api.snapshot().server("web1").port;
    for address in ["localhost", "::1", "[::1]", "::ffff:127.0.0.1"] {
        let body = json!({ "name": "twin", "address": address, "port": port });
        let reply = api.post("/v1/pools/web/servers", &body);
        assert!(reply.status == 409 && reply.errors()[0].field == "address", "{address}: {reply:?}");
    }
    for name in &names {
        api.delete(&format!("/v1/pools/web/servers/{name}"));
    }
    for name in &names {
        api.wait_until_gone(name, Duration::from_secs(30));
    }
    cluster.settle();
}

fn whoever_waits_for_a_wish_is_told_how_it_ended(cluster: &Cluster) {
    let api = cluster.api();
    cluster.cli_ok(&["maintenance", "web1"]);
    assert_eq!(api.snapshot().server("web1").status.severity, "maintenance", "the command line waited");
    cluster.cli_ok(&["ready", "web1", "--no-wait"]);
    real(&api, &web("web1", "ready"));
    let body =
        json!({ "name": "deaf", "address": "127.0.0.1", "port": Stranger::new(Manner::Silent).port() });
    let reply = api.post("/v1/pools/web/servers?wait=500ms", &body);
    assert_eq!((reply.status, reply.body["state"].as_str()), (201, Some("under_way")), "{reply:?}");
    assert!(reply.body["why"].as_str().is_some_and(|why| why.contains("deaf")), "{reply:?}");
    let revision = reply.body["revision"].as_u64().unwrap();
    let said = cluster.cli(&["restart", "deaf"]);
    assert_eq!(said.code, 1, "it is not ours: {said:?}");
    let said = cluster.cli(&["maintenance", "deaf", "--wait", "30s"]);
    assert_eq!(said.code, 0, "{said:?}");
    cluster.cli_ok(&["ready", "deaf", "--no-wait"]);
    let said = cluster.cli(&["ready", "deaf", "--wait", "1s"]);
    assert!(said.code == 4 && said.err.contains("deaf"), "still under way: {said:?}");
    cluster.cli_ok(&["remove", "deaf"]);
    let wish = api.get(&format!("/v1/wishes/{revision}"));
    assert_eq!(wish["state"], "failed", "it is gone: {wish}");
    cluster.settle();
}

// ---- random changes

struct Dice(u64);

impl Dice {
    fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % most
    }

    fn one<'a>(&mut self, all: &[&'a str]) -> &'a str {
        let n = self.below(all.len() as u64);
        all[usize::try_from(n).unwrap()]
    }
}

/// One change of any kind: method, address, body.
fn change(dice: &mut Dice, webs: &[&str]) -> (&'static str, String, Option<serde_json::Value>) {
    let post = |path: String| ("POST", path, None);
    match dice.below(20) {
        0..=4 => post(web(dice.one(webs), "ready")),
        5..=6 => post(web(dice.one(webs), "maintenance")),
        7 => post(web(dice.one(webs), "drain")),
        8..=9 => post(web(dice.one(webs), "restart")),
        10 => post(web(dice.one(webs), "stop")),
        11..=12 => post(web(dice.one(webs), "start")),
        13 => match dice.below(2) {
            0 => ("DELETE", "/v1/pools/web/servers/web3".to_owned(), None),
            _ => ("POST", "/v1/pools/web/servers".to_owned(), Some(json!({ "name": "web3", "start": true }))),
        },
        14 => {
            let act = dice.one(&["restart", "start", "stop"]);
            post(format!("/v1/pools/db/servers/{}/{act}", dice.one(&["db1", "db2"])))
        }
        15 => post(format!("/v1/pools/db/servers/{}/promote", dice.one(&["db1", "db2"]))),
        16 => post(format!("/v1/proxies/{}/reload", dice.one(&["web", "db"]))),
        17 => {
            let mode = dice.one(&["proxy", "database"]);
            ("PUT", "/v1/pools/web/session".to_owned(), Some(json!({ "mode": mode })))
        }
        18 => {
            let routing = dice.one(&["one-writer", "all-writers"]);
            ("PUT", "/v1/pools/db/routing".to_owned(), Some(json!({ "routing": routing })))
        }
        _ => {
            let days = 7 + dice.below(30);
            ("PUT", "/v1/visitors/keeping".to_owned(), Some(json!({ "days": days })))
        }
    }
}

fn random_changes_cost_no_visitor_and_each_comes_to_an_end(cluster: &Cluster) {
    let number = |name: &str, else_: u64| std::env::var(name).map_or(else_, |v| v.parse().expect(name));
    let (count, seed) = (number("CORDEE_ROLLING", 40), number("CORDEE_ROLLING_SEED", 20_261_129));
    println!("#   {count} changes, seed {seed}");
    let (api, mut dice) = (cluster.api(), Dice(seed.max(1)));
    let longest = WISH + SOON + Duration::from_secs(count);
    let load = |clients, ask| Load::new(cluster.site(), clients, ask).think(0..20).time(longest).start();
    let (visitors, readers) = (load(6, Ask::Get("/")), load(2, Ask::Get("/connexion")));
    let (mut asked, begun) = (Vec::new(), Instant::now());
    for n in 0..count {
        // The first half with two web servers, the second with three.
        let webs: &[&str] = if n < count / 2 { &["web1", "web2"] } else { &["web1", "web2", "web3"] };
        let (method, path, body) = match n {
            _ if n == count / 2 => {
                ("POST", "/v1/pools/web/servers".to_owned(), Some(json!({ "name": "web3", "start": true })))
            }
            _ => change(&mut dice, webs),
        };
        let (api, at) = (api.clone(), Instant::now());
        asked.push(thread::spawn(move || {
            let reply = api.call(method, &path, body.as_ref()).expect("an answer");
            let wish = format!("{:.1} s: {method} {path}", at.duration_since(begun).as_secs_f64());
            if !reply.ok() {
                return (wish, format!("refused {}", reply.status), at.elapsed());
            }
            let revision = reply.body["revision"].as_u64().expect("a revision");
            let mut client = cordee_e2e::http::Client::new(api.address()).timeout(WISH + SOON);
            client = client.header("Authorization", &format!("Bearer {}", api.token()));
            let answer = client.get(&format!("/api/v1/wishes/{revision}?wait=60s")).expect("an answer");
            let wished: serde_json::Value = serde_json::from_slice(&answer.body).expect("json");
            let state = wished["state"].as_str().unwrap_or("?").to_owned();
            let why = wished["why"].as_str().unwrap_or("").to_owned();
            (wish, format!("{state} {why}").trim().to_owned(), at.elapsed())
        }));
        thread::sleep(Duration::from_millis(dice.below(900)));
    }
    let ends: Vec<(String, String, Duration)> = asked.into_iter().map(|t| t.join().unwrap()).collect();
    let mut sums: BTreeMap<&str, usize> = BTreeMap::new();
    for (wish, end, took) in &ends {
        println!("#   {wish}: {end} after {} ms", took.as_millis());
        *sums.entry(end.split(' ').next().unwrap_or("")).or_default() += 1;
    }
    println!("#   {sums:?}");
    let (visitors, readers) = (visitors.stop(), readers.stop());
    for (what, report) in [("site", &visitors), ("database", &readers)] {
        let (all, slowest) = (report.hits.len(), report.slowest());
        let failed: Vec<String> =
            report.failed().iter().take(20).map(|h| format!("{:.1} s", h.at.as_secs_f64())).collect();
        println!(
            "#   {what}: {all} requests, {} failed ({}), slowest {} ms",
            report.failed().len(),
            failed.join(", "),
            slowest.as_millis()
        );
    }
    let open: Vec<_> =
        ends.iter().filter(|(_, end, _)| end.starts_with("under_way") || end.starts_with('?')).collect();
    assert!(open.is_empty(), "still under way after {WISH:?}: {open:#?}");
    let real = sums.get("real").copied().unwrap_or(0);
    assert!(real * 3 >= ends.len() * 2, "at least two of three become real: {sums:?}");
    visitors.assert_no_failure(1_000);
    bounded(&readers);
    back_to_normal(cluster, &api);
}

/// Nobody who needs the database fails, and nobody waits longer than is stated.
fn bounded(readers: &Report) {
    readers.assert_no_failure(300);
    assert!(readers.slowest() < DATABASE, "{:?}", readers.slowest());
}

fn back_to_normal(cluster: &Cluster, api: &Api) {
    for server in ["db1", "db2"] {
        let _ = api.post(&format!("/v1/pools/db/servers/{server}/start"), &json!({}));
    }
    let routing = json!({ "routing": "one-writer" });
    assert!(api.call("PUT", "/v1/pools/db/routing", Some(&routing)).unwrap().ok());
    for server in ["web1", "web2"] {
        api.act(&web(server, "start"));
        real(api, &web(server, "ready"));
    }
    if api.snapshot().find("web3").is_some() {
        api.delete("/v1/pools/web/servers/web3");
        api.wait_until_gone("web3", Duration::from_secs(30));
    }
    wait::until("everything is well", WISH, || cluster.api().snapshot().settled());
}
