//! Statuses that come from the process alone: it is frozen, has ended, or has only just been started.

use crate::desired::Server;
use crate::fault::Fault;
use crate::haproxy::stats::{CheckState, RunningServer};
use crate::ids::Millis;
use crate::observed::{Port, ProcessSeen};
use crate::reason::{Reason, Still};
use crate::seen::Seen;
use crate::state::{Severity, State, Status};
use crate::text;

/// Returns the status of a process that is frozen, with the process ids of the frozen ones. `serves` says that
/// visitors are served nevertheless.
pub(super) fn frozen(process: &ProcessSeen, serves: bool) -> Option<Status> {
    let leader = process.leader.as_ref()?;
    match (leader.frozen, process.still.is_empty()) {
        (false, true) => return None,
        // Other processes of the group do the work of the frozen ones.
        (false, false) if serves => return None,
        (true, true) if serves => {
            let reason = Reason::Still(Still::Parent(leader.pid));
            return Some(Status::new(Severity::Warning, State::HalfFrozen, reason));
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
    Some(Status::new(Severity::Critical, State::Frozen, Reason::Still(still)))
}

/// The maximum number of process ids that a sentence lists.
const NUMBERS: usize = 3;

/// Returns the status of a process that runs while another program listens on its port.
pub(super) fn taken(process: &ProcessSeen, server: &Server) -> Option<Status> {
    let Port::Foreign(holder) = &process.port else { return None };
    process.leader.as_ref()?;
    let reason = Fault::PortTaken { port: server.port, holder: holder.clone() };
    Some(Status::new(Severity::Critical, State::Down, reason))
}

/// Milliseconds within which a process that was started must listen.
const LISTENS_WITHIN: u64 = 10_000;

/// Milliseconds within which a server that was started is checked for the first time.
const FIRST_CHECK_WITHIN: u64 = 3_000;

/// Returns the status of a process that does not listen yet, so that HAProxy keeps it in maintenance although nobody
/// took it out; or of one that listens and has not been checked since it was started.
pub(super) fn silent(process: &ProcessSeen, there: &RunningServer, now: Millis) -> Option<Status> {
    let young = process.started_at.is_some_and(|at| now.saturating_sub(at) < FIRST_CHECK_WITHIN);
    // The server is in service as soon as it listens. A failed check concerned the previous process, or came before
    // this process listened.
    let early = match there.verdict {
        CheckState::Failing => !there.check.passed(),
        CheckState::Down => there.check.code == "L4CON",
        CheckState::Up | CheckState::Recovering | CheckState::Unchecked => false,
    };
    if !there.maintenance && early && young {
        return Some(Status::new(Severity::Progress, State::Joining, text!("reason-first-check")));
    }
    if !there.maintenance || process.port == Port::Ours {
        return None;
    }
    Some(match process.started_at {
        Some(at) if now.saturating_sub(at) > LISTENS_WITHIN && process.port == Port::Free => {
            Status::new(Severity::Critical, State::Down, text!("reason-refused"))
        }
        _ => Status::bare(Severity::Progress, State::Starting),
    })
}

/// Returns the status of a process that should run and does not.
pub(super) fn stopped(process: &ProcessSeen, now: Millis) -> Status {
    let next = process.started_at.map_or(0, |at| at + crate::plan::backoff_ms(process.failures));
    let Some(why) = process.trouble.clone() else { return Status::bare(Severity::Progress, State::Starting) };
    let wait = next.saturating_sub(now).div_ceil(1_000);
    Status::new(Severity::Critical, State::Down, Reason::Ended { why, wait })
}

/// Whether a HAProxy instance was started a moment ago and has not answered yet: it counts as on its way rather than
/// unknown.
pub(super) fn young<T>(seen: &Seen<T>, process: &ProcessSeen, now: Millis) -> bool {
    const MOMENT: u64 = 3_000;
    seen.last().is_none() && process.started_at.is_none_or(|at| now.saturating_sub(at) < MOMENT)
}
