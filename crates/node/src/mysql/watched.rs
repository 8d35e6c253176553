//! Restores what somebody altered.

use std::collections::BTreeMap;

use cordee_domain::db::Thread;
use cordee_domain::db::credentials::{Credentials, HOST, SHARED};
use cordee_domain::fault::Fault;
use cordee_domain::ids::ServerName;
use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, Row};
use sha1::{Digest as _, Sha1};

use super::{Bounded as _, DEADLINE, Database, Peer, Question, within};

impl Database {
    /// Sets a variable to our value; with `still`, while no channel runs.
    pub async fn set_variable(&self, variable: &str, value: &str, still: bool) -> Result<(), Fault> {
        let literal =
            if value.bytes().all(|b| b.is_ascii_digit()) { value.to_owned() } else { format!("'{value}'") };
        let set = format!("SET GLOBAL {variable}={literal}");
        if !still {
            return self.run(&[set]).await;
        }
        let channels = self.look().await?.channels;
        let running: Vec<&ServerName> = channels
            .iter()
            .filter(|(_, l)| l.receiving != Thread::Stopped || l.applying)
            .map(|(name, _)| name)
            .collect();
        self.rest(&running).await?;
        let done = self.run(&[set]).await;
        self.run(&running.iter().map(|n| format!("START SLAVE '{n}'")).collect::<Vec<_>>()).await?;
        done
    }

    /// Sets a channel up again. What it had received is applied first if that takes only a moment; the rest is
    /// received again. If somebody made the channel wait for an hour, waiting for it would mean an hour without
    /// receiving and without ACKs.
    pub async fn reset_link(&self, peer: &Peer<'_>) -> Result<(), Fault> {
        self.drop_link(peer.name).await?;
        self.set_link(peer).await
    }

    /// Continues the database's own domain above number `after`, with a heartbeat.
    pub async fn renumber(&self, id: u32, after: u64) -> Result<(), Fault> {
        let mut conn = self.session().await?;
        within(async {
            conn.query_drop(format!("SET SESSION gtid_seq_no={}", after + 1)).await?;
            conn.exec_drop(
                "INSERT INTO cordee.heartbeat (server_id, beat) SELECT @@server_id, UTC_TIMESTAMP(6) FROM DUAL \
                 WHERE @@server_id = ? AND @@gtid_domain_id = ? ON DUPLICATE KEY UPDATE beat = VALUES(beat)",
                (id, id),
            )
            .await
        })
        .await
    }

    /// Returns the state of the cluster's accounts on this database. `passwords` are their passwords, by name.
    pub async fn credentials(
        &self,
        passwords: &BTreeMap<&str, &str>,
    ) -> Result<BTreeMap<String, Credentials>, Fault> {
        let (accounts, rights) =
            self.ask(Question::Ask, DEADLINE, |asked| Box::pin(accounts_of(asked.conn))).await?;
        let text = |row: &Row, i: usize| row.get_opt::<String, _>(i).and_then(Result::ok).unwrap_or_default();
        let one = |row: &Row| {
            let name = text(row, 0);
            let (_, password) = passwords.get_key_value(name.as_str())?;
            SHARED.iter().find(|(known, _)| *known == name)?;
            let grantee = format!("'{name}'@'{HOST}'");
            let own: Vec<&Row> = rights.iter().filter(|r| text(r, 0) == grantee).collect();
            let on_site = own.iter().filter(|r| text(r, 2) == "1").map(|r| text(r, 1)).collect();
            let rights = own.iter().map(|r| text(r, 1)).collect();
            let signs_in = text(row, 1).eq_ignore_ascii_case(&native(password)) && text(row, 2) == "0";
            Some((name, Credentials { signs_in, rights, on_site }))
        };
        Ok(accounts.iter().filter_map(one).collect())
    }
}

/// Returns the accounts and their privileges, as MariaDB stores them.
async fn accounts_of(conn: &mut Conn) -> Result<(Vec<Row>, Vec<Row>), mysql_async::Error> {
    let accounts: Vec<Row> = conn
        .all_with(
            "SELECT User, JSON_VALUE(Priv, '$.authentication_string'), \
             COALESCE(JSON_VALUE(Priv, '$.account_locked'), 0) FROM mysql.global_priv WHERE Host = ?",
            (HOST,),
        )
        .await?;
    let rights: Vec<Row> = conn
        .all(
            "SELECT GRANTEE, PRIVILEGE_TYPE, 0 FROM information_schema.USER_PRIVILEGES UNION ALL \
             SELECT GRANTEE, PRIVILEGE_TYPE, 1 FROM information_schema.SCHEMA_PRIVILEGES \
             WHERE TABLE_SCHEMA = 'site'",
        )
        .await?;
    Ok((accounts, rights))
}

/// Returns what MariaDB stores of a password (`mysql_native_password`). It is computed here, because a query with
/// the password in it could appear in a log.
fn native(password: &str) -> String {
    let twice = Sha1::digest(Sha1::digest(password.as_bytes()));
    twice.iter().fold(String::from("*"), |mut text, byte| {
        use std::fmt::Write as _;
        let _ = write!(text, "{byte:02X}");
        text
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_password_is_kept_as_mariadb_keeps_it() {
        assert_eq!(super::native("r"), "*7B844B41A3799185EBF33B603FA8C632E65CA3EF");
    }
}
