//! Every page for a person's eye, in good states and bad ones, in both languages and themes, on a telephone and on a
//! desktop. It is there only while somebody wants pictures, and judges nothing: who looks at them does.

use std::time::Duration;

use cordee_e2e::browser::Browser;
use cordee_e2e::cluster::Cluster;
use cordee_e2e::crowd::Crowd;
use cordee_e2e::db::Db;
use cordee_e2e::drill;
use cordee_e2e::http::Client;
use cordee_e2e::looks::{self, LANGUAGES, THEMES};
use cordee_e2e::pair::Pair;
use cordee_e2e::person::Person;
use cordee_e2e::procs::Frozen;
use cordee_e2e::tables::Tables;
use cordee_e2e::wait;
use serde_json::json;

use super::{SHOWN, add_closed};
use crate::page::PAGES;

/// A server is as it was told to be by then.
const SETTLED: Duration = Duration::from_secs(30);

/// Keeps what is shown in all eight ways; `show` leads there, once for each language.
#[track_caller]
fn keep(browser: &Browser, what: &str, show: impl Fn()) {
    for language in LANGUAGES {
        browser.set_cookie("cordee_lang", language);
        show();
        for width in [360, 1280] {
            browser.width(width);
            for theme in THEMES {
                browser.theme(theme);
                looks::keep(browser, &format!("{what} {language} {theme} {width}"));
            }
        }
    }
    browser.set_cookie("cordee_lang", "en");
}

#[track_caller]
fn keep_pages(person: &Person, state: &str, pages: &[&str]) {
    for page in pages {
        let name = if *page == "/" { "dashboard" } else { page };
        keep(&person.browser, &format!("{state} {name}"), || {
            person.go(page);
            if person.browser.sees("#live") {
                person.browser.wait_for("#live[data-st=good]", SHOWN);
            }
        });
    }
}

pub fn every_page_for_the_eye(cluster: &Cluster) {
    at_the_door(cluster);
    all_is_well(cluster);
    over_the_dashboard(cluster);
    some_is_wrong(cluster);
    databases_are_wrong(cluster);
    nobody_serves(cluster);
    thirty(cluster);
}

fn at_the_door(cluster: &Cluster) {
    let stranger = Person::stranger(cluster);
    stranger.go("/");
    // There is no account yet where this is the only case.
    if stranger.browser.path() == "/setup" {
        keep_pages(&stranger, "door", &["/setup"]);
        drop(cluster.session());
    }
    keep_pages(&stranger, "door", &["/login"]);
}

fn all_is_well(cluster: &Cluster) {
    cluster.settle();
    let api = cluster.api();
    for n in 0..40 {
        let mut visitor = Client::new(cluster.site())
            .header("Connection", "close")
            .header("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0");
        visitor.get(if n % 9 == 0 { "/not-here" } else { "/" }).expect("a visit");
    }
    let foreign = cluster.home().join("servers/web1.bak");
    std::fs::create_dir(&foreign).expect("a folder");
    assert!(api.post("/v1/pools/web/servers", &json!({ "name": "web3", "start": true })).ok());
    api.wait_for_severity("web3", "good", SETTLED);
    api.delete("/v1/pools/web/servers/web3");
    api.wait_until_gone("web3", SETTLED);
    cluster.cli_ok(&["token", "create", "--name", "deploy"]);
    let mut order = drill::order("web1", "kill", 1, 1);
    order["rate"] = 40.into();
    drill::ready(cluster);
    drill::run(cluster, &order);
    let person = Person::sign_in(cluster);
    keep_pages(&person, "good", &PAGES);
    let more =
        ["/pools/db/servers/db1", "/pools/db/servers/db2/repair/writer", "/account/tokens/deploy/revoke"];
    keep_pages(&person, "good", &more);
    person.go("/drills");
    let href = "return document.querySelector('main a[href^=\"/drills/\"]').getAttribute('href')";
    let report = person.browser.script(href, &[]);
    keep_pages(&person, "good", &[report.as_str().expect("the report's address")]);
    std::fs::remove_dir(&foreign).expect("it is where it was");
    api.act("/v1/clean?apply=true");
}

/// What is pressed or asked on the dashboard, and what opens.
const PRESSED: [(&str, &str, &str); 6] = [
    ("add", "a[data-open=add]", "#add [name=cookie]"),
    ("join", "a[data-open=join]", "#join [data-plan-steps] li"),
    ("session", "a[data-keeping=database]", "dialog[open] button.main"),
    ("menu web1", "[popovertarget=m-web1]", "#m-web1"),
    ("check web1", "[popovertarget=c-web1]", "#c-web1"),
    ("menu db2", "[popovertarget=m-db2]", "#m-db2"),
];
const ASKED: [(&str, &str, &str); 5] = [
    ("web", "web1", "stop"),
    ("web", "web1", "remove"),
    ("db", "db2", "restart"),
    ("db", "db2", "promote"),
    ("db", "db2", "remove"),
];

fn over_the_dashboard(cluster: &Cluster) {
    cluster.settle();
    let person = Person::sign_in(cluster);
    let browser = &person.browser;
    for (what, press, opened) in PRESSED {
        keep(browser, &format!("over {what}"), || {
            person.dashboard();
            browser.click(press);
            browser.wait_for(opened, SHOWN);
        });
    }
    for (pool, server, act) in ASKED {
        keep(browser, &format!("over {act} {server}"), || {
            person.dashboard();
            person.ask(pool, server, act);
            browser.wait_for("dialog[open]", SHOWN);
        });
    }
    browser.width(360);
    keep(browser, "over nav", || {
        browser.width(360);
        person.dashboard();
        browser.click("[popovertarget=nav]");
        browser.click("[popovertarget=self]");
        browser.wait_for("#self", SHOWN);
    });
    browser.width(1280);
}

fn some_is_wrong(cluster: &Cluster) {
    cluster.settle();
    let api = cluster.api();
    add_closed(cluster, "shut");
    api.wait_for_severity("shut", "critical", SETTLED);
    cluster.cli_ok(&["maintenance", "web2"]);
    let standby = Pair::wait(cluster).standby.name;
    cluster.cli_ok(&["stop", &standby]);
    let person = Person::sign_in(cluster);
    let of_it = format!("/pools/db/servers/{standby}");
    let tested = format!("{of_it}/test");
    keep_pages(
        &person,
        "wrong",
        &[
            "/",
            "/journal",
            "/drills",
            "/visitors",
            "/pools/web/servers/shut/logs",
            "/pools/web/servers/shut/test",
            "/pools/web/servers/web1/stop",
            "/pools/web/servers/web1/remove",
            "/?web-q=nobody",
            &of_it,
            &tested,
        ],
    );
    cluster.cli_ok(&["start", &standby]);
    cluster.cli_ok(&["ready", "web2"]);
    api.delete("/v1/pools/web/servers/shut");
}

fn databases_are_wrong(cluster: &Cluster) {
    cluster.settle();
    let person = Person::sign_in(cluster);
    let pair = Pair::wait(cluster);
    let (writer, standby) = (pair.writer.name.as_str(), pair.standby.name.as_str());
    let api = cluster.api();
    let of_standby = format!("/pools/db/servers/{standby}");

    Tables::make(cluster, "eye", 4);
    let application = Db::new(cluster, &["--account", "app"]);
    let through = application.through(cluster, cluster.db_writer().port());
    through.query("INSERT INTO e2e_eye_row VALUES (99, 1, 0), (99, 2, 0), (99, 3, 0)");
    cordee_e2e::tables::wait_for_equal(cluster);
    let schema = &application.dsn().schema;
    let differ = |value: u32, number: u32| {
        format!(
            "SET SESSION sql_log_bin = 0; UPDATE {schema}.e2e_eye_row SET server = {value} \
             WHERE client = 99 AND number = {number}"
        )
    };
    Db::root(cluster, standby).query(&differ(22, 2));
    Db::root(cluster, standby).query(&differ(23, 3));
    api.act(&format!("/v1/pools/db/servers/{standby}/verify"));
    wait::until("the rows that differ are found", Duration::from_secs(60), || {
        let differs = api.try_snapshot()?.server(standby).status.severity != "good";
        if differs { Ok(()) } else { Err("not yet".to_owned()) }
    });
    let asked = ["writer", "this"].map(|take| format!("{of_standby}/repair/{take}"));
    keep_pages(&person, "rows-differ", &["/", &of_standby, &asked[0], &asked[1]]);
    Db::root(cluster, standby).query(&differ(0, 2));
    Db::root(cluster, standby).query(&differ(0, 3));
    api.act(&format!("/v1/pools/db/servers/{standby}/verify"));
    cluster.settle();

    let process = api.snapshot().server(standby).pid.expect("a process");
    let frozen = Frozen::one(cluster.home(), process);
    api.wait_for_severity(standby, "critical", SETTLED);
    let tested = format!("{of_standby}/test");
    keep_pages(&person, "standby-frozen", &["/", &of_standby, &tested]);
    drop(frozen);
    cluster.settle();

    // While the other one is not there the writer may be stopped: the site has no database then.
    for name in [standby, writer] {
        api.act(&format!("/v1/pools/db/servers/{name}/stop?force=true"));
        api.wait_for_severity(name, "maintenance", SETTLED);
    }
    let of_writer = format!("/pools/db/servers/{writer}");
    keep_pages(&person, "no-database", &["/", &of_writer, "/drills"]);
    for name in [writer, standby] {
        api.act(&format!("/v1/pools/db/servers/{name}/start"));
    }
    Pair::wait(cluster);
}

fn nobody_serves(cluster: &Cluster) {
    cluster.settle();
    let person = Person::sign_in(cluster);
    let api = cluster.api();
    for server in ["web1", "web2"] {
        api.act(&format!("/v1/pools/web/servers/{server}/stop?force=true"));
    }
    api.wait_for_severity("web1", "maintenance", SETTLED);
    keep_pages(
        &person,
        "no-web",
        &["/", "/pools/web/servers/web1/logs", "/pools/web/servers/web1/test", "/drills"],
    );
    for server in ["web1", "web2"] {
        api.act(&format!("/v1/pools/web/servers/{server}/start"));
    }
    cluster.settle();
}

fn thirty(cluster: &Cluster) {
    let _crowd = Crowd::gather(cluster);
    let person = Person::sign_in(cluster);
    keep_pages(&person, "thirty", &["/", "/visitors", "/config/web", "/pools/web/servers/web1/stop"]);
}
