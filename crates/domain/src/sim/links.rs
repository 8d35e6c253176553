//! What a step at a link does to a database.

use crate::db::{DatabaseSeen, Thread};
use crate::step::Step;

pub(super) fn act(database: &mut DatabaseSeen, step: &Step) {
    match step {
        Step::SetLink { from, .. } | Step::StartLink { from, .. } => {
            let link = database.links.entry(from.clone()).or_default();
            link.receiving = Thread::Running;
            link.applying = true;
            link.delay_ms = Some(1);
        }
        Step::StopLink { from, whole, .. } => {
            let link = database.links.entry(from.clone()).or_default();
            link.receiving = Thread::Stopped;
            link.applying &= !whole;
        }
        Step::DropLink { from, .. } => {
            database.links.remove(from);
        }
        Step::FreeLinks { .. } => (database.waits, database.stalled_at) = (false, None),
        _ => {}
    }
}
