//! Derives a severity and a sentence for each server and proxy from what is observed.

use crate::attached::{HOLDS, Held};
use crate::desired::{Admin, CookieChoice, Desired, Server, Web};
use crate::door::{Door, Finding, finding};
use crate::fault::Fault;
use crate::haproxy::stats::{Check, CheckState, RunningServer};
use crate::ids::{Host, Millis, PoolId, ProcessId, ServerName};
use crate::observed::{Observed, STALE};
use crate::plan::Peers;
use crate::plan::leaving::{self, Leave};
use crate::reason::Reason;
use crate::scene::Scene;
use crate::seen::Seen;
use crate::sessions::{Mode, stale_after};
use crate::state::{Severity, State, Status};
use crate::text;
use crate::text::{Arg, Text};

mod database;
mod passage;
mod process;
mod replication;

pub use database::database;
pub(crate) use passage::linking;
use process::{frozen, silent, stopped, taken, young};
pub(crate) use replication::answers;

/// Replication delay, in milliseconds, above which a standby counts as behind.
pub const LAG_LIMIT: u64 = crate::figures::LAG_LIMIT;

/// Returns the status of a proxy, from what HAProxy reports about itself and from what is found at its addresses.
pub fn proxy(scene: Scene<'_>, id: PoolId) -> Status {
    let Scene { observed, now, .. } = scene;
    let status = itself(observed, id, now);
    if !matches!(status.severity, Severity::Good | Severity::Warning) {
        return status;
    }
    let doors = Door::ALL.into_iter().filter(|door| door.proxy() == id);
    let found: Vec<Finding> = doors.map(|door| finding(scene, door)).collect();
    for one in &found {
        if let Finding::Wrong(why) = one {
            return Status::new(Severity::Critical, State::Door, why.clone());
        }
    }
    for one in found {
        if let Finding::Unknown(why) = one {
            return Status::new(Severity::Unknown, State::DoorUnknown, why);
        }
    }
    status
}

fn itself(observed: &Observed, id: PoolId, now: Millis) -> Status {
    let process = observed.process(&ProcessId::Proxy(id));
    let seen = observed.proxy(id);
    // The worker serves even if the master is frozen. If the worker is frozen nobody is served, even if it answered a
    // moment ago.
    let serves = process.still.is_empty() && seen.running.fresh(now, STALE).is_some();
    if let Some(status) = frozen(process, serves) {
        return status;
    }
    if process.leader.is_none() {
        return stopped(process, now);
    }
    match &seen.running {
        running if young(running, process, now) => Status::bare(Severity::Progress, State::Starting),
        running => match running.fresh(now, STALE) {
            None => match running {
                Seen::Failed { why: why @ Fault::SocketGone { .. }, .. } => {
                    Status::new(Severity::Unknown, State::Unknown, why.clone())
                }
                running => unknown(running.last(), now),
            },
            Some(_) if seen.refused.is_some() => Status {
                severity: Severity::Warning,
                state: State::Drift,
                reason: seen.refused.as_ref().map(|refused| refused.why.clone().into()),
            },
            Some(running) => Status::new(
                Severity::Good,
                State::Up,
                text!("reason-version", version = running.version.as_str()),
            ),
        },
    }
}

/// Returns the status of a web server among its peers.
pub fn web(scene: Scene<'_>, peers: &Peers<'_>, server: Web<'_>) -> Status {
    let Scene { desired, observed, now } = scene;
    let id = server.process();
    let process = observed.process(&id);
    let ours = server.is_ours();
    if let Some(others) = waits_for(scene, peers, server) {
        return waits(server, observed, &others);
    }
    if server.leaving {
        return Status::bare(Severity::Progress, State::Leaving);
    }
    if server.stopped() {
        return if process.leader.is_some() {
            Status::bare(Severity::Progress, State::Stopping)
        } else {
            Status::new(Severity::Maintenance, State::Stopped, by_whom(desired, &server))
        };
    }
    if let Host::Name(name) = &server.host
        && let Some(Seen::Failed { why, .. }) = observed.names.get(name)
    {
        return Status::new(Severity::Critical, State::Down, why.clone());
    }
    if let Some(other) = peers.double_of(server) {
        let reason = text!("reason-double", name = other);
        return Status::new(Severity::Critical, State::Double, reason);
    }
    if ours {
        if process.leader.is_none() {
            return stopped(process, now);
        }
        if let Some(status) = frozen(process, passes(scene, server)) {
            return status;
        }
        if let Some(status) = taken(process, &server) {
            return status;
        }
        if process.leader.as_ref().is_some_and(|l| server.outdates(l.server, l.generation)) {
            return Status::bare(Severity::Progress, State::Restarting);
        }
    }
    let seen = &observed.proxy(PoolId::Web).running;
    let Some(running) = seen.fresh(now, STALE) else {
        let proxy = observed.process(&ProcessId::Proxy(PoolId::Web));
        return if young(seen, proxy, now) {
            Status::bare(Severity::Progress, State::Joining)
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
            let stale = stale_after(desired.web.servers.len());
            let said = observed.modes.get(&server.name).and_then(|seen| seen.fresh(now, stale));
            match said.and_then(|answer| answer.disobeys(desired.session)) {
                Some(why) if status.severity == Severity::Good => {
                    Status::new(Severity::Warning, State::Up, why)
                }
                _ => status,
            }
        }
        _ => Status::bare(Severity::Progress, State::Joining),
    }
}

/// Returns who stopped a server.
fn by_whom(desired: &Desired, server: &Server) -> Reason {
    match desired.asked(server) {
        Some(asked) => Reason::StoppedBy(asked.clone()),
        None => text!("reason-stopped-by-person").into(),
    }
}

/// Returns the servers that are on their way and for which a web server that was asked to leave stays in service;
/// `None` if it does not wait.
pub(crate) fn waits_for(scene: Scene<'_>, peers: &Peers<'_>, server: Web<'_>) -> Option<Vec<ServerName>> {
    let Scene { observed, now, .. } = scene;
    observed.proxies.get(&PoolId::Web)?.running.fresh(now, STALE)?;
    peers.awaited(server)
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
    Status::new(Severity::Progress, State::Waits, reason)
}

/// Returns the visitors who hold a web server's cookie, if their number is known.
pub(crate) fn held(observed: &Observed, server: Web<'_>, cookie: &str) -> Option<Held> {
    let attached = observed.attached.as_ref()?;
    let cookie = match server.cookie {
        CookieChoice::Chosen(chosen) => chosen.as_str(),
        CookieChoice::Automatic => cookie,
    };
    let visitors = attached.visitors.get(cookie).copied().unwrap_or(0);
    (!cookie.is_empty()).then_some(Held { visitors, minutes: attached.minutes })
}

/// Returns how many visitors a draining server still has, in words.
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
    // The desired state is shown as reached only if the running process has it.
    let applied = match server.admin {
        Admin::Maintenance => now.maintenance,
        Admin::Drain => now.drain,
        Admin::Ready => !now.maintenance && !now.drain,
    };
    if !applied {
        return Status::bare(Severity::Progress, State::Applying);
    }
    match server.admin {
        Admin::Maintenance => {
            return Status::new(Severity::Maintenance, State::Maintenance, text!("reason-maintenance"));
        }
        Admin::Drain => {
            let reason = drains(desired, observed, server, now);
            return Status::new(Severity::Progress, State::Draining, reason);
        }
        Admin::Ready => {}
    }
    match now.verdict {
        CheckState::Down => Status::new(Severity::Critical, State::Down, check_reason(&now.check)),
        CheckState::Recovering => Status::new(
            Severity::Progress,
            State::Recovering,
            text!("reason-recovering", done = now.check.health, goal = now.check.goal),
        ),
        // A new worker reports every server as UP before it has checked it.
        CheckState::Up | CheckState::Failing if now.weight == 0 || now.check.code.is_empty() => {
            Status::new(Severity::Progress, State::Joining, text!("reason-first-check"))
        }
        // The server was put back in service a moment ago: the result of the last check before that says nothing about
        // now.
        CheckState::Failing if now.check.passed() => {
            Status::new(Severity::Progress, State::Joining, text!("reason-first-check"))
        }
        CheckState::Failing => Status::new(
            Severity::Warning,
            State::Up,
            text!("reason-failing", failed = now.check.health, goal = now.check.goal),
        ),
        CheckState::Unchecked => Status::bare(Severity::Progress, State::Joining),
        CheckState::Up => Status::new(Severity::Good, State::Up, check_reason(&now.check)),
    }
}

/// Describes the result of a check. The codes are those of the manual 2.6, section 9.1, field `check_status`.
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
        // HAProxy reports the cause a moment later, or not at all.
        ("L4CON", _) => text!("reason-not-connected"),
        ("L7RSP" | "L6RSP", _) => text!("reason-not-http"),
        ("HANA", _) => text!("reason-observed"),
        (code, _) => text!("reason-code", code = code),
    }
}

/// Describes the result of a database's check, which speaks the database's own protocol.
pub fn database_check_reason(check: &Check) -> Text {
    match check.code.as_str() {
        "L7RSP" | "L6RSP" => text!("reason-not-database"),
        _ => check_reason(check),
    }
}

/// Whether HAProxy leads visitors to a web server and the server passes its checks.
fn passes(scene: Scene<'_>, server: Web<'_>) -> bool {
    let Scene { desired, observed, now } = scene;
    let seen = &observed.proxy(PoolId::Web).running;
    let there = seen.fresh(now, STALE).and_then(|r| r.servers.get(&server.name));
    there
        .is_some_and(|there| there.id == server.id && behind_proxy(desired, observed, server, there).serves())
}

fn unknown(last: Option<Millis>, now: Millis) -> Status {
    let reason = match last {
        Some(at) => text!("reason-stale", seconds = now.saturating_sub(at) / 1_000),
        None => text!("reason-never"),
    };
    Status::new(Severity::Unknown, State::Unknown, reason)
}

#[cfg(test)]
mod tests;
