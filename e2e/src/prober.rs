//! Tries a write on every database, straight and all along: what a closed database must refuse.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use mysql::Conn;

use crate::cluster::Cluster;
use crate::db::{Db, Dsn};
use crate::ports::local;
use crate::tables::Tables;
use crate::writers::{What, Write, connect, kind, send};

/// Between two tries on one database.
const PACE: Duration = Duration::from_millis(50);

/// One thread per database, until it is stopped or dropped.
#[derive(Debug)]
pub struct Probers {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<Vec<Write>>>,
}

impl Probers {
    /// Starts one on both first databases, with the application's account.
    #[track_caller]
    pub fn start(cluster: &Cluster, tables: &Tables) -> Self {
        Self::start_on(cluster, tables, &["db1", "db2"])
    }

    /// Starts one on each of these databases.
    #[track_caller]
    pub fn start_on(cluster: &Cluster, tables: &Tables, servers: &[&str]) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let threads = servers
            .iter()
            .zip(0..)
            .map(|(server, number)| {
                let dsn = Db::new(cluster, &["--server", server]).dsn().clone();
                let to = local(dsn.port);
                let (stop, tables) = (Arc::clone(&stop), tables.clone());
                std::thread::spawn(move || probe(&stop, &dsn, to, &tables, number))
            })
            .collect();
        Self { stop, threads }
    }

    /// Every try of all of them.
    pub fn stop(mut self) -> Vec<Write> {
        self.stop.store(true, Ordering::Relaxed);
        let threads = std::mem::take(&mut self.threads);
        threads.into_iter().flat_map(|t| t.join().expect("a prober's thread")).collect()
    }
}

impl Drop for Probers {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

fn probe(stop: &AtomicBool, dsn: &Dsn, to: SocketAddr, tables: &Tables, prober: u32) -> Vec<Write> {
    let mut tries = Vec::new();
    let mut connection: Option<Conn> = None;
    for number in 1.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let sql = tables.probe(prober, number);
        let mut sent = Instant::now();
        let outcome = connection.take().map_or_else(|| connect(dsn, to), Ok).map_err(|e| kind(&e)).and_then(
            |mut open| {
                sent = Instant::now();
                let answer = send(&mut open, &sql);
                if !matches!(answer, Err((_, true))) {
                    connection = Some(open);
                }
                answer.map_err(|(why, _)| why)
            },
        );
        tries.push(Write { client: prober, what: What::Probe(number), sent, ended: Instant::now(), outcome });
        std::thread::sleep(PACE);
    }
    tries
}
