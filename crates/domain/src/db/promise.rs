//! What the writer of a semi-synchronous pair guarantees.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::ids::{Millis, ServerName};

/// What the writer promised: each commit acknowledged since then had been received by one of these.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promise {
    /// In which epoch.
    pub epoch: u64,
    /// When it was last seen to hold.
    pub at: Millis,
    /// The last number of its domain that it had written then: what came before the promise may have been
    /// acknowledged without an ACK.
    #[serde(rename = "floor")]
    pub min_seqno: u64,
    /// The standbys that may have given an ACK since the look before.
    pub standbys: BTreeSet<ServerName>,
}

/// Milliseconds that a commit waits for an ACK, before MariaDB falls back to acknowledging without one.
///
/// It is also how long a promise counts after it was seen, and together with [`Promise::min_seqno`] that is a proof: a
/// commit that waited when the look was taken is below the `min_seqno`, and the candidate must have received it; one
/// that began to wait later cannot have been acknowledged without an ACK before this time is over.
pub const ACK_LIMIT: u64 = crate::figures::ACK_LIMIT;
