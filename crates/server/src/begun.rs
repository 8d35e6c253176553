//! The run of a cluster that `cordee up` began, or found: it goes on until all of it is stopped, by whomever.

use std::time::Duration;

use cordee_node::paths::Home;
use cordee_node::roster::Roster;
use tokio::time::sleep;

/// Between two looks at whether the run goes on.
pub const RUN_PACE: Duration = Duration::from_secs(1);

/// A cluster that runs, or is about to.
pub struct Begun {
    /// Its folder.
    pub home: Home,
    /// Some of it ran before this command: somebody counts on it.
    pub ran_before: bool,
    /// The word of the run that this command began, or found.
    pub run: Option<String>,
}

impl Begun {
    /// Whether this run was stopped. What was started after that is another one's. What cannot be looked at may go on.
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
