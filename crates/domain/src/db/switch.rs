//! Measures how long no database accepted writes during a change of writer. The result is an upper bound for every
//! client.
//!
//! The measurement begins when the old writer is last known to have been well: for a loss that is its last answer,
//! not the moment at which the loss was noticed; for a planned change it is when HAProxy was told to send nobody to
//! it. It ends when the new writer was seen open, HAProxy was seen to send connections to it, and the clients that
//! wait in HAProxy had time for one more try.
//!
//! A change does not always end with another writer: the old writer may be started again where its data are, or the
//! change may be given up. Then the measurement ends as soon as the same writer is seen open. Before that rule, a
//! measurement went on and was reported as the gap of a promotion that came 38 s later, of which clients noticed 54
//! ms.

use crate::desired::Desired;
use crate::ids::{Millis, PoolId};
use crate::observed::{Gap, Observed};
use crate::scene::Scene;
use crate::seen::Seen;

/// Milliseconds that a connection queued in HAProxy may still wait after a database is ready: each connection tries
/// again after `timeout connect` (100 ms; at most 112 were measured), see `haproxy/sections`.
pub const NEXT_TRY: u64 = 120;

/// A change of writer that may be under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Switch {
    /// The old writer is known to have accepted writes until then.
    pub since: Millis,
    /// When its end was noticed, or its closing began. Earlier looks do not count.
    pub noticed: Millis,
    /// The epoch that would end the change.
    pub epoch: u64,
}

/// How the change of writer goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Course {
    /// No database accepts writes yet.
    UnderWay,
    /// The same writer accepts writes again, or the measured change is long past: there is nothing to report.
    Nothing,
    /// Another database accepts writes.
    Over(Gap),
}

/// How the old writer stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Cordée closed it; if it answered, it was well until then.
    Closed,
    /// It was lost, at an unknown time before the loss was noticed.
    Lost,
}

/// An answer older than this says nothing about the present: two short looks are missing.
const WELL: u64 = 2 * crate::figures::PULSE;

/// Returns until when the present writer is known to have accepted writes; never later than `noticed`.
fn since(noticed: Millis, end: Stop, desired: &Desired, observed: &Observed) -> Millis {
    let seen = desired.writer.as_ref().and_then(|w| observed.databases.get(w));
    match seen.and_then(Seen::last) {
        Some(last) if end == Stop::Lost || noticed.saturating_sub(last) > WELL => last.min(noticed),
        _ => noticed,
    }
}

impl Switch {
    /// The present writer was closed or lost at `noticed`. A measurement that is under way continues if it is the
    /// same change, or if the new writer was lost before it was seen to accept writes: being open is not enough
    /// while HAProxy sends nobody to it.
    #[must_use]
    pub fn begins(
        before: Option<Self>,
        noticed: Millis,
        end: Stop,
        desired: &Desired,
        observed: &Observed,
    ) -> Self {
        let epoch = desired.epoch + 1;
        match before {
            Some(same) if same.epoch == epoch => same,
            Some(chain) if chain.epoch == desired.epoch && !writes(desired, observed, chain.noticed) => {
                Self { epoch, ..chain }
            }
            _ => Self { since: since(noticed, end, desired, observed), noticed, epoch },
        }
    }

    /// Returns how the change goes, by what was seen since it began.
    #[must_use]
    pub fn course(self, scene: Scene<'_>) -> Course {
        let Scene { desired, observed, now } = scene;
        if desired.epoch != self.epoch {
            let again = open(desired, observed, self.noticed) && desired.handover.is_none();
            return if desired.epoch > self.epoch || again { Course::Nothing } else { Course::UnderWay };
        }
        if writes(desired, observed, self.noticed) {
            let ms = now.saturating_sub(self.since) + NEXT_TRY;
            Course::Over(Gap { epoch: self.epoch, at: now, ms })
        } else {
            Course::UnderWay
        }
    }
}

/// Reports whether the writer was seen to accept writes after `since`.
fn writes(desired: &Desired, observed: &Observed, since: Millis) -> bool {
    open(desired, observed, since) && led(desired, observed, since)
}

/// Reports whether a look at the writer that began after `since` found it open; an earlier look does not count.
fn open(desired: &Desired, observed: &Observed, since: Millis) -> bool {
    let seen = desired.writer.as_ref().and_then(|w| observed.databases.get(w));
    matches!(seen, Some(Seen::At(at, seen)) if !seen.read_only && *at > since)
}

/// Reports whether HAProxy was seen to send connections to the writer after `since`.
fn led(desired: &Desired, observed: &Observed, since: Millis) -> bool {
    let Some(writer) = &desired.writer else { return false };
    match &observed.proxy(PoolId::Db).running {
        Seen::At(at, running) if *at > since => {
            running.servers.get(writer).is_some_and(|s| !s.maintenance && !s.writer_maintenance)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests;
