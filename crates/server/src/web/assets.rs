//! Style sheet, icons and script, embedded. Their address contains a hash of all of them, so that a browser may
//! keep them for ever and yet never mixes two versions.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::OnceLock;

use axum::body::Bytes;
use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use flate2::Compression;
use flate2::write::GzEncoder;
use rust_embed::RustEmbed;
use sha2::{Digest as _, Sha256};

use super::packing::unpacks;

#[derive(RustEmbed)]
#[folder = "../../web"]
struct Files;

const FOR_GOOD: &str = "public, max-age=31536000, immutable";

/// Returns the folder in which the page finds them: `/assets/{hash}`.
pub fn root() -> &'static str {
    static ROOT: OnceLock<String> = OnceLock::new();
    ROOT.get_or_init(|| format!("/assets/{}", hash()))
}

/// Returns the hash in that address, with which a script tells which files it came with.
pub fn version() -> &'static str {
    root().trim_start_matches("/assets/")
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

/// Returns each file compressed, once and with the best compression.
fn packed() -> &'static BTreeMap<String, Bytes> {
    static PACKED: OnceLock<BTreeMap<String, Bytes>> = OnceLock::new();
    PACKED.get_or_init(|| {
        let pack = |name: Cow<'static, str>| {
            let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
            gzip.write_all(&Files::get(&name)?.data).ok()?;
            Some((name.into_owned(), gzip.finish().ok()?.into()))
        };
        Files::iter().filter_map(pack).collect()
    })
}

/// `GET /assets/{hash}/{file}`
pub async fn file(Path((asked, name)): Path<(String, String)>, headers: HeaderMap) -> Response {
    let Some(file) = Files::get(&name) else { return StatusCode::NOT_FOUND.into_response() };
    // A page of another version asks for its own files; it gets ours, but must not cache them under that address.
    let keep = if asked == version() { FOR_GOOD } else { "no-cache" };
    let kind = format!("{}; charset=utf-8", file.metadata.mimetype());
    let known = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, keep.to_owned()),
        (header::VARY, "accept-encoding".to_owned()),
    ];
    match packed().get(&name).filter(|_| unpacks(&headers)) {
        Some(packed) => (known, [(header::CONTENT_ENCODING, "gzip")], packed.clone()).into_response(),
        None => (known, file.data).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_packed_and_smaller() {
        for name in Files::iter() {
            let (packed, whole) =
                (packed().get(&*name).expect("packed").len(), Files::get(&name).expect("a file").data.len());
            assert!(packed < whole, "{name}: {packed} of {whole}");
        }
    }
}
