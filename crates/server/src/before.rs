//! How the previous `serve` process ended: what the keeper passes on to the next one.

use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;

use cordee_domain::text;
use cordee_domain::text::Text;

/// How the previous `serve` process ended. Its keeper tells the next one, which tells the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Before {
    /// It hung without a sign of life, and was killed.
    Silent,
    /// It ended by itself, with this exit code.
    Code(i32),
    /// It was ended by this signal, which somebody sent.
    Signal(i32),
}

impl Before {
    /// The environment variable that carries it to the next process.
    pub const VARIABLE: &str = "CORDEE_BEFORE";

    /// Derives it from the exit status.
    pub fn of(status: ExitStatus) -> Self {
        match (status.code(), status.signal()) {
            (Some(code), _) => Self::Code(code),
            (None, signal) => Self::Signal(signal.unwrap_or(0)),
        }
    }

    /// Returns it as the environment carries it.
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

    /// Returns what this process's keeper says; `None`: there was no process before.
    pub fn said() -> Option<Self> {
        Self::parse(&std::env::var(Self::VARIABLE).ok()?)
    }

    /// Returns the line for the journal.
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
