//! The comparison of ways to keep sessions: runs as they were measured, and in words.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use cordee_api::trials::{Cancelled, CellJson, RunId, TrialJson};
use cordee_domain::problem::Problem;
use cordee_domain::text;
use cordee_domain::trial::{self, Run};

use super::answers::Asks;
use super::input::RunPath;
use super::wishes::Wait;
use crate::control::Effect;
use crate::control::act::{Act, Consent};
use crate::store::{Store, StoreError};
use crate::web::App;
use crate::web::error::Refusal;
use crate::web::session::{Caller, Language};
use crate::words::Lang;

fn json(run: &Run, lang: Lang) -> TrialJson {
    TrialJson {
        id: run.id,
        actor: run.actor.clone(),
        begun: run.begun,
        ended: run.ended,
        state: (&run.end).into(),
        says: lang.say(&run.end.sentence()),
        done: run.cells.len(),
        of: trial::cells().count(),
        cells: run
            .cells
            .iter()
            .map(|c| CellJson {
                way: c.way,
                way_name: lang.say(&c.way.name()),
                experiment: c.experiment,
                experiment_name: lang.say(&c.experiment.name()),
                how: lang.say(&c.experiment.how()),
                at: c.at,
                verdict: c.measure.verdict(),
                expected: trial::expected(c.way, c.experiment),
                says: lang.say(&c.measure.sentence()),
                counted: c.measure.clone(),
            })
            .collect(),
    }
}

#[utoipa::path(get, path = "/api/v1/trials", tag = "sessions", operation_id = "list_trials",
    summary = "Runs of the comparison of sessions, newest first",
    responses((status = 200, description = "The runs.", body = Vec<TrialJson>)))]
pub(super) async fn list(
    _: Caller,
    Language(lang): Language,
    State(app): State<App>,
) -> Result<Json<Vec<TrialJson>>, Refusal> {
    read_all(&app, lang, Store::trials, json).await
}

#[utoipa::path(get, path = "/api/v1/trials/{id}", tag = "sessions", operation_id = "get_trial",
    summary = "One run, with every cell",
    params(("id" = u64, Path, description = "The run")),
    responses((status = 200, description = "The run.", body = TrialJson)))]
pub(super) async fn one(
    _: Caller,
    Language(lang): Language,
    State(app): State<App>,
    RunPath(id): RunPath,
) -> Result<Json<TrialJson>, Refusal> {
    let found = read_one(&app, lang, move |store| store.trial(id), json).await?;
    let missing = || Refusal::problem(Problem::unknown("id", text!("problem-no-trial", id = id)), lang);
    found.ok_or_else(missing)
}

#[utoipa::path(post, path = "/api/v1/trials", tag = "sessions", operation_id = "begin_trial",
    summary = "Begin a run",
    description = "On a cluster of its own, which it starts and takes away: it takes some minutes, \
        and the machine's time.",
    responses((status = 202, description = "It begins.", body = RunId), Asks))]
pub(super) async fn begin(
    caller: Caller,
    Language(lang): Language,
    State(app): State<App>,
) -> Result<(StatusCode, Json<RunId>), Refusal> {
    begin_at_desk(&app, Act::BeginTrial, caller, lang).await
}

#[utoipa::path(post, path = "/api/v1/trials/cancel", tag = "sessions", operation_id = "cancel_trial",
    summary = "Give the run up",
    responses((status = 202, description = "It is given up, if there was one.", body = Cancelled), Asks))]
pub(super) async fn cancel(
    caller: Caller,
    Language(lang): Language,
    State(app): State<App>,
) -> Result<(StatusCode, Json<Cancelled>), Refusal> {
    cancel_at_desk(&app, Act::CancelTrial, caller, lang).await
}

/// Returns all runs of a kind, in the reader's language.
pub(super) async fn read_all<R: Send + 'static, J>(
    app: &App,
    lang: Lang,
    read: impl FnOnce(&Store) -> Result<Vec<R>, StoreError> + Send + 'static,
    json: fn(&R, Lang) -> J,
) -> Result<Json<Vec<J>>, Refusal> {
    let store = app.store.clone();
    let runs = app.blocking(move || read(&store)).await.map_err(|e| Refusal::store(&e, lang))?;
    Ok(Json(runs.iter().map(|run| json(run, lang)).collect()))
}

/// Returns one run, when it exists.
pub(super) async fn read_one<R: Send + 'static, J>(
    app: &App,
    lang: Lang,
    read: impl FnOnce(&Store) -> Result<Option<R>, StoreError> + Send + 'static,
    json: fn(&R, Lang) -> J,
) -> Result<Option<Json<J>>, Refusal> {
    let store = app.store.clone();
    let found = app.blocking(move || read(&store)).await.map_err(|e| Refusal::store(&e, lang))?;
    Ok(found.map(|run| Json(json(&run, lang))))
}

/// Begins a job at a job queue.
pub(super) async fn begin_at_desk(
    app: &App,
    act: Act,
    caller: Caller,
    lang: Lang,
) -> Result<(StatusCode, Json<RunId>), Refusal> {
    match super::carry_out(app, act, &Consent::NONE, caller, Wait::NOT, lang).await?.effect {
        Effect::Begun(id) => Ok((StatusCode::ACCEPTED, Json(RunId { id }))),
        _ => Err(Refusal::unanswered(lang)),
    }
}

/// Gives up the job that is under way.
pub(super) async fn cancel_at_desk(
    app: &App,
    act: Act,
    caller: Caller,
    lang: Lang,
) -> Result<(StatusCode, Json<Cancelled>), Refusal> {
    match super::carry_out(app, act, &Consent::NONE, caller, Wait::NOT, lang).await?.effect {
        Effect::Cancelled(cancelled) => Ok((StatusCode::ACCEPTED, Json(Cancelled { cancelled }))),
        _ => Err(Refusal::unanswered(lang)),
    }
}
