//! A database that exists already joins: only an empty one, only when everything is as it must be, and noticed by
//! nobody.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed expectation is how a test ends")]

use std::time::{Duration, Instant};

use cordee_e2e::api::Reply;
use cordee_e2e::case;
use cordee_e2e::cluster::Cluster;
use cordee_e2e::db::Db;
use cordee_e2e::foreign::{
    Fake, Guest, PASSWORD, USER, asks_for_a_file, babbles, body, floods, is_mysql, keeps_silent, lines,
};
use cordee_e2e::mesh::{
    SETTLED, brief, channels, homes, listed, remove, shown, wait_for_members, wait_for_mesh, wait_until_left,
};
use cordee_e2e::pair::{Pair, open};
use cordee_e2e::suite::File;
use cordee_e2e::tables::Tables;
use cordee_e2e::wait;
use cordee_e2e::writers::Writers;
use rustix::process::Signal;
use serde_json::{Value, json};

/// How soon what cannot be done is refused.
const REFUSED: Duration = Duration::from_secs(5);
/// How long the load goes on before and after what it watches.
const QUIET: Duration = Duration::from_secs(20);

/// Its cases.
pub fn file() -> File {
    File::new(
        "external",
        &[],
        &[
            case!(what_is_no_database_of_ours_is_named_and_gets_nothing),
            case!(each_thing_that_is_wrong_has_its_sentence),
            case!(one_with_data_is_refused_and_untouched),
            case!(an_empty_one_joins_under_load_and_leaves),
            case!(whoever_is_killed_it_goes_on_or_is_let_go),
        ],
    )
}

/// Every sentence of a refusal with its field; it came in time, and nothing was added.
#[track_caller]
fn reasons(cluster: &Cluster, body: &Value) -> Vec<(String, String)> {
    let wish = cluster.api().snapshot().wish();
    let mut found = Vec::new();
    for to in ["/v1/pools/db/join", "/v1/pools/db/servers"] {
        let at = Instant::now();
        let reply: Reply = cluster.api().post(to, body);
        let took = at.elapsed();
        assert!((400..500).contains(&reply.status), "{body} was not refused: {reply:?}");
        assert!(took < REFUSED, "{body}: {took:?}");
        let said = format!("{reply:?}");
        assert!(!said.contains(PASSWORD) && !said.contains("60 m"), "a password in {said}");
        let all: Vec<(String, String)> = reply.errors().into_iter().map(|e| (e.field, e.detail)).collect();
        println!("#   {} ms: {all:?}", took.as_millis());
        found = all;
    }
    assert_eq!(cluster.api().snapshot().wish(), wish);
    found
}

#[track_caller]
fn only(cluster: &Cluster, body: &Value, field: &str, words: &str) {
    let found = reasons(cluster, body);
    let [(at, said)] = found.as_slice() else { panic!("one sentence, not {found:?}") };
    assert!(at == field && said.contains(words), "{field:?} and {words:?} expected, not {found:?}");
}

/// What a fake does with each connection.
type Each = fn(&mut std::net::TcpStream) -> Vec<u8>;

fn what_is_no_database_of_ours_is_named_and_gets_nothing(cluster: &Cluster) {
    let free = cluster.spare_port(0);
    only(cluster, &body("db3", "127.0.0.1", free, "x"), "port", "Nothing listens");
    only(cluster, &body("db3", "nobody.invalid", 3306, "x"), "address", "nobody.invalid was not found");
    only(cluster, &body("db3", "192.0.2.7", 3306, "x"), "address", "another machine");
    only(cluster, &body("db3", "127.0.0.1", free, ""), "password", "1 to 256");
    only(cluster, &body("db1", "127.0.0.1", cluster.site().port(), "x"), "port", "database");
    let fakes: [(Each, &str, &str); 5] = [
        (babbles, "port", "not a database"),
        (keeps_silent, "port", "says nothing"),
        (is_mysql, "port", "not MariaDB"),
        (asks_for_a_file, "address", "asked for a file"),
        (floods, "address", "not the protocol"),
    ];
    for (each, field, words) in fakes {
        let fake = Fake::start(free, each);
        only(cluster, &body("db3", "127.0.0.1", fake.port(), "a secret of mine"), field, words);
        let told = String::from_utf8_lossy(&fake.told()).into_owned();
        assert!(!told.contains("root:") && !told.contains("a secret of mine"), "it was told {told:?}");
    }
}

fn each_thing_that_is_wrong_has_its_sentence(cluster: &Cluster) {
    Pair::wait(cluster);
    let good = lines(cluster);
    let port = cluster.spare_port(1);
    let mut guest = Guest::start(cluster, "db3", port, &good);
    let root = || Db::root(cluster, "db3");
    let right = body("db3", "127.0.0.1", port, PASSWORD);
    only(cluster, &body("db3", "127.0.0.1", port, "wrong"), "password", "refused (error 1045)");
    root().query("SET GLOBAL max_connections=10");
    let connect = |_| std::net::TcpStream::connect(("127.0.0.1", port)).expect("connect");
    let held: Vec<_> = (0..12).map(connect).collect();
    wait::until_true("it is full", QUIET, || root().try_query("SELECT 1").is_err());
    only(cluster, &right, "port", "no connection left");
    drop(held);
    wait::until("it has connections again", QUIET, || root().try_query("SELECT 1").map(|_| ()));
    root().query("SET GLOBAL max_connections=100");
    root().query(&format!("SET sql_log_bin=0; REVOKE BINLOG ADMIN, PROCESS ON *.* FROM {USER}@127.0.0.1"));
    only(cluster, &right, "user", "BINLOG ADMIN, PROCESS");
    root().query(&format!(
        "SET sql_log_bin=0; GRANT ALL PRIVILEGES ON *.* TO {USER}@127.0.0.1 WITH GRANT OPTION"
    ));
    root().query("SET GLOBAL require_secure_transport=1");
    only(cluster, &right, "password", "encrypted");
    root().query("SET GLOBAL require_secure_transport=0");
    root().query("SET GLOBAL read_only=0");
    only(cluster, &right, "address", "read_only=ON");
    root().query("CREATE USER nobody@127.0.0.1; SET GLOBAL read_only=1");
    let found = reasons(cluster, &right);
    assert!(found.iter().any(|(_, said)| said.contains("RESET MASTER")), "{found:?}");
    root().query("DROP USER nobody@127.0.0.1; RESET MASTER");
    root().query("CHANGE MASTER 'old' TO MASTER_HOST='127.0.0.1', MASTER_PORT=1");
    let found = reasons(cluster, &right);
    assert!(found.iter().any(|(_, said)| said.contains("'old'")), "{found:?}");
    root().query("RESET SLAVE 'old' ALL");
    let without = |name: &str| good.iter().filter(|l| !l.starts_with(name)).cloned().collect::<Vec<_>>();
    guest.restart(cluster, &[without("gtid_strict"), vec!["binlog_format=MIXED".to_owned()]].concat());
    only(cluster, &right, "address", "binlog_format=ROW; gtid_strict_mode=ON");
}

fn one_with_data_is_refused_and_untouched(cluster: &Cluster) {
    Pair::wait(cluster);
    let guest = Guest::start(cluster, "db3", cluster.spare_port(1), &lines(cluster));
    let root = Db::root(cluster, "db3");
    root.query(
        "SET sql_log_bin=0; CREATE DATABASE shop; CREATE TABLE shop.orders (id INT PRIMARY KEY); \
         INSERT INTO shop.orders VALUES (7)",
    );
    root.query(&format!(
        "SET GLOBAL general_log_file='{}'; SET GLOBAL general_log=1",
        guest.general_log().display()
    ));
    only(cluster, &body("db3", "127.0.0.1", guest.port(), PASSWORD), "address", "shop.orders");
    root.query("SET GLOBAL general_log=0");
    let log = std::fs::read(guest.general_log()).expect("general log");
    let log = String::from_utf8_lossy(&log).to_lowercase();
    let asked: Vec<&str> = log
        .lines()
        .filter_map(|l| l.split_once("query\t").or_else(|| l.split_once("execute\t")).map(|(_, sql)| sql))
        .filter(|sql| !sql.starts_with("set global general_log"))
        .collect();
    assert!(asked.iter().any(|sql| sql.contains("information_schema.tables")), "this proves nothing: {log}");
    let wrote: Vec<&&str> =
        asked.iter().filter(|sql| !sql.starts_with("select ") && !sql.starts_with("show ")).collect();
    assert!(wrote.is_empty(), "{wrote:?}");
    println!("#   {} questions, all of them SELECT or SHOW", asked.len());
    assert_eq!(root.value("SELECT id FROM shop.orders"), "7");
    assert!(shown(cluster, "db3").expect("snapshot").is_none());
}

fn an_empty_one_joins_under_load_and_leaves(cluster: &Cluster) {
    Pair::wait(cluster);
    let guest = Guest::start(cluster, "db3", cluster.spare_port(1), &lines(cluster));
    let tables = Tables::make(cluster, "guest", 8);
    let application = Db::new(cluster, &["--account", "app"]);
    let load = Writers::new(cluster.db_writer(), application.dsn(), &tables).pace(200, 100).start();
    load.wait_for_more(500, QUIET);
    let file = cluster.home().join("e2e/password");
    std::fs::write(&file, format!("{PASSWORD}\n")).expect("password");
    let port = guest.port().to_string();
    let path = file.display().to_string();
    let add = ["add", "db", "db3", "--address", "127.0.0.1", "--port", &port, "--user", USER];
    let open_to_all = cluster.cli(&[&add[..], &["--password-file", &path]].concat());
    assert_ne!(open_to_all.code, 0, "a file that others may read was taken");
    std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("mode");
    let planned = cluster.cli_ok(&[&add[..], &["--password-file", &path, "--plan"]].concat());
    println!("#   {}", planned.replace('\n', " | "));
    assert!(shown(cluster, "db3").expect("snapshot").is_none(), "a plan adds nothing");
    let at = Instant::now();
    cluster.cli_ok(&[&add[..], &["--password-file", &path]].concat());
    let mut told = Vec::<String>::new();
    wait::until("db3 is a member", SETTLED, || {
        let in_haproxy = listed(cluster, "db3")?;
        let server = shown(cluster, "db3")?.ok_or("not shown")?;
        let membership = server.membership.as_deref().unwrap_or("?");
        assert!(membership == "member" || !in_haproxy, "HAProxy lists db3 while it is {}", brief(&server));
        let word = format!("{membership}: {}", server.status.word);
        if told.last() != Some(&word) {
            told.push(word);
        }
        if membership == "member" { Ok(()) } else { Err(brief(&server)) }
    });
    println!("#   a member after {:.1} s: {told:?}", at.elapsed().as_secs_f64());
    let all = ["db1", "db2", "db3"];
    wait_for_members(cluster, &all);
    wait_for_mesh(cluster, &all);
    load.wait_for_more(500, QUIET);
    let report = load.stop();
    println!("#   {report}");
    assert!(report.errors.is_empty(), "clients noticed: {:?}", report.errors);
    tables.verify_all(cluster, &all, &report);
    assert_eq!(open(cluster, "db3"), Ok(false), "db3 is open with one writer");
    let root = Db::root(cluster, "db3");
    only_heartbeats(&root);
    keeps_its_account(cluster, &guest);
    nothing_is_readable(cluster);
    connection_test(cluster);
    // It becomes the writer, and hands over again.
    promote(cluster, "db3");
    promote(cluster, "db1");
    remove(cluster, "db3");
    wait_until_left(cluster, "db3", &["db1", "db2"]);
    assert_eq!(channels(cluster, "db3"), Ok(Vec::new()), "links are left on it");
    let left = root.query("SELECT User FROM mysql.user WHERE User LIKE 'cordee%' OR User LIKE 'site%'");
    assert!(left.is_empty(), "accounts are left on it: {left:?}");
    assert_eq!(root.number("SELECT @@read_only"), 1);
    let schema = &application.dsn().schema;
    let kept =
        root.number(&format!("SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA='{schema}'"));
    assert!(kept > 0, "its data are its own");
    keeps_its_account(cluster, &guest);
    let found = reasons(cluster, &body("db3", "127.0.0.1", guest.port(), PASSWORD));
    assert!(found.iter().any(|(_, said)| said.contains("holds tables already")), "{found:?}");
    assert!(!homes(cluster).contains("db3"));
}

#[track_caller]
fn wait_until_gone(cluster: &Cluster) -> Duration {
    let gone = || match shown(cluster, "db3")? {
        None => Ok(()),
        Some(server) => Err(brief(&server)),
    };
    wait::until("db3 is not shown any more", SETTLED, gone).1
}

fn whoever_is_killed_it_goes_on_or_is_let_go(cluster: &Cluster) {
    Pair::wait(cluster);
    let all = ["db1", "db2", "db3"];
    let own = lines(cluster);
    let mut guest = Guest::start(cluster, "db3", cluster.spare_port(1), &own);
    guest.join(cluster);
    // Cordée, in the middle of its copy.
    cluster.signal(cluster.serve().expect("serve").pid, Signal::KILL);
    let took = wait_for_members(cluster, &all);
    wait_for_mesh(cluster, &all);
    println!("#   a member {:.1} s after Cordée was killed", took.as_secs_f64());
    only_heartbeats(&Db::root(cluster, "db3"));
    // The newcomer itself: it comes back closed, and goes on.
    guest.end();
    wait::until("its loss is shown", QUIET, || match shown(cluster, "db3")? {
        Some(server) if server.status.severity == "critical" => Ok(()),
        other => Err(format!("{:?}", other.map(|s| brief(&s)))),
    });
    guest.restart(cluster, &own);
    assert_eq!(open(cluster, "db3"), Ok(false));
    wait_for_members(cluster, &all);
    // As another one than it was added as, it is not touched.
    let other: Vec<String> = own.iter().filter(|l| !l.starts_with("server_id")).cloned().collect();
    guest.restart(cluster, &[other, vec!["server_id=1".to_owned(), "skip-slave-start".to_owned()]].concat());
    wait::until("it is known as another", QUIET, || match shown(cluster, "db3")? {
        Some(server) if server.status.word == "Another id" => Ok(()),
        other => Err(format!("{:?}", other.map(|s| brief(&s)))),
    });
    guest.restart(cluster, &own);
    wait_for_members(cluster, &all);
    // Gone for good: it is let go as it is.
    guest.end();
    remove(cluster, "db3");
    let took = wait_until_gone(cluster);
    println!("#   let go after {:.1} s", took.as_secs_f64());
    Pair::wait(cluster);
    for peer in ["db1", "db2"] {
        wait::until(&format!("{peer} has no link to it"), QUIET, || {
            let left = channels(cluster, peer)?;
            if left.iter().all(|(from, _)| from != "db3") { Ok(()) } else { Err(format!("{left:?}")) }
        });
    }
    // Cancelled in the middle.
    let mut second = Guest::start(cluster, "db3", cluster.spare_port(2), &lines(cluster));
    second.join(cluster);
    remove(cluster, "db3");
    wait_until_gone(cluster);
    assert_eq!(channels(cluster, "db3"), Ok(Vec::new()));
    let root = Db::root(cluster, "db3");
    assert_eq!(root.value("SELECT @@gtid_binlog_pos"), "", "the copy was logged");
    let left = root.query("SELECT User FROM mysql.user WHERE User LIKE 'cordee%' OR User LIKE 'site%'");
    assert!(left.is_empty(), "accounts are left on it: {left:?}");
    second.end();
    Pair::wait(cluster);
}

#[track_caller]
fn promote(cluster: &Cluster, name: &str) {
    let reply =
        cluster.api().call("POST", &format!("/v1/pools/db/servers/{name}/promote"), None).expect("POST");
    assert!(reply.ok(), "{reply:?}");
    let ((), took) = wait::until(&format!("{name} writes"), QUIET, || {
        if open(cluster, name)? { Ok(()) } else { Err(brief(&shown(cluster, name)?.ok_or("not shown")?)) }
    });
    println!("#   {name} writes after {} ms", took.as_millis());
    wait_for_members(cluster, &["db1", "db2", "db3"]);
}

/// Everything of its own domain in its log is a heartbeat: the import left nothing there.
#[track_caller]
fn only_heartbeats(root: &Db) {
    let id = root.number("SELECT @@gtid_domain_id");
    let first = root.query("SHOW BINARY LOGS").first().expect("a log")[0].clone();
    let events = root.query(&format!("SHOW BINLOG EVENTS IN '{first}' LIMIT 20000"));
    let (mut own, mut count, mut strange) = (false, 0, Vec::new());
    for row in &events {
        let (kind, info) = (row[2].as_str(), row[5].as_str());
        let expected = match kind {
            "Table_map" => info.contains("cordee.heartbeat"),
            "Write_rows_v1" | "Update_rows_v1" | "Xid" | "Annotate_rows" => true,
            _ => false,
        };
        if kind == "Gtid" {
            own = info.contains(&format!("GTID {id}-"));
            count += u32::from(own);
        } else if own && !expected {
            strange.push(format!("{kind} {info}"));
        }
        own &= kind != "Xid";
    }
    assert!(count > 0, "no heartbeat of its own in {first}: this proves nothing");
    assert!(strange.is_empty(), "own domain {id}: {:?}", &strange[..strange.len().min(10)]);
    println!("#   {count} transactions of its own domain {id}, all heartbeats");
}

/// The account and the password that the person typed sign in as before.
#[track_caller]
fn keeps_its_account(cluster: &Cluster, guest: &Guest) {
    let file = cluster.home().join("e2e/own.cnf");
    let quoted = PASSWORD.replace('\\', "\\\\").replace('"', "\\\"");
    let text = format!(
        "[client]\nprotocol=tcp\nhost=127.0.0.1\nport={}\nuser={USER}\npassword=\"{quoted}\"\n",
        guest.port()
    );
    std::fs::write(&file, text).expect("file");
    let mut command = std::process::Command::new("/usr/bin/mariadb");
    command.arg(format!("--defaults-file={}", file.display())).args(["-BNe", "SELECT CURRENT_USER()"]);
    let said = cordee_e2e::cluster::run(&mut command, QUIET);
    assert_eq!((said.code, said.out.trim()), (0, "ana@127.0.0.1"), "{said:?}");
}

/// The password stands in no file of the cluster's, in no argument and in no journal line.
#[track_caller]
fn nothing_is_readable(cluster: &Cluster) {
    let mut folders = vec![cluster.home().to_path_buf()];
    let mut looked = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            // The test's own files, and the databases': a channel's password is another one.
            if path.ends_with("e2e") || path.ends_with("data") || path.ends_with("binlog") {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(bytes) = std::fs::read(&path) {
                looked += 1;
                assert!(
                    memchr::memmem::find(&bytes, b"60 m\"").is_none(),
                    "a password in {}",
                    path.display()
                );
            }
        }
    }
    let key = std::fs::metadata(cluster.home().join("logins.key")).expect("the key");
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&key.permissions()) & 0o777, 0o600);
    println!("#   {looked} files without the password");
}

#[track_caller]
fn connection_test(cluster: &Cluster) {
    let reply = cluster.api().post("/v1/pools/db/servers/db3/test", &json!({}));
    assert!(reply.ok() && reply.body["passed"] == Value::Bool(true), "{reply:?}");
    for action in ["stop", "restart"] {
        let reply =
            cluster.api().call("POST", &format!("/v1/pools/db/servers/db3/{action}"), None).expect("POST");
        assert!(format!("{reply:?}").contains("neither stop nor restart"), "{reply:?}");
    }
}
