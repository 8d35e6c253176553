//! HAProxy's files, with explanations.

use cordee_domain::ids::{Millis, PoolId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::words::{DiskWord, PoolWord, ProcessWord};

/// The file of a HAProxy instance as wished, and how the file on disk and the process differ from it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ConfigJson {
    /// The proxy.
    #[schema(value_type = PoolWord)]
    pub proxy: PoolId,
    /// The file as wished.
    pub lines: Vec<LineJson>,
    /// The state of the file on disk.
    pub disk: DiskWord,
    /// The lines in which the file on disk differs.
    pub difference: Vec<OddJson>,
    /// The state of the process.
    pub process: ProcessWord,
    /// How the process differs, or why its state is unknown.
    pub process_says: Vec<String>,
    /// When the process was last observed successfully.
    pub seen_at: Option<Millis>,
    /// The last file that was changed by hand and then overwritten, as long as a copy is kept.
    pub overwritten: Option<OverwrittenJson>,
}

/// One line of a file.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct LineJson {
    /// The line as HAProxy reads it; a secret is masked.
    pub text: String,
    /// What the line does; `null` for an empty line only.
    pub explanation: Option<String>,
    /// What would break without it.
    pub without: Option<String>,
    /// The parts of a `server` line, in order.
    pub words: Vec<WordJson>,
}

/// Some words of a line.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct WordJson {
    /// The words, as they stand in the line.
    pub text: String,
    /// What they do.
    pub explanation: String,
}

/// A line that only one of two texts has: the wished file, or another one.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct OddJson {
    /// Whether the other text adds the line; otherwise the line is missing there.
    pub added: bool,
    /// The line.
    pub text: String,
}

/// A file that was changed by hand and then overwritten.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct OverwrittenJson {
    /// When it was overwritten.
    pub at: Millis,
    /// Where the copy is kept, relative to `CORDEE_HOME`.
    pub file: String,
    /// How it differs from the present wish.
    pub difference: Vec<OddJson>,
}
