//! Removes expired sessions from time to time, on the writer only.

use std::time::Duration;

use cordee_node::sessions;

use super::{Engine, paced};

/// Time between two removals. With an index on the expiry, a look that finds nothing costs the writer next to
/// nothing.
const PACE: Duration = Duration::from_secs(10);

impl Engine {
    /// Starts the removals.
    pub(super) fn purge(&mut self) {
        let (board, beating) = (self.parts.board.clone(), self.beating.subscribe());
        let password = self.parts.machine.secrets.app.clone();
        self.work.spawn(async move {
            let mut pace = paced(PACE);
            loop {
                pace.tick().await;
                let desired = board.desired();
                // Only while a writer is open: otherwise there is no server to ask, and nothing to report.
                let open = desired.writer.as_ref().is_some_and(|writer| beating.borrow().contains(writer));
                if !open {
                    continue;
                }
                if let Err(why) = sessions::purge(desired.writer_listen, &password).await {
                    tracing::debug!(
                        error = &why as &dyn std::error::Error,
                        "removing sessions that have run out"
                    );
                }
            }
        });
    }
}
