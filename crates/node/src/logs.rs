//! The logs of a server: files that its programs write, in a folder into which they cannot put anything.

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

/// Makes the folder ours, and the user's those files that its program opens by itself. What is no plain file goes: an
/// earlier Cordée left the folder to the program.
pub fn prepare(path: &Path, names: &[&str], user: Option<User>) -> io::Result<()> {
    // Its group may pass through.
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

/// Whether this process's standard error is that very file.
pub fn is_own(path: &Path) -> bool {
    let (Ok(open), Ok(there)) = (rustix::fs::fstat(rustix::stdio::stderr()), std::fs::symlink_metadata(path))
    else {
        return false;
    };
    (open.st_dev, open.st_ino) == (there.dev(), there.ino())
}

/// Has this process write to that file from now on, which is made where it is not there.
pub fn open_own(path: &Path) -> io::Result<()> {
    let log = super::files::append(path)?;
    rustix::stdio::dup2_stdout(&log)?;
    Ok(rustix::stdio::dup2_stderr(&log)?)
}

/// The last `count` lines of a file, read from its end (at most 1 MiB of it), as text.
pub fn tail(path: &Path, count: usize) -> io::Result<Vec<String>> {
    Ok(tail_without(path, count, |_| false)?.0)
}

/// The same without some lines, and how many of those came since the first that is shown.
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

/// Keeps a log file bounded: past `most` bytes, its newer half is copied to `NAME.1` and the file emptied. Its
/// writer has it open for appending and goes on at the start; a rename would leave the writer on the old file.
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
    /// How many lines of our own questions are not among them.
    pub hidden: usize,
    /// Why it was not read.
    pub unread: Option<Text>,
}

/// The log files of a server, each cut to its last lines, without our own questions unless they are asked for.
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

/// What a server writes itself comes first. What the making of a database's folder said is of use only as long as that
/// database has said nothing.
fn in_turn(files: &mut Vec<LogFile>) {
    let own = |name: &str| apache::LOGS.iter().chain(&mariadb::LOGS).position(|log| *log == name);
    if files.iter().any(|f| mariadb::LOGS.contains(&f.name.as_str())) {
        files.retain(|f| f.name != mariadb::INSTALL);
    }
    files.sort_by_key(|f| own(&f.name).unwrap_or(usize::MAX));
}

/// What lies in a folder. One that cannot be read shows nothing, and is told.
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
