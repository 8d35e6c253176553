//! The writes of a drill: one after the other, through the address that always leads to the writer, as the site
//! itself writes. Each write inserts a row of its own, so that in the end every acknowledged one can be looked up.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use cordee_domain::drill::Fate;
use cordee_domain::text::Text;
use cordee_node::mysql::{Database, SCHEMA, account, explain};
use cordee_node::secrets::Secrets;
use mysql_async::prelude::Queryable as _;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::traffic::{Note, Over};

/// The interval between two writes.
const PACE: Duration = Duration::from_millis(50);
/// The table. It is kept: creating it for each drill would be the only schema change that the site ever sees.
const TABLE: &str = "cordee_drill";

/// The client that writes.
#[derive(Clone, Debug)]
pub(super) struct Writer(Database);

impl Writer {
    /// Creates the table if it does not exist, and empties it.
    pub(super) async fn prepare(to: SocketAddr, secrets: &Secrets) -> Result<Self, Text> {
        let owner = Database::over_tcp(to, account::OWNER, &secrets.owner);
        let make = format!(
            "CREATE TABLE IF NOT EXISTS {SCHEMA}.{TABLE} (n INT UNSIGNED NOT NULL PRIMARY KEY) ENGINE=InnoDB"
        );
        owner.run(&[make]).await?;
        let writer = Self(Database::over_tcp(to, account::APP, &secrets.app));
        writer.clear().await?;
        Ok(writer)
    }

    /// Deletes the rows.
    pub(super) async fn clear(&self) -> Result<(), Text> {
        Ok(self.0.run(&[format!("DELETE FROM {SCHEMA}.{TABLE}")]).await?)
    }

    /// Writes until `stop`, and returns the numbers that were acknowledged.
    pub(super) async fn write(
        self,
        notes: mpsc::Sender<Note>,
        mut stop: watch::Receiver<bool>,
    ) -> BTreeSet<u32> {
        let mut acknowledged = BTreeSet::new();
        let mut pace = interval(PACE);
        pace.set_missed_tick_behavior(MissedTickBehavior::Skip);
        for n in 0_u32.. {
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => break,
                _ = pace.tick() => {}
            }
            let begun = Instant::now();
            let result = self.0.run(&[format!("INSERT INTO {SCHEMA}.{TABLE} (n) VALUES ({n})")]).await;
            let fate = if result.is_ok() { Fate::Answered } else { Fate::Unanswered };
            let _ = notes.send(Note::Write(Over::new(fate, begun))).await;
            if result.is_ok() {
                acknowledged.insert(n);
            }
        }
        acknowledged
    }

    /// Returns how many acknowledged rows are missing.
    pub(super) async fn missing(&self, acknowledged: &BTreeSet<u32>) -> Result<u32, Text> {
        let mut conn = self.0.session().await?;
        let rows: Vec<u32> =
            conn.query(format!("SELECT n FROM {SCHEMA}.{TABLE}")).await.map_err(|e| explain(&e))?;
        let there: BTreeSet<u32> = rows.into_iter().collect();
        Ok(u32::try_from(acknowledged.difference(&there).count()).unwrap_or(u32::MAX))
    }
}
