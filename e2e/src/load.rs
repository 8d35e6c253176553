//! Many visitors at once, for a bounded time and number of requests, each request counted with its outcome.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::http::Client;

/// What a visitor asks for.
#[derive(Clone, Debug)]
pub enum Ask {
    /// A page.
    Get(&'static str),
    /// The note form of the site, with a text that holds the request's number.
    Note(&'static str),
}

/// A load to be started.
#[derive(Clone, Debug)]
pub struct Load {
    to: SocketAddr,
    ask: Ask,
    clients: usize,
    cookie: Option<(&'static str, &'static str)>,
    think: Range<u64>,
    most: u64,
    time: Duration,
}

impl Load {
    /// `clients` visitors who ask again as soon as they were answered, each on one kept connection.
    pub fn new(to: SocketAddr, clients: usize, ask: Ask) -> Self {
        Self { to, ask, clients, cookie: None, think: 0..1, most: 200_000, time: Duration::from_secs(60) }
    }

    /// Each visitor sends this cookie.
    #[must_use]
    pub fn cookie(mut self, name: &'static str, value: &'static str) -> Self {
        self.cookie = Some((name, value));
        self
    }

    /// Each visitor waits so many milliseconds between two requests.
    #[must_use]
    pub fn think(mut self, milliseconds: Range<u64>) -> Self {
        self.think = milliseconds;
        self
    }

    /// Ends after so many requests in all.
    #[must_use]
    pub fn most(mut self, requests: u64) -> Self {
        self.most = requests;
        self
    }

    /// Ends after that time.
    #[must_use]
    pub fn time(mut self, time: Duration) -> Self {
        self.time = time;
        self
    }

    /// Starts it.
    pub fn start(self) -> Running {
        let shared = Arc::new(Shared {
            load: self,
            started: Instant::now(),
            stop: AtomicBool::new(false),
            next: AtomicU64::new(0),
        });
        let visitors = (0..shared.load.clients)
            .map(|n| {
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || visitor(&shared, n as u64))
            })
            .collect();
        Running { shared, visitors }
    }

    /// Runs it to its own end.
    pub fn run(self) -> Report {
        self.start().wait()
    }
}

#[derive(Debug)]
struct Shared {
    load: Load,
    started: Instant,
    stop: AtomicBool,
    next: AtomicU64,
}

/// A load that goes on until it is stopped or has reached its bounds.
#[derive(Debug)]
pub struct Running {
    shared: Arc<Shared>,
    visitors: Vec<JoinHandle<Vec<Hit>>>,
}

impl Running {
    /// How many requests have been sent.
    pub fn sent(&self) -> u64 {
        self.shared.next.load(Ordering::Relaxed)
    }

    /// Lets each visitor finish its request, and counts.
    pub fn stop(self) -> Report {
        assert!(
            self.shared.started.elapsed() < self.shared.load.time,
            "the load ended by itself before what it should have covered"
        );
        self.shared.stop.store(true, Ordering::Relaxed);
        self.wait()
    }

    fn wait(self) -> Report {
        let mut hits: Vec<Hit> =
            self.visitors.into_iter().flat_map(|v| v.join().expect("a visitor's thread")).collect();
        hits.sort_by_key(|h| h.at);
        Report { hits, elapsed: self.shared.started.elapsed() }
    }
}

fn visitor(shared: &Shared, number: u64) -> Vec<Hit> {
    let load = &shared.load;
    let mut client = Client::new(load.to);
    if let Some((name, value)) = load.cookie {
        client = client.cookie(name, value);
    }
    let mut dice = number.wrapping_add(1);
    let mut hits = Vec::new();
    while !shared.stop.load(Ordering::Relaxed) && shared.started.elapsed() < load.time {
        let request = shared.next.fetch_add(1, Ordering::Relaxed);
        if request >= load.most {
            break;
        }
        let hit = ask(&mut client, &load.ask, request, shared.started);
        // A refused connection comes back at once: without a pause one visitor would knock 20,000 times a second.
        let pause = if hit.failed() { load.think.start.max(5) } else { pause(&mut dice, &load.think) };
        hits.push(hit);
        if pause > 0 {
            std::thread::sleep(Duration::from_millis(pause));
        }
    }
    hits
}

/// The next number of a xorshift generator (Marsaglia 2003, the 13-7-17 triple), brought into the range: the
/// visitors must be out of step, nothing more.
fn pause(dice: &mut u64, range: &Range<u64>) -> u64 {
    *dice ^= *dice << 13;
    *dice ^= *dice >> 7;
    *dice ^= *dice << 17;
    range.start + *dice % (range.end - range.start).max(1)
}

fn ask(client: &mut Client, ask: &Ask, number: u64, started: Instant) -> Hit {
    let at = started.elapsed();
    let begun = Instant::now();
    let answer = match ask {
        Ask::Get(path) => client.get(path),
        Ask::Note(prefix) => client.post_form("/connexion", &[("message", &format!("{prefix} {number}"))]),
    };
    let outcome = match answer {
        Ok(answer) => Ok((answer.status, answer.server().to_owned())),
        Err(error) => Err(error.to_string()),
    };
    Hit { number, at, took: begun.elapsed(), outcome }
}

/// One request.
#[derive(Clone, Debug)]
pub struct Hit {
    /// Its number, counted over all visitors.
    pub number: u64,
    /// When it was sent, since the load began.
    pub at: Duration,
    /// How long it took.
    pub took: Duration,
    /// Status and the server that answered, or why there was no answer.
    pub outcome: Result<(u16, String), String>,
}

impl Hit {
    /// No answer, or one that is not 2xx or 3xx.
    pub fn failed(&self) -> bool {
        !matches!(&self.outcome, Ok((status, _)) if (200..400).contains(status))
    }
}

/// What became of a load.
#[derive(Clone, Debug)]
pub struct Report {
    /// Every request, in the order in which they were sent.
    pub hits: Vec<Hit>,
    /// From the first request to the last answer.
    pub elapsed: Duration,
}

impl Report {
    /// Requests that failed.
    pub fn failed(&self) -> Vec<&Hit> {
        self.hits.iter().filter(|h| h.failed()).collect()
    }

    /// The slowest request.
    pub fn slowest(&self) -> Duration {
        self.hits.iter().map(|h| h.took).max().unwrap_or_default()
    }

    /// How many requests each server answered.
    pub fn shares(&self) -> BTreeMap<String, usize> {
        let mut shares = BTreeMap::new();
        for (_, server) in self.hits.iter().filter_map(|h| h.outcome.as_ref().ok()) {
            *shares.entry(server.clone()).or_default() += 1;
        }
        shares
    }

    /// Requests a second.
    pub fn rate(&self) -> f64 {
        let count = u32::try_from(self.hits.len()).unwrap_or(u32::MAX);
        f64::from(count) / self.elapsed.as_secs_f64().max(0.001)
    }

    /// Panics with examples when any request failed, or when there were too few to prove anything.
    #[track_caller]
    pub fn assert_no_failure(&self, at_least: usize) {
        let failed = self.failed();
        let examples: Vec<_> = failed.iter().take(5).collect();
        assert!(failed.is_empty(), "{} of {} requests failed: {examples:#?}", failed.len(), self.hits.len());
        assert!(self.hits.len() >= at_least, "only {} requests were sent", self.hits.len());
    }
}
