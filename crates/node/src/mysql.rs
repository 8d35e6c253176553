//! The driver of MariaDB. It reaches a database of ours through the unix socket, with the control account; and a
//! database that existed already over TCP, with the account that the operator typed.
//!
//! No handler for `LOCAL INFILE` is installed: a server that asks for one of our files gets an error.

use std::net::SocketAddr;
use std::path::Path;
use std::pin::Pin;
use std::time::Duration;

use cordee_domain::db::promise::ACK_LIMIT;
use cordee_domain::db::verify::sql::identifier;
use cordee_domain::db::verify::{OddTables, TableName};
use cordee_domain::fault::{Cause, Fault};
use cordee_domain::ids::ServerName;
use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, OptsBuilder, Pool, PoolConstraints, PoolOpts};
use tokio::time::timeout;

mod bounded;
mod events;
mod external;
mod freight;
mod gate;
mod kept;
mod look;
mod numbers;
mod replication;
mod watched;

pub(super) use bounded::Bounded;
pub use look::variables;

use gate::Gate;
use kept::{Asked, Kept, Question};

use super::process::failpoint;
use super::trouble;

/// A database that does not answer within this time counts as silent.
const DEADLINE: Duration = Duration::from_millis(1_500);
/// The time limit for a statement that is not essential.
const A_MOMENT: Duration = Duration::from_millis(300);
/// The time limit for work that must not be broken off.
const PATIENT: Duration = Duration::from_secs(20);

/// How many connections Cordée opens to one database at a time, besides the kept ones. Long work uses connections
/// of its own.
const MOST_CONNECTIONS: usize = 11 - kept::MOST;

/// The longest packet of a connection that carries rows: the protocol's own limit.
const PACKET: usize = 1 << 30;
/// The longest packet of a connection that looks and gives orders. Another program may have taken the database's
/// socket, and each packet is held in memory.
const SHORT_PACKET: usize = 16 << 20;
/// Seconds after which MariaDB ends an idle connection. This is its default; it is set explicitly for the same
/// reason.
pub(super) const WAIT: usize = 28_800;

/// Precedes a query that must not be delayed by another session's lock.
const AT_ONCE: &str = "SET STATEMENT max_statement_time=0.2 FOR";

/// The time limit for a query about all tables.
const SURVEY: Duration = Duration::from_millis(4_200);

/// The accounts' names. They are constants, so they can be part of SQL text.
pub mod account {
    /// The account by which Cordée runs the databases.
    pub const CONTROL: &str = "cordee";
    /// The account by which databases replicate from each other.
    pub const REPLICATION: &str = cordee_domain::db::channels::ACCOUNT;
    /// The application's account.
    pub const APP: &str = "site_app";
    /// The application's account with the privilege to alter its tables.
    pub const OWNER: &str = "site_owner";
    /// The account for a program that monitors the databases.
    pub const MONITOR: &str = "site_monitor";
}

/// The application's schema.
pub const SCHEMA: &str = "site";

/// One database.
#[derive(Clone, Debug)]
pub struct Database {
    pool: Pool,
    kept: Kept,
    gate: Gate,
}

/// The result of a query.
type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, mysql_async::Error>> + Send + 'a>>;

/// A peer, with what a channel needs to reach it.
#[derive(Clone, Debug)]
pub struct Peer<'a> {
    /// The peer's name, which is also the channel's.
    pub name: &'a ServerName,
    /// The peer's host.
    pub host: &'a str,
    /// The peer's port.
    pub port: u16,
    /// The password of the replication account.
    pub password: &'a str,
}

impl Database {
    /// A database of ours, reached through its socket. No connection is opened yet.
    pub fn new(socket: &Path, password: &str) -> Self {
        let options = OptsBuilder::default()
            .socket(Some(socket.to_string_lossy()))
            .max_allowed_packet(Some(SHORT_PACKET))
            .wait_timeout(Some(WAIT))
            .user(Some(account::CONTROL))
            .pass(Some(password));
        Self::made(options, Some(socket))
    }

    /// A database that existed already, reached over TCP. No connection is opened yet.
    pub fn over_tcp(address: SocketAddr, user: &str, password: &str) -> Self {
        Self::made(at(address).user(Some(user)).pass(Some(password)), None)
    }

    fn made(options: OptsBuilder, socket: Option<&Path>) -> Self {
        let kept = Kept::new(options.clone(), socket.map(Path::to_path_buf));
        Self { pool: Pool::new(unkept(options)), kept, gate: Gate::default() }
    }

    /// Opens a connection outside the pool, for long work. Dropping it closes it, whatever it was doing.
    pub async fn session(&self) -> Result<Conn, Fault> {
        self.outside(SHORT_PACKET).await
    }

    /// Opens a connection that carries rows of any length.
    pub async fn carrier(&self) -> Result<Conn, Fault> {
        self.outside(PACKET).await
    }

    async fn outside(&self, packet: usize) -> Result<Conn, Fault> {
        within(async {
            let pooled = self.own_conn().await?;
            let options = OptsBuilder::from_opts(pooled.opts().clone());
            Conn::new(options.max_allowed_packet(Some(packet))).await
        })
        .await
    }

    /// Opens the database to the application's writes.
    pub async fn open(&self) -> Result<(), Fault> {
        self.run(&["SET GLOBAL read_only=0".to_owned()]).await
    }

    /// Closes the database to the application's writes, and ends the application's connections.
    pub async fn close(&self) -> Result<(), Fault> {
        // From now on no scheduled event begins. If that statement fails, `read_only` is what counts.
        let _ = timeout(A_MOMENT, self.run(&["SET GLOBAL event_scheduler=OFF".to_owned()])).await;
        self.run(&["SET GLOBAL read_only=1".to_owned()]).await?;
        within(async {
            let mut conn = self.own_conn().await?;
            let ids: Vec<u64> = conn
                .all_with(
                    // An event runs on a connection of its definer, whichever account that is, and shows the
                    // command `Connect` while it runs. A connection that is signing in shows it too; that may be
                    // Cordée's own or a channel's.
                    "SELECT ID FROM information_schema.PROCESSLIST WHERE USER IN (?, ?) OR (COMMAND = 'Connect' AND \
                     USER NOT IN (SUBSTRING_INDEX(USER(), '@', 1), ?, ?, 'system user', 'unauthenticated user', \
                     'event_scheduler'))",
                    (account::APP, account::OWNER, account::CONTROL, account::REPLICATION),
                )
                .await?;
            end(&mut conn, &ids).await;
            Ok(())
        })
        .await
    }

    /// Ends connections.
    pub async fn end(&self, ids: &[u64]) -> Result<(), Fault> {
        within(async {
            end(&mut self.own_conn().await?, ids).await;
            Ok(())
        })
        .await
    }

    /// Makes the writer wait for a standby's ACK, or not.
    pub async fn set_semi_sync(&self, on: bool) -> Result<(), Fault> {
        let mut statements = vec![format!("SET GLOBAL rpl_semi_sync_master_enabled={}", u8::from(on))];
        if on {
            // Databases of ours have these settings from their files.
            let terms = [
                "SET GLOBAL rpl_semi_sync_master_wait_point=AFTER_SYNC".to_owned(),
                "SET GLOBAL rpl_semi_sync_master_wait_no_slave=0".to_owned(),
                format!("SET GLOBAL rpl_semi_sync_master_timeout={ACK_LIMIT}"),
            ];
            statements.splice(0..0, terms);
        }
        self.run(&statements).await
    }

    /// Runs statements that Cordée itself composes.
    pub async fn run(&self, statements: &[String]) -> Result<(), Fault> {
        within(async {
            let mut conn = self.own_conn().await?;
            for statement in statements {
                conn.query_drop(statement).await?;
            }
            Ok(())
        })
        .await
    }

    /// Returns the tables of applications that need attention: those without a primary key, and MEMORY tables. The
    /// query opens no table: with thousands of tables that would take seconds (`TABLE_CONSTRAINTS` opens each).
    pub async fn odd_tables(&self) -> Result<OddTables, Fault> {
        within_limit(SURVEY, async {
            let mut conn = self.own_conn().await?;
            let rows: Vec<(String, String, bool, bool, bool)> = conn
                .all(
                    "SET STATEMENT max_statement_time=4 FOR \
                     SELECT t.TABLE_SCHEMA, t.TABLE_NAME, IFNULL(k.first, 0), IFNULL(t.ENGINE = 'MEMORY', 0), \
                     IFNULL(k.other, 0) FROM information_schema.TABLES t LEFT JOIN \
                     (SELECT TABLE_SCHEMA, TABLE_NAME, MAX(INDEX_NAME = 'PRIMARY') AS first, \
                      MAX(INDEX_NAME <> 'PRIMARY') AS other FROM information_schema.STATISTICS \
                      WHERE NON_UNIQUE = 0 GROUP BY 1, 2) k \
                     ON k.TABLE_SCHEMA = t.TABLE_SCHEMA AND k.TABLE_NAME = t.TABLE_NAME \
                     WHERE t.TABLE_TYPE = 'BASE TABLE' AND t.TABLE_SCHEMA NOT IN \
                     ('mysql', 'information_schema', 'performance_schema', 'sys', 'cordee') ORDER BY 1, 2",
                )
                .await?;
            let mut odd = OddTables { all: u64::try_from(rows.len()).unwrap_or(u64::MAX), ..OddTables::default() };
            for (schema, table, key, memory, unique) in rows {
                odd.unique += u64::from(unique);
                let name = TableName { schema, table };
                if memory {
                    odd.memory.push(name.clone());
                }
                if !key {
                    odd.keyless.push(name);
                }
            }
            odd.sequences = sequences(&mut conn).await?;
            Ok(odd)
        })
        .await
    }

    /// Writes this database's own heartbeat row and returns its GTID. A database that has come back with another
    /// server id writes nothing: its row would take a sequence number of the server that has that id (the channels
    /// of the others stop with 1950). A heartbeat whose connection was ended is written again: it overwrites the row,
    /// whether the first one was committed or not.
    pub async fn beat(&self, id: u32) -> Result<String, Fault> {
        self.ask(Question::Ask, DEADLINE, |asked| {
            Box::pin(async move {
                // The session took these values at its login and writes with them; the server may have others by
                // now.
                asked
                    .conn
                    .exec_drop(
                        "INSERT INTO cordee.heartbeat (server_id, beat) SELECT @@server_id, UTC_TIMESTAMP(6) \
                         FROM DUAL WHERE @@server_id = ? AND @@gtid_domain_id = ? \
                         AND @@GLOBAL.server_id = @@server_id AND @@GLOBAL.gtid_domain_id = @@gtid_domain_id \
                         ON DUPLICATE KEY UPDATE beat = VALUES(beat)",
                        (id, id),
                    )
                    .await?;
                // The session's last GTID may be that of an earlier heartbeat.
                if asked.conn.affected_rows() == 0 {
                    *asked.spent = true;
                    return Ok(String::new());
                }
                let gtid: Option<String> = asked.conn.query_first("SELECT @@last_gtid").await?;
                Ok(gtid.unwrap_or_default())
            })
        })
        .await
    }

    /// Waits up to a second until the database has applied `gtid`. Returns `false` if it has not by then.
    pub async fn reaches(&self, gtid: &str) -> Result<bool, Fault> {
        // A wait that does not get the gate within the time limit does not begin.
        let Ok(_unset) = timeout(DEADLINE, self.gate.wait()).await else { return Ok(false) };
        self.ask(Question::Ask, DEADLINE, |asked| {
            let gtid = gtid.to_owned();
            Box::pin(async move {
                let reached: Option<i64> =
                    asked.conn.exec_first("SELECT MASTER_GTID_WAIT(?, 1.0)", (gtid,)).await?;
                Ok(reached == Some(0))
            })
        })
        .await
    }

    /// Returns the milliseconds since the heartbeat that this database holds of another one was written.
    pub async fn beat_age(&self, server_id: u32) -> Result<Option<u64>, Fault> {
        self.ask(Question::Ask, DEADLINE, |asked| {
            Box::pin(async move {
                let age: Option<Option<u64>> = asked
                    .conn
                    .exec_first(
                        "SELECT GREATEST(0, TIMESTAMPDIFF(MICROSECOND, beat, UTC_TIMESTAMP(6)) DIV 1000) \
                         FROM cordee.heartbeat WHERE server_id = ?",
                        (server_id,),
                    )
                    .await?;
                Ok(age.flatten())
            })
        })
        .await
    }
}

/// A statement that changes a database uses a connection that is not kept: its login proves that it reaches the
/// intended database.
fn unkept(options: OptsBuilder) -> OptsBuilder {
    let limits = PoolConstraints::new(0, MOST_CONNECTIONS).unwrap_or_default();
    options.pool_opts(PoolOpts::default().with_constraints(limits))
}

async fn within<T>(work: impl Future<Output = Result<T, mysql_async::Error>>) -> Result<T, Fault> {
    within_limit(DEADLINE, work).await
}

/// Connects to an address, and to nothing else. By default the library switches to the unix socket that a database
/// on this machine names. The accounts for addresses are unknown there, and each try adds a line to the database's
/// log.
pub fn at(address: SocketAddr) -> OptsBuilder {
    OptsBuilder::default()
        .max_allowed_packet(Some(SHORT_PACKET))
        .ip_or_hostname(address.ip().to_string())
        .tcp_port(address.port())
        .prefer_socket(false)
}

async fn within_limit<T>(
    limit: Duration,
    work: impl Future<Output = Result<T, mysql_async::Error>>,
) -> Result<T, Fault> {
    match timeout(limit, work).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(explain(&error)),
        Err(_) => Err(Fault::Silent),
    }
}

/// Reports whether the code is one of MariaDB's numbers for a full disk: disk full, an error on writing a file, no
/// space left on the device, table full.
pub const fn disk_full(code: u32) -> bool {
    matches!(code, 3 | 28 | 1021 | 1026 | 1114)
}

/// Returns the server's error number, or that the server could not be reached. Its words may quote data, so they
/// are not passed on.
pub fn explain(error: &mysql_async::Error) -> Fault {
    match error {
        mysql_async::Error::Server(server) => match server.code {
            1040 => Fault::TooMany,
            code if disk_full(u32::from(code)) => Fault::DatabaseFull(code),
            code => Fault::Database(code),
        },
        mysql_async::Error::Io(mysql_async::IoError::Io(error)) => {
            trouble::own(error).unwrap_or_else(|| Fault::Unreachable(Cause::of(error)))
        }
        _ => Fault::Broken,
    }
}

/// Returns the sequences with an increment of their own: with `INCREMENT 0` a sequence numbers as the database
/// does. Each sequence is a table of its own.
async fn sequences(conn: &mut Conn) -> Result<Vec<TableName>, mysql_async::Error> {
    let names: Vec<(String, String)> = conn
        .all(
            "SELECT TABLE_SCHEMA, TABLE_NAME FROM information_schema.TABLES WHERE TABLE_TYPE = 'SEQUENCE' \
             ORDER BY 1, 2 LIMIT 200",
        )
        .await?;
    let mut all = Vec::new();
    for (schema, table) in names {
        let from = format!("{}.{}", identifier(&schema), identifier(&table));
        let step: Option<i64> = conn.query_first(format!("SELECT increment FROM {from}")).await?;
        if step != Some(0) {
            all.push(TableName { schema, table });
        }
    }
    Ok(all)
}

async fn end(conn: &mut Conn, ids: &[u64]) {
    for id in ids {
        // A connection that ended meanwhile is no error.
        let _ = conn.query_drop(format!("KILL CONNECTION {id}")).await;
    }
}
