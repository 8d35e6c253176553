//! What keeps Cordée itself from looking or from storing.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::fault::Fault;
use crate::ids::{Millis, ServerName};
use crate::text;
use crate::text::Text;

/// What keeps Cordée itself from looking or from storing. A look that failed does not mean that nothing is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Own {
    /// Why the last look at processes and files failed, if it did.
    pub blind: Option<Fault>,
    /// Why the state file cannot be written, while it cannot. No writer is elected meanwhile: a new epoch is stored
    /// before anything acts on it.
    pub unwritable: Option<Fault>,
    /// Whether nothing restarts Cordée when it ends: the keeper that did is gone.
    pub unkept: bool,
    /// The free space for the state and the databases, once it was looked at.
    pub room: Option<Room>,
    /// When there was space again, or the state file could be written again.
    pub again: Option<Millis>,
    /// Servers whose folder could not be read: it counts neither as present nor as missing.
    pub unread: BTreeSet<ServerName>,
    /// Files in the state folder that the next start needs and that are missing.
    pub lost: Option<Lost>,
}

/// State files that are gone or unreadable. Running processes go on without them; a start refuses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lost {
    /// The folder, as it is shown to a person.
    pub folder: String,
    /// The names of the files.
    pub names: String,
}

impl Lost {
    /// Returns the sentence about the missing files.
    pub fn says(&self) -> Text {
        text!("own-lost", folder = self.folder.as_str(), names = self.names.as_str())
    }
}

/// Free space on the file system of the state folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Room {
    /// The folder, as it is shown to a person.
    pub folder: String,
    /// Bytes that the programs of the cluster can still write.
    pub free: u64,
}

/// Below this many free bytes the disk counts as full: it is less than a database writes at once.
pub const FULL: u64 = 1 << 20;
/// Below this many free bytes a person is warned.
pub const SHORT: u64 = 256 << 20;

impl Room {
    /// Reports whether the disk counts as full.
    pub const fn full(&self) -> bool {
        self.free < FULL
    }

    /// Returns "full" or "nearly full", with the folder and the free space; `None` while there is enough.
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
    /// Returns what keeps Cordée from writing; a full disk takes precedence.
    pub fn hindrance(&self) -> Option<Text> {
        let refused = matches!(self.unwritable, Some(Fault::DiskFull(_)));
        let full = self.room.as_ref().filter(|r| refused || r.full()).map(Room::says_full);
        full.or_else(|| self.unwritable.as_ref().map(Fault::sentence))
    }
}
