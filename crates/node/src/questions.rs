//! The numbers of Cordée's own questions at the site's address.

use std::path::PathBuf;

use crate::files;
use crate::paths::Home;

/// The questions are numbered, through all starts of Cordée, in a file: so the next one knows which may be under way.
#[derive(Debug)]
pub struct Numbers {
    last: u64,
    file: PathBuf,
}

impl Numbers {
    /// The next one follows the last that was asked.
    pub fn after_the_last(home: &Home) -> Self {
        Self { last: last_question(home), file: home.own_questions() }
    }

    /// The number of the next question. Where it cannot be written down it is given all the same.
    pub fn next_number(&mut self) -> u64 {
        self.last += 1;
        if let Err(error) = std::fs::write(&self.file, self.last.to_string()) {
            tracing::debug!(error = &error as &dyn std::error::Error, "numbering a question");
        }
        self.last
    }
}

/// The number of the last question that was asked.
pub fn last_question(home: &Home) -> u64 {
    files::plain_text(&home.own_questions()).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0)
}
