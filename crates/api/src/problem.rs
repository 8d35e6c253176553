//! A refusal, as RFC 9457 has it.

use serde::Serialize;
use utoipa::ToSchema;

/// The body, as RFC 9457 has it, with one more member for the fields.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProblemBody {
    /// What kind: `about:blank` when the status says it all.
    pub r#type: String,
    /// The status in words.
    pub title: String,
    /// The status.
    pub status: u16,
    /// The first reason.
    pub detail: String,
    /// Every reason, at its field.
    pub errors: Vec<FieldError>,
}

/// One reason at one field.
#[derive(Debug, Serialize, ToSchema)]
pub struct FieldError {
    /// The field's name; empty when no single one is to blame.
    pub field: String,
    /// One sentence.
    pub detail: String,
}
