//! The page of a cluster with any number of web servers, for a real browser: the end-to-end tests and the
//! benchmark start this as a program (`e2e/src/stage.rs`). Router, listener, store and stream are the product's
//! own. The engine takes no part: what so many servers cost HAProxy and the engine is another question.

use std::io::BufRead as _;
use std::time::Duration;

use cordee_domain::actions::Action;
use cordee_domain::causes::{About, Cause, Remedy};
use cordee_domain::desired::Runtime;
use cordee_domain::diff;
use cordee_domain::ids::PoolId;
use cordee_domain::snapshot::{ServerView, Snapshot};
use cordee_domain::state::{Remark, Severity, State, Status};
use cordee_domain::text;
use cordee_domain::text::Arg;
use cordee_node::clock::now;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::time::interval;

use super::{PROOF, site_of};
use crate::listen;
use crate::web::router;
use crate::web::view::{fixture, window};

/// Pause between two snapshots, as with the engine.
const PACE: Duration = Duration::from_millis(250);
const PICTURES_A_SECOND: usize = 4;
/// One in this many of the servers that change changes its severity; the others change figures.
const TURNS: usize = 5;

/// With `CORDEE_STAGE` it serves until its standard input ends; without it, a small page is requested once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn serves_a_page_with_many_servers() {
    let count = std::env::var("CORDEE_STAGE").ok();
    let mut crowd = Crowd::new(count.as_deref().map_or(Ok(30), str::parse).expect("how many servers"));
    let site = site_of(crowd.picture.clone()).await;
    if count.is_none() {
        let page = site.get("/").await;
        assert_eq!(page.matches("data-row=\"far").count(), window::ROWS, "{page}");
        let (before, after) = (crowd.next(0), crowd.next(10));
        assert_eq!(diff::turns(&before, &after).len(), 2, "one in five of those that change");
        return;
    }
    let (_going, stop) = watch::channel(false);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let page = listener.local_addr().expect("an address");
    tokio::spawn(listen::tcp(listener, router(site.app.clone()), stop));
    site.app.board.set_snapshot(crowd.next(0));
    let (cookie, secret) = site.cookie.split_once('=').expect("a cookie");
    let open = serde_json::json!({ "page": page, "cookie": cookie, "secret": secret, "proof": PROOF });
    println!("stage {open}");

    let (mut wishes, mut beat, mut changes) = (wishes(), interval(PACE), 0);
    loop {
        tokio::select! {
            wish = wishes.recv() => match wish.as_deref() {
                None => return,
                Some("fall") => crowd.turn(Severity::Critical),
                Some("rise") => crowd.turn(Severity::Good),
                Some(count) => changes = count.parse().expect("how many change in a second"),
            },
            _ = beat.tick() => {
                let before = site.app.board.snapshot();
                let after = crowd.next(changes / PICTURES_A_SECOND);
                site.app.board.set_snapshot(after.clone());
                let store = site.app.store.clone();
                // As the engine does: a line for each severity that changed. Snapshots do not wait for the disk
                // here.
                let told = move || {
                    for turn in diff::turns(&before, &after) {
                        store.tell(&turn.subject, Some(turn.severity), &turn.text);
                    }
                };
                tokio::task::spawn_blocking(told);
            }
        }
    }
}

/// Returns what comes on the standard input, line by line.
fn wishes() -> mpsc::Receiver<String> {
    let (said, heard) = mpsc::channel(8);
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if said.blocking_send(line).is_err() {
                return;
            }
        }
    });
    heard
}

/// A cluster whose web servers change, all of them in turn.
struct Crowd {
    picture: Snapshot,
    /// The next server to change.
    at: usize,
}

impl Crowd {
    fn new(count: usize) -> Self {
        let mut picture = fixture::snapshot();
        picture.servers.retain(|server| server.pool == PoolId::Db);
        picture.servers.splice(0..0, (1..=count).map(far));
        Self { picture, at: 0 }
    }

    /// Makes a third of the servers fail at once, or come back.
    fn turn(&mut self, severity: Severity) {
        for server in self.picture.servers.iter_mut().filter(|s| s.pool == PoolId::Web).step_by(3) {
            set(server, severity);
        }
    }

    /// Returns the present snapshot, after so many servers changed.
    fn next(&mut self, changes: usize) -> Snapshot {
        let webs = self.picture.servers.iter().filter(|s| s.pool == PoolId::Web).count();
        for n in 0..changes.min(webs) {
            let server = &mut self.picture.servers[(self.at + n) % webs];
            server.sessions = (server.sessions + 1) % 40;
            server.total += 7;
            let ms = server.last_check.duration_ms.map_or(1, |ms| ms % 9 + 1);
            server.last_check.duration_ms = Some(ms);
            let severity = match server.status.severity {
                Severity::Good if n % TURNS == 0 => Severity::Critical,
                Severity::Critical => Severity::Good,
                severity => severity,
            };
            set(server, severity);
        }
        self.at = (self.at + changes) % webs;
        self.judge();
        self.picture.clone()
    }

    /// Updates what follows from the servers: ages, the verdict, and the remedies.
    fn judge(&mut self) {
        let now = now();
        let picture = &mut self.picture;
        picture.at = now;
        for proxy in &mut picture.proxies {
            proxy.seen_at = Some(now);
        }
        for server in &mut picture.servers {
            server.last_check.at = Some(now);
        }
        let all = picture.servers.iter().filter(|s| s.pool == PoolId::Web);
        let webs = all.clone().count();
        let down: Vec<&ServerView> = all.filter(|s| s.status.severity == Severity::Critical).collect();
        let web = webs - down.len();
        let Some(first) = down.first() else {
            let count = text!("verdict-count", web = web, webs = webs, db = 2_u8, dbs = 2_u8);
            picture.verdict = Remark::new(Severity::Good, text!("verdict-good"), count);
            picture.causes = Vec::new();
            return;
        };
        let names = Arg::servers(down.iter().take(3).map(|s| &s.name));
        let reason = text!(
            "verdict-risk-reason",
            names = text!("names-and-more", names = names, count = down.len().saturating_sub(3)),
            count = down.len(),
            web = web,
            webs = webs,
            db = 2_u8,
            dbs = 2_u8
        );
        let test =
            |s: &&ServerView| Remedy::Ask { pool: PoolId::Web, name: s.name.clone(), action: Action::Test };
        picture.causes = vec![Cause {
            about: About::Servers(PoolId::Web, down.iter().map(|s| s.name.clone()).collect()),
            status: first.status.remark(),
            asked: None,
            explains: Vec::new(),
            remedies: down.iter().map(test).collect(),
        }];
        picture.verdict = Remark::new(Severity::Warning, text!("verdict-risk"), reason);
    }
}

/// A server that somebody else runs, with figures of its own: identical figures would compress better than real
/// ones do.
fn far(number: usize) -> ServerView {
    let figure = (number as u64).wrapping_mul(2_654_435_761) >> 7;
    let mut server = ServerView {
        runtime: Runtime::External,
        port: 8_000 + u16::try_from(number % 7).expect("small"),
        sessions: figure % 40,
        total: figure % 100_000,
        address: format!("10.0.{}.{}", number / 250, number % 250 + 1),
        cookie: Some(format!("{:08x}", figure & 0xffff_ffff)),
        cookie_chosen: false,
        version: None,
        pid: None,
        actions: vec![Action::Logs, Action::Test, Action::Drain, Action::Maintenance, Action::Remove],
        ..fixture::web(&format!("far{number}"))
    };
    server.last_check.duration_ms = Some(figure % 9 + 1);
    set(&mut server, Severity::Good);
    server
}

fn set(server: &mut ServerView, severity: Severity) {
    let ms = server.last_check.duration_ms.unwrap_or(0);
    let (state, reason) = match severity {
        Severity::Good => (State::Up, text!("reason-answered", status = 200_u16, ms = ms)),
        _ => (State::Down, text!("reason-refused")),
    };
    server.last_check.result = Some(reason.clone());
    server.status = Status::new(severity, state, reason);
}
