//! `GET /journal`: who did what, and the result, newest first.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;

use crate::store::Store;
use crate::web::App;
use crate::web::error::Refusal;
use crate::web::page::{Member, NavItem, Page, show};
use crate::web::read::Query;
use crate::web::view::EventRow;

/// Lines on one page.
const LINES: usize = 50;

/// Which lines are asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Which {
    /// Only lines with a smaller id. Anything but a number means the newest lines.
    before: String,
}

#[derive(Template)]
#[template(path = "journal.html")]
struct Journal {
    p: Page,
    events: Vec<EventRow>,
    /// The newest lines are shown.
    newest: bool,
    /// The id below which the older lines are.
    older: Option<u64>,
}

/// Shows the lines.
pub(super) async fn page(
    Member(visit): Member,
    State(app): State<App>,
    Query(which): Query<Which>,
) -> Response {
    let before = which.before.parse::<u64>().ok();
    let limit = u32::try_from(LINES + 1).unwrap_or(u32::MAX);
    let read = move |store: &Store| store.events_before(before.unwrap_or(u64::MAX), limit);
    let mut events = match app.lines(visit.lang, read).await {
        Ok(events) => events,
        Err(error) => return visit.refusal(&app, Refusal::store(&error, visit.lang)),
    };
    // One line more than shown was read: it tells whether there is another page.
    let more = events.len() > LINES;
    events.truncate(LINES);
    let journal = Journal {
        older: events.last().map(|e| e.id).filter(|_| more),
        newest: before.is_none(),
        events,
        p: visit.page(&app, NavItem::Journal),
    };
    show(StatusCode::OK, &journal)
}
