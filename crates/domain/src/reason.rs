//! Why a status is as it is.

use crate::desired::Asked;
use crate::fault::Fault;
use crate::ids::ServerName;
use crate::text;
use crate::text::{Arg, Text};

/// Why a status is as it is. What something follows from is a variant of its own; all else is only read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It could not be looked at, or something could not be done to it.
    Fault(Fault),
    /// Its process does not run.
    Ended {
        /// Why.
        why: Fault,
        /// Seconds until it is started again; 0: now.
        wait: u64,
    },
    /// The writer is gone, and another one does not simply take over.
    Writer {
        /// What went wrong with it.
        why: Fault,
        /// What is waited for.
        and: Text,
    },
    /// Processes stand still.
    Still(Still),
    /// Somebody stopped it.
    StoppedBy(Asked),
    /// Another database, or a channel to it.
    Peer {
        /// Which one.
        name: ServerName,
        /// What is said of it.
        says: Text,
    },
    /// Something that nothing follows from.
    Said(Text),
}

/// Processes that stand still, by their numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Still {
    /// These.
    Processes(Vec<u32>),
    /// So many of a group, too many to be named. A group has the number of its leader.
    Group {
        /// How many.
        count: usize,
        /// Its leader.
        leader: u32,
    },
    /// The first process of a group, while the others do its work.
    Parent(u32),
}

impl Still {
    /// What a person gives to `kill`, so that what stands still goes on.
    pub fn thaws(&self) -> String {
        match self {
            Self::Processes(pids) => numbers(pids),
            Self::Group { leader, .. } => format!("-- -{leader}"),
            Self::Parent(pid) => pid.to_string(),
        }
    }

    fn sentence(&self) -> Text {
        match self {
            Self::Processes(pids) => text!("reason-frozen", count = pids.len(), pids = numbers(pids)),
            Self::Group { count, leader } => {
                text!("reason-group-frozen", count = *count, pid = leader.to_string())
            }
            Self::Parent(pid) => text!("reason-parent-frozen", pids = pid.to_string()),
        }
    }
}

fn numbers(pids: &[u32]) -> String {
    pids.iter().map(u32::to_string).collect::<Vec<_>>().join(" ")
}

impl Reason {
    /// The sentence.
    pub fn sentence(&self) -> Text {
        match self {
            Self::Fault(fault) => fault.sentence(),
            Self::Still(still) => still.sentence(),
            Self::Ended { why, wait: 0 } => why.sentence(),
            Self::Ended { why, wait } => why.sentence().with("wait", *wait),
            Self::Writer { why, and } => text!("reason-writer-gone", why = why, and = and.clone()),
            Self::StoppedBy(asked) => text!("reason-stopped-by", who = asked.who()),
            Self::Peer { says, .. } | Self::Said(says) => says.clone(),
        }
    }

    /// What a person gives to `kill`, so that what stands still goes on; nothing where nothing does.
    pub fn thaws(&self) -> Option<String> {
        match self {
            Self::Still(still) => Some(still.thaws()),
            Self::Fault(_)
            | Self::Ended { .. }
            | Self::Writer { .. }
            | Self::StoppedBy(_)
            | Self::Peer { .. }
            | Self::Said(_) => None,
        }
    }

    /// What went wrong, where that is the reason.
    pub const fn fault(&self) -> Option<&Fault> {
        match self {
            Self::Fault(why) | Self::Ended { why, .. } | Self::Writer { why, .. } => Some(why),
            Self::Still(_) | Self::StoppedBy(_) | Self::Peer { .. } | Self::Said(_) => None,
        }
    }

    /// The port that another program holds, if that is why.
    pub const fn taken_port(&self) -> Option<u16> {
        match self.fault() {
            Some(Fault::PortTaken { port, .. }) => Some(*port),
            _ => None,
        }
    }

    /// Whether two are one reason to a person: of the same things, whatever was measured.
    pub fn is_like(&self, other: &Self) -> bool {
        self.sentence().is_like(&other.sentence())
    }
}

impl From<Fault> for Reason {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<Text> for Reason {
    fn from(says: Text) -> Self {
        Self::Said(says)
    }
}

impl From<Reason> for Arg {
    fn from(reason: Reason) -> Self {
        reason.sentence().into()
    }
}
