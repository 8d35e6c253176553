//! `GET /clean` lists what no wish explains, `POST /clean` removes it.

use std::time::Duration;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use cordee_domain::problem::Problem;
use cordee_domain::text;

use super::done;
use super::tools::{unanswered, unavailable};
use crate::board::{Ask, Cleaning, Leftover};
use crate::web::App;
use crate::web::error::Refusal;
use crate::web::page::{Member, Page, Place, Visit, show};
use crate::words::Lang;

const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Template)]
#[template(path = "clean.html")]
struct Clean {
    p: Page,
    items: Vec<Item>,
    foreign: Vec<Item>,
    button: String,
}

struct Item {
    path: String,
    why: String,
    size: String,
}

/// The list; `Some(None)`: another cleaning is under way.
async fn list(app: &App, apply: bool) -> Option<Option<Cleaning>> {
    let asked = app.board.ask(|reply| Ask::Clean { apply, reply });
    tokio::time::timeout(PATIENCE, asked).await.ok().flatten()
}

fn busy(visit: &Visit, app: &App) -> Response {
    let problem = Problem::conflict("", text!("problem-cleaning"));
    visit.refusal(app, Refusal::problem(problem, visit.lang))
}

/// Shows the list.
pub(super) async fn page(Member(visit): Member, State(app): State<App>) -> Response {
    let Some(found) = list(&app, false).await else { return unavailable(&visit, &app) };
    let Some(found) = found else { return busy(&visit, &app) };
    let item =
        |l: Leftover| Item { path: l.path, why: visit.lang.say(&l.why), size: size(l.bytes, visit.lang) };
    let items = |all: Vec<Leftover>| all.into_iter().map(item).collect::<Vec<_>>();
    let (items, foreign) = (items(found.items), items(found.foreign));
    let button = visit.lang.say(&text!("clean-button", count = items.len()));
    show(StatusCode::OK, &Clean { p: visit.page(&app, Place::Board), items, foreign, button })
}

/// Removes what is listed now.
pub(super) async fn submit(Member(visit): Member, State(app): State<App>) -> Response {
    let Some(gone) = list(&app, true).await else { return unanswered(&visit, &app) };
    let Some(gone) = gone else { return busy(&visit, &app) };
    let (store, actor) = (app.store.clone(), visit.actor());
    let told = text!("event-cleaned", count = gone.items.len());
    if let Err(error) = app.blocking(move || store.note(&actor, "cluster", None, &told)).await {
        return visit.refusal(&app, Refusal::store(&error, visit.lang));
    }
    done(&visit, StatusCode::OK, &text!("done-clean", count = gone.items.len()), None)
}

fn size(bytes: u64, lang: Lang) -> String {
    let unit = if lang == Lang::Fr { 'o' } else { 'B' };
    match bytes {
        0..1_000 => format!("{bytes}\u{a0}{unit}"),
        1_000..1_000_000 => format!("{}\u{a0}k{unit}", bytes / 1_000),
        _ => format!("{}\u{a0}M{unit}", bytes / 1_000_000),
    }
}
