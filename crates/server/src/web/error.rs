//! Refusals as answers: RFC 9457 problems for programs. Pages show their problems at the fields.

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use cordee_api::problem::{FieldError, ProblemBody};
use cordee_domain::problem::{Kind, Problem};
use cordee_domain::text;

use crate::control::Declined;
use crate::store::{CommitError, StoreError, store_failed};
use crate::words::Lang;

/// A refusal, with the language of its sentences.
#[derive(Debug)]
pub struct Refusal {
    /// HTTP status.
    pub status: StatusCode,
    /// The reasons.
    pub problems: Vec<Problem>,
    /// The reader's language.
    pub lang: Lang,
}

/// Returns the status of a form that is shown again for these reasons: with a problem at a field the form itself
/// is wrong; otherwise the first problem decides.
pub fn form_status(problems: &[Problem]) -> StatusCode {
    let at_field = problems.iter().any(|p| !p.field.is_empty());
    if at_field { StatusCode::UNPROCESSABLE_ENTITY } else { status(problems) }
}

/// Returns the status of a refusal for these reasons: that of the first one.
pub fn status(problems: &[Problem]) -> StatusCode {
    match problems.first().map_or(Kind::Invalid, |p| p.kind) {
        Kind::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
        Kind::Unknown => StatusCode::NOT_FOUND,
        Kind::Conflict => StatusCode::CONFLICT,
    }
}

impl Refusal {
    /// Makes a refusal from the reason why an act was declined.
    pub fn declined(declined: Declined, lang: Lang) -> Self {
        match declined {
            Declined::Refused(problems) | Declined::Unready(problems) => {
                Self::commit(CommitError::Refused(problems), lang)
            }
            Declined::Store(error) => Self::store(&error, lang),
            Declined::Stopping => Self::unavailable(lang),
            Declined::Unanswered => Self::unanswered(lang),
            Declined::Slow(seconds) => Self::slow(seconds, lang),
        }
    }

    /// Makes a refusal from an error of a commit.
    pub fn commit(error: CommitError, lang: Lang) -> Self {
        match error {
            CommitError::Refused(problems) => Self { status: status(&problems), problems, lang },
            CommitError::Store(error) => Self::store(&error, lang),
        }
    }

    /// Makes a refusal from one problem.
    pub fn problem(problem: Problem, lang: Lang) -> Self {
        Self::commit(CommitError::Refused(vec![problem]), lang)
    }

    /// The store failed: logged here, and told without detail.
    pub fn store(error: &StoreError, lang: Lang) -> Self {
        Self {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            problems: vec![Problem::invalid("", store_failed(error))],
            lang,
        }
    }

    /// There were too many tries; `seconds` until the next one.
    pub fn too_many(seconds: u64, lang: Lang) -> Self {
        Self {
            status: StatusCode::TOO_MANY_REQUESTS,
            problems: vec![Problem::invalid("", text!("problem-too-many", seconds = seconds))],
            lang,
        }
    }

    /// A question was not answered in time.
    pub fn slow(seconds: u64, lang: Lang) -> Self {
        Self {
            status: StatusCode::GATEWAY_TIMEOUT,
            problems: vec![Problem::invalid("", text!("problem-engine-slow", seconds = seconds))],
            lang,
        }
    }

    /// What was asked for may have been done: no answer came.
    pub fn unanswered(lang: Lang) -> Self {
        Self {
            status: StatusCode::GATEWAY_TIMEOUT,
            problems: vec![Problem::invalid("", text!("problem-unanswered"))],
            lang,
        }
    }

    /// The engine is stopping.
    pub fn unavailable(lang: Lang) -> Self {
        Self {
            status: StatusCode::SERVICE_UNAVAILABLE,
            problems: vec![Problem::invalid("", text!("problem-stopping"))],
            lang,
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let errors: Vec<FieldError> = self
            .problems
            .iter()
            .map(|p| FieldError { field: p.field.clone(), detail: self.lang.say(&p.text) })
            .collect();
        let body = ProblemBody {
            r#type: "about:blank".to_owned(),
            title: self.status.canonical_reason().unwrap_or("Error").to_owned(),
            status: self.status.as_u16(),
            detail: errors.first().map(|e| e.detail.clone()).unwrap_or_default(),
            errors,
        };
        (self.status, [(header::CONTENT_TYPE, "application/problem+json")], Json(body)).into_response()
    }
}
