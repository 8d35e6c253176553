//! Acts on a database through SQL.

use strum::IntoStaticStr;

use super::Mend;
use crate::db::events::Turn;
use crate::db::ids::Numbering;
use crate::ids::ServerName;

/// What a database can be told.
#[derive(Clone, Debug, PartialEq, Eq, IntoStaticStr)]
pub enum SqlStep {
    /// Point a channel of a database at a peer and start it.
    SetChannel {
        /// The one that copies.
        on: ServerName,
        /// The one that is copied.
        from: ServerName,
    },
    /// Start a channel that stands still without an error.
    StartChannel {
        /// The one that copies.
        on: ServerName,
        /// The one that is copied.
        from: ServerName,
    },
    /// Stop a channel.
    StopChannel {
        /// The one that copies.
        on: ServerName,
        /// The one that is copied.
        from: ServerName,
        /// The applying thread too; else what was received is still applied.
        whole: bool,
    },
    /// Take a channel away for good.
    DropChannel {
        /// The one that copied.
        on: ServerName,
        /// The one that was copied.
        from: ServerName,
    },
    /// Take channels and the cluster's accounts off a database of somebody else's; then it is forgotten.
    ReleaseDatabase {
        /// Which.
        name: ServerName,
        /// Its id: another one by its name is not forgotten.
        id: u32,
    },
    /// Tell a new database up to which transactions its copy goes.
    SeedPosition {
        /// Which.
        name: ServerName,
    },
    /// Have a database's position in its own domain say what its log holds: what it lacks of its own is then sent to it
    /// again.
    SetBack {
        /// Which.
        name: ServerName,
        /// Its id, which is its domain.
        id: u32,
    },
    /// Have channels go on that wait for one that is gone.
    FreeChannels {
        /// The one that copies.
        on: ServerName,
    },
    /// Give a variable the value that the cluster needs.
    SetVariable {
        /// Of which database.
        name: ServerName,
        /// Which.
        variable: &'static str,
        /// The value.
        value: String,
        /// What somebody set it to.
        was: String,
        /// Only while no channel runs.
        still: bool,
    },
    /// Have a database number new rows otherwise. In a place of its own: every connection that may still number as
    /// before is ended, and is gone when this is done.
    NumberIds {
        /// Which.
        name: ServerName,
        /// How from now on.
        to: Numbering,
        /// How until now.
        was: Numbering,
    },
    /// Have scheduled events run on a database, or not.
    FollowEvents {
        /// Which.
        name: ServerName,
        /// The scheduler, where it is to be turned.
        scheduler: Option<bool>,
        /// What becomes of single events.
        turns: Vec<Turn>,
    },
    /// Fill a database's tables of time zones, which are empty.
    LoadZones {
        /// Which.
        name: ServerName,
    },
    /// Set a channel up anew that somebody altered.
    ResetChannel {
        /// The one that copies.
        on: ServerName,
        /// The one that is copied.
        from: ServerName,
        /// What was altered, and what it was.
        was: String,
    },
    /// Have a writer whose log was reset go on above the numbers that it gave before: the others pass over lower ones.
    Renumber {
        /// Which.
        name: ServerName,
        /// Its id, which is its domain.
        id: u32,
        /// The highest number that anybody knows.
        after: u64,
    },
    /// Make the cluster's accounts on a database as they should be.
    MakeAccounts {
        /// Where.
        name: ServerName,
        /// What was not as it should be.
        what: String,
    },
    /// Let a database confirm what it receives, or not.
    SetAcks {
        /// Which.
        name: ServerName,
        /// Whether it does.
        on: bool,
    },
    /// Have a database stop at the next conflict again: a repair was broken off.
    SetStrict {
        /// Which.
        name: ServerName,
    },
    /// Let a database take writes.
    OpenDatabase {
        /// Which.
        name: ServerName,
        /// The epoch of that decision.
        epoch: u64,
    },
    /// Close a database that must not take writes.
    CloseDatabase {
        /// Which.
        name: ServerName,
    },
    /// Create the schemas and tables that the cluster and the site need.
    CreateSchema {
        /// On the writer.
        name: ServerName,
    },
    /// End connections over which the writer sends its log to nobody any more.
    EndSenders {
        /// The writer.
        name: ServerName,
        /// The connections' ids.
        ids: Vec<u64>,
    },
    /// Make the writer wait for a standby's ACK, or not.
    SetSemiSync {
        /// The writer or a former one.
        name: ServerName,
        /// Whether it waits.
        on: bool,
    },
}

impl SqlStep {
    /// The database that it acts on.
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

    /// What it puts right, if it only puts right what somebody altered (a setting, an account, the terms of a channel,
    /// a log that was reset), or gives a database what it goes on without. One that takes no writes before waits for it
    /// elsewhere (see `opening`).
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

    /// See [`super::Step::insists`]. What ends a connection does not wait for its end.
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

    /// Whether the database stops receiving from all others while this is done. A channel that is set up or started
    /// beside those that run leaves them alone.
    pub const fn stops_receiving(&self) -> bool {
        self.rests_links() && !matches!(self, Self::SetChannel { .. } | Self::StartChannel { .. })
    }

    /// Whether the database's channels rest while this is done.
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
