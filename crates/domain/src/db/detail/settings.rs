//! The settings that the cluster relies on: what each should be, and what it is.

use std::collections::BTreeMap;

use crate::db::events::SCHEDULER;
use crate::db::ids::{Numbering, PLACE, STEP};
use crate::db::mariadb::PACKET;
use crate::db::promise::ACK_LIMIT;
use crate::desired::{Database, Desired, Membership};
use crate::text;
use crate::text::Text;

use super::Detail;

/// One setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Its name in MariaDB.
    pub name: &'static str,
    /// The value that it should have.
    pub expected: String,
    /// Its value; absent when the database does not know the setting.
    pub actual: Option<String>,
    /// Whether it is as it should be.
    pub fine: bool,
    /// What depends on it.
    pub why: Text,
    /// What to do when it differs.
    pub remedy: Text,
}

/// How an actual value is judged.
enum Rule {
    Is(String),
    AtLeast(u64),
    AtMost(u64),
    /// Seconds; 0 means for ever.
    Kept(u64),
}

impl Rule {
    fn keeps(&self, actual: &str) -> bool {
        let number = actual.parse::<u64>().ok();
        match self {
            Self::Is(value) => same(value, actual),
            Self::AtLeast(least) => number.is_some_and(|n| n >= *least),
            Self::AtMost(most) => number.is_some_and(|n| n <= *most),
            Self::Kept(least) => number.is_some_and(|n| n == 0 || n >= *least),
        }
    }

    /// Returns the value to set when the actual value breaks the rule.
    fn value(&self) -> String {
        match self {
            Self::Is(value) => value.clone(),
            Self::AtLeast(number) | Self::AtMost(number) | Self::Kept(number) => number.to_string(),
        }
    }

    fn shown(&self) -> String {
        match self {
            Self::Is(value) => value.clone(),
            Self::AtLeast(least) | Self::Kept(least) => format!("≥ {least}"),
            Self::AtMost(most) => format!("≤ {most}"),
        }
    }
}

/// Compares two values: `ON` and `1` are equal, and so are `OFF` and `0`; case does not count.
fn same(a: &str, b: &str) -> bool {
    let plain = |v: &str| match v.to_ascii_uppercase().as_str() {
        "1" | "TRUE" => "ON".to_owned(),
        "0" | "FALSE" => "OFF".to_owned(),
        other => other.to_owned(),
    };
    plain(a) == plain(b)
}

/// What Cordée does when a value is not as it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// The plan has a separate step for it.
    Kept,
    /// It is set at once.
    Set,
    /// It is set at once, while no channel runs.
    SetStill,
    /// It takes effect only when the database starts.
    Start,
    /// It is reported, and left to a person.
    Told,
}

/// For which databases a value is required.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Of {
    /// Those that Cordée starts.
    Ours,
    /// External databases too: a wrong value would do harm.
    All,
    /// Those that Cordée starts, and an external one while it is the writer: Cordée sets the value there too.
    Writer,
}

/// One required value.
struct Term {
    name: &'static str,
    rule: Rule,
    why: Text,
    way: Way,
    of: Of,
}

/// A value that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// The name of the variable.
    pub name: &'static str,
    /// Its present value.
    pub was: String,
    /// The value that it should have.
    pub value: String,
    /// What Cordée does about it.
    pub way: Way,
}

/// The variables to read.
pub const NAMES: [&str; 33] = [
    "read_only",
    "binlog_format",
    "binlog_row_image",
    "log_bin",
    "log_slave_updates",
    "log_bin_trust_function_creators",
    "gtid_strict_mode",
    "gtid_ignore_duplicates",
    "gtid_domain_id",
    "server_id",
    STEP,
    PLACE,
    "slave_net_timeout",
    "slave_exec_mode",
    "slave_skip_errors",
    "slave_parallel_threads",
    "slave_parallel_mode",
    "sync_binlog",
    "innodb_flush_log_at_trx_commit",
    "rpl_semi_sync_master_enabled",
    "rpl_semi_sync_slave_enabled",
    "rpl_semi_sync_master_wait_point",
    "rpl_semi_sync_master_wait_no_slave",
    "rpl_semi_sync_master_timeout",
    SCHEDULER,
    "max_connections",
    "max_allowed_packet",
    "slave_max_allowed_packet",
    "binlog_expire_logs_seconds",
    "local_infile",
    "time_zone",
    "foreign_key_checks",
    "unique_checks",
];

/// Returns which of `variables` differ from what the cluster needs. A variable that is not known is left out.
pub fn wrong(desired: &Desired, server: Database<'_>, variables: &BTreeMap<String, String>) -> Vec<Wrong> {
    let ours = server.is_ours();
    let asked = |term: &Term| match term.of {
        Of::All => true,
        Of::Ours => ours,
        Of::Writer => ours || desired.is_writer(&server.name),
    };
    let mut all = Vec::new();
    for term in terms(desired, server) {
        let Some(was) = variables.get(term.name).filter(|v| !term.rule.keeps(v)) else { continue };
        if term.way == Way::Kept || !asked(&term) {
            continue;
        }
        // The configuration file of an external database is not Cordée's.
        let way = if ours || term.of == Of::Writer { term.way } else { Way::Told };
        all.push(Wrong { name: term.name, was: was.clone(), value: term.rule.value(), way });
    }
    all
}

/// Returns expected and actual values, those that differ first.
pub fn compare(desired: &Desired, server: Database<'_>, detail: &Detail) -> Vec<Setting> {
    let Ok(own) = &detail.own else { return Vec::new() };
    let mut all = Vec::new();
    if let Some(closed) = detail.starts_closed {
        all.push(Setting {
            name: "read_only (my.cnf)",
            expected: "ON".to_owned(),
            actual: Some(if closed { "ON" } else { "OFF" }.to_owned()),
            fine: closed,
            why: text!("set-read-only-file"),
            remedy: text!("set-do-restart", name = &server.name),
        });
    }
    all.extend(terms(desired, server).into_iter().map(|term| one(&own.variables, server, term)));
    all.sort_by_key(|s| s.fine);
    all
}

fn one(variables: &BTreeMap<String, String>, server: Database<'_>, term: Term) -> Setting {
    let Term { name, rule, why, way, .. } = term;
    let actual = variables.get(name).cloned();
    let ours = server.is_ours();
    let remedy = match way {
        // Cordée sets these itself, again and again: a restart would not help.
        Way::Kept => text!("set-do-wait"),
        Way::Set | Way::SetStill if ours => text!("set-do-wait"),
        _ if !ours => text!("set-do-file", name = &server.name),
        _ => text!("set-do-restart", name = &server.name),
    };
    Setting {
        name,
        expected: rule.shown(),
        fine: actual.as_deref().is_some_and(|a| rule.keeps(a)),
        actual,
        why,
        remedy,
    }
}

fn terms(desired: &Desired, server: Database<'_>) -> Vec<Term> {
    use Of::{All, Ours, Writer};
    use Way::{Kept, Set, SetStill, Start, Told};
    let is = |value: &str| Rule::Is(value.to_owned());
    let switch = |on: bool| is(if on { "ON" } else { "OFF" });
    let id = server.id.to_string();
    let member = *server.membership == Membership::Member;
    let numbering = Numbering::wished(desired, server);
    // On the writer it is on as soon as a standby that is caught up can send ACKs; elsewhere it has no effect.
    let confirmed = desired.is_writer(&server.name) && desired.members().count() > 1;
    let term = |name, rule, why, way, of| Term { name, rule, why, way, of };
    let mut all = vec![
        term("read_only", switch(!desired.takes_writes(server)), text!("set-read-only"), Kept, All),
        term("server_id", is(&id), text!("set-id"), Set, All),
        term("gtid_domain_id", is(&id), text!("set-id"), Set, All),
        term("binlog_format", is("ROW"), text!("set-row"), Set, All),
        term("binlog_row_image", is("FULL"), text!("set-row-image"), Set, All),
        term("log_bin", switch(true), text!("set-log"), Start, All),
        term("log_slave_updates", switch(true), text!("set-updates"), Start, All),
        term("gtid_strict_mode", switch(true), text!("set-strict"), Set, All),
        term("gtid_ignore_duplicates", switch(true), text!("set-duplicates"), SetStill, All),
        term(STEP, is(&numbering.step.to_string()), text!("set-slots"), Kept, All),
        term(PLACE, is(&numbering.place.to_string()), text!("set-slots"), Kept, All),
        term("log_bin_trust_function_creators", switch(true), text!("set-trust"), Set, Writer),
        term("slave_net_timeout", Rule::AtMost(10), text!("set-net-timeout"), Set, All),
        term("slave_exec_mode", is("STRICT"), text!("set-exec"), Kept, All),
        term("slave_skip_errors", switch(false), text!("set-exec"), Start, All),
        term("slave_parallel_threads", Rule::AtLeast(4), text!("set-parallel"), SetStill, Ours),
        term("slave_parallel_mode", is("optimistic"), text!("set-parallel"), SetStill, Ours),
        term("sync_binlog", is("1"), text!("set-durable"), Set, All),
        term("innodb_flush_log_at_trx_commit", is("1"), text!("set-durable"), Set, All),
        term("rpl_semi_sync_slave_enabled", switch(member), text!("set-receipts"), Kept, All),
        term("rpl_semi_sync_master_wait_point", is("AFTER_SYNC"), text!("set-wait-point"), Set, Writer),
        term("rpl_semi_sync_master_wait_no_slave", switch(false), text!("set-wait-nobody"), Set, Writer),
        // Neither more nor less: a promise counts for exactly this long.
        term(
            "rpl_semi_sync_master_timeout",
            is(&ACK_LIMIT.to_string()),
            text!("set-semi-timeout"),
            Set,
            Writer,
        ),
        term(SCHEDULER, switch(desired.is_writer(&server.name)), text!("set-scheduler"), Kept, All),
        term("max_connections", Rule::AtLeast(200), text!("set-connections"), Told, Ours),
        term("max_allowed_packet", Rule::AtLeast(PACKET), text!("set-packet"), Set, Writer),
        term("slave_max_allowed_packet", Rule::AtLeast(PACKET), text!("set-packet-links"), Set, All),
        term("binlog_expire_logs_seconds", Rule::Kept(604_800), text!("set-expire"), Set, Ours),
        term("local_infile", switch(false), text!("set-infile"), Set, Ours),
        term("time_zone", is("+00:00"), text!("set-zone"), Set, Ours),
        term("foreign_key_checks", switch(true), text!("set-checks"), Set, All),
        term("unique_checks", switch(true), text!("set-checks"), Set, All),
    ];
    if confirmed {
        all.insert(1, term("rpl_semi_sync_master_enabled", switch(true), text!("set-semi-sync"), Kept, All));
    }
    all
}
