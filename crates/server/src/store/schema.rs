//! The tables, by version. A file of a newer version is refused; an older file is migrated step by step.

use rusqlite::Connection;

use super::StoreError;

/// Each entry migrates the file from the previous version to its own.
const STEPS: [&str; 11] = [
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
    "
    CREATE TABLE proof (
        session BLOB NOT NULL,
        secret_hash BLOB NOT NULL,
        confirmed INTEGER NOT NULL,
        PRIMARY KEY (session, secret_hash)
    ) STRICT;
",
    // The subject of a line is stored as a typed value, so that the page can link to it. An older Cordée cannot
    // read the new lines.
    "
    UPDATE event SET text = json_set(text, '$.args.name', json_object('server', subject))
        WHERE json_type(text, '$.args.name') = 'text' AND json_extract(text, '$.args.name') = subject
        AND subject NOT IN ('haproxy-web', 'haproxy-db', 'cluster', 'drill', 'sessions');
    UPDATE event SET text = json_set(text, '$.args.name', json_object('proxy', substr(subject, 9)))
        WHERE json_type(text, '$.args.name') = 'text' AND json_extract(text, '$.args.name') = subject
        AND subject IN ('haproxy-web', 'haproxy-db');
",
    // Browsers were recognised by a cookie, which went to every port of the host: those browsers are forgotten.
    "
    DROP TABLE browser;
    CREATE TABLE browser (
        mark_hash BLOB NOT NULL,
        account TEXT NOT NULL COLLATE NOCASE,
        seen INTEGER NOT NULL,
        PRIMARY KEY (mark_hash, account)
    ) STRICT;
",
];

/// Migrates the file to the newest version.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    let found: i64 = connection.query_row("PRAGMA user_version", [], |r| r.get(0))?;
    known(found)?;
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

/// Refuses a file of a newer version.
pub(super) fn known(found: i64) -> Result<(), StoreError> {
    let known = i64::try_from(STEPS.len()).unwrap_or(i64::MAX);
    if found > known { Err(StoreError::Newer { found, known }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use cordee_domain::ids::Millis;
    use cordee_node::clock::now;
    use rusqlite::params;

    use super::*;
    use crate::store::accounts::digest;
    use crate::store::hashing::hash_password;
    use crate::store::{Account, Store};
    use crate::web::fixture;

    /// A state file as a Cordée of that version left it.
    fn of_version(path: &std::path::Path, version: usize) -> Connection {
        let connection = Connection::open(path).unwrap();
        for step in &STEPS[..version] {
            connection.execute_batch(step).unwrap();
        }
        connection.pragma_update(None, "user_version", i64::try_from(version).unwrap()).unwrap();
        connection
    }

    #[test]
    fn people_sessions_and_tokens_of_version_7_are_read_as_they_were() {
        let folder = fixture::Folder::new();
        let path = folder.0.join("state.db");
        let (made, used): (Millis, Millis) = (now() - 120_000, now() - 30_000);
        let old = of_version(&path, 7);
        let hash = hash_password("long enough").unwrap();
        old.execute("INSERT INTO account VALUES ('Ana', ?1, ?2)", params![hash, made]).unwrap();
        old.execute("INSERT INTO session VALUES (?1, 'ana', ?2, ?3)", params![digest("a"), made, used])
            .unwrap();
        for (secret, name, seen) in [("b", "backup", Some(used)), ("c", "watch", None)] {
            old.execute(
                "INSERT INTO token VALUES (?1, ?2, ?3, ?4)",
                params![digest(secret), name, made, seen],
            )
            .unwrap();
        }
        old.execute("INSERT INTO browser VALUES (?1, 'ana', ?2)", params![digest("d"), made]).unwrap();
        drop(old);

        let store = Store::open(&path, || Some(fixture::desired())).unwrap();
        let ana = Account("ana".to_owned());
        assert!(store.password_matches("ana", "long enough").unwrap().is_some());
        let browsers: u32 = store.lock().query_row("SELECT count(*) FROM browser", [], |r| r.get(0)).unwrap();
        assert_eq!(browsers, 0, "by a cookie nobody is known");
        let sessions = store.sessions(&ana, "a").unwrap();
        assert_eq!(sessions.len(), 1);
        assert_eq!((sessions[0].created, sessions[0].seen, sessions[0].own), (made, used, true));
        assert_eq!(sessions[0].device, crate::store::Device::default(), "where it began was not kept");
        assert_eq!(store.session("a").unwrap(), Some(ana.clone()));
        let tokens: Vec<_> =
            store.tokens().unwrap().into_iter().map(|t| (t.name, t.created, t.seen, t.expires)).collect();
        let expected =
            [("backup".to_owned(), made, Some(used), None), ("watch".to_owned(), made, None, None)];
        assert_eq!(tokens, expected, "without an end, as they were made");
        assert!(store.token("c").unwrap().is_some());
        assert_eq!(store.end_sessions(&ana, Some(&sessions[0].id), "", "ana").unwrap(), 1);
        drop(store);
        // Opened again, the file is not changed.
        let store = Store::open(&path, || None).unwrap();
        assert_eq!(store.tokens().unwrap().len(), 2);
    }

    #[test]
    fn lines_of_version_9_name_what_they_are_about() {
        use cordee_domain::ids::{PoolId, ServerName};
        use cordee_domain::text::Thing;
        use cordee_domain::{text, text::Text};

        let folder = fixture::Folder::new();
        let path = folder.0.join("state.db");
        let old = of_version(&path, 9);
        let line = |subject: &str, text: &Text| {
            let text = serde_json::to_string(text).unwrap();
            old.execute(
                "INSERT INTO event (at, actor, subject, light, text) VALUES (1, 'ana', ?1, NULL, ?2)",
                params![subject, text],
            )
            .unwrap();
        };
        line("web1", &text!("event-stop", name = "web1"));
        line("haproxy-db", &text!("event-process-started", name = "haproxy-db", pid = 7));
        line("cluster", &text!("event-account", name = "cluster"));
        line("web1", &text!("event-token", name = "web2"));
        line("cluster", &text!("event-own-room"));
        drop(old);
        let store = Store::open(&path, || Some(fixture::desired())).unwrap();
        let texts: Vec<Text> = store.events_after(0, 9).unwrap().into_iter().map(|e| e.text).collect();
        let web1 = ServerName::parse("web1").unwrap();
        let expected = [
            text!("event-stop", name = &web1),
            text!("event-process-started", name = Thing::Proxy(PoolId::Db), pid = 7),
            text!("event-account", name = "cluster"),
            text!("event-token", name = "web2"),
            text!("event-own-room"),
        ];
        assert_eq!(texts, expected);
    }

    /// Opening a FIFO for its other end would wait for ever.
    #[test]
    fn a_pipe_in_the_place_of_the_visitors_file_is_refused_at_once() {
        use rustix::fs::{CWD, FileType, Mode, mknodat};

        let folder = fixture::Folder::new();
        let pipe = folder.0.join("visitors.db");
        mknodat(CWD, &pipe, FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
        let state = folder.0.join("state.db");
        std::fs::write(&state, "").unwrap();
        let (done, ended) = std::sync::mpsc::channel();
        std::thread::spawn(move || done.send(Store::open(&state, || Some(fixture::desired())).is_err()));
        assert_eq!(ended.recv_timeout(std::time::Duration::from_secs(10)), Ok(true));
    }

    #[test]
    fn a_file_of_each_version_becomes_one_of_this() {
        for version in 1..STEPS.len() {
            let folder = fixture::Folder::new();
            let path = folder.0.join("state.db");
            drop(of_version(&path, version));
            Store::open(&path, || Some(fixture::desired())).unwrap();
            assert_eq!(crate::store::examine(&path).unwrap(), i64::try_from(STEPS.len()).unwrap());
        }
    }
}
