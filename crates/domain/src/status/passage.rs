//! What stands still for a moment because Cordée has just changed it: no alarm, unless it lasts.

use crate::db::DatabaseSeen;
use crate::desired::{Database, Membership};
use crate::ids::Millis;
use crate::observed::Observed;
use crate::scene::Scene;
use crate::seen::Seen;
use crate::step::Subject;

/// For so many milliseconds after its cause it is a passage; afterwards it is called what it is.
pub const GRACE: u64 = crate::figures::PASSAGE;

/// Whether the channel by which `on` copies `from` is being started: Cordée had it rest a moment ago, or one of the two
/// has just begun, or come back. A channel that broke because its peer fell is none of that.
pub fn linking(observed: &Observed, on: Database<'_>, from: Database<'_>, now: Millis) -> bool {
    there(observed, from, now)
        && (unborn(observed, from)
            || started(observed, on, now)
            || rested(observed, on, now)
            || back(observed, from, now))
}

/// Whether a writer of which nobody confirms anything has only just been opened, or its standby is only just being
/// linked to it. It is not for one that somebody confirmed and nobody touched.
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
            // The former writer comes back, and then it confirms.
            Membership::Returning { .. } => opened,
            Membership::Joining | Membership::Leaving | Membership::Released | Membership::Diverged(_) => {
                false
            }
        }
    })
}

/// Whether it is up, or about to be for the first time since Cordée knows of it.
fn there(observed: &Observed, peer: Database<'_>, now: Millis) -> bool {
    let process = observed.process(&peer.process());
    let first = process.leader.is_none() && process.ended_at.is_none() && process.trouble.is_none();
    let lives = process.leader.as_ref().is_some_and(|l| !l.frozen) || first;
    let silent = match observed.databases.get(&peer.name) {
        // One that is starting may answer a short question, and not yet a long one.
        Some(Seen::Failed { last, .. }) => last.is_some() && !started(observed, peer, now),
        _ => false,
    };
    !peer.stopped() && lives && !silent
}

/// Whether it is being made: there is nothing yet that could be copied from it.
fn unborn(observed: &Observed, peer: Database<'_>) -> bool {
    let process = peer.process();
    !observed.initialised.contains_key(&peer.name)
        && !observed.backoffs.contains_key(&Subject::Process(process.name()))
}

fn started(observed: &Observed, server: Database<'_>, now: Millis) -> bool {
    young(observed.process(&server.process()).started_at, now)
}

/// Whether it answers again since a moment ago: what hung on it needs another moment.
fn back(observed: &Observed, server: Database<'_>, now: Millis) -> bool {
    young(observed.back.get(&server.name).copied(), now)
}

fn rested(observed: &Observed, server: Database<'_>, now: Millis) -> bool {
    // What a drill holds down is meant to be seen.
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
