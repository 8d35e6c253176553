//! The status of a database, from its data folder to its first answer. The status of a database that answers is in
//! [`super::replication`].

use crate::db::DatabaseSeen;
use crate::db::failover::{Decision, decide};
use crate::desired::{Database, Membership};
use crate::figures::DATABASE_STALE;
use crate::ids::Millis;
use crate::observed::CopySeen;
use crate::reason::Reason;
use crate::scene::Scene;
use crate::seen::Seen;
use crate::state::{Severity, State, Status};
use crate::step::Subject;
use crate::text;
use crate::text::Text;

use super::process::{frozen, stopped, taken};
use super::replication::replication;
use super::{by_whom, unknown};

/// Returns the status of a database.
pub fn database(scene: Scene<'_>, server: Database<'_>) -> Status {
    let Scene { desired, observed, now } = scene;
    let id = server.process();
    let process = observed.process(&id);
    if server.stopped() {
        return if process.leader.is_some() {
            Status::bare(Severity::Progress, State::Stopping)
        } else {
            Status::new(Severity::Maintenance, State::Stopped, by_whom(desired, &server))
        };
    }
    if *server.membership == Membership::Released {
        return Status::bare(Severity::Progress, State::Leaving);
    }
    if let Some(copy) = observed.copies.get(&server.name) {
        // A failed copy is tried again, and the reason of the failure stays visible.
        if let Some(backoff) = observed.backoffs.get(&Subject::Process(id.name())) {
            let reason = text!("reason-copying-again", why = &backoff.why, how = copying(copy, now));
            return Status::new(Severity::Critical, State::CopyFailed, reason);
        }
        return Status::new(Severity::Progress, State::Copying, copying(copy, now));
    }
    if observed.own.unread.contains(&server.name) {
        let reason = text!("wait-unread", name = &server.name);
        return Status::new(Severity::Unknown, State::Unknown, reason);
    }
    if observed.initialised.get(&server.name) != Some(&server.id) {
        let target = Subject::Process(id.name());
        if let Some(backoff) = observed.backoffs.get(&target) {
            return Status::new(Severity::Critical, State::CopyFailed, backoff.why.clone());
        }
        return Status::bare(Severity::Progress, State::Creating);
    }
    if process.leader.is_none() && server.is_ours() {
        let status = stopped(process, now);
        // For a database that is not the present writer, the end of its process is shown as such. For the present
        // writer the status also says what Cordée waits for.
        return match (decide(scene), process.trouble.clone()) {
            (Decision::Restart(and) | Decision::Wait(and), Some(why)) if desired.is_writer(&server.name) => {
                Status::new(Severity::Critical, State::Down, Reason::Writer { why, and })
            }
            _ => status,
        };
    }
    if let Some(status) = frozen(process, false) {
        return status;
    }
    if let Some(status) = taken(process, &server).filter(|_| server.is_ours()) {
        return status;
    }
    if process.leader.as_ref().is_some_and(|l| server.outdates(l.server, l.generation)) {
        return Status::bare(Severity::Progress, State::Restarting);
    }
    let seen = observed.databases.get(&server.name).cloned().unwrap_or_default();
    match &seen {
        Seen::Never => Status::bare(Severity::Progress, State::Starting),
        // If Cordée itself was unable to ask, nothing is known about the database.
        Seen::Failed { why, .. } if why.is_own() => {
            Status::new(Severity::Unknown, State::Unknown, why.clone())
        }
        Seen::Failed { why, .. } => {
            // During crash recovery a database does not answer yet.
            let recovering = process.started_at.is_some_and(|at| now.saturating_sub(at) < 10_000);
            let person = match decide(scene) {
                Decision::Wait(and) if desired.is_writer(&server.name) => Some(and),
                _ => None,
            };
            if recovering && server.is_ours() {
                Status::bare(Severity::Progress, State::Starting)
            } else if let Some(and) = person {
                let reason = Reason::Writer { why: why.clone(), and };
                Status::new(Severity::Critical, State::Unreachable, reason)
            } else {
                Status::new(Severity::Critical, State::Unreachable, why.clone())
            }
        }
        Seen::At(..) => match seen.fresh(now, DATABASE_STALE) {
            None => unknown(seen.last(), now),
            Some(database) => {
                elsewhere(server, database).unwrap_or_else(|| replication(scene, server, database))
            }
        },
    }
}

/// Returns a status that only an external database can have.
fn elsewhere(server: Database<'_>, seen: &DatabaseSeen) -> Option<Status> {
    if server.is_ours() {
        return None;
    }
    if seen.server_id != server.id {
        let (id, wanted) = (seen.server_id, server.id);
        let reason = text!("wait-astray", name = &server.name, id = id, wanted = wanted);
        return Some(Status::new(Severity::Critical, State::Astray, reason));
    }
    matches!(server.membership, Membership::Diverged(_))
        .then(|| Status::new(Severity::Critical, State::Diverged, text!("reason-diverged-external")))
}

/// Describes how far a copy has come, and how much longer it takes at the present pace.
fn copying(copy: &CopySeen, now: Millis) -> Text {
    let percent = copy.percent();
    if percent == 0 {
        return text!("reason-copy-begins", donor = &copy.donor);
    }
    let elapsed = now.saturating_sub(copy.since);
    let rest = copy.total.saturating_sub(copy.done);
    let seconds = rest.saturating_mul(elapsed) / copy.done.max(1) / 1_000;
    text!("reason-copying", donor = &copy.donor, percent = percent, seconds = seconds)
}
