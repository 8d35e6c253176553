//! The JSON API, with a token, as a program of a user's own would call it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use crate::http::Client;
use crate::wait;

/// A caller with a token.
#[derive(Clone, Debug)]
pub struct Api {
    to: SocketAddr,
    token: Option<String>,
    language: &'static str,
    newest: Arc<AtomicU64>,
}

/// An answer of the API.
#[derive(Clone, Debug)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// `Content-Type`.
    pub kind: String,
    /// The body; null when it is no JSON.
    pub body: Value,
}

impl Reply {
    /// Whether the status is 2xx.
    pub fn ok(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The fields and sentences of a problem (RFC 9457 with `errors`).
    pub fn errors(&self) -> Vec<FieldError> {
        serde_json::from_value(self.body["errors"].clone()).unwrap_or_default()
    }
}

/// One reason of a refusal.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct FieldError {
    /// The field's name.
    pub field: String,
    /// One sentence.
    pub detail: String,
}

impl Api {
    /// A caller.
    pub fn new(to: SocketAddr, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..Self::stranger(to) }
    }

    /// A caller without a token.
    pub fn stranger(to: SocketAddr) -> Self {
        Self { to, token: None, language: "en", newest: Arc::default() }
    }

    /// A caller that notes there the newest revision that it is told.
    #[must_use]
    pub fn noting(self, newest: &Arc<AtomicU64>) -> Self {
        Self { newest: Arc::clone(newest), ..self }
    }

    /// Where it calls.
    pub fn address(&self) -> SocketAddr {
        self.to
    }

    /// Its token; empty for a stranger.
    pub fn token(&self) -> &str {
        self.token.as_deref().unwrap_or("")
    }

    /// The same caller, answered in another language.
    #[must_use]
    pub fn speaking(&self, language: &'static str) -> Self {
        Self { language, ..self.clone() }
    }

    /// One call on a connection of its own, so that a killed `cordee serve` costs the caller nothing afterwards.
    pub fn call(&self, method: &str, path: &str, body: Option<&Value>) -> std::io::Result<Reply> {
        let mut client =
            Client::new(self.to).header("Connection", "close").header("Accept-Language", self.language);
        if let Some(token) = &self.token {
            client = client.header("Authorization", &format!("Bearer {token}"));
        }
        let bytes = body.map(|b| serde_json::to_vec(b).expect("json")).unwrap_or_default();
        let headers: &[(&str, &str)] =
            if body.is_some() { &[("Content-Type", "application/json")] } else { &[] };
        let answer = client.request(method, &format!("/api{path}"), headers, &bytes)?;
        let body: Value = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
        self.newest.fetch_max(body["revision"].as_u64().unwrap_or(0), Ordering::Relaxed);
        let kind = answer.header("content-type").unwrap_or("").to_owned();
        Ok(Reply { status: answer.status, kind, body })
    }

    /// GET that must answer 2xx.
    #[track_caller]
    pub fn get(&self, path: &str) -> Value {
        let reply = self.call("GET", path, None).expect(path);
        assert!(reply.ok(), "GET {path}: {reply:?}");
        reply.body
    }

    /// POST.
    #[track_caller]
    pub fn post(&self, path: &str, body: &Value) -> Reply {
        self.call("POST", path, Some(body)).expect(path)
    }

    /// POST that must answer 2xx.
    #[track_caller]
    pub fn act(&self, path: &str) -> Value {
        let reply = self.call("POST", path, None).expect(path);
        assert!(reply.ok(), "POST {path}: {reply:?}");
        reply.body
    }

    /// DELETE that must answer 2xx.
    #[track_caller]
    pub fn delete(&self, path: &str) {
        let reply = self.call("DELETE", path, None).expect(path);
        assert!(reply.ok(), "DELETE {path}: {reply:?}");
    }

    /// The cluster, as shown now; an error while `cordee serve` is away.
    pub fn try_snapshot(&self) -> Result<Snapshot, String> {
        let reply = self.call("GET", "/v1/snapshot", None).map_err(|e| e.to_string())?;
        if !reply.ok() {
            return Err(format!("{reply:?}"));
        }
        serde_json::from_value(reply.body).map_err(|e| format!("snapshot: {e}"))
    }

    /// The cluster, as shown now.
    #[track_caller]
    pub fn snapshot(&self) -> Snapshot {
        self.try_snapshot().expect("snapshot")
    }

    /// Waits until a server has that severity, and gives it.
    #[track_caller]
    pub fn wait_for_severity(&self, server: &str, severity: &str, bound: Duration) -> Server {
        wait::until(&format!("{server} is {severity}"), bound, || {
            let snapshot = self.try_snapshot()?;
            let found = snapshot.find(server).ok_or("it is not there")?;
            if found.status.severity == severity { Ok(found.clone()) } else { Err(format!("{found:?}")) }
        })
        .0
    }

    /// Waits until no server of that name is shown.
    #[track_caller]
    pub fn wait_until_gone(&self, server: &str, bound: Duration) {
        let gone = || self.try_snapshot().is_ok_and(|s| s.find(server).is_none());
        wait::until_true(&format!("the API shows no {server}"), bound, gone);
    }

    /// The newest events, newest first or last as the API gives them.
    #[track_caller]
    pub fn history(&self, limit: usize) -> Vec<Event> {
        let body = self.get(&format!("/v1/history?limit={limit}"));
        serde_json::from_value(body["events"].clone()).expect("events")
    }

    /// The id of the newest event.
    #[track_caller]
    pub fn last_event(&self) -> u64 {
        self.history(1).iter().map(|e| e.id).max().unwrap_or(0)
    }

    /// Events after that id, oldest first.
    #[track_caller]
    pub fn events_after(&self, id: u64) -> Vec<Event> {
        let mut events = self.history(200);
        events.retain(|e| e.id > id);
        events.sort_by_key(|e| e.id);
        events
    }
}

/// `GET /api/v1/snapshot`.
#[derive(Clone, Debug, Deserialize)]
pub struct Snapshot {
    /// Revision of the wish.
    pub revision: u64,
    /// Rises by one with each new writer. A product that does not tell is told so by whoever asks for it.
    pub epoch: Option<u64>,
    /// `one-writer` or `all-writers`.
    pub routing: Option<String>,
    /// Where the visitors' sessions are kept: `proxy` or `database`.
    pub session: Option<String>,
    /// The change of writer that goes on now.
    pub handover: Option<Value>,
    /// The sentence about all of it.
    pub verdict: Status,
    /// The two proxies.
    pub proxies: Vec<Proxy>,
    /// All servers.
    pub servers: Vec<Server>,
}

/// A severity and its words.
#[derive(Clone, Debug, Deserialize)]
pub struct Status {
    /// `good`, `warning`, `critical`, `progress`, `maintenance`, `unknown`.
    #[serde(rename = "light")]
    pub severity: String,
    /// The word.
    pub word: String,
    /// The reason, if there is one.
    #[serde(default)]
    pub reason: Option<String>,
}

/// One HAProxy.
#[derive(Clone, Debug, Deserialize)]
pub struct Proxy {
    /// `web` or `db`.
    pub name: String,
    /// Status.
    pub status: Status,
    /// The master.
    pub pid: Option<u32>,
    /// The worker.
    pub worker_pid: Option<u32>,
    /// File, process and wish are the same.
    pub settled: bool,
    /// Age of what is shown.
    pub age_ms: Option<u64>,
}

/// One server.
#[derive(Clone, Debug, Deserialize)]
pub struct Server {
    /// Its name.
    pub name: String,
    /// `web` or `db`.
    pub pool: String,
    /// Address or name.
    pub address: String,
    /// Port.
    pub port: u16,
    /// Stickiness.
    pub cookie: Option<String>,
    /// Whether a person chose the cookie.
    pub cookie_chosen: bool,
    /// `on` or `off`: whether it should run.
    pub power: String,
    /// `writer` or `standby`.
    pub role: Option<String>,
    /// `member`, `returning` or `diverged`.
    #[serde(rename = "standing")]
    pub membership: Option<String>,
    /// Writer only: whether a commit is acknowledged only after a standby has received it, now.
    pub semi_sync: Option<bool>,
    /// Who starts it.
    pub runtime: String,
    /// Status.
    pub status: Status,
    /// The last check.
    pub last_check: LastCheck,
    /// Its process, when Cordée started it.
    pub pid: Option<u32>,
    /// Replication towards it.
    #[serde(default, rename = "links")]
    pub channels: Vec<Channel>,
}

/// The last check of a server.
#[derive(Clone, Debug, Deserialize)]
pub struct LastCheck {
    /// How long ago its result was read.
    pub age_ms: Option<u64>,
    /// The result.
    pub result: Option<String>,
    /// How long it took.
    pub duration_ms: Option<u64>,
}

/// One direction of replication.
#[derive(Clone, Debug, Deserialize)]
pub struct Channel {
    /// The server that is copied.
    pub from: String,
    /// Whether it runs.
    #[serde(rename = "light")]
    pub severity: String,
    /// Measured by heartbeat.
    pub delay_ms: Option<u64>,
}

/// One line of the journal.
#[derive(Clone, Debug, Deserialize)]
pub struct Event {
    /// Rises by one with each event.
    pub id: u64,
    /// Who.
    pub actor: String,
    /// About what.
    pub subject: String,
    /// Severity, for changes of state.
    #[serde(rename = "light")]
    pub severity: Option<String>,
    /// The sentence.
    pub text: String,
}

impl Snapshot {
    /// A server by name.
    pub fn find(&self, name: &str) -> Option<&Server> {
        self.servers.iter().find(|s| s.name == name)
    }

    /// A server that must be there.
    #[track_caller]
    pub fn server(&self, name: &str) -> &Server {
        self.find(name).unwrap_or_else(|| panic!("no server {name} in {self:#?}"))
    }

    /// A proxy.
    #[track_caller]
    pub fn proxy(&self, name: &str) -> &Proxy {
        self.proxies.iter().find(|p| p.name == name).unwrap_or_else(|| panic!("no proxy {name} in {self:#?}"))
    }

    /// Whether everything is as it should be; else what is not.
    pub fn settled(&self) -> Result<(), String> {
        let proxies = self
            .proxies
            .iter()
            .filter(|p| p.status.severity != "good" || !p.settled)
            .map(|p| format!("{p:?}"));
        let servers = self.servers.iter().filter(|s| s.status.severity != "good").map(|s| format!("{s:?}"));
        let wrong: Vec<String> = proxies.chain(servers).collect();
        if wrong.is_empty() { Ok(()) } else { Err(wrong.join("; ")) }
    }

    /// What was wished for, as text: the part of the snapshot that only a change may alter.
    pub fn wish(&self) -> String {
        let servers: Vec<String> = self
            .servers
            .iter()
            .map(|s| {
                // An automatic cookie is HAProxy's, not a wish.
                let cookie = s.cookie.as_deref().filter(|_| s.cookie_chosen);
                let (role, runtime, power) = (s.role.as_deref(), &s.runtime, &s.power);
                format!(
                    "{} {} {}:{} {cookie:?} {role:?} {runtime} {power}",
                    s.pool, s.name, s.address, s.port
                )
            })
            .collect();
        format!("revision {}\n{}", self.revision, servers.join("\n"))
    }
}
