//! Tools: look at everything now; start a new worker of an HAProxy instance.

use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use cordee_domain::ids::PoolId;
use cordee_domain::text;
use cordee_domain::text::{Text, Thing};

use super::{carry_out, done};
use crate::board::Ask;
use crate::control::act::{Act, Consent};
use crate::web::App;
use crate::web::error::Refusal;
use crate::web::page::{Member, Visit};
use crate::web::read::Path;

/// How long a look at everything may take before the answer is sent without it: a frozen HAProxy instance does not
/// answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// `POST /refresh`
pub(super) async fn refresh(Member(visit): Member, State(app): State<App>) -> Response {
    match tokio::time::timeout(PATIENCE, app.board.ask(Ask::Refresh)).await {
        Ok(Some(())) => done(&visit, StatusCode::OK, &text!("done-refresh"), None),
        Ok(None) => unavailable(&visit, &app),
        Err(_) => done(&visit, StatusCode::OK, &text!("done-refresh-partly"), None),
    }
}

/// `POST /proxies/{proxy}/reload`
pub(super) async fn reload(
    Member(visit): Member,
    State(app): State<App>,
    Path(proxy): Path<String>,
) -> Response {
    let proxy = match PoolId::parse(&proxy) {
        Ok(proxy) => proxy,
        Err(why) => return visit.refusal(&app, Refusal::problem(why.into(), visit.lang)),
    };
    match carry_out(&app, &visit, Act::Reload(proxy), &Consent::NONE).await {
        Ok(_) => done(&visit, StatusCode::OK, &reloading(&app, proxy), None),
        Err(declined) => visit.declined(&app, declined),
    }
}

/// Returns what a reload costs. Visitors' requests finish in the old worker; a database connection may last for
/// ever, so the old worker ends the connections that are left after 10 s (`hard-stop-after`).
fn reloading(app: &App, proxy: PoolId) -> Text {
    match proxy {
        PoolId::Web => text!("done-reload", proxy = Thing::Proxy(proxy)),
        PoolId::Db => {
            let proxies = &app.board.snapshot().proxies;
            let sessions = proxies.iter().find(|p| p.name == proxy).map_or(0, |p| p.sessions);
            text!("done-reload-db", count = sessions)
        }
    }
}

/// Answers when the engine does not: it is stopping.
pub(super) fn unavailable(visit: &Visit, app: &App) -> Response {
    visit.refusal(app, Refusal::unavailable(visit.lang))
}
