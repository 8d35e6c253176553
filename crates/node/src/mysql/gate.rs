//! When a database's replication position may be set: while nobody reads it or waits for one.
//!
//! MariaDB empties its table of positions without the lock under which it is read and waited for
//! (`rpl_slave_state::truncate_hash` and `gtid_waiting` in its `sql/rpl_gtid.cc`). A `MASTER_GTID_WAIT` that is under
//! way during `SET GLOBAL gtid_slave_pos` loses what it waits on: 10.11.19 then holds another position than the one
//! that was set, or waits in `pthread_cond_destroy` for ever, with the lock that every look at replication needs.

use std::sync::Arc;
use std::time::{Duration, Instant};

use cordee_domain::fault::Fault;
use mysql_async::prelude::Queryable as _;
use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};
use tokio::time::sleep;

use super::{Database, within};

/// How long whoever waits for a position is given until one is set. Cordée itself never waits longer than this.
const PATIENCE: Duration = Duration::from_secs(3);
/// Between two looks at whether somebody waits.
const LOOKS: Duration = Duration::from_millis(50);

/// Cordée's own reads and waits of one database's position.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gate {
    reads: Arc<RwLock<()>>,
    /// Apart from the reads: a wait takes a second, and a look must not stand behind it.
    waits: Arc<RwLock<()>>,
}

impl Gate {
    /// Held while the position is read.
    pub(crate) async fn read(&self) -> RwLockReadGuard<'_, ()> {
        self.reads.read().await
    }

    /// Held while a position is waited for.
    pub(crate) async fn wait(&self) -> RwLockReadGuard<'_, ()> {
        self.waits.read().await
    }

    /// Held while the position is set: no read is under way.
    pub(super) async fn set(&self) -> RwLockWriteGuard<'_, ()> {
        self.reads.write().await
    }
}

impl Database {
    /// Its position, for who asks by a connection of its own.
    pub(crate) fn gate(&self) -> Gate {
        self.gate.clone()
    }

    /// Lets nobody of Cordée's begin to wait for a position as long as this is held, and returns when nobody waits for
    /// one any more: no other client either, and no connection of ours that was given up while it waited.
    pub(super) async fn unawaited(&self) -> Result<RwLockWriteGuard<'_, ()>, Fault> {
        let held = self.gate.waits.write().await;
        let until = Instant::now() + PATIENCE;
        while self.awaited().await? {
            if Instant::now() >= until {
                return Err(Fault::Awaited);
            }
            sleep(LOOKS).await;
        }
        Ok(held)
    }

    async fn awaited(&self) -> Result<bool, Fault> {
        within(async {
            let mut conn = self.pool.get_conn().await?;
            let waiting: Option<bool> = conn
                .query_first(
                    "SELECT COUNT(*) > 0 FROM information_schema.PROCESSLIST \
                     WHERE STATE LIKE 'Waiting in MASTER\\_GTID\\_WAIT%'",
                )
                .await?;
            Ok(waiting.unwrap_or(false))
        })
        .await
    }
}
