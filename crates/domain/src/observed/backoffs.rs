//! Steps that failed, and rest for a while before they are tried again.

use super::Observed;
use crate::fault::Fault;
use crate::ids::Millis;
use crate::plan::{Plan, backoff_ms};
use crate::step::{Step, Subject};

/// The last step on a target failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// How many times in a row.
    pub count: u32,
    /// When it failed last.
    pub at: Millis,
    /// Why.
    pub why: Fault,
}

/// A step that was done, until a plan goes on without it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    step: Step,
    /// How many times.
    times: u32,
    /// So many of these have been judged by a plan; the first one needs no judgement.
    judged: u32,
    /// How many times that was in vain, and when that was found last.
    vain: Option<(u32, Millis)>,
}

/// Milliseconds after which what failed is not being tried any more: somebody else put it right.
const TRIED: Millis = 60_000;

impl Observed {
    /// The backoff for which a step rests.
    pub fn backoff(&self, step: &Step) -> Option<&Backoff> {
        match step.mends() {
            Some(mend) => self.vain.get(&(step.subject(), mend)),
            None => self.backoffs.get(&step.subject()),
        }
    }

    /// The same, to be noted; without a failure yet if there was none.
    fn backoff_mut(&mut self, step: &Step, why: &Fault) -> &mut Backoff {
        let none = || Backoff { count: 0, at: 0, why: why.clone() };
        match step.mends() {
            Some(mend) => self.vain.entry((step.subject(), mend)).or_insert_with(none),
            None => self.backoffs.entry(step.subject()).or_insert_with(none),
        }
    }

    /// A step failed. Whether that is news: the first time, or for another reason than before.
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

    /// A step was done: nothing of its kind rests any more. Whether it was not done before, or had its effect since.
    pub fn succeeded(&mut self, step: &Step) -> bool {
        let target = step.subject();
        match step.mends() {
            Some(mend) => self.vain.remove(&(target, mend)),
            None => self.backoffs.remove(&target),
        };
        self.count(step)
    }

    /// A step was refused, because what it was decided on is so no more. Nothing failed and nothing rests: whoever
    /// decides looks again. Only where every plan since decides the very same in vain, that rests.
    pub fn overtaken(&mut self, step: &Step) {
        self.count(step);
    }

    /// Counts what has had its turn. Whether that is new.
    fn count(&mut self, step: &Step) -> bool {
        let done = self.done.entry(step.subject()).or_default();
        if let Some(known) = done.iter_mut().find(|known| known.step == *step) {
            known.times += 1;
            return false;
        }
        done.push(Done { step: step.clone(), times: 1, judged: 1, vain: None });
        true
    }

    /// Whether it was a comparison that rows were written under: it begins anew for that.
    fn unsettled(&self, step: &Step) -> bool {
        let Step::Rows(step) = step else { return false };
        self.comparisons.get(step.name()).is_some_and(|c| c.id == step.id() && c.unsettled > 0)
    }

    /// Takes down what a plan asks for, where it knows (`known`): nothing is under way there, and what is seen is newer
    /// than what was done. A step that it goes on without had its effect. One that it asks for although it was done
    /// twice was done in vain: it rests from now on. Returns those that were not known to be in vain before.
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

    /// For how many times a step that has been done in vain rests now.
    pub fn rests_in_vain(&self, step: &Step, now: Millis) -> Option<u32> {
        let done = self.done.get(&step.subject())?.iter().find(|done| done.step == *step)?;
        done.vain.filter(|(count, at)| now < at + backoff_ms(count + 1)).map(|(count, _)| count)
    }

    /// Whether something there is put right in vain.
    pub fn in_vain(&self, target: &Subject, now: Millis) -> bool {
        self.vain.iter().any(|((of, _), backoff)| of == target && now.saturating_sub(backoff.at) < TRIED)
    }
}
