//! Visitors, the last requests, and what became of HAProxy's log.

use cordee_domain::visitors::{Counts, Keeping};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::words::{DaysFigure, Listed};

/// Visitors, the last one first.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct VisitorsJson {
    /// Those asked for.
    pub visitors: Vec<Visitor>,
    /// How many there are in all.
    pub total: u64,
    /// Who changed the colour on the session test page, the last change first; at most 200.
    pub changes: Vec<ColourChange>,
    /// What became of HAProxy's log.
    pub log: LogCounts,
    /// Times in which nobody read it, the last one first.
    pub gaps: Vec<UnheardJson>,
    /// How visitors are remembered.
    pub keeping: KeepingJson,
}

/// What became of the lines of HAProxy's log; `sent` is the sum of all others but `foreign`.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
pub struct LogCounts {
    /// Whether it is heard now.
    pub heard: bool,
    /// All.
    pub sent: u64,
    /// In the list.
    pub stored: u64,
    /// Not in the list: `crowd`, `unreadable`, `kernel` and `unsent` together.
    pub dropped: u64,
    /// Requests of more addresses than the list holds.
    pub crowd: u64,
    /// Not understood.
    pub unreadable: u64,
    /// Lost by the kernel, because Cordée did not read quickly enough.
    pub kernel: u64,
    /// Not sent by HAProxy.
    pub unsent: u64,
    /// HAProxy's own messages: no requests.
    pub notices: u64,
    /// Lines that came without HAProxy's key and were not believed; not part of `sent`.
    pub foreign: u64,
}

/// A time without a list.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
pub struct UnheardJson {
    /// From, in milliseconds since 1970 UTC.
    pub since: u64,
    /// To.
    pub until: u64,
    /// About how many requests HAProxy served meanwhile; absent when that cannot be known.
    pub requests: Option<u64>,
}

/// How visitors are remembered.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct KeepingJson {
    /// Days after which one who did not come again is forgotten.
    #[schema(minimum = 1, maximum = 3650)]
    pub days: u16,
    /// Whether networks are kept instead of addresses.
    pub shorten: bool,
    /// Whose `X-Forwarded-For` is believed.
    pub trusted: Vec<String>,
}

/// What is to be remembered of visitors otherwise than now; what is absent stays.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KeepingChange {
    /// Days after which one who did not come again is forgotten.
    #[schema(value_type = Option<DaysFigure>)]
    pub days: Option<u16>,
    /// Whether networks are kept instead of addresses.
    pub shorten: Option<bool>,
    /// Whose `X-Forwarded-For` is believed: addresses and networks.
    #[schema(value_type = Option<Listed>)]
    pub trusted: Option<Vec<String>>,
}

/// The last requests of a server.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct RequestsJson {
    /// Oldest first.
    pub requests: Vec<Request>,
}

/// A visitor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Visitor {
    /// The address, or the network when addresses are shortened.
    pub address: String,
    /// First request, in milliseconds since 1970 UTC.
    pub first: u64,
    /// Last request, likewise.
    pub last: u64,
    /// Requests.
    pub requests: u64,
    /// Those that were refused, failed or never answered.
    pub errors: u64,
    /// Each server's part of it.
    pub servers: Vec<Share>,
}

/// What one server answered a visitor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Share {
    /// The server; `haproxy` for what HAProxy answered itself.
    pub server: String,
    /// First request.
    pub first: u64,
    /// Last request.
    pub last: u64,
    /// Requests.
    pub requests: u64,
    /// Those that were refused, failed or never answered.
    pub errors: u64,
}

/// A change on the session test page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ColourChange {
    /// Grows with each change.
    pub id: u64,
    /// When, in milliseconds since 1970 UTC.
    pub at: u64,
    /// Who.
    pub address: String,
    /// On which server.
    pub server: String,
    /// The colour before; absent when it was the first.
    pub from: Option<String>,
    /// The colour since.
    pub to: String,
}

/// One request, as shown. Nothing in it can steer a terminal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Request {
    /// Grows with each request, while this Cordée runs.
    pub id: u64,
    /// When it came, in milliseconds since 1970 UTC.
    pub at: u64,
    /// Who asked.
    pub address: String,
    /// The answer's status; absent when there was none.
    pub status: Option<u16>,
    /// The method; empty when the request was not understood.
    pub method: String,
    /// The path, without its query.
    pub path: String,
    /// Milliseconds until the answer's end; absent when it was not reached.
    pub took_ms: Option<u64>,
    /// Octets of the answer.
    pub bytes: u64,
    /// What the visitor's program calls itself.
    pub agent: String,
}

impl From<Counts> for LogCounts {
    fn from(counts: Counts) -> Self {
        let Counts { stored, crowd, unreadable, kernel, unsent, notices, foreign, own: _ } = counts;
        let dropped = counts.dropped();
        let sent = stored + dropped + notices;
        Self { heard: true, sent, stored, dropped, crowd, unreadable, kernel, unsent, notices, foreign }
    }
}

impl From<&Keeping> for KeepingJson {
    fn from(keeping: &Keeping) -> Self {
        let trusted = keeping.trusted.iter().map(ToString::to_string).collect();
        Self { days: keeping.days, shorten: keeping.shorten, trusted }
    }
}
