//! How a database numbers new rows, and how connections that number differently are ended.

use std::time::{Duration, Instant};

use cordee_domain::db::ids::{DENSE, ENDING, Numbering, PLACE, STEP};
use cordee_domain::fault::Fault;
use cordee_domain::text;
use tokio::time::sleep;

use super::{Bounded as _, Database, account, failpoint, within};

/// How long connections may take to end by themselves: a page request takes a fraction of it.
const GRACE: Duration = Duration::from_secs(1);
/// How long killed connections may take to end: they roll back their changes.
const ENDS: Duration = Duration::from_secs(10);
/// The interval between two looks at the connections.
const LOOKS: Duration = Duration::from_millis(50);

impl Database {
    /// Changes how new rows are numbered. Unless the new numbering is the dense one, no connection from before is
    /// left when this returns. `rights` grants what the owner account may do from then on; sessions that are
    /// connected keep what they had.
    pub async fn number(&self, to: Numbering, rights: &str) -> Result<(), Fault> {
        let rights = [rights.to_owned()];
        let set = |name: &str, value: u64| format!("SET GLOBAL {name}={value}");
        if to == DENSE {
            self.run_unlogged(&rights).await?;
            return self.run(&[set(STEP, to.step), set(PLACE, to.place)]).await;
        }
        self.run(&[set(PLACE, to.place), set(STEP, ENDING.into())]).await?;
        self.run_unlogged(&rights).await?;
        failpoint("before", "EndOthers");
        self.end_others().await?;
        self.run(&[set(STEP, to.step)]).await
    }

    /// Ends every connection that exists now, except Cordée's own and those of replication.
    async fn end_others(&self) -> Result<(), Fault> {
        let here = self.others().await?;
        let (begun, mut asked) = (Instant::now(), false);
        loop {
            let now = self.others().await?;
            let left: Vec<u64> = here.iter().filter(|id| now.contains(id)).copied().collect();
            if left.is_empty() {
                return Ok(());
            }
            if begun.elapsed() >= GRACE + ENDS {
                return Err(text!("numbers-connections", count = left.len()).into());
            }
            if begun.elapsed() >= GRACE && !asked {
                self.end(&left).await?;
                asked = true;
            }
            sleep(LOOKS).await;
        }
    }

    /// Returns the other connections. One that is still signing in has the values from its beginning, too.
    async fn others(&self) -> Result<Vec<u64>, Fault> {
        within(async {
            let mut conn = self.own_conn().await?;
            conn.all_with(
                "SELECT ID FROM information_schema.PROCESSLIST WHERE ID <> CONNECTION_ID() AND COMMAND <> 'Binlog \
                 Dump' AND USER NOT IN (SUBSTRING_INDEX(USER(), '@', 1), ?, 'system user', 'event_scheduler')",
                (account::REPLICATION,),
            )
            .await
        })
        .await
    }
}
