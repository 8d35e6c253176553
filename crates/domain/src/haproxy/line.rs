//! A line of a configuration file, with what it does and what would break without it.
//!
//! A line cannot be made without these two sentences, and the build refuses a sentence that a language lacks. The
//! file, the page and the documentation therefore cannot disagree.

use crate::ids::Millis;
use crate::text::Text;

/// Why a line is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Why {
    /// What the line does.
    pub does: Text,
    /// What would break without it.
    pub without: Text,
}

impl Why {
    /// Makes the reason from a sentence and the key of the other sentence, which has the same arguments. Use `why!`
    /// instead, which the build checks.
    pub fn of(does: Text, without: &'static str) -> Self {
        let without = Text { args: does.args.clone(), ..Text::of(without) };
        Self { does, without }
    }
}

/// `why!("line-x", name = value)` makes the sentences `line-x` and `line-x-without`, both with these arguments. The
/// build looks for both keys in every language.
#[macro_export]
macro_rules! why {
    ($key:literal $(, $name:ident = $value:expr)* $(,)?) => {
        $crate::haproxy::line::Why::of(
            $crate::text::Text::of($key)$(.with(stringify!($name), $value))*,
            concat!($key, "-without"),
        )
    };
}

/// Some words of a long line, with what they do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The words, as they stand in the line.
    pub words: String,
    /// What they do.
    pub does: Text,
}

/// Makes a part from words of a line and their sentence.
pub fn part(words: impl Into<String>, does: Text) -> Part {
    Part { words: words.into(), does }
}

/// The mask that is shown instead of a secret.
pub const MASK: &str = "••••••••";

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    text: String,
    secret: Option<String>,
    /// The reason for the line; `None` for an empty line only.
    pub why: Option<Why>,
    /// The parts of a line for which one sentence is not enough (`server`).
    pub parts: Vec<Part>,
}

impl Line {
    /// Makes a comment or the first line of a section, which begin at the margin.
    pub fn head(text: impl Into<String>, why: Why) -> Self {
        Self { text: text.into(), secret: None, why: Some(why), parts: Vec::new() }
    }

    /// Makes a directive within a section.
    pub fn set(words: impl AsRef<str>, why: Why) -> Self {
        Self::head(format!("    {}", words.as_ref()), why)
    }

    /// Makes a directive whose last word is a secret.
    pub fn secret(words: &str, secret: &str, why: Why) -> Self {
        Self::holding(format!("{words} {secret}"), secret, why)
    }

    /// Makes a directive that contains a secret.
    pub fn holding(words: impl AsRef<str>, secret: &str, why: Why) -> Self {
        Self { secret: Some(secret.to_owned()), ..Self::set(words, why) }
    }

    /// Makes a directive that is explained part by part.
    pub fn of_parts(parts: Vec<Part>, why: Why) -> Self {
        let words: Vec<&str> = parts.iter().map(|p| p.words.as_str()).collect();
        let line = Self::set(words.join(" "), why);
        Self { parts, ..line }
    }

    /// Makes an empty line between sections.
    pub const fn empty() -> Self {
        Self { text: String::new(), secret: None, why: None, parts: Vec::new() }
    }

    /// Returns the line as HAProxy reads it, without the newline and with the secret, if there is one.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the line for display, with the secret masked.
    pub fn shown(&self) -> String {
        match &self.secret {
            Some(secret) if !secret.is_empty() => self.text.replace(secret, MASK),
            _ => self.text.clone(),
        }
    }
}

/// Words that are followed by a secret in HAProxy 2.6, also in lines that somebody wrote by hand.
const BEFORE_SECRETS: [&str; 6] =
    ["dynamic-cookie-key", "password", "insecure-password", "auth", "passphrase", "set-dynamic-cookie-key"];

/// Returns any line for display: Cordée's `secrets`, and the word after each word that is followed by a secret, are
/// masked.
pub fn masked(line: &str, secrets: &[&str]) -> String {
    let ours = secrets.iter().filter(|s| !s.is_empty());
    let line = ours.fold(line.to_owned(), |line, secret| line.replace(secret, MASK));
    let mut hide = false;
    line.split(' ')
        .map(|word| {
            // Several blanks may stand between the two words.
            let secret = hide && !word.is_empty();
            hide = BEFORE_SECRETS.contains(&word) || (hide && word.is_empty());
            if secret { MASK } else { word }
        })
        .collect::<Vec<_>>()
        .join(" ")
}

/// Returns a time of a HAProxy file in readable form: `500ms` becomes `500 ms`.
pub fn spoken(time: &str) -> String {
    let unit = time.find(|c: char| !c.is_ascii_digit()).unwrap_or(time.len());
    let (number, unit) = time.split_at(unit);
    format!("{number}\u{a0}{unit}")
}

/// Returns a time in HAProxy's form, in the largest unit that leaves no remainder.
pub(super) fn clock(time: Millis) -> String {
    match time {
        t if t.is_multiple_of(3_600_000) => format!("{}h", t / 3_600_000),
        t if t.is_multiple_of(1_000) => format!("{}s", t / 1_000),
        t => format!("{t}ms"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_never_shown() {
        let line = Line::secret("dynamic-cookie-key", "deadbeef", crate::why!("line-cookie-key"));
        assert_eq!(line.text(), "    dynamic-cookie-key deadbeef");
        assert_eq!(line.shown(), format!("    dynamic-cookie-key {MASK}"));
        let line =
            Line::holding("log-format \"a deadbeef %pid\"", "deadbeef", crate::why!("line-log-format"));
        assert_eq!(line.shown(), format!("    log-format \"a {MASK} %pid\""));
    }

    #[test]
    fn what_somebody_wrote_by_hand_is_masked_too() {
        for (line, shown) in [
            ("    dynamic-cookie-key  abc", "    dynamic-cookie-key  ••••••••"),
            ("    stats auth root:pass", "    stats auth ••••••••"),
            (
                "    user me insecure-password x groups all",
                "    user me insecure-password •••••••• groups all",
            ),
            ("    # deadbeef was the key", "    # •••••••• was the key"),
            ("    timeout client 30s", "    timeout client 30s"),
        ] {
            assert_eq!(masked(line, &["deadbeef"]), shown);
        }
        assert_eq!(masked("bind :80", &["", "x"]), "bind :80");
    }

    #[test]
    fn times_are_spoken() {
        assert_eq!(spoken("500ms"), "500\u{a0}ms");
    }
}
