//! How long no database accepted writes during a change of writer: noted when it begins and when it is over
//! (`db/switch`).

use cordee_domain::db::awaited::awaited;
use cordee_domain::db::failover::{self, Decision};
use cordee_domain::db::switch::{Course, Stop, Switch};
use cordee_domain::desired::Desired;
use cordee_domain::ids::{Millis, ServerName};
use cordee_domain::scene::Scene;
use cordee_domain::state::Severity;
use cordee_domain::text;
use cordee_node::clock::now;

use super::Engine;

impl Engine {
    /// Reports whether another database is about to become the writer: every millisecond counts then.
    pub(super) fn switching(&self, desired: &Desired) -> bool {
        let time = now();
        desired.handover.is_some()
            || matches!(
                failover::decide(Scene::new(desired, &self.observed, time)),
                Decision::Prepare { .. } | Decision::Elect { .. } | Decision::Fence { .. }
            )
            || self.switch.is_some_and(|s| time.saturating_sub(s.noticed) < 10_000)
    }

    /// Reports whether the change of writer waits for the next look at that database.
    pub(super) fn awaited(&self, desired: &Desired, name: &ServerName) -> bool {
        let noticed = self.switch.map(|s| s.noticed);
        awaited(desired, &self.observed, name, noticed)
    }

    /// The operator asked for another writer: from now on HAProxy leads no connection to the former one.
    pub(super) fn handover_begins(&mut self, desired: &Desired) {
        if desired.handover.is_some() && self.switch.is_none_or(|s| s.epoch <= desired.epoch) {
            self.switch_begins(now(), Stop::Closed);
        }
    }

    /// Notes that the writer was closed or lost.
    pub(super) fn switch_begins(&mut self, noticed: Millis, end: Stop) {
        let desired = self.parts.board.desired();
        self.switch = Some(Switch::begins(self.switch, noticed, end, &desired, &self.observed));
    }

    /// Notes the gap once the new writer is open and HAProxy leads to it.
    pub(super) fn time_the_switch(&mut self, desired: &Desired) {
        let Some(switch) = self.switch else { return };
        match switch.course(Scene::new(desired, &self.observed, now())) {
            Course::UnderWay => {}
            Course::Nothing => self.switch = None,
            Course::Over(gap) => {
                self.switch = None;
                self.observed.gap = Some(gap);
                let Some(writer) = &desired.writer else { return };
                let text = text!("event-gap", name = writer, ms = gap.ms);
                self.note(writer.as_str(), Some(Severity::Good), &text);
            }
        }
    }
}
