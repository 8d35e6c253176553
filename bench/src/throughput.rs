//! (b) The rendered `web` configuration against one written by hand with the same log, checks, cookie and timeouts.

use std::net::SocketAddr;
use std::time::Duration;

use cordee_e2e::cluster::Cluster;
use cordee_e2e::load::{Ask, Load};
use cordee_e2e::visitors::{Manner, Stranger};

use crate::figures::Figures;
use crate::own_proxy::{OwnProxy, rendered_elsewhere, socket_in};
use crate::report::Report;

const PAIRS: usize = 11;
const ONE: Duration = Duration::from_secs(2);
const CLIENTS: usize = 16;

/// What a person who knows HAProxy would write: the same log, checks, cookie and timeouts, and nothing more.
const BY_HAND: &str = "\
global
    log stdout format raw local0 notice
    stats socket {socket} mode 600 level admin
    stats timeout 10s

defaults
    mode http
    log global
    timeout connect 1s
    timeout client 30s
    timeout server 30s
    timeout queue 5s
    timeout http-request 10s
    timeout http-keep-alive 10s
    timeout check 1s

frontend web
    bind 127.0.0.1:{port}
    log 127.0.0.1:{log} format raw local0 info
    option httplog
    default_backend web

backend web
    balance roundrobin
    cookie SERVEUR insert indirect nocache httponly attr SameSite=Lax
    option httpchk
    http-check send meth GET uri / ver HTTP/1.1 hdr Host cordee-check hdr Connection close
    http-check expect rstatus ^[23]
    server web1 127.0.0.1:{web1} cookie S1 check inter 1s fastinter 200ms downinter 250ms rise 1 fall 2 maxconn 48
    server web2 127.0.0.1:{web2} cookie S2 check inter 1s fastinter 200ms downinter 250ms rise 1 fall 2 maxconn 48
";

/// Three proxies before the same two quick servers: rendered, rendered again (A/A), by hand; in turns.
pub fn measure(cluster: &Cluster, report: &mut Report) {
    let folder = cluster.home().join("bench");
    std::fs::create_dir_all(&folder).expect("folder");
    let servers = [Stranger::new(Manner::Good("web1")), Stranger::new(Manner::Good("web2"))];
    let rendered = |name: &str, n: u16| {
        let port = cluster.spare_port(n);
        let text = rendered_elsewhere(&cluster.conf("web"), port, &socket_in(&folder, name));
        OwnProxy::start(&folder, name, port, &with_servers(&text, &servers))
    };
    let (first, second) = (rendered("rendered", 1), rendered("again", 2));
    let by_hand =
        OwnProxy::start(&folder, "by-hand", cluster.spare_port(3), &by_hand(&folder, cluster, &servers));

    let (mut hand_ratio, mut same_ratio, mut rates) = (Vec::new(), Vec::new(), Vec::new());
    for n in 0..PAIRS {
        // The order turns, so that whatever the machine does by and by falls on all three.
        let mut order = [(0, first.at()), (1, second.at()), (2, by_hand.at())];
        order.rotate_left(n % 3);
        let mut rate = [0.0; 3];
        for (which, at) in order {
            rate[which] = requests_a_second(at);
        }
        hand_ratio.push(rate[0] / rate[2]);
        same_ratio.push(rate[0] / rate[1]);
        rates.push(rate[0]);
    }
    publish(report, &Figures::new(hand_ratio), &Figures::new(same_ratio), &Figures::new(rates));
}

fn publish(report: &mut Report, by_hand: &Figures, same: &Figures, rates: &Figures) {
    report.judge(
        "Throughput, rendered configuration / written by hand",
        by_hand.spread(3),
        &format!("median not below the A/A's lower quartile, {:.3}", same.lower_quartile()),
        by_hand.median() >= same.lower_quartile(),
    );
    report.note("… rendered / rendered (A/A)", same.spread(3));
    report.note("… rendered", format!("{} requests/s", rates.spread(0)));
}

/// The rendered file with the addresses of the benchmark's servers.
pub fn with_servers(text: &str, servers: &[Stranger; 2]) -> String {
    let line = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        match fields.as_slice() {
            ["server", name @ ("web1" | "web2"), address, ..] => {
                let port = servers[usize::from(*name == "web2")].port();
                line.replacen(address, &format!("127.0.0.1:{port}"), 1)
            }
            _ => line.to_owned(),
        }
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n") + "\n"
}

fn by_hand(folder: &std::path::Path, cluster: &Cluster, servers: &[Stranger; 2]) -> String {
    BY_HAND
        .replace("{socket}", &socket_in(folder, "by-hand").display().to_string())
        .replace("{log}", &log_port(&cluster.conf("web")))
        .replace("{port}", &cluster.spare_port(3).to_string())
        .replace("{web1}", &servers[0].port().to_string())
        .replace("{web2}", &servers[1].port().to_string())
}

/// Where the rendered configuration sends its log: the other one's goes there too.
fn log_port(text: &str) -> String {
    let line = text.lines().find_map(|l| l.trim().strip_prefix("log 127.0.0.1:")).expect("a log");
    line.split(' ').next().expect("a port").to_owned()
}

fn requests_a_second(at: SocketAddr) -> f64 {
    let report = Load::new(at, CLIENTS, Ask::Get("/couleur")).time(ONE).most(1_000_000).run();
    report.assert_no_failure(100);
    report.rate()
}
