//! Closed sets of words, and texts of a fixed form, as the API's description presents them.

use std::borrow::Cow;

use cordee_domain::actions::Action;
use cordee_domain::desired::{Membership, Power, Routing, Runtime};
use cordee_domain::drill::{FaultKind, Recovery};
use cordee_domain::haproxy::drift::{Disk, Process};
use cordee_domain::ids::PoolId;
use cordee_domain::sessions::Mode;
use cordee_domain::snapshot::Role;
use cordee_domain::state::Severity;
use cordee_domain::trial::{End, Experiment, MeasureResult, Way};
use serde::{Deserialize, Serialize};
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::openapi::{OneOfBuilder, RefOr};
use utoipa::{PartialSchema, ToSchema};

/// Describes the words of an enumeration of the domain. A word that is missing here does not compile.
macro_rules! closed {
    ($($name:ident: $of:ident { $($word:ident),+ $(,)? } = $about:literal;)+) => {$(
        #[doc = $about]
        #[derive(Debug)]
        pub struct $name;

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                const ALL: &[$of] = &[$($of::$word),+];
                const _: fn($of) = |word| match word { $($of::$word)|+ => () };
                let words = ALL.iter().filter_map(|word| serde_json::to_value(word).ok());
                let schema = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words));
                schema.description(Some($about)).into()
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                stringify!($name).into()
            }
        }
    )+};
}

closed! {
    LightWord: Severity { Good, Maintenance, Progress, Unknown, Warning, Critical } =
        "`good`: as it should be; `maintenance`: a person took it out; `progress`: on its way; \
        `unknown`: not known now; \
        `warning`: works, with less than wished; `critical`: does not work.";
    RoutingWord: Routing { OneWriter, AllWriters } = "Which databases take writes.";
    SessionMode: Mode { Proxy, Database } =
        "Where the visitors' sessions are kept: in files of each web server, or in the database.";
    PoolWord: PoolId { Web, Db } = "A pool, and the HAProxy in front of it.";
    RoleWord: Role { Writer, Standby } = "What a database does.";
    RuntimeWord: Runtime { External, Process } = "`process`: Cordée starts it; `external`: Cordée only watches it.";
    PowerWord: Power { On, Off } = "Whether it should run.";
    OfferedAction: Action {
        Logs, Test, Drain, Maintenance, Ready, Restart, Stop, Start, Promote, Repair, Anyway, Withdraw, Remove, Verify,
        Recopy,
    } = "What may be asked of a server.";
    WayWord: Way { FilesAnywhere, FilesSticky, Locked, Unlocked, TwoWriters } = "A way to keep sessions.";
    ExperimentWord: Experiment {
        LoginAcross, StaleRead, LostUpdates, DifferentKeys, LogoutFinal, ServerDeath, Latency, Throughput, Copies,
    } = "One question that is put to each way.";
    VerdictWord: MeasureResult { Right, Wrong, Figure, Unknown } = "What a measure says.";
    BlowWord: FaultKind { Kill, Freeze, Stop, Drain } = "How something falls.";
}

/// Describes words that come from several enumerations, or from none.
macro_rules! listed {
    ($($name:ident: $words:expr, $about:literal;)+) => {$(
        #[doc = $about]
        #[derive(Debug)]
        pub struct $name;

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let schema = ObjectBuilder::new().schema_type(Type::String).enum_values(Some($words));
                schema.description(Some($about)).into()
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                stringify!($name).into()
            }
        }
    )+};
}

listed! {
    AboutWord: ["cordee", "haproxy-web", "haproxy-db", "servers"], "What a cause is about.";
    RemedyWord: ASKED.iter().map(|a| a.as_str()).chain(REMEDIES),
        "What puts a cause right: what to ask for, where to look (`page`, `config`, `journal`), `hand`, \
         which a person does at the machine, or `wait`: Cordée is at it.";
}

/// Remedies that are actions on a server.
const ASKED: [Action; 12] = [
    Action::Ready,
    Action::Start,
    Action::Restart,
    Action::Withdraw,
    Action::Anyway,
    Action::Promote,
    Action::Recopy,
    Action::Repair,
    Action::Verify,
    Action::Remove,
    Action::Logs,
    Action::Test,
];
/// Remedies that are not actions on a server.
const REMEDIES: [&str; 7] = ["page", "reload", "add", "config", "journal", "hand", "wait"];

/// Describes a text of a fixed form.
macro_rules! form {
    ($($name:ident: $pattern:expr, $least:literal..=$most:literal = $about:literal;)+) => {$(
        #[doc = $about]
        #[derive(Debug)]
        pub struct $name;

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let schema = ObjectBuilder::new().schema_type(Type::String).pattern(Some($pattern));
                let schema = schema.min_length(Some($least)).max_length(Some($most));
                schema.description(Some($about)).into()
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                stringify!($name).into()
            }
        }
    )+};
}

form! {
    SiteUrlText: "^(/|[Hh][Tt][Tt][Pp]://)[!-~]*$", 1..=1000 = "A page of the site: `/path`, or `http://name/path`.";
    Name: "^[A-Za-z][A-Za-z0-9_-]*$", 1..=63 = "A server's name, unique in both pools without regard to case.";
    TokenNameText: "^[A-Za-z][A-Za-z0-9_-]*$", 1..=63 = "A token's name: it stands in the journal as `token:NAME`.";
    WaitText: "^[0-9]+(ms|s)?$", 1..=12 =
        "How long to wait until it is real, at most 600 s: `30s`, `500ms`, or `30`, which are seconds.";
    StatusText: "^[1-5]([0-9][0-9]|xx)$", 3..=3 = "A status, or all of a hundred: `404`, `5xx`.";
}

/// Describes a number, or its digits as a string.
macro_rules! figure {
    ($($name:ident: $least:literal..=$most:literal = $about:literal;)+) => {$(
        #[doc = $about]
        #[derive(Debug)]
        pub struct $name;

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let number = ObjectBuilder::new().schema_type(Type::Integer);
                let number = number.minimum(Some($least)).maximum(Some($most));
                let digits = ObjectBuilder::new().schema_type(Type::String).pattern(Some("^[0-9]+$"));
                let digits = digits.min_length(Some(1)).max_length(Some(stringify!($most).len()));
                OneOfBuilder::new().item(number).item(digits).description(Some($about)).into()
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                stringify!($name).into()
            }
        }
    )+};
}

figure! {
    PortFigure: 1..=65535 = "A TCP port, or its digits.";
    DaysFigure: 1..=3650 = "Days, or their digits.";
    RateFigure: 1..=200 = "Requests a second, or the digits.";
    VisitorsFigure: 1..=50 = "Visitors, or the digits.";
    SecondsFigure: 1..=30 = "Seconds, or the digits.";
    MinuteFigure: 1..=60 = "Seconds, or the digits.";
    StatusFigure: 200..=599 = "An HTTP status, or its digits.";
}

/// A list of texts, or one text with commas.
#[derive(Debug)]
pub struct Listed;

impl PartialSchema for Listed {
    fn schema() -> RefOr<Schema> {
        let text = ObjectBuilder::new().schema_type(Type::String).build();
        let list = utoipa::openapi::ArrayBuilder::new().items(text.clone());
        OneOfBuilder::new().item(list).item(text).description(Some("A list, or a text with commas.")).into()
    }
}

impl ToSchema for Listed {
    fn name() -> Cow<'static, str> {
        "Listed".into()
    }
}

/// The membership of a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum StandingWord {
    /// It is a member.
    Member,
    /// It is new, and is being copied or catching up.
    Joining,
    /// It is leaving.
    Leaving,
    /// It is a former writer that is being compared.
    Returning,
    /// It holds transactions that the others lack, or lacks its own.
    Diverged,
}

impl From<&Membership> for StandingWord {
    fn from(membership: &Membership) -> Self {
        match membership {
            Membership::Member => Self::Member,
            Membership::Returning { .. } => Self::Returning,
            Membership::Joining => Self::Joining,
            Membership::Leaving | Membership::Released => Self::Leaving,
            Membership::Diverged(_) => Self::Diverged,
        }
    }
}

/// An action on an existing server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ActWord {
    /// Send it no new visitors (web).
    Drain,
    /// Send it no visitors at all (web).
    Maintenance,
    /// Put it back in service (web).
    Ready,
    /// Stop it and start it.
    Restart,
    /// Stop it.
    Stop,
    /// Start it.
    Start,
    /// Make it the writer (db).
    Promote,
    /// Throw its data away and give it a fresh copy (db).
    Recopy,
    /// Make it leave although no other server serves (web).
    Anyway,
    /// Make it stay after all (web).
    Withdraw,
}

/// The side whose rows are right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SideWord {
    /// The writer's.
    Writer,
    /// This database's.
    This,
}

/// Which table of the list of visitors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum TableWord {
    /// Visitors.
    Visitors,
    /// The changes of colour on the session test page.
    Changes,
}

/// The state of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RunState {
    /// It is under way.
    Running,
    /// It is complete.
    Done,
    /// An operator cancelled it.
    Cancelled,
    /// Cordée itself ended during it.
    BrokenOff,
    /// It could not go on.
    Failed,
}

impl From<&End> for RunState {
    fn from(end: &End) -> Self {
        match end {
            End::Running => Self::Running,
            End::Done => Self::Done,
            End::Cancelled => Self::Cancelled,
            End::BrokenOff => Self::BrokenOff,
            End::Failed { .. } => Self::Failed,
        }
    }
}

/// The file on disk, compared with the wish.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DiskWord {
    /// It is as wished.
    Same,
    /// It is as an earlier wish had it.
    Older,
    /// It was changed by hand.
    ByHand,
    /// It is missing.
    Missing,
}

impl From<&Disk> for DiskWord {
    fn from(disk: &Disk) -> Self {
        match disk {
            Disk::Same => Self::Same,
            Disk::Older(_) => Self::Older,
            Disk::ByHand(_) => Self::ByHand,
            Disk::Missing => Self::Missing,
        }
    }
}

/// A process, compared with the wish.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ProcessWord {
    /// It is as wished.
    Same,
    /// It differs.
    Differs,
    /// Its state is unknown.
    Unknown,
}

impl From<&Process> for ProcessWord {
    fn from(process: &Process) -> Self {
        match process {
            Process::Unseen(_) => Self::Unknown,
            Process::Seen(differs) if differs.is_empty() => Self::Same,
            Process::Seen(_) => Self::Differs,
        }
    }
}

/// Whether the losses ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RecoveryWord {
    /// Nothing was lost.
    NothingLost,
    /// They ended.
    Recovered,
    /// They did not end while the drill ran.
    NotYet,
}

impl From<&Recovery> for RecoveryWord {
    fn from(recovery: &Recovery) -> Self {
        match recovery {
            Recovery::NothingLost => Self::NothingLost,
            Recovery::After(_) => Self::Recovered,
            Recovery::NotYet => Self::NotYet,
        }
    }
}
