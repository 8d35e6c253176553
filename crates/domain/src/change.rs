//! Everything that alters the desired state: an operator's requests and Cordée's own decisions. The page, the API and
//! the command line all build the same [`Request`] and nothing else; a plan only makes decisions
//! ([`crate::decision`]).

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use crate::decision::Decision;
use crate::desired::{Admin, CookieChoice, Power, Routing, Runtime};
use crate::ids::{Cookie, Host, Millis, PoolId, ServerName, parse_port};
use crate::problem::Problem;
use crate::sessions::Mode;
use crate::text;
use crate::text::{Text, Thing};
use crate::visitors::Network;

/// A change of the desired state, as the history keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Change {
    /// An operator asked for it.
    Request(Request),
    /// Cordée decided it.
    Decision(Decision),
}

impl From<Request> for Change {
    fn from(request: Request) -> Self {
        Self::Request(request)
    }
}

impl From<Decision> for Change {
    fn from(decision: Decision) -> Self {
        Self::Decision(decision)
    }
}

impl Change {
    /// Returns the sentence for the journal.
    pub fn sentence(&self) -> Text {
        match self {
            Self::Request(request) => request.sentence(),
            Self::Decision(decision) => decision.sentence(),
        }
    }
}

/// A request that an operator can make. Requests identify a server by its name, because that is what an operator knows
/// of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum Request {
    /// Adds a server behind a proxy.
    AddServer {
        /// The pool.
        pool: PoolId,
        /// The new server.
        server: NewServer,
    },
    /// Removes a server, including its process and files if Cordée started it.
    RemoveServer {
        /// The pool.
        pool: PoolId,
        /// The server.
        name: ServerName,
        /// Do it even if no other server serves.
        #[serde(default)]
        force: bool,
    },
    /// Drains a server, puts it into maintenance, or puts it back in service.
    SetAdmin {
        /// The pool.
        pool: PoolId,
        /// The server.
        name: ServerName,
        /// The new state.
        admin: Admin,
        /// Do it even if no other server serves.
        #[serde(default)]
        force: bool,
    },
    /// Starts or stops a server.
    SetPower {
        /// The pool.
        pool: PoolId,
        /// The server.
        name: ServerName,
        /// The new state.
        power: Power,
        /// Do it even if no other server serves.
        #[serde(default)]
        force: bool,
    },
    /// Stops a server and starts it again.
    Restart {
        /// The pool.
        pool: PoolId,
        /// The server.
        name: ServerName,
        /// Do it even if no other server serves.
        #[serde(default)]
        force: bool,
    },
    /// A web server that was asked to leave, and waits until another one serves, leaves without waiting.
    Insist {
        /// The web server.
        name: ServerName,
    },
    /// A web server that was asked to leave, and waits until another one serves, stays.
    Withdraw {
        /// The web server.
        name: ServerName,
    },
    /// Sets the addresses at which the cluster listens.
    SetAddresses {
        /// The address of the page.
        page: SocketAddr,
        /// Host names by which the page may be called.
        #[serde(default)]
        names: Vec<Host>,
        /// The address of HAProxy `web`.
        site: SocketAddr,
        /// The address of HAProxy `db` that follows the routing.
        db: SocketAddr,
        /// The address of HAProxy `db` that always leads to the writer.
        writer: SocketAddr,
        /// First and last port for servers started on this machine.
        ports: (u16, u16),
    },
    /// Sets how visitors are remembered.
    SetKeeping {
        /// Days after which a visitor who did not come again is forgotten.
        days: u16,
        /// Keep networks instead of full addresses.
        shorten: bool,
        /// The networks whose `X-Forwarded-For` is trusted.
        trusted: Vec<Network>,
    },
    /// Starts a new worker of a proxy from its configuration file.
    Reload {
        /// The proxy.
        proxy: PoolId,
    },
    /// Sets which databases take writes.
    SetRouting {
        /// The new routing.
        routing: Routing,
    },
    /// Sets where the visitors' sessions are kept.
    SetSession {
        /// The new mode.
        mode: Mode,
    },
    /// Makes another database the writer: the present writer is closed, the other database catches up, then that one
    /// is opened.
    Promote {
        /// The database that is to become the writer.
        name: ServerName,
        /// When it was asked for.
        at: Millis,
        /// Do it even if the present writer is lost and may hold transactions that the other database never received.
        accept_loss: bool,
    },
    /// Throws a database's data away and gives it a fresh copy, under a fresh id.
    Recopy {
        /// The database.
        name: ServerName,
        /// Its id when the request was made: another database with the same name is left alone. 0, which no server
        /// has, in a request that was stored before this field existed.
        #[serde(default)]
        id: u32,
    },
}

/// The port of a server to add.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum PortChoice {
    /// This port.
    Given(u16),
    /// One of these ports, which were free on this machine. The port is chosen when the wish is stored, because only
    /// then it is known which ports the other servers have taken.
    AnyOf(Vec<u16>),
}

/// A server to add. Each field is valid in itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewServer {
    /// Its name.
    pub name: ServerName,
    /// Its host; `127.0.0.1` if Cordée starts it.
    pub host: Host,
    /// Its port.
    pub port: PortChoice,
    /// Its stickiness cookie.
    pub cookie: CookieChoice,
    /// Who starts it.
    pub runtime: Runtime,
    /// Whether it gets visitors as soon as it answers, or starts in maintenance.
    #[serde(default)]
    pub admin: Admin,
}

/// A server to add, as the operator typed it. A missing field has a default. An empty text counts as given, and is
/// never valid.
#[derive(Clone, Debug, Default)]
pub struct RawServer {
    /// Name.
    pub name: String,
    /// Address or host name; required, except that with `start` a missing one means this machine.
    pub address: Option<String>,
    /// Port; if missing, 80, or a free port with `start`.
    pub port: Option<String>,
    /// Cookie; if missing, automatic.
    pub cookie: Option<String>,
    /// Start a new server on this machine, rather than watch an existing one.
    pub start: bool,
    /// The server gets no visitors before an operator puts it in service.
    pub maintenance: bool,
}

impl RawServer {
    /// Parses all fields, and reports all problems at once.
    ///
    /// `free_ports` is called only if Cordée starts the server and no port was given.
    pub fn parse(
        &self,
        free_ports: impl FnOnce() -> Result<Vec<u16>, Problem>,
    ) -> Result<NewServer, Vec<Problem>> {
        let mut problems = Vec::new();
        let name = keep(ServerName::parse(self.name.trim()), &mut problems);
        let host = match self.address.as_deref() {
            None if self.start => Host::parse("127.0.0.1").ok(),
            said => keep(Host::parse(said.unwrap_or_default().trim()), &mut problems),
        };
        let port = match self.port.as_deref() {
            None if self.start => None,
            None => Some(PortChoice::Given(80)),
            Some(said) => keep(parse_port(said.trim()), &mut problems).map(PortChoice::Given),
        };
        let cookie = match self.cookie.as_deref() {
            None => Some(CookieChoice::Automatic),
            Some(said) => keep(Cookie::parse(said.trim()), &mut problems).map(CookieChoice::Chosen),
        };
        let elsewhere = |host: &Host| match host {
            Host::Name(name) => name != "localhost",
            Host::Ip(ip) => !ip.is_loopback(),
        };
        if self.start && host.as_ref().is_some_and(elsewhere) {
            problems.push(Problem::invalid("address", text!("problem-address-start")));
        }
        let port = match port {
            None if problems.is_empty() => keep(free_ports(), &mut problems).map(PortChoice::AnyOf),
            port => port,
        };
        match (name, host, port, cookie) {
            (Some(name), Some(host), Some(port), Some(cookie)) if problems.is_empty() => {
                let runtime = if self.start { Runtime::Process } else { Runtime::External };
                let admin = if self.maintenance { Admin::Maintenance } else { Admin::Ready };
                Ok(NewServer { name, host, port, cookie, runtime, admin })
            }
            _ => Err(problems),
        }
    }
}

fn keep<T>(parsed: Result<T, impl Into<Problem>>, problems: &mut Vec<Problem>) -> Option<T> {
    parsed.map_err(|why| problems.push(why.into())).ok()
}

impl Request {
    /// Returns the sentence for the journal.
    pub fn sentence(&self) -> Text {
        match self {
            Self::AddServer { pool: PoolId::Db, server } => {
                text!("event-joins", name = &server.name)
            }
            Self::RemoveServer { pool: PoolId::Db, name, .. } => text!("event-leaves", name = name),
            Self::AddServer { server, .. } if server.admin != Admin::Ready => {
                text!("event-added-out", name = &server.name)
            }
            Self::AddServer { server, .. } => text!("event-added", name = &server.name),
            Self::RemoveServer { name, force: false, .. } => text!("event-leaves-web", name = name),
            Self::RemoveServer { name, .. } => text!("event-removed", name = name),
            Self::SetAdmin { name, admin, .. } => match admin {
                Admin::Ready => text!("event-ready", name = name),
                Admin::Drain => text!("event-drain", name = name),
                Admin::Maintenance => text!("event-maintenance", name = name),
            },
            Self::SetPower { name, power: Power::On, .. } => text!("event-start", name = name),
            Self::SetPower { name, power: Power::Off, .. } => text!("event-stop", name = name),
            Self::Restart { name, .. } => text!("event-restart", name = name),
            Self::SetAddresses { site, page, .. } => {
                text!("event-addresses", site = site.to_string(), page = page.to_string())
            }
            Self::SetKeeping { days, shorten, trusted } => {
                let days = text!("event-keeping-days", days = *days);
                let which =
                    if *shorten { text!("event-keeping-short") } else { text!("event-keeping-whole") };
                text!("event-keeping", days = days, which = which, count = trusted.len())
            }
            Self::Reload { proxy } => text!("event-reload", proxy = Thing::Proxy(*proxy)),
            Self::SetRouting { routing: Routing::OneWriter } => text!("event-one-writer"),
            Self::SetRouting { routing: Routing::AllWriters } => text!("event-all-writers"),
            Self::SetSession { mode: Mode::Proxy } => text!("event-session-proxy"),
            Self::SetSession { mode: Mode::Database } => text!("event-session-database"),
            Self::Promote { name, accept_loss: false, .. } => text!("event-promote", name = name),
            Self::Promote { name, accept_loss: true, .. } => {
                text!("event-promote-loss", name = name)
            }
            Self::Recopy { name, .. } => text!("event-recopy", name = name),
            Self::Insist { name } => text!("event-insisted", name = name),
            Self::Withdraw { name } => text!("event-withdrawn", name = name),
        }
    }

    /// Returns the name of the server or proxy that the request is about.
    pub fn subject(&self) -> String {
        match self {
            Self::AddServer { server, .. } => server.name.to_string(),
            Self::RemoveServer { name, .. }
            | Self::SetAdmin { name, .. }
            | Self::SetPower { name, .. }
            | Self::Restart { name, .. }
            | Self::Promote { name, .. }
            | Self::Recopy { name, .. }
            | Self::Insist { name }
            | Self::Withdraw { name } => name.to_string(),
            Self::SetAddresses { .. } | Self::SetKeeping { .. } => "cluster".to_owned(),
            Self::Reload { proxy } => format!("haproxy-{proxy}"),
            Self::SetSession { .. } => "haproxy-web".to_owned(),
            Self::SetRouting { .. } => "haproxy-db".to_owned(),
        }
    }
}
