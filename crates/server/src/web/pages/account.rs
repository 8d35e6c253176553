//! What a person finds behind their name: their password, their sessions, the tokens of their programs.

use askama::Template;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use cordee_domain::problem::Problem;
use cordee_domain::text;
use cordee_node::clock::now;
use serde::Deserialize;

use super::act::ask_first;
use super::login::wait;
use super::shorten;
use super::wrong::Wrong;
use crate::store::{self, Changed, CommitError, SignIn};
use crate::web::App;
use crate::web::api::input::is_token_name;
use crate::web::api::tokens::{make, take_back};
use crate::web::error::Refusal;
use crate::web::packing::Unpacked;
use crate::web::page::{Member, NavItem, Page, Visit, show};
use crate::web::password::{self, Doubt, not_present};
use crate::web::proof::{bind, insider};
use crate::web::read::{Form, Path};
use crate::web::session::{Owner, Peer, arrival, set_cookie};
use crate::web::view::Question;
use crate::web::view::visitors::{Moment, moment};

#[derive(Template)]
#[template(path = "password.html")]
struct Password {
    p: Page,
    errors: Wrong,
    /// The password was changed just now.
    changed: bool,
}

impl Password {
    fn error(&self, field: &str) -> Option<&str> {
        self.errors.at(field)
    }

    fn focus(&self, field: &str) -> bool {
        self.errors.focus(&["present", "new", "again"]) == field
    }
}

/// The fields of the form for a new password.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct NewPassword {
    present: String,
    new: String,
    again: String,
    proof: String,
    browser: String,
}

/// Shows the form.
pub(super) async fn password(Member(visit): Member, State(app): State<App>) -> Response {
    let p = visit.page(&app, NavItem::Other);
    show(StatusCode::OK, &Password { p, errors: Wrong::default(), changed: false })
}

/// Changes the password. Every session ends; the browser that sent the form gets a new one.
pub(super) async fn change(
    Member(visit): Member,
    owner: Owner,
    State(app): State<App>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
    Form(typed): Form<NewPassword>,
) -> Response {
    let peer = peer.map(|Extension(p)| p);
    let mut problems: Vec<Problem> = password::unfit("new", &typed.new).into_iter().collect();
    if typed.new != typed.again {
        problems.push(Problem::invalid("again", text!("problem-password-again")));
    }
    let refused = |problems: &[Problem]| {
        let (p, errors) = (visit.page(&app, NavItem::Other), Wrong::of(problems, visit.lang));
        show(StatusCode::UNPROCESSABLE_ENTITY, &Password { p, errors, changed: false })
    };
    // A password that would be refused anyway does not cost a try.
    if !problems.is_empty() {
        return refused(&problems);
    }
    let insider = match insider(&app, &owner.account, &owner.session, &typed.proof).await {
        Ok(insider) => insider,
        Err(error) => return visit.refusal(&app, Refusal::store(&error, visit.lang)),
    };
    let proven = match password::present(&app, &owner.account, typed.present, insider).await {
        Ok(proven) => proven,
        Err(Doubt::Wrong) => return refused(&[not_present("present")]),
        Err(other) => return doubted(&visit, &app, other),
    };
    let here = Some(arrival(&headers, peer, &typed.browser));
    match password::change(&app, &owner.account, typed.new, Some(proven), here, visit.actor()).await {
        Ok(Changed::Done(Some(anew))) => {
            bind(&app, &anew, &typed.proof).await;
            changed(&visit, &app, &anew)
        }
        Ok(Changed::Done(None)) => Redirect::to("/login").into_response(),
        Ok(Changed::Stale) => refused(&[not_present("present")]),
        Err(error) => visit.refusal(&app, Refusal::store(&error, visit.lang)),
    }
}

/// Confirms the change, in the browser that gets a new session.
fn changed(visit: &Visit, app: &App, anew: &SignIn) -> Response {
    let p = visit.page(app, NavItem::Other);
    let page = show(StatusCode::OK, &Password { p, errors: Wrong::default(), changed: true });
    ([(header::SET_COOKIE, set_cookie(app, &anew.0))], page).into_response()
}

/// Answers a present password that was not compared, or could not be.
fn doubted(visit: &Visit, app: &App, doubt: Doubt) -> Response {
    match doubt {
        Doubt::Wait(seconds) => wait(visit, app, seconds),
        Doubt::Store(error) => visit.refusal(app, Refusal::store(&error, visit.lang)),
        Doubt::Wrong => visit.refuse(app, StatusCode::UNPROCESSABLE_ENTITY, not_present("password")),
    }
}

#[derive(Template)]
#[template(path = "sessions.html")]
struct Sessions {
    p: Page,
    rows: Vec<SessionRow>,
}

impl Sessions {
    /// Reports whether there is a session besides the reader's own.
    fn others(&self) -> bool {
        self.rows.iter().any(|row| !row.own)
    }
}

/// One session, in words.
struct SessionRow {
    id: String,
    agent: String,
    address: String,
    created: Moment,
    seen: Moment,
    own: bool,
}

/// Shows in which browsers the person is signed in.
pub(super) async fn sessions(Member(visit): Member, owner: Owner, State(app): State<App>) -> Response {
    let store = app.store.clone();
    let read = app.blocking(move || store.sessions(&owner.account, &owner.session.0)).await;
    let all = match read {
        Ok(all) => all,
        Err(error) => return visit.refusal(&app, Refusal::store(&error, visit.lang)),
    };
    let unknown = visit.lang.tr("session-unknown");
    let said = |text: String| if text.is_empty() { unknown.clone() } else { text };
    let rows = all
        .into_iter()
        .map(|s: store::Session| SessionRow {
            id: s.id,
            agent: said(s.device.agent),
            address: said(s.device.address),
            created: moment(s.created),
            seen: moment(s.seen),
            own: s.own,
        })
        .collect();
    show(StatusCode::OK, &Sessions { p: visit.page(&app, NavItem::Other), rows })
}

/// Ends one session.
pub(super) async fn end_session(
    Member(visit): Member,
    owner: Owner,
    State(app): State<App>,
    Path(id): Path<String>,
) -> Response {
    end(&visit, &app, owner, Some(id)).await
}

/// Ends all sessions except the one that asks.
pub(super) async fn end_others(Member(visit): Member, owner: Owner, State(app): State<App>) -> Response {
    end(&visit, &app, owner, None).await
}

async fn end(visit: &Visit, app: &App, owner: Owner, id: Option<String>) -> Response {
    let (store, actor) = (app.store.clone(), visit.actor());
    let ended = app
        .blocking(move || store.end_sessions(&owner.account, id.as_deref(), &owner.session.0, &actor))
        .await;
    match ended {
        Ok(_) => Redirect::to("/account/sessions").into_response(),
        Err(error) => visit.refusal(app, Refusal::store(&error, visit.lang)),
    }
}

#[derive(Template)]
#[template(path = "tokens.html")]
struct Tokens {
    p: Page,
    rows: Vec<TokenRow>,
    name: String,
    days: String,
    errors: Wrong,
    /// Name and secret of the token that was created just now.
    made: Option<(String, String)>,
}

impl Tokens {
    fn error(&self, field: &str) -> Option<&str> {
        self.errors.at(field)
    }
}

/// One token, in words.
struct TokenRow {
    name: String,
    created: Moment,
    used: Option<Moment>,
    expires: Option<Moment>,
    expired: bool,
}

/// The fields of the form for a new token.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct NewToken {
    name: String,
    days: String,
    password: String,
    proof: String,
}

/// Shows the tokens, with the problems of a new token or its secret.
async fn list(
    visit: &Visit,
    app: &App,
    status: StatusCode,
    typed: &NewToken,
    errors: Wrong,
    made: Option<(String, String)>,
) -> Response {
    let store = app.store.clone();
    let all = match app.blocking(move || store.tokens()).await {
        Ok(all) => all,
        Err(error) => return visit.refusal(app, Refusal::store(&error, visit.lang)),
    };
    let rows = all
        .into_iter()
        .map(|t| TokenRow {
            name: t.name,
            created: moment(t.created),
            used: t.seen.map(moment),
            expires: t.expires.map(moment),
            expired: t.expires.is_some_and(|at| at <= now()),
        })
        .collect();
    let (name, days) = (shorten(&typed.name), shorten(&typed.days));
    show(status, &Tokens { p: visit.page(app, NavItem::Other), rows, name, days, errors, made })
}

/// Shows the tokens.
pub(super) async fn tokens(Member(visit): Member, State(app): State<App>) -> Response {
    list(&visit, &app, StatusCode::OK, &NewToken::default(), Wrong::default(), None).await
}

/// Creates a token and shows it, this once. A token outlives the session that creates it, so the password is
/// required.
pub(super) async fn make_token(
    Member(visit): Member,
    owner: Owner,
    State(app): State<App>,
    Form(mut typed): Form<NewToken>,
) -> Response {
    let refuse = StatusCode::UNPROCESSABLE_ENTITY;
    let secret = std::mem::take(&mut typed.password);
    let insider = match insider(&app, &owner.account, &owner.session, &typed.proof).await {
        Ok(insider) => insider,
        Err(error) => return visit.refusal(&app, Refusal::store(&error, visit.lang)),
    };
    let proven = match password::present(&app, &owner.account, secret, insider).await {
        Ok(proven) => proven,
        Err(Doubt::Wrong) => {
            let errors = Wrong::of(&[not_present("password")], visit.lang);
            return list(&visit, &app, refuse, &typed, errors, None).await;
        }
        Err(other) => return doubted(&visit, &app, other),
    };
    match make(&app, &typed.name, &typed.days, Some(proven), visit.actor()).await {
        Ok(made) => {
            let empty = NewToken::default();
            let page = list(&visit, &app, StatusCode::OK, &empty, Wrong::default(), Some(made)).await;
            (Unpacked, page).into_response()
        }
        Err(CommitError::Refused(problems)) => {
            let errors = Wrong::of(&problems, visit.lang);
            list(&visit, &app, refuse, &typed, errors, None).await
        }
        Err(error) => visit.refusal(&app, Refusal::commit(error, visit.lang)),
    }
}

/// Asks before a token is revoked.
pub(super) async fn ask_revoke(
    Member(visit): Member,
    State(app): State<App>,
    Path(name): Path<String>,
) -> Response {
    let store = app.store.clone();
    let read = app.blocking(move || store.tokens()).await;
    let all = match read {
        Ok(all) => all,
        Err(error) => return visit.refusal(&app, Refusal::store(&error, visit.lang)),
    };
    let found = all.into_iter().find(|t| t.name.eq_ignore_ascii_case(&name));
    let asked = found.map(|token| question(&token, visit.lang)).ok_or_else(|| {
        let name = if is_token_name(&name) { name } else { String::new() };
        Problem::unknown("name", text!("problem-token-unknown", name = name))
    });
    ask_first(&visit, &app, asked)
}

fn question(token: &store::Token, lang: crate::words::Lang) -> Question {
    let name = token.name.as_str();
    let say = |text: cordee_domain::text::Text| lang.say(&text);
    let used = match token.seen {
        Some(at) => moment(at).text,
        None => say(text!("token-never-used")),
    };
    Question {
        title: say(text!("ask-revoke", name = name)),
        lead: say(text!("ask-revoke-lead")),
        more: say(text!("ask-revoke-more")),
        facts: vec![(say(text!("token-used")), used)],
        button: say(text!("ask-revoke", name = name)),
        icon: "trash",
        action: format!("/account/tokens/{name}/revoke"),
        danger: true,
        type_name: None,
        know: String::new(),
    }
}

/// Revokes a token.
pub(super) async fn revoke(
    Member(visit): Member,
    State(app): State<App>,
    Path(name): Path<String>,
) -> Response {
    match take_back(&app, shorten(&name), visit.actor()).await {
        Ok(name) if visit.script => {
            super::done(&visit, StatusCode::OK, &text!("event-token-revoked", name = name), None)
        }
        Ok(_) => Redirect::to("/account/tokens").into_response(),
        Err(error) => visit.refusal(&app, Refusal::commit(error, visit.lang)),
    }
}
