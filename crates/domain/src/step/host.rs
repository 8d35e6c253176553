//! Steps on a server's process and folder on this machine.

use strum::IntoStaticStr;

use crate::ids::{ProcessId, ProcessName, ServerName};

/// A step on a process or a folder.
#[derive(Clone, Debug, PartialEq, Eq, IntoStaticStr)]
pub enum HostStep {
    /// Start a process in a process group of its own.
    StartProcess {
        /// The process.
        id: ProcessId,
        /// The server's id; 0 for a proxy.
        server: u32,
        /// The restart generation for which it is started.
        generation: u32,
        /// Whether a database's crash recovery keeps the transactions that it had logged (see `init-rpl-role`).
        keeps: bool,
    },
    /// Ask a process group to end.
    StopProcess {
        /// The process.
        id: ProcessId,
        /// The group's leader.
        pid: u32,
    },
    /// End a process group by force, or the orphans of a leader that has died.
    KillProcess {
        /// The process.
        id: ProcessId,
        /// The leader or the orphans.
        pids: Vec<u32>,
    },
    /// Move the folder of a removed server to `trash/`.
    TrashHome {
        /// The server's name, which is the folder's name.
        name: ServerName,
    },
    /// Create a database's data folder and accounts.
    InitDatabase {
        /// The database.
        name: ServerName,
        /// Its id.
        id: u32,
    },
    /// Copy a running database's files into the folder of a new database.
    CopyDatabase {
        /// The new database.
        name: ServerName,
        /// Its id.
        id: u32,
        /// The donor.
        donor: ServerName,
    },
    /// Copy a running database's tables into an existing database that is empty.
    ImportDatabase {
        /// The new database.
        name: ServerName,
        /// Its id.
        id: u32,
        /// The donor.
        donor: ServerName,
    },
    /// Save the transactions that only a former writer has in its log, while its process does not run.
    SaveOwn {
        /// The former writer.
        name: ServerName,
        /// Its id, which is also its GTID domain.
        id: u32,
        /// The highest sequence number of its domain that the others have.
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

    /// Returns the name of the process that the step acts on, or of the server whose folder it acts on.
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
