//! While all databases write, a database that is to stop first finishes what it has begun.
//!
//! HAProxy ends the connections of a database that goes into maintenance. So the database drains before: no new
//! connections, and a moment for the existing ones. Applications that keep theirs for hours are cut off after it, as
//! they would be anyway.

use crate::db::failover::SILENT;
use crate::desired::{Database, Membership, Routing};
use crate::fault::Fault;
use crate::figures::DATABASE_STALE;
use crate::haproxy::stats::{CheckState, RunningServer};
use crate::ids::PoolId;
use crate::observed::STALE;
use crate::scene::Scene;
use crate::seen::Seen;
use crate::step::Subject;

use super::leaving::restarting;

/// Seconds that a database's connections have to end by themselves: a page request takes a fraction of one.
pub const DRAINS: u64 = 3;

/// Reports whether a database that is to stop, restart or leave keeps its present connections, because another
/// database takes the new ones. If HAProxy has not reported recently, its state is unknown and delays nothing.
pub(crate) fn drains(scene: Scene<'_>, server: Database<'_>) -> bool {
    let Scene { desired, observed, now } = scene;
    let goes = server.stopped() || *server.membership == Membership::Leaving || restarting(&server, observed);
    let all = desired.routing == Routing::AllWriters && desired.handover.is_none();
    if !goes || !all || desired.is_writer(&server.name) {
        return false;
    }
    let Some(running) = observed.proxies.get(&PoolId::Db).and_then(|p| p.running.fresh(now, STALE)) else {
        return false;
    };
    let of = |s: Database<'_>| running.servers.get(&s.name).filter(|r| r.id == s.id);
    let taken = desired.members().any(|s| {
        let well = |r: &RunningServer| !r.maintenance && !r.drain && r.verdict == CheckState::Up;
        s.id != server.id && desired.takes_writes(s) && of(s).is_some_and(well)
    });
    let process = observed.process(&server.process());
    let lives = process.leader.is_some() && process.stopping_since.is_none();
    // If HAProxy does not accept the change, it delays nothing.
    let refuses = observed.proxy(PoolId::Db).refused.is_some()
        || observed.backoffs.contains_key(&Subject::Proxy(PoolId::Db));
    let finishes = |r: &RunningServer| {
        let begins = !r.drain && !refuses;
        !r.maintenance && (begins || (r.drain && r.sessions > 0 && r.since_s < DRAINS))
    };
    taken && lives && of(server).is_some_and(finishes)
}

/// Reports whether a database that is to stop and to leave goes on until the others have what it wrote: it is closed
/// first, and ended once it is forgotten. It does not go on if no member answers that could receive its writes, or
/// if the database itself is silent. Only members that answer are waited for: stopping the database is how a person
/// makes it go although another one is silent.
pub(super) fn stays(scene: Scene<'_>, server: Database<'_>) -> bool {
    let Scene { desired, observed, now } = scene;
    let process = observed.process(&server.process());
    let lives = process.leader.as_ref().is_some_and(|l| !l.frozen) && process.stopping_since.is_none();
    if !server.stopped() || *server.membership != Membership::Leaving || !lives {
        return false;
    }
    let seen = observed.databases.get(&server.name).unwrap_or(&Seen::Never);
    // Its end cannot be undone, so one look that is late or failed does not count as silence.
    let answers = match seen {
        Seen::Never | Seen::At(..) => true,
        Seen::Failed { last, why } => {
            *why == Fault::TooMany || why.is_own() || last.is_some_and(|at| now.saturating_sub(at) < SILENT)
        }
    };
    let on = || desired.members().filter(|s| !s.stopped());
    let others = || on().filter_map(|s| observed.databases.get(&s.name)?.fresh(now, DATABASE_STALE));
    let lacks = seen.value().is_none_or(|seen| {
        !seen.read_only || others().any(|peer| peer.holds(server.id) < seen.written.last(server.id))
    });
    let all_answer = others().count() == on().count();
    answers && others().next().is_some() && (lacks || all_answer)
}
