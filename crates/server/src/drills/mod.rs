//! Failover drills on the running cluster. The domain decides which fault is caused and how it is undone; this
//! module carries that out, under traffic that is counted, and records it beforehand.

mod traffic;
mod writes;

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use cordee_domain::drill::{Act, Aim, Drill, Fate, Order, Target, Try, Writes};
use cordee_domain::ids::{PoolId, ProcessId};
use cordee_domain::observed::HeldChannel;
use cordee_domain::problem::Problem;
use cordee_domain::text;
use cordee_domain::text::{Arg, Text, Thing};
use cordee_domain::trial::End;
use cordee_node::clock::now;
use cordee_node::roster::Roster;
use cordee_node::secrets::Secrets;
use cordee_node::{process, trouble};
use rustix::process::Signal;
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use crate::board::{Ask, Board};
use crate::jobs::{DrillJobs, DrillUnderWay, Phase, Worker};
use crate::store::{CommitError, Store, store_failed};

use traffic::{Guests, Note, Over, PATIENCE};
use writes::Writer;

/// The subject of its journal entries.
const SUBJECT: &str = "drill";
/// The interval between two progress reports.
const TOLD: Duration = Duration::from_millis(250);
/// How many notes may wait to be counted.
const NOTES_KEPT: usize = 256;
/// How many milliseconds after its planned end a held channel is released by itself: the drill that holds it may be
/// gone.
const HELD_MOST: u64 = 5_000;

/// What a drill needs.
#[derive(Debug)]
pub struct Drills {
    /// The records of the cluster's processes.
    pub roster: Roster,
    /// The passwords of the application's accounts.
    pub secrets: Secrets,
    /// The store of drills, wishes and the journal.
    pub store: Arc<Store>,
    /// The board, with the newest snapshot.
    pub board: Arc<Board>,
    /// The job queue of drills.
    pub jobs: Arc<DrillJobs>,
}

/// A running drill.
struct Course {
    /// The time of the first request.
    begun: Instant,
    /// The time of the fault.
    struck: Option<Instant>,
    phase: Phase,
    notes: mpsc::Receiver<Note>,
    /// The tasks of the visitors.
    work: JoinSet<()>,
    writing: Option<(Writer, JoinHandle<BTreeSet<u32>>)>,
    stop: watch::Sender<bool>,
}

impl Drop for Course {
    fn drop(&mut self) {
        // A drill that is cancelled is dropped as it is; the visitors' tasks end with their set.
        if let Some((_, writing)) = &self.writing {
            writing.abort();
        }
    }
}

impl Drills {
    async fn keep(&self, drill: &Drill) -> Result<(), Text> {
        let drill = drill.clone();
        let kept = Store::off_thread(&self.store, move |store| store.keep_drill(&drill)).await;
        kept.map_err(|error| store_failed(&error))
    }

    fn show(&self, drill: &Drill, phase: Phase, begun: Instant) {
        let ms = millis(begun.elapsed());
        self.jobs.show(Some(DrillUnderWay { drill: drill.clone(), phase, ms }));
    }

    /// Starts the traffic: when it returns, visitors and writes are under way.
    async fn set_out(&self, drill: &mut Drill) -> Result<Course, Text> {
        let begun = Instant::now();
        self.show(drill, Phase::Gathering, begun);
        let (send, mut notes) = mpsc::channel(NOTES_KEPT);
        let (stop, stopped) = watch::channel(false);
        let (desired, order) = (self.board.desired(), drill.order.clone());
        let gathering = Guests::gather(here(desired.web.listen), drill.id, &order, send.clone());
        tokio::pin!(gathering);
        let guests = loop {
            tokio::select! {
                guests = &mut gathering => break guests,
                Some(note) = notes.recv() => count(drill, note, None),
            }
        };
        while let Ok(note) = notes.try_recv() {
            count(drill, note, None);
        }
        let guests = guests?;
        let mut work = JoinSet::new();
        let mut writing = None;
        if drill.order.target.pool() == PoolId::Db {
            let writer = Writer::prepare(here(desired.writer_listen), &self.secrets).await?;
            drill.report.writes = Some(Writes::default());
            writing = Some((writer.clone(), tokio::spawn(writer.write(send, stopped.clone()))));
        }
        let begun = Instant::now();
        guests.start(order.traffic, &mut work, &stopped);
        Ok(Course { begun, struck: None, phase: Phase::Before, notes, work, writing, stop })
    }

    /// Counts until `until`, and records what the page shows meanwhile.
    async fn watch(&self, drill: &mut Drill, course: &mut Course, until: Instant) {
        let mut pictures = self.board.watch_snapshot();
        pictures.mark_changed();
        let mut told = interval(TOLD);
        told.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = sleep_until(until) => return,
                Some(note) = course.notes.recv() => count(drill, note, course.struck),
                Ok(()) = pictures.changed() => {
                    let picture = pictures.borrow_and_update().clone();
                    let ms = course.struck.map(|at| millis(at.elapsed()));
                    drill.report.listen(&picture, &drill.target, ms);
                }
                _ = told.tick() => self.show(drill, course.phase, course.begun),
            }
        }
    }

    /// Causes the fault, if that is still allowed: much can have happened while the visitors came. From here on,
    /// the record of the running drill says that the fault may have been caused.
    async fn strike(&self, drill: &mut Drill) -> Result<Instant, Text> {
        let target = drill.order.target(&self.board.desired(), &self.board.snapshot());
        if target.map_err(|problem| problem.text)? != drill.target {
            return Err(text!("problem-drill-busy"));
        }
        drill.report.struck = Some(now());
        self.keep(drill).await?;
        let until = now() + u64::from(drill.order.traffic.held) * 1_000 + HELD_MOST;
        self.act(drill.fault(), until).await
    }

    /// Undoes the fault, once.
    async fn undo(&self, drill: &mut Drill, struck: Option<Instant>) -> Result<(), Text> {
        if drill.report.struck.is_none() || drill.report.undone_ms.is_some() {
            return Ok(());
        }
        let Some(act) = drill.undo(&self.board.desired()) else { return Ok(()) };
        let at = self.act(act, 0).await?;
        drill.report.undone_ms = struck.map(|struck| millis(at.saturating_duration_since(struck)));
        Ok(())
    }

    /// Carries out one act, and returns the moment just before it.
    async fn act(&self, act: Act, until: u64) -> Result<Instant, Text> {
        match act {
            Act::Kill(id) => self.signal(id, Signal::KILL).await,
            Act::Freeze(id) => self.signal(id, Signal::STOP).await,
            Act::Thaw(id) => self.signal(id, Signal::CONT).await,
            Act::Hold { on, from } => self.hold(Some(HeldChannel { on, from, until })).await,
            Act::Release => self.hold(None).await,
            Act::Commit(change) => {
                let at = Instant::now();
                let store = self.store.clone();
                let done = tokio::task::spawn_blocking(move || store.commit(&change, "cordee")).await;
                match done {
                    Ok(Ok(_)) => Ok(at),
                    Ok(Err(CommitError::Refused(problems))) => {
                        Err(problems.into_iter().next().map_or_else(|| text!("problem-store"), |p| p.text))
                    }
                    Ok(Err(CommitError::Store(error))) => Err(store_failed(&error)),
                    Err(error) => std::panic::resume_unwind(error.into_panic()),
                }
            }
        }
    }

    async fn signal(&self, id: ProcessId, signal: Signal) -> Result<Instant, Text> {
        let roster = self.roster.clone();
        let sent = tokio::task::spawn_blocking(move || {
            // The groups are looked up at this moment: a recorded pid could belong to another process by now.
            let groups = roster.groups(&id).map_err(|error| trouble::words(&error))?;
            if groups.is_empty() && signal != Signal::CONT {
                return Err(text!("drill-gone", name = &id));
            }
            let at = Instant::now();
            for group in groups {
                process::signal_group(group, signal).map_err(|error| {
                    tracing::error!(error = &error as &dyn std::error::Error, "drill");
                    text!("drill-gone", name = &id)
                })?;
            }
            Ok(at)
        });
        sent.await.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
    }

    async fn hold(&self, channel: Option<HeldChannel>) -> Result<Instant, Text> {
        let at = Instant::now();
        let held = self.board.ask(|reply| Ask::Hold { channel, reply }).await;
        held.map(|()| at).ok_or_else(|| text!("problem-stopping"))
    }

    /// Waits for the last answers, and checks that every acknowledged write is there.
    async fn close(&self, drill: &mut Drill, mut course: Course) {
        course.phase = Phase::Closing;
        let _ = course.stop.send(true);
        let deadline = Instant::now() + PATIENCE;
        loop {
            self.show(drill, course.phase, course.begun);
            tokio::select! {
                Some(note) = course.notes.recv() => count(drill, note, course.struck),
                ended = course.work.join_next() => if ended.is_none() { break },
                () = sleep_until(deadline) => break,
            }
        }
        let Some((writer, writing)) = course.writing.take() else { return drain(drill, &mut course) };
        let acknowledged = writing.await.unwrap_or_default();
        drain(drill, &mut course);
        let missing = writer.missing(&acknowledged).await;
        if let Some(writes) = &mut drill.report.writes {
            writes.vanished = missing.ok();
        }
        if let Err(why) = writer.clear().await {
            tracing::warn!(why = %why.key, "the drill's rows stay");
        }
    }

    /// Records how the drill ended.
    async fn end(&self, mut drill: Drill, end: End, by: String) {
        drill.ended = Some(now());
        drill.end = end;
        let (report, title, says) = (&drill.report, called(&drill), drill.sentence());
        let (lost, asked) = (report.requests.lost(), report.requests.asked);
        let sentence = match &drill.order.aim {
            Aim::Colour => {
                let sessions = report.sessions_lost;
                text!(
                    "event-drill-ended",
                    title = title,
                    says = says,
                    lost = lost,
                    asked = asked,
                    sessions = sessions
                )
            }
            Aim::Page(page) => {
                let url = page.url.to_string();
                text!(
                    "event-drill-ended-page",
                    title = title,
                    says = says,
                    lost = lost,
                    asked = asked,
                    url = url
                )
            }
        };
        let stored = Store::off_thread(&self.store, move |store| {
            store.keep_drill(&drill)?;
            store.note(&by, SUBJECT, None, &sentence)
        });
        if let Err(error) = stored.await {
            store_failed(&error);
        }
    }
}

impl Worker for Drills {
    type Order = Order;
    type Act = Drill;

    fn busy() -> Text {
        text!("problem-drill-running")
    }

    fn other_busy() -> Text {
        text!("problem-trial-running")
    }

    async fn recover(&self) {
        let drills = match Store::off_thread(&self.store, Store::drills).await {
            Ok(drills) => drills,
            Err(error) => return drop(store_failed(&error)),
        };
        for mut drill in drills.into_iter().filter(|d| d.end == End::Running) {
            let end = match self.undo(&mut drill, None).await {
                Ok(()) => End::BrokenOff,
                Err(why) => End::Failed { why },
            };
            self.end(drill, end, "cordee".to_owned()).await;
        }
    }

    async fn begin(&self, order: Order, actor: String) -> Result<(u64, Drill), Problem> {
        let target: Target = order.target(&self.board.desired(), &self.board.snapshot())?;
        let begun = Store::off_thread(&self.store, move |store| {
            let drill = store.begin_drill(&actor, order, target)?;
            store.note(&actor, SUBJECT, None, &text!("event-drill-begun", title = called(&drill)))?;
            Ok((drill.id, drill))
        });
        let (id, drill) = begun.await.map_err(|error| Problem::invalid("", store_failed(&error)))?;
        // This comes before the answer: a client that begins a drill finds it under way.
        self.show(&drill, Phase::Gathering, Instant::now());
        Ok((id, drill))
    }

    async fn work(&self, drill: &mut Drill) -> Result<(), Text> {
        let mut course = self.set_out(drill).await?;
        let traffic = drill.order.traffic;
        let seconds = |s: u16| Duration::from_secs(u64::from(s));
        let until = course.begun + seconds(traffic.before);
        self.watch(drill, &mut course, until).await;
        let struck = self.strike(drill).await?;
        course.struck = Some(struck);
        let mut until = struck;
        if drill.is_held() {
            course.phase = Phase::Down;
            until += seconds(traffic.held);
            self.watch(drill, &mut course, until).await;
            self.undo(drill, Some(struck)).await?;
            self.keep(drill).await?;
        }
        course.phase = Phase::After;
        self.watch(drill, &mut course, until + seconds(traffic.after)).await;
        self.close(drill, course).await;
        Ok(())
    }

    async fn finish(&self, mut drill: Drill, end: End, by: String) {
        let undone = self.undo(&mut drill, None).await;
        let end = undone.map_or_else(|why| End::Failed { why }, |()| end);
        self.end(drill, end, by).await;
        self.jobs.show(None);
    }

    async fn abandon(&self, mut drill: Drill) {
        let end = match self.undo(&mut drill, None).await {
            Ok(()) => End::BrokenOff,
            // The next start of Cordée tries again.
            Err(_) => return,
        };
        self.end(drill, end, "cordee".to_owned()).await;
    }
}

/// Returns the name of a drill in the journal.
fn called(drill: &Drill) -> Arg {
    Arg::Called { thing: Thing::Drill(drill.id), says: Box::new(drill.title()) }
}

/// Counts one note.
fn count(drill: &mut Drill, note: Note, struck: Option<Instant>) {
    let since = |at: Instant| struck.and_then(|struck| at.checked_duration_since(struck)).map(millis);
    let one = |over: Over| Try {
        fate: over.fate,
        ended: since(over.ended),
        took: millis(over.ended.saturating_duration_since(over.begun)),
    };
    let report = &mut drill.report;
    match note {
        Note::Request(over) => report.requests.note(one(over)),
        Note::Begun => report.sessions += 1,
        Note::Lost => report.sessions_lost += 1,
        Note::Write(over) => {
            let Some(writes) = &mut report.writes else { return };
            writes.tally.note(one(over));
            let first = since(over.begun).is_some() && over.fate == Fate::Answered;
            if first && writes.first_ms.is_none() {
                writes.first_ms = since(over.ended);
            }
        }
    }
}

/// Counts the notes that are left.
fn drain(drill: &mut Drill, course: &mut Course) {
    while let Ok(note) = course.notes.try_recv() {
        count(drill, note, course.struck);
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Returns the address at which a listener of ours is reached from this machine.
const fn here(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}
