//! What a database that existed already reports about itself. It is not trusted: every answer is bounded, all
//! questions together have a time limit, the questions only read, and it gets neither a file nor a password in
//! clear text.

use std::net::SocketAddr;
use std::path::Path;

use cordee_domain::db::newcomer::{Newcomer, Setting, wanted};
use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, Error, Row};

use super::files;
use super::mysql::at;
use crate::vault::Login;

/// The largest answer that is taken, in octets.
const PACKET: usize = 64 << 10;
/// Seconds after which the database closes a connection that we have abandoned.
const WAIT: usize = 30;
/// The longest text that is passed on, in characters.
const LONGEST: usize = 200;
/// How many user tables a refusal names.
const NAMED: usize = 5;

/// Signs in.
pub async fn sign_in(address: SocketAddr, login: &Login) -> Result<Conn, Error> {
    let options = at(address)
        .max_allowed_packet(Some(PACKET))
        .wait_timeout(Some(WAIT))
        .user(Some(login.user()))
        .pass(Some(login.password()));
    Conn::new(options).await
}

/// The facts that are read in one row.
const ASKED: &str =
    "SELECT VERSION(), @@gtid_binlog_state, @@gtid_slave_pos, @@datadir, @@GLOBAL.max_allowed_packet";

/// Reads what the database reports about itself.
pub async fn read(conn: &mut Conn) -> Result<Newcomer, Error> {
    let mut all = Newcomer::default();
    let version = rows(conn, ASKED, 1).await?;
    let row = version.first().ok_or_else(strange)?;
    (all.version, all.logged, all.applied) = (text(row, 0), text(row, 1), text(row, 2));
    all.packet = text(row, 4).parse().ok();
    // It listens on this machine, so its disk is one of ours, unless it runs in a container.
    let folder = text(row, 3);
    all.free = Path::new(&folder).is_dir().then(|| files::free(Path::new(&folder)).ok()).flatten();
    settings(conn, &mut all).await?;
    rights(conn, &mut all).await?;
    let sql = "SELECT LEFT(CONCAT(TABLE_SCHEMA, '.', TABLE_NAME), 129) FROM information_schema.TABLES \
               WHERE TABLE_SCHEMA NOT IN ('mysql', 'information_schema', 'performance_schema', 'sys') LIMIT 5";
    all.tables = rows(conn, sql, NAMED).await?.iter().map(|row| text(row, 0)).collect();
    Ok(all)
}

async fn settings(conn: &mut Conn, all: &mut Newcomer) -> Result<(), Error> {
    let mut names: Vec<String> = wanted(0).into_iter().map(|(n, _)| format!("'{n}'")).collect();
    names.push("'lower_case_table_names'".to_owned());
    let sql = format!(
        "SELECT LOWER(VARIABLE_NAME), LEFT(GLOBAL_VALUE, 100), GLOBAL_VALUE_ORIGIN = 'SQL' \
         FROM information_schema.SYSTEM_VARIABLES WHERE VARIABLE_NAME IN ({})",
        names.join(",")
    );
    for row in rows(conn, &sql, names.len()).await? {
        let setting = Setting { value: text(&row, 1), by_statement: text(&row, 2) == "1" };
        all.settings.insert(text(&row, 0), setting);
    }
    Ok(())
}

/// Reads the account's privileges, and the channels: without the privilege to see channels, none are shown.
async fn rights(conn: &mut Conn, all: &mut Newcomer) -> Result<(), Error> {
    let sql = "SELECT PRIVILEGE_TYPE, IS_GRANTABLE FROM information_schema.USER_PRIVILEGES WHERE GRANTEE = \
               CONCAT('''', SUBSTRING_INDEX(CURRENT_USER(), '@', 1), '''@''', \
               SUBSTRING_INDEX(CURRENT_USER(), '@', -1), '''')";
    for row in rows(conn, sql, 100).await? {
        all.grants |= text(&row, 1) == "YES";
        all.rights.insert(text(&row, 0));
    }
    if all.rights.contains("SLAVE MONITOR") {
        for row in rows(conn, "SHOW ALL SLAVES STATUS", 20).await? {
            let name = row.get_opt::<String, _>("Connection_name").and_then(Result::ok).unwrap_or_default();
            all.channels.push(format!("'{}'", name.chars().take(64).collect::<String>()));
        }
    }
    Ok(())
}

fn strange() -> Error {
    Error::Other("more or less than was asked for".into())
}

/// Returns at most `most` rows; more of them are an error.
async fn rows(conn: &mut Conn, sql: &str, most: usize) -> Result<Vec<Row>, Error> {
    let mut result = conn.query_iter(sql).await?;
    let mut all = Vec::new();
    while let Some(row) = result.next().await? {
        if all.len() == most {
            return Err(strange());
        }
        all.push(row);
    }
    Ok(all)
}

/// Returns one field as text, without characters that could alter how the text around it is shown.
fn text(row: &Row, place: usize) -> String {
    let value = match row.as_ref(place) {
        Some(mysql_async::Value::Bytes(bytes)) => String::from_utf8_lossy(bytes).into_owned(),
        Some(mysql_async::Value::NULL) | None => String::new(),
        Some(value) => value.as_sql(true).trim_matches('\'').to_owned(),
    };
    value.chars().filter(|c| !c.is_control()).take(LONGEST).collect()
}
