//! Databases that stopped receiving for a step of Cordée's. The writer waits for no ACK from them, and for no ACK at
//! all if no standby is connected (`wait_no_slave=0`): a promise relies on the standbys that receive.

use super::Observed;
use crate::db::Thread;
use crate::desired::Desired;
use crate::ids::{Millis, ServerName};
use crate::step::Step;

impl Observed {
    /// Records that a step begins for which a database stops receiving. Once all standbys that a promise relies on
    /// have stopped, the promise is void: the writer has no standby to wait for, and acknowledges at once.
    pub fn stops_receiving(&mut self, step: &Step) {
        if !step.stops_receiving() {
            return;
        }
        let Step::Sql(step) = step else { return };
        self.deaf.insert(step.on().clone(), true);
        let deaf = &self.deaf;
        self.promise.take_if(|promise| promise.standbys.iter().all(|standby| deaf.contains_key(standby)));
    }

    /// Records that such a step has ended.
    pub fn may_receive(&mut self, step: &Step) {
        if let Step::Sql(step) = step
            && let Some(under_way) = self.deaf.get_mut(step.on())
        {
            *under_way = false;
        }
    }

    /// Removes the databases that were seen to receive from the writer again, by a look made after the step.
    pub fn receives_again(&mut self, desired: &Desired, now: Millis) {
        // The writer sends no ACK to itself.
        let receives = |name: &ServerName| {
            if desired.is_writer(name) {
                return true;
            }
            let seen = self.databases.get(name).and_then(|seen| seen.value());
            let channel = desired.writer.as_ref().and_then(|writer| seen?.channels.get(writer));
            channel.is_some_and(|channel| channel.receiving == Thread::Running)
        };
        let before = self.deaf.len();
        let deaf = std::mem::take(&mut self.deaf);
        let still = |name: &ServerName, under_way: bool| {
            desired.database(name).is_some() && (under_way || !receives(name))
        };
        self.deaf = deaf.into_iter().filter(|(name, under_way)| still(name, *under_way)).collect();
        if self.deaf.len() < before {
            self.heard_again = Some(now);
        }
    }
}

#[cfg(test)]
mod tests;
