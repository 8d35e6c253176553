//! Files: complete or not at all.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, chown};
use std::path::Path;

use crate::paths::User;

/// Replaces a file: a new one beside it, flushed, then renamed over it, and the folder flushed.
pub fn replace(path: &Path, text: &str, mode: u32, owner: Option<User>) -> io::Result<()> {
    let temporary = path.with_extension("new");
    write(&temporary, text, mode, owner)?;
    std::fs::rename(&temporary, path)?;
    match path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

/// Writes a file with a mode, for the user whose program reads it.
pub fn write(path: &Path, text: &str, mode: u32, owner: Option<User>) -> io::Result<()> {
    // A leftover of a crash may have another mode or owner.
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    if let Some(user) = owner {
        chown(path, Some(user.uid), Some(user.gid))?;
    }
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// The last `count` lines of a file, read from its end (at most 1 MiB of it), as text.
pub fn tail(path: &Path, count: usize) -> io::Result<Vec<String>> {
    const MOST: u64 = 1 << 20;
    let mut file = File::open(path)?;
    let size = file.metadata()?.len();
    file.seek(SeekFrom::Start(size.saturating_sub(MOST)))?;
    let mut bytes = Vec::new();
    file.take(MOST).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().collect();
    Ok(lines[lines.len().saturating_sub(count)..].iter().map(|l| (*l).to_owned()).collect())
}

/// Keeps a log file bounded: past `most` bytes, its newer half is copied to `NAME.1` and the file emptied. Its
/// writer has it open for appending and goes on at the start; a rename would leave the writer on the old file.
pub fn bound(path: &Path, most: u64) -> io::Result<()> {
    let size = match std::fs::metadata(path) {
        Ok(meta) => meta.len(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    if size <= most {
        return Ok(());
    }
    let mut file = std::fs::OpenOptions::new().read(true).write(true).open(path)?;
    file.seek(SeekFrom::Start(size.saturating_sub(most)))?;
    let mut kept = Vec::new();
    (&mut file).take(most).read_to_end(&mut kept)?;
    let mut older = path.as_os_str().to_owned();
    older.push(".1");
    std::fs::write(older, kept)?;
    file.set_len(0)
}

/// The size of a file or of everything under a folder.
pub fn size(path: &Path) -> u64 {
    let Ok(meta) = std::fs::symlink_metadata(path) else { return 0 };
    if !meta.is_dir() {
        return meta.len();
    }
    std::fs::read_dir(path).into_iter().flatten().flatten().map(|e| size(&e.path())).sum()
}

/// Bytes free for us on the file system of a folder.
pub fn free(folder: &Path) -> io::Result<u64> {
    let stat = rustix::fs::statvfs(folder)?;
    Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    /// A folder of the test's own, under the build's.
    fn folder(name: &str) -> PathBuf {
        let folder = PathBuf::from(env!("OUT_DIR")).join(format!("files-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn a_writer_goes_on_in_a_log_that_was_cut() {
        let log = folder("bound").join("a.log");
        let mut writer = std::fs::OpenOptions::new().create(true).append(true).open(&log).unwrap();
        writer.write_all(&[b'a'; 600]).unwrap();
        bound(&log, 1_000).unwrap();
        assert_eq!(std::fs::metadata(&log).unwrap().len(), 600, "below the bound nothing happens");
        writer.write_all(&[b'b'; 600]).unwrap();
        bound(&log, 1_000).unwrap();
        writer.write_all(b"after").unwrap();
        assert_eq!(std::fs::read(&log).unwrap(), b"after");
        let older = std::fs::read(log.with_extension("log.1")).unwrap();
        assert_eq!((older.len(), older.last()), (1_000, Some(&b'b')));
    }

    #[test]
    fn the_tail_is_the_last_lines_and_never_more() {
        let log = folder("tail").join("a.log");
        std::fs::write(&log, "1\n2\n3\n").unwrap();
        assert_eq!(tail(&log, 2).unwrap(), ["2", "3"]);
        assert_eq!(tail(&log, 9).unwrap(), ["1", "2", "3"]);
        std::fs::write(&log, b"\xff\n").unwrap();
        assert_eq!(tail(&log, 9).unwrap(), ["\u{fffd}"]);
    }

    #[test]
    fn a_replaced_file_is_private_and_whole() {
        use std::os::unix::fs::PermissionsExt as _;
        let file = folder("replace").join("a.cfg");
        replace(&file, "one", 0o600, None).unwrap();
        replace(&file, "two", 0o600, None).unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "two");
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
