//! Any sequence of changes, with crashes anywhere, ends in the desired state.

mod blind;
mod causes;
mod histories;
mod homes;
mod overtaken;
mod people;
mod ports;
mod repeats;
mod started;
mod turns;

use std::collections::BTreeSet;
use std::path::PathBuf;

use proptest::prelude::*;

use crate::change::{NewServer, PortChoice, RawServer, Request};
use crate::check::{Fault, check, deserted, exposed, never};
use crate::decision::{Basis, Decision};
use crate::desired::{Addresses, Admin, CookieChoice, Desired, Power, Routing, Runtime, Saved, Server};
use crate::haproxy::config::{self};
use crate::haproxy::foreign::What;
use crate::haproxy::setting::Setting;
use crate::haproxy::stats::RunningServer;
use crate::ids::{Cookie, Host, PoolId, ProcessId, ServerName};
use crate::observed::{Observed, Refusal};
use crate::scene::Scene;
use crate::seen::Seen;
use crate::sessions::Mode;
use crate::sim::{Hand, World, remember};
use crate::step::{ConfigText, HostStep, Outcome, ProxyStep, SqlStep, Step, Subject};
use crate::text;

use people::{asked, change, hand, loses, pool_of, server_name};

use super::{Plan, hold_back, plan};

fn name(text: &str) -> ServerName {
    ServerName::parse(text).expect("a name")
}

pub(crate) fn first() -> Desired {
    let at = |port| ([127, 0, 0, 1], port).into();
    let addresses = Addresses {
        page: at(8600),
        names: Vec::new(),
        site: at(8080),
        db: at(3307),
        writer: at(3308),
        ports: (8610, 8699),
    };
    Desired::first(&addresses, |_| true).expect("a first wish")
}

pub(crate) fn setting() -> Setting {
    Setting {
        web_socket: PathBuf::from("/run/web.sock"),
        db_socket: PathBuf::from("/run/db.sock"),
        session_map: PathBuf::from("/conf/session.map"),
        cookie_key: "00".to_owned(),
        log_key: "11".to_owned(),
    }
}

/// One round of the engine: the first step of each target. Returns how many steps were done.
pub(crate) fn round(wish: &mut Desired, world: &mut World, memory: &mut Observed, limit: usize) -> usize {
    world.prepare(wish);
    world.look(memory, wish);
    // A change of the desired state may at once make something wrong that was right before; the plan makes nothing
    // worse.
    let already = never(wish, memory);
    // As the engine does before each plan: looks at a server of the same name with another id are dropped.
    memory.keep_to(wish, world.now);
    super::leaving::tests::agree(wish, memory);
    let opened = world.open();
    let clashed = world.clashing(wish);
    let plan = plan(Scene::new(wish, memory, world.now), &setting());
    let mut targets: BTreeSet<Subject> = BTreeSet::new();
    let mut done = 0;
    for step in plan.steps {
        if done < limit && targets.insert(step.subject()) {
            let (wished, before) = (wish.clone(), memory.clone());
            let outcome = world.act(&step, wish);
            remember(memory, &step, &outcome, world.now);
            let change = match &step {
                Step::Wish(decision) => Some(decision.clone()),
                Step::Sql(SqlStep::ReleaseDatabase { name, id }) => {
                    Some(Decision::Forget(Basis { name: name.clone(), id: *id, epoch: wish.epoch }))
                }
                Step::Host(HostStep::SaveOwn { name, id, .. }) => {
                    let saved = Saved { count: 1, file: "lost/x".to_owned() };
                    let of = Basis { name: name.clone(), id: *id, epoch: wish.epoch };
                    Some(Decision::Saved { of, saved })
                }
                _ => None,
            };
            if let Some(next) = change.and_then(|c| wish.apply(&c).ok()) {
                *wish = next;
            }
            done += 1;
            world.look(memory, wish);
            no_repeat(wish, memory, world, &step, &outcome);
            let new: Vec<_> = never(wish, memory).into_iter().filter(|f| !already.contains(f)).collect();
            assert_eq!(new, [], "after {step:?}");
            assert_eq!(deserted(&wished, &before, memory), [], "after {step:?}");
            let open = world.open();
            let no_worse = open.len() <= 1 || open.iter().all(|o| opened.contains(o));
            assert!(no_worse || wish.routing == Routing::AllWriters, "{open:?} after {step:?}");
            let mut clashing = world.clashing(wish);
            // A database that a person removed may be open until it is ended.
            clashing.retain(|name| !clashed.contains(name) || wish.database(name).is_some());
            assert_eq!(clashing, [], "give the same numbers after {step:?}");
            assert_eq!(world.mixed(), [] as [String; 0], "share a folder after {step:?}");
        }
    }
    done
}

/// Checks that a step that was done, and followed by a look while nothing else happened, is not planned again.
fn no_repeat(wish: &Desired, memory: &Observed, world: &World, step: &Step, outcome: &Outcome) {
    if *outcome == Outcome::Done && !step.insists() {
        let again = plan(Scene::new(wish, memory, world.now), &setting());
        assert!(!again.steps.contains(step) && !again.resting.contains(step), "again: {step:?}");
    }
}

/// Runs rounds until nothing is left to do and nothing is wrong.
pub(crate) fn settle(desired: &mut Desired, world: &mut World, memory: &mut Observed) {
    for _ in 0..400 {
        let done = round(desired, world, memory, usize::MAX);
        world.pass(memory, 500);
        world.look(memory, desired);
        let left = plan(Scene::new(desired, memory, world.now), &setting());
        // A process that was told to end does so, by itself or by force.
        let ends = left.waiting.iter().any(|(_, why)| why.key == "wait-stop");
        if done == 0 && left.steps.is_empty() && !ends && wrong(desired, memory, &left).is_empty() {
            return;
        }
    }
    let left = plan(Scene::new(desired, memory, world.now), &setting());
    panic!("not settled: {:?}\nplan {left:#?}", wrong(desired, memory, &left));
}

/// Returns what is wrong and not asked for by anybody. While a person keeps the writer, or every member, stopped, no
/// database joins, leaves or is copied anew; a database without data has no donor, and says so.
fn wrong(desired: &Desired, memory: &Observed, left: &Plan) -> Vec<Fault> {
    let stopped =
        desired.members().all(|s| s.stopped()) || desired.writer_server().is_some_and(|w| w.stopped());
    let waits = |name: &String| {
        let target = |t: &Subject| matches!(t, Subject::Process(id) if id.to_string() == *name);
        left.waiting.iter().any(|(t, why)| target(t) && why.key == "wait-donor")
    };
    let excused = |fault: &Fault| match fault {
        Fault::Process(name) => waits(name),
        Fault::Membership(_) => true,
        // A channel from a writer that is gone is not set up before the writer is back.
        Fault::Channel(_, from) => desired.writer.as_ref().is_some_and(|w| w.as_str() == *from),
        // The database waits to learn how the writer numbers, and says so.
        Fault::OutOfService(name) => {
            let target = |t: &Subject| matches!(t, Subject::Database(id) if id.as_str() == *name);
            left.waiting.iter().any(|(t, why)| target(t) && why.key == "wait-numbers")
        }
        _ => false,
    };
    let waits = |fault: &Fault| asks(desired, memory, fault).is_some();
    check(desired, memory).into_iter().filter(|f| !(waits(f) || stopped && excused(f))).collect()
}

/// Returns the web server that waits for a person: the last one that is to serve, for which a person must say what
/// happens to visitors.
fn asks<'a>(desired: &Desired, memory: &Observed, fault: &'a Fault) -> Option<&'a str> {
    let (Fault::OutOfService(name) | Fault::Process(name) | Fault::Membership(name)) = fault else {
        return None;
    };
    let other = |s: &Server| s.name.as_str() != *name && s.wanted();
    let alone = !desired.web.servers.iter().any(other) && deserves(memory, name);
    alone.then_some(name.as_str())
}

/// Reports whether HAProxy has that web server in service, and no other.
fn deserves(memory: &Observed, name: &str) -> bool {
    let seen = memory.proxy(PoolId::Web);
    let serves = |s: &RunningServer| !s.maintenance && !s.drain && s.weight > 0;
    seen.running.value().is_some_and(|r| r.servers.iter().all(|(n, s)| (n.as_str() == name) == serves(s)))
}

/// What happens between two looks.
#[derive(Clone, Debug)]
enum Happening {
    Wish(Request),
    /// Cordée looks and decides; people make these requests; then the decision is stored.
    Late(Vec<Request>),
    /// The engine carries out this many steps.
    Steps(usize),
    /// Cordée is killed: what it held only in memory is gone.
    Crash,
    /// The n-th living process is killed.
    Death(usize),
    /// The n-th living process is stopped by a signal.
    Freeze(usize),
    /// All frozen processes go on.
    Thaw,
    Pass(u64),
}

/// Returns the basis of a decision about that database.
pub(crate) fn basis(desired: &Desired, server: &str) -> Basis {
    Basis::of(desired, desired.db.server(&name(server)).expect("it is there"))
}

/// Returns the decision that elects that database, in the next epoch.
pub(crate) fn elect(desired: &Desired, server: &str, limit: Option<u64>) -> Decision {
    let of = basis(desired, server);
    let asked = desired.handover.as_ref().map(|h| h.at);
    Decision::Elect { to: of.name, id: of.id, epoch: of.epoch + 1, limit, asked }
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        4 => change().prop_map(Happening::Wish),
        2 => overtaken::meanwhile().prop_map(Happening::Late),
        6 => (1_usize..4).prop_map(Happening::Steps),
        2 => Just(Happening::Crash),
        1 => (0_usize..8).prop_map(Happening::Death),
        1 => (0_usize..8).prop_map(Happening::Freeze),
        1 => Just(Happening::Thaw),
        2 => (50_u64..2_000).prop_map(Happening::Pass),
    ]
}

/// What happens to a cluster, and properties of its HAProxy and its first web server.
#[derive(Clone, Debug)]
struct History {
    all: Vec<Happening>,
    refuses_add: bool,
    stubborn: bool,
    check_after: u64,
}

fn history(happening: impl Strategy<Value = Happening>) -> impl Strategy<Value = History> {
    let all = proptest::collection::vec(happening, 0..40);
    let check_after = prop_oneof![Just(0_u64), 0_u64..4_000];
    (all, any::<bool>(), any::<bool>(), check_after).prop_map(|(all, refuses_add, stubborn, check_after)| {
        History { all, refuses_add, stubborn, check_after }
    })
}

/// Cordée looks and decides; people make these requests; then the decision is stored. Returns whether writes may be
/// lost.
fn late(desired: &mut Desired, world: &mut World, memory: &mut Observed, meanwhile: Vec<Request>) -> bool {
    world.prepare(desired);
    world.look(memory, desired);
    let steps = plan(Scene::new(desired, memory, world.now), &setting()).steps;
    let mut lossy = false;
    for change in meanwhile {
        let change = asked(change, desired, world.now);
        if let Ok(next) = desired.apply(&change) {
            lossy |= loses(&change);
            *desired = next;
        }
    }
    for step in &steps {
        let Step::Wish(decision) = step else { continue };
        if let Ok(next) = desired.apply(decision) {
            *desired = next;
        }
    }
    lossy
}

fn ends_as_wished(history: History) -> Result<(), TestCaseError> {
    let mut desired = first();
    let mut world = World::at(1_000_000);
    world.refuses_add = history.refuses_add;
    world.check_after = history.check_after;
    if history.stubborn {
        world.stubborn.insert(crate::ids::ProcessId::Web(name("web1")));
    }
    let mut memory = Observed::default();
    let mut lossy = false;
    for happening in history.all {
        match happening {
            Happening::Wish(change) => {
                let change = asked(change, &desired, world.now);
                if let Ok(next) = desired.apply(&change) {
                    lossy |= loses(&change);
                    desired = next;
                }
            }
            Happening::Late(meanwhile) => {
                lossy |= late(&mut desired, &mut world, &mut memory, meanwhile);
            }
            Happening::Steps(limit) => {
                round(&mut desired, &mut world, &mut memory, limit);
            }
            Happening::Crash => memory = Observed::default(),
            Happening::Death(n) => {
                let alive = world.alive();
                if let Some(id) = alive.get(n) {
                    world.die(id);
                }
            }
            Happening::Freeze(n) => {
                if let Some(id @ ProcessId::Database(s)) = world.alive().get(n)
                    && desired.db.server(s).is_some()
                {
                    world.frozen.insert(id.clone());
                }
            }
            Happening::Thaw => world.frozen.clear(),
            Happening::Pass(ms) => world.pass(&memory, ms),
        }
    }
    world.frozen.clear();
    settle(&mut desired, &mut world, &mut memory);
    let writer = desired.writer.clone().expect("a writer");
    prop_assert!(lossy || world.missing(&writer) == 0, "acknowledged writes are gone: {:?}", desired);
    // Once a person starts again what a person stopped, nothing waits any more. A restart waits for as long as the
    // only other web server, which had not served yet, stays stopped.
    let all: Vec<_> = desired.servers().map(|s| (s.pool(), s.clone())).collect();
    for (pool, server) in all.into_iter().filter(|(_, s)| s.stopped()) {
        let start = Request::SetPower { pool, name: server.name, power: Power::On, force: true };
        desired = desired.apply(&start).expect("started");
    }
    settle(&mut desired, &mut world, &mut memory);
    // A server that has become the last one meanwhile does not wait either, once a person has said that it may go.
    let left = check(&desired, &memory);
    let last: Vec<&str> = left.iter().filter_map(|fault| asks(&desired, &memory, fault)).collect();
    for waiting in last {
        desired = desired.apply(&Request::Insist { name: name(waiting) }).expect("it waits");
    }
    settle(&mut desired, &mut world, &mut memory);
    prop_assert_eq!(check(&desired, &memory), []);
    let writer = desired.writer.clone().expect("a writer");
    prop_assert!(lossy || world.missing(&writer) == 0, "lost at the end: {:?}", desired);
    // None of this was taken for somebody else's change.
    prop_assert_eq!(world.told(), []);
    Ok(())
}

proptest! {
    // 256 cases, or the number in `PROPTEST_CASES`.
    #![proptest_config(ProptestConfig::default())]

    #[test]
    fn every_history_ends_as_wished(history in history(happening())) {
        ends_as_wished(history)?;
    }

    /// The same, mostly with requests about databases: which one writes, which ones come, stop and go.
    #[test]
    fn every_history_of_databases_ends_as_wished(history in history(people::of_databases(happening()))) {
        ends_as_wished(history)?;
    }

    /// A program that takes the port of a dead server gets no visitor, whatever else happens; and while nothing is
    /// known about the ports, nothing is taken out of service because of them.
    #[test]
    fn a_dead_server_s_port_leads_nowhere(
        turns in proptest::collection::vec(
            (proptest::option::of(change()), 0_usize..9, any::<bool>(), any::<bool>(), 0_usize..3), 1..12),
    ) {
        let mut desired = first();
        let mut world = World::at(1_000_000);
        let mut memory = Observed::default();
        settle(&mut desired, &mut world, &mut memory);
        for (change, n, takes, crash, steps) in turns {
            if let Some(next) = change.and_then(|c| desired.apply(&asked(c, &desired, world.now)).ok()) {
                desired = next;
            }
            round(&mut desired, &mut world, &mut memory, steps);
            if let Some(id) = world.alive().get(n).filter(|id| id.server().is_some()) {
                let port = desired.servers().find(|s| s.runs_as(id)).map(|s| s.port);
                world.die(id);
                world.taken.extend(port.filter(|_| takes));
            }
            if crash {
                memory = Observed::default();
            }
            // One step on each target: no other step comes before this one.
            round(&mut desired, &mut world, &mut memory, usize::MAX);
            prop_assert_eq!(exposed(&desired, &memory), []);
            world.pass(&memory, 300);
            round(&mut desired, &mut world, &mut memory, usize::MAX);
            prop_assert_eq!(exposed(&desired, &memory), []);
        }
        world.taken.clear();
        for server in desired.db.servers.clone().iter().filter(|s| s.stopped()) {
            let start =
                Request::SetPower { pool: PoolId::Db, name: server.name.clone(), power: Power::On, force: false };
            desired = desired.apply(&start).expect("started");
        }
        settle(&mut desired, &mut world, &mut memory);
        let left = plan(Scene::new(&desired, &memory, world.now), &setting());
        prop_assert_eq!(wrong(&desired, &memory, &left), []);
        // What Cordée did itself is not taken for somebody else's change.
        prop_assert_eq!(world.told(), []);
        world.blind = true;
        world.look(&mut memory, &desired);
        let steps = plan(Scene::new(&desired, &memory, world.now), &setting()).steps;
        prop_assert!(!steps.iter().any(|s| matches!(s.subject(), Subject::Proxy(_))), "{steps:?}");
    }

    /// Whatever somebody does at HAProxy's sockets, in the middle of whatever Cordée does: it is reported, and
    /// undone.
    #[test]
    fn what_somebody_else_does_to_a_proxy_is_told_and_put_right(
        turns in proptest::collection::vec(
            (proptest::option::of(change()), 0_usize..4, hand(), any::<bool>(), 0_usize..4), 1..12),
    ) {
        let mut desired = first();
        let mut world = World::at(1_000_000);
        let mut memory = Observed::default();
        settle(&mut desired, &mut world, &mut memory);
        for (change, steps, hand, web, n) in turns {
            if let Some(next) = change.and_then(|c| desired.apply(&asked(c, &desired, world.now)).ok()) {
                desired = next;
            }
            round(&mut desired, &mut world, &mut memory, steps);
            world.pass(&memory, 300);
            world.look(&mut memory, &desired);
            world.told();
            let proxy = if web { PoolId::Web } else { PoolId::Db };
            if world.meddle(proxy, hand, n) {
                world.look(&mut memory, &desired);
                let told = world.told();
                prop_assert!(!told.is_empty(), "{hand:?} was not told");
            }
        }
        settle(&mut desired, &mut world, &mut memory);
        // Somebody may have taken out the server that was to go last: then the other one waits in vain, and says so.
        for name in super::leaving::tests::waiting(&desired, &memory).into_keys() {
            desired = desired.apply(&Request::Insist { name }).expect("it waits");
        }
        settle(&mut desired, &mut world, &mut memory);
        prop_assert_eq!(check(&desired, &memory), []);
        prop_assert!(world.runs_its_file(), "a worker runs what somebody else wrote");
        // Weight and checks of a server in maintenance are restored when it comes back. A state that somebody set to
        // exactly the desired one needs nothing: `check` has seen that it is right.
        let later = |what: &&What| {
            matches!(what, What::Checks(_) | What::Weight(_) | What::State(_) | What::WriterState(_))
        };
        let odd = memory.proxies.values().flat_map(|p| p.odd.keys());
        prop_assert_eq!(odd.filter(|what| !later(what)).collect::<Vec<_>>(), [] as [&What; 0]);
    }

    #[test]
    fn a_silent_server_never_gets_a_weight(crashes in 0_usize..4, reloads in 0_usize..3) {
        let mut desired = first();
        let mut world = World::at(1_000_000);
        let mut memory = Observed::default();
        settle(&mut desired, &mut world, &mut memory);
        world.silent.insert("10.0.0.1:81".parse().expect("an address"));
        let server = RawServer {
            name: "quiet".to_owned(), address: Some("10.0.0.1".to_owned()), port: Some("81".to_owned()),
            ..RawServer::default()
        };
        let server = server.parse(|| unreachable!()).expect("a server");
        desired = desired.apply(&Request::AddServer { pool: PoolId::Web, server }).expect("added");
        for turn in 0..(crashes + reloads + 2) {
            if turn < crashes { memory = Observed::default(); }
            if turn < reloads {
                desired = desired.apply(&Request::Reload { proxy: PoolId::Web }).expect("a reload");
            }
            for _ in 0..5 {
                round(&mut desired, &mut world, &mut memory, 1);
                world.pass(&memory, 300);
                world.look(&mut memory, &desired);
                let seen = memory.proxy(PoolId::Web);
                let weight = seen.running.value().and_then(|r| r.servers.get(&name("quiet"))).map(|s| s.weight);
                prop_assert!(weight.is_none_or(|w| w == 0));
            }
        }
    }

    #[test]
    fn whatever_is_typed_a_file_holds_only_what_was_parsed(
        typed_name in ".{0,80}", address in proptest::option::of(".{0,80}"),
        port in proptest::option::of(".{0,8}"), cookie in proptest::option::of(".{0,40}"),
    ) {
        let raw = RawServer { name: typed_name, address, port, cookie, ..RawServer::default() };
        if let Ok(server) = raw.parse(|| unreachable!())
            && let Ok(desired) = first().apply(&Request::AddServer { pool: PoolId::Web, server })
        {
            let mut seen = Observed::default();
            World::default().look(&mut seen, &desired);
            let places = super::places(Scene::new(&desired, &seen, 0), PoolId::Web);
            let text = &config::render(&desired, PoolId::Web, &setting(), &places).text;
            let lines: Vec<&str> = text.lines().filter(|l| l.starts_with("    server ")).collect();
            prop_assert_eq!(lines.len(), 3);
            prop_assert!(lines[2].split(' ').skip(4).all(|w| !w.is_empty()));
            prop_assert!(!text.contains(['"', '\'', '$', '`', ';']) || !lines[2].contains(['"', '\'', '$', '`', ';']));
        }
    }
}

#[test]
fn a_file_is_that_of_what_is_wished_now_whatever_was_rendered_before() {
    let (desired, mut seen) = (first(), Observed::default());
    World::default().look(&mut seen, &desired);
    let all = super::places(Scene::new(&desired, &seen, 0), PoolId::Web);
    let mut fewer = all.clone();
    fewer.pop_last();
    let mut other = setting();
    other.cookie_key.push('0');
    let render =
        |wish: &Desired, setting: &Setting, places| config::render(wish, PoolId::Web, setting, places);
    let one = render(&desired, &setting(), &all);
    let reloaded = desired.apply(&Request::Reload { proxy: PoolId::Web }).unwrap();
    let others = [
        render(&reloaded, &setting(), &all),
        render(&desired, &other, &all),
        render(&desired, &setting(), &fewer),
    ];
    assert!(others.iter().all(|o| o.text != one.text));
    assert_eq!(render(&desired, &setting(), &all), one);
    assert_ne!(config::render(&desired, PoolId::Db, &setting(), &all).text, one.text);
    assert_eq!(render(&desired, &setting(), &all), one);
}

#[test]
fn an_added_server_needs_no_reload_and_a_chosen_cookie_needs_one() {
    for (cookie, reloads) in
        [(CookieChoice::Automatic, 0), (CookieChoice::Chosen(Cookie::parse("S3").expect("a cookie")), 1)]
    {
        let mut desired = first();
        let mut world = World::at(1_000_000);
        let mut memory = Observed::default();
        settle(&mut desired, &mut world, &mut memory);
        let server = NewServer {
            name: name("web3"),
            host: Host::parse("10.0.0.3").expect("an address"),
            port: PortChoice::Given(80),
            cookie,
            runtime: Runtime::External,
            admin: Admin::Ready,
        };
        desired = desired.apply(&Request::AddServer { pool: PoolId::Web, server }).expect("added");
        let mut seen = 0;
        for _ in 0..50 {
            world.look(&mut memory, &desired);
            let steps = plan(Scene::new(&desired, &memory, world.now), &setting()).steps;
            seen +=
                steps.iter().take(1).filter(|s| matches!(s, Step::Proxy(ProxyStep::Reload { .. }))).count();
            round(&mut desired, &mut world, &mut memory, 1);
            world.pass(&memory, 100);
        }
        assert_eq!(seen, reloads);
        settle(&mut desired, &mut world, &mut memory);
    }
}

#[test]
fn a_refused_file_is_tried_again_when_its_refusal_has_aged() {
    let mut desired = first();
    let (mut world, mut memory) = (World::at(1_000_000), Observed::default());
    settle(&mut desired, &mut world, &mut memory);
    desired = desired.apply(&Request::Reload { proxy: PoolId::Web }).expect("a reload");
    world.look(&mut memory, &desired);
    let written = |memory: &Observed, now| {
        let steps = plan(Scene::new(&desired, memory, now), &setting()).steps;
        steps.into_iter().find_map(|step| match step {
            Step::Proxy(ProxyStep::WriteConfig { proxy: PoolId::Web, text, check: true }) => Some(text),
            _ => None,
        })
    };
    let file = written(&memory, world.now).expect("a file that is checked");
    let refuse = |memory: &mut Observed, text: ConfigText, at| {
        let why = text!("haproxy-refused-file", said = "x");
        memory.proxies.get_mut(&PoolId::Web).expect("seen").refused = Some(Refusal { text, why, at });
    };
    refuse(&mut memory, file.clone(), world.now);
    assert_eq!(written(&memory, world.now), None, "the same again");
    refuse(&mut memory, ConfigText("another".to_owned()), world.now);
    assert_eq!(written(&memory, world.now).as_ref(), Some(&file), "that was another file");
    // Something else that the check read may have been the cause.
    refuse(&mut memory, file.clone(), world.now - Refusal::HOLDS + 1);
    assert_eq!(written(&memory, world.now), None);
    refuse(&mut memory, file.clone(), world.now - Refusal::HOLDS);
    assert_eq!(written(&memory, world.now), Some(file));
}

#[test]
fn a_writer_that_lacks_its_own_transactions_stays_closed() {
    use super::{Opening, opening};
    use crate::db::{DatabaseSeen, Position};
    use crate::seen::Seen;
    let desired = first();
    let mut seen = Observed::default();
    let at = |written: &str, applied: &str| {
        Seen::At(
            10,
            DatabaseSeen {
                read_only: true,
                written: Position::parse(written).expect("a position"),
                applied: Position::parse(applied).expect("a position"),
                ..DatabaseSeen::default()
            },
        )
    };
    let db1 = desired.db.servers[0].clone();
    seen.databases.insert(name("db1"), at("1-1-5", "2-2-3"));
    assert_eq!(opening(Scene::new(&desired, &seen, 10), db1.base()), Opening::Open);
    seen.databases.insert(name("db2"), at("2-2-3,1-1-5", "1-1-5"));
    assert_eq!(opening(Scene::new(&desired, &seen, 10), db1.base()), Opening::Open);
    seen.databases.insert(name("db2"), at("2-2-3,1-1-6", "1-1-6"));
    assert!(matches!(opening(Scene::new(&desired, &seen, 10), db1.base()), Opening::Refused(_)));
    seen.databases.remove(&name("db1"));
    assert_eq!(opening(Scene::new(&desired, &seen, 10), db1.base()), Opening::Unknown);
}
