//! A failover drill as others see it: HAProxy's counters and log, the site's own word, and a client of the test's that
//! asks beside it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::http::Client;
use crate::mesh;
use crate::pair::{Pair, READY};
use crate::wait;

/// The longest drill, the last answers and the reading back included.
const OVER: Duration = Duration::from_secs(150);
/// HAProxy's log is written down once a second.
const LOGGED: Duration = Duration::from_secs(5);

/// The pace of the client outside.
pub const PACE: Duration = Duration::from_millis(10);

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    u64::try_from(since.as_millis()).expect("a time")
}

/// One request of the client outside.
#[derive(Clone, Copy, Debug)]
pub struct Hit {
    /// When it ended: milliseconds since 1970.
    pub ended: u64,
    /// How long it took.
    pub took: Duration,
    /// The status; 0 without an answer.
    pub status: u16,
}

/// A client that asks for the site's first page, a connection each time.
#[derive(Debug)]
pub struct Outside {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Vec<Hit>>,
}

impl Outside {
    /// Begins to ask.
    pub fn start(cluster: &Cluster) -> Self {
        let (site, stop) = (cluster.site(), Arc::new(AtomicBool::new(false)));
        let told = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let (begun, mut hits) = (SystemTime::now(), Vec::new());
            let bounded = || begun.elapsed().is_ok_and(|e| e < OVER);
            while !told.load(Ordering::Relaxed) && bounded() {
                let asked = Instant::now();
                let answer = Client::new(site).header("Connection", "close").get("/");
                let status = answer.map_or(0, |a| a.status);
                hits.push(Hit { ended: now(), took: asked.elapsed(), status });
                std::thread::sleep(PACE.saturating_sub(asked.elapsed()));
            }
            hits
        });
        Self { stop, thread }
    }

    /// Asks no more, and says what became of all requests.
    pub fn stop(self) -> Vec<Hit> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("the client's thread")
    }
}

/// Answers that HAProxy `web` gave, by the first digit of their status, since its worker started.
pub fn answers(cluster: &Cluster) -> BTreeMap<char, u64> {
    let text = mesh::runtime_of(cluster, "web", "show stat").expect("HAProxy web answers");
    let mut lines = text.lines();
    let names: Vec<&str> = lines.next().expect("a head").trim_start_matches("# ").split(',').collect();
    let mut all = BTreeMap::new();
    for line in lines {
        let row: BTreeMap<&str, &str> = names.iter().copied().zip(line.split(',')).collect();
        if row.get("svname") != Some(&"FRONTEND") {
            continue;
        }
        for class in '1'..='5' {
            let count = row.get(format!("hrsp_{class}xx").as_str()).and_then(|v| v.parse::<u64>().ok());
            *all.entry(class).or_default() += count.unwrap_or(0);
        }
    }
    all
}

/// What was asked, and what everybody counted.
#[derive(Debug)]
pub struct Seen {
    /// The report.
    pub report: Value,
    /// The requests of the client outside.
    pub outside: Vec<Hit>,
    /// Answers of HAProxy `web` meanwhile, by class; `None`: another worker counts now.
    pub answers: Option<BTreeMap<char, u64>>,
    /// How long `answers` were counted.
    pub counted: Duration,
    /// Lines of HAProxy's log about the drill's own requests, by status.
    pub lines: BTreeMap<u64, u64>,
    /// Sessions that began on the site meanwhile: first colours that were chosen.
    pub begun: u64,
}

/// All is well, and the standby could take over.
#[track_caller]
pub fn ready(cluster: &Cluster) -> Pair {
    wait::until("everything is well", READY, || cluster.api().try_snapshot()?.settled());
    Pair::wait(cluster)
}

/// Begins a drill, which must be taken.
#[track_caller]
pub fn begin(cluster: &Cluster, order: &Value) -> u64 {
    let reply = cluster.api().post("/v1/drills", order);
    assert_eq!(reply.status, 202, "{order}: {reply:?}");
    reply.body["id"].as_u64().expect("an id")
}

/// One drill.
#[track_caller]
pub fn read(cluster: &Cluster, id: u64) -> Value {
    cluster.api().get(&format!("/v1/drills/{id}"))
}

/// Waits until a drill is over.
#[track_caller]
pub fn wait_over(cluster: &Cluster, id: u64) -> Value {
    wait::until("the drill is over", OVER, || {
        let drill =
            cluster.api().call("GET", &format!("/v1/drills/{id}"), None).map_err(|e| e.to_string())?.body;
        if drill["ended"].is_null() { Err(drill["state"].to_string()) } else { Ok(drill) }
    })
    .0
}

/// An order with traffic that the test can follow line by line.
pub fn order(target: &str, how: &str, held: u64, after: u64) -> Value {
    let pool = if ["writer", "link", "haproxy-db"].contains(&target) { "db" } else { "web" };
    json!({ "target": target, "how": how, "rate": 40, "visitors": 12, "before": 2, "held": held, "after": after,
        "confirm": pool })
}

/// Runs a drill to its end with a client beside it.
#[track_caller]
pub fn run(cluster: &Cluster, order: &Value) -> Seen {
    let worker = || cluster.api().snapshot().proxy("web").worker_pid;
    let (pid, before, begun_at) = (worker(), answers(cluster), Instant::now());
    let outside = Outside::start(cluster);
    let from = now();
    let id = begin(cluster, order);
    let report = wait_over(cluster, id);
    let outside = outside.stop();
    assert_eq!(report["state"], "done", "{report:#}");
    for finding in report["findings"].as_array().expect("findings") {
        println!(
            "#   {}: {}",
            finding["name"].as_str().unwrap_or(""),
            finding["says"].as_str().unwrap_or("")
        );
    }
    let after = answers(cluster);
    let counted = begun_at.elapsed();
    let answers = (worker() == pid).then(|| {
        after.into_iter().map(|(class, count)| (class, count - before.get(&class).unwrap_or(&0))).collect()
    });
    let answered = count(&report["requests"], "asked") - count(&report["requests"], "lost");
    let lines = wait::until("every answer stands in HAProxy's log", LOGGED, || {
        let lines = lines(cluster, id);
        let good: u64 = [200, 303].iter().filter_map(|s| lines.get(s)).sum();
        if good >= answered { Ok(lines) } else { Err(lines) }
    })
    .0;
    Seen { report, outside, answers, counted, lines, begun: begun(cluster, from) }
}

/// Lines of HAProxy's log about a drill's requests, by status.
fn lines(cluster: &Cluster, id: u64) -> BTreeMap<u64, u64> {
    let agent = format!("Cordee-Drill/{id}");
    let mut all = BTreeMap::new();
    let snapshot = cluster.api().snapshot();
    for server in snapshot.servers.iter().filter(|s| s.pool == "web") {
        let path = format!("/v1/pools/web/servers/{}/requests?path=/couleur&limit=1000", server.name);
        for request in cluster.api().get(&path)["requests"].as_array().expect("requests") {
            if request["agent"] == agent {
                *all.entry(request["status"].as_u64().unwrap_or(0)).or_default() += 1;
            }
        }
    }
    all
}

/// First colours that were chosen since then, as the site says of itself.
fn begun(cluster: &Cluster, from: u64) -> u64 {
    let changes = cluster.api().get("/v1/visitors")["changes"].clone();
    let first = |c: &&Value| c["from"].is_null() && c["at"].as_u64().is_some_and(|at| at >= from);
    u64::try_from(changes.as_array().expect("changes").iter().filter(first).count()).expect("a count")
}

/// A count of a report.
pub fn count(of: &Value, field: &str) -> u64 {
    of[field].as_u64().unwrap_or_else(|| panic!("no {field} in {of}"))
}

impl Seen {
    /// The drill's report is what HAProxy, the site and the client outside counted.
    #[track_caller]
    pub fn assert_agrees(&self) {
        let requests = &self.report["requests"];
        let [asked, lost, refused, unanswered] =
            ["asked", "lost", "refused", "unanswered"].map(|f| count(requests, f));
        assert_eq!(lost, refused + unanswered);
        assert_eq!(count(requests, "lost_before"), 0, "{requests}");
        let good: u64 = [200, 303].iter().filter_map(|s| self.lines.get(s)).sum();
        assert_eq!(good, asked - lost, "HAProxy's log has {:?}, the report {requests}", self.lines);
        let outside = |f: fn(u16) -> bool| self.outside.iter().filter(|h| f(h.status)).count() as u64;
        if let Some(answers) = &self.answers
            && unanswered == 0
            && outside(|s| s == 0) == 0
        {
            let class = |c: char| answers.get(&c).copied().unwrap_or(0);
            let bad = refused + outside(|s| s >= 500);
            let well = asked - refused + outside(|s| s < 500);
            let (others_bad, others_well) =
                (class('5').checked_sub(bad), (class('2') + class('3')).checked_sub(well));
            // Beside both, Cordée asks at the site's own door: one question each second, one after the other.
            let most = self.counted.as_secs() + 2;
            let others = others_bad.zip(others_well).map(|(bad, well)| bad + well);
            assert!(
                others.is_some_and(|o| o <= most),
                "{bad} bad and {well} good answers are known, and up to {most} more; \
                 HAProxy gave {answers:?}, {requests}"
            );
        }
        let begun = count(&self.report["sessions"], "begun");
        assert_eq!(self.begun, begun, "sessions as the site says of itself");
        self.assert_recovery();
    }

    /// Milliseconds after the fault at which the client outside lost its last request.
    pub fn outside_recovery(&self) -> Option<u64> {
        let struck = count(&self.report, "struck");
        let lost = self.outside.iter().filter(|h| h.ended >= struck && (h.status == 0 || h.status >= 500));
        lost.map(|h| h.ended - struck).max()
    }

    /// When it fell, on this process's clock.
    pub fn struck(&self) -> Instant {
        let ago = now().saturating_sub(count(&self.report, "struck"));
        Instant::now().checked_sub(Duration::from_millis(ago)).expect("not before the machine")
    }

    /// The first write after the fault was acknowledged to the drill when it was to writers outside, but for what lies
    /// between two tries of either.
    #[track_caller]
    pub fn assert_first_write(&self, outside: Duration) {
        let drill = count(&self.report["writes"], "first_ms");
        let outside = u64::try_from(outside.as_millis()).expect("a time");
        let apart = drill.abs_diff(outside);
        assert!(apart <= 50 + 50 + SCHEDULED, "{drill} ms in the drill, {outside} ms outside");
    }

    /// Both lost their last request at the same time, but for what lies between two requests of either: a loss is seen
    /// when somebody asks, and ends when it is told.
    #[track_caller]
    fn assert_recovery(&self) {
        let (drill, outside) = (self.report["requests"]["recovered_ms"].as_u64(), self.outside_recovery());
        let lost = self.outside.iter().filter(|h| h.status == 0 || h.status >= 500).count();
        println!("#   outside: {} requests, {lost} lost, recovered after {outside:?} ms", self.outside.len());
        assert_ne!(self.report["requests"]["recovery"], "not-yet");
        if let (Some(drill), Some(outside)) = (drill, outside) {
            let longest =
                self.outside.iter().filter(|h| h.status == 0 || h.status >= 500).map(|h| h.took).max();
            let longest = u64::try_from(longest.unwrap_or_default().as_millis()).unwrap_or(0);
            let pace = u64::try_from(PACE.as_millis()).unwrap_or(0);
            let between = 1_000 / count(&self.report["traffic"], "rate") + pace + longest;
            let apart = drill.abs_diff(outside);
            assert!(apart <= between + SCHEDULED, "{drill} ms in the drill, {outside} ms outside");
        }
    }
}

/// Two cores that run two HAProxys, web servers and databases give a thread its turn by then.
const SCHEDULED: u64 = 100;
