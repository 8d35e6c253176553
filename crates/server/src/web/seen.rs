//! How values are written into pages.

use std::fmt::{Result, Write};

use askama::filters::Escaper;
use cordee_domain::text;

/// Escapes characters with a meaning in HTML, and makes characters visible that cannot be seen or that change the
/// direction of a line. Configured in `askama.toml`, so that it holds for every value of every template.
#[derive(Clone, Copy, Debug, Default)]
pub struct Html;

impl Escaper for Html {
    fn write_escaped_str<W: Write>(&self, dest: W, string: &str) -> Result {
        askama::filters::Html.write_escaped_str(dest, &text::seen(string))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_would_see_is_seen() {
        let mut page = String::new();
        Html.write_escaped_str(&mut page, "\u{1b}]0;x\u{7}<b>\r\u{202e}a\tb\nc\u{a0}\u{202f}d").unwrap();
        assert_eq!(page, "\\x1B]0;x\\x07&#60;b&#62;\\x0D\\u{202E}a\tb\nc\u{a0}\u{202f}d");
    }
}
