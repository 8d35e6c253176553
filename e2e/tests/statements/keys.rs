//! Somebody who has keys and no pointer. The focus is always to be seen, comes back to where a dialog was opened, and
//! is never lost.

use std::time::{Duration, Instant};

use cordee_e2e::browser::Browser;
use cordee_e2e::cluster::{ACCOUNT, Cluster, PASSWORD};
use cordee_e2e::person::Person;
use cordee_e2e::procs::Process;
use cordee_e2e::wait;
use serde::Deserialize;
use serde_json::json;

use super::{SETTLED, SHOWN, Tidy};

const TAB: &str = "\u{e004}";
const ENTER: &str = "\u{e007}";
const ESCAPE: &str = "\u{e00c}";
const UP: &str = "\u{e013}";
/// No page has more stops.
const STOPS: usize = 150;
/// From the first program to "all is well", a person's typing included.
const FIRST_RUN: Duration = Duration::from_secs(120);
/// A person types five characters in a second.
const STROKE: Duration = Duration::from_millis(200);

/// Where the focus is, and why it cannot be seen there: without a ring, out of the window, under something else.
const STOP: &str =
    "const e = document.activeElement, here = e && e !== document.body && e !== document.documentElement;
    if (!here) return { what: 'body', here, wanted: false, unseen: [] };
    const style = getComputedStyle(e), box = e.getBoundingClientRect();
    const ring = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 1;
    const [left, right] = [Math.max(box.left, 0), Math.min(box.right, innerWidth)];
    const [top, bottom] = [Math.max(box.top, 0), Math.min(box.bottom, innerHeight)];
    const inside = right - left > 1 && bottom - top > 1;
    const hit = inside && document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
    const covered = inside && !(hit && (e.contains(hit) || hit.contains(e)));
    e.stopped = true;
    const what = `${e.localName}#${e.id} ${e.getAttribute('name') ?? ''} ${e.getAttribute('href') ?? ''} ` +
        `${e.textContent.trim().slice(0, 40)}`;
    const unseen = [!ring && 'no ring', !inside && 'out of the window', covered && 'covered'].filter(Boolean);
    return { what, here, wanted: e.matches(arguments[0]), unseen };";

#[derive(Debug, Deserialize)]
#[allow(clippy::struct_excessive_bools, reason = "what the script says of one place")]
struct Stop {
    what: String,
    here: bool,
    wanted: bool,
    unseen: Vec<String>,
}

/// The keyboard of a person.
struct Keys<'a> {
    browser: &'a Browser,
}

impl Keys<'_> {
    fn of(person: &Person) -> Keys<'_> {
        Keys { browser: &person.browser }
    }

    /// Where the focus is, when it is somewhere: then it is to be seen.
    #[track_caller]
    fn stop(&self, wanted: &str) -> Stop {
        let stop = self.browser.script(STOP, &[json!(wanted)]);
        let stop: Stop = serde_json::from_value(stop).expect("a stop");
        assert!(stop.unseen.is_empty(), "the focus is not to be seen: {stop:?}");
        stop
    }

    /// The focus is there, and not only in time.
    #[track_caller]
    fn at(&self, wanted: &str) {
        let stop = self.stop(wanted);
        assert!(stop.wanted, "the focus is not at {wanted}: {stop:?}");
    }

    /// The focus comes there, once what was asked has been done.
    #[track_caller]
    fn comes_to(&self, wanted: &str) {
        wait::until(&format!("the focus comes to {wanted}"), SHOWN, || {
            let stop = self.stop(wanted);
            assert!(stop.here, "the focus is lost");
            if stop.wanted { Ok(()) } else { Err(stop) }
        });
    }

    /// Goes there from stop to stop; past the end of a page once, where the browser's own bar would be.
    #[track_caller]
    fn to(&self, wanted: &str) {
        let mut seen = Vec::new();
        for _ in 0..STOPS {
            self.browser.press(TAB);
            let stop = self.stop(wanted);
            if stop.wanted {
                return;
            }
            seen.push(stop.what);
        }
        panic!("no stop is {wanted}: {seen:#?}");
    }

    /// The same, backwards.
    #[track_caller]
    fn back_to(&self, wanted: &str) {
        for _ in 0..STOPS {
            self.browser.back_tab();
            if self.stop(wanted).wanted {
                return;
            }
        }
        panic!("no stop before is {wanted}");
    }

    #[track_caller]
    fn press(&self, keys: &str) {
        self.browser.press(keys);
    }

    /// Waits until another page is there. It begins without a focus.
    #[track_caller]
    fn page(&self, path: &str) {
        wait::until(&format!("{path} is shown"), SHOWN, || {
            let shown = self.browser.try_script("return [location.pathname, document.readyState]", &[])?;
            if shown == json!([path, "complete"]) { Ok(()) } else { Err(shown.to_string()) }
        });
    }

    /// The focus is still in the table of a server that was removed, and goes on from there.
    #[track_caller]
    fn leaves(&self, pool: &str, server: &str) {
        let table = format!("#{pool}, #{pool} *");
        self.comes_to(&table);
        if self.stop(&format!("tr[data-row={server}] *")).wanted {
            self.browser.wait_for(&format!("tr[data-row={server}][data-gone]"), SHOWN);
            self.press(TAB);
        }
        let stop = self.stop("*");
        assert!(stop.here, "the focus is lost: {stop:?}");
    }

    /// From a page of a server back to the dashboard, by its own link.
    #[track_caller]
    fn home(&self) {
        self.to(".crumb a");
        self.press(ENTER);
        self.page("/");
        self.browser.wait_for("#live[data-st=good]", SHOWN);
    }

    /// Answers the question in front: its way out has the focus, and its answer is the last stop.
    #[track_caller]
    fn answer(&self) {
        self.browser.wait_for("dialog[open] button.main", SHOWN);
        self.at("dialog[open] [data-shut]");
        self.to("dialog[open] button.main");
        self.press(ENTER);
        wait::until_true("the dialog is gone", SHOWN, || !self.browser.sees("dialog[open]"));
    }
}

/// Since the first program of this cluster was started.
fn since_the_start(cluster: &Cluster) -> Duration {
    let serve = cluster.serve().expect("serve");
    let keeper = Process::read(serve.parent).expect("its keeper");
    let uptime = std::fs::read_to_string("/proc/uptime").expect("uptime");
    let up: f64 = uptime.split(' ').next().and_then(|n| n.parse().ok()).expect("seconds");
    let ticks = rustix::param::clock_ticks_per_second();
    Duration::from_secs_f64(up).saturating_sub(Duration::from_millis(keeper.started * 1_000 / ticks))
}

pub fn the_first_run_takes_keys_alone(cluster: &Cluster) {
    let person = Person::stranger(cluster);
    person.go("/");
    assert_eq!(person.browser.path(), "/setup", "until there is an account everything leads to /setup");
    person.browser.set_cookie("cordee_lang", "en");
    person.go("/setup");
    let keys = Keys::of(&person);
    keys.at("[name=code]");
    let inputs = "return [...document.querySelectorAll('main :is(input, select, textarea)')].filter(e => \
                  e.checkVisibility() && e.type !== 'hidden').length";
    let inputs = person.browser.script(inputs, &[]).as_u64().expect("a count");
    let code = cluster.cli_ok(&["setup-code"]);
    let code = code.trim();
    for (field, typed) in [("code", code), ("name", ACCOUNT), ("password", PASSWORD)] {
        if field != "code" {
            keys.press(TAB);
        }
        keys.at(&format!("[name={field}]"));
        keys.press(typed);
    }
    keys.press(ENTER);
    // One screen, then the dashboard.
    keys.page("/");
    wait::until("all is well", SHOWN, || {
        let verdict = person.browser.text("#verdict h1").unwrap_or_default();
        if person.browser.sees("#verdict[data-st=good]") { Ok(verdict) } else { Err(verdict) }
    });
    let strokes = code.len() + ACCOUNT.len() + PASSWORD.len();
    let typing = STROKE * u32::try_from(strokes).expect("few");
    let took = since_the_start(cluster) + typing;
    println!("#   1 screen, {inputs} inputs, {:.1} s with {strokes} characters typed", took.as_secs_f64());
    assert!(inputs <= 12, "{inputs} inputs");
    assert!(took <= FIRST_RUN, "{took:?}");
}

pub fn a_day_s_work_takes_keys_alone(cluster: &Cluster) {
    let _tidy = Tidy(cluster);
    let person = Person::sign_in(cluster);
    let (browser, keys) = (&person.browser, Keys::of(&person));
    browser.wait_for("#live[data-st=good]", SHOWN);
    // Adds a web server.
    keys.to("a[data-open=add]");
    keys.press(ENTER);
    browser.wait_for("dialog#add[open]", SHOWN);
    assert!(keys.stop("dialog#add *").wanted, "the focus is in the dialog");
    keys.to("#add [name=start]");
    if !browser.sees("#start-on:checked") {
        keys.press(UP);
    }
    keys.to("#add [name=name]");
    keys.press("keyed");
    keys.press(ENTER);
    wait::until_true("the dialog is gone", SHOWN, || !browser.sees("dialog[open]"));
    keys.at("a[data-open=add]");
    person.wait_for_look("keyed", "good", SETTLED);
    // Drains it. The button that puts it back stands where the other one was.
    keys.to("tr[data-row=keyed] form[data-a=drain] button");
    keys.press(ENTER);
    person.wait_for_look("keyed", "busy", SHOWN);
    keys.comes_to("tr[data-row=keyed] form[data-a=ready] button");
    // Reads its logs.
    keys.back_to("tr[data-row=keyed] a[data-a=logs]");
    keys.press(ENTER);
    keys.page("/pools/web/servers/keyed/logs");
    keys.home();
    // Puts it back.
    keys.to("tr[data-row=keyed] form[data-a=ready] button");
    keys.press(ENTER);
    person.wait_for_look("keyed", "good", SETTLED);
    keys.comes_to("tr[data-row=keyed] form[data-a=drain] button");
    // Tests the connection, from the row's menu.
    keys.to("[popovertarget=m-keyed]");
    keys.press(ENTER);
    browser.wait_for("#m-keyed", SHOWN);
    keys.to("#m-keyed a[data-a=test]");
    keys.press(ENTER);
    keys.page("/pools/web/servers/keyed/test");
    browser.wait_for("main .tried [data-st=good]", SHOWN);
    keys.home();
    // Has sessions kept elsewhere, after a second thought; and back.
    for (mode, other) in [("database", "proxy"), ("proxy", "database")] {
        let opener = format!("a[data-keeping={mode}]");
        keys.to(&opener);
        keys.press(ENTER);
        browser.wait_for("dialog[open] button.main", SHOWN);
        keys.at("dialog[open] [data-shut]");
        keys.press(ESCAPE);
        wait::until_true("the dialog is gone", SHOWN, || !browser.sees("dialog[open]"));
        keys.at(&opener);
        assert_eq!(cluster.api().snapshot().session.as_deref(), Some(other));
        keys.press(ENTER);
        keys.answer();
        keys.at(&opener);
        wait::until("sessions are kept there", SHOWN, || {
            let kept = cluster.api().snapshot().session;
            if kept.as_deref() == Some(mode) { Ok(()) } else { Err(kept) }
        });
        browser.wait_for(&format!("{opener}[aria-current=true]"), SHOWN);
    }
    // Takes it away again: its row stays while the focus is in it, says so, and goes with the focus.
    keys.to("[popovertarget=m-keyed]");
    keys.press(ENTER);
    browser.wait_for("#m-keyed", SHOWN);
    keys.to("#m-keyed a[data-a=remove]");
    keys.press(ENTER);
    keys.answer();
    cluster.api().wait_until_gone("keyed", SETTLED);
    keys.leaves("web", "keyed");
    person.wait_until_gone("keyed", SHOWN);
    cluster.settle();
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

pub fn what_is_pressed_and_goes_leaves_the_focus_nearby(cluster: &Cluster) {
    let _tidy = Tidy(cluster);
    let person = Person::sign_in(cluster);
    let (browser, keys) = (&person.browser, Keys::of(&person));
    browser.wait_for("#live[data-st=good]", SHOWN);
    // What was done is undone by the message that tells of it.
    keys.to("tr[data-row=web2] form[data-a=drain] button");
    keys.press(ENTER);
    keys.comes_to("tr[data-row=web2] form[data-a=ready] button");
    keys.to("#toasts form button");
    keys.press(ENTER);
    person.wait_for_look("web2", "good", SETTLED);
    assert!(keys.stop("*").here, "the focus is lost with the message");
    // A message that is put away gives the focus back to where it was.
    keys.to("tr[data-row=web2] form[data-a=drain] button");
    keys.press(ENTER);
    keys.comes_to("tr[data-row=web2] form[data-a=ready] button");
    keys.to("#toasts [data-shut]");
    keys.press(ENTER);
    assert!(keys.stop("*").here, "the focus is lost with the message");
    // The button of what needs attention goes with its entry.
    keys.to("#todos form[action=\"/pools/web/servers/web2/ready\"] button");
    keys.press(ENTER);
    person.wait_for_look("web2", "good", SETTLED);
    // It stays while the focus is in it, and goes with the focus.
    assert!(keys.stop("*").here, "the focus is lost with the entry");
    browser.wait_for("#todos li[data-gone]", SHOWN);
    keys.press(TAB);
    assert!(keys.stop("*").here, "the focus is lost with the entry");
    wait::until_true("the entry is gone", SHOWN, || !browser.sees("#todos li"));
    cluster.settle();
}

/// What can have the focus, is shown, and was no stop.
const MISSED: &str = "const all = document.querySelectorAll('a[href], button, input, select, textarea, summary, \
    [tabindex=\"0\"]');
    const missed = [...all].filter((e) => e.checkVisibility() && !e.disabled && e.type !== 'hidden' && !e.stopped
        && !(e.type === 'radio' && [...document.getElementsByName(e.name)].some((one) => one.stopped)));
    return missed.map((e) => `${e.localName}#${e.id} ${e.textContent.trim().slice(0, 40)}`);";

pub fn every_stop_of_the_focus_is_seen(cluster: &Cluster) {
    cluster.settle();
    let person = Person::sign_in(cluster);
    let keys = Keys::of(&person);
    for width in [1280, 360] {
        person.browser.width(width);
        for page in ["/", "/visitors", "/config/web", "/pools/web/servers/web1/logs", "/pools/db/servers/db2"]
        {
            person.go(page);
            person.browser.wait_for("#live[data-st=good]", SHOWN);
            let mut stops = Vec::new();
            loop {
                keys.press(TAB);
                let stop = keys.stop("*");
                // Behind the last one is the browser's own bar, where it has one.
                if !stop.here || stops.first() == Some(&stop.what) {
                    break;
                }
                stops.push(stop.what);
                assert!(stops.len() < STOPS, "{page} has no end: {stops:#?}");
            }
            let missed = person.browser.script(MISSED, &[]);
            println!("#   {page} at {width}: {} stops", stops.len());
            assert!(stops.len() > 5, "{page}: {stops:?}");
            assert_eq!(missed, json!([]), "{page} at {width}: no stops of the focus");
        }
    }
}

pub fn a_database_is_removed_with_keys_alone(cluster: &Cluster) {
    let person = Person::sign_in(cluster);
    let (browser, keys) = (&person.browser, Keys::of(&person));
    browser.wait_for("#live[data-st=good]", SHOWN);
    let standby = cluster.api().snapshot().servers.into_iter().find(|s| s.role.as_deref() == Some("standby"));
    let name = standby.expect("a standby").name;
    let begun = Instant::now();
    keys.to(&format!("[popovertarget=m-{name}]"));
    keys.press(ENTER);
    browser.wait_for(&format!("#m-{name}"), SHOWN);
    keys.to(&format!("#m-{name} a[data-a=remove]"));
    keys.press(ENTER);
    browser.wait_for("dialog[open] [name=confirm]", SHOWN);
    keys.at("dialog[open] [data-shut]");
    keys.back_to("dialog[open] [name=confirm]");
    keys.press(&name);
    keys.press(ENTER);
    wait::until_true("the dialog is gone", SHOWN, || !browser.sees("dialog[open]"));
    cluster.api().wait_until_gone(&name, SETTLED);
    println!("#   {name} is gone {:.1} s after the first key", begun.elapsed().as_secs_f64());
    keys.leaves("db", &name);
    person.wait_until_gone(&name, SHOWN);
}
