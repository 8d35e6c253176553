//! Tokens for programs. Only their hashes are stored.

use cordee_domain::ids::Millis;
use rusqlite::{OptionalExtension as _, params};

use crate::clock::now;
use crate::random;

use super::accounts::digest;
use super::{Store, StoreError};

/// A token's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenName(pub String);

/// One token, as it is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Its name.
    pub name: String,
    /// When it was made.
    pub created: Millis,
    /// When it was last used, to the minute.
    pub seen: Option<Millis>,
    /// From when on it is refused.
    pub expires: Option<Millis>,
}

/// How exactly it is written down when a token was last used.
const SEEN_MS: Millis = 60_000;

impl Store {
    /// Makes a token for a program; shown once. `None` when the name is taken.
    pub fn create_token(
        &self,
        name: &TokenName,
        expires: Option<Millis>,
    ) -> Result<Option<String>, StoreError> {
        let secret = format!("cordee_{}", random::token(32).ok_or(StoreError::Random)?);
        let made = self.lock().execute(
            "INSERT OR IGNORE INTO token (token_hash, name, created, expires) VALUES (?1, ?2, ?3, ?4)",
            params![digest(&secret), name.0, now(), expires],
        )?;
        Ok((made == 1).then_some(secret))
    }

    /// Whose token it is, while it is good.
    pub fn token(&self, secret: &str) -> Result<Option<TokenName>, StoreError> {
        let (connection, hash) = (self.lock(), digest(secret));
        let found: Option<(String, Option<Millis>)> = connection
            .query_row(
                "SELECT name, seen FROM token WHERE token_hash = ?1 AND (expires IS NULL OR expires > ?2)",
                params![hash, now()],
                |r| Ok((r.get(0)?, r.get(1)?)),
            )
            .optional()?;
        let Some((name, seen)) = found else { return Ok(None) };
        if seen.is_none_or(|seen| now().saturating_sub(seen) > SEEN_MS) {
            let touched =
                connection.execute("UPDATE token SET seen = ?1 WHERE token_hash = ?2", params![now(), hash]);
            // A disk that is full keeps no program from asking.
            if let Err(error) = touched {
                self.failed(&error.into());
            }
        }
        Ok(Some(TokenName(name)))
    }

    /// All tokens, by name.
    pub fn tokens(&self) -> Result<Vec<Token>, StoreError> {
        let connection = self.lock();
        let mut found = connection.prepare("SELECT name, created, seen, expires FROM token ORDER BY name")?;
        let all = found.query_map([], |r| {
            Ok(Token { name: r.get(0)?, created: r.get(1)?, seen: r.get(2)?, expires: r.get(3)? })
        })?;
        Ok(all.collect::<Result<_, _>>()?)
    }

    /// Takes a token back, and ends what is being read with it. Gives its name as it was written, when there was one.
    pub fn revoke_token(&self, name: &str) -> Result<Option<String>, StoreError> {
        let gone = self
            .lock()
            .query_row("DELETE FROM token WHERE name = ?1 RETURNING name", [name], |r| r.get(0))
            .optional()?;
        self.left();
        Ok(gone)
    }
}
