//! What was looked at, with when.

use crate::fault::Fault;
use crate::ids::Millis;

/// A thing looked at from time to time. Not knowing is a value of its own, never "fine".
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Seen<T> {
    /// Not looked at yet.
    #[default]
    Never,
    /// Seen so at that time.
    At(Millis, T),
    /// The look failed.
    Failed {
        /// When it was last seen well.
        last: Option<Millis>,
        /// Why.
        why: Fault,
    },
}

impl<T> Seen<T> {
    /// What was seen, when not older than `limit` milliseconds.
    pub fn fresh(&self, now: Millis, limit: u64) -> Option<&T> {
        match self {
            Self::At(at, value) if now.saturating_sub(*at) <= limit => Some(value),
            _ => None,
        }
    }

    /// What was seen last, however old, unless the last look failed.
    pub fn value(&self) -> Option<&T> {
        match self {
            Self::At(_, value) => Some(value),
            _ => None,
        }
    }

    /// When it was last seen well.
    pub fn last(&self) -> Option<Millis> {
        match self {
            Self::At(at, _) => Some(*at),
            Self::Failed { last, .. } => *last,
            Self::Never => None,
        }
    }
}
