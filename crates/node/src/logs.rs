//! The logs of a server: files that its programs write, in a folder into which they cannot put anything.

use std::ffi::OsStr;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use rustix::fs::OFlags;
use rustix::process::geteuid;

use super::below::Folder;
use super::files::{folder, split};
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
