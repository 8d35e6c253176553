//! Servers: one to add, a connection test, logs, how a database would join.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::view::ServerJson;
use crate::wishes::WishState;
use crate::words::{Name, PortFigure, SideWord};

/// A server to add.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewServerJson {
    /// `[A-Za-z][A-Za-z0-9_-]{0,62}`, unique in both pools without regard to case.
    #[schema(value_type = Name)]
    pub name: String,
    /// IP address or host name, never empty; may be absent with `start`.
    pub address: Option<String>,
    /// TCP port, a number or its digits as a string, never an empty one; absent: 80, or with `start` a free one.
    #[schema(value_type = Option<PortFigure>)]
    pub port: Option<u16>,
    /// Value of the stickiness cookie, never empty; absent: automatic.
    pub cookie: Option<String>,
    /// Start a new server on this machine instead of watching one that exists.
    pub start: Option<bool>,
    /// A web server gets no visitor, and is not checked, before it is put in service (`ready`).
    pub maintenance: Option<bool>,
    /// For a database that exists already: the account by which Cordée runs it.
    pub user: Option<String>,
    /// Its password. It is kept encrypted, and shown nowhere.
    pub password: Option<String>,
}

/// The server as it was added, on its way into service.
#[derive(Debug, Serialize, ToSchema)]
pub struct Added {
    /// Revision of the wish.
    pub revision: u64,
    /// The server.
    pub server: ServerJson,
    /// How far it is, for one who asked to wait (`?wait=30s`): `real`, `under_way` or `failed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<WishState>,
    /// What it waits for, or why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// What a connection test found.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct TestJson {
    /// Whether every step succeeded.
    pub passed: bool,
    /// In order; the first failure is the last step.
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

/// The ends of a server's log files.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct LogsJson {
    /// One entry per file.
    pub files: Vec<LogJson>,
}

/// The end of one log file.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct LogJson {
    /// The file's name.
    pub name: String,
    /// Its last lines, oldest first: as they stand in the file.
    pub lines: Vec<String>,
    /// How many lines of health checks and of Cordée's own questions were left out among them.
    #[serde(default)]
    pub hidden: usize,
    /// Why it was not read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unread: Option<String>,
}

/// How a new database would get its data.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct JoinJson {
    /// The database that would be copied: a standby when there is one.
    pub donor: String,
    /// Whether that is the writer.
    pub from_writer: bool,
    /// Bytes to copy.
    pub bytes: u64,
    /// Tables of the application.
    pub tables: u64,
    /// Some of those without a primary key: a copy carries them, but no comparison can prove them.
    #[serde(default)]
    pub keyless: Vec<String>,
    /// Some of those in memory: a copy has none of their rows.
    #[serde(default)]
    pub memory: Vec<String>,
    /// Some of the broken views, which a copy through statements carries as they are.
    #[serde(default)]
    pub broken_views: Vec<String>,
    /// Some of the tables of another engine than `InnoDB`, which such a copy reads at another moment than the rest.
    #[serde(default)]
    pub apart: Vec<String>,
    /// Some of the scheduled events, which such a copy carries and keeps from running.
    #[serde(default)]
    pub events: Vec<String>,
    /// What is to be said of all of these, and of everything that the copy carries otherwise than the rest, one
    /// sentence each.
    #[serde(default)]
    pub warnings: Vec<String>,
    /// Its place in the auto-increment sequence, 1 to 9.
    pub slot: u8,
    /// Its `server_id` and GTID domain, never used before.
    pub id: u32,
}

/// Whose rows are right.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RepairJson {
    /// `writer`: the writer's; `this`: this database's, where they differ.
    pub take: SideWord,
}
