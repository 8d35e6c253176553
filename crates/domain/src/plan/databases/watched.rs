//! What Cordée set or needs on a database, and somebody altered: it is put right at once where that does no harm.

use super::fresh;
use crate::change::Change;
use crate::db::DatabaseSeen;
use crate::db::credentials::lacking;
use crate::db::detail::settings::{Way, wrong};
use crate::desired::{Desired, Server, Standing};
use crate::ids::Millis;
use crate::observed::Observed;
use crate::plan::Plan;
use crate::step::Step;

/// Milliseconds for which what was found of the accounts counts: two looks and a little.
pub(crate) const ACCOUNTS_STALE: u64 = 70_000;

/// `calm`: the writer is not lost, and does not change.
pub(super) fn plan(
    plan: &mut Plan,
    desired: &Desired,
    observed: &Observed,
    (server, seen): (&Server, &DatabaseSeen),
    calm: bool,
    now: Millis,
) {
    if !matches!(server.standing, Standing::Member | Standing::Joining) {
        return;
    }
    for wrong in wrong(desired, server, &seen.variables) {
        let still = wrong.way == Way::SetStill;
        if matches!(wrong.way, Way::Set | Way::SetStill) && (calm || !still) {
            let (name, variable, was) = (server.name.clone(), wrong.name, wrong.was);
            plan.steps.push(Step::SetVariable { name, variable, value: wrong.value, was, still });
        }
    }
    let accounts = observed.accounts.get(&server.name).and_then(|a| a.fresh(now, ACCOUNTS_STALE));
    if let Some(what) = accounts.filter(|_| server.standing == Standing::Member).and_then(lacking) {
        plan.steps.push(Step::MakeAccounts { name: server.name.clone(), what });
    }
    renumber(plan, desired, observed, (server, seen), now);
}

/// Milliseconds for which a doubt counts as the one that a reset log brought.
const LATELY: u64 = 60_000;

/// A database that takes writes and whose log has less of its own than came back to it: it is closed at each start, so
/// no crash did that; somebody reset its log. The others pass over what it writes until its numbers are above theirs.
fn renumber(
    plan: &mut Plan,
    desired: &Desired,
    observed: &Observed,
    (server, seen): (&Server, &DatabaseSeen),
    now: Millis,
) {
    if !desired.takes_writes(server) || seen.read_only || seen.claims() == 0 {
        return;
    }
    // Itself too, unless the others are compared with it: what they passed over, it alone has.
    let mut others = desired.members().filter(|s| s.id != server.id || !desired.is_writer(&server.name));
    let unsaid = |s: &&Server| {
        desired.doubts.get(&s.id).is_none_or(|d| !d.lacks || now.saturating_sub(d.since) > LATELY)
    };
    // Stored first: afterwards nothing shows that there was anything.
    if let Some(peer) = others.find(unsaid) {
        let (name, by) = (peer.name.clone(), server.name.clone());
        plan.steps.push(Step::Commit(Change::Doubt { name, at: now, by }));
        return;
    }
    let known = desired.members().filter_map(|s| fresh(observed, &s.name, now)).map(|s| s.holds(server.id));
    let after = known.chain([seen.applied.last(server.id)]).max().unwrap_or(0);
    plan.steps.push(Step::Renumber { name: server.name.clone(), id: server.id, after });
}
