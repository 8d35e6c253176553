//! A question before an act, as a dialog or a page shows it.

use serde::Serialize;

/// The question, ready for a dialog or a page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Question {
    /// The title: verb and name.
    pub title: String,
    /// What happens to visitors.
    pub lead: String,
    /// Further consequences; may be empty.
    pub more: String,
    /// The lines "before", "after" and "way back".
    pub facts: Vec<(String, String)>,
    /// The button: verb and name.
    pub button: String,
    /// The button's icon.
    pub icon: &'static str,
    /// The form's target.
    pub action: String,
    /// The act takes something away: the button has the colour of danger.
    pub danger: bool,
    /// The name that has to be typed, when visitors would be left without a site, or data could be missing.
    pub type_name: Option<String>,
    /// The sentence that has to be ticked, too; empty when the name is enough.
    pub know: String,
}
