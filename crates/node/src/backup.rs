//! A physical copy of a running MariaDB: `mariabackup` reads, `mbstream` writes. The bytes pass through this
//! process, so that they are counted and the copy ends when Cordée ends.

use std::io::{Read as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use cordee_domain::db::Gtids;
use cordee_domain::db::freight::last_words;
use cordee_domain::fault::{Cause, Fault};
use cordee_domain::text;

use rustix::process::Signal;

use super::{files, logs, process};
use crate::users::User;

/// What the caller provides: a callback for progress, and a way to cancel.
pub struct Watch<'a> {
    /// Is called with the number of bytes copied so far.
    pub progress: &'a dyn Fn(u64),
    /// Is called several times a second. `true` ends the copy.
    pub cancelled: &'a (dyn Fn() -> bool + Sync),
}

impl std::fmt::Debug for Watch<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Watch(…)")
    }
}

/// The program that reads the database.
pub const MARIABACKUP: &str = "/usr/bin/mariabackup";

/// Reports whether the program is installed.
pub fn here() -> bool {
    Path::new(MARIABACKUP).exists()
}
const BLOCK: usize = 1 << 20;

/// Copies the database that the `options` file leads to into the empty folder `into`, ready to be started. Returns
/// the GTID position that mariabackup recorded with the copy. `options` holds the password: only `user` may read
/// that file.
pub fn copy(
    options: &Path,
    into: &Path,
    temporary: &Path,
    log: &Path,
    user: Option<User>,
    watch: &Watch<'_>,
) -> Result<Gtids, Fault> {
    let lines = Lines::of(log);
    files_at(options, into, temporary, log, user, watch).map_err(|why| lines.explain(why))
}

fn files_at(
    options: &Path,
    into: &Path,
    temporary: &Path,
    log: &Path,
    user: Option<User>,
    watch: &Watch<'_>,
) -> Result<Gtids, Fault> {
    let failed = |error: std::io::Error| Fault::Copy(Cause::of(&error));
    let mut reader = as_user(Command::new("/usr/bin/mariabackup"), user, log).map_err(failed)?;
    reader
        .arg(format!("--defaults-file={}", options.display()))
        .arg("--backup")
        .arg("--stream=xbstream")
        .arg(format!("--target-dir={}", temporary.display()))
        .env("TMPDIR", temporary);
    let mut writer = as_user(Command::new("/usr/bin/mbstream"), user, log).map_err(failed)?;
    writer.arg("-x").arg("-C").arg(into);
    pipe(reader, writer, None, watch)?;
    let prepared = as_user(Command::new("/usr/bin/mariabackup"), user, log)
        .map_err(failed)?
        .arg("--no-defaults")
        .arg("--prepare")
        .arg(format!("--target-dir={}", into.display()))
        .env("TMPDIR", temporary)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status();
    if !prepared.is_ok_and(|status| status.success()) {
        return Err(Fault::Copy(None));
    }
    position(into).ok_or_else(|| text!("copy-no-position").into())
}

/// The length of a log before the programs run: lines beyond it are theirs.
pub(super) struct Lines<'a> {
    log: &'a Path,
    before: usize,
}

impl<'a> Lines<'a> {
    pub(super) fn of(log: &'a Path) -> Self {
        Self { log, before: logs::tail(log, usize::MAX).map_or(0, |lines| lines.len()) }
    }

    /// Returns the failure together with the last words of the programs about it.
    pub(super) fn explain(&self, why: Fault) -> Fault {
        if !matches!(why, Fault::Copy(_)) {
            return why;
        }
        let lines = logs::tail(self.log, usize::MAX).unwrap_or_default();
        // If the log was truncated in between, what is new still stands at its end.
        let new = lines.get(self.before..).filter(|new| !new.is_empty()).unwrap_or(&lines);
        match last_words(new) {
            Some(said) => text!("copy-failed-said", said = said).into(),
            None => why,
        }
    }
}

/// A replacement of words near the beginning of the stream.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mend {
    pub(super) from: &'static str,
    pub(super) to: &'static str,
}

/// The words are looked for within this many octets.
const BEGINNING: usize = 64 << 10;

impl Mend {
    /// Returns the beginning with the words replaced; `None` while more of it is needed.
    fn mended(self, start: &[u8]) -> Option<Vec<u8>> {
        let (from, to) = (self.from.as_bytes(), self.to.as_bytes());
        match start.windows(from.len()).position(|piece| piece == from) {
            Some(at) => Some([&start[..at], to, &start[at + from.len()..]].concat()),
            None => (start.len() > BEGINNING).then(|| start.to_vec()),
        }
    }
}

/// Runs both programs to their end and carries the output of the reader to the writer. Returns the last octets that
/// went through.
pub(super) fn pipe(
    mut reader: Command,
    mut writer: Command,
    mend: Option<Mend>,
    watch: &Watch<'_>,
) -> Result<Vec<u8>, Fault> {
    let failed = |error: std::io::Error| Fault::Copy(Cause::of(&error));
    let mut reader = reader.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().map_err(failed)?;
    let Ok(mut writer) = writer.stdin(Stdio::piped()).spawn() else {
        end(&mut reader);
        return Err(Fault::Copy(None));
    };
    let mut tail = Vec::new();
    let carried = watched(&mut reader, &mut writer, mend, watch, &mut tail);
    if carried.is_err() {
        end(&mut reader);
        end(&mut writer);
    }
    // The writer sees the end of its input only once every handle to it is closed.
    drop(writer.stdin.take());
    let both = [reader.wait(), writer.wait()];
    carried?;
    if !both.iter().all(|status| status.as_ref().is_ok_and(std::process::ExitStatus::success)) {
        return Err(Fault::Copy(None));
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

/// The pause between two checks for cancellation.
const ASKED: Duration = Duration::from_millis(100);

/// Carries the bytes, and checks for cancellation on another thread: so a copy that stands still can be ended too.
///
/// `tail` gets the last octets that went through.
fn watched(
    reader: &mut Child,
    writer: &mut Child,
    mend: Option<Mend>,
    watch: &Watch<'_>,
    tail: &mut Vec<u8>,
) -> Result<(), Fault> {
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
        let carried = carry(reader, writer, mend, watch, tail);
        over.store(true, Ordering::Relaxed);
        if (watch.cancelled)() { Err(text!("copy-cancelled").into()) } else { carried }
    })
}

/// How many octets of the end of the stream are kept.
const TAIL: usize = 8 << 10;

fn carry(
    reader: &mut Child,
    writer: &mut Child,
    mend: Option<Mend>,
    watch: &Watch<'_>,
    tail: &mut Vec<u8>,
) -> Result<(), Fault> {
    let (Some(from), Some(to)) = (reader.stdout.as_mut(), writer.stdin.as_mut()) else {
        return Err(Fault::Copy(None));
    };
    let failed = |error: std::io::Error| Fault::Copy(Cause::of(&error));
    let mut start = mend.map(|mend| (mend, Vec::new()));
    let mut block = vec![0; BLOCK];
    let mut done = 0_u64;
    loop {
        let count = from.read(&mut block).map_err(failed)?;
        let piece = &block[..count];
        match start.take() {
            None => to.write_all(piece).map_err(failed)?,
            Some((mend, mut held)) => {
                held.extend_from_slice(piece);
                match mend.mended(&held) {
                    Some(mended) => to.write_all(&mended).map_err(failed)?,
                    None if count == 0 => to.write_all(&held).map_err(failed)?,
                    None => start = Some((mend, held)),
                }
            }
        }
        if count == 0 {
            return Ok(());
        }
        tail.extend_from_slice(&piece[count.saturating_sub(TAIL)..]);
        tail.drain(..tail.len().saturating_sub(TAIL));
        done += u64::try_from(count).unwrap_or(0);
        (watch.progress)(done);
    }
}

/// Kills a program that is no longer needed; the caller waits for its end.
fn end(child: &mut Child) {
    if let Err(error) = child.kill() {
        tracing::debug!(error = &error as &dyn std::error::Error, "ending a copy");
    }
}

/// How many octets are read of the file that says where a copy ends.
const INFO: u64 = 64 << 10;

/// Returns where the copy ends. The file holds a log file, an offset and GTIDs; only the GTIDs count (MariaDB
/// Knowledge Base, "mariabackup files"; the file was renamed in 11.1).
fn position(copy: &Path) -> Option<Gtids> {
    let read = |name: &str| String::from_utf8(files::read(&copy.join(name), INFO).ok()?).ok();
    let text = read("mariadb_backup_binlog_info").or_else(|| read("xtrabackup_binlog_info"))?;
    let words: Vec<&str> = text.split_whitespace().collect();
    // The file was written by another program: it is parsed, not trusted.
    words.get(2..).and_then(|gtids| Gtids::parse(&gtids.concat()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_at_the_beginning_go_over_as_other_ones() {
        let mend = Mend { from: "MODE='A'", to: "MODE='A,B'" };
        assert_eq!(mend.mended(b"x MOD"), None);
        assert_eq!(mend.mended(b"x MODE='A' MODE='A'").as_deref(), Some(&b"x MODE='A,B' MODE='A'"[..]));
        let long = vec![b'x'; BEGINNING + 1];
        assert_eq!(mend.mended(&long), Some(long));
    }
}
