//! Databases: what Cordée reads from them, and what follows from it.

pub mod awaited;
pub mod channels;
pub mod conflict;
pub mod copied;
pub mod credentials;
pub mod detail;
pub mod events;
pub mod failover;
pub mod freight;
pub mod ids;
pub mod mariadb;
pub mod newcomer;
pub mod promise;
pub mod senders;
pub mod stalled;
pub mod switch;
pub mod verify;
pub mod views;
pub mod zones;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ids::{Millis, ServerName};

/// One database, as its answers to direct queries describe it.
#[expect(clippy::struct_excessive_bools, reason = "each is one variable of MariaDB's")]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabaseSeen {
    /// MariaDB's version.
    pub version: String,
    /// The database's `server_id`.
    pub server_id: u32,
    /// Whether the database is closed to applications.
    pub read_only: bool,
    /// When Cordée saw the database opened; absent when it is closed, or was open at the first look.
    pub opened_at: Option<Millis>,
    /// The last sequence number of each domain in the database's binary log: what it wrote itself or relayed.
    pub written: Position,
    /// What the database applied from others.
    pub applied: Position,
    /// The last number of the database's own domain in its log when `applied` was read: a short look updates
    /// `written` only.
    #[serde(default)]
    pub logged: Option<u64>,
    /// The database's channels, by the name of the server that each copies.
    #[serde(rename = "links")]
    pub channels: BTreeMap<ServerName, Channel>,
    /// Whether the database is configured to wait for a standby's ACK before it acknowledges a commit.
    pub semi_sync: bool,
    /// Standbys that acknowledge commits now.
    pub acknowledging: u32,
    /// The connections over which the database sends its log: id, and age in seconds. Read only from a database that
    /// waits for ACKs.
    pub senders: BTreeMap<u64, u64>,
    /// Whether applying workers wait for another channel and none of them works (see [`stalled`]).
    #[serde(default)]
    pub waits: bool,
    /// Since when `waits` has been true at the same position.
    #[serde(default)]
    pub stalled_at: Option<Millis>,
    /// Whether the database skips conflicts (`slave_exec_mode=IDEMPOTENT`) instead of stopping at them.
    pub lenient: bool,
    /// Whether the database sends the writer an ACK for what it receives.
    #[serde(rename = "receipts")]
    pub acks: bool,
    /// Whether the tables that Cordée and the site need exist.
    pub schema: bool,
    /// Whether semi-synchronous replication is in force: MariaDB falls back by itself when an ACK takes too long.
    pub in_force: bool,
    /// Current number of connections.
    pub connections: u32,
    /// Maximum number of connections.
    pub most_connections: u32,
    /// Connections of the application's accounts.
    pub clients: u32,
    /// The database's scheduled events.
    #[serde(default)]
    pub events: events::Events,
    /// Whether the database knows no time zone by name.
    #[serde(default)]
    pub zoneless: bool,
    /// Seconds since the database was started.
    pub uptime_s: u64,
    /// How long the look took.
    pub duration_ms: u64,
    /// The relevant settings, by their names in lower case (see `detail::settings`).
    #[serde(default)]
    pub variables: BTreeMap<String, String>,
}

impl DatabaseSeen {
    /// Reports whether a commit is acknowledged only after a standby has received it, now.
    pub fn promises(&self) -> bool {
        self.semi_sync && self.in_force && self.acknowledging > 0
    }

    /// Reports whether a short look agrees on whether the database writes, and under which promise. Positions are
    /// not compared.
    pub fn promises_like(&self, younger: &Self) -> bool {
        let terms = |seen: &Self| (seen.read_only, seen.semi_sync, seen.in_force, seen.acknowledging);
        terms(self) == terms(younger)
    }

    /// Takes over from a newer look, made at `at`, whether the database writes, and under which promise.
    pub fn take_promise(&mut self, younger: &Self, at: Millis) {
        self.opened_at =
            if self.read_only { Some(at) } else { self.opened_at }.filter(|_| !younger.read_only);
        self.read_only = younger.read_only;
        self.semi_sync = younger.semi_sync;
        self.in_force = younger.in_force;
        self.acknowledging = younger.acknowledging;
        self.written = younger.written.clone();
    }

    /// Takes over from a newer look the state of the channel that was stopped, and what this database holds. The
    /// other channels are stopped only for a moment while that look is made, so their state is kept.
    pub fn take_stopped(&mut self, from: &ServerName, younger: &Self) {
        self.applied = younger.applied.clone();
        self.written = younger.written.clone();
        self.logged = younger.logged;
        match younger.channels.get(from) {
            Some(channel) => drop(self.channels.insert(from.clone(), channel.clone())),
            None => drop(self.channels.remove(from)),
        }
        // All channels are stopped at that moment, so what each has received at that time is known.
        for (from, channel) in &mut self.channels {
            if let Some(younger) = younger.channels.get(from) {
                channel.received = younger.received.clone();
            }
        }
    }

    /// Returns the last number of a domain that the database certainly holds.
    ///
    /// For its own domain only its log counts: its own transactions come back over the channels and move `applied`
    /// before they are committed in its tables, and a crash may take them back afterwards. For another domain,
    /// `applied` is committed together with the rows; a database that was made from a copy holds transactions that
    /// its log never had.
    pub fn holds(&self, domain: u32) -> u64 {
        if domain == self.server_id {
            return self.written.last(domain);
        }
        self.written.last(domain).max(self.applied.last(domain))
    }

    /// Returns how many transactions of its own domain the position claims and the log does not have.
    pub fn claims(&self) -> u64 {
        let logged = self.logged.unwrap_or_else(|| self.written.last(self.server_id));
        self.applied.last(self.server_id).saturating_sub(logged)
    }
}

/// Last sequence number by GTID domain.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position(pub BTreeMap<u32, u64>);

impl Position {
    /// Reads `1-1-42,2-2-7`. Within a domain the highest number counts.
    pub fn parse(text: &str) -> Option<Self> {
        Gtids::parse(text).map(|gtids| Self(gtids.numbers()))
    }

    /// The last number of one domain.
    pub fn last(&self, domain: u32) -> u64 {
        self.0.get(&domain).copied().unwrap_or(0)
    }

    /// Reports whether `other` reaches at least as far in every domain of this position.
    pub fn within(&self, other: &Self) -> bool {
        self.0.iter().all(|(domain, number)| *number <= other.last(*domain))
    }
}

/// A position with its server ids, in the form that MariaDB accepts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gtids(BTreeMap<u32, (u32, u64)>);

impl Gtids {
    /// Reads `1-1-42,2-2-7`. Within a domain the highest number counts.
    pub fn parse(text: &str) -> Option<Self> {
        let mut all = Self::default();
        for gtid in text.split(',').map(str::trim).filter(|g| !g.is_empty()) {
            let mut parts = gtid.split('-');
            let domain = parts.next()?.parse().ok()?;
            let server = parts.next()?.parse().ok()?;
            let number = parts.next()?.parse().ok()?;
            if parts.next().is_some() {
                return None;
            }
            all.add(domain, server, number);
        }
        Some(all)
    }

    fn add(&mut self, domain: u32, server: u32, number: u64) {
        let entry = self.0.entry(domain).or_insert((server, number));
        if number > entry.1 {
            *entry = (server, number);
        }
    }

    /// Returns the union of both positions, with the higher number in each domain.
    #[must_use]
    pub fn with(mut self, other: Self) -> Self {
        for (domain, (server, number)) in other.0 {
            self.add(domain, server, number);
        }
        self
    }

    /// Returns this position, plus the domains of `other` that it does not have.
    #[must_use]
    pub fn filled_from(mut self, other: Self) -> Self {
        for (domain, place) in other.0 {
            self.0.entry(domain).or_insert(place);
        }
        self
    }

    /// Reports whether `shown`, as a database writes its position, is this position. The number of GTIDs in the
    /// text must be right too: parsing would hide a domain that occurs twice.
    pub fn is_told_by(&self, shown: &str) -> bool {
        let count = shown.split(',').filter(|gtid| !gtid.trim().is_empty()).count();
        count == self.0.len() && Self::parse(shown).is_some_and(|told| told == *self)
    }

    /// Returns this position with the entry of `domain` taken from `other`; without that domain if `other` does not
    /// have it.
    #[must_use]
    pub fn with_domain_of(mut self, domain: u32, other: &Self) -> Self {
        self.0.remove(&domain);
        if let Some((server, number)) = other.0.get(&domain) {
            self.add(domain, *server, *number);
        }
        self
    }

    /// Returns the last number of each domain.
    fn numbers(&self) -> BTreeMap<u32, u64> {
        self.0.iter().map(|(domain, (_, number))| (*domain, *number)).collect()
    }
}

impl std::fmt::Display for Gtids {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let all: Vec<String> = self.0.iter().map(|(d, (s, n))| format!("{d}-{s}-{n}")).collect();
        f.write_str(&all.join(","))
    }
}

/// One direction of replication.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Channel {
    /// The state of the receiving thread.
    pub receiving: Thread,
    /// Whether the applying thread runs.
    pub applying: bool,
    /// Error number of either thread; 0 when none.
    pub error: u32,
    /// What the channel has received, applied or not.
    pub received: Position,
    /// Replication heartbeats received since the channel was started.
    pub heartbeats: u64,
    /// When the peer was last heard of over this channel.
    pub heard_at: Option<Millis>,
    /// Measured delay between a commit on the peer and its application here. Absent until measured.
    pub delay_ms: Option<u64>,
    /// How the channel was set up, by the column names that MariaDB shows (see [`channels`]).
    #[serde(default)]
    pub terms: BTreeMap<String, String>,
}

/// State of the receiving thread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Thread {
    /// Connected.
    Running,
    /// Trying to connect.
    Connecting,
    /// Not running.
    #[default]
    Stopped,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_lies_within_another_in_every_domain() {
        let position = |text| Position::parse(text).expect("a position");
        assert!(position("1-1-5,2-2-7").within(&position("1-1-5,2-2-9,3-3-1")));
        assert!(position("").within(&position("")));
        for short in ["1-1-4,2-2-7", "1-1-9", ""] {
            assert!(!position("1-1-5,2-2-7").within(&position(short)), "{short}");
        }
    }

    #[test]
    fn two_positions_make_one() {
        let both = Gtids::parse("1-1-42,2-2-7").zip(Gtids::parse("1-3-50, 4-4-1"));
        let both = both.map(|(a, b)| a.with(b).to_string());
        assert_eq!(both.as_deref(), Some("1-3-50,2-2-7,4-4-1"));
    }

    #[test]
    fn one_domain_is_taken_from_another_position() {
        let claimed = Gtids::parse("1-1-42,2-2-9,7-7-3").expect("a position");
        let log = Gtids::parse("1-1-40,2-2-7").expect("a position");
        assert_eq!(claimed.clone().with_domain_of(2, &log).to_string(), "1-1-42,2-2-7,7-7-3");
        assert_eq!(claimed.with_domain_of(7, &log).to_string(), "1-1-42,2-2-9");
    }

    #[test]
    fn a_position_is_what_a_database_tells_only_if_it_tells_just_that() {
        let set = Gtids::parse("1-1-9440,2-2-48,5-5-1,6-6-1").expect("a position");
        assert!(set.is_told_by("1-1-9440,2-2-48,5-5-1,6-6-1"));
        assert!(set.is_told_by("6-6-1, 5-5-1,2-2-48,1-1-9440"));
        assert!(Gtids::default().is_told_by(""));
        for another in [
            // Seen on MariaDB 10.11.19, right after it was set.
            "2-2-48,5-5-1,6-6-1,6-2-48",
            // Twice, the second one hidden by the first.
            "1-1-9440,2-2-48,5-5-1,6-6-1,6-6-1",
            "1-1-9440,2-2-48,5-5-1,6-6-1,5-5-0",
            "1-1-9440,2-2-48,5-5-1",
            "1-1-9440,2-2-48,5-5-1,6-6-1,7-7-1",
            "1-1-9441,2-2-48,5-5-1,6-6-1",
            "1-2-9440,2-2-48,5-5-1,6-6-1",
            "",
            "what is this",
        ] {
            assert!(!set.is_told_by(another), "{another}");
        }
    }

    #[test]
    fn a_copy_knows_better_than_its_tables_where_it_ends() {
        let copy = Gtids::parse("1-1-9440,6-6-1").expect("a position");
        let tables = Gtids::parse("3-3-7,6-2-48").expect("a position");
        assert_eq!(copy.filled_from(tables).to_string(), "1-1-9440,3-3-7,6-6-1");
    }

    #[test]
    fn of_its_own_transactions_a_database_holds_what_its_log_has() {
        let at = |text| Position::parse(text).expect("a position");
        let seen = DatabaseSeen {
            server_id: 2,
            written: at("1-1-40,2-2-13959"),
            applied: at("1-1-42,2-2-13961"),
            ..DatabaseSeen::default()
        };
        assert_eq!((seen.holds(1), seen.holds(2), seen.claims()), (42, 13_959, 2));
    }

    #[test]
    fn positions_are_read_by_domain() {
        let position = Position::parse("1-1-42,2-2-7,1-3-50").expect("a position");
        assert_eq!((position.last(1), position.last(2), position.last(3)), (50, 7, 0));
        assert_eq!(Position::parse(""), Some(Position::default()));
        assert_eq!(Position::parse("1-1"), None);
        assert_eq!(Position::parse("1-1-x"), None);
    }
}
