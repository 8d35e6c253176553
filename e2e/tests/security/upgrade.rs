//! What was open before an upgrade, and browsers that keep nothing: whoever is asked for the password gets on with it.

use std::time::Duration;

use cordee_e2e::axe;
use cordee_e2e::cluster::{ACCOUNT, Cluster, PASSWORD};
use cordee_e2e::looks;
use cordee_e2e::person::Person;
use cordee_e2e::wait;
use serde_json::json;

use super::cookie::SHOWN;
use super::login;

/// The page of a person who is signed in by a session that knows no secret.
fn signed_in_before(cluster: &Cluster) -> Person {
    let answer = login(cluster, PASSWORD);
    let cookie = answer.header("set-cookie").and_then(|cookie| cookie.split(';').next());
    let (name, value) = cookie.and_then(|cookie| cookie.split_once('=')).expect("a session");
    let person = Person::stranger(cluster);
    person.go("/login");
    person.browser.set_cookie(name, value);
    person.browser.set_cookie("cordee_lang", "en");
    person.dashboard();
    person
}

fn wait_for_admin(cluster: &Cluster, severity: &str) {
    cluster.api().wait_for_severity("web1", severity, Duration::from_secs(15));
}

/// Axe finds nothing in what is shown; kept as a picture where somebody wants it.
fn look_at(person: &Person, name: &str) {
    assert_eq!(axe::violations(&person.browser), Vec::<String>::new(), "{name}");
    looks::keep(&person.browser, name);
}

/// The same of a page that can be asked for again, in both languages.
fn looks_in_both(person: &Person, name: &str, page: &str) {
    for language in ["fr", "en"] {
        person.browser.set_cookie("cordee_lang", language);
        person.go(page);
        look_at(person, &format!("{name}-{language}"));
    }
}

/// A script of before there were secrets sends none, and knows no field for the password.
const OLD_SCRIPT: &str = "document.addEventListener('formdata', e => e.formData.delete('proof'))";

pub fn a_tab_that_was_open_over_an_upgrade_leads_to_the_sign_in(cluster: &Cluster) {
    let _ = cluster.session();
    cluster.settle();
    let person = signed_in_before(cluster);
    person.browser.script(OLD_SCRIPT, &[]);
    let wish = cluster.api().snapshot().wish();
    person.ask("web", "web1", "drain");
    wait::until_true("the sign-in page is shown", SHOWN, || person.browser.path() == "/login");
    let says = person.browser.text("main").unwrap_or_default();
    assert!(says.contains("before an upgrade of Cord\u{e9}e") && says.contains("Sign in again"), "{says}");
    looks_in_both(&person, "again", "/login");
    assert_eq!(cluster.api().snapshot().wish(), wish);
    person.fill_in(&[("name", ACCOUNT), ("password", PASSWORD)]);
    person.submit();
    wait::until("the dashboard is shown", SHOWN, || person.row("web1").ok_or("not yet"));
    person.ask("web", "web1", "drain");
    wait_for_admin(cluster, "progress");

    // With a session that can do everything again, such a tab gets its new script by the way.
    person.browser.script(OLD_SCRIPT, &[]);
    person.mark();
    person.ask("web", "web1", "ready");
    wait::until_true("the page is another one", SHOWN, || {
        let mark = "return window.markOfTheTest ?? null";
        person.browser.try_script(mark, &[]).is_ok_and(|mark| mark.is_null())
    });
    person.dashboard();
    person.ask("web", "web1", "ready");
    wait_for_admin(cluster, "good");

    a_script_of_before_is_followed_by_a_fresh_page(&person);

    // Without script the question is a page of its own.
    let person = signed_in_before(cluster);
    person.browser.allow_scripts(false);
    person.go("/");
    person.ask("web", "web1", "drain");
    person.browser.wait_for(FIELD, SHOWN);
    // The test's own script runs there; the page's did not.
    person.browser.allow_scripts(true);
    look_at(&person, "prove");
    person.submit_with_password();
    wait_for_admin(cluster, "progress");
    cluster.api().act("/v1/pools/web/servers/web1/ready");
    wait_for_admin(cluster, "good");
    cluster.settle();
}

/// Follows the stream as a script does that came with another version's files.
const OTHER_FILES: &str = "import('/assets/0123456789ab/live.js').then((live) => live.follow())";

/// It would read the stream wrongly: its tab becomes a new page, where the person was.
fn a_script_of_before_is_followed_by_a_fresh_page(person: &Person) {
    person.go("/journal?before=5000#main");
    person.browser.wait_for("#live[data-st=good]", SHOWN);
    person.mark();
    person.browser.script(OTHER_FILES, &[]);
    let place = "return [window.markOfTheTest ?? null, location.pathname + location.search + location.hash]";
    wait::until("a fresh page is shown", SHOWN, || {
        let seen = person.browser.try_script(place, &[])?;
        if seen == json!([null, "/journal?before=5000#main"]) { Ok(()) } else { Err(seen.to_string()) }
    });
    person.browser.wait_for("#live[data-st=good]", SHOWN);
}

/// Storage is refused, or forgets at once what is put into it.
const NOTHING_KEPT: [&str; 2] = [
    "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('denied', 'SecurityError'); } })",
    "Storage.prototype.setItem = () => {}",
];
const FIELD: &str = "main form [name=\"own_password\"]";

pub fn a_browser_that_keeps_nothing_is_asked_in_the_form_itself(cluster: &Cluster) {
    let _ = cluster.session();
    cluster.settle();
    for (number, script) in NOTHING_KEPT.into_iter().enumerate() {
        let person = Person::stranger(cluster);
        person.browser.before_each_page(script);
        person.go("/login");
        person.browser.set_cookie("cordee_lang", "en");
        person.fill_in(&[("name", ACCOUNT), ("password", PASSWORD)]);
        person.submit();
        wait::until("the dashboard is shown", SHOWN, || person.row("web1").ok_or("not yet"));
        if number == 0 {
            looks_in_both(&person, "unkept", "/pools/db/servers/existing");
        }
        a_database_is_examined(cluster, &person);
        let name = format!("kept{number}");
        a_server_is_added(cluster, &person, &name);
        an_act_is_asked_about_once_on_each_page(cluster, &person);
        cluster.api().delete(&format!("/v1/pools/web/servers/{name}"));
    }
    cluster.settle();
}

/// The form that has a password of its own: both are typed there, and both arrive.
fn a_database_is_examined(cluster: &Cluster, person: &Person) {
    let port = cluster.spare_port(0).to_string();
    person.go("/pools/db/servers/existing");
    person.browser.wait_for(FIELD, SHOWN);
    let typed = [("name", "db9"), ("address", "127.0.0.1"), ("port", &*port), ("user", "ana")];
    for _ in 0..2 {
        person.fill_in(&typed);
        person.fill_in(&[("password", "a rope of its own")]);
        person.submit_with_password();
        person.browser.wait_for("#g-port-e", SHOWN);
        let says = person.browser.text("main").unwrap_or_default();
        assert!(says.contains("Nothing listens"), "{says}");
        assert!(person.browser.sees(FIELD), "it can be typed there again");
    }
    // Whoever leaves it empty is asked for both, once.
    person.fill_in(&[("password", "a rope of its own")]);
    person.submit();
    wait::until("the question is shown", SHOWN, || {
        let says = person.browser.text("main h1").unwrap_or_default();
        if says == "Your password" { Ok(()) } else { Err(says) }
    });
    look_at(person, "prove-both");
    person.fill_in(&[("password", "a rope of its own")]);
    person.submit_with_password();
    person.browser.wait_for("#g-port-e", SHOWN);
}

fn a_server_is_added(cluster: &Cluster, person: &Person, name: &str) {
    person.go("/pools/web/servers/new");
    person.browser.click("main form [name=\"start\"][value=\"off\"]");
    let port = cluster.spare_port(0).to_string();
    person.fill_in(&[("name", name), ("address", "127.0.0.1"), ("port", &port)]);
    person.submit_with_password();
    wait::until(&format!("{name} is on the dashboard"), SHOWN, || person.row(name).ok_or("not yet"));
}

fn an_act_is_asked_about_once_on_each_page(cluster: &Cluster, person: &Person) {
    let asked = "dialog[open] [name=\"own_password\"]";
    person.dashboard();
    person.ask("web", "web1", "drain");
    person.browser.wait_for(asked, SHOWN);
    person.browser.fill(asked, PASSWORD);
    person.submit();
    wait_for_admin(cluster, "progress");
    person.ask("web", "web1", "ready");
    wait_for_admin(cluster, "good");
    assert!(!person.browser.sees(asked), "it is asked for twice");
}
