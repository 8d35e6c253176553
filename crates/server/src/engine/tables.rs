//! The writer's tables that deserve a warning before anything goes wrong: those without a primary key, those in
//! memory.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::{Engine, Sight};

/// Time between two queries. A query over 3,000 tables takes 0.15 s.
const PACE: Duration = Duration::from_millis(cordee_domain::figures::TABLES_LOOK);
/// Pause while there is no writer to ask.
const SOON: Duration = Duration::from_secs(1);
/// The pause is at least this many times as long as the query took, which may cover very many tables.
const REST: u32 = 20;

impl Engine {
    /// Starts the queries.
    pub(super) fn watch_tables(&mut self) {
        let (board, doors, out) = (self.parts.board.clone(), self.doors.clone(), self.out.clone());
        let beating = self.beating.subscribe();
        self.work.spawn(async move {
            loop {
                let writer =
                    board.desired().writer.clone().filter(|writer| beating.borrow().contains(writer));
                let Some(database) = writer.and_then(|writer| doors.known(&writer)) else {
                    sleep(SOON).await;
                    continue;
                };
                let at = Instant::now();
                let tables = database.odd_tables().await;
                let _ = out.send(Sight::Tables(tables)).await;
                sleep(PACE.max(at.elapsed() * REST)).await;
            }
        });
    }
}
