//! Weighs what goes over the wire to a browser: a tunnel to the page that counts the octets of every answer, heads and
//! all.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// The tunnel. It takes connections until the test is over.
#[derive(Debug)]
pub struct Scale {
    address: SocketAddr,
    pan: Arc<Pan>,
}

/// What was put on it.
#[derive(Debug, Default)]
struct Pan {
    octets: AtomicU64,
    asked: Mutex<Vec<String>>,
}

impl Scale {
    /// In front of the page. A browser that comes through it has nothing of the page in its cache: it is another port.
    pub fn before(page: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let pan = Arc::new(Pan::default());
        let shared = pan.clone();
        std::thread::spawn(move || {
            for browser in listener.incoming().map_while(Result::ok) {
                let (to, pan) = (TcpStream::connect(page).expect("the page"), shared.clone());
                lead(browser, to, &pan);
            }
        });
        Self { address, pan }
    }

    /// Where the browser goes.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Octets of all answers so far, but of the stream of events, which goes on.
    pub fn octets(&self) -> u64 {
        self.pan.octets.load(Ordering::SeqCst)
    }

    /// What was asked for, each path as often as it was.
    pub fn asked(&self) -> Vec<String> {
        self.pan.asked.lock().expect("the list").clone()
    }
}

/// One connection. A browser asks for one thing after the other on it, so that what comes back is the answer to what
/// was asked last.
fn lead(browser: TcpStream, page: TcpStream, pan: &Arc<Pan>) {
    let (mut from, mut to) = (browser.try_clone().expect("a copy"), page.try_clone().expect("a copy"));
    let streams = Arc::new(AtomicBool::new(false));
    let (asked, streaming) = (pan.clone(), streams.clone());
    std::thread::spawn(move || {
        let _ = copy(&mut from, &mut to, |piece| {
            let line = String::from_utf8_lossy(piece);
            let path = line.strip_prefix("GET ").and_then(|rest| rest.split(' ').next());
            if let Some(path) = path {
                streaming.store(path.starts_with("/live"), Ordering::SeqCst);
                asked.asked.lock().expect("the list").push(path.to_owned());
            }
        });
    });
    let (pan, mut from, mut to) = (pan.clone(), page, browser);
    std::thread::spawn(move || {
        let _ = copy(&mut from, &mut to, |piece| {
            if !streams.load(Ordering::SeqCst) {
                pan.octets.fetch_add(u64::try_from(piece.len()).unwrap_or(u64::MAX), Ordering::SeqCst);
            }
        });
    });
}

/// Passes on what comes, each piece after it was looked at, until one side is done; then tells the other.
fn copy(from: &mut TcpStream, to: &mut TcpStream, mut look: impl FnMut(&[u8])) -> std::io::Result<()> {
    let mut piece = vec![0; 65_536];
    loop {
        let count = from.read(&mut piece)?;
        if count == 0 {
            return to.shutdown(std::net::Shutdown::Write);
        }
        look(&piece[..count]);
        to.write_all(&piece[..count])?;
    }
}
