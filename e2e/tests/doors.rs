//! The verdict is measured at the site's own addresses; what somebody else does to a running HAProxy is put right and
//! stands in the journal; what a worker runs is proven.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed expectation is how a test ends")]

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use cordee_e2e::api::Event;
use cordee_e2e::case;
use cordee_e2e::cluster::Cluster;
use cordee_e2e::db::Db;
use cordee_e2e::haproxy::{command, socket};
use cordee_e2e::http::Client;
use cordee_e2e::load::{Ask, Load};
use cordee_e2e::suite::File;
use cordee_e2e::wait;
use rustix::process::Signal;

/// How soon what is wrong at an address is shown, and what somebody changed is put right.
const TOLD: Duration = Duration::from_secs(3);
/// For so long HAProxy tries to find a database, and no longer: web servers are asked for a page, and have two seconds.
const WAITED: std::ops::Range<Duration> = Duration::from_millis(1_400)..Duration::from_secs(2);
/// How soon all is well again.
const WELL: Duration = Duration::from_secs(10);

/// Its cases.
pub fn file() -> File {
    File::new(
        "doors",
        &[],
        &[
            case!(a_listener_that_somebody_shuts_is_opened_and_told),
            case!(whatever_somebody_changes_at_run_time_is_put_right_and_told),
            case!(what_keeps_being_shut_is_critical_within_three_seconds),
            case!(a_used_up_database_is_full_and_not_dead),
            case!(a_worker_that_somebody_else_had_started_is_not_believed),
            case!(ordinary_changes_are_nobody_else_s),
            case!(cordee_s_own_questions_are_no_visitors),
            case!(checks_are_hidden_from_a_log_until_they_are_asked_for),
            case!(a_database_that_is_only_checked_writes_nothing_into_its_log),
            case!(all_web_servers_set_aside_have_a_sentence_of_their_own),
            case!(without_any_database_a_connection_ends_before_a_page_is_late),
        ],
    )
}

/// The columns of `show stat` of one line.
fn stat(cluster: &Cluster, proxy: &str, px: &str, sv: &str, column: &str) -> String {
    let text = command(cluster, proxy, "show stat");
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().unwrap().trim_start_matches("# ").split(',').collect();
    let at = header.iter().position(|h| *h == column).unwrap();
    lines
        .map(|l| l.split(',').collect::<Vec<_>>())
        .find(|l| l.first() == Some(&px) && l.get(1) == Some(&sv))
        .map_or_else(String::new, |l| l[at].to_owned())
}

fn visitor(cluster: &Cluster) -> Result<(), String> {
    let mut client =
        Client::new(cluster.site()).timeout(Duration::from_secs(1)).header("Connection", "close");
    match client.get("/").map_err(|e| e.to_string())?.status {
        200 => Ok(()),
        status => Err(status.to_string()),
    }
}

/// Lines of the journal about a HAProxy since then.
fn told(cluster: &Cluster, proxy: &str, since: u64) -> Vec<Event> {
    let subject = format!("haproxy-{proxy}");
    cluster.api().events_after(since).into_iter().filter(|e| e.subject == subject).collect()
}

fn wait_until_told(cluster: &Cluster, proxy: &str, since: u64, words: &[&str]) {
    wait::until("the journal tells of it", TOLD, || {
        let events = told(cluster, proxy, since);
        if words.iter().all(|word| events.iter().any(|e| e.text.contains(word))) {
            println!("#   {:?}", events.iter().map(|e| e.text.as_str()).collect::<Vec<_>>());
            Ok(())
        } else {
            Err(events)
        }
    });
}

fn a_listener_that_somebody_shuts_is_opened_and_told(cluster: &Cluster) {
    cluster.settle();
    for (proxy, listener) in [("web", "web"), ("db", "db"), ("db", "db_writer")] {
        let since = cluster.api().last_event();
        command(cluster, proxy, &format!("disable frontend {listener}"));
        wait::until("it takes connections again", TOLD, || {
            match stat(cluster, proxy, listener, "FRONTEND", "status") {
                status if status == "OPEN" => Ok(()),
                status => Err(status),
            }
        });
        wait_until_told(cluster, proxy, since, &["open before, paused now", "put right: open"]);
    }
    wait::until("visitors are served", TOLD, || visitor(cluster));
    Db::new(cluster, &[]).query("SELECT 1");
    // For good: only another worker helps.
    let since = cluster.api().last_event();
    command(cluster, "web", "shutdown frontend web");
    wait::until("visitors are served again", TOLD, || visitor(cluster));
    wait_until_told(cluster, "web", since, &["shut now", "reloaded"]);
    cluster.settle();
}

/// HAProxy, command, where it shows (backend, server, field), what it was, and what the journal calls it.
type ByHand<'a> = (&'a str, &'a str, (&'a str, &'a str, &'a str), String, &'a str);

fn whatever_somebody_changes_at_run_time_is_put_right_and_told(cluster: &Cluster) {
    cluster.settle();
    let most = stat(cluster, "db", "db", "FRONTEND", "slim");
    let port = cluster.api().snapshot().server("web1").port;
    let by_hand: [ByHand<'_>; 7] = [
        ("db", "set maxconn frontend db 1", ("db", "FRONTEND", "slim"), most, "listener db in"),
        ("web", "set server web/web1 weight 3", ("web", "web1", "weight"), "100".into(), "weight of web1"),
        ("web", "set maxconn server web/web1 1", ("web", "web1", "slim"), "48".into(), "connections to web1"),
        ("web", "set server web/web2 state maint", ("web", "web2", "status"), "UP".into(), "state of web2"),
        ("web", "set server web/web2 state drain", ("web", "web2", "status"), "UP".into(), "state of web2"),
        ("web", "disable health web/web1", ("web", "web1", "check_status"), "L7OK".into(), "checks of web1"),
        (
            "web",
            "set server web/web1 addr 127.0.0.1 port 9",
            ("web", "web1", "addr"),
            format!("127.0.0.1:{port}"),
            "address of web1",
        ),
    ];
    for (proxy, line, (px, sv, column), wished, words) in by_hand {
        let since = cluster.api().last_event();
        command(cluster, proxy, line);
        wait::until(&format!("{line}: it is as wished again"), TOLD, || {
            let now = stat(cluster, proxy, px, sv, column);
            if now.trim_start_matches("* ") == wished { Ok(()) } else { Err(now) }
        });
        wait_until_told(cluster, proxy, since, &[words, "put right"]);
    }
    let since = cluster.api().last_event();
    command(cluster, "web", "set maxconn global 5");
    command(cluster, "web", "set rate-limit connections global 3");
    wait_until_told(cluster, "web", since, &["number of connections at once", "connections in a second"]);
    wait::until("the process has no such bound", TOLD, || {
        let info = command(cluster, "web", "show info");
        let field = |name: &str| info.lines().find_map(|l| l.strip_prefix(name)).unwrap_or("").to_owned();
        let bounds = (field("Maxconn:"), field("Hard_maxconn:"), field("ConnRateLimit:"));
        if bounds.0 == bounds.1 && bounds.2.trim() == "0" { Ok(()) } else { Err(bounds) }
    });
    // Only a worker that starts anew brings it back.
    let since = cluster.api().last_event();
    command(cluster, "db", "set server db_writer/no.database state maint");
    wait::until("connections wait for a database again", TOLD, || {
        let state = stat(cluster, "db", "db_writer", "no.database", "status");
        if state == "no check" { Ok(()) } else { Err(state) }
    });
    wait_until_told(cluster, "db", since, &["at which connections wait", "runs the new file"]);
    cluster.settle();
}

/// Somebody who does that again and again until the value is dropped.
struct Persistent(Arc<AtomicBool>, Option<std::thread::JoinHandle<()>>);

impl Persistent {
    fn start(socket: String, line: &'static str) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let ends = over.clone();
        let thread = std::thread::spawn(move || {
            while !ends.load(Ordering::Relaxed) {
                if let Ok(mut stream) = UnixStream::connect(&socket) {
                    let _ = stream.write_all(format!("{line}\n").as_bytes());
                    let _ = stream.shutdown(Shutdown::Write);
                    let _ = stream.read_to_string(&mut String::new());
                }
                std::thread::sleep(Duration::from_millis(1));
            }
        });
        Self(over, Some(thread))
    }
}

impl Drop for Persistent {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
        let _ = self.1.take().map(std::thread::JoinHandle::join);
    }
}

fn what_keeps_being_shut_is_critical_within_three_seconds(cluster: &Cluster) {
    let shut = [
        ("web", "disable frontend web", cluster.site().port()),
        ("db", "disable frontend db", cluster.db().port()),
        ("db", "disable frontend db_writer", cluster.db_writer().port()),
    ];
    for (proxy, line, port) in shut {
        cluster.settle();
        let at = Instant::now();
        let somebody = Persistent::start(socket(cluster, proxy), line);
        let (found, _) = wait::until(&format!("{line}: it is told"), TOLD, || {
            let snapshot = cluster.api().try_snapshot()?;
            let row = snapshot.proxy(proxy).status.clone();
            let critical = snapshot.verdict.severity == "critical" && row.severity == "critical";
            if critical { Ok((snapshot.verdict, row)) } else { Err(format!("{:?}", snapshot.verdict)) }
        });
        println!("#   after {} ms: {found:?}", at.elapsed().as_millis());
        for status in [&found.0, &found.1] {
            let reason = status.reason.clone().unwrap_or_default();
            assert!(reason.contains(&port.to_string()), "the cause names the address: {status:?}");
        }
        drop(somebody);
        wait::until("all is well again", WELL, || cluster.api().try_snapshot()?.settled());
    }
}

fn a_used_up_database_is_full_and_not_dead(cluster: &Cluster) {
    cluster.settle();
    let writer =
        cluster.api().snapshot().servers.iter().find(|s| s.role.as_deref() == Some("writer")).cloned();
    let writer = writer.expect("a writer").name;
    let epoch = cluster.api().snapshot().epoch;
    let root = Db::root(cluster, &writer);
    // What HAProxy and Cordée hold stays; an application gets nothing more.
    let bound = |most: u32| {
        let grant = format!("GRANT USAGE ON *.* TO site_app@127.0.0.1 WITH MAX_USER_CONNECTIONS {most}");
        root.query(&format!("SET SESSION sql_log_bin=0; {grant}"));
    };
    bound(1);
    let held = Db::new(cluster, &[]);
    let session = held.hold("DO 0");
    let (status, _) = wait::until("it is told", TOLD, || {
        let verdict = cluster.api().try_snapshot()?.verdict;
        if verdict.severity == "critical" { Ok(verdict) } else { Err(format!("{verdict:?}")) }
    });
    println!("#   {status:?}");
    assert!(status.reason.unwrap_or_default().contains("connections of the database are used"));
    drop(session);
    bound(0);
    wait::until("all is well again", WELL, || cluster.api().try_snapshot()?.settled());
    assert_eq!(cluster.api().snapshot().epoch, epoch, "nobody was elected");
}

fn a_worker_that_somebody_else_had_started_is_not_believed(cluster: &Cluster) {
    cluster.settle();
    let visitors = Load::new(cluster.site(), 4, Ask::Get("/")).think(5..30).start();
    for proxy in ["web", "db"] {
        let since = cluster.api().last_event();
        let shown = cluster.api().snapshot().proxy(proxy).clone();
        let path = cluster.home().join("conf").join(format!("{proxy}.cfg"));
        let ours = cluster.conf(proxy);
        // Within one look of Cordée's: read by a new worker, and put back.
        std::fs::write(&path, ours.replace("timeout queue 5s", "timeout queue 7s")).unwrap();
        cluster.signal(shown.pid.expect("a master"), Signal::USR2);
        wait::until("somebody's worker is there", TOLD, || {
            let pid = command(cluster, proxy, "show info");
            if pid.contains(&format!("Pid: {}\n", shown.worker_pid.unwrap())) { Err(()) } else { Ok(()) }
        });
        std::fs::write(&path, &ours).unwrap();
        wait_until_told(cluster, proxy, since, &["was reloaded by somebody else", "runs the new file"]);
        cluster.settle();
        let reloads =
            told(cluster, proxy, since).iter().filter(|e| e.text.contains("runs the new file")).count();
        assert_eq!(reloads, 1, "{:?}", told(cluster, proxy, since));
        assert_eq!(cluster.conf(proxy), ours);
    }
    visitors.stop().assert_no_failure(20);
    // Nor one that came while Cordée was away.
    let before = cluster.api().snapshot().proxy("web").clone();
    let serve = cluster.serve().expect("serve");
    let keeper = cluster.processes().into_iter().find(|p| p.mentions("keeper")).expect("the keeper");
    let since = cluster.api().last_event();
    cluster.signal(keeper.pid, Signal::STOP);
    cluster.signal(serve.pid, Signal::KILL);
    wait::until_true("Cordée is away", TOLD, || cluster.serve().is_none());
    cluster.signal(before.pid.expect("a master"), Signal::USR2);
    wait::until_true("somebody's worker is there", TOLD, || {
        let info = command(cluster, "web", "show info");
        !info.contains(&format!("Pid: {}\n", before.worker_pid.unwrap()))
    });
    cluster.signal(keeper.pid, Signal::CONT);
    cluster.settle();
    wait_until_told(cluster, "web", since, &["not proven", "runs the new file"]);
    assert!(told(cluster, "db", since).iter().all(|e| !e.text.contains("not proven")));
}

/// What Cordée does itself is never called somebody else's doing.
fn ordinary_changes_are_nobody_else_s(cluster: &Cluster) {
    cluster.settle();
    let since = cluster.api().last_event();
    let api = cluster.api();
    for act in ["drain", "ready", "maintenance", "ready", "restart"] {
        api.act(&format!("/v1/pools/web/servers/web2/{act}"));
        wait::until("it is as wished", WELL, || {
            let severity = api.try_snapshot()?.server("web2").status.severity.clone();
            let wished = ["good", "maintenance", "progress"].contains(&severity.as_str());
            if wished { Ok(()) } else { Err(severity) }
        });
    }
    api.wait_for_severity("web2", "good", WELL);
    for next in ["db2", "db1"] {
        cluster.cli_ok(&["promote", next]);
        wait::until("it is the writer", WELL, || {
            let role = api.try_snapshot()?.server(next).role.clone();
            if role.as_deref() == Some("writer") { Ok(()) } else { Err(format!("{role:?}")) }
        });
        cluster.settle();
    }
    let odd: Vec<String> = api
        .events_after(since)
        .into_iter()
        .map(|e| e.text)
        .filter(|t| t.contains("omebody else") || t.contains("not proven") || t.contains("not answering"))
        .collect();
    assert_eq!(odd, Vec::<String>::new());
}

fn cordee_s_own_questions_are_no_visitors(cluster: &Cluster) {
    cluster.settle();
    let list = || cluster.api().get("/v1/visitors");
    let stored = |list: &serde_json::Value| list["log"]["stored"].as_u64().expect("a count");
    wait::until("earlier requests are written down", WELL, || {
        let before = stored(&list());
        std::thread::sleep(Duration::from_millis(1_500));
        if stored(&list()) == before { Ok(()) } else { Err(before) }
    });
    let before = stored(&list());
    let requests = || command(cluster, "web", "show stat").lines().count();
    assert!(requests() > 0);
    wait::always("nobody visited", Duration::from_secs(5), || match stored(&list()) {
        now if now == before => Ok(()),
        now => Err(now),
    });
    let total: u64 = stat(cluster, "web", "web", "FRONTEND", "req_tot").parse().expect("a count");
    assert!(total >= 5, "the site was asked meanwhile: {total}");
    visitor(cluster).expect("served");
    wait::until("a visitor is one", TOLD, || {
        let now = stored(&list());
        if now == before + 1 { Ok(()) } else { Err(now) }
    });
    // Whoever takes the name does not get the exemption.
    let mut client = Client::new(cluster.site())
        .header("User-Agent", "Cordee-Door/00112233445566778899aabbccddeeff")
        .header("Connection", "close");
    assert_eq!(client.get("/").expect("served").status, 200);
    wait::until("who only takes the name is a visitor", TOLD, || {
        let now = stored(&list());
        if now == before + 2 { Ok(()) } else { Err(now) }
    });
}

fn checks_are_hidden_from_a_log_until_they_are_asked_for(cluster: &Cluster) {
    cluster.settle();
    let log = |query: &str| {
        let answer = cluster.api().get(&format!("/v1/pools/web/servers/web1/logs?lines=1000{query}"));
        let files = answer["files"].as_array().cloned().unwrap_or_default();
        let file = files.into_iter().find(|f| f["name"] == "access.log").unwrap_or_default();
        let lines: Vec<String> = serde_json::from_value(file["lines"].clone()).unwrap_or_default();
        (lines, file["hidden"].as_u64().unwrap_or_default())
    };
    let ours = |lines: &[String], whose: &str| lines.iter().filter(|l| l.ends_with(whose)).count();
    let ((all, none), _) = wait::until("HAProxy and Cordée have asked", WELL, || {
        let (all, hidden) = log("&checks=true");
        if ours(&all, " check") > 3 && ours(&all, " door") > 3 { Ok((all, hidden)) } else { Err(all.len()) }
    });
    assert_eq!(none, 0, "of {}", all.len());
    let mut visitor = Client::new(cluster.site()).cookie("SERVEUR", "S1").header("Connection", "close");
    assert_eq!(visitor.get("/no-check").expect("an answer").status, 404);
    let ((lines, hidden), _) = wait::until("the visitor is in the log", TOLD, || {
        let (lines, hidden) = log("");
        if lines.iter().any(|l| l.contains("/no-check")) { Ok((lines, hidden)) } else { Err(lines) }
    });
    println!("#   {} lines, {hidden} hidden", lines.len());
    assert_eq!(ours(&lines, " check") + ours(&lines, " door"), 0, "{lines:?}");
    assert!(hidden > 6, "{hidden}");
    let mut person = cluster.signed_in();
    let page = person.get("/pools/web/servers/web1/logs").unwrap().text();
    assert!(
        page.contains("/no-check")
            && !page.contains("&#34; check\n")
            && page.contains("health checks</button>")
    );
    let page = person.get("/pools/web/servers/web1/logs?checks=shown").unwrap().text();
    assert!(page.contains("&#34; check\n") && page.contains("Hide the health checks"), "{page}");
    let said = cluster.cli_ok(&["logs", "web1"]);
    assert!(said.contains("--checks") && !said.contains("\" door\n"), "{said}");
}

fn a_database_that_is_only_checked_writes_nothing_into_its_log(cluster: &Cluster) {
    // Longer than Cordée's own pace: accounts are looked at, and sessions that have run out removed, every 10 s.
    const REST: Duration = Duration::from_secs(12);
    const COMPLAINTS: [&str; 2] = ["Aborted connection", "Access denied"];
    let route = |routing: &str| {
        cluster.cli_ok(&["routing", "db", routing]);
        wait::until("all is well", WELL, || cluster.api().try_snapshot()?.settled());
    };
    let log = |name: &str| cluster.home().join("servers").join(name).join("log/mariadb.log");
    let length = |name: &str| std::fs::read_to_string(log(name)).unwrap().len();
    for routing in ["one-writer", "all-writers"] {
        route(routing);
        let before = ["db1", "db2"].map(length);
        std::thread::sleep(REST);
        for (name, from) in ["db1", "db2"].into_iter().zip(before) {
            let text = std::fs::read_to_string(log(name)).unwrap();
            let new: Vec<&str> =
                text[from..].lines().filter(|l| COMPLAINTS.iter().any(|c| l.contains(c))).collect();
            println!("#   {routing}: {name} wrote {} lines in {REST:?}", new.len());
            assert!(new.is_empty(), "{routing}: {name}: {} lines, {:?}", new.len(), new.first());
        }
    }
    route("one-writer");
}

fn all_web_servers_set_aside_have_a_sentence_of_their_own(cluster: &Cluster) {
    cluster.settle();
    let since = cluster.api().last_event();
    cluster.cli_ok(&["maintenance", "web1"]);
    cluster.cli_ok(&["maintenance", "web2", "--force"]);
    let (verdict, _) = wait::until("it is said", WELL, || {
        let verdict = cluster.api().try_snapshot()?.verdict;
        if verdict.severity == "maintenance" { Ok(verdict) } else { Err(format!("{verdict:?}")) }
    });
    println!("#   {verdict:?}");
    visitors_read_a_page_in_their_language(cluster);
    for server in ["web1", "web2"] {
        cluster.cli_ok(&["ready", server]);
    }
    cluster.settle();
    let alarms: Vec<Event> = cluster
        .api()
        .events_after(since)
        .into_iter()
        .filter(|e| e.severity.as_deref() == Some("critical"))
        .collect();
    assert!(alarms.is_empty(), "{alarms:?}");
}

/// What HAProxy says while no server is there.
fn visitors_read_a_page_in_their_language(cluster: &Cluster) {
    const FRENCH: &str = "Le site est indisponible";
    const ENGLISH: &str = "The site is unavailable";
    for (accepts, class) in [
        ("fr-FR,fr;q=0.9,en-US;q=0.8,en;q=0.7", "fr"),
        ("en-US,en;q=0.9,fr;q=0.5", "en"),
        ("fr-CA", "fr"),
        ("de-DE,de;q=0.9", "en"),
        ("", ""),
    ] {
        let mut client = Client::new(cluster.site()).header("Connection", "close");
        if !accepts.is_empty() {
            client = client.header("Accept-Language", accepts);
        }
        let answer = client.get("/?<script>").expect("HAProxy answers");
        let page = answer.text();
        assert_eq!((answer.status, answer.header("retry-after")), (503, Some("5")), "{accepts}: {page}");
        assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"), "{accepts}");
        assert!(page.contains(&format!("<html lang=\"{class}\">")), "{accepts}: {page}");
        assert!(page.contains(FRENCH) && page.contains(ENGLISH), "the style sheet hides one of them: {page}");
        for inner in ["Cord", "cordee", "HAProxy", "Apache", "web1", "<script>", "127.0.0.1"] {
            assert!(!page.contains(inner), "{inner}: {page}");
        }
    }
}

fn without_any_database_a_connection_ends_before_a_page_is_late(cluster: &Cluster) {
    cluster.settle();
    let writer =
        cluster.api().snapshot().servers.iter().find(|s| s.role.as_deref() == Some("writer")).cloned();
    let writer = writer.expect("a writer").name;
    let standby = if writer == "db1" { "db2" } else { "db1" };
    let since = cluster.api().last_event();
    cluster.cli_ok(&["stop", standby]);
    cluster.cli_ok(&["stop", &writer, "--force"]);
    let (verdict, _) = wait::until("it is said", WELL, || {
        let verdict = cluster.api().try_snapshot()?.verdict;
        let stopped = ["db1", "db2"].iter().all(|name| cluster.api().snapshot().server(name).pid.is_none());
        if stopped && verdict.severity != "good" { Ok(verdict) } else { Err(format!("{verdict:?}")) }
    });
    println!("#   {verdict:?}");
    for to in [cluster.db(), cluster.db_writer()] {
        let at = Instant::now();
        let mut stream = TcpStream::connect(to).expect("HAProxy listens");
        stream.set_read_timeout(Some(WELL)).unwrap();
        let ended = stream.read(&mut [0; 64]);
        let waited = at.elapsed();
        println!("#   {to}: {ended:?} after {waited:?}");
        assert!(matches!(ended, Ok(0)), "{ended:?}");
        assert!(WAITED.contains(&waited), "{waited:?}");
    }
    // A page that asks for a database says that there is none, and the web servers stay in service.
    let at = Instant::now();
    let page = Client::new(cluster.site()).timeout(WELL).get("/connexion").expect("a page");
    println!("#   /connexion: {} after {:?}", page.status, at.elapsed());
    wait::always("visitors are served", TOLD, || visitor(cluster));
    let web: Vec<Event> = cluster
        .api()
        .events_after(since)
        .into_iter()
        .filter(|e| e.subject.starts_with("web") && e.severity.as_deref() != Some("good"))
        .collect();
    assert!(web.is_empty(), "{web:?}");
    for server in [&writer, standby] {
        cluster.cli_ok(&["start", server]);
    }
    cluster.settle();
}
