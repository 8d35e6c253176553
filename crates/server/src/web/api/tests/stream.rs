//! The event stream.

use axum::body::Body;
use axum::http::{Request, header};
use cordee_domain::state::Severity;
use cordee_domain::text;
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;

use super::Rig;
use crate::store::{Account, Device};
use crate::web::session::cookie_name;

/// Returns the next block of an event stream that is not a comment.
async fn block(body: &mut Body) -> String {
    loop {
        let frame = tokio::time::timeout(std::time::Duration::from_secs(5), body.frame()).await.unwrap();
        let data = frame.unwrap().unwrap().into_data().unwrap();
        let text = String::from_utf8(data.to_vec()).unwrap();
        if !text.starts_with(':') {
            return text;
        }
    }
}

#[tokio::test]
async fn the_stream_resumes_where_it_was() {
    let rig = Rig::new();
    let note =
        |n: u64| rig.app.store.note("cordee", "cluster", None, &text!("reason-drain", count = n)).unwrap();
    for n in 0..3 {
        note(n);
    }
    let mut request = rig.request("GET", "/api/v1/events?after=0", Body::empty());
    request.headers_mut().insert("last-event-id", "1".parse().unwrap());
    let answer = rig.router.clone().oneshot(request).await.unwrap();
    assert_eq!(answer.headers()[header::CONTENT_TYPE], "text/event-stream");
    let mut body = answer.into_body();
    for id in [2, 3] {
        let text = block(&mut body).await;
        assert!(text.contains("event: event\n") && text.contains(&format!("id: {id}\n")), "{text}");
    }
    assert!(block(&mut body).await.starts_with("event: snapshot\n"));
    note(4);
    assert!(block(&mut body).await.contains("id: 4\n"));
    rig.severity(0, Severity::Critical);
    let text = block(&mut body).await;
    assert!(text.starts_with("event: snapshot\n") && text.contains("critical"), "{text}");
}

#[tokio::test]
async fn a_slow_reader_reads_the_journal_instead() {
    let rig = Rig::new();
    let answer =
        rig.router.clone().oneshot(rig.request("GET", "/api/v1/events", Body::empty())).await.unwrap();
    let mut body = answer.into_body();
    for n in 0..600_u64 {
        rig.app.store.note("cordee", "cluster", None, &text!("reason-drain", count = n)).unwrap();
    }
    for expected in 1..=600 {
        let mut text = block(&mut body).await;
        while text.starts_with("event: snapshot") {
            text = block(&mut body).await;
        }
        assert!(text.contains(&format!("id: {expected}\n")), "{expected}: {text}");
    }
}

/// A stream that was opened in a browser, after its first snapshot.
async fn watched(rig: &Rig, secret: &str) -> Body {
    let cookie = format!("{}={secret}", cookie_name(&rig.app));
    let request = Request::get("/api/v1/events")
        .header(header::COOKIE, cookie)
        // This is no token: the cookie authorises the request.
        .header(header::AUTHORIZATION, "Basic YTpi")
        .body(Body::empty())
        .unwrap();
    let answer = rig.router.clone().oneshot(request).await.unwrap();
    assert_eq!(answer.status(), 200);
    let mut body = answer.into_body();
    assert!(block(&mut body).await.starts_with("event: snapshot\n"));
    body
}

/// Returns what comes until the stream ends, within a second.
async fn rest(mut body: Body) -> String {
    let all = async {
        let mut all = Vec::new();
        while let Some(frame) = body.frame().await {
            all.extend(frame.unwrap().into_data().unwrap());
        }
        String::from_utf8(all).unwrap()
    };
    tokio::time::timeout(std::time::Duration::from_secs(1), all).await.expect("the stream goes on")
}

#[tokio::test]
async fn a_stream_ends_with_the_session_that_opened_it_and_no_other_one() {
    let rig = Rig::new();
    rig.app.store.create_first_account("ana", "long enough").unwrap();
    let sign_in = || rig.app.store.sign_in(&Account("ana".to_owned()), &Device::default()).unwrap().0;
    let (first, second) = (sign_in(), sign_in());
    let (ends, mut goes_on) = (watched(&rig, &first).await, watched(&rig, &second).await);
    let request = rig.request("GET", "/api/v1/events", Body::empty());
    let mut token = rig.router.clone().oneshot(request).await.unwrap().into_body();
    assert!(block(&mut token).await.starts_with("event: snapshot\n"));
    rig.app.store.sign_out(&first).unwrap();
    rig.app.store.note("cordee", "cluster", None, &text!("reason-drain", count = 1_u64)).unwrap();
    assert_eq!(rest(ends).await, "", "it was told something after it was signed out");
    for body in [&mut goes_on, &mut token] {
        assert!(block(body).await.starts_with("event: event\n"));
    }
    // The session is signed out before its stream checks it for the first time.
    let request = Request::get("/api/v1/events")
        .header(header::COOKIE, format!("{}={second}", cookie_name(&rig.app)))
        .body(Body::empty())
        .unwrap();
    let answer = rig.router.clone().oneshot(request).await.unwrap();
    rig.app.store.sign_out(&second).unwrap();
    assert_eq!(rest(answer.into_body()).await, "");
}
