use super::*;

fn name(table: &str) -> TableName {
    TableName { schema: "site".to_owned(), table: table.to_owned() }
}

fn load() -> Load {
    let kind = |kind: &str, engine: &str| Kind { kind: kind.to_owned(), engine: engine.to_owned() };
    let key = |table: &str, key: &str, column: &str| (name(table), key.to_owned(), column.to_owned(), false);
    let float = |table: &str| (name(table), Lossy { column: "f".to_owned(), float: true });
    let mut all = Load { reads_events: true, ..Load::default() };
    for table in ["good", "keyless", "keyed", "unique", "sets_off", "beginning"] {
        all.tables.insert(name(table), kind("BASE TABLE", "InnoDB"));
        all.lossy.push(float(table));
    }
    all.tables.insert(name("aria"), kind("BASE TABLE", "Aria"));
    all.tables.insert(name("past"), kind("SYSTEM VERSIONED", "InnoDB"));
    all.lossy.extend([float("aria"), float("past")]);
    for table in ["good", "unique", "sets_off", "aria", "past"] {
        all.keys.push(key(table, "PRIMARY", "id"));
    }
    all.keys.extend([key("keyed", "PRIMARY", "f"), key("unique", "u", "f")]);
    all.keys.push((name("beginning"), "PRIMARY".to_owned(), "t".to_owned(), true));
    all.triggers.insert(name("sets_off"));
    all
}

#[test]
fn a_float_is_carried_where_its_row_can_be_written_again() {
    let freight = Freight::of(load(), Some(PACKET));
    let not: Vec<&str> = freight.inexact.iter().map(|t| t.table.as_str()).collect();
    assert_eq!(not, ["aria", "beginning", "keyed", "keyless", "past", "sets_off", "unique"]);
    assert_eq!(freight.apart, [name("aria")]);
    let problems = freight.problems("db2");
    assert_eq!(problems.len(), 1);
    assert_eq!(
        problems[0].text,
        text!(
            "problem-freight-float",
            count = 7,
            names = "site.aria, site.beginning, site.keyed, site.keyless, site.past",
            more = 2
        )
    );
}

#[test]
fn each_kind_has_its_sentence() {
    let load = Load {
        unsound: vec![name("v")],
        unreadable: vec![name("merged")],
        by_transaction: vec![name("trx")],
        events: vec![name("nightly")],
        ..Load::default()
    };
    let freight = Freight::of(load.clone(), Some(16 << 20));
    let keys = |all: &[Text]| all.iter().map(|t| t.key.to_string()).collect::<Vec<_>>();
    assert_eq!(keys(&freight.words()), ["freight-views", "freight-events", "freight-packet"]);
    assert_eq!(freight.words()[2], text!("freight-packet", own = "16777216", wanted = "1073741824"));
    let against: Vec<Text> = freight.problems("db2").into_iter().map(|p| p.text).collect();
    let expected = ["problem-freight-history", "problem-freight-unreadable", "problem-freight-events"];
    assert_eq!(keys(&against), expected);
    // If the account may read the events, they are copied.
    let may = Freight::of(Load { reads_events: true, ..load }, Some(PACKET));
    assert_eq!(keys(&may.words()), ["freight-views", "freight-events"]);
    assert_eq!(may.problems("db2").len(), 2);
    assert_eq!(Freight::of(Load::default(), None), Freight::default());
}

#[test]
fn the_one_who_knows_why_is_heard() {
    let said = |text: &str| last_words(&text.lines().map(str::to_owned).collect::<Vec<_>>());
    let both = "--------------\nINSERT INTO `t` VALUES (1,'a secret')\n--------------\n\n\
                ERROR 1180 (HY000) at line 328: Got error 1\nmariadb-dump: Got errno 32 on write\n\n";
    assert_eq!(said(both).as_deref(), Some("ERROR 1180 (HY000) at line 328: Got error 1"));
    let dump = "mariadb-dump: Couldn't execute 'SHOW FIELDS FROM `v`': View 'site.v' references (1356)\n";
    assert_eq!(said(dump).as_deref(), Some(dump.trim()));
    let files = "[00] 2026-11-29 06:40:11 Copying\n[00] 2026-11-29 06:40:12 [ERROR] No space\nends\n";
    assert_eq!(said(files).as_deref(), Some("[ERROR] No space"));
    let files = "2026-11-29  6:40:12 0 [Note] InnoDB: x\n[00] FATAL ERROR: 2026-11-29 06:40:12 failed\n";
    assert_eq!(said(files).as_deref(), Some("FATAL ERROR: failed"));
    assert_eq!(said("\n \n"), None);
    // Bounded, and without control characters for a terminal.
    let long = said(&format!("\u{1b}[31merror {}", "é".repeat(500))).expect("words");
    assert_eq!(long.chars().count(), SAID + 1);
    assert!(long.starts_with("[31merror é") && long.ends_with('…'));
}
