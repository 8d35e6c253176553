//! The input of all decisions: the desired state, everything observed, and the time.

use crate::desired::Desired;
use crate::ids::Millis;
use crate::observed::Observed;

/// The desired state, everything observed, and the time, at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    /// The desired state.
    pub desired: &'a Desired,
    /// Everything observed, each part with its time.
    pub observed: &'a Observed,
    /// The present time, from which the age of every observation is measured.
    pub now: Millis,
}

impl<'a> Scene<'a> {
    /// Combines the desired state, the observations and the time.
    pub const fn new(desired: &'a Desired, observed: &'a Observed, now: Millis) -> Self {
        Self { desired, observed, now }
    }
}
