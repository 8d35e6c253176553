//! How the `serve` before this one ended: what a keeper passes on to the next one.

use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;

use cordee_domain::text;
use cordee_domain::text::Text;

/// How the `serve` before this one ended. Its keeper says so to the next one, which tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Before {
    /// It lived without a sign of life, and was ended.
    Silent,
    /// By itself, with this exit code.
    Code(i32),
    /// By this signal of somebody's.
    Signal(i32),
}

impl Before {
    /// Where the next one finds it.
    pub const VARIABLE: &str = "CORDEE_BEFORE";

    /// Of how it ended.
    pub fn of(status: ExitStatus) -> Self {
        match (status.code(), status.signal()) {
            (Some(code), _) => Self::Code(code),
            (None, signal) => Self::Signal(signal.unwrap_or(0)),
        }
    }

    /// As the environment carries it.
    pub fn word(self) -> String {
        match self {
            Self::Silent => "silent".to_owned(),
            Self::Code(code) => format!("code {code}"),
            Self::Signal(signal) => format!("signal {signal}"),
        }
    }

    fn parse(word: &str) -> Option<Self> {
        match word.split_once(' ') {
            None => (word == "silent").then_some(Self::Silent),
            Some(("code", code)) => code.parse().ok().map(Self::Code),
            Some(("signal", signal)) => signal.parse().ok().map(Self::Signal),
            Some(_) => None,
        }
    }

    /// What this process's keeper says; `None`: there was none before.
    pub fn said() -> Option<Self> {
        Self::parse(&std::env::var(Self::VARIABLE).ok()?)
    }

    /// A line of the journal.
    pub fn told(self) -> Text {
        match self {
            Self::Silent => text!("event-wedged"),
            Self::Code(code) => text!("event-ended", how = text!("event-ended-code", code = code)),
            Self::Signal(signal) => text!("event-ended", how = text!("event-ended-signal", signal = signal)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Before;

    #[test]
    fn what_a_keeper_says_of_the_one_before_is_read_back_and_anything_else_is_nothing() {
        for before in [Before::Silent, Before::Code(1), Before::Signal(9)] {
            assert_eq!(Before::parse(&before.word()), Some(before));
        }
        for other in ["", "1", "code", "code x", "signal 9 9", "died 1"] {
            assert_eq!(Before::parse(other), None, "{other}");
        }
    }
}
