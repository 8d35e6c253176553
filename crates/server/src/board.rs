//! The notice board: the newest wish, the newest snapshot, the events, and the questions to the engine.
//!
//! The page and the engine never call each other. They meet here, through values of which only the newest counts
//! (`watch`), so that a slow reader can never delay anybody.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use cordee_domain::attached::Attached;
use cordee_domain::db::detail::Detail;
use cordee_domain::db::freight::Freight;
use cordee_domain::db::verify::OddTables;
use cordee_domain::db::verify::Side;
use cordee_domain::desired::Desired;
use cordee_domain::haproxy::drift::FileView;
use cordee_domain::ids::{Host, Millis, PoolId, ServerName};
use cordee_domain::observed::HeldChannel;
use cordee_domain::problem::Problem;
use cordee_domain::snapshot::Snapshot;
use cordee_domain::state::Severity;
use cordee_domain::text::Text;
pub use cordee_node::attempt::TestReport;
pub use cordee_node::clean::{Cleaning, Leftover};
pub use cordee_node::logs::LogFile;
use cordee_node::vault::Login;
use serde::{Deserialize, Serialize};
use tokio::sync::{broadcast, mpsc, oneshot, watch};

/// One line of the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Grows by one with each event.
    pub id: u64,
    /// When it happened.
    pub at: Millis,
    /// Who did it: an account, `token:NAME`, `cli`, or `cordee` itself.
    pub actor: String,
    /// The server, `haproxy-web`, `haproxy-db`, or `cluster`.
    pub subject: String,
    /// Its severity, where the event has one.
    #[serde(rename = "light")]
    pub severity: Option<Severity>,
    /// The sentence.
    pub text: Text,
}

/// A question to the engine that changes no wish.
#[derive(Debug)]
pub enum Ask {
    /// Look at everything now; answered when every look is done.
    Refresh(oneshot::Sender<()>),
    /// Test the connection to a server, step by step.
    Test {
        /// Its pool.
        pool: PoolId,
        /// Its name.
        name: ServerName,
        /// Receives the report.
        reply: oneshot::Sender<TestReport>,
    },
    /// Whether a new database could be made on this machine, and how; nothing is done.
    Join(oneshot::Sender<Result<JoinPlan, Vec<Problem>>>),
    /// Whether a database that exists already could join, and how; nothing is done.
    Invite {
        /// The database.
        guest: Guest,
        /// Receives the plan, or every reason against it.
        reply: oneshot::Sender<Result<JoinPlan, Vec<Problem>>>,
    },
    /// Compare a database's rows with the writer's, soon.
    Compare {
        /// Its name.
        name: ServerName,
        /// Its id, as the caller saw it.
        id: u32,
        /// Answered when it is noted; `false` where another database has that name by now.
        reply: oneshot::Sender<bool>,
    },
    /// Repair the rows that differ between a database and the writer, soon.
    Repair {
        /// Its name.
        name: ServerName,
        /// Its id, as the caller saw it.
        id: u32,
        /// The side whose rows are right.
        side: Side,
        /// Answered when it is noted; `false` where another database has that name by now.
        reply: oneshot::Sender<bool>,
    },
    /// The file of an HAProxy instance: as wished, on disk, and as the process runs it.
    Config {
        /// The HAProxy instance.
        proxy: PoolId,
        /// Receives the comparison.
        reply: oneshot::Sender<Box<FileView>>,
    },
    /// What a database reports of itself, in detail.
    Detail {
        /// Its name.
        name: ServerName,
        /// Receives the details.
        reply: oneshot::Sender<Box<Detail>>,
    },
    /// Hold one channel stopped for a while, or release it with `None`.
    Hold {
        /// The channel, and until when.
        channel: Option<HeldChannel>,
        /// Answered when it is noted.
        reply: oneshot::Sender<()>,
    },
    /// The last lines of a server's logs.
    Logs {
        /// Its name.
        name: ServerName,
        /// How many lines of each file.
        lines: usize,
        /// Include the lines that our own checks caused.
        checks: bool,
        /// Receives the log files.
        reply: oneshot::Sender<Vec<LogFile>>,
    },
    /// Returns what "clean configuration" would remove; with `apply` it is removed.
    Clean {
        /// Remove what is found.
        apply: bool,
        /// Receives the list; `None` while another cleaning is under way.
        reply: oneshot::Sender<Option<Cleaning>>,
    },
}

/// A database that exists already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guest {
    /// Its host.
    pub host: Host,
    /// Its port.
    pub port: u16,
    /// The account with which Cordée would administer it.
    pub login: Login,
}

/// How a new database would get its data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JoinPlan {
    /// The database that would be copied.
    pub donor: ServerName,
    /// Whether the donor is the writer: then the copy slows the writer down.
    pub from_writer: bool,
    /// Bytes to copy.
    pub bytes: u64,
    /// The application's tables, with those that deserve a warning.
    pub tables: OddTables,
    /// What a copy through statements has to carry, for a database that exists already.
    pub freight: Freight,
    /// Its place in the auto-increment sequence.
    pub slot: u8,
    /// Its `server_id` and GTID domain, never used before.
    pub id: u32,
    /// The IP address that its host has now, for a database that exists already.
    pub at: Option<IpAddr>,
}

/// The board itself. Shared by `Arc`.
#[derive(Debug)]
pub struct Board {
    desired: watch::Sender<Arc<Desired>>,
    snapshot: watch::Sender<Arc<Snapshot>>,
    events: broadcast::Sender<Arc<Event>>,
    asks: mpsc::Sender<Ask>,
    /// The requests that Cordée itself sent to the site and that have not appeared in the log yet: their numbers
    /// and names.
    own: Mutex<VecDeque<(u64, String)>>,
    /// The log receiver hears what comes, and knows what it missed.
    heard: watch::Sender<bool>,
    /// How often somebody signed out.
    left: watch::Sender<u64>,
    /// How many visitors hold each web server's cookie.
    attached: Mutex<Option<Attached>>,
}

/// How many of Cordée's own requests are remembered. A request that never reached HAProxy never appears in the
/// log.
const OWN_KEPT: usize = 16;
/// The prefix of their names. The rest is used once, so that nobody can pass for Cordée.
const OWN: &str = "Cordee-Door/";

/// How many events a slow reader may be behind before it has to read the journal instead.
const EVENTS_KEPT: usize = 256;
/// How many questions may wait for the engine.
const ASKS_KEPT: usize = 64;

impl Board {
    /// Creates a board with a first wish and a first snapshot, and returns the receiving end of the questions.
    pub fn new(desired: Desired, snapshot: Snapshot) -> (Arc<Self>, mpsc::Receiver<Ask>) {
        let (asks, questions) = mpsc::channel(ASKS_KEPT);
        let board = Self {
            desired: watch::Sender::new(Arc::new(desired)),
            snapshot: watch::Sender::new(Arc::new(snapshot)),
            events: broadcast::Sender::new(EVENTS_KEPT),
            asks,
            own: Mutex::default(),
            heard: watch::Sender::default(),
            left: watch::Sender::default(),
            attached: Mutex::default(),
        };
        (Arc::new(board), questions)
    }

    /// Returns the name under which Cordée sends its own `number`th request to the site; the next log line with
    /// that name is no visit. `secret` is used for this request only.
    pub fn own_question(&self, number: u64, secret: &str) -> String {
        let name = format!("{OWN}{secret}");
        let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        own.push_back((number, name.clone()));
        while own.len() > OWN_KEPT {
            own.pop_front();
        }
        name
    }

    /// Returns the number of Cordée's own request of that name, once.
    pub fn own_answer(&self, name: &str) -> Option<u64> {
        if !name.starts_with(OWN) {
            return None;
        }
        let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        let at = own.iter().position(|(_, known)| known == name)?;
        own.remove(at).map(|(number, _)| number)
    }

    /// The log receiver knows what it missed while it did not listen: from now on Cordée's own requests are told
    /// apart.
    pub fn set_heard(&self) {
        self.heard.send_replace(true);
    }

    /// Follows whether `set_heard` was called.
    pub fn watch_heard(&self) -> watch::Receiver<bool> {
        self.heard.subscribe()
    }

    /// Notes how many visitors hold each web server's cookie, as far as that is counted (only the log receiver
    /// does).
    pub fn set_attached(&self, attached: Option<Attached>) {
        *self.attached.lock().unwrap_or_else(PoisonError::into_inner) = attached;
    }

    /// Returns what `set_attached` noted last.
    pub fn attached(&self) -> Option<Attached> {
        self.attached.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes that somebody signed out: every open stream has to show again that its reader may read.
    pub fn set_left(&self) {
        self.left.send_modify(|times| *times = times.wrapping_add(1));
    }

    /// Changes whenever somebody signs out.
    pub fn watch_left(&self) -> watch::Receiver<u64> {
        self.left.subscribe()
    }

    /// Returns the newest wish.
    pub fn desired(&self) -> Arc<Desired> {
        self.desired.borrow().clone()
    }

    /// Follows the newest wish.
    pub fn watch_desired(&self) -> watch::Receiver<Arc<Desired>> {
        self.desired.subscribe()
    }

    /// Publishes a new wish (only the store does).
    pub fn set_desired(&self, desired: Desired) {
        self.desired.send_replace(Arc::new(desired));
    }

    /// Returns the newest snapshot with the newest wish applied: a wish that was stored a moment ago is not in the
    /// snapshot yet.
    pub fn snapshot_as_wished(&self) -> Snapshot {
        Snapshot::clone(&self.snapshot()).as_wished(&self.desired())
    }

    /// Returns the newest snapshot.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.borrow().clone()
    }

    /// Follows the newest snapshot.
    pub fn watch_snapshot(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.snapshot.subscribe()
    }

    /// Publishes a new snapshot (only the engine does).
    pub fn set_snapshot(&self, snapshot: Snapshot) {
        self.snapshot.send_replace(Arc::new(snapshot));
    }

    /// Follows the events.
    pub fn watch_events(&self) -> broadcast::Receiver<Arc<Event>> {
        self.events.subscribe()
    }

    /// Announces an event (only the store does, after it is written).
    pub fn announce(&self, event: Event) {
        // No listener is fine.
        let _ = self.events.send(Arc::new(event));
    }

    /// Asks the engine. Returns `None` when it does not answer (it is stopping).
    pub async fn ask<T>(&self, question: impl FnOnce(oneshot::Sender<T>) -> Ask) -> Option<T> {
        let (reply, answer) = oneshot::channel();
        self.asks.send(question(reply)).await.ok()?;
        answer.await.ok()
    }
}
