//! How soon an open page says what happened, with one tab and with twelve; what it says while nobody tells it anything;
//! and what stays in its place however much changes.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed expectation is how a test ends")]

mod still;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use cordee_e2e::case;
use cordee_e2e::cluster::Cluster;
use cordee_e2e::haproxy::{self, Meter};
use cordee_e2e::person::Person;
use cordee_e2e::procs::Frozen;
use cordee_e2e::suite::File;
use cordee_e2e::visitors::{Manner, Stranger};
use cordee_e2e::wait;
use rustix::process::Signal;
use serde_json::{Value, json};

use still::{
    CHANNEL, a_page_is_still_under_the_hand_whatever_the_order,
    what_somebody_has_begun_survives_a_thousand_updates, where_a_finger_was_is_no_hand,
};

const SHOWN: Duration = Duration::from_secs(10);
/// From HAProxy's change to the row's words: of a hundred changes, 95 within a second, and none later than two.
const MOSTLY: u64 = 1_000;
const ALWAYS: u64 = 2_000;
/// How soon a tab can be used, also the twelfth.
const LOADED: Duration = Duration::from_secs(2);
const TABS: usize = 12;
/// How soon nothing old looks like the present.
const STALE: Duration = Duration::from_secs(6);
/// How soon everything is right once somebody tells it again.
const RIGHT: Duration = Duration::from_secs(3);

/// Its cases.
pub fn file() -> File {
    File::new(
        "pace",
        &[],
        &[
            case!(fifty_servers_that_go_down_are_shown_so_within_a_second),
            case!(twelve_tabs_are_as_quick_as_one_and_cost_haproxy_nothing_more),
            case!(twelve_tabs_without_locks_load_too),
            case!(without_locks_a_tab_has_a_stream_only_while_it_is_looked_at),
            case!(what_nobody_has_told_yet_does_not_look_live),
            case!(a_paused_page_shows_afterwards_what_became_of_a_run),
            case!(without_cordee_the_page_knows_nothing_and_misses_nothing),
            case!(a_page_is_still_under_the_hand_whatever_the_order),
            case!(what_somebody_has_begun_survives_a_thousand_updates),
            case!(where_a_finger_was_is_no_hand),
        ],
    )
}

// ---- how soon

/// Together they are what one part of the table holds, with the two that are there.
const DOORS: usize = 10;
const ROUNDS: usize = 5;
/// Between two questions to HAProxy: so much too early its change may seem to be.
const ASK: Duration = Duration::from_millis(5);

/// Milliseconds of the machine's clock, which the browser's is too.
fn clock() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    u64::try_from(since.as_millis()).expect("milliseconds")
}

/// When HAProxy called each server down: the last moment at which it still said otherwise.
struct Downs {
    seen: Arc<Mutex<BTreeMap<String, Vec<u64>>>>,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Downs {
    fn watch(cluster: &Cluster) -> Self {
        let (seen, over) =
            (Arc::<Mutex<BTreeMap<String, Vec<u64>>>>::default(), Arc::<AtomicBool>::default());
        let socket = haproxy::socket(cluster, "web");
        let thread = std::thread::spawn({
            let (seen, over) = (Arc::clone(&seen), Arc::clone(&over));
            move || {
                let (mut up, mut asked) = (BTreeMap::<String, bool>::new(), clock());
                while !over.load(Ordering::Relaxed) {
                    let now = clock();
                    for (server, is_up) in running(&socket) {
                        let was_up = up.insert(server.clone(), is_up);
                        if was_up == Some(true) && !is_up {
                            seen.lock().expect("downs").entry(server).or_default().push(asked);
                        }
                    }
                    asked = now;
                    std::thread::sleep(ASK);
                }
            }
        });
        Self { seen, over, thread: Some(thread) }
    }

    fn of(&self, server: &str) -> Vec<u64> {
        self.seen.lock().expect("downs").get(server).cloned().unwrap_or_default()
    }
}

impl Drop for Downs {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// Every web server, and whether HAProxy has it running (state 2 of `show servers state`).
fn running(socket: &str) -> Vec<(String, bool)> {
    let text = haproxy::ask(socket, "show servers state web").unwrap_or_default();
    let rows = text.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    rows.filter(|row| row.get(1) == Some(&"web")).map(|row| (row[3].to_owned(), row[5] == "2")).collect()
}

/// Notes when a row's words begin to say that a server is down, by the browser's clock.
const NOTES: &str = "const last = {}; window.downs = {};
    const look = () => {
        for (const row of document.querySelectorAll('#rows-web tr')) {
            const name = row.dataset.row, word = row.querySelector('[data-f=\"status.word\"]').textContent;
            if (word === 'Down' && last[name] && last[name] !== word) (window.downs[name] ??= []).push(Date.now());
            last[name] = word;
        }
    };
    look();
    new MutationObserver(look).observe(document.getElementById('rows-web'),
        { subtree: true, childList: true, characterData: true });";

fn fifty_servers_that_go_down_are_shown_so_within_a_second(cluster: &Cluster) {
    cluster.settle();
    let api = cluster.api();
    let names: Vec<String> = (1..=DOORS).map(|n| format!("door{n}")).collect();
    let mut doors: Vec<Stranger> = (0..DOORS).map(|_| Stranger::new(Manner::Good("door"))).collect();
    let ports: Vec<u16> = doors.iter().map(Stranger::port).collect();
    for (name, port) in names.iter().zip(&ports) {
        let body = json!({ "name": name, "address": "127.0.0.1", "port": port });
        let reply = api.post("/v1/pools/web/servers", &body);
        assert!(reply.ok(), "{reply:?}");
    }
    cluster.settle();
    let person = Person::sign_in(cluster);
    let browser = &person.browser;
    browser.wait_for("#live[data-st=good]", SHOWN);
    for name in &names {
        person.wait_for_look(name, "good", SHOWN);
    }
    browser.script(NOTES, &[]);
    let downs = Downs::watch(cluster);
    let shown = |name: &str| -> Vec<u64> {
        let all = browser.script("return window.downs[arguments[0]] ?? []", &[json!(name)]);
        all.as_array().into_iter().flatten().filter_map(Value::as_u64).collect()
    };
    let mut late = Vec::new();
    for round in 0..ROUNDS {
        drop(std::mem::take(&mut doors));
        for name in &names {
            let told = || match (downs.of(name), shown(name)) {
                (down, shown) if down.len() > round && shown.len() > round => Ok((down, shown)),
                (down, shown) => Err(format!("round {round}: {down:?}, {shown:?}")),
            };
            let ((down, shown), _) = wait::until(&format!("{name} is down and shown so"), SHOWN, told);
            assert_eq!((down.len(), shown.len()), (round + 1, round + 1), "{name}: {down:?}, {shown:?}");
            late.push(shown[round].saturating_sub(down[round]));
        }
        doors = ports
            .iter()
            .map(|port| Stranger::at(&format!("127.0.0.1:{port}"), Manner::Good("door")))
            .collect();
        for name in &names {
            person.wait_for_look(name, "good", SHOWN);
        }
    }
    drop(downs);
    for name in &names {
        api.delete(&format!("/v1/pools/web/servers/{name}"));
    }
    cluster.settle();
    late.sort_unstable();
    let at = |percent: usize| late[(late.len() * percent).div_ceil(100) - 1];
    println!("#   {} changes: median {} ms, p95 {} ms, most {} ms", late.len(), at(50), at(95), at(100));
    assert_eq!(late.len(), DOORS * ROUNDS);
    assert!(at(95) <= MOSTLY && at(100) <= ALWAYS, "{late:?}");
}

// ---- twelve tabs

/// Opens the dashboard in the tab that is looked at; how long until it is followed live.
#[track_caller]
fn load(person: &Person) -> Duration {
    let begun = Instant::now();
    person.go("/");
    person.browser.wait_for("#live[data-st=good]", SHOWN);
    begun.elapsed()
}

/// Eleven tabs more, each of which loads in time.
#[track_caller]
fn eleven_more(person: &Person) -> Vec<String> {
    let mut tabs = vec![person.browser.this_tab()];
    let mut took = vec![load(person)];
    while tabs.len() < TABS {
        tabs.push(person.browser.new_tab());
        took.push(load(person));
    }
    let ms: Vec<u128> = took.iter().map(Duration::as_millis).collect();
    println!("#   until each is live, in ms: {ms:?}");
    assert!(took.iter().all(|t| *t <= LOADED), "{ms:?}");
    tabs
}

/// What is done in one tab is done, and seen in another one.
#[track_caller]
fn acts_in_one_is_seen_in_the_other(cluster: &Cluster, person: &Person, here: &str, there: &str) {
    person.browser.tab(here);
    person.ask("web", "web1", "drain");
    person.wait_for_look("web1", "busy", SHOWN);
    person.browser.tab(there);
    person.wait_for_look("web1", "busy", SHOWN);
    person.browser.tab(here);
    person.ask("web", "web1", "ready");
    person.wait_for_look("web1", "good", SHOWN);
    cluster.settle();
}

fn twelve_tabs_are_as_quick_as_one_and_cost_haproxy_nothing_more(cluster: &Cluster) {
    const DURING: Duration = Duration::from_secs(6);
    cluster.settle();
    let person = Person::sign_in(cluster);
    let meter = Meter::before(cluster, "web");
    let one = meter.count(DURING);
    let tabs = eleven_more(&person);
    let twelve = meter.count(DURING);
    drop(meter);
    // For a moment the socket refused: what was not looked at may ask before it acts.
    cluster.settle();
    println!("#   {one} commands in {} s with one tab, {twelve} with twelve", DURING.as_secs());
    assert!(one > 10, "the meter counts nothing: {one}");
    // One look at HAProxy is four commands; one more may fall into the time.
    assert!(twelve <= one + 4, "{one} and {twelve}");
    acts_in_one_is_seen_in_the_other(cluster, &person, &tabs[TABS - 1], &tabs[0]);
    // The one that reads for all of them goes: another one does it from then on.
    person.browser.tab(&tabs[0]);
    person.browser.close_tab();
    acts_in_one_is_seen_in_the_other(cluster, &person, &tabs[TABS - 1], &tabs[1]);
}

/// Over plain HTTP from another machine browsers have no locks: each tab that is looked at has a stream of its own.
fn twelve_tabs_without_locks_load_too(cluster: &Cluster) {
    cluster.settle();
    let person = Person::sign_in_by_name(cluster);
    let locks = person.browser.script("return [isSecureContext, navigator.locks === undefined]", &[]);
    assert_eq!(locks, json!([false, true]), "this proves nothing more than the case before");
    let tabs = eleven_more(&person);
    acts_in_one_is_seen_in_the_other(cluster, &person, &tabs[TABS - 1], &tabs[0]);
}

/// A browser in which a tab is looked at when the test says so, and which counts the page's streams.
const HIDDEN: &str = "window.away = true;
    Object.defineProperty(document, 'hidden', { get: () => window.away });
    const Real = window.EventSource;
    window.streams = [];
    window.EventSource = class extends Real { constructor(to) { super(to); window.streams.push(this); } };";

fn without_locks_a_tab_has_a_stream_only_while_it_is_looked_at(cluster: &Cluster) {
    cluster.settle();
    let person = Person::sign_in_by_name(cluster);
    let browser = &person.browser;
    browser.before_each_page(HIDDEN);
    person.go("/");
    let open = "return window.streams.filter(one => one.readyState !== EventSource.CLOSED).length";
    let turn = "window.away = arguments[0]; document.dispatchEvent(new Event('visibilitychange'))";
    let streams = || browser.script(open, &[]);
    assert_eq!(streams(), json!(0), "one that was opened behind another one");
    // A browser may say twice that it is looked at.
    for away in [false, false, true, false] {
        browser.script(turn, &[json!(away)]);
        assert_eq!(streams(), json!(u8::from(!away)), "hidden: {away}");
    }
    browser.wait_for("#live[data-st=good]", SHOWN);
    assert_eq!(streams(), json!(1));
}

// ---- without Cordée

/// A stream that says nothing.
const MUTE: &str = "window.EventSource = class { addEventListener() {} close() {} }";

fn what_nobody_has_told_yet_does_not_look_live(cluster: &Cluster) {
    cluster.settle();
    let person = Person::sign_in(cluster);
    person.browser.before_each_page(MUTE);
    person.go("/");
    // The ages are written twice until then.
    wait::until("it says that it knows nothing", STALE, || {
        let look = person.browser.script("return document.getElementById('live').dataset.st ?? null", &[]);
        assert!(look == json!("unknown") || look == Value::Null, "nobody told it anything: {look}");
        if person.browser.sees("#lost") { Ok(()) } else { Err(look) }
    });
}

/// What the leading tab would pass on.
const PASS: &str =
    "const channel = new BroadcastChannel(arguments[0]); channel.postMessage(arguments[1]); channel.close()";

fn a_paused_page_shows_afterwards_what_became_of_a_run(cluster: &Cluster) {
    cluster.settle();
    let person = Person::sign_in(cluster);
    let browser = &person.browser;
    person.go("/drills");
    browser.wait_for("#live[data-st=good]", SHOWN);
    person.mark();
    browser.click("#pause");
    let channel = browser.script(CHANNEL, &[]);
    let run = json!({ "doing": "It falls.", "done": 0, "findings": [] });
    browser.script(PASS, &[channel, json!({ "name": "drill", "data": run })]);
    let mark = || browser.try_script("return window.markOfTheTest ?? null", &[]).unwrap_or(json!(true));
    wait::always("it stays as it is", Duration::from_millis(1_500), || match mark() {
        Value::Bool(true) => Ok(()),
        other => Err(other),
    });
    // A run that this page does not have: it is asked for again.
    browser.click("#pause");
    wait::until_true("the page is another one", SHOWN, || mark() == Value::Null);
}

/// The lines of the journal that the page shows, newest first.
fn lines(person: &Person) -> Vec<u64> {
    let ids = "return [...document.querySelectorAll('#events > li')].map(line => Number(line.dataset.event))";
    let found = person.browser.try_script(ids, &[]).unwrap_or_default();
    found.as_array().into_iter().flatten().filter_map(Value::as_u64).collect()
}

fn without_cordee_the_page_knows_nothing_and_misses_nothing(cluster: &Cluster) {
    cluster.settle();
    let person = Person::sign_in(cluster);
    person.browser.wait_for("#live[data-st=good]", SHOWN);
    person.mark();
    let api = cluster.api();
    let before = api.last_event();
    let serve = cluster.serve().expect("serve");
    let keeper = cluster.processes().into_iter().find(|p| p.pid == serve.parent).expect("its keeper");
    let web2 = api.snapshot().server("web2").pid.expect("web2 runs");
    let alone = Frozen::one(cluster.home(), keeper.pid);
    cluster.signal(serve.pid, Signal::KILL);
    let gone = Instant::now();
    // What happens meanwhile is told afterwards.
    cluster.signal_group(web2, Signal::KILL);
    let took = wait::until_true("the banner says so, and nothing is shown as fine", STALE, || {
        person.browser.sees("#lost") && person.shown_as_fine().is_empty()
    });
    let verdict = person.browser.text("#verdict h1").unwrap_or_default();
    println!("#   {verdict:?} {} ms after Cordée ended", took.as_millis());
    assert!(verdict.contains("State unknown"), "{verdict}");
    wait::always("it stays so", STALE.saturating_sub(gone.elapsed()), || match person.shown_as_fine() {
        fine if fine.is_empty() => Ok(()),
        fine => Err(fine),
    });
    drop(alone);
    wait::until("Cordée answers again", SHOWN, || api.try_snapshot());
    let back = Instant::now();
    wait::until("the page knows again", RIGHT, || {
        let snapshot = api.try_snapshot()?;
        let row = person.row("web1").ok_or("no row")?;
        let known = !person.browser.sees("#lost") && row.look == "good";
        let verdict = person.browser.text("#verdict h1").unwrap_or_default();
        if known && verdict == snapshot.verdict.word { Ok(()) } else { Err(format!("{verdict}, {row:?}")) }
    });
    println!("#   right {} ms after it answered again", back.elapsed().as_millis());
    cluster.settle();
    person.wait_for_look("web2", "good", SHOWN);
    person.assert_not_reloaded();
    let told = api.events_after(before);
    assert!(told.iter().any(|e| e.subject == "web2"), "{told:#?}");
    wait::until("the page has the journal's last lines, each once", SHOWN, || {
        let mut newest: Vec<u64> = api.history(8).iter().map(|e| e.id).collect();
        newest.sort_unstable_by(|a, b| b.cmp(a));
        let shown = lines(&person);
        if shown == newest { Ok(()) } else { Err(format!("{shown:?} for {newest:?}")) }
    });
}
