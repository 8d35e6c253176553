//! The writer's tables that ask for a word before anything goes wrong: those without a primary key, those in memory.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::{Engine, Sight};

/// Between two questions. One about 3,000 tables takes 0.15 s.
const PACE: Duration = Duration::from_millis(cordee_domain::figures::TABLES_LOOK);
/// While there is nobody to ask.
const SOON: Duration = Duration::from_secs(1);
/// The pause is at least so many times as long as the question took, which may be about very many tables.
const REST: u32 = 20;

impl Engine {
    /// Starts to ask.
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
