//! `GET /pools/web/session/{word}` asks before the visitors' sessions are kept elsewhere, `POST` does it.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use cordee_domain::change::Change;
use cordee_domain::sessions::Mode;

use super::act::Confirm;
use super::done;
use crate::web::App;
use crate::web::error::Refusal;
use crate::web::page::{Member, Place, show};
use crate::web::view::keeping;

/// Asks.
pub(super) async fn ask(Member(visit): Member, State(app): State<App>, Path(word): Path<String>) -> Response {
    let mode = match Mode::parse(&word) {
        Ok(mode) => mode,
        Err(problem) => return visit.refusal(&app, Refusal::problem(problem, visit.lang)),
    };
    let q = keeping(&app.board.snapshot(), mode, visit.lang);
    if visit.script {
        return axum::Json(q).into_response();
    }
    show(StatusCode::OK, &Confirm::new(visit.page(&app, Place::Board), q))
}

/// Does it.
pub(super) async fn submit(
    Member(visit): Member,
    State(app): State<App>,
    Path(word): Path<String>,
) -> Response {
    let mode = match Mode::parse(&word) {
        Ok(mode) => mode,
        Err(problem) => return visit.refusal(&app, Refusal::problem(problem, visit.lang)),
    };
    let change = Change::SetSession { mode };
    match app.commit(change.clone(), visit.actor()).await {
        Ok(_) => done(&visit, StatusCode::OK, &change.sentence(), None),
        Err(error) => visit.refusal(&app, Refusal::commit(error, visit.lang)),
    }
}
