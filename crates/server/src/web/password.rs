//! Passwords: what may be one, whether it is the present one, and changing it.

use cordee_domain::guesses::{Insider, Who};
use cordee_domain::problem::Problem;
use cordee_domain::text;

use super::App;
use crate::store::{Account, Arrival, Changed, Proven, StoreError};

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

/// Whether that is the account's present password. Wrong ones are counted, so that a session somebody else got hold of
/// is no way around the bounds; apart from the tries of those who are not let in, so that no stranger keeps its owner
/// from it.
pub async fn present(app: &App, account: &Account, typed: String, insider: Insider) -> Result<Proven, Doubt> {
    let tried = app.limiter.reserve(Who::Insider(insider)).map_err(Doubt::Wait)?;
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
    let proven = matches.await?.ok_or(Doubt::Wrong)?;
    app.limiter.right(&tried);
    Ok(proven)
}

/// Whoever is signed in to that account, in however many sessions.
pub fn signed_in(account: &Account) -> Insider {
    Insider::Account(account.0.to_ascii_lowercase())
}

/// What is wrong with a present password that is not the account's, at its field.
pub fn not_present(field: &str) -> Problem {
    Problem::invalid(field, text!("problem-password-present"))
}

/// Changes the password, ends every session, and notes it. With `here`, that browser is let in anew.
pub async fn change(
    app: &App,
    account: &Account,
    new: String,
    present: Option<Proven>,
    here: Option<Arrival>,
    actor: String,
) -> Result<Changed, StoreError> {
    let (store, account) = (app.store.clone(), account.clone());
    app.blocking(move || store.change_password(&account, &new, present.as_ref(), here.as_ref(), &actor)).await
}
