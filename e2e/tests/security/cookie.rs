//! Cookies go to every port of a host: whoever listens at another one has the session's, and reads with it. It changes
//! nothing by itself.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::time::Duration;

use cordee_e2e::axe;
use cordee_e2e::cluster::{ACCOUNT, Cluster, PASSWORD};
use cordee_e2e::http::Client;
use cordee_e2e::person::Person;
use cordee_e2e::wait;
use serde_json::json;

use super::routes;

/// Forms that carry a password or a code of their own, and what is harmless.
const FREE: [&str; 7] =
    ["/login", "/setup", "/logout", "/lang", "/theme", "/account/password", "/account/tokens"];
/// How long a page may take to be there.
pub const SHOWN: Duration = Duration::from_secs(10);
const FIELD: &str = "dialog[open] [name=\"own_password\"]";

/// Somebody who has the cookie and nothing else, and sends what a browser sends.
fn thief(cluster: &Cluster, (name, value): &(String, String)) -> Client {
    Client::new(cluster.page())
        .cookie(name, value)
        .cookie("cordee_lang", "en")
        .header("Sec-Fetch-Site", "same-origin")
        .header("Connection", "close")
}

/// The values of an attribute that begin in a certain way.
fn values<'a>(page: &'a str, attribute: &str) -> Vec<&'a str> {
    page.split(attribute).skip(1).filter_map(|rest| rest.split('"').next()).collect()
}

/// All that the page shows to whoever goes through it: its text, and every address to which one of its forms leads.
fn walk(thief: &mut Client) -> (String, BTreeSet<String>) {
    let (mut text, mut forms) = (String::new(), BTreeSet::new());
    let (mut seen, mut next) = (BTreeSet::new(), vec!["/".to_owned()]);
    while let Some(path) = next.pop() {
        if seen.len() > 300 || !seen.insert(path.clone()) {
            continue;
        }
        let page = thief.get(&path).expect("a page").text();
        forms.extend(values(&page, "method=\"post\" action=\"").into_iter().map(str::to_owned));
        let links =
            values(&page, " href=\"/").into_iter().map(|l| format!("/{}", l.split('#').next().unwrap_or(l)));
        next.extend(links.filter(|l| !l.starts_with("/api/")));
        let scripts = values(&page, " src=\"/").into_iter().map(|l| format!("/{l}"));
        next.extend(scripts);
        text.push_str(&page);
    }
    (text, forms)
}

pub fn a_stolen_cookie_changes_nothing(cluster: &Cluster) {
    let session = cluster.session_anew();
    cluster.settle();
    let api = cluster.api();
    let state = || format!("{}{}{}", cluster.conf("web"), cluster.conf("db"), api.snapshot().wish());
    let (before, events) = (state(), api.last_event());
    let mut thief = thief(cluster, &session);
    let (_, forms) = walk(&mut thief);
    let forms: Vec<&String> = forms.iter().filter(|f| !FREE.contains(&f.as_str())).collect();
    assert!(forms.len() > 15, "too few forms were found: {forms:?}");
    let invented = "f".repeat(64);
    let typed =
        [("confirm", "web1"), ("know", "on"), ("name", "evil"), ("start", "on"), ("proof", &*invented)];
    for path in &forms {
        for fields in [&[] as &[(&str, &str)], &typed] {
            let answer = thief.post_form(path, fields).unwrap();
            assert_eq!(answer.status, 403, "{path}: {}", answer.text());
        }
    }
    let changes = routes(&api).into_iter().filter(|(method, _)| method != "get");
    for (method, path) in changes {
        let answer =
            thief.request(&method.to_uppercase(), &format!("/api{path}?force=true"), &[], b"").unwrap();
        assert_eq!(answer.status, 403, "{method} {path}: {}", answer.text());
    }
    println!("#   {} forms and the whole API were tried", forms.len());
    assert_eq!(before, state());
    let said: Vec<String> = api.events_after(events).into_iter().map(|e| e.text).collect();
    assert_eq!(said, Vec::<String>::new());
}

/// Listens at another port of the host, and gives the first request there: of that person, at that path.
pub fn other_port(person: &Person, path: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let heard = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a visitor");
        let mut request = [0; 8_192];
        let read = stream.read(&mut request).expect("a request");
        let page = "<!doctype html><title>another port</title>";
        let head =
            format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\n", page.len());
        stream.write_all(format!("{head}Connection: close\r\n\r\n{page}").as_bytes()).expect("sent");
        String::from_utf8_lossy(&request[..read]).into_owned()
    });
    person.browser.open(&format!("http://{address}{path}"));
    heard.join().expect("a request was heard")
}

/// The session's cookie, as it stands in what a browser sent.
fn cookie_in(request: &str) -> (String, String) {
    let line = request.lines().find_map(|l| l.strip_prefix("Cookie: ")).expect("cookies");
    let pairs = line.split("; ").filter_map(|pair| pair.split_once('='));
    let found = pairs.into_iter().find(|(n, _)| n.starts_with("cordee_") && *n != "cordee_lang");
    found.map(|(name, value)| (name.to_owned(), value.to_owned())).expect("a session")
}

fn wait_for_admin(cluster: &Cluster, light: &str) {
    cluster.api().wait_for_severity("web1", light, Duration::from_secs(15));
}

pub fn the_page_shows_what_another_port_cannot_fetch(cluster: &Cluster) {
    let _ = cluster.session();
    cluster.settle();
    let person = Person::stranger(cluster);
    person.go("/login");
    person.browser.set_cookie("cordee_lang", "en");
    person.fill_in(&[("name", ACCOUNT), ("password", PASSWORD)]);
    person.submit();
    wait::until("the dashboard is shown", SHOWN, || person.row("web1").ok_or("not yet"));

    let request = other_port(&person, "/");
    let kept = person.browser.script("return localStorage.length + sessionStorage.length", &[]);
    assert_eq!(kept, json!(0), "another port reads what the page keeps");
    let mut thief = thief(cluster, &cookie_in(&request));
    person.dashboard();
    let secret = person.browser.script("return localStorage.getItem('cordee-proof')", &[]);
    let secret = secret.as_str().expect("a secret").to_owned();
    assert_eq!(secret.len(), 64);
    let (text, _) = walk(&mut thief);
    let mark = person.browser.script("return localStorage.getItem('cordee-browser')", &[]);
    let mark =
        mark.as_str().filter(|mark| mark.len() == 64 && *mark != secret).expect("another one").to_owned();
    assert!(text.contains("web1"));
    for kept in [&secret, &mark] {
        assert!(!text.contains(kept), "it stands in what the cookie fetches");
        assert!(!request.contains(kept));
    }
    assert_eq!(thief.post_form("/pools/web/servers/web1/drain", &[]).unwrap().status, 403);

    // The person notices nothing of it.
    person.ask("web", "web1", "drain");
    wait_for_admin(cluster, "progress");
    assert!(!person.browser.sees(FIELD));
    person.dashboard();
    person.ask("web", "web1", "ready");
    wait_for_admin(cluster, "good");

    // What the browser kept is gone: the password is asked for, once.
    person.browser.script("localStorage.removeItem('cordee-proof')", &[]);
    person.dashboard();
    person.ask("web", "web1", "drain");
    person.browser.wait_for(FIELD, SHOWN);
    assert_eq!(axe::violations(&person.browser), Vec::<String>::new());
    let wish = cluster.api().snapshot().wish();
    person.browser.fill(FIELD, "not it");
    person.submit();
    person.browser.wait_for("dialog[open] .err", SHOWN);
    assert_eq!(cluster.api().snapshot().wish(), wish);
    person.browser.fill(FIELD, PASSWORD);
    person.submit();
    wait_for_admin(cluster, "progress");
    person.dashboard();
    person.ask("web", "web1", "ready");
    wait_for_admin(cluster, "good");
    assert!(!person.browser.sees(FIELD), "it is asked for twice");
    // Signed out, nothing is left in the browser but what makes it known at the next sign-in.
    person.browser.click("[popovertarget=\"self\"]");
    person.browser.click("#self form[action=\"/logout\"] button");
    wait::until_true("the sign-in page is shown", SHOWN, || person.browser.path() == "/login");
    let left = person.browser.script("return Object.keys(localStorage)", &[]);
    assert_eq!(left, json!(["cordee-browser"]));
    cluster.settle();
}
