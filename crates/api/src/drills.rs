//! Failover drills, as they were asked and counted.

use cordee_domain::drill::FaultKind;
use cordee_domain::ids::Millis;
use cordee_domain::state::Severity;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::words::{
    BlowWord, LightWord, MinuteFigure, PoolWord, RateFigure, RecoveryWord, RunState, SecondsFigure,
    SiteUrlText, StatusFigure, VisitorsFigure,
};

/// A drill to begin. Numbers that are not given are the usual ones.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrderJson {
    /// A web server's name, `haproxy-web`, `haproxy-db`, `writer`, or `channel` (by which a standby copies the writer).
    pub target: String,
    /// `kill`, `freeze`, `stop` or `drain`.
    #[schema(value_type = BlowWord)]
    pub how: String,
    /// Requests a second, 1 to 200; 20.
    #[schema(value_type = Option<RateFigure>)]
    pub rate: Option<u16>,
    /// Visitors, 1 to 50; 10.
    #[schema(value_type = Option<VisitorsFigure>)]
    pub visitors: Option<u16>,
    /// Seconds before it falls, 1 to 30; 3.
    #[schema(value_type = Option<SecondsFigure>)]
    pub before: Option<u16>,
    /// Seconds for which it is held down, 1 to 30; 5.
    #[schema(value_type = Option<SecondsFigure>)]
    pub held: Option<u16>,
    /// Seconds afterwards, 1 to 60; 10.
    #[schema(value_type = Option<MinuteFigure>)]
    pub after: Option<u16>,
    /// A page of the site, `/path` or `http://name/path`, at most 1000 characters: the name only stands in `Host`, it
    /// is asked for at the site's own address. None: the demonstration's colour page, with a session for each visitor.
    #[schema(value_type = Option<SiteUrlText>)]
    pub url: Option<String>,
    /// The status that the page should answer, 200 to 599; 200.
    #[schema(value_type = Option<StatusFigure>)]
    pub status: Option<u16>,
    /// The name of the target's pool, `web` or `db`: the drill falls on the running cluster.
    #[schema(value_type = PoolWord)]
    pub confirm: String,
}

/// Under which traffic.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
pub struct TrafficJson {
    /// Requests a second.
    pub rate: u16,
    /// Visitors.
    pub visitors: u16,
    /// Seconds before it falls.
    pub before: u16,
    /// Seconds for which it is held down.
    pub held: u16,
    /// Seconds afterwards.
    pub after: u16,
}

/// Requests or writes, counted.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct TallyJson {
    /// All.
    pub asked: u32,
    /// Not answered as they should be: the sum of the next two.
    pub lost: u32,
    /// Answered with an error.
    pub refused: u32,
    /// Not answered.
    pub unanswered: u32,
    /// Lost before anything fell.
    pub lost_before: u32,
    /// Milliseconds that the slowest one took, after something fell.
    pub longest_ms: u64,
    /// Whether the losses ended.
    pub recovery: RecoveryWord,
    /// Milliseconds from the fault to the end of the last loss, when it recovered.
    pub recovered_ms: Option<u64>,
}

/// Sessions, counted.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
pub struct SessionsJson {
    /// Begun.
    pub begun: u32,
    /// Of these, not there any more when their visitor came back.
    pub lost: u32,
}

/// Writes through HAProxy `db`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct WritesJson {
    /// All of them.
    #[serde(flatten)]
    pub tally: TallyJson,
    /// Milliseconds from the fault to the first acknowledgement of a write that was begun after it.
    pub first_ms: Option<u64>,
    /// Acknowledged ones that are not in the database in the end.
    pub vanished: Option<u32>,
}

/// What the page said.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct SaidJson {
    /// Milliseconds after the fault; none: before.
    pub ms: Option<u64>,
    /// Of what; empty for the sentence about all of it.
    pub about: String,
    /// Its severity.
    #[schema(value_type = LightWord)]
    #[serde(rename = "light")]
    pub severity: Severity,
    /// The word.
    pub word: String,
}

/// One line of the report, in words.
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
    /// How far it is.
    pub state: RunState,
    /// The same in a sentence.
    pub says: String,
    /// What was done to whom, in a sentence.
    pub title: String,
    /// What was to fall, as it was asked.
    pub target: String,
    /// How.
    #[schema(value_type = BlowWord)]
    pub how: FaultKind,
    /// Under which traffic.
    pub traffic: TrafficJson,
    /// The page that was asked for; none: the demonstration's.
    pub url: Option<String>,
    /// The status that it should answer.
    pub status: Option<u16>,
    /// Who fell: a server or an HAProxy; of a channel, the database that copies.
    pub victim: String,
    /// When it fell: milliseconds since 1970, UTC.
    pub struck: Option<Millis>,
    /// Milliseconds from the fault until it was put right; none when there was nothing to put right.
    pub undone_ms: Option<u64>,
    /// Requests to the site.
    pub requests: TallyJson,
    /// Sessions.
    pub sessions: SessionsJson,
    /// Writes, when a database or what leads to it fell.
    pub writes: Option<WritesJson>,
    /// What the page said, and when.
    pub said: Vec<SaidJson>,
    /// The report in words.
    pub findings: Vec<FindingJson>,
}
