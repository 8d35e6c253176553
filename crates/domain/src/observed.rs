//! What Cordée has observed, each part with the time at which it was seen.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::attached::Attached;
use crate::db::DatabaseSeen;
use crate::db::credentials::Credentials;
use crate::db::ids::{self, Numbered, Numbering};
use crate::db::promise::Promise;
use crate::db::verify::OddTables;
use crate::desired::{Kind, Server};
use crate::door::{Door, DoorSeen};
use crate::fault::Fault;
use crate::figures::DATABASE_STALE;
use crate::ids::{Millis, PoolId, ProcessId, ServerName};
use crate::seen::Seen;
use crate::sessions::Answer;
use crate::step::{Mend, SqlStep, Step, Subject};

mod backoffs;
mod own;
mod processes;
mod proxies;
mod receiving;
mod rows;
mod whose;

pub use backoffs::{Backoff, Done};
pub use own::{FULL, Lost, Own, Room, SHORT};
pub use processes::{Leader, Port, ProcessSeen};
pub use proxies::{Meddling, ProxySeen, Refusal};
pub use rows::Comparison;

/// Data older than this are not shown as current: three polls and a little.
pub const STALE: u64 = crate::figures::STALE;

/// The server that a folder was created for, as far as the folder says; an older Cordée recorded less.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Made {
    /// The pool of that server: the folder is a web server's or a database's.
    pub pool: Option<PoolId>,
    /// That server's id.
    pub id: Option<u32>,
}

impl Made {
    /// Reports whether the folder with that server's name may belong to it. A name may be used again; what an
    /// earlier server left under it is neither the new server's to use nor to delete.
    pub fn is_of(self, server: &Server) -> bool {
        let has_one = match server.kind {
            // An external web server has no folder here.
            Kind::Web(_) => server.is_ours(),
            Kind::Database(_) => true,
        };
        has_one && self.pool.is_none_or(|p| p == server.pool()) && self.id.is_none_or(|id| id == server.id)
    }
}

/// Everything that Cordée has observed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observed {
    /// The HAProxy instances.
    pub proxies: BTreeMap<PoolId, ProxySeen>,
    /// The processes.
    pub processes: BTreeMap<ProcessId, ProcessSeen>,
    /// The session mode that each web server reported.
    pub modes: BTreeMap<ServerName, Seen<Answer>>,
    /// What host names resolve to.
    pub names: BTreeMap<String, Seen<IpAddr>>,
    /// The databases, by their answers to direct queries.
    pub databases: BTreeMap<ServerName, Seen<DatabaseSeen>>,
    /// Databases that accepted writes at the last look, and whose processes have not ended since.
    pub open: BTreeSet<ServerName>,
    /// How each database numbered new rows at the last look.
    pub numbered: BTreeMap<ServerName, Numbered>,
    /// When Cordée last did something during which the channels of a database stop.
    pub rests: BTreeMap<ServerName, Rest>,
    /// Databases that stopped receiving for a step of Cordée's, and have not been seen to receive from the writer
    /// since. The value says whether the step is still under way. The writer waits for no ACK from them.
    pub deaf: BTreeMap<ServerName, bool>,
    /// When a database last left `deaf`.
    pub heard_again: Option<Millis>,
    /// The cluster's accounts on each database.
    pub accounts: BTreeMap<ServerName, Seen<BTreeMap<String, Credentials>>>,
    /// Each database's last heartbeat of its own, which shows whether it can write.
    pub beats: BTreeMap<ServerName, Seen<()>>,
    /// What the writer promised at the last look.
    pub promise: Option<Promise>,
    /// How long no database accepted writes at the last change of writer.
    pub gap: Option<Gap>,
    /// Databases whose data folder is complete, with the id that it was created for.
    pub initialised: BTreeMap<ServerName, u32>,
    /// Copies whose position has not been set yet.
    pub unseeded: BTreeSet<ServerName>,
    /// Copies under way.
    pub copies: BTreeMap<ServerName, CopySeen>,
    /// Comparisons of each database's rows with the writer's.
    pub comparisons: BTreeMap<ServerName, Comparison>,
    /// For each external database: the id that Cordée looks at under that name, and since when.
    pub whose: BTreeMap<ServerName, (u32, Millis)>,
    /// The writer's tables that need a mention, at the last look.
    pub tables: Seen<OddTables>,
    /// The servers' folders under `servers/`, with the server that each was created for. Folders with other names
    /// are not Cordée's.
    pub homes: BTreeMap<ServerName, Made>,
    /// Failed steps, by their subject.
    pub backoffs: BTreeMap<Subject, Backoff>,
    /// The same for steps that only restore what somebody altered, by their kind: while one of them fails, all other
    /// steps go on.
    pub vain: BTreeMap<(Subject, Mend), Backoff>,
    /// When each database last answered again after a silence.
    pub back: BTreeMap<ServerName, Millis>,
    /// The steps done on each target, until a plan no longer contains them.
    pub done: BTreeMap<Subject, Vec<Done>>,
    /// The result of Cordée's own requests to the site's addresses, as a visitor and as an application.
    pub doors: BTreeMap<Door, DoorSeen>,
    /// A channel that a drill holds stopped. Kept in memory only: after a restart Cordée lets it go.
    pub held: Option<HeldChannel>,
    /// What keeps Cordée itself from looking or from storing.
    pub own: Own,
    /// How many visitors hold each web server's cookie, while that is counted.
    pub attached: Option<Attached>,
}

/// A channel that is held stopped for a while.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldChannel {
    /// The database whose channel is held.
    pub on: ServerName,
    /// The database that the channel copies.
    pub from: ServerName,
    /// When the channel is let go at the latest.
    pub until: Millis,
}

/// A series of steps during which the channels of one database stop, each soon after the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rest {
    /// When the first step began.
    pub since: Millis,
    /// When the last step began or ended.
    pub at: Millis,
}

/// The longest pause between two steps of one [`Rest`], in milliseconds. Steps that Cordée repeats in vain form one
/// long series.
const ONE_REST: u64 = 2_000;

/// A copy under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopySeen {
    /// The database that is copied.
    pub donor: ServerName,
    /// When it began.
    pub since: Millis,
    /// Bytes copied so far.
    pub done: u64,
    /// Bytes in all: the size of the donor's files at the beginning.
    pub total: u64,
}

impl CopySeen {
    /// Returns how much has been copied, in percent. What follows the copied bytes (the end of the redo log, the
    /// preparation) takes a moment too, so a copy under way is never at 100.
    pub fn percent(&self) -> u8 {
        let percent = self.done.saturating_mul(100) / self.total.max(1);
        u8::try_from(percent.min(99)).unwrap_or(99)
    }
}

/// How long no database accepted writes at a change of writer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// The epoch that ended it.
    pub epoch: u64,
    /// When it ended.
    pub at: Millis,
    /// The upper bound in milliseconds: from the last moment at which the old writer was known to be well until
    /// HAProxy was seen to send connections to the new one, plus one more try of the clients that wait in HAProxy.
    pub ms: u64,
}

impl Observed {
    /// Returns one HAProxy instance; an empty value before the first look.
    pub fn proxy(&self, id: PoolId) -> &ProxySeen {
        /// Shared: with a copy for each call, a snapshot of N servers cost N² (each copy holds all servers and the
        /// file).
        static UNSEEN: ProxySeen = ProxySeen::unseen();
        self.proxies.get(&id).unwrap_or(&UNSEEN)
    }

    /// Records a look at a database that began at `at`. What a newer look found is kept.
    pub fn see_database(&mut self, name: &ServerName, at: Millis, look: Result<DatabaseSeen, Fault>) {
        let begun = || {
            let process = self.processes.get(&ProcessId::Database(name.clone()));
            process.is_some_and(|process| process.started_at.is_some())
        };
        let before = self.databases.entry(name.clone()).or_default();
        match look {
            Ok(mut seen) => {
                // The first answer after Cordée's own start does not mean that the database came back.
                let back = match before {
                    // A single answer that was late is no absence.
                    Seen::Failed { last, .. } => {
                        last.is_none_or(|last| at.saturating_sub(last) > DATABASE_STALE)
                    }
                    Seen::Never => begun(),
                    Seen::At(..) => false,
                };
                if back {
                    self.back.insert(name.clone(), at);
                }
                let mut at = at;
                // Read after the numbering, so it includes everything that was written before the numbering was
                // read.
                let own = seen.written.last(seen.server_id);
                seen.stalled_at = seen.waits.then_some(at);
                if let Seen::At(younger, known) = before {
                    if *younger > at {
                        seen.take_promise(known, *younger);
                        seen.opened_at = known.opened_at;
                        seen.stalled_at = known.stalled_at.filter(|_| seen.waits);
                        at = *younger;
                    } else {
                        let opened = if known.read_only { Some(at) } else { known.opened_at };
                        seen.opened_at = opened.filter(|_| !seen.read_only);
                        let since = known.stalled_at.filter(|_| seen.applied == known.applied);
                        seen.stalled_at = seen.stalled_at.map(|at| since.unwrap_or(at));
                    }
                }
                if let Some(numbering) = Numbering::of(&seen.variables) {
                    let was = self.numbered.get(name).copied();
                    self.numbered.insert(name.clone(), Numbered::seen(was, seen.server_id, numbering, own));
                }
                if seen.read_only {
                    self.open.remove(name);
                } else {
                    self.open.insert(name.clone());
                }
                *before = Seen::At(at, seen);
            }
            Err(why) => *before = Seen::Failed { last: before.last(), why },
        }
    }

    /// Removes what a step is about to change and what an earlier look would still report.
    pub fn unsettle(&mut self, step: &Step) {
        let Step::Sql(SqlStep::NumberIds { name, .. }) = step else { return };
        self.numbered.remove(name);
        if let Some(Seen::At(_, seen)) = self.databases.get_mut(name) {
            seen.variables.remove(ids::STEP);
        }
    }

    /// Records that a step began or ended, if channels stop during it.
    pub fn note_rest(&mut self, step: &Step, now: Millis) {
        let Some(name) = step.rests_links() else { return };
        let rest = self.rests.entry(name.clone()).or_insert(Rest { since: now, at: now });
        if now.saturating_sub(rest.at) > ONE_REST {
            rest.since = now;
        }
        rest.at = now;
    }

    /// Returns what is known about one process.
    pub fn process(&self, id: &ProcessId) -> &ProcessSeen {
        static UNSEEN: ProcessSeen = ProcessSeen::unseen();
        self.processes.get(id).unwrap_or(&UNSEEN)
    }
}
