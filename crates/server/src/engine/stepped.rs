//! What follows from the outcome of a step.

// A new variant of `Step` must be handled at every match.
#![warn(clippy::wildcard_enum_match_arm)]

use cordee_domain::db::events::{State, Turn};
use cordee_domain::db::ids::DENSE;
use cordee_domain::db::switch::Stop;
use cordee_domain::fault::Fault;
use cordee_domain::ids::{ProcessId, ServerName};
use cordee_domain::observed::{Refusal, STALE};
use cordee_domain::plan::Plan;
use cordee_domain::state::Severity;
use cordee_domain::step::{Outcome, ProxyStep, RowsStep, SqlStep, Step, Subject};
use cordee_domain::text;
use cordee_domain::text::{Text, Thing};
use cordee_node::clock::now;

use super::{Engine, named, rows, subject};

impl Engine {
    /// Takes in the outcome of a step.
    pub(super) fn stepped(&mut self, step: &Step, outcome: Outcome) {
        self.observed.note_rest(step, now());
        self.observed.may_receive(step);
        match outcome {
            Outcome::Done => {
                let first = self.observed.succeeded(step);
                self.done(step, first);
            }
            // The state that the step was decided on is no longer true: nothing was done, and the next plan
            // decides anew. A step that is refused again and again gets a backoff, like a step without effect.
            Outcome::Failed(Fault::Overtaken) => {
                self.observed.overtaken(step);
            }
            Outcome::Failed(why) => {
                self.failed(step, &why);
                if self.observed.failed(step, &why, now())
                    || matches!(step, Step::Rows(RowsStep::Repair { .. }))
                {
                    self.tell_backoff(step, &why);
                }
            }
        }
    }

    /// Gives a backoff to steps that had no effect, and tells the journal once.
    pub(super) fn judge(&mut self, plan: &mut Plan) {
        let now = now();
        let seen = |target: &Subject| match target {
            Subject::Proxy(id) => {
                let runs = self.observed.process(&ProcessId::Proxy(*id)).leader.is_some();
                !runs || self.observed.proxy(*id).running.fresh(now, STALE).is_some()
            }
            Subject::Database(name) => {
                self.observed.databases.get(name).is_some_and(|seen| seen.fresh(now, STALE).is_some())
            }
            // For these, the outcome of the step is all there is to see.
            Subject::Process(_) | Subject::Rows(_) | Subject::Wish => true,
        };
        let targets: Vec<Subject> = self.observed.done.keys().cloned().collect();
        let known: Vec<Subject> =
            targets.into_iter().filter(|target| !self.busy.contains(target) && seen(target)).collect();
        for step in self.observed.planned(plan, now, |target| known.contains(target)) {
            self.tell_backoff(&step, &Fault::InVain(step.name()));
        }
    }

    fn tell_backoff(&self, step: &Step, why: &Fault) {
        let target = step.subject();
        let (on, error) = (subject(&target), why as &dyn std::error::Error);
        tracing::warn!(%on, step = step.name(), error, "a step failed");
        let text = rows::failure(step, named(&target), why);
        self.note(&on, Some(Severity::Warning), &text);
    }

    /// Notes a line unless the step was told before: a step that is done again for the same wish is told only the
    /// first time.
    fn told(&self, first: bool, subject: &str, severity: Option<Severity>, text: &Text) {
        if first {
            self.note(subject, severity, text);
        }
    }

    /// `first`: the step was not done before, or its effect was seen since.
    fn done(&mut self, step: &Step, first: bool) {
        let first = first || step.insists();
        match step {
            Step::Proxy(step) => self.proxy_done(step, first),
            Step::Sql(step) => self.sql_done(step, first),
            // What these steps did is told where it comes in: a process, a report, a wish.
            Step::Host(_) | Step::Rows(_) | Step::Wish(_) => {}
        }
    }

    fn proxy_done(&mut self, step: &ProxyStep, first: bool) {
        match step {
            ProxyStep::Reload { proxy, .. } => {
                if let Some(seen) = self.observed.proxies.get_mut(proxy) {
                    seen.refused = None;
                    seen.needs_reload.clear();
                }
                let text = text!("event-reloaded", proxy = Thing::Proxy(*proxy));
                self.told(first, &format!("haproxy-{proxy}"), Some(Severity::Good), &text);
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

    fn sql_done(&mut self, step: &SqlStep, first: bool) {
        match step {
            SqlStep::OpenDatabase { name, epoch } => {
                let text = text!("event-opened", name = name, epoch = *epoch);
                self.told(first, name.as_str(), Some(Severity::Good), &text);
            }
            SqlStep::SeedPosition { name } => {
                self.observed.unseeded.remove(name);
            }
            SqlStep::SetVariable { name, variable, value, was, .. } => {
                let (value, was) = (value.as_str(), was.as_str());
                let text = text!("event-setting", name = name, setting = *variable, was = was, value = value);
                self.told(first, name.as_str(), Some(Severity::Warning), &text);
            }
            SqlStep::NumberIds { name, to, was } => {
                // The check of the owner's rights is void after this step: the next check asks again.
                self.observed.accounts.remove(name);
                let was = was.shown();
                let text = if *to == DENSE {
                    text!("event-numbers-dense", name = name, was = was)
                } else {
                    text!("event-numbers-apart", name = name, step = to.step, place = to.place, was = was)
                };
                self.told(first, name.as_str(), None, &text);
            }
            SqlStep::FollowEvents { name, turns, .. } => self.events_turned(name, turns, first),
            SqlStep::LoadZones { name } => {
                self.told(first, name.as_str(), None, &text!("event-zones", name = name));
            }
            SqlStep::ResetChannel { on, from, was } => {
                let text = text!("event-link-reset", name = on, from = from, was = was.as_str());
                self.told(first, on.as_str(), Some(Severity::Warning), &text);
            }
            SqlStep::Renumber { name, after, .. } => {
                let text = text!("event-renumbered", name = name, after = *after);
                self.told(first, name.as_str(), Some(Severity::Warning), &text);
            }
            SqlStep::MakeAccounts { name, what } => {
                // The next check asks again; until then nothing is known.
                self.observed.accounts.remove(name);
                let text = text!("event-accounts", name = name, what = what.as_str());
                self.told(first, name.as_str(), Some(Severity::Warning), &text);
            }
            SqlStep::FreeChannels { on } => {
                self.told(
                    first,
                    on.as_str(),
                    Some(Severity::Warning),
                    &text!("event-links-freed", name = on),
                );
            }
            SqlStep::SetBack { name, .. } => {
                self.told(first, name.as_str(), None, &text!("event-set-back", name = name));
            }
            SqlStep::CloseDatabase { name } => {
                let desired = self.parts.board.desired();
                if desired.is_writer(name) {
                    self.switch_begins(now(), Stop::Closed);
                    self.told(first, name.as_str(), None, &text!("event-closed-writer", name = name));
                } else {
                    self.told(first, name.as_str(), None, &text!("event-closed", name = name));
                }
            }
            SqlStep::SetChannel { .. }
            | SqlStep::StartChannel { .. }
            | SqlStep::StopChannel { .. }
            | SqlStep::DropChannel { .. }
            | SqlStep::ReleaseDatabase { .. }
            | SqlStep::SetAcks { .. }
            | SqlStep::SetStrict { .. }
            | SqlStep::CreateSchema { .. }
            | SqlStep::EndSenders { .. }
            | SqlStep::SetSemiSync { .. } => {}
        }
    }

    /// Tells how many events were enabled on this database, and how many run elsewhere from now on.
    fn events_turned(&self, name: &ServerName, turns: &[Turn], first: bool) {
        let state = |turn: &Turn, of| matches!(turn, Turn::Set(_, event) if event.state == of);
        let count = |of| turns.iter().filter(|turn| state(turn, of)).count();
        let (on, away) = (count(State::On), count(State::Elsewhere));
        if on > 0 {
            self.told(first, name.as_str(), None, &text!("event-events-on", name = name, count = on));
        }
        if away > 0 {
            self.told(first, name.as_str(), None, &text!("event-events-away", name = name, count = away));
        }
    }

    fn failed(&mut self, step: &Step, why: &Fault) {
        let Step::Proxy(step) = step else { return };
        let seen = self.observed.proxies.entry(step.proxy()).or_default();
        if let (ProxyStep::WriteConfig { text, check: true, .. }, Fault::RefusedFile(_)) = (step, why) {
            // Only a refusal by HAProxy itself counts: a full disk says nothing about the file.
            seen.refused = Some(Refusal { text: text.clone(), why: why.sentence(), at: now() });
        }
        if let (ProxyStep::AddServer { name, .. }, Fault::Refused(_)) = (step, why) {
            seen.needs_reload.insert(name.clone());
        }
    }
}
