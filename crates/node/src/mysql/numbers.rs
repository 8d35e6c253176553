//! How a database numbers new rows, and the end of connections that number otherwise.

use std::time::{Duration, Instant};

use cordee_domain::db::ids::{DENSE, ENDING, Numbering, PLACE, STEP};
use cordee_domain::fault::Fault;
use cordee_domain::text;
use tokio::time::sleep;

use super::{Bounded as _, Database, account, failpoint, within};

/// How long connections have to end by themselves: a request for a page takes a fraction of it.
const GRACE: Duration = Duration::from_secs(1);
/// How long those that are ended have: what was changed is taken back.
const ENDS: Duration = Duration::from_secs(10);
/// Between two looks at that.
const LOOKS: Duration = Duration::from_millis(50);

impl Database {
    /// Numbers new rows otherwise. In a place of its own: whoever was connected before is not any more when this is
    /// done. `rights` says what the owner may do then; who is connected keeps what it had.
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

    /// Ends every connection that is there now, but Cordée's own and those of replication.
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

    /// One that is still signing in has the values of its beginning too.
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
