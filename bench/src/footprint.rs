//! What `cordee serve` itself costs: memory after a sign-in and a minute, and the processor in that minute.

use std::time::{Duration, Instant};

use cordee_e2e::cluster::Cluster;

use crate::report::Report;

const WINDOW: Duration = Duration::from_secs(60);
const MOST_MEMORY_MIB: f64 = 40.0;
const MOST_CPU_PERCENT: f64 = 1.0;

/// Signs in, leaves the cluster alone for the minute that the demand names, and reads the kernel's counts.
pub fn measure(cluster: &Cluster, report: &mut Report) {
    let servers = cluster.api().snapshot().servers.len();
    assert_eq!(servers, 4, "the demand is for 4 servers");
    let _ = cluster.session();
    let serve = cluster.serve().expect("cordee serve").pid;
    let (began, before) = (Instant::now(), ticks(serve));
    std::thread::sleep(WINDOW);
    let seconds = began.elapsed().as_secs_f64();
    let percent = (ticks(serve) - before) / ticks_per_second() / seconds * 100.0;
    let memory = proportional_mib(serve);
    let demand = format!("≤ {MOST_MEMORY_MIB} MiB");
    report.judge(
        "Memory of `cordee serve` (PSS) after a sign-in and 60 s, 4 servers",
        format!("{memory:.1} MiB"),
        &demand,
        memory <= MOST_MEMORY_MIB,
    );
    let demand = format!("≤ {MOST_CPU_PERCENT} % of a core");
    report.judge(
        "Processor of `cordee serve` over those 60 s, no page open",
        format!("{percent:.2} %"),
        &demand,
        percent <= MOST_CPU_PERCENT,
    );
}

/// User and system time of a process, in clock ticks.
pub fn ticks(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("stat");
    let fields: Vec<&str> = stat.rsplit_once(')').expect("a name").1.split_whitespace().collect();
    let number = |n: usize| fields[n].parse::<u32>().map(f64::from).expect("ticks");
    number(11) + number(12)
}

/// Of those in a second.
#[expect(clippy::cast_precision_loss, reason = "100 on Linux")]
pub fn ticks_per_second() -> f64 {
    rustix::param::clock_ticks_per_second() as f64
}

fn proportional_mib(pid: u32) -> f64 {
    let rollup = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).expect("smaps_rollup");
    let line = rollup.lines().find_map(|l| l.strip_prefix("Pss:")).expect("Pss");
    let kib: u32 = line.trim().trim_end_matches(" kB").parse().expect("kB");
    f64::from(kib) / 1024.0
}
