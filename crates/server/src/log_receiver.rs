//! The log receiver: it receives HAProxy's log, sums it up, and writes the result once a second.
//!
//! It has two threads of its own, so that neither the engine nor the page waits for a crowd of visitors, nor the
//! log for them. A line that finds no room is counted, and nothing waits for it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::Duration;

use cordee_api::visitors::{ColourChange, Visitor};
use cordee_domain::attached::Holders;
use cordee_domain::haproxy::log::{self, Line, MOST_BYTES};
use cordee_domain::ids::{Millis, PoolId};
use cordee_domain::visitors::{Counts, Network, Tally, kept};
use cordee_node::clock::now;
use cordee_node::datagrams::LogSocket;
use cordee_node::over::{self, Needed};
use serde::Serialize;

use crate::board::Board;
use crate::recent_requests::RecentRequests;
use crate::store::StoreError;
use crate::store::visitors::{Gap, Mark, Visitors, Which};

/// The interval between two writes.
const PACE: Duration = Duration::from_secs(1);
/// The interval between two looks for HAProxy, while it is not known how many requests were missed.
const HASTE: Duration = Duration::from_millis(100);
/// Without visitors, the time is written at this interval.
const IDLE_MS: u64 = 5_000;
/// After this long without a HAProxy instance, it can no longer be told how many requests were missed.
const ASK_MS: u64 = 10_000;
/// How many rounds pass between two deletions of old visitors.
const FORGET_ROUNDS: u64 = 10;
/// How many of Cordée's own questions can be under way when it dies.
const OWN_MOST: u64 = 2;
/// How many batches one round processes.
const BATCHES: usize = 4;
/// How many visitors, and how many changes, one message holds: a page shows the newest, and requests more when it
/// is opened.
const NEWS: usize = 30;
const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// What the log receiver works with.
#[derive(Clone)]
pub struct Parts {
    /// The list of visitors.
    pub visitors: Arc<Visitors>,
    /// The recent requests and the news.
    pub recent_requests: Arc<RecentRequests>,
    /// The board: the wish, and HAProxy's own counts.
    pub board: Arc<Board>,
    /// The key that each line of HAProxy's log carries.
    pub key: String,
    /// The number of the last question that the previous Cordée asked at the site's own address.
    pub asked: u64,
}

/// What the two threads share.
struct Shared {
    socket: LogSocket,
    key: String,
    tally: Mutex<Tally>,
    holders: Mutex<Holders>,
    shorten: AtomicBool,
    over: AtomicBool,
}

impl Shared {
    fn tally(&self) -> MutexGuard<'_, Tally> {
        over::hold(&self.tally)
    }
}

/// The running log receiver.
pub struct LogReceiver {
    shared: Arc<Shared>,
    wake: Sender<()>,
    threads: [JoinHandle<()>; 2],
}

impl LogReceiver {
    /// Starts the thread that reads and the thread that writes.
    pub fn start(socket: LogSocket, parts: Parts) -> std::io::Result<Self> {
        let shorten = AtomicBool::new(parts.board.desired().visitors.shorten);
        let over = AtomicBool::new(false);
        let key = parts.key.clone();
        let shared = Arc::new(Shared {
            socket,
            key,
            tally: Mutex::default(),
            holders: Mutex::new(Holders::new(now())),
            shorten,
            over,
        });
        let (wake, woken) = channel();
        let reader = {
            let (shared, parts) = (shared.clone(), parts.clone());
            std::thread::Builder::new().name("log-reader".to_owned()).spawn(move || {
                let needed = Needed::new("the thread that reads HAProxy's log has ended");
                read(&shared, &parts);
                needed.done();
            })?
        };
        let keeper = {
            let shared = shared.clone();
            std::thread::Builder::new().name("log-keeper".to_owned()).spawn(move || {
                let needed = Needed::new("the thread that writes visitors down has ended");
                keep(shared, parts, &woken);
                needed.done();
            })?
        };
        Ok(Self { shared, wake, threads: [reader, keeper] })
    }

    /// Writes what was received, and ends. Takes a moment.
    pub fn stop(self) {
        self.shared.over.store(true, Ordering::Relaxed);
        let [reader, keeper] = self.threads;
        // If a thread panicked, that is in the log.
        let _ = reader.join();
        let _ = self.wake.send(());
        let _ = keeper.join();
    }
}

fn read(shared: &Shared, parts: &Parts) {
    let mut buffer = [0; MOST_BYTES + 1];
    while !shared.over.load(Ordering::Relaxed) {
        match shared.socket.read(&mut buffer) {
            Ok(Some(datagram)) => take(shared, parts, log::parse(datagram, &shared.key)),
            Ok(None) => {}
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "reading HAProxy's log");
                std::thread::sleep(PACE);
            }
        }
    }
}

fn take(shared: &Shared, parts: &Parts, line: Line) {
    if let Line::Request(record) = &line
        && let Some(number) = parts.board.own_answer(&record.asked.agent)
    {
        return shared.tally().own(record.worker, number);
    }
    let shorten = shared.shorten.load(Ordering::Relaxed);
    shared.tally().take(&line, shorten);
    if let Line::Request(record) = line {
        let address = kept(record.address, shorten);
        over::hold(&shared.holders).take(address, &record);
        parts.recent_requests.note(address, record);
    }
}

fn keep(shared: Arc<Shared>, parts: Parts, woken: &Receiver<()>) {
    let mut keeper = Keeper::new(shared, parts);
    while woken.recv_timeout(keeper.pace()) == Err(RecvTimeoutError::Timeout) {
        keeper.round();
    }
    keeper.write();
}

/// What is new, for every open page.
#[derive(Serialize)]
struct News {
    counts: Counts,
    visitors: Vec<Visitor>,
    changes: Vec<ColourChange>,
}

/// Writes what the reader summed up.
struct Keeper {
    shared: Arc<Shared>,
    parts: Parts,
    mark: Mark,
    /// The lines of each worker that were received, or counted as lost.
    lines: BTreeMap<u32, u64>,
    /// A period without a list that is not recorded yet.
    gap: Option<Mark>,
    began: Millis,
    /// What the kernel had dropped, and how many lines which worker had not sent, at the last look.
    kernel: u64,
    unsent: (u32, u64),
    /// The number of the last question of the previous Cordée.
    asked: u64,
    /// The newest change that was published.
    told: u64,
    rounds: u64,
    /// Up to which address the list is shortened; `None` if all is done, or if nothing is to be shortened.
    shortened: Option<String>,
}

impl Keeper {
    fn new(shared: Arc<Shared>, parts: Parts) -> Self {
        let found = parts.visitors.mark().unwrap_or_else(|error| {
            complain("reading where the log was", &error);
            None
        });
        let mark = found.unwrap_or_default();
        let newest = parts.visitors.changes(&Which::default(), 0, 1).unwrap_or_default();
        Self {
            lines: mark.worker.map(|worker| (worker, mark.lines)).into_iter().collect(),
            gap: found,
            began: now(),
            kernel: 0,
            unsent: (0, 0),
            asked: parts.asked,
            told: newest.first().map_or(0, |c| c.id),
            rounds: 0,
            shortened: shared.shorten.load(Ordering::Relaxed).then(String::new),
            mark,
            shared,
            parts,
        }
    }

    /// Returns the time until the next round. Cordée asks nothing at the site before it is known how many requests
    /// were missed.
    const fn pace(&self) -> Duration {
        if self.gap.is_some() { HASTE } else { PACE }
    }

    fn round(&mut self) {
        self.note_gap();
        if self.gap.is_some() {
            return;
        }
        self.parts.board.set_heard();
        self.rounds += 1;
        self.follow_the_wish();
        self.write();
        self.parts.board.set_attached(over::hold(&self.shared.holders).count(now()));
        if let Err(error) = self.tidy() {
            complain("forgetting visitors", &error);
        }
    }

    /// Applies the wish: complete addresses, or networks.
    fn follow_the_wish(&mut self) {
        let shorten = self.parts.board.desired().visitors.shorten;
        if self.shared.shorten.swap(shorten, Ordering::Relaxed) != shorten {
            self.shortened = shorten.then(String::new);
        }
    }

    /// Returns the worker of HAProxy `web`, its requests, and the lines that it could not send.
    fn worker(&self) -> Option<(u32, u64, u64)> {
        let snapshot = self.parts.board.snapshot();
        let web = snapshot.proxies.iter().find(|p| p.name == PoolId::Web)?;
        Some((web.worker_pid?, web.requests, web.unsent))
    }

    /// After a start, records what HAProxy served while nothing received its log.
    fn note_gap(&mut self) {
        let Some(before) = self.gap else { return };
        let worker = self.worker();
        if worker.is_none() && now().saturating_sub(self.began) < ASK_MS {
            return;
        }
        self.gap = None;
        let missed = worker.filter(|(pid, ..)| before.worker == Some(*pid)).map(|(pid, requests, _)| {
            let coming = self.shared.tally().workers.get(&pid).copied().unwrap_or(0);
            let lines = self.lines.entry(pid).or_default();
            let missed = requests.saturating_sub(*lines + coming);
            // The last question of the previous Cordée may be among them.
            let missed = missed.saturating_sub(self.asked.saturating_sub(self.mark.counts.own).min(OWN_MOST));
            // They are accounted for: the next start must not count them as missed again.
            *lines += missed;
            missed
        });
        if missed == Some(0) {
            return;
        }
        let gap = Gap { since: before.at, until: self.began, requests: missed };
        if let Err(error) = self.parts.visitors.note_gap(gap) {
            complain("noting a time without a list", &error);
        }
    }

    /// Writes everything that was read, and everything that was lost, in one transaction.
    fn write(&mut self) {
        let mut tally = std::mem::take(&mut *self.shared.tally());
        self.count_lost(&mut tally.counts);
        let at = now();
        if tally.is_empty() && at.saturating_sub(self.mark.at) < IDLE_MS {
            self.shared.tally().put_back(tally);
            return;
        }
        let before = self.lines.clone();
        for (worker, lines) in &tally.workers {
            *self.lines.entry(*worker).or_default() += lines;
        }
        let worker = self.worker().map(|(pid, ..)| pid).or(self.mark.worker);
        if let Some(worker) = worker {
            *self.lines.entry(worker).or_default() += tally.counts.dropped() - tally.counts.crowd;
            self.lines.retain(|pid, _| *pid == worker || tally.workers.contains_key(pid));
        }
        let lines = worker.and_then(|w| self.lines.get(&w)).copied().unwrap_or(0);
        let next = Mark { at, worker, lines, counts: self.mark.counts.and(tally.counts) };
        match self.parts.visitors.keep(&tally, next) {
            Ok(mark) => {
                self.mark = mark;
                self.tell(&tally);
            }
            Err(error) => {
                complain("writing visitors down", &error);
                // The tally is put back whole, and counted again with the next one.
                self.lines = before;
                self.shared.tally().put_back(tally);
            }
        }
    }

    /// Adds what the kernel and HAProxy lost since the last time.
    fn count_lost(&mut self, counts: &mut Counts) {
        if let Some(dropped) = self.shared.socket.dropped() {
            counts.kernel += dropped.saturating_sub(self.kernel);
            self.kernel = dropped;
        }
        if let Some((worker, _, unsent)) = self.worker() {
            let (known, before) = self.unsent;
            // For a worker that is older than this Cordée, it is not known when it lost them.
            if known == worker {
                counts.unsent += unsent.saturating_sub(before);
            } else if known != 0 {
                counts.unsent += unsent;
            }
            self.unsent = (worker, unsent);
        }
    }

    /// Publishes the news. The message is built once, for all readers.
    fn tell(&mut self, tally: &Tally) {
        if !tally.tells() {
            return;
        }
        match self.news(tally) {
            Ok(news) => self.parts.recent_requests.tell(news),
            Err(error) => complain("reading what is new about visitors", &error),
        }
    }

    fn news(&mut self, tally: &Tally) -> Result<String, StoreError> {
        let mut newest: BTreeMap<Network, Millis> = BTreeMap::new();
        for ((address, _), visit) in &tally.visits {
            let last = newest.entry(*address).or_default();
            *last = visit.last.max(*last);
        }
        let mut newest: Vec<(Millis, Network)> = newest.into_iter().map(|(a, last)| (last, a)).collect();
        newest.sort_unstable_by(|a, b| b.cmp(a));
        let newest: Vec<String> = newest.iter().take(NEWS).map(|(_, a)| a.to_string()).collect();
        let visitors = self.parts.visitors.find(&newest)?;
        let limit = u32::try_from(NEWS).unwrap_or(u32::MAX);
        let changes = self.parts.visitors.changes(&Which::default(), self.told, limit)?;
        self.told = changes.first().map_or(self.told, |c| c.id);
        Ok(serde_json::to_string(&News { counts: self.mark.counts, visitors, changes })?)
    }

    /// Deletes old visitors and shortens addresses, some rows at a time.
    fn tidy(&mut self) -> Result<(), StoreError> {
        for _ in 0..BATCHES {
            let Some(after) = self.shortened.take() else { break };
            self.shortened = self.parts.visitors.shorten(&after)?;
        }
        if self.rounds % FORGET_ROUNDS != 1 {
            return Ok(());
        }
        let days = self.parts.board.desired().visitors.days;
        let before = now().saturating_sub(u64::from(days) * DAY_MS);
        for _ in 0..BATCHES {
            if !self.parts.visitors.forget(before)? {
                break;
            }
        }
        Ok(())
    }
}

fn complain(doing: &str, error: &StoreError) {
    tracing::warn!(error = error as &dyn std::error::Error, "{doing}");
}
