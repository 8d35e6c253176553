//! The API through its real router, over a real store and a board without an engine.

mod described;
mod input;
mod stream;
mod tokens;

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use axum::response::Response;
use cordee_domain::db::freight::Freight;
use cordee_domain::db::verify::OddTables;
use cordee_domain::desired::{Admin, Handover, Power, Routing, Run};
use cordee_domain::drill::{RawOrder, Target};
use cordee_domain::ids::{PoolId, ProcessName, ServerName};
use cordee_domain::problem::Problem;
use cordee_domain::proof::Proof;
use cordee_domain::state::Severity;
use cordee_domain::text;
use cordee_node::attempt::TestStep;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tower::ServiceExt as _;

use crate::board::{Ask, Cleaning, JoinPlan, Leftover, LogFile, TestReport};
use crate::jobs::{DrillUnderWay, Phase};
use crate::store::{Account, Device, SignIn, TokenName};
use crate::web::session::Local;
use crate::web::{App, fixture};

struct Rig {
    app: App,
    router: Router,
    token: String,
    asks: Option<mpsc::Receiver<Ask>>,
    _folder: fixture::Folder,
}

impl Rig {
    fn new() -> Self {
        let (app, asks, folder) = fixture::app();
        let token = app.store.create_token(&TokenName("ci".to_owned()), None).unwrap().unwrap();
        let router = crate::web::programs(&app).with_state(app.clone());
        Self { app, router, token, asks: Some(asks), _folder: folder }
    }

    fn request(&self, method: &str, to: &str, body: impl Into<Body>) -> Request<Body> {
        Request::builder()
            .method(method)
            .uri(to)
            .header(header::AUTHORIZATION, format!("Bearer {}", self.token))
            .header(header::CONTENT_TYPE, "application/json")
            .body(body.into())
            .unwrap()
    }

    async fn send(&self, request: Request<Body>) -> (StatusCode, Value) {
        let answer = self.router.clone().oneshot(request).await.unwrap();
        read(answer).await
    }

    async fn call(&self, method: &str, to: &str) -> (StatusCode, Value) {
        self.send(self.request(method, to, Body::empty())).await
    }

    async fn add(&self, body: &Value) -> (StatusCode, Value) {
        self.send(self.request("POST", "/api/v1/pools/web/servers", body.to_string())).await
    }

    /// Plays the engine, which knows of one leftover and one line of log.
    fn answer_asks(&mut self) {
        let mut asks = self.asks.take().unwrap();
        tokio::spawn(async move {
            while let Some(ask) = asks.recv().await {
                match ask {
                    Ask::Refresh(reply) | Ask::Hold { reply, .. } => {
                        let _ = reply.send(());
                    }
                    Ask::Compare { id, reply, .. } | Ask::Repair { id, reply, .. } => {
                        // It knows db2 with the fixture's id.
                        let _ = reply.send(id == 4);
                    }
                    Ask::Detail { reply, .. } => drop(reply),
                    Ask::Invite { reply, .. } => {
                        let text = text!("problem-db-elsewhere");
                        drop(reply.send(Err(vec![Problem::conflict("address", text)])));
                    }
                    Ask::Config { proxy, reply } => drop(reply.send(Box::new(fixture::file(proxy)))),
                    Ask::Join(reply) => {
                        let donor = ServerName::parse("db2").unwrap();
                        let plan = JoinPlan {
                            donor,
                            from_writer: false,
                            bytes: 7,
                            tables: OddTables { all: 3, ..OddTables::default() },
                            freight: Freight::default(),
                            slot: 3,
                            id: 5,
                            at: None,
                        };
                        drop(reply.send(Ok(plan)));
                    }
                    Ask::Logs { name, lines, checks, reply } => {
                        let line = format!("{name} {lines}");
                        drop(reply.send(vec![LogFile {
                            name: "access.log".to_owned(),
                            lines: vec![line],
                            hidden: if checks { 0 } else { 7 },
                            unread: None,
                        }]));
                    }
                    Ask::Test { reply, .. } => {
                        let step =
                            |ok| TestStep { name: text!("status-up"), ok, ms: 3, says: text!("status-up") };
                        drop(reply.send(TestReport { steps: vec![step(true), step(false)] }));
                    }
                    Ask::Clean { reply, .. } => {
                        let why = text!("status-stopped");
                        let items = vec![Leftover { path: "servers/old".to_owned(), why, bytes: 7 }];
                        drop(reply.send(Some(Cleaning { items, foreign: Vec::new() })));
                    }
                }
            }
        });
    }

    fn severity(&self, server: usize, severity: Severity) {
        let mut snapshot = (*self.app.board.snapshot()).clone();
        snapshot.servers[server].status.severity = severity;
        self.app.board.set_snapshot(snapshot);
    }
}

/// Returns status and JSON; every refusal must have the media type of a problem.
async fn read(answer: Response) -> (StatusCode, Value) {
    let status = answer.status();
    let kind = answer.headers()[header::CONTENT_TYPE].to_str().unwrap().to_owned();
    let expected = if status.is_success() { "application/json" } else { "application/problem+json" };
    assert_eq!(kind, expected);
    let bytes = answer.into_body().collect().await.unwrap().to_bytes();
    let value: Value = serde_json::from_slice(&bytes).unwrap();
    if !status.is_success() {
        assert_eq!(value["status"], status.as_u16());
        assert!(!value["detail"].as_str().unwrap().is_empty());
    }
    (status, value)
}

#[tokio::test]
async fn every_described_address_wants_to_know_who_asks() {
    let mut seen = 0;
    let paths = &super::describe::description()["paths"];
    for (path, methods) in paths.as_object().unwrap() {
        let to = path
            .replace("{pool}", "web")
            .replace("{name}", "web1")
            .replace("{action}", "stop")
            .replace("{proxy}", "web")
            .replace("{id}", "1");
        for method in methods.as_object().unwrap().keys() {
            let method = Method::from_bytes(method.to_ascii_uppercase().as_bytes()).unwrap();
            // A separate rig for each: wrong tokens are counted.
            let rig = Rig::new();
            for authorization in ["", "Bearer cordee_wrong", "Basic YTpi"] {
                let request =
                    Request::builder().method(&method).uri(&to).header("authorization", authorization);
                let (status, _) = rig.send(request.body(Body::empty()).unwrap()).await;
                assert_eq!(status, StatusCode::UNAUTHORIZED, "{method} {to}");
            }
            assert_eq!(*rig.app.board.desired(), fixture::desired());
            seen += 1;
        }
    }
    assert_eq!(seen, 33, "the description lacks an address");
}

#[tokio::test]
async fn the_description_is_for_everybody() {
    let rig = Rig::new();
    let request = Request::get("/api/openapi.json").body(Body::empty()).unwrap();
    let (status, value) = rig.send(request).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(value["info"]["title"], "Cordée");
    assert_eq!(value["components"]["securitySchemes"]["token"]["scheme"], "bearer");
    assert!(value["components"]["schemas"]["ServerJson"]["properties"]["last_check"].is_object());
}

#[tokio::test]
async fn the_picture_has_every_promised_member() {
    let rig = Rig::new();
    let (status, value) = rig.call("GET", "/api/v1/snapshot").await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(value["revision"], 1);
    assert_eq!(value["pools"][0]["name"], "web");
    assert_eq!(value["pools"][1]["servers"][0]["role"], "writer");
    assert_eq!(value["proxies"][1]["name"], "db");
    let server = &value["servers"][0];
    assert_eq!(server["status"]["light"], "progress");
    assert_eq!(server["last_check"]["age_ms"], Value::Null);
    assert_eq!((&server["runtime"], &server["power"]), (&json!("process"), &json!("on")));
    for member in [
        "name",
        "pool",
        "address",
        "port",
        "cookie",
        "sessions",
        "total",
        "pid",
        "version",
        "links",
        "standing",
        "semi_sync",
        "actions",
    ] {
        assert!(server.get(member).is_some(), "{member}");
    }
}

#[tokio::test]
async fn a_server_is_added_and_taken_away() {
    let rig = Rig::new();
    let (status, value) =
        rig.add(&json!({"name": "web3", "address": "10.0.0.5", "port": 81, "cookie": "S3"})).await;
    assert_eq!((status, &value["revision"]), (StatusCode::CREATED, &json!(2)));
    assert_eq!((&value["server"]["port"], &value["server"]["cookie"]), (&json!(81), &json!("S3")));
    assert_eq!(value["server"]["status"]["light"], "progress");
    let (status, value) =
        rig.add(&json!({"name": "web4", "address": "10.0.0.5", "port": "82", "cookie": null})).await;
    assert_eq!((status, &value["server"]["port"]), (StatusCode::CREATED, &json!(82)));
    let (status, value) = rig.add(&json!({"name": "web5", "start": true})).await;
    assert_eq!((status, &value["server"]["runtime"]), (StatusCode::CREATED, &json!("process")));
    for name in ["web3", "WEB4", "web5"] {
        let (status, _) = rig.call("DELETE", &format!("/api/v1/pools/web/servers/{name}")).await;
        assert_eq!(status, StatusCode::ACCEPTED);
    }
    // They are removed as soon as HAProxy sends no visitor there, which other tests cover.
    let desired = rig.app.board.desired();
    let leaving = desired.web.servers.iter().filter(|s| s.leaving());
    assert_eq!(leaving.map(|s| s.name.as_str()).collect::<Vec<_>>(), ["web3", "web4", "web5"]);
    assert_eq!(desired.web.servers[..2], fixture::desired().web.servers[..]);
    let journal = rig.app.store.events_after(0, 10).unwrap();
    assert!(journal.iter().all(|e| e.actor == "token:ci") && journal.len() == 6);
}

#[tokio::test]
async fn acts_become_wishes() {
    let rig = Rig::new();
    for (action, admin) in
        [("drain", Admin::Drain), ("maintenance", Admin::Maintenance), ("ready", Admin::Ready)]
    {
        let (status, value) = rig.call("POST", &format!("/api/v1/pools/web/servers/web2/{action}")).await;
        assert_eq!(status, StatusCode::ACCEPTED);
        assert!(value["message"].as_str().unwrap().contains("web2"));
        assert_eq!(rig.app.board.desired().web.servers[1].as_web().unwrap().admin, admin);
    }
    for (action, power) in [("stop", Power::Off), ("start", Power::On)] {
        rig.call("POST", &format!("/api/v1/pools/db/servers/db2/{action}")).await;
        assert_eq!(rig.app.board.desired().db.servers[1].runtime.power(), power);
    }
    rig.call("POST", "/api/v1/pools/web/servers/web1/restart").await;
    rig.call("POST", "/api/v1/proxies/db/reload").await;
    let desired = rig.app.board.desired();
    let restarted = Run::Process { power: Power::On, generation: 1 };
    assert_eq!((desired.web.servers[0].runtime, desired.db.generation), (restarted, 1));
}

#[tokio::test]
async fn who_writes_is_a_wish_and_is_described() {
    let rig = Rig::new();
    let share = |word: &str| {
        let body = json!({ "routing": word }).to_string();
        rig.send(rig.request("PUT", "/api/v1/pools/db/routing", body))
    };
    for (word, routing) in [("all-writers", Routing::AllWriters), ("one-writer", Routing::OneWriter)] {
        let (status, value) = share(word).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{value}");
        assert_eq!(rig.app.board.desired().routing, routing);
    }
    let to = "/api/v1/pools/db/servers/db2/promote";
    assert_eq!(rig.call("POST", &format!("{to}?accept_loss=true")).await.0, StatusCode::ACCEPTED);
    let handover = rig.app.board.desired().handover.clone().unwrap();
    assert_eq!((handover.to.as_str(), handover.accept_loss), ("db2", true));
    // One change of writer at a time.
    let (status, value) = rig.call("POST", to).await;
    assert_eq!((status, &value["errors"][0]["field"]), (StatusCode::CONFLICT, &json!("name")));

    let (_, api) = rig.call("GET", "/api/openapi.json").await;
    assert!(api["paths"]["/api/v1/pools/db/routing"]["put"]["requestBody"].is_object());
    let act = &api["paths"]["/api/v1/pools/{pool}/servers/{name}/{action}"]["post"]["parameters"];
    let described = act.to_string();
    assert!(described.contains("`promote`") && described.contains("\"accept_loss\""), "{described}");
}

#[tokio::test]
async fn while_the_writer_changes_the_verdict_says_so() {
    let rig = Rig::new();
    let mut snapshot = (*rig.app.board.snapshot()).clone();
    let to = snapshot.servers[3].name.clone();
    snapshot.handover = Some(Handover { to, at: snapshot.at, accept_loss: false });
    snapshot.verdict.severity = Severity::Progress;
    rig.app.board.set_snapshot(snapshot);
    let (_, seen) = rig.call("GET", "/api/v1/snapshot").await;
    assert_eq!(
        (&seen["verdict"]["word"], &seen["handover"]["to"]),
        (&json!("The writer is changing"), &json!("db2"))
    );
}

#[tokio::test]
async fn the_last_web_server_that_serves_goes_only_by_force() {
    let rig = Rig::new();
    rig.severity(0, Severity::Good);
    rig.severity(1, Severity::Critical);
    for (method, to) in
        [("POST", "/api/v1/pools/web/servers/web1/stop"), ("DELETE", "/api/v1/pools/web/servers/web1")]
    {
        let (status, value) = rig.call(method, to).await;
        assert_eq!((status, &value["errors"][0]["field"]), (StatusCode::CONFLICT, &json!("force")));
        assert_eq!(rig.call(method, &format!("{to}?force=1")).await.0, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(
            rig.app.board.desired().web.servers[0].runtime.power(),
            if method == "POST" { Power::On } else { Power::Off }
        );
        assert_eq!(rig.call(method, &format!("{to}?force=true")).await.0, StatusCode::ACCEPTED);
    }
    assert_eq!(rig.app.board.desired().web.servers.len(), 1);
}

#[tokio::test]
async fn questions_go_to_the_engine() {
    let mut rig = Rig::new();
    rig.answer_asks();
    let (status, value) = rig.call("GET", "/api/v1/pools/web/servers/WEB1/logs?lines=3").await;
    assert_eq!((status, &value["files"][0]["lines"][0]), (StatusCode::OK, &json!("web1 3")));
    assert_eq!(value["files"][0]["hidden"], json!(7), "checks are left out and counted");
    let (_, value) = rig.call("GET", "/api/v1/pools/web/servers/web1/logs?checks=true").await;
    assert_eq!(value["files"][0]["hidden"], json!(0), "until they are asked for");
    let (_, value) = rig.call("POST", "/api/v1/pools/db/servers/db1/test").await;
    assert_eq!((&value["passed"], &value["steps"][1]["ok"]), (&json!(false), &json!(false)));
    assert_eq!(rig.call("POST", "/api/v1/refresh").await.0, StatusCode::ACCEPTED);
    let (_, value) = rig.call("POST", "/api/v1/clean").await;
    assert_eq!((&value["applied"], &value["items"][0]["bytes"]), (&json!(false), &json!(7)));
    assert!(rig.app.store.events_after(0, 9).unwrap().is_empty());
    let (_, value) = rig.call("POST", "/api/v1/clean?apply=true").await;
    assert_eq!(value["applied"], true);
    assert_eq!(rig.app.store.events_after(0, 9).unwrap()[0].actor, "token:ci");
}

#[tokio::test]
async fn a_stopping_engine_is_said_so() {
    let mut rig = Rig::new();
    drop(rig.asks.take());
    assert_eq!(rig.call("POST", "/api/v1/refresh").await.0, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn a_server_of_somebody_else_has_no_logs_here() {
    let rig = Rig::new();
    rig.add(&json!({"name": "web3", "address": "10.0.0.5"})).await;
    assert_eq!(rig.call("GET", "/api/v1/pools/web/servers/web3/logs").await.0, StatusCode::CONFLICT);
    assert_eq!(rig.call("GET", "/api/v1/pools/web/servers/web9/logs").await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_journal_is_read_in_stretches() {
    let rig = Rig::new();
    for n in 0..5_u64 {
        rig.app.store.note("cordee", "cluster", None, &text!("reason-drain", count = n)).unwrap();
    }
    let (_, first) = rig.call("GET", "/api/v1/history?limit=2").await;
    assert_eq!((&first["events"][0]["id"], &first["next"]), (&json!(5), &json!(4)));
    let (_, rest) = rig.call("GET", "/api/v1/history?before=4").await;
    assert_eq!((rest["events"].as_array().unwrap().len(), &rest["next"]), (3, &Value::Null));
}

/// A session that knows this secret.
fn signed_in(rig: &Rig, proof: &str) -> SignIn {
    rig.app.store.create_first_account("ana", "correct horse battery").unwrap();
    let session = rig.app.store.sign_in(&Account("ana".to_owned()), &Device::default()).unwrap();
    rig.app.store.confirm(&session, &Proof::parse(proof).unwrap()).unwrap();
    session
}

#[tokio::test]
async fn with_the_page_s_session_alone_the_api_only_reads() {
    let mut rig = Rig::new();
    rig.answer_asks();
    let proof = "0123456789abcdef".repeat(4);
    let cookie = format!("cordee_test={}", signed_in(&rig, &proof).0);
    let ask = |method: &str, to: &str, proof: Option<&str>| {
        let request = Request::builder().method(method).uri(to).header("cookie", &cookie);
        let request = proof.into_iter().fold(request, |request, proof| request.header("cordee-proof", proof));
        rig.send(request.body(Body::empty()).unwrap())
    };
    let revision = || rig.app.board.desired().revision;
    let before = (revision(), rig.app.store.events_after(0, 99).unwrap().len());
    assert_eq!(ask("GET", "/api/v1/snapshot", None).await.0, StatusCode::OK);
    let mut changes = 0;
    for (method, path) in described::changes() {
        // A thief has a secret too, but had no password to send with it.
        for wrong in [None, Some(""), Some("x"), Some(&*"f".repeat(64))] {
            let (status, said) = ask(&method, &path, wrong).await;
            assert_eq!(status, StatusCode::FORBIDDEN, "{method} {path} {wrong:?}: {said}");
            assert!(said["detail"].as_str().unwrap().contains("Cordee-Proof"), "{said}");
        }
        changes += 1;
    }
    assert!(changes > 15, "{changes}: too few changes were tried");
    assert_eq!((revision(), rig.app.store.events_after(0, 99).unwrap().len()), before);
    assert_eq!(
        ask("POST", "/api/v1/pools/web/servers/web1/drain", Some(&proof)).await.0,
        StatusCode::ACCEPTED
    );
    assert_eq!(rig.app.store.events_after(0, 99).unwrap().last().unwrap().actor, "ana");
    rig.app.store.age_confirmations(10 * 60_000);
    let late = ask("POST", "/api/v1/pools/web/servers/web1/ready", Some(&proof)).await;
    assert_eq!(late.0, StatusCode::FORBIDDEN, "the password was given too long ago: {}", late.1);
}

#[tokio::test]
async fn another_site_s_page_cannot_act() {
    let rig = Rig::new();
    let proof = "0123456789abcdef".repeat(4);
    let session = signed_in(&rig, &proof);
    let cookie = format!("cordee_test={}", session.0);
    for (name, value, expected) in [
        ("sec-fetch-site", "cross-site", 403),
        ("sec-fetch-site", "same-site", 403),
        ("origin", "http://127.0.0.1:9999", 403),
        ("sec-fetch-site", "same-origin", 202),
        ("origin", "http://127.0.0.1:8600", 202),
    ] {
        let request = Request::post("/api/v1/pools/web/servers/web1/drain")
            .header("host", "127.0.0.1:8600")
            .header("cookie", &cookie)
            .header("cordee-proof", &proof)
            .header(name, value);
        let (status, _) = rig.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(status.as_u16(), expected, "{name}: {value}");
    }
    assert_eq!(rig.app.store.events_after(0, 9).unwrap()[0].actor, "ana");
    // A header that is no token exempts from nothing; with a token, the cookie beside it authorises nothing.
    for (header, expected) in [("Basic YTpi", 403), ("bearer x", 403), ("Bearer x", 401)] {
        let request = Request::post("/api/v1/pools/web/servers/web1/ready")
            .header("cookie", &cookie)
            .header("authorization", header)
            .header("sec-fetch-site", "cross-site");
        let (status, _) = rig.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(status.as_u16(), expected, "{header}");
    }
}

#[tokio::test]
async fn local_answers_are_for_the_socket_only() {
    let rig = Rig::new();
    std::fs::write(&*rig.app.setup_code, "ABCD-1234\n").unwrap();
    let local = |method: &str, to: &str, body: Value| {
        let mut request = rig.request(method, to, body.to_string());
        request.headers_mut().remove(header::AUTHORIZATION);
        request.extensions_mut().insert(Local);
        rig.send(request)
    };
    assert_eq!(local("GET", "/local/setup-code", json!({})).await.1["code"], "ABCD-1234");
    let (status, made) = local("POST", "/local/tokens", json!({"name": "backup"})).await;
    assert_eq!(status, StatusCode::CREATED);
    assert!(rig.app.store.token(made["token"].as_str().unwrap()).unwrap().is_some());
    assert_eq!(local("POST", "/local/tokens", json!({"name": "Backup"})).await.0, StatusCode::CONFLICT);
    assert_eq!(
        local("POST", "/local/tokens", json!({"name": "a b"})).await.0,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    let (_, dsn) = local("GET", "/local/dsn?account=owner&server=DB1", json!({})).await;
    assert_eq!(
        dsn,
        json!({"host": "127.0.0.1", "port": 13311, "user": "owner", "password": "owner-secret", "schema": "site",
            "url": "mysql://owner:owner-secret@127.0.0.1:13311/site"})
    );
    let (_, dsn) = local("GET", "/local/dsn", json!({})).await;
    assert_eq!((&dsn["port"], &dsn["writer_port"]), (&json!(13307), &json!(13308)));
    assert_eq!(dsn["writer_url"], "mysql://app:app-secret@127.0.0.1:13308/site");
    let (_, dsn) = local("GET", "/local/dsn?account=monitor", json!({})).await;
    assert_eq!(
        (&dsn["user"], &dsn["schema"]),
        (&json!("monitor"), &json!("")),
        "who watches reads no schema"
    );
    assert_eq!(local("GET", "/local/dsn?account=root", json!({})).await.0, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(local("GET", "/local/dsn?server=db9", json!({})).await.0, StatusCode::NOT_FOUND);
    rig.app.store.create_first_account("ana", "correct horse battery").unwrap();
    assert_eq!(local("GET", "/local/setup-code", json!({})).await.1["code"], Value::Null);
    let (_, start) = local("GET", "/local/start", json!({})).await;
    assert_eq!((&start["started"], &start["verdict"]["light"]), (&json!("waits"), &json!("progress")));
    for to in ["/local/setup-code", "/local/dsn", "/local/start"] {
        assert_eq!(rig.call("GET", to).await.0, StatusCode::NOT_FOUND);
    }
    let (status, _) = rig.send(rig.request("POST", "/local/tokens", "{\"name\":\"x\"}")).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn every_line_of_a_file_comes_with_its_sentences_and_no_secret() {
    let mut rig = Rig::new();
    rig.answer_asks();
    for (lang, says) in [("fr", "La porte d’entrée des visiteurs."), ("en", "The door for visitors.")] {
        let mut request = rig.request("GET", "/api/v1/proxies/web/config", Body::empty());
        request.headers_mut().insert(header::ACCEPT_LANGUAGE, lang.parse().unwrap());
        let (status, config) = rig.send(request).await;
        assert_eq!(status, StatusCode::OK);
        let lines = config["lines"].as_array().unwrap();
        let door = lines.iter().find(|l| l["text"] == "frontend web").unwrap();
        assert_eq!(door["explanation"], says);
        for line in lines {
            let (text, without) = (line["text"].as_str().unwrap(), line["without"].as_str());
            assert_eq!(without.is_none(), text.is_empty(), "{line}");
            assert_eq!(line["explanation"].is_null(), text.is_empty(), "{line}");
        }
        assert_eq!((&config["disk"], &config["process"]), (&json!("by-hand"), &json!("unknown")));
        let odd = &config["difference"][1];
        assert_eq!((&odd["added"], &odd["text"]), (&json!(true), &json!("    timeout queue <b>9s</b>")));
        let all = config.to_string();
        assert!(!all.contains("cafe0123") && !all.contains("hunter2"), "{all}");
    }
    let (status, refusal) = rig.call("GET", "/api/v1/proxies/mail/config").await;
    assert_eq!((status, &refusal["errors"][0]["field"]), (StatusCode::NOT_FOUND, &json!("proxy")));
}

#[tokio::test]
async fn a_wish_that_would_meddle_with_a_drill_waits() {
    let rig = Rig::new();
    let [target, how, confirm] = ["haproxy-web", "kill", "web"].map(str::to_owned);
    let order = RawOrder { target, how, confirm, ..RawOrder::usual() }.parse().unwrap();
    let target = Target::Process(ProcessName::Proxy(PoolId::Web));
    let drill = rig.app.store.begin_drill("ada", order, target).unwrap();
    rig.app.drills.show(Some(DrillUnderWay { drill, phase: Phase::Before, ms: 5 }));
    for (method, to, body) in [
        ("POST", "/api/v1/pools/web/servers/web1/stop", ""),
        ("POST", "/api/v1/pools/db/servers/db2/promote", ""),
        ("POST", "/api/v1/pools/db/servers/db2/repair", "{\"take\":\"writer\"}"),
        ("POST", "/api/v1/proxies/web/reload", ""),
    ] {
        let (status, refusal) = rig.send(rig.request(method, to, body)).await;
        assert_eq!(status, StatusCode::CONFLICT, "{to}: {refusal}");
    }
    assert_eq!(*rig.app.board.desired(), fixture::desired());
    let keeping = rig.request("PUT", "/api/v1/visitors/keeping", "{\"days\":\"9\"}");
    assert!(rig.send(keeping).await.0.is_success(), "that touches no server");
    rig.app.drills.show(None);
    assert!(rig.call("POST", "/api/v1/proxies/web/reload").await.0.is_success());
    let (_, shown) = rig.call("GET", "/api/v1/drills/1").await;
    let said = (&shown["state"], &shown["target"], &shown["victim"], &shown["requests"]["recovery"]);
    assert_eq!(
        said,
        (&json!("running"), &json!("haproxy-web"), &json!("haproxy-web"), &json!("nothing-lost"))
    );
    assert_eq!(rig.call("GET", "/api/v1/drills/2").await.0, StatusCode::NOT_FOUND);
}
