//! The counts of a drill. Results may be noted in any order; the sums are the same.

use serde::{Deserialize, Serialize};

use super::Target;
use crate::ids::{PoolId, ProcessName};
use crate::snapshot::Snapshot;
use crate::state::{Severity, State};
use crate::text;
use crate::text::Text;

/// The outcome of a request or a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Answered correctly.
    Answered,
    /// Answered with an error.
    Refused,
    /// Not answered: nobody accepted the connection, it broke, or the answer took too long.
    Unanswered,
}

/// A finished request or write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Try {
    /// Its outcome.
    pub fate: Fate,
    /// Milliseconds after the fault at which it ended; `None` if it ended before the fault.
    pub ended: Option<u64>,
    /// How many milliseconds it took.
    pub took: u64,
}

/// Counts of requests or writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// All that were sent and have ended.
    pub asked: u32,
    /// Of these, answered with an error.
    pub refused: u32,
    /// Of these, left without an answer.
    pub unanswered: u32,
    /// Of the refused and unanswered ones, those that ended before the fault.
    pub lost_before: u32,
    /// Milliseconds that the slowest one took, among those that ended after the fault.
    pub longest_ms: u64,
    /// Milliseconds after the fault at which the last lost one ended.
    pub last_lost: Option<u64>,
    /// The same for the last one that was answered.
    pub last_answered: Option<u64>,
}

/// Whether and when everything worked again. A later recovery compares as greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Recovery {
    /// Nothing was lost.
    NothingLost,
    /// Milliseconds from the fault to the end of the last loss.
    After(u64),
    /// The last one was lost: the recovery was not complete when the drill ended.
    NotYet,
}

impl Tally {
    /// Counts a request or write.
    pub fn note(&mut self, one: Try) {
        self.asked += 1;
        let lost = one.fate != Fate::Answered;
        match one.fate {
            Fate::Answered => {}
            Fate::Refused => self.refused += 1,
            Fate::Unanswered => self.unanswered += 1,
        }
        let Some(ended) = one.ended else {
            self.lost_before += u32::from(lost);
            return;
        };
        self.longest_ms = self.longest_ms.max(one.took);
        let newest = if lost { &mut self.last_lost } else { &mut self.last_answered };
        *newest = (*newest).max(Some(ended));
    }

    /// Returns the number of those that were not answered correctly.
    pub const fn lost(&self) -> u32 {
        self.refused + self.unanswered
    }

    /// Returns whether and when everything worked again.
    pub fn recovery(&self) -> Recovery {
        match (self.last_lost, self.last_answered) {
            (None, _) => Recovery::NothingLost,
            (Some(lost), Some(answered)) if answered >= lost => Recovery::After(lost),
            (Some(_), _) => Recovery::NotYet,
        }
    }
}

/// Counts of the writes that Cordée sends through HAProxy `db`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Writes {
    /// All of them.
    pub tally: Tally,
    /// Milliseconds from the fault until the first write that was begun after it was acknowledged.
    pub first_ms: Option<u64>,
    /// Acknowledged writes that are missing from the database at the end; `None` if the database was not read.
    pub vanished: Option<u32>,
}

/// A status that the page showed, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// Milliseconds after the fault; `None` if it was before the fault.
    pub ms: Option<u64>,
    /// What it was about: a server, a HAProxy instance or a channel; empty for the verdict about the whole.
    pub about: String,
    /// Its severity.
    #[serde(rename = "light")]
    pub severity: Severity,
    /// Its words.
    pub word: Text,
}

/// The maximum number of statuses that are kept. If a drill makes the page flicker, the first hundred are enough.
const SAID_KEPT: usize = 100;

/// The results of a drill.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// When the fault was caused: milliseconds since 1970, UTC.
    pub struck: Option<u64>,
    /// Milliseconds from the fault until it was undone; `None` if it is not undone yet, or need not be.
    pub undone_ms: Option<u64>,
    /// Requests to the site.
    pub requests: Tally,
    /// Sessions that visitors began.
    pub sessions: u32,
    /// Sessions that were replaced by another one, or gone, when their visitor came back.
    pub sessions_lost: u32,
    /// Writes, if the target is a database or something on the way to one.
    pub writes: Option<Writes>,
    /// The statuses that the page showed.
    pub said: Vec<Said>,
}

impl Report {
    /// Returns whether and when everything worked again, for requests and writes together.
    pub fn recovery(&self) -> Recovery {
        let writes = self.writes.as_ref().map_or(Recovery::NothingLost, |w| w.tally.recovery());
        self.requests.recovery().max(writes)
    }

    /// Records what the page shows now, as far as it is new.
    pub fn listen(&mut self, snapshot: &Snapshot, target: &Target, ms: Option<u64>) {
        for (about, severity, word) in words(snapshot, target) {
            let last = self.said.iter().rev().find(|s| s.about == about);
            let news = last.is_none_or(|s| s.severity != severity || s.word != word);
            if news && self.said.len() < SAID_KEPT {
                self.said.push(Said { ms, about, severity, word });
            }
        }
    }
}

/// Returns what the page shows about everything that the drill concerns.
fn words(snapshot: &Snapshot, target: &Target) -> Vec<(String, Severity, Text)> {
    let mut all = vec![(String::new(), snapshot.verdict.severity, snapshot.verdict.word.clone())];
    for proxy in &snapshot.proxies {
        let id = ProcessName::Proxy(proxy.name);
        if *target == Target::Process(id.clone()) {
            all.push((id.to_string(), proxy.status.severity, proxy.status.state.sentence()));
        }
    }
    let fallen = |name| *target == Target::Process(ProcessName::Server(name));
    let database = snapshot.servers.iter().any(|s| s.pool == PoolId::Db && fallen(s.name.clone()));
    let linked = matches!(target, Target::Channel { .. });
    for server in &snapshot.servers {
        // If a database is the target, the other databases are recorded too, because one of them takes over.
        if fallen(server.name.clone()) || (server.pool == PoolId::Db && (database || linked)) {
            all.push((server.name.to_string(), server.status.severity, server.status.state.sentence()));
        }
    }
    if let Target::Channel { on, from } = target {
        let channel = snapshot.servers.iter().find(|s| s.name == *on).and_then(|s| s.channels.get(from));
        let severity = channel.map_or(Severity::Unknown, |l| l.severity);
        let word = match severity {
            Severity::Good | Severity::Progress => text!("drill-link-runs"),
            Severity::Warning => text!("drill-link-late"),
            Severity::Unknown => State::Unknown.sentence(),
            _ => text!("drill-link-stands"),
        };
        all.push((format!("{on} ← {from}"), severity, word));
    }
    if database {
        let writer = snapshot.servers.iter().find(|s| s.role == Some(crate::snapshot::Role::Writer));
        if let Some(writer) = writer {
            let word = text!("drill-writer-is", name = &writer.name);
            all.push((format!("{} →", ProcessName::Proxy(PoolId::Db)), writer.status.severity, word));
        }
    }
    all
}
