//! A database joins: how long from the request to its place among the others, against a copy without Cordée; and what
//! the clients notice of it.

use std::time::{Duration, Instant};

use cordee_e2e::cluster::Cluster;
use cordee_e2e::pair::Pair;
use cordee_e2e::wait;
use serde_json::json;

use crate::bare;
use crate::big::Big;
use crate::pace::{Load, Window};
use crate::report::Report;

const NEW: &str = "db3";
/// A join that takes longer is worth no figure.
const BOUND: Duration = Duration::from_secs(900);
const BEFORE: Duration = Duration::from_secs(10);

/// How long each stage was shown; in which order says the API.
#[derive(Debug)]
struct Joined {
    window: Window,
    copying: Window,
    copy: Duration,
    catch_up: Duration,
    compare: Duration,
}

/// Copies without Cordée, joins, and copies without Cordée again, all from the same donor under the same load.
pub fn measure(cluster: &Cluster, big: &Big) -> Report {
    let mut report = Report::new("4. Join");
    let load = Load::start(cluster, "bench_join");
    let donor = cluster.api().get("/v1/pools/db/join")["donor"].as_str().expect("a donor").to_owned();
    // Once without counting: the first one finds the files outside the memory, which is nobody's merit.
    bare::copy(cluster, &donor);
    let quiet = Load::window(BEFORE);
    let again = Load::window(BEFORE);
    let one = bare::copy(cluster, &donor);
    let joined = join(cluster);
    cluster.api().delete(&format!("/v1/pools/db/servers/{NEW}"));
    cluster.api().wait_until_gone(NEW, Duration::from_secs(120));
    let two = bare::copy(cluster, &donor);
    Pair::wait(cluster);
    let stopped = load.stop();

    let seconds = |d: Duration| d.as_secs_f64();
    let total = seconds(joined.window.to - joined.window.from);
    let bare = f64::midpoint(seconds(one.total()), seconds(two.total()));
    report.note("Data", format!("{:.0} MiB in one table, {:.0} rows; donor {donor}", big.mib, big.rows));
    report.note("From the request to a member", format!("{total:.1} s"));
    report.note(
        "… shown as: copying (with --prepare and the first start), catching up, comparing",
        format!(
            "{:.1} s, {:.1} s, {:.1} s",
            seconds(joined.copy),
            seconds(joined.catch_up),
            seconds(joined.compare)
        ),
    );
    report.note(
        "… bare mariabackup, mbstream and --prepare of the same donor (reference)",
        format!(
            "{bare:.1} s, mean of two (copy {:.1} and {:.1} s, prepare {:.1} and {:.1} s)",
            seconds(one.copy),
            seconds(two.copy),
            seconds(one.prepare),
            seconds(two.prepare)
        ),
    );
    report.note("… ratio, copy of Cordée / bare", format!("{:.2}", seconds(joined.copy) / bare));
    report.note("… ratio, all of the join / bare", format!("{:.2}", total / bare));
    report.note("… ratio, bare / bare (A/A)", format!("{:.2}", seconds(two.total()) / seconds(one.total())));
    let before = stopped.noticed(quiet);
    report.note("Clients before", before.alone());
    report.note("… before, again (A/A)", stopped.noticed(again).beside(&before));
    report.note("… during the join", stopped.noticed(joined.window).beside(&before));
    report.note("… during the join's copy alone", stopped.noticed(joined.copying).beside(&before));
    report.note("… during the first bare copy", stopped.noticed(one.window).beside(&before));
    report.note("… during the second", stopped.noticed(two.window).beside(&before));
    report
}

/// Adds a database and watches what is shown until it is a member.
fn join(cluster: &Cluster) -> Joined {
    let api = cluster.api();
    let id = api.last_event();
    let from = Instant::now();
    let reply = api.post("/v1/pools/db/servers", &json!({ "name": NEW, "start": true }));
    assert!(reply.ok(), "{reply:?}");
    let (mut copied, mut compared) = (None, Duration::ZERO);
    let (mut last, mut was_comparing) = (from, false);
    wait::until("it is a member", BOUND, || {
        let snapshot = api.try_snapshot()?;
        let server = snapshot.find(NEW).ok_or("it is not shown")?;
        let reason = server.status.reason.clone().unwrap_or_default();
        let now = Instant::now();
        if was_comparing {
            compared += now - last;
        }
        (last, was_comparing) = (now, reason.contains("being compared"));
        if was_comparing || reason.contains("catching up") {
            copied.get_or_insert(now);
        }
        assert_ne!(server.status.word, "Copy failed", "{server:?}");
        if server.membership.as_deref() == Some("member") { Ok(()) } else { Err(format!("{server:?}")) }
    });
    let to = Instant::now();
    for event in api.events_after(id) {
        eprintln!("# {}: {}", event.subject, event.text);
    }
    let copied = copied.unwrap_or(to);
    let rest = (to - copied).saturating_sub(compared);
    Joined {
        window: Window { from, to },
        copying: Window { from, to: copied },
        copy: copied - from,
        catch_up: rest,
        compare: compared,
    }
}
