//! Servers that are not the product's: a good one, a silent one, a closed door.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// How it treats those who connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// Answers 200 with this name in `X-Server`.
    Good(&'static str),
    /// Accepts and never says a word.
    Silent,
}

/// A small server of the test's own, stopped when dropped.
#[derive(Debug)]
pub struct Stranger {
    at: SocketAddr,
    stop: Arc<AtomicBool>,
    visitors: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

impl Stranger {
    /// Listens on a port that the kernel chooses.
    pub fn new(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("bind");
        Self::on(listener, manner)
    }

    fn on(listener: TcpListener, manner: Manner) -> Self {
        let at = listener.local_addr().expect("address");
        listener.set_nonblocking(true).expect("nonblocking");
        let stop = Arc::new(AtomicBool::new(false));
        let visitors = Arc::new(AtomicU64::new(0));
        let thread = {
            let (stop, visitors) = (Arc::clone(&stop), Arc::clone(&visitors));
            std::thread::spawn(move || serve(&listener, manner, &stop, &visitors))
        };
        Self { at, stop, visitors, thread: Some(thread) }
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.at.port()
    }

    /// How many requests came that were no health check.
    pub fn visitors(&self) -> u64 {
        self.visitors.load(Ordering::Relaxed)
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// A port on which nothing listens: it was free a moment ago and is in nobody's range.
pub fn closed_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").expect("bind").local_addr().expect("address").port()
}

fn serve(listener: &TcpListener, manner: Manner, stop: &Arc<AtomicBool>, visitors: &Arc<AtomicU64>) {
    while !stop.load(Ordering::Relaxed) {
        match listener.accept() {
            Ok((stream, _)) => {
                let (stop, visitors) = (Arc::clone(stop), Arc::clone(visitors));
                std::thread::spawn(move || converse(stream, manner, &stop, &visitors));
            }
            Err(_) => std::thread::sleep(Duration::from_millis(2)),
        }
    }
}

/// Reads requests without a body until the other side goes away.
fn converse(mut stream: TcpStream, manner: Manner, stop: &AtomicBool, visitors: &AtomicU64) {
    let _ = stream.set_nonblocking(false);
    let _ = stream.set_nodelay(true);
    let _ = stream.set_read_timeout(Some(Duration::from_millis(100)));
    let mut text = Vec::new();
    let mut buffer = [0; 4096];
    while !stop.load(Ordering::Relaxed) {
        match stream.read(&mut buffer) {
            Ok(0) => return,
            Ok(n) => text.extend_from_slice(&buffer[..n]),
            Err(e) if matches!(e.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) => continue,
            Err(_) => return,
        }
        while let Some(end) = text.windows(4).position(|w| w == b"\r\n\r\n") {
            let request: Vec<u8> = text.drain(..end + 4).collect();
            if !is_check(&request) {
                visitors.fetch_add(1, Ordering::Relaxed);
            }
            let Manner::Good(name) = manner else { continue };
            let answer = format!("HTTP/1.1 200 OK\r\nX-Server: {name}\r\nContent-Length: 2\r\n\r\nok");
            if stream.write_all(answer.as_bytes()).is_err() {
                return;
            }
        }
    }
}

/// HAProxy's checks carry no address of a visitor.
fn is_check(request: &[u8]) -> bool {
    !String::from_utf8_lossy(request).to_ascii_lowercase().contains("x-forwarded-for:")
}
