//! A stream that is read with a session or a token lasts no longer than that.

use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use tokio::sync::watch;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

use super::App;
use super::session::Key;

/// Time between two checks: sessions and tokens also expire by time.
const PACE: Duration = Duration::from_secs(15);

/// Tells when the session that authorised a request is over, or the token is revoked. To be extracted after
/// `Caller` or `Member`, which leave the key in the request. A request of the machine's owner has no key.
pub struct Stay {
    app: App,
    key: Option<Key>,
    left: watch::Receiver<u64>,
    pace: Interval,
    /// The key has to be checked before anything more is sent.
    due: bool,
}

impl FromRequestParts<App> for Stay {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Self::Rejection> {
        let key = parts.extensions.get::<Key>().cloned();
        let mut pace = interval_at(Instant::now() + PACE, PACE);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // Due at first, because somebody may have signed out since the request was authorised.
        Ok(Self { app: app.clone(), key, left: app.board.watch_left(), pace, due: true })
    }
}

impl Stay {
    /// Waits until `over` has to be asked again. The wait may be cancelled at any time.
    pub async fn doubt(&mut self) {
        // The board's sender lives as long as the application.
        tokio::select! {
            _ = self.left.changed() => {}
            _ = self.pace.tick() => {}
        }
        self.due = true;
    }

    /// Reports whether the session is over. To be asked before anything is sent: a session that was signed out
    /// receives nothing more.
    pub async fn over(&mut self) -> bool {
        if self.left.has_changed().unwrap_or(true) {
            self.left.mark_unchanged();
            self.due = true;
        }
        let Some(key) = self.key.clone().filter(|_| self.due) else { return false };
        let good = self.app.is_good(key).await;
        self.due = false;
        !good
    }
}
