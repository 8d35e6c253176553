//! The pages through their real entrance: a real listener, real requests.

mod account;
mod back;
mod known;
mod live;
mod logs;
mod many;
mod names;
mod packing;
mod proof;
mod stage;

use std::collections::BTreeMap;

use cordee_domain::change::Request;
use cordee_domain::db::detail::accounts;
use cordee_domain::db::detail::{Answers, Crowd, Detail};
use cordee_domain::db::freight::Freight;
use cordee_domain::db::verify::OddTables;
use cordee_domain::decision::{Basis, Decision};
use cordee_domain::fault::Fault;
use cordee_domain::ids::PoolId;
use cordee_domain::proof::Proof;
use cordee_domain::state::{Severity, State, Status};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use crate::board::{Ask, JoinPlan, LogFile};
use crate::store::{Account, Device, SignIn};
use crate::web::App;
use crate::web::session::cookie_name;
use crate::web::view::fixture;

/// The secret that the page's script keeps.
const PROOF: &str = "5ec2e700000000000000000000000000000000000000000000000000005ec2e7";

/// A page with somebody signed in.
struct Site {
    app: App,
    address: std::net::SocketAddr,
    cookie: String,
    asks: mpsc::Receiver<Ask>,
}

async fn site() -> Site {
    let site = site_of(fixture::snapshot()).await;
    // Hashing the account's password took a while, and a snapshot that is two seconds old counts as out of date.
    site.app.board.set_snapshot(fixture::snapshot());
    site
}

async fn site_of(snapshot: cordee_domain::snapshot::Snapshot) -> Site {
    let (app, asks) = fixture::app(snapshot);
    app.store.create_first_account("ana", "long enough").expect("an account");
    let secret = app.store.sign_in(&Account("ana".to_owned()), &Device::default()).expect("a session").0;
    let cookie = format!("{}={secret}", cookie_name(&app));
    app.store.confirm(&SignIn(secret), &Proof::parse(PROOF).expect("a secret")).expect("known");
    Site { address: listen(&app).await, app, cookie, asks }
}

async fn listen(app: &App) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let router = crate::web::router(app.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

async fn send(address: std::net::SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.expect("an answer");
    String::from_utf8_lossy(&answer).into_owned()
}

impl Site {
    async fn get(&self, path: &str) -> String {
        let cookie = &self.cookie;
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: x\r\nCookie: {cookie}; cordee_lang=en\r\nConnection: close\r\n\r\n"
        );
        send(self.address, &request).await
    }

    /// Sends a form with the secret of the page's script.
    async fn post(&self, path: &str, body: &str, more: &str) -> String {
        self.post_bare(path, &format!("{body}&proof={PROOF}"), more).await
    }

    /// Sends a form with these fields only.
    async fn post_bare(&self, path: &str, body: &str, more: &str) -> String {
        let (cookie, length) = (&self.cookie, body.len());
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: x\r\nCookie: {cookie}; cordee_lang=en\r\nConnection: close\r\n{more}\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        send(self.address, &request).await
    }
}

fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or_default()
}

#[tokio::test]
async fn nobody_sees_the_cluster_without_signing_in() {
    let site = site().await;
    let stranger = Site { cookie: "x=y".to_owned(), ..site };
    for path in ["/", "/journal", "/live", "/clean", "/pools/web/servers/new", "/pools/web/servers/web1/logs"]
    {
        let answer = stranger.get(path).await;
        assert_eq!(status(&answer), "303", "{path}");
        assert!(answer.contains("location: /login"), "{path}");
    }
}

#[tokio::test]
async fn every_answer_has_the_policy() {
    let site = site().await;
    for path in ["/", "/aide", "/nothing-here", "/assets/x/cordee.css", "/login"] {
        let answer = site.get(path).await;
        assert!(answer.contains("content-security-policy: default-src 'none'; script-src 'self'"), "{path}");
        assert!(answer.contains("trusted-types 'none'"), "{path}");
    }
}

#[tokio::test]
async fn the_dashboard_is_complete_without_script() {
    let site = site().await;
    let page = site.get("/").await;
    for part in [
        "All good",
        "web1",
        "db2",
        "MariaDB 10.11.14",
        "/pools/web/servers/web1/drain",
        "HAProxy web",
        "Clean the configuration",
    ] {
        assert!(page.contains(part), "{part}");
    }
    assert!(!page.contains("style=") && !page.contains("onclick"), "nothing inline");
}

#[tokio::test]
async fn a_wrong_form_comes_back_with_its_words_and_values() {
    let site = site().await;
    let page =
        site.post("/pools/web/servers", "name=1x&address=10.0.0.315&port=&cookie=a%3Bb&start=off", "").await;
    assert_eq!(status(&page), "422");
    for part in [
        "value=\"1x\"",
        "value=\"10.0.0.315\"",
        "id=\"name-e\"",
        "id=\"address-e\"",
        "id=\"cookie-e\"",
        "aria-invalid=\"true\"",
    ] {
        assert!(page.contains(part), "{part}");
    }
    assert_eq!(site.app.store.desired().expect("the wish").revision, 1);
}

#[tokio::test]
async fn a_wrong_drill_comes_back_with_each_reason_at_its_field() {
    let site = site().await;
    assert_eq!(status(&site.get("/drills").await), "200");
    let page = site.post("/drills", "target=link&how=drain&rate=9%3Cb%3E&held=99&confirm=web", "").await;
    assert_eq!(status(&page), "422");
    for part in [
        "id=\"how-e\"",
        "id=\"rate-e\"",
        "id=\"held-e\"",
        "id=\"confirm-e\"",
        "value=\"link\" selected",
        "The link can be stopped.",
        "Type db to confirm.",
    ] {
        assert!(page.contains(part), "{part}");
    }
    assert!(!page.contains("9<b>"), "what was typed is text");
    assert!(!page.contains("id=\"target-e\""), "{page}");
    assert_eq!(site.app.store.drills().expect("drills"), []);
    assert_eq!(status(&site.get("/drills/7").await), "404");
}

#[tokio::test]
async fn hostile_text_is_shown_as_text() {
    let mut site = site().await;
    let typed = "%3Cscript%3Ealert(1)%3C%2Fscript%3E";
    let page = site.post("/pools/web/servers", &format!("name={typed}&address={typed}&start=off"), "").await;
    assert!(page.contains("&#60;script&#62;") && !page.contains("<script>alert"));
    let huge = "a".repeat(1_000_000);
    let page = site.post("/pools/web/servers", &format!("name={huge}&start=on"), "").await;
    assert_eq!(status(&page), "422");
    assert!(page.len() < 40_000, "a typed megabyte is not sent back");

    let mut asks = std::mem::replace(&mut site.asks, mpsc::channel(1).1);
    tokio::spawn(async move {
        while let Some(ask) = asks.recv().await {
            if let Ask::Logs { reply, .. } = ask {
                let lines = vec!["<script>alert(1)</script>".to_owned()];
                let _ = reply.send(vec![LogFile {
                    name: "error.log".to_owned(),
                    lines,
                    hidden: 0,
                    unread: None,
                }]);
            }
        }
    });
    let page = site.get("/pools/web/servers/web1/logs").await;
    assert!(page.contains("&#60;script&#62;") && !page.contains("<script>alert"));
}

/// Answers questions about a database, as an engine would.
fn detailed(mut asks: mpsc::Receiver<Ask>, own: Result<Answers, Fault>) {
    tokio::spawn(async move {
        while let Some(ask) = asks.recv().await {
            match ask {
                Ask::Detail { reply, .. } => {
                    let detail = Detail {
                        at: cordee_node::clock::now(),
                        own: own.clone(),
                        peers: BTreeMap::new(),
                        comparisons: BTreeMap::new(),
                        conflicts: std::collections::BTreeMap::new(),
                        starts_closed: Some(true),
                    };
                    let _ = reply.send(Box::new(detail));
                }
                Ask::Logs { reply, .. } => {
                    let lines = vec!["[ERROR] <script>alert(1)</script>".to_owned()];
                    let _ = reply.send(vec![LogFile {
                        name: "mariadb.log".to_owned(),
                        lines,
                        hidden: 0,
                        unread: None,
                    }]);
                }
                Ask::Compare { reply, .. } => {
                    let _ = reply.send(true);
                }
                _ => {}
            }
        }
    });
}

#[tokio::test]
async fn a_database_has_a_page_of_its_own() {
    let mut site = site().await;
    let statement = "SELECT '<script>alert(1)</script>'".to_owned();
    let crowd =
        Crowd { account: "<script>".to_owned(), count: 2, busy: 1, longest: Some((1_500, statement)) };
    let all = ["SUPER", "READ_ONLY ADMIN"].map(str::to_owned);
    let account = accounts::Account {
        user: "<script>".to_owned(),
        host: "%".to_owned(),
        everywhere: all.into(),
        ..accounts::Account::default()
    };
    let own = Answers { crowds: vec![crowd], accounts: vec![account], ..Answers::default() };
    detailed(std::mem::replace(&mut site.asks, mpsc::channel(1).1), Ok(own));
    let page = site.get("/pools/db/servers/db2").await;
    assert_eq!(status(&page), "200");
    for part in [
        "Three truths",
        "Do the links run?",
        "Not compared yet",
        "Replication both ways",
        "/pools/db/servers/db2/verify",
        "Walks through the fence",
        "&#60;script&#62;",
        "The end of its error log",
    ] {
        assert!(page.contains(part), "{part}");
    }
    assert!(!page.contains("<script>") && !page.contains("style=") && !page.contains("onclick"));
    assert!(!site.get("/pools/db/servers/db1").await.contains("/verify"), "the writer is the measure");
    let web = site.get("/pools/web/servers/WEB1").await;
    assert!(web.contains("location: /pools/web/servers/web1/logs\r\n"), "a web server has its logs: {web}");
    assert_eq!(status(&site.get("/pools/web/servers/web9").await), "404");
    assert_eq!(status(&site.get("/pools/db/servers/nope").await), "404");
}

#[tokio::test]
async fn a_database_that_cannot_be_asked_has_a_page_all_the_same() {
    let mut site = site().await;
    detailed(std::mem::replace(&mut site.asks, mpsc::channel(1).1), Err(Fault::Unreachable(None)));
    let page = site.get("/pools/db/servers/db2").await;
    assert_eq!(status(&page), "200");
    assert!(page.contains("It could not be asked.") && page.contains("The database cannot be reached."));
    assert!(page.contains("The end of its error log") && !page.contains("id=\"settings\""));
}

#[tokio::test]
async fn a_comparison_is_asked_for_by_a_form() {
    let mut site = site().await;
    detailed(std::mem::replace(&mut site.asks, mpsc::channel(1).1), Ok(Answers::default()));
    let plain = site.post("/pools/db/servers/db2/verify", "", "").await;
    assert_eq!(status(&plain), "303");
    let script = site.post("/pools/db/servers/db2/verify", "", "Accept: application/json\r\n").await;
    assert!(script.contains("The rows of db2 are being compared"), "{script}");
    assert_eq!(status(&site.post("/pools/db/servers/db1/verify", "", "").await), "409");
    assert_eq!(status(&site.post("/pools/web/servers/web1/verify", "", "").await), "409");
}

#[tokio::test]
async fn a_form_is_answered_by_a_page_or_by_json() {
    let site = site().await;
    let plain = site.post("/pools/web/servers", "name=web3&start=on", "").await;
    assert_eq!(status(&plain), "303");
    let json = "Accept: application/json\r\n";
    let script = site.post("/pools/web/servers/web3/drain", "", json).await;
    assert_eq!(status(&script), "200");
    assert!(
        script.contains("web3 is draining") && script.contains("/pools/web/servers/web3/ready"),
        "{script}"
    );
    let refused = site.post("/pools/web/servers", "name=WEB3&start=on", json).await;
    assert_eq!(status(&refused), "409");
    assert!(
        refused.contains("application/problem+json") && refused.contains("\"field\":\"name\""),
        "{refused}"
    );
}

#[tokio::test]
async fn the_last_web_server_goes_only_when_its_name_is_typed() {
    let mut snapshot = fixture::snapshot();
    snapshot.servers[1].status.severity = Severity::Critical;
    let site = site_of(snapshot).await;
    let path = "/pools/web/servers/web1/remove";
    let refused = site.post(path, "", "").await;
    assert_eq!(status(&refused), "422");
    assert!(refused.contains("id=\"confirm-e\"") && refused.contains("id=\"know-e\""));
    assert_eq!(status(&site.post(path, "confirm=web1", "").await), "422");
    assert_eq!(status(&site.post(path, "confirm=web1&know=on", "").await), "303");
}

#[tokio::test]
async fn a_standby_is_promoted_after_a_question() {
    let site = site().await;
    let path = "/pools/db/servers/db2/promote";
    let page = site.get(path).await;
    assert_eq!(status(&page), "200");
    // The `confirm` field in the template of the dialog belongs to no question.
    assert!(page.contains("<h1>Promote db2</h1>") && page.matches("id=\"confirm\"").count() == 1);
    // The answer goes to that very server: another one may have come under the name while somebody read.
    assert!(page.contains("action=\"/pools/db/servers/db2/promote?id=4\""), "{page}");
    assert_eq!(status(&site.post(&format!("{path}?id=5"), "", "").await), "409");
    assert_eq!(site.app.store.desired().expect("the wish").handover, None);
    assert_eq!(status(&site.post(&format!("{path}?id=4"), "", "").await), "303");
    let handover = site.app.store.desired().expect("the wish").handover.expect("a handover");
    assert!(handover.to.as_str() == "db2" && !handover.accept_loss);
    // An act that would be refused has no question either.
    for refused in [path, "/pools/db/servers/db1/promote", "/pools/db/servers/db1/stop"] {
        assert_eq!(status(&site.get(refused).await), "409", "{refused}");
    }
    assert_eq!(status(&site.get("/pools/web/servers/web1/promote").await), "409", "as the API says");
}

#[tokio::test]
async fn a_loss_is_accepted_only_by_name_and_tick() {
    let mut snapshot = fixture::snapshot();
    snapshot.servers[2].status = Status::bare(Severity::Critical, State::Down);
    let site = site_of(snapshot).await;
    let path = "/pools/db/servers/db2/promote";
    let page = site.get(path).await;
    assert!(page.contains("only db1 holds will be missing"), "{page}");
    assert_eq!(page.matches("id=\"confirm\"").count(), 2);
    for typed in ["", "confirm=db2", "know=on", "confirm=db1&know=on"] {
        assert_eq!(status(&site.post(path, typed, "").await), "422", "{typed}");
    }
    assert_eq!(site.app.store.desired().expect("the wish").revision, 1);
    assert_eq!(status(&site.post(path, "confirm=db2&know=on", "").await), "303");
    assert!(site.app.store.desired().expect("the wish").handover.expect("a handover").accept_loss);
}

#[tokio::test]
async fn who_writes_is_changed_after_a_question() {
    let site = site().await;
    let path = "/pools/db/routing/all-writers";
    let page = site.get(path).await;
    assert_eq!(status(&page), "200");
    assert!(page.contains("within 3\u{a0}ms") && page.contains("127.0.0.1:13308"), "{page}");
    assert_eq!(site.app.store.desired().expect("the wish").revision, 1);
    assert_eq!(status(&site.get("/pools/db/routing/both").await), "422");
    let board = site.get("/").await;
    assert!(
        board.contains("href=\"/pools/db/routing/all-writers\"") && board.contains("one database writes")
    );
    assert_eq!(status(&site.post(path, "", "Sec-Fetch-Site: cross-site\r\n").await), "403");
    assert_eq!(status(&site.post(path, "", "").await), "303");
    let routing = site.app.store.desired().expect("the wish").routing;
    assert_eq!(routing, cordee_domain::desired::Routing::AllWriters);
}

/// Answers the engine's questions of a site: a copy of db2 is possible, or it is not.
fn engine(mut asks: mpsc::Receiver<Ask>, may: bool) -> mpsc::Receiver<String> {
    let (told, compared) = mpsc::channel(4);
    tokio::spawn(async move {
        while let Some(ask) = asks.recv().await {
            match ask {
                Ask::Join(reply) => {
                    let donor = fixture::name("db2");
                    let plan = JoinPlan {
                        donor,
                        from_writer: false,
                        bytes: 99 << 20,
                        tables: OddTables { all: 2, ..OddTables::default() },
                        freight: Freight::default(),
                        slot: 3,
                        id: 5,
                        at: None,
                    };
                    let text = cordee_domain::text!("problem-join-program");
                    let refused = vec![cordee_domain::problem::Problem::conflict("name", text)];
                    let _ = reply.send(if may { Ok(plan) } else { Err(refused) });
                }
                Ask::Invite { guest, reply } => {
                    let at = Some(std::net::IpAddr::from([127, 0, 0, 1]));
                    let donor = fixture::name("db2");
                    let plan = JoinPlan {
                        donor,
                        from_writer: false,
                        bytes: 1,
                        tables: OddTables { all: 2, ..OddTables::default() },
                        freight: Freight::default(),
                        slot: 3,
                        id: 5,
                        at,
                    };
                    let text = cordee_domain::text!("problem-newcomer-password", code = 1045);
                    let refused = vec![cordee_domain::problem::Problem::conflict("password", text)];
                    let right = guest.login.password() == "a \"rope\"";
                    let _ = reply.send(if may && right { Ok(plan) } else { Err(refused) });
                }
                Ask::Compare { name, reply, .. } => {
                    let _ = told.send(name.to_string()).await;
                    let _ = reply.send(true);
                }
                _ => {}
            }
        }
    });
    compared
}

#[tokio::test]
async fn a_database_is_added_after_its_plan_was_shown() {
    let mut site = site().await;
    let none = mpsc::channel(1).1;
    let _compared = engine(std::mem::replace(&mut site.asks, none), true);
    assert!(site.get("/").await.contains("data-open=\"join\""));
    let page = site.get("/pools/db/servers/new").await;
    for part in ["99 MiB", "db2, a standby", "placeholder=\"db3\"", "Nothing has been written yet"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert_eq!(site.app.store.desired().expect("the wish").revision, 1);
    for (typed, at) in
        [("name=db1", "db-name-e"), ("name=db3&port=x", "db-port-e"), ("name=db3&port=13311", "db-port-e")]
    {
        let again = site.post("/pools/db/servers", typed, "").await;
        assert!(status(&again) == "422" && again.contains(&format!("id=\"{at}\"")), "{typed}: {again}");
    }
    let json = site.post("/pools/db/servers", "name=db3&port=13311", "Accept: application/json\r\n").await;
    assert!(status(&json) == "409" && json.contains("\"field\":\"port\""), "{json}");
    assert_eq!(status(&site.post("/pools/db/servers", "name=db3&port=13313", "").await), "303");
    let desired = site.app.store.desired().expect("the wish");
    assert_eq!(*desired.databases().nth(2).unwrap().membership, cordee_domain::desired::Membership::Joining);
}

#[tokio::test]
async fn one_that_exists_is_looked_at_then_added_and_its_password_never_comes_back() {
    let mut site = site().await;
    let key = std::env::temp_dir().join(format!("cordee-key-{}", std::process::id()));
    site.app.store.give_key(cordee_node::vault::Vault::load(&key).expect("a key"));
    std::fs::remove_file(&key).expect("the key's file");
    let none = mpsc::channel(1).1;
    let _compared = engine(std::mem::replace(&mut site.asks, none), true);
    let path = "/pools/db/servers/existing";
    assert!(site.get(path).await.contains("type=\"password\""));
    let typed = "name=db3&address=127.0.0.1&port=13399&user=ana&password=";
    for (password, at) in [("", "g-password-e"), ("wrong%20rope", "g-password-e")] {
        let again = site.post(path, &format!("{typed}{password}"), "").await;
        assert!(status(&again) == "422" && again.contains(&format!("id=\"{at}\"")), "{again}");
        assert!(again.contains("value=\"ana\"") && !again.contains("wrong rope"), "{again}");
    }
    let taken = site.post(path, "name=db1&address=127.0.0.1&user=ana&password=a%20%22rope%22", "").await;
    assert!(status(&taken) == "422" && taken.contains("id=\"g-name-e\""), "{taken}");
    let page = site.post(path, &format!("{typed}a%20%22rope%22"), "").await;
    assert!(page.contains("db2, a standby") && !page.contains("rope"), "{page}");
    assert_eq!(site.app.store.desired().expect("the wish").revision, 1);
    let word = page.split("name=\"word\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
    let body = format!("word={}", word.expect("a word"));
    let add = "/pools/db/servers/existing/add";
    assert_eq!(status(&site.post(add, &body, "Sec-Fetch-Site: cross-site\r\n").await), "403");
    assert_eq!(status(&site.post(add, &body, "").await), "303");
    assert_eq!(status(&site.post(add, &body, "").await), "409", "once");
    // The database was examined as id 5, and that is its id.
    assert!(site.app.store.login(5).is_ok_and(|login| login.user() == "ana"));
    // A decision about another id, of a server with the same name, does not touch this login.
    let remove = Request::RemoveServer { pool: PoolId::Db, name: fixture::name("db3"), force: false };
    site.app.store.commit(&remove, "ana").expect("it is to leave");
    let of = |id| Basis { name: fixture::name("db3"), id, epoch: 1 };
    site.app.store.decide(&Decision::LetGo(of(4))).expect_err("another one was meant");
    assert!(site.app.store.login(5).is_ok());
    site.app.store.decide(&Decision::LetGo(of(5))).expect("let go");
    assert!(site.app.store.login(5).is_err(), "it goes with its server");
}

#[tokio::test]
async fn a_database_that_cannot_join_has_reasons_and_no_button() {
    let mut site = site().await;
    let none = mpsc::channel(1).1;
    let _compared = engine(std::mem::replace(&mut site.asks, none), false);
    let page = site.get("/pools/db/servers/new").await;
    assert!(page.contains("install the package mariadb-backup") && !page.contains("join-button"), "{page}");
    assert!(!page.contains("Add the database"), "{page}");
    assert_eq!(status(&site.post("/pools/db/servers", "name=db3", "").await), "409", "no field is wrong");
    assert_eq!(site.app.store.desired().expect("the wish").revision, 1);
}

#[tokio::test]
async fn rows_are_compared_at_once_and_a_database_goes_by_its_name() {
    let mut site = site().await;
    let none = mpsc::channel(1).1;
    let mut compared = engine(std::mem::replace(&mut site.asks, none), true);
    assert_eq!(status(&site.post("/pools/db/servers/db2/verify", "", "").await), "303");
    assert_eq!(compared.recv().await.as_deref(), Some("db2"));
    assert_eq!(status(&site.post("/pools/db/servers/db1/verify", "", "").await), "409");
    let path = "/pools/db/servers/db2/remove";
    assert!(site.get(path).await.contains("The site stays up with db1 alone"));
    assert_eq!(status(&site.post(path, "confirm=db1", "").await), "422");
    assert_eq!(status(&site.get("/pools/db/servers/db1/remove").await), "409");
    assert_eq!(status(&site.post(path, "confirm=db2", "").await), "303");
    let desired = site.app.store.desired().expect("the wish");
    assert_eq!(*desired.databases().nth(1).unwrap().membership, cordee_domain::desired::Membership::Leaving);
}

#[tokio::test]
async fn what_is_not_there_is_said_in_words() {
    let site = site().await;
    for path in [
        "/nope",
        "/pools/x/servers/web1/logs",
        "/pools/web/servers/nope/logs",
        "/pools/web/servers/web1/explode",
    ] {
        let page = site.get(path).await;
        assert_eq!(status(&page), "404", "{path}");
        assert!(page.contains("<h1>Not found</h1>"), "{path}");
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_said_in_words() {
    let site = site().await;
    for (path, expected) in [
        ("/sessions/compare/first", "404"),
        ("/pools/web/servers/%ff/stop", "404"),
        ("/journal?before=1&before=2", "400"),
    ] {
        let answer = site.get(path).await;
        assert_eq!(status(&answer), expected, "{path}");
        assert!(answer.contains("<h1"), "{path}: {answer}");
    }
    let cookie = &site.cookie;
    let request = format!(
        "POST /login HTTP/1.1\r\nHost: x\r\nCookie: {cookie}; cordee_lang=fr\r\nContent-Type: text/plain\r\n\
         Content-Length: 1\r\nConnection: close\r\n\r\nx"
    );
    let answer = send(site.address, &request).await;
    assert_eq!(status(&answer), "415", "{answer}");
    assert!(answer.contains("Les champs du formulaire sont illisibles."), "{answer}");
}

#[tokio::test]
async fn looking_changes_nothing_and_another_site_may_not() {
    let site = site().await;
    for path in
        ["/pools/web/servers/web1/stop", "/pools/web/servers/web1/remove", "/pools/web/servers/web1/restart"]
    {
        assert_eq!(status(&site.get(path).await), "200", "{path}");
    }
    for path in ["/pools/web/servers/web1/drain", "/proxies/web/reload", "/refresh"] {
        assert!(matches!(status(&site.get(path).await), "404" | "405"), "{path}");
        let forged = site.post(path, "", "Sec-Fetch-Site: cross-site\r\n").await;
        assert_eq!(status(&forged), "403", "{path}");
    }
    assert_eq!(site.app.store.desired().expect("the wish").revision, 1);
}

#[tokio::test]
async fn the_setup_code_works_once() {
    let (app, asks) = fixture::app(fixture::snapshot());
    let site = Site { address: listen(&app).await, app, cookie: String::new(), asks };
    let page = site.post("/setup", "code=wrong&name=ana&password=short", "").await;
    assert_eq!(status(&page), "422");
    assert!(page.contains("id=\"code-e\"") && page.contains("id=\"password-e\""));
    let made = site.post("/setup", "code=krab-7q2m&name=ana&password=long+enough", "").await;
    assert_eq!(status(&made), "303");
    assert!(made.contains("HttpOnly; SameSite=Strict"));
    assert!(!site.app.setup_code.exists());
    let again = site.post("/setup", "code=KRAB-7Q2M&name=eve&password=long+enough", "").await;
    assert!(again.contains("location: /login"));
}

#[tokio::test]
async fn the_sixth_wrong_password_has_to_wait() {
    let site = site().await;
    let stranger = Site { cookie: String::new(), ..site };
    for _ in 0..5 {
        assert_eq!(status(&stranger.post("/login", "name=ana&password=no", "").await), "422");
    }
    let page = stranger.post("/login", "name=ana&password=long+enough", "").await;
    assert_eq!(status(&page), "429");
    assert!(page.contains("retry-after:") && page.contains("try again in"));
}

fn count(answers: &[String], wanted: &str) -> usize {
    answers.iter().filter(|a| status(a) == wanted).count()
}

/// Sends this many requests at once.
async fn at_once(
    site: &std::sync::Arc<Site>,
    number: usize,
    path: &'static str,
    body: fn(usize) -> String,
) -> Vec<String> {
    let mut all = tokio::task::JoinSet::new();
    for n in 0..number {
        let site = site.clone();
        all.spawn(async move { site.post(path, &body(n), "").await });
    }
    all.join_all().await
}

#[tokio::test]
async fn sixty_guesses_at_once_are_five() {
    let site = std::sync::Arc::new(Site { cookie: String::new(), ..site().await });
    let answers = at_once(&site, 60, "/login", |n| format!("name=ana&password=guess{n}")).await;
    assert_eq!((count(&answers, "422"), count(&answers, "429")), (5, 55), "evaluated, refused");
}

#[tokio::test]
async fn sixty_codes_at_once_are_five_and_the_right_one_is_never_held_up() {
    let (app, asks) = fixture::app(fixture::snapshot());
    let site = Site { address: listen(&app).await, app, cookie: String::new(), asks };
    let site = std::sync::Arc::new(site);
    let answers =
        at_once(&site, 60, "/setup", |n| format!("code=guess{n}&name=ana&password=long+enough")).await;
    assert_eq!((count(&answers, "422"), count(&answers, "429")), (5, 55), "evaluated, refused");
    let made = site.post("/setup", "code=krab-7q2m&name=ana&password=long+enough", "").await;
    assert_eq!(status(&made), "303");
}

/// Opens a stream as the page's script does.
async fn follow(site: &Site, headers: &str) -> TcpStream {
    let mut stream = TcpStream::connect(site.address).await.expect("a connection");
    let (version, cookie) = (crate::web::assets::version(), &site.cookie);
    let request = format!("GET /live?v={version} HTTP/1.1\r\nHost: x\r\nCookie: {cookie}{headers}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("sent");
    stream
}

/// Reads until a piece comes; returns what came before it, and at most one more read.
async fn read_until(stream: &mut TcpStream, piece: &str) -> String {
    let mut all = String::new();
    while !all.contains(piece) {
        let mut bytes = vec![0; 16_384];
        let read = tokio::time::timeout(std::time::Duration::from_secs(5), stream.read(&mut bytes));
        let count = read.await.expect("in time").expect("read");
        assert!(count > 0, "the stream ended before {piece}: {all}");
        all.push_str(&String::from_utf8_lossy(&bytes[..count]));
    }
    all
}

#[tokio::test]
async fn each_proxy_s_file_is_explained_and_what_a_hand_wrote_is_text() {
    let mut site = site().await;
    let mut asks = std::mem::replace(&mut site.asks, mpsc::channel(1).1);
    tokio::spawn(async move {
        while let Some(ask) = asks.recv().await {
            if let Ask::Config { proxy, reply } = ask {
                let _ = reply.send(Box::new(crate::web::fixture::file(proxy)));
            }
        }
    });
    assert!(site.get("/config").await.contains("location: /config/web"));
    let web = site.get("/config/web").await;
    assert!(web.contains("The door for visitors.") && web.contains("Changed by hand"), "{web}");
    assert!(web.contains("timeout queue &#60;b&#62;9s") && !web.contains("<b>9s"), "{web}");
    assert!(web.contains("trash/web.cfg-by-hand-1795761474931"), "{web}");
    assert!(!web.contains("cafe0123") && !web.contains("hunter2"));
    let db = site.get("/config/db").await;
    assert!(
        db.contains("First MariaDB’s greeting must come") && db.contains("aria-current=\"page\">HAProxy db"),
        "{db}"
    );
    assert!(site.get("/config/mail").await.starts_with("HTTP/1.1 404"));
}
