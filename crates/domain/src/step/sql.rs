//! Steps on a database through SQL.

use strum::IntoStaticStr;

use super::Mend;
use crate::db::events::Turn;
use crate::db::ids::Numbering;
use crate::ids::ServerName;

/// A step on a database through SQL.
#[derive(Clone, Debug, PartialEq, Eq, IntoStaticStr)]
pub enum SqlStep {
    /// Point a channel of a database at a peer and start it.
    SetChannel {
        /// The database that receives.
        on: ServerName,
        /// The peer that it replicates from.
        from: ServerName,
    },
    /// Start a channel that is stopped without an error.
    StartChannel {
        /// The database that receives.
        on: ServerName,
        /// The peer that it replicates from.
        from: ServerName,
    },
    /// Stop a channel.
    StopChannel {
        /// The database that receives.
        on: ServerName,
        /// The peer that it replicates from.
        from: ServerName,
        /// Whether the applying thread is stopped too. Otherwise what was already received is still applied.
        whole: bool,
    },
    /// Remove a channel for good.
    DropChannel {
        /// The database that received.
        on: ServerName,
        /// The peer that it replicated from.
        from: ServerName,
    },
    /// Remove Cordée's channels and the cluster's accounts from an external database. It is forgotten afterwards.
    ReleaseDatabase {
        /// The database.
        name: ServerName,
        /// Its id: another database with the same name is left alone.
        id: u32,
    },
    /// Tell a new database up to which transactions its copy goes.
    SeedPosition {
        /// The database.
        name: ServerName,
    },
    /// Set a database's position in its own domain to what its log holds, so that it is sent the transactions of its
    /// own that it lacks.
    SetBack {
        /// The database.
        name: ServerName,
        /// Its id, which is also its GTID domain.
        id: u32,
    },
    /// Let channels go on that wait for a database that is gone.
    FreeChannels {
        /// The database that receives.
        on: ServerName,
    },
    /// Set a variable to the value that the cluster needs.
    SetVariable {
        /// The database.
        name: ServerName,
        /// The variable.
        variable: &'static str,
        /// The value.
        value: String,
        /// The value that somebody set.
        was: String,
        /// Whether this is only possible while no channel runs.
        still: bool,
    },
    /// Change how a database numbers new rows. This is a step of its own because it ends every connection that may
    /// still number as before, and waits until those connections are gone.
    NumberIds {
        /// The database.
        name: ServerName,
        /// The new numbering.
        to: Numbering,
        /// The numbering until now.
        was: Numbering,
    },
    /// Turn the scheduled events of a database on or off.
    FollowEvents {
        /// The database.
        name: ServerName,
        /// The new state of the scheduler, if it is to change.
        scheduler: Option<bool>,
        /// The changes of single events.
        turns: Vec<Turn>,
    },
    /// Fill the time zone tables of a database, which are empty.
    LoadZones {
        /// The database.
        name: ServerName,
    },
    /// Set up a channel again that somebody altered.
    ResetChannel {
        /// The database that receives.
        on: ServerName,
        /// The peer that it replicates from.
        from: ServerName,
        /// What was altered, with its altered value.
        was: String,
    },
    /// Make a writer whose log was reset continue above the sequence numbers that it gave before: the others skip
    /// lower ones.
    Renumber {
        /// The database.
        name: ServerName,
        /// Its id, which is also its GTID domain.
        id: u32,
        /// The highest sequence number known to any database.
        after: u64,
    },
    /// Bring the cluster's accounts on a database into the required state.
    MakeAccounts {
        /// The database.
        name: ServerName,
        /// What was wrong with them.
        what: String,
    },
    /// Make a database send ACKs for what it receives, or stop it from sending them.
    SetAcks {
        /// The database.
        name: ServerName,
        /// Whether it sends ACKs.
        on: bool,
    },
    /// Make a database stop at the next conflict again: a repair was broken off.
    SetStrict {
        /// The database.
        name: ServerName,
    },
    /// Let a database take writes.
    OpenDatabase {
        /// The database.
        name: ServerName,
        /// The epoch of the decision.
        epoch: u64,
    },
    /// Close a database that must not take writes.
    CloseDatabase {
        /// The database.
        name: ServerName,
    },
    /// Create the schemas and tables that the cluster and the site need.
    CreateSchema {
        /// The writer.
        name: ServerName,
    },
    /// End dump connections of the writer that no longer serve any standby.
    EndSenders {
        /// The writer.
        name: ServerName,
        /// The ids of the connections.
        ids: Vec<u64>,
    },
    /// Make the writer wait for a standby's ACK, or not.
    SetSemiSync {
        /// The writer or a former writer.
        name: ServerName,
        /// Whether it waits.
        on: bool,
    },
}

impl SqlStep {
    /// Returns the database that the step acts on.
    pub const fn on(&self) -> &ServerName {
        match self {
            Self::SetChannel { on: name, .. }
            | Self::StartChannel { on: name, .. }
            | Self::StopChannel { on: name, .. }
            | Self::DropChannel { on: name, .. }
            | Self::SeedPosition { name }
            | Self::SetBack { name, .. }
            | Self::SetVariable { name, .. }
            | Self::NumberIds { name, .. }
            | Self::LoadZones { name }
            | Self::FollowEvents { name, .. }
            | Self::ResetChannel { on: name, .. }
            | Self::FreeChannels { on: name }
            | Self::Renumber { name, .. }
            | Self::MakeAccounts { name, .. }
            | Self::ReleaseDatabase { name, .. }
            | Self::SetStrict { name }
            | Self::SetAcks { name, .. }
            | Self::OpenDatabase { name, .. }
            | Self::CloseDatabase { name }
            | Self::CreateSchema { name }
            | Self::EndSenders { name, .. }
            | Self::SetSemiSync { name, .. } => name,
        }
    }

    /// Returns what the step corrects, if it only corrects what somebody altered (a setting, an account, the
    /// parameters of a channel, a log that was reset), or supplies something without which the database still works.
    /// On a database that does not take writes yet, such a step is part of another sequence (see `opening`).
    pub fn mends(&self) -> Option<Mend> {
        match self {
            Self::SetVariable { variable, .. } => Some(Mend::Setting((*variable).to_owned())),
            Self::NumberIds { .. } => Some(Mend::Numbers),
            Self::LoadZones { .. } => Some(Mend::Zones),
            Self::FollowEvents { .. } => Some(Mend::Events),
            Self::MakeAccounts { .. } => Some(Mend::Accounts),
            Self::ResetChannel { from, .. } => Some(Mend::Channel(from.clone())),
            Self::Renumber { .. } => Some(Mend::Log),
            Self::SetChannel { .. }
            | Self::StartChannel { .. }
            | Self::StopChannel { .. }
            | Self::DropChannel { .. }
            | Self::SeedPosition { .. }
            | Self::SetBack { .. }
            | Self::FreeChannels { .. }
            | Self::ReleaseDatabase { .. }
            | Self::SetStrict { .. }
            | Self::SetAcks { .. }
            | Self::OpenDatabase { .. }
            | Self::CloseDatabase { .. }
            | Self::CreateSchema { .. }
            | Self::EndSenders { .. }
            | Self::SetSemiSync { .. } => None,
        }
    }

    /// See [`super::Step::insists`]. A step that ends connections does not wait until they have ended.
    pub const fn insists(&self) -> bool {
        match self {
            Self::StartChannel { .. } | Self::CloseDatabase { .. } | Self::EndSenders { .. } => true,
            Self::SetChannel { .. }
            | Self::StopChannel { .. }
            | Self::DropChannel { .. }
            | Self::ReleaseDatabase { .. }
            | Self::SeedPosition { .. }
            | Self::SetBack { .. }
            | Self::FreeChannels { .. }
            | Self::SetVariable { .. }
            | Self::NumberIds { .. }
            | Self::FollowEvents { .. }
            | Self::LoadZones { .. }
            | Self::ResetChannel { .. }
            | Self::Renumber { .. }
            | Self::MakeAccounts { .. }
            | Self::SetAcks { .. }
            | Self::SetStrict { .. }
            | Self::OpenDatabase { .. }
            | Self::CreateSchema { .. }
            | Self::SetSemiSync { .. } => false,
        }
    }

    /// Whether the database stops receiving from all others while the step is done. Setting up or starting one channel
    /// leaves the running channels alone.
    pub const fn stops_receiving(&self) -> bool {
        self.rests_links() && !matches!(self, Self::SetChannel { .. } | Self::StartChannel { .. })
    }

    /// Whether the database's channels are stopped while the step is done.
    pub const fn rests_links(&self) -> bool {
        match self {
            Self::SetChannel { .. }
            | Self::StartChannel { .. }
            | Self::StopChannel { .. }
            | Self::DropChannel { .. }
            | Self::ResetChannel { .. }
            | Self::FreeChannels { .. }
            | Self::SetVariable { still: true, .. }
            | Self::SetAcks { .. } => true,
            Self::SetVariable { still: false, .. }
            | Self::NumberIds { .. }
            | Self::LoadZones { .. }
            | Self::FollowEvents { .. }
            | Self::Renumber { .. }
            | Self::MakeAccounts { .. }
            | Self::SeedPosition { .. }
            | Self::SetBack { .. }
            | Self::ReleaseDatabase { .. }
            | Self::SetStrict { .. }
            | Self::OpenDatabase { .. }
            | Self::CloseDatabase { .. }
            | Self::CreateSchema { .. }
            | Self::EndSenders { .. }
            | Self::SetSemiSync { .. } => false,
        }
    }
}
