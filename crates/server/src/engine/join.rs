//! Before a database joins: everything that would stop it on the way is looked at first, and nothing is written.

use std::path::Path;

use cordee_domain::desired::Desired;
use cordee_domain::ids::ServerName;
use cordee_domain::plan::donor;
use cordee_domain::problem::Problem;
use cordee_domain::text;
use cordee_domain::text::Text;
use tokio::sync::oneshot;

use crate::board::JoinPlan;
use crate::clock::now;
use crate::hands::mysql::Database;
use crate::hands::{backup, files};

use super::{Engine, data};

/// Tables without a primary key that a refusal names.
const NAMED: usize = 5;

impl Engine {
    /// Says how a new database would get its data, or every reason why it would not.
    pub(super) fn join_plan(&mut self, reply: oneshot::Sender<Result<JoinPlan, Vec<Problem>>>) {
        let desired = self.parts.board.desired();
        let (donor, slot) = match self.ground(&desired) {
            Ok(ground) => ground,
            Err(problem) => {
                let _ = reply.send(Err(vec![problem]));
                return;
            }
        };
        let database = self.database(&donor);
        let (servers, folder) = (self.parts.home.servers(), self.parts.home.server(&donor).join("data"));
        let plan = move |tables, bytes| JoinPlan {
            from_writer: desired.is_writer(&donor),
            donor,
            bytes,
            tables,
            slot,
            id: desired.next_id,
            at: None,
        };
        self.work.spawn(async move {
            let bytes = data::copied_bytes(&folder);
            let _ = reply.send(look(&database, &servers, bytes).await.map(|tables| plan(tables, bytes)));
        });
    }
}

impl Engine {
    /// Whom a new database would copy, and its place in the auto-increment sequence.
    pub(super) fn ground(&self, desired: &Desired) -> Result<(ServerName, u8), Problem> {
        let donor = donor(desired, &self.observed, now())
            .ok_or_else(|| Problem::conflict("name", text!("problem-join-donor")))?;
        Ok((donor, desired.free_slot()?))
    }
}

/// What is wrong with tables without a primary key, if there are any.
pub(super) fn keyless(without: &[String]) -> Option<Text> {
    let names = without.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    (!without.is_empty()).then(|| text!("problem-join-no-key", names = names, count = without.len()))
}

/// What would stop a copy of `bytes` bytes; else how many tables there are.
async fn look(database: &Database, servers: &Path, bytes: u64) -> Result<u64, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut refuse = |text: Text| problems.push(Problem::conflict("name", text));
    if !Path::new(backup::MARIABACKUP).exists() {
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
    let tables = match database.tables_without_key().await {
        Ok((all, without)) => {
            if let Some(text) = keyless(&without) {
                refuse(text);
            }
            all
        }
        Err(why) => {
            refuse(why);
            0
        }
    };
    if problems.is_empty() { Ok(tables) } else { Err(problems) }
}
