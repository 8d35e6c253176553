//! What can be wrong between Cordée and a server, made so for real: the connection test names the step and the cause.

use std::time::Duration;

use cordee_e2e::cluster::Cluster;
use cordee_e2e::db::Db;
use cordee_e2e::pair::{Pair, READY};
use cordee_e2e::tables::wait_for_equal;
use cordee_e2e::visitors::{Manner, Stranger, Swallows, closed_port};
use cordee_e2e::wait;
use serde_json::{Value, json};

/// What Cordée puts right by itself is done again, until a test falls into the time before.
const CAUGHT: Duration = Duration::from_secs(15);

/// The last step of a test, and whether it was passed.
fn last(cluster: &Cluster, pool: &str, server: &str) -> (String, bool, String) {
    let reply = cluster.api().post(&format!("/v1/pools/{pool}/servers/{server}/test"), &json!({}));
    assert!(reply.ok(), "{server}: {reply:?}");
    let step = reply.body["steps"].as_array().and_then(|steps| steps.last()).cloned().unwrap_or_default();
    let text = |key: &str| step[key].as_str().unwrap_or_default().to_owned();
    (text("name"), step["ok"] == Value::Bool(true), text("says"))
}

/// Fails there, and says why.
#[track_caller]
fn named(cluster: &Cluster, (pool, server): (&str, &str), step: &str, cause: &str) {
    let said = last(cluster, pool, server);
    println!("#   {server}: {said:?}");
    assert!(said.0 == step && !said.1 && said.2.contains(cause), "{step:?}, {cause:?}; not {said:?}");
}

/// The same with what Cordée puts right.
#[track_caller]
fn caught(cluster: &Cluster, server: &str, step: &str, cause: &str, spoil: impl Fn()) {
    let (said, _) = wait::until(&format!("{step} fails: {cause}"), CAUGHT, || {
        spoil();
        let said = last(cluster, "db", server);
        if said.0 == step && !said.1 && said.2.contains(cause) { Ok(said) } else { Err(said) }
    });
    println!("#   {server}: {said:?}");
    Pair::wait(cluster);
}

pub fn the_connection_test_names_the_step_and_the_cause(cluster: &Cluster) {
    cluster.settle();
    web(cluster);
    databases(cluster);
    cluster.settle();
}

fn web(cluster: &Cluster) {
    let api = cluster.api();
    let (broken, silent, swallows) =
        (Stranger::new(Manner::Broken), Stranger::new(Manner::Silent), Swallows::listen());
    let closed = closed_port();
    let servers = [
        ("shut", json!({ "address": "127.0.0.1", "port": closed }), "Connection", "Nothing listens on port"),
        (
            "nowhere",
            json!({ "address": "no-such-host.invalid" }),
            "Name",
            "no-such-host.invalid was not found",
        ),
        ("dropped", json!({ "address": "127.0.0.1", "port": swallows.port() }), "Connection", "firewall"),
        ("broken", json!({ "address": "127.0.0.1", "port": broken.port() }), "Web page", "500"),
        ("silent", json!({ "address": "127.0.0.1", "port": silent.port() }), "Web page", "No answer"),
    ];
    for (name, place, step, cause) in &servers {
        let mut body = place.clone();
        body["name"] = json!(name);
        let reply = api.post("/v1/pools/web/servers", &body);
        assert!(reply.ok(), "{reply:?}");
        named(cluster, ("web", name), step, cause);
        api.delete(&format!("/v1/pools/web/servers/{name}"));
    }
}

fn databases(cluster: &Cluster) {
    let pair = Pair::wait(cluster);
    let (writer, standby) = (pair.writer.name.as_str(), pair.standby.name.as_str());
    let (on_writer, on_standby) = (Db::root(cluster, writer), Db::root(cluster, standby));
    caught(cluster, standby, "Sign-in", "refused (error 1045)", || {
        on_standby.query("SET sql_log_bin=0; SET PASSWORD FOR site_app@127.0.0.1 = PASSWORD('another one')");
    });
    caught(cluster, standby, "Rights", "lacks DELETE", || {
        on_standby.query("SET sql_log_bin=0; REVOKE DELETE ON site.* FROM site_app@127.0.0.1");
    });
    caught(cluster, writer, "Write", "closed to writes", || {
        on_writer.query("SET GLOBAL read_only=1");
    });
    caught(cluster, standby, "Write", "took a write, although it is a standby", || {
        on_standby.query("SET GLOBAL read_only=0");
    });
    caught(cluster, standby, "Replication", "does not receive", || {
        on_standby.query(&format!("STOP SLAVE '{writer}'"));
    });
    duplicate(cluster, writer, standby);
}

/// A row stands where another one comes: the copying stops, and waits for a person.
fn duplicate(cluster: &Cluster, writer: &str, standby: &str) {
    let owner = Db::new(cluster, &["--account", "owner"]).through(cluster, cluster.db_writer().port());
    owner.query("CREATE TABLE statement (id INT PRIMARY KEY, word VARCHAR(40) NOT NULL)");
    wait_for_equal(cluster);
    let there = format!("{}.statement", owner.dsn().schema);
    let root = Db::root(cluster, standby);
    root.query(&format!("SET SESSION sql_log_bin=0; INSERT INTO {there} VALUES (7, 'what stood here')"));
    owner.query("INSERT INTO statement VALUES (7, 'what the site wrote')");
    cluster.api().wait_for_severity(standby, "critical", READY);
    let cause = format!("{standby} stopped copying {writer} with error 1062");
    named(cluster, ("db", standby), "Replication", &cause);
    cluster.cli_ok(&["repair", standby, "--take", "writer"]);
    Pair::wait(cluster);
    wait_for_equal(cluster);
}
