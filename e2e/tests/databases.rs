//! The two databases behind HAProxy `db`: both have every row, each hears the other, and only one takes writes.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed expectation is how a test ends")]

use std::time::Duration;

use cordee_e2e::case;
use cordee_e2e::cluster::Cluster;
use cordee_e2e::db::Db;
use cordee_e2e::http::Client;
use cordee_e2e::suite::File;
use cordee_e2e::wait;

/// Acceptance: on both within 1 s.
const REPLICATED: Duration = Duration::from_secs(1);

/// Its cases.
pub fn file() -> File {
    File::new(
        "databases",
        &[],
        &[
            case!(a_row_written_through_haproxy_is_on_both_within_a_second),
            case!(a_note_left_on_the_site_is_on_both_within_a_second),
            case!(each_database_hears_the_heartbeat_of_the_other),
            case!(both_number_rows_one_after_the_other),
            case!(both_addresses_lead_to_the_one_writer),
            case!(the_applications_accounts_stay_within_their_rights),
            case!(sessions_that_have_run_out_are_removed_on_both_and_others_are_kept),
        ],
    )
}

fn each(cluster: &Cluster) -> [Db; 2] {
    [Db::new(cluster, &["--server", "db1"]), Db::new(cluster, &["--server", "db2"])]
}

#[track_caller]
fn on_both(cluster: &Cluster, message: &str) {
    let sql = format!("SELECT COUNT(*) FROM note WHERE message = '{message}'");
    for database in each(cluster) {
        let took =
            wait::until(&format!("{message} is there"), REPLICATED, || match database.try_query(&sql) {
                Ok(rows) if rows == [["1"]] => Ok(()),
                other => Err(other),
            });
        println!("#   on port {} after {} ms", database.dsn().port, took.1.as_millis());
    }
}

fn a_row_written_through_haproxy_is_on_both_within_a_second(cluster: &Cluster) {
    let application = Db::new(cluster, &[]);
    assert_eq!(application.dsn().port, cluster.db().port(), "{:?}", application.dsn().host);
    for n in 0..5 {
        application.query(&format!("INSERT INTO note (server, message) VALUES ('e2e', 'row {n}')"));
        on_both(cluster, &format!("row {n}"));
    }
}

fn a_note_left_on_the_site_is_on_both_within_a_second(cluster: &Cluster) {
    let answer =
        Client::new(cluster.site()).post_form("/connexion", &[("message", "note of a visitor")]).unwrap();
    assert_eq!(answer.status, 303, "{}", answer.text());
    on_both(cluster, "note of a visitor");
    let page = Client::new(cluster.site()).get("/connexion").unwrap().text();
    assert!(page.contains("note of a visitor"), "{page}");
}

fn each_database_hears_the_heartbeat_of_the_other(cluster: &Cluster) {
    let api = cluster.api();
    for (on, from) in [("db1", "db2"), ("db2", "db1")] {
        // One heartbeat a second: the first is measured within two, and a delay above two means that one is missing.
        let (delay, _) = wait::until(&format!("{on} hears {from}"), Duration::from_secs(2), || {
            let channels = api.snapshot().server(on).channels.clone();
            match channels.iter().find(|l| l.from == from) {
                Some(l) if l.severity == "good" && l.delay_ms.is_some_and(|ms| ms < 2_000) => Ok(l.delay_ms),
                _ => Err(channels),
            }
        });
        println!("#   {on} is {delay:?} ms behind {from}");
    }
}

fn both_number_rows_one_after_the_other(cluster: &Cluster) {
    for db in each(cluster) {
        let said = db.query("SELECT @@auto_increment_increment, @@auto_increment_offset");
        assert_eq!(said, [["1", "1"]], "port {}", db.dsn().port);
    }
}

fn both_addresses_lead_to_the_one_writer(cluster: &Cluster) {
    let writer =
        cluster.api().snapshot().servers.into_iter().find(|s| s.role.as_deref() == Some("writer")).unwrap();
    let through = Db::new(cluster, &[]);
    let ids = [
        Db::new(cluster, &["--server", &writer.name]).number("SELECT @@server_id"),
        through.number("SELECT @@server_id"),
        through.through(cluster, cluster.db_writer().port()).number("SELECT @@server_id"),
    ];
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
}

fn the_applications_accounts_stay_within_their_rights(cluster: &Cluster) {
    let application = Db::new(cluster, &["--account", "app"]);
    let owner = Db::new(cluster, &["--account", "owner"]);
    application.query("UPDATE note SET server = server WHERE id = 0");
    assert!(application.try_query("CREATE TABLE e2e_app (id INT)").is_err(), "app has DML only");
    owner.query("CREATE TABLE e2e_owner (id INT PRIMARY KEY)");
    owner.query("DROP TABLE e2e_owner");
    for account in ["app", "owner"] {
        let standby = Db::new(cluster, &["--account", account, "--server", "db2"]);
        let refusal =
            standby.try_query("INSERT INTO note (server, message) VALUES ('e2e', 'on the standby')");
        assert!(refusal.as_ref().is_err_and(|e| e.contains("1290")), "{account} on the standby: {refusal:?}");
        for beyond in ["SET GLOBAL read_only = 0", "SELECT * FROM mysql.global_priv", "CREATE DATABASE e2e"] {
            assert!(standby.try_query(beyond).is_err(), "{account} may: {beyond}");
        }
    }
}

/// More than one batch of them, in a table that the application may write.
fn sessions_that_have_run_out_are_removed_on_both_and_others_are_kept(cluster: &Cluster) {
    let app = Db::new(cluster, &["--account", "app"]).through(cluster, cluster.db_writer().port());
    let row = "UNHEX(SHA2(seq, 256)), '', UNIX_TIMESTAMP() - 100";
    app.query(&format!(
        "INSERT INTO php_sessions (id, data, created, expires) \
         SELECT {row}, UNIX_TIMESTAMP() - 1 FROM seq_1_to_2500 \
         UNION ALL SELECT {row}, UNIX_TIMESTAMP() + 600 FROM seq_3001_to_3003"
    ));
    wait::until("only the living ones are left", Duration::from_secs(30), || {
        let count = |db: &Db| db.try_query("SELECT COUNT(*) FROM site.php_sessions");
        let left: Vec<_> = each(cluster).iter().map(count).collect();
        let three = |l: &Result<Vec<Vec<String>>, String>| l.as_ref().is_ok_and(|rows| rows[0][0] == "3");
        if left.iter().all(three) { Ok(()) } else { Err(left) }
    });
    app.query("DELETE FROM php_sessions");
}
