//! Interruptions that Cordée has just caused itself. They raise no alarm unless they last.

use crate::db::DatabaseSeen;
use crate::desired::{Database, Membership};
use crate::ids::Millis;
use crate::observed::Observed;
use crate::scene::Scene;
use crate::seen::Seen;
use crate::step::Subject;

/// Milliseconds after its cause during which an interruption counts as transitional. Afterwards it is reported as a
/// fault.
pub const GRACE: u64 = crate::figures::PASSAGE;

/// Whether the channel by which `on` replicates from `from` is being started: Cordée stopped the channels of `on` a
/// moment ago, `on` has just been started, or `from` is being created or has just come back. A channel that broke
/// because its peer failed is not being started.
pub fn linking(observed: &Observed, on: Database<'_>, from: Database<'_>, now: Millis) -> bool {
    there(observed, from, now)
        && (unborn(observed, from)
            || started(observed, on, now)
            || rested(observed, on, now)
            || back(observed, from, now))
}

/// Whether a writer whose commits no standby confirms has only just been opened, or its standby is only just being
/// connected to it. If neither the writer nor a standby changed a moment ago, the answer is no.
pub fn confirmed_soon(scene: Scene<'_>, writer: Database<'_>, seen: &DatabaseSeen) -> bool {
    let Scene { desired, observed, now } = scene;
    let opened = young(seen.opened_at, now);
    desired.databases().filter(|s| s.name != writer.name && !s.stopped()).any(|peer| {
        match peer.membership {
            Membership::Member => {
                there(observed, peer, now)
                    && (opened
                        || started(observed, peer, now)
                        || rested(observed, peer, now)
                        || back(observed, peer, now))
            }
            // The former writer is coming back, and will confirm commits then.
            Membership::Returning { .. } => opened,
            Membership::Joining | Membership::Leaving | Membership::Released | Membership::Diverged(_) => {
                false
            }
        }
    })
}

/// Whether the peer is up, or about to be started for the first time since Cordée itself was started.
fn there(observed: &Observed, peer: Database<'_>, now: Millis) -> bool {
    let process = observed.process(&peer.process());
    let first = process.leader.is_none() && process.ended_at.is_none() && process.trouble.is_none();
    let lives = process.leader.as_ref().is_some_and(|l| !l.frozen) || first;
    let silent = match observed.databases.get(&peer.name) {
        // A database that is starting may already answer a short query, but not yet a long one.
        Some(Seen::Failed { last, .. }) => last.is_some() && !started(observed, peer, now),
        _ => false,
    };
    !peer.stopped() && lives && !silent
}

/// Whether the peer is being created: there is nothing yet to replicate from.
fn unborn(observed: &Observed, peer: Database<'_>) -> bool {
    let process = peer.process();
    !observed.initialised.contains_key(&peer.name)
        && !observed.backoffs.contains_key(&Subject::Process(process.name()))
}

fn started(observed: &Observed, server: Database<'_>, now: Millis) -> bool {
    young(observed.process(&server.process()).started_at, now)
}

/// Whether the server has only just begun to answer again. The channels that depend on it need another moment.
fn back(observed: &Observed, server: Database<'_>, now: Millis) -> bool {
    young(observed.back.get(&server.name).copied(), now)
}

fn rested(observed: &Observed, server: Database<'_>, now: Millis) -> bool {
    // A channel that a drill keeps stopped must be shown as interrupted.
    if observed.held.as_ref().is_some_and(|held| held.on == server.name && now < held.until) {
        return false;
    }
    let target = Subject::Database(server.name.clone());
    let failed = observed.backoffs.contains_key(&target) || observed.in_vain(&target, now);
    !failed && young(observed.rests.get(&server.name).map(|rest| rest.since), now)
}

fn young(at: Option<Millis>, now: Millis) -> bool {
    at.is_some_and(|at| now.saturating_sub(at) < GRACE)
}
