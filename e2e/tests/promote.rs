//! A person changes the writer: nothing is lost where nothing need be lost, and what is given up is kept aside.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed expectation is how a test ends")]

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use cordee_e2e::api::Server;
use cordee_e2e::callers::around;
use cordee_e2e::case;
use cordee_e2e::cluster::Cluster;
use cordee_e2e::db::Db;
use cordee_e2e::mesh::{members_but_unproven, trashed, wait_for_members, wait_for_mesh};
use cordee_e2e::outage::Obstacle;
use cordee_e2e::pair::{Pair, READY, open, promote, server_id, wait_for_no_ack};
use cordee_e2e::suite::File;
use cordee_e2e::tables::{Tables, wait_for_equal};
use cordee_e2e::turns::{Spread, servers, turns};
use cordee_e2e::wait;
use cordee_e2e::writers::Writers;
use rustix::process::Signal;

/// How soon a planned change is decided and shown.
const SWITCHED: Duration = Duration::from_secs(15);
/// Writes go on within this time after a planned change was asked for.
const FIRST_WRITE: Duration = Duration::from_secs(4);
/// Acceptance: nobody is left on the former writer.
const LEFT: Duration = Duration::from_secs(2);
/// The longest that a new connection waits, as the guide says it.
const LONGEST_WAIT: Duration = Duration::from_millis(1_600);
/// How soon a change that cannot be made without a loss is given up.
const GIVEN_UP: Duration = Duration::from_secs(20);
/// How soon a former writer that cannot start is a member again, copied from the new one.
const COPIED: Duration = Duration::from_secs(90);
/// The one row that two writers disagree about.
const ROW: &str = "e2e_disputed";

/// Its cases.
pub fn file() -> File {
    File::new(
        "promote",
        &[],
        &[
            case!(five_promotes_with_reloads_leave_nobody_behind),
            case!(the_gap_told_is_that_of_this_change),
            case!(who_connects_during_a_change_waits_for_the_next_writer),
            case!(what_only_the_former_writer_has_is_kept_aside),
            case!(what_cannot_be_taken_back_is_kept_aside_too),
        ],
    )
}

// ---- planned

/// Connections of the application on a database.
fn left_on(cluster: &Cluster, server: &str, user: &str) -> Result<u64, String> {
    let sql = format!("SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER = '{user}'");
    let rows = Db::root(cluster, server).try_query(&sql)?;
    rows[0][0].parse().map_err(|_| format!("{rows:?}"))
}

fn five_promotes_with_reloads_leave_nobody_behind(cluster: &Cluster) {
    let tables = Tables::make(cluster, "promotes", 8);
    let api = cluster.api();
    let application = Db::new(cluster, &["--account", "app"]);
    let mut pair = Pair::wait(cluster);
    let load = Writers::new(cluster.db(), application.dsn(), &tables).start();
    let mut asked = Vec::new();
    let mut expected = vec![server_id(cluster, &pair.writer.name)];
    for round in 0..5 {
        load.wait_for_more(200, Duration::from_secs(10));
        let (old, new) = (pair.writer.name.clone(), pair.standby.name.clone());
        let id = server_id(cluster, &old);
        // In turn: connections that a former HAProxy process holds, and a file that is read while the writer changes.
        if round % 2 == 0 {
            api.act("/v1/proxies/db/reload");
        }
        let at = Instant::now();
        let reply = promote(cluster, &new, false);
        assert_eq!(reply.status, 202, "{reply:?}");
        if round % 2 == 1 {
            api.act("/v1/proxies/db/reload");
        }
        // Looked for before the load is: whoever stays with the former writer must not hide the wait for the new one.
        wait::until("the API shows the new writer", SWITCHED, || {
            let now = Pair::try_read(cluster)?;
            if now.writer.name == new { Ok(()) } else { Err(format!("{now:?}")) }
        });
        let ((), took) = wait::until(&format!("nobody is left on {old}"), LEFT, || {
            match left_on(cluster, &old, &application.dsn().user)? {
                0 => Ok(()),
                some => Err(format!("{some} connections")),
            }
        });
        wait::always(&format!("nobody comes back to {old}"), Duration::from_secs(1), || {
            match left_on(cluster, &old, &application.dsn().user)? {
                0 => Ok(()),
                some => Err(format!("{some} connections")),
            }
        });
        load.wait_for_another(id, SWITCHED);
        pair = wait_planned(cluster, &pair);
        println!(
            "#   {old} to {new}: nobody left {} ms after it was shown; ready again after {:.1} s",
            took.as_millis(),
            at.elapsed().as_secs_f64()
        );
        asked.push((at, id));
        expected.push(server_id(cluster, &new));
    }
    load.wait_for_more(200, Duration::from_secs(10));
    let report = load.stop();
    println!("#   {report}");
    assert_eq!(servers(&turns(&report.writes)), expected, "who wrote in turn");
    tables.verify(cluster, &report);
    let gap =
        |(at, old): &(Instant, u32)| report.gap_after(*at, *old).expect("another database acknowledged");
    let gaps = Spread::new(asked.iter().map(gap).collect());
    println!("#   first write of the new writer after {gaps}");
    let end = report.acknowledged().map(|w| w.ended).max().expect("some writes");
    let pause = |(at, _): &(Instant, u32)| report.longest_pause(*at, end.min(*at + FIRST_WRITE));
    println!("#   longest pause around each: {}", Spread::new(asked.iter().map(pause).collect()));
    assert!(gaps.longest() <= FIRST_WRITE, "{gaps}");
}

/// A writer that was lost and came back where its data are has nothing to do with the next change.
fn the_gap_told_is_that_of_this_change(cluster: &Cluster) {
    let api = cluster.api();
    let pair = Pair::wait(cluster);
    let standby = format!("/v1/pools/db/servers/{}", pair.standby.name);
    api.act(&format!("{standby}/stop"));
    wait_for_no_ack(cluster, READY);
    cluster.signal_group(pair.writer.pid.expect("it runs"), Signal::KILL);
    wait::until("the writer is back where its data are", READY, || {
        let now = Pair::try_read(cluster)?.writer;
        if now.pid.is_none() || now.pid == pair.writer.pid {
            return Err(format!("{now:?}"));
        }
        if open(cluster, &now.name)? { Ok(()) } else { Err("closed".to_owned()) }
    });
    api.act(&format!("{standby}/start"));
    let pair = Pair::wait(cluster);
    let at = Instant::now();
    let reply = promote(cluster, &pair.standby.name, false);
    assert_eq!(reply.status, 202, "{reply:?}");
    let (told, _) = wait::until("the gap of this change is told", SWITCHED, || {
        let gap = api.get("/v1/snapshot")["gap"].clone();
        if gap["epoch"].as_u64() == Some(pair.epoch + 1) { Ok(gap) } else { Err(gap) }
    });
    let (ms, since) = (told["ms"].as_u64().expect("milliseconds"), at.elapsed().as_millis());
    println!("#   told {ms} ms; asked for {since} ms before");
    // Who waits in HAProxy tries again after 100 ms: that much more may be told.
    assert!(u128::from(ms) <= since + 120, "{told}, {since} ms after it was asked for");
    wait_planned(cluster, &pair);
}

/// An application without a retry of its own. What was begun before is cut with the former writer's connections.
fn who_connects_during_a_change_waits_for_the_next_writer(cluster: &Cluster) {
    let application = Db::new(cluster, &["--account", "app"]);
    let mut pair = Pair::wait(cluster);
    for round in 0..4 {
        // In turn: the address that follows the routing, and that of the one writer.
        let to = if round % 2 == 0 { cluster.db() } else { cluster.db_writer() };
        let new = pair.standby.name.clone();
        let id = server_id(cluster, &new);
        let calls = around(
            application.dsn(),
            to,
            || {
                let reply = promote(cluster, &new, false);
                assert_eq!(reply.status, 202, "{reply:?}");
            },
            || {
                wait::until("the new writer is open", SWITCHED, || {
                    if open(cluster, &new)? { Ok(()) } else { Err("closed".to_owned()) }
                });
            },
        );
        let after: Vec<_> = calls.after().collect();
        let longest = calls.longest();
        println!("#   {} connections after the cut, longest {longest:?}", after.len());
        assert!(calls.failed().is_empty(), "of {}: {:#?}", after.len(), calls.failed());
        assert!(after.iter().all(|call| call.outcome == Ok(id)), "{after:#?}");
        assert!(longest <= LONGEST_WAIT, "{longest:?}");
        pair = wait_planned(cluster, &pair);
    }
}

/// Waits until the pair is ready with the other writer.
fn wait_planned(cluster: &Cluster, before: &Pair) -> Pair {
    let after = Pair::wait_until(cluster, "the former writer could take over", |now| {
        if now.epoch == before.epoch { Err(format!("still epoch {}", now.epoch)) } else { Ok(()) }
    });
    assert_eq!((after.epoch, &after.writer.name), (before.epoch + 1, &before.standby.name), "{after:#?}");
    after
}

// ---- with a loss that was accepted

/// Two databases of which the former writer holds what nobody else has.
struct Diverged {
    /// The former writer.
    former: String,
    /// The writer now.
    writer: String,
    /// What stands on the writer.
    value: &'static str,
    /// What only the former writer had.
    lost: &'static str,
}

fn what_only_the_former_writer_has_is_kept_aside(cluster: &Cluster) {
    let kept_before = files(cluster);
    let former_id = server_id(cluster, &Pair::wait(cluster).writer.name);
    let diverged = diverge(cluster);
    let trashed_before = trashed(cluster, &diverged.former).len();
    the_file_holds_what_was_lost(cluster, &diverged, &kept_before);
    wait_for(cluster, &diverged.former, "follows again", |s| {
        s.membership.as_deref() == Some("member") && s.status.severity == "good"
    });
    assert!(!open(cluster, &diverged.former).unwrap(), "{} came back closed", diverged.former);
    assert!(open(cluster, &diverged.writer).unwrap(), "{} is open", diverged.writer);
    wait::until("both hold what the new writer wrote", Duration::from_secs(5), || {
        let values = [&diverged.former, &diverged.writer].map(|s| value_on(cluster, s));
        if values.iter().all(|v| v.as_deref() == Ok(diverged.value)) { Ok(()) } else { Err(values) }
    });
    let id = server_id(cluster, &diverged.former);
    assert!(id > former_id, "{} has the id {id}, after {former_id}", diverged.former);
    assert_eq!(
        trashed(cluster, &diverged.former).len(),
        trashed_before + 1,
        "its former folder is in the trash"
    );
    // The writer hears the fresh one too, or it could not hand over.
    wait_for_members(cluster, &["db1", "db2"]);
    wait_for_mesh(cluster, &["db1", "db2"]);
    wait_for_equal(cluster);
    println!("#   {}: id {former_id}, then {id}", diverged.former);
}

/// Makes the two disagree about one row: the writer alone has one value of it, dies, and is kept from coming back
/// until the other, with the loss accepted, has written another value.
fn diverge(cluster: &Cluster) -> Diverged {
    let (lost, value) = ("only the former writer has this", "what stands");
    let before = Pair::wait(cluster);
    let (former, writer) = (before.writer.name.clone(), before.standby.name.clone());
    let to = |account| Db::new(cluster, &["--account", account]).through(cluster, cluster.db_writer().port());
    let (owner, application) = (to("owner"), to("app"));
    owner.query(&format!(
        "CREATE TABLE {ROW} (id INT PRIMARY KEY, value VARCHAR(64)) DEFAULT CHARSET=utf8mb4"
    ));
    application.query(&format!("INSERT INTO {ROW} VALUES (1, 'agreed')"));
    wait::until("both have the row", Duration::from_secs(5), || {
        let on_standby = value_on(cluster, &writer)?;
        if on_standby == "agreed" { Ok(()) } else { Err(on_standby) }
    });

    let api = cluster.api();
    let standby = format!("/v1/pools/db/servers/{writer}");
    api.act(&format!("{standby}/stop"));
    wait_for_no_ack(cluster, READY);
    wait_for(cluster, &writer, "is off", |s| s.pid.is_none());
    application.query(&format!("UPDATE {ROW} SET value = '{lost}' WHERE id = 1"));
    // InnoDB's word that it is committed lies in memory until the next flush (at most a second). Without that word
    // crash recovery takes the transaction back, and the database then differs in nothing.
    Db::root(cluster, &former).query("FLUSH NO_WRITE_TO_BINLOG ENGINE LOGS");

    let obstacle = Obstacle::lurk(before.writer.port);
    cluster.signal_group(before.writer.pid.expect("it runs"), Signal::KILL);
    obstacle.wait_until_held();
    let shown = wait_for(cluster, &former, "is shown as dead", |s| s.status.severity == "critical");
    println!("#   the former writer: {:?}", shown.status);
    api.act(&format!("{standby}/start"));
    wait::until("the standby runs, closed", READY, || {
        if open(cluster, &writer)? { Err("it was opened without being asked".to_owned()) } else { Ok(()) }
    });
    wait::always("nobody is opened without a person's word", Duration::from_secs(2), || {
        let now = Pair::try_read(cluster)?;
        if now.epoch != before.epoch || open(cluster, &writer)? { Err(format!("{now:?}")) } else { Ok(()) }
    });
    without_the_word(cluster, &before);
    // The picture may be older than the change that is being given up: it stands in the way until then.
    wait::until("the change is taken with the loss accepted", GIVEN_UP, || {
        let taken = promote(cluster, &writer, true);
        if taken.status == 202 { Ok(()) } else { Err(taken) }
    });
    wait::until("the standby is the writer", SWITCHED, || {
        let now = Pair::try_read(cluster)?;
        let decided = now.writer.name == writer && now.epoch == before.epoch + 1;
        if decided && open(cluster, &writer)? { Ok(()) } else { Err(format!("{now:?}")) }
    });
    let update = format!("UPDATE {ROW} SET value = '{value}' WHERE id = 1");
    wait::until("the writer's port leads to it", SWITCHED, || application.try_query(&update));
    obstacle.release();
    Diverged { former, writer, value, lost }
}

/// Asked without accepting the loss, it is refused, at once or after it was tried; nobody is opened either way.
fn without_the_word(cluster: &Cluster, before: &Pair) {
    let reply = promote(cluster, &before.standby.name, false);
    println!("#   without the word: {} {:?}", reply.status, reply.errors());
    let ((), took) = wait::until("the change is given up", GIVEN_UP, || {
        let now = Pair::try_read(cluster)?;
        let same = (now.epoch, &now.writer.name) == (before.epoch, &before.writer.name);
        assert!(same, "a loss was accepted by nobody: {now:#?}");
        assert!(!open(cluster, &before.standby.name)?, "opened without the word");
        now.handover.map_or(Ok(()), |handover| Err(format!("handover {handover}")))
    });
    println!("#   given up after {} ms", took.as_millis());
}

fn value_on(cluster: &Cluster, server: &str) -> Result<String, String> {
    let schema = Db::new(cluster, &[]).dsn().schema.clone();
    let rows =
        Db::root(cluster, server).try_query(&format!("SELECT value FROM {schema}.{ROW} WHERE id = 1"))?;
    rows.first().and_then(|row| row.first()).cloned().ok_or_else(|| "no row".to_owned())
}

#[track_caller]
fn wait_for(cluster: &Cluster, server: &str, what: &str, wanted: impl Fn(&Server) -> bool) -> Server {
    wait::until(&format!("{server} {what}"), READY, || {
        let snapshot = cluster.api().try_snapshot()?;
        let found = snapshot.find(server).ok_or("it is not there")?;
        if wanted(found) { Ok(found.clone()) } else { Err(format!("{found:?}")) }
    })
    .0
}

fn files(cluster: &Cluster) -> BTreeSet<PathBuf> {
    let Ok(entries) = std::fs::read_dir(cluster.home().join("lost")) else { return BTreeSet::new() };
    entries.flatten().map(|e| e.path()).filter(|p| p.is_file()).collect()
}

/// One new file, which only its owner can read, and which the journal names.
fn the_file_holds_what_was_lost(cluster: &Cluster, diverged: &Diverged, before: &BTreeSet<PathBuf>) {
    let (file, _) = wait::until("what was lost is in a file", READY, || {
        let new: Vec<PathBuf> = files(cluster).difference(before).cloned().collect();
        match new.as_slice() {
            // The draft of it has another name.
            [file] if file.extension().is_some_and(|e| e == "sql") => Ok(file.clone()),
            _ => Err(new),
        }
    });
    let mode = std::fs::metadata(&file).unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode, 0o600, "{} is readable by its owner only", file.display());
    let content = String::from_utf8_lossy(&std::fs::read(&file).unwrap()).into_owned();
    println!("#   {}: {} characters", file.display(), content.len());
    assert!(content.contains(ROW), "the file does not name {ROW}:\n{content:.4000}");
    assert!(content.contains(diverged.lost), "the file does not hold the lost value:\n{content:.4000}");
    let name = file.file_name().and_then(|n| n.to_str()).expect("a plain name").to_owned();
    wait::until("the journal names the file", Duration::from_secs(5), || {
        let journal = cluster.api().history(50);
        if journal.iter().any(|e| e.text.contains(&name)) { Ok(()) } else { Err(journal) }
    });
}

// ---- what MariaDB cannot take back

/// Writes a row that can be undone and one that cannot. An error if the engine's log reached the disk meanwhile, for
/// whatever reason of its own (it clears away old positions, too): then nothing is in doubt.
fn in_doubt(root: &Db, application: &Db) -> Result<(), String> {
    application.query("INSERT INTO e2e_doubt (value) VALUES ('in doubt')");
    let committed = root.number(&lsn("current"));
    application.query("INSERT INTO e2e_aria (value) VALUES ('not to be undone')");
    let on_disk = root.number(&lsn("flushed"));
    if on_disk < committed {
        Ok(())
    } else {
        Err(format!("on disk up to {on_disk}, committed at {committed}"))
    }
}

fn lsn(which: &str) -> String {
    format!(
        "SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME='Innodb_lsn_{which}'"
    )
}

/// The writer dies with a transaction in doubt, followed in its log by writes that crash recovery cannot undo: as a
/// former writer MariaDB refuses to start with them.
fn what_cannot_be_taken_back_is_kept_aside_too(cluster: &Cluster) {
    let before = Pair::wait(cluster);
    let (former, writer) = (before.writer.name.as_str(), before.standby.name.as_str());
    let kept = files(cluster);
    let id = server_id(cluster, former);
    let to = |account| Db::new(cluster, &["--account", account]).through(cluster, cluster.db_writer().port());
    let (owner, application) = (to("owner"), to("app"));
    owner.query(
        "CREATE TABLE e2e_doubt (id INT PRIMARY KEY AUTO_INCREMENT, value VARCHAR(40)); \
         CREATE TABLE e2e_aria (id INT PRIMARY KEY AUTO_INCREMENT, value VARCHAR(40)) ENGINE=Aria",
    );
    wait_for_equal(cluster);
    let standby = format!("/v1/pools/db/servers/{writer}");
    cluster.api().act(&format!("{standby}/stop"));
    wait_for_no_ack(cluster, READY);
    wait_for(cluster, writer, "is off", |s| s.pid.is_none());
    let obstacle = Obstacle::lurk(before.writer.port);
    // InnoDB's word that it is committed must still lie in memory when the writer dies: neither its flush of every
    // second, nor that of pages while nobody writes (with a mark above, it waits for many), nor that of a heartbeat's
    // commit may come in between, or MariaDB starts and has nothing to take back.
    let root = Db::root(cluster, former);
    root.query("SET GLOBAL innodb_flush_log_at_timeout = 2700");
    root.query("SET GLOBAL innodb_max_dirty_pages_pct_lwm = 80");
    let no_heartbeat = root.hold("LOCK TABLES cordee.heartbeat READ");
    wait::until("a commit lies in memory only", READY, || in_doubt(&root, &application));
    cluster.signal_group(before.writer.pid.expect("it runs"), Signal::KILL);
    drop(no_heartbeat);
    obstacle.wait_until_held();
    wait_for(cluster, former, "is shown as dead", |s| s.status.severity == "critical");
    cluster.api().act(&format!("{standby}/start"));
    wait::until("the standby runs, closed", READY, || {
        if open(cluster, writer)? { Err("it was opened without being asked".to_owned()) } else { Ok(()) }
    });
    without_the_word(cluster, &before);
    wait::until("the change is taken with the loss accepted", GIVEN_UP, || {
        let taken = promote(cluster, writer, true);
        if taken.status == 202 { Ok(()) } else { Err(taken) }
    });
    wait::until("the standby is the writer", SWITCHED, || {
        let now = Pair::try_read(cluster)?;
        if now.writer.name == writer && open(cluster, writer)? { Ok(()) } else { Err(format!("{now:?}")) }
    });
    obstacle.release();
    let at = Instant::now();
    // A table that is not InnoDB's cannot be compared: it is copied all the same, and named.
    wait::until(&format!("{former} is copied again, one table unproven"), COPIED, || {
        members_but_unproven(cluster, &["db1", "db2"], former, "e2e_aria")
    });
    println!("#   {former} is a member again after {:.1} s", at.elapsed().as_secs_f64());
    let log = cluster.home().join("trash");
    let refused = std::fs::read_dir(&log).expect("trash/").flatten().any(|e| {
        let log = std::fs::read_to_string(e.path().join("log/mariadb.log")).unwrap_or_default();
        log.contains("Cannot truncate the binary log")
    });
    assert!(refused, "MariaDB started with it: this proves nothing");
    assert!(server_id(cluster, former) > id, "it was copied again, under an id of its own");
    let new: String = files(cluster)
        .difference(&kept)
        .map(|path| std::fs::read_to_string(path).unwrap_or_default())
        .collect();
    assert!(new.contains("in doubt") && new.contains("not to be undone"), "both are kept: {new}");
    wait_for_equal(cluster);
    let rows =
        Db::root(cluster, writer).value(&format!("SELECT COUNT(*) FROM {}.e2e_aria", owner.dsn().schema));
    assert_eq!(rows, "0");
    owner.query("DROP TABLE e2e_aria");
}
