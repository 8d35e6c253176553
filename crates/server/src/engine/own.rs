//! What Cordée itself needs: room on the disk, and a state file that can be written.

use std::io;
use std::time::Duration;

use cordee_domain::observed::Room;
use cordee_domain::status::Light;
use cordee_domain::text;
use tokio::time::Instant;

use crate::clock::now;
use crate::hands::files;

use super::{Engine, Sight};

/// Between two looks.
const PACE: Duration = Duration::from_secs(1);
/// Between two proofs that the state file can be written; while it cannot there is one with each look.
const PROOF: Duration = Duration::from_secs(2);

/// When it was last looked at.
#[derive(Debug, Default)]
pub(super) struct Watch {
    under_way: bool,
    looked: Option<Instant>,
    proven: Option<Instant>,
}

fn due(last: Option<Instant>, pace: Duration) -> bool {
    last.is_none_or(|at| at.elapsed() >= pace)
}

impl Engine {
    /// Starts the look that is due.
    pub(super) fn look_at_own(&mut self) {
        if self.own.under_way || !due(self.own.looked, PACE) {
            return;
        }
        (self.own.under_way, self.own.looked) = (true, Some(Instant::now()));
        let prove = self.observed.own.unwritable.is_some() || due(self.own.proven, PROOF);
        if prove {
            self.own.proven = Some(Instant::now());
        }
        let (store, root, out) = (self.parts.store.clone(), self.parts.home.root.clone(), self.out.clone());
        self.work.spawn_blocking(move || {
            if prove {
                store.prove();
            }
            let _ = out.blocking_send(Sight::Own { room: files::free(&root) });
        });
    }

    /// Takes in how much room there is.
    pub(super) fn take_own(&mut self, room: io::Result<u64>) {
        self.own.under_way = false;
        let folder = self.parts.home.root.display().to_string();
        let room = room.map(|free| Room { folder, free });
        let (before, looked) = match room {
            Ok(room) => (self.observed.own.room.replace(room), Ok(())),
            Err(error) => (self.observed.own.room.take(), Err(error)),
        };
        self.looked_with("room", looked);
        let full = |room: Option<&Room>| room.is_some_and(Room::full);
        match (full(before.as_ref()), full(self.observed.own.room.as_ref())) {
            (false, true) => {
                let why = self.observed.own.hindrance().unwrap_or_else(|| text!("io-full"));
                self.note("cluster", Some(Light::Critical), &text!("event-own-full", why = why));
            }
            (true, false) => {
                self.note("cluster", Some(Light::Good), &text!("event-own-room"));
                self.goes_on_at_once();
            }
            _ => {}
        }
    }

    /// What the store knows of itself since its last write.
    pub(super) fn recall_own(&mut self) {
        let unwritable = self.parts.store.unwritable();
        let before = std::mem::replace(&mut self.observed.own.unwritable, unwritable);
        match (before, &self.observed.own.unwritable) {
            (None, Some(why)) => {
                let text = text!("event-own-unwritable", why = why.clone());
                self.note("cluster", Some(Light::Critical), &text);
            }
            (Some(_), None) => {
                self.note("cluster", Some(Light::Good), &text!("event-own-writable"));
                self.goes_on_at_once();
            }
            _ => {}
        }
    }

    /// What failed for want of room is tried again without a pause.
    fn goes_on_at_once(&mut self) {
        self.observed.own.again = Some(now());
        self.observed.setbacks.clear();
        for process in self.observed.processes.values_mut().filter(|p| p.leader.is_none()) {
            process.failures = 0;
        }
    }
}
