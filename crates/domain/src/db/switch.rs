//! How long nobody could write at a change of writer, as it is told afterwards: a bound that no client exceeds.
//!
//! It begins when the old writer is last known to have been well: for a loss that is its last answer, not the moment at
//! which the loss was noticed; for a planned change it is when HAProxy was told to lead nobody there. It is over when
//! the new writer was seen open and HAProxy to lead to it, and whoever waits in HAProxy had the time of one more try.
//!
//! What begins need not end with another writer: it may be started again where its data are, or the change be given up.
//! That is over as soon as the same writer is seen open. A measurement that went on all the same was once told as the
//! gap of a promotion that came 38 s later, of which clients noticed 54 ms.

use crate::desired::Desired;
use crate::ids::{Millis, PoolId};
use crate::observed::{Gap, Observed};
use crate::scene::Scene;
use crate::seen::Seen;

/// Milliseconds that a connection which waits in HAProxy may wait after a database is ready: each tries again after
/// `timeout connect` (100 ms; at most 112 were measured), see `haproxy/sections`.
pub const NEXT_TRY: u64 = 120;

/// A change of writer that may be under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Switch {
    /// Until then the old writer is known to have taken writes.
    pub since: Millis,
    /// When its end was noticed, or its closing begun: what was seen before tells of another time.
    pub noticed: Millis,
    /// The epoch that would end it.
    pub epoch: u64,
}

/// How it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Course {
    /// Nobody writes yet.
    UnderWay,
    /// The same writer writes again, or what was measured is long past: there is nothing to tell.
    Nothing,
    /// Another one writes.
    Over(Gap),
}

/// How the old writer stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// It was closed, and well until then if it answered.
    Closed,
    /// It was lost: before that was noticed, and nobody knows how long before.
    Lost,
}

/// An answer that is older than this says nothing of now: two short looks are missing.
const WELL: u64 = 2 * crate::figures::PULSE;

/// Until when the writer of now is known to have taken writes: never later than `noticed`.
fn since(noticed: Millis, end: Stop, desired: &Desired, observed: &Observed) -> Millis {
    let seen = desired.writer.as_ref().and_then(|w| observed.databases.get(w));
    match seen.and_then(Seen::last) {
        Some(last) if end == Stop::Lost || noticed.saturating_sub(last) > WELL => last.min(noticed),
        _ => noticed,
    }
}

impl Switch {
    /// The writer of now was closed or lost at `noticed`. What began before goes on where it is the same change, and
    /// where the new writer was lost before it was seen to write: open is not enough, while HAProxy led to nobody.
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

    /// How it goes, by what was seen since it began.
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

/// Whether the writer was seen to take writes after `since`.
fn writes(desired: &Desired, observed: &Observed, since: Millis) -> bool {
    open(desired, observed, since) && led(desired, observed, since)
}

/// Whether a look at the writer that began after `since` found it open: one from before tells of another time.
fn open(desired: &Desired, observed: &Observed, since: Millis) -> bool {
    let seen = desired.writer.as_ref().and_then(|w| observed.databases.get(w));
    matches!(seen, Some(Seen::At(at, seen)) if !seen.read_only && *at > since)
}

/// Whether HAProxy was seen to lead to the writer after `since`.
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
