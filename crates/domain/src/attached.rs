//! Which visitors hold the cookie of which web server. They are counted from HAProxy's log, because HAProxy itself
//! counts requests only.
//!
//! A visitor is identified by an address, a user agent and a PHP session. Only a cookie that came back is held by a
//! visitor: one that was only sent out may have been thrown away.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::haproxy::log::Record;
use crate::ids::Millis;
use crate::visitors::Network;

/// Milliseconds after which a visitor who did not come again is no longer counted.
pub const HOLDS: Millis = crate::figures::COOKIE_HELD;
/// The maximum number of visitors that are distinguished.
const MOST: usize = 100_000;

/// The visitors of the last half hour.
#[derive(Clone, Debug, Default)]
pub struct Holders {
    /// The time since which lines have been read.
    since: Millis,
    all: BTreeMap<u64, (Millis, String)>,
    /// Whether there were more visitors than can be distinguished.
    crowd: bool,
}

/// The number of visitors who hold each cookie.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attached {
    /// The minutes over which visitors were counted, thirty at most; 0 during the first minute.
    pub minutes: u64,
    /// Visitors by the value of the cookie.
    pub visitors: BTreeMap<String, u64>,
}

/// The visitors who hold one server's cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// The number of visitors.
    pub visitors: u64,
    /// The minutes over which they were counted.
    pub minutes: u64,
}

impl Holders {
    /// Returns an empty count that begins at `since`.
    pub fn new(since: Millis) -> Self {
        Self { since, ..Self::default() }
    }

    /// Counts a request.
    pub fn take(&mut self, address: Network, record: &Record) {
        if record.holds.is_empty() {
            return;
        }
        let key = |session: &str| key(address, &record.asked.agent, session);
        let mut known = key(&record.session);
        // A session that was just begun, or was given another id, belongs to the same visitor.
        if !record.next.is_empty() && record.next != record.session {
            self.all.remove(&known);
            known = key(&record.next);
        }
        if self.all.len() >= MOST && !self.all.contains_key(&known) {
            self.crowd = true;
            return;
        }
        self.all.insert(known, (record.at, record.holds.clone()));
    }

    /// Forgets the visitors who did not come again, and counts the others. `None` if there are more than can be
    /// distinguished.
    pub fn count(&mut self, now: Millis) -> Option<Attached> {
        let before = self.all.len();
        self.all.retain(|_, (at, _)| now.saturating_sub(*at) < HOLDS);
        self.crowd &= self.all.len() == before;
        if self.crowd {
            return None;
        }
        let mut visitors: BTreeMap<String, u64> = BTreeMap::new();
        for (_, cookie) in self.all.values() {
            *visitors.entry(cookie.clone()).or_default() += 1;
        }
        Some(Attached { minutes: now.saturating_sub(self.since).min(HOLDS) / 60_000, visitors })
    }
}

/// Returns a hash that identifies a visitor, so that neither addresses nor sessions are kept.
fn key(address: Network, agent: &str, session: &str) -> u64 {
    let whole = Sha256::digest(format!("{address}\n{agent}\n{session}"));
    whole.iter().take(8).fold(0, |key, byte| key << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::haproxy::log::{Line, parse};
    use crate::visitors::kept;

    const S1: &str = "5331";
    const S2: &str = "5332";

    fn come(holders: &mut Holders, at: Millis, agent: &str, cookie: &str, session: &str, next: &str) {
        let line = format!(
            "cordee3 key 7 {at} 10.0.0.1 200 web1 3 76 474554 2F61 {agent} - {cookie} {session} {next}"
        );
        let Line::Request(record) = parse(line.as_bytes(), "key") else { panic!("{line}") };
        holders.take(kept(record.address, false), &record);
    }

    fn counted(holders: &mut Holders, now: Millis) -> Vec<(String, u64)> {
        holders.count(now).expect("few").visitors.into_iter().collect()
    }

    #[test]
    fn nine_visitors_of_one_address_are_told_apart_by_their_sessions() {
        let mut holders = Holders::new(0);
        for visitor in 0..9 {
            let session = format!("{visitor:016X}");
            let cookie = if visitor < 4 { S1 } else { S2 };
            for request in 0..3 {
                come(&mut holders, 1_000 + request, "41", cookie, &session, "-");
            }
        }
        assert_eq!(counted(&mut holders, 2_000), [("S1".to_owned(), 4), ("S2".to_owned(), 5)]);
    }

    #[test]
    fn only_a_cookie_that_came_back_is_held() {
        let mut holders = Holders::new(0);
        come(&mut holders, 1, "41", "-", "AA", "BB");
        assert_eq!(counted(&mut holders, 2), []);
    }

    #[test]
    fn a_session_that_begins_or_gets_another_id_is_the_same_visitor() {
        let mut holders = Holders::new(0);
        come(&mut holders, 1, "41", S1, "-", "AA");
        come(&mut holders, 2, "41", S1, "AA", "BB");
        come(&mut holders, 3, "41", S1, "BB", "-");
        assert_eq!(counted(&mut holders, 4), [("S1".to_owned(), 1)]);
        come(&mut holders, 5, "42", S1, "-", "-");
        assert_eq!(counted(&mut holders, 6), [("S1".to_owned(), 2)], "another program");
    }

    #[test]
    fn who_moved_counts_once_and_who_did_not_come_again_not_at_all() {
        let mut holders = Holders::new(0);
        come(&mut holders, 1_000, "41", S1, "AA", "-");
        come(&mut holders, 2_000, "41", S2, "AA", "-");
        assert_eq!(counted(&mut holders, 3_000), [("S2".to_owned(), 1)]);
        assert_eq!(counted(&mut holders, 2_000 + HOLDS), []);
        assert_eq!(holders.count(90_000).map(|a| a.minutes), Some(1));
        assert_eq!(holders.count(HOLDS * 2).map(|a| a.minutes), Some(30));
    }

    #[test]
    fn a_crowd_beyond_all_bounds_is_not_counted_as_few() {
        let mut holders = Holders::new(0);
        for visitor in 0..=MOST {
            come(&mut holders, 1, "41", S1, &format!("{visitor:016X}"), "-");
        }
        assert_eq!(holders.count(2), None);
        assert_eq!(holders.count(HOLDS + 2).map(|a| a.visitors.len()), Some(0), "until they are forgotten");
    }
}
