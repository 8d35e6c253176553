//! The table of the visitors' sessions.

use std::net::SocketAddr;
use std::time::Duration;

use cordee_domain::fault::Fault;
use mysql_async::Conn;
use mysql_async::prelude::Queryable as _;

use super::mysql::{SCHEMA, account, at, explain};

/// How many rows one statement removes: a larger one would delay replication on the standbys.
const BATCH: u64 = 1_000;
/// How many statements run in a row; the remaining rows can wait.
const BATCHES: u32 = 20;
const DEADLINE: Duration = Duration::from_secs(10);

/// Removes expired sessions, oldest first, and returns how many.
///
/// It uses the application's account and the writer's address: if another database has become the writer when the
/// statement arrives, the database that is closed to writes refuses it. Two databases that delete the same rows
/// would stop each other's replication.
pub async fn purge(writer: SocketAddr, password: &str) -> Result<u64, Fault> {
    let work = async {
        let options = at(writer).user(Some(account::APP)).pass(Some(password)).db_name(Some(SCHEMA));
        let mut conn = Conn::new(options).await?;
        let mut gone = 0;
        for _ in 0..BATCHES {
            conn.query_drop(format!(
                "DELETE FROM php_sessions WHERE expires <= UNIX_TIMESTAMP() ORDER BY expires LIMIT {BATCH}"
            ))
            .await?;
            gone += conn.affected_rows();
            if conn.affected_rows() < BATCH {
                break;
            }
        }
        conn.disconnect().await?;
        Ok(gone)
    };
    match tokio::time::timeout(DEADLINE, work).await {
        Ok(result) => result.map_err(|error: mysql_async::Error| explain(&error)),
        Err(_) => Err(Fault::Silent),
    }
}
