//! Rows are put right one by one: changed, missing and extra ones, and those at which copying stopped; also when Cordée
//! dies in the middle.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed expectation is how a test ends")]

use std::time::{Duration, Instant};

use cordee_e2e::case;
use cordee_e2e::cluster::Cluster;
use cordee_e2e::db::Db;
use cordee_e2e::mesh::{brief, shown};
use cordee_e2e::mortal::Mortal;
use cordee_e2e::pair::Pair;
use cordee_e2e::suite::File;
use cordee_e2e::tables::wait_for_equal;
use cordee_e2e::wait;
use serde_json::json;

/// A repair of small tables has ended by then, with the comparison that belongs to it.
const REPAIRED: Duration = Duration::from_secs(40);
/// How soon the API shows that a channel stopped, or that rows differ.
const SEEN: Duration = Duration::from_secs(30);

/// Its cases.
pub fn file() -> File {
    File::new(
        "repair_rows",
        &[],
        &[
            case!(changed_missing_and_extra_rows_get_the_writers_values),
            case!(the_other_sides_values_can_be_taken),
            case!(a_row_is_put_right_and_nothing_that_hangs_on_it),
            case!(odd_rows_are_put_right_from_either_side),
            case!(a_table_with_triggers_is_named_and_the_others_are_put_right),
            case!(a_row_that_is_there_already_makes_way),
            case!(a_key_of_several_columns_makes_way_where_one_row_fits),
            case!(a_row_that_is_not_there_is_brought),
            case!(cordee_dies_at_each_step_of_a_repair),
            case!(what_was_asked_outlives_cordee),
        ],
    )
}

/// A table of one case, with its rows 1 to 5 on both databases.
struct Bench<'a> {
    cluster: &'a Cluster,
    pair: Pair,
    owner: Db,
    table: String,
}

impl<'a> Bench<'a> {
    #[track_caller]
    fn new(cluster: &'a Cluster, case: &str) -> Self {
        if cluster.serve().is_none() {
            cluster.cli_ok(&["up", "--detach"]);
        }
        let pair = Pair::wait(cluster);
        let owner = Db::new(cluster, &["--account", "owner"]).through(cluster, cluster.db_writer().port());
        let table = format!("{}.rows_{case}", owner.dsn().schema);
        owner.query(&format!(
            "CREATE TABLE {table} (id INT PRIMARY KEY, a VARCHAR(20), b VARCHAR(20), word VARCHAR(40) NOT NULL, \
             UNIQUE KEY both_of (a, b)) DEFAULT CHARSET=utf8mb4; \
             INSERT INTO {table} VALUES (1, 'a', '1', 'one'), (2, 'a', '2', 'two'), (3, 'a', '3', 'three'), \
             (4, 'a', '4', 'four'), (5, NULL, '5', 'five')"
        ));
        wait_for_equal(cluster);
        Self { cluster, pair, owner, table }
    }

    fn standby(&self) -> &str {
        &self.pair.standby.name
    }

    /// Behind Cordée's back, on the standby alone. `#` stands for the table.
    fn quietly(&self, sql: &str) {
        let sql = format!("SET SESSION sql_log_bin=0; {}", sql.replace('#', &self.table));
        Db::root(self.cluster, self.standby()).query(&sql);
    }

    /// What the site does.
    fn site(&self, sql: &str) {
        self.owner.query(&sql.replace('#', &self.table));
    }

    #[track_caller]
    fn ask(&self, what: &str) {
        let path = format!("/v1/pools/db/servers/{}/{what}", self.standby());
        let body = (what == "repair").then(|| json!({ "take": "writer" }));
        let reply = self.cluster.api().call("POST", &path, body.as_ref()).expect(what);
        assert_eq!(reply.status, 202, "{reply:?}");
    }

    /// The same, of a Cordée that may die before it has answered.
    #[track_caller]
    fn ask_a_mortal(&self, what: &str) {
        let path = format!("/v1/pools/db/servers/{}/{what}", self.standby());
        let body = (what == "repair").then(|| json!({ "take": "writer" }));
        match self.cluster.api().call("POST", &path, body.as_ref()) {
            Ok(reply) => assert_eq!(reply.status, 202, "{reply:?}"),
            Err(why) => println!("#   died before it answered: {why}"),
        }
    }

    #[track_caller]
    fn wait_for_word(&self, part: &str) {
        wait::until(&format!("the standby is shown with “{part}”"), SEEN, || {
            let server = shown(self.cluster, self.standby())?.ok_or("not there")?;
            if brief(&server).contains(part) { Ok(()) } else { Err(brief(&server)) }
        });
    }

    /// Waits for the end of a repair, and looks at what it must leave behind.
    #[track_caller]
    fn wait_until_well(&self, after: u64) {
        wait::until("a comparison afterwards finds no difference", REPAIRED, || {
            let events = self.cluster.api().events_after(after);
            let told =
                events.iter().rfind(|e| e.subject == self.standby() && e.text.contains("no difference"));
            let server = shown(self.cluster, self.standby())?.ok_or("not there")?;
            match (told, server.status.severity.as_str()) {
                (Some(_), "good") => Ok(()),
                _ => Err(format!("{} {:?}", brief(&server), events.last())),
            }
        });
        wait_for_equal(self.cluster);
        let mode = Db::root(self.cluster, self.standby()).value("SELECT @@GLOBAL.slave_exec_mode");
        assert_eq!(mode, "STRICT");
    }

    #[track_caller]
    fn repair(&self) {
        let (before, at) = (self.cluster.api().last_event(), Instant::now());
        self.ask("repair");
        self.wait_until_well(before);
        println!("#   put right after {:.1} s", at.elapsed().as_secs_f64());
    }

    fn word(&self, id: u32) -> Vec<Option<String>> {
        let sql = format!("SELECT word FROM {} WHERE id = {id}", self.table);
        let on = |server: &str| Db::root(self.cluster, server).query(&sql).first().map(|row| row[0].clone());
        vec![on(&self.pair.writer.name), on(self.standby())]
    }
}

/// What all repairs have saved so far.
fn saved(cluster: &Cluster) -> String {
    let Ok(entries) = std::fs::read_dir(cluster.home().join("lost")) else { return String::new() };
    entries.flatten().map(|e| std::fs::read_to_string(e.path()).unwrap_or_default()).collect()
}

fn both(word: &str) -> Vec<Option<String>> {
    vec![Some(word.to_owned()); 2]
}

fn changed_missing_and_extra_rows_get_the_writers_values(cluster: &Cluster) {
    let bench = Bench::new(cluster, "kinds");
    bench.quietly(
        "UPDATE # SET word='changed quietly' WHERE id=1; DELETE FROM # WHERE id=2; \
         INSERT INTO # VALUES (9, NULL, NULL, 'extra quietly')",
    );
    bench.ask("verify");
    bench.wait_for_word("differ");
    bench.repair();
    assert_eq!((bench.word(1), bench.word(2), bench.word(9)), (both("one"), both("two"), vec![None; 2]));
    let kept = saved(cluster);
    for part in ["changed quietly", "extra quietly", "one", "two"] {
        assert!(kept.contains(part), "{part} was not saved: {kept}");
    }
}

fn the_other_sides_values_can_be_taken(cluster: &Cluster) {
    let bench = Bench::new(cluster, "other");
    bench.quietly(
        "UPDATE # SET word='from the standby' WHERE id=1; DELETE FROM # WHERE id=2; \
         INSERT INTO # VALUES (9, NULL, NULL, 'extra of the standby')",
    );
    bench.ask("verify");
    bench.wait_for_word("differ");
    let before = cluster.api().last_event();
    let path = format!("/v1/pools/db/servers/{}/repair", bench.standby());
    let reply = cluster.api().post(&path, &json!({ "take": "this" }));
    assert_eq!(reply.status, 202, "{reply:?}");
    bench.wait_until_well(before);
    assert_eq!(bench.word(1), both("from the standby"));
    assert_eq!((bench.word(2), bench.word(9)), (vec![None; 2], both("extra of the standby")));
    let kept = saved(cluster);
    assert!(kept.contains("from the standby") && kept.contains("one") && kept.contains("two"), "{kept}");
}

/// What a query gives on both databases: no comparison of ours.
fn given(bench: &Bench<'_>, sql: &str) -> [Vec<Vec<String>>; 2] {
    let sql = sql.replace('#', &bench.table);
    [&bench.pair.writer.name, &bench.pair.standby.name].map(|name| Db::root(bench.cluster, name).query(&sql))
}

/// Puts right from one side, and looks that both have then what that side had, in each of these queries.
#[track_caller]
fn put_right_from(bench: &Bench<'_>, take: &str, queries: &[&str]) {
    let side = usize::from(take == "this");
    let wished: Vec<_> = queries.iter().map(|sql| given(bench, sql)[side].clone()).collect();
    let before = bench.cluster.api().last_event();
    let path = format!("/v1/pools/db/servers/{}/repair", bench.standby());
    let reply = bench.cluster.api().post(&path, &json!({ "take": take }));
    assert_eq!(reply.status, 202, "{reply:?}");
    let (told, _) = wait::until("the repair has ended", REPAIRED, || {
        let events = bench.cluster.api().events_after(before);
        let ended = |text: &str| text.contains("with the writer’s") || text.contains("the writer holds");
        let told =
            events.iter().find(|e| e.subject == bench.standby() && ended(&e.text)).map(|e| e.text.clone());
        told.or_else(|| events.iter().find(|e| e.text.contains("error")).map(|e| e.text.clone()))
            .ok_or(events)
    });
    for (sql, wished) in queries.iter().zip(wished) {
        assert_eq!(given(bench, sql), [wished.clone(), wished], "take {take}: {sql}; {told}");
    }
    assert!(told.contains("no difference"), "{told}");
}

fn a_row_is_put_right_and_nothing_that_hangs_on_it(cluster: &Cluster) {
    let bench = Bench::new(cluster, "parent");
    bench.site(
        "CREATE TABLE #_cascade (id INT PRIMARY KEY, of INT, FOREIGN KEY (of) REFERENCES # (id) ON DELETE CASCADE \
         ON UPDATE CASCADE); INSERT INTO #_cascade VALUES (10, 1), (11, 1), (12, 2); \
         CREATE TABLE #_firm (id INT PRIMARY KEY, word VARCHAR(40)); \
         INSERT INTO #_firm VALUES (1, 'one'), (3, 'three'); \
         CREATE TABLE #_restrict (id INT PRIMARY KEY, of INT, FOREIGN KEY (of) REFERENCES #_firm (id)); \
         INSERT INTO #_restrict VALUES (20, 1), (21, 3)",
    );
    wait_for_equal(cluster);
    let all = [
        "SELECT id, word FROM # ORDER BY id",
        "SELECT id, of FROM #_cascade ORDER BY id",
        "SELECT id, word FROM #_firm ORDER BY id",
        "SELECT id, of FROM #_restrict ORDER BY id",
    ];
    for (take, table) in [("this", "#"), ("this", "#_firm"), ("writer", "#"), ("writer", "#_firm")] {
        bench.quietly(&format!(
            "UPDATE {table} SET word='{take} 1' WHERE id=1; UPDATE {table} SET word='3' WHERE id=3"
        ));
        put_right_from(&bench, take, &all);
        for (children, count) in [("cascade", "3"), ("restrict", "2")] {
            let there = given(&bench, &format!("SELECT COUNT(*) FROM #_{children}"));
            assert_eq!(there.map(|rows| rows[0][0].clone()), [count, count], "{take} {table}: {children}");
        }
    }
    // A child that hangs on nothing, on one side only: nothing refuses it, and nothing else is changed for it.
    bench.quietly(
        "SET foreign_key_checks=0; DELETE FROM #_firm WHERE id=3; INSERT INTO #_cascade VALUES (13, 99)",
    );
    put_right_from(&bench, "writer", &all);
}

fn odd_rows_are_put_right_from_either_side(cluster: &Cluster) {
    let bench = Bench::new(cluster, "odd");
    bench.site(
        "CREATE TABLE #_zoo (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, u VARCHAR(20) UNIQUE, word VARCHAR(20), \
         at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6), \
         made VARCHAR(30) AS (CONCAT(word, '!')) STORED, seen VARCHAR(30) AS (CONCAT(word, '?')) VIRTUAL, \
         hidden INT INVISIBLE DEFAULT 7, f FLOAT, e ENUM('a', 'b'), y YEAR, b BIT(9), UNIQUE KEY pair (word, e)) \
         DEFAULT CHARSET=utf8mb4; SET sql_mode='NO_AUTO_VALUE_ON_ZERO'; \
         INSERT INTO #_zoo (id, u, word, hidden, f, e, y, b) SELECT seq, CONCAT('u', seq), CONCAT('w', seq), seq, \
         seq / 3, 'b', 2000, seq FROM seq_0_to_99",
    );
    let all = ["SELECT id, u, word, at, made, seen, hidden, f * 1e0, e, y, HEX(b) FROM #_zoo ORDER BY id"];
    // CHECKSUM TABLE would not do: it takes in what virtual columns happen to have in memory.
    wait::until("both have the table", SEEN, || {
        let [ours, theirs] =
            given(&bench, "SELECT MD5(GROUP_CONCAT(CONCAT_WS(',', id, u, word, at) ORDER BY id)) FROM #_zoo");
        if ours == theirs { Ok(()) } else { Err((ours, theirs)) }
    });
    for (take, rest) in [("this", 1), ("writer", 2)] {
        bench.quietly(&format!(
            "SET sql_mode='NO_AUTO_VALUE_ON_ZERO'; UPDATE #_zoo SET word='{take} zero', hidden=70 WHERE id=0; \
             UPDATE #_zoo SET u='x' WHERE id={rest}; UPDATE #_zoo SET u='u{rest}', at=at WHERE id=5{rest}; \
             UPDATE #_zoo SET u='u5{rest}' WHERE id={rest}; UPDATE #_zoo SET f=0.1, y='0000', b=256 WHERE id=7{rest}; \
             DELETE FROM #_zoo WHERE id=8{rest}; \
             UPDATE #_zoo SET u='u8{rest}', word=NULL WHERE id=9{rest}; \
             INSERT INTO #_zoo (id, u) VALUES (20{rest}, 'u9{rest}')"
        ));
        put_right_from(&bench, take, &all);
        // The row of number 0 itself, there on one side only: first the writer's, then the standby's.
        bench.quietly("DELETE FROM #_zoo WHERE id=0");
        put_right_from(&bench, take, &all);
        bench.quietly(
            "SET sql_mode='NO_AUTO_VALUE_ON_ZERO'; DELETE FROM #_zoo WHERE id=0; \
            INSERT INTO #_zoo (id, u) VALUES (0, '0')",
        );
        put_right_from(&bench, take, &all);
    }
    let root = Db::root(cluster, bench.standby());
    let errors = root.query(
        "SELECT COUNT(*) FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = 'SLAVES_RUNNING' \
                             AND VARIABLE_VALUE = '1'",
    );
    assert_eq!(errors[0][0], "1", "its link runs");
    bench.site("DROP TABLE #_zoo");
}

fn a_table_with_triggers_is_named_and_the_others_are_put_right(cluster: &Cluster) {
    let bench = Bench::new(cluster, "trigger");
    bench.site(
        "CREATE TABLE #_acts (id INT PRIMARY KEY, word VARCHAR(20)); INSERT INTO #_acts VALUES (1, 'one')",
    );
    // The site's owner may not, while a log is kept.
    let trigger =
        "CREATE TRIGGER #_on BEFORE UPDATE ON # FOR EACH ROW SET NEW.word = CONCAT(NEW.word, ' again')";
    let table = format!("{}_acts", bench.table);
    Db::root(cluster, &bench.pair.writer.name).query(&trigger.replace('#', &table));
    wait_for_equal(cluster);
    bench.quietly("INSERT INTO #_acts VALUES (2, 'two'); UPDATE # SET word='changed quietly' WHERE id=1");
    let before = cluster.api().last_event();
    bench.ask("verify");
    bench.wait_for_word("differ");
    bench.ask("repair");
    let (events, _) = wait::until("what was not put right is named", REPAIRED, || {
        let events = cluster.api().events_after(before);
        let named = events.iter().any(|e| e.text.contains("_acts were not put right"));
        let over =
            events.iter().filter(|e| e.text.contains("the writer holds") && e.severity.is_some()).count() > 1;
        if named && over { Ok(events) } else { Err(events) }
    });
    assert!(!events.iter().any(|e| e.text.contains("will be tried again")), "{events:?}");
    assert_eq!(bench.word(1), both("one"), "the other table");
    bench.wait_for_word("differ");
    Db::root(cluster, &bench.pair.writer.name).query(&format!("DROP TRIGGER {}_acts_on", bench.table));
    wait_for_equal_but(&bench);
    bench.repair();
}

/// Waits until the trigger is gone on both.
fn wait_for_equal_but(bench: &Bench<'_>) {
    let sql = "SELECT COUNT(*) FROM information_schema.TRIGGERS WHERE TRIGGER_NAME LIKE '%acts_on'";
    wait::until("no trigger is left", SEEN, || {
        let left = given(bench, sql);
        if left.iter().all(|rows| rows[0][0] == "0") { Ok(()) } else { Err(left) }
    });
}

fn a_row_that_is_there_already_makes_way(cluster: &Cluster) {
    let bench = Bench::new(cluster, "twice");
    // Two at once: the second stops the channel only after the first was put right.
    bench.quietly("INSERT INTO # VALUES (7, NULL, NULL, 'stood here 7'), (8, NULL, NULL, 'stood here 8')");
    bench.site("INSERT INTO # VALUES (7, 'x', '7', 'wrote 7')");
    bench.site("INSERT INTO # VALUES (8, 'x', '8', 'wrote 8')");
    bench.wait_for_word("1062");
    let path = format!("/v1/pools/db/servers/{}/repair", bench.standby());
    let before = cluster.api().last_event();
    cluster.api().post(&path, &json!({ "take": "this" }));
    wait::until("the other side is refused in a sentence", SEEN, || {
        let events = cluster.api().events_after(before);
        events.iter().any(|e| e.text.contains("only the writer")).then_some(()).ok_or(events)
    });
    assert_eq!(bench.word(7)[1].as_deref(), Some("stood here 7"), "nothing was changed");
    bench.repair();
    assert_eq!((bench.word(7), bench.word(8)), (both("wrote 7"), both("wrote 8")));
    let kept = saved(cluster);
    for part in ["stood here 7", "stood here 8", "wrote 7", "wrote 8"] {
        assert!(kept.contains(part), "{part} was not saved: {kept}");
    }
}

fn a_key_of_several_columns_makes_way_where_one_row_fits(cluster: &Cluster) {
    let bench = Bench::new(cluster, "pair");
    bench.quietly("INSERT INTO # VALUES (100, 'x-y', 'z', 'stood here 100')");
    bench.site("INSERT INTO # VALUES (6, 'x-y', 'z', 'wrote 6')");
    bench.wait_for_word("1062");
    bench.repair();
    assert_eq!((bench.word(6), bench.word(100)), (both("wrote 6"), vec![None; 2]));
    assert!(saved(cluster).contains("stood here 100"));

    // MariaDB says 'p-q-r' of both: which one it means cannot be told, and nothing is overwritten.
    bench.quietly("INSERT INTO # VALUES (101, 'p-q', 'r', 'stood here 101'), (102, 'p', 'q-r', 'innocent')");
    bench.site("INSERT INTO # VALUES (7, 'p-q', 'r', 'wrote 7')");
    bench.wait_for_word("1062");
    let before = cluster.api().last_event();
    bench.ask("repair");
    wait::until("it is refused in a sentence", SEEN, || {
        let events = cluster.api().events_after(before);
        events.iter().any(|e| e.text.contains("cannot be told")).then_some(()).ok_or(events)
    });
    assert_eq!(bench.word(101)[1].as_deref(), Some("stood here 101"));
    bench.quietly("DELETE FROM # WHERE id=102");
    bench.repair();
    assert_eq!((bench.word(7), bench.word(101)), (both("wrote 7"), vec![None; 2]));
}

fn a_row_that_is_not_there_is_brought(cluster: &Cluster) {
    let bench = Bench::new(cluster, "gone");
    bench.quietly("DELETE FROM # WHERE id IN (1, 2)");
    bench.site("UPDATE # SET word='changed by the site' WHERE id=1");
    bench.site("DELETE FROM # WHERE id=2");
    bench.wait_for_word("1032");
    bench.repair();
    assert_eq!((bench.word(1), bench.word(2)), (both("changed by the site"), vec![None; 2]));
}

/// How rows come to differ, and where Cordée dies on its way to put them right.
const DEATHS: [(&str, &str); 8] = [
    ("twice", "Repair"),
    ("twice", "Save"),
    ("twice", "Remove"),
    ("twice", "Resume"),
    ("gone", "Strict"),
    ("changed", "Save"),
    ("changed", "Put"),
    ("changed", "Release"),
];

fn cordee_dies_at_each_step_of_a_repair(cluster: &Cluster) {
    let bench = Bench::new(cluster, "deaths");
    for (number, (kind, step)) in DEATHS.into_iter().enumerate() {
        let (id, at) = (200 + number, Instant::now());
        let stood = format!("stood before {kind} {step}");
        bench.site(&format!("INSERT INTO # VALUES ({}, NULL, NULL, 'untouched')", id + 100));
        wait_for_equal(cluster);
        let word = match kind {
            "twice" => {
                bench.quietly(&format!("INSERT INTO # VALUES ({id}, NULL, NULL, '{stood}')"));
                bench.site(&format!("INSERT INTO # VALUES ({id}, NULL, NULL, 'wrote {id}')"));
                "1062"
            }
            "gone" => {
                bench.quietly(&format!("DELETE FROM # WHERE id={}", id + 100));
                bench.site(&format!("UPDATE # SET word='wrote {id}' WHERE id={}", id + 100));
                "1032"
            }
            _ => {
                bench.quietly(&format!("UPDATE # SET word='{stood}' WHERE id={}", id + 100));
                bench.ask("verify");
                "differ"
            }
        };
        bench.wait_for_word(word);
        let mut serve = Mortal::start(cluster, &format!("before:{step}"));
        let before = cluster.api().last_event();
        bench.wait_for_word(word);
        bench.ask_a_mortal("repair");
        let died = serve.wait_for_death(REPAIRED, || false);
        serve.end(cluster);
        assert!(died, "{kind}: {step} never came");
        let kept = saved(cluster).contains(&stood);
        assert_eq!(
            kept,
            !matches!(step, "Repair" | "Save" | "Strict"),
            "{kind}, before {step}: saved {kept}"
        );
        cluster.cli_ok(&["up", "--detach"]);
        bench.wait_until_well(before);
        assert!(kind == "gone" || saved(cluster).contains(&stood), "{kind}, before {step}: not saved");
        let (row, want) = match kind {
            "twice" => (id, format!("wrote {id}")),
            "gone" => (id + 100, format!("wrote {id}")),
            _ => (id + 100, "untouched".to_owned()),
        };
        assert_eq!(bench.word(u32::try_from(row).unwrap()), both(&want));
        println!(
            "#   {kind}, dead before {step}: finished by the next one; {:.1} s",
            at.elapsed().as_secs_f64()
        );
    }
}

fn what_was_asked_outlives_cordee(cluster: &Cluster) {
    let bench = Bench::new(cluster, "asked");
    bench.quietly("UPDATE # SET word='changed quietly' WHERE id=3");
    let mut serve = Mortal::start(cluster, "before:Compare");
    bench.ask_a_mortal("verify");
    let died = serve.wait_for_death(SEEN, || false);
    serve.end(cluster);
    assert!(died, "the comparison never began");
    cluster.cli_ok(&["up", "--detach"]);
    // Nobody asks again.
    bench.wait_for_word("differ");
    bench.repair();
}
