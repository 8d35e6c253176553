//! A person whose browser is recognised can sign in, whatever others guess; what every port of the host receives
//! is no help to a thief.

use super::{PROOF, Site, cookie_name, send, site, status};

/// The mark by which the page's script has its browser recognised.
const MARK: &str = "b0a7000000000000000000000000000000000000000000000000000000000b0a";
const RIGHT: &str = "name=ana&password=long+enough";
const WRONG: &str = "name=ana&password=wrong";

impl Site {
    /// Sends the sign-in form, as the page's script does, from a browser with these cookies.
    async fn enter(&self, typed: &str, mark: &str, cookies: &str) -> String {
        let body = format!("{typed}&proof={PROOF}&browser={mark}");
        let request = format!(
            "POST /login HTTP/1.1\r\nHost: x\r\nCookie: {cookies}\r\nConnection: close\r\nContent-Type: \
             application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        send(self.address, &request).await
    }

    async fn guess_until_all_wait(&self) {
        for _ in 0..5 {
            assert_eq!(status(&self.enter(WRONG, "", "x=y").await), "422");
        }
        assert_eq!(status(&self.enter(RIGHT, "", "x=y").await), "429");
    }
}

fn cookies(answer: &str) -> Vec<&str> {
    answer.lines().filter_map(|line| line.strip_prefix("set-cookie: ")).collect()
}

#[tokio::test]
async fn who_was_here_before_gets_in_while_others_guess() {
    let site = site().await;
    let first = site.enter(RIGHT, MARK, "x=y").await;
    assert_eq!(status(&first), "303", "{first}");
    let set = cookies(&first);
    assert!(set.len() == 1 && set[0].starts_with(&format!("{}=", cookie_name(&site.app))), "{set:?}");
    assert!(!first.contains(MARK));
    site.guess_until_all_wait().await;
    let again = site.enter("name=Ana&password=long+enough", MARK, "x=y").await;
    assert_eq!(status(&again), "303", "{again}");
    // Its tries are its own, and they are counted too.
    for _ in 0..5 {
        assert_eq!(status(&site.enter(WRONG, MARK, "x=y").await), "422");
    }
    assert_eq!(status(&site.enter(RIGHT, MARK, "x=y").await), "429");
}

/// A program on another port receives every cookie of that browser, can set each of them, and can send any form.
#[tokio::test]
async fn what_another_port_sees_gives_no_tries_and_takes_none() {
    let site = site().await;
    let first = site.enter(RIGHT, MARK, "x=y").await;
    let stolen: Vec<&str> =
        cookies(&first).into_iter().filter_map(|cookie| cookie.split(';').next()).collect();
    let tossed =
        format!("{}; {}; cordee_test_browser={MARK}; browser={MARK}", stolen.join("; "), site.cookie);
    site.guess_until_all_wait().await;
    let (other, upper) = ("f".repeat(64), MARK.to_uppercase());
    for mark in ["", "x", PROOF, &other, &upper, &MARK[1..]] {
        assert_eq!(status(&site.enter(RIGHT, mark, &tossed).await), "429", "{mark}");
    }
    // None of those was a try of the browser's own, and no cookie that another program set locks it out.
    for _ in 0..5 {
        assert_eq!(status(&site.enter(WRONG, MARK, &tossed).await), "422");
    }
    // For another account the browser is a stranger.
    assert_eq!(status(&site.enter("name=bob&password=wrong", MARK, "x=y").await), "429");
}

#[tokio::test]
async fn a_cookie_by_which_a_browser_was_known_before_is_taken_away() {
    let site = site().await;
    let answer = site.enter(RIGHT, MARK, "cordee_test_browser=0123").await;
    let gone = "cordee_test_browser=; Path=/login; HttpOnly; SameSite=Strict; Max-Age=0";
    assert!(status(&answer) == "303" && cookies(&answer).contains(&gone), "{answer}");
}

#[tokio::test]
async fn a_new_password_forgets_all_browsers_but_the_one_at_hand() {
    let site = site().await;
    let elsewhere = "e".repeat(64);
    for mark in [MARK, &elsewhere] {
        assert_eq!(status(&site.enter(RIGHT, mark, "x=y").await), "303");
    }
    let form = format!("present=long+enough&new=another+one&again=another+one&browser={MARK}");
    assert_eq!(status(&site.post("/account/password", &form, "").await), "200");
    site.guess_until_all_wait().await;
    let anew = "name=ana&password=another+one";
    assert_eq!(status(&site.enter(anew, &elsewhere, "x=y").await), "429");
    assert_eq!(status(&site.enter(anew, MARK, "x=y").await), "303");
}
