//! `cordee up`, `cordee down` and the keeper: what `./up` runs after it has built the binary.

mod down;
mod keeper;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::SocketAddr;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use cordee_api::local::StartJson;
use cordee_domain::desired::Addresses;
use cordee_domain::ids::{PoolId, ProcessId};
use cordee_domain::started::Started;
use cordee_domain::text;
use cordee_node::interrupts::{Interrupt, Interrupts};
use cordee_node::logbook::OWN;
use cordee_node::paths::Home;
use cordee_node::paths::whole;
use cordee_node::process::{self, Found};
use cordee_node::roster::Roster;
use cordee_node::surroundings::{self, FEWEST};
use cordee_node::users::Users;
use cordee_node::{files, net};
use tokio::time::sleep;

use crate::begun::{Begun, RUN_PACE};
use crate::client;
use crate::complain::with_causes;
use crate::config::Config;
use crate::run::{self, RunError};
use crate::store::{Store, StoreError};
use crate::words::Lang;

pub use down::down;
use down::{quiet, reset};
pub use keeper::keeper;
use keeper::spawn_keeper;

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
/// If all serves, but something is not well for so long, `up` no longer waits for it.
const LASTS: Duration = Duration::from_secs(2);

/// The options of `up`.
#[derive(Clone, Copy, Debug)]
pub struct UpOptions {
    /// Return when everything serves, instead of staying in the foreground.
    pub detach: bool,
    /// Delete the state first.
    pub reset: bool,
    /// Do not ask for confirmation.
    pub yes: bool,
}

/// Starts the cluster and waits until everything that it starts serves.
pub async fn up(config: &Config, wish: UpOptions, lang: Lang) -> ExitCode {
    if wish.reset && !reset(config, wish.yes, lang).await {
        return ExitCode::FAILURE;
    }
    // From here on: an operator who interrupts a start does not want half a cluster to remain.
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
            // Closing the terminal is no request to stop a site that serves.
            Interrupt::HungUp => ExitCode::SUCCESS,
        },
        () = started.over() => {
            tell(&lang.tr("up-over"));
            ExitCode::SUCCESS
        }
    }
}

/// Prints a sentence. A closed terminal or a reader that has gone does not stop what is under way.
fn tell(sentence: &str) {
    client::out(&format!("{sentence}\n"));
}

/// Prints an error.
fn warn(sentence: &str) {
    let _ = writeln!(std::io::stderr(), "{sentence}");
}

/// Stops the cluster, unless it ran before, or another run of it has begun since.
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

/// Starts the keeper unless one runs. Before that, everything that could prevent a start is checked.
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
    // Everything that prevents a start is found before anything is stopped: a refusal leaves the running processes
    // alone.
    // A new keeper watches only the `serve` that it started itself.
    let orphan = keeper.is_none() && found.iter().any(|p| p.name == "serve");
    if outdated || orphan {
        run::could_serve(&home, config).map_err(|e| sentence(&e, lang))?;
    }
    let listens = |p: &Found| p.name == "serve" && known.as_ref().is_none_or(|k| k.page == addresses.page);
    free(&found, &addresses, found.iter().any(listens), lang)?;
    if outdated || orphan {
        // The binary was rebuilt, or `serve` runs without a keeper: the page is replaced, and the cluster's
        // processes run on.
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
    // Nothing is written before this point: a refusal leaves the addresses of the last good start.
    drop(run::open_store(&home, config).map_err(|e| sentence(&e, lang))?);
    let run = if ran_before { roster.run() } else { roster.begin_run().map(Some) }.map_err(looking)?;
    spawn_keeper(&home).map_err(|e| e.to_string())?;
    Ok(Begun { home, ran_before, run })
}

/// Refuses an address that another program has. `listens` means that our own page already has the page's address.
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

/// Returns the running processes of the cluster. If that cannot be told, nothing is started or reported as stopped.
fn look(home: &Home, lang: Lang) -> Result<Vec<Found>, String> {
    Roster::of(home).find().map_err(|source| sentence(&RunError::Io { doing: LOOKING, source }, lang))
}

/// Reports whether a process runs another binary than this one: the file was rebuilt, or this version lies
/// elsewhere.
fn outdated(pid: u32) -> bool {
    let file = |of: &str| std::fs::metadata(format!("/proc/{of}/exe")).map(|file| (file.dev(), file.ino()));
    match (file(&pid.to_string()), file("self")) {
        (Ok(runs), Ok(own)) => runs != own,
        // It belongs to another user, so it is not ours to replace.
        _ => false,
    }
}

/// How the wait for the start ended.
enum Waited {
    /// Everything serves.
    Up,
    /// The time limit was reached.
    InVain,
    /// Somebody stopped the cluster meanwhile.
    Ended,
}

/// Follows and prints the verdict until everything that is started serves. If no keeper runs any more (because of a
/// `down` in between), there is nothing to wait for.
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
