//! Why a folder cannot be used as a cluster's.

use std::io;
use std::path::PathBuf;

/// Why the folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum HomeError {
    /// Reading or writing in it failed.
    #[error("cannot use {path}", path = path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// It is not empty, and nothing says that it is ours.
    #[error("{path} is not empty and was not made by Cordée; it holds {names}", path = path.display())]
    Unmarked {
        /// The folder.
        path: PathBuf,
        /// Its entries.
        names: String,
    },
    /// It was complete once.
    #[error("{path} lacks {names}", path = path.display())]
    Missing {
        /// The folder.
        path: PathBuf,
        /// The files of the state that are missing.
        names: String,
    },
    /// A file of the state cannot be understood.
    #[error("{path} is damaged", path = path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// It was made by a newer version.
    #[error("{path} was made by a newer Cordée (layout {found}); use that one", path = path.display())]
    Newer {
        /// The folder.
        path: PathBuf,
        /// The version of its layout.
        found: u32,
    },
    /// Its path cannot be written in the programs' files.
    #[error("{path} holds {found:?}: name a folder of letters, digits and - _ . + @", path = path.display())]
    Letters {
        /// The folder.
        path: PathBuf,
        /// The first character that is not allowed.
        found: char,
    },
    /// It was made in another place: the paths that the databases recorded lead there.
    #[error("{path} was made as {made}; put it back there", path = path.display(), made = made.display())]
    Elsewhere {
        /// The folder.
        path: PathBuf,
        /// Where it was made.
        made: PathBuf,
    },
    /// The users of the programs cannot pass through it.
    #[error("user {uid} cannot enter {path}", path = path.display())]
    Closed {
        /// The folder, or one above it.
        path: PathBuf,
        /// The user that must be able to enter it.
        uid: u32,
    },
    /// The data of a database do not belong to their user.
    #[error("{path} belongs to user {owner}, not to {uid}", path = path.display())]
    Lost {
        /// The data folder.
        path: PathBuf,
        /// Their owner.
        owner: u32,
        /// The user who should own them.
        uid: u32,
    },
    /// Another user may put files into it.
    #[error("{path} belongs to another user, or others may write there", path = path.display())]
    Foreign {
        /// The folder, or one above it.
        path: PathBuf,
    },
    /// The system gave no random bytes.
    #[error("the system gave no random bytes")]
    Random,
}
