//! The dashboard is light: with two web servers, with thirty, and with a thousand that change. It needs little of a
//! browser, answers a hand at once, and while nothing happens it does next to nothing. Milliseconds and counts are of
//! this machine, so nothing else runs meanwhile.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed expectation is how a test ends")]

use std::time::Duration;

use cordee_e2e::case;
use cordee_e2e::cluster::Cluster;
use cordee_e2e::crowd::Crowd;
use cordee_e2e::person::Person;
use cordee_e2e::stage::Stage;
use cordee_e2e::suite::File;
use cordee_e2e::weight::{
    self, CHANGES, GROWS, Loaded, NODES, OCTETS, SERVERS, STYLES, TASK_MS, TOLD, USABLE_MS,
};

const SHOWN: Duration = Duration::from_secs(10);
/// For so long the page is left alone.
const REST: Duration = Duration::from_secs(30);

/// Its cases.
pub fn file() -> File {
    File::new(
        "light",
        &[],
        &[
            case!(two_servers_at_rest),
            case!(thirty_servers_and_at_rest),
            case!(a_thousand_servers_of_which_a_hundred_change_each_second),
            case!(a_third_of_a_thousand_servers_falls_at_once),
        ],
    )
}

/// How much else the machine does: what disturbs a measurement stands beside it.
fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().next().unwrap_or("?").to_owned()
}

/// Opens the dashboard as somebody who has never seen it, and says what is too much of it. The stream is part of what
/// comes.
#[track_caller]
fn weigh(person: &Person, stream: usize, what: &str) -> Loaded {
    let page = weight::load(&person.browser, &person.address("/"));
    let octets = page.octets + u64::try_from(stream).unwrap();
    println!("#   {what}: {page:?}, {stream} octets of the stream at once, load {}", load());
    assert!(page.nodes <= NODES, "{what}: {} elements", page.nodes);
    assert!(page.usable <= USABLE_MS, "{what}: usable after {} ms", page.usable);
    assert!(octets <= OCTETS, "{what}: {octets} octets, {stream} of them of the stream");
    page
}

#[track_caller]
fn no_long_task(what: &str, tasks: &[(u64, u64)]) {
    let worst = weight::longest(tasks);
    assert!(worst <= TASK_MS, "{what}: tasks of {tasks:?} (begun, took), load {}", load());
}

/// Leaves the page alone. Whatever happened meanwhile is said: a page to which something happens is not at rest.
#[track_caller]
fn rest(cluster: &Cluster, person: &Person, what: &str) {
    let before = cluster.api().last_event();
    let work = weight::watch(&person.browser, REST);
    let told = cluster.api().events_after(before);
    println!("#   {what} at rest: {work:?}, load {}, told meanwhile: {}", load(), told.len());
    // Twice the same age is no writing: where looks and beats go in step, the verdict's numbers show that the page
    // lives.
    let written = work.ages.max(work.told);
    assert!(written > 0.5 && written < 1.5, "{what}: it is written once a second: {work:?}");
    assert!(work.styles < STYLES, "{what}: {work:?}, load {}, told meanwhile: {told:#?}", load());
    no_long_task(what, &work.long);
}

/// A person who is weighed from the first page on.
fn person(cluster: &Cluster) -> Person {
    let person = Person::sign_in(cluster);
    weight::prepare(&person.browser);
    person
}

fn two_servers_at_rest(cluster: &Cluster) {
    cluster.settle();
    let person = person(cluster);
    weight::load(&person.browser, &person.address("/"));
    rest(cluster, &person, "two servers");
    let page = weigh(&person, weight::greeting(cluster.page(), &cluster.session()), "two servers");
    no_long_task("two servers", &page.long);
}

fn thirty_servers_and_at_rest(cluster: &Cluster) {
    let _crowd = Crowd::gather(cluster);
    let person = person(cluster);
    weight::load(&person.browser, &person.address("/"));
    rest(cluster, &person, "thirty servers");
    // The pointer lies on a row, as it does when somebody reads.
    person.browser.point_at("#rows-web tr:nth-child(3) th");
    rest(cluster, &person, "thirty servers under a pointer");
    let page = weigh(&person, weight::greeting(cluster.page(), &cluster.session()), "thirty servers");
    no_long_task("thirty servers", &page.long);
}

fn a_thousand_servers_of_which_a_hundred_change_each_second(_: &Cluster) {
    let mut stage = Stage::open(SERVERS);
    let person = stage.person();
    weight::prepare(&person.browser);
    let page = weigh(&person, weight::greeting(stage.page(), stage.session()), "a thousand");
    no_long_task("a thousand", &page.long);
    assert_eq!(person.browser.text("[data-count=web]").as_deref(), Some("1000"));
    let before = weight::heap(&person.browser);
    stage.change(CHANGES);
    person.browser.wait_for("#verdict[data-st=warn]", SHOWN);
    let work = weight::watch(&person.browser, REST);
    let after = weight::heap(&person.browser);
    println!(
        "#   {CHANGES} of {SERVERS} changing: {work:?}, heap {before} before and {after} after, load {}",
        load()
    );
    assert!(work.told >= TOLD, "the page does not follow: {work:?}, load {}", load());
    no_long_task("a thousand, changing", &work.long);
    let nodes = weight::read(&person.browser).nodes;
    assert!(nodes <= NODES, "{nodes} elements");
    assert!(after < before + GROWS, "the heap grew from {before} to {after} octets");
}

fn a_third_of_a_thousand_servers_falls_at_once(_: &Cluster) {
    let mut stage = Stage::open(SERVERS);
    let person = stage.person();
    let browser = &person.browser;
    weight::prepare(browser);
    weight::load(browser, &person.address("/"));
    // Somebody has the pointer on a row: what is there has to stay.
    browser.point_at("#rows-web tr:nth-child(3) [popovertarget]");
    for falls in [true, false] {
        stage.turn(falls);
        weight::wait_for_third(browser, falls);
        let says = browser.text("#verdict p").unwrap_or_default();
        assert!(says.len() < 200, "{says}");
    }
    let work = weight::watch(browser, Duration::from_secs(5));
    let page = weight::read(browser);
    println!("#   a third fell and rose: {page:?}, then {work:?}, load {}", load());
    no_long_task("a third fell and rose", &page.long);
    assert!(page.nodes <= NODES, "{} elements", page.nodes);
}
