//! What `cordee serve` itself costs: memory after a sign-in and a minute, and the processor in that minute. What the
//! questions at the site's own doors cost is told apart: the same code asks as often from here, in a minute of its own.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use cordee_domain::figures::VISIT;
use cordee_e2e::cluster::Cluster;
use cordee_node::knock;
use hyper::http::HeaderValue;
use rustix::time::{ClockId, clock_gettime};

use crate::report::Report;

const WINDOW: Duration = Duration::from_secs(60);
const MOST_MEMORY_MIB: f64 = 40.0;
const MOST_CPU_PERCENT: f64 = 0.6;
const PATIENCE: Duration = Duration::from_secs(2);

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
    report.note("Processor of `cordee serve` over those 60 s, no page open", format!("{percent:.2} %"));
    let doors = doors(cluster);
    report.note(
        "… the questions at the site's own doors alone (asked from here by the same code)",
        format!("{doors:.2} %"),
    );
    let rest = percent - doors;
    report.judge(
        "… without them",
        format!("{rest:.2} %"),
        &format!("≤ {MOST_CPU_PERCENT} % of a core"),
        rest <= MOST_CPU_PERCENT,
    );
}

/// Percent of a core that it takes to ask at the three doors as often as `cordee serve` does.
fn doors(cluster: &Cluster) -> f64 {
    let dsn: serde_json::Value = serde_json::from_str(&cluster.cli_ok(&["dsn", "--json"])).expect("dsn");
    let password = dsn["password"].as_str().expect("a password").to_owned();
    let site = cluster.site();
    let databases: [SocketAddr; 2] = [cluster.db(), cluster.db_writer()];
    let asking = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let began = Instant::now();
        runtime.block_on(async {
            let mut pace = tokio::time::interval(Duration::from_millis(VISIT));
            while began.elapsed() < WINDOW {
                pace.tick().await;
                let agent = HeaderValue::from_static("cordee-bench");
                knock::as_visitor(site, agent, PATIENCE).await.expect("asked");
                for to in databases {
                    knock::as_application(to, &password, PATIENCE).await.expect("asked");
                }
            }
        });
        let used = clock_gettime(ClockId::ThreadCPUTime);
        let seconds =
            Duration::new(used.tv_sec.unsigned_abs(), used.tv_nsec.try_into().expect("nanoseconds"));
        seconds.as_secs_f64() / began.elapsed().as_secs_f64() * 100.0
    });
    asking.join().expect("the questions")
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
