//! The lab: it compares ways to keep sessions, on a cluster of its own that it starts and takes away. Visitors of
//! the real one notice nothing but the load.

mod experiments;
mod sandbox;

use std::path::PathBuf;
use std::sync::Arc;

use cordee_domain::problem::Problem;
use cordee_domain::text;
use cordee_domain::text::Text;
use cordee_domain::trial::{Cell, End, Run, Way, cells};
use tokio::sync::mpsc;

use crate::clock::now;
use crate::desk::{Desk, Doing, LabAsk, UnderWay};
use crate::paths::Home;
use crate::store::{Store, StoreError};

use experiments::{APART, Trial};
use sandbox::Sandbox;

/// What stands in the journal as the subject.
const SUBJECT: &str = "sessions";

/// The lab.
#[derive(Debug)]
pub struct Lab {
    folder: PathBuf,
    log: PathBuf,
    store: Arc<Store>,
    desk: Arc<Desk>,
}

impl Lab {
    /// A lab for a cluster.
    pub fn new(home: &Home, store: Arc<Store>, desk: Arc<Desk>) -> Self {
        Self { folder: home.sandbox(), log: home.logs().join("sandbox.log"), store, desk }
    }

    /// Answers until `stop`. What an earlier one left is taken away first.
    pub async fn run(self, mut asks: mpsc::Receiver<LabAsk>, stop: impl Future<Output = ()>) {
        tokio::pin!(stop);
        if let Err(error) = self.blocking(Store::break_trials_off).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "trials");
        }
        self.clear().await;
        loop {
            let ask = tokio::select! {
                () = &mut stop => return,
                ask = asks.recv() => ask,
            };
            match ask {
                None => return,
                Some(LabAsk::Cancel { reply, .. }) => {
                    let _ = reply.send(false);
                }
                Some(LabAsk::Begin { actor, reply }) => match self.begin(actor).await {
                    Err(problem) => {
                        let _ = reply.send(Err(problem));
                    }
                    Ok(run) => {
                        let _ = reply.send(Ok(run.id));
                        let stopped = self.conduct(run, &mut asks, &mut stop).await;
                        if stopped {
                            return;
                        }
                    }
                },
            }
        }
    }

    async fn blocking<T: Send + 'static>(
        &self,
        call: impl FnOnce(&Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let store = self.store.clone();
        match tokio::task::spawn_blocking(move || call(&store)).await {
            Ok(result) => result,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }

    async fn begin(&self, actor: String) -> Result<Run, Problem> {
        let begun = self.blocking(move |store| {
            let run = store.begin_trial(&actor)?;
            store.note(&actor, SUBJECT, None, &text!("event-trial-begun"))?;
            Ok(run)
        });
        begun.await.map_err(|error| {
            tracing::error!(error = &error as &dyn std::error::Error, "store");
            Problem::invalid("", text!("problem-store"))
        })
    }

    /// Runs all experiments, or until somebody gives them up. `true`: Cordée is stopping.
    async fn conduct(
        &self,
        mut run: Run,
        asks: &mut mpsc::Receiver<LabAsk>,
        stop: &mut (impl Future<Output = ()> + Unpin),
    ) -> bool {
        let (end, by) = tokio::select! {
            result = self.measure(&mut run) => {
                (result.map_or_else(|why| End::Failed { why }, |()| End::Done), "cordee".to_owned())
            }
            who = cancelled(asks) => (End::Cancelled, who),
            // The next Cordée clears up: there is no time for it now.
            () = stop => return true,
        };
        self.show(&run, Doing::Clearing);
        self.clear().await;
        run.ended = Some(now());
        run.end = end;
        let (kept, sentence) = (run.clone(), run.end.sentence());
        let stored = self.blocking(move |store| {
            store.keep_trial(&kept)?;
            store.note(&by, SUBJECT, None, &sentence)
        });
        if let Err(error) = stored.await {
            tracing::error!(error = &error as &dyn std::error::Error, "store");
        }
        self.desk.show(None);
        false
    }

    fn show(&self, run: &Run, doing: Doing) {
        self.desk.show(Some(UnderWay { run: run.clone(), doing }));
    }

    async fn measure(&self, run: &mut Run) -> Result<(), Text> {
        self.show(run, Doing::Starting);
        self.clear().await;
        let sandbox = Sandbox::start(&self.folder, &self.log).await?;
        for (way, experiment) in cells() {
            self.show(run, Doing::Measuring(way, experiment));
            if way == Way::TwoWriters && !run.cells.iter().any(|c| c.way == way) {
                sandbox.two_writers(APART).await?;
            }
            let measure = Trial { sandbox: &sandbox, way }.measure(experiment).await;
            run.cells.push(Cell { way, experiment, at: now(), measure });
            let kept = run.clone();
            self.blocking(move |store| store.keep_trial(&kept)).await.map_err(|error| {
                tracing::error!(error = &error as &dyn std::error::Error, "store");
                text!("problem-store")
            })?;
        }
        Ok(())
    }

    async fn clear(&self) {
        if let Err(why) = sandbox::clear(&self.folder, &self.log).await {
            tracing::warn!(why = %why.key, "the lab's cluster was not taken away");
        }
    }
}

/// Waits until somebody gives the run up, and tells everybody else that there is one.
async fn cancelled(asks: &mut mpsc::Receiver<LabAsk>) -> String {
    loop {
        match asks.recv().await {
            Some(LabAsk::Begin { reply, .. }) => {
                let _ = reply.send(Err(Problem::conflict("", text!("problem-trial-running"))));
            }
            Some(LabAsk::Cancel { actor, reply }) => {
                let _ = reply.send(true);
                return actor;
            }
            None => std::future::pending().await,
        }
    }
}
