//! What a person does to one server: at once (drain, maintenance, back in service, start), or after a question
//! (restart, stop, remove, promote, copy again).

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use cordee_domain::desired::Admin;
use cordee_domain::ids::{PoolId, ServerName};
use cordee_domain::problem::Problem;
use cordee_domain::text;
use serde::Deserialize;

use super::{accepted, named};
use crate::control::act::{Act, Consent, Risk, ServerAct, rows_of_web};
use crate::control::{Declined, Weighed};
use crate::web::App;
use crate::web::error::Refusal;
use crate::web::page::{Member, NavItem, Page, Visit, show};
use crate::web::read::{Form, Path, Query};
use crate::web::view::{Question, question};
use crate::words::Lang;

#[derive(Template)]
#[template(path = "confirm.html")]
struct Confirm {
    p: Page,
    q: Question,
    typed: String,
    wrong_name: Option<String>,
    wrong_tick: Option<String>,
}

impl Confirm {
    /// Makes the question, with nothing typed yet.
    fn new(p: Page, q: Question) -> Self {
        Self { p, q, typed: String::new(), wrong_name: None, wrong_tick: None }
    }
}

/// Asks before an act; our script shows the question itself.
pub(super) fn ask_first(visit: &Visit, app: &App, asked: Result<Question, Problem>) -> Response {
    match asked {
        Ok(q) if visit.script => axum::Json(q).into_response(),
        Ok(q) => show(StatusCode::OK, &Confirm::new(visit.page(app, NavItem::Board), q)),
        Err(problem) => visit.refusal(app, Refusal::problem(problem, visit.lang)),
    }
}

/// The fields of the question's form.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Typed {
    confirm: String,
    know: String,
}

/// The server that a question was about.
#[derive(Debug, Deserialize)]
pub(super) struct Meant {
    id: Option<u32>,
}

impl Meant {
    /// The confirmation of a question that asks for neither a name nor a tick.
    pub(super) const fn consent(&self) -> Consent {
        Consent::Answered { name: String::new(), know: false, about: self.id }
    }
}

/// Parses an address: which act on which server.
fn meant(pool: &str, name: &str, word: &str) -> Result<(PoolId, ServerName, Option<ServerAct>), Problem> {
    let (pool, name) = named(pool, name)?;
    Ok((pool, name, ServerAct::parse(word)))
}

/// Answers a word that is no act; a word for databases only is answered differently for a web server.
fn unknown(visit: &Visit, app: &App, (pool, name): (PoolId, &ServerName), word: &str) -> Response {
    let known = app.board.desired().pool(pool).server(name).is_some();
    if known && pool == PoolId::Web && ["verify", "repair"].contains(&word) {
        let problem = Problem::conflict("pool", rows_of_web(name));
        return visit.refusal(app, Refusal::problem(problem, visit.lang));
    }
    visit.missing(app, text!("message-no-page"))
}

/// Returns the target of the inverse's form, for the acts that are carried out at once.
fn inverse(app: &App, pool: PoolId, name: &ServerName, act: ServerAct) -> Option<String> {
    if !matches!(act, ServerAct::Drain | ServerAct::Maintenance | ServerAct::Ready) {
        return None;
    }
    let desired = app.board.desired();
    let server = desired.pool(pool).server(name)?;
    let back = match server.as_web()?.admin {
        Admin::Ready => ServerAct::Ready,
        Admin::Drain => ServerAct::Drain,
        Admin::Maintenance => ServerAct::Maintenance,
    };
    Some(format!("/pools/{pool}/servers/{}/{}", server.name, back.as_str()))
}

/// Asks before a server is restarted, stopped, removed, promoted or copied again. An act that would be refused in
/// any case is refused here.
pub(super) async fn ask(
    Member(visit): Member,
    State(app): State<App>,
    Path((pool, name, word)): Path<(String, String, String)>,
) -> Response {
    let (pool, name, act) = match meant(&pool, &name, &word) {
        Ok(meant) => meant,
        Err(problem) => return visit.refusal(&app, Refusal::problem(problem, visit.lang)),
    };
    let Some(act) = act else { return unknown(&visit, &app, (pool, &name), &word) };
    if act.risk().is_none() {
        return visit.missing(&app, text!("message-no-page"));
    }
    let weighed = match app.control().question(pool, &name, act).await {
        Ok(weighed) => weighed,
        Err(declined) => return visit.declined(&app, declined),
    };
    match asked(&weighed, act, visit.lang) {
        Some(question) => ask_first(&visit, &app, Ok(question)),
        None => visit.missing(&app, text!("message-no-page")),
    }
}

/// Returns the question. Its answer goes to the very server that the question was about: another server may come
/// under the name while the person reads.
fn asked(weighed: &Weighed, act: ServerAct, lang: Lang) -> Option<Question> {
    // Drain and maintenance are carried out at once, without a question, unless the server's name has to be typed.
    let asks = |risk: &Risk| weighed.stake.name || !matches!(risk, Risk::Drain | Risk::Maintenance);
    let risk = act.risk().filter(asks)?;
    let question = question(&weighed.picture, weighed.view()?, risk, lang);
    Some(Question { action: format!("{}?id={}", question.action, weighed.server.id), ..question })
}

/// Carries out the act.
pub(super) async fn submit(
    Member(visit): Member,
    State(app): State<App>,
    Path((pool, name, word)): Path<(String, String, String)>,
    Query(meant_by): Query<Meant>,
    typed: Result<Form<Typed>, Response>,
) -> Response {
    let (pool, name, act) = match meant(&pool, &name, &word) {
        Ok(meant) => meant,
        Err(problem) => return visit.refusal(&app, Refusal::problem(problem, visit.lang)),
    };
    let Some(act) = act else { return unknown(&visit, &app, (pool, &name), &word) };
    // Most acts need no field, so a request without any field is accepted.
    let typed = typed.map(|Form(typed)| typed).unwrap_or_default();
    let undo = inverse(&app, pool, &name, act);
    let consent =
        Consent::Answered { name: typed.confirm.clone(), know: typed.know == "on", about: meant_by.id };
    let declined = match super::carry_out(&app, &visit, Act::Server(pool, name.clone(), act), &consent).await
    {
        Ok(told) => return accepted(&visit, &told.effect, undo),
        Err(declined) => declined,
    };
    let again = match &declined {
        Declined::Refused(problems) if !visit.script && problems.iter().any(at_the_question) => {
            let weighed = app.control().question(pool, &name, act).await.ok();
            weighed.and_then(|w| asked(&w, act, visit.lang)).map(|q| (q, problems))
        }
        _ => None,
    };
    let Some((q, problems)) = again else { return visit.declined(&app, declined) };
    let at = |field: &str| problems.iter().find(|p| p.field == field).map(|p| visit.lang.say(&p.text));
    let page = Confirm {
        p: visit.page(&app, NavItem::Board),
        q,
        typed: super::shorten(&typed.confirm),
        wrong_name: at("confirm"),
        wrong_tick: at("know"),
    };
    show(StatusCode::UNPROCESSABLE_ENTITY, &page)
}

/// Reports whether the question has a field for this problem.
fn at_the_question(problem: &Problem) -> bool {
    ["confirm", "know"].contains(&problem.field.as_str())
}
