//! A server as wished: what every one has, and what only a web server or only a database has.

use std::ops::Deref;

use serde::{Deserialize, Serialize};

use super::Membership;
use crate::ids::{Cookie, Host, PoolId, ProcessId, ServerName};

/// One server as wished.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// HAProxy's id of the server; for a database also MariaDB's `server_id` and GTID domain.
    pub id: u32,
    /// Unique in both pools, without regard to case.
    pub name: ServerName,
    /// Address or name.
    pub host: Host,
    /// TCP port.
    pub port: u16,
    /// What it is, and what is wished of it as that.
    pub kind: Kind,
    /// Who starts it, and what is wished of its process.
    pub runtime: Run,
}

/// What a server is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It answers visitors.
    Web(WebFacts),
    /// It holds the site's rows, and a copy of the others'.
    Database(DatabaseFacts),
}

/// What is wished of a web server only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebFacts {
    /// Stickiness.
    pub cookie: CookieChoice,
    /// Whether it should get visitors.
    pub admin: Admin,
    /// It is gone once others serve its visitors.
    pub leaving: bool,
    /// What was asked of it last is done even if nobody else serves then: a person said so.
    pub anyway: bool,
    /// Whichever process runs stays: the restart that was asked for last was withdrawn.
    pub kept: bool,
}

/// What is wished of a database only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatabaseFacts {
    /// Its place in the auto-increment sequence, 1 to 9.
    pub slot: u8,
    /// Its place among the others.
    pub membership: Membership,
}

/// Who starts a server, and what is wished of its process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Run {
    /// Somebody else: Cordée has no process of it to wish anything of.
    External,
    /// Cordée, on this machine.
    Process {
        /// Whether it should run.
        power: Power,
        /// Grows by one each time a person asks for a restart.
        generation: u32,
    },
}

/// Who starts a server: the word alone.
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

/// A web server and what only it has. It reads like its [`Server`].
#[derive(Clone, Copy, Debug)]
pub struct Web<'a> {
    /// What every server has.
    pub server: &'a Server,
    /// Stickiness.
    pub cookie: &'a CookieChoice,
    /// Whether it should get visitors.
    pub admin: Admin,
    /// It is gone once others serve its visitors.
    pub leaving: bool,
    /// What was asked of it last is done even if nobody else serves then.
    pub anyway: bool,
    /// The restart that was asked for last was withdrawn.
    pub kept: bool,
}

/// A database and what only it has. It reads like its [`Server`].
#[derive(Clone, Copy, Debug)]
pub struct Database<'a> {
    /// What every server has.
    pub server: &'a Server,
    /// Its place in the auto-increment sequence, 1 to 9.
    pub slot: u8,
    /// Its place among the others.
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

/// A server as what it is: for whoever does something else with each kind.
#[derive(Clone, Copy, Debug)]
pub enum Either<'a> {
    /// A web server.
    Web(Web<'a>),
    /// A database.
    Database(Database<'a>),
}

impl WebFacts {
    /// A web server that serves as soon as it answers.
    pub const fn ready(cookie: CookieChoice) -> Self {
        Self { cookie, admin: Admin::Ready, leaving: false, anyway: false, kept: false }
    }
}

impl Run {
    /// A process that is to run, and of which nobody asked anything since.
    pub const STARTED: Self = Self::Process { power: Power::On, generation: 0 };

    /// What a new server's process is to do.
    pub const fn new(runtime: Runtime) -> Self {
        match runtime {
            Runtime::External => Self::External,
            Runtime::Process => Self::STARTED,
        }
    }

    /// Who starts it.
    pub const fn word(self) -> Runtime {
        match self {
            Self::External => Runtime::External,
            Self::Process { .. } => Runtime::Process,
        }
    }

    /// Whether it should run, as it is shown: what somebody else starts should.
    pub const fn power(self) -> Power {
        match self {
            Self::External => Power::On,
            Self::Process { power, .. } => power,
        }
    }

    /// Whether a person stopped it: only what Cordée starts can be.
    pub const fn stopped(self) -> bool {
        matches!(self, Self::Process { power: Power::Off, .. })
    }
}

impl Server {
    /// As what it is.
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

    /// As a web server, if it is one.
    pub const fn as_web(&self) -> Option<Web<'_>> {
        match self.either() {
            Either::Web(web) => Some(web),
            Either::Database(_) => None,
        }
    }

    /// As a database, if it is one.
    pub const fn as_database(&self) -> Option<Database<'_>> {
        match self.either() {
            Either::Web(_) => None,
            Either::Database(database) => Some(database),
        }
    }

    /// What is wished of it as a web server, to be altered.
    pub const fn web_mut(&mut self) -> Option<&mut WebFacts> {
        match &mut self.kind {
            Kind::Web(facts) => Some(facts),
            Kind::Database(_) => None,
        }
    }

    /// What is wished of it as a database, to be altered.
    pub const fn database_mut(&mut self) -> Option<&mut DatabaseFacts> {
        match &mut self.kind {
            Kind::Web(_) => None,
            Kind::Database(facts) => Some(facts),
        }
    }

    /// The pool that servers of its kind are in.
    pub const fn pool(&self) -> PoolId {
        match self.kind {
            Kind::Web(_) => PoolId::Web,
            Kind::Database(_) => PoolId::Db,
        }
    }

    /// The process that runs it, or would.
    pub fn process(&self) -> ProcessId {
        ProcessId::of(self.pool(), self.name.clone())
    }

    /// Whether it is what that process runs: a server of its kind and its name.
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

    /// Whether a person stopped it.
    pub const fn stopped(&self) -> bool {
        self.runtime.stopped()
    }

    /// Whether it was asked to leave, and is there until others do without it.
    pub const fn leaving(&self) -> bool {
        match &self.kind {
            Kind::Web(web) => web.leaving,
            Kind::Database(database) => matches!(database.membership, Membership::Leaving),
        }
    }

    /// Whether it is to serve, as far as people are concerned.
    pub fn wanted(&self) -> bool {
        !self.stopped()
            && match &self.kind {
                Kind::Web(web) => web.admin == Admin::Ready && !web.leaving,
                Kind::Database(database) => database.membership == Membership::Member,
            }
    }

    /// Whether a process of this server is of an older generation than wished: it is to be stopped and started again.
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

    /// Whether HAProxy lists it: not before it is one of them, and not when it is being let go.
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
    /// As a database, which it must be.
    pub(crate) fn base(&self) -> Database<'_> {
        self.as_database().expect("a database")
    }

    /// As a web server, which it must be.
    pub(crate) fn site(&self) -> Web<'_> {
        self.as_web().expect("a web server")
    }

    /// Another standing for a database.
    pub(crate) fn stands(&mut self, membership: Membership) {
        self.database_mut().expect("a database").membership = membership;
    }

    /// Another power, where it has a process that can be asked: nobody else's can be stopped.
    pub(crate) fn powered(&mut self, to: Power) {
        self.set_power(to);
    }

    /// What is wished of a web server, and whether a person insists.
    pub(crate) fn told(&mut self, admin: Admin, anyway: bool) {
        let web = self.web_mut().expect("a web server");
        (web.admin, web.anyway) = (admin, anyway);
    }
}
