//! Questions that change no wish: refresh, connection test, logs, clean configuration.

use std::collections::BTreeSet;

use cordee_domain::ids::ServerName;
use cordee_domain::observed::Comparison;
use cordee_domain::step::Subject;
use cordee_node::{clean, logs};
use tokio::time::Instant;

use crate::board::Ask;

use super::Engine;

impl Engine {
    /// Answers a question, at once or when the looks that it waits for are done.
    pub(super) fn answer(&mut self, ask: Ask) {
        match ask {
            Ask::Refresh(reply) => {
                let waiting: BTreeSet<Subject> = self.due.keys().cloned().collect();
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
            Ask::Compare { name, id, reply } => {
                let _ = reply.send(self.asked(&name, id, |c| c.wanted = true));
            }
            Ask::Repair { name, id, side, reply } => {
                let epoch = self.parts.board.desired().epoch;
                let noted = |c: &mut Comparison| (c.repair, c.asked_in) = (Some(side), epoch);
                let _ = reply.send(self.asked(&name, id, noted));
            }
            Ask::Hold { channel, reply } => {
                self.observed.held = channel;
                let _ = reply.send(());
            }
            Ask::Logs { name, lines, checks, reply } => {
                let folder = self.parts.machine.home.server(&name).join("log");
                self.work.spawn_blocking(move || {
                    let _ = reply.send(logs::last_lines(&folder, lines, checks));
                });
            }
            Ask::Clean { apply, reply } => {
                let (home, names) = (self.parts.machine.home.clone(), self.known_names());
                // Files that another cleaning is removing at this moment are neither there nor gone, so a second
                // request is refused. A request that only lists the files releases the turn at once, so it blocks
                // no other.
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

    /// Returns the names of the wished servers, and of the servers whose processes are not over yet: a server that
    /// was removed a moment ago is still ending.
    fn known_names(&self) -> BTreeSet<ServerName> {
        let wished = self.parts.board.desired();
        let wished = wished.servers().map(|s| s.name.clone());
        let there = self.observed.processes.iter().filter(|(_, seen)| !seen.is_over());
        let there = there.filter_map(|(id, _)| id.server().cloned());
        wished.chain(there).collect()
    }
}
