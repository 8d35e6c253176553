//! Many SQL clients at once, each on one connection: what they were told was kept is what a test looks for later.
//!
//! A client behaves as a program with a pool of one: it goes on with its connection after an error that the database
//! sent, opens another at once when the connection broke, and never sends the same write twice.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use mysql::prelude::Queryable as _;
use mysql::{Conn, OptsBuilder};

use crate::db::Dsn;
use crate::tables::Tables;
use crate::wait;

/// Before another attempt to connect.
const PAUSE: Duration = Duration::from_millis(5);
/// How late a client may be and still make up for it: longer than a slow commit, shorter than an outage, after
/// which nobody's visitors come twice.
const LATE: Duration = Duration::from_millis(100);
/// A statement without an answer after this time is given up, with its connection.
const PATIENCE: Duration = Duration::from_secs(10);
/// No load goes on longer, whatever became of its test.
const MOST: Duration = Duration::from_secs(1_200);

/// What a client wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// A row of its own with that number.
    Row(u32),
    /// Its own counter, set to that value.
    Counter(u64),
    /// A row of a prober, straight to one database.
    Probe(u32),
}

/// One statement that was sent.
#[derive(Clone, Debug)]
pub struct Write {
    /// The client or prober.
    pub client: u32,
    /// What it wrote.
    pub what: What,
    /// Taken before it was sent, on a connection that was already open.
    pub sent: Instant,
    /// Taken after its answer was read, or its error.
    pub ended: Instant,
    /// The `server_id` that acknowledged it, as the acknowledgement itself says; or the kind of error.
    pub outcome: Result<u32, String>,
}

impl Write {
    /// Whether its client was told that it is kept.
    pub fn acknowledged(&self) -> bool {
        self.outcome.is_ok()
    }
}

/// A load to be started.
#[derive(Clone, Debug)]
pub struct Writers {
    to: SocketAddr,
    dsn: Dsn,
    tables: Tables,
    inserts: u32,
    updates: u32,
}

impl Writers {
    /// As many clients as `tables` has counters, with the account of `dsn`, at another address.
    pub fn new(to: SocketAddr, dsn: &Dsn, tables: &Tables) -> Self {
        Self { to, dsn: dsn.clone(), tables: tables.clone(), inserts: 200, updates: 200 }
    }

    /// So many inserts and updates a second, of all clients together.
    #[must_use]
    pub fn pace(mut self, inserts: u32, updates: u32) -> Self {
        assert!(inserts > 0 && updates > 0, "both kinds of writes");
        (self.inserts, self.updates) = (inserts, updates);
        self
    }

    /// Starts it.
    pub fn start(self) -> Running {
        let clients = self.tables.clients();
        let shared = Arc::new(Shared {
            load: self,
            started: Instant::now(),
            stop: AtomicBool::new(false),
            acknowledged: AtomicU64::new(0),
            server: AtomicU32::new(0),
        });
        let clients = (0..clients)
            .map(|number| {
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || client(&shared, number))
            })
            .collect();
        Running { shared, clients }
    }
}

#[derive(Debug)]
struct Shared {
    load: Writers,
    started: Instant,
    stop: AtomicBool,
    acknowledged: AtomicU64,
    server: AtomicU32,
}

impl Shared {
    fn goes_on(&self) -> bool {
        !self.stop.load(Ordering::Relaxed) && self.started.elapsed() < MOST
    }
}

type Told = (Vec<Write>, BTreeMap<String, u64>);

/// A load that goes on until it is stopped or dropped.
#[derive(Debug)]
pub struct Running {
    shared: Arc<Shared>,
    clients: Vec<JoinHandle<Told>>,
}

impl Running {
    /// Writes acknowledged so far.
    pub fn acknowledged(&self) -> u64 {
        self.shared.acknowledged.load(Ordering::Relaxed)
    }

    /// Waits until so many more are acknowledged.
    #[track_caller]
    pub fn wait_for_more(&self, writes: u64, bound: Duration) {
        let wanted = self.acknowledged() + writes;
        wait::until(&format!("{writes} more writes are acknowledged"), bound, || {
            let now = self.acknowledged();
            if now >= wanted { Ok(()) } else { Err(format!("{} are missing", wanted - now)) }
        });
    }

    /// Waits until a database acknowledges that is not `old` (a `server_id`), and gives its `server_id`.
    #[track_caller]
    pub fn wait_for_another(&self, old: u32, bound: Duration) -> u32 {
        wait::until("another database acknowledges", bound, || {
            match self.shared.server.load(Ordering::Relaxed) {
                now if now != old && now != 0 => Ok(now),
                now => Err(now),
            }
        })
        .0
    }

    /// Lets each client finish its statement, and counts.
    pub fn stop(mut self) -> Report {
        assert!(
            self.shared.started.elapsed() < MOST,
            "the load ended by itself before what it should have covered"
        );
        self.shared.stop.store(true, Ordering::Relaxed);
        let mut report = Report { writes: Vec::new(), errors: BTreeMap::new(), elapsed: Duration::ZERO };
        for client in std::mem::take(&mut self.clients) {
            let (writes, errors) = client.join().expect("a client's thread");
            report.writes.extend(writes);
            for (kind, count) in errors {
                *report.errors.entry(kind).or_default() += count;
            }
        }
        report.writes.sort_by_key(|w| w.sent);
        report.elapsed = self.shared.started.elapsed();
        report
    }
}

impl Drop for Running {
    /// A case that failed must not write into the next one.
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
    }
}

/// Opens a connection with an account, without asking the server anything beyond the handshake.
pub fn connect(dsn: &Dsn, to: SocketAddr) -> Result<Conn, mysql::Error> {
    let options = OptsBuilder::new()
        .ip_or_hostname(Some(to.ip().to_string()))
        .tcp_port(to.port())
        .user(Some(&dsn.user))
        .pass(Some(&dsn.password))
        .db_name(Some(&dsn.schema))
        .prefer_socket(false)
        .max_allowed_packet(Some(1 << 20))
        .tcp_connect_timeout(Some(Duration::from_secs(1)))
        .read_timeout(Some(PATIENCE))
        .write_timeout(Some(PATIENCE));
    Conn::new(options)
}

/// Opens connections until the database refuses one for their number, and gives those that it took.
#[track_caller]
pub fn fill(dsn: &Dsn, to: SocketAddr, most: usize) -> Vec<Conn> {
    let mut taken = Vec::new();
    while taken.len() < most {
        match connect(dsn, to) {
            Ok(connection) => taken.push(connection),
            Err(error) if kind(&error) == "1040" => return taken,
            Err(error) => panic!("neither taken nor refused for their number: {error}"),
        }
    }
    panic!("{most} connections were taken without a refusal");
}

/// The database's own code, or what broke.
pub fn kind(error: &mysql::Error) -> String {
    match error {
        mysql::Error::MySqlError(said) => said.code.to_string(),
        mysql::Error::IoError(broken) => format!("io {:?}", broken.kind()),
        mysql::Error::DriverError(driver) => format!("client: {driver}"),
        other => format!("client: {other}"),
    }
}

/// Sends one write that must touch one row, and gives the `server_id` that its acknowledgement carries: the
/// statement hands it over as `LAST_INSERT_ID(@@server_id)`, so that the proof costs no second statement.
pub(crate) fn send(connection: &mut Conn, sql: &str) -> Result<u32, (String, bool)> {
    // An error from the database leaves the connection as it is; any other ends it.
    connection.query_drop(sql).map_err(|e| (kind(&e), !matches!(e, mysql::Error::MySqlError(_))))?;
    if connection.affected_rows() != 1 {
        return Err((format!("{} rows written", connection.affected_rows()), false));
    }
    let server = connection.last_insert_id();
    u32::try_from(server).map_err(|_| (format!("server_id {server}"), false))
}

/// One kind of write of one client, and when the next is due.
struct Due {
    period: Duration,
    next: Instant,
}

impl Due {
    fn new(shared: &Shared, number: u32, a_second: u32) -> Self {
        let clients = f64::from(shared.load.tables.clients());
        let period = Duration::from_secs_f64(clients / f64::from(a_second));
        let share = f64::from(number) / clients;
        Self { period, next: shared.started + period.mul_f64(share) }
    }

    fn done(&mut self) {
        let earliest = Instant::now().checked_sub(LATE).unwrap_or(self.next);
        self.next = (self.next + self.period).max(earliest);
    }
}

fn client(shared: &Shared, number: u32) -> Told {
    let load = &shared.load;
    let (mut writes, mut errors) = (Vec::new(), BTreeMap::<String, u64>::new());
    let mut connection: Option<Conn> = None;
    let mut rows = Due::new(shared, number, load.inserts);
    let mut counters = Due::new(shared, number, load.updates);
    let (mut row, mut value) = (0, 0);
    while shared.goes_on() {
        let Some(open) = &mut connection else {
            match connect(&load.dsn, load.to) {
                Ok(new) => connection = Some(new),
                Err(error) => {
                    *errors.entry(format!("connect: {}", kind(&error))).or_default() += 1;
                    std::thread::sleep(PAUSE);
                }
            }
            continue;
        };
        let inserts = rows.next <= counters.next;
        let due = if inserts { &mut rows } else { &mut counters };
        std::thread::sleep(due.next.saturating_duration_since(Instant::now()));
        let (what, sql) = if inserts {
            row += 1;
            (What::Row(row), load.tables.insert(number, row))
        } else {
            value += 1;
            (What::Counter(value), load.tables.update(number, value))
        };
        let sent = Instant::now();
        let answer = send(open, &sql);
        let ended = Instant::now();
        due.done();
        let outcome = match answer {
            Ok(server) => {
                shared.server.store(server, Ordering::Relaxed);
                shared.acknowledged.fetch_add(1, Ordering::Relaxed);
                Ok(server)
            }
            Err((why, broken)) => {
                *errors.entry(why.clone()).or_default() += 1;
                if broken {
                    connection = None;
                }
                Err(why)
            }
        };
        writes.push(Write { client: number, what, sent, ended, outcome });
    }
    (writes, errors)
}

/// What became of a load.
#[derive(Clone, Debug)]
pub struct Report {
    /// Every statement, in the order in which they were sent.
    pub writes: Vec<Write>,
    /// Errors by kind, those of connecting included.
    pub errors: BTreeMap<String, u64>,
    /// From the first statement to the last answer.
    pub elapsed: Duration,
}

/// What one client knows of its counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counter {
    /// The last value that was acknowledged.
    pub acknowledged: u64,
    /// The last value that was sent.
    pub attempted: u64,
}

impl Report {
    /// Writes that were acknowledged.
    pub fn acknowledged(&self) -> impl Iterator<Item = &Write> {
        self.writes.iter().filter(|w| w.acknowledged())
    }

    /// Client and number of every row that was acknowledged.
    pub fn rows(&self) -> BTreeSet<(u32, u32)> {
        self.acknowledged().filter_map(row_of).collect()
    }

    /// Client and number of every row that was sent.
    pub fn attempted_rows(&self) -> BTreeSet<(u32, u32)> {
        self.writes.iter().filter_map(row_of).collect()
    }

    /// The counter of each client.
    pub fn counters(&self) -> BTreeMap<u32, Counter> {
        let mut counters = BTreeMap::new();
        for write in &self.writes {
            let counter = counters.entry(write.client).or_insert(Counter { acknowledged: 0, attempted: 0 });
            if let What::Counter(value) = write.what {
                counter.attempted = counter.attempted.max(value);
                if write.acknowledged() {
                    counter.acknowledged = counter.acknowledged.max(value);
                }
            }
        }
        counters
    }

    /// From `harm` to the first acknowledgement of a write that was sent after it, by another server than `old`:
    /// what a dying server still acknowledged ends no outage.
    pub fn gap_after(&self, harm: Instant, old: u32) -> Option<Duration> {
        self.acknowledged()
            .filter(|w| w.sent >= harm && w.outcome.as_ref().is_ok_and(|server| *server != old))
            .map(|w| w.ended.saturating_duration_since(harm))
            .min()
    }

    /// The longest time in which nothing was acknowledged, between two instants.
    pub fn longest_pause(&self, from: Instant, to: Instant) -> Duration {
        let mut times: Vec<Instant> =
            self.acknowledged().map(|w| w.ended).filter(|at| (from..=to).contains(at)).collect();
        times.extend([from, to]);
        times.sort();
        times.windows(2).map(|pair| pair[1].saturating_duration_since(pair[0])).max().unwrap_or_default()
    }
}

fn row_of(write: &Write) -> Option<(u32, u32)> {
    match write.what {
        What::Row(number) => Some((write.client, number)),
        What::Counter(_) | What::Probe(_) => None,
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kept = self.acknowledged().count();
        let rate = f64::from(u32::try_from(kept).unwrap_or(u32::MAX)) / self.elapsed.as_secs_f64().max(0.001);
        write!(
            f,
            "{kept} of {} writes acknowledged in {:.1} s ({rate:.0}/s), errors: {:?}",
            self.writes.len(),
            self.elapsed.as_secs_f64(),
            self.errors
        )
    }
}
