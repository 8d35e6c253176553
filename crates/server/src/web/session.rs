//! Who sends a request: a person with a cookie, a program with a token, or the owner of the machine over the
//! socket.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, MutexGuard};

use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use cordee_domain::guesses::{Guesses, Origin, Try, Who};
use cordee_domain::problem::Problem;
use cordee_domain::proof::BrowserMark;
use cordee_domain::text;
use cordee_node::clock::now;
use cordee_node::over;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::error::Refusal;
use super::{App, back};
use crate::store::{Account, Arrival, Device, SignIn};
use crate::words::Lang;

/// Set as a request extension by the listener on the unix socket, whose peer's uid was checked.
#[derive(Clone, Copy, Debug)]
pub struct Local;

/// Set as a request extension by the TCP listener: the address of the client.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub IpAddr);

/// A client that may send the request, by its name in the journal. Rejects with 401 in the API's form.
#[derive(Clone, Debug)]
pub struct Caller(pub String);

/// A person signed in by cookie. Rejects by a redirect to the sign-in page (or setup page, at first).
#[derive(Clone, Debug)]
pub struct Person(pub String);

/// What authorised a request, set as an extension of it: for streams, which last as long as it is valid.
#[derive(Clone)]
pub enum Key {
    /// A person's session.
    Session(SignIn),
    /// A program's token.
    Token(String),
}

/// The reader's language: the `cordee_lang` cookie, else the browser's preference.
#[derive(Clone, Copy, Debug)]
pub struct Language(pub Lang);

/// The theme from the `cordee_theme` cookie: `light`, `dark`, or `None` for the system's.
#[derive(Clone, Copy, Debug)]
pub struct Theme(pub Option<&'static str>);

/// Returns the name of the session cookie.
pub fn cookie_name(app: &App) -> String {
    format!("cordee_{}", app.cluster)
}

/// Returns the `Set-Cookie` value that deletes the cookie by which older versions recognised a browser: it is sent
/// to every port of the host, and is not used any more.
pub fn forget_browser(app: &App, headers: &HeaderMap) -> Option<String> {
    let name = format!("cordee_{}_browser", app.cluster);
    cookie(headers, &name).map(|_| format!("{name}=; Path=/login; HttpOnly; SameSite=Strict; Max-Age=0"))
}

/// Returns a cookie's value from the request.
pub fn cookie<'a>(headers: &'a HeaderMap, name: &'a str) -> Option<&'a str> {
    cookies(headers, name).next()
}

/// Returns all values sent under that name, in the browser's order: the one set for the longest path first.
fn cookies<'a>(headers: &'a HeaderMap, name: &'a str) -> impl Iterator<Item = &'a str> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|v| v.to_str().ok());
    all.flat_map(|v| v.split(';')).filter_map(move |pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
}

/// How many cookies with the session's name are tried.
const LOOKED_AT: usize = 8;

/// Returns the possible session secrets. A program on another port of the host can set cookies for this port too:
/// such a cookie, set for a longer path, comes first, and must not lock the person out.
pub fn sessions(app: &App, headers: &HeaderMap) -> Vec<String> {
    cookies(headers, &cookie_name(app)).take(LOOKED_AT).map(str::to_owned).collect()
}

/// Returns the `Set-Cookie` value that starts a session; with an empty secret, the one that ends it.
///
/// Not `Secure`: the page is served in plain HTTP on loopback until TLS is configured.
pub fn set_cookie(app: &App, secret: &str) -> String {
    let age = if secret.is_empty() { "; Max-Age=0" } else { "" };
    format!("{}={secret}; Path=/; HttpOnly; SameSite=Strict{age}", cookie_name(app))
}

impl FromRequestParts<App> for Caller {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        let lang = language(&parts.headers);
        if parts.extensions.get::<Local>().is_some() {
            return Ok(Self("cli".to_owned()));
        }
        if let Some(token) = bearer(&parts.headers) {
            // A valid token is never delayed by other clients' tries: a token cannot be guessed, so the limit
            // protects only against the load.
            let tried = app.limiter.reserve(Who::Secret(origin(parts.extensions.get::<Peer>().copied())));
            let (store, asked) = (app.store.clone(), token.to_owned());
            let token = asked.clone();
            let found = app.blocking(move || store.token(&asked)).await;
            match (found, tried) {
                (Ok(Some(name)), tried) => {
                    if let Ok(tried) = tried {
                        app.limiter.right(&tried);
                    }
                    parts.extensions.insert(Key::Token(token));
                    return Ok(Self(format!("token:{}", name.0)));
                }
                (Ok(None), Err(seconds)) => return Err(Refusal::too_many(seconds, lang)),
                (Ok(None), Ok(_)) => {}
                (Err(error), _) => return Err(Refusal::store(&error, lang)),
            }
        } else if let Some(person) = person(parts, app).await.map_err(|e| Refusal::store(&e, lang))? {
            return Ok(Self(person));
        }
        Err(Refusal {
            status: StatusCode::UNAUTHORIZED,
            problems: vec![Problem::invalid("", text!("problem-unauthorised"))],
            lang,
        })
    }
}

impl FromRequestParts<App> for Person {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let lang = language(&parts.headers);
        let refuse = |e: crate::store::StoreError| Refusal::store(&e, lang).into_response();
        if let Some(person) = person(parts, app).await.map_err(refuse)? {
            return Ok(Self(person));
        }
        let store = app.store.clone();
        let has_account = app.blocking(move || store.has_account()).await.map_err(refuse)?;
        let to = if has_account { back::sign_in(&parts.method, &parts.uri) } else { "/setup".to_owned() };
        Err(Redirect::to(&to).into_response())
    }
}

/// Returns the token that a program sends. With a token, a cookie authorises nothing.
pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")
}

/// Returns who is signed in. The session that authorised them is kept in the request, for `Stay`.
pub(super) async fn person(parts: &mut Parts, app: &App) -> Result<Option<String>, crate::store::StoreError> {
    let (store, shown) = (app.store.clone(), sessions(app, &parts.headers));
    let found = app.blocking(move || {
        for secret in shown {
            if let Some(account) = store.session(&secret)? {
                return Ok(Some((secret, account)));
            }
        }
        Ok::<_, crate::store::StoreError>(None)
    });
    Ok(found.await?.map(|(secret, account)| {
        parts.extensions.insert(Key::Session(SignIn(secret)));
        account.0
    }))
}

/// Returns the session that authorised the person whom [`person`] found.
pub(super) fn own_session(parts: &Parts) -> SignIn {
    match parts.extensions.get() {
        Some(Key::Session(session)) => session.clone(),
        Some(Key::Token(_)) | None => SignIn(String::new()),
    }
}

impl App {
    /// Reports whether a key is still valid. An open page keeps its session alive, up to the session's longest
    /// life: somebody who watches a cluster is not signed out when it fails. A program's stream does not count as
    /// a use of its token.
    pub async fn is_good(&self, key: Key) -> bool {
        let store = self.store.clone();
        let found = self.blocking(move || match key {
            Key::Session(SignIn(secret)) => Ok(store.session(&secret)?.is_some()),
            Key::Token(secret) => store.token_lasts(&secret),
        });
        found.await.unwrap_or(false)
    }
}

/// A person, and the session of the request.
#[derive(Clone, Debug)]
pub struct Owner {
    /// The account.
    pub account: Account,
    /// The session.
    pub session: SignIn,
}

impl FromRequestParts<App> for Owner {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let person = Person::from_request_parts(parts, app).await?;
        Ok(Self { account: Account(person.0), session: own_session(parts) })
    }
}

/// How many characters of a User-Agent are kept.
const AGENT: usize = 200;

/// Describes a browser that signs in, with the mark that its script sent to be recognised by.
pub fn arrival(headers: &HeaderMap, peer: Option<Peer>, mark: &str) -> Arrival {
    Arrival { device: device(headers, peer), mark: BrowserMark::parse(mark) }
}

/// Returns the device that sent a request, as the list of sessions shows it.
fn device(headers: &HeaderMap, peer: Option<Peer>) -> Device {
    let agent = headers.get(header::USER_AGENT).and_then(|v| v.to_str().ok()).unwrap_or_default();
    Device {
        address: peer.map(|Peer(ip)| ip.to_canonical().to_string()).unwrap_or_default(),
        agent: agent.chars().take(AGENT).collect(),
    }
}

/// Returns the reader's language.
pub fn language(headers: &HeaderMap) -> Lang {
    cookie(headers, "cordee_lang").and_then(Lang::parse).unwrap_or_else(|| {
        let accept = headers.get(header::ACCEPT_LANGUAGE).and_then(|v| v.to_str().ok());
        Lang::accepted(accept.unwrap_or(""))
    })
}

impl<S: Sync> FromRequestParts<S> for Language {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self(language(&parts.headers)))
    }
}

impl<S: Sync> FromRequestParts<S> for Theme {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self(match cookie(&parts.headers, "cordee_theme") {
            Some("light") => Some("light"),
            Some("dark") => Some("dark"),
            _ => None,
        }))
    }
}

/// Refuses a state change that another site's page sends with the person's cookie.
///
/// `Sec-Fetch-Site: same-origin` passes; without that header (old browsers, programs) the `Origin` must be
/// this very host *and port*: cookies and `SameSite` ignore ports.
pub async fn same_origin(request: Request, next: Next) -> Response {
    let headers = request.headers();
    let safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if safe || request.extensions().get::<Local>().is_some() {
        return next.run(request).await;
    }
    let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
    let allowed = match (text("sec-fetch-site"), text("origin")) {
        (Some(from), _) => matches!(from, "same-origin" | "none"),
        (None, Some(origin)) => {
            let host = text("host").unwrap_or("");
            origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://")) == Some(host)
        }
        // Neither header: not a browser of the last ten years, so no cookie was added without the person's
        // knowledge.
        (None, None) => true,
    };
    if allowed {
        return next.run(request).await;
    }
    let lang = language(headers);
    Refusal {
        status: StatusCode::FORBIDDEN,
        problems: vec![Problem::invalid("", text!("problem-other-site"))],
        lang,
    }
    .into_response()
}

/// The same for the API, where a token authorises and a cookie beside it does not. The pages accept no token:
/// there it exempts from nothing.
pub async fn same_origin_or_token(request: Request, next: Next) -> Response {
    if bearer(request.headers()).is_some() {
        return next.run(request).await;
    }
    same_origin(request, next).await
}

/// Counts tries of passwords, codes and tokens before they are made, and limits how many passwords are compared at
/// once: each takes 19 MiB.
#[derive(Debug)]
pub struct Limiter {
    guesses: Mutex<Guesses>,
    strangers: Arc<Semaphore>,
    known: Arc<Semaphore>,
    queue: Arc<Semaphore>,
}

/// Passwords compared at once for strangers; browsers that are recognised have a separate turn.
const AT_ONCE: usize = 2;
/// Strangers whose password is compared or waits for it; further ones are told to come back.
const QUEUE: usize = 16;

impl Default for Limiter {
    fn default() -> Self {
        let turns = |n| Arc::new(Semaphore::new(n));
        Self { guesses: Mutex::default(), strangers: turns(AT_ONCE), known: turns(1), queue: turns(QUEUE) }
    }
}

/// The permission to compare a password now.
#[derive(Debug)]
pub struct Turn {
    _queued: Option<OwnedSemaphorePermit>,
    _at_work: OwnedSemaphorePermit,
}

impl Limiter {
    /// Counts a try. `Err`: the seconds to wait before the next one; this one must not be made.
    pub fn reserve(&self, who: Who) -> Result<Try, u64> {
        self.guesses().reserve(who, now()).map_err(|wait| wait.div_ceil(1_000))
    }

    /// Takes back a try that was right: it does not count.
    pub fn right(&self, tried: &Try) {
        self.guesses().give_back(tried);
    }

    /// Waits for a turn to compare a password. `Err`: the seconds to wait, because too many wait already.
    pub async fn turn(&self, known: bool) -> Result<Turn, u64> {
        let queued =
            if known { None } else { Some(self.queue.clone().try_acquire_owned().map_err(|_| 2_u64)?) };
        let turns = if known { &self.known } else { &self.strangers };
        let at_work = turns.clone().acquire_owned().await.map_err(|_| 2_u64)?;
        Ok(Turn { _queued: queued, _at_work: at_work })
    }

    fn guesses(&self) -> MutexGuard<'_, Guesses> {
        over::hold(&self.guesses)
    }
}

/// Returns where a request comes from; over the socket, and in a test, this machine.
pub fn origin(peer: Option<Peer>) -> Origin {
    Origin::of(peer.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |Peer(ip)| ip))
}
