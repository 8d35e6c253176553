//! `cordee serve`: builds everything in reading order, and stops it in reverse.

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

/// Why `serve` ended before it began.
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
    /// Too few files may be opened.
    #[error("only {0} files may be opened; raise the hard limit (ulimit -Hn)")]
    Descriptors(u64),
    /// Another one runs.
    #[error("another `cordee serve` runs with this CORDEE_HOME")]
    Running,
    /// The page's port is taken.
    #[error("port {port} is taken by {holder}")]
    Port {
        /// The port.
        port: u16,
        /// Who has it.
        holder: net::Holder,
    },
    /// A part of it that must run has ended.
    #[error("{0}")]
    Over(&'static str),
    /// The addresses contradict each other.
    #[error("two of the page's, the site's and the databases' addresses are the same")]
    Addresses,
    /// Anything else of the system's.
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

/// The folders of a cluster.
fn folders(home: &Home, users: &Users) -> std::io::Result<()> {
    home.make_folders(users)?;
    files::folder(&home.servers(), 0o755, None)
}

/// Makes the folders of logs ours. An earlier Cordée left them to the servers' programs, which run on meanwhile.
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

/// One `serve` per cluster: the kernel drops the lock with the process. Nobody else can enter its folder, nor so hold
/// it.
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
    // One that was just killed may hold it for a moment more, through a program that it was starting.
    for _ in 0..20 {
        if flock(&fd, FlockOperation::NonBlockingLockExclusive).is_ok() {
            // The lock of a version before, which anybody could hold. That version itself would still have the page's
            // port.
            process::remove_file(&home.root.join("serve.lock"))
                .map_err(io("removing the former lock file"))?;
            return Ok(fd);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Err(RunError::Running)
}

/// Where the stored wish listens.
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

/// Opens the state, with the first cluster in it when it is new, and the addresses of the environment.
pub fn open_store(home: &Home, config: &Config) -> Result<Store, RunError> {
    let loopback = |port: u16| net::free(([127, 0, 0, 1], port).into());
    // An empty file in a folder that was whole is a loss, and no beginning.
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

/// The change that the environment asks for, if it names other addresses than those that are known.
fn moved(desired: &Desired, config: &Config) -> Option<Request> {
    let known = addresses(desired);
    let wished = config.addresses(Some(&known));
    let Addresses { page, names, site, db, writer, ports } = wished.clone();
    (wished != known).then_some(Request::SetAddresses { page, names, site, db, writer, ports })
}

/// Whether this Cordée could serve a state that another one serves: asked before that one is stopped. Nothing is
/// altered.
pub fn could_serve(home: &Home, config: &Config) -> Result<(), RunError> {
    let desired = Store::inspect(&home.state()).map_err(|error| unusable(home, error))?;
    match moved(&desired, config).map(|change| desired.apply(&change)) {
        None | Some(Ok(_)) => Ok(()),
        Some(Err(_)) => Err(RunError::Addresses),
    }
}

/// A socket for HAProxy's log on a port that is free: from the end of the range, because servers begin at its start.
fn free_log_port(ports: (u16, u16)) -> Option<LogSocket> {
    let found = (ports.0..=ports.1).rev().find_map(|port| LogSocket::bind(port).ok());
    found.or_else(|| LogSocket::bind(0).ok())
}

/// The socket on the port that was chosen once; on another one when somebody else has that, or none was chosen yet.
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

/// Hears HAProxy's log, when there is a socket.
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

/// The folder and the users of the programs, where a cluster can run with them.
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

/// What was stored and generated, and the socket for HAProxy's log, whose port and key are part of both.
fn state(home: &Home, config: &Config) -> Result<(Arc<Store>, Secrets, Option<LogSocket>), RunError> {
    let mut secrets = Secrets::load(&home.secrets()).map_err(io("reading the generated passwords"))?;
    let store = Arc::new(open_store(home, config)?);
    store.give_key(Vault::load(&home.login_key()).map_err(io("reading the key to the logins"))?);
    setup_code(&store, &home.setup_code())?;
    let before = store.desired()?.visitors.port;
    let log = log_socket(&store)?;
    if log.as_ref().map(LogSocket::port) != before {
        // Whoever has the former port now hears what HAProxy still sends there, key included.
        secrets.renew_log_key(&home.secrets()).map_err(io("changing the key of HAProxy's log"))?;
    }
    Ok((store, secrets, log))
}

/// The board with the first wish on it; from now on the journal is written, and announced there.
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

/// Runs until TERM or INT. What runs in the cluster goes on.
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
    // What takes a while has one turn: a drill would spoil what the lab measures, and the other way round.
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
        // What led to it is told, if the disk lets it be.
        last_lines(journal).await;
        return Err(RunError::Over(why));
    }
    tracing::info!("stopping; the cluster runs on");
    let _ = stop.send(true);
    running.end(log_receiver).await;
    last_lines(journal).await;
    Ok(())
}

/// What runs until it is told to stop.
struct Running {
    engine: JoinHandle<()>,
    lab: JoinHandle<()>,
    drills: JoinHandle<()>,
    tcp: JoinHandle<()>,
    unix: JoinHandle<std::io::Result<()>>,
    logs: JoinHandle<()>,
}

impl Running {
    /// Which of them ended before it was told to: it has met an error that it did not expect, or has panicked.
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

    /// Waits for what was told to stop. In reverse: first what answers people, then what acts.
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

/// Writes down what was told until now, as far as the disk lets it.
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

/// The page's listener. A page that is being replaced may hold the port for a moment.
async fn page_listener(desired: &Desired) -> Result<TcpListener, RunError> {
    let page = desired.page;
    let listener = TcpListener::bind(page)
        .await
        .map_err(|_| RunError::Port { port: page.port(), holder: net::holder(page.port()) })?;
    Ok(listener)
}

async fn until(mut stopped: watch::Receiver<bool>) {
    // The sender is gone only when everything is over.
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

/// The setup code stands in a 0600 file until the first account is made.
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
