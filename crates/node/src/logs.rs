//! The logs of a server: its programs write the files, but cannot put anything into the folder.

use std::ffi::OsStr;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use cordee_domain::apache;
use cordee_domain::db::mariadb;
use cordee_domain::text::Text;
use rustix::fs::OFlags;
use rustix::process::geteuid;
use serde::{Deserialize, Serialize};

use crate::below::Folder;
use crate::files::{self, folder, split};
use crate::trouble;
use crate::users::User;

/// Makes the folder ours, and gives the user the files that its program opens by itself. Entries that are no plain
/// files are removed: an earlier Cordée let the program own the folder.
pub fn prepare(path: &Path, names: &[&str], user: Option<User>) -> io::Result<()> {
    // The folder's group may enter it.
    let ours = user.map(|u| User { uid: geteuid().as_raw(), gid: u.gid });
    folder(path, 0o750, ours)?;
    let logs = Folder::open(path)?;
    for name in logs.names()? {
        if !logs.has_plain(&name)? {
            tracing::warn!(folder = %path.display(), name = %name.display(), "this is no log: removed");
            logs.remove(&name)?;
        }
    }
    for name in names.iter().map(OsStr::new) {
        if logs.has_plain(name)? {
            logs.hand_over(name, 0o640, user)?;
        } else {
            logs.create(name, 0o640, user)?;
        }
    }
    Ok(())
}

/// Reports whether this process's standard error is that file.
pub fn is_own(path: &Path) -> bool {
    let (Ok(open), Ok(there)) = (rustix::fs::fstat(rustix::stdio::stderr()), std::fs::symlink_metadata(path))
    else {
        return false;
    };
    (open.st_dev, open.st_ino) == (there.dev(), there.ino())
}

/// Redirects this process's output to that file, which is created if it does not exist.
pub fn open_own(path: &Path) -> io::Result<()> {
    let log = super::files::append(path)?;
    rustix::stdio::dup2_stdout(&log)?;
    Ok(rustix::stdio::dup2_stderr(&log)?)
}

/// Returns the last `count` lines of a file as text. At most its last 1 MiB is read.
pub fn tail(path: &Path, count: usize) -> io::Result<Vec<String>> {
    Ok(tail_without(path, count, |_| false)?.0)
}

/// Returns the same without the lines that `leave` selects, and how many of those came after the first returned
/// line.
pub fn tail_without(path: &Path, count: usize, leave: fn(&str) -> bool) -> io::Result<(Vec<String>, usize)> {
    const MOST: u64 = 1 << 20;
    let (folder, name) = split(path)?;
    let mut file = folder.file(name, OFlags::RDONLY)?;
    let size = file.metadata()?.len();
    file.seek(SeekFrom::Start(size.saturating_sub(MOST)))?;
    let mut bytes = Vec::new();
    file.take(MOST).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let (mut lines, mut left) = (Vec::new(), 0);
    let mut newest = text.lines().rev();
    while lines.len() < count
        && let Some(line) = newest.next()
    {
        if leave(line) {
            left += 1;
        } else {
            lines.push(line.to_owned());
        }
    }
    lines.reverse();
    Ok((lines, left))
}

/// Keeps a log file bounded: above `most` bytes, its last `most` bytes are copied to `NAME.1` and the file is
/// emptied. The program has the file open for appending and continues at the start; after a rename it would go on
/// writing to the old file.
pub fn bound(path: &Path, most: u64) -> io::Result<()> {
    let (folder, name) = split(path)?;
    let mut file = match folder.file(name, OFlags::RDWR) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        opened => opened?,
    };
    let size = file.metadata()?.len();
    if size <= most {
        return Ok(());
    }
    file.seek(SeekFrom::Start(size.saturating_sub(most)))?;
    let mut kept = Vec::new();
    (&mut file).take(most).read_to_end(&mut kept)?;
    let mut older = name.to_owned();
    older.push(".1");
    folder.remove(&older)?;
    folder.create(&older, 0o640, None)?.write_all(&kept)?;
    file.set_len(0)
}

/// The end of one log file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogFile {
    /// The file's name, without folder.
    pub name: String,
    /// Its last lines, oldest first.
    pub lines: Vec<String>,
    /// How many lines of Cordée's own questions were left out.
    pub hidden: usize,
    /// Why the file could not be read.
    pub unread: Option<Text>,
}

/// Returns the log files of a server, each cut to its last lines, and without Cordée's own questions unless
/// `checks` is set.
pub fn last_lines(folder: &Path, lines: usize, checks: bool) -> Vec<LogFile> {
    let mut files: Vec<LogFile> = entries(folder)
        .iter()
        .filter(|p| p.extension().is_some_and(|e| e == "log"))
        .filter_map(|path| {
            let name = path.file_name()?.to_str()?.to_owned();
            let hides: fn(&str) -> bool =
                if !checks && name == apache::LOGS[0] { apache::is_check } else { |_| false };
            let (lines, hidden, unread) = match tail_without(path, lines, hides) {
                Ok((lines, hidden)) => (lines, hidden, None),
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "reading a log");
                    (Vec::new(), 0, Some(trouble::words(&error)))
                }
            };
            Some(LogFile { name, lines, hidden, unread })
        })
        .filter(|file| !file.lines.is_empty() || file.hidden > 0 || file.unread.is_some())
        .collect();
    in_turn(&mut files);
    files
}

/// Sorts the logs that the server itself writes to the front. The log of mariadb-install-db is shown only while the
/// database has written none.
fn in_turn(files: &mut Vec<LogFile>) {
    let own = |name: &str| apache::LOGS.iter().chain(&mariadb::LOGS).position(|log| *log == name);
    if files.iter().any(|f| mariadb::LOGS.contains(&f.name.as_str())) {
        files.retain(|f| f.name != mariadb::INSTALL);
    }
    files.sort_by_key(|f| own(&f.name).unwrap_or(usize::MAX));
}

/// Returns the entries of a folder. A folder that cannot be read counts as empty, and is logged.
pub fn entries(folder: &Path) -> Vec<PathBuf> {
    files::entries(folder).unwrap_or_else(|error| {
        tracing::warn!(path = %folder.display(), error = &error as &dyn std::error::Error, "looking");
        Vec::new()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_s_own_log_comes_first_and_how_its_folder_was_made_only_while_there_is_no_other() {
        let turn = |names: &[&str]| {
            let file = |name: &&str| LogFile {
                name: (*name).to_owned(),
                lines: vec!["x".to_owned()],
                hidden: 0,
                unread: None,
            };
            let mut files: Vec<LogFile> = names.iter().map(file).collect();
            in_turn(&mut files);
            files.into_iter().map(|f| f.name).collect::<Vec<_>>()
        };
        assert_eq!(turn(&["install.log", "mariadb.log", "another.log"]), ["mariadb.log", "another.log"]);
        assert_eq!(turn(&["install.log"]), ["install.log"]);
        let web = ["a.log", "access.log", "error.log", "php.log"];
        assert_eq!(turn(&web), ["access.log", "error.log", "php.log", "a.log"]);
    }
}
