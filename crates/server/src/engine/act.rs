//! Carrying out a step. Nothing is decided here.

// A new step is met wherever steps are told apart.
#![warn(clippy::wildcard_enum_match_arm)]

use std::cell::Cell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cordee_domain::change::Change;
use cordee_domain::db;
use cordee_domain::db::copied::Copied;
use cordee_domain::db::ids::DENSE;
use cordee_domain::desired::{Desired, Routing, Saved, Server};
use cordee_domain::fault::Fault;
use cordee_domain::haproxy::runtime;
use cordee_domain::ids::{PoolId, ServerName};
use cordee_domain::observed::{CopySeen, ProcessId};
use cordee_domain::step::{HostStep, Outcome, ProxyStep, RowsStep, SqlStep, Step};
use cordee_domain::text;
use rustix::process::Signal;
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::clock::now;
use crate::hands::mysql::{Database, Peer};
use crate::hands::{backup, binlog, files, haproxy, process, trouble, zones};
use crate::store::CommitError;

use super::doors::{Doors, address};
use super::{Engine, Parts, Sight, by_hand, data, import, launch, look_at_proxy};

/// A step that takes longer has failed; what it did is seen at the next look.
const DEADLINE: Duration = Duration::from_secs(60);

impl Engine {
    /// Starts a step; its end comes back as a sight.
    pub(super) fn act(&mut self, step: Step, desired: &Arc<Desired>) {
        tracing::debug!(?step, "step");
        process::failpoint("before", step.name());
        self.observed.note_rest(&step, now());
        self.observed.unsettle(&step);
        let (parts, out, desired) = (self.parts.clone(), self.out.clone(), desired.clone());
        match step {
            Step::Proxy(step) => {
                self.work.spawn(async move {
                    let outcome = ended(timeout(DEADLINE, proxy_step(&parts, &step)).await);
                    let sight = look_at_proxy(&parts.home, step.proxy(), Some((step, outcome))).await;
                    let _ = out.send(sight).await;
                });
            }
            Step::Sql(step) => {
                let name = step.on().clone();
                let database = self.database(&name);
                self.work.spawn(async move {
                    let work = database_step(&parts, &desired, &database, &step);
                    let outcome = ended(timeout(DEADLINE, work).await);
                    let at = now();
                    let seen = database.look().await;
                    let _ = out.send(Sight::Database { name, at, seen, step: Some((step, outcome)) }).await;
                });
            }
            Step::Rows(RowsStep::Compare { name, with }) => self.compare(name, with, &desired),
            Step::Rows(RowsStep::Repair { name, with, side }) => self.repair(name, with, side, &desired),
            Step::Wish(change) => {
                self.work.spawn_blocking(move || {
                    let outcome = commit(&parts, &change);
                    let _ = out.blocking_send(Sight::Wish { change, outcome });
                });
            }
            Step::Host(step) => {
                let doors = self.doors.clone();
                self.work.spawn_blocking(move || {
                    let (outcome, child) = match process_step(&parts, &doors, &desired, &step, &out) {
                        Ok(child) => (Outcome::Done, child),
                        Err(why) => (Outcome::Failed(why), None),
                    };
                    let _ = out.blocking_send(Sight::Process { step, outcome, child });
                });
            }
        }
    }
}

/// Stores a decision of Cordée's own. One that was overtaken by another is no failure: the next plan starts from that.
fn commit(parts: &Parts, change: &Change) -> Outcome {
    match parts.store.commit(change, "cordee") {
        Ok(_) => Outcome::Done,
        Err(CommitError::Refused(problems)) => {
            tracing::warn!(?change, ?problems, "decision refused");
            Outcome::Failed(Fault::Overtaken)
        }
        Err(CommitError::Store(error)) => {
            tracing::error!(error = &error as &dyn std::error::Error, "decision");
            Outcome::Failed(Fault::NotStored)
        }
    }
}

fn ended(result: Result<Result<(), Fault>, tokio::time::error::Elapsed>) -> Outcome {
    match result {
        Ok(Ok(())) => Outcome::Done,
        Ok(Err(why)) => Outcome::Failed(why),
        Err(_) => Outcome::Failed(Fault::Deadline),
    }
}

/// Does what waits for the disk, which may take seconds, where nobody else waits for it. A panic goes on in its caller.
async fn off_thread(work: impl FnOnce() -> Result<(), Fault> + Send + 'static) -> Result<(), Fault> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // Cordée is stopping.
            Err(_) => Err(Fault::Overtaken),
        },
    }
}

async fn proxy_step(parts: &Parts, step: &ProxyStep) -> Result<(), Fault> {
    let home = &parts.home;
    let commands = match step {
        ProxyStep::WriteConfig { proxy, text, check } => {
            let path = home.proxy_config(*proxy);
            if *check {
                haproxy::check(*proxy, &text.0, parts.users.haproxy).await?;
            }
            let (parts, proxy, text) = (parts.clone(), *proxy, text.0.clone());
            return off_thread(move || {
                by_hand::keep(&parts, proxy)?;
                files::replace(&path, &text, 0o600, parts.users.haproxy).map_err(|e| io(&e))
            })
            .await;
        }
        ProxyStep::WriteSession { mode } => {
            let (path, text, user) = (home.session_map(), mode.map(), parts.users.haproxy);
            return off_thread(move || files::replace(&path, text, 0o600, user).map_err(|e| io(&e))).await;
        }
        ProxyStep::SetSession { mode } => (&PoolId::Web, runtime::set_session(&home.session_map(), *mode)),
        ProxyStep::Reload { proxy, shape } => {
            return haproxy::reload(home, *proxy, shape).await;
        }
        ProxyStep::AddServer { proxy, name, id, to, out } => {
            (proxy, runtime::add(*proxy, name, *id, *to, *out))
        }
        ProxyStep::SetAddress { proxy, name, to } => (proxy, runtime::set_address(*proxy, name, *to)),
        ProxyStep::SetState { proxy, name, state, writer } => {
            (proxy, runtime::set_state(*proxy, name, *state, *writer))
        }
        ProxyStep::SetWeight { proxy, name, weight } => (proxy, runtime::set_weight(*proxy, name, *weight)),
        ProxyStep::SetMost { proxy, name, most } => (proxy, runtime::set_most(*proxy, name, *most)),
        ProxyStep::OpenFrontend { proxy, name, most, paused } => {
            (proxy, runtime::open_frontend(name, *most, *paused))
        }
        ProxyStep::LiftLimits { proxy } => (proxy, runtime::lift_limits()),
        ProxyStep::DeleteServer { proxy, name } => (proxy, runtime::delete(*proxy, name)),
    };
    haproxy::run(&home.proxy_socket(*commands.0), &commands.1).await
}

/// An I/O error of a step.
pub(super) fn io(error: &std::io::Error) -> Fault {
    trouble::fault(error)
}

async fn database_step(
    parts: &Parts,
    desired: &Desired,
    database: &Database,
    step: &SqlStep,
) -> Result<(), Fault> {
    let all_write = desired.routing == Routing::AllWriters;
    match step {
        SqlStep::SetLink { from, .. } => {
            let peer = find(desired, from)?;
            let host = address(peer).ip().to_string();
            let password = &parts.secrets.replication;
            let peer = Peer { name: &peer.name, host: &host, port: peer.port, password };
            database.set_link(&peer).await
        }
        SqlStep::ResetLink { from, .. } => {
            let peer = find(desired, from)?;
            let host = address(peer).ip().to_string();
            let password = &parts.secrets.replication;
            database.reset_link(&Peer { name: &peer.name, host: &host, port: peer.port, password }).await
        }
        SqlStep::SetVariable { variable, value, still, .. } => {
            database.set_variable(variable, value, *still).await
        }
        SqlStep::NumberIds { to, .. } => {
            database.number(*to, &db::credentials::schema_changes(*to != DENSE)).await
        }
        SqlStep::FollowEvents { scheduler, turns, .. } => database.follow_events(*scheduler, turns).await,
        SqlStep::LoadZones { .. } => load_zones(parts, database).await,
        SqlStep::Renumber { id, after, .. } => database.renumber(*id, *after).await,
        SqlStep::MakeAccounts { .. } => database.run_unlogged(&data::accounts_again(parts, all_write)).await,
        SqlStep::StartLink { from, .. } => database.start_link(from).await,
        SqlStep::StopLink { from, whole, .. } => database.stop_link(from, *whole).await,
        SqlStep::DropLink { from, .. } => database.drop_link(from).await,
        SqlStep::SetStrict { .. } => database.set_strict().await,
        SqlStep::SetReceipts { on, .. } => database.set_receipts(*on).await,
        SqlStep::FreeLinks { .. } => database.free_links().await,
        SqlStep::SetBack { id, .. } => database.set_back(*id).await,
        SqlStep::ReleaseDatabase { name } => release(parts, database, name).await,
        SqlStep::SeedPosition { name } => seed(parts, database, name).await,
        SqlStep::OpenDatabase { epoch, .. } => {
            // Another decision may have been stored since this one was planned.
            let wish = parts.board.desired();
            if wish.epoch != *epoch || wish.handover.is_some() {
                return Err(Fault::Overtaken);
            }
            database.open().await
        }
        SqlStep::CloseDatabase { .. } => database.close().await,
        SqlStep::EndSenders { ids, .. } => database.end(ids).await,
        SqlStep::SetSemiSync { on, .. } => database.set_semi_sync(*on).await,
        SqlStep::CreateSchema { .. } => database.run(&launch::schema()).await,
    }
}

/// No other database hears of it: each has its own.
async fn load_zones(parts: &Parts, database: &Database) -> Result<(), Fault> {
    let user = parts.users.mariadb;
    let unread = || text!("zones-unread", folder = db::zones::FOLDER);
    let said = tokio::task::spawn_blocking(move || zones::read(user)).await.map_err(|_| unread())??;
    let statements = db::zones::statements(&said).ok_or_else(unread)?;
    database.run_unlogged(&statements).await
}

fn find<'a>(desired: &'a Desired, name: &ServerName) -> Result<&'a Server, Fault> {
    desired
        .servers()
        .find(|s| s.name == *name)
        .ok_or_else(|| text!("problem-server-unknown", name = name.as_str()).into())
}

/// Saves what only a former writer has in its log, and stores that this was done.
fn save_own(parts: &Parts, desired: &Desired, name: &ServerName, id: u32, after: u64) -> Result<(), Fault> {
    let file = format!("lost/{name}-epoch-{}.sql", desired.epoch);
    let logs = parts.home.server(name).join("binlog");
    let user = parts.users.mariadb;
    let count = binlog::save(&logs, id, after, &parts.home.root.join(&file), user).map_err(|e| io(&e))?;
    let saved = Saved { count, file };
    match commit(parts, &Change::Saved { name: name.clone(), saved }) {
        Outcome::Done => Ok(()),
        Outcome::Failed(why) => Err(why),
    }
}

/// Takes what is ours off a database of somebody else's, then forgets it, and says what it still holds.
async fn release(parts: &Parts, database: &Database, name: &ServerName) -> Result<(), Fault> {
    database.release(&data::no_accounts(parts)).await?;
    let (parts, name) = (parts.clone(), name.clone());
    let forgotten = tokio::task::spawn_blocking(move || {
        let begun = import::begun(&parts.home.server(&name));
        match commit(&parts, &Change::Forget { name: name.clone() }) {
            Outcome::Failed(why) => return Err(why),
            Outcome::Done => {}
        }
        let text = if begun {
            text!("event-released", name = &name)
        } else {
            text!("event-released-untouched", name = &name)
        };
        parts.store.tell(name.as_str(), None, &text);
        Ok(())
    });
    forgotten.await.unwrap_or(Err(Fault::NotStored))
}

/// Tells a copy where it ends, once. What its tables say counts only until they were told something: it is kept first.
async fn seed(parts: &Parts, database: &Database, name: &ServerName) -> Result<(), Fault> {
    let file = data::position_file(&parts.home.server(name));
    let kept = files::plain_text(&file).map_err(|e| io(&e))?;
    let copied = Copied::parse(&kept).ok_or_else(|| text!("copy-no-position"))?;
    let told = copied.told.clone();
    let end = copied.end(database.told().await?);
    if end != told {
        tracing::info!(%name, %told, %end, "a copy holds more than was written down");
    }
    data::keep_position(&parts.home.server(name), &Copied { told: end.clone(), donor: None })?;
    database.place(&end).await?;
    process::remove_file(&file).map_err(|e| io(&e))
}

/// Between two words about how far a copy is.
const COPY_PACE: Duration = Duration::from_millis(250);

fn copy(
    parts: &Parts,
    name: &ServerName,
    id: u32,
    donor: &ServerName,
    out: &mpsc::Sender<Sight>,
) -> Result<(), Fault> {
    let total = data::copied_bytes(&parts.home.server(donor).join("data")).map_err(|e| io(&e))?;
    let since = now();
    let told = Cell::new(Instant::now().checked_sub(COPY_PACE));
    let progress = |done: u64| {
        if told.get().is_none_or(|at| at.elapsed() >= COPY_PACE) {
            told.set(Some(Instant::now()));
            let seen = CopySeen { donor: donor.clone(), since, done, total };
            let _ = out.blocking_send(Sight::Copy { name: name.clone(), seen });
        }
    };
    let board = &parts.board;
    let cancelled = || board.desired().db.server(name).is_none_or(|s| s.id != id);
    let from = board.desired().db.server(donor).map(|s| s.id);
    let from = from.ok_or_else(|| text!("problem-server-unknown", name = donor.as_str()))?;
    let watch = backup::Watch { progress: &progress, cancelled: &cancelled };
    data::copy(parts, name, id, (donor, from), &watch)
}

/// Copies into a database that exists already, and says how far it is.
fn import_tables(
    parts: &Parts,
    doors: &Doors,
    desired: &Desired,
    names: (&ServerName, &ServerName),
    out: &mpsc::Sender<Sight>,
) -> Result<(), Fault> {
    let since = now();
    let told = Cell::new(Instant::now().checked_sub(COPY_PACE));
    let progress = |done: u64, total: u64| {
        if told.get().is_none_or(|at| at.elapsed() >= COPY_PACE) {
            told.set(Some(Instant::now()));
            let seen = CopySeen { donor: names.1.clone(), since, done, total };
            let _ = out.blocking_send(Sight::Copy { name: names.0.clone(), seen });
        }
    };
    // From now on it is shown as under way, and is not released meanwhile.
    progress(0, 1);
    told.set(None);
    import::import(parts, doors, desired, names, &progress)
}

fn process_step(
    parts: &Parts,
    doors: &Doors,
    desired: &Desired,
    step: &HostStep,
    out: &mpsc::Sender<Sight>,
) -> Result<Option<std::process::Child>, Fault> {
    match step {
        HostStep::StartProcess { id, server, generation, keeps } => {
            let serial = process::Serial { server: *server, generation: *generation };
            launch::start(parts, desired, id, serial, *keeps).map(Some)
        }
        HostStep::StopProcess { id, pid } => {
            process::signal(*pid, stop_signal(parts, id)).map_err(|e| io(&e))?;
            Ok(None)
        }
        HostStep::KillProcess { pids, .. } => {
            for pid in pids {
                process::signal_group(*pid, Signal::KILL).map_err(|e| io(&e))?;
                process::signal(*pid, Signal::KILL).map_err(|e| io(&e))?;
            }
            Ok(None)
        }
        HostStep::InitDatabase { name, id } => data::init(parts, name, *id).map(|()| None),
        HostStep::CopyDatabase { name, id, donor } => copy(parts, name, *id, donor, out).map(|()| None),
        HostStep::ImportDatabase { name, donor, .. } => {
            import_tables(parts, doors, desired, (name, donor), out).map(|()| None)
        }
        HostStep::SaveOwn { name, id, after } => save_own(parts, desired, name, *id, *after).map(|()| None),
        HostStep::TrashHome { name } => {
            if data::belongs(parts, name) {
                // Planned from an older look: what belongs to one that is wished never goes.
                return Err(Fault::Overtaken);
            }
            let to = parts.home.trash().join(format!("{name}-{}", now()));
            std::fs::rename(parts.home.server(name), to).map_err(|e| io(&e))?;
            Ok(None)
        }
    }
}

/// Sent to the leader, which ends its own group. Apache finishes what it serves on WINCH (its manual, "Stopping and
/// Restarting"); the others end on TERM.
fn stop_signal(parts: &Parts, id: &ProcessId) -> Signal {
    // Of a server that was removed only its folder still tells what it was.
    match id {
        ProcessId::Server(name) if !data::is_database(&parts.home.server(name)) => Signal::WINCH,
        ProcessId::Server(_) | ProcessId::Proxy(_) => Signal::TERM,
    }
}
