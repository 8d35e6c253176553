//! Leftovers, the journal, and the settings of a whole pool.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::view::EventJson;
use crate::words::{RoutingWord, SessionMode};

/// What "clean configuration" found.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct CleanJson {
    /// Whether it was removed; `false` for a dry run.
    pub applied: bool,
    /// Things that no wish explains.
    pub items: Vec<LeftoverJson>,
    /// Things that are not Cordée's, and stay where they are.
    pub foreign: Vec<LeftoverJson>,
}

/// A thing that no wish explains, or that is not Cordée's.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct LeftoverJson {
    /// Where it is, relative to `CORDEE_HOME`.
    pub path: String,
    /// What it is, and why it may be removed or stays.
    pub why: String,
    /// Its size.
    pub bytes: u64,
}

/// A page of the journal, newest line first.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct HistoryJson {
    /// The lines.
    pub events: Vec<EventJson>,
    /// The value of `before` for the next, older page; `null` at the end.
    pub next: Option<u64>,
}

/// Which databases take writes.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RoutingJson {
    /// `one-writer` or `all-writers`.
    #[schema(value_type = RoutingWord)]
    pub routing: String,
}

/// Where sessions are kept.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SessionJson {
    /// `proxy` or `database`.
    #[schema(value_type = SessionMode)]
    pub mode: String,
}
