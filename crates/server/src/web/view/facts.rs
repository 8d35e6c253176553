//! What a database reports of itself, in rows: differing tables, threads, positions, accounts, settings,
//! connections. Every text that comes from a database is treated as plain text.

use cordee_domain::db::Thread;
use cordee_domain::db::conflict::{Shown, Versions};
use cordee_domain::db::detail::accounts::{Account, Fence};
use cordee_domain::db::detail::errors::meaning;
use cordee_domain::db::detail::{Answers, Crowd, Detail, reached, settings, shown};
use cordee_domain::db::verify::{Checked, Difference, Kind, TableResult};
use cordee_domain::desired::{Database as Base, Desired, Server};
use cordee_domain::ids::ServerName;
use cordee_domain::text;

use super::detail::mark;
use crate::words::Lang;

/// A table that is not proven equal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TableRow {
    /// Its full name.
    pub name: String,
    /// `data-st`.
    pub st: &'static str,
    /// What was found.
    pub says: String,
    /// The rows that differ: how they differ, and which rows they are.
    pub rows: Vec<(String, String)>,
}

/// One channel of this database.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ThreadRow {
    /// The database that it replicates from.
    pub from: String,
    /// Receiving: `data-st` and word.
    pub receives: (&'static str, String),
    /// Applying: `data-st` and word.
    pub applies: (&'static str, String),
    /// How far it has received.
    pub received: String,
    /// The errors at which it stopped.
    pub errors: Vec<ErrorRow>,
}

/// One error of a thread.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ErrorRow {
    /// Its number.
    pub code: u32,
    /// `data-st`: only a warning for a thread that retries by itself.
    pub st: &'static str,
    /// What the error means.
    pub means: String,
    /// What to do.
    pub remedy: String,
    /// MariaDB's own message.
    pub words: String,
}

/// One GTID domain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PositionRow {
    /// The database that it belongs to.
    pub owner: String,
    /// Its number.
    pub domain: u32,
    /// The last GTID in the binary log.
    pub logged: String,
    /// The last GTID applied from other databases.
    pub applied: String,
}

/// One account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountRow {
    /// User and host.
    pub name: String,
    /// `data-st`.
    pub st: &'static str,
    /// Its privileges.
    pub may: String,
    /// What is wrong with it; empty when nothing is.
    pub flag: String,
}

/// One setting.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SettingRow {
    /// Its name.
    pub name: &'static str,
    /// Its value is right.
    pub fine: bool,
    /// `data-st`.
    pub st: &'static str,
    /// The expected value.
    pub expected: String,
    /// The actual value.
    pub actual: String,
    /// What depends on it.
    pub why: String,
    /// What to do; empty when the value is right.
    pub remedy: String,
}

/// The connections of one account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CrowdRow {
    /// The account.
    pub account: String,
    /// How many of its connections are open, in words.
    pub open: String,
    /// How many of them have a statement under way.
    pub busy: u32,
    /// How long the longest statement has been running.
    pub time: String,
    /// The beginning of that statement.
    pub statement: String,
}

/// Returns the tables of the last comparison that are not proven equal.
pub fn tables(server: &Server, detail: &Detail, lang: Lang) -> Vec<TableRow> {
    let report = detail
        .comparisons
        .get(&server.name)
        .and_then(|c| c.last.as_ref())
        .filter(|(id, _)| *id == server.id)
        .map(|(_, report)| report);
    report.into_iter().flat_map(|r| &r.tables).filter_map(|table| one_table(table, lang)).collect()
}

fn one_table(table: &Checked, lang: Lang) -> Option<TableRow> {
    let names = |on: &[ServerName]| on.iter().map(ServerName::as_str).collect::<Vec<_>>().join(", ");
    let (st, says, rows) = match &table.verdict {
        TableResult::Equal { .. } => return None,
        TableResult::Differs { rows, more } => {
            let says = if *more {
                text!("rows-at-least", count = rows.len())
            } else {
                text!("rows-differ", count = rows.len())
            };
            ("crit", says, rows.iter().map(|row| difference(row, lang)).collect())
        }
        TableResult::Unverifiable { why } | TableResult::Unsettled { why } => {
            ("warn", text!("rows-unproven", why = why.clone()), Vec::new())
        }
        TableResult::Missing { on } => ("crit", text!("rows-no-table", names = names(on)), Vec::new()),
        TableResult::Structure { on } => ("crit", text!("rows-structure", names = names(on)), Vec::new()),
    };
    Some(TableRow { name: table.table.to_string(), st, says: lang.say(&says), rows })
}

fn difference(row: &Difference, lang: Lang) -> (String, String) {
    let on = row.on.as_str();
    let kind = match row.kind {
        Kind::Changed => text!("row-changed", name = on),
        Kind::Lacking => text!("row-lacking", name = on),
        Kind::Extra => text!("row-extra", name = on),
    };
    let key: Vec<String> = row.key.iter().map(|part| format!("{} = {}", part.column, part.value)).collect();
    (lang.say(&kind), key.join(", "))
}

/// A row at which a channel stopped, as it is on both sides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConflictRow {
    /// The database that the channel replicates from.
    pub from: String,
    /// Which row it is.
    pub title: String,
    /// The heading over the other database's values.
    pub there: String,
    /// The heading over this database's values.
    pub here: String,
    /// The values, column by column.
    pub values: Vec<ValueRow>,
    /// Why the values cannot be shown; empty when they can.
    pub why: String,
    /// The heading over the statement: what the other database did.
    pub wanted: String,
    /// The statement; may be empty.
    pub statement: String,
}

/// One column of a row, on both sides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ValueRow {
    /// Its name.
    pub column: String,
    /// The value on the other database.
    pub there: String,
    /// The value on this database.
    pub here: String,
    /// The values differ.
    pub differs: bool,
}

/// Returns the rows at which its channels stopped.
pub fn conflicts(server: &Server, detail: &Detail, lang: Lang) -> Vec<ConflictRow> {
    detail.conflicts.iter().map(|(from, shown)| one_conflict(server, from, shown, lang)).collect()
}

fn one_conflict(server: &Server, from: &ServerName, shown: &Shown, lang: Lang) -> ConflictRow {
    let title = match &shown.at {
        Some((table, key)) => {
            text!("conflict-title", from = from.as_str(), table = table.to_string(), key = key.as_str())
        }
        None => text!("conflict-title-bare", from = from.as_str()),
    };
    let none = lang.say(&text!("conflict-none"));
    let (values, why) = match &shown.versions {
        Ok(versions) => (values(versions, &none), String::new()),
        Err(why) => (Vec::new(), lang.say(why)),
    };
    ConflictRow {
        from: from.to_string(),
        title: lang.say(&title).trim_end_matches([',', ' ', '\u{a0}']).to_owned(),
        there: lang.say(&text!("conflict-there", name = from.as_str())),
        here: lang.say(&text!("conflict-here", name = server.name.as_str())),
        values,
        why,
        wanted: lang.say(&text!("conflict-wanted", name = from.as_str())),
        statement: shown.statement.clone(),
    }
}

fn values(versions: &Versions, none: &str) -> Vec<ValueRow> {
    let at = |side: &Option<Vec<String>>, place: usize| {
        side.as_ref().and_then(|row| row.get(place)).map_or_else(|| none.to_owned(), Clone::clone)
    };
    let one = |(place, column): (usize, &String)| {
        let (there, here) = (at(&versions.there, place), at(&versions.here, place));
        ValueRow { column: column.clone(), differs: there != here, there, here }
    };
    versions.columns.iter().enumerate().map(one).collect()
}

/// Returns its channels, thread by thread.
pub fn threads(own: &Answers, lang: Lang) -> Vec<ThreadRow> {
    let word = |runs: bool| {
        (mark(runs), lang.say(&if runs { text!("thread-runs") } else { text!("thread-stands") }))
    };
    own.threads
        .iter()
        .map(|(from, channel)| {
            let receives = match channel.receiving {
                Thread::Connecting => ("warn", lang.say(&text!("thread-connects"))),
                state => word(state == Thread::Running),
            };
            let receive = error(
                channel.receive_error,
                &channel.receive_words,
                channel.receiving != Thread::Stopped,
                lang,
            );
            let apply = error(channel.apply_error, &channel.apply_words, channel.applying, lang);
            ThreadRow {
                from: from.to_string(),
                receives,
                applies: word(channel.applying),
                received: channel.received.clone(),
                errors: receive.into_iter().chain(apply).collect(),
            }
        })
        .collect()
}

fn error(code: u32, words: &str, goes_on: bool, lang: Lang) -> Option<ErrorRow> {
    if code == 0 {
        return None;
    }
    let (means, remedy) = meaning(code).unwrap_or_else(|| (text!("error-other"), text!("error-other-do")));
    Some(ErrorRow {
        code,
        st: if goes_on { "warn" } else { "crit" },
        means: lang.say(&means),
        remedy: lang.say(&remedy),
        // The message may contain a row's values. It contains no password, but a text that looks like one is not
        // shown.
        words: shown(words).map_or_else(String::new, |_| words.to_owned()),
    })
}

/// Returns its positions, domain by domain.
pub fn positions(desired: &Desired, server: &Server, own: &Answers, lang: Lang) -> Vec<PositionRow> {
    let number = |n: u64| if n == 0 { "–".to_owned() } else { n.to_string() };
    reached(desired, &own.after)
        .into_iter()
        .map(|r| PositionRow {
            owner: r.owner.map_or_else(|| lang.say(&text!("domain-gone")), |name| name.to_string()),
            domain: r.domain,
            logged: number(r.logged),
            // A database does not apply what it wrote itself: a number there is left over from an earlier life.
            applied: number(if r.domain == server.id { 0 } else { r.applied }),
        })
        .collect()
}

/// Returns its accounts, those that need attention first.
pub fn accounts(own: &Answers, lang: Lang) -> Vec<AccountRow> {
    let mut all: Vec<AccountRow> = own.accounts.iter().map(|a| account(a, lang)).collect();
    all.sort_by_key(|a| a.flag.is_empty());
    all
}

fn account(account: &Account, lang: Lang) -> AccountRow {
    let fence = account.fence();
    let everywhere: Vec<&str> = account.everywhere.iter().map(String::as_str).collect();
    let schemas: Vec<&str> = account.schemas.iter().map(String::as_str).collect();
    let mut may = Vec::new();
    if account.may_all() {
        may.push(lang.say(&text!("may-all")));
    } else if !everywhere.is_empty() {
        may.push(lang.say(&text!("may-everywhere", rights = everywhere.join(", "))));
    }
    if !schemas.is_empty() {
        may.push(lang.say(&text!("may-schemas", names = schemas.join(", "), count = schemas.len())));
    }
    if may.is_empty() {
        may.push(lang.say(&text!("may-nothing")));
    }
    let flag = match fence {
        Fence::Passes => lang.say(&text!("fence-passes")),
        Fence::Super => lang.say(&text!("fence-super")),
        Fence::Held | Fence::Keeper => String::new(),
    };
    let st = match fence {
        Fence::Passes => "crit",
        Fence::Super => "warn",
        Fence::Held | Fence::Keeper => "good",
    };
    AccountRow { name: format!("{}@{}", account.user, account.host), st, may: may.join(" · "), flag }
}

/// Returns its settings, those that differ first.
pub fn settings(desired: &Desired, server: Base<'_>, detail: &Detail, lang: Lang) -> Vec<SettingRow> {
    settings::compare(desired, server, detail)
        .into_iter()
        .map(|s| SettingRow {
            name: s.name,
            fine: s.fine,
            st: mark(s.fine),
            expected: s.expected,
            actual: s.actual.unwrap_or_else(|| "–".to_owned()),
            why: lang.say(&s.why),
            remedy: if s.fine { String::new() } else { lang.say(&s.remedy) },
        })
        .collect()
}

/// Returns who is connected, the busiest account first.
pub fn crowds(own: &Answers, lang: Lang) -> Vec<CrowdRow> {
    let mut all: Vec<&Crowd> = own.crowds.iter().collect();
    // MariaDB's own threads come last: they are no connections, and its figure does not count them.
    all.sort_by_key(|c| (c.is_own(), std::cmp::Reverse((c.longest.as_ref().map_or(0, |l| l.0), c.count))));
    all.into_iter()
        .map(|c| CrowdRow {
            account: match c.account.as_str() {
                "system user" => lang.say(&text!("crowd-replication")),
                _ => c.account.clone(),
            },
            open: lang.say(&if c.is_own() {
                text!("crowd-own", count = c.count)
            } else {
                text!("crowd-open", count = c.count)
            }),
            busy: c.busy,
            time: c.longest.as_ref().map(|(ms, _)| super::age(*ms, lang)).unwrap_or_default(),
            statement: match &c.longest {
                Some((_, statement)) => shown(statement).unwrap_or_else(|| lang.say(&text!("crowd-secret"))),
                None => String::new(),
            },
        })
        .collect()
}
