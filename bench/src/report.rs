//! The tables: what was measured, against what, and whether it is good enough. One section per part.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

const HEAD: &str = "# Figures

Written by `cargo run --release -p cordee-bench`; a part that runs alone replaces its own section only. Ratios compare
values of the same run; A/A is the same thing measured twice and tells how much of a ratio is noise. A spread is the
median (lower to upper quartile, all values, count).
";

/// The rows of one part, in the order in which they were measured.
#[derive(Debug)]
pub struct Report {
    title: &'static str,
    load_before: String,
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    what: &'static str,
    figure: String,
    demand: String,
    kept: Option<bool>,
}

impl Report {
    /// An empty one.
    pub fn new(title: &'static str) -> Self {
        Self { title, load_before: load_average(), rows: Vec::new() }
    }

    /// A figure with a demand on it.
    pub fn judge(&mut self, what: &'static str, figure: String, demand: &str, kept: bool) {
        self.add(Row { what, figure, demand: demand.to_owned(), kept: Some(kept) });
    }

    /// A figure that explains another.
    pub fn note(&mut self, what: &'static str, figure: String) {
        self.add(Row { what, figure, demand: String::new(), kept: None });
    }

    fn add(&mut self, row: Row) {
        eprintln!("{}: {}", row.what, row.figure);
        self.rows.push(row);
    }

    /// Prints the section, puts it into `bench/results/latest.md` in the place of the same part's former one, and says
    /// whether every demand was kept.
    pub fn publish(&self) -> bool {
        let text = self.markdown();
        println!("{text}");
        let path = results();
        let mut sections = sections(&std::fs::read_to_string(&path).unwrap_or_default());
        sections.insert(self.title.to_owned(), text);
        let all: Vec<&str> = sections.values().map(String::as_str).collect();
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("bench/results");
        std::fs::write(&path, format!("{HEAD}\n{}", all.join("\n"))).expect("bench/results/latest.md");
        self.rows.iter().all(|r| r.kept != Some(false))
    }

    fn markdown(&self) -> String {
        let mut text = format!(
            "## {}\n\n{},\n{};\nload average {} before and {} after.\n\n\
             | What | Measured | Demand | Kept |\n|---|---|---|---|\n",
            self.title,
            date(),
            machine(),
            self.load_before,
            load_average()
        );
        for row in &self.rows {
            let kept = match row.kept {
                Some(true) => "yes",
                Some(false) => "**no**",
                None => "",
            };
            let _ = writeln!(text, "| {} | {} | {} | {kept} |", row.what, row.figure, row.demand);
        }
        text
    }
}

fn results() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("results/latest.md")
}

/// The sections of a file by their titles, each with its heading.
fn sections(text: &str) -> BTreeMap<String, String> {
    let mut all: BTreeMap<String, String> = BTreeMap::new();
    let mut title = None;
    for line in text.lines() {
        if let Some(found) = line.strip_prefix("## ") {
            title = Some(found.to_owned());
        }
        if let Some(title) = &title {
            let _ = writeln!(all.entry(title.clone()).or_default(), "{line}");
        }
    }
    for section in all.values_mut() {
        section.truncate(section.trim_end().len());
        section.push('\n');
    }
    all
}

/// Processes that ran or waited, in the last 1, 5 and 15 minutes: above the number of cores, others were at work.
fn load_average() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().take(3).collect::<Vec<_>>().join(" ")
}

fn said(program: &str, arguments: &[&str]) -> String {
    let said = Command::new(program).args(arguments).output().map(|o| o.stdout).unwrap_or_default();
    String::from_utf8_lossy(&said).trim().to_owned()
}

fn date() -> String {
    said("/usr/bin/date", &["-u", "+%Y-%m-%d %H:%M UTC"])
}

fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let version = |text: String, n: usize| text.split_whitespace().nth(n).unwrap_or("?").to_owned();
    let haproxy = version(said("/usr/sbin/haproxy", &["-v"]), 2);
    let mariadb = version(said("/usr/sbin/mariadbd", &["--no-defaults", "--version"]), 2);
    format!("{cores} cores, Linux {}, HAProxy {haproxy}, MariaDB {mariadb}", kernel.trim())
}

#[cfg(test)]
mod tests {
    use super::sections;

    #[test]
    fn a_file_is_cut_at_its_headings() {
        let found = sections("# Figures\n\nwords\n\n## a\n\nx\n\n## b\n\ny\n");
        assert_eq!(found.len(), 2);
        assert_eq!(found["a"], "## a\n\nx\n");
    }
}
