//! The clock: milliseconds since 1970. It is read once from the system and then advances with the monotonic clock,
//! so that a jump of the system's time makes nothing look old or young.

use std::sync::OnceLock;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use cordee_domain::ids::Millis;

/// Returns the current time.
pub fn now() -> Millis {
    static START: OnceLock<(Instant, u64)> = OnceLock::new();
    let (start, base) = START.get_or_init(|| {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        (Instant::now(), u64::try_from(wall.as_millis()).unwrap_or(0))
    });
    base + u64::try_from(start.elapsed().as_millis()).unwrap_or(0)
}
