//! Processes, as /proc shows them: which ones belong to a cluster, and signals to those only.

use std::path::Path;
use std::time::Instant;

use rustix::process::{Pid, Signal};

/// One process as it was at one moment: two looks at it differ in its state, so that they are not compared.
#[derive(Clone, Debug)]
pub struct Process {
    /// Its id.
    pub pid: u32,
    /// Its parent.
    pub parent: u32,
    /// Its group.
    pub group: u32,
    /// When it started, in clock ticks since boot: with the pid it names one process for ever.
    pub started: u64,
    /// State letter: `R`, `S`, `T` (stopped), `Z`…
    pub state: char,
    /// The program's name without its folder, from the file that it runs: arguments can say anything.
    pub program: String,
    /// Its arguments.
    pub command: Vec<String>,
}

impl Process {
    /// Reads one process; `None` when it is gone.
    pub fn read(pid: u32) -> Option<Self> {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The second field is the name in parentheses and may itself hold spaces and parentheses.
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let number = |n: usize| fields.get(n).and_then(|f| f.parse().ok());
        Some(Self {
            pid,
            state: fields.first()?.chars().next()?,
            parent: u32::try_from(number(1)?).ok()?,
            group: u32::try_from(number(2)?).ok()?,
            started: number(19)?,
            program: program(pid),
            command: arguments(pid),
        })
    }

    /// The program's name and its arguments, shortened for a message.
    pub fn title(&self) -> String {
        let line: String = self.command.join(" ").chars().take(120).collect();
        format!("{} [{}] {line}", self.pid, self.state)
    }

    /// Whether any argument holds `text`.
    pub fn mentions(&self, text: &str) -> bool {
        self.command.iter().any(|a| a.contains(text))
    }

    /// Whether the same process, not another with its pid, still runs.
    pub fn lives(&self) -> bool {
        Self::read(self.pid).is_some_and(|now| now.started == self.started && now.state != 'Z')
    }
}

fn program(pid: u32) -> String {
    let path = std::fs::read_link(format!("/proc/{pid}/exe")).unwrap_or_default();
    // A program that was upgraded meanwhile is still itself.
    let name = path.file_name().and_then(|n| n.to_str()).unwrap_or("");
    name.trim_end_matches(" (deleted)").to_owned()
}

fn arguments(pid: u32) -> Vec<String> {
    let raw = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    raw.split(|b| *b == 0)
        .filter(|a| !a.is_empty())
        .map(|a| String::from_utf8_lossy(a).into_owned())
        .collect()
}

/// Every process that runs for the cluster in `home`: it says so in its environment or in its arguments.
pub fn of_home(home: &Path) -> Vec<Process> {
    let home = home.to_str().expect("a test's home is plain text");
    let mut all: Vec<Process> = std::fs::read_dir("/proc")
        .expect("/proc")
        .flatten()
        .filter_map(|e| e.file_name().to_str()?.parse().ok())
        .filter(|pid| *pid != std::process::id())
        .filter(|pid| says(*pid, home))
        .filter_map(Process::read)
        .filter(|p| p.state != 'Z')
        .collect();
    all.sort_by_key(|p| p.pid);
    all
}

fn says(pid: u32, home: &str) -> bool {
    let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    let ours = |value: &[u8]| {
        memchr::memmem::find_iter(value, home).any(|at| {
            // The whole path or a path in it, never another home with a longer name.
            !value.get(at + home.len()).is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'-')
        })
    };
    environment.split(|b| *b == 0).any(ours) || arguments(pid).iter().any(|a| ours(a.as_bytes()))
}

/// The process that listens on a TCP port of this machine, as far as /proc shows it to us.
pub fn listener(port: u16) -> Option<u32> {
    let inode = listening_inode(port)?;
    let target = format!("socket:[{inode}]");
    std::fs::read_dir("/proc").ok()?.flatten().filter_map(|e| e.file_name().to_str()?.parse().ok()).find(
        |pid| {
            let Ok(files) = std::fs::read_dir(format!("/proc/{pid}/fd")) else { return false };
            files.flatten().any(|f| std::fs::read_link(f.path()).is_ok_and(|to| to.to_str() == Some(&target)))
        },
    )
}

fn listening_inode(port: u16) -> Option<String> {
    let table = std::fs::read_to_string("/proc/net/tcp").ok()?;
    table.lines().skip(1).find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let local = fields.get(1)?.rsplit_once(':')?.1;
        let listens = fields.get(3) == Some(&"0A");
        (listens && u16::from_str_radix(local, 16) == Ok(port))
            .then(|| (*fields.get(9)?).to_owned().into())?
    })
}

/// Sends a signal to one process of the cluster in `home`. Panics when the pid is not one of its own.
#[track_caller]
pub fn signal(home: &Path, pid: u32, signal: Signal) {
    assert_ours(home, pid);
    rustix::process::kill_process(raw(pid), signal).expect("signal");
}

/// Sends a signal to the group that `pid` leads, and gives the instant just before. Panics when it is not the leader
/// of a group of the cluster in `home`.
#[track_caller]
pub fn signal_group(home: &Path, pid: u32, signal: Signal) -> Instant {
    assert_ours(home, pid);
    let process = Process::read(pid).expect("process");
    assert_eq!(process.group, pid, "{} does not lead its group", process.title());
    let at = Instant::now();
    rustix::process::kill_process_group(raw(pid), signal).expect("signal");
    at
}

/// Sends a signal to a process that may have ended meanwhile, but never to another one with its pid.
pub fn end(process: &Process, signal: Signal) {
    if process.lives() {
        let _ = rustix::process::kill_process(raw(process.pid), signal);
    }
}

/// A process, or a whole group, that is frozen; dropped, it goes on, whatever became of the test and of it.
#[derive(Debug)]
pub struct Frozen {
    process: Process,
    group: bool,
    at: Instant,
}

impl Frozen {
    /// Freezes one process.
    #[track_caller]
    pub fn one(home: &Path, pid: u32) -> Self {
        let process = Process::read(pid).expect("process");
        let at = Instant::now();
        signal(home, pid, Signal::STOP);
        Self { process, group: false, at }
    }

    /// Freezes the group that `pid` leads.
    #[track_caller]
    pub fn group(home: &Path, pid: u32) -> Self {
        let process = Process::read(pid).expect("process");
        let at = signal_group(home, pid, Signal::STOP);
        Self { process, group: true, at }
    }

    /// The instant just before.
    pub fn at(&self) -> Instant {
        self.at
    }

    /// The process.
    pub fn process(&self) -> &Process {
        &self.process
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        let pid = raw(self.process.pid);
        let _ = match (self.process.lives(), self.group) {
            (false, _) => Ok(()),
            (true, true) => rustix::process::kill_process_group(pid, Signal::CONT),
            (true, false) => rustix::process::kill_process(pid, Signal::CONT),
        };
    }
}

#[track_caller]
fn assert_ours(home: &Path, pid: u32) {
    let ours = of_home(home);
    assert!(ours.iter().any(|p| p.pid == pid), "pid {pid} is not one of the cluster in {}", home.display());
}

fn raw(pid: u32) -> Pid {
    i32::try_from(pid).ok().and_then(Pid::from_raw).expect("a pid is above 0")
}
