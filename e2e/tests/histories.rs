//! Whatever became of the databases before (made, copied again, promoted, joined, removed), a row that was changed on
//! one of them is found and put right; each verdict is judged by what the databases themselves give out.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed expectation is how a test ends")]

use std::time::{Duration, Instant};

use cordee_e2e::api::Event;
use cordee_e2e::case;
use cordee_e2e::cluster::Cluster;
use cordee_e2e::db::Db;
use cordee_e2e::mesh::{
    SETTLED, ask_join, brief, databases, join, remove, shown, wait_for_members, wait_for_mesh,
    wait_until_left,
};
use cordee_e2e::pair::{promote, server_id};
use cordee_e2e::suite::File;
use cordee_e2e::wait;
use serde_json::{Value, json};

/// A comparison or a repair of some small tables has ended by then.
const COMPARED: Duration = Duration::from_secs(60);
const TWO: [&str; 2] = ["db1", "db2"];
const THREE: [&str; 3] = ["db1", "db2", "db3"];

/// `up` where all serves and a warning lasts.
const UP: Duration = Duration::from_secs(10);

/// Its cases.
pub fn file() -> File {
    File::new(
        "histories",
        &[],
        &[
            case!(every_difference_is_found_whatever_went_before),
            case!(a_copy_of_a_wrong_one_is_told_and_the_way_back_is_open),
            case!(what_only_reads_writes_nothing_after_a_standby_was_restarted),
            case!(a_table_without_a_key_is_named_and_stands_in_nobodys_way),
        ],
    )
}

fn owner(cluster: &Cluster) -> Db {
    Db::new(cluster, &["--account", "owner"]).through(cluster, cluster.db_writer().port())
}

/// Behind Cordée's back, on one database alone.
fn quietly(cluster: &Cluster, server: &str, sql: &str) {
    Db::root(cluster, server).query(&format!("SET SESSION sql_log_bin=0; {sql}"));
}

/// The rows of the table of this file, as MariaDB gives them out, without any comparison of ours.
fn dump(cluster: &Cluster, server: &str) -> Vec<Vec<String>> {
    let schema = Db::new(cluster, &[]).dsn().schema.clone();
    Db::root(cluster, server)
        .query(&format!("SELECT id, word, HEX(word) FROM {schema}.e2e_history ORDER BY id"))
}

fn writer(cluster: &Cluster) -> String {
    let all = databases(cluster).expect("snapshot");
    all.into_iter().find(|s| s.role.as_deref() == Some("writer")).expect("a writer").name
}

/// Asks for a comparison, and gives what the journal says at its end: the severity and the sentence.
#[track_caller]
fn verify(cluster: &Cluster, server: &str) -> (String, String) {
    let before = cluster.api().last_event();
    cluster.api().act(&format!("/v1/pools/db/servers/{server}/verify"));
    verdict(cluster, server, before)
}

#[track_caller]
fn verdict(cluster: &Cluster, server: &str, before: u64) -> (String, String) {
    wait::until(&format!("the comparison of {server} has ended"), COMPARED, || {
        let events = cluster.api().events_after(before);
        let ended = |text: &str| text.contains("with the writer’s") || text.contains("the writer holds");
        // What is still shown of it, once a link runs again, is no end of a comparison.
        let shown = format!("{server}: Data differ (");
        let told = |e: &&Event| e.subject == server && e.severity.is_some() && ended(&e.text);
        let told = events.iter().filter(told).find(|e| !e.text.starts_with(&shown));
        told.map(|e| (e.severity.clone().unwrap_or_default(), e.text.clone())).ok_or(events)
    })
    .0
}

#[track_caller]
fn repair(cluster: &Cluster, server: &str, take: &str) -> (String, String) {
    let before = cluster.api().last_event();
    let path = format!("/v1/pools/db/servers/{server}/repair");
    let reply = cluster.api().post(&path, &json!({ "take": take }));
    assert_eq!(reply.status, 202, "{reply:?}");
    verdict(cluster, server, before)
}

/// One history: a difference on each database in turn, found by each comparison, and put right from either side.
#[track_caller]
fn matrix(cluster: &Cluster, (number, history): (usize, &str), names: &[&str]) {
    wait_for_members(cluster, names);
    wait_for_mesh(cluster, names);
    let ids: Vec<u32> = names.iter().map(|n| server_id(cluster, n)).collect();
    let writer = writer(cluster);
    println!("# {history}: {names:?} with ids {ids:?}, writer {writer}");
    let schema = Db::new(cluster, &[]).dsn().schema.clone();
    let standbys: Vec<&str> = names.iter().copied().filter(|n| *n != writer).collect();
    for (place, wrong) in names.iter().enumerate() {
        let word = format!("{history} on {wrong}");
        quietly(
            cluster,
            wrong,
            &format!(
                "UPDATE {schema}.e2e_history SET word='{word}' WHERE id={}; DELETE FROM {schema}.e2e_history \
                 WHERE id={}; INSERT INTO {schema}.e2e_history VALUES ({}, '{word}')",
                number * 10 + 1,
                number * 10 + 2 + place,
                100 + number * 10 + place
            ),
        );
        let right: Vec<_> = names.iter().map(|n| dump(cluster, n)).collect();
        for standby in &standbys {
            let differs = dump(cluster, standby) != dump(cluster, &writer);
            assert_eq!(differs, *wrong == writer || wrong == standby, "the dumps themselves");
            let (severity, text) = verify(cluster, standby);
            let want = if differs { "critical" } else { "good" };
            assert_eq!(severity, want, "{history}: {wrong} is wrong, verify {standby} says: {text}");
        }
        // One side and the other in turn: what is taken is what the dump of that side held before.
        let heal = if *wrong == writer { standbys[0] } else { wrong };
        let take = if place % 2 == 0 { "this" } else { "writer" };
        let kept = if take == "this" { heal } else { writer.as_str() };
        let kept = names.iter().position(|n| *n == kept).expect("one of them");
        for standby in std::iter::once(heal).chain(standbys.iter().copied()) {
            let take = if standby == heal { take } else { "writer" };
            let (severity, text) = repair(cluster, standby, take);
            assert_eq!(severity, "good", "{history}: {wrong} is wrong, repair {standby} from {take}: {text}");
        }
        for name in names {
            assert_eq!(
                dump(cluster, name),
                right[kept],
                "{history}: {wrong} was wrong, {name} after the repair"
            );
        }
    }
    wait_for_members(cluster, names);
}

#[track_caller]
fn hand_over(cluster: &Cluster, to: &str, names: &[&str]) {
    let reply = promote(cluster, to, false);
    assert!(reply.ok(), "{reply:?}");
    wait::until(&format!("{to} is the writer"), SETTLED, || {
        if writer(cluster) == to { Ok(()) } else { Err(writer(cluster)) }
    });
    wait_for_members(cluster, names);
}

#[track_caller]
fn copy_again(cluster: &Cluster, name: &str, names: &[&str]) {
    let id = server_id(cluster, name);
    cluster.api().act(&format!("/v1/pools/db/servers/{name}/recopy?force=true"));
    wait::until("it is another one", SETTLED, || {
        let now = Db::root(cluster, name).try_query("SELECT @@server_id")?;
        if now[0][0] == id.to_string() { Err("still the former".to_owned()) } else { Ok(()) }
    });
    wait_for_members(cluster, names);
}

fn every_difference_is_found_whatever_went_before(cluster: &Cluster) {
    let owner = owner(cluster);
    owner.query(
        "CREATE TABLE e2e_history (id INT PRIMARY KEY, word VARCHAR(60) NOT NULL); \
         INSERT INTO e2e_history SELECT seq, CONCAT('row ', seq) FROM seq_1_to_60",
    );
    matrix(cluster, (0, "as made"), &TWO);
    copy_again(cluster, "db2", &TWO);
    hand_over(cluster, "db2", &TWO);
    matrix(cluster, (1, "copied again, then promoted"), &TWO);
    join(cluster, "db3");
    wait_for_members(cluster, &THREE);
    hand_over(cluster, "db3", &THREE);
    matrix(cluster, (2, "joined, then promoted"), &THREE);
    remove(cluster, "db1");
    wait_until_left(cluster, "db1", &["db2", "db3"]);
    copy_again(cluster, "db2", &["db2", "db3"]);
    matrix(cluster, (3, "removed, and an id retired"), &["db2", "db3"]);
}

fn a_copy_of_a_wrong_one_is_told_and_the_way_back_is_open(cluster: &Cluster) {
    let standby = databases(cluster).unwrap().into_iter().find(|s| s.role.as_deref() == Some("standby"));
    let standby = standby.expect("a standby").name;
    let writer = writer(cluster);
    let schema = Db::new(cluster, &[]).dsn().schema.clone();
    quietly(cluster, &standby, &format!("UPDATE {schema}.e2e_history SET word='wrong' WHERE id=3"));
    let before = cluster.api().last_event();
    let reply = ask_join(cluster, "db1");
    assert_eq!(reply.status, 201, "{reply:?}");
    // The donor is found wrong too, without anybody's asking.
    for name in ["db1", standby.as_str()] {
        let (severity, text) = verdict(cluster, name, before);
        assert_eq!(severity, "critical", "{text}");
    }
    let server = shown(cluster, "db1").unwrap().expect("it is there");
    assert_eq!(server.membership.as_deref(), Some("joining"), "{}", brief(&server));
    // Copied again, it is not copied from the one that is known to be wrong.
    cluster.api().act("/v1/pools/db/servers/db1/recopy?force=true");
    wait::until("db1 is a member", SETTLED, || {
        let server = shown(cluster, "db1")?.ok_or("not there")?;
        let member = server.membership.as_deref() == Some("member") && server.status.severity == "good";
        if member { Ok(()) } else { Err(brief(&server)) }
    });
    assert_eq!(dump(cluster, "db1"), dump(cluster, &writer));
    let (severity, text) = repair(cluster, &standby, "writer");
    assert_eq!(severity, "good", "{text}");
    assert_eq!(dump(cluster, &standby), dump(cluster, &writer));
    remove(cluster, "db1");
    wait_until_left(cluster, "db1", &[&writer, &standby]);
}

/// The rows of the tables in memory on the writer.
fn in_memory(cluster: &Cluster) -> Vec<Vec<String>> {
    let schema = Db::new(cluster, &[]).dsn().schema.clone();
    Db::root(cluster, &writer(cluster)).query(&format!(
        "SELECT COUNT(*), SUM(id) FROM {schema}.e2e_memory; SELECT COUNT(*) FROM {schema}.`e2e ``odd`"
    ))
}

fn what_only_reads_writes_nothing_after_a_standby_was_restarted(cluster: &Cluster) {
    let owner = owner(cluster);
    owner.query(
        "CREATE TABLE e2e_memory (id INT PRIMARY KEY) ENGINE=MEMORY; \
         INSERT INTO e2e_memory SELECT seq FROM seq_1_to_50; \
         CREATE TABLE `e2e ``odd` (id INT PRIMARY KEY) ENGINE=MEMORY; INSERT INTO `e2e ``odd` VALUES (1), (2)",
    );
    let all: Vec<String> = databases(cluster).unwrap().into_iter().map(|s| s.name).collect();
    let names: Vec<&str> = all.iter().map(String::as_str).collect();
    let standby = all.iter().find(|n| **n != writer(cluster)).expect("a standby").clone();
    let before = in_memory(cluster);
    assert_eq!(before[0], ["50", "1275"]);
    let readers: [&[&str]; 4] = [&["plan", "db"], &["verify", &standby], &["status"], &["test", &standby]];
    for reader in readers {
        let pid = shown(cluster, &standby).unwrap().and_then(|s| s.pid);
        cluster.cli_ok(&["restart", &standby]);
        wait::until("it has started again", SETTLED, || {
            let now = shown(cluster, &standby)?.ok_or("not there")?;
            let well = now.pid.is_some() && now.pid != pid;
            Db::root(cluster, &standby)
                .try_query("SELECT 1")
                .and_then(|_| if well { Ok(()) } else { Err(brief(&now)) })
        });
        let said = cluster.cli(reader);
        // Somebody else's read, too.
        Db::root(cluster, &standby).query("SELECT TABLE_NAME, TABLE_ROWS FROM information_schema.TABLES");
        wait_for_mesh(cluster, &names);
        wait::always("nothing of it comes to the writer", Duration::from_secs(3), || {
            let now = in_memory(cluster);
            if now == before {
                Ok(())
            } else {
                Err(format!("{reader:?}: {before:?} became {now:?}; {said:?}"))
            }
        });
    }
    // Such tables are named beforehand.
    let plan = cluster.api().get("/v1/pools/db/join");
    assert!(plan["memory"].to_string().contains("e2e_memory"), "{plan}");
    owner.query("DROP TABLE e2e_memory, `e2e ``odd`");
}

fn a_table_without_a_key_is_named_and_stands_in_nobodys_way(cluster: &Cluster) {
    let owner = owner(cluster);
    owner.query("CREATE TABLE e2e_keyless (value INT); INSERT INTO e2e_keyless VALUES (1), (1), (2)");
    let writer = writer(cluster);
    let (server, took) = wait::until("the writer's row names it", Duration::from_secs(75), || {
        let server = shown(cluster, &writer)?.ok_or("not there")?;
        let named = server.status.reason.as_deref().is_some_and(|r| r.contains("e2e_keyless"));
        if named { Ok(server) } else { Err(brief(&server)) }
    });
    println!("#   after {:.0} s: {}", took.as_secs_f64(), brief(&server));
    assert_eq!(server.status.severity, "warning");
    let begun = Instant::now();
    let up = cluster.cli_ok(&["up", "--detach"]);
    assert!(up.contains("e2e_keyless") && begun.elapsed() < UP, "{:?}: {up}", begun.elapsed());
    let plan = cluster.api().get("/v1/pools/db/join");
    assert!(plan["keyless"].to_string().contains("e2e_keyless"), "{plan}");
    assert!(cluster.cli_ok(&["plan", "db"]).contains("e2e_keyless"));
    let before = cluster.api().last_event();
    join(cluster, "db1");
    let (severity, text) = verdict(cluster, "db1", before);
    println!("#   {text}");
    assert_eq!(severity, "warning", "{text}");
    assert!(text.contains("e2e_keyless") && text.contains(" of "), "{text}");
    let (server, _) = wait::until("db1 is a member", SETTLED, || {
        let server = shown(cluster, "db1")?.ok_or("not there")?;
        let amber = server.membership.as_deref() == Some("member") && server.status.severity == "warning";
        if amber { Ok(server) } else { Err(brief(&server)) }
    });
    assert!(server.status.reason.as_deref().is_some_and(|r| r.contains("e2e_keyless")), "{}", brief(&server));
    // Links rest for a moment when a member comes in, and that is said first.
    wait::until("the command line names it too", SETTLED, || {
        let said = cluster.cli(&["status"]).out;
        if said.contains("e2e_keyless") { Ok(()) } else { Err(said) }
    });
    let told = &cluster.api().get("/v1/snapshot")["servers"];
    let of = |s: &&Value| s["name"] == "db1";
    let comparison = &told.as_array().unwrap().iter().find(of).unwrap()["comparison"];
    assert_eq!((comparison["different"].as_u64(), comparison["unproven"].as_u64()), (Some(0), Some(1)));
    assert!(comparison["left_out"].to_string().contains("e2e_keyless"), "{comparison}");
    // By another means than ours: the copy carried it.
    let count =
        Db::root(cluster, "db1").value(&format!("SELECT COUNT(*) FROM {}.e2e_keyless", owner.dsn().schema));
    assert_eq!(count, "3");
    owner.query("ALTER TABLE e2e_keyless ADD id INT NOT NULL AUTO_INCREMENT PRIMARY KEY");
    let (severity, text) = verify(cluster, "db1");
    assert_eq!(severity, "good", "{text}");
    wait::until("nobody is amber any more", Duration::from_secs(75), || {
        let all = databases(cluster)?;
        all.iter().find(|s| s.status.severity != "good" && s.name != "db2").map_or(Ok(()), |s| Err(brief(s)))
    });
}
