//! What is sent compressed, and what never is.

use std::io::Read as _;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Request, StatusCode, header};
use cordee_domain::haproxy::log;
use cordee_domain::visitors::Tally;
use flate2::read::GzDecoder;
use http_body_util::BodyExt as _;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tower::ServiceExt as _;

use super::proof::forms;
use super::{Answers, PROOF, Site, detailed, engine, site};
use crate::store::TokenName;
use crate::store::visitors::Mark;
use crate::web::packing::Unpacked;
use crate::web::session::Local;
use crate::web::{pages, router};

/// One answer, as it is sent.
struct Sent {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Sent {
    fn header(&self, name: header::HeaderName) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("text"))
    }

    fn packed(&self) -> bool {
        self.header(header::CONTENT_ENCODING) == "gzip"
    }

    fn text(&self) -> String {
        let mut text = String::new();
        if self.packed() {
            GzDecoder::new(&*self.body).read_to_string(&mut text).expect("gzip");
        } else {
            text.push_str(std::str::from_utf8(&self.body).expect("text"));
        }
        text
    }
}

fn request(site: &Site, method: &str, path: &str, accepts: &str, form: Option<&str>) -> Request<Body> {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::COOKIE, format!("{}; cordee_lang=en", site.cookie))
        .header(header::ACCEPT_ENCODING, accepts);
    let Some(form) = form else { return request.body(Body::empty()).expect("a request") };
    let kind = "application/x-www-form-urlencoded";
    request.header(header::CONTENT_TYPE, kind).body(Body::from(form.to_owned())).expect("a form")
}

async fn answer(site: &Site, request: Request<Body>) -> Sent {
    let (parts, body) = router(site.app.clone()).oneshot(request).await.expect("an answer").into_parts();
    let body = body.collect().await.expect("a body").to_bytes();
    Sent { status: parts.status, headers: parts.headers, body }
}

async fn get(site: &Site, path: &str, accepts: &str) -> Sent {
    answer(site, request(site, "GET", path, accepts, None)).await
}

async fn post(site: &Site, path: &str, form: &str) -> Sent {
    answer(site, request(site, "POST", path, "gzip", Some(form))).await
}

#[tokio::test]
async fn pages_style_script_and_answers_of_the_api_are_packed_for_whoever_unpacks_them() {
    let site = site().await;
    let (css, script) = (
        format!("{}/cordee.css", crate::web::assets::root()),
        format!("{}/live.js", crate::web::assets::root()),
    );
    for path in [
        "/",
        "/aide",
        "/account/tokens",
        "/nothing-here",
        "/pools/web/servers/nope/logs",
        &*css,
        &*script,
        "/api/openapi.json",
        "/api/v1/snapshot",
    ] {
        let plain = get(&site, path, "identity").await;
        let packed = get(&site, path, "br, gzip;q=0.8").await;
        assert!(packed.packed() && !plain.packed(), "{path}: {:?}", packed.headers);
        assert_eq!(packed.status, plain.status, "{path}");
        assert!(
            packed.body.len() * 2 < plain.body.len(),
            "{path}: {} of {}",
            packed.body.len(),
            plain.body.len()
        );
        // A text with an age is a different one a moment later.
        let lasts = !["/", "/api/v1/snapshot"].contains(&path);
        assert!(if lasts { packed.text() == plain.text() } else { packed.text().contains("web1") }, "{path}");
        for sent in [&packed, &plain] {
            assert_eq!(sent.header(header::VARY), "accept-encoding", "{path}");
            assert!(!sent.header(header::CACHE_CONTROL).is_empty(), "{path}");
            assert!(sent.header(header::CONTENT_SECURITY_POLICY).starts_with("default-src 'none'"), "{path}");
        }
        for refused in ["gzip;q=0", "", "br", "x-gzip", "*;q=0"] {
            let sent = get(&site, path, refused).await;
            assert!(!sent.packed() && sent.status == plain.status, "{path} {refused}");
        }
        // A HEAD request gets the same headers, and above all not the length of another body.
        for (accepts, whole) in [("gzip", &packed), ("identity", &plain)] {
            let head = answer(&site, request(&site, "HEAD", path, accepts, None)).await;
            assert!(head.packed() == whole.packed() && head.body.is_empty(), "{path}");
            let length: Option<usize> = head.header(header::CONTENT_LENGTH).parse().ok();
            assert!(length.is_some_and(|length| !lasts || length == whole.body.len()), "{path}: {length:?}");
        }
    }
}

#[tokio::test]
async fn a_table_is_packed_and_what_is_small_is_not() {
    let site = site().await;
    let small = get(&site, "/api/v1/visitors.csv", "gzip").await;
    assert!(small.status == StatusCode::OK && !small.packed() && small.text().starts_with("address,"));
    for name in 0..40 {
        let name = TokenName(format!("token-with-a-name-{name}"));
        site.app.store.create_token(&name, None).unwrap().expect("a token");
    }
    assert!(get(&site, "/api/v1/tokens", "gzip").await.packed());
    let mut tally = Tally::default();
    for n in 1..200 {
        let line = format!("cordee3 key 7 {n} 192.0.2.{n} 200 web1 3 76 474554 2F - - - - -");
        tally.take(&log::parse(line.as_bytes(), "key"), false);
    }
    site.app.store.visitors().keep(&tally, Mark::default()).expect("a list");
    let table = get(&site, "/api/v1/visitors.csv", "gzip").await;
    assert!(table.packed() && table.text().contains("192.0.2.199,"), "{:?}", table.headers);
    let refusal = get(&site, "/api/v1/nothing", "gzip").await;
    assert!(refusal.status == StatusCode::NOT_FOUND && !refusal.packed());
}

/// The page's stream is compressed message by message, the API's not at all: neither is delayed.
#[tokio::test]
async fn the_first_event_of_a_stream_waits_for_nothing() {
    let site = site().await;
    let live = format!("/live?v={}", crate::web::assets::version());
    for (path, accepts, packed) in
        [(&*live, "gzip", true), (&*live, "gzip;q=0", false), ("/api/v1/events", "gzip", false)]
    {
        let sent = router(site.app.clone()).oneshot(request(&site, "GET", path, accepts, None)).await;
        let (head, mut body) = sent.expect("an answer").into_parts();
        assert_eq!(head.headers.get(header::CONTENT_TYPE).expect("a kind"), "text/event-stream", "{path}");
        assert_eq!(head.headers.contains_key(header::CONTENT_ENCODING), packed, "{path} {accepts}");
        let first = tokio::time::timeout(std::time::Duration::from_secs(1), body.frame()).await;
        let first = first.expect("at once").expect("a message").expect("whole").into_data().expect("octets");
        let mut text = Vec::new();
        if packed {
            let mut unpacker = flate2::write::GzDecoder::new(&mut text);
            std::io::Write::write_all(&mut unpacker, &first).expect("gzip");
            std::io::Write::flush(&mut unpacker).expect("gzip");
            drop(unpacker);
        } else {
            text.extend_from_slice(&first);
        }
        let text = String::from_utf8(text).expect("text");
        assert!(text.contains("event: snapshot") && text.ends_with("\n\n"), "{path} {accepts}: {text}");
    }
}

/// Over a real connection: no length of a body that is not sent, and nothing after the headers.
#[tokio::test]
async fn a_head_alone_ends_where_it_should() {
    let site = site().await;
    let mut stream = TcpStream::connect(site.address).await.expect("a connection");
    let head = |path: &str| {
        format!("HEAD {path} HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\nCookie: {}\r\n\r\n", site.cookie)
    };
    // Two requests on one connection: a body after the first headers would be taken for the second answer.
    let both = format!("{}{}", head("/"), head("/aide").replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"));
    stream.write_all(both.as_bytes()).await.expect("sent");
    let mut all = String::new();
    tokio::io::AsyncReadExt::read_to_string(&mut stream, &mut all).await.expect("text");
    assert_eq!(all.matches("HTTP/1.1 200").count(), 2, "{all}");
    assert_eq!(all.matches("content-encoding: gzip").count(), 2, "{all}");
    assert!(all.ends_with("\r\n\r\n"), "{all}");
}

/// The page that shows a new token, its counterpart on the command line's socket, and everything else that is
/// confidential.
#[tokio::test]
async fn what_holds_a_secret_goes_as_it_is() {
    let mut site = site().await;
    let none = tokio::sync::mpsc::channel(1).1;
    let _compared = engine(std::mem::replace(&mut site.asks, none), true);
    let form = format!("name=backup&days=9&password=long+enough&proof={PROOF}");
    let token = post(&site, "/account/tokens", &form).await;
    assert!(
        token.status == StatusCode::OK && token.text().contains("class=\"secret\">cordee_"),
        "{}",
        token.text()
    );
    assert!(!token.packed() && token.body.len() > 2_000);
    let existing =
        format!("name=db3&address=127.0.0.1&port=13399&user=ana&password=a%20%22rope%22&proof={PROOF}");
    let word = post(&site, "/pools/db/servers/existing", &existing).await;
    assert!(word.text().contains("name=\"word\"") && !word.packed(), "{}", word.text());
    for (method, path, body) in [
        ("POST", "/local/tokens", Some("{\"name\":\"ci\"}")),
        ("GET", "/local/dsn", None),
        ("GET", "/local/setup-code", None),
        ("GET", "/local/start", None),
        ("POST", "/local/password", Some("{\"new\":\"another one\",\"forgotten\":true}")),
    ] {
        let mut request = request(&site, method, path, "gzip", body);
        request.extensions_mut().insert(Local);
        request.headers_mut().insert(header::CONTENT_TYPE, "application/json".parse().expect("a kind"));
        let marked = router(site.app.clone()).oneshot(request).await.expect("an answer");
        assert!(marked.status().is_success(), "{path}: {}", marked.status());
        assert!(marked.extensions().get::<Unpacked>().is_some(), "{path}");
        assert!(!marked.headers().contains_key(header::CONTENT_ENCODING), "{path}");
    }
}

/// Each answer is marked where it is made, whatever layers are in front of it.
#[tokio::test]
async fn secrets_and_the_words_of_strangers_are_marked_where_they_are_made() {
    let mut site = site().await;
    detailed(std::mem::replace(&mut site.asks, tokio::sync::mpsc::channel(1).1), Ok(Answers::default()));
    let bare = pages::router().with_state(site.app.clone());
    let token = "name=backup&days=9&password=long+enough";
    for (method, path, form) in [
        ("POST", "/account/tokens", Some(token)),
        ("GET", "/pools/web/servers/web1/logs", None),
        ("GET", "/pools/db/servers/db2/logs", None),
        ("GET", "/pools/db/servers/db2", None),
    ] {
        let made = bare.clone().oneshot(request(&site, method, path, "gzip", form)).await.expect("an answer");
        assert!(made.status() == StatusCode::OK && made.extensions().get::<Unpacked>().is_some(), "{path}");
    }
    let mut tail = request(&site, "GET", "/pools/web/servers/web1/logs?after=0", "gzip", None);
    tail.headers_mut().insert(header::ACCEPT, "application/json".parse().expect("a kind"));
    let tail = bare.clone().oneshot(tail).await.expect("an answer");
    assert!(tail.status() == StatusCode::OK && tail.extensions().get::<Unpacked>().is_some());
    let plain =
        bare.oneshot(request(&site, "GET", "/account/tokens", "gzip", None)).await.expect("an answer");
    assert!(plain.extensions().get::<Unpacked>().is_none(), "the list holds names only");
    for path in ["/api/v1/pools/web/servers/web1/logs", "/api/v1/pools/web/servers/web1/requests"] {
        let made = router(site.app.clone()).oneshot(request(&site, "GET", path, "gzip", None)).await;
        let made = made.expect("an answer");
        assert!(made.status() == StatusCode::OK && made.extensions().get::<Unpacked>().is_some(), "{path}");
    }
}

/// The code that somebody typed is in the form that is shown again.
#[tokio::test]
async fn the_setup_code_goes_as_it_is() {
    let (app, asks) = super::fixture::app(super::fixture::snapshot());
    let site = Site { address: super::listen(&app).await, app, cookie: "x=y".to_owned(), asks };
    let bare = pages::router().with_state(site.app.clone());
    let form = request(&site, "POST", "/setup", "gzip", Some("code=krab-7q2m&name=ana&password=short"));
    let made = bare.oneshot(form).await.expect("an answer");
    assert!(
        made.status() == StatusCode::UNPROCESSABLE_ENTITY && made.extensions().get::<Unpacked>().is_some()
    );
    let page = post(&site, "/setup", "code=krab-7q2m&name=ana&password=short").await;
    assert!(page.text().contains("krab-7q2m") && !page.packed());
    assert!(get(&site, "/setup", "gzip").await.packed(), "the empty form");
}

/// Whatever is typed may be in the answer: no answer to a form is compressed, not even to a form that is added
/// later.
#[tokio::test]
async fn no_answer_to_a_form_is_packed() {
    let mut site = site().await;
    // There is no engine, so no request waits for one.
    site.asks.close();
    let mut large = 0;
    // A client that is signed out gets no page.
    for path in forms().iter().filter(|path| *path != "/logout") {
        for form in ["name=1&confirm=x".to_owned(), format!("name=1&confirm=x&proof={PROOF}")] {
            let sent = post(&site, path, &form).await;
            assert!(!sent.packed(), "{path}");
            large +=
                usize::from(sent.body.len() > 2_000 && sent.header(header::CONTENT_TYPE).contains("html"));
        }
    }
    assert!(large > 30, "{large} would have been worth it");
}
