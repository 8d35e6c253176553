//! The databases: links in every direction between the members, writes only where they are wished.

use crate::db::failover::{self, SILENT, decide, lost};
use crate::db::links::altered;
use crate::db::senders::left_behind;
use crate::db::{DatabaseSeen, Thread};
use crate::decision::{Basis, Decision};
use crate::desired::{Database, Desired, Routing, Standing};
use crate::ids::{Millis, ServerName};
use crate::observed::{HeldLink, Observed, ProcessId, STALE};
use crate::step::{HostStep, SqlStep, Step, Target};
use crate::text;
use crate::text::Text;

use super::Plan;
use super::draining::drains;

mod returning;
mod rows;
mod stalled;
mod torn;
pub(super) mod watched;

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
pub fn opening(desired: &Desired, observed: &Observed, server: Database<'_>, now: Millis) -> Opening {
    let Some(seen) = fresh(observed, &server.name, now) else { return Opening::Unknown };
    if desired.routing == Routing::OneWriter
        && let Some(other) =
            observed.open.iter().find(|n| **n != server.name && holds_up(desired, observed, n, now))
    {
        return Opening::Later(text!("wait-other-open", name = other));
    }
    if let Some(why) = watched::unnumbered(desired, observed, (server, seen), now) {
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
        let Some(link) = seen.links.get(&peer.name).filter(|l| l.error == 0) else { continue };
        if !other.read_only {
            // Where all write, the others do not stand still to be counted: a small delay is enough.
            if link.delay_ms.is_none_or(|ms| ms > NEAR) {
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

/// Whether a database that was last seen open keeps another one closed. Not one of somebody else's that has been silent
/// since a person gave its writes to another: nobody can end it, and Cordée closes it as soon as it answers.
fn holds_up(desired: &Desired, observed: &Observed, name: &ServerName, now: Millis) -> bool {
    let Some(server) = desired.database(name) else {
        return observed.process(&ProcessId::Server(name.clone())).leader.is_some();
    };
    let silent = observed.silent_for(name, now).is_some_and(|ms| ms >= SILENT);
    server.is_ours() || desired.takes_writes(server) || !silent
}

/// A former writer that ended so often within seconds of its start does not come back with its data.
const REFUSALS: u32 = 3;

/// Milliseconds of silence after which a leaving database of somebody else's is let go as it is.
const LET_GO: u64 = crate::figures::LET_GO;

/// Whether it has been asked in vain for so long that what is on it stays there.
fn away(observed: &Observed, name: &ServerName, now: Millis) -> bool {
    observed.silent_for(name, now).is_some_and(|ms| ms >= LET_GO)
}

/// Somebody else's that has come back under another id (its file was altered): it would skip the writes of whoever has
/// that id, so nothing is done with it but to keep it closed.
fn astray(server: Database<'_>, seen: &DatabaseSeen) -> bool {
    !server.is_ours() && seen.server_id != server.id && *server.standing != Standing::Released
}

fn fresh<'a>(observed: &'a Observed, name: &ServerName, now: Millis) -> Option<&'a DatabaseSeen> {
    observed.databases.get(name)?.fresh(now, STALE)
}

pub(super) fn plan(plan: &mut Plan, desired: &Desired, observed: &Observed, now: Millis) {
    let seen_servers = || {
        desired
            .databases()
            .filter(|s| !s.stopped())
            .filter_map(|s| Some((s, fresh(observed, &s.name, now)?)))
            .filter(|(s, seen)| !astray(*s, seen))
    };
    strays(plan, desired, observed, now);
    for (server, seen) in seen_servers() {
        // Closed before anything else happens.
        if !desired.takes_writes(server) && !seen.read_only && !drains(desired, observed, server, now) {
            plan.steps.push(Step::Sql(SqlStep::CloseDatabase { name: server.name.clone() }));
        }
        if !desired.is_writer(&server.name) && seen.semi_sync {
            plan.steps.push(Step::Sql(SqlStep::SetSemiSync { name: server.name.clone(), on: false }));
        }
    }
    for (server, seen) in seen_servers() {
        watched::events(plan, desired, observed, (server, seen), now);
    }
    writer(plan, desired, observed, now);
    let ids = left_behind(desired, observed, now);
    if let Some(name) = desired.writer.clone().filter(|_| !ids.is_empty()) {
        plan.steps.push(Step::Sql(SqlStep::EndSenders { name, ids }));
    }
    let lost = lost(desired, observed, now).is_some();
    // Never while the writer changes: the one that takes over needs what it can get.
    let still = !lost && desired.handover.is_none();
    let held = observed.held.as_ref().filter(|h| still && now < h.until);
    for (server, seen) in seen_servers() {
        watched::plan(plan, desired, observed, (server, seen), still, now);
        // Until then no other step at a link comes to an end.
        if !lost && stalled::plan(plan, desired, observed, (server, seen), now) {
            continue;
        }
        drop_links(plan, desired, server, seen);
        match server.standing {
            Standing::Member => {
                links(plan, desired, server, seen, lost, held);
                if still {
                    torn::plan(plan, desired, observed, (server, seen), now);
                }
                receipts(plan, desired, server, seen);
                rows::plan(plan, desired, observed, server, seen, now);
            }
            Standing::Leaving => leaving(plan, desired, observed, server, seen, now),
            Standing::Joining => joining(plan, desired, observed, server, seen, now),
            Standing::Returning { limit, saved } => {
                let own = (*limit, saved.as_ref());
                returning::plan(plan, desired, observed, (server, seen), own, now);
            }
            Standing::Diverged(_) => unlink(plan, server, seen),
            // A copy under way is broken off first.
            Standing::Released if observed.copies.contains_key(&server.name) => {}
            Standing::Released => {
                plan.steps
                    .push(Step::Sql(SqlStep::ReleaseDatabase { name: server.name.clone(), id: server.id }));
            }
        }
    }
    for server in desired.databases() {
        let name = server.name.clone();
        let process = observed.process(&ProcessId::Server(name.clone()));
        let dead = server.stopped() || process.leader.is_none();
        if !server.is_ours() {
            if matches!(server.standing, Standing::Leaving | Standing::Released)
                && away(observed, &server.name, now)
            {
                plan.steps.push(Step::Wish(Decision::LetGo(Basis::of(desired, &server))));
            }
            continue;
        }
        match server.standing {
            // It cannot be asked any more: what it alone had is not to be had.
            Standing::Leaving if dead => {
                plan.steps.push(Step::Wish(Decision::Forget(Basis::of(desired, &server))));
            }
            // MariaDB refuses to take back what came before a statement that cannot be taken back, and ends.
            Standing::Returning { saved: Some(saved), .. }
                if saved.count > 0
                    && dead
                    && process.failures >= REFUSALS
                    && process.ended_at >= process.started_at =>
            {
                plan.steps.push(Step::Wish(Decision::Expel { of: Basis::of(desired, &server), lacks: 0 }));
            }
            // What it alone had is saved, and its folder goes to the trash, not away.
            Standing::Diverged(_) if super::hosts::donor(desired, observed, now).is_some() => {
                plan.steps.push(Step::Wish(Decision::Recopy(Basis::of(desired, &server))));
            }
            _ => {}
        }
    }
    for (server, seen) in seen_servers() {
        if desired.takes_writes(server) && desired.handover.is_none() {
            open(plan, desired, observed, server, seen, now);
            if still {
                watched::zones(plan, desired, observed, (server, seen), now);
            }
        }
    }
}

/// Those that came back as another one are kept closed.
fn strays(plan: &mut Plan, desired: &Desired, observed: &Observed, now: Millis) {
    for server in desired.databases() {
        if let Some(seen) = fresh(observed, &server.name, now).filter(|seen| astray(server, seen)) {
            let text = text!("wait-astray", name = &server.name, id = seen.server_id, wanted = server.id);
            plan.waiting.push((Target::Database(server.name.clone()), text));
            if !seen.read_only {
                plan.steps.push(Step::Sql(SqlStep::CloseDatabase { name: server.name.clone() }));
            }
        }
    }
}

/// What was decided about the writer.
fn writer(plan: &mut Plan, desired: &Desired, observed: &Observed, now: Millis) {
    let Some(writer) = &desired.writer else { return };
    let mut wait = |why: Text| plan.waiting.push((Target::Database(writer.clone()), why));
    match decide(desired, observed, now) {
        failover::Decision::Keep => {}
        failover::Decision::Restart(why) | failover::Decision::Wait(why) => wait(why),
        failover::Decision::Fence { pid } => {
            plan.steps.push(Step::Host(HostStep::KillProcess {
                id: ProcessId::Server(writer.clone()),
                pids: vec![pid],
            }));
        }
        failover::Decision::Prepare { stop, waiting } => {
            wait(waiting);
            for on in stop {
                plan.steps.push(Step::Sql(SqlStep::StopLink { on, from: writer.clone(), whole: false }));
            }
        }
        failover::Decision::Close => {
            plan.steps.push(Step::Sql(SqlStep::CloseDatabase { name: writer.clone() }));
        }
        failover::Decision::Elect { to, limit } => {
            let Some(heir) = desired.db.server(&to) else { return };
            // Where all write, what the lost one alone has is one more writer's work, and comes back with it: not what
            // may carry the numbers that the new one gives.
            let limit = limit.filter(|last| !watched::comes_back(desired, observed, writer, *last));
            let (id, asked) = (heir.id, desired.handover.as_ref().map(|h| h.at));
            plan.steps.push(Step::Wish(Decision::Elect { to, id, epoch: desired.epoch + 1, limit, asked }));
        }
        failover::Decision::Abandon(why) => {
            if let Some(handover) = &desired.handover {
                // Who was to be the writer may be gone by now: the promotion is given up all the same.
                let (name, at) = (handover.to.clone(), handover.at);
                let id = desired.db.server(&name).map_or(0, |s| s.id);
                let of = Basis { name, id, epoch: desired.epoch };
                plan.steps.push(Step::Wish(Decision::AbandonHandover { of, at, why }));
            }
        }
    }
}

/// A full mesh: every member copies every other one, each over a link of its own, named after the copied one.
fn links(
    plan: &mut Plan,
    desired: &Desired,
    server: Database<'_>,
    seen: &DatabaseSeen,
    lost: bool,
    held: Option<&HeldLink>,
) {
    for peer in desired.databases().filter(|s| s.name != server.name) {
        let (on, from) = (server.name.clone(), peer.name.clone());
        let link = seen.links.get(&peer.name);
        if matches!(peer.standing, Standing::Joining | Standing::Diverged(_) | Standing::Released) {
            continue;
        }
        if !matches!(peer.standing, Standing::Member | Standing::Leaving) {
            if link.is_some_and(|l| l.receiving != Thread::Stopped) {
                plan.steps.push(Step::Sql(SqlStep::StopLink { on, from, whole: false }));
            }
            continue;
        }
        if lost && desired.is_writer(&peer.name) {
            continue;
        }
        if held.is_some_and(|h| (&h.on, &h.from) == (&on, &from)) {
            if link.is_some_and(|l| l.receiving != Thread::Stopped) {
                plan.steps.push(Step::Sql(SqlStep::StopLink { on, from, whole: false }));
            }
            continue;
        }
        match link {
            None => plan.steps.push(Step::Sql(SqlStep::SetLink { on, from })),
            // A link that stopped with an error waits for a person: starting it again would hide the error.
            Some(link) if !altered(link, peer).is_empty() => {
                plan.steps.push(Step::Sql(SqlStep::ResetLink {
                    on,
                    from,
                    was: altered(link, peer).join(", "),
                }));
            }
            Some(link) if link.error == 0 && (link.receiving == Thread::Stopped || !link.applying) => {
                plan.steps.push(Step::Sql(SqlStep::StartLink { on, from }));
            }
            Some(_) => {}
        }
    }
}

/// Links to a database that is gone, or that is another one by the same name.
fn drop_links(plan: &mut Plan, desired: &Desired, server: Database<'_>, seen: &DatabaseSeen) {
    for from in seen.links.keys() {
        let out = |peer: Database<'_>| {
            matches!(peer.standing, Standing::Joining | Standing::Diverged(_) | Standing::Released)
        };
        if desired.database(from).is_none_or(out) {
            plan.steps.push(Step::Sql(SqlStep::DropLink { on: server.name.clone(), from: from.clone() }));
        }
    }
}

/// Members confirm what they receive; a new one that is still catching up does not, because its word would stand for
/// a standby that can take over.
fn receipts(plan: &mut Plan, desired: &Desired, server: Database<'_>, seen: &DatabaseSeen) {
    receipts_of(plan, server, seen, desired.members().any(|s| s.id == server.id));
}

fn receipts_of(plan: &mut Plan, server: Database<'_>, seen: &DatabaseSeen, on: bool) {
    if seen.receipts != on {
        plan.steps.push(Step::Sql(SqlStep::SetReceipts { name: server.name.clone(), on }));
    }
}

/// A new database copies the members, and nobody copies it: first it knows where its copy ends, then it catches up,
/// then its rows are compared, then it is one of them.
fn joining(
    plan: &mut Plan,
    desired: &Desired,
    observed: &Observed,
    server: Database<'_>,
    seen: &DatabaseSeen,
    now: Millis,
) {
    let name = &server.name;
    if seen.server_id != server.id {
        return;
    }
    if observed.own.unread.contains(name) {
        let id = ProcessId::Server(name.clone());
        plan.waiting.push((Target::Process(id), text!("wait-unread", name = name)));
        return;
    }
    if !server.is_ours() && observed.initialised.get(name) != Some(&server.id) {
        let process = observed.process(&ProcessId::Server(name.clone()));
        if !super::hosts::at_home(plan, observed, &server, process) {
            // What another server left by its name goes first.
        } else if let Some(donor) = super::hosts::donor(desired, observed, now) {
            plan.steps.push(Step::Host(HostStep::ImportDatabase {
                name: name.clone(),
                id: server.id,
                donor,
            }));
        } else {
            let id = ProcessId::Server(name.clone());
            plan.waiting.push((Target::Process(id), text!("wait-donor", name = name)));
        }
        return;
    }
    if observed.unseeded.contains(name) {
        plan.steps.push(Step::Sql(SqlStep::SeedPosition { name: name.clone() }));
        return;
    }
    let before = plan.steps.len();
    receipts(plan, desired, server, seen);
    links(plan, desired, server, seen, false, None);
    if plan.steps.len() > before {
        return;
    }
    let behind = desired.members().filter(|p| !p.stopped()).find(|peer| {
        seen.links.get(&peer.name).is_none_or(|l| l.error != 0 || l.delay_ms.is_none_or(|ms| ms > NEAR))
    });
    if let Some(peer) = behind {
        let text = text!("wait-near", name = name, peer = &peer.name);
        plan.waiting.push((Target::Database(name.clone()), text));
        return;
    }
    let comparison = observed.comparison(server);
    let report = comparison.and_then(|c| c.of(server.id));
    let Some(writer) = &desired.writer else { return };
    let again =
        comparison.is_some_and(|c| c.unsettled < SETTLING) && report.is_some_and(|r| r.unsettled() > 0);
    match report {
        _ if comparison.is_some_and(|c| c.running.is_some()) => {}
        Some(report) if report.different() == 0 && !again => {
            // What no comparison can tell was carried by the copy, is named, and stays a warning.
            plan.steps.push(Step::Wish(Decision::Admit(Basis::of(desired, &server))));
        }
        // What may be told by the next comparison waits for it.
        Some(report) if report.different() == 0 && now.saturating_sub(report.at_end) < SETTLING_PAUSE => {
            let text = text!("wait-unsettled", name = name, count = report.unsettled());
            plan.waiting.push((Target::Database(name.clone()), text));
        }
        None => rows::compared(plan, observed, server, writer, now),
        Some(report) if report.different() == 0 => rows::compared(plan, observed, server, writer, now),
        Some(report) => {
            let text = text!("wait-copy-differs", name = name, count = report.different());
            plan.waiting.push((Target::Database(name.clone()), text));
        }
    }
}

/// A new database whose comparison leaves something open is compared so many times in all before it is admitted with
/// it.
const SETTLING: u32 = 3;
/// Milliseconds between these.
const SETTLING_PAUSE: u64 = 10_000;

/// A leaving database is closed; once every member that answers has all that it wrote, it is gone.
fn leaving(
    plan: &mut Plan,
    desired: &Desired,
    observed: &Observed,
    server: Database<'_>,
    seen: &DatabaseSeen,
    now: Millis,
) {
    if !seen.read_only {
        return;
    }
    let behind = |peer: &Database<'_>| {
        fresh(observed, &peer.name, now).is_none_or(|p| p.holds(server.id) < seen.written.last(server.id))
    };
    // While all the others are stopped, nobody says that they have it.
    let on: Vec<Database<'_>> = desired.members().filter(|s| !s.stopped()).collect();
    let lacks = if on.is_empty() { desired.members().next() } else { on.into_iter().find(behind) };
    match lacks {
        None if !server.is_ours() => {
            plan.steps.push(Step::Wish(Decision::Release(Basis::of(desired, &server))));
        }
        None => plan.steps.push(Step::Wish(Decision::Forget(Basis::of(desired, &server)))),
        Some(peer) => {
            let text = text!("wait-leaving", name = &server.name, peer = &peer.name);
            plan.waiting.push((Target::Database(server.name.clone()), text));
        }
    }
}

/// A database that is no member copies nobody.
fn unlink(plan: &mut Plan, server: Database<'_>, seen: &DatabaseSeen) {
    for (from, link) in &seen.links {
        if link.receiving != Thread::Stopped || link.applying {
            plan.steps.push(Step::Sql(SqlStep::StopLink {
                on: server.name.clone(),
                from: from.clone(),
                whole: true,
            }));
        }
    }
}

fn open(
    plan: &mut Plan,
    desired: &Desired,
    observed: &Observed,
    server: Database<'_>,
    seen: &DatabaseSeen,
    now: Millis,
) {
    let name = &server.name;
    if seen.read_only {
        match opening(desired, observed, server, now) {
            Opening::Open => {
                plan.steps
                    .push(Step::Sql(SqlStep::OpenDatabase { name: name.clone(), epoch: desired.epoch }));
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
        plan.steps.push(Step::Sql(SqlStep::CreateSchema { name: name.clone() }));
    }
    // Waiting for a receipt is only worth it while somebody caught up can give one (otherwise the first
    // write after an outage would wait for the timeout).
    let standby_ready = desired.members().filter(|s| s.name != *name).any(|s| {
        fresh(observed, &s.name, now).and_then(|d| d.links.get(name)).is_some_and(|l| {
            l.receiving == Thread::Running && l.applying && l.delay_ms.is_some_and(|d| d < NEAR)
        })
    });
    if standby_ready && !seen.semi_sync && seen.schema {
        plan.steps.push(Step::Sql(SqlStep::SetSemiSync { name: name.clone(), on: true }));
    }
}

#[cfg(test)]
mod tests;
