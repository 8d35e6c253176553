//! What HAProxy's files are written with, and the names in them.

use std::net::Ipv4Addr;
use std::path::PathBuf;

/// What the file needs that is not a wish: decided once, when the cluster is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Runtime socket of HAProxy `web`.
    pub web_socket: PathBuf,
    /// Runtime socket of HAProxy `db`.
    pub db_socket: PathBuf,
    /// The map file that holds the session mode.
    pub session_map: PathBuf,
    /// Secret from which automatic cookies are derived (manual 2.6, `dynamic-cookie-key`).
    pub cookie_key: String,
    /// Secret that each line of HAProxy's log carries.
    pub log_key: String,
}

impl Setting {
    /// What is to be masked wherever a file is shown.
    pub fn secrets(&self) -> [&str; 2] {
        [&self.cookie_key, &self.log_key]
    }
}

/// The name of HAProxy's stickiness cookie.
pub const COOKIE: &str = "SERVEUR";

/// The backend that always leads to the one writer.
pub const WRITER_BACKEND: &str = "db_writer";

/// The server at which connections to the databases wait while none is in service. The dot keeps it from being the name
/// of a server of ours.
pub const NOBODY: &str = "no.database";

/// Its address; it has no port.
pub const NOBODY_AT: Ipv4Addr = Ipv4Addr::LOCALHOST;

/// Its number, the highest that HAProxy takes. Ours are counted from 1: one that HAProxy chose would be the next of
/// ours.
pub const NOBODY_ID: u32 = i32::MAX as u32;
