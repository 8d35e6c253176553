//! What the verdict and its list say while something falls, changes or comes back: every word of them, not only the
//! last one.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed expectation is how a test ends")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::{Duration, Instant};

use cordee_e2e::case;
use cordee_e2e::cluster::Cluster;
use cordee_e2e::outage::Obstacle;
use cordee_e2e::pair::Pair;
use cordee_e2e::suite::File;
use cordee_e2e::wait;
use rustix::process::Signal;
use serde_json::Value;

/// Between two looks at the picture.
const PACE: Duration = Duration::from_millis(40);
const SETTLED: Duration = Duration::from_secs(60);

const NO_DATABASE: &str = "The site has no database";
const NO_SITE: &str = "The site is not answering";
const UNKNOWN: &str = "State unknown";

/// Its cases.
pub fn file() -> File {
    File::new(
        "verdicts",
        &[],
        &[
            case!(a_change_of_writer_is_no_start),
            case!(a_lost_writer_leaves_no_database_and_nothing_starts),
            case!(a_standby_that_comes_back_is_the_entry_itself),
            case!(a_port_that_somebody_holds_is_named_with_the_way_out),
            case!(a_cordee_without_its_keeper_says_so),
        ],
    )
}

/// All that was said: each verdict with the words of its list, and when it was said first, in milliseconds.
type Said = BTreeMap<String, u128>;

/// Somebody who reads the picture all the time.
struct Reader {
    stop: Arc<AtomicBool>,
    reading: JoinHandle<Said>,
}

impl Reader {
    fn begin(cluster: &Cluster) -> Self {
        let (api, stop) = (cluster.api(), Arc::new(AtomicBool::new(false)));
        let (ends, began) = (stop.clone(), Instant::now());
        let reading = spawn(move || {
            let mut said = Said::new();
            while !ends.load(Ordering::Relaxed) {
                said.entry(told(&api.get("/v1/snapshot"))).or_insert(began.elapsed().as_millis());
                sleep(PACE);
            }
            said
        });
        Self { stop, reading }
    }

    fn end(self) -> Said {
        self.stop.store(true, Ordering::Relaxed);
        let said = self.reading.join().expect("the reader");
        let mut all: Vec<_> = said.iter().collect();
        all.sort_by_key(|(_, at)| **at);
        for (words, at) in &all {
            println!("#   {at:>6} ms: {words}");
        }
        said
    }
}

/// `Serving, but at risk | db2: In sync`: the verdict's word, then who is in the list, with the state.
fn told(seen: &Value) -> String {
    let word = seen["verdict"]["word"].as_str().unwrap_or_default().to_owned();
    let entries = seen["causes"].as_array().into_iter().flatten();
    let entry = |cause: &Value| {
        let names = cause["servers"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let who = match cause["about"].as_str() {
            None | Some("servers") => names.collect::<Vec<_>>().join(", "),
            Some(about) => about.to_owned(),
        };
        format!(" | {who}: {}", cause["status"]["word"].as_str().unwrap_or_default())
    };
    entries.map(entry).fold(word, |all, one| all + &one)
}

/// No verdict had one of these words.
#[track_caller]
fn never(said: &Said, words: &[&str]) {
    let wrong: Vec<_> = said.keys().filter(|one| words.iter().any(|word| one.starts_with(word))).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// No list had an entry about that one.
#[track_caller]
fn nothing_about(said: &Said, name: &str) {
    let wrong: Vec<_> = said.keys().filter(|one| one.contains(&format!("| {name}: "))).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[track_caller]
fn once(said: &Said, word: &str) {
    assert!(said.keys().any(|one| one.starts_with(word)), "nothing said {word:?}: {said:#?}");
}

/// Nothing is on its way any more, and nothing is said of anything.
#[track_caller]
fn all_is_well(cluster: &Cluster) {
    wait::until("all is well", SETTLED, || {
        let snapshot = cluster.api().try_snapshot()?;
        snapshot.settled()?;
        if snapshot.verdict.word == "All good" { Ok(()) } else { Err(format!("{:?}", snapshot.verdict)) }
    });
}

fn a_change_of_writer_is_no_start(cluster: &Cluster) {
    all_is_well(cluster);
    let reader = Reader::begin(cluster);
    for _ in 0..2 {
        let pair = Pair::wait(cluster);
        cluster.cli_ok(&["promote", &pair.standby.name]);
        all_is_well(cluster);
    }
    never(&reader.end(), &["Starting", NO_SITE, UNKNOWN]);
}

fn a_lost_writer_leaves_no_database_and_nothing_starts(cluster: &Cluster) {
    all_is_well(cluster);
    let pair = Pair::wait(cluster);
    let reader = Reader::begin(cluster);
    cluster.signal_group(pair.writer.pid.expect("it runs"), Signal::KILL);
    wait::until("another one writes", SETTLED, || match Pair::try_ready(cluster) {
        Ok(now) if now.epoch > pair.epoch => Ok(()),
        other => Err(format!("{other:?}")),
    });
    all_is_well(cluster);
    never(&reader.end(), &["Starting", NO_SITE, UNKNOWN]);
    // Both at once: nobody takes over, and the writer is started again where its data are.
    let (pair, reader) = (Pair::wait(cluster), Reader::begin(cluster));
    for pid in [pair.standby.pid, pair.writer.pid] {
        cluster.signal_group(pid.expect("it runs"), Signal::KILL);
    }
    wait::until("it is missed", SETTLED, || {
        let verdict = cluster.api().try_snapshot()?.verdict;
        if verdict.word == NO_DATABASE { Ok(()) } else { Err(format!("{verdict:?}")) }
    });
    all_is_well(cluster);
    let said = reader.end();
    never(&said, &["Starting", NO_SITE, UNKNOWN]);
    once(&said, NO_DATABASE);
}

fn a_standby_that_comes_back_is_the_entry_itself(cluster: &Cluster) {
    all_is_well(cluster);
    let pair = Pair::wait(cluster);
    for way in ["killed", "frozen"] {
        let pid = Pair::wait(cluster).standby.pid.expect("it runs");
        let reader = Reader::begin(cluster);
        if way == "killed" {
            cluster.signal_group(pid, Signal::KILL);
        } else {
            cluster.signal_group(pid, Signal::STOP);
            sleep(Duration::from_secs(4));
            cluster.signal_group(pid, Signal::CONT);
        }
        wait::until("it was missed", SETTLED, || {
            let severity = cluster.api().try_snapshot()?.verdict.severity;
            if way == "frozen" || severity != "good" { Ok(()) } else { Err(severity) }
        });
        all_is_well(cluster);
        let said = reader.end();
        nothing_about(&said, &pair.writer.name);
        never(&said, &["Starting", NO_DATABASE, NO_SITE, UNKNOWN]);
        once(&said, "Serving, but at risk");
    }
}

fn a_port_that_somebody_holds_is_named_with_the_way_out(cluster: &Cluster) {
    all_is_well(cluster);
    for (proxy, address, word) in [("db", cluster.db(), NO_DATABASE), ("web", cluster.site(), NO_SITE)] {
        let pid = cluster.api().snapshot().proxy(proxy).pid.expect("it runs");
        let taken = Obstacle::lurk(address.port());
        cluster.signal_group(pid, Signal::KILL);
        taken.wait_until_held();
        let port = address.port().to_string();
        wait::until("verdict and entry name the port", Duration::from_secs(20), || {
            let seen = cluster.api().get("/v1/snapshot");
            let verdict = &seen["verdict"];
            let remedy = &seen["causes"][0]["remedies"][0]["says"];
            let says = |value: &Value| value.as_str().is_some_and(|text| text.contains(&port));
            let fine = verdict["word"] == word && says(&verdict["reason"]) && says(remedy);
            if fine { Ok(()) } else { Err(format!("{verdict} {remedy}")) }
        });
        taken.release();
        all_is_well(cluster);
    }
}

fn a_cordee_without_its_keeper_says_so(cluster: &Cluster) {
    all_is_well(cluster);
    let serve = cluster.serve().expect("serve");
    cluster.signal(serve.parent, Signal::KILL);
    wait::until("it is at risk, with the way out", Duration::from_secs(10), || {
        let seen = cluster.api().get("/v1/snapshot");
        let remedy = seen["causes"][0]["remedies"][0]["says"].as_str().unwrap_or_default().to_owned();
        let fine = seen["verdict"]["light"] == "warning" && remedy.contains("up --detach");
        if fine { Ok(()) } else { Err(format!("{} {remedy}", seen["verdict"])) }
    });
    assert_eq!(cluster.cli(&["status"]).code, 5, "whoever watches is told");
    let begun = cluster.cli(&["up", "--detach"]);
    assert_eq!(begun.code, 0, "{begun:#?}");
    wait::until("and well again", SETTLED, || {
        let seen = cluster.api().try_snapshot()?;
        if seen.verdict.severity == "good" { Ok(()) } else { Err(format!("{:?}", seen.verdict)) }
    });
}
