//! The connection test against servers that are no databases: each is named as what it is, and gets nothing.

use cordee_domain::text::Text;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::*;

/// Returns a listener on loopback that handles its connections one after the other with `treat`, and what it
/// received.
async fn fake<F, W>(times: usize, treat: F) -> (SocketAddr, JoinHandle<Vec<u8>>)
where
    F: Fn(TcpStream) -> W + Send + 'static,
    W: Future<Output = Vec<u8>> + Send,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let task = tokio::spawn(async move {
        let mut all = Vec::new();
        for _ in 0..times {
            let (stream, _) = listener.accept().await.expect("a connection");
            all.extend(treat(stream).await);
        }
        all
    });
    (address, task)
}

/// Runs the test as far as it gets.
async fn tried(address: SocketAddr) -> Vec<TestStep> {
    let mut trial = Attempt::new();
    if let Some(stream) = trial.step(text!("test-tcp"), connect(address)).await {
        database(&mut trial, stream, address, "a password", true).await;
    }
    trial.steps
}

fn last(steps: &[TestStep]) -> (&str, bool, &Text) {
    let step = steps.last().expect("a step");
    (step.name.key.as_ref(), step.ok, &step.says)
}

fn packet(number: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![u8::try_from(body.len()).unwrap(), 0, 0, number];
    bytes.extend_from_slice(body);
    bytes
}

/// Returns MariaDB's greeting, with `mysql_native_password`.
fn greet() -> Vec<u8> {
    let mut body = vec![10];
    body.extend_from_slice(b"5.5.5-10.11.6-MariaDB\0");
    body.extend_from_slice(&7_u32.to_le_bytes());
    body.extend_from_slice(b"12345678\0");
    // Long password, connect with database, protocol 4.1, transactions, secure connection, plugins.
    let capabilities: u32 = 1 | 8 | 128 | 512 | 8_192 | 32_768 | (1 << 19);
    body.extend_from_slice(&capabilities.to_le_bytes()[..2]);
    body.push(45);
    body.extend_from_slice(&2_u16.to_le_bytes());
    body.extend_from_slice(&capabilities.to_le_bytes()[2..]);
    body.push(21);
    body.extend_from_slice(&[0; 10]);
    body.extend_from_slice(b"abcdefghijkl\0");
    body.extend_from_slice(b"mysql_native_password\0");
    packet(0, &body)
}

async fn one_packet(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut head = [0; 4];
    stream.read_exact(&mut head).await.ok()?;
    let length = usize::from(head[0]) | usize::from(head[1]) << 8;
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some(body)
}

/// Accepts any login, and answers the first query with a request for a file.
async fn thief(mut stream: TcpStream) -> Vec<u8> {
    let _ = stream.write_all(&greet()).await;
    // The first connection only reads the greeting.
    let Some(_) = one_packet(&mut stream).await else { return Vec::new() };
    let _ = stream.write_all(&packet(2, &[0, 0, 0, 2, 0, 0, 0])).await;
    let Some(_) = one_packet(&mut stream).await else { return Vec::new() };
    let _ = stream.write_all(&packet(1, b"\xFB/etc/passwd")).await;
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest).await;
    rest
}

#[tokio::test]
async fn a_server_that_wants_our_files_gets_nothing_and_is_named() {
    let (address, task) = fake(2, thief).await;
    let steps = tried(address).await;
    let (name, ok, says) = last(&steps);
    assert!(!ok && says.key == "test-fail-wants-file", "{name}: {says:?}");
    let sent = task.await.expect("what it got");
    let ours = std::fs::read("/etc/passwd").expect("the file it asked for");
    let line = &ours[..ours.iter().position(|b| *b == b'\n').expect("a line")];
    assert!(!sent.windows(line.len()).any(|part| part == line), "a line of the file was sent");
    assert!(sent.len() < 16, "nothing but the end of the connection: {sent:?}");
}

#[tokio::test]
async fn a_server_that_wants_the_password_in_clear_gets_nothing() {
    let (address, task) = fake(2, |mut stream| async move {
        let _ = stream.write_all(&greet()).await;
        let Some(_) = one_packet(&mut stream).await else { return Vec::new() };
        let _ = stream.write_all(&packet(2, b"\xFEmysql_clear_password\0")).await;
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest).await;
        rest
    })
    .await;
    let steps = tried(address).await;
    assert_eq!(last(&steps).2.key, "test-fail-wants-password");
    let sent = task.await.expect("what it got");
    assert!(!sent.windows(10).any(|part| part == b"a password"));
}

#[tokio::test]
async fn garbage_is_no_database() {
    for (says, key) in [
        (&b"\x16\x03\x01 not a database at all"[..], "test-fail-garbage"),
        (b"SSH-2.0-OpenSSH_9.2p1\r\n", "test-fail-garbage"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "test-fail-http"),
        (b"", "test-fail-closes"),
        (&[0xFF; 4_000], "test-fail-garbage"),
    ] {
        let (address, task) = fake(1, move |mut stream| async move {
            let _ = stream.write_all(says).await;
            Vec::new()
        })
        .await;
        let steps = tried(address).await;
        let (name, ok, text) = last(&steps);
        assert_eq!((name, ok, text.key.as_ref()), ("test-handshake", false, key));
        task.await.expect("the end");
    }
}

#[tokio::test]
async fn a_server_that_says_nothing_is_given_up() {
    let (address, task) = fake(1, |mut stream| async move {
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest).await;
        rest
    })
    .await;
    let steps = tried(address).await;
    assert_eq!(last(&steps).2.key, "test-fail-silent");
    assert_eq!(task.await.expect("what it got"), b"", "nothing was sent");
}

#[tokio::test]
async fn a_closed_port_is_refused() {
    let (address, task) = fake(0, |_| async { Vec::new() }).await;
    task.await.expect("the port is free again");
    let steps = tried(address).await;
    assert_eq!((steps.len(), last(&steps).2.key.as_ref()), (1, "test-fail-refused"));
}

#[tokio::test]
async fn refusals_have_sentences_of_their_own() {
    for (code, key) in [
        (1045_u16, "test-fail-password"),
        (1040, "test-fail-many"),
        (1044, "test-fail-right"),
        (3159, "test-fail-tls"),
        (1021, "test-fail-disk"),
        (1290, "test-fail-read-only"),
        (4242, "db-error"),
    ] {
        let (address, task) = fake(2, move |mut stream| async move {
            let _ = stream.write_all(&greet()).await;
            if one_packet(&mut stream).await.is_some() {
                let mut body = vec![0xFF];
                body.extend_from_slice(&code.to_le_bytes());
                body.extend_from_slice(b"#28000<script>");
                let _ = stream.write_all(&packet(2, &body)).await;
            }
            Vec::new()
        })
        .await;
        let steps = tried(address).await;
        let (name, _, text) = last(&steps);
        assert_eq!((name, text.key.as_ref()), ("test-sign-in", key));
        task.await.expect("the end");
    }
}

#[test]
fn the_account_may_neither_too_little_nor_too_much() {
    let judge = |grants: &[&str]| {
        let grants: Vec<String> = grants.iter().map(|g| (*g).to_owned()).collect();
        match judged(&grants) {
            Ok(((), says)) | Err(says) => says.key.into_owned(),
        }
    };
    let usage = "GRANT USAGE ON *.* TO `site_app`@`127.0.0.1` IDENTIFIED BY PASSWORD '*A0B'";
    let site = "GRANT SELECT, INSERT, UPDATE, DELETE ON `site`.* TO `site_app`@`127.0.0.1`";
    assert_eq!(judge(&[usage, site]), "test-rights-done");
    assert_eq!(judge(&[usage]), "test-fail-rights");
    assert_eq!(judge(&[usage, "GRANT SELECT ON `site`.* TO `x`@`y`"]), "test-fail-rights");
    assert_eq!(judge(&["GRANT ALL PRIVILEGES ON *.* TO `x`@`y` WITH GRANT OPTION"]), "test-fail-too-many");
    assert_eq!(judge(&["GRANT READ_ONLY ADMIN ON *.* TO `x`@`y`", site]), "test-fail-too-many");
    assert_eq!(judge(&["GRANT PROCESS ON *.* TO `x`@`y`", site]), "test-rights-more");
}

#[test]
fn releases_are_read_from_versions() {
    assert_eq!(release("10.11.6-MariaDB-log"), Some((10, 11)));
    assert!(release("10.4.30-MariaDB").is_some_and(|r| r < OLDEST));
    assert_eq!(release("MariaDB"), None);
}
