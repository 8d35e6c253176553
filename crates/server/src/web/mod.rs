//! The page and the API. Reads the board and the store; asks the engine only through the board.

pub mod api;
pub mod assets;
pub mod back;
pub mod error;
#[cfg(test)]
pub mod fixture;
pub mod flow;
pub mod guard;
pub mod guest;
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
use std::time::Duration;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use cordee_domain::change::{NewServer, Request};
use cordee_domain::db::verify::Side;
use cordee_domain::desired::{Desired, another};
use cordee_domain::drill::holds_up;
use cordee_domain::ids::{PoolId, ServerName};
use cordee_domain::problem::Problem;
use cordee_domain::text;
use cordee_node::vault::Login;

use crate::board::{Ask, Board, Event, Guest, JoinPlan};
use crate::desk::{DrillDesk, TrialDesk};
use crate::guestbook::Guestbook;
use crate::store::{CommitError, Store, StoreError};
use crate::words::Lang;

use session::Limiter;
use view::{EventRow, Here};

/// What every handler has at hand.
#[derive(Clone, Debug)]
pub struct App {
    /// Wishes, journal, accounts.
    pub store: Arc<Store>,
    /// The newest of everything.
    pub board: Arc<Board>,
    /// The last requests, and what is new about visitors.
    pub guestbook: Arc<Guestbook>,
    /// Short id of the cluster: part of the cookie's name, because cookies ignore ports.
    pub cluster: Arc<str>,
    /// The comparison of sessions.
    pub desk: Arc<TrialDesk>,
    /// The failover drills.
    pub drills: Arc<DrillDesk>,
    /// Databases that were examined and await a person's word.
    pub guests: Arc<guest::Waiting>,
    /// The file with the setup code, until it is used.
    pub setup_code: Arc<PathBuf>,
    /// Wrong passwords and codes.
    pub limiter: Arc<Limiter>,
    /// How an application reaches the databases.
    pub dsn: Arc<local::DsnBook>,
}

impl App {
    /// Commits a change off the async threads. One that would meddle with a drill has to wait.
    pub async fn commit(&self, change: Request, actor: String) -> Result<Desired, CommitError> {
        if holds_up(&change) {
            self.undisturbed()?;
        }
        let store = self.store.clone();
        self.blocking(move || store.commit(&change, &actor)).await
    }

    /// Asks a database that exists already whether it could join, and how; nothing is done. `None`: the engine does not
    /// answer.
    pub async fn invite(&self, guest: Guest) -> Option<Result<JoinPlan, Vec<Problem>>> {
        let asked = self.board.ask(|reply| Ask::Invite { guest, reply });
        tokio::time::timeout(ENGINE_DEADLINE, asked).await.ok().flatten()
    }

    /// Adds a database that exists already and was examined as `id`.
    pub async fn admit(
        &self,
        new: NewServer,
        id: u32,
        login: Login,
        actor: String,
    ) -> Result<Desired, CommitError> {
        self.undisturbed()?;
        let store = self.store.clone();
        let change = Request::AddServer { pool: PoolId::Db, server: new };
        self.blocking(move || store.commit_with(&change, &actor, Some((id, &login)))).await
    }

    /// Refuses while a drill is under way.
    fn undisturbed(&self) -> Result<(), CommitError> {
        match self.drills.under_way() {
            None => Ok(()),
            Some(_) => Err(CommitError::Refused(vec![Problem::conflict("", text!("problem-drill-wait"))])),
        }
    }

    /// Lines of the journal, as somebody reads them now: what they name leads to its page where it is there.
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

    /// Runs a store call where it may block.
    pub async fn blocking<T: Send + 'static>(&self, call: impl FnOnce() -> T + Send + 'static) -> T {
        match tokio::task::spawn_blocking(call).await {
            Ok(value) => value,
            // A panic in the call goes on in its caller, as it would have without the thread.
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }

    /// Notes who asked for rows to be put right, then has the engine do it: it alters data, so it is in the journal
    /// before it is done. `false`: the engine does not answer.
    pub async fn repair(
        &self,
        actor: String,
        (name, id): (ServerName, u32),
        side: Side,
    ) -> Result<bool, CommitError> {
        self.undisturbed()?;
        // Before it is written down that it was asked.
        if self.board.desired().database(&name).is_none_or(|s| s.id != id) {
            return Err(CommitError::Refused(vec![another(&name)]));
        }
        let (store, subject) = (self.store.clone(), name.clone());
        self.blocking(move || {
            let text = text!("repair-asked", name = &subject);
            store.note(&actor, subject.as_str(), None, &text)
        })
        .await?;
        let asked = self.board.ask(|reply| Ask::Repair { name: name.clone(), id, side, reply });
        match tokio::time::timeout(ENGINE_DEADLINE, asked).await {
            Ok(Some(false)) => Err(CommitError::Refused(vec![another(&name)])),
            noted => Ok(matches!(noted, Ok(Some(true)))),
        }
    }
}

/// The engine answers a question within this time, or the caller is told that it does not.
const ENGINE_DEADLINE: Duration = Duration::from_secs(15);

/// What programs ask: everything under `/api/` and `/local/`.
pub fn programs(app: &App) -> Router<App> {
    api::router(local::router())
        .layer(from_fn_with_state(app.clone(), proof::api))
        .layer(from_fn(session::same_origin_or_token))
}

/// Everything that is served. Over the network only by a name of the page's own; state changes must come from our own
/// page, and take more than the session's cookie; every answer has the page's headers, and is compressed if it may be.
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
