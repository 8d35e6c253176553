//! MariaDB: one of ours through its unix socket, by the control account; somebody else's over TCP, by the account that
//! a person typed.
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

/// A database that does not answer in this time is not answering.
const DEADLINE: Duration = Duration::from_millis(1_500);
/// For what is tried on the way.
const A_MOMENT: Duration = Duration::from_millis(300);
/// For what must not be broken off.
const PATIENT: Duration = Duration::from_secs(20);

/// Of ours to one database at a time, beside those that are kept. Long work has connections of its own.
const MOST_CONNECTIONS: usize = 11 - kept::MOST;

/// The longest packet of a connection that carries rows: the protocol's own limit.
const PACKET: usize = 1 << 30;
/// The longest packet of one that looks and gives orders. Whoever answers at a database's socket may be somebody who
/// took its place, and each packet is held in memory.
const SHORT_PACKET: usize = 16 << 20;
/// Seconds after which MariaDB ends a connection that says nothing: its default, named for the same reason.
pub(super) const WAIT: usize = 28_800;

/// Before a question that somebody's lock must not hold up.
const AT_ONCE: &str = "SET STATEMENT max_statement_time=0.2 FOR";

/// A question about all tables.
const SURVEY: Duration = Duration::from_millis(4_200);

/// The accounts' names. Fixed, so that they can stand in SQL text.
pub mod account {
    /// By which Cordée runs the databases.
    pub const CONTROL: &str = "cordee";
    /// By which databases copy each other.
    pub const REPLICATION: &str = cordee_domain::db::channels::ACCOUNT;
    /// The application's.
    pub const APP: &str = "site_app";
    /// The application's, with the right to alter its tables.
    pub const OWNER: &str = "site_owner";
    /// For whoever watches the databases from outside.
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

/// What a question comes to.
type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, mysql_async::Error>> + Send + 'a>>;

/// A peer as a channel needs it.
#[derive(Clone, Debug)]
pub struct Peer<'a> {
    /// Its name, which is the channel's.
    pub name: &'a ServerName,
    /// Where it listens.
    pub host: &'a str,
    /// On which port.
    pub port: u16,
    /// Password of the replication account.
    pub password: &'a str,
}

impl Database {
    /// A database behind its socket. Nothing is opened yet.
    pub fn new(socket: &Path, password: &str) -> Self {
        let options = OptsBuilder::default()
            .socket(Some(socket.to_string_lossy()))
            .max_allowed_packet(Some(SHORT_PACKET))
            .wait_timeout(Some(WAIT))
            .user(Some(account::CONTROL))
            .pass(Some(password));
        Self::made(options, Some(socket))
    }

    /// Somebody else's. Nothing is opened yet.
    pub fn over_tcp(address: SocketAddr, user: &str, password: &str) -> Self {
        Self::made(at(address).user(Some(user)).pass(Some(password)), None)
    }

    fn made(options: OptsBuilder, socket: Option<&Path>) -> Self {
        let kept = Kept::new(options.clone(), socket.map(Path::to_path_buf));
        Self { pool: Pool::new(unkept(options)), kept, gate: Gate::default() }
    }

    /// A connection outside the pool, for long work: it is closed when it is dropped, whatever it was doing.
    pub async fn session(&self) -> Result<Conn, Fault> {
        self.outside(SHORT_PACKET).await
    }

    /// One that carries rows, however long they are.
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

    /// Opens it to applications.
    pub async fn open(&self) -> Result<(), Fault> {
        self.run(&["SET GLOBAL read_only=0".to_owned()]).await
    }

    /// Closes it to applications, and ends what they have open.
    pub async fn close(&self) -> Result<(), Fault> {
        // No event begins any more; where that cannot be said, the closed door is what counts.
        let _ = timeout(A_MOMENT, self.run(&["SET GLOBAL event_scheduler=OFF".to_owned()])).await;
        self.run(&["SET GLOBAL read_only=1".to_owned()]).await?;
        within(async {
            let mut conn = self.own_conn().await?;
            let ids: Vec<u64> = conn
                .all_with(
                    // An event that runs is a connection of its definer's, whoever that is, and only it says `Connect`
                    // then; so does one that signs in, which may be Cordée's own or a channel's.
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

    /// Has the writer wait for a standby's ACK, or not.
    pub async fn set_semi_sync(&self, on: bool) -> Result<(), Fault> {
        let mut statements = vec![format!("SET GLOBAL rpl_semi_sync_master_enabled={}", u8::from(on))];
        if on {
            // Ours have them from their files.
            let terms = [
                "SET GLOBAL rpl_semi_sync_master_wait_point=AFTER_SYNC".to_owned(),
                "SET GLOBAL rpl_semi_sync_master_wait_no_slave=0".to_owned(),
                format!("SET GLOBAL rpl_semi_sync_master_timeout={ACK_LIMIT}"),
            ];
            statements.splice(0..0, terms);
        }
        self.run(&statements).await
    }

    /// Runs statements of our own making.
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

    /// The tables of applications that ask for a word: without a primary key, or in memory. Nothing is opened for it:
    /// with thousands of tables that would take seconds (`TABLE_CONSTRAINTS` opens each).
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

    /// Writes this database's own heartbeat row, and says at which GTID. One that has meanwhile come back under another
    /// id writes nothing: its row would carry a number of whoever has that id (the others' channels stop with 1950).
    /// A beat whose connection was ended is written again: it overwrites the row, whether the first one came through.
    pub async fn beat(&self, id: u32) -> Result<String, Fault> {
        self.ask(Question::Ask, DEADLINE, |asked| {
            Box::pin(async move {
                // The session has them from its login, and writes under them; the server may have others by now.
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
                // The last one that this session wrote may be that of an earlier beat.
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

    /// Waits up to a second until it has applied `gtid`. `false` when it has not by then.
    pub async fn reaches(&self, gtid: &str) -> Result<bool, Fault> {
        // Whoever does not get to it before the limit is over does not begin.
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

    /// Milliseconds since the heartbeat that it has of another database was written.
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

/// What changes a database has a connection of its own, which is not kept: a login proves that it is the one that is
/// meant.
fn unkept(options: OptsBuilder) -> OptsBuilder {
    let limits = PoolConstraints::new(0, MOST_CONNECTIONS).unwrap_or_default();
    options.pool_opts(PoolOpts::default().with_constraints(limits))
}

async fn within<T>(work: impl Future<Output = Result<T, mysql_async::Error>>) -> Result<T, Fault> {
    within_limit(DEADLINE, work).await
}

/// A connection to an address, and to nothing else: by itself the library goes over to the socket that a database on
/// this machine names, where the accounts of addresses are unknown, and each try is a line in the database's log.
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

/// Whether that is MariaDB's number for a full disk: disk full, an error on writing a file, no space left on the
/// device, table full.
pub const fn disk_full(code: u32) -> bool {
    matches!(code, 3 | 28 | 1021 | 1026 | 1114)
}

/// The server's error number, or that it could not be reached. Its words may quote data: they are not passed on.
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

/// Sequences that number by themselves: with `INCREMENT 0` they number as the database does. Each is a table of its
/// own.
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
        // One that ended meanwhile is fine.
        let _ = conn.query_drop(format!("KILL CONNECTION {id}")).await;
    }
}
