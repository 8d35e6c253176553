//! The copy into a database that exists already and is empty, and its end when it leaves.

use std::path::{Path, PathBuf};
use std::time::Duration;

use cordee_domain::db::Gtids;
use cordee_domain::db::copied::Copied;
use cordee_domain::db::freight::Freight;
use cordee_domain::db::mariadb::PACKET;
use cordee_domain::desired::{Database as Wished, Desired, Server};
use cordee_domain::fault::Fault;
use cordee_domain::ids::ServerName;
use cordee_domain::text;
use tokio::runtime::Handle;
use tokio::time::timeout;

use crate::hands::dump::What;
use crate::hands::files::{self, folder};
use crate::hands::mysql::{Database, account, explain};
use crate::hands::verify::{Node, exact};
use crate::hands::{backup, dump, logs, newcomer, process};

use super::act::io;
use super::doors::{Doors, address};
use super::{Parts, data};

/// The file that says that this copy was begun: what lies in the database since then is ours.
pub(super) fn begun_file(home: &Path) -> PathBuf {
    home.join("begun")
}

/// For which id a copy is complete.
pub(super) fn complete_for(home: &Path) -> std::io::Result<Option<u32>> {
    Ok(files::text(&data::id_file(home))?.and_then(|text| text.trim().parse().ok()))
}

/// Whether a database holds a copy of ours, or a part of one, or may.
pub(super) fn begun(home: &Path) -> bool {
    begun_file(home).try_exists().unwrap_or(true) || complete_for(home).map_or(true, |id| id.is_some())
}

/// The endings of the files with passwords that the two programs read.
const OPTIONS: [&str; 2] = [".donor.cnf", ".import.cnf"];

/// Takes away what a Cordée that was killed in the middle of a copy left of its passwords.
pub(super) fn forget_options(parts: &Parts) {
    for entry in std::fs::read_dir(parts.home.run()).into_iter().flatten().flatten() {
        let name = entry.file_name();
        if name.to_str().is_some_and(|n| OPTIONS.iter().any(|end| n.ends_with(end))) {
            let _ = process::remove_file(&entry.path());
        }
    }
}

/// Copies the donor's tables into `name`, from the beginning each time: a copy that was broken off is thrown away
/// first. Called where it may block.
pub(super) fn import(
    parts: &Parts,
    doors: &Doors,
    desired: &Desired,
    names: (&ServerName, &ServerName),
    watch: &dyn Fn(u64, u64),
) -> Result<(), Fault> {
    let (name, donor) = names;
    let find = |name: &ServerName| {
        desired.database(name).ok_or_else(|| text!("problem-server-unknown", name = name.as_str()))
    };
    let (server, from) = (find(name)?, find(donor)?);
    let home = parts.home.server(name);
    folder(&home, 0o755, None)
        .and_then(|()| logs::prepare(&home.join("log"), &[], None))
        .map_err(|e| io(&e))?;
    let (into, source) = (doors.to(parts, &server), doors.to(parts, &from));
    let here = Handle::current();
    let (schemas, bytes) = here.block_on(source.schemas())?;
    here.block_on(prepare(parts, &server, &into, &schemas))?;
    let load = here.block_on(source.load(desired.is_writer(donor)))?;
    let freight = Freight::of(load.clone(), None);
    if let Some(problem) = freight.problems(donor.as_str()).into_iter().next() {
        return Err(problem.text.into());
    }
    here.block_on(broken(&source, &into, &freight))?;
    let (_, before) = here.block_on(source.positions())?;
    let what = What { schemas: &schemas, but: &freight.unsound, events: !freight.events.is_empty() };
    let position = carry(parts, server, from, &what, &|done| watch(done, bytes))?;
    let node =
        |name: &ServerName, database: &Database| Node { name: name.clone(), database: database.clone() };
    let (board, id) = (&parts.board, server.id);
    let cancelled = || board.desired().db.server(name).is_none_or(|s| s.id != id);
    here.block_on(exact(&node(donor, &source), &node(name, &into), &load.lossy_columns(), &cancelled))?;
    here.block_on(into.still_events(&freight.events))?;
    let all = Gtids::parse(&position)
        .zip(Gtids::parse(&before))
        // A domain that the donor only knows from its own copy does not stand in its log.
        .map(|(dumped, applied)| dumped.with(applied))
        .ok_or_else(|| text!("copy-no-position"))?;
    let (logged, _) = here.block_on(into.positions())?;
    if !logged.is_empty() {
        return Err(text!("import-logged").into());
    }
    data::keep_position(&home, &Copied { told: all, donor: None })?;
    files::replace(&data::id_file(&home), format!("{}\n", server.id), 0o644, None).map_err(|e| io(&e))
}

/// Empties what an earlier try left; a first one makes sure once more that nothing of somebody else's is there.
async fn prepare(parts: &Parts, server: &Server, into: &Database, schemas: &[String]) -> Result<(), Fault> {
    let home = parts.home.server(&server.name);
    let mark = begun_file(&home);
    let known = files::plain_text(&mark).is_ok_and(|text| text.trim() == server.id.to_string());
    let mut statements = Vec::new();
    if known {
        let drop = |schema: &String| format!("DROP DATABASE IF EXISTS `{}`", schema.replace('`', "``"));
        statements.extend(schemas.iter().map(drop));
    } else {
        still_empty(parts, server).await?;
        files::replace(&mark, format!("{}\n", server.id), 0o644, None).map_err(|e| io(&e))?;
    }
    statements.extend(data::members_accounts(parts));
    // A value in a dump is twice as long as in its table. A connection has what counts when it is made.
    statements.push(format!("SET GLOBAL max_allowed_packet={PACKET}"));
    into.run_unlogged(&statements).await
}

/// The broken views, which the programs would stop at.
async fn broken(source: &Database, into: &Database, freight: &Freight) -> Result<(), Fault> {
    if freight.unsound.is_empty() {
        return Ok(());
    }
    let views = source.broken_views(&freight.unsound).await?;
    into.make_broken(views, &source.collations().await?).await
}

/// How long it may take to answer.
const ASKED: Duration = Duration::from_secs(10);

async fn still_empty(parts: &Parts, server: &Server) -> Result<(), Fault> {
    let login = parts.store.login(server.id).map_err(|_| text!("db-unreachable"))?;
    let read = async {
        let mut conn = newcomer::sign_in(address(server), &login).await?;
        newcomer::read(&mut conn).await
    };
    let found = timeout(ASKED, read).await.map_err(|_| Fault::Silent)?.map_err(|e| explain(&e))?;
    if found.tables.is_empty() {
        return Ok(());
    }
    Err(text!("problem-newcomer-data", names = found.tables.join(", "), count = found.tables.len()).into())
}

/// Runs the two programs, with their passwords in files that go away again.
fn carry(
    parts: &Parts,
    server: Wished<'_>,
    donor: Wished<'_>,
    what: &What<'_>,
    progress: &dyn Fn(u64),
) -> Result<String, Fault> {
    let login = parts.store.login(server.id).map_err(|_| text!("db-unreachable"))?;
    let file = |end: &str| parts.home.run().join(format!("{}{end}", server.name));
    let (from, into) = (file(OPTIONS[0]), file(OPTIONS[1]));
    let socket = parts.home.database_socket(&donor.name);
    let reader = format!(
        "[client]\nuser={}\npassword={}\nsocket={}\n",
        account::CONTROL,
        parts.secrets.control,
        socket.display()
    );
    let to = address(&server);
    let writer = format!(
        "[client]\nprotocol=tcp\nhost={}\nport={}\nuser={}\npassword={}\nskip-ssl\n",
        to.ip(),
        to.port(),
        quoted(login.user()),
        quoted(login.password())
    );
    let user = parts.users.mariadb;
    let (board, name, id) = (parts.board.clone(), server.name.clone(), server.id);
    let cancelled =
        || board.desired().database(&name).is_none_or(|s| s.id != id || s.standing != server.standing);
    let log = parts.home.server(&server.name).join("log/copy.log");
    let ends = dump::Ends { from: &from, into: &into, log: &log, user };
    let result = files::write(&from, &reader, 0o600, user)
        .and_then(|()| files::write(&into, &writer, 0o600, user))
        .map_err(|e| io(&e))
        .and_then(|()| dump::copy(&ends, what, &backup::Watch { progress, cancelled: &cancelled }));
    // Both go, whatever becomes of the other one: they hold passwords.
    let gone = [&from, &into].map(|path| process::remove_file(path));
    gone.into_iter().collect::<Result<(), _>>().map_err(|e| io(&e))?;
    result
}

/// A value as MariaDB's option files have it (its Knowledge Base, "Option file syntax"); it holds no control
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
