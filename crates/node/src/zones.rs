//! The time zones that this machine knows by name.

use std::process::{Command, Stdio};

use cordee_domain::db::zones::FOLDER;
use cordee_domain::fault::Fault;
use cordee_domain::text;

use crate::users::User;

/// Returns the statements of mariadb-tzinfo-to-sql; it warns of each file that is not a time zone.
pub fn read(user: Option<User>) -> Result<String, Fault> {
    let mut command = Command::new("/usr/bin/mariadb-tzinfo-to-sql");
    command
        .arg(FOLDER)
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .current_dir("/")
        .stdin(Stdio::null())
        .stderr(Stdio::null());
    if let Some(user) = user {
        use std::os::unix::process::CommandExt as _;
        command.uid(user.uid).gid(user.gid);
    }
    let failed = || Fault::Said(text!("zones-unread", folder = FOLDER));
    match command.output() {
        Ok(output) if output.status.success() => String::from_utf8(output.stdout).map_err(|_| failed()),
        Ok(output) => {
            tracing::warn!(status = %output.status, "mariadb-tzinfo-to-sql");
            Err(failed())
        }
        Err(error) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "mariadb-tzinfo-to-sql");
            Err(failed())
        }
    }
}
