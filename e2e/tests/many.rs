//! Thirty web servers on one page: every row is within reach with script and without, nothing slides away under a hand,
//! and there is one clock. What the page weighs is in `light`.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed expectation is how a test ends")]

use std::collections::BTreeSet;
use std::time::Duration;

use cordee_e2e::axe;
use cordee_e2e::browser::Browser;
use cordee_e2e::case;
use cordee_e2e::cluster::Cluster;
use cordee_e2e::crowd::Crowd;
use cordee_e2e::http::get;
use cordee_e2e::looks;
use cordee_e2e::person::Person;
use cordee_e2e::procs::Frozen;
use cordee_e2e::suite::File;
use cordee_e2e::visitors::closed_port;
use cordee_e2e::wait;
use serde_json::json;

const SHOWN: Duration = Duration::from_secs(10);
/// Not the zone of any browser here.
const ZONE: &str = "Asia/Tokyo";

/// Its cases.
pub fn file() -> File {
    File::new(
        "many",
        &[("TZ", ZONE)],
        &[
            case!(nothing_slides_under_the_pointer),
            case!(what_is_late_looks_late),
            case!(all_pages_have_one_clock),
            case!(thirty_servers_are_one_bead_and_a_part_of_a_table),
            case!(long_names_stay_in_their_places),
            case!(every_row_is_found_ordered_and_kept_with_script),
            case!(every_row_is_reached_without_script),
            case!(script_and_server_order_and_find_rows_alike),
        ],
    )
}

// ---- thirty

/// As long as a name may be, without a place to break it.
fn long_names_stay_in_their_places(cluster: &Cluster) {
    let name = format!("w{}", "m".repeat(62));
    let api = cluster.api();
    let own = format!("/v1/pools/web/servers/{name}");
    let reply = api.post(
        "/v1/pools/web/servers",
        &json!({ "name": name, "address": "127.0.0.1", "port": closed_port() }),
    );
    assert!(reply.ok(), "{reply:?}");
    api.wait_for_severity(&name, "critical", Duration::from_secs(20));
    let person = Person::sign_in(cluster);
    let here = format!("/pools/web/servers/{name}");
    let pages = ["", "/logs", "/test", "/stop", "/remove"].map(|part| format!("{here}{part}"));
    let of_it = pages.iter().skip(1).map(String::as_str);
    let all: Vec<&str> =
        ["/", "/journal", "/visitors", "/config/web", "/test"].into_iter().chain(of_it).collect();
    look_at(&person, "long", &all);
    let reply = api.call("DELETE", &own, None).expect("an answer");
    assert!(reply.ok(), "{reply:?}");
}

/// The rows that are shown, in order.
fn rows(browser: &Browser) -> Vec<String> {
    let script = "return [...document.querySelectorAll('#rows-web tr')].map(r => r.dataset.row)";
    let found = browser.script(script, &[]);
    found.as_array().into_iter().flatten().filter_map(|v| v.as_str()).map(str::to_owned).collect()
}

#[track_caller]
fn wait_for_rows(browser: &Browser, what: &str, wanted: impl Fn(&[String]) -> bool) {
    wait::until(what, SHOWN, || {
        let seen = rows(browser);
        if wanted(&seen) { Ok(()) } else { Err(seen) }
    });
}

fn thirty_servers_are_one_bead_and_a_part_of_a_table(cluster: &Cluster) {
    let _crowd = Crowd::gather(cluster);
    let person = Person::sign_in(cluster);
    let browser = &person.browser;
    person.go("/");
    browser.wait_for("#live[data-st=good]", SHOWN);
    let bead = browser.text("#beads-web").unwrap_or_default();
    assert!(bead.contains("30 web servers") && bead.contains("28 up · 2 need attention"), "{bead}");
    assert_eq!(browser.text("[data-count=web]").as_deref(), Some("30"));
    assert_eq!(browser.text("[data-range]").as_deref(), Some("1–12"));
    look_at(&person, "thirty", &["/", "/?web-q=nobody&web-sort=status"]);
}

fn every_row_is_found_ordered_and_kept_with_script(cluster: &Cluster) {
    let _crowd = Crowd::gather(cluster);
    let person = Person::sign_in(cluster);
    let browser = &person.browser;
    person.go("/");
    browser.wait_for("#live[data-st=good]", SHOWN);
    person.mark();
    let mut seen: BTreeSet<String> = rows(browser).into_iter().collect();
    for part in ["13–24", "25–30"] {
        browser.click("[data-pager=web] [data-turn='1']");
        wait::until_true(part, SHOWN, || browser.text("[data-range]").as_deref() == Some(part));
        seen.extend(rows(browser));
    }
    assert_eq!(seen.len(), 30, "each row is in one part: {seen:?}");
    let focus = "return document.activeElement.dataset.turn";
    assert_eq!(browser.script(focus, &[]), json!("-1"), "the way that leads no further gives the focus away");
    browser.click("#web th [data-sort=status]");
    wait_for_rows(browser, "what needs attention comes first", |r| r[..2] == ["far27", "far28"]);
    assert!(browser.sees("#web th[aria-sort=ascending] [data-sort=status]"));
    // By keys: the word, then the order the other way round.
    browser.press("/");
    browser.press("far2");
    wait_for_rows(browser, "far2, far20 to far28", |r| r.len() == 10 && r[0] == "far27");
    wait::until("it stands in the address", SHOWN, || match browser.script("return location.search", &[]) {
        now if now == json!("?web-q=far2&web-sort=status") => Ok(()),
        now => Err(now),
    });
    browser.click("#web th [data-sort=name]");
    browser.press("\u{e007}");
    wait_for_rows(browser, "the last name first", |r| r.first().is_some_and(|n| n == "far28"));
    assert!(browser.sees("#web th[aria-sort=descending] [data-sort=name]"));
    // Scrolled, the bar of the page covers whatever is under it.
    browser.script("scrollTo(0, 0)", &[]);
    assert_eq!(axe::violations(browser), Vec::<String>::new());

    // What happens meanwhile changes words and nothing else.
    browser.script("document.querySelector('tr[data-row=far22] [popovertarget]').focus()", &[]);
    cluster.api().act("/v1/pools/web/servers/far22/maintenance");
    let held = wait::until("far22 is in maintenance", SHOWN, || {
        let row = person.row("far22").ok_or("no row")?;
        if row.look == "maint" { Ok(row) } else { Err("not yet") }
    });
    drop(held);
    let here = "return document.activeElement.closest('tr')?.dataset.row ?? ''";
    assert_eq!(browser.script(here, &[]), json!("far22"), "the focus stays");
    assert_eq!(browser.script("return document.querySelector('#web-q').value", &[]), json!("far2"));
    assert_eq!(rows(browser).len(), 10);
    cluster.api().act("/v1/pools/web/servers/far22/ready");
    cluster.api().delete("/v1/pools/web/servers/far21");
    wait_for_rows(browser, "far21 is gone", |r| r.len() == 9 && !r.contains(&"far21".to_owned()));

    browser.script("document.activeElement.blur()", &[]);
    browser.press("/");
    browser.press("nobody");
    browser.wait_for("[data-none=web] [data-clear]", SHOWN);
    browser.click("[data-none=web] [data-clear]");
    wait_for_rows(browser, "all again", |r| r.len() == 12);

    // What goes while the page is paused, from a part that is not shown, is gone when it goes on.
    let other = Person::sign_in(cluster);
    let count = |person: &Person, wanted: &str| {
        let wanted = Some(wanted.to_owned());
        wait::until("so many web servers", SHOWN, || match person.browser.text("[data-count=web]") {
            text if text == wanted => Ok(()),
            text => Err(format!("{text:?}")),
        });
    };
    count(&other, "29");
    browser.click("#pause");
    assert!(!rows(browser).contains(&"far15".to_owned()), "it is shown");
    cluster.api().delete("/v1/pools/web/servers/far15");
    count(&other, "28");
    browser.click("#pause");
    count(&person, "28");
    person.assert_not_reloaded();
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

fn every_row_is_reached_without_script(cluster: &Cluster) {
    let crowd = Crowd::gather(cluster);
    let person = Person::sign_in(cluster);
    let browser = &person.browser;
    browser.allow_scripts(false);
    person.go("/");
    let mut seen: BTreeSet<String> = rows(browser).into_iter().collect();
    for _ in 0..2 {
        let before = rows(browser);
        browser.click("[data-pager=web] [data-turn='1'][href]");
        wait_for_rows(browser, "the next part", |rows| !rows.is_empty() && rows != before);
        seen.extend(rows(browser));
    }
    assert!(crowd.names.iter().all(|name| seen.contains(name)), "{seen:?}");
    assert!(!browser.sees("[data-pager=web] [data-turn='1'][href]"), "the last part");
    browser.click("#web th [data-sort=status]");
    wait_for_rows(browser, "ordered by status", |rows| rows.starts_with(&["far27".into(), "far28".into()]));
    browser.fill("#web-q", "far2");
    browser.click("[data-sift=web] button");
    // The order is kept.
    wait_for_rows(browser, "those with far2", |rows| rows.len() == 10 && rows[0] == "far27");
    person.go("/?web-q=%3Cimg%20src%3Dx%3E&web-sort=nothing&web-page=x");
    assert_eq!(rows(browser), Vec::<String>::new());
    browser.click("[data-none=web] [data-clear]");
    wait_for_rows(browser, "all again", |rows| rows.len() == 12);
}

/// The cases of the server's own test, in the script that the page loads.
const CASES: &str = "const done = arguments[arguments.length - 1], cases = JSON.parse(arguments[0]);
    const row = ({ st, word, reason, ...cells }) => ({
        name: '', kind: '', address: '', port: '', cookie: '', role: '', sessions: '',
        ...cells, status: { st: st ?? '', word: word ?? '', reason: reason ?? '' } });
    const script = document.querySelector('script[type=module]').src.replace('cordee.js', 'order.js');
    import(script).then(({ asked, compare, holds, sorted }) => {
        const wrong = [];
        for (const list of cases.increasing) for (const [i, a] of list.entries()) for (const [j, b] of list.entries())
            if (Math.sign(compare(a, b)) !== Math.sign(i - j)) wrong.push([a, b]);
        for (const { sort, rows, names } of cases.sorted) {
            const found = sorted(rows.map(row), sort).map(({ name }) => name);
            if (String(found) !== String(names)) wrong.push([sort, found]);
        }
        for (const one of cases.found) if (holds(row(one.row), asked(one.word)) !== one.is) wrong.push(one);
        done(wrong);
    }, (error) => done(String(error)));";

fn script_and_server_order_and_find_rows_alike(cluster: &Cluster) {
    let crowd = Crowd::gather(cluster);
    let person = Person::sign_in(cluster);
    let browser = &person.browser;
    let cases = include_str!("../../crates/server/src/web/view/order.json");
    assert_eq!(browser.async_script(CASES, &[json!(cases)]), json!([]));
    // What stands in the page as the server printed it is what the script makes of it.
    for column in ["name", "kind", "address", "port", "status", "sessions"] {
        for sort in [column.to_owned(), format!("-{column}")] {
            let page = format!("/?web-sort={sort}&web-q=far");
            browser.allow_scripts(false);
            person.go(&page);
            let printed = rows(browser);
            browser.allow_scripts(true);
            person.go(&page);
            browser.wait_for("#live[data-st=good]", SHOWN);
            wait_for_rows(browser, &page, |rows| *rows == printed);
            assert_eq!(printed.len(), 12, "{page}");
        }
    }
    drop(crowd);
}

// ---- under the hand

/// Where a button of web1's row stands in the window.
fn place(browser: &Browser) -> f64 {
    let script = "const menu = document.querySelector('#m-web1').parentElement; \
        return menu.querySelector('button').getBoundingClientRect().top";
    browser.script(script, &[]).as_f64().expect("a place")
}

/// Three causes appear above the row, and go again, with the pointer on it.
#[track_caller]
fn three_causes(cluster: &Cluster, person: &Person, what: &str) {
    let browser = &person.browser;
    let first = place(browser);
    let count = || browser.text("[data-count=todo]").unwrap_or_default();
    let least = |wanted: usize| {
        wait::until(&format!("{wanted} causes"), SHOWN, || {
            let seen = count().parse::<usize>().unwrap_or(0);
            if (wanted == 0) == (seen == 0) && seen >= wanted { Ok(()) } else { Err(seen) }
        });
    };
    cluster.cli_ok(&["stop", "web2", "--no-wait"]);
    least(1);
    cluster.cli_ok(&["stop", "db2", "--no-wait"]);
    least(2);
    let port = closed_port();
    let reply = cluster
        .api()
        .post("/v1/pools/web/servers", &json!({ "name": "closed", "address": "127.0.0.1", "port": port }));
    assert!(reply.ok(), "{reply:?}");
    least(3);
    let grown = place(browser);
    println!("#   {what}: moved by {} px with three causes more", grown - first);
    assert!((grown - first).abs() < 2.0, "{what}: from {first} to {grown}");
    cluster.api().delete("/v1/pools/web/servers/closed");
    for stopped in ["web2", "db2"] {
        cluster.cli_ok(&["start", stopped]);
    }
    cluster.settle();
    least(0);
    let back = place(browser);
    assert!((back - first).abs() < 2.0, "{what}: from {first} to {back} when they went");
}

fn nothing_slides_under_the_pointer(cluster: &Cluster) {
    cluster.settle();
    let person = Person::sign_in(cluster);
    let browser = &person.browser;
    let button = "tr[data-row=web1] [popovertarget=m-web1]";
    // A page that can be scrolled, and one that is wholly in a tall window.
    for (width, height) in [(1280, 900), (1280, 2_400), (360, 740)] {
        browser.size(width, height);
        person.dashboard();
        browser.wait_for("#live[data-st=good]", SHOWN);
        browser.point_at(button);
        three_causes(cluster, &person, &format!("pointer, {width} × {height}"));
    }
    browser.size(1280, 900);
    person.dashboard();
    browser.wait_for("#live[data-st=good]", SHOWN);
    browser.script("document.querySelector(arguments[0]).focus()", &[json!(button)]);
    browser.press("\u{e008}");
    three_causes(cluster, &person, "focus");
}

fn what_is_late_looks_late(cluster: &Cluster) {
    cluster.settle();
    let person = Person::sign_in(cluster);
    let browser = &person.browser;
    browser.wait_for("#live[data-st=good]", SHOWN);
    let worker = cluster.api().snapshot().proxy("db").worker_pid.expect("worker");
    let frozen = Frozen::one(cluster.home(), worker);
    browser.wait_for("#live[data-st=warn]", Duration::from_millis(3_500));
    let after = frozen.at().elapsed();
    let says = browser.text("#live").unwrap_or_default();
    drop(frozen);
    println!("#   amber {} ms after the freeze: {says}", after.as_millis());
    assert!(says.contains("Late"), "a word beside the colour: {says}");
    browser.wait_for("#live[data-st=good]", SHOWN);
    cluster.settle();
}

/// Each time on the page, and what it should be in the zone that the page names: `["…", "…"]` where they differ.
const TIMES: &str = "const zone = document.getElementById('words').dataset.zone;
    const format = new Intl.DateTimeFormat('sv-SE', { dateStyle: 'short', timeStyle: 'medium', timeZone: zone });
    const wrong = [], all = [...document.querySelectorAll('time[datetime]')];
    for (const time of all) {
        const full = format.format(new Date(time.dateTime)), said = time.textContent;
        if (![full, full.slice(11), full.slice(0, 16)].includes(said)) wrong.push([said, full]);
    }
    return { zone, foot: document.querySelector('.foot').innerText, count: all.length, wrong };";

fn all_pages_have_one_clock(cluster: &Cluster) {
    cluster.settle();
    let person = Person::sign_in(cluster);
    let browser = &person.browser;
    browser.zone("America/New_York");
    cluster.cli_ok(&["maintenance", "web2"]);
    let mut times = 0;
    for language in ["en", "fr"] {
        browser.set_cookie("cordee_lang", language);
        let pages = [
            "/",
            "/journal",
            "/visitors",
            "/account/sessions",
            "/drills",
            "/pools/web/servers/web1/logs",
            "/pools/db/servers/db2",
        ];
        for page in pages {
            person.go(page);
            browser.wait_for("#live[data-st=good]", SHOWN);
            // What the script puts in later, too.
            for _ in 0..3 {
                get(cluster.site(), "/").expect("a visit");
            }
            std::thread::sleep(Duration::from_secs(2));
            let seen = browser.script(TIMES, &[]);
            assert_eq!(seen["zone"], json!(ZONE), "{page}");
            assert!(seen["foot"].as_str().is_some_and(|foot| foot.contains(ZONE)), "{page}: {seen}");
            assert_eq!(seen["wrong"], json!([]), "{page} {language}");
            times += seen["count"].as_u64().unwrap_or(0);
        }
    }
    println!("#   {times} times");
    assert!(times > 40, "{times}");
    cluster.cli_ok(&["ready", "web2"]);
    cluster.settle();
}

// ---- looks

/// What is wider than its place: its tag, its text and by how much.
const OVER: &str = "const found = [];
    for (const e of document.querySelectorAll('main *, header *')) {
        if (!e.checkVisibility() || e.closest('svg, .vh, .scroll, .diff, .log, .tabs, select')) continue;
        if (e.matches('.age')) continue;
        const style = getComputedStyle(e);
        if (style.display === 'inline' || style.textOverflow === 'ellipsis' || e.clientWidth === 0) continue;
        const over = e.scrollWidth - e.clientWidth;
        if (over > 1) found.push(`${e.localName}.${e.className} +${over}: ${e.textContent.trim().slice(0, 40)}`);
    }
    const page = document.documentElement;
    if (page.scrollWidth > page.clientWidth) found.push(`the page +${page.scrollWidth - page.clientWidth}`);
    return found;";

/// Shows pages in both languages and at both widths, and collects what axe finds and what does not fit.
#[track_caller]
fn look_at(person: &Person, name: &str, pages: &[&str]) {
    let (browser, mut found) = (&person.browser, Vec::new());
    for language in ["en", "fr"] {
        browser.set_cookie("cordee_lang", language);
        for width in [360, 1280] {
            browser.width(width);
            for (number, page) in pages.iter().enumerate() {
                person.go(page);
                for theme in ["light", "dark"] {
                    browser.theme(theme);
                    let look = format!("{page} {language} {theme} {width}");
                    found.extend(axe::violations(browser).into_iter().map(|v| format!("{look}: {v}")));
                    let over = browser.script(OVER, &[]);
                    let over = over.as_array().into_iter().flatten().map(|v| format!("{look}: {v}"));
                    found.extend(over);
                    looks::keep(browser, &format!("{name} {number} {language} {theme} {width}"));
                }
            }
        }
    }
    browser.set_cookie("cordee_lang", "en");
    browser.width(1280);
    assert!(found.is_empty(), "{} findings: {found:#?}", found.len());
}
