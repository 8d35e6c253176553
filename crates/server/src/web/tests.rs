//! Page, API and command line answer alike: each act is sent through each of them, while something is in the way.

use std::path::Path;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use cordee_domain::change;
use cordee_domain::db::freight::Freight;
use cordee_domain::db::verify::OddTables;
use cordee_domain::desired::Power;
use cordee_domain::drill::{RawOrder, Target};
use cordee_domain::ids::{PoolId, ProcessName, ServerName};
use cordee_domain::problem::Problem;
use cordee_domain::proof::Proof;
use cordee_domain::state::{Severity, State, Status};
use cordee_domain::text;
use cordee_node::vault::Vault;
use http_body_util::BodyExt as _;
use serde_json::Value;
use tokio::sync::mpsc;
use tower::ServiceExt as _;

use super::session::{Local, cookie_name};
use super::{App, fixture, router, view};
use crate::board::{Ask, Cleaning, JoinPlan};
use crate::control::act::{Account as Login, ServerAct};
use crate::jobs::{DrillJobs, DrillUnderWay, JobRequest, Phase, TrialJobs};
use crate::store::{Account, Device, SignIn, TokenName};

const SECRET: &str = "5ec2e700000000000000000000000000000000000000000000000000005ec2e7";

/// What is in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Obstacle {
    /// Nothing.
    None,
    /// A drill is under way.
    Drill,
    /// web1 and db1 are the last that serve, and only db2 could take over.
    Last,
    /// db2 is stopped.
    Stopped,
    /// The rows' numbers could not be told apart once all databases take writes.
    Sequences,
    /// No database can join.
    Unready,
    /// The engine and the job queues are gone.
    Stopping,
    /// Nothing can be stored.
    Broken,
}

impl Obstacle {
    const ALL: [Self; 8] = [
        Self::None,
        Self::Drill,
        Self::Last,
        Self::Stopped,
        Self::Sequences,
        Self::Unready,
        Self::Stopping,
        Self::Broken,
    ];
}

/// The same act for the page and for the API; everything that it takes is confirmed.
struct Case {
    page: (String, String),
    api: (&'static str, String, &'static str),
}

fn case(
    (to, form): (impl Into<String>, impl Into<String>),
    (method, path, body): (&'static str, impl Into<String>, &'static str),
) -> Case {
    Case { page: (to.into(), form.into()), api: (method, format!("/api/v1{}", path.into()), body) }
}

/// Every act of a server, of both pools.
fn of_servers(said: bool) -> Vec<Case> {
    let servers = [("web", "web1"), ("db", "db2"), ("db", "db1")];
    let acts = servers.into_iter().flat_map(|server| ServerAct::ALL.map(|act| (server, act)));
    let acts = acts.chain([(("web", "web9"), ServerAct::Stop)]);
    let case = |((pool, name), act): ((&str, &str), ServerAct)| {
        let to = format!("/pools/{pool}/servers/{name}");
        let form = if said { format!("confirm={name}&know=on") } else { String::new() };
        let query = if said { "?force=true&accept_loss=true" } else { "" };
        let word = act.as_str();
        match act {
            ServerAct::Remove => case((format!("{to}/{word}"), form), ("DELETE", format!("{to}{query}"), "")),
            _ => case((format!("{to}/{word}"), form), ("POST", format!("{to}/{word}{query}"), "")),
        }
    };
    acts.map(case).collect()
}

/// All other acts.
fn others() -> Vec<Case> {
    let db = "/pools/db/servers";
    let existing = r#"{"name":"db3","address":"127.0.0.1","port":13399,"user":"ana","password":"a rope"}"#;
    let order = r#"{"target":"web1","how":"kill","confirm":"web"}"#;
    vec![
        case(
            ("/pools/web/servers", "name=web3&start=on"),
            ("POST", "/pools/web/servers", r#"{"name":"web3","start":true}"#),
        ),
        case(
            ("/pools/web/servers", "name=web3&address=10.0.0.5&port=81"),
            ("POST", "/pools/web/servers", r#"{"name":"web3","address":"10.0.0.5","port":81}"#),
        ),
        case(
            ("/pools/web/servers", "name=web1&address=10.0.0.5"),
            ("POST", "/pools/web/servers", r#"{"name":"web1","address":"10.0.0.5"}"#),
        ),
        case((db, "name=db3"), ("POST", db, r#"{"name":"db3","start":true}"#)),
        case((db, "name=db1"), ("POST", db, r#"{"name":"db1","start":true}"#)),
        case(
            (format!("{db}/existing"), "name=db3&address=127.0.0.1&port=13399&user=ana&password=a+rope"),
            ("POST", "/pools/db/join", existing),
        ),
        case(
            (format!("{db}/existing"), "name=db1&address=127.0.0.1&port=13399&user=ana&password=a+rope"),
            (
                "POST",
                "/pools/db/join",
                r#"{"name":"db1","address":"127.0.0.1","port":13399,"user":"ana","password":"a rope"}"#,
            ),
        ),
        case((format!("{db}/existing/add"), "word={word}"), ("POST", db, existing)),
        case(
            ("/pools/db/routing/all-writers", ""),
            ("PUT", "/pools/db/routing", r#"{"routing":"all-writers"}"#),
        ),
        case(("/pools/web/session/database", ""), ("PUT", "/pools/web/session", r#"{"mode":"database"}"#)),
        case(
            ("/visitors/keeping", "days=9&trusted="),
            ("PUT", "/visitors/keeping", r#"{"days":9,"shorten":false}"#),
        ),
        case(
            ("/visitors/keeping", "days=0&trusted="),
            ("PUT", "/visitors/keeping", r#"{"days":0,"shorten":false}"#),
        ),
        case(("/proxies/web/reload", ""), ("POST", "/proxies/web/reload", "")),
        case((format!("{db}/db2/verify"), ""), ("POST", format!("{db}/db2/verify"), "")),
        case((format!("{db}/db1/verify"), ""), ("POST", format!("{db}/db1/verify"), "")),
        case((format!("{db}/db9/verify"), ""), ("POST", format!("{db}/db9/verify"), "")),
        case(("/pools/web/servers/web1/verify", ""), ("POST", "/pools/web/servers/web1/verify", "")),
        case(
            (format!("{db}/db2/repair/writer"), ""),
            ("POST", format!("{db}/db2/repair"), r#"{"take":"writer"}"#),
        ),
        case(
            (format!("{db}/db1/repair/writer"), ""),
            ("POST", format!("{db}/db1/repair"), r#"{"take":"writer"}"#),
        ),
        case(("/clean", ""), ("POST", "/clean?apply=true", "")),
        case(("/sessions/compare", ""), ("POST", "/trials", "")),
        case(("/sessions/compare/cancel", ""), ("POST", "/trials/cancel", "")),
        case(("/drills", "target=web1&how=kill&confirm=web"), ("POST", "/drills", order)),
        case(
            ("/drills", "target=db2&how=kill&confirm=web"),
            ("POST", "/drills", r#"{"target":"db2","how":"kill","confirm":"web"}"#),
        ),
        case(("/drills/cancel", ""), ("POST", "/drills/cancel", "")),
    ]
}

/// A state file with an account, a session and a token, made once: passwords take a while to hash.
struct Mould {
    folder: fixture::Folder,
    cookie: String,
}

impl Mould {
    fn new() -> Self {
        let (app, _asks, folder) = fixture::app();
        app.store.create_first_account("ana", "long enough").unwrap();
        let session = app.store.sign_in(&Account("ana".to_owned()), &Device::default()).unwrap().0;
        app.store.confirm(&SignIn(session.clone()), &Proof::parse(SECRET).unwrap()).unwrap();
        let order = {
            let [target, how, confirm] = ["haproxy-web", "kill", "web"].map(str::to_owned);
            RawOrder { target, how, confirm, ..RawOrder::usual() }.parse().unwrap()
        };
        app.store.begin_drill("ana", order, Target::Process(ProcessName::Proxy(PoolId::Web))).unwrap();
        let cookie = format!("{}={session}", cookie_name(&app));
        Self { folder, cookie }
    }

    /// Makes a cluster from it, with that obstacle in the way.
    fn cast(&self, obstacle: Obstacle) -> Cast {
        let folder = fixture::Folder::in_memory();
        for entry in std::fs::read_dir(&self.folder.0).unwrap().flatten() {
            std::fs::copy(entry.path(), folder.0.join(entry.file_name())).unwrap();
        }
        let (mut app, asks, folder) = fixture::app_in(folder);
        app.store.give_key(Vault::load(&folder.0.join("login.key")).unwrap());
        app.board.set_snapshot(picture(obstacle));
        let (trials, trial_asks) = TrialJobs::new();
        let (drills, drill_asks) = DrillJobs::new();
        (app.jobs, app.drills) = (trials, drills);
        // Without receivers, questions are dropped: the component that would answer is gone.
        if obstacle != Obstacle::Stopping {
            let running = obstacle == Obstacle::Drill;
            tokio::spawn(engine(asks, obstacle != Obstacle::Unready));
            tokio::spawn(clerk(trial_asks, running));
            tokio::spawn(clerk(drill_asks, running));
        }
        match obstacle {
            Obstacle::Drill => {
                let drill = app.store.drills().unwrap().remove(0);
                app.drills.show(Some(DrillUnderWay { drill, phase: Phase::Before, ms: 5 }));
            }
            Obstacle::Stopped => {
                let (pool, name) = (PoolId::Db, ServerName::parse("db2").unwrap());
                let off = change::Request::SetPower { pool, name, power: Power::Off, force: true };
                app.store.commit(&off, "ana").unwrap();
            }
            Obstacle::Broken => app.store.read_only(true),
            _ => {}
        }
        Cast { app, _folder: folder }
    }
}

/// The snapshot that goes with the obstacle.
fn picture(obstacle: Obstacle) -> cordee_domain::snapshot::Snapshot {
    let mut picture = view::fixture::snapshot();
    match obstacle {
        Obstacle::Last => picture.servers[1].status = Status::bare(Severity::Critical, State::Down),
        Obstacle::Sequences => picture.sequences = Some(text!("db-broken")),
        _ => {}
    }
    picture
}

struct Cast {
    app: App,
    _folder: fixture::Folder,
}

/// Plays the engine.
async fn engine(mut asks: mpsc::Receiver<Ask>, ready: bool) {
    let plan = |at| JoinPlan {
        donor: ServerName::parse("db2").unwrap(),
        from_writer: false,
        bytes: 7,
        tables: OddTables::default(),
        freight: Freight::default(),
        slot: 3,
        id: 5,
        at,
    };
    let unready = || vec![Problem::conflict("name", text!("problem-join-donor"))];
    while let Some(ask) = asks.recv().await {
        match ask {
            Ask::Compare { reply, .. } | Ask::Repair { reply, .. } => drop(reply.send(true)),
            Ask::Join(reply) => drop(reply.send(if ready { Ok(plan(None)) } else { Err(unready()) })),
            Ask::Invite { reply, .. } => {
                let at = Some(std::net::IpAddr::from([127, 0, 0, 1]));
                drop(reply.send(if ready { Ok(plan(at)) } else { Err(unready()) }));
            }
            Ask::Clean { reply, .. } => {
                drop(reply.send(Some(Cleaning { items: Vec::new(), foreign: Vec::new() })));
            }
            _ => {}
        }
    }
}

/// Plays the component that runs the jobs of a queue.
async fn clerk<O>(mut asks: mpsc::Receiver<JobRequest<O>>, running: bool) {
    let busy = || Problem::conflict("", text!("problem-drill-running"));
    while let Some(ask) = asks.recv().await {
        match ask {
            JobRequest::Begin { reply, .. } => drop(reply.send(if running { Err(busy()) } else { Ok(1) })),
            JobRequest::Cancel { reply, .. } => drop(reply.send(running)),
        }
    }
}

/// What an interface answered.
#[derive(Debug)]
struct Said {
    status: StatusCode,
    body: String,
    /// The sentences of a refusal, when it is one for programs.
    why: Vec<String>,
    fields: Vec<String>,
    revision: u64,
}

impl Cast {
    async fn send(self, request: Request<Body>) -> Said {
        let answer = router(self.app.clone()).oneshot(request).await.unwrap();
        let status = answer.status();
        let bytes = answer.into_body().collect().await.unwrap().to_bytes();
        let body = String::from_utf8_lossy(&bytes).into_owned();
        let errors: Vec<Value> = serde_json::from_str::<Value>(&body)
            .ok()
            .and_then(|value| Some(value.get("errors")?.as_array()?.clone()))
            .unwrap_or_default();
        let of = |field: &str| errors.iter().map(|e| e[field].as_str().unwrap().to_owned()).collect();
        let revision = self.app.board.desired().revision;
        Said { status, why: of("detail"), fields: of("field"), body, revision }
    }

    /// Sends the act through the page, with its script or without.
    async fn page(self, case: &Case, cookie: &str, script: bool) -> Said {
        let (to, form) = &case.page;
        let form = if form.contains("{word}") {
            form.replace("{word}", &self.examined().await)
        } else {
            form.clone()
        };
        let request = Request::post(to)
            .header(header::HOST, "x")
            .header(header::COOKIE, format!("{cookie}; cordee_lang=en"))
            .header(header::ACCEPT, if script { "application/json" } else { "text/html" })
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(format!("{form}&proof={SECRET}").into());
        self.send(request.unwrap()).await
    }

    /// Sends the act through the API, as a program does or as the command line does over the machine's socket.
    async fn api(self, case: &Case, token: Option<&str>) -> Said {
        let (method, to, body) = &case.api;
        let request = Request::builder()
            .method(*method)
            .uri(to)
            .header(header::HOST, "x")
            .header(header::ACCEPT_LANGUAGE, "en")
            .header(header::CONTENT_TYPE, "application/json");
        let request = token
            .into_iter()
            .fold(request, |request, token| request.header(header::AUTHORIZATION, format!("Bearer {token}")));
        let mut request = request.body(Body::from(*body)).unwrap();
        if token.is_none() {
            request.extensions_mut().insert(Local);
        }
        self.send(request).await
    }

    /// Returns the token of a database that was examined before anything was in the way.
    async fn examined(&self) -> String {
        let (drop_asks, other) = {
            let (app, asks, folder) = fixture::app();
            tokio::spawn(engine(asks, true));
            (folder, app)
        };
        let raw = change::RawServer {
            name: "db3".to_owned(),
            address: Some("127.0.0.1".to_owned()),
            port: Some("13399".to_owned()),
            ..change::RawServer::default()
        };
        let login = Login { user: Some("ana".to_owned()), password: Some("a rope".to_owned()) };
        let found = other.control().examine(&raw, login).await.unwrap();
        drop(drop_asks);
        self.app.guests.keep(found.invited).unwrap()
    }
}

fn accepted(status: StatusCode) -> bool {
    status.is_success() || status == StatusCode::SEE_OTHER
}

/// Returns a sentence as it appears in the markup of a page.
fn plain(sentence: &str) -> String {
    sentence.replace('\'', "&#39;")
}

/// Returns which of a case's answers are not the same.
async fn differences(mould: &Mould, token: &str, obstacle: Obstacle, case: &Case) -> Option<String> {
    let api = mould.cast(obstacle).api(case, Some(token)).await;
    let line = mould.cast(obstacle).api(case, None).await;
    let script = mould.cast(obstacle).page(case, &mould.cookie, true).await;
    let bare = mould.cast(obstacle).page(case, &mould.cookie, false).await;
    // A form is shown again with the problems at its fields.
    let of_form = |said: &Said| {
        let form = said.why.is_empty() && said.status == StatusCode::UNPROCESSABLE_ENTITY;
        form && api.fields.iter().any(|f| !f.is_empty())
    };
    let same = |said: &Said| said.status == api.status || accepted(said.status) && accepted(api.status);
    // In place of its form, the page of the drills shows the drill that is under way.
    let shown = obstacle == Obstacle::Drill && case.page.0 == "/drills";
    let said = |said: &Said| {
        shown && said.why.is_empty()
            || said.why == api.why
            || said.why.is_empty() && api.why.iter().all(|w| said.body.contains(&plain(w)))
    };
    let alike = same(&line)
        && (same(&script) || of_form(&script))
        && (same(&bare) || of_form(&bare))
        && said(&line)
        && (accepted(api.status) || said(&script) && said(&bare))
        && [&line, &script, &bare].iter().all(|said| said.revision == api.revision);
    let brief = |said: &Said| format!("{} {:?} at {}", said.status.as_u16(), said.why, said.revision);
    let told = || {
        let [api, line, script, bare] = [&api, &line, &script, &bare].map(brief);
        format!(
            "{obstacle:?}, {}:\n  api {api}\n  line {line}\n  script {script}\n  page {bare}",
            case.page.0
        )
    };
    (!alike).then(told)
}

/// A token in the state file from which all casts are made.
fn token_of(mould: &Mould) -> String {
    let store = crate::store::Store::open(&mould.folder.0.join(STATE), || None).unwrap();
    store.create_token(&TokenName("ci".to_owned()), None).unwrap().unwrap()
}

const STATE: &str = "state.sqlite";

#[tokio::test]
async fn page_api_and_command_line_answer_alike_whatever_is_in_the_way() {
    let mould = Mould::new();
    let token = token_of(&mould);
    assert!(Path::new(&mould.folder.0).join(STATE).exists());
    let mut wrong = Vec::new();
    for case in of_servers(true).into_iter().chain(others()) {
        // A database that was examined before is not asked again; the API asks and adds at once.
        let examined = case.page.1.contains("{word}");
        let on_server = case.page.1.contains("confirm");
        let asked = |o: &Obstacle| match o {
            Obstacle::Unready => !examined && !on_server,
            Obstacle::Stopping => !examined,
            Obstacle::Sequences => !on_server,
            _ => true,
        };
        for obstacle in Obstacle::ALL.into_iter().filter(asked) {
            wrong.extend(differences(&mould, &token, obstacle, &case).await);
        }
    }
    assert!(wrong.is_empty(), "{} differ\n{}", wrong.len(), wrong.join("\n"));
}

#[tokio::test]
async fn what_takes_a_yes_is_done_at_no_door_without_it() {
    let mould = Mould::new();
    let token = token_of(&mould);
    let mut asked = 0;
    for case in of_servers(false) {
        let api = mould.cast(Obstacle::Last).api(&case, Some(&token)).await;
        let page = mould.cast(Obstacle::Last).page(&case, &mould.cookie, true).await;
        if api.fields == ["force"] {
            assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{}: {page:?}", case.page.0);
            assert_eq!((api.revision, page.revision), (1, 1), "nothing is done");
            asked += 1;
        }
    }
    // web1: drain, maintenance, stop, restart, remove; db2: remove, recopy.
    assert!(asked >= 7, "{asked}");
}
