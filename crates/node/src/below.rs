//! A folder, and what lies in it, reached by descriptors.
//!
//! No link is followed in any part of a path; what is opened is a plain file with one name, and it belongs to whom the
//! folder belongs to, or to us. So nothing that another user puts into a folder of theirs, before or meanwhile, leads
//! us out of it.

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

/// Folders that are open at once while one is measured.
const MOST_OPEN: usize = 64;

/// An open folder.
#[derive(Debug)]
pub struct Folder {
    fd: OwnedFd,
}

const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
/// A FIFO without a partner is opened at once, or refused; a terminal does not become ours.
const FILE: OFlags = OFlags::NONBLOCK.union(OFlags::NOCTTY).union(OFlags::CLOEXEC);
const NO_LINK: ResolveFlags = ResolveFlags::NO_SYMLINKS.union(ResolveFlags::NO_MAGICLINKS);
const BENEATH: ResolveFlags = NO_LINK.union(ResolveFlags::BENEATH).union(ResolveFlags::NO_XDEV);

impl Folder {
    /// Opens a folder by its path, of which no part may be a link.
    pub fn open(path: &Path) -> io::Result<Self> {
        Ok(Self { fd: openat2(CWD, path, FOLDER, Mode::empty(), NO_LINK)? })
    }

    /// Opens a folder in this one.
    pub fn inside(&self, name: &OsStr) -> io::Result<Self> {
        Ok(Self { fd: openat2(&self.fd, name, FOLDER, Mode::empty(), BENEATH)? })
    }

    /// Opens a folder in this one, making it when it is not there.
    pub fn make(&self, name: &OsStr) -> io::Result<Self> {
        match mkdirat(&self.fd, name, Mode::from_raw_mode(0o755)) {
            Ok(()) | Err(Errno::EXIST) => self.inside(name),
            Err(error) => Err(error.into()),
        }
    }

    /// Sets mode and owner of the folder itself. Without an owner it is ours, its group as it was.
    pub fn give(&self, mode: u32, owner: Option<User>) -> io::Result<()> {
        give(&self.fd, mode, owner)
    }

    /// The names in it, sorted.
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

    /// Opens a plain file in it. What is anything else, has a second name, or belongs to a third is refused.
    pub fn file(&self, name: &OsStr, flags: OFlags) -> io::Result<File> {
        let fd = openat2(&self.fd, name, flags | FILE, Mode::empty(), BENEATH)?;
        let (found, folder) = (fstat(&fd)?, fstat(&self.fd)?);
        if plain(&found) && (closed(&folder) || found.st_uid == folder.st_uid || found.st_uid == us()) {
            return Ok(File::from(fd));
        }
        Err(io::Error::new(io::ErrorKind::InvalidInput, "not a plain file of its folder's owner"))
    }

    /// Makes a file that was not there.
    pub fn create(&self, name: &OsStr, mode: u32, owner: Option<User>) -> io::Result<File> {
        let flags = OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE | OFlags::EXCL | FILE;
        let fd = openat2(&self.fd, name, flags, Mode::from_raw_mode(mode & 0o700), BENEATH)?;
        give(&fd, mode, owner)?;
        Ok(File::from(fd))
    }

    /// Gives a plain file in it a mode and an owner; without one it is ours.
    pub fn hand_over(&self, name: &OsStr, mode: u32, owner: Option<User>) -> io::Result<()> {
        give(&self.file(name, OFlags::RDONLY)?, mode, owner)
    }

    /// Whether that name is a file's, whatever else it is called.
    pub fn is_file(&self, name: &OsStr) -> io::Result<bool> {
        Ok(kind(&statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW)?) == FileType::RegularFile)
    }

    /// Whether there is a plain file with one name under that name.
    pub fn has_plain(&self, name: &OsStr) -> io::Result<bool> {
        match statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(found) => Ok(plain(&found)),
            Err(Errno::NOENT) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Renames in it.
    pub fn rename(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        Ok(renameat(&self.fd, from, &self.fd, to)?)
    }

    /// Sees its names on the disk.
    pub fn sync(&self) -> io::Result<()> {
        Ok(rustix::fs::fsync(&self.fd)?)
    }

    /// The bytes of what has that name, with everything in it, what its folders take included. What vanishes meanwhile
    /// has none.
    ///
    /// A folder is open only while one of its folders is still to be measured, so that however deep they lie in each
    /// other, few are open at once. Of a tree that would keep more open than that, the rest is left out: it was made to
    /// trouble us.
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

    /// What it takes by itself.
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

    /// The folder of that name; nothing where another thing is, or has become of it.
    fn folder_of(&self, name: &OsStr) -> io::Result<Option<Self>> {
        match self.inside(name) {
            Ok(folder) => Ok(Some(folder)),
            Err(error) if swapped(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Removes what has that name: a file, a link itself, a folder with everything in it. What is gone is fine.
    pub fn remove(&self, name: &OsStr) -> io::Result<()> {
        match unlinkat(&self.fd, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => return Ok(()),
            Err(Errno::ISDIR) => {}
            Err(error) => return Err(error.into()),
        }
        // Not beneath: a whole file system may be mounted here.
        let folder = Self { fd: openat2(&self.fd, name, FOLDER | OFlags::NOFOLLOW, Mode::empty(), NO_LINK)? };
        folder.empty()?;
        Ok(unlinkat(&self.fd, name, AtFlags::REMOVEDIR)?)
    }

    /// Removes everything in it. Folders in folders are first moved up here, so neither descriptors nor the stack bound
    /// how deep they may be; each is closed to everybody else before it is read.
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

    /// Removes all but folders, and gives their names.
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

    /// Moves something out of a folder in here, under a name that nothing has.
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

/// What is told when another thing stands where a folder was.
fn swapped(error: &io::Error) -> bool {
    matches!(Errno::from_io_error(error), Some(Errno::NOENT | Errno::NOTDIR | Errno::LOOP))
}

fn us() -> u32 {
    geteuid().as_raw()
}

fn kind(found: &Stat) -> FileType {
    FileType::from_raw_mode(found.st_mode)
}

/// A plain file with one name: a second one could be anybody's.
fn plain(found: &Stat) -> bool {
    kind(found) == FileType::RegularFile && found.st_nlink == 1
}

/// A folder in which nobody else can put anything.
fn closed(folder: &Stat) -> bool {
    folder.st_uid == us() && folder.st_mode & 0o022 == 0
}

/// Sets owner and mode of what is open. Without an owner it is ours, its group as it was.
fn give(fd: impl AsFd, mode: u32, owner: Option<User>) -> io::Result<()> {
    let (uid, gid) = owner.map_or((us(), None), |u| (u.uid, Some(u.gid)));
    fchown(&fd, Some(Uid::from_raw(uid)), gid.map(Gid::from_raw))?;
    Ok(fchmod(&fd, Mode::from_raw_mode(mode))?)
}

#[cfg(test)]
mod tests;
