//! Files: written completely or not at all, and never through a symbolic link.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use rustix::io::Errno;

use super::below::Folder;
use crate::users::User;

/// Opens the folder of a path, and returns it with the file's name.
pub(super) fn split(path: &Path) -> io::Result<(Folder, &OsStr)> {
    let (folder, name) = names(path)?;
    Ok((Folder::open(folder)?, name))
}

fn names(path: &Path) -> io::Result<(&Path, &OsStr)> {
    path.parent().zip(path.file_name()).ok_or_else(|| io::ErrorKind::InvalidInput.into())
}

/// Makes a folder and sets its mode and owner; without `owner` it becomes ours.
pub fn folder(path: &Path, mode: u32, owner: Option<User>) -> io::Result<()> {
    make(path)?.give(mode, owner)
}

fn make(path: &Path) -> io::Result<Folder> {
    match Folder::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let (parent, name) = names(path)?;
            make(parent)?.make(name)
        }
        opened => opened,
    }
}

/// Returns the path under which the new text of a file is written until it is complete.
pub fn draft(path: &Path) -> PathBuf {
    path.with_extension("new")
}

/// Replaces a file: writes and flushes a new file beside it, renames that over it, and flushes the folder.
pub fn replace(path: &Path, text: impl AsRef<[u8]>, mode: u32, owner: Option<User>) -> io::Result<()> {
    let temporary = draft(path);
    write(&temporary, text, mode, owner)?;
    let (folder, name) = split(path)?;
    folder.rename(names(&temporary)?.1, name)?;
    folder.sync()
}

/// Does the same for a file of ours about running processes. It is not flushed, so that no caller waits for the
/// disk: if the machine goes down, the processes go with it.
pub fn replace_unflushed(path: &Path, text: impl AsRef<[u8]>, mode: u32) -> io::Result<()> {
    let temporary = draft(path);
    let ((folder, name), draft) = (split(path)?, names(&temporary)?.1);
    folder.remove(draft)?;
    folder.create(draft, mode, None)?.write_all(text.as_ref())?;
    folder.rename(draft, name)
}

/// Writes a file with a mode, for the user whose program reads it.
pub fn write(path: &Path, text: impl AsRef<[u8]>, mode: u32, owner: Option<User>) -> io::Result<()> {
    let (folder, name) = split(path)?;
    // A leftover of a crash may have another mode or owner, and may be of any type.
    folder.remove(name)?;
    let mut file = folder.create(name, mode, owner)?;
    file.write_all(text.as_ref())?;
    file.sync_all()
}

/// The most that is read of a text. A longer text is not ours; its beginning differs from the expected text, and
/// callers only need that.
const MOST_TEXT: u64 = 16 << 20;

/// Returns a file's text; `None` if there is no such file. Invalid UTF-8 is replaced: such a file is not ours, and
/// only has to differ.
pub fn text(path: &Path) -> io::Result<Option<String>> {
    match read(path, MOST_TEXT) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Opens a plain file for reading, in a folder where no other user may write. Anything else, a link or a pipe, is
/// refused without waiting.
pub fn plain(path: &Path) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = File::options().read(true).custom_flags(flags.bits().cast_signed()).open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(no_file()) }
}

/// Returns the error for opening anything but a plain file.
pub fn no_file() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "not a plain file")
}

/// Reports whether nothing is there, as far as that can be told.
pub fn is_gone(path: &Path) -> bool {
    matches!(path.try_exists(), Ok(false))
}

/// Reports whether the error says that the entry exists and is not a plain file.
pub fn is_no_file(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::InvalidInput || error.raw_os_error() == Some(Errno::LOOP.raw_os_error())
}

/// Returns the text of a plain file in a folder where no other user may write.
pub fn plain_text(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    plain(path)?.take(MOST_TEXT).read_to_string(&mut text)?;
    Ok(text)
}

/// Reports whether there is a folder. Fails if that cannot be told.
pub fn is_folder(path: &Path) -> io::Result<bool> {
    match std::fs::metadata(path) {
        Ok(meta) => Ok(meta.is_dir()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Closes a file of ours to all other users. A missing file is no error.
pub fn close(path: &Path) -> io::Result<()> {
    let (folder, name) = split(path)?;
    match folder.hand_over(name, 0o600, None) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        closed => closed,
    }
}

/// Opens a file of ours for appending; creates it if it does not exist.
pub fn append(path: &Path) -> io::Result<File> {
    let (folder, name) = split(path)?;
    match folder.file(name, OFlags::WRONLY | OFlags::APPEND) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => folder.create(name, 0o640, None),
        opened => opened,
    }
}

/// Reads at most `most` bytes of a file.
pub fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let (folder, name) = split(path)?;
    let mut bytes = Vec::new();
    folder.file(name, OFlags::RDONLY)?.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Returns the entries of a folder, sorted. A missing folder has none.
pub fn entries(path: &Path) -> io::Result<Vec<PathBuf>> {
    match Folder::open(path) {
        Ok(folder) => Ok(folder.names()?.iter().map(|name| path.join(name)).collect()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// Removes a file, a link itself, or a folder with everything in it. A missing entry is no error.
pub fn remove(path: &Path) -> io::Result<()> {
    match split(path) {
        Ok((folder, name)) => folder.remove(name),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// Returns the size of a file or of everything under a folder, in bytes. A missing entry counts as 0.
pub fn size(path: &Path) -> io::Result<u64> {
    match split(path) {
        Ok((folder, name)) => folder.size(name),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(error),
    }
}

/// Returns how many bytes are free for us on the file system of a folder.
pub fn free(folder: &Path) -> io::Result<u64> {
    let stat = rustix::fs::statvfs(folder)?;
    Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
}
