//! The stream of events and snapshots (server-sent events), which can be resumed by id.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{self, KeepAlive, Sse};
use cordee_domain::problem::Problem;
use cordee_domain::snapshot::Snapshot;
use cordee_domain::text;
use cordee_node::clock::now;
use futures_util::Stream;
use serde::Serialize;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, watch};
use tokio::time::{Instant, sleep_until};

use super::input::{LAST_ID, QueryFields};
use super::view;
use crate::board::Event;
use crate::store::StoreError;
use crate::web::App;
use crate::web::error::Refusal;
use crate::web::session::{Caller, Language};
use crate::web::stay::Stay;
use crate::words::Lang;

/// A comment line is sent when nothing else was sent for this long: it reveals a broken connection to both ends.
const HEARTBEAT: Duration = Duration::from_secs(2);
/// Time between two snapshots.
const PAUSE: Duration = Duration::from_millis(500);
/// How many events are read from the store at once.
const PAGE: u32 = 500;
/// A stream ends after this time, and the client reconnects with its last id.
const LIFETIME: Duration = Duration::from_secs(600);

#[utoipa::path(get, path = "/api/v1/events", tag = "state", operation_id = "follow",
    summary = "Follow the cluster",
    description = "Server-sent events. `event: event` carries one line of the journal with its `id`; \
        `event: snapshot` carries the whole picture when it changed, at most twice a second. A stream ends after \
        10 minutes, and at once when the session that it was opened with is signed out or the token is taken back; a \
        session or token that runs out ends it within 15 seconds. Resume with the last id, in `Last-Event-ID` or \
        `after`. Without either, only what happens from now on is sent.",
    params(("after" = Option<u64>, Query, description = "send the journal from this id on, without it"),
        ("Last-Event-ID" = Option<u64>, Header, description = "the same, set by a browser that comes back")),
    responses((status = 200, description = "The stream.", body = String, content_type = "text/event-stream")))]
pub(super) async fn stream(
    _: Caller,
    stay: Stay,
    Language(lang): Language,
    State(app): State<App>,
    headers: HeaderMap,
    asked: QueryFields,
) -> Result<Sse<impl Stream<Item = Result<sse::Event, Infallible>>>, Refusal> {
    let after = resume_from(&headers, &asked).map_err(|p| Refusal::problem(p, lang))?;
    let feed = Feed::open(app, lang, stay, after).await.map_err(|e| Refusal::store(&e, lang))?;
    let events = futures_util::stream::unfold(feed, |mut feed| async {
        let message = feed.next().await?;
        Some((Ok(message), feed))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(HEARTBEAT)))
}

/// The header takes precedence: it is newer than the address that the browser opened first.
fn resume_from(headers: &HeaderMap, asked: &QueryFields) -> Result<Option<u64>, Problem> {
    match headers.get("last-event-id") {
        None => asked.number("after", 0..=LAST_ID),
        Some(value) => {
            let id = value.to_str().ok().and_then(|v| v.parse().ok()).filter(|id| *id <= LAST_ID);
            id.map(Some).ok_or_else(|| Problem::invalid("Last-Event-ID", text!("problem-event-id")))
        }
    }
}

/// One reader's position in the stream.
struct Feed {
    app: App,
    lang: Lang,
    stay: Stay,
    /// The id of the newest event sent.
    last: u64,
    /// Events read from the store and not sent yet.
    waiting: VecDeque<Arc<Event>>,
    events: broadcast::Receiver<Arc<Event>>,
    pictures: watch::Receiver<Arc<Snapshot>>,
    /// A snapshot that is due is not sent before this.
    not_before: Instant,
    due: bool,
    ends: Instant,
}

impl Feed {
    /// Follows the board before it reads the store, so that nothing is missed between the two.
    async fn open(app: App, lang: Lang, stay: Stay, after: Option<u64>) -> Result<Self, StoreError> {
        let (events, pictures) = (app.board.watch_events(), app.board.watch_snapshot());
        let start = Instant::now();
        let mut feed = Self {
            app,
            lang,
            stay,
            last: 0,
            waiting: VecDeque::new(),
            events,
            pictures,
            not_before: start,
            due: true,
            ends: start + LIFETIME,
        };
        match after {
            Some(id) => {
                feed.last = id;
                feed.catch_up().await?;
            }
            None => feed.last = feed.newest().await?,
        }
        Ok(feed)
    }

    async fn newest(&self) -> Result<u64, StoreError> {
        let store = self.app.store.clone();
        let newest = self.app.blocking(move || store.events_before(LAST_ID, 1)).await?;
        Ok(newest.first().map_or(0, |e| e.id))
    }

    /// Reads what the journal has after the last event sent.
    async fn catch_up(&mut self) -> Result<(), StoreError> {
        let (store, mut after) = (self.app.store.clone(), self.last);
        loop {
            let reader = store.clone();
            let page = self.app.blocking(move || reader.events_after(after, PAGE)).await?;
            let Some(newest) = page.last() else { return Ok(()) };
            after = newest.id;
            self.waiting.extend(page.into_iter().map(Arc::new));
        }
    }

    /// Returns the next message; `None` ends the stream.
    async fn next(&mut self) -> Option<sse::Event> {
        loop {
            if self.stay.over().await {
                return None;
            }
            if let Some(event) = self.waiting.pop_front() {
                if let Some(message) = self.tell(&event) {
                    return Some(message);
                }
                continue;
            }
            tokio::select! {
                biased;
                () = self.stay.doubt() => {}
                event = self.events.recv() => self.heard(event).await?,
                () = sleep_until(self.not_before), if self.due => return Some(self.picture()),
                changed = self.pictures.changed(), if !self.due => {
                    changed.ok()?;
                    self.due = true;
                }
                () = sleep_until(self.ends) => return None,
            }
        }
    }

    async fn heard(&mut self, event: Result<Arc<Event>, RecvError>) -> Option<()> {
        match event {
            Ok(event) => self.waiting.push_back(event),
            Err(RecvError::Lagged(_)) => {
                // On an error the stream ends, and the client reconnects with its last id.
                let lost =
                    |e: StoreError| tracing::error!(error = &e as &dyn std::error::Error, "event stream");
                self.catch_up().await.map_err(lost).ok()?;
            }
            Err(RecvError::Closed) => return None,
        }
        Some(())
    }

    /// Returns the message of an event, unless it was sent before.
    fn tell(&mut self, event: &Event) -> Option<sse::Event> {
        if event.id <= self.last {
            return None;
        }
        self.last = event.id;
        Some(message("event", &view::event(event, self.lang)).id(event.id.to_string()))
    }

    fn picture(&mut self) -> sse::Event {
        self.due = false;
        self.not_before = Instant::now() + PAUSE;
        let seen = self.pictures.borrow_and_update().clone();
        message("snapshot", &view::snapshot(&seen, self.lang, now()))
    }
}

fn message<T: Serialize>(name: &str, value: &T) -> sse::Event {
    // Our own structures always serialise; JSON has no raw line breaks.
    sse::Event::default().event(name).data(serde_json::to_string(value).unwrap_or_default())
}
