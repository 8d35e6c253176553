//! Periodic check that the cluster's accounts on each database are as Cordée made them.

use std::collections::BTreeMap;
use std::time::Duration;

use cordee_node::mysql::account;

use super::{Engine, Sight, paced};

/// Time between two checks.
const PACE: Duration = Duration::from_millis(cordee_domain::figures::ACCOUNTS_LOOK);

impl Engine {
    /// Starts the periodic check.
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
                    // A database that was never connected to is not up yet.
                    let Some(database) = doors.known(&server.name) else { continue };
                    let found = database.credentials(&passwords).await;
                    let _ = out.send(Sight::Accounts { name: server.name.clone(), found }).await;
                }
            }
        });
    }
}
