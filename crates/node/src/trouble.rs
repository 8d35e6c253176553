//! Converts a system error to a fault, by its kind: its own words name paths that mean nothing to a reader.

use std::io::{Error, ErrorKind};

use cordee_domain::fault::{Cause, Fault, Lack};
use cordee_domain::text::Text;
use rustix::io::Errno;

/// Returns the resource that Cordée itself lacks; `None` if the error is about what was looked at.
pub fn own(error: &Error) -> Option<Fault> {
    let lack = match Errno::from_raw_os_error(error.raw_os_error()?) {
        Errno::MFILE | Errno::NFILE => Lack::Descriptors,
        Errno::NOMEM => Lack::Memory,
        Errno::IO => Lack::Disk,
        _ => return None,
    };
    Some(Fault::Own(lack, Cause::of(error)))
}

/// Converts any error.
pub fn fault(error: &Error) -> Fault {
    if let Some(own) = own(error) {
        return own;
    }
    let cause = Cause::of(error);
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Fault::DiskFull(cause),
        ErrorKind::ReadOnlyFilesystem => Fault::ReadOnly(cause),
        ErrorKind::PermissionDenied => Fault::Denied(cause),
        ErrorKind::NotFound => Fault::Missing(cause),
        ErrorKind::InvalidInput | ErrorKind::NotADirectory => Fault::Foreign(cause),
        // The error of opening a link.
        _ if error.raw_os_error() == Some(Errno::LOOP.raw_os_error()) => Fault::Foreign(cause),
        kind => Fault::Io(kind.to_string(), cause),
    }
}

/// Returns the same as a sentence.
pub fn words(error: &Error) -> Text {
    fault(error).sentence()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_known_by_its_kind_and_keeps_the_system_s_words() {
        let of = |errno: Errno| fault(&errno.into());
        for errno in [Errno::MFILE, Errno::NFILE, Errno::NOMEM, Errno::IO] {
            assert!(of(errno).is_own(), "{errno:?}");
        }
        assert!(matches!(of(Errno::NOSPC), Fault::DiskFull(Some(_))));
        assert!(matches!(of(Errno::DQUOT), Fault::DiskFull(Some(_))));
        assert!(matches!(of(Errno::ROFS), Fault::ReadOnly(Some(_))));
        assert!(matches!(of(Errno::ACCESS), Fault::Denied(Some(_))));
        assert!(matches!(of(Errno::NOENT), Fault::Missing(Some(_))));
        assert!(matches!(of(Errno::LOOP), Fault::Foreign(Some(_))));
        let full = of(Errno::NOSPC);
        let cause = std::error::Error::source(&full).map(ToString::to_string);
        assert!(cause.is_some_and(|said| said.contains("os error 28")), "for the log");
    }
}
