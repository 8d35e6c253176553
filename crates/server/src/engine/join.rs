//! Before a database joins: everything that would stop it on the way is checked first, and nothing is written.

use std::path::{Path, PathBuf};

use cordee_domain::db::freight::Freight;
use cordee_domain::db::verify::OddTables;
use cordee_domain::ids::ServerName;
use cordee_domain::plan::donor;
use cordee_domain::problem::Problem;
use cordee_domain::scene::Scene;
use cordee_domain::text;
use cordee_domain::text::Text;
use cordee_node::clock::now;
use cordee_node::data;
use cordee_node::mysql::Database;
use cordee_node::{backup, files, trouble};
use tokio::sync::oneshot;

use crate::board::JoinPlan;

use super::Engine;

/// From which donor, and by which plan, a database joins.
pub(super) struct Ground {
    plan: JoinPlan,
    /// The donor, which would be copied.
    pub(super) database: Database,
    folder: PathBuf,
}

impl Ground {
    /// Returns the name of the donor.
    pub(super) fn donor(&self) -> &ServerName {
        &self.plan.donor
    }

    /// Reports whether the donor is the writer.
    pub(super) const fn copies_writer(&self) -> bool {
        self.plan.from_writer
    }

    /// Returns the plan with the number of bytes to copy. The donor may have very many files to measure.
    pub(super) async fn measured(&self) -> Result<JoinPlan, Problem> {
        let folder = self.folder.clone();
        let bytes = tokio::task::spawn_blocking(move || data::copied_bytes(&folder)).await;
        let bytes = bytes.unwrap_or_else(|panic| Err(panic.into()));
        let bytes = bytes.map_err(|error| {
            tracing::warn!(error = &error as &dyn std::error::Error, "measuring what is to be copied");
            Problem::conflict("name", trouble::words(&error))
        })?;
        Ok(JoinPlan { bytes, ..self.plan.clone() })
    }
}

impl Engine {
    /// Returns how a new database would get its data, or every reason why it cannot.
    pub(super) fn join_plan(&mut self, reply: oneshot::Sender<Result<JoinPlan, Vec<Problem>>>) {
        let servers = self.parts.machine.home.servers();
        let ground = self.ground();
        self.work.spawn(async move {
            let found = match ground {
                Ok(ground) => match ground.measured().await {
                    Ok(plan) => {
                        let tables = look(&ground.database, &servers, plan.bytes).await;
                        tables.map(|tables| JoinPlan { tables, ..plan })
                    }
                    Err(problem) => Err(vec![problem]),
                },
                Err(problem) => Err(vec![problem]),
            };
            let _ = reply.send(found);
        });
    }
}

impl Engine {
    /// Returns how a new database would get its data, as far as that is known without a look at the donor.
    pub(super) fn ground(&self) -> Result<Ground, Problem> {
        let desired = self.parts.board.desired();
        let donor = donor(Scene::new(&desired, &self.observed, now()))
            .ok_or_else(|| Problem::conflict("name", text!("problem-join-donor")))?;
        let (database, folder) = (self.database(&donor), self.parts.machine.home.server(&donor).join("data"));
        let plan = JoinPlan {
            from_writer: desired.is_writer(&donor),
            donor,
            bytes: 0,
            tables: OddTables::default(),
            freight: Freight::default(),
            slot: desired.free_slot()?,
            id: desired.next_id,
            at: None,
        };
        Ok(Ground { plan, database, folder })
    }
}

/// Returns what would stop a copy of `bytes` bytes, else the odd tables. A physical copy carries every table: the
/// tables that no comparison can prove are listed, and stop nothing.
async fn look(database: &Database, servers: &Path, bytes: u64) -> Result<OddTables, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut refuse = |text: Text| problems.push(Problem::conflict("name", text));
    if !backup::here() {
        refuse(text!("problem-join-program"));
    }
    let need = data::room_for(bytes);
    match files::free(servers) {
        Ok(free) if free < need => {
            refuse(text!("copy-no-space", need = data::mebibytes(need), free = data::mebibytes(free)));
        }
        Ok(_) => {}
        Err(_) => refuse(text!("io-missing")),
    }
    let tables = database.odd_tables().await.unwrap_or_else(|why| {
        refuse(why.into());
        OddTables::default()
    });
    if problems.is_empty() { Ok(tables) } else { Err(problems) }
}
