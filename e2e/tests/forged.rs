//! What another user of the machine can make up: marks, locks, folders, log lines. Nothing of it is believed, and
//! Cordée comes back from its own death whatever lies in its way. As root only: it becomes other users.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed expectation is how a test ends")]

use std::ffi::OsStr;
use std::net::UdpSocket;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use cordee_e2e::case;
use cordee_e2e::cluster::Cluster;
use cordee_e2e::pair::{Pair, READY};
use cordee_e2e::procs::Process;
use cordee_e2e::suite::{self, File};
use cordee_e2e::wait;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// Long enough that the sockets do not fit below it.
const NAME: &str = "forged-in-a-folder-whose-path-is-too-long-for-any-socket";
const NOBODY: u32 = 65_534;
/// Cordée is back, has looked at everything, and says so.
const BACK: Duration = Duration::from_secs(20);

/// Its cases.
pub fn file() -> File {
    File::new(
        NAME,
        &[],
        &[
            case!(sockets_lie_where_nobody_else_makes_folders),
            case!(a_line_that_haproxy_did_not_write_is_no_visitor),
            case!(what_carries_a_mark_is_not_ours_for_that),
            case!(a_lock_that_somebody_else_wants_is_not_theirs),
        ],
    )
    .needs(suite::root)
}

/// A process of another user's, ended with the test.
struct Forged(Child);

impl Drop for Forged {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn as_user(program: &OsStr, arguments: &[&str], uid: u32) -> Command {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .current_dir("/")
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .uid(uid)
        .gid(uid);
    command
}

/// A process that carries a mark, frozen: it would answer no more questions than a real one that hangs.
fn forged(program: impl AsRef<OsStr>, arguments: &[&str], uid: u32, mark: &str) -> Forged {
    let child =
        as_user(program.as_ref(), arguments, uid).env("CORDEE_PROCESS", mark).spawn().expect("a process");
    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    kill_process(pid, Signal::STOP).expect("freeze");
    Forged(child)
}

fn environment(pid: u32) -> Vec<String> {
    let bytes = std::fs::read(format!("/proc/{pid}/environ")).expect("environment");
    bytes.split(|b| *b == 0).map(|v| String::from_utf8_lossy(v).into_owned()).collect()
}

/// The mark of a process of the cluster, as it carries it.
fn mark(pid: u32) -> String {
    let all = environment(pid);
    all.iter().find_map(|v| v.strip_prefix("CORDEE_PROCESS=")).expect("a mark").to_owned()
}

fn uid(pid: u32) -> u32 {
    std::fs::metadata(format!("/proc/{pid}")).expect("process").uid()
}

pub(crate) fn identity(cluster: &Cluster) -> Value {
    let text = std::fs::read_to_string(cluster.home().join("cluster.json")).expect("cluster.json");
    serde_json::from_str(&text).expect("JSON")
}

/// The leaders, by what the page says of them.
fn leaders(cluster: &Cluster) -> Vec<(String, Option<u32>)> {
    cluster.api().snapshot().servers.iter().map(|s| (s.name.clone(), s.pid)).collect()
}

/// Kills `serve`, and waits until the one after it has looked at everything.
pub(crate) fn replaced(cluster: &Cluster) -> Process {
    let before = cluster.serve().expect("serve");
    cluster.signal(before.pid, Signal::KILL);
    let (serve, took) = wait::until("the keeper brought Cordée back", BACK, || {
        cluster.serve().filter(|s| s.pid != before.pid).ok_or("nobody serves the page")
    });
    println!("#   back after {:.1} s", took.as_secs_f64());
    serve
}

fn sockets_lie_where_nobody_else_makes_folders(cluster: &Cluster) {
    let argument =
        |p: &Process| p.command.iter().find_map(|a| a.split_once(",mode").map(|(s, _)| s.to_owned()));
    let sockets: Vec<PathBuf> = cluster.servers().iter().filter_map(argument).map(PathBuf::from).collect();
    assert_eq!(sockets.iter().filter(|s| s.exists()).count(), sockets.len(), "{sockets:?}");
    assert!(!sockets.is_empty());
    for socket in &sockets {
        // Each folder on the way is root's alone, or of the one program.
        for folder in socket.ancestors().skip(2) {
            let meta = std::fs::symlink_metadata(folder).expect("folder");
            assert!(meta.is_dir() && meta.uid() == 0, "{} is not root's", folder.display());
            assert_eq!(meta.mode() & 0o022, 0, "others may write in {}", folder.display());
        }
    }
}

fn a_line_that_haproxy_did_not_write_is_no_visitor(cluster: &Cluster) {
    let config = cluster.conf("web");
    let line = config.lines().find(|l| l.trim().starts_with("log 127.0.0.1:")).expect("a log line");
    let port: u16 = line.trim()["log 127.0.0.1:".len()..].split(' ').next().unwrap().parse().unwrap();
    let api = cluster.api();
    let before = api.get("/v1/visitors");
    let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis();
    let guess = "0".repeat(32);
    for n in 0..20 {
        let rest = format!("42 {now} 203.0.113.{n} 200 web1 3 76 474554 2F 78 2D3E626C6575 - - -\n");
        for line in [format!("cordee2 {rest}"), format!("cordee3 {rest}"), format!("cordee3 {guess} {rest}")]
        {
            sender.send_to(line.as_bytes(), ("127.0.0.1", port)).unwrap();
        }
    }
    let (after, _) = wait::until("the lines were read", Duration::from_secs(5), || {
        let now = api.get("/v1/visitors");
        let log = |of: &Value, what: &str| of["log"][what].as_u64().unwrap_or(0);
        let more = |what| log(&now, what) - log(&before, what);
        if more("foreign") >= 60 { Ok(now) } else { Err(format!("{} {}", now["log"], now["total"])) }
    });
    assert!(!after.to_string().contains("203.0.113."), "invented visitors: {after}");
    assert_eq!(after["log"]["dropped"], before["log"]["dropped"], "no visitor of ours is missing");
    // A real one is listed beside them, and nobody is told the secret.
    let real = cordee_e2e::http::Client::new(cluster.site()).get("/").expect("the site").status;
    assert_eq!(real, 200);
    let shown = cluster.signed_in().get("/config/web").unwrap().text();
    let format = config.lines().find(|l| l.trim().starts_with("log-format")).expect("a format");
    let secret = format.split(['"', ' ']).find(|w| w.len() == 32).expect("a secret in the format");
    assert!(!shown.contains(secret), "the page shows the secret");
    assert!(!api.get("/v1/proxies/web/config").to_string().contains(secret), "the API shows the secret");
}

fn what_carries_a_mark_is_not_ours_for_that(cluster: &Cluster) {
    let pair = Pair::wait(cluster);
    let (writer, standby) = (pair.writer.name.clone(), pair.standby.name.clone());
    let id = identity(cluster)["id"].as_str().unwrap().to_owned();
    // Some are there before the real ones, as they are after a restart of those.
    let early = [standby.as_str(), "web1"]
        .map(|name| forged("/usr/bin/sleep", &["600"], NOBODY, &format!("{id}/{name}/1.0")));
    for (pool, name) in [("db", &standby), ("web", &"web1".to_owned())] {
        cluster.api().act(&format!("/v1/pools/{pool}/servers/{name}/restart"));
    }
    cluster.settle();
    let pair = Pair::wait(cluster);
    let before = leaders(cluster);
    let pid = |name: &str| before.iter().find(|(n, _)| n == name).and_then(|(_, p)| *p).expect("a process");
    let database = pid(&writer);
    let (copied, web) = (mark(database), mark(pid("web1")));
    let (mysql, apache) = (uid(database), uid(pid("web1")));
    // The right program of the right user with the right mark, and yet another process: it waits for a file that says
    // nothing.
    let fifo = cluster.home().parent().unwrap().join(format!("cordee-forged-{}", std::process::id()));
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &fifo,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::from_raw_mode(0o644),
        0,
    )
    .expect("fifo");
    let option = format!("--defaults-file={}", fifo.display());
    let sleep = ["600"];
    // Its very name is no text.
    let odd = PathBuf::from(OsStr::from_bytes(b"/var/tmp/cordee-\xff\xfe) S 1"));
    std::fs::copy("/usr/bin/sleep", &odd).unwrap();
    let all = [
        forged(&odd, &sleep, mysql, &copied),
        forged("/usr/bin/sleep", &sleep, NOBODY, &format!("{id}/{writer}/1.0")),
        forged("/usr/bin/sleep", &sleep, NOBODY, &copied),
        forged("/usr/bin/sleep", &sleep, NOBODY, &format!("{id}/keeper/0.0")),
        forged("/usr/bin/sleep", &sleep, NOBODY, &format!("{id}/haproxy-web/0.0")),
        forged("/usr/bin/sleep", &sleep, apache, &web),
        forged("/usr/bin/sleep", &sleep, apache, &web.replace("/web1/", "/haproxy-web/")),
        forged("/usr/bin/sleep", &sleep, mysql, &copied),
        forged("/usr/sbin/mariadbd", &[&option], mysql, &copied),
    ];
    replaced(cluster);
    wait::until("everything was adopted rightly", READY, || {
        let now = cluster.api().try_snapshot().map_err(|e| vec![e])?;
        let state: Vec<String> =
            now.servers.iter().map(|s| format!("{} {:?} {}", s.name, s.pid, s.status.severity)).collect();
        let same = before.iter().all(|(n, p)| now.find(n).is_some_and(|s| s.pid == *p));
        if same && now.settled().is_ok() { Ok(()) } else { Err(state) }
    });
    let after = Pair::wait(cluster);
    assert_eq!(
        (after.epoch, after.writer.name),
        (pair.epoch, writer),
        "no second writer, and no change of it"
    );
    for process in all.iter().chain(&early) {
        assert!(Path::new(&format!("/proc/{}", process.0.id())).exists(), "what is not ours is let alone");
    }
    drop((all, early));
    std::fs::remove_file(&fifo).unwrap();
    std::fs::remove_file(&odd).unwrap();
}

fn a_lock_that_somebody_else_wants_is_not_theirs(cluster: &Cluster) {
    let homes = ["serve.lock", "roster/serve.lock"].map(|name| cluster.home().join(name));
    let wanted = || -> Vec<Forged> {
        homes
            .iter()
            .map(|path| {
                let path = path.to_str().unwrap();
                Forged(
                    as_user(
                        OsStr::new("/usr/bin/flock"),
                        &["--shared", path, "/usr/bin/sleep", "600"],
                        NOBODY,
                    )
                    .spawn()
                    .unwrap(),
                )
            })
            .collect()
    };
    // Whoever waits for it gets it at the moment of the death.
    let locks = wanted();
    replaced(cluster);
    cluster.settle();
    drop(locks);
}
