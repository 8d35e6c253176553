//! (i) A thousand web servers: what a plan and a snapshot of them cost against a hundred, in time and in allocations,
//! and what a real cluster with a thousand costs at its start, at rest, and when one more is added.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use cordee_domain::change::{RawServer, Request};
use cordee_domain::desired::{Addresses, Desired};
use cordee_domain::haproxy::config::{self};
use cordee_domain::haproxy::setting::Setting;
use cordee_domain::haproxy::stats::{Check, CheckState, Limits, Running, RunningServer};
use cordee_domain::ids::{PoolId, ProcessId};
use cordee_domain::observed::{Leader, Observed, ProcessSeen, ProxySeen};
use cordee_domain::plan::{places, plan};
use cordee_domain::scene::Scene;
use cordee_domain::seen::Seen;
use cordee_domain::snapshot::snapshot;
use cordee_e2e::cluster::Cluster;
use cordee_e2e::haproxy;
use cordee_e2e::visitors::{Manner, Stranger};
use cordee_e2e::wait;
use serde_json::json;

use crate::figures::{Figures, ms, same};
use crate::footprint::{ticks, ticks_per_second};
use crate::report::Report;

/// Ten times as many servers may cost so many times as much: what grows with their square costs a hundred times.
const MOST_TIMES: f64 = 12.0;
const FEW: u16 = 100;
const MANY: u16 = 1_000;
/// Values of each size, in turns.
const ROUNDS: usize = 15;
/// Each value is the mean of so many with a thousand, and of so many times more with a hundred: the kernel counts in
/// ticks of some milliseconds.
const IN_A_ROW: u16 = 25;
const NOW: u64 = 1_000_000;

/// One is added so often to the small and to the big cluster.
const ADDED: usize = 15;
const START_S: f64 = 5.0;
/// Processor of `cordee serve` with a thousand, per cent of a core.
const REST_PERCENT: f64 = 8.0;
const WINDOW: Duration = Duration::from_secs(60);
/// All of them are added, checked and shown by then.
const ALL_GOOD: Duration = Duration::from_secs(300);

/// Figures of a thousand, on paper and for real.
pub fn measure(cluster: &Cluster) -> Report {
    let mut report = Report::new("9. A thousand web servers");
    pure(&mut report);
    real(cluster, &mut report);
    report
}

/// How the servers are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Are {
    /// All of them serve.
    Well,
    /// The checks of every third one fail.
    Third,
    /// HAProxy was started a moment ago, and has checked none.
    Unchecked,
}

/// What is said of each: time, allocations, and the same as references.
const STATES: [(Are, [&str; 5]); 3] = [
    (
        Are::Well,
        [
            "A plan and a picture, 1,000 web servers / 100: time",
            "… allocations",
            "… of 100 (reference)",
            "… of 100 / of 100 (A/A)",
            "… of 1,000",
        ],
    ),
    (
        Are::Third,
        [
            "The same while every third one fails: time",
            "… allocations of that",
            "… of 100, every third failing (reference)",
            "… of 100 / of 100, every third failing (A/A)",
            "… of 1,000, every third failing",
        ],
    ),
    (
        Are::Unchecked,
        [
            "The same before any was checked: time",
            "… allocations of those",
            "… of 100 unchecked (reference)",
            "… of 100 / of 100 unchecked (A/A)",
            "… of 1,000 unchecked",
        ],
    ),
];

/// A wish with so many external web servers, and the sight of them.
struct Model {
    desired: Desired,
    observed: Observed,
    setting: Setting,
}

impl Model {
    fn of(servers: u16, are: Are) -> Self {
        let at = |port| ([127, 0, 0, 1], port).into();
        let addresses = Addresses {
            page: at(8600),
            names: Vec::new(),
            site: at(8080),
            db: at(3307),
            writer: at(3308),
            ports: (8610, 8699),
        };
        let mut desired = Desired::first(&addresses, |_| true).expect("a first wish");
        for n in 0..servers {
            let [high, low] = n.to_be_bytes();
            let raw = RawServer {
                name: format!("far{n}"),
                address: Some(Ipv4Addr::new(10, 0, high, low).to_string()),
                ..RawServer::default()
            };
            let server = raw.parse(|| Ok(Vec::new())).expect("a server");
            let change = Request::AddServer { pool: PoolId::Web, server };
            desired = desired.apply(&change).expect("a wish");
        }
        let setting = Setting {
            web_socket: PathBuf::from("/run/web.sock"),
            db_socket: PathBuf::from("/run/db.sock"),
            session_map: PathBuf::from("/conf/session.map"),
            cookie_key: "00".to_owned(),
            log_key: "11".to_owned(),
        };
        let observed = seen(&desired, &setting, are);
        Self { desired, observed, setting }
    }

    /// One plan and one picture.
    fn once(&self) {
        black_box(plan(Scene::new(&self.desired, &self.observed, NOW), &self.setting));
        black_box(snapshot(Scene::new(&self.desired, &self.observed, NOW), &self.setting));
    }

    /// Milliseconds of processor time for a plan and a snapshot, out of `times` in a row. The files were rendered
    /// before, as in the engine, which renders them when they change. What else the machine does is not counted: it
    /// would interrupt the long samples only.
    fn timed(&self, times: u16) -> f64 {
        self.once();
        let before = busy_ms();
        for _ in 0..times {
            self.once();
        }
        (busy_ms() - before) / f64::from(times)
    }

    /// What those allocate, likewise: how often, and octets.
    fn allocated(&self) -> (f64, f64) {
        self.once();
        let counted = allocation_counter::measure(|| self.once());
        let figure = |n: u64| u32::try_from(n).map_or(f64::INFINITY, f64::from);
        (figure(counted.count_total), figure(counted.bytes_total))
    }
}

/// Milliseconds that this thread has had a processor.
fn busy_ms() -> f64 {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").expect("schedstat");
    let nanoseconds = told.split_whitespace().next().and_then(|n| n.parse::<f64>().ok()).expect("a number");
    nanoseconds / 1_000_000.0
}

/// HAProxy `web` runs its file, and has every server.
fn seen(desired: &Desired, setting: &Setting, are: Are) -> Observed {
    let mut observed = Observed::default();
    let leader = Leader { pid: 7, server: 0, generation: 0, frozen: false };
    let process = ProcessSeen { leader: Some(leader), ..ProcessSeen::default() };
    observed.processes.insert(ProcessId::Proxy(PoolId::Web), process);
    let servers: BTreeMap<_, _> = desired
        .web
        .servers
        .iter()
        .enumerate()
        .map(|(n, server)| {
            let fails = are == Are::Third && n % 3 == 0;
            let check = match are {
                Are::Unchecked => Check::default(),
                _ if fails => Check { code: "L7STS".to_owned(), status: Some(500), ..Check::default() },
                _ => Check { code: "L7OK".to_owned(), status: Some(200), ..Check::default() },
            };
            let there = RunningServer {
                id: server.id,
                ip: server.host.plain(),
                port: server.port,
                maintenance: false,
                writer_maintenance: false,
                drain: false,
                weight: 100,
                most: 0,
                checked: true,
                checked_elsewhere: false,
                verdict: if fails { CheckState::Down } else { CheckState::Up },
                sessions: 0,
                total: 0,
                cookie: format!("S{}", server.id),
                since_s: 60,
                check,
                uniform: true,
            };
            (server.name.clone(), there)
        })
        .collect();
    let mut running = Running {
        pid: 8,
        shape: None,
        version: "2.6.12".to_owned(),
        uptime_s: 60,
        rate: 0,
        sessions: 0,
        mode: Some(desired.session),
        requests: 0,
        unsent: 0,
        frontends: BTreeMap::new(),
        limits: Limits::default(),
        waits: true,
        servers,
    };
    let proxy = |running: &Running, file| ProxySeen {
        file,
        map: Some(desired.session.map()),
        running: Seen::At(NOW, running.clone()),
        worker: Some(running.pid),
        ..ProxySeen::default()
    };
    observed.proxies.insert(PoolId::Web, proxy(&running, None));
    let want = config::render(
        desired,
        PoolId::Web,
        setting,
        &places(Scene::new(desired, &observed, NOW), PoolId::Web),
    );
    running.shape = Some(want.shape.clone());
    observed.proxies.insert(PoolId::Web, proxy(&running, Some(want.text.clone())));
    observed
}

/// Planning and picturing, in turns for a hundred and a thousand.
fn pure(report: &mut Report) {
    for (are, [time, allocations, few_say, same_say, many_say]) in STATES {
        let (few, many) = (Model::of(FEW, are), Model::of(MANY, are));
        let (mut short, mut long) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            short.push(few.timed(IN_A_ROW * (MANY / FEW)));
            long.push(many.timed(IN_A_ROW));
        }
        let ratios = Figures::new(short.iter().zip(&long).map(|(s, l)| l / s).collect());
        let demand = format!("median ≤ {MOST_TIMES}");
        report.judge(time, ratios.spread(1), &demand, ratios.median() <= MOST_TIMES);
        let ((short_count, short_octets), (long_count, long_octets)) = (few.allocated(), many.allocated());
        let (times, octets) = (long_count / short_count, long_octets / short_octets);
        report.judge(
            allocations,
            format!("{times:.1} ({long_count:.0} / {short_count:.0}); octets {octets:.1}"),
            &format!("≤ {MOST_TIMES}, both"),
            times.max(octets) <= MOST_TIMES,
        );
        report.note(few_say, format!("{} ms", Figures::new(short.clone()).spread(2)));
        report.note(same_say, same(&short));
        report.note(many_say, format!("{} ms", Figures::new(long).spread(2)));
    }
}

/// How far the medians of two halves of the same values lie apart at most, as a ratio: by turns, and early against
/// late.
fn noise(values: &[f64]) -> f64 {
    let half = |n: usize| values.iter().copied().skip(n).step_by(2).collect::<Vec<_>>();
    let (early, late) = values.split_at(values.len() / 2);
    let ratio = |a: Vec<f64>, b: Vec<f64>| Figures::new(a).median() / Figures::new(b).median();
    let all = [ratio(half(0), half(1)), ratio(early.to_vec(), late.to_vec())];
    all.into_iter().map(|ratio| ratio.max(1.0 / ratio)).fold(1.0, f64::max)
}

/// A cluster with a thousand external web servers: one listener answers at all addresses of the loopback. They stay:
/// this part is the last one.
fn real(cluster: &Cluster, report: &mut Report) {
    let listener = Stranger::at("0.0.0.0:0", Manner::Good("far"));
    let before: Vec<f64> = (0..ADDED).map(|_| in_turn(cluster, &listener)).collect();
    let api = cluster.api();
    let begun = Instant::now();
    for n in 0..MANY {
        let [high, low] = n.to_be_bytes();
        let address = Ipv4Addr::new(127, 1, high, low).to_string();
        let body = json!({ "name": format!("far{n}"), "address": address, "port": listener.port() });
        let reply = api.post("/v1/pools/web/servers", &body);
        assert!(reply.ok(), "far{n}: {reply:?}");
    }
    let asked = begun.elapsed();
    wait::until("all of them serve", ALL_GOOD, || settled(cluster));
    report.note(
        "1,000 external web servers added one after the other",
        format!("{:.1} s asked, all good after {:.1} s", asked.as_secs_f64(), begun.elapsed().as_secs_f64()),
    );
    let serve = cluster.serve().expect("cordee serve").pid;
    let (rests, from) = (Instant::now(), ticks(serve));
    std::thread::sleep(WINDOW);
    let percent = (ticks(serve) - from) / ticks_per_second() / rests.elapsed().as_secs_f64() * 100.0;
    report.judge(
        "Processor of `cordee serve` at rest over 60 s, 1,004 servers",
        format!("{percent:.2} %"),
        &format!("≤ {REST_PERCENT} % of a core"),
        percent <= REST_PERCENT,
    );
    let after: Vec<f64> = (0..ADDED).map(|_| in_turn(cluster, &listener)).collect();
    added(&before, &after, report);
    start(cluster, report);
}

/// Whether one more among many has its turn as soon as among few, give or take what the same differs from itself.
fn added(few: &[f64], many: &[f64], report: &mut Report) {
    let (small, big) = (Figures::new(few.to_vec()), Figures::new(many.to_vec()));
    let (ratio, apart) = (big.median() / small.median(), noise(few).max(noise(many)));
    report.judge(
        "Click to its turn among the others (weight in HAProxy) of one more, 1,004 servers / 4: ratio of the medians",
        format!("{ratio:.2}"),
        &format!("≤ {apart:.2}, the A/A of the same run"),
        ratio <= apart,
    );
    report.note("… with 1,004", format!("{} ms", big.spread(0)));
    report.note("… with 4 (reference)", format!("{} ms", small.spread(0)));
}

/// Whether everything is good, and the beginning of what is not: of a thousand servers nobody reads all.
fn settled(cluster: &Cluster) -> Result<(), String> {
    let picture = cluster.api().try_snapshot()?;
    picture.settled().map_err(|wrong| wrong.chars().take(300).collect())
}

/// Milliseconds from the click until HAProxy gives the added server its share of the visitors, which it does after its
/// first check. Its first visitor would come later the more servers there are: they take turns.
fn in_turn(cluster: &Cluster, listener: &Stranger) -> f64 {
    let api = cluster.api();
    let body = json!({ "name": "added", "address": "127.2.0.1", "port": listener.port() });
    let socket = haproxy::socket(cluster, "web");
    let click = Instant::now();
    let reply = api.post("/v1/pools/web/servers", &body);
    assert!(reply.ok(), "{reply:?}");
    wait::until("it has its turn", ALL_GOOD, || {
        let said = haproxy::ask(&socket, "get weight web/added").map_err(|e| e.to_string())?;
        if said.starts_with("100 ") { Ok(()) } else { Err(said) }
    });
    let took = ms(click.elapsed());
    api.delete("/v1/pools/web/servers/added");
    wait::until("it is gone", ALL_GOOD, || {
        let said = haproxy::ask(&socket, "get weight web/added").map_err(|e| e.to_string())?;
        if said.contains("No such server") { Ok(()) } else { Err(said) }
    });
    wait::until("settled again", ALL_GOOD, || settled(cluster));
    took
}

/// From nothing that runs to all of it serving.
fn start(cluster: &Cluster, report: &mut Report) {
    cluster.cli_ok(&["down"]);
    let begun = Instant::now();
    cluster.cli_ok(&["up", "--detach"]);
    let took = begun.elapsed().as_secs_f64();
    report.judge(
        "`cordee up --detach` of all that, until it serves",
        format!("{took:.1} s"),
        &format!("≤ {START_S} s"),
        took <= START_S,
    );
    let good = wait::until("all good", ALL_GOOD, || settled(cluster)).1;
    report.note(
        "… until every server was checked and shown as good",
        format!("{:.1} s more", good.as_secs_f64()),
    );
}
