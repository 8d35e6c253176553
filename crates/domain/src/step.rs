//! One fully decided act. Carrying it out leaves nothing to choose.

// A new step is met wherever steps are told apart.
#![warn(clippy::wildcard_enum_match_arm)]

mod host;
mod proxy;
mod rows;
mod sql;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use host::HostStep;
pub use proxy::ProxyStep;
pub use rows::RowsStep;
pub use sql::SqlStep;

use crate::decision::Decision;
use crate::fault::Fault;
use crate::ids::{PoolId, ProcessName, ServerName};

/// What can be done, by what it is done to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// To a HAProxy.
    Proxy(ProxyStep),
    /// To a process or a folder.
    Host(HostStep),
    /// To a database, through SQL.
    Sql(SqlStep),
    /// To a database's rows.
    Rows(RowsStep),
    /// To the wish: a decision of Cordée's own, stored before it is acted on.
    Wish(Decision),
}

/// The text of a configuration file. It holds the key of HAProxy's cookies: neither a log nor an error shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct ConfigText(pub String);

impl fmt::Debug for ConfigText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({} bytes)", self.0.len())
    }
}

/// What a step acts on. Steps on different targets may run at the same time; on one, one after the other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Subject {
    /// A HAProxy's file and runtime socket.
    Proxy(PoolId),
    /// A process or folder: of one name, whichever kind of server has it.
    Process(ProcessName),
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
    /// The channel from that one.
    #[serde(rename = "Link")]
    Channel(ServerName),
    /// The numbers in the log.
    Log,
}

impl Step {
    /// Its name, for logs and tests.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Proxy(step) => step.into(),
            Self::Host(step) => step.into(),
            Self::Sql(step) => step.into(),
            Self::Rows(step) => step.into(),
            Self::Wish(decision) => decision.name(),
        }
    }

    /// What it acts on.
    pub fn subject(&self) -> Subject {
        match self {
            Self::Proxy(step) => Subject::Proxy(step.proxy()),
            Self::Host(step) => Subject::Process(step.whose()),
            Self::Sql(step) => Subject::Database(step.on().clone()),
            Self::Rows(step) => Subject::Rows(step.name().clone()),
            Self::Wish(_) => Subject::Wish,
        }
    }

    /// What it puts right that somebody altered, if it does nothing else.
    pub fn mends(&self) -> Option<Mend> {
        match self {
            Self::Sql(step) => step.mends(),
            Self::Proxy(_) | Self::Host(_) | Self::Rows(_) | Self::Wish(_) => None,
        }
    }

    /// The database whose channels rest while this is done.
    pub fn rests_links(&self) -> Option<&ServerName> {
        match self {
            Self::Sql(step) => step.rests_links().then(|| step.on()),
            Self::Proxy(_) | Self::Host(_) | Self::Rows(_) | Self::Wish(_) => None,
        }
    }

    /// Whether the database that it is done on stops receiving from all others for it.
    pub(crate) const fn stops_receiving(&self) -> bool {
        match self {
            Self::Sql(step) => step.stops_receiving(),
            Self::Proxy(_) | Self::Host(_) | Self::Rows(_) | Self::Wish(_) => false,
        }
    }

    /// Whether it may be planned again after it was done although nothing happened in between, and must not rest for
    /// that: closing, fencing, ending and starting. Whoever undoes these is met at once, each time.
    pub const fn insists(&self) -> bool {
        match self {
            Self::Proxy(step) => step.takes_out(),
            Self::Host(step) => step.insists(),
            Self::Sql(step) => step.insists(),
            Self::Rows(_) | Self::Wish(_) => false,
        }
    }

    /// Whether it takes a server out of HAProxy altogether.
    pub(crate) const fn takes_out(&self) -> bool {
        matches!(self, Self::Proxy(step) if step.takes_out())
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
