//! A logical copy: `mariadb-dump` reads one of our databases, `mariadb` writes somebody else's. The octets go through
//! here, so that they are counted and the copy ends with Cordée.

use std::path::Path;
use std::process::{Command, Stdio};

use cordee_domain::text;
use cordee_domain::text::Text;

use super::backup::{Watch, as_user, pipe};
use crate::paths::User;

/// The two ends of a copy. The files hold passwords: only `user` reads them.
#[derive(Clone, Copy, Debug)]
pub struct Ends<'a> {
    /// Leads to the database that is copied.
    pub from: &'a Path,
    /// Leads to the database that gets the copy.
    pub into: &'a Path,
    /// What both programs say.
    pub log: &'a Path,
    /// As whom they run.
    pub user: Option<User>,
}

/// Whether both programs are here.
pub fn here() -> bool {
    ["/usr/bin/mariadb-dump", "/usr/bin/mariadb"].iter().all(|program| Path::new(program).exists())
}

/// Copies those schemas at one moment of the donor's, without holding up anybody. What is written is not logged there, on
/// any connection of the client's: it is refused before anything is sent if that cannot be had. Gives the GTID position of
/// that moment, of the domains in the donor's log.
pub fn copy(ends: &Ends<'_>, schemas: &[String], watch: &Watch<'_>) -> Result<String, Text> {
    let failed = |_| text!("copy-failed");
    let mut reader = as_user(Command::new("/usr/bin/mariadb-dump"), ends.user, ends.log).map_err(failed)?;
    reader
        .arg(format!("--defaults-file={}", ends.from.display()))
        .args(["--single-transaction", "--master-data=2", "--gtid", "--hex-blob", "--routines", "--triggers"])
        .args(["--max-allowed-packet=1G", "--databases", "--"])
        .args(schemas);
    let mut writer = as_user(Command::new("/usr/bin/mariadb"), ends.user, ends.log).map_err(failed)?;
    writer
        .arg(format!("--defaults-file={}", ends.into.display()))
        .args(["--batch", "--binary-mode", "--skip-reconnect", "--local-infile=0", "--max-allowed-packet=1G"])
        .arg("--init-command=SET SESSION sql_log_bin=0")
        .stdout(Stdio::null());
    let tail = pipe(reader, writer, watch)?;
    position(&String::from_utf8_lossy(&tail)).ok_or_else(|| text!("copy-no-position"))
}

/// The position stands near the end, in a comment; the last one counts (10.11.19: text of the tables comes before it).
fn position(tail: &str) -> Option<String> {
    let text = tail.lines().rev().find_map(|l| l.strip_prefix("-- SET GLOBAL gtid_slave_pos='"))?;
    text.strip_suffix("';").map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_position_counts() {
        let tail = "x\n-- SET GLOBAL gtid_slave_pos='9-9-9';\nx\n-- SET GLOBAL gtid_slave_pos='1-1-5,2-2-7';\n-- Dump completed\n";
        assert_eq!(position(tail).as_deref(), Some("1-1-5,2-2-7"));
        assert_eq!(position("-- Dump completed"), None);
    }
}
