//! What must survive a restart: the wish, its history, the journal, accounts.
//!
//! One SQLite file in WAL mode with `synchronous=FULL`. [`Store::commit`] is the only way to change a wish on
//! request: the new wish, its history row and its journal line are one transaction.

mod accounts;
mod drills;
#[cfg(test)]
mod fixture;
mod hashing;
mod journal;
mod logins;
mod names;
mod outage;
mod proofs;
mod runs;
mod schema;
mod tokens;
mod trials;
pub mod visitors;

use std::net::TcpListener;
use std::path::Path;
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};

use cordee_domain::change::{Change, NewServer, RawServer, Request};
use cordee_domain::db::verify::{Report, Side};
use cordee_domain::decision::{Decision, Overtaken};
use cordee_domain::desired::{Alters, Desired};
use cordee_domain::problem::Problem;
use cordee_domain::text;
use cordee_domain::text::Text;
use cordee_node::clock::now;
use cordee_node::over;
use cordee_node::vault::{Login, Vault, no_file};
use rusqlite::{Connection, OptionalExtension as _, params};
use rustix::fs::OFlags;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::board::Board;

use journal::write_event;
use outage::Outage;
use visitors::Visitors;

pub(crate) use accounts::digest;
pub use accounts::{Account, Arrival, Changed, Device, Proven, Session, SignIn};
pub use runs::KeptRuns;
pub use tokens::{NewToken, Token, TokenName};

/// The author of what Cordée does by itself.
pub const OURSELVES: &str = "cordee";

/// Why the store failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// SQLite failed.
    #[error("the state file could not be read or written")]
    Sqlite(#[from] rusqlite::Error),
    /// A row that this version cannot read.
    #[error("the state file holds a value that this version cannot read")]
    Value(#[from] serde_json::Error),
    /// The file was written by a newer version.
    #[error("the state file has schema version {found}, this Cordée knows {known}: use the newer Cordée")]
    Newer {
        /// The version of the file.
        found: i64,
        /// The newest version known here.
        known: i64,
    },
    /// The file could not be created.
    #[error("the state file could not be made")]
    File(#[source] std::io::Error),
    /// SQLite finds its own file inconsistent.
    #[error("the state file is damaged")]
    Damaged,
    /// The file is new, and there is no first wish to put in.
    #[error("the state file is empty")]
    Empty,
    /// The system returned no random bytes.
    #[error("the system gave no random bytes")]
    Random,
    /// The login of a database is missing, or the key does not decrypt it.
    #[error("the login of a database cannot be read")]
    Login,
    /// Hashing a password failed.
    #[error("the password could not be hashed")]
    Hash,
}

/// Logs a failure of the store, and returns what to tell the operator, with what they can do about it.
pub fn store_failed(error: &StoreError) -> Text {
    tracing::error!(error = error as &dyn std::error::Error, "store");
    match error.unwritable() {
        Some(why) => text!("problem-store-unwritable", why = why),
        None => text!("problem-store"),
    }
}

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum Unwritten<R> {
    /// The change itself was refused.
    #[error("refused")]
    Refused(R),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a request was not committed: refused for each of these reasons, in words for the operator who asked.
pub type CommitError = Unwritten<Vec<Problem>>;

/// Why a decision was not stored: the state that it was made on is no longer true.
pub type DecideError = Unwritten<Overtaken>;

/// The state file. Calls block for a few milliseconds; async code calls it through `spawn_blocking`.
pub struct Store {
    connection: Mutex<Connection>,
    board: OnceLock<Arc<Board>>,
    visitors: Arc<Visitors>,
    vault: OnceLock<Vault>,
    outage: Mutex<Outage>,
    /// Wakes the thread that writes the journal.
    scribe: OnceLock<SyncSender<()>>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Store")
    }
}

/// What an operator asked for about a database's rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowsRequest {
    /// They are to be compared with the writer's.
    pub compare: bool,
    /// Rows that differ are to be repaired, with the rows of this side.
    pub repair: Option<Side>,
    /// The epoch in which the repair was asked for. 0 in a request stored by a Cordée that did not keep it; no
    /// real epoch is 0.
    #[serde(default)]
    pub epoch: u64,
}

impl Store {
    /// Opens the file, migrates it to the newest schema, and stores `first` when the file is new.
    pub fn open(path: &Path, first: impl FnOnce() -> Option<Desired>) -> Result<Self, StoreError> {
        private(path)?;
        let connection = Connection::open(path)?;
        intact(&connection)?;
        let visitors = Arc::new(open_visitors(&path.with_file_name("visitors.db"))?);
        let store = Self {
            connection: Mutex::new(connection),
            board: OnceLock::new(),
            visitors,
            vault: OnceLock::new(),
            outage: Mutex::default(),
            scribe: OnceLock::new(),
        };
        {
            let mut connection = store.lock();
            schema::migrate(&mut connection)?;
            if read_desired(&connection)?.is_none() {
                let desired = first().ok_or(StoreError::Empty)?;
                connection.execute(
                    "INSERT INTO desired (revision, at, actor, wish) VALUES (?1, ?2, 'cordee', ?3)",
                    params![desired.revision, now(), serde_json::to_string(&desired)?],
                )?;
            }
        }
        Ok(store)
    }

    /// Reads the wish from a state file that another process has open.
    pub fn open_read(path: &Path) -> Result<Desired, StoreError> {
        let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
        read_desired(&Connection::open_with_flags(path, flags)?)?
            .ok_or(StoreError::Sqlite(rusqlite::Error::QueryReturnedNoRows))
    }

    /// Reads the same, after a check that the file is neither damaged nor of a newer version.
    pub fn inspect(path: &Path) -> Result<Desired, StoreError> {
        schema::known(examine(path)?)?;
        Self::open_read(path)
    }

    /// Returns the list of visitors.
    pub fn visitors(&self) -> Arc<Visitors> {
        self.visitors.clone()
    }

    /// Sets the board on which commits and events are announced from now on.
    pub fn attach(&self, board: Arc<Board>) {
        let _ = self.board.set(board);
    }

    /// Runs a call on a thread that may block, for callers other than the page.
    pub async fn off_thread<T: Send + 'static>(
        store: &Arc<Self>,
        call: impl FnOnce(&Self) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let store = store.clone();
        match tokio::task::spawn_blocking(move || call(&store)).await {
            Ok(result) => result,
            // A panic in the call is resumed in its caller.
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        over::hold(&self.connection)
    }

    /// Returns the newest wish.
    pub fn desired(&self) -> Result<Desired, StoreError> {
        read_desired(&self.lock())?.ok_or(StoreError::Sqlite(rusqlite::Error::QueryReturnedNoRows))
    }

    /// Returns the changes after a revision, oldest first.
    pub fn changes_after(&self, revision: u64, limit: u32) -> Result<Vec<Change>, StoreError> {
        let connection = self.lock();
        let mut found = connection.prepare(
            "SELECT change FROM desired WHERE revision > ?1 AND change IS NOT NULL ORDER BY revision LIMIT ?2",
        )?;
        let texts = found.query_map(params![revision, limit], |row| row.get::<_, String>(0))?;
        texts.map(|text| Ok(serde_json::from_str(&text?)?)).collect()
    }

    /// Returns the change that made a revision; `None` for a revision that does not exist, and for the first.
    pub fn change(&self, revision: u64) -> Result<Option<Change>, StoreError> {
        let connection = self.lock();
        let text: Option<Option<String>> = connection
            .query_row("SELECT change FROM desired WHERE revision = ?1", params![revision], |row| row.get(0))
            .optional()?;
        Ok(text.flatten().map(|text| serde_json::from_str(&text)).transpose()?)
    }

    /// Parses the form of a new server. Where no port was typed, finds the ports that are free on this machine:
    /// one of them is chosen when the wish is stored.
    pub fn new_server(&self, raw: &RawServer) -> Result<NewServer, CommitError> {
        let desired = self.desired()?;
        let free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
        let new = raw.parse(|| Ok(desired.free_ports(free))).map_err(CommitError::Refused)?;
        names::unlike(&desired, &new).map_err(|problem| CommitError::Refused(vec![problem]))?;
        Ok(new)
    }

    /// Applies a request: all of it, or nothing and the reasons.
    pub fn commit(&self, request: &Request, actor: &str) -> Result<Desired, CommitError> {
        self.commit_with(request, actor, None)
    }

    /// Applies a request, with the account with which a database that exists already is administered. The login
    /// carries the id that the database was examined for: if the next id is a different one by now, the request is
    /// refused.
    pub fn commit_with(
        &self,
        request: &Request,
        actor: &str,
        login: Option<(u32, &Login)>,
    ) -> Result<Desired, CommitError> {
        self.write(request, actor, |connection, (before, after)| {
            self.keep_login(connection, before, after, login)
        })
    }

    /// Applies a decision of Cordée's own, unless it was overtaken.
    pub fn decide(&self, decision: &Decision) -> Result<Desired, DecideError> {
        self.write(decision, OURSELVES, |_, _| Ok(()))
    }

    /// Stores the next wish, with its history row and its journal line: all of it, or nothing.
    fn write<A: Alters + Serialize>(
        &self,
        change: &A,
        actor: &str,
        beside: impl FnOnce(&Connection, (&Desired, &Desired)) -> Result<(), Unwritten<A::Refused>>,
    ) -> Result<Desired, Unwritten<A::Refused>> {
        let written = self.try_write(change, actor, beside);
        if let Err(Unwritten::Store(error)) = &written {
            self.failed(error);
        }
        written
    }

    fn try_write<A: Alters + Serialize>(
        &self,
        change: &A,
        actor: &str,
        beside: impl FnOnce(&Connection, (&Desired, &Desired)) -> Result<(), Unwritten<A::Refused>>,
    ) -> Result<Desired, Unwritten<A::Refused>> {
        let mut connection = self.lock();
        self.write_waiting(&connection);
        let transaction = connection.transaction().map_err(StoreError::from)?;
        let current =
            read_desired(&transaction)?.ok_or(StoreError::Sqlite(rusqlite::Error::QueryReturnedNoRows))?;
        let change = &change.chosen(&current).map_err(Unwritten::Refused)?;
        let at = now();
        let next = current.apply(change).map_err(Unwritten::Refused)?.signed(change, actor, at);
        let event = {
            transaction
                .execute(
                    "INSERT INTO desired (revision, at, actor, change, wish) VALUES (?1, ?2, ?3, ?4, ?5)",
                    params![
                        next.revision,
                        at,
                        actor,
                        serde_json::to_string(change).map_err(StoreError::from)?,
                        serde_json::to_string(&next).map_err(StoreError::from)?
                    ],
                )
                .map_err(StoreError::from)?;
            write_event(&transaction, at, actor, &change.subject(), None, &change.sentence())?
        };
        Self::drop_logins(&transaction, &current, &next)?;
        beside(&transaction, (&current, &next))?;
        transaction.commit().map_err(StoreError::from)?;
        // Announced under the lock, so that boards see revisions in order.
        if let Some(board) = self.board.get() {
            board.set_desired(next.clone());
            board.announce(event);
        }
        Ok(next)
    }

    /// Stores the last comparison of a database's rows, by the server's id.
    pub fn keep_comparison(&self, server: u32, report: &Report) -> Result<(), StoreError> {
        let text = serde_json::to_string(report)?;
        self.lock().execute(
            "INSERT OR REPLACE INTO comparison (server, report) VALUES (?1, ?2)",
            params![server, text],
        )?;
        Ok(())
    }

    /// Returns the last comparisons, by the server's id.
    pub fn comparisons(&self) -> Result<Vec<(u32, Report)>, StoreError> {
        self.by_server("SELECT server, report FROM comparison")
    }

    /// Stores what an operator asked for about a database's rows until it is done, by the server's id.
    pub fn keep_asked(&self, server: u32, asked: RowsRequest) -> Result<(), StoreError> {
        let connection = self.lock();
        if asked == RowsRequest::default() {
            connection.execute("DELETE FROM rows_asked WHERE server = ?1", params![server])?;
        } else {
            let text = serde_json::to_string(&asked)?;
            connection.execute(
                "INSERT OR REPLACE INTO rows_asked (server, asked) VALUES (?1, ?2)",
                params![server, text],
            )?;
        }
        Ok(())
    }

    /// Returns the requests about rows that are not done yet, by the server's id.
    pub fn asked(&self) -> Result<Vec<(u32, RowsRequest)>, StoreError> {
        self.by_server("SELECT server, asked FROM rows_asked")
    }

    /// Returns what is stored as JSON about servers, by their id.
    fn by_server<T: DeserializeOwned>(&self, query: &str) -> Result<Vec<(u32, T)>, StoreError> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached(query)?;
        let rows = statement.query_map([], |row| Ok((row.get::<_, u32>(0)?, row.get::<_, String>(1)?)))?;
        rows.map(|row| {
            let (server, text) = row?;
            Ok((server, serde_json::from_str(&text)?))
        })
        .collect()
    }
}

/// Opens the list of visitors. A damaged list is put aside and a new one is begun: it must not keep a cluster from
/// running.
fn open_visitors(path: &Path) -> Result<Visitors, StoreError> {
    match Visitors::open(path) {
        Err(StoreError::Sqlite(error)) if damaged(&error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "the list of visitors is begun anew");
            for companion in ["db-wal", "db-shm"] {
                let _ = std::fs::remove_file(path.with_extension(companion));
            }
            std::fs::rename(path, path.with_extension("damaged")).map_err(StoreError::File)?;
            Visitors::open(path)
        }
        opened => opened,
    }
}

/// Has SQLite check the file; otherwise damage would only show at some later wish.
fn intact(connection: &Connection) -> Result<(), StoreError> {
    let found: Result<String, _> = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0));
    match found {
        Ok(word) if word == "ok" => Ok(()),
        Ok(_) => Err(StoreError::Damaged),
        Err(error) if damaged(&error) => Err(StoreError::Damaged),
        Err(error) => Err(error.into()),
    }
}

/// Checks a file that another process may have open, and returns its schema version.
pub fn examine(path: &Path) -> Result<i64, StoreError> {
    let connection = Connection::open_with_flags(path, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    intact(&connection)?;
    let version = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if version == 0 { Err(StoreError::Damaged) } else { Ok(version) }
}

fn damaged(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    matches!(error.sqlite_error_code(), Some(DatabaseCorrupt | NotADatabase))
}

/// Makes the file readable by its owner only, before SQLite creates it; SQLite gives its companion files the same
/// mode.
fn private(path: &Path) -> Result<(), StoreError> {
    use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
    std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        // A FIFO or a symbolic link is refused, without waiting for its other end.
        .custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed())
        .open(path)
        .and_then(|file| if file.metadata()?.is_file() { Ok(file) } else { Err(no_file()) })
        .and_then(|file| file.set_permissions(std::fs::Permissions::from_mode(0o600)))
        .map_err(StoreError::File)
}

fn read_desired(connection: &Connection) -> Result<Option<Desired>, StoreError> {
    let wish: Option<String> = connection
        .query_row("SELECT wish FROM desired ORDER BY revision DESC LIMIT 1", [], |r| r.get(0))
        .optional()?;
    Ok(wish.map(|w| serde_json::from_str(&w)).transpose()?)
}

#[cfg(test)]
mod tests;
