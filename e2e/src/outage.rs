//! Everything dies at once, or Cordée alone; and what stands in the way of those who come back.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::cluster::Cluster;
use crate::ports::local;
use crate::procs;
use crate::wait;

/// The kernel has ended what was killed by then.
const DEAD: Duration = Duration::from_secs(5);

impl Cluster {
    /// Kills Cordée and leaves what it started: the keeper first, or `cordee serve` would be back.
    #[track_caller]
    pub fn kill_cordee(&self) {
        let serve = self.serve().expect("cordee serve listens for the page");
        let keeper = self.processes().into_iter().find(|p| p.pid == serve.parent);
        for process in [keeper.expect("serve's parent keeps it"), serve] {
            self.signal(process.pid, Signal::KILL);
            wait::until_true(&format!("{} is dead", process.title()), DEAD, || !process.lives());
        }
    }

    /// Kills every process of this cluster.
    #[track_caller]
    pub fn kill_all(&self) {
        self.kill_cordee();
        wait::until("every process of the cluster is dead", DEAD, || {
            let left = self.processes();
            for process in &left {
                procs::end(process, Signal::KILL);
            }
            if left.is_empty() { Ok(()) } else { Err(left) }
        });
    }
}

/// A port that is taken: no database can start on it, and whoever connects to it is sent away without a word, so
/// that no check takes it for a database.
#[derive(Debug)]
pub struct Obstacle {
    stop: Arc<AtomicBool>,
    held: Arc<AtomicBool>,
    port: u16,
    thread: Option<JoinHandle<()>>,
}

impl Obstacle {
    /// Takes the port the moment it is free. A database needs tens of milliseconds from its start until it
    /// listens, this one needs microseconds from the end of the former.
    pub fn lurk(port: u16) -> Self {
        let (stop, held) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let thread = std::thread::spawn({
            let (stop, held) = (Arc::clone(&stop), Arc::clone(&held));
            move || take(port, &stop, &held)
        });
        Self { stop, held, port, thread: Some(thread) }
    }

    /// Takes a port that is free.
    #[track_caller]
    pub fn take(port: u16) -> Self {
        let obstacle = Self::lurk(port);
        obstacle.wait_until_held();
        obstacle
    }

    /// Waits until the port is taken.
    #[track_caller]
    pub fn wait_until_held(&self) {
        let what = format!("the test holds port {}", self.port);
        wait::until_true(&what, DEAD, || self.held.load(Ordering::Relaxed));
    }

    /// Lets the port go.
    pub fn release(self) {
        drop(self);
    }
}

impl Drop for Obstacle {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn take(port: u16, stop: &AtomicBool, held: &AtomicBool) {
    // Longer than any case; whoever forgets to stop it does not keep a core busy for ever.
    let until = Instant::now() + Duration::from_secs(120);
    let mut listener = None;
    while !stop.load(Ordering::Relaxed) {
        match &listener {
            None if Instant::now() > until => return,
            None => {
                listener = TcpListener::bind(local(port)).ok().filter(|l| l.set_nonblocking(true).is_ok());
                held.store(listener.is_some(), Ordering::Relaxed);
                std::thread::sleep(Duration::from_micros(200));
            }
            Some(taken) => {
                drop(taken.accept());
                std::thread::sleep(Duration::from_millis(1));
            }
        }
    }
}
