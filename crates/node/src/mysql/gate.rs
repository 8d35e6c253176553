//! The times at which a database's replication position may be set: only while it is not being read or waited for.
//!
//! MariaDB empties its table of positions without the lock under which the position is read and waited for
//! (`rpl_slave_state::truncate_hash` and `gtid_waiting` in its `sql/rpl_gtid.cc`). A `MASTER_GTID_WAIT` that is
//! under way during `SET GLOBAL gtid_slave_pos` loses the object that it waits on: 10.11.19 then holds another
//! position than the one that was set, or waits in `pthread_cond_destroy` forever, holding the lock that every look
//! at replication needs.

use std::sync::Arc;
use std::time::{Duration, Instant};

use cordee_domain::fault::Fault;
use mysql_async::prelude::Queryable as _;
use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};
use tokio::time::sleep;

use super::{Bounded as _, Database, within};

/// How long running waits for a position may go on before they are broken off, so that one can be set.
const PATIENCE: Duration = Duration::from_secs(3);
/// The interval between two looks for such waits.
const LOOKS: Duration = Duration::from_millis(50);

/// The locks for Cordée's own reads of one database's position and waits for it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gate {
    reads: Arc<RwLock<()>>,
    /// Separate from the reads: a wait takes a second, and a look must not queue behind it.
    waits: Arc<RwLock<()>>,
}

impl Gate {
    /// Is held while the position is read.
    pub(crate) async fn read(&self) -> RwLockReadGuard<'_, ()> {
        self.reads.read().await
    }

    /// Is held while the position is waited for.
    pub(crate) async fn wait(&self) -> RwLockReadGuard<'_, ()> {
        self.waits.read().await
    }

    /// Is held while the position is set: no read is under way then.
    pub(super) async fn set(&self) -> RwLockWriteGuard<'_, ()> {
        self.reads.write().await
    }
}

impl Database {
    /// Returns the gate, for a caller that queries over a connection of its own.
    pub(crate) fn gate(&self) -> Gate {
        self.gate.clone()
    }

    /// While the returned guard is held, no wait of Cordée's for a position can begin. Returns once no wait is
    /// under way: none of another client's either, and none on a connection of ours that was dropped while it
    /// waited. A wait that lasts too long is broken off: it may wait for what cannot come before the position is
    /// set.
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

    /// Returns the connections that wait for a position, and those that are still setting one.
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

    /// Ends the statements of these connections; the connections themselves stay.
    async fn break_off(&self, ids: &[u64]) -> Result<(), Fault> {
        within(async {
            let mut conn = self.pool.get_conn().await?;
            for id in ids {
                // A connection that ended meanwhile is no error.
                let _ = conn.query_drop(format!("KILL QUERY {id}")).await;
            }
            Ok(())
        })
        .await
    }
}
