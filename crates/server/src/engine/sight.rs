//! What comes in: looks, outcomes of steps, measurements; and how each is taken in.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::IpAddr;
use std::process::Child;

use cordee_domain::db::credentials::Credentials;
use cordee_domain::db::verify::{OddTables, Report, Side};
use cordee_domain::db::{DatabaseSeen, Thread, failover};
use cordee_domain::decision::Decision;
use cordee_domain::door::{Answer, Door};
use cordee_domain::fault::Fault;
use cordee_domain::haproxy::stats::Running;
use cordee_domain::ids::{Millis, PoolId, ProcessId, ProcessName, ServerName};
use cordee_domain::observed::{CopySeen, Lost};
use cordee_domain::scene::Scene;
use cordee_domain::seen::Seen;
use cordee_domain::sessions;
use cordee_domain::step::{HostStep, Outcome, ProxyStep, SqlStep, Step, Subject};
use cordee_node::clock::now;
use cordee_node::net::Holder;
use cordee_node::verify::Healed;
use tokio::sync::oneshot;

use super::Engine;

/// Something that came in.
#[derive(Debug)]
pub(super) enum Sight {
    /// A look at an HAProxy instance, with the step that went before it.
    Proxy {
        id: PoolId,
        file: io::Result<Option<String>>,
        map: io::Result<Option<String>>,
        running: Result<Running, Fault>,
        step: Option<(ProxyStep, Outcome)>,
    },
    /// A look at a database, with the step that went before it.
    Database {
        name: ServerName,
        /// The id that the name had when the look began.
        id: Option<u32>,
        at: Millis,
        seen: Result<DatabaseSeen, Fault>,
        step: Option<(SqlStep, Outcome)>,
    },
    /// A short look at the writer: whether it accepts writes, and what it promises.
    Pulse { name: ServerName, at: Millis, seen: DatabaseSeen },
    /// A database has stopped receiving from `from`, and is about to receive from the others again.
    Stopped { name: ServerName, id: Option<u32>, from: ServerName, at: Millis, seen: DatabaseSeen },
    /// A step on a process has ended.
    Process { step: HostStep, outcome: Outcome, child: Option<Child> },
    /// A process has ended.
    Ended { id: ProcessId, pid: u32 },
    /// A name was looked up.
    Name { host: String, found: Result<IpAddr, Fault> },
    /// A replication delay was measured.
    Delay { on: ServerName, from: ServerName, ms: u64 },
    /// What a web server answered about the session mode.
    Mode { name: ServerName, said: Result<sessions::Answer, Fault> },
    /// An answer at one of the site's own addresses, and when the request was sent.
    Door { door: Door, asked: Millis, answer: Result<Answer, Fault> },
    /// The state of the cluster's accounts on a database.
    Accounts { name: ServerName, found: Result<BTreeMap<String, Credentials>, Fault> },
    /// A database wrote its heartbeat, or could not.
    Beat { name: ServerName, result: Result<(), Fault> },
    /// The progress of a copy.
    Copy { name: ServerName, seen: CopySeen },
    /// The progress of a comparison of rows.
    Rows { name: ServerName, id: u32, rows: u64 },
    /// A comparison with the rows of `with` has ended; `id` is the id that it was made for.
    Compared { name: ServerName, with: ServerName, id: u32, result: Result<Box<Report>, Fault> },
    /// A repair has ended; `file` holds what both sides had.
    Repaired {
        name: ServerName,
        with: ServerName,
        side: Side,
        id: u32,
        file: String,
        result: Result<Box<Healed>, Fault>,
    },
    /// The writer's tables that deserve a warning.
    Tables(Result<OddTables, Fault>),
    /// A decision of Cordée's own was stored, or not.
    Wish { decision: Decision, outcome: Outcome },
    /// The free bytes beside the state file, and what is missing from Cordée's folder.
    Own { room: io::Result<u64>, lost: io::Result<Option<Lost>> },
    /// Who listens on the servers' ports, where that has changed.
    Ports(cordee_node::ports::Found),
    /// Which program holds the foreign socket on a server's port.
    Holder { id: ProcessId, inode: u64, holder: Holder },
}

/// How long a measured delay is shown, in milliseconds.
const DELAY_KEPT: u64 = 4_000;

impl Engine {
    /// Reports whether the sight leads to no new decision: the snapshot shows it with the next round, which is
    /// never far. While all is well, a third of the sights are of that kind.
    pub(super) fn calm(&self, sight: &Sight) -> bool {
        match sight {
            Sight::Delay { .. } => true,
            Sight::Proxy { id, file: Ok(file), map: Ok(map), running: Ok(running), step: None } => {
                // Requests for a refresh wait for the snapshot, too.
                let subject = Subject::Proxy(*id);
                let awaited = self.unseen.contains(&subject)
                    || self.put_off.contains(&subject)
                    || !self.refreshes.is_empty();
                let known = self.observed.proxy(*id);
                !awaited && known.is_as(file.as_deref(), map.as_deref(), running)
            }
            Sight::Mode { name, said } => match (self.observed.modes.get(name), said) {
                (Some(Seen::At(_, known)), Ok(said)) => known == said,
                (Some(Seen::Failed { .. }), Err(_)) => true,
                _ => false,
            },
            Sight::Door { door, answer: Ok(answer), .. } => {
                let seen = self.observed.doors.get(door);
                seen.is_some_and(|seen| seen.is_as(&self.parts.board.desired(), *door, *answer))
            }
            Sight::Name { host, found: Ok(found) } => {
                matches!(self.observed.names.get(host), Some(Seen::At(_, known)) if known == found)
            }
            Sight::Beat { name, result: Ok(()) } => {
                matches!(self.observed.beats.get(name), Some(Seen::At(..)))
            }
            Sight::Pulse { name, seen, .. } => {
                let known = self.observed.databases.get(name);
                matches!(known, Some(Seen::At(_, known)) if known.promises_like(seen))
            }
            _ => false,
        }
    }

    /// Takes in a sight.
    pub(super) fn take(&mut self, sight: Sight) {
        match sight {
            Sight::Proxy { id, file, map, running, step } => {
                self.busy.remove(&Subject::Proxy(id));
                self.looked(&Subject::Proxy(id));
                self.take_files(id, file, map);
                let running = running.map_err(|why| self.reason(&ProcessId::Proxy(id), why));
                self.see_proxy(id, running, step.as_ref());
                if let Some((step, outcome)) = step {
                    self.stepped(&Step::Proxy(step), outcome);
                }
            }
            Sight::Database { name, id, at, seen, step } => {
                self.take_database(&name, id, at, seen);
                if let Some((step, outcome)) = step {
                    self.stepped(&Step::Sql(step), outcome);
                }
            }
            Sight::Pulse { name, at, seen } => match self.observed.databases.get_mut(&name) {
                Some(Seen::At(before, known)) if *before < at => {
                    known.take_promise(&seen, at);
                    *before = at;
                    self.keep_promise();
                }
                // A full look can hang on a channel that is being connected. A database that answers short
                // questions is not silent: it must not be taken for lost.
                Some(Seen::Failed { last, .. }) => *last = (*last).max(Some(at)),
                _ => {}
            },
            Sight::Stopped { name, id, from, at, seen } => self.take_stopped(&name, id, (&from, at), &seen),
            Sight::Process { step, outcome, child } => {
                self.busy.remove(&Subject::Process(step.whose()));
                self.process_stepped(&step, &outcome, child);
                self.stepped(&Step::Host(step), outcome);
            }
            Sight::Ended { id, pid } => self.process_ended(&id, pid),
            Sight::Name { host, found } => {
                let before = self.observed.names.entry(host).or_default();
                *before = seen_again(before, found);
            }
            Sight::Delay { on, from, ms } => {
                self.delays.insert((on, from), (now(), ms));
            }
            Sight::Mode { name, said } => {
                let before = self.observed.modes.entry(name).or_default();
                *before = seen_again(before, said);
            }
            Sight::Door { door, asked, answer } => self.answered(door, asked, answer),
            Sight::Accounts { name, found } => {
                let before = self.observed.accounts.entry(name).or_default();
                *before = seen_again(before, found);
            }
            Sight::Beat { name, result } => {
                let before = self.observed.beats.entry(name).or_default();
                *before = seen_again(before, result);
            }
            Sight::Copy { name, seen } => {
                if self.busy.contains(&Subject::Process(ProcessName::Server(name.clone()))) {
                    self.observed.copies.insert(name, seen);
                }
            }
            Sight::Rows { name, id, rows } => {
                if let Some(comparison) = self.observed.comparisons.get_mut(&name).filter(|c| c.id == id) {
                    comparison.running = comparison.running.map(|_| rows);
                }
            }
            // What was known stays while the writer cannot be asked.
            Sight::Tables(Ok(tables)) => self.observed.tables = Seen::At(now(), tables),
            Sight::Tables(Err(why)) => {
                tracing::debug!(error = &why as &dyn std::error::Error, "the writer's tables");
            }
            sight @ Sight::Compared { .. } => self.compared(sight),
            sight @ Sight::Repaired { .. } => self.repaired(sight),
            Sight::Wish { decision, outcome } => {
                self.busy.remove(&Subject::Wish);
                self.stepped(&Step::Wish(decision), outcome);
            }
            Sight::Own { room, lost } => self.take_own(room, lost),
            Sight::Ports(found) => self.take_ports(found),
            Sight::Holder { id, inode, holder } => self.take_holder(&id, inode, &holder),
        }
    }

    /// Takes in an HAProxy instance's files. A file that could not be read stays as it was seen last.
    fn take_files(&mut self, id: PoolId, file: io::Result<Option<String>>, map: io::Result<Option<String>>) {
        let seen = self.observed.proxies.entry(id).or_default();
        let looked = file.map(|file| seen.file = file).and(map.map(|map| seen.map = map));
        self.looked_with(id.as_str(), looked);
    }

    /// Takes in a look at a database; `id` is the id that the name had when the look began.
    fn take_database(
        &mut self,
        name: &ServerName,
        id: Option<u32>,
        at: Millis,
        seen: Result<DatabaseSeen, Fault>,
    ) {
        let target = Subject::Database(name.clone());
        self.busy.remove(&target);
        self.looked(&target);
        let external = self.watched_only(name);
        if let Some(id) = external.filter(|of| id == Some(*of)) {
            self.started_by_its_word(name, id, at, &seen);
        }
        // A look that began before the database's process ended says nothing about its next process.
        let process = self.observed.process(&ProcessId::Database(name.clone()));
        let ours = process.leader.is_some() && process.started_at.is_none_or(|started| at >= started);
        // Nor does a look that began at another server of the same name.
        if (ours || external.is_some()) && id == self.id_of(name) {
            let seen = seen.map(|s| self.with_memory(name, s));
            let id = ProcessId::Database(name.clone());
            let seen = if ours { seen.map_err(|why| self.reason(&id, why)) } else { seen };
            self.observed.see_database(name, at, seen);
            self.keep_promise();
        }
    }

    /// Takes in that a database has stopped receiving from another one: what it had received by then decides who
    /// becomes the writer.
    fn take_stopped(
        &mut self,
        name: &ServerName,
        id: Option<u32>,
        (from, at): (&ServerName, Millis),
        seen: &DatabaseSeen,
    ) {
        let process = self.observed.process(&ProcessId::Database(name.clone()));
        let ours = process.leader.is_some() && process.started_at.is_none_or(|started| at >= started);
        if id != self.id_of(name) || !(ours || self.watched_only(name).is_some()) {
            return;
        }
        if let Some(Seen::At(before, known)) = self.observed.databases.get_mut(name)
            && *before < at
        {
            known.take_stopped(from, seen);
            *before = at;
        }
    }

    /// Updates what the writer promises, after a look at a database.
    fn keep_promise(&mut self) {
        let desired = self.parts.board.desired();
        self.observed.receives_again(&desired, now());
        self.observed.promise = failover::promise(Scene::new(&desired, &self.observed, now()));
    }

    /// Adds what a single look does not tell: delays, and when each peer was last heard.
    fn with_memory(&self, on: &ServerName, mut seen: DatabaseSeen) -> DatabaseSeen {
        let before = self.observed.databases.get(on).and_then(|d| d.value());
        for (from, channel) in &mut seen.channels {
            let old = before.and_then(|d| d.channels.get(from));
            let heard =
                old.is_none_or(|o| o.heartbeats != channel.heartbeats || o.received != channel.received);
            channel.heard_at = if heard && channel.receiving == Thread::Running {
                Some(now())
            } else {
                old.and_then(|o| o.heard_at)
            };
            channel.delay_ms = self
                .delays
                .get(&(on.clone(), from.clone()))
                .filter(|(at, _)| now().saturating_sub(*at) < DELAY_KEPT)
                .map(|(_, ms)| *ms);
            // The comparison of sessions delays channels on purpose, on a cluster of its own.
            if self.parts.machine.trial {
                channel.terms.remove("SQL_Delay");
            }
        }
        seen
    }

    fn looked(&mut self, target: &Subject) {
        self.unseen.remove(target);
        for (waiting, _) in &mut self.refreshes {
            waiting.remove(target);
        }
        let (done, rest) = std::mem::take(&mut self.refreshes).into_iter().partition(|(w, _)| w.is_empty());
        self.refreshes = rest;
        let done: Vec<(BTreeSet<Subject>, oneshot::Sender<()>)> = done;
        for (_, reply) in done {
            let _ = reply.send(());
        }
    }
}

fn seen_again<T>(before: &Seen<T>, look: Result<T, Fault>) -> Seen<T> {
    match look {
        Ok(value) => Seen::At(now(), value),
        Err(why) => Seen::Failed { last: before.last(), why },
    }
}
