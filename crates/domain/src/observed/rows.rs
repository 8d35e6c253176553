//! What is known of a database's rows: of the one with that id, not of whoever has its name.

use serde::{Deserialize, Serialize};

use super::Observed;
use crate::db::verify::{Report, Side};
use crate::desired::{Database, Desired, Doubt};
use crate::ids::{Millis, ServerName};
use crate::text::Text;

/// A comparison of one database's rows with the writer's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comparison {
    /// The id of the database that it is about: what was asked of one is not done to another by its name.
    pub id: u32,
    /// A person asked for one.
    pub wanted: bool,
    /// A person asked that what differs be put right, by this side.
    pub repair: Option<Side>,
    /// The epoch in which that was asked. Once another database writes, that side is another one.
    pub asked_in: u64,
    /// Rows compared so far, while one is under way.
    pub running: Option<u64>,
    /// The last one that came to an end, and for which id of the server it was.
    pub last: Option<(u32, Report)>,
    /// Why the last one did not come to an end, if it did not.
    pub failed: Option<(Millis, Text)>,
    /// How many in a row, the last one included, left something open that the next one may tell.
    pub unsettled: u32,
}

impl Comparison {
    /// The last one that came to an end, if it was of the server with that id.
    pub fn of(&self, id: u32) -> Option<&Report> {
        self.last.as_ref().filter(|(of, _)| *of == id).map(|(_, report)| report)
    }
}

impl Comparison {
    /// The last one of the server with that id, if it began at `since` or later.
    pub fn since(&self, id: u32, since: Millis) -> Option<&Report> {
        self.last.as_ref().filter(|(of, report)| *of == id && report.at_start >= since).map(|(_, r)| r)
    }
}

impl Comparison {
    /// A repair that was asked for in that epoch, by this side.
    pub fn repair_in(&self, epoch: u64) -> Option<Side> {
        self.repair.filter(|_| self.asked_in == epoch)
    }
}

impl Observed {
    /// What is known of the rows of that very database.
    pub fn comparison(&self, server: Database<'_>) -> Option<&Comparison> {
        self.comparisons.get(&server.name).filter(|c| c.id == server.id)
    }

    /// The same, to be noted; what was known of another one by its name is forgotten.
    pub fn comparison_of(&mut self, name: &ServerName, id: u32) -> &mut Comparison {
        let known = self.comparisons.entry(name.clone()).or_default();
        if known.id != id {
            *known = Comparison { id, ..Comparison::default() };
        }
        known
    }

    /// Why a database's rows are in doubt; nothing once a comparison that began later has ended. One that lacks rows,
    /// as far as is known, stays in doubt while any of its tables is unproven.
    pub fn doubt<'a>(&self, desired: &'a Desired, server: Database<'_>) -> Option<&'a Doubt> {
        let doubt = desired.doubts.get(&server.id)?;
        let compared = self.comparison(server).and_then(|c| c.since(server.id, doubt.since));
        compared.is_none_or(|report| doubt.lacks && report.unproven() > 0).then_some(doubt)
    }

    /// Whether a database lacks acknowledged rows, as far as is known.
    pub fn lacks(&self, desired: &Desired, server: Database<'_>) -> bool {
        let Some(doubt) = desired.doubts.get(&server.id).filter(|d| d.lacks) else { return false };
        let compared = self.comparison(server).and_then(|c| c.since(server.id, doubt.since));
        compared.is_none_or(|report| !report.equal())
    }
}
