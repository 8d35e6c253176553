//! A database joins while others write: nobody notices, and it is one of them only when it holds what they hold.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed expectation is how a test ends")]

use std::collections::BTreeSet;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use cordee_e2e::case;
use cordee_e2e::cluster::{Cluster, run};
use cordee_e2e::db::Db;
use cordee_e2e::mesh::{
    SETTLED, ask_join, brief, homes, join, listed, members, refused, remove, route, shown, trashed,
    wait_for_members, wait_for_mesh, wait_until_left,
};
use cordee_e2e::mortal::Mortal;
use cordee_e2e::pair::{Pair, open, server_id};
use cordee_e2e::procs::Frozen;
use cordee_e2e::suite::File;
use cordee_e2e::tables::{Tables, wait_for_equal_on};
use cordee_e2e::wait;
use cordee_e2e::writers::{self, Report, Writers};
use mysql::prelude::Queryable as _;
use serde_json::{Value, json};

/// How soon what cannot be done is refused.
const REFUSED: Duration = Duration::from_secs(5);
/// How soon all take writes, or one only.
const ROUTED: Duration = Duration::from_secs(30);
/// How long the load goes on before and after what it watches.
const QUIET: Duration = Duration::from_secs(20);

/// Its cases.
pub fn file() -> File {
    File::new(
        "join",
        &[],
        &[
            case!(the_plan_writes_nothing),
            case!(what_cannot_join_is_refused_in_one_sentence),
            case!(a_third_joins_under_load_unnoticed),
            case!(links_that_wait_for_one_that_is_gone_go_on),
            case!(a_copy_that_holds_more_than_was_written_down_joins),
            case!(ten_joins_and_removals_reuse_places_and_no_id),
            case!(all_write_at_once_without_a_collision),
            case!(a_fourth_joins_three_that_all_write),
        ],
    )
}

/// Takes away what a case that failed has left, and waits until the two first ones are well.
#[track_caller]
fn only_two(cluster: &Cluster) {
    for name in ["db3", "db4"] {
        leave(cluster, name);
    }
    Pair::wait(cluster);
}

/// Takes a database away, if it is there.
#[track_caller]
fn leave(cluster: &Cluster, name: &str) {
    if shown(cluster, name).expect("snapshot").is_some_and(|s| s.membership.as_deref() != Some("leaving")) {
        remove(cluster, name);
    }
    wait::until_true(&format!("{name} is gone"), SETTLED, || {
        shown(cluster, name).is_ok_and(|s| s.is_none()) && !homes(cluster).contains(name)
    });
}

#[track_caller]
fn no_errors(report: &Report) {
    println!("#   {report}");
    assert!(report.errors.is_empty(), "clients noticed: {:?}", report.errors);
}

// ---- b

/// Everything that a plan must leave as it is.
fn all_that_is(cluster: &Cluster) -> (String, BTreeSet<String>, Vec<Vec<String>>) {
    let schema = Db::new(cluster, &[]).dsn().schema.clone();
    let tables = Db::root(cluster, "db1").query(&format!(
        "SELECT TABLE_NAME, CREATE_TIME FROM information_schema.TABLES \
         WHERE TABLE_SCHEMA IN ('{schema}', 'cordee') ORDER BY 1"
    ));
    (cluster.api().snapshot().wish(), homes(cluster), tables)
}

fn the_plan_writes_nothing(cluster: &Cluster) {
    only_two(cluster);
    let before = all_that_is(cluster);
    let roots = ["db1", "db2"].map(|s| (s, Db::root(cluster, s)));
    let log = |server: &str| cluster.home().join("servers").join(server).join("tmp/general.log");
    for (server, root) in &roots {
        root.query(&format!(
            "SET GLOBAL general_log_file = '{}'; SET GLOBAL general_log = 1",
            log(server).display()
        ));
    }
    let mut plans = Vec::new();
    let mut longest = Duration::ZERO;
    for _ in 0..3 {
        let at = Instant::now();
        plans.push(cluster.api().get("/v1/pools/db/join"));
        longest = longest.max(at.elapsed());
    }
    for (_, root) in &roots {
        root.query("SET GLOBAL general_log = 0");
    }
    println!("#   plan, at most {} ms: {}", longest.as_millis(), plans[0]);
    for (server, _) in &roots {
        let text = std::fs::read(log(server)).expect("general log");
        let text = String::from_utf8_lossy(&text).to_lowercase();
        // Cordée's heartbeat goes on meanwhile: it is the only thing that may be written.
        let writes: Vec<&str> = text
            .lines()
            .filter(|l| ["query", "execute"].iter().any(|c| l.contains(c)))
            .filter(|l| {
                let words =
                    ["insert ", "update ", "delete ", "replace ", "create ", "alter ", "drop ", "flush "];
                words.iter().any(|w| l.contains(w))
                    || l.contains("lock tables")
                    || l.contains("change master")
            })
            .filter(|l| !l.contains("heartbeat"))
            .collect();
        println!("#   {server}: {} lines of general log", text.lines().count());
        assert!(*server == "db1" || text.contains("select"), "the donor's log is empty: this proves nothing");
        assert_eq!(writes, Vec::<&str>::new(), "{server} was written to");
    }
    assert_eq!(all_that_is(cluster), before);
    let plan = &plans[0];
    assert_eq!((plan["donor"].as_str(), plan["slot"].as_u64()), (Some("db2"), Some(3)), "{plan}");
    assert_eq!(plan["from_writer"], Value::Bool(false), "{plan}");
    assert!(plan["bytes"].as_u64().is_some_and(|b| b > 1 << 20), "{plan}");
}

// ---- c

fn what_cannot_join_is_refused_in_one_sentence(cluster: &Cluster) {
    only_two(cluster);
    let before = all_that_is(cluster);
    let api = cluster.api();
    let bodies = [
        ("a name that a database has", json!({ "name": "db1", "start": true })),
        ("a name that a web server has", json!({ "name": "WEB1", "start": true })),
        (
            "a machine that is another",
            json!({ "name": "db3", "address": "192.0.2.7", "port": 3306, "user": "ana", "password": "x" }),
        ),
        ("started elsewhere", json!({ "name": "db3", "address": "192.0.2.7", "start": true })),
    ];
    for (what, body) in bodies {
        let at = Instant::now();
        let reply = api.post("/v1/pools/db/servers", &body);
        println!("#   {what}: {} ms: {} {}", at.elapsed().as_millis(), reply.status, refused(&reply));
        assert!(at.elapsed() < REFUSED, "{what}: {:?}", at.elapsed());
        assert_eq!(all_that_is(cluster), before, "{what}");
    }
}

// ---- a

fn a_third_joins_under_load_unnoticed(cluster: &Cluster) {
    only_two(cluster);
    let tables = Tables::make(cluster, "third", 8);
    let application = Db::new(cluster, &["--account", "app"]);
    let load = Writers::new(cluster.db_writer(), application.dsn(), &tables).pace(200, 100).start();
    load.wait_for_more(500, QUIET);
    let at = Instant::now();
    join(cluster, "db3");
    let mut told = Vec::<String>::new();
    let ((), took) = wait::until("db3 is a member", SETTLED, || {
        // HAProxy first: what is shown afterwards is not older.
        let in_haproxy = listed(cluster, "db3")?;
        let server = shown(cluster, "db3")?.ok_or("not shown")?;
        let membership = server.membership.as_deref().unwrap_or("?");
        assert!(membership == "member" || !in_haproxy, "HAProxy lists db3 while it is {}", brief(&server));
        let word = format!(
            "{membership}: {} ({})",
            server.status.word,
            server.status.reason.as_deref().unwrap_or("")
        );
        if told.last() != Some(&word) {
            told.push(word);
        }
        if membership == "member" { Ok(()) } else { Err(brief(&server)) }
    });
    println!("#   a member after {:.1} s; shown meanwhile:", took.as_secs_f64());
    for word in &told {
        println!("#     {word}");
    }
    let all = ["db1", "db2", "db3"];
    wait_for_members(cluster, &all);
    wait_for_mesh(cluster, &all);
    wait::until("HAProxy lists db3", Duration::from_secs(5), || {
        if listed(cluster, "db3")? { Ok(()) } else { Err("it does not".to_owned()) }
    });
    println!("#   the mesh is complete and well after {:.1} s", at.elapsed().as_secs_f64());
    load.wait_for_more(500, QUIET);
    let report = load.stop();
    no_errors(&report);
    let end = report.acknowledged().map(|w| w.ended).max().expect("some writes");
    println!("#   longest pause since the request: {} ms", report.longest_pause(at, end).as_millis());
    tables.verify_all(cluster, &all, &report);
    assert_eq!(open(cluster, "db3"), Ok(false), "db3 is open with one writer");
    only_heartbeats(cluster, "db3");
    let fresh = u64::from(server_id(cluster, "db3"));
    for server in ["db1", "db2"] {
        assert_ne!(fresh, u64::from(server_id(cluster, server)));
    }
}

/// Looks at every event of a database's own domain in its own log, from the first: only the heartbeat may be there.
#[track_caller]
fn only_heartbeats(cluster: &Cluster, server: &str) {
    let root = Db::root(cluster, server);
    let id = root.number("SELECT @@gtid_domain_id");
    let state = root.value("SELECT @@gtid_binlog_state");
    let logs = cluster.home().join("servers").join(server).join("binlog");
    let mut files: Vec<_> = std::fs::read_dir(&logs)
        .expect("binlog/")
        .flatten()
        .map(|e| e.path())
        .filter(|p| p.extension().is_some_and(|x| x.to_string_lossy().chars().all(|c| c.is_ascii_digit())))
        .collect();
    files.sort();
    let mut command = Command::new("/usr/bin/mariadb-binlog");
    command.args(["--no-defaults", "--base64-output=DECODE-ROWS", "--verbose"]).args(&files);
    let said = run(&mut command, Duration::from_secs(60));
    assert_eq!(said.code, 0, "mariadb-binlog {files:?}: {:.2000}", said.err);
    let (mut own, mut events, mut strange) = (false, 0_u64, Vec::new());
    for line in said.out.lines() {
        if let Some((_, gtid)) = line.split_once("\tGTID ") {
            own = gtid.starts_with(&format!("{id}-"));
            events += u64::from(own);
        } else if own
            && (line.starts_with("### INSERT")
                || line.starts_with("### UPDATE")
                || line.starts_with("### DELETE"))
        {
            if !line.contains("`cordee`.`heartbeat`") {
                strange.push(line.to_owned());
            }
        } else if own
            && ["CREATE", "ALTER", "DROP", "GRANT", "REVOKE", "SET PASSWORD", "TRUNCATE"]
                .iter()
                .any(|w| line.starts_with(w))
        {
            strange.push(line.to_owned());
        }
    }
    strange.truncate(10);
    assert!(strange.is_empty(), "{server} wrote in its own domain {id}: {strange:#?}");
    println!("#   {server}: {events} transactions of its own domain {id}, all heartbeats; state {state}");
    assert!(events > 0, "no heartbeat of domain {id} in {files:?}: this proves nothing");
}

// ---- d

fn ten_joins_and_removals_reuse_places_and_no_id(cluster: &Cluster) {
    only_two(cluster);
    let tables = Tables::make(cluster, "ten", 8);
    let application = Db::new(cluster, &["--account", "app"]);
    let writer = Pair::read(cluster).writer;
    let load = Writers::new(cluster.db_writer(), application.dsn(), &tables).pace(150, 50).start();
    let mut last_id = 0;
    for round in 1..=10 {
        let plan = cluster.api().get("/v1/pools/db/join");
        assert_eq!(plan["slot"].as_u64(), Some(3), "{plan}");
        let kept = trashed(cluster, "db3").len();
        join(cluster, "db3");
        let joined = wait_for_members(cluster, &["db1", "db2", "db3"]);
        wait_for_mesh(cluster, &["db1", "db2", "db3"]);
        let id = server_id(cluster, "db3");
        assert_eq!(Some(u64::from(id)), plan["id"].as_u64(), "the plan told its id");
        assert!(id > last_id, "round {round}: id {id} after {last_id}");
        last_id = id;
        remove(cluster, "db3");
        let left = wait_until_left(cluster, "db3", &["db1", "db2"]);
        assert_eq!(trashed(cluster, "db3").len(), kept + 1, "its folder is in the trash");
        println!(
            "#   round {round}: id {id}, joined in {:.1} s, left in {:.1} s",
            joined.as_secs_f64(),
            left.as_secs_f64()
        );
    }
    let report = load.stop();
    no_errors(&report);
    tables.verify(cluster, &report);
    let now = Pair::wait(cluster);
    assert_eq!(now.writer.name, writer.name, "the writer is the same");
}

// ---- channels that wait for one that is gone

/// How soon channels that wait for one that is gone go on: three seconds are what another one's work may take.
const FREED: Duration = Duration::from_secs(30);

/// A channel is dropped by hand while transactions stand in its workers' queues, behind one that changes a table and
/// one that waits for a lock. MariaDB then has the other channel wait for it for ever. Then the same, and Cordée dies
/// while it frees them.
fn links_that_wait_for_one_that_is_gone_go_on(cluster: &Cluster) {
    let three = ["db1", "db2", "db3"];
    if shown(cluster, "db3").expect("snapshot").is_none() {
        join(cluster, "db3");
    }
    wait_for_members(cluster, &three);
    wait_for_mesh(cluster, &three);
    let schema = Db::new(cluster, &[]).dsn().schema.clone();
    let servers = cluster.api().snapshot().servers;
    let writer = servers.iter().find(|s| s.role.as_deref() == Some("writer")).expect("a writer").name.clone();
    let standby = ["db1", "db2"].into_iter().find(|name| *name != writer).expect("a standby");
    let (on_writer, on_standby) = (Db::root(cluster, &writer), Db::root(cluster, standby));
    on_writer.query(&format!(
        "CREATE TABLE {schema}.e2e_gone (id INT PRIMARY KEY, v INT); INSERT INTO {schema}.e2e_gone VALUES (1, 0)"
    ));
    wait_for_equal_on(cluster, &three);
    let begun = cluster.api().last_event();

    drop(stalled(cluster, &writer, standby));
    let ((), took) = wait::until("the journal says so", FREED, || {
        let told = cluster.api().events_after(begun).into_iter().map(|e| e.text).collect::<Vec<_>>();
        let freed =
            |text: &String| text.contains(standby) && text.contains("links waited for one that is gone");
        if told.iter().any(freed) { Ok(()) } else { Err(told) }
    });
    println!("#   {standby} goes on {:.1} s after Cordée does", took.as_secs_f64());
    wait_for_members(cluster, &three);
    wait_for_mesh(cluster, &three);
    wait_for_equal_on(cluster, &three);
    assert_eq!(on_standby.number(&format!("SELECT v FROM {schema}.e2e_gone")), 30);

    let frozen = stalled(cluster, &writer, standby);
    let mut serve = Mortal::start(cluster, "before:Go");
    drop(frozen);
    assert!(serve.wait_for_death(FREED, || false));
    serve.end(cluster);
    cluster.cli_ok(&["up", "--detach"]);
    wait_for_members(cluster, &three);
    wait_for_mesh(cluster, &three);
    wait_for_equal_on(cluster, &three);
    assert_eq!(on_standby.number(&format!("SELECT v FROM {schema}.e2e_gone")), 60);
    on_writer.query(&format!(
        "DROP TABLE {schema}.e2e_gone, {schema}.e2e_gone_1, {schema}.e2e_gone_2, {schema}.e2e_gone_3"
    ));
}

/// Has the standby's channel to the writer wait for its channel to db3, which is gone then. Cordée, which would start
/// what is stopped, stands still until the value is dropped.
fn stalled(cluster: &Cluster, writer: &str, standby: &str) -> (Frozen, Frozen) {
    let schema = Db::new(cluster, &[]).dsn().schema.clone();
    let (on_writer, on_standby) = (Db::root(cluster, writer), Db::root(cluster, standby));
    let workers = |state: &str| {
        on_standby.number(&format!(
            "SELECT COUNT(*) FROM PROCESSLIST WHERE COMMAND = 'Slave_worker' AND STATE LIKE '{state}%'"
        ))
    };
    let serve = cluster.serve().expect("serve");
    let frozen = (Frozen::one(cluster.home(), serve.parent), Frozen::one(cluster.home(), serve.pid));
    // Together (decision 009); then the third one's channel is the first that has what the writer writes.
    on_standby.query(&format!(
        "STOP SLAVE '{writer}' IO_THREAD; STOP SLAVE 'db3' IO_THREAD; START SLAVE 'db3' IO_THREAD"
    ));
    let lock = on_standby.hold(&format!("BEGIN; UPDATE {schema}.e2e_gone SET v = v + 1 WHERE id = 1"));
    for round in 1..=3 {
        on_writer.query(&format!(
            "UPDATE {schema}.e2e_gone SET v = v + 10 WHERE id = 1; \
             CREATE OR REPLACE TABLE {schema}.e2e_gone_{round} (id INT PRIMARY KEY); \
             INSERT INTO {schema}.e2e_gone_{round} VALUES (1)"
        ));
    }
    wait::until("the third one's transactions stand in the queues", ROUTED, || {
        let waiting = workers("Waiting for prior transaction");
        if waiting >= 3 { Ok(()) } else { Err(on_standby.query("SELECT COMMAND, STATE FROM PROCESSLIST")) }
    });
    let drops = Db::root(cluster, standby);
    let dropped = std::thread::spawn(move || drops.try_query("STOP SLAVE 'db3'; RESET SLAVE 'db3' ALL"));
    wait::until("the link is being stopped", ROUTED, || {
        match on_standby.number("SELECT COUNT(*) FROM PROCESSLIST WHERE STATE LIKE 'Killing slave%'") {
            0 => Err("not yet"),
            _ => Ok(()),
        }
    });
    drop(lock);
    dropped.join().expect("the thread").expect("the link is dropped");
    frozen
}

// ---- a copy that holds more than was written down

/// What is written down beside a copy lags behind the copy at times. Here by what cannot be applied twice: a row with a
/// key, one without, and a table that is made.
fn a_copy_that_holds_more_than_was_written_down_joins(cluster: &Cluster) {
    only_two(cluster);
    let three = ["db1", "db2", "db3"];
    let schema = Db::new(cluster, &[]).dsn().schema.clone();
    let writer = Pair::read(cluster).writer.name;
    let on_writer = Db::root(cluster, &writer);
    let domain = format!("{}-", server_id(cluster, &writer));
    let logged = || on_writer.value("SELECT @@gtid_binlog_pos");
    on_writer.query(&format!(
        "CREATE TABLE {schema}.e2e_keyed (id INT PRIMARY KEY); CREATE TABLE {schema}.e2e_keyless (v INT)"
    ));
    let before = logged();
    let before = before.split(',').find(|gtid| gtid.starts_with(&domain)).expect("the writer's domain");
    on_writer.query(&format!(
        "INSERT INTO {schema}.e2e_keyed VALUES (1); INSERT INTO {schema}.e2e_keyless VALUES (1); \
         CREATE TABLE {schema}.e2e_made (id INT PRIMARY KEY)"
    ));
    wait_for_equal_on(cluster, &["db1", "db2"]);

    let mut serve = Mortal::start(cluster, "before:SeedPosition");
    wait::until("the join is taken", QUIET, || {
        let reply = ask_join(cluster, "db3");
        if reply.ok() { Ok(()) } else { Err(reply) }
    });
    assert!(serve.wait_for_death(SETTLED, || false));
    serve.end(cluster);
    let file = cluster.home().join("servers/db3/position");
    let kept = std::fs::read_to_string(&file).expect("where the copy ends");
    let lagging = |line: &str| {
        let each = line.split(',').map(|gtid| if gtid.starts_with(&domain) { before } else { gtid });
        each.collect::<Vec<_>>().join(",")
    };
    let (told, rest) = kept.split_once('\n').expect("a line");
    assert_ne!(told, lagging(told), "nothing would lag");
    std::fs::write(&file, format!("{}\n{rest}", lagging(told))).expect("position");
    println!("#   {told} became {}", lagging(told));
    // It ends once all is well: a table without a key is told as a risk.
    let mut up = cluster.command(&["up", "--detach"]).stdout(Stdio::null()).spawn().expect("cordee up");

    wait::until("db3 is one of them", SETTLED, || match shown(cluster, "db3")? {
        Some(server) if server.membership.as_deref() == Some("member") => Ok(()),
        other => Err(format!("{:?}", other.as_ref().map(brief))),
    });
    assert_eq!(Db::root(cluster, "db3").number(&format!("SELECT COUNT(*) FROM {schema}.e2e_keyless")), 1);
    wait_for_equal_on(cluster, &three);
    on_writer.query(&format!("DROP TABLE {schema}.e2e_keyed, {schema}.e2e_keyless, {schema}.e2e_made"));
    leave(cluster, "db3");
    assert!(up.wait().expect("cordee up").success());
}

// ---- all write

/// Waits until each of these is open, or only the writer.
#[track_caller]
fn wait_for_routing(cluster: &Cluster, routing: &str, names: &[&str]) {
    route(cluster, routing);
    let ((), took) = wait::until(&format!("{routing} on {names:?}"), ROUTED, || {
        members(cluster, names)?;
        let writer =
            cluster.api().try_snapshot()?.servers.into_iter().find(|s| s.role.as_deref() == Some("writer"));
        let writer = writer.map(|s| s.name);
        for name in names {
            let wanted = routing == "all-writers" || writer.as_deref() == Some(name);
            if open(cluster, name)? != wanted {
                return Err(format!("{name} is open: {}", !wanted));
            }
        }
        Ok(())
    });
    println!("#   {routing} after {:.1} s", took.as_secs_f64());
}

/// How many rows each client inserts that lets the database choose their numbers.
const NUMBERED: u32 = 300;

/// Clients that let the database choose the number of each row, through HAProxy; gives what went wrong.
fn numbered(cluster: &Cluster, table: &str, clients: u32) -> Vec<String> {
    let application = Db::new(cluster, &["--account", "app"]);
    let to = cluster.db();
    let threads: Vec<_> = (0..clients)
        .map(|client| {
            let (dsn, table) = (application.dsn().clone(), table.to_owned());
            std::thread::spawn(move || {
                let mut errors = Vec::new();
                let mut connection = writers::connect(&dsn, to).expect("connect");
                for _ in 0..NUMBERED {
                    let sql = format!("INSERT INTO {table} (client, server) VALUES ({client}, @@server_id)");
                    if let Err(error) = connection.query_drop(sql) {
                        errors.push(format!("client {client}: {error}"));
                    }
                }
                errors
            })
        })
        .collect();
    threads.into_iter().flat_map(|t| t.join().expect("client")).collect()
}

fn make_numbered(cluster: &Cluster, table: &str) {
    let owner = Db::new(cluster, &["--account", "owner"]).through(cluster, cluster.db_writer().port());
    owner.query(&format!(
        "CREATE TABLE {table} (id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, client INT NOT NULL, \
         server INT UNSIGNED NOT NULL)"
    ));
}

/// Who acknowledged how many.
fn shares(report: &Report) -> std::collections::BTreeMap<u32, usize> {
    let mut shares = std::collections::BTreeMap::new();
    for server in report.acknowledged().filter_map(|w| w.outcome.as_ref().ok()) {
        *shares.entry(*server).or_default() += 1;
    }
    shares
}

fn all_write_at_once_without_a_collision(cluster: &Cluster) {
    only_two(cluster);
    let both = ["db1", "db2"];
    let tables = Tables::make(cluster, "all", 8);
    make_numbered(cluster, "e2e_numbered");
    wait_for_routing(cluster, "all-writers", &both);
    let application = Db::new(cluster, &["--account", "app"]);
    let load = Writers::new(cluster.db(), application.dsn(), &tables).pace(200, 100).start();
    let errors = numbered(cluster, "e2e_numbered", 6);
    load.wait_for_more(500, QUIET);
    let report = load.stop();
    assert_eq!(errors, Vec::<String>::new());
    no_errors(&report);
    let shares = shares(&report);
    println!("#   acknowledged by: {shares:?}");
    assert_eq!(shares.len(), 2, "both were written: {shares:?}");
    tables.verify_all(cluster, &both, &report);
    let schema = &application.dsn().schema;
    for server in both {
        let root = Db::root(cluster, server);
        assert_eq!(
            root.number(&format!("SELECT COUNT(*) FROM {schema}.e2e_numbered")),
            6 * u64::from(NUMBERED)
        );
        assert_eq!(root.number(&format!("SELECT COUNT(DISTINCT server) FROM {schema}.e2e_numbered")), 2);
    }
    wait_for_mesh(cluster, &both);
    wait_for_routing(cluster, "one-writer", &both);
}

// ---- j

fn a_fourth_joins_three_that_all_write(cluster: &Cluster) {
    let (three, four) = (["db1", "db2", "db3"], ["db1", "db2", "db3", "db4"]);
    if shown(cluster, "db3").expect("snapshot").is_none() {
        join(cluster, "db3");
    }
    wait_for_members(cluster, &three);
    let tables = Tables::make(cluster, "fourth", 9);
    make_numbered(cluster, "e2e_numbered_four");
    wait_for_routing(cluster, "all-writers", &three);
    for (place, server) in (1..).zip(three) {
        let root = Db::root(cluster, server);
        assert_eq!(root.number("SELECT @@auto_increment_offset"), place, "{server}");
    }
    let application = Db::new(cluster, &["--account", "app"]);
    let load = Writers::new(cluster.db(), application.dsn(), &tables).pace(200, 100).start();
    load.wait_for_more(300, QUIET);
    let at = Instant::now();
    join(cluster, "db4");
    wait_for_members(cluster, &four);
    println!("#   db4 is a member after {:.1} s", at.elapsed().as_secs_f64());
    wait_for_mesh(cluster, &four);
    wait::until("db4 takes writes", ROUTED, || {
        if open(cluster, "db4")? && listed(cluster, "db4")? { Ok(()) } else { Err("not yet".to_owned()) }
    });
    println!("#   db4 takes writes after {:.1} s", at.elapsed().as_secs_f64());
    let errors = numbered(cluster, "e2e_numbered_four", 8);
    load.wait_for_more(300, QUIET);
    let report = load.stop();
    assert_eq!(errors, Vec::<String>::new());
    no_errors(&report);
    println!("#   acknowledged by: {:?}", shares(&report));
    assert_eq!(shares(&report).len(), 3, "all three were written");
    tables.verify_all(cluster, &four, &report);
    let schema = &application.dsn().schema;
    let wrote = Db::root(cluster, "db4")
        .number(&format!("SELECT COUNT(DISTINCT server) FROM {schema}.e2e_numbered_four"));
    assert_eq!(wrote, 4, "all four took numbered rows");
    wait_for_equal_on(cluster, &four);
    wait_for_routing(cluster, "one-writer", &four);
    leave(cluster, "db4");
    leave(cluster, "db3");
    wait_until_left(cluster, "db3", &["db1", "db2"]);
}
