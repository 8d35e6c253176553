//! Failover drills: their orders and their results.

use cordee_domain::drill::FaultKind;
use cordee_domain::ids::Millis;
use cordee_domain::state::Severity;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::words::{
    BlowWord, LightWord, MinuteFigure, PoolWord, RateFigure, RecoveryWord, RunState, SecondsFigure,
    SiteUrlText, StatusFigure, VisitorsFigure,
};

/// A drill to begin. A number that is not given has its usual value.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrderJson {
    /// A web server's name, `haproxy-web`, `haproxy-db`, `writer`, or `link` (the channel by which a standby
    /// replicates from the writer).
    pub target: String,
    /// `kill`, `freeze`, `stop` or `drain`.
    #[schema(value_type = BlowWord)]
    pub how: String,
    /// Requests per second, 1 to 200; default 20.
    #[schema(value_type = Option<RateFigure>)]
    pub rate: Option<u16>,
    /// Visitors, 1 to 50; default 10.
    #[schema(value_type = Option<VisitorsFigure>)]
    pub visitors: Option<u16>,
    /// Seconds before the fault, 1 to 30; default 3.
    #[schema(value_type = Option<SecondsFigure>)]
    pub before: Option<u16>,
    /// Seconds for which the fault lasts, 1 to 30; default 5.
    #[schema(value_type = Option<SecondsFigure>)]
    pub held: Option<u16>,
    /// Seconds after the fault, 1 to 60; default 10.
    #[schema(value_type = Option<MinuteFigure>)]
    pub after: Option<u16>,
    /// A page of the site, `/path` or `http://name/path`, at most 1000 characters. The name only appears in `Host`;
    /// requests always go to the site's own address. If absent: the demonstration's colour page, with a session for
    /// each visitor.
    #[schema(value_type = Option<SiteUrlText>)]
    pub url: Option<String>,
    /// The expected status of the page, 200 to 599; default 200.
    #[schema(value_type = Option<StatusFigure>)]
    pub status: Option<u16>,
    /// The name of the target's pool, `web` or `db`, as a confirmation: the drill causes a fault in the running
    /// cluster.
    #[schema(value_type = PoolWord)]
    pub confirm: String,
}

/// The traffic of a drill.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
pub struct TrafficJson {
    /// Requests per second.
    pub rate: u16,
    /// Visitors.
    pub visitors: u16,
    /// Seconds before the fault.
    pub before: u16,
    /// Seconds for which the fault lasts.
    pub held: u16,
    /// Seconds after the fault.
    pub after: u16,
}

/// Counts of requests or writes.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct TallyJson {
    /// All of them.
    pub asked: u32,
    /// Those that were not answered correctly: the sum of the next two.
    pub lost: u32,
    /// Answered with an error.
    pub refused: u32,
    /// Not answered.
    pub unanswered: u32,
    /// Those that were lost before the fault.
    pub lost_before: u32,
    /// Milliseconds that the slowest one took, after the fault.
    pub longest_ms: u64,
    /// Whether the losses ended.
    pub recovery: RecoveryWord,
    /// Milliseconds from the fault to the end of the last loss, if the losses ended.
    pub recovered_ms: Option<u64>,
}

/// Counts of sessions.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
pub struct SessionsJson {
    /// Sessions that began.
    pub begun: u32,
    /// Of these, sessions that were gone when their visitor came back.
    pub lost: u32,
}

/// Writes through HAProxy `db`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct WritesJson {
    /// All of them.
    #[serde(flatten)]
    pub tally: TallyJson,
    /// Milliseconds from the fault until the first write that was begun after it was acknowledged.
    pub first_ms: Option<u64>,
    /// Acknowledged writes that are missing from the database at the end.
    pub vanished: Option<u32>,
}

/// A status that the page showed.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct SaidJson {
    /// Milliseconds after the fault; absent if it was before the fault.
    pub ms: Option<u64>,
    /// What it was about; empty for the verdict about the whole.
    pub about: String,
    /// Its severity.
    #[schema(value_type = LightWord)]
    #[serde(rename = "light")]
    pub severity: Severity,
    /// Its words.
    pub word: String,
}

/// One line of the report in words.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct FindingJson {
    /// What was counted.
    pub name: String,
    /// The figure.
    pub says: String,
}

/// One drill.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct DrillJson {
    /// Grows by one with each drill.
    pub id: u64,
    /// Who asked for it.
    pub actor: String,
    /// When it began: milliseconds since 1970, UTC.
    pub begun: Millis,
    /// When it ended.
    pub ended: Option<Millis>,
    /// The state of the drill.
    pub state: RunState,
    /// The state in a sentence.
    pub says: String,
    /// What was done to which target, in a sentence.
    pub title: String,
    /// The target, as it was ordered.
    pub target: String,
    /// The fault.
    #[schema(value_type = BlowWord)]
    pub how: FaultKind,
    /// The traffic.
    pub traffic: TrafficJson,
    /// The page that was requested; absent if it was the demonstration's.
    pub url: Option<String>,
    /// The expected status of the page.
    pub status: Option<u16>,
    /// The target that was chosen: a server or a HAProxy instance; for a channel, the database that receives.
    pub victim: String,
    /// When the fault was caused: milliseconds since 1970, UTC.
    pub struck: Option<Millis>,
    /// Milliseconds from the fault until it was undone; absent if there was nothing to undo.
    pub undone_ms: Option<u64>,
    /// Requests to the site.
    pub requests: TallyJson,
    /// Sessions.
    pub sessions: SessionsJson,
    /// Writes, if the target was a database or something on the way to one.
    pub writes: Option<WritesJson>,
    /// The statuses that the page showed, with their times.
    pub said: Vec<SaidJson>,
    /// The report in words.
    pub findings: Vec<FindingJson>,
}
