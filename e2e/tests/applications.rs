//! Ordinary applications are installed and run: through the proxy, with the owner's account, as on any MariaDB. And
//! what changes for them when the writer does, or when all write.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed expectation is how a test ends")]

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use cordee_e2e::case;
use cordee_e2e::cluster::Cluster;
use cordee_e2e::db::Db;
use cordee_e2e::debs;
use cordee_e2e::pair::{Pair, READY, promote};
use cordee_e2e::suite::File;
use cordee_e2e::tables::wait_for_equal;
use cordee_e2e::wait;
use rustix::process::Signal;
use serde_json::json;

/// What was done on the writer is on the other one by then.
const COPIED: Duration = Duration::from_secs(5);
/// The routing is what was asked by then.
const ROUTED: Duration = Duration::from_secs(30);
/// A scheduled event has begun where it belongs by then.
const SCHEDULED: Duration = Duration::from_secs(10);

/// Its cases.
pub fn file() -> File {
    File::new(
        "applications",
        &[],
        &[
            case!(a_trigger_a_function_and_a_named_time_zone_work),
            case!(ids_are_dense_with_one_writer),
            case!(the_installers_of_three_applications_run),
            case!(events_run_on_the_writer_and_nowhere_else),
            case!(all_write_only_once_nobody_numbers_as_before),
        ],
    )
}

/// The owner, where applications reach the one writer.
fn owner(cluster: &Cluster) -> Db {
    Db::new(cluster, &["--account", "owner"]).through(cluster, cluster.db_writer().port())
}

fn roots(cluster: &Cluster) -> [Db; 2] {
    ["db1", "db2"].map(|name| Db::root(cluster, name))
}

/// Waits until a question gets this answer on both.
#[track_caller]
fn on_both(cluster: &Cluster, sql: &str, answer: &str) {
    for root in roots(cluster) {
        wait::until(&format!("{sql} is {answer}"), COPIED, || match root.try_query(sql) {
            Ok(rows) if rows == [[answer]] => Ok(()),
            other => Err(other),
        });
    }
}

fn a_trigger_a_function_and_a_named_time_zone_work(cluster: &Cluster) {
    Pair::wait(cluster);
    let zone = "SELECT CONVERT_TZ('2026-07-01 12:00:00', 'UTC', 'Europe/Paris')";
    // The writer learns them last, and all of them within seconds of the first start.
    wait::until("named time zones are known", Duration::from_secs(15), || {
        let said = roots(cluster).map(|root| root.value(zone));
        if said == ["2026-07-01 14:00:00", "2026-07-01 14:00:00"] { Ok(()) } else { Err(said) }
    });
    let owner = owner(cluster);
    assert_eq!(owner.value(zone), "2026-07-01 14:00:00");
    assert_eq!(
        owner.value("SELECT CONVERT_TZ('2026-01-01 12:00:00', 'America/New_York', 'Asia/Tokyo')"),
        "2026-01-02 02:00:00"
    );
    owner.query(
        "CREATE TABLE app_word (id INT AUTO_INCREMENT PRIMARY KEY, word VARCHAR(20), loud VARCHAR(20)); \
         CREATE FUNCTION app_loud(word VARCHAR(20)) RETURNS VARCHAR(20) RETURN CONCAT(UPPER(word), '!'); \
         CREATE TRIGGER app_hear BEFORE INSERT ON app_word FOR EACH ROW SET NEW.loud = app_loud(NEW.word); \
         INSERT INTO app_word (word) VALUES ('rope')",
    );
    on_both(cluster, "SELECT loud FROM site.app_word", "ROPE!");
    // What is logged under a zone's name is understood on the other side.
    owner.query(
        "SET time_zone = 'Europe/Paris'; \
         CREATE TABLE app_zoned (id INT PRIMARY KEY, at TIMESTAMP NOT NULL DEFAULT '2026-07-01 14:00:00'); \
         INSERT INTO app_zoned (id) VALUES (1)",
    );
    on_both(cluster, "SELECT at FROM site.app_zoned", "2026-07-01 12:00:00");
    Pair::wait(cluster);
    wait_for_equal(cluster);
}

fn ids_are_dense_with_one_writer(cluster: &Cluster) {
    Pair::wait(cluster);
    let owner = owner(cluster);
    owner.query("CREATE TABLE app_small (id TINYINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, n INT)");
    for n in 0..4 {
        owner.query(&"INSERT INTO app_small (n) VALUES (1);".repeat(15 + n % 2));
    }
    let ids = owner.query("SELECT id FROM app_small ORDER BY id").concat();
    let wanted: Vec<String> = (1..=62).map(|n: u32| n.to_string()).collect();
    assert_eq!(ids, wanted);
}

fn the_installers_of_three_applications_run(cluster: &Cluster) {
    Pair::wait(cluster);
    let owner = Db::new(cluster, &["--account", "owner"]);
    assert_eq!(owner.dsn().port, cluster.db().port(), "through the proxy");
    for application in debs::ALL {
        let begun = Instant::now();
        let sql = debs::installer(&application);
        let before = tables(&owner).len();
        owner.feed(&sql).unwrap_or_else(|said| panic!("{}: {said}", application.package));
        let made = tables(&owner).len() - before;
        println!("#   {}: {made} tables in {:.1} s", application.package, begun.elapsed().as_secs_f64());
        assert!(made >= application.tables, "{}: {made} tables", application.package);
    }
    let made = tables(&owner);
    wait::until("the other one has them too", READY, || {
        let there: BTreeSet<String> = tables(&Db::root(cluster, &Pair::try_read(cluster)?.standby.name));
        if there == made { Ok(()) } else { Err(format!("{} of {}", there.len(), made.len())) }
    });
    wait_for_equal(cluster);
}

fn tables(db: &Db) -> BTreeSet<String> {
    let sql = "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'site'";
    db.query(sql).concat().into_iter().collect()
}

/// How often the event has run on each database, by its id, since that row.
fn ticks(db: &Db, event: &str, after: u64) -> Vec<(u64, u64)> {
    let sql = format!(
        "SELECT server, COUNT(*) FROM site.app_tick WHERE event = '{event}' AND id > {after} \
         GROUP BY server ORDER BY server"
    );
    db.query(&sql).iter().map(|row| (row[0].parse().unwrap(), row[1].parse().unwrap())).collect()
}

fn last_tick(db: &Db) -> u64 {
    db.number("SELECT COALESCE(MAX(id), 0) FROM site.app_tick")
}

/// Waits until the event has run three more times, on the writer and on nobody else.
#[track_caller]
fn wait_for_ticks(cluster: &Cluster, event: &str) -> u64 {
    let pair = Pair::wait(cluster);
    let root = Db::root(cluster, &pair.writer.name);
    let own = root.number("SELECT @@server_id");
    let after = last_tick(&root);
    wait::until(&format!("{event} runs on {}", pair.writer.name), SCHEDULED, || {
        let ticks = ticks(&root, event, after);
        let others: Vec<_> = ticks.iter().filter(|(server, _)| *server != own).collect();
        assert!(others.is_empty(), "it ran elsewhere: {ticks:?}");
        if ticks.iter().any(|(_, count)| *count >= 3) { Ok(()) } else { Err(ticks) }
    });
    after
}

fn states(cluster: &Cluster, server: &str) -> Vec<Vec<String>> {
    let sql = "SELECT EVENT_NAME, STATUS, DEFINER FROM information_schema.EVENTS WHERE EVENT_SCHEMA = 'site' \
        ORDER BY 1";
    Db::root(cluster, server).query(sql)
}

fn events_run_on_the_writer_and_nowhere_else(cluster: &Cluster) {
    let before = Pair::wait(cluster);
    let owner = owner(cluster);
    owner.query(
        "CREATE TABLE app_tick (id INT AUTO_INCREMENT PRIMARY KEY, event VARCHAR(10), server INT); \
         CREATE EVENT app_on ON SCHEDULE EVERY 1 SECOND DO \
         INSERT INTO app_tick (event, server) VALUES ('on', @@server_id); \
         CREATE EVENT app_off ON SCHEDULE EVERY 1 SECOND DISABLE DO \
         INSERT INTO app_tick (event, server) VALUES ('off', @@server_id)",
    );
    wait_for_ticks(cluster, "on");
    // One that is switched off stays so, whoever takes over.
    wait::until_true("what is off is noted", COPIED, || noted(cluster) == 1);
    assert!(promote(cluster, &before.standby.name, false).ok());
    let after = Pair::wait_until(cluster, "the other one writes", |pair| {
        if pair.writer.name == before.standby.name { Ok(()) } else { Err(pair.writer.name.clone()) }
    });
    wait_for_ticks(cluster, "on");
    let user = "site_owner@127.0.0.1";
    wait::until("each event is where it belongs", SCHEDULED, || {
        let (here, there) = (states(cluster, &after.writer.name), states(cluster, &after.standby.name));
        let well = here == [["app_off", "DISABLED", user], ["app_on", "ENABLED", user]]
            && there.iter().all(|row| row[1] != "ENABLED" && row[2] == user);
        if well { Ok(()) } else { Err((here, there)) }
    });
    let scheduler = |server: &str| Db::root(cluster, server).value("SELECT @@event_scheduler");
    assert_eq!(
        (scheduler(&after.writer.name), scheduler(&after.standby.name)),
        ("ON".to_owned(), "OFF".to_owned())
    );
    // Switched on, and another one off, on the new writer.
    owner.query("ALTER EVENT app_off ENABLE; ALTER EVENT app_on DISABLE");
    wait_for_ticks(cluster, "off");
    wait::until_true("what is off is noted", COPIED, || noted(cluster) == 1);
    // And the writer dies.
    cluster.signal_group(after.writer.pid.expect("a process"), Signal::KILL);
    Pair::wait_switched(cluster, &after);
    let since = wait_for_ticks(cluster, "off");
    let root = Db::root(cluster, &after.standby.name);
    assert_eq!(ticks(&root, "on", since), [], "what is off runs nowhere");
    owner.query("DROP EVENT app_on; DROP EVENT app_off");
    wait::until_true("nothing is noted of what is gone", SCHEDULED, || {
        roots(cluster).iter().all(|root| root.number("SELECT COUNT(*) FROM mysql.event") == 0)
    });
    wait_for_equal(cluster);
}

/// How many events are noted as switched off.
fn noted(cluster: &Cluster) -> u64 {
    let writer = Pair::read(cluster).writer.name;
    Db::root(cluster, &writer).number("SELECT COUNT(*) FROM cordee.event_off")
}

fn route(cluster: &Cluster, routing: &str) {
    let reply =
        cluster.api().call("PUT", "/v1/pools/db/routing", Some(&json!({ "routing": routing }))).unwrap();
    assert!(reply.ok(), "{}", reply.status);
}

fn all_write_only_once_nobody_numbers_as_before(cluster: &Cluster) {
    let pair = Pair::wait(cluster);
    let owner = owner(cluster);
    owner.query("CREATE TABLE app_kept (id INT AUTO_INCREMENT PRIMARY KEY, server INT)");
    let kept = owner.hold("INSERT INTO app_kept (server) VALUES (@@server_id)");
    let [writer, standby] = [&pair.writer.name, &pair.standby.name].map(|name| Db::root(cluster, name));
    let ids =
        || writer.query("SELECT ID FROM information_schema.PROCESSLIST WHERE USER = 'site_owner'").concat();
    let before = ids();
    assert!(!before.is_empty(), "the connection that is kept");
    route(cluster, "all-writers");
    wait::until("the other one is open", ROUTED, || {
        if standby.number("SELECT @@read_only") == 0 { Ok(()) } else { Err("closed") }
    });
    let left: Vec<String> = ids().into_iter().filter(|id| before.contains(id)).collect();
    assert_eq!(left, Vec::<String>::new(), "connections of before are there while two databases are open");
    drop(kept);
    for (root, of) in [(&writer, &pair.writer), (&standby, &pair.standby)] {
        let through = Db::new(cluster, &["--account", "owner", "--server", &of.name]);
        through.query(&"INSERT INTO app_kept (server) VALUES (@@server_id);".repeat(5));
        let (step, place) =
            (root.number("SELECT @@auto_increment_increment"), root.number("SELECT @@auto_increment_offset"));
        assert_eq!(step, 10, "{}", of.name);
        let own = root.number("SELECT @@server_id");
        let rows = root.query(&format!("SELECT id FROM site.app_kept WHERE server = {own} AND id > 1"));
        assert_eq!(rows.len(), 5, "{rows:?}");
        for row in rows {
            assert_eq!(row[0].parse::<u64>().unwrap() % step, place % step, "{row:?} of {}", of.name);
        }
    }
    // Its rows would travel by the places of columns that are others meanwhile.
    let through = Db::new(cluster, &["--account", "owner"]);
    for change in
        ["ALTER TABLE app_kept ADD COLUMN note INT FIRST", "TRUNCATE TABLE app_kept", "DROP TABLE app_kept"]
    {
        let said = through.try_query(change).expect_err(change);
        assert!(said.contains("ERROR 1142"), "{change}: {said}");
    }
    route(cluster, "one-writer");
    wait::until("rows are numbered one after the other again", ROUTED, || {
        let said = roots(cluster).map(|root| {
            root.query("SELECT @@auto_increment_increment, @@auto_increment_offset").concat().join("/")
        });
        if said == ["1/1", "1/1"] { Ok(()) } else { Err(said) }
    });
    Pair::wait(cluster);
    owner.query("ALTER TABLE app_kept ADD COLUMN note INT FIRST");
    owner.query("CREATE TABLE app_again (id INT AUTO_INCREMENT PRIMARY KEY, n INT)");
    owner.query(&"INSERT INTO app_again (n) VALUES (1);".repeat(3));
    assert_eq!(owner.query("SELECT id FROM app_again ORDER BY id").concat(), ["1", "2", "3"]);
    wait_for_equal(cluster);
}
