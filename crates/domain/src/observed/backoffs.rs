//! Steps that failed, and the pause before they are tried again.

use super::Observed;
use crate::fault::Fault;
use crate::ids::Millis;
use crate::plan::{Plan, backoff_ms};
use crate::step::{Step, Subject};

/// The backoff of a target whose last step failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// Consecutive failures.
    pub count: u32,
    /// Time of the last failure.
    pub at: Millis,
    /// The reason of the last failure.
    pub why: Fault,
}

/// A step that was done, kept until a plan no longer contains it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    step: Step,
    /// How often it was done.
    times: u32,
    /// How many of these a plan has judged; the first needs no judgement.
    judged: u32,
    /// How often it was done in vain, and when that was last found.
    vain: Option<(u32, Millis)>,
}

/// Milliseconds after which a failed step no longer counts as being tried: somebody else has fixed the cause.
const TRIED: Millis = 60_000;

impl Observed {
    /// Returns the backoff that applies to a step.
    pub fn backoff(&self, step: &Step) -> Option<&Backoff> {
        match step.mends() {
            Some(mend) => self.vain.get(&(step.subject(), mend)),
            None => self.backoffs.get(&step.subject()),
        }
    }

    /// Returns the same for update; a backoff without a failure if there was none.
    fn backoff_mut(&mut self, step: &Step, why: &Fault) -> &mut Backoff {
        let none = || Backoff { count: 0, at: 0, why: why.clone() };
        match step.mends() {
            Some(mend) => self.vain.entry((step.subject(), mend)).or_insert_with(none),
            None => self.backoffs.entry(step.subject()).or_insert_with(none),
        }
    }

    /// Records that a step failed. Returns whether that is news: the first failure, or another reason than before.
    pub fn failed(&mut self, step: &Step, why: &Fault, now: Millis) -> bool {
        if let Some(done) = self.done.get_mut(&step.subject()) {
            done.retain(|done| done.step != *step);
        }
        let backoff = self.backoff_mut(step, why);
        backoff.count += 1;
        backoff.at = now;
        let news = backoff.count == 1 || backoff.why != *why;
        backoff.why.clone_from(why);
        news
    }

    /// Records that a step was done: its backoff ends. Returns whether the step is new, that is, was not done before
    /// or had its effect since.
    pub fn succeeded(&mut self, step: &Step) -> bool {
        let target = step.subject();
        match step.mends() {
            Some(mend) => self.vain.remove(&(target, mend)),
            None => self.backoffs.remove(&target),
        };
        self.count(step)
    }

    /// Records that a step was refused because the situation had changed since it was planned. That is no failure
    /// and starts no backoff: the next plan looks again. Only if every later plan contains the same step in vain
    /// does it rest.
    pub fn overtaken(&mut self, step: &Step) {
        self.count(step);
    }

    /// Counts a step that was carried out or refused. Returns whether it is new.
    fn count(&mut self, step: &Step) -> bool {
        let done = self.done.entry(step.subject()).or_default();
        if let Some(known) = done.iter_mut().find(|known| known.step == *step) {
            known.times += 1;
            return false;
        }
        done.push(Done { step: step.clone(), times: 1, judged: 1, vain: None });
        true
    }

    /// Reports whether the step was a comparison during which rows were written: such a comparison is repeated.
    fn unsettled(&self, step: &Step) -> bool {
        let Step::Rows(step) = step else { return false };
        self.comparisons.get(step.name()).is_some_and(|c| c.id == step.id() && c.unsettled > 0)
    }

    /// Compares the done steps with a new plan, for targets that the plan knows (`known`): nothing is under way
    /// there, and the plan's view is newer than the step. A step that the plan no longer contains had its effect. A
    /// step that it contains although the step was done twice was done in vain, and rests from now on. Returns the
    /// steps that were not known to be in vain before.
    pub fn planned(&mut self, plan: &mut Plan, now: Millis, known: impl Fn(&Subject) -> bool) -> Vec<Step> {
        let mut all = std::mem::take(&mut self.done);
        let mut news = Vec::new();
        for (target, done) in all.iter_mut().filter(|(target, _)| known(target)) {
            done.retain(|done| plan.steps.contains(&done.step) || plan.resting.contains(&done.step));
            for done in done.iter_mut().filter(|done| done.judged < done.times) {
                done.judged = done.times;
                if done.step.insists() || self.unsettled(&done.step) {
                    continue;
                }
                let count = done.vain.map_or(0, |(count, _)| count) + 1;
                done.vain = Some((count, now));
                if count == 1 {
                    news.push(done.step.clone());
                }
                plan.rest(&done.step, target, count);
            }
        }
        all.retain(|_, done| !done.is_empty());
        self.done = all;
        news
    }

    /// Returns how often a step was done in vain, if it rests for that now.
    pub fn rests_in_vain(&self, step: &Step, now: Millis) -> Option<u32> {
        let done = self.done.get(&step.subject())?.iter().find(|done| done.step == *step)?;
        done.vain.filter(|(count, at)| now < at + backoff_ms(count + 1)).map(|(count, _)| count)
    }

    /// Reports whether Cordée is restoring something on that target in vain.
    pub fn in_vain(&self, target: &Subject, now: Millis) -> bool {
        self.vain.iter().any(|((of, _), backoff)| of == target && now.saturating_sub(backoff.at) < TRIED)
    }
}
