//! `GET /pools/web/session/{word}` asks before the visitors' sessions are kept elsewhere, `POST` changes it.

use axum::extract::State;
use axum::response::Response;
use cordee_domain::sessions::Mode;

use super::act::ask_first;
use super::act_on;
use crate::control::act::Act;
use crate::web::App;
use crate::web::page::Member;
use crate::web::read::Path;
use crate::web::view::keeping;

/// Shows the question.
pub(super) async fn ask(Member(visit): Member, State(app): State<App>, Path(word): Path<String>) -> Response {
    let mode = Mode::parse(&word);
    ask_first(&visit, &app, mode.map(|mode| keeping(&app.board.snapshot(), mode, visit.lang)))
}

/// Changes the mode.
pub(super) async fn submit(
    Member(visit): Member,
    State(app): State<App>,
    Path(word): Path<String>,
) -> Response {
    act_on(&app, &visit, Mode::parse(&word).map(Act::SetSession)).await
}
