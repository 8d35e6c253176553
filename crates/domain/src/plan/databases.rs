//! The databases: channels in every direction between the members, writes only where the desired state wants them.

use crate::db::DatabaseSeen;
use crate::db::failover::{self, decide, lost};
use crate::db::senders::left_behind;
use crate::decision::{Basis, Decision};
use crate::desired::{Database, Membership};
use crate::ids::{Millis, ProcessId, ServerName};
use crate::observed::{Observed, STALE};
use crate::scene::Scene;
use crate::step::{HostStep, SqlStep, Step, Subject};
use crate::text;
use crate::text::Text;

use super::Plan;
use super::draining::{drains, stays};

mod joining;
mod mesh;
mod opening;
mod returning;
mod rows;
mod stalled;
mod torn;
pub(super) mod watched;

use joining::joining;
use mesh::{acks, channels, drop_links, unlink};
pub(super) use mesh::{opens_first, received};
use opening::open;
pub use opening::{Opening, opening};

/// Milliseconds of delay up to which a database counts as caught up.
const NEAR: u64 = 1_000;

/// A former writer whose process ended this many times within seconds of its start does not come back with its data.
const REFUSALS: u32 = 3;

/// Milliseconds of silence after which a leaving external database is released as it is.
const LET_GO: u64 = crate::figures::LET_GO;

/// Reports whether a database has been silent for so long that nobody waits any longer for what is on it.
fn away(observed: &Observed, name: &ServerName, now: Millis) -> bool {
    observed.silent_for(name, now).is_some_and(|ms| ms >= LET_GO)
}

/// Reports whether an external database came back with another id (its file was altered). It would skip the writes
/// of the database that has that id, so Cordée does nothing with it except keep it closed.
fn astray(server: Database<'_>, seen: &DatabaseSeen) -> bool {
    !server.is_ours() && seen.server_id != server.id && *server.membership != Membership::Released
}

fn fresh<'a>(observed: &'a Observed, name: &ServerName, now: Millis) -> Option<&'a DatabaseSeen> {
    observed.databases.get(name)?.fresh(now, STALE)
}

pub(super) fn plan(plan: &mut Plan, scene: Scene<'_>) {
    let Scene { desired, observed, now } = scene;
    let seen_servers = || {
        desired
            .databases()
            .filter(|s| !s.stopped() || stays(scene, *s))
            .filter_map(|s| Some((s, fresh(observed, &s.name, now)?)))
            .filter(|(s, seen)| !astray(*s, seen))
    };
    strays(plan, scene);
    for (server, seen) in seen_servers() {
        // Closing comes before anything else.
        if !desired.takes_writes(server) && !seen.read_only && !drains(scene, server) {
            plan.steps.push(Step::Sql(SqlStep::CloseDatabase { name: server.name.clone() }));
        }
        if !desired.is_writer(&server.name) && seen.semi_sync {
            plan.steps.push(Step::Sql(SqlStep::SetSemiSync { name: server.name.clone(), on: false }));
        }
    }
    for (server, seen) in seen_servers() {
        watched::events(plan, scene, (server, seen));
    }
    writer(plan, scene);
    let ids = left_behind(scene);
    if let Some(name) = desired.writer.clone().filter(|_| !ids.is_empty()) {
        plan.steps.push(Step::Sql(SqlStep::EndSenders { name, ids }));
    }
    let lost = lost(scene).is_some();
    // Not while the writer changes: the new writer needs all resources.
    let still = !lost && desired.handover.is_none();
    let held = observed.held.as_ref().filter(|h| still && now < h.until);
    for (server, seen) in seen_servers() {
        watched::plan(plan, scene, (server, seen), still);
        // Until the channels are freed, no other step on a channel ends.
        if !lost && stalled::plan(plan, scene, (server, seen)) {
            continue;
        }
        drop_links(plan, desired, server, seen);
        match server.membership {
            Membership::Member => {
                channels(plan, scene, (server, seen), lost, held);
                if still {
                    torn::plan(plan, scene, (server, seen));
                }
                acks(plan, desired, server, seen);
                rows::plan(plan, scene, server, seen);
            }
            Membership::Leaving => leaving(plan, scene, server, seen),
            Membership::Joining => joining(plan, scene, server, seen),
            Membership::Returning { limit, saved } => {
                let own = (*limit, saved.as_ref());
                returning::plan(plan, scene, (server, seen), own);
            }
            Membership::Diverged(_) => unlink(plan, server, seen),
            // A copy that is under way is aborted first.
            Membership::Released if observed.copies.contains_key(&server.name) => {}
            Membership::Released => {
                plan.steps
                    .push(Step::Sql(SqlStep::ReleaseDatabase { name: server.name.clone(), id: server.id }));
            }
        }
    }
    unasked(plan, scene);
    for (server, seen) in seen_servers() {
        if desired.takes_writes(server) && desired.handover.is_none() {
            open(plan, scene, server, seen);
            if still {
                watched::zones(plan, scene, (server, seen));
            }
        }
    }
}

/// Plans what needs no answer from the database: for databases that have ended, are silent, or have diverged.
fn unasked(plan: &mut Plan, scene: Scene<'_>) {
    let Scene { desired, observed, now } = scene;
    for server in desired.databases() {
        let process = observed.process(&server.process());
        let dead = server.stopped() || process.leader.is_none();
        if !server.is_ours() {
            if matches!(server.membership, Membership::Leaving | Membership::Released)
                && away(observed, &server.name, now)
            {
                plan.steps.push(Step::Wish(Decision::LetGo(Basis::of(desired, &server))));
            }
            continue;
        }
        match server.membership {
            // It cannot be asked any more: what only it had is not available. A database that is to stop may be open
            // until it has ended: before that, its slot among the row numbers is not free.
            Membership::Leaving if process.leader.is_none() => {
                plan.steps.push(Step::Wish(Decision::Forget(Basis::of(desired, &server))));
            }
            // MariaDB refuses to take back what precedes a statement that cannot be taken back, and ends.
            Membership::Returning { saved: Some(saved), .. }
                if saved.count > 0
                    && dead
                    && process.failures >= REFUSALS
                    && process.ended_at >= process.started_at =>
            {
                plan.steps.push(Step::Wish(Decision::Expel { of: Basis::of(desired, &server), lacks: 0 }));
            }
            // What only this database had is saved, and its folder is moved to the trash, not deleted.
            Membership::Diverged(_) if super::donor::donor(scene).is_some() => {
                plan.steps.push(Step::Wish(Decision::Recopy(Basis::of(desired, &server))));
            }
            _ => {}
        }
    }
}

/// Keeps databases closed that came back with another id.
fn strays(plan: &mut Plan, scene: Scene<'_>) {
    let Scene { desired, observed, now } = scene;
    for server in desired.databases() {
        if let Some(seen) = fresh(observed, &server.name, now).filter(|seen| astray(server, seen)) {
            let text = text!("wait-astray", name = &server.name, id = seen.server_id, wanted = server.id);
            plan.waiting.push((Subject::Database(server.name.clone()), text));
            if !seen.read_only {
                plan.steps.push(Step::Sql(SqlStep::CloseDatabase { name: server.name.clone() }));
            }
        }
    }
}

/// Plans what was decided about the writer.
fn writer(plan: &mut Plan, scene: Scene<'_>) {
    let Scene { desired, observed, .. } = scene;
    let Some(writer) = &desired.writer else { return };
    let mut wait = |why: Text| plan.waiting.push((Subject::Database(writer.clone()), why));
    match decide(scene) {
        failover::Decision::Keep => {}
        failover::Decision::Restart(why) | failover::Decision::Wait(why) => wait(why),
        failover::Decision::Fence { pid } => {
            plan.steps.push(Step::Host(HostStep::KillProcess {
                id: ProcessId::Database(writer.clone()),
                pids: vec![pid],
            }));
        }
        failover::Decision::Prepare { stop, waiting } => {
            wait(waiting);
            for on in stop {
                plan.steps.push(Step::Sql(SqlStep::StopChannel { on, from: writer.clone(), whole: false }));
            }
        }
        failover::Decision::Close => {
            plan.steps.push(Step::Sql(SqlStep::CloseDatabase { name: writer.clone() }));
        }
        failover::Decision::Elect { to, limit } => {
            let Some(candidate) = desired.db.server(&to) else { return };
            // While all databases write, transactions that only the lost writer has are one more writer's work, and
            // come back with it; except those that may use the numbers that the new writer assigns.
            let limit = limit.filter(|last| !watched::comes_back(desired, observed, writer, *last));
            let (id, asked) = (candidate.id, desired.handover.as_ref().map(|h| h.at));
            plan.steps.push(Step::Wish(Decision::Elect { to, id, epoch: desired.epoch + 1, limit, asked }));
        }
        failover::Decision::Abandon(why) => {
            if let Some(handover) = &desired.handover {
                // The database that was to become the writer may be gone by now: the promotion is given up all the
                // same.
                let (name, at) = (handover.to.clone(), handover.at);
                let id = desired.db.server(&name).map_or(0, |s| s.id);
                let of = Basis { name, id, epoch: desired.epoch };
                plan.steps.push(Step::Wish(Decision::AbandonHandover { of, at, why }));
            }
        }
    }
}

/// Closes a leaving database; once every member that is on has all that it wrote, the database is forgotten or
/// released.
fn leaving(plan: &mut Plan, scene: Scene<'_>, server: Database<'_>, seen: &DatabaseSeen) {
    let Scene { desired, observed, now } = scene;
    if !seen.read_only {
        return;
    }
    let behind = |peer: &Database<'_>| {
        fresh(observed, &peer.name, now).is_none_or(|p| p.holds(server.id) < seen.written.last(server.id))
    };
    // While all the other databases are stopped, none confirms that it has the writes.
    let on: Vec<Database<'_>> = desired.members().filter(|s| !s.stopped()).collect();
    let lacks = if on.is_empty() { desired.members().next() } else { on.into_iter().find(behind) };
    match lacks {
        None if !server.is_ours() => {
            plan.steps.push(Step::Wish(Decision::Release(Basis::of(desired, &server))));
        }
        None => plan.steps.push(Step::Wish(Decision::Forget(Basis::of(desired, &server)))),
        Some(peer) => {
            let text = text!("wait-leaving", name = &server.name, peer = &peer.name);
            plan.waiting.push((Subject::Database(server.name.clone()), text));
        }
    }
}

#[cfg(test)]
mod tests;
