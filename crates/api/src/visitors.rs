//! Visitors, the last requests, and what happened to HAProxy's log.

use cordee_domain::visitors::{Counts, Keeping};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::words::{DaysFigure, Listed};

/// Visitors, the most recent first.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct VisitorsJson {
    /// The visitors that were asked for.
    pub visitors: Vec<Visitor>,
    /// How many there are in all.
    pub total: u64,
    /// Changes of colour on the session test page, the most recent first; at most 200.
    pub changes: Vec<ColourChange>,
    /// What happened to HAProxy's log.
    pub log: LogCounts,
    /// Times in which Cordée did not read the log, the most recent first.
    pub gaps: Vec<UnheardJson>,
    /// How visitors are remembered.
    pub keeping: KeepingJson,
}

/// What happened to the lines of HAProxy's log. `sent` is the sum of the others except `dropped`, which is a sum
/// itself, and `foreign`.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
pub struct LogCounts {
    /// Whether Cordée receives the log now.
    pub heard: bool,
    /// All lines.
    pub sent: u64,
    /// Requests in the list.
    pub stored: u64,
    /// Requests that are not in the list: `crowd`, `unreadable`, `kernel` and `unsent` together.
    pub dropped: u64,
    /// Requests from more addresses than the list holds.
    pub crowd: u64,
    /// Lines that could not be parsed.
    pub unreadable: u64,
    /// Lines that the kernel dropped, because Cordée did not read quickly enough.
    pub kernel: u64,
    /// Lines that HAProxy was unable to send.
    pub unsent: u64,
    /// HAProxy's own messages, which are not requests.
    pub notices: u64,
    /// Lines that came without HAProxy's key and were not believed; not part of `sent`.
    pub foreign: u64,
}

/// A time for which there is no list.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
pub struct UnheardJson {
    /// Its beginning, in milliseconds since 1970 UTC.
    pub since: u64,
    /// Its end.
    pub until: u64,
    /// About how many requests HAProxy served meanwhile; absent if that is unknown.
    pub requests: Option<u64>,
}

/// How visitors are remembered.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct KeepingJson {
    /// Days after which a visitor who did not come again is forgotten.
    #[schema(minimum = 1, maximum = 3650)]
    pub days: u16,
    /// Whether networks are kept instead of addresses.
    pub shorten: bool,
    /// The proxies whose `X-Forwarded-For` is trusted.
    pub trusted: Vec<String>,
}

/// Changes of how visitors are remembered. A setting that is absent stays as it is.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KeepingChange {
    /// Days after which a visitor who did not come again is forgotten.
    #[schema(value_type = Option<DaysFigure>)]
    pub days: Option<u16>,
    /// Whether networks are kept instead of addresses.
    pub shorten: Option<bool>,
    /// The proxies whose `X-Forwarded-For` is trusted: addresses and networks.
    #[schema(value_type = Option<Listed>)]
    pub trusted: Option<Vec<String>>,
}

/// The last requests of a server.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct RequestsJson {
    /// The requests, oldest first.
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
    /// Requests that were refused, failed or were never answered.
    pub errors: u64,
    /// The part of each server.
    pub servers: Vec<Share>,
}

/// The part of one server in a visitor's requests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Share {
    /// The server; `haproxy` for requests that HAProxy answered itself.
    pub server: String,
    /// First request.
    pub first: u64,
    /// Last request.
    pub last: u64,
    /// Requests.
    pub requests: u64,
    /// Requests that were refused, failed or were never answered.
    pub errors: u64,
}

/// A change on the session test page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ColourChange {
    /// Grows with each change.
    pub id: u64,
    /// When, in milliseconds since 1970 UTC.
    pub at: u64,
    /// The visitor's address.
    pub address: String,
    /// The server.
    pub server: String,
    /// The former colour; absent if there was none.
    pub from: Option<String>,
    /// The new colour.
    pub to: String,
}

/// A request, as shown. Its text cannot control a terminal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Request {
    /// Grows with each request, as long as this Cordée runs.
    pub id: u64,
    /// When it arrived, in milliseconds since 1970 UTC.
    pub at: u64,
    /// The visitor's address.
    pub address: String,
    /// The status of the answer; absent if there was none.
    pub status: Option<u16>,
    /// The method; empty if HAProxy was unable to parse the request.
    pub method: String,
    /// The path, without its query.
    pub path: String,
    /// Milliseconds until the end of the answer; absent if the end was not reached.
    pub took_ms: Option<u64>,
    /// The size of the answer in octets.
    pub bytes: u64,
    /// The name by which the visitor's program identifies itself.
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
