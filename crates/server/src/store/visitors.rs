//! Who visited: one row per address and server, one per change of colour, and what the list does not contain.
//!
//! A separate file beside the state file, so that a crowd of visitors never delays a wish, and so that a power cut
//! costs the last second of the list at most.

use std::path::Path;
use std::sync::{Mutex, MutexGuard};

use cordee_api::visitors::{ColourChange, Share, Visitor};
use cordee_domain::haproxy::log::Recolour;
use cordee_domain::ids::{Millis, ServerName};
use cordee_domain::visitors::{Chosen, Counts, Tally, Visit, kept};
use cordee_node::over;
use rusqlite::{Connection, OptionalExtension as _, Transaction, params};

use super::{StoreError, private};

/// Most addresses in the list; beyond it requests are counted, not listed, until old addresses are forgotten.
pub const MOST_ADDRESSES: u64 = cordee_domain::figures::ADDRESSES;
/// Most changes of colour and gaps that are kept, the newest ones.
const MOST_CHANGES: u64 = 100_000;
const MOST_GAPS: u64 = 1_000;
/// How many rows one round of forgetting or shortening handles.
const BATCH: u32 = 500;
/// The row of all servers together.
const ALL: &str = "*";
/// Stands for what HAProxy answered itself. No server can have this name.
pub const NOBODY: &str = "haproxy";

const VERSION: i64 = 1;
const SCHEMA: &str = "
    CREATE TABLE visit (
        server TEXT NOT NULL,
        address TEXT NOT NULL,
        first INTEGER NOT NULL,
        last INTEGER NOT NULL,
        requests INTEGER NOT NULL,
        errors INTEGER NOT NULL,
        PRIMARY KEY (server, address)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX visit_last ON visit (server, last);
    CREATE INDEX visit_address ON visit (address);
    CREATE TABLE change (
        id INTEGER PRIMARY KEY,
        at INTEGER NOT NULL,
        address TEXT NOT NULL,
        server TEXT NOT NULL,
        before TEXT,
        after TEXT NOT NULL
    ) STRICT;
    CREATE INDEX change_address ON change (address);
    CREATE TABLE gap (
        id INTEGER PRIMARY KEY,
        since INTEGER NOT NULL,
        until INTEGER NOT NULL,
        requests INTEGER
    ) STRICT;
    CREATE TABLE mark (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        at INTEGER NOT NULL,
        worker INTEGER,
        lines INTEGER NOT NULL,
        counts TEXT NOT NULL
    ) STRICT;
";

/// The list of visitors. Calls block for some milliseconds.
#[derive(Debug)]
pub struct Visitors {
    /// For the log receiver, which writes.
    write: Mutex<Writer>,
    /// For everybody who reads: a long list never delays a write.
    read: Mutex<Connection>,
}

#[derive(Debug)]
struct Writer {
    connection: Connection,
    /// How many addresses there are: the rows of all servers together.
    addresses: u64,
}

/// The position in the log when it was last stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    /// When it was stored.
    pub at: Millis,
    /// HAProxy's worker at that time.
    pub worker: Option<u32>,
    /// Lines of that worker that were taken in or counted as lost.
    pub lines: u64,
    /// What became of all lines so far.
    pub counts: Counts,
}

/// A period without a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Its start.
    pub since: Millis,
    /// Its end.
    pub until: Millis,
    /// How many requests HAProxy served meanwhile, where that can be known.
    pub requests: Option<u64>,
}

/// Which visitors are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Which {
    /// Only addresses that contain this text.
    pub address: String,
    /// Only what this server answered.
    pub server: Option<ServerName>,
}

impl Visitors {
    /// Opens the file, or creates it.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        private(path)?;
        let mut connection = Connection::open(path)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        connection.busy_timeout(std::time::Duration::from_secs(5))?;
        let found: i64 = connection.query_row("PRAGMA user_version", [], |r| r.get(0))?;
        if found > VERSION {
            return Err(StoreError::Newer { found, known: VERSION });
        }
        if found < VERSION {
            let transaction = connection.transaction()?;
            transaction.execute_batch(SCHEMA)?;
            transaction.pragma_update(None, "user_version", VERSION)?;
            transaction.commit()?;
        }
        let addresses =
            connection.query_row("SELECT count(*) FROM visit WHERE server = ?1", [ALL], |r| r.get(0))?;
        let read = Connection::open(path)?;
        read.pragma_update(None, "query_only", true)?;
        read.busy_timeout(std::time::Duration::from_secs(5))?;
        let write = Mutex::new(Writer { connection, addresses });
        Ok(Self { write, read: Mutex::new(read) })
    }

    fn reader(&self) -> MutexGuard<'_, Connection> {
        over::hold(&self.read)
    }

    fn writer(&self) -> MutexGuard<'_, Writer> {
        over::hold(&self.write)
    }

    /// Returns the position in the log; `None` before it was stored for the first time.
    pub fn mark(&self) -> Result<Option<Mark>, StoreError> {
        let row = self
            .reader()
            .query_row("SELECT at, worker, lines, counts FROM mark", [], |r| {
                Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get::<_, String>(3)?))
            })
            .optional()?;
        let Some((at, worker, lines, counts)) = row else { return Ok(None) };
        Ok(Some(Mark { at, worker, lines, counts: serde_json::from_str(&counts)? }))
    }

    /// Stores a tally and the position in the log, in one transaction. The returned mark counts what the list had
    /// no room for.
    pub fn keep(&self, tally: &Tally, mark: Mark) -> Result<Mark, StoreError> {
        let mut writer = self.writer();
        let mut addresses = writer.addresses;
        let transaction = writer.connection.transaction()?;
        let mut mark = mark;
        for ((address, server), visit) in &tally.visits {
            let address = address.to_string();
            let added = add(&transaction, ALL, &address, *visit, addresses < MOST_ADDRESSES)?;
            if added == Added::NoRoom {
                mark.counts.stored = mark.counts.stored.saturating_sub(visit.requests);
                mark.counts.crowd += visit.requests;
                continue;
            }
            addresses += u64::from(added == Added::New);
            let server = server.as_ref().map_or(NOBODY, ServerName::as_str);
            add(&transaction, server, &address, *visit, true)?;
        }
        for change in &tally.changes {
            note(&transaction, change)?;
        }
        transaction
            .prepare_cached(
                "INSERT OR REPLACE INTO mark (id, at, worker, lines, counts) VALUES (1, ?1, ?2, ?3, ?4)",
            )?
            .execute(params![mark.at, mark.worker, mark.lines, serde_json::to_string(&mark.counts)?])?;
        transaction.commit()?;
        writer.addresses = addresses;
        Ok(mark)
    }

    /// Notes a period without a list.
    pub fn note_gap(&self, gap: Gap) -> Result<(), StoreError> {
        let writer = self.writer();
        writer.connection.execute(
            "INSERT INTO gap (since, until, requests) VALUES (?1, ?2, ?3)",
            params![gap.since, gap.until, gap.requests],
        )?;
        let id = u64::try_from(writer.connection.last_insert_rowid()).unwrap_or(0);
        writer.connection.execute("DELETE FROM gap WHERE id <= ?1", [id.saturating_sub(MOST_GAPS)])?;
        Ok(())
    }

    /// Returns the newest periods without a list.
    pub fn gaps(&self, limit: u32) -> Result<Vec<Gap>, StoreError> {
        let connection = self.reader();
        let mut statement =
            connection.prepare_cached("SELECT since, until, requests FROM gap ORDER BY id DESC LIMIT ?1")?;
        let rows = statement
            .query_map([limit], |r| Ok(Gap { since: r.get(0)?, until: r.get(1)?, requests: r.get(2)? }))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Forgets some of the visitors that were not seen since `before`. `true`: there may be more.
    pub fn forget(&self, before: Millis) -> Result<bool, StoreError> {
        let mut writer = self.writer();
        let transaction = writer.connection.transaction()?;
        let old =
            some_addresses(&transaction, "server = '*' AND last < ?1 ORDER BY last", params![before, BATCH])?;
        for address in &old {
            transaction.prepare_cached("DELETE FROM visit WHERE address = ?1")?.execute([address])?;
        }
        let changes = transaction.execute(
            "DELETE FROM change WHERE id IN (SELECT id FROM change WHERE at < ?1 ORDER BY id LIMIT ?2)",
            params![before, BATCH],
        )?;
        transaction.execute("DELETE FROM gap WHERE until < ?1", [before])?;
        transaction.commit()?;
        let gone = u64::try_from(old.len()).unwrap_or(0);
        writer.addresses = writer.addresses.saturating_sub(gone);
        let most = usize::try_from(BATCH).unwrap_or(usize::MAX);
        Ok(old.len() >= most || changes >= most)
    }

    /// Shortens some of the full addresses after `after`; returns the last one handled, or `None` at the end.
    pub fn shorten(&self, after: &str) -> Result<Option<String>, StoreError> {
        let mut writer = self.writer();
        let transaction = writer.connection.transaction()?;
        let some = some_addresses(
            &transaction,
            "server = '*' AND address > ?1 ORDER BY address",
            params![after, BATCH],
        )?;
        let mut fewer = 0;
        for address in &some {
            // A network has a slash and its prefix length, so it does not parse as an address.
            let Ok(ip) = address.parse() else { continue };
            let network = kept(ip, true).to_string();
            for (server, visit) in visits(&transaction, address)? {
                let added = add(&transaction, &server, &network, visit, true)?;
                fewer += u64::from(server == ALL && added == Added::Known);
            }
            transaction.prepare_cached("DELETE FROM visit WHERE address = ?1")?.execute([address])?;
            transaction
                .prepare_cached("UPDATE change SET address = ?2 WHERE address = ?1")?
                .execute([address, &network])?;
        }
        transaction.commit()?;
        writer.addresses = writer.addresses.saturating_sub(fewer);
        Ok(some.last().cloned())
    }

    /// Returns visitors, the most recent first.
    pub fn list(&self, which: &Which, limit: u32, skip: u32) -> Result<Vec<Visitor>, StoreError> {
        let server = which.server.as_ref().map_or(ALL, ServerName::as_str);
        self.some(
            "WHERE server = ?1 AND (?2 = '' OR instr(address, ?2)) ORDER BY last DESC LIMIT ?3 OFFSET ?4",
            params![server, which.address, limit, skip],
        )
    }

    /// Returns visitors in the order of their addresses, those after `after`. A visitor that comes meanwhile moves
    /// no other one: reading page after page gives each visitor once.
    pub fn by_address(&self, which: &Which, after: &str, limit: u32) -> Result<Vec<Visitor>, StoreError> {
        let server = which.server.as_ref().map_or(ALL, ServerName::as_str);
        self.some(
            "WHERE server = ?1 AND (?2 = '' OR instr(address, ?2)) AND address > ?3 ORDER BY address LIMIT ?4",
            params![server, which.address, after, limit],
        )
    }

    fn some(&self, which: &str, values: impl rusqlite::Params) -> Result<Vec<Visitor>, StoreError> {
        let connection = self.reader();
        let mut statement = connection
            .prepare_cached(&format!("SELECT address, first, last, requests, errors FROM visit {which}"))?;
        let rows = statement.query_map(values, |r| {
            let address: String = r.get(0)?;
            Ok((address, Visit { first: r.get(1)?, last: r.get(2)?, requests: r.get(3)?, errors: r.get(4)? }))
        })?;
        let rows: Vec<(String, Visit)> = rows.collect::<Result<_, _>>()?;
        rows.into_iter().map(|(address, visit)| visitor(&connection, address, visit)).collect()
    }

    /// Returns those of these addresses that are in the list.
    pub fn find(&self, addresses: &[String]) -> Result<Vec<Visitor>, StoreError> {
        let connection = self.reader();
        let mut found = Vec::new();
        for address in addresses {
            let visits = visits(&connection, address)?;
            if let Some((_, visit)) = visits.iter().find(|(server, _)| server == ALL) {
                found.push(visitor(&connection, address.clone(), *visit)?);
            }
        }
        Ok(found)
    }

    /// Returns how many addresses there are.
    pub fn count(&self, which: &Which) -> Result<u64, StoreError> {
        let server = which.server.as_ref().map_or(ALL, ServerName::as_str);
        let count = self.reader().query_row(
            "SELECT count(*) FROM visit WHERE server = ?1 AND (?2 = '' OR instr(address, ?2))",
            params![server, which.address],
            |r| r.get(0),
        )?;
        Ok(count)
    }

    /// Returns changes on the session test page with an id above `after`, the most recent first.
    pub fn changes(&self, which: &Which, after: u64, limit: u32) -> Result<Vec<ColourChange>, StoreError> {
        let connection = self.reader();
        let server = which.server.as_ref().map_or("", ServerName::as_str);
        let mut statement = connection.prepare_cached(
            "SELECT id, at, address, server, before, after FROM change WHERE id > ?1 \
             AND (?2 = '' OR server = ?2) AND (?3 = '' OR instr(address, ?3)) ORDER BY id DESC LIMIT ?4",
        )?;
        let rows = statement.query_map(params![after, server, which.address, limit], |r| {
            Ok(ColourChange {
                id: r.get(0)?,
                at: r.get(1)?,
                address: r.get(2)?,
                server: r.get(3)?,
                from: r.get(4)?,
                to: r.get(5)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

/// What became of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Added {
    /// The row existed.
    Known,
    /// The row is new.
    New,
    /// The row does not exist, and there is no room for it.
    NoRoom,
}

/// Adds to a row, or creates it when there is room.
fn add(
    transaction: &Transaction<'_>,
    server: &str,
    address: &str,
    visit: Visit,
    room: bool,
) -> Result<Added, StoreError> {
    let known = transaction
        .prepare_cached(
            "UPDATE visit SET first = min(first, ?3), last = max(last, ?4), requests = requests + ?5, \
             errors = errors + ?6 WHERE server = ?1 AND address = ?2",
        )?
        .execute(params![server, address, visit.first, visit.last, visit.requests, visit.errors])?;
    if known > 0 {
        return Ok(Added::Known);
    }
    if !room {
        return Ok(Added::NoRoom);
    }
    transaction
        .prepare_cached(
            "INSERT INTO visit (server, address, first, last, requests, errors) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![server, address, visit.first, visit.last, visit.requests, visit.errors])?;
    Ok(Added::New)
}

fn note(transaction: &Transaction<'_>, change: &Chosen) -> Result<(), StoreError> {
    let Chosen { at, address, server, change: Recolour { from, to } } = change;
    transaction
        .prepare_cached(
            "INSERT INTO change (at, address, server, before, after) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![at, address.to_string(), server.as_str(), from, to])?;
    let id = u64::try_from(transaction.last_insert_rowid()).unwrap_or(0);
    let oldest = id.saturating_sub(MOST_CHANGES);
    transaction.prepare_cached("DELETE FROM change WHERE id <= ?1")?.execute([oldest])?;
    Ok(())
}

fn some_addresses(
    transaction: &Transaction<'_>,
    condition: &'static str,
    values: impl rusqlite::Params,
) -> Result<Vec<String>, StoreError> {
    let mut statement =
        transaction.prepare_cached(&format!("SELECT address FROM visit WHERE {condition} LIMIT ?2"))?;
    let rows = statement.query_map(values, |r| r.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Returns each server's row of an address, and the row of all servers.
fn visits(connection: &Connection, address: &str) -> Result<Vec<(String, Visit)>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT server, first, last, requests, errors FROM visit WHERE address = ?1 ORDER BY server",
    )?;
    let rows = statement.query_map([address], |r| {
        Ok((r.get(0)?, Visit { first: r.get(1)?, last: r.get(2)?, requests: r.get(3)?, errors: r.get(4)? }))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn visitor(connection: &Connection, address: String, visit: Visit) -> Result<Visitor, StoreError> {
    let servers = visits(connection, &address)?.into_iter().filter(|(server, _)| server != ALL);
    let servers = servers.map(|(server, v)| Share {
        server,
        first: v.first,
        last: v.last,
        requests: v.requests,
        errors: v.errors,
    });
    let servers = servers.collect();
    let Visit { first, last, requests, errors } = visit;
    Ok(Visitor { address, first, last, requests, errors, servers })
}

#[cfg(test)]
mod tests;
