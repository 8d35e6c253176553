//! What is known of the world, each part with the time at which it was seen.

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

/// Older data than this is not shown as current: three polls and a little.
pub const STALE: u64 = crate::figures::STALE;

/// For whom a server's folder was made, as far as it says: one of an older Cordée says less.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Made {
    /// What lies in it is a web server's, or a database's.
    pub pool: Option<PoolId>,
    /// That server's id.
    pub id: Option<u32>,
}

impl Made {
    /// Whether the folder by the name of that server may be its own. A name may be taken again; what an earlier server
    /// left under it is not the new one's to serve, nor to throw away.
    pub fn is_of(self, server: &Server) -> bool {
        let has_one = match server.kind {
            // Nothing of somebody else's web server is here.
            Kind::Web(_) => server.is_ours(),
            Kind::Database(_) => true,
        };
        has_one && self.pool.is_none_or(|p| p == server.pool()) && self.id.is_none_or(|id| id == server.id)
    }
}

/// Everything seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observed {
    /// Each proxy.
    pub proxies: BTreeMap<PoolId, ProxySeen>,
    /// Each process.
    pub processes: BTreeMap<ProcessId, ProcessSeen>,
    /// What each web server said of the session mode.
    pub modes: BTreeMap<ServerName, Seen<Answer>>,
    /// What host names resolve to.
    pub names: BTreeMap<String, Seen<IpAddr>>,
    /// Each database, asked directly.
    pub databases: BTreeMap<ServerName, Seen<DatabaseSeen>>,
    /// Databases that took writes when they were last asked, and whose processes have not ended since.
    pub open: BTreeSet<ServerName>,
    /// How each database numbered new rows when it was last asked.
    pub numbered: BTreeMap<ServerName, Numbered>,
    /// When Cordée last did something for which the channels of a database rest.
    pub rests: BTreeMap<ServerName, Rest>,
    /// Databases that stopped receiving for a step of Cordée's, and have not been seen to receive from the writer
    /// since: whether the step is still under way. The writer waits for no ACK of theirs.
    pub deaf: BTreeMap<ServerName, bool>,
    /// When the last of those was seen to receive again.
    pub heard_again: Option<Millis>,
    /// What the cluster's accounts are on each database.
    pub accounts: BTreeMap<ServerName, Seen<BTreeMap<String, Credentials>>>,
    /// Each database's last heartbeat of its own: whether it can write.
    pub beats: BTreeMap<ServerName, Seen<()>>,
    /// What the writer promised when it was last asked.
    pub promise: Option<Promise>,
    /// How long nobody wrote when the writer last changed.
    pub gap: Option<Gap>,
    /// Databases whose data folder is complete, and for which id it was made.
    pub initialised: BTreeMap<ServerName, u32>,
    /// Copies whose position has not been set yet.
    pub unseeded: BTreeSet<ServerName>,
    /// Copies under way.
    pub copies: BTreeMap<ServerName, CopySeen>,
    /// Comparisons of each database's rows with the writer's.
    pub comparisons: BTreeMap<ServerName, Comparison>,
    /// Of each database of somebody else’s: the id that was looked at under that name, and since when.
    pub whose: BTreeMap<ServerName, (u32, Millis)>,
    /// The writer's tables that ask for a word, when it was last asked.
    pub tables: Seen<OddTables>,
    /// Folders of servers under `servers/`, and for whom each was made. What has another name is not ours.
    pub homes: BTreeMap<ServerName, Made>,
    /// Steps that failed, by what they acted on.
    pub backoffs: BTreeMap<Subject, Backoff>,
    /// The same of what only puts right what somebody altered, by its kind: while one is in vain, everything else goes
    /// on.
    pub vain: BTreeMap<(Subject, Mend), Backoff>,
    /// When each database answered for the first time after it had not.
    pub back: BTreeMap<ServerName, Millis>,
    /// The steps done on each target, until a plan goes on without them.
    pub done: BTreeMap<Subject, Vec<Done>>,
    /// What Cordée found at the site's own addresses, as a visitor and as an application.
    pub doors: BTreeMap<Door, DoorSeen>,
    /// A channel that a drill holds down. Only in memory: whoever begins anew lets it go.
    pub held: Option<HeldChannel>,
    /// What keeps Cordée itself from looking or from writing down.
    pub own: Own,
    /// How many visitors hold each web server's cookie, while that is counted.
    pub attached: Option<Attached>,
}

/// A channel that is held down for a while.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldChannel {
    /// The database that copies.
    pub on: ServerName,
    /// The one that it copies.
    pub from: ServerName,
    /// When it is let go at the latest.
    pub until: Millis,
}

/// A row of steps for which the channels of one database rested: each soon after the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rest {
    /// When the first one began.
    pub since: Millis,
    /// When the last one began or ended.
    pub at: Millis,
}

/// Milliseconds between two steps of one [`Rest`]. What Cordée does again and again in vain is one long row.
const ONE_REST: u64 = 2_000;

/// A copy under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopySeen {
    /// The database that is copied.
    pub donor: ServerName,
    /// When it began.
    pub since: Millis,
    /// Bytes so far.
    pub done: u64,
    /// Bytes in all, as the donor's files were at the beginning.
    pub total: u64,
}

impl CopySeen {
    /// How much of it has come, in percent. What comes after the copied bytes (the redo log's end, the preparation)
    /// takes a moment too: a copy under way is never at 100.
    pub fn percent(&self) -> u8 {
        let percent = self.done.saturating_mul(100) / self.total.max(1);
        u8::try_from(percent.min(99)).unwrap_or(99)
    }
}

/// How long nobody wrote at a change of writer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// The epoch that ended it.
    pub epoch: u64,
    /// When it ended.
    pub at: Millis,
    /// At most so many milliseconds: from the last moment at which the old writer was known to be well until HAProxy
    /// was seen to lead to the new one, and one more try of whoever waits there.
    pub ms: u64,
}

impl Observed {
    /// One proxy; an empty value before the first look.
    pub fn proxy(&self, id: PoolId) -> &ProxySeen {
        /// A copy for each question made a picture of N servers cost N² (each holds all of them and the file).
        static UNSEEN: ProxySeen = ProxySeen::unseen();
        self.proxies.get(&id).unwrap_or(&UNSEEN)
    }

    /// Takes in a look at a database that was begun at `at`. What a younger look found stays.
    pub fn see_database(&mut self, name: &ServerName, at: Millis, look: Result<DatabaseSeen, Fault>) {
        let begun = || {
            let process = self.processes.get(&ProcessId::Database(name.clone()));
            process.is_some_and(|process| process.started_at.is_some())
        };
        let before = self.databases.entry(name.clone()).or_default();
        match look {
            Ok(mut seen) => {
                // The first answer that a Cordée gets that has just been started says nothing about a return.
                let back = match before {
                    // A single question that was late is no absence.
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
                // Read after the numbering: it has all that was written before that.
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

    /// Forgets what a step is about to alter, and what a look from before would still say.
    pub fn unsettle(&mut self, step: &Step) {
        let Step::Sql(SqlStep::NumberIds { name, .. }) = step else { return };
        self.numbered.remove(name);
        if let Some(Seen::At(_, seen)) = self.databases.get_mut(name) {
            seen.variables.remove(ids::STEP);
        }
    }

    /// Notes that a step began or ended, if channels rest for it.
    pub fn note_rest(&mut self, step: &Step, now: Millis) {
        let Some(name) = step.rests_links() else { return };
        let rest = self.rests.entry(name.clone()).or_insert(Rest { since: now, at: now });
        if now.saturating_sub(rest.at) > ONE_REST {
            rest.since = now;
        }
        rest.at = now;
    }

    /// What is known of one process.
    pub fn process(&self, id: &ProcessId) -> &ProcessSeen {
        static UNSEEN: ProcessSeen = ProcessSeen::unseen();
        self.processes.get(id).unwrap_or(&UNSEEN)
    }
}
