//! Who answers: visitors without a cookie are shared, those with one are kept, and nobody notices a server that
//! a person stops.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed expectation is how a test ends")]

use std::collections::BTreeMap;
use std::time::Duration;

use cordee_e2e::case;
use cordee_e2e::cluster::Cluster;
use cordee_e2e::http::{Client, get};
use cordee_e2e::load::{Ask, Load};
use cordee_e2e::person::Person;
use cordee_e2e::suite::File;
use cordee_e2e::visitors::{Manner, Stranger, header_lines};
use cordee_e2e::wait;
use serde_json::json;

/// Its cases.
pub fn file() -> File {
    File::new(
        "balance",
        &[],
        &[
            case!(a_hundred_requests_without_a_cookie_are_shared_half_and_half),
            case!(a_visitor_with_a_servers_cookie_stays_on_it_for_the_colour),
            case!(a_new_visitor_keeps_server_and_colour),
            case!(the_pages_cookies_stay_here_and_all_others_pass),
            case!(a_server_stopped_by_the_page_is_not_missed_and_comes_back_by_one_click),
        ],
    )
}

fn a_hundred_requests_without_a_cookie_are_shared_half_and_half(cluster: &Cluster) {
    let mut shares: BTreeMap<String, u32> = BTreeMap::new();
    for _ in 0..100 {
        let answer = get(cluster.site(), "/").unwrap();
        assert_eq!(answer.status, 200);
        let sticky = answer.headers.iter().any(|(n, v)| n == "set-cookie" && v.starts_with("SERVEUR="));
        assert!(!sticky, "`/` is not sticky: {:?}", answer.headers);
        *shares.entry(answer.server().to_owned()).or_default() += 1;
    }
    for server in ["web1", "web2"] {
        let share = shares.get(server).copied().unwrap_or(0);
        assert!((48..=52).contains(&share), "{shares:?}");
    }
}

fn a_visitor_with_a_servers_cookie_stays_on_it_for_the_colour(cluster: &Cluster) {
    for (cookie, server) in [("S1", "web1"), ("S2", "web2")] {
        for _ in 0..20 {
            // A connection each: the cookie alone must do it.
            let answer = Client::new(cluster.site()).cookie("SERVEUR", cookie).get("/couleur").unwrap();
            assert_eq!((answer.status, answer.server()), (200, server));
        }
    }
}

fn a_new_visitor_keeps_server_and_colour(cluster: &Cluster) {
    let mut visitor = Client::with_jar(cluster.site());
    let first = visitor.get("/couleur").unwrap().server().to_owned();
    let cookie = visitor.cookies.get("SERVEUR").cloned();
    assert!(cookie == Some("S1".to_owned()) || cookie == Some("S2".to_owned()), "{cookie:?}");
    assert_eq!(visitor.post_form("/couleur", &[("couleur", "vert")]).unwrap().status, 303);
    for _ in 0..10 {
        let answer = visitor.get("/couleur").unwrap();
        assert_eq!(answer.server(), first);
        assert!(
            answer.text().contains("value=\"vert\" required checked"),
            "the colour is lost: {}",
            answer.text()
        );
    }
}

/// Browsers send the cookies of a host to each of its ports: `S9` leads to a server that says what reached it.
fn the_pages_cookies_stay_here_and_all_others_pass(cluster: &Cluster) {
    let (echo, api) = (Stranger::new(Manner::Echo), cluster.api());
    let body = json!({ "name": "echo", "address": "127.0.0.1", "port": echo.port(), "cookie": "S9" });
    assert!(api.post("/v1/pools/web/servers", &body).ok());
    api.wait_for_severity("echo", "good", Duration::from_secs(10));
    let arrives = |sent: &[&str]| {
        let visitor = Client::new(cluster.site());
        let mut visitor = sent.iter().fold(visitor, |visitor, cookies| visitor.header("Cookie", cookies));
        let answer = visitor.get("/couleur").unwrap();
        assert_eq!((answer.status, answer.server()), (200, "echo"), "HAProxy lost its own cookie: {sent:?}");
        let lines = header_lines(&answer.text(), "cookie");
        let pairs = lines.iter().flat_map(|line| line.split(';')).map(|pair| pair.trim().to_owned());
        pairs.filter(|pair| !pair.is_empty()).collect::<Vec<_>>()
    };
    let eight = (0..8).map(|n| format!("cordee_{n}=secret")).collect::<Vec<_>>().join("; ");
    let with_eight = format!("a=1; {eight}; SERVEUR=S9; z=3");
    let twelve = (0..12).map(|n| format!("cordee_{n}=secret; k{n}={n}")).collect::<Vec<_>>();
    let with_twelve = format!("{}; SERVEUR=S9", twelve.join("; "));
    let kept: Vec<String> = (0..12).map(|n| format!("k{n}={n}")).collect();
    let kept: Vec<&str> = kept.iter().map(String::as_str).collect();
    let cases: [(&[&str], &[&str]); 11] = [
        (&["SERVEUR=S9; a=1; cordee_x=secret; z=3"], &["a=1", "z=3"]),
        (&["cordee_x=secret; SERVEUR=S9; z=3"], &["z=3"]),
        (&["a=1; SERVEUR=S9; cordee_x=secret"], &["a=1"]),
        (&["SERVEUR=S9;a=1;cordee_x=secret;z=3"], &["a=1", "z=3"]),
        (&["SERVEUR=S9; cordee_x=secret; cordee_x_browser=secret"], &[]),
        (&["SERVEUR=S9; wp_cordee_x=1; b=cordee_y=2; cordee_x=secret"], &["wp_cordee_x=1", "b=cordee_y=2"]),
        (&[r#"SERVEUR=S9; a=1, 2; cordee_x=secret; b={"x":1,"y":2}"#], &["a=1, 2", r#"b={"x":1,"y":2}"#]),
        (&["a=1; cordee_x=secret", "SERVEUR=S9; b=2", "cordee_y=secret; c=3"], &["a=1", "b=2", "c=3"]),
        (&["SERVEUR=S9", &eight, "z=3"], &["z=3"]),
        (&[&with_eight], &["a=1", "z=3"]),
        // No browser has as many by itself; a site can have it send them.
        (&[&with_twelve], &kept),
    ];
    for (sent, kept) in cases {
        assert_eq!(arrives(sent), kept, "{sent:?}");
    }
    api.delete("/v1/pools/web/servers/echo");
    api.wait_until_gone("echo", Duration::from_secs(10));

    // Somebody who is signed in to the page stays who they are at the site.
    let mut visitor = Client::with_jar(cluster.site());
    assert_eq!(visitor.post_form("/couleur", &[("couleur", "vert")]).unwrap().status, 303);
    let (first, (name, secret)) = (visitor.get("/couleur").unwrap(), cluster.session());
    visitor.cookies.insert(name, secret);
    for _ in 0..4 {
        let answer = visitor.get("/couleur").unwrap();
        assert_eq!(answer.server(), first.server());
        assert!(answer.text().contains("value=\"vert\" required checked"), "the colour is lost");
    }
}

fn a_server_stopped_by_the_page_is_not_missed_and_comes_back_by_one_click(cluster: &Cluster) {
    let person = Person::sign_in(cluster);
    let visitors =
        Load::new(cluster.site(), 8, Ask::Get("/couleur")).cookie("SERVEUR", "S1").think(20..60).start();
    wait::until_true("visitors are served", Duration::from_secs(5), || visitors.sent() > 50);

    person.act("web", "web1", "stop");
    person.wait_for_look("web1", "maint", Duration::from_secs(10));
    let stopped = visitors.sent();
    wait::until_true("visitors go on", Duration::from_secs(5), || visitors.sent() > stopped + 100);
    let answer = Client::new(cluster.site()).cookie("SERVEUR", "S1").get("/couleur").unwrap();
    assert_eq!((answer.status, answer.server()), (200, "web2"));

    person.ask("web", "web1", "start");
    person.wait_for_look("web1", "good", Duration::from_secs(10));
    let back = || {
        Client::new(cluster.site())
            .cookie("SERVEUR", "S1")
            .get("/couleur")
            .is_ok_and(|a| a.server() == "web1")
    };
    wait::until_true("web1 serves its visitors again", Duration::from_secs(2), back);

    let report = visitors.stop();
    report.assert_no_failure(200);
    let shares = report.shares();
    assert!(shares.contains_key("web1") && shares.contains_key("web2"), "{shares:?}");
}
