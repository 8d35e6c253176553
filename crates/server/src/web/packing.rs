//! What is sent compressed: pages, style, script, JSON and tables, to readers that accept gzip.
//!
//! How well an answer compresses shows how much of it is repeated. Somebody who sees the lengths of many answers,
//! and can have words of their own put into them, can find out a secret that stands beside those words, letter by
//! letter (BREACH). So an answer that may contain both is sent uncompressed: such answers are marked where they
//! are made, and in addition no answer to a form or a change is compressed.

use std::convert::Infallible;
use std::io::Write as _;

use axum::body::{Body, Bytes, HttpBody as _, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, IntoResponseParts, Response, ResponseParts};
use flate2::Compression;
use flate2::write::GzEncoder;

/// Marks an answer that is never compressed: it contains a secret, or text from strangers beside data that is
/// confidential.
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

/// Smaller answers, in bytes, fit into one packet with their headers anyway.
const LEAST: u64 = 1_024;

/// The types that compress well. Event streams are not among them: the page's stream compresses each message by
/// itself (`flow`).
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

/// Compresses an answer that may be compressed, for a reader that accepts it.
pub async fn pack(request: Request, next: Next) -> Response {
    // The answer to a form contains what was typed, or a secret that is shown once. This rule covers every form,
    // so that a new one needs no mark.
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let unpacks = unpacks(request.headers());
    let mut response = next.run(request).await;
    if !reads || !is_packable(&response) {
        return response;
    }
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if !unpacks {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    // The body is in memory already.
    let Ok(whole) = to_bytes(body, usize::MAX).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let copy = whole.clone();
    // Compressing a table of all visitors takes a while.
    match tokio::task::spawn_blocking(move || packed(&copy)).await {
        Ok(Some(packed)) => {
            parts.headers.remove(header::CONTENT_LENGTH);
            parts.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            Response::from_parts(parts, Body::from(packed))
        }
        _ => Response::from_parts(parts, Body::from(whole)),
    }
}

fn packed(whole: &Bytes) -> Option<Vec<u8>> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(whole).ok()?;
    gzip.finish().ok()
}

/// Reports whether an answer may be compressed and is worth it. Only an answer that is complete is, so that
/// nothing has to wait.
fn is_packable(response: &Response) -> bool {
    let large = response.body().size_hint().exact().is_some_and(|octets| octets >= LEAST);
    let marked = response.extensions().get::<Unpacked>().is_some();
    large
        && !marked
        && !response.headers().contains_key(header::CONTENT_ENCODING)
        && shrinks(response.headers())
}

fn shrinks(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    KINDS.iter().any(|known| known.eq_ignore_ascii_case(kind))
}

/// Reports whether the reader accepts gzip.
pub fn unpacks(headers: &HeaderMap) -> bool {
    let all = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|v| v.to_str().ok());
    all.flat_map(|v| v.split(',')).any(|one| {
        let mut parts = one.split(';').map(str::trim);
        let gzip = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
        // "gzip;q=0" is a refusal.
        let refuses =
            |p: &str| p.strip_prefix(['q', 'Q']).and_then(|p| p.strip_prefix('=')).is_some_and(is_zero);
        gzip && !parts.any(refuses)
    })
}

fn is_zero(weight: &str) -> bool {
    weight.trim_matches(['0', '.']).is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: header::HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, value.parse().expect("a header"))])
    }

    #[test]
    fn gzip_is_sent_to_whom_it_may_be() {
        let unpacks = |accepts: &str| unpacks(&headers(header::ACCEPT_ENCODING, accepts));
        for yes in ["gzip", "gzip, deflate, br, zstd", "br;q=1.0, GZIP;q=0.5", "deflate,gzip; q=1"] {
            assert!(unpacks(yes), "{yes}");
        }
        for no in ["", "br", "identity", "gzip;q=0", "gzip;Q=0.000, br", "x-gzip", "*;q=0"] {
            assert!(!unpacks(no), "{no}");
        }
        assert!(!super::unpacks(&HeaderMap::new()));
    }

    #[test]
    fn what_is_not_known_to_shrink_is_left_alone() {
        let shrinks = |kind: &str| shrinks(&headers(header::CONTENT_TYPE, kind));
        for yes in
            ["text/html; charset=utf-8", "application/json", "TEXT/CSV; header=present", "image/svg+xml"]
        {
            assert!(shrinks(yes), "{yes}");
        }
        for no in ["text/event-stream", "image/png", "application/octet-stream", "text/htmlx", ""] {
            assert!(!shrinks(no), "{no}");
        }
        assert!(!super::shrinks(&HeaderMap::new()));
    }

    #[test]
    fn what_is_small_marked_encoded_or_not_there_yet_is_left_alone() {
        let page = |length: usize| {
            let kind = [(header::CONTENT_TYPE, "text/html")];
            (kind, "x".repeat(length)).into_response()
        };
        assert!(is_packable(&page(1_024)) && !is_packable(&page(1_023)));
        assert!(!is_packable(&(Unpacked, page(9_000)).into_response()));
        assert!(!is_packable(&([(header::CONTENT_ENCODING, "br")], page(9_000)).into_response()));
        let pieces = futures_util::stream::once(async { Ok::<_, Infallible>("x".repeat(9_000)) });
        let stream = ([(header::CONTENT_TYPE, "text/html")], Body::from_stream(pieces)).into_response();
        assert!(!is_packable(&stream));
    }
}
