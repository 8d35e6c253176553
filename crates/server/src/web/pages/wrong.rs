//! The problems of a form, at its fields.

use cordee_domain::problem::Problem;

use crate::words::Lang;

/// Fields and their problems, in the reader's language.
#[derive(Debug, Default)]
pub(super) struct Wrong(Vec<(String, String)>);

impl Wrong {
    /// Puts each problem at its field.
    pub(super) fn of(problems: &[Problem], lang: Lang) -> Self {
        Self(problems.iter().map(|p| (p.field.clone(), lang.say(&p.text))).collect())
    }

    /// Returns the problem of a field; of several problems the first.
    pub(super) fn at(&self, field: &str) -> Option<&str> {
        self.0.iter().find(|(f, _)| f == field).map(|(_, says)| says.as_str())
    }

    /// Returns all problems that [`Self::at`] does not return for these fields: those of no field, and the second
    /// problem of a field.
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

    /// Returns the first problem that belongs to none of these fields.
    pub(super) fn other(&self, fields: &[&str]) -> Option<&str> {
        self.0.iter().find(|(f, _)| !fields.contains(&f.as_str())).map(|(_, says)| says.as_str())
    }

    /// Returns the field that has the focus: the first wrong field in the form's order, else the form's first
    /// field.
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
