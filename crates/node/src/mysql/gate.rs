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

use super::{Bounded as _, Database, within};

/// How long whoever waits for a position is given until one is set.
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
    /// one any more: no other client either, and no connection of ours that was given up while it waited. A wait that
    /// goes on is broken off: what it waits for may be what cannot come before the position is set.
    pub(super) async fn unawaited(&self) -> Result<RwLockWriteGuard<'_, ()>, Fault> {
        let held = self.gate.waits.write().await;
        let begun = Instant::now();
        loop {
            let waiting = self.waiting().await?;
            if waiting.is_empty() {
                return Ok(held);
            }
            if begun.elapsed() >= 2 * PATIENCE {
                return Err(Fault::Awaited);
            }
            if begun.elapsed() >= PATIENCE {
                self.break_off(&waiting).await?;
            }
            sleep(LOOKS).await;
        }
    }

    /// The connections that wait for a position, and those on which one is still being set.
    async fn waiting(&self) -> Result<Vec<u64>, Fault> {
        within(async {
            let mut conn = self.pool.get_conn().await?;
            conn.all(
                "SELECT ID FROM information_schema.PROCESSLIST WHERE ID <> CONNECTION_ID() AND \
                 (STATE LIKE 'Waiting in MASTER\\_GTID\\_WAIT%' OR INFO LIKE 'SET GLOBAL gtid\\_slave\\_pos%')",
            )
            .await
        })
        .await
    }

    /// Ends what these connections wait for; they themselves stay.
    async fn break_off(&self, ids: &[u64]) -> Result<(), Fault> {
        within(async {
            let mut conn = self.pool.get_conn().await?;
            for id in ids {
                // One that ended meanwhile is fine.
                let _ = conn.query_drop(format!("KILL QUERY {id}")).await;
            }
            Ok(())
        })
        .await
    }
}
