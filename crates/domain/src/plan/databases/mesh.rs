//! The channels between the databases, and who confirms what it receives over them.

use super::fresh;
use crate::db::channels::altered;
use crate::db::failover::PATIENCE;
use crate::db::{DatabaseSeen, Thread};
use crate::desired::{Database, Desired, Membership};
use crate::ids::ServerName;
use crate::observed::{HeldChannel, Observed};
use crate::plan::Plan;
use crate::scene::Scene;
use crate::step::{SqlStep, Step};

/// A full mesh: every member copies every other one, each over a channel of its own, named after the copied one.
pub(super) fn channels(
    plan: &mut Plan,
    scene: Scene<'_>,
    (server, seen): (Database<'_>, &DatabaseSeen),
    lost: bool,
    held: Option<&HeldChannel>,
) {
    let desired = scene.desired;
    for peer in desired.databases().filter(|s| s.name != server.name) {
        let (on, from) = (server.name.clone(), peer.name.clone());
        let channel = seen.channels.get(&peer.name);
        if matches!(peer.membership, Membership::Joining | Membership::Diverged(_) | Membership::Released) {
            continue;
        }
        if !matches!(peer.membership, Membership::Member | Membership::Leaving) {
            if channel.is_some_and(|l| l.receiving != Thread::Stopped) && stops_now(scene, peer, &on) {
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

/// Whether the one that took over from a former writer is yet to be opened, and may be soon: no database, and no
/// processor, is to be busy with anything else. The process of the former one is gone, and is started again only after
/// nobody tries to receive from it any more (`received`), so nothing comes over its channels.
pub(in crate::plan) fn opens_first(scene: Scene<'_>, former: Database<'_>) -> bool {
    let Scene { desired, observed, now } = scene;
    let ended = observed.process(&former.process()).ended_at;
    let lately = ended.is_some_and(|at| now.saturating_sub(at) <= PATIENCE);
    let writer = desired.writer.as_ref().and_then(|writer| fresh(observed, writer, now));
    gone(observed, former) && lately && writer.is_none_or(|writer| writer.read_only)
}

/// Whether its process is one of ours, and is not there.
fn gone(observed: &Observed, server: Database<'_>) -> bool {
    server.is_ours() && observed.process(&server.process()).leader.is_none()
}

/// Whether it is this one's turn to stop receiving from a former writer. Where that one's process is gone they do so one
/// after the other: each stops receiving from all others with it for a moment, and the new writer waits for an ACK of
/// one of them.
fn stops_now(scene: Scene<'_>, former: Database<'_>, on: &ServerName) -> bool {
    if !gone(scene.observed, former) {
        return true;
    }
    !opens_first(scene, former) && received(scene, former).is_none_or(|first| first == on)
}

/// Who still receives from a former writer, or tries to. Its process is started again only when nobody does: what its
/// log holds and nobody has acknowledged would reach the others before anybody has compared it.
pub(in crate::plan) fn received<'a>(scene: Scene<'a>, former: Database<'_>) -> Option<&'a ServerName> {
    let Scene { desired, observed, now } = scene;
    let receives = |peer: &Database<'_>| {
        let channel = fresh(observed, &peer.name, now).and_then(|seen| seen.channels.get(&former.name));
        channel.is_some_and(|channel| channel.receiving != Thread::Stopped)
    };
    let peer = desired.members().find(|peer| !peer.stopped() && peer.name != former.name && receives(peer));
    peer.map(|peer| &peer.server.name)
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
