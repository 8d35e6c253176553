//! A person's own database client, with what `cordee dsn` gives.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use serde::Deserialize;

use crate::cluster::{Cluster, run};

const CLIENT: &str = "/usr/bin/mariadb";

/// What `cordee dsn --json` prints.
#[derive(Clone, Debug, Deserialize)]
pub struct Dsn {
    /// Host.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Account.
    pub user: String,
    /// Its password.
    pub password: String,
    /// Schema.
    pub schema: String,
}

/// A client with one account at one address.
#[derive(Debug)]
pub struct Db {
    defaults: PathBuf,
    dsn: Dsn,
}

impl Db {
    /// Asks `cordee dsn` with these arguments, for example `["--account", "owner"]`.
    #[track_caller]
    pub fn new(cluster: &Cluster, arguments: &[&str]) -> Self {
        let out = cluster.cli_ok(&[&["dsn", "--json"], arguments].concat());
        let dsn: Dsn = serde_json::from_str(&out).expect("dsn --json");
        Self::at(cluster, dsn)
    }

    /// The same account at another port of this machine.
    #[track_caller]
    #[must_use]
    pub fn through(&self, cluster: &Cluster, port: u16) -> Self {
        Self::at(cluster, Dsn { port, ..self.dsn.clone() })
    }

    /// The machine's administrator at a database's own socket: for what happens behind Cordée's back.
    pub fn root(cluster: &Cluster, server: &str) -> Self {
        let socket = cluster.home().join("run").join(server).join("mariadb.sock").display().to_string();
        let options = format!("protocol=socket\nsocket={socket}\nuser=root\n");
        let (user, schema) = ("root".to_owned(), "information_schema".to_owned());
        let dsn = Dsn { host: socket, port: 0, user, password: String::new(), schema };
        Self::with(cluster, &format!("root-{server}"), &options, dsn)
    }

    fn at(cluster: &Cluster, dsn: Dsn) -> Self {
        let options = format!(
            "protocol=tcp\nhost={}\nport={}\nuser={}\npassword=\"{}\"\n",
            dsn.host, dsn.port, dsn.user, dsn.password
        );
        Self::with(cluster, &format!("{}-{}", dsn.user, dsn.port), &options, dsn)
    }

    /// The password travels in a file that only we can read, never in an argument.
    fn with(cluster: &Cluster, name: &str, options: &str, dsn: Dsn) -> Self {
        let folder = cluster.home().join("e2e");
        std::fs::create_dir_all(&folder).expect("folder");
        let defaults = folder.join(format!("{name}.cnf"));
        let text = format!("[client]\n{options}connect_timeout=5\n");
        let mut file = std::fs::OpenOptions::new();
        let mut file =
            file.write(true).create(true).truncate(true).mode(0o600).open(&defaults).expect("defaults file");
        file.write_all(text.as_bytes()).expect("defaults file");
        Self { defaults, dsn }
    }

    /// What `cordee dsn` said.
    pub fn dsn(&self) -> &Dsn {
        &self.dsn
    }

    /// Rows of text, or what the database said against it.
    pub fn try_query(&self, sql: &str) -> Result<Vec<Vec<String>>, String> {
        let mut command = self.command();
        command.args(["--execute", sql]);
        let said = run(&mut command, Duration::from_secs(20));
        if said.code != 0 {
            return Err(said.err);
        }
        Ok(said.out.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect())
    }

    /// Rows of text.
    #[track_caller]
    pub fn query(&self, sql: &str) -> Vec<Vec<String>> {
        self.try_query(sql).unwrap_or_else(|e| panic!("{sql}: {e}"))
    }

    /// The first column of the first row.
    #[track_caller]
    pub fn value(&self, sql: &str) -> String {
        let rows = self.query(sql);
        rows.first().and_then(|row| row.first()).unwrap_or_else(|| panic!("{sql}: no row")).clone()
    }

    /// The same, as a number.
    #[track_caller]
    pub fn number(&self, sql: &str) -> u64 {
        let value = self.value(sql);
        value.parse().unwrap_or_else(|_| panic!("{sql}: {value:?} is no number"))
    }
    /// Statements as a file of them is fed to the client.
    pub fn feed(&self, sql: &str) -> Result<(), String> {
        let file = self.defaults.with_extension("sql");
        std::fs::write(&file, sql).expect("file of statements");
        let mut command = self.command();
        command.args(["--execute", &format!("source {}", file.display())]);
        let said = run(&mut command, Duration::from_secs(60));
        if said.code == 0 { Ok(()) } else { Err(said.err) }
    }

    /// Runs a statement in a session that stays until the value is dropped, and with it what the session locked.
    #[track_caller]
    pub fn hold(&self, sql: &str) -> Session {
        let mut child = self
            .command()
            .arg("--unbuffered")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect(CLIENT);
        let mut stdin = child.stdin.take().expect("stdin");
        let out = child.stdout.take().expect("stdout");
        // A lock that cannot be had ends the session, and with it the wait for its answer.
        writeln!(stdin, "SET SESSION lock_wait_timeout = 5; {sql}; SELECT 'held';").expect("session");
        let session = Session { child, _stdin: stdin };
        let mut said = String::new();
        BufReader::new(out).read_line(&mut said).expect("session");
        assert_eq!(said.trim(), "held", "{sql}");
        session
    }

    fn command(&self) -> Command {
        let mut command = Command::new(CLIENT);
        command.arg(format!("--defaults-file={}", self.defaults.display())).args([
            "--batch",
            "--skip-column-names",
            &format!("--database={}", self.dsn.schema),
        ]);
        command
    }
}

/// A session that stays open.
#[derive(Debug)]
pub struct Session {
    child: Child,
    _stdin: ChildStdin,
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
