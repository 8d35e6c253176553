//! The channels between the databases, and which databases send ACKs for what they receive.

use super::opening::unasked;
use super::{astray, fresh};
use crate::db::channels::altered;
use crate::db::failover::PATIENCE;
use crate::db::{DatabaseSeen, Thread};
use crate::desired::{Database, Desired, Membership};
use crate::ids::ServerName;
use crate::observed::{HeldChannel, Observed, STALE};
use crate::plan::Plan;
use crate::scene::Scene;
use crate::seen::Seen;
use crate::step::{SqlStep, Step};

/// Plans a full mesh: every member copies every other one, each over a channel of its own, named after the copied
/// database.
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

/// Reports whether the database that took over from a former writer is not open yet, and may be soon: until then no
/// database, and no processor, is to be busy with anything else. The process of the former writer is gone, and is
/// started again only after no database tries to receive from it any more (`received`), so nothing arrives over its
/// channels.
pub(in crate::plan) fn opens_first(scene: Scene<'_>, former: Database<'_>) -> bool {
    let Scene { desired, observed, now } = scene;
    let writer = desired.writer.as_ref().and_then(|writer| fresh(observed, writer, now));
    gone(observed, former) && lately(scene, former) && writer.is_none_or(|writer| writer.read_only)
}

/// Reports whether the server is one of Cordée's, and its process is gone.
fn gone(observed: &Observed, server: Database<'_>) -> bool {
    server.is_ours() && observed.process(&server.process()).leader.is_none()
}

/// Reports whether it is this database's turn to stop receiving from a former writer. If the process of the former
/// writer is gone, the databases do so one after the other, the new writer last: each of them briefly stops
/// receiving from all other databases too, and the new writer waits for an ACK from one of them. After as long as an
/// election may take, no database waits for its turn.
fn stops_now(scene: Scene<'_>, former: Database<'_>, on: &ServerName) -> bool {
    if !gone(scene.observed, former) || !lately(scene, former) {
        return true;
    }
    let deaf = &scene.observed.deaf;
    let others_hear =
        scene.desired.members().all(|member| member.name == *on || !deaf.contains_key(&member.name));
    !opens_first(scene, former) && others_hear && received(scene, former).is_none_or(|first| first == on)
}

/// Reports whether the process of a former writer ended no longer ago than an election may take.
fn lately(Scene { observed, now, .. }: Scene<'_>, former: Database<'_>) -> bool {
    let ended = observed.process(&former.process()).ended_at;
    ended.is_some_and(|at| now.saturating_sub(at) <= PATIENCE)
}

/// Returns a database that still receives from a former writer, or tries to, or may do so because it was never asked
/// or does not answer now. The process of the former writer is started again only when there is no such database:
/// otherwise what only its log holds, unacknowledged, would reach the others before it was compared. A database that
/// does not answer is waited for no longer than an election may take; a database that came back with another id is
/// not waited for at all, because Cordée does nothing with it.
pub(in crate::plan) fn received<'a>(scene: Scene<'a>, former: Database<'_>) -> Option<&'a ServerName> {
    let Scene { desired, observed, now } = scene;
    let lately = lately(scene, former);
    let tries = |seen: &DatabaseSeen| {
        seen.channels.get(&former.name).is_some_and(|channel| channel.receiving != Thread::Stopped)
    };
    let receives = |peer: &Database<'_>| match observed.databases.get(&peer.name) {
        Some(Seen::At(at, seen)) => {
            let young = lately || now.saturating_sub(*at) <= STALE;
            young && tries(seen) && !astray(*peer, seen)
        }
        Some(Seen::Failed { last, .. }) => lately && last.is_some(),
        Some(Seen::Never) | None => unasked(observed, &former, *peer),
    };
    let may = |peer: &Database<'_>| {
        let copies = match peer.membership {
            Membership::Member | Membership::Joining | Membership::Returning { .. } => true,
            Membership::Leaving | Membership::Diverged(_) | Membership::Released => false,
        };
        copies && !peer.stopped() && peer.name != former.name && runs(observed, *peer)
    };
    let of =
        |is_writer: bool| desired.databases().filter(move |peer| desired.is_writer(&peer.name) == is_writer);
    let peer = of(false).chain(of(true)).find(|peer| may(peer) && receives(peer));
    peer.map(|peer| &peer.server.name)
}

/// Reports whether a database may act: its process exists, or the database is external.
fn runs(observed: &Observed, server: Database<'_>) -> bool {
    !server.is_ours() || observed.process(&server.process()).leader.is_some()
}

/// Plans to drop the channels to a database that is gone, or that is another one of the same name.
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

/// Members send ACKs for what they receive. A new database that is still catching up does not: its ACK would count
/// as that of a standby that can take over.
pub(super) fn acks(plan: &mut Plan, desired: &Desired, server: Database<'_>, seen: &DatabaseSeen) {
    acks_of(plan, server, seen, desired.members().any(|s| s.id == server.id));
}

pub(super) fn acks_of(plan: &mut Plan, server: Database<'_>, seen: &DatabaseSeen, on: bool) {
    if seen.acks != on {
        plan.steps.push(Step::Sql(SqlStep::SetAcks { name: server.name.clone(), on }));
    }
}

/// Stops the channels of a database that is no member.
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
