//! How often a password may be tried: counted before anything is tried, so that any number at once is no way around it.
//!
//! An address has so many tries in a minute. An account has some at once and then fewer and fewer, from however many
//! addresses: a delay that ends, because a refusal that lasts would let a stranger keep its owner out. A browser in
//! which that account was once signed in has tries of its own: what strangers do neither uses them up nor delays them.
//! So has whoever is let in already and is asked for the present password once more.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;

use crate::ids::Millis;

/// Tries of one address, or of one browser, within [`WINDOW_MS`].
pub const TRIES: usize = 5;
/// Milliseconds in which they are counted.
pub const WINDOW_MS: Millis = 60_000;
/// Milliseconds for which an account's tries count.
const MEMORY_MS: Millis = 15 * 60_000;
/// The first pause of an account that has used up its tries; each further one is twice as long.
const FIRST_PAUSE_MS: Millis = crate::figures::FIRST_GUESS_PAUSE;
/// The longest one.
const LONGEST_PAUSE_MS: Millis = crate::figures::LONGEST_GUESS_PAUSE;
/// Remembered at once, of each kind.
const KEPT: usize = 4_096;

/// Where tries come from, as far as they are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// One address of IPv4, however it was written.
    V4(u32),
    /// What one customer has of IPv6, at least: a network of 64 bits.
    V6(u64),
}

impl Origin {
    /// The origin of an address.
    pub fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(ip) => Self::V4(ip.to_bits()),
            IpAddr::V6(ip) => Self::V6(u64::try_from(ip.to_bits() >> 64).unwrap_or(u64::MAX)),
        }
    }
}

/// Who is let in already, and is asked for the account's password once more.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Insider {
    /// Whoever is signed in to that account, in however many sessions and from wherever.
    Account(String),
    /// A browser that shows a secret which one of those sessions knows, by that secret's hash: whoever has a cookie
    /// alone does not use up its tries.
    Browser(Vec<u8>),
    /// The owner of the machine, on the command line's socket.
    Machine,
}

/// Who tries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// A browser that is not known, and the account that it names: both are counted.
    Stranger(Origin, String),
    /// A browser in which that very account was signed in before, by the hash of what it keeps.
    Known(Vec<u8>),
    /// Somebody who is let in already.
    Insider(Insider),
    /// Whoever tries a code or a token: random, so that no account is named and only the address is counted.
    Secret(Origin),
}

/// A try that was counted: to be given back when it was right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Try {
    who: Who,
    at: Millis,
}

/// All tries that count.
#[derive(Clone, Debug, Default)]
pub struct Guesses {
    addresses: BTreeMap<Origin, VecDeque<Millis>>,
    accounts: BTreeMap<String, VecDeque<Millis>>,
    browsers: BTreeMap<Vec<u8>, VecDeque<Millis>>,
    insiders: BTreeMap<Insider, VecDeque<Millis>>,
    /// Of codes and tokens: a program with a wrong one does not keep the people of its address from signing in.
    secrets: BTreeMap<Origin, VecDeque<Millis>>,
}

impl Guesses {
    /// Counts a try before it is made. `Err`: milliseconds until the next one may be made; this one is not counted, so
    /// that whoever goes on trying does not lengthen it.
    pub fn reserve(&mut self, who: Who, now: Millis) -> Result<Try, Millis> {
        let waits = match &who {
            Who::Stranger(origin, account) => [
                pause(self.addresses.get(origin), now, in_a_window),
                pause(self.accounts.get(account), now, growing),
            ],
            Who::Known(browser) => [pause(self.browsers.get(browser), now, in_a_window), 0],
            // As one stranger at one address: a session that somebody else got hold of is worth no more.
            Who::Insider(insider) => {
                let tries = self.insiders.get(insider);
                [pause(tries, now, in_a_window), pause(tries, now, growing)]
            }
            Who::Secret(origin) => [pause(self.secrets.get(origin), now, in_a_window), 0],
        };
        let wait = waits.into_iter().max().unwrap_or(0);
        if wait > 0 {
            return Err(wait);
        }
        match &who {
            Who::Stranger(origin, account) => {
                note(&mut self.addresses, *origin, now, WINDOW_MS);
                note(&mut self.accounts, account.clone(), now, MEMORY_MS);
            }
            Who::Known(browser) => note(&mut self.browsers, browser.clone(), now, WINDOW_MS),
            Who::Insider(insider) => note(&mut self.insiders, insider.clone(), now, MEMORY_MS),
            Who::Secret(origin) => note(&mut self.secrets, *origin, now, WINDOW_MS),
        }
        Ok(Try { who, at: now })
    }

    /// Gives a try back that was right.
    pub fn give_back(&mut self, right: &Try) {
        match &right.who {
            Who::Stranger(origin, account) => {
                forget(&mut self.addresses, origin, right.at);
                forget(&mut self.accounts, account, right.at);
            }
            Who::Known(browser) => forget(&mut self.browsers, browser, right.at),
            Who::Insider(insider) => forget(&mut self.insiders, insider, right.at),
            Who::Secret(origin) => forget(&mut self.secrets, origin, right.at),
        }
    }
}

type Rule = fn(&VecDeque<Millis>, Millis) -> Millis;

fn pause(tries: Option<&VecDeque<Millis>>, now: Millis, rule: Rule) -> Millis {
    tries.map_or(0, |tries| rule(tries, now))
}

/// So many in any window.
fn in_a_window(tries: &VecDeque<Millis>, now: Millis) -> Millis {
    let recent = tries.iter().filter(|t| now.saturating_sub(**t) < WINDOW_MS);
    match recent.clone().count() {
        0..TRIES => 0,
        _ => recent.min().map_or(0, |first| (first + WINDOW_MS).saturating_sub(now)),
    }
}

/// So many at once, then one after each pause.
fn growing(tries: &VecDeque<Millis>, now: Millis) -> Millis {
    let recent = tries.iter().filter(|t| now.saturating_sub(**t) < MEMORY_MS);
    let (count, last) = (recent.clone().count(), recent.max().copied().unwrap_or(0));
    let Some(beyond) = count.checked_sub(TRIES) else { return 0 };
    let doubled = u32::try_from(beyond).ok().and_then(|n| FIRST_PAUSE_MS.checked_shl(n));
    let pause = doubled.filter(|p| *p > 0).map_or(LONGEST_PAUSE_MS, |p| p.min(LONGEST_PAUSE_MS));
    (last + pause).saturating_sub(now)
}

fn note<K: Ord + Clone>(all: &mut BTreeMap<K, VecDeque<Millis>>, key: K, now: Millis, memory: Millis) {
    if all.len() >= KEPT && !all.contains_key(&key) {
        all.retain(|_, tries| tries.back().is_some_and(|t| now.saturating_sub(*t) < memory));
        // Still full: whoever tried least is forgotten, so that a crowd of names does not make one that counts
        // forgotten.
        if all.len() >= KEPT
            && let Some(least) =
                all.iter().min_by_key(|(_, t)| (t.len(), t.back().copied())).map(|(k, _)| k.clone())
        {
            all.remove(&least);
        }
    }
    let tries = all.entry(key).or_default();
    tries.retain(|t| now.saturating_sub(*t) < memory);
    tries.push_back(now);
}

fn forget<K: Ord>(all: &mut BTreeMap<K, VecDeque<Millis>>, key: &K, at: Millis) {
    if let Some(tries) = all.get_mut(key)
        && let Some(place) = tries.iter().rposition(|t| *t == at)
    {
        tries.remove(place);
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use proptest::prelude::*;

    use super::*;

    fn stranger(n: u32, account: &str) -> Who {
        Who::Stranger(Origin::of(Ipv4Addr::from_bits(n).into()), account.to_owned())
    }

    #[test]
    fn sixty_at_once_are_five() {
        let mut guesses = Guesses::default();
        let taken = (0..60).filter(|_| guesses.reserve(stranger(1, "ana"), 1_000).is_ok()).count();
        assert_eq!(taken, TRIES);
        // Another name does not help the address.
        assert!(guesses.reserve(stranger(1, "bob"), 1_000).is_err());
        assert_eq!(guesses.reserve(stranger(1, "bob"), 31_000), Err(30_000));
        assert!(guesses.reserve(stranger(1, "bob"), 61_000).is_ok());
    }

    #[test]
    fn one_account_from_forty_addresses_is_tried_ever_more_slowly() {
        let mut guesses = Guesses::default();
        let taken = (0..40).filter(|n| guesses.reserve(stranger(*n, "ana"), 0).is_ok()).count();
        assert_eq!(taken, TRIES);
        let mut at = 0;
        let mut pauses = Vec::new();
        for n in 100..110 {
            let wait = guesses.reserve(stranger(n, "ana"), at).unwrap_err();
            assert!(guesses.reserve(stranger(n, "ana"), at + wait - 1).is_err());
            at += wait;
            guesses.reserve(stranger(n, "ana"), at).unwrap();
            pauses.push(wait / 1_000);
        }
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60, 60, 60]);
        // It ends by itself, and nobody else's account was meant.
        assert!(guesses.reserve(stranger(200, "bob"), at).is_ok());
        assert!(guesses.reserve(stranger(200, "ana"), at + LONGEST_PAUSE_MS).is_ok());
    }

    #[test]
    fn a_browser_that_is_known_is_not_held_up_by_strangers() {
        let mut guesses = Guesses::default();
        for n in 0..200 {
            let _ = guesses.reserve(stranger(n % 50, "ana"), u64::from(n));
        }
        let known = || Who::Known(vec![7]);
        let taken = (0..60).filter(|_| guesses.reserve(known(), 1_000).is_ok()).count();
        assert_eq!(taken, TRIES, "its own tries are counted all the same");
        assert!(guesses.reserve(Who::Known(vec![8]), 1_000).is_ok());
    }

    #[test]
    fn whoever_is_let_in_is_neither_held_up_by_strangers_nor_free_to_guess() {
        let mut guesses = Guesses::default();
        for n in 0..200 {
            let _ = guesses.reserve(stranger(n % 50, "ana"), u64::from(n));
        }
        let ana = || Who::Insider(Insider::Account("ana".to_owned()));
        let taken = (0..60).filter(|_| guesses.reserve(ana(), 1_000).is_ok()).count();
        assert_eq!(taken, TRIES);
        let insiders = [Insider::Account("bob".to_owned()), Insider::Browser(vec![7]), Insider::Machine];
        let others = insiders.map(Who::Insider);
        for other in others {
            let taken = (0..60).filter(|_| guesses.reserve(other.clone(), 1_000).is_ok()).count();
            assert_eq!(taken, TRIES, "{other:?}");
        }
        // Ever more slowly, as everybody else's.
        let at = (0_u64..15 * 60).filter(|s| guesses.reserve(ana(), 1_000 + s * 1_000).is_ok()).count();
        assert!((10..=20).contains(&at), "{at} in a quarter of an hour");
        // What is wrong there keeps nobody from signing in.
        assert!(guesses.reserve(Who::Known(vec![7]), 1_000).is_ok());
    }

    #[test]
    fn what_was_right_is_no_guess() {
        let mut guesses = Guesses::default();
        for at in 0..100 {
            let right = guesses.reserve(stranger(1, "ana"), at).unwrap();
            guesses.give_back(&right);
        }
        let taken = (0..60).filter(|_| guesses.reserve(stranger(1, "ana"), 100).is_ok()).count();
        assert_eq!(taken, TRIES);
        let secrets = (0..60).filter(|_| guesses.reserve(Who::Secret(Origin::V4(1)), 100).is_ok()).count();
        assert_eq!(secrets, TRIES, "counted apart");
    }

    #[test]
    fn an_address_is_one_however_it_is_written_and_a_network_of_ipv6_too() {
        let of = |text: &str| Origin::of(text.parse().unwrap());
        assert_eq!(of("::ffff:10.0.0.7"), of("10.0.0.7"));
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff:ffff:ffff:ffff"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_ne!(of("::1"), of("0.0.0.1"));
    }

    #[test]
    fn a_crowd_of_names_makes_no_account_forgotten() {
        let mut guesses = Guesses::default();
        while guesses.reserve(stranger(1, "ana"), 1).is_ok() {}
        for n in 0..4_500 {
            let _ = guesses.reserve(stranger(1_000 + n, &format!("name{n}")), 2);
        }
        assert!(guesses.accounts.len() <= KEPT && guesses.addresses.len() <= KEPT);
        assert!(guesses.reserve(stranger(9, "ana"), 3).is_err());
    }

    proptest! {
        /// Whoever tries, from wherever, in whatever order: never more than the limit of one address in any minute, and
        /// of one account never more than its first tries and one for each pause since.
        #[test]
        fn the_limit_holds_over_any_course(tries in proptest::collection::vec((0_u32..4, 0_u64..20_000), 1..200)) {
            let mut guesses = Guesses::default();
            let (mut now, mut taken) = (0, Vec::new());
            for (address, later) in tries {
                now += later;
                if guesses.reserve(stranger(address, "ana"), now).is_ok() {
                    taken.push((address, now));
                }
            }
            for (address, at) in &taken {
                let same = taken.iter().filter(|(a, t)| a == address && *t <= *at && at - t < WINDOW_MS);
                prop_assert!(same.count() <= TRIES);
            }
            for (n, (_, at)) in taken.iter().enumerate().skip(TRIES) {
                prop_assert!(*at > taken[n - 1].1, "no two at once beyond the first");
            }
        }
    }
}
