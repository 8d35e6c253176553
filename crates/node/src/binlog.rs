//! MariaDB's binary log, read by MariaDB's own program.

use std::io::{self, BufRead as _, Read as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use cordee_domain::db::Gtids;

use super::below::Folder;
use super::files::folder;
use crate::users::User;

/// What mariadb-binlog says when no transaction follows the start position (10.11, client/mysqlbinlog.cc).
const ENDS_BEFORE: &str = "never reached expected GTID state";

/// Returns the command for mariadb-binlog. It runs as the databases' user, because it reads folders of that user.
/// Its output file is opened by us.
fn reader(user: Option<User>) -> Command {
    let mut command = Command::new("/usr/bin/mariadb-binlog");
    command.arg("--no-defaults").arg("--verbose").env_clear().env("TZ", "UTC").current_dir("/");
    if let Some(user) = user {
        command.uid(user.uid).gid(user.gid);
    }
    command
}

/// Saves the own transactions of a stopped server after number `after` of its domain into `file`, as text that a
/// person can read and MariaDB can run: each row event with its statement beside it. Returns how many there are;
/// with none, no file is made.
///
/// An existing `file` is written anew: the server did not run meanwhile, so the content is the same.
pub fn save(logs: &Path, domain: u32, after: u64, file: &Path, user: Option<User>) -> io::Result<u64> {
    use std::os::unix::fs::OpenOptionsExt as _;
    if let Some(parent) = file.parent() {
        folder(parent, 0o700, None)?;
    }
    let draft = file.with_extension("new");
    let mut options = std::fs::OpenOptions::new();
    let logs = files(logs)?;
    let output = options.write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    let mut child = reader(user)
        .arg("--verbose")
        // With a GTID start position, the program prints what follows that position in its domain. Every domain of
        // which the log was purged must be part of the position: otherwise the program refuses it.
        .arg(format!("--start-position={}", from(&logs, domain, after, user)?))
        .arg(format!("--do-domain-ids={domain}"))
        .args(&logs)
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(Stdio::piped())
        .spawn()?;
    let mut said = String::new();
    if let Some(pipe) = child.stderr.take() {
        pipe.take(4_096).read_to_string(&mut said)?;
    }
    let ended = child.wait()?.success();
    // If the log ends at or before the start position, the program reports an error: then nothing follows.
    if !ended && !said.contains(ENDS_BEFORE) {
        return Err(io::Error::other(said));
    }
    output.sync_all()?;
    let count = if ended { transactions(&draft, domain, after)? } else { 0 };
    if count == 0 {
        std::fs::remove_file(&draft)?;
    } else {
        std::fs::rename(&draft, file)?;
    }
    Ok(count)
}

/// Returns the start position: number `after` in `domain`, and for the other domains the beginning of the log.
fn from(logs: &[PathBuf], domain: u32, after: u64, user: Option<User>) -> io::Result<Gtids> {
    let own = Gtids::parse(&format!("{domain}-{domain}-{after}")).unwrap_or_default();
    let Some(first) = logs.first() else { return Ok(own) };
    let head = between(first, 4, HEAD, user)?;
    let begun = begins(&head).ok_or_else(|| io::Error::other("a log without its beginning"))?;
    Ok(begun.with_domain_of(domain, &own))
}

/// How far to read for the first event of a log and the second one, which says where the log begins: enough for a
/// thousand domains.
const HEAD: u64 = 20_000;

/// Parses where a log begins from its text: `Gtid list [1-1-2,` and so on, one line for each GTID.
fn begins(text: &str) -> Option<Gtids> {
    let (_, list) = text.split_once("\tGtid list [")?;
    let (list, _) = list.split_once(']')?;
    Gtids::parse(&list.replace("\n#", ""))
}

/// How many octets of a log are shown at most.
const SHOWN: u64 = 64 << 10;

/// Returns the events of a log file between two offsets as text: row events with their values, without their
/// encoded form.
pub fn between(log: &Path, start: u64, end: u64, user: Option<User>) -> io::Result<String> {
    let mut child = reader(user)
        .arg("--base64-output=DECODE-ROWS")
        .arg(format!("--start-position={start}"))
        .arg(format!("--stop-position={end}"))
        .arg(log)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let mut text = Vec::new();
    if let Some(pipe) = child.stdout.take() {
        pipe.take(SHOWN).read_to_end(&mut text)?;
    }
    // A program that has more to print would wait forever: nobody reads any more.
    let _ = child.kill();
    child.wait()?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// Counts the transactions of a domain above a number, by the comment that precedes each: `#… GTID 1-1-42 trans`. A
/// transaction that only touches Cordée's own heartbeat is not counted: the next heartbeat replaces it.
fn transactions(text: &Path, domain: u32, after: u64) -> io::Result<u64> {
    let own = format!("{domain}-{domain}-");
    let mut count = 0;
    // Whether the transaction that is being read is one of the wanted ones, and which tables it touches.
    let (mut wanted, mut beats, mut others) = (false, false, false);
    for line in io::BufReader::new(std::fs::File::open(text)?).split(b'\n') {
        let line = line?;
        let Some(rest) = line.strip_prefix(b"#").map(String::from_utf8_lossy) else { continue };
        if let Some((_, gtid)) = rest.split_once("\tGTID ") {
            count += u64::from(wanted && (others || !beats));
            let number = gtid.split_whitespace().next().and_then(|g| g.strip_prefix(&own));
            wanted = number.and_then(|n| n.parse::<u64>().ok()).is_some_and(|n| n > after);
            (beats, others) = (false, false);
        } else if let Some((_, table)) = rest.split_once("\tTable_map: ") {
            let beat = table.starts_with("`cordee`.`heartbeat`");
            beats |= beat;
            others |= !beat;
        }
    }
    Ok(count + u64::from(wanted && (others || !beats)))
}

/// Returns the log's files, oldest first. An entry with such a name that is no regular file is an error: the
/// program could wait for it forever.
fn files(logs: &Path) -> io::Result<Vec<PathBuf>> {
    let folder = Folder::open(logs)?;
    let mut all = Vec::new();
    for name in folder.names()? {
        let path = logs.join(&name);
        let number =
            path.extension().and_then(|e| e.to_str()).filter(|e| e.bytes().all(|b| b.is_ascii_digit()));
        let Some(number) = number.map(str::to_owned) else { continue };
        if !folder.is_file(&name)? {
            return Err(io::Error::other("a binary log is no file"));
        }
        all.push((number, path));
    }
    all.sort();
    Ok(all.into_iter().map(|(_, path)| path).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_log_begins_is_read_from_its_text() {
        let text = "#261129  1:29:30 server id 1  end_log_pos 315 CRC32 0x692bcab0 \tGtid list [1-1-2,\n# 2-2-4,\n\
            # 2-3-9]\n";
        assert_eq!(begins(text).map(|g| g.to_string()).as_deref(), Some("1-1-2,2-3-9"));
        assert_eq!(begins("\tGtid list []\n# at 285").map(|g| g.to_string()).as_deref(), Some(""));
        assert_eq!(begins("ROLLBACK"), None);
    }
}
