//! What stays in its place while a hand is on it. The page is told of hundreds of changes by the way in which one tab of a
//! browser tells the others: as many real ones would take minutes.

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

/// Tells of so many changes of all statuses, and looks after each what stands where. Gives how often that was otherwise
/// than at the beginning, and what.
const FLOOD: &str = "const [many, x, y] = arguments, done = arguments[arguments.length - 1];
    const kinds = ['good', 'warn', 'crit', 'busy', 'maint', 'unknown'];
    const channel = new BroadcastChannel(`cordee-live-${document.documentElement.lang}`);
    const under = () => document.elementFromPoint(x, y)?.closest('tr')?.dataset.row ?? null;
    const name = (e) => e?.closest('tr')?.dataset.row + ' ' + (e?.id || e?.name || e?.className);
    const now = () => ({
        order: [...document.querySelectorAll('#rows-web tr')].map((row) => row.dataset.row).join(' '),
        under: under(), focus: name(document.activeElement),
        top: Math.round(document.activeElement.getBoundingClientRect().top), scroll: Math.round(scrollY),
        open: document.querySelector(':popover-open, dialog[open]')?.id ?? null,
        typed: document.querySelector('dialog[open] #name')?.value ?? null,
        tick: document.querySelector('dialog[open] #maintenance')?.checked ?? null,
    });
    const first = now(), turned = {};
    let seen = 0, rows = null;
    const look = () => {
        const here = now();
        for (const key of Object.keys(first)) if (here[key] !== first[key]) turned[key] = (turned[key] ?? 0) + 1;
        seen += 1;
    };
    const step = () => {
        if (seen > 0 || rows.told) look();
        rows.told = true;
        if (seen >= many) { channel.close(); done({ first, turned, words: rows.words }); return; }
        const servers = rows.map((row, i) => {
            const st = kinds[(i * 5 + seen * 7 + (seen >> 3)) % kinds.length];
            return { ...row, status: { ...row.status, st, word: `turn ${seen}` } };
        });
        rows.words = `turn ${seen}`;
        channel.postMessage({ name: 'delta', data: { servers } });
        setTimeout(step, 4);
    };
    channel.onmessage = ({ data }) => {
        if (data.name !== 'snapshot' || rows) return;
        rows = data.data.servers.filter((row) => row.pool === 'web');
        step();
    };
    channel.postMessage({ name: 'hello' });";

#[track_caller]
fn flood(browser: &Browser, many: usize, at: &Value) -> Value {
    browser.async_script(FLOOD, &[json!(many), at[0].clone(), at[1].clone()])
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
    let free = flood(browser, 100, &middle(browser, "#verdict h1"));
    println!("#   with the hand elsewhere the order was another one {} times", free["turned"]["order"]);
    assert!(free["turned"]["order"].as_u64().is_some_and(|n| n > 50), "this proves nothing: {free}");
    // Under the pointer.
    ordered_by_status(&person);
    let row = "tr[data-row=web2] [popovertarget=m-web2]";
    browser.point_at(row);
    let held = flood(browser, 100, &middle(browser, row));
    assert_eq!((&held["first"]["under"], &held["turned"]), (&json!("web2"), &json!({})), "{held}");
    // With the focus, and the pointer elsewhere.
    ordered_by_status(&person);
    browser.point_at("#verdict h1");
    browser.script("document.querySelector(arguments[0]).focus()", &[json!(row)]);
    let held = flood(browser, 100, &middle(browser, row));
    assert_eq!((&held["first"]["under"], &held["turned"]), (&json!("web2"), &json!({})), "{held}");
    // Let go, it is put into order with the next change.
    browser.script("document.activeElement.blur()", &[]);
    let free = flood(browser, 100, &middle(browser, "#verdict h1"));
    assert!(free["turned"]["order"].as_u64().is_some_and(|n| n > 10), "{free}");
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
    let held = flood(browser, 1_000, &middle(browser, "#m-row5"));
    println!("#   {held}");
    assert_eq!((&held["first"]["open"], &held["turned"]), (&json!("m-row5"), &json!({})), "{held}");
    assert!(held["first"]["scroll"].as_u64().is_some_and(|y| y > 0), "the page is not scrolled: {held}");
    assert!(held["first"]["focus"].as_str().is_some_and(|f| f.starts_with("row5 ")), "{held}");
    assert_eq!(held["words"], json!("turn 999"));
    // A dialog that was begun.
    ordered_by_status(&person);
    person.open_add_web();
    person.fill_in(&[("name", "half-way")]);
    browser.click("dialog[open] #maintenance");
    let held = flood(browser, 100, &middle(browser, "dialog[open] h2"));
    let begun = (&held["first"]["typed"], &held["first"]["tick"], &held["first"]["open"]);
    assert_eq!(begun, (&json!("half-way"), &json!(true), &json!("add")), "{held}");
    // Behind the dialog nobody is at the table.
    for kept in ["typed", "tick", "open", "focus", "top", "scroll"] {
        assert!(held["turned"][kept].is_null(), "{kept}: {held}");
    }
    assert_eq!(browser.complaints(), Vec::<String>::new());
}
