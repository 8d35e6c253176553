//! Runs all files: two at a time where both mostly wait, one at a time where milliseconds are measured; each in a
//! process of its own, whose output is shown whole when it ends. At the end a table says how long each took, and may
//! take.

use std::fmt::Write as _;
use std::fs::File as Output;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::procs::Process;
use crate::suite::{self, File, WHY};
use crate::tally::Tally;
use crate::wanted::Wanted;

/// Files that run at the same time.
const LANES: usize = 2;
/// The files that measure wait for the end of this process: what else `./test` does at the same time.
const ALONE_AFTER: &str = "E2E_ALONE_AFTER";

/// Beside whom a file may run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// On one healthy cluster together with the others of this kind, which all leave it as it was.
    Shared,
    /// It mostly works: beside one that mostly waits.
    Works,
    /// It mostly waits: beside one that mostly works.
    Waits,
    /// It mostly waits, and asks how soon something is told: beside one more of this kind, once nothing else runs.
    Quiet,
    /// It measures how long something takes after a death: nothing else may run.
    Alone,
}

/// A file, beside whom it may run, and the seconds that it took on the machine of the continuous integration.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The file.
    pub file: File,
    /// Beside whom.
    pub place: Place,
    /// Measured, in a run of all. 0 is a file that nobody has measured yet, and fails.
    pub budget: u32,
}

/// Files on one cluster.
type Job = Vec<Row>;
/// What became of a file, and why a case of it failed, a line each.
type Done = (&'static str, Tally, Vec<String>);

/// What the program is: a run of everything, of what its arguments name, or of one job.
pub fn main(rows: &[Row]) -> ExitCode {
    let mut wanted = Wanted::read(std::env::args().skip(1));
    let names: Vec<&str> = rows.iter().map(|r| r.file.name).collect();
    wanted.resolve(&names);
    let chosen: Vec<Row> = rows.iter().copied().filter(|r| !wanted.cases_of(&r.file).is_empty()).collect();
    if wanted.list {
        for row in &chosen {
            for case in wanted.cases_of(&row.file) {
                println!("{}::{}: test", row.file.name, case.name);
            }
        }
        return ExitCode::SUCCESS;
    }
    if !wanted.child.is_empty() {
        let files: Vec<File> = chosen
            .iter()
            .map(|r| r.file)
            .filter(|f| wanted.child.iter().any(|name| name == f.name))
            .collect();
        suite::run(&files, &wanted);
        // The lines that it printed say how each ended.
        return ExitCode::SUCCESS;
    }
    if chosen.is_empty() {
        println!("no file and no case has such a name: nothing was tested");
        return ExitCode::FAILURE;
    }
    let begun = Instant::now();
    let done = run(&chosen, &wanted);
    finish(rows, &done, &wanted, begun.elapsed())
}

/// The shared ones are one job, each other file is one.
fn jobs(rows: &[Row]) -> Vec<Job> {
    let (shared, others): (Job, Job) = rows.iter().partition(|r| r.place == Place::Shared);
    let shared = (!shared.is_empty()).then_some(shared);
    shared.into_iter().chain(others.into_iter().map(|r| vec![r])).collect()
}

fn run(chosen: &[Row], wanted: &Wanted) -> Vec<Done> {
    let jobs = jobs(chosen);
    if let [job] = jobs.as_slice() {
        // Nothing runs beside it: it is seen while it runs.
        let files: Vec<File> = job.iter().map(|r| r.file).collect();
        // Why one failed stands just above.
        return suite::run(&files, wanted)
            .into_iter()
            .map(|(name, tally)| (name, tally, Vec::new()))
            .collect();
    }
    let (alone, rest): (Vec<Job>, Vec<Job>) = jobs.into_iter().partition(|j| j[0].place == Place::Alone);
    let (quiet, beside): (Vec<Job>, Vec<Job>) = rest.into_iter().partition(|j| j[0].place == Place::Quiet);
    let mut done = in_lanes(beside, wanted);
    wait_for_quiet();
    done.extend(in_lanes(quiet, wanted));
    done.extend(alone.iter().flat_map(|job| in_child(job, wanted)));
    done
}

/// Each lane takes the longest job that is left of its own kind, and of the other kind when there is none.
fn in_lanes(beside: Vec<Job>, wanted: &Wanted) -> Vec<Done> {
    let (left, done) = (Mutex::new(beside), Mutex::new(Vec::new()));
    let lanes = wanted.lanes.unwrap_or(LANES).min(LANES);
    std::thread::scope(|scope| {
        for lane in 0..lanes {
            let (left, done) = (&left, &done);
            scope.spawn(move || {
                while let Some(job) = { take(&mut left.lock().expect("jobs"), lane == 0) } {
                    let ended = in_child(&job, wanted);
                    done.lock().expect("done").extend(ended);
                }
            });
        }
    });
    done.into_inner().expect("done")
}

fn take(left: &mut Vec<Job>, waits: bool) -> Option<Job> {
    let weight = |job: &Job| {
        let own = (job[0].place == Place::Waits) == waits;
        (own, job.iter().map(|r| r.budget).sum::<u32>())
    };
    let (at, _) = left.iter().enumerate().max_by_key(|(_, job)| weight(job))?;
    Some(left.remove(at))
}

/// Runs a job in a process of its own, and shows what it printed when it has ended.
fn in_child(job: &Job, wanted: &Wanted) -> Vec<Done> {
    let names: Vec<&str> = job.iter().map(|r| r.file.name).collect();
    println!("# begun: {}", names.join(", "));
    let path = std::env::temp_dir().join(format!("cordee-e2e-{}-{}.log", std::process::id(), names[0]));
    let ended = spawn(&path, &names, wanted);
    let said = std::fs::read(&path).map(|b| String::from_utf8_lossy(&b).into_owned()).unwrap_or_default();
    let _ = std::fs::remove_file(&path);
    // One call: nothing that another lane prints stands in between.
    print!("\n{said}{}", ended.err().map(|why| format!("# {}: {why}\n", names[0])).unwrap_or_default());
    let read = results(&said);
    let of = |row: &Row| {
        let found = read.iter().find(|(name, ..)| name == row.file.name).cloned();
        // It died before it could say how it ended.
        let died = || Tally { failed: wanted.cases_of(&row.file).len(), ..Tally::default() };
        let (tally, whys) = found.map_or_else(|| (died(), Vec::new()), |(_, tally, whys)| (tally, whys));
        (row.file.name, tally, whys)
    };
    job.iter().map(of).collect()
}

fn spawn(path: &Path, names: &[&str], wanted: &Wanted) -> Result<(), String> {
    let text = |e: std::io::Error| e.to_string();
    let output = Output::create(path).map_err(text)?;
    let status = Command::new(std::env::current_exe().map_err(text)?)
        .arg("--child")
        .arg(names.join(","))
        .args(wanted.for_child())
        .stdin(std::process::Stdio::null())
        .stdout(output.try_clone().map_err(text)?)
        .stderr(output)
        .status()
        .map_err(text)?;
    if status.success() { Ok(()) } else { Err(status.to_string()) }
}

/// The result of each file that a child printed.
fn results(said: &str) -> Vec<(String, Tally, Vec<String>)> {
    let (mut file, mut whys, mut all) = ("", Vec::new(), Vec::new());
    for line in said.lines() {
        if let Some(name) = line.strip_prefix("     Running ") {
            file = name;
        }
        if line.starts_with(WHY) {
            whys.push(line.to_owned());
        }
        if let Some(tally) = Tally::read(line) {
            all.push((file.to_owned(), tally, std::mem::take(&mut whys)));
        }
    }
    all
}

fn wait_for_quiet() {
    let pid = std::env::var(ALONE_AFTER).ok().and_then(|p| p.parse().ok());
    let Some(other) = pid.and_then(Process::read) else { return };
    let begun = Instant::now();
    while other.lives() {
        std::thread::sleep(Duration::from_millis(100));
    }
    println!("# nothing else runs any more, after {:.0} s", begun.elapsed().as_secs_f64());
}

/// Shows the table, why cases failed (their output is far above), and the sum. A run of everything also fails by a file
/// that takes half as long again as it may.
fn finish(rows: &[Row], done: &[Done], wanted: &Wanted, took: Duration) -> ExitCode {
    let mut sum = Tally { seconds: took.as_secs_f64(), ..Tally::default() };
    let mut table = format!("\n{:<14}{:>9}{:>8}  verdict\n", "file", "seconds", "budget");
    for row in rows {
        let Some((_, tally, _)) = done.iter().find(|(name, ..)| *name == row.file.name) else {
            sum.filtered += row.file.cases.len();
            continue;
        };
        let (verdict, too_long) = verdict(row.budget, tally);
        let _ = writeln!(table, "{:<14}{:>9.1}{:>8}  {verdict}", row.file.name, tally.seconds, row.budget);
        sum += *tally;
        sum.failed += usize::from(too_long && wanted.all());
    }
    let _ = writeln!(table, "{:<14}{:>9.1}\n", "all", sum.seconds);
    for why in done.iter().flat_map(|(.., whys)| whys) {
        let _ = writeln!(table, "{why}");
    }
    println!("{table}{sum}\n");
    if sum.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The word for the table, and whether it took too long.
fn verdict(budget: u32, tally: &Tally) -> (&'static str, bool) {
    match (tally, budget) {
        (Tally { failed: 1.., .. }, _) => ("FAILED", false),
        (Tally { passed: 0, ignored: 1.., .. }, _) => ("ignored", false),
        (_, 0) => ("NO BUDGET: measure it, and write it down", true),
        _ if tally.seconds > f64::from(budget) * 1.5 => ("TOO LONG by more than half", true),
        _ => ("ok", false),
    }
}

#[cfg(test)]
mod tests {
    use super::{Tally, WHY, results, verdict};

    #[test]
    fn a_file_that_takes_half_as_long_again_fails_and_so_does_one_without_a_budget() {
        let took = |seconds| Tally { passed: 3, seconds, ..Tally::default() };
        assert!(!verdict(10, &took(15.0)).1);
        assert!(verdict(10, &took(15.1)).1);
        assert!(verdict(0, &took(0.1)).1);
    }

    #[test]
    fn what_was_ignored_is_not_called_ok() {
        let ignored = Tally { ignored: 5, ..Tally::default() };
        assert_eq!(verdict(10, &ignored), ("ignored", false));
        let failed = Tally { failed: 1, ignored: 5, ..Tally::default() };
        assert_eq!(verdict(10, &failed).0, "FAILED");
    }

    /// A row that is missing is an unused function, which the compiler tells.
    #[test]
    fn no_file_is_forgotten() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests");
        let main = std::fs::read_to_string(format!("{folder}/main.rs")).unwrap();
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap();
            assert!(name == "main" || main.contains(&format!("\nmod {name};\n")), "nobody runs {name}.rs");
        }
    }

    #[test]
    fn the_results_of_a_child_are_read_from_what_it_printed() {
        let one = Tally { passed: 2, seconds: 1.5, ..Tally::default() };
        let two = Tally { failed: 1, seconds: 2.5, ..Tally::default() };
        let why = format!("{WHY}b::y: because");
        let said =
            format!("     Running a\n\ntest a::x ... ok\n{one}\n     Running b\n# dies\n{why}\n{two}\n");
        assert_eq!(results(&said), [("a".to_owned(), one, Vec::new()), ("b".to_owned(), two, vec![why])]);
        assert_eq!(results("     Running c\nkilled"), []);
    }
}
