//! The failover with as many databases as there may be, on a cluster of its own.

use std::time::Duration;

use cordee_domain::figures::DATABASES;
use cordee_e2e::api::Snapshot;
use cordee_e2e::cluster::Cluster;
use cordee_e2e::pair::server_id;
use cordee_e2e::wait;
use rustix::process::Signal;

use crate::figures::{Figures, ms, same};
use crate::pace::Load;
use crate::report::Report;

const MOST_MS: f64 = 300.0;
/// All of them are members again, and commits wait for an ACK.
const WELL: Duration = Duration::from_secs(180);
const SWITCHED: Duration = Duration::from_secs(30);

/// Kills the writer of nine databases again and again under the load.
pub fn measure(times: usize) -> Report {
    let mut report = Report::new("9. Nine databases");
    let cluster = Cluster::start("nine", &[]);
    for number in 3..=DATABASES {
        cluster.cli_ok(&["add", "db", &format!("db{number}"), "--start", "--wait", "120s"]);
    }
    let load = Load::start(&cluster, "bench_nine");
    let mut kills = Vec::new();
    for n in 0..times {
        let (name, pid) = wait::until("every database could take over", WELL, || writer(&cluster)).0;
        load.running().wait_for_more(400, SWITCHED);
        let old = server_id(&cluster, &name);
        let at = cluster.signal_group(pid, Signal::KILL);
        kills.push((at, old));
        load.running().wait_for_another(old, SWITCHED);
        eprintln!("# failover among nine {} of {times}", n + 1);
    }
    let stopped = load.stop();
    let gaps: Vec<f64> = kills
        .iter()
        .map(|(at, old)| ms(stopped.report.gap_after(*at, *old).expect("a write was acknowledged")))
        .collect();
    eprintln!("# in order: {gaps:.0?} ms");
    let figures = Figures::new(gaps.clone());
    report.judge(
        "First acknowledged write after kill −9 of the writer of nine databases",
        format!("{} ms", figures.range(0)),
        &format!("median ≤ {MOST_MS} ms"),
        figures.median() <= MOST_MS,
    );
    report.note("… failovers / failovers (A/A, every second one)", same(&gaps));
    report
}

/// The writer and its process, when all is well.
fn writer(cluster: &Cluster) -> Result<(String, u32), String> {
    let picture: Snapshot = cluster.api().try_snapshot()?;
    picture.settled()?;
    let writer = picture.servers.iter().find(|s| s.role.as_deref() == Some("writer"));
    let writer = writer.ok_or("no writer")?;
    if writer.semi_sync != Some(true) {
        return Err("no commit waits for a receipt".to_owned());
    }
    Ok((writer.name.clone(), writer.pid.ok_or("no process")?))
}
