//! The way back to the page that somebody requested before they signed in.

use super::{Site, site, status};

#[tokio::test]
async fn a_page_that_was_asked_for_is_shown_after_the_sign_in() {
    let site = Site { cookie: "x=y".to_owned(), ..site().await };
    for (asked, led) in [
        ("/config/db", "/login?back=/config/db"),
        ("/visitors?address=10.0&server=web1", "/login?back=/visitors%3Faddress%3D10.0%26server%3Dweb1"),
        ("/", "/login"),
        ("/live", "/login"),
    ] {
        let answer = site.get(asked).await;
        assert!(answer.contains(&format!("location: {led}\r\n")), "{asked}: {answer}");
    }
    let form = site.get("/login?back=/visitors%3Faddress%3D10.0%26server%3Dweb1").await;
    assert!(form.contains("name=\"back\" value=\"/visitors?address=10.0&#38;server=web1\""), "{form}");
    let wrong = site.post("/login", "name=ana&password=no&back=%2Fconfig%2Fdb", "").await;
    assert_eq!(status(&wrong), "422");
    assert!(wrong.contains("name=\"back\" value=\"/config/db\""), "a wrong password does not lose the way");
    assert!(wrong.contains("value=\"/login?back=/config/db\""), "nor does a change of the language after it");
    let entered = site.post("/login", "name=ana&password=long+enough&back=%2Fconfig%2Fdb", "").await;
    assert!(status(&entered) == "303" && entered.contains("location: /config/db\r\n"), "{entered}");
}

#[tokio::test]
async fn nobody_is_led_to_another_site() {
    for elsewhere in [
        "//evil.example",
        "/%5Cevil.example",
        "https://evil.example",
        "%09//evil",
        "/a%0d%0aX-Y: z",
        "javascript:1",
    ] {
        let site = site().await;
        let form = site.get(&format!("/login?back={}", elsewhere.replace(' ', "%20"))).await;
        assert!(form.contains("location: /\r\n"), "{elsewhere}: {form}");
        let body = format!("name=ana&password=long+enough&back={elsewhere}");
        let entered = site.post("/login", &body, "").await;
        assert!(status(&entered) == "303" && entered.contains("location: /\r\n"), "{elsewhere}: {entered}");
    }
}

#[tokio::test]
async fn a_form_that_was_sent_too_late_is_not_sent_again() {
    let site = Site { cookie: "x=y".to_owned(), ..site().await };
    let answer = site.post("/pools/web/servers/web1/stop", "", "").await;
    assert!(answer.contains("location: /login\r\n"), "{answer}");
}

#[tokio::test]
async fn from_the_answer_to_a_form_another_language_leads_to_the_page_that_held_it() {
    let site = site().await;
    for (referer, led) in [
        ("Referer: http://x/pools/web/servers/new\r\n", "/pools/web/servers/new"),
        ("Referer: http://x/?web-q=far\r\n", "/?web-q=far"),
        // That was an answer to a form, too: it cannot be requested again.
        ("Referer: http://x/pools/web/servers\r\n", "/"),
        ("Referer: http://x//evil.example\r\n", "/"),
        ("Referer: evil\r\n", "/"),
        ("", "/"),
    ] {
        let refused = site.post("/pools/web/servers", "name=a%3Bb", referer).await;
        assert_eq!(status(&refused), "422", "{refused}");
        let back = format!("name=\"back\" value=\"{led}\"");
        assert_eq!(refused.matches(&back).count(), 2, "{referer}: {refused}");
    }
}

#[tokio::test]
async fn an_address_to_which_only_forms_go_is_a_page_that_says_so() {
    let site = site().await;
    for path in ["/pools/web/servers", "/visitors/keeping", "/refresh"] {
        let answer = site.get(path).await;
        assert!(status(&answer) == "404" && answer.contains("<main"), "{path}: {answer}");
    }
}
