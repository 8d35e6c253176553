//! How Cordée connects to each database.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use cordee_domain::db::DatabaseSeen;
use cordee_domain::desired::{Desired, Server};
use cordee_domain::fault::Fault;
use cordee_domain::ids::{Host, Millis, ProcessId, ServerName};
use cordee_node::doors::Doors;
use cordee_node::mysql::Database;

use super::{Engine, Parts};

impl Engine {
    /// Returns the id of the database of that name when somebody else runs it.
    pub(super) fn watched_only(&self, name: &ServerName) -> Option<u32> {
        let desired = self.parts.board.desired();
        desired.db.server(name).filter(|s| !s.is_ours()).map(|s| s.id)
    }

    /// Keeps connections to the databases that are wished on and run. A database that is about to end, or has
    /// ended, must have no client connected.
    pub(super) fn keep_connections(&self, desired: &Desired) {
        self.doors.keep(|name, id| {
            let server = desired.db.server(name).filter(|s| s.id == id)?;
            let process = self.observed.process(&server.process());
            let runs = process.leader.as_ref().is_some_and(|l| !server.outdates(l.server, l.generation));
            Some(!server.stopped() && (runs || !server.is_ours()))
        });
    }

    /// Derives when somebody else's database was started from its uptime: a restart loses what was received and
    /// not yet applied.
    pub(super) fn started_by_its_word(
        &mut self,
        name: &ServerName,
        id: u32,
        at: Millis,
        seen: &Result<DatabaseSeen, Fault>,
    ) {
        let Ok(seen) = seen else { return };
        if seen.server_id == id {
            let process = self.observed.processes.entry(ProcessId::Database(name.clone())).or_default();
            let started = at.saturating_sub(seen.uptime_s.saturating_mul(1_000));
            // The uptime is in whole seconds: the rounding must not look like another start.
            if process.started_at.is_none_or(|known| known.abs_diff(started) > 2_000) {
                process.started_at = Some(started);
            }
        }
    }
}

/// Returns the connections to that server.
pub(super) fn connections(doors: &Doors, parts: &Parts, server: &Server) -> Database {
    doors.to(&server.name, server.id, || fresh(parts, server))
}

fn fresh(parts: &Parts, server: &Server) -> Database {
    if server.is_ours() {
        return Database::new(
            &parts.machine.home.database_socket(&server.name),
            &parts.machine.secrets.control,
        );
    }
    match parts.store.login(server.id) {
        Ok(login) => Database::over_tcp(address(server), login.user(), login.password()),
        Err(error) => {
            // The database refuses the empty account, and its status then says so.
            tracing::error!(server = %server.name, error = &error as &dyn std::error::Error, "login");
            Database::over_tcp(address(server), "", "")
        }
    }
}

/// Returns where somebody else's database listens. A host name always stands for this machine here.
pub(super) fn address(server: &Server) -> SocketAddr {
    let ip = match server.host {
        Host::Ip(ip) => ip,
        Host::Name(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
    };
    SocketAddr::new(ip, server.port)
}
