//! Questions that alter no wish: refresh, connection test, logs, clean configuration.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use cordee_domain::apache;
use cordee_domain::db::mariadb;
use cordee_domain::ids::ServerName;
use cordee_domain::observed::ProcessId;
use cordee_domain::step::Target;
use tokio::time::Instant;

use crate::board::{Ask, LogFile};
use crate::hands::logs::tail_without;
use crate::hands::{files, trouble};

use super::{Engine, clean};

impl Engine {
    /// Answers a question, now or when the looks it waits for are done.
    pub(super) fn answer(&mut self, ask: Ask) {
        match ask {
            Ask::Refresh(reply) => {
                let waiting: BTreeSet<Target> = self.due.keys().cloned().collect();
                for due in self.due.values_mut() {
                    *due = Instant::now();
                }
                for due in self.names_due.values_mut() {
                    *due = Instant::now();
                }
                if waiting.is_empty() {
                    let _ = reply.send(());
                } else {
                    self.refreshes.push((waiting, reply));
                }
            }
            Ask::Test { pool, name, reply } => {
                let desired = self.parts.board.desired();
                let Some(server) = desired.pool(pool).server(&name) else { return };
                let work = self.trial(server, &desired);
                self.work.spawn(async move {
                    let _ = reply.send(work.await);
                });
            }
            Ask::Config { proxy, reply } => self.config(proxy, reply),
            Ask::Detail { name, reply } => self.detail(&name, reply),
            Ask::Join(reply) => self.join_plan(reply),
            Ask::Invite { guest, reply } => self.invite(guest, reply),
            Ask::Compare { name, reply } => {
                self.asked(&name, |c| c.wanted = true);
                let _ = reply.send(());
            }
            Ask::Repair { name, side, reply } => {
                self.asked(&name, |c| c.repair = Some(side));
                let _ = reply.send(());
            }
            Ask::Hold { link, reply } => {
                self.observed.held = link;
                let _ = reply.send(());
            }
            Ask::Logs { name, lines, checks, reply } => {
                let folder = self.parts.home.server(&name).join("log");
                self.work.spawn_blocking(move || {
                    let _ = reply.send(logs(&folder, lines, checks));
                });
            }
            Ask::Clean { apply, reply } => {
                let (home, names) = (self.parts.home.clone(), self.known_names());
                // What goes at the moment is neither there nor gone. Who only looks keeps nobody else from it.
                let Ok(turn) = self.cleaning.clone().try_lock_owned() else {
                    let _ = reply.send(None);
                    return;
                };
                let turn = Some(turn).filter(|_| apply);
                self.work.spawn_blocking(move || {
                    let found = clean::clean(&home, &names, apply);
                    drop(turn);
                    let _ = reply.send(Some(found));
                });
            }
        }
    }

    /// The servers that are wished, and those of which something is still there: one that was removed a moment ago
    /// ends.
    fn known_names(&self) -> BTreeSet<ServerName> {
        let wished = self.parts.board.desired();
        let wished = wished.servers().map(|s| s.name.clone());
        let there = self.observed.processes.iter().filter_map(|(id, seen)| match id {
            ProcessId::Server(name) if seen.leader.is_some() || seen.unlooked || !seen.orphans.is_empty() => {
                Some(name.clone())
            }
            _ => None,
        });
        wished.chain(there).collect()
    }
}

/// The log files of a server, each cut to its last lines, without our own questions unless they are asked for.
fn logs(folder: &Path, lines: usize, checks: bool) -> Vec<LogFile> {
    let mut files: Vec<LogFile> = entries(folder)
        .iter()
        .filter(|p| p.extension().is_some_and(|e| e == "log"))
        .filter_map(|path| {
            let name = path.file_name()?.to_str()?.to_owned();
            let hides: fn(&str) -> bool =
                if !checks && name == apache::LOGS[0] { apache::is_check } else { |_| false };
            let (lines, hidden, unread) = match tail_without(path, lines, hides) {
                Ok((lines, hidden)) => (lines, hidden, None),
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "reading a log");
                    (Vec::new(), 0, Some(trouble::words(&error)))
                }
            };
            Some(LogFile { name, lines, hidden, unread })
        })
        .filter(|file| !file.lines.is_empty() || file.hidden > 0 || file.unread.is_some())
        .collect();
    in_turn(&mut files);
    files
}

/// What a server writes itself comes first. What the making of a database's folder said is of use only as long as that
/// database has said nothing.
fn in_turn(files: &mut Vec<LogFile>) {
    let own = |name: &str| apache::LOGS.iter().chain(&mariadb::LOGS).position(|log| *log == name);
    if files.iter().any(|f| mariadb::LOGS.contains(&f.name.as_str())) {
        files.retain(|f| f.name != mariadb::INSTALL);
    }
    files.sort_by_key(|f| own(&f.name).unwrap_or(usize::MAX));
}

/// What lies in a folder. One that cannot be read shows nothing, and is told.
pub(super) fn entries(folder: &Path) -> Vec<PathBuf> {
    files::entries(folder).unwrap_or_else(|error| {
        tracing::warn!(path = %folder.display(), error = &error as &dyn std::error::Error, "looking");
        Vec::new()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_s_own_log_comes_first_and_how_its_folder_was_made_only_while_there_is_no_other() {
        let turn = |names: &[&str]| {
            let file = |name: &&str| LogFile {
                name: (*name).to_owned(),
                lines: vec!["x".to_owned()],
                hidden: 0,
                unread: None,
            };
            let mut files: Vec<LogFile> = names.iter().map(file).collect();
            in_turn(&mut files);
            files.into_iter().map(|f| f.name).collect::<Vec<_>>()
        };
        assert_eq!(turn(&["install.log", "mariadb.log", "another.log"]), ["mariadb.log", "another.log"]);
        assert_eq!(turn(&["install.log"]), ["install.log"]);
        let web = ["a.log", "access.log", "error.log", "php.log"];
        assert_eq!(turn(&web), ["access.log", "error.log", "php.log", "a.log"]);
    }
}
