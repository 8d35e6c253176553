//! The picture: the same facts as on the page.

use cordee_domain::actions::Action;
use cordee_domain::desired::{Power, Routing, Runtime};
use cordee_domain::ids::{Millis, PoolId, ServerName};
use cordee_domain::sessions::Mode;
use cordee_domain::snapshot::Role;
use cordee_domain::state::Severity;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::words::{
    AboutWord, LightWord, OfferedAction, PoolWord, PowerWord, RemedyWord, RoleWord, RoutingWord, RuntimeWord,
    SessionMode, StandingWord,
};

/// Everything that is shown, at one moment.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct SnapshotJson {
    /// Revision of the wish; grows by one with each change.
    pub revision: u64,
    /// When the picture was taken: milliseconds since 1970, UTC.
    pub at: Millis,
    /// The sentence about all of it.
    pub verdict: StatusJson,
    /// Why it is not good, and what puts it right, the first cause first; with a good one mostly empty.
    #[serde(default)]
    pub causes: Vec<CauseJson>,
    /// Which databases take writes: `one-writer` or `all-writers`.
    #[schema(value_type = RoutingWord)]
    pub routing: Routing,
    /// Where the visitors' sessions are kept: `proxy` (files of each web server) or `database`.
    #[schema(value_type = SessionMode)]
    pub session: Mode,
    /// Grows by one each time another database becomes the writer.
    pub epoch: u64,
    /// The change of writer under way, if any.
    pub handover: Option<HandoverJson>,
    /// How long nobody wrote when the writer last changed, while this Cordée was there to measure.
    pub gap: Option<GapJson>,
    /// HAProxy `web` and HAProxy `db`.
    pub proxies: Vec<ProxyJson>,
    /// The servers by pool: `web`, `db`.
    pub pools: Vec<PoolJson>,
    /// The same servers in one list, web servers first.
    pub servers: Vec<ServerJson>,
}

/// Why the verdict is not good.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct CauseJson {
    /// `cordee`, `haproxy-web`, `haproxy-db`, or `servers`.
    #[schema(value_type = AboutWord)]
    pub about: String,
    /// The servers that share the cause; empty when it is about something else.
    pub servers: Vec<String>,
    /// What is said of it.
    pub status: StatusJson,
    /// Who asked for it, if somebody did and that is known: an account, `token:NAME`, `cli`.
    pub by: Option<String>,
    /// When: milliseconds since 1970, UTC.
    pub at: Option<Millis>,
    /// Servers that are as they are because of it.
    pub explains: Vec<String>,
    /// What puts it right, the likeliest first; never empty.
    pub remedies: Vec<RemedyJson>,
}

/// What puts a cause right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RemedyJson {
    /// What to ask for: `ready`, `start`, `restart`, `withdraw`, `anyway`, `promote`, `recopy`, `remove`, `logs` or
    /// `test` of a server, `reload` of a HAProxy, `add` a web server; or where to look: `page`, `config`, `journal`; or
    /// `hand`, what a person does at the machine; or `wait`: Cordée is at it.
    #[schema(value_type = RemedyWord, example = "start")]
    pub action: String,
    /// The server, when it is about one.
    pub server: Option<String>,
    /// In words.
    pub says: String,
}

/// A change of writer under way.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct HandoverJson {
    /// The writer to be.
    pub to: String,
    /// Milliseconds since it was asked for.
    pub age_ms: u64,
    /// Whether a loss of writes was accepted.
    pub accept_loss: bool,
}

/// How long nobody could write at the last change of writer.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct GapJson {
    /// The epoch that ended it.
    pub epoch: u64,
    /// At most so long: from the last moment at which the old writer was known to be well until it was seen that
    /// HAProxy leads to the new one, and one more try of a connection that waits there.
    pub ms: u64,
    /// How long ago that was.
    pub age_ms: u64,
}

/// A severity, a word, and the reason for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StatusJson {
    /// `good`, `warning`, `critical`, `progress`, `maintenance` or `unknown`.
    #[schema(value_type = LightWord)]
    #[serde(rename = "light")]
    pub severity: Severity,
    /// One or two words in the language of `Accept-Language`.
    pub word: String,
    /// The reason or the figure behind it.
    pub reason: Option<String>,
}

/// One HAProxy.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ProxyJson {
    /// `web` or `db`.
    #[schema(value_type = PoolWord)]
    pub name: PoolId,
    /// Where it listens.
    pub listen: String,
    /// Status.
    pub status: StatusJson,
    /// Process id of the master.
    pub pid: Option<u32>,
    /// Process id of the worker.
    pub worker_pid: Option<u32>,
    /// Requests (web) or connections (db) in the last second.
    pub rate: u64,
    /// Clients connected.
    pub sessions: u64,
    /// HAProxy's version.
    pub version: Option<String>,
    /// Wish, file and process are the same.
    pub settled: bool,
    /// Milliseconds since it last answered; `null` when never.
    pub age_ms: Option<u64>,
}

/// A pool and its servers.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct PoolJson {
    /// `web` or `db`.
    #[schema(value_type = PoolWord)]
    pub name: PoolId,
    /// In the order in which they were added.
    pub servers: Vec<ServerJson>,
}

/// One server.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ServerJson {
    /// Its name, unique in both pools.
    pub name: String,
    /// `web` or `db`.
    #[schema(value_type = PoolWord)]
    pub pool: PoolId,
    /// Address or host name.
    pub address: String,
    /// TCP port.
    pub port: u16,
    /// Value of the stickiness cookie (web), when known.
    pub cookie: Option<String>,
    /// Whether a person chose that value.
    pub cookie_chosen: bool,
    /// `writer` or `standby` (databases).
    #[schema(value_type = Option<RoleWord>)]
    pub role: Option<Role>,
    /// `process` when Cordée starts it, `external` when it only watches it.
    #[schema(value_type = RuntimeWord)]
    pub runtime: Runtime,
    /// `on` or `off`: whether it should run.
    #[schema(value_type = PowerWord)]
    pub power: Power,
    /// Status.
    pub status: StatusJson,
    /// Requests or connections on it now.
    pub sessions: u64,
    /// All so far.
    pub total: u64,
    /// The last check.
    pub last_check: CheckJson,
    /// Process id, when Cordée started it.
    pub pid: Option<u32>,
    /// Its software, when known.
    pub version: Option<String>,
    /// Replication towards this database, one entry per server that it copies.
    #[serde(rename = "links")]
    pub channels: Vec<LinkJson>,
    /// `member`, `joining`, `leaving`, `returning` (a former writer that is being compared) or `diverged` (databases).
    #[serde(rename = "standing")]
    pub membership: Option<StandingWord>,
    /// Whether a commit is acknowledged only after a standby has received it, now (the writer only).
    pub semi_sync: Option<bool>,
    /// Percent of its copy that has come, while it is being copied (databases).
    #[serde(default)]
    #[schema(maximum = 100)]
    pub progress: Option<u8>,
    /// The last comparison of its rows with the writer's, in short (databases but the writer).
    pub comparison: Option<ComparisonJson>,
    /// What may be asked of it now: `logs`, `test`, `drain`, `maintenance`, `ready`, `restart`, `stop`,
    /// `start`, `promote`, `remove`, `verify`, `recopy`.
    #[schema(value_type = Vec<OfferedAction>)]
    pub actions: Vec<Action>,
    /// Visitors who came back with its cookie (web); absent when that is not counted, or sessions are in the database.
    #[serde(default)]
    pub attached: Option<AttachedJson>,
    /// It was asked to leave, and serves until one of these does (empty: until another one does); absent when it does
    /// not wait.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>)]
    pub waits_for: Option<Vec<ServerName>>,
}

/// Visitors who came back with a web server's cookie.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
pub struct AttachedJson {
    /// How many.
    pub visitors: u64,
    /// Within so many minutes, thirty at most.
    pub minutes: u64,
}

/// A comparison of a database's rows with the writer's.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ComparisonJson {
    /// A person asked for one that has not begun.
    pub wanted: bool,
    /// Rows compared so far, while one is under way.
    pub running: Option<u64>,
    /// A person asked that what differs be put right, and it is not done yet.
    #[serde(default)]
    pub repairing: bool,
    /// Milliseconds since the last one ended; `null` when there was none.
    pub age_ms: Option<u64>,
    /// Why one failed since.
    #[serde(default)]
    pub failed: Option<String>,
    /// Milliseconds since it failed.
    #[serde(default)]
    pub failed_age_ms: Option<u64>,
    /// Tables that it looked at.
    pub tables: usize,
    /// Rows that it compared.
    pub rows: u64,
    /// Tables that it proved to differ.
    pub different: usize,
    /// Tables of which it could prove nothing: neither equal nor different.
    pub unproven: usize,
    /// Some of these, with the reason.
    #[serde(default)]
    pub left_out: Vec<LeftOutJson>,
}

/// A table of which a comparison could prove nothing.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct LeftOutJson {
    /// Its full name.
    pub table: String,
    /// Why.
    pub why: String,
}

/// The last check of a server.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct CheckJson {
    /// Milliseconds since its result was read; `null` when never.
    pub age_ms: Option<u64>,
    /// What it found.
    pub result: Option<String>,
    /// How long it took.
    pub duration_ms: Option<u64>,
}

/// One direction of replication.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct LinkJson {
    /// The server that is copied.
    pub from: String,
    /// As in a status.
    #[schema(value_type = LightWord)]
    #[serde(rename = "light")]
    pub severity: Severity,
    /// Measured delay.
    pub delay_ms: Option<u64>,
    /// MariaDB's error number; 0 when none.
    pub error: u32,
}

/// One line of the journal.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct EventJson {
    /// Grows with each event; the one to resume from.
    pub id: u64,
    /// Milliseconds since 1970, UTC.
    pub at: Millis,
    /// Who: an account, `token:NAME`, `cli`, or `cordee` itself.
    pub actor: String,
    /// The server, `haproxy-web`, `haproxy-db` or `cluster`.
    pub subject: String,
    /// As in a status, where the event has one.
    #[schema(value_type = Option<LightWord>)]
    #[serde(rename = "light")]
    pub severity: Option<Severity>,
    /// The sentence, in the language of `Accept-Language`.
    pub text: String,
}
