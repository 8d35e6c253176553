//! External databases: nobody can end one that is silent, so a person decides, and then the change goes on.

use crate::db::Thread;
use crate::db::failover::{Decision, SILENT, lost};
use crate::desired::{HANDOVER_LIMIT, Membership};
use crate::fault::Fault;
use crate::plan::tests::elect;
use crate::plan::{Opening, opening};
use crate::seen::Seen;
use crate::step::{SqlStep, Step};

use super::scene::{Scene, Turn, cluster, judge, name, sentence, speaks};

/// The states of its standby while it is silent.
const STANDBYS: [Turn; 6] = [
    ("connecting", |s| s),
    ("was heard long ago", |s| s.heard("db2", SILENT + 900)),
    ("was stopped", |s| s.answered("db2", 10, 10)),
    ("is broken", |s| s.broken("db2")),
    ("hears it", |s| s.heard("db2", 100)),
    ("is away", |s| s.unanswered("db2")),
];

fn silent(ago: u64) -> Scene {
    cluster(1).external().silent(ago)
}

#[test]
fn a_silent_one_is_left_to_a_person_in_one_sentence() {
    let cases = [
        ("connecting", silent(3_500), "wait: failover-cut-off"),
        ("not for long", silent(2_900), "keep"),
        ("it has too many connections", cluster(1).external().overloaded(5_000), "keep"),
        ("a standby hears it", silent(3_500).heard("db2", 100), "keep"),
        ("two standbys", cluster(2).external().silent(9_000), "wait: failover-cut-off"),
        ("one of two hears it", cluster(2).external().silent(9_000).heard("db3", 50), "keep"),
        ("a change was asked for before", silent(3_500).promoting("db2", 4_000), "abandon: failover-cut-off"),
        ("db2 received all", silent(3_500).answered("db2", 10, 10), "keep"),
    ];
    judge(cases.map(|(title, scene, wanted)| (title.to_owned(), scene, wanted.to_owned())));
}

/// First the standby stops receiving from it. The standby is then no witness any more, which must not cancel the
/// person's decision.
#[test]
fn a_person_who_accepts_the_loss_is_followed_to_the_end() {
    let cases = [
        ("receiving is stopped first", silent(3_500), "stop [db2]: failover-asking"),
        (
            "then it is asked",
            silent(3_500).answered("db2", 10, 10).looked("db2", 3_600),
            "wait: failover-asking",
        ),
        ("what it has is applied", silent(3_500).answered("db2", 10, 8), "wait: failover-applying"),
        ("then it is chosen", silent(3_500).answered("db2", 10, 10), "elect db2 at 10"),
        ("with what it has", silent(3_500).answered("db2", 7, 7), "elect db2 at 7"),
    ];
    let asked = |s: Scene| s.promoting_at_any_price("db2", 100);
    judge(cases.map(|(title, scene, wanted)| (title.to_owned(), asked(scene), wanted.to_owned())));
    let cases = [
        (
            "another standby hears it",
            cluster(2).external().silent(9_000).answered("db2", 10, 10).heard("db3", 50),
        ),
        ("it was silent for a moment only", silent(2_000).answered("db2", 10, 10)),
    ];
    for (title, scene) in cases {
        let decision = asked(scene).decide();
        assert!(!matches!(decision, Decision::Elect { .. }), "{title}: {decision:?}");
    }
}

/// Whatever its standbys do: without a person no database is elected, and nothing is ended.
#[test]
fn nobody_is_chosen_without_a_person() {
    let mut cases = 0;
    for ago in [0, 500, 2_999, 3_000, 3_500, 60_000] {
        for standbys in [1, 2] {
            for (first, one) in STANDBYS {
                for (second, two) in STANDBYS {
                    for accepted in [None, Some(100), Some(HANDOVER_LIMIT + 1)] {
                        let scene = two(one(cluster(standbys).external().silent(ago)));
                        let scene = match accepted {
                            Some(asked) => scene.promoting_at_any_price("db2", asked),
                            None => scene,
                        };
                        let decision = scene.decide();
                        speaks(&decision);
                        let what = format!("{ago} {standbys} {first}, {second}, {accepted:?}: {decision:?}");
                        assert!(!matches!(decision, Decision::Fence { .. } | Decision::Restart(_)), "{what}");
                        let chosen = matches!(decision, Decision::Elect { .. });
                        assert!(!chosen || (accepted == Some(100) && ago >= SILENT), "{what}");
                        let gone = lost(scene.scene()).is_some();
                        let person = sentence(&decision).is_some_and(|t| t.key == "failover-cut-off");
                        assert!(accepted.is_some() || gone == person, "{what}");
                        cases += 1;
                    }
                }
            }
        }
    }
    assert_eq!(cases, 1_296);
}

/// Returns the scene after db2 was elected.
fn chosen() -> Scene {
    let mut scene = silent(3_500).answered("db2", 10, 10);
    let elect = elect(&scene.desired, "db2", Some(10));
    scene.desired = scene.desired.apply(&elect).expect("elected");
    scene.seen.open.insert(name("db1"));
    scene
}

fn opens(scene: &Scene) -> Opening {
    let server = scene.desired.db.server(&name("db2")).expect("db2");
    opening(scene.scene(), server.base())
}

/// It was open at the last look. It cannot be asked whether it still is.
#[test]
fn a_silent_one_does_not_keep_the_new_writer_closed() {
    let scene = chosen();
    assert!(matches!(scene.desired.db.servers[0].base().membership, Membership::Returning { .. }));
    assert_eq!(opens(&scene), Opening::Open);
    // A database that answers is closed first, and one that answered just now still counts as open.
    let open = cluster(1).external().seen.databases[&name("db1")].clone();
    let mut answers = scene.clone();
    answers.seen.databases.insert(name("db1"), open);
    assert!(matches!(opens(&answers), Opening::Later(_)));
    let mut just = scene;
    let why = Fault::Silent;
    just.seen.databases.insert(name("db1"), Seen::Failed { last: Some(just.now - 2_000), why });
    assert!(matches!(opens(&just), Opening::Later(_)));
}

#[test]
fn it_is_closed_as_soon_as_it_answers() {
    let mut scene = chosen();
    let open = cluster(1).external().seen.databases[&name("db1")].clone();
    scene.seen.databases.insert(name("db1"), open);
    let setting = crate::plan::tests::setting();
    let plan = crate::plan::plan(scene.scene(), &setting);
    let first = plan.steps.iter().find(|s| s.subject() == crate::step::Subject::Database(name("db1")));
    assert_eq!(first, Some(&Step::Sql(SqlStep::CloseDatabase { name: name("db1") })));
    assert!(!plan.steps.iter().any(|s| matches!(s, Step::Sql(SqlStep::OpenDatabase { .. }))));
}

/// A database of Cordée's keeps the new writer closed until its process has ended.
#[test]
fn one_of_ours_is_not_passed_over() {
    let mut scene = cluster(1).silent(9_000).answered("db2", 10, 10).receiving("db2", Thread::Stopped);
    let elect = elect(&scene.desired, "db2", Some(10));
    scene.desired = scene.desired.apply(&elect).expect("elected");
    scene.seen.open.insert(name("db1"));
    assert!(matches!(opens(&scene), Opening::Later(_)));
}
