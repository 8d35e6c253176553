//! What everything is decided on: all wishes, all that was seen, and the time.

use crate::desired::Desired;
use crate::ids::Millis;
use crate::observed::Observed;

/// One moment: what is wished, what is known of the world, and when that is.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    /// What is wished.
    pub desired: &'a Desired,
    /// What was seen, each part with its time.
    pub observed: &'a Observed,
    /// Now: everything seen has its age by it.
    pub now: Millis,
}

impl<'a> Scene<'a> {
    /// These wishes and what was seen, at that time.
    pub const fn new(desired: &'a Desired, observed: &'a Observed, now: Millis) -> Self {
        Self { desired, observed, now }
    }
}
