//! What a step at a channel does to a database.

use crate::db::{DatabaseSeen, Thread};
use crate::ids::ServerName;

/// A channel to that one runs.
pub(super) fn run(database: &mut DatabaseSeen, from: &ServerName) {
    let channel = database.channels.entry(from.clone()).or_default();
    channel.receiving = Thread::Running;
    channel.applying = true;
    channel.delay_ms = Some(1);
}

/// A channel to that one receives no more; `whole`: it applies no more either.
pub(super) fn stop(database: &mut DatabaseSeen, from: &ServerName, whole: bool) {
    let channel = database.channels.entry(from.clone()).or_default();
    channel.receiving = Thread::Stopped;
    channel.applying &= !whole;
}
