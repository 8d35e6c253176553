//! One database's page: its identity, what to do, how it replicates with each other database, and the three
//! comparisons.

use cordee_domain::actions::Action;
use cordee_domain::db::detail::{self, Detail, Truth};
use cordee_domain::desired::{Database, Desired, Membership};
use cordee_domain::ids::Millis;
use cordee_domain::snapshot::{Role, ServerView};
use cordee_domain::state::{Severity, State};
use cordee_domain::text;
use cordee_domain::text::Text;

use super::rows::ChannelRow;
use super::{Picture, ServerRow, StatusRow, remark, severity};
use crate::words::Lang;

/// This database and one of the others, with both directions of replication between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// The other database.
    pub peer: ServerRow,
    /// The direction from the other database to this one.
    pub comes: Arrow,
    /// The direction from this database to the other one.
    pub goes: Arrow,
}

/// One direction of replication.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Arrow {
    /// The database whose writes are replicated.
    pub from: String,
    /// The database that receives them.
    pub to: String,
    /// `data-st`.
    pub st: &'static str,
    /// The delay, or what is wrong.
    pub text: String,
    /// How many transactions are on their way; empty when not known.
    pub missing: String,
}

/// One of the three statements about the database.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TruthRow {
    /// The question.
    pub asks: String,
    /// The answer.
    pub says: StatusRow,
    /// How old the answer is, or when it was read.
    pub age: String,
}

/// Returns the database's identity, in one line.
pub fn about(server: Database<'_>, view: Option<&ServerView>, lang: Lang) -> Vec<String> {
    let mut parts = Vec::new();
    parts.extend(view.and_then(|v| v.version.clone()));
    parts.push(server.host.with_port(server.port));
    parts.push(lang.say(&text!("detail-id", id = server.id, slot = server.slot)));
    parts.extend(view.and_then(|v| v.pid).map(|pid| lang.say(&text!("detail-pid", pid = pid))));
    parts
}

/// Returns its membership in words.
pub fn membership(server: Database<'_>, lang: Lang) -> String {
    lang.say(&match server.membership {
        Membership::Member => text!("standing-member"),
        Membership::Joining => text!("standing-joining"),
        Membership::Leaving | Membership::Released => text!("standing-leaving"),
        Membership::Returning { .. } => text!("standing-returning"),
        Membership::Diverged(_) => text!("standing-diverged"),
    })
}

/// Returns what to do about its status; `None` when nothing needs to be done.
pub fn advice(view: &ServerView, lang: Lang) -> Option<String> {
    let name = view.name.as_str();
    let writer = view.role == Some(Role::Writer);
    let text = match view.status.state {
        State::Down | State::Unreachable if writer => text!("do-writer-down", name = name),
        State::Down | State::Unreachable => text!("do-down", name = name),
        State::Frozen => text!("do-frozen", name = name),
        State::Diverged => text!("do-diverged", name = name),
        State::Closed => text!("do-closed", name = name),
        State::Open => text!("do-open", name = name),
        State::Full => text!("do-full", name = name),
        State::Blocked => text!("do-blocked", name = name),
        State::ReplicationStopped => text!("do-replication", name = name),
        State::Alone => text!("do-alone", name = name),
        State::NotCopied => text!("do-not-copied", name = name),
        State::Behind => text!("do-behind", name = name),
        State::RowsDiffer => text!("do-rows", name = name),
        State::RowsUnproven => text!("do-unproven"),
        State::Keyless => text!("do-keyless"),
        State::Memory => text!("do-memory"),
        State::Schemaless => text!("do-schema", name = name),
        State::Unprotected => text!("do-unprotected", name = name),
        State::CopyFailed => text!("do-copy-failed", name = name),
        State::Unknown => text!("do-unknown"),
        State::Stopped if view.actions.contains(&Action::Start) && writer => {
            text!("do-stopped-writer", name = name)
        }
        State::Stopped if view.actions.contains(&Action::Start) => text!("do-stopped", name = name),
        State::Up
        | State::Starting
        | State::Stopping
        | State::Restarting
        | State::HalfFrozen
        | State::Joining
        | State::Leaving
        | State::Waits
        | State::Applying
        | State::Maintenance
        | State::Draining
        | State::Recovering
        | State::Double
        | State::Door
        | State::DoorUnknown
        | State::Drift
        | State::Creating
        | State::Copying
        | State::Unreached
        | State::Astray
        | State::InSync
        | State::Linking
        | State::MayLack
        | State::Comparing
        | State::LogReset
        | State::Altered
        | State::Sequences
        | State::Returning
        | State::Opening
        | State::Closing
        | State::HandingOver
        | State::Stopped => return None,
    };
    Some(lang.say(&text))
}

/// Returns both directions of replication, one pair for each other database.
pub fn pairs(picture: &Picture, own: &ServerRow, detail: Option<&Detail>, lang: Lang) -> Vec<Pair> {
    picture
        .servers
        .iter()
        .filter(|s| s.pool == own.pool && s.name != own.name)
        .map(|peer| {
            let seen = detail.and_then(|d| {
                let other = d.peers.iter().find(|(name, _)| name.as_str() == peer.name)?.1.as_ref().ok()?;
                Some((d.own.as_ref().ok()?, other))
            });
            let comes = seen.map(|(own, other)| detail::missing(&own.after, other));
            let goes = seen.map(|(own, other)| detail::missing(other, &own.before));
            Pair {
                comes: arrow(&peer.name, own, comes, lang),
                goes: arrow(&own.name, peer, goes, lang),
                peer: peer.clone(),
            }
        })
        .collect()
}

fn arrow(from: &str, to: &ServerRow, missing: Option<u64>, lang: Lang) -> Arrow {
    let none = ChannelRow { st: "unknown", text: "–".to_owned(), ..ChannelRow::default() };
    let channel = to.channels.iter().find(|l| l.from == from).unwrap_or(&none);
    // Where nothing is replicated, nothing is on its way.
    let missing = missing
        .filter(|_| channel.text != none.text)
        .map(|n| lang.say(&text!("arrow-missing", count = n)))
        .unwrap_or_default();
    Arrow { from: from.to_owned(), to: to.name.clone(), st: channel.st, text: channel.text.clone(), missing }
}

/// Returns the three statements about a database.
pub fn truths(
    desired: &Desired,
    server: Database<'_>,
    view: Option<&ServerView>,
    detail: &Detail,
    lang: Lang,
    now: Millis,
) -> Vec<TruthRow> {
    let delay = view.and_then(|v| v.channels.values().map(|l| l.delay_ms).max().flatten());
    let rows = if desired.is_writer(&server.name) {
        detail::rows_of_others(desired, server, &detail.comparisons)
    } else {
        detail::rows(server, detail.comparisons.get(&server.name))
    };
    let truth = |asks: Text, truth: Truth| TruthRow {
        asks: lang.say(&asks),
        age: match truth.at {
            Some(at) => lang.say(&text!("truth-age", age = long_age(now.saturating_sub(at), lang))),
            None => lang.say(&text!("truth-read", time = super::clock_time(detail.at))),
        },
        says: remark(&truth.status, lang),
    };
    vec![
        truth(text!("truth-ask-links"), detail::channels(desired, server, detail)),
        truth(text!("truth-ask-positions"), detail::positions(desired, server, detail, delay)),
        truth(text!("truth-ask-rows"), rows),
    ]
}

/// Returns the age of something that happens every few hours.
fn long_age(ms: u64, lang: Lang) -> String {
    match ms {
        0..7_200_000 => super::age(ms, lang),
        _ => format!("{}\u{a0}h", ms / 3_600_000),
    }
}

/// Returns what the writer promises about each commit now, or what a standby does for it.
pub fn promise(desired: &Desired, server: Database<'_>, detail: &Detail, lang: Lang) -> Option<StatusRow> {
    detail::promise(desired, server, detail).map(|s| remark(&s, lang))
}

/// Returns the value of `data-st` for something that is right or wrong.
pub(super) const fn mark(fine: bool) -> &'static str {
    severity(if fine { Severity::Good } else { Severity::Critical })
}

#[cfg(test)]
mod tests;
