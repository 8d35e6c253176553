//! One database in detail: what Cordée asks only while a person looks at the database's page, and what follows from
//! it.
//!
//! Three facts are kept apart, because none implies another: the channels run, the positions are caught up, the rows
//! are equal.

pub mod accounts;
pub mod errors;
pub mod settings;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::db::conflict::Shown;
use crate::db::{DatabaseSeen, Thread};
use crate::desired::{Database, Desired, Membership};
use crate::fault::Fault;
use crate::ids::{Millis, ServerName};
use crate::observed::Comparison;
use crate::reason::Reason;
use crate::state::{Remark, Severity};
use crate::status::LAG_LIMIT;
use crate::text;

use accounts::Account;

/// What Cordée found when a person opened the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Detail {
    /// When the look ended.
    pub at: Millis,
    /// What the database reports about itself, or why it could not be asked.
    pub own: Result<Answers, Fault>,
    /// The other databases, looked at between the two looks at this one.
    pub peers: BTreeMap<ServerName, Result<DatabaseSeen, Fault>>,
    /// The row comparisons of all databases.
    pub comparisons: BTreeMap<ServerName, Comparison>,
    /// The rows at which its channels stopped, by the server that each copies.
    pub conflicts: BTreeMap<ServerName, Shown>,
    /// Whether the configuration file closes the database at a start (`read_only=1`); absent when there is no file.
    pub starts_closed: Option<bool>,
}

/// What a database reports about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answers {
    /// The look before the others were looked at.
    pub before: DatabaseSeen,
    /// The look after the others were looked at.
    pub after: DatabaseSeen,
    /// Its settings, by their names in lower case.
    pub variables: BTreeMap<String, String>,
    /// Its channels in detail, by the server that each copies.
    pub threads: BTreeMap<ServerName, Threads>,
    /// The accounts that may sign in.
    pub accounts: Vec<Account>,
    /// The accounts that are signed in.
    pub crowds: Vec<Crowd>,
}

/// The two threads of one channel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Threads {
    /// The receiving thread.
    pub receiving: Thread,
    /// Whether the applying thread runs.
    pub applying: bool,
    /// The receiving thread's error number; 0 when there is none.
    pub receive_error: u32,
    /// MariaDB's message about that error, shortened.
    pub receive_words: String,
    /// The applying thread's error number; 0 when there is none.
    pub apply_error: u32,
    /// MariaDB's message about that error, shortened.
    pub apply_words: String,
    /// The position up to which the channel has received.
    pub received: String,
    /// The position in the other database's log: file and octets.
    pub at: (String, u64),
}

impl Threads {
    /// Reports whether both threads run.
    pub fn run(&self) -> bool {
        self.receiving == Thread::Running && self.applying
    }
}

/// The connections of one account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Crowd {
    /// The account's name; `system user` for the threads of replication.
    pub account: String,
    /// The number of connections.
    pub count: u32,
    /// How many of them run a statement now.
    pub busy: u32,
    /// The statement that has run longest: for how many milliseconds, and its text.
    pub longest: Option<(u64, String)>,
}

impl Crowd {
    /// Reports whether these are threads that MariaDB runs for itself: MariaDB lists them as processes but does not
    /// count them as connections.
    pub fn is_own(&self) -> bool {
        ["system user", "event_scheduler"].contains(&self.account.as_str())
    }
}

/// The longest part of a statement that is shown, in characters.
pub const STATEMENT_SHOWN: usize = 100;

/// Prepares a statement for display: on one line and shortened. `None` if it may contain a password.
pub fn shown(statement: &str) -> Option<String> {
    let upper = statement.to_ascii_uppercase();
    if ["PASSWORD", "IDENTIFIED", "AUTH_STRING", "ENCRYPT(", "DECRYPT("].iter().any(|w| upper.contains(w)) {
        return None;
    }
    let line: String = statement.split_whitespace().collect::<Vec<_>>().join(" ");
    let cut: String = line.chars().take(STATEMENT_SHOWN).collect();
    Some(if line.chars().count() > STATEMENT_SHOWN { format!("{cut}…") } else { cut })
}

/// Returns how many transactions `ahead` holds and `behind` does not. Sequence numbers grow by one with each
/// transaction of a domain.
pub fn missing(behind: &DatabaseSeen, ahead: &DatabaseSeen) -> u64 {
    let domains = ahead.written.0.keys().chain(ahead.applied.0.keys());
    let domains: std::collections::BTreeSet<u32> = domains.copied().collect();
    domains.into_iter().map(|d| ahead.holds(d).saturating_sub(behind.holds(d))).sum()
}

/// One of the three facts, and when it was found; without a time it is of the moment of the look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Truth {
    /// The state.
    pub status: Remark,
    /// When it was found, if that was earlier than the look.
    pub at: Option<Millis>,
}

impl Truth {
    const fn now(status: Remark) -> Self {
        Self { status, at: None }
    }
}

/// Returns the other members of the group.
fn peers<'a>(desired: &'a Desired, server: Database<'_>) -> impl Iterator<Item = Database<'a>> {
    let own = server.id;
    desired.members().filter(move |s| s.id != own)
}

/// Reports whether the others copy this database: a new or leaving database, and one with data of its own, are not
/// copied.
const fn is_copied(server: Database<'_>) -> bool {
    matches!(server.membership, Membership::Member)
}

/// Returns the first fact: whether the channels run, in both directions, with both threads.
pub fn channels(desired: &Desired, server: Database<'_>, detail: &Detail) -> Truth {
    let own = match &detail.own {
        Ok(own) => &own.after,
        Err(why) => {
            return Truth::now(Remark::new(Severity::Unknown, text!("truth-unknown"), why.clone()));
        }
    };
    let (mut all, mut broken, mut unknown, mut off) = (0_usize, Vec::new(), Vec::new(), false);
    let runs = |seen: &DatabaseSeen, from: &ServerName| {
        seen.channels.get(from).is_some_and(|l| l.receiving == Thread::Running && l.applying)
    };
    for peer in peers(desired, server) {
        let mut direction = |state: Option<bool>, from: &ServerName, to: &ServerName| {
            all += 1;
            match state {
                Some(true) => {}
                Some(false) => broken.push(format!("{from} → {to}")),
                None => unknown.push(format!("{from} → {to}")),
            }
        };
        direction(Some(runs(own, &peer.name)), &peer.name, &server.name);
        if is_copied(server) {
            let seen = detail.peers.get(&peer.name).and_then(|p| p.as_ref().ok());
            direction(seen.map(|seen| runs(seen, &server.name)), &server.name, &peer.name);
        }
        off = off || peer.stopped();
    }
    Truth::now(if all == 0 {
        Remark::new(Severity::Warning, text!("truth-alone"), text!("truth-alone-why"))
    } else if !broken.is_empty() {
        let severity = if off { Severity::Warning } else { Severity::Critical };
        let reason =
            text!("truth-links-broken-why", names = broken.join(", "), count = broken.len(), all = all);
        Remark::new(severity, text!("truth-links-broken"), reason)
    } else if !unknown.is_empty() {
        let reason = text!("truth-links-unknown-why", names = unknown.join(", "));
        Remark::new(Severity::Unknown, text!("truth-links-unknown"), reason)
    } else {
        Remark::new(Severity::Good, text!("truth-links-run"), text!("truth-links-run-why", count = all))
    })
}

/// Returns the second fact: whether the positions are caught up, in both directions. The other databases were looked at
/// between two looks at this one, so each counted transaction existed before and was still missing afterwards.
pub fn positions(desired: &Desired, server: Database<'_>, detail: &Detail, delay_ms: Option<u64>) -> Truth {
    let own = match &detail.own {
        Ok(own) => own,
        Err(why) => {
            return Truth::now(Remark::new(Severity::Unknown, text!("truth-unknown"), why.clone()));
        }
    };
    let (mut here, mut there, mut unknown, mut asked) = (0_u64, Vec::new(), Vec::new(), 0_usize);
    for peer in peers(desired, server) {
        match detail.peers.get(&peer.name) {
            Some(Ok(seen)) => {
                asked += 1;
                here = here.max(missing(&own.after, seen));
                let lacks = missing(seen, &own.before);
                if lacks > 0 {
                    there.push(format!("{} ({lacks})", peer.name));
                }
            }
            _ => unknown.push(peer.name.to_string()),
        }
    }
    let delay = delay_ms.map_or_else(|| text!("truth-delay-unknown"), |ms| text!("truth-delay", ms = ms));
    let slow = delay_ms.is_some_and(|ms| ms > LAG_LIMIT);
    Truth::now(if asked == 0 && unknown.is_empty() {
        Remark::new(Severity::Warning, text!("truth-alone"), text!("truth-alone-why"))
    } else if here > 0 {
        Remark::new(Severity::Warning, text!("truth-behind", count = here), delay)
    } else if !there.is_empty() {
        let reason = text!("truth-others-behind-why", names = there.join(", "));
        Remark::new(Severity::Warning, text!("truth-others-behind"), reason)
    } else if slow {
        Remark::new(Severity::Warning, text!("truth-late"), delay)
    } else if asked == 0 {
        let reason = text!("truth-positions-unknown-why", names = unknown.join(", "));
        Remark::new(Severity::Unknown, text!("truth-unknown"), reason)
    } else if unknown.is_empty() {
        Remark::new(Severity::Good, text!("truth-caught-up"), delay)
    } else {
        let reason = text!("truth-caught-up-partly-why", names = unknown.join(", "));
        Remark::new(Severity::Warning, text!("truth-caught-up-partly"), reason)
    })
}

/// Returns the third fact: whether the rows are equal to the writer's. Only a comparison can tell.
pub fn rows(server: Database<'_>, comparison: Option<&Comparison>) -> Truth {
    let none = Comparison::default();
    let comparison = comparison.filter(|c| c.id == server.id).unwrap_or(&none);
    if let Some(rows) = comparison.running {
        let reason = text!("truth-comparing-why", rows = rows);
        return Truth::now(Remark::new(Severity::Progress, text!("truth-comparing"), reason));
    }
    let report = comparison.last.as_ref().filter(|(id, _)| *id == server.id).map(|(_, r)| r);
    if comparison.wanted {
        let reason = comparison.failed.as_ref().map(|(_, why)| text!("truth-failed-why", why = why.clone()));
        let (severity, word) = (Severity::Progress, text!("truth-wanted"));
        let status = Remark {
            severity,
            word,
            reason: Some(reason.unwrap_or_else(|| text!("truth-wanted-why")).into()),
        };
        return Truth::now(status);
    }
    let Some(report) = report else {
        let reason = comparison.failed.as_ref().map_or_else(
            || text!("truth-never-why"),
            |(_, why)| text!("truth-failed-why", why = why.clone()),
        );
        return Truth::now(Remark::new(Severity::Unknown, text!("truth-never"), reason));
    };
    let (tables, rows, with) = (report.tables.len(), report.rows, report.reference.as_str());
    let (different, unproven) = (report.different(), report.unproven());
    let status = if different > 0 {
        let reason = text!("truth-differs-why", with = with, tables = tables);
        Remark::new(Severity::Critical, text!("truth-differs", count = different), reason)
    } else if unproven > 0 {
        let reason = text!("truth-unproven-why", with = with, rows = rows, count = tables - unproven);
        Remark::new(Severity::Warning, text!("truth-unproven", count = unproven), reason)
    } else {
        let reason = text!("truth-equal-why", with = with, rows = rows, tables = tables);
        Remark::new(Severity::Good, text!("truth-equal"), reason)
    };
    Truth { status, at: Some(report.at_end) }
}

/// Returns the third fact for the writer: the worst result of the other databases, which are compared with it.
pub fn rows_of_others(
    desired: &Desired,
    writer: Database<'_>,
    comparisons: &BTreeMap<ServerName, Comparison>,
) -> Truth {
    let worst = peers(desired, writer)
        .map(|peer| (peer, rows(peer, comparisons.get(&peer.name))))
        .max_by_key(|(_, truth)| truth.status.severity);
    let Some((peer, truth)) = worst else {
        return Truth::now(Remark::new(Severity::Warning, text!("truth-alone"), text!("truth-alone-why")));
    };
    let why = truth.status.reason.as_ref().map_or_else(|| truth.status.word.clone(), Reason::sentence);
    let status = Remark {
        reason: Some(text!("truth-of", name = peer.name.as_str(), why = why).into()),
        ..truth.status
    };
    Truth { status, at: truth.at }
}

/// Returns what the writer, or a standby's ACK, guarantees about each commit now.
pub fn promise(desired: &Desired, server: Database<'_>, detail: &Detail) -> Option<Remark> {
    let own = &detail.own.as_ref().ok()?.after;
    if !desired.takes_writes(server) {
        let (severity, word) = if own.acks {
            (Severity::Good, text!("promise-receipts"))
        } else {
            (Severity::Warning, text!("promise-no-receipts"))
        };
        return Some(Remark::new(severity, word, text!("promise-standby-why")));
    }
    if !desired.is_writer(&server.name) {
        return Some(Remark::new(Severity::Warning, text!("promise-none"), text!("promise-second-why")));
    }
    let reason = match () {
        () if own.promises() => {
            let reason = text!("promise-kept-why", count = own.acknowledging);
            return Some(Remark::new(Severity::Good, text!("promise-kept"), reason));
        }
        () if peers(desired, server).next().is_none() => text!("promise-alone-why"),
        () if !own.semi_sync => text!("promise-off-why"),
        () if own.acknowledging == 0 => text!("promise-nobody-why"),
        () => text!("promise-fallen-why"),
    };
    Some(Remark::new(Severity::Warning, text!("promise-none"), reason))
}

/// One GTID domain: its owner, and how far this database is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reached {
    /// The domain, which is the id of the server that writes in it.
    pub domain: u32,
    /// That server; absent when it was removed.
    pub owner: Option<ServerName>,
    /// The last number in its binary log; 0 when there is none.
    pub logged: u64,
    /// The last number that this database applied from others.
    pub applied: u64,
}

/// Returns how far a database is, domain by domain.
pub fn reached(desired: &Desired, seen: &DatabaseSeen) -> Vec<Reached> {
    let domains: std::collections::BTreeSet<u32> =
        seen.written.0.keys().chain(seen.applied.0.keys()).copied().collect();
    let owner = |domain| desired.databases().find(|s| s.id == domain).map(|s| s.name.clone());
    domains
        .into_iter()
        .map(|domain| Reached {
            domain,
            owner: owner(domain),
            logged: seen.written.last(domain),
            applied: seen.applied.last(domain),
        })
        .collect()
}

#[cfg(test)]
mod tests;
