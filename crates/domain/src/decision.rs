//! What Cordée decides by itself about the wishes. A plan is made from a picture that is some time old: until its
//! decision is stored, a person may have removed that server and added another one under its name. So each decision
//! carries what it was made on, and is refused once that is so no more.

// A new decision is met wherever they are told apart.
#![warn(clippy::wildcard_enum_match_arm)]

use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

use crate::desired::{Desired, Saved, Server};
use crate::ids::{Millis, ServerName};
use crate::text;
use crate::text::Text;

/// One decision. What was written down before decisions carried ids and epochs reads as made on id 0 in epoch 0, which
/// nobody has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum Decision {
    /// Where HAProxy `web` sends its log.
    SetLogPort {
        /// The port on 127.0.0.1.
        port: u16,
        /// The port that it takes the place of.
        #[serde(default)]
        was: Option<u16>,
    },
    /// A web server that was to be removed gets no visitors any more, or others serve them: it is gone.
    Depart {
        /// Which.
        name: ServerName,
        /// Its id.
        #[serde(default)]
        id: u32,
    },
    /// A promotion did not come about: the present writer stays.
    AbandonHandover {
        /// The writer to be that is not.
        #[serde(flatten)]
        of: Basis,
        /// When that promotion was asked for.
        #[serde(default)]
        at: Millis,
        /// Why.
        why: Text,
    },
    /// A new epoch with another writer.
    Elect {
        /// The new writer.
        to: ServerName,
        /// Its id.
        #[serde(default)]
        id: u32,
        /// The new epoch: one more than the one that this was decided in.
        epoch: u64,
        /// The last number of the lost writer's domain that the new writer holds; absent when nothing was lost.
        limit: Option<u64>,
        /// When the promotion under way was asked for, if one was.
        #[serde(default)]
        asked: Option<Millis>,
    },
    /// A new database holds what the others hold: they copy it from now on.
    Admit(Basis),
    /// The others have all that a leaving database wrote: it is gone.
    Forget(Basis),
    /// The others have all that a leaving database of somebody else's wrote: what is ours is taken off it.
    Release(Basis),
    /// A leaving database of somebody else's cannot be asked any more: it is gone, with what is ours still on it.
    LetGo(Basis),
    /// One that kept what the others lack gets a fresh copy, under a fresh id.
    #[serde(rename = "copy_again")]
    Recopy(Basis),
    /// A former writer holds what the others hold, by their positions: it is one of them again, and its rows are
    /// compared.
    Readmit {
        /// Which.
        #[serde(flatten)]
        of: Basis,
        /// When that was found.
        #[serde(default)]
        at: Millis,
    },
    /// What only a former writer has in its log was looked for, and saved.
    Saved {
        /// Which.
        #[serde(flatten)]
        of: Basis,
        /// What was found.
        saved: Saved,
    },
    /// A database may lack what another one wrote: its rows are compared.
    Doubt {
        /// Which.
        #[serde(flatten)]
        of: Basis,
        /// When that was found.
        at: Millis,
        /// The one whose log was reset.
        by: ServerName,
    },
    /// A former writer kept what the others lack, or lacks what it had written itself: it stays out.
    Expel {
        /// Which.
        #[serde(flatten)]
        of: Basis,
        /// Transactions of its own that the others hold and it does not.
        #[serde(default)]
        lacks: u64,
    },
}

/// The database that a decision is about, and the epoch in which it was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Basis {
    /// Its name, for the journal.
    pub name: ServerName,
    /// Its id: another one by that name is not meant.
    #[serde(default)]
    pub id: u32,
    /// The epoch.
    #[serde(default)]
    pub epoch: u64,
}

impl Basis {
    /// As it is now.
    pub fn of(desired: &Desired, server: &Server) -> Self {
        Self { name: server.name.clone(), id: server.id, epoch: desired.epoch }
    }
}

/// Why a decision is refused: what it was made on is so no more. Nothing was altered, and whoever decided looks again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Overtaken {
    /// The server with that id is gone, or has another name: whoever has that name now is another one.
    #[error("that server is gone")]
    Server,
    /// Another database became the writer meanwhile.
    #[error("another epoch has begun")]
    Epoch,
    /// Its place among the others is another one by now, or it was stopped.
    #[error("its membership is another one by now")]
    Membership,
    /// The promotion is over, or another one was asked for.
    #[error("another change of writer is under way, or none")]
    Handover,
    /// It is so already, or something newer is.
    #[error("it is so already")]
    Already,
}

impl Decision {
    /// Its name, for logs and tests.
    pub fn name(&self) -> &'static str {
        self.into()
    }

    /// The server that it is about, by name and id; a port is nobody's.
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

    /// The epoch that it was made in; web servers have none.
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

    /// The sentence that stands in the journal.
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

    /// The server or proxy it is about.
    pub fn subject(&self) -> String {
        self.about().map_or_else(|| "haproxy-web".to_owned(), |(name, _)| name.to_string())
    }
}
