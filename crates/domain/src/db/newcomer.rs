//! An existing database that a person wants to add: what it reports about itself, and every reason against it.

use std::collections::{BTreeMap, BTreeSet};

use crate::problem::Problem;
use crate::text;
use crate::text::Text;

use super::events::SCHEDULER;
use super::mariadb::PACKET;

/// What the database reports about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Newcomer {
    /// `10.11.6-MariaDB-log`.
    pub version: String,
    /// Each setting, by its name in lower case.
    pub settings: BTreeMap<String, Setting>,
    /// The account's global rights.
    pub rights: BTreeSet<String>,
    /// Whether the account may grant all of these rights.
    pub grants: bool,
    /// Tables other than MariaDB's own: `schema.table`, a few of them.
    pub tables: Vec<String>,
    /// The last number of each domain and server in its binary log.
    pub logged: String,
    /// What the database applied from others.
    pub applied: String,
    /// The channels over which the database copies others.
    pub channels: Vec<String>,
    /// The longest statement that the database accepts, in octets.
    pub packet: Option<u64>,
    /// Free bytes on its disk, if that can be seen from here.
    pub free: Option<u64>,
}

/// The value of a setting, and where it comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Setting {
    /// The value, as MariaDB writes it.
    pub value: String,
    /// Whether the value was set by a statement: then it is lost at a restart.
    pub by_statement: bool,
}

/// The requirements that the database must meet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// The id that the database would get.
    pub id: u32,
    /// The donor's version, `MariaDB 10.11.6`.
    pub donor: String,
    /// How the donor treats upper and lower case in table names.
    pub names: String,
    /// Bytes that must be free on its disk.
    pub room: u64,
}

/// The rights that the account needs: to open and close the database, to set channels and positions, to load the
/// copy, to compare and repair rows, and to create the cluster's accounts.
pub const RIGHTS: [&str; 31] = [
    "ALTER",
    "ALTER ROUTINE",
    "BINLOG ADMIN",
    "BINLOG MONITOR",
    "CONNECTION ADMIN",
    "CREATE",
    "CREATE ROUTINE",
    "CREATE TEMPORARY TABLES",
    "CREATE USER",
    "CREATE VIEW",
    "DELETE",
    "DROP",
    "EXECUTE",
    "INDEX",
    "INSERT",
    "LOCK TABLES",
    "PROCESS",
    "READ_ONLY ADMIN",
    "REFERENCES",
    "RELOAD",
    "REPLICATION MASTER ADMIN",
    "REPLICATION SLAVE",
    "REPLICATION SLAVE ADMIN",
    "SELECT",
    "SET USER",
    "SHOW VIEW",
    "SLAVE MONITOR",
    "SUPER",
    "TRIGGER",
    "UPDATE",
    "EVENT",
];

/// Returns the settings that must be in the database's file. A restart without one of them would do harm before
/// Cordée could set it: the database would come back open, or skip the others' writes as its own.
pub fn wanted(id: u32) -> Vec<(&'static str, String)> {
    let on = || "ON".to_owned();
    vec![
        ("server_id", id.to_string()),
        ("gtid_domain_id", id.to_string()),
        ("read_only", on()),
        ("log_bin", on()),
        ("log_slave_updates", on()),
        ("binlog_format", "ROW".to_owned()),
        ("binlog_row_image", "FULL".to_owned()),
        ("gtid_strict_mode", on()),
        ("gtid_ignore_duplicates", on()),
        ("slave_net_timeout", "10".to_owned()),
        ("slave_max_allowed_packet", PACKET.to_string()),
        ("sync_binlog", "1".to_owned()),
        ("innodb_flush_log_at_trx_commit", "1".to_owned()),
        ("skip_name_resolve", on()),
        // If the server started with the scheduler on, events would run before Cordée has seen that they run
        // elsewhere.
        (SCHEDULER, "OFF".to_owned()),
    ]
}

/// Returns every reason against the database. If there is none, it may join.
pub fn judge(newcomer: &Newcomer, terms: &Terms) -> Vec<Problem> {
    let all = [
        version(newcomer, terms),
        rights(newcomer),
        settings(newcomer, terms),
        names(newcomer, terms),
        data(newcomer),
        history(newcomer),
        room(newcomer, terms),
    ];
    all.into_iter().flatten().collect()
}

fn about(field: &str, text: Text) -> Problem {
    Problem::conflict(field, text)
}

/// Parses `10.11` from `10.11.6-MariaDB` or `MariaDB 10.11.6`.
fn release(version: &str) -> Option<(u32, u32)> {
    let number = version.rsplit(' ').next()?;
    let mut parts = number.split(|c: char| !c.is_ascii_digit());
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// Refuses a version older than the donor's: an older version may not understand the writes of a newer one; a newer
/// version understands those of an older one.
fn version(newcomer: &Newcomer, terms: &Terms) -> Option<Problem> {
    let own = release(&newcomer.version);
    if own.is_none() || own < release(&terms.donor) {
        let (version, donor) = (newcomer.version.as_str(), terms.donor.as_str());
        return Some(about("address", text!("problem-newcomer-older", version = version, donor = donor)));
    }
    None
}

fn rights(newcomer: &Newcomer) -> Option<Problem> {
    let mut missing: Vec<&str> = RIGHTS.into_iter().filter(|r| !newcomer.rights.contains(*r)).collect();
    if !newcomer.grants {
        missing.push("GRANT OPTION");
    }
    if missing.is_empty() {
        return None;
    }
    Some(about("user", text!("problem-newcomer-rights", rights = missing.join(", "))))
}

fn settings(newcomer: &Newcomer, terms: &Terms) -> Option<Problem> {
    let missing: Vec<String> = wanted(terms.id)
        .into_iter()
        .filter(|(name, value)| {
            let found = newcomer.settings.get(*name);
            let none = |s: &Setting| *name == SCHEDULER && s.value.eq_ignore_ascii_case("DISABLED");
            found.is_none_or(|s| s.by_statement || !(s.value.eq_ignore_ascii_case(value) || none(s)))
        })
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    if missing.is_empty() {
        return None;
    }
    Some(about(
        "address",
        text!("problem-newcomer-settings", count = missing.len(), lines = missing.join("; ")),
    ))
}

/// Refuses another `lower_case_table_names`: table names would differ there.
fn names(newcomer: &Newcomer, terms: &Terms) -> Option<Problem> {
    let own = newcomer.settings.get("lower_case_table_names").map_or("", |s| s.value.as_str());
    if own == terms.names {
        return None;
    }
    Some(about("address", text!("problem-newcomer-names", own = own, wanted = terms.names.as_str())))
}

fn data(newcomer: &Newcomer) -> Option<Problem> {
    if newcomer.tables.is_empty() {
        return None;
    }
    let (names, count) = (newcomer.tables.join(", "), newcomer.tables.len());
    Some(about("address", text!("problem-newcomer-data", names = names, count = count)))
}

/// Refuses a database with channels or transactions of its own: what it wrote or copied earlier would reach the
/// members over their channels.
fn history(newcomer: &Newcomer) -> Option<Problem> {
    if !newcomer.channels.is_empty() {
        return Some(about("address", text!("problem-newcomer-links", names = newcomer.channels.join(", "))));
    }
    let said = [newcomer.logged.as_str(), newcomer.applied.as_str()];
    if said.iter().all(|s| s.is_empty()) {
        return None;
    }
    let short: String = said.iter().find(|s| !s.is_empty()).map_or("", |s| s).chars().take(60).collect();
    Some(about("address", text!("problem-newcomer-history", position = short)))
}

fn room(newcomer: &Newcomer, terms: &Terms) -> Option<Problem> {
    let free = newcomer.free.filter(|free| *free < terms.room)?;
    let (need, free) = (terms.room >> 20, free >> 20);
    Some(about("address", text!("copy-no-space", need = need, free = free)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms() -> Terms {
        let donor = "MariaDB 10.11.6".to_owned();
        Terms { id: 5, donor, names: "0".to_owned(), room: 1 << 20 }
    }

    fn good() -> Newcomer {
        let set = |value: &str| Setting { value: value.to_owned(), by_statement: false };
        let mut settings: BTreeMap<String, Setting> =
            wanted(5).into_iter().map(|(name, value)| (name.to_owned(), set(&value))).collect();
        settings.insert("lower_case_table_names".to_owned(), set("0"));
        Newcomer {
            version: "10.11.19-MariaDB-log".to_owned(),
            settings,
            rights: RIGHTS.iter().map(|r| (*r).to_owned()).collect(),
            grants: true,
            free: Some(2 << 20),
            ..Newcomer::default()
        }
    }

    /// A title, a change to an acceptable newcomer, and the one sentence that results.
    type Case = (&'static str, fn(&mut Newcomer), &'static str);

    #[test]
    fn each_reason_has_its_sentence() {
        let cases: [Case; 14] = [
            ("older", |n| n.version = "10.6.12-MariaDB".to_owned(), "problem-newcomer-older"),
            ("no version", |n| n.version = "none".to_owned(), "problem-newcomer-older"),
            ("no grants", |n| n.grants = false, "problem-newcomer-rights"),
            ("a right less", |n| n.rights.retain(|r| r != "BINLOG ADMIN"), "problem-newcomer-rights"),
            ("a setting less", |n| n.settings.retain(|k, _| k != "log_bin"), "problem-newcomer-settings"),
            (
                "until a restart",
                |n| n.settings.entry("read_only".to_owned()).or_default().by_statement = true,
                "problem-newcomer-settings",
            ),
            (
                "another id",
                |n| n.settings.entry("server_id".to_owned()).or_default().value = "1".to_owned(),
                "problem-newcomer-settings",
            ),
            (
                "other names",
                |n| n.settings.retain(|k, _| k != "lower_case_table_names"),
                "problem-newcomer-names",
            ),
            ("data", |n| n.tables = vec!["shop.orders".to_owned()], "problem-newcomer-data"),
            ("wrote", |n| n.logged = "0-1-4".to_owned(), "problem-newcomer-history"),
            ("applied", |n| n.applied = "0-1-4".to_owned(), "problem-newcomer-history"),
            ("copies", |n| n.channels = vec!["old".to_owned()], "problem-newcomer-links"),
            ("no room", |n| n.free = Some(1), "copy-no-space"),
            (
                "nothing at all",
                |n| *n = Newcomer { version: n.version.clone(), ..Newcomer::default() },
                "problem-newcomer-rights",
            ),
        ];
        assert_eq!(judge(&good(), &terms()), []);
        for (title, alter, key) in cases {
            let mut newcomer = good();
            alter(&mut newcomer);
            let problems = judge(&newcomer, &terms());
            assert_eq!(problems.first().map(|p| p.text.key.as_ref()), Some(key), "{title}");
            assert!(problems.len() == 1 || title == "nothing at all", "{title}: {problems:?}");
        }
    }

    #[test]
    fn a_newer_one_and_one_whose_disk_is_elsewhere_may_join() {
        let mut newcomer = good();
        (newcomer.version, newcomer.free) = ("11.4.2-MariaDB".to_owned(), None);
        assert_eq!(judge(&newcomer, &terms()), []);
    }

    #[test]
    fn one_that_would_begin_events_at_its_start_may_not_join() {
        for (value, may) in [("OFF", true), ("DISABLED", true), ("ON", false)] {
            let mut newcomer = good();
            newcomer.settings.entry("event_scheduler".to_owned()).or_default().value = value.to_owned();
            let lines = text!("problem-newcomer-settings", count = 1, lines = "event_scheduler=OFF");
            let found: Vec<Text> = judge(&newcomer, &terms()).into_iter().map(|p| p.text).collect();
            assert_eq!(found, if may { vec![] } else { vec![lines] }, "{value}");
        }
    }

    #[test]
    fn the_exact_lines_are_named() {
        let mut newcomer = good();
        newcomer.settings.remove("server_id");
        newcomer.settings.remove("sync_binlog");
        let text = &judge(&newcomer, &terms())[0].text;
        assert_eq!(
            text,
            &text!("problem-newcomer-settings", count = 2, lines = "server_id=5; sync_binlog=1")
        );
    }
}
