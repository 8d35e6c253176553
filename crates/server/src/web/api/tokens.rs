//! The tokens of programs: created on the page or on the machine and shown once; listed and revoked here too.

use axum::Json;
use axum::extract::State;
use cordee_api::tokens::{RevokedJson, TokenJson, TokensJson};
use cordee_api::words::TokenNameText;
use cordee_domain::ids::Millis;
use cordee_domain::problem::Problem;
use cordee_domain::text;
use cordee_domain::visitors::parse_days;
use cordee_node::clock::now;

use super::input::{TokenPath, is_token_name};
use crate::store::{CommitError, NewToken, Proven, Token, TokenName};
use crate::web::App;
use crate::web::error::Refusal;
use crate::web::password::not_present;
use crate::web::session::{Caller, Language};

/// Returns a token as JSON.
fn json(token: Token) -> TokenJson {
    let expired = token.expires.is_some_and(|at| at <= now());
    TokenJson { name: token.name, created: token.created, used: token.seen, expires: token.expires, expired }
}

#[utoipa::path(get, path = "/api/v1/tokens", tag = "tokens", operation_id = "list_tokens",
    summary = "The tokens of programs",
    responses((status = 200, description = "The tokens.", body = TokensJson)))]
pub(super) async fn list(
    _: Caller,
    Language(lang): Language,
    State(app): State<App>,
) -> Result<Json<TokensJson>, Refusal> {
    let store = app.store.clone();
    let all = app.blocking(move || store.tokens()).await.map_err(|e| Refusal::store(&e, lang))?;
    Ok(Json(TokensJson { tokens: all.into_iter().map(json).collect() }))
}

#[utoipa::path(delete, path = "/api/v1/tokens/{name}", tag = "tokens", operation_id = "revoke_token",
    summary = "Take a token back",
    description = "Whoever holds it is refused from now on, and streams that were opened with it end.",
    params(("name" = TokenNameText, Path, description = "The token")),
    responses((status = 200, description = "It is taken back.", body = RevokedJson)))]
pub(super) async fn revoke(
    Caller(actor): Caller,
    Language(lang): Language,
    State(app): State<App>,
    TokenPath(name): TokenPath,
) -> Result<Json<RevokedJson>, Refusal> {
    let gone = take_back(&app, name, actor).await.map_err(|e| Refusal::commit(e, lang))?;
    let message = lang.say(&text!("event-token-revoked", name = gone.as_str()));
    Ok(Json(RevokedJson { name: gone, message }))
}

/// Revokes a token and notes it in the journal. Returns its name as it was written.
pub async fn take_back(app: &App, name: String, actor: String) -> Result<String, CommitError> {
    let (store, asked) = (app.store.clone(), name.clone());
    let gone = app.blocking(move || store.revoke_token(&asked, &actor)).await?;
    gone.ok_or_else(|| {
        let unknown = Problem::unknown("name", text!("problem-token-unknown", name = name));
        CommitError::Refused(vec![unknown])
    })
}

/// Creates a token for the given number of days, or without an end when nothing is typed, and notes it in the
/// journal. Returns its name and secret. The password was checked before, except for the owner of the machine.
pub async fn make(
    app: &App,
    name: &str,
    days: &str,
    present: Option<Proven>,
    actor: String,
) -> Result<(String, String), CommitError> {
    let mut problems = Vec::new();
    let name = name.trim().to_owned();
    if !is_token_name(&name) {
        problems.push(Problem::invalid("name", text!("problem-token-name")));
    }
    let days = match days.trim() {
        "" => None,
        typed => parse_days(typed).map_err(|p| problems.push(p)).ok(),
    };
    if !problems.is_empty() {
        return Err(CommitError::Refused(problems));
    }
    let expires = days.map(|days| now() + u64::from(days) * DAY_MS);
    let (store, wanted) = (app.store.clone(), name.clone());
    let made =
        app.blocking(move || store.make_token(&TokenName(wanted), expires, present.as_ref(), &actor)).await?;
    let refused = match made {
        NewToken::Made(secret) => return Ok((name, secret)),
        NewToken::Taken => Problem::conflict("name", text!("problem-token-taken", name = name)),
        NewToken::Stale => not_present("password"),
    };
    Err(CommitError::Refused(vec![refused]))
}

const DAY_MS: Millis = 24 * 60 * 60 * 1_000;
