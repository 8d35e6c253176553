//! The documents quote intervals and limits as they are. Each quoted one has its name from `cordee_domain::figures`
//! right behind its number, where no reader sees it: `300 ms<!--figure:pulse-->`.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use cordee_domain::figures::{COUNTS, TIMES};

/// Where a number of seconds has a name, or says that it is none of ours.
const DOCUMENTS: [&str; 6] =
    ["ARCHITECTURE.md", "README.md", "README.fr.md", "SECURITY.md", "docs/guide.en.md", "docs/guide.fr.md"];

const MARK: &str = "<!--figure:";
/// A number that was measured or stands for any: nothing in the code says it.
const FREE: [&str; 2] = ["measured", "example"];

const ENGLISH: [&str; 13] =
    ["no", "a", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"];
const FRENCH: [&str; 13] = [
    "aucun", "une", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf", "dix", "onze", "douze",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// One language's words: its numbers, its decimal point, its units with one and with more of them, by their lengths.
struct Tongue {
    numbers: [&'static str; 13],
    point: char,
    units: [(u64, &'static str, &'static str); 4],
}

fn tongue(document: &str) -> Tongue {
    const MINUTE: u64 = 60_000;
    if document.contains(".fr.") {
        let units = [
            (1_000, "seconde", "secondes"),
            (MINUTE, "minute", "minutes"),
            (60 * MINUTE, "heure", "heures"),
            (24 * 60 * MINUTE, "jour", "jours"),
        ];
        Tongue { numbers: FRENCH, point: ',', units }
    } else {
        let units = [
            (1_000, "second", "seconds"),
            (MINUTE, "minute", "minutes"),
            (60 * MINUTE, "hour", "hours"),
            (24 * 60 * MINUTE, "day", "days"),
        ];
        Tongue { numbers: ENGLISH, point: '.', units }
    }
}

/// Every way in which a document may say a time.
fn said_time(ms: u64, tongue: &Tongue) -> Vec<String> {
    let (whole, part) = (ms / 1_000, ms % 1_000);
    let seconds = match part {
        0 => whole.to_string(),
        part => format!("{whole}{}{}", tongue.point, format!("{part:03}").trim_end_matches('0')),
    };
    let mut all = vec![format!("{ms} ms"), format!("{seconds} s"), seconds];
    for (length, one, more) in tongue.units {
        if ms.is_multiple_of(length) {
            let count = ms / length;
            let unit = if count == 1 { one } else { more };
            all.push(format!("{count} {unit}"));
            let word = usize::try_from(count).ok().and_then(|count| tongue.numbers.get(count));
            all.extend(word.map(|word| format!("{word} {unit}")));
            // "every second", "toutes les secondes".
            if count == 1 {
                all.extend([format!("an {one}"), format!("every {one}"), format!("toutes les {more}")]);
            }
        }
    }
    all
}

/// Every way in which a document may say a count.
fn said_count(count: u64, tongue: &Tongue) -> Vec<String> {
    let digits = count.to_string();
    let mut all = vec![digits.clone()];
    if digits.len() > 3 {
        let (head, tail) = digits.split_at(digits.len() - 3);
        all.extend([format!("{head},{tail}"), format!("{head} {tail}")]);
    }
    all.extend(usize::try_from(count).ok().and_then(|n| tongue.numbers.get(n)).map(|&word| word.to_owned()));
    all
}

/// How a document may say the figure of that name.
fn said(name: &str, tongue: &Tongue) -> Option<Vec<String>> {
    let constant = name.replace('-', "_").to_uppercase();
    let time = TIMES.iter().find(|(known, _)| *known == constant);
    let count = COUNTS.iter().find(|(known, _)| *known == constant);
    time.map(|(_, ms)| said_time(*ms, tongue)).or_else(|| count.map(|(_, count)| said_count(*count, tongue)))
}

/// On one line and with plain spaces: what stands before a mark may have been broken.
fn plain(text: &str) -> String {
    text.replace(['\u{a0}', '\u{202f}', '\n'], " ")
        .split(' ')
        .filter(|w| !w.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// What is wrong with the marks of a text, and the names in it.
fn wrong(document: &str, text: &str) -> (Vec<String>, BTreeSet<String>) {
    let tongue = tongue(document);
    let (mut wrong, mut names) = (Vec::new(), BTreeSet::new());
    let text = plain(text);
    for (at, _) in text.match_indices(MARK) {
        let name = text[at + MARK.len()..].split("-->").next().unwrap_or_default();
        names.insert(name.to_owned());
        if FREE.contains(&name) {
            continue;
        }
        let before = text[..at].to_lowercase();
        let shown: String = {
            let mut last: Vec<char> = text[..at].chars().rev().take(30).collect();
            last.reverse();
            last.into_iter().collect()
        };
        let Some(ways) = said(name, &tongue) else {
            wrong.push(format!("{document}: no figure is called {name}: …{shown}"));
            continue;
        };
        // Not the end of a longer number.
        let fits = |way: &String| {
            before
                .strip_suffix(way.as_str())
                .is_some_and(|rest| !rest.ends_with(|c: char| c.is_alphanumeric() || c == '.' || c == ','))
        };
        if !ways.iter().any(fits) {
            wrong.push(format!("{document}: {name} is {}: …{shown}", ways[..ways.len().min(2)].join(" or ")));
        }
    }
    (wrong, names)
}

/// Numbers of seconds without a name.
fn nameless(document: &str, text: &str) -> Vec<String> {
    // What is quoted as it is typed or printed can hold no name.
    let text = plain(&text.split('`').step_by(2).collect::<Vec<_>>().join("`"));
    let mut all = Vec::new();
    for unit in [" ms", " s"] {
        for (at, _) in text.match_indices(unit) {
            let number = text[..at].ends_with(|c: char| c.is_ascii_digit());
            let rest = &text[at + unit.len()..];
            if number && !rest.starts_with(|c: char| c.is_alphanumeric()) && !rest.starts_with(MARK) {
                let mut last: Vec<char> = text[..at].chars().rev().take(40).collect();
                last.reverse();
                let last: String = last.into_iter().collect();
                all.push(format!("{document}: …{last}{unit} has no name behind it: {MARK}…-->"));
            }
        }
    }
    all
}

#[test]
fn documents_quote_the_figures_of_the_code() {
    let (mut all, mut quoted) = (Vec::new(), BTreeSet::new());
    for document in DOCUMENTS {
        let text = fs::read_to_string(root().join(document)).unwrap();
        let (wrong, names) = wrong(document, &text);
        all.extend(wrong);
        all.extend(nameless(document, &text));
        quoted.extend(names);
    }
    assert!(all.is_empty(), "{}", all.join("\n"));
    let known = TIMES.iter().chain(COUNTS).map(|(name, _)| name.replace('_', "-").to_lowercase());
    let idle: Vec<String> = known.filter(|name| !quoted.contains(name)).collect();
    assert!(idle.is_empty(), "quoted nowhere, so its place is where it is used: {idle:?}");
}

#[test]
fn a_wrong_figure_is_found() {
    let right = "at most 10 s<!--figure:longest-rest-->, for two\nseconds<!--figure:stale-->, \
                 nine<!--figure:databases-->";
    assert_eq!(wrong("README.md", right).0, Vec::<String>::new());
    assert_eq!(wrong("README.fr.md", "0,25\u{a0}s<!--figure:first-rest-->").0, Vec::<String>::new());
    for (false_one, says) in [
        ("110 s<!--figure:longest-rest-->", "longest-rest is 10000 ms or 10 s"),
        ("1 s<!--figure:longest-rest-->", "longest-rest is 10000 ms or 10 s"),
        ("10 s<!--figure:rest-->", "no figure is called rest"),
        ("eight<!--figure:databases-->", "databases is 9 or nine"),
    ] {
        let found = wrong("README.md", false_one).0;
        assert!(found.len() == 1 && found[0].contains(says), "{false_one}: {found:?}");
    }
    assert_eq!(nameless("README.md", "after 10 s it is so").len(), 1);
    assert_eq!(nameless("README.md", "after 10 s<!--figure:longest-rest--> it is 3 some").len(), 0);
}

/// The page's script is no Rust: what it has of these figures is written in it once more.
#[test]
fn the_script_has_the_same_figures() {
    let (_, undo) = TIMES.iter().find(|(name, _)| *name == "UNDO").unwrap();
    let script = fs::read_to_string(root().join("web/forms.js")).unwrap().replace('_', "");
    assert!(script.contains(&format!("const UNDOMS = {undo};")), "web/forms.js: UNDO_MS is not {undo}");
}

#[test]
fn the_site_has_the_same_figures() {
    let site = fs::read_to_string(root().join("site/src/Session.php")).unwrap();
    let wait: u64 =
        site.split_once("const LOCK_WAIT = ").unwrap().1.split(';').next().unwrap().parse().unwrap();
    // Of the library: what `lock_wait` says, and 4 s.
    assert_eq!(TIMES.iter().find(|(name, _)| *name == "SITE_SESSION").unwrap().1, (wait + 4) * 1_000);
}
