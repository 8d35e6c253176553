//! Any number of databases that copy each other: who is one of them, and what is left of one that was.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::json;

use crate::api::{Reply, Server};
use crate::cluster::Cluster;
use crate::db::Db;
use crate::pair::epoch;
use crate::procs::{self, Process};
use crate::wait;

/// A small database has joined, or left, by then.
pub const SETTLED: Duration = Duration::from_secs(90);
/// What takes longer than this is told in detail.
const SLOW: Duration = Duration::from_secs(20);
/// A picture that is that old may be older than what was done: the product looks twice a second.
const FRESH_MS: u64 = 2_000;

/// The databases, as the API shows them.
pub fn databases(cluster: &Cluster) -> Result<Vec<Server>, String> {
    let snapshot = cluster.api().try_snapshot()?;
    Ok(snapshot.servers.into_iter().filter(|s| s.pool == "db").collect())
}

/// One database, as the API shows it.
pub fn shown(cluster: &Cluster, name: &str) -> Result<Option<Server>, String> {
    Ok(databases(cluster)?.into_iter().find(|s| s.name == name))
}

/// Asks for a new database on this machine.
#[track_caller]
pub fn ask_join(cluster: &Cluster, name: &str) -> Reply {
    cluster.api().post("/v1/pools/db/servers", &json!({ "name": name, "start": true }))
}

/// Asks for a new database on this machine, which must be taken.
#[track_caller]
pub fn join(cluster: &Cluster, name: &str) {
    let reply = ask_join(cluster, name);
    assert_eq!(reply.status, 201, "{reply:?}");
}

/// Asks for the removal of a database.
#[track_caller]
pub fn ask_removal(cluster: &Cluster, name: &str) -> Reply {
    cluster.api().call("DELETE", &format!("/v1/pools/db/servers/{name}"), None).expect("DELETE")
}

/// Asks for the removal of a database, even if no other one could take over; it must be taken.
#[track_caller]
pub fn remove(cluster: &Cluster, name: &str) {
    let path = format!("/v1/pools/db/servers/{name}?force=true");
    let reply = cluster.api().call("DELETE", &path, None).expect("DELETE");
    assert_eq!(reply.status, 202, "{reply:?}");
}

/// Chooses which databases take writes.
#[track_caller]
pub fn route(cluster: &Cluster, routing: &str) {
    let body = json!({ "routing": routing });
    let reply = cluster.api().call("PUT", "/v1/pools/db/routing", Some(&body)).expect("PUT");
    assert!(reply.ok(), "{reply:?}");
}

/// Waits until exactly these databases are there, all members that run and hear all the others, and well; and says
/// how long that took.
#[track_caller]
pub fn wait_for_members(cluster: &Cluster, names: &[&str]) -> Duration {
    let mut told = Vec::<(Duration, String)>::new();
    let start = Instant::now();
    let what = format!("{names:?} are all that there are, and well");
    let ((), took) = wait::until(&what, SETTLED, || {
        members(cluster, names).inspect_err(|why| {
            // The same but for its numbers is no news.
            let news: String = why.chars().filter(|c| !c.is_ascii_digit()).take(120).collect();
            let known = |(_, old): &(Duration, String)| {
                old.chars().filter(|c| !c.is_ascii_digit()).take(120).collect::<String>() == news
            };
            if !told.last().is_some_and(known) {
                told.push((start.elapsed(), why.clone()));
            }
        })
    });
    if took > SLOW {
        println!("#   {names:?} took {:.1} s:", took.as_secs_f64());
        for (at, why) in told.iter().take(30) {
            println!("#     {:.1} s: {why:.200}", at.as_secs_f64());
        }
    }
    took
}

/// Whether exactly these databases are there, all members that run and hear all the others, and well.
pub fn members(cluster: &Cluster, names: &[&str]) -> Result<(), String> {
    all_well(cluster, names, |_| false)
}

/// The same, but that the comparison of this one with the writer must have left out just this table.
pub fn members_but_unproven(
    cluster: &Cluster,
    names: &[&str],
    server: &str,
    table: &str,
) -> Result<(), String> {
    let lacks_one = |s: &Server| {
        let reason = s.status.reason.as_deref().unwrap_or("");
        s.status.severity == "warning" && reason.contains("1 could not be") && reason.contains(table)
    };
    all_well(cluster, names, |s| s.name == server && lacks_one(s))?;
    let snapshot = cluster.api().try_snapshot()?;
    match snapshot.servers.iter().find(|s| s.name == server) {
        Some(left_out) if lacks_one(left_out) => Ok(()),
        other => Err(format!("{:?}", other.map(brief))),
    }
}

/// Whether they are as [`members`] says; `spared` are shown as something else than good, and may be.
fn all_well(cluster: &Cluster, names: &[&str], spared: impl Fn(&Server) -> bool) -> Result<(), String> {
    let snapshot = cluster.api().try_snapshot()?;
    if let Some(handover) = &snapshot.handover {
        return Err(format!("handover {handover}"));
    }
    epoch(&snapshot)?;
    let all: Vec<&Server> = snapshot.servers.iter().filter(|s| s.pool == "db").collect();
    let there: BTreeSet<&str> = all.iter().map(|s| s.name.as_str()).collect();
    if there != names.iter().copied().collect() {
        return Err(format!("{:?}", all.iter().map(|s| brief(s)).collect::<Vec<_>>()));
    }
    // Who is on the way tells more than who waits for it.
    if let Some(other) = all.iter().find(|s| s.membership.as_deref() != Some("member")) {
        return Err(brief(other));
    }
    for server in all {
        let heard = server
            .channels
            .iter()
            .filter(|l| l.severity == "good" && l.delay_ms.is_some_and(|ms| ms < FRESH_MS))
            .map(|l| l.from.as_str());
        let others = names.iter().copied().filter(|n| *n != server.name);
        let well = server.membership.as_deref() == Some("member")
            && (server.pid.is_some() || server.runtime == "external")
            && (server.status.severity == "good" || spared(server))
            && heard.collect::<BTreeSet<_>>() == others.collect();
        if !well {
            return Err(format!("{} {:?}", brief(server), server.channels));
        }
    }
    Ok(())
}

/// A database in a few words.
pub fn brief(server: &Server) -> String {
    let Server { name, membership, status, pid, .. } = server;
    let reason = status.reason.as_deref().unwrap_or("");
    format!(
        "{name} {} pid {pid:?} {} “{}” ({reason})",
        membership.as_deref().unwrap_or("?"),
        status.severity,
        status.word
    )
}

/// Names of the channels that a database itself says it has, with whether both halves run.
pub fn channels(cluster: &Cluster, server: &str) -> Result<Vec<(String, bool)>, String> {
    let root = Db::root(cluster, server);
    let rows = root.try_query("SHOW ALL SLAVES STATUS")?;
    // Connection_name, Slave_SQL_State, Slave_IO_State, Master_Host, …, Slave_IO_Running, Slave_SQL_Running.
    Ok(rows
        .iter()
        .map(|row| {
            let runs = |n: usize| row.get(n).is_some_and(|v| v == "Yes");
            (row[0].clone(), runs(12) && runs(13))
        })
        .collect())
}

/// Waits until each of these databases itself says that it copies all the others, and nobody else.
#[track_caller]
pub fn wait_for_mesh(cluster: &Cluster, names: &[&str]) {
    wait::until(&format!("each of {names:?} copies all the others"), SETTLED, || {
        for name in names {
            let found = channels(cluster, name)?;
            let from: BTreeSet<&str> = found.iter().map(|(from, _)| from.as_str()).collect();
            let others: BTreeSet<&str> = names.iter().copied().filter(|n| n != name).collect();
            if from != others || found.iter().any(|(_, runs)| !runs) {
                return Err(format!("{name}: {found:?}"));
            }
        }
        Ok(())
    });
}

/// Whether HAProxy `db` has a server of that name, in its file or in its process.
pub fn listed(cluster: &Cluster, name: &str) -> Result<bool, String> {
    let words = |text: &str| text.split([' ', ',', '\n', '\t']).any(|word| word == name);
    let conf = cluster.conf("db");
    let in_file = conf.lines().filter(|l| l.trim_start().starts_with("server ")).any(words);
    Ok(in_file || words(&runtime(cluster, "show servers state")?))
}

/// Whether HAProxy `db` has a server of that name in its process and leads nobody to it, as is wished of a standby.
pub fn kept_out(cluster: &Cluster, name: &str) -> Result<bool, String> {
    let table = runtime(cluster, "show servers state")?;
    // be_id, be_name, srv_id, srv_name, srv_addr, srv_op_state, srv_admin_state, …; bit 0 of the last is maintenance.
    let rows = table.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    let states = rows.filter(|row| row.get(3) == Some(&name)).map(|row| {
        row.get(6).and_then(|state| state.parse::<u32>().ok()).is_some_and(|state| state & 1 == 1)
    });
    let states: Vec<bool> = states.collect();
    Ok(!states.is_empty() && states.into_iter().all(|out| out))
}

/// What HAProxy `db` answers on its runtime socket.
pub fn runtime(cluster: &Cluster, command: &str) -> Result<String, String> {
    runtime_of(cluster, "db", command)
}

/// What an HAProxy answers on its runtime socket.
pub fn runtime_of(cluster: &Cluster, proxy: &str, command: &str) -> Result<String, String> {
    use std::io::{Read as _, Write as _};
    let path = cluster.home().join(format!("run/haproxy-{proxy}/admin.sock"));
    let ask = || {
        let mut socket = std::os::unix::net::UnixStream::connect(path)?;
        socket.set_read_timeout(Some(Duration::from_secs(2)))?;
        socket.write_all(format!("{command}\n").as_bytes())?;
        let mut text = String::new();
        socket.read_to_string(&mut text)?;
        Ok(text)
    };
    ask().map_err(|e: std::io::Error| e.to_string())
}

/// The folders in `trash/` of a server of that name.
pub fn trashed(cluster: &Cluster, name: &str) -> BTreeSet<PathBuf> {
    let start = format!("{name}-");
    let ours = |path: &PathBuf| path.file_name().is_some_and(|n| n.to_string_lossy().starts_with(&start));
    let Ok(entries) = std::fs::read_dir(cluster.home().join("trash")) else { return BTreeSet::new() };
    entries.flatten().map(|e| e.path()).filter(ours).collect()
}

/// The folders in `servers/`.
pub fn homes(cluster: &Cluster) -> BTreeSet<String> {
    let entries = std::fs::read_dir(cluster.home().join("servers")).expect("servers/");
    entries.flatten().map(|e| e.file_name().to_string_lossy().into_owned()).collect()
}

/// Waits until nothing of a database is left but its folder in the trash, if it had one, and those that stay are well.
#[track_caller]
pub fn wait_until_left(cluster: &Cluster, name: &str, stay: &[&str]) -> Duration {
    wait::until(&format!("nothing is left of {name}"), SETTLED, || {
        if let Some(server) = shown(cluster, name)? {
            return Err(brief(&server));
        }
        if listed(cluster, name)? {
            return Err("HAProxy lists it".to_owned());
        }
        for peer in stay {
            if channels(cluster, peer)?.iter().any(|(from, _)| from == name) {
                return Err(format!("{peer} has a link to it"));
            }
        }
        if homes(cluster).contains(name) {
            return Err("its folder is in servers/".to_owned());
        }
        let left = of_server(cluster, name);
        if !left.is_empty() {
            return Err(format!("{:?}", left.iter().map(Process::title).collect::<Vec<_>>()));
        }
        members(cluster, stay)
    })
    .1
}

/// Processes of a server: its own, and those that make its copy.
pub fn of_server(cluster: &Cluster, name: &str) -> Vec<Process> {
    let mark = cluster.home().join("servers").join(name);
    procs::of_home(&mark)
}

/// The programs that copy a database for another one.
pub fn copiers(cluster: &Cluster) -> Vec<Process> {
    let copier = |p: &Process| matches!(p.program.as_str(), "mariabackup" | "mbstream" | "mariadb-backup");
    cluster.processes().into_iter().filter(copier).collect()
}

/// Waits until a copy of that database's own has begun, and gives the programs that make it.
#[track_caller]
pub fn wait_for_copy(cluster: &Cluster) -> Vec<Process> {
    wait::until("a copy is being made", Duration::from_secs(20), || {
        let found = copiers(cluster);
        let reads = found.iter().any(|p| p.mentions("--backup"));
        if reads && found.len() > 1 { Ok(found) } else { Err(format!("{found:?}")) }
    })
    .0
}

/// Waits until nobody copies any more.
#[track_caller]
pub fn wait_for_no_copy(cluster: &Cluster, bound: Duration) -> Duration {
    wait::until("no program copies any more", bound, || {
        let left = copiers(cluster);
        if left.is_empty() { Ok(()) } else { Err(left.iter().map(Process::title).collect::<Vec<_>>()) }
    })
    .1
}

/// Kills a database's whole group, if it runs.
#[track_caller]
pub fn kill(cluster: &Cluster, server: &str) {
    let found = shown(cluster, server).expect("snapshot").expect("it is there");
    cluster.signal_group(found.pid.expect("it runs"), Signal::KILL);
}

/// About how many bytes are put in by [`fill`].
pub const FILLED: u64 = 200 << 20;

/// Makes a copy long: a table of [`FILLED`] bytes, put in by few statements through the writer.
#[track_caller]
pub fn fill(cluster: &Cluster, table: &str) {
    let owner = Db::new(cluster, &["--account", "owner"]).through(cluster, cluster.db_writer().port());
    owner.query(&format!(
        "CREATE TABLE {table} (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, filler LONGBLOB NOT NULL)"
    ));
    let rows = ["(REPEAT(MD5(RAND()), 32768))"; 10].join(", ");
    for _ in 0..(FILLED / (10 << 20)) {
        owner.query(&format!("INSERT INTO {table} (filler) VALUES {rows}"));
    }
    // On the disk of all: what only stands in the redo log is not copied as a file.
    for name in databases(cluster).expect("snapshot").iter().map(|s| s.name.as_str()) {
        let root = Db::root(cluster, name);
        wait::until(&format!("{name} has all of {table}"), SETTLED, || {
            let rows = root.try_query(&format!("SELECT COUNT(*) FROM {}.{table}", owner.dsn().schema))?;
            if rows[0][0] == (FILLED >> 20).to_string() { Ok(()) } else { Err(format!("{rows:?}")) }
        });
    }
}

/// One sentence that says why, with the status of a refusal.
#[track_caller]
pub fn refused(reply: &Reply) -> String {
    assert!((400..500).contains(&reply.status), "not refused: {reply:?}");
    let errors = reply.errors();
    let [error] = errors.as_slice() else { panic!("one sentence, not {errors:?}: {reply:?}") };
    error.detail.clone()
}
