//! Who visits: the list follows HAProxy's log, loses nothing uncounted, and shows what visitors send as text.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed expectation is how a test ends")]

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::time::{Duration, Instant, SystemTime};

use cordee_e2e::axe;
use cordee_e2e::case;
use cordee_e2e::cluster::Cluster;
use cordee_e2e::http::Client;
use cordee_e2e::person::Person;
use cordee_e2e::ports::local;
use cordee_e2e::suite::File;
use cordee_e2e::visitors::{Manner, Stranger, header_lines};
use cordee_e2e::wait;
use rustix::process::Signal;
use serde_json::{Value, json};

/// A line is in the list a second after it came, and shown a moment later.
const SHOWN: Duration = Duration::from_secs(10);

/// Its cases.
pub fn file() -> File {
    File::new(
        "guests",
        &[],
        &[
            case!(a_visitor_is_listed_and_their_change_is_for_us_alone),
            case!(whatever_is_sent_is_one_record_and_text),
            case!(only_a_trusted_proxy_says_who_visits),
            case!(what_a_visitor_says_in_a_proxys_name_does_not_reach_the_site),
            case!(the_list_changes_while_it_is_looked_at),
            case!(wrong_settings_are_refused_in_three_ways),
            case!(what_was_missed_while_cordee_was_away_is_counted),
            case!(twenty_thousand_lines_a_second_are_counted_to_the_last),
            case!(addresses_are_shortened),
        ],
    )
}

/// The list as the API gives it.
#[track_caller]
fn list(cluster: &Cluster, query: &str) -> Value {
    cluster.api().get(&format!("/v1/visitors?limit=1000&{query}"))
}

fn requests_of(list: &Value, address: &str) -> u64 {
    let all = list["visitors"].as_array().expect("visitors");
    all.iter().find(|v| v["address"] == address).map_or(0, |v| v["requests"].as_u64().expect("a number"))
}

/// One request, octet by octet, and all that comes back.
fn raw(to: SocketAddr, request: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(to).expect("connect");
    stream.set_read_timeout(Some(Duration::from_secs(10))).expect("timeout");
    stream.write_all(request).expect("send");
    let mut answer = Vec::new();
    // Bad requests may end in a reset after the answer.
    let _ = stream.read_to_end(&mut answer);
    answer
}

fn a_visitor_is_listed_and_their_change_is_for_us_alone(cluster: &Cluster) {
    let before = list(cluster, "");
    let known = requests_of(&before, "127.0.0.1");
    let mut visitor = Client::with_jar(cluster.site());
    let page = visitor.get("/couleur").expect("the page");
    assert_eq!(page.status, 200);
    let chosen = visitor.post_form("/couleur", &[("couleur", "bleu")]).expect("the form");
    assert_eq!(chosen.status, 303, "{}", chosen.text());
    assert_eq!(chosen.header("x-cordee-change"), None, "HAProxy takes the header away");
    let server = chosen.server().to_owned();
    let again = visitor.post_form("/couleur", &[("couleur", "vert")]).expect("the form");
    assert_eq!((again.status, again.header("x-cordee-change")), (303, None));
    let (seen, took) = wait::until("three requests and two changes are listed", SHOWN, || {
        let seen = list(cluster, "");
        let changes = seen["changes"].as_array().expect("changes").len();
        if requests_of(&seen, "127.0.0.1") == known + 3 && changes == 2 { Ok(seen) } else { Err(seen) }
    });
    println!("# listed after {:.1} s", took.as_secs_f64());
    let [last, first] = [&seen["changes"][0], &seen["changes"][1]];
    assert_eq!(
        (&first["from"], &first["to"], &first["server"]),
        (&Value::Null, &json!("bleu"), &json!(server))
    );
    assert_eq!((&last["from"], &last["to"]), (&json!("bleu"), &json!("vert")));
    let of_server = list(cluster, &format!("server={server}"));
    assert!(requests_of(&of_server, "127.0.0.1") >= 2);
    assert!(of_server["changes"].as_array().is_some_and(|c| !c.is_empty()));

    let table = cluster.cli_ok(&["visitors", "--csv"]);
    assert!(table.starts_with("address,server,first,last,requests,errors\r\n127.0.0.1,"), "{table}");
    let changes = cluster.cli_ok(&["visitors", "--changes"]);
    assert!(changes.contains("blue") && changes.contains("green"), "in the reader's language: {changes}");
    let mut page = cluster.signed_in();
    let csv = page.get("/api/v1/visitors.csv?of=changes").expect("the table");
    assert_eq!(csv.status, 200);
    assert!(csv.text().contains(&format!(",127.0.0.1,{server},bleu,vert\r\n")), "{}", csv.text());
    // HAProxy's checks of the servers and Cordée's own questions are no visits: nothing is added by waiting for some.
    let quiet = list(cluster, "");
    for server in ["web1", "web2"] {
        cluster.cli_ok(&["test", server]);
    }
    wait::always("no look of our own is a visit", Duration::from_secs(3), || {
        let now = requests_of(&list(cluster, ""), "127.0.0.1");
        if now == requests_of(&quiet, "127.0.0.1") { Ok(()) } else { Err(now) }
    });
}

/// What a hostile visitor may send, and what is shown of it.
const ODD: [(&[u8], &str); 6] = [
    (
        b"GET /odd-1?<script>alert(1)</script> HTTP/1.1\r\nHost: x\r\nUser-Agent: <script>alert(1)</script>\r\n",
        "<script>alert(1)</script>",
    ),
    (b"GET /odd-2<script>alert(2)</script> HTTP/1.1\r\nHost: x\r\n", "GET /odd-2<script>alert(2)</script>"),
    (
        b"GET /odd-3 HTTP/1.1\r\nHost: x\r\nUser-Agent: \x1b[31mred\x1b]0;title\x07\r\n",
        "\\x1B[31mred\\x1B]0;title\\x07",
    ),
    (b"GET /odd-4 HTTP/1.1\r\nHost: x\r\nUser-Agent: a\xff\xfe\xc0\xafb\r\n", "a\\xFF\\xFE\\xC0\\xAFb"),
    (b"GET /odd-5 HTTP/1.1\r\nHost: x\r\nUser-Agent: a\x00b\r\n", "a\\x00b"),
    (
        b"GET /odd-6%0Acordee1%201%201 HTTP/1.1\r\nHost: x\r\nUser-Agent: one\r\n two\r\n",
        "GET /odd-6%0Acordee1%201%201",
    ),
];

fn whatever_is_sent_is_one_record_and_text(cluster: &Cluster) {
    let before = list(cluster, "");
    let (known, unreadable) =
        (requests_of(&before, "127.0.0.1"), before["log"]["unreadable"].as_u64().expect("a number"));
    for (head, _) in ODD {
        let request = [head, b"Cookie: SERVEUR=S1\r\nConnection: close\r\n\r\n"].concat();
        let answer = raw(cluster.site(), &request);
        assert!(answer.starts_with(b"HTTP/1."), "{:?}", String::from_utf8_lossy(&answer));
    }
    // Refused by HAProxy itself: a control character and a NUL in the path, a newline in it.
    for bad in [
        &b"GET /\x1b[2J HTTP/1.1\r\nHost: x\r\n\r\n"[..],
        b"GET /\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /a\nb HTTP/1.1\r\nHost: x\r\n\r\n",
    ] {
        raw(cluster.site(), bad);
    }
    let sent = u64::try_from(ODD.len() + 3).expect("few");
    let (seen, _) = wait::until("each is one record", SHOWN, || {
        let seen = list(cluster, "");
        if requests_of(&seen, "127.0.0.1") >= known + sent { Ok(seen) } else { Err(seen) }
    });
    assert_eq!(requests_of(&seen, "127.0.0.1"), known + sent, "one record each");
    assert_eq!(seen["log"]["unreadable"], json!(unreadable), "every line is understood");

    let terminal: String =
        ["web1", "web2"].iter().map(|s| cluster.cli_ok(&["requests", s, "--path", "/odd-"])).collect();
    assert_eq!(terminal.lines().count(), ODD.len(), "{terminal}");
    assert!(!terminal.chars().any(|c| c.is_control() && c != '\n'), "{terminal:?}");
    let person = Person::sign_in(cluster);
    let mut shown = String::new();
    for server in ["web1", "web2"] {
        person.go(&format!("/pools/web/servers/{server}/logs?path=/odd-"));
        person.browser.wait_for("#req-h", SHOWN);
        shown += &person.browser.text("#requests").unwrap_or_default();
    }
    for (_, text) in ODD {
        assert!(shown.contains(text), "the page shows {text}: {shown}");
        assert!(terminal.contains(text), "the terminal shows {text}: {terminal}");
    }
    assert_eq!(
        person.browser.complaints(),
        Vec::<String>::new(),
        "no script of a visitor's ran or was stopped"
    );
    // Filtered, live and paused.
    person.go("/pools/web/servers/web1/logs?status=404&path=/tail-");
    person.mark();
    let ask = |path: &str| Client::new(cluster.site()).cookie("SERVEUR", "S1").get(path).expect(path).status;
    assert_eq!(ask("/tail-1"), 404);
    wait::until_true("a request comes into the page by itself", SHOWN, || {
        person.browser.text("#requests").is_some_and(|t| t.contains("/tail-1"))
    });
    person.assert_not_reloaded();
    person.browser.click("#pause");
    assert_eq!(ask("/tail-2"), 404);
    wait::always("nothing comes while the page is stopped", Duration::from_secs(3), || {
        let text = person.browser.text("#requests").unwrap_or_default();
        if text.contains("/tail-2") { Err(text) } else { Ok(()) }
    });
    person.browser.click("#pause");
    wait::until_true("what was missed comes afterwards", SHOWN, || {
        person.browser.text("#requests").is_some_and(|t| t.contains("/tail-2"))
    });
    assert_eq!(axe::violations(&person.browser), Vec::<String>::new());
}

/// Waits until HAProxy runs what is wished.
#[track_caller]
fn keep(cluster: &Cluster, wish: &Value) {
    let reply = cluster.api().call("PUT", "/v1/visitors/keeping", Some(wish)).expect("the settings");
    assert!(reply.ok(), "{reply:?}");
    cluster.settle();
}

fn only_a_trusted_proxy_says_who_visits(cluster: &Cluster) {
    let ask = |address: &str| {
        let mut visitor = Client::new(cluster.site()).header("X-Forwarded-For", address);
        visitor.get("/connexion").expect("the page")
    };
    ask("198.51.100.1");
    keep(cluster, &json!({ "trusted": "127.0.0.1" }));
    let page = ask("203.0.113.9, 198.51.100.7");
    assert!(page.text().contains("198.51.100.7"), "the site sees who visits: {}", page.text());
    ask("2001:db8::17");
    ask("nonsense");
    wait::until("both are listed", SHOWN, || {
        let seen = list(cluster, "");
        let both = requests_of(&seen, "198.51.100.7") == 1 && requests_of(&seen, "2001:db8::17") == 1;
        if both { Ok(()) } else { Err(seen) }
    });
    let seen = list(cluster, "");
    assert_eq!(requests_of(&seen, "198.51.100.1"), 0, "nobody was trusted then");
    assert_eq!(requests_of(&seen, "203.0.113.9"), 0, "only the last address is the trusted proxy's word");
    keep(cluster, &json!({ "trusted": [] }));
    ask("198.51.100.2");
    let quiet = || requests_of(&list(cluster, ""), "198.51.100.2");
    wait::always("nobody is trusted any more", Duration::from_secs(2), || {
        if quiet() == 0 { Ok(()) } else { Err(()) }
    });
}

/// What sites believe of a proxy in front, in its usual and its unusual spellings.
const TOLD: [&str; 18] = [
    "X-Forwarded-Proto",
    "x-forwarded-HOST",
    "X-Forwarded-Port",
    "X-Forwarded-User",
    "X-Forwarded",
    "X_Forwarded_Proto",
    "X-Forwarded_For",
    "Forwarded",
    "Forwarded-For",
    "X-Real-IP",
    "X_Real_Ip",
    "Client-IP",
    "True-Client-IP",
    "CF-Connecting-IP",
    "X-Cluster-Client-IP",
    "Front-End-Https",
    "X-Original-URL",
    "X-Rewrite-URL",
];

/// `S9` leads to a server that says what reached it.
fn what_a_visitor_says_in_a_proxys_name_does_not_reach_the_site(cluster: &Cluster) {
    let (echo, api) = (Stranger::new(Manner::Echo), cluster.api());
    let body = json!({ "name": "echo", "address": "127.0.0.1", "port": echo.port(), "cookie": "S9" });
    assert!(api.post("/v1/pools/web/servers", &body).ok());
    api.wait_for_severity("echo", "good", SHOWN);
    let echoed = || {
        let mut visitor = Client::new(cluster.site()).cookie("SERVEUR", "S9");
        visitor.headers.extend(TOLD.map(|name| (name.to_owned(), "forged".to_owned())));
        visitor.headers.push(("X-Forwarded-For".to_owned(), "198.51.100.9, 198.51.100.8".to_owned()));
        visitor.headers.push(("X_Cordee_Session".to_owned(), "forged".to_owned()));
        visitor.headers.push(("X-Cordee-Session".to_owned(), "forged".to_owned()));
        visitor.headers.push(("X-Realm".to_owned(), "a header of the site's own".to_owned()));
        let answer = visitor.get("/couleur").expect("the page");
        assert_eq!((answer.status, answer.server()), (200, "echo"));
        let text = answer.text();
        assert_eq!(header_lines(&text, "x-realm"), ["a header of the site's own"]);
        assert_eq!(header_lines(&text, "x-cordee-session"), ["proxy"], "only HAProxy says it");
        assert_eq!(header_lines(&text, "x_cordee_session"), Vec::<String>::new());
        text
    };
    let stranger = echoed();
    assert_eq!(header_lines(&stranger, "x-forwarded-for"), ["127.0.0.1"]);
    assert!(!stranger.contains("forged"), "{stranger}");
    keep(cluster, &json!({ "trusted": "127.0.0.1" }));
    let trusted = echoed();
    assert_eq!(header_lines(&trusted, "x-forwarded-for"), ["198.51.100.8"], "what the trusted proxy saw");
    for name in TOLD {
        let said: &[&str] = if name == "X-Forwarded_For" { &[] } else { &["forged"] };
        assert_eq!(header_lines(&trusted, name), said, "{name} of a trusted proxy: {trusted}");
    }
    keep(cluster, &json!({ "trusted": [] }));
    assert!(!echoed().contains("forged"), "nobody is trusted any more");
    api.delete("/v1/pools/web/servers/echo");
    api.wait_until_gone("echo", SHOWN);
}

fn the_list_changes_while_it_is_looked_at(cluster: &Cluster) {
    for (lang, title, colours) in
        [("en", "Visitors", ["red", "purple"]), ("fr", "Visiteurs", ["rouge", "violet"])]
    {
        let person = Person::sign_in(cluster);
        person.browser.set_cookie("cordee_lang", lang);
        person.go("/visitors");
        assert_eq!(person.browser.text("h1").as_deref(), Some(title));
        person.browser.wait_for("#live[data-st=good]", SHOWN);
        person.mark();
        let row = "tr[data-visitor='127.0.0.1'] [data-v=requests]";
        let count = || person.browser.text(row).and_then(|t| t.parse::<u64>().ok()).unwrap_or(0);
        let before = count();
        let mut visitor = Client::with_jar(cluster.site());
        for colour in ["rouge", "violet"] {
            assert_eq!(visitor.post_form("/couleur", &[("couleur", colour)]).expect("the form").status, 303);
        }
        let took = wait::until_true("the row counts two requests more", SHOWN, || count() == before + 2);
        println!("# {lang}: in the page after {:.1} s", took.as_secs_f64());
        wait::until_true("and the last change comes first", SHOWN, || {
            person
                .browser
                .text("#colour-changes tr")
                .is_some_and(|t| colours.iter().all(|colour| t.contains(colour)))
        });
        person.assert_not_reloaded();
        assert_eq!(person.browser.complaints(), Vec::<String>::new());
        assert_eq!(axe::violations(&person.browser), Vec::<String>::new());
        // The same list for one server, from its row.
        person.dashboard();
        person.go("/pools/web/servers/web1/visitors");
        assert!(person.browser.text("h1").is_some_and(|t| t.contains("web1")));
        assert_eq!(axe::violations(&person.browser), Vec::<String>::new());
    }
}

fn wrong_settings_are_refused_in_three_ways(cluster: &Cluster) {
    let before = cluster.api().snapshot().revision;
    let wish = json!({ "days": "0", "trusted": "0.0.0.0/0" });
    let reply = cluster.api().call("PUT", "/v1/visitors/keeping", Some(&wish)).expect("the settings");
    let errors = reply.errors();
    assert_eq!(reply.status, 422);
    assert_eq!(errors.iter().map(|e| e.field.as_str()).collect::<Vec<_>>(), ["days", "trusted"]);
    let said = cluster.cli(&["keep-visitors", "--days", "0", "--trusted", "0.0.0.0/0"]);
    assert_eq!(said.code, 1);
    let mut page = cluster.signed_in();
    let form = [("days", "0"), ("trusted", "0.0.0.0/0\"><b>")];
    let answer = page.post_form("/visitors/keeping", &form).expect("the form");
    assert_eq!(answer.status, 422);
    assert!(said.err.contains(&errors[0].detail), "{said:?}");
    assert!(answer.text().contains(&errors[0].detail), "the same words at the field");
    assert!(!answer.text().contains("\"><b>"), "what was typed stands there as text");
    for query in ["address=%27", "server=a%3Bb", "limit=0", "skip=x"] {
        let reply = cluster.api().call("GET", &format!("/v1/visitors?{query}"), None).expect(query);
        assert_eq!(reply.status, 422, "{query}");
    }
    assert_eq!(cluster.api().snapshot().revision, before, "nothing changed");
}

fn what_was_missed_while_cordee_was_away_is_counted(cluster: &Cluster) {
    let ask =
        |n: usize| (0..n).for_each(|_| drop(Client::new(cluster.site()).get("/").expect("the site goes on")));
    ask(10);
    let log =
        |list: &Value| (list["log"]["stored"].as_u64().unwrap(), list["log"]["dropped"].as_u64().unwrap());
    let (before, _) = wait::until("ten requests are listed", SHOWN, || {
        let seen = list(cluster, "");
        let (stored, _) = log(&seen);
        std::thread::sleep(Duration::from_millis(1_200));
        let again = list(cluster, "");
        if log(&again).0 == stored { Ok(again) } else { Err(again) }
    });
    let gaps = before["gaps"].as_array().expect("gaps").len();
    let serve = cluster.serve().expect("serve");
    // The keeper too, so that nobody comes back before the visitors were there.
    let keeper = cluster.processes().into_iter().find(|p| p.mentions("keeper")).expect("the keeper");
    cluster.signal(keeper.pid, Signal::STOP);
    cluster.signal(serve.pid, Signal::KILL);
    wait::until_true("Cordée is away", SHOWN, || cluster.serve().is_none());
    ask(40);
    cluster.signal(keeper.pid, Signal::CONT);
    let (after, _) = wait::until("the gap is shown", Duration::from_secs(30), || {
        let seen = cluster.api().call("GET", "/v1/visitors", None).map_err(|e| e.to_string())?;
        let shown = seen.body["gaps"].as_array().is_some_and(|g| g.len() == gaps + 1);
        if shown { Ok(seen.body) } else { Err(format!("{seen:?}")) }
    });
    println!("# the gap: {}", after["gaps"][0]);
    assert_eq!(after["gaps"][0]["requests"], 40, "what HAProxy served meanwhile");
    assert!(log(&after).0 >= log(&before).0, "the counts go on");
    cluster.settle();
}

// ---- the flood

/// Sends so many lines a second for a time, from 2,000 addresses to two servers, and says how many were sent.
fn flood(cluster: &Cluster, port: u16, rate: u64, time: Duration) -> u64 {
    // As HAProxy writes them: it alone knows the key, and whoever may read its file.
    let conf = cluster.conf("web");
    let format = conf.lines().find_map(|l| l.trim().strip_prefix("log-format \"")).expect("a format");
    let words = format.split(" %pid").next().expect("a key before the worker");
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
    let at = since.as_millis();
    let lines: Vec<Vec<u8>> = (0..2_000_u32)
        .map(|n| {
            let server = if n % 2 == 0 { "web1" } else { "web2" };
            let path = "2F636F756C657572".repeat(4);
            format!(
                "{words} 1 {at} 10.77.{}.{} 200 {server} 3 76 474554 {path} 4D6F7A696C6C612F352E30 - - - -\n",
                n / 250,
                n % 250
            )
            .into_bytes()
        })
        .collect();
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    socket.connect(local(port)).expect("the log's port");
    let begun = Instant::now();
    let mut sent = 0_u64;
    while begun.elapsed() < time {
        let due = u64::try_from(begun.elapsed().as_micros()).expect("short") * rate / 1_000_000;
        while sent < due {
            let line = &lines[usize::try_from(sent % 2_000).expect("small")];
            socket.send(line).expect("a datagram on this machine");
            sent += 1;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    println!("# {sent} lines in {:.1} s", begun.elapsed().as_secs_f64());
    sent
}

fn resident_kib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("status");
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:")).expect("VmRSS");
    line.trim().trim_end_matches(" kB").trim().parse().expect("a number")
}

fn twenty_thousand_lines_a_second_are_counted_to_the_last(cluster: &Cluster) {
    let conf = cluster.conf("web");
    let port = conf.lines().find_map(|l| l.trim().strip_prefix("log 127.0.0.1:")).expect("the log's port");
    let port: u16 = port.split(' ').next().expect("a port").parse().expect("a port");
    let serve = cluster.serve().expect("serve").pid;
    let count = || list(cluster, "")["log"].clone();
    let number = |log: &Value, what: &str| log[what].as_u64().expect("a number");
    let (before, rss, begun) = (count(), resident_kib(serve), Instant::now());
    let mut sent = flood(cluster, port, 20_000, Duration::from_secs(30));
    let steady = count();
    let slowest = (0..20).map(|_| {
        let begun = Instant::now();
        cluster.api().snapshot();
        begun.elapsed()
    });
    println!("# slowest answer of the API right after: {:?}", slowest.max().expect("some"));
    sent += flood(cluster, port, 50_000, Duration::from_secs(5));
    assert!(sent >= 800_000, "the sender kept its pace: {sent}");
    let (after, _) = wait::until("every line is accounted for", SHOWN, || {
        let now = count();
        if number(&now, "sent") - number(&before, "sent") >= sent { Ok(now) } else { Err(now) }
    });
    let grown = |what: &str| number(&after, what) - number(&before, what);
    println!(
        "# sent {sent}: stored {}, dropped {} ({} by the kernel, {} while steady); memory {} KiB, before {rss} KiB",
        grown("stored"),
        grown("dropped"),
        grown("kernel"),
        number(&steady, "kernel") - number(&before, "kernel"),
        resident_kib(serve)
    );
    // Of Cordée's own questions, one a second, those that the kernel drops are counted too: nobody can tell whose they
    // were.
    let all = grown("stored") + grown("dropped");
    let own = begun.elapsed().as_secs() + 1;
    assert!((sent..=sent + own).contains(&all), "sent = stored + dropped: {sent}, {all}, {after}");
    assert_eq!(grown("dropped"), grown("kernel"), "nothing else was dropped: {after}");
    assert!(resident_kib(serve) < rss + 64 * 1_024, "{} KiB, before {rss} KiB", resident_kib(serve));
    let seen = list(cluster, "address=10.77.3.");
    assert_eq!(seen["total"], 250);
    cluster.settle();
}

fn addresses_are_shortened(cluster: &Cluster) {
    let whole = list(cluster, "address=10.77.");
    assert_eq!(whole["total"], 2_000);
    let requests = |list: &Value| -> u64 {
        list["visitors"].as_array().unwrap().iter().map(|v| v["requests"].as_u64().unwrap()).sum()
    };
    let all: u64 = requests(&whole) + requests(&list(cluster, "address=10.77.&skip=1000"));
    assert!(cluster.cli_ok(&["keep-visitors", "--shorten", "true", "--days", "7"]).contains('7'));
    let (seen, _) = wait::until("only networks are left", Duration::from_secs(20), || {
        let seen = list(cluster, "address=10.77.");
        let whole = requests_of(&list(cluster, ""), "127.0.0.1");
        if seen["total"] == 8 && whole == 0 { Ok(seen) } else { Err((seen["total"].clone(), whole)) }
    });
    assert_eq!(requests(&seen), all, "no request is lost or doubled");
    assert_eq!(seen["keeping"], json!({ "days": 7, "shorten": true, "trusted": [] }));
    assert!(list(cluster, "")["changes"].as_array().unwrap().iter().all(|c| c["address"] == "127.0.0.0/24"));
}
