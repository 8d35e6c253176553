//! What Cordée has observed about the HAProxy instances, and what somebody else does to them.

use std::collections::{BTreeMap, BTreeSet};

use crate::fault::Fault;
use crate::haproxy::foreign::{self, Change, What};
use crate::haproxy::stats::Running;
use crate::ids::{Millis, PoolId, ServerName};
use crate::seen::Seen;
use crate::step::{ConfigText, Outcome, ProxyStep};
use crate::text::Text;

/// A configuration file that HAProxy refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The file's text.
    pub text: ConfigText,
    /// HAProxy's message.
    pub why: Text,
    /// When HAProxy refused it.
    pub at: Millis,
}

impl Refusal {
    /// Milliseconds for which the same file is not tried again. Something else that the check reads (the map of the
    /// sessions, memory, descriptors) may have been the cause, and that may pass.
    pub const HOLDS: Millis = 5_000;

    /// Reports whether the same text would probably be refused again.
    pub fn holds(&self, now: Millis) -> bool {
        now.saturating_sub(self.at) < Self::HOLDS
    }
}

/// One HAProxy instance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProxySeen {
    /// The text of the configuration file, if there is one.
    pub file: Option<String>,
    /// The text of the file with the session mode (HAProxy `web`).
    pub map: Option<String>,
    /// What the process reports.
    pub running: Seen<Running>,
    /// The worker that answered last, kept while it does not answer.
    pub worker: Option<u32>,
    /// The last configuration file that this HAProxy instance refused.
    pub refused: Option<Refusal>,
    /// Servers that HAProxy refused to add at run time: they need a reload.
    pub needs_reload: BTreeSet<ServerName>,
    /// The worker that is not proven to run Cordée's file, because somebody else had it started.
    pub doubted: Option<u32>,
    /// Whether the process was already running when Cordée found it. Until the first look, only the record says
    /// whether Cordée started its worker.
    pub adopted: bool,
    /// The worker that the previous Cordée knew to run its file.
    pub recorded: Option<u32>,
    /// What the process reported at the last successful look, if a later look failed. The next look is compared with
    /// it.
    pub before: Option<Running>,
    /// What somebody else changed and what is not restored yet, with the values that they left.
    pub odd: BTreeMap<What, Text>,
}

/// What a look reveals about somebody else's changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meddling {
    /// Somebody else had the master start another worker: not everything that it runs can be read.
    Reloaded,
    /// Perhaps the same, while Cordée was not running.
    Unproven,
    /// Somebody else changed this.
    Changed(Change),
    /// What somebody else had changed has another value now.
    PutRight(What, Text),
}

impl ProxySeen {
    /// Returns the value before the first look.
    pub(super) const fn unseen() -> Self {
        Self {
            file: None,
            map: None,
            running: Seen::Never,
            worker: None,
            refused: None,
            needs_reload: BTreeSet::new(),
            doubted: None,
            adopted: false,
            recorded: None,
            before: None,
            odd: BTreeMap::new(),
        }
    }

    /// Records that the process has ended.
    pub fn ended(&mut self) {
        (self.running, self.worker, self.doubted, self.adopted) = (Seen::Never, None, None, false);
        self.before = None;
        self.odd.clear();
    }

    /// Returns the worker that is known to run Cordée's file.
    pub fn proven(&self) -> Option<u32> {
        self.worker.filter(|worker| self.doubted != Some(*worker) && self.running.value().is_some())
    }

    /// Reports whether no decision changes if a look finds these files and `look`.
    pub fn is_as(&self, file: Option<&str>, map: Option<&str>, look: &Running) -> bool {
        let files = (self.file.as_deref(), self.map.as_deref()) == (file, map);
        // What somebody else changed may be about to be restored.
        files && self.odd.is_empty() && self.running.value().is_some_and(|known| look.is_like(known))
    }

    /// Records a look at the process, made after `step`, if there was one. Returns what somebody else changed
    /// meanwhile.
    pub fn see(
        &mut self,
        proxy: PoolId,
        at: Millis,
        look: Result<Running, Fault>,
        step: Option<(&ProxyStep, &Outcome)>,
    ) -> Vec<Meddling> {
        let running = match look {
            Ok(running) => running,
            Err(why) => {
                let failed = Seen::Failed { last: self.running.last(), why };
                if let Seen::At(_, running) = std::mem::replace(&mut self.running, failed) {
                    self.before = Some(running);
                }
                if step.is_some() {
                    // The effect of the step was not seen: nothing can be compared with the next look.
                    self.before = None;
                }
                return Vec::new();
            }
        };
        let mut told = Vec::new();
        let own_reload = matches!(step, Some((ProxyStep::Reload { .. }, _)));
        if self.worker.is_some_and(|known| known != running.pid) {
            self.doubted = match step {
                Some((ProxyStep::Reload { .. }, Outcome::Done)) => None,
                _ => Some(running.pid),
            };
            if !own_reload {
                told.push(Meddling::Reloaded);
            }
            self.odd.clear();
        } else if self.worker.is_none() {
            if self.adopted && self.recorded != Some(running.pid) {
                self.doubted = Some(running.pid);
                told.push(Meddling::Unproven);
            }
            self.adopted = false;
            self.odd.clear();
        } else {
            for change in self.changes(proxy, &running, step.map(|(step, _)| step)) {
                if change.what.needs_reload() {
                    self.doubted = Some(running.pid);
                }
                self.odd.insert(change.what.clone(), change.now.clone());
                told.push(Meddling::Changed(change));
            }
            self.odd.retain(|what, left| {
                let Some(now) = foreign::value(proxy, &running, what) else {
                    return matches!(what, What::Server(_));
                };
                if now != *left {
                    told.push(Meddling::PutRight(what.clone(), now.clone()));
                }
                now == *left
            });
        }
        self.worker = Some(running.pid);
        self.before = None;
        self.running = Seen::At(at, running);
        told
    }

    /// Returns what differs from the last successful look and was not caused by `step`.
    fn changes(&self, proxy: PoolId, now: &Running, step: Option<&ProxyStep>) -> Vec<Change> {
        let Some(before) = self.running.value().or(self.before.as_ref()) else { return Vec::new() };
        let (before, now) = foreign::values(proxy, before, now);
        foreign::changes(&before, &now, step)
    }
}
