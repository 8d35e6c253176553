//! Channels that wait for a channel that no longer exists.
//!
//! A database that copies several others applies each transaction once: with `gtid_ignore_duplicates` the channel
//! that receives it first takes the transaction's domain, and the other channels wait until it has applied the
//! transaction. MariaDB (10.11.19) does not release the domain in one case: the channel is stopped while
//! transactions are queued for its workers behind a transaction that may not run in parallel with the one before it,
//! for instance a statement that alters a table. These transactions are dropped, but have taken the domain. Once
//! such a channel is gone, the other channels wait for it until the server ends; they cannot be stopped either. Seen
//! at a removal under load, and reproduced (`join::links_that_wait_for_one_that_is_gone_go_on`).

/// The state that an applying worker shows while it waits for another channel.
const FOR_ANOTHER: &str = "Waiting for other master connection";
/// The states that a worker shows while it waits for its own channel's other workers, or has nothing to do.
const IDLE: [&str; 3] = [
    "Waiting for prior transaction",
    "Waiting for work from SQL thread",
    "Waiting for work from main SQL threads",
];

/// Milliseconds without a transaction after which the workers count as waiting for a channel that is gone.
pub const STALLED: u64 = 3_000;

/// Reports whether some workers wait for another channel while none works. A worker that works for minutes, for
/// instance at an `ALTER TABLE`, is waited for.
pub fn waits(states: &[&str]) -> bool {
    let for_another = |state: &str| state.starts_with(FOR_ANOTHER);
    states.iter().any(|state| for_another(state))
        && states.iter().all(|state| for_another(state) || IDLE.iter().any(|idle| state.starts_with(idle)))
}

#[cfg(test)]
mod tests {
    use super::waits;

    const OTHER: &str = "Waiting for other master connection to process the same GTID";
    const PRIOR: &str = "Waiting for prior transaction to start commit";

    #[test]
    fn they_wait_for_one_that_is_gone_only_while_none_works() {
        assert!(waits(&[OTHER, OTHER, OTHER, OTHER]));
        assert!(waits(&[PRIOR, PRIOR, OTHER, "Waiting for work from SQL thread"]));
        for state in [
            "Update_rows_log_event::find_row()",
            "altering table",
            "Commit",
            "",
            "What comes with a later version",
        ] {
            assert!(!waits(&[OTHER, OTHER, state]), "{state:?}");
        }
        assert!(!waits(&["Waiting for work from SQL thread", PRIOR]));
        assert!(!waits(&[]));
    }
}
