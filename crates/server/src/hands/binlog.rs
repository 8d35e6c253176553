//! MariaDB's binary log, read by MariaDB's own program.

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::paths::folder;

/// Saves a server's own transactions after number `after` of its domain into `file`, as text that a person can
/// read and MariaDB can run: each row event with its statement beside it.
///
/// A `file` that is there already is written anew: the server was closed all the while, so it says the same.
pub fn save(logs: &Path, domain: u32, after: u64, file: &Path) -> io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    if let Some(parent) = file.parent() {
        folder(parent, 0o700, None)?;
    }
    let draft = file.with_extension("new");
    let mut options = std::fs::OpenOptions::new();
    let output = options.write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    let mut child = Command::new("/usr/bin/mariadb-binlog")
        .arg("--no-defaults")
        .arg("--verbose")
        .arg("--verbose")
        // A start position of GTIDs gives what comes after it, in its domain only.
        .arg(format!("--start-position={domain}-{domain}-{after}"))
        .arg(format!("--do-domain-ids={domain}"))
        .args(files(logs)?)
        .env_clear()
        .env("TZ", "UTC")
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(Stdio::piped())
        .spawn()?;
    let mut said = String::new();
    if let Some(pipe) = child.stderr.take() {
        pipe.take(4_096).read_to_string(&mut said)?;
    }
    if !child.wait()?.success() {
        return Err(io::Error::other(said));
    }
    output.sync_all()?;
    std::fs::rename(&draft, file)
}

/// The log's files, oldest first.
fn files(logs: &Path) -> io::Result<Vec<PathBuf>> {
    let number = |path: &PathBuf| {
        let extension = path.extension()?.to_str()?;
        extension.bytes().all(|b| b.is_ascii_digit()).then(|| extension.to_owned())
    };
    let mut all = Vec::new();
    for entry in std::fs::read_dir(logs)? {
        let path = entry?.path();
        if let Some(number) = number(&path) {
            all.push((number, path));
        }
    }
    all.sort();
    Ok(all.into_iter().map(|(_, path)| path).collect())
}
