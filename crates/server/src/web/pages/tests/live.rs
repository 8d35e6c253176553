//! The page's stream: who receives it, how it begins, continues and ends.

use cordee_domain::state::Severity;
use cordee_domain::trial::{End, Run};

use super::{follow, read_until, send, site, status};
use crate::jobs::{Doing, UnderWay};
use crate::web::assets::version;
use crate::web::view::fixture;

#[tokio::test]
async fn the_stream_starts_with_everything_and_goes_on_with_changes() {
    let site = site().await;
    let mut stream = follow(&site, "; cordee_lang=fr").await;
    let first = read_until(&mut stream, "event: beat").await;
    assert!(first.contains("event: snapshot") && first.contains("Tout fonctionne"), "{first}");

    let mut next = fixture::snapshot();
    next.servers[1].status.severity = Severity::Critical;
    next.servers.remove(0);
    site.app.board.set_snapshot(next);
    let second = read_until(&mut stream, "event: delta").await;
    assert!(second.contains("event: gone") && second.contains("[\"web1\"]"), "{second}");

    let text = cordee_domain::text!("event-stop", name = "web2");
    let event = site.app.store.note("ana", "web2", None, &text).expect("a line");
    let third = read_until(&mut stream, "event: event").await;
    assert!(third.contains(&format!("id: {}", event.id)) || third.contains("web2"), "{third}");
}

#[tokio::test]
async fn the_stream_ends_when_its_reader_signs_out() {
    let site = site().await;
    let mut stream = follow(&site, "").await;
    read_until(&mut stream, "event: beat").await;
    assert_eq!(status(&site.post("/logout", "", "").await), "303");
    let out = std::time::Instant::now();
    // The end of a chunked body.
    let last = read_until(&mut stream, "0\r\n\r\n").await;
    assert!(out.elapsed() < std::time::Duration::from_secs(1), "{:?}: {last}", out.elapsed());
    assert!(last.contains("event: over"), "{last}");
}

#[tokio::test]
async fn a_script_of_another_version_is_led_to_a_fresh_page() {
    let site = site().await;
    let asked = async |method: &str, path: &str| {
        let cookie = &site.cookie;
        send(
            site.address,
            &format!("{method} {path} HTTP/1.1\r\nHost: x\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n"),
        )
        .await
    };
    let own = format!("/live?v={}", version());
    for path in ["/live", "/live?after=7", "/live?v=", "/live?v=5", &format!("{own}0"), &own[..own.len() - 1]]
    {
        for method in ["GET", "HEAD"] {
            let answer = asked(method, path).await;
            assert!(answer.contains("303") && answer.contains("location: /login\r\n"), "{path}: {answer}");
        }
    }
    assert_eq!(status(&asked("HEAD", &own).await), "200");
    // A person who is signed in is redirected from there to the page where they were.
    let back = asked("GET", "/login?back=%2Fjournal%23x").await;
    assert!(back.contains("303") && back.contains("location: /journal#x\r\n"), "{back}");
    let page = asked("GET", "/journal").await;
    assert!(page.contains(&format!("src=\"/assets/{}/cordee.js\"", version())), "{page}");
}

#[tokio::test]
async fn a_stream_begins_with_how_far_a_run_is_or_that_there_is_none() {
    let site = site().await;
    let none = read_until(&mut follow(&site, "").await, "event: beat").await;
    for name in ["trial", "drill"] {
        assert!(none.contains(&format!("event: {name}\ndata: null")), "{name}: {none}");
    }
    let (actor, end, cells) = ("ana".to_owned(), End::Running, Vec::new());
    let run = Run { id: 1, actor, begun: 0, ended: None, end, cells };
    site.app.jobs.show(Some(UnderWay { run, doing: Doing::Starting }));
    let begun = read_until(&mut follow(&site, "").await, "event: beat").await;
    assert!(begun.contains("event: trial\ndata: {") && begun.contains("event: drill\ndata: null"), "{begun}");
}
