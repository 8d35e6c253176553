//! Why a folder cannot be that of a cluster.

use std::io;
use std::path::PathBuf;

/// Why the folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum HomeError {
    /// Reading or writing in it.
    #[error("cannot use {path}", path = path.display())]
    Io {
        /// Which file or folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Not empty, and nothing says that it is ours.
    #[error("{path} is not empty and was not made by Cordée; it holds {names}", path = path.display())]
    Unmarked {
        /// The folder.
        path: PathBuf,
        /// What lies in it.
        names: String,
    },
    /// It was whole once.
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
    /// Made by a newer version.
    #[error("{path} was made by a newer Cordée (layout {found}); use that one", path = path.display())]
    Newer {
        /// The folder.
        path: PathBuf,
        /// Its layout.
        found: u32,
    },
    /// Its path cannot stand in the programs' files.
    #[error("{path} holds {found:?}: name a folder of letters, digits and - _ . + @", path = path.display())]
    Letters {
        /// The folder.
        path: PathBuf,
        /// The first character that cannot.
        found: char,
    },
    /// It was made at another place: what the databases wrote down leads there.
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
        /// One that must.
        uid: u32,
    },
    /// Data of a database are not its user's.
    #[error("{path} belongs to user {owner}, not to {uid}", path = path.display())]
    Lost {
        /// The data.
        path: PathBuf,
        /// Whose they are.
        owner: u32,
        /// Whose they should be.
        uid: u32,
    },
    /// Somebody else may put things into it.
    #[error("{path} belongs to another user, or others may write there", path = path.display())]
    Foreign {
        /// The folder, or one above it.
        path: PathBuf,
    },
    /// No randomness.
    #[error("the system gave no random bytes")]
    Random,
}
