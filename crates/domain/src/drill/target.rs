//! Chooses the target when a drill begins, or says why no drill may begin.

use serde::{Deserialize, Serialize};

use super::{FaultKind, Order, Selector};
use crate::desired::{Desired, Membership, Power, Routing, Runtime};
use crate::ids::{PoolId, ProcessName, ServerName};
use crate::problem::{Kind, Problem};
use crate::snapshot::{ServerView, Snapshot};
use crate::state::Severity;
use crate::text;

/// The chosen target, by name. It is chosen when the drill begins, and stays the same until the fault is undone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Target {
    /// A process of Cordée's, or a server that is only drained. The kind of server follows from the order: see
    /// `Drill::process`.
    Process(ProcessName),
    /// A channel.
    #[serde(rename = "link")]
    Channel {
        /// The database that receives.
        on: ServerName,
        /// The peer that it replicates from.
        from: ServerName,
    },
}

impl Order {
    /// Returns the present target, or the problem that prevents the drill: a drill begins only while the cluster is
    /// healthy, and only if another server continues to serve. A HAProxy instance has no second one: that drill
    /// measures how Cordée brings it back.
    pub fn target(&self, desired: &Desired, snapshot: &Snapshot) -> Result<Target, Problem> {
        let moving = |s: &ServerView| s.membership.as_ref().is_some_and(|s| *s != Membership::Member);
        let repaired = |s: &ServerView| s.comparison.as_ref().is_some_and(|c| c.repair);
        if desired.handover.is_some() || snapshot.servers.iter().any(|s| moving(s) || repaired(s)) {
            return Err(Problem::conflict("", text!("problem-drill-busy")));
        }
        match &self.target {
            Selector::Web(name) => self.web(name, snapshot),
            Selector::Proxy(pool) => {
                let well =
                    snapshot.proxies.iter().any(|p| p.name == *pool && p.status.severity == Severity::Good);
                let id = ProcessName::Proxy(*pool);
                if well { Ok(Target::Process(id)) } else { Err(unwell(&id.to_string())) }
            }
            Selector::Writer => {
                let writer = self.pair(desired, snapshot)?.0;
                Ok(Target::Process(ProcessName::Server(writer.name.clone())))
            }
            Selector::Channel => {
                let (writer, standby) = self.pair(desired, snapshot)?;
                Ok(Target::Channel { on: standby.name.clone(), from: writer.name.clone() })
            }
        }
    }

    fn web(&self, name: &ServerName, snapshot: &Snapshot) -> Result<Target, Problem> {
        let web = || snapshot.servers.iter().filter(|s| s.pool == PoolId::Web);
        let Some(found) = web().find(|s| s.name.same_as(name)) else {
            let says = text!("problem-server-unknown", name = name.as_str());
            return Err(Problem { kind: Kind::Unknown, ..Problem::invalid("target", says) });
        };
        if found.runtime == Runtime::External && self.how != FaultKind::Drain {
            return Err(not_ours(&found.name));
        }
        if !serves(found) {
            return Err(unwell(found.name.as_str()));
        }
        if !web().any(|s| s.name != found.name && serves(s)) {
            let says = text!("problem-drill-alone", name = found.name.as_str());
            return Err(Problem::conflict("target", says));
        }
        Ok(Target::Process(ProcessName::Server(found.name.clone())))
    }

    /// Returns the writer, and a standby that would take over from it.
    fn pair<'a>(
        &self,
        desired: &Desired,
        snapshot: &'a Snapshot,
    ) -> Result<(&'a ServerView, &'a ServerView), Problem> {
        let all = || snapshot.servers.iter().filter(|s| s.pool == PoolId::Db);
        let Some(writer) = all().find(|s| desired.is_writer(&s.name)) else {
            return Err(Problem::conflict("target", text!("problem-drill-no-writer")));
        };
        if writer.runtime == Runtime::External && self.target == Selector::Writer {
            return Err(not_ours(&writer.name));
        }
        if !serves(writer) {
            return Err(unwell(writer.name.as_str()));
        }
        // Without ACKs the standby may lack acknowledged transactions, and would not be elected.
        let promised = desired.routing == Routing::AllWriters || writer.semi_sync == Some(true);
        let standby = all().find(|s| s.name != writer.name && serves(s) && follows(s, &writer.name));
        let alone = || {
            let says = text!("problem-drill-no-standby", name = writer.name.as_str());
            Problem::conflict("target", says)
        };
        standby.filter(|_| promised).map(|standby| (writer, standby)).ok_or_else(alone)
    }
}

/// Whether the server takes visitors or writes.
fn serves(server: &ServerView) -> bool {
    server.power == Power::On && server.status.serves()
}

fn follows(server: &ServerView, writer: &ServerName) -> bool {
    server.channels.get(writer).is_some_and(|l| l.severity == Severity::Good)
}

fn unwell(name: &str) -> Problem {
    Problem::conflict("target", text!("problem-drill-unwell", name = name))
}

fn not_ours(name: &ServerName) -> Problem {
    Problem::conflict("how", text!("problem-drill-not-ours", name = name.as_str()))
}
