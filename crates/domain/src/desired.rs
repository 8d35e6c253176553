//! The desired state of the cluster (the wish), at one revision.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};

use crate::ids::{Host, Millis, PoolId, ServerName, plain};
use crate::problem::Problem;
use crate::sessions::Mode;
use crate::text;
use crate::visitors::Keeping;

mod asked;
mod decided;
mod first;
mod server;
mod stored;
mod turns;

pub use decided::Alters;
pub use first::Addresses;
pub use server::{
    Admin, CookieChoice, Database, DatabaseFacts, Either, Kind, Power, Run, Runtime, Server, Web, WebFacts,
};

/// The complete desired state. Every change goes through [`Desired::apply`], which returns a new value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Desired {
    /// Grows by one with each change.
    pub revision: u64,
    /// The address of the page. No server may use it.
    pub page: SocketAddr,
    /// Host names by which the page may be called, besides its addresses.
    #[serde(default)]
    pub names: Vec<Host>,
    /// The web servers and the proxy in front of them.
    #[serde(with = "stored::web")]
    pub web: Pool,
    /// The databases and the proxy in front of them.
    #[serde(with = "stored::databases")]
    pub db: Pool,
    /// The address at which HAProxy `db` always leads to the one writer.
    pub writer_listen: SocketAddr,
    /// The database that takes writes: the writer.
    pub writer: Option<ServerName>,
    /// Grows each time another database becomes the writer.
    pub epoch: u64,
    /// Which databases take writes.
    #[serde(default)]
    pub routing: Routing,
    /// Where the visitors' sessions are kept.
    #[serde(default)]
    pub session: Mode,
    /// A change of writer that an operator asked for and that is under way.
    #[serde(default)]
    pub handover: Option<Handover>,
    /// The id of the next server. Ids are never reused: MariaDB silently skips events that carry a reused id.
    pub next_id: u32,
    /// First and last port for servers started on this machine.
    pub ports: (u16, u16),
    /// How long, and in which form, visitors are remembered.
    #[serde(default)]
    pub visitors: Keeping,
    /// The databases whose rows are in doubt, by id. Such a database is shown as in sync only after a comparison that
    /// began later than the doubt has ended.
    #[serde(default)]
    pub doubts: BTreeMap<u32, Doubt>,
    /// Who asked for a server to be out of service, by the server's id. An entry exists only while the server is to be
    /// out.
    #[serde(default)]
    pub asked: BTreeMap<u32, AskedOut>,
}

/// Who asked for each of the ways in which a server can be out of service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskedOut {
    /// Who asked for it to be drained or put into maintenance.
    pub admin: Option<Asked>,
    /// Who asked for it to be stopped.
    pub power: Option<Asked>,
    /// Who asked for it to be removed.
    pub leaves: Option<Asked>,
}

/// Who asked for something, and when.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Asked {
    /// An account, `token:NAME`, `cli`, or `cordee` for Cordée itself.
    pub by: String,
    /// When.
    pub at: Millis,
}

/// The rows of a database are in doubt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Doubt {
    /// When the doubt arose.
    pub since: Millis,
    /// The database lacks acknowledged rows, as far as is known. It must not take over as writer before a comparison
    /// has found it equal.
    pub lacks: bool,
}

/// A proxy's listener and the servers behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pool {
    /// Where the proxy listens.
    pub listen: SocketAddr,
    /// Grows by one each time an operator asks for a reload.
    pub generation: u32,
    /// The servers, in the order in which they were added.
    pub servers: Vec<Server>,
}

/// Which databases take the application's writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Routing {
    /// One database; the others follow it.
    #[default]
    OneWriter,
    /// All databases, in turn. If two of them change the same row at the same moment, one of the changes is lost.
    AllWriters,
}

impl Routing {
    /// Returns the word used in addresses and commands.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OneWriter => "one-writer",
            Self::AllWriters => "all-writers",
        }
    }

    /// Parses the word used in addresses and commands.
    pub fn parse(input: &str) -> Result<Self, Problem> {
        match input {
            "one-writer" => Ok(Self::OneWriter),
            "all-writers" => Ok(Self::AllWriters),
            _ => Err(Problem::invalid("routing", text!("problem-routing-unknown"))),
        }
    }
}

/// A change of writer under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handover {
    /// The database that is to become the writer.
    pub to: ServerName,
    /// When the change was asked for. It is given up after [`HANDOVER_LIMIT`].
    pub at: Millis,
    /// Go on even if the writer is lost and may hold transactions that `to` never received.
    pub accept_loss: bool,
}

/// Milliseconds after which a change of writer that has not completed is given up and the old writer is opened again.
pub const HANDOVER_LIMIT: u64 = crate::figures::HANDOVER_LIMIT;

/// A database's membership of the replication cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Membership {
    /// It replicates from all other members, and they replicate from it.
    #[default]
    Member,
    /// A former writer that was lost. It stays closed and without channels until its transactions have been compared
    /// with those that the new writer had received from it.
    Returning {
        /// The highest sequence number of its own domain that the new writer held when it was elected.
        limit: u64,
        /// The transactions in its log after `limit`. Cordée looks for them before it starts the database again,
        /// because crash recovery may roll back transactions that were acknowledged.
        #[serde(default)]
        saved: Option<Saved>,
    },
    /// A new database. It gets a copy, catches up and is verified before any other database replicates from it.
    Joining,
    /// A database that is leaving. It is closed, and it is removed once the others hold everything that it wrote.
    Leaving,
    /// An external database that is leaving and whose data is no longer needed. Cordée removes its channels and the
    /// cluster's accounts from it, then forgets it.
    Released,
    /// It holds transactions that no other database has, or lacks transactions of its own that the others hold. It
    /// stays closed and without channels until it is copied again.
    Diverged(Saved),
}

/// Transactions that only one database has, saved to a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Saved {
    /// How many transactions. If there are none, there is no file.
    pub count: u64,
    /// The path of the file, relative to `CORDEE_HOME`.
    pub file: String,
}

/// The maximum number of databases. The auto-increment sequence has room for one more, which the operator may need.
#[expect(clippy::cast_possible_truncation, reason = "nine fits")]
pub const MOST_DATABASES: u8 = crate::figures::DATABASES as u8;

/// Weight of a server that takes its full share.
pub const FULL_WEIGHT: u32 = 100;

impl Pool {
    /// Returns the server with that name, ignoring case.
    pub fn server(&self, name: &ServerName) -> Option<&Server> {
        self.servers.iter().find(|s| s.name.same_as(name))
    }

    /// Returns all servers by their exact names. For callers that look up many of them: [`Self::server`] scans the
    /// list each time.
    pub fn by_name(&self) -> BTreeMap<&ServerName, &Server> {
        self.servers.iter().map(|s| (&s.name, s)).collect()
    }
}

impl Desired {
    /// Returns one pool.
    pub fn pool(&self, id: PoolId) -> &Pool {
        match id {
            PoolId::Web => &self.web,
            PoolId::Db => &self.db,
        }
    }

    fn pool_mut(&mut self, id: PoolId) -> &mut Pool {
        match id {
            PoolId::Web => &mut self.web,
            PoolId::Db => &mut self.db,
        }
    }

    /// Returns the servers of all pools.
    pub fn servers(&self) -> impl Iterator<Item = &Server> {
        PoolId::ALL.into_iter().flat_map(|p| &self.pool(p).servers)
    }

    /// Returns the web servers, each with its web-only facts.
    pub fn web_servers(&self) -> impl Iterator<Item = Web<'_>> {
        self.web.servers.iter().filter_map(Server::as_web)
    }

    /// Returns the databases, each with its database-only facts.
    pub fn databases(&self) -> impl Iterator<Item = Database<'_>> {
        self.db.servers.iter().filter_map(Server::as_database)
    }

    /// Returns the web server with that name, ignoring case.
    pub fn web_server(&self, name: &ServerName) -> Option<Web<'_>> {
        self.web.server(name).and_then(Server::as_web)
    }

    /// Returns the database with that name, ignoring case.
    pub fn database(&self, name: &ServerName) -> Option<Database<'_>> {
        self.db.server(name).and_then(Server::as_database)
    }

    /// Returns the databases that replicate from each other.
    pub fn members(&self) -> impl Iterator<Item = Database<'_>> {
        self.databases().filter(|s| *s.membership == Membership::Member)
    }

    /// Returns the database that takes writes.
    pub fn writer_server(&self) -> Option<Database<'_>> {
        self.writer.as_ref().and_then(|w| self.database(w))
    }

    /// Whether applications may write to that database once it has caught up.
    pub fn takes_writes(&self, server: Database<'_>) -> bool {
        *server.membership == Membership::Member
            && !server.stopped()
            && match self.routing {
                Routing::OneWriter => self.is_writer(&server.name),
                Routing::AllWriters => true,
            }
    }

    /// Whether that server is the database that takes writes.
    pub fn is_writer(&self, name: &ServerName) -> bool {
        self.writer.as_ref().is_some_and(|w| w.same_as(name))
    }

    /// Returns the wish after `change`, or the reason why the change is refused. `self` is not altered.
    pub fn apply<A: Alters>(&self, change: &A) -> Result<Self, A::Refused> {
        let mut next = self.clone();
        next.revision += 1;
        change.alter(&mut next)?;
        Ok(next)
    }

    /// Returns the lowest slot in the auto-increment sequence that no database has.
    pub fn free_slot(&self) -> Result<u8, Problem> {
        (1..=MOST_DATABASES)
            .find(|slot| self.databases().all(|s| s.slot != *slot))
            .ok_or_else(|| Problem::conflict("name", text!("problem-slots", count = MOST_DATABASES)))
    }

    /// Checks that no two listeners share one address.
    fn distinct(&self) -> Result<(), Vec<Problem>> {
        let mut all = [self.page, self.web.listen, self.db.listen, self.writer_listen];
        all.sort();
        if all.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(vec![Problem::conflict("address", text!("problem-listeners-equal"))]);
        }
        Ok(())
    }

    fn find(&mut self, pool: PoolId, name: &ServerName) -> Result<&mut Server, Vec<Problem>> {
        self.pool_mut(pool).servers.iter_mut().find(|s| s.name.same_as(name)).ok_or_else(|| unknown(name))
    }

    /// Returns the web-only facts of that web server.
    fn web_mut(&mut self, name: &ServerName) -> Result<&mut WebFacts, Vec<Problem>> {
        self.find(PoolId::Web, name)?.web_mut().ok_or_else(|| unknown(name))
    }

    /// Returns the database-only facts of that database.
    fn database_mut(&mut self, name: &ServerName) -> Result<&mut DatabaseFacts, Vec<Problem>> {
        self.find(PoolId::Db, name)?.database_mut().ok_or_else(|| unknown(name))
    }
}

fn unknown(name: &ServerName) -> Vec<Problem> {
    vec![Problem::unknown("name", text!("problem-server-unknown", name = name.as_str()))]
}

/// Returns the problem to report when the name now belongs to another server than the one that was meant.
pub fn another(name: &ServerName) -> Problem {
    Problem::conflict("name", text!("problem-server-other", name = name.as_str()))
}

fn ours(server: &Server) -> Result<(), Vec<Problem>> {
    match server.runtime {
        Run::Process { .. } => Ok(()),
        Run::External => {
            Err(vec![Problem::conflict("name", text!("problem-external", name = server.name.as_str()))])
        }
    }
}

/// Whether the host is an IPv4 loopback address. The databases that Cordée starts listen on 127.0.0.1 only, so a
/// database elsewhere could not replicate from them.
pub fn here(host: &Host) -> bool {
    matches!(host, Host::Ip(IpAddr::V4(ip)) if ip.is_loopback())
}

/// Whether a connection to `host:port` would reach a listener bound to `own`. HAProxy must not be its own server.
fn reaches(host: &Host, port: u16, own: SocketAddr) -> bool {
    if port != own.port() {
        return false;
    }
    let at = plain(own.ip());
    host.plain().is_some_and(|ip| ip == at || (at.is_unspecified() && ip.is_loopback()))
}
