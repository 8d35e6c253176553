//! What the command line of `cargo test` asks for.

use crate::suite::{Case, File};

/// Which cases, and how.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Only say which there are.
    pub list: bool,
    /// This process is one of the runner's: it runs these files on one cluster, and prints.
    pub child: Vec<String>,
    /// At most so many files at a time.
    pub lanes: Option<usize>,
    exact: bool,
    names: Vec<String>,
}

impl Wanted {
    /// Reads arguments as Rust's own test harness knows them; what it does not know is left alone.
    pub fn read(arguments: impl IntoIterator<Item = String>) -> Self {
        let mut wanted = Self::default();
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            let (flag, value) = match argument.split_once('=') {
                Some((flag, value)) => (flag, Some(value.to_owned())),
                None => (argument.as_str(), None),
            };
            let mut value = || value.clone().or_else(|| arguments.next()).unwrap_or_default();
            match flag {
                "--list" => wanted.list = true,
                "--exact" => wanted.exact = true,
                "--test-threads" => wanted.lanes = value().parse().ok().filter(|n| *n > 0),
                "--child" => wanted.child = value().split(',').map(str::to_owned).collect(),
                "--format" | "--color" => drop(value()),
                flag if flag.starts_with('-') => {}
                _ => wanted.names.push(argument),
            }
        }
        wanted
    }

    /// A name that is a file's means that file, and not every case whose name it is a part of.
    pub fn resolve(&mut self, files: &[&str]) {
        for name in self.names.iter_mut().filter(|name| files.contains(&name.as_str())) {
            name.push_str("::");
        }
    }

    /// What is said to a child, beside its files.
    pub fn for_child(&self) -> Vec<String> {
        let exact = self.exact.then(|| "--exact".to_owned());
        exact.into_iter().chain(self.names.iter().cloned()).collect()
    }

    /// Whether everything is wanted.
    pub fn all(&self) -> bool {
        self.names.is_empty()
    }

    /// The cases of a file that are wanted: `FILE`, `FILE::CASE`, `CASE`; of a case's name a part is enough.
    pub fn cases_of(&self, file: &File) -> Vec<Case> {
        file.cases.iter().copied().filter(|case| self.takes(file.name, case.name)).collect()
    }

    fn takes(&self, file: &str, case: &str) -> bool {
        let named = |name: &str| if self.exact { name == case } else { case.contains(name) };
        let wanted = |name: &String| match name.split_once("::") {
            Some((in_file, name)) => in_file == file && (name.is_empty() || named(name)),
            None => named(name),
        };
        self.all() || self.names.iter().any(wanted)
    }
}

#[cfg(test)]
mod tests {
    use super::Wanted;

    fn wanted(line: &str) -> Wanted {
        Wanted::read(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn a_case_is_named_by_its_file_by_a_part_or_by_both() {
        for (line, file, case, taken) in [
            ("", "death", "frozen_one", true),
            ("death", "death", "anything", true),
            ("death", "failover", "a_death", false),
            ("frozen", "death", "a_frozen_one", true),
            ("frozen", "death", "a_dead_one", false),
            ("death::frozen", "death", "a_frozen_one", true),
            ("death::frozen", "failover", "a_frozen_one", false),
            ("death::", "death", "anything", true),
            ("join::", "join_killed", "anything", false),
            ("--exact death::frozen", "death", "a_frozen_one", false),
            ("--exact death::frozen", "death", "frozen", true),
            ("frozen locked", "failover", "a_locked_one", true),
        ] {
            let mut wanted = wanted(line);
            wanted.resolve(&["death", "failover", "join"]);
            assert_eq!(wanted.takes(file, case), taken, "{line}: {file}::{case}");
        }
    }

    #[test]
    fn values_are_read_in_both_forms() {
        assert_eq!(wanted("--test-threads=1").lanes, Some(1));
        assert_eq!(wanted("--test-threads 1 page").lanes, Some(1));
        assert_eq!(wanted("--test-threads 1 page").names, ["page"]);
        assert_eq!(wanted("--child=a,b x").child, ["a", "b"]);
        assert_eq!(wanted("--color never --nocapture x").names, ["x"]);
    }
}
