//! What visitors see while the database of their sessions is away: how many are sent away, for how long, and whose
//! session is not what it was.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::cluster::Cluster;
use crate::guests::{Guest, Told, Visit, rounds};
use crate::wait;

/// Everybody is being served by then.
const BEGUN: Duration = Duration::from_secs(20);
/// A writer that is restarted in place after 5 s is back by then.
const BACK: Duration = Duration::from_secs(60);

/// What all visitors saw around a death.
#[derive(Clone, Debug, Default)]
pub struct Absence {
    /// Requests in all.
    pub requests: usize,
    /// 503 with `Retry-After`.
    pub away: usize,
    /// From the kill to the last of these.
    pub last: Duration,
    /// The slowest request.
    pub slowest: Duration,
    /// Anything else that is no success.
    pub other: Vec<String>,
    /// Sessions found empty, or holding less than was acknowledged.
    pub lost: Vec<String>,
}

/// Kills a group while everybody visits, goes on until `back`, and lets everybody visit once more. Panics when anybody
/// is told anything but the page or to come back.
#[track_caller]
pub fn around_a_kill(
    cluster: &Cluster,
    guests: &mut [Guest],
    pid: u32,
    visit: impl Fn(&mut Guest) -> Vec<Visit> + Sync,
    back: impl Fn() -> bool + Send,
) -> Absence {
    let (stop, asked, most) = (AtomicBool::new(false), AtomicUsize::new(0), guests.len());
    let (killed, told) = std::thread::scope(|scope| {
        let (stop, asked) = (&stop, &asked);
        let killer = scope.spawn(move || {
            let _end = Ends(stop);
            // In the middle of requests, not before the first.
            wait::until_true("visitors are served", BEGUN, || asked.load(Ordering::Relaxed) > most);
            let killed = cluster.signal_group(pid, Signal::KILL);
            let took = wait::until_true("what was killed is back", BACK, back);
            println!("#   seen to be back after {} ms", took.as_millis());
            killed
        });
        let told = rounds(
            guests,
            cluster.site(),
            |guest| {
                let visits = visit(guest);
                asked.fetch_add(visits.len(), Ordering::Relaxed);
                visits.iter().map(|v| guest.told(v)).collect::<Vec<Told>>()
            },
            stop,
        );
        (killer.join().expect("it is killed and back"), told)
    });
    judge(killed, told.into_iter().flatten())
}

/// Stops the visitors, whatever became of the thread that should have.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn judge(killed: Instant, told: impl Iterator<Item = Told>) -> Absence {
    let mut seen = Absence::default();
    for one in told {
        seen.requests += 1;
        seen.slowest = seen.slowest.max(one.took);
        seen.lost.extend(one.lost);
        match one.away {
            None => {}
            Some(Ok(())) => {
                seen.away += 1;
                seen.last = seen.last.max(one.ended.saturating_duration_since(killed));
            }
            Some(Err(why)) => seen.other.push(why),
        }
    }
    println!(
        "#   {} requests, {} answered 503, the last {} ms after the kill; slowest {} ms; {} sessions lost",
        seen.requests,
        seen.away,
        seen.last.as_millis(),
        seen.slowest.as_millis(),
        seen.lost.len()
    );
    assert!(
        seen.other.is_empty(),
        "{} others: {:?}",
        seen.other.len(),
        seen.other.iter().take(5).collect::<Vec<_>>()
    );
    seen
}
