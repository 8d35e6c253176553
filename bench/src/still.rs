//! A page that stands still: what another page looks like, from files, without its script.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use cordee_e2e::http::Client;

/// What the page looks like.
const LOOKS: [(&str, &str); 3] =
    [("cordee.css", "text/css"), ("icons.svg", "image/svg+xml"), ("logo.svg", "image/svg+xml")];
/// A browser also opens connections on which it asks for nothing.
const SILENT: Duration = Duration::from_secs(5);

type Files = BTreeMap<String, (&'static str, Vec<u8>)>;

/// It is served until this is dropped.
#[derive(Debug)]
pub struct Still {
    at: SocketAddr,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Still {
    /// Takes a likeness of the page that somebody sees at `/`.
    pub fn of(client: &mut Client) -> Self {
        let mut get = |path: &str| {
            let answer = client.get(path).unwrap_or_else(|e| panic!("{path}: {e}"));
            assert_eq!(answer.status, 200, "{path}");
            answer
        };
        let html = get("/").text();
        let (before, rest) = html.split_once("<script").expect("a script");
        let (_, after) = rest.split_once("</script>").expect("its end");
        let (_, root) = rest.split_once("/assets/").expect("its address");
        let (version, _) = root.split_once('/').expect("a version");
        let mut files =
            Files::from([("/".to_owned(), ("text/html", format!("{before}{after}").into_bytes()))]);
        for (name, kind) in LOOKS {
            let path = format!("/assets/{version}/{name}");
            let body = get(&path).body;
            files.insert(path, (kind, body));
        }
        Self::serve(files)
    }

    fn serve(files: Files) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let at = listener.local_addr().expect("an address");
        let (files, stop) = (Arc::new(files), Arc::new(AtomicBool::new(false)));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if stopped.load(Ordering::Relaxed) {
                    return;
                }
                let files = Arc::clone(&files);
                std::thread::spawn(move || answer(&stream, &files));
            }
        });
        Self { at, stop, thread: Some(thread) }
    }

    /// Its whole address.
    pub fn address(&self) -> String {
        format!("http://{}/", self.at)
    }
}

impl Drop for Still {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // Wakes the thread that waits for a connection.
        let _ = TcpStream::connect(self.at);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// One answer to a connection.
fn answer(mut stream: &TcpStream, files: &Files) {
    let _ = stream.set_read_timeout(Some(SILENT));
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    let Some(first) = lines.next() else { return };
    // The rest of the head.
    let _ = lines.find(String::is_empty);
    let path = first.split(' ').nth(1).unwrap_or_default();
    let (status, kind, body) = match files.get(path) {
        Some((kind, body)) => ("200 OK", *kind, body.as_slice()),
        None => ("404 Not Found", "text/plain", &b""[..]),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}; charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    let _ = stream.write_all(&[head.as_bytes(), body].concat());
}
