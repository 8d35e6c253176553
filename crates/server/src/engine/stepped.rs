//! What follows from how a step ended.

// A new step is met wherever steps are told apart.
#![warn(clippy::wildcard_enum_match_arm)]

use cordee_domain::db::events::{State, Turn};
use cordee_domain::db::ids::DENSE;
use cordee_domain::db::switch::Stop;
use cordee_domain::fault::Fault;
use cordee_domain::observed::Refusal;
use cordee_domain::state::Light;
use cordee_domain::step::{Outcome, ProxyStep, RowsStep, SqlStep, Step};
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
                self.done(step);
                if let Some(why) = self.observed.succeeded(step) {
                    self.setback(step, &why);
                }
            }
            Outcome::Failed(why) => {
                self.failed(step, &why);
                self.setback(step, &why);
            }
        }
    }

    /// Has what failed rest for a while, and tells it once.
    fn setback(&mut self, step: &Step, why: &Fault) {
        if self.observed.failed(step, why, now()) || matches!(step, Step::Rows(RowsStep::Repair { .. })) {
            let target = step.target();
            let (on, error) = (subject(&target), why as &dyn std::error::Error);
            tracing::warn!(%on, step = step.name(), error, "a step failed");
            let text = rows::failure(step, named(&target), why);
            self.note(&on, Some(Light::Warning), &text);
        }
    }

    fn done(&mut self, step: &Step) {
        match step {
            Step::Proxy(step) => self.proxy_done(step),
            Step::Sql(step) => self.sql_done(step),
            // What these did is told where it comes in: a process, a report, a wish.
            Step::Host(_) | Step::Rows(_) | Step::Wish(_) => {}
        }
    }

    fn proxy_done(&mut self, step: &ProxyStep) {
        match step {
            ProxyStep::Reload { proxy, .. } => {
                if let Some(seen) = self.observed.proxies.get_mut(proxy) {
                    seen.refused = None;
                    seen.needs_reload.clear();
                }
                let text = text!("event-reloaded", proxy = Thing::Proxy(*proxy));
                self.note(&format!("haproxy-{proxy}"), Some(Light::Good), &text);
            }
            ProxyStep::WriteConfig { .. }
            | ProxyStep::WriteSession { .. }
            | ProxyStep::SetSession { .. }
            | ProxyStep::AddServer { .. }
            | ProxyStep::SetAddress { .. }
            | ProxyStep::SetState { .. }
            | ProxyStep::SetWeight { .. }
            | ProxyStep::SetMost { .. }
            | ProxyStep::OpenFrontend { .. }
            | ProxyStep::LiftLimits { .. }
            | ProxyStep::DeleteServer { .. } => {}
        }
    }

    fn sql_done(&mut self, step: &SqlStep) {
        match step {
            SqlStep::OpenDatabase { name, epoch } => {
                let text = text!("event-opened", name = name, epoch = *epoch);
                self.note(name.as_str(), Some(Light::Good), &text);
            }
            SqlStep::SeedPosition { name } => {
                self.observed.unseeded.remove(name);
            }
            SqlStep::SetVariable { name, variable, value, was, .. } => {
                let (value, was) = (value.as_str(), was.as_str());
                let text = text!("event-setting", name = name, setting = *variable, was = was, value = value);
                self.note(name.as_str(), Some(Light::Warning), &text);
            }
            SqlStep::NumberIds { name, to, was } => {
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
            SqlStep::FollowEvents { name, turns, .. } => {
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
            SqlStep::LoadZones { name } => {
                self.note(name.as_str(), None, &text!("event-zones", name = name));
            }
            SqlStep::ResetLink { on, from, was } => {
                let text = text!("event-link-reset", name = on, from = from, was = was.as_str());
                self.note(on.as_str(), Some(Light::Warning), &text);
            }
            SqlStep::Renumber { name, after, .. } => {
                let text = text!("event-renumbered", name = name, after = *after);
                self.note(name.as_str(), Some(Light::Warning), &text);
            }
            SqlStep::MakeAccounts { name, what } => {
                // Asked again at the next look; until then nothing is known.
                self.observed.accounts.remove(name);
                let text = text!("event-accounts", name = name, what = what.as_str());
                self.note(name.as_str(), Some(Light::Warning), &text);
            }
            SqlStep::FreeLinks { on } => {
                self.note(on.as_str(), Some(Light::Warning), &text!("event-links-freed", name = on));
            }
            SqlStep::SetBack { name, .. } => {
                self.note(name.as_str(), None, &text!("event-set-back", name = name));
            }
            SqlStep::CloseDatabase { name } => {
                let desired = self.parts.board.desired();
                if desired.is_writer(name) {
                    self.switch_begins(now(), Stop::Closed);
                    self.note(name.as_str(), None, &text!("event-closed-writer", name = name));
                } else {
                    self.note(name.as_str(), None, &text!("event-closed", name = name));
                }
            }
            SqlStep::SetLink { .. }
            | SqlStep::StartLink { .. }
            | SqlStep::StopLink { .. }
            | SqlStep::DropLink { .. }
            | SqlStep::ReleaseDatabase { .. }
            | SqlStep::SetReceipts { .. }
            | SqlStep::SetStrict { .. }
            | SqlStep::CreateSchema { .. }
            | SqlStep::EndSenders { .. }
            | SqlStep::SetSemiSync { .. } => {}
        }
    }

    fn failed(&mut self, step: &Step, why: &Fault) {
        let Step::Proxy(step) = step else { return };
        let seen = self.observed.proxies.entry(step.proxy()).or_default();
        if let (ProxyStep::WriteConfig { text, check: true, .. }, Fault::RefusedFile(_)) = (step, why) {
            // Only its own word is its refusal: a full disk says nothing about the file.
            seen.refused = Some(Refusal { text: text.clone(), why: why.sentence(), at: now() });
        }
        if let (ProxyStep::AddServer { name, .. }, Fault::Refused(_)) = (step, why) {
            seen.needs_reload.insert(name.clone());
        }
    }
}
