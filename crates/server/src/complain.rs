//! What a command writes to standard error when something fails.

use std::io::{self, Write as _};

/// Writes one sentence per line to stderr.
pub fn complain(sentences: &[String]) {
    let mut err = io::stderr().lock();
    for sentence in sentences {
        let _ = writeln!(err, "cordee: {}", plain(sentence));
    }
}

/// Returns an error's sentence followed by its causes.
pub fn with_causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut all = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        all = format!("{all}: {cause}");
        source = cause.source();
    }
    all
}

/// Returns text from outside without control characters: an escape sequence in a log line must not control the
/// terminal. Marks that change the direction of writing are removed too, for they can make one word look like
/// another.
pub fn plain(text: &str) -> String {
    let turns =
        |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars()
        .filter(|c| !turns(*c))
        .map(|c| match c {
            '\t' => ' ',
            c if c.is_control() => '\u{fffd}',
            c => c,
        })
        .collect()
}
