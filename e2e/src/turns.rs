//! Whose turn it was: what the clocks of clients prove about which database took writes when.

use std::fmt;
use std::time::{Duration, Instant};

use crate::writers::Write;

/// The times at which writes changed from one database to the other, as far as they are proven: one acknowledged
/// write per turn, each sent after the one before it was acknowledged, each by another server than the one before;
/// no longer such row exists.
///
/// This cannot give a false alarm. A write was committed between the instants taken around it, whatever a busy
/// machine did to the client's thread in between; of two writes whose times overlap nothing is said. But a database
/// that takes a write after another one has taken over, or before its turn, adds a turn as soon as any client was
/// answered in between.
pub fn turns<'a>(writes: impl IntoIterator<Item = &'a Write>) -> Vec<&'a Write> {
    let mut kept: Vec<&Write> = writes.into_iter().filter(|w| w.acknowledged()).collect();
    kept.sort_by_key(|w| w.ended);
    let mut starts: Vec<&Write> = Vec::new();
    for write in &kept {
        if starts.iter().all(|s| s.outcome != write.outcome) {
            starts.push(write);
        }
    }
    // With the first turn given, taking what is acknowledged earliest leaves most room for what follows.
    let rows = starts.into_iter().map(|first| {
        let mut row = vec![first];
        let mut last = first;
        for write in &kept {
            if write.outcome != last.outcome && write.sent > last.ended {
                row.push(write);
                last = write;
            }
        }
        row
    });
    rows.max_by_key(Vec::len).unwrap_or_default()
}

/// The `server_id` of each turn.
pub fn servers(turns: &[&Write]) -> Vec<u32> {
    turns.iter().filter_map(|w| w.outcome.as_ref().ok().copied()).collect()
}

/// Durations, shown from the shortest to the longest.
#[derive(Clone, Debug, Default)]
pub struct Spread(Vec<Duration>);

impl Spread {
    /// Sorts them.
    pub fn new(mut all: Vec<Duration>) -> Self {
        all.sort();
        Self(all)
    }

    /// The middle one; of an even number the longer of the two, so that a bound is never met by rounding.
    pub fn median(&self) -> Duration {
        self.0.get(self.0.len() / 2).copied().unwrap_or_default()
    }

    /// The longest.
    pub fn longest(&self) -> Duration {
        self.0.last().copied().unwrap_or_default()
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: Vec<String> = self.0.iter().map(|d| d.as_millis().to_string()).collect();
        let (median, longest) = (self.median().as_millis(), self.longest().as_millis());
        write!(f, "{} ms; median {median} ms, longest {longest} ms", all.join(" "))
    }
}

/// Milliseconds from `start` to `at`, for a message.
pub fn since(start: Instant, at: Instant) -> u128 {
    at.saturating_duration_since(start).as_millis()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::writers::What;

    fn write(start: Instant, sent: u64, ended: u64, server: u32) -> Write {
        let at = |ms| start + Duration::from_millis(ms);
        Write { client: 0, what: What::Row(0), sent: at(sent), ended: at(ended), outcome: Ok(server) }
    }

    fn changes(all: &[(u64, u64, u32)]) -> Vec<u32> {
        let start = Instant::now();
        let writes: Vec<Write> = all.iter().map(|(s, e, n)| write(start, *s, *e, *n)).collect();
        servers(&turns(&writes))
    }

    #[test]
    fn one_change_of_writer_is_two_turns() {
        assert_eq!(changes(&[(0, 1, 1), (2, 3, 1), (50, 60, 2), (61, 62, 2)]), [1, 2]);
    }

    #[test]
    fn writes_whose_times_overlap_prove_nothing() {
        assert_eq!(changes(&[(0, 10, 1), (5, 12, 2), (11, 20, 2)]), [1, 2]);
        assert_eq!(changes(&[(0, 100, 1), (5, 12, 2), (20, 30, 2)]).len(), 1);
    }

    #[test]
    fn a_database_that_writes_after_its_turn_is_found() {
        assert_eq!(changes(&[(0, 1, 1), (10, 11, 2), (12, 13, 1), (14, 15, 2)]), [1, 2, 1, 2]);
    }

    #[test]
    fn a_database_that_writes_before_its_turn_is_found() {
        assert_eq!(changes(&[(0, 1, 2), (2, 3, 1), (4, 5, 1), (50, 60, 2)]), [2, 1, 2]);
    }

    #[test]
    fn the_longest_row_may_begin_with_the_later_server() {
        assert_eq!(changes(&[(0, 5, 1), (1, 6, 2), (7, 8, 1), (9, 10, 2)]), [2, 1, 2]);
    }

    #[test]
    fn an_error_is_no_turn() {
        let start = Instant::now();
        let mut refused = write(start, 2, 3, 2);
        refused.outcome = Err("1290".to_owned());
        let writes = [write(start, 0, 1, 1), refused, write(start, 4, 5, 1)];
        assert_eq!(servers(&turns(&writes)), [1]);
    }

    #[test]
    fn the_median_of_an_even_number_is_the_longer_one() {
        let ms = Duration::from_millis;
        let spread = Spread::new(vec![ms(40), ms(10), ms(30), ms(20)]);
        assert_eq!((spread.median(), spread.longest()), (ms(30), ms(40)));
        assert_eq!(spread.to_string(), "10 20 30 40 ms; median 30 ms, longest 40 ms");
    }
}
