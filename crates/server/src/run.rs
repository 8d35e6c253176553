//! `cordee serve`: builds all parts, top to bottom, and stops them in reverse order.

use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use cordee_domain::apache;
use cordee_domain::change::Request;
use cordee_domain::decision::Decision;
use cordee_domain::desired::{Addresses, Desired};
use cordee_domain::haproxy::setting::Setting;
use cordee_domain::ids::PoolId;
use cordee_domain::observed::Observed;
use cordee_domain::scene::Scene;
use cordee_domain::snapshot::snapshot;
use cordee_domain::state::Severity;
use cordee_node::clock::now;
use cordee_node::datagrams::LogSocket;
use cordee_node::logbook::{self, Logbook};
use cordee_node::machine::Machine;
use cordee_node::paths::{Home, HomeError, whole};
use cordee_node::questions::last_question;
use cordee_node::roster::Roster;
use cordee_node::secrets::{Secrets, write_private};
use cordee_node::surroundings::{self, FEWEST};
use cordee_node::users::Users;
use cordee_node::vault::Vault;
use cordee_node::{files, logs, net, over, process, random};
use rustix::fs::{FlockOperation, OFlags, flock};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::timeout;

use crate::before::Before;
use crate::board::{Ask, Board};
use crate::config::{Config, ConfigError};
use crate::drills::Drills;
use crate::engine::{Engine, Parts};
use crate::jobs::{self, JobQueue};
use crate::lab::Lab;
use crate::listen;
use crate::listen::DESCRIPTORS;
use crate::log_receiver::{self, LogReceiver};
use crate::recent_requests::RecentRequests;
use crate::store::{CommitError, DecideError, Store, StoreError};
use crate::web::session::Limiter;
use crate::web::{self, App};

/// How long each part may take to end.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Why `serve` ended before it began, or while it ran.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A setting cannot be read.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The folder cannot be used.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// The state file cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A system user is missing.
    #[error("the system user {0} is missing; run ./up, which makes it")]
    User(&'static str),
    /// The limit of open files is too low.
    #[error("only {0} files may be opened; raise the hard limit (ulimit -Hn)")]
    Descriptors(u64),
    /// Another `serve` runs with this folder.
    #[error("another `cordee serve` runs with this CORDEE_HOME")]
    Running,
    /// The page's port is taken.
    #[error("port {port} is taken by {holder}")]
    Port {
        /// The port.
        port: u16,
        /// The process that holds it.
        holder: net::Holder,
    },
    /// A part that must run has ended.
    #[error("{0}")]
    Over(&'static str),
    /// The addresses contradict each other.
    #[error("two of the page's, the site's and the databases' addresses are the same")]
    Addresses,
    /// Any other system error.
    #[error("{doing}")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// Why it failed.
        #[source]
        source: std::io::Error,
    },
}

fn io(doing: &'static str) -> impl Fn(std::io::Error) -> RunError {
    move |source| RunError::Io { doing, source }
}

/// Makes the folders of a cluster.
fn folders(home: &Home, users: &Users) -> std::io::Result<()> {
    home.make_folders(users)?;
    files::folder(&home.servers(), 0o755, None)
}

/// Makes the folders of logs ours. An earlier Cordée let the servers' programs own them, and these programs run on
/// meanwhile.
fn take_logs(home: &Home, users: &Users) {
    let servers = home.server_folders().unwrap_or_else(|error| {
        tracing::error!(error = &error as &dyn std::error::Error, "looking for servers' folders");
        Vec::new()
    });
    for (_, server) in servers {
        let web = server.join("apache.conf").exists();
        let (names, user) = if web { (&apache::LOGS[..], users.apache) } else { (&[][..], None) };
        if let Err(error) = logs::prepare(&server.join("log"), names, user) {
            let error = &error as &dyn std::error::Error;
            tracing::error!(server = %server.display(), error, "its logs are not safe to read");
        }
    }
}

/// Takes the lock that allows one `serve` per cluster; the kernel releases it with the process. No other user can
/// enter the folder of the lock file, and so take the lock.
fn lock(home: &Home) -> Result<OwnedFd, RunError> {
    let file = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed())
        .open(home.lock())
        .map_err(io("opening the lock file"))?;
    let fd = OwnedFd::from(file);
    // A `serve` that was just killed may hold the lock for a moment more, through a program that it was starting.
    for _ in 0..20 {
        if flock(&fd, FlockOperation::NonBlockingLockExclusive).is_ok() {
            // The lock file of an earlier version, which any user could lock. A `serve` of that version would still
            // hold the page's port.
            process::remove_file(&home.root.join("serve.lock"))
                .map_err(io("removing the former lock file"))?;
            return Ok(fd);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Err(RunError::Running)
}

/// Returns the addresses of the stored wish.
pub fn addresses(desired: &Desired) -> Addresses {
    Addresses {
        page: desired.page,
        names: desired.names.clone(),
        site: desired.web.listen,
        db: desired.db.listen,
        writer: desired.writer_listen,
        ports: desired.ports,
    }
}

/// Opens the state file. A new one gets the first cluster; addresses from the environment are applied.
pub fn open_store(home: &Home, config: &Config) -> Result<Store, RunError> {
    let loopback = |port: u16| net::free(([127, 0, 0, 1], port).into());
    // An empty file in a folder that was complete is a loss, and no first start.
    let begun = whole::begun(&home.root)?;
    let first = || {
        if begun {
            return None;
        }
        let mut first = Desired::first(&config.addresses(None), loopback).ok()?;
        first.visitors.port = free_log_port(first.ports).map(|socket| socket.port());
        Some(first)
    };
    let store = Store::open(&home.state(), first).map_err(|error| match error {
        StoreError::Empty if !begun => RunError::Addresses,
        error => unusable(home, error),
    })?;
    if let Some(change) = moved(&store.desired()?, config) {
        store.commit(&change, "environment").map_err(|error| match error {
            CommitError::Refused(_) => RunError::Addresses,
            CommitError::Store(error) => RunError::Store(error),
        })?;
    }
    Ok(store)
}

fn unusable(home: &Home, error: StoreError) -> RunError {
    match error {
        StoreError::Empty | StoreError::Damaged => HomeError::Damaged { path: home.state() }.into(),
        error => RunError::Store(error),
    }
}

/// Returns the change that the environment asks for, if it names other addresses than the stored ones.
fn moved(desired: &Desired, config: &Config) -> Option<Request> {
    let known = addresses(desired);
    let wished = config.addresses(Some(&known));
    let Addresses { page, names, site, db, writer, ports } = wished.clone();
    (wished != known).then_some(Request::SetAddresses { page, names, site, db, writer, ports })
}

/// Checks whether this version could serve the state that another one serves, before that one is stopped. Nothing
/// is changed.
pub fn could_serve(home: &Home, config: &Config) -> Result<(), RunError> {
    let desired = Store::inspect(&home.state()).map_err(|error| unusable(home, error))?;
    match moved(&desired, config).map(|change| desired.apply(&change)) {
        None | Some(Ok(_)) => Ok(()),
        Some(Err(_)) => Err(RunError::Addresses),
    }
}

/// Binds a socket for HAProxy's log on a free port: from the end of the range, because servers are assigned ports
/// from its start.
fn free_log_port(ports: (u16, u16)) -> Option<LogSocket> {
    let found = (ports.0..=ports.1).rev().find_map(|port| LogSocket::bind(port).ok());
    found.or_else(|| LogSocket::bind(0).ok())
}

/// Binds the port that was chosen before; another one if that port is taken, or if none was chosen yet.
fn log_socket(store: &Store) -> Result<Option<LogSocket>, RunError> {
    let desired = store.desired()?;
    if let Some(socket) = desired.visitors.port.and_then(|port| LogSocket::bind(port).ok()) {
        return Ok(Some(socket));
    }
    let Some(socket) = free_log_port(desired.ports) else { return Ok(None) };
    match store.decide(&Decision::SetLogPort { port: socket.port(), was: desired.visitors.port }) {
        Ok(_) => Ok(Some(socket)),
        Err(DecideError::Store(error)) => Err(error.into()),
        Err(DecideError::Refused(_)) => Ok(None),
    }
}

/// Starts the log receiver, if there is a socket.
fn log_receiver(
    socket: Option<LogSocket>,
    parts: log_receiver::Parts,
) -> Result<Option<LogReceiver>, RunError> {
    let Some(socket) = socket else {
        tracing::error!("no port for HAProxy's log is free: visitors are not listed");
        return Ok(None);
    };
    tracing::info!(port = socket.port(), room = socket.room(), "listening for HAProxy's log");
    LogReceiver::start(socket, parts).map(Some).map_err(io("starting to read HAProxy's log"))
}

/// Returns the folder and the users of the programs, if a cluster can run with them.
fn place(config: &Config) -> Result<(Home, Users), RunError> {
    let descriptors = surroundings::raise_descriptors();
    if descriptors < FEWEST {
        return Err(RunError::Descriptors(descriptors));
    }
    if descriptors < DESCRIPTORS {
        tracing::warn!(limit = descriptors, needed = DESCRIPTORS, "few open files are allowed");
    }
    let home = Home::open(&config.home)?;
    let users = Users::find().map_err(RunError::User)?;
    home.usable_by(&users)?;
    Ok((home, users))
}

/// Returns what was stored and generated, and the socket for HAProxy's log, whose port and key are part of both.
fn state(home: &Home, config: &Config) -> Result<(Arc<Store>, Secrets, Option<LogSocket>), RunError> {
    let mut secrets = Secrets::load(&home.secrets()).map_err(io("reading the generated passwords"))?;
    let store = Arc::new(open_store(home, config)?);
    store.give_key(Vault::load(&home.login_key()).map_err(io("reading the key to the logins"))?);
    setup_code(&store, &home.setup_code())?;
    let before = store.desired()?.visitors.port;
    let log = log_socket(&store)?;
    if log.as_ref().map(LogSocket::port) != before {
        // The program that has the former port now receives what HAProxy still sends there, including the key.
        secrets.renew_log_key(&home.secrets()).map_err(io("changing the key of HAProxy's log"))?;
    }
    Ok((store, secrets, log))
}

/// Makes the board with the first wish on it. From now on the journal is written, and announced on the board.
fn begin_board(
    store: &Arc<Store>,
    desired: &Desired,
    setting: &Setting,
) -> Result<(Arc<Board>, mpsc::Receiver<Ask>), RunError> {
    let picture = snapshot(Scene::new(desired, &Observed::default(), now()), setting);
    let (board, asks) = Board::new(desired.clone(), picture);
    store.attach(board.clone());
    Store::begin_to_write(store).map_err(io("starting to write the journal"))?;
    if let Some(before) = Before::said() {
        store.tell("cluster", Some(Severity::Warning), &before.told());
    }
    Ok((board, asks))
}

/// Runs until TERM or INT. The processes of the cluster go on running.
pub async fn serve(config: &Config) -> Result<(), RunError> {
    let (home, users) = place(config)?;
    let roster = Roster::open(&home, &users).map_err(io("opening the list of processes"))?;
    let _lock = lock(&home)?;
    folders(&home, &users).map_err(io("making the folders"))?;
    take_logs(&home, &users);
    let (store, secrets, log) = state(&home, config)?;
    let setting = setting(&home, &secrets);
    whole::complete(&home.root).map_err(io("marking the folder as complete"))?;
    let desired = store.desired()?;
    let page = page_listener(&desired).await?;
    let (board, asks) = begin_board(&store, &desired, &setting)?;

    let (jobs, lab_asks) = JobQueue::new();
    let lab = Lab::new(&home, store.clone(), jobs.clone());
    let (drill_jobs, drill_asks) = JobQueue::new();
    let drills = Drills {
        roster,
        secrets: secrets.clone(),
        store: store.clone(),
        board: board.clone(),
        jobs: drill_jobs.clone(),
    };
    let recent_requests = RecentRequests::new(log.is_none());
    let visitors = store.visitors();
    let (key, asked) = (secrets.log_key.clone(), last_question(&home));
    let parts = log_receiver::Parts {
        visitors,
        recent_requests: recent_requests.clone(),
        board: board.clone(),
        key,
        asked,
    };
    let log_receiver = log_receiver(log, parts)?;
    let (stop, stopped) = watch::channel(false);
    let app = App {
        store: store.clone(),
        board: board.clone(),
        jobs,
        drills: drill_jobs,
        recent_requests,
        guests: Arc::default(),
        cluster: home.id.as_str().into(),
        setup_code: Arc::new(home.setup_code()),
        limiter: Arc::new(Limiter::default()),
        dsn: Arc::new(dsn(&desired, &secrets)),
    };
    let app = web::router(app);
    let logbook = Logbook { home: home.clone(), users, control: secrets.control.clone() };
    let journal = store.clone();
    let machine = Machine { home: home.clone(), users, secrets, setting, trial: config.trial };
    let parts = Parts { machine, store, board };
    let engine = Engine::new(parts).map_err(io("looking for what runs"))?;
    // Drills and the lab share one turn: a drill would falsify what the lab measures, and the lab what a drill
    // counts.
    let turn = Arc::new(Semaphore::new(1));
    let socket = home.socket();
    let mut running = Running {
        engine: tokio::spawn(engine.run(asks, until(stopped.clone()))),
        lab: tokio::spawn(jobs::attend(lab, lab_asks, turn.clone(), until(stopped.clone()))),
        drills: tokio::spawn(jobs::attend(drills, drill_asks, turn, until(stopped.clone()))),
        tcp: tokio::spawn(listen::tcp(page, app.clone(), stopped.clone())),
        unix: tokio::spawn(async move { listen::unix(&socket, app, stopped).await }),
        logs: tokio::spawn(logbook.keep()),
    };
    tokio::spawn(logbook::keep_own(home.logs().join(logbook::OWN)));
    tracing::info!(page = %desired.page, cluster = %home.id, "serving");

    let over = tokio::select! {
        signal = wait_for_signal() => signal.map(|()| None).map_err(io("waiting for signals"))?,
        why = over::ended() => Some(why),
        why = running.one_ends() => Some(why),
    };
    if let Some(why) = over {
        // The journal entries that led to it are written, if the disk allows it.
        last_lines(journal).await;
        return Err(RunError::Over(why));
    }
    tracing::info!("stopping; the cluster runs on");
    let _ = stop.send(true);
    running.end(log_receiver).await;
    last_lines(journal).await;
    Ok(())
}

/// The tasks that run until they are told to stop.
struct Running {
    engine: JoinHandle<()>,
    lab: JoinHandle<()>,
    drills: JoinHandle<()>,
    tcp: JoinHandle<()>,
    unix: JoinHandle<std::io::Result<()>>,
    logs: JoinHandle<()>,
}

impl Running {
    /// Waits until a task ends before it was told to, because of an unexpected error or a panic. Returns which one.
    async fn one_ends(&mut self) -> &'static str {
        tokio::select! {
            _ = &mut self.engine => "the engine has ended",
            _ = &mut self.lab => "what compares sessions has ended",
            _ = &mut self.drills => "what conducts drills has ended",
            _ = &mut self.tcp => "the page's listener has ended",
            _ = &mut self.unix => "the command line's listener has ended",
            _ = &mut self.logs => "what keeps the logs bounded has ended",
        }
    }

    /// Waits for the tasks that were told to stop, in reverse order: first those that answer requests, then those
    /// that act.
    async fn end(self, log_receiver: Option<LogReceiver>) {
        self.logs.abort();
        let _ = timeout(LAST_WORDS, self.unix).await;
        for task in [self.tcp, self.drills, self.lab, self.engine] {
            let _ = timeout(LAST_WORDS, task).await;
        }
        if let Some(log_receiver) = log_receiver {
            let _ = timeout(LAST_WORDS, spawn_blocking(|| log_receiver.stop())).await;
        }
    }
}

/// Writes the journal entries that are still in memory, as far as the disk allows it.
async fn last_lines(journal: Arc<Store>) {
    let _ = timeout(LAST_WORDS, spawn_blocking(move || journal.write_down())).await;
}

fn setting(home: &Home, secrets: &Secrets) -> Setting {
    Setting {
        web_socket: home.proxy_socket(PoolId::Web),
        db_socket: home.proxy_socket(PoolId::Db),
        session_map: home.session_map(),
        cookie_key: secrets.cookie_key.clone(),
        log_key: secrets.log_key.clone(),
    }
}

fn dsn(desired: &Desired, secrets: &Secrets) -> web::local::DsnBook {
    use cordee_node::mysql::{SCHEMA, account};
    let credential = |user: &str, password: &str| web::local::Credential {
        user: user.to_owned(),
        password: password.to_owned(),
    };
    web::local::DsnBook {
        host: desired.db.listen.ip().to_string(),
        port: desired.db.listen.port(),
        writer: (desired.writer_listen.ip().to_string(), desired.writer_listen.port()),
        schema: SCHEMA.to_owned(),
        app: credential(account::APP, &secrets.app),
        owner: credential(account::OWNER, &secrets.owner),
        monitor: credential(account::MONITOR, &secrets.monitor),
        servers: desired
            .db
            .servers
            .iter()
            .map(|s| (s.name.to_string(), (s.host.to_string(), s.port)))
            .collect(),
    }
}

/// Opens the page's listener. If the port is taken, the error names the process that holds it.
async fn page_listener(desired: &Desired) -> Result<TcpListener, RunError> {
    let page = desired.page;
    let listener = TcpListener::bind(page)
        .await
        .map_err(|_| RunError::Port { port: page.port(), holder: net::holder(page.port()) })?;
    Ok(listener)
}

async fn until(mut stopped: watch::Receiver<bool>) {
    // The sender is dropped only when everything is over.
    let _ = stopped.wait_for(|stop| *stop).await;
}

async fn wait_for_signal() -> std::io::Result<()> {
    let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
    }
    Ok(())
}

/// Keeps the setup code in a file with mode 0600 until the first account is made.
fn setup_code(store: &Store, path: &PathBuf) -> Result<(), RunError> {
    if store.has_account()? {
        return match std::fs::remove_file(path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(io("removing the used setup code")(error))
            }
            _ => Ok(()),
        };
    }
    if path.exists() {
        return Ok(());
    }
    let code = random::token(16).ok_or(StoreError::Random)?;
    write_private(path, &format!("{code}\n")).map_err(io("writing the setup code"))
}

#[cfg(test)]
mod tests;
