//! The engine: look, plan, do the first step on each target, look again.
//!
//! Any event may wake it, and the newest wish is its only order. A failed step is not retried inside itself, so a
//! crash and a failure take the same path. At most one look or step is under way on a target.

mod accounts;
mod act;
mod asks;
mod config;
mod detail;
mod doors;
mod heartbeat;
mod invite;
mod join;
mod meddling;
mod modes;
mod names;
mod own;
mod ports;
mod processes;
mod purge;
mod rows;
mod sight;
mod stepped;
mod switch;
mod tables;
mod tell;
mod test;
mod visits;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::process::Child;
use std::sync::Arc;
use std::time::Duration;

use cordee_domain::db::failover;
use cordee_domain::db::switch::Switch;
use cordee_domain::desired::Desired;
use cordee_domain::diff::Untold;
use cordee_domain::fault::Fault;
use cordee_domain::ids::{Millis, PoolId, ProcessId, ServerName};
use cordee_domain::observed::Observed;
use cordee_domain::plan::plan;
use cordee_domain::scene::Scene;
use cordee_domain::step::{Outcome, ProxyStep, Step, Subject};
use cordee_node::clock::now;
use cordee_node::doors::Doors;
use cordee_node::haproxy;
use cordee_node::import;
use cordee_node::machine::Machine;
use cordee_node::mysql::Database;
use cordee_node::paths::Home;
use cordee_node::proxies::{self, OnDisk};
use cordee_node::vital::Signs;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, sleep};

use crate::board::{Ask, Board};
use crate::store::Store;

use sight::Sight;
use tell::{looked_at_by, named, pass_on, subject};

/// What the engine is given at its start.
#[derive(Clone, Debug)]
pub struct Parts {
    /// The machine that the cluster runs on.
    pub machine: Machine,
    /// Wishes and journal.
    pub store: Arc<Store>,
    /// Where snapshots are published.
    pub board: Arc<Board>,
}

/// Time between two looks at an HAProxy instance.
const PROXY_PACE: Duration = Duration::from_millis(cordee_domain::figures::PROXY_LOOK);
/// The same, while a server waits for its first check.
const PROXY_HASTE: Duration = Duration::from_millis(cordee_domain::figures::HASTE);
/// Time between two looks at a database.
const DATABASE_PACE: Duration = Duration::from_millis(cordee_domain::figures::DATABASE_LOOK);
/// The same, while another database is about to become the writer.
const DATABASE_HASTE: Duration = Duration::from_millis(20);
/// Time between two looks at the states of our processes, and at their ports.
const PROCESS_PACE: Duration = Duration::from_millis(cordee_domain::figures::PROCESS_LOOK);
/// How precisely the end of a pause is met.
const PAUSE_STEP: Duration = Duration::from_millis(50);

/// The engine.
pub struct Engine {
    parts: Parts,
    observed: Observed,
    busy: BTreeSet<Subject>,
    due: BTreeMap<Subject, Instant>,
    names_due: BTreeMap<String, Instant>,
    children: BTreeMap<ProcessId, Child>,
    delays: BTreeMap<(ServerName, ServerName), (Millis, u64)>,
    doors: Doors,
    /// Which databases write a heartbeat now; the heartbeat task reads it.
    beating: watch::Sender<BTreeSet<ServerName>>,
    /// Which HAProxy instances run and can be visited. Another program that listens in their place does not count.
    answering: watch::Sender<BTreeSet<PoolId>>,
    /// Who listens on the servers' ports.
    ports: ports::Ports,
    /// The worker of each HAProxy instance that is recorded as running our file.
    recorded: BTreeMap<PoolId, u32>,
    /// A change of writer whose gap is being measured.
    switch: Option<Switch>,
    refreshes: Vec<(BTreeSet<Subject>, oneshot::Sender<()>)>,
    work: JoinSet<()>,
    out: mpsc::Sender<Sight>,
    sights: mpsc::Receiver<Sight>,
    published: Instant,
    /// When the last plan was made.
    planned: Instant,
    /// The targets on which the last plan had a step while something else was under way: the end of that leads to
    /// the next plan.
    put_off: BTreeSet<Subject>,
    /// Journal lines that the next snapshot may make unnecessary.
    untold: Vec<Untold>,
    /// What was adopted and not looked at yet: until it is, changes of severity are not worth a line in the
    /// journal.
    unseen: BTreeSet<Subject>,
    started: Instant,
    /// The plan waits for the end of a pause.
    waiting: bool,
    /// What could not be looked at, and why.
    unseeing: BTreeMap<&'static str, Fault>,
    own: own::Watch,
    /// Held while leftovers that no wish explains are removed.
    cleaning: Arc<tokio::sync::Mutex<()>>,
    signs: Signs,
}

impl Engine {
    /// Creates an engine that has adopted the processes that run. Fails when they cannot be looked for.
    pub fn new(parts: Parts) -> io::Result<Self> {
        let (out, sights) = mpsc::channel(256);
        let mut engine = Self {
            parts,
            observed: Observed::default(),
            busy: BTreeSet::new(),
            due: BTreeMap::new(),
            names_due: BTreeMap::new(),
            children: BTreeMap::new(),
            delays: BTreeMap::new(),
            doors: Doors::default(),
            beating: watch::Sender::default(),
            answering: watch::Sender::default(),
            ports: ports::Ports::default(),
            recorded: BTreeMap::new(),
            switch: None,
            refreshes: Vec::new(),
            work: JoinSet::new(),
            out,
            sights,
            published: Instant::now(),
            planned: Instant::now(),
            put_off: BTreeSet::new(),
            untold: Vec::new(),
            unseen: BTreeSet::new(),
            started: Instant::now(),
            waiting: false,
            unseeing: BTreeMap::new(),
            own: own::Watch::default(),
            cleaning: Arc::default(),
            signs: Signs::from_environment(),
        };
        import::forget_options(&engine.parts.machine);
        engine.adopt()?;
        engine.recall_comparisons();
        engine.recall_asked();
        let desired = engine.parts.board.desired();
        engine.unseen =
            engine.observed.processes.keys().filter_map(|id| looked_at_by(&desired, id)).collect();
        Ok(engine)
    }

    /// Runs until `stop`. Stopping changes nothing by itself: the processes keep running. A look or step that
    /// panics would keep its target busy for ever, so the panic is resumed here.
    pub async fn run(mut self, mut asks: mpsc::Receiver<Ask>, stop: impl Future<Output = ()>) {
        let mut wishes = self.parts.board.watch_desired();
        let mut tick = paced(PROCESS_PACE);
        self.heartbeat();
        self.pulse();
        self.purge();
        self.ask_modes();
        self.watch_tables();
        self.ask_doors();
        self.watch_accounts();
        tokio::pin!(stop);
        loop {
            self.round();
            loop {
                let soon = sleep(self.next_due());
                tokio::select! {
                    () = &mut stop => return self.doors.part().await,
                    changed = wishes.changed() => if changed.is_err() { return },
                    Some(sight) = self.sights.recv() => {
                        let calm = self.calm(&sight);
                        self.take(sight);
                        if calm {
                            continue;
                        }
                    }
                    Some(ask) = asks.recv() => self.answer(ask),
                    // What the task found came as a sight; its end is no reason to plan again.
                    Some(ended) = self.work.join_next() => match ended {
                        Ok(()) => continue,
                        Err(error) => pass_on(error),
                    },
                    () = soon => if self.planned.elapsed() < self.pause() {
                        // A look is due, and nothing new is known since the last plan.
                        let desired = self.parts.board.desired();
                        self.looks(&desired);
                        continue;
                    },
                    _ = tick.tick() => {
                        let moved = self.look_at_processes();
                        self.look_at_ports_in_turn();
                        self.look_at_own();
                        // What the other two looks find comes as a sight.
                        if !moved {
                            continue;
                        }
                    }
                }
                break;
            }
            // Everything else that came meanwhile belongs to the same round.
            while let Ok(sight) = self.sights.try_recv() {
                self.take(sight);
            }
        }
    }

    /// Returns the time until something is due: a look, or the end of a pause that the plan waits for.
    fn next_due(&self) -> Duration {
        let pause = self.pause().saturating_sub(self.planned.elapsed());
        self.due
            .iter()
            .filter(|(target, _)| !self.busy.contains(*target))
            .map(|(_, at)| at.saturating_duration_since(Instant::now()))
            .min()
            .map_or(pause, |due| due.min(pause))
    }

    /// Returns the time between two plans when only the passing of time is a reason to plan.
    fn pause(&self) -> Duration {
        match (self.waiting, self.listens_soon()) {
            (_, true) => PROXY_HASTE,
            (true, false) => PAUSE_STEP,
            (false, false) => PROXY_PACE,
        }
    }

    /// Plans, starts the steps whose targets are free, and publishes a new snapshot.
    fn round(&mut self) {
        self.planned = Instant::now();
        let desired = self.parts.board.desired();
        self.observed.keep_to(&desired, now());
        self.strike_repairs(&desired);
        self.handover_begins(&desired);
        self.recall_own();
        self.look_at_ports_in_haste(&desired);
        let mut plan = plan(Scene::new(&desired, &self.observed, now()), &self.parts.machine.setting);
        self.judge(&mut plan);
        self.waiting = !plan.waiting.is_empty();
        self.put_off.clear();
        for step in plan.steps {
            self.act_or_put_off(step, &desired);
        }
        self.keep_connections(&desired);
        self.looks(&desired);
        let beating = failover::beating(Scene::new(&desired, &self.observed, now()));
        // The last failure of a database that does not write heartbeats now says nothing.
        self.observed.beats.retain(|name, _| beating.contains(name));
        self.beating.send_if_modified(|b| std::mem::replace(b, beating) != *b);
        self.time_the_switch(&desired);
        self.watch_doors(&desired);
        self.observed.attached = self.parts.board.attached();
        self.observed.own.unkept = self.signs.give();
        self.publish(&desired);
    }

    /// Starts a step, unless something else is under way on its target.
    fn act_or_put_off(&mut self, step: Step, desired: &Arc<Desired>) {
        let target = step.subject();
        if self.busy.insert(target.clone()) {
            self.act(step, desired);
        } else {
            self.put_off.insert(target);
        }
    }

    /// Starts the looks that are due.
    fn looks(&mut self, desired: &Arc<Desired>) {
        let mut targets: Vec<(Subject, Duration)> = PoolId::ALL
            .into_iter()
            .filter(|p| self.observed.process(&ProcessId::Proxy(*p)).leader.is_some())
            .map(|p| (Subject::Proxy(p), if self.hurried(p) { PROXY_HASTE } else { PROXY_PACE }))
            .collect();
        let switching = self.switching(desired);
        for server in &desired.db.servers {
            let id = server.process();
            if !server.is_ours() || self.observed.process(&id).leader.is_some() {
                let haste = switching && self.awaited(desired, &server.name);
                let pace = if haste { DATABASE_HASTE } else { DATABASE_PACE };
                targets.push((Subject::Database(server.name.clone()), pace));
            }
        }
        let time = Instant::now();
        self.due.retain(|target, _| targets.iter().any(|(t, _)| t == target));
        for (target, pace) in targets {
            let due = self.due.entry(target.clone()).or_insert(time);
            // Haste may begin in the middle of a pause.
            *due = (*due).min(time + pace);
            if *due <= time && !self.busy.contains(&target) {
                *due = time + pace;
                self.busy.insert(target.clone());
                self.look(target);
            }
        }
        self.look_up_names(desired, time);
    }

    fn look(&mut self, target: Subject) {
        let out = self.out.clone();
        match target {
            Subject::Proxy(id) => {
                let home = self.parts.machine.home.clone();
                self.work.spawn(async move {
                    let sight = look_at_proxy(&home, id, None).await;
                    let _ = out.send(sight).await;
                });
            }
            Subject::Database(name) => {
                let (database, id) = (self.database(&name), self.id_of(&name));
                let known = self.observed.databases.get(&name).is_some_and(|seen| seen.last().is_some());
                self.work.spawn(async move {
                    let at = now();
                    let seen = if known { database.look().await } else { database.first_look().await };
                    let _ = out.send(Sight::Database { name, id, at, seen, step: None }).await;
                });
            }
            Subject::Process(_) | Subject::Rows(_) | Subject::Wish => {}
        }
    }

    /// Returns the id of the database that has that name now.
    fn id_of(&self, name: &ServerName) -> Option<u32> {
        self.parts.board.desired().db.server(name).map(|s| s.id)
    }

    /// Returns the connections to one database.
    fn database(&self, name: &ServerName) -> Database {
        match self.parts.board.desired().db.server(name) {
            Some(server) => doors::connections(&self.doors, &self.parts, server),
            None => Database::new(
                &self.parts.machine.home.database_socket(name),
                &self.parts.machine.secrets.control,
            ),
        }
    }
}

/// Returns an interval that does not catch up on missed ticks after a delay.
fn paced(every: Duration) -> Interval {
    let mut pace = interval(every);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    pace
}

/// Looks at one HAProxy instance, after the step that went before it.
async fn look_at_proxy(home: &Home, id: PoolId, step: Option<(ProxyStep, Outcome)>) -> Sight {
    let running = haproxy::look(home, id).await;
    let OnDisk { file, map } = proxies::on_disk(home, id);
    Sight::Proxy { id, file, map, running, step }
}
