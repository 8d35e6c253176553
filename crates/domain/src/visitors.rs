//! The list of visitors: its settings, and how the log lines of one second are summed up in a few rows.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

use crate::haproxy::log::{Line, Recolour};
use crate::ids::{Millis, ServerName};
use crate::problem::Problem;
use crate::text;

/// The settings of the list of visitors.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keeping {
    /// The port on 127.0.0.1 to which HAProxy `web` sends its log. Cordée chooses it, and replaces it if it is taken.
    pub port: Option<u16>,
    /// Days after which a visitor who did not come again is forgotten.
    pub days: u16,
    /// Keep networks instead of addresses.
    pub shorten: bool,
    /// The proxies in front of HAProxy `web` whose `X-Forwarded-For` is trusted.
    pub trusted: Vec<Network>,
}

impl Default for Keeping {
    fn default() -> Self {
        Self { port: None, days: 30, shorten: false, trusted: Vec::new() }
    }
}

/// The longest time for which visitors are kept, in days.
pub const MOST_DAYS: u16 = 3_650;
/// The maximum number of trusted proxies.
const MOST_TRUSTED: usize = 16;

/// Parses a number of days.
pub fn parse_days(input: &str) -> Result<u16, Problem> {
    let wrong = || Problem::invalid("days", text!("problem-days", most = MOST_DAYS));
    if input.is_empty() || input.len() > 4 || !input.bytes().all(|b| b.is_ascii_digit()) {
        return Err(wrong());
    }
    input.parse().ok().filter(|d| (1..=MOST_DAYS).contains(d)).ok_or_else(wrong)
}

/// Parses trusted proxies, separated by commas or blanks.
pub fn parse_trusted(input: &str) -> Result<Vec<Network>, Problem> {
    let mut all = Vec::new();
    for word in input.split([',', ' ', '\t', '\r', '\n']).filter(|w| !w.is_empty()) {
        let network = Network::parse(word)?;
        if !all.contains(&network) {
            all.push(network);
        }
        if all.len() > MOST_TRUSTED {
            return Err(Problem::invalid("trusted", text!("problem-trusted-many", most = MOST_TRUSTED)));
        }
    }
    Ok(all)
}

/// An address, or all addresses that begin with the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Network {
    ip: IpAddr,
    bits: u8,
}

impl Network {
    /// Parses `10.0.0.7`, `10.0.0.0/8` or `2001:db8::/32`. A network of all addresses is refused: every visitor could
    /// then claim any address.
    pub fn parse(input: &str) -> Result<Self, Problem> {
        let shown: String = input.chars().take(64).collect();
        let wrong = || Problem::invalid("trusted", text!("problem-trusted", typed = shown.as_str()));
        let (address, length) = input.split_once('/').map_or((input, None), |(a, l)| (a, Some(l)));
        let ip: IpAddr = address.parse().map_err(|_| wrong())?;
        let most = if ip.is_ipv4() { 32 } else { 128 };
        let bits = match length {
            None => most,
            Some(l) if l.len() <= 3 && l.bytes().all(|b| b.is_ascii_digit()) => {
                l.parse().map_err(|_| wrong())?
            }
            Some(_) => return Err(wrong()),
        };
        if bits == 0 || bits > most {
            return Err(wrong());
        }
        Ok(Self::of(ip, bits))
    }

    /// Returns the network of an address: its first `bits` bits.
    pub fn of(ip: IpAddr, bits: u8) -> Self {
        let ip = match ip {
            IpAddr::V4(v4) => {
                let mask = u32::MAX.checked_shl(32_u32.saturating_sub(u32::from(bits))).unwrap_or(0);
                IpAddr::V4(Ipv4Addr::from_bits(v4.to_bits() & mask))
            }
            IpAddr::V6(v6) => {
                let mask = u128::MAX.checked_shl(128_u32.saturating_sub(u32::from(bits))).unwrap_or(0);
                IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & mask))
            }
        };
        Self { ip, bits }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = if self.ip.is_ipv4() { 32 } else { 128 };
        if self.bits == whole { self.ip.fmt(f) } else { write!(f, "{}/{}", self.ip, self.bits) }
    }
}

impl TryFrom<String> for Network {
    type Error = &'static str;
    fn try_from(value: String) -> Result<Self, Self::Error> {
        Self::parse(&value).map_err(|_| "not an address or network")
    }
}

impl From<Network> for String {
    fn from(value: Network) -> Self {
        value.to_string()
    }
}

/// Returns the address as it is kept: itself, or its network (IPv4: the first 24 bits, IPv6: the first 48).
pub fn kept(address: IpAddr, shorten: bool) -> Network {
    let bits = match (address, shorten) {
        (IpAddr::V4(_), true) => 24,
        (IpAddr::V6(_), true) => 48,
        (IpAddr::V4(_), false) => 32,
        (IpAddr::V6(_), false) => 128,
    };
    Network::of(address, bits)
}

/// A filter for the status of answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusFilter {
    /// Answers with this status.
    Exactly(u16),
    /// Answers whose status begins with this digit.
    Class(u16),
}

impl StatusFilter {
    /// Parses `404` or `5xx`; an empty text means any status.
    pub fn parse(input: &str) -> Result<Option<Self>, Problem> {
        let wrong = || Problem::invalid("status", text!("problem-status"));
        match input.trim().as_bytes() {
            [] => Ok(None),
            [class @ b'1'..=b'5', b'x' | b'X', b'x' | b'X'] => Ok(Some(Self::Class(u16::from(class - b'0')))),
            [b'1'..=b'5', rest @ ..] if rest.len() == 2 && rest.iter().all(u8::is_ascii_digit) => {
                input.trim().parse().map(|status| Some(Self::Exactly(status))).map_err(|_| wrong())
            }
            _ => Err(wrong()),
        }
    }

    /// Whether an answer passes the filter.
    pub fn fits(self, status: Option<u16>) -> bool {
        status.is_some_and(|status| match self {
            Self::Exactly(wanted) => status == wanted,
            Self::Class(class) => status / 100 == class,
        })
    }
}

/// Parses a part of an address to search for.
pub fn parse_part(input: &str) -> Result<String, Problem> {
    let part = input.trim().to_ascii_lowercase();
    let fine = part.len() <= 64 && part.bytes().all(|b| b.is_ascii_hexdigit() || b":./".contains(&b));
    if fine { Ok(part) } else { Err(Problem::invalid("address", text!("problem-part"))) }
}

/// The maximum number of address and server pairs in one second. Requests beyond it are counted, not listed.
pub const MOST_VISITS: usize = 5_000;
/// The maximum number of colour changes in one second.
pub const MOST_CHANGES: usize = 1_000;
/// The maximum number of workers whose lines are counted separately: the present one, and those that a reload leaves.
const MOST_WORKERS: usize = 16;

/// The sum of the log lines of about one second.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// By visitor and server.
    pub visits: BTreeMap<(Network, Option<ServerName>), Visit>,
    /// Changes of colour, in the order in which they came.
    pub changes: Vec<Chosen>,
    /// The lines of each worker about requests that HAProxy was able to parse, which are those that it counts itself.
    pub workers: BTreeMap<u32, u64>,
    /// What happened to the lines.
    pub counts: Counts,
}

/// One visitor's requests to one server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Visit {
    /// First request.
    pub first: Millis,
    /// Last request.
    pub last: Millis,
    /// Requests.
    pub requests: u64,
    /// Requests that were refused, failed or were never answered.
    pub errors: u64,
}

impl Visit {
    /// Returns the sum of both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            first: self.first.min(other.first),
            last: self.last.max(other.last),
            requests: self.requests + other.requests,
            errors: self.errors + other.errors,
        }
    }
}

/// A colour that was chosen on the session test page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// When.
    pub at: Millis,
    /// Who chose it.
    pub address: Network,
    /// On which server.
    pub server: ServerName,
    /// The former and the new colour.
    pub change: Recolour,
}

/// What happened to the log lines. All counts except `foreign` and `own` add up to HAProxy's own lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Requests in the list.
    pub stored: u64,
    /// Requests from more addresses than the list holds.
    pub crowd: u64,
    /// Lines that could not be parsed.
    pub unreadable: u64,
    /// Lines that the kernel dropped, because Cordée did not read quickly enough.
    pub kernel: u64,
    /// Lines that HAProxy was unable to send.
    pub unsent: u64,
    /// HAProxy's own messages, which are not requests.
    pub notices: u64,
    /// Lines that HAProxy did not write, and that are not believed.
    #[serde(default)]
    pub foreign: u64,
    /// The number of the last probe of Cordée's own that was seen in the log: it is not a visit.
    #[serde(default)]
    pub own: u64,
}

impl Counts {
    /// Returns the number of requests that are not in the list.
    pub fn dropped(&self) -> u64 {
        self.crowd + self.unreadable + self.kernel + self.unsent
    }

    /// Returns the sum of both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            stored: self.stored + other.stored,
            crowd: self.crowd + other.crowd,
            unreadable: self.unreadable + other.unreadable,
            kernel: self.kernel + other.kernel,
            unsent: self.unsent + other.unsent,
            notices: self.notices + other.notices,
            foreign: self.foreign + other.foreign,
            own: self.own.max(other.own),
        }
    }
}

impl Tally {
    /// Counts one line.
    pub fn take(&mut self, line: &Line, shorten: bool) {
        let record = match line {
            Line::Request(record) => record,
            Line::Notice => return self.counts.notices += 1,
            Line::Foreign => return self.counts.foreign += 1,
            Line::Unreadable => return self.counts.unreadable += 1,
        };
        let room = self.workers.len() < MOST_WORKERS || self.workers.contains_key(&record.worker);
        if room && !record.asked.method.is_empty() {
            *self.workers.entry(record.worker).or_default() += 1;
        }
        let address = kept(record.address, shorten);
        let visit =
            Visit { first: record.at, last: record.at, requests: 1, errors: u64::from(record.is_error()) };
        if !self.add((address, record.server.clone()), visit) {
            return;
        }
        if let (Some(change), Some(server)) = (&record.change, &record.server)
            && self.changes.len() < MOST_CHANGES
        {
            let (server, change) = (server.clone(), change.clone());
            self.changes.push(Chosen { at: record.at, address, server, change });
        }
    }

    /// Counts the line of the `number`th probe of Cordée's own: as read, and as nothing else.
    pub fn own(&mut self, worker: u32, number: u64) {
        *self.workers.entry(worker).or_default() += 1;
        self.counts.own = self.counts.own.max(number);
    }

    /// Whether there is something to show.
    pub fn tells(&self) -> bool {
        Counts { own: 0, ..self.counts } != Counts::default()
    }

    /// Adds a visit if there is room; otherwise its requests are counted as `crowd`.
    fn add(&mut self, key: (Network, Option<ServerName>), visit: Visit) -> bool {
        let room = self.visits.len() < MOST_VISITS;
        match self.visits.get_mut(&key) {
            Some(known) => *known = known.and(visit),
            None if room => drop(self.visits.insert(key, visit)),
            None => {
                self.counts.crowd += visit.requests;
                return false;
            }
        }
        self.counts.stored += visit.requests;
        true
    }

    /// Puts back what could not be stored, below what arrived meanwhile.
    pub fn put_back(&mut self, older: Self) {
        let newer = std::mem::replace(self, older);
        // The newer visits are added again below, so they are not counted twice here.
        let again = Counts { stored: 0, ..newer.counts };
        self.counts = self.counts.and(again);
        for (key, visit) in newer.visits {
            self.add(key, visit);
        }
        for (worker, lines) in newer.workers {
            *self.workers.entry(worker).or_default() += lines;
        }
        let room = MOST_CHANGES.saturating_sub(self.changes.len());
        self.changes.extend(newer.changes.into_iter().take(room));
    }

    /// Whether there is nothing to store.
    pub fn is_empty(&self) -> bool {
        self.counts == Counts::default()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::haproxy::log;

    fn line(n: u32, server: &str, status: &str, change: &str) -> Line {
        let ip = Ipv4Addr::from_bits(0x0a00_0000 + n);
        let line = format!("cordee3 key 7 {n} {ip} {status} {server} 3 76 474554 2F - {change} - - -");
        log::parse(line.as_bytes(), "key")
    }

    #[test]
    fn a_question_of_cordee_s_own_is_a_line_and_no_visit() {
        let mut tally = Tally::default();
        tally.own(7, 41);
        assert!(!tally.tells() && !tally.is_empty(), "written down, and nothing to show");
        assert_eq!((tally.workers[&7], tally.visits.len(), tally.counts.dropped()), (1, 0, 0));
        let both = Counts { own: 40, ..Counts::default() }.and(tally.counts);
        assert_eq!((both.own, both.stored), (41, 0), "the last one counts");
    }

    #[test]
    fn networks_are_read_and_written() {
        for (typed, written) in [
            ("10.0.0.7", "10.0.0.7"),
            ("10.1.2.3/8", "10.0.0.0/8"),
            ("2001:db8:1::1/32", "2001:db8::/32"),
            ("::1", "::1"),
            ("192.0.2.1/32", "192.0.2.1"),
        ] {
            assert_eq!(Network::parse(typed).unwrap().to_string(), written);
        }
        for bad in [
            "",
            "x",
            "10.0.0.0/0",
            "10.0.0.0/33",
            "::/129",
            "10.0.0.0/",
            "10.0.0.0/+8",
            "a\nb",
            "1.2.3.4/8/8",
        ] {
            assert!(Network::parse(bad).is_err(), "{bad}");
        }
        assert_eq!(parse_trusted(" 10.0.0.1, 10.0.0.1 ::1\n").unwrap().len(), 2);
        let many: Vec<String> = (0..17).map(|n| format!("10.0.0.{n}")).collect();
        assert_eq!(parse_trusted(&many.join(" ")).unwrap_err().field, "trusted");
    }

    #[test]
    fn what_is_looked_for_is_read() {
        assert_eq!(StatusFilter::parse(" 404 "), Ok(Some(StatusFilter::Exactly(404))));
        assert_eq!(StatusFilter::parse("5XX"), Ok(Some(StatusFilter::Class(5))));
        assert_eq!(StatusFilter::parse(""), Ok(None));
        for bad in ["4", "600", "40x", "x04", "4044", "-1"] {
            assert_eq!(StatusFilter::parse(bad).unwrap_err().field, "status", "{bad}");
        }
        assert!(StatusFilter::Class(5).fits(Some(503)) && !StatusFilter::Class(5).fits(None));
        assert_eq!(parse_part(" 2001:DB8:: "), Ok("2001:db8::".to_owned()));
        assert!(parse_part("10.0.0.1'").is_err() && parse_part("<b>").is_err());
    }

    #[test]
    fn days_are_whole_and_few() {
        assert_eq!(parse_days("30"), Ok(30));
        for bad in ["", "0", "3651", "-1", "3.5", "99999"] {
            assert_eq!(parse_days(bad).unwrap_err().field, "days", "{bad}");
        }
    }

    #[test]
    fn a_shortened_address_is_its_network() {
        let short = |a: &str| kept(a.parse().unwrap(), true).to_string();
        assert_eq!(short("192.0.2.77"), "192.0.2.0/24");
        assert_eq!(short("2001:db8:1:2::3"), "2001:db8:1::/48");
        assert_eq!(kept("192.0.2.77".parse().unwrap(), false).to_string(), "192.0.2.77");
    }

    #[test]
    fn lines_of_a_visitor_are_summed_up_by_server() {
        let mut tally = Tally::default();
        for line in [
            line(1, "web1", "200", "-"),
            line(1, "web1", "503", "-"),
            line(1, "web2", "303", "2D3E626C6575"),
            line(2, "<NOSRV>", "400", "-"),
            Line::Notice,
            Line::Unreadable,
        ] {
            tally.take(&line, false);
        }
        let rows: Vec<(String, u64, u64)> =
            tally.visits.iter().map(|((a, _), v)| (a.to_string(), v.requests, v.errors)).collect();
        assert_eq!(
            rows,
            [("10.0.0.1".to_owned(), 2, 1), ("10.0.0.1".to_owned(), 1, 0), ("10.0.0.2".to_owned(), 1, 1)]
        );
        assert_eq!(tally.changes.len(), 1);
        assert_eq!((tally.counts.stored, tally.counts.notices, tally.counts.dropped()), (4, 1, 1));
        assert_eq!(tally.workers[&7], 4);
    }

    #[test]
    fn a_crowd_is_counted_and_takes_no_room() {
        let mut tally = Tally::default();
        let most = u32::try_from(MOST_VISITS).unwrap();
        for n in 0..most + 10 {
            tally.take(&line(n, "web1", "200", "2D3E626C6575"), false);
        }
        tally.take(&line(0, "web1", "200", "-"), false);
        assert_eq!((tally.visits.len(), tally.changes.len()), (MOST_VISITS, MOST_CHANGES));
        assert_eq!((tally.counts.crowd, tally.counts.stored), (10, u64::from(most) + 1));
    }

    proptest! {
        /// Every line is counted once, whatever it is, and putting back counts no line twice.
        #[test]
        fn every_line_is_counted_once(
            ns in proptest::collection::vec((0_u32..40, 0_u8..6), 0..200),
            cut in 0_usize..200,
        ) {
            let lines: Vec<Line> = ns.iter().map(|(n, kind)| match kind {
                0 => Line::Notice,
                1 => Line::Unreadable,
                2 => line(*n, "<NOSRV>", "503", "-"),
                _ => line(*n, "web1", "200", "2D3E626C6575"),
            }).collect();
            let (mut whole, mut first, mut second) = (Tally::default(), Tally::default(), Tally::default());
            for (i, line) in lines.iter().enumerate() {
                whole.take(line, true);
                (if i < cut { &mut first } else { &mut second }).take(line, true);
            }
            let counts = whole.counts;
            let all = counts.stored + counts.dropped() + counts.notices + counts.foreign;
            prop_assert_eq!(all, u64::try_from(lines.len()).unwrap());
            second.put_back(first);
            prop_assert_eq!(second, whole);
        }
    }
}
