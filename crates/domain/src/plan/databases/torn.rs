//! A log that ends in the middle of an event.

use super::fresh;
use crate::db::{DatabaseSeen, Thread};
use crate::desired::Database;
use crate::ids::Millis;
use crate::plan::Plan;
use crate::scene::Scene;
use crate::step::{SqlStep, Step};

/// MariaDB's error for a log that cannot be read on.
const UNREADABLE: u32 = 1236;
/// Milliseconds after the start of the peer for which that may be what its death left.
const FOR: Millis = 120_000;
/// Milliseconds between two tries.
const PAUSE: Millis = 10_000;

/// Asks a peer that was started anew once more for what its log ended with.
///
/// A database that died with a full disk leaves half an event at the end of its log. Whoever still lacks what stands
/// before it is sent that, and then gets error 1236, which stops the channel for good; asked again, the peer begins
/// with the next file. Nothing is skipped: by GTID a channel asks for what comes after what it has. What lasts is shown
/// between the tries, and after two minutes nothing is tried any more.
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
