//! Acceptance: whoever has one of the programs' users, or no right at all, tries for a while everything that this user
//! can, while Cordée works and dies. Nothing of anybody else's changes. As root only: it becomes other users.
//!
//! Each attacker is this program itself, started as that user. Killing and holding is bound to this cluster's processes
//! and ports: other clusters of the same users may run on the machine.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed expectation is how a test ends")]

use std::collections::BTreeMap;
use std::fs::{self, File as Opened};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, UdpSocket};
use std::os::unix::fs::{
    FileTypeExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, symlink,
};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use cordee_e2e::case;
use cordee_e2e::cluster::Cluster;
use cordee_e2e::db::Db;
use cordee_e2e::pair::Pair;
use cordee_e2e::ports::local;
use cordee_e2e::suite::{File, root};
use cordee_e2e::wait;
use rustix::fs::{Access, FlockOperation, access, flock};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use crate::forged::{identity, replaced};
use crate::owners::{Canaries, User, may_write};

/// The first argument by which this program is an attacker.
const ATTACKER: &str = "--attack";
/// For so long each one tries.
const TRIES: Duration = Duration::from_secs(12);
/// And then ends by itself.
const ENDS: Duration = Duration::from_secs(30);
/// A copy of this program, where the programs' users may enter.
const PROGRAM: &str = "e2e-attacker";
/// In all that an attacker writes: those who kill, and those who do not.
const fn mark(kills: bool) -> &'static str {
    if kills { "ATTACK-kills-5d2e7c90" } else { "ATTACK-5d2e7c90" }
}

/// Its cases.
pub fn file() -> File {
    File::new(
        "attack",
        &[],
        &[
            case!(names_that_nobody_took_beforehand_keep_no_program_from_starting),
            case!(nobody_and_www_data_change_nothing_of_anybody_else_s),
            case!(mysql_and_haproxy_change_nothing_of_anybody_else_s),
        ],
    )
    .needs(root)
}

// ---- the attacker

/// What an attacker is told.
pub struct Attack {
    home: PathBuf,
    canaries: PathBuf,
    ports: std::ops::RangeInclusive<u16>,
    /// Whether it ends its own user's processes, too.
    kills: bool,
    pids: Vec<u32>,
}

/// What this program is to do, when it is an attacker.
pub fn attacker() -> Option<Attack> {
    let all: Vec<String> = std::env::args().skip(1).collect();
    let [first, home, canaries, from, to, kills, pids] = all.as_slice() else { return None };
    let number = |text: &String| text.parse().ok();
    (first == ATTACKER).then_some(())?;
    Some(Attack {
        home: home.into(),
        canaries: canaries.into(),
        ports: number(from)?..=number(to)?,
        kills: kills == "true",
        pids: pids.split(',').filter_map(|p| p.parse().ok()).collect(),
    })
}

impl Attack {
    /// Tries it all, again and again. It says what it reached that may be none of its business.
    pub fn carry_out(&self) -> ExitCode {
        let begun = Instant::now();
        let mut locks: Vec<Opened> = Vec::new();
        let mut children = self.marks();
        let mut names = self.names();
        let mut round = 0_usize;
        while begun.elapsed() < TRIES {
            for folder in self.writable_folders() {
                self.traps(&folder, round);
            }
            self.spoil(round);
            self.locks(&mut locks);
            self.sockets();
            self.signals(round);
            self.ports();
            names.extend(self.names());
            round += 1;
        }
        for child in &mut children {
            let _ = child.kill();
            let _ = child.wait();
        }
        for name in names {
            let _ = fs::remove_dir(&name).or_else(|_| fs::remove_file(&name));
        }
        println!("tried {round} {}", locks.len());
        ExitCode::SUCCESS
    }

    /// Everything below the cluster's folder that it can see, without following a link.
    fn all(&self) -> Vec<PathBuf> {
        let (mut all, mut left) = (Vec::new(), vec![(self.home.clone(), 0)]);
        while let Some((folder, depth)) = left.pop() {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                if entry.file_type().is_ok_and(|t| t.is_dir()) && depth < 5 {
                    left.push((entry.path(), depth + 1));
                }
                all.push(entry.path());
            }
        }
        all
    }

    fn writable_folders(&self) -> Vec<PathBuf> {
        let own = |p: &PathBuf| {
            fs::symlink_metadata(p).is_ok_and(|m| m.is_dir()) && access(p, Access::WRITE_OK).is_ok()
        };
        self.all().into_iter().filter(own).take(60).collect()
    }

    /// The files of others that its links lead to.
    fn targets(&self) -> [PathBuf; 7] {
        [
            self.canaries.join("canary"),
            self.canaries.clone(),
            self.home.join("secrets.json"),
            self.home.join("state.db"),
            self.home.join("roster"),
            self.home.join("cluster.json"),
            PathBuf::from("/etc/shadow"),
        ]
    }

    /// Links, second names, FIFOs and folders under names that somebody may open, and races: what is there makes room
    /// for a link for a moment.
    fn traps(&self, folder: &Path, round: usize) {
        let targets = self.targets();
        let target = &targets[round % targets.len()];
        let names = ["error.log.1", "canary", "apache.pid", "ib_logfile9", "old.sock", "x.php", "position"];
        let at = folder.join(names[round % names.len()]);
        if !at.exists() || at.is_symlink() {
            let _ = fs::remove_file(&at);
            let made = match round % 4 {
                0 | 1 => symlink(target, &at),
                2 => fs::hard_link(target, &at).or_else(|_| fs::create_dir(&at)),
                _ => fs::write(&at, mark(self.kills)),
            };
            let _ = made;
        }
        // Not in the data: a database that cannot find its own files is its own affair.
        if ["data", "binlog", "relay"].iter().any(|own| folder.iter().any(|p| p == *own)) {
            return;
        }
        for entry in fs::read_dir(folder).into_iter().flatten().flatten().take(4) {
            let (is, aside) = (entry.path(), folder.join(".aside"));
            if fs::rename(&is, &aside).is_ok() {
                let _ = symlink(target, &is);
                std::thread::sleep(Duration::from_millis(2));
                let _ = fs::rename(&aside, &is);
            }
        }
        // The folder itself, and the one above it.
        let _ = fs::rename(folder, folder.with_extension("moved"));
        let _ = symlink(target, folder.with_extension("moved"));
    }

    /// Writes into whatever it can write.
    fn spoil(&self, round: usize) {
        let mark = mark(self.kills);
        for path in self.all() {
            let Ok(meta) = fs::symlink_metadata(&path) else { continue };
            let parts = ["data", "binlog", "relay"];
            let data = path.iter().any(|p| parts.iter().any(|own| p == *own));
            if !meta.is_file() || data || path.ends_with("site.ini") {
                continue;
            }
            let mut options = Opened::options();
            let Ok(mut file) = options.append(true).custom_flags(nonblock()).open(&path) else { continue };
            println!("wrote {}", path.strip_prefix(&self.home).unwrap_or(&path).display());
            let lines = if path.extension().is_some_and(|e| e == "cfg") {
                let command = format!("command /usr/bin/touch {}", self.canaries.join("made").display());
                format!("\nprogram {mark}\n    {command}\n")
            } else {
                format!("{mark} {round}\n")
            };
            let _ = file.write_all(lines.as_bytes());
        }
    }

    /// Holds a lock on everything that can be read.
    fn locks(&self, held: &mut Vec<Opened>) {
        for path in self.all() {
            let plain = fs::symlink_metadata(&path).is_ok_and(|m| m.is_file());
            if !plain || held.len() >= 300 {
                continue;
            }
            if let Ok(file) = Opened::open(&path)
                && flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok()
            {
                held.push(file);
            }
        }
        if held.len() >= 300 {
            held.clear();
        }
    }

    /// Asks on every socket.
    fn sockets(&self) {
        for path in self.all() {
            let socket = fs::symlink_metadata(&path).is_ok_and(|m| m.file_type().is_socket());
            if !socket {
                continue;
            }
            if let Ok(mut stream) = UnixStream::connect(&path) {
                println!("reached {}", path.strip_prefix(&self.home).unwrap_or(&path).display());
                let _ = stream.set_read_timeout(Some(Duration::from_millis(5)));
                let _ = stream.write_all(b"POST /v1/pools/web/servers/web1/stop HTTP/1.1\r\nHost: x\r\n\r\n");
                let _ = stream.read(&mut [0; 64]);
            }
        }
        if let Ok(socket) = UdpSocket::bind("127.0.0.1:0") {
            for port in self.ports.clone() {
                let _ = socket.send_to(format!("cordee3 {}", mark(self.kills)).as_bytes(), local(port));
            }
        }
    }

    /// To each process: of another user's nothing may arrive; of its own it ends one now and then.
    fn signals(&self, round: usize) {
        let own = rustix::process::geteuid().as_raw();
        let home = self.home.to_str().unwrap();
        for (n, pid) in self.pids.iter().enumerate() {
            let folder = PathBuf::from(format!("/proc/{pid}"));
            let Some(target) = i32::try_from(*pid).ok().and_then(Pid::from_raw) else { continue };
            let Ok(meta) = fs::metadata(&folder) else { continue };
            let environment = fs::read(folder.join("environ")).unwrap_or_default();
            let ours = String::from_utf8_lossy(&environment).contains(home);
            if meta.uid() != own {
                // Whether any could be sent, without sending one.
                if test_kill_process(target).is_ok() {
                    println!("signalled {pid}");
                }
                let memory = Opened::options().write(true).open(folder.join("mem"));
                if memory.is_ok() || (ours && !environment.is_empty()) {
                    println!("opened {pid}");
                }
            } else if self.kills && ours && round % 40 == n {
                let _ = kill_process(target, Signal::KILL);
            }
        }
    }

    /// Takes every port that is free, for a moment.
    fn ports(&self) {
        let taken: Vec<TcpListener> =
            self.ports.clone().filter_map(|port| TcpListener::bind(local(port)).ok()).collect();
        let heard: Vec<UdpSocket> =
            self.ports.clone().filter_map(|port| UdpSocket::bind(local(port)).ok()).collect();
        std::thread::sleep(Duration::from_millis(50));
        drop((taken, heard));
    }

    /// Marks on processes that are nobody's.
    fn marks(&self) -> Vec<Child> {
        let text = fs::read_to_string(self.home.join("cluster.json")).unwrap_or_default();
        let id = text.split('"').skip_while(|w| *w != "id").nth(2).unwrap_or_default().to_owned();
        let names = ["db1/1.0", "db2/2.0", "web1/3.0", "keeper/0.0", "haproxy-db/0.0"];
        let mark = |name: &str| {
            let mut command = Command::new("/usr/bin/sleep");
            command.arg("60").env("CORDEE_PROCESS", format!("{id}/{name}")).env("CORDEE_HOME", &self.home);
            command.stdin(Stdio::null()).stdout(Stdio::null()).spawn()
        };
        names.iter().filter_map(|name| mark(name).ok()).collect()
    }

    /// Names in folders that everybody may write, and in those that nobody may.
    fn names(&self) -> Vec<PathBuf> {
        let text = fs::read_to_string(self.home.join("cluster.json")).unwrap_or_default();
        let id = text.split('"').skip_while(|w| *w != "id").nth(2).unwrap_or_default().to_owned();
        let mut made = Vec::new();
        for folder in ["/tmp", "/var/tmp", "/run", "/dev/shm"] {
            let at = Path::new(folder).join(format!("cordee-{id}"));
            if symlink(&self.canaries, &at).is_ok() || fs::create_dir(&at).is_ok() {
                made.push(at);
            }
        }
        made
    }
}

fn nonblock() -> i32 {
    i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap()
}

// ---- what is there, before and after

/// Mode, owner, group, and what is in it.
type Seen = (u32, u32, u32, Option<u64>);

/// All that is not one of these users' own, nor changes by itself.
fn inventory(cluster: &Cluster, users: &[&str]) -> BTreeMap<PathBuf, Seen> {
    let (mut all, mut left) = (BTreeMap::new(), vec![cluster.home().to_owned()]);
    while let Some(folder) = left.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let short = path.strip_prefix(cluster.home()).unwrap().to_owned();
            let own = |user: &&str| may_write(user, &short) && !short.starts_with("conf");
            if users.iter().any(own) {
                continue;
            }
            let Ok(meta) = fs::symlink_metadata(&path) else { continue };
            if meta.is_dir() {
                left.push(path.clone());
            }
            let content = (meta.is_file() && stays(&short)).then(|| {
                let mut hasher = DefaultHasher::new();
                fs::read(&path).unwrap_or_default().hash(&mut hasher);
                hasher.finish()
            });
            all.insert(short, (meta.mode(), meta.uid(), meta.gid(), content));
        }
    }
    all
}

/// Whether what is in a file stays, whatever Cordée does.
fn stays(short: &Path) -> bool {
    let top = short.iter().next().and_then(|p| p.to_str()).unwrap_or_default();
    let site = short.iter().nth(2).is_some_and(|p| p == "site");
    matches!(top, "secrets.json" | "cluster.json" | "logins.key" | "complete") || site
}

#[track_caller]
fn nothing_changed(
    cluster: &Cluster,
    users: &[&str],
    before: &BTreeMap<PathBuf, Seen>,
    attackers: &[User],
    mark: &str,
) {
    let after = inventory(cluster, users);
    for (path, seen) in before.iter().filter(|(path, _)| after.contains_key(*path) || stays(path)) {
        assert_eq!(after.get(path), Some(seen), "{} is not as it was", path.display());
    }
    for (path, (mode, uid, ..)) in after.iter().filter(|(path, _)| !before.contains_key(*path)) {
        assert!(!attackers.iter().any(|u| u.uid == *uid), "{} is the attacker's", path.display());
        assert!(mode & 0o170_000 != 0o120_000, "{} is a link", path.display());
    }
    // What a program says of its own file stands in its log and in the journal.
    let says = |short: &Path| {
        let name = short.file_name().and_then(|n| n.to_str()).unwrap_or_default();
        name.starts_with("state.db") || short.iter().any(|p| p == "log" || p == "trash" || p == "conf")
    };
    for path in after.keys().filter(|p| !says(p) && **p != *Path::new(PROGRAM)) {
        let Ok(meta) = fs::symlink_metadata(cluster.home().join(path)) else { continue };
        if meta.is_file() && meta.len() < 8 << 20 {
            let bytes = fs::read(cluster.home().join(path)).unwrap_or_default();
            let marked = memchr::memmem::find(&bytes, mark.as_bytes()).is_some();
            assert!(!marked, "{} holds what an attacker wrote", path.display());
        }
    }
}

// ---- the cases

/// One attacker, and what it says.
struct Attacker {
    user: &'static str,
    child: Child,
}

impl Attacker {
    fn start(
        cluster: &Cluster,
        program: &Path,
        canaries: &Canaries,
        user: &'static str,
        kills: bool,
    ) -> Self {
        let who = User::find(user);
        let mut pids: Vec<u32> = cluster.processes().iter().map(|p| p.pid).collect();
        pids.sort_unstable();
        let pids: Vec<String> = pids.iter().map(ToString::to_string).collect();
        let ports: Vec<u16> = cluster.api().snapshot().servers.iter().map(|s| s.port).collect();
        let (from, to) = (*ports.iter().min().unwrap(), *ports.iter().max().unwrap());
        let child = Command::new(program)
            .args([ATTACKER, cluster.home().to_str().unwrap(), canaries.folder().to_str().unwrap()])
            .args([from.to_string(), to.to_string(), kills.to_string(), pids.join(",")])
            .uid(who.uid)
            .gid(who.gid)
            .current_dir("/")
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("an attacker");
        Self { user, child }
    }

    /// What it did that only its own user could be reached by.
    fn end(self) {
        let Self { user, child } = self;
        let said = child.wait_with_output().expect("an attacker");
        let said = String::from_utf8_lossy(&said.stdout).into_owned();
        let tried = said.lines().find(|l| l.starts_with("tried ")).unwrap_or_default().to_owned();
        println!("#   {user}: {tried}, {} things reached", said.lines().count());
        assert!(!tried.is_empty() && !tried.starts_with("tried 0 "), "{user} did not try: {said}");
        for line in said.lines() {
            let (what, path) = line.split_once(' ').unwrap_or((line, ""));
            let fine = match what {
                "tried" => true,
                // A socket of the databases' under the name that `mysql` gave it for a moment.
                "reached" if path.starts_with("run/db") && path.ends_with("/.aside") => true,
                "wrote" | "reached" => may_write(user, Path::new(path)),
                _ => false,
            };
            assert!(fine, "{user} {line}");
        }
    }
}

fn program(cluster: &Cluster) -> PathBuf {
    let program = cluster.home().join(PROGRAM);
    fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    program
}

/// Whether both databases take writes, seen between two looks at the first.
fn two_open(cluster: &Cluster) -> bool {
    let open = |name: &str| {
        Db::root(cluster, name).try_query("SELECT @@read_only").is_ok_and(|rows| rows == [["0".to_owned()]])
    };
    open("db1") && open("db2") && open("db1")
}

/// Attacks by these users, while Cordée works and dies.
fn attacked(cluster: &Cluster, users: &[&'static str], kills: bool) {
    cluster.settle();
    let canaries = Canaries::new(cluster);
    let program = program(cluster);
    let who: Vec<User> = users.iter().map(|u| User::find(u)).collect();
    let before = inventory(cluster, users);
    assert!(before.len() > 40, "{}", before.len());
    let id = identity(cluster);
    let begun = Instant::now();
    let attackers: Vec<Attacker> =
        users.iter().map(|user| Attacker::start(cluster, &program, &canaries, user, kills)).collect();
    let api = cluster.api();
    if !kills {
        api.act("/v1/pools/web/servers/web2/restart");
        api.act("/v1/clean?apply=true");
    }
    while begun.elapsed() < TRIES / 3 {
        assert!(!two_open(cluster), "a second writer");
    }
    replaced(cluster);
    for pool in ["web/servers/web1", "db/servers/db2"] {
        let _ = api.call("GET", &format!("/v1/pools/{pool}/logs?lines=100"), None);
    }
    while begun.elapsed() < TRIES {
        assert!(!two_open(cluster), "a second writer");
    }
    for attacker in attackers {
        attacker.end();
    }
    wait::until("all is well again", ENDS, || cluster.api().try_snapshot()?.settled());
    assert!(!two_open(cluster), "a second writer");
    assert_eq!(identity(cluster), id);
    nothing_changed(cluster, users, &before, &who, mark(kills));
    canaries.unchanged();
    assert!(!canaries.folder().join("made").exists(), "somebody with more rights did it");
}

/// The name under which Apache would keep its scoreboard in `/dev/shm`, as APR makes it of the file's path.
fn shared_memory(file: &Path) -> PathBuf {
    let octets = file.to_str().unwrap().bytes();
    let first = octets.clone().fold(0_u32, |sum, c| sum.wrapping_mul(33).wrapping_add(u32::from(c)));
    let mut factor = 63_689_u32;
    let second = octets.fold(0_u32, |sum, c| {
        let next = sum.wrapping_mul(factor).wrapping_add(u32::from(c));
        factor = factor.wrapping_mul(378_551);
        next
    });
    PathBuf::from(format!("/dev/shm/ShM.{first:x}H{second:x}"))
}

/// What a process has open or mapped in a folder of everybody's, or shares by a number that everybody may ask for.
fn shared_with_everybody(cluster: &Cluster, pid: u32) -> Vec<String> {
    let process = PathBuf::from(format!("/proc/{pid}"));
    let maps = fs::read_to_string(process.join("maps")).unwrap_or_default();
    let mut all: Vec<String> = maps
        .lines()
        .filter_map(|line| line.splitn(6, ' ').nth(5))
        .map(|name| name.trim().to_owned())
        .collect();
    let open = fs::read_dir(process.join("fd")).into_iter().flatten().flatten();
    all.extend(open.filter_map(|fd| Some(fs::read_link(fd.path()).ok()?.to_string_lossy().into_owned())));
    let home = cluster.home().to_str().unwrap();
    let everybody_s = ["/tmp/", "/var/tmp/", "/dev/shm/", "/run/lock/", "/SYSV"];
    all.retain(|name| everybody_s.iter().any(|folder| name.starts_with(folder)) && !name.starts_with(home));
    all
}

fn names_that_nobody_took_beforehand_keep_no_program_from_starting(cluster: &Cluster) {
    cluster.settle();
    let (nobody, api) = (User::find("nobody"), cluster.api());
    let taken = ["web1", "web2"]
        .map(|name| shared_memory(&cluster.home().join("servers").join(name).join("run/scoreboard")));
    for name in &taken {
        assert!(!name.exists(), "{} is the web server's own", name.display());
        assert!(nobody.tries("/usr/bin/touch", &[name.to_str().unwrap()]));
    }
    for server in ["web1", "web2"] {
        api.act(&format!("/v1/pools/web/servers/{server}/restart"));
        cluster.settle();
    }
    for name in &taken {
        fs::remove_file(name).unwrap();
    }
    let all = cluster.servers();
    assert!(all.len() > 6, "{all:?}");
    for process in all {
        let shared = shared_with_everybody(cluster, process.pid);
        assert!(shared.is_empty(), "{}: {shared:?}", process.program);
    }
}

fn nobody_and_www_data_change_nothing_of_anybody_else_s(cluster: &Cluster) {
    let first = Pair::wait(cluster);
    attacked(cluster, &["nobody", "www-data"], false);
    let last = Pair::wait(cluster);
    assert_eq!(
        (first.epoch, first.writer.pid),
        (last.epoch, last.writer.pid),
        "no other writer, and no restart"
    );
}

fn mysql_and_haproxy_change_nothing_of_anybody_else_s(cluster: &Cluster) {
    let web = |cluster: &Cluster| ["web1", "web2"].map(|name| cluster.api().snapshot().server(name).pid);
    cluster.settle();
    let before = web(cluster);
    attacked(cluster, &["mysql", "haproxy"], true);
    assert_eq!(before, web(cluster), "another user's process was ended");
}
