//! From which database a new one is copied.

use crate::desired::Database;
use crate::ids::ServerName;
use crate::observed::STALE;
use crate::scene::Scene;
use crate::seen::Seen;

/// Returns the member to copy: a standby that replicates well, to spare the writer; else the writer.
pub fn donor(scene: Scene<'_>) -> Option<ServerName> {
    let Scene { desired, observed, now } = scene;
    // A Cordée that has just been started asks every database first.
    let unasked = |s: Database<'_>| {
        observed.process(&s.process()).leader.is_some()
            && observed.databases.get(&s.name).is_none_or(|d| *d == Seen::Never)
    };
    if desired.members().any(unasked) {
        return None;
    }
    let seen = |s: &Database<'_>| {
        let seen = observed.databases.get(&s.name).and_then(|d| d.fresh(now, STALE));
        s.is_ours() && !s.stopped() && seen.is_some_and(|d| d.channels.values().all(|l| l.error == 0))
    };
    // A copy of a database whose rows are known to differ from the writer's would be refused every time. A copy of a
    // database whose rows are in doubt would lack the same rows, and would not be marked as doubtful.
    let wrong = |s: &Database<'_>| {
        let report = observed.comparison(*s).and_then(|c| c.of(s.id));
        report.is_some_and(|r| r.different() > 0) || observed.doubt(desired, *s).is_some()
    };
    let standby = desired.members().filter(seen).find(|s| !desired.is_writer(&s.name) && !wrong(s));
    let writer = || desired.members().filter(seen).find(|s| desired.is_writer(&s.name));
    standby.or_else(writer).map(|s| s.name.clone())
}
