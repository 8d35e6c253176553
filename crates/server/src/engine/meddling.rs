//! What somebody else did to an HAProxy instance is told in the journal; the worker that is proven to run Cordée's
//! own file is recorded.

use cordee_domain::fault::Fault;
use cordee_domain::haproxy::stats::Running;
use cordee_domain::ids::{PoolId, ProcessId};
use cordee_domain::observed::Meddling;
use cordee_domain::state::Severity;
use cordee_domain::step::{Outcome, ProxyStep};
use cordee_domain::text;
use cordee_domain::text::Thing;
use cordee_node::clock::now;
use cordee_node::worker;

use super::Engine;

impl Engine {
    /// Takes in a look at an HAProxy process, after the step that went before it.
    pub(super) fn see_proxy(
        &mut self,
        proxy: PoolId,
        running: Result<Running, Fault>,
        step: Option<&(ProxyStep, Outcome)>,
    ) {
        let seen = self.observed.proxies.entry(proxy).or_default();
        let told = seen.see(proxy, now(), running, step.map(|(step, outcome)| (step, outcome)));
        self.tell_of_others(proxy, told);
        self.record_worker(proxy);
    }

    /// Tells the journal what a look found that somebody else did.
    fn tell_of_others(&self, proxy: PoolId, told: Vec<Meddling>) {
        let name = Thing::Proxy(proxy);
        for one in told {
            let name = name.clone();
            let (severity, text) = match one {
                Meddling::Reloaded => (Severity::Warning, text!("event-reloaded-elsewhere", proxy = name)),
                Meddling::Unproven => (Severity::Warning, text!("event-worker-unproven", proxy = name)),
                Meddling::Changed(change) => {
                    let what = change.what.name();
                    let text =
                        text!("event-foreign", proxy = name, what = what, was = change.was, now = change.now);
                    (Severity::Warning, text)
                }
                Meddling::PutRight(what, now) => {
                    (Severity::Good, text!("event-put-right", proxy = name, what = what.name(), now = now))
                }
            };
            self.note(&ProcessId::Proxy(proxy).to_string(), Some(severity), &text);
        }
    }

    /// Records on disk the worker that runs Cordée's file, for the next start of Cordée.
    fn record_worker(&mut self, proxy: PoolId) {
        let Some(proven) = self.observed.proxy(proxy).proven() else { return };
        if self.recorded.get(&proxy) == Some(&proven) {
            return;
        }
        match worker::record(&self.parts.machine.home, proxy, proven) {
            Ok(true) => drop(self.recorded.insert(proxy, proven)),
            // The worker ended a moment ago.
            Ok(false) => {}
            // Without the record the next start of Cordée reloads HAProxy once: nothing is lost.
            Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "recording a worker"),
        }
    }
}
