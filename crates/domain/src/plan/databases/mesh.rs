//! The channels between the databases, and who confirms what it receives over them.

use crate::db::channels::altered;
use crate::db::{DatabaseSeen, Thread};
use crate::desired::{Database, Desired, Membership};
use crate::observed::HeldChannel;
use crate::plan::Plan;
use crate::step::{SqlStep, Step};

/// A full mesh: every member copies every other one, each over a channel of its own, named after the copied one.
pub(super) fn channels(
    plan: &mut Plan,
    desired: &Desired,
    server: Database<'_>,
    seen: &DatabaseSeen,
    lost: bool,
    held: Option<&HeldChannel>,
) {
    for peer in desired.databases().filter(|s| s.name != server.name) {
        let (on, from) = (server.name.clone(), peer.name.clone());
        let channel = seen.channels.get(&peer.name);
        if matches!(peer.membership, Membership::Joining | Membership::Diverged(_) | Membership::Released) {
            continue;
        }
        if !matches!(peer.membership, Membership::Member | Membership::Leaving) {
            if channel.is_some_and(|l| l.receiving != Thread::Stopped) {
                plan.steps.push(Step::Sql(SqlStep::StopChannel { on, from, whole: false }));
            }
            continue;
        }
        if lost && desired.is_writer(&peer.name) {
            continue;
        }
        if held.is_some_and(|h| (&h.on, &h.from) == (&on, &from)) {
            if channel.is_some_and(|l| l.receiving != Thread::Stopped) {
                plan.steps.push(Step::Sql(SqlStep::StopChannel { on, from, whole: false }));
            }
            continue;
        }
        match channel {
            None => plan.steps.push(Step::Sql(SqlStep::SetChannel { on, from })),
            // A channel that stopped with an error waits for a person: starting it again would hide the error.
            Some(channel) if !altered(channel, peer).is_empty() => {
                plan.steps.push(Step::Sql(SqlStep::ResetChannel {
                    on,
                    from,
                    was: altered(channel, peer).join(", "),
                }));
            }
            Some(channel)
                if channel.error == 0 && (channel.receiving == Thread::Stopped || !channel.applying) =>
            {
                plan.steps.push(Step::Sql(SqlStep::StartChannel { on, from }));
            }
            Some(_) => {}
        }
    }
}

/// Channels to a database that is gone, or that is another one by the same name.
pub(super) fn drop_links(plan: &mut Plan, desired: &Desired, server: Database<'_>, seen: &DatabaseSeen) {
    for from in seen.channels.keys() {
        let out = |peer: Database<'_>| {
            matches!(peer.membership, Membership::Joining | Membership::Diverged(_) | Membership::Released)
        };
        if desired.database(from).is_none_or(out) {
            plan.steps.push(Step::Sql(SqlStep::DropChannel { on: server.name.clone(), from: from.clone() }));
        }
    }
}

/// Members confirm what they receive; a new one that is still catching up does not, because its word would stand for
/// a standby that can take over.
pub(super) fn acks(plan: &mut Plan, desired: &Desired, server: Database<'_>, seen: &DatabaseSeen) {
    acks_of(plan, server, seen, desired.members().any(|s| s.id == server.id));
}

pub(super) fn acks_of(plan: &mut Plan, server: Database<'_>, seen: &DatabaseSeen, on: bool) {
    if seen.acks != on {
        plan.steps.push(Step::Sql(SqlStep::SetAcks { name: server.name.clone(), on }));
    }
}

/// A database that is no member copies nobody.
pub(super) fn unlink(plan: &mut Plan, server: Database<'_>, seen: &DatabaseSeen) {
    for (from, channel) in &seen.channels {
        if channel.receiving != Thread::Stopped || channel.applying {
            plan.steps.push(Step::Sql(SqlStep::StopChannel {
                on: server.name.clone(),
                from: from.clone(),
                whole: true,
            }));
        }
    }
}
