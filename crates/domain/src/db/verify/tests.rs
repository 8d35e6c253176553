use std::cmp::Ordering;

use proptest::prelude::*;

use super::sql::{Condition, Operator, Reader, UniqueColumn, above, identifier, up_to};
use super::*;
use crate::db::Gtids;

fn column(name: &str, data_type: &str) -> Column {
    Column { name: name.to_owned(), data_type: data_type.to_owned(), ..Column::default() }
}

fn text_column(name: &str) -> Column {
    Column {
        charset: Some("latin1".to_owned()),
        collation: Some("latin1_swedish_ci".to_owned()),
        octets: Some(20),
        ..column(name, "varchar")
    }
}

fn table(columns: Vec<Column>, key: &[&str]) -> Table {
    Table {
        kind: "BASE TABLE".to_owned(),
        engine: Some("InnoDB".to_owned()),
        columns,
        key: key.iter().map(|k| Key { column: (*k).to_owned(), prefix: false }).collect(),
        ..Table::default()
    }
}

fn name(schema: &str, table: &str) -> TableName {
    TableName { schema: schema.to_owned(), table: table.to_owned() }
}

fn server(name: &str) -> ServerName {
    ServerName::parse(name).expect("a name")
}

fn texts(values: &[&str]) -> Vec<String> {
    values.iter().map(|v| (*v).to_owned()).collect()
}

#[test]
fn identifiers_end_where_they_should() {
    assert_eq!(identifier("note"), "`note`");
    assert_eq!(identifier("a`b'; DROP é"), "`a``b'; DROP é`");
    assert_eq!(identifier("`"), "````");
}

#[test]
fn a_key_of_two_columns_is_one_range() {
    let reader =
        Reader::new(&name("s`x", "t"), &table(vec![column("a", "int"), text_column("b")], &["a", "b"]))
            .expect("comparable");
    let chunk = Chunk { after: Some(texts(&["7", "E9"])), up_to: Some(texts(&["9", "EA"])) };
    let sql = reader.boundary(&chunk, 5);
    assert_eq!(
        sql.text,
        "SELECT CAST(t.`a` AS CHAR), HEX(t.`b`) FROM `s``x`.`t` AS t FORCE INDEX (PRIMARY) WHERE \
         (t.`a` >= CAST(? AS SIGNED) AND (t.`a` > CAST(? AS SIGNED) OR (t.`a` = CAST(? AS SIGNED) AND \
         t.`b` > CONVERT(UNHEX(?) USING latin1) COLLATE latin1_swedish_ci))) AND \
         (t.`a` <= CAST(? AS SIGNED) AND (t.`a` < CAST(? AS SIGNED) OR (t.`a` = CAST(? AS SIGNED) AND \
         t.`b` <= CONVERT(UNHEX(?) USING latin1) COLLATE latin1_swedish_ci))) \
         ORDER BY t.`a`, t.`b` LIMIT 1 OFFSET 5"
    );
    assert_eq!(sql.values, texts(&["7", "7", "7", "E9", "9", "9", "9", "EA"]));
    assert_eq!(sql.text.matches('?').count(), sql.values.len());
    assert!(reader.rows(&chunk, true).text.ends_with(" LOCK IN SHARE MODE"));
    assert!(!reader.rows(&chunk, false).text.contains("LOCK"));
    assert!(!reader.digest(&Chunk::default()).text.contains("WHERE"));
}

#[test]
fn rows_are_hashed_without_ambiguity() {
    let mut maybe = text_column("b");
    maybe.nullable = true;
    let mut made = column("v", "int");
    made.extra = "VIRTUAL GENERATED".to_owned();
    let mut long = text_column("c");
    long.octets = Some(4_294_967_295);
    let columns = vec![column("a", "int"), maybe, made, long, text_column("d"), column("f", "float")];
    let reader = Reader::new(&name("s", "t"), &table(columns, &["a"])).expect("comparable");
    assert!(
        reader.digest(&Chunk::default()).text.contains(
            "MD5(CONCAT(t.`a`,',',IFNULL(CONCAT(LENGTH(t.`b`),':',CAST(t.`b` AS BINARY)),'N'),',',MD5(t.`c`),',',\
             CONCAT(LENGTH(t.`d`),':',CAST(t.`d` AS BINARY)),',',CONCAT(t.`f`*1e0),','))"
        ),
        "{}",
        reader.digest(&Chunk::default()).text
    );
}

#[test]
fn a_row_is_written_by_no_more_than_what_differs() {
    let mut touched = column("at", "timestamp");
    touched.extra = "on update current_timestamp()".to_owned();
    let mut made = column("g", "int");
    made.extra = "STORED GENERATED".to_owned();
    let mut hidden = column("h", "int");
    hidden.extra = "INVISIBLE".to_owned();
    let columns = vec![column("a", "int"), touched, made, hidden, column("w", "int")];
    let reader = Reader::new(&name("s", "t"), &table(columns, &["a"])).expect("comparable");
    assert_eq!(reader.stored(), ["a", "at", "h", "w"]);
    assert_eq!(reader.altered(&[1, 2, 3, 4], &[1, 2, 3, 4]), [0; 0], "nothing differs");
    assert_eq!(reader.altered(&[1, 2, 3, 4], &[1, 2, 3, 5]), [1, 3], "MariaDB would set the time by itself");
    let sql = reader.alteration(&[1, 3], &texts(&["7"]));
    assert_eq!(sql.text, "UPDATE `s`.`t` SET `at` = ?, `w` = ? WHERE `a` = CAST(? AS SIGNED)");
    assert_eq!(sql.values, texts(&["7"]));
    assert_eq!(reader.addition(), "INSERT INTO `s`.`t` (`a`, `at`, `h`, `w`) VALUES (?, ?, ?, ?)");
    let unique = |names: &[&str]| -> Vec<UniqueColumn> {
        names
            .iter()
            .map(|n| UniqueColumn { name: (*n).to_owned(), prefix: (*n == "w").then_some(9) })
            .collect()
    };
    let (text, places) = reader.with_same(&unique(&["h", "w"])).expect("known values");
    assert!(text.ends_with(" WHERE t.`h` = ? AND LEFT(t.`w`, 9) = LEFT(?, 9) FOR UPDATE"), "{text}");
    assert_eq!(places, [2, 3]);
    assert_eq!(reader.with_same(&unique(&["g"])), None, "what is computed is not known beforehand");
}

#[test]
fn foreign_keys_tie_tables_in_both_directions_and_over_others() {
    let pair = |a: &str, b: &str| (name("s", a), name("s", b));
    let pairs =
        [pair("child", "parent"), pair("grandchild", "child"), pair("far", "away"), pair("own", "own")];
    let of = |table: &str| -> Vec<String> {
        tied(&[name("s", table)].into(), &pairs).iter().map(|t| t.table.clone()).collect()
    };
    assert_eq!(of("grandchild"), ["child", "grandchild", "parent"]);
    assert_eq!(of("parent"), ["child", "grandchild", "parent"]);
    assert_eq!(of("own"), ["own"]);
    assert_eq!(of("alone"), ["alone"]);
}

#[test]
fn what_cannot_be_compared_says_why() {
    let why =
        |table: &Table| Reader::new(&name("s", "t"), table).expect_err("not comparable").key.into_owned();
    let good = table(vec![column("a", "int")], &["a"]);
    assert_eq!(why(&Table { key: Vec::new(), ..good.clone() }), "verify-no-key");
    assert_eq!(why(&Table { engine: Some("Aria".to_owned()), ..good.clone() }), "verify-engine");
    assert_eq!(why(&Table { engine: None, ..good.clone() }), "verify-engine");
    assert_eq!(why(&Table { kind: "SEQUENCE".to_owned(), ..good.clone() }), "verify-kind");
    assert_eq!(why(&table(vec![column("a", "int"), column("x", "vector")], &["a"])), "verify-type");
    let mut prefix = good;
    prefix.key[0].prefix = true;
    assert_eq!(why(&prefix), "verify-key-prefix");
}

#[test]
fn structures_are_compared_table_by_table() {
    let (a, b) = (server("db1"), server("db2"));
    let one = table(vec![column("a", "int")], &["a"]);
    let mut wide = one.clone();
    wide.columns.push(column("b", "int"));
    let mut estimated = one.clone();
    estimated.rows = 7;
    let ours: Tables =
        [(name("s", "equal"), one.clone()), (name("s", "wide"), one.clone()), (name("s", "x"), one.clone())]
            .into();
    let theirs: Tables =
        [(name("s", "equal"), estimated), (name("s", "wide"), wide), (name("s", "y"), one)].into();
    let found = disagreements((&a, &ours), &[(&b, &theirs)]);
    assert_eq!(
        found.into_iter().collect::<Vec<_>>(),
        [
            (name("s", "wide"), TableResult::Structure { on: vec![b.clone()] }),
            (name("s", "x"), TableResult::Missing { on: vec![b] }),
            (name("s", "y"), TableResult::Missing { on: vec![a] }),
        ]
    );
}

#[test]
fn rows_are_compared_by_their_keys() {
    let row =
        |key: &str, hash: &str| RowSeen { key: texts(&[key]), shown: texts(&[key]), hash: hash.to_owned() };
    let found = compare(
        &server("db2"),
        &texts(&["id"]),
        &[row("1", "x"), row("2", "x"), row("3", "x")],
        &[row("1", "x"), row("3", "y"), row("4", "z")],
    );
    let seen: Vec<(Kind, &str)> = found.iter().map(|d| (d.kind, d.key[0].value.as_str())).collect();
    assert_eq!(seen, [(Kind::Lacking, "2"), (Kind::Changed, "3"), (Kind::Extra, "4")]);
}

#[test]
fn positions_leave_the_own_domain_out() {
    assert_eq!(without_domain("1-1-42,2-2-7,12-3-1", 2), "1-1-42,12-3-1");
    assert_eq!(without_domain("2-2-7", 2), "");
    let read = |text| Position::parse(text).expect("a position");
    assert_eq!(ahead(&read("1-1-99,2-2-7"), &read("1-1-42,2-2-7"), 1), None);
    assert_eq!(ahead(&read("1-1-42,2-2-9"), &read("1-1-42,2-2-7"), 1), Some((2, 2)));
    assert_eq!(ahead(&read("3-3-1"), &read("1-1-42"), 1), Some((3, 1)));
    // A writer that was made anew from a copy: its log begins later than what it applied.
    let (log, applied) = ("3-3-9", "1-1-42,2-2-7,3-3-8");
    let whole = Gtids::parse(log).zip(Gtids::parse(applied)).map(|(l, a)| l.with(a).to_string());
    let whole = whole.expect("positions");
    assert_eq!(whole, "1-1-42,2-2-7,3-3-9");
    assert_eq!(ahead(&read("1-1-42,2-2-7,3-3-9"), &read(&whole), 3), None);
}

#[test]
fn a_report_speaks_only_of_what_is_proven() {
    let of = |verdicts: Vec<TableResult>| Report {
        at_start: 1,
        at_end: 2,
        reference: server("db1"),
        others: vec![server("db2")],
        tables: verdicts.into_iter().map(|verdict| Checked { table: name("s", "t"), verdict }).collect(),
        rows: 0,
        chunks: 0,
        bytes: 0,
    };
    let equal = of(vec![TableResult::Equal { rows: 3 }]);
    assert!(equal.equal());
    assert!(!Report { others: Vec::new(), ..equal }.equal(), "nothing was compared with anything");
    let unproven = of(vec![TableResult::Equal { rows: 3 }, altered()]);
    assert_eq!((unproven.equal(), unproven.different(), unproven.unproven()), (false, 0, 1));
    assert_eq!((unproven.unsettled(), equal_and_keyless(&of).unsettled()), (1, 0));
    assert_eq!(
        equal_and_keyless(&of).left_out_words().map(|t| t.key.into_owned()).as_deref(),
        Some("rows-left-out")
    );
    let missing = of(vec![TableResult::Missing { on: vec![server("db2")] }, altered()]);
    assert_eq!((missing.equal(), missing.different(), missing.unproven()), (false, 1, 1));
}

fn equal_and_keyless(of: &impl Fn(Vec<TableResult>) -> Report) -> Report {
    of(vec![TableResult::Equal { rows: 3 }, TableResult::Unverifiable { why: text!("verify-no-key") }])
}

/// Evaluates a condition on numeric columns as the database does.
fn holds(condition: &Condition, row: &[u8], bound: &[u8]) -> bool {
    match condition {
        Condition::Both(a, b) => holds(a, row, bound) && holds(b, row, bound),
        Condition::Either(a, b) => holds(a, row, bound) || holds(b, row, bound),
        Condition::Is(operator, place) => {
            let order = row[*place].cmp(&bound[*place]);
            match operator {
                Operator::Above => order == Ordering::Greater,
                Operator::AtLeast => order != Ordering::Less,
                Operator::Equal => order == Ordering::Equal,
                Operator::Below => order == Ordering::Less,
                Operator::AtMost => order != Ordering::Greater,
            }
        }
    }
}

proptest! {
    #[test]
    fn bounds_follow_the_order_of_keys(
        (row, bound) in (1_usize..5).prop_flat_map(|w| {
            (prop::collection::vec(0_u8..4, w), prop::collection::vec(0_u8..4, w))
        })
    ) {
        prop_assert_eq!(holds(&above(row.len()), &row, &bound), row > bound);
        prop_assert_eq!(holds(&up_to(row.len()), &row, &bound), row <= bound);
    }

    #[test]
    fn a_quoted_identifier_reads_back(name in "\\PC{1,20}|[`'\"\\\\ ;]{1,10}") {
        let quoted = identifier(&name);
        let inside = quoted.strip_prefix('`').and_then(|q| q.strip_suffix('`')).expect("quoted");
        prop_assert_eq!(inside.replace("``", "`"), name.clone());
        prop_assert!(!inside.replace("``", "").contains('`'));
    }

    #[test]
    fn sizes_stay_within_bounds(rows in 0_u64..u64::MAX, took in 0_u64..u64::MAX, max in 0_u64..100_000) {
        let pace = Pace { rows_max: max, ..Pace::default() };
        let next = pace.next_rows(rows, took);
        prop_assert!(next >= 1 && next <= max.max(1));
        prop_assert!(next <= rows.max(1).saturating_mul(2));
        let first = pace.first_rows(rows);
        prop_assert!(first >= 1 && first <= max.max(1));
    }

    #[test]
    fn sizes_come_to_the_target(speed in 1_u64..400, first in 1_u64..50_000) {
        let pace = Pace::default();
        let mut rows = first;
        for _ in 0..30 {
            rows = pace.next_rows(rows, rows / speed);
        }
        let wanted = (speed * pace.target_ms).min(pace.rows_max);
        prop_assert!(rows >= wanted / 2 && rows <= wanted * 2, "{} of {}", rows, wanted);
    }

    #[test]
    fn a_table_is_given_up_after_few_tries(rows in 1_u64..1_000_000) {
        let mut size = Some(rows);
        let mut tries = 0;
        while let Some(rows) = size {
            let fewer = Pace::fewer_rows(rows);
            prop_assert!(fewer.is_none_or(|f| f < rows && f >= 1));
            size = fewer;
            tries += 1;
        }
        prop_assert!(tries < 10);
    }

    #[test]
    fn the_duty_is_kept(busy in 0_u64..1_000_000, waited in 0_u64..1_000_000, duty in 1_u8..=100) {
        let rest = Pace { duty, ..Pace::default() }.rest_ms(busy, waited);
        prop_assert!(rest >= waited);
        // Whole milliseconds: at most one is lost by rounding.
        prop_assert!(busy * 100 <= u64::from(duty) * (busy + rest + 1));
    }
}
