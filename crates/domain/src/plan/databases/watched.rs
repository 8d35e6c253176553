//! Restores what Cordée set or needs on a database and somebody altered, at once where that does no harm.

use super::fresh;
use crate::db::DatabaseSeen;
use crate::db::credentials::{excess, lacking};
use crate::db::detail::settings::{Way, wrong};
use crate::db::events::{self, Role};
use crate::db::ids::{DENSE, Numbering, apart};
use crate::decision::{Basis, Decision};
use crate::desired::{Database, Desired, Membership, Routing};
use crate::ids::{Millis, ServerName};
use crate::observed::Observed;
use crate::plan::Plan;
use crate::scene::Scene;
use crate::step::{SqlStep, Step};
use crate::text;
use crate::text::Text;

/// Milliseconds for which a look at the accounts counts: two looks and a little.
pub(crate) const ACCOUNTS_STALE: u64 = 70_000;

/// Plans to restore settings, numbering, zones and accounts. `calm`: the writer is not lost, and does not change.
pub(super) fn plan(
    plan: &mut Plan,
    scene: Scene<'_>,
    (server, seen): (Database<'_>, &DatabaseSeen),
    calm: bool,
) {
    let Scene { desired, observed, now } = scene;
    if !matches!(server.membership, Membership::Member | Membership::Joining) {
        return;
    }
    for wrong in wrong(desired, server, &seen.variables) {
        let still = wrong.way == Way::SetStill;
        if matches!(wrong.way, Way::Set | Way::SetStill) && (calm || !still) {
            let (name, variable, was) = (server.name.clone(), wrong.name, wrong.was);
            plan.steps.push(Step::Sql(SqlStep::SetVariable {
                name,
                variable,
                value: wrong.value,
                was,
                still,
            }));
        }
    }
    if touched(observed, server) {
        numbering(plan, scene, (server, seen), calm);
        if calm && seen.zoneless && !desired.takes_writes(server) {
            plan.steps.push(Step::Sql(SqlStep::LoadZones { name: server.name.clone() }));
        }
    }
    let accounts = observed.accounts.get(&server.name).and_then(|a| a.fresh(now, ACCOUNTS_STALE));
    let shared = desired.routing == Routing::AllWriters;
    // Withheld rights are given back once the numbering is consecutive again.
    let dense = Numbering::of(&seen.variables).is_none_or(|is| is == DENSE);
    let what = accounts
        .filter(|_| *server.membership == Membership::Member)
        .and_then(|found| lacking(found, shared || !dense).or_else(|| excess(found).filter(|_| shared)));
    if let Some(what) = what {
        plan.steps.push(Step::Sql(SqlStep::MakeAccounts { name: server.name.clone(), what }));
    }
    renumber(plan, scene, (server, seen));
}

/// Plans to load time zones on a database that takes writes, once all others know them: a statement that is logged
/// under a zone's name stops the channel of a database that does not know the zone.
pub(super) fn zones(plan: &mut Plan, scene: Scene<'_>, (server, seen): (Database<'_>, &DatabaseSeen)) {
    let Scene { desired, observed, now } = scene;
    let known = |s: Database<'_>| fresh(observed, &s.name, now).is_some_and(|d| !d.zoneless || !d.read_only);
    let others = desired.databases().filter(|s| s.id != server.id && !s.stopped());
    let mut others = others.filter(|s| matches!(s.membership, Membership::Member | Membership::Joining));
    if seen.zoneless && !seen.read_only && others.all(known) {
        plan.steps.push(Step::Sql(SqlStep::LoadZones { name: server.name.clone() }));
    }
}

/// Plans that scheduled events run on the writer, from the moment it is open, and nowhere else.
pub(super) fn events(plan: &mut Plan, scene: Scene<'_>, (server, seen): (Database<'_>, &DatabaseSeen)) {
    let Scene { desired, observed, now } = scene;
    if !touched(observed, server) || *server.membership == Membership::Released {
        return;
    }
    let role = match () {
        () if desired.is_writer(&server.name) && !seen.read_only && desired.handover.is_none() => Role::Runs,
        () if desired.is_writer(&server.name) => return,
        () if desired.takes_writes(server) && !seen.read_only => Role::Writes,
        () => Role::Follows,
    };
    let asked = |s: Database<'_>| role == Role::Runs || desired.is_writer(&s.name);
    let others = desired.members().filter(|s| s.id != server.id && desired.takes_writes(*s) && asked(*s));
    let others = others.filter_map(|s| fresh(observed, &s.name, now)).filter(|d| !d.read_only);
    let turns = events::turns(&seen.events, role, &events::states(others.map(|d| &d.events)));
    let runs = role == Role::Runs;
    let scheduler = events::scheduled(seen).filter(|on| *on != runs).map(|_| runs);
    if scheduler.is_some() || !turns.is_empty() {
        plan.steps.push(Step::Sql(SqlStep::FollowEvents { name: server.name.clone(), scheduler, turns }));
    }
}

/// Reports whether Cordée may change the database: an external database is not touched before its copy is complete.
fn touched(observed: &Observed, server: Database<'_>) -> bool {
    server.is_ours()
        || *server.membership != Membership::Joining
        || observed.initialised.get(&server.name) == Some(&server.id)
}

/// Plans how the database numbers new rows. It numbers consecutively again only while no other database assigns
/// numbers; it changes to its own slot only while `calm`, because nothing else is done there until connections have
/// ended.
fn numbering(plan: &mut Plan, scene: Scene<'_>, (server, seen): (Database<'_>, &DatabaseSeen), calm: bool) {
    let Scene { desired, observed, now } = scene;
    let Some(was) = Numbering::of(&seen.variables) else { return };
    let closed = |s: Database<'_>| match fresh(observed, &s.name, now) {
        Some(other) => other.read_only,
        None => !lives(observed, s),
    };
    let alone = || seen.read_only || desired.databases().all(|s| s.id == server.id || closed(s));
    let to = Numbering::wished(desired, server);
    let may = if to == DENSE { alone() } else { calm };
    if was != to && may {
        plan.steps.push(Step::Sql(SqlStep::NumberIds { name: server.name.clone(), to, was }));
    }
}

/// Reports whether a database may be running although nothing is known about it.
fn lives(observed: &Observed, server: Database<'_>) -> bool {
    let process = observed.process(&server.process());
    !server.is_ours() || process.leader.is_some()
}

/// Returns the last transaction of the database's own domain whose row number may be in another database's slot;
/// `None` while it may write more of them, as far as is known.
fn dense_upto(observed: &Observed, server: Database<'_>, now: Millis) -> Option<u64> {
    let since = observed.numbered.get(&server.name).and_then(|n| n.apart(server)).map(|n| n.since);
    match fresh(observed, &server.name, now) {
        Some(seen) if apart(seen, server) => Some(since.unwrap_or_else(|| seen.written.last(server.id))),
        Some(seen) => seen.read_only.then(|| seen.written.last(server.id)),
        None => since,
    }
}

/// Reports whether everything that a lost writer wrote above `last` has row numbers from its own slot: then it may
/// come back with these rows, as one more database that writes.
pub(super) fn comes_back(desired: &Desired, observed: &Observed, writer: &ServerName, last: u64) -> bool {
    let placed = |server: Database<'_>| observed.numbered.get(writer)?.apart(server);
    let placed = desired.database(writer).and_then(placed);
    desired.routing == Routing::AllWriters && placed.is_some_and(|n| n.since <= last)
}

/// Returns why a database is not opened yet while all databases write, so that no two assign the same number: each
/// must number in its own slot, and rows that were numbered differently before must have arrived. The writer waits
/// for no silent database, and for no channel that waits for a person: without the writer there is no database at
/// all.
pub(super) fn unnumbered(scene: Scene<'_>, (server, seen): (Database<'_>, &DatabaseSeen)) -> Option<Text> {
    let Scene { desired, observed, now } = scene;
    if desired.routing != Routing::AllWriters || desired.db.servers.len() < 2 {
        return None;
    }
    let wait = |of: Database<'_>| Some(text!("wait-numbers", name = &server.name, peer = &of.name));
    if !apart(seen, server) {
        return wait(server);
    }
    let writer = desired.is_writer(&server.name);
    for peer in desired.databases().filter(|s| s.id != server.id) {
        let silent = fresh(observed, &peer.name, now).is_none();
        let channel = seen.channels.get(&peer.name).filter(|l| l.error == 0);
        // A database that is gone comes back closed. A writer that is gone, and that no database replaced, has all
        // that it wrote.
        let gone = silent && !lives(observed, peer) && !desired.is_writer(&peer.name);
        let dense = match dense_upto(observed, peer, now) {
            Some(dense) => dense,
            None if silent && writer => continue,
            None if gone => {
                let others = desired.members().filter_map(|s| fresh(observed, &s.name, now));
                others.map(|d| d.holds(peer.id)).max().unwrap_or(0)
            }
            None => return wait(peer),
        };
        let comes = matches!(peer.membership, Membership::Member | Membership::Leaving);
        if !comes || (writer && (silent || channel.is_none())) {
            continue;
        }
        // What came from a database that does not answer is applied first: how far that database is, nobody knows.
        let received = channel.filter(|_| silent).map_or(0, |l| l.received.last(peer.id));
        let lacks = dense.max(received).saturating_sub(seen.holds(peer.id));
        if lacks > 0 {
            let (name, peer) = (&server.name, &peer.name);
            return Some(text!("wait-catching-up", name = name, peer = peer, count = lacks));
        }
    }
    None
}

/// Milliseconds for which a doubt counts as the one that a reset log caused.
const LATELY: u64 = 60_000;

/// Handles a database that takes writes and whose log has fewer of its own transactions than came back to it. Every
/// database is closed at its start, so no crash caused that: somebody reset its log. The others skip what it writes
/// until its numbers exceed theirs.
fn renumber(plan: &mut Plan, scene: Scene<'_>, (server, seen): (Database<'_>, &DatabaseSeen)) {
    let Scene { desired, observed, now } = scene;
    if !desired.takes_writes(server) || seen.read_only || seen.claims() == 0 {
        return;
    }
    // The database itself too, unless it is the one that the others are compared with: what they skipped, only it
    // has.
    let mut others = desired.members().filter(|s| s.id != server.id || !desired.is_writer(&server.name));
    let unsaid = |s: &Database<'_>| {
        desired.doubts.get(&s.id).is_none_or(|d| !d.lacks || now.saturating_sub(d.since) > LATELY)
    };
    // The doubt is stored first: afterwards nothing shows what happened.
    if let Some(peer) = others.find(unsaid) {
        let (of, by) = (Basis::of(desired, &peer), server.name.clone());
        plan.steps.push(Step::Wish(Decision::Doubt { of, at: now, by }));
        return;
    }
    let known = desired.members().filter_map(|s| fresh(observed, &s.name, now)).map(|s| s.holds(server.id));
    let after = known.chain([seen.applied.last(server.id)]).max().unwrap_or(0);
    plan.steps.push(Step::Sql(SqlStep::Renumber { name: server.name.clone(), id: server.id, after }));
}
