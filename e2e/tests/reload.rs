//! A reload loses nobody, and a port that somebody else holds is never taken, not even shared.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed expectation is how a test ends")]

use std::net::TcpListener;
use std::time::Duration;

use cordee_e2e::case;
use cordee_e2e::cluster::Cluster;
use cordee_e2e::db::Db;
use cordee_e2e::load::{Ask, Load};
use cordee_e2e::ports::local;
use cordee_e2e::suite::File;
use cordee_e2e::wait;
use serde_json::json;

/// Time for one reload to be done and seen.
const RELOADED: Duration = Duration::from_secs(10);

/// Its cases.
pub fn file() -> File {
    File::new(
        "reload",
        &[],
        &[
            case!(ten_reloads_lose_none_of_sixty_thinking_visitors),
            case!(a_reload_of_the_databases_proxy_leaves_the_other_alone),
            case!(up_again_changes_nothing),
            case!(a_taken_port_is_refused_and_its_owner_named),
            case!(another_cluster_on_the_same_ports_is_refused),
            case!(a_file_changed_by_hand_is_shown_kept_and_written_again),
            case!(cleaning_shows_first_and_takes_only_what_nobody_wishes_for),
        ],
    )
}

/// Reloads and waits until another worker serves from the file.
fn reload(cluster: &Cluster, proxy: &str, by_command_line: bool) {
    let api = cluster.api();
    let before = api.snapshot().proxy(proxy).worker_pid.expect("worker");
    if by_command_line {
        cluster.cli_ok(&["reload", proxy]);
    } else {
        api.act(&format!("/v1/proxies/{proxy}/reload"));
    }
    wait::until(&format!("HAProxy {proxy} has a new worker"), RELOADED, || {
        let snapshot = api.snapshot();
        let now = snapshot.proxy(proxy);
        let renewed = now.worker_pid.is_some_and(|p| p != before);
        if renewed && now.settled && now.status.severity == "good" { Ok(()) } else { Err(format!("{now:?}")) }
    });
}

fn ten_reloads_lose_none_of_sixty_thinking_visitors(cluster: &Cluster) {
    let master = cluster.api().snapshot().proxy("web").pid;
    let visitors = Load::new(cluster.site(), 60, Ask::Get("/")).think(300..1_000).start();
    wait::until_true("all visitors have begun", Duration::from_secs(5), || visitors.sent() >= 120);
    for n in 0..10 {
        let sent = visitors.sent();
        reload(cluster, "web", n % 2 == 0);
        // Every visitor gets the chance to use a connection that it opened before this reload.
        wait::until_true("visitors go on", Duration::from_secs(5), || visitors.sent() > sent + 60);
    }
    let report = visitors.stop();
    println!("#   {} requests over 10 reloads, slowest {:?}", report.hits.len(), report.slowest());
    report.assert_no_failure(600);
    assert_eq!(cluster.api().snapshot().proxy("web").pid, master, "a reload keeps the master");
}

fn a_reload_of_the_databases_proxy_leaves_the_other_alone(cluster: &Cluster) {
    let before = cluster.api().snapshot().proxy("web").worker_pid;
    let visitors = Load::new(cluster.site(), 8, Ask::Get("/")).think(5..20).start();
    reload(cluster, "db", false);
    assert_eq!(Db::new(cluster, &[]).number("SELECT 1"), 1);
    assert_eq!(cluster.api().snapshot().proxy("web").worker_pid, before);
    visitors.stop().assert_no_failure(1);
}

fn up_again_changes_nothing(cluster: &Cluster) {
    cluster.settle();
    let pids = |cluster: &Cluster| -> Vec<_> {
        let snapshot = cluster.api().snapshot();
        let proxies = snapshot.proxies.iter().flat_map(|p| [p.pid, p.worker_pid]);
        proxies.chain(snapshot.servers.iter().map(|s| s.pid)).collect()
    };
    let (before, revision, serve) = (pids(cluster), cluster.api().snapshot().revision, cluster.serve());
    cluster.cli_ok(&["up", "--detach"]);
    assert_eq!(before, pids(cluster));
    assert_eq!(revision, cluster.api().snapshot().revision);
    assert_eq!(serve.map(|p| p.pid), cluster.serve().map(|p| p.pid));
}

fn a_file_changed_by_hand_is_shown_kept_and_written_again(cluster: &Cluster) {
    cluster.settle();
    let api = cluster.api().speaking("en");
    let explained = api.get("/v1/proxies/web/config");
    assert_eq!((&explained["disk"], &explained["process"]), (&json!("same"), &json!("same")), "{explained}");
    let path = cluster.home().join("conf").join("web.cfg");
    let ours = std::fs::read_to_string(&path).unwrap();
    let last = api.last_event();
    let visitors = Load::new(cluster.site(), 8, Ask::Get("/")).think(5..20).start();
    std::fs::write(&path, ours.replace("timeout queue 5s", "timeout queue 9s")).unwrap();
    let (told, _) = wait::until("the journal tells of it", RELOADED, || {
        let events = api.events_after(last);
        let told = events.iter().find(|e| e.subject == "haproxy-web" && e.text.contains("web.cfg-by-hand"));
        told.map(|e| e.text.clone()).ok_or_else(|| format!("{events:?}"))
    });
    assert_eq!(std::fs::read_to_string(&path).unwrap(), ours, "it is written again");
    let kept = api.get("/v1/proxies/web/config")["overwritten"].clone();
    let file = kept["file"].as_str().expect("a file is named");
    assert!(told.contains(file), "{told}");
    assert!(std::fs::read_to_string(cluster.home().join(file)).unwrap().contains("timeout queue 9s"));
    let difference = kept["difference"].as_array().expect("a difference");
    assert!(difference.contains(&json!({ "added": true, "text": "    timeout queue 9s" })), "{kept}");
    visitors.stop().assert_no_failure(1);
}

fn a_taken_port_is_refused_and_its_owner_named(cluster: &Cluster) {
    let visitors = Load::new(cluster.site(), 8, Ask::Get("/")).think(5..20).start();
    let names = ["CORDEE_PAGE", "CORDEE_SITE", "CORDEE_DB", "CORDEE_DB_WRITER"];
    for name in names {
        let held = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = held.local_addr().unwrap().port();
        refused(&[(name, &local(port).to_string())], port, &std::process::id().to_string());
    }
    wait::until_true("enough visits to judge by", Duration::from_secs(5), || visitors.sent() >= 100);
    visitors.stop().assert_no_failure(100);
}

fn another_cluster_on_the_same_ports_is_refused(cluster: &Cluster) {
    let visitors = Load::new(cluster.site(), 8, Ask::Get("/")).think(5..20).start();
    let site = cluster.site();
    refused(&[("CORDEE_SITE", &site.to_string())], site.port(), "haproxy");
    let page = cluster.page();
    refused(&[("CORDEE_PAGE", &page.to_string())], page.port(), "cordee");
    wait::until_true("enough visits to judge by", Duration::from_secs(5), || visitors.sent() >= 100);
    visitors.stop().assert_no_failure(100);
    cluster.settle();
}

/// `up` of another cluster: refused in words that name the port and `owner` (a pid or a program), nothing started.
#[track_caller]
fn refused(environment: &[(&str, &str)], port: u16, owner: &str) {
    let mut other = Cluster::prepare("taken", environment);
    let said = other.cli(&["up", "--detach"]);
    assert!(said.code > 0, "{said:?}");
    let all = format!("{}{}", said.out, said.err);
    assert!(all.contains(&port.to_string()), "the port is not named: {said:?}");
    assert!(all.contains(owner), "the owner {owner} is not named: {said:?}");
    let started = other.processes();
    assert!(started.is_empty(), "started: {started:?}");
    other.down().unwrap();
}

fn cleaning_shows_first_and_takes_only_what_nobody_wishes_for(cluster: &Cluster) {
    let api = cluster.api();
    // What another hand put there, or the file system.
    let foreign = ["lost+found", "web1.bak"].map(|name| cluster.home().join("servers").join(name));
    for folder in &foreign {
        std::fs::create_dir(folder).unwrap();
    }
    let home = cluster.home().join("servers/web3");
    assert!(api.post("/v1/pools/web/servers", &json!({ "name": "web3", "start": true })).ok());
    api.wait_for_severity("web3", "good", RELOADED);
    api.delete("/v1/pools/web/servers/web3");
    wait::until_true("web3's folder is out of the way", RELOADED, || !home.exists());

    let shown = api.act("/v1/clean");
    assert_eq!(shown["applied"], false);
    let items = shown["items"].as_array().unwrap();
    let item =
        items.iter().find(|i| i["path"].as_str().unwrap_or("").starts_with("trash/")).expect("web3's folder");
    assert!(item["why"].as_str().is_some_and(|w| w.len() > 10) && item["bytes"].as_u64() > Some(0), "{item}");
    let path = cluster.home().join(item["path"].as_str().unwrap());
    let said = cluster.cli_ok(&["clean"]);
    assert!(said.contains(item["path"].as_str().unwrap()), "{said}");
    assert!(path.exists(), "a dry run takes nothing");
    assert_eq!(api.act("/v1/clean?apply=true")["applied"], true);
    assert!(!path.exists());
    let clean = api.act("/v1/clean");
    assert_eq!(clean["items"], json!([]));
    let named = ["servers/lost+found", "servers/web1.bak"];
    assert!(named.iter().zip(0..).all(|(path, n)| clean["foreign"][n]["path"] == *path), "{clean}");
    assert!(named.iter().all(|path| cluster.cli_ok(&["clean"]).contains(path)));
    for folder in &foreign {
        std::fs::remove_dir(folder).expect("it is where it was");
    }
    for kept in ["web1", "web2", "db1", "db2"] {
        assert!(cluster.home().join("servers").join(kept).is_dir(), "{kept} was taken");
    }
    cluster.settle();
}
