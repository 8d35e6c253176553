//! A cluster of the test's own: its folder, its ports, its processes, and the promise that nothing is left of it.

use std::collections::BTreeSet;
use std::io::Read;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::api::Api;
use crate::http::Client;
use crate::ports::{Ports, local};
use crate::procs::{self, Process};
use crate::wait;

/// The person who signs in during tests.
pub const ACCOUNT: &str = "ana";
/// Her password.
pub const PASSWORD: &str = "corde de rappel 60 m";

/// What the page's script keeps in her browser.
pub const PROOF: &str = "e2e0000000000000000000000000000000000000000000000000000000000e2e";
/// The password that was given with it counts as recent for ten minutes.
const RECENT: Duration = Duration::from_secs(7 * 60);

/// No command of the product takes longer on a machine that compiles something else meanwhile.
const COMMAND: Duration = Duration::from_secs(120);
/// How long a web server or proxy that was touched by a case may take until all is well again.
const SETTLE: Duration = Duration::from_secs(30);

/// What a command said.
#[derive(Clone, Debug)]
pub struct Said {
    /// Exit code; -1 when a signal ended it.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

/// A cluster. Dropping it takes it down.
#[derive(Debug)]
pub struct Cluster {
    home: PathBuf,
    ports: Ports,
    environment: Vec<(String, String)>,
    token: OnceLock<String>,
    session: Mutex<Option<(Instant, (String, String))>>,
    /// The newest revision of the wish that the API told.
    newest: Arc<AtomicU64>,
    down: bool,
}

impl Cluster {
    /// Starts a cluster and returns when `cordee up --detach` says that all that it starts serves.
    #[track_caller]
    pub fn start(name: &str, environment: &[(&str, &str)]) -> Self {
        let cluster = Self::prepare(name, environment);
        let begun = Instant::now();
        let said = cluster.cli(&["up", "--detach"]);
        assert_eq!(said.code, 0, "cordee up --detach: {said:#?}");
        println!("# {name}: up in {:.1} s, in {}", begun.elapsed().as_secs_f64(), cluster.home.display());
        cluster
    }

    /// A folder and ports, with nothing started.
    pub fn prepare(name: &str, environment: &[(&str, &str)]) -> Self {
        sweep();
        // Short, because a unix socket's path has room for 97 characters; and not under a folder that the
        // unprivileged users of the web servers and databases cannot enter.
        let home = PathBuf::from(format!("/var/tmp/cordee-e2e-{name}-{}", std::process::id()));
        std::fs::create_dir(&home).expect("home");
        std::fs::set_permissions(&home, std::fs::Permissions::from_mode(0o755)).expect("mode");
        let owned = |(n, v): &(&str, &str)| ((*n).to_owned(), (*v).to_owned());
        Self {
            home,
            ports: Ports::take(),
            environment: environment.iter().map(owned).collect(),
            token: OnceLock::new(),
            session: Mutex::new(None),
            newest: Arc::default(),
            down: false,
        }
    }

    /// Its folder.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// The page.
    pub fn page(&self) -> SocketAddr {
        local(self.ports.nth(0))
    }

    /// The site, through HAProxy `web`.
    pub fn site(&self) -> SocketAddr {
        local(self.ports.nth(1))
    }

    /// The databases, through HAProxy `db`, as the routing says.
    pub fn db(&self) -> SocketAddr {
        local(self.ports.nth(2))
    }

    /// The one writer, through HAProxy `db`.
    pub fn db_writer(&self) -> SocketAddr {
        local(self.ports.nth(3))
    }

    /// A port that nothing of the cluster will take.
    pub fn spare_port(&self, n: u16) -> u16 {
        assert!(n < 4, "four spare ports");
        self.ports.nth(4 + n)
    }

    /// A file that HAProxy reads: `web` or `db`.
    pub fn conf(&self, proxy: &str) -> String {
        let path = self.home.join("conf").join(format!("{proxy}.cfg"));
        std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
    }

    /// The product's binary with this cluster's environment.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary());
        for (name, _) in std::env::vars_os() {
            // A developer's own cluster must not leak into the test's.
            if name.to_str().is_some_and(|n| n.starts_with("CORDEE_") || n.starts_with("LC_")) {
                command.env_remove(name);
            }
        }
        command
            .args(arguments)
            .env("LANG", "en_GB.UTF-8")
            .env("CORDEE_HOME", &self.home)
            .env("CORDEE_PAGE", self.page().to_string())
            .env("CORDEE_SITE", self.site().to_string())
            .env("CORDEE_DB", self.db().to_string())
            .env("CORDEE_DB_WRITER", self.db_writer().to_string())
            .env("CORDEE_SERVER_PORTS", self.ports.range_from(8))
            .envs(self.environment.iter().map(|(n, v)| (n, v)));
        command
    }

    /// Runs a command of the product to its end.
    #[track_caller]
    pub fn cli(&self, arguments: &[&str]) -> Said {
        run(&mut self.command(arguments), COMMAND)
    }

    /// The same, in another language.
    #[track_caller]
    pub fn cli_in(&self, language: &str, arguments: &[&str]) -> Said {
        run(self.command(arguments).env("LANG", language), COMMAND)
    }

    /// Runs a command that must succeed and gives its standard output.
    #[track_caller]
    pub fn cli_ok(&self, arguments: &[&str]) -> String {
        let said = self.cli(arguments);
        assert_eq!(said.code, 0, "cordee {arguments:?}: {said:#?}");
        said.out
    }

    /// The API, with a token made by the command line.
    #[track_caller]
    pub fn api(&self) -> Api {
        Api::new(self.page(), self.token()).noting(&self.newest)
    }

    /// That token.
    #[track_caller]
    pub fn token(&self) -> &str {
        self.token.get_or_init(|| {
            let token = self.cli_ok(&["token", "create", "--name", "e2e"]).trim().to_owned();
            assert!(!token.is_empty() && !token.contains(char::is_whitespace), "a token alone: {token:?}");
            token
        })
    }

    /// Every process of this cluster.
    pub fn processes(&self) -> Vec<Process> {
        procs::of_home(&self.home)
    }

    /// What leads a group: its program, pid and start, which name one process for ever. Children come and go.
    pub fn leaders(&self) -> BTreeSet<(String, u32, u64)> {
        let leads = self.processes().into_iter().filter(|p| p.pid == p.group);
        leads.map(|p| (p.program, p.pid, p.started)).collect()
    }

    /// Everything but Cordée itself: HAProxy, Apache, MariaDB.
    pub fn servers(&self) -> Vec<Process> {
        let own = binary();
        let own = own.file_name().and_then(|n| n.to_str()).unwrap_or("cordee");
        self.processes().into_iter().filter(|p| p.program != own).collect()
    }

    /// `cordee serve`: the process of this cluster that listens for the page.
    pub fn serve(&self) -> Option<Process> {
        let pid = procs::listener(self.page().port())?;
        self.processes().into_iter().find(|p| p.pid == pid)
    }

    /// Sends a signal to one process of this cluster.
    #[track_caller]
    pub fn signal(&self, pid: u32, signal: Signal) {
        procs::signal(&self.home, pid, signal);
    }

    /// Sends a signal to a whole group of this cluster, and gives the instant just before.
    #[track_caller]
    pub fn signal_group(&self, pid: u32, signal: Signal) -> Instant {
        procs::signal_group(&self.home, pid, signal)
    }

    /// Waits until everything is well, as `cordee up` left it. A picture from before the newest wish that went
    /// through the API proves nothing.
    #[track_caller]
    pub fn settle(&self) {
        let api = self.api();
        let newest = self.newest.load(Ordering::Relaxed);
        wait::until("everything is well", SETTLE, || {
            let now = api.try_snapshot()?;
            if now.revision < newest {
                Err(format!("revision {} of {newest}", now.revision))
            } else {
                now.settled()
            }
        });
    }

    /// A signed-in browser's cookie (name and value); makes the first account when there is none.
    #[track_caller]
    pub fn session(&self) -> (String, String) {
        let mut kept = self.session.lock().expect("the session");
        match &*kept {
            Some((at, session)) if at.elapsed() < RECENT => session.clone(),
            Some(_) => kept.insert((Instant::now(), self.enter())).1.clone(),
            None => kept.insert((Instant::now(), self.sign_up())).1.clone(),
        }
    }

    /// A session of a sign-in of its own.
    #[track_caller]
    pub fn session_anew(&self) -> (String, String) {
        let _ = self.session();
        self.enter()
    }

    fn door(&self) -> Client {
        Client::with_jar(self.page()).header("Sec-Fetch-Site", "same-origin").proof(PROOF)
    }

    /// Where a case made the account by hand, there is no code any more, and whoever comes to `/setup` is led to the
    /// sign-in page.
    fn sign_up(&self) -> (String, String) {
        let code = self.cli(&["setup-code"]).out;
        let mut client = self.door();
        let fields = [("code", code.trim()), ("name", ACCOUNT), ("password", PASSWORD)];
        let answer = client.post_form("/setup", &fields).expect("/setup");
        assert_eq!(answer.status, 303, "/setup: {}", answer.text());
        cookie_of(&client).unwrap_or_else(|| self.enter())
    }

    fn enter(&self) -> (String, String) {
        let mut client = self.door();
        let fields = [("name", ACCOUNT), ("password", PASSWORD)];
        let answer = client.post_form("/login", &fields).expect("/login");
        assert_eq!(answer.status, 303, "/login: {}", answer.text());
        cookie_of(&client).expect("a session cookie")
    }

    /// A visitor of the page who is signed in, in English, and sends what a browser sends.
    #[track_caller]
    pub fn signed_in(&self) -> Client {
        let (name, value) = self.session();
        Client::with_jar(self.page())
            .cookie(&name, &value)
            .proof(PROOF)
            .cookie("cordee_lang", "en")
            .header("Sec-Fetch-Site", "same-origin")
            .header("Connection", "close")
    }

    /// Takes the cluster down and says what is left of it, if anything.
    pub fn down(&mut self) -> Result<(), String> {
        if std::mem::replace(&mut self.down, true) {
            return Ok(());
        }
        let elsewhere = self.sockets_elsewhere();
        let said = run(&mut self.command(&["down"]), COMMAND);
        let left = self.processes();
        // Its own child processes, found by its own folder's path: never to be left behind by a test.
        for process in &left {
            procs::end(process, Signal::KILL);
        }
        if said.code != 0 {
            return Err(format!("cordee down: {said:#?}"));
        }
        if !left.is_empty() {
            let titles: Vec<String> = left.iter().map(Process::title).collect();
            return Err(format!("cordee down left {titles:#?}"));
        }
        match elsewhere.filter(|folder| folder.exists()) {
            Some(folder) => Err(format!("cordee down left {}", folder.display())),
            None => Ok(()),
        }
    }

    /// The folder of sockets, when the cluster's own has too long a path for them.
    fn sockets_elsewhere(&self) -> Option<PathBuf> {
        let servers = self.servers();
        let arguments = servers.iter().flat_map(|p| &p.command);
        let socket = arguments
            .filter_map(|a| a.split_once(",mode"))
            .map(|(socket, _)| PathBuf::from(socket))
            .next()?;
        Some(socket.parent()?.parent()?.to_owned()).filter(|folder| !folder.starts_with(&self.home))
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Err(why) = self.down() {
            eprintln!("# {why}");
        }
        if std::env::var_os("CORDEE_E2E_KEEP").is_none() {
            let _ = std::fs::remove_dir_all(&self.home);
        }
    }
}

/// The release binary that `./up` builds, or another named by `CORDEE_BIN`.
pub fn binary() -> PathBuf {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY
        .get_or_init(|| {
            let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/release/cordee");
            let path = std::env::var_os("CORDEE_BIN").map_or(built, PathBuf::from);
            path.canonicalize().unwrap_or_else(|e| {
                panic!("{}: {e}; build it with: cargo build --release -p cordee", path.display())
            })
        })
        .clone()
}

/// Takes down what a test that was itself killed left running.
fn sweep() {
    let Ok(entries) = std::fs::read_dir("/var/tmp") else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let Some(pid) =
            name.to_str().and_then(|n| n.strip_prefix("cordee-e2e-")?.rsplit_once('-')?.1.parse().ok())
        else {
            continue;
        };
        if Process::read(pid).is_some() {
            continue;
        }
        let mut command = Command::new(binary());
        let _ = run(command.arg("down").env("CORDEE_HOME", entry.path()), COMMAND);
        if procs::of_home(&entry.path()).is_empty() {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

/// Runs a command to its end, within a bound, without input.
#[track_caller]
pub fn run(command: &mut Command, bound: Duration) -> Said {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|e| panic!("{command:?}: {e}"));
    let out = reader(child.stdout.take());
    let err = reader(child.stderr.take());
    let code = wait_for(&mut child, bound);
    // A detached process that keeps its caller's output open would hang `./up --detach | tee log` for ever.
    wait::until_true("the command's output is closed after its end", Duration::from_secs(5), || {
        out.is_finished() && err.is_finished()
    });
    Said { code, out: out.join().expect("stdout"), err: err.join().expect("stderr") }
}

fn reader(pipe: Option<impl Read + Send + 'static>) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut text = Vec::new();
        if let Some(mut pipe) = pipe {
            let _ = pipe.read_to_end(&mut text);
        }
        String::from_utf8_lossy(&text).into_owned()
    })
}

fn wait_for(child: &mut Child, bound: Duration) -> i32 {
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait().expect("wait") {
            return status.code().unwrap_or(-1);
        }
        if begun.elapsed() > bound {
            let _ = child.kill();
            let _ = child.wait();
            panic!("the command did not end within {bound:?}");
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The session that a client was given.
fn cookie_of(client: &Client) -> Option<(String, String)> {
    let mut all = client.cookies.iter();
    let found = all.find(|(name, _)| name.starts_with("cordee_"));
    found.map(|(name, value)| (name.clone(), value.clone()))
}
