//! What HAProxy's visitors notice when nobody reads its log: Cordée's reader frozen, against the same while it reads.

use std::net::SocketAddr;
use std::time::Duration;

use cordee_e2e::cluster::Cluster;
use cordee_e2e::load::{Ask, Load};
use cordee_e2e::procs::Frozen;
use cordee_e2e::visitors::{Manner, Stranger};

use crate::figures::{Figures, ms};
use crate::own_proxy::{OwnProxy, rendered_elsewhere, socket_in};
use crate::report::Report;
use crate::throughput::with_servers;

const ROUNDS: usize = 11;
const ONE: Duration = Duration::from_secs(2);
const CLIENTS: usize = 16;

/// The rendered `web` configuration, which logs to the cluster's own `cordee serve`, before two quick servers: in turns
/// read, read again (A/A), and not read.
pub fn measure(cluster: &Cluster) -> Report {
    let mut report = Report::new("6. HAProxy's log");
    let folder = cluster.home().join("bench-log");
    std::fs::create_dir_all(&folder).expect("folder");
    let servers = [Stranger::new(Manner::Good("web1")), Stranger::new(Manner::Good("web2"))];
    let text = rendered_elsewhere(&cluster.conf("web"), cluster.spare_port(1), &socket_in(&folder, "logged"));
    let proxy = OwnProxy::start(&folder, "logged", cluster.spare_port(1), &with_servers(&text, &servers));
    let serve = cluster.serve().expect("serve").pid;

    let (mut stopped, mut same, mut times, mut rates) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for n in 0..ROUNDS {
        let mut p99 = [0.0; 3];
        let mut order = [0, 1, 2];
        order.rotate_left(n % 3);
        for which in order {
            let frozen = (which == 2).then(|| Frozen::one(cluster.home(), serve));
            let (slow, rate) = slow_and_rate(proxy.at());
            drop(frozen);
            p99[which] = slow;
            rates.push(rate);
        }
        stopped.push(p99[2] / p99[0]);
        same.push(p99[1] / p99[0]);
        times.push(p99[0]);
    }
    let (stopped, same) = (Figures::new(stopped), Figures::new(same));
    report.judge(
        "p99 of requests, reader stopped (SIGSTOP) / reading",
        stopped.spread(3),
        &format!("median not above the A/A's upper quartile, {:.3}", same.quantile(0.75)),
        stopped.median() <= same.quantile(0.75),
    );
    report.note("… reading / reading (A/A)", same.spread(3));
    report.note("… reading", format!("{} ms", Figures::new(times).spread(2)));
    report.note("… all, logged", format!("{} requests/s", Figures::new(rates).spread(0)));
    report
}

/// The time within which 99 of 100 requests were answered, in milliseconds, and requests a second.
fn slow_and_rate(at: SocketAddr) -> (f64, f64) {
    let report = Load::new(at, CLIENTS, Ask::Get("/couleur")).time(ONE).most(1_000_000).run();
    report.assert_no_failure(100);
    let took = Figures::new(report.hits.iter().map(|h| ms(h.took)).collect());
    (took.quantile(0.99), report.rate())
}
