//! Connections that send nothing, too much or something wrong, and what becomes of them.

use std::time::Instant;

use axum::Extension;
use axum::response::sse::{Event, Sse};
use std::net::SocketAddr;

use axum::routing::{get, post};
use futures_util::stream;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use super::*;

fn router() -> Router {
    let silent = stream::pending::<Result<Event, Infallible>>;
    Router::new()
        .route("/", get(|Extension(Peer(ip)): Extension<Peer>| async move { ip.to_string() }))
        .route("/stream", get(move || async move { Sse::new(silent()) }))
}

/// Returns a connection with a short time limit, on which `request` was sent.
async fn sent(request: &str) -> (DuplexStream, watch::Sender<bool>, JoinHandle<()>) {
    let (mut client, server) = tokio::io::duplex(4096);
    let (stop, stopped) = watch::channel(false);
    let app = TowerToHyperService::new(router());
    let from = Peer(IpAddr::from([127, 0, 0, 1]));
    let line = Arc::new(Line::new(Arc::default()));
    let task = tokio::spawn(connection(server, from, app, stopped, Duration::from_millis(100), line));
    client.write_all(request.as_bytes()).await.unwrap();
    (client, stop, task)
}

#[tokio::test]
async fn a_head_that_never_ends_is_cut_off() {
    let (_client, _stop, task) = sent("GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ").await;
    timeout(Duration::from_secs(5), task).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_stream_outlives_the_deadline_but_not_the_stop() {
    let (_client, stop, task) = sent("GET /stream HTTP/1.1\r\nHost: a\r\n\r\n").await;
    sleep(Duration::from_millis(400)).await;
    assert!(!task.is_finished());
    let before = Instant::now();
    stop.send_replace(true);
    task.await.unwrap();
    assert!(before.elapsed() < LAST_WORDS * 3);
}

#[tokio::test]
async fn a_request_knows_where_it_comes_from_and_stopping_lets_go_of_the_port() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = watch::channel(false);
    let server = tokio::spawn(tcp(listener, router(), stopped));
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    assert!(answer.ends_with("127.0.0.1"), "{answer}");
    stop.send_replace(true);
    server.await.unwrap();
    assert!(TcpStream::connect(address).await.is_err());
}

const ASK: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

/// Returns a listener with room for few connections, and its address.
async fn small(most: usize) -> (SocketAddr, watch::Sender<bool>, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = watch::channel(false);
    let app = router().route("/form", post(|body: String| async move { body }));
    (address, stop, tokio::spawn(tcp_with(listener, Open::new(app, stopped, most))))
}

async fn answered(address: SocketAddr) -> String {
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(ASK).await.unwrap();
    let mut answer = String::new();
    let read = timeout(Duration::from_secs(5), client.read_to_string(&mut answer)).await;
    assert!(read.is_ok(), "no answer within 5 s");
    answer
}

#[tokio::test]
async fn whoever_only_holds_connections_keeps_nobody_out() {
    let (address, _stop, _server) = small(8).await;
    // Nothing; half a head; a complete head without its body.
    let held: [&[u8]; 3] = [
        b"",
        b"GET / HTTP/1.1\r\nHost: a\r\n",
        b"POST /form HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n",
    ];
    for words in held {
        let mut idle = Vec::new();
        for _ in 0..40 {
            let mut client = TcpStream::connect(address).await.unwrap();
            // A write to a connection that was closed meanwhile fails.
            let _ = client.write_all(words).await;
            idle.push(client);
        }
        for _ in 0..20 {
            assert!(answered(address).await.ends_with("127.0.0.1"), "{}", String::from_utf8_lossy(words));
        }
    }
}

#[tokio::test]
async fn whoever_waits_for_an_answer_is_not_sent_away() {
    let (address, _stop, _server) = small(4).await;
    let mut streams = Vec::new();
    for _ in 0..3 {
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(b"GET /stream HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        let mut head = [0; 15];
        client.read_exact(&mut head).await.unwrap();
        assert_eq!(&head, b"HTTP/1.1 200 OK");
        streams.push(client);
    }
    let mut idle = Vec::new();
    for _ in 0..20 {
        idle.push(TcpStream::connect(address).await.unwrap());
        assert!(answered(address).await.ends_with("127.0.0.1"));
    }
    for mut stream in streams {
        let mut rest = Vec::new();
        // There is the rest of the head, and no end of the stream: the connection is open.
        let read = timeout(Duration::from_millis(100), stream.read_to_end(&mut rest)).await;
        assert!(read.is_err(), "a stream was closed: {}", String::from_utf8_lossy(&rest));
    }
}

/// The head is refused in any form: one header, many headers, or an address, at once or in pieces.
#[tokio::test]
async fn a_head_above_the_limit_is_refused_however_it_comes() {
    let (address, _stop, _server) = small(8).await;
    let one =
        |n: usize| format!("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX: {}\r\n\r\n", "x".repeat(n));
    let many = |n: usize| {
        let headers: Vec<_> = (0..n / 1_000).map(|i| format!("X-{i}: {}\r\n", "x".repeat(990))).collect();
        let headers = headers.concat();
        format!("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{headers}\r\n")
    };
    let long = |n: usize| {
        let (path, header) = ("x".repeat(n / 2), "x".repeat(n / 2));
        format!("GET /?{path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX: {header}\r\n\r\n")
    };
    for shape in [one as fn(usize) -> String, many, long] {
        for (size, piece, taken) in [
            (60_000, usize::MAX, true),
            (60_000, 5_000, true),
            (67_000, usize::MAX, false),
            (99_000, usize::MAX, false),
            (99_000, 5_000, false),
        ] {
            let mut client = TcpStream::connect(address).await.unwrap();
            let head = shape(size);
            for piece in head.as_bytes().chunks(piece.min(head.len())) {
                // The request may be refused before its end.
                if client.write_all(piece).await.is_err() {
                    break;
                }
            }
            let mut answer = Vec::new();
            let read = timeout(Duration::from_secs(5), client.read_to_end(&mut answer)).await;
            let answer = String::from_utf8_lossy(&answer).into_owned();
            assert!(read.is_ok(), "{size} octets: nothing within 5 s");
            let status = answer.split(' ').nth(1).unwrap_or("none").to_owned();
            // If much was left unread, the reset of the connection may overtake the answer.
            let as_expected = if taken { status == "200" } else { status == "431" || status == "none" };
            assert!(as_expected, "{size} octets in pieces of {piece}: {status}");
        }
    }
}
