//! PHP's session cycle (start, change or not, close) in one of the cluster's Apaches: PHP's files, our handler, and
//! Symfony's `PdoSessionHandler` of Debian's package with its default lock and with none, in turns.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use cordee_e2e::cluster::{Cluster, run};
use cordee_e2e::http::Client;
use cordee_e2e::pair::Pair;
use cordee_e2e::ports::local;

use crate::big::ask;
use crate::figures::{Figures, ms, same};
use crate::report::Report;

/// Visitors of each storage: enough that one seldom comes twice within a second, as people do.
const VISITORS: usize = 1_600;
const CLIENTS: usize = 8;
const ROUNDS: usize = 5;
const ONE: Duration = Duration::from_secs(2);
const PACKAGE: &str = "php-symfony-http-foundation";
/// How the page names the storages.
const WAYS: [&str; 4] = ["files", "ours", "symfony", "symfony_nolock"];

/// What one window of two seconds gave.
#[derive(Clone, Copy, Debug)]
struct Window {
    a_second: f64,
    p50: f64,
    p99: f64,
}

/// Every storage in turns, unchanged sessions and changed ones.
pub fn measure(cluster: &Cluster) -> Report {
    let mut report = Report::new("7. PHP sessions");
    report.note("Versions", versions());
    let pair = Pair::wait(cluster);
    let at = install(cluster, &pair);
    let known: BTreeMap<&str, Vec<String>> = WAYS.iter().map(|way| (*way, visitors(at, way))).collect();
    for write in [false, true] {
        let mut seen: BTreeMap<&str, Vec<Window>> = BTreeMap::new();
        for round in 0..ROUNDS {
            let mut order = WAYS;
            // The order turns, so that whatever the machine does by and by falls on all of them.
            order.rotate_left(round % WAYS.len());
            for way in order {
                seen.entry(way).or_default().push(window(at, way, write, &known[way]));
            }
        }
        publish(&mut report, write, &seen);
    }
    report
}

/// Puts the page beside the site of a web server that the product started, and makes the reference's table.
fn install(cluster: &Cluster, pair: &Pair) -> SocketAddr {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("php/sessions.php");
    let public = cluster.home().join("servers/web1/site/public");
    std::fs::copy(&page, public.join("bench-sessions.php")).expect("the page");
    let socket = cluster.home().join("run").join(&pair.writer.name).join("mariadb.sock");
    let mut make = Command::new("/usr/bin/php8.2");
    make.arg(&page).arg("make").arg(format!("mysql:unix_socket={};dbname=site", socket.display()));
    let said = run(&mut make, Duration::from_secs(20));
    assert_eq!(said.code, 0, "{PACKAGE}'s table: {said:?}");
    assert_eq!(ask(cluster, &pair.writer.name, "SELECT COUNT(*) FROM site.sessions")[0][0], "0");
    local(cluster.api().snapshot().server("web1").port)
}

fn path(way: &str, write: bool) -> String {
    format!("/bench-sessions.php?how={way}&write={}", u8::from(write))
}

/// One request; the id that was answered and the count in its session.
fn cycle(client: &mut Client, path: &str) -> (String, u64, Duration) {
    let answer = client.get(path).expect(path);
    let text = answer.text();
    assert_eq!(answer.status, 200, "{path}: {text}");
    let (id, count) = text.split_once(' ').unwrap_or_else(|| panic!("{path}: {text:?}"));
    (id.to_owned(), count.parse().unwrap_or_else(|_| panic!("{path}: {text:?}")), answer.took)
}

/// Sessions that are there, by their cookies.
fn visitors(at: SocketAddr, way: &str) -> Vec<String> {
    (0..VISITORS).map(|_| cycle(&mut Client::new(at), &path(way, true)).0).collect()
}

/// Eight clients ask as fast as they are answered, each for visitors of its own, so that none waits for another's lock.
fn window(at: SocketAddr, way: &str, write: bool, known: &[String]) -> Window {
    let (path, name) = (path(way, write), format!("bench_{way}"));
    let started = Instant::now();
    let client = |ids: Vec<&String>| {
        let (mut took, mut client) = (Vec::new(), Client::new(at));
        for id in ids.iter().cycle() {
            if started.elapsed() >= ONE {
                break;
            }
            client.cookies.insert(name.clone(), (*id).clone());
            let (seen, _, time) = cycle(&mut client, &path);
            assert_eq!(seen, **id, "{path}: the session was not taken up");
            took.push(ms(time));
        }
        took
    };
    let took: Vec<f64> = std::thread::scope(|scope| {
        let each = (0..CLIENTS).map(|n| known.iter().skip(n).step_by(CLIENTS).collect());
        let running: Vec<_> = each.map(|ids| scope.spawn(|| client(ids))).collect();
        running.into_iter().flat_map(|r| r.join().expect("a client")).collect()
    });
    #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
    let a_second = took.len() as f64 / started.elapsed().as_secs_f64();
    let took = Figures::new(took);
    Window { a_second, p50: took.median(), p99: took.quantile(0.99) }
}

fn publish(report: &mut Report, write: bool, seen: &BTreeMap<&str, Vec<Window>>) {
    let rates = |way: &str| seen[way].iter().map(|w| w.a_second).collect::<Vec<_>>();
    let (ours, symfony) = (rates("ours"), rates("symfony"));
    let ratio: Vec<f64> = ours.iter().zip(&symfony).map(|(a, b)| a / b).collect();
    let (what, least) = if write {
        ("Sessions written, ours / Symfony's default", 0.95)
    } else {
        ("Sessions unchanged, ours / Symfony's default", 2.0)
    };
    let ratio = Figures::new(ratio);
    report.judge(what, ratio.spread(2), &format!("median ≥ {least}"), ratio.median() >= least);
    for (way, what) in
        WAYS.iter().zip(["… PHP's files", "… our handler", "… Symfony, default lock", "… Symfony, LOCK_NONE"])
    {
        let middle = |of: fn(&Window) -> f64| Figures::new(seen[way].iter().map(of).collect()).median();
        report.note(
            what,
            format!(
                "{} cycles/s, p50 {:.2} ms, p99 {:.1} ms, A/A {}",
                Figures::new(rates(way)).spread(0),
                middle(|w| w.p50),
                middle(|w| w.p99),
                same(&rates(way))
            ),
        );
    }
}

fn versions() -> String {
    let version = |package: &str| {
        let mut ask = Command::new("/usr/bin/dpkg-query");
        ask.args(["--show", "--showformat=${Version}", package]);
        let said = run(&mut ask, Duration::from_secs(10));
        assert_eq!(said.code, 0, "install Debian's {package} first: {said:?}");
        said.out.trim().to_owned()
    };
    let named = ["apache2-bin", "libapache2-mod-php8.2", "mariadb-server-core", PACKAGE];
    named.map(|p| format!("{p} {}", version(p))).join(", ")
}
