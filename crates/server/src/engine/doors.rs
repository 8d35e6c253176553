//! The connections to each database, shared with the heartbeat and the short looks.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use cordee_domain::db::DatabaseSeen;
use cordee_domain::desired::{Desired, Server};
use cordee_domain::fault::Fault;
use cordee_domain::ids::{Host, Millis, ServerName};
use cordee_domain::observed::ProcessId;

use crate::hands::mysql::Database;
use crate::over;

use super::{Engine, Parts};

/// By name; another server under a name that was used before has another id, and gets connections of its own.
#[derive(Clone, Debug, Default)]
pub(super) struct Doors(Arc<Mutex<BTreeMap<ServerName, (u32, Database)>>>);

impl Doors {
    /// The connections to that server.
    pub(super) fn to(&self, parts: &Parts, server: &Server) -> Database {
        let mut all = over::hold(&self.0);
        match all.get(&server.name) {
            Some((id, database)) if *id == server.id => database.clone(),
            _ => {
                let database = fresh(parts, server);
                all.insert(server.name.clone(), (server.id, database.clone()));
                database
            }
        }
    }

    /// Closes those to servers that are gone.
    pub(super) fn keep(&self, desired: &Desired) {
        let mut all = over::hold(&self.0);
        all.retain(|name, (id, _)| desired.db.server(name).is_some_and(|s| s.id == *id));
    }

    /// The connections to that server, if it has any.
    pub(super) fn known(&self, name: &ServerName) -> Option<Database> {
        let all = over::hold(&self.0);
        all.get(name).map(|(_, database)| database.clone())
    }
}

impl Engine {
    /// The id of a database that somebody else runs.
    pub(super) fn watched_only(&self, name: &ServerName) -> Option<u32> {
        let desired = self.parts.board.desired();
        desired.db.server(name).filter(|s| !s.is_ours()).map(|s| s.id)
    }

    /// When somebody else's database was started, as it says: what it had received and not applied went then.
    pub(super) fn started_by_its_word(
        &mut self,
        name: &ServerName,
        id: u32,
        at: Millis,
        seen: &Result<DatabaseSeen, Fault>,
    ) {
        let Ok(seen) = seen else { return };
        if seen.server_id == id {
            let process = self.observed.processes.entry(ProcessId::Server(name.clone())).or_default();
            let started = at.saturating_sub(seen.uptime_s.saturating_mul(1_000));
            // The seconds of its word are rounded: the same start must not seem to be another one.
            if process.started_at.is_none_or(|known| known.abs_diff(started) > 2_000) {
                process.started_at = Some(started);
            }
        }
    }
}

fn fresh(parts: &Parts, server: &Server) -> Database {
    if server.is_ours() {
        return Database::new(&parts.home.database_socket(&server.name), &parts.secrets.control);
    }
    match parts.store.login(server.id) {
        Ok(login) => Database::over_tcp(address(server), login.user(), login.password()),
        Err(error) => {
            // It refuses the empty account, which is what its status then says.
            tracing::error!(server = %server.name, error = &error as &dyn std::error::Error, "login");
            Database::over_tcp(address(server), "", "")
        }
    }
}

/// Where somebody else's database listens: always an address of this machine.
pub(super) fn address(server: &Server) -> SocketAddr {
    let ip = match server.host {
        Host::Ip(ip) => ip,
        Host::Name(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
    };
    SocketAddr::new(ip, server.port)
}
