//! The roster: the records of our processes, and the look in `/proc` that is compared with them.
//!
//! There is one file for each start, in a folder that only the user who runs Cordée may enter; its name is the
//! random word that the process carries in its mark. The file is written before the fork and completed after it, so
//! that after a crash in between the process is still found.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use cordee_domain::ids::{ProcessId, ProcessName};
use cordee_domain::roster::{Bound, Known, Marked, Record, recognise, taken_over};
use rustix::io::Errno;
use rustix::process::{test_kill_process, test_kill_process_group};

use crate::data;
use crate::files;
use crate::paths::Home;
use crate::process::{self, Found, MARK, Serial};
use crate::random;
use crate::users::Users;

/// How many random octets a word has.
const WORD: usize = 16;

/// The records of one cluster.
#[derive(Clone, Debug)]
pub struct Roster {
    folder: PathBuf,
    /// The folder that holds the servers' folders.
    servers: PathBuf,
    cluster: String,
}

/// A start that was recorded, with the mark that the process must carry.
#[derive(Debug)]
pub struct Start {
    word: String,
    record: Record,
    /// The value of [`MARK`].
    pub mark: String,
}

impl Roster {
    /// Returns the roster of a cluster. Touches no file.
    pub fn of(home: &Home) -> Self {
        Self { folder: home.roster(), servers: home.servers(), cluster: home.id.clone() }
    }

    /// Makes the folder. In a state folder of a version without a roster, the processes that this version started
    /// are taken over once: by mark, program and user.
    pub fn open(home: &Home, users: &Users) -> io::Result<Self> {
        let roster = Self::of(home);
        if !roster.folder.exists() {
            let draft = roster.folder.with_extension("new");
            files::remove(&draft)?;
            files::folder(&draft, 0o700, None)?;
            if home.without_roster {
                roster.take_over(home, users, &draft)?;
            }
            std::fs::rename(&draft, &roster.folder)?;
        }
        Ok(roster)
    }

    fn take_over(&self, home: &Home, users: &Users, into: &Path) -> io::Result<()> {
        let uids: BTreeSet<u32> = all_users(users).into_iter().collect();
        let boot = boot()?;
        for (process, _) in look(&self.cluster, &uids, &BTreeSet::new())? {
            let leads = !matches!(process.name.as_str(), "keeper" | "serve");
            let wanted = expected(home, users, &process.name);
            let fits = wanted.is_some_and(|(program, uid)| {
                process.uid == Some(uid)
                    && (process.program == program || !leads && is_ours(&process.program))
            });
            if !process.word.is_empty() || !fits || (leads && process.pid != process.group) {
                continue;
            }
            let Some(uid) = process.uid else { continue };
            let bound = Bound { pid: process.pid, started: process.started, boot: boot.clone() };
            let record =
                Record { name: process.name, program: process.program, uid, leads, bound: Some(bound) };
            write(&into.join(taken_over(process.pid)), &record)?;
        }
        Ok(())
    }

    /// Records that a program is about to be started under a name, and removes the records of its former starts
    /// that are over.
    pub fn enlist(
        &self,
        name: &str,
        serial: Serial,
        program: &Path,
        uid: u32,
        leads: bool,
    ) -> io::Result<Start> {
        let boot = boot()?;
        for (word, record) in self.records()?.into_iter().filter(|(_, r)| r.name == name) {
            if over(&record, &boot) {
                process::remove_file(&self.folder.join(word))?;
            }
        }
        let word = random::token(WORD).ok_or_else(|| io::Error::other("no random bytes"))?;
        let program = shown(&program.canonicalize().unwrap_or_else(|_| program.to_owned()));
        let record = Record { name: name.to_owned(), program, uid, leads, bound: None };
        write(&self.folder.join(&word), &record)?;
        let mark = format!("{}/{name}/{}.{}/{word}", self.cluster, serial.server, serial.generation);
        Ok(Start { word, record, mark })
    }

    /// Binds a start to its process. If that cannot be written, the process is found by its word, once.
    pub fn bind(&self, start: Start, pid: u32) -> io::Result<()> {
        let Some((_, started)) = group_and_start(pid)? else { return Ok(()) };
        let bound = Some(Bound { pid, started, boot: boot()? });
        write(&self.folder.join(start.word), &Record { bound, ..start.record })
    }

    /// Removes the record of a start that failed.
    pub fn strike(&self, start: &Start) {
        let _ = std::fs::remove_file(self.folder.join(&start.word));
    }

    /// Returns every living process of the cluster. Fails if that cannot be known: an error must not be taken for
    /// "no process".
    pub fn find(&self) -> io::Result<Vec<Found>> {
        let records = self.records()?;
        let uids = records.values().map(|r| r.uid).collect();
        // A record from an earlier boot says nothing about the process that has its id now.
        let boot = boot()?;
        let bound = records.values().filter_map(|r| r.bound.as_ref());
        let pids = bound.filter(|b| b.boot == boot).map(|b| b.pid).collect();
        let seen = look(&self.cluster, &uids, &pids)?;
        let marked: Vec<Marked> = seen.iter().map(|(process, _)| process.clone()).collect();
        let Known { ours, bind, spent: _ } = recognise(&records, &marked, &boot);
        for (word, bound) in bind {
            if let Some(record) = records.get(&word) {
                write(&self.folder.join(&word), &Record { bound: Some(bound), ..record.clone() })?;
            }
        }
        let mut all = Vec::new();
        for (process, (serial, frozen)) in seen {
            let Some(record) = ours.get(&process.pid).and_then(|word| records.get(word)) else { continue };
            let mut unread = None;
            let id = record.who(|name| match data::made(&self.servers.join(name.as_str())) {
                Ok(made) => made.pool,
                Err(error) if error.kind() == io::ErrorKind::NotFound => None,
                // If the kind of server cannot be read, it is not guessed.
                Err(error) => {
                    unread = Some(error);
                    None
                }
            });
            if let Some(error) = unread {
                return Err(error);
            }
            let Marked { pid, group, name, .. } = process;
            all.push(Found { pid, group, name, id, serial, frozen });
        }
        Ok(all)
    }

    /// Returns the process groups of a process of ours.
    pub fn groups(&self, id: &ProcessId) -> io::Result<Vec<u32>> {
        let found = self.find()?;
        let mine = process::by_id(&found).remove(id).unwrap_or_default();
        Ok(mine.iter().map(|p| p.group).collect::<BTreeSet<u32>>().into_iter().collect())
    }

    /// Records that a run of the cluster begins. It lasts until the whole cluster is stopped, whichever processes
    /// end and are restarted meanwhile. Returns the word that identifies the run.
    pub fn begin_run(&self) -> io::Result<String> {
        let word = random::token(WORD).ok_or_else(|| io::Error::other("no random bytes"))?;
        files::replace(&self.run_file(), &word, 0o600, None)?;
        Ok(word)
    }

    /// Returns the word of the current run; `None` if all was stopped, or if a version without such words began the
    /// run.
    pub fn run(&self) -> io::Result<Option<String>> {
        files::text(&self.run_file())
    }

    fn run_file(&self) -> PathBuf {
        self.folder.join("run.word")
    }

    /// Removes all records. Called when no process of the cluster lives any more.
    pub fn clear(&self) -> io::Result<()> {
        process::remove_file(&self.run_file())?;
        self.records()?.keys().try_for_each(|word| process::remove_file(&self.folder.join(word)))
    }

    fn records(&self) -> io::Result<BTreeMap<String, Record>> {
        let entries = match std::fs::read_dir(&self.folder) {
            // No process was ever started.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
            entries => entries?,
        };
        let mut all = BTreeMap::new();
        for entry in entries {
            let path = entry?.path();
            let Some(word) = path.file_name().and_then(|n| n.to_str()).map(str::to_owned) else { continue };
            // A draft, the lock, and the word of the run are not records.
            if path.extension().is_some() {
                continue;
            }
            match files::plain_text(&path) {
                Ok(text) => {
                    all.insert(word, serde_json::from_str(&text).map_err(io::Error::from)?);
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(all)
    }
}

/// Writes a record completely or not at all. It is not flushed: if the machine goes down, the processes go with it.
fn write(path: &Path, record: &Record) -> io::Result<()> {
    static DRAFTS: AtomicU64 = AtomicU64::new(0);
    // Another thread or process that looks at the same moment may write the same record.
    let number = DRAFTS.fetch_add(1, Ordering::Relaxed);
    let draft = path.with_extension(format!("{}-{number}", std::process::id()));
    process::remove_file(&draft)?;
    let written = || {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
        file.write_all(serde_json::to_string(record).map_err(io::Error::from)?.as_bytes())?;
        std::fs::rename(&draft, path)
    };
    written().inspect_err(|_| {
        // No one else removes this draft.
        let _ = process::remove_file(&draft);
    })
}

/// Reports whether a start is certainly over. If a start is not bound, none of its processes lives: each name is
/// started in one place only, which binds a start before it begins the next.
fn over(record: &Record, boot: &str) -> bool {
    let Some(bound) = record.bound.as_ref().filter(|b| b.boot == boot) else { return true };
    let gone = |result| result == Err(rustix::io::Errno::SRCH);
    process::pid(bound.pid).is_none_or(|pid| {
        gone(test_kill_process(pid)) && (!record.leads || gone(test_kill_process_group(pid)))
    })
}

fn all_users(users: &Users) -> [u32; 4] {
    let us = rustix::process::geteuid().as_raw();
    let of = |user: Option<crate::users::User>| user.map_or(us, |u| u.uid);
    [us, of(users.haproxy), of(users.apache), of(users.mariadb)]
}

/// Returns the expected program and user of a process that a version without a roster started.
fn expected(home: &Home, users: &Users, name: &str) -> Option<(String, u32)> {
    let [us, haproxy, apache, mariadb] = all_users(users);
    if matches!(name, "keeper" | "serve") {
        return Some((shown(&own_program()), us));
    }
    let (program, uid) = match ProcessName::parse(name)? {
        ProcessName::Proxy(_) => ("/usr/sbin/haproxy", haproxy),
        ProcessName::Server(server) if data::is_database(&home.server(&server)) => {
            ("/usr/sbin/mariadbd", mariadb)
        }
        ProcessName::Server(_) => ("/usr/sbin/apache2", apache),
    };
    Some((shown(&Path::new(program).canonicalize().ok()?), uid))
}

/// Returns the program of this process, even if its file was moved or replaced.
pub fn own_program() -> PathBuf {
    let link = std::fs::read_link("/proc/self/exe").unwrap_or_default();
    PathBuf::from(shown(&link))
}

/// Reports whether a program is a Cordée binary, in whatever folder.
fn is_ours(program: &str) -> bool {
    Path::new(program).file_name() == own_program().file_name()
}

/// Returns a program's path as the kernel shows it, without the suffix that the kernel adds when the file was
/// replaced.
fn shown(path: &Path) -> String {
    let path = path.to_string_lossy();
    path.strip_suffix(" (deleted)").unwrap_or(&path).to_owned()
}

/// Returns the kernel's id of this boot.
fn boot() -> io::Result<String> {
    Ok(std::fs::read_to_string("/proc/sys/kernel/random/boot_id")?.trim().to_owned())
}

/// A marked process, its serial, and whether it is frozen.
type Sight = (Marked, (Serial, bool));

/// Returns every living process of those users that carries the cluster's mark. The processes in `must` have to be
/// readable.
fn look(cluster: &str, uids: &BTreeSet<u32>, must: &BTreeSet<u32>) -> io::Result<Vec<Sight>> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir("/proc")? {
        let Some(pid) = entry?.file_name().to_str().and_then(|n| n.parse::<u32>().ok()) else { continue };
        match one(pid, cluster, uids) {
            Ok(found) => all.extend(found),
            // Another process of our own user may be unreadable to us; one that we started must not be.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied && !must.contains(&pid) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(all)
}

fn one(pid: u32, cluster: &str, uids: &BTreeSet<u32>) -> io::Result<Option<Sight>> {
    // A process may give itself a name that is not valid text.
    let Some(status) = living(std::fs::read(format!("/proc/{pid}/status")))? else { return Ok(None) };
    let uid = one_user(&String::from_utf8_lossy(&status));
    if uid.is_none_or(|uid| !uids.contains(&uid)) {
        return Ok(None);
    }
    let before = group_and_start(pid)?;
    let Some(environment) = living(std::fs::read(format!("/proc/{pid}/environ")))? else { return Ok(None) };
    let Some((name, serial, word)) = mark(&environment, cluster) else { return Ok(None) };
    let program = match std::fs::read_link(format!("/proc/{pid}/exe")) {
        // The path is longer than any that we start: it is a foreign process, which must not keep us from seeing
        // the others.
        Err(error) if error.raw_os_error() == Some(Errno::NAMETOOLONG.raw_os_error()) => return Ok(None),
        link => living(link)?,
    };
    let Some(program) = program else { return Ok(None) };
    let Some(stat) = stat(pid)? else { return Ok(None) };
    // Another process may have got the same id meanwhile.
    if stat.dead || before != Some((stat.group, stat.started)) {
        return Ok(None);
    }
    let program = shown(&program);
    let (group, started) = (stat.group, stat.started);
    let marked = Marked { pid, group, started, uid, program, name, word };
    Ok(Some((marked, (serial, stat.frozen))))
}

/// Turns the error of a process that has ended into `None`: that is a valid observation, other errors are not.
fn living<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if process::gone(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Returns the user of a process whose real, effective, saved and file-system user are the same (proc(5),
/// `status`).
fn one_user(status: &str) -> Option<u32> {
    let line = status.lines().find_map(|l| l.strip_prefix("Uid:"))?;
    let ids: BTreeSet<&str> = line.split_whitespace().collect();
    let only = ids.first().copied()?;
    (ids.len() == 1).then(|| only.parse().ok()).flatten()
}

struct Stat {
    group: u32,
    started: u64,
    frozen: bool,
    dead: bool,
}

fn stat(pid: u32) -> io::Result<Option<Stat>> {
    let Some(text) = living(std::fs::read(format!("/proc/{pid}/stat")))? else { return Ok(None) };
    let text = String::from_utf8_lossy(&text);
    // The command's name may hold blanks and parentheses: only the text after the last parenthesis is regular
    // (proc(5)).
    let fields: Vec<&str> = text.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace().collect();
    let read = || {
        let letter = *fields.first()?;
        Some(Stat {
            group: fields.get(2)?.parse().ok()?,
            started: fields.get(19)?.parse().ok()?,
            frozen: matches!(letter, "T" | "t"),
            dead: matches!(letter, "Z" | "X" | "x"),
        })
    };
    read().map(Some).ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))
}

fn group_and_start(pid: u32) -> io::Result<Option<(u32, u64)>> {
    Ok(stat(pid)?.map(|s| (s.group, s.started)))
}

fn mark(environment: &[u8], cluster: &str) -> Option<(String, Serial, String)> {
    let prefix = format!("{MARK}={cluster}/");
    let value = environment
        .split(|b| *b == 0)
        .filter_map(|v| std::str::from_utf8(v).ok())
        .find_map(|v| v.strip_prefix(prefix.as_str()))?;
    let mut parts = value.split('/');
    let (name, serial, word) = (parts.next()?, parts.next()?, parts.next().unwrap_or(""));
    let (server, generation) = serial.split_once('.')?;
    let serial = Serial { server: server.parse().ok()?, generation: generation.parse().ok()? };
    parts.next().is_none().then(|| (name.to_owned(), serial, word.to_owned()))
}

#[cfg(test)]
mod tests;
