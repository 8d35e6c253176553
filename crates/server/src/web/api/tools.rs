//! The tools: reload, refresh, clean, history.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use cordee_api::tools::{CleanJson, HistoryJson, LeftoverJson, RoutingJson, SessionJson};
use cordee_api::wishes::Done;
use cordee_api::words::PoolWord;
use cordee_api::words::WaitText;
use cordee_domain::desired::Routing;
use cordee_domain::ids::PoolId;
use cordee_domain::problem::Problem;
use cordee_domain::sessions::Mode;
use cordee_domain::text;

use super::answers::{Asks, Contradicts, Wished};
use super::input::{Body, LAST_ID, PoolPath, ProxyPath, QueryFields, one_word};
use super::view::{self};
use super::wishes::Wait;
use super::{act_on, carry_out, question};
use crate::board::{Ask, Leftover};
use crate::control::Effect;
use crate::control::act::{Act, Consent};
use crate::web::App;
use crate::web::error::Refusal;
use crate::web::session::{Caller, Language};
use crate::words::Lang;

/// Journal lines in one answer, when the client gives no number.
const HISTORY: u32 = 100;

#[utoipa::path(post, path = "/api/v1/proxies/{proxy}/reload", tag = "tools", operation_id = "reload_proxy",
    summary = "Reload an HAProxy",
    params(("proxy" = PoolWord, Path, description = "`web` or `db`"),
        ("wait" = Option<WaitText>, Query, description = "answer when it is real, at most so long: `30s`")),
    responses(Wished))]
pub(super) async fn reload(
    caller: Caller,
    Language(lang): Language,
    State(app): State<App>,
    ProxyPath(proxy): ProxyPath,
    wait: Wait,
) -> Result<(StatusCode, Json<Done>), Refusal> {
    act_on(&app, Act::Reload(proxy), &Consent::NONE, caller, wait, lang).await
}

#[utoipa::path(put, path = "/api/v1/pools/db/routing", tag = "servers", operation_id = "set_routing",
    summary = "Which databases take writes",
    description = "`one-writer` (default): one, the others follow it. `all-writers`: all in turn; of two \
        changes to the same row within the delay between the databases, one can be lost without an error.",
    params(("wait" = Option<WaitText>, Query, description = "answer when it is real, at most so long: `30s`")),
    request_body = RoutingJson,
    responses(Wished))]
pub(super) async fn routing(
    caller: Caller,
    Language(lang): Language,
    State(app): State<App>,
    PoolPath(pool): PoolPath,
    wait: Wait,
    Body(members): Body,
) -> Result<(StatusCode, Json<Done>), Refusal> {
    if pool != PoolId::Db {
        return Err(Refusal::problem(Problem::conflict("pool", text!("problem-routing-pool")), lang));
    }
    let routing = one_word(members, "routing", Routing::parse, lang)?;
    act_on(&app, Act::SetRouting(routing), &Consent::NONE, caller, wait, lang).await
}

#[utoipa::path(put, path = "/api/v1/pools/web/session", tag = "servers", operation_id = "set_session",
    summary = "Where the visitors' sessions are kept",
    description = "`proxy` (default): in files of each web server, HAProxy's cookie leads each visitor back to theirs. \
        `database`: in a table, any web server answers. Sessions are not carried over.",
    params(("wait" = Option<WaitText>, Query, description = "answer when it is real, at most so long: `30s`")),
    request_body = SessionJson,
    responses(Wished))]
pub(super) async fn session(
    caller: Caller,
    Language(lang): Language,
    State(app): State<App>,
    PoolPath(pool): PoolPath,
    wait: Wait,
    Body(members): Body,
) -> Result<(StatusCode, Json<Done>), Refusal> {
    if pool != PoolId::Web {
        return Err(Refusal::problem(Problem::conflict("pool", text!("problem-session-pool")), lang));
    }
    let mode = one_word(members, "mode", Mode::parse, lang)?;
    act_on(&app, Act::SetSession(mode), &Consent::NONE, caller, wait, lang).await
}

#[utoipa::path(post, path = "/api/v1/refresh", tag = "tools", operation_id = "refresh",
    summary = "Look at everything now",
    description = "Answers when every look is done.",
    responses((status = 202, description = "Every look is done.", body = Done), Asks))]
pub(super) async fn refresh(
    _: Caller,
    Language(lang): Language,
    State(app): State<App>,
) -> Result<(StatusCode, Json<Done>), Refusal> {
    question(&app, lang, Ask::Refresh).await?;
    let done = Done::at(app.board.desired().revision, lang.say(&text!("api-refreshed")));
    Ok((StatusCode::ACCEPTED, Json(done)))
}

#[utoipa::path(post, path = "/api/v1/clean", tag = "tools", operation_id = "clean",
    summary = "Remove what no wish explains",
    description = "Lists it only, unless `apply=true`.",
    params(("apply" = Option<bool>, Query, description = "remove it")),
    responses((status = 200, description = "What is there, or was.", body = CleanJson), Contradicts, Asks))]
pub(super) async fn clean(
    caller: Caller,
    Language(lang): Language,
    State(app): State<App>,
    asked: QueryFields,
) -> Result<Json<CleanJson>, Refusal> {
    let apply = asked.flag("apply").map_err(|p| Refusal::problem(p, lang))?;
    let found = if apply {
        match carry_out(&app, Act::Clean, &Consent::NONE, caller, Wait::NOT, lang).await?.effect {
            Effect::Cleaned(gone) => gone,
            _ => return Err(Refusal::unanswered(lang)),
        }
    } else {
        app.control().leftovers().await.map_err(|declined| Refusal::declined(declined, lang))?
    };
    let told = |all: Vec<Leftover>| all.into_iter().map(|one| leftover(one, lang)).collect();
    Ok(Json(CleanJson { applied: apply, items: told(found.items), foreign: told(found.foreign) }))
}

fn leftover(item: Leftover, lang: Lang) -> LeftoverJson {
    LeftoverJson { path: item.path, why: lang.say(&item.why), bytes: item.bytes }
}

#[utoipa::path(get, path = "/api/v1/history", tag = "state", operation_id = "get_history",
    summary = "The journal, newest first",
    params(
        ("before" = Option<u64>, Query, maximum = 9_007_199_254_740_992_u64,
            description = "only lines with a smaller id"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 500, description = "1 to 500; 100 when absent")),
    responses((status = 200, description = "The lines.", body = HistoryJson)))]
pub(super) async fn history(
    _: Caller,
    Language(lang): Language,
    State(app): State<App>,
    asked: QueryFields,
) -> Result<Json<HistoryJson>, Refusal> {
    let before = asked.number("before", 0..=LAST_ID).map_err(|p| Refusal::problem(p, lang))?;
    let limit = asked.number("limit", 1..=500_u32).map_err(|p| Refusal::problem(p, lang))?;
    let (store, limit) = (app.store.clone(), limit.unwrap_or(HISTORY));
    let lines = app
        .blocking(move || store.events_before(before.unwrap_or(LAST_ID), limit))
        .await
        .map_err(|e| Refusal::store(&e, lang))?;
    let full = lines.len() >= usize::try_from(limit).unwrap_or(usize::MAX);
    let next = lines.last().map(|l| l.id).filter(|_| full);
    Ok(Json(HistoryJson { events: lines.iter().map(|l| view::event(l, lang)).collect(), next }))
}
