//! Whoever takes the port of a server that is not there gets nobody that was meant for it: no visitor, no application.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed expectation is how a test ends")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use cordee_e2e::api::{Server, Status};
use cordee_e2e::case;
use cordee_e2e::cluster::Cluster;
use cordee_e2e::db::Db;
use cordee_e2e::http::Client;
use cordee_e2e::load::{Ask, Load};
use cordee_e2e::ports::local;
use cordee_e2e::suite::File;
use cordee_e2e::wait;
use rustix::fs::{FlockOperation, fcntl_lock};
use rustix::process::Signal;

/// How soon the page says that a port is taken.
const TOLD: Duration = Duration::from_secs(3);
/// How soon all is well again once it is free.
const WELL: Duration = Duration::from_secs(20);
/// From the death until HAProxy leads there no more, and the thief has said what it got meanwhile. It is 10 to 30 ms on
/// a machine that does nothing else.
const GAP: Duration = Duration::from_millis(500);
/// For so long a thief waits for what does not come.
const WATCHED: Duration = Duration::from_secs(4);
/// `nobody`.
const NOBODY: u32 = 65_534;
/// The first argument by which this program is the thief.
const THIEF: &str = "--take-port";

/// Its cases.
pub fn file() -> File {
    File::new(
        "ports",
        &[],
        &[
            case!(a_dead_web_server_s_port_gets_no_visitor),
            case!(a_port_taken_while_its_server_was_stopped_gets_no_visitor),
            case!(a_port_taken_while_cordee_was_away_gets_no_visitor_once_it_is_back),
            case!(a_writer_that_listens_only_once_cordee_is_back_serves_again),
            case!(a_dead_database_s_port_gets_no_application),
            case!(haproxy_s_own_port_taken_while_it_restarts_is_told),
        ],
    )
}

/// The port that this program is to take, when it is the thief.
pub fn thief() -> Option<u16> {
    let mut arguments = std::env::args().skip(1);
    (arguments.next()? == THIEF).then(|| arguments.next()?.parse().ok()).flatten()
}

/// Takes the port as soon as it is free, answers all with a good page, and says who asked what, and when.
pub fn steal(port: u16) -> ExitCode {
    let listener = loop {
        if let Ok(listener) = TcpListener::bind(local(port)) {
            break listener;
        }
        std::thread::sleep(Duration::from_micros(200));
    };
    println!("taken");
    for stream in listener.incoming().flatten() {
        std::thread::spawn(move || {
            let mut stream = stream;
            let _ = stream.set_read_timeout(Some(Duration::from_millis(200)));
            let mut asked = [0; 2_048];
            let count = stream.read(&mut asked).unwrap_or(0);
            let asked = String::from_utf8_lossy(&asked[..count]).into_owned();
            println!("asked {}", asked.replace(['\r', '\n'], " "));
            let page = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nstolen";
            let _ = stream.write_all(page.as_bytes());
        });
    }
    ExitCode::SUCCESS
}

/// Somebody else on this machine who waits for a port.
struct Thief {
    child: Child,
    seen: Arc<Mutex<Vec<(Instant, String)>>>,
}

impl Thief {
    fn waits_for(cluster: &Cluster, port: u16) -> Self {
        // Where `nobody` may enter.
        let program = cluster.home().join("e2e-thief");
        std::fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        let mut command = Command::new(program);
        command.args([THIEF, &port.to_string()]).stdout(Stdio::piped());
        if rustix::process::geteuid().is_root() {
            command.uid(NOBODY).gid(NOBODY).current_dir("/");
        }
        let mut child = command.spawn().expect("a thief");
        let seen: Arc<Mutex<Vec<(Instant, String)>>> = Arc::default();
        let (out, noted) = (child.stdout.take().expect("its words"), seen.clone());
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                noted.lock().unwrap().push((Instant::now(), line));
            }
        });
        Self { child, seen }
    }

    /// When it had the port.
    fn taken(&self) -> Instant {
        let taken = || self.seen.lock().unwrap().iter().find(|(_, l)| l == "taken").map(|(at, _)| *at);
        wait::until("the port is taken", TOLD, || taken().ok_or("not yet")).0
    }

    /// What it was asked, and when, by others than HAProxy's checks.
    fn asked(&self) -> Vec<(Instant, String)> {
        let seen = self.seen.lock().unwrap();
        let asked = seen.iter().filter_map(|(at, l)| Some((*at, l.strip_prefix("asked ")?)));
        asked.filter(|(_, l)| !l.contains("cordee-check")).map(|(at, l)| (at, l.to_owned())).collect()
    }

    #[track_caller]
    fn got_nobody_after(&self, at: Instant) {
        let late: Vec<String> =
            self.asked().into_iter().filter(|(when, _)| *when > at).map(|a| a.1).collect();
        assert!(late.is_empty(), "{} went to the thief, the first with {:?}", late.len(), late.first());
    }

    /// How many it got, and until when after the death.
    fn gap(&self, died: Instant) -> String {
        let asked = self.asked();
        let last = asked.last().map_or(0, |(at, _)| at.saturating_duration_since(died).as_millis());
        format!("{} asked, the last after {last} ms", asked.len())
    }
}

impl Drop for Thief {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn wait_until_told(cluster: &Cluster, server: &str, port: u16, bound: Duration) -> Status {
    let (status, _) = wait::until("the page says that the port is taken", bound, || {
        let status = cluster.api().try_snapshot()?.server(server).status.clone();
        let told = status.reason.as_deref().is_some_and(|r| r.contains(&port.to_string()));
        if status.severity == "critical" && told { Ok(status) } else { Err(format!("{status:?}")) }
    });
    println!("#   {status:?}");
    status
}

fn a_dead_web_server_s_port_gets_no_visitor(cluster: &Cluster) {
    cluster.settle();
    let web1 = cluster.api().snapshot().server("web1").clone();
    let thief = Thief::waits_for(cluster, web1.port);
    let visitors = Load::new(cluster.site(), 8, Ask::Get("/")).think(1..20).start();
    wait::until_true("visitors are served", TOLD, || visitors.sent() > 100);
    let died = cluster.signal_group(web1.pid.expect("it runs"), Signal::KILL);
    let taken = thief.taken();
    wait_until_told(cluster, "web1", web1.port, TOLD);
    // With the cookie that leads to it, too.
    let cookie = web1.cookie.expect("a cookie");
    for _ in 0..20 {
        let mut client = Client::new(cluster.site()).cookie("SERVEUR", &cookie).header("Connection", "close");
        let page = client.get("/couleur").expect("served");
        assert_ne!(page.text(), "stolen");
    }
    std::thread::sleep(WATCHED);
    println!("#   taken after {} ms; in the gap: {}", (taken - died).as_millis(), thief.gap(died));
    thief.got_nobody_after(died + GAP);
    let sent = visitors.stop();
    sent.assert_no_failure(500);
    drop(thief);
    wait::until("web1 serves again", WELL, || cluster.api().try_snapshot()?.settled());
}

fn a_port_taken_while_its_server_was_stopped_gets_no_visitor(cluster: &Cluster) {
    cluster.settle();
    let web2 = cluster.api().snapshot().server("web2").clone();
    cluster.cli_ok(&["stop", "web2"]);
    cluster.api().wait_for_severity("web2", "maintenance", WELL);
    let thief = Thief::waits_for(cluster, web2.port);
    let taken = thief.taken();
    let visitors = Load::new(cluster.site(), 4, Ask::Get("/")).think(5..30).start();
    let started = cluster.cli(&["start", "web2", "--no-wait"]);
    println!("#   {started:?}");
    wait_until_told(cluster, "web2", web2.port, TOLD);
    std::thread::sleep(WATCHED);
    thief.got_nobody_after(taken);
    visitors.stop().assert_no_failure(50);
    drop(thief);
    wait::until("web2 serves again", WELL, || cluster.api().try_snapshot()?.settled());
}

/// Meanwhile HAProxy's checks alone decide, and the thief answers them well.
fn a_port_taken_while_cordee_was_away_gets_no_visitor_once_it_is_back(cluster: &Cluster) {
    cluster.settle();
    let web1 = cluster.api().snapshot().server("web1").clone();
    let thief = Thief::waits_for(cluster, web1.port);
    let visitors = Load::new(cluster.site(), 4, Ask::Get("/")).think(1..20).start();
    cluster.signal(cluster.serve().expect("serve").pid, Signal::KILL);
    let died = cluster.signal_group(web1.pid.expect("it runs"), Signal::KILL);
    thief.taken();
    wait_until_told(cluster, "web1", web1.port, WELL);
    let told = Instant::now();
    std::thread::sleep(WATCHED);
    println!("#   while it was away: {}", thief.gap(died));
    thief.got_nobody_after(told + GAP);
    visitors.stop().assert_no_failure(100);
    drop(thief);
    wait::until("web1 serves again", WELL, || cluster.api().try_snapshot()?.settled());
}

/// A start that takes long, as a recovery does, and a Cordée that dies meanwhile. MariaDB waits for up to 30 s for the
/// lock of a file of its own before it listens.
fn a_writer_that_listens_only_once_cordee_is_back_serves_again(cluster: &Cluster) {
    cluster.settle();
    let (writer, other) = writer_and_other(cluster);
    cluster.cli_ok(&["stop", other]);
    cluster.api().wait_for_severity(other, "maintenance", WELL);
    let application = Db::new(cluster, &[]);
    application.query("SELECT 1");
    let data = cluster.home().join("servers").join(&writer.name).join("data");
    let file = std::fs::File::options().read(true).write(true).open(data.join("aria_log_control")).unwrap();
    // It has the lock as soon as the one that dies has not.
    let lock = std::thread::spawn(move || {
        fcntl_lock(&file, FlockOperation::LockExclusive).expect("a lock");
        file
    });
    let died = writer.pid.expect("it runs");
    cluster.signal_group(died, Signal::KILL);
    let lock = lock.join().expect("a lock");
    let pid = || {
        cluster.api().try_snapshot()?.server(&writer.name).pid.filter(|p| *p != died).ok_or("none".to_owned())
    };
    let (pid_before, _) = wait::until("another one is started", WELL, pid);
    let serve = cluster.serve().expect("serve");
    cluster.signal(serve.pid, Signal::KILL);
    wait::until_true("another Cordée serves", WELL, || cluster.serve().is_some_and(|s| s.pid != serve.pid));
    let (adopted, _) = wait::until("it is adopted", WELL, pid);
    assert!(TcpStream::connect(local(writer.port)).is_err(), "it listens already");
    assert!(application.try_query("SELECT 1").is_err(), "who answered?");
    drop(lock);
    let (_, took) = wait::until("it answers again", WELL, || application.try_query("SELECT 1"));
    println!("#   in service {} ms after it could go on", took.as_millis());
    let now = cluster.api().snapshot().server(&writer.name).pid;
    assert_eq!((Some(pid_before), Some(adopted)), (now, now), "it was not started again");
    cluster.cli_ok(&["start", other, "--no-wait"]);
    wait::until("all is well again", WELL, || cluster.api().try_snapshot()?.settled());
}

/// The database that takes the writes, and the name of the other one.
fn writer_and_other(cluster: &Cluster) -> (Server, &'static str) {
    let writer = cluster.api().snapshot().servers.into_iter().find(|s| s.role.as_deref() == Some("writer"));
    let writer = writer.expect("a writer");
    let other = if writer.name == "db1" { "db2" } else { "db1" };
    (writer, other)
}

/// The writer alone, so that nobody takes its place: HAProxy has no other one to lead to.
fn a_dead_database_s_port_gets_no_application(cluster: &Cluster) {
    cluster.settle();
    let (writer, other) = writer_and_other(cluster);
    cluster.cli_ok(&["stop", other]);
    cluster.api().wait_for_severity(other, "maintenance", WELL);
    let thief = Thief::waits_for(cluster, writer.port);
    let application = Db::new(cluster, &[]);
    application.query("SELECT 1");
    let died = cluster.signal_group(writer.pid.expect("it runs"), Signal::KILL);
    thief.taken();
    wait_until_told(cluster, &writer.name, writer.port, TOLD);
    let begun = Instant::now();
    while begun.elapsed() < WATCHED {
        assert!(application.try_query("SELECT 1").is_err(), "who answered?");
    }
    println!("#   in the gap: {}", thief.gap(died));
    thief.got_nobody_after(died + GAP);
    drop(thief);
    wait::until("it answers again", WELL, || application.try_query("SELECT 1"));
    cluster.cli_ok(&["start", other, "--no-wait"]);
    wait::until("all is well again", WELL, || cluster.api().try_snapshot()?.settled());
}

fn haproxy_s_own_port_taken_while_it_restarts_is_told(cluster: &Cluster) {
    cluster.settle();
    let proxy = cluster.api().snapshot().proxy("web").clone();
    let thief = Thief::waits_for(cluster, cluster.site().port());
    cluster.signal_group(proxy.pid.expect("it runs"), Signal::KILL);
    thief.taken();
    let port = cluster.site().port().to_string();
    let (verdict, _) = wait::until("it is told", TOLD, || {
        let snapshot = cluster.api().try_snapshot()?;
        let status = &snapshot.proxy("web").status;
        let told = status.reason.as_deref().is_some_and(|r| r.contains(&port));
        if told && snapshot.verdict.severity == "critical" {
            Ok(snapshot.verdict)
        } else {
            Err(format!("{status:?}"))
        }
    });
    println!("#   {verdict:?}");
    std::thread::sleep(WATCHED);
    // What answers there now is no site: nobody takes it for one.
    assert_eq!(cluster.api().snapshot().verdict.severity, "critical");
    drop(thief);
    wait::until("the site is back", WELL, || cluster.api().try_snapshot()?.settled());
}
