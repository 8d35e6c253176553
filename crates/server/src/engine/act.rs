//! Carries out steps. Nothing is decided here.

// A new variant of `Step` must be handled at every match.
#![warn(clippy::wildcard_enum_match_arm)]

use std::cell::Cell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cordee_domain::db;
use cordee_domain::db::ids::{DENSE, Numbering};
use cordee_domain::decision::{Basis, Decision};
use cordee_domain::desired::{Database as Base, Desired, Membership, Routing, Saved, Server};
use cordee_domain::fault::Fault;
use cordee_domain::ids::{PoolId, ProcessId, ServerName};
use cordee_domain::observed::CopySeen;
use cordee_domain::step::{HostStep, Outcome, RowsStep, SqlStep, Step};
use cordee_domain::text;
use cordee_node::clock::now;
use cordee_node::doors::Doors;
use cordee_node::launch::{self, Start};
use cordee_node::mysql::{Database, Peer};
use cordee_node::trouble::fault;
use cordee_node::{backup, binlog, data, import, process, proxies, zones};
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::store::DecideError;

use super::config::tell_kept;
use super::doors::{address, connections};
use super::{Engine, Parts, Sight, look_at_proxy, pass_on};

/// A step that takes longer than this has failed; the next look sees what it did.
const DEADLINE: Duration = Duration::from_secs(60);

impl Engine {
    /// Starts a step. Its outcome comes back as a sight.
    pub(super) fn act(&mut self, step: Step, desired: &Arc<Desired>) {
        tracing::debug!(?step, "step");
        process::failpoint("before", step.name());
        self.observed.note_rest(&step, now());
        self.observed.stops_receiving(&step);
        self.observed.unsettle(&step);
        let (parts, out, desired) = (self.parts.clone(), self.out.clone(), desired.clone());
        match step {
            Step::Proxy(step) => {
                self.work.spawn(async move {
                    let (store, proxy) = (parts.store.clone(), step.proxy());
                    let kept = move |file: &str| tell_kept(&store, proxy, file);
                    let work = proxies::carry_out(&parts.machine, &step, kept);
                    let outcome = ended(timeout(DEADLINE, work).await);
                    let sight = look_at_proxy(&parts.machine.home, step.proxy(), Some((step, outcome))).await;
                    let _ = out.send(sight).await;
                });
            }
            Step::Sql(step) => {
                let name = step.on().clone();
                let (database, id) = (self.database(&name), self.id_of(&name));
                self.work.spawn(async move {
                    let work = async {
                        if let SqlStep::StopChannel { from, whole: false, .. } = &step {
                            return stop_receiving(&database, (&name, id), from, &out).await;
                        }
                        database_step(&parts, &desired, &database, &step).await
                    };
                    let outcome = ended(timeout(DEADLINE, work).await);
                    let at = now();
                    let seen = database.look().await;
                    let _ =
                        out.send(Sight::Database { name, id, at, seen, step: Some((step, outcome)) }).await;
                });
            }
            Step::Rows(RowsStep::Compare { name, id, with }) => self.compare((name, id), with, &desired),
            Step::Rows(RowsStep::Repair { name, id, with, side }) => {
                self.repair((name, id), with, side, &desired);
            }
            Step::Wish(decision) => {
                self.work.spawn_blocking(move || {
                    let outcome = decide(&parts, &decision);
                    let _ = out.blocking_send(Sight::Wish { decision, outcome });
                });
            }
            Step::Host(step) => {
                let doors = self.doors.clone();
                self.work.spawn(async move {
                    part(&doors, &step).await;
                    let work = spawn_blocking(move || {
                        let (outcome, child) = match process_step(&parts, &doors, &desired, &step, &out) {
                            Ok(child) => (Outcome::Done, child),
                            Err(why) => (Outcome::Failed(why), None),
                        };
                        let _ = out.blocking_send(Sight::Process { step, outcome, child });
                    });
                    if let Err(error) = work.await {
                        pass_on(error);
                    }
                });
            }
        }
    }
}

/// Closes the connections kept to a database that is asked to end: the database writes a line into its log for
/// each connection that it has to close itself.
async fn part(doors: &Doors, step: &HostStep) {
    if let HostStep::StopProcess { id: ProcessId::Database(name), .. } = step
        && let Some(database) = doors.known(name)
    {
        database.part().await;
    }
}

/// Stores a decision of Cordée's own. A decision that was overtaken is no failure: the next plan starts from the
/// present state.
fn decide(parts: &Parts, decision: &Decision) -> Outcome {
    match parts.store.decide(decision) {
        Ok(_) => Outcome::Done,
        Err(DecideError::Refused(why)) => {
            tracing::info!(?decision, %why, "a decision was overtaken");
            Outcome::Failed(Fault::Overtaken)
        }
        Err(DecideError::Store(error)) => {
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

async fn database_step(
    parts: &Parts,
    desired: &Desired,
    database: &Database,
    step: &SqlStep,
) -> Result<(), Fault> {
    let all_write = desired.routing == Routing::AllWriters;
    match step {
        SqlStep::SetChannel { from, .. } => {
            let peer = find(desired, from)?;
            let host = address(peer).ip().to_string();
            let password = &parts.machine.secrets.replication;
            let peer = Peer { name: &peer.name, host: &host, port: peer.port, password };
            database.set_link(&peer).await
        }
        SqlStep::ResetChannel { from, .. } => {
            let peer = find(desired, from)?;
            let host = address(peer).ip().to_string();
            let password = &parts.machine.secrets.replication;
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
        SqlStep::MakeAccounts { .. } => {
            database.run_unlogged(&data::accounts_again(&parts.machine, all_write)).await
        }
        SqlStep::StartChannel { from, .. } => database.start_link(from).await,
        SqlStep::StopChannel { from, whole, .. } => database.stop_link(from, *whole).await,
        SqlStep::DropChannel { from, .. } => database.drop_link(from).await,
        SqlStep::SetStrict { .. } => database.set_strict().await,
        SqlStep::SetAcks { on, .. } => database.set_acks(*on).await,
        SqlStep::FreeChannels { .. } => database.free_links().await,
        SqlStep::SetBack { id, .. } => database.set_back(*id).await,
        SqlStep::ReleaseDatabase { name, id } => {
            let of = Basis { name: name.clone(), id: *id, epoch: desired.epoch };
            release(parts, database, of).await
        }
        SqlStep::SeedPosition { name } => data::seed(&parts.machine.home, database, name).await,
        SqlStep::OpenDatabase { epoch, .. } => {
            // Another decision may have been stored since this step was planned.
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

/// Stops receiving from one database. The position that was received by then decides who takes over, so it is
/// reported before replication from the other databases is resumed, which takes a database with eight sources a
/// while.
async fn stop_receiving(
    database: &Database,
    of: (&ServerName, Option<u32>),
    from: &ServerName,
    out: &mpsc::Sender<Sight>,
) -> Result<(), Fault> {
    let others = database.stop_receiving(from).await?;
    let at = now();
    if let Ok(seen) = database.look().await {
        let (name, from) = (of.0.clone(), from.clone());
        let _ = out.send(Sight::Stopped { name, id: of.1, from, at, seen }).await;
    }
    database.receive_again(&others).await
}

/// Loads the time zones. Not replicated: every database loads its own.
async fn load_zones(parts: &Parts, database: &Database) -> Result<(), Fault> {
    let user = parts.machine.users.mariadb;
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

/// Saves the transactions that only a former writer has in its binary log, and stores the fact that this was done.
fn save_own(parts: &Parts, desired: &Desired, name: &ServerName, id: u32, after: u64) -> Result<(), Fault> {
    let file = format!("lost/{name}-epoch-{}.sql", desired.epoch);
    let logs = parts.machine.home.server(name).join("binlog");
    let user = parts.machine.users.mariadb;
    let count =
        binlog::save(&logs, id, after, &parts.machine.home.root.join(&file), user).map_err(|e| fault(&e))?;
    let saved = Saved { count, file };
    let of = Basis { name: name.clone(), id, epoch: desired.epoch };
    match decide(parts, &Decision::Saved { of, saved }) {
        Outcome::Done => Ok(()),
        Outcome::Failed(why) => Err(why),
    }
}

/// Removes what Cordée made on a database that somebody else runs, then forgets the database, and tells the
/// journal what it still holds.
async fn release(parts: &Parts, database: &Database, of: Basis) -> Result<(), Fault> {
    database.release(&data::no_accounts(&parts.machine)).await?;
    let (parts, name) = (parts.clone(), of.name.clone());
    let forgotten = tokio::task::spawn_blocking(move || {
        let begun = import::begun(&parts.machine.home.server(&name));
        match decide(&parts, &Decision::Forget(of)) {
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

/// Time between two progress reports of a copy.
const COPY_PACE: Duration = Duration::from_millis(250);

fn copy(
    parts: &Parts,
    name: &ServerName,
    id: u32,
    donor: &ServerName,
    out: &mpsc::Sender<Sight>,
) -> Result<(), Fault> {
    let total = data::copied_bytes(&parts.machine.home.server(donor).join("data")).map_err(|e| fault(&e))?;
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
    data::copy(&parts.machine, name, id, (donor, from), &watch)
}

/// Copies the data into a database that exists already, and reports progress.
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
    // From now on the import is shown as under way, and the database is not released meanwhile.
    progress(0, 1);
    told.set(None);
    let find = |name: &ServerName| {
        desired.database(name).ok_or_else(|| text!("problem-server-unknown", name = name.as_str()))
    };
    let (server, donor) = (find(names.0)?, find(names.1)?);
    let login = parts.store.login(server.id).map_err(|_| text!("db-unreachable"))?;
    let ends = import::Ends {
        name: &server.name,
        id: server.id,
        address: address(&server),
        login: &login,
        into: &connections(doors, parts, &server),
        donor: &donor.name,
        source: &connections(doors, parts, &donor),
        from_writer: desired.is_writer(&donor.name),
    };
    let is_not = |fits: &dyn Fn(Base<'_>) -> bool| {
        parts.board.desired().database(&server.name).is_none_or(|s| s.id != server.id || !fits(s))
    };
    let gone = || is_not(&|_| true);
    let changed = || is_not(&|s| s.membership == server.membership);
    import::import(
        &parts.machine,
        &ends,
        &import::Watch { progress: &progress, gone: &gone, changed: &changed },
    )
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
            launch::start(&parts.machine, id, serial, &program(desired, id, *keeps)?).map(Some)
        }
        HostStep::StopProcess { id, pid } => launch::stop(id, *pid).map(|()| None),
        HostStep::KillProcess { pids, .. } => launch::kill(pids).map(|()| None),
        HostStep::InitDatabase { name, id } => data::init(&parts.machine, name, *id).map(|()| None),
        HostStep::CopyDatabase { name, id, donor } => copy(parts, name, *id, donor, out).map(|()| None),
        HostStep::ImportDatabase { name, donor, .. } => {
            import_tables(parts, doors, desired, (name, donor), out).map(|()| None)
        }
        HostStep::SaveOwn { name, id, after } => save_own(parts, desired, name, *id, *after).map(|()| None),
        HostStep::TrashHome { name } => {
            if belongs(parts, name) {
                // The step was planned from an older look: the folder of a wished server is never removed.
                return Err(Fault::Overtaken);
            }
            data::trash(&parts.machine.home, name, now()).map(|()| None)
        }
    }
}

/// How to start the program, as it is wished.
fn program(desired: &Desired, id: &ProcessId, keeps: bool) -> Result<Start, Fault> {
    let unknown = |name: &ServerName| text!("problem-server-unknown", name = name.as_str());
    Ok(match id {
        ProcessId::Proxy(PoolId::Db) => {
            Start::Proxy(PoolId::Db, vec![desired.db.listen, desired.writer_listen])
        }
        ProcessId::Proxy(PoolId::Web) => Start::Proxy(PoolId::Web, vec![desired.web.listen]),
        ProcessId::Web(name) => {
            let server = desired.web_server(name).ok_or_else(|| unknown(name))?;
            let (name, id, port) = (server.name.clone(), server.id, server.port);
            let (databases, writer) = (desired.db.listen, desired.writer_listen.port());
            Start::Web(launch::Web { name, id, port, databases, writer })
        }
        ProcessId::Database(name) => {
            let server = desired.database(name).ok_or_else(|| unknown(name))?;
            let (name, id, port) = (server.name.clone(), server.id, server.port);
            let numbering = Numbering::wished(desired, server);
            let acks = *server.membership != Membership::Joining;
            let writes = desired.is_writer(&name);
            Start::Database(launch::Database { name, id, port, numbering, keeps, acks, writes })
        }
    })
}

/// Reports whether the folder of that name belongs to a wished server. A folder that cannot be read counts as one
/// that does.
fn belongs(parts: &Parts, name: &ServerName) -> bool {
    let desired = parts.board.desired();
    let mut wished = desired.servers().filter(|s| s.name == *name);
    let made = |s: &Server| data::made(&parts.machine.home.server(&s.name));
    wished.any(|s| made(s).map_or(true, |made| made.is_of(s)))
}
