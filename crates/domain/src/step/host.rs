//! Acts on a server's process and folder on this machine.

use strum::IntoStaticStr;

use crate::ids::{ProcessId, ProcessName, ServerName};

/// What can be done to a process or a folder.
#[derive(Clone, Debug, PartialEq, Eq, IntoStaticStr)]
pub enum HostStep {
    /// Start a process in a group of its own.
    StartProcess {
        /// Which.
        id: ProcessId,
        /// The server's id; 0 for a proxy.
        server: u32,
        /// For which restart generation.
        generation: u32,
        /// Whether a database's crash recovery keeps what it had logged (see `init-rpl-role`).
        keeps: bool,
    },
    /// Ask a group to end.
    StopProcess {
        /// Which.
        id: ProcessId,
        /// Its leader.
        pid: u32,
    },
    /// End a group by force, or what a dead leader left of it.
    KillProcess {
        /// Which.
        id: ProcessId,
        /// Its leader or its orphans.
        pids: Vec<u32>,
    },
    /// Move the folder of a server that is gone to `trash/`.
    TrashHome {
        /// Its name, which is the folder's.
        name: ServerName,
    },
    /// Make a database's data folder and accounts.
    InitDatabase {
        /// Which.
        name: ServerName,
        /// Its id.
        id: u32,
    },
    /// Copy a running database's files into the folder of a new one.
    CopyDatabase {
        /// The new one.
        name: ServerName,
        /// Its id.
        id: u32,
        /// The one that is copied.
        donor: ServerName,
    },
    /// Copy a running database's tables into one that exists already and is empty.
    ImportDatabase {
        /// The new one.
        name: ServerName,
        /// Its id.
        id: u32,
        /// The one that is copied.
        donor: ServerName,
    },
    /// Save what only a former writer has in its log, while it does not run.
    SaveOwn {
        /// Which.
        name: ServerName,
        /// Its id, which is its domain.
        id: u32,
        /// The last number of its domain that the others have.
        after: u64,
    },
}

impl HostStep {
    /// See [`super::Step::insists`].
    pub const fn insists(&self) -> bool {
        match self {
            Self::StartProcess { .. } | Self::StopProcess { .. } | Self::KillProcess { .. } => true,
            Self::TrashHome { .. }
            | Self::InitDatabase { .. }
            | Self::CopyDatabase { .. }
            | Self::ImportDatabase { .. }
            | Self::SaveOwn { .. } => false,
        }
    }

    /// The name of the process that it acts on, or whose folder.
    pub fn whose(&self) -> ProcessName {
        match self {
            Self::StartProcess { id, .. } | Self::StopProcess { id, .. } | Self::KillProcess { id, .. } => {
                id.name()
            }
            Self::InitDatabase { name, .. }
            | Self::CopyDatabase { name, .. }
            | Self::ImportDatabase { name, .. }
            | Self::SaveOwn { name, .. }
            | Self::TrashHome { name } => ProcessName::Server(name.clone()),
        }
    }
}
