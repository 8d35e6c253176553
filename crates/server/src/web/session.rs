//! Who is asking: a person with a cookie, a program with a token, or the owner of the machine on the socket.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Mutex;

use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use cordee_domain::ids::Millis;
use cordee_domain::problem::Problem;
use cordee_domain::text;

use super::App;
use super::error::Refusal;
use crate::clock::now;
use crate::over;
use crate::words::Lang;

/// Set as a request extension by the listener on the unix socket, whose peer's uid was checked.
#[derive(Clone, Copy, Debug)]
pub struct Local;

/// Set as a request extension by the TCP listener: where the connection comes from.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub IpAddr);

/// Whoever is allowed to ask, by the name that stands in the journal. Rejects with 401 in the API's form.
#[derive(Clone, Debug)]
pub struct Caller(pub String);

/// A person signed in by cookie. Rejects by leading to the sign-in page (or setup page, at first).
#[derive(Clone, Debug)]
pub struct Person(pub String);

/// The reader's language: the `lang` cookie, else the browser's wish.
#[derive(Clone, Copy, Debug)]
pub struct Language(pub Lang);

/// The theme cookie: `light`, `dark`, or nothing for the system's.
#[derive(Clone, Copy, Debug)]
pub struct Theme(pub Option<&'static str>);

/// The name of the session cookie.
pub fn cookie_name(app: &App) -> String {
    format!("cordee_{}", app.cluster)
}

/// A cookie's value from the request.
pub fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
}

/// The `Set-Cookie` value that starts a session; with an empty secret, the one that ends it.
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
        let bearer = parts
            .headers
            .get(header::AUTHORIZATION)
            .and_then(|v| v.to_str().ok())
            .and_then(|v| v.strip_prefix("Bearer "));
        if let Some(token) = bearer {
            let (store, token) = (app.store.clone(), token.to_owned());
            let found = app.blocking(move || store.token(&token)).await;
            match found {
                Ok(Some(name)) => return Ok(Self(format!("token:{}", name.0))),
                Ok(None) => {}
                Err(error) => return Err(Refusal::store(&error, lang)),
            }
        } else if let Some(person) =
            person(&parts.headers, app).await.map_err(|e| Refusal::store(&e, lang))?
        {
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
        if let Some(person) = person(&parts.headers, app).await.map_err(refuse)? {
            return Ok(Self(person));
        }
        let store = app.store.clone();
        let has_account = app.blocking(move || store.has_account()).await.map_err(refuse)?;
        let to = if has_account { "/login" } else { "/setup" };
        Err(Redirect::to(to).into_response())
    }
}

async fn person(headers: &HeaderMap, app: &App) -> Result<Option<String>, crate::store::StoreError> {
    let Some(secret) = cookie(headers, &cookie_name(app)).map(str::to_owned) else { return Ok(None) };
    let store = app.store.clone();
    Ok(app.blocking(move || store.session(&secret)).await?.map(|a| a.0))
}

/// The reader's language.
pub fn language(headers: &HeaderMap) -> Lang {
    cookie(headers, "lang").and_then(Lang::parse).unwrap_or_else(|| {
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
        Ok(Self(match cookie(&parts.headers, "theme") {
            Some("light") => Some("light"),
            Some("dark") => Some("dark"),
            _ => None,
        }))
    }
}

/// Refuses a state change that another site's page sends with the person's cookie.
///
/// `Sec-Fetch-Site: same-origin` passes; without that header (old browsers, programs) the `Origin` must be
/// this very host *and port*: cookies and `SameSite` ignore ports. A request with a token carries no cookie.
pub async fn same_origin(request: Request, next: Next) -> Response {
    let headers = request.headers();
    let safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if safe || request.extensions().get::<Local>().is_some() || headers.contains_key(header::AUTHORIZATION) {
        return next.run(request).await;
    }
    let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
    let allowed = match (text("sec-fetch-site"), text("origin")) {
        (Some(from), _) => matches!(from, "same-origin" | "none"),
        (None, Some(origin)) => {
            let host = text("host").unwrap_or("");
            origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://")) == Some(host)
        }
        // Neither header: not a browser of the last ten years, so no cookie was added behind a person's back.
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

/// Counts wrong passwords and codes: five in a minute per address, then a pause. Slows guessing without
/// letting a stranger lock anybody out for good.
#[derive(Debug, Default)]
pub struct Limiter {
    wrong: Mutex<BTreeMap<String, Vec<Millis>>>,
}

const WINDOW_MS: u64 = 60_000;
const TRIES: usize = 5;
/// Addresses remembered at once; above it, the oldest ones are forgotten.
const KEYS: usize = 4_096;

impl Limiter {
    /// Seconds to wait before `key` may try again; `None` when it may now.
    pub fn wait(&self, key: &str) -> Option<u64> {
        let wrong = over::hold(&self.wrong);
        let recent: Vec<Millis> =
            wrong.get(key)?.iter().copied().filter(|t| now().saturating_sub(*t) < WINDOW_MS).collect();
        if recent.len() < TRIES {
            return None;
        }
        let first = recent.first().copied().unwrap_or_else(now);
        Some((first + WINDOW_MS).saturating_sub(now()).div_ceil(1_000).max(1))
    }

    /// Notes a wrong try.
    pub fn note(&self, key: &str) {
        let mut wrong = over::hold(&self.wrong);
        if wrong.len() >= KEYS {
            wrong.retain(|_, times| times.last().is_some_and(|t| now().saturating_sub(*t) < WINDOW_MS));
        }
        let times = wrong.entry(key.to_owned()).or_default();
        times.retain(|t| now().saturating_sub(*t) < WINDOW_MS);
        times.push(now());
        times.truncate(TRIES);
    }
}
