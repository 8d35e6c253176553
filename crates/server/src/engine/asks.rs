//! Questions that alter no wish: refresh, connection test, logs, clean configuration.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant as Clock};

use cordee_domain::desired::Server;
use cordee_domain::ids::{Host, PoolId, ServerName};
use cordee_domain::step::Target;
use cordee_domain::text;
use cordee_domain::text::Text;
use mysql_async::prelude::Queryable as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use crate::board::{Ask, Leftover, LogFile, TestReport, TestStep};
use crate::hands::files;
use crate::hands::mysql::{SCHEMA, account};
use crate::paths::Home;

use super::Engine;

/// What a step of the connection test may take.
const DEADLINE: Duration = Duration::from_secs(3);

impl Engine {
    /// Answers a question, now or when the looks it waits for are done.
    pub(super) fn answer(&mut self, ask: Ask) {
        match ask {
            Ask::Refresh(reply) => {
                let waiting: BTreeSet<Target> = self.due.keys().cloned().collect();
                for due in self.due.values_mut() {
                    *due = Instant::now();
                }
                for due in self.names_due.values_mut() {
                    *due = Instant::now();
                }
                if waiting.is_empty() {
                    let _ = reply.send(());
                } else {
                    self.refreshes.push((waiting, reply));
                }
            }
            Ask::Test { pool, name, reply } => {
                let desired = self.parts.board.desired();
                let Some(server) = desired.pool(pool).server(&name).cloned() else { return };
                let password = self.parts.secrets.app.clone();
                self.work.spawn(async move {
                    let _ = reply.send(test(pool, &server, &password).await);
                });
            }
            Ask::Join(reply) => self.join_plan(reply),
            Ask::Compare { name, reply } => {
                self.observed.comparisons.entry(name).or_default().wanted = true;
                let _ = reply.send(());
            }
            Ask::Repair { name, side, reply } => {
                self.observed.comparisons.entry(name).or_default().repair = Some(side);
                let _ = reply.send(());
            }
            Ask::Logs { name, lines, reply } => {
                let folder = self.parts.home.server(&name).join("log");
                self.work.spawn_blocking(move || {
                    let _ = reply.send(logs(&folder, lines));
                });
            }
            Ask::Clean { apply, reply } => {
                let names = self.parts.board.desired().servers().map(|(_, s)| s.name.clone()).collect();
                let home = self.parts.home.clone();
                self.work.spawn_blocking(move || {
                    let _ = reply.send(clean(&home, &names, apply));
                });
            }
        }
    }
}

/// A test under way: stops at the first failure.
#[derive(Default)]
struct Trial {
    steps: Vec<TestStep>,
}

impl Trial {
    /// Runs one step; `None` when it failed.
    async fn step<T>(
        &mut self,
        name: Text,
        work: impl Future<Output = Result<(T, Text), Text>>,
    ) -> Option<T> {
        let started = Clock::now();
        let result = timeout(DEADLINE, work)
            .await
            .unwrap_or_else(|_| Err(text!("test-timeout", seconds = DEADLINE.as_secs())));
        let ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let (value, ok, says) = match result {
            Ok((value, says)) => (Some(value), true, says),
            Err(says) => (None, false, says),
        };
        self.steps.push(TestStep { name, ok, ms, says });
        value
    }
}

async fn test(pool: PoolId, server: &Server, password: &str) -> TestReport {
    let mut trial = Trial::default();
    let address = trial.step(text!("test-name"), resolve(&server.host, server.port)).await;
    if let Some(address) = address
        && let Some(stream) = trial.step(text!("test-tcp"), connect(address)).await
    {
        match pool {
            PoolId::Web => {
                trial.step(text!("test-http"), http(stream)).await;
            }
            PoolId::Db => {
                drop(stream);
                database(&mut trial, address, password).await;
            }
        }
    }
    TestReport { steps: trial.steps }
}

async fn resolve(host: &Host, port: u16) -> Result<(SocketAddr, Text), Text> {
    match host {
        Host::Ip(ip) => Ok((SocketAddr::new(*ip, port), text!("test-name-address"))),
        Host::Name(name) => {
            let mut found = tokio::net::lookup_host((name.as_str(), port))
                .await
                .map_err(|_| text!("reason-not-found"))?;
            let address = found.next().ok_or_else(|| text!("reason-not-found"))?;
            Ok((address, text!("test-name-found", ip = address.ip().to_string())))
        }
    }
}

async fn connect(address: SocketAddr) -> Result<(TcpStream, Text), Text> {
    match TcpStream::connect(address).await {
        Ok(stream) => Ok((stream, text!("test-tcp-open", port = address.port().to_string()))),
        Err(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => Err(text!("reason-refused")),
        Err(_) => Err(text!("reason-unreachable")),
    }
}

/// Asks for `/` as HAProxy's check does. Only the status goes on to a reader, never what the server sent.
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

async fn database(trial: &mut Trial, address: SocketAddr, password: &str) {
    let options = mysql_async::OptsBuilder::default()
        .ip_or_hostname(address.ip().to_string())
        .tcp_port(address.port())
        .prefer_socket(false)
        .user(Some(account::APP))
        .pass(Some(password))
        .db_name(Some(SCHEMA));
    let sign_in = async {
        mysql_async::Conn::new(options)
            .await
            .map(|conn| (conn, text!("test-sign-in-done", user = account::APP)))
            .map_err(|e| refusal(&e))
    };
    let Some(mut conn) = trial.step(text!("test-sign-in"), sign_in).await else { return };
    let read = async {
        let count: Option<u64> =
            conn.query_first("SELECT COUNT(*) FROM note").await.map_err(|e| refusal(&e))?;
        Ok(((), text!("test-read-done", count = count.unwrap_or(0))))
    };
    if trial.step(text!("test-read"), read).await.is_none() {
        return;
    }
    let state = async {
        let closed: Option<bool> = conn.query_first("SELECT @@read_only").await.map_err(|e| refusal(&e))?;
        let says = if closed == Some(false) { text!("test-open") } else { text!("test-closed") };
        Ok(((), says))
    };
    trial.step(text!("test-role"), state).await;
    let _ = conn.disconnect().await;
}

fn refusal(error: &mysql_async::Error) -> Text {
    match error {
        mysql_async::Error::Server(server) => text!("db-error", code = server.code),
        _ => text!("db-broken"),
    }
}

/// The log files of a server, each cut to its last lines.
fn logs(folder: &Path, lines: usize) -> Vec<LogFile> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|e| e.path())
        .filter(|p| p.extension().is_some_and(|e| e == "log"))
        .collect();
    paths.sort();
    paths
        .iter()
        .filter_map(|path| {
            let name = path.file_name()?.to_str()?.to_owned();
            Some(LogFile { name, lines: files::tail(path, lines).ok()? })
        })
        .filter(|file| !file.lines.is_empty())
        .collect()
}

/// What no wish explains: removed servers' folders, older halves of logs, drafts of files. With `apply` it goes.
fn clean(home: &Home, names: &Vec<ServerName>, apply: bool) -> Vec<Leftover> {
    let mut found: Vec<(PathBuf, Text)> = Vec::new();
    for path in entries(&home.trash()) {
        found.push((path, text!("clean-trash")));
    }
    for path in entries(&home.root.join("conf")) {
        let kept = PoolId::ALL.iter().any(|p| home.proxy_config(*p) == path);
        if !kept {
            found.push((path, text!("clean-draft")));
        }
    }
    let mut logs = entries(&home.logs());
    for name in names {
        logs.extend(entries(&home.server(name).join("log")));
    }
    for path in logs {
        if path.extension().is_some_and(|e| e == "1") {
            found.push((path, text!("clean-log")));
        }
    }
    for path in entries(&home.run()) {
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or("").to_owned();
        let known = name.starts_with("haproxy-")
            || name.starts_with("cordee.sock")
            || names.iter().any(|n| n.as_str() == name);
        if !known {
            found.push((path, text!("clean-socket")));
        }
    }
    found
        .into_iter()
        .map(|(path, why)| {
            let bytes = files::size(&path);
            if apply {
                remove(&path);
            }
            let shown = path.strip_prefix(&home.root).unwrap_or(&path);
            Leftover { path: shown.to_string_lossy().into_owned(), why, bytes }
        })
        .collect()
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> =
        std::fs::read_dir(folder).into_iter().flatten().flatten().map(|e| e.path()).collect();
    all.sort();
    all
}

fn remove(path: &Path) {
    let result = match std::fs::symlink_metadata(path) {
        Ok(meta) if meta.is_dir() => std::fs::remove_dir_all(path),
        Ok(_) => std::fs::remove_file(path),
        Err(error) => Err(error),
    };
    if let Err(error) = result {
        tracing::warn!(path = %path.display(), error = &error as &dyn std::error::Error, "clean");
    }
}
