//! The numbers of Cordée's own questions at the site's address.

use std::path::PathBuf;

use crate::files;
use crate::paths::Home;

/// Numbers the questions. The last number is kept in a file across restarts, so that the next Cordée knows which
/// questions may still be under way.
#[derive(Debug)]
pub struct Numbers {
    last: u64,
    file: PathBuf,
}

impl Numbers {
    /// Continues after the last number that was used.
    pub fn after_the_last(home: &Home) -> Self {
        Self { last: last_question(home), file: home.own_questions() }
    }

    /// Returns the number of the next question, even if it cannot be written to the file.
    pub fn next_number(&mut self) -> u64 {
        self.last += 1;
        if let Err(error) = std::fs::write(&self.file, self.last.to_string()) {
            tracing::debug!(error = &error as &dyn std::error::Error, "numbering a question");
        }
        self.last
    }
}

/// Returns the number of the last question that was asked.
pub fn last_question(home: &Home) -> u64 {
    files::plain_text(&home.own_questions()).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0)
}
