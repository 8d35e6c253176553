//! The page and the API. They read the board and the store; changes that an operator asks for go through `control`.

pub mod api;
pub mod assets;
pub mod back;
pub mod error;
#[cfg(test)]
pub mod fixture;
pub mod flow;
pub mod headers;
pub mod host;
pub mod live;
pub mod local;
pub mod packing;
pub mod page;
pub mod pages;
pub mod password;
pub mod proof;
pub mod read;
pub mod seen;
pub mod session;
pub mod stay;
pub mod view;

use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};

use crate::board::{Board, Event};
use crate::control::guest::Waiting;
use crate::control::{self, Control};
use crate::jobs::{DrillJobs, TrialJobs};
use crate::recent_requests::RecentRequests;
use crate::store::{Store, StoreError};
use crate::words::Lang;

use session::Limiter;
use view::{EventRow, Here};

/// What every handler can use.
#[derive(Clone, Debug)]
pub struct App {
    /// Wishes, journal, accounts.
    pub store: Arc<Store>,
    /// The notice board: the newest wish and the newest snapshot.
    pub board: Arc<Board>,
    /// The last requests, and what is new about visitors.
    pub recent_requests: Arc<RecentRequests>,
    /// Short id of the cluster: part of the cookie's name, because cookies ignore ports.
    pub cluster: Arc<str>,
    /// The job queue of the comparison of sessions.
    pub jobs: Arc<TrialJobs>,
    /// The job queue of the failover drills.
    pub drills: Arc<DrillJobs>,
    /// Databases that were examined and await an operator's confirmation.
    pub guests: Arc<Waiting>,
    /// The file with the setup code, until the code is used.
    pub setup_code: Arc<PathBuf>,
    /// Counts wrong passwords and codes.
    pub limiter: Arc<Limiter>,
    /// How an application reaches the databases.
    pub dsn: Arc<local::DsnBook>,
}

impl App {
    /// Returns the control through which every change goes that an operator asks for.
    pub fn control(&self) -> Control<'_> {
        let Self { store, board, jobs: trials, drills, guests, .. } = self;
        Control { store, board, trials, drills, guests }
    }

    /// Returns lines of the journal as the reader sees them now: what they name is a link to its page, where that
    /// exists.
    pub async fn lines(
        &self,
        lang: Lang,
        read: impl FnOnce(&Store) -> Result<Vec<Event>, StoreError> + Send + 'static,
    ) -> Result<Vec<EventRow>, StoreError> {
        let store = self.store.clone();
        let both = move || Ok::<_, StoreError>((read(&store)?, store.kept_runs()?));
        let (events, runs) = self.blocking(both).await?;
        let here = Here::wished(&self.board.desired()).with(runs);
        Ok(events.iter().map(|event| view::event(event, &here, lang)).collect())
    }

    /// Runs a store call on a thread that may block.
    pub async fn blocking<T: Send + 'static>(&self, call: impl FnOnce() -> T + Send + 'static) -> T {
        control::blocking(call).await
    }
}

/// The routes for programs: everything under `/api/` and `/local/`.
pub fn programs(app: &App) -> Router<App> {
    api::router(local::router())
        .layer(from_fn_with_state(app.clone(), proof::api))
        .layer(from_fn(session::same_origin_or_token))
}

/// Returns everything that is served. Network requests must use one of the page's own host names. A state change
/// must come from our own page, and takes more than the session's cookie. Every answer has the page's headers, and
/// is compressed if it may be.
pub fn router(app: App) -> Router {
    Router::new()
        .merge(programs(&app))
        .merge(
            pages::router()
                .layer(from_fn_with_state(app.clone(), proof::page))
                .layer(from_fn(session::same_origin)),
        )
        .layer(from_fn_with_state(app.clone(), host::known))
        .layer(from_fn(packing::pack))
        .layer(from_fn(headers::add))
        .with_state(app)
}

#[cfg(test)]
mod tests;
