//! A look at a database: the full look reads everything that is shown and decided on, the short one only what
//! concerns the durability promise.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use cordee_domain::db::detail::settings;
use cordee_domain::db::events::Events;
use cordee_domain::db::{Channel, DatabaseSeen, Position, Thread, channels, stalled};
use cordee_domain::fault::Fault;
use cordee_domain::ids::ServerName;
use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, Row};

use super::{AT_ONCE, Asked, Bounded as _, DEADLINE, Database, PATIENT, Question, account, events, explain};

/// MariaDB's error for a connection that was killed (`ER_CONNECTION_KILLED`).
const ENDED: u32 = 1927;
/// MariaDB's client library numbers its own errors from here on: connection refused, lost, timed out.
const CLIENT_ERRORS: u32 = 2_000;

/// Errors for an event without the expected semi-sync mark, or with an unexpected one.
const DAMAGED_EVENT: [u32; 2] = [1593, 1595];

impl Database {
    /// Reads everything that is shown and decided on.
    pub async fn look(&self) -> Result<DatabaseSeen, Fault> {
        self.look_within(DEADLINE).await
    }

    /// Takes the first look at a database that was just started. The database reads its positions from a table
    /// then; a connection that is dropped meanwhile can leave it waiting forever (seen once, 10.11).
    pub async fn first_look(&self) -> Result<DatabaseSeen, Fault> {
        self.look_within(PATIENT).await
    }

    async fn look_within(&self, limit: Duration) -> Result<DatabaseSeen, Fault> {
        // This wait is outside the time limit: if Cordée itself is setting the position, the database is not
        // silent.
        let _unset = self.gate.read().await;
        let started = Instant::now();
        let mut seen = self.ask(Question::Look, limit, |asked| Box::pin(read(asked))).await?;
        seen.duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        Ok(seen)
    }

    /// Takes a short look: whether the database accepts writes, and under which promise. All other fields stay
    /// empty.
    pub async fn pulse(&self) -> Result<DatabaseSeen, Fault> {
        self.ask(Question::Ask, DEADLINE, |asked| Box::pin(promised(asked.conn))).await
    }
}

async fn promised(conn: &mut Conn) -> Result<DatabaseSeen, mysql_async::Error> {
    let row: Option<(bool, bool, String)> =
        conn.query_first("SELECT @@read_only, @@rpl_semi_sync_master_enabled, @@gtid_binlog_pos").await?;
    let (read_only, semi_sync, written) = row.ok_or_else(|| mysql_async::Error::Other("no row".into()))?;
    let status: Vec<(String, String)> =
        conn.all("SHOW GLOBAL STATUS LIKE 'Rpl\\_semi\\_sync\\_master\\_%s'").await?;
    let value = |name: &str| status.iter().find(|(n, _)| n == name).map_or("", |(_, v)| v.as_str());
    Ok(DatabaseSeen {
        read_only,
        semi_sync,
        written: Position::parse(&written).unwrap_or_default(),
        in_force: value("Rpl_semi_sync_master_status") == "ON",
        acknowledging: value("Rpl_semi_sync_master_clients").parse().unwrap_or(0),
        ..DatabaseSeen::default()
    })
}

async fn read(Asked { conn, spent }: Asked<'_>) -> Result<DatabaseSeen, mysql_async::Error> {
    // The variables come first: rows that were written with the earlier numbering are then in the log position that
    // is read afterwards.
    let variables = variables(conn).await?;
    let row: Option<Row> = conn
        .query_first(
            "SELECT @@version, @@GLOBAL.server_id, @@read_only, @@gtid_slave_pos, @@gtid_binlog_pos, \
             @@rpl_semi_sync_master_enabled, \
             (SELECT COUNT(*) FROM information_schema.TABLES WHERE (TABLE_SCHEMA, TABLE_NAME) IN \
              (('cordee','heartbeat'),('cordee','event_off'),('site','note'),('site','php_sessions'))), \
             (SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS WHERE \
             VARIABLE_NAME='RPL_SEMI_SYNC_MASTER_CLIENTS'), \
             (SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME='THREADS_CONNECTED'), \
             (SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS WHERE \
             VARIABLE_NAME='RPL_SEMI_SYNC_MASTER_STATUS'), \
             (SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER IN ('site_app', 'site_owner')), \
             @@max_connections, @@rpl_semi_sync_slave_enabled, @@slave_exec_mode, \
             (SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME='UPTIME'), \
             (SELECT GROUP_CONCAT(IFNULL(STATE, '') SEPARATOR '\n') FROM information_schema.PROCESSLIST \
              WHERE COMMAND = 'Slave_worker')",
        )
        .await?;
    let row = row.ok_or_else(|| mysql_async::Error::Other("no row".into()))?;
    let text = |i: usize| row.get_opt::<String, _>(i).and_then(Result::ok).unwrap_or_default();
    let number = |i: usize| text(i).parse::<u32>().unwrap_or(0);
    let channels: Vec<Row> = conn.all("SHOW ALL SLAVES STATUS").await?;
    let semi_sync = number(5) != 0;
    let zoneless = refused(spent, asked(conn, "NOT EXISTS (SELECT 1 FROM mysql.time_zone_name)").await)?;
    let events = match refused(spent, asked(conn, "EXISTS (SELECT 1 FROM mysql.event)").await)? {
        Some(true) => refused(spent, events::all(conn).await)?.unwrap_or_default(),
        _ => Events::default(),
    };
    let senders = if semi_sync { senders(conn).await? } else { BTreeMap::new() };
    Ok(DatabaseSeen {
        version: format!("MariaDB {}", text(0).split('-').next().unwrap_or("")),
        server_id: number(1),
        read_only: number(2) != 0,
        opened_at: None,
        // The two positions are read in this order: a transaction that comes back in between is in the log by then.
        applied: Position::parse(&text(3)).unwrap_or_default(),
        logged: Position::parse(&text(4)).map(|log| log.last(number(1))),
        written: Position::parse(&text(4)).unwrap_or_default(),
        channels: channels.iter().filter_map(channel).collect::<BTreeMap<_, _>>(),
        semi_sync,
        senders,
        acknowledging: number(7),
        schema: number(6) == 4,
        in_force: text(9) == "ON",
        connections: number(8),
        clients: number(10),
        most_connections: number(11),
        acks: number(12) != 0,
        // Idle workers do not count as waiting; without workers the query returns no row.
        waits: stalled::waits(&text(15).lines().collect::<Vec<_>>()),
        stalled_at: None,
        lenient: text(13) != "STRICT",
        uptime_s: text(14).parse().unwrap_or(0),
        events,
        zoneless: zoneless == Some(true),
        duration_ms: 0,
        variables,
    })
}

/// Queries one of MariaDB's own tables. If another session has locked it, the query fails.
async fn asked(conn: &mut Conn, what: &str) -> Result<bool, mysql_async::Error> {
    let found: Option<bool> = conn.query_first(format!("{AT_ONCE} SELECT {what}")).await?;
    Ok(found.unwrap_or(false))
}

/// Turns a refusal into `None`: a table that is crashed or locked leaves the rest of the look as it is.
fn refused<T>(
    spent: &mut bool,
    answer: Result<T, mysql_async::Error>,
) -> Result<Option<T>, mysql_async::Error> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(error @ mysql_async::Error::Server(_)) => {
            tracing::debug!(why = ?explain(&error), "a table of MariaDB's own");
            *spent = true;
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Returns the settings that count, by their names in lower case.
pub async fn variables(conn: &mut Conn) -> Result<BTreeMap<String, String>, mysql_async::Error> {
    let names = settings::NAMES.join("','");
    let rows: Vec<Row> = conn
        .all(format!(
            "SELECT LOWER(VARIABLE_NAME), VARIABLE_VALUE FROM information_schema.GLOBAL_VARIABLES \
             WHERE VARIABLE_NAME IN ('{names}')"
        ))
        .await?;
    let text = |row: &Row, i: usize| row.get_opt::<String, _>(i).and_then(Result::ok).unwrap_or_default();
    Ok(rows.iter().map(|row| (text(row, 0), text(row, 1))).collect())
}

/// Returns the connections over which the database sends its log to its replicas; a connection that is ending is
/// not among them.
async fn senders(conn: &mut Conn) -> Result<BTreeMap<u64, u64>, mysql_async::Error> {
    let rows: Vec<(u64, i64)> = conn
        .all_with(
            "SELECT ID, CAST(TIME AS SIGNED) FROM information_schema.PROCESSLIST \
             WHERE COMMAND = 'Binlog Dump' AND USER = ?",
            (account::REPLICATION,),
        )
        .await?;
    Ok(rows.into_iter().map(|(id, seconds)| (id, u64::try_from(seconds).unwrap_or(0))).collect())
}

/// Parses one row of `SHOW ALL SLAVES STATUS` by column names: the order of columns differs between versions.
fn channel(row: &Row) -> Option<(ServerName, Channel)> {
    let text = |name: &str| row.get_opt::<String, _>(name).and_then(Result::ok).unwrap_or_default();
    let number = |name: &str| text(name).parse::<u32>().unwrap_or(0);
    let name = ServerName::parse(&text("Connection_name")).ok()?;
    let receiving = match text("Slave_IO_Running").as_str() {
        "Yes" => Thread::Running,
        "Connecting" | "Preparing" => Thread::Connecting,
        _ => Thread::Stopped,
    };
    // If somebody killed a worker, it rolled back what it had begun, provided that the tables are transactional:
    // the channel continues from its position.
    let sql = Some(number("Last_SQL_Errno")).filter(|code| *code != ENDED).unwrap_or(0);
    // An error of the receiver that it retries by itself is a state, not a stop. An error of the client library
    // (2000 and above) remains displayed after a channel was stopped while its peer was away. A damaged event is
    // what the other channels report when one ends by itself (see `between_receiving`): it is received again,
    // complete.
    let io = number("Last_IO_Errno");
    let lasting = receiving == Thread::Stopped && io < CLIENT_ERRORS && !DAMAGED_EVENT.contains(&io);
    let io = if lasting { io } else { 0 };
    Some((
        name,
        Channel {
            receiving,
            applying: text("Slave_SQL_Running") == "Yes",
            error: if sql == 0 { io } else { sql },
            received: Position::parse(&text("Gtid_IO_Pos")).unwrap_or_default(),
            heartbeats: text("Slave_received_heartbeats").parse().unwrap_or(0),
            heard_at: None,
            delay_ms: None,
            terms: channels::COLUMNS.iter().map(|name| ((*name).to_owned(), text(name))).collect(),
        },
    ))
}
