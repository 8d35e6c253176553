//! Scheduled events: which exist, and on which database they run.

use cordee_domain::db::events::{Event, Events, NOTES, SCHEDULER, State, Turn, before, statement};
use cordee_domain::db::verify::TableName;
use cordee_domain::fault::Fault;
use mysql_async::Conn;
use mysql_async::prelude::Queryable as _;

use super::{AT_ONCE, Bounded as _, Database, PATIENT, explain, within, within_limit};

/// Schema, name, definer, state, character set and collation of one event.
type Made = (String, String, String, String, Option<String>, Option<String>);

/// Returns the events that exist, and those that are noted as switched off.
pub(super) async fn all(conn: &mut Conn) -> Result<Events, mysql_async::Error> {
    let rows: Vec<Made> = conn
        .all(format!(
            "{AT_ONCE} SELECT db, name, definer, status, character_set_client, collation_connection \
             FROM mysql.event"
        ))
        .await?;
    let event = |(schema, table, definer, state, set, collation): Made| {
        let state = State::parse(&state)?;
        let words = (set.unwrap_or_default(), collation.unwrap_or_default());
        Some((TableName { schema, table }, Event { state, definer, words }))
    };
    let there: Option<u8> = conn
        .exec_first(
            "SELECT 1 FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'cordee' AND TABLE_NAME = ?",
            (NOTES,),
        )
        .await?;
    let off: Vec<(String, String)> = match there {
        Some(_) => conn.all(format!("{AT_ONCE} SELECT schema_name, event_name FROM cordee.{NOTES}")).await?,
        None => Vec::new(),
    };
    let off = off.into_iter().map(|(schema, table)| TableName { schema, table });
    Ok(Events { all: rows.into_iter().filter_map(event).collect(), off: off.collect() })
}

/// The server parses the statement in the character set of this connection, and executes it in the event's.
async fn set_state(conn: &mut Conn, name: &TableName, event: &Event) -> Result<(), mysql_async::Error> {
    conn.query_drop("SET NAMES utf8mb4").await?;
    let statement = conn.prep(statement(name, event)).await?;
    if let Some(before) = before(event) {
        conn.query_drop(before).await?;
    }
    conn.exec_drop(statement, ()).await
}

impl Database {
    /// Turns the scheduler on or off, and sets the state of single events on this database alone. Notes which
    /// events are switched off; the notes are replicated to all databases.
    pub async fn follow_events(&self, scheduler: Option<bool>, turns: &[Turn]) -> Result<(), Fault> {
        // Switching off comes first: an event that runs elsewhere must not begin here as well.
        let turn = |on: bool| [format!("SET GLOBAL {SCHEDULER}={}", if on { "ON" } else { "OFF" })];
        if scheduler == Some(false) {
            self.run(&turn(false)).await?;
        }
        let states = self.set_states(turns).await;
        let notes = self.note(turns).await;
        if scheduler == Some(true) {
            self.run(&turn(true)).await?;
        }
        states.and(notes)
    }

    /// Sets the states of events. A refusal of one does not keep the others from being set.
    async fn set_states(&self, turns: &[Turn]) -> Result<(), Fault> {
        let states: Vec<(&TableName, &Event)> = turns
            .iter()
            .filter_map(|turn| match turn {
                Turn::Set(name, event) => Some((name, event)),
                _ => None,
            })
            .collect();
        if states.is_empty() {
            return Ok(());
        }
        let mut conn = self.session().await?;
        within_limit(PATIENT, async {
            conn.query_drop("SET SESSION sql_log_bin=0").await?;
            let mut refused = None;
            for (name, event) in states {
                if let Err(error) = set_state(&mut conn, name, event).await {
                    tracing::warn!(why = ?explain(&error), "an event");
                    refused = Some(error);
                }
            }
            refused.map_or(Ok(()), Err)
        })
        .await
    }

    async fn note(&self, turns: &[Turn]) -> Result<(), Fault> {
        within(async {
            let mut conn = self.own_conn().await?;
            for turn in turns {
                let (sql, name) = match turn {
                    Turn::Note(name) => (format!("INSERT IGNORE INTO cordee.{NOTES} VALUES (?, ?)"), name),
                    Turn::Strike(name) => {
                        (format!("DELETE FROM cordee.{NOTES} WHERE schema_name = ? AND event_name = ?"), name)
                    }
                    Turn::Set(..) => continue,
                };
                conn.exec_drop(sql, (&name.schema, &name.table)).await?;
            }
            Ok(())
        })
        .await
    }
}
