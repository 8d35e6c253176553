//! Which rows of a table are in the page: those that contain a word, in an order, one page at a time.
//!
//! The script does the same with the rows of the stream (`web/table.js`, `web/order.js`); without the script, the
//! same links and forms are requested. Both use one rule to sort and to search, stated at [`natural`] and
//! [`fold`], and one list of cases tests both (`order.json`): a reader who reloads the page finds the rows where
//! they were.

use std::cmp::Ordering;

use super::ServerRow;

/// How many rows a page shows at once. Every row has its menu and its questions, so many rows make a heavy page.
pub const ROWS: usize = 12;
/// A table with more rows than this can be searched, and the rope shows its pool as one bead.
pub const FEW: usize = 6;
/// The longest word to search for, in characters: no address or sentence of the table is longer.
const LONGEST: usize = 100;

/// What rows can be sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Name, with numbers as numbers.
    Name,
    /// What it is.
    Kind,
    /// Address.
    Address,
    /// Port.
    Port,
    /// The most urgent status first.
    Status,
    /// Sessions now.
    Sessions,
}

impl Order {
    /// All orders, in the order of the columns.
    pub const ALL: [Self; 6] =
        [Self::Name, Self::Kind, Self::Address, Self::Port, Self::Status, Self::Sessions];

    /// Returns its word in an address.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Kind => "kind",
            Self::Address => "address",
            Self::Port => "port",
            Self::Status => "status",
            Self::Sessions => "sessions",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|order| order.as_str() == word)
    }

    fn compare(self, a: &ServerRow, b: &ServerRow) -> Ordering {
        match self {
            Self::Name => Ordering::Equal,
            Self::Kind => natural(&a.kind, &b.kind),
            Self::Address => natural(&a.address, &b.address),
            Self::Port => natural(&a.port, &b.port),
            Self::Status => urgency(a.status.st).cmp(&urgency(b.status.st)),
            Self::Sessions => natural(&a.sessions, &b.sessions),
        }
        .then_with(|| natural(&a.name, &b.name))
    }
}

/// Returns the rank of a status: the most urgent one comes first.
fn urgency(st: &str) -> usize {
    ["crit", "unknown", "warn", "busy", "maint", "good"].iter().position(|s| *s == st).unwrap_or(6)
}

/// Compares as people count and spell: `web2` before `web10`, `École` beside `ecole`.
///
/// A text is split where digits begin and end. A number comes before other text and is compared by its value,
/// however long it is; text is compared by its folded letters, code point by code point. Where one text ends, the
/// shorter one comes first. Texts that differ only in case, accents and leading zeros are compared by their own
/// code points.
fn natural(a: &str, b: &str) -> Ordering {
    parts(&fold(a)).cmp(parts(&fold(b))).then_with(|| a.cmp(b))
}

/// Returns small letters without French accents: nobody who searches for a word, or reads down a column, thinks of
/// them.
fn fold(text: &str) -> String {
    let plain = |c| match c {
        'à' | 'â' | 'ä' => 'a',
        'ç' => 'c',
        'é' | 'è' | 'ê' | 'ë' => 'e',
        'î' | 'ï' => 'i',
        'ô' | 'ö' => 'o',
        'ù' | 'û' | 'ü' => 'u',
        'ÿ' => 'y',
        c => c,
    };
    text.to_lowercase().chars().map(plain).collect()
}

/// Splits a folded text into pieces that compare: numbers by their length without leading zeros, then by their
/// digits.
fn parts(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let digit = rest.chars().next()?.is_ascii_digit();
        let end = rest.find(|c: char| c.is_ascii_digit() != digit).unwrap_or(rest.len());
        let (part, after) = rest.split_at(end);
        rest = after;
        let plain = part.trim_start_matches('0');
        Some(if digit { (plain.len(), plain) } else { (usize::MAX, part) })
    })
}

/// What the reader asked to see of one table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Window {
    /// Only rows that contain this text; empty for all rows.
    pub word: String,
    /// Sorted by this; `None` for the given order.
    pub order: Option<Order>,
    /// In descending order.
    pub down: bool,
    /// How many pages come before this one.
    pub skip: usize,
}

impl Window {
    /// Parses the parameters of an address. A value without a meaning is ignored: an address is also typed by
    /// hand.
    pub fn parse(word: &str, order: &str, page: &str) -> Self {
        let (down, order) = order.strip_prefix('-').map_or((false, order), |rest| (true, rest));
        let order = Order::parse(order);
        Self {
            word: word.trim().chars().take(LONGEST).collect(),
            order,
            down: down && order.is_some(),
            skip: page.parse::<usize>().unwrap_or(1).saturating_sub(1),
        }
    }

    /// Returns the order's word in an address; empty for the given order.
    pub fn sort(&self) -> String {
        let sign = if self.down { "-" } else { "" };
        self.order.map(|order| format!("{sign}{}", order.as_str())).unwrap_or_default()
    }

    /// Returns the part of these rows that is shown.
    pub fn of<'a>(&self, all: &[&'a ServerRow]) -> Shown<'a> {
        let word = fold(&self.word);
        let mut rows: Vec<&ServerRow> = all.iter().copied().filter(|row| holds(row, &word)).collect();
        if let Some(order) = self.order {
            rows.sort_by(|a, b| order.compare(a, b));
            if self.down {
                rows.reverse();
            }
        }
        let (found, pages) = (rows.len(), rows.len().div_ceil(ROWS).max(1));
        let skip = self.skip.min(pages - 1);
        let rows: Vec<&ServerRow> = rows.into_iter().skip(skip * ROWS).take(ROWS).collect();
        let first = skip * ROWS + usize::from(!rows.is_empty());
        Shown { first, last: skip * ROWS + rows.len(), found, skip, pages, rows }
    }
}

/// Reports whether a row contains a folded word.
fn holds(row: &ServerRow, word: &str) -> bool {
    let place = format!("{}:{}", row.address, row.port);
    let texts = [&row.name, &row.kind, &place, &row.cookie, &row.status.word, &row.status.reason, &row.role];
    word.is_empty() || texts.iter().any(|text| fold(text).contains(word))
}

/// A part of a table.
#[derive(Clone, Debug)]
pub struct Shown<'a> {
    /// Its rows.
    pub rows: Vec<&'a ServerRow>,
    /// The number of the first row shown, from 1; 0 when there is none.
    pub first: usize,
    /// The number of the last row shown.
    pub last: usize,
    /// How many rows contain the word, on all pages.
    pub found: usize,
    /// How many pages come before this one.
    pub skip: usize,
    /// How many pages there are, at least one.
    pub pages: usize,
}

#[cfg(test)]
mod tests {
    use super::super::StatusRow;
    use super::*;

    fn rows(names: &[&str]) -> Vec<ServerRow> {
        names.iter().map(|name| ServerRow { name: (*name).to_owned(), ..ServerRow::default() }).collect()
    }

    fn shown(all: &[ServerRow], word: &str, sort: &str, page: &str) -> (Vec<String>, usize, usize) {
        let all: Vec<&ServerRow> = all.iter().collect();
        let shown = Window::parse(word, sort, page).of(&all);
        (shown.rows.iter().map(|r| r.name.clone()).collect(), shown.found, shown.pages)
    }

    #[test]
    fn names_are_ordered_as_people_count() {
        let all = rows(&["web10", "Web2", "api", "web1", "web02"]);
        assert_eq!(shown(&all, "", "name", "").0, ["api", "web1", "Web2", "web02", "web10"]);
        assert_eq!(shown(&all, "", "-name", "").0, ["web10", "web02", "Web2", "web1", "api"]);
        assert_eq!(shown(&all, "", "", "").0[0], "web10", "as they came");
    }

    /// The cases that the script's test uses, too.
    #[derive(serde::Deserialize)]
    struct Cases {
        increasing: Vec<Vec<String>>,
        sorted: Vec<Sorted>,
        found: Vec<Found>,
    }

    #[derive(serde::Deserialize)]
    struct Sorted {
        sort: String,
        rows: Vec<Cells>,
        names: Vec<String>,
    }

    #[derive(serde::Deserialize)]
    struct Found {
        word: String,
        row: Cells,
        is: bool,
    }

    #[derive(Default, serde::Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Cells {
        name: String,
        kind: String,
        address: String,
        port: String,
        cookie: String,
        role: String,
        sessions: String,
        st: String,
        word: String,
        reason: String,
    }

    impl Cells {
        fn row(self) -> ServerRow {
            let Self { name, kind, address, port, cookie, role, sessions, st, word, reason } = self;
            let st = ["crit", "unknown", "warn", "busy", "maint", "good"].into_iter().find(|s| *s == st);
            let status = StatusRow { st: st.unwrap_or_default(), word, reason };
            ServerRow { name, kind, address, port, cookie, status, sessions, role, ..ServerRow::default() }
        }
    }

    fn cases() -> Cases {
        serde_json::from_str(include_str!("order.json")).expect("cases")
    }

    #[test]
    fn texts_are_ordered_as_people_count_and_spell() {
        for list in cases().increasing {
            for (i, one) in list.iter().enumerate() {
                for (j, other) in list.iter().enumerate() {
                    assert_eq!(natural(one, other), i.cmp(&j), "{one:?} {other:?}");
                }
            }
        }
    }

    #[test]
    fn rows_are_ordered_and_found_by_the_rule_of_the_script() {
        for Sorted { sort, rows, names } in cases().sorted {
            let all: Vec<ServerRow> = rows.into_iter().map(Cells::row).collect();
            assert_eq!(shown(&all, "", &sort, "").0, names, "{sort}");
        }
        for Found { word, row, is } in cases().found {
            let all = [row.row()];
            assert_eq!(!shown(&all, &word, "", "").0.is_empty(), is, "{word:?} {:?}", all[0]);
        }
    }

    #[test]
    fn every_row_is_on_exactly_one_page() {
        let names: Vec<String> = (0..30).map(|n| format!("web{n}")).collect();
        let all = rows(&names.iter().map(String::as_str).collect::<Vec<_>>());
        let pages: Vec<Vec<String>> = ["1", "2", "3"].map(|page| shown(&all, "", "", page).0).into();
        assert_eq!(pages.concat(), names);
        assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [12, 12, 6]);
        for odd in ["0", "-1", "x", ""] {
            assert_eq!(shown(&all, "", "", odd).0, pages[0], "{odd}");
        }
        assert_eq!(shown(&all, "", "", "18446744073709551615").0, pages[2], "beyond the end is the end");
    }

    #[test]
    fn a_word_is_looked_for_in_what_the_row_shows() {
        let mut all = rows(&["web1", "web2", "web3"]);
        all[1].address = "10.0.0.15".to_owned();
        all[1].port = "80".to_owned();
        all[2].status.reason = "connection refused".to_owned();
        for (word, found) in [("10.0.0.15:80", "web2"), ("REFUSED", "web3"), (" web1 ", "web1")] {
            assert_eq!(shown(&all, word, "", "").0, [found], "{word}");
        }
        assert_eq!(shown(&all, "nothing", "", "9"), (Vec::new(), 0, 1));
    }

    #[test]
    fn what_needs_attention_comes_first() {
        let mut all = rows(&["a", "b", "c", "d"]);
        for (row, st) in all.iter_mut().zip(["good", "warn", "crit", "maint"]) {
            row.status.st = st;
        }
        assert_eq!(shown(&all, "", "status", "").0, ["c", "b", "d", "a"]);
        assert_eq!(Window::parse("", "-nothing", "").sort(), "", "an unknown order is none");
        assert_eq!(Window::parse("", "-port", "").sort(), "-port");
    }
}
