//! What is known about a database's rows. It applies to the database with that id, not to another one with the same
//! name.

use serde::{Deserialize, Serialize};

use super::Observed;
use crate::db::verify::{Report, Side};
use crate::desired::{Database, Desired, Doubt};
use crate::ids::{Millis, ServerName};
use crate::text::Text;

/// A comparison of one database's rows with the writer's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comparison {
    /// The id of the database. A request for one database is never carried out on another one with the same name.
    pub id: u32,
    /// Whether a person asked for a comparison.
    pub wanted: bool,
    /// The side whose rows to keep, if a person asked for a repair of the differences.
    pub repair: Option<Side>,
    /// The epoch in which the repair was asked for. Once another database is the writer, the side means something
    /// else.
    pub asked_in: u64,
    /// Rows compared so far, while one is under way.
    pub running: Option<u64>,
    /// The last comparison that was finished, and the id of the server that it was for.
    pub last: Option<(u32, Report)>,
    /// Why the last comparison was not finished, if it was not.
    pub failed: Option<(Millis, Text)>,
    /// How many consecutive comparisons, the last one included, left something open that the next one may settle.
    pub unsettled: u32,
}

impl Comparison {
    /// Returns the last finished comparison, if it was for the server with that id.
    pub fn of(&self, id: u32) -> Option<&Report> {
        self.last.as_ref().filter(|(of, _)| *of == id).map(|(_, report)| report)
    }
}

impl Comparison {
    /// Returns the last finished comparison for the server with that id, if it began at `since` or later.
    pub fn since(&self, id: u32, since: Millis) -> Option<&Report> {
        self.last.as_ref().filter(|(of, report)| *of == id && report.at_start >= since).map(|(_, r)| r)
    }
}

impl Comparison {
    /// Returns the side to keep, if a repair was asked for in that epoch.
    pub fn repair_in(&self, epoch: u64) -> Option<Side> {
        self.repair.filter(|_| self.asked_in == epoch)
    }
}

impl Observed {
    /// Returns what is known about the rows of exactly that database.
    pub fn comparison(&self, server: Database<'_>) -> Option<&Comparison> {
        self.comparisons.get(&server.name).filter(|c| c.id == server.id)
    }

    /// Returns the same for update; what was known about another database of that name is dropped.
    pub fn comparison_of(&mut self, name: &ServerName, id: u32) -> &mut Comparison {
        let known = self.comparisons.entry(name.clone()).or_default();
        if known.id != id {
            *known = Comparison { id, ..Comparison::default() };
        }
        known
    }

    /// Returns why a database's rows are in doubt; `None` once a comparison that began later has finished. A
    /// database that lacks rows, as far as is known, stays in doubt while any of its tables is unproven.
    pub fn doubt<'a>(&self, desired: &'a Desired, server: Database<'_>) -> Option<&'a Doubt> {
        let doubt = desired.doubts.get(&server.id)?;
        let compared = self.comparison(server).and_then(|c| c.since(server.id, doubt.since));
        compared.is_none_or(|report| doubt.lacks && report.unproven() > 0).then_some(doubt)
    }

    /// Reports whether a database lacks acknowledged rows, as far as is known.
    pub fn lacks(&self, desired: &Desired, server: Database<'_>) -> bool {
        let Some(doubt) = desired.doubts.get(&server.id).filter(|d| d.lacks) else { return false };
        let compared = self.comparison(server).and_then(|c| c.since(server.id, doubt.since));
        compared.is_none_or(|report| !report.equal())
    }
}
