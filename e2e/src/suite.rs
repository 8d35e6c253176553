//! Runs the cases of a file on a cluster, one after the other, and takes the cluster down whatever happened.
//!
//! The output has the form of Rust's own test harness, which people and continuous integration already read.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use crate::cluster::Cluster;
use crate::db::Db;
use crate::tally::Tally;
use crate::wanted::Wanted;

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

/// One file of `tests/`: its cases, in the order in which they run.
#[derive(Clone, Copy, Debug)]
pub struct File {
    /// The file's name.
    pub name: &'static str,
    /// What `cordee` finds in its environment.
    pub environment: &'static [(&'static str, &'static str)],
    /// The cases.
    pub cases: &'static [Case],
    needs: fn() -> Result<(), &'static str>,
}

impl File {
    /// A file that any user can run.
    pub fn new(
        name: &'static str,
        environment: &'static [(&'static str, &'static str)],
        cases: &'static [Case],
    ) -> Self {
        Self { name, environment, cases, needs: || Ok(()) }
    }

    /// The same, where `needs` says no its cases are ignored: never passed, and failed where continuous integration
    /// runs them.
    #[must_use]
    pub fn needs(self, needs: fn() -> Result<(), &'static str>) -> Self {
        Self { needs, ..self }
    }
}

/// For [`File::needs`].
pub fn root() -> Result<(), &'static str> {
    if rustix::process::geteuid().is_root() { Ok(()) } else { Err("only root can do that") }
}

/// The last panic: why a case failed.
static LAST: Mutex<String> = Mutex::new(String::new());

/// Begins the line that says in short why a case failed: the runner shows these again at the end.
pub const WHY: &str = "# failed: ";

/// Whether everything must run: what this machine cannot do is a fault of the machine then.
fn all_must_run() -> bool {
    std::env::var("CI").is_ok_and(|ci| !["", "0", "false"].contains(&ci.as_str()))
}

/// Runs what is wanted of these files on one cluster. The first one's time includes starting it, the last one's
/// taking it down.
pub fn run(files: &[File], wanted: &Wanted) -> Vec<(&'static str, Tally)> {
    // What was seen and where it was asked for; a backtrace of this harness tells nothing more.
    std::panic::set_hook(Box::new(|panic| {
        let said = panic.to_string();
        eprintln!("# {said}");
        *LAST.lock().unwrap_or_else(PoisonError::into_inner) = said;
    }));
    let mut begun = Instant::now();
    let mut cluster = None;
    let mut all = Vec::new();
    // A cluster that several share is started for all of them.
    let environment: Vec<_> = files.iter().flat_map(|file| file.environment).copied().collect();
    for (number, file) in files.iter().enumerate() {
        let cases = wanted.cases_of(file);
        println!("     Running {}\n\nrunning {} tests", file.name, cases.len());
        let last = number + 1 == files.len();
        let mut tally = match ((file.needs)(), all_must_run()) {
            (Ok(()), _) => on_cluster(&mut cluster, &environment, file, &cases, last),
            (Err(why), must) => not_run(file, &cases, why, must),
        };
        tally.filtered = file.cases.len() - cases.len();
        tally.seconds = begun.elapsed().as_secs_f64();
        begun = Instant::now();
        println!("\n{tally}\n");
        all.push((file.name, tally));
    }
    all
}

fn not_run(file: &File, cases: &[Case], why: &str, must: bool) -> Tally {
    let word = if must { "FAILED: CI must run it" } else { "ignored" };
    for case in cases {
        println!("test {}::{} ... {word}, {why}", file.name, case.name);
    }
    if must {
        Tally { failed: cases.len(), ..Tally::default() }
    } else {
        Tally { ignored: cases.len(), ..Tally::default() }
    }
}

/// Starts the cluster if there is none yet, and takes it down after the last file.
fn on_cluster(
    cluster: &mut Option<Cluster>,
    environment: &[(&str, &str)],
    file: &File,
    cases: &[Case],
    last: bool,
) -> Tally {
    if cluster.is_none() {
        *cluster = catch_unwind(|| Cluster::start(file.name, environment)).ok();
    }
    let Some(running) = cluster else {
        println!("test {}::up ... FAILED", file.name);
        return Tally { failed: cases.len(), ..Tally::default() };
    };
    let mut tally = Tally::default();
    for case in cases {
        let before = catch_unwind(AssertUnwindSafe(|| running.api().last_event())).unwrap_or(0);
        let passed = one(&format!("{}::{}", file.name, case.name), || (case.run)(running));
        tally.count(passed);
        if !passed {
            evidence(running, before);
        }
    }
    if last {
        // Taking it down is a case of its own: nothing may be left.
        tally.count(one(&format!("{}::down_leaves_nothing_behind", file.name), || {
            let left = running.down();
            assert!(left.is_ok(), "{}", left.unwrap_err());
        }));
        *cluster = None;
    }
    tally
}

fn one(name: &str, run: impl FnOnce()) -> bool {
    let begun = Instant::now();
    let passed = catch_unwind(AssertUnwindSafe(run)).is_ok();
    let word = if passed { "ok" } else { "FAILED" };
    println!("test {name} ... {word} ({:.1} s)", begun.elapsed().as_secs_f64());
    if !passed {
        let said = LAST.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let line: String = said.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(900).collect();
        println!("{WHY}{name}: {line}");
    }
    passed
}

/// What the product's own journal says of a case that failed.
fn evidence(cluster: &Cluster, before: u64) {
    let told = catch_unwind(AssertUnwindSafe(|| {
        // What came last tells more than how it began.
        let events = cluster.api().events_after(before);
        for event in events.iter().skip(events.len().saturating_sub(40)) {
            eprintln!(
                "#   {} {} {:?} {}: {}",
                event.id, event.subject, event.severity, event.actor, event.text
            );
        }
    }));
    if told.is_err() {
        eprintln!("#   the journal cannot be read");
    }
    let told = catch_unwind(AssertUnwindSafe(|| {
        for server in cluster.api().snapshot().servers.iter().filter(|s| s.pool == "db") {
            let channels =
                Db::root(cluster, &server.name).try_query("SHOW ALL SLAVES STATUS").unwrap_or_default();
            for channel in channels {
                let from = channel.first().cloned().unwrap_or_default();
                for said in channel.iter().filter(|value| value.to_lowercase().contains("error")) {
                    eprintln!("#   {} copies {from}: {said}", server.name);
                }
            }
        }
    }));
    if told.is_err() {
        eprintln!("#   the links cannot be read");
    }
    logs(cluster.home());
}

/// What the programs themselves wrote last, those of servers that are gone as well.
fn logs(home: &Path) {
    let inside = |folder: &str| {
        let entries = std::fs::read_dir(home.join(folder)).into_iter().flatten().flatten();
        let mut all: Vec<_> = entries.map(|entry| entry.path()).collect();
        all.sort_by_key(|path| std::fs::metadata(path).and_then(|m| m.modified()).ok());
        all
    };
    let trash = inside("trash");
    let gone = &trash[trash.len().saturating_sub(2)..];
    let servers = inside("servers").into_iter().chain(gone.iter().cloned());
    let databases = servers.map(|server| server.join("log/mariadb.log"));
    for (file, most) in databases.map(|file| (file, 12)).chain([(home.join("log/cordee.log"), 40)]) {
        let Ok(all) = std::fs::read(&file) else { continue };
        let all = String::from_utf8_lossy(&all);
        let lines: Vec<_> =
            all.lines().filter(|line| !line.contains(" DEBUG ") && !line.contains(" TRACE ")).collect();
        eprintln!("#   {}", file.display());
        for line in &lines[lines.len().saturating_sub(most)..] {
            eprintln!("#     {}", line.chars().take(240).collect::<String>());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Case, File, not_run};

    #[test]
    fn what_did_not_run_is_ignored_and_fails_where_all_must_run() {
        const CASES: &[Case] = &[Case { name: "one", run: |_| {} }, Case { name: "two", run: |_| {} }];
        let file = File::new("cuts", &[], CASES).needs(|| Err("only root can"));
        let outcome = |must| {
            let tally = not_run(&file, file.cases, (file.needs)().unwrap_err(), must);
            (tally.passed, tally.failed, tally.ignored)
        };
        assert_eq!(outcome(false), (0, 0, 2));
        assert_eq!(outcome(true), (0, 2, 0));
    }
}
