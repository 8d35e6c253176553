//! The states of a server or a HAProxy instance, as values on which decisions are made. The words that are shown are
//! derived from them at the end: no decision depends on a sentence.

use serde::{Deserialize, Serialize};

use crate::reason::Reason;
use crate::text;
use crate::text::Text;

/// The six severities. Each has its own colour, shape and words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// As it should be.
    Good,
    /// Taken out by an operator.
    Maintenance,
    /// On its way to the desired state.
    Progress,
    /// Not known now.
    Unknown,
    /// Works, but with less than wished.
    Warning,
    /// Does not work.
    Critical,
}

/// The status of a server or of a HAProxy instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The severity.
    pub severity: Severity,
    /// The state.
    pub state: State,
    /// The reason or the figure behind it.
    pub reason: Option<Reason>,
}

impl Status {
    /// Makes a status with a reason.
    pub fn new(severity: Severity, state: State, reason: impl Into<Reason>) -> Self {
        Self { severity, state, reason: Some(reason.into()) }
    }

    /// Makes a status that needs no reason.
    pub const fn bare(severity: Severity, state: State) -> Self {
        Self { severity, state, reason: None }
    }

    /// Whether it does its work, perhaps with less than wished. That includes a server whose channel is only being
    /// started, one whose rows are being compared, and one that was asked to leave and waits until another one serves.
    pub const fn serves(&self) -> bool {
        matches!(self.severity, Severity::Good | Severity::Warning) || self.state.works()
    }

    /// Returns the reason in words, or the words of the state if there is no reason.
    pub fn why(&self) -> Text {
        self.reason.as_ref().map_or_else(|| self.state.sentence(), Reason::sentence)
    }

    /// Returns the status as a remark: the severity and words only.
    pub fn remark(&self) -> Remark {
        Remark { severity: self.severity, word: self.state.sentence(), reason: self.reason.clone() }
    }
}

/// A severity and words: about the whole cluster, about a cause, or about a finding on a database's own page. No
/// decision depends on the words.
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
    /// Makes a remark with a reason.
    pub fn new(severity: Severity, word: Text, reason: impl Into<Reason>) -> Self {
        Self { severity, word, reason: Some(reason.into()) }
    }

    /// Makes a remark that needs no reason.
    pub const fn bare(severity: Severity, word: Text) -> Self {
        Self { severity, word, reason: None }
    }
}

/// The state of a server or of a HAProxy instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// It does its work, and its checks pass.
    Up,
    /// It does not run, or its checks fail.
    Down,
    /// The last observation is too old, or it could not be asked.
    Unknown,
    /// Its process runs and has not answered yet.
    Starting,
    /// An operator stopped it, and its process has not ended yet.
    Stopping,
    /// An operator stopped it.
    Stopped,
    /// Its process is older than the desired one and is being replaced.
    Restarting,
    /// Its process is frozen.
    Frozen,
    /// One of its processes is frozen, and the others do the work.
    HalfFrozen,
    /// It is on its way in: it gets no visitors yet, or no other database replicates from it yet.
    Joining,
    /// It is on its way out.
    Leaving,
    /// It was asked to leave, and serves until another server does.
    Waits,
    /// HAProxy does not have the desired state of the server yet.
    Applying,
    /// An operator took it out of service.
    Maintenance,
    /// It gets no new visitors, and keeps those that it has.
    Draining,
    /// Its checks pass again, but not often enough yet.
    Recovering,
    /// It has the same address as another server.
    Double,
    /// Nobody is served at the addresses of this HAProxy instance.
    Door,
    /// Cordée was unable to ask whether anybody is served there.
    DoorUnknown,
    /// HAProxy serves, but refused the desired configuration file.
    Drift,
    /// Its files are being created.
    Creating,
    /// It is being copied from another database.
    Copying,
    /// Its copy failed, or differs from the donor.
    CopyFailed,
    /// Its process runs but does not answer.
    Unreachable,
    /// Cordée reaches it, but applications do not.
    Unreached,
    /// It answers with an id that is not its own.
    Astray,
    /// It holds what the others hold, as far as positions and comparisons tell.
    InSync,
    /// Its channels are being started.
    Linking,
    /// A channel to it is interrupted: it receives nothing from that peer.
    Alone,
    /// Another database does not replicate from it.
    NotCopied,
    /// No standby confirms what is written to it.
    Unprotected,
    /// Its delay is above [`LAG_LIMIT`](crate::status::LAG_LIMIT).
    Behind,
    /// One of its channels has stopped with an error.
    ReplicationStopped,
    /// Its rows differ from the writer's.
    RowsDiffer,
    /// Nothing is proven about some of its tables.
    RowsUnproven,
    /// It may lack rows, and no comparison can tell.
    MayLack,
    /// Its rows are in doubt, and are being compared.
    Comparing,
    /// Its log holds fewer of its own transactions than the others have from it.
    LogReset,
    /// A setting or an account is not as the cluster needs it.
    Altered,
    /// Some of the writer's tables have no primary key.
    Keyless,
    /// Some of the writer's tables are kept in memory.
    Memory,
    /// Sequences would give the same numbers on two databases.
    Sequences,
    /// Applications do not find all their schemas and tables.
    Schemaless,
    /// It was the writer, and is being brought up to date.
    Returning,
    /// It holds transactions that no other database has, or lacks transactions that it wrote.
    Diverged,
    /// It is about to be opened to writes.
    Opening,
    /// It is about to be closed to writes.
    Closing,
    /// It should take writes, but must not be opened.
    Closed,
    /// It takes writes, but should not.
    Open,
    /// Another database is taking over the writes from it.
    HandingOver,
    /// All its connections are used.
    Full,
    /// It answers, but cannot write.
    Blocked,
}

/// How far a server in some state does its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Work {
    /// The severity decides.
    BySeverity,
    /// It does, and what is under way is done in a moment.
    Passing,
    /// It does, and what is under way may last for hours.
    Lasting,
    /// It takes writes although something is wrong with its channels, its rows or its log.
    Writes,
}

impl State {
    /// Returns the words for the state.
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

    /// Whether a server in this state does its work whatever its severity: its channel is only being started, its rows
    /// are being compared, or it was asked to leave and waits until another one serves.
    pub const fn works(self) -> bool {
        matches!(self.work(), Work::Passing | Work::Lasting)
    }

    /// Whether the same holds and the state may last: nobody waits for its end.
    pub const fn lasts(self) -> bool {
        matches!(self.work(), Work::Lasting)
    }

    /// Whether a database in this state takes writes although something is wrong with it.
    pub const fn writes(self) -> bool {
        matches!(self.work(), Work::Writes)
    }

    /// Every state is listed, so that a new one cannot be forgotten here.
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
