//! The desired state of one server: the facts common to all servers, and those of a web server or a database only.

use std::ops::Deref;

use serde::{Deserialize, Serialize};

use super::Membership;
use crate::ids::{Cookie, Host, PoolId, ProcessId, ServerName};

/// The desired state of one server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// HAProxy's id of the server; for a database also MariaDB's `server_id` and GTID domain.
    pub id: u32,
    /// Unique across both pools, ignoring case.
    pub name: ServerName,
    /// IP address or host name.
    pub host: Host,
    /// TCP port.
    pub port: u16,
    /// What kind of server it is, with the desired state of that kind.
    pub kind: Kind,
    /// Who starts it, and the desired state of its process.
    pub runtime: Run,
}

/// The kind of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A web server: it answers visitors.
    Web(WebFacts),
    /// A database: it holds the site's rows, and a copy of the other databases' rows.
    Database(DatabaseFacts),
}

/// The desired state that only a web server has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebFacts {
    /// The stickiness cookie.
    pub cookie: CookieChoice,
    /// Whether it should get visitors.
    pub admin: Admin,
    /// The server is to be removed once other servers serve its visitors.
    pub leaving: bool,
    /// Carry out the last request even if no other server serves then: an operator insisted.
    pub anyway: bool,
    /// Keep the process that runs now: the last requested restart was withdrawn.
    pub kept: bool,
}

/// The desired state that only a database has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatabaseFacts {
    /// Its slot in the auto-increment sequence, 1 to 9.
    pub slot: u8,
    /// Its membership of the cluster.
    pub membership: Membership,
}

/// Who starts a server, and the desired state of its process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Run {
    /// Somebody else starts it: Cordée controls no process for it.
    External,
    /// Cordée starts it, on this machine.
    Process {
        /// Whether it should run.
        power: Power,
        /// Grows by one each time an operator asks for a restart.
        generation: u32,
    },
}

/// Who starts a server, without the state of its process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Runtime {
    /// Somebody else starts it; Cordée only watches it.
    External,
    /// Cordée starts it, on this machine.
    Process,
}

/// Whether a process should run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Power {
    /// The process should run.
    On,
    /// An operator stopped it.
    Off,
}

/// Whether a server should get visitors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Admin {
    /// It gets visitors.
    #[default]
    Ready,
    /// It gets no new visitors; those who hold its cookie still reach it.
    Drain,
    /// It gets no visitors at all, and no checks.
    Maintenance,
}

/// The value of the stickiness cookie.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CookieChoice {
    /// HAProxy derives the cookie from the address and a secret key.
    Automatic,
    /// An operator chose the cookie.
    Chosen(Cookie),
}

/// A web server with its web-only facts. It dereferences to its [`Server`].
#[derive(Clone, Copy, Debug)]
pub struct Web<'a> {
    /// The facts that every server has.
    pub server: &'a Server,
    /// The stickiness cookie.
    pub cookie: &'a CookieChoice,
    /// Whether it should get visitors.
    pub admin: Admin,
    /// The server is to be removed once other servers serve its visitors.
    pub leaving: bool,
    /// Carry out the last request even if no other server serves then.
    pub anyway: bool,
    /// The last requested restart was withdrawn.
    pub kept: bool,
}

/// A database with its database-only facts. It dereferences to its [`Server`].
#[derive(Clone, Copy, Debug)]
pub struct Database<'a> {
    /// The facts that every server has.
    pub server: &'a Server,
    /// Its slot in the auto-increment sequence, 1 to 9.
    pub slot: u8,
    /// Its membership of the cluster.
    pub membership: &'a Membership,
}

impl Deref for Web<'_> {
    type Target = Server;

    fn deref(&self) -> &Server {
        self.server
    }
}

impl Deref for Database<'_> {
    type Target = Server;

    fn deref(&self) -> &Server {
        self.server
    }
}

/// A server by its kind, for code that treats the kinds differently.
#[derive(Clone, Copy, Debug)]
pub enum Either<'a> {
    /// A web server.
    Web(Web<'a>),
    /// A database.
    Database(Database<'a>),
}

impl WebFacts {
    /// Returns the facts of a web server that serves as soon as it answers.
    pub const fn ready(cookie: CookieChoice) -> Self {
        Self { cookie, admin: Admin::Ready, leaving: false, anyway: false, kept: false }
    }
}

impl Run {
    /// A process that should run and that was never asked to restart.
    pub const STARTED: Self = Self::Process { power: Power::On, generation: 0 };

    /// Returns the desired state of a new server's process.
    pub const fn new(runtime: Runtime) -> Self {
        match runtime {
            Runtime::External => Self::External,
            Runtime::Process => Self::STARTED,
        }
    }

    /// Returns who starts the server.
    pub const fn word(self) -> Runtime {
        match self {
            Self::External => Runtime::External,
            Self::Process { .. } => Runtime::Process,
        }
    }

    /// Returns whether the process should run, for display: an external server always counts as on.
    pub const fn power(self) -> Power {
        match self {
            Self::External => Power::On,
            Self::Process { power, .. } => power,
        }
    }

    /// Whether an operator stopped it. Only a server that Cordée starts can be stopped.
    pub const fn stopped(self) -> bool {
        matches!(self, Self::Process { power: Power::Off, .. })
    }
}

impl Server {
    /// Returns the server by its kind.
    pub const fn either(&self) -> Either<'_> {
        match &self.kind {
            Kind::Web(WebFacts { cookie, admin, leaving, anyway, kept }) => Either::Web(Web {
                server: self,
                cookie,
                admin: *admin,
                leaving: *leaving,
                anyway: *anyway,
                kept: *kept,
            }),
            Kind::Database(DatabaseFacts { slot, membership }) => {
                Either::Database(Database { server: self, slot: *slot, membership })
            }
        }
    }

    /// Returns the server as a web server, if it is one.
    pub const fn as_web(&self) -> Option<Web<'_>> {
        match self.either() {
            Either::Web(web) => Some(web),
            Either::Database(_) => None,
        }
    }

    /// Returns the server as a database, if it is one.
    pub const fn as_database(&self) -> Option<Database<'_>> {
        match self.either() {
            Either::Web(_) => None,
            Either::Database(database) => Some(database),
        }
    }

    /// Returns the web-only facts for modification.
    pub const fn web_mut(&mut self) -> Option<&mut WebFacts> {
        match &mut self.kind {
            Kind::Web(facts) => Some(facts),
            Kind::Database(_) => None,
        }
    }

    /// Returns the database-only facts for modification.
    pub const fn database_mut(&mut self) -> Option<&mut DatabaseFacts> {
        match &mut self.kind {
            Kind::Web(_) => None,
            Kind::Database(facts) => Some(facts),
        }
    }

    /// Returns the pool that servers of its kind belong to.
    pub const fn pool(&self) -> PoolId {
        match self.kind {
            Kind::Web(_) => PoolId::Web,
            Kind::Database(_) => PoolId::Db,
        }
    }

    /// Returns the id of the process that runs the server, or would run it.
    pub fn process(&self) -> ProcessId {
        ProcessId::of(self.pool(), self.name.clone())
    }

    /// Whether that process runs this server: a server of the same kind and the same name.
    pub fn runs_as(&self, id: &ProcessId) -> bool {
        match (id, &self.kind) {
            (ProcessId::Web(name), Kind::Web(_)) | (ProcessId::Database(name), Kind::Database(_)) => {
                *name == self.name
            }
            (ProcessId::Proxy(_) | ProcessId::Web(_) | ProcessId::Database(_), _) => false,
        }
    }

    /// Whether Cordée starts it, on this machine.
    pub const fn is_ours(&self) -> bool {
        matches!(self.runtime, Run::Process { .. })
    }

    /// Whether an operator stopped it.
    pub const fn stopped(&self) -> bool {
        self.runtime.stopped()
    }

    /// Whether the server was asked to leave and stays until the others can do without it.
    pub const fn leaving(&self) -> bool {
        match &self.kind {
            Kind::Web(web) => web.leaving,
            Kind::Database(database) => matches!(database.membership, Membership::Leaving),
        }
    }

    /// Whether the server is to serve, according to what the operators asked for.
    pub fn wanted(&self) -> bool {
        !self.stopped()
            && match &self.kind {
                Kind::Web(web) => web.admin == Admin::Ready && !web.leaving,
                Kind::Database(database) => database.membership == Membership::Member,
            }
    }

    /// Whether a process must be stopped and started again: it was started for another server id, or for an older
    /// generation than wished (unless that restart was withdrawn).
    pub const fn outdates(&self, server: u32, generation: u32) -> bool {
        let kept = match &self.kind {
            Kind::Web(web) => web.kept,
            Kind::Database(_) => false,
        };
        let older = match self.runtime {
            Run::External => false,
            Run::Process { generation: wished, .. } => generation < wished,
        };
        server != self.id || (!kept && older)
    }

    /// Whether HAProxy lists the server. A database is not listed before it is a member, nor while it is being
    /// released.
    pub const fn listed(&self) -> bool {
        match &self.kind {
            Kind::Web(_) => true,
            Kind::Database(database) => {
                !matches!(database.membership, Membership::Joining | Membership::Released)
            }
        }
    }
}

#[cfg(test)]
impl Server {
    /// Returns the server as a database, which it must be.
    pub(crate) fn base(&self) -> Database<'_> {
        self.as_database().expect("a database")
    }

    /// Returns the server as a web server, which it must be.
    pub(crate) fn site(&self) -> Web<'_> {
        self.as_web().expect("a web server")
    }

    /// Sets a database's membership.
    pub(crate) fn stands(&mut self, membership: Membership) {
        self.database_mut().expect("a database").membership = membership;
    }

    /// Sets the power, if Cordée controls a process for it: an external server cannot be stopped.
    pub(crate) fn powered(&mut self, to: Power) {
        self.set_power(to);
    }

    /// Sets what is wished of a web server, and whether an operator insists.
    pub(crate) fn told(&mut self, admin: Admin, anyway: bool) {
        let web = self.web_mut().expect("a web server");
        (web.admin, web.anyway) = (admin, anyway);
    }
}
