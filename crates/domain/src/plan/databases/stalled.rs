//! Channels that wait for a channel that no longer exists ([`crate::db::stalled`]).

use super::fresh;
use crate::db::DatabaseSeen;
use crate::db::stalled::STALLED;
use crate::desired::{Database, Routing};
use crate::ids::{Millis, ServerName};
use crate::plan::Plan;
use crate::scene::Scene;
use crate::step::{SqlStep, Step};

/// Plans to free such channels; returns whether it did. What is discarded is received once more from the writer, or,
/// while all databases write, from its author: so it is not done while one of those does not answer. Nor is it done
/// while a channel does not apply because of an error: the others wait for that channel, and it would stop there
/// again at once.
pub(super) fn plan(plan: &mut Plan, scene: Scene<'_>, (server, seen): (Database<'_>, &DatabaseSeen)) -> bool {
    let Scene { desired, observed, now } = scene;
    let answers = |name: &ServerName| fresh(observed, name, now).is_some();
    let received =
        |from: &ServerName| seen.channels.get(from).is_some_and(|l| !l.received.within(&seen.applied));
    let answers = desired.writer.as_ref().is_some_and(answers)
        && (desired.routing == Routing::OneWriter
            || seen.channels.keys().all(|from| !received(from) || answers(from)));
    let failed = seen.channels.values().any(|l| l.error != 0 && !l.applying);
    let since = |at: Millis| now.saturating_sub(at) >= STALLED;
    let stalled = answers && !failed && seen.stalled_at.is_some_and(since);
    if stalled {
        plan.steps.push(Step::Sql(SqlStep::FreeChannels { on: server.name.clone() }));
    }
    stalled
}
