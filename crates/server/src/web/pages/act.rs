//! What a person does to one server: at once (drain, maintenance, back in service, start), or after a question
//! (restart, stop, remove, promote, copy again).

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use cordee_domain::change::Request;
use cordee_domain::desired::{Admin, Power, another};
use cordee_domain::ids::PoolId;
use cordee_domain::problem::Problem;
use cordee_domain::snapshot::{ServerView, Snapshot};
use cordee_domain::text;
use cordee_node::clock::now;
use serde::Deserialize;

use super::{Target, done, target};
use crate::store::CommitError;
use crate::web::App;
use crate::web::api::servers::timely;
use crate::web::error::Refusal;
use crate::web::guard::idle;
use crate::web::page::{Member, Page, Place, Visit, show};
use crate::web::read::{Form, Path, Query};
use crate::web::view::{Question, Risk, insists, question, ticks};
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
    /// The question, with nothing typed yet.
    fn new(p: Page, q: Question) -> Self {
        Self { p, q, typed: String::new(), wrong_name: None, wrong_tick: None }
    }
}

/// Asks before something is done; our script shows the question itself.
pub(super) fn ask_first(visit: &Visit, app: &App, asked: Result<Question, Problem>) -> Response {
    match asked {
        Ok(q) if visit.script => axum::Json(q).into_response(),
        Ok(q) => show(StatusCode::OK, &Confirm::new(visit.page(app, Place::Board), q)),
        Err(problem) => visit.refusal(app, Refusal::problem(problem, visit.lang)),
    }
}

/// Does what is wished, with no way back offered.
pub(super) async fn wish(visit: &Visit, app: &App, change: Result<Request, Problem>) -> Response {
    let committed = match change {
        Ok(change) => app.commit(change.clone(), visit.actor()).await.map(|_| change),
        Err(problem) => Err(CommitError::Refused(vec![problem])),
    };
    match committed {
        Ok(change) => done(visit, StatusCode::OK, &change.sentence(), None),
        Err(error) => visit.refusal(app, Refusal::commit(error, visit.lang)),
    }
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
        "promote" => Some(Risk::Promote),
        "recopy" => Some(Risk::Recopy),
        "drain" => Some(Risk::Drain),
        "maintenance" => Some(Risk::Maintenance),
        "anyway" => Some(Risk::Anyway),
        _ => None,
    }
}

/// The wish. What is lost, and that nobody serves, is accepted only where that was insisted on.
fn change(target: &Target, word: &str, insisted: bool, idles: bool) -> Option<Request> {
    let (pool, name, force) = (target.pool, target.server.name.clone(), insisted || idles);
    Some(match word {
        "drain" => Request::SetAdmin { pool, name, admin: Admin::Drain, force },
        "maintenance" => Request::SetAdmin { pool, name, admin: Admin::Maintenance, force },
        "ready" => Request::SetAdmin { pool, name, admin: Admin::Ready, force },
        "start" => Request::SetPower { pool, name, power: Power::On, force },
        "stop" => Request::SetPower { pool, name, power: Power::Off, force },
        "restart" => Request::Restart { pool, name, force },
        "remove" => Request::RemoveServer { pool, name, force },
        "anyway" if pool == PoolId::Web => Request::Insist { name },
        "withdraw" if pool == PoolId::Web => Request::Withdraw { name },
        "recopy" if pool == PoolId::Db => Request::Recopy { name, id: target.server.id },
        "promote" if pool == PoolId::Db => Request::Promote { name, at: now(), accept_loss: insisted },
        _ => return None,
    })
}

/// Where the form of the inverse goes, for the acts that are done at once.
fn inverse(target: &Target, word: &str) -> Option<String> {
    let back = match (word, target.server.as_web()?.admin) {
        ("drain" | "maintenance" | "ready", Admin::Ready) => "ready",
        ("drain" | "maintenance" | "ready", Admin::Drain) => "drain",
        ("drain" | "maintenance" | "ready", Admin::Maintenance) => "maintenance",
        _ => return None,
    };
    Some(format!("/pools/{}/servers/{}/{back}", target.pool, target.server.name))
}

/// Asks before a server is restarted, stopped, removed, promoted or copied again. What would be refused anyway is
/// refused here.
pub(super) async fn ask(
    Member(visit): Member,
    State(app): State<App>,
    Path((pool, name, word)): Path<(String, String, String)>,
) -> Response {
    let target = match target(&app, &pool, &name) {
        Ok(target) => target,
        Err(problem) => return visit.refusal(&app, Refusal::problem(problem, visit.lang)),
    };
    let snapshot = app.board.snapshot_as_wished();
    let insisted = insisted(&snapshot, &target, &word).is_some();
    let idles = idle(&snapshot, target.pool, &target.server.name);
    // What is done at once when nobody misses it has no question then.
    let asks = |risk: &Risk| insisted || !matches!(risk, Risk::Drain | Risk::Maintenance);
    let (Some(risk), Some(view), Some(change)) =
        (risk(&word).filter(asks), target.view.as_ref(), change(&target, &word, insisted, idles))
    else {
        return visit.missing(&app, text!("message-no-page"));
    };
    if let Err(problem) = timely(&app, &change).await {
        return visit.refusal(&app, Refusal::problem(problem, visit.lang));
    }
    if let Err(problems) = app.board.desired().apply(&change) {
        return visit.refusal(&app, Refusal::commit(CommitError::Refused(problems), visit.lang));
    }
    ask_first(&visit, &app, Ok(asked(&snapshot, &target, view, risk, visit.lang)))
}

/// The question, whose answer goes to the very server that it was about: another one may come under the name while a
/// person reads.
fn asked(snapshot: &Snapshot, target: &Target, view: &ServerView, risk: Risk, lang: Lang) -> Question {
    let question = question(snapshot, view, risk, lang);
    Question { action: format!("{}?id={}", question.action, target.server.id), ..question }
}

/// The server that a question was about.
#[derive(Debug, Deserialize)]
pub(super) struct Meant {
    id: Option<u32>,
}

/// Does it.
pub(super) async fn submit(
    Member(visit): Member,
    State(app): State<App>,
    Path((pool, name, word)): Path<(String, String, String)>,
    Query(meant): Query<Meant>,
    typed: Result<Form<Typed>, Response>,
) -> Response {
    let target = match target(&app, &pool, &name) {
        Ok(target) => target,
        Err(problem) => return visit.refusal(&app, Refusal::problem(problem, visit.lang)),
    };
    if meant.id.is_some_and(|id| id != target.server.id) {
        return visit.refusal(&app, Refusal::problem(another(&target.server.name), visit.lang));
    }
    // Looked at once: what was insisted on and what is asked are about the same moment.
    let snapshot = app.board.snapshot_as_wished();
    let insisted = insisted(&snapshot, &target, &word).is_some();
    let idles = idle(&snapshot, target.pool, &target.server.name);
    let Some(change) = change(&target, &word, insisted, idles) else {
        return visit.missing(&app, text!("message-no-page"));
    };
    if let Err(problem) = timely(&app, &change).await {
        return visit.refusal(&app, Refusal::problem(problem, visit.lang));
    }
    // Most acts need no field, so a request without any is as good.
    let typed = typed.map(|Form(typed)| typed).unwrap_or_default();
    if let Some(refused) = insist(&visit, &app, &snapshot, &target, &word, &typed) {
        return refused;
    }
    match app.commit(change.clone(), visit.actor()).await {
        Ok(_) => done(&visit, StatusCode::OK, &change.sentence(), inverse(&target, &word)),
        Err(error) => visit.refusal(&app, Refusal::commit(error, visit.lang)),
    }
}

/// The act, when it takes the typed name.
fn insisted(snapshot: &Snapshot, target: &Target, word: &str) -> Option<Risk> {
    let (risk, view) = (risk(word)?, target.view.as_ref()?);
    insists(snapshot, view, risk).then_some(risk)
}

/// The last web server that serves goes only when its name was typed and the consequence ticked; so does the loss
/// of what a writer holds alone. For a database's data the name is enough.
fn insist(
    visit: &Visit,
    app: &App,
    snapshot: &Snapshot,
    target: &Target,
    word: &str,
    typed: &Typed,
) -> Option<Response> {
    let (risk, view) = (insisted(snapshot, target, word)?, target.view.as_ref()?);
    let mut problems = Vec::new();
    if typed.confirm.trim() != view.name.as_str() {
        problems.push(Problem::invalid("confirm", text!("problem-confirm-name", name = view.name.as_str())));
    }
    if typed.know != "on" && ticks(snapshot, view, risk) {
        let text = match risk {
            Risk::Promote => text!("problem-confirm-loss"),
            _ => text!("problem-confirm-tick"),
        };
        problems.push(Problem::invalid("know", text));
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
        q: asked(snapshot, target, view, risk, visit.lang),
        typed: super::shorten(&typed.confirm),
        wrong_name: at("confirm"),
        wrong_tick: at("know"),
    };
    Some(show(StatusCode::UNPROCESSABLE_ENTITY, &page))
}
