//! What a person does to one server: at once (drain, maintenance, back in service, start), or after a question
//! (restart, stop, remove).

use askama::Template;
use axum::Form as Body;
use axum::extract::rejection::FormRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use cordee_domain::change::Change;
use cordee_domain::desired::{Admin, Power};
use cordee_domain::problem::Problem;
use cordee_domain::text;
use serde::Deserialize;

use super::{Target, done, target};
use crate::store::CommitError;
use crate::web::App;
use crate::web::error::Refusal;
use crate::web::page::{Member, Page, Place, Visit, show};
use crate::web::view::{Question, Risk, is_last, question};

#[derive(Template)]
#[template(path = "confirm.html")]
struct Confirm {
    p: Page,
    q: Question,
    typed: String,
    wrong_name: Option<String>,
    wrong_tick: Option<String>,
}

/// What the question's form sends.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Typed {
    confirm: String,
    know: String,
}

fn risk(word: &str) -> Option<Risk> {
    match word {
        "restart" => Some(Risk::Restart),
        "stop" => Some(Risk::Stop),
        "remove" => Some(Risk::Remove),
        _ => None,
    }
}

fn change(target: &Target, word: &str) -> Option<Change> {
    let (pool, name) = (target.pool, target.server.name.clone());
    Some(match word {
        "drain" => Change::SetAdmin { pool, name, admin: Admin::Drain },
        "maintenance" => Change::SetAdmin { pool, name, admin: Admin::Maintenance },
        "ready" => Change::SetAdmin { pool, name, admin: Admin::Ready },
        "start" => Change::SetPower { pool, name, power: Power::On },
        "stop" => Change::SetPower { pool, name, power: Power::Off },
        "restart" => Change::Restart { pool, name },
        "remove" => Change::RemoveServer { pool, name },
        _ => return None,
    })
}

/// Where the form of the inverse goes, for the acts that are done at once.
fn inverse(target: &Target, word: &str) -> Option<String> {
    let back = match (word, target.server.admin) {
        ("drain" | "maintenance" | "ready", Admin::Ready) => "ready",
        ("drain" | "maintenance" | "ready", Admin::Drain) => "drain",
        ("drain" | "maintenance" | "ready", Admin::Maintenance) => "maintenance",
        _ => return None,
    };
    Some(format!("/pools/{}/servers/{}/{back}", target.pool, target.server.name))
}

/// Asks before a server is restarted, stopped or removed.
pub(super) async fn ask(
    Member(visit): Member,
    State(app): State<App>,
    Path((pool, name, word)): Path<(String, String, String)>,
) -> Response {
    let target = match target(&app, &pool, &name) {
        Ok(target) => target,
        Err(problem) => return visit.refusal(&app, Refusal::problem(problem, visit.lang)),
    };
    let (Some(risk), Some(view)) = (risk(&word), target.view) else {
        return visit.missing(&app, text!("message-no-page"));
    };
    let q = question(&app.board.snapshot(), &view, risk, visit.lang);
    if visit.script {
        return axum::Json(q).into_response();
    }
    let p = visit.page(&app, Place::Board);
    show(StatusCode::OK, &Confirm { p, q, typed: String::new(), wrong_name: None, wrong_tick: None })
}

/// Does it.
pub(super) async fn submit(
    Member(visit): Member,
    State(app): State<App>,
    Path((pool, name, word)): Path<(String, String, String)>,
    typed: Result<Body<Typed>, FormRejection>,
) -> Response {
    let target = match target(&app, &pool, &name) {
        Ok(target) => target,
        Err(problem) => return visit.refusal(&app, Refusal::problem(problem, visit.lang)),
    };
    let Some(change) = change(&target, &word) else {
        return visit.missing(&app, text!("message-no-page"));
    };
    // Most acts need no field, so a request without any is as good.
    let typed = typed.map(|Body(typed)| typed).unwrap_or_default();
    if let Some(refused) = insist(&visit, &app, &target, &word, &typed) {
        return refused;
    }
    match app.commit(change.clone(), visit.actor()).await {
        Ok(_) => done(&visit, StatusCode::OK, &change.sentence(), inverse(&target, &word)),
        Err(error) => visit.refusal(&app, Refusal::commit(error, visit.lang)),
    }
}

/// The last web server that serves goes only when its name was typed and the consequence ticked.
fn insist(visit: &Visit, app: &App, target: &Target, word: &str, typed: &Typed) -> Option<Response> {
    let (risk, view) = (risk(word)?, target.view.as_ref()?);
    let snapshot = app.board.snapshot();
    if !is_last(&snapshot, view, risk) {
        return None;
    }
    let mut problems = Vec::new();
    if typed.confirm.trim() != view.name.as_str() {
        problems.push(Problem::invalid("confirm", text!("problem-confirm-name", name = view.name.as_str())));
    }
    if typed.know != "on" {
        problems.push(Problem::invalid("know", text!("problem-confirm-tick")));
    }
    if problems.is_empty() {
        return None;
    }
    if visit.script {
        return Some(Refusal::commit(CommitError::Refused(problems), visit.lang).into_response());
    }
    let at = |field: &str| problems.iter().find(|p| p.field == field).map(|p| visit.lang.say(&p.text));
    let page = Confirm {
        p: visit.page(app, Place::Board),
        q: question(&snapshot, view, risk, visit.lang),
        typed: super::shorten(&typed.confirm),
        wrong_name: at("confirm"),
        wrong_tick: at("know"),
    };
    Some(show(StatusCode::UNPROCESSABLE_ENTITY, &page))
}
