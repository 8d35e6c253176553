//! Accounts of people, their sessions, and tokens for programs. Secrets are stored as hashes only.

use cordee_domain::ids::Millis;
use cordee_domain::proof::BrowserMark;
use cordee_domain::text;
use cordee_node::clock::now;
use cordee_node::random;
use rusqlite::{Connection, OptionalExtension as _, params};
use sha2::{Digest as _, Sha256};

use super::hashing::{hash_password, matches};
use super::{Store, StoreError};

/// A person's account name, as it was typed at the sign-in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account(pub String);

/// The device of a session, shown to whoever looks at the sessions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Device {
    /// The IP address.
    pub address: String,
    /// The browser's User-Agent.
    pub agent: String,
}

/// One session, as the page lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The identifier with which it is ended.
    pub id: String,
    /// When it began.
    pub created: Millis,
    /// When its last request came, to the minute.
    pub seen: Millis,
    /// Its device.
    pub device: Device,
    /// It is the session of the request that asks for the list.
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

/// A browser that signs in.
#[derive(Clone, Debug, Default)]
pub struct Arrival {
    /// Its device.
    pub device: Device,
    /// The mark by which it is recognised from then on. A browser without the page's script has nothing that is
    /// kept from the other ports of the host.
    pub mark: Option<BrowserMark>,
}

/// A password that was right when it was compared. The comparison takes a while, so what is done with the password
/// is done in a transaction that first checks that the account still has the same password.
#[derive(Clone)]
pub struct Proven {
    account: Account,
    hash: String,
}

impl std::fmt::Debug for Proven {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Proven({}, …)", self.account.0)
    }
}

impl Proven {
    /// Reports whether it is still the account's password.
    pub(super) fn holds(&self, connection: &Connection) -> Result<bool, StoreError> {
        Ok(connection.query_row(
            "SELECT EXISTS (SELECT 1 FROM account WHERE name = ?1 AND password = ?2)",
            params![self.account.0, self.hash],
            |r| r.get(0),
        )?)
    }
}

/// The result of changing a password.
#[derive(Debug)]
pub enum Changed {
    /// The password is changed, and the browser that changed it has a new session.
    Done(Option<SignIn>),
    /// The account has a different password by now, or is gone: nothing is changed.
    Stale,
}

/// A session ends after 30 minutes without a request…
const IDLE_MS: u64 = cordee_domain::figures::SESSION_IDLE;
/// …and after 12 hours in any case (OWASP ASVS 5.0, 7.3).
const WHOLE_MS: u64 = cordee_domain::figures::SESSION_WHOLE;

/// How long a browser is recognised after the last sign-in with it.
const BROWSER_KEPT_MS: u64 = 180 * 24 * 60 * 60 * 1_000;
/// How many browsers are remembered per account.
const BROWSERS: u32 = 50;

/// The hash that is compared for an unknown name: it has our parameters, and no password is known for it.
const NOBODYS: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5IGhhcyB0aGlzLg$bm9ib2R5IGtub3dzIGEgcGFzc3dvcmQgZm9yIGl0ISE";

impl Store {
    /// Reports whether there is an account. Until there is one, only the setup page answers.
    pub fn has_account(&self) -> Result<bool, StoreError> {
        Ok(self.lock().query_row("SELECT EXISTS (SELECT 1 FROM account)", [], |r| r.get(0))?)
    }

    /// Creates the first account and signs its browser in. Returns `None` when there is an account already.
    pub fn set_up(&self, name: &str, password: &str, from: &Arrival) -> Result<Option<SignIn>, StoreError> {
        let hash = hash_password(password)?;
        self.noted(name, |connection| {
            if !insert_first_account(connection, name, &hash)? {
                return Ok((None, None));
            }
            let entered = let_in(connection, &Account(name.to_owned()), from)?;
            Ok((Some(entered), Some(text!("event-account", name = name))))
        })
    }

    /// Compares the password with the account's; returns `None` when it is wrong. An unknown name costs as much as
    /// a known one: one comparison.
    pub fn password_matches(&self, name: &str, password: &str) -> Result<Option<Proven>, StoreError> {
        let stored: Option<String> = self
            .lock()
            .query_row("SELECT password FROM account WHERE name = ?1", [name], |r| r.get(0))
            .optional()?;
        let known = stored.is_some();
        let hash = stored.unwrap_or_else(|| NOBODYS.to_owned());
        let right = matches(password, &hash)? && known;
        Ok(right.then(|| Proven { account: Account(name.to_owned()), hash }))
    }

    /// Signs a browser in, and remembers it. Returns `None` when the password was changed since it was compared.
    pub fn enter(&self, proven: &Proven, from: &Arrival) -> Result<Option<SignIn>, StoreError> {
        let mut connection = self.lock();
        let transaction = connection.transaction()?;
        if !proven.holds(&transaction)? {
            return Ok(None);
        }
        let entered = let_in(&transaction, &proven.account, from)?;
        transaction.commit()?;
        Ok(Some(entered))
    }

    /// Reports whether that account signed in before in the browser that keeps this mark; if so, returns the
    /// mark's hash.
    pub fn browser(&self, mark: &BrowserMark, account: &Account) -> Result<Option<Vec<u8>>, StoreError> {
        let hash = digest(mark.secret());
        let known: bool = self.lock().query_row(
            "SELECT EXISTS (SELECT 1 FROM browser WHERE mark_hash = ?1 AND account = ?2 AND seen >= ?3)",
            params![hash, account.0, now().saturating_sub(BROWSER_KEPT_MS)],
            |r| r.get(0),
        )?;
        Ok(known.then_some(hash))
    }

    /// Returns the live sessions of an account, the last used one first.
    pub fn sessions(&self, account: &Account, own: &str) -> Result<Vec<Session>, StoreError> {
        let (connection, own) = (self.lock(), digest(own));
        // A part of the hash identifies a session: it grants no access, and no later session has the same.
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

    /// Ends one session of an account, or with `None` all except the one that asks, and notes it in the journal.
    /// Returns how many ended.
    pub fn end_sessions(
        &self,
        account: &Account,
        id: Option<&str>,
        own: &str,
        actor: &str,
    ) -> Result<usize, StoreError> {
        let ended = self.noted(actor, |connection| {
            let ended = match id {
                Some(id) => connection.execute(
                    "DELETE FROM session WHERE lower(hex(substr(token_hash, 1, 8))) = ?1 \
                     AND account = ?2 COLLATE NOCASE",
                    params![id, account.0],
                ),
                None => connection.execute(
                    "DELETE FROM session WHERE token_hash <> ?1 AND account = ?2 COLLATE NOCASE",
                    params![digest(own), account.0],
                ),
            }?;
            Ok((ended, (ended > 0).then(|| text!("event-sessions-ended", count = ended))))
        })?;
        self.left();
        Ok(ended)
    }

    /// Changes an account's password, ends its sessions, forgets its browsers, and notes it in the journal. The
    /// browser in which the password was changed gets a new session. Without the present password this is for the
    /// owner of the machine.
    pub fn change_password(
        &self,
        account: &Account,
        password: &str,
        present: Option<&Proven>,
        here: Option<&Arrival>,
        actor: &str,
    ) -> Result<Changed, StoreError> {
        let hash = hash_password(password)?;
        let changed = self.noted(actor, |connection| {
            if let Some(proven) = present
                && !proven.holds(connection)?
            {
                return Ok((Changed::Stale, None));
            }
            let altered = connection
                .execute("UPDATE account SET password = ?1 WHERE name = ?2", params![hash, account.0])?;
            if altered == 0 {
                return Ok((Changed::Stale, None));
            }
            connection.execute("DELETE FROM session WHERE account = ?1 COLLATE NOCASE", [&account.0])?;
            connection.execute("DELETE FROM browser WHERE account = ?1", [&account.0])?;
            let anew = here.map(|from| let_in(connection, account, from)).transpose()?;
            Ok((Changed::Done(anew), Some(text!("event-password", name = account.0.as_str()))))
        })?;
        self.left();
        Ok(changed)
    }

    /// Returns the one account that exists.
    pub fn account(&self) -> Result<Option<Account>, StoreError> {
        let name =
            self.lock().query_row("SELECT name FROM account ORDER BY created LIMIT 1", [], |r| r.get(0));
        Ok(name.optional()?.map(Account))
    }

    /// Returns the account of a live session. The call counts as a request, and the time is stored.
    pub fn session(&self, secret: &str) -> Result<Option<Account>, StoreError> {
        let (connection, hash) = (self.lock(), digest(secret));
        let Some((account, seen)) = alive(&connection, &hash)? else { return Ok(None) };
        if now().saturating_sub(seen) > 60_000 {
            let touched = connection
                .execute("UPDATE session SET seen = ?1 WHERE token_hash = ?2", params![now(), hash]);
            // A full disk must not keep anybody from reading the page that reports it.
            if let Err(error) = touched {
                self.failed(&error.into());
            }
        }
        Ok(Some(Account(account)))
    }

    /// Reports whether a session is alive, without extending it.
    #[cfg(test)]
    pub fn session_lasts(&self, secret: &str) -> Result<bool, StoreError> {
        Ok(alive(&self.lock(), &digest(secret))?.is_some())
    }

    /// Ends a session, and the streams that are read with it.
    pub fn sign_out(&self, secret: &str) -> Result<(), StoreError> {
        self.lock().execute("DELETE FROM session WHERE token_hash = ?1", [digest(secret)])?;
        self.left();
        Ok(())
    }

    /// Has every stream that is read with a session or a token check whether that is still valid.
    pub(super) fn left(&self) {
        if let Some(board) = self.board.get() {
            board.set_left();
        }
    }
}

/// Creates the first account; `false` when there is an account already.
pub(super) fn insert_first_account(
    connection: &Connection,
    name: &str,
    hash: &str,
) -> Result<bool, StoreError> {
    let made = connection.execute(
        "INSERT INTO account (name, password, created) SELECT ?1, ?2, ?3 WHERE NOT EXISTS (SELECT 1 FROM account)",
        params![name, hash, now()],
    )?;
    Ok(made == 1)
}

/// Begins a session of a browser, and remembers the browser.
fn let_in(connection: &Connection, account: &Account, from: &Arrival) -> Result<SignIn, StoreError> {
    if let Some(mark) = &from.mark {
        know_browser(connection, account, mark)?;
    }
    begin_session(connection, account, &from.device)
}

/// Remembers a browser in which that account signs in now. The ones that were not used for the longest time are
/// forgotten.
fn know_browser(connection: &Connection, account: &Account, mark: &BrowserMark) -> Result<(), StoreError> {
    let mark = digest(mark.secret());
    connection.execute(
        "INSERT OR REPLACE INTO browser (mark_hash, account, seen) VALUES (?1, ?2, ?3)",
        params![mark, account.0, now()],
    )?;
    // The clock may have been set back: the newest row need not have the latest time.
    connection.execute(
        "DELETE FROM browser WHERE seen < ?1 OR (account = ?2 AND mark_hash <> ?4 AND mark_hash NOT IN \
         (SELECT mark_hash FROM browser WHERE account = ?2 AND mark_hash <> ?4 \
          ORDER BY seen DESC, rowid DESC LIMIT ?3 - 1))",
        params![now().saturating_sub(BROWSER_KEPT_MS), account.0, BROWSERS, mark],
    )?;
    Ok(())
}

/// Returns the account of a live session, and when it was last used.
fn alive(connection: &Connection, hash: &[u8]) -> Result<Option<(String, Millis)>, StoreError> {
    let found: rusqlite::Result<(String, Millis)> = connection.query_row(
        "SELECT account, seen FROM session WHERE token_hash = ?1 AND seen >= ?2 AND created >= ?3",
        params![hash, now().saturating_sub(IDLE_MS), now().saturating_sub(WHOLE_MS)],
        |r| Ok((r.get(0)?, r.get(1)?)),
    );
    Ok(found.optional()?)
}

pub(super) fn begin_session(
    connection: &Connection,
    account: &Account,
    from: &Device,
) -> Result<SignIn, StoreError> {
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
pub(crate) fn digest(secret: &str) -> Vec<u8> {
    Sha256::digest(secret.as_bytes()).to_vec()
}

#[cfg(test)]
mod tests;
