//! What the writer of a semi-synchronous group guarantees.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::ids::{Millis, ServerName};

/// What the writer promised: each commit acknowledged since then had been received by one of these standbys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promise {
    /// The epoch of the promise.
    pub epoch: u64,
    /// When Cordée last saw the promise hold.
    pub at: Millis,
    /// The last number of its domain that the writer had written at that time. Commits from before the promise may
    /// have been acknowledged without an ACK.
    #[serde(rename = "floor")]
    pub min_seqno: u64,
    /// The standbys that may have given an ACK since the previous look.
    pub standbys: BTreeSet<ServerName>,
}

/// Milliseconds that a commit waits for an ACK before MariaDB acknowledges it without one.
///
/// A promise also counts for this long after it was seen. Together with [`Promise::min_seqno`] that is a proof: a
/// commit that waited during the look has a number up to `min_seqno`, which the candidate must have received; a
/// commit that began to wait later cannot have been acknowledged without an ACK before this time is over.
pub const ACK_LIMIT: u64 = crate::figures::ACK_LIMIT;
