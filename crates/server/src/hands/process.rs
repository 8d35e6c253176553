//! Processes of ours: detached, each in a group of its own, found again by what stands in their environment.
//!
//! There is no list of process ids to lose or to mistake for another's: a process carries the cluster's id and
//! its own name in its environment from the moment it is forked, and the kernel keeps that for as long as it lives.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use cordee_domain::ids::{PoolId, ServerName};
use cordee_domain::observed::ProcessId;
use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use tokio::io::unix::AsyncFd;

use super::files;
use crate::paths::User;

/// The variable that says whose process it is: `CLUSTER/NAME/ID.GENERATION`.
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
    /// Receives standard output and error, opened for appending: a pipe would tie it to us.
    pub log: PathBuf,
    /// Variables of its own.
    pub environment: &'static [(&'static str, &'static str)],
    /// Whom it runs as.
    pub user: Option<User>,
}

/// Which server, and which of its restarts, a process was started for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Serial {
    /// The server's id; 0 for a proxy.
    pub server: u32,
    /// The restart generation.
    pub generation: u32,
}

/// Starts a program in a group of its own.
pub fn start(program: &Program, cluster: &str, name: &str, serial: Serial) -> io::Result<Child> {
    let log = files::append(&program.log)?;
    let mut command = Command::new(program.path);
    command
        .args(&program.arguments)
        .current_dir(&program.folder)
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .env("LANG", "C.UTF-8")
        .env("TZ", "UTC")
        .envs(program.environment.iter().copied())
        .env(MARK, format!("{cluster}/{name}/{}.{}", serial.server, serial.generation))
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .process_group(0);
    if let Some(user) = program.user {
        command.uid(user.uid).gid(user.gid);
    }
    command.spawn()
}

/// The binary of this process: by its name, so that a list of processes shows it, or by the kernel's link to it
/// when an upgrade has taken the file away.
pub fn own_binary() -> PathBuf {
    std::env::current_exe()
        .ok()
        .filter(|path| path.exists())
        .unwrap_or_else(|| PathBuf::from("/proc/self/exe"))
}

/// A process found in `/proc`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its id.
    pub pid: u32,
    /// Its group.
    pub group: u32,
    /// Its name in the mark.
    pub name: String,
    /// Its serial in the mark.
    pub serial: Serial,
    /// Stopped by a signal.
    pub frozen: bool,
}

/// Every living process of a cluster. A zombie is dead.
pub fn find(cluster: &str) -> Vec<Found> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|n| n.parse::<u32>().ok()) else { continue };
        let Ok(environment) = std::fs::read(entry.path().join("environ")) else { continue };
        let Some((name, serial)) = mark(&environment, cluster) else { continue };
        let Some(state) = state(pid) else { continue };
        if !state.dead {
            all.push(Found { pid, group: state.group, name, serial, frozen: state.frozen });
        }
    }
    all
}

fn mark(environment: &[u8], cluster: &str) -> Option<(String, Serial)> {
    let prefix = format!("{MARK}={cluster}/");
    let value = environment
        .split(|b| *b == 0)
        .filter_map(|v| std::str::from_utf8(v).ok())
        .find_map(|v| v.strip_prefix(prefix.as_str()))?;
    let (name, serial) = value.rsplit_once('/')?;
    // A process of another version's is still ours, if only to be stopped.
    let (server, generation) = serial.split_once('.').unwrap_or(("", ""));
    let serial = Serial { server: server.parse().unwrap_or(0), generation: generation.parse().unwrap_or(0) };
    Some((name.to_owned(), serial))
}

/// What `/proc/PID/stat` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State {
    /// Its group.
    pub group: u32,
    /// Stopped by a signal or a debugger.
    pub frozen: bool,
    /// A zombie, or on its way to be one.
    pub dead: bool,
}

/// The state of a process; `None` when there is none of that id.
pub fn state(pid: u32) -> Option<State> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The command's name may hold blanks and parentheses: what follows the last one is regular (proc(5)).
    let rest = text.rsplit_once(')')?.1;
    let mut fields = rest.split_whitespace();
    let letter = fields.next()?;
    let group = fields.nth(1)?.parse().ok()?;
    Some(State { group, frozen: matches!(letter, "T" | "t"), dead: matches!(letter, "Z" | "X" | "x") })
}

/// When a process was started, in ticks since the machine was: with its id it names it for good.
pub fn started(pid: u32) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    text.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse().ok()
}

/// The processes of a cluster by what they are: leader, and others of its group or of a dead leader's.
pub fn by_id(found: &[Found]) -> BTreeMap<ProcessId, Vec<&Found>> {
    let mut all: BTreeMap<ProcessId, Vec<&Found>> = BTreeMap::new();
    for process in found {
        if let Some(id) = process_id(&process.name) {
            all.entry(id).or_default().push(process);
        }
    }
    all
}

/// The leaders of the groups that a process of ours has; those that are its alone.
pub fn groups(cluster: &str, id: &ProcessId) -> Vec<u32> {
    let found = find(cluster);
    let mine = by_id(&found).remove(id).unwrap_or_default();
    let mut groups: Vec<u32> = mine.iter().map(|p| p.group).collect();
    groups.sort_unstable();
    groups.dedup();
    groups
}

/// Reads a process's name from its mark; the keeper and the server itself have none.
pub fn process_id(name: &str) -> Option<ProcessId> {
    match name {
        "haproxy-web" => Some(ProcessId::Proxy(PoolId::Web)),
        "haproxy-db" => Some(ProcessId::Proxy(PoolId::Db)),
        "keeper" | "serve" => None,
        name => ServerName::parse(name).ok().map(ProcessId::Server),
    }
}

/// Signals a whole group. A group that is gone is fine.
pub fn signal_group(group: u32, signal: Signal) -> io::Result<()> {
    settle(pid(group).map_or(Ok(()), |p| kill_process_group(p, signal)))
}

/// Signals one process. One that is gone is fine.
pub fn signal(process: u32, signal: Signal) -> io::Result<()> {
    settle(pid(process).map_or(Ok(()), |p| kill_process(p, signal)))
}

fn pid(number: u32) -> Option<Pid> {
    i32::try_from(number).ok().and_then(Pid::from_raw)
}

fn settle(result: rustix::io::Result<()>) -> io::Result<()> {
    match result {
        Err(rustix::io::Errno::SRCH) | Ok(()) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Waits until a process has ended, by its pidfd: no polling, and no mistaking it for a later one of its id.
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

/// Removes a file that may be gone already.
pub fn remove_file(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Dies at a named place, for the tests of what a crash leaves behind: `CORDEE_FAILPOINT=after-spawn:NAME`, or
/// `before:STEP`, where a repair has steps of its own (`Save`, `Put`, `Remove` …).
pub fn failpoint(place: &str, name: &str) {
    let wanted = std::env::var("CORDEE_FAILPOINT").unwrap_or_default();
    if wanted.split_once(':') == Some((place, name)) {
        std::process::abort();
    }
}
