//! Who reads a stream with a session or a token reads no longer than it lasts.

use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use tokio::sync::watch;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

use super::App;
use super::session::Key;

/// Sessions and tokens also run out by time: between two looks.
const PACE: Duration = Duration::from_secs(15);

/// Tells when the session is over, or the token taken back, that let a request in: asked for after `Caller` or
/// `Member`, which say by which. What the machine's owner opened has none.
pub struct Stay {
    app: App,
    key: Option<Key>,
    left: watch::Receiver<u64>,
    pace: Interval,
    /// The key has to be looked at before anything more is told.
    due: bool,
}

impl FromRequestParts<App> for Stay {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Self::Rejection> {
        let key = parts.extensions.get::<Key>().cloned();
        let mut pace = interval_at(Instant::now() + PACE, PACE);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // Due, because somebody may have signed out since the request was let in.
        Ok(Self { app: app.clone(), key, left: app.board.watch_left(), pace, due: true })
    }
}

impl Stay {
    /// Waits until `over` is to be asked again. It may be given up at any time.
    pub async fn doubt(&mut self) {
        // Whoever holds the board's other end lives as long as the application at hand.
        tokio::select! {
            _ = self.left.changed() => {}
            _ = self.pace.tick() => {}
        }
        self.due = true;
    }

    /// Whether the session is over. To be asked before anything is told: what was signed out hears nothing more.
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
