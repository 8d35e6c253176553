//! A HAProxy's own socket: what an operator with a shell would send there, and how much Cordée asks.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::cluster::Cluster;

/// The path of the socket, as the file says it.
#[track_caller]
pub fn socket(cluster: &Cluster, proxy: &str) -> String {
    let text = cluster.conf(proxy);
    let line = text.lines().find_map(|l| l.trim().strip_prefix("stats socket ")).expect("a socket");
    line.split(' ').next().expect("a path").to_owned()
}

/// One command at the socket, and the whole answer.
#[track_caller]
pub fn command(cluster: &Cluster, proxy: &str, line: &str) -> String {
    ask(&socket(cluster, proxy), line).expect("the socket")
}

/// The same where the path is known.
pub fn ask(socket: &str, line: &str) -> std::io::Result<String> {
    let mut stream = UnixStream::connect(socket)?;
    stream.write_all(format!("{line}\n").as_bytes())?;
    stream.shutdown(Shutdown::Write)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

/// Stands between a HAProxy's socket and whoever asks there, and counts the commands. The socket is as before when this
/// is dropped.
#[derive(Debug)]
pub struct Meter {
    place: PathBuf,
    aside: PathBuf,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    commands: AtomicUsize,
    over: AtomicBool,
}

impl Meter {
    /// Takes the socket's place.
    #[track_caller]
    pub fn before(cluster: &Cluster, proxy: &str) -> Self {
        let place = PathBuf::from(socket(cluster, proxy));
        let aside = place.with_extension("e2e");
        std::fs::rename(&place, &aside).expect("the socket is moved aside");
        let listener = UnixListener::bind(&place).expect("its place is taken");
        let shared = Arc::new(Shared::default());
        let thread = std::thread::spawn({
            let (shared, aside) = (Arc::clone(&shared), aside.clone());
            move || serve(&listener, &aside, &shared)
        });
        Self { place, aside, shared, thread: Some(thread) }
    }

    /// How many commands came within that time from now on.
    pub fn count(&self, during: Duration) -> usize {
        let before = self.shared.commands.load(Ordering::Relaxed);
        std::thread::sleep(during);
        self.shared.commands.load(Ordering::Relaxed) - before
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Relaxed);
        // Wakes the thread that waits for a connection.
        let _ = UnixStream::connect(&self.place);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        // In one step: nobody finds the place empty.
        let _ = std::fs::rename(&self.aside, &self.place);
    }
}

fn serve(listener: &UnixListener, aside: &Path, shared: &Arc<Shared>) {
    for stream in listener.incoming() {
        if shared.over.load(Ordering::Relaxed) {
            return;
        }
        let (Ok(stream), Ok(to)) = (stream, UnixStream::connect(aside)) else { continue };
        let shared = Arc::clone(shared);
        std::thread::spawn(move || pass_on(&stream, &to, &shared));
    }
}

/// One conversation: who asks says everything first, and then only listens.
fn pass_on(mut from: &UnixStream, mut to: &UnixStream, shared: &Shared) {
    let mut asked = Vec::new();
    let _ = from.read_to_end(&mut asked);
    let many = asked.iter().filter(|octet| matches!(octet, b';' | b'\n')).count();
    shared.commands.fetch_add(many, Ordering::Relaxed);
    let _ = to.write_all(&asked);
    let _ = to.shutdown(Shutdown::Write);
    let _ = std::io::copy(&mut to, &mut from);
}
