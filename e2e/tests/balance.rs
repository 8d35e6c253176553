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
use cordee_e2e::wait;

/// Its cases.
pub fn file() -> File {
    File::new(
        "balance",
        &[],
        &[
            case!(a_hundred_requests_without_a_cookie_are_shared_half_and_half),
            case!(a_visitor_with_a_servers_cookie_stays_on_it_for_the_colour),
            case!(a_new_visitor_keeps_server_and_colour),
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
