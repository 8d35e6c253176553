//! Queries to a donor and to a database that existed already, for copying the tables and for leaving the cluster.

use cordee_domain::db::ids::{PLACE, STEP};
use cordee_domain::fault::Fault;
use mysql_async::prelude::Queryable as _;

use super::{Bounded as _, Database, PATIENT, within, within_limit};

impl Database {
    /// Runs statements that Cordée itself composes, without logging them: no other database receives them.
    pub async fn run_unlogged(&self, statements: &[String]) -> Result<(), Fault> {
        let mut conn = self.session().await?;
        within_limit(PATIENT, async {
            conn.query_drop("SET SESSION sql_log_bin=0").await?;
            for statement in statements {
                conn.query_drop(statement).await?;
            }
            Ok(())
        })
        .await
    }

    /// Removes what is ours from a database: its channels, its part in semi-synchronous replication, the cluster's
    /// accounts.
    pub async fn release(&self, accounts: &[String]) -> Result<(), Fault> {
        let seen = self.look().await?;
        let mut statements = vec![
            "SET GLOBAL rpl_semi_sync_master_enabled=0".to_owned(),
            "SET GLOBAL rpl_semi_sync_slave_enabled=0".to_owned(),
            format!("SET GLOBAL {STEP}=DEFAULT"),
            format!("SET GLOBAL {PLACE}=DEFAULT"),
        ];
        if !seen.read_only {
            statements.push("SET GLOBAL read_only=1".to_owned());
        }
        for from in seen.channels.keys() {
            statements.extend([format!("STOP SLAVE '{from}'"), format!("RESET SLAVE '{from}' ALL")]);
        }
        statements.extend_from_slice(accounts);
        self.run_unlogged(&statements).await
    }

    /// Returns the schemas of applications and Cordée's own, and how many bytes their tables hold.
    pub async fn schemas(&self) -> Result<(Vec<String>, u64), Fault> {
        within_limit(PATIENT, async {
            let mut conn = self.own_conn().await?;
            let rows: Vec<(String, u64)> = conn
                .all(
                    "SELECT s.SCHEMA_NAME, CAST(COALESCE(SUM(t.DATA_LENGTH), 0) AS UNSIGNED) \
                     FROM information_schema.SCHEMATA s LEFT JOIN information_schema.TABLES t \
                     ON t.TABLE_SCHEMA = s.SCHEMA_NAME WHERE s.SCHEMA_NAME NOT IN \
                     ('mysql', 'information_schema', 'performance_schema', 'sys') GROUP BY 1 ORDER BY 1",
                )
                .await?;
            let bytes = rows.iter().map(|(_, bytes)| bytes).sum();
            Ok((rows.into_iter().map(|(name, _)| name).collect(), bytes))
        })
        .await
    }

    /// Returns what the database logged itself and what it applied from others, in MariaDB's notation.
    pub async fn positions(&self) -> Result<(String, String), Fault> {
        let _unset = self.gate.read().await;
        within_limit(PATIENT, async {
            let mut conn = self.own_conn().await?;
            let row: Option<(String, String)> =
                conn.query_first("SELECT @@gtid_binlog_pos, @@gtid_slave_pos").await?;
            row.ok_or_else(|| mysql_async::Error::Other("no position".into()))
        })
        .await
    }

    /// Returns how the database treats the case of table names: 0, 1 or 2.
    pub async fn name_case(&self) -> Result<String, Fault> {
        within(async {
            let mut conn = self.own_conn().await?;
            let value: Option<String> = conn.query_first("SELECT @@lower_case_table_names").await?;
            Ok(value.unwrap_or_default())
        })
        .await
    }
}
