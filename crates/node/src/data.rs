//! A database's data folder: made new, or copied from another database.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use cordee_domain::db::copied::Copied;
use cordee_domain::db::credentials::{self, HOST, SHARED};
use cordee_domain::db::mariadb::{INSTALL, REDO_LOG};
use cordee_domain::fault::Fault;
use cordee_domain::ids::{Millis, PoolId, ServerName};
use cordee_domain::observed::Made;
use cordee_domain::text;

use crate::files::{self, folder};
use crate::machine::Machine;
use crate::mysql::Database;
use crate::mysql::account;
use crate::paths::Home;
use crate::secrets::Secrets;
use crate::trouble::fault;
use crate::users::User;
use crate::{backup, logs, process};

/// Makes a database's data folder and accounts. The folder is renamed into place when it is complete, so that a
/// crash leaves nothing that looks like a database.
pub fn init(machine: &Machine, name: &ServerName, id: u32) -> Result<(), Fault> {
    let home = machine.home.server(name);
    let user = machine.users.mariadb;
    let sql = home.join("accounts.sql");
    let draft = folders(&home, user).map_err(|e| fault(&e))?;
    files::write(&sql, accounts(machine), 0o600, user).map_err(|e| fault(&e))?;
    let result = install(&home, &draft, &sql, user);
    process::remove_file(&sql).map_err(|e| fault(&e))?;
    result?;
    complete(&home, &draft, id).map_err(|e| fault(&e))
}

/// Makes the folders of a database; returns the empty folder into which its data are written.
fn folders(home: &Path, user: Option<User>) -> std::io::Result<PathBuf> {
    let draft = home.join("data.new");
    folder(home, 0o755, None)?;
    files::remove(&draft)?;
    for own in ["tmp", "binlog", "relay"] {
        folder(&home.join(own), 0o750, user)?;
    }
    logs::prepare(&home.join("log"), &[], None)?;
    folder(&draft, 0o700, user)?;
    Ok(draft)
}

/// Renames the complete data folder into place. The id for which it was made is written first: another server with
/// the same name must not take the data for its own.
fn complete(home: &Path, draft: &Path, id: u32) -> std::io::Result<()> {
    files::replace(&id_file(home), format!("{id}\n"), 0o644, None)?;
    std::fs::rename(draft, home.join("data"))
}

/// Returns the id for which the data in a database's folder were made; `None` while they are not complete. A folder
/// made by an older Cordée holds no id: then `known` is returned.
pub fn made_for(home: &Path, known: u32) -> std::io::Result<Option<u32>> {
    if !files::is_folder(&home.join("data"))? {
        return Ok(None);
    }
    let id = files::text(&id_file(home))?.and_then(|text| text.trim().parse().ok());
    Ok(Some(id.unwrap_or(known)))
}

/// Reports whether a server's folder is a database's.
pub fn is_database(home: &Path) -> bool {
    home.join("my.cnf").exists()
}

/// What only a database has in its folder, and below it what only a web server has.
const OF_A_DATABASE: [&str; 3] = ["my.cnf", "data", "data.new"];
const OF_A_WEB_SERVER: [&str; 2] = ["apache.conf", "site"];

/// Returns the path of the file that holds the id for which a server's folder was made.
pub fn id_file(home: &Path) -> PathBuf {
    home.join("id")
}

/// Returns for which pool and id a server's folder was made, as far as the folder tells. If an older Cordée put a
/// web server into the folder of a database, the folder is the database's.
pub fn made(home: &Path) -> std::io::Result<Made> {
    if !std::fs::symlink_metadata(home)?.is_dir() {
        return Ok(Made::default());
    }
    let holds = |names: &[&str]| {
        let there =
            |found: bool, name: &&str| Ok::<_, std::io::Error>(found || home.join(name).try_exists()?);
        names.iter().try_fold(false, there)
    };
    let pool = if holds(&OF_A_DATABASE)? {
        Some(PoolId::Db)
    } else if holds(&OF_A_WEB_SERVER)? {
        Some(PoolId::Web)
    } else {
        None
    };
    let said = match files::text(&id_file(home))? {
        None => files::text(&begun_file(home))?,
        said => said,
    };
    Ok(Made { pool, id: said.and_then(|text| text.trim().parse().ok()) })
}

/// Returns the path of the file that marks the beginning of a copy into a database that existed already: what that
/// database holds since then is ours.
pub fn begun_file(home: &Path) -> PathBuf {
    home.join("begun")
}

/// Moves a server's folder into the trash, under its name and the given time.
pub fn trash(home: &Home, name: &ServerName, at: Millis) -> Result<(), Fault> {
    std::fs::rename(home.server(name), home.trash().join(format!("{name}-{at}"))).map_err(|e| fault(&e))
}

/// Returns the path of the file that holds the end position of a copy until its database was told.
pub fn position_file(home: &Path) -> PathBuf {
    home.join("position")
}

/// Records the end position of a copy until its database was told.
pub fn keep_position(home: &Path, copied: &Copied) -> Result<(), Fault> {
    files::replace(&position_file(home), copied.to_string(), 0o644, None).map_err(|e| fault(&e))
}

/// Tells a copied database its end position, once. The position in its own tables counts only until the database is
/// told one, so the result is recorded first.
pub async fn seed(home: &Home, database: &Database, name: &ServerName) -> Result<(), Fault> {
    let file = position_file(&home.server(name));
    let kept = files::plain_text(&file).map_err(|e| fault(&e))?;
    let copied = Copied::parse(&kept).ok_or_else(|| text!("copy-no-position"))?;
    let told = copied.told.clone();
    let end = copied.end(database.told().await?);
    if end != told {
        tracing::info!(%name, %told, %end, "a copy holds more than was written down");
    }
    keep_position(&home.server(name), &Copied { told: end.clone(), donor: None })?;
    database.place(&end).await?;
    process::remove_file(&file).map_err(|e| fault(&e))
}

/// Copies the running database `donor` into the folder of a new one. `donor_id` is the donor's id.
pub fn copy(
    machine: &Machine,
    name: &ServerName,
    id: u32,
    (donor, donor_id): (&ServerName, u32),
    watch: &backup::Watch<'_>,
) -> Result<(), Fault> {
    let home = machine.home.server(name);
    let user = machine.users.mariadb;
    let draft = folders(&home, user).map_err(|e| fault(&e))?;
    let socket = machine.home.database_socket(donor);
    let data = machine.home.server(donor).join("data");
    let need = copied_bytes(&data).map_err(|e| fault(&e))?;
    let free = files::free(&home).map_err(|e| fault(&e))?;
    if free < need + need / 10 + RESERVE {
        return Err(text!(
            "copy-no-space",
            need = mebibytes(need + need / 10 + RESERVE),
            free = mebibytes(free)
        )
        .into());
    }
    let options = home.join("copy.cnf");
    let secret = format!(
        "[mariabackup]\nuser={}\npassword={}\nsocket={}\ndatadir={}\n",
        account::CONTROL,
        machine.secrets.control,
        socket.display(),
        data.display()
    );
    files::write(&options, &secret, 0o600, user).map_err(|e| fault(&e))?;
    let result = backup::copy(&options, &draft, &home.join("tmp"), &home.join("log/copy.log"), user, watch);
    process::remove_file(&options).map_err(|e| fault(&e))?;
    keep_position(&home, &Copied { told: result?, donor: Some(donor_id) })?;
    complete(&home, &draft, id).map_err(|e| fault(&e))
}

/// Is kept free beside a copy, for the first logs of the new database.
const RESERVE: u64 = 256 << 20;

/// Returns how many bytes of a data folder a copy reads: everything except the redo log, of which it takes only the
/// newest part.
pub fn copied_bytes(data: &Path) -> std::io::Result<u64> {
    Ok(files::size(data)?.saturating_sub(files::size(&data.join("ib_logfile0"))?))
}

/// Returns how many bytes must be free for a copy of that size.
pub const fn room_for(bytes: u64) -> u64 {
    bytes + bytes / 10 + RESERVE
}

/// Converts bytes to mebibytes for a message.
pub const fn mebibytes(bytes: u64) -> u64 {
    bytes >> 20
}

fn install(home: &Path, data: &Path, sql: &Path, user: Option<User>) -> Result<(), Fault> {
    let log = &home.join("log").join(INSTALL);
    let output = files::remove(log).and_then(|()| files::append(log)).map_err(|e| fault(&e))?;
    let errors = output.try_clone().map_err(|e| fault(&e))?;
    let mut command = Command::new("/usr/bin/mariadb-install-db");
    command
        .arg("--no-defaults")
        .arg(format!("--datadir={}", data.display()))
        .arg("--skip-test-db")
        // Without it the program looks up this machine's name, and gives up if the name does not resolve.
        .arg("--force")
        .arg("--auth-root-authentication-method=socket")
        .arg(format!("--extra-file={}", sql.display()))
        .arg(format!("--innodb-log-file-size={REDO_LOG}"))
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        // The names of its temporary tables can be guessed: they must not lie where every user can create files.
        .env("TMPDIR", home.join("tmp"))
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(output)
        .stderr(errors);
    if let Some(user) = user {
        use std::os::unix::process::CommandExt as _;
        command.uid(user.uid).gid(user.gid);
    }
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => {
            tracing::warn!(%status, "mariadb-install-db");
            // The next try begins a new log; the log of this try is kept beside it.
            std::fs::rename(log, log.with_extension("log.1")).map_err(|e| fault(&e))?;
            Err(text!("db-install-failed").into())
        }
        Err(error) => Err(fault(&error)),
    }
}

/// Returns the statements that create the accounts, with the least privileges that suffice. They run before the
/// database is reachable. The passwords are hexadecimal digits that Cordée makes, so they need no escaping.
fn accounts(machine: &Machine) -> String {
    let secrets = &machine.secrets;
    let user = |name: &str, host: &str, password: &str, rights: &str| {
        format!(
            "CREATE USER '{name}'@'{host}' IDENTIFIED BY '{password}';\nGRANT {rights} TO '{name}'@'{host}';\n"
        )
    };
    let mut sql = String::from("FLUSH PRIVILEGES;\n");
    sql.push_str(&user(account::CONTROL, "localhost", &secrets.control, "USAGE ON *.*"));
    sql.push_str(&rights());
    for (name, password, rights) in shared(secrets) {
        sql.push_str(&user(name, "127.0.0.1", password, rights));
    }
    sql
}

/// Returns the accounts that every database has: name, password, privileges. All sign in over TCP from this
/// machine.
fn shared(secrets: &Secrets) -> [(&'static str, &str, &'static str); 4] {
    SHARED.map(|(name, rights)| {
        let password: &str = match name {
            account::REPLICATION => &secrets.replication,
            account::APP => &secrets.app,
            account::MONITOR => &secrets.monitor,
            _ => &secrets.owner,
        };
        (name, password, rights)
    })
}

/// Returns the statements that restore these accounts, whatever was changed. Sessions that are signed in are not
/// affected.
pub fn accounts_again(machine: &Machine, all_write: bool) -> Vec<String> {
    let mut all: Vec<String> = shared(&machine.secrets)
        .into_iter()
        .flat_map(|(name, password, rights)| {
            let account = format!("'{name}'@'{HOST}'");
            [
                format!("CREATE USER IF NOT EXISTS {account} IDENTIFIED BY '{password}'"),
                format!("ALTER USER {account} IDENTIFIED BY '{password}' ACCOUNT UNLOCK"),
                format!("GRANT {} TO {account}", credentials::rights(name, rights, all_write)),
            ]
        })
        .collect();
    all.extend(all_write.then(|| credentials::schema_changes(true)));
    all
}

/// Returns the statements that create these accounts on a database that existed already.
pub fn members_accounts(machine: &Machine) -> Vec<String> {
    shared(&machine.secrets)
        .into_iter()
        .flat_map(|(name, password, rights)| {
            [
                format!("CREATE OR REPLACE USER '{name}'@'127.0.0.1' IDENTIFIED BY '{password}'"),
                format!("GRANT {rights} TO '{name}'@'127.0.0.1'"),
            ]
        })
        .collect()
}

/// Returns the statements that drop these accounts there again.
pub fn no_accounts(machine: &Machine) -> Vec<String> {
    let drop = |(name, _, _): (&str, &str, &str)| format!("DROP USER IF EXISTS '{name}'@'127.0.0.1'");
    shared(&machine.secrets).into_iter().map(drop).collect()
}

/// Opens each MEMORY table once, unlogged, before any client can: MariaDB runs this init file before it accepts
/// connections. At the first opening after a start, MariaDB logs that such a table was emptied, whichever account
/// reads it and even if the database is closed to writes; the channels would carry that to the writer. On the
/// writer the event is logged, so that the other databases empty their tables too. `ENGINE` is read without opening
/// a table (3,000 tables: 0.1 s).
pub const EMPTIED: &str = "SET SESSION sql_log_bin=0;\n\
    BEGIN NOT ATOMIC DECLARE CONTINUE HANDLER FOR SQLEXCEPTION BEGIN END; \
    FOR r IN (SELECT CONCAT('`', REPLACE(TABLE_SCHEMA, '`', '``'), '`.`', REPLACE(TABLE_NAME, '`', '``'), '`') AS n \
    FROM information_schema.TABLES WHERE ENGINE = 'MEMORY' AND TABLE_TYPE = 'BASE TABLE') \
    DO EXECUTE IMMEDIATE CONCAT('SELECT COUNT(*) INTO @emptied FROM ', r.n); END FOR; END;\n";

/// Returns the statements that grant Cordée's own account its privileges. They run at each start of a database, so
/// that an account that an older Cordée made gets what this version needs. They are not logged: each database has
/// its own accounts.
pub fn rights() -> String {
    let to = format!("TO '{}'@'localhost';\n", account::CONTROL);
    let with = to.replace(';', " WITH GRANT OPTION;");
    [
        "SET SESSION sql_log_bin=0;\n",
        // Opening and closing to writes, channels, positions, ending connections.
        // Restoring settings that somebody changed (SUPER), and the cluster's accounts.
        "GRANT SUPER, CREATE USER, READ_ONLY ADMIN, REPLICATION SLAVE ADMIN, REPLICATION MASTER ADMIN, \
         REPLICATION SLAVE, SLAVE MONITOR, \
         BINLOG MONITOR, BINLOG ADMIN, CONNECTION ADMIN, PROCESS ON *.* ",
        &with,
        // Comparing and repairing rows, copying files; for a copy through statements: reading events, and views
        // that call functions.
        "GRANT SELECT, INSERT, UPDATE, DELETE, TRIGGER, EVENT, EXECUTE, LOCK TABLES, RELOAD, SHOW VIEW ON *.* ",
        &to,
        "GRANT ALL ON cordee.* ",
        &to,
        // The account must itself hold what it grants to the application's accounts.
        "GRANT ALL ON site.* ",
        &with,
    ]
    .concat()
}

/// Reports whether a copy was not yet told its end position.
pub fn unseeded(home: &Path) -> std::io::Result<bool> {
    position_file(home).try_exists()
}

/// Reports whether a database starts closed to writes, according to its file; `None` if the file cannot be read.
pub async fn starts_closed(home: &Path) -> Option<bool> {
    let file = tokio::fs::read_to_string(home.join("my.cnf")).await.ok()?;
    Some(closed_by(&file))
}

/// Reports whether a database with that file starts closed to writes. The last line counts.
fn closed_by(file: &str) -> bool {
    let mut values = file.lines().filter_map(|line| {
        let (name, value) = line.split_once('=')?;
        (name.trim().replace('-', "_") == "read_only").then(|| value.trim().to_ascii_uppercase())
    });
    values.next_back().is_some_and(|value| matches!(value.as_str(), "1" | "ON" | "TRUE"))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_last_line_of_the_file_says_whether_it_starts_closed() {
        assert!(closed_by("[mariadbd]\nread_only=1\n"));
        assert!(closed_by("read-only = ON\n"));
        assert!(!closed_by("read_only=1\nread_only=0\n"));
        assert!(!closed_by("#read_only=1\n"));
        assert!(!closed_by(""));
    }

    /// Returns what `made` tells of a server's folder with these entries: `NAME=TEXT` is a file, everything else a
    /// folder.
    fn made_of(holds: &[&str]) -> Made {
        let home = PathBuf::from(env!("OUT_DIR")).join(format!("made-{}", std::process::id()));
        let _ = fs::remove_dir_all(&home);
        fs::create_dir_all(&home).expect("a folder");
        for one in holds {
            match one.split_once('=') {
                Some((file, text)) => fs::write(home.join(file), format!("{text}\n")).expect("a file"),
                None => fs::create_dir(home.join(one)).expect("a folder"),
            }
        }
        let made = made(&home).expect("it can be read");
        fs::remove_dir_all(&home).expect("gone");
        made
    }

    #[test]
    fn a_folder_says_for_whom_it_was_made() {
        let of = |pool, id| Made { pool, id };
        let (web, db) = (Some(PoolId::Web), Some(PoolId::Db));
        assert_eq!(made_of(&[]), of(None, None));
        assert_eq!(made_of(&["site", "apache.conf=", "id=4"]), of(web, Some(4)));
        assert_eq!(made_of(&["data", "my.cnf=", "id=2"]), of(db, Some(2)));
        assert_eq!(made_of(&["data.new", "log"]), of(db, None), "a copy that is not complete");
        assert_eq!(made_of(&["begun=7", "log"]), of(None, Some(7)), "somebody else's database");
        assert_eq!(made_of(&["begun=7", "id=8"]), of(None, Some(8)));
        assert_eq!(
            made_of(&["site", "data", "id=x"]),
            of(db, None),
            "an older Cordée put one upon the other"
        );
    }

    #[test]
    fn what_no_server_can_be_called_and_what_is_no_folder_is_somebody_else_s() {
        let servers = PathBuf::from(env!("OUT_DIR")).join(format!("servers-{}", std::process::id()));
        for folder in ["web1", "lost+found", "web1.bak", ".x", "web"] {
            fs::create_dir_all(servers.join(folder)).expect("a folder");
        }
        fs::write(servers.join("web2"), "").expect("a file");
        std::os::unix::fs::symlink(servers.join("web1"), servers.join("web3")).expect("a link");
        let entries = files::entries(&servers).expect("seen");
        let homes: Vec<String> =
            entries.iter().filter_map(|path| crate::paths::server_at(path)).map(|n| n.to_string()).collect();
        fs::remove_dir_all(&servers).expect("gone");
        assert_eq!((entries.len(), homes), (7, vec!["web1".to_owned()]));
    }

    #[test]
    fn what_is_no_folder_is_nobody_s_and_what_is_not_there_is_not_known() {
        let file = PathBuf::from(env!("OUT_DIR")).join(format!("made-file-{}", std::process::id()));
        fs::write(&file, "").expect("a file");
        assert_eq!(made(&file).expect("seen"), Made::default());
        fs::remove_file(&file).expect("gone");
        assert!(made(&file).is_err());
    }
}
