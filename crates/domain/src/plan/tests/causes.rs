//! Every verdict above the list of causes that is not good has an entry, and the remedy that an entry offers works.

use super::*;
use crate::causes::{About, Cause, Remedy};
use crate::reason::Reason;
use crate::snapshot::{Snapshot, snapshot};
use crate::state::Severity;
use crate::text::Arg;

struct Scene {
    desired: Desired,
    world: World,
    memory: Observed,
}

fn scene() -> Scene {
    let mut scene = Scene { desired: first(), world: World::at(1_000_000), memory: Observed::default() };
    scene.settle();
    scene
}

/// Returns how bad a verdict is. A site that was set aside serves no visitor.
fn badness(severity: Severity) -> u8 {
    match severity {
        Severity::Good => 0,
        Severity::Warning => 1,
        Severity::Progress => 2,
        Severity::Maintenance => 3,
        Severity::Unknown => 4,
        Severity::Critical => 5,
    }
}

/// Returns the servers that an entry names.
fn names(cause: &Cause) -> Vec<&str> {
    match &cause.about {
        About::Servers(_, names) => names.iter().map(ServerName::as_str).collect(),
        About::Cordee | About::Proxy(_) => Vec::new(),
    }
}

impl Scene {
    fn settle(&mut self) {
        settle(&mut self.desired, &mut self.world, &mut self.memory);
    }

    fn look(&mut self) -> Snapshot {
        self.world.look(&mut self.memory, &self.desired);
        snapshot(crate::scene::Scene::new(&self.desired, &self.memory, self.world.now), &setting())
    }

    /// Lets time pass while the engine works; the cluster need not reach its desired state.
    fn go(&mut self) {
        for _ in 0..40 {
            round(&mut self.desired, &mut self.world, &mut self.memory, usize::MAX);
            self.world.pass(&self.memory, 250);
        }
    }

    fn wish(&mut self, change: &Request) {
        self.desired = self.desired.apply(change).expect("a change").signed(change, "ana", self.world.now);
        self.go();
    }

    /// Applies a random request, unless it is refused.
    fn ask(&mut self, change: Request) {
        let mut change = asked(change, &self.desired, self.world.now);
        if let Request::Promote { accept_loss, .. } = &mut change {
            *accept_loss = false;
        }
        if let Ok(next) = self.desired.apply(&change) {
            self.desired = next.signed(&change, "ana", self.world.now);
        }
    }

    fn maintenance(&mut self, server: &str) {
        self.admin(server, Admin::Maintenance);
    }

    fn admin(&mut self, server: &str, admin: Admin) {
        self.wish(&Request::SetAdmin { pool: PoolId::Web, name: name(server), admin, force: true });
    }

    fn stop(&mut self, server: &str) {
        let pool = pool_of(&name(server));
        self.wish(&Request::SetPower { pool, name: name(server), power: Power::Off, force: true });
    }

    /// Carries out the first remedy of an entry.
    fn mend(&mut self, cause: &Cause) {
        let remedy = cause.remedies.first().expect("a remedy");
        match remedy {
            Remedy::Ask { .. } | Remedy::Reload { .. } => {
                let change = remedy
                    .request(&self.desired, self.world.now)
                    .unwrap_or_else(|| panic!("{cause:?} only looks"));
                self.wish(&change);
            }
            Remedy::Add => {
                let server = NewServer {
                    name: name("web9"),
                    host: Host::parse("10.0.0.9").expect("an address"),
                    port: PortChoice::Given(99),
                    cookie: CookieChoice::Automatic,
                    runtime: Runtime::External,
                    admin: Admin::Ready,
                };
                self.wish(&Request::AddServer { pool: PoolId::Web, server });
            }
            Remedy::Hand { says } if says.key == "remedy-thaw" => self.world.frozen.clear(),
            Remedy::Itself => {}
            other => panic!("{other:?} puts nothing right: {cause:?}"),
        }
        self.go();
    }

    /// Checks that each entry's first remedy removes that entry and makes nothing worse, and that the last one makes
    /// all well.
    fn mend_all(&mut self) {
        for _ in 0..12 {
            let before = self.look();
            let Some(first) = before.causes.first().filter(|_| before.verdict.severity != Severity::Good)
            else {
                assert_eq!(before.verdict.severity, Severity::Good, "{:?}", before.verdict);
                return;
            };
            // A server that is stopped, and drained or in maintenance besides, has one entry after the other.
            let twice = names(first).into_iter().any(|n| {
                let server = self.desired.web.server(&name(n));
                server.is_some_and(|s| s.stopped() && s.site().admin != Admin::Ready)
            });
            self.mend(first);
            let after = self.look();
            let (was, is) = (badness(before.verdict.severity), badness(after.verdict.severity));
            let told = format!("{:?}\n{first:?}\n{:?}\n{:?}", before.verdict, after.verdict, after.causes);
            assert!(is <= was, "worse: {told}");
            let several = before.causes.len() > 1 || names(first).len() > 1 || twice;
            assert!(is < was || several, "no better: {told}");
            let same = |c: &Cause| c.about == first.about && c.status.word == first.status.word;
            assert!(!after.causes.iter().any(same), "still there: {told}");
        }
        panic!("not well: {:#?}", self.look().causes);
    }
}

/// Checks what holds at every moment.
fn complete(desired: &Desired, shown: &Snapshot) {
    let bad = shown.verdict.severity != Severity::Good;
    assert!(!bad || !shown.causes.is_empty(), "{:?}", shown.verdict);
    // The verdict and the list name the same servers.
    let named: usize = shown.causes.iter().map(|cause| names(cause).len()).sum();
    let reason = shown.verdict.reason.as_ref().map(Reason::sentence);
    if let Some(reason) = reason.filter(|r| r.key == "verdict-risk-reason" && shown.handover.is_none()) {
        let count = i64::try_from(named).expect("a few");
        assert_eq!(reason.args.get("count"), Some(&Arg::Number(count)), "{reason:?}\n{:?}", shown.causes);
    }
    let mut said = BTreeSet::new();
    for cause in &shown.causes {
        assert!(!cause.remedies.is_empty(), "{cause:?}");
        // A journal to look into is offered only if nothing was found.
        assert!(!cause.remedies.contains(&Remedy::Journal), "{:?} {cause:?}", shown.verdict);
        for name in names(cause).into_iter().chain(cause.explains.iter().map(ServerName::as_str)) {
            assert!(
                said.insert(name.to_owned()) || shown.handover.is_some(),
                "{name} twice: {:?}",
                shown.causes
            );
        }
        for remedy in &cause.remedies {
            if let Some(change) = remedy.request(desired, 0) {
                assert!(desired.apply(&change).is_ok(), "{remedy:?} would be refused");
            }
        }
    }
    // While a person keeps a standby stopped, the writer must not be touched.
    let stopped = desired.db.servers.iter().any(|s| s.stopped() && !desired.is_writer(&s.name));
    for remedy in shown.causes.iter().flat_map(|c| &c.remedies).filter(|_| stopped) {
        let request = remedy.request(desired, 0);
        let restarts = matches!(&request, Some(Request::Restart { name, .. }) if desired.is_writer(name));
        let serves = shown.servers.iter().any(|s| desired.is_writer(&s.name) && s.status.serves());
        assert!(!(restarts && serves), "{:?}", shown.causes);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::default())]

    #[test]
    fn every_verdict_but_a_good_one_has_a_cause_whose_remedy_improves_it(
        history in proptest::collection::vec(happening(), 0..30),
        check_after in prop_oneof![Just(0_u64), 0_u64..2_000],
        frozen in proptest::option::of(0_usize..2),
    ) {
        let mut scene = Scene { desired: first(), world: World::at(1_000_000), memory: Observed::default() };
        scene.world.check_after = check_after;
        for happening in history {
            match happening {
                Happening::Wish(change) => scene.ask(change),
                // Late decisions have a property of their own.
                Happening::Late(meanwhile) => meanwhile.into_iter().for_each(|change| scene.ask(change)),
                Happening::Steps(limit) => {
                    round(&mut scene.desired, &mut scene.world, &mut scene.memory, limit);
                }
                Happening::Crash => scene.memory = Observed::default(),
                Happening::Death(n) => {
                    let alive = scene.world.alive();
                    if let Some(id) = alive.get(n) { scene.world.die(id); }
                }
                Happening::Freeze(n) => {
                    if let Some(id) = scene.world.alive().get(n) { scene.world.frozen.insert(id.clone()); }
                }
                Happening::Thaw => scene.world.frozen.clear(),
                Happening::Pass(ms) => scene.world.pass(&scene.memory, ms),
            }
            let shown = scene.look();
            complete(&scene.desired, &shown);
        }
        scene.world.frozen.clear();
        scene.go();
        if let Some(pool) = frozen.and_then(|n| PoolId::ALL.get(n)) {
            scene.world.frozen.insert(ProcessId::Proxy(*pool));
            scene.go();
        }
        let shown = scene.look();
        complete(&scene.desired, &shown);
        scene.mend_all();
    }
}

/// Returns what the list says: the names, and the first remedy of each entry.
fn list(shown: &Snapshot) -> Vec<(Vec<&str>, &Remedy)> {
    shown.causes.iter().map(|c| (names(c), &c.remedies[0])).collect()
}

fn ask(pool: PoolId, server: &str, action: crate::actions::Action) -> Remedy {
    Remedy::Ask { pool, name: name(server), action }
}

#[test]
fn web_servers_that_a_person_took_out_are_the_cause_with_who_and_when() {
    use crate::actions::Action;
    let mut scene = scene();
    scene.maintenance("web2");
    let at = scene.desired.asked.values().next().and_then(|out| out.admin.clone()).expect("asked").at;
    let shown = scene.look();
    assert_eq!(shown.verdict.severity, Severity::Warning);
    assert_eq!(list(&shown), [(vec!["web2"], &ask(PoolId::Web, "web2", Action::Ready))]);
    let asked = shown.causes[0].asked.clone().expect("somebody");
    assert_eq!((asked.by.as_str(), asked.at), ("ana", at));
    let said = shown.verdict.reason.expect("a reason").sentence();
    assert_eq!(said.args.get("names"), Some(&Arg::servers([&name("web2")])), "the verdict names it too");
    scene.maintenance("web1");
    let shown = scene.look();
    assert_eq!(shown.verdict.word, text!("verdict-set-aside"));
    assert_eq!(list(&shown), [(vec!["web1", "web2"], &ask(PoolId::Web, "web1", Action::Ready))]);
    assert_eq!(shown.causes[0].asked.as_ref().map(|a| a.at), Some(at), "since the first of them");
    scene.mend_all();
    for server in ["web1", "web2"] {
        scene.stop(server);
    }
    assert_eq!(list(&scene.look()), [(vec!["web1", "web2"], &ask(PoolId::Web, "web1", Action::Start))]);
    scene.mend_all();
}

#[test]
fn where_enough_others_serve_one_that_was_taken_out_is_no_trouble() {
    let mut scene = scene();
    scene.mend(&Cause {
        about: About::Cordee,
        status: crate::state::Remark::bare(Severity::Good, text!("verdict-good")),
        asked: None,
        explains: Vec::new(),
        remedies: vec![Remedy::Add],
    });
    scene.admin("web2", Admin::Drain);
    let shown = scene.look();
    assert_eq!((shown.verdict.severity, shown.causes.len()), (Severity::Good, 0));
    let named = text!("verdict-good-draining", names = Arg::servers([&name("web2")]), count = 1_usize);
    assert_eq!(shown.verdict.word, named, "it is named");
    scene.admin("web2", Admin::Maintenance);
    assert_eq!(
        scene.look().verdict.word,
        text!("verdict-good-aside", names = Arg::servers([&name("web2")]), count = 1_usize)
    );
}

#[test]
fn a_stopped_standby_is_the_cause_and_the_only_writer_is_left_alone() {
    use crate::actions::Action;
    let mut scene = scene();
    scene.stop("db2");
    let shown = scene.look();
    assert_eq!(shown.verdict.severity, Severity::Warning);
    assert_eq!(list(&shown), [(vec!["db2"], &ask(PoolId::Db, "db2", Action::Start))]);
    assert_eq!(shown.causes[0].explains, [name("db1")]);
    scene.mend_all();
}

/// It was red, "does not answer", above an entry that said who had stopped it.
#[test]
fn databases_that_a_person_stopped_are_told_as_that() {
    use crate::actions::Action;
    let mut scene = scene();
    let said = |shown: &Snapshot| {
        let reason = shown.verdict.reason.as_ref().expect("a reason").sentence();
        (shown.verdict.severity, shown.verdict.word.key.to_string(), reason.key.to_string())
    };
    let told = |reason: &str| (Severity::Maintenance, "verdict-no-database".to_owned(), reason.to_owned());
    for server in ["db2", "db1"] {
        scene.stop(server);
    }
    let shown = scene.look();
    assert_eq!(said(&shown), told("verdict-databases-stopped"));
    assert_eq!(shown.causes[0].status.severity, Severity::Maintenance);
    assert!(list(&shown)[0].0.contains(&"db1"), "{:?}", shown.causes);
    // One database comes back, and it is not the one that takes the writes.
    let start = Request::SetPower { pool: PoolId::Db, name: name("db2"), power: Power::On, force: true };
    scene.wish(&start);
    let shown = scene.look();
    assert_eq!(said(&shown), told("verdict-writer-stopped"));
    assert_eq!(list(&shown)[0], (vec!["db1"], &ask(PoolId::Db, "db1", Action::Start)));
    scene.mend_all();
}

#[test]
fn a_frozen_haproxy_is_one_cause_not_one_for_each_server() {
    let mut scene = scene();
    scene.stop("web2");
    scene.world.frozen.insert(ProcessId::Proxy(PoolId::Web));
    scene.go();
    let shown = scene.look();
    assert_eq!((shown.verdict.severity, shown.causes.len()), (Severity::Critical, 1), "{:?}", shown.causes);
    assert_eq!(shown.causes[0].about, About::Proxy(PoolId::Web));
    assert_eq!(shown.causes[0].explains, [name("web1")], "the other one was stopped before");
    assert!(matches!(&shown.causes[0].remedies[..], [Remedy::Hand { says }] if says.key == "remedy-thaw"));
    scene.mend_all();
}

#[test]
fn the_last_web_server_that_was_removed_asks_for_another_one() {
    let mut scene = scene();
    for server in ["web1", "web2"] {
        scene.wish(&Request::RemoveServer { pool: PoolId::Web, name: name(server), force: true });
    }
    assert_eq!(list(&scene.look()), [(vec![], &Remedy::Add)]);
    scene.mend_all();
}

#[test]
fn whoever_took_a_server_out_is_told_until_it_is_back() {
    let mut scene = scene();
    let asked = |scene: &Scene| {
        let server = scene.desired.web.server(&name("web2")).expect("web2");
        scene.desired.asked(server).map(|asked| asked.by.clone())
    };
    let wish = |scene: &mut Scene, change: Request, by: &str| {
        scene.desired = scene.desired.apply(&change).expect("a change").signed(&change, by, 7);
    };
    let admin = |admin| Request::SetAdmin { pool: PoolId::Web, name: name("web2"), admin, force: false };
    let power = |power| Request::SetPower { pool: PoolId::Web, name: name("web2"), power, force: false };
    wish(&mut scene, admin(Admin::Maintenance), "ana");
    wish(&mut scene, power(Power::Off), "token:deploy");
    assert_eq!(asked(&scene).as_deref(), Some("token:deploy"), "stopped is what it is shown as");
    wish(&mut scene, power(Power::On), "cli");
    assert_eq!(asked(&scene).as_deref(), Some("ana"), "it is in maintenance again");
    wish(&mut scene, admin(Admin::Ready), "cli");
    assert_eq!(asked(&scene), None);
    assert!(scene.desired.asked.is_empty());
}
