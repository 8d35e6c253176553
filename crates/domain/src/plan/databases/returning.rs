//! A lost former writer comes back: does it hold what the others hold, all of it and nothing else?
//!
//! What it holds is what its log holds. Crash recovery may have taken back transactions that another database had
//! received, while its position claims them, because they had come back over a channel before they were committed in
//! its tables. Then the position is set back to the log, and MariaDB receives them again.

use super::fresh;
use super::mesh::{acks_of, channels, unlink};
use crate::db::{DatabaseSeen, Thread};
use crate::decision::{Basis, Decision};
use crate::desired::{Database, Saved};
use crate::plan::Plan;
use crate::scene::Scene;
use crate::step::{SqlStep, Step, Subject};
use crate::text;

/// What its own domain shows about a former writer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Own {
    /// It holds everything that the others have of its domain.
    Whole,
    /// It holds transactions that the others do not have.
    More,
    /// Its position claims transactions that its log does not have: it would never receive them again.
    Claims,
    /// It lacks this many, and may still receive them.
    Lacks(u64),
    /// It lacks this many, and does not get them.
    Lost(u64),
}

/// Plans the next step for a former writer: `limit` is the last of its own transactions that the new writer had,
/// `saved` is what its log held beyond that.
pub(super) fn plan(
    plan: &mut Plan,
    scene: Scene<'_>,
    (server, seen): (Database<'_>, &DatabaseSeen),
    (limit, saved): (u64, Option<&Saved>),
) {
    let Scene { desired, now, .. } = scene;
    // Its own log is read first, while it does not run.
    if saved.is_none() && server.is_ours() {
        return unlink(plan, server, seen);
    }
    let own = own(scene, (server, seen), (limit, saved));
    if own != Own::Whole && !matches!(own, Own::Lacks(_)) {
        unlink(plan, server, seen);
    }
    let still = seen.channels.values().all(|l| l.receiving == Thread::Stopped);
    let idle = still && seen.channels.values().all(|l| !l.applying);
    if !seen.read_only {
        return;
    }
    let (name, of) = (server.name.clone(), Basis::of(desired, &server));
    match own {
        Own::Whole => plan.steps.push(Step::Wish(Decision::Readmit { of, at: now })),
        Own::More if still => plan.steps.push(Step::Wish(Decision::Expel { of, lacks: 0 })),
        Own::Lost(lacks) if still => plan.steps.push(Step::Wish(Decision::Expel { of, lacks })),
        Own::Claims if idle => plan.steps.push(Step::Sql(SqlStep::SetBack { name, id: server.id })),
        Own::More | Own::Lost(_) | Own::Claims => {}
        Own::Lacks(count) => {
            // Only a database that sends ACKs accepts its own transactions from others (MariaDB 10.11).
            acks_of(plan, server, seen, true);
            if seen.acks {
                channels(plan, scene, (server, seen), false, None);
            }
            let text = text!("wait-fetching-own", name = &server.name, count = count);
            plan.waiting.push((Subject::Database(name), text));
        }
    }
}

fn own(
    scene: Scene<'_>,
    (server, seen): (Database<'_>, &DatabaseSeen),
    (limit, saved): (u64, Option<&Saved>),
) -> Own {
    let Scene { desired, observed, now } = scene;
    let holds = seen.holds(server.id);
    // Heartbeats that no database received are no loss: then nothing was found worth saving.
    if holds > limit && saved.is_none_or(|s| s.count > 0) {
        return Own::More;
    }
    let others = desired.members().filter_map(|s| fresh(observed, &s.name, now)).map(|s| s.holds(server.id));
    let lacks = others.chain([limit]).max().unwrap_or(limit).saturating_sub(holds);
    let failed = seen.channels.values().any(|l| l.error != 0);
    // They were sent to it, and it skipped them.
    let passed = seen.claims() > 0 && seen.channels.values().any(|l| l.received.last(server.id) > holds);
    match lacks {
        0 if seen.claims() > 0 => Own::Claims,
        0 => Own::Whole,
        count if failed || passed => Own::Lost(count),
        _ if seen.claims() > 0 => Own::Claims,
        count => Own::Lacks(count),
    }
}
