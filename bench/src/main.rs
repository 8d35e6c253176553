//! The figures of Cordée, each beside a reference measured in the same run on the same machine.
//!
//! `cargo run --release -p cordee-bench` measures everything; `… -- failover join --size-mib 256` some parts only. It
//! prints Markdown tables and writes them to `bench/results/latest.md`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a benchmark that cannot measure says where and ends; there is nobody to recover for"
)]

mod adding;
mod bare;
mod big;
mod comparing;
mod failing;
mod figures;
mod footprint;
mod joining;
mod listening;
mod nine;
mod own_proxy;
mod pace;
mod page;
mod promoting;
mod report;
mod scaling;
mod sessions;
mod still;
mod throughput;

use std::process::ExitCode;

use cordee_e2e::cluster::Cluster;
use report::Report;

const USAGE: &str = "cordee-bench [web] [failover] [promote] [join] [compare] [log] [sessions] [page] [nine] [many] \
     [--size-mib N] [--times N]";

/// What is to be measured. First `web`, while nothing else has run: memory is that of a quiet cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Web,
    Failover,
    Promote,
    Join,
    Compare,
    Log,
    Sessions,
    Page,
    Nine,
    Many,
}

const PARTS: [(&str, Part); 10] = [
    ("web", Part::Web),
    ("failover", Part::Failover),
    ("promote", Part::Promote),
    ("join", Part::Join),
    ("compare", Part::Compare),
    ("log", Part::Log),
    ("sessions", Part::Sessions),
    ("page", Part::Page),
    ("nine", Part::Nine),
    ("many", Part::Many),
];

#[derive(Debug)]
struct Options {
    parts: Vec<Part>,
    /// Of the big table.
    size_mib: u64,
    /// Kills, and promotes.
    times: usize,
}

fn main() -> ExitCode {
    let asked = match asked(std::env::args().skip(1)) {
        Ok(asked) => asked,
        Err(why) => {
            eprintln!("{why}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    let cluster = Cluster::start("bench", &[]);
    let mut kept = true;
    let mut big = None;
    for (_, part) in PARTS.iter().filter(|(_, part)| asked.parts.contains(part)) {
        kept &= match part {
            Part::Web => web(&cluster),
            Part::Failover => failing::measure(&cluster, asked.times),
            Part::Promote => promoting::measure(&cluster, asked.times),
            Part::Join => {
                let big = big.get_or_insert_with(|| big::Big::make(&cluster, asked.size_mib));
                joining::measure(&cluster, big)
            }
            Part::Compare => {
                let big = big.get_or_insert_with(|| big::Big::make(&cluster, asked.size_mib));
                comparing::measure(&cluster, big)
            }
            Part::Log => listening::measure(&cluster),
            Part::Sessions => sessions::measure(&cluster),
            Part::Page => page::measure(&cluster),
            Part::Nine => nine::measure(asked.times),
            Part::Many => scaling::measure(&cluster),
        }
        .publish();
    }
    if kept { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn web(cluster: &Cluster) -> Report {
    let mut report = Report::new("1. Web servers and Cordée itself");
    footprint::measure(cluster, &mut report);
    adding::measure(cluster, &mut report);
    throughput::measure(cluster, &mut report);
    report
}

fn asked(mut arguments: impl Iterator<Item = String>) -> Result<Options, String> {
    let mut asked = Options { parts: Vec::new(), size_mib: 1_024, times: 20 };
    while let Some(argument) = arguments.next() {
        let mut number = || {
            let text = arguments.next().unwrap_or_default();
            text.parse::<u64>().ok().filter(|n| *n > 0).ok_or(format!("{argument} {text:?}"))
        };
        match argument.as_str() {
            "--size-mib" => asked.size_mib = number()?,
            "--times" => asked.times = usize::try_from(number()?).map_err(|e| e.to_string())?,
            name => {
                let found = PARTS.iter().find(|(known, _)| *known == name);
                asked.parts.push(found.ok_or(format!("no part {name:?}"))?.1);
            }
        }
    }
    if asked.parts.is_empty() {
        asked.parts = PARTS.iter().map(|(_, part)| *part).collect();
    }
    Ok(asked)
}
