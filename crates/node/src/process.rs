//! Processes of ours: detached, each in a process group of its own, and found again by the record that was written
//! before they were started ([`roster`](super::roster)).

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use cordee_domain::ids::ProcessId;
use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use tokio::io::unix::AsyncFd;

use super::files;
use crate::users::User;

/// The environment variable that marks a process of ours: `CLUSTER/NAME/ID.GENERATION/WORD`. It is no proof by
/// itself.
pub const MARK: &str = "CORDEE_PROCESS";

/// What to start.
#[derive(Clone, Debug)]
pub struct Program {
    /// Absolute path.
    pub path: &'static str,
    /// Arguments.
    pub arguments: Vec<String>,
    /// Working folder.
    pub folder: PathBuf,
    /// Receives standard output and error, opened for appending: a pipe would tie the process to ours.
    pub log: PathBuf,
    /// Its own environment variables.
    pub environment: Vec<(&'static str, String)>,
    /// The user that it runs as.
    pub user: Option<User>,
}

/// For which server, and for which of its restarts, a process was started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Serial {
    /// The server's id; 0 for a HAProxy instance.
    pub server: u32,
    /// The restart generation.
    pub generation: u32,
}

/// Starts a program in a process group of its own, with that mark. Its record must have been written before.
pub(crate) fn spawn(program: &Program, mark: &str) -> io::Result<Child> {
    let log = files::append(&program.log)?;
    let mut command = Command::new(program.path);
    command
        .args(&program.arguments)
        .current_dir(&program.folder)
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .env("LANG", "C.UTF-8")
        .env("TZ", "UTC")
        .envs(program.environment.iter().map(|(name, value)| (*name, value)))
        .env(MARK, mark)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .process_group(0);
    if let Some(user) = program.user {
        command.uid(user.uid).gid(user.gid);
    }
    command.spawn()
}

/// Returns the path of this process's binary: by its name, so that a list of processes shows it, or the kernel's
/// link to it if an upgrade has removed the file.
pub fn own_binary() -> PathBuf {
    std::env::current_exe()
        .ok()
        .filter(|path| path.exists())
        .unwrap_or_else(|| PathBuf::from("/proc/self/exe"))
}

/// A process of ours, found in `/proc`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its id.
    pub pid: u32,
    /// Its group.
    pub group: u32,
    /// The name in its mark.
    pub name: String,
    /// The id of the process; `None` for the keeper and the server's process.
    pub id: Option<ProcessId>,
    /// The serial in its mark.
    pub serial: Serial,
    /// Whether it is stopped by a signal.
    pub frozen: bool,
}

/// Reports whether an error of `/proc` says that the process has ended; any other error says nothing about it.
pub(super) fn gone(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound
        || error.raw_os_error() == Some(rustix::io::Errno::SRCH.raw_os_error())
}

/// What `/proc/PID/stat` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State {
    /// Its group.
    pub group: u32,
    /// Whether it is stopped by a signal or a debugger.
    pub frozen: bool,
    /// Whether it is a zombie, or about to become one.
    pub dead: bool,
}

/// Returns the state of a process; `None` if there is no process with that id. Fails if the state cannot be read.
pub fn state(pid: u32) -> io::Result<Option<State>> {
    // The text is shorter than the buffer and comes complete in one read. Asking for its size and reading in small
    // pieces would cost several times as much, and this runs for every process four times a second.
    let mut buffer = [0; 1_024];
    let read = std::fs::File::open(format!("/proc/{pid}/stat")).and_then(|mut file| file.read(&mut buffer));
    match read {
        Ok(length) => {
            let text = buffer.get(..length).unwrap_or_default();
            parse(text).map(Some).ok_or_else(|| io::ErrorKind::InvalidData.into())
        }
        Err(error) if gone(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Returns the living children that the main thread of a process has started; none if the process itself has ended.
pub fn children(pid: u32) -> io::Result<Vec<u32>> {
    match std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")) {
        Ok(text) => Ok(text.split_whitespace().filter_map(|pid| pid.parse().ok()).collect()),
        Err(error) if gone(&error) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

fn parse(stat: &[u8]) -> Option<State> {
    let text = String::from_utf8_lossy(stat);
    // The command's name may hold blanks and parentheses: only the text after the last parenthesis is regular
    // (proc(5)).
    let rest = text.rsplit_once(')')?.1;
    let mut fields = rest.split_whitespace();
    let letter = fields.next()?;
    let group = fields.nth(1)?.parse().ok()?;
    Some(State { group, frozen: matches!(letter, "T" | "t"), dead: matches!(letter, "Z" | "X" | "x") })
}

/// Returns when a process was started, in ticks since the boot. Together with its id this identifies a process
/// uniquely.
pub fn started(pid: u32) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    text.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse().ok()
}

/// Returns the files that a process holds open, by their current names.
pub fn open_files(pid: u32) -> io::Result<BTreeSet<PathBuf>> {
    let mut all = BTreeSet::new();
    for entry in std::fs::read_dir(format!("/proc/{pid}/fd"))? {
        match std::fs::read_link(entry?.path()) {
            Ok(path) => {
                all.insert(path);
            }
            // The file was closed meanwhile.
            Err(error) if gone(&error) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(all)
}

/// Returns every path below these folders that a process holds open or has as its working folder. Processes that we
/// may not look at are left out: they belong to other users, and these folders are closed to them.
pub fn held_below(folders: &[&Path]) -> io::Result<BTreeSet<PathBuf>> {
    let mut all = BTreeSet::new();
    for entry in std::fs::read_dir("/proc")? {
        let entry = entry?;
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        let hidden = |error: &io::Error| gone(error) || error.kind() == io::ErrorKind::PermissionDenied;
        let open = match open_files(pid) {
            Ok(open) => open,
            Err(error) if hidden(&error) => continue,
            Err(error) => return Err(error),
        };
        let stands = std::fs::read_link(entry.path().join("cwd")).ok();
        let below = |path: &PathBuf| folders.iter().any(|folder| path.starts_with(folder));
        all.extend(open.into_iter().chain(stands).filter(below));
    }
    Ok(all)
}

/// Groups the processes of a cluster by id: the leader, and others of its group or of a dead leader's group.
pub fn by_id(found: &[Found]) -> BTreeMap<ProcessId, Vec<&Found>> {
    let mut all: BTreeMap<ProcessId, Vec<&Found>> = BTreeMap::new();
    for process in found {
        if let Some(id) = &process.id {
            all.entry(id.clone()).or_default().push(process);
        }
    }
    all
}

/// Signals a whole group. A group that is gone is no error.
pub fn signal_group(group: u32, signal: Signal) -> io::Result<()> {
    settle(pid(group).map_or(Ok(()), |p| kill_process_group(p, signal)))
}

/// Signals one process. A process that is gone is no error.
pub fn signal(process: u32, signal: Signal) -> io::Result<()> {
    settle(pid(process).map_or(Ok(()), |p| kill_process(p, signal)))
}

/// Converts a process id for the kernel; `None` for 0 and what is out of range.
pub(super) fn pid(number: u32) -> Option<Pid> {
    i32::try_from(number).ok().and_then(Pid::from_raw)
}

fn settle(result: rustix::io::Result<()>) -> io::Result<()> {
    match result {
        Err(rustix::io::Errno::SRCH) | Ok(()) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Waits by pidfd until a process has ended: that needs no polling, and cannot confuse it with a later process with
/// the same id.
pub async fn ended(process: u32) -> io::Result<()> {
    let Some(pid) = pid(process) else { return Ok(()) };
    let fd = match rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()) {
        Ok(fd) => fd,
        Err(rustix::io::Errno::SRCH) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    #[expect(
        deprecated,
        reason = "an OwnedFd keeps its descriptor for as long as it lives, which is all that is asked"
    )]
    let fd = AsyncFd::with_interest(fd, tokio::io::Interest::READABLE)?;
    drop(fd.readable().await?);
    Ok(())
}

/// Removes a file; a missing file is no error.
pub fn remove_file(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Aborts the process at a named place, for tests of what a crash leaves behind:
/// `CORDEE_FAILPOINT=after-spawn:NAME`, or `before:STEP`, where a repair has steps of its own (`Save`, `Put`,
/// `Remove` …).
pub fn failpoint(place: &str, name: &str) {
    let wanted = std::env::var("CORDEE_FAILPOINT").unwrap_or_default();
    if wanted.split_once(':') == Some((place, name)) {
        std::process::abort();
    }
}

#[cfg(test)]
mod tests {
    use rustix::io::Errno;

    use super::*;

    #[test]
    fn the_state_of_a_process_is_read_whatever_its_name_holds() {
        let seen = parse(b"7 (a) b (c\xff) T 1 42 42").unwrap();
        assert_eq!(seen, State { group: 42, frozen: true, dead: false });
        assert!(parse(b"7 (a) Z 1 42").unwrap().dead);
        assert_eq!(parse(b""), None);
        assert!(state(std::process::id()).unwrap().is_some_and(|s| !s.dead && !s.frozen));
    }

    #[test]
    fn only_some_errors_say_that_a_process_has_ended() {
        let raw = |error: Errno| io::Error::from_raw_os_error(error.raw_os_error());
        for error in [Errno::NOENT, Errno::SRCH] {
            assert!(gone(&raw(error)), "{error:?}");
        }
        for error in [Errno::MFILE, Errno::NFILE, Errno::NOMEM, Errno::IO, Errno::ACCESS] {
            assert!(!gone(&raw(error)), "{error:?}");
        }
        // No process has this id: it exceeds the highest one that the kernel assigns.
        assert_eq!(state(1 << 22).unwrap(), None);
    }
}
