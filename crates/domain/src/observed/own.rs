//! What keeps Cordée itself from looking or from writing down.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::fault::Fault;
use crate::ids::{Millis, ServerName};
use crate::text;
use crate::text::Text;

/// What keeps Cordée itself from looking or from writing down: an error while looking is not a sight of nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Own {
    /// Why its last look at processes and files failed, if it did.
    pub blind: Option<Fault>,
    /// Why the state file cannot be written, while it cannot. Nobody is elected meanwhile: a new epoch is stored before
    /// anybody acts on it.
    pub unwritable: Option<Fault>,
    /// Nobody starts it anew when it ends: the keeper that did is gone.
    pub unkept: bool,
    /// How much room there is for the state and the databases, once looked at.
    pub room: Option<Room>,
    /// When there was room again, or the state file could be written again.
    pub again: Option<Millis>,
    /// Servers whose folder could not be read: neither there nor missing.
    pub unread: BTreeSet<ServerName>,
    /// What the state folder lacks of what the next start needs.
    pub lost: Option<Lost>,
}

/// Files of the state that are gone, or cannot be read any more. What runs goes on without them; a start refuses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lost {
    /// The folder, as a person knows it.
    pub folder: String,
    /// Their names.
    pub names: String,
}

impl Lost {
    /// The sentence.
    pub fn says(&self) -> Text {
        text!("own-lost", folder = self.folder.as_str(), names = self.names.as_str())
    }
}

/// Room on the file system of the state folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Room {
    /// The folder, as a person knows it.
    pub folder: String,
    /// Bytes that the programs of the cluster can still write.
    pub free: u64,
}

/// Below this many free bytes the disk counts as full: less than what a database writes at once.
pub const FULL: u64 = 1 << 20;
/// Below this many free bytes a person is warned.
pub const SHORT: u64 = 256 << 20;

impl Room {
    /// Whether nothing more fits.
    pub const fn full(&self) -> bool {
        self.free < FULL
    }

    /// "Full" or "nearly full", with the folder and how much is free; nothing while there is enough.
    pub fn says(&self) -> Option<Text> {
        let (folder, free) = (self.folder.as_str(), self.free >> 20);
        match self.free {
            0..FULL => Some(self.says_full()),
            FULL..SHORT => Some(text!("own-disk-short", folder = folder, free = free)),
            _ => None,
        }
    }

    fn says_full(&self) -> Text {
        text!("own-disk-full", folder = self.folder.as_str(), free = self.free >> 10)
    }
}

impl Own {
    /// What keeps it from writing, the disk's name first.
    pub fn hindrance(&self) -> Option<Text> {
        let refused = matches!(self.unwritable, Some(Fault::DiskFull(_)));
        let full = self.room.as_ref().filter(|r| refused || r.full()).map(Room::says_full);
        full.or_else(|| self.unwritable.as_ref().map(Fault::sentence))
    }
}
