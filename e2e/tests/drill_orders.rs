//! Failover drills as orders: what makes no sense is refused, one at a time, and what falls is put right also when the
//! drill is given up and when Cordée does not survive it.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed expectation is how a test ends")]

use std::time::Duration;

use cordee_e2e::axe;
use cordee_e2e::case;
use cordee_e2e::cluster::Cluster;
use cordee_e2e::drill::{self, count, order, ready};
use cordee_e2e::pair::Pair;
use cordee_e2e::person::Person;
use cordee_e2e::suite::File;
use cordee_e2e::visitors::{Manner, Stranger};
use cordee_e2e::wait;
use rustix::process::Signal;
use serde_json::{Value, json};

const SHOWN: Duration = Duration::from_secs(10);

/// Its cases.
pub fn file() -> File {
    File::new(
        "drill_orders",
        &[],
        &[
            case!(what_makes_no_sense_is_refused_at_its_field_and_changes_nothing),
            case!(any_page_of_the_site_is_asked_for_and_no_other_site),
            case!(nobody_falls_where_nobody_else_is_left),
            case!(one_act_at_a_time),
            case!(a_drill_that_is_given_up_is_put_right),
            case!(a_drill_that_cordee_did_not_survive_is_put_right),
            case!(a_person_runs_a_drill_in_both_languages),
        ],
    )
}

fn severity(cluster: &Cluster, name: &str) -> Result<String, String> {
    let snapshot = cluster.api().try_snapshot()?;
    let found = snapshot.find(name).ok_or("it is not there")?;
    Ok(found.status.severity.clone())
}

fn what_makes_no_sense_is_refused_at_its_field_and_changes_nothing(cluster: &Cluster) {
    let before = cluster.api().snapshot().wish();
    for (body, field) in [
        (json!({ "target": "writer", "how": "stop", "confirm": "db" }), "how"),
        (json!({ "target": "link", "how": "kill", "confirm": "db" }), "how"),
        (json!({ "target": "haproxy-web", "how": "drain", "confirm": "web" }), "how"),
        (json!({ "target": "web1", "how": "kill", "confirm": "db" }), "confirm"),
        (json!({ "target": "web1", "how": "kill" }), "confirm"),
        (json!({ "target": "db2", "how": "kill", "confirm": "web" }), "target"),
        (json!({ "target": "web1", "how": "kill", "confirm": "web", "rate": 201 }), "rate"),
        (json!({ "target": "web1", "how": "kill", "confirm": "web", "visitors": "many" }), "visitors"),
        (json!({ "target": "web1", "how": "kill", "confirm": "web", "held": [] }), "held"),
        (json!({ "target": "web1", "how": "kill", "confirm": "web", "speed": 1 }), "speed"),
        (json!({ "target": "web1", "how": "kill", "confirm": "web", "url": "https://a.lan/" }), "url"),
        (json!({ "target": "web1", "how": "kill", "confirm": "web", "url": "" }), "url"),
        (
            json!({ "target": "web1", "how": "kill", "confirm": "web", "url": "http://169.254.169.254/" }),
            "url",
        ),
        (json!({ "target": "web1", "how": "kill", "confirm": "web", "url": "/a\r\nHost: b" }), "url"),
        (json!({ "target": "web1", "how": "kill", "confirm": "web", "status": 200 }), "url"),
        (json!({ "target": "web1", "how": "kill", "confirm": "web", "url": "/", "status": 99 }), "status"),
    ] {
        for language in ["en", "fr"] {
            let reply = cluster.api().speaking(language).post("/v1/drills", &body);
            assert!([404, 422].contains(&reply.status), "{body}: {reply:?}");
            let errors = reply.errors();
            assert_eq!(errors.iter().map(|e| e.field.as_str()).collect::<Vec<_>>(), [field], "{body}");
        }
    }
    let said = cluster.cli(&["drill", "begin", "web1", "burn", "--confirm", "web"]);
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.err.contains("how: "), "{said:?}");
    assert_eq!(cluster.api().get("/v1/drills"), json!([]));
    assert_eq!(cluster.api().snapshot().wish(), before);
}

/// A page and the status that it should answer, by the API, the form and the command line. Where a URL has another
/// name, it is the site all the same that is asked.
fn any_page_of_the_site_is_asked_for_and_no_other_site(cluster: &Cluster) {
    ready(cluster);
    let elsewhere = Stranger::new(Manner::Good("elsewhere"));
    let url = format!("http://127.0.0.1:{}/?a=b", elsewhere.port());
    let mut asked = order("web1", "drain", 1, 1);
    asked["url"] = url.as_str().into();
    let report = drill::wait_over(cluster, drill::begin(cluster, &asked));
    assert_eq!(
        (&report["state"], &report["url"], &report["status"]),
        (&json!("done"), &json!(url), &json!(200))
    );
    assert_eq!(elsewhere.visitors(), 0, "somebody else than the site was asked");
    assert!(count(&report["requests"], "asked") > 20, "{report:#}");
    assert_eq!(
        (count(&report["requests"], "lost"), count(&report["sessions"], "begun")),
        (0, 0),
        "{report:#}"
    );

    ready(cluster);
    let page = [("target", "web1"), ("how", "drain"), ("held", "1"), ("after", "1"), ("confirm", "web")];
    let fields = [&page[..], &[("url", "/no-such-page"), ("status", "404")]].concat();
    let answer = cluster.signed_in().post_form("/drills", &fields).unwrap();
    assert_eq!(answer.status, 303, "{}", answer.text());
    let newest = || cluster.api().get("/v1/drills")[0]["id"].as_u64().unwrap();
    let report = drill::wait_over(cluster, newest());
    assert_eq!((&report["state"], &report["status"]), (&json!("done"), &json!(404)), "{report:#}");
    assert_eq!(count(&report["requests"], "lost"), 0, "that is what it should answer");
    let shown = cluster.signed_in().get(&format!("/drills/{}", newest())).unwrap().text();
    assert!(shown.contains("/no-such-page") && shown.contains("404"), "{shown}");

    // What the site does not answer so is no site to drill on: nothing falls.
    ready(cluster);
    let drain = ["drill", "begin", "web1", "drain", "--confirm", "web"];
    cluster.cli_ok(&[&drain[..], &["--url", "/", "--status", "302"]].concat());
    let report = drill::wait_over(cluster, newest());
    assert_eq!(report["state"], "failed", "{report:#}");
    assert!(
        report["says"].as_str().is_some_and(|says| says.contains("302")) && report["struck"].is_null(),
        "{report:#}"
    );
    assert_eq!(severity(cluster, "web1"), Ok("good".to_owned()));
    let shown =
        cluster.signed_in().post_form("/drills", &[&page[..], &[("url", "ftp://x/")]].concat()).unwrap();
    assert!(shown.status == 422 && shown.text().contains("id=\"url-e\""), "{}", shown.text());
}

fn nobody_falls_where_nobody_else_is_left(cluster: &Cluster) {
    ready(cluster);
    cluster.cli_ok(&["stop", "web2"]);
    cluster.api().wait_for_severity("web2", "maintenance", SHOWN);
    let reply = cluster.api().post("/v1/drills", &order("web1", "drain", 1, 1));
    assert_eq!((reply.status, reply.errors()[0].field.as_str()), (409, "target"), "{reply:?}");
    cluster.cli_ok(&["start", "web2"]);
    let standby = ready(cluster).standby.name;
    cluster.cli_ok(&["stop", &standby]);
    cluster.api().wait_for_severity(&standby, "maintenance", SHOWN);
    for (target, how) in [("writer", "kill"), ("link", "stop")] {
        let reply = cluster.api().post("/v1/drills", &order(target, how, 1, 1));
        assert_eq!((reply.status, reply.errors()[0].field.as_str()), (409, "target"), "{reply:?}");
    }
    // Nor can the rows of one that is stopped be compared, whoever asks.
    let path = format!("/pools/db/servers/{standby}/verify");
    let reply = cluster.api().call("POST", &format!("/v1{path}"), None).unwrap();
    assert_eq!((reply.status, reply.errors()[0].field.as_str()), (409, "name"), "{reply:?}");
    let said = cluster.cli(&["verify", &standby]);
    assert!(said.code == 1 && said.err.contains(&reply.errors()[0].detail), "{said:?}");
    assert_eq!(cluster.signed_in().post_form(&path, &[]).unwrap().status, 409);
    cluster.cli_ok(&["start", &standby]);
    ready(cluster);
}

fn one_act_at_a_time(cluster: &Cluster) {
    ready(cluster);
    let id = drill::begin(cluster, &order("web1", "drain", 3, 1));
    let api = cluster.api();
    assert_eq!(api.post("/v1/drills", &order("web2", "kill", 1, 1)).status, 409, "one drill at a time");
    assert_eq!(api.post("/v1/trials", &Value::Null).status, 409, "no comparison meanwhile");
    let standby = Pair::read(cluster).standby.name;
    for (method, path) in [
        ("POST", format!("/v1/pools/db/servers/{standby}/promote")),
        ("POST", "/v1/pools/web/servers/web2/stop".to_owned()),
        ("DELETE", "/v1/pools/web/servers/web2".to_owned()),
        ("POST", format!("/v1/pools/db/servers/{standby}/verify")),
        ("POST", "/v1/clean?apply=true".to_owned()),
    ] {
        let reply = api.call(method, &path, None).unwrap();
        assert_eq!(reply.status, 409, "{path}: {reply:?}");
        assert!(reply.errors()[0].detail.contains("drill"), "{path}: {reply:?}");
    }
    let mut person = cluster.signed_in();
    for path in [format!("/pools/db/servers/{standby}/verify"), "/clean".to_owned()] {
        let asked = person.post_form(&path, &[]).unwrap();
        assert!(asked.status == 409 && asked.text().contains("drill"), "{path}: {}", asked.text());
    }
    let said = cluster.cli(&["verify", &standby]);
    assert!(said.code == 1 && said.err.contains("drill"), "{said:?}");
    assert_eq!(drill::wait_over(cluster, id)["state"], "done");
    assert_eq!(cluster.cli(&["drill", "cancel"]).code, 1, "there is nothing to give up");
    assert!(cluster.cli_ok(&["drill", "show"]).contains("web1"));
}

/// Waits until somebody is down.
fn down(cluster: &Cluster, id: u64, name: &str, severity_of: &str) {
    wait::until("it is down", SHOWN, || {
        let seen = severity(cluster, name)?;
        if seen == severity_of && !drill::read(cluster, id)["struck"].is_null() { Ok(()) } else { Err(seen) }
    });
}

fn a_drill_that_is_given_up_is_put_right(cluster: &Cluster) {
    for (how, look) in [("freeze", "critical"), ("stop", "maintenance"), ("drain", "progress")] {
        ready(cluster);
        let before = cluster.api().snapshot().wish();
        let id = drill::begin(cluster, &order("web1", how, 30, 1));
        down(cluster, id, "web1", look);
        cluster.cli_ok(&["drill", "cancel"]);
        cluster.api().wait_for_severity("web1", "good", SHOWN);
        let report = drill::wait_over(cluster, id);
        assert_eq!(report["state"], "cancelled");
        assert!(count(&report["requests"], "asked") > 0, "what was counted is kept");
        let unnumbered = |wish: &str| wish.split_once('\n').unwrap().1.to_owned();
        assert_eq!(unnumbered(&cluster.api().snapshot().wish()), unnumbered(&before), "{how}");
    }
}

fn a_drill_that_cordee_did_not_survive_is_put_right(cluster: &Cluster) {
    for (target, how, name, look) in [
        ("web1", "freeze", "web1", "critical"),
        ("web1", "stop", "web1", "maintenance"),
        ("link", "stop", "", ""),
    ] {
        let standby = ready(cluster).standby.name;
        let id = drill::begin(cluster, &order(target, how, 30, 1));
        if name.is_empty() {
            wait::until("the copy stands", SHOWN, || {
                let snapshot = cluster.api().try_snapshot()?;
                let channels = &snapshot.server(&standby).channels;
                if channels.iter().any(|l| l.severity == "critical") {
                    Ok(())
                } else {
                    Err(format!("{channels:?}"))
                }
            });
        } else {
            down(cluster, id, name, look);
        }
        cluster.signal(cluster.serve().unwrap().pid, Signal::KILL);
        wait::until("another Cordée says that it was broken off", SHOWN, || {
            let reply =
                cluster.api().call("GET", &format!("/v1/drills/{id}"), None).map_err(|e| e.to_string())?;
            if reply.body["state"] == "broken-off" { Ok(()) } else { Err(reply.body["state"].to_string()) }
        });
        ready(cluster);
    }
}

fn a_person_runs_a_drill_in_both_languages(cluster: &Cluster) {
    let person = Person::sign_in(cluster);
    for (language, over, lost) in [("en", "done", "Requests lost"), ("fr", "terminé", "Requêtes perdues")] {
        ready(cluster);
        person.browser.set_cookie("cordee_lang", language);
        person.go("/drills");
        person.fill_in(&[("rate", "0"), ("confirm", "x")]);
        person.submit();
        person.browser.wait_for("main [aria-invalid=\"true\"][name=\"rate\"]", SHOWN);
        assert!(person.browser.sees("#target-e") && person.browser.sees("#how-e"), "each at its field");
        assert_eq!(axe::violations(&person.browser), Vec::<String>::new(), "{language}");
        drop(person.browser.complaints());
        choose(&person, "target", "web2");
        choose(&person, "how", "drain");
        let typed = [("rate", "20"), ("before", "1"), ("held", "2"), ("after", "1"), ("confirm", "web")];
        person.fill_in(&typed);
        person.submit();
        person.browser.wait_for("[data-drill-now] progress", SHOWN);
        assert_eq!(axe::violations(&person.browser), Vec::<String>::new(), "{language}");
        person.mark();
        wait::until("figures change without a new page", SHOWN, || {
            let asked = person.browser.text("[data-finding=\"requests\"]").unwrap_or_default();
            let number = asked.rsplit(' ').next().and_then(|n| n.parse::<u32>().ok()).unwrap_or(0);
            if number > 20 { Ok(()) } else { Err(asked) }
        });
        person.assert_not_reloaded();
        wait::until_true("the report takes the place of the figures", SHOWN, || {
            !person.browser.sees("[data-drill-now]") && person.browser.sees("#report")
        });
        let report = person.browser.text("#report").unwrap_or_default();
        assert!(report.contains(over) && report.contains(lost), "{language}: {report}");
        assert!(person.browser.sees("#history a"), "it is in the list");
        assert_eq!(axe::violations(&person.browser), Vec::<String>::new(), "{language}");
        assert_eq!(person.browser.complaints(), Vec::<String>::new(), "{language}");
    }
    let id = cluster.api().get("/v1/drills")[0]["id"].clone();
    let answer = cluster.signed_in().get(&format!("/api/v1/drills/{id}")).unwrap();
    let exported: Value = serde_json::from_slice(&answer.body).expect("the export is JSON");
    assert_eq!(exported["target"], "web2");
}

fn choose(person: &Person, field: &str, word: &str) {
    let script = "document.getElementById(arguments[0]).value = arguments[1]";
    person.browser.script(script, &[field.into(), word.into()]);
}
