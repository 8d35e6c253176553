//! Snapshots of a cluster without any problem, for the tests of the page.

use cordee_domain::actions::Action;
use cordee_domain::sessions::Mode;
use cordee_node::clock::now;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use cordee_domain::desired::{Membership, Power, Routing, Runtime};
use cordee_domain::ids::{PoolId, ServerName};
use cordee_domain::snapshot::{ChannelView, LastCheck, ProxyView, Role, ServerView, Snapshot};
use cordee_domain::state::{Remark, Severity, State, Status};
use cordee_domain::text;
use tokio::sync::mpsc;

use crate::board::{Ask, Board};
use crate::store::Store;
use crate::web::{App, fixture};

/// Parses a name.
pub(crate) fn name(text: &str) -> ServerName {
    ServerName::parse(text).expect("a name")
}

/// A web server that is up.
pub(crate) fn web(called: &str) -> ServerView {
    ServerView {
        pool: PoolId::Web,
        name: name(called),
        address: "127.0.0.1".to_owned(),
        port: 9001,
        cookie: Some("S1".to_owned()),
        cookie_chosen: true,
        role: None,
        runtime: Runtime::Process,
        power: Power::On,
        status: Status::new(
            Severity::Good,
            State::Up,
            text!("reason-answered", status = 200_u16, ms = 2_u64),
        ),
        sessions: 1,
        total: 7,
        last_check: LastCheck {
            at: Some(now()),
            result: Some(text!("reason-answered", status = 200_u16, ms = 2_u64)),
            duration_ms: Some(2),
        },
        pid: Some(42),
        version: Some("Apache · PHP 8.2".to_owned()),
        channels: BTreeMap::new(),
        membership: None,
        semi_sync: None,
        progress: None,
        in_proxy: None,
        outdated: false,
        waits: None,
        leave: None,
        wanted: true,
        asked: None,
        attached: None,
        comparison: None,
        actions: vec![
            Action::Logs,
            Action::Test,
            Action::Drain,
            Action::Maintenance,
            Action::Restart,
            Action::Stop,
            Action::Remove,
        ],
    }
}

/// A database in sync.
pub(crate) fn database(called: &str, role: Role, peer: &str) -> ServerView {
    let channel = ChannelView { severity: Severity::Good, delay_ms: Some(3), error: 0 };
    ServerView {
        pool: PoolId::Db,
        role: Some(role),
        cookie: None,
        status: Status::new(Severity::Good, State::InSync, text!("reason-delay", ms = 3_u64)),
        version: Some("MariaDB 10.11.14".to_owned()),
        channels: BTreeMap::from([(name(peer), channel)]),
        membership: Some(Membership::Member),
        actions: match role {
            Role::Writer => vec![Action::Logs, Action::Test],
            Role::Standby => {
                vec![
                    Action::Logs,
                    Action::Test,
                    Action::Promote,
                    Action::Verify,
                    Action::Restart,
                    Action::Stop,
                    Action::Remove,
                ]
            }
        },
        ..web(called)
    }
}

/// A cluster without any problem.
pub(crate) fn snapshot() -> Snapshot {
    let proxy = |pool: PoolId| ProxyView {
        name: pool,
        listen: "127.0.0.1:8080".to_owned(),
        status: Status::new(Severity::Good, State::Up, text!("reason-version", version = "2.6.12")),
        rate: 12,
        sessions: 3,
        requests: 0,
        unsent: 0,
        pid: Some(1),
        worker_pid: Some(2),
        version: Some("2.6.12".to_owned()),
        seen_at: Some(now()),
        settled: true,
    };
    Snapshot {
        revision: 1,
        at: now(),
        verdict: Remark::new(
            Severity::Good,
            text!("verdict-good"),
            text!("verdict-count", web = 2_u8, webs = 2_u8, db = 2_u8, dbs = 2_u8),
        ),
        causes: Vec::new(),
        routing: Routing::OneWriter,
        session: Mode::Proxy,
        epoch: 1,
        handover: None,
        gap: None,
        sequences: None,
        unique: None,
        proxies: PoolId::ALL.map(proxy).into(),
        servers: vec![
            web("web1"),
            web("web2"),
            database("db1", Role::Writer, "db2"),
            database("db2", Role::Standby, "db1"),
        ],
    }
}

/// An `App` in a folder of its own, and the receiving end of the engine's questions.
pub(crate) fn app(snapshot: Snapshot) -> (App, mpsc::Receiver<Ask>) {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let folder: PathBuf =
        PathBuf::from(env!("OUT_DIR")).join(format!("cordee-page-{}-{number}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a folder");
    let store =
        Arc::new(Store::open(&folder.join("state.db"), || Some(fixture::desired())).expect("a store"));
    let (board, asks) = Board::new(fixture::desired(), snapshot);
    store.attach(board.clone());
    let setup_code = folder.join("setup-code");
    std::fs::write(&setup_code, "KRAB-7Q2M\n").expect("a code");
    let app = App {
        store,
        board,
        jobs: crate::jobs::JobQueue::new().0,
        drills: crate::jobs::JobQueue::new().0,
        recent_requests: crate::recent_requests::RecentRequests::new(false),
        guests: std::sync::Arc::default(),
        cluster: "test".into(),
        setup_code: Arc::new(setup_code),
        limiter: Arc::default(),
        dsn: Arc::new(fixture::book()),
    };
    (app, asks)
}
