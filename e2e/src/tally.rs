//! How many cases passed: the line that Rust's own test harness ends with, written and read.

use std::fmt;
use std::ops::AddAssign;

/// The outcome of one file, or of all.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tally {
    /// Cases that passed.
    pub passed: usize,
    /// Cases that failed.
    pub failed: usize,
    /// Cases that this machine or user cannot run.
    pub ignored: usize,
    /// Cases that nobody asked for.
    pub filtered: usize,
    /// How long it took.
    pub seconds: f64,
}

impl Tally {
    /// One case more.
    pub fn count(&mut self, passed: bool) {
        *(if passed { &mut self.passed } else { &mut self.failed }) += 1;
    }

    /// Reads what [`fmt::Display`] wrote; `None` is another line.
    pub fn read(line: &str) -> Option<Self> {
        let (_, said) = line.strip_prefix("test result: ")?.split_once(". ")?;
        let mut tally = Self::default();
        for part in said.split("; ") {
            let (number, what) = part.split_once(' ')?;
            match what {
                "passed" => tally.passed = number.parse().ok()?,
                "failed" => tally.failed = number.parse().ok()?,
                "ignored" => tally.ignored = number.parse().ok()?,
                "filtered out" => tally.filtered = number.parse().ok()?,
                _ => {
                    if let Some(seconds) = part.strip_prefix("finished in ") {
                        tally.seconds = seconds.strip_suffix('s')?.parse().ok()?;
                    }
                }
            }
        }
        Some(tally)
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { passed, failed, ignored, filtered, seconds } = self;
        let verdict = if *failed == 0 { "ok" } else { "FAILED" };
        write!(
            f,
            "test result: {verdict}. {passed} passed; {failed} failed; {ignored} ignored; 0 measured; \
             {filtered} filtered out; finished in {seconds:.2}s"
        )
    }
}

impl AddAssign for Tally {
    /// The cases of both; the time of the first.
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.ignored += other.ignored;
        self.filtered += other.filtered;
    }
}

#[cfg(test)]
mod tests {
    use super::Tally;

    #[test]
    fn what_is_written_is_read() {
        for (passed, failed, ignored) in [(3, 0, 0), (0, 2, 0), (0, 0, 5), (11, 1, 7)] {
            let tally = Tally { passed, failed, ignored, filtered: 4, seconds: 12.25 };
            assert_eq!(Tally::read(&tally.to_string()), Some(tally));
        }
    }

    #[test]
    fn other_lines_are_no_result() {
        for line in ["", "running 3 tests", "test result: ok", "test a::b ... ok (0.1 s)"] {
            assert_eq!(Tally::read(line), None, "{line}");
        }
    }
}
