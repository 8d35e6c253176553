//! What a machine can run out of: room on a disk, open files, the right to write. Each is given back when it is
//! dropped.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use rustix::fs::{IFlags, ioctl_getflags, ioctl_setflags};
use rustix::io::Errno;
use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};
use rustix::process::{Pid, Resource, Rlimit, prlimit};

/// A small file system in memory, on a folder. Only root can make one.
#[derive(Debug)]
pub struct Disk {
    on: PathBuf,
}

impl Disk {
    /// Mounts one of so many MiB.
    #[track_caller]
    pub fn mount(on: &Path, mebibytes: u32) -> Self {
        let options = std::ffi::CString::new(format!("size={mebibytes}m,mode=755")).expect("options");
        mount("e2e", on, "tmpfs", MountFlags::empty(), options.as_c_str()).expect("a tmpfs");
        Self { on: on.to_owned() }
    }

    /// Fills it to the last octet; the file that does.
    #[track_caller]
    pub fn fill(&self) -> Filler {
        let path = self.on.join("filler");
        let mut file = File::create(&path).expect("filler");
        let block = vec![0_u8; 1 << 20];
        let mut size = block.len();
        while size > 0 {
            match file.write(&block[..size]) {
                Ok(_) => {}
                Err(error) if error.raw_os_error() == Some(Errno::NOSPC.raw_os_error()) => size /= 2,
                Err(error) => panic!("filling: {error}"),
            }
        }
        Filler { path }
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = unmount(&self.on, UnmountFlags::DETACH);
    }
}

/// What fills a disk.
#[derive(Debug)]
pub struct Filler {
    path: PathBuf,
}

impl Drop for Filler {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// A process that cannot open another file.
#[derive(Debug)]
pub struct NoFiles {
    pid: Pid,
    before: Rlimit,
}

impl NoFiles {
    /// What it has open stays open.
    #[track_caller]
    pub fn of(pid: u32) -> Self {
        let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).expect("a pid");
        let none = Rlimit { current: Some(0), maximum: prlimit_now(pid).maximum };
        let before = prlimit(Some(pid), Resource::Nofile, none).expect("prlimit");
        Self { pid, before }
    }
}

#[track_caller]
fn prlimit_now(pid: Pid) -> Rlimit {
    // There is no call that only reads another process's limits: what is written is what the kernel tells of them.
    let text = std::fs::read_to_string(format!("/proc/{}/limits", pid.as_raw_nonzero())).expect("limits");
    let line = text.lines().find(|l| l.starts_with("Max open files")).expect("open files");
    let mut numbers = line.split_whitespace().skip(3).map(|n| n.parse().ok());
    Rlimit { current: numbers.next().flatten(), maximum: numbers.next().flatten() }
}

impl Drop for NoFiles {
    fn drop(&mut self) {
        let _ = prlimit(Some(self.pid), Resource::Nofile, self.before);
    }
}

/// Files that nobody can write, root included, also who has them open.
#[derive(Debug)]
pub struct Immutable {
    files: Vec<File>,
}

impl Immutable {
    /// Makes them so.
    #[track_caller]
    pub fn make(paths: &[PathBuf]) -> Self {
        let files: Vec<File> = paths.iter().map(|path| File::open(path).expect("a file")).collect();
        for file in &files {
            let flags = ioctl_getflags(file).expect("flags");
            ioctl_setflags(file, flags | IFlags::IMMUTABLE).expect("chattr +i");
        }
        Self { files }
    }
}

impl Drop for Immutable {
    fn drop(&mut self) {
        for file in &self.files {
            if let Ok(flags) = ioctl_getflags(file) {
                let _ = ioctl_setflags(file, flags - IFlags::IMMUTABLE);
            }
        }
    }
}
