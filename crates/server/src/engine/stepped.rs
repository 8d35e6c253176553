//! What follows from how a step ended.

use cordee_domain::db::events::{State, Turn};
use cordee_domain::db::ids::DENSE;
use cordee_domain::fault::Fault;
use cordee_domain::haproxy::runtime;
use cordee_domain::ids::PoolId;
use cordee_domain::observed::Refusal;
use cordee_domain::state::Light;
use cordee_domain::step::{Outcome, Step};
use cordee_domain::text;
use cordee_domain::text::Thing;

use crate::clock::now;

use super::{Engine, named, rows, subject};

impl Engine {
    /// Notes how a step ended.
    pub(super) fn stepped(&mut self, step: &Step, outcome: Outcome) {
        self.observed.note_rest(step, now());
        match outcome {
            Outcome::Done => {
                self.observed.succeeded(step);
                self.done(step);
            }
            Outcome::Failed(why) => {
                self.failed(step, &why);
                let setback = self.observed.setback_mut(step, &why);
                setback.count += 1;
                setback.at = now();
                let told = setback.count == 1 || setback.why != why || matches!(step, Step::Repair { .. });
                setback.why.clone_from(&why);
                if told {
                    let target = step.target();
                    tracing::warn!(on = %subject(&target), error = &why as &dyn std::error::Error, "a step failed");
                    let text = rows::failure(step, named(&target), &why);
                    self.note(&subject(&target), Some(Light::Warning), &text);
                }
            }
        }
    }

    fn done(&mut self, step: &Step) {
        match step {
            Step::Reload { proxy, .. } => {
                if let Some(seen) = self.observed.proxies.get_mut(proxy) {
                    seen.refused = None;
                    seen.needs_reload.clear();
                }
                let text = text!("event-reloaded", proxy = Thing::Proxy(*proxy));
                self.note(&format!("haproxy-{proxy}"), Some(Light::Good), &text);
            }
            Step::OpenDatabase { name, epoch } => {
                let text = text!("event-opened", name = name, epoch = *epoch);
                self.note(name.as_str(), Some(Light::Good), &text);
            }
            Step::SeedPosition { name } => {
                self.observed.unseeded.remove(name);
            }
            Step::SetVariable { name, variable, value, was, .. } => {
                let (value, was) = (value.as_str(), was.as_str());
                let text = text!("event-setting", name = name, setting = *variable, was = was, value = value);
                self.note(name.as_str(), Some(Light::Warning), &text);
            }
            Step::NumberIds { name, to, was } => {
                // What the owner may do goes with it: asked again at the next look.
                self.observed.accounts.remove(name);
                let was = was.shown();
                let text = if *to == DENSE {
                    text!("event-numbers-dense", name = name, was = was)
                } else {
                    text!("event-numbers-apart", name = name, step = to.step, place = to.place, was = was)
                };
                self.note(name.as_str(), None, &text);
            }
            Step::FollowEvents { name, turns, .. } => {
                let state = |turn: &Turn, of| matches!(turn, Turn::Set(_, event) if event.state == of);
                let count = |of| turns.iter().filter(|turn| state(turn, of)).count();
                let (on, away) = (count(State::On), count(State::Elsewhere));
                if on > 0 {
                    self.note(name.as_str(), None, &text!("event-events-on", name = name, count = on));
                }
                if away > 0 {
                    self.note(name.as_str(), None, &text!("event-events-away", name = name, count = away));
                }
            }
            Step::LoadZones { name } => {
                self.note(name.as_str(), None, &text!("event-zones", name = name));
            }
            Step::ResetLink { on, from, was } => {
                let text = text!("event-link-reset", name = on, from = from, was = was.as_str());
                self.note(on.as_str(), Some(Light::Warning), &text);
            }
            Step::Renumber { name, after, .. } => {
                let text = text!("event-renumbered", name = name, after = *after);
                self.note(name.as_str(), Some(Light::Warning), &text);
            }
            Step::MakeAccounts { name, what } => {
                // Asked again at the next look; until then nothing is known.
                self.observed.accounts.remove(name);
                let text = text!("event-accounts", name = name, what = what.as_str());
                self.note(name.as_str(), Some(Light::Warning), &text);
            }
            Step::FreeLinks { on } => {
                self.note(on.as_str(), Some(Light::Warning), &text!("event-links-freed", name = on));
            }
            Step::SetBack { name, .. } => {
                self.note(name.as_str(), None, &text!("event-set-back", name = name));
            }
            Step::SetState { proxy: PoolId::Db, state: runtime::State::Maintenance, .. }
                if self.parts.board.desired().handover.is_some() =>
            {
                self.switch_begins(now());
            }
            Step::CloseDatabase { name } => {
                let desired = self.parts.board.desired();
                if desired.is_writer(name) {
                    self.switch_begins(now());
                    self.note(name.as_str(), None, &text!("event-closed-writer", name = name));
                } else {
                    self.note(name.as_str(), None, &text!("event-closed", name = name));
                }
            }
            _ => {}
        }
    }

    fn failed(&mut self, step: &Step, why: &Fault) {
        match (step, why) {
            // Only its own word is its refusal: a full disk says nothing about the file.
            (Step::WriteConfig { proxy, text, check: true }, Fault::RefusedFile(_)) => {
                let seen = self.observed.proxies.entry(*proxy).or_default();
                seen.refused = Some(Refusal { text: text.clone(), why: why.sentence(), at: now() });
            }
            (Step::AddServer { proxy, name, .. }, Fault::Refused(_)) => {
                let seen = self.observed.proxies.entry(*proxy).or_default();
                seen.needs_reload.insert(name.clone());
            }
            _ => {}
        }
    }
}
