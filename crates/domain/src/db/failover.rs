//! Decides who writes when the writer is lost.
//!
//! Another database takes over only when it certainly holds every write that was acknowledged: semi-synchronous
//! replication was in force at the last look at the writer, and the candidate has applied everything it received.
//! Otherwise the lost writer is started again where its data are, which loses nothing, or a person decides. A writer
//! that is frozen or silent is ended before another database is opened, so that there are never two writers.

use std::collections::BTreeSet;

use crate::desired::{Database, HANDOVER_LIMIT, Handover, Run};
use crate::fault::Fault;
use crate::ids::{Millis, PoolId, ProcessId, ServerName};
use crate::observed::{Observed, ProcessSeen, STALE};
use crate::scene::Scene;
use crate::seen::Seen;
use crate::text;
use crate::text::Text;

use super::promise::{ACK_LIMIT, Promise};
use super::{Channel, DatabaseSeen, Thread};

/// Milliseconds that a writer may be frozen before it counts as lost.
pub const FROZEN: u64 = crate::figures::FROZEN;
/// Milliseconds without an answer from the writer, to Cordée and to every standby, before it counts as lost.
pub const SILENT: u64 = crate::figures::SILENT;

/// Milliseconds that a standby has to become ready before the lost writer is started again where its data are.
pub const PATIENCE: u64 = crate::figures::ELECTION_PATIENCE;

/// Milliseconds after the end of the writer's process within which a standby normally notices the end of its
/// connection. A standby that still receives later is told to stop.
const NOTICES: u64 = 50;

/// How the writer was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lost {
    /// Its process is gone.
    Dead {
        /// Since when; absent if Cordée did not run at that time.
        since: Option<Millis>,
    },
    /// Its process exists but does nothing.
    Stuck {
        /// Since when.
        since: Millis,
        /// Its process, if Cordée can end it.
        pid: Option<u32>,
    },
}

/// What to do about the writer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Do nothing: the writer is not lost, or not known to be lost.
    Keep,
    /// End the writer for good before another database is opened.
    Fence {
        /// The writer's process.
        pid: u32,
    },
    /// Start the writer again where its data are, with the reason why no other database takes over.
    Restart(Text),
    /// Make these standbys stop receiving from the writer, then wait until they have applied what they have.
    Prepare {
        /// Standbys whose receiving thread still runs.
        stop: Vec<ServerName>,
        /// What is being waited for.
        waiting: Text,
    },
    /// Close the present writer for a planned change.
    Close,
    /// Another database writes from now on.
    Elect {
        /// Which one.
        to: ServerName,
        /// The last number of the lost writer's domain that the new writer holds; absent for a planned change.
        limit: Option<u64>,
    },
    /// Give up the planned change, with the reason.
    Abandon(Text),
    /// Open no database, with what is being waited for.
    Wait(Text),
}

/// Returns how the writer was lost, or `None` if it was not. An overloaded writer is not lost: a server that answers
/// "too many connections" is alive, and so is a server from which a standby still receives.
pub fn lost(scene: Scene<'_>) -> Option<Lost> {
    let Scene { desired, observed, now } = scene;
    let writer = desired.writer_server()?;
    let ours = writer.is_ours();
    let process = observed.process(&writer.process());
    let pid = process.leader.as_ref().map(|l| l.pid);
    if ours {
        if !observed.initialised.contains_key(&writer.name) {
            return None;
        }
        let Some(leader) = &process.leader else {
            return Some(Lost::Dead { since: silent_since(process) });
        };
        if let Some(since) = process.frozen_since
            && leader.frozen
            && now.saturating_sub(since) >= FROZEN
        {
            return Some(Lost::Stuck { since, pid });
        }
    }
    let Some(Seen::Failed { last: Some(last), why }) = observed.databases.get(&writer.name) else {
        return None;
    };
    let long_ago = |at: Millis| now.saturating_sub(at) >= SILENT;
    // If Cordée itself could not ask, the silence says nothing about the writer.
    if *why == Fault::TooMany || why.is_own() || !long_ago(*last) {
        return None;
    }
    let mut witnesses = desired
        .members()
        .filter(|s| s.name != writer.name)
        .filter_map(|s| observed.databases.get(&s.name)?.fresh(now, SILENT)?.channels.get(&writer.name))
        // A standby that does not even try to receive says nothing about the writer.
        .filter(|channel| channel.receiving != Thread::Stopped)
        .peekable();
    // If Cordée cannot end the writer, a person decides; the standbys may have stopped receiving from it already.
    let decided = !ours && desired.handover.as_ref().is_some_and(|h| h.accept_loss);
    let somebody = decided || witnesses.peek().is_some();
    let unheard = witnesses.all(|l| l.receiving == Thread::Connecting || l.heard_at.is_none_or(long_ago));
    (somebody && unheard).then_some(Lost::Stuck { since: *last, pid: pid.filter(|_| ours) })
}

/// Returns since when a process that ended has done nothing. The freeze counts only if it lasted at least
/// [`FROZEN`], after which Cordée ends the process for it; after a shorter freeze the process may have gone on and
/// acknowledged commits without an ACK, so its end counts.
pub fn silent_since(process: &ProcessSeen) -> Option<Millis> {
    let ended = process.ended_at?;
    process.frozen_since.filter(|frozen| ended.saturating_sub(*frozen) >= FROZEN).or(Some(ended))
}

/// Returns what the writer promises now. Every look updates the promise until the writer is lost; from then on it
/// stays unchanged.
pub fn promise(scene: Scene<'_>) -> Option<Promise> {
    let Scene { desired, observed, .. } = scene;
    let before = observed.promise.clone().filter(|p| p.epoch == desired.epoch);
    let writer = desired.writer_server()?;
    let process = observed.process(&writer.process());
    let gone = writer.is_ours() && process.leader.is_none();
    if gone || process.frozen_since.is_some() || lost(scene).is_some() {
        return before;
    }
    let Some(Seen::At(at, seen)) = observed.databases.get(&writer.name) else { return before };
    if seen.read_only || before.as_ref().is_some_and(|p| p.at >= *at) {
        return before;
    }
    let min_seqno = seen.written.last(writer.id);
    // A log that was reset numbers from the beginning: the standbys confirm its new transactions, but skip them as
    // known.
    let reset =
        seen.applied.last(writer.id) > min_seqno || before.as_ref().is_some_and(|p| min_seqno < p.min_seqno);
    if !seen.promises() || reset {
        return None;
    }
    let mut standbys = BTreeSet::new();
    for peer in desired.members().filter(|s| s.name != writer.name) {
        let Some(Seen::At(looked, standby)) = observed.databases.get(&peer.name) else { continue };
        let runs = standby.channels.get(&writer.name).is_some_and(|l| l.receiving == Thread::Running);
        // A standby that gave ACKs counts until the next look at it.
        let counted = before.as_ref().is_some_and(|p| p.at >= *looked && p.standbys.contains(&peer.name));
        if runs || counted {
            standbys.insert(peer.name.clone());
        }
    }
    // While all of these standbys stop receiving for a step of Cordée's, the writer waits for no ACK
    // (`wait_no_slave=0`): what it acknowledges then, and since this look, may exist nowhere else.
    let deaf = standbys.iter().all(|name| observed.deaf.contains_key(name));
    if deaf || before.is_none() && observed.heard_again.is_some_and(|again| *at <= again) {
        return None;
    }
    let enough = standbys.len() >= usize::try_from(seen.acknowledging).unwrap_or(usize::MAX);
    enough.then_some(Promise { epoch: desired.epoch, at: *at, min_seqno, standbys })
}

/// Decides what to do about the writer. The same situation gives the same decision, so a Cordée that was killed
/// halfway continues where it stopped.
pub fn decide(scene: Scene<'_>) -> Decision {
    let Scene { desired, observed, .. } = scene;
    let Some(writer) = desired.writer_server() else { return Decision::Keep };
    let decision = storable(scene, writer);
    let Some(why) = &observed.own.unwritable else { return decision };
    let why = || text!("failover-unwritable", why = why.clone());
    match decision {
        // If the epoch is not stored, the next Cordée does not know it and would open the former writer beside the
        // new one. Starting the lost writer again where its data are needs no decision.
        Decision::Elect { .. } | Decision::Prepare { .. } if desired.handover.is_none() => {
            alone(writer, why())
        }
        Decision::Elect { .. } | Decision::Prepare { .. } | Decision::Close | Decision::Abandon(_) => {
            Decision::Wait(why())
        }
        decision => decision,
    }
}

/// Decides as if decisions can be stored.
fn storable(scene: Scene<'_>, writer: Database<'_>) -> Decision {
    let Scene { desired, .. } = scene;
    let lost = lost(scene);
    if let Some(handover) = &desired.handover
        && (lost.is_none() || handover.accept_loss)
    {
        return planned(scene, writer, handover, lost);
    }
    let Some(lost) = lost else { return Decision::Keep };
    match (&desired.handover, replace(scene, writer, lost)) {
        // The change was asked for while the writer was alive; the loss now decides.
        (Some(_), Decision::Restart(why) | Decision::Wait(why)) => Decision::Abandon(why),
        (_, decision) => decision,
    }
}

/// Decides who takes the place of a lost writer.
fn replace(scene: Scene<'_>, writer: Database<'_>, lost: Lost) -> Decision {
    let Scene { desired, observed, now } = scene;
    let name = &writer.name;
    let since = match lost {
        Lost::Dead { since } => since,
        // The writer is ended for good before another database is opened. If no database can take over, it is
        // started again.
        Lost::Stuck { pid: Some(pid), .. } => return Decision::Fence { pid },
        // The writer may be alive, and acknowledge commits to the clients that still reach it.
        Lost::Stuck { pid: None, .. } => return Decision::Wait(text!("failover-cut-off", name = name)),
    };
    let held = observed
        .promise
        .as_ref()
        .filter(|p| p.epoch == desired.epoch)
        .filter(|p| since.is_some_and(|since| p.at + ACK_LIMIT >= since));
    let (Some(promise), Some(since)) = (held, since) else {
        return alone(writer, text!("failover-no-promise", name = name));
    };
    match candidate(scene, writer, promise, since) {
        Candidate::None(why) => alone(writer, why),
        Candidate::Ready { to, limit } => Decision::Elect { to, limit: Some(limit) },
        // The data of the lost writer are complete where they are: by now starting it again is quicker.
        Candidate::Later { waiting, .. } if now.saturating_sub(since) > PATIENCE => alone(writer, waiting),
        Candidate::Later { stop, waiting } => Decision::Prepare { stop, waiting },
    }
}

/// Decides when no database can take over.
fn alone(writer: Database<'_>, why: Text) -> Decision {
    match writer.runtime {
        Run::Process { .. } => Decision::Restart(why),
        Run::External => Decision::Wait(why),
    }
}

enum Candidate {
    /// Nobody, with the reason.
    None(Text),
    /// A candidate will be ready once these standbys have stopped receiving and what is waited for has happened.
    Later { stop: Vec<ServerName>, waiting: Text },
    /// This database, which holds the lost writer's domain up to `limit`.
    Ready { to: ServerName, limit: u64 },
}

/// Returns the standby that received most. Each ACK came from one standby only, so Cordée must ask every standby
/// that may have given one, and no other standby may hold more than the candidate.
fn candidate(scene: Scene<'_>, writer: Database<'_>, promise: &Promise, since: Millis) -> Candidate {
    let Scene { desired, observed, now } = scene;
    let away = |name: &ServerName| Candidate::None(text!("failover-standby-away", name = name));
    if let Some(name) = promise.standbys.iter().find(|n| !desired.members().any(|s| s.name == **n)) {
        return away(name);
    }
    // The standby's ACKs count, but it lacks rows from earlier.
    let lacking = |n: &&ServerName| desired.database(n).is_some_and(|s| observed.lacks(desired, s));
    if let Some(name) = promise.standbys.iter().find(lacking) {
        return Candidate::None(text!("failover-doubted", name = name));
    }
    let (mut all, mut stop, mut asking) = (Vec::new(), Vec::new(), false);
    let ended = observed.process(&writer.process()).ended_at;
    // Sorted by name, so that the order in which the databases were added does not matter.
    let mut others: Vec<Database<'_>> = desired.members().filter(|s| s.name != writer.name).collect();
    others.sort_by(|a, b| a.name.cmp(&b.name));
    for server in others {
        let name = &server.server.name;
        let promised = promise.standbys.contains(name);
        let process = observed.process(&ProcessId::Database(name.clone()));
        // What it had received and not applied was lost with its process (MariaDB with GTID asks the writer for it
        // again).
        let anew = process.started_at.is_some_and(|at| at > promise.at);
        let asked = observed.databases.get(name).filter(|_| alive(server, observed) && !anew);
        let channel = match asked {
            Some(Seen::At(at, seen)) => seen.channels.get(&writer.name).map(|channel| (*at, seen, channel)),
            _ => None,
        };
        let Some((at, seen, channel)) = channel else {
            // A standby that connected after the promise was seen may have given the last ACK.
            let lately = process.ended_at.max(process.frozen_since).is_some_and(|at| at > promise.at);
            if promised || lately || anew {
                return away(name);
            }
            continue;
        };
        if at_rest(channel, at, ended) {
            if at >= since && now.saturating_sub(at) <= SILENT {
                all.push((name, seen, channel));
                continue;
            }
        } else if ended.is_some_and(|ended| at >= ended + NOTICES) {
            stop.push(name.clone());
        }
        asking = true;
    }
    if asking {
        return Candidate::Later { stop, waiting: text!("failover-asking", name = &writer.name) };
    }
    let received =
        |seen: &DatabaseSeen, channel: &Channel| channel.received.last(writer.id).max(seen.holds(writer.id));
    let most = all.iter().map(|(_, seen, channel)| received(seen, channel)).max().unwrap_or(0);
    if most < promise.min_seqno {
        let count = promise.min_seqno - most;
        return Candidate::None(text!("failover-behind", name = &writer.name, count = count));
    }
    let whole = |name: &ServerName| !desired.database(name).is_some_and(|s| observed.lacks(desired, s));
    let mut candidates =
        all.iter().filter(|(name, seen, channel)| received(seen, channel) == most && whole(name));
    if let Some((name, _, _)) = candidates.clone().find(|(_, seen, channel)| unapplied(seen, channel) == 0) {
        return Candidate::Ready { to: (*name).clone(), limit: most };
    }
    match candidates.find(|(_, _, channel)| channel.applying) {
        Some((name, seen, channel)) => Candidate::Later {
            stop: Vec::new(),
            waiting: text!("failover-applying", name = *name, count = unapplied(seen, channel)),
        },
        None => Candidate::None(text!("failover-cannot-apply", name = &writer.name)),
    }
}

/// Reports whether nothing more arrives over a channel from a writer whose process ended at `ended`, by a look at
/// the standby that began at `at`. Either the receiving thread was stopped; or it has read everything that was sent,
/// has met the end of its connection, and tries to reconnect. It cannot succeed: a lost writer is started again only
/// once no standby tries any more (`plan/hosts`). A look from before the end of the process does not count: a frozen
/// process may go on, and send.
///
/// An election that waits for stops waits for eight channels, with two disk writes each, on eight databases at once.
pub(super) fn at_rest(channel: &Channel, at: Millis, ended: Option<Millis>) -> bool {
    match channel.receiving {
        Thread::Stopped => true,
        Thread::Connecting => ended.is_some_and(|ended| at > ended),
        Thread::Running => false,
    }
}

/// Returns how many transactions a channel received that are not applied yet, without those of the database's own
/// domain: of these the database holds what its log has, and it does not apply those that come back.
pub(super) fn unapplied(seen: &DatabaseSeen, channel: &Channel) -> u64 {
    let others = channel.received.0.iter().filter(|(domain, _)| **domain != seen.server_id);
    others.map(|(domain, last)| last.saturating_sub(seen.holds(*domain))).sum()
}

/// Reports whether the database is on, and its process runs and is not frozen. An external database counts as alive.
fn alive(server: Database<'_>, observed: &Observed) -> bool {
    let process = observed.process(&server.process());
    !server.stopped() && (!server.is_ours() || process.leader.as_ref().is_some_and(|l| !l.frozen))
}

/// Decides about a change of writer that a person asked for: close the writer, catch up, open the other database.
fn planned(scene: Scene<'_>, writer: Database<'_>, handover: &Handover, lost: Option<Lost>) -> Decision {
    let Scene { desired, observed, now } = scene;
    let to = &handover.to;
    if now > handover.at + HANDOVER_LIMIT {
        return Decision::Abandon(text!("handover-late", name = to));
    }
    let doubted = |s: Database<'_>| observed.lacks(desired, s) && !handover.accept_loss;
    if desired.members().any(|s| s.name == *to && doubted(s)) {
        return Decision::Abandon(text!("failover-doubted", name = to));
    }
    let ready = desired.members().any(|s| s.name == *to && alive(s, observed));
    let runs = observed.process(&ProcessId::Database(to.clone())).leader.is_some();
    let (at, candidate) = match observed.databases.get(to) {
        Some(Seen::At(at, candidate)) if ready => (at, candidate),
        // Cordée has just been started and has not looked at it yet.
        unasked if ready && (unasked.is_some_and(|s| *s == Seen::Never) || unasked.is_none() && runs) => {
            if let Some(Lost::Stuck { pid: Some(pid), .. }) = lost {
                return Decision::Fence { pid };
            }
            return Decision::Wait(text!("failover-asking", name = &writer.name));
        }
        _ => return Decision::Abandon(text!("handover-away", name = to)),
    };
    if *at < handover.at || now.saturating_sub(*at) > SILENT {
        return Decision::Wait(text!("failover-asking", name = &writer.name));
    }
    let Some(channel) = candidate.channels.get(&writer.name) else {
        return Decision::Abandon(text!("handover-away", name = to));
    };
    if let Some(lost) = lost {
        return forced(writer, to, *at, candidate, channel, lost);
    }
    if !channel.applying || channel.receiving != Thread::Running {
        return Decision::Abandon(text!("handover-link", name = to, from = &writer.name));
    }
    if !out_of_service(scene) {
        return Decision::Wait(text!("handover-proxy"));
    }
    let old = match observed.databases.get(&writer.name) {
        // An earlier look says nothing: an opening of the writer may have been under way at that time.
        Some(Seen::At(at, old)) if old.read_only && *at >= handover.at => old,
        Some(Seen::At(..)) => return Decision::Close,
        _ => return Decision::Wait(text!("handover-away", name = &writer.name)),
    };
    let missing: u64 =
        old.written.0.iter().map(|(domain, last)| last.saturating_sub(candidate.holds(*domain))).sum();
    if missing > 0 {
        return Decision::Wait(text!("handover-catching-up", name = to, count = missing));
    }
    Decision::Elect { to: to.clone(), limit: None }
}

/// Reports whether HAProxy `db` sends no connection to the writer, or does not run.
fn out_of_service(scene: Scene<'_>) -> bool {
    let Scene { desired, observed, now } = scene;
    let seen = observed.proxy(PoolId::Db);
    if observed.process(&ProcessId::Proxy(PoolId::Db)).leader.is_none() {
        return true;
    }
    let Some(writer) = &desired.writer else { return true };
    seen.running
        .fresh(now, STALE)
        .and_then(|r| r.servers.get(writer))
        .is_some_and(|s| s.maintenance && s.writer_maintenance)
}

/// Decides when the writer is lost and a person accepts losing what only the writer holds.
fn forced(
    writer: Database<'_>,
    to: &ServerName,
    at: Millis,
    candidate: &DatabaseSeen,
    channel: &Channel,
    lost: Lost,
) -> Decision {
    if let Lost::Stuck { pid: Some(pid), .. } = lost {
        return Decision::Fence { pid };
    }
    let since = match lost {
        Lost::Dead { since } => since.unwrap_or(0),
        Lost::Stuck { since, .. } => since,
    };
    if channel.receiving != Thread::Stopped {
        let waiting = text!("failover-asking", name = &writer.name);
        return Decision::Prepare { stop: vec![to.clone()], waiting };
    }
    if at < since {
        return Decision::Wait(text!("failover-asking", name = &writer.name));
    }
    let missing = unapplied(candidate, channel);
    if channel.applying && missing > 0 {
        return Decision::Wait(text!("failover-applying", name = to, count = missing));
    }
    let holds = candidate.holds(writer.id);
    Decision::Elect { to: to.clone(), limit: Some(holds) }
}

/// Returns the databases that write a heartbeat of their own now. None does before the writer is open: positions
/// that are being compared must not move. A database that lacks transactions of its own domain which others have
/// does not either: its own write would reuse the number of a transaction that crash recovery took back.
pub fn beating(scene: Scene<'_>) -> BTreeSet<ServerName> {
    let Scene { desired, observed, now } = scene;
    let fresh = |name: &ServerName| observed.databases.get(name)?.fresh(now, SILENT);
    let writes = |server: Database<'_>| {
        desired.takes_writes(server) && fresh(&server.name).is_some_and(|seen| !seen.read_only)
    };
    let open = desired.handover.is_none() && desired.members().any(writes);
    desired
        .members()
        .filter(|s| open && !s.stopped())
        .filter(|s| {
            let Some(seen) = fresh(&s.name) else { return false };
            // An external database that came back with another member's id would write in that member's name.
            if !s.is_ours() && seen.server_id != s.id {
                return false;
            }
            // A database that is open was compared before it was opened, and writes faster than Cordée looks at it.
            if !seen.read_only {
                return true;
            }
            let known = desired.members().filter_map(|p| fresh(&p.name)).map(|p| p.holds(s.id)).max();
            seen.claims() == 0 && seen.written.last(s.id) >= known.unwrap_or(0)
        })
        .map(|s| s.name.clone())
        .collect()
}

#[cfg(test)]
pub(crate) mod tests;
