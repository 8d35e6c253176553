//! Limits how often a password may be tried. An attempt is counted before the password is compared, so that concurrent
//! attempts cannot get around the limit.
//!
//! An address has a fixed number of attempts per minute. An account has some at once and then fewer and fewer, from
//! however many addresses they come. The delay ends by itself, because a permanent lockout would let a stranger keep
//! the owner out. A browser in which the account was signed in before has its own allowance: strangers can neither use
//! it up nor delay it. A signed-in operator who is asked for the present password again also has a separate allowance.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;

use crate::ids::Millis;

/// Attempts of one address, or of one browser, within [`WINDOW_MS`].
pub const TRIES: usize = 5;
/// Milliseconds over which these attempts are counted.
pub const WINDOW_MS: Millis = 60_000;
/// Milliseconds for which the attempts of an account count.
const MEMORY_MS: Millis = 15 * 60_000;
/// The first pause of an account that has used up its attempts; each further pause is twice as long.
const FIRST_PAUSE_MS: Millis = crate::figures::FIRST_GUESS_PAUSE;
/// The longest pause.
const LONGEST_PAUSE_MS: Millis = crate::figures::LONGEST_GUESS_PAUSE;
/// The maximum number of entries that are remembered, of each kind.
const KEPT: usize = 4_096;

/// An origin of attempts, for which they are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// An IPv4 address, in whatever notation.
    V4(u32),
    /// An IPv6 network of 64 bits, which is the least that one customer has.
    V6(u64),
}

impl Origin {
    /// Returns the origin of an address.
    pub fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(ip) => Self::V4(ip.to_bits()),
            IpAddr::V6(ip) => Self::V6(u64::try_from(ip.to_bits() >> 64).unwrap_or(u64::MAX)),
        }
    }
}

/// Somebody who is signed in already, and is asked for the account's password again.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Insider {
    /// Anybody who is signed in to that account, in however many sessions and from wherever.
    Account(String),
    /// A browser that presents a secret which one of those sessions knows, identified by the hash of that secret.
    /// Somebody who has only the cookie cannot use up its attempts.
    Browser(Vec<u8>),
    /// The owner of the machine, on the command line's socket.
    Machine,
}

/// Who makes the attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// An unknown browser, and the account that it names: the attempt counts for both.
    Stranger(Origin, String),
    /// A browser in which that account was signed in before, identified by the hash of a secret that it keeps.
    Known(Vec<u8>),
    /// Somebody who is signed in already.
    Insider(Insider),
    /// Somebody who tries a code or a token. These are random, so no account is named and only the address is counted.
    Secret(Origin),
}

/// An attempt that was counted. It is given back if it was right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Try {
    who: Who,
    at: Millis,
}

/// All attempts that still count.
#[derive(Clone, Debug, Default)]
pub struct Guesses {
    addresses: BTreeMap<Origin, VecDeque<Millis>>,
    accounts: BTreeMap<String, VecDeque<Millis>>,
    browsers: BTreeMap<Vec<u8>, VecDeque<Millis>>,
    insiders: BTreeMap<Insider, VecDeque<Millis>>,
    /// Attempts at codes and tokens. They are counted separately, so that a program with a wrong token does not keep
    /// the operators at its address from signing in.
    secrets: BTreeMap<Origin, VecDeque<Millis>>,
}

impl Guesses {
    /// Counts an attempt before it is made. `Err` gives the milliseconds until the next attempt may be made. A refused
    /// attempt is not counted, so that further attempts do not prolong the wait.
    pub fn reserve(&mut self, who: Who, now: Millis) -> Result<Try, Millis> {
        let waits = match &who {
            Who::Stranger(origin, account) => [
                pause(self.addresses.get(origin), now, in_a_window),
                pause(self.accounts.get(account), now, growing),
            ],
            Who::Known(browser) => [pause(self.browsers.get(browser), now, in_a_window), 0],
            // The limits of one stranger at one address apply: a stolen session allows no more attempts than that.
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

    /// Gives back an attempt that was right.
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

/// Returns the wait under a fixed number of attempts in any window.
fn in_a_window(tries: &VecDeque<Millis>, now: Millis) -> Millis {
    let recent = tries.iter().filter(|t| now.saturating_sub(**t) < WINDOW_MS);
    match recent.clone().count() {
        0..TRIES => 0,
        _ => recent.min().map_or(0, |first| (first + WINDOW_MS).saturating_sub(now)),
    }
}

/// Returns the wait under a number of attempts at once, and then one after each pause.
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
        // If it is still full, the entry with the fewest attempts is forgotten, so that a crowd of names cannot push
        // out an entry that counts.
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
        // Another account name does not help the same address.
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
        // The delay ends by itself, and other accounts are not affected.
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
        // Further attempts become ever slower, as for anybody else.
        let at = (0_u64..15 * 60).filter(|s| guesses.reserve(ana(), 1_000 + s * 1_000).is_ok()).count();
        assert!((10..=20).contains(&at), "{at} in a quarter of an hour");
        // Wrong attempts there keep nobody from signing in.
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
        /// For any sequence of attempts from anywhere: one address never makes more than its limit in any minute, and
        /// one account never more than its first attempts and one for each pause since.
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
