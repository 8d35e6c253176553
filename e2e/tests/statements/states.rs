//! A cluster in which much is wrong, of which nobody tells anything, that is empty, and a sign-in that is locked: axe
//! finds nothing in any of them, and no status is told by its colour alone.

use std::collections::{BTreeMap, BTreeSet};

use cordee_e2e::browser::Browser;
use cordee_e2e::cluster::{ACCOUNT, Cluster};
use cordee_e2e::http::Client;
use cordee_e2e::looks::{self, LANGUAGES, THEMES};
use cordee_e2e::pair::Pair;
use cordee_e2e::person::Person;
use cordee_e2e::procs::Frozen;
use cordee_e2e::visitors::{Manner, Stranger, closed_port};
use cordee_e2e::wait;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{SETTLED, SHOWN};

// ---- much is wrong

/// One web server is down, one drains, one is in maintenance, and the standby is stopped. Put right when dropped.
struct Trouble<'a> {
    cluster: &'a Cluster,
    standby: String,
    _servers: [Stranger; 2],
}

impl<'a> Trouble<'a> {
    #[track_caller]
    fn make(cluster: &'a Cluster) -> Self {
        cluster.settle();
        let (api, standby) = (cluster.api(), Pair::wait(cluster).standby.name);
        let servers = ["stays", "leaves"].map(|name| Stranger::new(Manner::Good(name)));
        let ports = [servers[0].port(), servers[1].port(), closed_port()];
        let trouble = Self { cluster, standby, _servers: servers };
        for (name, port) in ["stays", "leaves", "shut"].into_iter().zip(ports) {
            let body = json!({ "name": name, "address": "127.0.0.1", "port": port });
            let reply = api.post("/v1/pools/web/servers", &body);
            assert!(reply.ok(), "{reply:?}");
        }
        api.wait_for_severity("stays", "good", SETTLED);
        api.wait_for_severity("leaves", "good", SETTLED);
        api.act("/v1/pools/web/servers/leaves/drain");
        api.act("/v1/pools/web/servers/web2/maintenance");
        api.act(&format!("/v1/pools/db/servers/{}/stop", trouble.standby));
        api.wait_for_severity("shut", "critical", SETTLED);
        api.wait_for_severity("leaves", "progress", SETTLED);
        api.wait_for_severity("web2", "maintenance", SETTLED);
        trouble
    }
}

impl Drop for Trouble<'_> {
    fn drop(&mut self) {
        let api = self.cluster.api();
        for name in ["stays", "leaves", "shut"] {
            // A HAProxy that has only just gone on may have told of nobody else yet.
            let _ = api.call("DELETE", &format!("/v1/pools/web/servers/{name}?force=true"), None);
        }
        let _ = api.call("POST", "/v1/pools/web/servers/web2/ready", None);
        let _ = api.call("POST", &format!("/v1/pools/db/servers/{}/start", self.standby), None);
    }
}

/// What a status's cell shows.
#[derive(Debug, Deserialize)]
struct Cell {
    st: String,
    icon: String,
    word: String,
    seen: bool,
}

const CELLS: &str = "return [...document.querySelectorAll('tr .st[data-st]')].filter((e) => \
    e.checkVisibility()).map((e) => {
        const svg = e.querySelector('svg'), word = e.querySelector('b');
        const wide = svg.checkVisibility() && svg.getBoundingClientRect().width >= 12;
        const seen = wide && word.getClientRects().length > 0;
        return { st: e.dataset.st, icon: svg.querySelector('use').getAttribute('href').split('#')[1],
            word: word.innerText.trim(), seen };
    });";

/// Each status has a shape of its own and a word of its own, and both are there. Gives the statuses that are shown.
#[track_caller]
fn shapes_and_words(browser: &Browser) -> BTreeSet<String> {
    let cells: Vec<Cell> = serde_json::from_value(browser.script(CELLS, &[])).expect("cells");
    let (mut shapes, mut meanings) = (BTreeMap::new(), BTreeMap::new());
    for cell in &cells {
        assert!(cell.seen && !cell.word.is_empty(), "{cell:?}");
        let shape = shapes.entry(cell.st.clone()).or_insert_with(|| cell.icon.clone());
        assert_eq!(*shape, cell.icon, "one status, one shape: {cells:#?}");
        let meaning = meanings.entry(cell.word.clone()).or_insert_with(|| cell.st.clone());
        assert_eq!(*meaning, cell.st, "one word, one status: {cells:#?}");
    }
    let different: BTreeSet<&String> = shapes.values().collect();
    assert_eq!(different.len(), shapes.len(), "two statuses share a shape: {shapes:?}");
    shapes.into_keys().collect()
}

/// How the system shows colours.
const MODES: [(&str, bool); 4] = [("light", false), ("dark", false), ("light", true), ("dark", true)];

fn turn_to(browser: &Browser, (theme, forced): (&str, bool)) {
    if forced { browser.forced_colours(theme) } else { browser.theme(theme) }
}

/// Pictures of the shapes of these statuses, in each mode.
fn pictures<'a>(
    browser: &Browser,
    all: impl Iterator<Item = &'a String>,
) -> BTreeMap<(usize, String), String> {
    let all: Vec<&String> = all.collect();
    let mut taken = BTreeMap::new();
    for (number, mode) in MODES.into_iter().enumerate() {
        turn_to(browser, mode);
        for st in &all {
            let shape = format!("tr .st[data-st={st}] > svg");
            taken.insert((number, (*st).clone()), browser.picture_of(&shape));
        }
    }
    browser.theme("light");
    taken
}

/// For pictures without their colours: how far the darkest and the lightest pixel of each are apart, and how many
/// pixels of each two differ by more than a fifth of what lies between black and white.
const GREY: &str = "const [pictures] = arguments, done = arguments[arguments.length - 1];
    const grey = async (picture) => {
        const bytes = Uint8Array.from(atob(picture), (c) => c.charCodeAt(0));
        const image = await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
        const canvas = new OffscreenCanvas(image.width, image.height).getContext('2d');
        canvas.drawImage(image, 0, 0);
        const { data } = canvas.getImageData(0, 0, image.width, image.height), all = [];
        for (let i = 0; i < data.length; i += 4) {
            all.push(0.2126 * data[i] + 0.7152 * data[i + 1] + 0.0722 * data[i + 2]);
        }
        return all;
    };
    const most = (one) => one.reduce((a, b) => Math.max(a, b)), least = (one) => one.reduce((a, b) => Math.min(a, b));
    const range = (one) => Math.round(most(one) - least(one));
    Promise.all(pictures.map(grey)).then((all) => done({
        range: all.map(range),
        apart: all.flatMap((a, i) => all.slice(i + 1).map((b) => a.filter((v, k) => Math.abs(v - b[k]) > 51).length)),
    }), (why) => done(String(why)));";

/// Each picture shows something, and no two the same.
#[track_caller]
fn differ(browser: &Browser, what: &str, pictures: &[&String]) {
    let seen = browser.async_script(GREY, &[json!(pictures)]);
    let least = |key: &str| {
        let all = seen[key].as_array().unwrap_or_else(|| panic!("{what}: {seen}"));
        all.iter().filter_map(Value::as_u64).min().unwrap_or(0)
    };
    println!(
        "#   {what}: shapes stand out by {} of 255, two differ in {} pixels",
        least("range"),
        least("apart")
    );
    assert!(least("range") >= 90, "{what}: a shape cannot be seen: {seen}");
    assert!(least("apart") >= 20, "{what}: two statuses look the same without colour: {seen}");
}

/// Whatever can be read or pressed.
const THERE: &str =
    "return [...document.querySelectorAll('h1, h2, th, td, dt, dd, a[href], button, input, select, \
    .st, .st svg')]
    .filter((e) => e.checkVisibility() && e.getClientRects().length > 0).length";

/// With the few colours of the system everything is still there, and drawn.
#[track_caller]
fn forced_colours_lose_nothing(browser: &Browser) {
    // Nothing changes by itself meanwhile.
    browser.click("#pause");
    let before = browser.script(THERE, &[]);
    let drawn = ["#live .dot", "a.btn.main", ".seg > a[aria-current]", "[data-cord=visitors]", "#pause"];
    for theme in THEMES {
        browser.forced_colours(theme);
        assert_eq!(browser.script(THERE, &[]), before, "something is gone: {theme}");
        let taken = drawn.map(|css| browser.picture_of(css));
        let seen = browser.async_script(GREY, &[json!(taken)]);
        let range: Vec<u64> =
            seen["range"].as_array().into_iter().flatten().filter_map(Value::as_u64).collect();
        println!("#   forced, {theme}: {before} things; drawn: {range:?}");
        assert!(range.len() == drawn.len() && range.iter().all(|r| *r >= 90), "{theme}: {drawn:?} {seen}");
    }
    browser.theme("light");
    browser.click("#pause");
}

pub fn whatever_is_wrong_is_told_without_colour(cluster: &Cluster) {
    let trouble = Trouble::make(cluster);
    let person = Person::sign_in(cluster);
    let (browser, api) = (&person.browser, cluster.api());
    let mut found = Vec::new();
    let standby = format!("/pools/db/servers/{}", trouble.standby);
    let mut kinds = BTreeSet::new();
    for language in LANGUAGES {
        browser.set_cookie("cordee_lang", language);
        for page in ["/", standby.as_str(), "/pools/web/servers/shut/test", "/?web-q=nobody"] {
            person.go(page);
            browser.wait_for("#live[data-st=good]", SHOWN);
            if page == "/" {
                for (server, look) in [("shut", "crit"), ("leaves", "busy"), ("web2", "maint")] {
                    person.wait_for_look(server, look, SHOWN);
                }
                browser.width(360);
                shapes_and_words(browser);
                browser.width(1280);
                kinds.extend(shapes_and_words(browser));
            }
            assert_eq!(page.contains("nobody"), browser.sees("[data-none=web]"), "{page}");
            found.extend(looks::findings(browser, &format!("much is wrong, {page} {language}")));
        }
    }
    browser.set_cookie("cordee_lang", "en");
    person.go("/");
    browser.wait_for("#live[data-st=good]", SHOWN);
    forced_colours_lose_nothing(browser);
    let mut taken = pictures(browser, kinds.iter());
    // A HAProxy that stands still tells nothing.
    let worker = api.snapshot().proxy("web").worker_pid.expect("a worker");
    let frozen = Frozen::one(cluster.home(), worker);
    for language in LANGUAGES {
        browser.set_cookie("cordee_lang", language);
        person.go("/");
        person.wait_for_look("web1", "unknown", SHOWN);
        kinds.extend(shapes_and_words(browser));
        found.extend(looks::findings(browser, &format!("HAProxy stands still, {language}")));
        browser.click("#pause");
        browser.wait_for("#live[data-paused]", SHOWN);
        found.extend(looks::findings(browser, &format!("paused, {language}")));
    }
    taken.extend(pictures(browser, std::iter::once(&"unknown".to_owned())));
    drop(frozen);
    let all = ["good", "warn", "crit", "busy", "maint", "unknown"].map(str::to_owned);
    assert_eq!(kinds, BTreeSet::from(all), "the statuses that were seen");
    for (number, (theme, forced)) in MODES.into_iter().enumerate() {
        let mode: Vec<&String> = taken.iter().filter(|((n, _), _)| *n == number).map(|(_, p)| p).collect();
        assert_eq!(mode.len(), kinds.len());
        differ(browser, &format!("{theme}{}", if forced { ", forced" } else { "" }), &mode);
    }
    drop(trouble);
    cluster.settle();
    looks::none(&found);
}

// ---- nobody tells anything

pub fn what_nobody_tells_is_shown_as_unknown(cluster: &Cluster) {
    cluster.settle();
    let person = Person::sign_in(cluster);
    let browser = &person.browser;
    browser.wait_for("#live[data-st=good]", SHOWN);
    let mut tabs = vec![(LANGUAGES[0], browser.this_tab())];
    browser.set_cookie("cordee_lang", LANGUAGES[1]);
    tabs.push((LANGUAGES[1], browser.new_tab()));
    person.go("/");
    browser.wait_for("#live[data-st=good]", SHOWN);
    let serve = cluster.serve().expect("serve");
    // Its keeper would start another one.
    let both = [serve.parent, serve.pid].map(|pid| Frozen::one(cluster.home(), pid));
    let mut found = Vec::new();
    for (language, tab) in &tabs {
        browser.tab(tab);
        browser.wait_for("#lost", SHOWN);
        assert_eq!(person.shown_as_fine(), Vec::<String>::new());
        found.extend(looks::findings(browser, &format!("nobody tells anything, {language}")));
    }
    drop(both);
    for (_, tab) in &tabs {
        browser.tab(tab);
        wait::until_true("it is told again", SHOWN, || !browser.sees("#lost"));
    }
    cluster.settle();
    looks::none(&found);
}

// ---- empty, and locked

pub fn an_empty_cluster_says_what_to_do(cluster: &Cluster) {
    let api = cluster.api();
    for server in ["web1", "web2"] {
        api.delete(&format!("/v1/pools/web/servers/{server}?force=true"));
        api.wait_until_gone(server, SETTLED);
    }
    let (name, value) = cluster.session_anew();
    let person = Person::stranger(cluster);
    let browser = &person.browser;
    person.go("/login");
    browser.set_cookie(&name, &value);
    let mut found = Vec::new();
    for (language, says) in [("en", "No web server"), ("fr", "Aucun serveur web")] {
        browser.set_cookie("cordee_lang", language);
        person.go("/");
        browser.wait_for("[data-empty=web] a[data-open=add]", SHOWN);
        let text = browser.text("[data-empty=web]").unwrap_or_default();
        assert!(text.contains(says), "{text}");
        found.extend(looks::findings(browser, &format!("no web server, {language}")));
        browser.click("[data-empty=web] a[data-open=add]");
        browser.wait_for("dialog#add[open]", SHOWN);
    }
    // What visitors read meanwhile.
    let site = format!("http://{}/", cluster.site());
    assert_eq!(Client::new(cluster.site()).get("/").expect("an answer").status, 503);
    browser.open(&site);
    found.extend(looks::findings(browser, "503 for visitors"));
    looks::none(&found);
}

pub fn a_locked_sign_in_says_for_how_long(cluster: &Cluster) {
    let try_to = |language: &str| {
        Client::new(cluster.page())
            .header("Sec-Fetch-Site", "same-origin")
            .header("Accept-Language", language)
            .header("Connection", "close")
            .post_form("/login", &[("name", ACCOUNT), ("password", "not the password")])
            .expect("an answer")
    };
    for number in 1..=5 {
        assert_eq!(try_to("en").status, 422, "try {number}");
    }
    let mut found = Vec::new();
    for (language, says) in [("en", "try again in"), ("fr", "réessayez dans")] {
        let answer = try_to(language);
        let seconds = answer.header("retry-after").unwrap_or_default().to_owned();
        assert!(
            answer.status == 429 && answer.text().contains(&format!("{says} {seconds}")),
            "{}",
            answer.text()
        );
        assert!(answer.header("content-security-policy").is_some(), "{answer:?}");
        let person = Person::stranger(cluster);
        person.go("/login");
        person.browser.set_cookie("cordee_lang", language);
        person.fill_in(&[("name", ACCOUNT), ("password", "not the password")]);
        person.submit();
        wait::until("it says for how long", SHOWN, || match person.browser.text("main") {
            Some(text) if text.contains(says) => Ok(()),
            other => Err(other),
        });
        found.extend(looks::findings(&person.browser, &format!("a locked sign-in, {language}")));
    }
    looks::none(&found);
}
