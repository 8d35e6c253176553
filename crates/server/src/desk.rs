//! The lab's desk: what was asked of it, and how far it is. The page and the lab meet here, as the page and the
//! engine meet at the [board](crate::board).

use std::sync::Arc;

use cordee_domain::problem::Problem;
use cordee_domain::trial::{Experiment, Run, Way};
use tokio::sync::{mpsc, oneshot, watch};

/// What a person asks of the lab.
#[derive(Debug)]
pub enum LabAsk {
    /// Begin a run.
    Begin {
        /// Who asks.
        actor: String,
        /// Its id, or why not.
        reply: oneshot::Sender<Result<u64, Problem>>,
    },
    /// Give the present run up.
    Cancel {
        /// Who asks.
        actor: String,
        /// Whether there was one.
        reply: oneshot::Sender<bool>,
    },
}

/// What is being done now.
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

/// The desk itself. Shared by `Arc`.
#[derive(Debug)]
pub struct Desk {
    under_way: watch::Sender<Option<Arc<UnderWay>>>,
    asks: mpsc::Sender<LabAsk>,
}

/// Questions that may wait for the lab.
const ASKS_KEPT: usize = 8;

impl Desk {
    /// An empty desk, and the end at which questions come out.
    pub fn new() -> (Arc<Self>, mpsc::Receiver<LabAsk>) {
        let (asks, questions) = mpsc::channel(ASKS_KEPT);
        (Arc::new(Self { under_way: watch::Sender::default(), asks }), questions)
    }

    /// The run under way.
    pub fn under_way(&self) -> Option<Arc<UnderWay>> {
        self.under_way.borrow().clone()
    }

    /// Follows it.
    pub fn watch(&self) -> watch::Receiver<Option<Arc<UnderWay>>> {
        self.under_way.subscribe()
    }

    /// Says how far it is (only the lab does).
    pub fn show(&self, under_way: Option<UnderWay>) {
        self.under_way.send_replace(under_way.map(Arc::new));
    }

    /// Asks the lab. `None` when it does not answer (it is stopping).
    pub async fn ask<T>(&self, question: impl FnOnce(oneshot::Sender<T>) -> LabAsk) -> Option<T> {
        let (reply, answer) = oneshot::channel();
        self.asks.send(question(reply)).await.ok()?;
        answer.await.ok()
    }
}
