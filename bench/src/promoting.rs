//! A planned change of writer: how long nobody could write, as clients saw it and as the snapshot says.

use std::time::{Duration, Instant};

use cordee_e2e::cluster::Cluster;
use cordee_e2e::pair::{Pair, promote, server_id};

use crate::failing::missing;
use crate::figures::{Figures, ms, same};
use crate::pace::Load;
use crate::report::Report;

/// Writes go on within this time, and did for as long before.
const AROUND: Duration = Duration::from_secs(3);
const SWITCHED: Duration = Duration::from_secs(30);
/// Milliseconds by which a gap may be told longer than clients saw it.
const MORE: f64 = 100.0;

/// Promotes one database and the other in turn, under the load.
pub fn measure(cluster: &Cluster, times: usize) -> Report {
    let mut report = Report::new("3. Promote");
    let mut pair = Pair::wait(cluster);
    let load = Load::start(cluster, "bench_promote");
    let (mut asked, mut told) = (Vec::new(), Vec::new());
    for n in 0..times {
        std::thread::sleep(AROUND);
        let old = server_id(cluster, &pair.writer.name);
        let at = Instant::now();
        let reply = promote(cluster, &pair.standby.name, false);
        assert_eq!(reply.status, 202, "{reply:?}");
        load.running().wait_for_another(old, SWITCHED);
        let before = pair.epoch;
        pair = Pair::wait_until(cluster, "the former writer could take over", |now| {
            if now.epoch == before { Err(format!("still epoch {before}")) } else { Ok(()) }
        });
        let gap = &cluster.api().get("/v1/snapshot")["gap"];
        assert_eq!(gap["epoch"].as_u64(), Some(pair.epoch), "the gap of this change: {gap}");
        told.push(gap["ms"].as_f64().expect("milliseconds"));
        asked.push((at, old));
        eprintln!("# promote {} of {times}", n + 1);
    }
    std::thread::sleep(AROUND);
    let stopped = load.stop();
    let pauses = |shift: Duration| -> Vec<f64> {
        let from = |at: &Instant| at.checked_sub(shift).expect("the load was there before");
        asked.iter().map(|(at, _)| ms(stopped.report.longest_pause(from(at), from(at) + AROUND))).collect()
    };
    let (seen, quiet) = (pauses(Duration::ZERO), pauses(AROUND));
    let first =
        asked.iter().map(|(at, old)| ms(stopped.report.gap_after(*at, *old).expect("a write"))).collect();
    eprintln!("# in order: seen {seen:.0?}, told {told:.0?} ms");
    let (seen_figures, told_figures) = (Figures::new(seen.clone()), Figures::new(told.clone()));
    report.note(
        "Longest time without an acknowledged write around a promote, as clients saw it",
        format!("{} ms", seen_figures.range(0)),
    );
    report.note("… the snapshot's gap", format!("{} ms", told_figures.range(0)));
    // What is told begins and ends with what Cordée itself sees; once it began with another loss, 38 s before.
    let more = told.iter().zip(&seen).map(|(told, seen)| told - seen).fold(f64::MIN, f64::max);
    report.judge(
        "… told longer than seen, the largest of the differences",
        format!("{more:.0} ms"),
        "≤ 100 ms",
        more <= MORE,
    );
    report.note(
        "… ratio of the medians, seen / told",
        format!("{:.2}", seen_figures.median() / told_figures.median()),
    );
    report.note(
        "… from the request to the new writer's first acknowledged write",
        format!("{} ms", Figures::new(first).range(0)),
    );
    report.note(
        "… longest time without an acknowledged write in the 3 s before each (reference)",
        format!("{} ms", Figures::new(quiet).range(0)),
    );
    report.note("… seen / seen (A/A, every second one)", same(&seen));
    missing(cluster, &mut report, &stopped);
    report
}
