use super::*;
use crate::change::{NewServer, PortChoice};
use crate::desired::{Alters, CookieChoice, Runtime, Saved};
use crate::ids::Host;
use crate::observed::{Observed, Refusal};
use crate::plan::tests::{basis, elect, first, round, setting, settle};
use crate::seen::Seen;
use crate::sessions::Mode;
use crate::sim::World;
use crate::snapshot::snapshot;
use crate::step::ConfigText;

struct Scene {
    desired: Desired,
    world: World,
    memory: Observed,
}

fn name(text: &str) -> ServerName {
    ServerName::parse(text).expect("a name")
}

fn scene() -> Scene {
    let mut scene = Scene { desired: first(), world: World::at(1_000_000), memory: Observed::default() };
    scene.settle();
    scene
}

impl Scene {
    fn settle(&mut self) {
        settle(&mut self.desired, &mut self.world, &mut self.memory);
        // Whether the schema exists is not part of the simulation, and no test here asks for it.
    }

    fn wish(&mut self, change: &impl Alters<Refused: std::fmt::Debug>) -> u64 {
        self.desired =
            self.desired.apply(change).unwrap_or_else(|p| panic!("{:?}: {p:?}", change.sentence()));
        self.desired.revision
    }

    fn picture(&self) -> Snapshot {
        snapshot(crate::scene::Scene::new(&self.desired, &self.memory, self.world.now), &setting())
    }

    fn real(&self, change: &(impl Clone + Into<Change>), revision: u64) -> Real {
        real(&change.clone().into(), revision, &self.desired, &self.picture())
    }
}

fn admin(server: &str, admin: Admin) -> Request {
    Request::SetAdmin { pool: PoolId::Web, name: name(server), admin, force: false }
}

fn power(pool: PoolId, server: &str, power: Power) -> Request {
    Request::SetPower { pool, name: name(server), power, force: false }
}

fn external(server: &str) -> Request {
    let server = NewServer {
        name: name(server),
        host: Host::parse("10.0.0.3").expect("an address"),
        port: PortChoice::Given(80),
        cookie: CookieChoice::Automatic,
        runtime: Runtime::External,
        admin: Admin::Ready,
    };
    Request::AddServer { pool: PoolId::Web, server }
}

/// Requests, each with those that prepare it and one that replaces it. They start from a healthy cluster, in which
/// web2 is taken out, db2 is stopped or web3 is added if a request needs that.
fn wishes() -> Vec<(Vec<Request>, Request, Option<Request>)> {
    let restart = |pool, server| Request::Restart { pool, name: name(server), force: false };
    let remove = |server| Request::RemoveServer { pool: PoolId::Web, name: name(server), force: false };
    vec![
        (vec![], admin("web2", Admin::Drain), Some(admin("web2", Admin::Ready))),
        (vec![], admin("web2", Admin::Maintenance), Some(admin("web2", Admin::Drain))),
        (
            vec![admin("web2", Admin::Maintenance)],
            admin("web2", Admin::Ready),
            Some(admin("web2", Admin::Maintenance)),
        ),
        (vec![], power(PoolId::Web, "web2", Power::Off), Some(power(PoolId::Web, "web2", Power::On))),
        (
            vec![power(PoolId::Web, "web2", Power::Off)],
            power(PoolId::Web, "web2", Power::On),
            Some(power(PoolId::Web, "web2", Power::Off)),
        ),
        (vec![], power(PoolId::Db, "db2", Power::Off), Some(power(PoolId::Db, "db2", Power::On))),
        (vec![], restart(PoolId::Web, "web2"), Some(Request::Withdraw { name: name("web2") })),
        (vec![], external("web3"), Some(remove("web3"))),
        (vec![external("web3")], remove("web3"), Some(Request::Withdraw { name: name("web3") })),
        (
            vec![],
            Request::SetSession { mode: Mode::Database },
            Some(Request::SetSession { mode: Mode::Proxy }),
        ),
        (vec![], Request::Reload { proxy: PoolId::Web }, None),
        (
            vec![],
            Request::SetAddresses {
                page: ([127, 0, 0, 1], 8601).into(),
                names: Vec::new(),
                site: ([127, 0, 0, 1], 8081).into(),
                db: ([127, 0, 0, 1], 3407).into(),
                writer: ([127, 0, 0, 1], 3408).into(),
                ports: (8610, 8699),
            },
            None,
        ),
    ]
}

#[test]
fn a_wish_is_under_way_until_it_is_so_and_fails_when_another_takes_its_place() {
    for (before, change, instead) in wishes() {
        let mut scene = scene();
        for change in &before {
            scene.wish(change);
            scene.settle();
        }
        let lagging = scene.picture();
        let revision = scene.wish(&change);
        let unseen = Real::NotYet(text!("real-unseen"));
        assert_eq!(real(&change.clone().into(), revision, &scene.desired, &lagging), unseen, "{change:?}");
        assert!(matches!(scene.real(&change, revision), Real::NotYet(_)), "{change:?}: not yet");
        let mut other = Scene {
            desired: scene.desired.clone(),
            world: std::mem::take(&mut scene.world),
            memory: scene.memory.clone(),
        };
        other.settle();
        assert_eq!(other.real(&change, revision), Real::Yes, "{change:?}");
        if let Some(instead) = instead {
            other.desired = other
                .desired
                .apply(&instead)
                .unwrap_or(scene.desired.apply(&instead).unwrap_or(scene.desired));
            let failed = other.real(&change, revision);
            assert!(matches!(failed, Real::Failed(_)), "{change:?}, then {instead:?}: {failed:?}");
        }
    }
}

/// Cordée once reported "It is so" although nothing had taken effect.
#[test]
fn one_that_is_stopped_neither_serves_nor_drains_before_it_is_started() {
    let mut scene = scene();
    let ready = scene.wish(&admin("web2", Admin::Ready));
    scene.wish(&power(PoolId::Web, "web2", Power::Off));
    scene.settle();
    let stopped = text!("problem-stopped", name = "web2");
    let said = scene.real(&admin("web2", Admin::Ready), ready);
    assert_eq!(said, Real::Failed(stopped.clone()), "it was stopped while it was waited for");
    for wish in [Admin::Ready, Admin::Drain] {
        let refused = scene.desired.apply(&admin("web2", wish)).expect_err("it is stopped");
        assert_eq!(refused.iter().map(|p| &p.text).collect::<Vec<_>>(), [&stopped], "{wish:?}");
    }
    // In maintenance the server starts without a visitor.
    let out = admin("web2", Admin::Maintenance);
    let revision = scene.wish(&out);
    scene.settle();
    assert_eq!(scene.real(&out, revision), Real::Yes);
    scene.wish(&power(PoolId::Web, "web2", Power::On));
    scene.settle();
    assert_eq!(scene.real(&out, revision), Real::Yes);
    let back = admin("web2", Admin::Ready);
    let revision = scene.wish(&back);
    scene.settle();
    assert_eq!(scene.real(&back, revision), Real::Yes);
}

#[test]
fn what_waits_for_another_says_for_which() {
    let mut scene = scene();
    scene.wish(&admin("web1", Admin::Maintenance));
    scene.settle();
    scene.world.check_after = 1_000_000;
    scene.wish(&admin("web1", Admin::Ready));
    let leave = admin("web2", Admin::Maintenance);
    let revision = scene.wish(&leave);
    scene.world.look(&mut scene.memory, &scene.desired);
    let Real::NotYet(why) = scene.real(&leave, revision) else { panic!("it waits") };
    assert!(why.key == "real-server-because" && format!("{why:?}").contains("web1"), "{why:?}");
    let insist = Request::Insist { name: name("web2") };
    let stay = Request::Withdraw { name: name("web2") };
    assert!(matches!(scene.real(&insist, revision), Real::NotYet(_)));
    let waiting = scene.desired.clone();
    let revision = scene.wish(&stay);
    assert_eq!(scene.real(&stay, revision), Real::Yes);
    assert!(matches!(scene.real(&leave, revision), Real::Failed(_)));
    scene.desired = waiting;
    let revision = scene.wish(&insist);
    assert!(matches!(scene.real(&insist, revision), Real::NotYet(_)), "it still takes visitors");
    scene.settle();
    assert_eq!(scene.real(&insist, revision), Real::Yes);
    assert_eq!(scene.real(&leave, revision), Real::Yes);
}

#[test]
fn a_change_of_writer_is_real_when_the_other_one_writes() {
    let mut scene = scene();
    let promote = Request::Promote { name: name("db2"), at: scene.world.now, accept_loss: false };
    let revision = scene.wish(&promote);
    assert!(matches!(scene.real(&promote, revision), Real::NotYet(_)));
    let of = || basis(&scene.desired, "db2");
    let given_up = Decision::AbandonHandover { of: of(), at: scene.world.now, why: text!("real-unseen") };
    let abandoned = scene.desired.apply(&given_up).expect("given up");
    let failed = real(
        &promote.clone().into(),
        revision,
        &abandoned,
        &snapshot(crate::scene::Scene::new(&abandoned, &scene.memory, scene.world.now), &setting()),
    );
    assert_eq!(failed, Real::Failed(text!("real-not-promoted", name = "db2")));
    let elect = elect(&scene.desired, "db2", None);
    let before = scene.picture();
    scene.wish(&elect);
    // Cordée once reported "db2 is the writer" from a snapshot taken before, in which db2 was a healthy standby.
    let unseen = Real::NotYet(text!("real-unseen"));
    assert_eq!(real(&promote.clone().into(), revision, &scene.desired, &before), unseen);
    for _ in 0..40 {
        let open = scene.memory.databases[&name("db2")].value().is_some_and(|seen| !seen.read_only);
        let running = scene.memory.proxy(PoolId::Db).running.value().expect("seen");
        let led = !running.servers[&name("db2")].writer_maintenance;
        if scene.real(&promote, revision) == Real::Yes {
            assert!(open && led, "open: {open}, HAProxy leads there: {led}");
        }
        round(&mut scene.desired, &mut scene.world, &mut scene.memory, 1);
        scene.world.look(&mut scene.memory, &scene.desired);
    }
    scene.settle();
    assert_eq!(scene.real(&promote, revision), Real::Yes);
    assert_eq!(scene.real(&elect, scene.desired.revision), Real::Yes);
}

#[test]
fn who_writes_is_real_when_all_do_as_wished() {
    let mut scene = scene();
    let all = Request::SetRouting { routing: Routing::AllWriters };
    let revision = scene.wish(&all);
    assert!(matches!(scene.real(&all, revision), Real::NotYet(_)));
    let one = Request::SetRouting { routing: Routing::OneWriter };
    scene.wish(&one);
    assert_eq!(scene.real(&all, revision), overtaken());
}

#[test]
fn a_file_that_is_refused_fails_with_haproxy_s_words() {
    let mut scene = scene();
    let reload = Request::Reload { proxy: PoolId::Web };
    let revision = scene.wish(&reload);
    let web = scene.memory.proxies.get_mut(&PoolId::Web).expect("HAProxy web");
    web.refused = Some(Refusal { text: ConfigText("text".to_owned()), why: text!("reason-never"), at: 0 });
    assert_eq!(scene.real(&reload, revision), Real::Failed(text!("reason-never")));
    let web = scene.memory.proxies.get_mut(&PoolId::Web).expect("HAProxy web");
    (web.refused, web.running) = (None, Seen::Never);
    assert!(matches!(scene.real(&reload, revision), Real::NotYet(_)));
}

#[test]
fn what_cordee_decides_itself_is_so_when_it_is_written_down() {
    let scene = scene();
    let of = || basis(&scene.desired, "db2");
    let saved = Saved { count: 0, file: String::new() };
    for own in [
        Decision::AbandonHandover { of: of(), at: 0, why: text!("real-unseen") },
        elect(&scene.desired, "db2", None),
        Decision::Admit(of()),
        Decision::Forget(of()),
        Decision::Release(of()),
        Decision::LetGo(of()),
        Decision::Readmit { of: of(), at: 0 },
        Decision::Saved { of: of(), saved },
        Decision::Expel { of: of(), lacks: 0 },
        Decision::Doubt { of: of(), at: 0, by: name("db1") },
        Decision::Depart { name: name("web2"), id: 4 },
    ] {
        assert_eq!(scene.real(&own, 1), Real::Yes, "{own:?}");
    }
    let keeping = Request::SetKeeping { days: 7, shorten: false, trusted: Vec::new() };
    assert_eq!(scene.real(&keeping, 1), Real::Yes);
    assert_eq!(scene.real(&Decision::SetLogPort { port: 1, was: None }, 1), Real::Yes);
    // A copy that has only begun.
    let recopied = Request::Recopy { name: name("db2"), id: of().id };
    let desired = scene.desired.apply(&recopied).expect("a copy");
    let seen = snapshot(crate::scene::Scene::new(&desired, &scene.memory, scene.world.now), &setting());
    assert!(matches!(real(&recopied.clone().into(), 2, &desired, &seen), Real::NotYet(_)));
}

/// A server that was drained, stopped and started is back in service. A server in maintenance stays there, and the end
/// sentence says so.
#[test]
fn a_start_ends_the_draining_that_led_to_the_stop() {
    let start = |restart: bool| {
        if restart {
            Request::Restart { pool: PoolId::Web, name: name("web2"), force: false }
        } else {
            power(PoolId::Web, "web2", Power::On)
        }
    };
    for (before, after) in [(Admin::Drain, Admin::Ready), (Admin::Maintenance, Admin::Maintenance)] {
        for restart in [false, true] {
            let mut scene = scene();
            scene.wish(&admin("web2", before));
            scene.settle();
            scene.wish(&power(PoolId::Web, "web2", Power::Off));
            scene.settle();
            let revision = scene.wish(&start(restart));
            assert!(matches!(scene.real(&start(restart), revision), Real::NotYet(_)), "{before:?}");
            scene.settle();
            assert_eq!(scene.real(&start(restart), revision), Real::Yes, "{before:?}");
            let web2 = scene.desired.web.server(&name("web2")).expect("there");
            assert_eq!(web2.site().admin, after, "{before:?}, restarted: {restart}");
            let view = scene.picture().servers.into_iter().find(|s| s.name == name("web2")).expect("there");
            assert_eq!(view.in_proxy, Some(after));
        }
    }
    // A running server that drains goes on draining after a restart: only its process is replaced.
    let mut scene = scene();
    scene.wish(&admin("web2", Admin::Drain));
    scene.wish(&start(true));
    assert_eq!(scene.desired.web.server(&name("web2")).expect("there").site().admin, Admin::Drain);
}

#[test]
fn what_is_so_in_the_end_is_said_of_whom_it_was_asked() {
    let mut scene = scene();
    let said = |change: &Request, desired: &Desired| end(&change.clone().into(), desired).key.to_string();
    scene.wish(&admin("web2", Admin::Maintenance));
    let of_web2 = [
        power(PoolId::Web, "web2", Power::On),
        Request::Restart { pool: PoolId::Web, name: name("web2"), force: false },
    ];
    for change in of_web2 {
        assert_eq!(said(&change, &scene.desired), "end-started-out", "{change:?}: in maintenance");
    }
    let said = |change: &Request| said(change, &scene.desired);
    let db2 = name("db2");
    assert_eq!(said(&Request::Promote { name: db2.clone(), at: 0, accept_loss: false }), "end-promoted");
    assert_eq!(said(&Request::Recopy { name: db2, id: 2 }), "end-copied");
    assert_eq!(said(&power(PoolId::Web, "web1", Power::Off)), "end-stopped");
    assert_eq!(said(&power(PoolId::Web, "web1", Power::On)), "end-started");
    assert_eq!(said(&admin("web1", Admin::Drain)), "end-done");
}
