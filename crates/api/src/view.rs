//! The snapshot: the same facts as on the page.

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
    /// The revision of the wish; grows by one with each change.
    pub revision: u64,
    /// When the snapshot was made: milliseconds since 1970, UTC.
    pub at: Millis,
    /// The verdict: one sentence about the whole cluster.
    pub verdict: StatusJson,
    /// The causes of a verdict that is not good, with their remedies, the most important cause first; mostly empty if
    /// the verdict is good.
    #[serde(default)]
    pub causes: Vec<CauseJson>,
    /// Which databases take writes: `one-writer` or `all-writers`.
    #[schema(value_type = RoutingWord)]
    pub routing: Routing,
    /// Where the visitors' sessions are kept: `proxy` (in files on each web server) or `database`.
    #[schema(value_type = SessionMode)]
    pub session: Mode,
    /// Grows by one each time another database becomes the writer.
    pub epoch: u64,
    /// The change of writer under way, if any.
    pub handover: Option<HandoverJson>,
    /// How long no database took writes during the last change of writer, if this Cordée was running to measure it.
    pub gap: Option<GapJson>,
    /// HAProxy `web` and HAProxy `db`.
    pub proxies: Vec<ProxyJson>,
    /// The servers by pool: `web`, `db`.
    pub pools: Vec<PoolJson>,
    /// The same servers in one list, web servers first.
    pub servers: Vec<ServerJson>,
}

/// A cause of a verdict that is not good.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct CauseJson {
    /// `cordee`, `haproxy-web`, `haproxy-db`, or `servers`.
    #[schema(value_type = AboutWord)]
    pub about: String,
    /// The servers that share the cause; empty if it is about something else.
    pub servers: Vec<String>,
    /// Its status.
    pub status: StatusJson,
    /// Who asked for it, if somebody did and it is known who: an account, `token:NAME`, `cli`.
    pub by: Option<String>,
    /// When it was asked for: milliseconds since 1970, UTC.
    pub at: Option<Millis>,
    /// The servers whose trouble it explains.
    pub explains: Vec<String>,
    /// Its remedies, the most likely first; never empty.
    pub remedies: Vec<RemedyJson>,
}

/// A remedy for a cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RemedyJson {
    /// The remedy. An action on a server: `ready`, `start`, `restart`, `withdraw`, `anyway`, `promote`, `recopy`,
    /// `remove`, `logs` or `test`. `reload` of a HAProxy instance. `add` a web server. Where to look: `page`, `config`
    /// or `journal`. `hand`: something that an operator does on the machine. `wait`: Cordée is already working on it.
    #[schema(value_type = RemedyWord, example = "start")]
    pub action: String,
    /// The server, if the remedy is about one.
    pub server: Option<String>,
    /// The remedy in words.
    pub says: String,
}

/// A change of writer that is under way.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct HandoverJson {
    /// The database that is to become the writer.
    pub to: String,
    /// Milliseconds since it was asked for.
    pub age_ms: u64,
    /// Whether a loss of writes is accepted.
    pub accept_loss: bool,
}

/// How long no database took writes during the last change of writer.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct GapJson {
    /// The epoch that began with that change.
    pub epoch: u64,
    /// An upper bound in milliseconds: from the last moment at which the old writer was known to be healthy until
    /// HAProxy was seen to lead to the new one, plus one more attempt of a connection that waits there.
    pub ms: u64,
    /// Milliseconds since then.
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

/// A HAProxy instance.
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
    /// Whether the wish, the file and the process agree.
    pub settled: bool,
    /// Milliseconds since it last answered; `null` if never.
    pub age_ms: Option<u64>,
}

/// A pool and its servers.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct PoolJson {
    /// `web` or `db`.
    #[schema(value_type = PoolWord)]
    pub name: PoolId,
    /// The servers, in the order in which they were added.
    pub servers: Vec<ServerJson>,
}

/// A server.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ServerJson {
    /// Its name, unique across both pools.
    pub name: String,
    /// `web` or `db`.
    #[schema(value_type = PoolWord)]
    pub pool: PoolId,
    /// Address or host name.
    pub address: String,
    /// TCP port.
    pub port: u16,
    /// Value of the stickiness cookie (web), if known.
    pub cookie: Option<String>,
    /// Whether an operator chose that value.
    pub cookie_chosen: bool,
    /// `writer` or `standby` (databases).
    #[schema(value_type = Option<RoleWord>)]
    pub role: Option<Role>,
    /// `process` if Cordée starts it, `external` if Cordée only watches it.
    #[schema(value_type = RuntimeWord)]
    pub runtime: Runtime,
    /// `on` or `off`: whether it should run.
    #[schema(value_type = PowerWord)]
    pub power: Power,
    /// Status.
    pub status: StatusJson,
    /// Requests or connections on it now.
    pub sessions: u64,
    /// All requests or connections so far.
    pub total: u64,
    /// The last check.
    pub last_check: CheckJson,
    /// Process id, if Cordée started it.
    pub pid: Option<u32>,
    /// Its software, if known.
    pub version: Option<String>,
    /// The channels of this database, one entry per peer that it replicates from.
    #[serde(rename = "links")]
    pub channels: Vec<LinkJson>,
    /// `member`, `joining`, `leaving`, `returning` (a former writer that is being compared) or `diverged` (databases).
    #[serde(rename = "standing")]
    pub membership: Option<StandingWord>,
    /// Whether the writer now acknowledges a commit only after a standby has received it (the writer only).
    pub semi_sync: Option<bool>,
    /// Percent of the copy that is done, while the database is being copied (databases).
    #[serde(default)]
    #[schema(maximum = 100)]
    pub progress: Option<u8>,
    /// Summary of the last comparison of its rows with the writer's (all databases except the writer).
    pub comparison: Option<ComparisonJson>,
    /// The actions that it offers now: `logs`, `test`, `drain`, `maintenance`, `ready`, `restart`, `stop`, `start`,
    /// `promote`, `repair`, `anyway`, `withdraw`, `remove`, `verify`, `recopy`.
    #[schema(value_type = Vec<OfferedAction>)]
    pub actions: Vec<Action>,
    /// Visitors who came back with its cookie (web); absent if they are not counted, or if sessions are in the
    /// database.
    #[serde(default)]
    pub attached: Option<AttachedJson>,
    /// It was asked to leave, and serves until one of these servers does (empty: until any other one does); absent if
    /// it does not wait.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>)]
    pub waits_for: Option<Vec<ServerName>>,
}

/// Visitors who came back with a web server's cookie.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
pub struct AttachedJson {
    /// The number of visitors.
    pub visitors: u64,
    /// The minutes over which they were counted, thirty at most.
    pub minutes: u64,
}

/// A comparison of a database's rows with the writer's.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ComparisonJson {
    /// Whether an operator asked for a comparison that has not begun.
    pub wanted: bool,
    /// Rows compared so far, while a comparison is under way.
    pub running: Option<u64>,
    /// Whether an operator asked to correct the rows that differ, and that is not done yet.
    #[serde(default)]
    pub repairing: bool,
    /// Milliseconds since the last comparison ended; `null` if there was none.
    pub age_ms: Option<u64>,
    /// Why a comparison has failed since.
    #[serde(default)]
    pub failed: Option<String>,
    /// Milliseconds since that failure.
    #[serde(default)]
    pub failed_age_ms: Option<u64>,
    /// Number of tables that it looked at.
    pub tables: usize,
    /// Number of rows that it compared.
    pub rows: u64,
    /// Number of tables that are proven to differ.
    pub different: usize,
    /// Number of tables about which it proved nothing: neither equal nor different.
    pub unproven: usize,
    /// Some of these tables, with the reason.
    #[serde(default)]
    pub left_out: Vec<LeftOutJson>,
}

/// A table about which a comparison proved nothing.
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
    /// Milliseconds since its result was read; `null` if never.
    pub age_ms: Option<u64>,
    /// What it found.
    pub result: Option<String>,
    /// How many milliseconds it took.
    pub duration_ms: Option<u64>,
}

/// One direction of replication.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct LinkJson {
    /// The peer that the database replicates from.
    pub from: String,
    /// As in a status.
    #[schema(value_type = LightWord)]
    #[serde(rename = "light")]
    pub severity: Severity,
    /// The measured delay in milliseconds.
    pub delay_ms: Option<u64>,
    /// MariaDB's error number; 0 if there is no error.
    pub error: u32,
}

/// One line of the journal.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct EventJson {
    /// Grows with each event. A client resumes from it.
    pub id: u64,
    /// Milliseconds since 1970, UTC.
    pub at: Millis,
    /// Who did it: an account, `token:NAME`, `cli`, or `cordee` for Cordée itself.
    pub actor: String,
    /// The server, `haproxy-web`, `haproxy-db` or `cluster`.
    pub subject: String,
    /// As in a status, if the event has one.
    #[schema(value_type = Option<LightWord>)]
    #[serde(rename = "light")]
    pub severity: Option<Severity>,
    /// The sentence, in the language of `Accept-Language`.
    pub text: String,
}
