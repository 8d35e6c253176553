//! Failover drills: something of the running cluster is made to fall on purpose, under traffic of Cordée's own, and
//! what visitors lost is counted. What may fall, how, and how it is put right again is decided here; doing it is the
//! server's business (`drills`).

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use crate::change::Request;
use crate::desired::{Admin, Desired, Power, Routing, Runtime, Standing};
use crate::ids::{Millis, PoolId, ServerName};
use crate::observed::ProcessId;
use crate::problem::{Kind, Problem};
use crate::snapshot::{ServerView, Snapshot};
use crate::state::Light;
use crate::text;
use crate::text::Text;
use crate::trial::End;

mod aim;
mod report;

pub use aim::{Aim, Page, SiteUrl};
pub use report::{Fate, Recovery, Report, Said, Tally, Try, Writes};

/// What is to fall.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Target {
    /// A web server.
    Web(ServerName),
    /// One of the two HAProxys.
    Proxy(PoolId),
    /// The database that takes writes.
    Writer,
    /// The link by which another database copies the writer.
    Link,
}

impl Target {
    /// Reads the word. `writer` and `link` come before a web server of that name: what is meant is typed a second time.
    pub fn parse(input: &str) -> Result<Self, Problem> {
        match input {
            "" => Err(Problem::invalid("target", text!("problem-drill-target"))),
            "writer" => Ok(Self::Writer),
            "link" => Ok(Self::Link),
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
            Self::Link => "link".to_owned(),
        }
    }

    /// The pool that it belongs to, whose name confirms the drill.
    pub const fn pool(&self) -> PoolId {
        match self {
            Self::Web(_) => PoolId::Web,
            Self::Proxy(pool) => *pool,
            Self::Writer | Self::Link => PoolId::Db,
        }
    }

    /// Its name for a person.
    pub fn name(&self) -> Text {
        match self {
            Self::Web(name) => text!("drill-target-web", name = name.as_str()),
            Self::Proxy(pool) => text!("drill-target-proxy", pool = pool.as_str()),
            Self::Writer => text!("drill-target-writer"),
            Self::Link => text!("drill-target-link"),
        }
    }
}

/// How it falls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Blow {
    /// All its processes are killed at once.
    Kill,
    /// All its processes stand still for a while.
    Freeze,
    /// It is stopped, and started again after a while.
    Stop,
    /// It gets no new visitors for a while.
    Drain,
}

impl Blow {
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
    fn fits(self, target: &Target) -> Result<(), Problem> {
        let (fits, says) = match target {
            Target::Web(_) => return Ok(()),
            Target::Proxy(_) => (matches!(self, Self::Kill | Self::Freeze), text!("problem-drill-how-proxy")),
            Target::Writer => (matches!(self, Self::Kill | Self::Freeze), text!("problem-drill-how-writer")),
            Target::Link => (self == Self::Stop, text!("problem-drill-how-link")),
        };
        if fits { Ok(()) } else { Err(Problem::invalid("how", says)) }
    }
}

/// How much traffic, and for how long: together never more than two minutes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Traffic {
    /// Requests a second, of all visitors together.
    pub rate: u16,
    /// Visitors, each with a session of its own.
    pub visitors: u16,
    /// Seconds before it falls.
    pub before: u16,
    /// Seconds for which it is held down; a death is not held.
    pub held: u16,
    /// Seconds afterwards.
    pub after: u16,
}

/// A number of the form.
struct Figure {
    field: &'static str,
    bounds: RangeInclusive<u16>,
    usual: u16,
}

const RATE: Figure = Figure { field: "rate", bounds: 1..=200, usual: 20 };
const VISITORS: Figure = Figure { field: "visitors", bounds: 1..=50, usual: 10 };
const BEFORE: Figure = Figure { field: "before", bounds: 1..=30, usual: 3 };
const HELD: Figure = Figure { field: "held", bounds: 1..=30, usual: 5 };
const AFTER: Figure = Figure { field: "after", bounds: 1..=60, usual: 10 };

impl Figure {
    /// Reads what was typed; nothing is the usual number.
    fn read(&self, typed: &str) -> Result<u16, Problem> {
        if typed.trim().is_empty() {
            return Ok(self.usual);
        }
        typed.trim().parse().ok().filter(|n| self.bounds.contains(n)).ok_or_else(|| {
            let (first, last) = (*self.bounds.start(), *self.bounds.end());
            Problem::invalid(self.field, text!("problem-number", first = first, last = last))
        })
    }
}

/// The fields of the form, as typed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct RawOrder {
    /// What is to fall.
    pub target: String,
    /// How.
    pub how: String,
    /// Requests a second.
    pub rate: String,
    /// Visitors.
    pub visitors: String,
    /// Seconds before.
    pub before: String,
    /// Seconds held down.
    pub held: String,
    /// Seconds after.
    pub after: String,
    /// A page of the site; empty: the demonstration's.
    pub url: String,
    /// The status that it should answer.
    pub status: String,
    /// The pool's name, typed to confirm.
    pub confirm: String,
}

/// A drill that was asked for, valid in itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// What is to fall.
    pub target: Target,
    /// How.
    pub how: Blow,
    /// Under which traffic.
    pub traffic: Traffic,
    /// What the visitors ask for.
    #[serde(default)]
    pub aim: Aim,
}

impl RawOrder {
    /// What the form shows before anything was typed.
    pub fn usual() -> Self {
        let figure = |f: &Figure| f.usual.to_string();
        Self {
            rate: figure(&RATE),
            visitors: figure(&VISITORS),
            before: figure(&BEFORE),
            held: figure(&HELD),
            after: figure(&AFTER),
            ..Self::default()
        }
    }

    /// The same, where it is known who is there: a database's name is no target, whatever else was typed.
    pub fn read(&self, desired: &Desired) -> Result<Order, Vec<Problem>> {
        match ServerName::parse(self.target.trim()) {
            Ok(name) if desired.db.server(&name).is_some() && desired.web.server(&name).is_none() => {
                Err(vec![Problem::invalid("target", text!("problem-drill-database", name = name.as_str()))])
            }
            _ => self.parse(),
        }
    }

    /// Reads every field, and says every thing that is wrong at once.
    pub fn parse(&self) -> Result<Order, Vec<Problem>> {
        let mut problems = Vec::new();
        let target = keep(Target::parse(self.target.trim()), &mut problems);
        let how = keep(Blow::parse(self.how.trim()), &mut problems);
        if let (Some(target), Some(how)) = (&target, how) {
            keep(how.fits(target), &mut problems);
        }
        let mut figure = |figure: &Figure, typed: &str| keep(figure.read(typed), &mut problems);
        let traffic = (
            figure(&RATE, &self.rate),
            figure(&VISITORS, &self.visitors),
            figure(&BEFORE, &self.before),
            figure(&HELD, &self.held),
            figure(&AFTER, &self.after),
        );
        let aim = Aim::parse(self.url.trim(), self.status.trim())
            .map_err(|wrong| problems.extend(wrong))
            .unwrap_or_default();
        if let Some(target) = &target
            && self.confirm.trim() != target.pool().as_str()
        {
            let says = text!("problem-drill-confirm", pool = target.pool().as_str());
            problems.push(Problem::invalid("confirm", says));
        }
        match (target, how, traffic) {
            (
                Some(target),
                Some(how),
                (Some(rate), Some(visitors), Some(before), Some(held), Some(after)),
            ) if problems.is_empty() => {
                let traffic = Traffic { rate, visitors, before, held, after };
                Ok(Order { target, how, traffic, aim })
            }
            _ => Err(problems),
        }
    }
}

fn keep<T>(parsed: Result<T, Problem>, problems: &mut Vec<Problem>) -> Option<T> {
    parsed.map_err(|p| problems.push(p)).ok()
}

/// What falls, by name: chosen when the drill begins, and the same until it is put right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Victim {
    /// A process of ours, or a server that is only drained.
    Process(ProcessId),
    /// A link.
    Link {
        /// The database that copies.
        on: ServerName,
        /// The one that it copies.
        from: ServerName,
    },
}

impl Order {
    /// Who falls now, or why nobody may: a drill begins in good health, and only where another one goes on serving.
    /// An HAProxy has no other one: Cordée's bringing it back is what that drill measures.
    pub fn victim(&self, desired: &Desired, snapshot: &Snapshot) -> Result<Victim, Problem> {
        let moving = |s: &ServerView| s.standing.as_ref().is_some_and(|s| *s != Standing::Member);
        let repaired = |s: &ServerView| s.comparison.as_ref().is_some_and(|c| c.repair);
        if desired.handover.is_some() || snapshot.servers.iter().any(|s| moving(s) || repaired(s)) {
            return Err(Problem::conflict("", text!("problem-drill-busy")));
        }
        match &self.target {
            Target::Web(name) => self.web(name, snapshot),
            Target::Proxy(pool) => {
                let well = snapshot.proxies.iter().any(|p| p.name == *pool && p.status.light == Light::Good);
                let id = ProcessId::Proxy(*pool);
                if well { Ok(Victim::Process(id)) } else { Err(unwell(&id.to_string())) }
            }
            Target::Writer => {
                let writer = self.pair(desired, snapshot)?.0;
                Ok(Victim::Process(ProcessId::Server(writer.name.clone())))
            }
            Target::Link => {
                let (writer, standby) = self.pair(desired, snapshot)?;
                Ok(Victim::Link { on: standby.name.clone(), from: writer.name.clone() })
            }
        }
    }

    fn web(&self, name: &ServerName, snapshot: &Snapshot) -> Result<Victim, Problem> {
        let web = || snapshot.servers.iter().filter(|s| s.pool == PoolId::Web);
        let Some(found) = web().find(|s| s.name.same_as(name)) else {
            let says = text!("problem-server-unknown", name = name.as_str());
            return Err(Problem { kind: Kind::Unknown, ..Problem::invalid("target", says) });
        };
        if found.runtime == Runtime::External && self.how != Blow::Drain {
            return Err(not_ours(&found.name));
        }
        if !serves(found) {
            return Err(unwell(found.name.as_str()));
        }
        if !web().any(|s| s.name != found.name && serves(s)) {
            let says = text!("problem-drill-alone", name = found.name.as_str());
            return Err(Problem::conflict("target", says));
        }
        Ok(Victim::Process(ProcessId::Server(found.name.clone())))
    }

    /// The writer, and one that would take over from it.
    fn pair<'a>(
        &self,
        desired: &Desired,
        snapshot: &'a Snapshot,
    ) -> Result<(&'a ServerView, &'a ServerView), Problem> {
        let all = || snapshot.servers.iter().filter(|s| s.pool == PoolId::Db);
        let Some(writer) = all().find(|s| desired.is_writer(&s.name)) else {
            return Err(Problem::conflict("target", text!("problem-drill-no-writer")));
        };
        if writer.runtime == Runtime::External && self.target == Target::Writer {
            return Err(not_ours(&writer.name));
        }
        if !serves(writer) {
            return Err(unwell(writer.name.as_str()));
        }
        // Without receipts the standby may lack what was acknowledged, and would not be elected.
        let promised = desired.routing == Routing::AllWriters || writer.semi_sync == Some(true);
        let standby = all().find(|s| s.name != writer.name && serves(s) && follows(s, &writer.name));
        let alone = || {
            let says = text!("problem-drill-no-standby", name = writer.name.as_str());
            Problem::conflict("target", says)
        };
        standby.filter(|_| promised).map(|standby| (writer, standby)).ok_or_else(alone)
    }
}

/// Whether visitors or writes may be sent to it.
fn serves(server: &ServerView) -> bool {
    server.power == Power::On && server.status.serves()
}

fn follows(server: &ServerView, writer: &ServerName) -> bool {
    server.links.get(writer).is_some_and(|l| l.light == Light::Good)
}

fn unwell(name: &str) -> Problem {
    Problem::conflict("target", text!("problem-drill-unwell", name = name))
}

fn not_ours(name: &ServerName) -> Problem {
    Problem::conflict("how", text!("problem-drill-not-ours", name = name.as_str()))
}

/// Whether a person's wish has to wait until the drill is over: it would be counted as part of the accident, or undone
/// with it.
pub const fn holds_up(change: &Request) -> bool {
    !matches!(change, Request::SetKeeping { .. })
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
    /// Hold a link down.
    Hold {
        /// The database that copies.
        on: ServerName,
        /// The one that it copies.
        from: ServerName,
    },
    /// Let the link go.
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
    pub victim: Victim,
    /// What was counted.
    pub report: Report,
}

impl Drill {
    /// What makes it fall.
    pub fn blow(&self) -> Act {
        match (&self.victim, self.order.how) {
            (Victim::Link { on, from }, _) => Act::Hold { on: on.clone(), from: from.clone() },
            (Victim::Process(id), Blow::Kill) => Act::Kill(id.clone()),
            (Victim::Process(ProcessId::Server(name)), Blow::Stop) => {
                Act::Commit(power(name.clone(), Power::Off))
            }
            (Victim::Process(ProcessId::Server(name)), Blow::Drain) => {
                Act::Commit(admin(name.clone(), Admin::Drain))
            }
            (Victim::Process(id), _) => Act::Freeze(id.clone()),
        }
    }

    /// What puts it right again, done at the end whatever happened. After a death there is nothing to do: Cordée starts
    /// what died.
    pub fn undo(&self, desired: &Desired) -> Option<Act> {
        match (&self.victim, self.order.how) {
            (Victim::Link { .. }, _) => Some(Act::Release),
            (Victim::Process(_), Blow::Kill) => None,
            (Victim::Process(ProcessId::Server(name)), Blow::Stop) => {
                let off = desired.web_server(name).is_some_and(|s| s.stopped());
                off.then(|| Act::Commit(power(name.clone(), Power::On)))
            }
            (Victim::Process(ProcessId::Server(name)), Blow::Drain) => {
                let drained = desired.web_server(name).is_some_and(|s| s.admin == Admin::Drain);
                drained.then(|| Act::Commit(admin(name.clone(), Admin::Ready)))
            }
            (Victim::Process(id), _) => Some(Act::Thaw(id.clone())),
        }
    }

    /// Whether it stays down for a while: what was killed is started again at once.
    pub fn is_held(&self) -> bool {
        self.order.how != Blow::Kill
    }

    /// Milliseconds from the first request until the last one is sent.
    pub fn length(&self) -> u64 {
        let t = self.order.traffic;
        let held = if self.is_held() { t.held } else { 0 };
        u64::from(t.before + held + t.after) * 1_000
    }

    /// What was done to whom, for a person.
    pub fn title(&self) -> Text {
        let who = match &self.victim {
            Victim::Process(id) => text!("drill-who", name = id),
            Victim::Link { on, from } => {
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
