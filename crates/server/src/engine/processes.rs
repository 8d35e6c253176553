//! The engine's processes: adopted at start, watched by pidfd, looked at for being frozen.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Child, ExitStatus};
use std::time::Duration;

use cordee_domain::db::failover;
use cordee_domain::db::switch::Stop;
use cordee_domain::desired::{Run, Server};
use cordee_domain::fault::Fault;
use cordee_domain::haproxy::stats::Verdict;
use cordee_domain::ids::{PoolId, ServerName};
use cordee_domain::observed::{Leader, Port, ProcessId, ProxySeen};
use cordee_domain::state::{Light, State};
use cordee_domain::step::{HostStep, Outcome};
use cordee_domain::text;

use crate::clock::now;
use crate::hands::process::{self, Found};
use crate::hands::roster::Roster;
use crate::hands::{files, logs, trouble};

use super::{Engine, Sight, data, import, meddling};

/// A process that ended sooner than this after its start has failed to start.
const SHORT_LIFE: u64 = cordee_domain::figures::SHORT_LIFE;
/// Before an end is waited for again, when that failed.
const AGAIN: Duration = Duration::from_secs(1);

impl Engine {
    /// Whether a server of that proxy is about to pass its first check.
    pub(super) fn hurried(&self, proxy: PoolId) -> bool {
        let seen = &self.observed.proxy(proxy).running;
        proxy == PoolId::Web
            && seen.value().is_some_and(|running| {
                running.servers.iter().any(|(name, s)| {
                    let young = self
                        .observed
                        .process(&ProcessId::Server(name.clone()))
                        .started_at
                        .is_some_and(|at| now().saturating_sub(at) < 5_000);
                    !s.maintenance
                        && (s.weight == 0 || s.verdict == Verdict::Down)
                        && (s.verdict != Verdict::Down || young)
                        && !s.drain
                })
            })
    }

    /// Finds what an earlier Cordée started and goes on with it. Fails when that cannot be looked for: whatever would
    /// be started then might run already.
    pub(super) fn adopt(&mut self) -> io::Result<()> {
        let found = Roster::of(&self.parts.home).find()?;
        for (id, members) in process::by_id(&found) {
            let leader = members.iter().find(|p| p.pid == p.group);
            let seen = self.observed.processes.entry(id.clone()).or_default();
            match leader {
                Some(leader) => {
                    seen.leader = Some(Leader {
                        pid: leader.pid,
                        server: leader.serial.server,
                        generation: leader.serial.generation,
                        frozen: leader.frozen,
                    });
                    let pid = leader.pid;
                    self.watch(id, pid);
                }
                None => seen.orphans = members.iter().map(|p| p.pid).collect(),
            }
        }
        self.look_at_folders();
        for proxy in PoolId::ALL {
            let file = files::text(&self.parts.home.proxy_config(proxy))?;
            let recorded = meddling::recorded(&self.parts.home, proxy);
            let adopted = self.observed.process(&ProcessId::Proxy(proxy)).leader.is_some();
            let seen = self.observed.proxies.entry(proxy).or_default();
            (seen.file, seen.adopted, seen.recorded) = (file, adopted, recorded);
        }
        let map = files::text(&self.parts.home.session_map())?;
        self.look_at_ports_first();
        self.observed.proxies.entry(PoolId::Web).or_default().map = map;
        Ok(())
    }

    fn watch(&mut self, id: ProcessId, pid: u32) {
        let out = self.out.clone();
        self.work.spawn(async move {
            // While no descriptor is left the looks at its state tell of its end, later.
            while let Err(error) = process::ended(pid).await {
                tracing::error!(%pid, error = &error as &dyn std::error::Error, "pidfd");
                tokio::time::sleep(AGAIN).await;
            }
            let _ = out.send(Sight::Ended { id, pid }).await;
        });
    }

    /// What lies in the servers' folders. What cannot be read is known as such, and stays as it was seen last.
    fn look_at_folders(&mut self) {
        let desired = self.parts.board.desired();
        let names: BTreeSet<&ServerName> = desired.db.servers.iter().map(|s| &s.name).collect();
        self.observed.initialised.retain(|name, _| names.contains(name));
        self.observed.unseeded.retain(|name| names.contains(name));
        self.observed.own.unread.clear();
        let mut looked = Ok(());
        for server in &desired.db.servers {
            if let Err(error) = self.look_at_folder(server) {
                self.observed.own.unread.insert(server.name.clone());
                looked = Err(error);
            }
        }
        let homes = self.look_at_homes();
        self.looked_with("folders", looked.and(homes));
    }

    fn look_at_folder(&mut self, server: &Server) -> io::Result<()> {
        let home = self.parts.home.server(&server.name);
        let made = match server.runtime {
            Run::Process { .. } => data::made_for(&home, server.id)?,
            Run::External => import::complete_for(&home)?,
        };
        let unseeded = data::position_file(&home).try_exists()?;
        let name = server.name.clone();
        match made {
            Some(id) => drop(self.observed.initialised.insert(name.clone(), id)),
            None => drop(self.observed.initialised.remove(&name)),
        }
        if unseeded {
            self.observed.unseeded.insert(name);
        } else {
            self.observed.unseeded.remove(&name);
        }
        Ok(())
    }

    /// Folders of servers. Of one that cannot be read it is known that it cannot.
    fn look_at_homes(&mut self) -> io::Result<()> {
        let mut looked = Ok(());
        let mut homes = BTreeMap::new();
        for (name, path) in self.parts.home.server_folders()? {
            let made = match data::made(&path) {
                Ok(made) => made,
                // It went to the trash since it was listed.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => {
                    self.observed.own.unread.insert(name.clone());
                    looked = Err(error);
                    self.observed.homes.get(&name).copied().unwrap_or_default()
                }
            };
            homes.insert(name, made);
        }
        self.observed.homes = homes;
        looked
    }

    /// Notes how a look at processes or files ended. After one that failed, what was seen before stays, and the page
    /// says why it is not the present.
    pub(super) fn looked_with(&mut self, at: &'static str, looked: io::Result<()>) {
        match looked {
            Ok(()) => drop(self.unseeing.remove(at)),
            Err(error) => {
                let why = trouble::fault(&error);
                if self.unseeing.insert(at, why.clone()) != Some(why) {
                    tracing::error!(error = &error as &dyn std::error::Error, "looking at {at}");
                }
            }
        }
        self.observed.own.blind = self.unseeing.values().next().cloned();
    }

    /// Which of our processes are frozen, and whether an end went unnoticed.
    pub(super) fn look_at_processes(&mut self) {
        let mut gone = Vec::new();
        let mut all = Ok(());
        for (id, seen) in &mut self.observed.processes {
            let Some(leader) = &mut seen.leader else { continue };
            let looked = process::state(leader.pid).and_then(|state| {
                let state = state.filter(|s| !s.dead);
                let frozen = state.is_some_and(|s| s.frozen);
                Ok((state, standing_still(id, leader.pid, frozen, &self.observed.proxies)?))
            });
            match looked {
                Ok((Some(state), still)) => {
                    (leader.frozen, seen.still) = (state.frozen, still);
                    seen.frozen_since = if leader.frozen { seen.frozen_since.or(Some(now())) } else { None };
                }
                Ok((None, _)) => gone.push((id.clone(), leader.pid)),
                Err(error) => all = Err(error),
            }
        }
        for (id, pid) in gone {
            self.process_ended(&id, pid);
        }
        let left: Vec<ProcessId> =
            self.observed.processes.iter().filter(|(_, p)| p.unlooked).map(|(id, _)| id.clone()).collect();
        for id in left {
            self.look_for_orphans(&id);
        }
        if self.unseeing.contains_key("folders") {
            self.look_at_folders();
        }
        self.looked_with("processes", all);
    }

    /// What a dead leader left of its group.
    fn look_for_orphans(&mut self, id: &ProcessId) {
        let found = Roster::of(&self.parts.home).find();
        let seen = self.observed.processes.entry(id.clone()).or_default();
        seen.unlooked = found.is_err();
        let looked = found.map(|found| seen.orphans = orphans(&found, id));
        self.looked_with("groups", looked);
    }

    /// A leader has ended: say why, and find what it left.
    pub(super) fn process_ended(&mut self, id: &ProcessId, pid: u32) {
        let seen = self.observed.processes.entry(id.clone()).or_default();
        if seen.leader.as_ref().is_none_or(|l| l.pid != pid) {
            return;
        }
        let status = self.children.remove(id).and_then(|mut child| child.try_wait().ok().flatten());
        let why = reason(status);
        let asked = seen.stopping_since.take().is_some();
        let short = seen.started_at.is_some_and(|at| now().saturating_sub(at) < SHORT_LIFE);
        (seen.leader, seen.port) = (None, Port::Unknown);
        seen.still.clear();
        seen.ended_at = Some(now());
        seen.failures = match (asked, short) {
            (true, _) => 0,
            (false, true) => seen.failures + 1,
            (false, false) => 1,
        };
        let again = seen.failures > 1;
        seen.trouble = (!asked).then(|| match (&why, id) {
            (Fault::Exit(code), ProcessId::Server(name)) if again => {
                saying(*code, &self.parts.home.server(name).join("log")).unwrap_or_else(|| why.clone())
            }
            _ => why.clone(),
        });
        self.cut_off_at_once();
        self.look_for_orphans(id);
        let seen = self.observed.processes.entry(id.clone()).or_default();
        let since = failover::silent_since(seen);
        if let (ProcessId::Server(name), Some(since)) = (id, since)
            && self.parts.board.desired().is_writer(name)
        {
            self.switch_begins(since, Stop::Lost);
        }
        if let ProcessId::Server(name) = id {
            // What was seen of it before says nothing about the next one.
            self.observed.databases.remove(name);
            self.observed.open.remove(name);
        }
        if let ProcessId::Proxy(proxy) = id
            && let Some(seen) = self.observed.proxies.get_mut(proxy)
        {
            seen.ended();
        }
        if !asked {
            let text = text!("event-process-ended", name = id, why = why);
            self.note_unless(State::Down, &id.to_string(), Light::Critical, text);
        }
    }

    /// A step on a process has ended.
    pub(super) fn process_stepped(&mut self, step: &HostStep, outcome: &Outcome, child: Option<Child>) {
        let id = &step.id();
        self.look_at_folders();
        if let ProcessId::Server(name) = id {
            self.observed.copies.remove(name);
        }
        let done = *outcome == Outcome::Done;
        match step {
            HostStep::StartProcess { server, generation, .. } => match (outcome, child) {
                (Outcome::Done, Some(child)) => {
                    let pid = child.id();
                    let leader = Leader { pid, server: *server, generation: *generation, frozen: false };
                    self.process_started(id, leader, child);
                }
                (Outcome::Done, None) => {}
                (Outcome::Failed(why), _) => {
                    let seen = self.observed.processes.entry(id.clone()).or_default();
                    seen.started_at = Some(now());
                    seen.failures += 1;
                    seen.trouble = Some(why.clone());
                }
            },
            HostStep::InitDatabase { .. } | HostStep::CopyDatabase { .. } => {
                if done {
                    // How the one before ended says nothing about this one.
                    let seen = self.observed.processes.entry(id.clone()).or_default();
                    (seen.failures, seen.trouble) = (0, None);
                }
            }
            HostStep::StopProcess { .. } => {
                if done {
                    self.observed.processes.entry(id.clone()).or_default().stopping_since = Some(now());
                }
            }
            HostStep::KillProcess { .. } => {
                if done {
                    self.look_for_orphans(id);
                }
            }
            HostStep::TrashHome { name } => {
                if done {
                    // Another server may come under the name.
                    self.observed.comparisons.remove(name);
                    self.observed.beats.remove(name);
                }
                if !self.parts.board.desired().servers().any(|s| s.name == *name) {
                    self.observed.processes.remove(id);
                }
            }
            HostStep::ImportDatabase { .. } | HostStep::SaveOwn { .. } => {}
        }
    }

    /// A process was started, and is led by that one.
    fn process_started(&mut self, id: &ProcessId, leader: Leader, child: Child) {
        let pid = leader.pid;
        let seen = self.observed.processes.entry(id.clone()).or_default();
        seen.leader = Some(leader);
        seen.port = Port::Unknown;
        seen.started_at = Some(now());
        (seen.ended_at, seen.frozen_since) = (None, None);
        let again = seen.trouble.is_some();
        if let ProcessId::Server(name) = id
            && self.parts.board.desired().is_writer(name)
        {
            // What it promised before says nothing about what it will acknowledge now.
            self.observed.promise = None;
        }
        self.children.insert(id.clone(), child);
        self.watch(id.clone(), pid);
        let text = if again {
            text!("event-process-restarted", name = id, pid = pid)
        } else {
            text!("event-process-started", name = id, pid = pid)
        };
        self.note(&id.to_string(), None, &text);
    }
}

/// Those that do a leader's work and are frozen: the worker of a HAProxy, without which it answers nothing although its
/// master is well; the children of an Apache. These are many, and looked at only where something is amiss.
fn standing_still(
    id: &ProcessId,
    leader: u32,
    frozen: bool,
    proxies: &BTreeMap<PoolId, ProxySeen>,
) -> io::Result<Vec<u32>> {
    let workers = match id {
        ProcessId::Proxy(proxy) => match proxies.get(proxy).and_then(|p| p.worker.or(p.recorded)) {
            Some(worker) => vec![worker],
            None => process::children(leader)?,
        },
        ProcessId::Server(name) if frozen || fails(name, proxies) => process::children(leader)?,
        ProcessId::Server(_) => Vec::new(),
    };
    let mut still = Vec::new();
    for pid in workers {
        // A number that was written down may be somebody else's by now.
        if process::state(pid)?.is_some_and(|s| s.frozen && s.group == leader) {
            still.push(pid);
        }
    }
    Ok(still)
}

/// Whether HAProxy's checks of a web server fail.
fn fails(name: &ServerName, proxies: &BTreeMap<PoolId, ProxySeen>) -> bool {
    let running = proxies.get(&PoolId::Web).and_then(|p| p.running.value());
    let seen = running.and_then(|r| r.servers.get(name)).filter(|s| !s.maintenance);
    seen.is_some_and(|s| matches!(s.verdict, Verdict::Down | Verdict::Failing))
}

/// Members of a group whose leader is gone. While a leader lives they are its own affair.
fn orphans(found: &[Found], id: &ProcessId) -> Vec<u32> {
    process::by_id(found)
        .get(id)
        .filter(|members| !members.iter().any(|p| p.pid == p.group))
        .map(|members| members.iter().map(|p| p.pid).collect())
        .unwrap_or_default()
}

/// Characters of what a program wrote last that are passed on.
const SAID: usize = 300;
/// What Apache writes last, whatever came before.
const NOTHING_SAID: &str = "AH00016";

/// A line without when and by which process it was written: those change with each try.
fn undated(line: &str) -> &str {
    let mut said = line.trim();
    // Apache's: `[when] [module:level] [pid 1:tid 1] what`.
    while let Some((_, rest)) = said.strip_prefix('[').and_then(|_| said.split_once("] ")) {
        said = rest;
    }
    // MariaDB's: `when thread [level] what`.
    ["[ERROR] ", "[Warning] ", "[Note] "]
        .iter()
        .find_map(|level| said.split_once(level))
        .map_or(said, |(_, what)| what)
}

/// What only the programs themselves write into these logs: a site's own lines may hold what is nobody's to read.
const OWN_WORDS: [&str; 3] = [" AH0", " AH1", "[ERROR]"];

/// Why a program ends again and again: the last line of the log that it wrote to last.
fn saying(code: i32, folder: &Path) -> Option<Fault> {
    let written = |name: &&str| std::fs::symlink_metadata(folder.join(name)).and_then(|m| m.modified()).ok();
    let own = ["error.log", "apache.log", "mariadb.log"];
    let log = own.iter().filter(|name| written(name).is_some()).max_by_key(|name| written(name))?;
    let (lines, _) = logs::tail_without(&folder.join(log), 1, |line| {
        line.contains(NOTHING_SAID) || !OWN_WORDS.iter().any(|word| line.contains(word))
    })
    .ok()?;
    let said: String = undated(lines.last()?).chars().take(SAID).collect();
    Some(Fault::ExitSaying { code, said })
}

fn reason(status: Option<ExitStatus>) -> Fault {
    match status.map(|s| (s.signal(), s.code())) {
        Some((Some(signal), _)) => Fault::Signal(signal),
        Some((None, Some(code))) => Fault::Exit(code),
        _ => Fault::Ended,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::CommandExt as _;
    use std::process::{Command, Stdio};
    use std::time::Instant;

    use cordee_domain::observed::ProxySeen;
    use rustix::process::Signal;

    use super::*;

    #[test]
    fn what_a_program_wrote_last_is_said_without_what_changes_each_time() {
        let folder = std::path::PathBuf::from(env!("OUT_DIR")).join(format!("saying-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        assert_eq!(saying(1, &folder), None, "nothing was written");
        let said = |name: &str, lines: &str| {
            std::fs::write(folder.join(name), lines).unwrap();
            match saying(1, &folder) {
                Some(Fault::ExitSaying { code: 1, said }) => said,
                other => panic!("{other:?}"),
            }
        };
        let apache = "[Mon Nov 30 08:25:18 2026] [core:crit] [pid 7:tid 7] (17)File exists: AH00001: no scoreboard\n\
                      [Mon Nov 30 08:25:18 2026] [core:emerg] [pid 7:tid 7] AH00016: Configuration Failed\n\n";
        assert_eq!(said("error.log", apache), "(17)File exists: AH00001: no scoreboard");
        std::fs::remove_file(folder.join("error.log")).unwrap();
        let mariadb = "2026-11-30  8:25:18 0 [ERROR] Aborting\n";
        assert_eq!(said("mariadb.log", mariadb), "Aborting");
        std::fs::remove_dir_all(&folder).unwrap();
    }

    /// A parent that leads a group, and its child.
    struct Family(Child, u32);

    impl Family {
        fn new() -> Self {
            let mut command = Command::new("/bin/sh");
            command.args(["-c", "/usr/bin/sleep 60 & wait"]).stdout(Stdio::null()).process_group(0);
            let parent = command.spawn().unwrap();
            let pid = parent.id();
            let child = until(|| process::children(pid).unwrap().first().copied());
            Self(parent, child)
        }
    }

    impl Drop for Family {
        fn drop(&mut self) {
            let _ = process::signal_group(self.0.id(), Signal::KILL);
            let _ = self.0.wait();
        }
    }

    fn until<T>(look: impl Fn() -> Option<T>) -> T {
        let deadline = Instant::now() + Duration::from_secs(10);
        while Instant::now() < deadline {
            if let Some(found) = look() {
                return found;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("not within ten seconds");
    }

    #[test]
    fn who_does_the_work_and_stands_still_is_found() {
        let (family, other) = (Family::new(), Family::new());
        let (parent, child) = (family.0.id(), family.1);
        for frozen in [child, other.1] {
            process::signal(frozen, Signal::STOP).unwrap();
            until(|| process::state(frozen).unwrap().filter(|s| s.frozen));
        }
        let proxy = ProcessId::Proxy(PoolId::Web);
        let told = |worker, recorded| {
            let seen = ProxySeen { worker, recorded, ..ProxySeen::default() };
            standing_still(&proxy, parent, false, &BTreeMap::from([(PoolId::Web, seen)])).unwrap()
        };
        assert_eq!(told(Some(child), None), [child], "the worker that answered last");
        assert_eq!(told(None, None), [child], "one that never answered");
        assert_eq!(told(None, Some(other.1)), [0; 0], "a number that is somebody else's by now");
        let server = |frozen| {
            let id = ProcessId::Server(ServerName::parse("web1").unwrap());
            standing_still(&id, parent, frozen, &BTreeMap::new()).unwrap()
        };
        assert_eq!(server(true), [child], "with its parent");
        assert_eq!(server(false), [0; 0], "nothing is amiss: nobody looks");
        process::signal(child, Signal::CONT).unwrap();
        until(|| process::state(child).unwrap().filter(|s| !s.frozen));
        assert_eq!(told(Some(child), None), [0; 0]);
    }
}
