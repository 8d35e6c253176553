//! `GET` and `POST /login`, `POST /logout`.

use askama::Template;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use cordee_domain::problem::Problem;
use cordee_domain::text;
use serde::Deserialize;

use super::shorten;
use crate::store::{Account, SignIn, StoreError};
use crate::web::App;
use crate::web::error::Refusal;
use crate::web::page::{Page, Place, Visit, show};
use crate::web::read::Form;
use crate::web::session::{Peer, cookie, cookie_name, set_cookie};

#[derive(Template)]
#[template(path = "login.html")]
struct Login {
    p: Page,
    name: String,
    wrong: Option<String>,
}

/// What the form sends.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Typed {
    name: String,
    password: String,
}

/// Tries are counted by address: by account, a stranger could keep its owner out.
pub(super) fn key(peer: Option<Extension<Peer>>) -> String {
    peer.map_or_else(|| "unknown".to_owned(), |Extension(Peer(ip))| ip.to_string())
}

/// The answer to too many tries.
pub(super) fn wait(visit: &Visit, app: &App, seconds: u64) -> Response {
    let problem = Problem::invalid("", text!("problem-too-many", seconds = seconds));
    let mut response = visit.refuse(app, StatusCode::TOO_MANY_REQUESTS, problem);
    response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    response
}

/// Starts a session and leads to the dashboard.
pub(super) fn enter(app: &App, sign_in: &SignIn) -> Response {
    ([(header::SET_COOKIE, set_cookie(app, &sign_in.0))], Redirect::to("/")).into_response()
}

/// Shows the form.
pub(super) async fn page(visit: Visit, State(app): State<App>) -> Response {
    if visit.person.is_some() {
        return Redirect::to("/").into_response();
    }
    let store = app.store.clone();
    match app.blocking(move || store.has_account()).await {
        Ok(true) => {}
        Ok(false) => return Redirect::to("/setup").into_response(),
        Err(error) => return visit.refusal(&app, Refusal::store(&error, visit.lang)),
    }
    let p = visit.page(&app, Place::Other);
    show(StatusCode::OK, &Login { p, name: String::new(), wrong: None })
}

/// Signs in.
pub(super) async fn submit(
    visit: Visit,
    State(app): State<App>,
    peer: Option<Extension<Peer>>,
    Form(typed): Form<Typed>,
) -> Response {
    let key = key(peer);
    if let Some(seconds) = app.limiter.wait(&key) {
        return wait(&visit, &app, seconds);
    }
    let name = typed.name.trim().to_owned();
    let (store, account) = (app.store.clone(), name.clone());
    let signed = app.blocking(move || -> Result<Option<SignIn>, StoreError> {
        if store.password_matches(&account, &typed.password)? {
            return store.sign_in(&Account(account)).map(Some);
        }
        Ok(None)
    });
    match signed.await {
        Ok(Some(sign_in)) => enter(&app, &sign_in),
        Ok(None) => {
            app.limiter.note(&key);
            let wrong = Some(visit.lang.say(&text!("problem-password")));
            let p = visit.page(&app, Place::Other);
            show(StatusCode::UNPROCESSABLE_ENTITY, &Login { p, name: shorten(&name), wrong })
        }
        Err(error) => visit.refusal(&app, Refusal::store(&error, visit.lang)),
    }
}

/// Signs out.
pub(super) async fn leave(visit: Visit, State(app): State<App>, headers: HeaderMap) -> Response {
    if let Some(secret) = cookie(&headers, &cookie_name(&app)).map(str::to_owned) {
        let store = app.store.clone();
        if let Err(error) = app.blocking(move || store.sign_out(&secret)).await {
            return visit.refusal(&app, Refusal::store(&error, visit.lang));
        }
    }
    ([(header::SET_COOKIE, set_cookie(&app, ""))], Redirect::to("/login")).into_response()
}
