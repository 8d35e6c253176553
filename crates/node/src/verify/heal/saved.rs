//! Saves the rows of both sides in a file before they are overwritten.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use cordee_domain::db::verify::sql::Reader;
use cordee_domain::ids::ServerName;
use cordee_domain::text;
use mysql_async::Value;

use super::{Pair, Snag};

/// Saves what is about to be overwritten. A large amount takes a while, so this must not block other tasks.
pub(super) fn keep(file: &Path, reader: &Reader, on: &ServerName, pairs: &[Pair]) -> Result<(), Snag> {
    tokio::task::block_in_place(|| save(file, reader, on, pairs))
        .map_err(|_| Snag::Gone(text!("repair-not-saved")))
}

/// Returns a value as an SQL literal. Octets that are not text are encoded by our own code, because rows are locked
/// meanwhile and there may be many octets (10 MB with the driver's code: seconds).
fn literal(value: &Value) -> String {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    match value {
        Value::Bytes(octets) if std::str::from_utf8(octets).is_err() => {
            let mut text = String::from("0x");
            text.reserve(octets.len() * 2);
            for octet in octets {
                for half in [octet >> 4, octet & 15] {
                    text.push(DIGITS.get(usize::from(half)).map_or('0', |d| char::from(*d)));
                }
            }
            text
        }
        value => value.as_sql(false),
    }
}

/// Appends both versions of the rows to the file, and flushes it to the disk.
fn save(file: &Path, reader: &Reader, on: &ServerName, pairs: &[Pair]) -> std::io::Result<()> {
    if pairs.is_empty() {
        return Ok(());
    }
    if let Some(folder) = file.parent() {
        crate::files::folder(folder, 0o700, None)?;
    }
    let mut options = std::fs::OpenOptions::new();
    let mut out = options.append(true).create(true).mode(0o600).open(file)?;
    for Pair { key, ours, theirs, .. } in pairs {
        let values = |row: &Option<Vec<Value>>| {
            row.as_ref().map(|row| row.iter().map(literal).collect::<Vec<String>>())
        };
        let line = serde_json::json!({
            "table": reader.name().to_string(), "on": on.as_str(), "columns": reader.stored(), "key": key,
            "reference": values(ours), "other": values(theirs),
        });
        writeln!(out, "{line}")?;
    }
    out.sync_data()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn octets_are_written_as_they_would_be_read() {
        for octets in [&b"text 'x'"[..], b"\x00\xFF\x27\x0A", b"", b"\xE2\x82"] {
            let value = Value::Bytes(octets.to_vec());
            assert!(literal(&value).eq_ignore_ascii_case(&value.as_sql(false)), "{octets:?}");
        }
        assert_eq!(literal(&Value::Bytes(vec![0, 255])), "0x00FF");
        assert_eq!(literal(&Value::Int(-5)), "-5");
    }
}
