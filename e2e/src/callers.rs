//! An application that opens a new connection every 10 ms and has no retry of its own, and the moment at which those to
//! the former writer are cut.

use std::io::Read as _;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use mysql::prelude::Queryable as _;

use crate::db::Dsn;
use crate::writers::{connect, kind};

/// Between two connections.
const PACE: Duration = Duration::from_millis(10);
/// Goes on for so long before and after.
const AROUND: Duration = Duration::from_millis(300);
/// For the first bytes of a database that is well.
const GREETED: Duration = Duration::from_secs(5);
/// A connection that stays is cut within this time after a change was asked for, or a process killed.
const CUT: Duration = Duration::from_secs(15);

/// One connection: opened, one question, closed.
#[derive(Clone, Debug)]
pub struct Call {
    /// When it was begun.
    pub begun: Instant,
    /// How long it took.
    pub took: Duration,
    /// The `server_id` of the database that answered, or what went wrong.
    pub outcome: Result<u32, String>,
}

/// What became of the calls around one change of writer.
#[derive(Debug)]
pub struct Around {
    /// When a connection that had been there all the time was cut.
    pub cut: Instant,
    /// All of them.
    pub calls: Vec<Call>,
}

impl Around {
    /// Those that were begun after the former writer's connections were cut.
    pub fn after(&self) -> impl Iterator<Item = &Call> {
        self.calls.iter().filter(|call| call.begun > self.cut)
    }

    /// The longest of those.
    pub fn longest(&self) -> Duration {
        self.after().map(|call| call.took).max().unwrap_or_default()
    }

    /// Those of them that were not answered, but for what HAProxy may still have led to the former writer: it ends
    /// those when it takes that one out, so long after the cut at most.
    pub fn failed_after(&self, taken_out: Duration) -> Vec<&Call> {
        self.failed().into_iter().filter(|call| call.begun > self.cut + taken_out).collect()
    }

    /// Those of them that were not answered.
    pub fn failed(&self) -> Vec<&Call> {
        self.after().filter(|call| call.outcome.is_err()).collect()
    }
}

/// Calls all the time while `change` has another writer made; `done` returns once that one is there.
#[track_caller]
pub fn around(dsn: &Dsn, to: SocketAddr, change: impl FnOnce(), done: impl FnOnce()) -> Around {
    let stays = stay(to);
    let stop = Arc::new(AtomicBool::new(false));
    let calls = {
        let (stop, dsn) = (Arc::clone(&stop), dsn.clone());
        std::thread::spawn(move || {
            let mut all: Vec<JoinHandle<Call>> = Vec::new();
            while !stop.load(Ordering::Relaxed) {
                let dsn = dsn.clone();
                all.push(std::thread::spawn(move || call(&dsn, to)));
                std::thread::sleep(PACE);
            }
            all.into_iter().map(|call| call.join().expect("a call")).collect()
        })
    };
    std::thread::sleep(AROUND);
    change();
    let cut = stays.join().expect("the connection that stays");
    done();
    std::thread::sleep(AROUND);
    stop.store(true, Ordering::Relaxed);
    Around { cut, calls: calls.join().expect("the calls") }
}

/// A connection that was greeted, and says nothing: when it ended. It is waited for until it was greeted.
#[track_caller]
fn stay(to: SocketAddr) -> JoinHandle<Instant> {
    let mut stream = TcpStream::connect(to).expect("a connection");
    stream.set_read_timeout(Some(GREETED)).expect("a limit");
    let mut bytes = [0; 512];
    assert!(stream.read(&mut bytes).expect("a greeting") > 0, "closed without a greeting");
    stream.set_read_timeout(Some(CUT)).expect("a limit");
    std::thread::spawn(move || {
        loop {
            match stream.read(&mut bytes) {
                Err(error) if matches!(error.kind(), std::io::ErrorKind::WouldBlock) => {
                    panic!("not cut within {CUT:?}")
                }
                Ok(0) | Err(_) => return Instant::now(),
                Ok(_) => {}
            }
        }
    })
}

fn call(dsn: &Dsn, to: SocketAddr) -> Call {
    let begun = Instant::now();
    let outcome = connect(dsn, to).and_then(|mut open| open.query_first("SELECT @@server_id"));
    let outcome = match outcome {
        Ok(Some(id)) => Ok(id),
        Ok(None) => Err("no row".to_owned()),
        Err(error) => Err(kind(&error)),
    };
    Call { begun, took: begun.elapsed(), outcome }
}
