//! Job queues for work that takes a while: the orders given to them, and the progress of their work. The page and
//! the comparison of sessions or the failover drills communicate here, as the page and the engine do on the
//! [board](crate::board).
//!
//! Both kinds work in the same way: one job at a time, begun and cancelled by the operator, and recorded before
//! anything is done.

use std::sync::Arc;

use cordee_domain::drill::{self, Drill};
use cordee_domain::problem::Problem;
use cordee_domain::text::Text;
use cordee_domain::trial::{End, Experiment, Run, Way};
use tokio::sync::{Semaphore, mpsc, oneshot, watch};

/// What the operator asks of a job queue.
#[derive(Debug)]
pub enum JobRequest<O> {
    /// Begin a job.
    Begin {
        /// What to do.
        order: O,
        /// Who asks.
        actor: String,
        /// Receives the job's id, or why it is refused.
        reply: oneshot::Sender<Result<u64, Problem>>,
    },
    /// Cancel the running job.
    Cancel {
        /// Who asks.
        actor: String,
        /// Receives whether there was one.
        reply: oneshot::Sender<bool>,
    },
}

/// The current activity of the comparison of sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doing {
    /// The run's own cluster is being started.
    Starting,
    /// A cell is being measured.
    Measuring(Way, Experiment),
    /// The run's own cluster is being removed.
    Clearing,
}

/// A running comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnderWay {
    /// What was measured so far.
    pub run: Run,
    /// The current activity.
    pub doing: Doing,
}

/// The current activity of a drill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Visitors begin their sessions.
    Gathering,
    /// Visitors come and go; the fault has not been caused yet.
    Before,
    /// The target is held down.
    Down,
    /// The target was killed, or the fault was undone.
    After,
    /// The drill waits for the last answers.
    Closing,
}

/// A running drill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DrillUnderWay {
    /// What was counted so far.
    pub drill: Drill,
    /// The current activity.
    pub phase: Phase,
    /// Milliseconds since the drill's first request.
    pub ms: u64,
}

/// The job queue itself. It is shared by `Arc`.
#[derive(Debug)]
pub struct JobQueue<O, U> {
    under_way: watch::Sender<Option<Arc<U>>>,
    asks: mpsc::Sender<JobRequest<O>>,
}

/// The job queue of the comparison of sessions.
pub type TrialJobs = JobQueue<(), UnderWay>;
/// The job queue of the drills.
pub type DrillJobs = JobQueue<drill::Order, DrillUnderWay>;

/// How many requests may wait in a queue.
const ASKS_KEPT: usize = 8;

impl<O, U> JobQueue<O, U> {
    /// Returns an empty job queue, and the receiver of its requests.
    pub fn new() -> (Arc<Self>, mpsc::Receiver<JobRequest<O>>) {
        let (asks, questions) = mpsc::channel(ASKS_KEPT);
        (Arc::new(Self { under_way: watch::Sender::new(None), asks }), questions)
    }

    /// Returns the running job, if there is one.
    pub fn under_way(&self) -> Option<Arc<U>> {
        self.under_way.borrow().clone()
    }

    /// Subscribes to changes of the running job.
    pub fn watch(&self) -> watch::Receiver<Option<Arc<U>>> {
        self.under_way.subscribe()
    }

    /// Publishes the progress. Only the worker calls it.
    pub fn show(&self, under_way: Option<U>) {
        self.under_way.send_replace(under_way.map(Arc::new));
    }

    /// Sends a request and waits for the answer. `None` if there is no answer, because Cordée is shutting down.
    pub async fn ask<T>(&self, question: impl FnOnce(oneshot::Sender<T>) -> JobRequest<O>) -> Option<T> {
        let (reply, answer) = oneshot::channel();
        self.asks.send(question(reply)).await.ok()?;
        answer.await.ok()
    }
}

/// What carries out the orders of a job queue.
pub trait Worker: Sync {
    /// An order.
    type Order: Send;
    /// A job under way.
    type Act: Send;
    /// Why no job is begun while another one of this kind runs.
    fn busy() -> Text;
    /// Why no job is begun while one of the other kind runs.
    fn other_busy() -> Text;
    /// Removes or undoes what an earlier Cordée left behind.
    fn recover(&self) -> impl Future<Output = ()> + Send;
    /// Records that a job is begun, or returns why it is not.
    fn begin(
        &self,
        order: Self::Order,
        actor: String,
    ) -> impl Future<Output = Result<(u64, Self::Act), Problem>> + Send;
    /// Does the work. The future may be dropped at any moment.
    fn work(&self, act: &mut Self::Act) -> impl Future<Output = Result<(), Text>> + Send;
    /// Undoes the effects of the job, and records how it ended and by whom.
    fn finish(&self, act: Self::Act, end: End, by: String) -> impl Future<Output = ()> + Send;
    /// Undoes what cannot wait for the next start: Cordée is shutting down.
    fn abandon(&self, act: Self::Act) -> impl Future<Output = ()> + Send;
}

/// Serves a job queue until `stop`. A running job holds the one `turn` that all job queues share.
pub async fn attend<C: Worker>(
    worker: C,
    mut asks: mpsc::Receiver<JobRequest<C::Order>>,
    turn: Arc<Semaphore>,
    stop: impl Future<Output = ()> + Send,
) {
    tokio::pin!(stop);
    meanwhile(&mut asks, C::busy, worker.recover()).await;
    loop {
        let ask = tokio::select! {
            () = &mut stop => return,
            ask = asks.recv() => ask,
        };
        let (order, actor, reply) = match ask {
            None => return,
            Some(JobRequest::Cancel { reply, .. }) => {
                let _ = reply.send(false);
                continue;
            }
            Some(JobRequest::Begin { order, actor, reply }) => (order, actor, reply),
        };
        let Ok(_turn) = turn.try_acquire() else {
            let _ = reply.send(Err(Problem::conflict("", C::other_busy())));
            continue;
        };
        let mut act = match worker.begin(order, actor).await {
            Err(problem) => {
                let _ = reply.send(Err(problem));
                continue;
            }
            Ok((id, act)) => {
                let _ = reply.send(Ok(id));
                act
            }
        };
        let (end, by) = tokio::select! {
            result = worker.work(&mut act) => {
                (result.map_or_else(|why| End::Failed { why }, |()| End::Done), "cordee".to_owned())
            }
            who = cancelled(&mut asks, C::busy) => (End::Cancelled, who),
            () = &mut stop => {
                worker.abandon(act).await;
                return;
            }
        };
        meanwhile(&mut asks, C::busy, worker.finish(act, end, by)).await;
    }
}

/// Does `work` and answers requests meanwhile: a request does not wait while a job is being cleaned up.
async fn meanwhile<O>(
    asks: &mut mpsc::Receiver<JobRequest<O>>,
    busy: fn() -> Text,
    work: impl Future<Output = ()> + Send,
) {
    tokio::pin!(work);
    loop {
        let ask = tokio::select! {
            biased;
            () = &mut work => return,
            ask = asks.recv() => ask,
        };
        match ask {
            Some(JobRequest::Begin { reply, .. }) => {
                let _ = reply.send(Err(Problem::conflict("", busy())));
            }
            Some(JobRequest::Cancel { reply, .. }) => {
                let _ = reply.send(false);
            }
            None => return work.await,
        }
    }
}

/// Waits for a cancellation, and meanwhile refuses other orders. Returns who cancelled.
async fn cancelled<O>(asks: &mut mpsc::Receiver<JobRequest<O>>, busy: fn() -> Text) -> String {
    loop {
        match asks.recv().await {
            Some(JobRequest::Begin { reply, .. }) => {
                let _ = reply.send(Err(Problem::conflict("", busy())));
            }
            Some(JobRequest::Cancel { actor, reply }) => {
                let _ = reply.send(true);
                return actor;
            }
            None => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use cordee_domain::text;

    use super::*;

    /// A worker that records what is asked of it; its work never ends, or ends at once.
    struct Clerk {
        endless: bool,
        book: Arc<Mutex<Vec<String>>>,
        /// `finish` waits for this.
        slow: Option<Arc<tokio::sync::Notify>>,
    }

    impl Clerk {
        fn note(&self, what: impl Into<String>) {
            self.book.lock().unwrap().push(what.into());
        }
    }

    impl Worker for Clerk {
        type Order = u64;
        type Act = u64;

        fn busy() -> Text {
            text!("problem-drill-running")
        }

        fn other_busy() -> Text {
            text!("problem-trial-running")
        }

        async fn recover(&self) {
            self.note("recover");
        }

        async fn begin(&self, order: u64, actor: String) -> Result<(u64, u64), Problem> {
            self.note(format!("begin {order} {actor}"));
            if order == 0 { Err(Problem::invalid("", text!("problem-store"))) } else { Ok((order, order)) }
        }

        async fn work(&self, act: &mut u64) -> Result<(), Text> {
            if self.endless {
                std::future::pending::<()>().await;
            }
            if *act == 7 { Err(text!("problem-store")) } else { Ok(()) }
        }

        async fn finish(&self, act: u64, end: End, by: String) {
            if let Some(slow) = &self.slow {
                slow.notified().await;
            }
            self.note(format!("finish {act} {} {by}", end.as_str()));
        }

        async fn abandon(&self, act: u64) {
            self.note(format!("abandon {act}"));
        }
    }

    /// A job queue with its worker, and what the worker recorded.
    struct Office {
        jobs: Arc<JobQueue<u64, ()>>,
        book: Arc<Mutex<Vec<String>>>,
        close: oneshot::Sender<()>,
        open: tokio::task::JoinHandle<()>,
    }

    impl Office {
        /// Stops it, and returns what was recorded.
        async fn close(self) -> Vec<String> {
            drop(self.close);
            self.open.await.unwrap();
            self.book.lock().unwrap().clone()
        }
    }

    fn open(endless: bool, turn: Arc<Semaphore>) -> Office {
        open_with(endless, turn, None)
    }

    fn open_with(endless: bool, turn: Arc<Semaphore>, slow: Option<Arc<tokio::sync::Notify>>) -> Office {
        let (jobs, asks) = JobQueue::new();
        let book: Arc<Mutex<Vec<String>>> = Arc::default();
        let clerk = Clerk { endless, book: Arc::clone(&book), slow };
        let (close, closed) = oneshot::channel::<()>();
        let open = tokio::spawn(attend(clerk, asks, turn, async move { drop(closed.await) }));
        Office { jobs, book, close, open }
    }

    async fn begin(jobs: &JobQueue<u64, ()>, order: u64) -> Result<u64, String> {
        let asked = jobs.ask(|reply| JobRequest::Begin { order, actor: "ada".to_owned(), reply }).await;
        asked.unwrap().map_err(|problem| problem.text.key.into_owned())
    }

    async fn cancel(jobs: &JobQueue<u64, ()>) -> bool {
        jobs.ask(|reply| JobRequest::Cancel { actor: "bob".to_owned(), reply }).await.unwrap()
    }

    #[tokio::test]
    async fn what_ends_by_itself_is_finished_and_a_refusal_is_told() {
        let office = open(false, Arc::new(Semaphore::new(1)));
        let jobs = &office.jobs;
        assert_eq!(begin(jobs, 0).await, Err("problem-store".to_owned()));
        assert_eq!(begin(jobs, 3).await, Ok(3));
        assert_eq!(begin(jobs, 7).await, Ok(7));
        assert!(!cancel(jobs).await);
        let all = [
            "recover",
            "begin 0 ada",
            "begin 3 ada",
            "finish 3 done cordee",
            "begin 7 ada",
            "finish 7 failed cordee",
        ];
        assert_eq!(office.close().await, all);
    }

    #[tokio::test]
    async fn nobody_waits_for_what_is_being_taken_away() {
        let done = Arc::new(tokio::sync::Notify::new());
        let office = open_with(true, Arc::new(Semaphore::new(1)), Some(Arc::clone(&done)));
        let jobs = &office.jobs;
        assert_eq!(begin(jobs, 1).await, Ok(1));
        assert!(cancel(jobs).await);
        let soon = std::time::Duration::from_secs(5);
        let again = tokio::time::timeout(soon, begin(jobs, 2)).await.expect("an answer meanwhile");
        assert_eq!(again, Err("problem-drill-running".to_owned()));
        assert!(!tokio::time::timeout(soon, cancel(jobs)).await.expect("an answer meanwhile"));
        done.notify_one();
        while begin(jobs, 3).await != Ok(3) {
            tokio::task::yield_now().await;
        }
        assert_eq!(
            office.close().await,
            ["recover", "begin 1 ada", "finish 1 cancelled bob", "begin 3 ada", "abandon 3"]
        );
    }

    #[tokio::test]
    async fn all_jobs_share_one_turn_and_what_is_given_up_is_finished() {
        let turn = Arc::new(Semaphore::new(1));
        let (one, other) = (open(true, turn.clone()), open(true, turn));
        assert_eq!(begin(&one.jobs, 1).await, Ok(1));
        assert_eq!(begin(&one.jobs, 2).await, Err("problem-drill-running".to_owned()));
        assert_eq!(begin(&other.jobs, 2).await, Err("problem-trial-running".to_owned()));
        assert!(cancel(&one.jobs).await && !cancel(&one.jobs).await);
        assert_eq!(begin(&other.jobs, 2).await, Ok(2));
        assert!(cancel(&other.jobs).await);
        assert!(!cancel(&other.jobs).await, "it was finished before this was read");
        assert_eq!(begin(&one.jobs, 3).await, Ok(3));
        let all = ["recover", "begin 1 ada", "finish 1 cancelled bob", "begin 3 ada", "abandon 3"];
        assert_eq!(one.close().await, all);
    }
}
