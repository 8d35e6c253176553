//! Answers for the owner of the machine only, over the unix socket. Over the network these addresses do not exist.

use std::collections::BTreeMap;
use std::fmt;

use axum::extract::{FromRequestParts, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::middleware::map_response;
use axum::routing::{get, post};
use axum::{Json, Router};
use cordee_api::local::{Dsn, NewPassword, SetupCode, StartJson, Token};
use cordee_domain::guesses::Insider;
use cordee_domain::problem::Problem;
use cordee_domain::started::started;
use cordee_domain::text;
use cordee_node::clock::now;
use cordee_node::vault::plain_text;

use super::App;
use super::api::input::{Body, QueryFields, not_here, refused};
use super::api::tokens;
use super::api::view::{self};
use super::error::Refusal;
use super::packing;
use super::password::{self, Doubt, not_present};
use super::session::{self, Language, language};
use super::view::{present, verdict};
use crate::store::Changed;

/// How an application reaches the databases.
#[derive(Clone, Debug)]
pub struct DsnBook {
    /// Address of the HAProxy instance `db`.
    pub host: String,
    /// Its port, at which the databases accept connections according to the routing.
    pub port: u16,
    /// Address and port at which only the writer accepts connections, whatever the routing.
    pub writer: (String, u16),
    /// The application's schema.
    pub schema: String,
    /// The account that reads and writes data.
    pub app: Credential,
    /// The account that also changes tables.
    pub owner: Credential,
    /// The account that monitors the databases.
    pub monitor: Credential,
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

/// The five addresses.
pub(super) fn router() -> Router<App> {
    Router::new()
        .route("/local/setup-code", get(setup_code))
        .route("/local/tokens", post(create_token))
        .route("/local/password", post(password))
        .route("/local/dsn", get(dsn))
        .route("/local/start", get(start))
        // Most of these answers contain a secret.
        .layer(map_response(packing::never))
}

async fn start(_: Owner, State(app): State<App>, Language(lang): Language) -> Json<StartJson> {
    let (seen, now) = (app.board.snapshot(), now());
    let started = started(&present(&seen, now));
    Json(StartJson { started, verdict: view::remark(&verdict(&present(&seen, now)), lang) })
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
            // No file and no account: there is nothing to show in either case.
            Ok(if used { None } else { plain_text(&path).ok().map(|c| c.trim().to_owned()) })
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
    let (name, days) = (body.text("name").unwrap_or_default(), body.figure("days"));
    body.finish().map_err(|problems| refused(problems, lang))?;
    let made = tokens::make(&app, &name, &days, None, "cli".to_owned()).await;
    let (name, token) = made.map_err(|e| Refusal::commit(e, lang))?;
    Ok((StatusCode::CREATED, Json(Token { name, token })))
}

/// Sets another password for the account. The present one is required, unless the owner of the machine says that
/// it is forgotten: whoever can read and write the state file needs no permission for that.
async fn password(
    _: Owner,
    State(app): State<App>,
    Language(lang): Language,
    Body(mut body): Body,
) -> Result<Json<NewPassword>, Refusal> {
    let (present, new) = (body.text("present"), body.text("new").unwrap_or_default());
    let forgotten = body.flag("forgotten").unwrap_or_default();
    body.finish().map_err(|problems| refused(problems, lang))?;
    let store = app.store.clone();
    let account = app.blocking(move || store.account()).await.map_err(|e| Refusal::store(&e, lang))?;
    let nobody = || Refusal::problem(Problem::conflict("", text!("problem-no-account")), lang);
    let account = account.ok_or_else(nobody)?;
    if let Some(problem) = password::unfit("new", &new) {
        return Err(Refusal::problem(problem, lang));
    }
    let wrong = || Refusal::problem(not_present("present"), lang);
    let proven = if forgotten {
        None
    } else {
        let compared = password::present(&app, &account, present.unwrap_or_default(), Insider::Machine).await;
        Some(compared.map_err(|doubt| match doubt {
            Doubt::Wrong => wrong(),
            Doubt::Wait(seconds) => Refusal::too_many(seconds, lang),
            Doubt::Store(error) => Refusal::store(&error, lang),
        })?)
    };
    let changed = password::change(&app, &account, new, proven, None, "cli".to_owned()).await;
    if let Changed::Stale = changed.map_err(|e| Refusal::store(&e, lang))? {
        return Err(wrong());
    }
    let message = lang.say(&text!("cli-password-changed", name = account.0.as_str()));
    Ok(Json(NewPassword { message }))
}

async fn dsn(
    _: Owner,
    State(app): State<App>,
    Language(lang): Language,
    asked: QueryFields,
) -> Result<Json<Dsn>, Refusal> {
    look_up(&app.dsn, asked.text("account"), asked.text("server"))
        .map(Json)
        .map_err(|problem| Refusal::problem(problem, lang))
}

fn look_up(book: &DsnBook, account: Option<&str>, server: Option<&str>) -> Result<Dsn, Problem> {
    let account = match account.unwrap_or("app") {
        "app" => &book.app,
        "owner" => &book.owner,
        "monitor" => &book.monitor,
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
    // An account that only monitors reads no schema.
    let schema = if account.user == book.monitor.user { String::new() } else { book.schema.clone() };
    let (writer_host, writer_port) = server.is_none().then(|| book.writer.clone()).unzip();
    let url = address(&host, port, account, &schema);
    let writer_url = server.is_none().then(|| address(&book.writer.0, book.writer.1, account, &schema));
    Ok(Dsn { host, port, user, password, schema, url, writer_host, writer_port, writer_url })
}

/// Returns the address in the form that client libraries read. Names and passwords are generated by Cordée, but
/// are encoded all the same.
fn address(host: &str, port: u16, account: &Credential, schema: &str) -> String {
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    let [user, password, schema] = [account.user.as_str(), account.password.as_str(), schema].map(encoded);
    format!("mysql://{user}:{password}@{host}:{port}/{schema}")
}

/// Encodes everything but letters, digits and `-._~` as `%XX`.
pub(super) fn encoded(text: &str) -> String {
    use std::fmt::Write as _;
    text.bytes().fold(String::new(), |mut all, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            all.push(char::from(byte));
        } else {
            let _ = write!(all, "%{byte:02X}");
        }
        all
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_holds_whatever_a_host_and_a_password_are() {
        let account = Credential { user: "site_app".to_owned(), password: "a/b@c:d%é".to_owned() };
        assert_eq!(
            address("::1", 3307, &account, "site"),
            "mysql://site_app:a%2Fb%40c%3Ad%25%C3%A9@[::1]:3307/site"
        );
        assert_eq!(
            address("127.0.0.1", 3308, &account, ""),
            "mysql://site_app:a%2Fb%40c%3Ad%25%C3%A9@127.0.0.1:3308/"
        );
    }
}
