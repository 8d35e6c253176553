//! A refusal, in words for the person who asked.

use serde::{Deserialize, Serialize};

use crate::text::Text;

/// Why a wish was refused, and at which field of the form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// The input that caused it: `name`, `address`, `port`, `cookie`; empty when no single one did.
    pub field: String,
    /// One sentence.
    pub text: Text,
    /// What kind of refusal, for the HTTP status.
    pub kind: Kind,
}

/// The kinds of refusal that a caller must tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The input itself is wrong (HTTP 422).
    Invalid,
    /// Nothing of that name is here (HTTP 404).
    Unknown,
    /// Right in itself, but not with what is here already (HTTP 409).
    Conflict,
}

impl Problem {
    /// The input at `field` is wrong.
    pub fn invalid(field: &str, text: Text) -> Self {
        Self { field: field.to_owned(), text, kind: Kind::Invalid }
    }

    /// What was named is not here.
    pub fn unknown(field: &str, text: Text) -> Self {
        Self { field: field.to_owned(), text, kind: Kind::Unknown }
    }

    /// It contradicts what is here.
    pub fn conflict(field: &str, text: Text) -> Self {
        Self { field: field.to_owned(), text, kind: Kind::Conflict }
    }
}
