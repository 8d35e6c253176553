//! A refusal in the form of RFC 9457.

use serde::Serialize;
use utoipa::ToSchema;

/// The body in the form of RFC 9457, with one more member for the fields.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProblemBody {
    /// The type of the problem: `about:blank` if the status says everything.
    pub r#type: String,
    /// The status in words.
    pub title: String,
    /// The status.
    pub status: u16,
    /// The first reason.
    pub detail: String,
    /// All reasons, each with its field.
    pub errors: Vec<FieldError>,
}

/// One reason at one field.
#[derive(Debug, Serialize, ToSchema)]
pub struct FieldError {
    /// The field's name; empty if no single field is the cause.
    pub field: String,
    /// One sentence.
    pub detail: String,
}
