//! Whether the site's own addresses are expected to serve.

use super::Door;
use crate::desired::Desired;
use crate::ids::{Millis, ProcessId};
use crate::observed::{Observed, STALE};
use crate::plan::Peers;
use crate::scene::Scene;
use crate::state::Status;
use crate::status;

/// Whether a door is expected to serve, according to all observations of the servers behind it.
fn expected(scene: Scene<'_>, door: Door) -> bool {
    let Scene { desired, observed, now } = scene;
    let proxy = door.proxy();
    let process = observed.process(&ProcessId::Proxy(proxy));
    let there = process.leader.is_some()
        && process.still.is_empty()
        && observed.proxy(proxy).running.fresh(now, STALE).is_some();
    there
        && match door {
            Door::Site => {
                let peers = Peers::of(desired, observed);
                desired.web_servers().any(|s| status::web(scene, &peers, s).serves())
            }
            Door::Databases | Door::Writer => {
                let writer = desired.writer_server();
                let works = |status: &Status| status.serves() || status.state.writes();
                desired.handover.is_none() && writer.is_some_and(|s| works(&status::database(scene, s)))
            }
        }
}

impl Observed {
    /// Records since when each door has been expected to serve.
    pub fn expect_doors(&mut self, desired: &Desired, now: Millis) {
        for door in Door::ALL {
            let since = expected(Scene::new(desired, self, now), door).then_some(now);
            let seen = self.doors.entry(door).or_default();
            seen.expected_since = since.map(|now| seen.expected_since.unwrap_or(now));
        }
    }
}
