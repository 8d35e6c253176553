//! The links between the databases, and who confirms what it receives over them.

use crate::db::links::altered;
use crate::db::{DatabaseSeen, Thread};
use crate::desired::{Database, Desired, Standing};
use crate::observed::HeldLink;
use crate::plan::Plan;
use crate::step::{SqlStep, Step};

/// A full mesh: every member copies every other one, each over a link of its own, named after the copied one.
pub(super) fn links(
    plan: &mut Plan,
    desired: &Desired,
    server: Database<'_>,
    seen: &DatabaseSeen,
    lost: bool,
    held: Option<&HeldLink>,
) {
    for peer in desired.databases().filter(|s| s.name != server.name) {
        let (on, from) = (server.name.clone(), peer.name.clone());
        let link = seen.links.get(&peer.name);
        if matches!(peer.standing, Standing::Joining | Standing::Diverged(_) | Standing::Released) {
            continue;
        }
        if !matches!(peer.standing, Standing::Member | Standing::Leaving) {
            if link.is_some_and(|l| l.receiving != Thread::Stopped) {
                plan.steps.push(Step::Sql(SqlStep::StopLink { on, from, whole: false }));
            }
            continue;
        }
        if lost && desired.is_writer(&peer.name) {
            continue;
        }
        if held.is_some_and(|h| (&h.on, &h.from) == (&on, &from)) {
            if link.is_some_and(|l| l.receiving != Thread::Stopped) {
                plan.steps.push(Step::Sql(SqlStep::StopLink { on, from, whole: false }));
            }
            continue;
        }
        match link {
            None => plan.steps.push(Step::Sql(SqlStep::SetLink { on, from })),
            // A link that stopped with an error waits for a person: starting it again would hide the error.
            Some(link) if !altered(link, peer).is_empty() => {
                plan.steps.push(Step::Sql(SqlStep::ResetLink {
                    on,
                    from,
                    was: altered(link, peer).join(", "),
                }));
            }
            Some(link) if link.error == 0 && (link.receiving == Thread::Stopped || !link.applying) => {
                plan.steps.push(Step::Sql(SqlStep::StartLink { on, from }));
            }
            Some(_) => {}
        }
    }
}

/// Links to a database that is gone, or that is another one by the same name.
pub(super) fn drop_links(plan: &mut Plan, desired: &Desired, server: Database<'_>, seen: &DatabaseSeen) {
    for from in seen.links.keys() {
        let out = |peer: Database<'_>| {
            matches!(peer.standing, Standing::Joining | Standing::Diverged(_) | Standing::Released)
        };
        if desired.database(from).is_none_or(out) {
            plan.steps.push(Step::Sql(SqlStep::DropLink { on: server.name.clone(), from: from.clone() }));
        }
    }
}

/// Members confirm what they receive; a new one that is still catching up does not, because its word would stand for
/// a standby that can take over.
pub(super) fn receipts(plan: &mut Plan, desired: &Desired, server: Database<'_>, seen: &DatabaseSeen) {
    receipts_of(plan, server, seen, desired.members().any(|s| s.id == server.id));
}

pub(super) fn receipts_of(plan: &mut Plan, server: Database<'_>, seen: &DatabaseSeen, on: bool) {
    if seen.receipts != on {
        plan.steps.push(Step::Sql(SqlStep::SetReceipts { name: server.name.clone(), on }));
    }
}

/// A database that is no member copies nobody.
pub(super) fn unlink(plan: &mut Plan, server: Database<'_>, seen: &DatabaseSeen) {
    for (from, link) in &seen.links {
        if link.receiving != Thread::Stopped || link.applying {
            plan.steps.push(Step::Sql(SqlStep::StopLink {
                on: server.name.clone(),
                from: from.clone(),
                whole: true,
            }));
        }
    }
}
