//! A folder and its entries, reached by file descriptors.
//!
//! No part of a path may be a symbolic link. A file is opened only if it is a plain file with one hard link that
//! belongs to the owner of its folder, or to us. So nothing that another user puts into a folder of theirs, before
//! or during an operation, leads us out of that folder.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Dir, FileType, Gid, Mode, OFlags, RenameFlags, ResolveFlags, Stat, Uid};
use rustix::fs::{fchmod, fchown, fstat, mkdirat, openat2, renameat, renameat_with, statat, unlinkat};
use rustix::io::Errno;
use rustix::process::geteuid;

use crate::users::User;

/// How many folders are open at once while a folder is measured.
const MOST_OPEN: usize = 64;

/// An open folder.
#[derive(Debug)]
pub struct Folder {
    fd: OwnedFd,
}

const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
/// A FIFO without a peer is opened at once, or refused; a terminal does not become our controlling terminal.
const FILE: OFlags = OFlags::NONBLOCK.union(OFlags::NOCTTY).union(OFlags::CLOEXEC);
const NO_LINK: ResolveFlags = ResolveFlags::NO_SYMLINKS.union(ResolveFlags::NO_MAGICLINKS);
const BENEATH: ResolveFlags = NO_LINK.union(ResolveFlags::BENEATH).union(ResolveFlags::NO_XDEV);

impl Folder {
    /// Opens a folder by its path. No part of the path may be a link.
    pub fn open(path: &Path) -> io::Result<Self> {
        Ok(Self { fd: openat2(CWD, path, FOLDER, Mode::empty(), NO_LINK)? })
    }

    /// Opens a subfolder.
    pub fn inside(&self, name: &OsStr) -> io::Result<Self> {
        Ok(Self { fd: openat2(&self.fd, name, FOLDER, Mode::empty(), BENEATH)? })
    }

    /// Opens a subfolder; creates it when it does not exist.
    pub fn make(&self, name: &OsStr) -> io::Result<Self> {
        match mkdirat(&self.fd, name, Mode::from_raw_mode(0o755)) {
            Ok(()) | Err(Errno::EXIST) => self.inside(name),
            Err(error) => Err(error.into()),
        }
    }

    /// Sets mode and owner of the folder itself. Without `owner` it becomes ours and keeps its group.
    pub fn give(&self, mode: u32, owner: Option<User>) -> io::Result<()> {
        give(&self.fd, mode, owner)
    }

    /// Returns the names of the entries, sorted.
    pub fn names(&self) -> io::Result<Vec<OsString>> {
        let mut all = Vec::new();
        for entry in Dir::read_from(&self.fd)? {
            let entry = entry?;
            let name = OsStr::from_bytes(entry.file_name().to_bytes());
            if name != "." && name != ".." {
                all.push(name.to_owned());
            }
        }
        all.sort();
        Ok(all)
    }

    /// Opens a plain file in this folder. Refuses anything else, a file with a second hard link, and a file of a
    /// third user.
    pub fn file(&self, name: &OsStr, flags: OFlags) -> io::Result<File> {
        let fd = openat2(&self.fd, name, flags | FILE, Mode::empty(), BENEATH)?;
        let (found, folder) = (fstat(&fd)?, fstat(&self.fd)?);
        if plain(&found) && (closed(&folder) || found.st_uid == folder.st_uid || found.st_uid == us()) {
            return Ok(File::from(fd));
        }
        Err(io::Error::new(io::ErrorKind::InvalidInput, "not a plain file of its folder's owner"))
    }

    /// Creates a file; fails when it exists.
    pub fn create(&self, name: &OsStr, mode: u32, owner: Option<User>) -> io::Result<File> {
        let flags = OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE | OFlags::EXCL | FILE;
        let fd = openat2(&self.fd, name, flags, Mode::from_raw_mode(mode & 0o700), BENEATH)?;
        give(&fd, mode, owner)?;
        Ok(File::from(fd))
    }

    /// Sets mode and owner of a plain file in this folder; without `owner` it becomes ours.
    pub fn hand_over(&self, name: &OsStr, mode: u32, owner: Option<User>) -> io::Result<()> {
        give(&self.file(name, OFlags::RDONLY)?, mode, owner)
    }

    /// Reports whether the entry is a regular file, whatever other names it has.
    pub fn is_file(&self, name: &OsStr) -> io::Result<bool> {
        Ok(kind(&statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW)?) == FileType::RegularFile)
    }

    /// Reports whether the entry is a plain file with one hard link.
    pub fn has_plain(&self, name: &OsStr) -> io::Result<bool> {
        match statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(found) => Ok(plain(&found)),
            Err(Errno::NOENT) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Renames an entry within this folder.
    pub fn rename(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        Ok(renameat(&self.fd, from, &self.fd, to)?)
    }

    /// Flushes the folder's entries to the disk.
    pub fn sync(&self) -> io::Result<()> {
        Ok(rustix::fs::fsync(&self.fd)?)
    }

    /// Returns the bytes that an entry takes, with everything in it and the folders themselves. An entry that
    /// vanishes meanwhile counts as 0.
    ///
    /// A folder stays open only while one of its subfolders is still to be measured, so a deep tree keeps few
    /// folders open at once. If a tree would keep more open than `MOST_OPEN`, the rest is left out: such a tree was
    /// made to cause trouble.
    pub fn size(&self, name: &OsStr) -> io::Result<u64> {
        let mut sum = self.own_size(name)?;
        let mut left: Vec<(Self, Vec<OsString>)> = Vec::new();
        let mut next = self.folder_of(name)?;
        loop {
            if let Some(folder) = next.take() {
                let mut folders = Vec::new();
                for name in folder.names()? {
                    sum += folder.own_size(&name)?;
                    if folder.is_folder(&name)? {
                        folders.push(name);
                    }
                }
                if left.len() < MOST_OPEN {
                    left.push((folder, folders));
                }
            }
            let Some((folder, mut folders)) = left.pop() else { return Ok(sum) };
            if let Some(name) = folders.pop() {
                next = folder.folder_of(&name)?;
                if !folders.is_empty() {
                    left.push((folder, folders));
                }
            }
        }
    }

    /// Returns the bytes that the entry itself takes.
    fn own_size(&self, name: &OsStr) -> io::Result<u64> {
        let found = match statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(found) => found,
            Err(Errno::NOENT) => return Ok(0),
            Err(error) => return Err(error.into()),
        };
        let taken = if kind(&found) == FileType::Directory { found.st_blocks * 512 } else { found.st_size };
        Ok(u64::try_from(taken).unwrap_or(0))
    }

    fn is_folder(&self, name: &OsStr) -> io::Result<bool> {
        match statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(found) => Ok(kind(&found) == FileType::Directory),
            Err(Errno::NOENT) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Opens the folder of that name; `None` if the entry is something else by now, or gone.
    fn folder_of(&self, name: &OsStr) -> io::Result<Option<Self>> {
        match self.inside(name) {
            Ok(folder) => Ok(Some(folder)),
            Err(error) if swapped(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Removes an entry: a file, a link itself, or a folder with everything in it. An entry that is gone is no
    /// error.
    pub fn remove(&self, name: &OsStr) -> io::Result<()> {
        match unlinkat(&self.fd, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => return Ok(()),
            Err(Errno::ISDIR) => {}
            Err(error) => return Err(error.into()),
        }
        // Without `BENEATH`: another file system may be mounted here.
        let folder = Self { fd: openat2(&self.fd, name, FOLDER | OFlags::NOFOLLOW, Mode::empty(), NO_LINK)? };
        folder.empty()?;
        Ok(unlinkat(&self.fd, name, AtFlags::REMOVEDIR)?)
    }

    /// Removes everything in this folder. Subfolders of subfolders are first moved up into this folder, so neither
    /// descriptors nor the stack limit the depth. Each folder is closed to all other users before it is read.
    fn empty(&self) -> io::Result<()> {
        self.give(0o700, None)?;
        let mut folders = self.unlink_files()?;
        let mut number = 0_u64;
        while let Some(name) = folders.pop() {
            let folder = self.inside(&name)?;
            folder.give(0o700, None)?;
            for deeper in folder.unlink_files()? {
                folders.push(self.move_up(&folder, &deeper, &mut number)?);
            }
            unlinkat(&self.fd, &name, AtFlags::REMOVEDIR)?;
        }
        Ok(())
    }

    /// Removes all entries but folders, and returns the folders' names.
    fn unlink_files(&self) -> io::Result<Vec<OsString>> {
        let mut folders = Vec::new();
        for name in self.names()? {
            match unlinkat(&self.fd, &name, AtFlags::empty()) {
                Ok(()) | Err(Errno::NOENT) => {}
                Err(Errno::ISDIR) => folders.push(name),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(folders)
    }

    /// Moves an entry of `from` into this folder, under an unused name.
    fn move_up(&self, from: &Self, name: &OsStr, number: &mut u64) -> io::Result<OsString> {
        loop {
            let new = OsString::from(format!("going.{number}"));
            *number += 1;
            match renameat_with(&from.fd, name, &self.fd, &new, RenameFlags::NOREPLACE) {
                Ok(()) => return Ok(new),
                Err(Errno::EXIST) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// Reports whether the error says that something else stands where a folder was.
fn swapped(error: &io::Error) -> bool {
    matches!(Errno::from_io_error(error), Some(Errno::NOENT | Errno::NOTDIR | Errno::LOOP))
}

fn us() -> u32 {
    geteuid().as_raw()
}

fn kind(found: &Stat) -> FileType {
    FileType::from_raw_mode(found.st_mode)
}

/// Reports whether it is a plain file with one hard link: a second link could be any user's.
fn plain(found: &Stat) -> bool {
    kind(found) == FileType::RegularFile && found.st_nlink == 1
}

/// Reports whether no other user can put anything into the folder.
fn closed(folder: &Stat) -> bool {
    folder.st_uid == us() && folder.st_mode & 0o022 == 0
}

/// Sets owner and mode of an open file or folder. Without `owner` it becomes ours and keeps its group.
fn give(fd: impl AsFd, mode: u32, owner: Option<User>) -> io::Result<()> {
    let (uid, gid) = owner.map_or((us(), None), |u| (u.uid, Some(u.gid)));
    fchown(&fd, Some(Uid::from_raw(uid)), gid.map(Gid::from_raw))?;
    Ok(fchmod(&fd, Mode::from_raw_mode(mode))?)
}

#[cfg(test)]
mod tests;
