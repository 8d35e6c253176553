//! What a drill counts. Each note may come in any order: the sums are the same.

use serde::{Deserialize, Serialize};

use super::Target;
use crate::ids::{PoolId, ProcessName};
use crate::snapshot::Snapshot;
use crate::state::{Severity, State};
use crate::text;
use crate::text::Text;

/// What became of a request or a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Answered as it should be.
    Answered,
    /// Answered with an error.
    Refused,
    /// Not answered: nobody listened, the connection broke, or it took too long.
    Unanswered,
}

/// One request or write that is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Try {
    /// How it ended.
    pub fate: Fate,
    /// Milliseconds after the fault at which it ended; `None`: before.
    pub ended: Option<u64>,
    /// Milliseconds that it took.
    pub took: u64,
}

/// Requests or writes, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// All that were sent and are over.
    pub asked: u32,
    /// Of these, answered with an error.
    pub refused: u32,
    /// Of these, not answered.
    pub unanswered: u32,
    /// Of both, those that ended before anything fell.
    pub lost_before: u32,
    /// Milliseconds that the slowest one took, of those that ended after something fell.
    pub longest_ms: u64,
    /// Milliseconds after the fault at which the last lost one ended.
    pub last_lost: Option<u64>,
    /// The same of the last one that was answered.
    pub last_answered: Option<u64>,
}

/// Whether and when all was well again; the later one is the greater one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Recovery {
    /// Nothing was lost.
    NothingLost,
    /// Milliseconds from the fault to the end of the last loss.
    After(u64),
    /// The last one was lost: it was not well again when the drill ended.
    NotYet,
}

impl Tally {
    /// Counts one.
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

    /// Those that were not answered as they should be.
    pub const fn lost(&self) -> u32 {
        self.refused + self.unanswered
    }

    /// Whether and when all was well again.
    pub fn recovery(&self) -> Recovery {
        match (self.last_lost, self.last_answered) {
            (None, _) => Recovery::NothingLost,
            (Some(lost), Some(answered)) if answered >= lost => Recovery::After(lost),
            (Some(_), _) => Recovery::NotYet,
        }
    }
}

/// Writes of Cordée's own through HAProxy `db`, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Writes {
    /// All of them.
    pub tally: Tally,
    /// Milliseconds from the fault to the acknowledgement of the first write that was begun after it.
    pub first_ms: Option<u64>,
    /// Acknowledged ones that are not in the database in the end; `None`: it was not read.
    pub vanished: Option<u32>,
}

/// What the page said of something, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// Milliseconds after the fault; `None`: before.
    pub ms: Option<u64>,
    /// Of what: a server, an HAProxy, a channel; empty for the sentence about all of it.
    pub about: String,
    /// Its severity.
    #[serde(rename = "light")]
    pub severity: Severity,
    /// Its word.
    pub word: Text,
}

/// The most that is kept of what the page said: a drill that flickers is told by its first hundred words.
const SAID_KEPT: usize = 100;

/// What a drill found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// When it fell: milliseconds since 1970, UTC.
    pub struck: Option<u64>,
    /// Milliseconds from the fault until it was put right; `None`: not yet, or not needed.
    pub undone_ms: Option<u64>,
    /// Requests to the site.
    pub requests: Tally,
    /// Sessions that visitors began.
    pub sessions: u32,
    /// Sessions that were another one, or nobody's, when their visitor came back.
    pub sessions_lost: u32,
    /// Writes, when a database or what leads to it falls.
    pub writes: Option<Writes>,
    /// What the page said.
    pub said: Vec<Said>,
}

impl Report {
    /// Whether and when all was well again, for requests and writes together.
    pub fn recovery(&self) -> Recovery {
        let writes = self.writes.as_ref().map_or(Recovery::NothingLost, |w| w.tally.recovery());
        self.requests.recovery().max(writes)
    }

    /// Keeps what the page says now, where that is new.
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

/// What the page says of those whom a drill concerns.
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
        // Of a database the others are told too: one of them takes over.
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
