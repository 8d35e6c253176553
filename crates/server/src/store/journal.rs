//! The journal: who did what, and what happened. A line is announced after it was written.

use cordee_domain::ids::Millis;
use cordee_domain::state::Severity;
use cordee_domain::text::Text;
use cordee_node::clock::now;
use rusqlite::{Connection, params};

use super::{Store, StoreError};
use crate::board::Event;

/// How many journal lines are kept.
const EVENTS_KEPT: u64 = cordee_domain::figures::JOURNAL;

impl Store {
    /// Writes a line into the journal.
    pub fn note(
        &self,
        actor: &str,
        subject: &str,
        severity: Option<Severity>,
        text: &Text,
    ) -> Result<Event, StoreError> {
        let written = {
            let connection = self.lock();
            self.write_waiting(&connection);
            write_event(&connection, now(), actor, subject, severity, text)
        };
        let event = written.inspect_err(|error| self.failed(error))?;
        if let Some(board) = self.board.get() {
            board.announce(event.clone());
        }
        Ok(event)
    }

    /// Does something and writes its line into the journal: both, or neither. A result without a line means that
    /// nothing was done.
    pub(super) fn noted<T>(
        &self,
        actor: &str,
        act: impl FnOnce(&Connection) -> Result<(T, Option<Text>), StoreError>,
    ) -> Result<T, StoreError> {
        self.try_noted(actor, act).inspect_err(|error| self.failed(error))
    }

    fn try_noted<T>(
        &self,
        actor: &str,
        act: impl FnOnce(&Connection) -> Result<(T, Option<Text>), StoreError>,
    ) -> Result<T, StoreError> {
        let mut connection = self.lock();
        self.write_waiting(&connection);
        let transaction = connection.transaction()?;
        let (done, text) = act(&transaction)?;
        let event =
            text.map(|text| write_event(&transaction, now(), actor, "cluster", None, &text)).transpose()?;
        transaction.commit()?;
        // Announced under the lock, so that readers receive events in the order of their ids.
        if let (Some(event), Some(board)) = (event, self.board.get()) {
            board.announce(event);
        }
        Ok(done)
    }

    /// Returns journal lines with an id above `after`, oldest first, at most `limit`.
    pub fn events_after(&self, after: u64, limit: u32) -> Result<Vec<Event>, StoreError> {
        self.events("WHERE id > ?1 ORDER BY id LIMIT ?2", params![after, limit])
    }

    /// Returns journal lines with an id below `before`, newest first, at most `limit`.
    pub fn events_before(&self, before: u64, limit: u32) -> Result<Vec<Event>, StoreError> {
        self.events("WHERE id < ?1 ORDER BY id DESC LIMIT ?2", params![before.min(i64::MAX as u64), limit])
    }

    /// Returns journal lines about one subject, newest first, at most `limit`.
    pub fn events_about(&self, subject: &str, limit: u32) -> Result<Vec<Event>, StoreError> {
        self.events("WHERE subject = ?1 ORDER BY id DESC LIMIT ?2", params![subject, limit])
    }

    fn events(&self, which: &str, values: impl rusqlite::Params) -> Result<Vec<Event>, StoreError> {
        let connection = self.lock();
        self.write_waiting(&connection);
        let mut statement = connection
            .prepare_cached(&format!("SELECT id, at, actor, subject, light, text FROM event {which}"))?;
        let rows = statement.query_map(values, |row| {
            Ok((
                row.get(0)?,
                row.get(1)?,
                row.get(2)?,
                row.get(3)?,
                row.get::<_, Option<String>>(4)?,
                row.get::<_, String>(5)?,
            ))
        })?;
        rows.map(|row| {
            let (id, at, actor, subject, severity, text) = row?;
            Ok(Event {
                id,
                at,
                actor,
                subject,
                severity: severity.map(|l| serde_json::from_str(&l)).transpose()?,
                text: serde_json::from_str(&text)?,
            })
        })
        .collect()
    }
}

pub(super) fn write_event(
    connection: &Connection,
    at: Millis,
    actor: &str,
    subject: &str,
    severity: Option<Severity>,
    text: &Text,
) -> Result<Event, StoreError> {
    let severity_text = severity.map(|l| serde_json::to_string(&l)).transpose()?;
    connection.execute(
        "INSERT INTO event (at, actor, subject, light, text) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![at, actor, subject, severity_text, serde_json::to_string(text)?],
    )?;
    let id = u64::try_from(connection.last_insert_rowid()).unwrap_or(0);
    if id.is_multiple_of(100) {
        let oldest = id.saturating_sub(EVENTS_KEPT);
        connection.execute("DELETE FROM event WHERE id <= ?1", params![oldest])?;
    }
    Ok(Event { id, at, actor: actor.to_owned(), subject: subject.to_owned(), severity, text: text.clone() })
}
