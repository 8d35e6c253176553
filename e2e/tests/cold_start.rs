//! After everything has died: the same writer, or nobody; and HAProxy `db` alone leads to no standby.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed expectation is how a test ends")]

use std::net::SocketAddr;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use cordee_e2e::case;
use cordee_e2e::cluster::Cluster;
use cordee_e2e::db::Db;
use cordee_e2e::outage::Obstacle;
use cordee_e2e::pair::{Pair, READY, open, promote, server_id};
use cordee_e2e::prober::Probers;
use cordee_e2e::suite::File;
use cordee_e2e::tables::{Tables, wait_for_equal};
use cordee_e2e::turns::{servers, turns};
use cordee_e2e::wait;
use cordee_e2e::writers::{Report, Writers, connect};
use mysql::prelude::Queryable as _;
use rustix::process::Signal;

const HAPROXY: &str = "/usr/sbin/haproxy";

/// Its cases.
pub fn file() -> File {
    File::new(
        "cold_start",
        &[],
        &[
            case!(after_the_death_of_everything_the_same_writer_writes),
            case!(a_missing_standby_keeps_nobody_from_writing),
            case!(without_the_writer_nobody_is_opened),
            case!(haproxy_alone_leads_to_no_standby),
        ],
    )
}

/// Some rows through HAProxy, acknowledged and in place when everything dies.
fn write_some(cluster: &Cluster, tables: &Tables) -> Report {
    let application = Db::new(cluster, &["--account", "app"]);
    let load = Writers::new(cluster.db(), application.dsn(), tables).start();
    load.wait_for_more(400, Duration::from_secs(20));
    let report = load.stop();
    println!("#   {report}");
    report
}

#[track_caller]
fn assert_same(before: &Pair, after: &Pair) {
    assert_eq!((after.epoch, &after.writer.name), (before.epoch, &before.writer.name), "{after:#?}");
}

fn after_the_death_of_everything_the_same_writer_writes(cluster: &Cluster) {
    let tables = Tables::make(cluster, "all", 8);
    // Not the one that a fresh cluster would choose: a cluster that forgets its decision is found out.
    let before = with_writer(cluster, "db2");
    let writer = server_id(cluster, &before.writer.name);
    let report = write_some(cluster, &tables);
    let probers = Probers::start(cluster, &tables);
    cluster.kill_all();
    cluster.cli_ok(&["up", "--detach"]);
    let after = Pair::wait(cluster);
    assert_same(&before, &after);
    let more = Tables::make(cluster, "again", 8);
    let again = write_some(cluster, &more);
    let tries = probers.stop();
    let taken = tries.iter().filter(|t| t.acknowledged()).count();
    println!("#   {taken} of {} direct tries were taken", tries.len());
    // Before, during and after: the one writer took writes and nobody else ever did.
    let proven = servers(&turns(report.writes.iter().chain(&tries).chain(&again.writes)));
    assert_eq!(proven, [writer], "who wrote in turn");
    tables.verify(cluster, &report);
    more.verify(cluster, &again);
    tables.verify_probes(cluster, &tries);
}

/// A pair that is ready, with that writer.
fn with_writer(cluster: &Cluster, name: &str) -> Pair {
    let pair = Pair::wait(cluster);
    if pair.writer.name == name {
        return pair;
    }
    let reply = promote(cluster, name, false);
    assert_eq!(reply.status, 202, "{reply:?}");
    Pair::wait_until(cluster, &format!("{name} is the writer"), |now| {
        if now.writer.name == name { Ok(()) } else { Err(format!("{now:?}")) }
    })
}

// ---- one is missing

/// Kills everything, keeps one database from starting, brings Cordée up again, and gives the cluster to `look`.
/// The port is free again afterwards.
fn up_without(cluster: &Cluster, port: u16, look: impl FnOnce()) {
    cluster.kill_all();
    let obstacle = Obstacle::take(port);
    std::thread::scope(|scope| {
        // It returns when everything is well: after the obstacle is gone.
        let up = scope.spawn(|| cluster.cli(&["up", "--detach"]));
        let looked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(look));
        obstacle.release();
        let said = up.join().expect("up");
        if let Err(panic) = looked {
            std::panic::resume_unwind(panic);
        }
        assert_eq!(said.code, 0, "cordee up --detach: {said:#?}");
    });
}

fn a_missing_standby_keeps_nobody_from_writing(cluster: &Cluster) {
    let tables = Tables::make(cluster, "no_standby", 8);
    let before = Pair::wait(cluster);
    let application = Db::new(cluster, &["--account", "app"]);
    let report = write_some(cluster, &tables);
    let update = tables.update(0, report.counters()[&0].attempted);
    up_without(cluster, before.standby.port, || {
        let ((), took) =
            wait::until("writes are taken", READY, || application.try_query(&update).map(|_| ()));
        println!("#   writes without the standby after {:.1} s", took.as_secs_f64());
        let now = Pair::read(cluster);
        assert_same(&before, &now);
        assert_eq!(open(cluster, &before.writer.name), Ok(true));
        println!("#   the standby: {:?}", now.standby.status);
        assert_ne!(now.standby.status.severity, "good", "{:?}", now.standby);
    });
    assert_same(&before, &Pair::wait(cluster));
    tables.verify(cluster, &report);
}

fn without_the_writer_nobody_is_opened(cluster: &Cluster) {
    let tables = Tables::make(cluster, "no_writer", 8);
    let before = Pair::wait(cluster);
    let report = write_some(cluster, &tables);
    up_without(cluster, before.writer.port, || {
        // An answer of either kind: what follows must not pass because the standby does not run.
        wait::until("the standby runs", READY, || open(cluster, &before.standby.name));
        let (shown, took) = wait::until("the writer is shown as critical, with a reason", READY, || {
            let now = Pair::try_read(cluster)?;
            let told = now.writer.status.reason.as_deref().is_some_and(|r| !r.trim().is_empty());
            if now.writer.status.severity == "critical" && told {
                Ok(now)
            } else {
                Err(format!("{:?}", now.writer))
            }
        });
        println!("#   told after {:.1} s: {:?}", took.as_secs_f64(), shown.writer.status);
        println!("#   verdict: {:?}", cluster.api().snapshot().verdict);
        wait::always("nobody is opened", Duration::from_secs(5), || {
            if open(cluster, &before.standby.name)? {
                return Err("the standby is open".to_owned());
            }
            assert_same(&before, &Pair::try_read(cluster)?);
            Ok(())
        });
    });
    assert_same(&before, &Pair::wait(cluster));
    tables.verify(cluster, &report);
}

// ---- HAProxy alone

/// A HAProxy that the test started; dropped, it is ended.
struct Proxy(Child);

impl Proxy {
    /// Starts it as Cordée does, but as one process in the foreground, from the file that Cordée left.
    fn start(cluster: &Cluster) -> Self {
        let conf = cluster.home().join("conf").join("db.cfg");
        let (user, group) = haproxy();
        let mut command = Command::new(HAPROXY);
        command.arg("-db").arg("-f").arg(conf).uid(user).gid(group).current_dir("/");
        Self(command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().expect(HAPROXY))
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// User and group id of Debian's `haproxy`.
fn haproxy() -> (u32, u32) {
    let table = std::fs::read_to_string("/etc/passwd").expect("/etc/passwd");
    let line = table.lines().find(|l| l.starts_with("haproxy:")).expect("a user haproxy");
    let number = |n| line.split(':').nth(n).and_then(|id| id.parse().ok()).expect("an id");
    (number(2), number(3))
}

fn haproxy_alone_leads_to_no_standby(cluster: &Cluster) {
    // Not the first one of the file, and by a change: a file of the time before is found out.
    let other = with_writer(cluster, "db1");
    let before = with_writer(cluster, &other.standby.name);
    let writer = server_id(cluster, &before.writer.name);
    let application = Db::new(cluster, &["--account", "app"]);
    let master = cluster.api().snapshot().proxy("db").pid.expect("HAProxy db runs");
    cluster.kill_cordee();
    cluster.signal_group(master, Signal::KILL);
    wait::until_true("HAProxy db is gone", Duration::from_secs(5), || {
        connect(application.dsn(), cluster.db()).is_err()
    });
    let proxy = Proxy::start(cluster);
    wait::until("the HAProxy of the test serves", Duration::from_secs(5), || {
        connect(application.dsn(), cluster.db()).map(|_| ()).map_err(|e| e.to_string())
    });
    for address in [cluster.db(), cluster.db_writer()] {
        let mut landed: Vec<u32> = (0..50).map(|_| lands_on(&application, address)).collect();
        landed.dedup();
        assert_eq!(landed, [writer], "the servers behind {address}, with Cordée dead");
    }
    drop(proxy);
    cluster.cli_ok(&["up", "--detach"]);
    assert_same(&before, &Pair::wait(cluster));
    wait_for_equal(cluster);
    cluster.settle();
}

fn lands_on(application: &Db, address: SocketAddr) -> u32 {
    let mut connection = connect(application.dsn(), address).expect("a connection");
    connection.query_first("SELECT @@server_id").expect("an answer").expect("one row")
}
