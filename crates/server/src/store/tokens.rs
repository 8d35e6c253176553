//! Tokens for programs. Only their hashes are stored.

use cordee_domain::ids::Millis;
use cordee_domain::text;
use cordee_node::clock::now;
use cordee_node::random;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::accounts::{Proven, digest};
use super::{Store, StoreError};

/// A token's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenName(pub String);

/// One token, as the page lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Its name.
    pub name: String,
    /// When it was made.
    pub created: Millis,
    /// When it was last used, to the minute.
    pub seen: Option<Millis>,
    /// The time from which it is refused.
    pub expires: Option<Millis>,
}

/// The result of creating a token.
#[derive(Clone, PartialEq, Eq)]
pub enum NewToken {
    /// The secret: shown once.
    Made(String),
    /// Another token has the name.
    Taken,
    /// The password was changed since it was compared.
    Stale,
}

impl std::fmt::Debug for NewToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Made(_) => "Made(…)",
            Self::Taken => "Taken",
            Self::Stale => "Stale",
        })
    }
}

/// How precisely the last use of a token is stored.
const SEEN_MS: Millis = 60_000;

impl Store {
    /// Creates a token for a program, and notes it in the journal. Without a password this is for the owner of the
    /// machine.
    pub fn make_token(
        &self,
        name: &TokenName,
        expires: Option<Millis>,
        present: Option<&Proven>,
        actor: &str,
    ) -> Result<NewToken, StoreError> {
        self.noted(actor, |connection| {
            if let Some(proven) = present
                && !proven.holds(connection)?
            {
                return Ok((NewToken::Stale, None));
            }
            Ok(match insert_token(connection, name, expires)? {
                Some(secret) => (NewToken::Made(secret), Some(text!("event-token", name = name.0.as_str()))),
                None => (NewToken::Taken, None),
            })
        })
    }

    /// Returns the name of a valid token. The call counts as a use, and the time is stored.
    pub fn token(&self, secret: &str) -> Result<Option<TokenName>, StoreError> {
        let (connection, hash) = (self.lock(), digest(secret));
        let Some((name, seen)) = good(&connection, &hash)? else { return Ok(None) };
        if seen.is_none_or(|seen| now().saturating_sub(seen) > SEEN_MS) {
            let touched =
                connection.execute("UPDATE token SET seen = ?1 WHERE token_hash = ?2", params![now(), hash]);
            // A full disk must not keep a program from asking.
            if let Err(error) = touched {
                self.failed(&error.into());
            }
        }
        Ok(Some(TokenName(name)))
    }

    /// Reports whether a token is valid, without counting that as a use.
    pub fn token_lasts(&self, secret: &str) -> Result<bool, StoreError> {
        Ok(good(&self.lock(), &digest(secret))?.is_some())
    }

    /// Returns all tokens, by name.
    pub fn tokens(&self) -> Result<Vec<Token>, StoreError> {
        let connection = self.lock();
        let mut found = connection.prepare("SELECT name, created, seen, expires FROM token ORDER BY name")?;
        let all = found.query_map([], |r| {
            Ok(Token { name: r.get(0)?, created: r.get(1)?, seen: r.get(2)?, expires: r.get(3)? })
        })?;
        Ok(all.collect::<Result<_, _>>()?)
    }

    /// Revokes a token, notes it in the journal, and ends the streams that are read with it. Returns the token's
    /// name as it was written, when there was one.
    pub fn revoke_token(&self, name: &str, actor: &str) -> Result<Option<String>, StoreError> {
        let gone = self.noted(actor, |connection| {
            let written: Option<String> = connection
                .query_row("SELECT name FROM token WHERE name = ?1", [name], |r| r.get(0))
                .optional()?;
            let Some(written) = written else { return Ok((None, None)) };
            connection.execute("DELETE FROM token WHERE name = ?1", [name])?;
            let told = text!("event-token-revoked", name = written.as_str());
            Ok((Some(written), Some(told)))
        })?;
        self.left();
        Ok(gone)
    }
}

/// Creates a token; `None` when the name is taken.
pub(super) fn insert_token(
    connection: &Connection,
    name: &TokenName,
    expires: Option<Millis>,
) -> Result<Option<String>, StoreError> {
    let secret = format!("cordee_{}", random::token(32).ok_or(StoreError::Random)?);
    let made = connection.execute(
        "INSERT OR IGNORE INTO token (token_hash, name, created, expires) VALUES (?1, ?2, ?3, ?4)",
        params![digest(&secret), name.0, now(), expires],
    )?;
    Ok((made == 1).then_some(secret))
}

/// Returns the name of a valid token, and when it was last used.
fn good(connection: &Connection, hash: &[u8]) -> Result<Option<(String, Option<Millis>)>, StoreError> {
    let found: rusqlite::Result<(String, Option<Millis>)> = connection.query_row(
        "SELECT name, seen FROM token WHERE token_hash = ?1 AND (expires IS NULL OR expires > ?2)",
        params![hash, now()],
        |r| Ok((r.get(0)?, r.get(1)?)),
    );
    Ok(found.optional()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::fixture;

    #[test]
    fn a_token_that_could_not_be_taken_back_is_not_said_to_be() {
        let (app, _asks, _folder) = fixture::app();
        let store = &app.store;
        let name = TokenName("backup".to_owned());
        let secret = store.create_token(&name, None).unwrap().expect("a token");
        // The constraint is checked when the transaction ends: the statement itself succeeds.
        let held = "PRAGMA foreign_keys = ON; \
            CREATE TABLE held (token BLOB REFERENCES token (token_hash) DEFERRABLE INITIALLY DEFERRED); \
            INSERT INTO held SELECT token_hash FROM token";
        store.lock().execute_batch(held).unwrap();
        assert!(store.revoke_token("backup", "ana").is_err());
        assert!(store.token_lasts(&secret).unwrap());
        assert!(store.events_after(0, 9).unwrap().is_empty(), "it was not taken back");
        store.lock().execute_batch("DROP TABLE held").unwrap();
        assert_eq!(store.revoke_token("Backup", "ana").unwrap(), Some("backup".to_owned()));
        assert!(!store.token_lasts(&secret).unwrap());
        assert_eq!(store.revoke_token("backup", "ana").unwrap(), None);
        assert_eq!(store.events_after(0, 9).unwrap().len(), 1);
    }

    #[test]
    fn a_name_is_one_token_s() {
        let (app, _asks, _folder) = fixture::app();
        let make = |name: &str| app.store.make_token(&TokenName(name.to_owned()), None, None, "cli").unwrap();
        assert!(matches!(make("backup"), NewToken::Made(_)));
        assert_eq!(make("Backup"), NewToken::Taken);
        assert_eq!(app.store.events_after(0, 9).unwrap().len(), 1);
    }
}
