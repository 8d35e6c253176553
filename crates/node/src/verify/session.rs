//! One database during a verification: a connection of its own, on which every statement has a time limit.

mod rows;

use std::time::Duration;

use cordee_domain::db::Gtids;
use cordee_domain::db::verify::sql::{self, Sql};
use cordee_domain::db::verify::{
    Chunk, Column, Digest, Key, RowSeen, Table, TableName, Tables, without_domain,
};
use cordee_domain::fault::Fault;
use cordee_domain::ids::ServerName;
use cordee_domain::text;
use cordee_domain::text::Text;
use mysql_async::prelude::{FromValue, Queryable as _};
use mysql_async::{Conn, Params, Row, Value};
use tokio::time::timeout;

use super::Node;
use crate::mysql::explain;

/// The database itself ends a statement of the comparison after this many seconds.
const WALK: f32 = 3.0;
/// The same for a statement that reads which tables exist.
const SURVEY: f32 = 20.0;
/// If there is no answer so long after that, the node counts as gone.
const GRACE: Duration = Duration::from_millis(1_500);

/// Why a statement gave no answer.
#[derive(Debug)]
pub enum Snag {
    /// It took too long, or waited too long for a lock. A smaller chunk or a later try may succeed.
    Slow,
    /// The table was dropped or altered.
    Altered,
    /// The database refuses a row, with that error.
    Refused(u16),
    /// The node cannot go on; the sentence names it.
    Gone(Text),
}

/// One database.
#[derive(Debug)]
pub struct Session {
    /// The database's name.
    pub name: ServerName,
    /// The database's GTID domain.
    pub domain: u32,
    node: Node,
    conn: Conn,
    limit: Duration,
    /// An additional setting of the session, which is also applied after a reconnect.
    besides: Option<&'static str>,
}

impl Session {
    /// Connects, prepares the session, and checks that every table can be read.
    pub async fn open(node: &Node) -> Result<Self, Text> {
        let named = |why: Fault| text!("verify-node", name = &node.name, why = why);
        let conn = node.database.carrier().await.map_err(named)?;
        let mut session = Self {
            name: node.name.clone(),
            domain: 0,
            node: node.clone(),
            conn,
            limit: Duration::from_secs_f32(WALK),
            besides: None,
        };
        let prepared = session.prepare().await;
        prepared.map_err(|fault| session.sentence(fault))?;
        Ok(session)
    }

    /// Does the same on any database except the writer: nothing that this session does is logged.
    pub async fn quiet(node: &Node) -> Result<Self, Text> {
        let mut session = Self::open(node).await?;
        let set = session.set(sql::READING).await;
        set.map_err(|fault| session.sentence(fault))?;
        Ok(session)
    }

    /// Reconnects after a statement was abandoned. Closing the old connection ends its transaction.
    pub async fn reopen(&mut self) -> Result<(), Snag> {
        let besides = self.besides;
        *self = Self::open(&self.node).await.map_err(Snag::Gone)?;
        match besides {
            Some(statement) => self.set(statement).await,
            None => Ok(()),
        }
    }

    /// Applies an additional setting for as long as the session is used.
    async fn set(&mut self, statement: &'static str) -> Result<(), Snag> {
        self.besides = Some(statement);
        self.statement(statement).await
    }

    async fn prepare(&mut self) -> Result<(), Snag> {
        for statement in sql::SESSION {
            self.statement(statement).await?;
        }
        self.limit(WALK).await?;
        let rights = Sql { text: sql::RIGHTS.to_owned(), values: Vec::new() };
        let rows = self.rows(&rights).await?;
        let number = |place| rows.first().and_then(|row| field::<u64>(row, place)).unwrap_or(0);
        self.domain = u32::try_from(number(0)).unwrap_or(0);
        if number(2) == 0 {
            return Err(Snag::Gone(text!("verify-rights", name = &self.name)));
        }
        if number(1) < sql::PACKET {
            return Err(Snag::Gone(text!("verify-packet", name = &self.name, octets = sql::PACKET)));
        }
        Ok(())
    }

    /// Returns a fault that ends the verification as a sentence.
    pub fn sentence(&self, fault: Snag) -> Text {
        match fault {
            Snag::Gone(why) => why,
            Snag::Slow | Snag::Altered | Snag::Refused(_) => {
                text!("verify-node", name = &self.name, why = text!("db-no-answer"))
            }
        }
    }

    /// Begins a transaction in which no statement takes longer than `seconds`, lock waits included.
    pub async fn begin(&mut self, seconds: f32) -> Result<(), Snag> {
        self.limit(seconds).await?;
        self.statement("START TRANSACTION").await
    }

    /// Rolls back: nothing was written, and the locks are released.
    pub async fn end(&mut self) -> Result<(), Snag> {
        self.statement("ROLLBACK").await?;
        self.limit(WALK).await
    }

    /// Sets the time limit of a statement in seconds, lock waits included.
    async fn limit(&mut self, seconds: f32) -> Result<(), Snag> {
        self.limit = Duration::from_secs_f32(seconds);
        self.statement(&format!("SET SESSION max_statement_time={seconds}")).await
    }

    /// Runs a statement without a result.
    async fn statement(&mut self, text: &str) -> Result<(), Snag> {
        let deadline = self.limit + GRACE;
        let answer = timeout(deadline, self.conn.query_drop(text)).await;
        self.judged(answer)
    }

    async fn rows(&mut self, sql: &Sql) -> Result<Vec<Row>, Snag> {
        self.bound(&sql.text, octets(&sql.values)).await
    }

    async fn bound(&mut self, text: &str, values: Vec<Value>) -> Result<Vec<Row>, Snag> {
        let values = if values.is_empty() { Params::Empty } else { Params::Positional(values) };
        let deadline = self.limit + GRACE;
        let answer = timeout(deadline, self.conn.exec(text, values)).await;
        self.judged(answer)
    }

    fn judged<T>(
        &self,
        answer: Result<Result<T, mysql_async::Error>, tokio::time::error::Elapsed>,
    ) -> Result<T, Snag> {
        let why = match answer {
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(mysql_async::Error::Server(error))) => match error.code {
                // Statement time, lock wait, deadlock, row changed since the read view.
                1969 | 1205 | 1213 | 1020 => return Err(Snag::Slow),
                // No such schema, column, table; no such index; definition changed; table being dropped.
                1049 | 1054 | 1146 | 1176 | 1412 | 1932 => return Err(Snag::Altered),
                // Connection killed, query killed, shutdown.
                1927 | 1317 | 1053 => Fault::Unreachable(None),
                _ => explain(&mysql_async::Error::Server(error)),
            },
            Ok(Err(error)) => explain(&error),
            Err(_) => Fault::Silent,
        };
        Err(Snag::Gone(text!("verify-node", name = &self.name, why = why)))
    }

    /// Returns the fault for an answer with an unexpected shape.
    fn strange(&self) -> Snag {
        Snag::Gone(text!("verify-node", name = &self.name, why = Fault::Broken))
    }

    /// Returns every user table.
    pub async fn tables(&mut self) -> Result<Tables, Snag> {
        self.limit(SURVEY).await?;
        let plain = |text: String| Sql { text, values: Vec::new() };
        // Columns and keys of a table that was created in between are ignored; a table that was dropped has none.
        let listed = self.rows(&plain(sql::tables())).await?;
        let columns = self.rows(&plain(sql::columns())).await?;
        let keys = self.rows(&plain(sql::keys())).await?;
        self.limit(WALK).await?;
        let name = |row: &Row| Some(TableName { schema: field(row, 0)?, table: field(row, 1)? });
        let mut tables = Tables::new();
        for row in &listed {
            let name = name(row).ok_or_else(|| self.strange())?;
            let table = Table {
                kind: field(row, 2).unwrap_or_default(),
                engine: field(row, 3),
                rows: field(row, 4).unwrap_or(0),
                row_bytes: field(row, 5).unwrap_or(0),
                ..Table::default()
            };
            tables.insert(name, table);
        }
        for row in &columns {
            if let Some(table) = name(row).and_then(|name| tables.get_mut(&name)) {
                table.columns.push(column(row).ok_or_else(|| self.strange())?);
            }
        }
        for row in &keys {
            if let Some(table) = name(row).and_then(|name| tables.get_mut(&name)) {
                let column = field(row, 2).ok_or_else(|| self.strange())?;
                table.key.push(Key { column, prefix: field::<u8>(row, 3) == Some(1) });
            }
        }
        Ok(tables)
    }

    /// Returns the digest of a chunk.
    pub async fn digest(&mut self, reader: &sql::Reader, chunk: &Chunk) -> Result<Digest, Snag> {
        let rows = self.rows(&reader.digest(chunk)).await?;
        let number = |place| rows.first().and_then(|row| field::<u64>(row, place));
        match (number(0), number(1)) {
            (Some(rows), Some(hash)) => Ok(Digest { rows, hash }),
            _ => Err(self.strange()),
        }
    }

    /// Returns the key of the row that has `skip` rows before it in the chunk.
    pub async fn boundary(
        &mut self,
        reader: &sql::Reader,
        chunk: &Chunk,
        skip: u64,
    ) -> Result<Option<Vec<String>>, Snag> {
        let rows = self.rows(&reader.boundary(chunk, skip)).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        texts(row, 0, row.len()).map(Some).ok_or_else(|| self.strange())
    }

    /// Returns the rows of a small chunk; with `hold` they are locked until the transaction ends.
    pub async fn list(
        &mut self,
        reader: &sql::Reader,
        chunk: &Chunk,
        hold: bool,
    ) -> Result<Vec<RowSeen>, Snag> {
        let width = reader.key().len();
        let rows = self.rows(&reader.rows(chunk, hold)).await?;
        rows.iter()
            .map(|row| {
                Some(RowSeen {
                    hash: field(row, 0)?,
                    key: texts(row, 1, width)?,
                    shown: texts(row, 1 + width, width)?,
                })
            })
            .collect::<Option<Vec<_>>>()
            .ok_or_else(|| self.strange())
    }

    /// Returns everything that the database holds: what it logged, and what it applied or got with its copy. The
    /// log alone is not enough: the log of a copied database lacks what came with the copy.
    pub async fn position(&mut self) -> Result<String, Snag> {
        let gate = self.node.database.gate();
        let _unset = gate.read().await;
        let sql = Sql { text: "SELECT @@gtid_binlog_pos, @@gtid_slave_pos".to_owned(), values: Vec::new() };
        let rows = self.rows(&sql).await?;
        let read = |place| {
            rows.first().and_then(|row| field::<String>(row, place)).as_deref().and_then(Gtids::parse)
        };
        let all = read(0).zip(read(1)).map(|(logged, applied)| logged.with(applied).to_string());
        all.ok_or_else(|| self.strange())
    }

    /// Waits at most `seconds` until the database has applied `position`, except its own domain.
    pub async fn reaches(&mut self, position: &str, seconds: f32) -> Result<bool, Snag> {
        let position = without_domain(position, self.domain);
        if position.is_empty() {
            return Ok(true);
        }
        let gate = self.node.database.gate();
        let _unset = gate.wait().await;
        let text = format!("SELECT MASTER_GTID_WAIT(?, {seconds:.1})");
        let rows = self.rows(&Sql { text, values: vec![position] }).await?;
        Ok(rows.first().and_then(|row| field::<i64>(row, 0)) == Some(0))
    }
}

fn column(row: &Row) -> Option<Column> {
    Some(Column {
        name: field(row, 2)?,
        data_type: field(row, 3)?,
        column_type: field(row, 4)?,
        nullable: field::<u8>(row, 5)? == 1,
        default: field(row, 6),
        charset: field(row, 7),
        collation: field(row, 8),
        octets: field(row, 9),
        precision: field(row, 10),
        scale: field(row, 11),
        extra: field(row, 12).unwrap_or_default(),
        expression: field(row, 13),
    })
}

fn octets(values: &[String]) -> Vec<Value> {
    values.iter().map(|v| Value::Bytes(v.clone().into_bytes())).collect()
}

/// Returns one field; `None` if it is NULL or of another type.
fn field<T: FromValue>(row: &Row, place: usize) -> Option<T> {
    row.get_opt::<Option<T>, _>(place).and_then(Result::ok).flatten()
}

fn texts(row: &Row, first: usize, count: usize) -> Option<Vec<String>> {
    (first..first + count).map(|place| field(row, place)).collect()
}
