//! What follows from a comparison: unproven is not equal.

use crate::db::verify::{Checked, Difference, Report, Side, TableName, TableResult};
use crate::decision::Decision;
use crate::observed::Comparison;
use crate::plan::donor;
use crate::plan::tests::basis;
use crate::state::Severity;
use crate::status::database;
use crate::text;

use super::*;
use crate::step::RowsStep;

fn report(at: u64, verdict: TableResult) -> Report {
    let table = TableName { schema: "s".to_owned(), table: "t".to_owned() };
    Report {
        at_start: at - 10,
        at_end: at,
        reference: name("db1"),
        others: vec![name("db2")],
        tables: vec![Checked { table, verdict }],
        rows: 3,
        chunks: 1,
        bytes: 9,
    }
}

fn differs() -> TableResult {
    TableResult::Differs { rows: Vec::<Difference>::new(), more: true }
}

fn unsettled() -> TableResult {
    TableResult::Unsettled { why: text!("verify-unsettled") }
}

fn keyless() -> TableResult {
    TableResult::Unverifiable { why: text!("verify-no-key") }
}

/// Sets the last comparison of a database, which ended `ago` milliseconds ago; `unsettled` consecutive ones left
/// something open.
fn compared(mut scene: Scene, server: &str, ago: u64, verdict: TableResult, unsettled: u32) -> Scene {
    let id = scene.desired.db.server(&name(server)).map_or(0, |s| s.id);
    let last = Some((id, report(scene.now - ago, verdict)));
    scene.seen.comparisons.insert(name(server), Comparison { id, last, unsettled, ..Comparison::default() });
    scene
}

fn joining() -> Scene {
    cluster(2).wished("db3", |s| s.stands(Membership::Joining)).database("db3", |d| d.acks = false)
}

fn of(scene: &Scene, server: &str) -> Vec<&'static str> {
    let of = basis(&scene.desired, server);
    let compare = Step::Rows(RowsStep::Compare { name: name(server), id: of.id, with: name("db1") });
    let admit = Step::Wish(Decision::Admit(of));
    let all = steps(scene);
    [(compare, "compare"), (admit, "admit")]
        .into_iter()
        .filter(|(s, _)| all.contains(s))
        .map(|(_, w)| w)
        .collect()
}

#[test]
fn who_joins_is_admitted_by_what_was_proven_of_it() {
    let equal = TableResult::Equal { rows: 3 };
    assert_eq!(of(&joining(), "db3"), ["compare"]);
    assert_eq!(of(&compared(joining(), "db3", 50, equal, 0), "db3"), ["admit"]);
    assert_eq!(of(&compared(joining(), "db3", 50, differs(), 0), "db3"), [""; 0]);
    // No comparison could settle it: it came with the copy, and the status says so.
    assert_eq!(of(&compared(joining(), "db3", 50, keyless(), 0), "db3"), ["admit"]);
    // The next comparison may settle it.
    assert_eq!(of(&compared(joining(), "db3", 50, unsettled(), 1), "db3"), [""; 0]);
    assert_eq!(of(&compared(joining(), "db3", 11_000, unsettled(), 1), "db3"), ["compare"]);
    assert_eq!(of(&compared(joining(), "db3", 11_000, unsettled(), 3), "db3"), ["admit"]);
}

#[test]
fn what_was_not_proven_is_never_shown_as_good() {
    let severity = |verdict| {
        let scene = compared(cluster(1), "db2", 50, verdict, 1);
        let server = scene.desired.db.server(&name("db2")).expect("db2");
        database(scene.scene(), server.base()).severity
    };
    assert_eq!(severity(TableResult::Equal { rows: 3 }), Severity::Good);
    assert_eq!(severity(unsettled()), Severity::Warning);
    assert_eq!(severity(keyless()), Severity::Warning);
    assert_eq!(severity(differs()), Severity::Critical);
}

#[test]
fn a_repair_is_of_the_epoch_in_which_it_was_asked_for() {
    let repairs = |asked_in: u64| {
        let mut scene = compared(cluster(1), "db2", 50, differs(), 0);
        let asked = scene.seen.comparisons.get_mut(&name("db2")).expect("a comparison");
        (asked.repair, asked.asked_in) = (Some(Side::Reference), asked_in);
        let steps = steps(&scene);
        steps.iter().any(|s| matches!(s, Step::Rows(RowsStep::Repair { .. })))
    };
    let epoch = cluster(1).desired.epoch;
    assert!(repairs(epoch));
    // Another database writes by now: its rows would be overwritten, or taken, without a request.
    assert!(!repairs(epoch - 1) && !repairs(epoch + 1));
}

#[test]
fn one_that_is_known_to_differ_is_not_copied() {
    let donor = |scene: &Scene| donor(scene.scene());
    assert_eq!(donor(&cluster(2)), Some(name("db2")));
    assert_eq!(donor(&compared(cluster(2), "db2", 50, differs(), 0)), Some(name("db3")));
    let both = compared(compared(cluster(2), "db2", 50, differs(), 0), "db3", 50, differs(), 0);
    assert_eq!(donor(&both), Some(name("db1")), "the writer");
    assert_eq!(donor(&compared(cluster(2), "db2", 50, keyless(), 0)), Some(name("db2")));
    // A comparison of the writer from when it was a standby says nothing now: the others are compared with the
    // writer.
    assert_eq!(donor(&compared(both, "db1", 50, differs(), 0)), Some(name("db1")));
}

#[test]
fn members_are_compared_again_when_something_is_open_or_a_copy_of_them_is_wrong() {
    const HOURS: u64 = 3_600_000;
    let due = |scene: &Scene, later: u64| {
        let server = scene.desired.db.server(&name("db2")).expect("db2");
        super::super::rows::due(
            crate::scene::Scene::new(&scene.desired, &scene.seen, scene.now + later),
            server.base(),
        )
    };
    let equal = || TableResult::Equal { rows: 3 };
    assert!(due(&cluster(1), 0), "never compared");
    for (verdict, later, want) in [
        (equal(), 2 * HOURS, false),
        (equal(), 7 * HOURS, true),
        (keyless(), 2 * HOURS, false),
        (unsettled(), HOURS / 2, false),
        (unsettled(), 2 * HOURS, true),
    ] {
        let scene = compared(cluster(1), "db2", 50, verdict.clone(), 1);
        assert_eq!(due(&scene, later), want, "{verdict:?} {later}");
    }
    let wrong = compared(compared(joining(), "db2", 900, equal(), 0), "db3", 50, differs(), 0);
    assert!(due(&wrong, 0));
    assert_eq!(of(&wrong, "db2"), ["compare"]);
    let after = compared(compared(joining(), "db3", 900, differs(), 0), "db2", 50, equal(), 0);
    assert!(!due(&after, 0), "it was compared since");
}
