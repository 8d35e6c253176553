//! `cordee doctor`: checks everything that a cluster needs on this machine, and reports all of it. It changes
//! nothing.

use std::fmt::Write as _;
use std::io::Write as _;
use std::net::SocketAddr;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use cordee_domain::ids::PoolId;
use cordee_domain::observed::Room;
use cordee_domain::state::Severity;
use cordee_domain::text;
use cordee_domain::text::Text;
use cordee_node::paths::whole;
use cordee_node::paths::{Home, HomeError};
use cordee_node::process::Found;
use cordee_node::roster::Roster;
use cordee_node::surroundings::{self, FEWEST};
use cordee_node::users::Users;
use cordee_node::{files, net, trouble};
use tokio::net::UnixStream;
use tokio::time::timeout;

use crate::client;
use crate::config::Config;
use crate::listen::DESCRIPTORS;
use crate::run;
use crate::store::{self, Store, StoreError};
use crate::up::PROGRAMS;
use crate::words::Lang;

/// Time limit for each answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// What was found, in the order of the checks.
#[derive(Debug, Default)]
struct Report(Vec<(Severity, Text)>);

impl Report {
    fn well(&mut self, says: Text) {
        self.0.push((Severity::Good, says));
    }

    fn note(&mut self, says: Text) {
        self.0.push((Severity::Warning, says));
    }

    fn bad(&mut self, says: Text) {
        self.0.push((Severity::Critical, says));
    }

    fn is_bad(&self) -> bool {
        self.0.iter().any(|(severity, _)| *severity == Severity::Critical)
    }

    fn say(&self, lang: Lang) -> String {
        let mut all = String::new();
        for (severity, says) in &self.0 {
            let shape = match severity {
                Severity::Good => '✓',
                Severity::Critical => '✗',
                _ => '!',
            };
            let _ = writeln!(all, "{shape} {}", lang.say(says));
        }
        all
    }
}

/// Checks, and prints the report: returns 0 when nothing needs the operator, 1 otherwise. Warnings alone give 0.
pub async fn doctor(config: &Config, lang: Lang) -> ExitCode {
    let mut report = Report::default();
    programs(&mut report);
    if let Some(home) = folder(&mut report, &config.home) {
        state(&mut report, &home);
        room(&mut report, &home);
        let running = processes(&mut report, &home).await;
        ports(&mut report, config, &home, &running);
    }
    descriptors(&mut report);
    let bad = report.is_bad();
    let last = if bad { text!("doctor-bad") } else { text!("doctor-well") };
    let _ = writeln!(std::io::stdout(), "{}{}", report.say(lang), lang.say(&last));
    ExitCode::from(u8::from(bad))
}

fn programs(report: &mut Report) {
    let before = report.0.len();
    for (path, package) in PROGRAMS {
        if !Path::new(path).exists() {
            report.bad(text!("up-missing", path = path, package = package));
        }
    }
    if let Err(user) = Users::find() {
        report.bad(text!("up-user", user = user));
    }
    if report.0.len() == before {
        report.well(text!("doctor-programs"));
    }
}

/// Returns the folder when it is one of ours, and reports whatever is wrong with it.
fn folder(report: &mut Report, root: &Path) -> Option<Home> {
    let shown = root.display().to_string();
    if let Err(error) = whole::check(root) {
        report.bad(whole::words(&error));
    }
    match Home::found(root) {
        Ok(Some(home)) => {
            report.well(text!("doctor-home", folder = shown, id = home.id.as_str()));
            owner(report, &home);
            Some(home)
        }
        Ok(None) => {
            if !report.is_bad() {
                report.note(text!("doctor-home-none", folder = shown));
            }
            None
        }
        Err(HomeError::Damaged { .. }) if report.is_bad() => None,
        Err(error) => {
            report.bad(whole::words(&error));
            None
        }
    }
}

/// Checks who owns the folder and its secrets, and who else may read them.
fn owner(report: &mut Report, home: &Home) {
    let us = rustix::process::geteuid().as_raw();
    let before = report.0.len();
    let secret = [home.state(), home.secrets(), home.login_key()];
    for (path, hidden) in [(home.root.clone(), 0o022)].into_iter().chain(secret.map(|path| (path, 0o077))) {
        // A missing file was reported already.
        let Ok(meta) = std::fs::symlink_metadata(&path) else { continue };
        let shown = path.display().to_string();
        if meta.uid() != us {
            report.bad(text!("doctor-owner", path = shown.as_str(), uid = meta.uid(), us = us));
        }
        if meta.mode() & hidden != 0 {
            let mode = format!("{:o}", meta.mode() & 0o777);
            report.bad(text!("doctor-mode", path = shown, mode = mode));
        }
    }
    if report.0.len() == before {
        report.well(text!("doctor-rights"));
    }
}

fn state(report: &mut Report, home: &Home) {
    if home.root.join(whole::COMPLETE).exists() {
        report.well(text!("doctor-complete"));
    } else {
        report.note(text!("doctor-incomplete"));
    }
    for path in [home.state(), home.state().with_file_name("visitors.db")] {
        if !path.exists() {
            continue;
        }
        let shown = path.display().to_string();
        let looked = match whole::is_sqlite(&path) {
            Ok(true) => store::examine(&path),
            Ok(false) | Err(_) => Err(StoreError::Damaged),
        };
        match looked {
            Ok(version) => report.well(text!("doctor-sqlite", path = shown, version = version)),
            Err(error) => {
                tracing::debug!(error = &error as &dyn std::error::Error, "examining");
                report.bad(text!("folder-damaged", path = shown));
            }
        }
    }
}

fn room(report: &mut Report, home: &Home) {
    match files::free(&home.root) {
        Ok(free) => {
            let room = Room { folder: home.root.display().to_string(), free };
            match room.says() {
                Some(why) if room.full() => report.bad(why),
                Some(why) => report.note(why),
                None => report.well(text!("doctor-room", folder = room.folder.as_str(), free = free >> 20)),
            }
        }
        Err(error) => report.bad(trouble::words(&error)),
    }
}

/// Checks what runs, and whether it answers where Cordée asks it.
async fn processes(report: &mut Report, home: &Home) -> Vec<Found> {
    let found = match Roster::of(home).find() {
        Ok(found) => found,
        Err(error) => {
            report.bad(trouble::words(&error));
            return Vec::new();
        }
    };
    if found.is_empty() {
        report.note(text!("doctor-nothing-runs"));
        return found;
    }
    if found.iter().any(|p| p.name == "keeper") {
        report.well(text!("doctor-keeper"));
    } else {
        report.bad(text!("doctor-no-keeper"));
    }
    match timeout(PATIENCE, client::picture(&home.socket(), Lang::En)).await {
        Ok(Some(_)) => report.well(text!("doctor-serve")),
        _ => report.bad(text!("doctor-serve-silent", path = home.socket().display().to_string())),
    }
    for leader in found.iter().filter(|p| p.pid == p.group) {
        let frozen: Vec<u32> =
            found.iter().filter(|p| p.group == leader.group && p.frozen).map(|p| p.pid).collect();
        answers(report, home, leader, &frozen).await;
    }
    found
}

/// `frozen`: the frozen processes of its group; for HAProxy that may be the worker alone.
async fn answers(report: &mut Report, home: &Home, leader: &Found, frozen: &[u32]) {
    let Some(id) = &leader.id else { return };
    let name = leader.name.as_str();
    if !frozen.is_empty() {
        let pids = frozen.iter().map(u32::to_string).collect::<Vec<_>>().join(" ");
        report.bad(text!("doctor-frozen", name = name, pids = pids));
        return;
    }
    let Some(socket) = home.socket_of(id) else { return };
    if let Ok(Ok(_)) = timeout(PATIENCE, UnixStream::connect(&socket)).await {
        report.well(text!("doctor-answers", name = name));
    } else {
        let path = socket.display().to_string();
        report.bad(text!("doctor-socket", name = name, path = path, pid = leader.pid));
    }
}

/// Checks that the addresses which no process of ours holds now are free.
fn ports(report: &mut Report, config: &Config, home: &Home, running: &[Found]) {
    let readable = whole::is_sqlite(&home.state()).unwrap_or(false);
    let known = readable.then(|| Store::open_read(&home.state()).ok()).flatten();
    let known = known.map(|desired| run::addresses(&desired));
    let wanted = config.addresses(known.as_ref());
    let runs = |name: &str| running.iter().any(|p| p.name == name);
    let proxy = |pool: PoolId| runs(&format!("haproxy-{pool}"));
    let all: [(SocketAddr, bool); 4] = [
        (wanted.page, runs("serve")),
        (wanted.site, proxy(PoolId::Web)),
        (wanted.db, proxy(PoolId::Db)),
        (wanted.writer, proxy(PoolId::Db)),
    ];
    let before = report.0.len();
    for (address, _) in all.into_iter().filter(|(address, held)| !held && !net::free(*address)) {
        let holder = net::holder(address.port()).to_string();
        report.bad(text!("doctor-port", address = address.to_string(), holder = holder));
    }
    if report.0.len() == before {
        report.well(text!("doctor-ports"));
    }
}

fn descriptors(report: &mut Report) {
    // The limit of this process, which is about to end.
    let limit = surroundings::raise_descriptors();
    if limit < FEWEST {
        report.bad(text!("doctor-descriptors-few", limit = limit, needed = FEWEST));
    } else if limit < DESCRIPTORS {
        report.note(text!("doctor-descriptors-few", limit = limit, needed = DESCRIPTORS));
    } else {
        report.well(text!("doctor-descriptors", needed = DESCRIPTORS));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_alone_needs_nobody_and_every_finding_is_said() {
        let mut report = Report::default();
        report.well(text!("doctor-programs"));
        report.note(text!("doctor-nothing-runs"));
        assert!(!report.is_bad());
        report.bad(text!("doctor-no-keeper"));
        assert!(report.is_bad());
        let said = report.say(Lang::En);
        let shapes: Vec<_> = said.lines().filter_map(|line| line.chars().next()).collect();
        assert_eq!(shapes, ['✓', '!', '✗'], "{said}");
    }
}
