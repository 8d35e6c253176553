//! Runs the cases of one file on one cluster, one after the other, and takes the cluster down whatever happened.
//!
//! The output has the form of Rust's own test harness, which people and continuous integration already read.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::time::Instant;

use crate::cluster::Cluster;

/// One case.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// The behaviour that it holds.
    pub name: &'static str,
    /// Panics when the behaviour is another.
    pub run: fn(&Cluster),
}

/// Names a case after its function.
#[macro_export]
macro_rules! case {
    ($run:ident) => {
        $crate::suite::Case { name: stringify!($run), run: $run }
    };
}

/// What the command line of `cargo test` asks for.
struct Wanted {
    list: bool,
    exact: bool,
    names: Vec<String>,
}

impl Wanted {
    fn read() -> Self {
        let mut wanted = Self { list: false, exact: false, names: Vec::new() };
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--list" => wanted.list = true,
                "--exact" => wanted.exact = true,
                "--test-threads" | "--format" | "--color" => drop(arguments.next()),
                flag if flag.starts_with('-') => {}
                name => wanted.names.push(name.to_owned()),
            }
        }
        wanted
    }

    fn takes(&self, name: &str) -> bool {
        self.names.is_empty()
            || self.names.iter().any(|n| if self.exact { n == name } else { name.contains(n.as_str()) })
    }
}

/// Runs the cases that the command line names, or all.
pub fn run(file: &str, environment: &[(&str, &str)], cases: &[Case]) -> ExitCode {
    let wanted = Wanted::read();
    let chosen: Vec<Case> = cases.iter().copied().filter(|c| wanted.takes(c.name)).collect();
    if wanted.list {
        for case in &chosen {
            println!("{}: test", case.name);
        }
        return ExitCode::SUCCESS;
    }
    // What was seen and where it was asked for; a backtrace of this harness tells nothing more.
    std::panic::set_hook(Box::new(|panic| eprintln!("# {panic}")));
    let begun = Instant::now();
    println!("\nrunning {} tests", chosen.len());
    let (passed, failed) = if chosen.is_empty() { (0, 0) } else { on_cluster(file, environment, &chosen) };
    let verdict = if failed == 0 { "ok" } else { "FAILED" };
    println!(
        "\ntest result: {verdict}. {passed} passed; {failed} failed; 0 ignored; 0 measured; {} filtered out; \
         finished in {:.2}s\n",
        cases.len() - chosen.len(),
        begun.elapsed().as_secs_f64()
    );
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn on_cluster(file: &str, environment: &[(&str, &str)], cases: &[Case]) -> (usize, usize) {
    let Ok(mut cluster) = catch_unwind(|| Cluster::start(file, environment)) else {
        println!("test {file}::up ... FAILED");
        return (0, cases.len());
    };
    let mut failed = 0;
    for case in cases {
        let before = catch_unwind(AssertUnwindSafe(|| cluster.api().last_event())).unwrap_or(0);
        if !one(&format!("{file}::{}", case.name), || (case.run)(&cluster)) {
            failed += 1;
            evidence(&cluster, before);
        }
    }
    // Taking it down is a case of its own: nothing may be left.
    let down = one(&format!("{file}::down_leaves_nothing_behind"), || {
        let left = cluster.down();
        assert!(left.is_ok(), "{}", left.unwrap_err());
    });
    if !down {
        failed += 1;
    }
    (cases.len() + 1 - failed, failed)
}

fn one(name: &str, run: impl FnOnce()) -> bool {
    let begun = Instant::now();
    let passed = catch_unwind(AssertUnwindSafe(run)).is_ok();
    let word = if passed { "ok" } else { "FAILED" };
    println!("test {name} ... {word} ({:.1} s)", begun.elapsed().as_secs_f64());
    passed
}

/// What the product's own journal says of a case that failed.
fn evidence(cluster: &Cluster, before: u64) {
    let told = catch_unwind(AssertUnwindSafe(|| {
        let events = cluster.api().events_after(before);
        for event in events.iter().take(40) {
            eprintln!("#   {} {} {:?} {}: {}", event.id, event.subject, event.light, event.actor, event.text);
        }
    }));
    if told.is_err() {
        eprintln!("#   the journal cannot be read");
    }
}
