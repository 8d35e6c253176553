//! `GET /pools/db/servers/new` and `POST /pools/db/servers`: a new database, and before that the plan of how it
//! would join. `POST /pools/db/servers/{name}/verify`: a comparison of its rows.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use cordee_domain::change::RawServer;
use cordee_domain::ids::PoolId;
use cordee_domain::problem::Problem;
use serde::Deserialize;

use super::wrong::Wrong;
use super::{accepted, act_on, carry_out, named, shorten};
use crate::board::JoinPlan;
use crate::control::Declined;
use crate::control::act::{Account, Act, Consent, Newcomer};
use crate::web::App;
use crate::web::error::form_status;
use crate::web::page::{Member, NavItem, Page, Visit, show};
use crate::web::read::{self, Path, filled};
use crate::web::view::{Joining, joining};
use crate::words::Lang;

/// The fields as a browser sends them.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Typed {
    name: String,
    port: String,
}

/// The form, with what was typed and its problems.
#[derive(Debug, Default)]
pub(super) struct Form {
    pub(super) name: String,
    pub(super) port: String,
    errors: Wrong,
}

impl Form {
    fn of(raw: &RawServer, problems: &[Problem], lang: Lang) -> Self {
        // A new database has no field for its address: a problem of the address is shown at the port.
        let at = |p: &Problem| if p.field == "name" { "name" } else { "port" }.to_owned();
        let problems: Vec<Problem> = problems.iter().map(|p| Problem { field: at(p), ..p.clone() }).collect();
        let port = shorten(raw.port.as_deref().unwrap_or_default());
        Self { name: shorten(&raw.name), port, errors: Wrong::of(&problems, lang) }
    }

    /// Returns the problem of a field.
    pub(super) fn error(&self, field: &str) -> Option<&str> {
        self.errors.at(field)
    }

    /// Reports whether a field has the focus: the first wrong field, otherwise the name.
    pub(super) fn focus(&self, field: &str) -> bool {
        self.errors.focus(&["name", "port"]) == field
    }
}

#[derive(Template)]
#[template(path = "join.html")]
struct Join {
    p: Page,
    form: Form,
    plan: Joining,
}

/// Shows the form with the plan; our script gets the plan alone.
pub(super) async fn page(Member(visit): Member, State(app): State<App>) -> Response {
    let found = match plan(&app).await {
        Ok(found) => found,
        Err(declined) => return visit.declined(&app, declined),
    };
    let plan = joining(&found, &app.board.snapshot(), visit.lang);
    if visit.script {
        return axum::Json(plan).into_response();
    }
    show(StatusCode::OK, &Join { p: visit.page(&app, NavItem::Board), form: Form::default(), plan })
}

/// Returns how a database would join now, or every reason against it.
async fn plan(app: &App) -> Result<Result<JoinPlan, Vec<Problem>>, Declined> {
    match app.control().join_plan().await {
        Ok(plan) => Ok(Ok(plan)),
        Err(Declined::Unready(problems)) => Ok(Err(problems)),
        Err(declined) => Err(declined),
    }
}

/// Adds the database, or shows the form again.
pub(super) async fn submit(
    Member(visit): Member,
    State(app): State<App>,
    read::Form(typed): read::Form<Typed>,
) -> Response {
    let raw = RawServer { start: true, name: typed.name, port: filled(typed.port), ..RawServer::default() };
    let newcomer = Newcomer::Typed { pool: PoolId::Db, raw: raw.clone(), login: Account::default() };
    let (problems, found) = match carry_out(&app, &visit, Act::Add(newcomer), &Consent::NONE).await {
        Ok(told) => return accepted(&visit, &told.effect, None),
        // These problems belong to no field.
        Err(Declined::Unready(problems)) => (about_all(&problems), Some(Err(problems))),
        Err(Declined::Refused(problems)) => (at_fields(problems), None),
        Err(declined) => return visit.declined(&app, declined),
    };
    if visit.script {
        return visit.declined(&app, Declined::Refused(problems));
    }
    let found = match found {
        Some(found) => found,
        None => match plan(&app).await {
            Ok(found) => found,
            // The form cannot be shown again, but the refusal can.
            Err(_) => return visit.declined(&app, Declined::Refused(problems)),
        },
    };
    again(&visit, &app, &found, &raw, &problems)
}

fn about_all(problems: &[Problem]) -> Vec<Problem> {
    problems.iter().map(|p| Problem { field: String::new(), ..p.clone() }).collect()
}

/// A new database has no field for its address: a problem of the address is shown at the port.
fn at_fields(problems: Vec<Problem>) -> Vec<Problem> {
    let at = |field: String| if field == "address" { "port".to_owned() } else { field };
    problems.into_iter().map(|p| Problem { field: at(p.field), ..p }).collect()
}

fn again(
    visit: &Visit,
    app: &App,
    found: &Result<JoinPlan, Vec<Problem>>,
    raw: &RawServer,
    problems: &[Problem],
) -> Response {
    let plan = joining(found, &app.board.snapshot(), visit.lang);
    let form = Form::of(raw, problems, visit.lang);
    let p = visit.page(app, NavItem::Board);
    show(form_status(problems), &Join { p, form, plan })
}

/// Asks for a comparison; its result is shown in the journal and in the status.
pub(super) async fn verify(
    Member(visit): Member,
    State(app): State<App>,
    Path(name): Path<String>,
) -> Response {
    let act = named(PoolId::Db.as_str(), &name).map(|(_, name)| Act::Verify(name));
    act_on(&app, &visit, act).await
}
