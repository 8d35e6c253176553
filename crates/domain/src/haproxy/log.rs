//! What HAProxy `web` says of each request: one datagram, one line, one record.
//!
//! Every field that a visitor can shape is written in hexadecimal by HAProxy itself, so that no newline, NUL, invalid
//! UTF-8 or escape sequence can begin a second record or move into another field. What does not look exactly so is not
//! guessed at: it is counted as unreadable.

use std::fmt::Write as _;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::ids::{Millis, ServerName};
use crate::text::push_seen;

/// First word of a line. Another order of fields gets another one.
const MARK: &str = "cordee3";
/// What the first words of all versions begin with.
const MARKS: &[u8] = b"cordee";

/// The longest line that HAProxy is told to send, and the longest that is read. A full one has some 1,000 octets.
pub const MOST_BYTES: usize = 2_048;

/// How many octets of what a visitor sent are logged: method, path, user agent; of the site's own word; of HAProxy's
/// cookie that came with the request; and of the sums of the PHP session that came with it, and of the one that the
/// answer names.
const CUTS: [usize; 7] = [16, 256, 128, 64, 64, 8, 8];

/// The line, in HAProxy's words (manual 2.6, section 8.2.4): the mark, the `key` that only HAProxy and Cordée know,
/// because anybody on the machine can send to the port, the worker, milliseconds since 1970, the visitor, the status,
/// the server, milliseconds in all, octets sent; then in hexadecimal the method, the path without its query, the user
/// agent, the change of colour that the site names, HAProxy's cookie, and the sums of the two sessions. A session's id
/// is not logged.
pub fn format(key: &str) -> String {
    let [method, path, agent, change, holds, session, next] = CUTS;
    format!(
        "{MARK} {key} %pid %Ts%ms %[src] %ST %s %Ta %B %[var(txn.method),bytes(0,{method}),hex] \
         %[var(txn.path),bytes(0,{path}),hex] %[var(txn.agent),bytes(0,{agent}),hex] \
         %[var(txn.change),bytes(0,{change}),hex] %[var(txn.holds),bytes(0,{holds}),hex] \
         %[var(txn.php),bytes(0,{session}),hex] %[var(txn.php_next),bytes(0,{next}),hex]"
    )
}

/// One request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The worker that served it.
    pub worker: u32,
    /// When it came.
    pub at: Millis,
    /// Who asked; behind a trusted proxy, who asked that one.
    pub address: IpAddr,
    /// The answer's status; absent when there was none.
    pub status: Option<u16>,
    /// Who answered; absent when HAProxy did.
    pub server: Option<ServerName>,
    /// Milliseconds until the answer's end; absent when it was not reached.
    pub took_ms: Option<u64>,
    /// Octets of the answer.
    pub bytes: u64,
    /// What the visitor asked, as text without control characters.
    pub asked: LoggedRequest,
    /// The colour that the visitor chose.
    pub change: Option<Recolour>,
    /// HAProxy's cookie that came with the request, as text without control characters; empty when none did.
    pub holds: String,
    /// What tells the PHP session that came with the request from others; empty when none did.
    pub session: String,
    /// The same of the session that the answer names.
    pub next: String,
}

/// The visitor's own words. Control characters, marks that turn the direction of writing and octets that are no UTF-8
/// stand as `\x1B`, `\u{202E}` and `\xFF`; a backslash is doubled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoggedRequest {
    /// Method; empty when the request was not understood.
    pub method: String,
    /// Path, as sent, without its query.
    pub path: String,
    /// What the visitor's program calls itself.
    pub agent: String,
}

/// A colour chosen on the session test page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recolour {
    /// The former one; absent when there was none.
    pub from: Option<String>,
    /// The new one.
    pub to: String,
}

impl Record {
    /// Refused, failed or never answered.
    pub fn is_error(&self) -> bool {
        self.status.is_none_or(|status| status >= 400)
    }
}

/// What a datagram is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// A request.
    Request(Box<Record>),
    /// Not a request: what HAProxy says of itself ("Proxy web stopped").
    Notice,
    /// Begins like a request and does not go on like one.
    Unreadable,
    /// Begins like a request and lacks the key: somebody else's invention, or of a version before.
    Foreign,
}

/// Reads one datagram.
pub fn parse(datagram: &[u8], key: &str) -> Line {
    let line = datagram.strip_suffix(b"\n").unwrap_or(datagram);
    if !line.starts_with(MARKS) {
        return Line::Notice;
    }
    let keyed = line.strip_prefix(MARK.as_bytes()).and_then(|r| r.strip_prefix(b" "));
    let Some(rest) = keyed.and_then(|r| after_key(r, key.as_bytes())) else { return Line::Foreign };
    if datagram.len() > MOST_BYTES {
        return Line::Unreadable;
    }
    let record = std::str::from_utf8(rest).ok().and_then(record);
    record.map_or(Line::Unreadable, |record| Line::Request(Box::new(record)))
}

/// What follows the key, when it is the key: compared to its end, so that the time tells nothing about it.
fn after_key<'a>(rest: &'a [u8], key: &[u8]) -> Option<&'a [u8]> {
    let (said, rest) = rest.split_at_checked(key.len())?;
    let different = said.iter().zip(key).fold(0, |all, (a, b)| all | (a ^ b));
    (different == 0 && !key.is_empty()).then(|| rest.strip_prefix(b" ")).flatten()
}

fn record(rest: &str) -> Option<Record> {
    let mut fields = rest.split(' ');
    let mut field = || fields.next();
    let worker = number(field()?)?;
    let at = number(field()?)?;
    let address = field()?.parse::<IpAddr>().ok()?.to_canonical();
    let status = match field()? {
        "-1" | "0" => None,
        status => Some(number::<u16>(status)?),
    };
    let server = match field()? {
        "<NOSRV>" => None,
        name => Some(ServerName::parse(name).ok()?),
    };
    let took_ms = match field()? {
        "-1" => None,
        took => Some(number(took)?),
    };
    let bytes = number(field()?)?;
    let [method, path, agent, change, holds, session, next] = CUTS;
    let asked = LoggedRequest {
        method: visible(&octets(field()?, method)?),
        path: visible(&octets(field()?, path)?),
        agent: visible(&octets(field()?, agent)?),
    };
    let change = recolour(&octets(field()?, change)?);
    // A server that did not answer has nothing to tell.
    let change = change.filter(|_| server.is_some());
    let mut words = |most| octets(field()?, most).map(|octets| visible(&octets));
    let (holds, session, next) = (words(holds)?, words(session)?, words(next)?);
    fields.next().is_none().then_some(Record {
        worker,
        at,
        address,
        status,
        server,
        took_ms,
        bytes,
        asked,
        change,
        holds,
        session,
        next,
    })
}

/// Digits alone: no sign, no blank, and not more than the type holds.
fn number<T: FromStr>(text: &str) -> Option<T> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

/// Pairs of hexadecimal digits, at most `most` of them; `-` stands for none.
fn octets(text: &str, most: usize) -> Option<Vec<u8>> {
    let text = if text == "-" { "" } else { text };
    if text.len() > 2 * most || text.len() % 2 != 0 {
        return None;
    }
    let digit = |b: u8| char::from(b).to_digit(16).and_then(|d| u8::try_from(d).ok());
    text.as_bytes().chunks(2).map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect()
}

/// Octets as text that neither a page nor a terminal takes for anything but text.
pub fn visible(octets: &[u8]) -> String {
    let mut text = String::with_capacity(octets.len());
    for chunk in octets.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\\' => text.push_str("\\\\"),
                c => push_seen(&mut text, c),
            }
        }
        for octet in chunk.invalid() {
            let _ = write!(text, "\\x{octet:02X}");
        }
    }
    text
}

/// `FROM>TO`: keys of the site's list of colours, `-` for none before. Anything else is nothing.
fn recolour(octets: &[u8]) -> Option<Recolour> {
    let (from, to) = std::str::from_utf8(octets).ok()?.split_once('>')?;
    let key = |word: &str| (1..=24).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_lowercase());
    let from = match from {
        "-" => None,
        from if key(from) => Some(from.to_owned()),
        _ => return None,
    };
    key(to).then(|| Recolour { from, to: to.to_owned() })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LINE: &str = "cordee3 key 42 1795761474931 10.9.8.7 200 web1 3 76 474554 2F61 1B5B33316DFF \
        726F7567653E626C6575 5331 AA BB\n";

    fn read(line: &str) -> Record {
        match parse(line.as_bytes(), "key") {
            Line::Request(record) => *record,
            other => panic!("{other:?}: {line}"),
        }
    }

    #[test]
    fn a_line_of_haproxy_s_is_read() {
        let record = read(LINE);
        assert_eq!((record.worker, record.at, record.status), (42, 1_795_761_474_931, Some(200)));
        assert_eq!(record.address.to_string(), "10.9.8.7");
        assert_eq!(record.server.as_ref().map(ServerName::as_str), Some("web1"));
        assert_eq!((record.took_ms, record.bytes), (Some(3), 76));
        assert_eq!((record.asked.method.as_str(), record.asked.path.as_str()), ("GET", "/a"));
        assert_eq!(record.asked.agent, "\\x1B[31m\\xFF");
        assert_eq!(record.change, Some(Recolour { from: Some("rouge".to_owned()), to: "bleu".to_owned() }));
        assert_eq!(
            (record.holds.as_str(), record.session.as_str(), record.next.as_str()),
            ("S1", "\\xAA", "\\xBB")
        );
        assert!(!record.is_error());
    }

    #[test]
    fn what_haproxy_answered_itself_has_no_server() {
        let record =
            read("cordee3 key 42 1795761474931 ::ffff:10.9.8.7 400 <NOSRV> 0 0 - - - 2D3E626C6575 - - -\n");
        assert_eq!((record.server.is_none(), record.is_error(), record.change), (true, true, None));
        assert_eq!(record.address.to_string(), "10.9.8.7");
        let cut = read("cordee3 key 42 1 ::1 -1 web1 -1 0 474554 2F - - - - -");
        assert_eq!((cut.status, cut.took_ms, cut.is_error()), (None, None, true));
    }

    #[test]
    fn only_a_well_formed_change_is_taken() {
        for (bytes, good) in [
            ("-&gt;bleu", false),
            ("->bleu", true),
            ("rouge>bleu", true),
            ("rouge>", false),
            ("rouge;bleu", false),
            ("Rouge>bleu", false),
            ("rouge>bleu>vert", false),
            ("rouge>-", false),
            ("=1>bleu", false),
            ("", false),
        ] {
            assert_eq!(recolour(bytes.as_bytes()).is_some(), good, "{bytes}");
        }
    }

    #[test]
    fn what_is_not_exactly_so_is_unreadable() {
        let cut = &LINE[..60];
        for line in [
            cut,
            &LINE.replace(" 42 ", " +42 "),
            &LINE.replace("web1", "we\u{2028}b"),
            &LINE.replace("2F61", "2F6"),
            &LINE.replace("2F61", "2G61"),
            &LINE.replace("2F61", &"61".repeat(257)),
            &LINE.replace('\n', " more"),
            &LINE.replace(" 200 ", " 99999 "),
            &LINE.replace("10.9.8.7", "10.9.8.7x"),
            &LINE.replace(' ', "  "),
        ] {
            assert_ne!(line, LINE);
            assert!(!matches!(parse(line.as_bytes(), "key"), Line::Request(_)), "{line}");
        }
        assert_eq!(parse(b"Proxy web stopped (cumulated conns: FE: 1, BE: 0).\n", "key"), Line::Notice);
    }

    #[test]
    fn a_line_without_the_key_is_nobodys() {
        let line = |key: &str| LINE.replace(" key ", key);
        for (forged, why) in [
            (line(" "), "none"),
            (line("  "), "an empty one"),
            (line(" kez "), "a guess"),
            (line(" keyword "), "more than the key"),
            (line(" ke "), "less than it"),
            (LINE.replace("cordee3 key", "cordee2"), "a version before"),
            ("cordee3 ".to_owned(), "nothing else"),
        ] {
            assert_eq!(parse(forged.as_bytes(), "key"), Line::Foreign, "{why}: {forged}");
        }
        // Without a key to compare with, nothing is believed.
        assert_eq!(parse(line("  ").as_bytes(), ""), Line::Foreign);
        assert!(format("key").starts_with("cordee3 key %pid "));
    }

    fn hex(octets: &[u8]) -> String {
        if octets.is_empty() { "-".to_owned() } else { crate::haproxy::config::hex(octets, octets.len()) }
    }

    proptest! {
        #[test]
        fn no_octets_are_too_odd(datagram in proptest::collection::vec(any::<u8>(), 0..3_000)) {
            let _ = parse(&datagram, "key");
            let mut marked = b"cordee3 key ".to_vec();
            marked.extend(datagram);
            prop_assert!(!matches!(parse(&marked, "key"), Line::Notice));
        }

        /// Whatever a visitor sends is one record, in its own field, and text.
        #[test]
        fn a_visitor_stays_in_their_field(
            path in proptest::collection::vec(any::<u8>(), 0..=256),
            agent in proptest::collection::vec(any::<u8>(), 0..=128),
        ) {
            let (asked, by) = (hex(&path), hex(&agent));
            let line = format!("cordee3 key 42 1 10.9.8.7 200 web1 3 76 474554 {asked} {by} - - - -\n");
            prop_assert!(line.len() <= MOST_BYTES);
            let record = read(&line);
            prop_assert_eq!(record.asked.path, visible(&path));
            prop_assert_eq!(&record.asked.agent, &visible(&agent));
            prop_assert!(!record.asked.agent.chars().any(char::is_control));
            prop_assert_eq!((record.bytes, record.change), (76, None));
        }

        /// Two different inputs never look the same.
        #[test]
        fn what_is_shown_tells_what_was_sent(octets in proptest::collection::vec(any::<u8>(), 0..64)) {
            prop_assert_eq!(back(&visible(&octets)), octets);
        }
    }

    /// The octets of which `visible` made that text.
    fn back(text: &str) -> Vec<u8> {
        let mut octets = Vec::new();
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            rest = &rest[c.len_utf8()..];
            let mut push = |c: char| octets.extend(c.encode_utf8(&mut [0; 4]).as_bytes());
            if c != '\\' {
                push(c);
            } else if let Some(more) = rest.strip_prefix('\\') {
                push(c);
                rest = more;
            } else if let Some(more) = rest.strip_prefix('x') {
                let octet = u8::from_str_radix(&more[..2], 16).expect("hexadecimal");
                octets.push(octet);
                rest = &more[2..];
            } else {
                let (code, more) = rest[2..].split_once('}').expect("closed");
                push(u32::from_str_radix(code, 16).ok().and_then(char::from_u32).expect("a character"));
                rest = more;
            }
        }
        octets
    }
}
