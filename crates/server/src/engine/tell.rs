//! What the engine tells: the snapshot, the journal; and the panic of one of its tasks.

use std::time::Duration;

use cordee_domain::desired::Desired;
use cordee_domain::diff::{self, Untold};
use cordee_domain::ids::{PoolId, ProcessId};
use cordee_domain::scene::Scene;
use cordee_domain::snapshot::snapshot;
use cordee_domain::state::{Severity, State};
use cordee_domain::step::Subject;
use cordee_domain::text::{Arg, Text, Thing};
use cordee_node::clock::now;
use tokio::task::JoinError;
use tokio::time::Instant;

use crate::store::OURSELVES;

use super::Engine;

impl Engine {
    /// Publishes the newest snapshot, and notes in the journal which severities changed.
    pub(super) fn publish(&mut self, desired: &Desired) {
        let before = self.parts.board.snapshot();
        let after = snapshot(Scene::new(desired, &self.observed, now()), &self.parts.machine.setting);
        let old_enough = self.published.elapsed() >= Duration::from_millis(200);
        if !old_enough && diff::same(&before, &after) {
            return;
        }
        let worth = self.unseen.is_empty() || self.started.elapsed() > Duration::from_secs(3);
        let turns = if worth { diff::turns(&before, &after) } else { Vec::new() };
        // Lines that no severity tells go before those that the severities tell: they happened first.
        for line in std::mem::take(&mut self.untold).iter().filter(|line| !line.is_told(&turns)) {
            self.note(&line.subject, Some(line.severity), &line.text);
        }
        for turn in turns {
            let by = turn.by.as_deref().unwrap_or(OURSELVES);
            self.parts.store.tell_of(by, &turn.subject, Some(turn.severity), &turn.text);
        }
        self.published = Instant::now();
        self.parts.board.set_snapshot(after);
    }

    /// Writes a line into the journal with the next snapshot, unless the change of a severity says the same.
    pub(super) fn note_unless(&mut self, state: State, subject: &str, severity: Severity, text: Text) {
        self.untold.push(Untold { subject: subject.to_owned(), state, severity, text });
    }

    /// Writes a line into the journal, at once or as soon as the journal can be written.
    pub(super) fn note(&self, subject: &str, severity: Option<Severity>, text: &Text) {
        self.parts.store.tell(subject, severity, text);
    }
}

/// Resumes the panic of a task in the engine's own task.
pub(super) fn pass_on(error: JoinError) {
    if let Ok(panic) = error.try_into_panic() {
        std::panic::resume_unwind(panic);
    }
}

/// Returns the look that shows the state of an adopted process; none for a database that is not wished any more.
pub(super) fn looked_at_by(desired: &Desired, id: &ProcessId) -> Option<Subject> {
    match id {
        ProcessId::Proxy(proxy) => Some(Subject::Proxy(*proxy)),
        ProcessId::Web(_) => Some(Subject::Proxy(PoolId::Web)),
        ProcessId::Database(name) => desired.database(name).map(|_| Subject::Database(name.clone())),
    }
}

/// Returns the journal's word for a target.
pub(super) fn subject(target: &Subject) -> String {
    match target {
        Subject::Proxy(id) => format!("haproxy-{id}"),
        Subject::Process(id) => id.to_string(),
        Subject::Database(name) | Subject::Rows(name) => name.to_string(),
        Subject::Wish => "cluster".to_owned(),
    }
}

/// Returns the same target as an argument of a sentence.
pub(super) fn named(target: &Subject) -> Arg {
    match target {
        Subject::Proxy(id) => Thing::Proxy(*id).into(),
        Subject::Process(id) => id.into(),
        Subject::Database(name) | Subject::Rows(name) => name.into(),
        Subject::Wish => subject(target).into(),
    }
}
