//! A state file that cannot be written: a full disk, a file system that became read-only. Wishes are refused meanwhile,
//! and Cordée's own lines of the journal wait in memory.

use std::collections::VecDeque;
use std::sync::MutexGuard;

use cordee_domain::fault::Fault;
use cordee_domain::ids::Millis;
use cordee_domain::state::Light;
use cordee_domain::text;
use cordee_domain::text::Text;
use rusqlite::ErrorCode;

use super::{OURSELVES, Store, StoreError, write_event};
use crate::clock::now;
use crate::over;

/// Lines that may wait; of more the oldest are dropped, and counted.
const LINES: usize = 1_000;

/// A line of Cordée's own that waits.
#[derive(Clone, Debug)]
struct Line {
    at: Millis,
    actor: String,
    subject: String,
    light: Option<Light>,
    text: Text,
}

/// What is known of it.
#[derive(Debug, Default)]
pub(super) struct Outage {
    /// Why the last write failed.
    why: Option<Fault>,
    lines: VecDeque<Line>,
    dropped: u64,
}

impl StoreError {
    /// Why the file cannot be written at all; nothing where another write may well succeed.
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

    /// Why the file cannot be written, while it cannot.
    pub fn unwritable(&self) -> Option<Fault> {
        self.outage().why.clone()
    }

    /// Proves that the file can be written, by writing what stands there already. Writes down what waited.
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

    /// Writes a line of Cordée's own into the journal, now or as soon as that can be done, with the time of now.
    pub fn tell(&self, subject: &str, light: Option<Light>, text: &Text) {
        self.tell_of(OURSELVES, subject, light, text);
    }

    /// The same of what somebody had asked for.
    pub fn tell_of(&self, actor: &str, subject: &str, light: Option<Light>, text: &Text) {
        if self.unwritable().is_none() && self.note(actor, subject, light, text).is_ok() {
            return;
        }
        let mut outage = self.outage();
        if outage.lines.len() >= LINES {
            outage.lines.pop_front();
            outage.dropped += 1;
        }
        let (actor, subject_of) = (actor.to_owned(), subject.to_owned());
        let line = Line { at: now(), actor, subject: subject_of, light, text: text.clone() };
        tracing::warn!(subject, key = %line.text.key, "a line of the journal waits");
        outage.lines.push_back(line);
    }

    /// Writes down what waited, in the order in which it happened.
    fn catch_up(&self) {
        self.outage().why = None;
        loop {
            let Some(line) = self.outage().lines.front().cloned() else { break };
            let written = {
                let Line { at, actor, subject, light, text } = &line;
                write_event(&self.lock(), *at, actor, subject, *light, text)
            };
            match written {
                Ok(event) => {
                    self.outage().lines.pop_front();
                    if let Some(board) = self.board.get() {
                        board.announce(event);
                    }
                }
                Err(error) => {
                    self.failed(&error);
                    return;
                }
            }
        }
        let dropped = std::mem::take(&mut self.outage().dropped);
        if dropped > 0 {
            self.tell("cluster", Some(Light::Warning), &text!("event-journal-dropped", count = dropped));
        }
    }
}

#[cfg(test)]
mod tests {
    use cordee_domain::change::Change;
    use cordee_domain::ids::PoolId;

    use super::*;
    use crate::store::CommitError;
    use crate::web::fixture;

    /// SQLite says of such a connection what it says of a read-only file.
    fn read_only(store: &Store, on: bool) {
        store.lock().pragma_update(None, "query_only", on).unwrap();
    }

    fn reload() -> Change {
        Change::Reload { proxy: PoolId::Web }
    }

    #[test]
    fn while_nothing_can_be_written_wishes_are_refused_with_the_cause_and_lines_wait() {
        let (app, _asks, _folder) = fixture::app();
        let store = &app.store;
        store.prove();
        assert_eq!(store.unwritable(), None);
        read_only(store, true);
        let Err(CommitError::Store(error)) = store.commit(&reload(), "ana") else { panic!("it was taken") };
        assert_eq!(crate::store::store_failed(&error).key, "problem-store-unwritable");
        assert_eq!(store.unwritable(), Some(Fault::ReadOnly(None)));
        store.tell("web1", Some(Light::Critical), &text!("event-own-room"));
        store.tell_of("ana", "web2", None, &text!("event-own-writable"));
        store.prove();
        assert!(store.unwritable().is_some(), "a proof that fails proves nothing");
        let told = || store.events_before(u64::MAX, 2).unwrap();
        assert!(told().iter().all(|e| e.text.key != "event-own-room"));
        let before = now();
        read_only(store, false);
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
        read_only(store, true);
        for _ in 0..LINES + 7 {
            store.tell("web1", None, &text!("event-own-room"));
        }
        assert_eq!(store.outage().lines.len(), LINES);
        read_only(store, false);
        store.prove();
        let last = store.events_before(u64::MAX, 1).unwrap().remove(0);
        assert_eq!(last.text, text!("event-journal-dropped", count = 7_u64));
    }
}
