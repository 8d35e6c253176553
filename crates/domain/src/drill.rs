//! Failover drills: something of the running cluster is made to fall on purpose, under traffic of Cordée's own, and
//! what visitors lost is counted. What may fall, how, and how it is put right again is decided here; doing it is the
//! server's business (`drills`).

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

/// What is to fall.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Selector {
    /// A web server.
    Web(ServerName),
    /// One of the two HAProxys.
    Proxy(PoolId),
    /// The database that takes writes.
    Writer,
    /// The channel by which another database copies the writer.
    #[serde(rename = "link")]
    Channel,
}

impl Selector {
    /// Reads the word. `writer` and `link` come before a web server of that name: what is meant is typed a second time.
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

    /// The word of forms, commands and exports.
    pub fn word(&self) -> String {
        match self {
            Self::Web(name) => name.to_string(),
            Self::Proxy(pool) => ProcessId::Proxy(*pool).to_string(),
            Self::Writer => "writer".to_owned(),
            Self::Channel => "link".to_owned(),
        }
    }

    /// The pool that it belongs to, whose name confirms the drill.
    pub const fn pool(&self) -> PoolId {
        match self {
            Self::Web(_) => PoolId::Web,
            Self::Proxy(pool) => *pool,
            Self::Writer | Self::Channel => PoolId::Db,
        }
    }

    /// Its name for a person.
    pub fn name(&self) -> Text {
        match self {
            Self::Web(name) => text!("drill-target-web", name = name.as_str()),
            Self::Proxy(pool) => text!("drill-target-proxy", pool = pool.as_str()),
            Self::Writer => text!("drill-target-writer"),
            Self::Channel => text!("drill-target-link"),
        }
    }
}

/// How it falls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// All its processes are killed at once.
    Kill,
    /// All its processes stand still for a while.
    Freeze,
    /// It is stopped, and started again after a while.
    Stop,
    /// It gets no new visitors for a while.
    Drain,
}

impl FaultKind {
    /// In the order of the form.
    pub const ALL: [Self; 4] = [Self::Kill, Self::Freeze, Self::Stop, Self::Drain];

    /// The word of forms, commands and exports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Kill => "kill",
            Self::Freeze => "freeze",
            Self::Stop => "stop",
            Self::Drain => "drain",
        }
    }

    /// Reads the word.
    pub fn parse(input: &str) -> Result<Self, Problem> {
        let found = Self::ALL.into_iter().find(|b| b.as_str() == input);
        found.ok_or_else(|| Problem::invalid("how", text!("problem-drill-how")))
    }

    /// Its name for a person.
    pub fn name(self) -> Text {
        match self {
            Self::Kill => text!("drill-kill"),
            Self::Freeze => text!("drill-freeze"),
            Self::Stop => text!("drill-stop"),
            Self::Drain => text!("drill-drain"),
        }
    }

    /// Whether that can happen to it; else what can. A writer is not stopped: that is a promotion, which is no
    /// accident.
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

/// What the server does to the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Kill the process and its group.
    Kill(ProcessId),
    /// Have them stand still.
    Freeze(ProcessId),
    /// Have them go on.
    Thaw(ProcessId),
    /// A wish.
    Commit(Request),
    /// Hold a channel down.
    Hold {
        /// The database that copies.
        on: ServerName,
        /// The one that it copies.
        from: ServerName,
    },
    /// Let the channel go.
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
    /// How.
    #[serde(flatten)]
    pub end: End,
    /// What was asked.
    pub order: Order,
    /// Who fell.
    #[serde(rename = "victim")]
    pub target: Target,
    /// What was counted.
    pub report: Report,
}

impl Drill {
    /// The process that falls, as what it is; else the channel, by who copies and from whom. The store names a process
    /// without its kind, and always did: what was ordered tells it, in a drill of whatever age. The wish could not tell
    /// it, because the server may be removed and its name be one of the other kind before the drill is put right.
    fn process(&self) -> Result<ProcessId, (&ServerName, &ServerName)> {
        match (&self.target, &self.order.target) {
            (Target::Channel { on, from }, _) => Err((on, from)),
            (Target::Process(ProcessName::Proxy(pool)), _) => Ok(ProcessId::Proxy(*pool)),
            (Target::Process(ProcessName::Server(name)), ordered) => {
                Ok(ProcessId::of(ordered.pool(), name.clone()))
            }
        }
    }

    /// What makes it fall.
    pub fn fault(&self) -> Act {
        match (self.process(), self.order.how) {
            (Err((on, from)), _) => Act::Hold { on: on.clone(), from: from.clone() },
            (Ok(id), FaultKind::Kill) => Act::Kill(id),
            (Ok(ProcessId::Web(name)), FaultKind::Stop) => Act::Commit(power(name, Power::Off)),
            (Ok(ProcessId::Web(name)), FaultKind::Drain) => Act::Commit(admin(name, Admin::Drain)),
            (Ok(id), _) => Act::Freeze(id),
        }
    }

    /// What puts it right again, done at the end whatever happened. After a death there is nothing to do: Cordée starts
    /// what died.
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

    /// Whether it stays down for a while: what was killed is started again at once.
    pub fn is_held(&self) -> bool {
        self.order.how != FaultKind::Kill
    }

    /// Milliseconds from the first request until the last one is sent.
    pub fn length(&self) -> u64 {
        let t = self.order.traffic;
        let held = if self.is_held() { t.held } else { 0 };
        u64::from(t.before + held + t.after) * 1_000
    }

    /// What was done to whom, for a person.
    pub fn title(&self) -> Text {
        let who = match &self.target {
            Target::Process(id) => text!("drill-who", name = id),
            Target::Channel { on, from } => {
                text!("drill-who-link", on = on, from = from)
            }
        };
        text!("drill-title", how = self.order.how.name(), who = who)
    }

    /// How it ended.
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
