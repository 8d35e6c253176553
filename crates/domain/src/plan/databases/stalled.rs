//! Channels that wait for one that is gone ([`crate::db::stalled`]).

use super::fresh;
use crate::db::DatabaseSeen;
use crate::db::stalled::STALLED;
use crate::desired::{Database, Routing};
use crate::ids::{Millis, ServerName};
use crate::plan::Plan;
use crate::scene::Scene;
use crate::step::{SqlStep, Step};

/// Frees them; whether that is to be done. What is thrown away with it is received once more from the writer, or from
/// whoever wrote it where all write: not while one of those does not answer. Nor while a channel applies no more
/// because of an error: that is whom the others wait for, and it stands there again at once.
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
