//! What a copy through statements would meet on the donor, and what is prepared for it on the target.

use std::collections::{BTreeMap, BTreeSet};

use cordee_domain::db::freight::{Kind, Load};
use cordee_domain::db::verify::sql::{Lossy, identifier};
use cordee_domain::db::verify::{OWN_SCHEMAS, TableName};
use cordee_domain::db::views::{Props, in_order, props};
use cordee_domain::fault::Fault;
use cordee_domain::text;
use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, Error, Row};

use super::{Bounded as _, Database, PATIENT, SURVEY, explain, within_limit};

/// System schemas, whose tables belong to no application.
const OTHERS: &str = "('mysql', 'information_schema', 'performance_schema', 'sys')";

/// A broken view, as its database shows it.
#[derive(Clone, Debug)]
pub struct View {
    /// The view's name.
    pub name: TableName,
    text: String,
    collation: String,
}

/// Schema and name of every view there is: their columns are named otherwise than those of tables.
pub type Views = BTreeSet<(String, String)>;

impl Database {
    /// Returns what is known of everything that is copied, within the time limit of a query about all tables. On
    /// any database except the writer, a look must not log that a MEMORY table was found empty.
    pub async fn load(&self, writer: bool) -> Result<Load, Fault> {
        let mut conn = self.session().await?;
        within_limit(SURVEY, async {
            if !writer {
                conn.query_drop("SET SESSION sql_log_bin=0").await?;
            }
            read(&mut conn).await
        })
        .await
    }

    /// Returns the broken views, each with its text, and the names of all views.
    pub async fn broken_views(&self, names: &[TableName]) -> Result<(Vec<View>, Views), Fault> {
        let mut conn = self.session().await?;
        within_limit(PATIENT, async {
            conn.query_drop("SET SESSION sql_mode='', sql_log_bin=0").await?;
            let mut all = Vec::new();
            for name in names {
                let row: Option<Row> = conn.query_first(format!("SHOW CREATE VIEW {}", full(name))).await?;
                let row = row.ok_or_else(|| Error::Other("no view".into()))?;
                let field = |i| row.get_opt::<String, _>(i).and_then(Result::ok).unwrap_or_default();
                all.push(View { name: name.clone(), text: field(1), collation: field(3) });
            }
            let views: Vec<(String, String)> = conn
                .all("SELECT TABLE_SCHEMA, TABLE_NAME FROM information_schema.TABLES WHERE TABLE_TYPE = 'VIEW'")
                .await?;
            Ok((all, views.into_iter().collect()))
        })
        .await
    }

    /// Creates broken views in a database that is still empty, unlogged. While a view is created, stand-ins exist
    /// for all names that it uses. `schemas` are the schemas that stay, with their collations.
    pub async fn make_broken(
        &self,
        (views, known): (Vec<View>, Views),
        schemas: &BTreeMap<String, String>,
    ) -> Result<(), Fault> {
        if views.is_empty() {
            return Ok(());
        }
        let mut conn = self.session().await?;
        let begun = within_limit(PATIENT, async {
            conn.query_drop("SET NAMES utf8mb4").await?;
            conn.query_drop("SET SESSION sql_log_bin=0, sql_mode='', foreign_key_checks=0").await?;
            for (schema, collation) in schemas {
                let name = identifier(schema);
                let of = if plain(collation) { format!(" COLLATE {collation}") } else { String::new() };
                conn.query_drop(format!("CREATE DATABASE IF NOT EXISTS {name}{of}")).await?;
            }
            Ok(())
        });
        begun.await?;
        for view in in_order(views, |v| (&v.name.schema, &v.name.table, &v.text)) {
            let made =
                within_limit(PATIENT, async { Ok(make(&mut conn, &view, &known, schemas).await) }).await?;
            made.map_err(|error| {
                text!("copy-view-failed", view = view.name.to_string(), why = explain(&error))
            })?;
        }
        Ok(())
    }

    /// Returns the collation of each schema of applications, and of Cordée's own.
    pub async fn collations(&self) -> Result<BTreeMap<String, String>, Fault> {
        let sql = format!(
            "SELECT SCHEMA_NAME, DEFAULT_COLLATION_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME NOT IN \
             {OTHERS}"
        );
        within_limit(PATIENT, async {
            let rows: Vec<(String, String)> = self.pool.get_conn().await?.all(sql).await?;
            Ok(rows.into_iter().collect())
        })
        .await
    }

    /// Disables the scheduled events of a database that only replicates, as MariaDB does with events that come over
    /// a channel.
    pub async fn still_events(&self, events: &[TableName]) -> Result<(), Fault> {
        let disable = |event: &TableName| format!("ALTER EVENT {} DISABLE ON SLAVE", full(event));
        let mut conn = self.session().await?;
        within_limit(PATIENT, async {
            conn.query_drop("SET SESSION sql_log_bin=0").await?;
            let on: Vec<(String, String)> = conn
                .all(
                    "SELECT EVENT_SCHEMA, EVENT_NAME FROM information_schema.EVENTS WHERE STATUS = 'ENABLED'",
                )
                .await?;
            for (schema, table) in on {
                let event = TableName { schema, table };
                if events.contains(&event) {
                    conn.query_drop(disable(&event)).await?;
                }
            }
            Ok(())
        })
        .await
    }
}

fn full(name: &TableName) -> String {
    format!("{}.{}", identifier(&name.schema), identifier(&name.table))
}

/// Reports whether it is a name as MariaDB itself gives them.
fn plain(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// The types of stand-in columns. Calculations accept either of the first two; spatial functions need the last.
const COLUMNS: [&str; 3] = ["LONGTEXT", "INT", "GEOMETRY"];

async fn make(
    conn: &mut Conn,
    view: &View,
    known: &Views,
    schemas: &BTreeMap<String, String>,
) -> Result<(), Error> {
    let props = props(&view.text, (&view.name.schema, &view.name.table));
    let mut last = Ok(());
    for kind in COLUMNS {
        let (mut made, mut undo) = (Ok(()), Vec::new());
        for (set, back) in stand_ins(&props, kind, known, schemas) {
            // What exists already belongs to another: a view that was made before, or a schema.
            match conn.query_drop(&set).await {
                Ok(()) => undo.push(back),
                Err(Error::Server(error)) if matches!(error.code, 1007 | 1050 | 1304) => {}
                Err(error) => made = made.and(Err(error)),
            }
        }
        if made.is_ok() {
            if plain(&view.collation) {
                conn.query_drop(format!("SET SESSION collation_connection={}", view.collation)).await?;
            }
            // The view may name a function of its own schema without the schema.
            conn.query_drop(format!("USE {}", identifier(&view.name.schema))).await?;
            made = conn.query_drop(&view.text).await;
            conn.query_drop("SET NAMES utf8mb4").await?;
        }
        for statement in undo.iter().rev() {
            conn.query_drop(statement).await?;
        }
        if made.is_ok() {
            return Ok(());
        }
        last = made;
    }
    last
}

/// Returns the statements that create all stand-ins, each with the statement that drops it.
fn stand_ins(
    props: &Props,
    kind: &str,
    known: &Views,
    schemas: &BTreeMap<String, String>,
) -> Vec<(String, String)> {
    let own = |schema: &String| OWN_SCHEMAS.contains(&schema.as_str());
    let mut all = Vec::new();
    for schema in props.schemas.iter().filter(|s| !schemas.contains_key(*s) && !own(s)) {
        let name = identifier(schema);
        all.push((format!("CREATE DATABASE {name}"), format!("DROP DATABASE {name}")));
    }
    let columns: Vec<String> = props.columns.iter().map(|c| format!("{} {kind}", identifier(c))).collect();
    let empty: Vec<String> = props.columns.iter().map(|c| format!("NULL AS {}", identifier(c))).collect();
    for of in props.tables.iter().filter(|(schema, _)| !own(schema)) {
        let name = format!("{}.{}", identifier(&of.0), identifier(&of.1));
        all.push(if known.contains(of) {
            (format!("CREATE VIEW {name} AS SELECT {}", empty.join(", ")), format!("DROP VIEW {name}"))
        } else {
            let made = format!("CREATE TABLE {name} ({}) ENGINE=MyISAM", columns.join(", "));
            (made, format!("DROP TABLE {name}"))
        });
    }
    for (schema, function, arguments) in props.functions.iter().filter(|(schema, ..)| !own(schema)) {
        let name = format!("{}.{}", identifier(schema), identifier(function));
        let of: Vec<String> = (0..*arguments).map(|n| format!("a{n} LONGTEXT")).collect();
        let made = format!(
            "CREATE FUNCTION {name} ({}) RETURNS LONGTEXT DETERMINISTIC NO SQL RETURN NULL",
            of.join(", ")
        );
        all.push((made, format!("DROP FUNCTION {name}")));
    }
    all
}

async fn read(conn: &mut Conn) -> Result<Load, Error> {
    let mut all = Load::default();
    let tables: Vec<(String, String, String, Option<String>)> = conn
        .all(format!(
            "SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE, ENGINE FROM information_schema.TABLES \
             WHERE TABLE_SCHEMA NOT IN {OTHERS}"
        ))
        .await?;
    let mut views = Vec::new();
    for (schema, table, kind, engine) in tables {
        let name = TableName { schema, table };
        if kind == "VIEW" {
            views.push(name);
        } else {
            all.tables.insert(name, Kind { kind, engine: engine.unwrap_or_default() });
        }
    }
    for view in views {
        if !sound(conn, &view).await? {
            all.unsound.push(view);
        }
    }
    // InnoDB itself reports what it cannot open; with another engine, only opening the table shows it.
    for (name, _) in all.tables.iter().filter(|(_, kind)| kind.engine != "InnoDB") {
        match conn.query_drop(format!("SHOW COLUMNS FROM {}", full(name))).await {
            Ok(()) => {}
            Err(Error::Server(_)) => all.unreadable.push(name.clone()),
            Err(error) => return Err(error),
        }
    }
    columns(conn, &mut all).await?;
    let name = |(schema, table)| TableName { schema, table };
    // This table can be read without the privilege EVENT.
    let events: Vec<(String, String)> = conn.all("SELECT db, name FROM mysql.event ORDER BY 1, 2").await?;
    all.events = events.into_iter().map(name).collect();
    let may: Option<u64> = conn
        .query_first(
            "SELECT COUNT(*) FROM information_schema.USER_PRIVILEGES WHERE PRIVILEGE_TYPE = 'EVENT' AND GRANTEE = \
             CONCAT(QUOTE(SUBSTRING_INDEX(CURRENT_USER(), '@', 1)), '@', QUOTE(SUBSTRING_INDEX(CURRENT_USER(), '@', \
             -1)))",
        )
        .await?;
    all.reads_events = may.unwrap_or(0) > 0;
    Ok(all)
}

/// Reads the columns that need special handling, and the keys and triggers of their tables.
async fn columns(conn: &mut Conn, all: &mut Load) -> Result<(), Error> {
    let name = |schema, table| TableName { schema, table };
    let odd: Vec<(String, String, String, String)> = conn
        .all(format!(
            "SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, DATA_TYPE FROM information_schema.COLUMNS \
             WHERE TABLE_SCHEMA NOT IN {OTHERS} AND (EXTRA NOT LIKE '%GENERATED%' AND \
             (DATA_TYPE = 'float' OR DATA_TYPE = 'enum' AND COLUMN_TYPE REGEXP '[(,]''''[,)]') OR DATA_TYPE = \
             'bigint' AND GENERATION_EXPRESSION = 'ROW START')"
        ))
        .await?;
    for (schema, table, column, kind) in odd {
        let table = name(schema, table);
        // A view shows the column types of its tables.
        if !all.tables.contains_key(&table) {
            continue;
        }
        if kind == "bigint" {
            all.by_transaction.push(table);
        } else {
            all.lossy.push((table, Lossy { column, float: kind == "float" }));
        }
    }
    if all.lossy.is_empty() {
        return Ok(());
    }
    let keys: Vec<(String, String, String, String, bool)> = conn
        .all(format!(
            "SELECT TABLE_SCHEMA, TABLE_NAME, INDEX_NAME, COLUMN_NAME, SUB_PART IS NOT NULL \
             FROM information_schema.STATISTICS WHERE NON_UNIQUE = 0 AND TABLE_SCHEMA NOT IN {OTHERS}"
        ))
        .await?;
    all.keys = keys.into_iter().map(|(s, t, key, column, part)| (name(s, t), key, column, part)).collect();
    let triggers: Vec<(String, String)> = conn
        .all(
            "SELECT EVENT_OBJECT_SCHEMA, EVENT_OBJECT_TABLE FROM information_schema.TRIGGERS \
             WHERE EVENT_MANIPULATION = 'UPDATE'",
        )
        .await?;
    all.triggers = triggers.into_iter().map(|(s, t)| name(s, t)).collect();
    Ok(())
}

/// Reports whether the database itself finds no fault in a view and lists its columns, as `mariadb-dump` requests
/// them. A view that cannot even be checked is broken.
async fn sound(conn: &mut Conn, view: &TableName) -> Result<bool, Error> {
    match conn.query_drop(format!("SHOW COLUMNS FROM {}", full(view))).await {
        Ok(()) => {}
        Err(Error::Server(_)) => return Ok(false),
        Err(error) => return Err(error),
    }
    let rows: Vec<Row> = match conn.all(format!("CHECK TABLE {}", full(view))).await {
        Ok(rows) => rows,
        Err(Error::Server(_)) => return Ok(false),
        Err(error) => return Err(error),
    };
    let text = |row: &Row, i| row.get_opt::<String, _>(i).and_then(Result::ok).unwrap_or_default();
    Ok(rows.iter().any(|row| text(row, 2) == "status" && text(row, 3) == "OK"))
}
