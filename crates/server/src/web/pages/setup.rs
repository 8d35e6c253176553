//! `GET` and `POST /setup`: the first account, created by somebody who can read the setup code on this machine.

use std::path::Path;

use askama::Template;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use cordee_domain::guesses::Who;
use cordee_domain::problem::Problem;
use cordee_domain::text;
use cordee_node::vault::plain_text;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::login::{enter, wait};
use super::shorten;
use super::wrong::Wrong;
use crate::store::{Arrival, SignIn, StoreError};
use crate::web::App;
use crate::web::error::Refusal;
use crate::web::packing::Unpacked;
use crate::web::page::{NavItem, Page, Visit, show};
use crate::web::password::unfit;
use crate::web::read::Form;
use crate::web::session::{Peer, Turn, arrival, origin};

#[derive(Template)]
#[template(path = "setup.html")]
struct Setup {
    p: Page,
    code: String,
    name: String,
    errors: Wrong,
}

impl Setup {
    fn error(&self, field: &str) -> Option<&str> {
        self.errors.at(field)
    }

    fn focus(&self, field: &str) -> bool {
        self.errors.focus(&["code", "name", "password"]) == field
    }
}

/// The fields of the form.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Typed {
    code: String,
    name: String,
    password: String,
    proof: String,
    browser: String,
}

/// Shows the form, until there is an account.
pub(super) async fn page(visit: Visit, State(app): State<App>) -> Response {
    let store = app.store.clone();
    match app.blocking(move || store.has_account()).await {
        Ok(false) => {
            let p = visit.page(&app, NavItem::Other);
            let setup = Setup { p, code: String::new(), name: String::new(), errors: Wrong::default() };
            show(StatusCode::OK, &setup)
        }
        Ok(true) => Redirect::to("/login").into_response(),
        Err(error) => visit.refusal(&app, Refusal::store(&error, visit.lang)),
    }
}

/// Creates the first account.
pub(super) async fn submit(
    visit: Visit,
    State(app): State<App>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
    Form(typed): Form<Typed>,
) -> Response {
    let store = app.store.clone();
    match app.blocking(move || store.has_account()).await {
        Ok(false) => {}
        Ok(true) => return Redirect::to("/login").into_response(),
        Err(error) => return visit.refusal(&app, Refusal::store(&error, visit.lang)),
    }
    let mut problems = refusals(&typed);
    // A valid code is never delayed by other clients' tries: 128 bits cannot be guessed, so the limit protects
    // only against the load.
    let peer = peer.map(|Extension(p)| p);
    let tried = app.limiter.reserve(Who::Secret(origin(peer)));
    let (file, code) = (app.setup_code.clone(), typed.code.clone());
    match (app.blocking(move || code_matches(&file, &code)).await, tried) {
        (true, Ok(tried)) => app.limiter.right(&tried),
        (true, Err(_)) => {}
        (false, Err(seconds)) => return wait(&visit, &app, seconds),
        (false, Ok(_)) => problems.insert(0, Problem::invalid("code", text!("problem-code"))),
    }
    if !problems.is_empty() {
        let errors = Wrong::of(&problems, visit.lang);
        let (code, name) = (shorten(&typed.code), shorten(&typed.name));
        let setup = Setup { p: visit.page(&app, NavItem::Other), code, name, errors };
        // The code may be the right one.
        return (Unpacked, show(StatusCode::UNPROCESSABLE_ENTITY, &setup)).into_response();
    }
    let turn = match app.limiter.turn(true).await {
        Ok(turn) => turn,
        Err(seconds) => return wait(&visit, &app, seconds),
    };
    let (proof, from) = (typed.proof.clone(), arrival(&headers, peer, &typed.browser));
    match create(&app, typed, turn, from).await {
        Ok(Some(session)) => enter(&app, &session, &proof, "/").await,
        Ok(None) => Redirect::to("/login").into_response(),
        Err(error) => visit.refusal(&app, Refusal::store(&error, visit.lang)),
    }
}

fn refusals(typed: &Typed) -> Vec<Problem> {
    let mut problems = Vec::new();
    let name = typed.name.trim();
    if name.is_empty() || name.chars().count() > 64 || name.chars().any(char::is_control) {
        problems.push(Problem::invalid("name", text!("problem-account-name")));
    }
    problems.extend(unfit("password", &typed.password));
    problems
}

async fn create(app: &App, typed: Typed, turn: Turn, from: Arrival) -> Result<Option<SignIn>, StoreError> {
    let (store, file) = (app.store.clone(), app.setup_code.clone());
    app.blocking(move || {
        let _turn = turn;
        let session = store.set_up(typed.name.trim(), &typed.password, &from)?;
        // The code works once: its file is removed. If that fails, the account alone keeps the setup page closed.
        if session.is_some()
            && let Err(error) = std::fs::remove_file(file.as_path())
        {
            tracing::warn!(error = &error as &dyn std::error::Error, "setup code file");
        }
        Ok(session)
    })
    .await
}

/// Compares digests byte by byte to the end, so that the time tells nothing about the code.
fn code_matches(file: &Path, typed: &str) -> bool {
    let Ok(code) = plain_text(file) else { return false };
    let digest = |text: &str| Sha256::digest(text.trim().to_ascii_uppercase().as_bytes());
    let different = digest(&code).iter().zip(digest(typed).iter()).fold(0, |all, (a, b)| all | (a ^ b));
    different == 0 && !code.trim().is_empty()
}
