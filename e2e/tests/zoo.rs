//! One of everything that MariaDB can hold: carried into a database that Cordée makes and into one that exists already,
//! compared, repaired from either side, and judged by a dump of the test's own.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed expectation is how a test ends")]

use std::time::Duration;

use cordee_e2e::case;
use cordee_e2e::cluster::Cluster;
use cordee_e2e::db::Db;
use cordee_e2e::foreign::{Guest, PASSWORD, body, lines};
use cordee_e2e::mesh::{SETTLED, brief, channels, join, remove, shown, wait_until_left};
use cordee_e2e::pair::Pair;
use cordee_e2e::suite::File;
use cordee_e2e::wait;
use cordee_e2e::zoo::{self, BROKEN_VIEWS, UNPROVEN};
use serde_json::{Value, json};

/// A comparison or a repair of the zoo has ended by then.
const COMPARED: Duration = Duration::from_secs(60);
/// How soon a difference in a channel, or a failure, is shown.
const SEEN: Duration = Duration::from_secs(30);

/// Its cases.
pub fn file() -> File {
    File::new(
        "zoo",
        &[],
        &[
            case!(a_broken_view_is_carried),
            case!(a_value_longer_than_a_packet_is_carried),
            case!(why_a_copy_failed_is_said),
            case!(what_no_statement_carries_is_said_beforehand),
            case!(one_of_everything),
        ],
    )
}

fn root(cluster: &Cluster) -> Db {
    Pair::wait(cluster);
    let writer = cluster.api().snapshot();
    let writer = writer.servers.iter().find(|s| s.role.as_deref() == Some("writer")).expect("a writer");
    Db::root(cluster, &writer.name)
}

/// Waits until it is one of them; a light of any colour may be on, if a comparison was not able to tell of every table.
#[track_caller]
fn wait_until_member(cluster: &Cluster, name: &str) {
    wait::until(&format!("{name} is a member"), SETTLED, || {
        let server = shown(cluster, name)?.ok_or("not shown")?;
        let word = server.status.word.as_str();
        assert!(word != "Copy failed", "{}", brief(&server));
        let well = server.membership.as_deref() == Some("member")
            && (server.status.severity == "good" || word == "Partly unproven");
        if well { Ok(()) } else { Err(brief(&server)) }
    });
}

/// What is said of a guest beforehand; it must be able to join.
#[track_caller]
fn plan(cluster: &Cluster, guest: &Guest, name: &str) -> Value {
    let reply = cluster.api().post("/v1/pools/db/join", &body(name, "127.0.0.1", guest.port(), PASSWORD));
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.body
}

#[track_caller]
fn foretold(cluster: &Cluster, guest: &Guest, name: &str) -> Vec<String> {
    let plan = self::plan(cluster, guest, name);
    let warnings = plan["warnings"].as_array().expect("warnings");
    warnings.iter().map(|w| w.as_str().expect("text").to_owned()).collect()
}

const PACKET: &str = "Its max_allowed_packet is 16777216; \
    Cordée sets 1073741824 there, as on all databases here, until \
    its next restart. To keep it, put max_allowed_packet=1073741824 into its file.";

#[track_caller]
fn leaves(cluster: &Cluster, name: &str, mut guest: Guest) {
    remove(cluster, name);
    wait_until_left(cluster, name, &["db1", "db2"]);
    guest.end();
}

fn a_broken_view_is_carried(cluster: &Cluster) {
    let root = root(cluster);
    root.query(
        "CREATE DATABASE zoo_view; USE zoo_view; CREATE TABLE gone (id INT PRIMARY KEY, word TEXT); \
         CREATE VIEW broken AS SELECT g.id + 1 AS n, g.word FROM gone g; DROP TABLE gone",
    );
    let text = |server: &str| {
        Db::root(cluster, server).query("SHOW CREATE VIEW zoo_view.broken").remove(0).remove(1)
    };
    let guest = Guest::start(cluster, "db3", cluster.spare_port(1), &lines(cluster));
    let view = "The view zoo_view.broken is broken (something that it names is gone): it is copied as it is, \
        and cannot be read there either";
    let said = foretold(cluster, &guest, "db3");
    guest.join(cluster);
    wait_until_member(cluster, "db3");
    assert_eq!(said, [view, PACKET]);
    assert_eq!(text("db3"), text("db1"));
    let left = Db::root(cluster, "db3").query("SHOW FULL TABLES FROM zoo_view");
    assert_eq!(left, [["broken", "VIEW"]], "a stand-in is left");
    // What is done to it on the writer stops no channel.
    root.query("DROP VIEW zoo_view.broken; DROP DATABASE zoo_view; CREATE DATABASE zoo_after");
    let there = || Db::root(cluster, "db3").try_query("SHOW TABLES FROM zoo_after").map(|_| ());
    wait::until("db3 follows", SEEN, there);
    assert!(channels(cluster, "db3").expect("links").iter().all(|(_, runs)| *runs));
    root.query("DROP DATABASE zoo_after");
    leaves(cluster, "db3", guest);
}

fn a_value_longer_than_a_packet_is_carried(cluster: &Cluster) {
    let root = root(cluster);
    root.query(
        "CREATE DATABASE zoo_long; CREATE TABLE zoo_long.heavy (id INT PRIMARY KEY, value LONGBLOB); \
         INSERT INTO zoo_long.heavy VALUES (1, REPEAT(x'00ff27', 3500000))",
    );
    let guest = Guest::start(cluster, "db3", cluster.spare_port(1), &lines(cluster));
    assert_eq!(Db::root(cluster, "db3").value("SELECT @@max_allowed_packet"), "16777216");
    let said = foretold(cluster, &guest, "db3");
    guest.join(cluster);
    wait_until_member(cluster, "db3");
    assert_eq!(said, [PACKET]);
    let sum = "SELECT SHA2(value, 256) FROM zoo_long.heavy";
    assert_eq!(Db::root(cluster, "db3").value(sum), root.value(sum));
    // What the writer takes, its candidates take.
    for server in ["db1", "db2", "db3"] {
        assert_eq!(
            Db::root(cluster, server).value("SELECT @@GLOBAL.max_allowed_packet"),
            "1073741824",
            "{server}"
        );
    }
    root.query("DROP DATABASE zoo_long");
    leaves(cluster, "db3", guest);
}

fn why_a_copy_failed_is_said(cluster: &Cluster) {
    let root = root(cluster);
    root.query(
        "CREATE DATABASE zoo_why; CREATE TABLE zoo_why.pressed (id INT PRIMARY KEY) ROW_FORMAT=COMPRESSED; \
         INSERT INTO zoo_why.pressed VALUES (1)",
    );
    let mut own = lines(cluster);
    // It takes no rows of such a table.
    own.push("innodb_read_only_compressed=1".to_owned());
    let guest = Guest::start(cluster, "db3", cluster.spare_port(1), &own);
    guest.join(cluster);
    let (why, _) = wait::until("the reason stands in its row", SEEN, || {
        let server = shown(cluster, "db3")?.ok_or("not shown")?;
        match &server.status.reason {
            Some(why) if server.status.word == "Copy failed" => Ok(why.clone()),
            _ => Err(brief(&server)),
        }
    });
    println!("#   {why}");
    assert!(why.starts_with("the copy failed: “ERROR 1036 (HY000) at line "), "{why}");
    assert!(why.contains("'pressed' is read only"), "{why}");
    // The page says it in its reader's language; the program's words stay what they are.
    wait::until("the page says it", SEEN, || {
        let reply =
            cluster.api().speaking("fr").call("GET", "/v1/snapshot", None).map_err(|e| e.to_string())?;
        let servers = reply.body["servers"].as_array().cloned().unwrap_or_default();
        let own = servers.iter().find(|s| s["name"] == "db3").cloned().unwrap_or(Value::Null);
        let reason = own["status"]["reason"].as_str().unwrap_or_default().to_owned();
        let mut client = cluster.signed_in();
        let page = client.request("GET", "/", &[], &[]).map_err(|e| e.to_string())?;
        let page = String::from_utf8_lossy(&page.body).into_owned();
        let both = reason.starts_with("la copie a échoué\u{a0}: «\u{a0}ERROR 1036")
            && page.contains("ERROR 1036 (HY000)");
        if both { Ok(()) } else { Err(reason) }
    });
    leaves(cluster, "db3", guest);
    root.query("DROP DATABASE zoo_why");
}

fn what_no_statement_carries_is_said_beforehand(cluster: &Cluster) {
    let root = root(cluster);
    root.query(
        "CREATE DATABASE zoo_not; USE zoo_not; CREATE TABLE in_key (f FLOAT PRIMARY KEY); \
         CREATE TABLE without (f FLOAT); CREATE TABLE empty (e ENUM('a','')); \
         CREATE TABLE fine (id INT PRIMARY KEY, f FLOAT); \
         CREATE TABLE acts (id INT PRIMARY KEY, f FLOAT); \
         CREATE TRIGGER acts_on BEFORE UPDATE ON acts FOR EACH ROW SET NEW.id = OLD.id; \
         CREATE TABLE ages (id INT PRIMARY KEY, s BIGINT UNSIGNED GENERATED ALWAYS AS ROW START, \
         e BIGINT UNSIGNED GENERATED ALWAYS AS ROW END, PERIOD FOR SYSTEM_TIME (s, e)) WITH SYSTEM VERSIONING; \
         CREATE TABLE part (id INT) ENGINE=MyISAM; CREATE TABLE sum (id INT) ENGINE=MERGE UNION=(part); \
         DROP TABLE part",
    );
    let standby = Db::root(cluster, &Pair::read(cluster).standby.name);
    wait::until_true("the standby has it", SEEN, || {
        standby.try_query("SHOW CREATE TABLE zoo_not.part").is_err()
            && standby.try_query("SELECT 1 FROM zoo_not.ages").is_ok()
    });
    let guest = Guest::start(cluster, "db3", cluster.spare_port(1), &lines(cluster));
    let wish = body("db3", "127.0.0.1", guest.port(), PASSWORD);
    for to in ["/v1/pools/db/join", "/v1/pools/db/servers"] {
        let reply = cluster.api().post(to, &wish);
        let said: Vec<String> = reply.errors().into_iter().map(|e| e.detail).collect();
        println!("#   {said:#?}");
        let [float, history, unreadable] = said.as_slice() else { panic!("three reasons, not {reply:?}") };
        assert!(
            float.contains("4 tables")
                && float.contains("zoo_not.acts, zoo_not.empty, zoo_not.in_key, zoo_not.without.")
        );
        assert!(history.contains("zoo_not.ages goes by transactions"), "{history}");
        assert!(unreadable.starts_with("zoo_not.sum cannot be opened"), "{unreadable}");
    }
    assert!(shown(cluster, "db3").expect("snapshot").is_none());
    root.query("DROP DATABASE zoo_not");
}

/// What the journal says at the end of a comparison or a repair.
#[track_caller]
fn verdict(cluster: &Cluster, server: &str, path: &str, body: Option<&Value>) -> (String, String) {
    let before = cluster.api().last_event();
    let reply =
        cluster.api().call("POST", &format!("/v1/pools/db/servers/{server}/{path}"), body).expect(path);
    assert_eq!(reply.status, 202, "{reply:?}");
    wait::until(&format!("{path} of {server} has ended"), COMPARED, || {
        let events = cluster.api().events_after(before);
        let ended = |text: &str| text.contains("with the writer’s") || text.contains("the writer holds");
        let told = events.iter().find(|e| e.subject == server && e.severity.is_some() && ended(&e.text));
        told.map(|e| (e.severity.clone().unwrap_or_default(), e.text.clone())).ok_or(events)
    })
    .0
}

/// What the last comparison of a database could not tell of.
#[track_caller]
fn left_out(cluster: &Cluster, name: &str) -> (u64, Vec<String>) {
    let told = cluster.api().get("/v1/snapshot")["servers"].clone();
    let own = told.as_array().expect("servers").iter().find(|s| s["name"] == name).expect("it").clone();
    let of = |t: &Value| t["table"].as_str().map_or_else(|| t.to_string(), str::to_owned);
    let names = own["comparison"]["left_out"].as_array().expect("left_out").iter().map(of).collect();
    (own["comparison"]["different"].as_u64().expect("different"), names)
}

fn one_of_everything(cluster: &Cluster) {
    let root = root(cluster);
    zoo::make(&root);
    let truth = zoo::dump(&root);
    assert!(truth.len() > 60, "{}", truth.len());
    let dump = |server: &str| zoo::dump(&Db::root(cluster, server));
    wait::until("the standby has it", SEEN, || {
        let found = zoo::differences(&truth, &dump("db2"));
        if found.is_empty() { Ok(()) } else { Err(found) }
    });
    // A database that Cordée makes: the files, and only what is in memory is not in them.
    let plan = cluster.api().get("/v1/pools/db/join");
    let named = ["zoo.commas", "zoo.keyless"];
    assert_eq!((&plan["keyless"], &plan["memory"]), (&json!(named), &json!(["zoo.fleeting"])));
    join(cluster, "db3");
    wait_until_member(cluster, "db3");
    assert_eq!(zoo::differences(&truth, &dump("db3")), ["zoo.fleeting: rows"]);
    // One that exists already: everything, but as it was said.
    let guest = Guest::start(cluster, "db4", cluster.spare_port(1), &lines(cluster));
    let plan = self::plan(cluster, &guest, "db4");
    let views = BROKEN_VIEWS.map(|v| format!("zoo.{v}"));
    let expected = json!({
        "keyless": named, "memory": [], "broken_views": views, "events": ["zoo.never", "zoo.nightly"],
        "apart": ["zoo.commas", "zoo.files", "zoo.fleeting", "zoo.pages"],
        "warnings": [
            "2 tables have no primary key: zoo.commas, zoo.keyless. Their rows can be neither compared nor repaired",
            format!(
                "6 views are broken (something that they name is gone): {} and 1 more. They are copied as they are, \
                 and cannot be read there either",
                views[..5].join(", ")
            ),
            "4 tables are of another engine than InnoDB: zoo.commas, zoo.files, zoo.fleeting, \
             zoo.pages. Their rows are read at another moment than the rest: write nothing to them while they are \
             copied",
            "2 scheduled events are copied, and do not run there: zoo.never, zoo.nightly",
            PACKET,
        ],
    });
    for (of, list) in expected.as_object().expect("an object") {
        assert_eq!(&plan[of], list, "{of}");
    }
    guest.join(cluster);
    wait_until_member(cluster, "db4");
    assert_eq!(zoo::differences(&truth, &dump("db4")), Vec::<String>::new());
    let own = Db::root(cluster, "db4");
    let running = "SELECT COUNT(*) FROM information_schema.EVENTS WHERE STATUS = 'ENABLED'";
    assert_eq!(own.number(running), 0, "events run on a standby");
    // Compared by the product: equal, as far as it can tell, and it says how far.
    for server in ["db3", "db4"] {
        let (severity, text) = verdict(cluster, server, "verify", None);
        assert_eq!(severity, "warning", "{server}: {text}");
        let (different, mut tables) = left_out(cluster, server);
        tables.sort();
        assert_eq!((different, tables), (0, UNPROVEN.map(str::to_owned).to_vec()), "{server}");
    }
    repaired(cluster, &root, &truth);
    leaves_all(cluster, guest);
    root.query("DROP DATABASE zoo; DROP DATABASE `zoo ``o'dd\" ü.x`");
}

/// Changes behind everybody's back, one in each table with a key, and in one without.
const CHANGES: &str = "SET NAMES utf8mb4; SET SESSION sql_log_bin=0, foreign_key_checks=0, \
    sql_mode='NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES'; USE zoo; \
    UPDATE numbers SET i = 5, g = 1, f = 7 WHERE id = 0; DELETE FROM numbers WHERE id = -2147483648; \
    UPDATE reals SET f = 16777219, d = 0.3, at = '1999-01-01' WHERE id = 0; DELETE FROM reals WHERE id = 1; \
    UPDATE times SET d = '2020-02-30', ts = NULL WHERE id = 2; DELETE FROM times WHERE id = 1; \
    UPDATE texts SET v = 'x', lb = x'00', la = 'é' WHERE id = 1; DELETE FROM texts WHERE id = 0; \
    UPDATE heavy SET value = x'00'; DELETE FROM lists WHERE id = 1; \
    UPDATE computed SET hidden = 1, a = 77 WHERE id = 0; \
    DELETE FROM counted WHERE id = 0; UPDATE checked SET v = 9; DELETE FROM parents WHERE id = 0; \
    UPDATE parts SET v = 9 WHERE id = 100; DELETE FROM spans; UPDATE words SET t = 'x'; \
    DELETE FROM places WHERE id = 2; \
    DELETE FROM numbered; UPDATE `select` SET `☃` = 9; DELETE FROM `zoo ``o'dd\" ü.x`.`t.a\"b```; \
    UPDATE keyless SET v = 9 WHERE v = 2; UPDATE watched SET v = 9";

fn repaired(cluster: &Cluster, root: &Db, truth: &zoo::Dump) {
    let dump = |server: &str| zoo::dump(&Db::root(cluster, server));
    // The writer's rows are right.
    Db::root(cluster, "db4").query(CHANGES);
    let changed = zoo::differences(truth, &dump("db4"));
    assert_eq!(changed.len(), 19, "{changed:?}");
    let (severity, text) = verdict(cluster, "db4", "repair", Some(&json!({ "take": "writer" })));
    println!("#   {severity}: {text}");
    // A trigger would act on the one, and rows without a key cannot be told apart.
    let refused = ["zoo.keyless: rows", "zoo.watched: rows"];
    assert_eq!(zoo::differences(truth, &dump("db4")), refused);
    // Its own are: on the writer, and everywhere.
    Db::root(cluster, "db3").query(CHANGES);
    let wanted = dump("db3");
    let (severity, text) = verdict(cluster, "db3", "repair", Some(&json!({ "take": "this" })));
    println!("#   {severity}: {text}");
    for server in ["db1", "db2"] {
        wait::until(&format!("{server} has what was taken"), SEEN, || {
            let found = zoo::differences(&wanted, &dump(server));
            let only = ["zoo.fleeting: rows", "zoo.keyless: rows", "zoo.watched: rows"];
            if found == only { Ok(()) } else { Err(found) }
        });
    }
    // What nobody can repair is said, and that a copy does it.
    let told = cluster.api().history(60);
    let said = told
        .iter()
        .any(|e| e.subject == "db3" && e.text.contains("zoo.watched") && e.text.contains("trigger"));
    assert!(said, "{told:?}");
    root.query("USE zoo; DROP TABLE watched");
    let (_, text) = verdict(cluster, "db3", "verify", None);
    assert!(text.contains("could not be"), "{text}");
    wait::until("a fresh copy is offered", SEEN, || {
        let told = cluster.api().get("/v1/snapshot")["servers"].clone();
        let own = told.as_array().and_then(|all| all.iter().find(|s| s["name"] == "db3").cloned());
        let actions = own.unwrap_or(Value::Null)["actions"].clone();
        if actions.to_string().contains("recopy") { Ok(()) } else { Err(actions) }
    });
    let again = "/v1/pools/db/servers/db3/recopy?force=true";
    let reply = cluster.api().call("POST", again, None).expect("recopy");
    assert!(reply.ok(), "{reply:?}");
    wait::until("the copy holds the writer's rows", SETTLED, || {
        let server = shown(cluster, "db3")?.ok_or("not shown")?;
        if server.membership.as_deref() != Some("member") || server.pid.is_none() {
            return Err(brief(&server));
        }
        let rows = "SELECT * FROM zoo.keyless";
        let found = Db::root(cluster, "db3").try_query(rows)?;
        if found == root.try_query(rows)? { Ok(()) } else { Err(brief(&server)) }
    });
}

fn leaves_all(cluster: &Cluster, mut guest: Guest) {
    for name in ["db3", "db4"] {
        remove(cluster, name);
    }
    wait::until("both have left", SETTLED, || {
        for name in ["db3", "db4"] {
            if let Some(server) = shown(cluster, name)? {
                return Err(brief(&server));
            }
        }
        Ok(())
    });
    guest.end();
}
