//! What Cordée has observed about the processes that it starts.

use serde::{Deserialize, Serialize};

use super::Observed;
use crate::desired::Server;
use crate::fault::Fault;
use crate::ids::{Millis, PoolId, ProcessId, ServerName};

/// The state of one of Cordée's processes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProcessSeen {
    /// The leader of the process group, while it is alive.
    pub leader: Option<Leader>,
    /// Members of a group whose leader is gone: they may still hold the port.
    pub orphans: Vec<u32>,
    /// Whether the rest of a dead leader's group could not be inspected: nothing is started before it is known.
    pub unlooked: bool,
    /// Consecutive starts after which the process ended soon.
    pub failures: u32,
    /// When the process was last started.
    pub started_at: Option<Millis>,
    /// When the last process ended, while none runs.
    pub ended_at: Option<Millis>,
    /// Since when the process has been frozen; if it has ended, since when it was at its end.
    pub frozen_since: Option<Millis>,
    /// Working members of the group that are stopped by a signal: HAProxy's worker, Apache's children.
    pub still: Vec<u32>,
    /// When the process was asked to stop, until it has ended.
    pub stopping_since: Option<Millis>,
    /// Why the last process ended or could not start.
    pub trouble: Option<Fault>,
    /// Who listens on the server's port.
    pub port: Port,
}

impl ProcessSeen {
    /// Returns the value before the first look.
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

    /// Reports whether certainly nothing of the group is alive.
    pub const fn is_over(&self) -> bool {
        self.leader.is_none() && self.orphans.is_empty() && !self.unlooked
    }
}

impl Observed {
    /// Returns the processes of either kind that are, or may be, alive under a server's name. A name is free as soon
    /// as the desired state no longer contains its server, and the next server of that name may be of the other kind
    /// while the last one is still ending. Both use the same folder, and perhaps the same port: neither is free
    /// before this is empty.
    pub fn bearers(&self, name: &ServerName) -> impl Iterator<Item = (ProcessId, &ProcessSeen)> {
        PoolId::ALL
            .into_iter()
            .map(|pool| ProcessId::of(pool, name.clone()))
            .filter_map(|id| self.processes.get_key_value(&id))
            .filter(|(_, seen)| !seen.is_over())
            .map(|(id, seen)| (id.clone(), seen))
    }

    /// Returns a process that is, or may be, alive under a server's name but does not belong to that server: it is
    /// of the other kind, or the server is external. A process that an earlier server of the same kind left counts
    /// as the server's own.
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
    /// The leader of the server's process group.
    Ours,
    /// Another program, with its description.
    Foreign(String),
}

/// The process that leads a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leader {
    /// Process id, which is also the group's.
    pub pid: u32,
    /// The server's id: a server that was removed and added again under its name is another server. 0 for HAProxy.
    pub server: u32,
    /// The restart generation that the process was started for.
    pub generation: u32,
    /// Whether the process is stopped by a signal (SIGSTOP) or a debugger.
    pub frozen: bool,
}
