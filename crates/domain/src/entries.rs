//! Orders the lines of a log for an operator: newest first, with an entry of several lines kept in one piece.

/// Reverses the lines of a log, which are given oldest first. Lines without a time that follow a line with a time (a
/// backtrace, the last words of a crashing program) stay below it. In a log without times each line stands for itself.
pub fn newest_first<T: AsRef<str>>(lines: Vec<T>) -> Vec<T> {
    let timed = lines.iter().any(|line| begins(line.as_ref()));
    let mut entries: Vec<Vec<T>> = Vec::new();
    for line in lines {
        match entries.last_mut().filter(|_| timed && !begins(line.as_ref())) {
            Some(entry) => entry.push(line),
            None => entries.push(vec![line]),
        }
    }
    entries.into_iter().rev().flatten().collect()
}

/// Whether a line begins with a time. MariaDB's lines and those of `access.log` begin with a digit, Apache's and PHP's
/// with a time in brackets.
fn begins(line: &str) -> bool {
    line.starts_with(|c: char| c.is_ascii_digit() || c == '[')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_belongs_together_stays_together() {
        let php = vec![
            "[29-Nov-2026 17:00:00 UTC] PHP Fatal error:  Uncaught Exception: no in /x.php:3",
            "Stack trace:",
            "#0 {main}",
            "  thrown in /x.php on line 3",
            "[29-Nov-2026 17:00:01 UTC] PHP Warning:  x",
        ];
        let turned = newest_first(php.clone());
        assert_eq!(turned, [php[4], php[0], php[1], php[2], php[3]]);
        let crash = vec![
            "2026-11-29 17:00:00 0 [Note] a",
            "261129 17:00:01 [ERROR] got signal 11 ;",
            "Sorry",
            "2026-11-29 b",
        ];
        assert_eq!(newest_first(crash.clone()), [crash[3], crash[1], crash[2], crash[0]]);
    }

    #[test]
    fn a_log_without_times_is_turned_line_by_line() {
        assert_eq!(newest_first(vec!["a", "b", "c"]), ["c", "b", "a"]);
        assert_eq!(
            newest_first(vec!["tail of one", "2026 x", "2026 y"]),
            ["2026 y", "2026 x", "tail of one"]
        );
        assert_eq!(newest_first(Vec::<&str>::new()), Vec::<&str>::new());
    }

    proptest! {
        #[test]
        fn no_line_is_lost(lines in proptest::collection::vec("[0\\[ a-z]{0,6}", 0..40)) {
            let mut turned = newest_first(lines.clone());
            turned.sort();
            let mut all = lines;
            all.sort();
            prop_assert_eq!(turned, all);
        }
    }
}
