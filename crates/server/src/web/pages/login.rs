//! `GET` and `POST /login`, `POST /logout`.

use askama::Template;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use cordee_domain::guesses::Who;
use cordee_domain::problem::Problem;
use cordee_domain::text;
use serde::Deserialize;

use super::shorten;
use crate::store::{Account, Arrival, SignIn, StoreError};
use crate::web::App;
use crate::web::back::{login, own};
use crate::web::error::Refusal;
use crate::web::page::{NavItem, Page, Visit, show};
use crate::web::proof::bind;
use crate::web::read::{Form, Query};
use crate::web::session::{Key, Peer, arrival, forget_browser, origin, sessions, set_cookie};

#[derive(Template)]
#[template(path = "login.html")]
struct Login {
    p: Page,
    name: String,
    wrong: Option<String>,
    /// The page to return to.
    back: String,
    /// The person is signed in, by a session that knows no secret.
    again: bool,
}

/// The page to return to, from the address.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Wanted {
    back: String,
}

/// The fields of the form.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Typed {
    name: String,
    password: String,
    proof: String,
    browser: String,
    back: String,
}

/// The longest name of an account, in characters.
const LONGEST_NAME: usize = 64;

/// Answers too many tries.
pub(super) fn wait(visit: &Visit, app: &App, seconds: u64) -> Response {
    let problem = Problem::invalid("", text!("problem-too-many", seconds = seconds));
    let mut response = visit.refuse(app, StatusCode::TOO_MANY_REQUESTS, problem);
    response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    response
}

/// Gives a browser its new session, records the script's secret for it, and redirects to the page to return to,
/// else to the dashboard.
pub(super) async fn enter(app: &App, session: &SignIn, proof: &str, back: &str) -> Response {
    bind(app, session, proof).await;
    ([(header::SET_COOKIE, set_cookie(app, &session.0))], Redirect::to(own(back))).into_response()
}

/// Shows the form. A person who is signed in sees it only when nothing can be changed with their session.
pub(super) async fn page(
    visit: Visit,
    key: Option<Extension<Key>>,
    State(app): State<App>,
    Query(wanted): Query<Wanted>,
) -> Response {
    let back = own(&wanted.back);
    if let Some(Extension(Key::Session(session))) = key {
        let store = app.store.clone();
        return match app.blocking(move || store.knows_a_secret(&session)).await {
            Ok(true) => Redirect::to(back).into_response(),
            Ok(false) => {
                let mut form = form(&visit, &app, back, String::new(), None);
                form.again = true;
                show(StatusCode::OK, &form)
            }
            Err(error) => visit.refusal(&app, Refusal::store(&error, visit.lang)),
        };
    }
    let store = app.store.clone();
    match app.blocking(move || store.has_account()).await {
        Ok(true) => {}
        Ok(false) => return Redirect::to("/setup").into_response(),
        Err(error) => return visit.refusal(&app, Refusal::store(&error, visit.lang)),
    }
    show(StatusCode::OK, &form(&visit, &app, back, String::new(), None))
}

fn form(visit: &Visit, app: &App, back: &str, name: String, wrong: Option<String>) -> Login {
    let mut p = visit.page(app, NavItem::Other);
    // The address to return to after a change of language, also on the answer to the form.
    p.here = login(back);
    // The page belongs to nobody, even when somebody is signed in by a session with which nothing can be changed.
    (p.person, p.verdict) = (None, None);
    Login { p, name, wrong, back: back.to_owned(), again: false }
}

/// Signs in. A try is counted before the password is compared.
pub(super) async fn submit(
    visit: Visit,
    State(app): State<App>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
    Form(typed): Form<Typed>,
) -> Response {
    let (name, peer) = (typed.name.trim().to_owned(), peer.map(|Extension(p)| p));
    let from = arrival(&headers, peer, &typed.browser);
    let known = match known_browser(&app, &from, &name).await {
        Ok(known) => known,
        Err(error) => return visit.refusal(&app, Refusal::store(&error, visit.lang)),
    };
    let is_known = known.is_some();
    let who = if let Some(hash) = known {
        Who::Known(hash)
    } else {
        // Compared without case, as the store compares names, so that another spelling is not another account. No
        // account has a longer name, and what is counted takes memory.
        let counted: String = name.chars().take(LONGEST_NAME).collect();
        Who::Stranger(origin(peer), counted.to_ascii_lowercase())
    };
    let tried = match app.limiter.reserve(who) {
        Ok(tried) => tried,
        Err(seconds) => return wait(&visit, &app, seconds),
    };
    let turn = match app.limiter.turn(is_known).await {
        Ok(turn) => turn,
        Err(seconds) => {
            // Nothing was compared, so the try does not count.
            app.limiter.right(&tried);
            return wait(&visit, &app, seconds);
        }
    };
    let (store, account) = (app.store.clone(), name.clone());
    let (password, replaced) = (typed.password, sessions(&app, &headers));
    let signed = app.blocking(move || -> Result<Option<SignIn>, StoreError> {
        // The turn is held until the comparison is done: a client that disconnects meanwhile does not free it.
        let _turn = turn;
        let Some(proven) = store.password_matches(&account, &password)? else { return Ok(None) };
        let entered = store.enter(&proven, &from)?;
        // A person may sign in again because somebody else, such as the owner of another port, has the previous
        // session's secret.
        replaced.iter().try_for_each(|secret| store.sign_out(secret))?;
        Ok(entered)
    });
    match signed.await {
        Ok(Some(session)) => {
            app.limiter.right(&tried);
            let mut response = enter(&app, &session, &typed.proof, &typed.back).await;
            if let Some(Ok(old)) = forget_browser(&app, &headers).map(|old| HeaderValue::from_str(&old)) {
                response.headers_mut().append(header::SET_COOKIE, old);
            }
            response
        }
        Ok(None) => {
            let wrong = Some(visit.lang.say(&text!("problem-password")));
            let page = form(&visit, &app, own(&typed.back), shorten(&name), wrong);
            show(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
        Err(error) => visit.refusal(&app, Refusal::store(&error, visit.lang)),
    }
}

/// Returns the hash of the browser's mark, when that very account signed in with it before.
async fn known_browser(app: &App, from: &Arrival, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
    let Some(mark) = from.mark.clone() else { return Ok(None) };
    let (store, account) = (app.store.clone(), Account(name.to_owned()));
    app.blocking(move || store.browser(&mark, &account)).await
}

/// Signs out.
pub(super) async fn leave(visit: Visit, State(app): State<App>, headers: HeaderMap) -> Response {
    let (store, shown) = (app.store.clone(), sessions(&app, &headers));
    let left = app.blocking(move || shown.iter().try_for_each(|secret| store.sign_out(secret)));
    if let Err(error) = left.await {
        return visit.refusal(&app, Refusal::store(&error, visit.lang));
    }
    ([(header::SET_COOKIE, set_cookie(&app, ""))], Redirect::to("/login")).into_response()
}
