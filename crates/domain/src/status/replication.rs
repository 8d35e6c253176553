//! The status of a database that answers: its membership, its channels and its rows.

use crate::db::credentials::{lacking, passing};
use crate::db::detail::settings::{Way, Wrong, wrong};
use crate::db::verify::Report;
use crate::db::{Channel, DatabaseSeen, Thread};
use crate::desired::{Database, Desired, Membership, Routing, Run};
use crate::figures::DATABASE_STALE;
use crate::haproxy::stats::{Check, CheckState};
use crate::ids::{Millis, PoolId, ServerName};
use crate::observed::{Observed, STALE};
use crate::plan::{ACCOUNTS_STALE, Opening, opening};
use crate::reason::Reason;
use crate::scene::Scene;
use crate::seen::Seen;
use crate::state::{Severity, State, Status};
use crate::step::{Mend, SqlStep, Step, Subject};
use crate::text;
use crate::text::{Arg, Text};

use super::process::frozen;
use super::{LAG_LIMIT, database_check_reason, linking, passage};

pub(super) fn replication(scene: Scene<'_>, server: Database<'_>, seen: &DatabaseSeen) -> Status {
    let Scene { desired, observed, .. } = scene;
    if let Some(status) = outside(observed, server, seen) {
        return status;
    }
    let takes = desired.takes_writes(server);
    if takes && seen.read_only {
        if let Some(handover) = &desired.handover {
            let reason = text!("reason-handing-over", name = &handover.to);
            return Status::new(Severity::Progress, State::HandingOver, reason);
        }
        return match opening(scene, server) {
            Opening::Refused(why) => Status::new(Severity::Critical, State::Closed, why),
            Opening::Later(why) => Status::new(Severity::Progress, State::Opening, why),
            _ => Status::bare(Severity::Progress, State::Opening),
        };
    }
    if !takes && !seen.read_only {
        let target = Subject::Database(server.name.clone());
        if !observed.backoffs.contains_key(&target) {
            return Status::bare(Severity::Progress, State::Closing);
        }
        return Status::new(Severity::Critical, State::Open, text!("reason-two-writers"));
    }
    if seen.most_connections > 0 && seen.connections >= seen.most_connections {
        let reason = text!("reason-too-many", count = seen.connections, most = seen.most_connections);
        return Status::new(Severity::Critical, State::Full, reason);
    }
    if takes && let Some(Seen::Failed { last: Some(_), .. }) = observed.beats.get(&server.name) {
        return Status::new(Severity::Critical, State::Blocked, text!("reason-blocked"));
    }
    if let Some(check) = unreached(scene, server) {
        let reason = text!("reason-unreached", why = database_check_reason(&check));
        return Status::new(Severity::Critical, State::Unreached, reason);
    }
    if let Some(status) = reset(desired, server, seen) {
        return status;
    }
    let delay = match linked(scene, server, seen) {
        Ok(delay) => delay,
        Err(status) => return status,
    };
    if let Some(status) = doubted(desired, observed, server) {
        return status;
    }
    if delay.slowest > LAG_LIMIT {
        let reason = text!("reason-behind", seconds = delay.slowest / 1_000);
        return Status::new(Severity::Warning, State::Behind, reason);
    }
    let comparison = observed.comparison(server);
    let report = comparison.and_then(|c| c.of(server.id));
    if let Some(status) = differs(report) {
        return status;
    }
    if let Some(status) = schemaless(desired, observed, server, seen) {
        return status;
    }
    if let Some(status) = altered(scene, server, seen) {
        return status;
    }
    if let Some((peer, code)) = stuck(scene, server) {
        let says = text!("reason-not-copied", name = peer, code = code);
        let reason = Reason::Peer { name: peer.clone(), says };
        return Status::new(Severity::Warning, State::NotCopied, reason);
    }
    let unsure = unconfirmed(scene, server, seen);
    if let Some(status) = unsure.or_else(|| unproven(desired, observed, server, report)) {
        return status;
    }
    Status::new(
        Severity::Good,
        State::InSync,
        delay.says(report.is_none() && !desired.is_writer(&server.name)),
    )
}

/// Returns the status of a database that is not a member. It follows from the membership.
fn outside(observed: &Observed, server: Database<'_>, seen: &DatabaseSeen) -> Option<Status> {
    Some(match server.membership {
        Membership::Member => return None,
        Membership::Returning { .. } => {
            Status::new(Severity::Progress, State::Returning, text!("reason-returning"))
        }
        Membership::Joining => joining(observed, server, seen),
        Membership::Leaving | Membership::Released => Status::bare(Severity::Progress, State::Leaving),
        Membership::Diverged(saved) if saved.count == 0 => {
            Status::new(Severity::Critical, State::Diverged, text!("reason-diverged-lacks"))
        }
        Membership::Diverged(saved) => {
            let reason = text!("reason-diverged", count = saved.count, file = saved.file.as_str());
            Status::new(Severity::Critical, State::Diverged, reason)
        }
    })
}

/// How far a database is behind the others.
#[derive(Default)]
struct Delay {
    /// The delay, in milliseconds, of the slowest channel from a peer that answers.
    slowest: u64,
    /// The peers that do not answer: a delay that was measured with them earlier says nothing about now.
    silent: Vec<ServerName>,
}

impl Delay {
    fn says(&self, unproven: bool) -> Text {
        match (self.silent.len(), unproven) {
            (0, true) => text!("reason-delay-unproven", ms = self.slowest),
            (0, false) => text!("reason-delay", ms = self.slowest),
            (count, _) => text!("reason-delay-unknown", names = Arg::few(&self.silent), count = count),
        }
    }
}

/// Returns the status of an open writer that lacks some of the schemas and tables that Cordée creates for
/// applications: all of them at first (error 1049), later perhaps a single table that somebody dropped.
fn schemaless(
    desired: &Desired,
    observed: &Observed,
    server: Database<'_>,
    seen: &DatabaseSeen,
) -> Option<Status> {
    if seen.schema || !desired.is_writer(&server.name) {
        return None;
    }
    let made = Step::Sql(SqlStep::CreateSchema { name: server.name.clone() });
    Some(match observed.backoff(&made) {
        Some(backoff) => Status::new(Severity::Warning, State::Schemaless, backoff.why.clone()),
        None => Status::new(Severity::Progress, State::Opening, text!("reason-no-schema")),
    })
}

/// Returns the status of a database whose rows differ from the writer's.
fn differs(report: Option<&Report>) -> Option<Status> {
    let report = report.filter(|r| r.different() > 0)?;
    let table = report.first_difference().map_or_else(String::new, |t| t.table.to_string());
    let reason = text!("reason-rows-differ", count = report.different(), table = table);
    Some(Status::new(Severity::Critical, State::RowsDiffer, reason))
}

/// Returns the status of a database of which not every table is proven: for the writer by the form of its tables, for
/// another database by its last comparison.
fn unproven(
    desired: &Desired,
    observed: &Observed,
    server: Database<'_>,
    report: Option<&Report>,
) -> Option<Status> {
    let odd = observed.tables.value().filter(|_| desired.is_writer(&server.name));
    if let Some(odd) = odd {
        let keyless = odd.keyless_words().map(|why| Status::new(Severity::Warning, State::Keyless, why));
        let memory = || odd.memory_words().map(|why| Status::new(Severity::Warning, State::Memory, why));
        let shares = desired.routing == Routing::AllWriters;
        let sequences = odd.sequence_words().filter(|_| shares);
        let sequences = sequences.map(|why| Status::new(Severity::Warning, State::Sequences, why));
        return sequences.or(keyless).or_else(memory);
    }
    let report = report.filter(|_| !desired.is_writer(&server.name))?;
    let why = report.left_out_words()?;
    let (all, count) = (report.tables.len(), report.tables.len() - report.unproven());
    let reason = text!("reason-rows-unproven", count = count, tables = all, why = why);
    Some(Status::new(Severity::Warning, State::RowsUnproven, reason))
}

/// Returns what is wrong with the database's channels, or else how far behind it is.
fn linked(scene: Scene<'_>, server: Database<'_>, seen: &DatabaseSeen) -> Result<Delay, Status> {
    let Scene { desired, observed, now } = scene;
    let mut delay = Delay::default();
    let alone = |from: &ServerName, says| {
        Err(Status::new(Severity::Warning, State::Alone, Reason::Peer { name: from.clone(), says }))
    };
    for peer in desired.members().filter(|s| s.name != server.name) {
        let Some(channel) = seen.channels.get(&peer.name) else {
            return Err(Status::bare(Severity::Progress, State::Linking));
        };
        let from = &peer.name;
        if channel.error != 0 && !(channel.receiving == Thread::Connecting && channel.applying) {
            let reason = text!("reason-link-error", from = from, code = channel.error);
            return Err(Status::new(Severity::Critical, State::ReplicationStopped, reason));
        }
        match channel.receiving {
            // No event arrives and neither side has noticed: on the peer, an old dump thread that does not end blocks
            // its successor.
            Thread::Running if channel.applying && silent(channel, now) && fresh(observed, peer, now) => {
                return alone(from, text!("reason-link-silent", from = from));
            }
            Thread::Running if channel.applying => {}
            _ if linking(observed, server, peer, now) => {
                let reason = text!("reason-link-starting", from = from);
                return Err(Status::new(Severity::Progress, State::Linking, reason));
            }
            Thread::Connecting if peer.stopped() => {
                let count = copies(scene, server);
                return alone(from, text!("reason-peer-stopped", from = from, count = count));
            }
            Thread::Running | Thread::Connecting | Thread::Stopped => {
                return alone(from, text!("reason-link-broken", from = from));
            }
        }
        if answers(observed, peer, now) {
            delay.slowest = delay.slowest.max(channel.delay_ms.unwrap_or(0));
        } else {
            delay.silent.push(peer.name.clone());
        }
    }
    Ok(delay)
}

/// Returns how many other members replicate from this database now, among those that have answered lately.
fn copies(scene: Scene<'_>, server: Database<'_>) -> usize {
    let Scene { desired, observed, now } = scene;
    let copies = |peer: &Database<'_>| {
        let seen = observed.databases.get(&peer.name).and_then(|seen| seen.fresh(now, DATABASE_STALE));
        let channel = seen.and_then(|seen| seen.channels.get(&server.name));
        channel.is_some_and(|channel| channel.receiving == Thread::Running && channel.applying)
    };
    desired.members().filter(|s| s.name != server.name && !s.stopped()).filter(copies).count()
}

/// Milliseconds without a sign of life after which a channel counts as silent. A working channel has one every second.
const SILENT_LINK: Millis = 8_000;

fn silent(channel: &Channel, now: Millis) -> bool {
    channel.heard_at.is_some_and(|at| now.saturating_sub(at) > SILENT_LINK)
}

fn fresh(observed: &Observed, peer: Database<'_>, now: Millis) -> bool {
    observed.databases.get(&peer.name).is_some_and(|seen| seen.fresh(now, STALE).is_some())
}

/// Returns the status of a database whose log holds fewer of its own transactions than came back to it from the
/// others.
fn reset(desired: &Desired, server: Database<'_>, seen: &DatabaseSeen) -> Option<Status> {
    let (alone, count) = (desired.members().count() < 2, seen.claims());
    if alone || count == 0 {
        return None;
    }
    let reason = if desired.takes_writes(server) {
        text!("reason-log-reset-writer", count = count)
    } else {
        text!("reason-log-reset", count = count)
    };
    Some(Status::new(Severity::Critical, State::LogReset, reason))
}

/// Returns the status of a database on which something is not as the cluster needs it and which Cordée does not
/// correct.
fn altered(scene: Scene<'_>, server: Database<'_>, seen: &DatabaseSeen) -> Option<Status> {
    let Scene { desired, observed, now } = scene;
    let vain = |mend| observed.vain.contains_key(&(Subject::Database(server.name.clone()), mend));
    let told = |w: &Wrong| vain(Mend::Setting(w.name.to_owned())) || matches!(w.way, Way::Start | Way::Told);
    if let Some(wrong) = wrong(desired, server, &seen.variables).into_iter().find(told) {
        let remedy = match (wrong.way, server.runtime) {
            // A start reads the file that Cordée writes, and gives Cordée's account the privileges that it needs to
            // set the rest: an account on a database that an older Cordée started may lack them.
            (_, Run::Process { .. }) => text!("set-do-restart", name = &server.name),
            (Way::Start, Run::External) => text!("set-do-file", name = &server.name),
            _ => text!("set-do-statement", name = wrong.name, value = wrong.value.as_str()),
        };
        let (name, was, value) = (wrong.name, wrong.was, wrong.value);
        let reason = text!("reason-setting", name = name, was = was, value = value, remedy = remedy);
        return Some(Status::new(Severity::Warning, State::Altered, reason));
    }
    let accounts = observed.accounts.get(&server.name)?.fresh(now, ACCOUNTS_STALE)?;
    let shared = desired.routing == Routing::AllWriters;
    let reason = if let Some((name, right)) = passing(accounts) {
        text!("reason-account-passes", name = name, right = right)
    } else {
        text!("reason-account-lacks", what = lacking(accounts, shared).filter(|_| vain(Mend::Accounts))?)
    };
    Some(Status::new(Severity::Warning, State::Altered, reason))
}

/// Returns the status of a database whose rows are in doubt: until they have been compared it is not in sync, whatever
/// its position says. The writer's rows are the reference of the comparison.
fn doubted(desired: &Desired, observed: &Observed, server: Database<'_>) -> Option<Status> {
    let doubt = observed.doubt(desired, server).filter(|_| !desired.is_writer(&server.name))?;
    let comparison = observed.comparison(server);
    if let Some(report) = comparison.and_then(|c| c.since(server.id, doubt.since)) {
        // Rows that differ are reported as such elsewhere.
        return (report.different() == 0).then(|| {
            let reason = text!("reason-may-lack", count = report.unproven());
            Status::new(Severity::Critical, State::MayLack, reason)
        });
    }
    let running = comparison.and_then(|c| c.running);
    let reason =
        running.map_or_else(|| text!("reason-doubted"), |rows| text!("reason-comparing", rows = rows));
    Some(Status::new(Severity::Progress, State::Comparing, reason))
}

/// Returns the status of a writer whose commits no standby confirms now.
fn unconfirmed(scene: Scene<'_>, server: Database<'_>, seen: &DatabaseSeen) -> Option<Status> {
    let Scene { desired, .. } = scene;
    let counts = desired.is_writer(&server.name) && seen.schema && desired.db.servers.len() > 1;
    if !counts || seen.promises() {
        return None;
    }
    Some(if passage::confirmed_soon(scene, server, seen) {
        Status::new(Severity::Progress, State::Linking, text!("reason-promise-soon"))
    } else {
        Status::new(Severity::Warning, State::Unprotected, text!("reason-no-promise"))
    })
}

/// Returns a member whose channel from this database has stopped with an error, and the error: what is written here
/// does not arrive there.
fn stuck<'a>(scene: Scene<'a>, server: Database<'_>) -> Option<(&'a ServerName, u32)> {
    let Scene { desired, observed, now } = scene;
    desired.members().filter(|s| s.name != server.name).find_map(|peer| {
        let channel =
            observed.databases.get(&peer.name)?.fresh(now, DATABASE_STALE)?.channels.get(&server.name)?;
        (channel.error != 0 && !channel.applying).then_some((&peer.server.name, channel.error))
    })
}

/// Whether a database answers now, as far as is observed. A value that was measured with a database that no longer
/// answers says nothing about now.
pub(crate) fn answers(observed: &Observed, server: Database<'_>, now: Millis) -> bool {
    let stands = frozen(observed.process(&server.process()), false).is_some();
    let seen = observed.databases.get(&server.name);
    !stands && seen.is_some_and(|seen| seen.fresh(now, DATABASE_STALE).is_some())
}

/// Returns the check by which HAProxy `db` found a database down that Cordée and the other databases reach:
/// applications do not reach it.
fn unreached(scene: Scene<'_>, server: Database<'_>) -> Option<Check> {
    let Scene { desired, observed, now } = scene;
    let takes = desired.takes_writes(server) && desired.handover.is_none();
    let proxy = &observed.proxy(PoolId::Db).running;
    let seen = proxy.fresh(now, STALE)?.servers.get(&server.name).filter(|_| takes)?;
    let down = seen.verdict == CheckState::Down && !seen.maintenance && seen.since_s >= UNREACHED_SECONDS;
    down.then(|| seen.check.clone())
}

/// Seconds for which HAProxy must have found the database down. A database that has just been opened is found up at
/// the next check.
const UNREACHED_SECONDS: u64 = 2;

/// Returns the status of a new database, from the end of its copy until it becomes a member.
fn joining(observed: &Observed, server: Database<'_>, seen: &DatabaseSeen) -> Status {
    let comparison = observed.comparison(server);
    if let Some(rows) = comparison.and_then(|c| c.running) {
        return Status::new(Severity::Progress, State::Joining, text!("reason-comparing", rows = rows));
    }
    if let Some(report) = comparison.and_then(|c| c.of(server.id)).filter(|r| r.different() > 0) {
        let reason = text!("reason-copy-differs", count = report.different());
        return Status::new(Severity::Critical, State::CopyFailed, reason);
    }
    if let Some((from, channel)) = seen.channels.iter().find(|(_, l)| l.error != 0) {
        let reason = text!("reason-link-error", from = from, code = channel.error);
        return Status::new(Severity::Critical, State::ReplicationStopped, reason);
    }
    Status::new(Severity::Progress, State::Joining, text!("reason-catching-up"))
}
