//! Answers for the owner of the machine only: what comes over the unix socket. Elsewhere these addresses do
//! not exist.

use std::collections::BTreeMap;
use std::fmt;

use axum::extract::{FromRequestParts, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::routing::{get, post};
use axum::{Json, Router};
use cordee_domain::problem::Problem;
use cordee_domain::text;
use serde::{Deserialize, Serialize};

use super::App;
use super::api::input::{Asked, Body, not_here, refused};
use super::error::Refusal;
use super::session::{self, Language, language};
use crate::store::TokenName;

/// How an application reaches the databases.
#[derive(Clone, Debug)]
pub struct DsnBook {
    /// Address of HAProxy `db`.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The application's schema.
    pub schema: String,
    /// Reads and writes data.
    pub app: Credential,
    /// Alters tables too.
    pub owner: Credential,
    /// Each database's own address and port, by name.
    pub servers: BTreeMap<String, (String, u16)>,
}

/// A database account.
#[derive(Clone)]
pub struct Credential {
    /// Its name.
    pub user: String,
    /// Its password.
    pub password: String,
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credential({}, …)", self.user)
    }
}

/// What a client library asks for.
#[derive(Clone, Serialize, Deserialize)]
pub struct Dsn {
    /// Address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Account.
    pub user: String,
    /// Its password.
    pub password: String,
    /// Schema.
    pub schema: String,
}

/// The setup code, until it is used.
#[derive(Clone, Serialize, Deserialize)]
pub struct SetupCode {
    /// `null` once an account exists.
    pub code: Option<String>,
}

/// A token just made: this is the only time that it is shown.
#[derive(Clone, Serialize, Deserialize)]
pub struct Token {
    /// Its name, which stands in the journal.
    pub name: String,
    /// The secret.
    pub token: String,
}

/// Proof that the request came over the unix socket; otherwise 404, as for any unknown address.
struct Owner;

impl FromRequestParts<App> for Owner {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Refusal> {
        match parts.extensions.get::<session::Local>() {
            Some(_) => Ok(Self),
            None => Err(not_here(language(&parts.headers))),
        }
    }
}

/// The three addresses.
pub(super) fn router() -> Router<App> {
    Router::new()
        .route("/local/setup-code", get(setup_code))
        .route("/local/tokens", post(create_token))
        .route("/local/dsn", get(dsn))
}

async fn setup_code(
    _: Owner,
    State(app): State<App>,
    Language(lang): Language,
) -> Result<Json<SetupCode>, Refusal> {
    let (store, path) = (app.store.clone(), app.setup_code.clone());
    let code = app
        .blocking(move || {
            let used = store.has_account()?;
            // No file and no account: nothing to show either way.
            Ok(if used { None } else { std::fs::read_to_string(&*path).ok().map(|c| c.trim().to_owned()) })
        })
        .await
        .map_err(|e| Refusal::store(&e, lang))?;
    Ok(Json(SetupCode { code }))
}

async fn create_token(
    _: Owner,
    State(app): State<App>,
    Language(lang): Language,
    Body(mut body): Body,
) -> Result<(StatusCode, Json<Token>), Refusal> {
    let name = body.text("name").unwrap_or_default();
    body.finish().map_err(|problems| refused(problems, lang))?;
    if !token_name(&name) {
        return Err(Refusal::problem(Problem::invalid("name", text!("problem-token-name")), lang));
    }
    let (store, wanted) = (app.store.clone(), name.clone());
    let made = app.blocking(move || {
        let made = store.create_token(&TokenName(wanted.clone()))?;
        if made.is_some() {
            store.note("cli", "cluster", None, &text!("event-token", name = wanted))?;
        }
        Ok(made)
    });
    let token = made.await.map_err(|e| Refusal::store(&e, lang))?.ok_or_else(|| {
        let taken = Problem::conflict("name", text!("problem-token-taken", name = name.as_str()));
        Refusal::problem(taken, lang)
    })?;
    Ok((StatusCode::CREATED, Json(Token { name, token })))
}

/// It stands in the journal, so it has the shape of every other name there.
fn token_name(name: &str) -> bool {
    (1..=63).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
}

async fn dsn(
    _: Owner,
    State(app): State<App>,
    Language(lang): Language,
    asked: Asked,
) -> Result<Json<Dsn>, Refusal> {
    look_up(&app.dsn, asked.text("account"), asked.text("server"))
        .map(Json)
        .map_err(|problem| Refusal::problem(problem, lang))
}

fn look_up(book: &DsnBook, account: Option<&str>, server: Option<&str>) -> Result<Dsn, Problem> {
    let account = match account.unwrap_or("app") {
        "app" => &book.app,
        "owner" => &book.owner,
        _ => return Err(Problem::invalid("account", text!("problem-dsn-account"))),
    };
    let (host, port) = match server {
        None => (book.host.clone(), book.port),
        Some(name) => book
            .servers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, address)| address.clone())
            .ok_or_else(|| Problem::unknown("server", text!("problem-dsn-server")))?,
    };
    let (user, password) = (account.user.clone(), account.password.clone());
    Ok(Dsn { host, port, user, password, schema: book.schema.clone() })
}
