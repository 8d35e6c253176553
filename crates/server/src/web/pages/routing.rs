//! `GET /pools/db/routing/{word}` asks before the databases share writes in another way, `POST` does it.

use axum::extract::State;
use axum::response::Response;
use cordee_domain::change::Request;
use cordee_domain::desired::Routing;

use super::act::{ask_first, wish};
use crate::web::App;
use crate::web::guard::may_share;
use crate::web::page::Member;
use crate::web::read::Path;
use crate::web::view::sharing;

/// Asks.
pub(super) async fn ask(Member(visit): Member, State(app): State<App>, Path(word): Path<String>) -> Response {
    let listen = app.board.desired().writer_listen;
    let routing = Routing::parse(&word);
    ask_first(
        &visit,
        &app,
        routing.map(|routing| sharing(&app.board.snapshot(), routing, listen, visit.lang)),
    )
}

/// Does it.
pub(super) async fn submit(
    Member(visit): Member,
    State(app): State<App>,
    Path(word): Path<String>,
) -> Response {
    let routing = Routing::parse(&word).and_then(|routing| may_share(&app.board.snapshot(), routing));
    wish(&visit, &app, routing.map(|routing| Request::SetRouting { routing })).await
}
