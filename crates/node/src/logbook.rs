//! Keeps the logs of all programs bounded and in place: if a log was moved away, its program reopens it.
//!
//! HAProxy's own logs hold what it writes at its start and at a reload. HAProxy cannot reopen them: it writes to
//! the moved file until it is started again.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cordee_domain::ids::{ProcessId, ServerName};
use cordee_domain::{apache, db};
use rustix::process::Signal;

use crate::mysql::Database;
use crate::paths::Home;
use crate::process::{self, Found};
use crate::roster::Roster;
use crate::users::Users;
use crate::{files, logs};

/// The name of Cordée's own log, in the same folder.
pub const OWN: &str = "cordee.log";
/// Every log file is kept below this size, with its older half beside it.
const MOST: u64 = 8 << 20;
/// The interval between two looks.
const PACE: Duration = Duration::from_millis(cordee_domain::figures::LOG_LOOK);
/// Makes a database reopen its log. The statement itself is not written to the binary log.
const ANEW: &str = "FLUSH NO_WRITE_TO_BINLOG ERROR LOGS";

/// Which logs to keep, and how to reach the databases.
#[derive(Clone, Debug)]
pub struct Logbook {
    /// The cluster's folder.
    pub home: Home,
    /// The users that run the programs.
    pub users: Users,
    /// The password of the account that runs the databases.
    pub control: String,
}

/// Returns the entries of a folder. A folder that cannot be read is logged, and is read again the next time.
pub fn entries(folder: &Path) -> Vec<PathBuf> {
    files::entries(folder).unwrap_or_else(|error| {
        complain(folder, "reading a folder", &error);
        Vec::new()
    })
}

fn complain(path: &Path, doing: &str, error: &io::Error) {
    tracing::warn!(path = %path.display(), error = error as &dyn std::error::Error, "{doing}");
}

impl Logbook {
    /// Looks at the logs at each interval.
    pub async fn keep(self) {
        let mut pace = tokio::time::interval(PACE);
        loop {
            pace.tick().await;
            let this = self.clone();
            let looked = tokio::task::spawn_blocking(move || this.round()).await;
            let databases = looked.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
            for name in databases {
                let database = Database::new(&self.home.database_socket(&name), &self.control);
                match database.run(&[ANEW.to_owned()]).await {
                    Ok(()) => tracing::info!(%name, "its log was moved away, and is opened anew"),
                    Err(why) => tracing::warn!(%name, ?why, "opening its log anew"),
                }
            }
        }
    }

    /// Looks once. Returns the databases that must reopen their logs.
    fn round(&self) -> Vec<ServerName> {
        let mut folders = vec![self.home.logs()];
        match self.home.server_folders() {
            Ok(servers) => folders.extend(servers.iter().map(|(_, server)| server.join("log"))),
            Err(error) => complain(&self.home.servers(), "reading a folder", &error),
        }
        for log in folders.iter().flat_map(|folder| entries(folder)) {
            if log.extension().is_some_and(|e| e == "log")
                && let Err(error) = logs::bound(&log, MOST)
            {
                complain(&log, "bounding", &error);
            }
        }
        // If the processes cannot be found now, the next look finds them.
        let found = Roster::of(&self.home).find().unwrap_or_default();
        let mut databases = Vec::new();
        for (id, processes) in process::by_id(&found) {
            let (name, database) = match &id {
                ProcessId::Proxy(_) => continue,
                ProcessId::Web(name) => (name, false),
                ProcessId::Database(name) => (name, true),
            };
            let Some(leader) = processes.into_iter().find(|p| p.pid == p.group && !p.frozen) else {
                continue;
            };
            match self.anew((name, database), leader) {
                Ok(true) => databases.push(name.clone()),
                Ok(false) => {}
                Err(error) => complain(&self.home.server(name), "opening a log anew", &error),
            }
        }
        databases
    }

    /// Recreates the logs of a server that were moved away, and makes a web server reopen them. Returns `true` for
    /// a database, which must still be told to reopen its log.
    fn anew(&self, (name, database): (&ServerName, bool), leader: &Found) -> io::Result<bool> {
        let home = self.home.server(name);
        let (all, held, user) = if database {
            (&db::mariadb::LOGS[..], &db::mariadb::LOGS[..], self.users.mariadb)
        } else {
            (&apache::LOGS[..], &apache::HELD[..], self.users.apache)
        };
        let folder = home.join("log");
        let open = process::open_files(leader.pid)?;
        // A file with that name may exist although the process does not write to it.
        let astray = held.iter().any(|log| !open.contains(&folder.join(log)));
        if !astray && all.iter().all(|log| folder.join(log).exists()) {
            return Ok(false);
        }
        logs::prepare(&folder, all, user)?;
        if astray && !database {
            tracing::info!(%name, "its logs were moved away, and are opened anew");
            // Apache goes on serving: each of its workers ends after its current request.
            process::signal(leader.pid, Signal::USR1)?;
        }
        Ok(astray && database)
    }
}

/// Keeps this process's own log in place, if its standard error goes to that file now.
pub async fn keep_own(path: PathBuf) {
    if !logs::is_own(&path) {
        return;
    }
    let mut pace = tokio::time::interval(PACE);
    loop {
        pace.tick().await;
        if !logs::is_own(&path)
            && let Err(error) = logs::open_own(&path)
        {
            complain(&path, "opening the log anew", &error);
        }
    }
}
