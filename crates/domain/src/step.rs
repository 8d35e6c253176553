//! One fully decided act. Carrying it out leaves nothing to choose.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use crate::change::Change;
use crate::db::events::Turn;
use crate::db::ids::Numbering;
use crate::db::verify::Side;
use crate::fault::Fault;
use crate::haproxy::runtime::State;
use crate::ids::{PoolId, ServerName};
use crate::observed::ProcessId;
use crate::sessions::Mode;

/// What can be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Replace a proxy's file, atomically.
    WriteConfig {
        /// Whose.
        proxy: PoolId,
        /// The whole text.
        text: String,
        /// Have HAProxy check it first: a reload follows.
        check: bool,
    },
    /// Replace the file that holds the session mode, which HAProxy `web` reads when it starts.
    WriteSession {
        /// The mode.
        mode: Mode,
    },
    /// Have the running HAProxy `web` tell another session mode.
    SetSession {
        /// The mode.
        mode: Mode,
    },
    /// Have HAProxy read the file on disk and give its place to a new worker; proven by reading the shape back.
    Reload {
        /// Which.
        proxy: PoolId,
        /// The shape that the new worker must show.
        shape: String,
    },
    /// Add a server at run time, without visitors yet.
    AddServer {
        /// To which proxy.
        proxy: PoolId,
        /// Its name.
        name: ServerName,
        /// Its id.
        id: u32,
        /// Its address.
        to: SocketAddr,
        /// Whether it is in maintenance until its process listens.
        out: bool,
    },
    /// Change its address at run time.
    SetAddress {
        /// In which proxy.
        proxy: PoolId,
        /// Which.
        name: ServerName,
        /// The new address.
        to: SocketAddr,
    },
    /// Change its state at run time.
    SetState {
        /// In which proxy.
        proxy: PoolId,
        /// Which.
        name: ServerName,
        /// The new state.
        state: State,
        /// For a database: its state behind the address of the one writer.
        writer: State,
    },
    /// Change its weight at run time.
    SetWeight {
        /// In which proxy.
        proxy: PoolId,
        /// Which.
        name: ServerName,
        /// The new weight.
        weight: u32,
    },
    /// Change at run time how many connections at once go to it.
    SetMost {
        /// In which proxy.
        proxy: PoolId,
        /// Which.
        name: ServerName,
        /// So many; 0: no bound.
        most: u64,
    },
    /// Have a listener take connections again.
    OpenFrontend {
        /// In which proxy.
        proxy: PoolId,
        /// Which.
        name: &'static str,
        /// So many at once.
        most: u64,
        /// It takes none now.
        paused: bool,
    },
    /// Take away the bounds of a whole process that its file does not set.
    LiftLimits {
        /// Which.
        proxy: PoolId,
    },
    /// Delete it at run time.
    DeleteServer {
        /// In which proxy.
        proxy: PoolId,
        /// Which.
        name: ServerName,
    },
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
    /// Point a link of a database at a peer and start it.
    SetLink {
        /// The one that copies.
        on: ServerName,
        /// The one that is copied.
        from: ServerName,
    },
    /// Start a link that stands still without an error.
    StartLink {
        /// The one that copies.
        on: ServerName,
        /// The one that is copied.
        from: ServerName,
    },
    /// Stop a link.
    StopLink {
        /// The one that copies.
        on: ServerName,
        /// The one that is copied.
        from: ServerName,
        /// The applying thread too; else what was received is still applied.
        whole: bool,
    },
    /// Take a link away for good.
    DropLink {
        /// The one that copied.
        on: ServerName,
        /// The one that was copied.
        from: ServerName,
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
    /// Take links and the cluster's accounts off a database of somebody else's; then it is forgotten.
    ReleaseDatabase {
        /// Which.
        name: ServerName,
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
    /// Have links go on that wait for one that is gone.
    FreeLinks {
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
        /// Only while no link runs.
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
    /// Set a link up anew that somebody altered.
    ResetLink {
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
    SetReceipts {
        /// Which.
        name: ServerName,
        /// Whether it does.
        on: bool,
    },
    /// Compare its rows with the writer's.
    Compare {
        /// Which.
        name: ServerName,
        /// With this one.
        with: ServerName,
    },
    /// Let a database past the transaction at which its link stopped, and put right the rows that differ then.
    Repair {
        /// Which.
        name: ServerName,
        /// The writer.
        with: ServerName,
        /// Whose rows are right.
        side: Side,
    },
    /// Have a database stop at the next conflict again: a repair was broken off.
    SetStrict {
        /// Which.
        name: ServerName,
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
    /// Alter the wish: a decision of Cordée's own, stored before it is acted on.
    Commit(Change),
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
    /// Make the writer wait for a standby's receipt, or not.
    SetSemiSync {
        /// The writer or a former one.
        name: ServerName,
        /// Whether it waits.
        on: bool,
    },
}

/// What a step acts on. Steps on different targets may run at the same time; on one, one after the other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Target {
    /// A HAProxy's file and runtime socket.
    Proxy(PoolId),
    /// A process or folder.
    Process(ProcessId),
    /// A database's SQL.
    Database(ServerName),
    /// A comparison of a database's rows: it may take hours, and holds up nothing.
    Rows(ServerName),
    /// The wish.
    Wish,
}

/// What a step puts right that somebody altered. One that is refused for good keeps no other from its turn.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Mend {
    /// That setting.
    Setting(String),
    /// How rows are numbered.
    Numbers,
    /// Time zones.
    Zones,
    /// Scheduled events.
    Events,
    /// Accounts.
    Accounts,
    /// The link from that one.
    Link(ServerName),
    /// The numbers in the log.
    Log,
}

impl Step {
    /// What it puts right, if it only puts right what somebody altered (a setting, an account, the terms of a link, a
    /// log that was reset), or gives a database what it goes on without. One that takes no writes before waits for it
    /// elsewhere (see `opening`).
    pub fn mends(&self) -> Option<Mend> {
        match self {
            Self::SetVariable { variable, .. } => Some(Mend::Setting((*variable).to_owned())),
            Self::NumberIds { .. } => Some(Mend::Numbers),
            Self::LoadZones { .. } => Some(Mend::Zones),
            Self::FollowEvents { .. } => Some(Mend::Events),
            Self::MakeAccounts { .. } => Some(Mend::Accounts),
            Self::ResetLink { from, .. } => Some(Mend::Link(from.clone())),
            Self::Renumber { .. } => Some(Mend::Log),
            _ => None,
        }
    }

    /// The database whose links rest while this is done.
    pub fn rests_links(&self) -> Option<&ServerName> {
        match self {
            Self::SetLink { on: name, .. }
            | Self::StartLink { on: name, .. }
            | Self::StopLink { on: name, .. }
            | Self::DropLink { on: name, .. }
            | Self::ResetLink { on: name, .. }
            | Self::FreeLinks { on: name }
            | Self::SetVariable { name, still: true, .. }
            | Self::SetReceipts { name, .. } => Some(name),
            _ => None,
        }
    }

    /// Whether it takes a server out of HAProxy altogether.
    pub(crate) const fn takes_out(&self) -> bool {
        matches!(self, Self::SetState { state: State::Maintenance, writer: State::Maintenance, .. })
    }

    /// What it acts on.
    pub fn target(&self) -> Target {
        match self {
            Self::WriteConfig { proxy, .. }
            | Self::Reload { proxy, .. }
            | Self::AddServer { proxy, .. }
            | Self::SetAddress { proxy, .. }
            | Self::SetState { proxy, .. }
            | Self::SetWeight { proxy, .. }
            | Self::SetMost { proxy, .. }
            | Self::OpenFrontend { proxy, .. }
            | Self::LiftLimits { proxy }
            | Self::DeleteServer { proxy, .. } => Target::Proxy(*proxy),
            Self::WriteSession { .. } | Self::SetSession { .. } => Target::Proxy(PoolId::Web),
            Self::StartProcess { id, .. } | Self::StopProcess { id, .. } | Self::KillProcess { id, .. } => {
                Target::Process(id.clone())
            }
            Self::Commit(_) => Target::Wish,
            Self::Compare { name, .. } | Self::Repair { name, .. } => Target::Rows(name.clone()),
            Self::InitDatabase { name, .. }
            | Self::CopyDatabase { name, .. }
            | Self::ImportDatabase { name, .. }
            | Self::SaveOwn { name, .. }
            | Self::TrashHome { name } => Target::Process(ProcessId::Server(name.clone())),
            Self::SetLink { on: name, .. }
            | Self::StartLink { on: name, .. }
            | Self::StopLink { on: name, .. }
            | Self::DropLink { on: name, .. }
            | Self::SeedPosition { name }
            | Self::SetBack { name, .. }
            | Self::SetVariable { name, .. }
            | Self::NumberIds { name, .. }
            | Self::LoadZones { name }
            | Self::FollowEvents { name, .. }
            | Self::ResetLink { on: name, .. }
            | Self::FreeLinks { on: name }
            | Self::Renumber { name, .. }
            | Self::MakeAccounts { name, .. }
            | Self::ReleaseDatabase { name }
            | Self::SetStrict { name }
            | Self::SetReceipts { name, .. }
            | Self::OpenDatabase { name, .. }
            | Self::CloseDatabase { name }
            | Self::CreateSchema { name }
            | Self::EndSenders { name, .. }
            | Self::SetSemiSync { name, .. } => Target::Database(name.clone()),
        }
    }
}

/// How a step ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Done, and seen to be done.
    Done,
    /// Refused or failed.
    Failed(Fault),
}
