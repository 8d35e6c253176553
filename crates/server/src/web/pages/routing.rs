//! `GET /pools/db/routing/{word}` asks before the databases share writes differently, `POST` changes it.

use axum::extract::State;
use axum::response::Response;
use cordee_domain::desired::Routing;

use super::act::ask_first;
use super::act_on;
use crate::control::act::Act;
use crate::web::App;
use crate::web::page::Member;
use crate::web::read::Path;
use crate::web::view::sharing;

/// Shows the question.
pub(super) async fn ask(Member(visit): Member, State(app): State<App>, Path(word): Path<String>) -> Response {
    let listen = app.board.desired().writer_listen;
    let routing = Routing::parse(&word);
    ask_first(
        &visit,
        &app,
        routing.map(|routing| sharing(&app.board.snapshot(), routing, listen, visit.lang)),
    )
}

/// Changes the routing.
pub(super) async fn submit(
    Member(visit): Member,
    State(app): State<App>,
    Path(word): Path<String>,
) -> Response {
    act_on(&app, &visit, Routing::parse(&word).map(Act::SetRouting)).await
}
