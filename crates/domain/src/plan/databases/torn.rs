//! A binary log that ends in the middle of an event.

use super::fresh;
use crate::db::{DatabaseSeen, Thread};
use crate::desired::Database;
use crate::ids::Millis;
use crate::plan::Plan;
use crate::scene::Scene;
use crate::step::{SqlStep, Step};

/// MariaDB's error for a log that cannot be read any further.
const UNREADABLE: u32 = 1236;
/// Milliseconds after the start of the peer during which its earlier death may be the cause.
const FOR: Millis = 120_000;
/// Milliseconds between two tries.
const PAUSE: Millis = 10_000;

/// Starts a channel again whose peer was restarted and has a log with a torn end.
///
/// A database that died with a full disk leaves half an event at the end of its log. A database that still lacks
/// what precedes it receives that, and then gets error 1236, which stops the channel for good; asked again, the peer
/// begins with the next file. Nothing is skipped: with GTID a channel asks for what follows what it has. An error
/// that lasts is shown between the tries, and after two minutes there are no more tries.
pub(super) fn plan(plan: &mut Plan, scene: Scene<'_>, (server, seen): (Database<'_>, &DatabaseSeen)) {
    let Scene { desired, observed, now } = scene;
    let rests = observed.rests.get(&server.name).is_some_and(|rest| now.saturating_sub(rest.at) < PAUSE);
    for peer in desired.members().filter(|s| s.name != server.name && s.is_ours()) {
        let process = observed.process(&peer.process());
        let young = process.started_at.is_some_and(|at| now.saturating_sub(at) < FOR);
        let stopped = seen.channels.get(&peer.name).is_some_and(|channel| {
            channel.error == UNREADABLE && channel.receiving == Thread::Stopped && channel.applying
        });
        if stopped && young && !rests && fresh(observed, &peer.name, now).is_some() {
            let (on, from) = (server.name.clone(), peer.name.clone());
            plan.steps.push(Step::Sql(SqlStep::StartChannel { on, from }));
        }
    }
}
