//! The lab: it compares ways to keep sessions, on a separate cluster that it starts and removes. Visitors of the
//! real cluster notice nothing but the load.

mod experiments;
mod sandbox;

use std::path::PathBuf;
use std::sync::Arc;

use cordee_domain::problem::Problem;
use cordee_domain::text;
use cordee_domain::text::{Arg, Text, Thing};
use cordee_domain::trial::{Cell, End, Run, Way, cells};
use cordee_node::clock::now;
use cordee_node::paths::Home;

use crate::jobs::{Doing, TrialJobs, UnderWay, Worker};
use crate::store::{Store, store_failed};

use experiments::{APART, Setup};
use sandbox::Sandbox;

/// The subject of its journal entries.
const SUBJECT: &str = "sessions";

/// The lab.
#[derive(Debug)]
pub struct Lab {
    folder: PathBuf,
    log: PathBuf,
    store: Arc<Store>,
    jobs: Arc<TrialJobs>,
}

impl Lab {
    /// Returns the lab of a cluster.
    pub fn new(home: &Home, store: Arc<Store>, jobs: Arc<TrialJobs>) -> Self {
        Self { folder: home.sandbox(), log: home.logs().join("sandbox.log"), store, jobs }
    }

    fn show(&self, run: &Run, doing: Doing) {
        self.jobs.show(Some(UnderWay { run: run.clone(), doing }));
    }

    async fn clear(&self) {
        if let Err(why) = sandbox::clear(&self.folder, &self.log).await {
            tracing::warn!(why = %why.key, "the lab's cluster was not taken away");
        }
    }
}

/// Returns a journal entry about a run.
fn told(run: u64, says: Text) -> Text {
    text!("name-alone", name = Arg::Called { thing: Thing::Comparison(run), says: Box::new(says) })
}

impl Worker for Lab {
    type Order = ();
    type Act = Run;

    fn busy() -> Text {
        text!("problem-trial-running")
    }

    fn other_busy() -> Text {
        text!("problem-drill-running")
    }

    async fn recover(&self) {
        if let Err(error) = Store::off_thread(&self.store, Store::break_trials_off).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "trials");
        }
        self.clear().await;
    }

    async fn begin(&self, (): (), actor: String) -> Result<(u64, Run), Problem> {
        let begun = Store::off_thread(&self.store, move |store| {
            let run = store.begin_trial(&actor)?;
            store.note(&actor, SUBJECT, None, &told(run.id, text!("event-trial-begun")))?;
            Ok((run.id, run))
        });
        begun.await.map_err(|error| Problem::invalid("", store_failed(&error)))
    }

    async fn work(&self, run: &mut Run) -> Result<(), Text> {
        self.show(run, Doing::Starting);
        self.clear().await;
        let sandbox = Sandbox::start(&self.folder, &self.log).await?;
        for (way, experiment) in cells() {
            self.show(run, Doing::Measuring(way, experiment));
            if way == Way::TwoWriters && !run.cells.iter().any(|c| c.way == way) {
                sandbox.two_writers(APART).await?;
            }
            let measure = Setup { sandbox: &sandbox, way }.measure(experiment).await;
            run.cells.push(Cell { way, experiment, at: now(), measure });
            let kept = run.clone();
            let stored = Store::off_thread(&self.store, move |store| store.keep_trial(&kept));
            stored.await.map_err(|error| store_failed(&error))?;
        }
        Ok(())
    }

    async fn finish(&self, mut run: Run, end: End, by: String) {
        self.show(&run, Doing::Clearing);
        self.clear().await;
        run.ended = Some(now());
        run.end = end;
        let sentence = told(run.id, run.end.sentence());
        let stored = Store::off_thread(&self.store, move |store| {
            store.keep_trial(&run)?;
            store.note(&by, SUBJECT, None, &sentence)
        });
        if let Err(error) = stored.await {
            store_failed(&error);
        }
        self.jobs.show(None);
    }

    /// The next start of Cordée cleans up: there is no time for it now.
    async fn abandon(&self, _: Run) {}
}
