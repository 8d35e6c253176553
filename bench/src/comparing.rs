//! The comparison of rows: how fast, against `CHECKSUM TABLE` of the same table, and what the clients notice of it.

use std::time::{Duration, Instant};

use cordee_e2e::cluster::Cluster;
use cordee_e2e::pair::Pair;
use cordee_e2e::wait;

use crate::big::{Big, ask};
use crate::pace::{Load, Window};
use crate::report::Report;

const BOUND: Duration = Duration::from_secs(900);
const BEFORE: Duration = Duration::from_secs(10);

/// A checksum, the comparison, and a checksum again, under the same load.
pub fn measure(cluster: &Cluster, big: &Big) -> Report {
    let mut report = Report::new("5. Comparison");
    let pair = Pair::wait(cluster);
    let standby = pair.standby.name.clone();
    let load = Load::start(cluster, "bench_compare");
    // Once without counting: afterwards all of them find the same memory.
    checksum(cluster, &standby, &big.name);
    let quiet = Load::window(BEFORE);
    let again = Load::window(BEFORE);
    let one = checksum(cluster, &standby, &big.name);
    let (verified, said) = verify(cluster, &standby);
    let two = checksum(cluster, &standby, &big.name);
    let stopped = load.stop();

    let seconds = |w: Window| (w.to - w.from).as_secs_f64();
    let sum = f64::midpoint(seconds(one), seconds(two));
    let speed = |seconds: f64| format!("{:.1} MiB/s, {:.0} rows/s", big.mib / seconds, big.rows / seconds);
    report.note(
        "Data",
        format!("{:.0} MiB in one table, {:.0} rows; {standby} with the writer", big.mib, big.rows),
    );
    report.note(
        "From the request to the journal's line",
        format!("{:.1} s, {} (one database's octets)", seconds(verified), speed(seconds(verified))),
    );
    report.note("… what the journal says", said);
    report.note("… CHECKSUM TABLE on one (reference)", format!("{sum:.1} s, mean of two, {}", speed(sum)));
    report.note("… ratio, comparison / checksum", format!("{:.2}", seconds(verified) / sum));
    report.note("… ratio, checksum / checksum (A/A)", format!("{:.2}", seconds(two) / seconds(one)));
    let before = stopped.noticed(quiet);
    report.note("Clients before", before.alone());
    report.note("… before, again (A/A)", stopped.noticed(again).beside(&before));
    report.note("… during the comparison", stopped.noticed(verified).beside(&before));
    report.note("… during the first checksum", stopped.noticed(one).beside(&before));
    report.note("… during the second", stopped.noticed(two).beside(&before));
    report
}

fn checksum(cluster: &Cluster, server: &str, table: &str) -> Window {
    let from = Instant::now();
    let rows = ask(cluster, server, &format!("CHECKSUM TABLE {table}"));
    assert!(rows[0][1].parse::<u64>().is_ok(), "{rows:?}");
    Window { from, to: Instant::now() }
}

/// Asks for a comparison, and gives the line of its end.
fn verify(cluster: &Cluster, server: &str) -> (Window, String) {
    let api = cluster.api();
    let id = api.last_event();
    let from = Instant::now();
    api.act(&format!("/v1/pools/db/servers/{server}/verify"));
    let (line, _) = wait::until("the comparison has ended", BOUND, || {
        let events = api.events_after(id);
        events.into_iter().find(|e| e.subject == server && e.severity.is_some()).ok_or("no line of its end")
    });
    let window = Window { from, to: Instant::now() };
    assert_eq!(line.severity.as_deref(), Some("good"), "{line:?}");
    (window, line.text)
}
