//! The tokens of programs.

use cordee_domain::ids::Millis;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The tokens.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct TokensJson {
    /// The tokens, ordered by name.
    pub tokens: Vec<TokenJson>,
}

/// A token. The secret itself is shown once, to whoever makes the token.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct TokenJson {
    /// Its name, which appears in the journal as `token:NAME`.
    pub name: String,
    /// When it was made: milliseconds since 1970, UTC.
    pub created: Millis,
    /// When it was last used, to the minute; `null` if never.
    pub used: Option<Millis>,
    /// From when on it is refused; `null` means never.
    pub expires: Option<Millis>,
    /// Whether it has expired, and is refused.
    pub expired: bool,
}

/// A token that was revoked.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct RevokedJson {
    /// Its name, as it was stored.
    pub name: String,
    /// The same in a sentence.
    pub message: String,
}
