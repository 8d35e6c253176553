//! The API: the same wishes and the same snapshot as the page, as JSON.
//!
//! Every handler except the description requires a [`Caller`] first, and every refusal is an RFC 9457 problem in
//! the language of `Accept-Language`.

mod answers;
pub mod config;
mod describe;
pub mod drills;
mod events;
pub(super) mod input;
pub mod servers;
#[cfg(test)]
mod tests;
pub mod tokens;
pub mod tools;
pub mod trials;
pub mod view;
pub mod visitors;
pub mod wishes;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{any, delete, get, post, put};
use axum::{Json, Router};
use cordee_api::view::SnapshotJson;
use cordee_api::wishes::Done;
use cordee_domain::text;
use cordee_node::clock::now;
use tokio::sync::oneshot;
use tokio::time::timeout;

use wishes::Wait;

use super::App;
use super::error::Refusal;
use super::session::{Caller, Language};
use crate::board::Ask;
use crate::control::act::{Act, Consent};
use crate::control::{self, ENGINE_DEADLINE, Effect, Who};
use crate::words::Lang;

/// Returns everything under `/api/`, and the routes beside it that refuse in the same form.
pub fn router(beside: Router<App>) -> Router<App> {
    let server = "/api/v1/pools/{pool}/servers/{name}";
    Router::new()
        .route("/api/openapi.json", get(describe::openapi))
        .route("/api/v1/snapshot", get(snapshot))
        .route("/api/v1/events", get(events::stream))
        .route("/api/v1/wishes/{id}", get(wishes::show))
        .route("/api/v1/history", get(tools::history))
        .route("/api/v1/visitors", get(visitors::list))
        .route("/api/v1/visitors.csv", get(visitors::table))
        .route("/api/v1/visitors/keeping", put(visitors::keep))
        .route("/api/v1/pools/db/join", get(servers::join).post(servers::join_existing))
        .route("/api/v1/pools/db/servers/{name}/verify", post(servers::verify))
        .route("/api/v1/pools/db/servers/{name}/repair", post(servers::repair))
        .route("/api/v1/pools/{pool}/routing", put(tools::routing))
        .route("/api/v1/pools/{pool}/session", put(tools::session))
        .route("/api/v1/pools/{pool}/servers", post(servers::add))
        .route(server, delete(servers::remove))
        .route(&format!("{server}/test"), post(servers::test))
        .route(&format!("{server}/logs"), get(servers::logs))
        .route(&format!("{server}/requests"), get(visitors::requests))
        .route(&format!("{server}/{{action}}"), post(servers::act))
        .route("/api/v1/proxies/{proxy}/config", get(config::show))
        .route("/api/v1/proxies/{proxy}/reload", post(tools::reload))
        .route("/api/v1/trials", get(trials::list).post(trials::begin))
        .route("/api/v1/trials/cancel", post(trials::cancel))
        .route("/api/v1/trials/{id}", get(trials::one))
        .route("/api/v1/drills", get(drills::list).post(drills::begin))
        .route("/api/v1/drills/cancel", post(drills::cancel))
        .route("/api/v1/drills/{id}", get(drills::one))
        .route("/api/v1/tokens", get(tokens::list))
        .route("/api/v1/tokens/{name}", delete(tokens::revoke))
        .route("/api/v1/refresh", post(tools::refresh))
        .route("/api/v1/clean", post(tools::clean))
        // Not a fallback: the router of the pages has one, and only one is allowed.
        .route("/api", any(nothing))
        .route("/api/", any(nothing))
        .route("/api/{*rest}", any(nothing))
        .merge(beside)
        .method_not_allowed_fallback(wrong_method)
}

#[utoipa::path(get, path = "/api/v1/snapshot", tag = "state", operation_id = "get_snapshot",
    summary = "The whole cluster at one moment",
    responses((status = 200, description = "The newest picture.", body = SnapshotJson)))]
async fn snapshot(_: Caller, Language(lang): Language, State(app): State<App>) -> Json<SnapshotJson> {
    Json(view::snapshot(&app.board.snapshot(), lang, now()))
}

async fn nothing(Language(lang): Language) -> Refusal {
    input::not_here(lang)
}

async fn wrong_method(Language(lang): Language) -> Refusal {
    input::refuse(StatusCode::METHOD_NOT_ALLOWED, "", text!("problem-method"), lang)
}

/// Carries out an act for `caller`.
async fn carry_out(
    app: &App,
    act: Act,
    consent: &Consent,
    Caller(actor): Caller,
    Wait(wait): Wait,
    lang: Lang,
) -> Result<control::Done, Refusal> {
    let done = app.control().act(act, consent, Who { actor, wait }).await;
    done.map_err(|declined| Refusal::declined(declined, lang))
}

/// Carries out an act and returns the answer: at once, or when the wish is real, if that comes within `wait`.
async fn act_on(
    app: &App,
    act: Act,
    consent: &Consent,
    caller: Caller,
    wait: Wait,
    lang: Lang,
) -> Result<(StatusCode, Json<Done>), Refusal> {
    let done = carry_out(app, act, consent, caller, wait, lang).await?;
    let message = done.effect.says().map(|says| lang.say(says)).unwrap_or_default();
    let mut told = Done::at(done.revision, message);
    let Effect::Wished { real: Some(found), .. } = done.effect else {
        return Ok((StatusCode::ACCEPTED, Json(told)));
    };
    let (state, why) = wishes::say(&found, lang);
    (told.state, told.why) = (Some(state), why);
    Ok((wishes::status(state), Json(told)))
}

/// Asks the engine a question that changes nothing, and waits no longer than a client does.
async fn question<T>(
    app: &App,
    lang: Lang,
    question: impl FnOnce(oneshot::Sender<T>) -> Ask,
) -> Result<T, Refusal> {
    match timeout(ENGINE_DEADLINE, app.board.ask(question)).await {
        Ok(answer) => answer.ok_or_else(|| Refusal::unavailable(lang)),
        Err(_) => Err(Refusal::slow(ENGINE_DEADLINE.as_secs(), lang)),
    }
}
