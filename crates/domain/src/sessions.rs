//! Where the sessions of the site's visitors are kept: one switch for the whole web pool.
//!
//! HAProxy `web` reads the mode from a map file, tells it to the web servers in a request header, and keeps visitors
//! on their server only where that is needed. A map can be changed at run time, so the switch takes no reload.

use serde::{Deserialize, Serialize};

use crate::ids::Millis;
use crate::problem::Problem;
use crate::text;
use crate::text::Text;

/// The request header in which HAProxy states the mode, and the response header in which a web server states the mode
/// that it used.
pub const HEADER: &str = "X-Cordee-Session";

/// The maximum number of web servers that are asked for their session mode at once. In a large pool each server is
/// therefore asked less often.
pub const ASKED_AT_ONCE: usize = 60;
/// Milliseconds between two rounds of asking.
pub const ASKED_EVERY: Millis = crate::figures::MODES_LOOK;

/// Milliseconds for which an answer counts in a pool of that many web servers: the time in which a server is asked
/// three times, and a second more.
pub fn stale_after(servers: usize) -> Millis {
    let turns = u64::try_from(servers.div_ceil(ASKED_AT_ONCE)).unwrap_or(u64::MAX).max(1);
    turns.saturating_mul(3 * ASKED_EVERY).saturating_add(1_000)
}

/// Where sessions are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// In files on each web server; HAProxy's cookie leads each visitor back to the same server.
    #[default]
    Proxy,
    /// In the database; any web server can answer.
    Database,
}

impl Mode {
    /// Returns the word used in the map, in headers, addresses and commands.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Proxy => "proxy",
            Self::Database => "database",
        }
    }

    /// Returns the other mode.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Proxy => Self::Database,
            Self::Database => Self::Proxy,
        }
    }

    /// Parses the word used in the map, in headers, addresses and commands.
    pub fn parse(input: &str) -> Result<Self, Problem> {
        match input {
            "proxy" => Ok(Self::Proxy),
            "database" => Ok(Self::Database),
            _ => Err(Problem::invalid("mode", text!("problem-session-unknown"))),
        }
    }

    /// Returns the text of the map file.
    pub fn map(self) -> String {
        format!("# Written by Cordée.\n{KEY} {}\n", self.as_str())
    }

    /// Parses the answer to `show map`: a line `ADDRESS mode WORD` (management guide 2.6, section 9.3). `None` means
    /// that there is no such map, or that it holds no known mode.
    pub fn shown(answer: &str) -> Option<Self> {
        answer.lines().find_map(|line| {
            let mut words = line.split_whitespace();
            let (_, key, word) = (words.next()?, words.next()?, words.next()?);
            if key == KEY { Self::parse(word).ok() } else { None }
        })
    }
}

/// What a web server answered when it was asked to use a mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The mode that it was asked for.
    pub asked: Mode,
    /// The mode that it says it used; `None` if it does not say.
    pub used: Option<Mode>,
}

impl Answer {
    /// Returns why the answer does not follow the wish. An answer to an older wish proves nothing. A server that does
    /// not say a mode is assumed to use PHP's own files, which is right as long as HAProxy keeps visitors on their
    /// server.
    pub fn disobeys(self, wish: Mode) -> Option<Text> {
        match (wish, self.used) {
            _ if self.asked != wish => None,
            (Mode::Database, None) => Some(text!("reason-session-silent")),
            (Mode::Database, Some(Mode::Proxy)) => Some(text!("reason-session-files")),
            (Mode::Proxy, Some(Mode::Database)) => Some(text!("reason-session-database")),
            _ => None,
        }
    }
}

/// The only key in the map.
pub const KEY: &str = "mode";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_disobeys_only_the_wish_that_it_was_asked_for() {
        use Mode::{Database, Proxy};
        let key = |asked, used, wish| Answer { asked, used }.disobeys(wish).map(|t| t.key.into_owned());
        for mode in [Proxy, Database] {
            assert_eq!(key(mode, Some(mode), mode), None);
            for used in [None, Some(Proxy), Some(Database)] {
                assert_eq!(key(mode.other(), used, mode), None, "asked for another mode");
            }
        }
        assert_eq!(key(Proxy, None, Proxy), None);
        assert_eq!(key(Database, None, Database).as_deref(), Some("reason-session-silent"));
        assert_eq!(key(Database, Some(Proxy), Database).as_deref(), Some("reason-session-files"));
        assert_eq!(key(Proxy, Some(Database), Proxy).as_deref(), Some("reason-session-database"));
    }

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
