//! The comparison of ways to keep sessions.

use cordee_domain::ids::Millis;
use cordee_domain::trial::{Experiment, Measure, MeasureResult, Way};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::words::{ExperimentWord, RunState, VerdictWord, WayWord};

/// One run.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct TrialJson {
    /// Grows by one with each run.
    pub id: u64,
    /// Who asked for it.
    pub actor: String,
    /// When it began: milliseconds since 1970, UTC.
    pub begun: Millis,
    /// When it ended.
    pub ended: Option<Millis>,
    /// The state of the run.
    pub state: RunState,
    /// The state in a sentence.
    pub says: String,
    /// How many of the `of` cells have been measured so far.
    pub done: usize,
    /// Cells in all.
    pub of: usize,
    /// The measured cells, in the order in which they were measured.
    pub cells: Vec<CellJson>,
}

/// One cell of the table.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct CellJson {
    /// The column.
    #[schema(value_type = WayWord)]
    pub way: Way,
    /// The column's name.
    pub way_name: String,
    /// The row.
    #[schema(value_type = ExperimentWord)]
    pub experiment: Experiment,
    /// The row's name.
    pub experiment_name: String,
    /// How it is measured.
    pub how: String,
    /// When: milliseconds since 1970, UTC.
    pub at: Millis,
    /// The verdict on the measurement.
    #[schema(value_type = VerdictWord)]
    pub verdict: MeasureResult,
    /// The expected verdict; figures have none.
    #[schema(value_type = Option<VerdictWord>)]
    pub expected: Option<MeasureResult>,
    /// What was counted, in a sentence.
    pub says: String,
    /// What was counted: `measure` names the kind, the other members are its counts.
    #[schema(value_type = Object)]
    pub counted: Measure,
}

/// The id of a run.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
pub struct RunId {
    /// Its id.
    pub id: u64,
}

/// Whether there was a run to cancel.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
pub struct Cancelled {
    /// Whether a run was cancelled.
    pub cancelled: bool,
}
