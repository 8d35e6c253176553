//! The session's cookie is sent to every port of the host: alone, it changes nothing.

use super::{PROOF, Site, cookie_name, site, status};
use crate::store::{Account, Device};

/// Forms that carry a password or a code of their own, and harmless forms.
const FREE: [&str; 7] =
    ["/login", "/setup", "/logout", "/lang", "/theme", "/account/password", "/account/tokens"];
const DRAIN: &str = "/pools/web/servers/web1/drain";
const REMOVE: &str = "/pools/web/servers/web1/remove";
const JSON: &str = "Accept: application/json\r\n";

/// Returns every address that takes a form, from the table of routes itself, so that a new one is included.
pub(super) fn forms() -> Vec<String> {
    let table = include_str!("../mod.rs");
    let routes = table.split(".route(\"").skip(1).filter_map(|rest| rest.split_once('"'));
    let takes_forms = |rest: &str| rest.split(".route(").next().is_some_and(|line| line.contains("post("));
    let words = [
        ("{pool}", "web"),
        ("{name}", "web1"),
        ("{proxy}", "web"),
        ("{act}", "drain"),
        ("{take}", "writer"),
        ("{word}", "database"),
        ("{id}", "0"),
    ];
    let fill = |path: &str| words.iter().fold(path.to_owned(), |path, (word, by)| path.replace(word, by));
    routes.filter(|(_, rest)| takes_forms(rest)).map(|(path, _)| fill(path)).collect()
}

fn done(site: &Site) -> (u64, usize) {
    (site.app.board.desired().revision, site.app.store.events_after(0, 999).unwrap().len())
}

/// Somebody who listens on another port has the cookie, and everything that can be read with it.
#[tokio::test]
async fn a_cookie_alone_changes_nothing_at_any_address() {
    let site = site().await;
    let before = done(&site);
    let forms = forms();
    assert!(forms.len() > 25 && forms.iter().all(|path| !path.contains('{')), "{forms:?}");
    for path in forms.iter().filter(|path| !FREE.contains(&path.as_str())) {
        let typed = "name=web9&start=on&confirm=web1&know=on&target=web1&how=kill&days=1";
        let (thiefs, empty) =
            (format!("{typed}&proof={}", "f".repeat(64)), format!("{typed}&proof=&own_password="));
        for body in ["", typed, &*thiefs, &*empty] {
            let page = site.post_bare(path, body, "").await;
            assert_eq!(status(&page), "403", "{path} {body}: {page}");
            assert!(
                page.contains("name=\"own_password\"") && page.contains("session’s cookie alone"),
                "{path}"
            );
            let said = site.post_bare(path, body, JSON).await;
            if body.contains("ffff") {
                assert!(
                    status(&said) == "403" && said.contains("\"field\":\"own_password\""),
                    "{path}: {said}"
                );
            } else {
                // A script from before there were secrets.
                assert!(status(&said) == "303" && said.contains("location: /login\r\n"), "{path}: {said}");
            }
        }
        // A body that is no form at all, or an invalid one.
        let json = site.post_bare(path, "{\"proof\":\"x\"}", "").await;
        assert_eq!(status(&json), "403", "{path}");
    }
    assert_eq!(done(&site), before);
    // A form with a password of its own is refused without it.
    for path in ["/account/password", "/account/tokens"] {
        assert_eq!(
            status(&site.post_bare(path, "name=x&new=long+enough&again=long+enough", "").await),
            "422",
            "{path}"
        );
    }
    assert_eq!(done(&site), before);
    assert_eq!(status(&site.get("/journal").await), "200", "it reads");
    assert!(!site.get("/").await.contains(PROOF) && !site.get(DRAIN).await.contains(PROOF));
}

#[tokio::test]
async fn with_the_script_s_secret_everything_is_done_as_ever() {
    let site = site().await;
    assert_eq!(status(&site.post(DRAIN, "", "").await), "303");
    assert_eq!(status(&site.post("/pools/web/servers/web1/ready", "", JSON).await), "200");
    // Another session does not know the secret.
    let other = site.app.store.sign_in(&Account("ana".to_owned()), &Device::default()).unwrap().0;
    let other = Site { cookie: format!("{}={other}", cookie_name(&site.app)), ..site };
    assert_eq!(status(&other.post(DRAIN, "", "").await), "403");
}

#[tokio::test]
async fn a_session_begun_before_there_were_secrets_is_asked_for_the_password_once() {
    let site = site().await;
    let old = site.app.store.sign_in(&Account("ana".to_owned()), &Device::default()).unwrap().0;
    let site = Site { cookie: format!("{}={old}", cookie_name(&site.app)), ..site };
    let typed = "name=web9&address=10.0.0.9&port=80&cookie=%3Cb%3E&start=off&password=of-something-else";
    let page = site.post("/pools/web/servers", typed, "").await;
    assert_eq!(status(&page), "403");
    // The form asks for the password and keeps every field that was typed, except passwords.
    assert!(
        page.contains("name=\"address\" value=\"10.0.0.9\"") && page.contains("value=\"&#60;b&#62;\""),
        "{page}"
    );
    assert!(!page.contains("of-something-else") && !page.contains(PROOF), "{page}");
    let wrong = site.post(DRAIN, "own_password=wrong", "").await;
    assert!(status(&wrong) == "422" && wrong.contains("This is not the current password."), "{wrong}");
    assert!(!wrong.contains("value=\"wrong\""));
    assert_eq!(status(&site.post(DRAIN, "own_password=long+enough", "").await), "303");
    assert_eq!(status(&site.post("/pools/web/servers/web1/ready", "", "").await), "303", "asked once");
    assert_eq!(
        status(&site.post_bare(DRAIN, "", "").await),
        "403",
        "the cookie is worth no more than before"
    );
}

/// A tab that was open during an upgrade: its script knows no field for the password, and goes to the sign-in page
/// after any redirect.
#[tokio::test]
async fn a_script_of_before_there_were_secrets_is_led_to_the_sign_in_page() {
    let site = site().await;
    let old = site.app.store.sign_in(&Account("ana".to_owned()), &Device::default()).unwrap().0;
    let mut site = Site { cookie: format!("{}={old}", cookie_name(&site.app)), ..site };
    let before = done(&site);
    let led = site.post_bare(DRAIN, "", JSON).await;
    assert!(status(&led) == "303" && led.contains("location: /login\r\n"), "{led}");
    assert_eq!(done(&site), before);
    // The person is signed in, and is not sent back to a page where nothing can be changed.
    let form = site.get("/login?back=/journal").await;
    assert!(status(&form) == "200" && form.contains("action=\"/login\""), "{form}");
    assert!(
        form.contains("before an upgrade of Cord\u{e9}e") && form.contains("value=\"/journal\""),
        "{form}"
    );
    let entered = site.post("/login", "name=ana&password=long+enough&back=/journal", "").await;
    assert!(status(&entered) == "303" && entered.contains("location: /journal\r\n"), "{entered}");
    let session = entered.lines().find_map(|line| line.strip_prefix("set-cookie: ")?.split(';').next());
    site.cookie = session.expect("a session").to_owned();
    assert_eq!(status(&site.post(DRAIN, "", JSON).await), "200");
    // With this session a tab that still has the old script is redirected to a page with the new one.
    assert_eq!(status(&site.post_bare("/pools/web/servers/web1/ready", "", JSON).await), "303");
    assert!(site.get("/login").await.contains("location: /\r\n"));
}

/// Where the browser stores nothing, a password for something else is not asked for in an endless circle.
#[tokio::test]
async fn a_password_of_something_else_is_typed_once_more_beside_one_s_own() {
    let site = site().await;
    let typed = "name=db3&address=127.0.0.1&port=13399&user=ana&password=wrong+rope";
    let page = site.post_bare("/pools/db/servers/existing", typed, "").await;
    assert_eq!(status(&page), "403");
    assert!(
        page.contains("name=\"own_password\"") && page.contains("name=\"address\" value=\"127.0.0.1\""),
        "{page}"
    );
    let other = page.split("<input").find(|input| input.contains(" name=\"password\""));
    assert!(other.is_some_and(|input| input.contains("type=\"password\"")), "{page}");
    assert!(!page.contains("wrong rope"), "{page}");
    let page = site.post_bare(DRAIN, "", "").await;
    assert!(!page.contains(" name=\"password\""), "{page}");
}

/// Whatever form is filled in, the password can be typed in it: without script, and where the browser stores
/// nothing.
#[test]
fn each_form_that_is_filled_in_has_a_place_for_the_password() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/templates");
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let mut seen = 0;
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        for form in text.split("<form ").skip(1) {
            let (head, rest) = form.split_once('>').unwrap();
            let own = FREE.iter().any(|path| head.contains(&format!("action=\"{path}\"")));
            if !head.contains("class=\"in") || !head.contains("method=\"post\"") || own {
                continue;
            }
            let inside = rest.split("</form>").next().unwrap();
            let asks = inside.contains("call m::own(p)") || inside.contains("name=\"own_password\"");
            assert!(asks, "{}: {head}", file.display());
            seen += 1;
        }
    }
    assert!(seen >= 10, "{seen} forms");
}

#[tokio::test]
async fn without_script_the_password_is_in_each_form() {
    let site = site().await;
    let page = site.get("/pools/web/servers/new").await;
    let field = page.split("<noscript").skip(1).any(|part| part.contains("name=\"own_password\""));
    assert!(field, "{page}");
    assert_eq!(status(&site.post_bare(DRAIN, "own_password=long+enough", "").await), "303");
    assert_eq!(status(&site.post_bare("/pools/web/servers/web1/ready", "", "").await), "403", "each time");
    assert_eq!(status(&site.post_bare("/logout", "", "").await), "303", "who leaves is asked nothing");
}

#[tokio::test]
async fn grave_acts_take_a_password_of_the_last_ten_minutes() {
    let site = site().await;
    site.app.store.age_confirmations(10 * 60_000);
    let revision = site.app.board.desired().revision;
    let page = site.post(REMOVE, "confirm=web1&know=on", "").await;
    assert_eq!(status(&page), "403");
    assert!(
        page.contains("within the last ten minutes") && page.contains("name=\"confirm\" value=\"web1\""),
        "{page}"
    );
    for path in [
        "/pools/db/servers/db2/repair/writer",
        "/account/tokens/backup/revoke",
        "/pools/db/servers/db2/remove",
        "/clean",
    ] {
        assert_eq!(status(&site.post(path, "", "").await), "403", "{path}");
    }
    let hidden = site.post("/pools/web/servers/web1/%72emove", "", "").await;
    assert_eq!(status(&hidden), "403", "an escape hides nothing");
    assert_eq!(site.app.board.desired().revision, revision);
    assert_eq!(status(&site.post(DRAIN, "", JSON).await), "200", "what can be taken back needs none");
    assert_eq!(status(&site.post("/pools/web/servers/web1/ready", "", JSON).await), "200");
    let said = site.post(REMOVE, "", JSON).await;
    assert!(status(&said) == "403" && said.contains("\"field\":\"own_password\""), "{said}");
    assert_eq!(status(&site.post(REMOVE, "own_password=long+enough", JSON).await), "200");
    // Once given, the password is not required again for a while, in no tab.
    let again = site.post("/account/tokens/none/revoke", "", JSON).await;
    assert_eq!(status(&again), "404", "{again}");
}

#[tokio::test]
async fn a_wrong_password_counts_and_a_thief_does_not_use_up_the_owner_s_tries() {
    let site = site().await;
    let mut seen = Vec::new();
    for _ in 0..6 {
        seen.push(status(&site.post_bare(DRAIN, "own_password=wrong", JSON).await).to_owned());
    }
    assert_eq!(seen, ["422", "422", "422", "422", "422", "429"]);
    let right = site.post_bare(DRAIN, "own_password=long+enough", "").await;
    assert!(status(&right) == "429" && right.contains("retry-after: "), "{right}");
    assert!(right.contains("name=\"own_password\""), "it can be typed there again");
    assert_eq!(
        status(&site.post_bare("/account/tokens", "name=x&password=wrong", "").await),
        "429",
        "one count"
    );
    // The browser that has the secret has tries of its own, wherever the password is typed.
    assert_eq!(status(&site.post("/account/tokens", "name=x&days=9&password=long+enough", "").await), "200");
    site.app.store.age_confirmations(10 * 60_000);
    assert_eq!(status(&site.post(REMOVE, "own_password=wrong", JSON).await), "422");
    assert_eq!(status(&site.post(REMOVE, "own_password=long+enough", JSON).await), "200");
}

#[tokio::test]
async fn signing_in_and_a_new_password_make_the_script_s_secret_known() {
    let mut site = site().await;
    let session = |answer: &str| {
        let cookies = answer.lines().filter_map(|l| l.strip_prefix("set-cookie: ")?.split(';').next());
        cookies.into_iter().next().expect("a session").to_owned()
    };
    let entered = site.post("/login", "name=ana&password=long+enough", "").await;
    assert_eq!(status(&entered), "303", "{entered}");
    assert!(!entered.contains(PROOF));
    assert_eq!(status(&site.get("/").await), "303", "the session that this one replaces is over");
    site.cookie = session(&entered);
    assert_eq!(status(&site.post(DRAIN, "", "").await), "303");
    let form = "present=long+enough&new=another+one&again=another+one";
    let changed = site.post("/account/password", form, "").await;
    assert_eq!(status(&changed), "200", "{changed}");
    site.cookie = session(&changed);
    assert_eq!(status(&site.post("/pools/web/servers/web1/ready", "", "").await), "303");
    // A session that was begun without script knows no secret.
    let entered = site.post_bare("/login", "name=ana&password=another+one", "").await;
    site.cookie = session(&entered);
    assert_eq!(status(&site.post(DRAIN, "", "").await), "403");
}

/// A program on another port can set a cookie of that name for a longer path: browsers send that one first.
#[tokio::test]
async fn a_cookie_that_another_port_has_set_keeps_nobody_out() {
    let site = site().await;
    let cookie = format!("{}=of-another-port; {}", cookie_name(&site.app), site.cookie);
    let site = Site { cookie, ..site };
    assert_eq!(status(&site.get("/").await), "200");
    assert_eq!(status(&site.post(DRAIN, "", "").await), "303");
    assert_eq!(status(&site.post("/logout", "", "").await), "303");
    assert_eq!(status(&site.get("/").await), "303", "the session that lived is over");
}
