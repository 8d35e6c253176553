//! A person keeps the page open while the databases live through a day: one is added, the writer dies, it is promoted
//! back, a conflict is put right, the routing changes. In English, then in French, by clicks only.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed expectation is how a test ends")]

use std::time::{Duration, Instant};

use cordee_e2e::case;
use cordee_e2e::cluster::Cluster;
use cordee_e2e::db::Db;
use cordee_e2e::mesh::{SETTLED, wait_for_members, wait_until_left};
use cordee_e2e::pair::{Pair, READY, open};
use cordee_e2e::person::Person;
use cordee_e2e::suite::File;
use cordee_e2e::tables::{wait_for_equal, wait_for_equal_on};
use cordee_e2e::{axe, looks, wait};
use rustix::process::Signal;
use serde_json::json;

/// How soon the open page shows what has changed.
const SHOWN: Duration = Duration::from_secs(10);
/// How soon the open page shows another writer after a death; acceptance 1 bounds the writes themselves.
const SWITCHED: Duration = Duration::from_secs(15);
const TWO: [&str; 2] = ["db1", "db2"];
const THREE: [&str; 3] = ["db1", "db2", "db3"];

/// Its cases.
pub fn file() -> File {
    File::new("watch", &[], &[case!(a_day_in_english), case!(a_day_in_french)])
}

/// What the page says, in one language.
struct Words {
    language: &'static str,
    writer: &'static str,
    copying: &'static str,
    differ: &'static str,
    here: &'static str,
    lost: &'static str,
}

const ENGLISH: Words = Words {
    language: "en",
    writer: "takes writes",
    copying: "Replication stopped",
    differ: "row",
    here: "(this database)",
    lost: "lost/",
};

const FRENCH: Words = Words {
    language: "fr",
    writer: "reçoit les écritures",
    copying: "Réplication arrêtée",
    differ: "ligne",
    here: "(cette base)",
    lost: "lost/",
};

fn a_day_in_english(cluster: &Cluster) {
    day(cluster, &ENGLISH);
}

fn a_day_in_french(cluster: &Cluster) {
    day(cluster, &FRENCH);
}

fn day(cluster: &Cluster, words: &Words) {
    Pair::wait(cluster);
    let person = Person::sign_in(cluster);
    person.browser.set_cookie("cordee_lang", words.language);
    person.dashboard();
    person.mark();
    drop(person.browser.complaints());
    let eye = Eye { person: &person, words, step: std::cell::Cell::new(0) };
    adds_a_database(cluster, &eye);
    sees_the_writer_die(cluster, &eye);
    promotes_it_back(cluster, &eye);
    shares_the_writes(cluster, &eye);
    takes_it_away(cluster, &eye);
    person.assert_not_reloaded();
    repairs_a_conflict(cluster, &eye);
    assert_eq!(person.browser.complaints(), Vec::<String>::new(), "the console");
}

/// What the person sees, step by step. Pictures are kept where `CORDEE_E2E_PICTURES` says.
struct Eye<'a> {
    person: &'a Person,
    words: &'a Words,
    step: std::cell::Cell<u32>,
}

impl Eye<'_> {
    fn picture(&self, what: &str) {
        self.step.set(self.step.get() + 1);
        let name = format!("{} {:02} {what}", self.words.language, self.step.get());
        looks::keep(&self.person.browser, &name);
    }

    /// What a part of the page says.
    fn says(&self, css: &str) -> String {
        let text = self.person.browser.text(css).unwrap_or_default();
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// The database that the open page shows as the writer: the only one.
    fn writer(&self) -> Result<String, String> {
        let script = "return [...document.querySelectorAll('#rows-db tr')].filter(r => \
                      r.querySelector('[data-writer]').classList.contains('on')).map(r => r.dataset.row)";
        let found = self.person.browser.try_script(script, &[])?;
        match found.as_array().map(Vec::as_slice) {
            Some([one]) => Ok(one.as_str().unwrap_or_default().to_owned()),
            other => Err(format!("{other:?}")),
        }
    }

    /// Answers the question of the dialog in front, after it was read.
    fn answer(&self, what: &str) -> String {
        self.person.browser.wait_for("dialog[open] form button.main", SHOWN);
        let asked = self.says("dialog[open]");
        println!("#   {what}: {asked}");
        let found = axe::violations(&self.person.browser);
        assert!(found.is_empty(), "{what}: {found:#?}");
        self.picture(what);
        self.person.submit();
        asked
    }
}

fn adds_a_database(cluster: &Cluster, eye: &Eye<'_>) {
    let browser = &eye.person.browser;
    browser.click("a[data-open=\"join\"]");
    browser.wait_for("#db-name", SHOWN);
    browser.wait_for("#join [data-plan-steps] li", SHOWN);
    browser.fill("#db-name", "db3");
    let at = Instant::now();
    eye.answer("join");
    // From here on the row says what goes on, until it is one of them.
    let mut seen = Vec::<String>::new();
    wait::until("db3 is shown as one of them", SETTLED, || {
        let row = eye.person.row("db3").ok_or("no row")?;
        if seen.last() != Some(&row.words) {
            if seen.len() == 1 {
                eye.picture("joining");
            }
            seen.push(row.words.clone());
        }
        if row.look == "good" { Ok(()) } else { Err(row.words) }
    });
    println!("#   a member after {:.1} s: {seen:#?}", at.elapsed().as_secs_f64());
    assert!(seen.len() >= 3, "no progress was shown: {seen:?}");
    eye.picture("joined");
    wait_for_members(cluster, &THREE);
}

/// The page stays open and is not loaded again.
fn sees_the_writer_die(cluster: &Cluster, eye: &Eye<'_>) {
    let before = eye.writer().expect("one writer is shown");
    let old = cluster.api().snapshot().find(&before).and_then(|s| s.pid).expect("it runs");
    let gap_before = eye.says("[data-gap-text]");
    let at = cluster.signal_group(old, Signal::KILL);
    let (after, _) = wait::until("the open page shows another writer", SWITCHED, || match eye.writer()? {
        now if now == before => Err(now),
        now => Ok(now),
    });
    println!("#   {before} died, {after} is shown as the writer after {} ms", at.elapsed().as_millis());
    let row = eye.person.row(&after).expect("its row");
    assert!(row.text.to_lowercase().contains(eye.words.writer), "{row:?}");
    eye.picture("another-writer");
    wait::until("the time without writes is shown", SHOWN, || {
        let gap = eye.says("[data-gap-text]");
        if gap.contains("ms") && gap != gap_before { Ok(()) } else { Err(gap) }
    });
    println!("#   {}", eye.says("[data-gap]"));
    assert_eq!(open(cluster, &after), Ok(true));
    wait_for_members(cluster, &THREE);
    eye.person.wait_for_look(&before, "good", READY);
    eye.person.assert_not_reloaded();
}

fn promotes_it_back(cluster: &Cluster, eye: &Eye<'_>) {
    let now = eye.writer().expect("one writer is shown");
    let back = if now == "db1" { "db2" } else { "db1" };
    eye.person.ask("db", back, "promote");
    let asked = eye.answer("promote");
    assert!(asked.contains(back) && asked.contains(&now), "{asked}");
    wait::until("the open page shows the promoted one", SWITCHED, || match eye.writer()? {
        shown if shown == back => Ok(()),
        shown => Err(shown),
    });
    wait_for_members(cluster, &THREE);
    eye.person.wait_for_look(back, "good", READY);
    eye.person.assert_not_reloaded();
    eye.picture("promoted");
}

fn shares_the_writes(cluster: &Cluster, eye: &Eye<'_>) {
    let browser = &eye.person.browser;
    browser.wait_for("#verdict[data-st=good]", SHOWN);
    browser.click("a[data-routing=\"all-writers\"]");
    let asked = eye.answer("all-writers");
    // The measured figure of what can be lost, before the click.
    let figure = asked.split_whitespace().zip(asked.split_whitespace().skip(1));
    let measured =
        figure.filter(|(n, unit)| n.parse::<u64>().is_ok() && unit.trim_matches(',') == "ms").count();
    assert!(measured > 0, "no measured figure: {asked}");
    wait::until("all are open and shown so", READY, || {
        for name in THREE {
            if !open(cluster, name)? {
                return Err(format!("{name} is closed"));
            }
        }
        if browser.sees("a[data-routing=\"all-writers\"][aria-current=\"true\"]") {
            Ok(())
        } else {
            Err("the page does not show it".to_owned())
        }
    });
    wait_for_members(cluster, &THREE);
    // What has been dealt with leaves the page a moment later, and everything below it moves up.
    browser.wait_for("#verdict[data-st=good]", SHOWN);
    eye.picture("all-write");
    browser.click("a[data-routing=\"one-writer\"]");
    eye.answer("one-writer");
    wait::until("one is open, and shown so", READY, || {
        let open: Vec<_> = THREE.iter().filter(|n| open(cluster, n) == Ok(true)).collect();
        let shown = browser.sees("a[data-routing=\"one-writer\"][aria-current=\"true\"]");
        if open.len() == 1 && shown { Ok(()) } else { Err(format!("{open:?} {shown}")) }
    });
    wait_for_members(cluster, &THREE);
    wait_for_equal_on(cluster, &THREE);
}

fn takes_it_away(cluster: &Cluster, eye: &Eye<'_>) {
    eye.person.ask("db", "db3", "remove");
    eye.person.browser.wait_for("dialog[open] [name=\"confirm\"]", SHOWN);
    eye.person.fill_in(&[("confirm", "db3")]);
    eye.answer("remove");
    eye.person.wait_until_gone("db3", SETTLED);
    wait_until_left(cluster, "db3", &TWO);
}

fn repairs_a_conflict(cluster: &Cluster, eye: &Eye<'_>) {
    let pair = Pair::wait(cluster);
    let (writer, standby) = (pair.writer.name.as_str(), pair.standby.name.as_str());
    let owner = Db::new(cluster, &["--account", "owner"]).through(cluster, cluster.db_writer().port());
    let table = format!("watch_{}", eye.words.language);
    owner.query(&format!(
        "CREATE TABLE {table} (id INT PRIMARY KEY, word VARCHAR(40) NOT NULL) DEFAULT CHARSET=utf8mb4"
    ));
    wait_for_equal(cluster);
    let schema = &owner.dsn().schema;
    Db::root(cluster, standby).query(&format!(
        "SET SESSION sql_log_bin=0; INSERT INTO {schema}.{table} VALUES (7, 'what stood here')"
    ));
    owner.query(&format!("INSERT INTO {table} VALUES (7, 'what the site wrote')"));
    eye.person.wait_for_look(standby, "crit", SHOWN);
    let row = eye.person.row(standby).expect("its row");
    assert!(row.words.contains("1062") && row.words.contains(eye.words.copying), "{row:?}");
    // The other one is not shown as fine while nobody copies it.
    eye.person.wait_for_look(writer, "warn", SHOWN);
    eye.picture("conflict-dashboard");

    let browser = &eye.person.browser;
    browser.click(&format!("#rows-db a[href=\"/pools/db/servers/{standby}\"]"));
    browser.wait_for("main .conflict", SHOWN);
    let shown = eye.says("main .conflict");
    println!("#   {shown}");
    for part in ["what stood here", "what the site wrote", eye.words.here] {
        assert!(shown.contains(part), "{part} is missing: {shown}");
    }
    let found = axe::violations(browser);
    assert!(found.is_empty(), "{found:#?}");
    eye.picture("conflict");
    for width in [360, 1280] {
        browser.width(width);
        let over =
            browser.script("const d = document.documentElement; return d.scrollWidth - d.clientWidth", &[]);
        assert_eq!(over, json!(0), "too wide at {width}");
        if width == 360 {
            eye.picture("conflict-narrow");
        }
    }
    assert!(!browser.sees("a[href$=\"/repair/this\"]"), "what would be refused is offered");
    browser.click("a[href$=\"/repair/writer\"]");
    let asked = eye.answer("repair");
    assert!(asked.contains(eye.words.lost) && asked.contains(eye.words.differ), "{asked}");
    wait::until("the page shows the database as fine", READY, || {
        let severity =
            browser.try_script("return document.querySelector('main [data-light]').dataset.st", &[])?;
        if severity == json!("good") && !browser.sees("main .conflict") {
            Ok(())
        } else {
            Err(severity.to_string())
        }
    });
    eye.picture("repaired");
    wait_for_equal(cluster);
    let value = Db::root(cluster, standby).value(&format!("SELECT word FROM {schema}.{table} WHERE id = 7"));
    assert_eq!(value, "what the site wrote");
    let kept: String = std::fs::read_dir(cluster.home().join("lost"))
        .expect("lost/")
        .flatten()
        .filter(|e| e.file_name().to_string_lossy().contains("rows"))
        .map(|e| std::fs::read_to_string(e.path()).unwrap_or_default())
        .collect();
    assert!(kept.contains("what stood here") && kept.contains("what the site wrote"), "{kept}");
    let mode = Db::root(cluster, standby).value("SELECT @@GLOBAL.slave_exec_mode");
    assert_eq!(mode, "STRICT");
}
