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
    /// It may be opened.
    Open,
    /// Not yet: what it lacks is on its way.
    Later(Text),
    /// No, with the reason.
    Refused(Text),
    /// The database cannot be asked now, or another one that runs was not asked yet.
    Unknown,
}

/// Decides whether `server` may take writes: not while a member that answers holds transactions that it lacks.
/// Transactions of its own domain it would skip as its own, and lose; those of other domains arrive over a running
/// channel. A peer whose channel stopped with an error delays nothing: the error is shown and repaired, not waited
/// for.
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
    // A peer that does not answer may hold what this database's position claims and its log does not have.
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
            // While all databases write, the others do not stand still to be counted: a small delay is enough.
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

/// Reports whether another database may be open because it has not been asked yet: Cordée has just been started. A
/// database that did not answer was asked; a frozen one cannot be asked.
pub(super) fn unasked(observed: &Observed, server: &Database<'_>, other: Database<'_>) -> bool {
    let process = observed.process(&other.process());
    let runs = process.leader.as_ref().is_some_and(|leader| !leader.frozen);
    let never = observed.databases.get(&other.name).is_none_or(|seen| *seen == Seen::Never);
    other.name != server.name && other.is_ours() && runs && never
}

/// Reports whether a database that was last seen open keeps another one closed. An external database that has been
/// silent since a person gave its writes to another one does not: nobody can end it, and Cordée closes it as soon as
/// it answers.
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
    // Waiting for an ACK makes sense only while a standby that is caught up can give one (otherwise the first write
    // after an outage would wait for the timeout).
    let standby_ready = desired.members().filter(|s| s.name != *name).any(|s| {
        fresh(observed, &s.name, now).and_then(|d| d.channels.get(name)).is_some_and(|l| {
            l.receiving == Thread::Running && l.applying && l.delay_ms.is_some_and(|d| d < NEAR)
        })
    });
    if standby_ready && !seen.semi_sync && seen.schema {
        plan.steps.push(Step::Sql(SqlStep::SetSemiSync { name: name.clone(), on: true }));
    }
}
