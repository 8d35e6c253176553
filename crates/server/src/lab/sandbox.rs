//! A separate cluster for the experiments: they may kill its processes, cut its channels and leave its databases
//! different.
//!
//! It is Cordée itself, started from Cordée's own binary with a folder and ports of its own: the same parts as the
//! real cluster, with the probe page added to the site.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use cordee_api::view::SnapshotJson;
use cordee_domain::ids::{PoolId, ServerName};
use cordee_domain::state::Severity;
use cordee_domain::text;
use cordee_domain::text::Text;
use cordee_node::mysql::Database;
use cordee_node::paths::Home;
use cordee_node::process::own_binary;
use cordee_node::secrets::Secrets;
use cordee_node::{files, net, process, trial};
use rustix::process::Signal;
use serde_json::json;
use tokio::process::Command;
use tokio::time::{Instant, sleep, timeout};

use crate::client;
use crate::words::Lang;

/// How long the cluster may take to start. It takes a few seconds; a busy machine gets this long.
const UP_WITHIN: Duration = Duration::from_secs(100);
/// How long it may take to stop.
const DOWN_WITHIN: Duration = Duration::from_secs(60);
/// How long a change in it may take to show.
const CHANGED_WITHIN: Duration = Duration::from_secs(30);
const PACE: Duration = Duration::from_millis(50);

/// The range in which ports are looked for, below those that the kernel assigns to clients.
const PORTS: std::ops::Range<u16> = 18_700..20_700;
/// How many ports it gets: the page's, the site's, two for the databases, and the rest for servers.
const PORTS_EACH: u16 = 24;

/// A running sandbox.
#[derive(Debug)]
pub(super) struct Sandbox {
    home: Home,
    /// The address of its site.
    pub(super) site: SocketAddr,
    /// Its databases, in their order.
    databases: Vec<(ServerName, Database)>,
}

impl Sandbox {
    /// Starts a cluster in `root`, which must not exist, and waits until it is healthy.
    pub(super) async fn start(root: &Path, log: &Path) -> Result<Self, Text> {
        let first = free_ports().ok_or_else(|| text!("trial-no-ports"))?;
        let address = |n: u16| SocketAddr::from(([127, 0, 0, 1], first + n));
        let mut command = command(root, log, "up")?;
        command
            .arg("--detach")
            .env("CORDEE_PAGE", address(0).to_string())
            .env("CORDEE_SITE", address(1).to_string())
            .env("CORDEE_DB", address(2).to_string())
            .env("CORDEE_DB_WRITER", address(3).to_string())
            .env("CORDEE_SERVER_PORTS", format!("{}-{}", first + 4, first + PORTS_EACH - 1))
            .env("CORDEE_TRIAL", "1");
        finish(command, UP_WITHIN).await?;
        let home = Home::open(root).map_err(|e| failed(&e))?;
        let secrets = Secrets::load(&home.secrets()).map_err(|e| failed(&e))?;
        let mut sandbox = Self { home, site: address(1), databases: Vec::new() };
        for name in sandbox.servers(PoolId::Db).await? {
            let database = Database::new(&sandbox.home.database_socket(&name), &secrets.control);
            sandbox.databases.push((name, database));
        }
        let writer = sandbox.databases.first().ok_or_else(|| text!("trial-sandbox"))?;
        trial::make_table(&writer.1).await?;
        Ok(sandbox)
    }

    async fn picture(&self) -> Result<SnapshotJson, Text> {
        client::picture(&self.home.socket(), Lang::En).await.ok_or_else(|| text!("trial-sandbox"))
    }

    async fn servers(&self, pool: PoolId) -> Result<Vec<ServerName>, Text> {
        let picture = self.picture().await?;
        let names = picture.servers.iter().filter(|s| s.pool == pool);
        Ok(names.filter_map(|s| ServerName::parse(&s.name).ok()).collect())
    }

    async fn ask(&self, method: &str, to: &str, body: Option<serde_json::Value>) -> Result<(), Text> {
        client::ask(&self.home.socket(), method, to, body.as_ref()).await.map(drop).map_err(|why| {
            tracing::warn!(to, why, "the lab's cluster refused");
            text!("trial-sandbox")
        })
    }

    /// Opens both databases to writes, and makes each apply what it receives only after `seconds`: writes of both
    /// to the same row in that time conflict.
    pub(super) async fn two_writers(&self, seconds: u32) -> Result<(), Text> {
        self.ask("PUT", "/api/v1/pools/db/routing", Some(json!({ "routing": "all-writers" }))).await?;
        for (_, database) in &self.databases {
            trial::opened(database, CHANGED_WITHIN).await?;
        }
        self.until(|picture| picture.proxies.iter().all(|p| p.settled)).await?;
        for (on, database) in &self.databases {
            for (from, _) in self.databases.iter().filter(|(name, _)| name != on) {
                trial::hold_back(database, from, seconds).await?;
            }
        }
        Ok(())
    }

    /// Returns whether both channels run, and how many rows of a table differ between the databases.
    pub(super) async fn copies(&self, table: &str) -> Result<(bool, u64), Text> {
        let [(one, first), (other, second)] = self.databases.as_slice() else {
            return Err(text!("trial-sandbox"));
        };
        let limit = Duration::from_secs(15);
        let running = trial::settle(first, second, other, limit).await?
            && trial::settle(second, first, one, limit).await?;
        let (left, right) = (trial::rows(first, table).await?, trial::rows(second, table).await?);
        let differ = left.iter().filter(|(id, sum)| right.get(*id) != Some(sum)).count();
        let missing = right.keys().filter(|id| !left.contains_key(*id)).count();
        Ok((running, u64::try_from(differ + missing).unwrap_or(u64::MAX)))
    }

    /// Kills a web server with all its workers, and keeps it stopped.
    pub(super) async fn kill(&self, name: &str) -> Result<(), Text> {
        let pid = self.picture().await?.servers.iter().find(|s| s.name == name).and_then(|s| s.pid);
        let pid = pid.ok_or_else(|| text!("trial-sandbox"))?;
        process::signal_group(pid, Signal::KILL).map_err(|e| failed(&e))?;
        self.ask("POST", &format!("/api/v1/pools/web/servers/{name}/stop"), None).await?;
        self.until(|picture| picture.servers.iter().any(|s| s.name == name && s.pid.is_none())).await
    }

    /// Starts the web server again, and waits until it gets visitors.
    pub(super) async fn revive(&self, name: &str) -> Result<(), Text> {
        self.ask("POST", &format!("/api/v1/pools/web/servers/{name}/start"), None).await?;
        self.until(|picture| {
            picture.servers.iter().any(|s| s.name == name && s.status.severity == Severity::Good)
        })
        .await
    }

    async fn until(&self, wanted: impl Fn(&SnapshotJson) -> bool) -> Result<(), Text> {
        let deadline = Instant::now() + CHANGED_WITHIN;
        while Instant::now() < deadline {
            if self.picture().await.is_ok_and(|picture| wanted(&picture)) {
                return Ok(());
            }
            sleep(PACE).await;
        }
        Err(text!("trial-sandbox"))
    }
}

/// Stops the cluster, if there is one, and deletes its folder.
pub(super) async fn clear(root: &Path, log: &Path) -> Result<(), Text> {
    if !root.exists() {
        return Ok(());
    }
    let home = Home::open(root).map_err(|e| failed(&e))?;
    finish(command(root, log, "down")?, DOWN_WITHIN).await?;
    // On a busy disk this takes seconds: it must not delay requests about the real cluster.
    let removed = tokio::task::spawn_blocking(move || {
        [home.run(), home.root].iter().try_for_each(|folder| files::remove(folder))
    });
    removed.await.map_err(|e| failed(&e))?.map_err(|e| failed(&e))
}

/// Returns a command of Cordée's own, for another folder. Our environment is not passed on: the mark in it would
/// make the other cluster's processes ours.
fn command(root: &Path, log: &Path, verb: &str) -> Result<Command, Text> {
    let log = std::fs::OpenOptions::new().create(true).append(true).open(log).map_err(|e| failed(&e))?;
    let mut command = Command::new(own_binary());
    command
        .arg(verb)
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .env("LANG", "C.UTF-8")
        .env("CORDEE_HOME", root)
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(log.try_clone().map_err(|e| failed(&e))?)
        .stderr(log)
        .kill_on_drop(true);
    Ok(command)
}

async fn finish(mut command: Command, limit: Duration) -> Result<(), Text> {
    let mut child = command.spawn().map_err(|e| failed(&e))?;
    match timeout(limit, child.wait()).await {
        Ok(Ok(status)) if status.success() => Ok(()),
        _ => Err(text!("trial-sandbox")),
    }
}

fn failed(error: &(dyn std::error::Error + 'static)) -> Text {
    tracing::warn!(error, "the lab's cluster");
    text!("trial-sandbox")
}

/// Returns the first of [`PORTS_EACH`] free ports in a row.
fn free_ports() -> Option<u16> {
    let free = |port: u16| net::free(SocketAddr::from(([127, 0, 0, 1], port)));
    PORTS.step_by(usize::from(PORTS_EACH)).find(|first| (*first..first + PORTS_EACH).all(free))
}
