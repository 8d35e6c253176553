//! Servers that are not the product's: a good one, a silent one, a closed door.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::net::{AddressFamily, SocketType, bind, getsockname, listen, socket};

/// How it treats those who connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// Answers 200 with this name in `X-Server`.
    Good(&'static str),
    /// Answers 200 with the request as it came.
    Echo,
    /// Answers 500.
    Broken,
    /// Accepts and never says a word.
    Silent,
}

/// The values of a header, one for each line of it, in what an [`Manner::Echo`] answered.
pub fn header_lines(echoed: &str, name: &str) -> Vec<String> {
    let lines = echoed.lines().filter_map(|line| line.split_once(':'));
    lines.filter(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.trim().to_owned()).collect()
}

/// A small server of the test's own, stopped when dropped.
#[derive(Debug)]
pub struct Stranger {
    at: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    manner: Manner,
    stop: AtomicBool,
    visitors: AtomicU64,
    first: OnceLock<Instant>,
}

impl Stranger {
    /// Listens on a port that the kernel chooses.
    pub fn new(manner: Manner) -> Self {
        Self::at("127.0.0.1:0", manner)
    }

    /// Listens there.
    pub fn at(address: &str, manner: Manner) -> Self {
        let listener = TcpListener::bind(address).expect("bind");
        let at = listener.local_addr().expect("address");
        let stop = AtomicBool::new(false);
        let shared = Arc::new(Shared { manner, stop, visitors: AtomicU64::new(0), first: OnceLock::new() });
        let thread = std::thread::spawn({
            let shared = Arc::clone(&shared);
            move || serve(&listener, &shared)
        });
        Self { at, shared, thread: Some(thread) }
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.at.port()
    }

    /// How many requests came that were no health check.
    pub fn visitors(&self) -> u64 {
        self.shared.visitors.load(Ordering::Relaxed)
    }

    /// When the first of them came.
    pub fn first_visit(&self) -> Option<Instant> {
        self.shared.first.get().copied()
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        // Wakes the thread that waits for a connection.
        let _ = TcpStream::connect(self.at);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// A door behind which packets vanish, as behind a firewall that drops them: its queue is full, and nobody takes from
/// it.
#[derive(Debug)]
pub struct Swallows {
    at: SocketAddr,
    _door: OwnedFd,
    _queue: Vec<TcpStream>,
}

impl Swallows {
    /// Listens on a port that the kernel chooses.
    #[track_caller]
    pub fn listen() -> Self {
        let door = socket(AddressFamily::INET, SocketType::STREAM, None).expect("a socket");
        bind(&door, &SocketAddr::from(([127, 0, 0, 1], 0))).expect("a port");
        listen(&door, 0).expect("it listens");
        let at = getsockname(&door).expect("its address");
        let at = SocketAddr::try_from(at).expect("an address of the internet");
        let wait = Duration::from_millis(300);
        // Until the kernel answers no more.
        let queue: Vec<TcpStream> =
            std::iter::from_fn(|| TcpStream::connect_timeout(&at, wait).ok()).take(16).collect();
        assert!(queue.len() < 16, "its queue has no end");
        Self { at, _door: door, _queue: queue }
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.at.port()
    }
}

/// A port on which nothing listens: it was free a moment ago and is in nobody's range.
pub fn closed_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").expect("bind").local_addr().expect("address").port()
}

fn serve(listener: &TcpListener, shared: &Arc<Shared>) {
    for stream in listener.incoming() {
        if shared.stop.load(Ordering::Relaxed) {
            return;
        }
        let Ok(stream) = stream else { continue };
        let shared = Arc::clone(shared);
        std::thread::spawn(move || converse(stream, &shared));
    }
}

/// Reads requests without a body until the other side goes away.
fn converse(mut stream: TcpStream, shared: &Shared) {
    let _ = stream.set_nodelay(true);
    let _ = stream.set_read_timeout(Some(Duration::from_millis(100)));
    let mut text = Vec::new();
    let mut buffer = [0; 4096];
    while !shared.stop.load(Ordering::Relaxed) {
        match stream.read(&mut buffer) {
            Ok(0) => return,
            Ok(n) => text.extend_from_slice(&buffer[..n]),
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => continue,
            Err(_) => return,
        }
        while let Some(end) = text.windows(4).position(|w| w == b"\r\n\r\n") {
            let request: Vec<u8> = text.drain(..end + 4).collect();
            if !answer(&mut stream, &request, shared) {
                return;
            }
        }
    }
}

/// Counts one request and answers it; `false` when nobody listens any more.
fn answer(stream: &mut TcpStream, request: &[u8], shared: &Shared) -> bool {
    if !is_check(request) {
        let _ = shared.first.get_or_init(Instant::now);
        shared.visitors.fetch_add(1, Ordering::Relaxed);
    }
    let (status, name, body) = match shared.manner {
        Manner::Good(name) => ("200 OK", name, &b"ok"[..]),
        Manner::Echo => ("200 OK", "echo", request),
        Manner::Broken => ("500 Internal Server Error", "broken", &b"no"[..]),
        Manner::Silent => return true,
    };
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\nX-Server: {name}\r\nContent-Length: {length}\r\n\r\n");
    stream.write_all(&[head.as_bytes(), body].concat()).is_ok()
}

/// HAProxy's checks carry no address of a visitor.
fn is_check(request: &[u8]) -> bool {
    !String::from_utf8_lossy(request).to_ascii_lowercase().contains("x-forwarded-for:")
}
