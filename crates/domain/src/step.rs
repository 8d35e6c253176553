//! A step: one fully decided action. Whoever carries it out has nothing left to choose.

// The compiler reports every place that tells steps apart and does not handle a new one.
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

/// An action, by what it is done to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// On a HAProxy instance.
    Proxy(ProxyStep),
    /// On a process or a folder.
    Host(HostStep),
    /// On a database, through SQL.
    Sql(SqlStep),
    /// On a database's rows.
    Rows(RowsStep),
    /// On the desired state: a decision of Cordée's own, which is stored before it is acted on.
    Wish(Decision),
}

/// The text of a configuration file. It holds the key of HAProxy's cookies, so it must appear neither in a log nor in
/// an error.
#[derive(Clone, PartialEq, Eq)]
pub struct ConfigText(pub String);

impl fmt::Debug for ConfigText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({} bytes)", self.0.len())
    }
}

/// What a step acts on. Steps on different subjects may run at the same time; steps on one subject run one after the
/// other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Subject {
    /// A HAProxy instance's file and runtime socket.
    Proxy(PoolId),
    /// A process or folder, by its name, whatever kind of server has that name.
    Process(ProcessName),
    /// A database, through SQL.
    Database(ServerName),
    /// A comparison or repair of a database's rows: it may take hours, and blocks no other step.
    Rows(ServerName),
    /// The desired state.
    Wish,
}

/// What a repairing step corrects that somebody altered. A step that is refused permanently does not prevent the
/// others from being tried.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Mend {
    /// A setting, by name.
    Setting(String),
    /// The numbering of new rows.
    Numbers,
    /// The time zone tables.
    Zones,
    /// The scheduled events.
    Events,
    /// The cluster's accounts.
    Accounts,
    /// The channel from that database.
    #[serde(rename = "Link")]
    Channel(ServerName),
    /// The sequence numbers in the log.
    Log,
}

impl Step {
    /// Returns its name, for logs and tests.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Proxy(step) => step.into(),
            Self::Host(step) => step.into(),
            Self::Sql(step) => step.into(),
            Self::Rows(step) => step.into(),
            Self::Wish(decision) => decision.name(),
        }
    }

    /// Returns what the step acts on.
    pub fn subject(&self) -> Subject {
        match self {
            Self::Proxy(step) => Subject::Proxy(step.proxy()),
            Self::Host(step) => Subject::Process(step.whose()),
            Self::Sql(step) => Subject::Database(step.on().clone()),
            Self::Rows(step) => Subject::Rows(step.name().clone()),
            Self::Wish(_) => Subject::Wish,
        }
    }

    /// Returns what the step corrects, if it does nothing but correct what somebody altered.
    pub fn mends(&self) -> Option<Mend> {
        match self {
            Self::Sql(step) => step.mends(),
            Self::Proxy(_) | Self::Host(_) | Self::Rows(_) | Self::Wish(_) => None,
        }
    }

    /// Returns the database whose channels are stopped while the step is done.
    pub fn rests_links(&self) -> Option<&ServerName> {
        match self {
            Self::Sql(step) => step.rests_links().then(|| step.on()),
            Self::Proxy(_) | Self::Host(_) | Self::Rows(_) | Self::Wish(_) => None,
        }
    }

    /// Whether the database on which the step is done stops receiving from all others for it.
    pub(crate) const fn stops_receiving(&self) -> bool {
        match self {
            Self::Sql(step) => step.stops_receiving(),
            Self::Proxy(_) | Self::Host(_) | Self::Rows(_) | Self::Wish(_) => false,
        }
    }

    /// Whether the step may be planned again right after it was done although nothing happened in between, without a
    /// backoff: closing, fencing, ending and starting. Whatever undoes these steps is countered at once, each time.
    pub const fn insists(&self) -> bool {
        match self {
            Self::Proxy(step) => step.takes_out(),
            Self::Host(step) => step.insists(),
            Self::Sql(step) => step.insists(),
            Self::Rows(_) | Self::Wish(_) => false,
        }
    }

    /// Whether the step takes a server out of HAProxy altogether.
    pub(crate) const fn takes_out(&self) -> bool {
        matches!(self, Self::Proxy(step) if step.takes_out())
    }
}

/// How a step ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The step was done, and its effect was observed.
    Done,
    /// The step was refused or failed.
    Failed(Fault),
}
