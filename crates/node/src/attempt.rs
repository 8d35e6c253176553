//! The connection test. It runs step by step up to the first failure; each step has its duration and a sentence.
//!
//! The tested server is not trusted: it gets no file and no password in clear text. Of what it sends, only a
//! version, numbers and error numbers are passed on.

mod refusal;

use std::net::SocketAddr;
use std::time::{Duration, Instant as Clock};

use cordee_domain::db::detail::accounts::rights;
use cordee_domain::db::{DatabaseSeen, Thread};
use cordee_domain::ids::{Host, PoolId, ServerName};
use cordee_domain::sessions::Mode;
use cordee_domain::text;
use cordee_domain::text::Text;
use mysql_async::Conn;
use mysql_async::prelude::Queryable as _;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::handshake::{self, Greeting};
use crate::mysql::{Database, SCHEMA, account, at};
use crate::names::{self, Nowhere};
use crate::visitor;

use refusal::closed_to_writes;

pub use refusal::refusal;

/// The time limit of one step.
const DEADLINE: Duration = Duration::from_millis(cordee_domain::figures::TEST_STEP);
/// The time limit of all steps together: less than what the page and the API wait.
const ALL: Duration = Duration::from_secs(13);
/// The oldest MariaDB release that has the privileges by which Cordée runs a database.
const OLDEST: (u32, u32) = (10, 5);

/// The server to test.
#[derive(Clone)]
pub struct Goal {
    /// The server's name.
    pub name: ServerName,
    /// The server's id.
    pub id: u32,
    /// The server's host.
    pub host: Host,
    /// The server's port.
    pub port: u16,
    /// Whether the other databases replicate from it, too.
    pub member: bool,
    /// The password of the application's account.
    pub password: String,
    /// Whether the server should accept the application's writes.
    pub writes: bool,
    /// Where the server should keep sessions.
    pub session: Mode,
    /// The database, through Cordée's own account.
    pub own: Database,
    /// The databases with which it exchanges writes: name, id, connections.
    pub peers: Vec<(ServerName, u32, Database)>,
}

impl std::fmt::Debug for Goal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The password must not appear in a log.
        f.debug_struct("Goal").field("name", &self.name).field("id", &self.id).finish_non_exhaustive()
    }
}

/// The result of a connection test, for a reader.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestReport {
    /// The steps in order; the first failure is the last step.
    pub steps: Vec<TestStep>,
}

/// One step of a connection test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestStep {
    /// What the step tries.
    pub name: Text,
    /// Whether the step succeeded.
    pub ok: bool,
    /// How long the step took.
    pub ms: u64,
    /// What the step found.
    pub says: Text,
}

impl TestReport {
    /// Whether every step succeeded.
    pub fn passed(&self) -> bool {
        self.steps.iter().all(|s| s.ok)
    }
}

/// A running connection test. It stops at the first failure.
struct Attempt {
    began: Clock,
    steps: Vec<TestStep>,
}

impl Attempt {
    fn new() -> Self {
        Self { began: Clock::now(), steps: Vec::new() }
    }

    /// Runs one step; returns `None` if it failed.
    async fn step<T>(
        &mut self,
        name: Text,
        work: impl Future<Output = Result<(T, Text), Text>>,
    ) -> Option<T> {
        let started = Clock::now();
        let limit = DEADLINE.min(ALL.saturating_sub(self.began.elapsed()));
        let result = timeout(limit, work)
            .await
            .unwrap_or_else(|_| Err(text!("test-fail-timeout", seconds = limit.as_secs())));
        let ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let (value, ok, says) = match result {
            Ok((value, says)) => (Some(value), true, says),
            Err(says) => (None, false, says),
        };
        self.steps.push(TestStep { name, ok, ms, says });
        value
    }
}

/// Tests a server of the given pool.
pub async fn test(pool: PoolId, goal: &Goal) -> TestReport {
    let mut trial = Attempt::new();
    let address = trial.step(text!("test-name"), resolve(&goal.host, goal.port)).await;
    if let Some(address) = address
        && let Some(stream) = trial.step(text!("test-tcp"), connect(address)).await
    {
        match pool {
            PoolId::Web => {
                if trial.step(text!("test-http"), http(stream)).await.is_some() {
                    trial.step(text!("test-session"), session(address, goal.session)).await;
                }
            }
            PoolId::Db => {
                let done = database(&mut trial, stream, address, &goal.password, goal.writes).await;
                if done.is_some() {
                    trial.step(text!("test-replication"), replication(goal)).await;
                }
            }
        }
    }
    TestReport { steps: trial.steps }
}

/// Checks whether a web server keeps sessions where it is told to.
async fn session(address: SocketAddr, wish: Mode) -> Result<((), Text), Text> {
    let said = visitor::ask_mode(address, wish).await.map_err(|_| text!("reason-not-http"))?;
    match (said.disobeys(wish), said.used) {
        (Some(why), _) => Err(why),
        (None, Some(_)) => Ok(((), text!("test-session-used"))),
        (None, None) => Ok(((), text!("test-session-silent"))),
    }
}

/// Returns the address of a host, and how it was found.
pub async fn resolve(host: &Host, port: u16) -> Result<(SocketAddr, Text), Text> {
    match host {
        Host::Ip(ip) => Ok((SocketAddr::new(*ip, port), text!("test-name-address"))),
        Host::Name(name) => {
            let ip = names::address(name).await.map_err(|nowhere| match nowhere {
                Nowhere::Unknown => text!("test-fail-name", name = name.as_str()),
                Nowhere::Unusable(_) => text!("test-fail-name-unusable", name = name.as_str()),
            })?;
            Ok((SocketAddr::new(ip, port), text!("test-name-found", ip = ip.to_string())))
        }
    }
}

/// Connects, and says that the port is open.
pub async fn connect(address: SocketAddr) -> Result<(TcpStream, Text), Text> {
    let port = || address.port().to_string();
    match TcpStream::connect(address).await {
        Ok(stream) => Ok((stream, text!("test-tcp-open", port = port()))),
        Err(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
            Err(text!("test-fail-refused", port = port()))
        }
        Err(_) => Err(text!("test-fail-unreachable")),
    }
}

/// Asks for `/` as HAProxy's health check does. Only the status is passed on, never what the server sent.
async fn http(mut stream: TcpStream) -> Result<((), Text), Text> {
    let broken = |_| text!("reason-not-http");
    stream
        .write_all(b"GET / HTTP/1.1\r\nHost: cordee-check\r\nConnection: close\r\n\r\n")
        .await
        .map_err(broken)?;
    let mut start = [0; 12];
    stream.read_exact(&mut start).await.map_err(broken)?;
    let status = std::str::from_utf8(&start)
        .ok()
        .filter(|s| s.starts_with("HTTP/1."))
        .and_then(|s| s.get(9..12)?.parse::<u16>().ok())
        .ok_or_else(|| text!("reason-not-http"))?;
    if (200..400).contains(&status) {
        Ok(((), text!("test-http-status", status = status)))
    } else {
        Err(text!("reason-bad-status", status = status))
    }
}

/// Tests a database from the greeting to a write, as the application uses it: over TCP and with the application's
/// own account.
async fn database(
    trial: &mut Attempt,
    stream: TcpStream,
    address: SocketAddr,
    password: &str,
    writes: bool,
) -> Option<()> {
    trial.step(text!("test-handshake"), greeting(stream)).await?;
    let mut conn = trial.step(text!("test-sign-in"), sign_in(address, password)).await?;
    let may = async {
        let grants: Vec<String> = conn.query("SHOW GRANTS").await.map_err(|e| refusal(&e))?;
        judged(&grants)
    };
    trial.step(text!("test-rights"), may).await?;
    let read = async {
        let count: Option<u64> =
            conn.query_first("SELECT COUNT(*) FROM note").await.map_err(|e| refusal(&e))?;
        Ok(((), text!("test-read-done", count = count.unwrap_or(0))))
    };
    trial.step(text!("test-read"), read).await?;
    trial.step(text!("test-write"), write(&mut conn, writes)).await?;
    let _ = timeout(DEADLINE, conn.disconnect()).await;
    Some(())
}

/// Reads the server's greeting. The connection is dropped afterwards: the next step opens its own.
pub async fn greeting(mut stream: TcpStream) -> Result<((), Text), Text> {
    // Ends before the time limit of the step, so that a silent server gets its own sentence.
    let said = handshake::listen(&mut stream, DEADLINE.mul_f32(0.9)).await;
    match said {
        Greeting::MariaDb(version) => match release(&version) {
            Some(release) if release < OLDEST => Err(text!("test-fail-old", version = version)),
            Some(_) => Ok(((), text!("test-handshake-done", version = version))),
            None => Err(text!("test-fail-version", version = version)),
        },
        Greeting::Other(version) => Err(text!("test-fail-mysql", version = version)),
        Greeting::Refuses(code) => Err(refusal::by_number(code)),
        Greeting::Http => Err(text!("test-fail-http")),
        Greeting::Garbage => Err(text!("test-fail-garbage")),
        Greeting::Closes => Err(text!("test-fail-closes")),
        Greeting::Silent => Err(text!("test-fail-silent")),
    }
}

/// Parses the release from a version: `10.11.6-MariaDB` is release 10.11.
fn release(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.split(|c: char| !c.is_ascii_digit());
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

async fn sign_in(address: SocketAddr, password: &str) -> Result<(Conn, Text), Text> {
    let options = at(address).user(Some(account::APP)).pass(Some(password)).db_name(Some(SCHEMA));
    Conn::new(options)
        .await
        .map(|conn| (conn, text!("test-sign-in-done", user = account::APP)))
        .map_err(|e| refusal(&e))
}

/// Checks that the account has the privileges that the application needs, and none that lets it write to a database
/// that is closed to writes.
fn judged(grants: &[String]) -> Result<((), Text), Text> {
    let may = rights(grants, SCHEMA);
    let user = account::APP;
    if !may.lacking.is_empty() {
        return Err(text!("test-fail-rights", user = user, rights = may.lacking.join(", ")));
    }
    if may.passes {
        return Err(text!("test-fail-too-many", user = user));
    }
    if may.more.is_empty() {
        Ok(((), text!("test-rights-done")))
    } else {
        Ok(((), text!("test-rights-more", rights = may.more.join(", "))))
    }
}

/// Inserts a row and rolls back. This must succeed where the application writes, and must be refused elsewhere.
async fn write(conn: &mut Conn, writes: bool) -> Result<((), Text), Text> {
    conn.query_drop("START TRANSACTION").await.map_err(|e| refusal(&e))?;
    let row = ("cordee", "connection test, taken back at once");
    let result = conn.exec_drop("INSERT INTO note (server, message) VALUES (?, ?)", row).await;
    // Nothing stays, whatever the result. If the rollback fails, the end of the connection rolls back.
    let back = conn.query_drop("ROLLBACK").await;
    match (result, writes) {
        (Ok(()), true) => {
            back.map_err(|e| refusal(&e))?;
            Ok(((), text!("test-write-done")))
        }
        (Ok(()), false) => Err(text!("test-fail-open")),
        (Err(error), false) if closed_to_writes(&error) => Ok(((), text!("test-write-refused"))),
        (Err(error), _) => Err(refusal(&error)),
    }
}

/// Checks both directions: the replication threads run, and a heartbeat of each side has arrived on the other.
async fn replication(goal: &Goal) -> Result<((), Text), Text> {
    let name = goal.name.as_str();
    if goal.peers.is_empty() {
        return Ok(((), text!("test-replication-alone")));
    }
    let own = goal.own.look().await?;
    let mut oldest = 0;
    for (peer, id, database) in &goal.peers {
        running(&own, name, peer)?;
        oldest = oldest.max(arrived(&goal.own, *id, name, peer.as_str()).await?);
        // A new server is not replicated by any other yet, and a former writer only after it was compared.
        if goal.member {
            let seen = database.look().await.map_err(|why| text!("verify-node", name = peer, why = why))?;
            running(&seen, peer.as_str(), &goal.name)?;
            oldest = oldest.max(arrived(database, goal.id, peer.as_str(), name).await?);
        }
    }
    Ok(((), text!("test-replication-done", count = goal.peers.len(), ms = oldest)))
}

fn running(seen: &DatabaseSeen, on: &str, from: &ServerName) -> Result<(), Text> {
    let Some(channel) = seen.channels.get(from) else {
        return Err(text!("test-fail-no-link", on = on, from = from.as_str()));
    };
    if channel.error != 0 {
        return Err(text!("test-fail-link-error", on = on, from = from.as_str(), code = channel.error));
    }
    if channel.receiving != Thread::Running {
        return Err(text!("test-fail-receive", on = on, from = from.as_str()));
    }
    if !channel.applying {
        return Err(text!("test-fail-apply", on = on, from = from.as_str()));
    }
    Ok(())
}

/// A heartbeat is written every second. Above this age in milliseconds, heartbeats do not arrive.
const HEARTBEAT_OLD: u64 = 10_000;

/// Returns the milliseconds since the heartbeat of `from` that `on` holds was written.
async fn arrived(database: &Database, id: u32, on: &str, from: &str) -> Result<u64, Text> {
    match database.beat_age(id).await? {
        Some(ms) if ms <= HEARTBEAT_OLD => Ok(ms),
        Some(ms) => Err(text!("test-fail-beat-old", on = on, from = from, seconds = ms / 1_000)),
        None => Err(text!("test-fail-beat-none", on = on, from = from)),
    }
}

#[cfg(test)]
mod tests;
