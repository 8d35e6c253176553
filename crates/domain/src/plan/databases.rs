//! The databases: links in every direction between the members, writes only where they are wished.

use crate::change::Change;
use crate::db::failover::{Decision, decide, lost};
use crate::db::{DatabaseSeen, Thread};
use crate::desired::{Desired, Power, Routing, Server, Standing};
use crate::ids::{Millis, ServerName};
use crate::observed::{Observed, ProcessId, STALE};
use crate::step::{Step, Target};
use crate::text;
use crate::text::Text;

use super::Plan;

/// Milliseconds of delay up to which a database counts as caught up.
const NEAR: u64 = 1_000;

/// Whether a database may be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opening {
    /// Yes.
    Open,
    /// Not yet: what it lacks is on its way.
    Later(Text),
    /// No, and why.
    Refused(Text),
    /// It cannot be asked now.
    Unknown,
}

/// Whether `server` may take writes: not while a member that answers holds transactions that it lacks. Those of
/// its own domain it would skip as its own, and lose; those of another arrive over a link that runs. A peer whose
/// link stands with an error holds up nobody: that is shown and repaired, not waited for.
pub fn opening(desired: &Desired, observed: &Observed, server: &Server, now: Millis) -> Opening {
    let Some(seen) = fresh(observed, &server.name, now) else { return Opening::Unknown };
    for peer in desired.members().filter(|s| s.name != server.name) {
        let Some(other) = fresh(observed, &peer.name, now) else { continue };
        let missing = |domain: u32| other.holds(domain).saturating_sub(seen.holds(domain));
        let own = other.holds(server.id).saturating_sub(seen.written.last(server.id));
        if own > 0 {
            return Opening::Refused(text!(
                "wait-writer-behind",
                writer = server.name.as_str(),
                peer = peer.name.as_str(),
                count = own
            ));
        }
        let Some(link) = seen.links.get(&peer.name).filter(|l| l.error == 0) else { continue };
        if !other.read_only {
            // Where all write, the others do not stand still to be counted: a small delay is enough.
            if link.delay_ms.is_none_or(|ms| ms > NEAR) {
                let text = text!("wait-near", name = server.name.as_str(), peer = peer.name.as_str());
                return Opening::Later(text);
            }
            continue;
        }
        let domains = other.written.0.keys().chain(other.applied.0.keys());
        let most = domains.map(|d| missing(*d)).max().unwrap_or(0);
        if most > 0 {
            return Opening::Later(text!(
                "wait-catching-up",
                name = server.name.as_str(),
                peer = peer.name.as_str(),
                count = most
            ));
        }
    }
    Opening::Open
}

fn fresh<'a>(observed: &'a Observed, name: &ServerName, now: Millis) -> Option<&'a DatabaseSeen> {
    observed.databases.get(name)?.fresh(now, STALE)
}

pub(super) fn plan(plan: &mut Plan, desired: &Desired, observed: &Observed, now: Millis) {
    let seen_servers = || {
        desired
            .db
            .servers
            .iter()
            .filter(|s| s.power == Power::On)
            .filter_map(|s| Some((s, fresh(observed, &s.name, now)?)))
    };
    for (server, seen) in seen_servers() {
        // Closed before anything else happens.
        if !desired.takes_writes(server) && !seen.read_only {
            plan.steps.push(Step::CloseDatabase { name: server.name.clone() });
        }
        if !desired.is_writer(&server.name) && seen.semi_sync {
            plan.steps.push(Step::SetSemiSync { name: server.name.clone(), on: false });
        }
    }
    writer(plan, desired, observed, now);
    let lost = lost(desired, observed, now).is_some();
    for (server, seen) in seen_servers() {
        if server.standing == Standing::Member {
            links(plan, desired, server, seen, lost);
        } else {
            unlink(plan, server, seen);
        }
        if let Standing::Returning { limit } = server.standing {
            returning(plan, server, seen, limit);
        }
    }
    for (server, seen) in seen_servers() {
        if desired.takes_writes(server) && desired.handover.is_none() {
            open(plan, desired, observed, server, seen, now);
        }
    }
}

/// What was decided about the writer.
fn writer(plan: &mut Plan, desired: &Desired, observed: &Observed, now: Millis) {
    let Some(writer) = &desired.writer else { return };
    let mut wait = |why: Text| plan.waiting.push((Target::Database(writer.clone()), why));
    match decide(desired, observed, now) {
        Decision::Keep => {}
        Decision::Restart(why) | Decision::Wait(why) => wait(why),
        Decision::Fence { pid } => {
            plan.steps.push(Step::KillProcess { id: ProcessId::Server(writer.clone()), pids: vec![pid] });
        }
        Decision::Prepare { stop, waiting } => {
            wait(waiting);
            for on in stop {
                plan.steps.push(Step::StopLink { on, from: writer.clone(), whole: false });
            }
        }
        Decision::Close => plan.steps.push(Step::CloseDatabase { name: writer.clone() }),
        Decision::Elect { to, limit } => {
            // Where all write, what the lost one alone has is one more writer's work, and comes back with it.
            let limit = limit.filter(|_| desired.routing == Routing::OneWriter);
            plan.steps.push(Step::Commit(Change::Elect { to, epoch: desired.epoch + 1, limit }));
        }
        Decision::Abandon(why) => {
            if let Some(handover) = &desired.handover {
                let name = handover.to.clone();
                plan.steps.push(Step::Commit(Change::AbandonHandover { name, why }));
            }
        }
    }
}

/// A full mesh: every member copies every other one, each over a link of its own, named after the copied one.
fn links(plan: &mut Plan, desired: &Desired, server: &Server, seen: &DatabaseSeen, lost: bool) {
    for peer in desired.db.servers.iter().filter(|s| s.name != server.name) {
        let (on, from) = (server.name.clone(), peer.name.clone());
        let link = seen.links.get(&peer.name);
        if peer.standing != Standing::Member {
            if link.is_some_and(|l| l.receiving != Thread::Stopped) {
                plan.steps.push(Step::StopLink { on, from, whole: false });
            }
            continue;
        }
        if lost && desired.is_writer(&peer.name) {
            continue;
        }
        match link {
            None => plan.steps.push(Step::SetLink { on, from }),
            // A link that stopped with an error waits for a person: starting it again would hide the error.
            Some(link) if link.error == 0 && (link.receiving == Thread::Stopped || !link.applying) => {
                plan.steps.push(Step::StartLink { on, from });
            }
            Some(_) => {}
        }
    }
}

/// A database that is no member copies nobody.
fn unlink(plan: &mut Plan, server: &Server, seen: &DatabaseSeen) {
    for (from, link) in &seen.links {
        if link.receiving != Thread::Stopped || link.applying {
            plan.steps.push(Step::StopLink { on: server.name.clone(), from: from.clone(), whole: true });
        }
    }
}

/// Whether a former writer holds anything that the others lack.
fn returning(plan: &mut Plan, server: &Server, seen: &DatabaseSeen, limit: u64) {
    if !seen.read_only || seen.links.values().any(|l| l.receiving != Thread::Stopped) {
        return;
    }
    let last = seen.written.last(server.id);
    let name = server.name.clone();
    plan.steps.push(if last <= limit {
        Step::Commit(Change::Readmit { name })
    } else {
        Step::SaveOwn { name, after: limit, last }
    });
}

fn open(
    plan: &mut Plan,
    desired: &Desired,
    observed: &Observed,
    server: &Server,
    seen: &DatabaseSeen,
    now: Millis,
) {
    let name = &server.name;
    if seen.read_only {
        match opening(desired, observed, server, now) {
            Opening::Open => {
                plan.steps.push(Step::OpenDatabase { name: name.clone(), epoch: desired.epoch });
            }
            Opening::Later(why) | Opening::Refused(why) => {
                plan.waiting.push((Target::Database(name.clone()), why));
            }
            Opening::Unknown => {}
        }
        return;
    }
    if !desired.is_writer(name) {
        return;
    }
    if !seen.schema {
        plan.steps.push(Step::CreateSchema { name: name.clone() });
    }
    // Waiting for a receipt is only worth it while somebody caught up can give one (otherwise the first
    // write after an outage would wait for the timeout).
    let standby_ready = desired.members().filter(|s| s.name != *name).any(|s| {
        fresh(observed, &s.name, now).and_then(|d| d.links.get(name)).is_some_and(|l| {
            l.receiving == Thread::Running && l.applying && l.delay_ms.is_some_and(|d| d < NEAR)
        })
    });
    if standby_ready && !seen.semi_sync && seen.schema {
        plan.steps.push(Step::SetSemiSync { name: name.clone(), on: true });
    }
}

#[cfg(test)]
mod tests;
