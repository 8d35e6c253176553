//! Generated passwords and keys: made once, stored in one file with mode 0600, never printed.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::files;
use crate::random;

/// All passwords and keys.
#[derive(Clone, Serialize, Deserialize)]
pub struct Secrets {
    /// The key of HAProxy's automatic cookies.
    pub cookie_key: String,
    /// The key that each line of HAProxy's log carries. In a cluster of an older version it is made later than the
    /// others.
    #[serde(default)]
    pub log_key: String,
    /// The password of the account by which Cordée runs the databases, on their sockets only.
    pub control: String,
    /// The password of the account by which the databases replicate from each other.
    pub replication: String,
    /// The password of the application's account, which reads and writes rows.
    pub app: String,
    /// The password of the account that may also alter the application's tables.
    pub owner: String,
    /// The password of the account for monitoring the databases. In a cluster of an older version it is made later
    /// than the others.
    #[serde(default)]
    pub monitor: String,
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets(…)")
    }
}

impl Secrets {
    /// Reads the file; makes it if it does not exist.
    pub fn load(path: &Path) -> std::io::Result<Self> {
        match files::plain_text(path) {
            Ok(text) => Self::whole(path, serde_json::from_str(&text).map_err(std::io::Error::from)?),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Self::make(path),
            Err(error) => Err(error),
        }
    }

    /// Adds the secrets that an older version did not have.
    fn whole(path: &Path, mut found: Self) -> std::io::Result<Self> {
        let mut lacked = false;
        for (missing, octets) in [(&mut found.log_key, LOG_KEY), (&mut found.monitor, PASSWORD)] {
            if missing.is_empty() {
                *missing = fresh(octets)?;
                lacked = true;
            }
        }
        if lacked {
            found.write(path)?;
        }
        Ok(found)
    }

    fn make(path: &Path) -> std::io::Result<Self> {
        let fresh = || fresh(PASSWORD);
        let secrets = Self {
            cookie_key: fresh()?,
            log_key: self::fresh(LOG_KEY)?,
            control: fresh()?,
            replication: fresh()?,
            app: fresh()?,
            owner: fresh()?,
            monitor: fresh()?,
        };
        secrets.write(path)?;
        Ok(secrets)
    }

    /// Makes a new key for the log, because another program may have read the old one.
    pub fn renew_log_key(&mut self, path: &Path) -> std::io::Result<()> {
        self.log_key = fresh(LOG_KEY)?;
        self.write(path)
    }

    fn write(&self, path: &Path) -> std::io::Result<()> {
        write_private(path, &serde_json::to_string_pretty(self).map_err(std::io::Error::from)?)
    }
}

/// The length of a password in octets.
const PASSWORD: usize = 24;
/// The length in octets of the key in each line of the log, which is sent with every request.
const LOG_KEY: usize = 16;

fn fresh(octets: usize) -> std::io::Result<String> {
    random::token(octets).ok_or_else(|| std::io::Error::other("no random bytes"))
}

/// Writes a file that only its owner may read, completely or not at all.
pub fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let temporary = path.with_extension("new");
    let mut file =
        std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&temporary, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_file_gets_what_it_lacks_and_keeps_the_rest() {
        let path = Path::new(env!("OUT_DIR")).join(format!("secrets-{}.json", std::process::id()));
        let _ = std::fs::remove_file(&path);
        let made = Secrets::load(&path).unwrap();
        let older = std::fs::read_to_string(&path)
            .unwrap()
            .replace("log_key", "unknown")
            .replace("monitor", "another");
        std::fs::write(&path, older).unwrap();
        let mut found = Secrets::load(&path).unwrap();
        assert_eq!((&found.cookie_key, &found.app), (&made.cookie_key, &made.app));
        assert!(found.log_key.len() == 2 * LOG_KEY && found.log_key != made.log_key);
        assert_eq!(Secrets::load(&path).unwrap().log_key, found.log_key, "it is kept");
        assert!(found.monitor.len() == 2 * PASSWORD && found.monitor != made.monitor);
        assert_eq!(Secrets::load(&path).unwrap().monitor, found.monitor, "it is kept");
        let heard = found.log_key.clone();
        found.renew_log_key(&path).unwrap();
        assert_ne!(Secrets::load(&path).unwrap().log_key, heard);
        assert_eq!(Secrets::load(&path).unwrap().app, made.app);
        std::fs::remove_file(&path).unwrap();
    }
}
