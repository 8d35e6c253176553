//! `GET /live?v=VERSION`: changes, as they happen. A script of another version of Cordée would misread them:
//! without the [version](assets::version) of these files the request is redirected to the sign-in page, and from
//! there to a fresh page.
//!
//! First `snapshot`, then `delta` (only rows that differ, at most four batches a second), `gone` (names), `event`
//! (journal lines, with their id, so that a reader that reconnects misses none), and a `beat` every second with
//! the ages. `trial` tells the progress of a comparison of sessions, `drill` that of a failover drill, or that
//! there is none. When the session ends, `over` is sent, and the stream ends.

use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{self, Sse};
use axum::response::{IntoResponse, Redirect, Response};
use cordee_domain::snapshot::Snapshot;
use cordee_node::clock::now;
use futures_util::stream;
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::sync::watch;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, sleep_until};

use super::App;
use super::assets;
use super::flow::pack;
use super::packing::unpacks;
use super::page::{Member, Visit};
use super::read::Query;
use super::stay::Stay;
use super::view::{
    self, Ages, CauseRow, EventRow, Here, Picture, ProxyRow, Rope, ServerRow, VerdictRow, Writing,
};
use crate::board::Event;
use crate::jobs::{DrillUnderWay, UnderWay};
use crate::store::Store;
use crate::words::Lang;

const BEAT: Duration = Duration::from_secs(1);
/// Journal lines under the tables.
pub(crate) const EVENTS: u32 = 8;
/// Pause between two batches: at most four a second.
const PAUSE: Duration = Duration::from_millis(250);
/// How many missed events are caught up with; a reader that missed more has a new snapshot anyway.
const REPLAY: u32 = 500;

/// The first event of a stream.
#[derive(Debug, Serialize)]
struct Whole<'a> {
    #[serde(flatten)]
    picture: &'a Picture,
    ages: Ages,
    events: Vec<EventRow>,
}

/// What differs from the snapshot that was sent before.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
struct Delta {
    #[serde(skip_serializing_if = "Option::is_none")]
    verdict: Option<VerdictRow>,
    #[serde(skip_serializing_if = "Option::is_none")]
    causes: Option<Vec<CauseRow>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rope: Option<Rope>,
    #[serde(skip_serializing_if = "Option::is_none")]
    writing: Option<Writing>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    proxies: Vec<ProxyRow>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    servers: Vec<ServerRow>,
}

/// What changes with time alone.
#[derive(Debug, Serialize)]
struct Beat {
    /// Milliseconds since the engine made its last snapshot.
    age: u64,
    ages: Ages,
}

/// The version of the reader's script, and the last event that the reader has.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Since {
    v: Option<String>,
    after: Option<u64>,
}

/// Starts a stream.
pub(super) async fn stream(
    Member(visit): Member,
    stay: Stay,
    State(app): State<App>,
    Query(since): Query<Since>,
    headers: HeaderMap,
) -> Response {
    if since.v.as_deref() != Some(assets::version()) {
        return Redirect::to("/login").into_response();
    }
    let last = headers.get("last-event-id").and_then(|v| v.to_str().ok()).and_then(|v| v.parse().ok());
    let reader = Reader::new(app, &visit, stay, last.or(since.after)).await;
    let events = stream::unfold(reader, |mut reader| async move {
        let event = reader.next().await?;
        Some((Ok::<_, Infallible>(event), reader))
    });
    let answer = Sse::new(events).into_response();
    if unpacks(&headers) { pack(answer) } else { answer }
}

/// One browser that reads the stream.
struct Reader {
    app: App,
    lang: Lang,
    stay: Stay,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    trials: watch::Receiver<Option<Arc<UnderWay>>>,
    drills: watch::Receiver<Option<Arc<DrillUnderWay>>>,
    visitors: watch::Receiver<Arc<str>>,
    journal: broadcast::Receiver<Arc<Event>>,
    /// What the reader shows now.
    sent: Picture,
    /// The last journal line that the reader has.
    last: u64,
    ready: VecDeque<sse::Event>,
    beat: Interval,
    not_before: Instant,
    over: bool,
}

impl Reader {
    async fn new(app: App, visit: &Visit, stay: Stay, after: Option<u64>) -> Self {
        let mut beat = interval(BEAT);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // Subscribed before anything is read, so that nothing is missed between the two.
        let mut snapshots = app.board.watch_snapshot();
        let journal = app.board.watch_events();
        let snapshot = snapshots.borrow_and_update().clone();
        let mut reader = Self {
            sent: view::picture(&snapshot, visit.lang, now()),
            lang: visit.lang,
            stay,
            snapshots,
            trials: app.jobs.watch(),
            drills: app.drills.watch(),
            visitors: app.recent_requests.watch(),
            journal,
            last: 0,
            ready: VecDeque::new(),
            beat,
            not_before: Instant::now(),
            over: false,
            app,
        };
        reader.greet(&snapshot, after).await;
        reader
    }

    /// Sends the whole snapshot, the last journal lines, and those that the reader missed.
    async fn greet(&mut self, snapshot: &Snapshot, after: Option<u64>) {
        let read = |store: &Store| store.events_before(u64::MAX, EVENTS);
        let events = self.app.lines(self.lang, read).await.unwrap_or_default();
        let newest = events.first().map_or(0, |e| e.id);
        let whole = Whole { picture: &self.sent, ages: view::ages(snapshot, now()), events };
        let message = message("snapshot", &whole).map(|m| m.id(newest.to_string()));
        self.ready.extend(message);
        // What came between the page and its stream is sent again: the page already shows those rows, and updates
        // them in place.
        self.visited();
        // The comparison or drill may have ended while no stream told this reader.
        self.measured();
        self.drilled();
        self.last = after.unwrap_or(newest);
        if self.last < newest {
            self.catch_up().await;
        }
    }

    async fn next(&mut self) -> Option<sse::Event> {
        loop {
            if !self.over && self.stay.over().await {
                self.ready = message("over", &()).into_iter().collect();
                self.over = true;
            }
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            if self.over {
                return None;
            }
            let paced = async {
                sleep_until(self.not_before).await;
                self.snapshots.changed().await
            };
            tokio::select! {
                () = self.stay.doubt() => {}
                changed = paced => match changed {
                    Ok(()) => self.compare(),
                    Err(_) => self.over = true,
                },
                event = self.journal.recv() => match event {
                    Ok(event) => self.tell(&event),
                    Err(RecvError::Lagged(_)) => self.catch_up().await,
                    Err(RecvError::Closed) => self.over = true,
                },
                changed = self.trials.changed() => match changed {
                    Ok(()) => self.measured(),
                    Err(_) => self.over = true,
                },
                changed = self.drills.changed() => match changed {
                    Ok(()) => self.drilled(),
                    Err(_) => self.over = true,
                },
                changed = self.visitors.changed() => match changed {
                    Ok(()) => self.visited(),
                    Err(_) => self.over = true,
                },
                _ = self.beat.tick() => self.pulse(),
            }
        }
    }

    /// Sends what differs, and nothing when only time passed.
    fn compare(&mut self) {
        self.not_before = Instant::now() + PAUSE;
        let snapshot = self.snapshots.borrow_and_update().clone();
        self.send(view::picture(&snapshot, self.lang, now()));
    }

    fn send(&mut self, new: Picture) {
        let gone = gone(&self.sent, &new);
        if !gone.is_empty() {
            self.ready.extend(message("gone", &gone));
        }
        let delta = delta(&self.sent, &new);
        if delta != Delta::default() {
            self.ready.extend(message("delta", &delta));
        }
        self.sent = new;
    }

    /// Sends the progress of the comparison of sessions, or that there is none any more.
    fn measured(&mut self) {
        let under_way = self.trials.borrow_and_update().clone();
        let progress = under_way.map(|u| view::trial::progress(&u, self.lang));
        self.ready.extend(message("trial", &progress));
    }

    /// Sends the progress of the drill, or that there is none any more.
    fn drilled(&mut self) {
        let under_way = self.drills.borrow_and_update().clone();
        let progress = under_way.map(|u| view::drill::progress(&u, self.lang));
        self.ready.extend(message("drill", &progress));
    }

    /// Sends what is new about visitors, in the JSON that was made once for all readers.
    fn visited(&mut self) {
        let news = self.visitors.borrow_and_update().clone();
        if news.is_empty() {
            return;
        }
        self.ready.push_back(sse::Event::default().event("visitors").data(news));
    }

    fn tell(&mut self, event: &Event) {
        if event.id > self.last {
            self.last = event.id;
            let here = Here::wished(&self.app.board.desired());
            let row = view::event(event, &here, self.lang);
            self.ready.extend(message("event", &row).map(|m| m.id(event.id.to_string())));
        }
    }

    /// Reads from the journal the events that the stream did not bring.
    async fn catch_up(&mut self) {
        let (store, last) = (self.app.store.clone(), self.last);
        let missed = self.app.blocking(move || store.events_after(last, REPLAY)).await;
        for event in missed.unwrap_or_default() {
            self.tell(&event);
        }
    }

    fn pulse(&mut self) {
        let snapshot = self.app.board.snapshot();
        let now = now();
        let age = now.saturating_sub(snapshot.at);
        if age > view::OLD_MS {
            // The engine makes no snapshots: what was sent must not be shown as the present state.
            self.send(view::picture(&snapshot, self.lang, now));
        }
        self.ready.extend(message("beat", &Beat { age, ages: view::ages(&snapshot, now) }));
    }
}

fn message(name: &str, data: &impl Serialize) -> Option<sse::Event> {
    sse::Event::default().event(name).json_data(data).ok()
}

/// Returns the names that the reader still shows and that are gone.
fn gone(old: &Picture, new: &Picture) -> Vec<String> {
    let left = by_name(new);
    let names = old.servers.iter().map(|s| s.name.clone());
    names.filter(|name| !left.contains_key(name.as_str())).collect()
}

fn delta(old: &Picture, new: &Picture) -> Delta {
    let before = by_name(old);
    let differs = |s: &&ServerRow| before.get(s.name.as_str()) != Some(s);
    Delta {
        verdict: (old.verdict != new.verdict).then(|| new.verdict.clone()),
        causes: (old.causes != new.causes).then(|| new.causes.clone()),
        rope: (old.rope != new.rope).then(|| new.rope.clone()),
        writing: (old.writing != new.writing).then(|| new.writing.clone()),
        session: (old.session != new.session).then_some(new.session),
        proxies: new.proxies.iter().filter(|p| !old.proxies.contains(p)).cloned().collect(),
        servers: new.servers.iter().filter(differs).cloned().collect(),
    }
}

fn by_name(picture: &Picture) -> HashMap<&str, &ServerRow> {
    picture.servers.iter().map(|s| (s.name.as_str(), s)).collect()
}
