//! Whether the cluster's accounts are as they were made: asked from time to time.

use std::collections::BTreeMap;
use std::time::Duration;

use cordee_node::mysql::account;

use super::{Engine, Sight, paced};

/// Between two questions.
const PACE: Duration = Duration::from_millis(cordee_domain::figures::ACCOUNTS_LOOK);

impl Engine {
    /// Starts to ask.
    pub(super) fn watch_accounts(&mut self) {
        let (parts, doors, out) = (self.parts.clone(), self.doors.clone(), self.out.clone());
        self.work.spawn(async move {
            let mut pace = paced(PACE);
            loop {
                pace.tick().await;
                let desired = parts.board.desired();
                let secrets = &parts.machine.secrets;
                let passwords = BTreeMap::from([
                    (account::REPLICATION, secrets.replication.as_str()),
                    (account::APP, secrets.app.as_str()),
                    (account::OWNER, secrets.owner.as_str()),
                    (account::MONITOR, secrets.monitor.as_str()),
                ]);
                for server in desired.members().filter(|s| !s.stopped()) {
                    // One that was never connected to is not there yet.
                    let Some(database) = doors.known(&server.name) else { continue };
                    let found = database.credentials(&passwords).await;
                    let _ = out.send(Sight::Accounts { name: server.name.clone(), found }).await;
                }
            }
        });
    }
}
