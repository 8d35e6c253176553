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
/// How soon the API shows that a link stopped, or that rows differ.
const SEEN: Duration = Duration::from_secs(30);

/// Its cases.
pub fn file() -> File {
    File::new(
        "repair_rows",
        &[],
        &[
            case!(changed_missing_and_extra_rows_get_the_writers_values),
            case!(the_other_sides_values_can_be_taken),
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
            match (told, server.status.light.as_str()) {
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

fn a_row_that_is_there_already_makes_way(cluster: &Cluster) {
    let bench = Bench::new(cluster, "twice");
    // Two at once: the second stops the link only after the first was put right.
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
