//! Steps that failed, and rest for a while before they are tried again.

use super::Observed;
use crate::fault::Fault;
use crate::ids::Millis;
use crate::step::{Step, Target};

/// The last step on a target failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setback {
    /// How many times in a row.
    pub count: u32,
    /// When it failed last.
    pub at: Millis,
    /// Why.
    pub why: Fault,
}

/// Milliseconds after which what failed is not being tried any more: somebody else put it right.
const TRIED: Millis = 60_000;

impl Observed {
    /// The setback for which a step rests.
    pub fn setback(&self, step: &Step) -> Option<&Setback> {
        match step.mends() {
            Some(mend) => self.vain.get(&(step.target(), mend)),
            None => self.setbacks.get(&step.target()),
        }
    }

    /// The same, to be noted; without a failure yet if there was none.
    pub fn setback_mut(&mut self, step: &Step, why: &Fault) -> &mut Setback {
        let none = || Setback { count: 0, at: 0, why: why.clone() };
        match step.mends() {
            Some(mend) => self.vain.entry((step.target(), mend)).or_insert_with(none),
            None => self.setbacks.entry(step.target()).or_insert_with(none),
        }
    }

    /// A step came to its end: nothing of its kind rests.
    pub fn succeeded(&mut self, step: &Step) {
        match step.mends() {
            Some(mend) => self.vain.remove(&(step.target(), mend)),
            None => self.setbacks.remove(&step.target()),
        };
    }

    /// Whether something there is put right in vain.
    pub fn in_vain(&self, target: &Target, now: Millis) -> bool {
        self.vain.iter().any(|((of, _), setback)| of == target && now.saturating_sub(setback.at) < TRIED)
    }
}
