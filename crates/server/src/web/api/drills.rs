//! Failover drills: as they were ordered and counted, and in words.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use cordee_api::drills::{
    DrillJson, FindingJson, OrderJson, SaidJson, SessionsJson, TallyJson, TrafficJson, WritesJson,
};
use cordee_api::trials::{Cancelled, RunId};
use cordee_domain::drill::{Drill, RawOrder, Recovery, Tally, Target, Traffic};
use cordee_domain::problem::Problem;
use cordee_domain::text;

use super::answers::Asks;
use super::input::{Body, RunPath, refused};
use super::trials::{begin_at_desk, cancel_at_desk, read_all, read_one};
use crate::control::act::Act;
use crate::store::Store;
use crate::web::App;
use crate::web::error::Refusal;
use crate::web::session::{Caller, Language};
use crate::web::view;
use crate::words::Lang;

fn tally(tally: &Tally) -> TallyJson {
    let recovery = tally.recovery();
    TallyJson {
        asked: tally.asked,
        lost: tally.lost(),
        refused: tally.refused,
        unanswered: tally.unanswered,
        lost_before: tally.lost_before,
        longest_ms: tally.longest_ms,
        recovered_ms: if let Recovery::After(ms) = recovery { Some(ms) } else { None },
        recovery: (&recovery).into(),
    }
}

fn json(drill: &Drill, lang: Lang) -> DrillJson {
    let Traffic { rate, visitors, before, held, after } = drill.order.traffic;
    let (report, page) = (&drill.report, drill.order.aim.page());
    DrillJson {
        id: drill.id,
        actor: drill.actor.clone(),
        begun: drill.begun,
        ended: drill.ended,
        state: (&drill.end).into(),
        says: lang.say(&drill.sentence()),
        title: lang.say(&drill.title()),
        target: drill.order.target.word(),
        how: drill.order.how,
        traffic: TrafficJson { rate, visitors, before, held, after },
        url: page.map(|p| p.url.to_string()),
        status: page.map(|p| p.status.number()),
        victim: match &drill.target {
            Target::Process(id) => id.to_string(),
            Target::Channel { on, .. } => on.to_string(),
        },
        struck: report.struck,
        undone_ms: report.undone_ms,
        requests: tally(&report.requests),
        sessions: SessionsJson { begun: report.sessions, lost: report.sessions_lost },
        writes: report.writes.as_ref().map(|w| WritesJson {
            tally: tally(&w.tally),
            first_ms: w.first_ms,
            vanished: w.vanished,
        }),
        said: report
            .said
            .iter()
            .map(|s| SaidJson {
                ms: s.ms,
                about: s.about.clone(),
                severity: s.severity,
                word: lang.say(&s.word),
            })
            .collect(),
        findings: view::drill::findings(drill, lang)
            .into_iter()
            .map(|f| FindingJson { name: f.name, says: f.says })
            .collect(),
    }
}

#[utoipa::path(get, path = "/api/v1/drills", tag = "drills", operation_id = "list_drills",
    summary = "Failover drills, newest first",
    responses((status = 200, description = "The drills.", body = Vec<DrillJson>)))]
pub(super) async fn list(
    _: Caller,
    Language(lang): Language,
    State(app): State<App>,
) -> Result<Json<Vec<DrillJson>>, Refusal> {
    read_all(&app, lang, Store::drills, json).await
}

#[utoipa::path(get, path = "/api/v1/drills/{id}", tag = "drills", operation_id = "get_drill",
    summary = "One drill, with its report",
    params(("id" = u64, Path, description = "The drill")),
    responses((status = 200, description = "The drill.", body = DrillJson)))]
pub(super) async fn one(
    _: Caller,
    Language(lang): Language,
    State(app): State<App>,
    RunPath(id): RunPath,
) -> Result<Json<DrillJson>, Refusal> {
    let found = read_one(&app, lang, move |store| store.drill(id), json).await?;
    let missing = || Refusal::problem(Problem::unknown("id", text!("problem-no-drill", id = id)), lang);
    found.ok_or_else(missing)
}

#[utoipa::path(post, path = "/api/v1/drills", tag = "drills", operation_id = "begin_drill",
    summary = "Begin a drill",
    description = "On the running cluster, under traffic of Cordée's own. Whatever falls is put right in the end, also \
        when the drill is given up or Cordée dies. It takes two minutes at most.",
    request_body = OrderJson,
    responses((status = 202, description = "It begins.", body = RunId), Asks))]
pub(super) async fn begin(
    caller: Caller,
    Language(lang): Language,
    State(app): State<App>,
    Body(mut members): Body,
) -> Result<(StatusCode, Json<RunId>), Refusal> {
    let raw = RawOrder {
        target: members.text("target").unwrap_or_default(),
        how: members.text("how").unwrap_or_default(),
        rate: members.figure("rate"),
        visitors: members.figure("visitors"),
        before: members.figure("before"),
        held: members.figure("held"),
        after: members.figure("after"),
        url: members.filled("url", text!("problem-drill-url")),
        status: members.figure("status"),
        confirm: members.text("confirm").unwrap_or_default(),
    };
    members.finish().map_err(|problems| refused(problems, lang))?;
    begin_at_desk(&app, Act::BeginDrill(raw), caller, lang).await
}

#[utoipa::path(post, path = "/api/v1/drills/cancel", tag = "drills", operation_id = "cancel_drill",
    summary = "Give the drill up; what fell is put right",
    responses((status = 202, description = "It is given up, if there was one.", body = Cancelled), Asks))]
pub(super) async fn cancel(
    caller: Caller,
    Language(lang): Language,
    State(app): State<App>,
) -> Result<(StatusCode, Json<Cancelled>), Refusal> {
    cancel_at_desk(&app, Act::CancelDrill, caller, lang).await
}
