//! A database's data folder: made new, or copied from another one.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use cordee_domain::db::copied::Copied;
use cordee_domain::db::credentials::{self, HOST, SHARED};
use cordee_domain::db::mariadb::{INSTALL, REDO_LOG};
use cordee_domain::fault::Fault;
use cordee_domain::ids::{PoolId, ServerName};
use cordee_domain::observed::Made;
use cordee_domain::text;

use crate::hands::files::{self, folder};
use crate::hands::mysql::account;
use crate::hands::{backup, logs, process};
use crate::paths::User;
use crate::secrets::Secrets;

use super::act::io;
use super::{Parts, import};

/// Makes a database's data folder and accounts. It is renamed into place when it is complete, so that a crash
/// leaves nothing that looks like a database.
pub(super) fn init(parts: &Parts, name: &ServerName, id: u32) -> Result<(), Fault> {
    let home = parts.home.server(name);
    let user = parts.users.mariadb;
    let sql = home.join("accounts.sql");
    let draft = folders(&home, user).map_err(|e| io(&e))?;
    files::write(&sql, accounts(parts), 0o600, user).map_err(|e| io(&e))?;
    let result = install(&home, &draft, &sql, user);
    process::remove_file(&sql).map_err(|e| io(&e))?;
    result?;
    complete(&home, &draft, id).map_err(|e| io(&e))
}

/// Makes the folders of a database; gives the empty one into which its data come.
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

/// Puts the complete data in their place. For which id they were made is written down first: another server by the
/// same name must not take them for its own.
fn complete(home: &Path, draft: &Path, id: u32) -> std::io::Result<()> {
    files::replace(&id_file(home), format!("{id}\n"), 0o644, None)?;
    std::fs::rename(draft, home.join("data"))
}

/// For which id the data in a database's folder were made; `None` while they are not complete. A folder of an older
/// Cordée does not say: then it is `known`.
pub(super) fn made_for(home: &Path, known: u32) -> std::io::Result<Option<u32>> {
    if !files::is_folder(&home.join("data"))? {
        return Ok(None);
    }
    let id = files::text(&id_file(home))?.and_then(|text| text.trim().parse().ok());
    Ok(Some(id.unwrap_or(known)))
}

/// Whether a server's folder is a database's.
pub(super) fn is_database(home: &Path) -> bool {
    home.join("my.cnf").exists()
}

/// What only a database has in its folder, and what only a web server has.
const OF_A_DATABASE: [&str; 3] = ["my.cnf", "data", "data.new"];
const OF_A_WEB_SERVER: [&str; 2] = ["apache.conf", "site"];

/// The file that says for which id a server's folder was made.
pub(super) fn id_file(home: &Path) -> PathBuf {
    home.join("id")
}

/// For whom a server's folder was made, as far as it says. Where a web server of an older Cordée was put beside the
/// data of a database, they are the database's.
pub(super) fn made(home: &Path) -> std::io::Result<Made> {
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
        None => files::text(&import::begun_file(home))?,
        said => said,
    };
    Ok(Made { pool, id: said.and_then(|text| text.trim().parse().ok()) })
}

/// Whether the folder of that name is that of a server that is wished. One that cannot be read may be.
pub(super) fn belongs(parts: &Parts, name: &ServerName) -> bool {
    let desired = parts.board.desired();
    let mut wished = desired.servers().filter(|s| s.name == *name);
    wished.any(|s| made(&parts.home.server(&s.name)).map_or(true, |made| made.is_of(s)))
}

/// The file that says where a copy ends, until its database was told.
pub(super) fn position_file(home: &Path) -> PathBuf {
    home.join("position")
}

/// Keeps where a copy ends until its database was told.
pub(super) fn keep_position(home: &Path, copied: &Copied) -> Result<(), Fault> {
    files::replace(&position_file(home), copied.to_string(), 0o644, None).map_err(|e| io(&e))
}

/// Copies a running database, `donor` by its id, into the folder of a new one.
pub(super) fn copy(
    parts: &Parts,
    name: &ServerName,
    id: u32,
    (donor, donor_id): (&ServerName, u32),
    watch: &backup::Watch<'_>,
) -> Result<(), Fault> {
    let home = parts.home.server(name);
    let user = parts.users.mariadb;
    let draft = folders(&home, user).map_err(|e| io(&e))?;
    let socket = parts.home.database_socket(donor);
    let data = parts.home.server(donor).join("data");
    let need = copied_bytes(&data).map_err(|e| io(&e))?;
    let free = files::free(&home).map_err(|e| io(&e))?;
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
        parts.secrets.control,
        socket.display(),
        data.display()
    );
    files::write(&options, &secret, 0o600, user).map_err(|e| io(&e))?;
    let result = backup::copy(&options, &draft, &home.join("tmp"), &home.join("log/copy.log"), user, watch);
    process::remove_file(&options).map_err(|e| io(&e))?;
    keep_position(&home, &Copied { told: result?, donor: Some(donor_id) })?;
    complete(&home, &draft, id).map_err(|e| io(&e))
}

/// Kept free beside a copy: the first logs of the new database.
const RESERVE: u64 = 256 << 20;

/// What a copy reads of a data folder: all but the redo log, of which only the newest part is taken.
pub(super) fn copied_bytes(data: &Path) -> std::io::Result<u64> {
    Ok(files::size(data)?.saturating_sub(files::size(&data.join("ib_logfile0"))?))
}

/// Bytes that must be free for a copy of so many.
pub(super) const fn room_for(bytes: u64) -> u64 {
    bytes + bytes / 10 + RESERVE
}

/// For people.
pub(super) const fn mebibytes(bytes: u64) -> u64 {
    bytes >> 20
}

fn install(home: &Path, data: &Path, sql: &Path, user: Option<User>) -> Result<(), Fault> {
    let log = &home.join("log").join(INSTALL);
    let output = files::remove(log).and_then(|()| files::append(log)).map_err(|e| io(&e))?;
    let errors = output.try_clone().map_err(|e| io(&e))?;
    let mut command = Command::new("/usr/bin/mariadb-install-db");
    command
        .arg("--no-defaults")
        .arg(format!("--datadir={}", data.display()))
        .arg("--skip-test-db")
        // Otherwise it looks up this machine's name, and gives up where nobody knows it.
        .arg("--force")
        .arg("--auth-root-authentication-method=socket")
        .arg(format!("--extra-file={}", sql.display()))
        .arg(format!("--innodb-log-file-size={REDO_LOG}"))
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        // Its tables of a moment have names that can be guessed: not where everybody may take them.
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
            // The next try begins another one; what this one said is kept beside it.
            std::fs::rename(log, log.with_extension("log.1")).map_err(|e| io(&e))?;
            Err(text!("db-install-failed").into())
        }
        Err(error) => Err(io(&error)),
    }
}

/// Accounts with the least rights that do, made before the database is reachable. Passwords are hexadecimal
/// digits of our own making.
fn accounts(parts: &Parts) -> String {
    let secrets = &parts.secrets;
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

/// The accounts that every database has: name, password, rights. All come over TCP, from this machine.
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

/// The statements that make them what they were, whatever became of them. Nobody who is signed in notices.
pub(super) fn accounts_again(parts: &Parts, all_write: bool) -> Vec<String> {
    let mut all: Vec<String> = shared(&parts.secrets)
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

/// The statements that make these accounts on a database of somebody else's.
pub(super) fn members_accounts(parts: &Parts) -> Vec<String> {
    shared(&parts.secrets)
        .into_iter()
        .flat_map(|(name, password, rights)| {
            [
                format!("CREATE OR REPLACE USER '{name}'@'127.0.0.1' IDENTIFIED BY '{password}'"),
                format!("GRANT {rights} TO '{name}'@'127.0.0.1'"),
            ]
        })
        .collect()
}

/// The statements that take them off it again.
pub(super) fn no_accounts(parts: &Parts) -> Vec<String> {
    let drop = |(name, _, _): (&str, &str, &str)| format!("DROP USER IF EXISTS '{name}'@'127.0.0.1'");
    shared(&parts.secrets).into_iter().map(drop).collect()
}

/// Opens each table in memory once, unlogged, before anybody else can: the file of statements is run before connections
/// are taken. MariaDB logs at the first opening after a start that such a table was emptied, whoever reads it and
/// closed or not, and the links would carry that to the writer. The writer's own is logged, so that the others empty
/// theirs too. `ENGINE` is read without opening anything (3,000 tables: 0.1 s).
pub(super) const EMPTIED: &str = "SET SESSION sql_log_bin=0;\n\
    BEGIN NOT ATOMIC DECLARE CONTINUE HANDLER FOR SQLEXCEPTION BEGIN END; \
    FOR r IN (SELECT CONCAT('`', REPLACE(TABLE_SCHEMA, '`', '``'), '`.`', REPLACE(TABLE_NAME, '`', '``'), '`') AS n \
    FROM information_schema.TABLES WHERE ENGINE = 'MEMORY' AND TABLE_TYPE = 'BASE TABLE') \
    DO EXECUTE IMMEDIATE CONCAT('SELECT COUNT(*) INTO @emptied FROM ', r.n); END FOR; END;\n";

/// What Cordée's own account may do. It runs at each start of a database, so that one that an older Cordée made
/// gets what this one needs. It is not logged: each database has its own accounts.
pub(super) fn rights() -> String {
    let to = format!("TO '{}'@'localhost';\n", account::CONTROL);
    let with = to.replace(';', " WITH GRANT OPTION;");
    [
        "SET SESSION sql_log_bin=0;\n",
        // Opening and closing, links, positions, ending connections.
        // Setting what somebody altered (SUPER), and the cluster's accounts.
        "GRANT SUPER, CREATE USER, READ_ONLY ADMIN, REPLICATION SLAVE ADMIN, REPLICATION MASTER ADMIN, \
         REPLICATION SLAVE, SLAVE MONITOR, \
         BINLOG MONITOR, BINLOG ADMIN, CONNECTION ADMIN, PROCESS ON *.* ",
        &with,
        // Comparing rows and putting them right, copying files, and for a copy through statements reading events and
        // views that call functions.
        "GRANT SELECT, INSERT, UPDATE, DELETE, TRIGGER, EVENT, EXECUTE, LOCK TABLES, RELOAD, SHOW VIEW ON *.* ",
        &to,
        "GRANT ALL ON cordee.* ",
        &to,
        // What it gives to the application's accounts it has to have.
        "GRANT ALL ON site.* ",
        &with,
    ]
    .concat()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// A server's folder that holds these, each a folder but what says an id.
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
