//! Waiting for something to become true, never longer than it is allowed to take.

use std::fmt::Debug;
use std::time::{Duration, Instant};

/// Between two looks. Short beside every bound in the acceptance list.
const LOOK: Duration = Duration::from_millis(20);

/// Looks until `look` gives a value, and says how long that took. Panics with the last refusal after `bound`.
#[track_caller]
pub fn until<T, E: Debug>(
    what: &str,
    bound: Duration,
    mut look: impl FnMut() -> Result<T, E>,
) -> (T, Duration) {
    let start = Instant::now();
    loop {
        // Measured before the look: what was true at its start was true in time.
        let asked = start.elapsed();
        match look() {
            Ok(value) => return (value, asked),
            Err(why) if asked >= bound => panic!("not within {bound:?}: {what}; last seen: {why:?}"),
            Err(_) => std::thread::sleep(LOOK),
        }
    }
}

/// Like [`until`], for a plain yes or no.
#[track_caller]
pub fn until_true(what: &str, bound: Duration, mut look: impl FnMut() -> bool) -> Duration {
    until(what, bound, || if look() { Ok(()) } else { Err("no") }).1
}

/// Looks again and again for `bound` and panics as soon as `look` refuses.
#[track_caller]
pub fn always<E: Debug>(what: &str, bound: Duration, mut look: impl FnMut() -> Result<(), E>) {
    let start = Instant::now();
    while start.elapsed() < bound {
        if let Err(why) = look() {
            panic!("not for all of {bound:?}: {what}; after {:?}: {why:?}", start.elapsed());
        }
        std::thread::sleep(LOOK);
    }
}
