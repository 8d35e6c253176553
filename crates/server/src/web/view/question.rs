//! A question before something is done, as a dialog or a page shows it.

use serde::Serialize;

/// The question, ready for a dialog or a page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Question {
    /// Verb and name.
    pub title: String,
    /// What happens to visitors.
    pub lead: String,
    /// What else to know; may be empty.
    pub more: String,
    /// Before, after, way back.
    pub facts: Vec<(String, String)>,
    /// The button: verb and name.
    pub button: String,
    /// Its shape.
    pub icon: &'static str,
    /// Where the form goes.
    pub action: String,
    /// It takes something away: the button is in the colour of danger.
    pub danger: bool,
    /// The name to type, when visitors would be left without a site, or data could be missing.
    pub type_name: Option<String>,
    /// What is ticked besides; empty when the name is enough.
    pub know: String,
}
