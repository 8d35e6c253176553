//! Which databases a change of writer must look at next.

use crate::desired::Desired;
use crate::ids::{Millis, ServerName};
use crate::observed::Observed;
use crate::seen::Seen;

use super::Channel;
use super::failover::{at_rest, unapplied};

/// Reports whether a change of writer that was noticed at `noticed` waits for the next look at that database. A look
/// is not needed if the database was looked at since, receives nothing more from the lost writer, and has nothing
/// left to apply from it. Nine databases that are all looked at in haste keep each other from their work.
pub fn awaited(desired: &Desired, observed: &Observed, name: &ServerName, noticed: Option<Millis>) -> bool {
    let Some(writer) = desired.writer_server().filter(|w| desired.handover.is_none() && w.name != *name)
    else {
        return true;
    };
    match observed.databases.get(name) {
        Some(Seen::At(at, seen)) => {
            let former = observed.process(&writer.process());
            let gone = former.leader.is_none();
            let tells = |channel: &Channel| {
                gone && !at_rest(channel, *at, former.ended_at)
                    || channel.applying && unapplied(seen, channel) > 0
            };
            noticed.is_none_or(|since| *at < since) || seen.channels.get(&writer.name).is_some_and(tells)
        }
        _ => true,
    }
}

#[cfg(test)]
mod tests;
