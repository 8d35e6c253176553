//! Whether everything that `cordee up` starts is up: what `cordee up` waits for, and what would not change however
//! long it waited.

use serde::{Deserialize, Serialize};

use crate::desired::{Membership, Power, Runtime};
use crate::snapshot::{ProxyView, ServerView, Snapshot};
use crate::state::{Severity, Status};

/// How far a start has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Started {
    /// Something is on its way, or does not run.
    Waits,
    /// Everything runs and serves. What is not well may last until an operator deals with it.
    Serves,
    /// Everything is well, except for what an operator took out.
    Well,
}

/// Returns how far the start has come.
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

/// Whether a proxy is up. A file that HAProxy refuses stays refused until an operator corrects the desired state;
/// meanwhile the worker goes on as before.
fn leads(proxy: &ProxyView) -> bool {
    match proxy.status.severity {
        Severity::Good => proxy.settled,
        Severity::Warning => true,
        Severity::Maintenance | Severity::Progress | Severity::Unknown | Severity::Critical => false,
    }
}

/// Whether a start need not wait for that server any more. It does not wait for a server that an operator took out,
/// for an external one, nor for a database that is not a member: that one is copied for hours, is leaving, or stays
/// out until it is copied again.
fn there(server: &ServerView) -> bool {
    let returns =
        matches!(server.membership, Some(Membership::Returning { .. })) && server.power == Power::On;
    let awaited = server.runtime == Runtime::Process && (server.wanted || returns);
    !awaited || serves(&server.status)
}

/// Whether a server does its work, even if it stays in that state: a comparison takes hours, and a channel that
/// stopped with an error waits for an operator. A channel that is being started is ready in a moment.
fn serves(status: &Status) -> bool {
    matches!(status.severity, Severity::Good | Severity::Warning)
        || status.state.lasts()
        || status.state.writes()
}
