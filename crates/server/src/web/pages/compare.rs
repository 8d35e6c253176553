//! `/sessions/compare`: five ways to keep sessions, measured on this machine. `GET` shows the newest run or an
//! earlier one, `POST` begins a run, `POST …/cancel` gives it up.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use cordee_domain::text;
use cordee_domain::trial::Run;

use super::carry_out;
use crate::control::act::{Act, Consent};
use crate::web::App;
use crate::web::error::Refusal;
use crate::web::page::{Member, NavItem, Page, Visit, show};
use crate::web::read::Path;
use crate::web::view::trial::{self, Progress, RunView};

#[derive(Template)]
#[template(path = "compare.html")]
struct Compare {
    p: Page,
    /// The run shown; `None` before the first.
    run: Option<RunView>,
    /// The run under way, whether it is the one shown or not.
    progress: Option<Progress>,
    /// All runs, newest first.
    history: Vec<RunView>,
}

/// Shows the newest run.
pub(super) async fn page(Member(visit): Member, State(app): State<App>) -> Response {
    view(&visit, &app, None).await
}

/// Shows one run.
pub(super) async fn one(Member(visit): Member, State(app): State<App>, Path(id): Path<u64>) -> Response {
    view(&visit, &app, Some(id)).await
}

async fn view(visit: &Visit, app: &App, id: Option<u64>) -> Response {
    let store = app.store.clone();
    let runs: Vec<Run> = match app.blocking(move || store.trials()).await {
        Ok(runs) => runs,
        Err(error) => return visit.refusal(app, Refusal::store(&error, visit.lang)),
    };
    let shown = runs.iter().find(|run| id.is_none_or(|id| id == run.id));
    if let (Some(id), None) = (id, shown) {
        return visit.missing(app, text!("problem-no-trial", id = id));
    }
    let page = Compare {
        p: visit.page(app, NavItem::Sessions),
        run: shown.map(|run| trial::run(run, visit.lang)),
        progress: app.jobs.under_way().map(|u| trial::progress(&u, visit.lang)),
        history: runs.iter().map(|run| trial::run(run, visit.lang)).collect(),
    };
    show(StatusCode::OK, &page)
}

/// Begins a run.
pub(super) async fn begin(Member(visit): Member, State(app): State<App>) -> Response {
    at_desk(&visit, &app, Act::BeginTrial, "/sessions/compare").await
}

/// Gives the run up.
pub(super) async fn cancel(Member(visit): Member, State(app): State<App>) -> Response {
    at_desk(&visit, &app, Act::CancelTrial, "/sessions/compare").await
}

/// Begins or gives up a job at a job queue, and shows its page again.
pub(super) async fn at_desk(visit: &Visit, app: &App, act: Act, back: &str) -> Response {
    match carry_out(app, visit, act, &Consent::NONE).await {
        Ok(_) => Redirect::to(back).into_response(),
        Err(declined) => visit.declined(app, declined),
    }
}
