//! The keeper: it restarts `serve`, whatever ended it.

use std::process::{ExitCode, Stdio};
use std::time::{Duration, Instant};

use cordee_node::files;
use cordee_node::logbook::{self, OWN};
use cordee_node::paths::Home;
use cordee_node::process::{self, Serial, own_binary};
use cordee_node::roster::{Roster, Start, own_program};
use cordee_node::vital::{self, End};
use rustix::process::Signal;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::sleep;

use crate::before::Before;
use crate::config::Config;

/// A `serve` that lived longer is restarted at once; and no pause before a restart is longer.
const KEEPER_PAUSE: Duration = Duration::from_millis(cordee_domain::figures::KEEPER_PAUSE);

pub(super) fn spawn_keeper(home: &Home) -> std::io::Result<()> {
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

/// Records that a process of Cordée's own is about to be started.
fn own_entry(roster: &Roster, name: &str) -> std::io::Result<Start> {
    let (none, us) = (Serial { server: 0, generation: 0 }, rustix::process::geteuid().as_raw());
    roster.enlist(name, none, &own_program(), us, false)
}

/// Restarts `cordee serve` whenever it ends: at once if it lived longer than `KEEPER_PAUSE`, otherwise after a
/// growing pause. The keeper has a session of its own, which keeps the terminal's signals away from all its
/// descendants.
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
            // The system may lack processes or descriptors; that may change soon.
            Err(error) => tracing::error!(error = &error as &dyn std::error::Error, "starting serve"),
        }
        // A `serve` that lived is restarted at once; one that cannot start is retried with growing pauses.
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

/// How the supervision of one `serve` ended.
enum Kept {
    /// The keeper must end.
    Over,
    /// Another `serve` must follow.
    Ended(End),
}

/// Supervises one `serve` for as long as it lives. If it gives no sign of life for ten seconds, it is killed: it
/// may be frozen, and it holds the lock. The processes that it started run on.
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
        // It runs, and is found by its mark.
        tracing::error!(error = &error as &dyn std::error::Error, "writing down serve");
    }
    Ok(child)
}
