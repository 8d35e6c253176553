//! The databases: links in every direction, one writer, and nobody else open.

use crate::db::{DatabaseSeen, Thread};
use crate::desired::{Desired, Power};
use crate::ids::{Millis, ServerName};
use crate::observed::{Observed, STALE};
use crate::step::{Step, Target};
use crate::text;
use crate::text::Text;

use super::Plan;

/// Whether the writer may be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opening {
    /// Yes.
    Open,
    /// No, and why.
    Refused(Text),
    /// It cannot be asked now.
    Unknown,
}

/// Whether the writer in the store may be opened: not while a database that answers holds transactions of
/// the writer's own domain that the writer lacks (they would be skipped as its own, and be lost).
pub fn opening(desired: &Desired, observed: &Observed, now: Millis) -> Opening {
    let Some(writer) = desired.writer.as_ref().and_then(|w| desired.db.server(w)) else {
        return Opening::Refused(text!("wait-no-writer"));
    };
    let Some(seen) = fresh(observed, &writer.name, now) else { return Opening::Unknown };
    for peer in desired.db.servers.iter().filter(|s| s.name != writer.name) {
        let Some(other) = fresh(observed, &peer.name, now) else { continue };
        let theirs = other.written.last(writer.id).max(other.applied.last(writer.id));
        let ours = seen.written.last(writer.id);
        if theirs > ours {
            return Opening::Refused(text!(
                "wait-writer-behind",
                writer = writer.name.as_str(),
                peer = peer.name.as_str(),
                count = theirs - ours
            ));
        }
    }
    Opening::Open
}

fn fresh<'a>(observed: &'a Observed, name: &ServerName, now: Millis) -> Option<&'a DatabaseSeen> {
    observed.databases.get(name)?.fresh(now, STALE)
}

pub(super) fn plan(plan: &mut Plan, desired: &Desired, observed: &Observed, now: Millis) {
    let servers = || desired.db.servers.iter().filter(|s| s.power == Power::On);
    for server in servers() {
        let Some(seen) = fresh(observed, &server.name, now) else { continue };
        if desired.is_writer(&server.name) {
            continue;
        }
        // Closed before anything else happens.
        if !seen.read_only {
            plan.steps.push(Step::CloseDatabase { name: server.name.clone() });
        }
        if seen.semi_sync {
            plan.steps.push(Step::SetSemiSync { name: server.name.clone(), on: false });
        }
    }
    for server in servers() {
        if let Some(seen) = fresh(observed, &server.name, now) {
            links(plan, desired, &server.name, seen);
        }
    }
    if let Some(writer) = &desired.writer
        && let Some(seen) = fresh(observed, writer, now)
        && servers().any(|s| s.name == *writer)
    {
        open(plan, desired, observed, writer, seen, now);
    }
}

/// A full mesh: every database copies every other one, each over a link of its own, named after the copied one.
fn links(plan: &mut Plan, desired: &Desired, on: &ServerName, seen: &DatabaseSeen) {
    for peer in desired.db.servers.iter().filter(|s| s.name != *on) {
        let (on, from) = (on.clone(), peer.name.clone());
        match seen.links.get(&peer.name) {
            None => plan.steps.push(Step::SetLink { on, from }),
            // A link that stopped with an error waits for a person: starting it again would hide the error.
            Some(link) if link.error == 0 && (link.receiving == Thread::Stopped || !link.applying) => {
                plan.steps.push(Step::StartLink { on, from });
            }
            Some(_) => {}
        }
    }
}

fn open(
    plan: &mut Plan,
    desired: &Desired,
    observed: &Observed,
    writer: &ServerName,
    seen: &DatabaseSeen,
    now: Millis,
) {
    if seen.read_only {
        match opening(desired, observed, now) {
            Opening::Open => {
                plan.steps.push(Step::OpenDatabase { name: writer.clone(), epoch: desired.epoch });
            }
            Opening::Refused(why) => plan.waiting.push((Target::Database(writer.clone()), why)),
            Opening::Unknown => {}
        }
        return;
    }
    if !seen.schema {
        plan.steps.push(Step::CreateSchema { name: writer.clone() });
    }
    // Waiting for a receipt is only worth it while somebody caught up can give one (otherwise the first
    // write after an outage would wait for the timeout).
    let standby_ready = desired.db.servers.iter().filter(|s| s.name != *writer).any(|s| {
        fresh(observed, &s.name, now).and_then(|d| d.links.get(writer)).is_some_and(|l| {
            l.receiving == Thread::Running && l.applying && l.delay_ms.is_some_and(|d| d < 1_000)
        })
    });
    if standby_ready && !seen.semi_sync && seen.schema {
        plan.steps.push(Step::SetSemiSync { name: writer.clone(), on: true });
    }
}
