//! What somebody reads or points at: names lead to their pages, and nothing goes, turns or moves under a hand.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed expectation is how a test ends")]

mod gallery;

use std::time::Duration;

use cordee_e2e::axe;
use cordee_e2e::browser::Browser;
use cordee_e2e::case;
use cordee_e2e::cluster::Cluster;
use cordee_e2e::http::Client;
use cordee_e2e::looks;
use cordee_e2e::person::Person;
use cordee_e2e::suite::{Case, File};
use cordee_e2e::visitors::closed_port;
use cordee_e2e::wait;
use serde_json::{Value, json};

use gallery::every_page_for_the_eye;

const SHOWN: Duration = Duration::from_secs(10);

/// Its cases.
pub fn file() -> File {
    const ALL: &[Case] = &[
        case!(every_page_for_the_eye),
        case!(names_in_lines_and_causes_lead_to_their_pages),
        case!(the_last_row_under_the_hand_stays_until_the_hand_leaves),
        case!(a_row_whose_server_is_gone_leaves_no_other_one_under_the_pointer),
        case!(an_entry_under_the_hand_is_not_another_one_all_at_once),
        case!(the_address_is_written_seldom_and_a_browser_that_refuses_stops_nothing),
        case!(who_reads_old_lines_of_a_full_log_is_not_moved),
    ];
    // The first one takes pictures and nothing else: it is no case where nobody wants any.
    File::new("reading", &[], if looks::folder().is_some() { ALL } else { &ALL[1..] })
}

#[track_caller]
fn dashboard(cluster: &Cluster, address: &str) -> Person {
    cluster.settle();
    let person = Person::sign_in(cluster);
    person.go(address);
    person.browser.wait_for("#live[data-st=good]", SHOWN);
    person.mark();
    person
}

/// Adds somebody else's web server that does not answer.
#[track_caller]
fn add_closed(cluster: &Cluster, name: &str) {
    let body = json!({ "name": name, "address": "127.0.0.1", "port": closed_port() });
    let reply = cluster.api().post("/v1/pools/web/servers", &body);
    assert!(reply.ok(), "{reply:?}");
}

/// Waits until a selector finds something visible, or nothing.
#[track_caller]
fn wait_for(browser: &Browser, css: &str, there: bool) {
    wait::until_true(&format!("{css}: {there}"), SHOWN, || browser.sees(css) == there);
}

// ---- names

/// The sentences of the last lines, by their numbers, as they are in the page.
const LINES: &str = "return Object.fromEntries([...document.querySelectorAll('#events [data-event]')].map(
    line => [line.dataset.event, line.querySelector('[data-e=text]').outerHTML]))";

/// Causes likewise.
const CAUSES: &str = "return Object.fromEntries([...document.querySelectorAll('#todos [data-cause]')].map(
    entry => [entry.dataset.cause, [...entry.querySelectorAll('[data-c], .say')].map(cell => cell.outerHTML)]))";

/// What the script put there is what the server prints.
#[track_caller]
fn as_printed(person: &Person, what: &str) {
    let live = [LINES, CAUSES].map(|script| person.browser.script(script, &[]));
    person.browser.allow_scripts(false);
    person.go("/");
    let printed = [LINES, CAUSES].map(|script| person.browser.script(script, &[]));
    person.browser.allow_scripts(true);
    for (live, printed) in live.iter().zip(&printed) {
        let live = live.as_object().expect("some");
        let both = live.iter().filter(|(key, _)| !printed[key.as_str()].is_null());
        let wrong: Vec<_> = both.clone().filter(|(key, html)| printed[key.as_str()] != **html).collect();
        assert!(wrong.is_empty(), "{what}: {wrong:?}\n{printed:#}");
    }
    assert!(!live[0].as_object().expect("lines").is_empty(), "no line proves nothing");
    person.go("/");
    person.browser.wait_for("#live[data-st=good]", SHOWN);
}

fn names_in_lines_and_causes_lead_to_their_pages(cluster: &Cluster) {
    let person = dashboard(cluster, "/");
    let browser = &person.browser;
    add_closed(cluster, "shut");
    cluster.cli_ok(&["maintenance", "web2"]);
    cluster.api().act("/v1/proxies/web/reload");
    wait_for(browser, "#events a[href='/pools/web/servers/web2'][data-server=web2]", true);
    wait_for(browser, "#events a[href='/config/web']:not([data-server])", true);
    wait_for(browser, "#todos h3 a[href='/pools/web/servers/shut']", true);
    wait_for(browser, "#todos .say a[href='/pools/web/servers/shut']", true);
    wait_for(browser, "#verdict p a[href='/pools/web/servers/shut']", true);
    person.assert_not_reloaded();
    as_printed(&person, "live");
    names_look(&person);
    browser.click("#events a[data-server=web2]");
    wait::until_true("the page of web2", SHOWN, || browser.path() == "/pools/web/servers/web2/logs");
    person.go("/pools/db/servers/db1");
    assert!(browser.sees("#about a[href='/pools/db/servers/db1']"), "{:?}", browser.text("#about"));

    // What is no more is text, at once and on every page.
    person.go("/");
    wait_for(browser, "#events a[data-server=shut][href]", true);
    cluster.api().delete("/v1/pools/web/servers/shut");
    wait_for(browser, "#events a[data-server=shut][href]", false);
    assert!(browser.sees("#events a[data-server=shut]"), "{:?}", browser.text("#events"));
    as_printed(&person, "one that is gone");
    person.go("/journal");
    assert!(
        browser.sees("main a[data-server=shut]:not([href])")
            && !browser.sees("main a[data-server=shut][href]")
    );
    // And leads there again when it comes again, on whatever page.
    person.mark();
    browser.wait_for("#live[data-st=good]", SHOWN);
    add_closed(cluster, "shut");
    wait_for(browser, "main a[href='/pools/web/servers/shut']", true);
    person.assert_not_reloaded();
    cluster.api().delete("/v1/pools/web/servers/shut");
    cluster.cli_ok(&["ready", "web2"]);
    cluster.settle();
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

/// Both pages in both languages, widths and themes: what axe finds, and what is wider than the screen.
#[track_caller]
fn names_look(person: &Person) {
    let (browser, mut found) = (&person.browser, Vec::new());
    for language in ["fr", "en"] {
        browser.set_cookie("cordee_lang", language);
        for width in [360, 1280] {
            browser.width(width);
            for (page, name) in
                [("/", "dashboard"), ("/journal", "journal"), ("/pools/db/servers/db1", "db1")]
            {
                person.go(page);
                browser.wait_for("#live[data-st=good]", SHOWN);
                for theme in ["light", "dark"] {
                    browser.theme(theme);
                    let look = format!("{page} {language} {theme} {width}");
                    found.extend(axe::violations(browser).into_iter().map(|v| format!("{look}: {v}")));
                    found.extend(looks::too_wide(browser).map(|over| format!("{look}: {over} px too wide")));
                    looks::keep(browser, &format!("names {name} {language} {theme} {width}"));
                }
            }
        }
    }
    browser.theme("light");
    browser.set_cookie("cordee_lang", "en");
    browser.width(1280);
    person.go("/");
    browser.wait_for("#live[data-st=good]", SHOWN);
    assert!(found.is_empty(), "{} findings: {found:#?}", found.len());
}

// ---- under the hand

/// Where the first visible element stands in the window.
#[track_caller]
fn top(browser: &Browser, css: &str) -> f64 {
    let script = "return [...document.querySelectorAll(arguments[0])].find(e => \
        e.checkVisibility())?.getBoundingClientRect().top";
    browser.script(script, &[json!(css)]).as_f64().unwrap_or_else(|| panic!("{css} is not in sight"))
}

fn the_last_row_under_the_hand_stays_until_the_hand_leaves(cluster: &Cluster) {
    for by_keys in [false, true] {
        cluster.settle();
        cluster.cli_ok(&["drain", "web2"]);
        let person = dashboard_of_drained(cluster);
        let browser = &person.browser;
        let button = "tr[data-row=web2] [popovertarget=m-web2]";
        if by_keys {
            browser.script("document.querySelector(arguments[0]).focus()", &[json!(button)]);
            browser.press("\u{e008}");
        } else {
            browser.point_at(button);
        }
        let before = top(browser, button);
        cluster.cli_ok(&["ready", "web2"]);
        person.wait_for_look("web2", "good", SHOWN);
        let moved = top(browser, button) - before;
        assert!(moved.abs() < 2.0, "keys {by_keys}: the only row that was found moved by {moved}");
        assert!(!browser.sees("[data-none=web]"), "it says that there is nothing");
        if by_keys {
            browser.script("document.querySelector('.brand').focus()", &[]);
        } else {
            browser.point_at(".brand");
        }
        wait_for(browser, "[data-none=web]", true);
        assert!(!browser.sees("#web table"), "the table without rows");
        person.assert_not_reloaded();
    }
    cluster.settle();
}

/// The dashboard with those web servers that are draining.
#[track_caller]
fn dashboard_of_drained(cluster: &Cluster) -> Person {
    let person = Person::sign_in(cluster);
    person.go("/?web-q=Draining");
    person.browser.wait_for("#live[data-st=good]", SHOWN);
    wait_for(&person.browser, "tr[data-row=web2]", true);
    assert!(!person.browser.sees("tr[data-row=web1]"), "web1 is not draining");
    person.mark();
    person
}

fn a_row_whose_server_is_gone_leaves_no_other_one_under_the_pointer(cluster: &Cluster) {
    cluster.settle();
    add_closed(cluster, "shut");
    add_closed(cluster, "shut2");
    // The causes above the tables come before.
    cluster.api().wait_for_severity("shut2", "critical", Duration::from_secs(20));
    let person = Person::sign_in(cluster);
    let browser = &person.browser;
    let button = "tr[data-row=shut] [popovertarget=m-shut]";
    wait_for(browser, "tr[data-row=shut2]", true);
    person.wait_for_look("shut2", "crit", SHOWN);
    browser.point_at(button);
    let before = (top(browser, button), top(browser, "tr[data-row=shut2]"));
    cluster.api().delete("/v1/pools/web/servers/shut");
    wait::until("it is said of the row", SHOWN, || match person.row("shut") {
        Some(row) if row.words.starts_with("Removed") => Ok(()),
        row => Err(row),
    });
    let after = (top(browser, button), top(browser, "tr[data-row=shut2]"));
    let moved = (after.0 - before.0).abs().max((after.1 - before.1).abs());
    assert!(moved < 2.0, "from {before:?} to {after:?}");
    assert_eq!(browser.text("[data-count=web]").as_deref(), Some("3"), "it is not counted");
    browser.point_at(".brand");
    person.wait_until_gone("shut", SHOWN);
    cluster.api().delete("/v1/pools/web/servers/shut2");
    person.wait_until_gone("shut2", SHOWN);
    cluster.settle();
}

/// The button that a person is about to press belongs to a cause that goes, with another one behind it.
fn an_entry_under_the_hand_is_not_another_one_all_at_once(cluster: &Cluster) {
    cluster.settle();
    let person = dashboard(cluster, "/");
    let browser = &person.browser;
    cluster.cli_ok(&["stop", "db2", "--no-wait"]);
    cluster.cli_ok(&["maintenance", "web2"]);
    let first = "#todos form[action='/pools/web/servers/web2/ready'] button";
    let other = "#todos form[action='/pools/db/servers/db2/start'] button";
    wait_for(browser, first, true);
    wait_for(browser, other, true);
    // Pressed and not let go yet: the focus is there too.
    browser.point_at(first);
    browser.button(true);
    let before = (top(browser, first), top(browser, other));
    cluster.cli_ok(&["ready", "web2"]);
    // On its way back web2 is another cause for a moment.
    let count = || browser.text("[data-count=todo]").unwrap_or_default();
    let says = || browser.text("#todos [data-gone]").unwrap_or_default();
    wait::until("the entry is out of date, and the other one all that is left", SHOWN, || {
        let seen = (says(), count());
        if seen.0.contains("Out of date") && seen.1 == "1" { Ok(()) } else { Err(seen) }
    });
    let after = (top(browser, first), top(browser, other));
    let moved = (after.0 - before.0).abs().max((after.1 - before.1).abs());
    assert!(moved < 2.0, "from {before:?} to {after:?}");
    browser.point_at(".brand");
    browser.button(false);
    wait_for(browser, "#todos [data-gone]", false);
    let focus = browser.script("return document.activeElement.closest('#main')?.id ?? null", &[]);
    assert_eq!(focus, json!("main"), "the focus went with the entry");
    cluster.cli_ok(&["start", "db2"]);
    cluster.settle();
    wait_for(browser, "[data-empty=todo]", true);
}

/// Counts how often the address is written.
const COUNT: &str = "window.writes = 0;
    const real = history.replaceState;
    history.replaceState = function (...all) { window.writes += 1; return real.apply(this, all); };";

/// Refuses, as a browser does to whom it was too much.
const REFUSE: &str =
    "history.replaceState = () => { window.writes += 1; throw new DOMException('', 'SecurityError'); };";

fn the_address_is_written_seldom_and_a_browser_that_refuses_stops_nothing(cluster: &Cluster) {
    let person = dashboard(cluster, "/?web-q=x");
    let browser = &person.browser;
    let field = |text: &str| {
        browser.script(
            "document.getElementById('web-q').value = ''; document.getElementById('web-q').focus()",
            &[],
        );
        browser.press(text);
    };
    let search = || browser.script("return location.search", &[]);
    browser.script(COUNT, &[]);
    let typed = "web".repeat(40);
    field(&typed);
    wait::until("the address holds the word", SHOWN, || match search() {
        now if now == json!(format!("?web-q={}", &typed[..100])) => Ok(()),
        now => Err(now),
    });
    let writes = browser.script("return window.writes", &[]).as_u64().unwrap();
    println!("#   {} letters, the address written {writes} times", typed.len());
    assert!(writes <= 3, "{writes}");

    browser.script(REFUSE, &[]);
    field("web2");
    wait_for(browser, "tr[data-row=web2]", true);
    assert!(!browser.sees("tr[data-row=web1]"));
    wait::until_true("it was refused", SHOWN, || {
        browser.script("return window.writes", &[]) != json!(writes)
    });
    field("web");
    wait_for(browser, "tr[data-row=web1]", true);
    browser.click("#web th [data-sort=name]");
    assert!(browser.sees("#web th[aria-sort=ascending] [data-sort=name]"));
    let back = browser.script("return document.querySelector('input[name=back]').value", &[]);
    assert_eq!(back, json!("/?web-q=web&web-sort=name"), "another language comes back to what is shown");
    person.assert_not_reloaded();
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

/// The entry that is read in a scrolled box: its words, and where it stands.
const READ: &str = "const [list, boxes] = [document.querySelector(arguments[0]), arguments[1]];
    const box = boxes ? list.closest(boxes) : list;
    if (arguments[2] !== null) box.scrollTop = arguments[2] * box.scrollHeight;
    const edge = box.getBoundingClientRect();
    const inside = ({ top, bottom }) => top >= edge.top - 1 && bottom <= edge.bottom + 1;
    const seen = [...list.children].filter(e => inside(e.getBoundingClientRect()));
    const at = e => [e.textContent, e.getBoundingClientRect().top - edge.top];
    return { first: at(seen[0]), last: at(seen[seen.length - 1]), newest: list.firstElementChild.textContent,
        count: list.children.length };";

fn who_reads_old_lines_of_a_full_log_is_not_moved(cluster: &Cluster) {
    cluster.settle();
    let mut number = 0;
    let mut visit = |count: u32| {
        for _ in 0..count {
            number += 1;
            // One is told by its query, the other by its agent.
            let mut visitor = Client::new(cluster.site())
                .header("Connection", "close")
                .header("User-Agent", &format!("reader/{number}"));
            visitor.get(&format!("/?reading={number}")).expect("a visit");
        }
    };
    // Each of the two web servers has more of them than a page shows.
    visit(520);
    let person = Person::sign_in(cluster);
    let browser = &person.browser;
    for (list, boxes) in
        [("pre[data-file='access.log']", Value::Null), ("#requests", json!("[data-tail-table]"))]
    {
        // In the middle, and at the very end, from where lines fall off.
        for part in [0.5, 1.0] {
            person.go("/pools/web/servers/web1/logs");
            browser.wait_for("#live[data-st=good]", SHOWN);
            let read = |to: Value| browser.script(READ, &[json!(list), boxes.clone(), to]);
            assert_eq!(read(json!(part))["count"], json!(200), "{list}: it is full");
            let before = read(Value::Null);
            visit(60);
            let after = wait::until("new ones came in", SHOWN, || match read(Value::Null) {
                now if now["newest"] == before["newest"] => Err(now["newest"].clone()),
                now => Ok(now),
            });
            std::thread::sleep(Duration::from_millis(2_500));
            for after in [after.0, read(Value::Null)] {
                for end in ["first", "last"] {
                    let (was, is) = (&before[end], &after[end]);
                    let moved = is[1].as_f64().unwrap() - was[1].as_f64().unwrap();
                    assert!(was[0] == is[0] && moved.abs() < 1.0, "{list} at {part}: {was} {is}");
                }
            }
            // Back at the top it is as long as it was.
            read(json!(0));
            visit(4);
            wait::until("old ones have gone", SHOWN, || match read(Value::Null) {
                now if now["count"] == json!(200) => Ok(()),
                now => Err(now["count"].clone()),
            });
        }
    }
    cluster.settle();
}
