//! Everything that alters the wishes: what a person asks, and what Cordée decides. The page, the API and the command
//! line build the same request, and nothing else; a plan makes decisions only ([`crate::decision`]).

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

/// What altered the wishes, as the history keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Change {
    /// A person asked for it.
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
    /// The sentence that stands in the journal.
    pub fn sentence(&self) -> Text {
        match self {
            Self::Request(request) => request.sentence(),
            Self::Decision(decision) => decision.sentence(),
        }
    }
}

/// What can be asked. What is asked of a server goes by its name, which is what a person knows of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum Request {
    /// Put a server behind a proxy.
    AddServer {
        /// Where.
        pool: PoolId,
        /// What.
        server: NewServer,
    },
    /// Take a server away, process and files included when Cordée started it.
    RemoveServer {
        /// Where.
        pool: PoolId,
        /// Which.
        name: ServerName,
        /// Even if nobody else serves.
        #[serde(default)]
        force: bool,
    },
    /// Drain, maintenance, back in service.
    SetAdmin {
        /// Where.
        pool: PoolId,
        /// Which.
        name: ServerName,
        /// What it should become.
        admin: Admin,
        /// Even if nobody else serves.
        #[serde(default)]
        force: bool,
    },
    /// Start or stop.
    SetPower {
        /// Where.
        pool: PoolId,
        /// Which.
        name: ServerName,
        /// What it should become.
        power: Power,
        /// Even if nobody else serves.
        #[serde(default)]
        force: bool,
    },
    /// Stop and start again.
    Restart {
        /// Where.
        pool: PoolId,
        /// Which.
        name: ServerName,
        /// Even if nobody else serves.
        #[serde(default)]
        force: bool,
    },
    /// A web server that was asked to leave and waits for another one to serve leaves all the same.
    Insist {
        /// Which.
        name: ServerName,
    },
    /// A web server that was asked to leave and waits for another one to serve is to stay.
    Withdraw {
        /// Which.
        name: ServerName,
    },
    /// Listen elsewhere.
    SetAddresses {
        /// The page.
        page: SocketAddr,
        /// Names by which the page may be called.
        #[serde(default)]
        names: Vec<Host>,
        /// HAProxy `web`.
        site: SocketAddr,
        /// HAProxy `db`, as the routing says.
        db: SocketAddr,
        /// HAProxy `db`, always the writer.
        writer: SocketAddr,
        /// Ports for servers started on this machine.
        ports: (u16, u16),
    },
    /// How visitors are remembered.
    SetKeeping {
        /// Days after which one who did not come again is forgotten.
        days: u16,
        /// Keep networks instead of addresses.
        shorten: bool,
        /// Whose `X-Forwarded-For` is believed.
        trusted: Vec<Network>,
    },
    /// Start a proxy's worker anew from its file.
    Reload {
        /// Which.
        proxy: PoolId,
    },
    /// Which databases take writes.
    SetRouting {
        /// The new routing.
        routing: Routing,
    },
    /// Where the visitors' sessions are kept.
    SetSession {
        /// The new mode.
        mode: Mode,
    },
    /// Make another database the writer: the present one is closed, the other one catches up, then it is opened.
    Promote {
        /// The writer to be.
        name: ServerName,
        /// When it was asked for.
        at: Millis,
        /// Even if the present writer is lost and may hold what the other one never received.
        accept_loss: bool,
    },
    /// Throw a database's data away and give it a fresh copy, under a fresh id.
    Recopy {
        /// Which.
        name: ServerName,
        /// Its id when that was asked: it is not done to another one by its name. 0, which nobody has, in one that was
        /// written down before it was carried.
        #[serde(default)]
        id: u32,
    },
}

/// The port of a server to add.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum PortChoice {
    /// This one.
    Given(u16),
    /// One of these, which were free on this machine; which of them is chosen when the wish is written down, because
    /// only then it is known what the others took.
    AnyOf(Vec<u16>),
}

/// A server to add, already valid in itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewServer {
    /// Its name.
    pub name: ServerName,
    /// Where it is; `127.0.0.1` when Cordée starts it.
    pub host: Host,
    /// Its port.
    pub port: PortChoice,
    /// Stickiness.
    pub cookie: CookieChoice,
    /// Who starts it.
    pub runtime: Runtime,
    /// Whether it gets visitors as soon as it answers, or is put into maintenance first.
    #[serde(default)]
    pub admin: Admin,
}

/// A server to add, as somebody says it. What is not said has a meaning of its own; an empty text is said, and none of
/// these can be one.
#[derive(Clone, Debug, Default)]
pub struct RawServer {
    /// Name.
    pub name: String,
    /// Address or host name; this machine with `start`, when it is not said.
    pub address: Option<String>,
    /// Port; not said it is 80, or with `start` a free one.
    pub port: Option<String>,
    /// Cookie; automatic when it is not said.
    pub cookie: Option<String>,
    /// Start a new server on this machine, rather than watch one that exists.
    pub start: bool,
    /// It gets no visitor before it is put in service.
    pub maintenance: bool,
}

impl RawServer {
    /// Reads every field, and says every thing that is wrong at once.
    ///
    /// `free_ports` is asked only when Cordée starts the server and no port was said.
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
    /// The sentence that stands in the journal.
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

    /// The server or proxy it is about.
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
