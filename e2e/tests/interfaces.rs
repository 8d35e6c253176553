//! What programs hold on to: the API's description, the exit codes, the addresses and accounts of `cordee dsn`, tokens.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed expectation is how a test ends")]

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use cordee_e2e::case;
use cordee_e2e::cluster::{ACCOUNT, Cluster, PASSWORD, Said, run};
use cordee_e2e::db::Db;
use cordee_e2e::http::Client;
use cordee_e2e::procs::Frozen;
use cordee_e2e::suite::File;
use cordee_e2e::wait;
use serde_json::{Value, json};

/// Its cases. The last one leaves the cluster otherwise than it was.
pub fn file() -> File {
    File::new(
        "interfaces",
        &[],
        &[
            case!(the_description_is_valid),
            case!(a_client_that_is_generated_works),
            case!(exit_codes_tell_how_the_site_is),
            case!(exit_codes_and_sentences_tell_the_end),
            case!(dsn_leads_to_the_writer_and_has_an_account_that_watches),
            case!(tokens_are_listed_dated_and_taken_back),
            case!(the_password_is_changed_on_the_machine),
            case!(whatever_is_asked_is_answered_as_described),
        ],
    )
}

/// Calls of the fuzzer, and where they begin: `CORDEE_FUZZ_SEED` makes others.
const CALLS: &str = "1000";
const SEED: &str = "20261129";
/// A token that the fuzzer takes back.
const SPARE: &str = "spare";
/// For what an npm program does.
const PROGRAM: Duration = Duration::from_secs(120);
/// Until a picture shows what was done.
const SEEN: Duration = Duration::from_secs(15);

fn folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Runs a program of `openapi/` with Node.
#[track_caller]
fn node(script: &Path, arguments: &[&str], cluster: &Cluster) -> Said {
    assert!(folder().join("node_modules/ajv").is_dir(), "run `npm ci` in e2e/");
    let mut command = Command::new("node");
    command.arg(script).args(arguments).env("CORDEE_TOKEN", cluster.token());
    command.env("CORDEE_SPARE", SPARE).current_dir(folder());
    run(&mut command, PROGRAM)
}

fn description(cluster: &Cluster) -> Value {
    cluster.api().get("/openapi.json")
}

fn the_description_is_valid(cluster: &Cluster) {
    let mut command = Command::new("node");
    command.arg(folder().join("openapi/validate.mjs")).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("node");
    child.stdin.take().unwrap().write_all(description(cluster).to_string().as_bytes()).expect("the document");
    let output = child.wait_with_output().expect("the validator");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    println!("#   {}", said.lines().next().unwrap_or_default());
    assert!(output.status.success(), "{said}");
}

/// Where the client is made: it finds the packages above, and is no part of the sources.
fn workshop() -> PathBuf {
    let place = folder().join("node_modules/.openapi");
    std::fs::create_dir_all(&place).expect("a folder");
    for name in ["client.mts", "tsconfig.json"] {
        std::fs::copy(folder().join("openapi").join(name), place.join(name)).expect(name);
    }
    place
}

fn a_client_that_is_generated_works(cluster: &Cluster) {
    cluster.settle();
    let place = workshop();
    let document = place.join("document.json");
    std::fs::write(&document, description(cluster).to_string()).expect("the document");
    let packages = folder().join("node_modules");
    let document = document.to_str().unwrap();
    let types = place.join("schema.d.mts");
    let made = node(
        &packages.join("openapi-typescript/bin/cli.js"),
        &[document, "-o", types.to_str().unwrap()],
        cluster,
    );
    assert_eq!(made.code, 0, "{made:#?}");
    let compiled = node(&packages.join("typescript/bin/tsc"), &["-p", place.to_str().unwrap()], cluster);
    assert_eq!(compiled.code, 0, "{}{}", compiled.out, compiled.err);
    let said = node(&place.join("client.mjs"), &[&format!("http://{}", cluster.page())], cluster);
    assert_eq!(said.code, 0, "{said:#?}");
    assert!(said.out.contains("the client works"), "{said:#?}");
    cluster.settle();
}

/// `status` until it gives that code.
#[track_caller]
fn status_is(cluster: &Cluster, code: i32) -> Said {
    let look = || {
        let said = cluster.cli(&["status"]);
        if said.code == code { Ok(said) } else { Err(said) }
    };
    wait::until(&format!("status gives {code}"), SEEN, look).0
}

fn exit_codes_tell_how_the_site_is(cluster: &Cluster) {
    cluster.settle();
    status_is(cluster, 0);
    let pid = |name: &str| cluster.api().snapshot().server(name).pid.expect("a process");
    let first = Frozen::group(cluster.home(), pid("web1"));
    let said = status_is(cluster, 5);
    assert!(said.out.contains("web1"), "what is not well stands there: {said:#?}");
    let second = Frozen::group(cluster.home(), pid("web2"));
    status_is(cluster, 6);
    let said = cluster.cli(&["status", "--json"]);
    assert_eq!(said.code, 6, "{}", said.err);
    let seen: Value = serde_json::from_str(&said.out).expect("JSON on standard output, all the same");
    assert_eq!(seen["verdict"]["light"], "critical");
    drop((first, second));
    status_is(cluster, 0);
    // What is suspended serves nobody. (7, what is not known: `blind`.)
    let proxy = Frozen::group(cluster.home(), cluster.api().snapshot().proxy("web").pid.expect("a master"));
    status_is(cluster, 6);
    drop(proxy);
    status_is(cluster, 0);
    cluster.settle();
}

fn exit_codes_and_sentences_tell_the_end(cluster: &Cluster) {
    cluster.settle();
    let standby = |cluster: &Cluster| {
        let all = cluster.api().snapshot().servers;
        all.into_iter().find(|s| s.role.as_deref() == Some("standby")).expect("a standby").name
    };
    let name = standby(cluster);
    // What is found is said, and nothing else is success.
    let said = cluster.cli(&["verify", &name]);
    assert_eq!(said.code, 0, "{said:#?}");
    assert!(said.out.contains("no difference"), "{said:#?}");
    let schema = Db::new(cluster, &["--account", "owner"]);
    schema.query("CREATE TABLE e2e_end (id INT PRIMARY KEY, v INT); INSERT INTO e2e_end VALUES (1, 1)");
    let behind = Db::root(cluster, &name);
    let table = format!("{}.e2e_end", schema.dsn().schema);
    let there = |id: u32| {
        let rows = || behind.try_query(&format!("SELECT v FROM {table} WHERE id = {id}"));
        wait::until("the row is there", SEEN, || rows()?.first().map(drop).ok_or("not yet".to_owned()));
    };
    there(1);
    behind.query(&format!("SET sql_log_bin=0; UPDATE {table} SET v = 2"));
    let said = cluster.cli(&["verify", &name]);
    assert_eq!(said.code, 1, "a difference is no success: {said:#?}");
    assert!(said.out.contains("differs from the writer"), "{said:#?}");
    let said = cluster.cli(&["repair", &name, "--take", "writer"]);
    assert_eq!(said.code, 0, "{said:#?}");
    assert!(said.out.contains("no difference"), "{said:#?}");
    let short = cluster.cli(&["verify", &name, "--no-wait"]);
    assert!(short.code == 0 && !short.out.contains("no difference"), "it is only noted: {short:#?}");
    cluster.settle();

    let said = cluster.cli(&["promote", &name]);
    assert_eq!(said.code, 0, "{said:#?}");
    assert!(said.out.contains(&format!("{name} is the writer.")), "{said:#?}");
    cluster.settle();
    // One that cannot catch up does not become the writer, whatever was asked.
    let other = standby(cluster);
    let writer = Db::new(cluster, &["--account", "owner"]).through(cluster, cluster.db_writer().port());
    let behind = Db::root(cluster, &other);
    writer.query("INSERT INTO e2e_end VALUES (2, 2)");
    wait::until("the row is there", SEEN, || {
        let rows = behind.try_query(&format!("SELECT v FROM {table} WHERE id = 2"))?;
        if rows.is_empty() { Err("not yet".to_owned()) } else { Ok(()) }
    });
    let held = behind.hold(&format!("BEGIN; SELECT v INTO @held FROM {table} WHERE id = 2 FOR UPDATE"));
    wait::until_true("the row is held", SEEN, || {
        behind.try_query("SELECT 1 FROM information_schema.INNODB_TRX").is_ok_and(|rows| !rows.is_empty())
    });
    writer.query("UPDATE e2e_end SET v = 3 WHERE id = 2");
    let said = cluster.cli(&["promote", &other, "--wait", "40s"]);
    drop(held);
    assert_eq!(said.code, 1, "{said:#?}");
    assert!(said.err.contains(&format!("{other} did not become the writer: ")), "with the reason: {said:#?}");
    cluster.settle();
    writer.query("DROP TABLE e2e_end");
}

fn dsn_leads_to_the_writer_and_has_an_account_that_watches(cluster: &Cluster) {
    let dsn: Value = serde_json::from_str(&cluster.cli_ok(&["dsn", "--json"])).unwrap();
    assert_eq!(dsn["writer_port"], json!(cluster.db_writer().port()));
    let (user, password) = (dsn["user"].as_str().unwrap(), dsn["password"].as_str().unwrap());
    let url = format!("mysql://{user}:{password}@127.0.0.1:{}/site", cluster.db_writer().port());
    assert_eq!(dsn["writer_url"], json!(url));
    let shown = cluster.cli_ok(&["dsn"]);
    assert!(shown.contains(&url) && shown.contains(&format!("@{}/site", cluster.db())), "{shown}");
    for server in ["db1", "db2"] {
        let monitor = Db::new(cluster, &["--account", "monitor", "--server", server]);
        assert!(!monitor.query("SHOW ALL SLAVES STATUS").is_empty(), "{server}: both copy each other");
        let others = "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER <> 'site_monitor'";
        let seen = monitor.number(others);
        assert!(seen > 0, "{server}: it does not see the others' connections");
        for denied in ["SELECT * FROM site.heartbeat", "CREATE DATABASE e2e", "SET GLOBAL read_only = 0"] {
            assert!(monitor.try_query(denied).is_err(), "{server}: {denied}");
        }
        assert_eq!(monitor.query("SHOW DATABASES").concat(), ["information_schema"], "{server}");
    }
}

fn tokens_are_listed_dated_and_taken_back(cluster: &Cluster) {
    let secret = cluster.cli_ok(&["token", "create", "--name", "backup", "--days", "30"]);
    let call = || {
        let mut client = Client::new(cluster.page()).header("Connection", "close");
        client = client.header("Authorization", &format!("Bearer {}", secret.trim()));
        client.get("/api/v1/snapshot").expect("an answer").status
    };
    let line = |all: &str| all.lines().find(|l| l.starts_with("backup")).unwrap_or_default().to_owned();
    let before = line(&cluster.cli_ok(&["token", "list"]));
    assert!(before.contains("never") && !before.contains(secret.trim()), "{before}");
    assert_eq!(call(), 200);
    let after = line(&cluster.cli_ok(&["token", "list"]));
    assert!(!after.contains("never"), "{after}");
    assert!(cluster.cli_ok(&["token", "revoke", "BACKUP"]).contains("backup"));
    assert_eq!(call(), 401);
    assert_eq!(line(&cluster.cli_ok(&["token", "list"])), "");
    let again = cluster.cli(&["token", "revoke", "backup"]);
    assert!(again.code == 1 && again.err.contains("backup"), "{again:?}");
    let long = cluster.cli(&["token", "create", "--name", "x", "--days", "0"]);
    assert!(long.code == 1 && long.err.contains("days"), "{long:?}");
}

/// `cordee password` with these lines on its standard input.
fn password(cluster: &Cluster, arguments: &[&str], lines: &str) -> (i32, String) {
    let mut command = cluster.command(&[&["password"], arguments].concat());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("cordee password");
    child.stdin.take().unwrap().write_all(lines.as_bytes()).expect("two lines");
    let output = child.wait_with_output().expect("cordee password");
    let said = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&said).into_owned())
}

fn the_password_is_changed_on_the_machine(cluster: &Cluster) {
    let old = cluster.signed_in().get("/journal").expect("a page");
    assert_eq!(old.status, 200);
    let (code, said) = password(cluster, &[], &format!("wrong\n{PASSWORD} 2\n"));
    assert!(code == 1 && said.contains("current"), "{said}");
    let (code, said) = password(cluster, &[], &format!("{PASSWORD}\n{PASSWORD} 2\n"));
    assert_eq!(code, 0, "{said}");
    assert_eq!(cluster.signed_in().get("/journal").expect("a page").status, 303, "the session goes on");
    let sign_in = |password: &str| {
        let mut client = Client::with_jar(cluster.page()).header("Sec-Fetch-Site", "same-origin");
        client.post_form("/login", &[("name", ACCOUNT), ("password", password)]).expect("/login").status
    };
    assert_eq!((sign_in(PASSWORD), sign_in(&format!("{PASSWORD} 2"))), (422, 303));
    // The way back of whoever has forgotten it; the cases after this one know the first.
    let (code, said) = password(cluster, &["--forgotten"], &format!("{PASSWORD}\n"));
    assert_eq!(code, 0, "{said}");
    assert_eq!(sign_in(PASSWORD), 303);
    assert!(!said.contains(PASSWORD));
}

fn whatever_is_asked_is_answered_as_described(cluster: &Cluster) {
    let serve = cluster.serve().expect("serve");
    let seed = std::env::var("CORDEE_FUZZ_SEED").unwrap_or_else(|_| SEED.to_owned());
    let page = format!("http://{}", cluster.page());
    cluster.cli_ok(&["token", "create", "--name", SPARE]);
    let said = node(&folder().join("openapi/fuzz.mjs"), &[&page, &seed, CALLS], cluster);
    for line in said.out.lines().take(3) {
        println!("#   {line}");
    }
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    assert_eq!(cluster.serve().map(|now| now.pid), Some(serve.pid), "it had to be started anew");
    let log = std::fs::read_to_string(cluster.home().join("log/cordee.log")).expect("the log");
    assert!(!log.contains("panicked"), "{log}");
}
