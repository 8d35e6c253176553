//! Failover drills. A drill causes a fault in the running cluster on purpose, under traffic that Cordée generates
//! itself, and counts what visitors lose. This module decides which targets and faults are allowed and how a fault is
//! undone; the server carries it out (`drills`).

use serde::{Deserialize, Serialize};

use crate::change::Request;
use crate::desired::{Admin, Desired, Power};
use crate::ids::{Millis, PoolId, ProcessId, ProcessName, ServerName};
use crate::problem::Problem;
use crate::text;
use crate::text::Text;
use crate::trial::End;

mod aim;
mod order;
mod report;
mod target;

pub use aim::{Aim, Page, SiteUrl};
pub use order::{Order, RawOrder, Traffic};
pub use report::{Fate, Recovery, Report, Said, Tally, Try, Writes};
pub use target::Target;

/// The target of a drill.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Selector {
    /// A web server.
    Web(ServerName),
    /// One of the two HAProxy instances.
    Proxy(PoolId),
    /// The database that takes writes.
    Writer,
    /// The channel by which a standby replicates from the writer.
    #[serde(rename = "link")]
    Channel,
}

impl Selector {
    /// Parses the word. `writer` and `link` take precedence over a web server with that name: the pool's name, which
    /// is typed as a confirmation, shows which one is meant.
    pub fn parse(input: &str) -> Result<Self, Problem> {
        match input {
            "" => Err(Problem::invalid("target", text!("problem-drill-target"))),
            "writer" => Ok(Self::Writer),
            "link" => Ok(Self::Channel),
            "haproxy-web" => Ok(Self::Proxy(PoolId::Web)),
            "haproxy-db" => Ok(Self::Proxy(PoolId::Db)),
            name => ServerName::parse(name)
                .map(Self::Web)
                .map_err(|_| Problem::invalid("target", text!("problem-drill-target"))),
        }
    }

    /// Returns the word used in forms, commands and exports.
    pub fn word(&self) -> String {
        match self {
            Self::Web(name) => name.to_string(),
            Self::Proxy(pool) => ProcessId::Proxy(*pool).to_string(),
            Self::Writer => "writer".to_owned(),
            Self::Channel => "link".to_owned(),
        }
    }

    /// Returns the pool that the target belongs to. Its name is typed to confirm the drill.
    pub const fn pool(&self) -> PoolId {
        match self {
            Self::Web(_) => PoolId::Web,
            Self::Proxy(pool) => *pool,
            Self::Writer | Self::Channel => PoolId::Db,
        }
    }

    /// Returns the target's name for display.
    pub fn name(&self) -> Text {
        match self {
            Self::Web(name) => text!("drill-target-web", name = name.as_str()),
            Self::Proxy(pool) => text!("drill-target-proxy", pool = pool.as_str()),
            Self::Writer => text!("drill-target-writer"),
            Self::Channel => text!("drill-target-link"),
        }
    }
}

/// The fault that a drill causes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// All processes of the target are killed at once.
    Kill,
    /// All processes of the target are frozen for a while.
    Freeze,
    /// The target is stopped, and started again after a while.
    Stop,
    /// The target gets no new visitors for a while.
    Drain,
}

impl FaultKind {
    /// All faults, in the order of the form.
    pub const ALL: [Self; 4] = [Self::Kill, Self::Freeze, Self::Stop, Self::Drain];

    /// Returns the word used in forms, commands and exports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Kill => "kill",
            Self::Freeze => "freeze",
            Self::Stop => "stop",
            Self::Drain => "drain",
        }
    }

    /// Parses the word used in forms, commands and exports.
    pub fn parse(input: &str) -> Result<Self, Problem> {
        let found = Self::ALL.into_iter().find(|b| b.as_str() == input);
        found.ok_or_else(|| Problem::invalid("how", text!("problem-drill-how")))
    }

    /// Returns the fault's name for display.
    pub fn name(self) -> Text {
        match self {
            Self::Kill => text!("drill-kill"),
            Self::Freeze => text!("drill-freeze"),
            Self::Stop => text!("drill-stop"),
            Self::Drain => text!("drill-drain"),
        }
    }

    /// Checks that the fault is possible on that target; the problem names the faults that are. A writer cannot be
    /// stopped by a drill: that is a promotion, which is not an accident.
    fn fits(self, target: &Selector) -> Result<(), Problem> {
        let (fits, says) = match target {
            Selector::Web(_) => return Ok(()),
            Selector::Proxy(_) => {
                (matches!(self, Self::Kill | Self::Freeze), text!("problem-drill-how-proxy"))
            }
            Selector::Writer => {
                (matches!(self, Self::Kill | Self::Freeze), text!("problem-drill-how-writer"))
            }
            Selector::Channel => (self == Self::Stop, text!("problem-drill-how-link")),
        };
        if fits { Ok(()) } else { Err(Problem::invalid("how", says)) }
    }
}

/// An action of a drill on the cluster, carried out by the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Kills the process and its group.
    Kill(ProcessId),
    /// Freezes the process and its group.
    Freeze(ProcessId),
    /// Makes the process and its group go on.
    Thaw(ProcessId),
    /// Changes the desired state.
    Commit(Request),
    /// Keeps a channel stopped.
    Hold {
        /// The database that receives.
        on: ServerName,
        /// The peer that it replicates from.
        from: ServerName,
    },
    /// Releases the channel.
    Release,
}

/// One drill.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drill {
    /// Grows by one with each drill.
    pub id: u64,
    /// Who asked for it.
    pub actor: String,
    /// When it began.
    pub begun: Millis,
    /// When it ended.
    pub ended: Option<Millis>,
    /// How it ended.
    #[serde(flatten)]
    pub end: End,
    /// What was asked for.
    pub order: Order,
    /// The target that was chosen.
    #[serde(rename = "victim")]
    pub target: Target,
    /// The results.
    pub report: Report,
}

impl Drill {
    /// Returns the process on which the fault is caused, with its kind; for a channel, `Err` with the database that
    /// receives and its peer. The store names a process without its kind, in drills of every version, so the kind is
    /// taken from the order. It cannot be taken from the wish: before the fault is undone, the server may be removed
    /// and its name given to a server of the other kind.
    fn process(&self) -> Result<ProcessId, (&ServerName, &ServerName)> {
        match (&self.target, &self.order.target) {
            (Target::Channel { on, from }, _) => Err((on, from)),
            (Target::Process(ProcessName::Proxy(pool)), _) => Ok(ProcessId::Proxy(*pool)),
            (Target::Process(ProcessName::Server(name)), ordered) => {
                Ok(ProcessId::of(ordered.pool(), name.clone()))
            }
        }
    }

    /// Returns the action that causes the fault.
    pub fn fault(&self) -> Act {
        match (self.process(), self.order.how) {
            (Err((on, from)), _) => Act::Hold { on: on.clone(), from: from.clone() },
            (Ok(id), FaultKind::Kill) => Act::Kill(id),
            (Ok(ProcessId::Web(name)), FaultKind::Stop) => Act::Commit(power(name, Power::Off)),
            (Ok(ProcessId::Web(name)), FaultKind::Drain) => Act::Commit(admin(name, Admin::Drain)),
            (Ok(id), _) => Act::Freeze(id),
        }
    }

    /// Returns the action that undoes the fault. It is carried out at the end, whatever happened. After a kill there
    /// is nothing to undo: Cordée starts the killed process by itself.
    pub fn undo(&self, desired: &Desired) -> Option<Act> {
        match (self.process(), self.order.how) {
            (Err(_), _) => Some(Act::Release),
            (Ok(_), FaultKind::Kill) => None,
            (Ok(ProcessId::Web(name)), FaultKind::Stop) => {
                let off = desired.web_server(&name).is_some_and(|s| s.stopped());
                off.then(|| Act::Commit(power(name, Power::On)))
            }
            (Ok(ProcessId::Web(name)), FaultKind::Drain) => {
                let drained = desired.web_server(&name).is_some_and(|s| s.admin == Admin::Drain);
                drained.then(|| Act::Commit(admin(name, Admin::Ready)))
            }
            (Ok(id), _) => Some(Act::Thaw(id)),
        }
    }

    /// Whether the fault lasts for a while. After a kill the target is started again at once.
    pub fn is_held(&self) -> bool {
        self.order.how != FaultKind::Kill
    }

    /// Returns the milliseconds from the first request until the last one is sent.
    pub fn length(&self) -> u64 {
        let t = self.order.traffic;
        let held = if self.is_held() { t.held } else { 0 };
        u64::from(t.before + held + t.after) * 1_000
    }

    /// Returns a title for display: what was done to which target.
    pub fn title(&self) -> Text {
        let who = match &self.target {
            Target::Process(id) => text!("drill-who", name = id),
            Target::Channel { on, from } => {
                text!("drill-who-link", on = on, from = from)
            }
        };
        text!("drill-title", how = self.order.how.name(), who = who)
    }

    /// Returns a sentence about how the drill ended.
    pub fn sentence(&self) -> Text {
        match &self.end {
            End::Running => text!("drill-running"),
            End::Done => text!("drill-done"),
            End::Cancelled => text!("drill-cancelled"),
            End::BrokenOff => text!("drill-broken-off"),
            End::Failed { why } => text!("drill-failed", why = why.clone()),
        }
    }
}

const fn power(name: ServerName, power: Power) -> Request {
    Request::SetPower { pool: PoolId::Web, name, power, force: true }
}

const fn admin(name: ServerName, admin: Admin) -> Request {
    Request::SetAdmin { pool: PoolId::Web, name, admin, force: true }
}

#[cfg(test)]
mod tests;
