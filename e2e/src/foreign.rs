//! Databases that are not the cluster's: a MariaDB of the test's own, and things that only listen like one.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::cluster::{Cluster, run};
use crate::db::Db;
use crate::wait;
use serde_json::{Value, json};

/// The person's account on it.
pub const USER: &str = "ana";
/// Its password: with everything that a file of options could take for something else.
pub const PASSWORD: &str = "it's \"60 m\" \\ # of rope; é";

/// How much of its log is shown when its case has failed: a crash writes a stack of about this length.
const LAST_LINES: usize = 80;

/// What is asked of the API for one that exists, with [`USER`]'s account.
pub fn body(name: &str, address: &str, port: u16, password: &str) -> Value {
    json!({ "name": name, "address": address, "port": port, "user": USER, "password": password })
}

/// The lines that the file of a database needs which is to join now.
#[track_caller]
pub fn lines(cluster: &Cluster) -> Vec<String> {
    let plan = cluster.api().get("/v1/pools/db/join");
    let id = &plan["id"];
    let fixed = [
        "read_only=1",
        "log_bin=log",
        "log_slave_updates=1",
        "binlog_format=ROW",
        "gtid_strict_mode=1",
        "gtid_ignore_duplicates=1",
        "slave_net_timeout=10",
        "sync_binlog=1",
        "skip-name-resolve",
    ];
    let mut all: Vec<String> = fixed.iter().map(|l| (*l).to_owned()).collect();
    all.extend([format!("server_id={id}"), format!("gtid_domain_id={id}")]);
    all
}

/// A MariaDB that the test started itself. Dropping it ends it.
#[derive(Debug)]
pub struct Guest {
    name: String,
    folder: PathBuf,
    port: u16,
    child: Option<Child>,
}

impl Guest {
    /// Makes and starts one with these lines in its file. Its socket lies where [`Db::root`] looks for `name`.
    #[track_caller]
    pub fn start(cluster: &Cluster, name: &str, port: u16, lines: &[String]) -> Self {
        let folder = PathBuf::from(format!("/var/tmp/cordee-guest-{}-{name}-{port}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir(&folder).expect("folder");
        let socket = cluster.home().join("run").join(name);
        std::fs::create_dir_all(&socket).expect("folder of the socket");
        for path in [&folder, &socket] {
            own(path);
        }
        let mut install = Command::new("/usr/bin/mariadb-install-db");
        install.args(["--no-defaults", "--skip-test-db", "--auth-root-authentication-method=socket"]);
        install.arg(format!("--datadir={}", folder.join("data").display()));
        if mysql().is_some() {
            install.arg("--user=mysql");
        }
        let said = run(&mut install, Duration::from_secs(60));
        assert_eq!(said.code, 0, "mariadb-install-db: {said:#?}");
        let mut guest = Self { name: name.to_owned(), folder, port, child: None };
        guest.restart(cluster, lines);
        let password = PASSWORD.replace('\\', "\\\\").replace('\'', "\\'");
        Db::root(cluster, name).query(&format!(
            "SET sql_log_bin=0; CREATE USER {USER}@127.0.0.1 IDENTIFIED BY '{password}'; \
             GRANT ALL PRIVILEGES ON *.* TO {USER}@127.0.0.1 WITH GRANT OPTION"
        ));
        guest
    }

    /// Starts it anew with these lines in its file.
    #[track_caller]
    pub fn restart(&mut self, cluster: &Cluster, lines: &[String]) {
        self.end();
        let (folder, port) = (&self.folder, self.port);
        let socket = cluster.home().join("run").join(&self.name).join("mariadb.sock");
        let file = folder.join("my.cnf");
        let own = format!(
            "[mariadbd]\ndatadir={f}/data\nsocket={}\npid-file={f}/pid\nport={port}\nbind-address=127.0.0.1\n\
             performance_schema=0\ninnodb_buffer_pool_size=32M\n{}\n",
            socket.display(),
            lines.join("\n"),
            f = folder.display()
        );
        std::fs::write(&file, own).expect("my.cnf");
        let log = std::fs::File::create(folder.join("log")).expect("log");
        let mut command = Command::new("/usr/sbin/mariadbd");
        command.arg(format!("--defaults-file={}", file.display()));
        if mysql().is_some() {
            command.arg("--user=mysql");
        }
        command.stdin(Stdio::null()).stdout(log.try_clone().expect("log")).stderr(log);
        self.child = Some(command.spawn().expect("mariadbd"));
        let root = Db::root(cluster, &self.name);
        wait::until("the test's own MariaDB answers", Duration::from_secs(30), || {
            root.try_query("SELECT 1").map(|_| ())
        });
    }

    /// Asks over the API that it joins; that must be taken.
    #[track_caller]
    pub fn join(&self, cluster: &Cluster) {
        let wish = body(&self.name, "127.0.0.1", self.port, PASSWORD);
        let reply = cluster.api().post("/v1/pools/db/servers", &wish);
        assert_eq!(reply.status, 201, "{reply:?}");
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Where its general log is written.
    pub fn general_log(&self) -> PathBuf {
        self.folder.join("data/general.log")
    }

    /// Whether it has ended by itself, and what it wrote last: its folder goes with it.
    fn tell(&mut self) {
        let ended = self.child.as_mut().map(Child::try_wait);
        println!("#   {}, the test's own MariaDB, ended: {ended:?}", self.name);
        let log = std::fs::read(self.folder.join("log")).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = log.lines().collect();
        for line in &lines[lines.len().saturating_sub(LAST_LINES)..] {
            println!("#     {line}");
        }
    }

    /// Ends it for good, as a machine that loses its power.
    pub fn end(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.tell();
        }
        self.end();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// MariaDB refuses to run as root.
fn mysql() -> Option<(u32, u32)> {
    if !rustix::process::geteuid().is_root() {
        return None;
    }
    let passwd = std::fs::read_to_string("/etc/passwd").ok()?;
    let line = passwd.lines().find(|l| l.starts_with("mysql:"))?;
    let mut fields = line.split(':').skip(2);
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}

fn own(path: &std::path::Path) {
    if let Some((user, group)) = mysql() {
        std::os::unix::fs::chown(path, Some(user), Some(group)).expect("chown");
    }
}

/// Something that listens and is no honest database.
#[derive(Debug)]
pub struct Fake {
    port: u16,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<Vec<u8>>>,
}

impl Fake {
    /// Listens on that port, and does that with each connection; it gives what it was told.
    #[track_caller]
    pub fn start(port: u16, each: fn(&mut TcpStream) -> Vec<u8>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).expect("listen");
        listener.set_nonblocking(true).expect("nonblocking");
        let over = Arc::new(AtomicBool::new(false));
        let stop = over.clone();
        let thread = std::thread::spawn(move || {
            let mut told = Vec::new();
            while !stop.load(Ordering::Relaxed) {
                match listener.accept() {
                    Ok((mut stream, _)) => {
                        let _ = stream.set_nonblocking(false);
                        let _ = stream.set_read_timeout(Some(Duration::from_secs(1)));
                        let _ = stream.set_write_timeout(Some(Duration::from_secs(1)));
                        told.extend(each(&mut stream));
                    }
                    Err(_) => std::thread::sleep(Duration::from_millis(5)),
                }
            }
            told
        });
        Self { port, over, thread: Some(thread) }
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Ends it, and gives everything that it was told.
    #[track_caller]
    pub fn told(mut self) -> Vec<u8> {
        self.over.store(true, Ordering::Relaxed);
        self.thread.take().expect("runs").join().expect("the fake")
    }
}

/// Says what no database says, and goes on saying it.
pub fn babbles(stream: &mut TcpStream) -> Vec<u8> {
    for _ in 0..2_000 {
        if stream.write_all(&[0xA5; 4_096]).is_err() {
            break;
        }
    }
    Vec::new()
}

/// Says nothing.
pub fn keeps_silent(stream: &mut TcpStream) -> Vec<u8> {
    let mut told = Vec::new();
    let _ = stream.set_read_timeout(Some(Duration::from_secs(6)));
    let _ = stream.read_to_end(&mut told);
    told
}

/// Greets as MySQL.
pub fn is_mysql(stream: &mut TcpStream) -> Vec<u8> {
    let _ = stream.write_all(&greeting("8.0.36"));
    Vec::new()
}

/// Greets as MariaDB, takes any account, and answers each question by asking for a file.
pub fn asks_for_a_file(stream: &mut TcpStream) -> Vec<u8> {
    let mut told = Vec::new();
    let mut piece = [0; 4_096];
    let _ = stream.write_all(&greeting("5.5.5-10.11.19-MariaDB"));
    let Ok(count) = stream.read(&mut piece) else { return told };
    told.extend_from_slice(&piece[..count]);
    let _ = stream.write_all(&packet(2, &[0, 0, 0, 2, 0, 0, 0]));
    while let Ok(count) = stream.read(&mut piece) {
        if count == 0 {
            break;
        }
        told.extend_from_slice(&piece[..count]);
        let _ = stream.write_all(&packet(1, b"\xFB/etc/passwd"));
    }
    told
}

/// Greets as MariaDB, takes any account, and answers with rows without end.
pub fn floods(stream: &mut TcpStream) -> Vec<u8> {
    let mut piece = [0; 4_096];
    let mut hears = |stream: &mut TcpStream| matches!(stream.read(&mut piece), Ok(count) if count > 0);
    let _ = stream.write_all(&greeting("5.5.5-10.11.19-MariaDB"));
    if !hears(stream) {
        return Vec::new();
    }
    let _ = stream.write_all(&packet(2, &[0, 0, 0, 2, 0, 0, 0]));
    if !hears(stream) {
        return Vec::new();
    }
    let column = b"\x03def\0\0\0\x01a\x01a\x0c\x21\0\xFF\xFF\0\0\xFD\0\0\0\0\0";
    let start = [packet(1, &[1]), packet(2, column), packet(3, &[0xFE, 0, 0, 2, 0])].concat();
    let _ = stream.write_all(&start);
    let mut row = vec![0xFC, 0, 0x40];
    row.extend(std::iter::repeat_n(b'x', 0x4000));
    for number in 4_u32..200_000 {
        if stream.write_all(&packet(number.to_le_bytes()[0], &row)).is_err() {
            break;
        }
    }
    Vec::new()
}

fn packet(number: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).expect("short").to_le_bytes();
    let mut bytes = vec![length[0], length[1], length[2], number];
    bytes.extend_from_slice(body);
    bytes
}

/// A first packet of protocol 10: without TLS, with `mysql_native_password` and the offer to read our files.
fn greeting(version: &str) -> Vec<u8> {
    let mut body = vec![10];
    body.extend_from_slice(version.as_bytes());
    body.extend_from_slice(&[0, 7, 0, 0, 0]);
    body.extend_from_slice(b"abcdefgh\0");
    body.extend_from_slice(&[0x8D, 0xA2, 33, 2, 0, 0x08, 0x00, 21]);
    body.extend_from_slice(&[0; 10]);
    body.extend_from_slice(b"ijklmnopqrst\0mysql_native_password\0");
    packet(0, &body)
}
