//! A logical copy: `mariadb-dump` reads one of our databases, `mariadb` writes into a database that existed
//! already. The octets pass through this process, so that they are counted and the copy ends when Cordée ends.

use std::path::Path;
use std::process::{Command, Stdio};

use cordee_domain::db::verify::TableName;
use cordee_domain::fault::{Cause, Fault};
use cordee_domain::text;

use super::backup::{Lines, Mend, Watch, as_user, pipe};
use crate::users::User;

/// The two ends of a copy. The option files hold passwords: only `user` may read them.
#[derive(Clone, Copy, Debug)]
pub struct Ends<'a> {
    /// The option file for the database that is copied.
    pub from: &'a Path,
    /// The option file for the database that gets the copy.
    pub into: &'a Path,
    /// The log of both programs.
    pub log: &'a Path,
    /// The user that runs both programs.
    pub user: Option<User>,
}

/// Reports whether both programs are installed.
pub fn here() -> bool {
    ["/usr/bin/mariadb-dump", "/usr/bin/mariadb"].iter().all(|program| Path::new(program).exists())
}

/// How the dump begins, and what replaces it: otherwise a date that was stored with `ALLOW_INVALID_DATES` would
/// silently become a zero date.
const MODES: Mend = Mend {
    from: "SQL_MODE='NO_AUTO_VALUE_ON_ZERO'",
    to: "SQL_MODE='NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES'",
};

/// The first statement on the target. Nothing is logged. Rows that a later check constraint forbids are accepted,
/// and so are tables with wider rows than new tables may have.
const FIRST: &str = "SET SESSION sql_log_bin=0, check_constraint_checks=0, innodb_strict_mode=0";

/// What is copied.
#[derive(Clone, Copy, Debug)]
pub struct What<'a> {
    /// The schemas.
    pub schemas: &'a [String],
    /// Views that are left out, because they exist on the target already.
    pub but: &'a [TableName],
    /// Whether there are scheduled events to copy.
    pub events: bool,
}

/// Copies those schemas as of one moment of the donor's, without blocking any session. The target does not log what
/// is written, on any connection of the client program; if logging cannot be switched off, the copy is refused
/// before anything is sent. Returns the GTID position of that moment, for the domains in the donor's log.
pub fn copy(ends: &Ends<'_>, what: &What<'_>, watch: &Watch<'_>) -> Result<String, Fault> {
    let lines = Lines::of(ends.log);
    let failed = |error: std::io::Error| Fault::Copy(Cause::of(&error));
    let mut reader = as_user(Command::new("/usr/bin/mariadb-dump"), ends.user, ends.log).map_err(failed)?;
    reader
        .arg(format!("--defaults-file={}", ends.from.display()))
        .args(["--single-transaction", "--master-data=2", "--gtid", "--hex-blob", "--routines", "--triggers"])
        // A sequence that is a column's default is not locked together with its table. The history of versioned
        // rows is data.
        .args([
            "--skip-add-locks",
            "--dump-history",
            "--default-character-set=utf8mb4",
            "--max-allowed-packet=1G",
        ])
        .args(what.events.then_some("--events"))
        .args(what.but.iter().map(|view| format!("--ignore-table={}.{}", view.schema, view.table)))
        .args(["--databases", "--"])
        .args(what.schemas);
    let mut writer = as_user(Command::new("/usr/bin/mariadb"), ends.user, ends.log).map_err(failed)?;
    writer
        .arg(format!("--defaults-file={}", ends.into.display()))
        .args(["--batch", "--binary-mode", "--skip-reconnect", "--local-infile=0", "--max-allowed-packet=1G"])
        .arg(format!("--init-command={FIRST}"))
        .stdout(Stdio::null());
    let tail = pipe(reader, writer, Some(MODES), watch).map_err(|why| lines.explain(why))?;
    position(&String::from_utf8_lossy(&tail)).ok_or_else(|| text!("copy-no-position").into())
}

/// Finds the position near the end, in a comment. The last one counts, because text of the tables precedes it
/// (10.11.19).
fn position(tail: &str) -> Option<String> {
    let text = tail.lines().rev().find_map(|l| l.strip_prefix("-- SET GLOBAL gtid_slave_pos='"))?;
    text.strip_suffix("';").map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_position_counts() {
        let tail = "x\n-- SET GLOBAL gtid_slave_pos='9-9-9';\nx\n-- SET GLOBAL gtid_slave_pos='1-1-5,2-2-7';\n\
            -- Dump completed\n";
        assert_eq!(position(tail).as_deref(), Some("1-1-5,2-2-7"));
        assert_eq!(position("-- Dump completed"), None);
    }
}
