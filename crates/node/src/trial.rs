//! What the comparison of sessions does to the databases of its own cluster.

use std::collections::BTreeMap;
use std::time::Duration;

use cordee_domain::fault::Fault;
use cordee_domain::ids::ServerName;
use cordee_domain::text;
use mysql_async::prelude::Queryable as _;
use tokio::time::{Instant, sleep};

use super::mysql::{Database, SCHEMA, explain};

/// The table of the session handler without a lock.
pub const UNLOCKED_TABLE: &str = "trial_sessions";

/// How often delaying a channel is tried again if the cluster starts the channel in between.
const TRIES: u32 = 20;

/// Makes the table of the session handler without a lock.
pub async fn make_table(database: &Database) -> Result<(), Fault> {
    let table = format!(
        "CREATE TABLE IF NOT EXISTS {SCHEMA}.{UNLOCKED_TABLE} (id VARBINARY(128) NOT NULL PRIMARY KEY, \
         data MEDIUMBLOB NOT NULL, time INT UNSIGNED NOT NULL) ENGINE=InnoDB"
    );
    database.run(&[table]).await
}

/// Makes a channel apply what it receives only after some seconds (`MASTER_DELAY`, MariaDB 10.2.3).
pub async fn hold_back(database: &Database, from: &ServerName, seconds: u32) -> Result<(), Fault> {
    let statements = [
        format!("STOP SLAVE '{from}'"),
        // The heartbeat period is set again, because otherwise MariaDB sets its default period; Cordée would then
        // set up the channel again.
        format!("CHANGE MASTER '{from}' TO MASTER_DELAY={seconds}, MASTER_HEARTBEAT_PERIOD=1"),
        format!("START SLAVE '{from}'"),
    ];
    let mut tries = 1;
    // The cluster starts a stopped channel, and then the delay cannot be set.
    while let Err(why) = database.run(&statements).await {
        if tries == TRIES {
            return Err(why);
        }
        tries += 1;
        sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

/// Waits until the database accepts writes.
pub async fn opened(database: &Database, limit: Duration) -> Result<(), Fault> {
    let deadline = Instant::now() + limit;
    while database.look().await?.read_only {
        if Instant::now() >= deadline {
            return Err(text!("trial-sandbox").into());
        }
        sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

/// Returns every row of a table of sessions: its id, and a hash of its data.
pub async fn rows(database: &Database, table: &str) -> Result<BTreeMap<String, String>, Fault> {
    let mut conn = database.session().await?;
    let query = format!("SELECT HEX(id), MD5(data) FROM {SCHEMA}.{table}");
    let rows: Vec<(String, String)> = conn.query(query).await.map_err(|e| explain(&e))?;
    Ok(rows.into_iter().collect())
}

/// Waits until `on` has everything that `from` has written by now, or until its channel has stopped. Returns
/// whether the channel runs and `on` has everything.
pub async fn settle(
    on: &Database,
    from: &Database,
    name: &ServerName,
    limit: Duration,
) -> Result<bool, Fault> {
    let deadline = Instant::now() + limit;
    let target = from.look().await?;
    loop {
        let seen = on.look().await?;
        let runs = seen.channels.get(name).is_some_and(|l| l.error == 0 && l.applying);
        let has = seen.holds(target.server_id) >= target.written.last(target.server_id);
        if !runs || has || Instant::now() >= deadline {
            return Ok(runs && has);
        }
        sleep(Duration::from_millis(100)).await;
    }
}
