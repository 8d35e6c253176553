//! What a picture says of each HAProxy, server, channel and comparison.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::actions::Action;
use crate::attached::Held;
use crate::desired::{Admin, Asked, Membership, Power, Runtime};
use crate::ids::{Millis, PoolId, ServerName};
use crate::plan::leaving::Leave;
use crate::state::{Severity, State, Status};
use crate::text::Text;

/// One proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxyView {
    /// `web` or `db`.
    pub name: PoolId,
    /// Where it listens.
    pub listen: String,
    /// Status.
    pub status: Status,
    /// Requests (web) or connections (db) in the last second.
    pub rate: u64,
    /// Clients connected.
    pub sessions: u64,
    /// HTTP requests since the worker started, but for those that it did not understand.
    pub requests: u64,
    /// Log lines that it could not send since then.
    pub unsent: u64,
    /// The master's process id.
    pub pid: Option<u32>,
    /// The worker's.
    pub worker_pid: Option<u32>,
    /// HAProxy's version.
    pub version: Option<String>,
    /// When it last answered.
    pub seen_at: Option<Millis>,
    /// File, process and wish are the same.
    pub settled: bool,
}

/// One server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerView {
    /// Its pool.
    pub pool: PoolId,
    /// Its name.
    pub name: ServerName,
    /// Address or name, as typed.
    pub address: String,
    /// Port.
    pub port: u16,
    /// Stickiness cookie (web).
    pub cookie: Option<String>,
    /// Whether a person chose the cookie.
    pub cookie_chosen: bool,
    /// `writer` or `standby` (db).
    pub role: Option<Role>,
    /// Who starts it.
    pub runtime: Runtime,
    /// Whether it should run.
    pub power: Power,
    /// Status.
    pub status: Status,
    /// Requests or connections on it now.
    pub sessions: u64,
    /// All so far.
    pub total: u64,
    /// The last check.
    pub last_check: LastCheck,
    /// Process id, when Cordée started it.
    pub pid: Option<u32>,
    /// Software, when known.
    pub version: Option<String>,
    /// Replication towards this database, by the server it copies (db).
    pub channels: BTreeMap<ServerName, ChannelView>,
    /// Place among the databases (db).
    pub membership: Option<Membership>,
    /// Whether the writer acknowledges a commit only after a standby has received it, now (db).
    pub semi_sync: Option<bool>,
    /// Percent of its copy that has come, while it is being copied (db).
    pub progress: Option<u8>,
    /// The last comparison of its rows with the writer's, in short (db).
    pub comparison: Option<ComparisonView>,
    /// It is to serve, as far as people are concerned.
    pub wanted: bool,
    /// What HAProxy does with it now, when that is known: with a database, at the address of the one writer. One that
    /// it does not have gets nobody.
    pub in_proxy: Option<Admin>,
    /// Its process is older than wished: a restart is due.
    pub outdated: bool,
    /// It was asked to leave and stays until one of these serves (web).
    pub waits: Option<Vec<ServerName>>,
    /// How it is to leave, when it is (web).
    pub leave: Option<Leave>,
    /// The visitors who hold its cookie (web), when that is known and matters: sessions in the database follow
    /// everybody.
    pub attached: Option<Held>,
    /// Who took it out of service, when somebody did and that is known.
    pub asked: Option<Asked>,
    /// What a person may ask of it now.
    pub actions: Vec<Action>,
}

/// A comparison of rows, in short: which rows differ is asked for apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ComparisonView {
    /// A person asked for one that has not begun.
    pub wanted: bool,
    /// A person asked that what differs be put right, and it is not done yet.
    pub repair: bool,
    /// Rows compared so far, while one is under way.
    pub running: Option<u64>,
    /// When the last one came to an end.
    pub at: Option<Millis>,
    /// When one failed since, and why.
    pub failed: Option<(Millis, Text)>,
    /// Tables that it looked at.
    pub tables: usize,
    /// Rows that it compared.
    pub rows: u64,
    /// Tables that it proved to differ.
    pub different: usize,
    /// Tables of which it could prove nothing.
    pub unproven: usize,
    /// Some of these, with the reason.
    pub left_out: Vec<LeftOut>,
}

/// A table of which a comparison could prove nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// Its full name.
    pub table: String,
    /// Why.
    pub why: Text,
}

/// The last check of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastCheck {
    /// When its result was read.
    pub at: Option<Millis>,
    /// The result in words.
    pub result: Option<Text>,
    /// How long the check took.
    pub duration_ms: Option<u64>,
}

/// One direction of replication.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelView {
    /// Whether it runs.
    pub severity: Severity,
    /// Measured delay.
    pub delay_ms: Option<u64>,
    /// Error number; 0 when none.
    pub error: u32,
}

/// A database's role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Takes writes.
    Writer,
    /// Follows.
    Standby,
}

/// Whether a database that the writer had beside it is only on its way back: nobody could take over from the writer, or
/// only one whose rows are in doubt.
pub(crate) fn away(view: &ServerView) -> bool {
    let beside = matches!(view.membership, Some(Membership::Member | Membership::Returning { .. }));
    let doubted = view.status.state == State::Comparing;
    beside && view.status.severity == Severity::Progress && (!view.status.serves() || doubted)
}
