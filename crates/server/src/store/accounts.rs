//! People, their sessions, and tokens for programs. Secrets are stored as hashes only.

use argon2::Argon2;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _, phc::PasswordHash};
use cordee_domain::ids::Millis;
use rusqlite::{Connection, OptionalExtension as _, params};
use sha2::{Digest as _, Sha256};

use crate::clock::now;
use crate::random;

use super::{Store, StoreError};

/// A person's name, as signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account(pub String);

/// Where somebody signed in: told to whoever looks at the sessions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Device {
    /// The address.
    pub address: String,
    /// What the browser calls itself.
    pub agent: String,
}

/// One session, as it is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// By which it is ended.
    pub id: String,
    /// When it began.
    pub created: Millis,
    /// Its last request, to the minute.
    pub seen: Millis,
    /// Where.
    pub device: Device,
    /// It is the one that asks.
    pub own: bool,
}

/// The secret that a browser keeps in its cookie. Only its hash is stored.
#[derive(Clone)]
pub struct SignIn(pub String);

impl std::fmt::Debug for SignIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SignIn(…)")
    }
}

/// A session ends after 30 minutes without a request…
const IDLE_MS: u64 = 30 * 60 * 1_000;
/// …and after 12 hours in any case (OWASP ASVS 5.0, 7.3).
const WHOLE_MS: u64 = 12 * 60 * 60 * 1_000;

/// For so long a browser is known after the first sign-in with it.
pub const BROWSER_KEPT_MS: u64 = 180 * 24 * 60 * 60 * 1_000;
/// Browsers of one account that are known.
const BROWSERS: u32 = 50;

/// What an unknown name's password is compared with: a hash of our parameters that no password is known for.
const NOBODYS: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5IGhhcyB0aGlzLg$bm9ib2R5IGtub3dzIGEgcGFzc3dvcmQgZm9yIGl0ISE";

impl Store {
    /// Whether somebody has an account. Until then only the setup page answers.
    pub fn has_account(&self) -> Result<bool, StoreError> {
        Ok(self.lock().query_row("SELECT EXISTS (SELECT 1 FROM account)", [], |r| r.get(0))?)
    }

    /// Makes the first account. `false` when there is one already.
    pub fn create_first_account(&self, name: &str, password: &str) -> Result<bool, StoreError> {
        let hash = hash_password(password)?;
        let made = self.lock().execute(
            "INSERT INTO account (name, password, created) SELECT ?1, ?2, ?3 \
             WHERE NOT EXISTS (SELECT 1 FROM account)",
            params![name, hash, now()],
        )?;
        Ok(made == 1)
    }

    /// Whether the password is that account's. An unknown name costs as much as a known one: one comparison.
    pub fn password_matches(&self, name: &str, password: &str) -> Result<bool, StoreError> {
        let stored: Option<String> = self
            .lock()
            .query_row("SELECT password FROM account WHERE name = ?1", [name], |r| r.get(0))
            .optional()?;
        let known = stored.is_some();
        let hash = stored.unwrap_or_else(|| NOBODYS.to_owned());
        let parsed = PasswordHash::new(&hash).map_err(|_| StoreError::Hash)?;
        Ok(hasher()?.verify_password(password.as_bytes(), &parsed).is_ok() && known)
    }

    /// Makes a browser known in which that account is signed in now. The oldest ones are forgotten.
    pub fn know_browser(&self, account: &Account) -> Result<SignIn, StoreError> {
        let secret = random::token(32).ok_or(StoreError::Random)?;
        let connection = self.lock();
        connection.execute(
            "INSERT INTO browser (token_hash, account, created) VALUES (?1, ?2, ?3)",
            params![digest(&secret), account.0, now()],
        )?;
        connection.execute(
            "DELETE FROM browser WHERE created < ?1 OR (account = ?2 AND token_hash NOT IN \
             (SELECT token_hash FROM browser WHERE account = ?2 ORDER BY created DESC, rowid DESC LIMIT ?3))",
            params![now().saturating_sub(BROWSER_KEPT_MS), account.0, BROWSERS],
        )?;
        Ok(SignIn(secret))
    }

    /// Whether that account was signed in before in the browser that keeps this secret; gives the secret's hash.
    pub fn browser(&self, secret: &str, account: &Account) -> Result<Option<Vec<u8>>, StoreError> {
        let hash = digest(secret);
        let known: bool = self.lock().query_row(
            "SELECT EXISTS (SELECT 1 FROM browser WHERE token_hash = ?1 AND account = ?2 AND created >= ?3)",
            params![hash, account.0, now().saturating_sub(BROWSER_KEPT_MS)],
            |r| r.get(0),
        )?;
        Ok(known.then_some(hash))
    }

    /// Starts a session.
    pub fn sign_in(&self, account: &Account, from: &Device) -> Result<SignIn, StoreError> {
        begin_session(&self.lock(), account, from)
    }

    /// The sessions of an account that are alive, the last one used first.
    pub fn sessions(&self, account: &Account, own: &str) -> Result<Vec<Session>, StoreError> {
        let (connection, own) = (self.lock(), digest(own));
        // Part of the hash names a session: it opens nothing, and is never another one's later.
        let mut found = connection.prepare(
            "SELECT lower(hex(substr(token_hash, 1, 8))), created, seen, address, agent, token_hash FROM session \
             WHERE account = ?1 COLLATE NOCASE AND seen >= ?2 AND created >= ?3 ORDER BY seen DESC, rowid DESC",
        )?;
        let (idle, whole) = (now().saturating_sub(IDLE_MS), now().saturating_sub(WHOLE_MS));
        let all = found.query_map(params![account.0, idle, whole], |r| {
            Ok(Session {
                id: r.get(0)?,
                created: r.get(1)?,
                seen: r.get(2)?,
                device: Device { address: r.get(3)?, agent: r.get(4)? },
                own: r.get::<_, Vec<u8>>(5)? == own,
            })
        })?;
        Ok(all.collect::<Result<_, _>>()?)
    }

    /// Ends one session of an account, or with `None` all but the one that asks. Gives how many ended.
    pub fn end_sessions(&self, account: &Account, id: Option<&str>, own: &str) -> Result<usize, StoreError> {
        let ended = match id {
            Some(id) => self.lock().execute(
                "DELETE FROM session WHERE lower(hex(substr(token_hash, 1, 8))) = ?1 AND account = ?2 COLLATE NOCASE",
                params![id, account.0],
            ),
            None => self.lock().execute(
                "DELETE FROM session WHERE token_hash <> ?1 AND account = ?2 COLLATE NOCASE",
                params![digest(own), account.0],
            ),
        }?;
        self.left();
        Ok(ended)
    }

    /// Gives an account another password, ends its sessions and forgets the browsers that are known; whoever changed it in
    /// a browser is signed in there anew.
    pub fn change_password(
        &self,
        account: &Account,
        password: &str,
        here: Option<&Device>,
    ) -> Result<Option<SignIn>, StoreError> {
        let hash = hash_password(password)?;
        let mut connection = self.lock();
        let transaction = connection.transaction()?;
        let changed = transaction
            .execute("UPDATE account SET password = ?1 WHERE name = ?2", params![hash, account.0])?;
        if changed == 0 {
            return Ok(None);
        }
        transaction.execute("DELETE FROM session WHERE account = ?1 COLLATE NOCASE", [&account.0])?;
        transaction.execute("DELETE FROM browser WHERE account = ?1", [&account.0])?;
        let anew = here.map(|from| begin_session(&transaction, account, from)).transpose()?;
        transaction.commit()?;
        drop(connection);
        self.left();
        Ok(anew)
    }

    /// The one account that there is.
    pub fn account(&self) -> Result<Option<Account>, StoreError> {
        let name =
            self.lock().query_row("SELECT name FROM account ORDER BY created LIMIT 1", [], |r| r.get(0));
        Ok(name.optional()?.map(Account))
    }

    /// Whose session it is, when it is alive.
    pub fn session(&self, secret: &str) -> Result<Option<Account>, StoreError> {
        let connection = self.lock();
        let hash = digest(secret);
        let row: Option<(String, u64)> = connection
            .query_row(
                "SELECT account, seen FROM session WHERE token_hash = ?1 AND seen >= ?2 AND created >= ?3",
                params![hash, now().saturating_sub(IDLE_MS), now().saturating_sub(WHOLE_MS)],
                |r| Ok((r.get(0)?, r.get(1)?)),
            )
            .optional()?;
        if let Some((_, seen)) = &row
            && now().saturating_sub(*seen) > 60_000
        {
            let touched = connection
                .execute("UPDATE session SET seen = ?1 WHERE token_hash = ?2", params![now(), hash]);
            // A disk that is full keeps nobody from reading the page that says so.
            if let Err(error) = touched {
                self.failed(&error.into());
            }
        }
        Ok(row.map(|(account, _)| Account(account)))
    }

    /// Ends a session, and what is being read with it.
    pub fn sign_out(&self, secret: &str) -> Result<(), StoreError> {
        self.lock().execute("DELETE FROM session WHERE token_hash = ?1", [digest(secret)])?;
        self.left();
        Ok(())
    }

    /// Whoever reads with a session or a token looks whether it is still good.
    pub(super) fn left(&self) {
        if let Some(board) = self.board.get() {
            board.set_left();
        }
    }
}

fn begin_session(connection: &Connection, account: &Account, from: &Device) -> Result<SignIn, StoreError> {
    let secret = random::token(32).ok_or(StoreError::Random)?;
    connection.execute(
        "DELETE FROM session WHERE seen < ?1 OR created < ?2",
        params![now().saturating_sub(IDLE_MS), now().saturating_sub(WHOLE_MS)],
    )?;
    connection.execute(
        "INSERT INTO session (token_hash, account, created, seen, address, agent) VALUES (?1, ?2, ?3, ?3, ?4, ?5)",
        params![digest(&secret), account.0, now(), from.address, from.agent],
    )?;
    Ok(SignIn(secret))
}

/// Secrets are 256 random bits, so a plain hash is enough to keep them out of the file.
pub(super) fn digest(secret: &str) -> Vec<u8> {
    Sha256::digest(secret.as_bytes()).to_vec()
}

/// Argon2id with OWASP's first recommendation but for memory: 19 MiB, 2 passes, 1 lane.
fn hasher() -> Result<Argon2<'static>, StoreError> {
    let parameters = argon2::Params::new(19 * 1024, 2, 1, None).map_err(|_| StoreError::Hash)?;
    Ok(Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, parameters))
}

fn hash_password(password: &str) -> Result<String, StoreError> {
    let mut salt = [0; 16];
    random::fill(&mut salt).ok_or(StoreError::Random)?;
    let hash = hasher()?.hash_password_with_salt(password.as_bytes(), &salt).map_err(|_| StoreError::Hash)?;
    Ok(hash.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobodys_hash_costs_what_everybodys_does() {
        let ours = hash_password("anything").unwrap();
        let (ours, nobodys) = (PasswordHash::new(&ours).unwrap(), PasswordHash::new(NOBODYS).unwrap());
        assert_eq!(ours.algorithm, nobodys.algorithm);
        assert_eq!(ours.params.to_string(), nobodys.params.to_string());
        let length = |hash: &PasswordHash| hash.hash.as_ref().unwrap().as_ref().len();
        assert_eq!(length(&ours), length(&nobodys));
        let tried = hasher().unwrap().verify_password(b"anything", &nobodys);
        assert!(matches!(tried, Err(argon2::password_hash::Error::PasswordInvalid)), "{tried:?}");
    }
}
