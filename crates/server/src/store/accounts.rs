//! People, their sessions, and tokens for programs. Secrets are stored as hashes only.

use cordee_domain::ids::Millis;
use cordee_domain::proof::BrowserMark;
use cordee_domain::text;
use cordee_node::clock::now;
use cordee_node::random;
use rusqlite::{Connection, OptionalExtension as _, params};
use sha2::{Digest as _, Sha256};

use super::hashing::{hash_password, matches};
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

/// A browser that is to be let in.
#[derive(Clone, Debug, Default)]
pub struct Arrival {
    /// Where.
    pub device: Device,
    /// By what it is known from then on. One without the page's script has nothing that no other port of the host gets.
    pub mark: Option<BrowserMark>,
}

/// A password that was right when it was compared, which takes a while: whatever is done with it is done only if the
/// account still has that very one, and in the same transaction.
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
    /// Whether it is the account's password still.
    pub(super) fn holds(&self, connection: &Connection) -> Result<bool, StoreError> {
        Ok(connection.query_row(
            "SELECT EXISTS (SELECT 1 FROM account WHERE name = ?1 AND password = ?2)",
            params![self.account.0, self.hash],
            |r| r.get(0),
        )?)
    }
}

/// What came of changing a password.
#[derive(Debug)]
pub enum Changed {
    /// It is changed, and the browser at hand is let in anew.
    Done(Option<SignIn>),
    /// The account has another one by now, or is gone: nothing is changed.
    Stale,
}

/// A session ends after 30 minutes without a request…
const IDLE_MS: u64 = cordee_domain::figures::SESSION_IDLE;
/// …and after 12 hours in any case (OWASP ASVS 5.0, 7.3).
const WHOLE_MS: u64 = cordee_domain::figures::SESSION_WHOLE;

/// For so long a browser is known after the last sign-in with it.
const BROWSER_KEPT_MS: u64 = 180 * 24 * 60 * 60 * 1_000;
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

    /// Makes the first account and lets its browser in. `None` when there is one already.
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

    /// Compares the password with that account's; `None` when it is not. An unknown name costs as much as a known one:
    /// one comparison.
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

    /// Lets a browser in, which is known from then on. `None` when the password is another one by now.
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

    /// Whether that account was signed in before in the browser that keeps this mark; gives the mark's hash.
    pub fn browser(&self, mark: &BrowserMark, account: &Account) -> Result<Option<Vec<u8>>, StoreError> {
        let hash = digest(mark.secret());
        let known: bool = self.lock().query_row(
            "SELECT EXISTS (SELECT 1 FROM browser WHERE mark_hash = ?1 AND account = ?2 AND seen >= ?3)",
            params![hash, account.0, now().saturating_sub(BROWSER_KEPT_MS)],
            |r| r.get(0),
        )?;
        Ok(known.then_some(hash))
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

    /// Ends one session of an account, or with `None` all but the one that asks, and notes it. Gives how many ended.
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

    /// Gives an account another password, ends its sessions, forgets the browsers that are known, and notes it; whoever
    /// changed it in a browser is let in there anew. Without a present password it is for the owner of the machine.
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

    /// The one account that there is.
    pub fn account(&self) -> Result<Option<Account>, StoreError> {
        let name =
            self.lock().query_row("SELECT name FROM account ORDER BY created LIMIT 1", [], |r| r.get(0));
        Ok(name.optional()?.map(Account))
    }

    /// Whose session it is, when it is alive. That is a request of its own, and is written down as such.
    pub fn session(&self, secret: &str) -> Result<Option<Account>, StoreError> {
        let (connection, hash) = (self.lock(), digest(secret));
        let Some((account, seen)) = alive(&connection, &hash)? else { return Ok(None) };
        if now().saturating_sub(seen) > 60_000 {
            let touched = connection
                .execute("UPDATE session SET seen = ?1 WHERE token_hash = ?2", params![now(), hash]);
            // A disk that is full keeps nobody from reading the page that says so.
            if let Err(error) = touched {
                self.failed(&error.into());
            }
        }
        Ok(Some(Account(account)))
    }

    /// Whether a session is alive, without lengthening it.
    #[cfg(test)]
    pub fn session_lasts(&self, secret: &str) -> Result<bool, StoreError> {
        Ok(alive(&self.lock(), &digest(secret))?.is_some())
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

/// The first account; `false` when there is one already.
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

/// A session of a browser, which is known from now on.
fn let_in(connection: &Connection, account: &Account, from: &Arrival) -> Result<SignIn, StoreError> {
    if let Some(mark) = &from.mark {
        know_browser(connection, account, mark)?;
    }
    begin_session(connection, account, &from.device)
}

/// Makes a browser known in which that account is signed in now. Those that were not used for longest are forgotten.
fn know_browser(connection: &Connection, account: &Account, mark: &BrowserMark) -> Result<(), StoreError> {
    let mark = digest(mark.secret());
    connection.execute(
        "INSERT OR REPLACE INTO browser (mark_hash, account, seen) VALUES (?1, ?2, ?3)",
        params![mark, account.0, now()],
    )?;
    // The clock may have been put back: the newest has not always the latest time.
    connection.execute(
        "DELETE FROM browser WHERE seen < ?1 OR (account = ?2 AND mark_hash <> ?4 AND mark_hash NOT IN \
         (SELECT mark_hash FROM browser WHERE account = ?2 AND mark_hash <> ?4 \
          ORDER BY seen DESC, rowid DESC LIMIT ?3 - 1))",
        params![now().saturating_sub(BROWSER_KEPT_MS), account.0, BROWSERS, mark],
    )?;
    Ok(())
}

/// Of a session that is alive, whose it is and when it was last used.
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
