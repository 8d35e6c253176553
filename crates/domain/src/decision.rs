//! The decisions that Cordée itself makes about the desired state. A plan is made from an observation that is already
//! some time old: before its decision is stored, an operator may have removed the server and added another one under
//! its name. Each decision therefore carries the state on which it was made, and is refused once that state has
//! changed.

// The compiler reports every place that tells decisions apart and does not handle a new one.
#![warn(clippy::wildcard_enum_match_arm)]

use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

use crate::desired::{Desired, Saved, Server};
use crate::ids::{Millis, ServerName};
use crate::text;
use crate::text::Text;

/// One decision. A decision that was stored before decisions carried ids and epochs is read with id 0 and epoch 0,
/// which never exist.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum Decision {
    /// Sets the port to which HAProxy `web` sends its log.
    SetLogPort {
        /// The port on 127.0.0.1.
        port: u16,
        /// The port that it replaces.
        #[serde(default)]
        was: Option<u16>,
    },
    /// Removes a web server that is leaving: it gets no visitors any more, or other servers serve them.
    Depart {
        /// The web server.
        name: ServerName,
        /// Its id.
        #[serde(default)]
        id: u32,
    },
    /// Gives up a promotion that did not come about: the present writer stays.
    AbandonHandover {
        /// The database that was to become the writer.
        #[serde(flatten)]
        of: Basis,
        /// When that promotion was asked for.
        #[serde(default)]
        at: Millis,
        /// The reason.
        why: Text,
    },
    /// Begins a new epoch with another writer.
    Elect {
        /// The new writer.
        to: ServerName,
        /// Its id.
        #[serde(default)]
        id: u32,
        /// The new epoch: one more than the epoch in which this was decided.
        epoch: u64,
        /// The highest sequence number of the lost writer's domain that the new writer holds; absent if nothing was
        /// lost.
        limit: Option<u64>,
        /// When the promotion under way was asked for, if there is one.
        #[serde(default)]
        asked: Option<Millis>,
    },
    /// Makes a new database a member: it holds what the others hold, and they replicate from it from now on.
    Admit(Basis),
    /// Removes a leaving database: the others hold everything that it wrote, and nothing of Cordée is left on it.
    Forget(Basis),
    /// Releases a leaving external database: the others hold everything that it wrote, so Cordée's channels and
    /// accounts are removed from it.
    Release(Basis),
    /// Removes a leaving external database that no longer answers, with Cordée's channels and accounts still on it.
    LetGo(Basis),
    /// Gives a diverged database a fresh copy, under a fresh id.
    #[serde(rename = "copy_again")]
    Recopy(Basis),
    /// Makes a former writer a member again: by its positions it holds what the others hold. Its rows are then
    /// compared.
    Readmit {
        /// The former writer.
        #[serde(flatten)]
        of: Basis,
        /// When this was found.
        #[serde(default)]
        at: Millis,
    },
    /// Records that Cordée looked for the transactions that only a former writer has in its log, and saved them.
    Saved {
        /// The former writer.
        #[serde(flatten)]
        of: Basis,
        /// The transactions that were found.
        saved: Saved,
    },
    /// Puts a database's rows in doubt: it may lack transactions that another database wrote. Its rows are then
    /// compared.
    Doubt {
        /// The database in doubt.
        #[serde(flatten)]
        of: Basis,
        /// When this was found.
        at: Millis,
        /// The database whose log was reset.
        by: ServerName,
    },
    /// Keeps a former writer out of the cluster: it holds transactions that the others lack, or lacks transactions
    /// that it had written itself.
    Expel {
        /// The former writer.
        #[serde(flatten)]
        of: Basis,
        /// How many of its own transactions the others hold and it does not.
        #[serde(default)]
        lacks: u64,
    },
}

/// The database that a decision is about, and the epoch in which the decision was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Basis {
    /// Its name, for the journal.
    pub name: ServerName,
    /// Its id: another database with that name is not meant.
    #[serde(default)]
    pub id: u32,
    /// The epoch in which the decision was made.
    #[serde(default)]
    pub epoch: u64,
}

impl Basis {
    /// Returns the basis for that server at the present epoch.
    pub fn of(desired: &Desired, server: &Server) -> Self {
        Self { name: server.name.clone(), id: server.id, epoch: desired.epoch }
    }
}

/// Why a decision is refused: the state on which it was made has changed. Nothing was altered, and Cordée has to
/// decide again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Overtaken {
    /// The server with that id is gone or has another name; a server that now has that name is a different one.
    #[error("that server is gone")]
    Server,
    /// Another database became the writer meanwhile.
    #[error("another epoch has begun")]
    Epoch,
    /// Its membership has changed, or it was stopped.
    #[error("its membership is another one by now")]
    Membership,
    /// The promotion is over, or another one was asked for.
    #[error("another change of writer is under way, or none")]
    Handover,
    /// The decision is already in effect, or a newer one is.
    #[error("it is so already")]
    Already,
}

impl Decision {
    /// Returns its name, for logs and tests.
    pub fn name(&self) -> &'static str {
        self.into()
    }

    /// Returns the name and id of the server that it is about; the log port belongs to no server.
    pub const fn about(&self) -> Option<(&ServerName, u32)> {
        match self {
            Self::SetLogPort { .. } => None,
            Self::Depart { name, id } | Self::Elect { to: name, id, .. } => Some((name, *id)),
            Self::Admit(of)
            | Self::Forget(of)
            | Self::Release(of)
            | Self::LetGo(of)
            | Self::Recopy(of)
            | Self::AbandonHandover { of, .. }
            | Self::Readmit { of, .. }
            | Self::Saved { of, .. }
            | Self::Doubt { of, .. }
            | Self::Expel { of, .. } => Some((&of.name, of.id)),
        }
    }

    /// Returns the epoch in which it was made; decisions about web servers and the log port have none.
    pub const fn epoch(&self) -> Option<u64> {
        match self {
            Self::SetLogPort { .. } | Self::Depart { .. } => None,
            Self::Elect { epoch, .. } => Some(epoch.saturating_sub(1)),
            Self::Admit(of)
            | Self::Forget(of)
            | Self::Release(of)
            | Self::LetGo(of)
            | Self::Recopy(of)
            | Self::AbandonHandover { of, .. }
            | Self::Readmit { of, .. }
            | Self::Saved { of, .. }
            | Self::Doubt { of, .. }
            | Self::Expel { of, .. } => Some(of.epoch),
        }
    }

    /// Returns the sentence for the journal.
    pub fn sentence(&self) -> Text {
        match self {
            Self::SetLogPort { port, .. } => text!("event-log-port", port = port.to_string()),
            Self::Depart { name, .. } => text!("event-removed", name = name),
            Self::AbandonHandover { of, why, .. } => {
                text!("event-promote-abandoned", name = &of.name, why = why.clone())
            }
            Self::Elect { to, epoch, limit: None, .. } => {
                text!("event-handed-over", name = to, epoch = *epoch)
            }
            Self::Elect { to, epoch, limit: Some(_), .. } => {
                text!("event-elected", name = to, epoch = *epoch)
            }
            Self::Admit(of) => text!("event-admitted", name = &of.name),
            Self::Forget(of) => text!("event-forgotten", name = &of.name),
            Self::Release(of) => text!("event-release", name = &of.name),
            Self::LetGo(of) => text!("event-let-go", name = &of.name),
            Self::Recopy(of) => text!("event-recopy", name = &of.name),
            Self::Readmit { of, .. } => text!("event-readmitted", name = &of.name),
            Self::Saved { of, saved } if saved.count == 0 => {
                text!("event-saved-nothing", name = &of.name)
            }
            Self::Saved { of, saved } => {
                text!("event-saved", name = &of.name, count = saved.count, file = saved.file.as_str())
            }
            Self::Doubt { of, by, .. } => text!("event-doubted", name = &of.name, by = by),
            Self::Expel { of, lacks: 0 } => text!("event-expelled", name = &of.name),
            Self::Expel { of, lacks } => {
                text!("event-expelled-lacks", name = &of.name, count = *lacks)
            }
        }
    }

    /// Returns the name of the server or proxy that it is about.
    pub fn subject(&self) -> String {
        self.about().map_or_else(|| "haproxy-web".to_owned(), |(name, _)| name.to_string())
    }
}
