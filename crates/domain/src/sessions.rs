//! Where the sessions of the site's visitors are kept: one switch for the whole web pool.
//!
//! HAProxy `web` reads the mode from a map file, tells it to the web servers in a request header, and keeps visitors
//! on their server only where that is needed. A map can be changed at run time, so the switch takes no reload.

use serde::{Deserialize, Serialize};

use crate::problem::Problem;
use crate::text;

/// The request header in which HAProxy says the mode, and the answer header in which a web server says the mode that
/// it used.
pub const HEADER: &str = "X-Cordee-Session";

/// Where sessions are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// In files of each web server; HAProxy's cookie leads each visitor back to theirs.
    #[default]
    Proxy,
    /// In the database; any web server answers.
    Database,
}

impl Mode {
    /// The word used in the map, in headers, addresses and commands.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Proxy => "proxy",
            Self::Database => "database",
        }
    }

    /// The other one.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Proxy => Self::Database,
            Self::Database => Self::Proxy,
        }
    }

    /// Reads the word.
    pub fn parse(input: &str) -> Result<Self, Problem> {
        match input {
            "proxy" => Ok(Self::Proxy),
            "database" => Ok(Self::Database),
            _ => Err(Problem::invalid("mode", text!("problem-session-unknown"))),
        }
    }

    /// The text of the map file.
    pub fn map(self) -> String {
        format!("# Written by Cordée.\n{KEY} {}\n", self.as_str())
    }

    /// Reads what `show map` answers: a line `ADDRESS mode WORD` (management guide 2.6, section 9.3). `None`: there is no
    /// such map, or nothing in it that we know.
    pub fn shown(answer: &str) -> Option<Self> {
        answer.lines().find_map(|line| {
            let mut words = line.split_whitespace();
            let (_, key, word) = (words.next()?, words.next()?, words.next()?);
            if key == KEY { Self::parse(word).ok() } else { None }
        })
    }
}

/// The map's only key.
pub const KEY: &str = "mode";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_back_and_others_refused() {
        for mode in [Mode::Proxy, Mode::Database] {
            assert_eq!(Mode::parse(mode.as_str()).unwrap(), mode);
            assert_eq!(mode.other().other(), mode);
            assert!(mode.map().ends_with(&format!("\nmode {}\n", mode.as_str())));
            assert_eq!(Mode::shown(&format!("0x55d0c8b0e3f0 mode {}\n\n", mode.as_str())), Some(mode));
        }
        assert_eq!(Mode::parse("Proxy").unwrap_err().field, "mode");
        for answer in
            ["", "Unknown map identifier. Please use #<id> or <file>.\n", "0x1 mode else\n", "0x1 mode\n"]
        {
            assert_eq!(Mode::shown(answer), None, "{answer}");
        }
    }
}
