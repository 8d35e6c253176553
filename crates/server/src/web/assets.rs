//! Style sheet, shapes and script, embedded. Their address holds a hash of all of them, so that a browser may
//! keep them for good and yet never mixes two versions.

use std::fmt::Write as _;
use std::sync::OnceLock;

use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use rust_embed::RustEmbed;
use sha2::{Digest as _, Sha256};

#[derive(RustEmbed)]
#[folder = "../../web"]
struct Files;

const FOR_GOOD: &str = "public, max-age=31536000, immutable";

/// The folder in which the page finds them: `/assets/{hash}`.
pub fn root() -> &'static str {
    static ROOT: OnceLock<String> = OnceLock::new();
    ROOT.get_or_init(|| format!("/assets/{}", hash()))
}

fn hash() -> String {
    let mut names: Vec<_> = Files::iter().collect();
    names.sort();
    let mut all = Sha256::new();
    for name in names {
        all.update(name.as_bytes());
        if let Some(file) = Files::get(&name) {
            all.update(file.metadata.sha256_hash());
        }
    }
    all.finalize().iter().take(6).fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// `GET /assets/{hash}/{file}`
pub async fn file(Path((version, name)): Path<(String, String)>) -> Response {
    let Some(file) = Files::get(&name) else { return StatusCode::NOT_FOUND.into_response() };
    // A page of another version asks for its own files; it gets ours, but must not keep them under its name.
    let current = root().ends_with(&version);
    let keep = if current { FOR_GOOD } else { "no-cache" };
    let kind = format!("{}; charset=utf-8", file.metadata.mimetype());
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, keep.to_owned())], file.data).into_response()
}
