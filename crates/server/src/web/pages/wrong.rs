//! What is wrong with a form, at its fields.

use cordee_domain::problem::Problem;

use crate::words::Lang;

/// Fields and what is wrong with them, in the reader's language.
#[derive(Debug, Default)]
pub(super) struct Wrong(Vec<(String, String)>);

impl Wrong {
    /// Each problem at its field.
    pub(super) fn of(problems: &[Problem], lang: Lang) -> Self {
        Self(problems.iter().map(|p| (p.field.clone(), lang.say(&p.text))).collect())
    }

    /// What is wrong with a field; of several things the first.
    pub(super) fn at(&self, field: &str) -> Option<&str> {
        self.0.iter().find(|(f, _)| f == field).map(|(_, says)| says.as_str())
    }

    /// All that [`Self::at`] does not say of these fields: what belongs to none, and a field's second reason.
    pub(super) fn others(&self, fields: &[&str]) -> Vec<&str> {
        let first = |place: usize, field: &str| self.0.iter().position(|(f, _)| f == field) == Some(place);
        let shown = |place: usize, field: &str| fields.contains(&field) && first(place, field);
        self.0
            .iter()
            .enumerate()
            .filter(|(i, (f, _))| !shown(*i, f))
            .map(|(_, (_, says))| says.as_str())
            .collect()
    }

    /// The first thing that belongs to none of these fields.
    pub(super) fn other(&self, fields: &[&str]) -> Option<&str> {
        self.0.iter().find(|(f, _)| !fields.contains(&f.as_str())).map(|(_, says)| says.as_str())
    }

    /// The field that has the focus: the first wrong one in the form's order, else the form's first.
    pub(super) fn focus<'a>(&self, fields: &[&'a str]) -> &'a str {
        let wrong = fields.iter().find(|f| self.at(f).is_some());
        wrong.or(fields.first()).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use cordee_domain::text;

    use super::*;

    #[test]
    fn each_thing_that_is_wrong_is_said_once() {
        let wrong = |field: &str| Problem::invalid(field, text!("problem-flag"));
        let fields = ["name", "port"];
        let nothing = Wrong::of(&[], Lang::En);
        assert_eq!((nothing.at("name"), nothing.focus(&fields)), (None, "name"));
        assert!(nothing.others(&fields).is_empty());
        let all = Wrong::of(&[wrong(""), wrong("port"), wrong("port")], Lang::En);
        assert_eq!((all.at("name"), all.focus(&fields)), (None, "port"));
        assert!(all.at("port").is_some());
        assert_eq!(all.others(&fields).len(), 2);
        assert_eq!((all.other(&fields).is_some(), all.other(&["", "port"])), (true, None));
    }
}
