//! The copy into a database that existed already and is empty, and how a broken copy is cleaned up.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use cordee_domain::db::Gtids;
use cordee_domain::db::copied::Copied;
use cordee_domain::db::freight::Freight;
use cordee_domain::db::mariadb::PACKET;
use cordee_domain::fault::Fault;
use cordee_domain::ids::ServerName;
use cordee_domain::text;
use tokio::runtime::Handle;
use tokio::time::timeout;

use crate::data::{self, begun_file};
use crate::dump::What;
use crate::files::{self, folder};
use crate::machine::Machine;
use crate::mysql::{Database, account, explain};
use crate::trouble::fault;
use crate::vault::Login;
use crate::verify::{Node, exact};
use crate::{backup, dump, logs, newcomer, process};

/// Returns the id for which a copy is complete.
pub fn complete_for(home: &Path) -> std::io::Result<Option<u32>> {
    Ok(files::text(&data::id_file(home))?.and_then(|text| text.trim().parse().ok()))
}

/// Reports whether a database holds a copy of ours or a part of one, or whether that cannot be excluded.
pub fn begun(home: &Path) -> bool {
    begun_file(home).try_exists().unwrap_or(true) || complete_for(home).map_or(true, |id| id.is_some())
}

/// The suffixes of the option files with passwords that the two programs read.
const OPTIONS: [&str; 2] = [".donor.cnf", ".import.cnf"];

/// Removes the option files with passwords that remain if Cordée was killed during a copy.
pub fn forget_options(machine: &Machine) {
    for entry in std::fs::read_dir(machine.home.run()).into_iter().flatten().flatten() {
        let name = entry.file_name();
        if name.to_str().is_some_and(|n| OPTIONS.iter().any(|end| n.ends_with(end))) {
            let _ = process::remove_file(&entry.path());
        }
    }
}

/// The target database, and the donor.
#[derive(Clone, Copy, Debug)]
pub struct Ends<'a> {
    /// The target's name.
    pub name: &'a ServerName,
    /// The target's id: another server with that name gets nothing that was meant for this one.
    pub id: u32,
    /// The target's address.
    pub address: SocketAddr,
    /// The account by which Cordée runs the target.
    pub login: &'a Login,
    /// The connections to the target.
    pub into: &'a Database,
    /// The donor's name.
    pub donor: &'a ServerName,
    /// The connections to the donor.
    pub source: &'a Database,
    /// Whether the donor is the writer.
    pub from_writer: bool,
}

/// The progress of a copy, and whether to go on.
#[derive(Clone, Copy)]
pub struct Watch<'a> {
    /// Is called with the bytes carried so far, and with the total.
    pub progress: &'a dyn Fn(u64, u64),
    /// Reports whether the server is not wished any more.
    pub gone: &'a (dyn Fn() -> bool + Send + Sync),
    /// Reports the same, or that the wish for the server differs from what it was when the copy began.
    pub changed: &'a (dyn Fn() -> bool + Sync),
}

/// Copies the donor's tables, each time from the beginning: an unfinished copy is dropped first. Must be called
/// where blocking is allowed.
pub fn import(machine: &Machine, ends: &Ends<'_>, watch: &Watch<'_>) -> Result<(), Fault> {
    let Ends { name, donor, into, source, .. } = *ends;
    let home = machine.home.server(name);
    folder(&home, 0o755, None)
        .and_then(|()| logs::prepare(&home.join("log"), &[], None))
        .map_err(|e| fault(&e))?;
    let here = Handle::current();
    let (schemas, bytes) = here.block_on(source.schemas())?;
    here.block_on(prepare(machine, ends, &schemas))?;
    let load = here.block_on(source.load(ends.from_writer))?;
    let freight = Freight::of(load.clone(), None);
    if let Some(problem) = freight.problems(donor.as_str()).into_iter().next() {
        return Err(problem.text.into());
    }
    here.block_on(broken(source, into, &freight))?;
    let (_, before) = here.block_on(source.positions())?;
    let what = What { schemas: &schemas, but: &freight.unsound, events: !freight.events.is_empty() };
    let carried = |done| (watch.progress)(done, bytes);
    let position =
        carry(machine, ends, &what, &backup::Watch { progress: &carried, cancelled: watch.changed })?;
    let node =
        |name: &ServerName, database: &Database| Node { name: name.clone(), database: database.clone() };
    here.block_on(exact(&node(donor, source), &node(name, into), &load.lossy_columns(), watch.gone))?;
    here.block_on(into.still_events(&freight.events))?;
    let all = Gtids::parse(&position)
        .zip(Gtids::parse(&before))
        // A domain that the donor has only from its own copy is not in its log.
        .map(|(dumped, applied)| dumped.with(applied))
        .ok_or_else(|| text!("copy-no-position"))?;
    let (logged, _) = here.block_on(into.positions())?;
    if !logged.is_empty() {
        return Err(text!("import-logged").into());
    }
    data::keep_position(&home, &Copied { told: all, donor: None })?;
    files::replace(&data::id_file(&home), format!("{}\n", ends.id), 0o644, None).map_err(|e| fault(&e))
}

/// Drops what an earlier try left. A first try checks again that the target holds no data of its owner.
async fn prepare(machine: &Machine, ends: &Ends<'_>, schemas: &[String]) -> Result<(), Fault> {
    let home = machine.home.server(ends.name);
    let mark = begun_file(&home);
    let known = files::plain_text(&mark).is_ok_and(|text| text.trim() == ends.id.to_string());
    let mut statements = Vec::new();
    if known {
        let drop = |schema: &String| format!("DROP DATABASE IF EXISTS `{}`", schema.replace('`', "``"));
        statements.extend(schemas.iter().map(drop));
    } else {
        still_empty(ends).await?;
        files::replace(&mark, format!("{}\n", ends.id), 0o644, None).map_err(|e| fault(&e))?;
    }
    statements.extend(data::members_accounts(machine));
    // A value in a dump is twice as long as in its table. A connection takes the limit that is set when it opens.
    statements.push(format!("SET GLOBAL max_allowed_packet={PACKET}"));
    ends.into.run_unlogged(&statements).await
}

/// Copies the broken views, at which the two programs would stop.
async fn broken(source: &Database, into: &Database, freight: &Freight) -> Result<(), Fault> {
    if freight.unsound.is_empty() {
        return Ok(());
    }
    let views = source.broken_views(&freight.unsound).await?;
    into.make_broken(views, &source.collations().await?).await
}

/// How long the target may take to answer.
const ASKED: Duration = Duration::from_secs(10);

async fn still_empty(ends: &Ends<'_>) -> Result<(), Fault> {
    let read = async {
        let mut conn = newcomer::sign_in(ends.address, ends.login).await?;
        newcomer::read(&mut conn).await
    };
    let found = timeout(ASKED, read).await.map_err(|_| Fault::Silent)?.map_err(|e| explain(&e))?;
    if found.tables.is_empty() {
        return Ok(());
    }
    Err(text!("problem-newcomer-data", names = found.tables.join(", "), count = found.tables.len()).into())
}

/// Runs the two programs with their passwords in files, and removes those files.
fn carry(
    machine: &Machine,
    ends: &Ends<'_>,
    what: &What<'_>,
    watch: &backup::Watch<'_>,
) -> Result<String, Fault> {
    let Ends { login, address, .. } = *ends;
    let file = |end: &str| machine.home.run().join(format!("{}{end}", ends.name));
    let (from, into) = (file(OPTIONS[0]), file(OPTIONS[1]));
    let socket = machine.home.database_socket(ends.donor);
    let reader = format!(
        "[client]\nuser={}\npassword={}\nsocket={}\n",
        account::CONTROL,
        machine.secrets.control,
        socket.display()
    );
    let writer = format!(
        "[client]\nprotocol=tcp\nhost={}\nport={}\nuser={}\npassword={}\nskip-ssl\n",
        address.ip(),
        address.port(),
        quoted(login.user()),
        quoted(login.password())
    );
    let user = machine.users.mariadb;
    let log = machine.home.server(ends.name).join("log/copy.log");
    let programs = dump::Ends { from: &from, into: &into, log: &log, user };
    let result = files::write(&from, &reader, 0o600, user)
        .and_then(|()| files::write(&into, &writer, 0o600, user))
        .map_err(|e| fault(&e))
        .and_then(|()| dump::copy(&programs, what, watch));
    // Both files are removed, even if removing the other one fails: they hold passwords.
    let gone = [&from, &into].map(|path| process::remove_file(path));
    gone.into_iter().collect::<Result<(), _>>().map_err(|e| fault(&e))?;
    result
}

/// Quotes a value for MariaDB's option files (its Knowledge Base, "Option file syntax"). The value holds no control
/// characters.
fn quoted(value: &str) -> String {
    format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_stays_one_value() {
        assert_eq!(quoted("corde de # rappel"), "\"corde de # rappel\"");
        assert_eq!(quoted(r#"a"b\c"#), r#""a\"b\\c""#);
    }
}
