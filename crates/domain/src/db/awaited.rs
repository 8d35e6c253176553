//! Whose next look a change of writer waits for.

use crate::desired::Desired;
use crate::ids::{Millis, ServerName};
use crate::observed::Observed;
use crate::seen::Seen;

use super::failover::unapplied;

/// Whether a change of writer that was noticed then waits for the next look at that database. One that was looked at
/// since, and has nothing left to apply of the former writer's, tells nothing new; nine that are all looked at in haste
/// keep each other from what they have to do.
pub fn awaited(desired: &Desired, observed: &Observed, name: &ServerName, noticed: Option<Millis>) -> bool {
    let Some(writer) = desired.writer_server().filter(|w| desired.handover.is_none() && w.name != *name)
    else {
        return true;
    };
    match observed.databases.get(name) {
        Some(Seen::At(at, seen)) => {
            let channel = seen.channels.get(&writer.name);
            noticed.is_none_or(|since| *at < since)
                || channel.is_some_and(|channel| channel.applying && unapplied(seen, channel) > 0)
        }
        _ => true,
    }
}

#[cfg(test)]
mod tests;
