//! HAProxy's file for a reader: each line with its two explanations, and what differs.

use cordee_domain::haproxy::drift::{Disk, FileView, Odd, Process};
use cordee_domain::haproxy::line::Line;
use cordee_domain::state::State;
use cordee_domain::text;

use super::StatusRow;
use crate::words::Lang;

/// One line.
#[derive(Clone, Debug)]
pub struct LineRow {
    /// Its indentation.
    pub indent: &'static str,
    /// The directive's name.
    pub keyword: String,
    /// The rest of the line.
    pub rest: String,
    /// It begins a section.
    pub section: bool,
    /// It is empty, between two sections.
    pub empty: bool,
    /// What it does.
    pub does: String,
    /// What would break without it.
    pub without: String,
    /// Its words, each with its effect.
    pub parts: Vec<(String, String)>,
}

/// Returns the lines of a file.
pub fn lines(view: &FileView, lang: Lang) -> Vec<LineRow> {
    view.lines.iter().map(|line| row(line, lang)).collect()
}

fn row(line: &Line, lang: Lang) -> LineRow {
    let shown = line.shown();
    let words = shown.trim_start();
    let inside = words.len() < shown.len();
    let (keyword, rest) = keyword(words);
    LineRow {
        indent: if inside { "    " } else { "" },
        keyword: keyword.to_owned(),
        rest: rest.to_owned(),
        section: !inside && !words.starts_with('#'),
        empty: words.is_empty(),
        does: line.why.as_ref().map_or_else(String::new, |w| lang.say(&w.does)),
        without: line.why.as_ref().map_or_else(String::new, |w| lang.say(&w.without)),
        parts: line.parts.iter().map(|p| (p.words.clone(), lang.say(&p.does))).collect(),
    }
}

/// Directives whose name has two words.
const DOUBLE: [&str; 7] =
    ["option", "timeout", "stats", "http-request", "http-response", "http-check", "default-server"];

/// Splits a line into the directive's name and the rest.
fn keyword(words: &str) -> (&str, &str) {
    if words.starts_with('#') {
        return ("", words);
    }
    let first = words.find(' ').unwrap_or(words.len());
    let end = match words.get(first + 1..) {
        Some(rest) if DOUBLE.contains(&&words[..first]) => {
            rest.find(' ').map_or(words.len(), |second| first + 1 + second)
        }
        _ => first,
    };
    words.split_at(end)
}

/// How the wish compares with the file on disk, or with the process.
#[derive(Clone, Debug)]
pub struct Truth {
    /// "On disk", "In the process".
    pub name: String,
    /// How it compares.
    pub status: StatusRow,
    /// Further sentences.
    pub more: Vec<String>,
}

/// Returns how the wish compares with the file on disk, and with the process.
pub fn truths(view: &FileView, lang: Lang) -> [Truth; 2] {
    [
        Truth { name: lang.say(&text!("config-disk")), status: disk(view, lang), more: Vec::new() },
        process(view, lang),
    ]
}

fn status(st: &'static str, word: String, reason: String) -> StatusRow {
    StatusRow { st, word, reason }
}

fn disk(view: &FileView, lang: Lang) -> StatusRow {
    let (st, word, reason) = match &view.disk {
        Disk::Same => ("good", text!("config-same"), text!("config-disk-same")),
        Disk::Missing => ("crit", text!("config-missing"), text!("config-disk-missing")),
        Disk::Older(_) => ("busy", text!("config-older"), text!("config-disk-older")),
        Disk::ByHand(_) => ("warn", text!("config-by-hand"), text!("config-disk-by-hand")),
    };
    status(st, lang.say(&word), lang.say(&reason))
}

fn process(view: &FileView, lang: Lang) -> Truth {
    let say = |text: &_| lang.say(text);
    let (status, more) = match &view.process {
        Process::Unseen(why) => (status("unknown", say(&State::Unknown.sentence()), say(why)), Vec::new()),
        Process::Seen(none) if none.is_empty() => {
            (status("good", say(&text!("config-same")), say(&text!("config-process-same"))), Vec::new())
        }
        Process::Seen(some) => {
            let reason = say(&text!("config-process-differs"));
            (status("busy", say(&text!("config-older")), reason), some.iter().map(say).collect())
        }
    };
    Truth { name: say(&text!("config-process")), status, more }
}

/// Returns what differs on disk, and what the difference means.
pub fn difference(view: &FileView, lang: Lang) -> Option<(String, &[Odd])> {
    match &view.disk {
        Disk::Older(odd) => Some((lang.say(&text!("config-difference-older")), odd)),
        Disk::ByHand(odd) => Some((lang.say(&text!("config-difference-by-hand")), odd)),
        Disk::Same | Disk::Missing => None,
    }
}

#[cfg(test)]
mod tests;
