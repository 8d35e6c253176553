use super::finding::OLD;
use super::*;
use crate::db::failover::tests::scene::{NOW, Scene, cluster};
use crate::desired::{Admin, Power};
use crate::fault::{Fault, Lack};
use crate::haproxy::stats::{Check, CheckState, Running};
use crate::ids::ProcessId;
use crate::observed::{Leader, ProcessSeen, ProxySeen};
use crate::snapshot::snapshot;
use crate::state::Severity;

const RIGHT: [(Door, Answer); 3] = [
    (Door::Site, Answer::Page),
    (Door::Databases, Answer::Landed { server_id: 1, read_only: false }),
    (Door::Writer, Answer::Landed { server_id: 1, read_only: false }),
];

/// A healthy cluster, in which every address was seen to serve.
pub(crate) fn well() -> Scene {
    let mut scene = cluster(1);
    let db = scene.seen.proxy(PoolId::Db).running.value().cloned().expect("seen");
    let names: Vec<_> = scene.desired.web.servers.iter().map(|s| (s.name.clone(), s.id)).collect();
    let sample = db.servers.values().next().expect("one").clone();
    let servers = names.iter().map(|(name, id)| {
        let check = Check { code: "L7OK".to_owned(), ..Check::default() };
        let (maintenance, writer_maintenance) = (false, false);
        let verdict = CheckState::Up;
        let server = crate::haproxy::stats::RunningServer {
            id: *id,
            check,
            maintenance,
            writer_maintenance,
            verdict,
            ..sample.clone()
        };
        (name.clone(), server)
    });
    let running = Seen::At(NOW - 100, Running { servers: servers.collect(), ..db });
    scene.seen.proxies.insert(PoolId::Web, ProxySeen { running, ..ProxySeen::default() });
    for (name, id) in &names {
        let leader = Leader { pid: 60, server: *id, generation: 0, frozen: false };
        let process = ProcessSeen { leader: Some(leader), started_at: Some(1), ..ProcessSeen::default() };
        scene.seen.processes.insert(ProcessId::Web(name.clone()), process);
    }
    let leader = Leader { pid: 51, server: 0, generation: 0, frozen: false };
    let process = ProcessSeen { leader: Some(leader), ..ProcessSeen::default() };
    scene.seen.processes.insert(ProcessId::Proxy(PoolId::Web), process);
    scene.seen.expect_doors(&scene.desired, NOW - 60_000);
    for door in Door::ALL {
        scene.seen.doors.entry(door).or_default().expected_since = Some(NOW - 60_000);
    }
    for (door, answer) in RIGHT {
        scene = answered(scene, door, NOW - 500, NOW - 490, answer);
    }
    scene.seen.expect_doors(&scene.desired, NOW);
    scene
}

fn answered(mut scene: Scene, door: Door, asked: Millis, at: Millis, answer: Answer) -> Scene {
    let desired = scene.desired.clone();
    scene.seen.doors.entry(door).or_default().take(&desired, door, (asked, at), Ok(answer));
    scene
}

fn verdict(scene: &Scene) -> (Severity, String) {
    let shown = snapshot(scene.scene(), &crate::plan::tests::setting());
    (shown.verdict.severity, shown.verdict.reason.map_or_else(String::new, |r| r.sentence().key.to_string()))
}

/// Everything else reports the same as before: only the probe of the address shows the fault.
#[test]
fn what_does_not_serve_at_its_own_address_is_critical_with_its_cause() {
    assert_eq!(verdict(&well()).0, Severity::Good);
    let elsewhere = Answer::Landed { server_id: 2, read_only: false };
    let closed = Answer::Landed { server_id: 1, read_only: true };
    for (door, answer, cause) in [
        (Door::Site, Answer::Refused, "door-refused"),
        (Door::Site, Answer::Nobody, "door-nobody"),
        (Door::Site, Answer::Error(500), "door-error"),
        (Door::Site, Answer::Broken, "door-broken"),
        (Door::Databases, Answer::Full, "door-full"),
        (Door::Databases, Answer::Denied(1045), "door-denied"),
        (Door::Databases, closed, "door-closed"),
        (Door::Databases, elsewhere, "door-elsewhere"),
        (Door::Writer, Answer::Refused, "door-refused"),
        (Door::Writer, elsewhere, "door-elsewhere"),
    ] {
        // A single wrong answer may be transitional. The address is probed again at once, and meanwhile the verdict is
        // not good.
        let once = answered(well(), door, NOW - 300, NOW - 290, answer);
        assert_eq!(verdict(&once).0, Severity::Progress, "{door:?} {answer:?}");
        let mut lasting = answered(once, door, NOW + 800, NOW + 800, answer);
        lasting.now = NOW + 800;
        assert_eq!(verdict(&lasting), (Severity::Critical, cause.to_owned()), "{door:?}");
        let mut again = answered(lasting, door, NOW + 900, NOW + 900, RIGHT[door as usize].1);
        again.now = NOW + 900;
        assert_eq!(verdict(&again).0, Severity::Good, "{door:?} {answer:?}");
    }
    for door in Door::ALL {
        // An address that does not answer counts as wrong since the probe was sent.
        let mut silent = answered(well(), door, NOW - 200, NOW + 1_600, Answer::Silent);
        silent.now = NOW + 1_600;
        assert_eq!(verdict(&silent), (Severity::Critical, "door-silent".to_owned()), "{door:?}");
    }
}

#[test]
fn with_all_writers_the_first_address_may_lead_to_each_of_them() {
    let mut scene = well();
    scene.desired.routing = Routing::AllWriters;
    let other = Answer::Landed { server_id: 2, read_only: false };
    assert_eq!(other.wrong(&scene.desired, Door::Databases), None);
    assert!(other.wrong(&scene.desired, Door::Writer).is_some());
    let closed = Answer::Landed { server_id: 2, read_only: true };
    assert!(closed.wrong(&scene.desired, Door::Databases).is_some());
}

#[test]
fn what_cordee_could_not_ask_is_unknown_and_not_wrong() {
    for door in Door::ALL {
        let mut scene = well();
        let desired = scene.desired.clone();
        let why = Fault::Unasked(Box::new(Fault::Own(Lack::Memory, None)));
        let seen = scene.seen.doors.entry(door).or_default();
        seen.take(&desired, door, (NOW, NOW), Err(why));
        assert_eq!(verdict(&scene), (Severity::Unknown, "door-cannot-ask".to_owned()));
        let mut old = well();
        old.now = NOW + OLD + 1;
        let found = finding(old.scene(), door);
        assert!(matches!(found, Finding::Unknown(_)), "{found:?}");
    }
}

#[test]
fn a_change_that_is_wished_and_known_is_no_alarm() {
    // A change of writer: the address leads nowhere meanwhile, and is not expected to.
    let mut scene = well().gone("db1");
    scene.seen.expect_doors(&scene.desired, NOW);
    scene = answered(scene, Door::Writer, NOW - 2_000, NOW - 200, Answer::Silent);
    assert_eq!(
        finding(crate::scene::Scene::new(&scene.desired, &scene.seen, NOW), Door::Writer),
        Finding::Fine
    );
    // The address did not serve before the first server was up. That is over, and nothing is proven yet.
    let mut scene = well();
    for (door, wrong) in [(Door::Site, Answer::Nobody), (Door::Writer, Answer::Refused)] {
        let seen = scene.seen.doors.entry(door).or_default();
        *seen = DoorSeen { expected_since: Some(NOW - 10), ..DoorSeen::default() };
        scene = answered(scene, door, NOW - 30_000, NOW - 29_000, wrong);
        scene = answered(scene, door, NOW - 300, NOW - 290, wrong);
        assert_eq!(
            finding(crate::scene::Scene::new(&scene.desired, &scene.seen, NOW), door),
            Finding::Waiting
        );
    }
    assert_eq!(verdict(&scene).0, Severity::Progress);
}

#[test]
fn what_a_person_took_out_hides_no_dead_database() {
    let mut scene = well().gone("db1");
    for server in &mut scene.desired.web.servers {
        server.powered(Power::Off);
        scene.seen.processes.remove(&server.process());
    }
    assert_eq!(verdict(&scene).0, Severity::Progress, "the writer is on its way back");
}

#[test]
fn web_servers_that_a_person_took_out_have_a_sentence_of_their_own() {
    let mut scene = well();
    for server in &mut scene.desired.web.servers {
        // The last web server is taken out only if the operator forces it.
        server.powered(Power::Off);
        server.told(Admin::Ready, true);
        scene.seen.processes.remove(&server.process());
    }
    scene.seen.expect_doors(&scene.desired, NOW);
    scene = answered(scene, Door::Site, NOW - 3_000, NOW - 10, Answer::Nobody);
    assert_eq!(verdict(&scene), (Severity::Maintenance, "verdict-set-aside-stopped".to_owned()));
    // A server that is down by itself is an alarm, whatever an operator did to the other one.
    scene.desired.web.servers[0].powered(Power::On);
    let process = ProcessSeen { trouble: Some(Fault::Ended), ..ProcessSeen::default() };
    let id = scene.desired.web.servers[0].process();
    scene.seen.processes.insert(id, process);
    assert_eq!(verdict(&scene).0, Severity::Critical);
    assert_eq!(scene.desired.web.servers[1].site().admin, Admin::Ready);
}

#[test]
fn so_have_web_servers_that_all_drain() {
    let mut scene = well();
    for server in &mut scene.desired.web.servers {
        server.told(Admin::Drain, true);
    }
    if let Some(Seen::At(_, running)) = scene.seen.proxies.get_mut(&PoolId::Web).map(|p| &mut p.running) {
        running.servers.values_mut().for_each(|s| (s.drain, s.weight) = (true, 0));
    }
    scene.seen.expect_doors(&scene.desired, NOW);
    scene = answered(scene, Door::Site, NOW - 3_000, NOW - 10, Answer::Nobody);
    assert_eq!(
        verdict(&scene),
        (Severity::Maintenance, "verdict-set-aside-drain".to_owned()),
        "new visitors only"
    );
    // A server that is on its way was put back in service.
    scene.desired.web.servers[0].told(Admin::Ready, false);
    assert_eq!(verdict(&scene).0, Severity::Progress);
}

#[test]
fn only_a_right_answer_like_the_one_before_is_no_news() {
    let mut scene = well();
    let (at, door) = (NOW + 1_000, Door::Writer);
    let right = Answer::Landed { server_id: 1, read_only: false };
    let seen = |scene: &Scene| scene.seen.doors[&door].clone();
    let is_as = |scene: &Scene, answer| seen(scene).is_as(&scene.desired, door, answer);
    assert!(is_as(&scene, right));
    for other in [Answer::Landed { server_id: 2, read_only: false }, Answer::Refused, Answer::Silent] {
        assert!(!is_as(&scene, other), "{other:?}");
    }
    // A wrong answer always counts as new, because its duration matters.
    let desired = scene.desired.clone();
    let doors = scene.seen.doors.get_mut(&door).expect("seen");
    doors.take(&desired, door, (at, at), Ok(Answer::Refused));
    assert!(!is_as(&scene, Answer::Refused) && !is_as(&scene, right));
    // The first right answer since the door is expected to serve is awaited, and so is the first one under another
    // writer.
    let mut scene = well();
    scene.seen.doors.get_mut(&door).expect("seen").expected_since = Some(at);
    assert!(!is_as(&scene, right));
    let mut scene = well();
    scene.desired.epoch += 1;
    assert!(!is_as(&scene, right));
}
