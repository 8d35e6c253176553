//! Connections to one database that are kept between two questions.
//!
//! A login costs a database more than the question that follows it, and Cordée asks several times a second. What is
//! kept serves questions alone, and the heartbeat once a ping has proven it; everything that changes a database opens
//! a connection of its own. A login proves what a kept connection does not: that the account and its password are
//! still there, and that there is room for one more. So it is proven anew after [`OLDEST`]; over TCP, where the same
//! address may lead to another server while the former one lives on, with each full look.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use cordee_domain::fault::Fault;
use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, Error, Opts, OptsBuilder};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::{Answer, Database, WAIT, within_limit};
use crate::over;

/// No connection is kept for longer.
const OLDEST: Duration = Duration::from_millis(cordee_domain::figures::LOGIN);
/// Of one database at a time, those in use included.
pub(super) const MOST: usize = 3;
/// For the last words to a database.
const GOOD_BYE: Duration = Duration::from_millis(300);

/// MariaDB's error for a server that takes no more connections (`ER_CON_COUNT_ERROR`).
const FULL: u16 = 1040;
/// MariaDB's errors for a connection that was ended: by a person, by the end of the server.
const ENDED: [u16; 2] = [1053, 1927];

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Question {
    /// The full look, from which is known that a database can be reached at all.
    Look,
    /// Something else that can be asked twice.
    Ask,
}

/// What a socket is known by: its device, its inode, and when that was changed last.
type Place = (u64, u64, i64, i64);

/// How a connection was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// Through this socket; absent when there was none.
    Socket(Option<Place>),
    /// To an address.
    Address,
}

fn place(socket: &Path) -> Option<Place> {
    let seen = std::fs::metadata(socket).ok()?;
    Some((seen.dev(), seen.ino(), seen.ctime(), seen.ctime_nsec()))
}

/// Whether a connection of that age, made in that way, serves this question, where a new one would be made in the way
/// `now`.
fn serves(question: Question, age: Duration, made: Way, now: Way) -> bool {
    let same = match (made, now) {
        (Way::Socket(made), Way::Socket(now)) => made.is_some() && made == now,
        (Way::Address, Way::Address) => question != Question::Look,
        _ => false,
    };
    same && age < OLDEST
}

/// Whether the connection was at its end, and not the question at fault: another one is worth a try then.
fn ended(error: &Error) -> bool {
    match error {
        Error::Io(_) | Error::Driver(_) => true,
        Error::Server(error) => ENDED.contains(&error.code),
        Error::Other(_) | Error::Url(_) => false,
    }
}

/// One connection, and its part in how many there may be.
#[derive(Debug)]
struct Line {
    /// Absent once it is being closed.
    conn: Option<Conn>,
    since: Instant,
    way: Way,
    room: Option<OwnedSemaphorePermit>,
}

impl Drop for Line {
    /// Says good-bye: a database notes in its log who does not. Whatever was broken off on it, nobody reads its answer.
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

/// The connections to one database that are kept.
#[derive(Clone, Debug)]
pub(super) struct Kept(Arc<Inner>);

impl Kept {
    /// None yet.
    pub(super) fn new(options: OptsBuilder, socket: Option<PathBuf>) -> Self {
        // Whatever an administrator made the rule for all: it must not end in the middle of a pause, nor leave a
        // transaction open behind a question.
        let session = format!("SET SESSION wait_timeout={WAIT}, autocommit=1");
        let options = options.setup(vec![session]).into();
        let (room, keeps) = (Arc::new(Semaphore::new(MOST)), AtomicBool::new(true));
        Self(Arc::new(Inner { options, socket, idle: Mutex::default(), room, keeps }))
    }

    fn way(&self) -> Way {
        self.0.socket.as_deref().map_or(Way::Address, |socket| Way::Socket(place(socket)))
    }

    /// One that waits and serves this question. Those that serve none any more are closed.
    fn waiting(&self, question: Question) -> Option<Line> {
        let now = self.way();
        let mut idle = over::hold(&self.0.idle);
        idle.retain(|line| serves(question, line.since.elapsed(), line.way, now));
        idle.pop()
    }

    /// A new one, where there is room for it.
    async fn open(&self) -> Result<Option<Line>, Error> {
        let Ok(room) = self.0.room.clone().try_acquire_owned() else { return Ok(None) };
        // Before it is made: one that is made through another socket than was seen is not kept for long.
        let (since, way) = (Instant::now(), self.way());
        let conn = Conn::new(self.0.options.clone()).await?;
        Ok(Some(Line { conn: Some(conn), since, way, room: Some(room) }))
    }

    /// Takes one back on which a question was answered to its end.
    fn keep(&self, line: Line) {
        let mut idle = over::hold(&self.0.idle);
        // Asked with the store held: who says that none are kept closes those that are in it.
        if self.0.keeps.load(Ordering::Acquire) && line.since.elapsed() < OLDEST {
            idle.push(line);
        }
    }

    /// Closes those that wait, and returns once they are closed, or soon: a server that is full has their places then.
    async fn make_room(&self) {
        let idle = std::mem::take(&mut *over::hold(&self.0.idle));
        let closing = u32::try_from(idle.len()).unwrap_or(0);
        let taken = u32::try_from(MOST - self.0.room.available_permits().min(MOST)).unwrap_or(0);
        let others = taken.saturating_sub(closing);
        drop(idle);
        let free = u32::try_from(MOST).unwrap_or(u32::MAX).saturating_sub(others);
        let _ = timeout(GOOD_BYE, self.0.room.acquire_many(free)).await;
    }

    /// Whether any are kept from now on. Where none are, those that wait are closed.
    pub(super) fn may(&self, keep: bool) {
        let mut idle = over::hold(&self.0.idle);
        self.0.keeps.store(keep, Ordering::Release);
        let unkept = if keep { Vec::new() } else { std::mem::take(&mut *idle) };
        drop(idle);
        drop(unkept);
    }

    /// Keeps none any more, and returns once all have been closed, or soon.
    pub(super) async fn part(&self) {
        self.may(false);
        let all = u32::try_from(MOST).unwrap_or(u32::MAX);
        let _ = timeout(GOOD_BYE, self.0.room.acquire_many(all)).await;
    }
}

/// What a question is asked over: what it says counts only for its connection.
#[derive(Debug)]
pub(super) struct Asked<'a> {
    /// The connection.
    pub(super) conn: &'a mut Conn,
    /// Set where a statement failed on the way: such a connection is not kept.
    pub(super) spent: &'a mut bool,
}

impl Database {
    /// Asks over a connection that is kept, or over a new one, which is kept then. One on which anything failed, or on
    /// which an answer was not awaited to its end, is not used again.
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

    /// A connection of its own, for what changes the database. On a server that is full one that is kept may sit in the
    /// last place, which is reserved for those who may do this: it makes room.
    pub(super) async fn own_conn(&self) -> Result<Conn, Error> {
        match self.pool.get_conn().await {
            Err(Error::Server(error)) if error.code == FULL => {
                self.kept.make_room().await;
                self.pool.get_conn().await
            }
            answer => answer,
        }
    }

    /// Whether connections are kept from now on.
    pub fn may_keep(&self, keep: bool) {
        self.kept.may(keep);
    }

    /// Closes those that are kept, and keeps none until [`Database::may_keep`] says so.
    pub async fn part(&self) {
        self.kept.part().await;
    }
}

#[cfg(test)]
mod tests;
