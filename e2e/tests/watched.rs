//! What Cordée set or needs on a database, and somebody alters behind its back: put right where that does no harm, with
//! a line in the journal that says what it was; else named, with a way back. The site goes on.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed expectation is how a test ends")]

use std::os::unix::net::UnixListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use cordee_e2e::case;
use cordee_e2e::cluster::Cluster;
use cordee_e2e::db::Db;
use cordee_e2e::pair::{Pair, READY};
use cordee_e2e::suite::File;
use cordee_e2e::tables::{Tables, wait_for_equal};
use cordee_e2e::wait;
use cordee_e2e::writers::{Running, Writers};
use rustix::process::Signal;

/// A setting is put right by then: it is looked at each second.
const RIGHT: Duration = Duration::from_secs(8);
/// An account is: it is looked at every ten seconds.
const ACCOUNT: Duration = Duration::from_secs(25);

/// What only a login proves is proven every five seconds; then it is looked at within one.
const LOGIN: Duration = Duration::from_secs(9);
/// What answers no more is seen with the next look but one.
const SEEN: Duration = Duration::from_secs(4);
/// Acceptance: connections of Cordée's to one database.
const FEWER_THAN: u64 = 12;
/// Connections of Cordée's.
const OURS: &str = "SELECT ID FROM information_schema.PROCESSLIST WHERE USER = 'cordee'";

/// Its cases.
pub fn file() -> File {
    File::new(
        "watched",
        &[],
        &[
            case!(settings_are_put_right_and_told),
            case!(links_are_put_right_and_told),
            case!(accounts_are_put_right_and_told),
            case!(a_standby_whose_log_was_reset_is_named_and_the_site_goes_on),
            case!(kept_connections_are_few_and_may_be_killed),
            case!(a_password_that_was_changed_is_seen_although_connections_are_kept),
            case!(another_server_at_a_databases_socket_is_seen_at_once),
            case!(an_orderly_end_turns_no_connection_out),
        ],
    )
}

/// Every line of the journal after that one that holds `part`.
fn told(cluster: &Cluster, after: u64, part: &str) -> Vec<String> {
    let lines = cluster.api().events_after(after).into_iter().map(|e| e.text);
    lines.filter(|text| text.contains(part)).collect()
}

#[track_caller]
fn wait_told(cluster: &Cluster, after: u64, part: &str, bound: Duration) {
    wait::until(&format!("the journal says {part:?}"), bound, || {
        if told(cluster, after, part).is_empty() {
            return Err(cluster.api().events_after(after).into_iter().map(|e| e.text).collect::<Vec<_>>());
        }
        Ok(())
    });
}

fn settings_are_put_right_and_told(cluster: &Cluster) {
    let pair = Pair::wait(cluster);
    let begun = cluster.api().last_event();
    // The value that somebody sets; what it was is what Cordée finds.
    let settings = [
        ("log_bin_trust_function_creators", "OFF"),
        ("binlog_format", "STATEMENT"),
        ("binlog_row_image", "MINIMAL"),
        ("gtid_strict_mode", "OFF"),
        ("sync_binlog", "0"),
        ("innodb_flush_log_at_trx_commit", "2"),
        ("rpl_semi_sync_master_timeout", "100"),
        ("local_infile", "ON"),
    ];
    for server in [&pair.writer.name, &pair.standby.name] {
        let root = Db::root(cluster, server);
        let value = |name: &str| root.value(&format!("SELECT @@GLOBAL.{name}"));
        for (name, other) in settings {
            let before = value(name);
            assert_ne!(before, other, "{name}");
            root.query(&format!("SET GLOBAL {name}={other}"));
            wait::until(&format!("{name} of {server} is {before} again"), RIGHT, || {
                let now = value(name);
                if now == before { Ok(()) } else { Err(now) }
            });
            wait_told(cluster, begun, &format!("{server}: {name} was {other}"), RIGHT);
        }
    }
    let standby = Db::root(cluster, &pair.standby.name);
    standby.query("SET GLOBAL slave_exec_mode=IDEMPOTENT");
    let strict = || standby.value("SELECT @@GLOBAL.slave_exec_mode") == "STRICT";
    wait::until_true("the standby stops at conflicts again", RIGHT, strict);
    // This one is taken only while no channel runs.
    standby.query("STOP ALL SLAVES; SET GLOBAL gtid_ignore_duplicates=0; START ALL SLAVES");
    let ignores = || standby.value("SELECT @@GLOBAL.gtid_ignore_duplicates") == "1";
    wait::until_true("it ignores duplicates again", RIGHT, ignores);
    Db::root(cluster, &pair.writer.name).query("SET GLOBAL rpl_semi_sync_master_enabled=0");
    let after = Pair::wait(cluster);
    assert_eq!(after.epoch, pair.epoch, "nothing of it changes the writer");
    wait_for_severity(cluster, &["db1", "db2"]);
}

#[track_caller]
fn wait_for_severity(cluster: &Cluster, servers: &[&str]) {
    for server in servers {
        cluster.api().wait_for_severity(server, "good", READY);
    }
}

fn links_are_put_right_and_told(cluster: &Cluster) {
    let pair = Pair::wait(cluster);
    let begun = cluster.api().last_event();
    let (on, from) = (&pair.standby.name, &pair.writer.name);
    let standby = Db::root(cluster, on);
    let alter = |what: &str| {
        standby
            .query(&format!("STOP SLAVE '{from}'; CHANGE MASTER '{from}' TO {what}; START SLAVE '{from}'"));
    };
    alter("MASTER_DELAY=3600");
    wait_told(cluster, begun, "SQL_Delay=3600", RIGHT);
    alter("MASTER_CONNECT_RETRY=60, IGNORE_SERVER_IDS=(99)");
    wait_told(cluster, begun, "Connect_Retry=60", RIGHT);
    Pair::wait(cluster);
    wait_for_severity(cluster, &["db1", "db2"]);
    wait_for_equal(cluster);
}

fn accounts_are_put_right_and_told(cluster: &Cluster) {
    let pair = Pair::wait(cluster);
    let begun = cluster.api().last_event();
    let [writer, standby] = [&pair.writer.name, &pair.standby.name].map(|name| Db::root(cluster, name));
    writer.query("SET sql_log_bin=0; DROP USER site_app@127.0.0.1");
    standby.query("SET sql_log_bin=0; REVOKE DELETE ON site.* FROM site_app@127.0.0.1");
    standby.query("SET sql_log_bin=0; ALTER USER cordee_repl@127.0.0.1 IDENTIFIED BY 'other'");
    let application = Db::new(cluster, &["--account", "app"]);
    let (_, took) =
        wait::until("the application signs in again", ACCOUNT, || application.try_query("SELECT 1"));
    println!("#   after {:.1} s", took.as_secs_f64());
    let (on, off) = (&pair.writer.name, &pair.standby.name);
    wait_told(cluster, begun, &format!("{on}: somebody altered the account site_app"), ACCOUNT);
    wait_told(cluster, begun, &format!("{off}: somebody altered the account cordee_repl"), ACCOUNT);
    let grants = standby.query("SHOW GRANTS FOR site_app@127.0.0.1").concat().concat();
    assert!(grants.contains("DELETE"), "{grants}");
    // A right that nobody needs and that passes a closed database is named, and left to a person.
    standby.query("SET sql_log_bin=0; GRANT READ_ONLY ADMIN ON *.* TO site_app@127.0.0.1");
    let shown = cluster.api().wait_for_severity(off, "warning", ACCOUNT);
    assert!(
        shown.status.reason.unwrap_or_default().contains("REVOKE READ_ONLY ADMIN"),
        "{:?}",
        shown.status.word
    );
    standby.query("SET sql_log_bin=0; REVOKE READ_ONLY ADMIN ON *.* FROM site_app@127.0.0.1");
    wait_for_severity(cluster, &["db1", "db2"]);
    Pair::wait(cluster);
}

fn load(cluster: &Cluster, case: &str) -> (Tables, Running) {
    let tables = Tables::make(cluster, case, 4);
    let application = Db::new(cluster, &["--account", "app"]);
    let load = Writers::new(cluster.db(), application.dsn(), &tables).pace(50, 50).start();
    load.wait_for_more(20, RIGHT);
    (tables, load)
}

fn a_standby_whose_log_was_reset_is_named_and_the_site_goes_on(cluster: &Cluster) {
    let pair = Pair::wait(cluster);
    let (tables, load) = load(cluster, "reset_standby");
    let standby = &pair.standby.name;
    Db::root(cluster, standby).query("RESET MASTER");
    wait::until("it is named", RIGHT, || {
        let snapshot = cluster.api().try_snapshot()?;
        let status = &snapshot.server(standby).status;
        if status.word == "Log reset" { Ok(()) } else { Err(format!("{status:?}")) }
    });
    wait::always("the site has a database, and says so", RIGHT, || {
        let verdict = cluster.api().try_snapshot()?.verdict;
        if verdict.severity == "warning" { Ok(()) } else { Err(format!("{verdict:?}")) }
    });
    load.wait_for_more(20, RIGHT);
    cluster.api().act(&format!("/v1/pools/db/servers/{standby}/recopy?force=true"));
    wait::until("it is copied", READY, || {
        let membership = cluster.api().try_snapshot()?.server(standby).membership.clone();
        if membership.as_deref() == Some("member") { Ok(()) } else { Err(format!("{membership:?}")) }
    });
    wait_for_severity(cluster, &["db1", "db2"]);
    let report = load.stop();
    assert!(report.errors.is_empty(), "clients noticed: {:?}", report.errors);
    tables.verify(cluster, &report);
}

fn kept_connections_are_few_and_may_be_killed(cluster: &Cluster) {
    cluster.settle();
    let begun = cluster.api().last_event();
    let epoch = Pair::read(cluster).epoch;
    for name in ["db1", "db2"] {
        let root = Db::root(cluster, name);
        let (mut most, mut killed) = (0, 0);
        for round in 0..60 {
            let ours = root.query(OURS);
            most = most.max(u64::try_from(ours.len()).unwrap());
            if round % 10 == 9 {
                for id in ours.concat() {
                    // One may have ended meanwhile.
                    killed += u64::from(root.try_query(&format!("KILL CONNECTION {id}")).is_ok());
                }
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        println!("#   {name}: {most} connections at most, {killed} killed");
        assert!(most < FEWER_THAN && killed > 0, "{name}: {most}, {killed} killed");
    }
    cluster.settle();
    let told = cluster.api().events_after(begun);
    assert!(told.iter().all(|e| e.severity.as_deref() != Some("critical")), "{told:#?}");
    assert_eq!(Pair::wait(cluster).epoch, epoch);
}

fn a_password_that_was_changed_is_seen_although_connections_are_kept(cluster: &Cluster) {
    let pair = Pair::wait(cluster);
    let name = &pair.standby.name;
    let root = Db::root(cluster, name);
    let hash = root.value(
        "SELECT JSON_VALUE(Priv, '$.authentication_string') FROM mysql.global_priv \
         WHERE User = 'cordee' AND Host = 'localhost'",
    );
    root.query("SET sql_log_bin=0; ALTER USER cordee@localhost IDENTIFIED BY 'other'");
    let (word, took) = wait::until("it is seen", LOGIN, || {
        let status = cluster.api().try_snapshot()?.server(name).status.clone();
        if status.severity == "good" { Err(status.word) } else { Ok((status.word, status.reason)) }
    });
    println!("#   after {:.1} s: {word:?}", took.as_secs_f64());
    root.query(&format!("SET sql_log_bin=0; ALTER USER cordee@localhost IDENTIFIED BY PASSWORD '{hash}'"));
    wait_for_severity(cluster, &["db1", "db2"]);
    assert_eq!(Pair::wait(cluster).epoch, pair.epoch);
}

/// Takes connections and says nothing, as a program does that took a database's place.
struct Stranger(Arc<AtomicBool>, Option<std::thread::JoinHandle<()>>, std::path::PathBuf);

impl Stranger {
    fn at(path: std::path::PathBuf) -> Self {
        let (listener, over) =
            (UnixListener::bind(&path).expect("a socket"), Arc::new(AtomicBool::new(false)));
        let stop = Arc::clone(&over);
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                drop(stream);
            }
        });
        Self(over, Some(thread), path)
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
        let _ = std::os::unix::net::UnixStream::connect(&self.2);
        let _ = self.1.take().map(std::thread::JoinHandle::join);
        let _ = std::fs::remove_file(&self.2);
    }
}

fn another_server_at_a_databases_socket_is_seen_at_once(cluster: &Cluster) {
    let pair = Pair::wait(cluster);
    let name = &pair.standby.name;
    let socket = cluster.home().join("run").join(name).join("mariadb.sock");
    let aside = socket.with_extension("aside");
    std::fs::rename(&socket, &aside).expect("aside");
    let stranger = Stranger::at(socket.clone());
    let (word, took) = wait::until("it is seen", SEEN, || {
        let status = cluster.api().try_snapshot()?.server(name).status.clone();
        if status.severity == "good" { Err(status.word) } else { Ok((status.word, status.reason)) }
    });
    println!("#   after {:.1} s: {word:?}", took.as_secs_f64());
    drop(stranger);
    std::fs::rename(&aside, &socket).expect("back");
    wait_for_severity(cluster, &["db1", "db2"]);
    assert_eq!(Pair::wait(cluster).epoch, pair.epoch);
}

fn an_orderly_end_turns_no_connection_out(cluster: &Cluster) {
    let pair = Pair::wait(cluster);
    let names = ["db1", "db2"];
    let log = |name: &str| cluster.home().join("servers").join(name).join("log/mariadb.log");
    let text = |name: &str| std::fs::read_to_string(log(name)).unwrap();
    let before = names.map(|name| text(name).len());
    // A database that is asked to end, and then Cordée itself.
    cluster.cli_ok(&["restart", &pair.standby.name]);
    Pair::wait(cluster);
    let serve = cluster.serve().expect("serve");
    cluster.signal(serve.pid, Signal::TERM);
    wait::until("serve has ended", SEEN, || if serve.lives() { Err("it lives") } else { Ok(()) });
    wait::until("another one serves", READY, || match cluster.serve() {
        Some(now) if now.pid != serve.pid => Ok(()),
        other => Err(format!("{other:?}")),
    });
    Pair::wait(cluster);
    for (name, from) in names.into_iter().zip(before) {
        let text = text(name);
        let turned_out = |line: &&str| line.contains("Aborted connection") && line.contains("user: 'cordee'");
        let found: Vec<&str> = text[from..].lines().filter(turned_out).collect();
        assert!(found.is_empty(), "{name}: {found:#?}");
    }
}
