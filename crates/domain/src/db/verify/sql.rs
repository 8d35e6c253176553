//! The queries. Identifiers come from `information_schema` and are quoted; key values are bound.

use std::fmt::Write as _;

use crate::text;
use crate::text::Text;

use super::{Chunk, Column, LEFT_OUT, LISTED, OWN_SCHEMAS, Table, TableName};

mod condition;
mod form;
mod write;

pub(super) use condition::{Condition, Operator, above, up_to};
use form::{Form, as_written};
use write::Stored;
pub use write::{Lock, Lossy, UniqueColumn};

/// The smallest `max_allowed_packet`, in octets, with which no row is too long. A longer intermediate result becomes
/// NULL, and so does the row's hash, which `BIT_XOR` then ignores.
pub const PACKET: u64 = 1_048_576;

/// The octets of a row's text that columns may fill with their values; beyond that, a column contributes its MD5
/// instead. Half of the packet: numbers and dates of a row (65,535 octets stored at most) take less than the other
/// half.
const ROW: u64 = 524_288;

/// A query and the values bound to its question marks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sql {
    /// The text.
    pub text: String,
    /// The values, all as text.
    pub values: Vec<String>,
}

/// The settings of every session before it reads. The text of a value must not depend on the server's settings, so
/// zone, modes and character set are fixed. Under REPEATABLE READ a locking read also keeps rows from being inserted
/// into its range. A lock is waited for at most one second; if Cordée freezes while it holds rows, the database
/// frees them after two. A written zero stays a zero, in an `AUTO_INCREMENT` column too, and an invalid date stays
/// what it is.
pub const SESSION: [&str; 3] = [
    "SET NAMES utf8mb4",
    "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
    "SET SESSION time_zone='+00:00', sql_mode='NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES', autocommit=1, \
     sql_select_limit=DEFAULT, \
     innodb_lock_wait_timeout=1, idle_transaction_timeout=2",
];

/// Quotes an identifier in backticks. MariaDB allows any character in it except NUL.
pub fn identifier(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// Returns the condition on `TABLE_SCHEMA` and `TABLE_NAME` that selects the tables to compare. The comparison is by
/// octets: a user's schema may be called `SYS`.
fn user_tables() -> String {
    let own: Vec<String> = OWN_SCHEMAS.iter().map(|s| format!("'{s}'")).collect();
    format!(
        "BINARY TABLE_SCHEMA NOT IN ({}) AND NOT (BINARY TABLE_SCHEMA = '{}' AND BINARY TABLE_NAME = '{}')",
        own.join(","),
        LEFT_OUT.0,
        LEFT_OUT.1
    )
}

/// Reads the tables: schema, name, type, engine, rows, mean row length.
pub fn tables() -> String {
    format!(
        "SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE, ENGINE, TABLE_ROWS, AVG_ROW_LENGTH \
         FROM information_schema.TABLES WHERE TABLE_TYPE NOT LIKE '%VIEW' AND {}",
        user_tables()
    )
}

/// Reads the columns of all tables and views, in their order: schema, table, then the fields of [`Column`].
pub fn columns() -> String {
    format!(
        "SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, DATA_TYPE, COLUMN_TYPE, IS_NULLABLE = 'YES', COLUMN_DEFAULT, \
         CHARACTER_SET_NAME, COLLATION_NAME, CHARACTER_OCTET_LENGTH, NUMERIC_PRECISION, NUMERIC_SCALE, EXTRA, \
         GENERATION_EXPRESSION FROM information_schema.COLUMNS WHERE {} \
         ORDER BY TABLE_SCHEMA, TABLE_NAME, ORDINAL_POSITION",
        user_tables()
    )
}

/// Reads the primary keys in their order: schema, table, column, whether only a prefix of the column counts.
pub fn keys() -> String {
    format!(
        "SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, SUB_PART IS NOT NULL FROM information_schema.STATISTICS \
         WHERE INDEX_NAME = 'PRIMARY' AND {} ORDER BY TABLE_SCHEMA, TABLE_NAME, SEQ_IN_INDEX",
        user_tables()
    )
}

/// Reads what a session must know about its server: its GTID domain, its `max_allowed_packet`, and whether the
/// account may read every table. Without that right `information_schema` would hide tables, and databases would look
/// equal.
pub const RIGHTS: &str = "SELECT @@gtid_domain_id, @@max_allowed_packet, (SELECT COUNT(*) FROM \
     information_schema.USER_PRIVILEGES WHERE PRIVILEGE_TYPE = 'SELECT' AND GRANTEE = \
     CONCAT(QUOTE(SUBSTRING_INDEX(CURRENT_USER(), '@', 1)), '@', QUOTE(SUBSTRING_INDEX(CURRENT_USER(), '@', -1))))";

/// An additional setting for sessions on every database except the writer: a read can make MariaDB log something
/// (that a MEMORY table was found empty).
pub const READING: &str = "SET SESSION sql_log_bin=0";

/// An additional setting before a session writes rows. Each row is written exactly as given: no other row changes
/// with it (a cascade), and no constraint refuses it (a restriction, or a check that it passed elsewhere).
pub const LITERALLY: &str = "SET SESSION foreign_key_checks=0, check_constraint_checks=0";

/// The same, for rows that the other databases have already: nothing is logged.
pub const QUIETLY: &str = "SET SESSION sql_log_bin=0, foreign_key_checks=0, check_constraint_checks=0";

/// Reads how many triggers a table has: they would act on repaired rows.
pub const TRIGGERS: &str = "SELECT COUNT(*) FROM information_schema.TRIGGERS \
     WHERE EVENT_OBJECT_SCHEMA = ? AND EVENT_OBJECT_TABLE = ?";

/// Reads the columns of a unique key, in their order: schema, table and key are bound.
pub const KEY_COLUMNS: &str = "SELECT COLUMN_NAME FROM information_schema.STATISTICS \
     WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? AND INDEX_NAME = ? ORDER BY SEQ_IN_INDEX";

/// Reads the unique keys of a table except the primary key, column by column: key, column, how many characters of it
/// count (NULL: all). Schema and table are bound.
pub const UNIQUE_KEYS: &str = "SELECT INDEX_NAME, COLUMN_NAME, SUB_PART FROM information_schema.STATISTICS \
     WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? AND NON_UNIQUE = 0 AND INDEX_NAME <> 'PRIMARY' \
     ORDER BY INDEX_NAME, SEQ_IN_INDEX";

/// Reads which tables are connected by a foreign key: schema and table of both.
pub const FOREIGN_KEYS: &str = "SELECT CONSTRAINT_SCHEMA, TABLE_NAME, UNIQUE_CONSTRAINT_SCHEMA, REFERENCED_TABLE_NAME \
     FROM information_schema.REFERENTIAL_CONSTRAINTS";

#[derive(Clone, Debug, PartialEq, Eq)]
struct KeyColumn {
    plain: String,
    name: String,
    form: Form,
}

/// The queries of one table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reader {
    name: TableName,
    table: String,
    from: String,
    row: String,
    /// The columns that a row is written with: all except generated ones, including invisible ones.
    stored: Vec<Stored>,
    /// The names of all stored columns, and the expression that shows each to a person.
    columns: Vec<String>,
    shown: Vec<String>,
    key: Vec<KeyColumn>,
}

impl Reader {
    /// Builds the queries of a table, or returns why it cannot be compared.
    pub fn new(name: &TableName, table: &Table) -> Result<Self, Text> {
        // A sequence is not a set of rows, and a system-versioned table would show only its newest rows.
        if table.kind != "BASE TABLE" {
            return Err(text!("verify-kind", kind = table.kind.to_lowercase()));
        }
        // Other engines offer neither a consistent read nor a lock on a range of rows.
        match table.engine.as_deref() {
            Some("InnoDB") => {}
            engine => return Err(text!("verify-engine", engine = engine.unwrap_or("?"))),
        }
        if table.key.is_empty() {
            return Err(text!("verify-no-key"));
        }
        let of = |column: &Column| {
            Form::of(column).ok_or_else(|| {
                text!("verify-type", column = column.name.as_str(), kind = column.data_type.as_str())
            })
        };
        let (mut row, mut shown) = (Vec::new(), Vec::new());
        let mut octets = 0_u64;
        for column in table.columns.iter().filter(|c| !c.is_virtual()) {
            let name = format!("t.{}", identifier(&column.name));
            octets = octets.saturating_add(column.octets.unwrap_or(0));
            let short = octets > ROW;
            if short {
                octets -= column.octets.unwrap_or(0).min(octets);
            }
            let form = of(column)?;
            shown.push((column.name.clone(), format!("IFNULL({},'NULL')", form.shown(&name))));
            let value = form.hashed(&name, short);
            // No value's text is N: numbers and dates begin with a digit or a minus, texts with their length, and an
            // MD5 is in lower case.
            row.push(if column.nullable { format!("IFNULL({value},'N')") } else { value });
        }
        let mut key = Vec::new();
        for part in &table.key {
            let column = table.columns.iter().find(|c| c.name == part.column);
            let Some(column) = column.filter(|_| !part.prefix) else {
                return Err(text!("verify-key-prefix", column = part.column.as_str()));
            };
            key.push(KeyColumn {
                plain: column.name.clone(),
                name: format!("t.{}", identifier(&column.name)),
                form: of(column)?,
            });
        }
        let (columns, shown) = shown.into_iter().unzip();
        let says = |c: &Column, word: &str| c.extra.to_ascii_uppercase().contains(word);
        let stored = |c: &Column| Stored {
            plain: c.name.clone(),
            name: identifier(&c.name),
            read: as_written(c),
            by_itself: says(c, "ON UPDATE"),
        };
        Ok(Self {
            name: name.clone(),
            table: format!("{}.{}", identifier(&name.schema), identifier(&name.table)),
            stored: table.columns.iter().filter(|c| !says(c, "GENERATED")).map(stored).collect(),
            columns,
            shown,
            // The primary key is the table itself: ordering by it never sorts.
            from: format!(
                "FROM {}.{} AS t FORCE INDEX (PRIMARY)",
                identifier(&name.schema),
                identifier(&name.table)
            ),
            // Every value ends with a comma, so values cannot run into each other: numbers and dates contain no
            // comma.
            row: format!("MD5(CONCAT({},','))", row.join(",',',")),
            key,
        })
    }

    /// Returns the name of the table.
    pub const fn name(&self) -> &TableName {
        &self.name
    }

    /// Returns the names of the key's columns.
    pub fn key(&self) -> Vec<String> {
        self.key.iter().map(|k| k.plain.clone()).collect()
    }

    /// Returns the query for the [`super::Digest`] of a chunk: rows, hash.
    ///
    /// A row's hash is half of its MD5 and not a CRC. A CRC is linear, so the same change made to two rows of the
    /// same length vanishes when their CRCs are combined by XOR ("paid" set on one database only, in an even number
    /// of rows). XOR would also hide two equal rows, but rows with a primary key are never equal: each hash covers
    /// the row's key.
    pub fn digest(&self, chunk: &Chunk) -> Sql {
        let text = format!(
            "SELECT COUNT(*), BIT_XOR(CAST(CONV(LEFT({},16),16,10) AS UNSIGNED)) {}",
            self.row, self.from
        );
        self.within(text, chunk)
    }

    /// Returns the query for the key, as literals, of the row that has `skip` rows before it in the chunk. An empty
    /// result means that there are fewer rows.
    pub fn boundary(&self, chunk: &Chunk, skip: u64) -> Sql {
        let mut sql = self.within(format!("SELECT {} {}", self.literals(), self.from), chunk);
        let _ = write!(sql.text, " ORDER BY {} LIMIT 1 OFFSET {skip}", self.order());
        sql
    }

    /// Returns the query for the rows of a small chunk: hash, key as literals, key as shown. With `hold`, inside a
    /// transaction, no row of the chunk can be changed, removed or added until the transaction ends.
    pub fn rows(&self, chunk: &Chunk, hold: bool) -> Sql {
        let shown: Vec<String> = self.key.iter().map(|k| k.form.shown(&k.name)).collect();
        let text = format!("SELECT {}, {}, {} {}", self.row, self.literals(), shown.join(", "), self.from);
        let mut sql = self.within(text, chunk);
        let _ = write!(sql.text, " ORDER BY {} LIMIT {LISTED}", self.order());
        if hold {
            sql.text.push_str(" LOCK IN SHARE MODE");
        }
        sql
    }

    /// Returns the query for the keys, as literals, of the rows that have `entry` in a unique key of these columns.
    /// MariaDB joins the values of several columns with hyphens, so more than one row may match: at most three are
    /// read.
    pub fn with_entry(&self, columns: &[String], entry: &str) -> Sql {
        let from = self.from.replace(" FORCE INDEX (PRIMARY)", "");
        let named: Vec<String> = columns.iter().map(|column| format!("t.{}", identifier(column))).collect();
        let is = match named.as_slice() {
            [one] => format!("{one} = ?"),
            all => {
                let texts: Vec<String> = all.iter().map(|c| format!("CAST({c} AS CHAR)")).collect();
                // A row with a NULL never conflicts, and CONCAT makes NULL of it.
                format!("CONCAT({}) = ?", texts.join(",'-',"))
            }
        };
        let text = format!("SELECT {} {from} WHERE {is} LIMIT 3", self.literals());
        Sql { text, values: vec![entry.to_owned()] }
    }

    /// Returns the query for every column of one row, as text for a person.
    pub fn shown(&self, key: &[String]) -> Sql {
        let mut sql = Sql {
            text: format!("SELECT {} {} WHERE ", self.shown.join(", "), self.from),
            values: Vec::new(),
        };
        self.write(&self.is(), key, &mut sql);
        sql
    }

    /// Returns the names of the columns of [`Reader::shown`].
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Returns the condition that the whole key has given values.
    fn is(&self) -> Condition {
        let is = |place| Condition::Is(Operator::Equal, place);
        (1..self.key.len()).fold(is(0), |all, place| Condition::Both(Box::new(all), Box::new(is(place))))
    }

    fn literals(&self) -> String {
        self.key.iter().map(|k| k.form.literal(&k.name)).collect::<Vec<_>>().join(", ")
    }

    /// Orders by the columns themselves, which use the same collation as the bounds.
    fn order(&self) -> String {
        self.key.iter().map(|k| k.name.clone()).collect::<Vec<_>>().join(", ")
    }

    fn within(&self, text: String, chunk: &Chunk) -> Sql {
        let mut sql = Sql { text, values: Vec::new() };
        let ends = [(&chunk.after, above(self.key.len())), (&chunk.up_to, up_to(self.key.len()))];
        let mut word = " WHERE ";
        for (values, condition) in ends {
            if let Some(values) = values {
                sql.text.push_str(word);
                self.write(&condition, values, &mut sql);
                word = " AND ";
            }
        }
        sql
    }

    fn write(&self, condition: &Condition, values: &[String], sql: &mut Sql) {
        match condition {
            Condition::Is(operator, place) => {
                if let (Some(key), Some(value)) = (self.key.get(*place), values.get(*place)) {
                    let compared = key.form.compared(&key.name);
                    let _ = write!(sql.text, "{compared} {} {}", operator.sign(), key.form.bound());
                    sql.values.push(value.clone());
                }
            }
            Condition::Both(a, b) | Condition::Either(a, b) => {
                sql.text.push('(');
                self.write(a, values, sql);
                sql.text.push_str(if matches!(condition, Condition::Both(..)) { " AND " } else { " OR " });
                self.write(b, values, sql);
                sql.text.push(')');
            }
        }
    }
}
