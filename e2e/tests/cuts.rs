//! The network between the databases, and between HAProxy and the writer, is cut in single directions, and at random:
//! there is one writer at most at every moment, and afterwards all hold the same.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed expectation is how a test ends")]

use std::time::{Duration, Instant};

use cordee_e2e::case;
use cordee_e2e::cluster::Cluster;
use cordee_e2e::cuts::{Dice, Network, Way, enter};
use cordee_e2e::db::Db;
use cordee_e2e::mesh::{brief, shown};
use cordee_e2e::pair::{Pair, open, server_id};
use cordee_e2e::prober::Probers;
use cordee_e2e::suite::File;
use cordee_e2e::tables::Tables;
use cordee_e2e::turns::{servers, turns};
use cordee_e2e::wait;
use cordee_e2e::writers::{Running, Writers};

/// Acceptance: how long each cut lasts.
const CUT: Duration = Duration::from_secs(20);
/// Acceptance: how long they are made at random.
const RANDOM: Duration = Duration::from_secs(60);
/// Until it is shown: a channel is silent for 10 s before MariaDB itself gives it up.
const SHOWN: Duration = Duration::from_secs(15);

/// Its cases.
pub fn file() -> File {
    File::new(
        "cuts",
        &[],
        &[
            case!(the_standby_hears_nothing),
            case!(the_writer_hears_nothing),
            case!(the_databases_hear_nothing_of_each_other),
            case!(haproxy_does_not_reach_the_writer),
            case!(cuts_at_random),
        ],
    )
    .needs(enter)
}

/// A load through HAProxy, and a prober on each database that tries a write every 50 ms.
struct Watched<'a> {
    cluster: &'a Cluster,
    pair: Pair,
    network: Network,
    tables: Tables,
    load: Running,
    probers: Probers,
    at: Instant,
}

impl<'a> Watched<'a> {
    #[track_caller]
    fn start(cluster: &'a Cluster, case: &str) -> Self {
        let pair = Pair::wait(cluster);
        let network = Network::new(cluster, &pair.writer.name, &pair.standby.name);
        let tables = Tables::make(cluster, case, 4);
        let application = Db::new(cluster, &["--account", "app"]);
        let load = Writers::new(cluster.db(), application.dsn(), &tables).pace(50, 50).start();
        let probers = Probers::start(cluster, &tables);
        load.wait_for_more(50, Duration::from_secs(10));
        Self { cluster, pair, network, tables, load, probers, at: Instant::now() }
    }

    /// Waits until `server` is shown as something else than well, and why.
    #[track_caller]
    fn wait_for_word(&self, server: &str) {
        let (said, took) = wait::until(&format!("{server} is not shown as well"), SHOWN, || {
            let server = shown(self.cluster, server)?.ok_or("not there")?;
            if server.status.severity == "good" { Err(brief(&server)) } else { Ok(brief(&server)) }
        });
        println!("#   after {:.1} s: {said}", took.as_secs_f64());
    }

    /// Leaves it cut for the rest of its time. At every look one database is open at most.
    #[track_caller]
    fn last(&self, whole: Duration) {
        let left = whole.saturating_sub(self.at.elapsed());
        wait::always("one database is open at most", left, || {
            let both = [&self.pair.writer.name, &self.pair.standby.name];
            let open: Vec<_> = both.iter().filter(|n| open(self.cluster, n) == Ok(true)).collect();
            if open.len() <= 1 { Ok(()) } else { Err(format!("{open:?}")) }
        });
    }

    /// The network is whole again: the same writer, everything acknowledged is on both, and both are equal.
    #[track_caller]
    fn heal(self) {
        let Self { cluster, pair, network, tables, load, probers, .. } = self;
        network.cut(&[]);
        let at = Instant::now();
        let after = Pair::wait(cluster);
        println!(
            "#   the standby could take over {:.1} s after the network was whole",
            at.elapsed().as_secs_f64()
        );
        load.wait_for_more(50, Duration::from_secs(10));
        let (tries, report) = (probers.stop(), load.stop());
        println!("#   {report}");
        assert_eq!(
            (after.epoch, &after.writer.name),
            (pair.epoch, &pair.writer.name),
            "nobody was to take over"
        );
        assert_eq!(after.writer.pid, pair.writer.pid, "the writer was restarted, and nobody had to");
        println!("#   the writer was never restarted");
        let wrote = servers(&turns(report.writes.iter().chain(&tries)));
        assert_eq!(
            wrote,
            [server_id(cluster, &pair.writer.name)],
            "who wrote, as the acknowledgements prove it"
        );
        let refused = tries.iter().filter(|t| t.outcome == Err("1290".to_owned())).count();
        assert!(refused > 0, "the probers never met a closed database: this proves nothing");
        tables.verify(cluster, &report);
        tables.verify_probes(cluster, &tries);
    }
}

/// Cuts between the databases leave the writer writing: it waits 0.8 s for an ACK, once, and goes on alone.
fn between(cluster: &Cluster, case: &str, ways: &[Way]) {
    let watched = Watched::start(cluster, case);
    watched.network.cut(ways);
    let at = Instant::now();
    watched.wait_for_word(&watched.pair.writer.name);
    watched.load.wait_for_more(200, CUT);
    watched.last(CUT);
    println!("#   writes went on; cut for {:.1} s", at.elapsed().as_secs_f64());
    watched.heal();
}

fn the_standby_hears_nothing(cluster: &Cluster) {
    between(cluster, "forth", &[Way::Forth]);
}

fn the_writer_hears_nothing(cluster: &Cluster) {
    between(cluster, "back", &[Way::Back]);
}

fn the_databases_hear_nothing_of_each_other(cluster: &Cluster) {
    between(cluster, "apart", &[Way::Forth, Way::Back]);
}

/// Cordée and the standby still reach the writer: nothing is switched, and the page says what applications meet.
fn haproxy_does_not_reach_the_writer(cluster: &Cluster) {
    let watched = Watched::start(cluster, "proxy");
    watched.network.cut(&[Way::Proxy]);
    let (said, _) = wait::until("the writer is shown as not reached by applications", SHOWN, || {
        let server = shown(cluster, &watched.pair.writer.name)?.ok_or("not there")?;
        if server.status.severity == "critical" { Ok(brief(&server)) } else { Err(brief(&server)) }
    });
    println!("#   {said}");
    watched.last(CUT);
    watched.heal();
}

fn cuts_at_random(cluster: &Cluster) {
    let mut dice = Dice::new();
    let watched = Watched::start(cluster, "random");
    let mut told = Vec::new();
    while watched.at.elapsed() < RANDOM {
        let ways: Vec<Way> =
            [Way::Forth, Way::Back, Way::Proxy].into_iter().filter(|_| dice.below(2) == 1).collect();
        let until = Duration::from_millis(500 + dice.below(6_000));
        watched.network.cut(&ways);
        told.push(format!("{:.1} s {ways:?}", watched.at.elapsed().as_secs_f64()));
        watched.last((watched.at.elapsed() + until).min(RANDOM));
    }
    println!("#   {}", told.join(", "));
    watched.heal();
}
