//! `GET /pools/db/servers/new` and `POST /pools/db/servers`: a new database, and before that the plan of how it would
//! join. `POST /pools/db/servers/{name}/verify`: its rows are compared.

use std::time::Duration;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use cordee_domain::change::RawServer;
use cordee_domain::desired::another;
use cordee_domain::ids::PoolId;
use cordee_domain::problem::Problem;
use cordee_domain::snapshot::Action;
use cordee_domain::text;
use serde::Deserialize;

use super::tools::{unanswered, unavailable};
use super::wrong::Wrong;
use super::{add, done, shorten, target};
use crate::board::{Ask, JoinPlan};
use crate::store::CommitError;
use crate::web::App;
use crate::web::error::Refusal;
use crate::web::page::{Member, Page, Place, Visit, show};
use crate::web::read::{self, Path, filled};
use crate::web::view::{Joining, joining};
use crate::words::Lang;

/// How long the engine may take to look at what would be copied.
const PATIENCE: Duration = Duration::from_secs(15);

/// The fields as a browser sends them.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Typed {
    name: String,
    port: String,
}

/// The form, with what was typed and what is wrong with it.
#[derive(Debug, Default)]
pub(super) struct Form {
    pub(super) name: String,
    pub(super) port: String,
    errors: Wrong,
}

impl Form {
    fn of(raw: &RawServer, problems: &[Problem], lang: Lang) -> Self {
        // A new database has no field for its address: what is wrong with it is wrong with the port.
        let at = |p: &Problem| if p.field == "name" { "name" } else { "port" }.to_owned();
        let problems: Vec<Problem> = problems.iter().map(|p| Problem { field: at(p), ..p.clone() }).collect();
        let port = shorten(raw.port.as_deref().unwrap_or_default());
        Self { name: shorten(&raw.name), port, errors: Wrong::of(&problems, lang) }
    }

    /// What is wrong with a field.
    pub(super) fn error(&self, field: &str) -> Option<&str> {
        self.errors.at(field)
    }

    /// The first wrong field has the focus; without one, the name.
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

/// What the engine says of a database that would join now; `None` when it does not answer.
async fn look(app: &App) -> Option<Result<JoinPlan, Vec<Problem>>> {
    tokio::time::timeout(PATIENCE, app.board.ask(Ask::Join)).await.ok().flatten()
}

/// Shows the form with the plan; to our script, the plan alone.
pub(super) async fn page(Member(visit): Member, State(app): State<App>) -> Response {
    let Some(found) = look(&app).await else { return unavailable(&visit, &app) };
    let plan = joining(&found, &app.board.snapshot(), visit.lang);
    if visit.script {
        return axum::Json(plan).into_response();
    }
    show(StatusCode::OK, &Join { p: visit.page(&app, Place::Board), form: Form::default(), plan })
}

/// Adds the database, or shows the form again.
pub(super) async fn submit(
    Member(visit): Member,
    State(app): State<App>,
    read::Form(typed): read::Form<Typed>,
) -> Response {
    let Some(found) = look(&app).await else { return unavailable(&visit, &app) };
    let raw = RawServer { start: true, name: typed.name, port: filled(typed.port), ..RawServer::default() };
    let refused = match &found {
        Ok(_) => match add::add(&app, &visit, PoolId::Db, raw.clone()).await {
            Ok(change) => return done(&visit, StatusCode::CREATED, &change.sentence(), None),
            Err(error) => error,
        },
        // They are about no field.
        Err(problems) => CommitError::Refused(
            problems.iter().map(|p| Problem { field: String::new(), ..p.clone() }).collect(),
        ),
    };
    match refused {
        CommitError::Refused(problems) if !visit.script => again(&visit, &app, &found, &raw, &problems),
        CommitError::Refused(mut problems) => {
            for problem in &mut problems {
                if problem.field == "address" {
                    "port".clone_into(&mut problem.field);
                }
            }
            visit.refusal(&app, Refusal::commit(CommitError::Refused(problems), visit.lang))
        }
        error @ CommitError::Store(_) => visit.refusal(&app, Refusal::commit(error, visit.lang)),
    }
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
    let p = visit.page(app, Place::Board);
    show(StatusCode::UNPROCESSABLE_ENTITY, &Join { p, form, plan })
}

/// Asks for a comparison; what it finds stands in the journal and in the status.
pub(super) async fn verify(
    Member(visit): Member,
    State(app): State<App>,
    Path(name): Path<String>,
) -> Response {
    let target = match target(&app, "db", &name) {
        Ok(target) => target,
        Err(problem) => return visit.refusal(&app, Refusal::problem(problem, visit.lang)),
    };
    let (name, id) = (target.server.name, target.server.id);
    if !target.view.is_some_and(|v| v.actions.contains(&Action::Verify)) {
        let text = text!("problem-verify", name = name.as_str());
        return visit.refusal(&app, Refusal::problem(Problem::conflict("name", text), visit.lang));
    }
    let asked = app.board.ask(|reply| Ask::Compare { name: name.clone(), id, reply });
    match tokio::time::timeout(PATIENCE, asked).await {
        Ok(Some(true)) => {
            done(&visit, StatusCode::ACCEPTED, &text!("verify-asked", name = name.as_str()), None)
        }
        Ok(Some(false)) => visit.refusal(&app, Refusal::problem(another(&name), visit.lang)),
        _ => unanswered(&visit, &app),
    }
}
