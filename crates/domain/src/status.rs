//! From what is seen to a light and a sentence.

use crate::attached::{HOLDS, Held};
use crate::db::DatabaseSeen;
use crate::db::failover::{Decision, decide};
use crate::desired::{Admin, CookieChoice, Database, Desired, Server, Standing, Web};
use crate::door::{Door, Finding, finding};
use crate::fault::Fault;
use crate::figures::DATABASE_STALE;
use crate::haproxy::stats::{Check, RunningServer, Verdict};
use crate::ids::{Host, Millis, PoolId, ServerName};
use crate::observed::{CopySeen, Observed, Port, ProcessId, ProcessSeen, STALE, Seen};
use crate::plan::double_of;
use crate::plan::leaving::{self, Leave};
use crate::reason::{Reason, Still};
use crate::sessions::Mode;
use crate::state::{Light, State, Status};
use crate::step::Target;
use crate::text;
use crate::text::{Arg, Text};

mod passage;
mod replication;

pub(crate) use passage::linking;
use replication::replication;

/// Data delay above which a standby is called behind, in milliseconds.
pub const LAG_LIMIT: u64 = crate::figures::LAG_LIMIT;

/// The status of a proxy: what it says of itself, and what is found at its addresses.
pub fn proxy(desired: &Desired, observed: &Observed, id: PoolId, now: Millis) -> Status {
    let status = itself(observed, id, now);
    if !matches!(status.light, Light::Good | Light::Warning) {
        return status;
    }
    let doors = Door::ALL.into_iter().filter(|door| door.proxy() == id);
    let found: Vec<Finding> = doors.map(|door| finding(desired, observed, door, now)).collect();
    for one in &found {
        if let Finding::Wrong(why) = one {
            return Status::new(Light::Critical, State::Door, why.clone());
        }
    }
    for one in found {
        if let Finding::Unknown(why) = one {
            return Status::new(Light::Unknown, State::DoorUnknown, why);
        }
    }
    status
}

fn itself(observed: &Observed, id: PoolId, now: Millis) -> Status {
    let process = observed.process(&ProcessId::Proxy(id));
    let seen = observed.proxy(id);
    // Its worker serves without the master; nobody serves without the worker, whatever it said a moment ago.
    let serves = process.still.is_empty() && seen.running.fresh(now, STALE).is_some();
    if let Some(status) = frozen(process, serves) {
        return status;
    }
    if process.leader.is_none() {
        return stopped(process, now);
    }
    match &seen.running {
        running if young(running, process, now) => Status::bare(Light::Progress, State::Starting),
        running => match running.fresh(now, STALE) {
            None => match running {
                Seen::Failed { why: why @ Fault::SocketGone { .. }, .. } => {
                    Status::new(Light::Unknown, State::Unknown, why.clone())
                }
                running => unknown(running.last(), now),
            },
            Some(_) if seen.refused.is_some() => Status {
                light: Light::Warning,
                state: State::Drift,
                reason: seen.refused.as_ref().map(|refused| refused.why.clone().into()),
            },
            Some(running) => Status::new(
                Light::Good,
                State::Up,
                text!("reason-version", version = running.version.as_str()),
            ),
        },
    }
}

/// The status of a web server.
pub fn web(desired: &Desired, observed: &Observed, server: Web<'_>, now: Millis) -> Status {
    let id = ProcessId::Server(server.name.clone());
    let process = observed.process(&id);
    let ours = server.is_ours();
    if let Some(others) = waits_for(desired, observed, server, now) {
        return waits(server, observed, &others);
    }
    if server.leaving {
        return Status::bare(Light::Progress, State::Leaving);
    }
    if server.stopped() {
        return if process.leader.is_some() {
            Status::bare(Light::Progress, State::Stopping)
        } else {
            Status::new(Light::Maintenance, State::Stopped, by_whom(desired, &server))
        };
    }
    if let Host::Name(name) = &server.host
        && let Some(Seen::Failed { why, .. }) = observed.names.get(name)
    {
        return Status::new(Light::Critical, State::Down, why.clone());
    }
    if let Some(other) = double_of(desired, observed, server) {
        let reason = text!("reason-double", name = other);
        return Status::new(Light::Critical, State::Double, reason);
    }
    if ours {
        if process.leader.is_none() {
            return stopped(process, now);
        }
        if let Some(status) = frozen(process, passes(desired, observed, server, now)) {
            return status;
        }
        if let Some(status) = taken(process, &server) {
            return status;
        }
        if process.leader.as_ref().is_some_and(|l| server.outdates(l.server, l.generation)) {
            return Status::bare(Light::Progress, State::Restarting);
        }
    }
    let seen = &observed.proxy(PoolId::Web).running;
    let Some(running) = seen.fresh(now, STALE) else {
        let proxy = observed.process(&ProcessId::Proxy(PoolId::Web));
        return if young(seen, proxy, now) {
            Status::bare(Light::Progress, State::Joining)
        } else {
            unknown(seen.last(), now)
        };
    };
    match running.servers.get(&server.name) {
        Some(there) if there.id == server.id => {
            if let Some(status) = silent(process, there, now).filter(|_| ours && server.admin == Admin::Ready)
            {
                return status;
            }
            let status = behind_proxy(desired, observed, server, there);
            let said = observed.modes.get(&server.name).and_then(|seen| seen.fresh(now, MODE_STALE));
            match said.and_then(|answer| answer.disobeys(desired.session)) {
                Some(why) if status.light == Light::Good => Status::new(Light::Warning, State::Up, why),
                _ => status,
            }
        }
        _ => Status::bare(Light::Progress, State::Joining),
    }
}

/// By whom a server was stopped.
fn by_whom(desired: &Desired, server: &Server) -> Reason {
    match desired.asked(server) {
        Some(asked) => Reason::StoppedBy(asked.clone()),
        None => text!("reason-stopped-by-person").into(),
    }
}

/// The servers on their way for which a web server that was asked to leave stays in service, when it does.
pub(crate) fn waits_for(
    desired: &Desired,
    observed: &Observed,
    server: Web<'_>,
    now: Millis,
) -> Option<Vec<ServerName>> {
    observed.proxies.get(&PoolId::Web)?.running.fresh(now, STALE)?;
    // First whether it is to leave at all: who waits for whom is a question about all servers.
    leaving::leave(server, observed)?;
    leaving::waiting(desired, observed).remove(&server.name)
}

fn waits(server: Web<'_>, observed: &Observed, others: &[ServerName]) -> Status {
    let first = if others.is_empty() {
        text!("waits-for-another")
    } else {
        text!("waits-for", names = Arg::servers(others), count = others.len())
    };
    let reason = match leaving::leave(server, observed) {
        Some(Leave::Remove) => text!("reason-waits-remove", first = first),
        Some(Leave::Stop) => text!("reason-waits-stop", first = first),
        Some(Leave::Maintenance) => text!("reason-waits-maintenance", first = first),
        Some(Leave::Drain) => text!("reason-waits-drain", first = first),
        Some(Leave::Restart) | None => text!("reason-waits-restart", first = first),
    };
    Status::new(Light::Progress, State::Waits, reason)
}

/// Milliseconds for which what a web server said of the session mode counts: three looks and a little.
const MODE_STALE: u64 = 10_000;

/// The visitors who hold a web server's cookie, when that is known.
pub(crate) fn held(observed: &Observed, server: Web<'_>, cookie: &str) -> Option<Held> {
    let attached = observed.attached.as_ref()?;
    let cookie = match server.cookie {
        CookieChoice::Chosen(chosen) => chosen.as_str(),
        CookieChoice::Automatic => cookie,
    };
    let visitors = attached.visitors.get(cookie).copied().unwrap_or(0);
    (!cookie.is_empty()).then_some(Held { visitors, minutes: attached.minutes })
}

/// How many visitors one that is draining still has.
fn drains(desired: &Desired, observed: &Observed, server: Web<'_>, now: &RunningServer) -> Text {
    if desired.session == Mode::Database {
        return text!("reason-drain-free");
    }
    match held(observed, server, &now.cookie) {
        Some(Held { visitors, minutes }) if minutes < HOLDS / 60_000 => {
            text!("reason-drain-since", count = visitors, minutes = minutes.max(1))
        }
        Some(held) => text!("reason-drain", count = held.visitors),
        None => text!("reason-drain-uncounted"),
    }
}

fn behind_proxy(desired: &Desired, observed: &Observed, server: Web<'_>, now: &RunningServer) -> Status {
    // The wish is shown as true only when the process has it.
    let applied = match server.admin {
        Admin::Maintenance => now.maintenance,
        Admin::Drain => now.drain,
        Admin::Ready => !now.maintenance && !now.drain,
    };
    if !applied {
        return Status::bare(Light::Progress, State::Applying);
    }
    match server.admin {
        Admin::Maintenance => {
            return Status::new(Light::Maintenance, State::Maintenance, text!("reason-maintenance"));
        }
        Admin::Drain => {
            let reason = drains(desired, observed, server, now);
            return Status::new(Light::Progress, State::Draining, reason);
        }
        Admin::Ready => {}
    }
    match now.verdict {
        Verdict::Down => Status::new(Light::Critical, State::Down, check_reason(&now.check)),
        Verdict::Recovering => Status::new(
            Light::Progress,
            State::Recovering,
            text!("reason-recovering", done = now.check.health, goal = now.check.goal),
        ),
        // A fresh worker takes every server for UP before it has checked it.
        Verdict::Up | Verdict::Failing if now.weight == 0 || now.check.code.is_empty() => {
            Status::new(Light::Progress, State::Joining, text!("reason-first-check"))
        }
        // Put back in service a moment ago: what the last check before found says nothing.
        Verdict::Failing if now.check.passed() => {
            Status::new(Light::Progress, State::Joining, text!("reason-first-check"))
        }
        Verdict::Failing => Status::new(
            Light::Warning,
            State::Up,
            text!("reason-failing", failed = now.check.health, goal = now.check.goal),
        ),
        Verdict::Unchecked => Status::bare(Light::Progress, State::Joining),
        Verdict::Up => Status::new(Light::Good, State::Up, check_reason(&now.check)),
    }
}

/// What a check found, in words. Codes are those of the manual 2.6, section 9.1, field `check_status`.
pub fn check_reason(check: &Check) -> Text {
    let ms = check.duration_ms.unwrap_or(0);
    match (check.code.as_str(), check.status) {
        ("", _) => text!("reason-no-check"),
        ("L7OK" | "L7OKC", Some(status)) => text!("reason-answered", status = status, ms = ms),
        ("L4OK" | "L6OK" | "L7OK" | "L7OKC", _) => text!("reason-answered-plain", ms = ms),
        ("L7STS", Some(status)) => text!("reason-bad-status", status = status),
        ("L7TOUT" | "L6TOUT", _) => text!("reason-no-answer", ms = ms),
        ("L4TOUT", _) => text!("reason-no-connection", ms = ms),
        ("L4CON", _) if check.detail.contains("refused") => text!("reason-refused"),
        ("L4CON", _) if check.detail.contains("unreachable") || check.detail.contains("No route") => {
            text!("reason-unreachable")
        }
        // Why is told a moment later, or not at all.
        ("L4CON", _) => text!("reason-not-connected"),
        ("L7RSP" | "L6RSP", _) => text!("reason-not-http"),
        ("HANA", _) => text!("reason-observed"),
        (code, _) => text!("reason-code", code = code),
    }
}

/// The same of a database, whose check asks in its own language.
pub fn database_check_reason(check: &Check) -> Text {
    match check.code.as_str() {
        "L7RSP" | "L6RSP" => text!("reason-not-database"),
        _ => check_reason(check),
    }
}

/// The status of a database.
pub fn database(desired: &Desired, observed: &Observed, server: Database<'_>, now: Millis) -> Status {
    let id = ProcessId::Server(server.name.clone());
    let process = observed.process(&id);
    if server.stopped() {
        return if process.leader.is_some() {
            Status::bare(Light::Progress, State::Stopping)
        } else {
            Status::new(Light::Maintenance, State::Stopped, by_whom(desired, &server))
        };
    }
    if *server.standing == Standing::Released {
        return Status::bare(Light::Progress, State::Leaving);
    }
    if let Some(copy) = observed.copies.get(&server.name) {
        // One that failed is tried again, and why it failed stays to be read.
        if let Some(setback) = observed.setbacks.get(&Target::Process(id)) {
            let reason = text!("reason-copying-again", why = &setback.why, how = copying(copy, now));
            return Status::new(Light::Critical, State::CopyFailed, reason);
        }
        return Status::new(Light::Progress, State::Copying, copying(copy, now));
    }
    if observed.own.unread.contains(&server.name) {
        let reason = text!("wait-unread", name = &server.name);
        return Status::new(Light::Unknown, State::Unknown, reason);
    }
    if observed.initialised.get(&server.name) != Some(&server.id) {
        let target = Target::Process(id);
        if let Some(setback) = observed.setbacks.get(&target) {
            return Status::new(Light::Critical, State::CopyFailed, setback.why.clone());
        }
        return Status::bare(Light::Progress, State::Creating);
    }
    if process.leader.is_none() && server.is_ours() {
        let status = stopped(process, now);
        // A former writer's end is no news; the present one's is, with what is waited for.
        return match (decide(desired, observed, now), process.trouble.clone()) {
            (Decision::Restart(and) | Decision::Wait(and), Some(why)) if desired.is_writer(&server.name) => {
                Status::new(Light::Critical, State::Down, Reason::Writer { why, and })
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
        return Status::bare(Light::Progress, State::Restarting);
    }
    let seen = observed.databases.get(&server.name).cloned().unwrap_or_default();
    match &seen {
        Seen::Never => Status::bare(Light::Progress, State::Starting),
        // That Cordée could not ask says nothing of the database.
        Seen::Failed { why, .. } if why.is_own() => Status::new(Light::Unknown, State::Unknown, why.clone()),
        Seen::Failed { why, .. } => {
            // Crash recovery takes a while before the first answer.
            let recovering = process.started_at.is_some_and(|at| now.saturating_sub(at) < 10_000);
            let person = match decide(desired, observed, now) {
                Decision::Wait(and) if desired.is_writer(&server.name) => Some(and),
                _ => None,
            };
            if recovering && server.is_ours() {
                Status::bare(Light::Progress, State::Starting)
            } else if let Some(and) = person {
                let reason = Reason::Writer { why: why.clone(), and };
                Status::new(Light::Critical, State::Unreachable, reason)
            } else {
                Status::new(Light::Critical, State::Unreachable, why.clone())
            }
        }
        Seen::At(..) => match seen.fresh(now, DATABASE_STALE) {
            None => unknown(seen.last(), now),
            Some(database) => elsewhere(server, database)
                .unwrap_or_else(|| replication(desired, observed, server, database, now)),
        },
    }
}

/// Whether a database answers now, as far as that is seen: what was measured with one that does not is not the present.
pub(crate) fn answers(observed: &Observed, server: Database<'_>, now: Millis) -> bool {
    let stands = frozen(observed.process(&ProcessId::Server(server.name.clone())), false).is_some();
    let seen = observed.databases.get(&server.name);
    !stands && seen.is_some_and(|seen| seen.fresh(now, DATABASE_STALE).is_some())
}

/// What is special about one that somebody else runs.
fn elsewhere(server: Database<'_>, seen: &DatabaseSeen) -> Option<Status> {
    if server.is_ours() {
        return None;
    }
    if seen.server_id != server.id {
        let (id, wanted) = (seen.server_id, server.id);
        let reason = text!("wait-astray", name = &server.name, id = id, wanted = wanted);
        return Some(Status::new(Light::Critical, State::Astray, reason));
    }
    matches!(server.standing, Standing::Diverged(_))
        .then(|| Status::new(Light::Critical, State::Diverged, text!("reason-diverged-external")))
}

/// The check by which HAProxy `db` found a database down that Cordée and the others reach: applications do not.
fn unreached(desired: &Desired, observed: &Observed, server: Database<'_>, now: Millis) -> Option<Check> {
    let takes = desired.takes_writes(server) && desired.handover.is_none();
    let proxy = &observed.proxy(PoolId::Db).running;
    let seen = proxy.fresh(now, STALE)?.servers.get(&server.name).filter(|_| takes)?;
    let down = seen.verdict == Verdict::Down && !seen.maintenance && seen.since_s >= UNREACHED_SECONDS;
    down.then(|| seen.check.clone())
}

/// For so long HAProxy has found it down: one that has just been opened is found up at the next check.
const UNREACHED_SECONDS: u64 = 2;

/// How far a copy is, and how long it may still take at the pace so far.
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

/// A new database between its copy and its place among the others.
fn joining(observed: &Observed, server: Database<'_>, seen: &DatabaseSeen) -> Status {
    let comparison = observed.comparison(server);
    if let Some(rows) = comparison.and_then(|c| c.running) {
        return Status::new(Light::Progress, State::Joining, text!("reason-comparing", rows = rows));
    }
    if let Some(report) = comparison.and_then(|c| c.of(server.id)).filter(|r| r.different() > 0) {
        let reason = text!("reason-copy-differs", count = report.different());
        return Status::new(Light::Critical, State::CopyFailed, reason);
    }
    if let Some((from, link)) = seen.links.iter().find(|(_, l)| l.error != 0) {
        let reason = text!("reason-link-error", from = from, code = link.error);
        return Status::new(Light::Critical, State::ReplicationStopped, reason);
    }
    Status::new(Light::Progress, State::Joining, text!("reason-catching-up"))
}

/// What is said of a process that stands still, by the numbers of those that do. `serves`: somebody is served all the
/// same.
fn frozen(process: &ProcessSeen, serves: bool) -> Option<Status> {
    let leader = process.leader.as_ref()?;
    match (leader.frozen, process.still.is_empty()) {
        (false, true) => return None,
        // Others of its kind do the work of those that stand still.
        (false, false) if serves => return None,
        (true, true) if serves => {
            let reason = Reason::Still(Still::Parent(leader.pid));
            return Some(Status::new(Light::Warning, State::HalfFrozen, reason));
        }
        _ => {}
    }
    let all: Vec<u32> =
        Some(leader.pid).filter(|_| leader.frozen).into_iter().chain(process.still.clone()).collect();
    let still = if all.len() > NUMBERS {
        Still::Group { count: all.len(), leader: leader.pid }
    } else {
        Still::Processes(all)
    };
    Some(Status::new(Light::Critical, State::Frozen, Reason::Still(still)))
}

/// Numbers of processes that a sentence holds at most.
const NUMBERS: usize = 3;

/// Whether HAProxy leads visitors to a web server, and its checks pass.
fn passes(desired: &Desired, observed: &Observed, server: Web<'_>, now: Millis) -> bool {
    let seen = &observed.proxy(PoolId::Web).running;
    let there = seen.fresh(now, STALE).and_then(|r| r.servers.get(&server.name));
    there
        .is_some_and(|there| there.id == server.id && behind_proxy(desired, observed, server, there).serves())
}

/// A process that lives, while somebody else listens where it should.
fn taken(process: &ProcessSeen, server: &Server) -> Option<Status> {
    let Port::Foreign(holder) = &process.port else { return None };
    process.leader.as_ref()?;
    let reason = Fault::PortTaken { port: server.port, holder: holder.clone() };
    Some(Status::new(Light::Critical, State::Down, reason))
}

/// Milliseconds within which a process that was started listens.
const LISTENS_WITHIN: u64 = 10_000;

/// Milliseconds within which one that was started is checked for the first time.
const FIRST_CHECK_WITHIN: u64 = 3_000;

/// A process that does not listen yet, so that HAProxy leads nobody there: nobody took it out. Or that listens, and was
/// not checked since.
fn silent(process: &ProcessSeen, there: &RunningServer, now: Millis) -> Option<Status> {
    let young = process.started_at.is_some_and(|at| now.saturating_sub(at) < FIRST_CHECK_WITHIN);
    // It is in service as soon as it listens: the check that failed was of the one before, or found nobody yet.
    let early = match there.verdict {
        Verdict::Failing => !there.check.passed(),
        Verdict::Down => there.check.code == "L4CON",
        Verdict::Up | Verdict::Recovering | Verdict::Unchecked => false,
    };
    if !there.maintenance && early && young {
        return Some(Status::new(Light::Progress, State::Joining, text!("reason-first-check")));
    }
    if !there.maintenance || process.port == Port::Ours {
        return None;
    }
    Some(match process.started_at {
        Some(at) if now.saturating_sub(at) > LISTENS_WITHIN && process.port == Port::Free => {
            Status::new(Light::Critical, State::Down, text!("reason-refused"))
        }
        _ => Status::bare(Light::Progress, State::Starting),
    })
}

/// A process that should run and does not.
fn stopped(process: &ProcessSeen, now: Millis) -> Status {
    let next = process.started_at.map_or(0, |at| at + crate::plan::backoff(process.failures));
    let Some(why) = process.trouble.clone() else { return Status::bare(Light::Progress, State::Starting) };
    let wait = next.saturating_sub(now).div_ceil(1_000);
    Status::new(Light::Critical, State::Down, Reason::Ended { why, wait })
}

/// A HAProxy that was started a moment ago and has not answered yet: on its way, rather than unknown.
fn young<T>(seen: &Seen<T>, process: &ProcessSeen, now: Millis) -> bool {
    const MOMENT: u64 = 3_000;
    seen.last().is_none() && process.started_at.is_none_or(|at| now.saturating_sub(at) < MOMENT)
}

fn unknown(last: Option<Millis>, now: Millis) -> Status {
    let reason = match last {
        Some(at) => text!("reason-stale", seconds = now.saturating_sub(at) / 1_000),
        None => text!("reason-never"),
    };
    Status::new(Light::Unknown, State::Unknown, reason)
}

#[cfg(test)]
mod tests;
