//! Steps that failed, and rest for a while before they are tried again.

use std::collections::BTreeMap;

use super::Observed;
use crate::fault::Fault;
use crate::ids::Millis;
use crate::plan::Plan;
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
    fn setback_mut(&mut self, step: &Step, why: &Fault) -> &mut Setback {
        let none = || Setback { count: 0, at: 0, why: why.clone() };
        match step.mends() {
            Some(mend) => self.vain.entry((step.target(), mend)).or_insert_with(none),
            None => self.setbacks.entry(step.target()).or_insert_with(none),
        }
    }

    /// A step failed. Whether that is news: the first time, or for another reason than before.
    pub fn failed(&mut self, step: &Step, why: &Fault, now: Millis) -> bool {
        let setback = self.setback_mut(step, why);
        setback.count += 1;
        setback.at = now;
        let news = setback.count == 1 || setback.why != *why;
        setback.why.clone_from(why);
        news
    }

    /// A step was done: nothing of its kind rests any more. But one that was done before, and that every plan since
    /// has asked for all the same, was done in vain; the reason comes back, and it is to be noted as failed.
    pub fn succeeded(&mut self, step: &Step) -> Option<Fault> {
        let target = step.target();
        let before = self.done.insert(target.clone(), step.clone());
        if before.as_ref() == Some(step) && !step.insists() && !self.unsettled(step) {
            return Some(Fault::InVain(step.name()));
        }
        match step.mends() {
            Some(mend) => self.vain.remove(&(target, mend)),
            None => self.setbacks.remove(&target),
        };
        None
    }

    /// Whether it was a comparison that rows were written under: it begins anew for that.
    fn unsettled(&self, step: &Step) -> bool {
        let Step::Rows(step) = step else { return false };
        self.comparisons.get(step.name()).is_some_and(|c| c.unsettled > 0)
    }

    /// Takes down what a plan asks for: a step that it goes on without had its effect. A plan is made from a sight
    /// that is newer than the last step on its target.
    pub fn planned(&mut self, plan: &Plan) {
        let asked = |step: &Step| plan.steps.contains(step) || plan.resting.contains(step);
        let (kept, over) = std::mem::take(&mut self.done).into_iter().partition(|(_, step)| asked(step));
        self.done = kept;
        let over: BTreeMap<Target, Step> = over;
        for (target, step) in over {
            let vain = |setback: &Setback| setback.why == Fault::InVain(step.name());
            if let Some(mend) = step.mends() {
                let key = (target, mend);
                if self.vain.get(&key).is_some_and(vain) {
                    self.vain.remove(&key);
                }
            } else if self.setbacks.get(&target).is_some_and(vain) {
                self.setbacks.remove(&target);
            }
        }
    }

    /// Whether something there is put right in vain.
    pub fn in_vain(&self, target: &Target, now: Millis) -> bool {
        self.vain.iter().any(|((of, _), setback)| of == target && now.saturating_sub(setback.at) < TRIED)
    }
}
