//! The settings with which HAProxy's files are written, and the names in them.

use std::net::Ipv4Addr;
use std::path::PathBuf;

/// What the file needs besides the wish. It is decided once, when the cluster is created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Runtime socket of HAProxy `web`.
    pub web_socket: PathBuf,
    /// Runtime socket of HAProxy `db`.
    pub db_socket: PathBuf,
    /// The map file that holds the session mode.
    pub session_map: PathBuf,
    /// The secret from which automatic cookies are derived (manual 2.6, `dynamic-cookie-key`).
    pub cookie_key: String,
    /// The secret that every line of HAProxy's log carries.
    pub log_key: String,
}

impl Setting {
    /// Returns the secrets that must be masked wherever a file is shown.
    pub fn secrets(&self) -> [&str; 2] {
        [&self.cookie_key, &self.log_key]
    }
}

/// The name of HAProxy's stickiness cookie.
pub const COOKIE: &str = "SERVEUR";

/// The backend that always leads to the one writer.
pub const WRITER_BACKEND: &str = "db_writer";

/// The name of the server at which connections to the databases wait while no database is in service. Because of the
/// dot it cannot be the name of one of the cluster's servers.
pub const NOBODY: &str = "no.database";

/// The address of that server; it has no port.
pub const NOBODY_AT: Ipv4Addr = Ipv4Addr::LOCALHOST;

/// The id of that server, the highest that HAProxy accepts. The cluster's ids count up from 1: an id that HAProxy
/// assigned itself would be the next one of the cluster.
pub const NOBODY_ID: u32 = i32::MAX as u32;
