//! What a step on a channel does to a database.

use crate::db::{DatabaseSeen, Thread};
use crate::ids::ServerName;

/// Starts the channel from that database.
pub(super) fn run(database: &mut DatabaseSeen, from: &ServerName) {
    let channel = database.channels.entry(from.clone()).or_default();
    channel.receiving = Thread::Running;
    channel.applying = true;
    channel.delay_ms = Some(1);
}

/// Stops receiving over the channel from that database; with `whole`, stops applying too.
pub(super) fn stop(database: &mut DatabaseSeen, from: &ServerName, whole: bool) {
    let channel = database.channels.entry(from.clone()).or_default();
    channel.receiving = Thread::Stopped;
    channel.applying &= !whole;
}
