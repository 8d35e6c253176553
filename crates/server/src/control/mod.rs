//! What an operator asks for, through any interface: the page, the API and the command line translate their input
//! into an [`Act`] and the answer into their own form. Between these everything is decided here, in one place:
//! whether a drill is in the way, what the operator has to confirm, what the wish says against it. Then the act is
//! stored or handed to the component that carries it out, and its effect is waited for where the caller wants
//! that.
//!
//! Who may ask at all is decided in front of the handlers (`web/session`, `web/proof`), where cookies and headers
//! are known.

pub mod act;
pub mod adding;
pub mod guard;
pub mod guest;
mod rows;
mod server;
mod settle;

use std::sync::Arc;
use std::time::Duration;

use cordee_domain::change::Request;
use cordee_domain::desired::Desired;
use cordee_domain::ids::ServerName;
use cordee_domain::problem::Problem;
use cordee_domain::real::Real;
use cordee_domain::text;
use cordee_domain::text::Text;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout, timeout_at};

use crate::board::{Ask, Board, Cleaning, JoinPlan};
use crate::jobs::{DrillJobs, JobQueue, JobRequest, TrialJobs};
use crate::store::{CommitError, Store, StoreError};

use act::{Act, Consent};
use guest::Waiting;

pub use server::Weighed;

/// Time within which the engine must answer; after that the caller is told that it does not.
pub const ENGINE_DEADLINE: Duration = Duration::from_secs(20);
/// The same for a job queue.
const JOB_DEADLINE: Duration = Duration::from_secs(10);

/// Everything that is needed to carry out acts.
#[derive(Clone, Copy, Debug)]
pub struct Control<'a> {
    /// Wishes and the journal.
    pub store: &'a Arc<Store>,
    /// Where the engine is reached.
    pub board: &'a Arc<Board>,
    /// The job queue of the comparison of sessions.
    pub trials: &'a TrialJobs,
    /// The job queue of the drills.
    pub drills: &'a DrillJobs,
    /// Databases that were examined and await an operator's confirmation.
    pub guests: &'a Waiting,
}

/// Who asks.
#[derive(Clone, Debug, Default)]
pub struct Who {
    /// The name that the journal shows.
    pub actor: String,
    /// How long the caller waits until the wish is real; `None`: not at all.
    pub wait: Option<Duration>,
}

impl Who {
    /// A caller that does not wait.
    pub const fn now(actor: String) -> Self {
        Self { actor, wait: None }
    }
}

/// What was accepted.
#[derive(Debug)]
pub struct Done {
    /// The revision of the newest wish at that time.
    pub revision: u64,
    /// The effect.
    pub effect: Effect,
}

/// The effect of an act.
#[derive(Debug)]
pub enum Effect {
    /// A wish was stored.
    Wished {
        /// Its sentence.
        says: Text,
        /// How far its realisation is, where that was waited for.
        real: Option<Real>,
    },
    /// A server was added.
    Added {
        /// The sentence.
        says: Text,
        /// Its name.
        name: ServerName,
        /// The wish that contains it.
        desired: Box<Desired>,
        /// How far its realisation is, where that was waited for.
        real: Option<Real>,
    },
    /// The engine has noted the order; this sentence says so.
    Noted(Text),
    /// These leftovers were removed.
    Cleaned(Cleaning),
    /// A job begins, under this number.
    Begun(u64),
    /// A job is given up; `false`: there was none.
    Cancelled(bool),
}

impl Effect {
    /// Returns the sentence, where there is one.
    pub const fn says(&self) -> Option<&Text> {
        match self {
            Self::Wished { says, .. } | Self::Added { says, .. } | Self::Noted(says) => Some(says),
            Self::Cleaned(_) | Self::Begun(_) | Self::Cancelled(_) => None,
        }
    }
}

/// Why an act was not carried out.
#[derive(Debug)]
pub enum Declined {
    /// It was refused, for each of these reasons.
    Refused(Vec<Problem>),
    /// No database can join now, whatever is typed.
    Unready(Vec<Problem>),
    /// The store failed.
    Store(StoreError),
    /// The engine does not answer, and nothing was done: Cordée is stopping.
    Stopping,
    /// The act was handed on, and no answer came: it may have been done.
    Unanswered,
    /// A question that changes nothing was not answered within this many seconds.
    Slow(u64),
}

impl From<CommitError> for Declined {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Refused(problems) => Self::Refused(problems),
            CommitError::Store(error) => Self::Store(error),
        }
    }
}

impl From<StoreError> for Declined {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Problem> for Declined {
    fn from(problem: Problem) -> Self {
        Self::Refused(vec![problem])
    }
}

impl Control<'_> {
    /// Carries out an act, or returns why not.
    pub async fn act(self, act: Act, consent: &Consent, who: Who) -> Result<Done, Declined> {
        if act.waits_for_drills() {
            self.undisturbed()?;
        }
        match act {
            Act::Server(pool, name, act) => self.on_server(pool, &name, act, consent, who).await,
            Act::Add(newcomer) => self.add(newcomer, who).await,
            Act::SetRouting(routing) => {
                let routing = guard::may_share(&self.board.snapshot(), routing)?;
                self.wish(Request::SetRouting { routing }, who).await
            }
            Act::SetSession(mode) => self.wish(Request::SetSession { mode }, who).await,
            Act::SetKeeping { days, shorten, trusted } => {
                self.wish(Request::SetKeeping { days, shorten, trusted }, who).await
            }
            Act::Reload(proxy) => self.wish(Request::Reload { proxy }, who).await,
            Act::Verify(name) => self.verify(&name).await,
            Act::Repair(name, side) => self.repair(&name, side, consent, who).await,
            Act::Clean => self.clean(who).await,
            Act::BeginTrial => self.begin(self.trials, (), who).await,
            Act::CancelTrial => self.cancel(self.trials, who).await,
            Act::BeginDrill(raw) => {
                let order = raw.read(&self.board.desired()).map_err(Declined::Refused)?;
                self.begin(self.drills, order, who).await
            }
            Act::CancelDrill => self.cancel(self.drills, who).await,
        }
    }

    /// Refuses while a drill is under way: other changes would be counted as its effect.
    fn undisturbed(self) -> Result<(), Problem> {
        match self.drills.under_way() {
            Some(_) => Err(Problem::conflict("", text!("problem-drill-wait"))),
            None => Ok(()),
        }
    }

    /// Stores a wish, and waits for its effect as long as the caller wants.
    async fn wish(self, request: Request, who: Who) -> Result<Done, Declined> {
        // Checked again: a drill may have begun since the first check.
        if !matches!(request, Request::SetKeeping { .. }) {
            self.undisturbed()?;
        }
        let says = request.sentence();
        let desired = self.commit(request.clone(), who.actor).await?;
        let real = self.effect(request, desired.revision, who.wait).await;
        Ok(Done { revision: desired.revision, effect: Effect::Wished { says, real } })
    }

    async fn commit(self, request: Request, actor: String) -> Result<Desired, Declined> {
        let store = self.store.clone();
        Ok(blocking(move || store.commit(&request, &actor)).await?)
    }

    async fn effect(self, request: Request, revision: u64, wait: Option<Duration>) -> Option<Real> {
        match wait {
            Some(wait) => Some(self.settle(&request.into(), revision, wait).await),
            None => None,
        }
    }

    /// Begins a job at a job queue.
    async fn begin<O, U>(self, jobs: &JobQueue<O, U>, order: O, who: Who) -> Result<Done, Declined> {
        let asked = jobs.ask(|reply| JobRequest::Begin { order, actor: who.actor, reply });
        let id = answered(timeout(JOB_DEADLINE, asked).await)??;
        Ok(self.done(Effect::Begun(id)))
    }

    /// Gives up the job that is under way at a job queue.
    async fn cancel<O, U>(self, jobs: &JobQueue<O, U>, who: Who) -> Result<Done, Declined> {
        let asked = jobs.ask(|reply| JobRequest::Cancel { actor: who.actor, reply });
        let cancelled = answered(timeout(JOB_DEADLINE, asked).await)?;
        Ok(self.done(Effect::Cancelled(cancelled)))
    }

    fn done(self, effect: Effect) -> Done {
        Done { revision: self.board.desired().revision, effect }
    }

    /// Has the engine carry out an order that is no wish.
    async fn order<T>(self, order: impl FnOnce(oneshot::Sender<T>) -> Ask) -> Result<T, Declined> {
        answered(timeout(ENGINE_DEADLINE, self.board.ask(order)).await)
    }

    /// Asks the engine a question that changes nothing, until `deadline`.
    async fn look<T>(
        self,
        question: impl FnOnce(oneshot::Sender<T>) -> Ask,
        deadline: Instant,
    ) -> Result<T, Declined> {
        match timeout_at(deadline, self.board.ask(question)).await {
            Ok(answer) => answer.ok_or(Declined::Stopping),
            Err(_) => Err(Declined::Slow(ENGINE_DEADLINE.as_secs())),
        }
    }

    /// Lists the leftovers that no wish explains; nothing is removed.
    pub async fn leftovers(self) -> Result<Cleaning, Declined> {
        let found = self.look(|reply| Ask::Clean { apply: false, reply }, soon()).await?;
        found.ok_or_else(rows::cleaning)
    }

    /// Returns how a new database would join; nothing is done.
    pub async fn join_plan(self) -> Result<JoinPlan, Declined> {
        self.look(Ask::Join, soon()).await?.map_err(Declined::Unready)
    }
}

/// Returns the time by which the engine must have answered a question asked now.
fn soon() -> Instant {
    Instant::now() + ENGINE_DEADLINE
}

/// Reads the answer to an order that changes something. After a timeout nobody knows whether it was carried out;
/// when the engine is stopping, it was not.
fn answered<T, E>(answer: Result<Option<T>, E>) -> Result<T, Declined> {
    match answer {
        Ok(Some(answer)) => Ok(answer),
        Ok(None) => Err(Declined::Stopping),
        Err(_) => Err(Declined::Unanswered),
    }
}

/// Runs a store call on a thread that may block.
pub async fn blocking<T: Send + 'static>(call: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(call).await {
        Ok(value) => value,
        // A panic in the call is resumed in its caller, as if there were no other thread.
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
