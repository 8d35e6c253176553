//! The position at which a copy of a database's files ends.
//!
//! The copying program writes down the donor's position while no transaction can be committed. For what the donor
//! applied from others, that position is the donor's in-memory state, which MariaDB (10.11.19) updates only after
//! the commit: a transaction that has just been committed is in the copy but not in the written position. A channel
//! that starts from that position receives the transaction again and stops (error 1062; seen in
//! `join::a_fourth_joins_three_that_all_write` with `1-1-212` written down, and `1-1-213` before the place in the
//! donor's log that was written beside it). In a table without a key the row would occur twice. The donor's table of
//! positions is committed together with the rows, and is in the copy.

use super::Gtids;

/// The end of a copy, as it is stored until its database has been given the position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copied {
    /// The position that was written down while the copy was made.
    pub told: Gtids,
    /// The donor's id, which is also its domain, if this is a copy of the donor's files. `None`: the copy contains
    /// nothing of the donor's tables of positions, or they were already taken into account.
    pub donor: Option<u32>,
}

impl Copied {
    /// Parses what [`Display`](std::fmt::Display) writes: the position, and on a second line the donor, if there is
    /// one.
    pub fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let told = Gtids::parse(lines.next()?)?;
        let donor = lines.next().map(|line| line.trim().parse()).transpose().ok()?;
        Some(Self { told, donor })
    }

    /// Returns the position at which the copy ends; `tables` is what the new database's tables of positions say.
    ///
    /// A domain that was not written down is known to the tables only: a log that began after an earlier copy does
    /// not mention what that copy held. For the donor's own domain its log is right, and the tables may have less or
    /// more: what the donor wrote comes back to it over the channels, and a crash may have removed it from the log
    /// afterwards.
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
        // The donor's own transactions that came back, and were removed from its log.
        assert_eq!(end(told, Some(2), "1-1-212,2-2-240,5-5-222"), told);
        // The domain of a database that was removed before the donor's log began, and the donor's own domain if
        // nothing was written down for it.
        assert_eq!(end(told, Some(2), "1-1-212,3-3-9"), "1-1-212,2-2-234,3-3-9,5-5-222");
        assert_eq!(end("1-1-5", Some(2), "2-2-3"), "1-1-5,2-2-3");
        // Statements were copied: the tables are the new database's own.
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
        /// A donor that commits in order, and whose memory of what it applied lags behind: the end of the copy is
        /// what was committed, in every domain.
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
