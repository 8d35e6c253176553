//! What was asked, and how far it is.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How far a wish is.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct WishJson {
    /// Its revision.
    pub revision: u64,
    /// What was asked, in one sentence.
    pub message: String,
    /// `real`: it is so. `under_way`: not yet, `why` says what it waits for. `failed`: it will not come about by
    /// itself, `why` says why.
    pub state: WishState,
    /// What it waits for, or why it failed.
    pub why: Option<String>,
    /// What is so, in one sentence, once it is.
    #[serde(default)]
    pub end: Option<String>,
}

/// The states of a wish.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WishState {
    /// It is so.
    Real,
    /// Not yet.
    UnderWay,
    /// It will not come about by itself.
    Failed,
}

/// A wish was written down; the engine is on its way.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Done {
    /// Revision of the wish.
    pub revision: u64,
    /// What was asked, in one sentence.
    pub message: String,
    /// How far it is, for one who asked to wait (`?wait=30s`): `real`, `under_way` or `failed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<WishState>,
    /// What it waits for, or why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

impl Done {
    /// Something that was done, or noted, at once.
    pub fn at(revision: u64, message: String) -> Self {
        Self { revision, message, state: None, why: None }
    }
}
