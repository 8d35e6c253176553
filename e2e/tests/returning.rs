//! A writer that was lost comes back: whoever is shown as in sync has every acknowledged row, by a dump that knows
//! nothing of Cordée.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed expectation is how a test ends")]

use std::collections::BTreeSet;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use cordee_e2e::case;
use cordee_e2e::cluster::{Cluster, run};
use cordee_e2e::db::Db;
use cordee_e2e::mortal::Mortal;
use cordee_e2e::pair::{Pair, READY, server_id};
use cordee_e2e::suite::File;
use cordee_e2e::tables::Tables;
use cordee_e2e::wait;
use cordee_e2e::writers::Writers;
use rustix::process::Signal;

/// Clients of the load.
const CLIENTS: u32 = 8;
/// Deaths of the writer in the short form; `CORDEE_E2E_KILLS` asks for more, `E2E_SEED` for the moments of another run.
const KILLS: u32 = 3;
/// An election with its step, or a dump, is done by then.
const DONE: Duration = Duration::from_secs(30);

/// Its cases.
pub fn file() -> File {
    File::new(
        "returning",
        &[],
        &[
            case!(what_a_crash_took_back_is_there_before_it_counts_as_in_sync),
            case!(what_does_not_come_back_is_copied_again),
            case!(deaths_of_the_writer_beside_busy_processors),
        ],
    )
}

/// Every row of the site's tables, as MariaDB's own program writes it.
#[track_caller]
fn dump(cluster: &Cluster, server: &str) -> String {
    let root = Db::root(cluster, server);
    let mut command = Command::new("/usr/bin/mariadb-dump");
    command.arg("--no-defaults").arg("--user=root").arg(format!("--socket={}", root.dsn().host));
    command.args([
        "--skip-comments",
        "--skip-extended-insert",
        "--order-by-primary",
        "--single-transaction",
        "--no-create-info",
    ]);
    command.arg(&Db::new(cluster, &[]).dsn().schema);
    let said = run(&mut command, DONE);
    assert_eq!(said.code, 0, "{server}: {}", said.err);
    said.out
}

/// Waits until a database is shown as in sync; then its rows, at once, are those of the writer.
#[track_caller]
fn assert_in_sync_means_equal(cluster: &Cluster, server: &str) {
    let ((), took) = wait::until(&format!("{server} is shown as in sync"), READY, || {
        let snapshot = cluster.api().try_snapshot()?;
        let found = snapshot.find(server).ok_or("it is not there")?;
        if found.status.word == "In sync" { Ok(()) } else { Err(format!("{:?}", found.status)) }
    });
    println!("#   {server} is shown as in sync after {:.1} s", took.as_secs_f64());
    let writer = Pair::read(cluster).writer.name;
    let (ours, theirs) = (dump(cluster, &writer), dump(cluster, server));
    let held: BTreeSet<&str> = theirs.lines().collect();
    let lacking: Vec<&str> = ours.lines().filter(|l| !held.contains(l)).collect();
    assert!(lacking.is_empty(), "{server} is shown as in sync and lacks {lacking:?}");
    assert_eq!(ours, theirs, "{server} is shown as in sync");
}

/// A database of the cluster, started by hand as Cordée left it. Ended when dropped.
struct ByHand(Child);

impl ByHand {
    #[track_caller]
    fn start(cluster: &Cluster, server: &str) -> Self {
        let home = cluster.home().join("servers").join(server);
        let mut command = Command::new("/usr/sbin/mariadbd");
        command.arg(format!("--defaults-file={}", home.join("my.cnf").display()));
        if rustix::process::geteuid().is_root() {
            command.arg("--user=mysql");
        }
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let by_hand = Self(child.expect("mariadbd"));
        let root = Db::root(cluster, server);
        wait::until("it answers", DONE, || root.try_query("SELECT 1").map(drop));
        by_hand
    }

    #[track_caller]
    fn end(mut self) {
        let pid = rustix::process::Pid::from_child(&self.0);
        rustix::process::kill_process(pid, Signal::TERM).expect("it runs");
        wait::until_true("it has ended", DONE, || self.0.try_wait().expect("wait").is_some());
    }
}

impl Drop for ByHand {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// One domain's number in a list of GTIDs.
fn number(gtids: &str, domain: u32) -> u64 {
    let own = format!("{domain}-");
    let gtid = gtids.split(',').find(|g| g.starts_with(&own)).expect("the domain");
    gtid.rsplit('-').next().unwrap().parse().unwrap()
}

/// The same list with another number for that domain.
fn with(gtids: &str, domain: u32, number: u64) -> String {
    let own = format!("{domain}-");
    let gtids = gtids.split(',').filter(|g| !g.is_empty() && !g.starts_with(&own)).map(str::to_owned);
    gtids.chain([format!("{domain}-{domain}-{number}")]).collect::<Vec<_>>().join(",")
}

/// The writer dies and the other one takes over; Cordée dies just before it looks at the dead one's log. Meanwhile that
/// log is made to end before its last two rows, as crash recovery makes it, while its position still claims them. With
/// `rows`, they are taken out of its tables too.
#[track_caller]
fn take_back(cluster: &Cluster, table: &str, rows: bool) -> (Pair, String) {
    Pair::wait(cluster);
    let mut mortal = Mortal::start(cluster, "before:SaveOwn");
    let before = Pair::wait(cluster);
    let lost = before.writer.name.clone();
    let id = server_id(cluster, &lost);
    let owner = Db::new(cluster, &["--account", "owner"]).through(cluster, cluster.db_writer().port());
    let table = format!("{}.{table}", owner.dsn().schema);
    owner.query(&format!("CREATE TABLE {table} (id INT PRIMARY KEY, word VARCHAR(20)) ENGINE=InnoDB"));
    let write =
        |n: u32| owner.value(&format!("INSERT INTO {table} VALUES ({n}, 'kept'); SELECT @@last_gtid"));
    let gtids: Vec<String> = (1..=5).map(write).collect();
    let taken = number(&gtids[3], id);
    cluster.signal_group(before.writer.pid.expect("it runs"), Signal::KILL);
    let died = mortal.wait_for_death(DONE, || false);
    assert!(died, "it never came to look at the log");
    let by_hand = ByHand::start(cluster, &lost);
    let root = Db::root(cluster, &lost);
    let (log, claims) = (root.value("SELECT @@gtid_binlog_state"), root.value("SELECT @@gtid_slave_pos"));
    let end = number(&log, id);
    assert!(end > taken, "{log}");
    if rows {
        root.query(&format!("SET sql_log_bin=0; DELETE FROM {table} WHERE id > 3"));
    }
    root.query(&format!(
        "RESET MASTER; SET GLOBAL gtid_binlog_state='{}'; SET GLOBAL gtid_slave_pos='{}'",
        with(&log, id, taken - 1),
        with(&claims, id, end)
    ));
    by_hand.end();
    println!("#   the log of {lost} ends at {}, its position claims {end}", taken - 1);
    mortal.end(cluster);
    cluster.cli_ok(&["up", "--detach"]);
    (before, table)
}

fn what_a_crash_took_back_is_there_before_it_counts_as_in_sync(cluster: &Cluster) {
    let begun = cluster.api().last_event();
    let (before, table) = take_back(cluster, "e2e_taken", true);
    let lost = before.writer.name;
    assert_in_sync_means_equal(cluster, &lost);
    let ids = Db::root(cluster, &lost).query(&format!("SELECT id FROM {table} ORDER BY id")).concat();
    assert_eq!(ids, ["1", "2", "3", "4", "5"]);
    let told: Vec<String> = cluster.api().events_after(begun).into_iter().map(|e| e.text).collect();
    assert!(told.iter().any(|t| t.contains("was set back to the log")), "{told:#?}");
    assert_eq!(Pair::wait(cluster).epoch, before.epoch + 1);
}

/// Its tables hold what its log lacks: no crash does that, and what is sent again is in its own way (error 1062).
fn what_does_not_come_back_is_copied_again(cluster: &Cluster) {
    let begun = cluster.api().last_event();
    let (before, _) = take_back(cluster, "e2e_odd", false);
    let lost = before.writer.name;
    assert_in_sync_means_equal(cluster, &lost);
    let told: Vec<String> = cluster.api().events_after(begun).into_iter().map(|e| e.text).collect();
    assert!(told.iter().any(|t| t.contains("of its own that the others hold")), "{told:#?}");
}

/// Keeps every processor busy until it is dropped.
struct Burners(Arc<AtomicBool>);

impl Burners {
    fn start() -> Self {
        let over = Arc::new(AtomicBool::new(false));
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) * 2 {
            let over = Arc::clone(&over);
            std::thread::spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            });
        }
        Self(over)
    }
}

impl Drop for Burners {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// The next of a row of numbers that look like chance (xorshift).
fn next(seed: &mut u64) -> u64 {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    *seed
}

/// After each death both are shown as in sync, and both have every row that was acknowledged.
fn deaths_of_the_writer_beside_busy_processors(cluster: &Cluster) {
    let asked = |name: &str| std::env::var(name).ok().and_then(|v| v.parse::<u64>().ok());
    let kills = asked("CORDEE_E2E_KILLS").unwrap_or(KILLS.into());
    let mut seed = asked("E2E_SEED").unwrap_or_else(|| u64::from(std::process::id())) | 1;
    println!("#   {kills} kills, E2E_SEED={seed}");
    let begun = cluster.api().last_event();
    let application = Db::new(cluster, &["--account", "app"]);
    let owner = Db::new(cluster, &["--account", "owner"]).through(cluster, cluster.db_writer().port());
    for kill in 1..=kills {
        let tables = Tables::make(cluster, &format!("death_{kill}"), CLIENTS);
        let before = Pair::wait(cluster);
        let burners = Burners::start();
        let load = Writers::new(cluster.db(), application.dsn(), &tables).pace(1_000, 1_000).start();
        load.wait_for_more(200 + next(&mut seed) % 400, DONE);
        let at = Instant::now();
        cluster.signal_group(before.writer.pid.expect("it runs"), Signal::KILL);
        wait::until("there is a new process", READY, || {
            let now = cluster.api().try_snapshot()?;
            let pid = now.find(&before.writer.name).ok_or("it is not there")?.pid;
            if pid.is_some() && pid != before.writer.pid { Ok(()) } else { Err(format!("{pid:?}")) }
        });
        load.wait_for_more(20, DONE);
        let report = load.stop();
        drop(burners);
        println!("#   kill {kill}: {report}");
        for server in ["db1", "db2"] {
            assert_in_sync_means_equal(cluster, server);
            tables.verify_on(cluster, server, &report);
        }
        let names =
            ["row", "counter", "probe"].map(|of| format!("{}.e2e_death_{kill}_{of}", owner.dsn().schema));
        owner.query(&format!("DROP TABLE {}", names.join(", ")));
        println!("#   kill {kill}: whole again after {:.1} s", at.elapsed().as_secs_f64());
    }
    let told: Vec<String> = cluster.api().events_after(begun).into_iter().map(|e| e.text).collect();
    let count = |part: &str| told.iter().filter(|t| t.contains(part)).count();
    println!(
        "#   of the last 200 lines: {} set back, {} copied again",
        count("was set back to the log"),
        count("gets a fresh copy")
    );
}
