//! Finds what somebody else changed in a running HAProxy instance: compares two observations, and leaves out what
//! Cordée did between them.
//!
//! At most one observation or step is under way on a HAProxy instance, and each step ends with an observation.
//! Therefore every difference between two observations was caused either by the step, or by somebody else.

use std::collections::BTreeMap;

use crate::ids::{PoolId, ServerName};
use crate::step::ProxyStep;
use crate::text;
use crate::text::Text;

use super::stats::{Listens, Running, RunningServer};

/// A property that a runtime command can change and an observation shows.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// Whether a server exists.
    Server(ServerName),
    /// Whether a server is in service, drained or in maintenance.
    State(ServerName),
    /// The same behind the address of the one writer.
    WriterState(ServerName),
    /// Its weight.
    Weight(ServerName),
    /// Its address and port.
    Address(ServerName),
    /// A server's connection limit.
    Most(ServerName),
    /// Whether and where a server is checked.
    Checks(ServerName),
    /// Its stickiness cookie.
    Cookie(ServerName),
    /// Whether a listener accepts connections.
    Frontend(String),
    /// A listener's connection limit.
    FrontendMost(String),
    /// The connection limit of the whole process.
    Connections,
    /// The rate limits of the whole process.
    Rate,
    /// The session mode.
    Session,
    /// Whether connections wait while no database is in service.
    Waiting,
}

impl What {
    /// Returns the property's name.
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

    /// Whether no runtime command restores the property: only a new worker does.
    pub const fn needs_reload(&self) -> bool {
        matches!(self, Self::Cookie(_))
    }
}

/// The value of each property in an observation.
pub type Values = BTreeMap<What, Text>;

/// A property that somebody else changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The property.
    pub what: What,
    /// Its value before.
    pub was: Text,
    /// Its value after.
    pub now: Text,
}

/// Returns the values that may differ between two successive observations. Servers that are the same in both are left
/// out, because there may be a thousand of them.
pub fn values(proxy: PoolId, before: &Running, now: &Running) -> (Values, Values) {
    let of = |look: &Running, other: &Running| {
        let mut all = of_process(proxy, look);
        for (name, server) in &look.servers {
            if other.servers.get(name).is_none_or(|there| !alike(there, server)) {
                of_server(&mut all, proxy, name, server);
            }
        }
        all
    };
    (of(before, now), of(now, before))
}

/// Returns the value of one property.
pub fn value(proxy: PoolId, running: &Running, what: &What) -> Option<Text> {
    let mut all = match what.server() {
        None => of_process(proxy, running),
        Some(name) => {
            let mut all = Values::new();
            of_server(&mut all, proxy, name, running.servers.get(name)?);
            all
        }
    };
    all.remove(what)
}

/// Whether all properties of a server are the same.
fn alike(one: &RunningServer, other: &RunningServer) -> bool {
    let flags =
        |s: &RunningServer| (s.maintenance, s.writer_maintenance, s.drain, s.checked, s.checked_elsewhere);
    let numbers = |s: &RunningServer| (s.weight, s.ip, s.port, s.most);
    flags(one) == flags(other) && numbers(one) == numbers(other) && one.cookie == other.cookie
}

/// Returns the properties that belong to no server.
fn of_process(proxy: PoolId, running: &Running) -> Values {
    let mut all = Values::new();
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

/// Returns the differences between two observations that were not caused by `step`, which was carried out between
/// them.
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
    // A change of address also changes the cookie.
    let moved =
        |name: &ServerName| before.get(&What::Address(name.clone())) != now.get(&What::Address(name.clone()));
    all.retain(|change| !matches!(&change.what, What::Cookie(name) if moved(name)));
    all
}

/// Whether a step may change that property.
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
        // A new worker is a new process.
        ProxyStep::Reload { .. } => true,
        // A file alone changes nothing in the process.
        ProxyStep::WriteConfig { .. } | ProxyStep::WriteSession { .. } => false,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;

    use super::*;
    use crate::observed::Observed;
    use crate::plan::tests::{first, settle};
    use crate::sim::World;

    static MEMORY: LazyLock<Observed> = LazyLock::new(|| {
        let (mut desired, mut world, mut memory) = (first(), World::at(1_000_000), Observed::default());
        settle(&mut desired, &mut world, &mut memory);
        memory
    });

    /// Returns what a HAProxy instance reports once the cluster is settled.
    fn settled(proxy: PoolId) -> Running {
        MEMORY.proxy(proxy).running.value().expect("it runs").clone()
    }

    /// Alters one property of one server, or of the process.
    fn alter(running: &mut Running, server: usize, what: usize) {
        let name = running.servers.keys().nth(server % running.servers.len().max(1)).cloned();
        let Some(name) = name else { return };
        if what == 0 {
            running.servers.remove(&name);
            return;
        }
        let Some(there) = running.servers.get_mut(&name) else { return };
        match what {
            1 => there.maintenance = !there.maintenance,
            2 => there.writer_maintenance = !there.writer_maintenance,
            3 => there.drain = !there.drain,
            4 => there.weight += 1,
            5 => there.port += 1,
            6 => there.ip = None,
            7 => there.most += 1,
            8 => there.checked = !there.checked,
            9 => there.checked_elsewhere = !there.checked_elsewhere,
            10 => there.cookie.push('x'),
            // Values that no runtime command alters.
            11 => (there.total, there.since_s, there.id) = (there.total + 1, 0, there.id + 1),
            _ => running.limits.rates += 1,
        }
    }

    fn everything(proxy: PoolId, running: &Running) -> Values {
        let mut all = of_process(proxy, running);
        for (name, server) in &running.servers {
            of_server(&mut all, proxy, name, server);
        }
        all
    }

    proptest! {
        #[test]
        fn what_is_left_out_differs_in_nothing(
            web in any::<bool>(),
            altered in prop::collection::vec((0..4_usize, 0..13_usize), 0..6),
            back in any::<bool>(),
        ) {
            let proxy = if web { PoolId::Web } else { PoolId::Db };
            let (mut before, mut now) = (settled(proxy), settled(proxy));
            for (server, what) in altered {
                alter(&mut now, server, what);
            }
            if back {
                std::mem::swap(&mut before, &mut now);
            }
            let all = (everything(proxy, &before), everything(proxy, &now));
            let few = values(proxy, &before, &now);
            prop_assert_eq!(changes(&few.0, &few.1, None), changes(&all.0, &all.1, None));
            for (what, value) in &all.1 {
                let alone = super::value(proxy, &now, what);
                prop_assert_eq!(alone.as_ref(), Some(value));
            }
        }
    }
}
