//! What somebody else changed in a running HAProxy: two looks compared, less what Cordée did between them.
//!
//! At most one look or step is under way on a HAProxy, and each step ends with a look. So whatever differs between two
//! looks is the step's doing, or somebody else's.

use std::collections::BTreeMap;

use crate::ids::{PoolId, ServerName};
use crate::step::ProxyStep;
use crate::text;
use crate::text::Text;

use super::stats::{Listens, Running, RunningServer};

/// A thing that a runtime command changes, and a look tells.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// Whether a server is there.
    Server(ServerName),
    /// In service, drained or in maintenance.
    State(ServerName),
    /// The same, behind the address of the one writer.
    WriterState(ServerName),
    /// Its weight.
    Weight(ServerName),
    /// Its address and port.
    Address(ServerName),
    /// How many connections go to it at once.
    Most(ServerName),
    /// Whether and where it is checked.
    Checks(ServerName),
    /// Its stickiness cookie.
    Cookie(ServerName),
    /// Whether a listener takes connections.
    Frontend(String),
    /// How many it takes at once.
    FrontendMost(String),
    /// How many connections the whole process takes at once.
    Connections,
    /// How many it takes in a second.
    Rate,
    /// The session mode.
    Session,
    /// Whether connections wait while no database is in service.
    Waiting,
}

impl What {
    /// Its name.
    pub fn name(&self) -> Text {
        match self {
            Self::Server(name) => text!("foreign-server", name = name),
            Self::State(name) => text!("foreign-state", name = name),
            Self::WriterState(name) => text!("foreign-writer-state", name = name),
            Self::Weight(name) => text!("foreign-weight", name = name),
            Self::Address(name) => text!("foreign-address", name = name),
            Self::Most(name) => text!("foreign-most", name = name),
            Self::Checks(name) => text!("foreign-checks", name = name),
            Self::Cookie(name) => text!("foreign-cookie", name = name),
            Self::Frontend(name) => text!("foreign-frontend", name = name.as_str()),
            Self::FrontendMost(name) => text!("foreign-frontend-most", name = name.as_str()),
            Self::Connections => text!("foreign-connections"),
            Self::Rate => text!("foreign-rate"),
            Self::Session => text!("foreign-session"),
            Self::Waiting => text!("foreign-waiting"),
        }
    }

    const fn server(&self) -> Option<&ServerName> {
        match self {
            Self::Server(name)
            | Self::State(name)
            | Self::WriterState(name)
            | Self::Weight(name)
            | Self::Address(name)
            | Self::Most(name)
            | Self::Checks(name)
            | Self::Cookie(name) => Some(name),
            Self::Frontend(_)
            | Self::FrontendMost(_)
            | Self::Connections
            | Self::Rate
            | Self::Session
            | Self::Waiting => None,
        }
    }

    /// Whether no command puts it back: only a worker that starts anew does.
    pub const fn needs_reload(&self) -> bool {
        matches!(self, Self::Cookie(_))
    }
}

/// What a look tells of each.
pub type Values = BTreeMap<What, Text>;

/// One thing that somebody else changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What.
    pub what: What,
    /// What it was.
    pub was: Text,
    /// What it was changed to.
    pub now: Text,
}

/// Reads them from a look.
pub fn values(proxy: PoolId, running: &Running) -> Values {
    let mut all = Values::new();
    for (name, server) in &running.servers {
        of_server(&mut all, proxy, name, server);
    }
    for (name, frontend) in &running.frontends {
        let listens = match frontend.listens {
            Listens::Open => text!("foreign-open"),
            Listens::Paused => text!("foreign-paused"),
            Listens::Shut => text!("foreign-shut"),
        };
        all.insert(What::Frontend(name.clone()), listens);
        all.insert(What::FrontendMost(name.clone()), number(frontend.most));
    }
    all.insert(What::Connections, number(running.limits.most));
    all.insert(What::Rate, number(running.limits.rates));
    if proxy == PoolId::Db {
        let waits = if running.waits { text!("foreign-ready") } else { text!("foreign-out") };
        all.insert(What::Waiting, waits);
    }
    if let Some(mode) = running.mode {
        all.insert(What::Session, word(mode.as_str()));
    }
    all
}

fn of_server(all: &mut Values, proxy: PoolId, name: &ServerName, server: &RunningServer) {
    let state = |out: bool| match (out, server.drain) {
        (true, _) => text!("foreign-maintenance"),
        (false, true) => text!("foreign-drain"),
        (false, false) => text!("foreign-ready"),
    };
    let checks = match (server.checked, server.checked_elsewhere) {
        (_, true) => text!("foreign-checked-elsewhere"),
        (false, false) => text!("foreign-unchecked"),
        (true, false) => text!("foreign-checked"),
    };
    let address = server.ip.map_or_else(String::new, |ip| format!("{ip} {}", server.port));
    all.insert(What::Server(name.clone()), text!("foreign-there"));
    all.insert(What::State(name.clone()), state(server.maintenance));
    if proxy == PoolId::Db {
        all.insert(What::WriterState(name.clone()), state(server.writer_maintenance));
    }
    all.insert(What::Weight(name.clone()), number(u64::from(server.weight)));
    all.insert(What::Address(name.clone()), word(&address));
    all.insert(What::Most(name.clone()), number(server.most));
    all.insert(What::Checks(name.clone()), checks);
    all.insert(What::Cookie(name.clone()), word(&server.cookie));
}

fn number(count: u64) -> Text {
    if count == 0 { text!("foreign-none") } else { text!("foreign-number", count = count) }
}

fn word(word: &str) -> Text {
    if word.is_empty() { text!("foreign-none") } else { text!("foreign-word", word = word) }
}

/// What differs between two looks and is not the doing of `step`, which was carried out between them.
pub fn changes(before: &Values, now: &Values, step: Option<&ProxyStep>) -> Vec<Change> {
    let mut all = Vec::new();
    for (what, was) in before {
        let gone = text!("foreign-gone");
        let is = match now.get(what) {
            Some(is) => is,
            None if matches!(what, What::Server(_)) => &gone,
            None => continue,
        };
        if is != was && !step.is_some_and(|step| touches(step, what)) {
            all.push(Change { what: what.clone(), was: was.clone(), now: is.clone() });
        }
    }
    // With another address comes another cookie.
    let moved =
        |name: &ServerName| before.get(&What::Address(name.clone())) != now.get(&What::Address(name.clone()));
    all.retain(|change| !matches!(&change.what, What::Cookie(name) if moved(name)));
    all
}

/// Whether a step may change that.
fn touches(step: &ProxyStep, what: &What) -> bool {
    match step {
        ProxyStep::AddServer { name, .. }
        | ProxyStep::SetAddress { name, .. }
        | ProxyStep::SetState { name, .. }
        | ProxyStep::SetWeight { name, .. }
        | ProxyStep::SetMost { name, .. }
        | ProxyStep::DeleteServer { name, .. } => what.server() == Some(name),
        ProxyStep::OpenFrontend { name, .. } => {
            matches!(what, What::Frontend(n) | What::FrontendMost(n) if n == name)
        }
        ProxyStep::LiftLimits { .. } => matches!(what, What::Connections | What::Rate),
        ProxyStep::SetSession { .. } => *what == What::Session,
        // Another worker is another process.
        ProxyStep::Reload { .. } => true,
        // Files alone change nothing in the process.
        ProxyStep::WriteConfig { .. } | ProxyStep::WriteSession { .. } => false,
    }
}
