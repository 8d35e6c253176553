//! How each program is started: its folders, its files, its command line.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Child;
use std::time::{Duration, Instant};

use cordee_domain::db::events::NOTES;
use cordee_domain::db::ids::Numbering;
use cordee_domain::fault::Fault;
use cordee_domain::ids::{PoolId, ProcessId, ServerName};
use cordee_domain::{apache, db, text};
use rust_embed::RustEmbed;
use rustix::process::Signal;

use crate::data;
use crate::files::{self, folder};
use crate::machine::Machine;
use crate::mysql::{SCHEMA, account};
use crate::process::{self, Program, Serial};
use crate::roster::Roster;
use crate::trouble::fault;
use crate::{logs, net};

/// The demonstration site, which is copied into each web server's folder.
#[derive(RustEmbed)]
#[folder = "../../site"]
#[include = "public/*"]
#[include = "src/*"]
#[include = "session/src/*"]
struct Site;

/// The additional files of a cluster on which sessions are compared.
#[derive(RustEmbed)]
#[folder = "../../site/trial"]
struct Probe;

/// The site's tables, and the table in which it keeps sessions.
const TABLES: [&str; 2] =
    [include_str!("../../../site/schema.sql"), include_str!("../../../site/session/schema.sql")];

/// A program to start, with everything that its files need.
#[derive(Clone, Debug)]
pub enum Start {
    /// A HAProxy instance: its pool, and the addresses on which it will listen.
    Proxy(PoolId, Vec<SocketAddr>),
    /// A web server.
    Web(Web),
    /// A database.
    Database(Database),
}

/// What the files of a web server need.
#[derive(Clone, Debug)]
pub struct Web {
    /// The server's name.
    pub name: ServerName,
    /// The server's id, which is recorded in its folder.
    pub id: u32,
    /// The server's port, on this machine.
    pub port: u16,
    /// The address at which its site reaches the databases.
    pub databases: SocketAddr,
    /// The port at which its site reaches the writer, at the same address.
    pub writer: u16,
}

/// What the files of a database need.
#[derive(Clone, Debug)]
pub struct Database {
    /// The database's name.
    pub name: ServerName,
    /// The database's id.
    pub id: u32,
    /// The database's port, on this machine.
    pub port: u16,
    /// How it numbers the rows that it inserts.
    pub numbering: Numbering,
    /// Whether crash recovery keeps transactions that were logged and not yet committed in the tables.
    pub keeps: bool,
    /// Whether it sends an ACK for what it receives.
    pub acks: bool,
    /// Whether it is the writer: then the emptying of its MEMORY tables is logged.
    pub writes: bool,
}

/// Starts a process of ours, with that id as its name and that serial in its environment. Fails if another program
/// listens on its port.
pub fn start(machine: &Machine, id: &ProcessId, serial: Serial, what: &Start) -> Result<Child, Fault> {
    let here = |port: u16| require_free(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    let program = match what {
        Start::Proxy(proxy, listens) => {
            // A second HAProxy instance would share a taken port without an error.
            listens.iter().copied().try_for_each(require_free)?;
            proxy_program(machine, *proxy)?
        }
        Start::Web(server) => {
            here(server.port)?;
            web_program(machine, server)?
        }
        Start::Database(server) => {
            here(server.port)?;
            database_program(machine, server)?
        }
    };
    begin(&program, &Roster::of(&machine.home), &id.to_string(), serial).map_err(|e| fault(&e))
}

/// Starts a program in a process group of its own, and records which process it is.
fn begin(program: &Program, roster: &Roster, name: &str, serial: Serial) -> std::io::Result<Child> {
    let uid = program.user.map_or_else(|| rustix::process::geteuid().as_raw(), |user| user.uid);
    let entry = roster.enlist(name, serial, Path::new(program.path), uid, true)?;
    let child = match process::spawn(program, &entry.mark) {
        Ok(child) => child,
        Err(error) => {
            roster.strike(&entry);
            return Err(error);
        }
    };
    process::failpoint("after-spawn", name);
    if let Err(error) = roster.bind(entry, child.id()) {
        // The process runs, and is found by its mark.
        tracing::error!(error = &error as &dyn std::error::Error, "writing down a process");
    }
    Ok(child)
}

/// Asks a group leader to end; it ends its own group. Apache finishes its requests on WINCH (its manual, "Stopping
/// and Restarting"); the others end on TERM.
pub fn stop(id: &ProcessId, pid: u32) -> Result<(), Fault> {
    let signal = match id {
        ProcessId::Web(_) => Signal::WINCH,
        ProcessId::Database(_) | ProcessId::Proxy(_) => Signal::TERM,
    };
    process::signal(pid, signal).map_err(|e| fault(&e))
}

/// Kills processes, and the groups that they lead.
pub fn kill(pids: &[u32]) -> Result<(), Fault> {
    for pid in pids {
        process::signal_group(*pid, Signal::KILL).map_err(|e| fault(&e))?;
        process::signal(*pid, Signal::KILL).map_err(|e| fault(&e))?;
    }
    Ok(())
}

/// How long to wait for a port: the kernel closes the sockets of an ended process a moment after its end was
/// reported.
const CLOSING: Duration = Duration::from_millis(500);

fn require_free(address: SocketAddr) -> Result<(), Fault> {
    let deadline = Instant::now() + CLOSING;
    while !net::try_free(address).map_err(|e| fault(&e))? {
        if Instant::now() >= deadline {
            let holder = net::holder(address.port()).to_string();
            return Err(Fault::PortTaken { port: address.port(), holder });
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    Ok(())
}

fn proxy_program(machine: &Machine, proxy: PoolId) -> Result<Program, Fault> {
    let run = machine.home.proxy_run(proxy);
    folder(&run, 0o755, machine.users.haproxy).map_err(|e| fault(&e))?;
    let path = |p: &Path| p.to_string_lossy().into_owned();
    Ok(Program {
        path: "/usr/sbin/haproxy",
        arguments: vec![
            "-W".to_owned(),
            "-f".to_owned(),
            path(&machine.home.proxy_config(proxy)),
            "-S".to_owned(),
            format!("{},mode,600", path(&machine.home.proxy_master(proxy))),
        ],
        folder: run,
        log: machine.home.logs().join(format!("haproxy-{proxy}.log")),
        environment: Vec::new(),
        user: machine.users.haproxy,
    })
}

fn web_program(machine: &Machine, server: &Web) -> Result<Program, Fault> {
    let home = machine.home.server(&server.name);
    let user = machine.users.apache;
    let prepare = || {
        folder(&home, 0o755, None)?;
        // This comes first: another server with the same name must not take the folder for its own.
        files::replace(&data::id_file(&home), format!("{}\n", server.id), 0o644, None)?;
        // Nothing of an earlier run counts. If a pid was recycled, Apache takes the old pid file for its own, says
        // "already running" and exits with code 0.
        files::remove(&home.join("run"))?;
        for own in apache::WRITABLE {
            folder(&home.join(own), 0o750, user)?;
        }
        logs::prepare(&home.join("log"), &apache::LOGS, user)?;
        let site_config = home.join("site.ini");
        files::replace(&site_config, site_ini(machine, server), 0o600, user)?;
        copy_site(&home, machine.trial)?;
        let config = apache::render(&apache::Instance {
            name: server.name.as_str(),
            port: server.port,
            home: &home,
            site_config: &site_config,
        });
        let (folder_of_php, file) = apache::PHP;
        folder(&home.join(folder_of_php), 0o755, None)?;
        files::replace(&home.join(folder_of_php).join(file), apache::php(&home), 0o644, None)?;
        files::replace(&home.join("apache.conf"), &config, 0o644, None)
    };
    prepare().map_err(|e| fault(&e))?;
    Ok(Program {
        path: "/usr/sbin/apache2",
        arguments: vec![
            "-f".to_owned(),
            home.join("apache.conf").to_string_lossy().into_owned(),
            "-DFOREGROUND".to_owned(),
        ],
        log: home.join("log").join("apache.log"),
        environment: vec![apache::php_folders(&home)],
        folder: home,
        user,
    })
}

/// Returns the site's configuration: the site reaches the databases only through the HAProxy instance `db`.
fn site_ini(machine: &Machine, server: &Web) -> String {
    format!(
        "; Written by Cordée at each start of this server.\nhost = \"{}\"\nport = {}\nwriter_port = {}\n\
         user = \"{}\"\npassword = \"{}\"\nschema = \"{SCHEMA}\"\n",
        server.databases.ip(),
        server.databases.port(),
        server.writer,
        account::APP,
        machine.secrets.app,
    )
}

/// Writes the site's files that are missing or differ. The modes of its folders are set in any case.
fn copy_site(home: &Path, trial: bool) -> std::io::Result<()> {
    let site = home.join("site");
    for path in Site::iter() {
        for above in Path::new(path.as_ref()).ancestors().skip(1) {
            folder(&site.join(above), 0o755, None)?;
        }
    }
    for name in Site::iter() {
        let Some(file) = Site::get(&name) else { continue };
        copy_file(&site.join(name.as_ref()), &file.data)?;
    }
    for name in Probe::iter().filter(|_| trial) {
        let Some(file) = Probe::get(&name) else { continue };
        copy_file(&site.join("public").join(name.as_ref()), &file.data)?;
    }
    Ok(())
}

fn copy_file(to: &Path, data: &[u8]) -> std::io::Result<()> {
    if std::fs::read(to).is_ok_and(|now| now == data) {
        return Ok(());
    }
    if let Some(parent) = to.parent() {
        folder(parent, 0o755, None)?;
    }
    files::replace(to, data, 0o644, None)
}

/// Refuses to start a database whose index files name logs of another folder.
fn own_logs(home: &Path) -> Result<(), Fault> {
    for folder in ["binlog", "relay"] {
        let all = files::entries(&home.join(folder)).map_err(|e| fault(&e))?;
        for list in all.into_iter().filter(|path| path.extension().is_some_and(|e| e == "index")) {
            let named = files::text(&list).map_err(|e| fault(&e))?.unwrap_or_default();
            if let Some(log) = db::mariadb::elsewhere(&named, home) {
                let (list, log) = (list.display().to_string(), log.display().to_string());
                return Err(text!("db-logs-elsewhere", list = list, log = log).into());
            }
        }
    }
    Ok(())
}

fn database_program(machine: &Machine, server: &Database) -> Result<Program, Fault> {
    let home = machine.home.server(&server.name);
    own_logs(&home)?;
    let run = machine.home.database_run(&server.name);
    let user = machine.users.mariadb;
    let rights = home.join("rights.sql");
    let prepare = || {
        folder(&run, 0o755, user)?;
        // The database opens its log by itself, so that it can reopen it.
        logs::prepare(&home.join("log"), &db::mariadb::LOGS, user)?;
        let config = db::mariadb::render(&db::mariadb::Instance {
            name: server.name.as_str(),
            id: server.id,
            numbering: server.numbering,
            port: server.port,
            home: &home,
            run: &run,
            keeps: server.keeps,
            acks: server.acks,
            rights: &rights,
        });
        let emptied = if server.writes { "" } else { data::EMPTIED };
        files::replace(&rights, &(data::rights() + emptied), 0o644, None)?;
        files::replace(&home.join("my.cnf"), &config, 0o644, None)
    };
    prepare().map_err(|e| fault(&e))?;
    Ok(Program {
        path: "/usr/sbin/mariadbd",
        arguments: vec![format!("--defaults-file={}", home.join("my.cnf").display())],
        log: home.join("log").join("mariadb.log"),
        // The files in which it keeps the passwords of its channels must not be readable by others.
        environment: [("UMASK", "0600"), ("UMASK_DIR", "0700")]
            .map(|(name, mode)| (name, mode.to_owned()))
            .into(),
        folder: home,
        user,
    })
}

/// Returns the statements that create the schemas and tables of the cluster and of the site.
pub fn schema() -> Vec<String> {
    let mut all = vec![
        "CREATE DATABASE IF NOT EXISTS cordee".to_owned(),
        format!("CREATE DATABASE IF NOT EXISTS {SCHEMA} CHARACTER SET utf8mb4"),
        "CREATE TABLE IF NOT EXISTS cordee.heartbeat (server_id INT UNSIGNED NOT NULL PRIMARY KEY, \
         beat DATETIME(6) NOT NULL) ENGINE=InnoDB"
            .to_owned(),
        // Scheduled events that are switched off (`db/events`).
        format!(
            "CREATE TABLE IF NOT EXISTS cordee.{NOTES} (schema_name VARCHAR(64) NOT NULL, \
             event_name VARCHAR(64) NOT NULL, \
             PRIMARY KEY (schema_name, event_name)) ENGINE=InnoDB CHARACTER SET utf8mb3 COLLATE utf8mb3_bin"
        ),
        format!("USE {SCHEMA}"),
    ];
    let lines = TABLES.iter().flat_map(|t| t.lines()).filter(|l| !l.trim_start().starts_with("--"));
    let text = lines.collect::<Vec<_>>().join("\n");
    all.extend(text.split(';').map(str::trim).filter(|s| !s.is_empty()).map(str::to_owned));
    all
}
