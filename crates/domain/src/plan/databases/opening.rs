//! When a database is opened for writes.

use super::{NEAR, fresh, watched};
use crate::db::failover::SILENT;
use crate::db::{DatabaseSeen, Thread};
use crate::desired::{Database, Routing};
use crate::ids::{ProcessId, ServerName};
use crate::observed::Observed;
use crate::plan::Plan;
use crate::scene::Scene;
use crate::seen::Seen;
use crate::step::{SqlStep, Step, Subject};
use crate::text;
use crate::text::Text;

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
/// its own domain it would skip as its own, and lose; those of another arrive over a channel that runs. A peer whose
/// channel stands with an error holds up nobody: that is shown and repaired, not waited for.
pub fn opening(scene: Scene<'_>, server: Database<'_>) -> Opening {
    let Scene { desired, observed, now } = scene;
    let Some(seen) = fresh(observed, &server.name, now) else { return Opening::Unknown };
    if desired.routing == Routing::OneWriter
        && desired.databases().any(|other| unasked(observed, &server, other))
    {
        return Opening::Unknown;
    }
    if desired.routing == Routing::OneWriter
        && let Some(other) = observed.open.iter().find(|n| **n != server.name && holds_up(scene, n))
    {
        return Opening::Later(text!("wait-other-open", name = other));
    }
    if let Some(why) = watched::unnumbered(scene, (server, seen)) {
        return Opening::Later(why);
    }
    // A peer that does not answer may hold what the own position claims and the own log has not.
    if seen.claims() > 0 && desired.members().any(|s| s.name != server.name) {
        return Opening::Refused(text!("wait-writer-claims", name = &server.name, count = seen.claims()));
    }
    for peer in desired.members().filter(|s| s.name != server.name) {
        let Some(other) = fresh(observed, &peer.name, now) else { continue };
        let missing = |domain: u32| other.holds(domain).saturating_sub(seen.holds(domain));
        let own = other.holds(server.id).saturating_sub(seen.written.last(server.id));
        if own > 0 {
            return Opening::Refused(text!(
                "wait-writer-behind",
                writer = &server.name,
                peer = &peer.name,
                count = own
            ));
        }
        let Some(channel) = seen.channels.get(&peer.name).filter(|l| l.error == 0) else { continue };
        if !other.read_only {
            // Where all write, the others do not stand still to be counted: a small delay is enough.
            if channel.delay_ms.is_none_or(|ms| ms > NEAR) {
                let text = text!("wait-near", name = &server.name, peer = &peer.name);
                return Opening::Later(text);
            }
            continue;
        }
        let domains = other.written.0.keys().chain(other.applied.0.keys());
        let most = domains.map(|d| missing(*d)).max().unwrap_or(0);
        if most > 0 {
            return Opening::Later(text!(
                "wait-catching-up",
                name = &server.name,
                peer = &peer.name,
                count = most
            ));
        }
    }
    Opening::Open
}

/// Whether another database may be open because nobody has asked it yet: Cordée has just been started. One that gave no
/// answer was asked; one that is frozen cannot be.
pub(super) fn unasked(observed: &Observed, server: &Database<'_>, other: Database<'_>) -> bool {
    let process = observed.process(&other.process());
    let runs = process.leader.as_ref().is_some_and(|leader| !leader.frozen);
    let never = observed.databases.get(&other.name).is_none_or(|seen| *seen == Seen::Never);
    other.name != server.name && other.is_ours() && runs && never
}

/// Whether a database that was last seen open keeps another one closed. Not one of somebody else's that has been silent
/// since a person gave its writes to another: nobody can end it, and Cordée closes it as soon as it answers.
fn holds_up(scene: Scene<'_>, name: &ServerName) -> bool {
    let Scene { desired, observed, now } = scene;
    let Some(server) = desired.database(name) else {
        return observed.process(&ProcessId::Database(name.clone())).leader.is_some();
    };
    let silent = observed.silent_for(name, now).is_some_and(|ms| ms >= SILENT);
    server.is_ours() || desired.takes_writes(server) || !silent
}

pub(super) fn open(plan: &mut Plan, scene: Scene<'_>, server: Database<'_>, seen: &DatabaseSeen) {
    let Scene { desired, observed, now } = scene;
    let name = &server.name;
    if seen.read_only {
        match opening(scene, server) {
            Opening::Open => {
                plan.steps
                    .push(Step::Sql(SqlStep::OpenDatabase { name: name.clone(), epoch: desired.epoch }));
            }
            Opening::Later(why) | Opening::Refused(why) => {
                plan.waiting.push((Subject::Database(name.clone()), why));
            }
            Opening::Unknown => {}
        }
        return;
    }
    if !desired.is_writer(name) {
        return;
    }
    if !seen.schema {
        plan.steps.push(Step::Sql(SqlStep::CreateSchema { name: name.clone() }));
    }
    // Waiting for an ACK is only worth it while somebody caught up can give one (otherwise the first
    // write after an outage would wait for the timeout).
    let standby_ready = desired.members().filter(|s| s.name != *name).any(|s| {
        fresh(observed, &s.name, now).and_then(|d| d.channels.get(name)).is_some_and(|l| {
            l.receiving == Thread::Running && l.applying && l.delay_ms.is_some_and(|d| d < NEAR)
        })
    });
    if standby_ready && !seen.semi_sync && seen.schema {
        plan.steps.push(Step::Sql(SqlStep::SetSemiSync { name: name.clone(), on: true }));
    }
}
