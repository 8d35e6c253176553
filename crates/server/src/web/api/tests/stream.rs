//! The event stream.

use axum::body::Body;
use axum::http::header;
use cordee_domain::status::Light;
use cordee_domain::text;
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;

use super::Rig;

/// The next block of an event stream that is not a comment.
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
    rig.light(0, Light::Critical);
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
