//! What stays in its place while a hand is on it. The page is told of hundreds of changes by the way in which one tab
//! of a browser tells the others: as many real ones would take minutes.

use cordee_e2e::browser::Browser;
use cordee_e2e::cluster::Cluster;
use cordee_e2e::person::Person;
use cordee_e2e::visitors::closed_port;
use cordee_e2e::wait;
use serde_json::{Value, json};

use super::SHOWN;

/// Servers that make an order which changes.
const MORE: usize = 6;

/// They are taken away when this is dropped.
struct Rows<'a> {
    cluster: &'a Cluster,
    names: Vec<String>,
}

impl<'a> Rows<'a> {
    #[track_caller]
    fn add(cluster: &'a Cluster) -> Self {
        let api = cluster.api();
        let mut rows = Self { cluster, names: Vec::new() };
        for number in 1..=MORE {
            let name = format!("row{number}");
            let body = json!({ "name": name, "address": "127.0.0.1", "port": closed_port() });
            let reply = api.post("/v1/pools/web/servers", &body);
            assert!(reply.ok(), "{reply:?}");
            rows.names.push(name);
        }
        // From then on the cluster itself has nothing to tell.
        for name in &rows.names {
            api.wait_for_severity(name, "critical", SHOWN);
        }
        rows
    }
}

impl Drop for Rows<'_> {
    fn drop(&mut self) {
        let api = self.cluster.api();
        for name in &self.names {
            let _ = api.call("DELETE", &format!("/v1/pools/web/servers/{name}"), None);
        }
    }
}

/// The name under which the tabs of this page speak to each other.
pub const CHANNEL: &str =
    "const version = document.querySelector('script[type=module]').src.split('/').at(-2);
    return `cordee-live-${document.documentElement.lang}-${version}`;";

/// Tells of so many changes of all statuses, in so many goes, and looks after each go what stands where, once the page
/// shows the last of it. Gives how many goes were shown, and how often what was otherwise than at the beginning.
const FLOOD: &str = "const [name, goes, each, x, y, grows] = arguments, done = arguments[arguments.length - 1];
    const kinds = ['good', 'warn', 'crit', 'busy', 'maint', 'unknown'];
    const channel = new BroadcastChannel(name);
    const under = () => document.elementFromPoint(x, y)?.closest('tr')?.dataset.row ?? null;
    const called = (e) => e?.closest('tr')?.dataset.row + ' ' + (e?.id || e?.name || e?.className);
    const now = () => ({
        order: [...document.querySelectorAll('#rows-web tr')].map((row) => row.dataset.row).join(' '),
        under: under(), focus: called(document.activeElement),
        top: Math.round(document.activeElement.getBoundingClientRect().top), scroll: Math.round(scrollY),
        open: document.querySelector(':popover-open, dialog[open]')?.id ?? null,
        typed: document.querySelector('dialog[open] #name')?.value ?? null,
        tick: document.querySelector('dialog[open] #maintenance')?.checked ?? null,
    });
    const said = () => document.querySelector('tr[data-row=row1] [data-f=\"status.word\"]').textContent;
    const drawn = () => new Promise((then) => requestAnimationFrame(() => requestAnimationFrame(then)));
    const soon = () => new Promise((then) => setTimeout(then, 5));
    const shown = async (word) => {
        const end = performance.now() + 1000;
        while (said() !== word && performance.now() < end) await soon();
        return said() === word;
    };
    const tell = (rows, go) => {
        for (let one = go * each; one < (go + 1) * each; one += 1) {
            const servers = rows.map((row, i) => {
                const st = kinds[(i * 5 + one * 7 + (one >> 3)) % kinds.length];
                return { ...row, status: { ...row.status, st, word: `turn ${one}` } };
            });
            // The list above the tables comes and goes.
            const more = grows ? { causes: one % 2 ? [] : causes } : {};
            channel.postMessage({ name: 'delta', data: { servers, ...more } });
        }
        return shown(`turn ${(go + 1) * each - 1}`);
    };
    const flood = async (rows) => {
        const first = now(), turned = {};
        let seen = 0;
        for (let go = 0; go < goes; go += 1) {
            // What the cluster itself tells of that row stands in its place: of one that answers, once a second.
            if (await tell(rows, go) || await tell(rows, go)) seen += 1;
            // A menu is where its button is once that is drawn.
            await drawn();
            const here = now();
            // Within a pixel it is the same place.
            if (Math.abs(here.top - first.top) <= 1) here.top = first.top;
            const others = Object.keys(first).filter((key) => here[key] !== first[key]);
            for (const key of others) turned[key] = (turned[key] ?? 0) + 1;
        }
        channel.close();
        done({ first, turned, seen, words: said() });
    };
    let causes = [];
    channel.onmessage = ({ data }) => {
        if (data.name !== 'snapshot') return;
        causes = data.data.causes;
        channel.onmessage = null;
        flood(data.data.servers.filter((row) => row.pool === 'web'));
    };
    channel.postMessage({ name: 'hello' });";

/// Goes of changes, in each of which the page shows something else.
const GOES: u64 = 100;
/// The same where it is only seen that something moves.
const FEW: u64 = 20;

#[track_caller]
fn flood(browser: &Browser, goes: u64, each: u64, at: &Value) -> Value {
    flood_from(browser, goes, each, at, false)
}

#[track_caller]
fn flood_from(browser: &Browser, goes: u64, each: u64, at: &Value, grows: bool) -> Value {
    let name = browser.script(CHANNEL, &[]);
    let asked = [name, json!(goes), json!(each), at[0].clone(), at[1].clone(), json!(grows)];
    let told = browser.async_script(FLOOD, &asked);
    assert_eq!(told["seen"], json!(goes), "not all of it was shown: {told}");
    assert_eq!(told["words"], json!(format!("turn {}", goes * each - 1)), "{told}");
    told
}

/// What was otherwise, but for how far the page was scrolled: it is, so that all else stays where it is.
fn moved(told: &Value) -> Value {
    let mut turned = told["turned"].clone();
    turned.as_object_mut().expect("counts").remove("scroll");
    turned
}

/// How often something was otherwise.
fn turned(told: &Value, what: &str) -> u64 {
    told["turned"][what].as_u64().unwrap_or(0)
}

/// The middle of the first visible element.
#[track_caller]
fn middle(browser: &Browser, css: &str) -> Value {
    let place = "const e = [...document.querySelectorAll(arguments[0])].find(e => e.checkVisibility());
        const { x, y, width, height } = e.getBoundingClientRect();
        return [Math.round(x + width / 2), Math.round(y + height / 2)]";
    browser.script(place, &[json!(css)])
}

/// The dashboard, ordered by status, once all rows are there.
#[track_caller]
fn ordered_by_status(person: &Person) {
    person.go("/?web-sort=status");
    person.browser.wait_for("#live[data-st=good]", SHOWN);
    wait::until("all rows are there", SHOWN, || {
        let many = "return document.querySelectorAll('#rows-web tr').length";
        let many = person.browser.try_script(many, &[])?;
        if many == json!(MORE + 2) { Ok(()) } else { Err(many.to_string()) }
    });
}

pub fn a_page_is_still_under_the_hand_whatever_the_order(cluster: &Cluster) {
    cluster.settle();
    let _rows = Rows::add(cluster);
    let person = Person::sign_in(cluster);
    let browser = &person.browser;
    // Nobody is at the table: it is put into order each time.
    ordered_by_status(&person);
    browser.point_at("#verdict h1");
    let elsewhere = middle(browser, "#verdict h1");
    let free = flood(browser, FEW, 1, &elsewhere);
    println!("#   with the hand elsewhere the order was another one {} times", turned(&free, "order"));
    assert!(turned(&free, "order") > FEW / 2, "this proves nothing: {free}");
    // Under the pointer.
    ordered_by_status(&person);
    let row = "tr[data-row=web2] [popovertarget=m-web2]";
    browser.point_at(row);
    let held = flood(browser, GOES, 1, &middle(browser, row));
    assert_eq!((&held["first"]["under"], moved(&held)), (&json!("web2"), json!({})), "{held}");
    // With the focus, and the pointer elsewhere.
    ordered_by_status(&person);
    browser.point_at("#verdict h1");
    browser.script("document.querySelector(arguments[0]).focus()", &[json!(row)]);
    let held = flood(browser, GOES, 1, &middle(browser, row));
    assert_eq!((&held["first"]["under"], moved(&held)), (&json!("web2"), json!({})), "{held}");
    // Let go, it is put into order with the next change.
    browser.script("document.activeElement.blur()", &[]);
    let free = flood(browser, FEW, 1, &elsewhere);
    assert!(turned(&free, "order") > 5, "{free}");
    // A click leaves no hand behind, but the focus: it goes with its row, which moves.
    ordered_by_status(&person);
    browser.point_at(row);
    browser.button(true);
    browser.point_at("#verdict h1");
    browser.button(false);
    let free = flood(browser, FEW, 1, &elsewhere);
    assert!(turned(&free, "order") > 5, "{free}");
    assert!(free["first"]["focus"].as_str().is_some_and(|f| f.starts_with("web2 ")), "{free}");
    assert_eq!(turned(&free, "focus"), 0, "{free}");
}

pub fn what_somebody_has_begun_survives_a_thousand_updates(cluster: &Cluster) {
    cluster.settle();
    let _rows = Rows::add(cluster);
    let person = Person::sign_in(cluster);
    let browser = &person.browser;
    ordered_by_status(&person);
    browser.script("document.querySelector('tr[data-row=row5]').scrollIntoView({ block: 'center' })", &[]);
    browser.script("document.querySelector('[popovertarget=m-row5]').focus()", &[]);
    // The menu is opened by its key, and the focus goes into it.
    browser.press("\u{e007}");
    browser.wait_for("#m-row5", SHOWN);
    browser.press("\u{e004}");
    let held = flood(browser, GOES, 10, &middle(browser, "#m-row5"));
    println!("#   {held}");
    assert_eq!((&held["first"]["open"], moved(&held)), (&json!("m-row5"), json!({})), "{held}");
    assert!(held["first"]["scroll"].as_u64().is_some_and(|y| y > 0), "the page is not scrolled: {held}");
    assert!(held["first"]["focus"].as_str().is_some_and(|f| f.starts_with("row5 ")), "{held}");
    // Also while what is above grows and shrinks. A page is scrolled by whole pixels: half of one may be lost each
    // time.
    let held = flood_from(browser, FEW, 1, &middle(browser, "#m-row5"), true);
    println!("#   {held}");
    for kept in ["open", "focus", "order", "under"] {
        assert_eq!(turned(&held, kept), 0, "{kept}: {held}");
    }
    // A dialog that was begun.
    ordered_by_status(&person);
    person.open_add_web();
    person.fill_in(&[("name", "half-way")]);
    browser.click("dialog[open] #maintenance");
    let held = flood(browser, FEW, 1, &middle(browser, "dialog[open] h2"));
    let begun = (&held["first"]["typed"], &held["first"]["tick"], &held["first"]["open"]);
    assert_eq!(begun, (&json!("half-way"), &json!(true), &json!("add")), "{held}");
    // Behind the dialog nobody is at the table.
    for kept in ["typed", "tick", "open", "focus", "top"] {
        assert!(held["turned"][kept].is_null(), "{kept}: {held}");
    }
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

/// On a telephone what was tapped last counts as hovered. This browser forgets it.
const STICKY: &str = "const [at, real] = [document.querySelector(arguments[0]), Element.prototype.matches];
    Element.prototype.matches = function (css) {
        return (css.includes(':hover') && this.contains(at)) || real.call(this, css);
    };";

/// A finger is on what it presses; what it touched last is called hovered until it touches something else.
pub fn where_a_finger_was_is_no_hand(cluster: &Cluster) {
    cluster.settle();
    let _rows = Rows::add(cluster);
    let person = Person::sign_in(cluster);
    let browser = &person.browser;
    ordered_by_status(&person);
    // Without a mouse, as on a telephone: it would be hovering wherever it is.
    let cell = "tr[data-row=web2] [data-f='status.word']";
    let sight =
        "document.querySelector(arguments[0]).scrollIntoView({ block: 'center', behavior: 'instant' })";
    browser.script(sight, &[json!(cell)]);
    let at = middle(browser, cell);
    browser.finger(Some(&at));
    let held = flood(browser, FEW, 1, &at);
    browser.finger(None);
    assert_eq!((&held["first"]["under"], turned(&held, "under")), (&json!("web2"), 0), "{held}");
    assert_eq!(turned(&held, "order"), 0, "{held}");
    browser.script(STICKY, &[json!(cell)]);
    let free = flood(browser, FEW, 1, &at);
    assert!(turned(&free, "order") > 5, "{free}");
}
