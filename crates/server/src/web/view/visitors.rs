//! Visitors in words, and as a CSV table for other programs.

use std::fmt::Write as _;

use cordee_api::visitors::Request;
use cordee_api::visitors::{ColourChange, Visitor};
use cordee_domain::text;
use cordee_domain::visitors::Counts;
use serde::Serialize;

use super::{day_and_time, stamp};
use crate::store::visitors::{Gap, NOBODY};
use crate::words::Lang;

/// A moment for a `time` element.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Moment {
    /// For programs.
    pub iso: String,
    /// For people, in the page's time zone.
    pub text: String,
}

/// Returns a moment with its date.
pub fn moment(at: u64) -> Moment {
    let (text, iso) = day_and_time(at);
    Moment { iso, text }
}

/// One visitor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VisitorRow {
    /// The address or network.
    pub address: String,
    /// First request.
    pub first: Moment,
    /// Last request.
    pub last: Moment,
    /// Requests.
    pub requests: u64,
    /// Errors among them.
    pub errors: u64,
    /// "web1 60 % · web2 40 %".
    pub shares: String,
}

/// Puts a visitor into words.
pub fn visitor(visitor: &Visitor, lang: Lang) -> VisitorRow {
    let whole: u64 = visitor.servers.iter().map(|s| s.requests).sum();
    let shares: Vec<String> = visitor
        .servers
        .iter()
        .map(|s| format!("{} {}", server(&s.server), percent(s.requests, whole, lang)))
        .collect();
    VisitorRow {
        address: visitor.address.clone(),
        first: moment(visitor.first),
        last: moment(visitor.last),
        requests: visitor.requests,
        errors: visitor.errors,
        shares: shares.join(" · "),
    }
}

fn server(name: &str) -> &str {
    if name == NOBODY { "HAProxy" } else { name }
}

/// Returns a share in whole percent, written as the language does.
fn percent(part: u64, whole: u64, lang: Lang) -> String {
    let hundredths = (part * 100 + whole / 2) / whole.max(1);
    match lang {
        Lang::Fr => format!("{hundredths}\u{202f}%"),
        Lang::En => format!("{hundredths}%"),
    }
}

/// One change of colour.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChangeRow {
    /// Its id.
    pub id: u64,
    /// When.
    pub at: Moment,
    /// The visitor's address.
    pub address: String,
    /// The server that answered.
    pub server: String,
    /// The previous colour.
    pub from: String,
    /// The new colour.
    pub to: String,
}

/// Returns the colours of the session test page: their words in the log, and their names.
pub fn colours(lang: Lang) -> [(&'static str, String); 8] {
    [
        ("rouge", lang.tr("colour-rouge")),
        ("orange", lang.tr("colour-orange")),
        ("jaune", lang.tr("colour-jaune")),
        ("vert", lang.tr("colour-vert")),
        ("turquoise", lang.tr("colour-turquoise")),
        ("bleu", lang.tr("colour-bleu")),
        ("violet", lang.tr("colour-violet")),
        ("rose", lang.tr("colour-rose")),
    ]
}

/// Returns a colour in the reader's language. A word of another site stays as it is.
pub fn colour(word: &str, lang: Lang) -> String {
    let known = colours(lang).into_iter().find(|(known, _)| *known == word);
    known.map_or_else(|| word.to_owned(), |(_, says)| says)
}

/// Puts a change of colour into words.
pub fn change(change: &ColourChange, lang: Lang) -> ChangeRow {
    ChangeRow {
        id: change.id,
        at: moment(change.at),
        address: change.address.clone(),
        server: change.server.clone(),
        from: change.from.as_ref().map_or_else(|| "–".to_owned(), |from| colour(from, lang)),
        to: colour(&change.to, lang),
    }
}

/// One request of a server's log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RequestRow {
    /// When.
    #[serde(flatten)]
    pub at: Moment,
    /// The visitor's address.
    pub address: String,
    /// The status, or a dash.
    pub status: String,
    /// Its tone: empty, `warn` or `crit`.
    pub st: &'static str,
    /// Method and path.
    pub asked: String,
    /// Milliseconds, or a dash.
    pub took: String,
    /// The visitor's User-Agent.
    pub agent: String,
}

/// Puts a request into words.
pub fn request(request: &Request) -> RequestRow {
    let dash = || "–".to_owned();
    RequestRow {
        at: moment(request.at),
        address: request.address.clone(),
        status: request.status.map_or_else(dash, |s| s.to_string()),
        st: match request.status {
            None | Some(500..) => "crit",
            Some(400..500) => "warn",
            Some(_) => "",
        },
        asked: format!("{} {}", request.method, request.path).trim().to_owned(),
        took: request.took_ms.map_or_else(dash, |ms| format!("{ms}\u{a0}ms")),
        agent: request.agent.clone(),
    }
}

/// Returns the kinds of log lines that are missing from the list, with their counts.
pub fn lost(counts: &Counts, lang: Lang) -> Vec<String> {
    let kinds = [
        (counts.kernel, text!("visitors-kernel", count = counts.kernel)),
        (counts.unsent, text!("visitors-unsent", count = counts.unsent)),
        (counts.crowd, text!("visitors-crowd", count = counts.crowd)),
        (counts.unreadable, text!("visitors-unreadable", count = counts.unreadable)),
        (counts.foreign, text!("visitors-foreign", count = counts.foreign)),
    ];
    kinds.into_iter().filter(|(count, _)| *count > 0).map(|(_, text)| lang.say(&text)).collect()
}

/// Puts a period without a list into words.
pub fn gap(gap: &Gap, lang: Lang) -> (Moment, Moment, String) {
    let how = match gap.requests {
        Some(count) => text!("visitors-gap-count", count = count),
        None => text!("visitors-gap-unknown"),
    };
    (moment(gap.since), moment(gap.until), lang.say(&how))
}

/// Writes one line for each visitor and server. Times are in UTC (RFC 3339), and no cell is one that a spreadsheet
/// would calculate.
pub fn csv_visitors(out: &mut String, visitors: &[Visitor]) {
    for visitor in visitors {
        for share in &visitor.servers {
            let (first, last) = (stamp(share.first).to_string(), stamp(share.last).to_string());
            let (requests, errors) = (share.requests.to_string(), share.errors.to_string());
            csv_line(out, &[&visitor.address, server(&share.server), &first, &last, &requests, &errors]);
        }
    }
}

/// The header of that table.
pub const CSV_VISITORS: [&str; 6] = ["address", "server", "first", "last", "requests", "errors"];

/// Writes one line for each change of colour.
pub fn csv_changes(out: &mut String, changes: &[ColourChange]) {
    for change in changes {
        let at = stamp(change.at).to_string();
        let from = change.from.as_deref().unwrap_or("");
        csv_line(out, &[&at, &change.address, &change.server, from, &change.to]);
    }
}

/// The header of that table.
pub const CSV_CHANGES: [&str; 5] = ["at", "address", "server", "from", "to"];

/// Writes one CSV line (RFC 4180).
pub fn csv_line(out: &mut String, cells: &[&str]) {
    for (n, cell) in cells.iter().enumerate() {
        let comma = if n == 0 { "" } else { "," };
        // A spreadsheet calculates a cell that begins with such a character; an apostrophe makes it text.
        let guard = if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
        let quoted = cell.contains([',', '"', '\r', '\n']);
        let _ = if quoted {
            write!(out, "{comma}\"{guard}{}\"", cell.replace('"', "\"\""))
        } else {
            write!(out, "{comma}{guard}{cell}")
        };
    }
    out.push_str("\r\n");
}

#[cfg(test)]
mod tests {

    use cordee_api::visitors::Share;

    use super::*;

    #[test]
    fn no_cell_is_calculated_and_none_breaks_out() {
        let mut out = String::new();
        csv_line(&mut out, &["=1+1", "@x", "a,b", "say \"=\"", "-3", "plain", "+1,\"\n"]);
        assert_eq!(out, "'=1+1,'@x,\"a,b\",\"say \"\"=\"\"\",'-3,plain,\"'+1,\"\"\n\"\r\n");
    }

    #[test]
    fn shares_are_said_in_the_reader_s_manner() {
        let share = |server: &str, requests| Share {
            server: server.to_owned(),
            first: 0,
            last: 1_795_761_474_931,
            requests,
            errors: 0,
        };
        let seen = Visitor {
            address: "10.0.0.1".to_owned(),
            first: 0,
            last: 1_795_761_474_931,
            requests: 3,
            errors: 0,
            servers: vec![share("haproxy", 1), share("web1", 2)],
        };
        assert_eq!(visitor(&seen, Lang::En).shares, "HAProxy 33% · web1 67%");
        assert_eq!(visitor(&seen, Lang::Fr).shares, "HAProxy 33\u{202f}% · web1 67\u{202f}%");
        let mut out = String::new();
        csv_visitors(&mut out, &[seen]);
        assert_eq!(
            out.lines().nth(1),
            Some("10.0.0.1,web1,1970-01-01T00:00:00Z,2026-11-27T06:37:54.931Z,2,0")
        );
    }
}
