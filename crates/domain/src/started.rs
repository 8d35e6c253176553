//! Whether all that `cordee up` starts is there: what it waits for, and what would last whatever it waited.

use serde::{Deserialize, Serialize};

use crate::desired::{Membership, Power, Runtime};
use crate::snapshot::{ProxyView, ServerView, Snapshot};
use crate::state::{Severity, Status};

/// How far a start is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Started {
    /// Something is on its way, or does not run.
    Waits,
    /// All runs and serves. What is not well may last until a person sees to it.
    Serves,
    /// All is well, but for what a person set aside.
    Well,
}

/// How far it is.
pub fn started(seen: &Snapshot) -> Started {
    let known = !matches!(seen.verdict.severity, Severity::Progress | Severity::Unknown);
    if !known || !seen.proxies.iter().all(leads) || !seen.servers.iter().all(there) {
        return Started::Waits;
    }
    match seen.verdict.severity {
        Severity::Good | Severity::Maintenance => Started::Well,
        Severity::Progress | Severity::Unknown | Severity::Warning | Severity::Critical => Started::Serves,
    }
}

/// A file that HAProxy refuses stays so until a person corrects what is wished; the worker goes on as it was.
fn leads(proxy: &ProxyView) -> bool {
    match proxy.status.severity {
        Severity::Good => proxy.settled,
        Severity::Warning => true,
        Severity::Maintenance | Severity::Progress | Severity::Unknown | Severity::Critical => false,
    }
}

/// Whether nobody has to wait for that server. What a person took out, what somebody else runs, and a database that is
/// no member (it is copied for hours, leaves, or stays out until it is copied again) keeps nobody waiting.
fn there(server: &ServerView) -> bool {
    let returns =
        matches!(server.membership, Some(Membership::Returning { .. })) && server.power == Power::On;
    let awaited = server.runtime == Runtime::Process && (server.wanted || returns);
    !awaited || serves(&server.status)
}

/// Whether it does its work, even if that is all that it will do: a comparison takes hours, a channel that stopped with
/// an error waits for a person. A channel that is being started is there in a moment.
fn serves(status: &Status) -> bool {
    matches!(status.severity, Severity::Good | Severity::Warning)
        || status.state.lasts()
        || status.state.writes()
}
