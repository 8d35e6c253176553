//! (a) From the click to the first request that an added server answers, against a script that sends the same
//! commands to the runtime socket and waits for the same first check.

use std::time::{Duration, Instant};

use cordee_e2e::cluster::Cluster;
use cordee_e2e::load::{Ask, Load};
use cordee_e2e::visitors::{Manner, Stranger};
use cordee_e2e::wait;
use serde_json::json;

use crate::figures::Figures;
use crate::own_proxy::{OwnProxy, rendered_elsewhere, socket_in};
use crate::report::Report;

const PAIRS: usize = 15;
const MOST_OVER_MS: f64 = 50.0;
const BOUND: Duration = Duration::from_secs(10);
/// Visitors ask often enough that the first of them comes within a few milliseconds.
const VISITORS: usize = 8;

/// Adds the same kind of server by Cordée, by script and by script again, in turns.
pub fn measure(cluster: &Cluster, report: &mut Report) {
    let folder = cluster.home().join("bench");
    std::fs::create_dir_all(&folder).expect("folder");
    let rendered = cluster.conf("web");
    let text = rendered_elsewhere(&rendered, cluster.spare_port(0), &socket_in(&folder, "script"));
    let proxy = OwnProxy::start(&folder, "script", cluster.spare_port(0), &text);
    let parameters = parameters(&rendered);

    let visitors = |to| Load::new(to, VISITORS, Ask::Get("/")).think(1..4).time(Duration::from_secs(300));
    let loads =
        [visitors(cluster.site()).most(u64::MAX).start(), visitors(proxy.at()).most(u64::MAX).start()];
    let (mut ours, mut script, mut again) = (Vec::new(), Vec::new(), Vec::new());
    for n in 0..PAIRS {
        ours.push(by_cordee(cluster));
        script.push(by_script(&proxy, &parameters, 1_000 + 2 * n));
        again.push(by_script(&proxy, &parameters, 1_001 + 2 * n));
    }
    for load in loads {
        load.stop().assert_no_failure(100);
    }
    publish(report, &ours, &script, &again);
}

fn publish(report: &mut Report, ours: &[f64], script: &[f64], again: &[f64]) {
    let over = |a: &[f64], b: &[f64]| Figures::new(a.iter().zip(b).map(|(a, b)| a - b).collect());
    let ratio = |a: &[f64], b: &[f64]| Figures::new(a.iter().zip(b).map(|(a, b)| a / b).collect());
    let difference = over(ours, script);
    report.judge(
        "Click to first request served by an added server, over the script's",
        format!("{} ms", difference.spread(0)),
        &format!("median ≤ {MOST_OVER_MS} ms"),
        difference.median() <= MOST_OVER_MS,
    );
    report.note("… by Cordée (API)", format!("{} ms", Figures::new(ours.to_vec()).spread(0)));
    report.note(
        "… by the script (same commands, same first check)",
        format!("{} ms", Figures::new(script.to_vec()).spread(0)),
    );
    report.note("… ratio Cordée / script", ratio(ours, script).spread(2));
    report.note("… ratio script / script (A/A)", ratio(script, again).spread(2));
}

fn milliseconds(since: Instant, until: Instant) -> f64 {
    until.duration_since(since).as_secs_f64() * 1_000.0
}

fn first_visit(server: &Stranger) -> Instant {
    wait::until("the added server has its first visitor", BOUND, || server.first_visit().ok_or("none")).0
}

fn by_cordee(cluster: &Cluster) -> f64 {
    let server = Stranger::new(Manner::Good("added"));
    let api = cluster.api();
    let body = json!({ "name": "added", "address": "127.0.0.1", "port": server.port() });
    let click = Instant::now();
    let reply = api.post("/v1/pools/web/servers", &body);
    assert!(reply.ok(), "{reply:?}");
    let took = milliseconds(click, first_visit(&server));
    api.delete("/v1/pools/web/servers/added");
    api.wait_until_gone("added", BOUND);
    // Not only the wish: the running HAProxy is rid of it before the server itself goes.
    wait::until("settled again", BOUND, || api.try_snapshot()?.settled());
    took
}

/// The server's parameters in the rendered file, from `check` on: `add server` is given the same.
fn parameters(rendered: &str) -> String {
    let line = rendered.lines().find(|l| l.trim_start().starts_with("server web1 ")).expect("web1's line");
    format!("check {}", line.split_once(" check ").expect("parameters").1)
}

fn by_script(proxy: &OwnProxy, parameters: &str, id: usize) -> f64 {
    let server = Stranger::new(Manner::Good("added"));
    let click = Instant::now();
    let said =
        proxy.ask(&format!("add server web/added 127.0.0.1:{} id {id} weight 0 {parameters}", server.port()));
    assert!(said.contains("registered"), "{said}");
    proxy.ask("enable health web/added");
    proxy.ask("enable server web/added");
    wait::until("the first check has finished", BOUND, || checked(proxy));
    proxy.ask("set server web/added weight 100");
    let took = milliseconds(click, first_visit(&server));
    proxy.ask("set server web/added state maint");
    wait::until("it is deleted", BOUND, || {
        let said = proxy.ask("del server web/added");
        if said.contains("deleted") { Ok(()) } else { Err(said) }
    });
    took
}

/// Whether the statistics have a finished check of the added server.
fn checked(proxy: &OwnProxy) -> Result<(), String> {
    // All proxies: by name, the frontend `web` would hide the backend `web`.
    let table = proxy.ask("show stat -1 4 -1");
    let mut lines = table.lines();
    let head: Vec<&str> = lines.next().unwrap_or("").trim_start_matches("# ").split(',').collect();
    let column = |name: &str| head.iter().position(|h| *h == name).expect("a known column");
    let row =
        lines.map(|l| l.split(',').collect::<Vec<_>>()).find(|r| r.get(column("svname")) == Some(&"added"));
    let status = row.and_then(|r| r.get(column("check_status")).map(|s| (*s).to_owned())).unwrap_or_default();
    if status.starts_with("L7OK") { Ok(()) } else { Err(status) }
}
