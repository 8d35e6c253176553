//! Generated passwords and keys: made once, in one 0600 file, never printed.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::random;

/// All of them.
#[derive(Clone, Serialize, Deserialize)]
pub struct Secrets {
    /// Key of HAProxy's automatic cookies.
    pub cookie_key: String,
    /// Account by which Cordée runs the databases, on their sockets only.
    pub control: String,
    /// Account by which the databases copy each other.
    pub replication: String,
    /// The application's account: reads and writes rows.
    pub app: String,
    /// The account that may also alter the application's tables.
    pub owner: String,
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets(…)")
    }
}

impl Secrets {
    /// Reads the file, or makes it.
    pub fn load(path: &Path) -> std::io::Result<Self> {
        match std::fs::read_to_string(path) {
            Ok(text) => serde_json::from_str(&text).map_err(std::io::Error::from),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Self::make(path),
            Err(error) => Err(error),
        }
    }

    fn make(path: &Path) -> std::io::Result<Self> {
        let fresh = || random::token(24).ok_or_else(|| std::io::Error::other("no random bytes"));
        let secrets = Self {
            cookie_key: fresh()?,
            control: fresh()?,
            replication: fresh()?,
            app: fresh()?,
            owner: fresh()?,
        };
        let text = serde_json::to_string_pretty(&secrets).map_err(std::io::Error::from)?;
        write_private(path, &text)?;
        Ok(secrets)
    }
}

/// Writes a file that only its owner may read, complete or not at all.
pub fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let temporary = path.with_extension("new");
    let mut file =
        std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&temporary, path)
}
