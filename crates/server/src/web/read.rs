//! Extractors for the pages. Whatever is wrong with a request is shown as a page, never as the framework's own
//! text.

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse as _, Response};
use cordee_domain::problem::Problem;
use cordee_domain::text;
use cordee_domain::text::Text;
use serde::de::DeserializeOwned;

use super::App;
use super::api::input::{BODY_DEADLINE, BODY_LIMIT};
use super::page::Visit;

/// The parameters in the address.
#[derive(Clone, Copy, Debug)]
pub struct Path<T>(pub T);

/// The query.
#[derive(Clone, Copy, Debug)]
pub struct Query<T>(pub T);

/// The fields of a form.
#[derive(Clone, Copy, Debug)]
pub struct Form<T>(pub T);

impl<T: DeserializeOwned + Send> FromRequestParts<App> for Path<T> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        match axum::extract::Path::from_request_parts(parts, app).await {
            Ok(axum::extract::Path(words)) => Ok(Self(words)),
            // A parameter that cannot be parsed counts as an unknown page.
            Err(_) => {
                Err(Visit::from_request_parts(parts, app).await?.missing(app, text!("message-no-page")))
            }
        }
    }
}

impl<T: DeserializeOwned + Send> FromRequestParts<App> for Query<T> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        match axum::extract::Query::from_request_parts(parts, app).await {
            Ok(axum::extract::Query(asked)) => Ok(Self(asked)),
            Err(error) => Err(refuse(parts, app, error.status(), text!("problem-query")).await),
        }
    }
}

impl<T: DeserializeOwned + Send> FromRequest<App> for Form<T> {
    type Rejection = Response;

    async fn from_request(request: Request, app: &App) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let copy = Request::from_parts(parts.clone(), body);
        match tokio::time::timeout(BODY_DEADLINE, axum::Form::from_request(copy, app)).await {
            Ok(Ok(axum::Form(fields))) => Ok(Self(fields)),
            Ok(Err(error)) => {
                let status = error.into_response().status();
                Err(refuse(&mut parts, app, status, text!("problem-form")).await)
            }
            Err(_) => {
                let late = StatusCode::REQUEST_TIMEOUT;
                Err(refuse(&mut parts, app, late, text!("problem-body-slow")).await)
            }
        }
    }
}

/// Reads the whole body of a form before its handler runs.
pub(super) async fn whole(parts: &mut Parts, body: Body, app: &App) -> Result<Bytes, Response> {
    match tokio::time::timeout(BODY_DEADLINE, axum::body::to_bytes(body, BODY_LIMIT)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(_)) => Err(refuse(parts, app, StatusCode::PAYLOAD_TOO_LARGE, text!("problem-form")).await),
        Err(_) => Err(refuse(parts, app, StatusCode::REQUEST_TIMEOUT, text!("problem-body-slow")).await),
    }
}

/// Returns what a person typed into a field; `None` when it was left empty: a browser sends every field.
pub fn filled(typed: String) -> Option<String> {
    Some(typed).filter(|t| !t.trim().is_empty())
}

async fn refuse(parts: &mut Parts, app: &App, status: StatusCode, text: Text) -> Response {
    match Visit::from_request_parts(parts, app).await {
        Ok(visit) => visit.refuse(app, status, Problem::invalid("", text)),
        Err(response) => response,
    }
}
