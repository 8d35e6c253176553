//! Questions that alter no wish: refresh, connection test, logs, clean configuration.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use cordee_domain::ids::{PoolId, ServerName};
use cordee_domain::step::Target;
use cordee_domain::text;
use cordee_domain::text::Text;
use tokio::time::Instant;

use crate::board::{Ask, Leftover, LogFile};
use crate::hands::files;
use crate::hands::logs::tail;
use crate::paths::Home;

use super::Engine;
use super::act::io;

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
                let work = self.trial(pool, server, &desired);
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
            Ask::Logs { name, lines, reply } => {
                let folder = self.parts.home.server(&name).join("log");
                self.work.spawn_blocking(move || {
                    let _ = reply.send(logs(&folder, lines));
                });
            }
            Ask::Clean { apply, reply } => {
                let names = self.parts.board.desired().servers().map(|(_, s)| s.name.clone()).collect();
                let home = self.parts.home.clone();
                self.work.spawn_blocking(move || {
                    let _ = reply.send(clean(&home, &names, apply));
                });
            }
        }
    }
}

/// The log files of a server, each cut to its last lines.
fn logs(folder: &Path, lines: usize) -> Vec<LogFile> {
    entries(folder)
        .iter()
        .filter(|p| p.extension().is_some_and(|e| e == "log"))
        .filter_map(|path| {
            let name = path.file_name()?.to_str()?.to_owned();
            let (lines, unread) = match tail(path, lines) {
                Ok(lines) => (lines, None),
                Err(error) => (Vec::new(), Some(io(&error))),
            };
            Some(LogFile { name, lines, unread })
        })
        .filter(|file| !file.lines.is_empty() || file.unread.is_some())
        .collect()
}

/// What no wish explains: removed servers' folders, older halves of logs, drafts of files. With `apply` it goes.
fn clean(home: &Home, names: &Vec<ServerName>, apply: bool) -> Vec<Leftover> {
    let mut found: Vec<(PathBuf, Text)> = Vec::new();
    for path in entries(&home.trash()) {
        found.push((path, text!("clean-trash")));
    }
    for path in entries(&home.root.join("conf")) {
        let beside =
            PoolId::ALL.iter().any(|p| [home.proxy_config(*p), home.proxy_worker(*p)].contains(&path));
        if !beside && path != home.session_map() && path != home.own_questions() {
            found.push((path, text!("clean-draft")));
        }
    }
    let mut logs = entries(&home.logs());
    for name in names {
        logs.extend(entries(&home.server(name).join("log")));
    }
    for path in logs {
        if path.extension().is_some_and(|e| e == "1") {
            found.push((path, text!("clean-log")));
        }
    }
    for path in entries(&home.run()) {
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or("").to_owned();
        let known = name.starts_with("haproxy-")
            || name.starts_with("cordee.sock")
            || names.iter().any(|n| n.as_str() == name);
        if !known {
            found.push((path, text!("clean-socket")));
        }
    }
    found
        .into_iter()
        .map(|(path, why)| {
            let bytes = size(&path);
            if apply {
                remove(&path);
            }
            let shown = path.strip_prefix(&home.root).unwrap_or(&path);
            Leftover { path: shown.to_string_lossy().into_owned(), why, bytes }
        })
        .collect()
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    files::entries(folder).unwrap_or_else(|error| {
        tracing::warn!(path = %folder.display(), error = &error as &dyn std::error::Error, "looking");
        Vec::new()
    })
}

/// For people: what cannot be measured is shown without a size, and told.
fn size(path: &Path) -> u64 {
    files::size(path).unwrap_or_else(|error| {
        tracing::warn!(path = %path.display(), error = &error as &dyn std::error::Error, "measuring");
        0
    })
}

fn remove(path: &Path) {
    if let Err(error) = files::remove(path) {
        tracing::warn!(path = %path.display(), error = &error as &dyn std::error::Error, "clean");
    }
}
