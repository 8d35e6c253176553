//! How long nobody wrote: from the end of the old writer until HAProxy leads to the new one.

use cordee_domain::db::failover::{self, Decision};
use cordee_domain::desired::Desired;
use cordee_domain::ids::{Millis, PoolId};
use cordee_domain::observed::Gap;
use cordee_domain::status::Light;
use cordee_domain::text;

use crate::clock::now;

use super::Engine;

/// A change of writer under way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Switch {
    /// When the old writer stopped writing.
    since: Millis,
    /// The epoch that ends it.
    epoch: u64,
}

impl Engine {
    /// Whether another database is about to become the writer: every millisecond counts.
    pub(super) fn switching(&self, desired: &Desired) -> bool {
        let time = now();
        desired.handover.is_some()
            || matches!(
                failover::decide(desired, &self.observed, time),
                Decision::Prepare { .. } | Decision::Elect { .. } | Decision::Fence { .. }
            )
            || self.switch.is_some_and(|s| time.saturating_sub(s.since) < 10_000)
    }

    /// The writer was closed or lost.
    pub(super) fn switch_begins(&mut self, since: Millis) {
        let epoch = self.parts.board.desired().epoch + 1;
        if self.switch.is_none_or(|s| s.epoch != epoch) {
            self.switch = Some(Switch { since, epoch });
        }
    }

    /// Notes the gap once the new writer is open and HAProxy leads to it.
    pub(super) fn time_the_switch(&mut self, desired: &Desired) {
        let Some(switch) = self.switch else { return };
        let Some(writer) = desired.writer.clone() else { return };
        let seen = self.observed.databases.get(&writer);
        let open = seen.and_then(|d| d.value()).is_some_and(|d| !d.read_only);
        if desired.epoch != switch.epoch {
            // The same writer is open again: nothing was switched.
            let again = open
                && seen.and_then(cordee_domain::observed::Seen::last).is_some_and(|at| at > switch.since);
            if desired.epoch > switch.epoch || (again && desired.handover.is_none()) {
                self.switch = None;
            }
            return;
        }
        let led = self
            .observed
            .proxy(PoolId::Db)
            .running
            .value()
            .and_then(|r| r.servers.get(&writer))
            .is_some_and(|s| !s.maintenance && !s.writer_maintenance);
        if open && led {
            let ms = now().saturating_sub(switch.since);
            self.observed.gap = Some(Gap { epoch: switch.epoch, at: now(), ms });
            self.switch = None;
            let text = text!("event-gap", name = writer.as_str(), ms = ms);
            self.note(writer.as_str(), Some(Light::Good), &text);
        }
    }
}
