//! The tokens of programs.

use cordee_domain::ids::Millis;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The tokens.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct TokensJson {
    /// By name.
    pub tokens: Vec<TokenJson>,
}

/// One token. What it is made of is shown once, to whoever makes it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct TokenJson {
    /// Its name: it stands in the journal as `token:NAME`.
    pub name: String,
    /// When it was made: milliseconds since 1970, UTC.
    pub created: Millis,
    /// When it was last used, to the minute; `null` when never.
    pub used: Option<Millis>,
    /// From when on it is refused; `null`: never.
    pub expires: Option<Millis>,
    /// It is out of date, and refused.
    pub expired: bool,
}

/// A token that was taken back.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct RevokedJson {
    /// Its name, as it was written.
    pub name: String,
    /// The same in a sentence.
    pub message: String,
}
