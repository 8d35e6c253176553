//! HAProxy's files, explained.

use cordee_domain::ids::{Millis, PoolId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::words::{DiskWord, PoolWord, ProcessWord};

/// An HAProxy's file as wished, and how file and process differ from it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ConfigJson {
    /// Which.
    #[schema(value_type = PoolWord)]
    pub proxy: PoolId,
    /// The file as wished.
    pub lines: Vec<LineJson>,
    /// The file on disk.
    pub disk: DiskWord,
    /// The lines in which it differs.
    pub difference: Vec<OddJson>,
    /// The process.
    pub process: ProcessWord,
    /// In what it differs, or why it is not known.
    pub process_says: Vec<String>,
    /// When the process was last seen well.
    pub seen_at: Option<Millis>,
    /// The last file that was changed by hand and then overwritten, while it is kept.
    pub overwritten: Option<OverwrittenJson>,
}

/// One line.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct LineJson {
    /// As HAProxy reads it; a secret is masked.
    pub text: String,
    /// What it does; `null` for an empty line only.
    pub explanation: Option<String>,
    /// What would break without it.
    pub without: Option<String>,
    /// A `server` line's words, one after the other.
    pub words: Vec<WordJson>,
}

/// Some words of a line.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct WordJson {
    /// As they stand there.
    pub text: String,
    /// What they do.
    pub explanation: String,
}

/// A line that the wish and another text do not share.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct OddJson {
    /// Added, or taken away.
    pub added: bool,
    /// The line.
    pub text: String,
}

/// A file that was changed by hand and then overwritten.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct OverwrittenJson {
    /// When.
    pub at: Millis,
    /// Where it is kept, relative to `CORDEE_HOME`.
    pub file: String,
    /// How it differs from the wish of today.
    pub difference: Vec<OddJson>,
}
