//! A physical copy of a running MariaDB: `mariabackup` reads, `mbstream` writes, and the bytes go through here, so
//! that they are counted and the copy ends with Cordée.

use std::io::{Read as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use cordee_domain::db::Gtids;
use cordee_domain::text;
use cordee_domain::text::Text;

use rustix::process::Signal;

use super::{files, process};
use crate::paths::User;

/// What the caller lends: ears, and a way to stop.
pub struct Watch<'a> {
    /// Is told how many bytes have come so far.
    pub progress: &'a dyn Fn(u64),
    /// Asked several times a second. `true` ends the copy.
    pub cancelled: &'a (dyn Fn() -> bool + Sync),
}

impl std::fmt::Debug for Watch<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Watch(…)")
    }
}

/// The program that reads.
pub const MARIABACKUP: &str = "/usr/bin/mariabackup";
const BLOCK: usize = 1 << 20;

/// Copies the database that the `options` file leads to into the empty folder `into`, ready to be started. Gives the
/// GTID position up to which the copy goes, as MariaDB writes it. The `options` hold the password: they are a file
/// that only `user` reads.
pub fn copy(
    options: &Path,
    into: &Path,
    temporary: &Path,
    log: &Path,
    user: Option<User>,
    watch: &Watch<'_>,
) -> Result<String, Text> {
    let failed = |_| text!("copy-failed");
    let mut reader = as_user(Command::new("/usr/bin/mariabackup"), user, log).map_err(failed)?;
    reader
        .arg(format!("--defaults-file={}", options.display()))
        .arg("--backup")
        .arg("--stream=xbstream")
        .arg(format!("--target-dir={}", temporary.display()));
    let mut writer = as_user(Command::new("/usr/bin/mbstream"), user, log).map_err(failed)?;
    writer.arg("-x").arg("-C").arg(into);
    pipe(reader, writer, watch)?;
    let prepared = as_user(Command::new("/usr/bin/mariabackup"), user, log)
        .map_err(failed)?
        .arg("--no-defaults")
        .arg("--prepare")
        .arg(format!("--target-dir={}", into.display()))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status();
    if !prepared.is_ok_and(|status| status.success()) {
        return Err(text!("copy-failed"));
    }
    position(into).ok_or_else(|| text!("copy-no-position"))
}

/// Runs both to their end, what the one says carried to the other. Gives the last octets that went through.
pub(super) fn pipe(mut reader: Command, mut writer: Command, watch: &Watch<'_>) -> Result<Vec<u8>, Text> {
    let failed = |_| text!("copy-failed");
    let mut reader = reader.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().map_err(failed)?;
    let Ok(mut writer) = writer.stdin(Stdio::piped()).spawn() else {
        end(&mut reader);
        return Err(text!("copy-failed"));
    };
    let mut tail = Vec::new();
    let carried = watched(&mut reader, &mut writer, watch, &mut tail);
    if carried.is_err() {
        end(&mut reader);
        end(&mut writer);
    }
    // The writer sees the end of its input only when nobody holds it any more.
    drop(writer.stdin.take());
    let both = [reader.wait(), writer.wait()];
    carried?;
    if !both.iter().all(|status| status.as_ref().is_ok_and(std::process::ExitStatus::success)) {
        return Err(text!("copy-failed"));
    }
    Ok(tail)
}

pub(super) fn as_user(mut command: Command, user: Option<User>, log: &Path) -> std::io::Result<Command> {
    let log = files::append(log)?;
    command
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .env("TZ", "UTC")
        .current_dir("/")
        .stderr(log);
    if let Some(user) = user {
        command.uid(user.uid).gid(user.gid);
    }
    Ok(command)
}

/// Between two questions whether to go on.
const ASKED: Duration = Duration::from_millis(100);

/// Carries the bytes, and meanwhile asks whether to go on: a copy that stands still is ended too.
///
/// `tail` gets the last octets that went through.
fn watched(
    reader: &mut Child,
    writer: &mut Child,
    watch: &Watch<'_>,
    tail: &mut Vec<u8>,
) -> Result<(), Text> {
    let over = AtomicBool::new(false);
    let both = [reader.id(), writer.id()];
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                if (watch.cancelled)() {
                    for pid in both {
                        if let Err(error) = process::signal(pid, Signal::KILL) {
                            tracing::debug!(error = &error as &dyn std::error::Error, "ending a copy");
                        }
                    }
                    return;
                }
                std::thread::sleep(ASKED);
            }
        });
        let carried = carry(reader, writer, watch, tail);
        over.store(true, Ordering::Relaxed);
        if (watch.cancelled)() { Err(text!("copy-cancelled")) } else { carried }
    })
}

/// How much of the end of what was carried is kept.
const TAIL: usize = 8 << 10;

fn carry(reader: &mut Child, writer: &mut Child, watch: &Watch<'_>, tail: &mut Vec<u8>) -> Result<(), Text> {
    let (Some(from), Some(to)) = (reader.stdout.as_mut(), writer.stdin.as_mut()) else {
        return Err(text!("copy-failed"));
    };
    let mut block = vec![0; BLOCK];
    let mut done = 0_u64;
    loop {
        let count = from.read(&mut block).map_err(|_| text!("copy-failed"))?;
        if count == 0 {
            return Ok(());
        }
        to.write_all(&block[..count]).map_err(|_| text!("copy-failed"))?;
        tail.extend_from_slice(&block[count.saturating_sub(TAIL)..count]);
        tail.drain(..tail.len().saturating_sub(TAIL));
        done += u64::try_from(count).unwrap_or(0);
        (watch.progress)(done);
    }
}

/// Ends a program that is not wanted any more; its end is waited for by the caller.
fn end(child: &mut Child) {
    if let Err(error) = child.kill() {
        tracing::debug!(error = &error as &dyn std::error::Error, "ending a copy");
    }
}

/// What is read of the file that says where a copy ends, in octets.
const INFO: u64 = 64 << 10;

/// Where the copy ends: file, offset and GTIDs, the last of which counts (MariaDB Knowledge Base, "mariabackup
/// files"; the file was renamed in 11.1).
fn position(copy: &Path) -> Option<String> {
    let read = |name: &str| String::from_utf8(files::read(&copy.join(name), INFO).ok()?).ok();
    let text = read("mariadb_backup_binlog_info").or_else(|| read("xtrabackup_binlog_info"))?;
    let words: Vec<&str> = text.split_whitespace().collect();
    // The program that wrote it is not ours.
    words.get(2..).map(<[&str]>::concat).filter(|gtids| Gtids::parse(gtids).is_some())
}
