//! `GET /pools/db/servers/{name}/repair/{take}` asks before rows that differ are put right, `POST` does it.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use cordee_domain::db::verify::Side;
use cordee_domain::ids::PoolId;
use cordee_domain::problem::Problem;
use cordee_domain::snapshot::Action;
use cordee_domain::text;

use super::act::ask_first;
use super::tools::unanswered;
use super::{Target, done, target};
use crate::web::App;
use crate::web::error::Refusal;
use crate::web::page::Member;
use crate::web::read::Path;
use crate::web::view::repairing;

/// The database and the side, where something is to be put right.
fn chosen(app: &App, name: &str, take: &str) -> Result<(Target, Side), Problem> {
    let target = target(app, PoolId::Db.as_str(), name)?;
    let side = Side::parse(take)?;
    if target.view.as_ref().is_some_and(|v| v.actions.contains(&Action::Repair)) {
        return Ok((target, side));
    }
    Err(Problem::conflict("name", text!("problem-repair", name = target.server.name.as_str())))
}

/// Asks.
pub(super) async fn ask(
    Member(visit): Member,
    State(app): State<App>,
    Path((name, take)): Path<(String, String)>,
) -> Response {
    let question = |(target, side): (Target, Side)| {
        repairing(&app.board.snapshot(), &target.server.name, side, visit.lang)
    };
    ask_first(&visit, &app, chosen(&app, &name, &take).map(question))
}

/// Does it, soon.
pub(super) async fn submit(
    Member(visit): Member,
    State(app): State<App>,
    Path((name, take)): Path<(String, String)>,
) -> Response {
    let (target, side) = match chosen(&app, &name, &take) {
        Ok(chosen) => chosen,
        Err(problem) => return visit.refusal(&app, Refusal::problem(problem, visit.lang)),
    };
    let (name, id) = (target.server.name, target.server.id);
    match app.repair(visit.actor(), (name.clone(), id), side).await {
        Ok(true) => done(&visit, StatusCode::ACCEPTED, &text!("repair-asked", name = name.as_str()), None),
        Ok(false) => unanswered(&visit, &app),
        Err(error) => visit.refusal(&app, Refusal::commit(error, visit.lang)),
    }
}
