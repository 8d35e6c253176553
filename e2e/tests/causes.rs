//! The list under the verdict at the moment that decides: why it is not good, who asked for it, and a button that puts
//! it right; and how many visitors a server still has.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed expectation is how a test ends")]

use std::path::PathBuf;
use std::time::Duration;

use cordee_e2e::axe;
use cordee_e2e::case;
use cordee_e2e::cluster::Cluster;
use cordee_e2e::http::Client;
use cordee_e2e::person::Person;
use cordee_e2e::suite::File;
use cordee_e2e::wait;
use rustix::process::Signal;
use serde_json::{Value, json};

const SHOWN: Duration = Duration::from_secs(10);
const SETTLED: Duration = Duration::from_secs(30);

/// Its cases.
pub fn file() -> File {
    File::new(
        "causes",
        &[],
        &[
            case!(a_server_that_was_taken_out_goes_back_by_the_button_of_its_entry),
            case!(a_site_without_web_servers_says_whom_to_start),
            case!(a_stopped_standby_is_the_entry_and_the_writer_is_not),
            case!(a_frozen_haproxy_is_one_entry),
            case!(a_draining_server_and_the_question_count_those_who_hold_its_cookie),
        ],
    )
}

fn causes(cluster: &Cluster) -> Vec<Value> {
    cluster.api().get("/v1/snapshot")["causes"].as_array().cloned().unwrap_or_default()
}

/// The only entry, once there is just one that is about these servers.
#[track_caller]
fn only(cluster: &Cluster, servers: &[&str]) -> Value {
    let (found, _) = wait::until(&format!("one entry about {servers:?}"), SETTLED, || {
        let found = causes(cluster);
        match &found[..] {
            [one] if one["servers"] == json!(servers) => Ok(one.clone()),
            _ => Err(found),
        }
    });
    found
}

/// The entries of the page: their text.
fn shown(person: &Person) -> Vec<String> {
    let list =
        "return [...document.querySelectorAll('#todos > li')].map(e => e.innerText.replace(/\\s+/g, ' '))";
    let found = person.browser.try_script(list, &[]).unwrap_or_default();
    found.as_array().into_iter().flatten().filter_map(|t| t.as_str().map(str::to_owned)).collect()
}

/// Pictures in both languages, both themes, on a telephone and on a desktop, where `CORDEE_E2E_PICTURES` says.
fn pictures(person: &Person, name: &str) {
    assert_eq!(axe::violations(&person.browser), Vec::<String>::new(), "{name}");
    let Some(folder) = std::env::var_os("CORDEE_E2E_PICTURES").map(PathBuf::from) else { return };
    for language in ["fr", "en"] {
        person.browser.set_cookie("cordee_lang", language);
        for theme in ["light", "dark"] {
            person.browser.theme(theme);
            for width in [360, 1280] {
                person.browser.width(width);
                person.dashboard();
                person.browser.picture(&folder.join(format!("{name}.{language}.{theme}.{width}.png")));
            }
        }
    }
    person.browser.theme("light");
    person.browser.width(1280);
    person.browser.set_cookie("cordee_lang", "en");
    person.dashboard();
}

/// Presses the control of an entry that leads there, and takes the hand away: under it the entry would stay.
fn press(person: &Person, url: &str) {
    person.browser.click(&format!("#todos form[action=\"{url}\"] button, #todos a[href=\"{url}\"]"));
    person.browser.point_at(".brand");
}

/// The list says nothing, and the verdict is good.
#[track_caller]
fn well(cluster: &Cluster, person: &Person) {
    cluster.settle();
    wait::until("the list is empty", SETTLED, || {
        let (all, shown) = (causes(cluster), shown(person));
        if all.is_empty() && shown.is_empty() { Ok(()) } else { Err((all, shown)) }
    });
}

fn a_server_that_was_taken_out_goes_back_by_the_button_of_its_entry(cluster: &Cluster) {
    cluster.settle();
    let person = Person::sign_in(cluster);
    well(cluster, &person);
    cluster.cli_ok(&["maintenance", "web2"]);
    let entry = only(cluster, &["web2"]);
    assert_eq!((&entry["by"], &entry["remedies"][0]["action"]), (&json!("cli"), &json!("ready")), "{entry}");
    assert!(entry["at"].is_u64(), "{entry}");
    wait::until("the page says it without a reload", SHOWN, || {
        let told = shown(&person);
        let fine = told.len() == 1
            && told[0].contains("web2 In maintenance")
            && told[0].contains("by the command line");
        if fine { Ok(()) } else { Err(told) }
    });
    pictures(&person, "one-in-maintenance");
    let status = cluster.cli_in("en", &["status"]).out;
    assert!(status.contains("Needs attention") && status.contains("→ Put web2 back in service"), "{status}");
    press(&person, "/pools/web/servers/web2/ready");
    well(cluster, &person);
}

fn a_site_without_web_servers_says_whom_to_start(cluster: &Cluster) {
    let person = Person::sign_in(cluster);
    cluster.cli_ok(&["stop", "web1"]);
    cluster.cli_ok(&["stop", "web2", "--force"]);
    let entry = only(cluster, &["web1", "web2"]);
    assert_eq!(entry["remedies"][0]["says"], json!("Start web1"), "{entry}");
    wait::until_true("the page has one entry", SHOWN, || shown(&person).len() == 1);
    pictures(&person, "all-stopped");
    press(&person, "/pools/web/servers/web1/start");
    only(cluster, &["web2"]);
    wait::until_true("the button is there", SHOWN, || {
        person.browser.sees("#todos form[action=\"/pools/web/servers/web2/start\"]")
    });
    press(&person, "/pools/web/servers/web2/start");
    well(cluster, &person);
}

fn a_stopped_standby_is_the_entry_and_the_writer_is_not(cluster: &Cluster) {
    cluster.settle();
    let person = Person::sign_in(cluster);
    let servers = cluster.api().snapshot().servers;
    let standby =
        servers.iter().find(|s| s.role.as_deref() == Some("standby")).expect("a standby").name.clone();
    let writer = servers.iter().find(|s| s.role.as_deref() == Some("writer")).expect("a writer").name.clone();
    cluster.cli_ok(&["stop", &standby]);
    // The writer warns as soon as it has noticed: that is the standby's doing.
    let explained = || Some(only(cluster, &[&standby])).filter(|entry| entry["explains"] == json!([writer]));
    let (entry, _) =
        wait::until("the writer stands with it", SETTLED, || explained().ok_or_else(|| causes(cluster)));
    assert_eq!(entry["remedies"][0]["action"], json!("start"), "{entry}");
    pictures(&person, "standby-stopped");
    press(&person, &format!("/pools/db/servers/{standby}/start"));
    well(cluster, &person);
}

fn a_frozen_haproxy_is_one_entry(cluster: &Cluster) {
    cluster.settle();
    let person = Person::sign_in(cluster);
    let pid = cluster.api().snapshot().proxy("web").pid.expect("a master");
    cluster.signal_group(pid, Signal::STOP);
    let (entry, _) = wait::until("one entry about HAProxy web", SETTLED, || {
        let found = causes(cluster);
        match &found[..] {
            [one] if one["about"] == json!("haproxy-web") && one["explains"] == json!(["web1", "web2"]) => {
                Ok(one.clone())
            }
            _ => Err(found),
        }
    });
    let says = entry["remedies"][0]["says"].as_str().unwrap_or_default().to_owned();
    pictures(&person, "haproxy-frozen");
    cluster.signal_group(pid, Signal::CONT);
    assert!(says.contains(&format!("kill -CONT {pid}")), "{says}");
    well(cluster, &person);
}

fn a_draining_server_and_the_question_count_those_who_hold_its_cookie(cluster: &Cluster) {
    cluster.settle();
    // Nine visitors of one address and one program, each with a session.
    let mut visitors: Vec<Client> = (0..9)
        .map(|n| Client::with_jar(cluster.site()).cookie("SERVEUR", if n < 4 { "S1" } else { "S2" }))
        .collect();
    for _ in 0..3 {
        for visitor in &mut visitors {
            assert_eq!(visitor.get("/couleur").unwrap().status, 200);
        }
    }
    let held = |server: &str| {
        let all = cluster.api().get("/v1/snapshot");
        let servers = all["servers"].as_array().cloned().unwrap_or_default();
        servers.into_iter().find(|s| s["name"] == json!(server)).map(|s| s["attached"]["visitors"].clone())
    };
    wait::until("all nine are counted", SHOWN, || {
        let counted = (held("web1"), held("web2"));
        if counted == (Some(json!(4)), Some(json!(5))) { Ok(()) } else { Err(counted) }
    });
    let person = Person::sign_in(cluster);
    person.go("/pools/web/servers/web1/stop");
    let asked = person.browser.text("main").unwrap_or_default();
    assert!(asked.contains("4 visitors are attached to web1"), "{asked}");
    assert!(asked.contains("lose what their PHP session keeps in a file of web1"), "{asked}");
    cluster.cli_ok(&["drain", "web1"]);
    wait::until("the row says how many", SHOWN, || {
        let status = cluster.api().snapshot().server("web1").status.clone();
        let said = status.reason.clone().unwrap_or_default();
        if said.starts_with("4 visitors still attached") { Ok(()) } else { Err(status) }
    });
    person.dashboard();
    pictures(&person, "draining");
    cluster.cli_ok(&["ready", "web1"]);
    well(cluster, &person);
}
