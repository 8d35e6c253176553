//! Runs of lengthy jobs, each stored as a whole: comparisons of sessions and failover drills, each kind in a table
//! of its own.

use std::collections::BTreeSet;

use rusqlite::{OptionalExtension as _, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Store, StoreError};

/// How many runs of each kind are kept.
const KEPT: u64 = 100;

/// The numbers of the runs that are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeptRuns {
    /// Failover drills.
    pub drills: BTreeSet<u64>,
    /// Comparisons of sessions.
    pub comparisons: BTreeSet<u64>,
}

/// The table of a kind. Its name is put into SQL text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Runs(&'static str);

/// Failover drills.
pub(super) const DRILLS: Runs = Runs("drill");
/// Comparisons of sessions.
pub(super) const TRIALS: Runs = Runs("trial");

impl Store {
    /// Stores a new run, made by `make` with its id.
    pub(super) fn begin_run<R: Serialize>(
        &self,
        Runs(table): Runs,
        make: impl FnOnce(u64) -> R,
    ) -> Result<R, StoreError> {
        let mut connection = self.lock();
        let transaction = connection.transaction()?;
        transaction.execute(&format!("INSERT INTO {table} (run) VALUES ('')"), [])?;
        let id = u64::try_from(transaction.last_insert_rowid()).unwrap_or(0);
        let old = id.saturating_sub(KEPT);
        transaction.execute(&format!("DELETE FROM {table} WHERE id <= ?1"), params![old])?;
        let run = make(id);
        let text = serde_json::to_string(&run)?;
        transaction.execute(&format!("UPDATE {table} SET run = ?2 WHERE id = ?1"), params![id, text])?;
        transaction.commit()?;
        Ok(run)
    }

    /// Stores the present state of a run.
    pub(super) fn keep_run(
        &self,
        Runs(table): Runs,
        id: u64,
        run: &impl Serialize,
    ) -> Result<(), StoreError> {
        let text = serde_json::to_string(run)?;
        self.lock().execute(&format!("UPDATE {table} SET run = ?2 WHERE id = ?1"), params![id, text])?;
        Ok(())
    }

    /// Returns all runs, newest first.
    pub(super) fn runs<R: DeserializeOwned>(&self, Runs(table): Runs) -> Result<Vec<R>, StoreError> {
        let connection = self.lock();
        let query = format!("SELECT run FROM {table} WHERE run <> '' ORDER BY id DESC");
        let mut statement = connection.prepare_cached(&query)?;
        let rows = statement.query_map([], |row| row.get::<_, String>(0))?;
        rows.map(|text| Ok(serde_json::from_str(&text?)?)).collect()
    }

    /// Returns the numbers of the runs that are kept.
    pub fn kept_runs(&self) -> Result<KeptRuns, StoreError> {
        let of = |Runs(table): Runs| -> Result<BTreeSet<u64>, StoreError> {
            let connection = self.lock();
            let mut statement =
                connection.prepare_cached(&format!("SELECT id FROM {table} WHERE run <> ''"))?;
            let ids = statement.query_map([], |row| row.get(0))?;
            Ok(ids.collect::<Result<_, _>>()?)
        };
        Ok(KeptRuns { drills: of(DRILLS)?, comparisons: of(TRIALS)? })
    }

    /// Returns one run.
    pub(super) fn one_run<R: DeserializeOwned>(
        &self,
        Runs(table): Runs,
        id: u64,
    ) -> Result<Option<R>, StoreError> {
        let Ok(id) = i64::try_from(id) else { return Ok(None) };
        let query = format!("SELECT run FROM {table} WHERE id = ?1 AND run <> ''");
        let text: Option<String> = self.lock().query_row(&query, params![id], |r| r.get(0)).optional()?;
        Ok(text.map(|t| serde_json::from_str(&t)).transpose()?)
    }
}
