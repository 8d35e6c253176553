//! The comparison of ways to keep sessions: which experiments there are, what each may be tried on, and what its
//! counts say. Running them is the server's business (`lab`).

use serde::{Deserialize, Serialize};

use crate::ids::Millis;
use crate::text;
use crate::text::Text;

/// A way to keep PHP's sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// Files of each web server, and visitors led to any of them: broken on purpose.
    FilesAnywhere,
    /// Files of each web server, and visitors led back to theirs by HAProxy's cookie.
    FilesSticky,
    /// A table of the one writer, each session locked while a request uses it.
    Locked,
    /// A table of the one writer, without a lock.
    Unlocked,
    /// The locking handler over two databases that both take writes: broken on purpose.
    TwoWriters,
}

impl Way {
    /// In the order of the columns.
    pub const ALL: [Self; 5] =
        [Self::FilesAnywhere, Self::FilesSticky, Self::Locked, Self::Unlocked, Self::TwoWriters];

    /// The word in addresses, exports and requests.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FilesAnywhere => "files-anywhere",
            Self::FilesSticky => "files-sticky",
            Self::Locked => "locked",
            Self::Unlocked => "unlocked",
            Self::TwoWriters => "two-writers",
        }
    }

    /// Its name for a person.
    pub fn name(self) -> Text {
        match self {
            Self::FilesAnywhere => text!("way-files-anywhere"),
            Self::FilesSticky => text!("way-files-sticky"),
            Self::Locked => text!("way-locked"),
            Self::Unlocked => text!("way-unlocked"),
            Self::TwoWriters => text!("way-two-writers"),
        }
    }

    /// Broken on purpose, to show that the experiments can fail.
    pub const fn is_control(self) -> bool {
        matches!(self, Self::FilesAnywhere | Self::TwoWriters)
    }

    /// Whether the visitor keeps HAProxy's cookie.
    pub const fn is_sticky(self) -> bool {
        matches!(self, Self::FilesSticky)
    }

    /// Whether sessions are rows of a database.
    pub const fn in_database(self) -> bool {
        !matches!(self, Self::FilesAnywhere | Self::FilesSticky)
    }
}

/// One question that is put to each way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Experiment {
    /// One visitor, all servers in turn: still the same person?
    LoginAcross,
    /// The visitors' server dies: still the same persons?
    ServerDeath,
    /// Requests of one session at once, each adding one.
    LostUpdates,
    /// Two requests at once that write different keys.
    DifferentKeys,
    /// A slow request and a log-out: is the session back afterwards?
    LogoutFinal,
    /// Write, then read at once.
    StaleRead,
    /// Whether the two databases still copy each other and hold the same rows.
    Copies,
    /// What a session adds to a request.
    Latency,
    /// Requests per second of many visitors.
    Throughput,
}

impl Experiment {
    /// In the order of the rows, which is the order in which they are run: what may leave the two databases
    /// different comes last.
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

    /// The word in addresses and exports.
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

    /// Its name for a person.
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

    /// How it is measured.
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

    /// Whether it can be put to that way. Copies are compared only where sessions are in them; and with two
    /// writers held apart, who is still known after a server's death is left to chance.
    pub const fn applies(self, way: Way) -> bool {
        match self {
            Self::Copies => way.in_database(),
            Self::ServerDeath => !matches!(way, Way::TwoWriters),
            _ => true,
        }
    }
}

/// Every cell of the table, in the order in which it is measured.
pub fn cells() -> impl Iterator<Item = (Way, Experiment)> {
    Way::ALL
        .into_iter()
        .flat_map(|way| Experiment::ALL.into_iter().filter(move |e| e.applies(way)).map(move |e| (way, e)))
}

/// What an experiment counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "measure", rename_all = "kebab-case")]
pub enum Measure {
    /// How often the session was there.
    Kept {
        /// There.
        kept: u32,
        /// Asked.
        of: u32,
    },
    /// How many visitors were still signed in after a server's death.
    Survived {
        /// Signed in.
        kept: u32,
        /// Visitors.
        of: u32,
        /// Requests that were not answered with a page.
        failed: u32,
        /// Milliseconds that the slowest answer took.
        longest_ms: u64,
    },
    /// What was added to a counter.
    Updates {
        /// Additions that were answered with success.
        acknowledged: u32,
        /// What the counter says in the end.
        counted: u32,
    },
    /// Log-outs after which the session was there again.
    Returned {
        /// There again.
        returned: u32,
        /// Log-outs.
        of: u32,
    },
    /// Reads that did not see the write before them.
    Stale {
        /// Did not.
        stale: u32,
        /// Reads.
        of: u32,
    },
    /// Two databases.
    Copies {
        /// Both channels apply what they receive.
        running: bool,
        /// Rows that only one has, or that differ.
        different: u64,
    },
    /// Microseconds per request.
    Times {
        /// Half of the requests were quicker.
        median: u64,
        /// 99 of 100 were quicker.
        high: u64,
        /// The median of the same page without a session.
        without: u64,
    },
    /// Requests in a time.
    Rate {
        /// Requests answered with success.
        requests: u64,
        /// Milliseconds.
        millis: u64,
    },
    /// It could not be measured.
    Failed {
        /// Why.
        why: Text,
    },
}

/// What a measure says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MeasureResult {
    /// As a person expects of a session.
    Right,
    /// Not so.
    Wrong,
    /// A figure, to be compared with others of the same run.
    Figure,
    /// Not measured.
    Unknown,
}

impl MeasureResult {
    /// Its word for a person.
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
    /// Judges. One loss is enough: an operator asks whether it can happen. Nothing asked proves nothing.
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

    /// The figure for a person.
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

    /// Requests per second, for a rate.
    pub fn per_second(&self) -> Option<u64> {
        match *self {
            Self::Rate { requests, millis } if millis > 0 => Some(requests * 1_000 / millis),
            _ => None,
        }
    }
}

/// The two decimals of microseconds as milliseconds; the sign before them is the language's.
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
    /// What was counted.
    #[serde(flatten)]
    pub measure: Measure,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum End {
    /// It has not.
    Running,
    /// Every cell was measured.
    Done,
    /// A person gave it up.
    Cancelled,
    /// Cordée ended in the middle.
    BrokenOff,
    /// It could not go on.
    Failed {
        /// Why.
        why: Text,
    },
}

impl End {
    /// The word in exports.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Done => "done",
            Self::Cancelled => "cancelled",
            Self::BrokenOff => "broken-off",
            Self::Failed { .. } => "failed",
        }
    }

    /// In words.
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
    /// How.
    #[serde(flatten)]
    pub end: End,
    /// What is measured so far.
    pub cells: Vec<Cell>,
}

impl Run {
    /// One cell.
    pub fn cell(&self, way: Way, experiment: Experiment) -> Option<&Cell> {
        self.cells.iter().find(|c| c.way == way && c.experiment == experiment)
    }
}

/// What is foreseen for a way; the page marks a cell that differs. For figures there is none.
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
