//! How a program ended, and its last log line.

use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::ExitStatus;

use cordee_domain::fault::Fault;

use crate::logs;

/// How many characters of a program's last log line are passed on.
const SAID: usize = 300;
/// The message that Apache always writes last, whatever the cause.
const NOTHING_SAID: &str = "AH00016";

/// Returns a line without its time and process: those change with each try.
fn undated(line: &str) -> &str {
    let mut said = line.trim();
    // Apache's format: `[when] [module:level] [pid 1:tid 1] what`.
    while let Some((_, rest)) = said.strip_prefix('[').and_then(|_| said.split_once("] ")) {
        said = rest;
    }
    // MariaDB's format: `when thread [level] what`.
    ["[ERROR] ", "[Warning] ", "[Note] "]
        .iter()
        .find_map(|level| said.split_once(level))
        .map_or(said, |(_, what)| what)
}

/// Marks of the lines that the programs themselves write into these logs: the site's own lines may hold data that
/// nobody else should read.
const OWN_WORDS: [&str; 3] = [" AH0", " AH1", "[ERROR]"];

/// Returns why a program ends again and again: the last line of the log that was written last.
pub fn saying(code: i32, folder: &Path) -> Option<Fault> {
    let written = |name: &&str| std::fs::symlink_metadata(folder.join(name)).and_then(|m| m.modified()).ok();
    let own = ["error.log", "apache.log", "mariadb.log"];
    let log = own.iter().filter(|name| written(name).is_some()).max_by_key(|name| written(name))?;
    let (lines, _) = logs::tail_without(&folder.join(log), 1, |line| {
        line.contains(NOTHING_SAID) || !OWN_WORDS.iter().any(|word| line.contains(word))
    })
    .ok()?;
    let said: String = undated(lines.last()?).chars().take(SAID).collect();
    Some(Fault::ExitSaying { code, said })
}

/// Returns how a process ended. `None` means that its exit status is unknown.
pub fn reason(status: Option<ExitStatus>) -> Fault {
    match status.map(|s| (s.signal(), s.code())) {
        Some((Some(signal), _)) => Fault::Signal(signal),
        Some((None, Some(code))) => Fault::Exit(code),
        _ => Fault::Ended,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_program_wrote_last_is_said_without_what_changes_each_time() {
        let folder = std::path::PathBuf::from(env!("OUT_DIR")).join(format!("saying-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        assert_eq!(saying(1, &folder), None, "nothing was written");
        let said = |name: &str, lines: &str| {
            std::fs::write(folder.join(name), lines).unwrap();
            match saying(1, &folder) {
                Some(Fault::ExitSaying { code: 1, said }) => said,
                other => panic!("{other:?}"),
            }
        };
        let apache = "[Mon Nov 30 08:25:18 2026] [core:crit] [pid 7:tid 7] (17)File exists: AH00001: no scoreboard\n\
                      [Mon Nov 30 08:25:18 2026] [core:emerg] [pid 7:tid 7] AH00016: Configuration Failed\n\n";
        assert_eq!(said("error.log", apache), "(17)File exists: AH00001: no scoreboard");
        std::fs::remove_file(folder.join("error.log")).unwrap();
        let mariadb = "2026-11-30  8:25:18 0 [ERROR] Aborting\n";
        assert_eq!(said("mariadb.log", mariadb), "Aborting");
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
