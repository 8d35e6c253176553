//! What a database's refusal means and what to do. It is told by the error number, because the server's words are
//! not trusted.

use cordee_domain::text;
use cordee_domain::text::Text;
use mysql_async::{DriverError, Error};

use crate::mysql::disk_full;

/// Returns a refusal as a sentence for the operator.
pub fn refusal(error: &Error) -> Text {
    match error {
        Error::Server(server) => by_number(u32::from(server.code)),
        Error::Io(_) | Error::Driver(DriverError::ConnectionClosed) => text!("test-fail-cut"),
        // No handler for local files is installed, so nothing was sent.
        Error::Driver(DriverError::LocalInfile(_)) => text!("test-fail-wants-file"),
        Error::Driver(DriverError::CleartextPluginDisabled | DriverError::MysqlOldPasswordDisabled) => {
            text!("test-fail-wants-password")
        }
        Error::Driver(DriverError::UnknownAuthPlugin { .. }) => text!("test-fail-plugin"),
        _ => text!("test-fail-protocol"),
    }
}

/// Returns the same for MariaDB's error number.
pub(super) fn by_number(code: u32) -> Text {
    match code {
        code if disk_full(code) => text!("test-fail-disk", code = code),
        1040 | 1203 | 1226 => text!("test-fail-many", code = code),
        1044 | 1142 | 1143 | 1227 => text!("test-fail-right", code = code),
        1045 | 1698 => text!("test-fail-password", code = code),
        1049 | 1146 => text!("test-fail-missing", code = code),
        1129 | 1130 => text!("test-fail-host", code = code),
        1205 | 1213 => text!("test-fail-lock", code = code),
        1290 | 1792 | 1836 => text!("test-fail-read-only", code = code),
        // 3159 is MySQL's number for a server that takes only TLS; 2026 is a client's. MariaDB 10.11 says 1045
        // (measured).
        2026 | 3159 => text!("test-fail-tls", code = code),
        _ => text!("db-error", code = code),
    }
}

/// Reports whether the database refused because it is closed to writes.
pub(super) fn closed_to_writes(error: &Error) -> bool {
    matches!(error, Error::Server(server) if matches!(server.code, 1290 | 1836))
}
