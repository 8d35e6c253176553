//! `cordee down`: stops everything in a fixed order; with `--reset`, the state is deleted afterwards.

use std::io::{IsTerminal as _, Write as _};
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use cordee_domain::ids::ProcessId;
use cordee_domain::text;
use cordee_node::files;
use cordee_node::paths::whole;
use cordee_node::paths::{Home, HomeError};
use cordee_node::process::{self, Found};
use cordee_node::roster::Roster;
use cordee_node::users::Users;
use rustix::process::Signal;
use tokio::time::sleep;

use super::{LOOKING, sentence, tell, warn};
use crate::client;
use crate::config::Config;
use crate::run::RunError;
use crate::words::Lang;

/// What was being done, in the error message.
const CLEARING: &str = "clearing away the cluster of a comparison";

/// What there was to stop.
enum Downed {
    /// There is no cluster.
    Nowhere,
    /// Nothing ran.
    Idle,
    /// Everything that ran has ended.
    Stopped,
}

/// Stops everything that `up` started, in the order that visitors notice least: the keeper and the page, the
/// HAProxy instances, the web servers, the databases.
pub async fn down(config: &Config, lang: Lang) -> ExitCode {
    let folder = || config.home.display().to_string();
    match take_down(&config.home, lang).await {
        Ok(Downed::Stopped) => tell(&lang.tr("down-done")),
        Ok(Downed::Idle) => tell(&lang.say(&text!("down-idle", folder = folder()))),
        // The message names the folder, for an operator who meant another one.
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
    // This comes first: `serve` would continue a comparison in the folder that is being removed.
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

/// Ends the keeper and the page: from then on nothing is started or looked at.
pub(super) async fn quiet(home: &Home) {
    for name in ["keeper", "serve"] {
        stop(home, |p| p.name == name, Duration::from_secs(10)).await;
    }
}

/// Ends all processes in their order. Returns how many are left.
async fn end(home: &Home) -> std::io::Result<usize> {
    let users = Users::find().map_err(|user| std::io::Error::other(format!("no user {user}")))?;
    let roster = &Roster::open(home, &users)?;
    let is_proxy = |p: &Found| p.name.starts_with("haproxy-");
    let is_database = |p: &Found| matches!(p.id, Some(ProcessId::Database(_)));
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

/// Returns the cluster of a folder, complete or not; `None` if there is none. A folder that is not ours is refused.
fn ours(root: &Path) -> Result<Option<Home>, HomeError> {
    match Home::found(root)? {
        None => whole::check(root).map(|()| None),
        found => Ok(found),
    }
}

/// Asks the selected processes to end, then kills those that have not.
async fn stop(home: &Home, which: impl Fn(&Found) -> bool, patience: Duration) {
    // If the processes cannot be found, some may run: it waits.
    let select = || Some(Roster::of(home).find().ok()?.into_iter().filter(|p| which(p)).collect::<Vec<_>>());
    let first = select().unwrap_or_default();
    for process in &first {
        // A leader ends its own group; without a leader each member is asked.
        let has_leader = first.iter().any(|p| p.pid == process.group);
        if process.pid == process.group || !has_leader {
            let _ = process::signal(process.pid, Signal::TERM);
            // A frozen process does not handle the signal until it continues.
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

/// Stops the cluster and deletes its state, after confirmation: with `--yes`, or on a terminal.
pub(super) async fn reset(config: &Config, yes: bool, lang: Lang) -> bool {
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
