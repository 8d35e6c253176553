//! One page, one file. Every state change is a form's POST; a browser without script gets a redirect, our script
//! gets JSON from the same address.

mod account;
mod act;
mod add;
mod clean;
mod compare;
mod config;
mod dashboard;
mod database;
mod drills;
mod guest;
mod help;
mod join;
mod journal;
mod login;
mod look;
mod prefs;
mod repair;
mod routing;
mod session;
mod setup;
mod tools;
mod visitors;
mod wrong;

use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use cordee_domain::desired::Server;
use cordee_domain::ids::{PoolId, ServerName};
use cordee_domain::problem::Problem;
use cordee_domain::snapshot::ServerView;
use cordee_domain::text;
use cordee_domain::text::Text;
use serde::Serialize;

use super::error::Refusal;
use super::page::Visit;
use super::{App, assets, live};
use crate::control::act::{Act, Consent};
use crate::control::{self, Effect, Who};

/// Returns all pages. The caller adds `session::same_origin`.
pub fn router() -> Router<App> {
    Router::new()
        .route("/", get(dashboard::page))
        .route("/live", get(live::stream))
        .route("/setup", get(setup::page).post(setup::submit))
        .route("/login", get(login::page).post(login::submit))
        .route("/logout", post(login::leave))
        .route("/account/password", get(account::password).post(account::change))
        .route("/account/sessions", get(account::sessions))
        .route("/account/sessions/end", post(account::end_others))
        .route("/account/sessions/{id}/end", post(account::end_session))
        .route("/account/tokens", get(account::tokens).post(account::make_token))
        .route("/account/tokens/{name}/revoke", get(account::ask_revoke).post(account::revoke))
        .route("/aide", get(help::page))
        .route("/help", get(|| async { Redirect::permanent("/aide") }))
        .route("/journal", get(journal::page))
        .route("/visitors", get(visitors::page))
        .route("/visitors/keeping", post(visitors::keep))
        .route("/refresh", post(tools::refresh))
        .route("/config", get(config::first))
        .route("/config/{proxy}", get(config::page))
        .route("/proxies/{proxy}/reload", post(tools::reload))
        .route("/clean", get(clean::page).post(clean::submit))
        .route("/lang", post(prefs::lang))
        .route("/theme", post(prefs::theme))
        .route("/pools/db/routing/{word}", get(self::routing::ask).post(self::routing::submit))
        .route("/pools/web/session/{word}", get(session::ask).post(session::submit))
        .route("/pools/{pool}/servers", post(add::submit))
        .route("/pools/web/servers/new", get(add::page))
        .route("/pools/db/servers", post(join::submit))
        .route("/pools/db/servers/new", get(join::page))
        .route("/pools/db/servers/existing", get(guest::page).post(guest::examine))
        .route("/pools/db/servers/existing/add", post(guest::add))
        .route("/pools/db/servers/{name}/verify", post(join::verify))
        .route("/pools/db/servers/{name}/repair/{take}", get(repair::ask).post(repair::submit))
        .route("/pools/{pool}/servers/{name}", get(database::page))
        .route("/pools/{pool}/servers/{name}/logs", get(look::logs))
        .route("/pools/{pool}/servers/{name}/test", get(look::test))
        .route("/pools/{pool}/servers/{name}/visitors", get(visitors::of_server))
        .route("/pools/{pool}/servers/{name}/{act}", get(act::ask).post(act::submit))
        .route("/sessions/compare", get(compare::page).post(compare::begin))
        .route("/sessions/compare/cancel", post(compare::cancel))
        .route("/sessions/compare/{id}", get(compare::one))
        .route("/drills", get(drills::page).post(drills::begin))
        .route("/drills/cancel", post(drills::cancel))
        .route("/drills/{id}", get(drills::one))
        .route("/assets/{version}/{name}", get(assets::file))
        .fallback(missing)
        .method_not_allowed_fallback(missing)
}

async fn missing(visit: Visit, app: axum::extract::State<App>) -> Response {
    visit.missing(&app, text!("message-no-page"))
}

/// The answer to our script when an act was accepted.
#[derive(Debug, Serialize)]
struct Done {
    /// What was done.
    message: String,
    /// The inverse act, offered for ten seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    undo: Option<Undo>,
}

/// The inverse of an act.
#[derive(Debug, Serialize)]
struct Undo {
    /// The button.
    label: String,
    /// The target of its form.
    action: String,
}

/// Returns the answer to an accepted form.
fn done(visit: &Visit, status: StatusCode, message: &Text, undo: Option<String>) -> Response {
    if !visit.script {
        return Redirect::to("/").into_response();
    }
    let undo = undo.map(|action| Undo { label: visit.lang.say(&text!("undo")), action });
    (status, axum::Json(Done { message: visit.lang.say(message), undo })).into_response()
}

/// Carries out an act for the visitor.
async fn carry_out(
    app: &App,
    visit: &Visit,
    act: Act,
    consent: &Consent,
) -> Result<control::Done, control::Declined> {
    app.control().act(act, consent, Who::now(visit.actor())).await
}

/// Carries out an act and answers; no inverse is offered.
async fn act_on(app: &App, visit: &Visit, act: Result<Act, Problem>) -> Response {
    act_with(app, visit, act, &Consent::NONE).await
}

/// The same, once a person has answered its question.
async fn act_with(app: &App, visit: &Visit, act: Result<Act, Problem>, consent: &Consent) -> Response {
    let act = match act {
        Ok(act) => act,
        Err(problem) => return visit.refusal(app, Refusal::problem(problem, visit.lang)),
    };
    match carry_out(app, visit, act, consent).await {
        Ok(told) => accepted(visit, &told.effect, None),
        Err(declined) => visit.declined(app, declined),
    }
}

/// Returns the answer to an act that was carried out.
fn accepted(visit: &Visit, effect: &Effect, undo: Option<String>) -> Response {
    let status = match effect {
        Effect::Added { .. } => StatusCode::CREATED,
        Effect::Noted(_) => StatusCode::ACCEPTED,
        _ => StatusCode::OK,
    };
    match effect.says() {
        Some(says) => done(visit, status, says, undo),
        None => Redirect::to("/").into_response(),
    }
}

/// Returns the pool and the name that an address contains.
fn named(pool: &str, name: &str) -> Result<(PoolId, ServerName), Problem> {
    let pool = PoolId::parse(pool)?;
    let unknown = |_| Problem::unknown("name", text!("problem-server-unknown", name = shorten(name)));
    Ok((pool, ServerName::parse(name).map_err(unknown)?))
}

/// The server that an address names, in the newest wish and in the newest snapshot.
struct NamedServer {
    pool: PoolId,
    server: Server,
    view: Option<ServerView>,
}

fn target(app: &App, pool: &str, name: &str) -> Result<NamedServer, Problem> {
    let (pool, name) = named(pool, name)?;
    let unknown = || Problem::unknown("name", text!("problem-server-unknown", name = name.as_str()));
    let desired = app.board.desired();
    let server = desired.pool(pool).server(&name).cloned().ok_or_else(unknown)?;
    let view = app.board.snapshot().servers.iter().find(|s| s.name == server.name).cloned();
    Ok(NamedServer { pool, server, view })
}

/// Shortens what somebody typed, so that it can be repeated.
fn shorten(typed: &str) -> String {
    typed.chars().take(256).collect()
}

#[cfg(test)]
mod tests;
