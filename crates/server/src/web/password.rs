//! Passwords: what may be one, whether it is the present one, and changing it.

use cordee_domain::guesses::Who;
use cordee_domain::problem::Problem;
use cordee_domain::text;

use super::App;
use super::session::{Peer, origin};
use crate::store::{Account, Device, SignIn, StoreError};

/// A short password that somebody thought about is better than a rule; length is the one thing that helps.
const LEAST: usize = 8;
/// Longer ones are refused rather than cut.
const MOST: usize = 1_024;

/// What is wrong with a new password, at its field.
pub fn unfit(field: &str, typed: &str) -> Option<Problem> {
    if typed.chars().count() < LEAST {
        Some(Problem::invalid(field, text!("problem-password-short", count = LEAST)))
    } else if typed.len() > MOST {
        Some(Problem::invalid(field, text!("problem-password-long", count = MOST)))
    } else {
        None
    }
}

/// Why a password was not taken for the present one.
#[derive(Debug)]
pub enum Doubt {
    /// It is not.
    Wrong,
    /// Too many were tried: seconds until the next one.
    Wait(u64),
    /// It could not be compared.
    Store(StoreError),
}

impl From<StoreError> for Doubt {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Whether that is the account's present password. A wrong one counts as every other guess does, so that a session
/// somebody else got hold of is no way around the bounds.
pub async fn present(app: &App, account: &Account, typed: String, peer: Option<Peer>) -> Result<(), Doubt> {
    let who = Who::Stranger(origin(peer), account.0.to_ascii_lowercase());
    let tried = app.limiter.reserve(who).map_err(Doubt::Wait)?;
    let turn = match app.limiter.turn(true).await {
        Ok(turn) => turn,
        Err(seconds) => {
            // Nothing was tried.
            app.limiter.right(&tried);
            return Err(Doubt::Wait(seconds));
        }
    };
    let (store, account) = (app.store.clone(), account.clone());
    let matches = app.blocking(move || {
        let _turn = turn;
        store.password_matches(&account.0, &typed)
    });
    if !matches.await? {
        return Err(Doubt::Wrong);
    }
    app.limiter.right(&tried);
    Ok(())
}

/// What a browser gets in which the password was changed.
#[derive(Debug)]
pub struct Anew {
    /// Its session: all others have ended.
    pub session: SignIn,
    /// By which it is known.
    pub browser: SignIn,
}

/// Changes the password, ends every session, and notes it. `None`: nobody is signed in anew.
pub async fn change(
    app: &App,
    account: &Account,
    new: String,
    here: Option<Device>,
    actor: String,
) -> Result<Option<Anew>, StoreError> {
    let (store, account) = (app.store.clone(), account.clone());
    app.blocking(move || {
        let session = store.change_password(&account, &new, here.as_ref())?;
        store.note(&actor, "cluster", None, &text!("event-password", name = account.0.as_str()))?;
        let Some(session) = session else { return Ok(None) };
        Ok(Some(Anew { session, browser: store.know_browser(&account)? }))
    })
    .await
}
