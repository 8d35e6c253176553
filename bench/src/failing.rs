//! From the death of the writer to the first write that is acknowledged again: with a standby that takes over, and
//! without one, restarted in place.

use std::time::{Duration, Instant};

use cordee_e2e::cluster::Cluster;
use cordee_e2e::pair::{Pair, READY, server_id, wait_for_no_ack};
use cordee_e2e::wait;
use rustix::process::Signal;

use crate::figures::{Figures, ms, same};
use crate::pace::{Load, Stopped};
use crate::report::Report;

/// Longer than any failover that is worth measuring.
const SWITCHED: Duration = Duration::from_secs(30);
/// A database that lived for so long is restarted at once: Cordée's pause between restarts is not what is measured.
const LIVED: Duration = Duration::from_secs(4);
/// One restart in place for so many failovers: each takes longer than a failover.
const FEWER: usize = 3;

/// A kill, and who was killed.
struct Kill {
    at: Instant,
    /// When the kernel had taken the signal: what is sent later cannot have been answered by the killed one.
    sent: Instant,
    /// Whose acknowledgements end no outage; 0 for a restart in place.
    old: u32,
}

/// Kills the writer again and again under the load.
pub fn measure(cluster: &Cluster, times: usize) -> Report {
    let mut report = Report::new("2. Failover");
    let mut pair = Pair::wait(cluster);
    let load = Load::start(cluster, "bench_failover");
    let mut failovers = Vec::new();
    for n in 0..times {
        load.running().wait_for_more(200, SWITCHED);
        let old = server_id(cluster, &pair.writer.name);
        failovers.push(kill(cluster, &pair, old));
        load.running().wait_for_another(old, SWITCHED);
        pair = Pair::wait_switched(cluster, &pair);
        eprintln!("# failover {} of {times}", n + 1);
    }
    let restarts = in_place(cluster, &load, &pair, (times / FEWER).max(2));
    Pair::wait(cluster);
    let stopped = load.stop();
    publish(cluster, &mut report, &stopped, [&failovers, &restarts]);
    report
}

fn kill(cluster: &Cluster, pair: &Pair, old: u32) -> Kill {
    let at = cluster.signal_group(pair.writer.pid.expect("it runs"), Signal::KILL);
    Kill { at, sent: Instant::now(), old }
}

/// Stops the standby, so that a killed writer is restarted where it was.
fn in_place(cluster: &Cluster, load: &Load, pair: &Pair, times: usize) -> Vec<Kill> {
    let standby = format!("/v1/pools/db/servers/{}", pair.standby.name);
    cluster.api().act(&format!("{standby}/stop"));
    wait_for_no_ack(cluster, READY);
    let mut kills = Vec::new();
    for n in 0..times {
        std::thread::sleep(LIVED);
        let before = Pair::read(cluster);
        kills.push(kill(cluster, &before, 0));
        wait::until("the writer has another process", READY, || {
            let now = Pair::try_read(cluster)?.writer;
            let other = now.pid.is_some() && now.pid != before.writer.pid;
            if other { Ok(()) } else { Err(format!("{now:?}")) }
        });
        load.running().wait_for_more(200, READY);
        eprintln!("# restart in place {} of {times}", n + 1);
    }
    cluster.api().act(&format!("{standby}/start"));
    kills
}

/// From the kill to the first acknowledgement of a write that was sent after it.
fn gaps(stopped: &Stopped, kills: &[Kill]) -> Vec<f64> {
    let first = |kill: &Kill| {
        let gap = stopped.report.gap_after(kill.sent, kill.old).expect("a write was acknowledged");
        ms(gap + (kill.sent - kill.at))
    };
    kills.iter().map(first).collect()
}

fn failovers_pauses(stopped: &Stopped, kills: &[Kill]) -> Vec<f64> {
    kills.iter().map(|k| ms(stopped.report.longest_pause(k.at, k.at + Duration::from_secs(3)))).collect()
}

fn publish(cluster: &Cluster, report: &mut Report, stopped: &Stopped, kills: [&[Kill]; 2]) {
    let [failovers, restarts] = kills.map(|k| gaps(stopped, k));
    eprintln!("# in order: {failovers:.0?} and {restarts:.0?} ms");
    let [with, without] = [&failovers, &restarts].map(|g| Figures::new(g.clone()));
    report.note("First acknowledged write after kill −9 of the writer", format!("{} ms", with.range(0)));
    report.note(
        "… of a writer without a standby, restarted in place (reference)",
        format!("{} ms", without.range(0)),
    );
    report.note(
        "… ratio of the medians, failover / restart in place",
        format!("{:.2}", with.median() / without.median()),
    );
    // The same from another side: whoever was served first, this is what all clients together went without.
    let pauses = failovers_pauses(stopped, kills[0]);
    report.note(
        "… longest time without an acknowledged write in the 3 s after each of them",
        format!("{} ms", Figures::new(pauses).range(0)),
    );
    report.note("… failovers / failovers (A/A, every second one)", same(&failovers));
    report.note("… restarts / restarts (A/A, every second one)", same(&restarts));
    missing(cluster, report, stopped);
}

/// Counts what was acknowledged and is not there, on both databases.
pub fn missing(cluster: &Cluster, report: &mut Report, stopped: &Stopped) {
    let pair = Pair::wait(cluster);
    // The standby has applied by then what the writer had at the end of the load.
    let at = crate::big::ask(cluster, &pair.writer.name, "SELECT @@gtid_binlog_pos").remove(0).remove(0);
    crate::big::ask(cluster, &pair.standby.name, &format!("SELECT MASTER_GTID_WAIT('{at}', 60)"));
    let found = [&pair.writer.name, &pair.standby.name].map(|s| stopped.missing(cluster, s));
    let lost = found[0].0 + found[1].0;
    report.judge(
        "… acknowledged rows and counters missing afterwards, on both databases",
        format!("{lost} of {}", found[0].1),
        "0",
        lost == 0,
    );
}
