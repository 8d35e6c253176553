//! Before a database that exists already joins: everything that would stop it on the way is checked, within
//! seconds. Nothing is written, neither there nor here.

use std::time::Duration;

use cordee_domain::db::freight::Freight;
use cordee_domain::db::newcomer::{Terms, judge};
use cordee_domain::db::verify::OddTables;
use cordee_domain::problem::Problem;
use cordee_domain::text;
use cordee_domain::text::Text;
use cordee_node::{data, dump, invited};
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::board::{Guest, JoinPlan};

use super::Engine;
use super::join::Ground;

/// For all checks together: a refusal comes within five seconds.
const DEADLINE: Duration = Duration::from_millis(4_500);

/// What is known of the donor.
struct Donor {
    ground: Ground,
    version: String,
}

impl Engine {
    /// Returns how a database that exists already would get its data, or every reason why it cannot.
    pub(super) fn invite(&mut self, guest: Guest, reply: oneshot::Sender<Result<JoinPlan, Vec<Problem>>>) {
        let donor = self.ground().map(|ground| {
            let seen = self.observed.databases.get(ground.donor()).and_then(|d| d.value());
            Donor { version: seen.map(|d| d.version.clone()).unwrap_or_default(), ground }
        });
        self.work.spawn(async move {
            let late = || vec![about("address", text!("test-fail-timeout", seconds = DEADLINE.as_secs()))];
            let found = match donor {
                Ok(donor) => timeout(DEADLINE, examine(&guest, donor)).await.unwrap_or_else(|_| Err(late())),
                Err(problem) => Err(vec![problem]),
            };
            let _ = reply.send(found);
        });
    }
}

fn about(field: &str, text: impl Into<Text>) -> Problem {
    Problem::conflict(field, text.into())
}

/// Checks both sides.
async fn examine(guest: &Guest, donor: Donor) -> Result<JoinPlan, Vec<Problem>> {
    let mut problems = Vec::new();
    if !dump::here() {
        problems.push(about("", text!("problem-newcomer-program")));
    }
    let Donor { ground, version } = donor;
    let database = &ground.database;
    let (found, names, tables, load, plan) = tokio::join!(
        invited::ask(&guest.host, guest.port, &guest.login),
        database.name_case(),
        database.odd_tables(),
        database.load(ground.copies_writer()),
        ground.measured()
    );
    let mut plan = plan.map_err(|problem| vec![problem])?;
    match tables {
        // A copy through statements carries the rows of tables in memory.
        Ok(tables) => plan.tables = OddTables { memory: Vec::new(), ..tables },
        Err(why) => problems.push(about("", why)),
    }
    match load {
        Ok(load) => {
            let packet = found.as_ref().ok().and_then(|(_, newcomer)| newcomer.packet);
            plan.freight = Freight::of(load, packet);
            problems.extend(plan.freight.problems(plan.donor.as_str()));
        }
        Err(why) => problems.push(about("", why)),
    }
    match (found, names) {
        (Err(problem), _) => problems.insert(0, problem),
        (_, Err(why)) => problems.push(about("", why)),
        (Ok((at, found)), Ok(names)) => {
            plan.at = Some(at);
            let room = data::room_for(plan.bytes);
            let terms = Terms { id: plan.id, donor: version, names, room };
            let mut own = judge(&found, &terms);
            own.append(&mut problems);
            problems = own;
        }
    }
    if problems.is_empty() { Ok(plan) } else { Err(problems) }
}
