//! Runs of the comparison of sessions, stored as a whole with all that was measured.

use cordee_domain::trial::{End, Run};
use cordee_node::clock::now;

use super::runs::TRIALS;
use super::{Store, StoreError};

impl Store {
    /// Stores a new run.
    pub fn begin_trial(&self, actor: &str) -> Result<Run, StoreError> {
        self.begin_run(TRIALS, |id| {
            let (actor, cells) = (actor.to_owned(), Vec::new());
            Run { id, actor, begun: now(), ended: None, end: End::Running, cells }
        })
    }

    /// Stores the present state of a run.
    pub fn keep_trial(&self, run: &Run) -> Result<(), StoreError> {
        self.keep_run(TRIALS, run.id, run)
    }

    /// Marks the runs that were under way when Cordée ended.
    pub fn break_trials_off(&self) -> Result<(), StoreError> {
        for mut run in self.trials()?.into_iter().filter(|run| run.end == End::Running) {
            run.end = End::BrokenOff;
            self.keep_trial(&run)?;
        }
        Ok(())
    }

    /// Returns all runs, newest first.
    pub fn trials(&self) -> Result<Vec<Run>, StoreError> {
        self.runs(TRIALS)
    }

    /// Returns one run.
    pub fn trial(&self, id: u64) -> Result<Option<Run>, StoreError> {
        self.one_run(TRIALS, id)
    }
}

#[cfg(test)]
mod tests {
    use cordee_domain::trial::{Cell, Experiment, Measure, Way};

    use super::*;
    use crate::web::fixture;

    #[test]
    fn a_run_is_read_back_as_it_was_measured_and_broken_off_when_nobody_measures() {
        let (app, _asks, _folder) = fixture::app();
        let store = app.store;
        let mut run = store.begin_trial("ada").unwrap();
        assert_eq!(store.trial(run.id).unwrap(), Some(run.clone()));
        let measure = Measure::Updates { acknowledged: 40, counted: 39 };
        run.cells.push(Cell { way: Way::Unlocked, experiment: Experiment::LostUpdates, at: 5, measure });
        store.keep_trial(&run).unwrap();
        assert_eq!(store.trials().unwrap(), vec![run.clone()]);
        store.break_trials_off().unwrap();
        assert_eq!(store.trial(run.id).unwrap().unwrap().end, End::BrokenOff);
        let next = store.begin_trial("bob").unwrap();
        assert_eq!(store.trials().unwrap().iter().map(|r| r.id).collect::<Vec<_>>(), [next.id, run.id]);
        assert_eq!(store.trial(u64::MAX).unwrap(), None);
    }
}
