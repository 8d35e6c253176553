//! `cordee up`, `cordee down` and the keeper: what `./up` runs after it has built the binary.

use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Write as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{ExitCode, Stdio};
use std::time::{Duration, Instant};

use cordee_domain::desired::{Power, Runtime};
use cordee_domain::ids::PoolId;
use cordee_domain::observed::ProcessId;
use cordee_domain::snapshot::Action;
use cordee_domain::status::Light;
use cordee_domain::text;
use rustix::process::Signal;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::sleep;

use crate::before::Before;
use crate::client;
use crate::config::Config;
use crate::hands::process::{self, Found, Serial, own_binary};
use crate::hands::roster::{Roster, Start, own_program};
use crate::hands::{files, net};
use crate::logbook;
use crate::paths::{Home, HomeError, Users};
use crate::run::{self, RunError};
use crate::store::Store;
use crate::surroundings::{self, FEWEST};
use crate::vital::{self, End};
use crate::web::api::view::ServerJson;
use crate::whole;
use crate::words::Lang;

/// The programs, and the Debian package of each.
pub const PROGRAMS: [(&str, &str); 5] = [
    ("/usr/sbin/haproxy", "haproxy"),
    ("/usr/sbin/apache2", "apache2-bin"),
    ("/usr/lib/apache2/modules/libphp8.2.so", "libapache2-mod-php8.2"),
    ("/usr/sbin/mariadbd", "mariadb-server-core"),
    ("/usr/bin/mariadb-install-db", "mariadb-server-core"),
];

/// How long the first start may take: it makes two databases.
const HEALTHY_WITHIN: Duration = Duration::from_secs(90);

/// What the keeper and `serve` write, in the folder of logs.
pub const LOG: &str = "cordee.log";

/// What `up` was asked.
#[derive(Clone, Copy, Debug)]
pub struct Wish {
    /// Return when everything is healthy, rather than stay.
    pub detach: bool,
    /// Forget the state first.
    pub reset: bool,
    /// Do not ask.
    pub yes: bool,
}

/// Starts the cluster and waits until it is healthy.
pub async fn up(config: &Config, wish: Wish, lang: Lang) -> ExitCode {
    if wish.reset && !reset(config, wish.yes, lang).await {
        return ExitCode::FAILURE;
    }
    // From now on: whoever interrupts a start does not mean to leave half a cluster.
    let Ok(mut interrupts) = Interrupts::listen() else { return ExitCode::FAILURE };
    let started = match start(config, lang).await {
        Ok(started) => started,
        Err(sentence) => {
            eprintln!("{sentence}");
            return ExitCode::FAILURE;
        }
    };
    let waited = tokio::select! {
        waited = wait_healthy(&started.home, lang) => waited,
        () = interrupts.next() => {
            leave(&started, config, lang).await;
            return ExitCode::FAILURE;
        }
    };
    if matches!(waited, Waited::Ended) {
        return ExitCode::FAILURE;
    }
    print_addresses(&started.home, lang);
    if matches!(waited, Waited::InVain) {
        return ExitCode::FAILURE;
    }
    if wish.detach {
        return ExitCode::SUCCESS;
    }
    println!("{}", if started.ran_before { lang.tr("up-stay-before") } else { lang.tr("up-stay") });
    interrupts.next().await;
    leave(&started, config, lang).await
}

/// A cluster that runs, or is about to.
struct Started {
    home: Home,
    /// Some of it ran before this command: somebody counts on it.
    ran_before: bool,
}

/// Stops the cluster, unless it ran before.
async fn leave(started: &Started, config: &Config, lang: Lang) -> ExitCode {
    if started.ran_before {
        println!("{}", lang.tr("up-left"));
        return ExitCode::SUCCESS;
    }
    down(config, lang).await
}

/// Ctrl-C, and what asks a program to end.
struct Interrupts {
    int: tokio::signal::unix::Signal,
    term: tokio::signal::unix::Signal,
}

impl Interrupts {
    fn listen() -> std::io::Result<Self> {
        Ok(Self { int: signal(SignalKind::interrupt())?, term: signal(SignalKind::terminate())? })
    }

    /// Waits for the next one. None that came since the last is missed.
    async fn next(&mut self) {
        tokio::select! {
            _ = self.int.recv() => {}
            _ = self.term.recv() => {}
        }
    }
}

fn sentence(error: &RunError, lang: Lang) -> String {
    match error {
        RunError::Home(error) => lang.say(&whole::words(error)),
        error => client::with_causes(error),
    }
}

/// Starts the keeper unless one runs; before that, everything that would stand in the way is looked at.
async fn start(config: &Config, lang: Lang) -> Result<Started, String> {
    for (path, package) in PROGRAMS {
        if !Path::new(path).exists() {
            return Err(lang.say(&text!("up-missing", path = path, package = package)));
        }
    }
    let users = Users::find().map_err(|user| lang.say(&text!("up-user", user = user)))?;
    let limit = surroundings::raise_descriptors();
    if limit < FEWEST {
        return Err(lang.say(&text!("up-descriptors", limit = limit, needed = FEWEST)));
    }
    let unusable = |error| sentence(&RunError::Home(error), lang);
    let home = Home::open(&config.home).map_err(unusable)?;
    home.usable_by(&users).map_err(unusable)?;
    Roster::open(&home, &users).map_err(|source| sentence(&RunError::Io { doing: LOOKING, source }, lang))?;
    let found = look(&home, lang)?;
    let ran_before = !found.is_empty();
    let known = Store::open_read(&home.state()).ok().map(|d| run::addresses(&d));
    let addresses = config.addresses(known.as_ref());
    if found.iter().any(|p| p.name == "keeper" && outdated(p.pid)) {
        // Built anew since: the page is replaced, the cluster under it runs on.
        println!("{}", lang.tr("up-newer"));
        for name in ["keeper", "serve"] {
            stop(&home, |p| p.name == name, Duration::from_secs(10)).await;
        }
    } else if found.iter().any(|p| p.name == "keeper") {
        if known.is_some_and(|k| k != addresses) {
            println!("{}", lang.tr("up-ignored"));
        }
        return Ok(Started { home, ran_before });
    }
    let found = look(&home, lang)?;
    let ours = process::by_id(&found);
    let runs = |id: PoolId| ours.contains_key(&ProcessId::Proxy(id));
    let mut wanted: BTreeMap<SocketAddr, &str> = BTreeMap::new();
    if !found.iter().any(|p| p.name == "serve") {
        wanted.insert(addresses.page, "CORDEE_PAGE");
    }
    if !runs(PoolId::Web) {
        wanted.insert(addresses.site, "CORDEE_SITE");
    }
    if !runs(PoolId::Db) {
        wanted.insert(addresses.db, "CORDEE_DB");
        wanted.insert(addresses.writer, "CORDEE_DB_WRITER");
    }
    for (address, variable) in wanted {
        if !net::free(address) {
            let holder = net::holder(address.port()).to_string();
            return Err(lang.say(&text!(
                "up-port",
                address = address.to_string(),
                holder = holder,
                variable = variable
            )));
        }
    }
    if !addresses.page.ip().is_loopback() {
        eprintln!("{}", lang.say(&text!("up-open", address = addresses.page.to_string())));
    }
    for address in [addresses.db, addresses.writer].iter().filter(|a| !a.ip().is_loopback()) {
        eprintln!("{}", lang.say(&text!("up-open-db", address = address.to_string())));
    }
    // Only now is anything written: a refusal leaves the addresses of the last good start.
    drop(run::open_store(&home, config).map_err(|e| sentence(&e, lang))?);
    spawn_keeper(&home).map_err(|e| e.to_string())?;
    Ok(Started { home, ran_before })
}

const LOOKING: &str = "looking for what runs";
/// What else may go wrong on the way down.
const CLEARING: &str = "clearing away the cluster of a comparison";

/// What runs of the cluster. What cannot be looked at may run: nothing is started or called stopped then.
fn look(home: &Home, lang: Lang) -> Result<Vec<Found>, String> {
    Roster::of(home).find().map_err(|source| sentence(&RunError::Io { doing: LOOKING, source }, lang))
}

/// Whether a process runs a file that was replaced since.
fn outdated(pid: u32) -> bool {
    std::fs::read_link(format!("/proc/{pid}/exe"))
        .is_ok_and(|path| path.to_string_lossy().ends_with(" (deleted)"))
}

fn spawn_keeper(home: &Home) -> std::io::Result<()> {
    std::fs::create_dir_all(home.logs())?;
    let log = std::fs::OpenOptions::new().create(true).append(true).open(home.logs().join(LOG))?;
    let roster = Roster::of(home);
    let entry = own_entry(&roster, "keeper")?;
    let mut command = std::process::Command::new(own_binary());
    command
        .arg("keeper")
        .env("CORDEE_HOME", &home.root)
        .env(process::MARK, &entry.mark)
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log);
    let child = command.spawn().inspect_err(|_| roster.strike(&entry))?;
    roster.bind(entry, child.id())
}

/// Writes down that a process of Cordée's own is about to be started.
fn own_entry(roster: &Roster, name: &str) -> std::io::Result<Start> {
    let (none, us) = (Serial { server: 0, generation: 0 }, rustix::process::geteuid().as_raw());
    roster.enlist(name, none, &own_program(), us, false)
}

/// Brings `cordee serve` back within a second, whatever ended it. A session of its own keeps the terminal's
/// signals away from everything below it.
pub async fn keeper(config: &Config) -> ExitCode {
    let _ = rustix::process::setsid();
    let Ok(home) = Home::open(&config.home) else { return ExitCode::FAILURE };
    let Ok(mut term) = signal(SignalKind::terminate()) else { return ExitCode::FAILURE };
    tokio::spawn(logbook::keep_own(home.logs().join(LOG)));
    let (mut pause, mut before) = (Duration::ZERO, None);
    loop {
        let started = Instant::now();
        match keep(&home, &mut term, before).await {
            Ok(Kept::Over) => return ExitCode::SUCCESS,
            Ok(Kept::Ended(End::Ended(ended))) => {
                tracing::warn!(?ended, "serve ended; starting it again");
                before = ended.ok().map(Before::of);
            }
            Ok(Kept::Ended(End::Silent)) => before = Some(Before::Silent),
            // No process, no descriptor: there may be one a little later.
            Err(error) => tracing::error!(error = &error as &dyn std::error::Error, "starting serve"),
        }
        // One that lived is brought back at once; one that cannot start is tried again without haste.
        pause = if started.elapsed() > Duration::from_secs(5) {
            Duration::ZERO
        } else {
            (pause * 2).clamp(Duration::from_millis(100), Duration::from_secs(5))
        };
        tokio::select! {
            _ = term.recv() => return ExitCode::SUCCESS,
            () = sleep(pause) => {}
        }
    }
}

/// How the keeping of one `serve` ended.
enum Kept {
    /// The keeper is to end.
    Over,
    /// This one is to be followed by another.
    Ended(End),
}

/// Keeps one `serve` for as long as it lives. One that gives no sign of life for ten seconds is killed: it may be frozen,
/// and it holds the lock. What it started goes on.
async fn keep(
    home: &Home,
    term: &mut tokio::signal::unix::Signal,
    before: Option<Before>,
) -> std::io::Result<Kept> {
    let (signs, input) = vital::pair()?;
    let mut child = spawn_serve(home, input, before)?;
    tokio::select! {
        _ = term.recv() => {
            if let Some(pid) = child.id() {
                let _ = process::signal(pid, Signal::TERM);
            }
            let _ = tokio::time::timeout(Duration::from_secs(8), child.wait()).await;
            Ok(Kept::Over)
        }
        end = vital::outlast(&mut child, &signs) => {
            if matches!(end, End::Silent) {
                tracing::error!("serve has given no sign of life for 10 s: it is killed, and started again");
                child.kill().await?;
            }
            Ok(Kept::Ended(end))
        }
    }
}

fn spawn_serve(home: &Home, input: Stdio, before: Option<Before>) -> std::io::Result<tokio::process::Child> {
    let roster = Roster::of(home);
    let entry = own_entry(&roster, "serve")?;
    let mut command = tokio::process::Command::new(own_binary());
    command
        .arg("serve")
        .env(process::MARK, &entry.mark)
        .env(vital::VARIABLE, "1")
        .env_remove(Before::VARIABLE)
        .stdin(input);
    if let Some(before) = before {
        command.env(Before::VARIABLE, before.word());
    }
    let child = command.spawn().inspect_err(|_| roster.strike(&entry))?;
    if let Some(Err(error)) = child.id().map(|pid| roster.bind(entry, pid)) {
        // It runs, and is found by its word.
        tracing::error!(error = &error as &dyn std::error::Error, "writing down serve");
    }
    Ok(child)
}

/// How the wait for a healthy cluster ended.
enum Waited {
    Healthy,
    /// Its time is over.
    InVain,
    /// Somebody stopped the cluster meanwhile.
    Ended,
}

/// Follows the verdict until it is good, and tells what is waited for. Once nobody keeps the cluster (a `down` came
/// in between) there is nothing to wait for.
async fn wait_healthy(home: &Home, lang: Lang) -> Waited {
    let begun = Instant::now();
    let mut told = String::new();
    let mut kept = Instant::now();
    while begun.elapsed() < HEALTHY_WITHIN {
        if kept.elapsed() > Duration::from_secs(1) {
            if Roster::of(home).find().is_ok_and(|all| all.iter().all(|p| p.name != "keeper")) {
                eprintln!("{}", lang.tr("up-ended"));
                return Waited::Ended;
            }
            kept = Instant::now();
        }
        if let Some(picture) = client::picture(&home.socket(), lang).await {
            let verdict = picture.verdict;
            if picture.proxies.iter().all(|p| p.settled && p.status.light == Light::Good)
                && picture.servers.iter().all(|s| as_wished(s, &picture.servers))
            {
                return Waited::Healthy;
            }
            let now = format!("{} {}", verdict.word, verdict.reason.unwrap_or_default());
            if now != told {
                println!("  {now}");
                told = now;
            }
        }
        sleep(Duration::from_millis(100)).await;
    }
    eprintln!("{}", lang.say(&text!("up-unhealthy", log = home.logs().join(LOG).display().to_string())));
    Waited::InVain
}

/// Whether a server does what was wished of it: what a person took out, and what somebody else runs, keeps
/// nobody waiting.
fn as_wished(server: &ServerJson, all: &[ServerJson]) -> bool {
    let taken_out = server.power == Power::Off || server.actions.contains(&Action::Ready);
    let peer_stopped = server.pool == PoolId::Db
        && server.status.light == Light::Warning
        && all.iter().any(|s| s.pool == PoolId::Db && s.power == Power::Off);
    server.status.light == Light::Good || server.runtime == Runtime::External || taken_out || peer_stopped
}

fn print_addresses(home: &Home, lang: Lang) {
    let Ok(desired) = Store::open_read(&home.state()) else { return };
    let rows = [
        (text!("up-page"), format!("http://{}/", desired.page)),
        (text!("up-site"), format!("http://{}/", desired.web.listen)),
        (text!("up-db"), desired.db.listen.to_string()),
        (text!("up-writer"), desired.writer_listen.to_string()),
    ];
    for (label, address) in rows {
        println!("{:<28} {address}", lang.say(&label));
    }
    if let Ok(code) = std::fs::read_to_string(home.setup_code()) {
        println!("{:<28} {}", lang.tr("up-code"), code.trim());
    }
}

/// Stops everything that `up` started, in the order in which visitors feel least: the keeper and the page, the
/// proxies, the web servers, the databases.
pub async fn down(config: &Config, lang: Lang) -> ExitCode {
    let home = match ours(&config.home) {
        Ok(Some(home)) => home,
        Ok(None) => {
            // Whoever meant another folder sees it.
            println!("{}", lang.say(&text!("down-nothing", folder = config.home.display().to_string())));
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("{}", sentence(&RunError::Home(error), lang));
            return ExitCode::FAILURE;
        }
    };
    // First: `serve` would go on with a comparison, in the folder that is taken away.
    quiet(&home).await;
    if home.sandbox().exists() {
        // The cluster of a comparison that was under way.
        let own = Config { home: home.sandbox(), ..config.clone() };
        if Box::pin(down(&own, lang)).await != ExitCode::SUCCESS {
            return ExitCode::FAILURE;
        }
        if let Err(source) = files::remove(&own.home) {
            eprintln!("{}", sentence(&RunError::Io { doing: CLEARING, source }, lang));
            return ExitCode::FAILURE;
        }
    }
    match end(&home).await {
        Ok(0) => {
            println!("{}", lang.tr("down-done"));
            ExitCode::SUCCESS
        }
        Ok(left) => {
            eprintln!("{}", lang.say(&text!("down-left", count = left)));
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("{}", sentence(&RunError::Io { doing: LOOKING, source: error }, lang));
            ExitCode::FAILURE
        }
    }
}

/// Ends the keeper and the page: nobody starts or looks any more.
async fn quiet(home: &Home) {
    for name in ["keeper", "serve"] {
        stop(home, |p| p.name == name, Duration::from_secs(10)).await;
    }
}

/// Ends everything in its order. Gives how many processes are left.
async fn end(home: &Home) -> std::io::Result<usize> {
    let users = Users::find().map_err(|user| std::io::Error::other(format!("no user {user}")))?;
    let roster = &Roster::open(home, &users)?;
    let is_proxy = |p: &Found| p.name.starts_with("haproxy-");
    let is_database = |p: &Found| home.servers().join(&p.name).join("my.cnf").exists();
    quiet(home).await;
    stop(home, is_proxy, Duration::from_secs(10)).await;
    stop(home, |p| !is_database(p), Duration::from_secs(10)).await;
    stop(home, |_| true, Duration::from_secs(40)).await;
    let left = roster.find()?.len();
    if left == 0 {
        roster.clear()?;
        home.leave_nothing()?;
    }
    Ok(left)
}

/// The cluster of a folder, whole or not; nothing where there is none. Somebody else's folder is refused.
fn ours(root: &Path) -> Result<Option<Home>, HomeError> {
    match Home::found(root)? {
        None => whole::check(root).map(|()| None),
        found => Ok(found),
    }
}

/// Asks some of our processes to end, then forces those that have not.
async fn stop(home: &Home, which: impl Fn(&Found) -> bool, patience: Duration) {
    // What cannot be looked at may run: it is waited for.
    let select = || Some(Roster::of(home).find().ok()?.into_iter().filter(|p| which(p)).collect::<Vec<_>>());
    let first = select().unwrap_or_default();
    for process in &first {
        // Leaders end their own group; without a leader each member is asked.
        let has_leader = first.iter().any(|p| p.pid == process.group);
        if process.pid == process.group || !has_leader {
            let _ = process::signal(process.pid, Signal::TERM);
            // A frozen process hears nothing else until it goes on.
            let _ = process::signal(process.pid, Signal::CONT);
        }
    }
    let deadline = Instant::now() + patience;
    while Instant::now() < deadline {
        if select().is_some_and(|left| left.is_empty()) {
            return;
        }
        sleep(Duration::from_millis(50)).await;
    }
    for process in select().unwrap_or_default() {
        let _ = process::signal(process.pid, Signal::KILL);
    }
    let deadline = Instant::now() + Duration::from_secs(2);
    while Instant::now() < deadline && select().is_none_or(|left| !left.is_empty()) {
        sleep(Duration::from_millis(20)).await;
    }
}

/// Stops the cluster and deletes its state, once somebody has said yes: with `--yes`, or on a terminal.
async fn reset(config: &Config, yes: bool, lang: Lang) -> bool {
    match ours(&config.home) {
        Ok(Some(_)) => {}
        Ok(None) => return true,
        Err(error) => {
            eprintln!("{}", sentence(&RunError::Home(error), lang));
            return false;
        }
    }
    if !yes {
        if !std::io::stdin().is_terminal() {
            eprintln!("{}", lang.say(&text!("reset-unasked", home = config.home.display().to_string())));
            return false;
        }
        print!("{} ", lang.say(&text!("reset-question", home = config.home.display().to_string())));
        let _ = std::io::stdout().flush();
        let mut answer = String::new();
        let read = std::io::stdin().read_line(&mut answer);
        if read.is_err() || !matches!(answer.trim(), "oui" | "yes") {
            println!("{}", lang.tr("reset-kept"));
            return false;
        }
    }
    if down(config, lang).await != ExitCode::SUCCESS {
        return false;
    }
    let home = Home::found(&config.home);
    if let Ok(Some(home)) = &home
        && !home.run().starts_with(&home.root)
    {
        let _ = files::remove(&home.run());
    }
    let removed = home.map_err(std::io::Error::other);
    match removed.and_then(|home| home.map_or(Ok(()), |home| files::remove(&home.root))) {
        Ok(()) => true,
        Err(error) => {
            eprintln!("{}: {error}", config.home.display());
            false
        }
    }
}
