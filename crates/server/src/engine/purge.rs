//! Sessions that have run out are removed, from time to time, on the one writer.

use std::time::Duration;

use cordee_node::sessions;

use super::{Engine, paced};

/// Between two looks for them. With an index on the expiry an empty look costs the writer next to nothing.
const PACE: Duration = Duration::from_secs(10);

impl Engine {
    /// Starts to remove them.
    pub(super) fn purge(&mut self) {
        let (board, beating) = (self.parts.board.clone(), self.beating.subscribe());
        let password = self.parts.machine.secrets.app.clone();
        self.work.spawn(async move {
            let mut pace = paced(PACE);
            loop {
                pace.tick().await;
                let desired = board.desired();
                // Only where a writer is open: else there is nobody to ask, and nothing to say about it.
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
