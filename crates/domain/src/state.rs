//! What a server or a HAProxy is, as a value that is decided on. What is read of it is made of it at the end: no
//! decision reads a sentence.

use serde::{Deserialize, Serialize};

use crate::reason::Reason;
use crate::text;
use crate::text::Text;

/// Six severities; each has a colour, a shape and words of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// As it should be.
    Good,
    /// A person took it out.
    Maintenance,
    /// On its way.
    Progress,
    /// Not known now.
    Unknown,
    /// Works, with less than wished.
    Warning,
    /// Does not work.
    Critical,
}

/// The status of a server or of a HAProxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The severity.
    pub severity: Severity,
    /// What it is.
    pub state: State,
    /// The reason or the figure behind it.
    pub reason: Option<Reason>,
}

impl Status {
    /// A status with a reason.
    pub fn new(severity: Severity, state: State, reason: impl Into<Reason>) -> Self {
        Self { severity, state, reason: Some(reason.into()) }
    }

    /// A status that explains itself.
    pub const fn bare(severity: Severity, state: State) -> Self {
        Self { severity, state, reason: None }
    }

    /// Whether it does its work, perhaps with less than wished. One whose channel is only being started does, and one
    /// that was asked to leave and waits for another to serve.
    pub const fn serves(&self) -> bool {
        matches!(self.severity, Severity::Good | Severity::Warning) || self.state.works()
    }

    /// Why it is so, in words: its reason, or its own word.
    pub fn why(&self) -> Text {
        self.reason.as_ref().map_or_else(|| self.state.sentence(), Reason::sentence)
    }

    /// The same in words only.
    pub fn remark(&self) -> Remark {
        Remark { severity: self.severity, word: self.state.sentence(), reason: self.reason.clone() }
    }
}

/// A severity and words: of the whole, of a cause, of what a look at a database's own page found. Nothing is decided on
/// the words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// The severity.
    pub severity: Severity,
    /// One or two words.
    pub word: Text,
    /// The reason or the figure behind it.
    pub reason: Option<Reason>,
}

impl Remark {
    /// A remark with a reason.
    pub fn new(severity: Severity, word: Text, reason: impl Into<Reason>) -> Self {
        Self { severity, word, reason: Some(reason.into()) }
    }

    /// A remark that explains itself.
    pub const fn bare(severity: Severity, word: Text) -> Self {
        Self { severity, word, reason: None }
    }
}

/// What a server or a HAProxy is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// It does what it is there for, and its checks pass.
    Up,
    /// It does not run, or its checks fail.
    Down,
    /// What is known of it is too old, or it could not be asked.
    Unknown,
    /// Its process runs, and has not answered yet.
    Starting,
    /// A person stopped it, and its process has not ended yet.
    Stopping,
    /// A person stopped it.
    Stopped,
    /// Its process is older than wished, and is replaced.
    Restarting,
    /// Its process stands still.
    Frozen,
    /// A process of it stands still, and others do the work.
    HalfFrozen,
    /// It is on its way in: nobody is led to it, or nobody copies it, yet.
    Joining,
    /// It is on its way out.
    Leaving,
    /// It was asked to leave, and serves until another one does.
    Waits,
    /// What is wished of it is not in HAProxy yet.
    Applying,
    /// A person took it out of service.
    Maintenance,
    /// It gets no new visitors, and keeps those that it has.
    Draining,
    /// Its checks pass again, and not often enough yet.
    Recovering,
    /// It has the address of another one.
    Double,
    /// Nobody is served at the addresses of this HAProxy.
    Door,
    /// Whether anybody is served there could not be asked.
    DoorUnknown,
    /// HAProxy serves, and refused the file that is wished.
    Drift,
    /// Its files are being made.
    Creating,
    /// It is being copied from another database.
    Copying,
    /// Its copy failed, or is not what it was copied from.
    CopyFailed,
    /// Its process runs, and it does not answer.
    Unreachable,
    /// Cordée reaches it, and applications do not.
    Unreached,
    /// It answers under an id that is not its own.
    Astray,
    /// It has what the others have, as far as positions and comparisons tell.
    InSync,
    /// Its channels are being started.
    Linking,
    /// A channel to it is interrupted: it copies nothing from there.
    Alone,
    /// Another one does not copy it.
    NotCopied,
    /// No standby confirms what is written to it.
    Unprotected,
    /// It is more than [`LAG_LIMIT`](crate::status::LAG_LIMIT) behind.
    Behind,
    /// A channel of it stopped with an error.
    ReplicationStopped,
    /// Its rows differ from the writer's.
    RowsDiffer,
    /// Of some of its tables nothing is proven.
    RowsUnproven,
    /// It may lack rows, and no comparison can tell.
    MayLack,
    /// Its rows are in doubt, and are being compared.
    Comparing,
    /// Its log holds less of its own than the others had from it.
    LogReset,
    /// A setting or an account is not as the cluster needs it.
    Altered,
    /// Some of the writer's tables have no primary key.
    Keyless,
    /// Some of the writer's tables are kept in memory.
    Memory,
    /// Sequences would give the same numbers on two databases.
    Sequences,
    /// Applications do not find all their tables.
    Schemaless,
    /// It was the writer, and gets back what it lacks.
    Returning,
    /// It holds what no other has, or lacks what it wrote.
    Diverged,
    /// It is about to be opened to writes.
    Opening,
    /// It is about to be closed to writes.
    Closing,
    /// It should take writes, and must not be opened.
    Closed,
    /// It takes writes, and should not.
    Open,
    /// Another one takes the writes over from it.
    HandingOver,
    /// All its connections are used.
    Full,
    /// It answers, and cannot write.
    Blocked,
}

/// How far one in some state does its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Work {
    /// Its severity tells.
    BySeverity,
    /// It does, and what is on its way is there in a moment.
    Passing,
    /// It does, and what is on its way may last for hours.
    Lasting,
    /// It takes writes although something is wrong: with its channels, its rows, its log.
    Writes,
}

impl State {
    /// Its word.
    pub const fn sentence(self) -> Text {
        match self {
            Self::Up => text!("status-up"),
            Self::Down => text!("status-down"),
            Self::Unknown => text!("status-unknown"),
            Self::Starting => text!("status-starting"),
            Self::Stopping => text!("status-stopping"),
            Self::Stopped => text!("status-stopped"),
            Self::Restarting => text!("status-restarting"),
            Self::Frozen => text!("status-frozen"),
            Self::HalfFrozen => text!("status-half-frozen"),
            Self::Joining => text!("status-joining"),
            Self::Leaving => text!("status-leaving"),
            Self::Waits => text!("status-waits"),
            Self::Applying => text!("status-applying"),
            Self::Maintenance => text!("status-maintenance"),
            Self::Draining => text!("status-draining"),
            Self::Recovering => text!("status-recovering"),
            Self::Double => text!("status-double"),
            Self::Door => text!("status-door"),
            Self::DoorUnknown => text!("status-door-unknown"),
            Self::Drift => text!("status-drift"),
            Self::Creating => text!("status-creating"),
            Self::Copying => text!("status-copying"),
            Self::CopyFailed => text!("status-copy-failed"),
            Self::Unreachable => text!("status-unreachable"),
            Self::Unreached => text!("status-unreached"),
            Self::Astray => text!("status-astray"),
            Self::InSync => text!("status-in-sync"),
            Self::Linking => text!("status-linking"),
            Self::Alone => text!("status-alone"),
            Self::NotCopied => text!("status-not-copied"),
            Self::Unprotected => text!("status-unprotected"),
            Self::Behind => text!("status-behind"),
            Self::ReplicationStopped => text!("status-replication-stopped"),
            Self::RowsDiffer => text!("status-rows-differ"),
            Self::RowsUnproven => text!("status-rows-unproven"),
            Self::MayLack => text!("status-may-lack"),
            Self::Comparing => text!("status-comparing"),
            Self::LogReset => text!("status-log-reset"),
            Self::Altered => text!("status-altered"),
            Self::Keyless => text!("status-keyless"),
            Self::Memory => text!("status-memory"),
            Self::Sequences => text!("status-sequences"),
            Self::Schemaless => text!("status-schemaless"),
            Self::Returning => text!("status-returning"),
            Self::Diverged => text!("status-diverged"),
            Self::Opening => text!("status-opening"),
            Self::Closing => text!("status-closing"),
            Self::Closed => text!("status-closed"),
            Self::Open => text!("status-open"),
            Self::HandingOver => text!("status-handing-over"),
            Self::Full => text!("status-full"),
            Self::Blocked => text!("status-blocked"),
        }
    }

    /// Whether it does its work whatever its severity: its channel is only being started, its rows are being compared,
    /// or it was asked to leave and waits for another to serve.
    pub const fn works(self) -> bool {
        matches!(self.work(), Work::Passing | Work::Lasting)
    }

    /// The same of what may last: nobody waits for its end.
    pub const fn lasts(self) -> bool {
        matches!(self.work(), Work::Lasting)
    }

    /// Whether a database in this state takes writes although something is wrong with it.
    pub const fn writes(self) -> bool {
        matches!(self.work(), Work::Writes)
    }

    /// Each state is named here, so that a new one is thought about.
    const fn work(self) -> Work {
        match self {
            Self::Linking => Work::Passing,
            Self::Comparing | Self::Waits => Work::Lasting,
            Self::ReplicationStopped | Self::RowsDiffer | Self::LogReset => Work::Writes,
            Self::Up
            | Self::Down
            | Self::Unknown
            | Self::Starting
            | Self::Stopping
            | Self::Stopped
            | Self::Restarting
            | Self::Frozen
            | Self::HalfFrozen
            | Self::Joining
            | Self::Leaving
            | Self::Applying
            | Self::Maintenance
            | Self::Draining
            | Self::Recovering
            | Self::Double
            | Self::Door
            | Self::DoorUnknown
            | Self::Drift
            | Self::Creating
            | Self::Copying
            | Self::CopyFailed
            | Self::Unreachable
            | Self::Unreached
            | Self::Astray
            | Self::InSync
            | Self::Alone
            | Self::NotCopied
            | Self::Unprotected
            | Self::Behind
            | Self::RowsUnproven
            | Self::MayLack
            | Self::Altered
            | Self::Keyless
            | Self::Memory
            | Self::Sequences
            | Self::Schemaless
            | Self::Returning
            | Self::Diverged
            | Self::Opening
            | Self::Closing
            | Self::Closed
            | Self::Open
            | Self::HandingOver
            | Self::Full
            | Self::Blocked => Work::BySeverity,
        }
    }
}
