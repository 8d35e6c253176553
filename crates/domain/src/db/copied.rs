//! Where a copy of a database's files ends.
//!
//! The program that copies writes down the donor's position while no transaction may be committed. Of what the donor
//! applied from others that is its memory, and MariaDB (10.11.19) moves it only after the commit: a transaction that
//! has just been committed is in the copy and not in what was written down. A channel that starts from there is sent it
//! again, and stops (error 1062; seen in `join::a_fourth_joins_three_that_all_write` with `1-1-212` written down, and
//! `1-1-213` before the place in the donor's log that was written beside it). In a table without a key the row would
//! stand twice. The donor's table of positions is committed together with the rows, and is in the copy.

use super::Gtids;

/// Where a copy ends, as it is kept until its database was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copied {
    /// What was written down while it was made.
    pub told: Gtids,
    /// The donor's id, which is its domain's too, if the copy is one of its files. `None`: nothing of the donor's
    /// tables of positions came with it, or they were taken into account already.
    pub donor: Option<u32>,
}

impl Copied {
    /// Reads what [`Display`](std::fmt::Display) writes: the position, and in a second line the donor, if there is one.
    pub fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let told = Gtids::parse(lines.next()?)?;
        let donor = lines.next().map(|line| line.trim().parse()).transpose().ok()?;
        Some(Self { told, donor })
    }

    /// Where it ends; `tables` is what the tables of the new database say.
    ///
    /// Of a domain that was not written down they alone know: a log that began after a copy has no word of what that
    /// copy held. Of the donor's own one they know less than its log, or more: what it wrote comes back over the
    /// channels, and a crash may have taken it from the log afterwards.
    #[must_use]
    pub fn end(self, tables: Gtids) -> Gtids {
        match self.donor {
            None => self.told.filled_from(tables),
            Some(own) => {
                let others = tables.clone().with_domain_of(own, &Gtids::default());
                self.told.with(others).filled_from(tables)
            }
        }
    }
}

impl std::fmt::Display for Copied {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}", self.told)?;
        match self.donor {
            Some(donor) => writeln!(f, "{donor}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn gtids(text: &str) -> Gtids {
        Gtids::parse(text).unwrap()
    }

    fn end(told: &str, donor: Option<u32>, tables: &str) -> String {
        Copied { told: gtids(told), donor }.end(gtids(tables)).to_string()
    }

    #[test]
    fn what_was_committed_before_it_was_told_counts() {
        // As it was seen: the donor is 2, and 1-1-213 lies before the place in its log.
        let told = "1-1-212,2-2-234,5-5-222";
        assert_eq!(end(told, Some(2), "1-1-213,2-2-230,5-5-222"), "1-1-213,2-2-234,5-5-222");
        // Its own transactions that came back, and were taken from its log.
        assert_eq!(end(told, Some(2), "1-1-212,2-2-240,5-5-222"), told);
        // A domain of one that was removed before its log began, and its own one if nothing was told of it.
        assert_eq!(end(told, Some(2), "1-1-212,3-3-9"), "1-1-212,2-2-234,3-3-9,5-5-222");
        assert_eq!(end("1-1-5", Some(2), "2-2-3"), "1-1-5,2-2-3");
        // Statements were copied: its tables are its own.
        assert_eq!(end("1-1-212", None, "1-1-999,7-7-3"), "1-1-212,7-7-3");
    }

    #[test]
    fn what_is_kept_is_read_again() {
        for (text, donor) in [("1-1-5,2-2-7\n", None), ("1-1-5,2-2-7\n2\n", Some(2)), ("\n2\n", Some(2))] {
            let copied = Copied::parse(text).unwrap();
            assert_eq!(copied.donor, donor, "{text:?}");
            assert_eq!(copied.to_string(), text);
        }
        for text in ["", "1-1\n", "1-1-5\nx\n", "1-1-5\n-2\n"] {
            assert_eq!(Copied::parse(text), None, "{text:?}");
        }
    }

    proptest! {
        /// A donor that commits in order, and whose memory of what it applied lags behind: the end of the copy is what
        /// was committed, in every domain.
        #[test]
        fn the_end_is_what_was_committed(
            committed in prop::collection::btree_map(1_u32..6, 1_u64..50, 1..6),
            lag in prop::collection::vec(0_u64..3, 6),
            own in 1_u32..6,
            back in 0_u64..50,
        ) {
            let text = |number: &dyn Fn(u32, u64) -> u64| {
                let each = committed.iter().map(|(d, n)| format!("{d}-{d}-{}", number(*d, *n)));
                each.collect::<Vec<_>>().join(",")
            };
            let lagging = |domain: u32, number: u64| {
                if domain == own { number } else { number.saturating_sub(lag[domain as usize]) }
            };
            let in_tables = |domain: u32, number: u64| if domain == own { back } else { number };
            let told = gtids(&text(&lagging));
            let end = Copied { told, donor: Some(own) }.end(gtids(&text(&in_tables)));
            prop_assert_eq!(end, gtids(&text(&|_, number| number)));
        }
    }
}
