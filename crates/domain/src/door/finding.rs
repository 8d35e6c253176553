//! What the answers at the site's own addresses mean.

use super::Door;
use crate::scene::Scene;
use crate::seen::Seen;
use crate::text;
use crate::text::Text;

/// Milliseconds for which a wrong answer may be transitional: HAProxy may not yet know which server is open.
pub const GRACE: u64 = 1_000;
/// An answer that is older says nothing about now.
pub(super) const OLD: u64 = 4_000;
/// Milliseconds within which the first answer must come.
const FIRST: u64 = 3_000;

/// What the answers at one door mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// The door serves, or is not expected to: then other sentences say why.
    Fine,
    /// The door is expected to serve since a moment ago, and no answer has come yet.
    Waiting,
    /// Cordée cannot tell, with the reason.
    Unknown(Text),
    /// The door is expected to serve and does not, with the reason.
    Wrong(Text),
}

/// Returns what the answers at a door mean now.
pub fn finding(scene: Scene<'_>, door: Door) -> Finding {
    let Scene { desired, observed, now } = scene;
    let Some(seen) = observed.doors.get(&door) else { return Finding::Fine };
    let Some(expected) = seen.expected_since else { return Finding::Fine };
    let waiting = match seen.right {
        Some(right) if right >= expected || seen.wrong_since.is_none() => Finding::Fine,
        _ => Finding::Waiting,
    };
    let (at, answer) = match &seen.answer {
        Seen::At(at, answer) => (*at, *answer),
        Seen::Failed { why, .. } => return Finding::Unknown(why.sentence()),
        Seen::Never if now.saturating_sub(expected) > FIRST => {
            return Finding::Unknown(text!("door-unasked", address = door.address(desired).to_string()));
        }
        Seen::Never => return waiting,
    };
    if now.saturating_sub(at) > OLD && now.saturating_sub(expected) > OLD {
        return Finding::Unknown(text!("door-unasked", address = door.address(desired).to_string()));
    }
    match (answer.wrong(desired, door), seen.wrong_since) {
        (Some(why), Some(since)) if at.saturating_sub(since.max(expected)) >= GRACE && at >= expected => {
            Finding::Wrong(why)
        }
        // This may be transitional. Until the answer is right again, the door is not known to serve.
        (Some(_), _) => Finding::Waiting,
        (None, _) => Finding::Fine,
    }
}
