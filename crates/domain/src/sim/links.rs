//! What a step at a link does to a database.

use crate::db::{DatabaseSeen, Thread};
use crate::ids::ServerName;

/// A link to that one runs.
pub(super) fn run(database: &mut DatabaseSeen, from: &ServerName) {
    let link = database.links.entry(from.clone()).or_default();
    link.receiving = Thread::Running;
    link.applying = true;
    link.delay_ms = Some(1);
}

/// A link to that one receives no more; `whole`: it applies no more either.
pub(super) fn stop(database: &mut DatabaseSeen, from: &ServerName, whole: bool) {
    let link = database.links.entry(from.clone()).or_default();
    link.receiving = Thread::Stopped;
    link.applying &= !whole;
}
