//! What people wish: the whole of it, at one revision.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use serde::{Deserialize, Serialize};

use crate::change::{NewServer, PortChoice, Request};
use crate::ids::{Cookie, Host, Millis, PoolId, ServerName, plain};
use crate::problem::Problem;
use crate::sessions::Mode;
use crate::text;
use crate::visitors::Keeping;

mod decided;
mod first;
mod turns;

pub use decided::Alters;
pub use first::Addresses;

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
    pub web: Pool,
    /// The databases and the proxy in front of them.
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pool {
    /// Where the proxy listens.
    pub listen: SocketAddr,
    /// Grows by one each time a person asks for a reload.
    pub generation: u32,
    /// In the order in which they were added.
    pub servers: Vec<Server>,
}

/// One server as wished.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Server {
    /// HAProxy's id of the server; for a database also MariaDB's `server_id` and GTID domain.
    pub id: u32,
    /// Unique in both pools, without regard to case.
    pub name: ServerName,
    /// Address or name.
    pub host: Host,
    /// TCP port.
    pub port: u16,
    /// Who starts it.
    pub runtime: Runtime,
    /// Whether it should run (meaningless for [`Runtime::External`]).
    pub power: Power,
    /// Whether it should get visitors.
    pub admin: Admin,
    /// Stickiness (web servers).
    pub cookie: CookieChoice,
    /// Grows by one each time a person asks for a restart.
    pub generation: u32,
    /// A database's place in the auto-increment sequence, 1 to 9.
    pub slot: Option<u8>,
    /// A database's place among the others; a web server is a member until it leaves.
    #[serde(default)]
    pub standing: Standing,
    /// What was asked of it last is done even if nobody else serves then: a person said so.
    #[serde(default)]
    pub anyway: bool,
    /// Whichever process runs stays: the restart that was asked for last was withdrawn.
    #[serde(default)]
    pub kept: bool,
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
pub enum Standing {
    /// Copies all others and is copied by them.
    #[default]
    Member,
    /// A former writer that was lost: closed and without links until what it holds was compared with what the
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
    /// Somebody else's, on its way out: nothing of it is wanted any more. Its links and the cluster's accounts are
    /// taken off it, then it is gone.
    Released,
    /// It holds transactions that no other database has. It stays closed and without links, until it is copied again.
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

/// Who starts a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Runtime {
    /// Somebody else: Cordée only watches it.
    External,
    /// Cordée, on this machine.
    Process,
}

/// Whether a process should run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Power {
    /// It should.
    On,
    /// A person stopped it.
    Off,
}

/// Whether a server should get visitors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Admin {
    /// Yes.
    #[default]
    Ready,
    /// No new ones; those who hold its cookie still reach it.
    Drain,
    /// None at all, and no checks.
    Maintenance,
}

/// The value of the stickiness cookie.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CookieChoice {
    /// HAProxy derives it from the address and a secret key.
    Automatic,
    /// A person chose it.
    Chosen(Cookie),
}

/// How many databases there may be: the auto-increment sequence has room for one more, and a person may need it.
#[expect(clippy::cast_possible_truncation, reason = "nine fits")]
pub const MOST_DATABASES: u8 = crate::figures::DATABASES as u8;

/// Weight of a server that takes its full share.
pub const FULL_WEIGHT: u32 = 100;

impl Server {
    /// Whether it is to serve, as far as people are concerned.
    pub fn wanted(&self) -> bool {
        self.power == Power::On && self.admin == Admin::Ready && self.standing == Standing::Member
    }

    /// Whether a process of this server is of an older generation than wished: it is to be stopped and started again.
    pub fn outdates(&self, server: u32, generation: u32) -> bool {
        server != self.id || (!self.kept && generation < self.generation)
    }

    /// Whether HAProxy lists it: not before it is one of them, and not when it is being let go.
    pub const fn listed(&self) -> bool {
        !matches!(self.standing, Standing::Joining | Standing::Released)
    }
}

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

    /// Both pools' servers, each with its pool.
    pub fn servers(&self) -> impl Iterator<Item = (PoolId, &Server)> {
        PoolId::ALL.into_iter().flat_map(|p| self.pool(p).servers.iter().map(move |s| (p, s)))
    }

    /// The databases that copy each other.
    pub fn members(&self) -> impl Iterator<Item = &Server> {
        self.db.servers.iter().filter(|s| s.standing == Standing::Member)
    }

    /// The database that takes writes.
    pub fn writer_server(&self) -> Option<&Server> {
        self.writer.as_ref().and_then(|w| self.db.server(w))
    }

    /// Whether applications may write to that database, once it is caught up.
    pub fn takes_writes(&self, server: &Server) -> bool {
        server.standing == Standing::Member
            && server.power == Power::On
            && match self.routing {
                Routing::OneWriter => self.is_writer(&server.name),
                Routing::AllWriters => true,
            }
    }

    /// Whether that server is the database that takes writes.
    pub fn is_writer(&self, name: &ServerName) -> bool {
        self.writer.as_ref().is_some_and(|w| w.same_as(name))
    }

    /// The request with everything in it that is Cordée's to choose: what is applied is what stands in the history.
    pub fn chosen(&self, change: &Request) -> Result<Request, Vec<Problem>> {
        match change {
            Request::AddServer { pool, server } => {
                let port = PortChoice::Given(self.port_of(&server.port).map_err(|p| vec![p])?);
                Ok(Request::AddServer { pool: *pool, server: NewServer { port, ..server.clone() } })
            }
            other => Ok(other.clone()),
        }
    }

    fn port_of(&self, choice: &PortChoice) -> Result<u16, Problem> {
        match choice {
            PortChoice::Given(port) => Ok(*port),
            PortChoice::AnyOf(free) => self.choose_port(free.iter().copied()),
        }
    }

    /// The wish after `change`, or why it is refused. `self` is left as it was.
    pub fn apply<A: Alters>(&self, change: &A) -> Result<Self, A::Refused> {
        let mut next = self.clone();
        next.revision += 1;
        change.alter(&mut next)?;
        Ok(next)
    }

    /// What a person asks.
    fn ask(&mut self, change: &Request) -> Result<(), Vec<Problem>> {
        let next = self;
        match change {
            Request::AddServer { pool, server } => next.add(*pool, server)?,
            Request::RemoveServer { pool, name, force } => next.remove(*pool, name, *force)?,
            Request::SetAdmin { pool, name, admin, force } => next.set_admin(*pool, name, *admin, *force)?,
            Request::SetPower { pool, name, power, force } => {
                if *power == Power::Off {
                    next.may_stop(*pool, name)?;
                    next.spare_the_last(*pool, name, *force)?;
                }
                let server = next.find(*pool, name)?;
                ours(server)?;
                if *power == Power::On {
                    server.comes_back();
                }
                server.power = *power;
                server.anyway = *force && *power == Power::Off;
            }
            Request::Restart { pool, name, force } => {
                next.may_stop(*pool, name)?;
                next.spare_the_last(*pool, name, *force)?;
                let server = next.find(*pool, name)?;
                ours(server)?;
                server.comes_back();
                server.power = Power::On;
                server.generation += 1;
                server.anyway = *force;
                server.kept = false;
            }
            Request::Insist { name } => next.find(PoolId::Web, name)?.anyway = true,
            Request::Withdraw { name } => {
                let server = next.find(PoolId::Web, name)?;
                server.admin = Admin::Ready;
                server.power = Power::On;
                server.standing = Standing::Member;
                server.anyway = false;
                server.kept = true;
            }
            Request::SetAddresses { page, names, site, db, writer, ports } => {
                next.page = *page;
                next.names.clone_from(names);
                next.web.listen = *site;
                next.db.listen = *db;
                next.writer_listen = *writer;
                next.ports = *ports;
                next.distinct()?;
            }
            Request::SetKeeping { days, shorten, trusted } => {
                let trusted = trusted.clone();
                next.visitors = Keeping { port: next.visitors.port, days: *days, shorten: *shorten, trusted };
            }
            Request::Reload { proxy } => next.pool_mut(*proxy).generation += 1,
            Request::SetRouting { routing } => next.routing = *routing,
            Request::SetSession { mode } => next.session = *mode,
            Request::Promote { name, at, accept_loss } => {
                let to = next.promote(name, *accept_loss)?;
                next.handover = Some(Handover { to, at: *at, accept_loss: *accept_loss });
            }
            Request::Recopy { name, id } => next.recopy(name, *id)?,
        }
        Ok(())
    }

    /// The lowest place in the auto-increment sequence that no database has.
    pub fn free_slot(&self) -> Result<u8, Problem> {
        (1..=MOST_DATABASES)
            .find(|slot| self.db.servers.iter().all(|s| s.slot != Some(*slot)))
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
        self.pool_mut(pool).servers.iter_mut().find(|s| s.name.same_as(name)).ok_or_else(|| {
            vec![Problem::unknown("name", text!("problem-server-unknown", name = name.as_str()))]
        })
    }

    fn add(&mut self, pool: PoolId, new: &NewServer) -> Result<(), Vec<Problem>> {
        let mut problems = Vec::new();
        if pool == PoolId::Db && new.runtime == Runtime::External && !here(&new.host) {
            problems.push(Problem::conflict("address", text!("problem-db-elsewhere")));
        }
        if pool == PoolId::Db && new.admin != Admin::Ready {
            problems.push(Problem::conflict("maintenance", text!("problem-db-admin")));
        }
        let slot =
            if pool == PoolId::Db { self.free_slot().map_err(|p| problems.push(p)).ok() } else { None };
        if self.servers().any(|(_, s)| s.name.same_as(&new.name)) {
            let text = text!("problem-name-taken", name = new.name.as_str());
            problems.push(Problem::conflict("name", text));
        }
        let host = match new.runtime {
            Runtime::Process => Host::Ip(IpAddr::V4(Ipv4Addr::LOCALHOST)),
            Runtime::External => new.host.clone(),
        };
        let own = [self.page, self.web.listen, self.db.listen, self.writer_listen];
        let port = self.port_of(&new.port).map_err(|p| vec![p])?;
        if own.iter().any(|a| reaches(&host, port, *a)) {
            problems.push(Problem::conflict("address", text!("problem-address-own")));
        } else if let Some((_, other)) = self.servers().find(|(_, s)| s.port == port && s.host.same_as(&host))
        {
            let text = text!("problem-address-taken", name = other.name.as_str());
            problems.push(Problem::conflict("address", text));
        }
        if let CookieChoice::Chosen(_) = &new.cookie
            && let Some(other) = self.web.servers.iter().find(|s| s.cookie == new.cookie)
        {
            let text = text!("problem-cookie-taken", name = other.name.as_str());
            problems.push(Problem::conflict("cookie", text));
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let server = Server {
            id: self.next_id,
            name: new.name.clone(),
            host,
            port,
            runtime: new.runtime,
            power: Power::On,
            admin: new.admin,
            cookie: if pool == PoolId::Web { new.cookie.clone() } else { CookieChoice::Automatic },
            generation: 0,
            slot,
            standing: if pool == PoolId::Db { Standing::Joining } else { Standing::Member },
            anyway: false,
            kept: false,
        };
        self.next_id += 1;
        self.pool_mut(pool).servers.push(server);
        Ok(())
    }
}

/// What is said when another server has that name by now than the one that was meant.
pub fn another(name: &ServerName) -> Problem {
    Problem::conflict("name", text!("problem-server-other", name = name.as_str()))
}

fn ours(server: &Server) -> Result<(), Vec<Problem>> {
    match server.runtime {
        Runtime::Process => Ok(()),
        Runtime::External => {
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
