//! `cordee up`, `cordee down` and the keeper: what `./up` runs after it has built the binary.

use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Write as _};
use std::net::SocketAddr;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::{ExitCode, Stdio};
use std::time::{Duration, Instant};

use cordee_api::local::StartJson;
use cordee_domain::desired::Addresses;
use cordee_domain::ids::PoolId;
use cordee_domain::observed::ProcessId;
use cordee_domain::started::Started;
use cordee_domain::text;
use cordee_node::interrupts::{Interrupt, Interrupts};
use cordee_node::logbook;
use cordee_node::logbook::OWN;
use cordee_node::paths::whole;
use cordee_node::paths::{Home, HomeError};
use cordee_node::process::{self, Found, Serial, own_binary};
use cordee_node::roster::{Roster, Start, own_program};
use cordee_node::surroundings::{self, FEWEST};
use cordee_node::users::Users;
use cordee_node::vital::{self, End};
use cordee_node::{files, net};
use rustix::process::Signal;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::sleep;

use crate::before::Before;
use crate::begun::{Begun, RUN_PACE};
use crate::client;
use crate::complain::with_causes;
use crate::config::Config;
use crate::run::{self, RunError};
use crate::store::{Store, StoreError};
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
const UP_WITHIN: Duration = Duration::from_millis(cordee_domain::figures::UP_WITHIN);
/// A `serve` that lived longer is brought back at once; no pause before that is longer.
const KEEPER_PAUSE: Duration = Duration::from_millis(cordee_domain::figures::KEEPER_PAUSE);
/// What is not well for so long, although all serves, is not in passing.
const LASTS: Duration = Duration::from_secs(2);

/// What `up` was asked.
#[derive(Clone, Copy, Debug)]
pub struct Wish {
    /// Return when everything serves, rather than stay.
    pub detach: bool,
    /// Forget the state first.
    pub reset: bool,
    /// Do not ask.
    pub yes: bool,
}

/// Starts the cluster and waits until all that it starts serves.
pub async fn up(config: &Config, wish: Wish, lang: Lang) -> ExitCode {
    if wish.reset && !reset(config, wish.yes, lang).await {
        return ExitCode::FAILURE;
    }
    // From now on: whoever interrupts a start does not mean to leave half a cluster.
    let Ok(mut interrupts) = Interrupts::listen() else { return ExitCode::FAILURE };
    let started = match start(config, lang).await {
        Ok(started) => started,
        Err(sentence) => {
            warn(&sentence);
            return ExitCode::FAILURE;
        }
    };
    let waited = tokio::select! {
        waited = wait(&started, lang) => waited,
        _ = interrupts.next() => {
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
    tell(&if started.ran_before { lang.tr("up-stay-before") } else { lang.tr("up-stay") });
    tokio::select! {
        interrupt = interrupts.next() => match interrupt {
            Interrupt::End => leave(&started, config, lang).await,
            // Nobody asked to stop a site that serves.
            Interrupt::HungUp => ExitCode::SUCCESS,
        },
        () = started.over() => {
            tell(&lang.tr("up-over"));
            ExitCode::SUCCESS
        }
    }
}

/// Says a sentence. A terminal that was closed, or a reader that went away, keeps nothing from being brought to its
/// end.
fn tell(sentence: &str) {
    client::out(&format!("{sentence}\n"));
}

/// The same of what is wrong.
fn warn(sentence: &str) {
    let _ = writeln!(std::io::stderr(), "{sentence}");
}

/// Stops the cluster, unless it ran before, or is another one by now.
async fn leave(begun: &Begun, config: &Config, lang: Lang) -> ExitCode {
    if begun.is_over() {
        tell(&lang.tr("up-over"));
        return ExitCode::SUCCESS;
    }
    if begun.ran_before {
        tell(&lang.tr("up-left"));
        return ExitCode::SUCCESS;
    }
    down(config, lang).await
}

fn sentence(error: &RunError, lang: Lang) -> String {
    match error {
        RunError::Home(error) => lang.say(&whole::words(error)),
        RunError::Store(StoreError::Newer { found, known }) => {
            lang.say(&text!("up-state-newer", found = *found, known = *known))
        }
        RunError::Addresses => lang.say(&text!("up-addresses")),
        error => with_causes(error),
    }
}

/// Starts the keeper unless one runs; before that, everything that would stand in the way is looked at.
async fn start(config: &Config, lang: Lang) -> Result<Begun, String> {
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
    let looking = |source| sentence(&RunError::Io { doing: LOOKING, source }, lang);
    let roster = Roster::open(&home, &users).map_err(looking)?;
    let found = look(&home, lang)?;
    let ran_before = !found.is_empty();
    let known = Store::open_read(&home.state()).ok().map(|d| run::addresses(&d));
    let addresses = config.addresses(known.as_ref());
    let keeper = found.iter().find(|p| p.name == "keeper");
    let outdated = keeper.is_some_and(|keeper| outdated(keeper.pid));
    if keeper.is_some() && !outdated {
        if known.is_some_and(|k| k != addresses) {
            tell(&lang.tr("up-ignored"));
        }
        let run = roster.run().map_err(looking)?;
        return Ok(Begun { home, ran_before, run });
    }
    // All that stands in the way is found before anything is stopped: a refusal leaves what runs alone.
    // A new keeper watches over nothing but its own.
    let orphan = keeper.is_none() && found.iter().any(|p| p.name == "serve");
    if outdated || orphan {
        run::could_serve(&home, config).map_err(|e| sentence(&e, lang))?;
    }
    let listens = |p: &Found| p.name == "serve" && known.as_ref().is_none_or(|k| k.page == addresses.page);
    free(&found, &addresses, found.iter().any(listens), lang)?;
    if outdated || orphan {
        // Built anew since, or alone: the page is replaced, the cluster under it runs on.
        tell(&if outdated { lang.tr("up-newer") } else { lang.tr("up-orphan") });
        quiet(&home).await;
        // Another `up` may have seen the same.
        if look(&home, lang)?.iter().any(|p| p.name == "keeper") {
            let run = roster.run().map_err(looking)?;
            return Ok(Begun { home, ran_before, run });
        }
    }
    if !addresses.page.ip().is_loopback() {
        warn(&lang.say(&text!("up-open", address = addresses.page.to_string())));
    }
    for address in [addresses.db, addresses.writer].iter().filter(|a| !a.ip().is_loopback()) {
        warn(&lang.say(&text!("up-open-db", address = address.to_string())));
    }
    // Only now is anything written: a refusal leaves the addresses of the last good start.
    drop(run::open_store(&home, config).map_err(|e| sentence(&e, lang))?);
    let run = if ran_before { roster.run() } else { roster.begin_run().map(Some) }.map_err(looking)?;
    spawn_keeper(&home).map_err(|e| e.to_string())?;
    Ok(Begun { home, ran_before, run })
}

/// Refuses an address that somebody else has. `listens`: the page's is our own page's already.
fn free(found: &[Found], addresses: &Addresses, listens: bool, lang: Lang) -> Result<(), String> {
    let ours = process::by_id(found);
    let runs = |id: PoolId| ours.contains_key(&ProcessId::Proxy(id));
    let mut wanted: BTreeMap<SocketAddr, &str> = BTreeMap::new();
    if !listens {
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
    Ok(())
}

const LOOKING: &str = "looking for what runs";
/// What else may go wrong on the way down.
const CLEARING: &str = "clearing away the cluster of a comparison";

/// What runs of the cluster. What cannot be looked at may run: nothing is started or called stopped then.
fn look(home: &Home, lang: Lang) -> Result<Vec<Found>, String> {
    Roster::of(home).find().map_err(|source| sentence(&RunError::Io { doing: LOOKING, source }, lang))
}

/// Whether a process runs another file than this one: the same path was built anew, or this version lies elsewhere.
fn outdated(pid: u32) -> bool {
    let file = |of: &str| std::fs::metadata(format!("/proc/{of}/exe")).map(|file| (file.dev(), file.ino()));
    match (file(&pid.to_string()), file("self")) {
        (Ok(runs), Ok(own)) => runs != own,
        // Somebody else's: it is not ours to replace.
        _ => false,
    }
}

fn spawn_keeper(home: &Home) -> std::io::Result<()> {
    std::fs::create_dir_all(home.logs())?;
    let log = files::append(&home.logs().join(OWN))?;
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
    tokio::spawn(logbook::keep_own(home.logs().join(OWN)));
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
        pause = if started.elapsed() > KEEPER_PAUSE {
            Duration::ZERO
        } else {
            (pause * 2).clamp(Duration::from_millis(100), KEEPER_PAUSE)
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

/// Keeps one `serve` for as long as it lives. One that gives no sign of life for ten seconds is killed: it may be
/// frozen, and it holds the lock. What it started goes on.
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

/// How the wait for what is started ended.
enum Waited {
    /// All of it serves.
    Up,
    /// Its time is over.
    InVain,
    /// Somebody stopped the cluster meanwhile.
    Ended,
}

/// Follows the verdict until all that is started serves, and tells it. Once nobody keeps the cluster (a `down` came in
/// between) there is nothing to wait for.
async fn wait(started: &Begun, lang: Lang) -> Waited {
    let (home, begun) = (&started.home, Instant::now());
    let (mut told, mut kept, mut serves) = (String::new(), Instant::now(), None);
    while begun.elapsed() < UP_WITHIN {
        if kept.elapsed() > RUN_PACE {
            let unkept = || Roster::of(home).find().is_ok_and(|all| all.iter().all(|p| p.name != "keeper"));
            if started.is_over() || unkept() {
                warn(&lang.tr("up-ended"));
                return Waited::Ended;
            }
            kept = Instant::now();
        }
        if let Some(StartJson { started, verdict }) = client::start(&home.socket(), lang).await {
            let now = format!("{} {}", verdict.word, verdict.reason.unwrap_or_default());
            if now != told {
                tell(&format!("  {now}"));
                told = now;
            }
            serves = serves.filter(|_| started == Started::Serves);
            match started {
                Started::Well => return Waited::Up,
                Started::Serves if serves.get_or_insert_with(Instant::now).elapsed() > LASTS => {
                    tell(&client::causes(&home.socket(), lang).await);
                    return Waited::Up;
                }
                Started::Serves | Started::Waits => {}
            }
        }
        sleep(Duration::from_millis(100)).await;
    }
    tell(&client::causes(&home.socket(), lang).await);
    warn(&lang.say(&text!("up-unhealthy", log = home.logs().join(OWN).display().to_string())));
    Waited::InVain
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
        tell(&format!("{:<28} {address}", lang.say(&label)));
    }
    if let Ok(code) = files::plain_text(&home.setup_code()) {
        tell(&format!("{:<28} {}", lang.tr("up-code"), code.trim()));
    }
}

/// What there was to stop.
enum Downed {
    /// There is no cluster.
    Nowhere,
    /// Nothing ran.
    Idle,
    /// All that ran has ended.
    Stopped,
}

/// Stops everything that `up` started, in the order in which visitors feel least: the keeper and the page, the
/// proxies, the web servers, the databases.
pub async fn down(config: &Config, lang: Lang) -> ExitCode {
    let folder = || config.home.display().to_string();
    match take_down(&config.home, lang).await {
        Ok(Downed::Stopped) => tell(&lang.tr("down-done")),
        Ok(Downed::Idle) => tell(&lang.say(&text!("down-idle", folder = folder()))),
        // Whoever meant another folder sees it.
        Ok(Downed::Nowhere) => tell(&lang.say(&text!("down-nothing", folder = folder()))),
        Err(why) => {
            warn(&why);
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

async fn take_down(root: &Path, lang: Lang) -> Result<Downed, String> {
    let io = |doing| move |source| sentence(&RunError::Io { doing, source }, lang);
    let home = ours(root).map_err(|error| sentence(&RunError::Home(error), lang))?;
    let Some(home) = home else { return Ok(Downed::Nowhere) };
    let idle = Roster::of(&home).find().is_ok_and(|found| found.is_empty());
    // First: `serve` would go on with a comparison, in the folder that is taken away.
    quiet(&home).await;
    if home.sandbox().exists() {
        // The cluster of a comparison that was under way.
        Box::pin(take_down(&home.sandbox(), lang)).await?;
        files::remove(&home.sandbox()).map_err(io(CLEARING))?;
    }
    match end(&home).await.map_err(io(LOOKING))? {
        0 if idle => Ok(Downed::Idle),
        0 => Ok(Downed::Stopped),
        left => Err(lang.say(&text!("down-left", count = left))),
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
            warn(&sentence(&RunError::Home(error), lang));
            return false;
        }
    }
    if !yes {
        if !std::io::stdin().is_terminal() {
            warn(&lang.say(&text!("reset-unasked", home = config.home.display().to_string())));
            return false;
        }
        let home = config.home.display().to_string();
        client::out(&format!("{} ", lang.say(&text!("reset-question", home = home))));
        let _ = std::io::stdout().flush();
        let mut answer = String::new();
        let read = std::io::stdin().read_line(&mut answer);
        if read.is_err() || !matches!(answer.trim(), "oui" | "yes") {
            tell(&lang.tr("reset-kept"));
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
            warn(&format!("{}: {error}", config.home.display()));
            false
        }
    }
}
