//! What people wish: the whole of it, at one revision.

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

/// Everything wished. Only [`Desired::apply`] makes another one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Desired {
    /// Grows by one with each change.
    pub revision: u64,
    /// The page's own address: never a server's.
    pub page: SocketAddr,
    /// Names by which the page may be called, besides its addresses.
    #[serde(default)]
    pub names: Vec<Host>,
    /// The web servers and the proxy in front of them.
    #[serde(with = "stored::web")]
    pub web: Pool,
    /// The databases and the proxy in front of them.
    #[serde(with = "stored::databases")]
    pub db: Pool,
    /// Where HAProxy `db` always leads to the one writer.
    pub writer_listen: SocketAddr,
    /// The database that takes writes.
    pub writer: Option<ServerName>,
    /// Grows each time another database becomes the writer.
    pub epoch: u64,
    /// Which databases take writes.
    #[serde(default)]
    pub routing: Routing,
    /// Where the visitors' sessions are kept.
    #[serde(default)]
    pub session: Mode,
    /// A change of writer that a person asked for and that is under way.
    #[serde(default)]
    pub handover: Option<Handover>,
    /// The next server's id. Ids are never used twice: MariaDB would skip a reused id's events in silence.
    pub next_id: u32,
    /// First and last port for servers started on this machine.
    pub ports: (u16, u16),
    /// How visitors are remembered.
    #[serde(default)]
    pub visitors: Keeping,
    /// Databases, by id, whose rows are in doubt: none is shown as in sync before a comparison that began later has
    /// ended.
    #[serde(default)]
    pub doubts: BTreeMap<u32, Doubt>,
    /// Who asked that a server be out of service, by the server's id; only while it is to be out.
    #[serde(default)]
    pub asked: BTreeMap<u32, AskedOut>,
}

/// Who asked for each of the ways in which a server is out of service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskedOut {
    /// That it be drained, or in maintenance.
    pub admin: Option<Asked>,
    /// That it be stopped.
    pub power: Option<Asked>,
    /// That it be removed.
    pub leaves: Option<Asked>,
}

/// Who asked for something, and when.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Asked {
    /// An account, `token:NAME`, `cli`, or `cordee` itself.
    pub by: String,
    /// When.
    pub at: Millis,
}

/// A database's rows are in doubt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Doubt {
    /// Since when.
    pub since: Millis,
    /// It lacks acknowledged rows, as far as is known: it does not take over before a comparison found it equal.
    pub lacks: bool,
}

/// A listener and its servers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pool {
    /// Where the proxy listens.
    pub listen: SocketAddr,
    /// Grows by one each time a person asks for a reload.
    pub generation: u32,
    /// In the order in which they were added.
    pub servers: Vec<Server>,
}

/// Which databases take the application's writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Routing {
    /// One; the others follow it.
    #[default]
    OneWriter,
    /// All of them, in turn. Two that change the same row at the same moment lose one of the changes.
    AllWriters,
}

impl Routing {
    /// The word used in addresses and commands.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OneWriter => "one-writer",
            Self::AllWriters => "all-writers",
        }
    }

    /// Reads the word.
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
    /// The writer to be.
    pub to: ServerName,
    /// When it was asked for: it is given up after [`HANDOVER_LIMIT`].
    pub at: Millis,
    /// Go on even if the writer is lost and may hold what `to` never received.
    pub accept_loss: bool,
}

/// Milliseconds after which a change of writer that did not come about is given up, and the old writer opened again.
pub const HANDOVER_LIMIT: u64 = crate::figures::HANDOVER_LIMIT;

/// A database's place among the others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Membership {
    /// Copies all others and is copied by them.
    #[default]
    Member,
    /// A former writer that was lost: closed and without channels until what it holds was compared with what the
    /// new writer had received from it.
    Returning {
        /// The last number of its own domain that the new writer had when it was chosen.
        limit: u64,
        /// What its log holds after that. Looked for before it is started again: crash recovery may take back
        /// what it had acknowledged.
        #[serde(default)]
        saved: Option<Saved>,
    },
    /// A new one: it gets a copy, catches up and is verified before anybody copies it.
    Joining,
    /// On its way out: closed, and gone once the others have all that it wrote.
    Leaving,
    /// Somebody else's, on its way out: nothing of it is wanted any more. Its channels and the cluster's accounts are
    /// taken off it, then it is gone.
    Released,
    /// It holds transactions that no other database has. It stays closed and without channels, until it is copied
    /// again.
    Diverged(Saved),
}

/// Transactions that only one database has, written to a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Saved {
    /// How many; with none there is no file.
    pub count: u64,
    /// The file, relative to `CORDEE_HOME`.
    pub file: String,
}

/// How many databases there may be: the auto-increment sequence has room for one more, and a person may need it.
#[expect(clippy::cast_possible_truncation, reason = "nine fits")]
pub const MOST_DATABASES: u8 = crate::figures::DATABASES as u8;

/// Weight of a server that takes its full share.
pub const FULL_WEIGHT: u32 = 100;

impl Pool {
    /// The server of that name, without regard to case.
    pub fn server(&self, name: &ServerName) -> Option<&Server> {
        self.servers.iter().find(|s| s.name.same_as(name))
    }

    /// All of them by their exact names, for whoever asks for many: [`Self::server`] looks through all of them each
    /// time.
    pub fn by_name(&self) -> BTreeMap<&ServerName, &Server> {
        self.servers.iter().map(|s| (&s.name, s)).collect()
    }
}

impl Desired {
    /// One pool.
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

    /// The servers of all pools.
    pub fn servers(&self) -> impl Iterator<Item = &Server> {
        PoolId::ALL.into_iter().flat_map(|p| &self.pool(p).servers)
    }

    /// The web servers, each with what only a web server has.
    pub fn web_servers(&self) -> impl Iterator<Item = Web<'_>> {
        self.web.servers.iter().filter_map(Server::as_web)
    }

    /// The databases, each with what only a database has.
    pub fn databases(&self) -> impl Iterator<Item = Database<'_>> {
        self.db.servers.iter().filter_map(Server::as_database)
    }

    /// The web server of that name, without regard to case.
    pub fn web_server(&self, name: &ServerName) -> Option<Web<'_>> {
        self.web.server(name).and_then(Server::as_web)
    }

    /// The database of that name, without regard to case.
    pub fn database(&self, name: &ServerName) -> Option<Database<'_>> {
        self.db.server(name).and_then(Server::as_database)
    }

    /// The databases that copy each other.
    pub fn members(&self) -> impl Iterator<Item = Database<'_>> {
        self.databases().filter(|s| *s.membership == Membership::Member)
    }

    /// The database that takes writes.
    pub fn writer_server(&self) -> Option<Database<'_>> {
        self.writer.as_ref().and_then(|w| self.database(w))
    }

    /// Whether applications may write to that database, once it is caught up.
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

    /// The wish after `change`, or why it is refused. `self` is left as it was.
    pub fn apply<A: Alters>(&self, change: &A) -> Result<Self, A::Refused> {
        let mut next = self.clone();
        next.revision += 1;
        change.alter(&mut next)?;
        Ok(next)
    }

    /// The lowest place in the auto-increment sequence that no database has.
    pub fn free_slot(&self) -> Result<u8, Problem> {
        (1..=MOST_DATABASES)
            .find(|slot| self.databases().all(|s| s.slot != *slot))
            .ok_or_else(|| Problem::conflict("name", text!("problem-slots", count = MOST_DATABASES)))
    }

    /// No two listeners on one address.
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

    /// What is wished of that web server only.
    fn web_mut(&mut self, name: &ServerName) -> Result<&mut WebFacts, Vec<Problem>> {
        self.find(PoolId::Web, name)?.web_mut().ok_or_else(|| unknown(name))
    }

    /// What is wished of that database only.
    fn database_mut(&mut self, name: &ServerName) -> Result<&mut DatabaseFacts, Vec<Problem>> {
        self.find(PoolId::Db, name)?.database_mut().ok_or_else(|| unknown(name))
    }
}

fn unknown(name: &ServerName) -> Vec<Problem> {
    vec![Problem::unknown("name", text!("problem-server-unknown", name = name.as_str()))]
}

/// What is said when another server has that name by now than the one that was meant.
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

/// Whether it is on this machine: the databases that Cordée starts listen on 127.0.0.1 only, and one elsewhere could
/// not copy them.
pub fn here(host: &Host) -> bool {
    matches!(host, Host::Ip(IpAddr::V4(ip)) if ip.is_loopback())
}

/// Whether connecting to `host:port` would reach a listener bound to `own`: HAProxy must not be its own server.
fn reaches(host: &Host, port: u16, own: SocketAddr) -> bool {
    if port != own.port() {
        return false;
    }
    let at = plain(own.ip());
    host.plain().is_some_and(|ip| ip == at || (at.is_unspecified() && ip.is_loopback()))
}
