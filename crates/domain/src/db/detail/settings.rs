//! The settings on which the cluster rests: what each should be, and what it is.

use std::collections::BTreeMap;

use crate::db::mariadb::SLOTS;
use crate::desired::{Desired, Runtime, Server, Standing};
use crate::text;
use crate::text::Text;

use super::Detail;

/// One setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Its name in MariaDB.
    pub name: &'static str,
    /// What it should be.
    pub expected: String,
    /// What it is; absent when the database does not know it.
    pub actual: Option<String>,
    /// As it should be.
    pub fine: bool,
    /// What hangs on it.
    pub why: Text,
    /// What to do when it differs.
    pub remedy: Text,
}

/// How an actual value is judged.
enum Rule {
    Is(String),
    AtLeast(u64),
    AtMost(u64),
    /// Seconds; 0 is for ever.
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

    fn shown(&self) -> String {
        match self {
            Self::Is(value) => value.clone(),
            Self::AtLeast(least) | Self::Kept(least) => format!("≥ {least}"),
            Self::AtMost(most) => format!("≤ {most}"),
        }
    }
}

/// `ON` and `1` are one value, `OFF` and `0` another; letters count alike.
fn same(a: &str, b: &str) -> bool {
    let plain = |v: &str| match v.to_ascii_uppercase().as_str() {
        "1" | "TRUE" => "ON".to_owned(),
        "0" | "FALSE" => "OFF".to_owned(),
        other => other.to_owned(),
    };
    plain(a) == plain(b)
}

/// The variables to ask for.
pub const NAMES: [&str; 21] = [
    "read_only",
    "binlog_format",
    "binlog_row_image",
    "log_slave_updates",
    "gtid_strict_mode",
    "gtid_ignore_duplicates",
    "gtid_domain_id",
    "server_id",
    "auto_increment_increment",
    "auto_increment_offset",
    "slave_net_timeout",
    "sync_binlog",
    "innodb_flush_log_at_trx_commit",
    "rpl_semi_sync_master_enabled",
    "rpl_semi_sync_slave_enabled",
    "rpl_semi_sync_master_wait_point",
    "rpl_semi_sync_master_wait_no_slave",
    "rpl_semi_sync_master_timeout",
    "max_connections",
    "binlog_expire_logs_seconds",
    "local_infile",
];

/// Expected and actual, those that differ first.
pub fn compare(desired: &Desired, server: &Server, detail: &Detail) -> Vec<Setting> {
    let Ok(own) = &detail.own else { return Vec::new() };
    let mut all = Vec::new();
    if let Some(closed) = detail.starts_closed {
        all.push(Setting {
            name: "read_only (my.cnf)",
            expected: "ON".to_owned(),
            actual: Some(if closed { "ON" } else { "OFF" }.to_owned()),
            fine: closed,
            why: text!("set-read-only-file"),
            remedy: text!("set-do-restart", name = server.name.as_str()),
        });
    }
    all.extend(
        rules(desired, server)
            .into_iter()
            .map(|(name, rule, why)| one(&own.variables, server, name, &rule, why)),
    );
    all.sort_by_key(|s| s.fine);
    all
}

fn one(
    variables: &BTreeMap<String, String>,
    server: &Server,
    name: &'static str,
    rule: &Rule,
    why: Text,
) -> Setting {
    let actual = variables.get(name).cloned();
    let remedy = match name {
        // Cordée sets these itself, again and again: a restart would not help.
        "read_only" | "rpl_semi_sync_master_enabled" | "rpl_semi_sync_slave_enabled" => text!("set-do-wait"),
        _ if server.runtime == Runtime::External => text!("set-do-file", name = server.name.as_str()),
        _ => text!("set-do-restart", name = server.name.as_str()),
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

fn rules(desired: &Desired, server: &Server) -> Vec<(&'static str, Rule, Text)> {
    let is = |value: &str| Rule::Is(value.to_owned());
    let switch = |on: bool| is(if on { "ON" } else { "OFF" });
    let id = server.id.to_string();
    let member = server.standing == Standing::Member;
    let mut all = vec![
        ("read_only", switch(!desired.takes_writes(server)), text!("set-read-only")),
        ("server_id", is(&id), text!("set-id")),
        ("gtid_domain_id", is(&id), text!("set-id")),
        ("binlog_format", is("ROW"), text!("set-row")),
        ("binlog_row_image", is("FULL"), text!("set-row-image")),
        ("log_slave_updates", is("ON"), text!("set-updates")),
        ("gtid_strict_mode", is("ON"), text!("set-strict")),
        ("gtid_ignore_duplicates", is("ON"), text!("set-duplicates")),
        ("auto_increment_increment", is(&SLOTS.to_string()), text!("set-slots")),
        ("auto_increment_offset", is(&server.slot.unwrap_or(1).to_string()), text!("set-slots")),
        ("slave_net_timeout", Rule::AtMost(10), text!("set-net-timeout")),
        ("sync_binlog", is("1"), text!("set-durable")),
        ("innodb_flush_log_at_trx_commit", is("1"), text!("set-durable")),
        ("rpl_semi_sync_slave_enabled", switch(member), text!("set-receipts")),
        ("rpl_semi_sync_master_wait_point", is("AFTER_SYNC"), text!("set-wait-point")),
        ("rpl_semi_sync_master_wait_no_slave", is("OFF"), text!("set-wait-nobody")),
        ("rpl_semi_sync_master_timeout", Rule::AtMost(1_000), text!("set-semi-timeout")),
        ("max_connections", Rule::AtLeast(200), text!("set-connections")),
        ("binlog_expire_logs_seconds", Rule::Kept(604_800), text!("set-expire")),
        ("local_infile", is("OFF"), text!("set-infile")),
    ];
    // On the writer it is on as soon as somebody caught up can confirm; elsewhere it has no effect.
    if desired.is_writer(&server.name) && desired.members().count() > 1 {
        all.insert(1, ("rpl_semi_sync_master_enabled", is("ON"), text!("set-semi-sync")));
    }
    all
}
