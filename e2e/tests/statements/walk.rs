//! A walk through all pages: the policy on every answer, one language at a time, nothing cut, nothing asked of
//! elsewhere, nothing done by looking; and the way from one language to the other.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use cordee_e2e::browser::Browser;
use cordee_e2e::cluster::{ACCOUNT, Cluster, PASSWORD, PROOF};
use cordee_e2e::http::{self, Client};
use cordee_e2e::looks::LANGUAGES;
use cordee_e2e::person::Person;
use cordee_e2e::vocabulary::{foreign, vocabulary};
use cordee_e2e::wait;
use serde::Deserialize;
use serde_json::json;

use super::{SETTLED, SHOWN, Tidy};
use crate::page::{NOT_FOUND, PAGES};

// ---- the policy

/// The head of an answer: its body may have no end.
fn head(cluster: &Cluster, request: &str) -> String {
    let mut stream = TcpStream::connect(cluster.page()).expect("the page");
    stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a limit");
    stream.write_all(request.as_bytes()).expect("sent");
    let (mut head, mut one) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut one).expect("an answer") == 1 {
        head.push(one[0]);
    }
    String::from_utf8_lossy(&head).to_lowercase()
}

pub fn every_answer_has_the_policy(cluster: &Cluster) {
    let (name, secret) = cluster.session();
    let page = cluster.signed_in().get("/").expect("the page").text();
    let style = page.split("href=\"").find(|part| part.starts_with("/assets/") && part.contains(".css\""));
    let style = style.and_then(|part| part.split('"').next()).expect("a style sheet");
    let signed =
        format!("Cookie: {name}={secret}\r\nSec-Fetch-Site: same-origin\r\nCordee-Proof: {PROOF}\r\n");
    let cookie = format!("Cookie: {name}={secret}\r\nSec-Fetch-Site: same-origin\r\n");
    let cross = format!("Cookie: {name}={secret}\r\nSec-Fetch-Site: cross-site\r\nCordee-Proof: {PROOF}\r\n");
    let none = String::new();
    let days = format!("days=0&proof={PROOF}");
    let live = http::stream(cluster.page());
    let cases = [
        ("GET", "/", &signed, "", 200),
        ("HEAD", "/", &signed, "", 200),
        ("GET", "/", &none, "", 303),
        ("GET", "/login", &none, "", 200),
        ("GET", style, &none, "", 200),
        ("GET", "/assets/x/nothing.js", &none, "", 404),
        ("GET", "/nothing-here", &signed, "", 404),
        // Only forms go there.
        ("GET", "/pools/web/servers", &signed, "", 404),
        ("POST", "/lang", &signed, "lang=en&back=/", 303),
        ("POST", "/login", &cross, "name=x&password=y", 403),
        ("POST", "/pools/web/servers/web1/drain", &cookie, "x=y", 403),
        ("POST", "/visitors/keeping", &signed, days.as_str(), 422),
        ("GET", &*live, &signed, "", 200),
        ("GET", "/live", &signed, "", 303),
        ("GET", "/api/v1/events", &signed, "", 200),
        ("GET", "/api/v1/snapshot", &signed, "", 200),
        ("GET", "/api/v1/visitors.csv", &signed, "", 200),
        ("GET", "/api/v1/snapshot", &none, "", 401),
        ("GET", "/api/nothing", &signed, "", 404),
        ("DELETE", "/api/v1/snapshot", &signed, "", 405),
    ];
    let own = cluster.page().to_string();
    let mut wrong = Vec::new();
    let mut judge = |method: &str, path: &str, host: &str, extra: &str, body: &str, status: u16| {
        let form = "Content-Type: application/x-www-form-urlencoded\r\n";
        let kind =
            if body.is_empty() { String::new() } else { format!("{form}Content-Length: {}\r\n", body.len()) };
        let head = head(
            cluster,
            &format!(
                "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{extra}{kind}\r\n{body}"
            ),
        );
        let policy =
            head.lines().find_map(|l| l.strip_prefix("content-security-policy: ")).unwrap_or_default();
        let strict = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'; \
                      require-trusted-types-for 'script'; trusted-types 'none'";
        let fits = head.starts_with(&format!("http/1.1 {status}"));
        if !fits || policy != strict || !head.contains("x-content-type-options: nosniff") {
            wrong.push(format!("{method} {path}, {status} expected: {head}"));
        }
    };
    for (method, path, extra, body, status) in cases {
        judge(method, path, &own, extra, body, status);
    }
    judge("GET", "/", "evil.example", &none, "", 421);
    assert!(wrong.is_empty(), "{wrong:#?}");
}

// ---- one language at a time

/// What is no sentence of ours: code, logs, names of files, the other language's own name.
const HIDE: &str =
    "for (const e of document.querySelectorAll('code, pre, kbd, .diff, [lang]:not(html), h2[id^=\"f-\"]'))
        e.setAttribute('aria-hidden', 'true');";

/// What the page itself says of its language, its forms, whom it asked, and which of its texts are cut.
const PAGE: &str = "const cut = [];
    for (const e of document.querySelectorAll('body *')) {
        if (!e.checkVisibility() || e.closest('svg, .vh, .scroll, .log, .diff, .tabs') || e.clientWidth === 0) continue;
        const style = getComputedStyle(e);
        if (!/hidden|clip/.test(style.overflowX + style.overflowY)) continue;
        const [x, y] = [e.scrollWidth - e.clientWidth, e.scrollHeight - e.clientHeight];
        if (x > 1 || y > 1) cut.push(`${e.localName}.${e.className} +${x} +${y}: ${e.textContent.trim().slice(0, 40)}`);
    }
    const d = document.documentElement;
    if (d.scrollWidth > d.clientWidth) cut.push(`the page +${d.scrollWidth - d.clientWidth}`);
    const asked = performance.getEntriesByType('resource').map((e) => e.name);
    return { lang: d.lang, cut, elsewhere: asked.filter((name) => new URL(name).origin !== location.origin),
        forms: [...document.forms].filter((f) => f.method === 'post').map((f) => new URL(f.action).pathname) };";

#[derive(Debug, Deserialize)]
struct Shown {
    lang: String,
    cut: Vec<String>,
    elsewhere: Vec<String>,
    forms: Vec<String>,
}

/// What others said: a browser's own name, and a server that somebody looked for.
const DATA: [&str; 2] = ["(KHTML, like Gecko)", "gone"];

pub fn every_page_is_of_one_language_and_whole_at_200_percent(cluster: &Cluster) {
    let (english, french) = (vocabulary("en"), vocabulary("fr"));
    assert!(english.len() > 1_000 && french.len() > 1_000, "{} and {}", english.len(), french.len());
    cluster.settle();
    let person = Person::sign_in(cluster);
    let browser = &person.browser;
    let before = cluster.api().snapshot().wish();
    drop(browser.complaints());
    let (mut found, mut forms) = (Vec::new(), BTreeSet::new());
    for language in LANGUAGES {
        let (own, other) = if language == "fr" { (&french, &english) } else { (&english, &french) };
        browser.set_cookie("cordee_lang", language);
        browser.at_200_percent(1280, 900);
        for page in PAGES {
            person.go(page);
            let shown: Shown = serde_json::from_value(browser.script(PAGE, &[])).expect("a page");
            browser.script(HIDE, &[]);
            let foreign = foreign(&browser.told(), own, other, &DATA);
            assert_eq!(shown.lang, language, "{page}");
            found.extend(foreign.into_iter().map(|f| format!("{page} {language}: {f}")));
            found.extend(shown.cut.into_iter().map(|c| format!("{page} {language}, cut: {c}")));
            found.extend(shown.elsewhere.into_iter().map(|e| format!("{page} asks {e}")));
            let own_404 = |line: &String| NOT_FOUND.contains(&page) && line.contains("404");
            let heard = browser.complaints().into_iter().filter(|l| !own_404(l));
            found.extend(heard.map(|l| format!("{page} {language}: {l}")));
            forms.extend(shown.forms);
        }
    }
    assert!(found.is_empty(), "{} findings: {found:#?}", found.len());
    // What is cut would have been seen.
    let cut = "const h = document.querySelector('h1').style; h.width = '2em'; h.overflow = 'hidden'; \
        h.textWrap = 'nowrap'";
    browser.script(cut, &[]);
    let shown: Shown = serde_json::from_value(browser.script(PAGE, &[])).expect("a page");
    assert_eq!(shown.cut.len(), 1, "{:?}", shown.cut);
    from_elsewhere(cluster, &forms);
    assert_eq!(
        cluster.api().snapshot().wish(),
        before,
        "looking changes nothing, nor do forms of another site"
    );
}

/// Every form that any page holds, sent by another site.
fn from_elsewhere(cluster: &Cluster, forms: &BTreeSet<String>) {
    let (name, secret) = cluster.session();
    assert!(forms.len() > 20, "{forms:?}");
    for path in forms {
        let answer = Client::new(cluster.page())
            .cookie(&name, &secret)
            .header("Sec-Fetch-Site", "cross-site")
            .header("Connection", "close")
            .proof(PROOF)
            .post_form(path, &[("confirm", "web1"), ("know", "on"), ("lang", "fr")])
            .expect("an answer");
        assert_eq!(answer.status, 403, "{path}");
    }
    println!("#   {} forms, none of which another site can send", forms.len());
}

// ---- from one language to the other

/// The address, how far it is scrolled, and the language.
fn place(browser: &Browser) -> (String, i64, String) {
    let script =
        "return [location.pathname + location.search, Math.round(scrollY), document.documentElement.lang]";
    let found = browser.try_script(script, &[]).unwrap_or_default();
    let text = |n: usize| found[n].as_str().unwrap_or_default().to_owned();
    (text(0), found[1].as_i64().unwrap_or(-1), text(2))
}

#[track_caller]
fn switch(person: &Person, to: &str) {
    person.browser.click(&format!("button[lang={to}]"));
    wait::until("the other language is there", SHOWN, || {
        let whole = person.browser.try_script("return document.readyState", &[])?;
        match place(&person.browser) {
            (_, _, lang) if lang == to && whole == json!("complete") => Ok(()),
            other => Err(format!("{other:?}")),
        }
    });
}

pub fn another_language_keeps_page_filter_and_place(cluster: &Cluster) {
    cluster.settle();
    let person = Person::sign_in(cluster);
    let browser = &person.browser;
    for (page, scroll) in [
        ("/config/web", 1_200),
        ("/visitors?address=127.0&server=web1", 200),
        ("/?web-q=web&web-sort=-name", 250),
    ] {
        person.go(page);
        browser.wait_for("#live[data-st=good]", SHOWN);
        browser.script("scrollTo(0, arguments[0])", &[json!(scroll)]);
        let (before, ..) = place(browser);
        assert_eq!(place(browser), (page.to_owned(), scroll, "en".to_owned()));
        for to in ["fr", "en"] {
            switch(&person, to);
            let (here, there, _) = place(browser);
            println!("#   {here} in {to}: {there} px");
            assert_eq!(here, before);
            assert_eq!(there, scroll, "{page} in {to}");
        }
        // The theme is chosen the same way; its form holds the one that comes next.
        let next =
            "return document.querySelector('form[action=\"/theme\"] input[name=theme]')?.value ?? null";
        let theme = browser.script(next, &[]);
        browser.click("form[action=\"/theme\"] button");
        wait::until("another theme, the same place", SHOWN, || {
            let (now, here) = (browser.try_script(next, &[])?, place(browser));
            if !now.is_null() && now != theme && here.1 == scroll {
                Ok(())
            } else {
                Err(format!("{now} {here:?}"))
            }
        });
    }
    // Of what was refused there is no address to come back to: its form is shown again.
    person.go("/pools/web/servers/new");
    person.fill_in(&[("name", "a;b")]);
    person.submit();
    browser.wait_for("[aria-invalid=true][name=name]", SHOWN);
    switch(&person, "fr");
    assert!(browser.sees("main form [name=name]"), "{:?}", browser.text("body"));
    switch(&person, "en");
}

// ---- without script

pub fn without_script_a_person_signs_in_drains_and_reads(cluster: &Cluster) {
    let _tidy = Tidy(cluster);
    cluster.settle();
    let person = Person::stranger(cluster);
    let browser = &person.browser;
    browser.allow_scripts(false);
    person.go("/");
    browser.set_cookie("cordee_lang", "en");
    person.fill_in(&[("name", ACCOUNT), ("password", PASSWORD)]);
    person.submit();
    wait::until("the dashboard is shown", SHOWN, || match browser.path() {
        path if path == "/" => Ok(()),
        path => Err(format!("{path}: {:?}", browser.text("main"))),
    });
    assert_eq!(person.row("web2").expect("its row").look, "good");
    let board = browser.text("main").unwrap_or_default();
    assert!(board.contains("script"), "it says that it needs one to stay up to date: {board}");
    for (act, look) in [("drain", "busy"), ("ready", "good")] {
        browser.click(&format!("tr[data-row=web2] form[data-a={act}] button"));
        browser.wait_for("main [name=own_password]", SHOWN);
        person.submit_with_password();
        wait::until("it is so", SETTLED, || {
            person.go("/");
            let row = person.row("web2").ok_or("no row")?;
            if row.look == look { Ok(()) } else { Err("another look") }
        });
    }
    person.go("/journal");
    let journal = browser.text("main").unwrap_or_default();
    assert!(journal.contains("web2") && journal.contains(ACCOUNT), "{journal}");
    person.go("/config/web");
    let lines = browser.script("return document.querySelectorAll('ol.file > li:not(.gap)').length", &[]);
    let told =
        "return document.querySelectorAll('ol.file > li:not(.gap) > div > p:first-child:not(:empty)').length";
    assert!(lines.as_u64().is_some_and(|n| n > 30), "{lines}");
    assert_eq!(browser.script(told, &[]), lines, "each line is explained");
    browser.allow_scripts(true);
    cluster.settle();
}
