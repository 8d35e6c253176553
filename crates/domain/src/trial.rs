//! The comparison of ways to keep sessions: the experiments, the ways that each applies to, and the verdict on its
//! counts. The server runs them (`lab`).

use serde::{Deserialize, Serialize};

use crate::ids::Millis;
use crate::text;
use crate::text::Text;

/// A way to keep PHP's sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// Files on each web server, and visitors led to any server: fails on purpose.
    FilesAnywhere,
    /// Files on each web server, and visitors led back to the same server by HAProxy's cookie.
    FilesSticky,
    /// A table on the one writer. A session is locked while a request uses it.
    Locked,
    /// A table on the one writer, without a lock.
    Unlocked,
    /// The locking handler over two databases that both take writes: fails on purpose.
    TwoWriters,
}

impl Way {
    /// All ways, in the order of the columns.
    pub const ALL: [Self; 5] =
        [Self::FilesAnywhere, Self::FilesSticky, Self::Locked, Self::Unlocked, Self::TwoWriters];

    /// Returns the word used in addresses, exports and requests.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FilesAnywhere => "files-anywhere",
            Self::FilesSticky => "files-sticky",
            Self::Locked => "locked",
            Self::Unlocked => "unlocked",
            Self::TwoWriters => "two-writers",
        }
    }

    /// Returns the name for display.
    pub fn name(self) -> Text {
        match self {
            Self::FilesAnywhere => text!("way-files-anywhere"),
            Self::FilesSticky => text!("way-files-sticky"),
            Self::Locked => text!("way-locked"),
            Self::Unlocked => text!("way-unlocked"),
            Self::TwoWriters => text!("way-two-writers"),
        }
    }

    /// Whether the way fails on purpose, to prove that the experiments can fail.
    pub const fn is_control(self) -> bool {
        matches!(self, Self::FilesAnywhere | Self::TwoWriters)
    }

    /// Whether the visitor returns HAProxy's cookie.
    pub const fn is_sticky(self) -> bool {
        matches!(self, Self::FilesSticky)
    }

    /// Whether sessions are rows in a database.
    pub const fn in_database(self) -> bool {
        !matches!(self, Self::FilesAnywhere | Self::FilesSticky)
    }
}

/// A question that is asked about each way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Experiment {
    /// One visitor, all servers in turn: is it still the same user?
    LoginAcross,
    /// The visitors' server dies: are they still the same users?
    ServerDeath,
    /// Concurrent requests of one session, each of which adds one.
    LostUpdates,
    /// Two concurrent requests that write different keys.
    DifferentKeys,
    /// A slow request and a log-out: is the session back afterwards?
    LogoutFinal,
    /// A write, and a read right after it.
    StaleRead,
    /// Whether the two databases still replicate from each other and hold the same rows.
    Copies,
    /// The time that a session adds to a request.
    Latency,
    /// Requests per second of many visitors.
    Throughput,
}

impl Experiment {
    /// All experiments, in the order of the rows, which is also the order in which they run: experiments that may
    /// leave the two databases different come last.
    pub const ALL: [Self; 9] = [
        Self::LoginAcross,
        Self::StaleRead,
        Self::LostUpdates,
        Self::DifferentKeys,
        Self::LogoutFinal,
        Self::ServerDeath,
        Self::Latency,
        Self::Throughput,
        Self::Copies,
    ];

    /// Returns the word used in addresses and exports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LoginAcross => "login-across",
            Self::ServerDeath => "server-death",
            Self::LostUpdates => "lost-updates",
            Self::DifferentKeys => "different-keys",
            Self::LogoutFinal => "logout-final",
            Self::StaleRead => "stale-read",
            Self::Copies => "copies",
            Self::Latency => "latency",
            Self::Throughput => "throughput",
        }
    }

    /// Returns the name for display.
    pub fn name(self) -> Text {
        match self {
            Self::LoginAcross => text!("trial-login-across"),
            Self::ServerDeath => text!("trial-server-death"),
            Self::LostUpdates => text!("trial-lost-updates"),
            Self::DifferentKeys => text!("trial-different-keys"),
            Self::LogoutFinal => text!("trial-logout-final"),
            Self::StaleRead => text!("trial-stale-read"),
            Self::Copies => text!("trial-copies"),
            Self::Latency => text!("trial-latency"),
            Self::Throughput => text!("trial-throughput"),
        }
    }

    /// Returns how the experiment is measured.
    pub fn how(self) -> Text {
        match self {
            Self::LoginAcross => text!("trial-login-across-how"),
            Self::ServerDeath => text!("trial-server-death-how"),
            Self::LostUpdates => text!("trial-lost-updates-how"),
            Self::DifferentKeys => text!("trial-different-keys-how"),
            Self::LogoutFinal => text!("trial-logout-final-how"),
            Self::StaleRead => text!("trial-stale-read-how"),
            Self::Copies => text!("trial-copies-how"),
            Self::Latency => text!("trial-latency-how"),
            Self::Throughput => text!("trial-throughput-how"),
        }
    }

    /// Whether the experiment applies to that way. Copies are compared only for ways that keep sessions in them. With
    /// two writers that are kept apart, it is a matter of chance who is still known after a server's death, so that is
    /// not measured.
    pub const fn applies(self, way: Way) -> bool {
        match self {
            Self::Copies => way.in_database(),
            Self::ServerDeath => !matches!(way, Way::TwoWriters),
            _ => true,
        }
    }
}

/// Returns all cells of the table, in the order in which they are measured.
pub fn cells() -> impl Iterator<Item = (Way, Experiment)> {
    Way::ALL
        .into_iter()
        .flat_map(|way| Experiment::ALL.into_iter().filter(move |e| e.applies(way)).map(move |e| (way, e)))
}

/// The counts of an experiment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "measure", rename_all = "kebab-case")]
pub enum Measure {
    /// How often the session was still there.
    Kept {
        /// Requests in which it was there.
        kept: u32,
        /// Requests in all.
        of: u32,
    },
    /// How many visitors were still signed in after a server's death.
    Survived {
        /// Visitors who were still signed in.
        kept: u32,
        /// Visitors in all.
        of: u32,
        /// Requests that were not answered with a page.
        failed: u32,
        /// Milliseconds that the slowest answer took.
        longest_ms: u64,
    },
    /// Additions to a counter.
    Updates {
        /// Additions that were acknowledged.
        acknowledged: u32,
        /// The counter's value at the end.
        counted: u32,
    },
    /// Log-outs after which the session came back.
    Returned {
        /// Sessions that came back.
        returned: u32,
        /// Log-outs in all.
        of: u32,
    },
    /// Reads that did not see the write before them.
    Stale {
        /// Stale reads.
        stale: u32,
        /// Reads in all.
        of: u32,
    },
    /// The state of two databases.
    Copies {
        /// Both channels apply what they receive.
        running: bool,
        /// Rows that only one of them has, or that differ.
        different: u64,
    },
    /// Microseconds per request.
    Times {
        /// The median: half of the requests were quicker.
        median: u64,
        /// The 99th percentile: 99 of 100 requests were quicker.
        high: u64,
        /// The median of the same page without a session.
        without: u64,
    },
    /// The throughput.
    Rate {
        /// Requests answered with success.
        requests: u64,
        /// The duration in milliseconds.
        millis: u64,
    },
    /// It could not be measured.
    Failed {
        /// Why.
        why: Text,
    },
}

/// The verdict on a measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MeasureResult {
    /// The sessions behave as a user expects.
    Right,
    /// They do not.
    Wrong,
    /// A figure, to be compared with others of the same run.
    Figure,
    /// Not measured.
    Unknown,
}

impl MeasureResult {
    /// Returns the word for display.
    pub fn word(self) -> Text {
        match self {
            Self::Right => text!("trial-right"),
            Self::Wrong => text!("trial-wrong"),
            Self::Figure => text!("trial-figure"),
            Self::Unknown => text!("trial-unknown"),
        }
    }
}

impl Measure {
    /// Returns the verdict. One loss is enough, because an operator wants to know whether it can happen. If nothing
    /// was asked, nothing is proven.
    pub fn verdict(&self) -> MeasureResult {
        let fine = |fine: bool| if fine { MeasureResult::Right } else { MeasureResult::Wrong };
        match *self {
            Self::Kept { of: 0, .. }
            | Self::Survived { of: 0, .. }
            | Self::Returned { of: 0, .. }
            | Self::Stale { of: 0, .. }
            | Self::Updates { acknowledged: 0, .. }
            | Self::Rate { requests: 0, .. }
            | Self::Failed { .. } => MeasureResult::Unknown,
            Self::Kept { kept, of } => fine(kept == of),
            Self::Survived { kept, of, failed, .. } => fine(kept == of && failed == 0),
            Self::Updates { acknowledged, counted } => fine(acknowledged == counted),
            Self::Returned { returned, .. } => fine(returned == 0),
            Self::Stale { stale, .. } => fine(stale == 0),
            Self::Copies { running, different } => fine(running && different == 0),
            Self::Times { .. } | Self::Rate { .. } => MeasureResult::Figure,
        }
    }

    /// Returns the figure for display.
    pub fn sentence(&self) -> Text {
        match self {
            Self::Kept { kept, of } => text!("trial-kept", kept = *kept, of = *of),
            Self::Survived { kept, of, failed, longest_ms } => {
                text!("trial-survived", kept = *kept, of = *of, failed = *failed, ms = *longest_ms)
            }
            Self::Updates { acknowledged, counted } => {
                let lost = acknowledged.saturating_sub(*counted);
                text!("trial-updates", acknowledged = *acknowledged, lost = lost)
            }
            Self::Returned { returned, of } => text!("trial-returned", returned = *returned, of = *of),
            Self::Stale { stale, of } => text!("trial-stale", stale = *stale, of = *of),
            Self::Copies { running: true, different } => {
                text!("trial-copies-run", different = *different)
            }
            Self::Copies { running: false, .. } => text!("trial-copies-stand"),
            Self::Times { median, high, without } => text!(
                "trial-times",
                median = *median / 1_000,
                medianpart = hundredths(*median),
                high = *high / 1_000,
                highpart = hundredths(*high),
                without = *without / 1_000,
                withoutpart = hundredths(*without)
            ),
            Self::Rate { .. } => text!("trial-rate", rate = self.per_second().unwrap_or(0)),
            Self::Failed { why } => text!("trial-failed", why = why.clone()),
        }
    }

    /// Returns the requests per second, for a throughput.
    pub fn per_second(&self) -> Option<u64> {
        match *self {
            Self::Rate { requests, millis } if millis > 0 => Some(requests * 1_000 / millis),
            _ => None,
        }
    }
}

/// Returns the two decimals of a time in milliseconds, given in microseconds. The language adds the decimal mark.
fn hundredths(micros: u64) -> String {
    format!("{:02}", micros % 1_000 / 10)
}

/// One cell of the table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cell {
    /// The column.
    pub way: Way,
    /// The row.
    pub experiment: Experiment,
    /// When it was measured.
    pub at: Millis,
    /// The counts.
    #[serde(flatten)]
    pub measure: Measure,
}

/// The state of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum End {
    /// It has not ended.
    Running,
    /// Every cell was measured.
    Done,
    /// An operator cancelled it.
    Cancelled,
    /// Cordée itself ended during the run.
    BrokenOff,
    /// It could not go on.
    Failed {
        /// Why.
        why: Text,
    },
}

impl End {
    /// Returns the word used in exports.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Done => "done",
            Self::Cancelled => "cancelled",
            Self::BrokenOff => "broken-off",
            Self::Failed { .. } => "failed",
        }
    }

    /// Returns the state in words.
    pub fn sentence(&self) -> Text {
        match self {
            Self::Running => text!("trial-running"),
            Self::Done => text!("trial-done"),
            Self::Cancelled => text!("trial-cancelled"),
            Self::BrokenOff => text!("trial-broken-off"),
            Self::Failed { why } => text!("trial-ended", why = why.clone()),
        }
    }
}

/// One run of all experiments.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Grows by one with each run.
    pub id: u64,
    /// Who asked for it.
    pub actor: String,
    /// When it began.
    pub begun: Millis,
    /// When it ended.
    pub ended: Option<Millis>,
    /// Its state.
    #[serde(flatten)]
    pub end: End,
    /// The cells measured so far.
    pub cells: Vec<Cell>,
}

impl Run {
    /// Returns one cell.
    pub fn cell(&self, way: Way, experiment: Experiment) -> Option<&Cell> {
        self.cells.iter().find(|c| c.way == way && c.experiment == experiment)
    }
}

/// Returns the expected verdict for a way; the page marks a cell that differs. Figures have no expected verdict.
pub fn expected(way: Way, experiment: Experiment) -> Option<MeasureResult> {
    use Experiment::{DifferentKeys, Latency, LogoutFinal, LostUpdates, ServerDeath, Throughput};
    if !experiment.applies(way) || matches!(experiment, Latency | Throughput) {
        return None;
    }
    let wrong = match way {
        Way::FilesAnywhere | Way::TwoWriters => true,
        Way::FilesSticky => experiment == ServerDeath,
        Way::Locked => false,
        Way::Unlocked => matches!(experiment, LostUpdates | DifferentKeys | LogoutFinal),
    };
    Some(if wrong { MeasureResult::Wrong } else { MeasureResult::Right })
}

#[cfg(test)]
mod tests;
