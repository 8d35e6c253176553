//! A cluster that exists only in a test: two web servers, two databases, and an [`App`] over a temporary store.

use cordee_domain::haproxy::setting::Setting;
use cordee_domain::scene::Scene;
use cordee_domain::sessions::Mode;
use cordee_node::clock::now;
use cordee_node::random;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cordee_domain::desired::{
    CookieChoice, DatabaseFacts, Desired, Kind, Membership, Pool, Routing, Run, Server, WebFacts,
};
use cordee_domain::haproxy::config::{self};
use cordee_domain::haproxy::drift::{self, FileView};
use cordee_domain::ids::{Host, PoolId, ServerName};
use cordee_domain::observed::{Observed, ProxySeen};
use cordee_domain::snapshot::Snapshot;
use tokio::sync::mpsc;

use super::App;
use super::local::{Credential, DsnBook};
use crate::board::{Ask, Board};
use crate::store::Store;

/// A wish: web1, web2, db1, db2, all on this machine.
pub fn desired() -> Desired {
    let local = |port| SocketAddr::from(([127, 0, 0, 1], port));
    let pool = |listen, servers| Pool { listen: local(listen), generation: 0, servers };
    Desired {
        revision: 1,
        page: local(18600),
        names: Vec::new(),
        web: pool(18080, vec![server(1, "web1", 18081), server(2, "web2", 18082)]),
        db: pool(13307, vec![server(3, "db1", 13311), server(4, "db2", 13312)]),
        writer_listen: local(13308),
        writer: ServerName::parse("db1").ok(),
        epoch: 1,
        routing: Routing::OneWriter,
        session: Mode::Proxy,
        handover: None,
        next_id: 5,
        ports: (18100, 18199),
        visitors: cordee_domain::visitors::Keeping::default(),
        doubts: std::collections::BTreeMap::new(),
        asked: std::collections::BTreeMap::new(),
    }
}

fn server(id: u32, name: &str, port: u16) -> Server {
    Server {
        id,
        name: ServerName::parse(name).unwrap(),
        host: Host::parse("127.0.0.1").unwrap(),
        port,
        kind: if name.starts_with("db") {
            Kind::Database(DatabaseFacts { slot: 1, membership: Membership::Member })
        } else {
            Kind::Web(WebFacts::ready(CookieChoice::Automatic))
        },
        runtime: Run::STARTED,
    }
}

/// Where its HAProxy instances are reached, and the secret of their cookies.
pub fn setting() -> Setting {
    Setting {
        web_socket: PathBuf::from("/run/web.sock"),
        db_socket: PathBuf::from("/run/db.sock"),
        session_map: PathBuf::from("/conf/session.map"),
        cookie_key: "cafe0123".to_owned(),
        log_key: "beef4567".to_owned(),
    }
}

/// Its snapshot before anything was looked at.
pub fn snapshot(desired: &Desired) -> Snapshot {
    cordee_domain::snapshot::snapshot(Scene::new(desired, &Observed::default(), now()), &setting())
}

/// The file of an HAProxy instance, which somebody has just changed by hand.
pub fn file(proxy: PoolId) -> FileView {
    let (desired, setting) = (desired(), setting());
    let mut observed = Observed::default();
    let places = cordee_domain::plan::places(Scene::new(&desired, &observed, now()), proxy);
    let text = config::render(&desired, proxy, &setting, &places).text.clone();
    let by_hand = text.replace("timeout queue 5s", "timeout queue <b>9s</b>\n    stats auth root:hunter2");
    observed.proxies.insert(proxy, ProxySeen { file: Some(by_hand.clone()), ..ProxySeen::default() });
    let kept = (1_795_761_474_931, format!("trash/{proxy}.cfg-by-hand-1795761474931"), by_hand);
    drift::view(Scene::new(&desired, &observed, now()), &setting, proxy, Some(kept))
}

/// A folder that is removed with the test.
#[derive(Debug)]
pub struct Folder(pub PathBuf);

impl Folder {
    /// A new folder.
    pub fn new() -> Self {
        Self::below(&std::env::temp_dir())
    }

    /// A folder in memory, where the machine has one: for tests that make a thousand folders, and would wait for
    /// the disk.
    pub fn in_memory() -> Self {
        let memory = PathBuf::from("/dev/shm");
        if memory.is_dir() { Self::below(&memory) } else { Self::new() }
    }

    fn below(path: &Path) -> Self {
        let path = path.join(format!("cordee-{}", random::token(8).unwrap()));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Returns an [`App`] over that cluster, the receiving end of its questions, and its folder.
pub fn app() -> (App, mpsc::Receiver<Ask>, Folder) {
    app_in(Folder::new())
}

/// Returns the same in a folder, which may hold the state of an earlier app.
pub fn app_in(folder: Folder) -> (App, mpsc::Receiver<Ask>, Folder) {
    let store = Arc::new(Store::open(&folder.0.join("state.sqlite"), || Some(desired())).unwrap());
    let (board, asks) = Board::new(desired(), snapshot(&desired()));
    store.attach(board.clone());
    let app = App {
        store,
        board,
        jobs: crate::jobs::JobQueue::new().0,
        drills: crate::jobs::JobQueue::new().0,
        recent_requests: crate::recent_requests::RecentRequests::new(false),
        guests: std::sync::Arc::default(),
        cluster: Arc::from("test"),
        setup_code: Arc::new(folder.0.join("setup-code")),
        limiter: Arc::default(),
        dsn: Arc::new(book()),
    };
    (app, asks, folder)
}

/// How an application reaches its databases.
pub fn book() -> DsnBook {
    let account = |name: &str| Credential { user: name.to_owned(), password: format!("{name}-secret") };
    DsnBook {
        host: "127.0.0.1".to_owned(),
        port: 13307,
        writer: ("127.0.0.1".to_owned(), 13308),
        schema: "site".to_owned(),
        app: account("app"),
        owner: account("owner"),
        monitor: account("monitor"),
        servers: BTreeMap::from([("db1".to_owned(), ("127.0.0.1".to_owned(), 13311))]),
    }
}
