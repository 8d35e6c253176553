//! The run of a cluster that `cordee up` began or found: it lasts until all of it is stopped, by anybody.

use std::time::Duration;

use cordee_node::paths::Home;
use cordee_node::roster::Roster;
use tokio::time::sleep;

/// Time between two checks that the run goes on.
pub const RUN_PACE: Duration = Duration::from_secs(1);

/// A cluster that runs, or is about to.
pub struct Begun {
    /// Its folder.
    pub home: Home,
    /// Some of it ran before this command: somebody relies on it.
    pub ran_before: bool,
    /// The identifier of the run that this command began or found.
    pub run: Option<String>,
}

impl Begun {
    /// Reports whether this run was stopped. What was started afterwards belongs to another run. A run that cannot
    /// be looked at may still go on.
    pub fn is_over(&self) -> bool {
        let roster = Roster::of(&self.home);
        roster.run().is_ok_and(|run| run != self.run) || roster.find().is_ok_and(|all| all.is_empty())
    }

    /// Waits until somebody else has stopped it.
    pub async fn over(&self) {
        while !self.is_over() {
            sleep(RUN_PACE).await;
        }
    }
}
