//! Passwords: which are acceptable, whether one is the present one, and changing it.

use cordee_domain::guesses::{Insider, Who};
use cordee_domain::problem::Problem;
use cordee_domain::text;

use super::App;
use crate::store::{Account, Arrival, Changed, Proven, StoreError};

/// A short password that somebody thought about is better than a rule; length is the one thing that helps.
const LEAST: usize = 8;
/// Longer passwords are refused rather than truncated.
const MOST: usize = 1_024;

/// Returns what is wrong with a new password, for its field.
pub fn unfit(field: &str, typed: &str) -> Option<Problem> {
    if typed.chars().count() < LEAST {
        Some(Problem::invalid(field, text!("problem-password-short", count = LEAST)))
    } else if typed.len() > MOST {
        Some(Problem::invalid(field, text!("problem-password-long", count = MOST)))
    } else {
        None
    }
}

/// Why a password was not accepted as the present one.
#[derive(Debug)]
pub enum Doubt {
    /// It is wrong.
    Wrong,
    /// Too many were tried: seconds until the next try.
    Wait(u64),
    /// The comparison failed.
    Store(StoreError),
}

impl From<StoreError> for Doubt {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Checks that this is the account's present password. Wrong ones are counted, so that a stolen session cannot be
/// used to get around the limits. They are counted apart from the tries of people who are not signed in, so that
/// no stranger can lock the owner out.
pub async fn present(app: &App, account: &Account, typed: String, insider: Insider) -> Result<Proven, Doubt> {
    let tried = app.limiter.reserve(Who::Insider(insider)).map_err(Doubt::Wait)?;
    let turn = match app.limiter.turn(true).await {
        Ok(turn) => turn,
        Err(seconds) => {
            // Nothing was compared, so the try does not count.
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

/// Returns the insider that stands for everybody who is signed in to that account, in however many sessions.
pub fn signed_in(account: &Account) -> Insider {
    Insider::Account(account.0.to_ascii_lowercase())
}

/// Returns the problem for a password that is not the account's present one, at its field.
pub fn not_present(field: &str) -> Problem {
    Problem::invalid(field, text!("problem-password-present"))
}

/// Changes the password, ends every session, and notes it in the journal. With `here`, that browser gets a new
/// session.
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
