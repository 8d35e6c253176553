//! Compares a database's rows with the writer's: in the background, one comparison at a time for each database.

use std::path::Path;
use std::sync::Arc;

use cordee_domain::db::conflict::{self, Way};
use cordee_domain::db::verify::{Pace, Progress, Report, Side};
use cordee_domain::desired::{Desired, Membership};
use cordee_domain::fault::Fault;
use cordee_domain::ids::ServerName;
use cordee_domain::observed::Comparison;
use cordee_domain::state::Severity;
use cordee_domain::step::{Outcome, RowsStep, Step, Subject};
use cordee_domain::text;
use cordee_domain::text::{Arg, Text};
use cordee_node::clock::now;
use cordee_node::files;
use cordee_node::verify::{Node, Watch, heal, make_way, verify};

use crate::store::{RowsRequest, StoreError};

use super::{Engine, Sight};

/// Gets a channel past the conflicts at which it stops; rows that are overwritten are saved first.
async fn past(
    reference: &Node,
    other: &Node,
    side: Side,
    file: &Path,
    watch: &Watch<'_>,
) -> Result<(), Fault> {
    let from = &reference.name;
    let mut tried = String::new();
    for _ in 0..conflict::MOST {
        if (watch.cancelled)() {
            return Err(text!("verify-cancelled").into());
        }
        let (error, words) = other.database.stopped_by(from).await?;
        match conflict::way(error, &words, side)? {
            Way::Free => return Ok(()),
            Way::Remove(conflict) => {
                // A row that is gone was removed by a Cordée that died right afterwards: resuming the channel
                // shows whether that was enough.
                if !make_way(reference, other, &conflict, file).await? && tried == words {
                    return Err(text!("repair-unknown-row", table = conflict.table.to_string()).into());
                }
                tried = words;
                other.database.resume(from).await?;
            }
            Way::Skip => other.database.skip_missing(from).await?,
        }
    }
    Err(text!("repair-many", from = from, count = conflict::MOST).into())
}

/// Returns the journal line for a step that failed. A repair is not retried by itself: the operator asked for it,
/// and has to ask again.
pub(super) fn failure(step: &Step, name: Arg, why: &Fault) -> Text {
    match step {
        Step::Rows(RowsStep::Repair { .. }) => text!("event-repair-failed", name = name, why = why),
        _ => text!("event-step-failed", name = name, why = why),
    }
}

/// Returns the journal line for a comparison. Tables that could not be compared are counted apart: they are no
/// good news.
fn told(name: &ServerName, report: &Report) -> (Severity, Text) {
    let (different, tables) = (report.different(), report.tables.len());
    let said = if different > 0 {
        let first = report.first_difference().map_or_else(String::new, |t| t.table.to_string());
        text!("event-rows-differ", name = name, count = different, table = first)
    } else if report.unproven() > 0 {
        let count = tables - report.unproven();
        text!("event-rows-equal-of", name = name, count = count, tables = tables, rows = report.rows)
    } else {
        text!("event-rows-equal", name = name, tables = tables, rows = report.rows)
    };
    let severity = match (different, report.unproven()) {
        (0, 0) => Severity::Good,
        (0, _) => Severity::Warning,
        _ => Severity::Critical,
    };
    match report.left_out_words() {
        Some(why) => (severity, text!("event-rows-left-out", said = said, why = why)),
        None => (severity, said),
    }
}

impl Engine {
    /// Starts a comparison; its outcome comes back as a sight.
    pub(super) fn compare(
        &mut self,
        (name, id): (ServerName, u32),
        with: ServerName,
        desired: &Arc<Desired>,
    ) {
        let node = |name: &ServerName| Node { name: name.clone(), database: self.database(name) };
        let (reference, other) = (node(&with), node(&name));
        // Somebody waits for the comparison of a new database, or of one that came back: it may take more of the
        // machine's time.
        let waited = desired.database(&name).is_some_and(|s| {
            *s.membership == Membership::Joining || self.observed.doubt(desired, s).is_some()
        });
        let pace = if waited { Pace { duty: 60, ..Pace::default() } } else { Pace::default() };
        let (out, board) = (self.out.clone(), self.parts.board.clone());
        self.observed.comparison_of(&name, id).running = Some(0);
        self.work.spawn(async move {
            let told = out.clone();
            let progress = |p: Progress| {
                // A full channel only loses a figure, and the next one replaces it.
                let _ = told.try_send(Sight::Rows { name: name.clone(), id, rows: p.rows });
            };
            let cancelled = || board.desired().db.server(&name).is_none_or(|s| s.id != id);
            let watch = Watch { now: &now, progress: &progress, cancelled: &cancelled };
            let result = verify(&reference, &[other], pace, &watch).await;
            let result = result.map(Box::new).map_err(Fault::Said);
            let _ = out.send(Sight::Compared { name, with, id, result }).await;
        });
    }

    /// Starts a repair; its outcome comes back as a sight.
    pub(super) fn repair(
        &mut self,
        (name, id): (ServerName, u32),
        with: ServerName,
        side: Side,
        desired: &Arc<Desired>,
    ) {
        let node = |name: &ServerName| Node { name: name.clone(), database: self.database(name) };
        let (reference, other) = (node(&with), node(&name));
        // What is written on the writer is replicated to all members.
        let peers: Vec<Node> = desired
            .members()
            .filter(|s| s.name != name && s.name != with && !s.stopped())
            .map(|s| node(&s.name))
            .collect();
        let out = self.out.clone();
        let shown = format!("lost/{name}-rows-{}.jsonl", now());
        let file = self.parts.machine.home.root.join(&shown);
        self.observed.comparison_of(&name, id).running = Some(0);
        let (board, epoch) = (self.parts.board.clone(), desired.epoch);
        self.work.spawn(async move {
            let told = out.clone();
            let progress = |p: Progress| {
                let _ = told.try_send(Sight::Rows { name: name.clone(), id, rows: p.rows });
            };
            // Another database may be added under the name, and another one may become the writer: neither must be
            // written to.
            let cancelled = || {
                let newest = board.desired();
                newest.epoch != epoch || newest.db.server(&name).is_none_or(|s| s.id != id)
            };
            let watch = Watch { now: &now, progress: &progress, cancelled: &cancelled };
            let result = match past(&reference, &other, side, &file, &watch).await {
                Ok(()) => heal(&reference, (&other, &peers), side, &file, &watch).await.map_err(Fault::Said),
                Err(why) => Err(why),
            };
            let result = result.map(Box::new);
            let _ = out.send(Sight::Repaired { name, with, side, id, file: shown, result }).await;
        });
    }

    /// Takes in the end of a repair.
    pub(super) fn repaired(&mut self, sight: Sight) {
        let Sight::Repaired { name, with, side, id, file, result } = sight else { return };
        if side == Side::Other {
            // What was written on the writer was replicated to all other members.
            let desired = self.parts.board.desired();
            for other in desired.members().filter(|s| s.id != id && s.name != with) {
                self.asked(&other.name, other.id, |c| c.wanted = true);
            }
        }
        // A failed repair is not retried by itself: the reason is shown, and the operator decides.
        self.asked(&name, id, |c| c.repair = None);
        let report = result.map(|healed| {
            let text = if healed.rows == 0 && files::is_gone(&self.parts.machine.home.root.join(&file)) {
                text!("event-repaired-nothing", name = &name)
            } else {
                text!("event-repaired", name = &name, rows = healed.rows, file = file)
            };
            self.note(name.as_str(), Some(Severity::Good), &text);
            for (table, why) in healed.refused {
                let text = text!("event-not-repaired", name = &name, table = table.to_string(), why = why);
                self.note(name.as_str(), Some(Severity::Warning), &text);
            }
            Box::new(healed.report)
        });
        self.over(RowsStep::Repair { name, id, with, side }, report);
    }

    /// Takes in the end of a comparison.
    pub(super) fn compared(&mut self, sight: Sight) {
        let Sight::Compared { name, with, id, result } = sight else { return };
        self.over(RowsStep::Compare { name, id, with }, result);
    }

    /// Takes in the end of a comparison, or of a repair, which compares too.
    fn over(&mut self, step: RowsStep, result: Result<Box<Report>, Fault>) {
        let (name, id) = (step.name(), step.id());
        self.busy.remove(&Subject::Rows(name.clone()));
        if self.replaced(name, id) {
            // The report says nothing about the database that has the name now.
            return;
        }
        let comparison = self.observed.comparison_of(name, id);
        comparison.running = None;
        let outcome = match result {
            Ok(report) => {
                (comparison.failed, comparison.wanted) = (None, false);
                comparison.unsettled = if report.unsettled() > 0 { comparison.unsettled + 1 } else { 0 };
                comparison.last = Some((id, (*report).clone()));
                self.keep_asked(name, id);
                let (severity, text) = told(name, &report);
                self.note(name.as_str(), Some(severity), &text);
                let store = self.parts.store.clone();
                self.work.spawn_blocking(move || {
                    if let Err(error) = store.keep_comparison(id, &report) {
                        tracing::error!(error = &error as &dyn std::error::Error, "comparison");
                    }
                });
                Outcome::Done
            }
            Err(why) => {
                comparison.failed = Some((now(), why.sentence()));
                Outcome::Failed(why)
            }
        };
        self.stepped(&Step::Rows(step), outcome);
    }

    /// Cancels the repairs that were asked for before another database became the writer, and tells the journal:
    /// which rows would be taken, and from which database, is different now.
    pub(super) fn strike_repairs(&mut self, desired: &Desired) {
        let late = |c: &Comparison| {
            c.repair.is_some() && c.running.is_none() && c.repair_in(desired.epoch).is_none()
        };
        let all = self.observed.comparisons.iter().filter(|(_, c)| late(c));
        let all: Vec<(ServerName, u32)> = all.map(|(name, c)| (name.clone(), c.id)).collect();
        for (name, id) in all {
            if self.asked(&name, id, |c| c.repair = None) {
                let text = text!("event-repair-failed", name = &name, why = text!("repair-overtaken"));
                self.note(name.as_str(), Some(Severity::Warning), &text);
            } else {
                self.observed.comparisons.remove(&name);
            }
        }
    }

    /// Reports whether no database has that name and that id any more.
    fn replaced(&self, name: &ServerName, id: u32) -> bool {
        self.parts.board.desired().db.server(name).is_none_or(|s| s.id != id)
    }

    /// Stores what the operator asks about a database's rows, so that it survives a restart of Cordée. Returns
    /// `false` when the database that was meant is gone: another one of the same name is not asked instead.
    pub(super) fn asked(&mut self, name: &ServerName, id: u32, what: impl FnOnce(&mut Comparison)) -> bool {
        if self.replaced(name, id) {
            return false;
        }
        what(self.observed.comparison_of(name, id));
        self.keep_asked(name, id);
        true
    }

    fn keep_asked(&self, name: &ServerName, id: u32) {
        let asked = self.observed.comparisons.get(name).filter(|c| c.id == id);
        let asked = asked.map(|c| RowsRequest { compare: c.wanted, repair: c.repair, epoch: c.asked_in });
        let asked = asked.unwrap_or_default();
        if let Err(error) = self.parts.store.keep_asked(id, asked) {
            tracing::error!(error = &error as &dyn std::error::Error, "what was asked");
        }
    }

    /// Restores the requests that an earlier Cordée received and did not finish.
    pub(super) fn recall_asked(&mut self) {
        self.recall(self.parts.store.asked(), |comparison, _, asked| {
            (comparison.wanted, comparison.repair) = (asked.compare, asked.repair);
            comparison.asked_in = asked.epoch;
        });
    }

    /// Restores the comparisons that an earlier Cordée made.
    pub(super) fn recall_comparisons(&mut self) {
        self.recall(self.parts.store.comparisons(), |comparison, id, report| {
            comparison.last = Some((id, report));
        });
    }

    /// Applies what the store keeps for each database, found by its id, to what is known of its rows.
    fn recall<T>(&mut self, kept: Result<Vec<(u32, T)>, StoreError>, put: impl Fn(&mut Comparison, u32, T)) {
        let kept = kept.unwrap_or_else(|error| {
            tracing::error!(error = &error as &dyn std::error::Error, "what is kept of comparisons");
            Vec::new()
        });
        let desired = self.parts.board.desired();
        for (id, of) in kept {
            if let Some(server) = desired.db.servers.iter().find(|s| s.id == id) {
                put(self.observed.comparison_of(&server.name, id), id, of);
            }
        }
    }
}
