//! What is seen of the processes that Cordée starts.

use serde::{Deserialize, Serialize};

use super::Observed;
use crate::desired::Server;
use crate::fault::Fault;
use crate::ids::{Millis, PoolId, ProcessId, ServerName};

/// The state of one process of ours.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProcessSeen {
    /// The leader of the group, when alive.
    pub leader: Option<Leader>,
    /// Members of a group whose leader is gone: they may hold its port.
    pub orphans: Vec<u32>,
    /// What a dead leader left of its group could not be looked at: nothing is started before it is known.
    pub unlooked: bool,
    /// Starts that ended soon after, in a row.
    pub failures: u32,
    /// When it was last started.
    pub started_at: Option<Millis>,
    /// When the last one ended, while none runs.
    pub ended_at: Option<Millis>,
    /// Since when it, or the last one at its end, has been frozen.
    pub frozen_since: Option<Millis>,
    /// Those of its group that do its work and are stopped by a signal: HAProxy's worker, Apache's children.
    pub still: Vec<u32>,
    /// When a stop was asked of it, while it has not followed.
    pub stopping_since: Option<Millis>,
    /// Why the last one ended or could not start.
    pub trouble: Option<Fault>,
    /// Who listens where it should.
    pub port: Port,
}

impl ProcessSeen {
    /// Before the first look.
    pub(super) const fn unseen() -> Self {
        Self {
            leader: None,
            orphans: Vec::new(),
            unlooked: false,
            failures: 0,
            started_at: None,
            ended_at: None,
            frozen_since: None,
            still: Vec::new(),
            stopping_since: None,
            trouble: None,
            port: Port::Unknown,
        }
    }

    /// Whether nothing of it lives, for certain.
    pub const fn is_over(&self) -> bool {
        self.leader.is_none() && self.orphans.is_empty() && !self.unlooked
    }
}

impl Observed {
    /// What still lives, or may, under a server's name, of either kind. A name is free again as soon as nobody wishes
    /// its server, and the next bearer may be of the other kind while the last one still ends. There is one folder by
    /// that name, and the port may be the same: neither is free before this is empty.
    pub fn bearers(&self, name: &ServerName) -> impl Iterator<Item = (ProcessId, &ProcessSeen)> {
        PoolId::ALL
            .into_iter()
            .map(|pool| ProcessId::of(pool, name.clone()))
            .filter_map(|id| self.processes.get_key_value(&id))
            .filter(|(_, seen)| !seen.is_over())
            .map(|(id, seen)| (id.clone(), seen))
    }

    /// What still lives, or may, under a server's name and is no process of that server: it is of the other kind, or
    /// somebody else runs the server. What an earlier server of the same kind left is the process of that name.
    pub fn former_bearer(&self, server: &Server) -> Option<(ProcessId, &ProcessSeen)> {
        self.bearers(&server.name).find(|(id, _)| !server.is_ours() || !server.runs_as(id))
    }
}

/// Who listens on a server's port.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Port {
    /// Not known: the look failed, or there was none.
    #[default]
    Unknown,
    /// Nobody.
    Free,
    /// The process that leads the group.
    Ours,
    /// Somebody else, and who.
    Foreign(String),
}

/// The process that leads a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leader {
    /// Process id, which is also the group's.
    pub pid: u32,
    /// The server's id: a server removed and added again under its name is another one. 0 for a proxy.
    pub server: u32,
    /// The restart generation it was started for.
    pub generation: u32,
    /// Stopped by a signal (SIGSTOP) or a debugger.
    pub frozen: bool,
}
