//! Derives the next steps from the desired state and what was observed.
//!
//! The plan makes every choice; carrying out a step makes none. Only the first step of each target is carried out,
//! then Cordée looks again, so a crash between two steps needs no special treatment.

mod databases;
mod donor;
pub(crate) mod draining;
mod hosts;
pub mod leaving;
mod proxy;
#[cfg(test)]
pub(crate) mod tests;

use crate::haproxy::setting::Setting;
use crate::ids::Millis;
use crate::observed::Observed;
use crate::scene::Scene;
use crate::step::{Step, Subject};
use crate::text;
use crate::text::Text;

pub(crate) use databases::watched::ACCOUNTS_STALE;
pub use databases::{Opening, opening};
pub use donor::donor;
pub use leaving::Peers;
pub(crate) use proxy::places_among;
pub(crate) use proxy::{bounded, unproven};
pub use proxy::{cut_off, places};

/// The next steps, and what is being waited for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// The revision that the plan was made for.
    pub revision: u64,
    /// The steps, in an order in which it is safe to stop after any of them.
    pub steps: Vec<Step>,
    /// Steps that would be next, but rest because they failed or were done in vain.
    pub resting: Vec<Step>,
    /// What cannot be done yet, with the reason.
    pub waiting: Vec<(Subject, Text)>,
}

impl Plan {
    /// Makes a step rest that failed, or was done in vain, `count` times.
    pub(crate) fn rest(&mut self, step: &Step, target: &Subject, count: u32) {
        let (rest, steps): (Vec<Step>, Vec<Step>) =
            std::mem::take(&mut self.steps).into_iter().partition(|planned| planned == step);
        self.steps = steps;
        if !rest.is_empty() {
            self.resting.extend(rest);
            self.waiting.push((target.clone(), text!("wait-setback", count = count)));
        }
    }
}

/// Returns the milliseconds before a process is started again, or a refused step is tried again: none after the
/// first failure, then increasing up to 10 s.
pub const fn backoff_ms(failures: u32) -> u64 {
    match failures {
        0 | 1 => 0,
        2 => crate::figures::FIRST_REST,
        3 => 500,
        4 => 1_000,
        5 => 2_000,
        6 => 5_000,
        _ => crate::figures::LONGEST_REST,
    }
}

/// Plans the next steps.
pub fn plan(scene: Scene<'_>, setting: &Setting) -> Plan {
    let Scene { desired, observed, now } = scene;
    let mut plan = Plan { revision: desired.revision, ..Plan::default() };
    let peers = Peers::of(desired, observed);
    proxy::plan(&mut plan, scene, &peers, setting);
    hosts::plan(&mut plan, scene, setting);
    databases::plan(&mut plan, scene);
    hold_back(&mut plan, observed, now);
    plan
}

/// Makes steps rest on targets whose last step failed. Taking a server out of HAProxy rests least: meanwhile
/// visitors are sent to a server that must not get them, and usually another step was the one that failed.
fn hold_back(plan: &mut Plan, observed: &Observed, now: Millis) {
    let resting = |step: &Step| {
        let most = if step.takes_out() { backoff_ms(2) } else { u64::MAX };
        let backoff = observed.backoff(step);
        backoff.filter(|s| now < s.at + backoff_ms(s.count + 1).min(most))
    };
    let mut waiting: Vec<(Subject, Text)> = Vec::new();
    let rests = |step: &Step| resting(step).map(|s| s.count).or_else(|| observed.rests_in_vain(step, now));
    let (rest, steps) = std::mem::take(&mut plan.steps).into_iter().partition(|step| match rests(step) {
        None => false,
        Some(count) => {
            let target = step.subject();
            if !waiting.iter().any(|(t, _)| *t == target) {
                waiting.push((target, text!("wait-setback", count = count)));
            }
            true
        }
    });
    (plan.resting, plan.steps) = (rest, steps);
    plan.waiting.extend(waiting);
}
