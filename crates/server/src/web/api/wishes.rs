//! How far the realisation of a wish is, and waiting for it.

use std::time::Duration;

use axum::Json;
use axum::extract::{FromRequestParts, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use cordee_api::wishes::{WishJson, WishState};
use cordee_api::words::WaitText;
use cordee_domain::problem::Problem;
use cordee_domain::real::{LONGEST_WAIT, Real, end};
use cordee_domain::text;

use super::input::{QueryFields, RunPath, not_here};
use crate::web::App;
use crate::web::error::Refusal;
use crate::web::session::{Caller, Language, language};
use crate::words::Lang;

/// How long the caller waits: `?wait=30s`.
#[derive(Clone, Copy, Debug)]
pub struct Wait(pub Option<Duration>);

impl Wait {
    /// The caller does not wait.
    pub const NOT: Self = Self(None);
}

impl FromRequestParts<App> for Wait {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        let lang = language(&parts.headers);
        let asked = QueryFields::from_request_parts(parts, app).await?;
        asked.text("wait").map(parse).transpose().map(Self).map_err(|p| Refusal::problem(p, lang))
    }
}

/// Parses `30s`, `500ms` or `30`.
fn parse(typed: &str) -> Result<Duration, Problem> {
    let (number, unit) = match (typed.strip_suffix("ms"), typed.strip_suffix('s')) {
        (Some(number), _) => (number, 1),
        (None, Some(number)) => (number, 1_000),
        (None, None) => (typed, 1_000),
    };
    number
        .parse::<u64>()
        .ok()
        .and_then(|n| n.checked_mul(unit))
        .filter(|ms| *ms <= LONGEST_WAIT)
        .map(Duration::from_millis)
        .ok_or_else(|| Problem::invalid("wait", text!("problem-wait", seconds = LONGEST_WAIT / 1_000)))
}

/// Returns how far the realisation of a wish is, in words.
pub(super) fn say(found: &Real, lang: Lang) -> (WishState, Option<String>) {
    match found {
        Real::Yes => (WishState::Real, None),
        Real::NotYet(why) => (WishState::UnderWay, Some(lang.say(why))),
        Real::Failed(why) => (WishState::Failed, Some(lang.say(why))),
    }
}

/// Returns the status of an answer that waited: 200 only for a wish that is real.
pub(super) const fn status(state: WishState) -> StatusCode {
    match state {
        WishState::Real => StatusCode::OK,
        WishState::UnderWay | WishState::Failed => StatusCode::ACCEPTED,
    }
}

#[utoipa::path(get, path = "/api/v1/wishes/{id}", tag = "state", operation_id = "get_wish",
    summary = "How far a wish is",
    description = "With `wait` it answers as soon as the wish is real or has failed, \
        or when that time is over. Going away leaves the wish as it is.",
    params(("id" = u64, Path, description = "the `revision` that a change was answered with"),
        ("wait" = Option<WaitText>, Query, description = "`30s` or `500ms`, at most 600 s; absent: not at all")),
    responses((status = 200, description = "How far it is now.", body = WishJson)))]
pub(super) async fn show(
    _: Caller,
    Language(lang): Language,
    State(app): State<App>,
    RunPath(revision): RunPath,
    Wait(wait): Wait,
) -> Result<Json<WishJson>, Refusal> {
    let store = app.store.clone();
    let change = app.blocking(move || store.change(revision)).await.map_err(|e| Refusal::store(&e, lang))?;
    let change = change.ok_or_else(|| not_here(lang))?;
    let found = app.control().settle(&change, revision, wait.unwrap_or_default()).await;
    let (state, why) = say(&found, lang);
    let end = (state == WishState::Real).then(|| lang.say(&end(&change, &app.board.desired())));
    Ok(Json(WishJson { revision, message: lang.say(&change.sentence()), state, why, end }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_a_unit_or_is_in_seconds() {
        let ms = |typed| parse(typed).map(|d| d.as_millis()).ok();
        assert_eq!(
            [ms("30s"), ms("500ms"), ms("2"), ms("0")],
            [Some(30_000), Some(500), Some(2_000), Some(0)]
        );
        for bad in ["", "s", "-1", "1m", "601", "600001ms", "99999999999999999999", "1.5s"] {
            assert_eq!(ms(bad), None, "{bad}");
        }
    }
}
