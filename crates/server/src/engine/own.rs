//! What Cordée itself needs: space on the disk, a state file that can be written, and the files of the next start.

use std::io;
use std::time::Duration;

use cordee_domain::fault::Fault;
use cordee_domain::ids::ProcessId;
use cordee_domain::observed::{Lost, Room};
use cordee_domain::state::Severity;
use cordee_domain::text;
use cordee_node::clock::now;
use cordee_node::paths::Home;
use cordee_node::users::Users;
use cordee_node::{files, lost};
use tokio::time::Instant;

use crate::store::Store;

use super::{Engine, Sight};

/// Time between two looks.
const PACE: Duration = Duration::from_secs(1);
/// Time between two tests that the state file can be written; while it cannot, every look tests it.
const PROOF: Duration = Duration::from_secs(2);

/// A program younger than this (in milliseconds) may not have made its socket yet.
const YOUNG: u64 = 10_000;

/// The state of the looks at Cordée's own needs.
#[derive(Debug, Default)]
pub(super) struct Watch {
    under_way: bool,
    looked: Option<Instant>,
    proven: Option<Instant>,
}

fn due(last: Option<Instant>, pace: Duration) -> bool {
    last.is_none_or(|at| at.elapsed() >= pace)
}

/// Makes folders again that somebody removed, where their content is made again too.
fn folders(home: &Home, users: &Users, store: &Store) {
    for path in lost::made_anew(home, users) {
        let told = if path == home.run() {
            text!("event-run-anew")
        } else {
            text!("event-folder-anew", folder = path.display().to_string())
        };
        store.tell("cluster", Some(Severity::Warning), &told);
    }
}

impl Engine {
    /// Returns the reason why a program does not answer. When its socket is gone, the reason says so: the program
    /// keeps serving, but cannot be queried any more.
    pub(super) fn reason(&self, id: &ProcessId, why: Fault) -> Fault {
        let process = self.observed.process(id);
        let young = process.started_at.is_some_and(|at| now().saturating_sub(at) < YOUNG);
        let Some(pid) = process.leader.as_ref().map(|l| l.pid).filter(|_| !young) else { return why };
        let socket = match id {
            ProcessId::Proxy(proxy) => self.parts.machine.home.proxy_socket(*proxy),
            ProcessId::Database(name) => self.parts.machine.home.database_socket(name),
            // A web server has no socket.
            ProcessId::Web(_) => return why,
        };
        if !files::is_gone(&socket) {
            return why;
        }
        Fault::SocketGone { path: socket.display().to_string(), pid, noticed: Box::new(why) }
    }

    /// Starts the look if it is due.
    pub(super) fn look_at_own(&mut self) {
        if self.own.under_way || !due(self.own.looked, PACE) {
            return;
        }
        (self.own.under_way, self.own.looked) = (true, Some(Instant::now()));
        let prove = self.observed.own.unwritable.is_some() || due(self.own.proven, PROOF);
        if prove {
            self.own.proven = Some(Instant::now());
        }
        let (store, home, out) =
            (self.parts.store.clone(), self.parts.machine.home.clone(), self.out.clone());
        let users = self.parts.machine.users;
        self.work.spawn_blocking(move || {
            folders(&home, &users, &store);
            if prove {
                store.prove();
            }
            let _ = out.blocking_send(Sight::Own { room: files::free(&home.root), lost: lost::lost(&home) });
        });
    }

    /// Takes in how much space there is, and which files are missing from the folder.
    pub(super) fn take_own(&mut self, room: io::Result<u64>, lost: io::Result<Option<Lost>>) {
        self.own.under_way = false;
        let (lost, looked) = match lost {
            Ok(lost) => (lost, Ok(())),
            // What was seen before stays.
            Err(error) => (self.observed.own.lost.clone(), Err(error)),
        };
        self.looked_with("state", looked);
        match (&self.observed.own.lost, &lost) {
            (before, Some(now)) if before.as_ref() != Some(now) => {
                self.note("cluster", Some(Severity::Critical), &now.says());
            }
            (Some(_), None) => self.note("cluster", Some(Severity::Good), &text!("event-own-whole")),
            _ => {}
        }
        self.observed.own.lost = lost;
        let folder = self.parts.machine.home.root.display().to_string();
        let room = room.map(|free| Room { folder, free });
        let (before, looked) = match room {
            Ok(room) => (self.observed.own.room.replace(room), Ok(())),
            Err(error) => (self.observed.own.room.take(), Err(error)),
        };
        self.looked_with("room", looked);
        let full = |room: Option<&Room>| room.is_some_and(Room::full);
        match (full(before.as_ref()), full(self.observed.own.room.as_ref())) {
            (false, true) => {
                let why = self.observed.own.hindrance().unwrap_or_else(|| Fault::DiskFull(None).sentence());
                self.note("cluster", Some(Severity::Critical), &text!("event-own-full", why = why));
            }
            (true, false) => {
                self.note("cluster", Some(Severity::Good), &text!("event-own-room"));
                self.goes_on_at_once();
            }
            _ => {}
        }
    }

    /// Takes over from the store whether its state file can be written, and tells the journal when that changes.
    pub(super) fn recall_own(&mut self) {
        let unwritable = self.parts.store.unwritable();
        let before = std::mem::replace(&mut self.observed.own.unwritable, unwritable);
        match (before, &self.observed.own.unwritable) {
            (None, Some(why)) => {
                let text = text!("event-own-unwritable", why = why);
                self.note("cluster", Some(Severity::Critical), &text);
            }
            (Some(_), None) => {
                self.note("cluster", Some(Severity::Good), &text!("event-own-writable"));
                self.goes_on_at_once();
            }
            _ => {}
        }
    }

    /// What failed for lack of space is retried without a pause.
    fn goes_on_at_once(&mut self) {
        self.observed.own.again = Some(now());
        self.observed.backoffs.clear();
        self.observed.vain.clear();
        for process in self.observed.processes.values_mut().filter(|p| p.leader.is_none()) {
            process.failures = 0;
        }
    }
}
