//! What is seen of the HAProxys, and of what somebody else does to them.

use std::collections::{BTreeMap, BTreeSet};

use crate::fault::Fault;
use crate::haproxy::foreign::{self, Change, What};
use crate::haproxy::stats::Running;
use crate::ids::{Millis, PoolId, ServerName};
use crate::seen::Seen;
use crate::step::{ConfigText, Outcome, ProxyStep};
use crate::text::Text;

/// A file that HAProxy refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The file's text.
    pub text: ConfigText,
    /// HAProxy's words.
    pub why: Text,
    /// When.
    pub at: Millis,
}

impl Refusal {
    /// For so long the same file is not tried again, in milliseconds. What a check reads beside the file (the map of
    /// the sessions, memory, descriptors) may have been the cause, and passes.
    pub const HOLDS: Millis = 5_000;

    /// Whether the same text would be refused again, as far as is known.
    pub fn holds(&self, now: Millis) -> bool {
        now.saturating_sub(self.at) < Self::HOLDS
    }
}

/// One HAProxy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProxySeen {
    /// The file's text, when there is one.
    pub file: Option<String>,
    /// The text of the file that holds the session mode (HAProxy `web`).
    pub map: Option<String>,
    /// What the process says.
    pub running: Seen<Running>,
    /// The worker that answered last, also while it does not answer.
    pub worker: Option<u32>,
    /// The file that this HAProxy refused last.
    pub refused: Option<Refusal>,
    /// Servers that it refused to take at run time: a reload is the other way.
    pub needs_reload: BTreeSet<ServerName>,
    /// The worker of which it is not proven that it runs Cordée's file: somebody else had it started.
    pub doubted: Option<u32>,
    /// It was found running: until it was looked at, only the record tells whether its worker is of our making.
    pub adopted: bool,
    /// The worker that the last Cordée knew to run its file.
    pub recorded: Option<u32>,
    /// What the process said at the last look that succeeded, when one has failed since: the next one is compared with
    /// it.
    pub before: Option<Running>,
    /// What somebody else changed and is not put right yet, as they left it.
    pub odd: BTreeMap<What, Text>,
}

/// What a look tells of somebody else's doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meddling {
    /// Somebody else had the master start another worker: what it runs cannot all be read.
    Reloaded,
    /// The same, or not, while Cordée was away.
    Unproven,
    /// Somebody else changed that.
    Changed(Change),
    /// What somebody else had changed is otherwise now.
    PutRight(What, Text),
}

impl ProxySeen {
    /// Before the first look.
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

    /// Nothing runs there any more.
    pub fn ended(&mut self) {
        (self.running, self.worker, self.doubted, self.adopted) = (Seen::Never, None, None, false);
        self.before = None;
        self.odd.clear();
    }

    /// The worker that is known to run Cordée's file.
    pub fn proven(&self) -> Option<u32> {
        self.worker.filter(|worker| self.doubted != Some(*worker) && self.running.value().is_some())
    }

    /// Whether nothing is decided otherwise for a look that found these files and says that of the process.
    pub fn is_as(&self, file: Option<&str>, map: Option<&str>, look: &Running) -> bool {
        let files = (self.file.as_deref(), self.map.as_deref()) == (file, map);
        // What somebody else changed may be put right just now.
        files && self.odd.is_empty() && self.running.value().is_some_and(|known| look.is_like(known))
    }

    /// Takes in a look at the process, after the step that went before it. Says what somebody else did meanwhile.
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
                    // What the step changed was not seen: nothing can be compared with the next look.
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

    /// What differs from the last look that succeeded and is not the doing of `step`.
    fn changes(&self, proxy: PoolId, now: &Running, step: Option<&ProxyStep>) -> Vec<Change> {
        let Some(before) = self.running.value().or(self.before.as_ref()) else { return Vec::new() };
        let (before, now) = foreign::values(proxy, before, now);
        foreign::changes(&before, &now, step)
    }
}
