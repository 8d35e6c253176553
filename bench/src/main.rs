//! The figures of Cordée, each beside a reference measured in the same run on the same machine.
//!
//! `cargo run --release -p cordee-bench` prints a Markdown table and writes it to `bench/results/latest.md`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a benchmark that cannot measure says where and ends; there is nobody to recover for"
)]

mod adding;
mod figures;
mod footprint;
mod own_proxy;
mod report;
mod throughput;

use std::process::ExitCode;

use cordee_e2e::cluster::Cluster;
use report::Report;

fn main() -> ExitCode {
    let mut report = Report::new();
    let cluster = Cluster::start("bench", &[]);
    // First, while nothing else has run: memory is that of a quiet cluster.
    footprint::measure(&cluster, &mut report);
    adding::measure(&cluster, &mut report);
    throughput::measure(&cluster, &mut report);
    drop(cluster);
    report.publish()
}
