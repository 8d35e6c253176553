//! Observed values, with the time of the observation.

use crate::fault::Fault;
use crate::ids::Millis;

/// A value that is observed from time to time. "Unknown" is a state of its own and never counts as fine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Seen<T> {
    /// Never observed yet.
    #[default]
    Never,
    /// Observed with that value at that time.
    At(Millis, T),
    /// The last observation failed.
    Failed {
        /// When it was last observed successfully.
        last: Option<Millis>,
        /// Why it failed.
        why: Fault,
    },
}

impl<T> Seen<T> {
    /// Returns the observed value, unless it is older than `limit` milliseconds.
    pub fn fresh(&self, now: Millis, limit: u64) -> Option<&T> {
        match self {
            Self::At(at, value) if now.saturating_sub(*at) <= limit => Some(value),
            _ => None,
        }
    }

    /// Returns the last observed value, however old, unless the last observation failed.
    pub fn value(&self) -> Option<&T> {
        match self {
            Self::At(_, value) => Some(value),
            _ => None,
        }
    }

    /// Returns when the value was last observed successfully.
    pub fn last(&self) -> Option<Millis> {
        match self {
            Self::At(at, _) => Some(*at),
            Self::Failed { last, .. } => *last,
            Self::Never => None,
        }
    }
}
