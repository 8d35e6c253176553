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

/// The demonstration site, as it is copied into each web server's folder.
#[derive(RustEmbed)]
#[folder = "../../site"]
#[include = "public/*"]
#[include = "src/*"]
#[include = "session/src/*"]
struct Site;

/// What a cluster that sessions are compared on has beside it.
#[derive(RustEmbed)]
#[folder = "../../site/trial"]
struct Probe;

/// The site's tables, and the one in which it keeps sessions.
const TABLES: [&str; 2] =
    [include_str!("../../../site/schema.sql"), include_str!("../../../site/session/schema.sql")];

/// A program of ours, with all that its files say of it.
#[derive(Clone, Debug)]
pub enum Start {
    /// A HAProxy: which, and where it is about to listen.
    Proxy(PoolId, Vec<SocketAddr>),
    /// A web server.
    Web(Web),
    /// A database.
    Database(Database),
}

/// What the files of a web server say of it.
#[derive(Clone, Debug)]
pub struct Web {
    /// Its name.
    pub name: ServerName,
    /// Its id, which its folder carries.
    pub id: u32,
    /// Where it listens, on this machine.
    pub port: u16,
    /// Where its site finds the databases.
    pub databases: SocketAddr,
    /// Where its site finds the one writer: a port of the same address.
    pub writer: u16,
}

/// What the files of a database say of it.
#[derive(Clone, Debug)]
pub struct Database {
    /// Its name.
    pub name: ServerName,
    /// Its id.
    pub id: u32,
    /// Where it listens, on this machine.
    pub port: u16,
    /// How it numbers the rows that it makes.
    pub numbering: Numbering,
    /// Whether crash recovery keeps what was logged and not yet committed in the tables.
    pub keeps: bool,
    /// Whether it confirms what it receives.
    pub acks: bool,
    /// Whether it is the writer: that its tables in memory were emptied is logged.
    pub writes: bool,
}

/// Starts a process of ours, named so and with that serial in its environment. Fails where somebody else listens.
pub fn start(machine: &Machine, id: &ProcessId, serial: Serial, what: &Start) -> Result<Child, Fault> {
    let here = |port: u16| require_free(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    let program = match what {
        Start::Proxy(proxy, listens) => {
            // A second HAProxy would share a taken port in silence.
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

/// Starts a program in a group of its own, and writes down which process it is.
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
        // It runs, and is found by its word.
        tracing::error!(error = &error as &dyn std::error::Error, "writing down a process");
    }
    Ok(child)
}

/// Asks a leader to end, which ends its own group. Apache finishes what it serves on WINCH (its manual, "Stopping and
/// Restarting"); the others end on TERM.
pub fn stop(id: &ProcessId, pid: u32) -> Result<(), Fault> {
    let signal = match id {
        ProcessId::Web(_) => Signal::WINCH,
        ProcessId::Database(_) | ProcessId::Proxy(_) => Signal::TERM,
    };
    process::signal(pid, signal).map_err(|e| fault(&e))
}

/// Ends processes, and the groups that they lead.
pub fn kill(pids: &[u32]) -> Result<(), Fault> {
    for pid in pids {
        process::signal_group(*pid, Signal::KILL).map_err(|e| fault(&e))?;
        process::signal(*pid, Signal::KILL).map_err(|e| fault(&e))?;
    }
    Ok(())
}

/// What an earlier process of ours held is closed by the kernel a moment after its end was reported.
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
        // Before anything else: another server by the same name must not take it for its own.
        files::replace(&data::id_file(&home), format!("{}\n", server.id), 0o644, None)?;
        // Nothing of an earlier run counts, and Apache takes a recycled pid for itself, says "already running" and
        // exits with code 0.
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

/// The site reaches the databases only through HAProxy `db`.
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

/// Writes the site's files where they are missing or differ. Its folders are opened to whom they are for, whatever made
/// them.
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

/// Refuses to start a database on lists that name the logs of another folder.
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
        // It opens its log by itself, so that it can open it anew.
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
        // The files in which it keeps its links' passwords are its own only.
        environment: [("UMASK", "0600"), ("UMASK_DIR", "0700")]
            .map(|(name, mode)| (name, mode.to_owned()))
            .into(),
        folder: home,
        user,
    })
}

/// The schemas and tables of the cluster and of the site, as statements.
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
