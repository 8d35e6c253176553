//! What a database reports about itself. It is asked only while its page is open, over a connection of its own.
//! Every answer is bounded, and none holds a password in any form.

use std::collections::BTreeMap;
use std::time::Duration;

use cordee_domain::db::Thread;
use cordee_domain::db::detail::accounts::Account;
use cordee_domain::db::detail::{Answers, Crowd, Threads};
use cordee_domain::fault::Fault;
use cordee_domain::ids::ServerName;
use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, Row};
use tokio::time::timeout;

use super::mysql::{Bounded as _, Database, explain, variables};

/// The time limit for all questions together.
const DEADLINE: Duration = Duration::from_secs(3);
/// How many connections are read at most: more of them add no information.
const CONNECTIONS: u32 = 2_000;
/// How many privileges are read at most.
const RIGHTS: u32 = 20_000;
/// The longest MariaDB message that is passed on, in characters.
const WORDS: usize = 600;

/// Asks the database. The two looks at this database, before and after those at the others, are left to the caller.
pub async fn read(database: &Database) -> Result<Answers, Fault> {
    let work = async {
        let mut conn = database.session().await?;
        let answers = answers(&mut conn).await.map_err(|e| explain(&e))?;
        // The answers are there: if the disconnect fails, that is of no interest.
        let _ = conn.disconnect().await;
        Ok(answers)
    };
    timeout(DEADLINE, work).await.unwrap_or(Err(Fault::Silent))
}

async fn answers(conn: &mut Conn) -> Result<Answers, mysql_async::Error> {
    // A lock that another session holds must not delay this for longer than the page waits.
    conn.query_drop("SET SESSION max_statement_time=2, SESSION lock_wait_timeout=2").await?;
    Ok(Answers {
        variables: variables(conn).await?,
        threads: threads(conn).await?,
        accounts: accounts(conn).await?,
        crowds: crowds(conn).await?,
        ..Answers::default()
    })
}

async fn threads(conn: &mut Conn) -> Result<BTreeMap<ServerName, Threads>, mysql_async::Error> {
    let rows: Vec<Row> = conn.all("SHOW ALL SLAVES STATUS").await?;
    Ok(rows.iter().filter_map(one_link).collect())
}

/// Reads one row by column names: the order of columns differs between versions.
fn one_link(row: &Row) -> Option<(ServerName, Threads)> {
    let named = |name: &str| row.get_opt::<String, _>(name).and_then(Result::ok).unwrap_or_default();
    let words = |name: &str| named(name).chars().take(WORDS).collect::<String>();
    let number = |name: &str| named(name).parse::<u32>().unwrap_or(0);
    let name = ServerName::parse(&named("Connection_name")).ok()?;
    let receiving = match named("Slave_IO_Running").as_str() {
        "Yes" => Thread::Running,
        "Connecting" | "Preparing" => Thread::Connecting,
        _ => Thread::Stopped,
    };
    let threads = Threads {
        receiving,
        applying: named("Slave_SQL_Running") == "Yes",
        receive_error: number("Last_IO_Errno"),
        receive_words: words("Last_IO_Error"),
        apply_error: number("Last_SQL_Errno"),
        apply_words: words("Last_SQL_Error"),
        received: named("Gtid_IO_Pos"),
        at: (named("Relay_Master_Log_File"), named("Exec_Master_Log_Pos").parse().unwrap_or(0)),
    };
    Some((name, threads))
}

/// Returns the accounts with their privileges; roles are not accounts. No column that stands for a password is
/// read.
async fn accounts(conn: &mut Conn) -> Result<Vec<Account>, mysql_async::Error> {
    let names: Vec<Row> = conn
        .all("SELECT User, Host FROM mysql.user WHERE is_role = 'N' ORDER BY User, Host LIMIT 500")
        .await?;
    let everywhere: Vec<Row> = conn
        .all_with(
            "SELECT GRANTEE, PRIVILEGE_TYPE FROM information_schema.USER_PRIVILEGES \
             WHERE PRIVILEGE_TYPE <> 'USAGE' LIMIT ?",
            (RIGHTS,),
        )
        .await?;
    let schemas: Vec<Row> = conn
        .all_with(
            "SELECT DISTINCT GRANTEE, TABLE_SCHEMA FROM information_schema.SCHEMA_PRIVILEGES LIMIT ?",
            (RIGHTS,),
        )
        .await?;
    let mut all: BTreeMap<String, Account> = names
        .iter()
        .map(|row| {
            let (user, host) = (text(row, 0), text(row, 1));
            (format!("'{user}'@'{host}'"), Account { user, host, ..Account::default() })
        })
        .collect();
    for row in &everywhere {
        if let Some(account) = all.get_mut(&text(row, 0)) {
            account.everywhere.insert(text(row, 1));
        }
    }
    for row in &schemas {
        if let Some(account) = all.get_mut(&text(row, 0)) {
            account.schemas.insert(text(row, 1));
        }
    }
    let roles = conn
        .all(
            "SELECT User, JSON_VALUE(Priv, '$.access') FROM mysql.global_priv \
             WHERE JSON_VALUE(Priv, '$.is_role') = 1 LIMIT 500",
        )
        .await?;
    let members =
        conn.all_with("SELECT User, Host, Role FROM mysql.roles_mapping LIMIT ?", (RIGHTS,)).await?;
    through_roles(&mut all, &roles, &members);
    Ok(all.into_values().collect())
}

/// The bits of `access` that matter, as MariaDB stores them since 10.5.
const BITS: [(u32, &str); 2] = [(15, "SUPER"), (33, "READ_ONLY ADMIN")];

/// Adds the privileges that accounts have through roles: `information_schema` does not list them. A role may be
/// granted to a role, and every account has `PUBLIC`.
fn through_roles(all: &mut BTreeMap<String, Account>, roles: &[Row], members: &[Row]) {
    for role in roles {
        let access = text(role, 1).parse::<u64>().unwrap_or(0);
        let rights: Vec<&str> =
            BITS.iter().filter(|(bit, _)| access >> bit & 1 == 1).map(|(_, r)| *r).collect();
        if rights.is_empty() {
            continue;
        }
        let mut holders = vec![text(role, 0)];
        let mut at = 0;
        while at < holders.len() {
            let holder = holders[at].clone();
            at += 1;
            if holder.eq_ignore_ascii_case("public") {
                for account in all.values_mut() {
                    account.everywhere.extend(rights.iter().map(|r| (*r).to_owned()));
                }
            }
            for row in members.iter().filter(|row| text(row, 2) == holder) {
                let (user, host) = (text(row, 0), text(row, 1));
                if host.is_empty() && !holders.contains(&user) {
                    holders.push(user);
                } else if let Some(account) = all.get_mut(&format!("'{user}'@'{host}'")) {
                    account.everywhere.extend(rights.iter().map(|r| (*r).to_owned()));
                }
            }
        }
    }
}

/// Returns who is signed in, except for this connection.
async fn crowds(conn: &mut Conn) -> Result<Vec<Crowd>, mysql_async::Error> {
    let rows: Vec<Row> = conn
        .all_with(
            "SELECT USER, COMMAND, TIME_MS, LEFT(INFO, 400) FROM information_schema.PROCESSLIST \
             WHERE ID <> CONNECTION_ID() ORDER BY TIME_MS DESC LIMIT ?",
            (CONNECTIONS,),
        )
        .await?;
    let mut all: BTreeMap<String, Crowd> = BTreeMap::new();
    for row in &rows {
        let (account, command, statement) = (text(row, 0), text(row, 1), text(row, 3));
        let crowd = all.entry(account.clone()).or_insert_with(|| Crowd { account, ..Crowd::default() });
        crowd.count += 1;
        let busy = matches!(command.as_str(), "Query" | "Execute" | "Prepare") && !statement.is_empty();
        if busy {
            crowd.busy += 1;
            let ms = text(row, 2).parse::<f64>().map_or(0, whole);
            if crowd.longest.as_ref().is_none_or(|(longest, _)| *longest < ms) {
                crowd.longest = Some((ms, statement));
            }
        }
    }
    Ok(all.into_values().collect())
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to what fits")]
fn whole(ms: f64) -> u64 {
    ms.clamp(0.0, 1e15) as u64
}

/// Returns one field as text; octets that are not valid text are shown as replacement characters.
fn text(row: &Row, place: usize) -> String {
    match row.as_ref(place) {
        Some(mysql_async::Value::Bytes(bytes)) => String::from_utf8_lossy(bytes).into_owned(),
        Some(mysql_async::Value::NULL) | None => String::new(),
        Some(_) => row.get_opt::<String, _>(place).and_then(Result::ok).unwrap_or_else(|| {
            row.as_ref(place).map(|v| v.as_sql(true).trim_matches('\'').to_owned()).unwrap_or_default()
        }),
    }
}
