//! The tables, by version. A file of a newer version is refused; an older one is brought up step by step.

use rusqlite::Connection;

use super::StoreError;

/// Each entry brings the file from the version before it to its own.
const STEPS: [&str; 8] = [
    "
    CREATE TABLE desired (
        revision INTEGER PRIMARY KEY,
        at INTEGER NOT NULL,
        actor TEXT NOT NULL,
        change TEXT,
        wish TEXT NOT NULL
    ) STRICT;
    CREATE TABLE event (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        at INTEGER NOT NULL,
        actor TEXT NOT NULL,
        subject TEXT NOT NULL,
        light TEXT,
        text TEXT NOT NULL
    ) STRICT;
    CREATE TABLE account (
        name TEXT PRIMARY KEY COLLATE NOCASE,
        password TEXT NOT NULL,
        created INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE session (
        token_hash BLOB PRIMARY KEY,
        account TEXT NOT NULL,
        created INTEGER NOT NULL,
        seen INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE token (
        token_hash BLOB PRIMARY KEY,
        name TEXT NOT NULL UNIQUE COLLATE NOCASE,
        created INTEGER NOT NULL,
        seen INTEGER
    ) STRICT;
",
    "
    CREATE TABLE comparison (
        server INTEGER PRIMARY KEY,
        report TEXT NOT NULL
    ) STRICT;
",
    "
    CREATE TABLE trial (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        run TEXT NOT NULL
    ) STRICT;
",
    "
    CREATE TABLE rows_asked (
        server INTEGER PRIMARY KEY,
        asked TEXT NOT NULL
    ) STRICT;
",
    "
    CREATE TABLE login (
        server INTEGER PRIMARY KEY,
        sealed BLOB NOT NULL
    ) STRICT;
",
    "
    CREATE TABLE drill (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        run TEXT NOT NULL
    ) STRICT;
",
    "
    CREATE TABLE browser (
        token_hash BLOB PRIMARY KEY,
        account TEXT NOT NULL COLLATE NOCASE,
        created INTEGER NOT NULL
    ) STRICT;
",
    "
    ALTER TABLE token ADD COLUMN expires INTEGER;
    ALTER TABLE session ADD COLUMN agent TEXT NOT NULL DEFAULT '';
    ALTER TABLE session ADD COLUMN address TEXT NOT NULL DEFAULT '';
",
];

/// Brings the file to the newest version.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    let found: i64 = connection.query_row("PRAGMA user_version", [], |r| r.get(0))?;
    let known = i64::try_from(STEPS.len()).unwrap_or(i64::MAX);
    if found > known {
        return Err(StoreError::Newer { found, known });
    }
    for (version, step) in (1_i64..).zip(STEPS) {
        if version > found {
            let transaction = connection.transaction()?;
            transaction.execute_batch(step)?;
            transaction.pragma_update(None, "user_version", version)?;
            transaction.commit()?;
        }
    }
    Ok(())
}
