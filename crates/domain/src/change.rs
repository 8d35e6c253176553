//! Everything a person can ask that alters the wish. The page, the API and the command line build the same value.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

use crate::desired::{Admin, CookieChoice, Power, Routing, Runtime, Saved};
use crate::ids::{Cookie, Host, Millis, PoolId, ServerName, parse_port};
use crate::problem::Problem;
use crate::sessions::Mode;
use crate::text;
use crate::text::{Text, Thing};
use crate::visitors::Network;

/// One wish.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum Change {
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
    /// A web server that was to be removed gets no visitors any more, or others serve them: it is gone.
    Depart {
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
    /// Where HAProxy `web` sends its log. Chosen by Cordée, never asked for.
    SetLogPort {
        /// The port on 127.0.0.1.
        port: u16,
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
    /// A promotion did not come about: the present writer stays.
    AbandonHandover {
        /// The writer to be that is not.
        name: ServerName,
        /// Why.
        why: Text,
    },
    /// A new epoch with another writer. Decided by Cordée, never asked for.
    Elect {
        /// The new writer.
        to: ServerName,
        /// The new epoch: one more than the present one.
        epoch: u64,
        /// The last number of the lost writer's domain that the new writer holds; absent when nothing was lost.
        limit: Option<u64>,
    },
    /// A new database holds what the others hold: they copy it from now on.
    Admit {
        /// Which.
        name: ServerName,
    },
    /// The others have all that a leaving database wrote: it is gone.
    Forget {
        /// Which.
        name: ServerName,
    },
    /// The others have all that a leaving database of somebody else's wrote: what is ours is taken off it.
    Release {
        /// Which.
        name: ServerName,
    },
    /// A leaving database of somebody else's cannot be asked any more: it is gone, with what is ours still on it.
    LetGo {
        /// Which.
        name: ServerName,
    },
    /// Throw a database's data away and give it a fresh copy, under a fresh id.
    Recopy {
        /// Which.
        name: ServerName,
    },
    /// A former writer holds what the others hold, by their positions: it is one of them again, and its rows are
    /// compared.
    Readmit {
        /// Which.
        name: ServerName,
        /// When that was found.
        #[serde(default)]
        at: Millis,
    },
    /// What only a former writer has in its log was looked for, and saved.
    Saved {
        /// Which.
        name: ServerName,
        /// What was found.
        saved: Saved,
    },
    /// A database may lack what another one wrote: its rows are compared.
    Doubt {
        /// Which.
        name: ServerName,
        /// When that was found.
        at: Millis,
        /// The one whose log was reset.
        by: ServerName,
    },
    /// A former writer kept what the others lack, or lacks what it had written itself: it stays out.
    Expel {
        /// Which.
        name: ServerName,
        /// Transactions of its own that the others hold and it does not.
        #[serde(default)]
        lacks: u64,
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

fn keep<T>(parsed: Result<T, Problem>, problems: &mut Vec<Problem>) -> Option<T> {
    parsed.map_err(|p| problems.push(p)).ok()
}

impl Change {
    /// Its name, for logs and tests.
    pub fn name(&self) -> &'static str {
        self.into()
    }

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
            Self::RemoveServer { name, .. } | Self::Depart { name } => {
                text!("event-removed", name = name)
            }
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
            Self::SetLogPort { port } => text!("event-log-port", port = port.to_string()),
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
            Self::AbandonHandover { name, why } => {
                text!("event-promote-abandoned", name = name, why = why.clone())
            }
            Self::Elect { to, epoch, limit: None } => {
                text!("event-handed-over", name = to, epoch = *epoch)
            }
            Self::Elect { to, epoch, limit: Some(_) } => {
                text!("event-elected", name = to, epoch = *epoch)
            }
            Self::Admit { name } => text!("event-admitted", name = name),
            Self::Forget { name } => text!("event-forgotten", name = name),
            Self::Release { name } => text!("event-release", name = name),
            Self::LetGo { name } => text!("event-let-go", name = name),
            Self::Recopy { name } => text!("event-recopy", name = name),
            Self::Readmit { name, .. } => text!("event-readmitted", name = name),
            Self::Saved { name, saved } if saved.count == 0 => {
                text!("event-saved-nothing", name = name)
            }
            Self::Saved { name, saved } => {
                text!("event-saved", name = name, count = saved.count, file = saved.file.as_str())
            }
            Self::Doubt { name, by, .. } => {
                text!("event-doubted", name = name, by = by)
            }
            Self::Expel { name, lacks: 0 } => text!("event-expelled", name = name),
            Self::Expel { name, lacks } => {
                text!("event-expelled-lacks", name = name, count = *lacks)
            }
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
            | Self::AbandonHandover { name, .. }
            | Self::Elect { to: name, .. }
            | Self::Admit { name }
            | Self::Forget { name }
            | Self::Release { name }
            | Self::LetGo { name }
            | Self::Recopy { name }
            | Self::Readmit { name, .. }
            | Self::Doubt { name, .. }
            | Self::Saved { name, .. }
            | Self::Insist { name }
            | Self::Withdraw { name }
            | Self::Depart { name }
            | Self::Expel { name, .. } => name.to_string(),
            Self::SetAddresses { .. } | Self::SetKeeping { .. } => "cluster".to_owned(),
            Self::Reload { proxy } => format!("haproxy-{proxy}"),
            Self::SetLogPort { .. } | Self::SetSession { .. } => "haproxy-web".to_owned(),
            Self::SetRouting { .. } => "haproxy-db".to_owned(),
        }
    }
}
