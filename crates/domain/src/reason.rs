//! The reason of a status.

use crate::desired::Asked;
use crate::fault::Fault;
use crate::ids::ServerName;
use crate::text;
use crate::text::{Arg, Text};

/// The reason of a status. A reason on which something is decided is a variant of its own; the others are only shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It could not be observed, or an action on it failed.
    Fault(Fault),
    /// Its process does not run.
    Ended {
        /// How it ended.
        why: Fault,
        /// Seconds until it is started again; 0 means now.
        wait: u64,
    },
    /// The writer is gone, and no other database takes over right away.
    Writer {
        /// What went wrong with it.
        why: Fault,
        /// What Cordée waits for.
        and: Text,
    },
    /// Processes are frozen.
    Still(Still),
    /// Somebody stopped it.
    StoppedBy(Asked),
    /// Something about another database, or about a channel to it.
    Peer {
        /// The other database.
        name: ServerName,
        /// What is wrong with it.
        says: Text,
    },
    /// A reason on which nothing is decided.
    Said(Text),
}

/// Frozen processes, by their process ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Still {
    /// These processes.
    Processes(Vec<u32>),
    /// Some processes of a group, too many to be listed. The group has the id of its leader.
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
    /// Returns the arguments for `kill` with which an operator makes the frozen processes go on.
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
    /// Returns the sentence.
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

    /// Returns the arguments for `kill` with which an operator makes frozen processes go on; `None` if no process is
    /// frozen.
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

    /// Returns the fault, if that is the reason.
    pub const fn fault(&self) -> Option<&Fault> {
        match self {
            Self::Fault(why) | Self::Ended { why, .. } | Self::Writer { why, .. } => Some(why),
            Self::Still(_) | Self::StoppedBy(_) | Self::Peer { .. } | Self::Said(_) => None,
        }
    }

    /// Returns the port that another program holds, if that is the reason.
    pub const fn taken_port(&self) -> Option<u16> {
        match self.fault() {
            Some(Fault::PortTaken { port, .. }) => Some(*port),
            _ => None,
        }
    }

    /// Whether two reasons are the same to an operator: about the same things, whatever the measured numbers are.
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
