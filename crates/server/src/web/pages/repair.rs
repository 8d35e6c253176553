//! `GET /pools/db/servers/{name}/repair/{take}` asks before rows that differ are repaired, `POST` repairs them.

use axum::extract::State;
use axum::response::Response;
use cordee_domain::actions::Action;
use cordee_domain::db::verify::Side;
use cordee_domain::ids::PoolId;
use cordee_domain::problem::Problem;
use cordee_domain::text;

use super::act::{Meant, ask_first};
use super::{NamedServer, act_with, named, target};
use crate::control::act::Act;
use crate::web::App;
use crate::web::page::Member;
use crate::web::read::{Path, Query};
use crate::web::view::{Question, repairing};

/// Returns the database and the side, when there is something to repair: otherwise there is nothing to ask about.
fn chosen(app: &App, name: &str, take: &str) -> Result<(NamedServer, Side), Problem> {
    let target = target(app, PoolId::Db.as_str(), name)?;
    let side = Side::parse(take)?;
    if target.view.as_ref().is_some_and(|v| v.actions.contains(&Action::Repair)) {
        return Ok((target, side));
    }
    Err(Problem::conflict("name", text!("problem-repair", name = target.server.name.as_str())))
}

/// Shows the question.
pub(super) async fn ask(
    Member(visit): Member,
    State(app): State<App>,
    Path((name, take)): Path<(String, String)>,
) -> Response {
    // The answer goes to the very database that the question was about.
    let question = |(target, side): (NamedServer, Side)| {
        let question = repairing(&app.board.snapshot(), &target.server.name, side, visit.lang);
        Question { action: format!("{}?id={}", question.action, target.server.id), ..question }
    };
    ask_first(&visit, &app, chosen(&app, &name, &take).map(question))
}

/// Asks the engine for the repair.
pub(super) async fn submit(
    Member(visit): Member,
    State(app): State<App>,
    Path((name, take)): Path<(String, String)>,
    Query(meant): Query<Meant>,
) -> Response {
    let named = named(PoolId::Db.as_str(), &name);
    let act = named.and_then(|(_, name)| Ok(Act::Repair(name, Side::parse(&take)?)));
    act_with(&app, &visit, act, &meant.consent()).await
}
