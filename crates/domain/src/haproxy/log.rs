//! The log of HAProxy `web`: one datagram per request, with one line and one record.
//!
//! HAProxy itself writes every field that a visitor can influence in hexadecimal. A newline, NUL, invalid UTF-8 or
//! escape sequence can therefore neither begin a second record nor move into another field. A line that does not have
//! exactly this form is not interpreted: it is counted as unreadable.

use std::fmt::Write as _;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::ids::{Millis, ServerName};
use crate::text::push_seen;

/// The first word of a line. It changes whenever the order of the fields changes.
const MARK: &str = "cordee3";
/// The common beginning of the first words of all versions.
const MARKS: &[u8] = b"cordee";

/// The maximum length of a line, both for HAProxy to send and for Cordée to read. A full line has some 1,000 octets.
pub const MOST_BYTES: usize = 2_048;

/// The maximum number of octets that are logged of what a visitor sent (method, path, user agent), of the site's own
/// word, of HAProxy's cookie that came with the request, and of the hashes of the PHP session that came with the
/// request and of the session that the answer sets.
const CUTS: [usize; 7] = [16, 256, 128, 64, 64, 8, 8];

/// Returns the log format of the line (manual 2.6, section 8.2.4): the mark; the `key` that only HAProxy and Cordée
/// know, because any program on the machine can send to the port; the worker; milliseconds since 1970; the visitor;
/// the status; the server; the total time in milliseconds; the octets sent; then in hexadecimal the method, the path
/// without its query, the user agent, the change of colour that the site reports, HAProxy's cookie, and the hashes of
/// the two sessions. A session's id is not logged.
pub fn format(key: &str) -> String {
    let [method, path, agent, change, holds, session, next] = CUTS;
    format!(
        "{MARK} {key} %pid %Ts%ms %[src] %ST %s %Ta %B %[var(txn.method),bytes(0,{method}),hex] \
         %[var(txn.path),bytes(0,{path}),hex] %[var(txn.agent),bytes(0,{agent}),hex] \
         %[var(txn.change),bytes(0,{change}),hex] %[var(txn.holds),bytes(0,{holds}),hex] \
         %[var(txn.php),bytes(0,{session}),hex] %[var(txn.php_next),bytes(0,{next}),hex]"
    )
}

/// A logged request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The worker that served it.
    pub worker: u32,
    /// When it came.
    pub at: Millis,
    /// The visitor's address; behind a trusted proxy, the address that the proxy reports.
    pub address: IpAddr,
    /// The status of the answer; absent if there was none.
    pub status: Option<u16>,
    /// The server that answered; absent if HAProxy itself did.
    pub server: Option<ServerName>,
    /// Milliseconds until the end of the answer; absent if the end was not reached.
    pub took_ms: Option<u64>,
    /// The size of the answer in octets.
    pub bytes: u64,
    /// The visitor's request, as text without control characters.
    pub asked: LoggedRequest,
    /// The colour that the visitor chose.
    pub change: Option<Recolour>,
    /// HAProxy's cookie that came with the request, as text without control characters; empty if there was none.
    pub holds: String,
    /// A hash that identifies the PHP session that came with the request; empty if there was none.
    pub session: String,
    /// The same for the session that the answer sets.
    pub next: String,
}

/// Words that the visitor sent. Control characters, marks that change the direction of writing, and octets that are
/// not valid UTF-8 are written as `\x1B`, `\u{202E}` and `\xFF`; a backslash is doubled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoggedRequest {
    /// The method; empty if HAProxy was unable to parse the request.
    pub method: String,
    /// The path as sent, without its query.
    pub path: String,
    /// The name by which the visitor's program identifies itself.
    pub agent: String,
}

/// A colour chosen on the session test page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recolour {
    /// The former colour; absent if there was none.
    pub from: Option<String>,
    /// The new colour.
    pub to: String,
}

impl Record {
    /// Whether the request was refused, failed or was never answered.
    pub fn is_error(&self) -> bool {
        self.status.is_none_or(|status| status >= 400)
    }
}

/// The kind of a datagram.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// A request.
    Request(Box<Record>),
    /// Not a request: a message that HAProxy writes about itself ("Proxy web stopped").
    Notice,
    /// A line that begins like a request but does not have the form of one.
    Unreadable,
    /// A line that begins like a request but lacks the key: forged by another program, or written by an older version.
    Foreign,
}

/// Parses one datagram.
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

/// Returns what follows the key, if the key is right. All of the key is compared, so that the duration of the
/// comparison reveals nothing about it.
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
    // If no server answered, the site cannot have reported a change.
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

/// Parses digits only: no sign, no blank, and no value that is too large for the type.
fn number<T: FromStr>(text: &str) -> Option<T> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

/// Parses at most `most` pairs of hexadecimal digits; `-` stands for none.
fn octets(text: &str, most: usize) -> Option<Vec<u8>> {
    let text = if text == "-" { "" } else { text };
    if text.len() > 2 * most || text.len() % 2 != 0 {
        return None;
    }
    let digit = |b: u8| char::from(b).to_digit(16).and_then(|d| u8::try_from(d).ok());
    text.as_bytes().chunks(2).map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect()
}

/// Returns octets as text that a page and a terminal show as plain text.
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

/// Parses `FROM>TO`, two keys of the site's list of colours; `-` stands for no former colour. Anything else gives
/// `None`.
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
        // If there is no key to compare with, no line is believed.
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

        /// Whatever a visitor sends becomes one record, stays in its own field, and is plain text.
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

        /// Two different inputs are never shown the same.
        #[test]
        fn what_is_shown_tells_what_was_sent(octets in proptest::collection::vec(any::<u8>(), 0..64)) {
            prop_assert_eq!(back(&visible(&octets)), octets);
        }
    }

    /// Returns the octets from which `visible` made that text.
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
