//! Single rows: reading them completely, finding those that conflict, and writing them.

use std::collections::BTreeMap;

use cordee_domain::db::verify::sql::{self, Sql};
use cordee_domain::db::verify::{Chunk, TableName};
use mysql_async::prelude::Queryable as _;
use mysql_async::{Params, Row, Value};
use tokio::time::timeout;

use super::{GRACE, SURVEY, Session, Snag, WALK, field, octets, texts};

/// Errors that say nothing about the row to be written: statement time, lock wait, deadlock, row changed since the
/// read view; schema, column, table, index gone or altered; connection or query killed, shutdown.
const PASSING: [u16; 13] = [1969, 1205, 1213, 1020, 1049, 1054, 1146, 1176, 1412, 1932, 1927, 1317, 1053];

impl Session {
    /// From now on this session writes rows literally, and nothing of it is logged.
    pub async fn write_quietly(&mut self) -> Result<(), Snag> {
        self.set(sql::QUIETLY).await
    }

    /// From now on this session writes rows literally, and logs them.
    pub async fn write_literally(&mut self) -> Result<(), Snag> {
        self.set(sql::LITERALLY).await
    }

    /// Reports whether writing to a table would fire triggers.
    pub async fn has_triggers(&mut self, name: &TableName) -> Result<bool, Snag> {
        let values = vec![name.schema.clone(), name.table.clone()];
        let rows = self.rows(&Sql { text: sql::TRIGGERS.to_owned(), values }).await?;
        Ok(rows.first().and_then(|row| field::<u64>(row, 0)).is_none_or(|count| count > 0))
    }

    /// Returns one row, as it would be written.
    pub async fn whole(
        &mut self,
        reader: &sql::Reader,
        key: &[String],
        lock: sql::Lock,
    ) -> Result<Option<Vec<Value>>, Snag> {
        Ok(self.rows(&reader.whole(key, lock)).await?.into_iter().next().map(Row::unwrap))
    }

    /// Returns the unique keys of a table, except the primary key.
    pub async fn unique_keys(&mut self, name: &TableName) -> Result<Vec<Vec<sql::UniqueColumn>>, Snag> {
        let values = vec![name.schema.clone(), name.table.clone()];
        let rows = self.rows(&Sql { text: sql::UNIQUE_KEYS.to_owned(), values }).await?;
        let mut keys: BTreeMap<String, Vec<sql::UniqueColumn>> = BTreeMap::new();
        for row in &rows {
            let (Some(key), Some(name)) = (field(row, 0), field(row, 1)) else { return Err(self.strange()) };
            keys.entry(key).or_default().push(sql::UniqueColumn { name, prefix: field(row, 2) });
        }
        Ok(keys.into_values().collect())
    }

    /// Returns the keys of the rows that share an entry in one of the unique keys with that row: the row itself,
    /// and those that conflict with it.
    pub async fn with_same(
        &mut self,
        reader: &sql::Reader,
        unique: &[Vec<sql::UniqueColumn>],
        row: &[Value],
    ) -> Result<Vec<Vec<String>>, Snag> {
        let mut found = Vec::new();
        for key in unique {
            let Some((text, places)) = reader.with_same(key) else { continue };
            let values: Vec<Value> = places.iter().filter_map(|place| row.get(*place)).cloned().collect();
            // An entry with a NULL conflicts with no other.
            if values.len() < places.len() || values.contains(&Value::NULL) {
                continue;
            }
            let rows = self.bound(&text, values).await?;
            let keys = rows.iter().map(|row| texts(row, 0, row.len())).collect::<Option<Vec<_>>>();
            found.extend(keys.ok_or_else(|| self.strange())?);
        }
        Ok(found)
    }

    /// Returns which tables are tied by foreign keys.
    pub async fn foreign_keys(&mut self) -> Result<Vec<(TableName, TableName)>, Snag> {
        self.limit(SURVEY).await?;
        let rows = self.rows(&Sql { text: sql::FOREIGN_KEYS.to_owned(), values: Vec::new() }).await;
        self.limit(WALK).await?;
        let name = |row: &Row, at| Some(TableName { schema: field(row, at)?, table: field(row, at + 1)? });
        let pairs = rows?.iter().map(|row| name(row, 0).zip(name(row, 2))).collect::<Option<Vec<_>>>();
        pairs.ok_or_else(|| self.strange())
    }

    /// Returns the keys of the rows that have an entry in a unique key: several if MariaDB's message fits more than
    /// one.
    pub async fn in_the_way(
        &mut self,
        reader: &sql::Reader,
        key: &str,
        entry: &str,
    ) -> Result<Vec<Vec<String>>, Snag> {
        let name = reader.name();
        let values = vec![name.schema.clone(), name.table.clone(), key.to_owned()];
        let columns = self.rows(&Sql { text: sql::KEY_COLUMNS.to_owned(), values }).await?;
        let columns = columns.iter().map(|row| field(row, 0)).collect::<Option<Vec<String>>>();
        let columns = columns.ok_or_else(|| self.strange())?;
        if columns.is_empty() {
            return Ok(Vec::new());
        }
        let rows = self.rows(&reader.with_entry(&columns, entry)).await?;
        let keys = rows.iter().map(|row| texts(row, 0, row.len())).collect::<Option<Vec<_>>>();
        keys.ok_or_else(|| self.strange())
    }

    /// Returns one row, as a reader sees it.
    pub async fn shown(&mut self, reader: &sql::Reader, key: &[String]) -> Result<Option<Vec<String>>, Snag> {
        let rows = self.rows(&reader.shown(key)).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        texts(row, 0, row.len()).map(Some).ok_or_else(|| self.strange())
    }

    /// Removes one row.
    pub async fn remove(&mut self, reader: &sql::Reader, key: &[String]) -> Result<(), Snag> {
        let sql = reader.removal(key);
        self.written(&sql.text, octets(&sql.values)).await
    }

    /// Adds one row.
    pub async fn add(&mut self, reader: &sql::Reader, row: &[Value]) -> Result<(), Snag> {
        self.written(&reader.addition(), row.to_vec()).await
    }

    /// Changes one row into another, only in the columns that differ.
    pub async fn alter(
        &mut self,
        reader: &sql::Reader,
        key: &[String],
        from: &[Value],
        to: &[Value],
    ) -> Result<(), Snag> {
        let places = reader.altered(from, to);
        if places.is_empty() {
            return Ok(());
        }
        let sql = reader.alteration(&places, key);
        let mut values: Vec<Value> = places.iter().filter_map(|place| to.get(*place)).cloned().collect();
        values.extend(octets(&sql.values));
        self.written(&sql.text, values).await
    }

    /// Returns the rows of a chunk with values that a dump alters: the key, and the exact values.
    pub async fn altered_by_dump(
        &mut self,
        reader: &sql::Reader,
        chunk: &Chunk,
        columns: &[sql::Lossy],
    ) -> Result<Vec<(Vec<String>, Vec<Value>)>, Snag> {
        let width = reader.key().len();
        let rows = self.rows(&reader.altered_by_dump(chunk, columns)).await?;
        rows.into_iter()
            .map(|row| {
                let key = texts(&row, 0, width)?;
                Some((key, row.unwrap().split_off(width)))
            })
            .collect::<Option<Vec<_>>>()
            .ok_or_else(|| self.strange())
    }

    /// Sets these columns of one row to these values.
    pub async fn make_exact(
        &mut self,
        reader: &sql::Reader,
        columns: &[sql::Lossy],
        (key, mut values): (Vec<String>, Vec<Value>),
    ) -> Result<(), Snag> {
        let sql = reader.made_exact(columns, &key);
        values.extend(octets(&sql.values));
        self.written(&sql.text, values).await
    }

    /// Writes a row. A refusal by the database is no fault of the node.
    async fn written(&mut self, text: &str, values: Vec<Value>) -> Result<(), Snag> {
        let deadline = self.limit + GRACE;
        let answer = timeout(deadline, self.conn.exec_drop(text, Params::Positional(values))).await;
        if let Ok(Err(mysql_async::Error::Server(error))) = &answer
            && !PASSING.contains(&error.code)
        {
            return Err(Snag::Refused(error.code));
        }
        self.judged(answer)
    }

    /// Commits a transaction in which something was written.
    pub async fn commit(&mut self) -> Result<(), Snag> {
        self.statement("COMMIT").await?;
        self.limit(WALK).await
    }
}
