//! The command line against a served API, over a real unix socket.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::time::Duration;

use cordee_domain::decision::{Basis, Decision};
use cordee_domain::desired::{Admin, Power, Routing, Run, Saved};
use cordee_domain::ids::ServerName;
use cordee_domain::started::Started;
use cordee_domain::state::Severity;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::http::Door;
use super::{AT_RISK, DOWN, Failure, NOT_KNOWN, Said, answer, code, complaint, severity, show};
use crate::cli::{self, Cli, Command, Options};
use crate::listen;
use crate::web::{App, fixture, programs};
use crate::words::Lang;

fn read(words: &str) -> (Cli, Options) {
    cli::read_from(std::iter::once("cordee").chain(words.split(' '))).unwrap()
}

struct Rig {
    app: App,
    socket: PathBuf,
    stop: watch::Sender<bool>,
    server: JoinHandle<std::io::Result<()>>,
    _folder: fixture::Folder,
}

impl Rig {
    async fn new() -> Self {
        Self::behind(|router| router).await
    }

    /// Puts another layer in front of the router.
    async fn behind(front: impl FnOnce(axum::Router) -> axum::Router) -> Self {
        let (app, _, folder) = fixture::app();
        let socket = folder.0.join("cordee.sock");
        let (stop, stopped) = watch::channel(false);
        let (router, path) = (front(programs(&app).with_state(app.clone())), socket.clone());
        let server = tokio::spawn(async move { listen::unix(&path, router, stopped).await });
        while !socket.exists() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Self { app, socket, stop, server, _folder: folder }
    }

    async fn run(&self, words: &str) -> Result<Said, Failure> {
        let Command::Client(command) = read(words).0.command else { panic!("{words}") };
        answer(command, &Door::at(&self.socket, Lang::En)).await
    }

    /// Stands in for the engine: publishes a snapshot of the newest wish.
    fn picture(&self) {
        self.app.board.set_snapshot(fixture::snapshot(&self.app.board.desired()));
    }

    async fn says(&self, words: &str) -> String {
        self.run(words).await.ok().unwrap().text
    }

    async fn refuses(&self, words: &str) -> (String, u8) {
        let options = read(words).1;
        let failure = self.run(words).await.err().unwrap();
        let (sentences, code) = complaint(failure, |field| options.called(field), Lang::En);
        (sentences.join("\n"), code)
    }
}

#[tokio::test]
async fn commands_reach_the_cluster() {
    let rig = Rig::new().await;
    let status = rig.says("status").await;
    assert!(
        status.contains("web1") && status.contains("db (writer)") && status.contains("haproxy-web"),
        "{status}"
    );
    assert!(rig.says("status --json").await.contains("\"revision\": 1"));
    rig.says("drain web2").await;
    assert_eq!(rig.app.board.desired().web.servers[1].as_web().unwrap().admin, Admin::Drain);
    rig.says("restart db2").await;
    let restarted = Run::Process { power: Power::On, generation: 1 };
    assert_eq!(rig.app.board.desired().db.servers[1].runtime, restarted);
    assert!(rig.says("add web web3 --address 10.0.0.5 --cookie S3").await.contains("10.0.0.5:80"));
    rig.says("remove web web3").await;
    rig.says("reload web").await;
    let desired = rig.app.board.desired();
    assert!(desired.web.servers[2].leaving(), "the engine says when it is gone");
    let history = rig.says("history").await;
    assert!(history.lines().all(|l| l.contains(" cli ")) && history.lines().count() == 5, "{history}");
}

#[tokio::test]
async fn a_copy_that_is_under_way_goes_on_whatever_is_asked_again() {
    let rig = Rig::new().await;
    rig.says("recopy db2 --force").await;
    rig.picture();
    let wish = rig.app.board.desired();
    for (words, said) in [
        ("recopy db2 --force", "is being copied again already"),
        ("restart db2 --force", "is on its way in"),
        ("stop db2 --force", "is on its way in"),
    ] {
        let (text, code) = rig.refuses(words).await;
        assert!(text.contains(said) && code == 1, "{words}: {text}");
    }
    assert_eq!(rig.app.board.desired(), wish);
}

#[test]
fn a_picture_of_another_version_still_has_an_exit_code() {
    for (verdict, expected) in [
        (serde_json::json!({"light": "good", "new": {}}), 0),
        (serde_json::json!({"light": "critical"}), DOWN),
        (serde_json::json!({"light": "warning"}), AT_RISK),
        (serde_json::json!({"light": "indigo"}), NOT_KNOWN),
        (serde_json::json!(null), NOT_KNOWN),
    ] {
        let answer = serde_json::json!({ "verdict": verdict, "servers": "otherwise" });
        assert_eq!(code(severity(&answer)), expected, "{answer}");
    }
    assert_eq!(code(severity(&serde_json::json!([]))), NOT_KNOWN);
}

#[tokio::test]
async fn who_writes_is_said_and_changed() {
    let rig = Rig::new().await;
    assert!(!rig.says("status").await.contains("All databases take writes"));
    assert!(rig.says("routing db all-writers").await.contains("All databases take writes"));
    assert_eq!(rig.app.board.desired().routing, Routing::AllWriters);
    rig.picture();
    let status = rig.says("status").await;
    assert!(status.contains("All databases take writes") && status.contains("db (also writes)"), "{status}");
    rig.says("routing db one-writer").await;
    rig.says("promote db2").await;
    let handover = rig.app.board.desired().handover.clone().unwrap();
    assert_eq!((handover.to.as_str(), handover.accept_loss), ("db2", false));
}

#[tokio::test]
async fn a_loss_is_accepted_and_who_stays_out_is_said() {
    let rig = Rig::new().await;
    rig.says("promote db db2 --accept-loss").await;
    assert!(rig.app.board.desired().handover.as_ref().unwrap().accept_loss);
    let name = |name| ServerName::parse(name).unwrap();
    let wish = rig.app.board.desired();
    let (asked, id) =
        (wish.handover.as_ref().map(|h| h.at), |server| wish.db.server(&name(server)).unwrap().id);
    let elect = Decision::Elect { to: name("db2"), id: id("db2"), epoch: 2, limit: Some(7), asked };
    rig.app.store.decide(&elect).unwrap();
    rig.picture();
    let status = rig.says("status").await;
    assert!(status.contains("db (returning)") && status.contains("db (writer)"), "{status}");
    let saved = Saved { count: 1, file: "lost/db1-epoch-2.sql".to_owned() };
    let of = Basis { name: name("db1"), id: id("db1"), epoch: 2 };
    rig.app.store.decide(&Decision::Saved { of: of.clone(), saved }).unwrap();
    rig.app.store.decide(&Decision::Expel { of, lacks: 0 }).unwrap();
    rig.picture();
    assert!(rig.says("status").await.contains("db (diverged)"));
}

#[tokio::test]
async fn an_earlier_cordee_is_asked_for_its_verdict_only() {
    let absent = || async { (axum::http::StatusCode::NOT_FOUND, axum::Json(serde_json::json!({}))) };
    let earlier = |router| {
        axum::Router::new().route("/local/start", axum::routing::get(absent)).fallback_service(router)
    };
    let rig = Rig::behind(earlier).await;
    let mut seen = fixture::snapshot(&rig.app.board.desired());
    for (severity, started) in [(Severity::Progress, Started::Waits), (Severity::Good, Started::Well)] {
        seen.verdict.severity = severity;
        rig.app.board.set_snapshot(seen.clone());
        assert_eq!(super::start(&rig.socket, Lang::En).await.map(|s| s.started), Some(started));
    }
}

#[tokio::test]
async fn the_owner_gets_codes_tokens_and_accounts() {
    let rig = Rig::new().await;
    std::fs::write(&*rig.app.setup_code, "ABCD-1234").unwrap();
    assert_eq!(rig.says("setup-code").await, "ABCD-1234\n");
    let token = rig.says("token create --name backup").await;
    assert!(rig.app.store.token(token.trim()).unwrap().is_some());
    assert!(rig.says("dsn --json --account owner").await.contains("owner-secret"));
    assert!(rig.says("dsn --server db1").await.contains("13311"));
}

#[tokio::test]
async fn refusals_name_their_field_where_the_command_has_it() {
    let rig = Rig::new().await;
    for (words, field) in [
        ("add web a;b --address 10.0.0.5", "name: "),
        ("add web $(id) --address 10.0.0.5", "name: "),
        ("add web web3 --address <script>", "--address: "),
        ("add web web3 --address 10.0.0.5 --port 70000", "--port: "),
        ("add web web3 --address 10.0.0.5 --cookie a\nb", "--cookie: "),
        ("add web web1 --start", "name: "),
        ("add web web3 --address 127.0.0.1 --port 18080", "--address: "),
        ("add mail web3 --start", "pool: "),
        ("drain web9", "No server is called web9"),
        ("promote db1", "db1 is the writer"),
        ("promote db9", "No server is called db9"),
        ("promote web1", "web1 is a web server"),
        ("verify web1", "web1 is a web server"),
        ("repair web1 --take writer", "web1 is a web server"),
        ("recopy web1", "web1 is a web server"),
        ("withdraw db1", "db1 is a database"),
        ("requests db1", "db1 is a database"),
        ("requests web9", "No server is called web9"),
        ("verify web9", "No server is called web9"),
        ("routing db both", "routing: "),
        ("routing web all-writers", "pool: "),
        ("routing ../x all-writers", "pool: "),
        ("drain ../snapshot", "A letter first"),
        ("drain mail web1", "There is no such pool"),
        ("reload mail", "proxy: "),
        ("logs web1 --lines 0", "--lines: "),
        ("history --limit x", "--limit: "),
    ] {
        let (text, code) = rig.refuses(words).await;
        assert!(text.starts_with(field) && code == 1, "{words}: {text}");
    }
    assert_eq!(*rig.app.board.desired(), fixture::desired());
}

#[tokio::test]
async fn what_is_no_server_is_told_apart_from_one_that_is_not_there() {
    let rig = Rig::new().await;
    for (words, said) in [
        ("drain web", "\u{201c}web\u{201d} is a pool"),
        ("logs db", "such as db1"),
        ("drain web1 web2", "One server at a time"),
        ("test WEB1 db1", "One server at a time"),
    ] {
        let (text, code) = rig.refuses(words).await;
        assert!(text.contains(said) && code == 2, "{words}: {text}");
    }
    for words in ["add db w7", "add web w7"] {
        let (text, code) = rig.refuses(words).await;
        assert!(text.starts_with("--address: ") && code == 1, "{words}: {text}");
        assert!(text.ends_with(&format!("cordee {words} --start")), "{words}: {text}");
    }
    assert_eq!(*rig.app.board.desired(), fixture::desired());
}

#[tokio::test]
async fn too_large_a_body_is_refused_in_words_over_a_real_connection() {
    let rig = Rig::new().await;
    let body = serde_json::json!({ "name": "a".repeat(3_000_000), "start": true });
    let door = Door::at(&rig.socket, Lang::En);
    let failure = door.post("/api/v1/pools/web/servers", Some(&body)).await.unwrap_err();
    let (sentences, code) = complaint(failure, |_| None, Lang::En);
    assert_eq!((sentences[0].as_str(), code), ("The body is larger than 2048 KiB.", 1));
    assert_eq!(*rig.app.board.desired(), fixture::desired());
}

#[tokio::test]
async fn nobody_there_is_code_3_and_says_how_to_start() {
    let rig = Rig::new().await;
    rig.stop.send_replace(true);
    let Rig { server, socket, .. } = &rig;
    while !server.is_finished() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(!socket.exists());
    let (text, code) = rig.refuses("status").await;
    assert!(text.contains("./up") && code == 3, "{text}");
}

#[tokio::test]
async fn the_socket_is_the_owner_s_and_one_cordee_s() {
    let rig = Rig::new().await;
    assert_eq!(std::fs::metadata(&rig.socket).unwrap().permissions().mode() & 0o777, 0o600);
    let router = programs(&rig.app).with_state(rig.app.clone());
    let second = listen::unix(&rig.socket, router.clone(), rig.stop.subscribe()).await;
    assert_eq!(second.unwrap_err().kind(), std::io::ErrorKind::AddrInUse);
    // A socket that a killed Cordée left behind is replaced.
    let left = rig.socket.with_extension("left");
    drop(std::os::unix::net::UnixListener::bind(&left).unwrap());
    rig.stop.send_replace(true);
    listen::unix(&left, router, rig.stop.subscribe()).await.unwrap();
}

#[test]
fn what_comes_from_outside_cannot_steer_a_terminal() {
    assert_eq!(crate::complain::plain("a\u{1b}[31mb\r\n\tc\u{202e}d"), "a\u{fffd}[31mb\u{fffd}\u{fffd} cd");
}

#[test]
fn what_is_not_known_is_not_well_and_only_what_fails_is_down() {
    use cordee_domain::state::Severity::{Critical, Good, Maintenance, Progress, Unknown, Warning};
    let codes = [Good, Warning, Progress, Maintenance, Unknown, Critical].map(super::code);
    assert_eq!(codes, [0, 5, 5, 5, 7, 6]);
}

/// The remedy has the page's words; on a terminal it is shown as a command.
#[test]
fn what_puts_a_cause_right_is_told_as_a_command() {
    use cordee_api::view::{CauseJson, RemedyJson, StatusJson};
    use cordee_domain::state::Severity;

    for (about, action, server, told) in [
        ("servers", "ready", Some("web2"), " (cordee ready web2)"),
        ("servers", "promote", Some("db2"), " (cordee promote db2)"),
        ("servers", "page", Some("db2"), " (on the page)"),
        ("haproxy-web", "reload", None, " (cordee reload web)"),
        ("haproxy-db", "config", None, " (cordee config db)"),
        ("cordee", "journal", None, " (cordee history)"),
        ("servers", "hand", Some("web2"), ""),
        ("servers", "wait", None, ""),
    ] {
        let remedy = RemedyJson {
            action: action.to_owned(),
            server: server.map(str::to_owned),
            says: "Do it".to_owned(),
        };
        let cause = CauseJson {
            about: about.to_owned(),
            servers: Vec::new(),
            status: StatusJson { severity: Severity::Warning, word: "Down".to_owned(), reason: None },
            by: None,
            at: None,
            explains: Vec::new(),
            remedies: vec![remedy],
        };
        let text = show::causes(&[cause], Lang::En);
        assert!(text.ends_with(&format!("→ Do it{told}\n")), "{action}: {text}");
    }
}
