//! Waits until a wish is real.

use std::time::Duration;

use cordee_domain::change::{Change, Request};
use cordee_domain::decision::Decision;
use cordee_domain::real::{Real, real};
use cordee_domain::text::Text;
use tokio::time::{Instant, timeout_at};

use super::{Control, blocking};

/// How many later changes are searched for the reason.
const LOOKED_THROUGH: u32 = 100;

impl Control<'_> {
    /// Waits until a wish is real or has failed, but no longer than `wait`.
    pub async fn settle(self, change: &Change, revision: u64, wait: Duration) -> Real {
        let deadline = Instant::now() + wait;
        let mut pictures = self.board.watch_snapshot();
        loop {
            let snapshot = pictures.borrow_and_update().clone();
            let found = real(change, revision, &self.board.desired(), &snapshot);
            match found {
                Real::NotYet(_) => {}
                Real::Failed(why) => {
                    return Real::Failed(self.given_up(change, revision).await.unwrap_or(why));
                }
                Real::Yes => return found,
            }
            // When no snapshot comes any more (Cordée is stopping), the last result stands.
            if !matches!(timeout_at(deadline, pictures.changed()).await, Ok(Ok(()))) {
                return found;
            }
        }
    }

    /// Returns why a change of writer was abandoned, from the decision that Cordée stored then.
    async fn given_up(self, change: &Change, revision: u64) -> Option<Text> {
        let Change::Request(Request::Promote { name, at: asked, .. }) = change else { return None };
        let store = self.store.clone();
        let later = blocking(move || store.changes_after(revision, LOOKED_THROUGH)).await.ok()?;
        let of_it = |c: &&Change| match c {
            // A decision that was stored before decisions carried the time has `at` 0.
            Change::Decision(Decision::AbandonHandover { of, at: 0, .. }) => of.name.same_as(name),
            Change::Decision(Decision::AbandonHandover { at, .. }) => at == asked,
            _ => false,
        };
        later.iter().find(of_it).map(Change::sentence)
    }
}
