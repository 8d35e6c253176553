//! Secrets stay where they belong, other sites get nothing done, and guessing is slow.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed expectation is how a test ends")]

mod cookie;
mod guess;
mod upgrade;

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use cordee_e2e::api::Api;
use cordee_e2e::case;
use cordee_e2e::cluster::{ACCOUNT, Cluster, PASSWORD, PROOF};
use cordee_e2e::db::Db;
use cordee_e2e::http::{self, Answer, Client};
use cordee_e2e::suite::File;
use cordee_e2e::wait;
use serde_json::json;

use cookie::{a_stolen_cookie_changes_nothing, the_page_shows_what_another_port_cannot_fetch};
use guess::{
    a_browser_is_known_by_what_no_other_port_gets, from, guesses_take_no_memory_that_stays,
    one_name_from_forty_addresses_is_five, sixty_guesses_at_once_are_five,
    the_sixth_wrong_password_has_to_wait, who_was_here_before_gets_in_while_others_guess,
    whoever_only_holds_connections_keeps_nobody_out,
};
use upgrade::{
    a_browser_that_keeps_nothing_is_asked_in_the_form_itself,
    a_tab_that_was_open_over_an_upgrade_leads_to_the_sign_in,
};

/// Its cases.
pub fn file() -> File {
    File::new(
        "security",
        // The log says all that it can say.
        &[("CORDEE_LOG", "trace")],
        &[
            case!(no_secret_is_in_a_log_an_argument_a_page_or_an_answer),
            case!(files_with_secrets_and_sockets_are_their_owners_only),
            case!(the_session_cookie_is_closed_to_scripts_and_other_sites),
            case!(a_stolen_cookie_changes_nothing),
            case!(the_page_shows_what_another_port_cannot_fetch),
            case!(a_tab_that_was_open_over_an_upgrade_leads_to_the_sign_in),
            case!(a_browser_that_keeps_nothing_is_asked_in_the_form_itself),
            case!(a_form_sent_from_another_site_is_refused_on_every_route),
            case!(nothing_is_told_or_done_without_signing_in),
            case!(no_get_changes_anything),
            case!(the_setup_code_works_once),
            case!(nothing_is_read_on_after_signing_out),
            case!(the_page_answers_to_its_own_names_only),
            case!(hostile_text_of_a_visitor_is_shown_as_text),
            case!(whoever_only_holds_connections_keeps_nobody_out),
            case!(sixty_guesses_at_once_are_five),
            case!(guesses_take_no_memory_that_stays),
            case!(one_name_from_forty_addresses_is_five),
            case!(the_sixth_wrong_password_has_to_wait),
            case!(who_was_here_before_gets_in_while_others_guess),
            case!(a_browser_is_known_by_what_no_other_port_gets),
        ],
    )
}

// ---- secrets

/// Every secret that can be had from outside: what `dsn` gives, the setup code, tokens, session, password.
fn secrets(cluster: &Cluster) -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> = ["app", "owner"]
        .map(|account| {
            (
                format!("password of {account}"),
                Db::new(cluster, &["--account", account]).dsn().password.clone(),
            )
        })
        .into();
    all.push(("token".to_owned(), cluster.token().to_owned()));
    all.push(("session".to_owned(), cluster.session().1));
    all.push(("password of the account".to_owned(), PASSWORD.to_owned()));
    all.extend(kept(cluster));
    for (what, secret) in &all {
        assert!(secret.len() >= 16, "{what} is short");
    }
    all
}

/// Long values in the product's own secret files: generated passwords and keys that no command gives away.
fn kept(cluster: &Cluster) -> Vec<(String, String)> {
    let words = |text: String| -> Vec<String> {
        text.split(|c: char| !c.is_ascii_alphanumeric() && !"-_+/".contains(c))
            .filter(|w| w.len() >= 20 && w.bytes().any(|b| b.is_ascii_digit()) && !w.contains('/'))
            .map(str::to_owned)
            .collect()
    };
    files(cluster.home())
        .into_iter()
        .filter(|f| f.to_string_lossy().to_lowercase().contains("secret"))
        .filter_map(|f| Some((f.display().to_string(), std::fs::read_to_string(f).ok()?)))
        .flat_map(|(file, text)| words(text).into_iter().map(move |w| (format!("in {file}"), w)))
        .collect()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    entries
        .flatten()
        .flat_map(|e| match e.file_type() {
            Ok(kind) if kind.is_dir() => files(&e.path()),
            Ok(kind) if kind.is_file() => vec![e.path()],
            _ => Vec::new(),
        })
        .collect()
}

fn holds(bytes: &[u8], secret: &str) -> bool {
    memchr::memmem::find(bytes, secret.as_bytes()).is_some()
}

fn no_secret_is_in_a_log_an_argument_a_page_or_an_answer(cluster: &Cluster) {
    let secrets = secrets(cluster);
    let mut arguments = BTreeSet::new();
    let mut look = || arguments.extend(cluster.processes().iter().map(|p| p.command.join(" ")));
    // Secrets pass through commands when something starts: look while a web server and a database do.
    let api = cluster.api();
    api.act("/v1/pools/db/servers/db2/restart");
    assert!(api.post("/v1/pools/web/servers", &json!({ "name": "canary", "start": true })).ok());
    wait::until("all is well again", Duration::from_secs(30), || {
        look();
        api.try_snapshot()?.settled()
    });
    api.delete("/v1/pools/web/servers/canary");
    let mut told: Vec<(String, Vec<u8>)> =
        vec![("arguments".to_owned(), arguments.into_iter().collect::<Vec<_>>().join("\n").into_bytes())];
    told.extend(answers(cluster));
    for file in files(cluster.home()).into_iter().filter(|f| f.to_string_lossy().contains("log")) {
        told.push((file.display().to_string(), std::fs::read(&file).unwrap_or_default()));
    }
    assert!(told.len() > 10, "too little was looked at");
    for word in ["DEBUG", "WriteConfig"] {
        assert!(told.iter().any(|(_, bytes)| holds(bytes, word)), "the log does not say all: no {word}");
    }
    for (what, secret) in &secrets {
        for (place, bytes) in &told {
            assert!(!holds(bytes, secret), "{what} stands in {place}");
        }
    }
}

const PAGES: [&str; 11] = [
    "/",
    "/config/web",
    "/config/db",
    "/journal",
    "/aide",
    "/clean",
    "/pools/web/servers/new",
    "/pools/web/servers/web1/logs",
    "/pools/web/servers/web1/test",
    "/pools/db/servers/db1/logs",
    "/pools/db/servers/db1/test",
];

/// Every page and every answer of the API that can be read.
fn answers(cluster: &Cluster) -> Vec<(String, Vec<u8>)> {
    let api = cluster.api();
    let mut all: Vec<(String, Vec<u8>)> =
        PAGES.iter().map(|page| ((*page).to_owned(), cluster.signed_in().get(page).unwrap().body)).collect();
    for path in readable(&api) {
        all.push((path.clone(), api.get(&path).to_string().into_bytes()));
    }
    all
}

/// Every GET of the API's own description, with real names in it, but for the endless event stream.
fn readable(api: &Api) -> Vec<String> {
    routes(api)
        .into_iter()
        // A run of the comparison is named by a number that it was given; here there was none.
        .filter(|(method, path)| method == "get" && !path.ends_with("/events") && !path.contains("{id}"))
        .map(|(_, p)| p)
        .collect()
}

/// Method and path of every route, without the leading `/api`, names filled in.
fn routes(api: &Api) -> Vec<(String, String)> {
    let description = api.get("/openapi.json");
    let paths = description["paths"].as_object().expect("paths").clone();
    let fill = |path: &str| {
        let path = path.replace("{pool}", "web").replace("{name}", "web1").replace("{proxy}", "web");
        path.replace("{action}", "drain").strip_prefix("/api").expect("under /api").to_owned()
    };
    paths
        .iter()
        .flat_map(|(path, methods)| {
            let methods: Vec<String> =
                methods.as_object().into_iter().flatten().map(|(m, _)| m.clone()).collect();
            let path = fill(path);
            methods.into_iter().map(move |m| (m, path.clone()))
        })
        .filter(|(m, _)| ["get", "post", "put", "patch", "delete"].contains(&m.as_str()))
        .collect()
}

fn files_with_secrets_and_sockets_are_their_owners_only(cluster: &Cluster) {
    let secrets = secrets(cluster);
    for file in files(cluster.home()) {
        let Ok(meta) = std::fs::metadata(&file) else { continue };
        // InnoDB's tablespaces hold password hashes, and are checked for their mode all the same.
        if meta.permissions().mode() & 0o044 == 0 || meta.len() > 64 << 20 {
            continue;
        }
        let bytes = std::fs::read(&file).unwrap_or_default();
        for (what, secret) in &secrets {
            assert!(!holds(&bytes, secret), "{what} is readable by others in {}", file.display());
        }
    }
    for socket in sockets(cluster) {
        let mode = std::fs::metadata(&socket).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode & 0o077, 0, "{} is open to others: {mode:o}", socket.display());
    }
}

/// The sockets that give control: HAProxy's and Cordée's. A database's is open to all and asks for a password.
fn sockets(cluster: &Cluster) -> Vec<PathBuf> {
    let table = std::fs::read_to_string("/proc/net/unix").unwrap();
    let mut all: BTreeSet<PathBuf> = table
        .lines()
        .filter_map(|l| l.split_whitespace().nth(7))
        .map(PathBuf::from)
        .filter(|p| p.starts_with(cluster.home()))
        .collect();
    for argument in
        cluster.servers().iter().filter(|p| p.program == "haproxy").flat_map(|p| p.command.clone())
    {
        all.extend(argument.split(',').next().map(PathBuf::from));
    }
    let control = |p: &PathBuf| !p.to_string_lossy().contains("mariadb");
    all.into_iter()
        .filter(|p| std::fs::metadata(p).is_ok_and(|m| m.file_type().is_socket()))
        .filter(control)
        .collect()
}

// ---- sessions and other sites

fn login(cluster: &Cluster, password: &str) -> Answer {
    Client::new(cluster.page())
        .header("Sec-Fetch-Site", "same-origin")
        .header("Accept-Language", "en")
        .header("Connection", "close")
        .post_form("/login", &[("name", ACCOUNT), ("password", password)])
        .unwrap()
}

fn the_session_cookie_is_closed_to_scripts_and_other_sites(cluster: &Cluster) {
    let _ = cluster.session();
    let answer = login(cluster, PASSWORD);
    assert_eq!(answer.status, 303);
    let cookies: Vec<&str> = answer
        .headers
        .iter()
        .filter(|(n, v)| n == "set-cookie" && v.starts_with("cordee_"))
        .map(|(_, v)| v.as_str())
        .collect();
    let [cookie] = cookies.as_slice() else { panic!("one cookie: {cookies:?}") };
    for flag in ["HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(cookie.split("; ").any(|part| part == flag), "{flag} is missing in {cookie}");
    }
    // A browser sends it to every port of this machine, and what an older version had set there.
    let mut browser = Client::new(cluster.site())
        .cookie("cordee_e2e", "must-not-arrive")
        .cookie("cordee_e2e_browser", "must-not-arrive-either");
    let site = browser.get("/couleur").unwrap();
    assert!(!site.text().contains("must-not-arrive"));
    let second = login(cluster, PASSWORD);
    let value = |a: &Answer| a.header("set-cookie").unwrap_or("").to_owned();
    assert_ne!(value(&answer), value(&second), "a new session for each sign-in");
}

fn a_form_sent_from_another_site_is_refused_on_every_route(cluster: &Cluster) {
    let before = cluster.api().snapshot().wish();
    let mut paths: Vec<(String, String)> = routes(&cluster.api())
        .into_iter()
        .filter(|(m, _)| m != "get")
        .map(|(m, p)| (m, format!("/api{p}")))
        .collect();
    for path in
        ["/setup", "/login", "/logout", "/clean", "/refresh", "/proxies/web/reload", "/pools/web/servers"]
    {
        paths.push(("post".to_owned(), path.to_owned()));
    }
    for action in ["stop", "start", "restart", "drain", "maintenance", "ready", "remove"] {
        paths.push(("post".to_owned(), format!("/pools/web/servers/web1/{action}")));
    }
    let (name, value) = cluster.session();
    let port = cluster.page().port();
    let origins = [
        ("Sec-Fetch-Site", "cross-site".to_owned()),
        ("Sec-Fetch-Site", "same-site".to_owned()),
        ("Origin", "http://evil.example".to_owned()),
        // Another port of this machine: cookies do not know the difference, the product must.
        ("Origin", format!("http://127.0.0.1:{}", port + 1)),
        ("Origin", "null".to_owned()),
    ];
    for (method, path) in &paths {
        for (header, from) in &origins {
            let mut client = Client::new(cluster.page())
                .cookie(&name, &value)
                // What would let it pass, so that it is the origin that is refused.
                .header("Cordee-Proof", PROOF)
                .header(header, from)
                .header("Connection", "close");
            let body = format!("name=evil&address=127.0.0.9&proof={PROOF}");
            let form = [("Content-Type", "application/x-www-form-urlencoded")];
            let answer = client.request(&method.to_uppercase(), path, &form, body.as_bytes()).unwrap();
            assert_eq!(answer.status, 403, "{method} {path} with {header}: {from}");
        }
    }
    assert_eq!(before, cluster.api().snapshot().wish());
}

fn nothing_is_told_or_done_without_signing_in(cluster: &Cluster) {
    let _ = cluster.session();
    let before = cluster.api().snapshot().wish();
    for who in [Api::stranger(cluster.page()), Api::new(cluster.page(), "not-a-token")] {
        for (method, path) in routes(&cluster.api()).iter().filter(|(_, p)| p != "/openapi.json") {
            let reply = who.call(&method.to_uppercase(), path, None).unwrap();
            // A wrong token is a try, and after some of them one has to wait.
            assert!(matches!(reply.status, 401 | 429), "{method} {path}: {reply:?}");
        }
    }
    for page in PAGES {
        let answer = Client::new(cluster.page()).header("Connection", "close").get(page).unwrap();
        let to = if page == "/" { "/login".to_owned() } else { format!("/login?back={page}") };
        assert_eq!((answer.status, answer.header("location")), (303, Some(to.as_str())), "{page}");
    }
    // The socket's own routes are not to be had over TCP.
    let local = Client::new(cluster.page()).header("Connection", "close").get("/local/setup-code").unwrap();
    assert!(local.status == 404 || local.status == 401 || local.status == 403, "{}", local.status);
    let in_address = Client::new(cluster.page())
        .header("Connection", "close")
        .get(&format!("/api/v1/snapshot?token={}", cluster.token()));
    assert_eq!(in_address.unwrap().status, 401, "a token in an address is no token");
    assert_eq!(
        cluster.api().call("GET", "/v1/snapshot", None).unwrap().status,
        200,
        "a right token never waits"
    );
    assert_eq!(before, cluster.api().snapshot().wish());
}

fn no_get_changes_anything(cluster: &Cluster) {
    let api = cluster.api();
    cluster.settle();
    let state = || format!("{}{}{}", cluster.conf("web"), cluster.conf("db"), api.snapshot().wish());
    let before = state();
    let events = api.last_event();
    for path in routes(&api).into_iter().map(|(_, p)| p).filter(|p| !p.ends_with("/events")) {
        let _ = api.call("GET", &path, None).unwrap();
    }
    for page in PAGES {
        let _ = cluster.signed_in().get(page).unwrap();
    }
    for action in ["stop", "start", "restart", "drain", "maintenance", "ready", "remove"] {
        let _ = cluster.signed_in().get(&format!("/pools/web/servers/web1/{action}")).unwrap();
    }
    let _ = cluster.signed_in().get("/logout").unwrap();
    assert_eq!(before, state());
    assert_eq!(
        api.events_after(events).iter().map(|e| e.text.clone()).collect::<Vec<_>>(),
        Vec::<String>::new()
    );
}

fn the_setup_code_works_once(cluster: &Cluster) {
    let _ = cluster.session();
    let mut client =
        Client::new(cluster.page()).header("Sec-Fetch-Site", "same-origin").header("Connection", "close");
    let fields = [("code", "AAAA-AAAA"), ("name", "second"), ("password", "another long password")];
    let answer = client.post_form("/setup", &fields).unwrap();
    assert!(!answer.headers.iter().any(|(n, v)| n == "set-cookie" && v.starts_with("cordee_")), "{answer:?}");
    let left = files(cluster.home()).into_iter().find(|f| f.to_string_lossy().contains("setup"));
    assert!(
        left.is_none_or(|f| std::fs::read_to_string(f).unwrap_or_default().trim().is_empty()),
        "the code is left on disk"
    );
}

/// What a raw request gets, until the other side closes.
fn raw(page: SocketAddr, request: &str) -> String {
    let mut stream = from(Ipv4Addr::LOCALHOST, page);
    stream.write_all(request.as_bytes()).expect("sent");
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

fn nothing_is_read_on_after_signing_out(cluster: &Cluster) {
    let _ = cluster.session();
    let page = cluster.page();
    let signed = login(cluster, PASSWORD);
    let cookie = signed.header("set-cookie").and_then(|c| c.split(';').next()).expect("a session").to_owned();
    let live = http::stream(page);
    let mut streams: Vec<TcpStream> = [&*live, "/api/v1/events"]
        .iter()
        .map(|path| {
            let mut stream = from(Ipv4Addr::LOCALHOST, page);
            let head = format!(
                "GET {path} HTTP/1.1\r\nHost: {page}\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n"
            );
            stream.write_all(head.as_bytes()).expect("sent");
            let mut first = [0; 12];
            stream.read_exact(&mut first).expect("an answer");
            assert_eq!(&first, b"HTTP/1.1 200", "{path}");
            stream
        })
        .collect();
    let out = format!(
        "POST /logout HTTP/1.1\r\nHost: {page}\r\nCookie: {cookie}\r\nSec-Fetch-Site: same-origin\r\n\
         Content-Length: 0\r\nConnection: close\r\n\r\n"
    );
    assert!(raw(page, &out).starts_with("HTTP/1.1 303"));
    let begun = Instant::now();
    for stream in &mut streams {
        let _ = stream.read_to_end(&mut Vec::new());
    }
    println!("#   both streams had ended {} ms after signing out", begun.elapsed().as_millis());
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    assert_eq!(cluster.signed_in().get("/").unwrap().status, 200, "another session goes on");
}

/// A name that leads here for a moment (DNS rebinding): what was loaded from it asks as if it were the page.
fn the_page_answers_to_its_own_names_only(cluster: &Cluster) {
    let (name, secret) = cluster.session();
    let (page, port) = (cluster.page(), cluster.page().port());
    let before = cluster.api().snapshot().wish();
    let ask = |method: &str, path: &str, host: &str| {
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\n\
             Cookie: {name}={secret}; cordee_lang=en\r\n\
             Content-Length: 0\r\nConnection: close\r\n\r\n"
        );
        raw(page, &request)
    };
    for evil in [format!("evil.example:{port}"), format!("127.0.0.1.evil.example:{port}"), "x".to_owned()] {
        for path in ["/", "/login", "/live", "/assets/1/page.css", "/api/v1/snapshot", "/api/openapi.json"] {
            let answer = ask("GET", path, &evil);
            assert!(answer.starts_with("HTTP/1.1 421"), "{evil} {path}: {answer}");
            assert!(answer.contains("does not answer to the name") && answer.contains(&page.to_string()));
            assert!(answer.contains("content-security-policy"), "{answer}");
        }
        for path in ["/proxies/web/reload", "/logout", "/api/v1/proxies/web/reload"] {
            assert!(ask("POST", path, &evil).starts_with("HTTP/1.1 421"), "{evil} {path}");
        }
    }
    let both = format!("GET http://evil.example/ HTTP/1.1\r\nHost: {page}\r\nConnection: close\r\n\r\n");
    assert!(raw(page, &both).starts_with("HTTP/1.1 421"), "the address goes before the header");
    for path in ["/login", "/api/v1/snapshot"] {
        let nameless = raw(page, &format!("GET {path} HTTP/1.1\r\nConnection: close\r\n\r\n"));
        assert!(nameless.starts_with("HTTP/1.1 400"), "{nameless}");
    }
    // A tunnel has a port of its own.
    for own in
        [page.to_string(), format!("localhost:{}", port + 1), "127.0.0.1".to_owned(), format!("[::1]:{port}")]
    {
        assert!(ask("GET", "/", &own).starts_with("HTTP/1.1 200"), "{own}");
    }
    let machine = std::fs::read_to_string("/proc/sys/kernel/hostname").expect("a name");
    assert!(ask("GET", "/", machine.trim()).starts_with("HTTP/1.1 200"), "{machine}");
    assert_eq!(before, cluster.api().snapshot().wish());
    // The site is called as its visitors call it.
    let site = "GET / HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n";
    assert!(raw(cluster.site(), site).starts_with("HTTP/1.1 200"));
}

fn hostile_text_of_a_visitor_is_shown_as_text(cluster: &Cluster) {
    let evil = "<img src=x onerror=alert(1)>";
    let mut visitor = Client::new(cluster.site()).header("User-Agent", evil).header("Referer", evil);
    let _ = visitor.get("/?q=%3Cimg%20src=x%20onerror=alert(1)%3E").unwrap();
    let _ = visitor.post_form("/connexion", &[("message", evil)]).unwrap();
    for page in ["/", "/journal", "/pools/web/servers/web1/logs", "/pools/web/servers/web2/logs"] {
        let text = cluster.signed_in().get(page).unwrap().text();
        assert!(!text.contains("<img src=x"), "{page}");
    }
    assert!(!Client::new(cluster.site()).get("/connexion").unwrap().text().contains("<img src=x"));
}
