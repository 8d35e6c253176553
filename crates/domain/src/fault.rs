//! Faults: what went wrong when Cordée observed something or acted on it, as values on which decisions are made. The
//! sentence for the operator is derived at the end; the log has the cause in the system's own words.

use crate::text;
use crate::text::{Arg, Text};

/// What the system reported, for the log. It is ignored in comparisons: two faults of one kind are equal whatever the
/// system reported.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct Cause(String);

impl Cause {
    /// Returns the words of an error. An error that may quote data or secrets must not be given a cause.
    pub fn of(error: &std::io::Error) -> Option<Self> {
        Some(Self(error.to_string()))
    }
}

impl PartialEq for Cause {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Cause {}

/// A resource that Cordée itself lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lack {
    /// File descriptors.
    Descriptors,
    /// Memory.
    Memory,
    /// A disk that can be read and written.
    Disk,
}

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Cordée itself lacks a resource: that says nothing about the thing it observed.
    #[error("Cordée itself lacks {0:?}")]
    Own(Lack, #[source] Option<Cause>),
    /// The disk is full.
    #[error("the disk is full")]
    DiskFull(#[source] Option<Cause>),
    /// The file system is read-only.
    #[error("the file system is read-only")]
    ReadOnly(#[source] Option<Cause>),
    /// The system denied permission.
    #[error("permission denied")]
    Denied(#[source] Option<Cause>),
    /// Something is missing.
    #[error("something is missing")]
    Missing(#[source] Option<Cause>),
    /// Something was not made by Cordée: a channel, or something in the place of a folder.
    #[error("something is not what Cordée made")]
    Foreign(#[source] Option<Cause>),
    /// The state file is damaged.
    #[error("the state file is damaged")]
    Damaged,
    /// Another error of the system, by its kind.
    #[error("input or output failed ({0})")]
    Io(String, #[source] Option<Cause>),
    /// A HAProxy instance's socket accepts no connection.
    #[error("HAProxy's socket takes no connection")]
    NoSocket(#[source] Option<Cause>),
    /// The socket of a program is gone: the program continues to serve, but cannot be asked.
    #[error("the socket of process {pid} is gone")]
    SocketGone {
        /// The path of the socket.
        path: String,
        /// The process whose socket it was.
        pid: u32,
        /// The fault by which that was noticed.
        #[source]
        noticed: Box<Fault>,
    },
    /// A HAProxy instance does not answer in time.
    #[error("HAProxy does not answer")]
    NoAnswer,
    /// The answer of a HAProxy instance cannot be parsed, and why, if that is known.
    #[error("HAProxy's answer cannot be read")]
    Strange(Option<&'static str>),
    /// HAProxy refused a command, in its words.
    #[error("HAProxy refused a command")]
    Refused(String),
    /// HAProxy refused a file, in its words.
    #[error("HAProxy refused a file")]
    RefusedFile(String),
    /// HAProxy cannot be run.
    #[error("HAProxy cannot be run")]
    NoProgram(#[source] Option<Cause>),
    /// HAProxy's master has counted a failed reload.
    #[error("a reload failed")]
    ReloadFailed,
    /// No new worker reported what was to be loaded.
    #[error("a reload is not proven")]
    ReloadUnproven,
    /// A database does not answer in time.
    #[error("the database does not answer")]
    Silent,
    /// All connections of a database are used; the database is alive.
    #[error("the database has too many connections")]
    TooMany,
    /// A database has run out of space, with this error of its own.
    #[error("the database has no room (error {0})")]
    DatabaseFull(u16),
    /// A database answers with an error.
    #[error("the database answers with error {0}")]
    Database(u16),
    /// No connection to a database can be made.
    #[error("the database cannot be reached")]
    Unreachable(#[source] Option<Cause>),
    /// The answer of a database cannot be parsed.
    #[error("the database broke off")]
    Broken,
    /// A database's position cannot be set while a client waits for one there: MariaDB would end up with another
    /// position, or hang.
    #[error("somebody waits for a position")]
    Awaited,
    /// A program that makes a copy failed. Its output is in its log.
    #[error("a copy failed")]
    Copy(#[source] Option<Cause>),
    /// Cordée has no local port left from which to probe an address.
    #[error("no port is left")]
    NoPort,
    /// One of the site's own addresses could not be probed, because Cordée itself lacked something.
    #[error("an address of the site's could not be asked")]
    Unasked(#[source] Box<Fault>),
    /// Another program listens on a server's port.
    #[error("somebody else listens on port {port}")]
    PortTaken {
        /// The port.
        port: u16,
        /// The program that listens.
        holder: String,
    },
    /// A process was ended by this signal.
    #[error("ended by signal {0}")]
    Signal(i32),
    /// A process ended with this code.
    #[error("ended with code {0}")]
    Exit(i32),
    /// The same for a process that does so again and again, with the last line that it wrote.
    #[error("ended with code {code}")]
    ExitSaying {
        /// The code.
        code: i32,
        /// The line, shortened.
        said: String,
    },
    /// A process ended, and how is unknown.
    #[error("ended")]
    Ended,
    /// A decision was overtaken by another one.
    #[error("a decision was overtaken")]
    Overtaken,
    /// A decision could not be stored.
    #[error("a decision could not be stored")]
    NotStored,
    /// A step took too long.
    #[error("a step took too long")]
    Deadline,
    /// A step was done, and has to be done again although nothing else happened.
    #[error("{0} was done, and is still to be done")]
    InVain(&'static str),
    /// A fault on which nothing is decided except that it is one.
    #[error("{}", .0.key)]
    Said(Text),
}

impl Fault {
    /// Whether the fault is Cordée's own: then it says nothing about the thing that was observed.
    pub const fn is_own(&self) -> bool {
        matches!(self, Self::Own(..))
    }

    /// Returns the sentence.
    pub fn sentence(&self) -> Text {
        match self {
            Self::Own(Lack::Descriptors, _) => text!("own-descriptors"),
            Self::Own(Lack::Memory, _) => text!("own-memory"),
            Self::Own(Lack::Disk, _) => text!("own-io"),
            Self::DiskFull(_) => text!("io-full"),
            Self::ReadOnly(_) => text!("io-read-only"),
            Self::Denied(_) => text!("io-denied"),
            Self::Missing(_) => text!("io-missing"),
            Self::Foreign(_) => text!("io-foreign"),
            Self::Damaged => text!("io-damaged"),
            Self::Io(kind, _) => text!("io-other", kind = kind.as_str()),
            Self::NoSocket(_) => text!("haproxy-no-socket"),
            Self::SocketGone { path, pid, .. } => {
                text!("reason-socket-gone", path = path.as_str(), pid = *pid)
            }
            Self::NoAnswer => text!("haproxy-no-answer"),
            Self::Strange(None) => text!("haproxy-strange"),
            Self::Strange(Some(why)) => text!("haproxy-strange-why", why = *why),
            Self::Refused(said) => text!("haproxy-refused", said = said.as_str()),
            Self::RefusedFile(said) => text!("haproxy-refused-file", said = said.as_str()),
            Self::NoProgram(_) => text!("haproxy-missing"),
            Self::ReloadFailed => text!("haproxy-reload-failed"),
            Self::ReloadUnproven => text!("haproxy-reload-unproven"),
            Self::Silent => text!("db-no-answer"),
            Self::TooMany => text!("db-too-many"),
            Self::DatabaseFull(code) => text!("test-fail-disk", code = *code),
            Self::Database(code) => text!("db-error", code = *code),
            Self::Unreachable(_) => text!("db-unreachable"),
            Self::Broken => text!("db-broken"),
            Self::Awaited => text!("db-awaited"),
            Self::Copy(_) => text!("copy-failed"),
            Self::NoPort => text!("door-no-port"),
            Self::Unasked(why) => text!("door-cannot-ask", why = why.sentence()),
            Self::PortTaken { port, holder } => {
                text!("reason-port-taken", port = port.to_string(), holder = holder.as_str())
            }
            Self::Signal(signal) => text!("reason-process-signal", signal = *signal),
            Self::Exit(code) => text!("reason-process-exit", code = *code),
            Self::ExitSaying { code, said } => {
                text!("reason-process-exit-said", code = *code, said = said.as_str())
            }
            Self::Ended => text!("reason-process-gone"),
            Self::Overtaken => text!("decision-refused"),
            Self::NotStored => text!("decision-not-stored"),
            Self::Deadline => text!("step-deadline"),
            Self::InVain(step) => text!("step-in-vain", step = *step),
            Self::Said(says) => says.clone(),
        }
    }
}

impl From<Text> for Fault {
    fn from(says: Text) -> Self {
        Self::Said(says)
    }
}

impl From<Fault> for Text {
    fn from(fault: Fault) -> Self {
        fault.sentence()
    }
}

impl From<Fault> for Arg {
    fn from(fault: Fault) -> Self {
        fault.sentence().into()
    }
}

impl From<&Fault> for Arg {
    fn from(fault: &Fault) -> Self {
        fault.sentence().into()
    }
}
