//! Requests that changed the wish, and how far they are.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The progress of a request.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct WishJson {
    /// The revision of the wish.
    pub revision: u64,
    /// What was asked for, in one sentence.
    pub message: String,
    /// `real`: it took effect. `under_way`: not yet; `why` says what it waits for. `failed`: it will not come about by
    /// itself; `why` says why.
    pub state: WishState,
    /// What it waits for, or why it failed.
    pub why: Option<String>,
    /// What is in effect, in one sentence, once it took effect.
    #[serde(default)]
    pub end: Option<String>,
}

/// The progress of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WishState {
    /// It took effect.
    Real,
    /// It has not taken effect yet.
    UnderWay,
    /// It will not come about by itself.
    Failed,
}

/// A request was stored as the new wish; the engine is carrying it out.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Done {
    /// The revision of the wish.
    pub revision: u64,
    /// What was asked for, in one sentence.
    pub message: String,
    /// How far the request is, if the caller asked to wait (`?wait=30s`): `real`, `under_way` or `failed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<WishState>,
    /// What it waits for, or why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

impl Done {
    /// Makes the answer to a request that was carried out, or noted, at once.
    pub fn at(revision: u64, message: String) -> Self {
        Self { revision, message, state: None, why: None }
    }
}
