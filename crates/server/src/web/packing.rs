//! What is sent compressed: pages, style, script, JSON and tables, to whoever unpacks gzip.
//!
//! How well an answer shrinks tells how much of it is said twice. Whoever sees the lengths of many answers, and has
//! words of their own put into them, finds out a secret that stands beside those words, letter by letter (BREACH). So
//! what may hold both is sent as it is: marked where it is made, and besides that whatever answers a form or a change.

use std::convert::Infallible;

use axum::extract::Request;
use axum::http::{Extensions, HeaderMap, Method, StatusCode, Version, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, IntoResponseParts, Response, ResponseParts};
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{And, Predicate as _, SizeAbove};

/// Marks an answer that is never compressed: it holds a secret, or what strangers wrote beside what is nobody else's
/// business.
#[derive(Clone, Copy, Debug)]
pub struct Unpacked;

impl IntoResponseParts for Unpacked {
    type Error = Infallible;

    fn into_response_parts(self, mut parts: ResponseParts) -> Result<ResponseParts, Infallible> {
        parts.extensions_mut().insert(self);
        Ok(parts)
    }
}

/// Marks every answer of some routes.
pub async fn never(response: Response) -> Response {
    (Unpacked, response).into_response()
}

/// Marks what does not answer a question: what was typed into a form stands in its answer, and so does what is shown
/// once. It is so for a form that somebody adds, too.
pub async fn only_what_is_read(request: Request, next: Next) -> Response {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let response = next.run(request).await;
    if reads { response } else { never(response).await }
}

/// Below that, in octets, an answer and its head go in one packet anyway.
const LEAST: u16 = 1_024;

/// What shrinks and is there as a whole. Streams of events are not in it: they must not wait for more.
const KINDS: [&str; 8] = [
    "text/html",
    "text/css",
    "text/javascript",
    "text/plain",
    "text/csv",
    "image/svg+xml",
    "application/json",
    "application/problem+json",
];

type Rule = fn(StatusCode, Version, &HeaderMap, &Extensions) -> bool;

/// Compresses what may be. It leaves alone what is encoded already.
pub fn layer() -> CompressionLayer<And<SizeAbove, Rule>> {
    let rule: Rule = |_, _, headers, marks| marks.get::<Unpacked>().is_none() && shrinks(headers);
    CompressionLayer::new().compress_when(SizeAbove::new(LEAST).and(rule))
}

fn shrinks(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    KINDS.iter().any(|known| known.eq_ignore_ascii_case(kind))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn what_is_not_known_to_shrink_is_left_alone() {
        let shrinks = |kind: &'static str| {
            shrinks(&HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(kind))]))
        };
        for yes in ["text/html; charset=utf-8", "application/json", "TEXT/CSV; header=present", "image/svg+xml"] {
            assert!(shrinks(yes), "{yes}");
        }
        for no in ["text/event-stream", "image/png", "application/octet-stream", "text/htmlx", ""] {
            assert!(!shrinks(no), "{no}");
        }
        assert!(!super::shrinks(&HeaderMap::new()));
    }
}
