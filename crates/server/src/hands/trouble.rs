//! An error of the system's, in words: by its kind, because its own words name paths that mean nothing to a reader.

use std::io::{Error, ErrorKind};

use cordee_domain::text;
use cordee_domain::text::Text;
use rustix::io::Errno;

/// What Cordée itself lacks when it fails so; nothing where the error speaks of what was looked at. A key that begins with
/// `own-` is told apart by the domain: it says nothing about what could not be looked at.
pub fn own(error: &Error) -> Option<Text> {
    match Errno::from_raw_os_error(error.raw_os_error()?) {
        Errno::MFILE | Errno::NFILE => Some(text!("own-descriptors")),
        Errno::NOMEM => Some(text!("own-memory")),
        Errno::IO => Some(text!("own-io")),
        _ => None,
    }
}

/// Any error.
pub fn words(error: &Error) -> Text {
    if let Some(own) = own(error) {
        return own;
    }
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => text!("io-full"),
        ErrorKind::ReadOnlyFilesystem => text!("io-read-only"),
        ErrorKind::PermissionDenied => text!("io-denied"),
        ErrorKind::NotFound => text!("io-missing"),
        ErrorKind::InvalidInput | ErrorKind::NotADirectory => text!("io-foreign"),
        // What opening a link gives.
        _ if error.raw_os_error() == Some(Errno::LOOP.raw_os_error()) => text!("io-foreign"),
        kind => text!("io-other", kind = kind.to_string()),
    }
}
