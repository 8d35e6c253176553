use crate::db::Thread;
use crate::db::failover::promise;
use crate::db::failover::tests::scene::{NOW, Scene, cluster, name};
use crate::step::{HostStep, SqlStep, Step};

fn stop(on: &str) -> Step {
    Step::Sql(SqlStep::StopChannel { on: name(on), from: name("db9"), whole: false })
}

/// Returns whether the promise is kept after a look at a database at that time.
fn kept(scene: &mut Scene) -> bool {
    scene.seen.receives_again(&scene.desired, scene.now);
    scene.seen.promise = promise(scene.scene());
    scene.seen.promise.is_some()
}

/// Time passes, and every database is looked at.
fn later(scene: &mut Scene) {
    scene.now += 10;
    let now = scene.now;
    for seen in scene.seen.databases.values_mut() {
        if let crate::seen::Seen::At(at, _) = seen {
            *at = now;
        }
    }
}

#[test]
fn a_promise_is_void_while_nobody_receives_and_counts_anew_from_a_look_after_that() {
    let mut scene = cluster(2).promised_before(0);
    assert!(kept(&mut scene));
    scene.seen.stops_receiving(&stop("db2"));
    assert!(kept(&mut scene), "db3 sends ACKs meanwhile");
    scene.seen.stops_receiving(&stop("db3"));
    assert!(scene.seen.promise.is_none(), "at once, and not with the next look");
    later(&mut scene);
    assert!(!kept(&mut scene), "they are at it");
    scene.seen.may_receive(&stop("db2"));
    let connecting = scene.clone().channel("db2", |l| l.receiving = Thread::Connecting);
    assert!(!kept(&mut connecting.clone()), "nor does it receive yet");
    // db2 was seen to receive, and the writer has not been asked since.
    assert!(!kept(&mut scene), "what it acknowledged in between may be nowhere else");
    later(&mut scene);
    assert!(kept(&mut scene));
    scene.seen.stops_receiving(&stop("db2"));
    assert!(scene.seen.promise.is_none(), "db3 was not seen to receive again");
}

#[test]
fn one_alone_voids_it_and_what_stops_nobody_does_not() {
    let mut scene = cluster(1).promised_before(0);
    assert!(kept(&mut scene));
    let others = [
        Step::Sql(SqlStep::StartChannel { on: name("db2"), from: name("db9") }),
        Step::Sql(SqlStep::SetChannel { on: name("db2"), from: name("db9") }),
        Step::Sql(SqlStep::SetStrict { name: name("db2") }),
        Step::Host(HostStep::TrashHome { name: name("db2") }),
        stop("db1"),
    ];
    for step in others {
        scene.seen.stops_receiving(&step);
        assert!(kept(&mut scene), "{step:?}");
    }
    let acks = Step::Sql(SqlStep::SetAcks { name: name("db2"), on: true });
    scene.seen.stops_receiving(&acks);
    assert!(scene.seen.promise.is_none());
}

#[test]
fn one_that_is_gone_and_the_writer_itself_are_not_waited_for() {
    let mut scene = cluster(2);
    scene.seen.stops_receiving(&stop("db1"));
    scene.seen.stops_receiving(&stop("db9"));
    scene.seen.receives_again(&scene.desired, NOW);
    assert_eq!(scene.seen.deaf.keys().map(ToString::to_string).collect::<Vec<_>>(), ["db1"], "under way");
    scene.seen.may_receive(&stop("db1"));
    scene.seen.receives_again(&scene.desired, NOW);
    assert!(scene.seen.deaf.is_empty());
}
