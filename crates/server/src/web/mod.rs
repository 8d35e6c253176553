//! The page and the API. Reads the board and the store; asks the engine only through the board.

pub mod assets;
pub mod error;
#[cfg(test)]
mod fixture;
pub mod headers;
pub mod live;
pub mod page;
pub mod pages;
pub mod session;
pub mod view;

use std::path::PathBuf;
use std::sync::Arc;

use cordee_domain::change::Change;
use cordee_domain::desired::Desired;

use crate::board::Board;
use crate::store::{CommitError, Store};

use session::Limiter;

/// What every handler has at hand.
#[derive(Clone, Debug)]
pub struct App {
    /// Wishes, journal, accounts.
    pub store: Arc<Store>,
    /// The newest of everything.
    pub board: Arc<Board>,
    /// Short id of the cluster: part of the cookie's name, because cookies ignore ports.
    pub cluster: Arc<str>,
    /// The file with the setup code, until it is used.
    pub setup_code: Arc<PathBuf>,
    /// Wrong passwords and codes.
    pub limiter: Arc<Limiter>,
}

impl App {
    /// Commits a change off the async threads.
    pub async fn commit(&self, change: Change, actor: String) -> Result<Desired, CommitError> {
        let store = self.store.clone();
        self.blocking(move || store.commit(&change, &actor)).await
    }

    /// Runs a store call where it may block.
    pub async fn blocking<T: Send + 'static>(&self, call: impl FnOnce() -> T + Send + 'static) -> T {
        match tokio::task::spawn_blocking(call).await {
            Ok(value) => value,
            // A panic in the call goes on in its caller, as it would have without the thread.
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }
}
