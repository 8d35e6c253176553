//! The load of the database figures: 8 clients with 200 inserts and 200 updates a second, and what they noticed.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use cordee_e2e::cluster::Cluster;
use cordee_e2e::db::Db;
use cordee_e2e::tables::Tables;
use cordee_e2e::writers::{Report, Running, Writers};

use crate::big::ask;
use crate::figures::{Figures, ms};

const CLIENTS: u32 = 8;

/// A load that runs, and where it writes.
#[derive(Debug)]
pub struct Load {
    tables: Tables,
    running: Running,
}

impl Load {
    /// Starts it.
    pub fn start(cluster: &Cluster, case: &str) -> Self {
        let tables = Tables::make(cluster, case, CLIENTS);
        let application = Db::new(cluster, &["--account", "app"]);
        let running = Writers::new(cluster.db(), application.dsn(), &tables).start();
        running.wait_for_more(400, Duration::from_secs(60));
        Self { tables, running }
    }

    /// It itself.
    pub fn running(&self) -> &Running {
        &self.running
    }

    /// Lets it go on for so long, and gives the window.
    pub fn window(long: Duration) -> Window {
        let from = Instant::now();
        std::thread::sleep(long);
        Window { from, to: Instant::now() }
    }

    /// Ends it.
    pub fn stop(self) -> Stopped {
        let report = self.running.stop();
        eprintln!("# {report}");
        Stopped { tables: self.tables, report }
    }
}

/// A stretch of time.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    /// Its start.
    pub from: Instant,
    /// Its end.
    pub to: Instant,
}

/// What the clients noticed in a window.
#[derive(Clone, Copy, Debug)]
pub struct Noticed {
    /// Acknowledged writes a second.
    pub rate: f64,
    /// Median time to an acknowledgement, in milliseconds.
    pub median: f64,
    /// Nine of ten were acknowledged within, in milliseconds.
    pub p90: f64,
}

impl Noticed {
    /// As text, with the ratios to another window.
    pub fn beside(&self, before: &Self) -> String {
        format!(
            "{:.0} writes/s, {:.2} of before; median {:.1} ms ({:.2} times), p90 {:.1} ms ({:.2} times)",
            self.rate,
            self.rate / before.rate,
            self.median,
            self.median / before.median,
            self.p90,
            self.p90 / before.p90
        )
    }

    /// As text.
    pub fn alone(&self) -> String {
        format!("{:.0} writes/s; median {:.1} ms, p90 {:.1} ms", self.rate, self.median, self.p90)
    }
}

/// A load that has ended.
#[derive(Debug)]
pub struct Stopped {
    tables: Tables,
    /// Every write.
    pub report: Report,
}

impl Stopped {
    /// What the clients noticed in a window, by the writes that were acknowledged in it.
    pub fn noticed(&self, window: Window) -> Noticed {
        let took: Vec<f64> = self
            .report
            .acknowledged()
            .filter(|w| (window.from..=window.to).contains(&w.ended))
            .map(|w| ms(w.ended - w.sent))
            .collect();
        let count = f64::from(u32::try_from(took.len()).expect("not so many"));
        let rate = count / (window.to - window.from).as_secs_f64();
        let figures = Figures::new(took);
        Noticed { rate, median: figures.median(), p90: figures.ninth_decile() }
    }

    /// How many acknowledged rows, and counters with an acknowledged value, a database lacks; and of how many.
    pub fn missing(&self, cluster: &Cluster, server: &str) -> (usize, usize) {
        // The statements of the load name its tables; nobody else does.
        let (insert, update) = (self.tables.insert(0, 0), self.tables.update(0, 0));
        let name = |sql: &str, n: usize| sql.split_whitespace().nth(n).expect("a table's name").to_owned();
        let pairs = |sql: &str| -> BTreeSet<(u32, u64)> {
            let rows = ask(cluster, server, sql);
            rows.iter().map(|r| (r[0].parse().expect("number"), r[1].parse().expect("number"))).collect()
        };
        let found = pairs(&format!("SELECT client, number FROM {}", name(&insert, 2)));
        let values = pairs(&format!("SELECT client, value FROM {}", name(&update, 1)));
        let (kept, counters) = (self.report.rows(), self.report.counters());
        let rows = kept.iter().filter(|(client, row)| !found.contains(&(*client, u64::from(*row)))).count();
        let stale = counters.iter().filter(|(client, counter)| {
            !values.iter().any(|(of, value)| of == *client && *value >= counter.acknowledged)
        });
        (rows + stale.count(), kept.len() + counters.len())
    }
}
