//! Servers: a server to add, a connection test, logs, and how a database would join.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::view::ServerJson;
use crate::wishes::WishState;
use crate::words::{Name, PortFigure, SideWord};

/// A server to add.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewServerJson {
    /// `[A-Za-z][A-Za-z0-9_-]{0,62}`, unique across both pools, ignoring case.
    #[schema(value_type = Name)]
    pub name: String,
    /// IP address or host name, never empty; may be absent with `start`.
    pub address: Option<String>,
    /// TCP port, as a number or as a string of digits, never empty; if absent, 80, or a free port with `start`.
    #[schema(value_type = Option<PortFigure>)]
    pub port: Option<u16>,
    /// Value of the stickiness cookie, never empty; if absent, automatic.
    pub cookie: Option<String>,
    /// Start a new server on this machine instead of watching an existing one.
    pub start: Option<bool>,
    /// The web server gets no visitors, and is not checked, before it is put in service (`ready`).
    pub maintenance: Option<bool>,
    /// For an existing database: the account with which Cordée manages it.
    pub user: Option<String>,
    /// Its password. It is stored encrypted, and never shown.
    pub password: Option<String>,
}

/// The server as it was added, on its way into service.
#[derive(Debug, Serialize, ToSchema)]
pub struct Added {
    /// The revision of the wish.
    pub revision: u64,
    /// The server.
    pub server: ServerJson,
    /// How far the request is, if the caller asked to wait (`?wait=30s`): `real`, `under_way` or `failed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<WishState>,
    /// What it waits for, or why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// The result of a connection test.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct TestJson {
    /// Whether every step succeeded.
    pub passed: bool,
    /// The steps in order. The test ends with the first step that fails.
    pub steps: Vec<TestStepJson>,
}

/// One step of a connection test.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct TestStepJson {
    /// What was tried.
    pub name: String,
    /// Whether it worked.
    pub ok: bool,
    /// How long it took.
    pub ms: u64,
    /// What was found.
    pub says: String,
}

/// The last lines of a server's log files.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct LogsJson {
    /// One entry per file.
    pub files: Vec<LogJson>,
}

/// The last lines of one log file.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct LogJson {
    /// The file's name.
    pub name: String,
    /// Its last lines, oldest first, as they stand in the file.
    pub lines: Vec<String>,
    /// How many lines about health checks and about Cordée's own requests were left out among them.
    #[serde(default)]
    pub hidden: usize,
    /// Why the file could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unread: Option<String>,
}

/// How a new database would get its data.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct JoinJson {
    /// The donor: a standby if there is one.
    pub donor: String,
    /// Whether the donor is the writer.
    pub from_writer: bool,
    /// Bytes to copy.
    pub bytes: u64,
    /// Tables of the application.
    pub tables: u64,
    /// Some of the tables without a primary key: a copy contains them, but no comparison can prove them.
    #[serde(default)]
    pub keyless: Vec<String>,
    /// Some of the tables that are kept in memory: a copy contains none of their rows.
    #[serde(default)]
    pub memory: Vec<String>,
    /// Some of the broken views, which a copy through SQL statements contains unchanged.
    #[serde(default)]
    pub broken_views: Vec<String>,
    /// Some of the tables with another engine than `InnoDB`, which such a copy reads at another moment than the
    /// others.
    #[serde(default)]
    pub apart: Vec<String>,
    /// Some of the scheduled events, which such a copy contains but keeps from running.
    #[serde(default)]
    pub events: Vec<String>,
    /// The warnings about all of these, and about everything else that the copy treats differently, one sentence each.
    #[serde(default)]
    pub warnings: Vec<String>,
    /// Its slot in the auto-increment sequence, 1 to 9.
    pub slot: u8,
    /// Its `server_id` and GTID domain, never used before.
    pub id: u32,
}

/// Whose rows are right.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RepairJson {
    /// `writer`: the writer's; `this`: this database's, wherever they differ.
    pub take: SideWord,
}
