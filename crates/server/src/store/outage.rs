//! Cordée's own journal lines wait in memory until they are written, so that a disk that is busy for seconds does
//! not delay the engine that tells them. Where the state file cannot be written at all (a full disk, a file system
//! that became read-only) wishes are refused meanwhile, and the lines wait longer.

use std::collections::VecDeque;
use std::io;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, MutexGuard};

use cordee_domain::fault::Fault;
use cordee_domain::ids::Millis;
use cordee_domain::state::Severity;
use cordee_domain::text;
use cordee_domain::text::Text;
use cordee_node::clock::now;
use cordee_node::over::{self, Needed};
use rusqlite::{Connection, ErrorCode};

use super::{OURSELVES, Store, StoreError, write_event};

/// Most lines that may wait; beyond that the oldest are dropped, and counted.
const LINES: usize = 1_000;

/// How many lines are written at once: few enough to succeed on a disk that is nearly full.
const BATCH: usize = 50;

/// A waiting line of Cordée's own.
#[derive(Clone, Debug)]
struct Line {
    /// Grows by one with each line.
    number: u64,
    at: Millis,
    actor: String,
    subject: String,
    severity: Option<Severity>,
    text: Text,
}

/// What is known of an outage.
#[derive(Debug, Default)]
pub(super) struct Outage {
    /// Why the last write failed.
    why: Option<Fault>,
    lines: VecDeque<Line>,
    /// The number of the last line.
    number: u64,
    dropped: u64,
}

impl StoreError {
    /// Returns why the file cannot be written at all; `None` where another write may well succeed.
    pub fn unwritable(&self) -> Option<Fault> {
        let Self::Sqlite(error) = self else { return None };
        match error.sqlite_error_code()? {
            ErrorCode::DiskFull => Some(Fault::DiskFull(None)),
            ErrorCode::ReadOnly => Some(Fault::ReadOnly(None)),
            ErrorCode::PermissionDenied => Some(Fault::Denied(None)),
            ErrorCode::CannotOpen | ErrorCode::SystemIoFailure | ErrorCode::NoLargeFileSupport => {
                Some(Fault::Io("SQLite".to_owned(), None))
            }
            ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => Some(Fault::Damaged),
            _ => None,
        }
    }
}

impl Store {
    fn outage(&self) -> MutexGuard<'_, Outage> {
        over::hold(&self.outage)
    }

    /// Notes that a write failed.
    pub(super) fn failed(&self, error: &StoreError) {
        if let Some(why) = error.unwritable() {
            self.outage().why = Some(why);
        }
    }

    /// Returns why the file cannot be written, while it cannot.
    pub fn unwritable(&self) -> Option<Fault> {
        self.outage().why.clone()
    }

    /// Tests that the file can be written, by writing a value that it holds already. Then writes the lines that
    /// waited.
    pub fn prove(&self) {
        let proven = {
            let connection = self.lock();
            connection
                .query_row("PRAGMA user_version", [], |row| row.get::<_, i64>(0))
                .and_then(|version| connection.pragma_update(None, "user_version", version))
        };
        match proven.map_err(StoreError::from) {
            Ok(()) => self.catch_up(),
            Err(error) => self.failed(&error),
        }
    }

    /// Starts the thread that writes down what Cordée tells.
    pub fn begin_to_write(store: &Arc<Self>) -> io::Result<()> {
        let (wake, woken) = sync_channel(1);
        let of = Arc::downgrade(store);
        let needed = Needed::new("what writes the journal has ended");
        std::thread::Builder::new().name("journal".to_owned()).spawn(move || {
            while woken.recv().is_ok() {
                let Some(store) = of.upgrade() else { break };
                store.write_down();
            }
            needed.done();
        })?;
        let _ = store.scribe.set(wake);
        Ok(())
    }

    /// Notes a journal line of Cordée's own, with the present time. The journal's thread writes it at once, and
    /// before anything else is written into the journal; before that thread is started, this call writes it.
    pub fn tell(&self, subject: &str, severity: Option<Severity>, text: &Text) {
        self.tell_of(OURSELVES, subject, severity, text);
    }

    /// Notes a line about the effect of what `actor` asked for.
    pub fn tell_of(&self, actor: &str, subject: &str, severity: Option<Severity>, text: &Text) {
        {
            let mut outage = self.outage();
            if outage.lines.len() >= LINES {
                outage.lines.pop_front();
                outage.dropped += 1;
            }
            outage.number += 1;
            let (number, actor) = (outage.number, actor.to_owned());
            let (subject, text) = (subject.to_owned(), text.clone());
            let line = Line { number, at: now(), actor, subject, severity, text };
            outage.lines.push_back(line);
        }
        match self.scribe.get() {
            // A thread that is already woken finds this line too.
            Some(scribe) => drop(scribe.try_send(())),
            None => self.write_down(),
        }
    }

    /// Writes the waiting lines, unless the file cannot be written.
    pub fn write_down(&self) {
        self.write_waiting(&self.lock());
    }

    /// The same for a caller that is about to write or read the journal: what happened earlier comes first.
    pub(super) fn write_waiting(&self, connection: &Connection) {
        if self.unwritable().is_none() && self.write_lines(connection) {
            self.tell_dropped(connection);
        }
    }

    /// Writes the waiting lines, in the order in which they happened. Until that succeeds nothing can be written.
    fn catch_up(&self) {
        let connection = self.lock();
        if self.write_lines(&connection) {
            self.outage().why = None;
            self.tell_dropped(&connection);
        }
    }

    /// Writes the waiting lines; returns whether all of them were written.
    fn write_lines(&self, connection: &Connection) -> bool {
        loop {
            let batch: Vec<Line> = self.outage().lines.iter().take(BATCH).cloned().collect();
            if batch.is_empty() {
                return true;
            }
            if !self.write_batch(connection, &batch) {
                return false;
            }
        }
    }

    /// Writes them in one transaction: the disk is waited for once.
    fn write_batch(&self, connection: &Connection, waiting: &[Line]) -> bool {
        let written = (|| {
            let transaction = connection.unchecked_transaction()?;
            let all = waiting.iter().map(|line| {
                write_event(&transaction, line.at, &line.actor, &line.subject, line.severity, &line.text)
            });
            let all = all.collect::<Result<Vec<_>, _>>()?;
            transaction.commit()?;
            Ok::<_, StoreError>(all)
        })();
        match written {
            Ok(events) => {
                let last = waiting.last().map_or(0, |line| line.number);
                self.outage().lines.retain(|line| line.number > last);
                if let Some(board) = self.board.get() {
                    for event in events {
                        board.announce(event);
                    }
                }
                true
            }
            Err(error) => {
                tracing::warn!(
                    count = waiting.len(),
                    error = &error as &dyn std::error::Error,
                    "lines of the journal wait"
                );
                self.failed(&error);
                false
            }
        }
    }

    /// Tells how many lines were lost, once lines can be written again.
    fn tell_dropped(&self, connection: &Connection) {
        let dropped = std::mem::take(&mut self.outage().dropped);
        if dropped == 0 {
            return;
        }
        let text = text!("event-journal-dropped", count = dropped);
        match write_event(connection, now(), "cordee", "cluster", Some(Severity::Warning), &text) {
            Ok(event) => {
                if let Some(board) = self.board.get() {
                    board.announce(event);
                }
            }
            Err(error) => {
                self.failed(&error);
                self.outage().dropped += dropped;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use cordee_domain::change::Request;
    use cordee_domain::ids::PoolId;

    use super::*;
    use crate::store::CommitError;
    use crate::web::fixture;

    /// SQLite returns the same error for such a connection as for a read-only file.
    fn reload() -> Request {
        Request::Reload { proxy: PoolId::Web }
    }

    #[test]
    fn while_nothing_can_be_written_wishes_are_refused_with_the_cause_and_lines_wait() {
        let (app, _asks, _folder) = fixture::app();
        let store = &app.store;
        store.prove();
        assert_eq!(store.unwritable(), None);
        store.read_only(true);
        let Err(CommitError::Store(error)) = store.commit(&reload(), "ana") else { panic!("it was taken") };
        assert_eq!(crate::store::store_failed(&error).key, "problem-store-unwritable");
        assert_eq!(store.unwritable(), Some(Fault::ReadOnly(None)));
        store.tell("web1", Some(Severity::Critical), &text!("event-own-room"));
        store.tell_of("ana", "web2", None, &text!("event-own-writable"));
        store.prove();
        assert!(store.unwritable().is_some(), "a proof that fails proves nothing");
        let told = || store.events_before(u64::MAX, 2).unwrap();
        assert!(told().iter().all(|e| e.text.key != "event-own-room"));
        let before = now();
        store.read_only(false);
        store.prove();
        assert_eq!(store.unwritable(), None);
        let subjects: Vec<_> = told().into_iter().map(|e| e.subject).collect();
        assert_eq!(subjects, ["web2", "web1"], "newest first, in the order in which they happened");
        assert!(told().iter().all(|e| e.at <= before), "with the time at which it happened");
        let actors: Vec<_> = told().into_iter().map(|e| e.actor).collect();
        assert_eq!(actors, ["ana", OURSELVES], "and with who asked for it");
        store.commit(&reload(), "ana").unwrap();
    }

    #[test]
    fn what_waits_is_bounded_and_what_was_dropped_is_told() {
        let (app, _asks, _folder) = fixture::app();
        let store = &app.store;
        store.read_only(true);
        for _ in 0..LINES + 7 {
            store.tell("web1", None, &text!("event-own-room"));
        }
        assert_eq!(store.outage().lines.len(), LINES);
        store.read_only(false);
        store.prove();
        let last = store.events_before(u64::MAX, 1).unwrap().remove(0);
        assert_eq!(last.text, text!("event-journal-dropped", count = 7_u64));
    }

    /// While a file is flushed, it is locked for as long as the disk takes: the engine tells its lines and goes
    /// on.
    #[test]
    fn who_tells_waits_for_nobody_who_writes() {
        let (app, _asks, _folder) = fixture::app();
        let store = &app.store;
        Store::begin_to_write(store).unwrap();
        let busy = store.lock();
        store.tell("web1", Some(Severity::Critical), &text!("event-own-room"));
        store.tell("web2", None, &text!("event-own-writable"));
        drop(busy);
        // An operator's change comes after what was told before, whichever writes first.
        store.commit(&reload(), "ana").unwrap();
        let told: Vec<_> = store.events_before(u64::MAX, 3).unwrap();
        let told: Vec<_> = told.iter().map(|e| (e.actor.as_str(), e.subject.as_str())).collect();
        assert_eq!(told[1..], [("cordee", "web2"), ("cordee", "web1")], "newest first");
        assert_eq!(told[0].0, "ana");
        // And the line is written without any further call.
        store.tell("web3", None, &text!("event-own-room"));
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
        while !store.outage().lines.is_empty() {
            assert!(std::time::Instant::now() < deadline, "it waits still");
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        assert_eq!(store.events_before(u64::MAX, 1).unwrap()[0].subject, "web3");
    }
}
