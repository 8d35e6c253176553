//! Links that wait for one that is gone ([`crate::db::stalled`]).

use super::fresh;
use crate::db::DatabaseSeen;
use crate::db::stalled::STALLED;
use crate::desired::{Desired, Server};
use crate::ids::Millis;
use crate::observed::Observed;
use crate::plan::Plan;
use crate::step::Step;

/// Frees them; whether that is to be done. What is thrown away with it is received once more from the writer: not while
/// that one does not answer.
pub(super) fn plan(
    plan: &mut Plan,
    desired: &Desired,
    observed: &Observed,
    (server, seen): (&Server, &DatabaseSeen),
    now: Millis,
) -> bool {
    let answers = desired.writer.as_ref().is_some_and(|w| fresh(observed, w, now).is_some());
    let stalled = seen.stalled_at.is_some_and(|at| now.saturating_sub(at) >= STALLED);
    if answers && stalled {
        plan.steps.push(Step::FreeLinks { on: server.name.clone() });
    }
    answers && stalled
}
