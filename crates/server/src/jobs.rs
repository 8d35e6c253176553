//! Job queues of what takes a while: what was asked of them, and how far they are. The page meets the comparison of
//! sessions and the failover drills here, as the page and the engine meet at the [board](crate::board).
//!
//! Both are conducted the same way: one at a time of either, begun and given up by a person, written down before
//! anything is done.

use std::sync::Arc;

use cordee_domain::drill::{self, Drill};
use cordee_domain::problem::Problem;
use cordee_domain::text::Text;
use cordee_domain::trial::{End, Experiment, Run, Way};
use tokio::sync::{Semaphore, mpsc, oneshot, watch};

/// What a person asks at a job queue.
#[derive(Debug)]
pub enum JobRequest<O> {
    /// Begin.
    Begin {
        /// What.
        order: O,
        /// Who asks.
        actor: String,
        /// Its id, or why not.
        reply: oneshot::Sender<Result<u64, Problem>>,
    },
    /// Give up what is under way.
    Cancel {
        /// Who asks.
        actor: String,
        /// Whether there was anything.
        reply: oneshot::Sender<bool>,
    },
}

/// What the comparison of sessions does now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doing {
    /// A cluster of the run's own is being started.
    Starting,
    /// A cell is being measured.
    Measuring(Way, Experiment),
    /// The run's own cluster is being taken away.
    Clearing,
}

/// A run under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnderWay {
    /// What was measured so far.
    pub run: Run,
    /// What is being done.
    pub doing: Doing,
}

/// What a drill does now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Visitors begin their sessions.
    Gathering,
    /// They come and go; nothing has fallen.
    Before,
    /// It is held down.
    Down,
    /// It was killed, or is put right again.
    After,
    /// The last answers are waited for.
    Closing,
}

/// A drill under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DrillUnderWay {
    /// What was counted so far.
    pub drill: Drill,
    /// What is being done.
    pub phase: Phase,
    /// Milliseconds since its first request.
    pub ms: u64,
}

/// The job queue itself. Shared by `Arc`.
#[derive(Debug)]
pub struct JobQueue<O, U> {
    under_way: watch::Sender<Option<Arc<U>>>,
    asks: mpsc::Sender<JobRequest<O>>,
}

/// The job queue of the comparison of sessions.
pub type TrialJobs = JobQueue<(), UnderWay>;
/// The job queue of the drills.
pub type DrillJobs = JobQueue<drill::Order, DrillUnderWay>;

/// Questions that may wait.
const ASKS_KEPT: usize = 8;

impl<O, U> JobQueue<O, U> {
    /// An empty job queue, and the end at which questions come out.
    pub fn new() -> (Arc<Self>, mpsc::Receiver<JobRequest<O>>) {
        let (asks, questions) = mpsc::channel(ASKS_KEPT);
        (Arc::new(Self { under_way: watch::Sender::new(None), asks }), questions)
    }

    /// What is under way.
    pub fn under_way(&self) -> Option<Arc<U>> {
        self.under_way.borrow().clone()
    }

    /// Follows it.
    pub fn watch(&self) -> watch::Receiver<Option<Arc<U>>> {
        self.under_way.subscribe()
    }

    /// Says how far it is (only who conducts it does).
    pub fn show(&self, under_way: Option<U>) {
        self.under_way.send_replace(under_way.map(Arc::new));
    }

    /// Asks. `None` when nobody answers (Cordée is stopping).
    pub async fn ask<T>(&self, question: impl FnOnce(oneshot::Sender<T>) -> JobRequest<O>) -> Option<T> {
        let (reply, answer) = oneshot::channel();
        self.asks.send(question(reply)).await.ok()?;
        answer.await.ok()
    }
}

/// Who does what is asked at a job queue.
pub trait Worker: Sync {
    /// What is asked.
    type Order: Send;
    /// What is under way.
    type Act: Send;
    /// Why nothing is begun while another one of this kind is under way.
    fn busy() -> Text;
    /// Why nothing is begun while one of the other kind is under way.
    fn other_busy() -> Text;
    /// Takes away or puts right what an earlier Cordée left.
    fn recover(&self) -> impl Future<Output = ()> + Send;
    /// Writes down that it is begun, or says why it is not.
    fn begin(
        &self,
        order: Self::Order,
        actor: String,
    ) -> impl Future<Output = Result<(u64, Self::Act), Problem>> + Send;
    /// Does it. May be dropped at any moment.
    fn work(&self, act: &mut Self::Act) -> impl Future<Output = Result<(), Text>> + Send;
    /// Puts right what it did, and writes down how it ended and by whom.
    fn finish(&self, act: Self::Act, end: End, by: String) -> impl Future<Output = ()> + Send;
    /// Puts right what cannot wait for the next Cordée: this one is stopping.
    fn abandon(&self, act: Self::Act) -> impl Future<Output = ()> + Send;
}

/// Answers at a job queue until `stop`. Whoever conducts holds the one `turn` that all job queues share.
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

/// Does what takes its time, and answers whoever asks: nobody waits for what is being taken away.
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

/// Waits until somebody gives it up, and tells everybody else that there is one.
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

    /// Writes down what is asked of it; its work never ends, or ends at once.
    struct Clerk {
        endless: bool,
        book: Arc<Mutex<Vec<String>>>,
        /// Until then what is finished is not.
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

    /// A job queue with its clerk, and what the clerk wrote.
    struct Office {
        jobs: Arc<JobQueue<u64, ()>>,
        book: Arc<Mutex<Vec<String>>>,
        close: oneshot::Sender<()>,
        open: tokio::task::JoinHandle<()>,
    }

    impl Office {
        /// Stops it, and gives what was written.
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
