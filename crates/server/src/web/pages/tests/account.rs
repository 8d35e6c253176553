//! The pages behind a person's name: the password, the sessions, the tokens.

use super::{Site, cookie_name, site, status};
use crate::store::{Account, Device};

/// Another browser of the same person.
fn elsewhere(site: &Site) -> String {
    let device = Device { address: "192.0.2.7".to_owned(), agent: "Elsewhere <b>7".to_owned() };
    let secret = site.app.store.sign_in(&Account("ana".to_owned()), &device).expect("a session").0;
    format!("{}={secret}", cookie_name(&site.app))
}

async fn get_with(site: &Site, cookie: &str, path: &str) -> String {
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n");
    super::send(site.address, &request).await
}

#[tokio::test]
async fn the_name_opens_a_menu_and_signs_nobody_out() {
    let site = site().await;
    let page = site.get("/").await;
    for part in ["/account/password", "/account/sessions", "/account/tokens", "action=\"/logout\""] {
        assert!(page.contains(part), "{part}");
    }
    let menu = page.find("id=\"self\" popover").expect("a menu");
    let out = page.find("action=\"/logout\"").expect("a way out");
    assert!(out > menu, "signing out stands in the menu");
}

#[tokio::test]
async fn a_password_is_changed_by_whoever_knows_the_present_one() {
    let mut site = site().await;
    let other = elsewhere(&site);
    let form = |present: &str, new: &str, again: &str| format!("present={present}&new={new}&again={again}");
    for (body, says) in [
        (form("wrong", "another+one", "another+one"), "This is not the current password."),
        (form("long+enough", "short", "short"), "At least 8 characters."),
        (form("long+enough", "another+one", "another+two"), "The two do not match."),
    ] {
        let answer = site.post("/account/password", &body, "").await;
        assert!(status(&answer) == "422" && answer.contains(says), "{body}: {answer}");
        assert!(site.app.store.password_matches("ana", "long enough").unwrap().is_some(), "{body}");
    }
    assert_eq!(status(&get_with(&site, &other, "/journal").await), "200");

    let answer = site.post("/account/password", &form("long+enough", "another+one", "another+one"), "").await;
    assert_eq!(status(&answer), "200", "{answer}");
    assert!(site.app.store.password_matches("ana", "another one").unwrap().is_some());
    assert_eq!(status(&get_with(&site, &other, "/journal").await), "303", "the other session goes on");
    assert_eq!(status(&site.get("/journal").await), "303", "the cookie of before still opens");
    let anew = answer
        .lines()
        .find_map(|l| l.strip_prefix("set-cookie: ")?.split(';').next())
        .expect("a session")
        .to_owned();
    site.cookie = anew;
    assert_eq!(status(&site.get("/journal").await), "200", "who changed it is signed in");
}

#[tokio::test]
async fn a_wrong_present_password_counts_as_a_guess() {
    let site = site().await;
    let form = "present=wrong&new=another+one&again=another+one";
    let mut seen = Vec::new();
    for _ in 0..6 {
        seen.push(status(&site.post_bare("/account/password", form, "").await).to_owned());
    }
    assert_eq!(seen, ["422", "422", "422", "422", "422", "429"]);
    // A token, and another session of the same person, share the count.
    let token = site.post_bare("/account/tokens", "name=backup&password=wrong", "").await;
    assert_eq!(status(&token), "429", "{token}");
    // A browser that sends a secret which its session knows has tries of its own.
    assert_eq!(status(&site.post("/account/password", form, "").await), "422");
    let other = Site { cookie: elsewhere(&site), ..site };
    assert_eq!(
        status(&other.post_bare("/account/password", form, "").await),
        "429",
        "each session has its own"
    );
    // People who are not signed in have tries of their own.
    let login = other.post("/login", "name=ana&password=wrong", "").await;
    assert_eq!(status(&login), "422", "{login}");
}

#[tokio::test]
async fn strangers_keep_nobody_who_is_signed_in_from_changing_the_password() {
    let site = site().await;
    let mut seen = Vec::new();
    for _ in 0..6 {
        seen.push(status(&site.post("/login", "name=ana&password=wrong", "").await).to_owned());
    }
    assert_eq!(seen[5], "429", "{seen:?}");
    let made = site.post("/account/tokens", "name=backup&days=&password=long+enough", "").await;
    assert_eq!(status(&made), "200", "{made}");
    let form = "present=long+enough&new=another+one&again=another+one";
    assert_eq!(status(&site.post("/account/password", form, "").await), "200");
}

#[tokio::test]
async fn a_header_for_programs_excuses_no_page_from_coming_from_its_own_origin() {
    let site = site().await;
    let other = elsewhere(&site);
    for header in ["Bearer x", "Bearer ", "Basic YTpi"] {
        let more = format!("Authorization: {header}\r\nSec-Fetch-Site: cross-site\r\n");
        for path in ["/account/sessions/end", "/logout", "/pools/web/servers/web1/drain"] {
            assert_eq!(status(&site.post(path, "", &more).await), "403", "{path} {header}");
        }
    }
    assert_eq!(status(&get_with(&site, &other, "/journal").await), "200");
    assert_eq!(status(&site.get("/journal").await), "200");
}

#[tokio::test]
async fn sessions_are_listed_and_each_can_be_ended() {
    let site = site().await;
    let (first, second) = (elsewhere(&site), elsewhere(&site));
    let page = site.get("/account/sessions").await;
    assert!(page.contains("Elsewhere &#60;b&#62;7") && page.contains("192.0.2.7"), "{page}");
    assert_eq!(page.matches("this one").count(), 1, "{page}");
    assert!(!page.contains(first.split('=').nth(1).unwrap()), "a session's secret is shown");
    let ends: Vec<&str> =
        page.split('"').filter(|a| a.starts_with("/account/sessions/") && a.len() > 25).collect();
    assert_eq!(ends.len(), 2, "one's own is not offered: {ends:?}");
    let answer = site.post(ends[0], "", "").await;
    assert!(answer.contains("location: /account/sessions"), "{answer}");
    // The session that signed in last comes first.
    let site = &site;
    let open = |cookie: String| async move { status(&get_with(site, &cookie, "/journal").await).to_owned() };
    assert_eq!((open(first.clone()).await, open(second).await), ("200".to_owned(), "303".to_owned()));
    site.post("/account/sessions/end", "", "").await;
    assert_eq!(open(first).await, "303");
    assert_eq!(status(&site.get("/journal").await), "200", "one's own goes on");
    // A session of another account is not hers to end.
    let eve = Account("eve".to_owned());
    let secret = site.app.store.sign_in(&eve, &Device::default()).expect("a session").0;
    let id = site.app.store.sessions(&eve, &secret).expect("sessions")[0].id.clone();
    site.post(&format!("/account/sessions/{id}/end"), "", "").await;
    assert!(site.app.store.session(&secret).unwrap().is_some());
}

#[tokio::test]
async fn a_token_is_shown_once_listed_and_taken_back() {
    let site = site().await;
    let wrong = site.post("/account/tokens", "name=backup&days=&password=wrong", "").await;
    assert!(status(&wrong) == "422" && site.app.store.tokens().unwrap().is_empty(), "{wrong}");
    let wrong = site.post("/account/tokens", "name=a+b&days=0&password=long+enough", "").await;
    assert!(status(&wrong) == "422" && wrong.matches("aria-invalid=\"true\"").count() == 2, "{wrong}");
    let made = site.post("/account/tokens", "name=backup&days=90&password=long+enough", "").await;
    assert_eq!(status(&made), "200");
    assert!(made.contains("cache-control: no-store"), "{made}");
    let secret = made.split("class=\"secret\">").nth(1).and_then(|r| r.split('<').next()).expect("a token");
    assert_eq!(site.app.store.token(secret).unwrap().map(|t| t.0), Some("backup".to_owned()));
    let page = site.get("/account/tokens").await;
    assert!(page.contains("backup") && !page.contains(secret), "{page}");
    let asked = site.get("/account/tokens/backup/revoke").await;
    assert!(asked.contains("Revoke token backup") && asked.contains("method=\"post\""), "{asked}");
    assert!(site.app.store.token(secret).unwrap().is_some(), "asking does nothing");
    let gone = site.post("/account/tokens/backup/revoke", "", "").await;
    assert!(gone.contains("location: /account/tokens"), "{gone}");
    assert!(site.app.store.token(secret).unwrap().is_none());
    assert_eq!(status(&site.get("/account/tokens/backup/revoke").await), "404");
    assert_eq!(status(&site.post("/account/tokens/%3Cb%3E/revoke", "", "").await), "404");
}

#[tokio::test]
async fn strangers_see_nothing_of_it_and_other_sites_do_nothing() {
    let site = site().await;
    let before = site.app.store.sessions(&Account("ana".to_owned()), "").unwrap().len();
    for path in ["/account/sessions/end", "/account/password", "/account/tokens"] {
        let answer = site.post(path, "", "Sec-Fetch-Site: cross-site\r\n").await;
        assert_eq!(status(&answer), "403", "{path}");
    }
    assert_eq!(site.app.store.sessions(&Account("ana".to_owned()), "").unwrap().len(), before);
    let stranger = Site { cookie: "x=y".to_owned(), ..site };
    for path in ["/account/password", "/account/sessions", "/account/tokens", "/account/tokens/x/revoke"] {
        let answer = stranger.get(path).await;
        assert!(answer.contains("location: /login"), "{path}: {answer}");
    }
}
