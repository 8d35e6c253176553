//! Connections to one database that are kept open between two queries.
//!
//! A login costs a database more than the query that follows it, and Cordée queries several times a second. Kept
//! connections serve only queries, and the heartbeat once a ping has succeeded; any other change of a database
//! opens a connection of its own. A login proves what a kept connection does not: that the account and its password
//! still exist, and that there is room for one more connection. So a new login is made after [`OLDEST`]. Over TCP,
//! where the same address may lead to another server while the former one still runs, a new login is made with each
//! full look.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use cordee_domain::fault::Fault;
use mysql_async::{Conn, Error, Opts, OptsBuilder};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::{Answer, Database, WAIT, within_limit};
use crate::over;

/// No connection is kept for longer than this.
const OLDEST: Duration = Duration::from_millis(cordee_domain::figures::LOGIN);
/// How many connections are kept to one database at a time, including those in use.
pub(super) const MOST: usize = 3;
/// How long saying good-bye to a database may take.
const GOOD_BYE: Duration = Duration::from_millis(300);

/// MariaDB's error for a server that accepts no more connections (`ER_CON_COUNT_ERROR`).
const FULL: u16 = 1040;
/// MariaDB's errors for a connection that was ended: by the server's shutdown, by a KILL.
const ENDED: [u16; 2] = [1053, 1927];

/// The kind of a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Question {
    /// The full look, which decides whether a database can be reached at all.
    Look,
    /// Another query, which can be repeated.
    Ask,
}

/// The identity of a socket: its device, its inode, and its last status change.
type Place = (u64, u64, i64, i64);

/// How a connection was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// Through this socket; `None` if there was none.
    Socket(Option<Place>),
    /// To an address.
    Address,
}

fn place(socket: &Path) -> Option<Place> {
    let seen = std::fs::metadata(socket).ok()?;
    Some((seen.dev(), seen.ino(), seen.ctime(), seen.ctime_nsec()))
}

/// Reports whether a connection of that age that was `made` in one way serves this query, if a new connection would
/// be made the way `now`.
fn serves(question: Question, age: Duration, made: Way, now: Way) -> bool {
    let same = match (made, now) {
        (Way::Socket(made), Way::Socket(now)) => made.is_some() && made == now,
        (Way::Address, Way::Address) => question != Question::Look,
        _ => false,
    };
    same && age < OLDEST
}

/// Reports whether the connection had ended rather than the query failed: then another connection is worth a try.
fn ended(error: &Error) -> bool {
    match error {
        Error::Io(_) | Error::Driver(_) => true,
        Error::Server(error) => ENDED.contains(&error.code),
        Error::Other(_) | Error::Url(_) => false,
    }
}

/// One connection, with its permit out of the allowed number.
#[derive(Debug)]
struct Line {
    /// `None` once the connection is being closed.
    conn: Option<Conn>,
    since: Instant,
    way: Way,
    room: Option<OwnedSemaphorePermit>,
}

impl Drop for Line {
    /// Says good-bye: a database logs a connection that ends without it. The answer to an interrupted query is not
    /// read.
    fn drop(&mut self) {
        let (Some(conn), room) = (self.conn.take(), self.room.take()) else { return };
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        runtime.spawn(async move {
            let _ = timeout(GOOD_BYE, conn.disconnect()).await;
            drop(room);
        });
    }
}

#[derive(Debug)]
struct Inner {
    options: Opts,
    socket: Option<PathBuf>,
    idle: Mutex<Vec<Line>>,
    room: Arc<Semaphore>,
    keeps: AtomicBool,
}

/// The kept connections to one database.
#[derive(Clone, Debug)]
pub(super) struct Kept(Arc<Inner>);

impl Kept {
    /// Starts without a connection.
    pub(super) fn new(options: OptsBuilder, socket: Option<PathBuf>) -> Self {
        // These settings hold whatever the administrator configured globally: the connection must not time out
        // between two queries, and a query must not leave a transaction open.
        let session = format!("SET SESSION wait_timeout={WAIT}, autocommit=1");
        let options = options.setup(vec![session]).into();
        let (room, keeps) = (Arc::new(Semaphore::new(MOST)), AtomicBool::new(true));
        Self(Arc::new(Inner { options, socket, idle: Mutex::default(), room, keeps }))
    }

    fn way(&self) -> Way {
        self.0.socket.as_deref().map_or(Way::Address, |socket| Way::Socket(place(socket)))
    }

    /// Takes an idle connection that serves this query. Idle connections that serve none any more are closed.
    fn waiting(&self, question: Question) -> Option<Line> {
        let now = self.way();
        let mut idle = over::hold(&self.0.idle);
        idle.retain(|line| serves(question, line.since.elapsed(), line.way, now));
        idle.pop()
    }

    /// Opens a new connection, if the limit allows it.
    async fn open(&self) -> Result<Option<Line>, Error> {
        let Ok(room) = self.0.room.clone().try_acquire_owned() else { return Ok(None) };
        // The socket is looked at before the connection is made: if the connection goes through another socket than
        // the one that was seen, it is not kept for long.
        let (since, way) = (Instant::now(), self.way());
        let conn = Conn::new(self.0.options.clone()).await?;
        Ok(Some(Line { conn: Some(conn), since, way, room: Some(room) }))
    }

    /// Takes back a connection on which a query was answered to its end.
    fn keep(&self, line: Line) {
        let mut idle = over::hold(&self.0.idle);
        // The flag is read while the lock is held: `may(false)` closes the connections that are in the list.
        if self.0.keeps.load(Ordering::Acquire) && line.since.elapsed() < OLDEST {
            idle.push(line);
        }
    }

    /// Closes the idle connections, and returns once they are closed, or soon: a full server then has their places.
    async fn make_room(&self) {
        let idle = std::mem::take(&mut *over::hold(&self.0.idle));
        let closing = u32::try_from(idle.len()).unwrap_or(0);
        let taken = u32::try_from(MOST - self.0.room.available_permits().min(MOST)).unwrap_or(0);
        let others = taken.saturating_sub(closing);
        drop(idle);
        let free = u32::try_from(MOST).unwrap_or(u32::MAX).saturating_sub(others);
        let _ = timeout(GOOD_BYE, self.0.room.acquire_many(free)).await;
    }

    /// Sets whether connections are kept from now on. If not, the idle ones are closed.
    pub(super) fn may(&self, keep: bool) {
        let mut idle = over::hold(&self.0.idle);
        self.0.keeps.store(keep, Ordering::Release);
        let unkept = if keep { Vec::new() } else { std::mem::take(&mut *idle) };
        drop(idle);
        drop(unkept);
    }

    /// Stops keeping connections, and returns once all are closed, or soon.
    pub(super) async fn part(&self) {
        self.may(false);
        let all = u32::try_from(MOST).unwrap_or(u32::MAX);
        let _ = timeout(GOOD_BYE, self.0.room.acquire_many(all)).await;
    }
}

/// What a query runs on: its result counts only for this connection.
#[derive(Debug)]
pub(super) struct Asked<'a> {
    /// The connection.
    pub(super) conn: &'a mut Conn,
    /// Is set if a statement failed on the way: then the connection is not kept.
    pub(super) spent: &'a mut bool,
}

impl Database {
    /// Queries over a kept connection, or over a new one, which is then kept. A connection on which anything
    /// failed, or on which an answer was not read to its end, is not used again.
    pub(super) async fn ask<T>(
        &self,
        question: Question,
        limit: Duration,
        mut what: impl for<'a> FnMut(Asked<'a>) -> Answer<'a, T>,
    ) -> Result<T, Fault> {
        let work = async {
            while let Some(mut line) = self.kept.waiting(question) {
                let Some(conn) = &mut line.conn else { continue };
                let mut spent = false;
                match what(Asked { conn, spent: &mut spent }).await {
                    Ok(answer) => {
                        self.back(line, spent);
                        return Ok(answer);
                    }
                    Err(error) if ended(&error) => {}
                    Err(error) => return Err(error),
                }
            }
            // A connection that was just made can be ended as well (`KILL`). Then the question is asked once more.
            match self.anew(&mut what).await? {
                Err(error) if ended(&error) => self.anew(&mut what).await?,
                answer => answer,
            }
        };
        within_limit(limit, work).await
    }

    /// Asks over a new connection, which is kept if there is room. The outer error: it could not be made.
    async fn anew<T>(
        &self,
        what: &mut impl for<'a> FnMut(Asked<'a>) -> Answer<'a, T>,
    ) -> Result<Result<T, Error>, Error> {
        let mut spent = false;
        let Some(mut line) = self.kept.open().await? else {
            let mut conn = self.pool.get_conn().await?;
            return Ok(what(Asked { conn: &mut conn, spent: &mut spent }).await);
        };
        let Some(conn) = &mut line.conn else { return Err(Error::Other("no connection".into())) };
        let answer = what(Asked { conn, spent: &mut spent }).await;
        if answer.is_ok() {
            self.back(line, spent);
        }
        Ok(answer)
    }

    fn back(&self, line: Line, spent: bool) {
        if !spent {
            self.kept.keep(line);
        }
    }

    /// Opens a connection of its own, for a change of the database. On a full server, a kept connection may hold
    /// the last place, which is reserved for accounts with the privilege for it: then the kept connections are
    /// closed.
    pub(super) async fn own_conn(&self) -> Result<Conn, Error> {
        match self.pool.get_conn().await {
            Err(Error::Server(error)) if error.code == FULL => {
                self.kept.make_room().await;
                self.pool.get_conn().await
            }
            answer => answer,
        }
    }

    /// Sets whether connections are kept from now on.
    pub fn may_keep(&self, keep: bool) {
        self.kept.may(keep);
    }

    /// Closes the kept connections, and keeps none until [`Database::may_keep`] allows it.
    pub async fn part(&self) {
        self.kept.part().await;
    }
}

#[cfg(test)]
mod tests;
