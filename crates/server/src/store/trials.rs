//! Runs of the comparison of sessions, whole, as they were measured.

use cordee_domain::trial::{End, Run};
use rusqlite::{OptionalExtension as _, params};

use super::{Store, StoreError};
use crate::clock::now;

/// Runs kept.
const KEPT: u64 = 100;

impl Store {
    /// Stores a new run.
    pub fn begin_trial(&self, actor: &str) -> Result<Run, StoreError> {
        let connection = self.lock();
        connection.execute("INSERT INTO trial (run) VALUES ('')", [])?;
        let id = u64::try_from(connection.last_insert_rowid()).unwrap_or(0);
        connection.execute("DELETE FROM trial WHERE id <= ?1", params![id.saturating_sub(KEPT)])?;
        drop(connection);
        let (actor, cells) = (actor.to_owned(), Vec::new());
        let run = Run { id, actor, begun: now(), ended: None, end: End::Running, cells };
        self.keep_trial(&run)?;
        Ok(run)
    }

    /// Stores how far a run is.
    pub fn keep_trial(&self, run: &Run) -> Result<(), StoreError> {
        let text = serde_json::to_string(run)?;
        self.lock().execute("UPDATE trial SET run = ?2 WHERE id = ?1", params![run.id, text])?;
        Ok(())
    }

    /// Marks runs that were under way when Cordée ended.
    pub fn break_trials_off(&self) -> Result<(), StoreError> {
        for mut run in self.trials()?.into_iter().filter(|run| run.end == End::Running) {
            run.end = End::BrokenOff;
            self.keep_trial(&run)?;
        }
        Ok(())
    }

    /// All runs, newest first.
    pub fn trials(&self) -> Result<Vec<Run>, StoreError> {
        let connection = self.lock();
        let mut statement =
            connection.prepare_cached("SELECT run FROM trial WHERE run <> '' ORDER BY id DESC")?;
        let rows = statement.query_map([], |row| row.get::<_, String>(0))?;
        rows.map(|text| Ok(serde_json::from_str(&text?)?)).collect()
    }

    /// One run.
    pub fn trial(&self, id: u64) -> Result<Option<Run>, StoreError> {
        let Ok(id) = i64::try_from(id) else { return Ok(None) };
        let text: Option<String> = self
            .lock()
            .query_row("SELECT run FROM trial WHERE id = ?1 AND run <> ''", params![id], |r| r.get(0))
            .optional()?;
        Ok(text.map(|t| serde_json::from_str(&t)).transpose()?)
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
