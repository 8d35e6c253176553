//! When a database's rows are compared with the writer's, or repaired.

use super::{NEAR, fresh};
use crate::db::DatabaseSeen;
use crate::db::verify::Report;
use crate::desired::{Database, Membership};
use crate::ids::{Millis, ServerName};
use crate::observed::Observed;
use crate::plan::Plan;
use crate::scene::Scene;
use crate::step::{RowsStep, SqlStep, Step};

/// Plans a comparison with the writer, if the writer is open.
pub(super) fn compared(
    plan: &mut Plan,
    observed: &Observed,
    server: Database<'_>,
    writer: &ServerName,
    now: Millis,
) {
    if fresh(observed, writer, now).is_some_and(|d| !d.read_only) {
        plan.steps.push(Step::Rows(RowsStep::Compare {
            name: server.name.clone(),
            id: server.id,
            with: writer.clone(),
        }));
    }
}

/// Milliseconds between two comparisons of a database's rows with the writer's.
const ROWS_EVERY: u64 = crate::figures::COMPARISON;
/// The same, after a comparison that left open what the next one may settle.
const UNSETTLED_EVERY: u64 = 3_600 * 1_000;

/// Reports whether it is time to compare a member's rows again. If a new database's copy differs, the member that it
/// was copied from may be just as wrong.
pub(super) fn due(scene: Scene<'_>, server: Database<'_>) -> bool {
    let Scene { desired, observed, now } = scene;
    let of = |s: Database<'_>| observed.comparison(s).and_then(|c| c.of(s.id));
    let Some(last) = of(server) else { return true };
    // What is open because of the kind of a table, no further comparison settles.
    let pause = |last: &Report, unsettled| if last.unsettled() > 0 { unsettled } else { ROWS_EVERY };
    if let Some(doubt) = observed.doubt(desired, server) {
        return last.at_start < doubt.since || now.saturating_sub(last.at_end) > pause(last, DOUBT_EVERY);
    }
    let wrong_copy =
        |s: &Database<'_>| *s.membership == Membership::Joining && of(*s).is_some_and(|r| r.different() > 0);
    let newest = desired.databases().filter(wrong_copy).filter_map(of).map(|r| r.at_end).max();
    now.saturating_sub(last.at_end) > pause(last, UNSETTLED_EVERY)
        || newest.is_some_and(|at| at > last.at_start)
}

/// The same, for a database whose rows are in doubt and of which something could not be compared.
const DOUBT_EVERY: u64 = 60_000;

/// Plans to compare a member's rows with the writer's, when a person asks for it and from time to time.
pub(super) fn plan(plan: &mut Plan, scene: Scene<'_>, server: Database<'_>, seen: &DatabaseSeen) {
    let Scene { desired, observed, now } = scene;
    let Some(writer) = desired.writer.as_ref().filter(|w| **w != server.name) else { return };
    // The numbers of a writer whose log was reset prove nothing until they exceed the old ones.
    let open = fresh(observed, writer, now).is_some_and(|w| !w.read_only && w.schema && w.claims() == 0);
    let follows = seen
        .channels
        .get(writer)
        .is_some_and(|l| l.error == 0 && l.applying && l.delay_ms.is_some_and(|ms| ms < NEAR));
    let comparison = observed.comparison(server);
    let running = comparison.is_some_and(|c| c.running.is_some());
    if seen.lenient && !running {
        plan.steps.push(Step::Sql(SqlStep::SetStrict { name: server.name.clone() }));
    }
    if let Some(side) = comparison.and_then(|c| c.repair_in(desired.epoch))
        && open
        && !running
        && desired.handover.is_none()
    {
        plan.steps.push(Step::Rows(RowsStep::Repair {
            name: server.name.clone(),
            id: server.id,
            with: writer.clone(),
            side,
        }));
        return;
    }
    let due = due(scene, server);
    let wanted = comparison.is_some_and(|c| c.wanted);
    if open && follows && !running && (due || wanted) && desired.handover.is_none() {
        plan.steps.push(Step::Rows(RowsStep::Compare {
            name: server.name.clone(),
            id: server.id,
            with: writer.clone(),
        }));
    }
}
