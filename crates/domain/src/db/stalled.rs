//! Channels that wait for one that is gone.
//!
//! A database that copies several others applies each transaction once: with `gtid_ignore_duplicates` the channel that
//! comes first takes the transaction's domain for itself, and the others wait until it has applied it. MariaDB
//! (10.11.19) does not give the domain back when the channel is stopped while transactions stand in the queues of its
//! workers behind one that may not run beside the one before it, a statement that changes a table for instance:
//! they are left out, but have taken the domain. Once such a channel is gone, the others wait for it until the server
//! ends; they cannot be stopped either. Seen at a removal under load, and by construction
//! (`join::links_that_wait_for_one_that_is_gone_go_on`).

/// What a worker that applies shows while it waits for another channel's.
const FOR_ANOTHER: &str = "Waiting for other master connection";
/// What it shows while it waits for its own channel's other workers, or has nothing to do.
const IDLE: [&str; 3] = [
    "Waiting for prior transaction",
    "Waiting for work from SQL thread",
    "Waiting for work from main SQL threads",
];

/// Milliseconds without a transaction after which they are taken to wait for one that is gone.
pub const STALLED: u64 = 3_000;

/// Whether some wait for another channel while none works. One that works for minutes, at an `ALTER TABLE`, is waited
/// for.
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
