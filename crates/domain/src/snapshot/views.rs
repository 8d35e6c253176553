//! The parts of a snapshot: each proxy, server, channel and comparison.

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
    /// HTTP requests since the worker was started, without those that HAProxy could not parse.
    pub requests: u64,
    /// Log lines that HAProxy was unable to send since then.
    pub unsent: u64,
    /// The master's process id.
    pub pid: Option<u32>,
    /// The worker's process id.
    pub worker_pid: Option<u32>,
    /// HAProxy's version.
    pub version: Option<String>,
    /// When it last answered.
    pub seen_at: Option<Millis>,
    /// Configuration file, running process and desired state agree.
    pub settled: bool,
}

/// One server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerView {
    /// Its pool.
    pub pool: PoolId,
    /// Its name.
    pub name: ServerName,
    /// Address or host name, as typed.
    pub address: String,
    /// Port.
    pub port: u16,
    /// Stickiness cookie (web).
    pub cookie: Option<String>,
    /// Whether an operator chose the cookie.
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
    /// All requests or connections so far.
    pub total: u64,
    /// The last check.
    pub last_check: LastCheck,
    /// Process id, when Cordée started it.
    pub pid: Option<u32>,
    /// Version of its software, if known.
    pub version: Option<String>,
    /// The channels through which this database replicates, by the peer that it replicates from (db).
    pub channels: BTreeMap<ServerName, ChannelView>,
    /// Membership (db).
    pub membership: Option<Membership>,
    /// Whether the writer now acknowledges a commit only after a standby has received it (db).
    pub semi_sync: Option<bool>,
    /// Percent of the copy that is done, while the database is being copied (db).
    pub progress: Option<u8>,
    /// Summary of the last comparison of its rows with the writer's (db).
    pub comparison: Option<ComparisonView>,
    /// The server is to serve, according to what the operators asked for.
    pub wanted: bool,
    /// What HAProxy does with the server now, if that is known; for a database, at the address of the one writer. A
    /// server that HAProxy does not have gets no visitors and counts as in maintenance.
    pub in_proxy: Option<Admin>,
    /// Its process is older than the desired one: a restart is due.
    pub outdated: bool,
    /// The server was asked to leave and stays until one of these serves (web).
    pub waits: Option<Vec<ServerName>>,
    /// How the server is to leave, if it is (web).
    pub leave: Option<Leave>,
    /// The visitors who hold its cookie (web), if known and relevant: with sessions in the database visitors are not
    /// tied to a server.
    pub attached: Option<Held>,
    /// Who took it out of service, if somebody did and it is known who.
    pub asked: Option<Asked>,
    /// The actions that an operator may take on it now.
    pub actions: Vec<Action>,
}

/// Summary of a comparison of rows. The rows that differ are asked for separately.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ComparisonView {
    /// An operator asked for a comparison that has not begun.
    pub wanted: bool,
    /// An operator asked to correct the rows that differ, and that is not done yet.
    pub repair: bool,
    /// Rows compared so far, while a comparison is under way.
    pub running: Option<u64>,
    /// When the last comparison ended.
    pub at: Option<Millis>,
    /// When a comparison has failed since, and why.
    pub failed: Option<(Millis, Text)>,
    /// Number of tables that it looked at.
    pub tables: usize,
    /// Number of rows that it compared.
    pub rows: u64,
    /// Number of tables that are proven to differ.
    pub different: usize,
    /// Number of tables about which it proved nothing.
    pub unproven: usize,
    /// Some of these tables, with the reason.
    pub left_out: Vec<LeftOut>,
}

/// A table about which a comparison proved nothing.
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
    /// When the result was read.
    pub at: Option<Millis>,
    /// The result in words.
    pub result: Option<Text>,
    /// How long the check took.
    pub duration_ms: Option<u64>,
}

/// One direction of replication.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelView {
    /// Whether the channel runs.
    pub severity: Severity,
    /// The measured delay, in milliseconds.
    pub delay_ms: Option<u64>,
    /// The error number; 0 if there is no error.
    pub error: u32,
}

/// A database's role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Takes writes.
    Writer,
    /// Follows the writer.
    Standby,
}

/// Whether a member or a former writer is still on its way back. Until then it could not take over from the writer, or
/// only with rows that are in doubt.
pub(crate) fn away(view: &ServerView) -> bool {
    let beside = matches!(view.membership, Some(Membership::Member | Membership::Returning { .. }));
    let doubted = view.status.state == State::Comparing;
    beside && view.status.severity == Severity::Progress && (!view.status.serves() || doubted)
}
