//! The page for everybody: both languages, both themes, a telephone and a desktop, with and without a mouse; and
//! nothing that the browser complains about.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed expectation is how a test ends")]

mod front;

use std::path::Path;
use std::time::Duration;

use cordee_e2e::axe;
use cordee_e2e::browser::Browser;
use cordee_e2e::case;
use cordee_e2e::cluster::{ACCOUNT, Cluster, PASSWORD};
use cordee_e2e::http::Client;
use cordee_e2e::looks::{self, LANGUAGES, THEMES, too_wide};
use cordee_e2e::person::Person;
use cordee_e2e::suite::File;
use cordee_e2e::wait;
use serde_json::json;

use front::{axe_finds_nothing_on_forms_with_errors, axe_finds_nothing_with_dialogs_and_menus_open};

const WIDTHS: [u32; 2] = [360, 1280];
const SHOWN: Duration = Duration::from_secs(10);

/// Every page of the product that somebody signed in can open.
pub const PAGES: [&str; 35] = [
    "/",
    "/sessions/compare",
    "/drills",
    "/visitors",
    "/config",
    "/config/web",
    "/config/db",
    "/journal",
    "/aide",
    "/account/password",
    "/account/sessions",
    "/account/tokens",
    "/clean",
    "/pools/web/servers/new",
    "/pools/web/servers/web1/logs",
    "/pools/web/servers/web1/visitors",
    "/pools/web/servers/web1/test",
    "/pools/web/servers/web1/stop",
    "/pools/web/servers/web1/restart",
    "/pools/web/servers/web1/remove",
    "/pools/web/servers/gone/logs",
    "/pools/web/servers/gone/stop",
    "/pools/web/servers/web2/remove",
    "/pools/db/servers/db2",
    "/pools/db/servers/db1/logs",
    "/pools/db/servers/db1/test",
    // Of the writer they are not asked while another database could take over.
    "/pools/db/servers/db2/stop",
    "/pools/db/servers/db2/restart",
    "/pools/db/servers/db2/promote",
    "/pools/db/servers/db2/remove",
    "/pools/db/servers/new",
    "/pools/db/servers/existing",
    "/pools/db/routing/all-writers",
    "/pools/web/session/database",
    "/nothing-here",
];

/// Pages that are right to answer 404, which Chromium notes in its console.
pub const NOT_FOUND: [&str; 3] =
    ["/nothing-here", "/pools/web/servers/gone/logs", "/pools/web/servers/gone/stop"];

/// Its cases.
pub fn file() -> File {
    File::new(
        "page",
        &[],
        &[
            case!(first_run_asks_for_the_code_and_makes_the_account),
            case!(signing_out_and_in_again),
            case!(a_page_that_was_asked_for_is_shown_after_the_sign_in),
            case!(axe_finds_nothing_on_any_page_and_none_is_wider_than_the_screen),
            case!(axe_finds_nothing_on_forms_with_errors),
            case!(axe_finds_nothing_with_dialogs_and_menus_open),
            case!(what_is_behind_a_name),
            case!(a_log_opens_at_its_newest_line),
            case!(fields_have_room_for_what_is_typed_there),
            case!(a_walk_through_all_pages_leaves_the_console_empty),
            case!(language_and_theme_are_one_click_each),
            case!(a_paused_page_says_how_old_it_is),
            case!(all_pages_are_complete_without_script),
            case!(pictures_for_the_readme),
        ],
    )
}

// ---- the door

fn first_run_asks_for_the_code_and_makes_the_account(cluster: &Cluster) {
    let person = Person::stranger(cluster);
    person.go("/");
    assert_eq!(person.browser.path(), "/setup", "until there is an account everything leads to /setup");
    person.browser.set_cookie("cordee_lang", "en");
    in_all_looks(&person, &["/setup"]);
    person.go("/setup");
    person.fill_in(&[("code", "WRONG-CODE"), ("name", ACCOUNT), ("password", PASSWORD)]);
    person.submit();
    person.browser.wait_for("main [aria-invalid=\"true\"][name=\"code\"]", SHOWN);
    assert_eq!(axe::violations(&person.browser), Vec::<String>::new());
    drop(person.browser.complaints());
    let code = cluster.cli_ok(&["setup-code"]);
    person.fill_in(&[("code", code.trim()), ("name", ACCOUNT), ("password", PASSWORD)]);
    person.submit();
    wait::until("the dashboard is shown", SHOWN, || {
        person.row("web1").ok_or_else(|| person.browser.text("main"))
    });
    assert_eq!(person.browser.path(), "/");
    let again = cluster.cli(&["setup-code"]);
    assert!(!again.out.contains(code.trim()), "the code works once: {again:?}");
}

/// Signs in by the form, as every later case does: the account was made by a person, in the case before.
#[track_caller]
fn sign_in(cluster: &Cluster) -> Person {
    let person = Person::stranger(cluster);
    person.go("/");
    assert_eq!(person.browser.path(), "/login");
    person.browser.set_cookie("cordee_lang", "en");
    person.fill_in(&[("name", ACCOUNT), ("password", PASSWORD)]);
    person.submit();
    wait::until("the dashboard is shown", SHOWN, || {
        person.row("web1").ok_or_else(|| person.browser.text("main"))
    });
    person
}

fn a_page_that_was_asked_for_is_shown_after_the_sign_in(cluster: &Cluster) {
    let person = Person::stranger(cluster);
    person.go("/config/db?x=1");
    assert_eq!(person.browser.path(), "/login");
    person.fill_in(&[("name", ACCOUNT), ("password", "not the password")]);
    person.submit();
    person.browser.wait_for("main [role=\"alert\"]", SHOWN);
    person.fill_in(&[("name", ACCOUNT), ("password", PASSWORD)]);
    person.submit();
    wait::until("the page that was asked for is shown", SHOWN, || {
        let address = person.browser.address();
        if address.ends_with("/config/db?x=1") { Ok(()) } else { Err(address) }
    });
    // The script leads to the sign-in page as well, when the session is over.
    let log = "/pools/web/servers/web1/logs?status=404";
    person.go(log);
    person.browser.forget_cookies();
    person.browser.set_cookie("cordee_lang", "en");
    wait::until("it leads to the sign-in page", SHOWN, || {
        if person.browser.path() == "/login" { Ok(()) } else { Err(person.browser.address()) }
    });
    person.fill_in(&[("name", ACCOUNT), ("password", PASSWORD)]);
    person.submit();
    wait::until("the log is shown", SHOWN, || {
        let address = person.browser.address();
        if address.ends_with(log) { Ok(()) } else { Err(address) }
    });
}

fn signing_out_and_in_again(cluster: &Cluster) {
    let person = sign_in(cluster);
    person.browser.forget_cookies();
    person.browser.set_cookie("cordee_lang", "en");
    person.go("/journal");
    assert_eq!(person.browser.path(), "/login");
    in_all_looks(&person, &["/login"]);
    person.go("/login");
    person.fill_in(&[("name", ACCOUNT), ("password", "not the password")]);
    person.submit();
    person.browser.wait_for("main .err, main [role=\"alert\"]", SHOWN);
    assert_eq!(axe::violations(&person.browser), Vec::<String>::new());
    person.fill_in(&[("name", ACCOUNT), ("password", PASSWORD)]);
    person.submit();
    wait::until("the dashboard is shown", SHOWN, || {
        person.row("web1").ok_or_else(|| person.browser.text("main"))
    });
}

// ---- axe

/// Shows pages in both languages, at all widths, in both themes, and collects what axe finds and what is too wide.
#[track_caller]
fn in_all_looks(person: &Person, pages: &[&str]) {
    let mut found = Vec::new();
    for language in LANGUAGES {
        person.browser.set_cookie("cordee_lang", language);
        for page in pages {
            person.go(page);
            found.extend(looks::findings(&person.browser, &format!("{page} {language}")));
        }
    }
    usual_look(&person.browser);
    looks::none(&found);
}

fn usual_look(browser: &Browser) {
    browser.theme("light");
    browser.width(1280);
    browser.set_cookie("cordee_lang", "en");
}

fn each_look(browser: &Browser, mut then: impl FnMut(&str)) {
    for language in LANGUAGES {
        browser.set_cookie("cordee_lang", language);
        for theme in THEMES {
            browser.theme(theme);
            for width in WIDTHS {
                browser.width(width);
                then(&format!("{language} {theme} {width}"));
            }
        }
    }
    usual_look(browser);
}

fn axe_finds_nothing_on_any_page_and_none_is_wider_than_the_screen(cluster: &Cluster) {
    in_all_looks(&sign_in(cluster), &PAGES);
}

/// Opens the menu behind one's own name; on a narrow screen it is in the menu of all places. Where the page is loaded
/// once more meanwhile (seen half a second after the browser had said that it was complete), it is opened on the one
/// that stays.
fn open_own_menu(person: &Person, look: &str) {
    let origin = || person.browser.try_script("return performance.timeOrigin", &[]);
    person.dashboard();
    for _ in 0..3 {
        let before = origin();
        if look.ends_with(" 360") {
            person.browser.click("[popovertarget=\"nav\"]");
        }
        person.browser.click("[popovertarget=\"self\"]");
        let (open, _) = wait::until(&format!("the menu is open in {look}"), SHOWN, || {
            let open = person.browser.sees("#self form[action=\"/logout\"] button");
            if open || origin() != before { Ok(open) } else { Err(person.browser.text("header")) }
        });
        if open {
            return;
        }
        println!("#   {look}: the page was loaded once more");
    }
    panic!("the page is loaded again and again in {look}");
}

fn what_is_behind_a_name(cluster: &Cluster) {
    let person = sign_in(cluster);
    // Another browser, so that there is a session to end.
    let mut other = Client::with_jar(cluster.page())
        .header("Sec-Fetch-Site", "same-origin")
        .header("Connection", "close")
        .header("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0");
    let fields = [("name", ACCOUNT), ("password", PASSWORD)];
    assert_eq!(other.post_form("/login", &fields).expect("/login").status, 303);
    let mut found = Vec::new();
    each_look(&person.browser, |look| {
        let mut check = |what: &str| {
            found.extend(axe::violations(&person.browser).into_iter().map(|v| format!("{what} {look}: {v}")));
            found.extend(too_wide(&person.browser).map(|over| format!("{what} {look}: {over} px too wide")));
            looks::keep(&person.browser, &format!("{what} {look}"));
        };
        open_own_menu(&person, look);
        check("menu");
        for page in ["password", "sessions", "tokens"] {
            person.go(&format!("/account/{page}"));
            check(page);
        }
        person.fill_in(&[("name", "a b"), ("days", "0"), ("password", PASSWORD)]);
        person.submit();
        person.browser.wait_for("[aria-invalid=\"true\"][name=\"days\"]", SHOWN);
        check("tokens-wrong");
        let name = look.replace(' ', "-");
        person.fill_in(&[("name", &name), ("days", "90"), ("password", PASSWORD)]);
        person.submit();
        person.browser.wait_for("code.secret", SHOWN);
        check("tokens-made");
        person.go(&format!("/account/tokens/{name}/revoke"));
        check("revoke");
        person.submit();
        wait::until("the list is shown without it", SHOWN, || {
            let shown = person.browser.text("main").unwrap_or_default();
            let gone = person.browser.path() == "/account/tokens" && !shown.contains(&name);
            if gone { Ok(()) } else { Err(shown) }
        });
    });
    assert!(found.is_empty(), "{} violations: {found:#?}", found.len());
    assert_eq!(other.get("/journal").expect("a page").status, 200);
    person.go("/account/sessions");
    person.browser.click("form[action=\"/account/sessions/end\"] button");
    wait::until("the other session is over", SHOWN, || {
        let seen = other.get("/journal").expect("a page").status;
        if seen == 303 { Ok(()) } else { Err(seen) }
    });
    person.go("/account/password");
    person.fill_in(&[
        ("present", PASSWORD),
        ("new", "corde de rappel 61 m"),
        ("again", "corde de rappel 61 m"),
    ]);
    person.submit();
    person.browser.wait_for("main .note[data-st=\"good\"]", SHOWN);
    person.dashboard();
    person.go("/account/password");
    person.fill_in(&[("present", "corde de rappel 61 m"), ("new", PASSWORD), ("again", PASSWORD)]);
    person.submit();
    person.browser.wait_for("main .note[data-st=\"good\"]", SHOWN);
    open_own_menu(&person, "wide");
    person.browser.click("#self form[action=\"/logout\"] button");
    wait::until("signed out", SHOWN, || {
        let path = person.browser.path();
        if path == "/login" { Ok(()) } else { Err(path) }
    });
}

// ---- the console

fn a_walk_through_all_pages_leaves_the_console_empty(cluster: &Cluster) {
    let person = sign_in(cluster);
    drop(person.browser.complaints());
    let mut heard = Vec::new();
    for page in PAGES {
        person.go(page);
        policy_is_strict(cluster, page);
        let own_404 = |line: &String| NOT_FOUND.contains(&page) && line.contains("404");
        heard.extend(
            person.browser.complaints().into_iter().filter(|l| !own_404(l)).map(|l| format!("{page}: {l}")),
        );
    }
    person.dashboard();
    person.open_add_web();
    person.dashboard();
    person.ask("web", "web1", "stop");
    person.browser.wait_for("dialog[open]", SHOWN);
    heard.extend(person.browser.complaints());
    assert!(heard.is_empty(), "{heard:#?}");
    asks_only_its_own_origin(&person);
}

/// The policy of page.md 3.5, on the page itself.
fn policy_is_strict(cluster: &Cluster, page: &str) {
    let answer = cluster_get(cluster, page);
    let policy = answer.header("content-security-policy").unwrap_or_else(|| panic!("{page}: no policy"));
    for part in [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    ] {
        assert!(policy.contains(part), "{page}: {part} is missing in {policy}");
    }
    assert!(!policy.contains("unsafe"), "{page}: {policy}");
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{page}");
}

fn cluster_get(cluster: &Cluster, page: &str) -> cordee_e2e::http::Answer {
    let mut client = cordee_e2e::http::Client::with_jar(cluster.page())
        .header("Sec-Fetch-Site", "same-origin")
        .header("Connection", "close");
    if page != "/login" {
        let answer = client.post_form("/login", &[("name", ACCOUNT), ("password", PASSWORD)]).unwrap();
        assert_eq!(answer.status, 303, "{}", answer.text());
    }
    client.get(page).unwrap()
}

fn asks_only_its_own_origin(person: &Person) {
    person.dashboard();
    let other = person.browser.script(
        "return performance.getEntriesByType('resource').map(e => e.name)
            .filter(n => new URL(n).origin !== location.origin)",
        &[],
    );
    assert_eq!(other, json!([]), "asked of another origin");
}

// ---- looks

fn language_and_theme_are_one_click_each(cluster: &Cluster) {
    let person = sign_in(cluster);
    // The page may be on its way to another while it is asked.
    let language =
        || person.browser.try_script("return document.documentElement.lang", &[]).unwrap_or_default();
    assert_eq!(language(), json!("en"));
    person.browser.click("button[lang=\"fr\"]");
    wait::until_true("the page is French", SHOWN, || language() == json!("fr"));
    assert_eq!(person.browser.path(), "/", "the same page as before");
    let background =
        || person.browser.script("return getComputedStyle(document.documentElement).backgroundColor", &[]);
    // The form holds the theme that comes next: when that has changed, the new page is there.
    let next = "return document.querySelector('form[action=\"/theme\"] input[name=theme]')?.value ?? null";
    let click_until = |then: &str| {
        person.browser.click("form[action=\"/theme\"] button");
        wait::until_true("the next theme is there", SHOWN, || {
            person.browser.try_script(next, &[]) == Ok(json!(then))
        });
    };
    assert_eq!(person.browser.script(next, &[]), json!("light"), "the first theme is the system's");
    click_until("dark");
    let light = background();
    click_until("auto");
    assert_ne!(background(), light, "the page is dark");
    person.browser.click("button[lang=\"en\"]");
    wait::until_true("the page is English", SHOWN, || language() == json!("en"));
}

fn a_paused_page_says_how_old_it_is(cluster: &Cluster) {
    let person = sign_in(cluster);
    let browser = &person.browser;
    browser.width(WIDTHS[0]);
    // The longer words.
    browser.set_cookie("cordee_lang", "fr");
    person.go("/");
    let live = "#live[data-st=good]:not([data-paused])";
    browser.wait_for(live, SHOWN);
    browser.click("#pause");
    // « 4,1 s », « il y a 4,1 s » : of the whole, and of a row.
    let age = |css: &str| {
        let text = browser.text(css)?;
        text.split(char::is_whitespace).find_map(|word| word.replace(',', ".").parse::<f64>().ok())
    };
    let shown = ["[data-live-age]", "tr[data-row=web1] [data-age]"];
    wait::until("what it shows grows old", SHOWN, || {
        let ages = shown.map(age);
        if ages.iter().all(|a| a.is_some_and(|a| a >= 4.0)) { Ok(()) } else { Err(ages) }
    });
    assert!(browser.sees("#live[data-st=unknown][data-paused] .lbl"), "the word is there on a telephone too");
    assert_eq!(too_wide(browser), None);
    browser.click("#pause");
    browser.wait_for(live, SHOWN);
    wait::until("it is new again", SHOWN, || {
        let ages = shown.map(age);
        if ages.iter().all(|a| a.is_some_and(|a| a < 3.0)) { Ok(()) } else { Err(ages) }
    });
    usual_look(browser);
}

fn all_pages_are_complete_without_script(cluster: &Cluster) {
    let person = sign_in(cluster);
    person.browser.allow_scripts(false);
    for page in PAGES {
        person.go(page);
        assert!(person.browser.sees("main h1"), "{page} has no heading without script");
    }
    person.go("/");
    let row = person.row("web1").expect("web1 is on the dashboard without script");
    assert_eq!(row.look, "good", "{row:?}");
}

/// The first line of each log in view, whether it is in view, and what stands above it: on the page of logs, its file.
const TOPS: &str = "return [...document.querySelectorAll('pre.log[data-file], #log pre.log')].map((log) => \
     [log.firstElementChild?.textContent ?? '', log.scrollTop, log.closest('.panel').querySelector('h2').textContent])";

fn a_log_opens_at_its_newest_line(cluster: &Cluster) {
    let person = sign_in(cluster);
    for scripts in [true, false] {
        person.browser.allow_scripts(scripts);
        for page in ["/pools/db/servers/db1/logs", "/pools/web/servers/web1/logs", "/pools/db/servers/db1"] {
            person.go(page);
            let shown = person.browser.script(TOPS, &[]);
            let logs = shown.as_array().filter(|all| !all.is_empty()).expect("a log");
            for log in logs {
                assert_eq!(log[1], 0, "{page}: {log}");
            }
            if page.contains("db1") {
                let all = cluster.api().get("/v1/pools/db/servers/db1/logs?lines=1000");
                let files = all["files"].as_array().expect("files");
                let own = files.iter().find(|f| f["name"] == "mariadb.log").expect("its log");
                let newest = own["lines"].as_array().expect("lines").iter().rev();
                let newest =
                    newest.filter_map(|l| l.as_str()).find(|l| l.starts_with(|c: char| c.is_ascii_digit()));
                let shown = logs.iter().find(|log| log[2] == "mariadb.log").unwrap_or(&logs[0]);
                assert_eq!(shown[0].as_str().map(str::trim_end), newest, "{page}");
                assert!(newest.is_some(), "an empty log proves nothing");
            }
        }
    }
    person.browser.allow_scripts(true);
}

fn fields_have_room_for_what_is_typed_there(cluster: &Cluster) {
    const NARROWEST: &str = "const all = document.querySelectorAll('main input:is([type=password], [name=user], \
         [name=name])'); \
         return Math.min(...[...all].filter((i) => i.offsetWidth > 0).map((i) => i.offsetWidth))";
    let person = sign_in(cluster);
    for page in ["/pools/db/servers/existing", "/account/password", "/account/tokens"] {
        for width in WIDTHS {
            person.browser.width(width);
            person.go(page);
            let narrowest = person.browser.script(NARROWEST, &[]).as_i64().expect("a width");
            assert!(narrowest >= 180, "{page} at {width}: {narrowest} px");
        }
    }
    usual_look(&person.browser);
}

// ---- pictures

fn pictures_for_the_readme(cluster: &Cluster) {
    cluster.settle();
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    std::fs::create_dir_all(&docs).unwrap();
    let person = sign_in(cluster);
    person.browser.theme("light");
    for (language, file) in [("en", "dashboard.png"), ("fr", "tableau-de-bord.png")] {
        person.browser.set_cookie("cordee_lang", language);
        person.dashboard();
        for server in ["web1", "web2", "db1", "db2"] {
            person.wait_for_look(server, "good", SHOWN);
        }
        person.browser.picture(&docs.join(file));
    }
}
