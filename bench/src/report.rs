//! The table: what was measured, against what, and whether it is good enough.

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, ExitCode};

/// All rows, in the order in which they were measured.
#[derive(Debug)]
pub struct Report {
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
    pub fn new() -> Self {
        Self { rows: Vec::new() }
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

    /// Prints the table, writes it to `bench/results/latest.md`, and fails when a demand was not kept.
    pub fn publish(&self) -> ExitCode {
        let text = self.markdown();
        println!("{text}");
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("results");
        std::fs::create_dir_all(&folder).expect("bench/results");
        std::fs::write(folder.join("latest.md"), text).expect("bench/results/latest.md");
        if self.rows.iter().all(|r| r.kept != Some(false)) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }

    fn markdown(&self) -> String {
        let mut text = format!(
            "# Figures\n\nOne run of `cargo run --release -p cordee-bench` on this machine: {}.\n\
             Median (lower to upper quartile, all values, count). Ratios compare values of the same run; A/A is the\n\
             same thing measured twice and tells how much of a ratio is noise.\n\n\
             | What | Measured | Demand | Kept |\n|---|---|---|---|\n",
            machine()
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

fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let said = Command::new("/usr/sbin/haproxy").arg("-v").output().map(|o| o.stdout).unwrap_or_default();
    let said = String::from_utf8_lossy(&said).into_owned();
    let haproxy = said.split_whitespace().nth(2).unwrap_or("?").to_owned();
    format!("{cores} cores, Linux {}, HAProxy {haproxy}", kernel.trim())
}
